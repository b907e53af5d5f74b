"""Doors: The merge into pass or fail, public notice, two-stage audit (成绩与结果)."""

from __future__ import annotations

from flask import Blueprint

from scoring.results import models  # noqa: F401

blueprint = Blueprint("results", __name__, url_prefix="/results")

"""Doors: The comprehensive review panel (综合评审)."""

from __future__ import annotations

from flask import Blueprint

from scoring.review import models  # noqa: F401

blueprint = Blueprint("review", __name__, url_prefix="/review")

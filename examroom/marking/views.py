"""Doors: Theory scores (评分)."""

from __future__ import annotations

from flask import Blueprint

from examroom.marking import models  # noqa: F401

blueprint = Blueprint("marking", __name__, url_prefix="/marking")

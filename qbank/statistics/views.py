"""Doors: Item statistics (试题统计)."""

from __future__ import annotations

from flask import Blueprint

from qbank.statistics import models  # noqa: F401

blueprint = Blueprint("statistics", __name__, url_prefix="/statistics")

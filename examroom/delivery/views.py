"""Doors: What a candidate can reach (考试)."""

from __future__ import annotations

from flask import Blueprint

from examroom.delivery import models  # noqa: F401

blueprint = Blueprint("delivery", __name__, url_prefix="/delivery")

"""Doors: Practical marks (操作技能考核)."""

from __future__ import annotations

from flask import Blueprint

from scoring.practical import models  # noqa: F401

blueprint = Blueprint("practical", __name__, url_prefix="/practical")

"""Doors: The item bank: versions, life cycle, review (题库)."""

from __future__ import annotations

from flask import Blueprint

from qbank.items import models  # noqa: F401

blueprint = Blueprint("items", __name__, url_prefix="/items")

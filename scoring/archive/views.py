"""Doors: Evidence packs and the three-year clock (归档)."""

from __future__ import annotations

from flask import Blueprint

from scoring.archive import models  # noqa: F401

blueprint = Blueprint("archive", __name__, url_prefix="/archive")

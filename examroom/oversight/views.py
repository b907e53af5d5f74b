"""Doors: Quality supervision (质量督导)."""

from __future__ import annotations

from flask import Blueprint

from examroom.oversight import models  # noqa: F401

blueprint = Blueprint("oversight", __name__, url_prefix="/oversight")

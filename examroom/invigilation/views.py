"""Doors: The live board of a room (监考)."""

from __future__ import annotations

from flask import Blueprint

from examroom.invigilation import models  # noqa: F401

blueprint = Blueprint("invigilation", __name__, url_prefix="/invigilation")

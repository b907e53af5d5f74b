"""Doors: Filed scope of institutions (备案)."""

from __future__ import annotations

from flask import Blueprint

from examroom.filing import models  # noqa: F401

blueprint = Blueprint("filing", __name__, url_prefix="/filing")

"""Doors: Numbers, signed PDF, public query (证书)."""

from __future__ import annotations

from flask import Blueprint

from scoring.certificates import models  # noqa: F401

blueprint = Blueprint("certificates", __name__, url_prefix="/certificates")

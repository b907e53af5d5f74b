"""Doors: Items in from Excel, with preview, row errors and revertable batches (导入)."""

from __future__ import annotations

from flask import Blueprint

blueprint = Blueprint("exchange", __name__, url_prefix="/exchange")

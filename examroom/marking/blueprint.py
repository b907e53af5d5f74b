"""The blueprint of theory scores."""

from __future__ import annotations

from flask import Blueprint

blueprint = Blueprint("marking", __name__, url_prefix="/marking")

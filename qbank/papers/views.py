"""Doors: Specification, assembly, sealing (组卷)."""

from __future__ import annotations

from flask import Blueprint

from qbank.papers import models  # noqa: F401

blueprint = Blueprint("papers", __name__, url_prefix="/papers")

"""Doors: Occupations, standards, weight tables and the range tree (职业、标准、权重表、鉴定要素细目表)."""

from __future__ import annotations

from flask import Blueprint

from qbank.standards import models  # noqa: F401

blueprint = Blueprint("standards", __name__, url_prefix="/standards")

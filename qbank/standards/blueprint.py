"""The blueprint that the doors of this room hang on."""

from __future__ import annotations

import unicodedata
from urllib.parse import quote

from flask import Blueprint, Response

blueprint = Blueprint("standards", __name__, url_prefix="/standards")


def excel(content: bytes, name: str) -> Response:
    """A workbook to be saved under a Chinese name."""
    safe = "".join("_" if unicodedata.category(c)[0] == "C" or c in '\\/:*?"<>|' else c for c in name)
    response = Response(content, mimetype="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet")
    response.headers["Content-Disposition"] = f"attachment; filename*=UTF-8''{quote(safe)}.xlsx"
    return response

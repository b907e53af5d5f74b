"""The blueprint of supervision, and what its doors read from forms."""

from __future__ import annotations

import enum
from typing import TypeVar

from flask import Blueprint, request
from werkzeug.datastructures import FileStorage

from qbank.kernel.refused import Refused

blueprint = Blueprint("oversight", __name__, url_prefix="/oversight")
E = TypeVar("E", bound=enum.StrEnum)
TOP = 2**31 - 1


def chosen(kind: type[E], text: str, what: str) -> E:
    """One of an enum's values. Refuses anything else, naming ``what``."""
    try:
        return kind(text)
    except ValueError:
        raise Refused("not_chosen", f"请选择“{what}”。") from None


def uploads(field: str = "file") -> list[FileStorage]:
    return [one for one in request.files.getlist(field) if one.filename]

"""The face of a certificate: the printed values, the QR code, the PDF."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from urllib.parse import urlencode

from qbank.kernel.identity import IdentityKind
from qbank.kernel.printing import Drawing, qr_code, typeset
from qbank.kernel.times import spoken
from qbank.standards.models import LEVEL_NAMES

TEMPLATE = Path(__file__).with_name("certificate.typ")


@dataclass(frozen=True)
class Face:
    """What is printed. The identity number stands here in full and nowhere else: ``repr`` hides it from logs."""

    number: str
    holder: str
    identity_number: str = dataclasses.field(repr=False)
    occupation: str
    occupation_code: str
    work_type: str
    level: int
    issuer: str
    issued_on: date
    identity_kind: str = IdentityKind.RESIDENT.chinese
    replaced_on: date | None = None  # of a copy made in place of the first one
    photo: Drawing | None = dataclasses.field(default=None, repr=False)
    seal: Drawing | None = dataclasses.field(default=None, repr=False)
    specimen: bool = False  # shows how certificates will look, and says all over that it is none


def query_address(public_url: str, number: str = "") -> str:
    """Where a certificate is verified; with ``number`` the form comes filled in."""
    return f"{public_url}/certificates/query" + (f"?{urlencode({'number': number})}" if number else "")


def draw(face: Face, public_url: str, *, made_at: datetime) -> bytes:
    """The unsigned PDF."""
    values = {
        "number": face.number, "holder": face.holder, "identity_number": face.identity_number,
        "identity_kind": face.identity_kind,
        "occupation": face.occupation, "work_type": face.work_type or "—", "level": LEVEL_NAMES[face.level],
        "issuer": face.issuer, "issued_on": spoken(face.issued_on), "address": query_address(public_url),
        "qr": qr_code(query_address(public_url, face.number)), "photo": face.photo.svg if face.photo else "", "seal": face.seal.svg if face.seal else "",
        "replaced_on": f"补发日期：{spoken(face.replaced_on)}" if face.replaced_on else "",
        "specimen": "样张　无效" if face.specimen else "",
    }
    return typeset(TEMPLATE.read_text(encoding="utf-8"), values, made_at=made_at)

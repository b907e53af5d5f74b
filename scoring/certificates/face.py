"""The face of a certificate: the printed values, the QR code, the PDF."""

from __future__ import annotations

import base64
import dataclasses
from dataclasses import dataclass
from datetime import date, datetime
from io import BytesIO
from pathlib import Path
from urllib.parse import urlencode

import segno
from PIL import Image

from qbank.kernel.printing import typeset
from qbank.kernel.times import spoken
from qbank.standards.models import LEVEL_NAMES

TEMPLATE = Path(__file__).with_name("certificate.typ")


@dataclass(frozen=True)
class Picture:
    """A picture as its file holds it."""

    content: bytes = dataclasses.field(repr=False)
    media_type: str

    @property
    def svg(self) -> str:
        """Wrapped so that typst can be handed it as a text."""
        with Image.open(BytesIO(self.content)) as opened:
            width, height = opened.size
        held = base64.b64encode(self.content).decode()
        return (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}">'
                f'<image width="{width}" height="{height}" href="data:{self.media_type};base64,{held}"/></svg>')


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
    replaced_on: date | None = None  # of a copy made in place of the first one
    photo: Picture | None = None
    seal: Picture | None = None
    specimen: bool = False  # shows how certificates will look, and says all over that it is none


def query_address(public_url: str, number: str = "") -> str:
    """Where a certificate is verified; with ``number`` the form comes filled in."""
    return f"{public_url}/certificates/query" + (f"?{urlencode({'number': number})}" if number else "")


def draw(face: Face, public_url: str, *, made_at: datetime) -> bytes:
    """The unsigned PDF."""
    code = BytesIO()
    segno.make_qr(query_address(public_url, face.number), error="m").save(code, kind="svg", border=2, scale=4)
    values = {
        "number": face.number, "holder": face.holder, "identity_number": face.identity_number,
        "occupation": face.occupation, "work_type": face.work_type or "—", "level": LEVEL_NAMES[face.level],
        "issuer": face.issuer, "issued_on": spoken(face.issued_on), "address": query_address(public_url),
        "qr": code.getvalue().decode(), "photo": face.photo.svg if face.photo else "", "seal": face.seal.svg if face.seal else "",
        "replaced_on": f"补发日期：{spoken(face.replaced_on)}" if face.replaced_on else "",
        "specimen": "样张　无效" if face.specimen else "",
    }
    return typeset(TEMPLATE.read_text(encoding="utf-8"), values, made_at=made_at)

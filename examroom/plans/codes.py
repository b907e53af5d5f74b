"""考试码: what a candidate signs in with, printed on the 准考证 as text and as QR. Pure.

32 characters of Crockford's alphabet (no I, L, O, U), shown in eight groups of four. The first 32 bits name the enrolment,
the other 128 are an HMAC-SHA-256 over enrolment and issue under a key kept outside the database: nobody can guess a
code, the database holds none, and a reissue makes every earlier one void.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
STANDARD = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"  # of RFC 4648, which Python speaks
LENGTH = 32
SECRET_BYTES = 16
_TO_STANDARD = str.maketrans(ALPHABET, STANDARD)
_FROM_STANDARD = str.maketrans(STANDARD, ALPHABET)
_TYPED_ALIKE = str.maketrans("OIL", "011")


def make(key: bytes, enrolment_id: int, issue: int) -> str:
    """The code of an enrolment, without gaps."""
    head = enrolment_id.to_bytes(4, "big")
    return base64.b32encode(head + _secret(key, enrolment_id, issue)).decode().translate(_FROM_STANDARD)


def grouped(code: str) -> str:
    """``ABCD EFGH …``: as it is printed."""
    return " ".join(code[place:place + 4] for place in range(0, len(code), 4))


def named(typed: str) -> int | None:
    """The enrolment that a typed code names; None for what is no code at all."""
    raw = _read(typed)
    return int.from_bytes(raw[:4], "big") if raw else None


def matches(key: bytes, typed: str, enrolment_id: int, issue: int) -> bool:
    """Whether ``typed`` is the code of this issue; takes as long for a wrong one as for a right one."""
    raw = _read(typed)
    return raw is not None and hmac.compare_digest(raw, enrolment_id.to_bytes(4, "big") + _secret(key, enrolment_id, issue))


def _secret(key: bytes, enrolment_id: int, issue: int) -> bytes:
    return hmac.new(key, f"exam code {enrolment_id} {issue}".encode(), hashlib.sha256).digest()[:SECRET_BYTES]


def _read(typed: str) -> bytes | None:
    """The 20 bytes; gaps, dashes, small letters and O for 0, I or L for 1 are as good."""
    text = "".join(typed.replace("-", "").split()).upper().translate(_TYPED_ALIKE)
    if len(text) != LENGTH or not set(text) <= set(ALPHABET):
        return None
    try:
        return base64.b32decode(text.translate(_TO_STANDARD))
    except binascii.Error:
        return None

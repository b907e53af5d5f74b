"""The page token: who may write on a sheet, signed, so that knowing who asks needs no query. Pure.

It names the sheet, the generation of the page and the account with its own generation, and is worth nothing by itself:
inside the transaction that writes, the page must still be the sheet's live one and the account as it was.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from dataclasses import astuple, dataclass

MAC_BYTES = 18
GENERATION_BITS = 48  # exact as a number in every browser


@dataclass(frozen=True, slots=True)
class Holder:
    """Who presents a token."""

    sheet_id: int
    generation: int
    account_id: int
    account_generation: int


def draw_generation() -> int:
    """The number of a new page: unlike any other's, also of pages that a restored copy of the database never knew."""
    return secrets.randbits(GENERATION_BITS) + 1


def issue(secret: bytes, holder: Holder) -> str:
    payload = ".".join(str(number) for number in astuple(holder))
    return f"{payload}.{_mac(secret, payload)}"


def read(secret: bytes, token: str) -> Holder | None:
    """None unless this installation issued the token."""
    payload, _, mac = token.rpartition(".")
    numbers = payload.split(".")
    if not hmac.compare_digest(_mac(secret, payload).encode(), mac.encode("utf-8", "replace")):
        return None
    return Holder(*map(int, numbers)) if len(numbers) == 4 else None


def hashed(token: str) -> str:
    """What is kept of a token."""
    return hashlib.sha256(token.encode()).hexdigest()


def _mac(secret: bytes, payload: str) -> str:
    mac = hmac.digest(secret, b"examroom page\x00" + payload.encode("utf-8", "replace"), "sha256")[:MAC_BYTES]
    return base64.urlsafe_b64encode(mac).decode()

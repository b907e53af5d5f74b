"""Identity numbers (居民身份证号码): checked, encrypted at rest, found by a keyed hash, masked on screen."""

from __future__ import annotations

import hashlib
import hmac
import os
from datetime import date

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from stdnum.cn import ric
from stdnum.exceptions import ValidationError

from qbank.kernel.refused import Refused


def check(text: str) -> str:
    """The number in its compact form. Refuses a wrong length, birth date, place or check digit (GB 11643)."""
    number = text.strip().replace(" ", "").upper()
    try:
        return str(ric.validate(number))
    except ValidationError as error:
        raise Refused("identity_number", f"身份证号码 {mask(number)} 不正确：请核对 18 位号码、出生日期和校验码。") from error


def mask(number: str) -> str:
    """``430102********1234``: the place and the last four digits stay readable."""
    return f"{number[:6]}{'*' * max(0, len(number) - 10)}{number[-4:]}" if len(number) > 10 else "*" * len(number)


def masked_name(name: str) -> str:
    """``张*``, ``张*明``, ``欧**娜``: the first character and, of three or more, the last stay readable."""
    name = name.strip()
    if len(name) <= 2:
        return f"{name[:1]}*" if name else ""
    return f"{name[0]}{'*' * (len(name) - 2)}{name[-1]}"


def birth_date(number: str) -> date:
    """The birth date written in a checked number."""
    return date(int(number[6:10]), int(number[10:12]), int(number[12:14]))


def is_female(number: str) -> bool:
    """The 17th digit is even for women (GB 11643)."""
    return int(number[16]) % 2 == 0


class IdentityCipher:
    """AES-256-GCM for the number itself, HMAC-SHA-256 for look-up; both keys derive from one kept outside."""

    def __init__(self, key: bytes) -> None:
        self._cipher = AESGCM(hashlib.sha256(b"identity/encrypt" + key).digest())
        self._look_up = hashlib.sha256(b"identity/look-up" + key).digest()

    def encrypt(self, number: str) -> bytes:
        nonce = os.urandom(12)
        return nonce + self._cipher.encrypt(nonce, number.encode(), None)

    def decrypt(self, stored: bytes) -> str:
        return self._cipher.decrypt(stored[:12], stored[12:], None).decode()

    def fingerprint(self, number: str) -> str:
        """What the database is searched by."""
        return hmac.new(self._look_up, number.encode(), "sha256").hexdigest()

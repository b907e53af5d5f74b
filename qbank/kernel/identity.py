"""Identity numbers (居民身份证号码 and those of other papers): checked, encrypted at rest, found by a keyed hash, masked."""

from __future__ import annotations

import enum
import hashlib
import hmac
import os
import re
import unicodedata
from contextlib import suppress
from datetime import date

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from stdnum.cn import ric
from stdnum.exceptions import ValidationError

from qbank.kernel.refused import Refused


class IdentityKind(enum.StrEnum):
    """证件类型: with which papers a person is identified."""

    RESIDENT = "resident"
    RESIDENCE_PERMIT = "residence_permit"
    HONG_KONG_MACAO = "hong_kong_macao"
    TAIWAN = "taiwan"
    FOREIGNER = "foreigner"
    PASSPORT = "passport"
    OFFICER = "officer"

    @property
    def chinese(self) -> str:
        return KIND_NAMES[self]

    @classmethod
    def named(cls, text: str) -> IdentityKind:
        """By its Chinese name; nothing written means a resident's card. Refuses what is none."""
        plain = unicodedata.normalize("NFKC", text).replace(" ", "")
        found = KINDS_BY_NAME.get(plain)
        if found is None:
            raise Refused("identity_kind", f"证件类型“{text[:20]}”不能识别，应是{'、'.join(KIND_NAMES.values())}。")
        return found


KIND_NAMES = {
    IdentityKind.RESIDENT: "居民身份证", IdentityKind.RESIDENCE_PERMIT: "港澳台居民居住证",
    IdentityKind.HONG_KONG_MACAO: "港澳居民来往内地通行证", IdentityKind.TAIWAN: "台湾居民来往大陆通行证",
    IdentityKind.FOREIGNER: "外国人永久居留身份证", IdentityKind.PASSPORT: "护照", IdentityKind.OFFICER: "军官证",
}
KINDS_BY_NAME = {name: kind for kind, name in KIND_NAMES.items()} | {
    "": IdentityKind.RESIDENT, "身份证": IdentityKind.RESIDENT, "二代身份证": IdentityKind.RESIDENT, "第二代居民身份证": IdentityKind.RESIDENT,
    "回乡证": IdentityKind.HONG_KONG_MACAO, "台胞证": IdentityKind.TAIWAN, "外国人永久居留证": IdentityKind.FOREIGNER}
# What the number of each other paper looks like; what has a check digit of GB 11643 is checked with it.
SHAPES = {
    IdentityKind.RESIDENCE_PERMIT: (r"8[123]0000\d{11}[\dX]", "81、82 或 83 开头的 18 位号码"),
    IdentityKind.HONG_KONG_MACAO: (r"[HM]\d{8}(\d{2})?", "H 或 M 加 8 位或 10 位数字"),
    IdentityKind.TAIWAN: (r"\d{8}|\d{10}", "8 位或 10 位数字"),
    IdentityKind.FOREIGNER: (r"[A-Z]{3}\d{12}|9\d{16}[\dX]", "3 个字母加 12 位数字，或 9 开头的 18 位号码"),
    IdentityKind.PASSPORT: (r"[A-Z0-9]{5,15}", "5 至 15 位字母和数字"),
    IdentityKind.OFFICER: (r"[\u4e00-\u9fffA-Z0-9()-]{4,18}", "证件上的字号，例如“军字第1234567号”"),
}


def check(text: str, kind: IdentityKind = IdentityKind.RESIDENT) -> str:
    """The number in its compact form. Refuses a wrong length, birth date, place or check digit (GB 11643), or another shape."""
    return _check_resident(text) if kind is IdentityKind.RESIDENT else _check_other(text, kind)


def _check_other(text: str, kind: IdentityKind) -> str:
    number = unicodedata.normalize("NFKC", text).replace(" ", "").upper()
    pattern, told = SHAPES[kind]
    has_check_digit = kind is IdentityKind.RESIDENCE_PERMIT or (kind is IdentityKind.FOREIGNER and len(number) == 18)
    if not re.fullmatch(pattern, number) or (has_check_digit and ric.calc_check_digit(number) != number[-1]):
        raise Refused("identity_number", f"{kind.chinese}号码 {mask(number)} 不正确，应是{told}。请核对。")
    return number


def _check_resident(text: str) -> str:
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
    """AES-256-GCM for the number itself, HMAC-SHA-256 for look-up; both keys derive from one kept outside.

    While a key is being replaced the ``former`` ones stand behind it: what lies under them is read and found too, and
    nothing is written under them. ``lasting`` makes what was given away and has to outlive its key.
    """

    def __init__(self, key: bytes, *former: bytes, lasting: bytes = b"") -> None:
        self._ciphers = [AESGCM(hashlib.sha256(b"identity/encrypt" + one).digest()) for one in (key, *former)]
        self._look_ups = [look_up_key(one) for one in (key, *former)]
        self._lasting = lasting or self._look_ups[-1]

    def encrypt(self, number: str) -> bytes:
        nonce = os.urandom(12)
        return nonce + self._ciphers[0].encrypt(nonce, number.encode(), None)

    def decrypt(self, stored: bytes) -> str:
        """Raises InvalidTag for what lies under none of the keys."""
        *others, last = self._ciphers
        for cipher in others:
            with suppress(InvalidTag):
                return cipher.decrypt(stored[:12], stored[12:], None).decode()
        return last.decrypt(stored[:12], stored[12:], None).decode()

    def is_current(self, stored: bytes) -> bool:
        """Whether it lies under the key that is written with."""
        try:
            self._ciphers[0].decrypt(stored[:12], stored[12:], None)
        except InvalidTag:
            return False
        return True

    def fingerprint(self, number: str) -> str:
        """What is stored for the database to be searched by."""
        return _keyed(self._look_ups[0], number)

    def fingerprints(self, number: str) -> list[str]:
        """All that may be stored of it: more than one while a key is being replaced."""
        return [_keyed(key, number) for key in self._look_ups]

    def lasting(self, text: str) -> str:
        """A keyed hash that no change of the key changes: for what stands in documents that people hold."""
        return _keyed(self._lasting, text)


def look_up_key(key: bytes) -> bytes:
    return hashlib.sha256(b"identity/look-up" + key).digest()


def _keyed(key: bytes, text: str) -> str:
    return hmac.new(key, text.encode(), "sha256").hexdigest()

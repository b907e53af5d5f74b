"""Certificate numbers (证书编号): one letter and 21 digits. Pure.

======== ======= ===================================================
place    length  meaning
======== ======= ===================================================
1        1       kind of assessing body (评价机构类别)
2-5      4       code of the body, 0000 when filed with the province
6-7      2       province
8-13     6       serial code of the body (机构序列码)
14-15    2       year of issue, last two digits
16       1       level, 5 (五级/初级工) to 1 (一级/高级技师)
17-22    6       serial by prefix, year and level, from 000001
======== ======= ===================================================

The first thirteen are the prefix that the office assigns to a body; the letter for technical schools is not known here
and never guessed. A number is never used twice, not even that of a revoked certificate.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

LAST_SERIAL = 999_999
PREFIX = re.compile(r"[A-Z][0-9]{12}")
NUMBER = re.compile(r"([A-Z][0-9]{12})([0-9]{2})([1-5])([0-9]{6})")


@dataclass(frozen=True)
class CertificateNumber:
    """One number in its parts. Raises ValueError for parts that make no number."""

    prefix: str
    year: int
    level: int
    serial: int

    def __post_init__(self) -> None:
        if not (is_prefix(self.prefix) and 2000 <= self.year <= 2099 and 1 <= self.level <= 5
                and 1 <= self.serial <= LAST_SERIAL):
            raise ValueError(f"no certificate number: {self.prefix!r}, {self.year}, {self.level}, {self.serial}")

    def __str__(self) -> str:
        return f"{stem(self.prefix, self.year, self.level)}{self.serial:06d}"


def is_prefix(text: str) -> bool:
    """Whether ``text`` has the form of an assigned prefix: a letter and twelve digits."""
    return PREFIX.fullmatch(text) is not None


def province_of(prefix: str) -> str:
    """The two digits of the province, as in region codes: 43 is Hunan."""
    return prefix[5:7]


def stem(prefix: str, year: int, level: int) -> str:
    """The sixteen characters that all certificates of one prefix, year and level begin with."""
    return f"{prefix}{year % 100:02d}{level}"


def parse(text: str) -> CertificateNumber:
    """The parts of a number. Raises ValueError for anything that is not one."""
    found = NUMBER.fullmatch(text)
    if found is None:
        raise ValueError(f"not a certificate number: {text!r}")
    prefix, year, level, serial = found.groups()
    return CertificateNumber(prefix, 2000 + int(year), int(level), int(serial))


def following(existing: Iterable[str], prefix: str, year: int, level: int, count: int) -> list[CertificateNumber]:
    """The next ``count`` numbers after the ``existing`` ones (others than of this prefix, year and level do not count).

    Raises ValueError when the six digits of the serial are used up.
    """
    taken = [int(number[16:]) for number in existing if number[:16] == stem(prefix, year, level)]
    first = max(taken, default=0) + 1
    return [CertificateNumber(prefix, year, level, serial) for serial in range(first, first + count)]

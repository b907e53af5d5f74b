"""Writing made comparable: full-width signs, control characters, empty space, codes. Pure."""

from __future__ import annotations

import re

# Only the full-width forms of ASCII. NFKC would also turn 10² into 102 and make two different items one.
HALF_WIDTH = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)} | {0x3000: 0x20, 0xA0: 0x20}
CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f\x7f\u200b-\u200f\u2028-\u202e\ufeff]")


def half_width(text: str) -> str:
    """Full-width letters, digits and signs as ASCII."""
    return text.translate(HALF_WIDTH)


def clean(text: str) -> str:
    """Without control characters, outer space and trailing space of lines."""
    lines = CONTROL.sub(lambda found: " " if found.group() in "\t\v\f" else "", text.replace("\r\n", "\n")).split("\n")
    return "\n".join(line.rstrip() for line in lines).strip(" \n\u3000\xa0")


def bare(text: str) -> str:
    """Text for comparison: no spaces, no full-width signs, no last full stop, no empty brackets at the end."""
    text = re.sub(r"\s", "", half_width(text)).translate(str.maketrans("“”‘’", "\"\"''"))
    return re.sub(r"(\(\)|[。.;:,!?])+$", "", text)


def path_of(text: str) -> str:
    """``b－a－c`` → ``B-A-C``. Joined codes stay joined: they cannot be told apart."""
    return re.sub(r"\s*[-—–－_./\\>→]+\s*", "-", half_width(text).strip()).strip("-").upper()


def segment_of(text: str) -> str:
    """``1`` → ``001``; anything but digits stays as it is."""
    text = half_width(text).strip()
    return text.zfill(3) if text.isdecimal() else text

"""Amounts in fen, whole numbers: ``"120.5"`` → 12050. Pure."""

from __future__ import annotations

import re

from qbank.kernel.refused import Refused

MOST_FEN = 10_000_000  # a hundred thousand yuan
TYPED = re.compile(r"(\d{1,6})(?:\.(\d{1,2}))?", re.ASCII)


def read(text: str, what: str, *, least: int = 0) -> int:
    """Yuan as typed, with at most two decimals. Refuses anything else, naming ``what``."""
    typed = TYPED.fullmatch(text.strip().replace("．", "."))
    fen = int(typed[1]) * 100 + int((typed[2] or "0").ljust(2, "0")) if typed else -1
    if not least <= fen <= MOST_FEN:
        raise Refused("not_money", f"“{what}”应填写金额（元，最多两位小数），{'大于 0，' if least else ''}现在是“{text.strip()[:20]}”。")
    return fen


def yuan(fen: int) -> str:
    """``12050`` → ``120.50``."""
    return f"{'-' if fen < 0 else ''}{abs(fen) // 100}.{abs(fen) % 100:02d}"

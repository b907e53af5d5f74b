"""The numbers printed on blank certificates: runs of them, from the first to the last. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable

MOST = 10_000  # blanks in one run
PRINTED = re.compile(r"([0-9A-Z-]*?)([0-9]{1,15})")


def run(first: str, last: str) -> list[str]:
    """Every number from ``first`` to ``last``, which differ in their last digits only. Raises ValueError otherwise."""
    start, end = _parts(first), _parts(last or first)
    if start[0] != end[0] or len(start[1]) != len(end[1]):
        raise ValueError("起号和止号除末尾的数字外应当一样长、一样写")
    low, high = int(start[1]), int(end[1])
    if high < low:
        raise ValueError("止号比起号小")
    if high - low >= MOST:
        raise ValueError(f"一次最多 {MOST} 份，请分几次登记")
    return [f"{start[0]}{number:0{len(start[1])}d}" for number in range(low, high + 1)]


def told(numbers: Iterable[str]) -> list[str]:
    """The numbers as runs, shortest telling: ``N0001—N0003（3 份）``."""
    runs: list[list[str]] = []
    for number in sorted(numbers):
        if runs and run_after(runs[-1][-1]) == number:
            runs[-1].append(number)
        else:
            runs.append([number])
    return [one[0] if len(one) == 1 else f"{one[0]}—{one[-1]}（{len(one)} 份）" for one in runs]


def run_after(number: str) -> str:
    """The next number of the same length; "" after the last."""
    before, digits = _parts(number)
    following = f"{int(digits) + 1:0{len(digits)}d}"
    return before + following if len(following) == len(digits) else ""


def head(number: str) -> str:
    """What stands before the running digits."""
    return _parts(number)[0]


def _parts(number: str) -> tuple[str, str]:
    found = PRINTED.fullmatch("".join(number.split()).upper()[:40])
    if found is None or len(found.group(0)) > 30:
        raise ValueError("印刷号由字母、短横和数字组成，以数字结尾，不超过 30 位")
    before, digits = found.groups()
    return before, digits

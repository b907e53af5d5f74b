"""How an exact score becomes one that is shown (half-points). Pure.

Whatever the mode, rounding never lifts a score over the least that passes: 59.5, and a mean of 59.83, never become 60.
"""

from __future__ import annotations

from fractions import Fraction

HALF_UP, WHOLE_UP, HALF_DOWN, WHOLE_DOWN = 1, 2, 3, 4
MODES = {HALF_UP: "四舍五入到 0.5 分", WHOLE_UP: "四舍五入到整数分", HALF_DOWN: "舍去到 0.5 分", WHOLE_DOWN: "舍去到整数分"}
HALF = Fraction(1, 2)


def rounded(exact: Fraction | int, mode: int, least: int) -> int:
    """``exact`` and ``least`` in half-points → half-points on the grid of ``mode``.

    What lies below ``least`` stays below it. Raises ValueError for an unknown mode.
    """
    if mode not in MODES:
        raise ValueError(f"unknown rounding {mode!r}")
    step = 2 if mode in (WHOLE_UP, WHOLE_DOWN) else 1
    steps = Fraction(exact) / step
    up = mode in (HALF_UP, WHOLE_UP)
    found = int((steps + HALF if up else steps) // 1) * step
    if exact < least <= found:
        found -= step
    return found

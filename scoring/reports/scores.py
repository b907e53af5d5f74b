"""How scores are distributed: bands in which the pass line is a border, and the usual figures. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from scoring.reports.rates import Line

BAND = 10  # half-points: five points, so that 59.5 and 60 lie in different bands
BANDS = 20
NEAR = 10  # half-points below the line: who is short of it by no more than five points


@dataclass(frozen=True)
class Spread:
    """In points of 100. ``sd`` None for one score, everything None for none."""

    n: int
    mean: float | None
    sd: float | None
    quartiles: tuple[float, float, float] | None
    lowest: float | None
    highest: float | None
    below: int  # the line
    near: int  # below it by no more than five points


def scores(lines: Sequence[Line], part: str) -> list[int]:
    """The half-points that there are."""
    return [score for line in lines if (score := line.scores.get(part)) is not None]


def bands(found: Sequence[int]) -> list[int]:
    """How many scores lie in each band of five points; the last band takes 100 in."""
    counted = np.bincount([min(score // BAND, BANDS - 1) for score in found], minlength=BANDS) if found else np.zeros(BANDS, dtype=int)
    return [int(count) for count in counted]


def label(band: int) -> str:
    """``55–59.5``."""
    return f"{band * 5}–100" if band == BANDS - 1 else f"{band * 5}–{band * 5 + 4.5:g}"


def spread(found: Sequence[int], least: int) -> Spread:
    if not found:
        return Spread(0, None, None, None, None, None, 0, 0)
    values = np.array(found, dtype=float) / 2
    low, middle, high = (float(value) for value in np.percentile(values, (25, 50, 75)))
    return Spread(len(found), float(values.mean()), float(values.std(ddof=1)) if len(found) > 1 else None, (low, middle, high),
                  float(values.min()), float(values.max()), sum(score < least for score in found),
                  sum(least - NEAR <= score < least for score in found))

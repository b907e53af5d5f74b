"""Linking: putting a new calibration onto the bank's scale through common items (anchors). Pure.

A scale of ability is free up to a linear change. Two calibrations that share items are put onto one scale by the
constants of θ_bank = A θ_new + B; the parameters follow with a_bank = a_new / A, b_bank = A b_new + B, c unchanged
(Kolen & Brennan 2014, Test Equating, Scaling, and Linking, 3rd ed., section 6.2). Everything here is in the logistic
metric (D = 1).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import numpy as np
import numpy.typing as npt
from scipy import optimize, special, stats

Floats: TypeAlias = npt.NDArray[np.float64]
Method: TypeAlias = Literal["stocking-lord", "haebara", "mean-sigma", "mean-mean"]
METHODS: tuple[Method, ...] = ("stocking-lord", "haebara", "mean-sigma", "mean-mean")
LEAST_ANCHORS = 2


@dataclass(frozen=True)
class AnchorDrift:
    """How far one anchor stands from where the link puts it.

    ``distance`` is the root mean squared difference of its two trace lines over the ability distribution, in
    probability; ``difficulty_shift`` = A b_new + B - b_bank (negative: it became easier, as a leaked item does);
    ``slope_ratio`` = (a_new / A) / a_bank; ``robust_z`` the shift in robust standard deviations of all anchors' shifts
    (median and 0.74 × interquartile range: Huynh & Meyer 2010, Practical Assessment 15(2)), NaN without spread.
    """

    index: int
    distance: float
    difficulty_shift: float
    slope_ratio: float
    robust_z: float
    drifts: bool


@dataclass(frozen=True)
class Link:
    """θ_bank = ``slope`` θ_new + ``intercept``. ``criterion``: the least value of what the method minimises, NaN for the
    moment methods. ``used`` are the anchors (positions in what was given) that the constants rest on."""

    slope: float
    intercept: float
    method: Method
    criterion: float
    used: tuple[int, ...]
    anchors: tuple[AnchorDrift, ...]

    def ability(self, theta: npt.ArrayLike) -> Floats:
        """Abilities of the new scale on the bank's."""
        return self.slope * np.asarray(theta, dtype=float) + self.intercept

    def parameters(self, a: npt.ArrayLike, b: npt.ArrayLike) -> tuple[Floats, Floats]:
        """Slopes and difficulties of the new scale on the bank's; the lower asymptote does not change."""
        return np.asarray(a, dtype=float) / self.slope, self.slope * np.asarray(b, dtype=float) + self.intercept


@dataclass(frozen=True)
class _Curves:
    """Parameters of the anchors, each (anchors,)."""

    a: Floats
    b: Floats
    c: Floats

    def at(self, theta: Floats, slope: float = 1.0, intercept: float = 0.0) -> Floats:
        """P(right) as (anchors, nodes), after the change of scale."""
        a, b = self.a / slope, slope * self.b + intercept
        return self.c[:, None] + (1 - self.c[:, None]) * special.expit(a[:, None] * (theta - b[:, None]))

    def take(self, chosen: npt.NDArray[np.bool_]) -> _Curves:
        return _Curves(self.a[chosen], self.b[chosen], self.c[chosen])


def link(new: Any, bank: Any, method: Method = "stocking-lord", *, nodes: npt.ArrayLike | None = None,
         weights: npt.ArrayLike | None = None, symmetric: bool = False, distance_limit: float = 0.1,
         drop_drifting: bool = False) -> Link:
    """The constants that put ``new`` onto the scale of ``bank``, with a report for each anchor.

    ``new`` and ``bank`` hold the same items in the same order: anything with ``a``, ``b`` and perhaps ``c`` (a
    Calibration, a DataFrame), or an array (anchors, 2 or 3). Stocking & Lord (1983, Applied Psychological Measurement 7,
    201-210) matches the test characteristic curves, Haebara (1980, Japanese Psychological Research 22, 144-149) the
    trace lines one by one, over ``nodes`` of the bank's scale with ``weights`` (41 from -4 to 4, standard normal);
    ``symmetric`` adds the same match on the new scale. "mean-sigma" is Marco (1977), "mean-mean" Loyd & Hoover (1980).
    ``drop_drifting`` leaves out the worst anchor whose ``distance`` is above ``distance_limit``, one after another,
    and links again; fewer than half of the anchors are never left. ValueError for fewer than two usable anchors,
    unknown methods, or a scale turned round.
    """
    if method not in METHODS:
        raise ValueError(f"unknown method {method!r}; one of {', '.join(METHODS)}")
    first, second = _curves(new), _curves(bank)
    if first.a.shape != second.a.shape:
        raise ValueError(f"{first.a.size} new anchors and {second.a.size} of the bank")
    theta, weight = _grid(nodes, weights)
    usable = np.isfinite(first.a + first.b + first.c + second.a + second.b + second.c) & (first.a > 0) & (second.a > 0)
    chosen = usable.copy()
    while True:
        if chosen.sum() < LEAST_ANCHORS:
            raise ValueError("a link needs at least two anchors with finite parameters and positive slopes")
        slope, intercept, criterion = _constants(first.take(chosen), second.take(chosen), method, theta, weight, symmetric)
        drift = _drift(first, second, slope, intercept, theta, weight, distance_limit)
        distances = np.array([one.distance if chosen[one.index] else -1.0 for one in drift])
        worst = int(np.argmax(distances))
        if not drop_drifting or distances[worst] <= distance_limit or chosen.sum() - 1 < usable.sum() / 2:
            return Link(slope, intercept, method, criterion, tuple(np.flatnonzero(chosen).tolist()), drift)
        chosen[worst] = False


def _curves(given: Any) -> _Curves:
    if hasattr(given, "a") and hasattr(given, "b"):
        columns = [given.a, given.b, getattr(given, "c", None)]
    else:
        table = np.asarray(given, dtype=float)
        if table.ndim != 2 or table.shape[1] not in {2, 3}:
            raise ValueError("parameters must have a, b and perhaps c, or be an array of two or three columns")
        columns = [*table.T, None][:3]
    a = np.atleast_1d(np.asarray(columns[0], dtype=float))
    c = np.zeros_like(a) if columns[2] is None else np.nan_to_num(np.atleast_1d(np.asarray(columns[2], dtype=float)))
    return _Curves(a, np.atleast_1d(np.asarray(columns[1], dtype=float)), c)


def _grid(nodes: npt.ArrayLike | None, weights: npt.ArrayLike | None) -> tuple[Floats, Floats]:
    theta = np.linspace(-4, 4, 41) if nodes is None else np.asarray(nodes, dtype=float)
    weight = stats.norm.pdf(theta) if weights is None else np.asarray(weights, dtype=float)
    if weight.shape != theta.shape or (weight < 0).any() or not weight.sum() > 0:
        raise ValueError("weights must be as many as nodes, not negative, and not all zero")
    return theta, weight / weight.sum()


def _constants(new: _Curves, bank: _Curves, method: Method, theta: Floats, weight: Floats,
               symmetric: bool) -> tuple[float, float, float]:
    start = _moments(new, bank, method)
    if method in {"mean-sigma", "mean-mean"}:
        return *start, float("nan")
    root, whole = np.sqrt(weight), method == "stocking-lord"

    def residuals(constants: Floats) -> Floats:
        slope, intercept = float(constants[0]), float(constants[1])
        gaps = [new.at(theta, slope, intercept) - bank.at(theta)]
        if symmetric:
            gaps.append(new.at(theta) - bank.at(theta, 1 / slope, -intercept / slope))
        return np.concatenate([((gap.sum(axis=0) if whole else gap) * root).ravel() for gap in gaps])

    found = optimize.least_squares(residuals, start, jac="3-point", bounds=([1e-3, -np.inf], np.inf),
                                   xtol=1e-14, ftol=1e-14, gtol=1e-14)
    return float(found.x[0]), float(found.x[1]), float(2 * found.cost)


def _moments(new: _Curves, bank: _Curves, method: Method) -> tuple[float, float]:
    """The moment methods, which also start the others."""
    spreads = float(new.b.std()), float(bank.b.std())
    if min(spreads) > 0 and method != "mean-mean":
        slope = spreads[1] / spreads[0]
    elif method == "mean-sigma":
        raise ValueError("the anchors of one side have all the same difficulty: mean-sigma has no slope; use mean-mean")
    else:
        slope = float(new.a.mean() / bank.a.mean())
    return slope, float(bank.b.mean() - slope * new.b.mean())


def _drift(new: _Curves, bank: _Curves, slope: float, intercept: float, theta: Floats, weight: Floats,
           limit: float) -> tuple[AnchorDrift, ...]:
    gap = new.at(theta, slope, intercept) - bank.at(theta)
    distance = np.sqrt((gap**2 * weight).sum(axis=1))
    shift = slope * new.b + intercept - bank.b
    known = shift[np.isfinite(shift)]
    spread = 0.74 * float(stats.iqr(known)) if known.size else 0.0
    robust = (shift - np.median(known)) / spread if spread > 0 else np.full_like(shift, np.nan)
    ratios: Sequence[float] = np.divide(new.a / slope, bank.a, out=np.full_like(bank.a, np.nan), where=bank.a != 0).tolist()
    return tuple(AnchorDrift(index, float(distance[index]), float(shift[index]), ratios[index], float(robust[index]),
                             bool(distance[index] > limit)) for index in range(shift.size))

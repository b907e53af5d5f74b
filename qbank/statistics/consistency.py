"""Would the same person pass again, and is the verdict true? Consistency and accuracy of decisions at the cut. Pure.

Three models, one door, :func:`decision_consistency`. Every number carries its n and an interval; below the minimum n, or
where a model cannot be fitted, everything is NaN and ``reason`` says why.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import astuple, dataclass
from typing import Any, Literal, TypeAlias

import numpy as np
import numpy.typing as npt
from scipy import stats

from qbank.statistics.consistency_models import NOTHING, Fitted, Indices, huynh, lee_conditional, livingston_lewis
from qbank.statistics.presented import presented
from qbank.statistics.reliability import kr21
from qbank.statistics.responses import NotReached
from qbank.statistics.score_distribution import right_probabilities

Floats = npt.NDArray[np.float64]
Method: TypeAlias = Literal["livingston-lewis", "huynh", "lee"]
Rounding: TypeAlias = Literal["nearest", "floor", "ceiling"]
Curves: TypeAlias = npt.ArrayLike | Sequence[npt.ArrayLike]


@dataclass(frozen=True)
class DecisionConsistency:
    """``estimate`` with ``low`` and ``high``, the interval of every index; ``n`` persons; ``items`` of the form (greatest
    score); ``cut`` the share that passes; ``reliability`` that was used; ``model`` what was fitted to the true scores and
    ``effective_length`` of the test under it; ``reason`` why there is nothing, else ""."""

    method: str
    n: int
    items: float
    cut: float
    estimate: Indices
    low: Indices
    high: Indices
    reliability: float = float("nan")
    effective_length: float = float("nan")
    model: str = ""
    reason: str = ""

    @property
    def consistency(self) -> float:
        """P(the same decision on two forms)."""
        return self.estimate.consistency

    @property
    def kappa(self) -> float:
        """The same, corrected for chance (Cohen)."""
        return self.estimate.kappa

    @property
    def accuracy(self) -> float:
        """P(the decision is the one that the true score deserves)."""
        return self.estimate.accuracy


def decision_consistency(responses: Any = None, *, cut: float = 0.6, method: Method = "livingston-lewis",
                         totals: npt.ArrayLike | None = None, maximum: float | None = None, lowest: float = 0.0,
                         reliability: float | None = None, parameters: int = 4, rounding: Rounding = "nearest",
                         a: npt.ArrayLike | None = None, b: npt.ArrayLike | None = None, c: npt.ArrayLike = 0.0,
                         theta: npt.ArrayLike | None = None, weights: npt.ArrayLike | None = None,
                         probabilities: Curves | None = None, n: int | None = None, minimum: int = 30,
                         replicates: int = 200, seed: int = 0, level: float = 0.95,
                         not_reached: NotReached = "not presented") -> DecisionConsistency:
    """Decision consistency and accuracy of one form; ``cut`` is the share of the greatest score that passes.

    "livingston-lewis" and "huynh" take ``responses``, of which persons who were given every item count, or ``totals``
    (persons,) with the ``maximum`` and, for the first, ``lowest`` and ``reliability``: see :func:`from_scores`. "lee" takes
    item parameters ``a``, ``b``, ``c`` (items,) on the logistic metric, or ``probabilities`` at the nodes, and ``theta``:
    the persons' abilities (the P method), or with ``weights`` quadrature nodes of ``n`` persons (the D method): see
    :func:`from_curves`. ValueError when an argument of the method is missing or does not fit.
    """
    if not 0 < cut < 1:
        raise ValueError("the cut is a share of the greatest score, inside (0, 1)")
    if method == "lee":
        return from_curves(_curves(probabilities, theta, a, b, c), theta=theta, weights=weights, n=n, cut=cut,
                           minimum=minimum, level=level)
    if method not in ("livingston-lewis", "huynh"):
        raise ValueError(f"method is 'livingston-lewis', 'huynh' or 'lee', not {method!r}")
    sample = _sample(responses, totals, maximum, lowest, reliability, method, not_reached)
    return from_scores(sample, method, cut=cut, parameters=parameters, rounding=rounding, minimum=minimum,
                       replicates=replicates, seed=seed, level=level)


def from_scores(sample: Sample, method: Method, *, cut: float, parameters: int, rounding: Rounding, minimum: int,
                replicates: int, seed: int, level: float) -> DecisionConsistency:
    """Livingston and Lewis (1995, Journal of Educational Measurement 32, 179-197; moments and consistency after Hanson
    1991), or Huynh (1976, same journal 13, 253-264).

    The reliability is the one given, else KR-20 or alpha for the first and KR-21 for the second (always where only totals
    are known). ``parameters`` of the beta distribution of true scores: 4, which falls back to 2 where inadmissible.
    ``rounding`` of the cut on the effective length. Interval: percentiles of ``replicates`` bootstrap samples of persons
    drawn with ``seed``; a reliability that was given stays fixed in them.
    """
    def fit(scores: Floats, frequencies: Floats, coefficient: float) -> Fitted:
        if method == "huynh":
            return huynh(scores, frequencies, sample.maximum, coefficient, cut)
        return livingston_lewis(scores, frequencies, sample.maximum, sample.lowest, coefficient, cut, parameters, rounding)

    if len(sample.totals) < max(minimum, 2):
        return _nothing(method, sample, cut, f"n = {len(sample.totals)} is below {max(minimum, 2)}")
    coefficient = sample.reliability(None)
    values, place = np.unique(sample.totals, return_inverse=True)
    found = fit(values, np.bincount(place).astype(np.float64), coefficient)
    if found.reason:
        return _nothing(method, sample, cut, found.reason)
    low, high = _bootstrap(sample, fit, replicates, seed, level)
    return DecisionConsistency(method, len(sample.totals), sample.maximum, cut, found.indices, low, high, coefficient,
                               found.length, found.model)


@dataclass(frozen=True)
class Sample:
    """``totals`` (persons,) between ``lowest`` and ``maximum``, and the reliability under person weights (None: one each)."""

    totals: Floats
    lowest: float
    maximum: float
    reliability: Callable[[Floats | None], float]


def _sample(responses: Any, totals: npt.ArrayLike | None, maximum: float | None, lowest: float,
            reliability: float | None, method: str, not_reached: NotReached) -> Sample:
    if (responses is None) == (totals is None):
        raise ValueError("give either responses or totals")
    if totals is not None:
        if maximum is None or (method == "livingston-lewis" and reliability is None):
            raise ValueError("totals need the maximum, and Livingston and Lewis's method the reliability")
        scores, greatest, whole = np.asarray(totals, dtype=np.float64), float(maximum), None
    else:
        found = presented(responses, not_reached)
        whole = found.values if found.given is None else found.values[found.given.all(axis=1)]
        scores = whole.sum(axis=1)
        greatest = float(maximum if maximum is not None else whole.shape[1] * (whole.max() if whole.size else 1))
    if scores.size and (scores.min() < lowest or scores.max() > greatest):
        raise ValueError(f"totals must lie between {lowest} and {greatest}")

    def coefficient(weights: Floats | None) -> float:
        if reliability is not None:
            return reliability
        if method == "huynh" or whole is None:
            mean = float(np.average(scores, weights=weights))
            return kr21(mean, float(np.average((scores - mean) ** 2, weights=weights)), int(greatest))
        return _alpha(whole, scores, weights)

    return Sample(scores, lowest, greatest, coefficient)


def _alpha(whole: Floats, totals: Floats, weights: Floats | None) -> float:
    share = np.full(len(whole), 1 / len(whole)) if weights is None else weights / weights.sum()
    items = whole.shape[1]
    mean = share @ totals
    variance = float(share @ (totals - mean) ** 2)
    square = share @ whole if whole.max() <= 1 else share @ whole**2
    if items < 2 or variance <= 1e-12:
        return float("nan")
    return float(items / (items - 1) * (1 - float((square - (share @ whole) ** 2).sum()) / variance))


def _bootstrap(sample: Sample, fit: Callable[[Floats, Floats, float], Fitted], replicates: int, seed: int,
               level: float) -> tuple[Indices, Indices]:
    """Percentile interval; samples in which the model cannot be fitted are left out, NaN when they are more than half."""
    draw, n = np.random.default_rng(seed), len(sample.totals)
    values, place = np.unique(sample.totals, return_inverse=True)
    drawn = []
    for _ in range(replicates):
        weights = np.bincount(draw.integers(0, n, n), minlength=n).astype(np.float64)
        fitted = fit(values, np.bincount(place, weights=weights).astype(np.float64), sample.reliability(weights))
        if not fitted.reason:
            drawn.append(astuple(fitted.indices))
    if len(drawn) < max(2, replicates / 2):
        return NOTHING, NOTHING
    low, high = np.quantile(np.array(drawn), [(1 - level) / 2, (1 + level) / 2], axis=0)
    return Indices(*low.tolist()), Indices(*high.tolist())


def _nothing(method: str, sample: Sample, cut: float, reason: str) -> DecisionConsistency:
    return DecisionConsistency(method, len(sample.totals), sample.maximum, cut, NOTHING, NOTHING, NOTHING, reason=reason)


def _curves(probabilities: Curves | None, theta: npt.ArrayLike | None, a: npt.ArrayLike | None, b: npt.ArrayLike | None,
            c: npt.ArrayLike) -> Curves:
    if probabilities is not None:
        return probabilities
    if theta is None or a is None or b is None:
        raise ValueError("Lee's method needs probabilities, or theta with a and b")
    return right_probabilities(theta, a, b, c)


def from_curves(curves: Curves, *, theta: npt.ArrayLike | None, weights: npt.ArrayLike | None, n: int | None, cut: float,
                minimum: int, level: float) -> DecisionConsistency:
    """Lee (2010), Journal of Educational Measurement 47, 1-17: indices at each node, averaged over the nodes.

    Interval: the delta method over persons; item parameters and abilities count as known.
    """
    conditional, greatest = lee_conditional(curves, cut)
    nodes = len(conditional)
    mass = np.full(nodes, 1 / nodes) if weights is None else np.asarray(weights, dtype=np.float64)
    if mass.shape != (nodes,) or mass.sum() <= 0 or (theta is not None and np.size(theta) != nodes):
        raise ValueError(f"theta and weights must be ({nodes},) as the probabilities are")
    persons = nodes if weights is None and n is None else (n or 0)
    if persons < minimum:
        reason = f"n = {persons} is below {minimum}" if persons else "n is needed where nodes stand for persons"
        return DecisionConsistency("lee", persons, greatest, cut, NOTHING, NOTHING, NOTHING, reason=reason)
    low, estimate, high = _delta_method(conditional, mass / mass.sum(), persons, level)
    return DecisionConsistency("lee", persons, greatest, cut, estimate, low, high, effective_length=greatest,
                               model="item response theory")


def _delta_method(conditional: Floats, mass: Floats, persons: int, level: float) -> tuple[Indices, Indices, Indices]:
    """Low, estimate and high from the four shares at each node, (nodes, 4)."""
    means = mass @ conditional
    spread = (conditional - means).T * mass @ (conditional - means) / persons
    estimate = np.array(astuple(Indices.of(*means.tolist())))
    steps = [np.array(astuple(Indices.of(*(means + 1e-6 * np.eye(4)[k]).tolist()))) for k in range(4)]
    slope = (np.stack(steps) - estimate) / 1e-6
    error = np.sqrt(np.maximum(np.einsum("ki,kl,li->i", slope, spread, slope), 0.0)) * stats.norm.ppf((1 + level) / 2)
    low, high = (np.clip(estimate + sign * error, 0.0, 1.0) for sign in (-1, 1))
    return Indices(*low.tolist()), Indices(*estimate.tolist()), Indices(*high.tolist())

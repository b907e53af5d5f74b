"""Calibration of items scored in steps, alone or beside items scored right or wrong. Pure.

Marginal maximum likelihood (Bock & Aitkin 1981, Psychometrika 46, 443-459) with θ standard normal: the marginal log
likelihood and its exact gradient (Fisher's identity: the expected complete-data gradient under the posterior) go to a
quasi-Newton method, all items at once. Standard errors come from the observed information, the derivative of that
gradient. Equal rows of responses are counted once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import numpy as np
from scipy import optimize, sparse
from scipy.special import logsumexp

from qbank.statistics.arrays import Flags, Floats, Integers
from qbank.statistics.priors import Priors
from qbank.statistics.responses import Responses, as_responses
from qbank.statistics.steps import TINY, StepModel, probabilities, slopes_of_log

PolytomousModel: TypeAlias = Literal["GRM", "GPCM", "PCM"]
REACH, FIRST_NODES, MOST_NODES = 6.0, 61, 961
GRADIENT_TOLERANCE = 1e-3  # of the marginal log likelihood, per parameter
SAME_FIT = 1e-4  # change of the log likelihood when the nodes are doubled
LEAST_STEP = 1e-6


@dataclass(frozen=True, eq=False)
class StepCalibration:
    """What was found for J items.

    ``a`` and ``se_a`` (J,); ``thresholds`` and ``se_thresholds``: one array (m_j,) an item, b_1..b_m; ``models`` one an
    item; ``n`` (J,) answers; ``reasons`` maps an item's position to why it has no parameters (they are NaN).
    ``gradient_norm`` is the largest component of the gradient of the log posterior by the free parameters.
    """

    models: tuple[StepModel, ...]
    a: Floats
    thresholds: tuple[Floats, ...]
    se_a: Floats
    se_thresholds: tuple[Floats, ...]
    n: Integers
    log_likelihood: float
    log_posterior: float  # without the constants of the priors
    gradient_norm: float
    iterations: int
    converged: bool
    nodes: int
    reasons: dict[int, str]

    def intercepts(self, item: int) -> Floats:
        """d_k = -a b_k of one item."""
        return np.asarray(-self.a[item] * self.thresholds[item])


@dataclass(frozen=True, eq=False)
class _Data:
    """Distinct rows as a sparse indicator (rows, all categories of all items) with their weights."""

    indicator: Any
    weights: Floats
    steps: Integers  # m_j of each item
    priors: Priors | None


class _Parameters:
    """The vector that the solver sees: for each item a, then d_1 and log(d_k - d_{k+1}) (GRM: the order of its
    intercepts cannot be lost) or d_1..d_m (GPCM). With a common slope it stands first, once."""

    def __init__(self, models: Sequence[StepModel], steps: Integers, common: bool) -> None:
        self.models, self.steps, self.common = models, steps, common
        widths = steps if common else steps + 1
        self.starts = int(common) + np.concatenate([[0], np.cumsum(widths)])
        self.size = int(self.starts[-1])

    def item(self, vector: Floats, j: int) -> tuple[float, Floats]:
        """Slope and intercepts of item ``j``."""
        own = vector[self.starts[j]:self.starts[j + 1]]
        a, rest = (float(vector[0]), own) if self.common else (float(own[0]), own[1:])
        if self.models[j] == "GPCM" or rest.size < 2:
            return a, np.asarray(rest)
        return a, np.asarray(rest[0] - np.concatenate([[0.0], np.cumsum(np.exp(np.minimum(rest[1:], 50)))]))

    def pull_back(self, vector: Floats, j: int, by_a: float, by_d: Floats, into: Floats) -> None:
        """Adds the gradient by (a, d) of item ``j`` to that by the vector."""
        low, high = self.starts[j], self.starts[j + 1]
        into[0 if self.common else low] += by_a
        first = low if self.common else low + 1
        if self.models[j] == "GPCM" or by_d.size < 2:
            into[first:high] += by_d
            return
        into[first] += by_d.sum()
        into[first + 1:high] -= np.exp(np.minimum(vector[first + 1:high], 50)) * np.cumsum(by_d[::-1])[::-1][1:]


def calibrate_steps(responses: Any, model: PolytomousModel | Sequence[StepModel] = "GRM", *, se: bool = True,
                    priors: Priors | None = None, max_iterations: int = 500) -> StepCalibration:
    """Calibrate items scored 0..m; m is each item's largest score, which must occur together with all below it.

    ``model`` is one for all items or one an item ("PCM" is the GPCM with one common slope). ``responses`` as
    :func:`as_responses` takes them, with weights; omitted is 0, not reached is not presented. An item that everybody
    answers alike, or with a score between that nobody has, gets NaN and a reason. ``priors`` of a and of each threshold
    (b); one number for all items: then the estimate is the posterior mode. ValueError for an unknown model or when nothing
    is left.
    """
    given = as_responses(responses).scored()
    scores = given.dense()
    models, common = _models(model, scores.shape[1])
    reasons = _reasons(scores)
    used = np.array([j for j in range(scores.shape[1]) if j not in reasons], dtype=np.int64)
    if not used.size:
        raise ValueError("no item can be calibrated: " + "; ".join(sorted(set(reasons.values()))))
    found = _data(scores[:, used], given, priors)
    layout = _Parameters([models[j] for j in used], found.steps, common)
    vector, gradient, turns, nodes = _fit(found, layout, max_iterations)
    values = -_minus_likelihood(vector, found, layout, nodes)[0], -_minus(vector, found, layout, nodes)[0]
    steepest = float(np.abs(gradient).max())
    errors = _standard_errors(found, layout, vector, nodes) if se else None
    return _calibration(scores, models, used, layout, vector, errors, reasons, values, steepest, turns, nodes)


def _models(model: PolytomousModel | Sequence[StepModel], items: int) -> tuple[list[StepModel], bool]:
    if isinstance(model, str):
        if model not in ("GRM", "GPCM", "PCM"):
            raise ValueError(f"unknown model {model!r}; one of GRM, GPCM, PCM, or a list of GRM and GPCM")
        return ["GRM" if model == "GRM" else "GPCM"] * items, model == "PCM"
    if len(model) != items or set(model) - {"GRM", "GPCM"}:
        raise ValueError(f"one of GRM and GPCM for each of the {items} items")
    return list(model), False


def _reasons(scores: Any) -> dict[int, str]:
    found = {}
    for j in range(scores.shape[1]):
        values = np.unique(scores[:, j][scores[:, j] >= 0])
        if values.size < 2:
            found[j] = "nobody answered it" if not values.size else "everybody has the same score"
        elif values.size != values.max() + 1:
            found[j] = "a score below the highest occurs nowhere: join the steps"
    return found


def _data(scores: Any, given: Responses, priors: Priors | None) -> _Data:
    some = (scores >= 0).any(axis=1)
    rows, place = np.unique(scores[some], axis=0, return_inverse=True)
    weights = np.bincount(place.ravel(), weights=None if given.weights is None else given.weights[some],
                          minlength=len(rows)).astype(np.float64)
    steps = rows.max(axis=0).astype(np.int64)
    offsets = np.concatenate([[0], np.cumsum(steps + 1)])
    who, item = np.nonzero(rows >= 0)
    columns = offsets[item] + rows[who, item]
    indicator = sparse.csr_array((np.ones(who.size), (who, columns)), shape=(len(rows), int(offsets[-1])))
    return _Data(indicator, weights, steps, priors)


def _grid(nodes: int) -> tuple[Floats, Floats]:
    theta = np.linspace(-REACH, REACH, nodes)
    log_weight = -0.5 * theta**2
    return theta, log_weight - logsumexp(log_weight)


def _minus(vector: Floats, data: _Data, layout: _Parameters, nodes: int) -> tuple[float, Floats]:
    """Minus the log posterior and its gradient: the marginal log likelihood, and the priors where there are any."""
    value, gradient = _minus_likelihood(vector, data, layout, nodes)
    if data.priors is None:
        return value, gradient
    for j in range(len(layout.models)):
        a, d = layout.item(vector, j)
        more, by_a, by_d = _log_prior(data.priors, a, d)
        value -= more
        layout.pull_back(vector, j, -by_a, -by_d, gradient)
    return value, gradient


def _log_prior(priors: Priors, a: float, d: Floats) -> tuple[float, float, Floats]:
    """log p(a) + sum of log p(b_k), up to constants, and its gradient by (a, d)."""
    value, by_a, by_d = 0.0, 0.0, np.zeros(d.size)
    if priors.a is not None:
        mean, sd = float(np.asarray(priors.a[1])), float(np.asarray(priors.a[2]))
        if priors.a[0] == "normal":
            value, by_a = -0.5 * ((a - mean) / sd) ** 2, -(a - mean) / sd**2
        else:
            safe = max(a, 1e-6)
            z = (np.log(safe) - mean) / sd
            value, by_a = float(-0.5 * z * z - np.log(safe)), float(-(1 + z / sd) / safe)
    if priors.b is not None:
        mean, sd = float(np.asarray(priors.b[1])), float(np.asarray(priors.b[2]))
        b = -d / a
        pull = -(b - mean) / sd**2
        value, by_a, by_d = value + float(-0.5 * (((b - mean) / sd) ** 2).sum()), by_a + float(pull @ d) / a**2, -pull / a
    return value, by_a, by_d


def _minus_likelihood(vector: Floats, data: _Data, layout: _Parameters, nodes: int) -> tuple[float, Floats]:
    theta, log_weight = _grid(nodes)
    items = [layout.item(vector, j) for j in range(len(layout.models))]
    lines = np.concatenate([probabilities(model, a, d, theta) for model, (a, d) in zip(layout.models, items, strict=True)])
    joint = data.indicator @ np.log(np.maximum(lines, TINY)) + log_weight
    total = logsumexp(joint, axis=1, keepdims=True)
    expected = data.indicator.T @ (np.exp(joint - total) * data.weights[:, None])
    gradient, low = np.zeros(layout.size), 0
    for j, (a, d) in enumerate(items):
        by = slopes_of_log(layout.models[j], a, d, theta)
        sums = (by * expected[low:low + d.size + 1]).sum(axis=(1, 2))
        layout.pull_back(vector, j, float(sums[0]), sums[1:], gradient)
        low += d.size + 1
    return float(-(data.weights * total[:, 0]).sum()), -gradient


def _fit(data: _Data, layout: _Parameters, most: int) -> tuple[Floats, Floats, int, int]:
    """Quasi-Newton on a grid that is doubled until the log likelihood no longer depends on it."""
    vector, turns, nodes = _start(data, layout), 0, FIRST_NODES
    while True:
        found = optimize.minimize(_minus, vector, (data, layout, nodes), method="BFGS", jac=True,
                                  options={"gtol": GRADIENT_TOLERANCE / 10, "maxiter": most})
        vector, turns = found.x, turns + int(found.nit)
        finer = 2 * nodes - 1
        value, gradient = _minus(vector, data, layout, finer)
        if abs(value - found.fun) < SAME_FIT or finer > MOST_NODES:
            return vector, gradient, turns, finer
        nodes = finer


def _start(data: _Data, layout: _Parameters) -> Floats:
    counts = data.indicator.T @ data.weights + 0.5
    vector, low = np.ones(layout.size), 0
    for j, m in enumerate(layout.steps):
        share = counts[low:low + m + 1]
        low += m + 1
        if layout.models[j] == "GPCM":
            inner = np.log(share[1:] / share[:-1])
        else:
            above = np.cumsum(share[::-1])[::-1][1:] / share.sum()
            d = 1.2 * np.log(above / (1 - above))
            inner = np.concatenate([d[:1], np.log(np.maximum(-np.diff(d), LEAST_STEP))])
        vector[layout.starts[j + 1] - m:layout.starts[j + 1]] = inner
    return vector


def _standard_errors(data: _Data, layout: _Parameters, vector: Floats, nodes: int) -> Floats | None:
    """Covariance of the vector: the inverse of the observed information, central differences of the exact gradient."""
    information = np.empty((layout.size, layout.size))
    for place in range(layout.size):
        step = np.zeros(layout.size)
        step[place] = 1e-4 * max(1.0, abs(vector[place]))
        up, down = (_minus(vector + sign * step, data, layout, nodes)[1] for sign in (1, -1))
        information[place] = (up - down) / (2 * step[place])
    information = (information + information.T) / 2
    try:
        np.linalg.cholesky(information)
    except np.linalg.LinAlgError:
        return None
    return np.asarray(np.linalg.inv(information))


def _jacobian(layout: _Parameters, vector: Floats, j: int) -> Floats:
    """Derivatives of (a, b_1..b_m) of item ``j`` by the vector, (1 + m, size), by the chain rule."""
    a, d = layout.item(vector, j)
    rows = np.zeros((1 + d.size, layout.size))
    layout.pull_back(vector, j, 1.0, np.zeros(d.size), rows[0])
    for k in range(d.size):
        unit = np.zeros(d.size)
        unit[k] = -1 / a
        layout.pull_back(vector, j, d[k] / a**2, unit, rows[1 + k])
    return rows


def _calibration(scores: Any, models: Sequence[StepModel], used: Integers, layout: _Parameters, vector: Floats,
                 covariance: Floats | None, reasons: dict[int, str], values: tuple[float, float], steepest: float, turns: int,
                 nodes: int) -> StepCalibration:
    items = scores.shape[1]
    a, se_a = np.full(items, np.nan), np.full(items, np.nan)
    most = [max(int(scores[:, j].max(initial=0)), 1) for j in range(items)]
    thresholds, errors = [np.full(m, np.nan) for m in most], [np.full(m, np.nan) for m in most]
    for place, j in enumerate(used):
        a[j], d = layout.item(vector, place)
        thresholds[j] = -d / a[j]
        if covariance is not None:
            rows = _jacobian(layout, vector, place)
            spread = np.sqrt(np.maximum(np.diag(rows @ covariance @ rows.T), 0.0))
            se_a[j], errors[j] = spread[0], spread[1:]
    presented: Flags = scores >= 0
    converged = steepest < GRADIENT_TOLERANCE * max(1.0, presented.sum() / 1000) and (nodes <= MOST_NODES)
    return StepCalibration(tuple(models), a, tuple(thresholds), se_a, tuple(errors), presented.sum(axis=0), *values,
                           steepest, turns, converged, nodes, reasons)

"""Differential item functioning by logistic regression: uniform, non-uniform and both. Pure.

Swaminathan and Rogers (1990), Journal of Educational Measurement 27, 361-370. Three nested models of a right answer:
ability; ability and group; ability, group and their product. Persons of one stratum and group are alike in all of them, so
each item is fitted on its counts, a few hundred cells instead of all persons, and all items take their Newton steps at once.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import special, stats

from qbank.statistics.responses import NotReached
from qbank.statistics.strata import Counts, counts, matching, strata, two_groups

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

ZUMBO_THOMAS = (0.13, 0.26)  # Zumbo and Thomas (1997): A below the first, C above the second
JODOIN_GIERL = (0.035, 0.070)  # Jodoin and Gierl (2001), Applied Measurement in Education 14, 329-349
_STEPS, _ENOUGH = 60, 1e-10


@dataclass(frozen=True)
class LogisticDif:
    """All (items,) but ``coefficients``. Likelihood-ratio chi-squares: ``uniform`` (1 degree of freedom: group),
    ``non_uniform`` (1: group x ability) and ``total`` (2), each with its p and its change of Nagelkerke's R2.
    ``zumbo_thomas`` and ``jodoin_gierl`` the effect class by the total change ("A" also where the test is not significant,
    "" where undefined). ``coefficients`` (items, 4) of constant, matching score, group (1 focal) and product.
    ``converged`` False, and everything NaN, where the likelihood has no maximum (all of one group right, for example).
    """

    uniform: Floats
    uniform_p: Floats
    uniform_r2: Floats
    non_uniform: Floats
    non_uniform_p: Floats
    non_uniform_r2: Floats
    total: Floats
    total_p: Floats
    total_r2: Floats
    zumbo_thomas: npt.NDArray[np.str_]
    jodoin_gierl: npt.NDArray[np.str_]
    coefficients: Floats
    converged: Flags
    n_reference: Floats
    n_focal: Floats


def logistic_dif(responses: Any, groups: npt.ArrayLike | None = None, *, focal: Any = 1, reference: Any = None,
                 level: float = 0.05, minimum: int = 1, not_reached: NotReached = "not presented") -> LogisticDif:
    """Logistic-regression DIF of all items. Arguments as :func:`qbank.statistics.dif.mantel_haenszel` takes them.

    The matching score is the number right on the own form, the studied item included; where persons were given different
    numbers of items it is the share right instead.
    """
    persons = two_groups(responses, groups, focal, reference, not_reached)
    total, given = matching(persons)
    score = total if (given == given[0]).all() else total / np.maximum(given, 1)
    counted = counts(persons, score, strata(persons, total, given))
    n_reference, n_focal = counted.reference.sum(axis=0), counted.focal.sum(axis=0)
    n, right, design, (centre, scale) = _cells(counted)
    fits = [_fit(design[:, :width], n, right) for width in (1, 2, 3, 4)]
    converged = np.logical_and.reduce([fit[2] for fit in fits]) & (n_reference >= minimum) & (n_focal >= minimum)
    likelihood = [np.where(converged, fit[1], np.nan) for fit in fits]
    r2 = [_nagelkerke(model, likelihood[0], n.sum(axis=0)) for model in likelihood]
    coefficients = np.where(converged[:, None], _unscaled(fits[3][0].T, centre, scale), np.nan)
    uniform, non_uniform, both = (_test(likelihood, r2, full, less) for full, less in ((2, 1), (3, 2), (3, 1)))
    significant = both[1] < level
    return LogisticDif(*uniform, *non_uniform, *both, zumbo_thomas=_class(both[2], significant, ZUMBO_THOMAS),
                       jodoin_gierl=_class(both[2], significant, JODOIN_GIERL), coefficients=coefficients,
                       converged=converged, n_reference=n_reference, n_focal=n_focal)


def _test(likelihood: list[Floats], r2: list[Floats], full: int, less: int) -> tuple[Floats, Floats, Floats]:
    """Chi-square, its p and the change of R2 from one model to a fuller one."""
    statistic = 2 * np.maximum(likelihood[full] - likelihood[less], 0.0)
    p_value = np.asarray(stats.chi2.sf(statistic, full - less), dtype=np.float64)
    return statistic, p_value, r2[full] - r2[less]


def _cells(c: Counts) -> tuple[Floats, Floats, Floats, tuple[float, float]]:
    """Persons and right answers (cells, items), the design (cells, 4), and how the matching score was standardised."""
    n, right = np.concatenate([c.reference, c.focal]), np.concatenate([c.reference_right, c.focal_right])
    size = np.asarray(n.max(axis=1))
    score = np.concatenate([c.matched, c.matched])
    centre = float(np.average(score, weights=size))
    scale = float(np.sqrt(np.average((score - centre) ** 2, weights=size))) or 1.0
    ability = (score - centre) / scale
    group = np.repeat([0.0, 1.0], len(c.matched))
    return n, right, np.column_stack([np.ones(len(score)), ability, group, group * ability]), (centre, scale)


def _fit(design: Floats, n: Floats, right: Floats) -> tuple[Floats, Floats, Flags]:
    """Maximum likelihood of all items: coefficients (width, items), log-likelihood (items,), converged (items,)."""
    width, items = design.shape[1], n.shape[1]
    products = (design[:, :, None] * design[:, None, :]).reshape(len(design), -1)
    found, moving = np.zeros((width, items)), np.ones(items, dtype=bool)
    for _ in range(_STEPS):
        expected = special.expit(design @ found[:, moving])
        gradient = design.T @ (right[:, moving] - n[:, moving] * expected)
        information = (products.T @ (n[:, moving] * expected * (1 - expected))).T.reshape(-1, width, width)
        # The smallest ridge keeps an item without one of the groups from stopping all others; it is told below.
        information += 1e-12 * np.eye(width)
        step = np.linalg.solve(information, gradient.T[:, :, None])[:, :, 0].T
        found[:, moving] += np.clip(step, -2.0, 2.0)
        settled = np.einsum("ij,ij->j", np.abs(step), np.abs(gradient)) < _ENOUGH
        moving[np.flatnonzero(moving)[settled]] = False
        if not moving.any():
            break
    linear = design @ found
    likelihood = (right * special.log_expit(linear) + (n - right) * special.log_expit(-linear)).sum(axis=0)
    return found, likelihood, ~moving & (np.abs(linear * (n > 0)).max(axis=0) < 30)


def _nagelkerke(model: Floats, null: Floats, n: Floats) -> Floats:
    """Nagelkerke (1991), Biometrika 78, 691-692: Cox and Snell's R2 over its greatest possible value."""
    per = 2 / np.maximum(n, 1)
    most = -np.expm1(null * per)
    return np.asarray(-np.expm1((null - model) * per) / np.where(most > 0, most, np.nan), dtype=np.float64)


def _unscaled(coefficients: Floats, centre: float, scale: float) -> Floats:
    """Back from the standardised matching score, (items, 4)."""
    constant, slope, group, product = coefficients.T
    slope, product = slope / scale, product / scale
    return np.column_stack([constant - slope * centre, slope, group - product * centre, product])


def _class(change: Floats, significant: Flags, borders: tuple[float, float]) -> npt.NDArray[np.str_]:
    sized = np.where(change > borders[1], "C", np.where(change >= borders[0], "B", "A"))
    return np.where(np.isnan(change), "", np.where(significant, sized, "A"))

"""From a fit to the :class:`Calibration` that is handed out. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.special import expit

from qbank.statistics.arrays import Flags, Floats, Integers
from qbank.statistics.calibration import Calibration
from qbank.statistics.engine.fitting import Fit, State
from qbank.statistics.engine.mstep import expected, group_gradient
from qbank.statistics.engine.parameters import Layout
from qbank.statistics.engine.persons import Tallies
from qbank.statistics.priors import Priors, terms

if TYPE_CHECKING:
    from qbank.statistics.irt import Case

UNDETERMINED = 100.0  # standard error of a slope beyond which the likelihood is flat but for rounding


def reported(found: Fit, case: Case, tallies: Tallies, *, model: str, labels: tuple[Any, ...],
             items: tuple[str, ...] | None) -> Calibration:
    """Parameters in (a, b, c), with errors, reasons and warnings."""
    state, layout = found.state, case.layout
    a, d, g = state.point.items.T
    b = -d / np.where(np.abs(a) < 1e-12, np.nan, a)
    c = expit(g)
    within = _covariances(found.covariance, layout.item_places, _jacobian(a, b, c))
    of_groups = _covariances(found.covariance, layout.group_places, _group_jacobian(state))
    silent = np.array(sorted(case.reasons), dtype=np.int64)
    for column in (a, b, c):
        column[silent] = np.nan
    errors = np.sqrt(np.diagonal(within, axis1=1, axis2=2)).copy()
    errors[layout.item_places < 0] = np.nan
    loose = errors[:, 0] > UNDETERMINED
    errors[loose] = np.nan
    # b moves with the slope alone where d is fixed: that is not an estimate of b.
    group_errors = np.sqrt(np.diagonal(of_groups, axis1=1, axis2=2)).copy()
    group_errors[layout.group_places < 0] = np.nan
    # A silent item's flat curve costs log 2 for each answer; at its own maximum it would cost nothing.
    gone = [place for place, why in case.reasons.items() if not why.startswith("the likelihood")]
    constant = float(tallies.n[gone].sum()) * np.log(2.0)
    return Calibration(
        model, a, b, c, errors[:, 0], errors[:, 1], errors[:, 2], state.sums.log_likelihood + constant,
        gradient_norm(state, layout, case.priors), found.iterations, found.converged, len(state.grid.nodes),
        state.log_posterior + constant, tallies.n, (model,) * len(a), case.anchored, within, groups=labels,
        means=state.point.groups[:, 0].copy(), sds=np.exp(state.point.groups[:, 1]), se_means=group_errors[:, 0],
        se_sds=group_errors[:, 1], items=items, reasons=dict(case.reasons), warnings=_warnings(found, case, items, a, errors[:, 0], loose),
        parameters=layout.size)


def gradient_norm(state: State, layout: Layout, priors: Priors | None) -> float:
    """Of the log posterior by the free a, b, c, means and standard deviations."""
    a, d, g = state.point.items.T
    by = expected(state.sums, state.point.items, state.grid, terms(priors, state.point.items)).gradient
    c = expit(g)
    with np.errstate(divide="ignore", invalid="ignore"):
        # d = -a b: with b held, a moves d as well.
        by_items = np.stack([by[:, 0] + by[:, 1] * np.where(a == 0, 0.0, d / a), -a * by[:, 1], by[:, 2] / (c * (1 - c))], axis=1)
    by_groups = group_gradient(state.sums, state.point, state.grid)
    by_groups[:, 1] /= np.exp(state.point.groups[:, 1])
    return float(np.linalg.norm(layout.collect(by_items, by_groups)))


def _jacobian(a: Floats, b: Floats, c: Floats) -> Floats:
    """Of (a, b, c) by (a, d, g), (items, 3, 3)."""
    found = np.zeros((len(a), 3, 3))
    safe = np.where(np.abs(a) < 1e-12, np.nan, a)
    found[:, 0, 0], found[:, 1, 0], found[:, 1, 1] = 1.0, -b / safe, -1 / safe
    found[:, 2, 2] = c * (1 - c)
    return found


def _group_jacobian(state: State) -> Floats:
    found = np.zeros((len(state.point.groups), 2, 2))
    found[:, 0, 0], found[:, 1, 1] = 1.0, np.exp(state.point.groups[:, 1])
    return found


def _covariances(covariance: Floats | None, places: Integers, jacobian: Floats) -> Floats:
    """Of each row's own parameters, (n, p, p); what is fixed has none."""
    n, p = places.shape
    if covariance is None:
        return np.full((n, p, p), np.nan)
    padded = np.zeros((len(covariance) + 1, len(covariance) + 1))
    padded[:-1, :-1] = covariance  # -1 leads to the row of noughts
    own = padded[places[:, :, None], places[:, None, :]]
    return np.asarray(jacobian @ own @ jacobian.transpose(0, 2, 1))


def _warnings(found: Fit, case: Case, items: tuple[str, ...] | None, a: Floats, error: Floats,
              loose: Flags) -> tuple[str, ...]:
    def name(place: int) -> str:
        return items[place] if items is not None else str(place)

    notes = list(found.notes)
    notes += [f"item {name(place)}: {why}" for place, why in sorted(case.reasons.items())]
    if loose.any():
        notes.append("the data do not determine the slopes of items " + ", ".join(name(int(place)) for place in np.flatnonzero(loose)))
    if case.unguessed:
        notes.append("guessing is 0, at its bound, for items " + ", ".join(name(place) for place in case.unguessed))
    # NaN compares as False: an item without parameters is no suspect.
    down = np.flatnonzero(a < np.where(np.isnan(error), 0.0, -2 * error))
    if len(down):
        notes.append("the slope is negative, suspect the key of items " + ", ".join(name(int(place)) for place in down))
    return tuple(notes)

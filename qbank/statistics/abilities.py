"""Abilities of persons with their standard errors: EAP, MAP and Warm's WLE. Pure.

EAP is the posterior mean and its standard deviation (Bock and Mislevy 1982, Applied Psychological Measurement 6, 431-444).
MAP is the posterior mode, with 1 / sqrt(information + 1 / variance of the prior). WLE maximises the likelihood weighted by
the root of the information (Warm 1989, Psychometrika 54, 427-450, equation 23): it needs no prior and is finite for
persons who got everything right or wrong; its error is 1 / sqrt(information).

Where nothing is guessed the answers act through the weighted score s = sum of a u alone, and the estimating equation is
h(theta) = s with one h for everybody who was given the same items: h is tabulated once and inverted by interpolation.
Elsewhere each person's own equation is tabulated in the neighbourhood of its root.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from qbank.statistics.arrays import Floats
from qbank.statistics.calibration import Calibration
from qbank.statistics.engine.blas import one_thread
from qbank.statistics.engine.blocks import Block, arrange
from qbank.statistics.engine.equations import Equation, root_by_person, root_by_score
from qbank.statistics.engine.estep import BlockTables, Tables
from qbank.statistics.engine.parameters import Point
from qbank.statistics.engine.quadrature import Grid, grid_for, largest_information
from qbank.statistics.irt import grouped
from qbank.statistics.responses import NotReached, as_responses
from qbank.statistics.step_calibration import ability_in_steps

METHODS = ("EAP", "MAP", "WLE")
FARTHEST = 10.0  # standard deviations of the prior on either side within which a WLE is looked for


@dataclass(frozen=True)
class Prior:
    """Of theta, by group: ``means`` and ``sds`` (groups,)."""

    means: Floats
    sds: Floats


@one_thread
def ability(calibration: Calibration, responses: Any, method: str = "EAP", *, groups: npt.ArrayLike | None = None,
            not_reached: NotReached = "not presented") -> tuple[Floats, Floats]:
    """theta and its standard error of each person, both (persons,).

    ``responses`` as :func:`responses.as_responses` takes them, items in the calibration's order; a person's group (labels
    of the calibration) gives the prior of EAP and MAP; without groups it is the first one's. Items without parameters do
    not count. A person who was given nothing has the prior's mean and standard deviation under EAP and MAP, and NaN under
    WLE; a WLE that lies beyond 10 standard deviations is NaN as well. ValueError for another number of items or an unknown
    group or method.
    """
    if method not in METHODS:
        raise ValueError(f"the method is one of {', '.join(METHODS)}, not {method!r}")
    data = as_responses(responses, groups=groups).scored(not_reached)
    if data.n_items != calibration.n_items:
        raise ValueError(f"responses to {data.n_items} items; {calibration.n_items} were calibrated")
    if calibration.thresholds is not None:
        return ability_in_steps(calibration, data.dense(), method)
    labels, members = grouped(data)
    prior = _priors(calibration, labels)
    point = Point(calibration.curve_parameters(), np.stack([prior.means, np.log(prior.sds)], axis=1))
    theta, error = np.full((2, data.persons), np.nan)
    if method != "WLE":
        place = np.zeros(data.persons, dtype=np.int64) if members is None else members
        theta, error = prior.means[place], prior.sds[place]
    blocks = arrange(data, members, keep_rows=True, by_score=False)
    grid = _grid(blocks, point) if method == "EAP" and blocks else None
    for block in blocks:
        rows: Any = slice(None) if block.rows is None else block.rows
        theta[rows], error[rows] = _expected(block, point, grid) if grid is not None else _rooted(block, point, method)
    return theta, error


def _priors(calibration: Calibration, labels: tuple[Any, ...]) -> Prior:
    if labels == (None,):
        return Prior(calibration.means[:1], calibration.sds[:1])
    try:
        places = [calibration.groups.index(label) for label in labels]
    except ValueError:
        raise ValueError(f"groups {labels} are not all among {calibration.groups}") from None
    return Prior(calibration.means[places], calibration.sds[places])


def _grid(blocks: list[Block], point: Point) -> Grid:
    reach = np.exp(point.groups[:, 1]) * 4
    theta = np.linspace(float((point.groups[:, 0] - reach).min()), float((point.groups[:, 0] + reach).max()), 49)
    return grid_for(largest_information(blocks, point, theta), theta, point).doubled()


def _expected(block: Block, point: Point, grid: Grid) -> tuple[Floats, Floats]:
    """Posterior means and standard deviations of a block's persons."""
    local = BlockTables(Tables.of(point, grid), block)
    if block.complete and local.log_odds is None:
        scores = np.concatenate([run.right @ local.items[:, 0] for run in block.runs()])
        return _expected_by_score(scores, local)
    theta, error = np.empty((2, block.persons))
    for start, run in zip(block.starts(), block.runs(), strict=True):
        found = local.posterior(run, np.array([0, len(grid.nodes)]))
        theta[start:start + run.persons], error[start:start + run.persons] = _moments(found.mass, found.total, grid.nodes)
    return theta, error


def _expected_by_score(scores: Floats, local: BlockTables) -> tuple[Floats, Floats]:
    """The weighted score says everything: persons in its order, each run on its own window of nodes."""
    order = np.argsort(scores)
    theta, error = np.empty((2, len(scores)))
    for start in range(0, len(scores), 1024):
        rows = order[start:start + 1024]
        low, high = local.window(scores[rows[[0, -1]]])
        nodes = local.nodes[low:high]
        mass = np.multiply.outer(nodes, scores[rows]) + local.base[low:high, None]
        mass = np.exp(mass - mass.max(axis=0))
        theta[rows], error[rows] = _moments(mass, mass.sum(axis=0), nodes)
    return theta, error


def _moments(mass: Floats, total: Floats, nodes: Floats) -> tuple[Floats, Floats]:
    means = nodes @ mass / total
    return means, np.sqrt(np.maximum((nodes * nodes) @ mass / total - means**2, 0.0))


def _rooted(block: Block, point: Point, method: str) -> tuple[Floats, Floats]:
    """Modes, or Warm's estimates, of a block's persons."""
    mean, sd = float(point.groups[block.group, 0]), float(np.exp(point.groups[block.group, 1]))
    items = point.items[block.items]
    at = Equation(items, (mean, sd) if method == "MAP" else None, mean - FARTHEST * sd, mean + FARTHEST * sd)
    plain = block.complete and not (items[:, 2] > -np.inf).any()
    theta, information = (root_by_score if plain else root_by_person)(block, at)
    with np.errstate(divide="ignore", invalid="ignore"):
        error = 1 / np.sqrt(information + (1 / sd**2 if method == "MAP" else 0.0))
    return np.where(np.isfinite(error), theta, np.nan), np.where(np.isfinite(error), error, np.nan)

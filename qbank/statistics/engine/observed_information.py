"""Observed information of the marginal likelihood: exact standard errors without one E-step for each parameter. Pure.

Louis (1982), Journal of the Royal Statistical Society B 44, 226-233: observed = complete - missing, and what is missing is
the sum over persons of the posterior covariance of the complete-data score. With polynomials h_1, h_2, ... orthonormal
under a person's posterior, the covariance of f and g is the sum over k of E(f h_k) E(g h_k) (Parseval). Scores are nearly
straight over the width of a posterior, so a few products (parameters x persons) (persons x parameters) do; they are added
until the next one no longer matters.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from qbank.statistics.arrays import Floats, Integers
from qbank.statistics.engine.blocks import Block, Run
from qbank.statistics.engine.curves import curves
from qbank.statistics.engine.estep import BlockTables, Posterior, Sums, Tables
from qbank.statistics.engine.mstep import complete_information
from qbank.statistics.engine.parameters import Layout, Point
from qbank.statistics.engine.quadrature import Grid
from qbank.statistics.priors import Priors, terms

# A term's share of what is missing, below which it is the last; each is 20 to 100 times smaller than the one before, on long
# tests, so what is left out is far below it.
NEGLIGIBLE, NEGLIGIBLE_LONG = 1e-6, 1e-3
MOST_TERMS = 24
SINGLE_FROM = 64  # parameters from which single precision pays: short tests lose the more digits and cost nothing


def observed(sums: Sums, missing: Floats, point: Point, layout: Layout, grid: Grid, priors: Priors | None) -> Floats:
    """Minus the Hessian of the log posterior by the free parameters. ``sums`` with ``right_at`` where items are guessed."""
    found = -missing
    blocks = complete_information(sums, point.items, grid, terms(priors, point.items))
    _add(found, layout.item_places, blocks)
    sd = np.exp(point.groups[:, 1:])
    z, total = (grid.nodes - point.groups[:, :1]) / sd, sums.groups.sum(axis=1)
    cross = 2 * (sums.groups * z / sd).sum(axis=1)
    spread = 2 * (sums.groups * z * z).sum(axis=1)
    groups = np.stack([np.stack([total / sd[:, 0] ** 2, cross], axis=1), np.stack([cross, spread], axis=1)], axis=1)
    _add(found, layout.group_places, groups)
    return found


def missing_information(blocks: Sequence[Block], point: Point, layout: Layout, grid: Grid) -> Floats:
    """Sum over persons of the posterior covariance of the score, (size, size) by the free parameters."""
    tables, found = Tables.of(point, grid), np.zeros((layout.size, layout.size))
    for block in blocks:
        local, scores = BlockTables(tables, block), _Scores(block, point, layout, grid)
        if not len(scores.places):
            continue
        own = _at_once(block, local, scores) if block.complete and scores.alpha is None else _by_terms(block, local, scores)
        if len(np.unique(scores.places)) == len(scores.places):
            found[np.ix_(scores.places, scores.places)] += own
        else:
            np.add.at(found, (scores.places[:, None], scores.places), own)
    return found


def _at_once(block: Block, local: BlockTables, scores: _Scores) -> Floats:
    """Everybody was given everything and nothing is guessed: exact, with one product items x persons x items.

    The score of a slope is u theta - beta(theta), of all others -beta or (u - beta): so the covariances of beta need the
    posterior mass alone, summed over persons as a matrix (nodes, nodes).
    """
    nodes, slopes = local.nodes, scores.slopes
    columns = scores.columns[:slopes]
    some: Any = slice(None) if slopes == len(block.items) else columns
    spread = np.zeros((len(nodes), len(nodes)))
    lean, squares = np.zeros((slopes, len(nodes))), np.zeros((slopes, slopes))
    for run in block.runs():
        found = local.posterior(run, np.array([0, len(nodes)]))
        window = slice(found.low, found.high)
        mass, theta = found.mass / found.total, nodes[window]
        weighted = mass if run.weights is None else mass * run.weights
        spread[window, window] -= weighted @ mass.T
        spread[range(found.low, found.high), range(found.low, found.high)] += weighted.sum(axis=1)
        centred = theta[:, None] - theta @ mass
        right = run.right[:, some]
        tilted = weighted * centred
        lean[:, window] += (tilted @ right).T
        variance = (tilted * centred).sum(axis=0)
        scaled = right * np.sqrt(np.maximum(variance, 0.0))[:, None]
        squares += scaled.T @ scaled
    own = scores.beta.T @ spread @ scores.beta
    cross = lean @ scores.beta
    own[:slopes] += cross
    own[:, :slopes] += cross.T
    own[:slopes, :slopes] += squares
    return np.asarray(own)


def _by_terms(block: Block, local: BlockTables, scores: _Scores) -> Floats:
    """The expansion of the module's heading."""
    own = np.zeros((len(scores.places), len(scores.places)))
    columns = scores.beta.astype(np.float32) if len(scores.places) >= SINGLE_FROM else scores.beta
    alpha = None if scores.alpha is None else scores.alpha.astype(columns.dtype)
    for run in block.runs():
        posterior = local.posterior(run, np.array([0, len(local.nodes)]))
        projected = list(_terms(run, posterior, scores, columns, alpha, local.nodes))
        if projected:
            stacked = np.concatenate(projected)
            own += stacked.T @ stacked
    return own


class _Scores:
    """Columns of the complete-data score, u_j alpha_m(theta) - beta_m(theta), of the parameters that are free.

    Kind after kind (a, d, g) of the block's items, then the group; ``places`` (P,) of the columns in the vector, all slopes
    at one where they are common. Without guessing alpha is theta for a slope and 1 for an intercept.
    """

    def __init__(self, block: Block, point: Point, layout: Layout, grid: Grid) -> None:
        items, places = point.items[block.items], layout.item_places[block.items]
        at = curves(grid.nodes, items)
        wrong, right = np.maximum(at.wrong, 1e-300), np.maximum(at.right, 1e-300)
        free = [np.flatnonzero(places[:, kind] >= 0) for kind in range(3)]
        self.columns = np.concatenate(free)  # of the answers that belong to each column
        self.slopes = len(free[0])
        group_free = layout.group_places[block.group] >= 0
        z = (grid.nodes - point.groups[block.group, 0]) / np.exp(point.groups[block.group, 1])
        by_group = np.stack([z / np.exp(point.groups[block.group, 1]), z * z - 1], axis=1)[:, group_free]
        of_items = [(at.slopes[kind] / wrong)[:, free[kind]] for kind in range(3)]
        self.beta = np.concatenate([-part for part in of_items] + [by_group], axis=1)  # with its sign
        self.alpha: Floats | None = None
        if (items[:, 2] > -np.inf).any():
            # 0 / 0 in the tails, where nobody is.
            alpha = [np.minimum(at.slopes[kind] / (right * wrong), 1e6)[:, free[kind]] for kind in range(3)]
            self.alpha = np.concatenate(alpha, axis=1)
        own = np.concatenate([places[free[kind], kind] for kind in range(3)])
        self.places = np.concatenate([own, layout.group_places[block.group][group_free]])

    def answers(self, run: Run, precision: Any) -> tuple[Any, Any]:
        """The run's answers and what was presented, one column for each column of the score that has an item."""
        wide = len(self.columns) if self.alpha is not None else self.slopes
        right, presented = run.right, run.presented
        if not isinstance(right, np.ndarray):
            right, presented = right.toarray(), presented.toarray()
        right = right[:, self.columns[:wide]].astype(precision)
        return right, None if presented is None else presented[:, self.columns].astype(precision)


def _terms(run: Run, posterior: Posterior, scores: _Scores, beta: Any, alpha: Any, nodes: Floats) -> Iterator[Any]:
    """E(score h_k) of a run's persons, (persons, P), for one k after the other until they are negligible."""
    theta = nodes[posterior.low:posterior.high]
    mass = posterior.mass / posterior.total
    root = np.ones(run.persons) if run.weights is None else np.sqrt(run.weights)
    enough = NEGLIGIBLE_LONG if len(scores.places) >= SINGLE_FROM else NEGLIGIBLE
    largest, answers, window = np.zeros(len(scores.places)), scores.answers(run, beta.dtype), slice(posterior.low, posterior.high)
    for term, (polynomial, spread) in enumerate(_polynomials(theta, mass)):
        # h_1 = (theta - mean) / sd: its product with theta is the standard deviation; of the others nought.
        tilt = (spread * root)[:, None].astype(beta.dtype) if term == 0 else None
        across = (mass * polynomial * root).T.astype(beta.dtype)
        columns = across @ beta[window]
        if answers[1] is not None:
            columns[:, :len(scores.columns)] *= answers[1]
        if alpha is not None:
            columns[:, :len(scores.columns)] += answers[0] * (across @ alpha[window])
        elif tilt is not None:
            columns[:, :scores.slopes] += answers[0] * tilt
        yield columns
        share = np.einsum("ip,ip->p", columns, columns)
        largest += share
        if (share <= enough * largest + 1e-14).all():
            return


def _polynomials(theta: Floats, mass: Floats) -> Iterator[tuple[Floats, Floats]]:
    """Orthonormal under each column of ``mass`` (w, persons), by Stieltjes' recurrence; with the norm of each."""
    before, now, norm = np.zeros_like(mass), np.ones_like(mass), np.zeros(mass.shape[1])
    for _ in range(min(MOST_TERMS, len(theta) - 1)):
        centre = theta @ (mass * now * now)
        following = (theta[:, None] - centre) * now - norm * before
        norm = np.sqrt((mass * following * following).sum(axis=0))
        if norm.max() < 1e-12:
            return
        before, now = now, following / np.maximum(norm, 1e-12)
        yield now, norm


def _add(matrix: Floats, places: Integers, blocks: Floats) -> None:
    """Add ``blocks`` (n, p, p) at ``places`` (n, p), leaving out what is fixed."""
    both = (places[:, :, None] >= 0) & (places[:, None, :] >= 0)
    rows = np.broadcast_to(places[:, :, None], both.shape)[both]
    columns = np.broadcast_to(places[:, None, :], both.shape)[both]
    np.add.at(matrix, (rows, columns), blocks[both])

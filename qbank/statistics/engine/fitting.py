"""Marginal maximum likelihood or posterior mode by accelerated EM, with the nodes checked at the end. Pure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from scipy.linalg import cho_factor, cho_solve
from scipy.special import expit

from qbank.statistics.arrays import Floats
from qbank.statistics.engine.acceleration import Anderson
from qbank.statistics.engine.estep import Sums
from qbank.statistics.engine.expansion import Expansion
from qbank.statistics.engine.mstep import bounded, expected, group_gradient, maximised
from qbank.statistics.engine.observed_information import observed
from qbank.statistics.engine.parameters import Layout, Point
from qbank.statistics.engine.persons import Persons
from qbank.statistics.engine.quadrature import Grid, grid_for
from qbank.statistics.priors import Priors, terms

MOST_DOUBLINGS = 4
SMALL = 40  # parameters up to which Newton's method ends the search: EM is slow on short tests, and it costs little there
NEAR = 0.1  # the move below which it begins
SINGULAR = 3e-5  # smallest pivot of the information's factor against the largest
SLACK = 1e-3  # of the log posterior: an accelerated step may lose as much
EARLY = 4.0  # times the tolerance, before the nodes are doubled
COARSE = np.linspace(-6.0, 6.0, 49)


Progress: TypeAlias = Callable[[int, float], None]  # the iteration, the largest move of a parameter


@dataclass(frozen=True, eq=False)
class Problem:
    """Persons, which parameters are free, and the priors. ``guessed``: some item is, so E-steps must be full."""

    persons: Persons
    layout: Layout
    priors: Priors | None
    guessed: bool


@dataclass(frozen=True, eq=False)
class State:
    """An E-step at a point and what follows from it; ``gradient`` of the log posterior by the free parameters."""

    point: Point
    grid: Grid
    sums: Sums
    gradient: Floats
    log_prior: float

    @property
    def log_posterior(self) -> float:
        return self.sums.log_likelihood + self.log_prior


@dataclass(frozen=True, eq=False)
class Fit:
    """``covariance`` (size, size) of the free parameters, None where it was not asked for or does not exist."""

    state: State
    iterations: int
    converged: bool
    covariance: Floats | None
    notes: tuple[str, ...]


def fit(problem: Problem, start: Point, *, tolerance: float, most: int, errors: bool, progress: Progress | None = None) -> Fit:
    """From ``start`` to the mode. ``tolerance`` bounds the last move of every parameter; ``progress`` is told each move."""
    search = _Search(problem, start, tolerance, most, progress)
    converged = search.run()
    notes = [] if converged else [f"not converged after {search.iterations} iterations"]
    covariance = None
    if errors:
        covariance = search.polished()
        if covariance is None:
            notes.append("the observed information is singular, the data do not determine all parameters: no standard errors")
    return Fit(search.state, search.iterations, converged, covariance, tuple(notes))


def assess(problem: Problem, point: Point, grid: Grid, *, full: bool = False) -> State:
    """The E-step at ``point``."""
    sums = problem.persons.sums(point, grid, full=full or problem.guessed)
    prior = terms(problem.priors, point.items)
    at = expected(sums, point.items, grid, prior)
    gradient = problem.layout.collect(at.gradient, group_gradient(sums, point, grid))
    used = (problem.layout.item_places >= 0).any(axis=1)
    return State(point, grid, sums, gradient, float(prior.value[used].sum()))


class _Search:
    """EM's run; ``state`` is the last accepted point."""

    def __init__(self, problem: Problem, start: Point, tolerance: float, most: int, progress: Progress | None) -> None:
        self.problem, self.tolerance, self.most, self.progress = problem, tolerance, most, progress
        self.iterations, self.doublings, self.trusted = 0, 0, False
        self.anderson = Anderson()
        self.expansion = Expansion(problem.persons.forms(), problem.layout, start)
        self.positive = problem.priors is not None and problem.priors.a is not None and problem.priors.a[0] == "lognormal"
        self.grid = self._grid(start)
        self.state = assess(problem, start, self.grid)

    def run(self) -> bool:
        """Whether it converged: no parameter moves more than the tolerance, on nodes that stood the check."""
        while self.iterations < self.most:
            self.iterations += 1
            after = self._em(self.state)
            proposal, plain = self._proposal(after)
            if self.progress is not None:
                self.progress(self.iterations, moved(self.state.point, proposal))
            enough = self.tolerance if self.doublings else EARLY * self.tolerance
            if not self.grid.covers(proposal):
                self.grid, self.doublings, self.trusted = self._grid(proposal), 0, False
                self.anderson.skip()
                self._go(proposal, None if plain else after)
            elif moved(self.state.point, proposal) >= enough:
                self._go(proposal, None if plain else after)
            elif self.trusted or self.doublings >= MOST_DOUBLINGS:
                self._go(proposal, None)
                return self.trusted
            else:
                self._double(after)
        return False

    def _go(self, proposal: Point, fallback: Point | None) -> None:
        """Accept ``proposal``, unless it is worse than where we stand and there is EM's own step to fall back on."""
        trial = assess(self.problem, proposal, self.grid)
        floor = self.state.log_posterior - max(SLACK, 1e-9 * abs(self.state.log_posterior))
        if fallback is not None and not trial.log_posterior >= floor:
            self.anderson.forget()
            self.iterations += 1
            trial = assess(self.problem, fallback, self.grid)
        self.state = trial

    def _double(self, after: Point) -> None:
        """Twice the nodes, at the same point: they are trusted if EM's next step is the same with either."""
        self.grid, self.doublings = self.grid.doubled(), self.doublings + 1
        self.anderson.skip()
        self.state = assess(self.problem, self.state.point, self.grid)
        self.trusted = moved(after, self._em(self.state)) < self.tolerance

    def polished(self) -> Floats | None:
        """One Newton step with the observed information, and the covariance matrix there."""
        found = self._newton()
        if found is None:
            return None
        covariance, trial = found
        if 0 < moved(self.state.point, trial) < 100 * self.tolerance:
            after = assess(self.problem, trial, self.grid)
            if after.log_posterior >= self.state.log_posterior - 1e-10 * abs(self.state.log_posterior):
                self.state = after
        return covariance

    def _newton(self) -> tuple[Floats, Point] | None:
        """The inverse of the observed information and where Newton's step leads; None where it is not positive definite."""
        layout, point = self.problem.layout, self.state.point
        missing = self.problem.persons.missing_information(point, layout, self.grid)
        matrix = observed(self.state.sums, missing, point, layout, self.grid, self.problem.priors)
        try:
            factor = cho_factor(matrix, lower=True)
        except np.linalg.LinAlgError:
            return None
        pivots = np.diag(factor[0])
        if len(pivots) and pivots.min() < SINGULAR * pivots.max():
            return None
        covariance = np.asarray(cho_solve(factor, np.eye(layout.size)))
        return covariance, layout.point(layout.vector(point) + covariance @ self.state.gradient)

    def _em(self, state: State) -> Point:
        layout = self.problem.layout
        after = maximised(state.sums, state.point, layout, self.grid, self.problem.priors)
        more = self.expansion.step(state.point, state.gradient, float(state.sums.groups[0].sum()),
                                   terms(self.problem.priors, state.point.items))
        vector = layout.vector(after) + more
        return bounded_point(layout.point(vector), state.point, positive=self.positive)

    def _proposal(self, after: Point) -> tuple[Point, bool]:
        layout = self.problem.layout
        x = layout.vector(self.state.point)
        step = layout.vector(after) - x
        found = layout.point(self.anderson.propose(x, step, self.state.gradient))
        plain = not self.anderson.differences
        if layout.size <= SMALL and moved(self.state.point, found) < NEAR:
            newton = self._newton()
            if newton is not None and moved(self.state.point, newton[1]) < 10 * NEAR:
                found, plain = newton[1], False
        return bounded_point(found, self.state.point, positive=self.positive), plain

    def _grid(self, point: Point) -> Grid:
        mean, sd = point.groups[:, 0], np.exp(point.groups[:, 1])
        theta = np.linspace(float((mean - 4 * sd).min()), float((mean + 4 * sd).max()), len(COARSE))
        return grid_for(self.problem.persons.largest_information(point, theta), theta, point)


def bounded_point(found: Point, before: Point, *, positive: bool) -> Point:
    """``found`` with items within their bounds and spreads at most doubled or halved."""
    groups = found.groups.copy()
    groups[:, 1] = np.clip(groups[:, 1], before.groups[:, 1] - 0.7, before.groups[:, 1] + 0.7)
    return Point(bounded(found.items, before.items, positive=positive), groups)


def moved(before: Point, after: Point) -> float:
    """The largest move of any parameter; guessing counts as c."""
    lines = np.abs(after.items[:, :2] - before.items[:, :2]).max(initial=0.0)
    guessing = np.abs(expit(after.items[:, 2]) - expit(before.items[:, 2])).max(initial=0.0)
    return float(max(lines, guessing, np.abs(after.groups - before.groups).max(initial=0.0)))

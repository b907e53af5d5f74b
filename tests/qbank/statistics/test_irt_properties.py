"""The engine's parts on any data: the E-step, its gradient and the observed information against brute force."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse

from qbank.statistics.engine.blocks import arrange
from qbank.statistics.engine.fitting import Problem, assess
from qbank.statistics.engine.observed_information import observed
from qbank.statistics.engine.parameters import Layout, Point, layout
from qbank.statistics.engine.persons import InMemory
from qbank.statistics.engine.quadrature import Grid, grid
from qbank.statistics.irt import calibrate
from qbank.statistics.priors import DEFAULT, Priors
from qbank.statistics.responses import as_responses
from tests.qbank.statistics.irt_world import Simulated, log_likelihood, persons


@dataclass
class Design:
    """One random design: gaps, guessing, groups, weights, storage, priors."""

    answers: npt.NDArray[np.int8]
    groups: npt.NDArray[np.int64]
    weights: npt.NDArray[np.float64]
    point: Point
    layout: Layout
    priors: Priors | None
    problem: Problem
    grid: Grid


def design(seed: int, gaps: float, guessed: bool, thin: bool, common: bool, prior: bool) -> Design:
    draw = np.random.default_rng(seed)
    n, items = int(draw.integers(20, 90)), int(draw.integers(2, 7))
    world = Simulated(n, items, seed=seed, c=0.2 if guessed else 0.0)
    answers = world.with_gaps(gaps, seed)
    groups, weights = draw.integers(0, 2, n), draw.uniform(0.5, 3, n)
    values = np.stack([world.a, -world.a * world.b, np.where(guessed, -1.4, -np.inf) * np.ones(items)], axis=1)
    if common:
        values[:, 0] = 1.2
    point = Point(values, np.array([[0.0, 0.0], [0.4, 0.2]]))
    free = np.ones((items, 3), dtype=bool)
    free[:, 2] = guessed
    places = layout(point, free, np.array([[False, False], [True, True]]), common_slope=common)
    scores: Any = answers
    if thin:
        rows, columns = np.nonzero(answers >= 0)
        scores = sparse.csr_array((answers[rows, columns], (rows, columns)), shape=answers.shape)
    blocks = arrange(as_responses(scores, weights=weights), groups)
    priors = DEFAULT if prior or guessed else None
    problem = Problem(InMemory(blocks, items, 2), places, priors, guessed)
    return Design(answers, groups, weights, point, places, priors, problem, grid(-9, 9, 0.1))


designs = st.builds(design, st.integers(0, 10_000), st.sampled_from([0.0, 0.3, 0.8]), st.booleans(), st.booleans(),
                    st.booleans(), st.booleans())


@settings(max_examples=40, deadline=None)
@given(designs)
def test_the_likelihood_of_the_blocks_is_that_of_brute_force(made: Design) -> None:
    state = assess(made.problem, made.point, made.grid)
    place = made.groups
    given_something = (made.answers >= 0).any(axis=1)
    a, d, g = made.point.items.T
    reference = log_likelihood(made.answers, a, d, 1 / (1 + np.exp(-g)), weights=made.weights * given_something,
                               mean=made.point.groups[place, 0], sd=np.exp(made.point.groups[place, 1]))
    assert state.sums.log_likelihood == pytest.approx(reference, abs=1e-6)
    total = float((made.weights * given_something).sum())
    assert state.sums.groups.sum() == pytest.approx(total, rel=1e-8)


@settings(max_examples=15, deadline=None)
@given(designs)
def test_gradient_and_observed_information_are_the_derivatives_of_the_log_posterior(made: Design) -> None:
    state = assess(made.problem, made.point, made.grid, full=True)
    missing = made.problem.persons.missing_information(made.point, made.layout, made.grid)
    matrix = observed(state.sums, missing, made.point, made.layout, made.grid, made.priors)
    x, h = made.layout.vector(made.point), 1e-4
    for place in range(len(x)):
        step = h * (np.arange(len(x)) == place)
        ahead, behind = (assess(made.problem, made.layout.point(x + sign * step), made.grid) for sign in (1, -1))
        assert state.gradient[place] == pytest.approx((ahead.log_posterior - behind.log_posterior) / (2 * h), abs=1e-3)
        assert -matrix[place] == pytest.approx((ahead.gradient - behind.gradient) / (2 * h), abs=2e-3)


@pytest.mark.parametrize("answers", [
    np.zeros((0, 4), dtype=np.int8), np.zeros((1, 4), dtype=np.int8), np.full((6, 3), -1), np.ones((5, 3), dtype=np.int8),
    np.ones((5, 0), dtype=np.int8), persons({"1111": 1, "0000": 1})])
def test_next_to_nothing_is_no_estimate_and_no_error(answers: npt.NDArray[np.int8]) -> None:
    found = calibrate(answers)
    assert not found.defined.any()
    assert len(found.reasons) == answers.shape[1]
    with_priors = calibrate(answers, "3PL", priors="default")
    assert with_priors.converged
    assert with_priors.defined.all()
    assert with_priors.gradient_norm < 0.01


def test_two_items_do_not_determine_two_slopes() -> None:
    found = calibrate(Simulated(200, 2).answers)
    assert np.isnan(found.se_a).all()
    assert any("singular" in sentence or "do not determine" in sentence for sentence in found.warnings)


def test_answers_in_guttmans_order_have_no_maximum() -> None:
    answers = (np.linspace(-2, 2, 300)[:, None] > np.linspace(-1, 1, 5)).astype(np.int8)
    found = calibrate(answers)
    assert np.isnan(found.a).all()
    assert "no maximum" in found.reasons[0]
    kept = calibrate(answers, priors="default")
    assert kept.converged
    assert (kept.se_a > 0).all()


def test_progress_is_told_until_the_moves_are_small() -> None:
    told: list[tuple[int, float]] = []
    found = calibrate(Simulated(300, 10).answers, progress=lambda number, move: told.append((number, move)))
    assert told[-1][0] == found.iterations
    assert told[-1][1] < 2.5e-4 < told[0][1]

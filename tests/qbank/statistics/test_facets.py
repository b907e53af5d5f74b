"""The many-facet model recovers what it was simulated from, and a small case by hand."""

from __future__ import annotations

import numpy as np
import pytest

from qbank.statistics.facets import Facets, facets, grades

SEVERITY = np.array([-0.6, 0.0, 0.1, 0.5])
STEPS = np.array([-1.2, 0.1, 1.1])


def simulated(seed: int, persons: int = 120, tasks: int = 15, erratic: int | None = None) -> tuple[Facets, np.ndarray, np.ndarray]:
    draw = np.random.default_rng(seed)
    ability, difficulty = draw.normal(0.5, 1.0, persons), np.linspace(-1, 1, tasks)
    p, t, r = (one.ravel() for one in np.meshgrid(np.arange(persons), np.arange(tasks), np.arange(SEVERITY.size), indexing="ij"))
    place = ability[p] - difficulty[t] - SEVERITY[r]
    logits = place[:, None] * np.arange(4) - np.concatenate([[0], np.cumsum(STEPS)])
    shares = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    score = (draw.random(p.size)[:, None] > np.cumsum(shares, axis=1)).sum(axis=1)
    if erratic is not None:
        wild = (r == erratic) & (draw.random(p.size) < 0.5)
        score = np.where(wild, draw.integers(0, 4, p.size), score)
    return facets(score, p, t, r), ability, difficulty


def test_severity_difficulty_and_steps_are_recovered_within_their_errors() -> None:
    found, ability, difficulty = simulated(1)
    assert found.converged
    # Errors of 1,800 ratings a rater are near 0.03; joint estimates are stretched by a few per cent.
    assert found.raters.values == pytest.approx(SEVERITY, abs=0.1)
    assert found.tasks.values == pytest.approx(difficulty, abs=0.25)
    assert found.steps == pytest.approx(STEPS - STEPS.mean(), abs=0.1)
    assert np.corrcoef(found.persons.values, ability)[0, 1] > 0.97
    assert found.raters.values.sum() == pytest.approx(0, abs=1e-6)


def test_standard_errors_are_what_samples_show() -> None:
    samples = np.array([simulated(seed, persons=30, tasks=8)[0].raters.values for seed in range(16)])
    said = simulated(99, persons=30, tasks=8)[0].raters.errors
    assert samples.std(axis=0, ddof=1).mean() == pytest.approx(said.mean(), rel=0.4)


def test_who_follows_the_model_fits_and_who_guesses_half_of_the_time_does_not() -> None:
    well, wild = simulated(2)[0], simulated(2, erratic=2)[0]
    assert np.all((well.raters.infit > 0.9) & (well.raters.infit < 1.1))
    assert wild.raters.infit[2] > 1.4
    assert wild.raters.outfit[2] > 1.4
    assert np.delete(wild.raters.infit, 2).max() < 1.1


def test_raters_who_differ_are_told_from_those_who_do_not() -> None:
    found = simulated(3)[0]
    assert found.reliability > 0.98
    assert found.chi_square > 100
    assert found.freedom == 3


def test_two_raters_and_two_grades_by_hand() -> None:
    # Everybody does the same one task twice before both raters. Rater 0 gives 1 in 12 of 16, rater 1 in 4 of 16, and every person
    # has two of four: all persons are alike, so the raters lie at logit(12/16) = 1.0986 on either side of the middle.
    lines = []
    for person in range(8):
        first = [1, 1] if person < 4 else [1, 0]
        second = [0, 0] if person < 4 else [1, 0]
        lines += [(mark, person, 0, rater) for rater, marks in ((0, first), (1, second)) for mark in marks]
    scores, persons, tasks, raters = (np.array(column) for column in zip(*lines, strict=True))
    found = facets(scores, persons, tasks, raters)
    assert found.raters.values == pytest.approx([-np.log(3), np.log(3)], abs=1e-3)
    # information of a rater: 16 ratings of variance 3/16 each
    assert found.raters.errors == pytest.approx([1 / np.sqrt(3)] * 2, abs=1e-3)


def test_a_person_with_nothing_but_the_highest_grade_has_no_finite_place_and_spoils_nothing() -> None:
    draw = np.random.default_rng(5)
    person, rater = np.repeat(np.arange(30), 20), np.tile(np.arange(2).repeat(10), 30)
    task = np.tile(np.arange(10), 60)
    score = draw.integers(0, 3, 600)
    score[person == 0] = 2
    found = facets(score, person, task, rater)
    assert np.isnan(found.persons.values[0])
    assert np.isfinite(found.raters.values).all()
    with pytest.raises(ValueError, match="too few"):
        facets(np.ones(4), [0, 0, 1, 1], [0, 1, 0, 1], [0, 0, 0, 0])


def test_sparse_tenths_are_put_together() -> None:
    # 3 of the lowest tenth are too few for a grade of their own: 0.05 and 0.95 with 10 in each of the other two
    shares = [0.05] * 3 + [0.35] * 10 + [0.75] * 10 + [1.0] * 4
    found = grades(shares)
    assert found.tolist() == [0] * 13 + [1] * 14
    assert np.bincount(found).min() >= 10

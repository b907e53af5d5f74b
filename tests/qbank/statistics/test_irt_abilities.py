"""Abilities against each person's own likelihood, worked out by brute force."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse
from scipy.optimize import brentq, minimize_scalar

from qbank.statistics.abilities import ability
from qbank.statistics.calibration import Calibration, known_items
from qbank.statistics.information import item_information, measurement_error, probabilities, test_information
from qbank.statistics.irt import calibrate
from tests.qbank.statistics.irt_world import Simulated

Floats = npt.NDArray[np.float64]


class Person:
    """One person's likelihood, written out."""

    def __init__(self, answers: npt.NDArray[np.int8], world: Simulated) -> None:
        seen = answers >= 0
        self.u, self.a, self.b, self.c = answers[seen], world.a[seen], world.b[seen], world.c[seen]

    def p(self, theta: float) -> Floats:
        return np.asarray(self.c + (1 - self.c) / (1 + np.exp(-self.a * (theta - self.b))))

    def log_posterior(self, theta: float) -> float:
        p = self.p(theta)
        return float(np.where(self.u == 1, np.log(p), np.log1p(-p)).sum() - theta * theta / 2)

    def slope(self, theta: float) -> Floats:
        h = 1e-5
        return (self.p(theta + h) - self.p(theta - h)) / (2 * h)

    def information(self, theta: float) -> float:
        p = self.p(theta)
        return float((self.slope(theta) ** 2 / (p * (1 - p))).sum())

    def eap(self) -> tuple[float, float]:
        nodes = np.linspace(-6, 6, 2001)
        log = np.array([self.log_posterior(theta) for theta in nodes])
        mass = np.exp(log - log.max()) / np.exp(log - log.max()).sum()
        mean = float(mass @ nodes)
        return mean, float(np.sqrt(mass @ (nodes - mean) ** 2))

    def map(self) -> tuple[float, float]:
        nodes = np.linspace(-6, 6, 401)
        near = nodes[np.argmax([self.log_posterior(theta) for theta in nodes])]
        found = minimize_scalar(lambda theta: -self.log_posterior(theta), bounds=(near - 0.05, near + 0.05), method="bounded",
                                options={"xatol": 1e-9})
        return float(found.x), 1 / float(np.sqrt(self.information(found.x) + 1))

    def wle(self) -> tuple[float, float]:
        def equation(theta: float) -> float:
            p, slope = self.p(theta), self.slope(theta)
            s = (p - self.c) / (1 - self.c)
            bend = (1 - self.c) * self.a**2 * s * (1 - s) * (1 - 2 * s)
            return float(((self.u - p) * slope / (p * (1 - p))).sum()
                         + (slope * bend / (p * (1 - p))).sum() / (2 * self.information(theta)))
        theta = brentq(equation, -9, 9, xtol=1e-10)
        return theta, 1 / float(np.sqrt(self.information(theta)))


def bank(world: Simulated) -> Calibration:
    return known_items(world.a, world.b, world.c)


@pytest.mark.parametrize(("method", "gaps", "guessing"), [
    ("EAP", 0.0, 0.0), ("EAP", 0.4, 0.2), ("MAP", 0.0, 0.0), ("MAP", 0.4, 0.0), ("MAP", 0.0, 0.2), ("WLE", 0.0, 0.0),
    ("WLE", 0.4, 0.0), ("WLE", 0.0, 0.2)])
def test_abilities_are_those_of_each_persons_own_likelihood(method: str, gaps: float, guessing: float) -> None:
    world = Simulated(12, 25, seed=3, c=guessing)
    answers = world.with_gaps(gaps)
    answers[0] = np.where(answers[0] >= 0, 1, -1)  # all right
    theta, error = ability(bank(world), answers, method)
    reference = np.array([getattr(Person(row, world), method.lower())() for row in answers])
    assert theta == pytest.approx(reference[:, 0], abs=1e-5)
    assert error == pytest.approx(reference[:, 1], rel=1e-4)


def test_all_right_and_all_wrong_are_finite() -> None:
    world = Simulated(2, 40)
    answers = np.array([[1] * 40, [0] * 40], dtype=np.int8)
    for method in ("EAP", "MAP", "WLE"):
        theta, error = ability(bank(world), answers, method)
        assert np.isfinite(theta).all()
        assert np.isfinite(error).all()
        assert theta[0] > 2 > -2 > theta[1]


def test_equal_items_give_warms_estimate_in_closed_form() -> None:
    # With k equal items, a = 1, b = 0: J / (2 I) = (1 - 2 P) / 2, so r - k P + (1 - 2 P) / 2 = 0 and P = (r + 1/2)/(k + 1):
    # theta = log((r + 1/2) / (k - r + 1/2)). For k = 4: r = 4 gives log 9, r = 1 gives log(3/7).
    answers = np.array([[1, 1, 1, 1], [1, 0, 0, 0]], dtype=np.int8)
    theta, error = ability(known_items(np.ones(4), np.zeros(4)), answers, "WLE")
    assert theta == pytest.approx([np.log(9), np.log(3 / 7)], abs=1e-7)
    # Information 4 P Q: 4 * 0.9 * 0.1 and 4 * 0.3 * 0.7.
    assert error == pytest.approx([1 / np.sqrt(0.36), 1 / np.sqrt(0.84)], abs=1e-7)


def test_a_person_who_was_given_nothing_has_the_prior_or_nothing() -> None:
    world = Simulated(2, 5)
    answers = np.array([[-1] * 5, [1, 0, 1, 0, 1]], dtype=np.int8)
    assert [part[0] for part in ability(bank(world), answers, "EAP")] == [0, 1]
    assert [part[0] for part in ability(bank(world), answers, "MAP")] == [0, 1]
    assert np.isnan([part[0] for part in ability(bank(world), answers, "WLE")]).all()


def test_sparse_answers_and_dense_ones_give_the_same_abilities() -> None:
    world = Simulated(200, 60)
    answers = world.with_gaps(0.9)
    answers[:, 0] = 1
    rows, columns = np.nonzero(answers >= 0)
    stored = sparse.csr_array((answers[rows, columns], (rows, columns)), shape=answers.shape)
    for method in ("EAP", "MAP", "WLE"):
        dense, thin = ability(bank(world), answers, method), ability(bank(world), stored, method)
        assert thin[0] == pytest.approx(dense[0], abs=1e-8, nan_ok=True)
        assert thin[1] == pytest.approx(dense[1], abs=1e-8, nan_ok=True)


def test_a_group_has_its_own_prior() -> None:
    first, second = Simulated(400, 6, seed=4), Simulated(400, 6, seed=4, mean=1.0)
    answers, labels = np.concatenate([first.answers, second.answers]), np.repeat(["A", "B"], 400)
    found = calibrate(answers, groups=labels, se=False)
    same = np.array([[1, 0, 1, 0, 1, 0]] * 2, dtype=np.int8)
    theta, _ = ability(found, same, groups=["A", "B"])
    assert theta[1] > theta[0]
    with pytest.raises(ValueError, match="not all among"):
        ability(found, same, groups=["A", "C"])


def test_items_without_parameters_do_not_count() -> None:
    world = Simulated(20, 6)
    a = world.a.copy()
    a[2] = np.nan
    theta, _ = ability(known_items(a, world.b), world.answers)
    without, _ = ability(known_items(np.delete(a, 2), np.delete(world.b, 2)), np.delete(world.answers, 2, axis=1))
    assert theta == pytest.approx(without, abs=1e-9)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000), st.sampled_from(["EAP", "MAP", "WLE"]))
def test_one_more_right_answer_never_lowers_the_ability(seed: int, method: str) -> None:
    world = Simulated(1, 12, seed=seed)
    answers = np.tril(np.ones((13, 12), dtype=np.int8), -1)  # none right, then the first, the first two ...
    theta, error = ability(bank(world), answers, method)
    assert (np.diff(theta) > 0).all()
    assert (error > 0).all()


def test_information_is_the_variance_of_the_score_function() -> None:
    # a = 2, b = 0, c = 0.2 at theta = 0: S = 0.5, P = 0.6, P' = 0.8 * 2 * 0.25 = 0.4, information 0.16 / 0.24 = 2 / 3.
    # a = 1, b = 0: 0.25. The test: 11 / 12, and its error sqrt(12 / 11).
    items = known_items([2, 1], [0, 0], [0.2, 0])
    assert item_information(items, 0)[0] == pytest.approx([2 / 3, 1 / 4])
    assert test_information(items, [0])[0] == pytest.approx(11 / 12)
    assert measurement_error(items, [0])[0] == pytest.approx(np.sqrt(12 / 11))
    assert probabilities(items, 0)[0] == pytest.approx([0.6, 0.5])

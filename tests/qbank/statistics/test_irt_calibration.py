"""Calibration against brute force: plain marginal likelihood on 241 nodes, numerical derivatives, a general optimiser."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from scipy import sparse
from scipy.optimize import approx_fprime, minimize
from scipy.stats import beta, lognorm, norm

from qbank.statistics.calibration import Calibration
from qbank.statistics.irt import calibrate
from qbank.statistics.priors import Priors
from tests.qbank.statistics.irt_world import LSAT7, Simulated, log_likelihood, table


def numerical_errors(found: Calibration, answers: npt.NDArray[np.int8]) -> npt.NDArray[np.float64]:
    """Errors of (a, b) from the numerically differentiated marginal likelihood."""
    def negative(x: npt.NDArray[np.float64]) -> float:
        a, b = np.split(x, 2)
        return -log_likelihood(answers, a, -a * b)

    x, h = np.concatenate([found.a, found.b]), 1e-4
    steps = np.eye(len(x)) * h
    hessian = np.array([[(negative(x + p + q) - negative(x + p - q) - negative(x - p + q) + negative(x - p - q)) / (4 * h * h)
                         for q in steps] for p in steps])
    return np.asarray(np.sqrt(np.diag(np.linalg.inv(hessian))))


def test_the_two_parameter_fit_is_the_maximum_that_a_general_optimiser_finds() -> None:
    world = Simulated(300, 5, spread=0.4)

    def negative(x: npt.NDArray[np.float64]) -> float:
        return -log_likelihood(world.answers, x[:5], x[5:])

    reference = minimize(negative, np.concatenate([np.ones(5), np.zeros(5)]), method="BFGS", options={"gtol": 1e-4})
    found = calibrate(world.answers)
    assert found.log_likelihood == pytest.approx(-reference.fun, abs=1e-5)
    assert found.a == pytest.approx(reference.x[:5], abs=1e-4)
    assert -found.a * found.b == pytest.approx(reference.x[5:], abs=1e-4)
    assert found.gradient_norm < 1e-4


def test_errors_are_those_of_the_numerically_differentiated_likelihood() -> None:
    world = Simulated(300, 5)
    found = calibrate(world.answers)
    assert np.concatenate([found.se_a, found.se_b]) == pytest.approx(numerical_errors(found, world.answers), rel=1e-3)


def test_errors_with_gaps_are_those_of_the_numerically_differentiated_likelihood() -> None:
    answers = Simulated(300, 4).with_gaps(0.3)
    found = calibrate(answers)
    assert np.concatenate([found.se_a, found.se_b]) == pytest.approx(numerical_errors(found, answers), rel=1e-3)


def test_the_three_parameter_fit_is_a_posterior_mode() -> None:
    """The gradient of brute-force likelihood plus scipy's own prior densities is nought there: a fit with priors that is not
    a mode is a known defect of other programs."""
    world = Simulated(600, 8, c=0.2)
    found = calibrate(world.answers, "3PL", priors="default")

    def posterior(x: npt.NDArray[np.float64]) -> float:
        a, b, c = np.split(x, 3)
        prior = lognorm(s=0.5).logpdf(a).sum() + norm(0, 2).logpdf(b).sum() + beta(5, 17).logpdf(c).sum()
        return log_likelihood(world.answers, a, -a * b, c) + float(prior)

    x = np.concatenate([found.a, found.b, found.c])
    assert found.converged
    assert np.abs(approx_fprime(x, posterior, 1e-6)).max() < 0.02
    assert found.gradient_norm < 1e-3
    assert posterior(x) == pytest.approx(found.log_posterior, abs=1e-6)
    assert log_likelihood(world.answers, found.a, -found.a * found.b, found.c) == pytest.approx(found.log_likelihood, abs=1e-6)


@pytest.mark.parametrize("items", [5, 60, 200])
def test_nodes_follow_the_length_of_the_test(items: int) -> None:
    """At most 1e-3 from the solution on 241 nodes with a tolerance of 1e-9: the gradient of the brute-force likelihood,
    taken back through the errors, says how far the mode is."""
    world = Simulated(1500, items)
    found = calibrate(world.answers, se=False)
    exact = calibrate(world.answers, tolerance=1e-9)
    assert found.iterations <= 10
    assert np.abs(found.a - exact.a).max() < 1e-3
    assert np.abs(found.b - exact.b).max() < 1e-3
    assert log_likelihood(world.answers, found.a, -found.a * found.b) == pytest.approx(found.log_likelihood, abs=1e-4)
    # By hand: information about theta of 200 such items is about 45, the posterior deviation 0.15: 12 / (1.35 * 0.15)
    # nodes, twice.
    assert found.nodes >= {5: 25, 60: 60, 200: 100}[items]


def test_too_few_nodes_would_be_seen() -> None:
    """21 nodes on 200 items: the brute-force likelihood there is off by far, and the fit on such nodes is another one."""
    world = Simulated(500, 200)
    found = calibrate(world.answers, se=False)
    nodes = np.linspace(-4, 4, 21)
    p = 1 / (1 + np.exp(-found.a * (nodes[:, None] - found.b)))
    total = world.answers @ np.log(p).T + (1 - world.answers) @ np.log1p(-p).T + norm.logpdf(nodes) + np.log(nodes[1] - nodes[0])
    few = float(np.logaddexp.reduce(total, axis=1).sum())
    assert abs(few - found.log_likelihood) > 1
    assert log_likelihood(world.answers, found.a, -found.a * found.b) == pytest.approx(found.log_likelihood, abs=1e-6)


def test_sparse_and_dense_data_give_the_same() -> None:
    answers = Simulated(900, 30).with_gaps(0.6)
    rows, columns = np.nonzero(answers >= 0)
    stored = sparse.csr_array((answers[rows, columns], (rows, columns)), shape=answers.shape)
    dense, thin = calibrate(answers), calibrate(stored)
    assert thin.a == pytest.approx(dense.a, abs=1e-8)
    assert thin.se_b == pytest.approx(dense.se_b, rel=1e-6)
    assert thin.log_likelihood == pytest.approx(dense.log_likelihood, abs=1e-7)


def test_forms_are_calibrated_onto_one_scale() -> None:
    """Three forms of 20 items chained by 10 common ones: the likelihood is that of brute force, the iterations are few."""
    world = Simulated(3000, 40)
    answers = world.answers.copy()
    for form in range(3):
        rows = slice(1000 * form, 1000 * (form + 1))
        given = np.arange(10 * form, 10 * form + 20)
        answers[rows, np.setdiff1d(np.arange(40), given)] = -1
    found = calibrate(answers)
    assert found.converged
    assert found.iterations <= 10
    assert log_likelihood(answers, found.a, -found.a * found.b) == pytest.approx(found.log_likelihood, abs=1e-4)
    assert found.n.tolist() == [1000] * 10 + [2000] * 20 + [1000] * 10


def test_omitted_is_wrong_and_not_reached_is_not_presented() -> None:
    world = Simulated(500, 10)
    marked = world.answers.copy()
    marked[:50, 0], marked[50:90, 9] = -2, -3
    by_hand = world.answers.copy()
    by_hand[:50, 0], by_hand[50:90, 9] = 0, -1
    assert calibrate(marked).a == pytest.approx(calibrate(by_hand).a, abs=1e-9)
    by_hand[50:90, 9] = 0
    assert calibrate(marked, not_reached="wrong").a == pytest.approx(calibrate(by_hand).a, abs=1e-9)


def test_a_second_group_gets_its_own_mean_and_spread() -> None:
    first, second = Simulated(1500, 12, seed=4), Simulated(1500, 12, seed=4, mean=0.8, sd=1.4)
    answers = np.concatenate([first.answers, second.answers])
    labels = np.repeat(["2024", "2025"], 1500)
    found = calibrate(answers, groups=labels)
    assert found.groups == ("2024", "2025")
    assert (found.means[0], found.sds[0]) == (0, 1)
    assert np.isnan(found.se_means[0])
    assert abs(found.means[1] - 0.8) < 3 * found.se_means[1]
    assert abs(found.sds[1] - 1.4) < 3 * found.se_sds[1]
    place = np.repeat([0, 1], 1500)
    reference = log_likelihood(answers, found.a, -found.a * found.b, mean=found.means[place], sd=found.sds[place])
    assert found.log_likelihood == pytest.approx(reference, abs=1e-4)
    assert found.gradient_norm < 1e-3


def test_anchors_keep_the_scale_of_the_bank() -> None:
    world = Simulated(4000, 15, mean=-0.6, sd=1.3)
    anchors = {place: (world.a[place], world.b[place]) for place in range(6)}
    found = calibrate(world.answers, anchors=anchors)
    assert found.a[:6] == pytest.approx(world.a[:6], abs=1e-12)
    assert found.b[:6] == pytest.approx(world.b[:6], abs=1e-12)
    assert np.isnan(found.se_a[:6]).all()
    assert found.anchored.tolist() == [True] * 6 + [False] * 9
    assert abs(found.means[0] + 0.6) < 3 * found.se_means[0]
    assert abs(found.sds[0] - 1.3) < 3 * found.se_sds[0]
    assert (np.abs(found.b[6:] - world.b[6:]) < 4 * found.se_b[6:]).all()


def test_an_anchor_that_does_not_exist_is_refused() -> None:
    answers = Simulated(50, 3).answers
    with pytest.raises(ValueError, match="anchor"):
        calibrate(answers, anchors={5: (1, 0)})
    with pytest.raises(ValueError, match="no item"):
        calibrate(answers, anchors={"Q7": (1, 0)})


def test_an_item_that_everybody_got_right_has_no_estimate_and_says_why() -> None:
    world = Simulated(300, 8)
    answers = world.answers.copy()
    answers[:, 3] = 1
    found, without = calibrate(answers), calibrate(np.delete(answers, 3, axis=1))
    assert np.isnan([found.a[3], found.b[3], found.c[3], found.se_a[3]]).all()
    assert found.reasons[3] == "everybody got the item right"
    assert np.delete(found.a, 3) == pytest.approx(without.a, abs=1e-7)
    assert found.log_likelihood == pytest.approx(without.log_likelihood, abs=1e-7)
    assert any("item 3" in sentence for sentence in found.warnings)


def test_with_priors_a_weak_item_keeps_them() -> None:
    world = Simulated(2000, 10)
    answers = world.answers.copy()
    answers[5:, 4], answers[:, 5] = -1, -1
    answers[:5, 4] = 1
    found = calibrate(answers, priors=Priors(b=("normal", np.full(10, 0.5), np.full(10, 0.4)), c=None))
    assert found.reasons == {}
    # Nobody was given item 5: the modes of the priors, exp(0 - 0.25) and 0.5.
    assert found.a[5] == pytest.approx(np.exp(-0.25), abs=1e-3)
    assert found.b[5] == pytest.approx(0.5, abs=1e-3)
    # Five right answers pull item 4 down from 0.5, by less than two of its prior's deviations.
    assert -0.3 < found.b[4] < 0.5
    assert found.se_b[4] < 0.45


def test_a_wrong_key_shows_as_a_negative_slope() -> None:
    world = Simulated(1500, 10)
    answers = world.answers.copy()
    answers[:, 2] = 1 - answers[:, 2]
    found = calibrate(answers)
    assert found.converged
    assert found.a[2] < 0
    assert any("suspect the key of items 2" in sentence for sentence in found.warnings)


def test_a_fit_that_was_stopped_says_so() -> None:
    found = calibrate(Simulated(500, 10).answers, iterations=1)
    assert not found.converged
    assert any("not converged" in sentence for sentence in found.warnings)


def test_guessing_that_the_likelihood_puts_at_nought_is_reported_as_nought() -> None:
    rows, counts = table(LSAT7)
    found, two = calibrate(rows, "3PL", weights=counts), calibrate(rows, "2PL", weights=counts)
    assert found.converged
    assert found.log_likelihood >= two.log_likelihood
    assert (found.c == 0).sum() >= 3
    assert np.isnan(found.se_c[found.c == 0]).all()
    assert any("guessing is 0" in sentence for sentence in found.warnings)


def test_bad_arguments_are_refused() -> None:
    answers = Simulated(20, 3).answers
    with pytest.raises(ValueError, match="model"):
        calibrate(answers, "4PL")
    with pytest.raises(ValueError, match="0 or 1"):
        calibrate(answers * 2)
    with pytest.raises(ValueError, match="no mode"):
        calibrate(answers, priors={"a": ("lognormal", 0, 0)})
    with pytest.raises(ValueError, match="no such parameter"):
        calibrate(answers, priors={"slope": ("lognormal", 0, 1)})


def test_the_order_of_persons_and_items_does_not_matter() -> None:
    answers = Simulated(400, 12).with_gaps(0.2)
    draw = np.random.default_rng(5)
    rows, columns = draw.permutation(400), draw.permutation(12)
    straight, turned = calibrate(answers), calibrate(answers[rows][:, columns])
    assert turned.a == pytest.approx(straight.a[columns], abs=1e-7)
    assert turned.se_b == pytest.approx(straight.se_b[columns], rel=1e-5)


def test_the_prior_of_a_common_slope_counts_once() -> None:
    """40 persons, 100 items, a true slope of 2: counted for every item the prior of a slope would pull it to about 1.3."""
    draw = np.random.default_rng(6)
    theta, b = draw.normal(size=(40, 1)), np.linspace(-2, 2, 100)
    scores = (draw.random((40, 100)) < 1 / (1 + np.exp(-2 * (theta - b)))).astype(np.int8)
    free, held = calibrate(scores, "1PL"), calibrate(scores, "1PL", priors={"a": ("lognormal", 0.0, 0.5)})
    slope, wanted = float(free.a[0]), float(held.a[0])
    # By hand: near its top the likelihood is a bell of sd se_a; the prior adds -(log a / 0.25 + 1) / a to the slope's score.
    pull = -(np.log(slope) / 0.25 + 1) / slope * float(free.se_a[0]) ** 2
    assert wanted == pytest.approx(slope + pull, abs=0.35 * abs(pull) + 0.02)
    assert held.converged

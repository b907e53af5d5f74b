"""Decision consistency and accuracy against published tables, exact fractions, enumeration and simulation."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from scipy import integrate, stats

from qbank.statistics.consistency import decision_consistency
from qbank.statistics.consistency_models import effective_length, huynh, livingston_lewis
from qbank.statistics.score_distribution import expected_scores, right_probabilities, score_distribution
from qbank.statistics.true_score import BetaTrueScore, beta_nodes, fit_beta, pass_fail, true_moments


def test_huynh_by_exact_fractions() -> None:
    # KR-21 = 1/2 and mean 1 of two items: alpha = (1/r - 1) m = 1, beta = 1: true scores are uniform. Cut 60 %: both items
    # right. P(pass) = integral of t^2 = 1/3, P(pass twice) = integral of t^4 = 1/5; p = 1 - 2 (1/3 - 1/5) = 11/15,
    # chance 1/9 + 4/9 = 5/9, kappa = (11/15 - 5/9) / (4/9) = (8/45) (9/4) = 2/5.
    # True cut .6: P(pass and able) = integral from .6 of t^2 = (1 - .216) / 3; able .4.
    found = huynh(np.array([0.0, 1.0, 2.0]), np.ones(3), 2, 0.5, 0.6).indices
    assert found.passing == pytest.approx(1 / 3)
    assert found.consistency == pytest.approx(11 / 15)
    assert found.kappa == pytest.approx(2 / 5)
    assert found.false_pass == pytest.approx(1 / 3 - 0.784 / 3)
    assert found.false_fail == pytest.approx(0.4 - 0.784 / 3)
    assert found.accuracy == pytest.approx(1 - found.false_pass - found.false_fail)


@pytest.mark.parametrize(("z", "reliability", "agreement", "kappa"), [
    (0.7, 0.9, 0.89, 0.70),  # also printed by the R package rcrtan for its own example
    (0.0, 0.9, 0.86, 0.71), (0.0, 0.5, 0.67, 0.33),
])
def test_huynh_of_a_long_test_agrees_with_the_printed_tables_of_subkoviak(
        z: float, reliability: float, agreement: float, kappa: float) -> None:
    # Subkoviak (1988), Journal of Educational Measurement 25, 47-55, tables 1 and 2: agreement and kappa by the standard
    # score of the cut, (c - .5 - mean) / s, and the reliability. (At z = 0: 1/2 + arcsin(r) / pi and 2 arcsin(r) / pi.)
    items, least = 400, 240
    # The mean at which the cut lies z standard deviations above it, by a few fixed-point steps; KR-21 gives the variance.
    mean = 239.5
    for _ in range(50):
        variance = mean * (items - mean) / items / (1 - reliability * (items - 1) / items)
        mean = least - 0.5 - z * math.sqrt(variance)
    scores = np.array([mean - 1.0, mean + 1.0])
    found = huynh(scores, np.ones(2), items, reliability, least / items).indices
    assert found.consistency == pytest.approx(agreement, abs=0.01)
    assert found.kappa == pytest.approx(kappa, abs=0.015)


def test_huynhs_sum_is_the_integral_over_true_scores() -> None:
    # 30 items, mean 20, KR-21 .8: alpha = .25 x 20 = 5, beta = 2.5.
    found = huynh(np.array([19.0, 21.0]), np.ones(2), 30, 0.8, 0.6).indices
    table = pass_fail(BetaTrueScore(5.0, 2.5), 30, 18, 0.6)
    assert (found.passing, found.consistency) == pytest.approx((table.passing, 1 - 2 * (table.passing - table.both)))
    assert found.false_pass == pytest.approx(table.passing - table.right_pass)
    assert found.false_fail == pytest.approx(table.able - table.right_pass)


def test_the_effective_length_by_hand() -> None:
    # ((60 - 0)(100 - 60) - .8 x 100) / (100 x .2) = (2400 - 80) / 20 = 116.
    assert effective_length(60, 100, 0.8, 0, 100) == pytest.approx(116)


def test_livingston_and_lewis_take_four_moments_back_to_the_four_parameters() -> None:
    # Moments of 0.25 + 0.5 Beta(5, 3), by raw moments of the beta distribution: m_r = prod (5 + i) / (8 + i).
    raw = np.cumprod([(5 + i) / (8 + i) for i in range(4)])
    raw = np.concatenate([[1.0], raw])
    moments = np.array([sum(math.comb(r, i) * 0.25 ** (r - i) * 0.5**i * raw[i] for i in range(r + 1)) for r in range(1, 5)])
    found = fit_beta(moments)
    assert found is not None
    assert (found.alpha, found.beta, found.lower, found.upper) == pytest.approx((5, 3, 0.25, 0.75), abs=1e-6)
    assert found.parameters == 4


def test_livingston_and_lewis_fall_back_to_two_parameters_where_four_are_not_admissible() -> None:
    # Uniform true scores on (0, 1) have kurtosis 1.8; with a fourth moment a little larger the limits leave (0, 1).
    moments = np.array([1 / 2, 1 / 3, 1 / 4, 1 / 5])
    exact = fit_beta(moments, parameters=2)
    assert exact is not None
    assert (exact.alpha, exact.beta) == pytest.approx((1, 1))
    fallen = fit_beta(moments + np.array([0, 0, 0, 0.001]))
    assert fallen is not None
    assert (fallen.parameters, fallen.lower, fallen.upper) == (2, 0, 1)
    assert fit_beta(np.array([0.5, 0.25, 0.1, 0.05])) is None  # no true variance


def test_true_moments_of_scores_that_are_exactly_beta_binomial() -> None:
    # Uniform true scores and 6 items: every score 0 to 6 is equally likely. True moments 1/2, 1/3, 1/4, 1/5.
    assert true_moments(np.arange(7.0), np.ones(7), 6) == pytest.approx([1 / 2, 1 / 3, 1 / 4, 1 / 5])
    assert np.isnan(true_moments(np.arange(3.0), np.ones(3), 2)[2:]).all()


@pytest.mark.parametrize(("true", "length", "least", "cut"), [
    (BetaTrueScore(5, 3, 0.25, 0.75, 4), 50, 25, 0.5), (BetaTrueScore(0.5, 0.7), 30, 18, 0.6),
    (BetaTrueScore(40, 12, 0.1, 0.95, 4), 200, 120, 0.6), (BetaTrueScore(2, 9), 40, 24, 0.6),
])
def test_the_table_of_pass_and_fail_is_the_integral_that_it_stands_for(
        true: BetaTrueScore, length: int, least: int, cut: float) -> None:
    width = true.upper - true.lower

    def integral(function: Callable[[float], float], low: float, high: float) -> float:
        return float(integrate.quad(lambda t: stats.beta.pdf((t - true.lower) / width, true.alpha, true.beta) / width
                                    * function(t), low, high, epsabs=1e-12, limit=400)[0])

    def passed(share: float) -> float:
        return float(stats.binom.sf(least - 1, length, share))

    found = pass_fail(true, length, least, cut)
    assert found.passing == pytest.approx(integral(passed, true.lower, true.upper), abs=1e-9)
    assert found.both == pytest.approx(integral(lambda t: passed(t) ** 2, true.lower, true.upper), abs=1e-9)
    assert found.right_pass == pytest.approx(integral(passed, cut, true.upper), abs=1e-9)
    assert found.able == pytest.approx(integral(lambda t: 1.0, cut, true.upper), abs=1e-9)


def test_a_true_cut_outside_of_the_true_scores_leaves_nobody_or_everybody_able() -> None:
    low = pass_fail(BetaTrueScore(5, 3, 0.25, 0.55, 4), 50, 30, 0.6)
    assert (low.right_pass, low.able) == (0, 0)
    high = pass_fail(BetaTrueScore(5, 3, 0.65, 0.95, 4), 50, 30, 0.6)
    assert high.right_pass == pytest.approx(high.passing)
    assert high.able == 1


def test_the_quadrature_is_exact_for_polynomials() -> None:
    places, weights = beta_nodes(0.5, 0.5, 8)  # alpha + beta = 1 is where the recurrence would divide 0 by 0
    assert weights.sum() == pytest.approx(1)
    assert weights @ places**2 == pytest.approx(0.5 * 1.5 / (1 * 2))
    places, weights = beta_nodes(1000, 2000, 20)  # and large shapes are where gamma functions would overflow
    assert weights @ (places - 1 / 3) ** 2 == pytest.approx((2 / 9) / 3001)


def test_livingston_and_lewis_find_what_a_simulation_of_two_forms_shows() -> None:
    # 60 equally difficult items, true scores .3 + .65 Beta(4, 2.5): two independent sittings of the same 200,000 persons.
    draw = np.random.default_rng(8)
    true = 0.3 + 0.65 * draw.beta(4, 2.5, size=200_000)
    one, two = draw.binomial(60, true), draw.binomial(60, true)
    found = decision_consistency(totals=one, maximum=60, reliability=float(np.corrcoef(one, two)[0, 1]), replicates=10)
    assert found.effective_length == pytest.approx(60, rel=0.02)
    assert found.consistency == pytest.approx(((one >= 36) == (two >= 36)).mean(), abs=0.006)
    assert found.accuracy == pytest.approx(((one >= 36) == (true >= 0.6)).mean(), abs=0.006)
    assert found.model == "beta distribution of four parameters"
    assert found.low.consistency <= found.consistency <= found.high.consistency


def test_the_cut_on_the_effective_length_is_rounded_as_told() -> None:
    # Mean 12 of 20, variance 16, reliability .75: length = (12 x 8 - 12) / 4 = 21, cut 12.6: floor 12, else 13.
    scores = np.array([8.0, 16.0])
    found = {way: livingston_lewis(scores, np.array([1e6, 1e6]), 20, 0, 0.75, 0.6, 2, way).indices.passing
             for way in ("floor", "nearest", "ceiling")}
    assert found["floor"] > found["nearest"] == found["ceiling"]
    with pytest.raises(ValueError, match="rounding"):
        livingston_lewis(scores, np.ones(2), 20, 0, 0.75, 0.6, 2, "up")


def test_the_score_distribution_is_that_of_every_pattern_counted() -> None:
    # All 2^6 patterns of six items at three abilities.
    right = right_probabilities([-1.0, 0.2, 1.5], a=[1, 0.7, 1.4, 2, 0.5, 1.1], b=[-1, 0, 0.5, 1, -0.3, 0.2], c=0.2)
    expected = np.zeros((3, 7))
    for pattern in itertools.product((0, 1), repeat=6):
        expected[:, sum(pattern)] += np.where(pattern, right, 1 - right).prod(axis=1)
    assert score_distribution(right) == pytest.approx(expected)
    assert expected_scores(right) == pytest.approx(right.sum(axis=1))


def test_the_score_distribution_takes_items_of_several_points() -> None:
    two = np.array([[0.2, 0.3, 0.5]])
    one = np.array([[0.6, 0.4]])
    # 0: .2 x .6; 1: .3 x .6 + .2 x .4; 2: .5 x .6 + .3 x .4; 3: .5 x .4.
    assert score_distribution([two, one])[0] == pytest.approx([0.12, 0.26, 0.42, 0.20])
    assert expected_scores([two, one]) == pytest.approx([1.3 + 0.4])
    with pytest.raises(ValueError, match="between 0 and 1"):
        score_distribution(np.array([[1.2]]))


def test_lee_by_every_pair_of_patterns() -> None:
    # Four items (three of four pass at 60 %), two nodes of weights .25 and .75; both sittings enumerated: 2 x 256 pairs.
    theta, weights = [-0.5, 1.0], np.array([0.25, 0.75])
    a, b, c = [1.0, 1.3, 0.8, 1.1], [-0.4, 0.2, 0.0, 0.6], [0.0, 0.1, 0.2, 0.25]
    right = right_probabilities(theta, a, b, c)
    same = correct = passing = 0.0
    for node in range(2):
        likely = {p: np.where(p, right[node], 1 - right[node]).prod() for p in itertools.product((0, 1), repeat=4)}
        able = right[node].sum() >= 2.4
        for one, p_one in likely.items():
            passing += weights[node] * p_one * (sum(one) >= 3)
            correct += weights[node] * p_one * ((sum(one) >= 3) == able)
            same += sum(weights[node] * p_one * p_two * ((sum(one) >= 3) == (sum(two) >= 3)) for two, p_two in likely.items())
    found = decision_consistency(method="lee", a=a, b=b, c=c, theta=theta, weights=weights, n=500)
    assert (found.estimate.passing, found.consistency, found.accuracy) == pytest.approx((passing, same, correct))
    chance = passing**2 + (1 - passing) ** 2
    assert found.kappa == pytest.approx((same - chance) / (1 - chance))
    assert (found.n, found.items) == (500, 4)
    assert found.low.consistency < found.consistency < found.high.consistency


def test_lee_over_persons_has_the_interval_of_a_mean() -> None:
    theta = np.random.default_rng(2).normal(size=300)
    right = right_probabilities(theta, np.ones(20), np.linspace(-2, 2, 20))
    found = decision_consistency(method="lee", probabilities=right, theta=theta)
    passed = score_distribution(right)[:, 12:].sum(axis=1)
    own = 1 - 2 * passed * (1 - passed)
    assert found.consistency == pytest.approx(own.mean())
    assert found.high.consistency - found.consistency == pytest.approx(1.959964 * own.std() / math.sqrt(300), rel=1e-4)


def test_the_interval_covers_what_many_sittings_show() -> None:
    # Beta-binomial totals of 200 persons; the truth from the population itself.
    truth = pass_fail(BetaTrueScore(6, 3), 40, 24, 0.6)
    draw, hits = np.random.default_rng(3), 0
    for trial in range(60):
        totals = draw.binomial(40, draw.beta(6, 3, size=200))
        found = decision_consistency(totals=totals, maximum=40, method="huynh", seed=trial, replicates=100)
        hits += found.low.consistency <= 1 - 2 * (truth.passing - truth.both) <= found.high.consistency
    assert 0.85 <= hits / 60 <= 1.0


def test_the_same_seed_gives_the_same_interval() -> None:
    draw = np.random.default_rng(6)
    scores = (draw.random((80, 30)) < draw.beta(4, 2, size=(80, 1))).astype(np.int8)
    one, two = (decision_consistency(scores, seed=5, replicates=30) for _ in range(2))
    assert one == two
    assert one.reliability == pytest.approx(30 / 29 * (1 - (scores.mean(0) * (1 - scores.mean(0))).sum() / scores.sum(1).var()))


def test_below_the_least_n_or_without_a_model_there_is_nothing_but_the_reason() -> None:
    few = decision_consistency(totals=np.arange(20), maximum=40, method="huynh")
    assert math.isnan(few.consistency)
    assert few.reason == "n = 20 is below 30"
    alike = decision_consistency(totals=np.full(50, 20), maximum=40, method="huynh")
    assert math.isnan(alike.kappa)
    assert "KR-21" in alike.reason
    nodes = decision_consistency(method="lee", theta=[0.0], a=[1.0], b=[0.0], weights=[1.0])
    assert "n is needed" in nodes.reason
    assert "reliability" in decision_consistency(totals=np.arange(40), maximum=40, reliability=1.0).reason


@pytest.mark.parametrize(("arguments", "said"), [
    ({"cut": 60}, "share"), ({"method": "coin"}, "coin"), ({}, "either"), ({"method": "lee"}, "Lee's"),
    ({"totals": [1, 2]}, "maximum"), ({"totals": [1, 9], "maximum": 5, "reliability": 0.5}, "between"),
    ({"method": "lee", "probabilities": [[0.5]], "weights": [1, 1]}, "must be"),
])
def test_arguments_that_do_not_fit_are_refused(arguments: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        decision_consistency(**arguments)

"""Reliability against hand arithmetic and printed tables."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from qbank.statistics.reliability import alpha, error_of_measurement, feldt_interval, kr20, kr21, split_half

NAN = float("nan")
# Five persons, four items: a Guttman scale. Totals 4 3 2 1 0.
SMALL = np.array([[1, 1, 1, 1], [1, 1, 1, 0], [1, 1, 0, 0], [0, 1, 0, 0], [0, 0, 0, 0]], np.int8)


def test_kr20_and_its_cousin_by_hand() -> None:
    # p q: .24 .16 .24 .16 = .80; variance of the totals 2. KR-20 = 4/3 (1 - .8/2) = .8.
    # KR-21 = 4/3 (1 - 2 (4 - 2) / (4 x 2)) = 4/3 x 1/2.
    assert kr20(SMALL).value == pytest.approx(0.8)
    assert kr21(2.0, 2.0, 4) == pytest.approx(2 / 3)


def test_feldts_interval_with_the_printed_table_of_f() -> None:
    # Table of F at 97.5 %: F(40, 120) = 1.61, F(120, 40) = 1.72. With 41 persons and 4 items the degrees of freedom are
    # 40 and 120: for alpha = .80, low = 1 - .20 x 1.61 = .678, high = 1 - .20 / 1.72 = .884.
    low, high = feldt_interval(0.80, 41, 4)
    assert low == pytest.approx(0.678, abs=1e-3)  # a table of two decimals
    assert high == pytest.approx(0.884, abs=5e-4)
    found = alpha(SMALL)
    assert (found.low, found.high) == pytest.approx(feldt_interval(0.8, 5, 4))


def test_feldts_interval_covers_the_truth_as_often_as_it_says() -> None:
    # Parallel normal items with alpha = .75: k = 6 items of true variance 1 and error variance 2: 6 x (1/3) / (1 + 5/3).
    draw, hits = np.random.default_rng(4), 0
    for _ in range(400):
        scores = draw.normal(size=(60, 1)) + draw.normal(size=(60, 6)) * math.sqrt(2) + 100.0
        found = alpha(scores)
        hits += found.low < 0.75 < found.high
    assert 0.92 < hits / 400 < 0.98


def test_an_interval_without_persons_or_items_is_none() -> None:
    assert all(math.isnan(bound) for bound in feldt_interval(0.8, 1, 4))
    assert all(math.isnan(bound) for bound in feldt_interval(NAN, 50, 4))
    assert alpha(np.ones((4, 3), np.int8)).reason == "all totals are equal"
    assert "below 30" in alpha(SMALL, minimum=30).reason
    assert "1 items" in alpha(SMALL[:, :1]).reason


def test_split_half_by_hand() -> None:
    # Odd items 1 and 3: 2 2 1 0 0 (mean 1); even items 2 and 4: 2 1 1 1 0 (mean 1). Cross: 1 + 0 + 0 + 0 + 1 = 2; squares
    # 1 + 1 + 0 + 1 + 1 = 4 and 1 + 0 + 0 + 0 + 1 = 2: r = 2 / sqrt 8 = .7071; stepped up 2 r / (1 + r) = .8284.
    found = split_half(SMALL)
    assert found.value == pytest.approx(2 * math.sqrt(0.5) / (1 + math.sqrt(0.5)))
    assert found.split == (0, 2)
    # First against second half: 2 2 2 1 0 and 2 1 0 0 0: means 1.4 and .6; cross .6 x 1.4 + .6 x .4 - .6 x .6 + .4 x .6
    # + 1.4 x .6 = 1.8; squares 3 x .36 + .16 + 1.96 = 3.2 and 1.96 + .16 + 3 x .36 = 3.2: r = .5625, stepped up .72.
    assert split_half(SMALL, split="halves").value == pytest.approx(0.72)
    assert split_half(SMALL, split=[True, True, False, False]).value == pytest.approx(0.72)
    assert split_half(SMALL, split=[True, True, False, False]).split == (0, 1)


def test_the_interval_of_a_split_half_is_fishers_stepped_up() -> None:
    # r = .5625 of 5 persons: z = .6365, spread 1.96 / sqrt 2 = 1.3859: r from tanh(-.7494) = -.6347 to tanh(2.0224) = .9656.
    found = split_half(SMALL, split="halves")
    assert found.low == pytest.approx(2 * -0.6347 / (1 - 0.6347), abs=2e-3)
    assert found.high == pytest.approx(2 * 0.9656 / 1.9656, abs=1e-4)


def test_a_split_that_is_none_is_refused() -> None:
    with pytest.raises(ValueError, match="some of the items"):
        split_half(SMALL, split=[True] * 4)
    with pytest.raises(ValueError, match="odd-even"):
        split_half(SMALL, split="thirds")
    level = np.array([[1, 0], [1, 1], [1, 0], [1, 1]], np.int8)
    assert split_half(level).reason == "all scores of one half are equal"


def test_errors_of_measurement_by_hand() -> None:
    # s = sqrt 2.5 with divisor 4; SEM = sqrt 2.5 x sqrt(1 - .8) = .7071. Lord at 2 of 4: sqrt(2 x 2 / 3) = 1.1547; Keats:
    # sqrt((1 - .8) / (1 - 2/3)) = sqrt .6: .8944. At the cut of 60 % (2.4 of 4): sqrt(2.4 x 1.6 / 3) x sqrt .6 = .8764.
    found = error_of_measurement(SMALL)
    assert found.overall == pytest.approx(math.sqrt(0.5))
    assert found.conditional[2] == pytest.approx(math.sqrt(4 / 3 * 0.6))
    assert found.at_cut == pytest.approx(math.sqrt(1.28 * 0.6))
    assert found.cut == pytest.approx(2.4)
    assert found.conditional[[0, 4]] == pytest.approx([0, 0])


def test_keats_makes_the_conditional_errors_agree_with_the_overall_one_on_average() -> None:
    draw = np.random.default_rng(5)
    ability = draw.normal(size=(400, 1))
    scores = (draw.random((400, 30)) < stats.norm.cdf(ability - draw.normal(size=30))).astype(np.int8)
    found, total = error_of_measurement(scores), scores.sum(axis=1)
    mean_square = (found.conditional[total] ** 2).mean()
    assert mean_square == pytest.approx(found.overall**2 * 399 / 400)


def test_the_error_of_measurement_is_the_residual_of_persons_by_items() -> None:
    # The residual mean square of SMALL: total squares 20 x .5 x .5 = 5 (ten of twenty are right); persons 4 x (.25 + .0625
    # + 0 + .0625 + .25) = 2.5; items 5 x (.01 + .09 + .01 + .09) = 1; residual 1.5 / 12 = .125; times 4 items = SEM^2 = .5.
    # Chi-square with 12 degrees of freedom: 4.404 and 23.337 (printed tables): .7071 sqrt(12 / 23.337) and sqrt(12 / 4.404).
    found = error_of_measurement(SMALL)
    assert found.overall**2 == pytest.approx(0.5)
    assert (found.low, found.high) == pytest.approx((0.7071 * math.sqrt(12 / 23.337), 0.7071 * math.sqrt(12 / 4.404)), rel=1e-3)
    assert found.at_cut_low / found.at_cut == pytest.approx(found.low / found.overall)


def test_what_was_not_reached_makes_a_person_incomplete_or_wrong_as_told() -> None:
    late = np.vstack([SMALL, np.array([[1, 1, -3, -3]], np.int8)])
    assert alpha(late).n == 5
    assert alpha(late, not_reached="wrong").n == 6
    omitted = np.where(SMALL == 0, -2, SMALL).astype(np.int8)
    assert kr20(omitted).value == pytest.approx(0.8)

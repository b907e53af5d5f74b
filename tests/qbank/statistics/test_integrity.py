"""Alike papers, impossible times, drifting items and suspect keys: by hand, by enumeration and on simulated sittings."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from scipy import optimize, special, stats

from qbank.statistics.answer_similarity import similarity_report
from qbank.statistics.distractors import option_tables, score_choices
from qbank.statistics.integrity import (
    BEATEN,
    NEGATIVE,
    NOBODY,
    OUTSHONE,
    additive_logits,
    drift,
    exposure,
    key_suspects,
    response_times,
)
from qbank.statistics.multiplicity import adjusted, benjamini_hochberg, holm
from qbank.statistics.option_model import RIDGE, fit_options, option_model
from qbank.statistics.responses import Responses
from qbank.statistics.score_distribution import upper_tail


def test_holm_and_benjamini_and_hochberg_by_hand() -> None:
    # .01 .04 .03 .005: in order .005 .01 .03 .04. Holm: x 4 3 2 1 = .02 .03 .06 .04, never falling: .02 .03 .06 .06.
    # Benjamini and Hochberg: x 4/1 4/2 4/3 4/4 = .02 .02 .04 .04. (R: p.adjust of the same.)
    p = [0.01, 0.04, 0.03, 0.005]
    assert holm(p) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert benjamini_hochberg(p) == pytest.approx([0.02, 0.04, 0.04, 0.02])
    gaps = holm([0.01, math.nan, 0.5])
    assert gaps[[0, 2]] == pytest.approx([0.02, 0.5])
    assert np.isnan(gaps[1])
    with pytest.raises(ValueError, match="holm"):
        adjusted(p, "none")


def test_the_tail_of_unequal_trials_is_that_of_every_outcome_counted() -> None:
    chances = np.array([[0.1, 0.25, 0.4, 0.05, 0.3], [0.2, 0.1, 0.0, 0.3, 0.15]])
    for row, least in ((0, 4), (1, 3)):
        whole = sum(np.where(outcome, chances[row], 1 - chances[row]).prod()
                    for outcome in itertools.product((0, 1), repeat=5) if sum(outcome) >= least)
        assert upper_tail(chances, np.array([4, 3]))[row] == pytest.approx(whole)
    assert upper_tail(chances, np.zeros(2, int)).tolist() == [1, 1]


def test_the_option_model_is_the_maximum_of_the_penalised_likelihood() -> None:
    counts, ability = np.array([[5, 9, 2], [8, 6, 3], [14, 2, 1.0]]), np.array([-1.0, 0.2, 1.1])

    def minus(parameters: np.ndarray) -> float:
        found = parameters.reshape(2, 3)
        p = special.log_softmax(np.column_stack([np.ones(3), ability]) @ found, axis=1)
        return -float((counts * p).sum()) + RIDGE / 2 * float((found**2).sum())

    best = optimize.minimize(minus, np.zeros(6), method="BFGS", options={"gtol": 1e-8}).x.reshape(2, 3)
    expected = special.softmax(np.column_stack([np.ones(3), ability]) @ best, axis=1)
    assert fit_options(counts, ability) == pytest.approx(expected, abs=1e-6)


def sitting(seed: int, persons: int = 300, items: int = 80, copiers: tuple[tuple[int, int, float], ...] = ()) -> Responses:
    """Nominal answers, key A; each copier takes the share of the source's answers."""
    draw = np.random.default_rng(seed)
    ability = draw.normal(size=persons)
    constant, slope = draw.normal(size=(items, 4)), draw.normal(size=(items, 4)) * 0.5
    constant[:, 0] += 0.8
    slope[:, 0] += 1.2
    chances = special.softmax(constant + slope * ability[:, None, None], axis=2)
    chosen = (chances.cumsum(axis=2) < draw.random((persons, items, 1))).sum(axis=2)
    for copier, source, share in copiers:
        taken = draw.random(items) < share
        chosen[copier, taken] = chosen[source, taken]
    return score_choices(np.array(list("ABCD"), dtype=object)[chosen], ["A"] * items)


SEATS = np.tile(np.stack(np.divmod(np.arange(30), 6), axis=1), (10, 1))
ROOMS = np.repeat(np.arange(10), 30)


def test_who_copied_from_the_neighbour_comes_first_in_the_report() -> None:
    report = similarity_report(sitting(1, copiers=((0, 1, 0.6),)), rooms=ROOMS, seats=SEATS)
    assert (report.first[0], report.second[0]) == (0, 1)
    assert report.adjacent[0]
    assert report.noticed.tolist() == [True] + [False] * (report.pairs - 1)
    assert report.pairs == 10 * 30 * 29 // 2
    # A room of 5 rows and 6 columns: 25 + 24 + 2 x 20 neighbouring pairs.
    assert report.adjacent_pairs == 10 * 89
    assert report.matches[0] > report.expected[0] + 15
    assert max(report.omega_first[0], report.omega_second[0]) > 5
    assert report.wrong_p[0] < 0.001
    assert report.frame().iloc[0]["noticed"]
    near = similarity_report(sitting(1, copiers=((0, 1, 0.6),)), rooms=ROOMS, seats=SEATS, pairs="adjacent", index="omega",
                             adjust="bh")
    assert near.pairs == 890
    assert near.noticed[0]


def test_honest_rooms_raise_hardly_an_alarm() -> None:
    p = np.concatenate([similarity_report(sitting(100 + seed, persons=100, items=50)).gbt_p for seed in range(6)])
    assert (p <= 0.05).mean() < 0.06
    assert (p <= 0.001).mean() < 0.002


def test_omega_and_the_binomial_test_by_hand_with_given_chances() -> None:
    # Two items, options A and B; person 1 chose AA, person 2 AB. Chances of A: .6 and .7 for person 1, .5 and .4 for 2.
    chances = np.array([[[0.6, 0.4], [0.7, 0.3]], [[0.5, 0.5], [0.4, 0.6]]])
    responses = score_choices(np.array([["A", "A"], ["A", "B"]], dtype=object), ["A", "A"])
    report = similarity_report(responses, probabilities=chances)
    # Person 1 as the copier: chances of 2's answers A and B: .6 and .3; (1 - .9) / sqrt(.24 + .21).
    assert report.omega_first[0] == pytest.approx(0.1 / math.sqrt(0.45))
    # Person 2 as the copier: chances of 1's answers A, A: .5 and .4.
    assert report.omega_second[0] == pytest.approx(0.1 / math.sqrt(0.25 + 0.24))
    # Matches on item 1: .6 x .5 + .4 x .5 = .5; on item 2: .7 x .4 + .3 x .6 = .46. One or more: 1 - .5 x .54 = .73; the
    # normal tail 1 - Phi((.5 - .96) / sqrt(.4984)) = .743 stands for it, being far above any level.
    assert report.expected[0] == pytest.approx(0.96)
    assert report.gbt_p[0] == pytest.approx(0.73, abs=0.02)


def test_identical_wrong_answers_are_judged_given_that_both_are_wrong() -> None:
    # Ten items, both wrong on all, always the same of three distractors with chances .5 .3 .2 given wrong, in both: .38 each.
    chances = np.tile([0.6, 0.2, 0.12, 0.08], (2, 10, 1))
    letters = np.tile(np.array(list("BBBBBCCCDD"), dtype=object), (2, 1))
    letters = np.vstack([letters, ["A"] * 10])
    chances = np.concatenate([chances, chances[:1]])
    report = similarity_report(score_choices(letters, ["A"] * 10), probabilities=chances, pairs=[[0, 1], [0, 2]])
    assert report.identical_wrong.tolist() == [10, 0]
    assert report.both_wrong.tolist() == [10, 0]
    assert report.wrong_p[0] == pytest.approx(0.38**10)
    assert report.wrong_p[1] == 1


def test_items_that_one_was_not_given_and_open_answers_prove_nothing_wrong() -> None:
    letters = np.array([["B", "", "B", "B"], ["B", "", "B", "B"]], dtype=object)
    responses = score_choices(letters, ["A"] * 4, presented=np.array([[1, 1, 1, 1], [1, 1, 1, 0]]))
    model = option_model(responses)
    assert model.options == ("", "B")
    report = similarity_report(responses, probabilities=np.full((2, 4, 2), 0.5))
    assert (report.items[0], report.matches[0], report.identical_wrong[0]) == (3, 3, 2)


def test_a_report_without_persons_or_pairs_says_why() -> None:
    few = similarity_report(sitting(1, persons=10))
    assert (few.pairs, few.reason) == (0, "n = 10 is below 50")
    alone = similarity_report(sitting(1, persons=60), rooms=np.arange(60))
    assert alone.reason == "there is no pair to compare"
    with pytest.raises(ValueError, match="seats"):
        similarity_report(sitting(1, persons=60), pairs="adjacent")
    with pytest.raises(ValueError, match="two different rows"):
        similarity_report(sitting(1, persons=60), pairs=[[1, 1]])
    with pytest.raises(ValueError, match="gbt"):
        similarity_report(sitting(1, persons=60), index="k")  # type: ignore[arg-type]


def timed(seed: int) -> tuple[np.ndarray, np.ndarray]:
    draw = np.random.default_rng(seed)
    times = np.exp(draw.normal(3.5, 0.4, 40) - draw.normal(0, 0.3, (200, 1)) + draw.normal(0, 0.5, (200, 40)))
    return times, (draw.random((200, 40)) < 0.7).astype(np.int8)


def test_answers_faster_than_reading_are_counted() -> None:
    times, right = timed(1)
    times[3, :20], right[3, :20] = 0.4, 1  # knew the key
    times[4, :15], right[4, :15] = 0.9, 0  # clicked through
    times[5, 0] = -2.0
    found = response_times(times, right)
    assert found.impossible[[3, 4, 5, 6]].tolist() == [20, 15, 1, 0]
    assert found.effort[3] == pytest.approx(0.5)
    # The chance of 20 of 20 right by guessing at .25 is .25^20; of 0 of 15 it is 1.
    assert found.rapid_right_p[3] == pytest.approx(0.25**20)
    assert found.rapid_right_p[4] == 1
    assert found.unusual_adjusted[3] < 0.01
    assert np.delete(found.rapid, [3, 4, 5]).max() <= 1


def test_the_threshold_is_a_tenth_of_the_mean_time_within_its_bounds() -> None:
    times = np.full((40, 4), [20.0, 300.0, 5.0, np.nan])
    found = response_times(times, np.ones((40, 4)))
    assert found.thresholds.tolist() == [2.0, 10.0, 1.0, 1.0]
    assert response_times(times, np.ones((40, 4)), minimum=41).thresholds.tolist() == [1.0] * 4


def test_honest_times_look_usual() -> None:
    times, right = timed(2)
    found = response_times(times, right)
    # Standardised residuals with a speed estimated for each person: mean square 1 - 1/40; p spread evenly.
    assert np.nanmean(found.residuals**2) == pytest.approx(1 - 1 / 40, abs=0.01)
    assert stats.kstest(found.unusual_p, "uniform").pvalue > 0.01
    assert (found.unusual_adjusted > 0.01).all()
    with pytest.raises(ValueError, match="persons by items"):
        response_times(times, right[:3])


def test_an_item_that_leaks_rises_and_an_able_sitting_lifts_all() -> None:
    draw = np.random.default_rng(7)
    item, ability = draw.normal(0.5, 1, 60), np.array([0, 0.6, -0.4, 0.2, 0.5, 0.9])
    leak = np.zeros((6, 60))
    leak[3:, 7] = 1.2
    n = np.full((6, 60), 300)
    right = draw.binomial(n, special.expit(ability[:, None] + item + leak))
    found = drift(right, n)
    assert found.leaking.nonzero()[0].tolist() == [7]
    assert found.alarm[7] in (3, 4)
    assert found.trend_z[7] > 4
    known = drift(right, n, expected=special.expit(ability[:, None] + item))
    assert known.leaking[7]
    assert known.residuals[4, 7] == pytest.approx(
        (right[4, 7] - 300 * special.expit(0.5 + item[7])) / math.sqrt(300 * special.expit(0.5 + item[7]) * special.expit(-0.5 - item[7])))


def test_the_trend_by_hand() -> None:
    # Three sittings of 100 with expected .5: 50, 55, 60 right. Slope (-1)(0) + 0(5) + 1(10) = 10; variance 25 (1 + 0 + 1).
    found = drift([[50], [55], [60]], np.full((3, 1), 100), expected=np.full((3, 1), 0.5))
    assert found.trend_z[0] == pytest.approx(10 / math.sqrt(50))
    # Running sum of residuals 0, 1, 2 above .5: 0, .5, 2.
    assert found.cusum[:, 0] == pytest.approx([0, 0.5, 2.0])
    once = drift([[50], [9]], [[100], [12]], expected=np.full((2, 1), 0.5))
    assert np.isnan(once.trend_z[0])  # the second sitting is below the least n
    assert not once.leaking[0]
    with pytest.raises(ValueError, match="sittings by items"):
        drift([[3]], [[2]])


def test_the_additive_model_reproduces_its_margins() -> None:
    draw = np.random.default_rng(9)
    n = draw.integers(50, 200, size=(5, 12)).astype(float)
    right = draw.binomial(n.astype(int), 0.6).astype(float)
    share = additive_logits(right, n)
    assert (n * share).sum(axis=1) == pytest.approx(right.sum(axis=1), rel=2e-3)
    assert (n * share).sum(axis=0) == pytest.approx(right.sum(axis=0), rel=5e-3)


def test_exposure_by_hand() -> None:
    found = exposure([[100, 0, 50], [0, 40, 60]], [100, 60])
    assert found.rate == pytest.approx([100 / 160, 40 / 160, 110 / 160])
    assert found.latest == pytest.approx([0, 40 / 60, 1])
    assert found.sittings.tolist() == [1, 1, 2]
    assert found.over.tolist() == [True, False, True]
    with pytest.raises(ValueError, match="no more given"):
        exposure([[200]], [100])


def test_a_wrong_key_is_suspect_and_the_right_option_is_named() -> None:
    responses = sitting(3, persons=200, items=30)
    key = ["A"] * 30
    key[4] = "C"
    assert responses.choices is not None
    wrong = score_choices(responses.choices, key)
    suspects = key_suspects(option_tables(wrong, key))
    assert (suspects[0].item, suspects[0].option, suspects[0].certain) == (4, "A", True)
    assert set(suspects[0].reasons) >= {BEATEN, OUTSHONE}
    assert len([suspect for suspect in suspects if suspect.certain]) <= 3  # the others are chance
    assert key_suspects(option_tables(wrong, key), minimum=201) == []


def test_a_key_that_the_able_avoid_is_suspect_for_that_alone() -> None:
    # Forty persons, five items; item 1 is right (X) only for those who fail the rest.
    letters = np.array([["Y"] + ["X"] * 4] * 20 + [["X"] + ["Y"] * 4] * 20, dtype=object)
    found = key_suspects(option_tables(score_choices(letters, ["X"] * 5), ["X"] * 5))
    assert (found[0].item, found[0].option, found[0].certain) == (0, "Y", True)
    assert found[0].reasons == (NEGATIVE, BEATEN, OUTSHONE)


def test_a_key_that_nobody_chose_is_the_most_suspect_of_all() -> None:
    responses = sitting(3, persons=60, items=10)
    key = ["E", *["A"] * 9]
    assert responses.choices is not None
    first = key_suspects(option_tables(score_choices(responses.choices, key), key))[0]
    assert (first.item, first.reasons, first.certain) == (0, (NOBODY,), True)

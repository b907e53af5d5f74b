"""Items that do not behave as the model says are named, on one form and on many."""

from __future__ import annotations

from itertools import product
from types import SimpleNamespace

import numpy as np
import numpy.typing as npt
import pytest
from scipy import stats

from qbank.statistics.item_fit import infit_outfit, residual_correlations, s_x2
from qbank.statistics.responses import Responses

# LSAT section 7 (Bock & Lieberman 1970, Psychometrika 35, 179-197): persons of each pattern 00000, 00001, ... 11111.
LSAT7 = [12, 19, 1, 7, 3, 19, 3, 17, 10, 5, 3, 7, 7, 23, 8, 28, 7, 39, 11, 34, 14, 51, 15, 90, 6, 25, 7, 35, 18, 136, 32, 308]
# Its 2PL solution (R mirt and ltm; a and b = -d / a).
LSAT7_ITEMS = SimpleNamespace(a=np.array([0.98755, 1.08084, 1.70748, 0.76499, 0.73567]),
                              b=np.array([-1.87926, -0.74754, -1.05724, -0.63530, -2.52076]), c=np.zeros(5))


def lsat7() -> Responses:
    return Responses(np.array(list(product((0, 1), repeat=5)), dtype=np.int8), weights=np.array(LSAT7, dtype=float))


def test_s_x2_of_lsat7_is_that_of_r() -> None:
    # itemfit(mirt(expand.table(LSAT7), 1)) in R mirt's documentation: S_X2, df and p of the five items.
    found = s_x2(LSAT7_ITEMS, lsat7())
    assert found.statistic == pytest.approx([4.749, 14.451, 1.270, 5.237, 0.941], abs=0.006)
    assert found.degrees.tolist() == [2] * 5
    assert found.p == pytest.approx([0.093, 0.001, 0.530, 0.073, 0.625], abs=0.0011)
    assert found.rmsea == pytest.approx([0.037, 0.079, 0.000, 0.040, 0.000], abs=0.0006)
    assert found.n.tolist() == [1000] * 5


def drawn(persons: int, items: int, seed: int) -> tuple[SimpleNamespace, npt.NDArray[np.int8], npt.NDArray[np.float64]]:
    draw = np.random.default_rng(seed)
    truth = SimpleNamespace(a=draw.uniform(0.7, 1.6, items), b=draw.normal(0, 1, items), c=np.full(items, 0.2))
    theta = draw.normal(size=persons)
    p = truth.c + (1 - truth.c) / (1 + np.exp(-truth.a * (theta[:, None] - truth.b)))
    return truth, (draw.random((persons, items)) < p).astype(np.int8), theta


def test_items_that_fit_reject_about_one_time_in_twenty() -> None:
    """True parameters, nothing estimated: p-values are uniform, on two forms that share no person."""
    p = []
    for seed in range(6):
        truth, scores, _ = drawn(1200, 20, seed)
        scores[:600, :6] = -1
        scores[600:, 14:] = -1
        p += s_x2(truth, scores, estimated=0).p.tolist()
    assert stats.kstest(p, "uniform").pvalue > 0.01
    assert 0.0 <= np.mean(np.array(p) < 0.05) < 0.11


def test_an_item_with_a_wrong_key_stands_out_with_missing_by_design() -> None:
    truth, scores, _ = drawn(1500, 20, 5)
    scores[:, 7] = 1 - scores[:, 7]
    scores[:700, :5] = -1
    scores[700:, 15:] = -1
    found = s_x2(truth, scores)
    assert found.p[7] < 1e-10
    assert np.nanmedian(np.delete(found.p, 7)) > 0.05
    assert found.n.tolist() == [800] * 5 + [1500] * 10 + [700] * 5


def test_expected_shares_are_those_of_full_enumeration() -> None:
    """All 2^4 patterns at every node, no recursion."""
    from qbank.statistics.item_fit import _expected

    draw = np.random.default_rng(1)
    chance, prior = draw.uniform(0.1, 0.9, (4, 9)), np.full(9, 1 / 9)
    by_sum, with_item = np.zeros(5), np.zeros((4, 5))
    for pattern in product((0, 1), repeat=4):
        likely = float((np.where(np.array(pattern)[:, None], chance, 1 - chance).prod(axis=0) * prior).sum())
        by_sum[sum(pattern)] += likely
        with_item[:, sum(pattern)] += likely * np.array(pattern)
    assert _expected(chance, prior) == pytest.approx(with_item[:, 1:4] / by_sum[1:4])


def test_a_form_of_a_few_persons_says_nothing() -> None:
    truth, scores, _ = drawn(19, 10, 3)
    found = s_x2(truth, scores)
    assert np.isnan(found.statistic).all()
    assert np.isnan(found.p).all()
    assert found.n.tolist() == [0] * 10


def test_mean_squares_by_hand() -> None:
    # One item a = 1, b = 0 and three persons at θ = 0, ln 3, -ln 3: P = 1/2, 3/4, 1/4; PQ = 1/4, 3/16, 3/16.
    # Answers 1, 0, 1: residuals 1/2, -3/4, 3/4; squared 1/4, 9/16, 9/16; over PQ: 1, 3, 3.
    # Outfit (1 + 3 + 3) / 3 = 7/3; infit (1/4 + 9/16 + 9/16) / (1/4 + 3/16 + 3/16) = (22/16) / (10/16) = 2.2.
    item = SimpleNamespace(a=np.array([1.0]), b=np.array([0.0]))
    found = infit_outfit(item, np.array([[1], [0], [1], [-1]]), [0.0, np.log(3), -np.log(3), 0.0])
    assert found.outfit == pytest.approx([7 / 3])
    assert found.infit == pytest.approx([2.2])
    assert found.n.tolist() == [3]
    # Outfit's variance: mean of (1 - 3PQ)/PQ - 1 over 3 persons / 3 = ((0 + 4/3 + 4/3)) / 9 = 8/27; q = 0.54433.
    q = np.sqrt(8 / 27)
    assert found.outfit_t == pytest.approx([(np.cbrt(7 / 3) - 1) * 3 / q + q / 3])


def test_good_items_have_mean_squares_near_one() -> None:
    truth, scores, theta = drawn(4000, 15, 9)
    found = infit_outfit(truth, scores, theta)
    assert np.abs(found.infit - 1).max() < 0.1
    assert np.abs(found.infit_t).max() < 4
    assert np.abs(found.outfit_t).max() < 4


def test_q3_is_the_correlation_of_residuals_over_those_who_had_both() -> None:
    truth, scores, theta = drawn(300, 5, 2)
    scores[:60, 0] = -1
    scores[40:110, 3] = -1
    found = residual_correlations(truth, scores, theta)
    p = truth.c + (1 - truth.c) / (1 + np.exp(-truth.a * (theta[:, None] - truth.b)))
    both = (scores[:, 0] >= 0) & (scores[:, 3] >= 0)
    by_hand = np.corrcoef((scores - p)[both, 0], (scores - p)[both, 3])[0, 1]
    assert found.q3[0, 3] == pytest.approx(by_hand)
    assert found.q3[3, 0] == pytest.approx(by_hand)
    assert found.n[0, 3] == both.sum()
    assert np.isnan(np.diag(found.q3)).all()


def test_two_items_of_which_one_answers_the_other_are_found() -> None:
    truth, scores, theta = drawn(1500, 12, 4)
    copied = np.random.default_rng(0).random(1500) < 0.6
    scores[copied, 8] = scores[copied, 2]
    found = residual_correlations(truth, scores, theta)
    assert [pair[:2] for pair in found.pairs()] == [(2, 8)]


def test_what_makes_no_sense_is_refused() -> None:
    with pytest.raises(ValueError, match="scored 0 or 1"):
        s_x2(LSAT7_ITEMS, np.full((3, 5), 2))
    with pytest.raises(ValueError, match="2 abilities for 3 persons"):
        infit_outfit(LSAT7_ITEMS, np.ones((3, 5)), [0.0, 1.0])

"""The whole analysis, tables of options and shrinkage, by hand arithmetic and plain loops."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from scipy import integrate, sparse, special, stats

from qbank.statistics.analysis import item_analysis
from qbank.statistics.classical import TwoShares, biserial, classical_table, extremes, upper_lower
from qbank.statistics.distractors import option_tables, score_choices, score_groups
from qbank.statistics.intervals import fisher, newcombe, wilson
from qbank.statistics.responses import Responses
from qbank.statistics.shrinkage import beta_binomial_log_likelihood, shrink

KEY = "ABC"
# Ten persons; "-" is an omission.
ANSWERS = ["ABC", "ABC", "ABD", "ABA", "ACC", "BBC", "BAC", "B-D", "BAD", "CAD"]


def answers() -> np.ndarray:
    return np.array([["" if letter == "-" else letter for letter in row] for row in ANSWERS], dtype=object)


def test_the_table_of_options_by_hand() -> None:
    # Rights: 3 3 2 2 2 2 1 0 0 0. Fifths by rank with equal scores together: the three at 0 have the middle rank .15, the
    # one at 1 .35, the four at 2 .6, the two at 3 .9: groups 0 0 0, 1, 3 3 3 3, 4 4.
    responses = score_choices(answers(), list(KEY))
    assert score_groups(np.array([3, 3, 2, 2, 2, 2, 1, 0, 0, 0]) / 3).tolist() == [4, 4, 3, 3, 3, 3, 1, 0, 0, 0]
    first, second, _ = option_tables(responses, list(KEY))
    assert first.options == ("A", "B", "C")
    assert first.in_key.tolist() == [True, False, False]
    assert first.count.tolist() == [5, 4, 1]
    assert first.share.tolist() == [0.5, 0.4, 0.1]
    assert first.group_n.tolist() == [3, 1, 0, 4, 2]
    assert first.by_group[0] == pytest.approx([0, 2 / 3, 1 / 3])
    assert first.by_group[3] == pytest.approx([3 / 4, 1 / 4, 0])
    assert np.isnan(first.by_group[2]).all()
    assert first.group_share[[0, 3, 4]] == pytest.approx([0, 2 / 3, 1])
    assert (second.count.sum(), second.n) == (9, 10)  # one left it open
    # Option B of item 1 with the rest (rights of items 2 and 3): 2 2 1 1 1 2 1 0 0 0, mean 1; chosen by 6, 7, 8 and 9:
    # deviations 1 0 -1 -1: cross -1; squares of the rest 1+1+0+0+0+1+0+1+1+1 = 6, of the option 10 x .4 x .6 = 2.4.
    assert first.point_biserial[1] == pytest.approx(-1 / math.sqrt(6 * 2.4))


def test_the_key_of_a_table_can_be_what_scored() -> None:
    responses = score_choices(answers(), list(KEY))
    assert [table.in_key.tolist() for table in option_tables(responses)] == \
        [table.in_key.tolist() for table in option_tables(responses, list(KEY))]
    with pytest.raises(ValueError, match="raw choices"):
        option_tables(Responses(responses.scores))
    with pytest.raises(ValueError, match="keys"):
        score_choices(answers(), ["A"])


def test_sparse_answers_have_the_same_tables_as_dense_ones() -> None:
    draw = np.random.default_rng(1)
    letters = draw.choice(list("ABCD"), size=(60, 8)).astype(object)
    given = draw.random(letters.shape) < 0.6
    dense = score_choices(letters, list("ABCDABCD"), presented=given)
    rows, columns = np.nonzero(given)
    stored = Responses(sparse.csr_array((dense.scores[rows, columns], (rows, columns)), shape=given.shape),
                       choices=letters[rows, columns])
    for one, two in zip(option_tables(dense), option_tables(stored), strict=True):
        assert one.options == two.options
        assert one.by_group == pytest.approx(two.by_group, nan_ok=True)
        assert one.point_biserial == pytest.approx(two.point_biserial)


def test_upper_and_lower_groups_share_out_who_ties_at_the_border() -> None:
    # Ten persons, 27 % are 2.7. Upper: both with 3 and .7 of the four with 2 (.175 each); lower: 2.7 of the three with 0.
    scores = (answers() == np.array(list(KEY))).astype(np.int8)
    upper, lower = extremes(scores.mean(axis=1), np.ones(10))
    assert upper == pytest.approx([1, 1, 0.175, 0.175, 0.175, 0.175, 0, 0, 0, 0])
    assert lower == pytest.approx([0] * 7 + [0.9] * 3)
    # Item 1: right in the upper group 2 + 3 x .175 = 2.525 of 2.7, in the lower nobody.
    assert upper_lower(scores).values[0] == pytest.approx(2.525 / 2.7)


def test_the_biserial_is_the_point_biserial_over_the_ordinate() -> None:
    # p = .5: ordinate .398942, sqrt(p q) = .5: factor 1.253314. Lord and Novick (1968), table of page 338.
    scores = (answers() == np.array(list(KEY))).astype(np.int8)
    table = classical_table(scores)
    assert table.biserial[0] / table.item_rest[0] == pytest.approx(1.253314, abs=1e-6)
    assert biserial(scores).values == pytest.approx(table.biserial)


def test_the_table_is_what_plain_loops_give_on_forms_with_gaps_weights_and_partial_credit() -> None:
    draw = np.random.default_rng(2)
    scores = draw.integers(0, 3, size=(500, 12)).astype(np.int8)
    scores[draw.random(scores.shape) < 0.3] = -1
    scores[draw.random(scores.shape) < 0.05] = -2
    scores[400:, 9:] = -3
    weights, passed = draw.integers(1, 4, 500).astype(float), draw.random(500) < 0.5
    found = classical_table(scores, passed=passed, weights=weights)
    given, points = (scores >= 0) | (scores == -2), np.maximum(scores, 0)
    total, many = (points * given).sum(axis=1), given.sum(axis=1)
    for j in range(12):
        here = given[:, j]
        x, w = points[here, j], weights[here]
        rest, p = (total[here] - x) / (many[here] - 1), passed[here]
        cov = np.cov(x, rest, aweights=w)
        assert found.difficulty[j] == pytest.approx(np.average(x, weights=w))
        assert found.item_rest[j] == pytest.approx(cov[0, 1] / math.sqrt(cov[0, 0] * cov[1, 1]))
        assert found.b_index[j] == pytest.approx(np.average(x[p], weights=w[p]) - np.average(x[~p], weights=w[~p]))
        assert found.omitted[j] == pytest.approx((scores[:, j] == -2).sum() / (scores[:, j] != -1).sum())
        assert found.not_reached[j] == pytest.approx((scores[:, j] == -3).sum() / (scores[:, j] != -1).sum())
    assert found.not_reached[9] > 0


def test_an_item_of_too_few_answers_has_its_shrunk_difficulty_and_nothing_else() -> None:
    draw = np.random.default_rng(3)
    scores = (draw.random((200, 10)) < 0.7).astype(np.int8)
    scores[12:, 4] = -1
    found = item_analysis(scores, expert=np.full(10, 0.7))
    assert found.reasons[4] == "n = 12 is below 30"
    for column in (found.table.difficulty, found.table.item_rest, found.table.b_index, *found.bounds.difficulty, *found.bounds.b_index):
        assert np.isnan(column[4])
        assert not np.isnan(np.delete(column, 4)).any()
    assert found.shrunk is not None
    assert found.shrunk.shrunk.tolist() == [j == 4 for j in range(10)]
    raw = scores[:12, 4].mean()
    assert min(raw, 0.7) - 0.05 < found.shrunk.estimate[4] < max(raw, 0.7) + 0.05
    frame = found.frame()
    assert list(frame.index) == [str(j + 1) for j in range(10)]
    assert frame.loc["5", "reason"] == "n = 12 is below 30"


def test_the_door_takes_frames_and_tells_each_form_its_reliability() -> None:
    draw = np.random.default_rng(4)
    ability = draw.normal(size=(120, 1))
    scores = (draw.random((120, 9)) < special.expit(ability)).astype(float)
    scores[:60, 6:] = np.nan
    scores[60:, :3] = np.nan
    frame = pd.DataFrame(scores, columns=[f"题{j}" for j in range(9)])
    assert item_analysis(frame).items == tuple(frame.columns)
    codes = np.where(np.isnan(scores), -1, scores).astype(np.int8)
    found = item_analysis(Responses(codes, forms=np.repeat(["甲", "乙"], 60)))
    assert {form.form: form.items for form in found.forms} == {"甲": tuple(range(6)), "乙": tuple(range(3, 9))}
    part = codes[:60, :6]
    first = next(form for form in found.forms if form.form == "甲")
    assert first.alpha.value == pytest.approx(6 / 5 * (1 - part.var(axis=0).sum() / part.sum(axis=1).var()))
    assert first.error is not None
    assert first.error.cut == pytest.approx(3.6)


def test_the_cut_decides_who_passed() -> None:
    # Six of ten items right is a pass, though .6 is not exact in binary.
    scores = np.zeros((40, 10), np.int8)
    scores[:20, :6] = 1
    scores[20:, :5] = 1
    assert item_analysis(scores).table.b_index[5] == pytest.approx(1)
    assert np.isnan(item_analysis(scores, cut=None).table.b_index).all()


def test_the_intervals_by_hand() -> None:
    # Wilson, 8 of 10, z = 1.96: centre (8 + 1.9208) / 13.8416 = .71674; half 1.96 sqrt(1.6 + .9604) / 13.8416 = .22658.
    low, high = wilson(np.array([8.0, 0.0]), np.array([10.0, 0.0]))
    assert (low[0], high[0]) == pytest.approx((0.4902, 0.9433), abs=1e-4)
    assert np.isnan(low[1])
    # Fisher, r = .5 of 28 persons: .5493 -+ 1.96 / 5: tanh .1573 = .1560, tanh .9413 = .7358.
    low, high = fisher(np.array([0.5, 0.5]), np.array([28.0, 3.0]))
    assert (low[0], high[0]) == pytest.approx((0.1560, 0.7358), abs=1e-4)
    assert np.isnan(high[1])


def test_the_interval_of_a_difference_is_newcombes() -> None:
    # Newcombe (1998), table II: 56 of 70 against 48 of 80: .2000, method 10: .0524 to .3339; 9 of 10 against 3 of 10: .6000,
    # .1705 to .8090; 10 of 10 against 0 of 10: .6075 to 1.
    low, high = newcombe(TwoShares(np.array([70.0, 10, 10]), np.array([56.0, 9, 10]),
                                   np.array([80.0, 10, 10]), np.array([48.0, 3, 0])))
    assert low == pytest.approx([0.0524, 0.1705, 0.6075], abs=5e-5)
    assert high == pytest.approx([0.3339, 0.8090, 1.0], abs=5e-5)


def test_every_number_has_its_interval_around_it() -> None:
    draw = np.random.default_rng(8)
    scores = (draw.random((150, 20)) < special.expit(draw.normal(size=(150, 1)))).astype(np.int8)
    scores[draw.random(scores.shape) < 0.1] = -2
    found = item_analysis(scores)
    for name in ("difficulty", "item_rest", "biserial", "upper_lower", "b_index", "omitted"):
        low, high = getattr(found.bounds, name)
        assert (low < getattr(found.table, name)).all(), name
        assert (getattr(found.table, name) < high).all(), name
    assert {"b_index_low", "omitted_high", "shrunk"} <= set(found.frame().columns)
    graded = item_analysis(draw.integers(0, 4, (50, 5)).astype(np.int8))
    assert np.isnan(graded.bounds.difficulty[0]).all()
    assert graded.shrunk is None
    assert not np.isnan(graded.bounds.item_rest[0]).any()


def test_shrinkage_by_hand_with_a_prior_of_known_weight() -> None:
    # 2 right of 8 and an expert's .6 worth 12 answers: (2 + 7.2) / 20 = .46; the data weigh 8 / 20.
    found = shrink([2], [8], [0.6], prior_weight=12)
    assert found.estimate[0] == pytest.approx(0.46)
    assert found.weight[0] == pytest.approx(0.4)
    assert found.shrunk[0]
    assert not found.estimated
    assert found.low[0] == pytest.approx(stats.beta.ppf(0.025, 9.2, 10.8))


def test_the_weight_of_the_experts_is_estimated_from_how_well_they_foretell() -> None:
    draw = np.random.default_rng(5)
    expert = draw.uniform(0.3, 0.9, 400)
    for weight in (8.0, 60.0):
        p = draw.beta(weight * expert, weight * (1 - expert))
        found = shrink(draw.binomial(40, p), np.full(400, 40), expert)
        assert found.estimated
        assert found.prior_weight == pytest.approx(weight, rel=0.3)
        assert abs(found.shift) < 0.15
        inside = (found.low < p) & (p < found.high)
        assert 0.92 < inside.mean() < 0.98
        assert ((found.estimate - p) ** 2).mean() < ((draw.binomial(40, p) / 40 - p) ** 2).mean()


def test_a_panel_that_is_too_strict_is_corrected() -> None:
    draw = np.random.default_rng(6)
    p = draw.uniform(0.4, 0.9, 300)
    found = shrink(draw.binomial(200, p), np.full(300, 200), special.expit(special.logit(p) - 0.8))
    assert found.shift == pytest.approx(0.8, abs=0.1)
    assert shrink(draw.binomial(200, p), np.full(300, 200), p, correct_experts=False).shift == 0


def test_the_marginal_likelihood_is_the_integral_that_it_stands_for() -> None:
    found = beta_binomial_log_likelihood(np.array([3.0]), np.array([7.0]), np.array([2.0]), np.array([5.0]))
    whole = integrate.quad(lambda p: p**3 * (1 - p)**4 * stats.beta.pdf(p, 2, 5), 0, 1)[0]
    assert math.exp(found[0]) == pytest.approx(whole)


def test_without_experts_items_are_shrunk_towards_each_other_and_nonsense_is_refused() -> None:
    found = shrink([9, 1, 5, 5, 6, 0], [10, 10, 10, 10, 10, 0])
    assert 0.1 < found.estimate[1] < 0.5 < found.estimate[0] < 0.9
    assert found.estimate[5] == pytest.approx(27 / 52)  # nobody answered: the common mean, (26 + 1) / (50 + 2)
    assert not shrink([1], [2], [0.5]).estimated  # too few items to judge the experts by
    for right, n, expert, said in (([3], [2], None, "between"), ([1], [2], [1.0], "inside"), ([1], [2], [0.5, 0.5], "experts")):
        with pytest.raises(ValueError, match=said):
            shrink(right, n, expert)

"""Classical statistics against hand arithmetic and published data."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest

from qbank.statistics.classical import b_index, choices, difficulty, item_rest, omission
from qbank.statistics.distractors import option_tables, score_choices
from qbank.statistics.integrity import key_suspects
from qbank.statistics.presented import presented
from qbank.statistics.reliability import alpha, kr20

NAN = float("nan")
# Five persons, four items.            right  rest of item 1
SMALL = np.array([[1, 1, 1, 1],      # 4      3
                  [1, 1, 1, 0],      # 3      2
                  [1, 1, 0, 0],      # 2      1
                  [0, 1, 0, 0],      # 1      1
                  [0, 0, 0, 0]], float)  # 0  0
SAT12 = Path(__file__).parents[4] / "shared" / "data" / "psychometrics" / "03_sat12.json"


def test_difficulty_is_the_share_correct() -> None:
    found = difficulty(SMALL)
    assert found.values == pytest.approx([0.6, 0.8, 0.4, 0.2])
    assert list(found.n) == [5] * 4


def test_item_rest_leaves_the_item_out_of_its_own_criterion() -> None:
    # Item 1: x = 1 1 1 0 0, rest = 3 2 1 1 0 (mean 1.4). Deviations of x: .4 .4 .4 -.6 -.6; of rest: 1.6 .6 -.4 -.4 -1.4.
    # Cross products: .64 + .24 - .16 + .24 + .84 = 1.8; squares: 1.2 and 2.56 + .36 + .16 + .16 + 1.96 = 5.2.
    assert item_rest(SMALL).values[0] == pytest.approx(1.8 / math.sqrt(1.2 * 5.2))
    # Item 4: x = 1 0 0 0 0, rest = 3 3 2 1 0 (mean 1.8): cross .8*1.2 - .2*(1.2 + .2 - .8 - 1.8) = .96 + .24 = 1.2;
    # squares .8 and 1.44 + 1.44 + .04 + .64 + 3.24 = 6.8.
    assert item_rest(SMALL).values[3] == pytest.approx(1.2 / math.sqrt(0.8 * 6.8))


def test_the_b_index_is_the_difference_between_those_who_passed_and_those_who_failed() -> None:
    # The first two passed. Item 1: 2/2 - 1/3; item 2: 2/2 - 2/3; item 3: 2/2 - 0/3; item 4: 1/2 - 0.
    found = b_index(SMALL, np.array([True, True, False, False, False]))
    assert found.values == pytest.approx([2 / 3, 1 / 3, 1, 0.5])
    assert list(found.n) == [5] * 4


def test_kr20_by_hand() -> None:
    # p q: .24 .16 .24 .16 = .80. Totals 4 3 2 1 0: variance 2. KR-20 = 4/3 (1 - .8 / 2) = 0.8.
    found = kr20(SMALL)
    assert found.value == pytest.approx(0.8)
    assert (found.n, found.items) == (5, 4)


def test_alpha_takes_partial_credit_and_kr20_does_not() -> None:
    half = SMALL.copy()
    half[0, 0] = 0.5
    assert alpha(half).value < 0.8
    with pytest.raises(ValueError, match="0 or 1"):
        kr20(half)


def test_persons_on_different_papers_share_a_matrix_and_each_counts_against_the_own_rest() -> None:
    # Two papers that share item 2 (column 1): five persons on items 1-4 as above, five on items 2 and 5 only.
    other = np.full((5, 4), NAN)
    other[:, 1] = [1, 1, 0, 0, 0]
    extra = np.array([[NAN]] * 5 + [[1], [0], [1], [0], [0]], float)
    together = np.hstack([np.vstack([SMALL, other]), extra])
    found = difficulty(together)
    assert list(found.n) == [5, 10, 5, 5, 5]
    assert found.values == pytest.approx([0.6, 0.6, 0.4, 0.2, 0.4])
    rest = item_rest(together)
    assert rest.values[[0, 2, 3]] == pytest.approx(item_rest(SMALL).values[[0, 2, 3]])
    # Item 2, pooled: x = 1 1 1 1 0 | 1 1 0 0 0 (mean .6); rest as shares: 1 2/3 1/3 0 0 | 1 0 1 0 0 (mean .4).
    x, y = np.array([1, 1, 1, 1, 0, 1, 1, 0, 0, 0]), np.array([1, 2 / 3, 1 / 3, 0, 0, 1, 0, 1, 0, 0])
    assert rest.values[1] == pytest.approx(np.corrcoef(x, y)[0, 1])


def test_what_is_not_defined_is_not_a_number() -> None:
    everybody = np.array([[1, 1], [1, 0], [1, 1]], float)
    assert np.isnan(item_rest(everybody).values[0])  # item 1 has no variance
    assert np.isnan(item_rest(everybody).values[1])  # its rest has none
    assert np.isnan(b_index(everybody, np.array([True, True, True])).values).all()  # nobody failed
    nobody = np.full((3, 1), NAN)
    assert np.isnan(difficulty(nobody).values[0])
    assert list(difficulty(nobody).n) == [0]
    assert np.isnan(kr20(np.ones((4, 3))).value)
    assert np.isnan(kr20(np.ones((4, 1))).value)
    assert np.isnan(item_rest(np.array([[1.0], [0.0]])).values[0])  # a paper of one item has no rest
    assert difficulty(np.empty((0, 2))).n.tolist() == [0, 0]


def test_below_the_least_n_there_is_no_number_but_still_the_n() -> None:
    found = difficulty(SMALL, minimum=6)
    assert np.isnan(found.values).all()
    assert list(found.n) == [5] * 4
    assert np.isnan(kr20(SMALL, minimum=6).value)
    assert kr20(SMALL, minimum=6).n == 5


def test_omitted_and_not_given_are_two_things() -> None:
    scores = np.array([[0, NAN], [0, 1], [1, 0]], float)
    omitted = np.array([[True, True], [False, False], [False, True]])
    found = omission(scores, omitted)
    assert found.values == pytest.approx([1 / 3, 1 / 2])  # what was not given was not omitted
    answers = np.array([["", "A"], ["B", "C"], ["A", ""]], dtype=object)
    assert choices(answers, scores) == [{"A": 1, "B": 1}, {"C": 1}]


def test_a_form_is_judged_by_those_who_were_given_all_of_it() -> None:
    partly = np.vstack([SMALL, [1, NAN, 1, 1]])
    assert kr20(partly) == kr20(SMALL)


def test_the_published_sat12_items_agree_with_plain_arithmetic_on_each_of_them() -> None:
    if not SAT12.exists():
        pytest.skip(f"the trial data do not lie beside the checkout: {SAT12}")
    read = json.loads(SAT12.read_text())
    answers = np.array([[int(c) for c in row] for row in read["data"]["rows"]])
    scores = (answers == np.array(read["key"])).astype(float)
    assert scores.shape == (600, 32)
    rest = item_rest(scores)
    total = scores.sum(axis=1)
    for j in range(32):
        assert rest.values[j] == pytest.approx(np.corrcoef(scores[:, j], total - scores[:, j])[0, 1])
    # psych::alpha of the same data, by the definition: k/(k-1) (1 - sum p q / variance of the totals).
    p = scores.mean(axis=0)
    assert kr20(scores).value == pytest.approx(32 / 31 * (1 - (p * (1 - p)).sum() / total.var()))
    # The key of item 32 is option 5 in these data; the able chose option 3.
    letters = np.where(answers == 8, "", answers.astype(str)).astype(object)
    key = [str(letter) for letter in read["key"]]
    suspects = key_suspects(option_tables(score_choices(letters, key), key))
    assert [(suspect.item + 1, suspect.option) for suspect in suspects if suspect.certain] == [(32, "3")]
    omitted = omission(scores, answers == 8)
    assert omitted.n.tolist() == [600] * 32
    assert omitted.values.sum() * 600 == pytest.approx((answers == 8).sum())


def test_a_policy_that_does_not_exist_is_refused() -> None:
    with pytest.raises(ValueError, match="not_reached"):
        presented(SMALL, not_reached="maybe")  # type: ignore[arg-type]


def test_codes_in_floats_are_codes_and_not_scores() -> None:
    coded = np.where(np.arange(20).reshape(5, 4) % 7 == 3, -1.0, SMALL)
    blank = np.where(coded == -1, NAN, coded)
    assert difficulty(coded).values == pytest.approx(difficulty(blank).values)
    assert item_rest(coded).n.tolist() == item_rest(blank).n.tolist()

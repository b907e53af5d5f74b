"""What answers earn, in half-points: all or nothing, or partial credit where it was asked for."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from examroom.marking.responses import tabulate
from examroom.marking.scoring import Keyed, earned, mark, verdict
from qbank.items.policy import Policy
from qbank.statistics.responses import NOT_REACHED, OMITTED


@pytest.mark.parametrize(("kind", "key", "answer", "expected", "word"), [
    ("single", "B", "B", 2, "正确"), ("single", "B", "A", 0, "错误"), ("single", "B", "", 0, "未答"),
    ("judge", "T", "T", 2, "正确"), ("judge", "T", "F", 0, "错误"),
    ("multiple", "AC", "AC", 2, "正确"), ("multiple", "AC", "CA", 2, "正确"), ("multiple", "AC", "A", 0, "少选"),
    ("multiple", "AC", "ABC", 0, "多选"), ("multiple", "AC", "ABCD", 0, "多选"), ("multiple", "AC", "BD", 0, "错误"),
])
def test_the_policy_of_every_type(kind: str, key: str, answer: str, expected: int, word: str) -> None:
    item = Keyed(1, kind, key, 2)
    assert earned(item, answer) == expected
    assert verdict(item, answer) == word


PARTIAL = Policy(partial_multiple=True, partial_fill=True)
keys = st.sets(st.sampled_from("ABCDEFGHIJ"), min_size=1).map(lambda letters: "".join(sorted(letters)))


@given(keys, st.integers(1, 20), st.sampled_from([Policy(), PARTIAL]))
def test_ticking_everything_never_pays_unless_it_is_the_key(key: str, worth: int, policy: Policy) -> None:
    assert earned(Keyed(1, "multiple", key, worth), "ABCDEFGHIJ", policy) == (worth if key == "ABCDEFGHIJ" else 0)


@given(keys, keys, st.sampled_from("ABCDEFGHIJ"), st.integers(1, 20), st.sampled_from([Policy(), PARTIAL]))
def test_more_right_never_earns_less_and_anything_wrong_earns_nothing(key: str, chosen: str, more: str, worth: int, policy: Policy) -> None:
    item = Keyed(1, "multiple", key, worth)
    points = earned(item, chosen, policy)
    assert 0 <= points <= worth
    assert earned(item, chosen) <= points
    if more in key:
        assert earned(item, "".join({*chosen, more}), policy) >= points
    if set(chosen) - set(key):
        assert points == 0


@given(st.lists(st.booleans(), min_size=1, max_size=8), st.integers(0, 7), st.integers(1, 20))
def test_more_blanks_right_never_earn_less(right: list[bool], place: int, worth: int) -> None:
    item = Keyed(1, "fill", "\n".join(f"答{n}" for n in range(len(right))), worth)
    answer = [f"答{n}" if good else "错" for n, good in enumerate(right)]
    points = earned(item, "\n".join(answer), PARTIAL)
    assert points == worth * sum(right) // len(right)
    assert earned(item, "\n".join(answer)) == (worth if all(right) else 0)
    answer[place % len(right)] = f"答{place % len(right)}"
    assert earned(item, "\n".join(answer), PARTIAL) >= points


@pytest.mark.parametrize(("kind", "key", "answer", "expected", "word"), [
    ("multiple", "ABC", "AB", 2, "少选"),  # 1.5 points: 3 half-points × 2/3
    ("multiple", "ABCD", "A", 0, "少选"),  # 3 × 1/4 is not a whole half-point
    ("multiple", "ABC", "ABD", 0, "错误"), ("multiple", "ABC", "ABCD", 0, "多选"), ("single", "B", "B", 3, "正确"),
    ("fill", "接触器\n=220±5% V", "接触器\n215V", 3, "正确"), ("fill", "接触器\n=220±5% V", "接触器", 1, "部分正确"),
    ("fill", "接触器\n=220±5% V", "\n210 V", 1, "部分正确"), ("fill", "甲", "乙", 0, "错误"), ("fill", "甲", " ", 0, "未答"),
    ("essay", "要点", "要点", 0, "由人评分"), ("short", "要点", "", 0, "未答")])
def test_partial_credit_in_whole_half_points(kind: str, key: str, answer: str, expected: int, word: str) -> None:
    item = Keyed(1, kind, key, 3)
    assert earned(item, answer, PARTIAL) == expected
    assert verdict(item, answer) == word
    assert Policy().sentence(kind)


def test_a_sheet_by_hand() -> None:
    items = [Keyed(1, "single", "B", 1), Keyed(2, "single", "C", 1), Keyed(3, "multiple", "AC", 2), Keyed(4, "judge", "T", 1)]
    marking = mark(items, {1: "B", 2: "A", 3: "AC"})
    assert marking.half_points == 3  # 0.5 + 0 + 1.0 + 0 points
    assert marking.earned == {1: 1, 2: 0, 3: 2, 4: 0}
    assert marking.reasons == ("单选题 2 题：答对 1，答错 1，未答 0，得 0.5 / 1.0 分。选对得满分；选错、多选或不选不得分。",
                               "多选题 1 题：答对 1，答错 0，未答 0，得 1.0 / 1.0 分。全部选对得满分；错选、少选、多选均不得分。",
                               "判断题 1 题：答对 0，答错 0，未答 1，得 0.0 / 0.5 分。判断正确得满分；判断错误或不作判断不得分。")
    partly = mark(items, {3: "A"}, PARTIAL)
    assert (partly.half_points, partly.reasons[1]) == (1, (
        "多选题 1 题：答对 0，答错 0，未答 0，部分得分 1，得 0.5 / 1.0 分。"
        "全部选对得满分；少选时按选对的项数占应选项数的比例得分，不足 0.5 分的部分舍去；选了任何一个错误选项均不得分。"))


def test_omitted_and_not_reached_are_two_things() -> None:
    items = [Keyed(number, "single", "A", 2) for number in (1, 2, 3, 4)]
    # 陈晓 saw 3, 1, 4, 2 and answered 3 and 4: 1 is omitted (between them), 2 was never reached. 刘洋 answered nothing.
    table = tabulate(items, [[3, 1, 4, 2], [1, 2, 3, 4]], [{3: "A", 4: "B"}, {}])
    np.testing.assert_array_equal(table.codes, [[OMITTED, NOT_REACHED, 1, 0], [OMITTED] * 4])
    assert table.choices.tolist() == [["", "", "A", "B"], [""] * 4]


def test_an_item_that_is_tried_out_is_worth_nothing_and_still_right_or_wrong() -> None:
    items = [Keyed(1, "single", "B", 2), Keyed(2, "single", "B", 0)]
    assert mark(items, {1: "B", 2: "B"}).half_points == mark(items, {1: "B", 2: "A"}).half_points == 2
    assert [verdict(items[1], answer) for answer in ("B", "A", "")] == ["正确", "错误", "未答"]
    assert tabulate(items, [[1, 2], [1, 2]], [{1: "B", 2: "A"}, {1: "A", 2: "B"}]).codes.tolist() == [[1, 0], [0, 1]]

"""All or nothing per item, in half-points."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from examroom.marking.responses import tabulate
from examroom.marking.scoring import Keyed, earned, mark, verdict
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


@given(st.sets(st.sampled_from("ABCDEFGHIJ"), min_size=1, max_size=9))
def test_ticking_everything_never_pays(key: set[str]) -> None:
    assert earned(Keyed(1, "multiple", "".join(sorted(key)), 2), "ABCDEFGHIJ") == 0


def test_a_sheet_by_hand() -> None:
    items = [Keyed(1, "single", "B", 1), Keyed(2, "single", "C", 1), Keyed(3, "multiple", "AC", 2), Keyed(4, "judge", "T", 1)]
    marking = mark(items, {1: "B", 2: "A", 3: "AC"})
    assert marking.half_points == 3  # 0.5 + 0 + 1.0 + 0 points
    assert marking.earned == {1: 1, 2: 0, 3: 2, 4: 0}
    assert marking.reasons == ("单选题 2 题：答对 1，答错 1，未答 0，得 0.5 / 1.0 分", "多选题 1 题：答对 1，答错 0，未答 0，得 1.0 / 1.0 分",
                               "判断题 1 题：答对 0，答错 0，未答 1，得 0.0 / 0.5 分")


def test_omitted_and_not_reached_are_two_things() -> None:
    items = [Keyed(number, "single", "A", 2) for number in (1, 2, 3, 4)]
    # 陈晓 saw 3, 1, 4, 2 and answered 3 and 4: 1 is omitted (between them), 2 was never reached. 刘洋 answered nothing.
    table = tabulate(items, [[3, 1, 4, 2], [1, 2, 3, 4]], [{3: "A", 4: "B"}, {}])
    np.testing.assert_array_equal(table.codes, [[OMITTED, NOT_REACHED, 1, 0], [OMITTED] * 4])
    assert table.choices.tolist() == [["", "", "A", "B"], [""] * 4]

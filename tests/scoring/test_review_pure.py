"""The review's arithmetic and text search, on plain values."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qbank.kernel.refused import Refused
from qbank.standards.review_form import read_form
from qbank.standards.rounding import HALF_DOWN, HALF_UP
from scoring.review import overlap
from scoring.review.joining import MemberMarks, join_panel
from scoring.review.seats import judges
from scoring.review.states import Timer

FORM = (("材料", 40), ("答辩", 40), ("业绩", 20))


def test_panel_marks_are_weighted_exactly() -> None:
    # 甲 70·0.4+80·0.4+60·0.2 = 72; 乙 65.5·0.4+58·0.4+90·0.2 = 67.4; 丙 50·0.4+60·0.4+50·0.2 = 54. Mean 193.4/3 = 64.4666…
    joined = join_panel([MemberMarks("甲", (140, 160, 120)), MemberMarks("乙", (131, 116, 180)), MemberMarks("丙", (100, 120, 100))], FORM)
    assert joined.mean == Fraction(1934, 15)
    assert joined.half_points == 129  # 64.47 → 64.5
    assert joined.spread == 36  # 72 - 54 = 18 points
    assert joined.reasons[1] == "乙 评：材料 65.5 分，答辩 58.0 分，业绩 90.0 分，合 67.40 分"
    assert joined.reasons[-1] == "材料 40%、答辩 40%、业绩 20%；3 名评审专家平均 64.46 分，记 64.5 分（四舍五入到 0.5 分）"


def test_a_mean_just_below_the_pass_is_never_rounded_into_it() -> None:
    marks = [MemberMarks("甲", (119, 119, 120)), MemberMarks("乙", (120, 120, 120)), MemberMarks("丙", (120, 120, 119))]
    joined = join_panel(marks, FORM)  # (59.6 + 60 + 59.9) / 3 = 59.83
    assert joined.half_points == 119
    assert "不进为合格" in joined.reasons[-1]
    assert join_panel(marks[1:2], FORM).half_points == 120


def test_marks_that_do_not_fit_the_form_are_errors() -> None:
    with pytest.raises(ValueError, match="no marks"):
        join_panel([], FORM)
    with pytest.raises(ValueError, match=r"shorter|longer"):
        join_panel([MemberMarks("甲", (100, 100))], FORM)
    with pytest.raises(ValueError, match="100"):
        join_panel([MemberMarks("甲", (100,))], (("材料", 90),))


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(0, 200), st.integers(0, 200), st.integers(0, 200)), min_size=3, max_size=7),
       st.sampled_from([HALF_UP, HALF_DOWN]))
def test_the_score_passes_exactly_when_the_mean_does(points: list[tuple[int, int, int]], mode: int) -> None:
    joined = join_panel([MemberMarks("考", one) for one in points], FORM, mode=mode)
    assert (joined.half_points >= 120) == (joined.mean >= 120)
    assert join_panel([MemberMarks("考", one) for one in reversed(points)], FORM, mode=mode).half_points == joined.half_points


def test_a_form_is_read_as_an_office_writes_it() -> None:
    assert read_form("材料 40%、答辩 40%、业绩 20%") == FORM
    assert read_form("论文：60％；答辩:40") == (("论文", 60), ("答辩", 40))
    for text, words in (("材料 40%、答辩 40%", "80%"), ("材料", "名称和百分比"), ("材料 50%、材料 50%", "不能重复"),
                        ("", "1 到"), ("材料 0%、答辩 100%", "名称")):
        with pytest.raises(Refused) as refused:
            read_form(text)
        assert words in refused.value.sentence


def test_seats_stay_as_many_as_they_were() -> None:
    assert judges([1, 2, 3], {}) == (1, 2, 3)
    assert judges([1, 2, 3], {2: 7}) == (1, 7, 3)
    assert judges([1, 2, 3], {2: None}) == (1, None, 3)
    assert judges([1, 2, 3], {2: 7, 7: 8}) == (1, 8, 3)  # the substitute has to leave too
    assert judges([1, 2, 3], {2: 7, 7: 2}) == (1, None, 3)


@settings(deadline=None)
@given(st.dictionaries(st.integers(1, 9), st.none() | st.integers(1, 9), max_size=9))
def test_no_absence_makes_the_panel_smaller(left: dict[int, int | None]) -> None:
    found = judges([1, 2, 3, 4, 5], left)
    assert len(found) == 5
    assert not {one for one in found if one is not None} & left.keys()


def test_the_clock_of_a_defence_counts_pauses_out() -> None:
    nine = datetime(2026, 6, 1, 1, tzinfo=UTC)
    assert Timer(30, 0, None).left(nine) == 1800
    assert Timer(30, 600, nine).left(nine + timedelta(minutes=5)) == 900
    assert Timer(15, 0, nine).left(nine + timedelta(minutes=16)) == -60


WORK = "首先检查变频器的输出电流波形，确认编码器屏蔽层在端子排处断开，随后重新布置信号电缆并单端接地"


def test_a_copied_passage_is_found_whatever_stands_between_its_characters() -> None:
    copied = "我的体会是：" + WORK.replace("，", "\n ,") + "。此后设备运行正常。"
    passage, = overlap.Checked("引言。" + WORK + "。结束语写自己的话。").passages(overlap.reduce(copied))
    assert passage.length == len(overlap.reduce(WORK).text) == 44
    assert copied[passage.other_start:passage.other_end] == WORK.replace("，", "\n ,")


def test_a_few_changed_characters_do_not_break_a_passage_and_set_phrases_are_none() -> None:
    changed = WORK.replace("确认", "可以断定")
    passage, = overlap.Checked(WORK).passages(overlap.reduce(changed))
    assert passage.length >= 40
    assert overlap.Checked(WORK).passages(overlap.reduce("首先检查变频器的输出电流波形是否正常")) == []  # 14 characters in common


def test_the_share_counts_a_place_once() -> None:
    own = "甲" * 3 + WORK + "乙" * 5
    checked = overlap.Checked(own)
    found = checked.passages(overlap.reduce(WORK)) + checked.passages(overlap.reduce("丙丙" + WORK))
    assert checked.share(found) == round(1000 * 44 / 52)
    assert checked.share([]) == overlap.Checked("").share([]) == 0


@settings(deadline=None)
@given(st.text("甲乙丙丁戊，。", max_size=80), st.text("甲乙丙丁戊，。", max_size=80))
def test_passages_are_the_same_words_in_both_texts(first: str, second: str) -> None:
    for one in overlap.Checked(first).passages(overlap.reduce(second)):
        mine, other = overlap.reduce(first[one.start:one.end]).text, overlap.reduce(second[one.other_start:one.other_end]).text
        assert mine[:overlap.SHINGLE] == other[:overlap.SHINGLE]
        assert mine[-1] == other[-1]


@settings(deadline=None)
@given(st.text("ab", max_size=30), st.lists(st.tuples(st.integers(0, 30), st.integers(0, 30)), max_size=4))
def test_a_text_that_is_cut_for_marking_loses_nothing(text: str, spans: list[tuple[int, int]]) -> None:
    assert "".join(piece for piece, _ in overlap.cut(text, spans)) == text

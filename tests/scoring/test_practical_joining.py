"""Joining practical marks and panel marks, against hand arithmetic."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scoring.practical.joining import AssessorMarks, join_marks, spoken_mean, spoken_points
from scoring.review.joining import MemberMarks, join_panel


def test_three_assessors_mean_is_exact_and_shown_rounded_down() -> None:
    # 60.5 + 59.5 + 59.5 = 179.5; / 3 = 59.8333…: shown 59.5, fails, never lifted to 60.
    joined = join_marks([AssessorMarks("张", 121), AssessorMarks("李", 119), AssessorMarks("王", 119)])
    assert joined.mean == Fraction(359, 3)
    assert joined.half_points == 119
    assert not joined.passed
    assert joined.reasons == ("张 评 60.5 分", "李 评 59.5 分", "王 评 59.5 分", "3 名考评员平均 59.83 分，记 59.5 分（向下取到 0.5 分）")


def test_a_mean_of_exactly_60_passes() -> None:
    # 59 + 60 + 61 = 180; / 3 = 60
    joined = join_marks([AssessorMarks("张", 118), AssessorMarks("李", 120), AssessorMarks("王", 122)])
    assert joined.half_points == 120
    assert joined.passed
    assert joined.reasons[-1] == "3 名考评员平均 60.00 分，记 60.0 分"


def test_a_mean_just_under_60_is_not_spoken_as_60() -> None:
    # 7 assessors, 839 half-points: 119.857 half-points = 59.928… points
    assert spoken_mean(Fraction(839, 7)) == "59.92"
    assert spoken_mean(Fraction(120) - Fraction(1, 1000)) == "59.99"
    assert spoken_points(119) == "59.5"


def test_a_star_row_violated_for_two_of_three_fails_the_part_and_the_verdicts_are_named() -> None:
    sheets = [AssessorMarks("张三", 180, (True,)), AssessorMarks("李四", 180, (True,)), AssessorMarks("王五", 180, (False,))]
    joined = join_marks(sheets, ["断电后验电"])
    assert joined.vetoed
    assert not joined.passed
    assert joined.half_points == 180
    assert joined.reasons[-1] == "★“断电后验电”判定不一致：张三、李四判违反，王五判未违反；操作技能判为不合格"


def test_one_of_three_does_not_veto_but_is_named_and_two_of_four_does() -> None:
    one = join_marks([AssessorMarks("张", 180, (True,)), AssessorMarks("李", 180, (False,)), AssessorMarks("王", 180, (False,))],
                     ["验电"])
    assert not one.vetoed
    assert one.passed
    assert "未达半数" in one.reasons[-1]
    two = join_marks([AssessorMarks(name, 180, (name in "张李",)) for name in "张李王赵"], ["验电"])
    assert two.vetoed


def test_all_agree_and_nobody_saw_a_violation() -> None:
    assert join_marks([AssessorMarks(name, 150, (True,)) for name in "张李王"], ["验电"]).reasons[-1].startswith(
        "★“验电”：3 名考评员均判违反")
    assert len(join_marks([AssessorMarks(name, 150, (False,)) for name in "张李王"], ["验电"]).reasons) == 4


def test_a_sheet_without_every_verdict_and_no_sheets_are_errors() -> None:
    with pytest.raises(ValueError, match="veto"):
        join_marks([AssessorMarks("张", 100)], ["验电"])
    with pytest.raises(ValueError, match="no marks"):
        join_marks([])


@given(st.lists(st.integers(0, 200), min_size=1, max_size=9))
def test_the_shown_score_passes_exactly_when_the_exact_mean_does(totals: list[int]) -> None:
    joined = join_marks([AssessorMarks("考", total) for total in totals])
    assert joined.passed == (sum(totals) >= 120 * len(totals))
    assert (joined.half_points >= 120) == joined.passed


def test_panel_marks_are_weighted_exactly() -> None:
    # thesis 40 %, defence 60 %. Members: 70·0.4+80·0.6 = 76; 65.5·0.4+58·0.6 = 61; 50·0.4+60·0.6 = 56. Mean 193/3 = 64.33
    joined = join_panel([MemberMarks("甲", 140, 160), MemberMarks("乙", 131, 116), MemberMarks("丙", 100, 120)],
                        thesis_percent=40)
    assert joined.mean == Fraction(386, 3)
    assert joined.half_points == 128
    assert joined.reasons[1] == "乙 评：书面材料 65.5 分，答辩 58.0 分，合 61.00 分"
    assert joined.reasons[-1] == "书面材料占 40%、答辩占 60%，3 名评审专家平均 64.33 分，记 64.0 分（向下取到 0.5 分）"


def test_a_weighted_total_between_two_half_points_is_not_rounded_up() -> None:
    # One member: 59.5·0.5 + 60·0.5 = 59.75 → 59.5
    assert join_panel([MemberMarks("甲", 119, 120)], thesis_percent=50).half_points == 119
    with pytest.raises(ValueError, match="percent"):
        join_panel([MemberMarks("甲", 119, 120)], thesis_percent=101)

"""Joining practical marks and panel marks, against hand arithmetic."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qbank.standards.rounding import HALF_DOWN, HALF_UP
from scoring.practical.joining import (
    AssessorMarks,
    JoinRules,
    ModuleMarks,
    join_marks,
    join_modules,
    spoken_mean,
    spoken_points,
    too_far,
    trimmed,
)


def test_three_assessors_mean_is_exact_and_never_lifted_to_a_pass() -> None:
    # 60.5 + 59.5 + 59.5 = 179.5; / 3 = 59.8333…: shown 59.5, fails, never lifted to 60.
    joined = join_marks([AssessorMarks("张", 121), AssessorMarks("李", 119), AssessorMarks("王", 119)])
    assert joined.exact == Fraction(359, 3)
    assert joined.half_points == 119
    assert not joined.passed
    assert joined.reasons == ("张 评 60.5 分", "李 评 59.5 分", "王 评 59.5 分", "3 名考评员平均 59.83 分",
                              "合计 59.83 分，记 59.5 分（四舍五入到 0.5 分，不进为合格）")


def test_a_mean_of_exactly_60_passes() -> None:
    # 59 + 60 + 61 = 180; / 3 = 60
    joined = join_marks([AssessorMarks("张", 118), AssessorMarks("李", 120), AssessorMarks("王", 122)])
    assert joined.half_points == 120
    assert joined.passed
    assert joined.reasons[-2:] == ("3 名考评员平均 60.00 分", "记 60.0 分")


@pytest.mark.parametrize(("mode", "shown"), [(HALF_UP, 150), (HALF_DOWN, 149)])
def test_the_rule_pack_says_how_a_mean_is_rounded(mode: int, shown: int) -> None:
    # 74.5 + 75 + 75 = 224.5; / 3 = 74.8333…, 149.67 half-points
    sheets = [AssessorMarks("张", 149), AssessorMarks("李", 150), AssessorMarks("王", 150)]
    assert join_marks(sheets, rules=JoinRules(rounding=mode)).half_points == shown


def test_from_five_assessors_on_the_highest_and_the_lowest_are_left_out() -> None:
    # 50, 70, 71, 72, 95: the mean of 70, 71, 72 is 71; of all five it would be 71.6
    sheets = [AssessorMarks(name, 2 * points) for name, points in zip("张李王赵钱", (50, 72, 70, 95, 71), strict=True)]
    assert join_marks(sheets).half_points == 142
    assert "去掉最高分和最低分，3 名考评员平均 71.00 分" in join_marks(sheets).reasons
    assert join_marks(sheets, rules=JoinRules(trim_from=0)).exact == Fraction(716, 5)
    assert trimmed([1, 2], 1) == [1, 2]  # of two nobody is left out


def test_marks_further_apart_than_the_limit_are_found_on_the_scale_of_the_rubric() -> None:
    assert not too_far([120, 140, 130], 200, JoinRules(spread=20))  # exactly 10 points apart
    assert too_far([120, 141, 130], 200, JoinRules(spread=20))
    assert too_far([20, 27, 24], 60, JoinRules(spread=20))  # 3.5 of 30 points is more than a tenth


def test_a_chief_decides_and_the_others_stay_in_the_reasons() -> None:
    sheets = (AssessorMarks("张三", 110, (True,)), AssessorMarks("李四", 150, (True,)), AssessorMarks("王五", 140, (False,)))
    chief = AssessorMarks("赵六", 130, (False,))
    joined = join_modules([ModuleMarks(sheets, ("验电",), chief=chief, chief_reason="回看录像，验电已做")])
    assert (joined.half_points, joined.vetoed, joined.passed) == (130, False, True)
    assert joined.reasons[:4] == ("张三 评 55.0 分", "李四 评 75.0 分", "王五 评 70.0 分",
                                  "3 名考评员最多相差 20.0 分，超过规定，由考评组长 赵六 评定 65.0 分：回看录像，验电已做")


def test_modules_are_added_exactly_and_rounded_once() -> None:
    # 20.1667 + 40.1667 = 60.3333: 60.5, but each rounded down alone would give 60
    first = ModuleMarks(tuple(AssessorMarks(name, total) for name, total in zip("张李王", (40, 40, 41), strict=True)), name="模块一")
    second = ModuleMarks(tuple(AssessorMarks(name, total) for name, total in zip("张李王", (80, 80, 81), strict=True)), name="模块二")
    joined = join_modules([first, second])
    assert joined.exact == Fraction(362, 3)
    assert joined.half_points == 121
    assert joined.reasons[0] == "模块一：张 评 20.0 分"
    assert joined.reasons[-1] == "合计 60.33 分，记 60.5 分（四舍五入到 0.5 分）"


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
    assert joined.reasons[-2] == "★“断电后验电”判定不一致：张三、李四判违反，王五判未违反；操作技能判为不合格"


def test_one_of_three_does_not_veto_but_is_named_and_two_of_four_does() -> None:
    one = join_marks([AssessorMarks("张", 180, (True,)), AssessorMarks("李", 180, (False,)), AssessorMarks("王", 180, (False,))],
                     ["验电"])
    assert not one.vetoed
    assert one.passed
    assert "未达半数" in one.reasons[-2]
    two = join_marks([AssessorMarks(name, 180, (name in "张李",)) for name in "张李王赵"], ["验电"])
    assert two.vetoed


def test_all_agree_and_nobody_saw_a_violation() -> None:
    assert join_marks([AssessorMarks(name, 150, (True,)) for name in "张李王"], ["验电"]).reasons[-2].startswith(
        "★“验电”：3 名考评员均判违反")
    assert len(join_marks([AssessorMarks(name, 150, (False,)) for name in "张李王"], ["验电"]).reasons) == 5


def test_a_sheet_without_every_verdict_and_no_sheets_are_errors() -> None:
    with pytest.raises(ValueError, match="veto"):
        join_marks([AssessorMarks("张", 100)], ["验电"])
    with pytest.raises(ValueError, match="no marks"):
        join_marks([])


@given(st.lists(st.integers(0, 200), min_size=1, max_size=9))
def test_the_shown_score_passes_exactly_when_the_exact_mean_does(totals: list[int]) -> None:
    joined = join_marks([AssessorMarks("考", total) for total in totals], rules=JoinRules(trim_from=0))
    assert joined.passed == (sum(totals) >= 120 * len(totals))
    assert (joined.half_points >= 120) == joined.passed

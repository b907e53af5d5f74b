"""Merging parts and counting the days of the notice, against the notice's own words."""

from datetime import UTC, date, datetime

import pytest

from qbank.kernel.times import local
from scoring.results.merge import PRACTICAL, REVIEW, THEORY, merge
from scoring.results.models import ResultState
from scoring.results.notice import last_day, notice_end
from scoring.results.route import MOVES


def test_sixty_in_every_part_passes() -> None:
    outcome = merge(4, 120, 120)
    assert outcome.passed
    assert outcome.complete
    assert outcome.reasons == ("理论知识 60.0 分，合格", "操作技能 60.0 分，合格")


def test_59_5_fails_and_a_high_part_does_not_make_up_for_it() -> None:
    outcome = merge(4, 119, 200)
    assert not outcome.passed
    assert outcome.reasons == ("理论知识 59.5 分，未达到 60 分", "操作技能 100.0 分，合格")


@pytest.mark.parametrize("level", [5, 4, 3])
def test_levels_five_to_three_need_two_parts(level: int) -> None:
    assert merge(level, 120, 120).passed
    assert merge(level, 120, 120, 10).passed  # a review that the level does not have is not looked at


@pytest.mark.parametrize("level", [2, 1])
def test_levels_two_and_one_need_the_review(level: int) -> None:
    missing = merge(level, 150, 150)
    assert not missing.passed
    assert not missing.complete
    assert missing.reasons[-1] == "综合评审尚无成绩"
    assert not merge(level, 150, 150, 119).passed
    assert merge(level, 150, 150, 120).passed


def test_a_missing_part_is_not_complete_and_not_a_pass() -> None:
    outcome = merge(4, None, 150)
    assert (outcome.passed, outcome.complete) == (False, False)
    assert outcome.reasons[0] == "理论知识尚无成绩"


def test_an_absent_candidate_is_complete_and_fails() -> None:
    outcome = merge(2, 150, None, None, absent={PRACTICAL, REVIEW})
    assert (outcome.passed, outcome.complete) == (False, True)
    assert outcome.reasons[1:] == ("操作技能缺考", "综合评审缺考")
    assert merge(4, None, 150, absent={THEORY}).reasons[0] == "理论知识缺考"


def test_a_void_theory_score_and_a_veto_override_points() -> None:
    void = merge(4, 190, 150, theory_void=True)
    assert not void.passed
    assert void.reasons[0] == "理论知识成绩因违纪作无效处理"
    veto = merge(4, 150, 190, practical_vetoed=True)
    assert not veto.passed
    assert veto.reasons[1] == "操作技能 95.0 分，但违反 ★ 关键技能要求，按一票否决判为不合格"


def test_the_notice_counts_from_the_day_after_posting_to_the_end_of_the_last_day_in_china() -> None:
    # Posted on 1 June at 09:00: days 2, 3, 4, 5, 6, 7, 8 June; over at 9 June 00:00.
    end = notice_end(datetime(2026, 6, 1, 1, 0, tzinfo=UTC), 7)
    assert local(end).isoformat() == "2026-06-09T00:00:00+08:00"
    assert last_day(end) == date(2026, 6, 8)


def test_a_notice_posted_late_in_the_evening_counts_by_the_day_in_china() -> None:
    # 2026-05-31 17:30 UTC is already 1 June 01:30 in China.
    assert local(notice_end(datetime(2026, 5, 31, 17, 30, tzinfo=UTC), 7)).day == 9
    assert local(notice_end(datetime(2026, 6, 1, 15, 59, tzinfo=UTC), 7)).day == 9  # 23:59 on 1 June
    assert local(notice_end(datetime(2026, 6, 1, 16, 0, tzinfo=UTC), 7)).day == 10  # 00:00 on 2 June


def test_every_state_has_its_moves_and_a_final_list_none() -> None:
    assert MOVES.keys() == set(ResultState)
    assert MOVES[ResultState.FINAL] == frozenset()
    assert ResultState.FINAL not in MOVES[ResultState.SUBMITTED]  # no way past the province

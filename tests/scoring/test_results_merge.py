"""Merging parts and counting the days of the notice, against the notice's own words."""

import dataclasses
from datetime import UTC, date, datetime
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qbank.kernel.refused import Refused
from qbank.kernel.times import local
from qbank.standards.rulepack import RulePack
from scoring.results.merge import (
    PARTS,
    PRACTICAL,
    THEORY,
    Outcome,
    PartRecord,
    Source,
    Standing,
    Verdict,
    merge,
    required_parts,
)
from scoring.results.models import ResultState
from scoring.results.notice import last_day, notice_end
from scoring.results.route import MOVES

PACK = RulePack()


def scored(part: str, half_points: int, source: Source = Source.EXAM, *, vetoed: bool = False, note: str = "") -> PartRecord:
    return PartRecord(part, half_points=half_points, source=source, vetoed=vetoed, note=note)


def outcome_of(level: int, theory: int | None, practical: int | None, review: int | None = None) -> Outcome:
    records = [scored(part, score) for part, score in zip(PARTS, (theory, practical, review), strict=True) if score is not None]
    return merge(level, records, PACK)


def test_sixty_in_every_part_passes() -> None:
    outcome = outcome_of(4, 120, 120)
    assert outcome.passed
    assert outcome.complete
    assert outcome.reasons == ("理论知识 60.0 分，合格", "操作技能 60.0 分，合格")


def test_59_5_fails_and_a_high_part_does_not_make_up_for_it() -> None:
    outcome = outcome_of(4, 119, 200)
    assert outcome.verdict is Verdict.FAILED
    assert outcome.reasons == ("理论知识 59.5 分，未达到 60 分", "操作技能 100.0 分，合格")


@pytest.mark.parametrize("level", [5, 4, 3])
def test_levels_five_to_three_need_two_parts(level: int) -> None:
    assert outcome_of(level, 120, 120).passed
    assert outcome_of(level, 120, 120, 10).passed  # a review that the level does not have is not looked at


@pytest.mark.parametrize("level", [2, 1])
def test_levels_two_and_one_need_the_review(level: int) -> None:
    missing = outcome_of(level, 150, 150)
    assert missing.verdict is Verdict.INCOMPLETE
    assert missing.reasons[-1] == "综合评审尚无成绩"
    assert not outcome_of(level, 150, 150, 119).passed
    assert outcome_of(level, 150, 150, 120).passed


def test_absent_void_incomplete_and_failed_are_four_different_things() -> None:
    theory, absent = scored(THEORY, 150), PartRecord(PRACTICAL, Standing.ABSENT)
    assert merge(4, [theory, absent], PACK).verdict is Verdict.ABSENT
    assert merge(4, [PartRecord(THEORY, Standing.VOID), absent], PACK).verdict is Verdict.VOID
    assert merge(4, [theory], PACK).verdict is Verdict.INCOMPLETE
    assert merge(4, [theory, scored(PRACTICAL, 100)], PACK).verdict is Verdict.FAILED
    assert merge(4, [scored(THEORY, 100), absent], PACK).verdict is Verdict.FAILED  # what was examined failed
    assert merge(4, [absent], PACK).reasons == ("理论知识尚无成绩", "操作技能缺考")


def test_a_void_score_is_not_rescued_by_another_and_a_veto_fails_whatever_the_points() -> None:
    void = merge(4, [PartRecord(THEORY, Standing.VOID), scored(THEORY, 190, Source.SUBSTITUTE), scored(PRACTICAL, 150)], PACK)
    assert void.verdict is Verdict.VOID
    assert void.reasons[0] == "理论知识成绩因违纪作无效处理"
    veto = merge(4, [scored(THEORY, 150), scored(PRACTICAL, 190, vetoed=True)], PACK)
    assert veto.reasons[1] == "操作技能 95.0 分，但违反 ★ 关键技能要求，按一票否决判为不合格"


def test_a_course_examination_stands_for_theory_and_the_result_says_so() -> None:
    course = scored(THEORY, 150, Source.SUBSTITUTE, note="《电工基础》期末考试，2026-05-20")
    outcome = merge(4, [PartRecord(THEORY, Standing.ABSENT), course, scored(PRACTICAL, 130)], PACK)
    assert outcome.passed
    assert outcome.reasons[0] == "理论知识 75.0 分（成绩替代：《电工基础》期末考试，2026-05-20），合格"
    assert outcome.counted[THEORY] is course


def test_of_an_examination_and_its_make_up_the_better_one_counts() -> None:
    assert merge(4, [scored(THEORY, 110), scored(THEORY, 124), scored(PRACTICAL, 130)], PACK).passed
    assert merge(4, [scored(PRACTICAL, 190, vetoed=True), scored(PRACTICAL, 121), scored(THEORY, 120)], PACK).passed


def test_a_province_may_ask_for_more_than_sixty_and_never_for_less() -> None:
    strict = RulePack(practical_least=65)
    outcome = merge(4, [scored(THEORY, 120), scored(PRACTICAL, 129)], strict)
    assert outcome.reasons == ("理论知识 60.0 分，合格", "操作技能 64.5 分，未达到 65 分")
    with pytest.raises(Refused, match="理论知识合格分"):
        RulePack(theory_least=59)


def test_a_record_that_contradicts_itself_is_no_record() -> None:
    records: tuple[dict[str, Any], ...] = ({"part": "体能"}, {"part": THEORY}, {"part": THEORY, "half_points": 201},
                  {"part": THEORY, "standing": Standing.ABSENT, "half_points": 0})
    for wrong in records:
        with pytest.raises(ValueError, match=r"part|record|half-points"):
            PartRecord(**wrong)


PART = st.sampled_from(PARTS)
RECORD = st.one_of(
    st.builds(PartRecord, PART, st.just(Standing.SCORED), st.integers(0, 200), st.sampled_from(Source), st.booleans(),
              st.sampled_from(["", "甲", "乙"])),
    st.builds(PartRecord, PART, st.sampled_from([Standing.ABSENT, Standing.VOID])))
RECORDS = st.lists(RECORD, max_size=8)
LEVEL = st.integers(1, 5)


PACKS = st.builds(RulePack, rounding=st.integers(1, 4), review_from_level=st.integers(2, 5), theory_least=st.integers(60, 70),
                  practical_least=st.integers(60, 70), review_least=st.integers(60, 70), graded_labels=st.booleans())


@settings(deadline=None)
@given(LEVEL, RECORDS, PACKS, st.randoms(use_true_random=False))
def test_the_order_of_entry_never_matters(level: int, records: list[PartRecord], pack: RulePack, random: Random) -> None:
    shuffled = list(records)
    random.shuffle(shuffled)
    assert merge(level, shuffled, pack) == merge(level, records, pack)


@settings(deadline=None)
@given(LEVEL, RECORDS, PACKS, st.sampled_from(PARTS))
def test_59_5_never_passes_however_the_pack_rounds(level: int, records: list[PartRecord], pack: RulePack, part: str) -> None:
    others = [one for one in records if one.part != part]
    outcome = merge(level, [*others, scored(part, 119)], pack)
    assert not outcome.passed or part not in required_parts(level, pack)


@settings(deadline=None)
@given(LEVEL, RECORDS, PACKS, st.sampled_from(PARTS))
def test_a_missing_part_never_passes(level: int, records: list[PartRecord], pack: RulePack, part: str) -> None:
    outcome = merge(level, [one for one in records if one.part != part], pack)
    assert not outcome.passed or part not in required_parts(level, pack)


def test_a_pack_rounds_to_whole_points_and_says_so_in_its_own_words() -> None:
    pack = RulePack(rounding=2, graded_labels=True, label_failed="未通过")
    outcome = merge(4, [scored(THEORY, 159), scored(PRACTICAL, 190)], pack)
    assert (outcome.counted[THEORY].half_points, outcome.label) == (160, "良好")  # 79.5 → 80; the lowest part decides
    assert outcome.reasons[0] == "理论知识 80.0 分，合格"
    assert merge(4, [scored(THEORY, 190), scored(PRACTICAL, 191)], pack).label == "优秀"
    assert merge(4, [scored(THEORY, 119), scored(PRACTICAL, 190)], pack).label == "未通过"
    assert merge(3, [scored(THEORY, 150), scored(PRACTICAL, 150)], RulePack(review_from_level=3)).verdict is Verdict.INCOMPLETE


@settings(deadline=None)
@given(LEVEL, RECORDS, PACKS, st.integers(0, 7), st.integers(1, 200))
def test_raising_a_part_never_turns_a_pass_into_a_fail(level: int, records: list[PartRecord], pack: RulePack, which: int, by: int) -> None:
    if which >= len(records) or records[which].half_points is None:
        return
    raised = list(records)
    raised[which] = dataclasses.replace(raised[which], half_points=min(200, (raised[which].half_points or 0) + by))
    if merge(level, records, pack).passed:
        assert merge(level, raised, pack).passed


@settings(deadline=None)
@given(LEVEL, RECORDS)
def test_nobody_passes_without_sixty_in_every_part_that_stands(level: int, records: list[PartRecord]) -> None:
    outcome = merge(level, records, PACK)
    assert len(outcome.reasons) == len(required_parts(level))
    good = {part for part in required_parts(level)
            if any(one.part == part and (one.half_points or 0) >= 120 and not one.vetoed for one in records)
            and not any(one.part == part and one.standing is Standing.VOID for one in records)}
    assert outcome.passed == (good == set(required_parts(level)))  # 59.5 never, a missing part never
    assert outcome.complete or any(reason.endswith("尚无成绩") for reason in outcome.reasons)


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


def test_every_state_has_its_moves_and_a_final_list_only_goes_back() -> None:
    assert MOVES.keys() == set(ResultState)
    assert MOVES[ResultState.FINAL] == frozenset({ResultState.RETURNED})  # the province reopens it; the way begins anew
    assert ResultState.FINAL not in MOVES[ResultState.SUBMITTED]  # no way past the province

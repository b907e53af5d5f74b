"""谭晓峰 of the city assesses and gives an opinion, 姚静 of the province rechecks every application; the directory follows."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from examroom.filing import annexes, application, evaluations, ministry, review
from examroom.filing.application import OccupationDraft
from examroom.filing.models import FiledScope
from examroom.filing.scopes import require_scope
from examroom.filing.standing_models import Evaluation, ScopeEvent
from examroom.filing.states import ApplicationKind, ApplicationState, EventKind, Verdict
from qbank.kernel.access import Role, Scope, visible
from qbank.kernel.accounts import InstitutionKind
from qbank.kernel.refused import Refused
from tests.conftest import MONDAY, People, TestClock
from tests.filing_world import JUNE, FilingWorld, add_standard


@pytest.fixture
def world(session: Session, people: People) -> FilingWorld:
    return FilingWorld.make(session, people)


def test_the_city_sees_it_only_when_it_is_submitted_and_returns_it_with_a_reason(world: FilingWorld) -> None:
    one = world.fill(world.begin())
    assert world.session.scalars(visible(type(one), world.tan)).all() == []
    application.submit(world.session, one, world.liu, pledged=True, now=world.now)
    stranger = world.people("外地市", scopes=[Scope(Role.CITY_OFFICER, region="4307")])
    assert world.session.scalars(visible(type(one), world.tan)).all() == [one]
    assert world.session.scalars(visible(type(one), stranger)).all() == []
    for who, code in ((world.yao, "not_your_duty"), (stranger, "not_your_duty"), (world.liu, "not_your_duty")):
        with pytest.raises(Refused) as refusal:
            review.send_back(world.session, one, who, "补正", now=world.now)
        assert refusal.value.code == code
    with pytest.raises(Refused, match="需要补正的内容"):
        review.send_back(world.session, one, world.tan, " ", now=world.now)
    review.send_back(world.session, one, world.tan, "请补充权属证明", now=world.now)
    assert one.state is ApplicationState.RETURNED
    application.write_unit(world.session, one, one.unit | one.prose | {"mobile": "13900000000"}, world.liu)
    application.submit(world.session, one, world.liu, pledged=True, now=world.now)
    assert [step.state.value for step in one.decisions] == ["submitted", "returned", "submitted"]


def test_the_city_assesses_on_the_spot_before_it_gives_its_opinion(world: FilingWorld) -> None:
    one = world.submitted(4)
    row = one.occupations[0]
    with pytest.raises(Refused, match=r"到校评估.*三\(二\)"):
        review.pass_on(world.session, one, world.tan, {row.id: True}, {}, "同意", now=world.now)
    oks = {key: key != "video" for key, _, _ in annexes.CHECKS}
    good: dict[str, Any] = {"visited_on": MONDAY.date(), "members": "谭晓峰", "oks": oks,
                            "notes": {"video": "二号场地没有摄像机"}, "opinion": "整改后备案", "upload": None,
            "now": world.now}
    wrong: list[dict[str, Any]] = [{"notes": {}}, {"oks": {}}, {"members": ""}, {"opinion": " "}, {"visited_on": date(2026, 6, 2)}]
    for bad in wrong:
        with pytest.raises(Refused):
            review.assess(world.session, one, world.tan, **(good | bad))
    record = review.assess(world.session, one, world.tan, **good)
    assert record.checks["video"] == {"ok": False, "note": "二号场地没有摄像机"}
    answers: list[tuple[dict[int, bool], str]] = [({}, "同意"), ({row.id: True}, " "), ({row.id: False}, "不同意")]
    for agreed, comment in answers:
        with pytest.raises(Refused):
            review.pass_on(world.session, one, world.tan, agreed, {}, comment, now=world.now)
    review.pass_on(world.session, one, world.tan, {row.id: True}, {}, "同意备案", now=world.now)
    assert one.state is ApplicationState.CITY_PASSED
    assert row.city_agrees is True


def test_nothing_is_published_without_the_city_and_the_province(world: FilingWorld) -> None:
    one = world.submitted(4)
    with pytest.raises(Refused):
        world.decide(one)
    world.assess(one)
    review.pass_on(world.session, one, world.tan, {row.id: True for row in one.occupations}, {}, "同意备案", now=world.now)
    with pytest.raises(Refused, match="权限不包括"):
        review.decide(world.session, one, world.tan, {one.occupations[0].id: True}, {}, "同意", consents=set(), valid_from=JUNE, now=world.now)
    for day in (date(2026, 5, 31), date(2027, 6, 30), date.max):
        with pytest.raises(Refused, match="一年以内"):
            world.decide(one, day)
    world.decide(one)
    scope = require_scope(world.session, world.school, world.standard, 4, JUNE)
    assert one.state is ApplicationState.DECIDED
    assert (scope.valid_from, scope.valid_until) == (JUNE, date(2027, 5, 31))  # one year
    [event] = world.session.scalars(sa.select(ScopeEvent))
    assert (event.kind, event.application, event.at) == (EventKind.PUBLISHED, one, MONDAY)


def test_level_three_and_above_need_the_provinces_explicit_consent(world: FilingWorld) -> None:
    one = world.passed_on(4, 3)
    four, three = one.occupations
    both = {four.id: True, three.id: True}
    for consents in (set(), {four.id}):
        with pytest.raises(Refused, match=r"高级工及以上.*三\(二\)"):
            review.decide(world.session, one, world.yao, both, {}, "同意", consents=consents, valid_from=JUNE, now=world.now)
    assert world.session.scalars(sa.select(FiledScope)).all() == []
    review.decide(world.session, one, world.yao, {four.id: True, three.id: False}, {three.id: "师资不足"}, "部分通过", consents=set(), valid_from=JUNE,
                  now=world.now)
    assert [scope.level for scope in world.session.scalars(sa.select(FiledScope))] == [4]
    assert (three.province_agrees, three.province_note, three.scope) == (False, "师资不足", None)


def test_the_province_says_why_when_it_differs_from_the_city_and_may_refuse_all(world: FilingWorld) -> None:
    one = world.submitted(4)
    world.assess(one)
    row = one.occupations[0]
    review.pass_on(world.session, one, world.tan, {row.id: False}, {row.id: "设备不足"}, "不同意备案", now=world.now)
    with pytest.raises(Refused, match="市鉴定中心不同意"):
        world.decide(one)
    review.decide(world.session, one, world.yao, {row.id: False}, {row.id: "同意市意见"}, "不予通过", consents=set(), valid_from=JUNE, now=world.now)
    assert one.state is ApplicationState.REFUSED
    assert world.session.scalars(sa.select(FiledScope)).all() == []
    assert world.begin().kind is ApplicationKind.FIRST  # it may apply anew


def test_nobody_decides_on_an_application_of_his_own(world: FilingWorld) -> None:
    both = world.people("两职者", scopes=[Scope(Role.EXAM_OFFICER, world.school.id), Scope(Role.CITY_OFFICER, region="4301")])
    world.liu = both
    one = world.submitted(4)
    with pytest.raises(Refused, match="起草人不能审核"):
        review.send_back(world.session, one, both, "退回", now=world.now)


def test_other_colleges_apply_the_same_way(world: FilingWorld) -> None:
    """五(七): 职业院校、高等院校 with a former assessment station, to the city of their place."""
    world.school.kind = InstitutionKind.OTHER_COLLEGE
    one = world.fill(world.begin(), 3)
    station = {**one.unit, **one.prose, "station": ""}
    application.write_unit(world.session, one, station, world.liu)
    with pytest.raises(Refused) as refusal:
        application.submit(world.session, one, world.liu, pledged=True, now=world.now)
    assert "原职业技能鉴定所（站）名称" in refusal.value.details[0]
    application.write_unit(world.session, one, station | {"station": "某学院鉴定站"}, world.liu)
    application.submit(world.session, one, world.liu, pledged=True, now=world.now)
    world.assess(one)
    review.pass_on(world.session, one, world.tan, {row.id: True for row in one.occupations}, {}, "同意", now=world.now)
    world.decide(one)
    assert require_scope(world.session, world.school, world.standard, 3, JUNE)


def test_an_extension_follows_an_evaluation_and_begins_when_the_filing_ends(world: FilingWorld, clock: TestClock) -> None:
    world.filed(4)
    world.now = clock.forward(days=330)  # 2027-04-27
    one = world.passed_on(kind=ApplicationKind.RENEWAL)
    assert [(row.level, row.renews.valid_until if row.renews else None) for row in one.occupations] == [(4, date(2027, 5, 31))]
    with pytest.raises(Refused, match=r"三\(三\).*没有评估报告"):
        world.decide(one)
    evaluation = world.evaluated()
    with pytest.raises(Refused, match="尚未决定"):
        world.decide(one)
    evaluations.decide(world.session, evaluation, world.yao, continues=True, decision="允许继续开展", now=world.now)
    world.decide(one)
    scope = one.occupations[0].scope
    assert scope is not None
    assert (scope.valid_from, scope.valid_until) == (date(2027, 6, 1), date(2028, 5, 31))
    assert [event.kind for event in world.session.scalars(sa.select(ScopeEvent).order_by(ScopeEvent.id))] == [EventKind.PUBLISHED, EventKind.RENEWED]


def test_an_extension_without_the_schools_will_or_after_a_failed_evaluation_is_refused(world: FilingWorld, clock: TestClock) -> None:
    world.filed(4)
    world.now = clock.forward(days=330)
    one = world.fill(world.begin(ApplicationKind.RENEWAL))
    application.write_unit(world.session, one, one.unit | one.prose, world.liu, wish="")
    with pytest.raises(Refused) as refusal:
        application.submit(world.session, one, world.liu, pledged=True, now=world.now)
    assert refusal.value.details == ("三（三）：延期须写明学校意愿。",)
    application.write_unit(world.session, one, one.unit | one.prose, world.liu, wish="愿意")
    application.submit(world.session, one, world.liu, pledged=True, now=world.now)
    world.assess(one)
    review.pass_on(world.session, one, world.tan, {row.id: True for row in one.occupations}, {}, "同意", now=world.now)
    bad = world.evaluated(Verdict.UNQUALIFIED)
    evaluations.decide(world.session, bad, world.yao, continues=False, decision="取消", now=world.now)
    with pytest.raises(Refused, match=r"评估不合格.*不能延期"):
        world.decide(one)


def test_a_change_of_the_standard_replaces_the_line_and_keeps_its_history(world: FilingWorld, clock: TestClock) -> None:
    [old] = world.filed(4)
    world.now = clock.forward(days=30)  # 2026-07-01
    newer = add_standard(world.session, "电工", "6-31-01-03-001", edition="2026")
    newer.occupation = world.standard.occupation
    one = world.begin(ApplicationKind.CHANGE)
    with pytest.raises(Refused):
        application.set_occupations(world.session, one, [OccupationDraft(newer, 4, "电气", True)], world.liu)  # replaces what?
    other = add_standard(world.session, "钳工", "6-20-01-01")
    with pytest.raises(Refused) as refusal:
        application.set_occupations(world.session, one, [OccupationDraft(other, 4, "机械", True, renews=old)], world.liu)
    assert "同一职业" in refusal.value.details[0]
    world.fill(one)
    application.set_occupations(world.session, one, [OccupationDraft(newer, 4, "电气", True, renews=old)], world.liu)
    application.submit(world.session, one, world.liu, pledged=True, now=world.now)
    world.assess(one)
    review.pass_on(world.session, one, world.tan, {row.id: True for row in one.occupations}, {}, "同意", now=world.now)
    world.decide(one)
    assert old.valid_until == date(2026, 6, 30)
    assert require_scope(world.session, world.school, newer, 4, date(2026, 7, 1))
    events = world.session.scalars(sa.select(ScopeEvent).order_by(ScopeEvent.id)).all()
    assert [(event.scope_id == old.id, event.kind) for event in events] == [
        (True, EventKind.PUBLISHED), (True, EventKind.CHANGED), (False, EventKind.CHANGED)]


def test_what_was_published_is_reported_on_to_the_ministrys_centre_once(world: FilingWorld) -> None:
    world.filed(4, 3)
    events = ministry.waiting(world.session, world.yao)
    assert len(events) == 2
    other = world.people("外省", scopes=[Scope(Role.PROVINCE_OFFICER, region="44")])
    assert ministry.waiting(world.session, other) == []
    keys = [event.id for event in events]
    for reported_on in (JUNE + timedelta(days=1), JUNE - timedelta(days=1)):
        with pytest.raises(Refused):
            ministry.report(world.session, world.yao, keys, reported_on=reported_on, receipt="", now=world.now)
    with pytest.raises(Refused):
        ministry.report(world.session, other, keys, reported_on=JUNE, receipt="", now=world.now)
    made = ministry.report(world.session, world.yao, keys, reported_on=JUNE, receipt="湘人社鉴函〔2026〕9号", now=world.now)
    assert [event.report_id for event in events] == [made.id] * 2
    assert ministry.waiting(world.session, world.yao) == []
    with pytest.raises(Refused, match="已经报送"):
        ministry.report(world.session, world.yao, keys, reported_on=JUNE, receipt="", now=world.now)


def test_the_evaluation_counts_what_the_school_did_and_is_closed_when_reported(world: FilingWorld, clock: TestClock) -> None:
    world.filed(4)
    world.now = clock.forward(days=330)
    made = world.evaluated()
    assert made.figures == {"认定批次": 0, "理论考试场次": 0, "报名人次": 0, "颁发证书": 0}
    sections = {entry.key: "新" for entry in annexes.REPORT}
    with pytest.raises(Refused, match="不能再修改"):
        evaluations.write(world.session, world.school, world.tan, starts_on=JUNE, ends_on=JUNE, verdict=Verdict.QUALIFIED, sections=sections, held=made,
                          now=world.now)
    for starts_on, ends_on in ((JUNE, date(2030, 1, 1)), (date.min, JUNE), (JUNE, date(2026, 5, 1))):
        with pytest.raises(Refused, match="过去"):
            evaluations.write(world.session, world.school, world.tan, starts_on=starts_on, ends_on=ends_on, verdict=Verdict.QUALIFIED, sections={},
                              now=world.now)
    short = evaluations.write(world.session, world.school, world.tan, starts_on=JUNE, ends_on=JUNE, verdict=Verdict.QUALIFIED, sections={}, now=world.now)
    assert world.session.scalars(visible(Evaluation, world.yao)).all() == [made]  # a draft is the city's own
    with pytest.raises(Refused, match="没有写完"):
        evaluations.report(world.session, short, world.tan, now=world.now)
    with pytest.raises(Refused, match="权限不包括"):
        evaluations.decide(world.session, made, world.tan, continues=True, decision="好", now=world.now)
    bad = world.evaluated(Verdict.UNQUALIFIED)
    with pytest.raises(Refused, match=r"五\(七\)"):
        evaluations.decide(world.session, bad, world.yao, continues=True, decision="放行", now=world.now)

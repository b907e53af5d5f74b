"""What becomes of a filing: a year without a sitting, violations, a failed evaluation, the school's own will; alarms before."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from examroom.filing import application, evaluations, removals, review, standing
from examroom.filing.models import FiledScope
from examroom.filing.scopes import publish_scope, require_scope
from examroom.filing.standing_models import Removal, ScopeEvent
from examroom.filing.states import EventKind, Ground, RemovalState, Verdict
from examroom.filing.todo import todo
from examroom.plans.models import ExamPlan, Sitting, SittingState
from qbank.kernel.access import Role, Scope, Viewer
from qbank.kernel.attachments import from_bytes
from qbank.kernel.refused import Refused
from qbank.kernel.times import local_date
from tests.conftest import People, TestClock
from tests.filing_world import JUNE, PDF, FilingWorld


@pytest.fixture
def world(session: Session, people: People) -> FilingWorld:
    return FilingWorld.make(session, people)


def sit(world: FilingWorld, day: date, state: SittingState = SittingState.MARKED) -> None:
    """A sitting of the school at nine in the morning."""
    plan = ExamPlan(institution=world.school, standard=world.standard, level=4, title="电工", number=f"JH-{day}-{state}", starts_on=day,
                    created_by=world.liu.account_id)
    world.session.add(Sitting(plan=plan, name="一", starts_at=datetime(day.year, day.month, day.day, 1, tzinfo=UTC), minutes=90, state=state))
    world.session.flush()


def titles(world: FilingWorld, who: Viewer) -> list[str]:
    return [line.title for line in todo(world.session, who, now=world.now)]


def test_a_year_without_a_sitting_is_counted_from_the_filing_or_the_last_sitting(world: FilingWorld) -> None:
    """Filed 2026-01-01 and, without a gap, 2027-01-01. By hand: no sitting → 2027-01-01; one on 2026-05-20 → 2027-05-20."""
    for begins in (date(2026, 1, 1), date(2027, 1, 1)):
        publish_scope(world.session, world.school, world.standard, 4, world.yao, valid_from=begins)

    def lapse(today: date) -> date | None:
        return standing.lapses_on(world.session, [world.school.id], today=today).get(world.school.id)

    assert lapse(date(2025, 12, 31)) is None
    assert lapse(JUNE) == date(2027, 1, 1)
    assert lapse(date(2027, 2, 1)) == date(2027, 1, 1)  # the extension does not begin the year anew
    sit(world, date(2026, 7, 1), SittingState.PLANNED)  # only planned: nothing was held
    assert lapse(date(2026, 8, 1)) == date(2027, 1, 1)
    sit(world, date(2026, 5, 20))
    assert standing.last_examined(world.session, [world.school.id], today=JUNE) == {world.school.id: date(2026, 5, 20)}
    assert lapse(JUNE) == date(2027, 5, 20)
    assert lapse(date(2028, 3, 1)) is None  # no longer filed


def test_the_year_is_alarmed_before_and_recorded_by_the_province(world: FilingWorld, clock: TestClock) -> None:
    publish_scope(world.session, world.school, world.standard, 4, world.yao, valid_from=date(2026, 1, 1), valid_until=date(2028, 12, 31))
    assert not [title for title in titles(world, world.liu) if "没有开展" in title]  # 2026-06-01: seven months to go
    world.now = clock.forward(days=130)  # 2026-10-09: 84 days before
    for who in (world.liu, world.tan, world.yao):
        [line] = [line for line in todo(world.session, who, now=world.now) if "没有开展" in line.title]
        assert (line.clause, line.alarm, local_date(line.due) if line.due else None) == ("五（六）", True, date(2027, 1, 1))
    standing.require_active(world.session, world.school, today=local_date(world.now))
    with pytest.raises(Refused, match="不属于连续一年不开展工作"):
        removals.propose(world.session, world.school, Ground.INACTIVE, "一年未开展", world.yao, now=world.now)
    world.now = clock.forward(days=90)  # 2027-01-07
    with pytest.raises(Refused, match=r"视同自行退出.*五\(六\)"):  # no plan, although the province has not recorded it
        standing.require_active(world.session, world.school, today=local_date(world.now))
    case = removals.propose(world.session, world.school, Ground.INACTIVE, "备案以来没有开展认定", world.yao, now=world.now)
    removals.decide(world.session, case, world.yao, True, "视同自行退出", now=world.now)
    with pytest.raises(Refused, match="五\\(六\\)"):
        require_scope(world.session, world.school, world.standard, 4, date(2027, 1, 7))
    event = world.session.scalars(sa.select(ScopeEvent).order_by(ScopeEvent.id.desc())).first()
    assert event
    assert (event.kind, event.day, event.removal) == (EventKind.LAPSED, date(2027, 1, 6), case)


def test_a_violation_is_verified_by_the_city_and_cancelled_by_the_province_for_all_that_is_filed(world: FilingWorld) -> None:
    scopes = [publish_scope(world.session, world.school, world.standard, level, world.yao, valid_from=begins)
              for level, begins in ((4, date(2026, 1, 1)), (3, date(2026, 9, 1)))]  # the second has not begun
    with pytest.raises(Refused, match="核实材料"):
        removals.propose(world.session, world.school, Ground.VIOLATION, "替考", world.tan, now=world.now)
    with pytest.raises(Refused, match="权限不包括"):
        removals.propose(world.session, world.school, Ground.VIOLATION, "替考", world.liu, now=world.now)
    case = removals.propose(world.session, world.school, Ground.VIOLATION, "组织替考，已核实", world.tan, upload=from_bytes(PDF, "核实.pdf"), now=world.now)
    with pytest.raises(Refused, match="待决定"):
        removals.propose(world.session, world.school, Ground.OWN_WILL, "退出", world.liu, now=world.now)
    assert any("目录调整" in line.title and line.waits_for for line in todo(world.session, world.tan, now=world.now))
    with pytest.raises(Refused, match="权限不包括"):
        removals.decide(world.session, case, world.tan, True, "取消", now=world.now)
    with pytest.raises(Refused, match="不追溯"):
        removals.decide(world.session, case, world.yao, True, "取消", last_day=date(2026, 5, 1), now=world.now)
    with pytest.raises(Refused, match="已经期满"):
        removals.decide(world.session, case, world.yao, True, "取消", last_day=date.max, now=world.now)
    removals.decide(world.session, case, world.yao, True, "取消试点资格", now=world.now)
    assert case.state is RemovalState.DONE
    assert all(scope.valid_until == date(2026, 5, 31) for scope in scopes)  # yesterday
    for level, day in ((4, JUNE), (3, date(2026, 9, 1))):
        with pytest.raises(Refused, match="五\\(六\\)"):
            require_scope(world.session, world.school, world.standard, level, day)
    kinds = world.session.scalars(sa.select(ScopeEvent.kind).where(ScopeEvent.removal_id == case.id)).all()
    assert kinds == [EventKind.CANCELLED] * 2
    with pytest.raises(Refused, match="已经决定"):
        removals.decide(world.session, case, world.yao, False, "改", now=world.now)


def test_a_failed_evaluation_opens_the_case_that_cancels_the_pilot_status(world: FilingWorld, clock: TestClock) -> None:
    world.filed(4)
    world.now = clock.forward(days=330)
    bad = world.evaluated(Verdict.UNQUALIFIED)
    evaluations.decide(world.session, bad, world.yao, continues=False, decision="整改不到位", now=world.now)
    [case] = world.session.scalars(sa.select(Removal))
    assert (case.ground, case.state) == (Ground.EVALUATION, RemovalState.PROPOSED)
    removals.decide(world.session, case, world.yao, True, "取消试点资格", now=world.now)
    assert standing.valid_scopes(world.session, world.school.id, today=local_date(world.now)) == []
    [scope] = world.session.scalars(sa.select(FiledScope))
    assert "五（七）" in scope.end_reason


def test_a_school_leaves_by_its_own_will_with_one_line_or_all(world: FilingWorld) -> None:
    first, second = (publish_scope(world.session, world.school, world.standard, level, world.yao, valid_from=JUNE) for level in (4, 3))
    case = removals.propose(world.session, world.school, Ground.OWN_WILL, "专业停招", world.liu, scope=second, now=world.now)
    removals.decide(world.session, case, world.yao, True, "同意退出", last_day=date(2026, 6, 30), now=world.now)
    assert (first.valid_until, second.valid_until) == (date(2027, 5, 31), date(2026, 6, 30))
    case = removals.propose(world.session, world.school, Ground.OWN_WILL, "全部退出", world.liu, now=world.now)
    removals.decide(world.session, case, world.yao, False, "请先办结在办计划", now=world.now)
    assert case.state is RemovalState.DISMISSED
    assert first.valid_until == date(2027, 5, 31)
    elsewhere = world.people("外校", Role.EXAM_OFFICER, school=world.people.school("外地学院", region="430700"))
    with pytest.raises(Refused, match="权限不包括"):
        removals.propose(world.session, world.school, Ground.OWN_WILL, "退出", elsewhere, now=world.now)


def test_expiry_is_alarmed_and_the_city_reminded_of_its_evaluation(world: FilingWorld, clock: TestClock) -> None:
    world.filed(4)
    assert not [title for title in titles(world, world.tan) if "到期" in title or "评估试点" in title]
    world.now = clock.forward(days=320)  # 2027-04-17: 44 days before 2027-05-31
    [line] = [line for line in todo(world.session, world.liu, now=world.now) if "即将到期" in line.title]
    assert (line.clause, line.alarm, local_date(line.due) if line.due else None) == ("三（三）", True, date(2027, 5, 31))
    assert [title for title in titles(world, world.tan) if title.startswith("评估试点情况")]
    assert not [title for title in titles(world, world.liu) if title.startswith("评估试点情况")]
    evaluation = world.evaluated()
    assert not [title for title in titles(world, world.tan) if title.startswith("评估试点情况")]
    assert [title for title in titles(world, world.yao) if title.startswith("决定评估报告")]
    evaluations.decide(world.session, evaluation, world.yao, continues=True, decision="继续", now=world.now)
    publish_scope(world.session, world.school, world.standard, 4, world.yao, valid_from=date(2027, 6, 1))
    assert not [title for title in titles(world, world.liu) if "即将到期" in title]  # extended


def test_everybody_sees_what_waits_for_him_and_for_whom_he_waits(world: FilingWorld) -> None:
    one = world.begin()
    assert any(title.startswith("填报备案申请") for title in titles(world, world.liu))
    one = world.fill(one)
    application.submit(world.session, one, world.liu, pledged=True, now=world.now)
    [line] = todo(world.session, world.liu, now=world.now)
    assert line.waits_for
    [line] = todo(world.session, world.tan, now=world.now)
    assert (line.waits_for, line.clause) == ("", "三（二）")
    assert todo(world.session, world.yao, now=world.now) == []
    stranger = world.people("外地市", scopes=[Scope(Role.CITY_OFFICER, region="4307")])
    assert todo(world.session, stranger, now=world.now) == []
    world.assess(one)
    review.pass_on(world.session, one, world.tan, {row.id: True for row in one.occupations}, {}, "同意", now=world.now)
    assert [line.waits_for != "" for line in todo(world.session, world.tan, now=world.now)] == [True]
    assert titles(world, world.yao) == [f"复核备案申请：{world.school.name} {one.number}"]
    world.decide(one)
    assert titles(world, world.yao) == ["报部备案：目录变动（1 项）"]

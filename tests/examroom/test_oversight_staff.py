"""Misconduct of staff: proposed, told, heard, decided by another; a bar keeps the person from serving."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime

import pytest
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from examroom.oversight import desk, staff_cases
from examroom.oversight.kinds import CaseState
from examroom.oversight.staff_models import StaffCase
from examroom.oversight.todo import todo
from examroom.plans import barred
from qbank.kernel.access import Role, Scope, Viewer
from qbank.kernel.attachments import from_bytes
from qbank.kernel.refused import Refused
from qbank.standards.tiers import StaffTier, read_staff_tiers
from tests.conftest import MONDAY, People, TestClock
from tests.oversight_world import City

Enter = Callable[[Viewer], FlaskClient]
SEEN = "2026 年 6 月 1 日理论考试中，监考员替考生操作电脑，监控可见。"
AFTER = datetime(2026, 6, 9, 1, tzinfo=UTC)  # the term of five working days from Monday 1 June ends on Monday 8 June


@pytest.fixture
def city(session: Session, people: People) -> City:
    return City(session, people)


@pytest.fixture
def sun(city: City) -> Viewer:
    return city.people("孙丽", Role.INVIGILATOR)


def propose(city: City, whom: Viewer, tier: str = "暂停参与认定", who: Viewer | None = None, **other: object) -> StaffCase:
    values: dict[str, object] = {"duty": "监考员", "happened_on": date(2026, 6, 1), "evidence": SEEN, "now": MONDAY} | other
    return staff_cases.propose(city.session, city.schools[0], whom.account_id, tier, who or city.tan, **values)  # type: ignore[arg-type]


def code_of(act: Callable[[], object]) -> str:
    with pytest.raises(Refused) as refused:
        act()
    return refused.value.code


def test_a_case_needs_a_person_of_the_school_a_tier_a_day_and_evidence(city: City, sun: Viewer) -> None:
    assert code_of(lambda: propose(city, sun, "游街")) == "no_tier"
    assert code_of(lambda: propose(city, city.luo)) == "no_staff"
    assert code_of(lambda: propose(city, sun, evidence="替考")) == "no_evidence"
    assert code_of(lambda: propose(city, sun, happened_on=date(2026, 6, 2))) == "future"
    assert code_of(lambda: propose(city, sun, duty=" ")) == "no_duty"
    assert code_of(lambda: propose(city, sun, plan=city.plan(city.schools[1]))) == "other_school"
    assert code_of(lambda: propose(city, sun, who=city.luo)) == "not_your_duty"
    assert propose(city, sun, who=city.zhou).state is CaseState.PROPOSED


def test_nobody_is_punished_before_he_was_heard(city: City, sun: Viewer) -> None:
    session, case = city.session, propose(city, sun)

    def decide(who: Viewer = city.deng, now: datetime = MONDAY, comment: str = "情节属实") -> None:
        staff_cases.decide(session, case, True, comment, who, now=now)

    assert code_of(decide) == "not_heard"
    assert code_of(lambda: staff_cases.state(session, case, "我没有替考", sun, now=MONDAY)) == "not_told"
    staff_cases.tell(session, case, city.tan, now=MONDAY)
    assert case.term_ends_on == date(2026, 6, 8)
    assert code_of(lambda: staff_cases.tell(session, case, city.tan, now=AFTER)) == "told_already"
    assert code_of(decide) == "not_heard"  # the term runs
    assert code_of(lambda: decide(now=datetime(2026, 6, 8, 15, tzinfo=UTC))) == "not_heard"  # 23:00 in China on the last day
    assert code_of(lambda: decide(who=city.tan, now=AFTER)) == "same_person"
    assert code_of(lambda: decide(who=city.zhou, now=AFTER)) == "not_your_duty"
    assert code_of(lambda: decide(now=AFTER, comment=" ")) == "no_comment"
    assert code_of(lambda: staff_cases.state(session, case, "我没有替考", sun, now=AFTER)) == "term_over"
    decide(now=AFTER)
    assert (case.state, case.barred_until) == (CaseState.APPROVED, date(2027, 6, 9))


def test_a_statement_ends_the_waiting_and_is_given_once(city: City, sun: Viewer) -> None:
    session, case = city.session, propose(city, sun)
    staff_cases.tell(session, case, city.tan, now=MONDAY)
    assert code_of(lambda: staff_cases.state(session, case, "无", sun, now=MONDAY)) == "statement"
    assert code_of(lambda: staff_cases.state(session, case, "我来替她说几句话", city.luo, now=MONDAY)) == "not_your_duty"
    staff_cases.state(session, case, "当时电脑死机，经考务员同意。", sun, file=from_bytes(b"%PDF-1.7\n%%EOF\n", "说明.pdf"), now=MONDAY)
    assert case.statement_file is not None
    assert case.statement_file.name == "说明.pdf"
    assert code_of(lambda: staff_cases.state(session, case, "再补充一点", sun, now=MONDAY)) == "stated"
    staff_cases.decide(session, case, False, "陈述属实，采纳", city.deng, now=MONDAY)
    assert case.state is CaseState.REJECTED
    assert case.barred_until is None
    assert code_of(lambda: staff_cases.withdraw(session, case, "算了", city.tan, now=MONDAY)) == "wrong_state"


def test_who_is_barred_may_neither_invigilate_nor_inspect_until_the_last_day(city: City, sun: Viewer) -> None:
    session = city.session
    teacher = city.people("何督导", scopes=[Scope(Role.QUALITY_SUPERVISOR, region="4301"), Scope(Role.INVIGILATOR, city.schools[0].id)],
                          school=city.people.school("督导单位"))
    plan = city.plan(city.schools[1], starts_on=date(2026, 6, 30))
    assert teacher.account_id in {one.id for one in desk.eligible(session, plan)}
    case = propose(city, teacher)
    staff_cases.tell(session, case, city.tan, now=MONDAY)
    staff_cases.decide(session, case, True, "属实", city.deng, now=AFTER)
    assert teacher.account_id not in {one.id for one in desk.eligible(session, plan)}
    held = barred.staff(session, [teacher.account_id, sun.account_id], date(2027, 6, 9))
    assert held == {teacher.account_id: "因违规（暂停参与认定）至 2027年6月9日 不得参与认定工作"}
    assert barred.staff(session, [teacher.account_id], date(2027, 6, 10)) == {}
    staff_cases.withdraw(session, case, "复核后撤销", city.deng, now=AFTER)
    assert barred.staff(session, [teacher.account_id], date(2026, 6, 10)) == {}


def test_tiers_of_staff_are_read_from_the_pack_and_nonsense_is_quoted() -> None:
    assert read_staff_tiers("警告/0；暂停／6") == (StaffTier("警告", 0), StaffTier("暂停", 6))
    for wrong in ("", "警告", "警告/x", "警告/121", "警告/0；警告/1", "/3"):
        with pytest.raises(Refused, match="处理等次"):
            read_staff_tiers(wrong)


def test_the_person_reads_and_answers_on_a_page_of_his_own(city: City, sun: Viewer, enter: Enter, clock: TestClock) -> None:
    other = city.people("周强", Role.INVIGILATOR)
    stranger = city.people("他校考务", Role.EXAM_OFFICER, school=city.schools[1])
    far = city.people("他市", scopes=[Scope(Role.CITY_OFFICER, region="4307")], school=city.people.school("常德中心", region="430700"))
    city.session.commit()
    tan, home = enter(city.tan), city.schools[0].id
    typed = {"account_id": sun.account_id, "duty": "监考员", "tier": "暂停参与认定", "happened_on": "2026-06-01", "evidence": "太短"}
    refused = tan.post(f"/oversight/schools/{home}/staff-cases/new", data=typed)
    assert refused.status_code == 409
    assert "太短" in refused.get_data(as_text=True)
    assert tan.post(f"/oversight/schools/{home}/staff-cases/new",
                    data=typed | {"evidence": SEEN, "file": (from_bytes(b"%PDF-1.7\n%%EOF\n", "x").stream, "监控.pdf")}).status_code == 302
    own = enter(sun)
    assert own.get("/oversight/staff-cases/1").status_code == 404  # not told yet
    assert tan.post("/oversight/staff-cases/1/tell").status_code == 302
    page = own.get("/oversight/staff-cases/1").get_data(as_text=True)
    assert SEEN in page
    assert "2026年6月8日" in page
    with own.get("/oversight/staff-cases/1/file/evidence") as file:
        assert file.data.startswith(b"%PDF")
    assert own.get("/oversight/staff-cases/1/file/statement").status_code == 404
    assert [one.title for one in todo(city.session, sun, now=MONDAY)] == ["陈述申辩：孙丽（监考员）"]
    city.session.commit()
    for client in (enter(other), enter(stranger), enter(far), enter(city.luo)):
        assert client.get("/oversight/staff-cases/1").status_code == 404
        assert client.get("/oversight/staff-cases/1/file/evidence").status_code == 404
        assert client.post("/oversight/staff-cases/1/statement", data={"statement": "替她说话"}).status_code == 404
    assert own.post("/oversight/staff-cases/1/statement", data={"statement": "短"}).status_code == 409
    assert own.post("/oversight/staff-cases/1/statement", data={"statement": "当时电脑死机，经考务员同意。"}).status_code == 302
    deng = enter(city.deng)
    assert deng.post("/oversight/staff-cases/1/decide", data={"decision": "approve", "comment": ""}).status_code == 409
    assert tan.post("/oversight/staff-cases/1/decide", data={"decision": "approve", "comment": "属实"}).status_code == 409
    assert deng.post("/oversight/staff-cases/1/decide", data={"decision": "approve", "comment": "监控为证，不予采纳"}).status_code == 302
    assert "已认定" in own.get("/oversight/staff-cases/1").get_data(as_text=True)
    assert enter(stranger).get(f"/oversight/schools/{home}/staff-cases/new").status_code == 404

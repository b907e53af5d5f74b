"""资格审核: facts and proofs judged by the chosen condition, accepted or returned; nobody is seated or ticketed before."""

from __future__ import annotations

import io
from collections.abc import Callable
from datetime import date

import openpyxl
import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from examroom.plans import candidate_todo, entry, qualification, seating
from examroom.plans.condition_models import Qualification
from examroom.plans.entry import ConditionDraft
from examroom.plans.models import Enrolment
from examroom.plans.predicate import Facts, Predicate
from examroom.plans.qualification_models import EntryProof, QualificationCheck
from qbank.kernel.access import Role, Viewer
from qbank.kernel.attachments import from_bytes
from qbank.kernel.refused import Refused
from tests.conftest import MONDAY, People
from tests.plan_world import LAST_YEAR, PROOF, PlanWorld, identity_number, qualify

WORKED = Facts(certificate_level=5, certificate_number="5301", certificate_on=date(2022, 6, 30), years=4)


@pytest.fixture
def world(session: Session, people: People) -> PlanWorld:
    return PlanWorld.make(session, people)


def prove(world: PlanWorld, *enrolments: Enrolment, title: str = "学籍表") -> None:
    qualification.attach(world.session, enrolments, from_bytes(PROOF, "学籍表.pdf"), title, world.liu, now=MONDAY)


def accept(world: PlanWorld, *enrolments: Enrolment, by_hand: bool = False) -> int:
    return qualification.accept(world.session, enrolments, world.liu, now=MONDAY, by_hand=by_hand)


def content(client: FlaskClient, url: str) -> bytes:
    """What a download holds; the file behind it is shut."""
    with client.get(url) as answer:
        held: bytes = answer.data
        return held


def test_facts_that_do_not_meet_the_condition_and_missing_proofs_stop_the_acceptance(world: PlanWorld) -> None:
    chen, wu = world.enrol(world.draft(), 2, accepted=False)
    with pytest.raises(Refused, match="2 名考生不能通过") as refusal:
        accept(world, chen, wu)
    assert refusal.value.details == ("考生001：没有上传证明材料。", "考生002：没有上传证明材料。")
    prove(world, chen, wu)
    by_certificate = entry.conditions_for(world.session, world.standard.id, 4)[1]
    qualification.record(world.session, wu, LAST_YEAR, by_certificate, world.liu, now=MONDAY)
    assert qualification.unacceptable(world.session, [chen, wu], world.liu) == {wu.id: [
        "取得本职业五级或更高证书：没有登记证书，请补充。", "取得证书满 4 年：没有登记，请补充。", "从事本职业满 4 年：没有登记，请补充。"]}
    qualification.record(world.session, wu, WORKED, by_certificate, world.liu, now=MONDAY)  # four years on 30 June, examined on 1 July
    assert accept(world, chen, wu) == 2
    checks = world.session.scalars(sa.select(QualificationCheck).order_by(QualificationCheck.id)).all()
    assert [(check.verdict, check.checked_by) for check in checks] == [(Qualification.ACCEPTED, world.liu.account_id)] * 2
    assert checks[1].findings == ["取得本职业五级或更高证书：符合（五级 5301）", "取得证书满 4 年：符合（4 年）", "从事本职业满 4 年：符合（4 年）"]
    assert "第 2 条" in checks[1].condition


def test_a_return_says_why_and_whatever_is_mended_waits_again(world: PlanWorld) -> None:
    chen = world.enrol(world.draft(), 1, accepted=False)[0]
    with pytest.raises(Refused, match="写明原因"):
        qualification.send_back(world.session, chen, " ", world.liu, now=MONDAY)
    qualification.send_back(world.session, chen, "请补交学籍证明", world.liu, now=MONDAY)
    with pytest.raises(Refused, match="1 名考生不能通过"):
        accept(world, chen)
    with pytest.raises(Refused, match="已经退回，等待补正"):
        qualification.send_back(world.session, chen, "再退", world.liu, now=MONDAY)
    prove(world, chen)
    assert chen.qualification is Qualification.PENDING
    assert accept(world, chen) == 1
    held = qualification.proofs_of(world.session, [chen])[chen.id][0]
    changes: list[Callable[[], object]] = [
        lambda: prove(world, chen, title="毕业证书"), lambda: qualification.withdraw_proof(world.session, held, world.liu, now=MONDAY),
        lambda: qualification.record(world.session, chen, WORKED, chen.condition, world.liu, now=MONDAY)]  # type: ignore[arg-type]
    for change in changes:
        with pytest.raises(Refused, match="已经通过，不能再改"):
            change()
    qualification.send_back(world.session, chen, "证明是别人的", world.liu, now=MONDAY)  # an acceptance taken back
    assert qualification.counts(world.session, chen.plan_id)[Qualification.RETURNED] == 1


def test_who_is_not_accepted_gets_no_seat_and_who_sits_is_not_returned(world: PlanWorld) -> None:
    plan = world.approved()
    sitting = world.ready(plan)
    world.enrol(plan, 2)
    waiting = world.enrol(plan, 1, first=3, accepted=False)[0]
    assert seating.seat_all(world.session, sitting, world.liu, seed="1") == 2
    assert waiting.seats == []
    seated = world.session.scalars(sa.select(Enrolment).where(Enrolment.seats.any())).first()
    assert seated is not None
    with pytest.raises(Refused, match="已编排座位"):
        qualification.send_back(world.session, seated, "学籍不符", world.liu, now=MONDAY)
    with pytest.raises(Refused, match="考生003共 1 名考生的资格审核没有通过"):
        qualification.require_accepted([seated, waiting])


def test_what_is_checked_by_hand_needs_a_word_of_the_officer(world: PlanWorld) -> None:
    chen = world.enrol(world.draft(), 1, accepted=False)[0]
    entry.set_condition(world.session, world.standard, 4, ConditionDraft(3, "学徒期满的人员", Predicate(by_hand="学徒期满")), world.liu, now=MONDAY)
    third = entry.conditions_for(world.session, world.standard.id, 4)[2]
    qualification.record(world.session, chen, LAST_YEAR, third, world.liu, now=MONDAY)
    prove(world, chen)
    with pytest.raises(Refused) as refusal:
        accept(world, chen)
    assert "已核对证明材料" in refusal.value.details[0]
    assert accept(world, chen, by_hand=True) == 1


def test_only_the_schools_officer_checks_and_never_himself(world: PlanWorld) -> None:
    chen = world.enrol(world.draft(), 1, accepted=False)[0]
    prove(world, chen)
    stranger = world.people("他校考务", Role.EXAM_OFFICER, school=world.people.school("他校"))
    for who in (stranger, world.tan):
        with pytest.raises(Refused, match="不包括该校"):
            qualification.accept(world.session, [chen], who, now=MONDAY)
    own = world.people.account("学生考务", Role.EXAM_OFFICER)
    chen.account_id = own.id
    world.session.flush()
    with pytest.raises(Refused) as refusal:
        qualification.accept(world.session, [chen], own.viewer(), now=MONDAY)
    assert "不能审核自己的报名" in refusal.value.details[0]


def test_a_condition_of_another_level_cannot_be_chosen(world: PlanWorld) -> None:
    chen = world.enrol(world.draft(), 1, accepted=False)[0]
    other = entry.conditions_for(world.session, world.standard.id, 3)[0]
    with pytest.raises(Refused, match="本方案职业和等级"):
        qualification.record(world.session, chen, LAST_YEAR, other, world.liu, now=MONDAY)


def test_a_class_is_proven_and_accepted_on_the_page_and_the_summary_tells_all(
        world: PlanWorld, session: Session, enter: Callable[[Viewer], FlaskClient]) -> None:
    plan = world.draft()
    world.enrol(plan, 3, accepted=False)
    world.enrol(plan, 1, first=4, class_name="机电班", accepted=False)
    session.commit()
    liu, page = enter(world.liu), f"/plans/{plan.id}/qualification"
    shown = liu.get(page + "?q=电气").get_data(as_text=True)
    assert shown.count("没有上传证明材料") == 3
    assert liu.post(page + "/accept").status_code == 409  # nobody is ticked
    proof = {"file": (io.BytesIO(PROOF), "学籍表.pdf"), "title": "电气班学籍表", "all": "1"}
    assert liu.post(page + "/proofs?q=电气", data=proof).status_code == 302
    assert liu.post(page + "/proofs", data={"file": (io.BytesIO(b"MZ"), "a.pdf"), "title": "表", "enrolment": "1"}).status_code == 409
    answer = liu.post(page + "/accept", data={"all": "1"}, follow_redirects=True).get_data(as_text=True)
    assert "3 名考生审核通过" in answer
    assert "考生004：没有上传证明材料。" in answer
    assert liu.post(page + "/accept", data={"enrolment": "999"}).status_code == 404
    assert liu.post("/plans/enrolments/4", data={"act": "return", "reason": "请补交学籍证明"}).status_code == 302
    book = openpyxl.load_workbook(io.BytesIO(liu.get(page + ".xlsx").data))["资格审核数据汇总表"]
    lines = list(book.iter_rows(min_row=3, values_only=True))
    head = lines[0]
    assert "报名 4 人，待审核 0 人，审核通过 3 人，已退回 1 人" in str(book["A2"].value)
    told = [{title: line[place] for place, title in enumerate(head)} for line in lines[1:]]
    assert [(one["姓名"], one["条件序号"], one["证明材料"], one["审核结果"], one["审核意见"]) for one in told][2:] == [
        ("考生003", 1, "电气班学籍表", "审核通过", ""), ("考生004", 1, "", "已退回", "请补交学籍证明")]
    assert "4301022008" not in str(told)
    assert [line[1] for line in openpyxl.load_workbook(io.BytesIO(liu.get(page + ".xlsx?state=returned").data)).active.iter_rows(  # type: ignore[union-attr]
        min_row=4, values_only=True)] == ["考生004"]


def test_one_application_on_its_page(world: PlanWorld, session: Session, enter: Callable[[Viewer], FlaskClient]) -> None:
    world.enrol(world.draft(), 1, accepted=False)
    by_certificate = entry.conditions_for(session, world.standard.id, 4)[1]
    session.commit()
    liu, page = enter(world.liu), "/plans/enrolments/1"
    facts = {"act": "record", "condition_id": str(by_certificate.id), "certificate_level": "五级", "certificate_on": "2022-06-30", "years": "4"}
    assert liu.post(page, data=facts).status_code == 302
    for wrong in ({"condition_id": ""}, {"years": "四年半"}, {"certificate_on": "去年"}, {"certificate_level": "九级"}):
        assert liu.post(page, data=facts | wrong).status_code == 409, wrong
    assert liu.post(page, data=facts | {"condition_id": "999"}).status_code == 404
    assert liu.post(page, data={"act": "nothing"}).status_code == 409
    upload = {"act": "attach", "title": "五级证书", "file": (io.BytesIO(PROOF), "证书.pdf")}
    assert liu.post(page, data=upload).status_code == 302
    shown = liu.get(page).get_data(as_text=True)
    assert "证书.pdf（PDF" in shown
    assert content(liu, "/plans/proofs/1") == PROOF
    assert liu.post("/plans/proofs/1/withdraw").status_code == 302
    assert liu.post(page, data={"act": "accept"}).status_code == 409
    assert liu.post(page, data=upload | {"file": (io.BytesIO(PROOF), "证书.pdf")}).status_code == 302
    assert liu.post(page, data={"act": "accept"}).status_code == 302
    assert "审核通过" in liu.get(page).get_data(as_text=True)
    assert enter(world.tan).get(page).status_code == 200
    session.expire_all()
    assert [proof.withdrawn_at is None for proof in session.scalars(sa.select(EntryProof).order_by(EntryProof.id))] == [False, True]


def test_the_work_list_counts_what_waits_for_the_officer_and_what_for_the_candidates(world: PlanWorld) -> None:
    plan = world.draft()
    first = world.enrol(plan, 3, accepted=False)[0]
    qualification.send_back(world.session, first, "请补交学籍证明", world.liu, now=MONDAY)
    lines = candidate_todo.todo(world.session, world.liu, now=MONDAY)
    assert [(line.title, line.clause, line.waits_for) for line in lines] == [
        ("审核报名资格：2026年电工认定（2 人）", "一（一）", ""), ("等待补正报名：2026年电工认定（1 人）", "一（一）", "考生")]
    assert [line.title for line in candidate_todo.todo(world.session, first.candidate.viewer(), now=MONDAY)] == ["补正报名：2026年电工认定"]
    assert candidate_todo.todo(world.session, world.tan, now=MONDAY) == []


# ---- the candidate's own page


@pytest.fixture
def walk_in(app: object, enter: Callable[[Viewer], FlaskClient]) -> Callable[[str, str], FlaskClient]:
    def sign_in(number: str, identity: str) -> FlaskClient:
        client: FlaskClient = app.test_client()  # type: ignore[attr-defined]
        answer = client.post("/exam", data={"ticket": number, "identity_number": identity})
        assert answer.status_code == 302, answer.get_data(as_text=True)[:2000]
        return client

    return sign_in


def test_chen_sees_what_is_missing_brings_it_and_gets_the_ticket(
        world: PlanWorld, session: Session, enter: Callable[[Viewer], FlaskClient], walk_in: Callable[[str, str], FlaskClient]) -> None:
    plan = world.approved()
    chen, _ = world.enrol(plan, 2, accepted=False)
    session.commit()
    client = walk_in("20240001", identity_number(1))  # before there is a ticket: the student number
    page = client.get("/plans/own").get_data(as_text=True)
    assert "没有上传证明材料" in page
    assert "没有照片" in page
    assert identity_number(1) not in page
    upload = {"title": "学籍证明", "file": (io.BytesIO(PROOF), "学籍证明.pdf")}
    assert client.post("/plans/own/1/proofs", data=upload).status_code == 302
    assert client.post("/plans/own/2/proofs", data=upload | {"file": (io.BytesIO(PROOF), "别人.pdf")}).status_code == 404
    assert content(client, "/plans/own/proofs/1") == PROOF
    options = entry.conditions_for(session, world.standard.id, 4)
    session.commit()
    assert client.post("/plans/own/1/condition", data={"condition_id": str(options[1].id)}).status_code == 302
    assert client.post("/plans/own/1/condition", data={"condition_id": "999"}).status_code == 409
    assert "从事本职业满 4 年" in client.get("/plans/own").get_data(as_text=True)
    assert client.post("/plans/own/1/condition", data={"condition_id": str(options[0].id)}).status_code == 302
    assert client.get("/plans/enrolments/1/ticket.pdf").status_code == 409  # not accepted yet
    assert client.get("/plans/enrolments/2/ticket.pdf").status_code == 404
    session.expire_all()
    qualification.accept(session, [chen], world.liu, now=MONDAY)
    session.commit()
    page = client.get("/plans/own").get_data(as_text=True)
    assert "下载准考证" in page
    assert client.get("/plans/enrolments/1/ticket.pdf").data.startswith(b"%PDF")
    assert client.post("/plans/proofs/1/withdraw").status_code == 409
    assert client.get(f"/plans/{plan.id}/candidates").status_code == 403


def test_a_proof_of_the_whole_class_is_not_shown_to_one_of_it(world: PlanWorld, session: Session,
                                                              walk_in: Callable[[str, str], FlaskClient]) -> None:
    qualify(session, world.enrol(world.approved(), 2, accepted=False), world.liu)
    session.commit()
    client = walk_in("20240001", identity_number(1))
    assert "学校上传" in client.get("/plans/own").get_data(as_text=True)
    assert client.get("/plans/own/proofs/1").status_code == 404
    assert client.get("/plans/proofs/1").status_code == 403

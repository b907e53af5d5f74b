"""Candidates: by hand and from a roster, nothing half written, and who may see them."""

from __future__ import annotations

import dataclasses
import io
from collections.abc import Callable
from typing import Any

import openpyxl
import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from examroom.plans import candidates, desk, roster, seating
from examroom.plans.candidates import check_rows, enrol, import_roster, read_roster
from examroom.plans.models import Enrolment, ExamPlan, RosterImport, SittingState
from examroom.plans.roster import RosterRow
from qbank.kernel.access import Role, Scope, Viewer
from qbank.kernel.accounts import Account, set_identity
from qbank.kernel.audit import AuditEntry
from qbank.kernel.refused import Refused
from tests.conftest import MONDAY, People
from tests.plan_world import CIPHER, CONDITION, FIRST_DAY, PlanWorld, identity_number, roster_file


@pytest.fixture
def world(session: Session, people: People) -> PlanWorld:
    return PlanWorld.make(session, people)


def row(number: int, /, line: int = 0, **changed: Any) -> RosterRow:
    plain = RosterRow(line or number + 1, f"考生{number:03d}", identity_number(number), entry_condition=CONDITION)
    return dataclasses.replace(plain, **changed)


def cells(number: int) -> list[str]:
    return [f"考生{number:03d}", identity_number(number), f"2024{number:04d}", "电气2401班", CONDITION]


def enrolled(session: Session) -> int:
    return session.scalar(sa.select(sa.func.count(Enrolment.id))) or 0


def test_a_candidate_gets_an_account_without_password_and_a_ticket(world: PlanWorld) -> None:
    plan = world.draft()
    first, second = world.enrol(plan, 2)
    assert (first.ticket_number, second.ticket_number) == (f"26{plan.id:05d}4000001", f"26{plan.id:05d}4000002")
    account = first.candidate
    assert account.password_hash is None
    assert account.login.startswith("c")
    assert account.identity_masked == "430102********" + identity_number(1)[-4:]
    assert account.viewer().scopes == (Scope(Role.CANDIDATE, world.school.id),)


def test_the_same_person_keeps_the_account_in_the_next_plan_and_gets_one_of_each_school(world: PlanWorld) -> None:
    first = world.enrol(world.draft(), 1)[0]
    world.file(3)
    plan = desk.draft_plan(world.session, world.school, world.standard, 3, "三级", world.liu, starts_on=FIRST_DAY, now=MONDAY)
    again = world.enrol(plan, 1)[0]
    assert again.account_id == first.account_id
    assert again.ticket_number != first.ticket_number
    school = world.people.school("他校")
    other = dataclasses.replace(world, school=school, liu=world.people("何静", Role.EXAM_OFFICER, school=school))
    assert other.enrol(other.draft(), 1)[0].account_id != first.account_id


def test_a_ticket_number_is_never_used_twice(world: PlanWorld) -> None:
    plan = world.draft()
    last = world.enrol(plan, 2)[1]
    candidates.remove(world.session, last, world.liu)
    assert world.enrol(plan, 1, first=3)[0].ticket_number.endswith("000003")


@pytest.mark.parametrize(("changed", "sentence"), [
    ({"name": ""}, "没有填写姓名"), ({"name": "长" * 61}, "超过 60"), ({"entry_condition": ""}, "申报条件"),
    ({"identity_number": ""}, "没有填写身份证号码"), ({"identity_number": "430102200801010010"}, "校验码"),
    ({"identity_number": "4.30102E+17"}, "科学计数法"), ({"identity_number": "1234"}, "不正确")])
def test_each_fault_of_a_row_is_named(world: PlanWorld, changed: dict[str, Any], sentence: str) -> None:
    plan = world.draft()
    assert sentence in "".join(check_rows(world.session, plan, [row(1, **changed)], CIPHER)[2])
    with pytest.raises(Refused, match=sentence):
        enrol(world.session, plan, world.liu, cipher=CIPHER, now=MONDAY, name=changed.get("name", "甲"),
              identity_number=changed.get("identity_number", identity_number(1)),
              entry_condition=changed.get("entry_condition", CONDITION))


def test_one_wrong_row_and_nothing_is_written(world: PlanWorld) -> None:
    plan = world.draft()
    world.enrol(plan, 1)
    rows = [row(1), row(2), row(3), row(2, 9), row(4, name="")]
    with pytest.raises(Refused, match="没有写入任何考生") as refusal:
        import_roster(world.session, plan, rows, world.liu, cipher=CIPHER, now=MONDAY)
    assert refusal.value.details == ("第 2 行：该考生已在本方案名单中。", "第 9 行：身份证号码与第 3 行重复。", "第 5 行：没有填写姓名。")
    assert enrolled(world.session) == 1
    assert import_roster(world.session, plan, [row(2), row(3)], world.liu, cipher=CIPHER, now=MONDAY) == 2


def test_a_known_number_under_another_name_is_questioned(world: PlanWorld) -> None:
    world.enrol(world.draft(), 1)
    plan = world.session.scalars(sa.select(ExamPlan)).one()
    found = check_rows(world.session, plan, [row(1, name="冒名者")], CIPHER)[2]
    assert "已在本方案名单中" in found[0]
    assert "登记的姓名是“考生001”" in found[1]


def test_an_invigilator_or_the_author_of_the_paper_cannot_be_a_candidate(world: PlanWorld) -> None:
    plan = world.draft()
    sitting = world.ready(plan)
    he, chen = world.people.account("何敏", Role.PAPER_COMPOSER), world.people.account("陈晓", Role.ITEM_AUTHOR)
    seating.choose_paper(world.session, sitting, world.paper(he, chen).id, world.liu)
    watcher = world.session.get_one(Account, world.watchers[0].account_id)
    for number, account, sentence in ((1, watcher, "监考员"), (2, he, "回避"), (3, chen, "回避")):
        set_identity(account, identity_number(number), CIPHER)
        world.session.flush()
        with pytest.raises(Refused, match=sentence):
            enrol(world.session, plan, world.liu, name=account.name, identity_number=identity_number(number), cipher=CIPHER,
                  entry_condition=CONDITION, now=MONDAY)


def test_after_all_sittings_are_dealt_nobody_joins(world: PlanWorld, enter: Callable[[Viewer], FlaskClient]) -> None:
    plan = world.draft()
    sitting = world.sitting(plan)
    world.session.commit()
    assert "上传并预览" in enter(world.liu).get("/plans/1/candidates").get_data(as_text=True)
    sitting.state = SittingState.DEALT
    world.session.commit()
    page = enter(world.liu).get("/plans/1/candidates").get_data(as_text=True)
    assert "都已发卷" in page
    assert "上传并预览" not in page
    with pytest.raises(Refused, match="都已发卷"):
        world.enrol(plan, 1)


def test_another_schools_officer_cannot_enrol(world: PlanWorld) -> None:
    plan = world.draft()
    stranger = world.people("他校考务", Role.EXAM_OFFICER, school=world.people.school("他校"))
    with pytest.raises(Refused, match="不包括该校"):
        import_roster(world.session, plan, [row(1)], stranger, cipher=CIPHER, now=MONDAY)


def test_rosters_are_read_as_people_write_them() -> None:
    titled = roster_file([["附件：考生名单"], ["序号", "学号", "姓名", "证件号码", "申报条件"],
                          ["1", "20240001.0", " 张　三 ", "43０102200801010019", "应届（技工）"], [""]], head=["湘江技师学院"])
    assert read_roster(titled) == [RosterRow(4, "张三", "430102200801010019", "20240001", "", "应届（技工）")]
    with pytest.raises(Refused, match="没有考生"):  # the template, uploaded as it is
        read_roster(roster.template())


@pytest.mark.parametrize(("content", "sentence"), [
    (b"PK\x03\x04 not a workbook", "已损坏"), (b"\xd0\xcf\x11\xe0" + b"\0" * 600, "已损坏"),
    (roster_file([], head=[]), "是空的"), (roster_file([["甲", "1"]], head=["姓名", "年龄"]), "“身份证号码”“申报条件”"),
    (roster_file([["1"]], head=["编号"]), "没有找到名单表头")])
def test_a_file_that_is_no_roster_is_refused_with_the_reason(content: bytes, sentence: str) -> None:
    with pytest.raises(Refused, match=sentence):
        read_roster(content)


def post_roster(client: FlaskClient, rows: list[list[str]], name: str = "名单.xlsx") -> str:
    answer = client.post("/plans/1/rosters", data={"file": (io.BytesIO(roster_file(rows)), name)})
    assert answer.status_code == 302, answer.get_data(as_text=True)
    return answer.headers["Location"]


def test_an_upload_is_previewed_then_imported_whole(world: PlanWorld, session: Session,
                                                    enter: Callable[[Viewer], FlaskClient]) -> None:
    world.draft()
    session.commit()
    liu = enter(world.liu)
    preview = post_roster(liu, [cells(n) for n in range(1, 4)])
    page = liu.get(preview).get_data(as_text=True)
    assert "导入 3 名考生" in page
    assert identity_number(1) not in page  # masked
    session.expire_all()
    assert enrolled(session) == 0  # nothing is written by a preview
    kept = session.scalars(sa.select(RosterImport)).one()
    assert kept.content is not None
    assert preview in liu.get("/plans/1/candidates").get_data(as_text=True)  # an upload that waits is found again
    assert identity_number(1).encode() not in kept.content  # encrypted at rest
    session.commit()
    assert liu.post(preview + "/import").status_code == 302
    session.expire_all()
    assert enrolled(session) == 3
    session.refresh(kept)
    assert (kept.content is None, kept.imported) == (True, 3)
    assert not session.scalars(sa.select(AuditEntry).where(AuditEntry.changes.contains(identity_number(1)))).all()
    session.commit()
    assert liu.post(preview + "/import").status_code == 409  # pressed twice
    assert "已导入 3 名考生" in liu.get("/plans/1/candidates").get_data(as_text=True)
    listed = liu.get("/plans/1/candidates?q=考生002").get_data(as_text=True)
    assert "考生002" in listed
    assert "考生003" not in listed
    assert liu.post("/plans/enrolments/1/remove").status_code == 302
    book = openpyxl.load_workbook(io.BytesIO(liu.get("/plans/1/candidates.xlsx").data))
    assert [line[2] for line in book.active.iter_rows(min_row=4, values_only=True)] == ["考生002", "考生003"]  # type: ignore[union-attr]


def test_wrong_rows_stop_the_import_unless_the_officer_leaves_them_out(
        world: PlanWorld, session: Session, enter: Callable[[Viewer], FlaskClient]) -> None:
    world.draft()
    session.commit()
    liu = enter(world.liu)
    preview = post_roster(liu, [cells(1), cells(2), ["无条件", identity_number(3), "", "", ""], cells(1)])
    page = liu.get(preview).get_data(as_text=True)
    assert "只导入正确的 2 行" in page
    assert "身份证号码与第 2 行重复" in page
    errors = openpyxl.load_workbook(io.BytesIO(liu.get(preview + "/errors.xlsx").data)).active
    assert [line[0] for line in errors.iter_rows(min_row=3, values_only=True)] == [4, 5]  # type: ignore[union-attr]
    job = liu.post(preview + "/import").headers["Location"]
    assert "没有写入任何考生" in liu.get(job).get_data(as_text=True)
    session.expire_all()
    assert enrolled(session) == 0
    session.commit()
    liu.post(preview + "/import", data={"only_good": "1"})
    session.expire_all()
    assert enrolled(session) == 2
    session.commit()
    again = post_roster(liu, [cells(1), cells(2)])  # the same people twice add nothing
    assert "可以导入</span>" in liu.get(again).get_data(as_text=True)
    assert liu.post(again + "/discard").status_code == 302
    assert liu.get(again).status_code == 409
    session.expire_all()
    assert enrolled(session) == 2


@pytest.mark.parametrize(("name", "content", "sentence"), [
    ("名单.csv", "姓名,身份证号码".encode("gbk"), "不是 Excel 工作簿"), ("名单.xlsx", b"", "是空文件"), ("", b"", "先选择"),
    ("名单.xlsx", roster_file([]), "没有考生")])
def test_a_wrong_file_gets_a_sentence(world: PlanWorld, session: Session, enter: Callable[[Viewer], FlaskClient], name: str,
                                      content: bytes, sentence: str) -> None:
    world.draft()
    session.commit()
    answer = enter(world.liu).post("/plans/1/rosters", data={"file": (io.BytesIO(content), name)})
    assert answer.status_code == 409
    assert sentence in answer.get_data(as_text=True)


def test_a_strangers_plan_does_not_exist(world: PlanWorld, session: Session, enter: Callable[[Viewer], FlaskClient]) -> None:
    plan = world.approved()
    world.enrol(plan, 1)
    sitting = world.ready(plan)
    seating.seat_all(session, sitting, world.liu, seed="1")
    kept = candidates.upload(session, plan, "a.xlsx", roster_file([cells(2)]), world.liu, cipher=CIPHER, now=MONDAY)
    stranger = world.people("他校考务", Role.EXAM_OFFICER, Role.INVIGILATOR, school=world.people.school("他校"))
    idle = world.people("本校另一监考", Role.INVIGILATOR)
    candidate = world.people("在校生", Role.CANDIDATE)
    session.commit()
    reads = [f"/plans/{plan.id}", f"/plans/{plan.id}/edit", f"/plans/{plan.id}/candidates", f"/plans/{plan.id}/candidates.xlsx",
             f"/plans/{plan.id}/roster-template.xlsx", f"/plans/{plan.id}/tickets", f"/plans/sittings/{sitting.id}",
             "/plans/sitting-rooms/1/seats", f"/plans/rosters/{kept.id}", f"/plans/rosters/{kept.id}/errors.xlsx"]
    writes = [f"/plans/{plan.id}/edit", f"/plans/{plan.id}/submit", f"/plans/{plan.id}/sittings", f"/plans/{plan.id}/candidates",
              f"/plans/{plan.id}/rosters", f"/plans/sittings/{sitting.id}/change", f"/plans/sittings/{sitting.id}/remove",
              f"/plans/sittings/{sitting.id}/paper", f"/plans/sittings/{sitting.id}/rooms", f"/plans/sittings/{sitting.id}/seats",
              "/plans/sitting-rooms/1/drop", "/plans/rooms/1", "/plans/enrolments/1/remove", f"/plans/rosters/{kept.id}/import",
              f"/plans/rosters/{kept.id}/discard"]
    far = enter(stranger)
    assert {url: far.get(url).status_code for url in reads} == dict.fromkeys(reads, 404)
    assert {url: far.post(url).status_code for url in writes} == dict.fromkeys(writes, 404)
    assert "2026年电工认定" not in far.get("/plans/").get_data(as_text=True)
    assert enter(idle).get("/plans/sitting-rooms/1/seats").status_code == 404
    assert enter(world.watchers[0]).get("/plans/sitting-rooms/1/seats").status_code == 200
    low = enter(candidate)
    assert {low.get(url).status_code for url in reads} == {403}
    for url in ("/plans/", "/plans/rooms", "/plans/calendars", "/filing/", "/oversight/"):
        assert low.get(url).status_code == 403, url


def test_tickets_print_one_a_page_with_seat_room_and_time(world: PlanWorld, session: Session,
                                                          enter: Callable[[Viewer], FlaskClient]) -> None:
    draft = world.draft(5)
    plan = world.approved()
    world.enrol(plan, 3)
    seating.seat_all(session, world.ready(plan), world.liu, seed="7")
    session.commit()
    liu = enter(world.liu)
    page = liu.get(f"/plans/{plan.id}/tickets").get_data(as_text=True)
    assert page.count('<article class="ticket">') == 3
    assert "2026年7月1日 09:00" in page
    assert "机房一" in page
    assert identity_number(1) not in page
    assert liu.get(f"/plans/{plan.id}/tickets?enrolment=2").get_data(as_text=True).count('<article class="ticket">') == 1
    assert liu.get(f"/plans/{draft.id}/tickets").status_code == 409  # not approved yet
    door = liu.get("/plans/sitting-rooms/1/seats").get_data(as_text=True)
    assert "430102****" not in door  # what hangs on the door carries no identity number
    assert "考生签名" in liu.get("/plans/sitting-rooms/1/seats?for=sign").get_data(as_text=True)


def test_one_candidate_by_hand_on_the_page(world: PlanWorld, session: Session, enter: Callable[[Viewer], FlaskClient]) -> None:
    world.draft()
    session.commit()
    liu = enter(world.liu)
    data = {"name": "王小明", "identity_number": identity_number(1), "entry_condition": CONDITION}
    wrong = liu.post("/plans/1/candidates", data=data | {"identity_number": "4301"})
    assert wrong.status_code == 409
    assert "王小明" in wrong.get_data(as_text=True)
    assert liu.post("/plans/1/candidates", data={}).status_code == 409
    assert liu.post("/plans/1/candidates", data=data).status_code == 302
    assert liu.post("/plans/1/candidates", data=data).status_code == 409

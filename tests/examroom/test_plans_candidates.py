"""Candidates: by hand and from a roster, nothing half written, and who may see them."""

from __future__ import annotations

import dataclasses
import io
import re
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import openpyxl
import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from examroom.plans import candidates, desk, persons, roster, seating
from examroom.plans.candidates import enrol, import_roster, read_roster
from examroom.plans.checking import examine
from examroom.plans.models import Enrolment, ExamPlan, SittingState
from examroom.plans.predicate import Facts
from examroom.plans.qualification_models import TicketFile
from examroom.plans.roster import RosterRow
from examroom.plans.roster_models import RosterImport
from qbank.kernel.access import Role, Scope, Viewer
from qbank.kernel.accounts import Account, set_identity
from qbank.kernel.audit import AuditEntry
from qbank.kernel.identity import IdentityKind
from qbank.kernel.refused import Refused
from tests.conftest import MONDAY, People
from tests.plan_world import CIPHER, CONDITION, FIRST_DAY, PlanWorld, identity_number, roster_file


@pytest.fixture
def world(session: Session, people: People) -> PlanWorld:
    return PlanWorld.make(session, people)


def row(number: int, /, line: int = 0, **changed: Any) -> RosterRow:
    plain = RosterRow(line or number + 1, f"考生{number:03d}", identity_number(number), f"2024{number:04d}", entry_condition="1")
    return dataclasses.replace(plain, **changed)


def cells(number: int) -> list[str]:
    return [f"考生{number:03d}", identity_number(number), f"2024{number:04d}", "电气2401班", CONDITION]


def judged(world: PlanWorld, plan: ExamPlan, *rows: RosterRow) -> list[str]:
    """All that is said about each row."""
    return ["".join(one.problems + one.doubts) for one in examine(world.session, plan, rows, CIPHER, now=MONDAY)]


def register(world: PlanWorld, plan: ExamPlan, rows: list[RosterRow], **options: Any) -> int:
    return import_roster(world.session, plan, rows, world.liu, cipher=CIPHER, now=MONDAY, **({"declared": True} | options))


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
    elsewhere = other.draft()
    with pytest.raises(Refused, match=r"另一所学校.*一（一）"):
        other.enrol(elsewhere, 1)
    for begun in (first.plan, plan):
        begun.starts_on = MONDAY.date() - timedelta(days=30)  # over and done with
    world.session.flush()
    assert other.enrol(elsewhere, 1)[0].account_id != first.account_id


def test_a_ticket_number_is_never_used_twice(world: PlanWorld) -> None:
    plan = world.draft()
    last = world.enrol(plan, 2)[1]
    candidates.remove(world.session, last, world.liu)
    assert world.enrol(plan, 1, first=3)[0].ticket_number.endswith("000003")


FAULTS: list[tuple[dict[str, Any], str]] = [
    ({"name": ""}, "没有填写姓名"), ({"name": "长" * 61}, "超过 60"), ({"entry_condition": ""}, "没有填写申报条件"),
    ({"entry_condition": "7"}, "不是已录入的选项"),
    ({"student_number": ""}, "本校在籍学生.*一（一）"), ({"graduation": "退学"}, "毕业情况应是"), ({"years": "很多"}, "从业年限应是整数"),
    ({"certificate_on": "去年"}, "发证日期应是日期"), ({"identity_number": ""}, "没有填写证件号码"), ({"identity_number": "430102200801010010"}, "校验码"),
    ({"identity_number": "4.30102E+17"}, "科学计数法"), ({"identity_number": "1234"}, "不正确"), ({"identity_kind": "借书证"}, "证件类型"),
    ({"identity_kind": "护照", "identity_number": "E12345678"}, "出生日期和性别"), ({"sex": "女"}, "性别与身份证号码不一致"),
    ({"born": "2007-12-01"}, "出生日期与身份证号码")]


def test_each_fault_of_a_row_is_named(world: PlanWorld) -> None:
    plan = world.draft()
    rows = [row(11 + 2 * place, **changed) for place, (changed, _) in enumerate(FAULTS)]
    for (_, sentence), told in zip(FAULTS, judged(world, plan, *rows), strict=True):
        assert re.search(sentence, told), (sentence, told)
    with pytest.raises(Refused, match=f"{len(FAULTS)} 行不能导入"):
        register(world, plan, rows)
    with pytest.raises(Refused, match="没有填写姓名"):
        enrol(world.session, plan, world.liu, name=" ", identity_number=identity_number(1), student_number="S1", entry_condition="1",
              cipher=CIPHER, declared=True, now=MONDAY)
    assert enrolled(world.session) == 0


def test_one_wrong_row_and_nothing_is_written(world: PlanWorld) -> None:
    plan = world.draft()
    world.enrol(plan, 1)
    rows = [row(1), row(2), row(3), row(2, 9), row(4, name="")]
    with pytest.raises(Refused, match="没有写入任何考生") as refusal:
        register(world, plan, rows)
    assert refusal.value.details == ("第 2 行：该考生已在本方案名单中。", "第 9 行：证件号码与第 3 行重复。学号与第 3 行重复。", "第 5 行：没有填写姓名。")
    assert enrolled(world.session) == 1
    assert register(world, plan, [row(2), row(3)]) == 2


def test_doubles_are_found_in_the_file_and_across_the_plan(world: PlanWorld) -> None:
    plan = world.draft()
    world.enrol(plan, 1)  # 考生001, born 2008-01-01, student number 20240001
    known = judged(world, plan, row(2, student_number="20240001"), row(3, name="考生001"), row(4, 9, name="考生005"))
    assert known == ["学号 20240001 在本方案中已属于考生001。", "本方案中已有姓名和出生日期相同、证件号码不同的考生，请核对是不是同一个人。", ""]
    alike, same = judged(world, plan, row(5), row(6, name="考生005"))
    assert (alike, same) == ("", "与第 6 行姓名和出生日期相同、证件号码不同，请核对是不是同一个人。")
    with pytest.raises(Refused, match="1 行不能导入"):
        register(world, plan, [row(5), row(6, name="考生005")])
    assert register(world, plan, [row(5), row(6, name="考生005")], confirmed={"第 7 行"}) == 2


def test_one_plan_of_an_occupation_and_level_at_a_time(world: PlanWorld) -> None:
    world.enrol(world.draft(), 1)
    second = desk.draft_plan(world.session, world.school, world.standard, 4, "第二批", world.liu, starts_on=FIRST_DAY, now=MONDAY)
    assert "同一职业同一等级的另一方案（计划编号 JH2026-" in judged(world, second, row(1))[0]
    world.session.scalars(sa.select(ExamPlan)).first().starts_on = MONDAY.date() - timedelta(days=1)  # type: ignore[union-attr]
    world.session.flush()
    assert judged(world, second, row(1)) == [""]  # a plan that is over holds nobody


def test_only_declared_students_of_the_school_come_in(world: PlanWorld) -> None:
    plan = world.draft()
    for act in (lambda: register(world, plan, [row(1)], declared=False),
                lambda: candidates.upload(world.session, plan, "a.xlsx", roster_file([cells(1)]), world.liu, cipher=CIPHER, declared=False,
                                          now=MONDAY)):
        with pytest.raises(Refused, match=r"本校在籍学生.*一（一）"):
            act()
    chen = world.enrol(plan, 1)[0]
    assert (chen.declared_by, chen.declared_at) == (world.liu.account_id, MONDAY)


def test_other_papers_than_the_residents_card_are_taken_and_kept_as_secret(world: PlanWorld) -> None:
    plan = world.draft()
    rows = [row(1, identity_kind="护照", identity_number="e1234 5678", sex="女", born="2007年3月5日"),
            row(2, identity_kind="港澳居民来往内地通行证", identity_number="H12345678", sex="男", born="2007-03-06"),
            row(3, identity_kind="台胞证", identity_number="12345678", sex="男", born="20070307")]
    assert register(world, plan, rows) == 3
    passport, permit, _ = world.session.scalars(sa.select(Enrolment).order_by(Enrolment.id)).all()
    assert (passport.candidate.identity_kind, passport.candidate.identity_masked) == (IdentityKind.PASSPORT, "*********")
    assert CIPHER.decrypt(passport.candidate.identity_cipher or b"") == "E12345678"
    assert (persons.born(passport, "E12345678"), persons.sex(passport, "E12345678")) == (date(2007, 3, 5), "女")
    assert persons.sex(permit, "H12345678") == "男"
    for kind, number in (("护照", "E1"), ("港澳居民来往内地通行证", "12345678"), ("港澳台居民居住证", "810000199001010010"), ("军官证", "1")):
        wrong = row(9, identity_kind=kind, identity_number=number, sex="男", born="2007-03-06")
        assert f"{kind}号码" in judged(world, plan, wrong)[0]


def test_a_known_number_under_another_name_is_questioned(world: PlanWorld) -> None:
    world.enrol(world.draft(), 1)
    plan = world.session.scalars(sa.select(ExamPlan)).one()
    found = judged(world, plan, row(1, name="冒名者"))[0]
    assert "已在本方案名单中" in found
    assert "登记的姓名是“考生001”" in found


def test_an_invigilator_or_the_author_of_the_paper_cannot_be_a_candidate(world: PlanWorld) -> None:
    plan = world.draft()
    sitting = world.ready(plan)
    he, chen = world.people.account("何敏", Role.PAPER_COMPOSER), world.people.account("陈晓", Role.ITEM_AUTHOR)
    seating.choose_paper(world.session, sitting, world.paper(he, chen).id, world.liu)
    watcher = world.session.get_one(Account, world.watchers[0].account_id)
    for number, account, sentence in ((1, watcher, "监考员"), (2, he, "回避"), (3, chen, "回避")):
        set_identity(account, identity_number(number), CIPHER)
        world.session.flush()
        assert sentence in judged(world, plan, row(number, name=account.name))[0]


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
        import_roster(world.session, plan, [row(1)], stranger, cipher=CIPHER, declared=True, now=MONDAY)


def test_rosters_are_read_as_people_write_them() -> None:
    titled = roster_file([["附件：考生名单"], ["序号", "学号", "姓名", "证件号码", "申报条件"],
                          ["1", "20240001.0", " 张　三 ", "43０102200801010019", "应届（技工）"], [""]], head=["湘江技师学院"])
    assert read_roster(titled) == [RosterRow(4, "张三", "430102200801010019", "20240001", "", "应届（技工）")]
    with pytest.raises(Refused, match="没有内容"):  # the template, uploaded as it is
        read_roster(roster.template([(1, "条件")]))


@pytest.mark.parametrize(("head", "fields"), [
    (["* 学生姓名", "身份证号（18位）", "学 号", "专业班级", "申报\n条件"], ["甲", "1", "2", "3", "4"]),
    (["考生姓名（与身份证一致）", "公民身份证号码", "学籍号", "班级名称", "考生申报条件*"], ["甲", "1", "2", "3", "4"]),
    (["姓名", "居民身份证号码", "学生学号", "班级类别", "班 级", "申报条件（序号）"], ["甲", "1", "2", "高级工班", "3", "4"])])
def test_the_head_is_understood_however_the_school_words_it(head: list[str], fields: list[str]) -> None:
    found = read_roster(roster_file([fields], head=head))[0]
    assert (found.name, found.identity_number, found.student_number, found.class_name, found.entry_condition) == ("甲", "1", "2", "3", "4")


def test_every_sheet_with_a_head_is_read_and_places_name_it() -> None:
    book = openpyxl.Workbook()
    for name, number in (("电气1班", 1), ("电气2班", 2), ("说明", 0)):
        sheet = book.create_sheet(name)
        for line in [["姓名", "身份证号", "学号"], [f"考生{number:03d}", identity_number(number), "S1"]] if number else [["请勿外传"]]:
            sheet.append(line)
    stream = io.BytesIO()
    book.save(stream)
    assert [one.place for one in read_roster(stream.getvalue())] == ["电气1班第 2 行", "电气2班第 2 行"]


def test_facts_are_read_in_the_words_of_the_school() -> None:
    written = row(1, graduation="应届", class_kind="高级班", certificate_level="四级/中级工", certificate_on="2024.6", years="3年", education="中专")
    assert written.facts == Facts(4, "", date(2024, 6, 1), 3, "", "高级工班", "应届毕业生", "中专（中技）")
    assert row(1, certificate_level="高级技师", certificate_on="2024-06-05 00:00:00").facts == Facts(1, "", date(2024, 6, 5))
    assert row(1, certificate_level="无", years="/").facts == Facts()


@pytest.mark.parametrize(("content", "sentence"), [
    (b"PK\x03\x04 not a workbook", "已损坏"), (b"\xd0\xcf\x11\xe0" + b"\0" * 600, "已损坏"),
    (roster_file([], head=[]), "是空的"), (roster_file([["甲", "1"]], head=["姓名", "年龄"]), "缺少“身份证号码”列"),
    (roster_file([["1"]], head=["编号"]), "没有找到考生名单的表头")])
def test_a_file_that_is_no_roster_is_refused_with_the_reason(content: bytes, sentence: str) -> None:
    with pytest.raises(Refused, match=sentence):
        read_roster(content)


def post_roster(client: FlaskClient, rows: list[list[str]], name: str = "名单.xlsx") -> str:
    answer = client.post("/plans/1/rosters", data={"file": (io.BytesIO(roster_file(rows)), name), "own_students": "1",
                                                   "graduation": "应届毕业生"})
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
    turned = liu.get("/plans/1/candidates?sort=name&down=1").get_data(as_text=True)
    assert turned.index("考生003") < turned.index("考生002") < turned.index("考生001")
    listed = liu.get("/plans/1/candidates?q=考生002").get_data(as_text=True)
    assert "考生002" in listed
    assert "考生003" not in listed
    assert [session.scalars(sa.select(Enrolment.facts)).first()] == [{"school_kind": "技师学院", "graduation": "应届毕业生"}]
    session.commit()
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
    assert "证件号码与第 2 行重复" in page
    errors = openpyxl.load_workbook(io.BytesIO(liu.get(preview + "/errors.xlsx").data)).active
    assert [line[1] for line in errors.iter_rows(min_row=3, values_only=True)] == [4, 5]  # type: ignore[union-attr]
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
    ("名单.xlsx", roster_file([]), "没有内容")])
def test_a_wrong_file_gets_a_sentence(world: PlanWorld, session: Session, enter: Callable[[Viewer], FlaskClient], name: str,
                                      content: bytes, sentence: str) -> None:
    world.draft()
    session.commit()
    answer = enter(world.liu).post("/plans/1/rosters", data={"file": (io.BytesIO(content), name), "own_students": "1"})
    assert answer.status_code == 409
    assert sentence in answer.get_data(as_text=True)


def test_a_strangers_plan_does_not_exist(world: PlanWorld, session: Session, enter: Callable[[Viewer], FlaskClient]) -> None:
    plan = world.approved()
    world.enrol(plan, 1)
    sitting = world.ready(plan)
    seating.seat_all(session, sitting, world.liu, seed="1")
    kept = candidates.upload(session, plan, "a.xlsx", roster_file([cells(2)]), world.liu, cipher=CIPHER, declared=True,
                             now=MONDAY)
    session.add(TicketFile(plan_id=plan.id, account_id=world.liu.account_id, count=1, content=b"%PDF", made_at=MONDAY))
    far_city = world.people("远市考务", scopes=[Scope(Role.CITY_OFFICER, region="4302")], school=world.people.school("株洲市鉴定中心"))
    stranger = world.people("他校考务", Role.EXAM_OFFICER, Role.INVIGILATOR, school=world.people.school("他校"))
    idle = world.people("本校另一监考", Role.INVIGILATOR)
    candidate = world.people("在校生", Role.CANDIDATE)
    session.commit()
    reads = [f"/plans/{plan.id}", f"/plans/{plan.id}/edit", f"/plans/{plan.id}/candidates", f"/plans/{plan.id}/candidates.xlsx",
             f"/plans/{plan.id}/roster-template.xlsx", f"/plans/{plan.id}/tickets", f"/plans/sittings/{sitting.id}",
             "/plans/sitting-rooms/1/seats", f"/plans/rosters/{kept.id}", f"/plans/rosters/{kept.id}/errors.xlsx",
             f"/plans/{plan.id}/qualification", f"/plans/{plan.id}/qualification.xlsx", "/plans/enrolments/1", "/plans/proofs/1",
             "/plans/enrolments/1/ticket.pdf", "/plans/ticket-files/1.pdf"]
    writes = [f"/plans/{plan.id}/edit", f"/plans/{plan.id}/submit", f"/plans/{plan.id}/sittings", f"/plans/{plan.id}/candidates",
              f"/plans/{plan.id}/rosters", f"/plans/sittings/{sitting.id}/change", f"/plans/sittings/{sitting.id}/remove",
              f"/plans/sittings/{sitting.id}/paper", f"/plans/sittings/{sitting.id}/rooms", f"/plans/sittings/{sitting.id}/seats",
              "/plans/sitting-rooms/1/drop", "/plans/rooms/1", "/plans/enrolments/1/remove", f"/plans/rosters/{kept.id}/import",
              f"/plans/rosters/{kept.id}/discard", f"/plans/{plan.id}/qualification/accept", f"/plans/{plan.id}/qualification/proofs",
              "/plans/enrolments/1", "/plans/proofs/1/withdraw", f"/plans/{plan.id}/tickets", "/plans/enrolments/1/code"]
    far = enter(stranger)
    assert {url: far.get(url).status_code for url in reads} == dict.fromkeys(reads, 404)
    assert {url: far.post(url).status_code for url in writes} == dict.fromkeys(writes, 404)
    assert "2026年电工认定" not in far.get("/plans/").get_data(as_text=True)
    other_city = enter(far_city)
    seen = [f"/plans/{plan.id}/candidates", f"/plans/{plan.id}/candidates.xlsx", f"/plans/{plan.id}/qualification",
            f"/plans/{plan.id}/qualification.xlsx", "/plans/enrolments/1", "/plans/proofs/1"]
    assert {url: other_city.get(url).status_code for url in seen} == dict.fromkeys(seen, 404)
    assert enter(idle).get("/plans/sitting-rooms/1/seats").status_code == 404
    assert enter(world.watchers[0]).get("/plans/sitting-rooms/1/seats").status_code == 200
    low = enter(candidate)
    assert {low.get(url).status_code for url in reads if not url.endswith("/ticket.pdf")} == {403}
    assert low.get("/plans/enrolments/1/ticket.pdf").status_code == 404
    for url in ("/plans/", "/plans/rooms", "/plans/calendars", "/filing/", "/oversight/"):
        assert low.get(url).status_code == 403, url


def test_the_list_on_the_door_names_no_identity_number(world: PlanWorld, session: Session, enter: Callable[[Viewer], FlaskClient]) -> None:
    plan = world.approved()
    world.enrol(plan, 3)
    seating.seat_all(session, world.ready(plan), world.liu, seed="7")
    session.commit()
    liu = enter(world.liu)
    door = liu.get("/plans/sitting-rooms/1/seats").get_data(as_text=True)
    assert "430102****" not in door  # what hangs on the door carries no identity number
    assert "考生签名" in liu.get("/plans/sitting-rooms/1/seats?for=sign").get_data(as_text=True)


def test_one_candidate_by_hand_on_the_page(world: PlanWorld, session: Session, enter: Callable[[Viewer], FlaskClient]) -> None:
    world.draft()
    session.commit()
    liu = enter(world.liu)
    data = {"name": "王小明", "identity_number": identity_number(1), "entry_condition": "1", "student_number": "S1", "own_students": "1"}
    wrong = liu.post("/plans/1/candidates", data=data | {"identity_number": "4301"})
    assert wrong.status_code == 409
    assert "王小明" in wrong.get_data(as_text=True)
    assert liu.post("/plans/1/candidates", data={}).status_code == 409
    assert liu.post("/plans/1/candidates", data=data | {"own_students": ""}).status_code == 409
    assert liu.post("/plans/1/candidates", data=data | {"years": "很多"}).status_code == 409
    assert liu.post("/plans/1/candidates", data=data).status_code == 302
    assert liu.post("/plans/1/candidates", data=data).status_code == 409
    twin = data | {"identity_number": identity_number(2), "student_number": "S2"}
    doubted = liu.post("/plans/1/candidates", data=twin)
    assert "已核对不是同一人" in doubted.get_data(as_text=True)
    assert liu.post("/plans/1/candidates", data=twin | {"confirmed": "1"}).status_code == 302

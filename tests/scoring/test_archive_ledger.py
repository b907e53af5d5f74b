"""The work ledger, the volumes, and who gets through the archive's doors."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from io import BytesIO
from typing import Any

import openpyxl
import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient
from pypdf import PdfReader
from sqlalchemy.orm import Session

from app import ACCESS
from examroom.invigilation import record
from examroom.oversight.models import Supervision
from examroom.plans.models import PlanDecision, PlanState, SittingRoom
from qbank.kernel.access import Role, Scope, Viewer
from qbank.kernel.times import SHANGHAI
from scoring.archive import desk, filed, keeping, ledger, volumes
from scoring.archive.erasure_models import Erasure
from scoring.archive.ledger import Asked, Standing
from scoring.archive.models import Destruction, FiledDocument
from scoring.archive.steps import PHASES, SOURCES, steps_of
from scoring.practical.models import MarkSheet
from scoring.reports import records
from scoring.results.models import Objection
from tests.conftest import MONDAY
from tests.scoring.archive_world import small_pack
from tests.scoring.final_world import FinalWorld

Enter = Callable[[Viewer], FlaskClient]


@pytest.fixture
def world(session: Session, people: Any) -> FinalWorld:
    """Three candidates, a theory sitting, a group before three assessors, two decisions, a supervisor."""
    found = FinalWorld(session, people)
    found.theory({one.id: 160 for one in found.candidates})
    assessors = found.assessors("郑国栋", "冯立群", "曹永康")
    group = found.group(found.candidates, assessors)
    for assessor in assessors:
        for enrolment in found.candidates:
            found.mark(group, assessor, enrolment, 170)
    city = people("谭晓峰", scopes=[Scope(Role.CITY_OFFICER, region="4301")])
    supervisor = people("罗正明", scopes=[Scope(Role.QUALITY_SUPERVISOR, region="4301")])
    session.add_all([
        PlanDecision(plan_id=found.plan.id, decided_by=city.account_id, state=PlanState.APPROVED, comment="同意实施", at=MONDAY - timedelta(days=20)),
        Supervision(plan_id=found.plan.id, supervisor_id=supervisor.account_id, assigned_by=city.account_id,
                    assigned_at=MONDAY - timedelta(days=5), report="全程督导，未见异常。", reported_at=MONDAY + timedelta(days=1)),
        Objection(list_id=found.results.id, text="对实操成绩有疑问", raised_by="刘某", recorded_by=found.officer.account_id, at=MONDAY,
                  answer="复核无误", answered_at=MONDAY + timedelta(hours=2), answered_by=found.checker.account_id)])
    session.commit()
    return found


def told(world: FinalWorld, **sought: str) -> list[tuple[str, str, str]]:
    return [(one.what, one.who, one.detail) for one in steps_of(world.session, world.plan, **sought)]


# The ledger

def test_every_step_of_a_batch_stands_in_the_ledger_with_date_and_person(world: FinalWorld) -> None:
    steps = steps_of(world.session, world.plan)
    assert [one.at for one in steps] == sorted(one.at for one in steps)
    assert told(world)[0] == ("方案审批", "谭晓峰", "已批准 同意实施")  # the oldest first
    assert ("派遣督导员", "谭晓峰", "罗正明") in told(world)
    assert ("答复异议", "方晴", "复核无误") in told(world)
    assert ("评分签名", "郑国栋", "3 次") in told(world)  # nine sheets in three lines: one for each assessor and day
    assert {one.document for one in steps} >= {"审批意见", "质量督导报告", "评分记录表", "异议答复", "答卷、作答记录"}
    assert {one.phase for one in steps} <= set(PHASES)


def test_the_ledger_is_searched_by_stage_person_word_and_day(world: FinalWorld) -> None:
    assert {one.phase for one in steps_of(world.session, world.plan, phase="技能考核")} == {"技能考核"}
    assert told(world, words="谭晓峰 审批") == [("方案审批", "谭晓峰", "已批准 同意实施")]
    assert [what for what, _, _ in told(world, words="2026-06-02")] == ["督导报告"]
    assert told(world, words="没有这样的事") == []


def test_each_line_of_the_ledger_knows_its_table_time_and_person() -> None:
    for source in SOURCES:
        assert source.phase in PHASES, source.what
        assert isinstance(source.at.type.python_type, type), source.what
        assert source.who is None or source.who.class_ is source.at.class_, source.what


def test_batches_are_listed_with_counts_and_where_they_stand(world: FinalWorld) -> None:
    session, running = world.session, world.new_plan("JH-2027-001")
    world.enrol("赵一", plan=running)
    session.flush()

    def found(**asked: Any) -> list[tuple[str, str, int, int | None]]:
        plans = session.scalars(ledger.query(world.officer, Asked(**asked))).unique().all()
        return [(one.plan.number, one.standing.chinese, one.enrolled, one.passed) for one in ledger.batches(session, plans)]

    waiting, still = ("JH-2026-001", "待归档", 3, 2), ("JH-2027-001", "进行中", 1, None)
    assert sorted(found()) == [waiting, still]
    assert found(standing=Standing.WAITING) == [waiting]
    assert found(standing=Standing.RUNNING) == [still]
    assert found(words="2027") == [still]
    assert found(words="电工 2026-001") == [waiting]
    assert (found(words="%"), found(level=3), found(year=2020)) == ([*found()], [], [])
    small_pack(session, world.plan, world.officer)
    assert found(standing=Standing.KEPT) == [("JH-2026-001", "已归档", 3, 2)]
    keeping.hold(session, world.plan, world.officer, "信访核查", now=MONDAY)
    assert (found(standing=Standing.HELD), found(standing=Standing.KEPT)) == ([("JH-2026-001", "封存保留", 3, 2)], [])
    assert session.scalars(ledger.query(world.stranger(), Asked())).all() == []


def test_the_ledger_is_exported_and_printed(world: FinalWorld, enter: Enter) -> None:
    browser = enter(world.officer)
    page = browser.get(f"/archive/plans/{world.plan.id}/ledger?phase=技能考核").get_data(as_text=True)
    assert "郑国栋" in page
    assert "谭晓峰" not in page
    whole = openpyxl.load_workbook(BytesIO(browser.get("/archive/ledger.xlsx?q=JH-2026").data))
    assert [cell.value for cell in whole["批次"][3]][1:3] == ["JH-2026-001", "电工认定 JH-2026-001"]
    assert any("郑国栋" in map(str, row) for row in whole["步骤"].iter_rows(values_only=True))
    one = openpyxl.load_workbook(BytesIO(browser.get(f"/archive/plans/{world.plan.id}/ledger.xlsx?q=谭晓峰").data))
    assert len([row for row in one[one.sheetnames[0]].iter_rows(values_only=True) if "谭晓峰" in map(str, row)]) == 2
    printed = browser.get(f"/archive/plans/{world.plan.id}/ledger.pdf")
    assert printed.mimetype == "application/pdf"
    assert "职业技能等级认定工作台账" in PdfReader(BytesIO(printed.data)).pages[0].extract_text()


@pytest.mark.parametrize("query", ["year=x&level=9&standing=nonsense", "q=%25_'&page=-3", "year=99999999999", "phase=nonsense"])
def test_nonsense_in_the_address_asks_for_nothing(world: FinalWorld, enter: Enter, query: str) -> None:
    browser = enter(world.officer)
    for address in ("/archive/ledger", "/archive/ledger.xlsx", f"/archive/plans/{world.plan.id}/ledger", "/archive/accesses"):
        assert browser.get(f"{address}?{query}").status_code == 200


# Volumes

def test_covers_and_contents_name_what_is_there_and_what_is_lacking(world: FinalWorld) -> None:
    session = world.session
    filed.file_document(session, world.plan, "notice", world.officer, title="关于四级认定的公告", place="3 柜 12 盒", pages=4, now=MONDAY)
    text = "".join("".join(page.extract_text().split()) for page in PdfReader(BytesIO(volumes.covers(session, world.plan, now=MONDAY))).pages)
    for said in ("职业技能等级认定档案", "报名卷", "备案卷", "过程卷", "结果卷", "证书卷", "卷内目录", "卷内备考表", "JH-2026-001-03", "关于四级认定的公告",
                 "4页；3柜12盒", "纸质至2029年6月1日，电子至2031年6月1日", "尚缺", "封存试卷"):
        assert said in text, said
    assert "整卷SHA-256" not in text  # nothing is packed yet
    made = small_pack(session, world.plan, world.officer)
    pages = PdfReader(BytesIO(volumes.covers(session, world.plan, now=MONDAY, pack=made))).pages
    assert len(pages) == 10  # a cover and the contents of each of five volumes
    cover = pages[0].extract_text().replace("\n", "")
    assert made.sha256 in cover
    assert made.manifest in cover


# The heads on signed forms

def test_the_head_of_the_trail_stands_on_what_people_sign(world: FinalWorld) -> None:
    """On the room's record, on every practical sheet, on the minutes of the review (tested with the review)."""
    session = world.session
    room = session.scalars(sa.select(SittingRoom)).first()
    assert room is not None
    values = record.of_room(session, room, now=MONDAY)
    assert values["head"] in PdfReader(BytesIO(record.pdf(values, made_at=MONDAY))).pages[0].extract_text()
    sheet = session.scalars(sa.select(MarkSheet)).first()
    assert sheet is not None
    assert len(sheet.audit_head) == 64
    [(_, content)] = records.filled_pdfs(session, world.plan, world.officer, lambda *_: None, now=MONDAY)
    assert sheet.audit_head in PdfReader(BytesIO(content)).pages[0].extract_text()


# Doors

def doors(world: FinalWorld) -> list[tuple[str, str]]:
    session = world.session
    scan = filed.file_document(session, world.plan, "notice", world.officer, place="3 柜", now=MONDAY)
    made = small_pack(session, world.plan, world.officer)
    held = keeping.hold(session, world.plan, world.officer, "信访核查", now=MONDAY)
    made.keep_until = made.paper_until = MONDAY.astimezone(SHANGHAI).date() - timedelta(days=1)
    asked = Destruction(pack=made, reason="期满", asked_by=world.officer.account_id, asked_at=MONDAY)
    person = world.candidates[0].account_id
    erasure = Erasure(institution_id=world.school.id, people=[person], reason="期满", asked_by=world.officer.account_id, asked_at=MONDAY)
    session.add_all([asked, erasure])
    session.commit()
    plan, pack = f"/archive/plans/{world.plan.id}", f"/archive/{made.id}"
    return [("GET", plan), ("GET", f"{plan}/covers.pdf"), ("GET", f"{plan}/ledger"), ("GET", f"{plan}/ledger.pdf"), ("GET", f"{plan}/ledger.xlsx"),
            ("GET", f"{plan}/videos"), ("GET", pack), ("GET", f"{pack}/verify"), ("POST", f"{plan}/hold"), ("POST", f"/archive/holds/{held.id}/release"),
            ("POST", f"{plan}/pack"), ("POST", f"{plan}/documents"), ("POST", f"{plan}/videos"), ("POST", f"{plan}/videos/check"),
            ("POST", f"/archive/documents/{scan.id}/withdraw"), ("POST", f"/archive/documents/{scan.id}/scan"), ("POST", f"{pack}/download"),
            ("POST", f"{pack}/destruction"), ("POST", f"/archive/destructions/{asked.id}"),
            ("POST", f"/archive/erasures/institutions/{world.school.id}"), ("POST", f"/archive/erasures/{erasure.id}"),
            ("GET", f"/archive/people/{person}"), ("POST", f"/archive/people/{person}")]


def test_every_door_of_the_archive_is_shut_to_strangers(world: FinalWorld, enter: Enter, people: Any) -> None:
    """Another school's officer and another city's find nothing; the own city sees and holds, and does nothing else."""
    candidate, stranger = world.as_candidate(world.candidates[0]), world.stranger()
    city = people("钟主任", scopes=[Scope(Role.CITY_OFFICER, region="4301")])
    elsewhere = people("别市主任", scopes=[Scope(Role.CITY_OFFICER, region="4303")])
    tried = doors(world)
    shared = {"archive.batches", "archive.index", "archive.ledger_book", "archive.accesses", "archive.erasures"}  # lists: each sees what is his
    assert len(tried) == len([name for name in ACCESS if name.startswith("archive.")]) - len(shared)
    school_only = {(method, address) for method, address in tried
                   if "/people/" in address or (method == "POST" and not address.endswith(("/hold", "/release")))}
    for who, shut in ((stranger, 404), (elsewhere, 404), (candidate, 403)):
        browser = enter(who)
        for address in ("/archive/", "/archive/ledger", "/archive/accesses"):
            assert world.plan.title not in browser.get(address).get_data(as_text=True)
        for method, address in tried:
            expected = 403 if who is elsewhere and (method, address) in school_only else shut
            assert browser.open(address, method=method).status_code == expected, (who.name, address)
    browser = enter(city)
    for method, address in tried:
        if (method, address) in school_only:
            assert browser.open(address, method=method).status_code == 403, address
        elif method == "GET":
            assert browser.get(address).status_code == 200, address
    assert browser.post(f"/archive/plans/{world.plan.id}/hold", data={"reason": "市中心检查"}).status_code == 302
    assert world.session.scalar(sa.select(sa.func.count(FiledDocument.id))) == 1
    assert desk.pack_of(world.session, world.plan) is not None

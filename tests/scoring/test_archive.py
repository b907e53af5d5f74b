"""Packing: complete or refused, everything in it, nothing that must not be; three years at least."""

from __future__ import annotations

import hashlib
import json
import subprocess
from collections.abc import Callable
from datetime import date, datetime, timedelta
from io import BytesIO
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import openpyxl
import pytest
import sqlalchemy as sa
from click.testing import CliRunner
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from examroom.oversight.models import Supervision
from examroom.plans.models import Sitting, SittingState
from qbank.items.models import ItemVersion
from qbank.kernel import audit
from qbank.kernel.access import Role, Scope, Viewer
from qbank.kernel.attachments import from_bytes, place_of
from qbank.kernel.audit import AuditEntry
from qbank.kernel.commands import Installation
from qbank.kernel.db import Base
from qbank.kernel.jobs import Job, JobState
from qbank.kernel.refused import Refused
from qbank.kernel.settings import Settings
from qbank.papers.models import Paper
from qbank.papers.sealed import PaperLook, SealedPack
from qbank.standards.models import StoredRulePack
from qbank.standards.rulepack import RulePack
from scoring.archive import desk, filed, gathering, reach
from scoring.archive.checklist import documents, missing
from scoring.archive.commands import group
from scoring.archive.models import ArchiveAccess, ArchivePack
from scoring.archive.packing import manifest_of
from scoring.archive.retention import is_over, keep_until, remaining
from scoring.archive.todo import todo
from scoring.certificates.signing import Seal
from scoring.results.models import Objection, ResultState
from tests.conftest import MONDAY, TestClock
from tests.scoring.archive_world import ArchiveWorld, small_pack
from tests.scoring.final_world import CIPHER, FinalWorld, identity_number

Enter = Callable[[Viewer], FlaskClient]
SCAN = b"%PDF-1.4\nscan of the sign-in sheet\n%%EOF"


@pytest.fixture
def world(session: Session, people: Any) -> ArchiveWorld:
    return ArchiveWorld(session, people)


def packed(world: ArchiveWorld) -> ArchivePack:
    made = desk.pack(world.session, world.plan, world.officer, now=MONDAY)
    world.session.commit()
    return made


def content_of(world: FinalWorld, made: ArchivePack) -> bytes:
    with desk.opened(world.session, made) as stream:
        return stream.read()


def rows_of(content: bytes) -> dict[str, list[dict[str, Any]]]:
    with ZipFile(BytesIO(content)) as file:
        return {name: [json.loads(line) for line in file.read(name).splitlines()] for name in file.namelist() if name.endswith(".jsonl")}


# The clock

@pytest.mark.parametrize(("day", "years", "until"), [
    (date(2026, 6, 1), 3, date(2029, 6, 1)), (date(2028, 2, 29), 3, date(2031, 3, 1)), (date(2028, 2, 29), 4, date(2032, 2, 29)),
    (date(2026, 12, 31), 5, date(2031, 12, 31)),
])
def test_the_clock_is_never_a_day_short(day: date, years: int, until: date) -> None:
    assert keep_until(day, years) == until


@pytest.mark.parametrize(("today", "said", "over"), [
    (date(2026, 6, 1), "还需保存 3 年 0 天", False), (date(2026, 6, 2), "还需保存 2 年 364 天", False),
    (date(2028, 6, 1), "还需保存 1 年 0 天", False), (date(2029, 5, 31), "还需保存 1 天", False),
    (date(2029, 6, 1), "还需保存 0 天", False), (date(2029, 6, 2), "保存期已满", True),
])
def test_the_time_left_is_said_in_years_and_days(today: date, said: str, over: bool) -> None:
    assert (remaining(date(2029, 6, 1), today), is_over(date(2029, 6, 1), today)) == (said, over)


# What is in it

def test_the_pack_holds_the_whole_batch_and_no_identity_number(world: ArchiveWorld) -> None:
    filed.file_document(world.session, world.plan, "candidates", world.officer, upload=from_bytes(SCAN, "签到表.pdf"), pages=2, now=MONDAY)
    made = packed(world)
    content = content_of(world, made)
    rows = {name.removeprefix("rows/").removesuffix(".jsonl"): found for name, found in rows_of(content).items()}
    assert set(rows) == {table.name for table in reach.archived()} | {"people", "audit", "attachments"}
    assert [one["level"] for one in rows["exam_plans"]] == [4]
    assert len(rows["enrolments"]) == 3
    assert rows["sheets"][0]["layout"] == [{"number": 1, "kind": "single", "options": "BA"}]
    assert [one["answer"] for one in rows["answer_events"]] == ["B", "A"]
    assert [one["half_points"] for one in rows["theory_scores"]] == [160, 170]
    assert len(rows["mark_sheets"]) == 9  # 3 assessors × 3 candidates
    assert {one["state"] for one in rows["result_decisions"]} == {"city_checked", "final"}
    assert rows["supervisions"][0]["report"] == "全程督导，未见异常。"
    assert [one["number"][-6:] for one in rows["certificates"]] == ["000001", "000002"]
    assert {"张晓明", "罗正明", "郑国栋"} <= {one["name"] for one in rows["people"]}
    text = json.dumps(rows, ensure_ascii=False)
    for place in range(3):
        assert identity_number(place) not in text
        assert CIPHER.fingerprint(identity_number(place)) not in text
    with ZipFile(BytesIO(content)) as file:
        assert file.read(f"files/{hashlib.sha256(SCAN).hexdigest()}.pdf") == SCAN
        book = openpyxl.load_workbook(BytesIO(file.read("documents/档案清单与汇总.xlsx")))
        papers = [hashlib.sha256(file.read(name)).hexdigest() for name in file.namelist() if name.startswith("papers/")]
    assert {"档案清单", "通过人员名册", "评价结果汇总", "证书登记", "质量督导"} <= set(book.sheetnames)
    assert papers == [world.paper.fingerprint]
    shown = {one["name"].removeprefix("documents/").split("_")[0] for one in manifest_of(BytesIO(content))["files"] if "documents/" in one["name"]}
    assert {"工作台账.pdf", "案卷封面和目录.pdf", "考场情况记录单", "评分记录表", "成绩汇总表.pdf", "公示名单.pdf"} <= shown


def test_the_manifest_says_head_hashes_term_and_what_was_left_out(world: ArchiveWorld) -> None:
    head = audit.head(world.session)
    made = packed(world)
    content = content_of(world, made)
    manifest = manifest_of(BytesIO(content))
    assert (made.audit_head, manifest["audit_head"]) == (head, head)
    assert (made.sha256, made.size) == (hashlib.sha256(content).hexdigest(), len(content))
    assert (made.keep_until, made.paper_until) == (date(2031, 6, 1), date(2029, 6, 1))
    assert [one["document"] for one in manifest["left_out"]] == ["试题分析报告"]  # too few candidates, and it says so
    with ZipFile(BytesIO(content)) as file:
        assert made.manifest == hashlib.sha256(file.read("manifest.json")).hexdigest()
        for one in manifest["files"]:
            assert hashlib.sha256(file.read(one["name"])).hexdigest() == one["sha256"]
        assert all(entry.date_time == (1980, 1, 1, 0, 0, 0) for entry in file.infolist())
    looks = world.session.scalars(sa.select(PaperLook).where(PaperLook.what == "archived")).all()
    assert [(one.paper_id, one.account_id) for one in looks] == [(world.paper.id, world.officer.account_id)]


def test_packing_is_reproducible_and_the_term_is_the_provinces(world: ArchiveWorld, settings: Settings) -> None:
    first, second = (desk.build(world.session, world.plan, world.officer, Seal.ours(world.session, settings, now=MONDAY), now=MONDAY) for _ in range(2))
    assert first.sha256 == second.sha256
    world.session.add(StoredRulePack(region="43", name="湖南", values=json.dumps({"archive_years": 10, "archive_paper_years": 4})))
    world.session.commit()
    made = packed(world)
    assert (made.keep_until, made.paper_until) == (date(2036, 6, 1), date(2030, 6, 1))


@pytest.mark.parametrize("field", ["archive_years", "archive_paper_years"])
def test_no_province_keeps_less_than_three_years(field: str) -> None:
    with pytest.raises(Refused, match="不得少于 3"):
        RulePack.read(json.dumps({field: 2}))


def test_a_pack_can_be_checked_without_this_program(world: ArchiveWorld, tmp_path: Path) -> None:
    file, out = tmp_path / "pack.zip", tmp_path / "out"
    file.write_bytes(content_of(world, made := packed(world)))
    with ZipFile(file) as pack:
        pack.extractall(out)
    sums = subprocess.run(["sha256sum", "-c", "SHA256SUMS"], cwd=out, capture_output=True, check=False)
    assert sums.returncode == 0, sums.stdout
    alone = ["python3", "-I", "-S", str(out / "verify.py"), str(file), "--key", made.signed_by, "--head", world.closing.audit_head]
    checked = subprocess.run(alone, cwd=tmp_path, capture_output=True, check=False, text=True)
    assert checked.returncode == 0, checked.stdout + checked.stderr
    assert "核验通过。" in checked.stdout


def test_a_spare_paper_that_nobody_opened_stays_shut_in_the_pack(world: ArchiveWorld) -> None:
    """The rules of opening hold for the archive: two persons or no keys."""
    meddle(world.session, Paper, opened_at=None)
    content = content_of(world, packed(world))
    with ZipFile(BytesIO(content)) as file:
        names = [name for name in file.namelist() if name.startswith("papers/")]
        sealed = world.session.scalars(sa.select(SealedPack)).one()
        assert [name.endswith(".sealed") for name in names] == [True]
        assert file.read(names[0]) == sealed.content
        assert "电工作业前应先" not in "".join(file.read(name).decode(errors="ignore") for name in file.namelist())


def test_other_batches_are_in_the_trail_by_hash_only(world: ArchiveWorld) -> None:
    other = world.new_plan("JH-2026-777")
    world.session.commit()
    other.contact = "另一批次的联系人"
    world.session.commit()
    trail = rows_of(content_of(world, packed(world)))["audit.jsonl"]
    told = [one for one in trail if "at" in one]
    assert {one["table_name"] for one in told} >= {"exam_plans", "results", "mark_sheets", "certificates", "supervisions"}
    assert not any(one["table_name"] == "exam_plans" and one["row_key"] == str(other.id) for one in told)
    assert "另一批次的联系人" not in json.dumps(trail, ensure_ascii=False)
    entries = world.session.scalar(sa.select(sa.func.count(AuditEntry.id)).where(AuditEntry.id >= trail[0]["id"], AuditEntry.at <= MONDAY))
    assert entries is not None
    assert len(trail) > 50
    assert [one["id"] for one in trail] == list(range(trail[0]["id"], trail[0]["id"] + len(trail)))


def test_every_table_that_a_plan_reaches_is_archived_or_says_why_not() -> None:
    """A new table needs no line in the archive; one that is left out does."""
    for name, ways in reach.ways().items():
        columns = Base.metadata.tables[name].c
        assert all(way.column in columns and way.parent_column in Base.metadata.tables[way.parent].c for way in ways), name
    assert set(reach.LEFT_OUT) <= set(reach.ways())
    secret = {(table.name, column.name) for table in Base.metadata.tables.values() for column in table.columns if column.info.get("secret")}
    assert secret >= gathering.PROVES


# Complete or refused

def lacking(world: ArchiveWorld) -> set[str]:
    return {one.name for one in missing(documents(world.session, world.plan))}


def test_without_the_supervisors_report_packing_is_refused_by_name(world: ArchiveWorld) -> None:
    assert lacking(world) == set()
    supervision = world.session.scalars(sa.select(Supervision)).one()
    supervision.report, supervision.reported_at = "", None
    world.session.flush()
    with pytest.raises(Refused) as refused:
        desk.pack(world.session, world.plan, world.officer, now=MONDAY)
    assert refused.value.code == "incomplete"
    assert refused.value.details == ("过程卷：质量督导报告（已提交 0 / 1 份）",)


def test_each_lacking_document_is_named(world: ArchiveWorld) -> None:
    session = world.session
    session.add(Objection(list_id=world.results.id, text="成绩有误", raised_by="刘某", recorded_by=world.officer.account_id,
                          at=MONDAY))
    world.results.results[2].passed, world.results.results[2].theory = True, 120  # passed without a certificate
    world.sitting.papers = []
    session.flush()
    session.expire_all()
    assert lacking(world) == {"异议处理记录", "证书登记", "封存试卷"}


def test_before_the_province_has_approved_or_while_a_paper_is_needed_nothing_is_packed(world: ArchiveWorld) -> None:
    """failures.md 25: an early shift must not open the paper of a later one."""
    for state in (ResultState.NOTICED, ResultState.SUBMITTED, ResultState.CITY_CHECKED):
        world.results.state = state
        world.session.flush()
        with pytest.raises(Refused, match="省鉴定中心审核"):
            desk.pack(world.session, world.plan, world.officer, now=MONDAY)
    world.results.state = ResultState.FINAL
    later = world.new_plan("JH-2026-002")
    world.session.add(Sitting(plan=later, name="第二批", starts_at=MONDAY + timedelta(days=3), minutes=90, papers=[world.paper],
                              state=SittingState.PLANNED))
    world.session.flush()
    with pytest.raises(Refused, match="同一份") as refused:
        desk.pack(world.session, world.plan, world.officer, now=MONDAY)
    assert "第二批" in refused.value.details[0]


def test_a_paper_that_lost_its_fingerprint_is_not_archived_silently(world: ArchiveWorld, settings: Settings) -> None:
    meddle(world.session, ItemVersion, key="B")
    with pytest.raises(Refused, match="指纹不一致"):
        desk.pack(world.session, world.plan, world.officer, now=MONDAY)
    assert list((settings.folder / "media").glob("coming-*")) == []


def test_others_do_not_pack_or_take_out(session: Session, people: Any) -> None:
    world = FinalWorld(session, people)
    city = people("钟主任", scopes=[Scope(Role.CITY_OFFICER, region="4301")])
    for who in (world.stranger(), city):
        with pytest.raises(Refused, match="考务员"):
            desk.pack(session, world.plan, who, now=MONDAY)
    made = small_pack(session, world.plan, world.officer)
    with pytest.raises(Refused, match="考务员"):
        desk.take_out(session, made, city, "检查工作", now=MONDAY)
    with pytest.raises(Refused, match="不能修改或重做"):
        desk.pack(session, world.plan, world.officer, now=MONDAY)


# Kept packs

def meddle(session: Session, model: type, **values: Any) -> None:
    """Somebody with the database file, past the program and its trail."""
    session.commit()
    engine = session.get_bind()
    assert isinstance(engine, sa.Engine)
    with engine.begin() as outside:
        outside.execute(sa.update(model).values(**values))
    session.expire_all()


def test_a_kept_pack_is_checked_against_its_record_and_the_trail(world: ArchiveWorld, settings: Settings) -> None:
    made = packed(world)
    installation = Installation(settings.folder)
    installation.__dict__["settings"] = settings
    good = CliRunner().invoke(group, ["check"], obj=installation)
    assert (good.exit_code, good.output.startswith("ok")) == (0, True), good.output
    assert desk.verify(world.session, made) == []
    place, content, digest, head = place_of(world.session, made.sha256), content_of(world, made), made.sha256, made.audit_head
    place.write_bytes(content[:-200])
    assert any("整卷" in line for line in desk.verify(world.session, made))
    bad = CliRunner().invoke(group, ["check", world.plan.number], obj=installation)
    assert (bad.exit_code, "BAD" in bad.output) == (1, True)
    place.write_bytes(content)
    other = place_of(world.session, "f" * 64)
    other.parent.mkdir(exist_ok=True)
    other.write_bytes(content)
    meddle(world.session, ArchivePack, sha256="f" * 64)
    assert "登记的 SHA-256 与归档时审计留痕记下的不一致：登记被改动过。" in desk.verify(world.session, made)
    meddle(world.session, ArchivePack, sha256=digest, audit_head="e" * 64)
    assert desk.verify(world.session, made) == ["审计留痕中找不到归档时的最新一条记录：留痕被截断或改动过。"]
    meddle(world.session, ArchivePack, audit_head=head)
    place.unlink()
    with pytest.raises(Refused, match="媒体文件夹"):
        desk.verify(world.session, made)
    assert CliRunner().invoke(group, ["check", "nothing"], obj=installation).exit_code == 1
    world.session.commit()
    installation.database.engine.dispose()


def test_the_work_list_names_final_plans_without_a_pack(session: Session, people: Any) -> None:
    world = FinalWorld(session, people)
    [one] = todo(session, world.officer, now=MONDAY)
    assert (one.values, one.clause, one.due) == ({"plan_id": world.plan.id}, "五（二）", MONDAY + timedelta(days=30))
    small_pack(session, world.plan, world.officer)
    assert todo(session, world.officer, now=MONDAY) == []
    [alarm] = todo(session, world.officer, now=datetime.combine(date(2031, 6, 2), MONDAY.timetz()))
    assert (alarm.alarm, alarm.endpoint) == (True, "archive.show")


def test_the_officer_packs_verifies_and_takes_out_in_the_browser(world: ArchiveWorld, enter: Enter, session: Session,
                                                                 clock: TestClock) -> None:
    browser = enter(world.officer)
    assert world.plan.title in browser.get("/archive/").get_data(as_text=True)
    page = f"/archive/plans/{world.plan.id}"
    assert "必备材料齐全" in browser.get(page).get_data(as_text=True)
    browser.post(f"{page}/pack")
    job = session.scalars(sa.select(Job).where(Job.kind == "archive.pack")).one()
    made = session.scalars(sa.select(ArchivePack)).one()
    session.commit()
    assert (job.state, job.result_url) == (JobState.DONE, f"/archive/{made.id}"), job.message
    assert job.total > 100  # a bar with a step for each table and document
    assert browser.post(f"{page}/pack").status_code == 409
    shown = browser.get(f"/archive/{made.id}").get_data(as_text=True)
    assert "还需保存 5 年 0 天" in shown
    assert made.sha256 in shown
    assert made.signed_by in shown
    assert "核验通过" in browser.get(f"/archive/{made.id}/verify").get_data(as_text=True)
    assert browser.get(f"/archive/{made.id}/download").status_code == 405
    refused = browser.post(f"/archive/{made.id}/download", data={"reason": "  "})
    assert (refused.status_code, "请填写查阅事由" in refused.get_data(as_text=True)) == (409, True)
    taken = browser.post(f"/archive/{made.id}/download", data={"reason": "省鉴定中心年度检查"})
    assert hashlib.sha256(taken.data).hexdigest() == made.sha256
    access = session.scalars(sa.select(ArchiveAccess)).one()
    assert (access.account_id, access.reason, access.at) == (world.officer.account_id, "省鉴定中心年度检查", MONDAY)
    session.commit()
    for address in (f"/archive/{made.id}", "/archive/accesses"):
        assert "省鉴定中心年度检查" in browser.get(address).get_data(as_text=True)
    clock.forward(days=365 * 5 + 3)
    # 2031-06-03: the time is over, and still nothing is destroyed by itself
    assert "保存期已满" in enter(world.officer).get("/archive/").get_data(as_text=True)

"""The evidence pack: complete or refused, reproducible, verifiable, three years."""

from __future__ import annotations

import hashlib
import json
import subprocess
from collections.abc import Callable
from datetime import date, timedelta
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

from examroom.delivery.models import Answer, AnswerEvent, Sheet
from examroom.oversight.models import Supervision
from examroom.plans.models import PlanDecision, PlanState, Sitting, SittingState
from qbank.items.models import Item, ItemVersion, Option
from qbank.items.states import ItemKind, ItemState
from qbank.kernel import audit
from qbank.kernel.access import Role, Scope, Viewer
from qbank.kernel.commands import Installation
from qbank.kernel.jobs import Job, JobState
from qbank.kernel.refused import Refused
from qbank.kernel.settings import Settings
from qbank.papers.models import Paper, PaperItem, Specification, SpecificationPart
from qbank.standards.models import Importance, Point, Range, Subject, WeightTable
from scoring.archive import desk
from scoring.archive.checklist import documents, missing
from scoring.archive.commands import group
from scoring.archive.container import bundle, differences, manifest_of
from scoring.archive.models import ArchiveAccess, ArchivePack
from scoring.archive.retention import keep_until, remaining
from scoring.archive.todo import todo
from scoring.certificates import desk as certificates
from scoring.results.models import Objection, ResultState
from tests.conftest import MONDAY, TestClock
from tests.paper_world import open_paper, seal_paper
from tests.scoring.final_world import CIPHER, FinalWorld, identity_number

Enter = Callable[[Viewer], FlaskClient]


class ArchiveWorld(FinalWorld):
    """A finished plan with every mandatory document: paper, sheets, marks, supervision, certificates."""

    def __init__(self, session: Session, people: Any) -> None:
        super().__init__(session, people)
        self.sitting = self.theory({one.id: score for one, score in zip(self.candidates, (160, 170, None), strict=True)})
        self.paper = self.sealed_paper()
        self.sitting.papers = [self.paper]
        sheet = session.scalars(sa.select(Sheet).order_by(Sheet.id)).first()
        assert sheet is not None
        sheet.layout = [{"number": 1, "kind": "single", "options": "BA"}]
        for sequence, letters in enumerate(("B", "A"), 1):
            session.add(AnswerEvent(sheet_id=sheet.id, sequence=sequence, number=1, answer=letters, flagged=False,
                                    received_at=MONDAY))
        session.add(Answer(sheet_id=sheet.id, number=1, answer="A", flagged=False, sequence=2, saved_at=MONDAY))
        assessors = self.assessors("郑国栋", "冯立群", "曹永康")
        practical = self.group(self.candidates, assessors)
        for assessor in assessors:
            for enrolment in self.candidates:
                self.mark(practical, assessor, enrolment, 170)
        city = people("谭晓峰", scopes=[Scope(Role.CITY_OFFICER, region="4301")])
        supervisor = people("罗正明", scopes=[Scope(Role.QUALITY_SUPERVISOR, region="4301")])
        session.add_all([
            PlanDecision(plan_id=self.plan.id, decided_by=city.account_id, state=PlanState.APPROVED, at=MONDAY),
            Supervision(plan_id=self.plan.id, supervisor_id=supervisor.account_id, assigned_by=city.account_id,
                        assigned_at=MONDAY, report="全程督导，未见异常。", reported_at=MONDAY)])
        session.flush()
        session.expire(self.plan)
        certificates.issue(session, self.results, self.officer, cipher=CIPHER, now=MONDAY)
        session.commit()

    def sealed_paper(self) -> Paper:
        table = WeightTable(standard=self.standard, level=4, subject=Subject.THEORY, is_sample=True)
        leaf = Range(segment="A", path="A", name="职业道德", weight=200,
                     points=[Point(segment="001", name="职业守则", importance=Importance.X)])
        table.ranges = [leaf]
        self.session.add(table)
        self.session.flush()
        item = Item(institution_id=self.school.id, table_id=table.id)
        version = ItemVersion(item=item, number=1, point=leaf.points[0], kind=ItemKind.SINGLE, stem="电工作业前应先（　）。", key="A",
                              difficulty=2, state=ItemState.APPROVED, content_hash="0" * 64, created_at=MONDAY,
                              author_id=self.officer.account_id,
                              options=[Option(letter="A", text="验电"), Option(letter="B", text="送电")])
        specification = Specification(institution_id=self.school.id, table=table, name="四级单选", minutes=90,
                                      weights={"A": 200}, within_bank=True, created_by=self.officer.account_id,
                                      created_at=MONDAY,
                                      parts=[SpecificationPart(position=0, kind=ItemKind.SINGLE, count=1, half_points=200)])
        paper = Paper(specification=specification, institution_id=self.school.id, name="2026年电工四级A卷", form="A", seed=7,
                      composer_id=self.officer.account_id, created_at=MONDAY, compliance={},
                      items=[PaperItem(number=1, position=0, version=version, half_points=200)])
        self.session.add(paper)
        self.session.flush()
        return open_paper(self.session, seal_paper(self.session, paper, self.officer, now=MONDAY), self.people, now=MONDAY)


@pytest.fixture
def world(session: Session, people: Any) -> ArchiveWorld:
    return ArchiveWorld(session, people)


def packed(world: ArchiveWorld) -> ArchivePack:
    made = desk.pack(world.session, world.plan, world.officer, now=MONDAY)
    world.session.commit()
    return made


def opened(made: ArchivePack) -> dict[str, Any]:
    with ZipFile(BytesIO(made.file)) as file:
        return {name: json.loads(file.read(name)) for name in file.namelist() if name.endswith(".json")}


# The clock

@pytest.mark.parametrize(("day", "years", "until"), [
    (date(2026, 6, 1), 3, date(2029, 6, 1)), (date(2028, 2, 29), 3, date(2031, 3, 1)), (date(2028, 2, 29), 4, date(2032, 2, 29)),
    (date(2026, 12, 31), 5, date(2031, 12, 31)),
])
def test_the_clock_is_never_a_day_short(day: date, years: int, until: date) -> None:
    assert keep_until(day, years) == until


@pytest.mark.parametrize(("today", "said"), [
    (date(2026, 6, 1), "还需保存 3 年 0 天"), (date(2026, 6, 2), "还需保存 2 年 364 天"), (date(2028, 6, 1), "还需保存 1 年 0 天"),
    (date(2029, 5, 31), "还需保存 1 天"), (date(2029, 6, 1), "还需保存 0 天"), (date(2029, 6, 2), "保存期已满（销毁须经批准，系统暂不提供）"),
])
def test_the_time_left_is_said_in_years_and_days(today: date, said: str) -> None:
    assert remaining(date(2029, 6, 1), today) == said


# The container

def test_the_same_content_gives_the_same_bytes_and_any_change_is_found_and_named() -> None:
    files = {"b.json": b"{}", "a.json": b"[1]"}
    whole = bundle(files, {"plan": "JH-1"})
    assert whole == bundle(dict(reversed(files.items())), {"plan": "JH-1"})
    digest = hashlib.sha256(whole).hexdigest()
    assert differences(whole, digest) == []
    other = bundle({**files, "a.json": b"[2]"}, {"plan": "JH-1"})
    assert differences(other, digest) == ["整卷的 SHA-256 与登记的不一致：文件被改动过。"]
    stream = BytesIO()  # a file exchanged, one removed, one added, under the old manifest
    with ZipFile(BytesIO(whole)) as old, ZipFile(stream, "w") as new:
        new.writestr("manifest.json", old.read("manifest.json"))
        new.writestr("a.json", b"[3]")
        new.writestr("c.json", b"new")
    found = differences(stream.getvalue(), digest)
    assert found[1:] == ["目录中有、卷内没有：b.json", "卷内有、目录中没有：c.json", "内容被改动：a.json"]


@pytest.mark.parametrize("content", [b"", b"no zip", b"PK\x03\x04 cut"])
def test_what_is_no_pack_is_said_to_be_unreadable(content: bytes) -> None:
    assert any("无法读取" in line for line in differences(content, "0" * 64))


def test_every_flipped_byte_is_detected() -> None:
    whole = bundle({"a.json": b"[1, 2, 3]" * 20}, {})
    digest = hashlib.sha256(whole).hexdigest()
    for place in range(0, len(whole), 7):
        changed = bytearray(whole)
        changed[place] ^= 0x40
        assert differences(bytes(changed), digest), place


# Packing

def test_a_pack_holds_the_whole_plan_and_no_identity_number(world: ArchiveWorld) -> None:
    made = packed(world)
    files = opened(made)
    assert files["01-plan.json"]["exam_plans"][0]["number"] == "JH-2026-001"
    assert files["01-plan.json"]["plan_decisions"][0]["state"] == "approved"
    assert len(files["02-enrolments.json"]["enrolments"]) == 3
    assert len(files["03-seating.json"]["seats"]) == 3
    assert files["05-sheets.json"]["sheets"][0]["layout"] == [{"number": 1, "kind": "single", "options": "BA"}]
    assert [one["answer"] for one in files["07-answer-events.json"]["answer_events"]] == ["B", "A"]
    assert files["06-answers.json"]["answers"][0]["answer"] == "A"
    assert [one["half_points"] for one in files["09-theory-scores.json"]["theory_scores"]] == [160, 170]
    assert len(files["10-practical.json"]["mark_sheets"]) == 9  # 3 assessors × 3 candidates
    assert {one["state"] for one in files["12-results.json"]["result_decisions"]} == {"city_checked", "final"}
    assert files["13-supervision.json"]["supervisions"][0]["report"] == "全程督导，未见异常。"
    assert [one["number"][-6:] for one in files["14-certificates.json"]["certificates"]] == ["000001", "000002"]
    assert {"张晓明", "罗正明", "郑国栋"} <= {one["name"] for one in files["15-people.json"]}
    tables = {entry["table_name"] for entry in files["16-audit.json"]}
    assert {"exam_plans", "results", "mark_sheets", "certificates", "supervisions"} <= tables
    text = json.dumps(files, ensure_ascii=False)
    for place in range(3):
        assert identity_number(place) not in text
        assert CIPHER.fingerprint(identity_number(place)) not in text
    book = openpyxl.load_workbook(BytesIO(ZipFile(BytesIO(made.file)).read("summary.xlsx")))
    assert {"档案清单", "通过人员名册", "评价结果汇总", "证书登记", "质量督导"} <= set(book.sheetnames)


def test_the_sealed_paper_in_the_pack_has_the_fingerprint_it_was_sealed_with(world: ArchiveWorld) -> None:
    made = packed(world)
    with ZipFile(BytesIO(made.file)) as file:
        name = next(name for name in file.namelist() if name.startswith("papers/"))
        assert hashlib.sha256(file.read(name)).hexdigest() == world.paper.fingerprint


def test_packing_is_reproducible(world: ArchiveWorld) -> None:
    first = desk.build(world.session, world.plan, world.officer, now=MONDAY)
    assert desk.build(world.session, world.plan, world.officer, now=MONDAY).content == first.content


def test_the_manifest_says_head_hashes_and_term(world: ArchiveWorld) -> None:
    head = audit.head(world.session)
    made = packed(world)
    manifest = manifest_of(made.file)
    assert (made.audit_head, manifest["audit_head"]) == (head, head)
    assert made.sha256 == hashlib.sha256(made.file).hexdigest()
    assert made.keep_until == date(2029, 6, 1)
    assert manifest["audit_breaks"] == []
    with ZipFile(BytesIO(made.file)) as file:
        for name, line in manifest["files"].items():
            assert hashlib.sha256(file.read(name)).hexdigest() == line["sha256"]
        assert all(entry.date_time == (1980, 1, 1, 0, 0, 0) for entry in file.infolist())
        assert file.namelist() == sorted(file.namelist())


def test_a_pack_can_be_checked_without_this_program(world: ArchiveWorld, tmp_path: Path) -> None:
    with ZipFile(BytesIO(packed(world).file)) as file:
        file.extractall(tmp_path)
    checked = subprocess.run(["sha256sum", "-c", "SHA256SUMS"], cwd=tmp_path, capture_output=True, check=False)
    assert checked.returncode == 0, checked.stdout


def lacking(world: ArchiveWorld) -> set[str]:
    return {one.name for one in missing(documents(world.session, world.plan))}


def test_a_complete_plan_lacks_nothing(world: ArchiveWorld) -> None:
    assert lacking(world) == set()


def test_without_the_supervisors_report_packing_is_refused_by_name(world: ArchiveWorld) -> None:
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


@pytest.mark.parametrize("state", [ResultState.NOTICED, ResultState.SUBMITTED, ResultState.CITY_CHECKED])
def test_before_the_province_has_approved_nothing_is_packed(world: ArchiveWorld, state: ResultState) -> None:
    world.results.state = state
    world.session.flush()
    with pytest.raises(Refused, match="省鉴定中心审核"):
        desk.pack(world.session, world.plan, world.officer, now=MONDAY)


def test_a_plan_is_packed_once(world: ArchiveWorld) -> None:
    packed(world)
    with pytest.raises(Refused, match="不能修改或重做"):
        desk.pack(world.session, world.plan, world.officer, now=MONDAY)


def test_a_paper_that_another_sitting_waits_for_keeps_the_pack_shut(world: ArchiveWorld) -> None:
    """failures.md 25: an early shift must not open the paper of a later one."""
    later = world.new_plan("JH-2026-002")
    world.session.add(Sitting(plan=later, name="第二批", starts_at=MONDAY + timedelta(days=3), minutes=90, papers=[world.paper],
                              state=SittingState.PLANNED))
    world.session.flush()
    with pytest.raises(Refused, match="同一份试卷") as refused:
        desk.pack(world.session, world.plan, world.officer, now=MONDAY)
    assert "第二批" in refused.value.details[0]


def test_a_paper_that_lost_its_fingerprint_is_not_archived_silently(world: ArchiveWorld) -> None:
    meddle(world, ItemVersion, key="B")
    with pytest.raises(Refused, match="指纹不一致"):
        desk.pack(world.session, world.plan, world.officer, now=MONDAY)


def test_others_do_not_pack_or_take_out(world: ArchiveWorld, people: Any) -> None:
    city = people("钟主任", scopes=[Scope(Role.CITY_OFFICER, region="4301")])
    for who in (world.stranger(), city):
        with pytest.raises(Refused, match="考务员"):
            desk.pack(world.session, world.plan, who, now=MONDAY)
    made = packed(world)
    with pytest.raises(Refused, match="考务员"):
        desk.take_out(world.session, made, city, "检查工作", now=MONDAY)


def test_the_work_list_names_final_plans_without_a_pack(world: ArchiveWorld) -> None:
    assert [one.values for one in todo(world.session, world.officer, now=MONDAY)] == [{"plan_id": world.plan.id}]
    packed(world)
    assert todo(world.session, world.officer, now=MONDAY) == []


# Verifying

def meddle(world: ArchiveWorld, model: type, **values: Any) -> None:
    """Somebody with the database file, past the program and its trail."""
    world.session.commit()
    engine = world.session.get_bind()
    assert isinstance(engine, sa.Engine)
    with engine.begin() as outside:
        outside.execute(sa.update(model).values(**values))
    world.session.expire_all()


def test_a_sound_pack_verifies_and_meddling_is_found(world: ArchiveWorld) -> None:
    made = packed(world)
    assert desk.verify(world.session, made) == []
    good, digest = made.file, made.sha256
    meddle(world, ArchivePack, file=good + b"x")
    assert any("整卷" in line for line in desk.verify(world.session, made))
    forged = bundle({"01-plan.json": b"{}"}, {})
    meddle(world, ArchivePack, file=forged, sha256=hashlib.sha256(forged).hexdigest())
    assert desk.verify(world.session, made) == ["登记的 SHA-256 与归档时审计留痕记下的不一致：登记被改动过。"]
    meddle(world, ArchivePack, file=good, sha256=digest, audit_head="f" * 64)
    assert desk.verify(world.session, made) == ["审计留痕中找不到归档时的最新一条记录：留痕被截断或改动过。"]


def test_the_console_verifies_all_packs(world: ArchiveWorld, settings: Settings) -> None:
    packed(world)
    installation = Installation(settings.folder)
    installation.__dict__["settings"] = settings
    good = CliRunner().invoke(group, ["verify"], obj=installation)
    assert (good.exit_code, good.output.startswith("ok")) == (0, True)
    meddle(world, ArchivePack, file=b"gone")
    bad = CliRunner().invoke(group, ["verify", world.plan.number], obj=installation)
    world.session.commit()
    assert bad.exit_code == 1
    assert "BAD" in bad.output
    assert CliRunner().invoke(group, ["verify", "nothing"], obj=installation).exit_code == 1
    installation.database.engine.dispose()


# The pages

def test_the_officer_checks_packs_verifies_and_takes_out(world: ArchiveWorld, enter: Enter, session: Session,
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
    assert browser.post(f"{page}/pack").status_code == 409
    shown = browser.get(f"/archive/{made.id}").get_data(as_text=True)
    assert "还需保存 3 年 0 天" in shown
    assert made.sha256 in shown
    assert "核验通过" in browser.get(f"/archive/{made.id}/verify").get_data(as_text=True)
    assert browser.get(f"/archive/{made.id}/download").status_code == 405
    assert browser.post(f"/archive/{made.id}/download", data={}).status_code == 409
    refused = browser.post(f"/archive/{made.id}/download", data={"reason": "  "})
    assert "请填写查阅事由" in refused.get_data(as_text=True)
    taken = browser.post(f"/archive/{made.id}/download", data={"reason": "省鉴定中心年度检查"})
    assert hashlib.sha256(taken.data).hexdigest() == made.sha256
    access = session.scalars(sa.select(ArchiveAccess)).one()
    assert (access.account_id, access.reason, access.at) == (world.officer.account_id, "省鉴定中心年度检查", MONDAY)
    session.commit()
    assert "省鉴定中心年度检查" in browser.get(f"/archive/{made.id}").get_data(as_text=True)
    clock.forward(days=365 * 3 + 3)
    # 2029-06-04: the time is over, and still nothing is destroyed by itself
    assert "保存期已满" in enter(world.officer).get("/archive/").get_data(as_text=True)


def test_the_check_list_page_says_what_is_lacking(world: ArchiveWorld, enter: Enter, session: Session) -> None:
    supervision = session.scalars(sa.select(Supervision)).one()
    supervision.report, supervision.reported_at = "", None
    session.commit()
    browser = enter(world.officer)
    shown = browser.get(f"/archive/plans/{world.plan.id}").get_data(as_text=True)
    assert "还缺 1 项" in shown
    assert "质量督导报告" in shown
    answer = browser.post(f"/archive/plans/{world.plan.id}/pack")
    assert answer.status_code == 409
    assert "质量督导报告" in answer.get_data(as_text=True)


def test_every_door_of_the_archive_is_shut_to_strangers(world: ArchiveWorld, enter: Enter, session: Session,
                                                        people: Any) -> None:
    made = packed(world)
    candidate, stranger = world.as_candidate(world.candidates[0]), world.stranger()
    city = people("钟主任", scopes=[Scope(Role.CITY_OFFICER, region="4301")])
    session.commit()
    addresses = [("GET", f"/archive/plans/{world.plan.id}"), ("GET", f"/archive/{made.id}"), ("GET", f"/archive/{made.id}/verify"),
                 ("POST", f"/archive/plans/{world.plan.id}/pack"), ("POST", f"/archive/{made.id}/download")]
    for who, shut in ((stranger, 404), (candidate, 403)):
        browser = enter(who)
        assert world.plan.title not in browser.get("/archive/").get_data(as_text=True)
        for method, address in addresses:
            assert browser.open(address, method=method).status_code == shut, (who.name, address)
    browser = enter(city)
    for method, address in addresses:
        assert browser.open(address, method=method).status_code == (200 if method == "GET" else 403), address


def test_a_pack_is_kept_as_long_as_the_rule_pack_of_the_province_asks(world: ArchiveWorld) -> None:
    from qbank.standards.models import StoredRulePack

    world.session.add(StoredRulePack(region="43", name="湖南", values=json.dumps({"archive_years": 5})))
    world.session.flush()
    assert packed(world).keep_until == date(2031, 6, 1)

"""The demo world with rows of every kind that it does not hold, a second school, and everybody's browsers.

It is made once in a run: what is on the disk is copied for each file of tests that asks for it. SQLite only.
"""

from __future__ import annotations

import fcntl
import logging
import os
import re
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.routing import Rule
from werkzeug.test import TestResponse

from app import ACCESS
from examroom.delivery.models import ExamPage, PageState, Sheet, SheetState
from examroom.filing.application_models import Application, Material, SiteAssessment
from examroom.filing.models import FiledScope
from examroom.filing.standing_models import Evaluation, MinistryReport, Removal
from examroom.invigilation.models import Rehearsal
from examroom.marking.case_models import AnswerFile, ItemCase
from examroom.marking.models import TheoryScore
from examroom.marking.written_models import Marker, MarkingTask, Script, ScriptMark, TaskKind, WrittenQuestion
from examroom.oversight.draw_models import InspectionDraw, Recusal
from examroom.oversight.inspection_models import CheckTemplate, Finding, Inspection, OversightFile
from examroom.oversight.models import Supervision
from examroom.oversight.staff_models import StaffCase
from examroom.plans.amendment_models import PlanAmendment
from examroom.plans.condition_models import EntryCondition
from examroom.plans.fee_models import CostEntry, FeeEntry, FeeKind, FeeSchedule
from examroom.plans.models import Enrolment, ExamPlan, Room, Seat, Sitting, SittingRoom
from examroom.plans.qualification_models import EntryProof, TicketFile
from examroom.plans.roster_models import RosterImport
from examroom.plans.tie_models import Tie
from qbank.exchange.models import ExportFile
from qbank.items.models import BulkRun, ImportBatch, ImportRow, Item, ItemPair, ItemVersion, Review, ReviewTask
from qbank.items.states import PairKind
from qbank.kernel.access import GRANTABLE, Role, Scope
from qbank.kernel.accounts import Account, Grant, Institution, InstitutionKind, create_account
from qbank.kernel.attachments import Attachment
from qbank.kernel.audit import AuditEntry
from qbank.kernel.factor_resets import FactorReset
from qbank.kernel.identity import IdentityCipher
from qbank.kernel.jobs import Job, JobState
from qbank.papers.models import Paper, PaperFamily, Specification
from qbank.papers.sealed import PaperPrint
from qbank.statistics.models import FormStatistic, StatisticRun
from scoring.api.models import ApiToken
from scoring.archive.erasure_models import Erasure
from scoring.archive.models import ArchiveHold, ArchivePack, Destruction, FiledDocument
from scoring.certificates import layout
from scoring.certificates.models import Certificate, IssuerSeal, Replacement, ReplacementCause
from scoring.certificates.report_models import BatchKind, ReportBatch
from scoring.certificates.stock_models import MoveKind, MoveState, StockMove
from scoring.practical.bank_models import PracticalDraw, TaskAttachment, TaskVersion
from scoring.practical.mark_models import Correction
from scoring.practical.models import GroupMember, MarkSheet, PracticalGroup, Rubric
from scoring.practical.register_models import Assessor
from scoring.practical.structure_models import ContentStructure
from scoring.reports.models import ReportFile
from scoring.results.case_models import Misconduct, Recheck, ScoreProof
from scoring.results.merge import THEORY, Source
from scoring.results.models import Credit, CreditState, Objection, Result, ResultList
from scoring.review.handin_models import OverlapHit, Submission
from scoring.review.models import ReviewCase, ReviewPanel
from seed import cast
from seed.stage import FOUNDER
from tests.demo_world import NOW, enter, make_demo, reopen

ALL_AUDIT = sa.select(sa.func.count()).select_from(AuditEntry)
# What an id in an address stands for; a room's own meaning stands before the common one.
IDS: dict[str, Any] = {
    "account_id": Account, "grant_id": Grant, "job_id": Job, "institution_id": Institution, "plan_id": ExamPlan,
    "pack_id": ArchivePack, "document_id": FiledDocument, "hold_id": ArchiveHold, "destruction_id": Destruction, "erasure_id": Erasure,
    "list_id": ResultList, "certificate_id": Certificate, "seal_id": IssuerSeal, "replacement_id": Replacement,
    "move_id": StockMove, "report_id": ReportBatch,
    "sitting_id": Sitting, "sheet_id": Sheet,
    "batch_id": ImportBatch, "row_id": ImportRow, "export_id": ExportFile, "scope_id": FiledScope,
    "application_id": Application, "material_id": Material, "assessment_id": SiteAssessment,
    "evaluation_id": Evaluation, "removal_id": Removal, "filing.report_id": MinistryReport, "room_id": Room, "page_id": ExamPage, "item_id": Item,
    "version_id": ItemVersion, "review_id": Review, "supervision_id": Supervision,
    "specification_id": Specification, "paper_id": Paper, "family_id": PaperFamily, "print_id": PaperPrint,
    "roster_id": RosterImport, "enrolment_id": Enrolment, "sitting_room_id": SittingRoom, "member_id": GroupMember,
    "form_id": FormStatistic, "run_id": StatisticRun,
    "rubric_id": Rubric, "group_id": PracticalGroup, "objection_id": Objection, "credit_id": Credit, "misconduct_id": Misconduct, "recheck_id": Recheck,
    "proof_id": ScoreProof, "result_id": Result, "panel_id": ReviewPanel, "review.case_id": ReviewCase, "submission_id": Submission, "hit_id": OverlapHit,
    "question_id": WrittenQuestion, "script_id": Script, "task_id": ReviewTask, "marking.task_id": MarkingTask, "mark_id": ScriptMark,
    "marker_id": Marker, "case_id": ItemCase, "file_id": AnswerFile, "invigilation.room_id": SittingRoom, "rehearsal_id": Rehearsal, "seat_id": Seat,
    "practical.sheet_id": MarkSheet, "assessor_id": Assessor, "tie_id": Tie, "correction_id": Correction,
    "pair_id": ItemPair, "items.run_id": BulkRun, "reports.file_id": ReportFile,
    "amendment_id": PlanAmendment, "schedule_id": FeeSchedule, "entry_id": FeeEntry, "cost_id": CostEntry,
    "plans.proof_id": EntryProof, "plans.file_id": TicketFile, "condition_id": EntryCondition,
    "token_id": ApiToken, "reset_id": FactorReset,
    "oversight.draw_id": InspectionDraw, "inspection_id": Inspection, "finding_id": Finding, "template_id": CheckTemplate,
    "oversight.file_id": OversightFile, "recusal_id": Recusal, "oversight.case_id": StaffCase,
    "structure_id": ContentStructure, "practical.version_id": TaskVersion, "attachment_id": TaskAttachment, "draw_id": PracticalDraw,
}
GLOBAL_ROLES = {Role.ADMINISTRATOR}  # keeps institutions and accounts of the whole installation, and no school's data


@dataclass
class World:
    """The demo world with a second school in another province, and everybody's browsers."""

    app: Flask
    ids: dict[str, list[int]] = field(default_factory=dict)
    strangers: dict[Role, FlaskClient] = field(default_factory=dict)  # the other school's people
    numbers: list[str] = field(default_factory=list)  # all identity numbers
    walks: dict[str, list[tuple[str, TestResponse]]] = field(default_factory=dict)  # login -> what it is led to
    logged: list[str] = field(default_factory=list)
    signed_in: dict[str, FlaskClient] = field(default_factory=dict)

    def browser(self, login: str) -> FlaskClient:
        if login not in self.signed_in:
            self.signed_in[login] = enter(self.app, login)
        return self.signed_in[login]

    def candidate(self, which: int = 0) -> FlaskClient:
        """A candidate of the open sitting who has not started."""
        ticket, number = self.app.extensions["visitors"].splitlines()[-1 - which].split()[:2]
        if ticket not in self.signed_in:
            client = self.signed_in[ticket] = self.app.test_client()
            assert client.post("/exam", data={"ticket": ticket, "identity_number": number}).status_code == 302
        return self.signed_in[ticket]

    def own_sheet(self, client: FlaskClient) -> int:
        found = re.search(r"/exam/sheets/(\d+)", client.get("/exam/hall/state").get_json()["enter"])
        assert found
        return int(found[1])

    def owners(self, rule: Rule) -> list[FlaskClient]:
        """The first school's people for whom ``rule`` is a door."""
        found = [self.browser(part.login) for part in cast.CAST if set(part.roles) & ACCESS[rule.endpoint]]
        if Role.SIGNED_IN in ACCESS[rule.endpoint]:
            found.append(self.browser("officer"))
        return [*found, *(self.candidate(which) for which in range(3) if Role.CANDIDATE in ACCESS[rule.endpoint])]

    def addresses(self, rule: Rule) -> list[str]:
        """Addresses of the first school under ``rule``: with the least, the middle and the greatest id."""
        room, names = rule.endpoint.partition(".")[0], sorted(rule.arguments)
        columns = [self.ids.get(f"{room}.{name}", self.ids[name]) for name in names]
        assert all(columns), f"{rule.rule}: the world holds no such row"
        made = []
        for place in (0.0, 0.5, 0.999):
            address = rule.rule
            for name, column in zip(names, columns, strict=True):
                address = address.replace(f"<int:{name}>", str(column[int(len(column) * place)]))
            made.append(address)
        return list(dict.fromkeys(made))


class Ears(logging.Handler):
    """Keeps everything that is logged."""

    def __init__(self, heard: list[str]) -> None:
        super().__init__(logging.DEBUG)
        self.heard = heard

    def emit(self, record: logging.LogRecord) -> None:
        self.heard.append(self.format(record))


def complete_world(factory: pytest.TempPathFactory, fresh_database_url: Callable[[], str]) -> Iterator[World]:
    """A copy of the world for one file of tests."""
    folder = factory.mktemp("complete")
    kept = shared(factory) / "complete"
    with (kept.parent / "complete.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # two workers of one run ask at once
        if not kept.exists():
            make_once(kept.with_name("coming"), fresh_database_url()).rename(kept)
    shutil.copytree(kept, folder, dirs_exist_ok=True)
    made = World(reopen(folder, f"sqlite:///{folder / 'world.sqlite3'}"))
    made.app.extensions["visitors"] = (folder / "visitors").read_text("utf-8")
    ears = Ears(made.logged)
    logging.getLogger().addHandler(ears)
    with made.app.extensions["examroom"]["database"].open(None, reads_only=True) as session:
        made.ids = {name: list(session.scalars(sa.select(model.id).order_by(model.id))) for name, model in IDS.items()}
        made.ids["number"] = [1]  # of a question on a paper
        made.ids["marking.sheet_id"] = list(session.scalars(sa.select(TheoryScore.sheet_id).order_by(TheoryScore.sheet_id)))
        cipher = made.app.extensions["examroom"]["settings"].identity_cipher()
        made.numbers = [cipher.decrypt(held) for held in session.scalars(
            sa.select(Account.identity_cipher).where(Account.identity_cipher.is_not(None))) if held]
    add_second_school(made)  # after the ids are read: they are the first school's
    yield made
    logging.getLogger().removeHandler(ears)
    made.app.extensions["examroom"]["database"].engine.dispose()


def shared(factory: pytest.TempPathFactory) -> Path:
    """A folder that all processes of this run share."""
    base = factory.getbasetemp()
    return base.parent if "PYTEST_XDIST_WORKER" in os.environ else base


def make_once(folder: Path, database_url: str) -> Path:
    """The world on the disk: its folder, its database, and what the console printed."""
    folder.mkdir()
    made = World(make_demo(folder, database_url))
    complete(made)
    add_marking(made)
    (folder / "visitors").write_text(made.app.extensions["visitors"], "utf-8")
    made.app.extensions["examroom"]["database"].engine.dispose()
    with closing(sqlite3.connect(database_url.removeprefix("sqlite:///"))) as connection:
        connection.execute("VACUUM INTO ?", [str(folder / "world.sqlite3")])
    return folder


def complete(world: World) -> None:
    """Rows of the kinds that the demo world does not hold, and the statistics that its worker would make."""
    with world.app.extensions["examroom"]["database"].open(None, reads_only=True) as session:
        waiting = list(session.scalars(sa.select(Job.id).where(Job.kind == "marking.statistics", Job.state == JobState.WAITING)))
    for job_id in waiting:
        world.app.extensions["examroom"]["jobs"].run(job_id)
    cipher = IdentityCipher(world.app.extensions["examroom"]["settings"].identity_key)
    with world.app.extensions["examroom"]["database"].transaction(FOUNDER, clock=lambda: NOW) as session:
        officer = session.scalars(sa.select(Account).where(Account.login == "officer")).one()
        author = session.scalars(sa.select(Account).where(Account.login == "author")).one()
        first_batch = session.scalars(sa.select(ImportBatch).order_by(ImportBatch.id)).all()[0]
        plan = session.scalars(sa.select(ExamPlan).order_by(ExamPlan.id)).first()
        done = session.scalars(sa.select(ResultList)).first()
        sheet = session.scalars(sa.select(Sheet).where(Sheet.state == SheetState.DEALT).order_by(Sheet.id)).first()
        assert plan
        assert done
        assert sheet
        one, other = session.scalars(sa.select(Item.id).where(Item.table_id == first_batch.table_id).order_by(Item.id).limit(2))
        sealed = session.scalars(sa.select(Paper.id).where(Paper.fingerprint.is_not(None)).order_by(Paper.id)).first()
        pack = session.scalars(sa.select(ArchivePack)).first()  # asked before the rows below are half made
        session.add_all([
            ItemPair(first_id=one, second_id=other, kind=PairKind.SIMILAR, decided_by_id=author.id, decided_at=NOW),
            BulkRun(account_id=author.id, action="suspend", at=NOW, changes=[], refused=[]),
            Objection(list_id=done.id, text="对成绩有异议", raised_by="王某", recorded_by=officer.id, at=NOW),
            Credit(enrolment_id=done.results[0].enrolment_id, part=THEORY, source=Source.SUBSTITUTE, half_points=150,
                   basis="期末考试", achieved_on=NOW.date(), state=CreditState.PROPOSED, proposed_by=officer.id, proposed_at=NOW,
                   evidence=Attachment(sha256="0" * 64, name="成绩单.pdf", media_type="application/pdf", size=1,
                                       uploaded_by=officer.id, uploaded_at=NOW)),
            Misconduct(enrolment_id=done.results[0].enrolment_id, part=THEORY, tier="一般违纪", happened_on=NOW.date(), evidence="监考员发现夹带纸条。",
                       state=CreditState.PROPOSED, proposed_by=officer.id, proposed_at=NOW),
            Recheck(result=done.results[0], part=THEORY, reason="请核对合分", before=done.results[0].theory, asked_at=NOW, due_on=NOW.date()),
            ScoreProof(result=done.results[0], part=THEORY, code="2222-3333-4444-5555", holder="某生", identity_masked="4301**********1234",
                       occupation="电工", occupation_code="6-31-01-03", level=plan.level, half_points=140, achieved_on=NOW.date(),
                       valid_until=NOW.date(), plan_number=plan.number, issuer="学校", issued_by=officer.id, issued_at=NOW),
            RosterImport(plan=plan, file_name="名单.xlsx", uploaded_by=officer.id, uploaded_at=NOW,
                         content=cipher.encrypt("[]")),
            ExamPage(sheet=sheet, token_hash="0" * 64, machine_hash="0" * 64, address="127.0.0.1", opened_at=NOW,
                     state=PageState.WAITING),
            PlanAmendment(plan=plan, number=99, before={}, arrangement={}, started_by=officer.id, started_at=NOW),
            FeeSchedule(institution_id=plan.institution_id, standard_id=plan.standard_id, level=plan.level, theory_fen=1, practical_fen=1,
                        basis="示例", filed_with="示例", filing_reference="示例", valid_from=NOW.date(), published_by=officer.id, published_at=NOW),
            FeeEntry(plan=plan, account_id=done.results[0].enrolment.account_id, kind=FeeKind.PAYMENT, fen=1, receipt="SJ-X", entered_by=officer.id, at=NOW),
            TicketFile(plan_id=plan.id, account_id=officer.id, count=1, content=None, made_at=NOW),
            CostEntry(plan=plan, category="其他", fen=1, entered_by=officer.id, at=NOW),
            ReportFile(account_id=officer.id, plan_id=plan.id, kind="summary", file_name="x.pdf", size=5, content=b"%PDF-", made_at=NOW),
            ExportFile(account_id=author.id, institution_id=plan.institution_id, table_id=first_batch.table_id, format="csv",
                       file_name="题库.csv", written=1, losses=[], content=b"x", made_at=NOW),
            PaperPrint(paper_id=sealed, account_id=officer.id, title="A卷 试卷与答题卡", options={"what": "paper"}, file_name="gone.bin",
                       digest="0" * 64, pages=1, wrapped_key=b"x", key_name="x", made_at=NOW),
            Correction(sheet=(signed := session.scalars(sa.select(MarkSheet).where(MarkSheet.signed_at.is_not(None)).order_by(MarkSheet.id)).all()[0]),
                       row=signed.member.group.rubric.rows[0], before={}, after={"entry": 1, "half_points": 1, "violated": None}, reason="录入有误",
                       asked_by=signed.assessor_id, asked_at=NOW),
            IssuerSeal(institution_id=plan.institution_id, set_by=officer.id, at=NOW,
                       picture=Attachment(sha256="1" * 64, name="印章.png", media_type="image/png", size=1, uploaded_by=officer.id,
                                          uploaded_at=NOW)),
            StockMove(institution_id=plan.institution_id, kind=MoveKind.RECEIVED, first="HN0001", last="HN0002", pieces=2, note="领取", asked_by=officer.id,
                      state=MoveState.DONE, asked_at=NOW),
            ReportBatch(results=done, number=99, kind=BatchKind.NEW, layout=layout.default().stored(), file_cipher=cipher.encrypt(""), sha256="0" * 64,
                        made_by=officer.id, at=NOW),
            Replacement(certificate_id=session.scalars(sa.select(Certificate.id).order_by(Certificate.id)).all()[0],
                        cause=ReplacementCause.LOST, reason="本人声明遗失", asked_by=officer.id, asked_at=NOW),
            TaskAttachment(version=session.scalars(sa.select(TaskVersion).order_by(TaskVersion.id)).all()[0], position=1, caption="原理图",
                           attachment=Attachment(sha256="2" * 64, name="图.pdf", media_type="application/pdf", size=1, uploaded_by=author.id,
                                                 uploaded_at=NOW)),
            Rehearsal(sitting_id=sheet.sitting_id, asked_by=officer.id, at=NOW, well=True, findings=[], figures=[]),
            ApiToken(name="市监管平台", secret_hash="0" * 64, hint="kpt_000000", reads=["plans"], region="4301", issued_by=officer.id, issued_at=NOW,
                     expires_at=NOW + timedelta(days=30)),
            FactorReset(account_id=officer.id, reason="手机丢失", asked_by=author.id, asked_at=NOW),
            FiledDocument(plan=plan, line="notice", title="认定公告", place="3 柜", filed_by=officer.id, at=NOW),
            ArchiveHold(plan=plan, reason="信访核查", role=Role.EXAM_OFFICER.value, set_by=officer.id, set_at=NOW),
            Destruction(pack=pack, reason="保存期满", asked_by=officer.id, asked_at=NOW),
            Erasure(institution_id=plan.institution_id, people=[], reason="保存期满", asked_by=officer.id, asked_at=NOW),
            Job(kind="archive", title="归档", arguments={}, account_id=officer.id, state=JobState.DONE, created_at=NOW),
        ])


def add_marking(world: World) -> None:
    """Written answers on their way, an item that proved wrong, and an answer file, at the sitting that is marked."""
    with world.app.extensions["examroom"]["database"].transaction(FOUNDER, clock=lambda: NOW) as session:
        officer = session.scalars(sa.select(Account).where(Account.login == "officer")).one()
        chief = session.scalars(sa.select(Account).where(Account.login == "marker")).one()
        sheet = session.scalars(sa.select(Sheet).where(Sheet.state == SheetState.HANDED_IN, Sheet.started_at.is_not(None)).order_by(Sheet.id)).first()
        assert sheet
        item = sheet.paper.items[0]
        question = WrittenQuestion(sitting=sheet.sitting, version_id=item.version_id, number=1, half_points=2)
        marker = Marker(sitting=sheet.sitting, account_id=chief.id, is_chief=True, appointed_by=officer.id, appointed_at=NOW)
        script = Script(question=question, sheet=sheet, number=1, code="ABCD1234", text="断电")
        task = MarkingTask(script=script, marker=marker, kind=TaskKind.THIRD, place=0)
        session.add_all([question, marker, script, task, ScriptMark(script=script, account_id=chief.id, steps=[2], half_points=2, seconds=5, at=NOW),
                         ItemCase(institution_id=sheet.paper.institution_id, version_id=item.version_id, reason="答案有误", reported_by=officer.id,
                                  reported_at=NOW),
                         AnswerFile(sheet=sheet, file_name="答案.json", digest="0" * 64, events=[[999, 1, "A", False]], page_generation=0, proven=False,
                                    made_at="", uploaded_by=officer.id, uploaded_at=NOW)])


def add_second_school(world: World) -> None:
    """A school in another province with one account for each role, and the offices above it."""
    with world.app.extensions["examroom"]["database"].transaction(FOUNDER, clock=lambda: NOW) as session:
        school = Institution(name="珠江技师学院（演示）", kind=InstitutionKind.TECHNICIAN, region="440100",
                             certificate_prefix="J000044000001")
        session.add(school)
        session.flush()
        for role in GRANTABLE:
            region = {Role.CITY_OFFICER: "4401", Role.QUALITY_SUPERVISOR: "4401", Role.PROVINCE_OFFICER: "44"}.get(role)
            scope = Scope(role) if role in GLOBAL_ROLES else Scope(role, None if region else school.id, region)
            create_account(session, f"other_{role.value}", f"外校{role.chinese}", [scope], institution=school,
                           password=cast.PASSWORD, must_change=False)
    world.strangers = {role: world.browser(f"other_{role.value}") for role in GRANTABLE}

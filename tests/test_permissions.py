"""Who can reach what: every address of one school tried as another school's people, as candidates and as nobody."""

from __future__ import annotations

import io
import json
import logging
import re
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient
from stdnum.cn import ric
from werkzeug.routing import Rule
from werkzeug.test import TestResponse

from app import ACCESS, create_app
from examroom.delivery.models import ExamPage, PageState, Sheet, SheetState
from examroom.filing.application_models import Application, Material, SiteAssessment
from examroom.filing.models import FiledScope
from examroom.filing.scopes import publish_scope
from examroom.filing.standing_models import Evaluation, MinistryReport, Removal
from examroom.invigilation.models import Rehearsal
from examroom.marking.case_models import AnswerFile, ItemCase
from examroom.marking.written_models import Marker, MarkingTask, Script, ScriptMark, TaskKind, WrittenQuestion
from examroom.oversight.draw_models import InspectionDraw, Recusal
from examroom.oversight.inspection_models import CheckTemplate, Finding, Inspection, OversightFile
from examroom.oversight.models import Supervision
from examroom.oversight.staff_models import StaffCase
from examroom.plans import candidates, desk, sittings
from examroom.plans.amendment_models import PlanAmendment
from examroom.plans.condition_models import EntryCondition
from examroom.plans.fee_models import CostEntry, FeeEntry, FeeKind, FeeSchedule
from examroom.plans.models import Enrolment, ExamPlan, PlanState, Room, Seat, Sitting, SittingRoom
from examroom.plans.predicate import Facts
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
from qbank.kernel.identity import IdentityCipher
from qbank.kernel.jobs import Job, JobState
from qbank.kernel.times import local_date
from qbank.papers.models import Paper, PaperFamily, Specification
from qbank.papers.sealed import PaperPrint
from qbank.standards.models import Subject, WeightTable
from qbank.statistics.models import FormStatistic, StatisticRun
from scoring.api.models import ApiToken
from scoring.archive.models import ArchiveHold, ArchivePack, Destruction, FiledDocument
from scoring.certificates import layout
from scoring.certificates.models import Certificate, IssuerSeal, Replacement, ReplacementCause
from scoring.certificates.report_models import BatchKind, ReportBatch
from scoring.certificates.stock_models import MoveKind, MoveState, StockMove
from scoring.practical import register
from scoring.practical.bank_models import PracticalDraw, TaskAttachment, TaskVersion
from scoring.practical.mark_models import Correction
from scoring.practical.models import GroupMember, MarkSheet, PracticalGroup, Rubric
from scoring.practical.register_models import Assessor
from scoring.practical.rubrics import build_rubric
from scoring.practical.structure_models import ContentStructure
from scoring.reports.models import ReportFile
from scoring.results.case_models import Misconduct, Recheck, ScoreProof
from scoring.results.merge import THEORY, Source
from scoring.results.models import Credit, CreditState, Objection, Result, ResultList
from scoring.review.handin_models import OverlapHit, Submission
from scoring.review.models import ReviewCase, ReviewPanel
from seed import cast
from seed.people import students
from seed.stage import FOUNDER
from tests.demo_world import NOW, counted, enter, follow, kind, make_demo
from tests.plan_world import qualify

pytestmark = pytest.mark.one_database  # tests/test_demo.py walks the same pages on both
GONE = {403, 404}
ALL_AUDIT = sa.select(sa.func.count()).select_from(AuditEntry)
# What an id in an address stands for; a room's own meaning stands before the common one.
IDS: dict[str, Any] = {
    "account_id": Account, "grant_id": Grant, "job_id": Job, "institution_id": Institution, "plan_id": ExamPlan,
    "pack_id": ArchivePack, "document_id": FiledDocument, "hold_id": ArchiveHold, "destruction_id": Destruction,
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
    "token_id": ApiToken,
    "oversight.draw_id": InspectionDraw, "inspection_id": Inspection, "finding_id": Finding, "template_id": CheckTemplate,
    "oversight.file_id": OversightFile, "recusal_id": Recusal, "oversight.case_id": StaffCase,
    "structure_id": ContentStructure, "practical.version_id": TaskVersion, "attachment_id": TaskAttachment, "draw_id": PracticalDraw,
}
# Addresses that are not one school's own.
SHARED = {
    "static": "files of the program", "bootstrap.static": "files of the program", "delivery.static": "files of the program",
    "oversight.public_draw": "what the centre has made public", "oversight.public_record": "as above",
    "oversight.staff_file": "tried in test_oversight_staff.py: its address has a name",
    "results.notice": "the public notice is for anyone", "results.object_publicly": "whoever reads the notice may object",
    "items.picture": "named by the hash of its content, which no other school can guess; tried in test_items_pictures.py",
    "delivery.practise": "all candidates of an occupation practise with the same items; strangers have a test there",
    "delivery.practised": "as above",
    "plans.conditions_of": "entry conditions belong to the national standard, as weight tables do", "plans.conditions_workbook": "as above",
    "plans.upload_conditions": "as above", "plans.end_condition": "as above",
    "delivery.media": "named by the hash of its content, for candidates of a sitting that shows it; tried in test_leaks.py",
    "api.plan": "asks for a token: test_api.py tries another city's", "api.candidates": "as above", "api.certificate": "as above",
    "api.elsewhere": "what is no address of the API: 404 or 405 for everybody",
}
SHARED_ROOMS = {"standards": "national standards and weight tables are one catalogue for all schools; packs have tests there"}
NOT_EVEN_OWNED = {  # addresses whose ids of the demo world open for nobody: their doors stand open elsewhere in the tests
    "plans.edit": "no plan of the demo world is a draft", "items.material": "the items that are tried share no material",
    "statistics.plot": "the items that are tried have too few answers for a plot: test_statistics_pages opens it",
    "practical.mark_state": "asks for the device's own mark", "practical.mark_pulse": "as above",
    "practical.signature": "nobody of the demo world signs with a pen: test_marking_tablet opens one",
    "practical.rater_plot": "drawn for a group that is named: test_assessors_agreement opens one",
    "delivery.exam": "a candidate's own sheet", "delivery.state": "a candidate's own sheet",
    "delivery.pulse": "a candidate's own sheet",
    "invigilation.photo": "nobody of the demo world has a photo: test_invigilation opens one",
    "plans.ticket_file": "nobody of the demo world has printed tickets: test_plans_tickets opens one",
    "plans.own_proof_file": "no candidate of the demo world brought a proof himself: test_plans_own opens one",
    "invigilation.enrolment_photo": "as above", "invigilation.incident_file": "no incident has a file: test_invigilation",
    "papers.writing_task": "every family of the demo world could be made: test_papers_pages",
    "review.minutes_pdf": "no review of the demo world is closed: test_review_pages reads its minutes",
    "certificates.seal_picture": "the bytes of the row made here are not on the disk: test_certificate_copies opens one",
    "practical.attachment": "the bytes of the row made here are not on the disk: test_practical_bank opens one",
    "results.evidence": "the bytes of the row made here are not on the disk: test_results_credits opens one",
    "results.misconduct_file": "the case made here has no file: test_results_misconduct opens one",
    "results.misconduct_letter": "the candidate of the case made here was not told: as above",
    "oversight.check": "no inspection of the demo world is running: test_oversight_inspections", "oversight.new_finding": "as above",
}
GLOBAL_ROLES = {Role.ADMINISTRATOR}  # keeps institutions and accounts of the whole installation, and no school's data
SECRET_FIELDS = {"key", "keys", "score", "scores", "explanation", "correct", "source", "half_points_earned", "is_correct"}


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


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory, fresh_database_url: Callable[[], str]) -> Iterator[World]:
    made = World(make_demo(tmp_path_factory.mktemp("demo"), fresh_database_url()))
    ears = Ears(made.logged)
    logging.getLogger().addHandler(ears)
    complete(made)
    add_marking(made)
    with made.app.extensions["examroom"]["database"].open(None, reads_only=True) as session:
        made.ids = {name: list(session.scalars(sa.select(model.id).order_by(model.id))) for name, model in IDS.items()}
        made.ids["number"] = [1]  # of a question on a paper
        cipher = IdentityCipher(made.app.extensions["examroom"]["settings"].identity_key)
        made.numbers = [cipher.decrypt(held) for held in session.scalars(
            sa.select(Account.identity_cipher).where(Account.identity_cipher.is_not(None))) if held]
    add_second_school(made)  # after the ids are read: they are the first school's
    made.walks = {part.login: list(follow(made.browser(part.login))) for part in cast.CAST if part.shown}
    yield made
    logging.getLogger().removeHandler(ears)
    made.app.extensions["examroom"]["database"].engine.dispose()


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
            FiledDocument(plan=plan, line="notice", title="认定公告", place="3 柜", filed_by=officer.id, at=NOW),
            ArchiveHold(plan=plan, reason="信访核查", role=Role.EXAM_OFFICER.value, set_by=officer.id, set_at=NOW),
            Destruction(pack=pack, reason="保存期满", asked_by=officer.id, asked_at=NOW),
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


def rules(world: World, method: str) -> list[Rule]:
    """Every address of one school's own things that answers ``method``."""
    return [rule for rule in world.app.url_map.iter_rules()
            if rule.methods and method in rule.methods and rule.arguments and rule.endpoint not in SHARED
            and rule.endpoint.partition(".")[0] not in SHARED_ROOMS]


def callers(world: World, rule: Rule) -> list[tuple[str, FlaskClient]]:
    """The other school's people for whom this kind of door opens, and a candidate."""
    doors = ACCESS[rule.endpoint]
    open_to = [role for role in world.strangers if (role in doors or Role.SIGNED_IN in doors) and role not in GLOBAL_ROLES]
    return [(role.value, world.strangers[role]) for role in open_to] + [("another candidate", world.candidate(1))]


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_no_id_of_one_school_opens_a_door_for_another(world: World, method: str) -> None:
    """Pages refuse without a word about what exists, forms write nothing."""
    opened = []
    own = f"/exam/sheets/{world.own_sheet(world.candidate(1))}"
    for rule in rules(world, method):
        before = counted(world.app, ALL_AUDIT)
        nobody = world.app.test_client()
        if method == "GET" and rule.endpoint not in NOT_EVEN_OWNED and not any(client.get(address).status_code == 200
                for client in world.owners(rule) for address in world.addresses(rule)):
            opened.append((method, "not even its owner reached", rule.rule, 404))
        for address in world.addresses(rule):
            for name, client in callers(world, rule):
                if name == "another candidate" and (address + "/").startswith(own + "/"):
                    continue
                answer = client.open(address, method=method, json={} if "application/json" in accepts(rule) else None)
                if answer.status_code not in (GONE | {401} if proves_itself(world, rule) else GONE):
                    opened.append((method, name, address, answer.status_code))
            answer = nobody.open(address, method=method)
            if not (answer.status_code == 401 or (answer.status_code == 302 and "/accounts/sign-in" in answer.location)
                    or (answer.status_code == 302 and answer.location.startswith("/exam?"))):
                opened.append((method, "nobody", address, answer.status_code))
        if counted(world.app, ALL_AUDIT) != before:
            opened.append((method, "wrote something", rule.rule, 0))
    assert opened == []


def proves_itself(world: World, rule: Rule) -> bool:
    """Whether the door asks for the token of an exam page and for nothing else."""
    return hasattr(world.app.view_functions[rule.endpoint], "proven")


def accepts(rule: Rule) -> str:
    """What the doors of the exam page and the drafts are sent."""
    return "application/json" if rule.rule.endswith(("/events", "/open", "/hand-in", "/draft")) else ""


def test_links_that_people_follow_do_not_open_for_the_other_schools_same_role(world: World) -> None:
    """Also the addresses with filters and the like, exactly as they stand in pages."""
    opened = []
    with world.app.test_request_context():
        adapter = world.app.create_url_adapter(None) or world.app.url_map.bind("localhost")
    for part in cast.CAST:
        for address, answer in world.walks.get(part.login, []):
            endpoint, values = adapter.match(address.split("?")[0], method="GET")
            if not values or endpoint in SHARED or endpoint.partition(".")[0] in SHARED_ROOMS or answer.status_code != 200:
                continue
            for role in set(part.roles) - GLOBAL_ROLES:
                found = world.strangers[role].get(address)
                if found.status_code not in GONE:
                    opened.append((role.value, address, found.status_code))
    assert opened == []


def test_lists_of_the_other_school_name_nothing_of_the_first(world: World) -> None:
    """Pages without ids: the lists, work lists, exports of a school that has nothing yet."""
    with world.app.extensions["examroom"]["database"].open(None, reads_only=True) as session:
        names = set(session.scalars(sa.select(ExamPlan.title))) | set(session.scalars(sa.select(Paper.name)))
        names |= set(session.scalars(sa.select(Specification.name))) | set(session.scalars(sa.select(Rubric.name)))
        names |= set(session.scalars(sa.select(Enrolment.ticket_number))) | set(session.scalars(sa.select(Room.name)))
    leaks = []
    for role, client in world.strangers.items():
        if role in GLOBAL_ROLES:
            continue
        for address, answer in follow(client):
            leaks += [(role.value, address, name) for name in names if name in readable(answer)]
    assert leaks == []


def second_plan(world: World) -> dict[str, Any]:
    """A plan of the second school at level 2, approved, with all that the first school's things could be put into."""
    with world.app.extensions["examroom"]["database"].transaction(FOUNDER, clock=lambda: NOW) as session:
        first = session.scalars(sa.select(ExamPlan).where(ExamPlan.level == 2)).first()
        people = {account.login: account.viewer() for account in session.scalars(
            sa.select(Account).where(Account.login.startswith("other_")))}
        school = session.scalars(sa.select(Institution).where(Institution.region == "440100")).one()
        assert first
        officer = people["other_exam_officer"]
        publish_scope(session, school, first.standard, first.level, people["other_province_officer"], valid_from=local_date(NOW))
        plan = desk.draft_plan(session, school, first.standard, first.level, "外校认定", officer, contact="外校老师",
                               starts_on=local_date(NOW + timedelta(days=60)), now=NOW)
        someone = students(1, seed=4711, first=9000)[0]
        enrolled = candidates.enrol(
            session, plan, officer, name=someone.name, identity_number=someone.identity_number, class_name="一班", student_number="S1",
            entry_condition="1", cipher=IdentityCipher(world.app.extensions["examroom"]["settings"].identity_key), declared=True,
            facts=Facts(certificate_level=3, years=4), now=NOW)
        qualify(session, [enrolled], officer)
        plan.state = PlanState.APPROVED  # as before days and places were kept with a plan: nothing here drifts
        sitting = sittings.add_sitting(session, plan, "外校第一场", officer, starts_at=NOW + timedelta(days=60), minutes=90, now=NOW)
        skills = session.scalars(sa.select(WeightTable).where(
            WeightTable.standard == first.standard, WeightTable.level == 2, WeightTable.subject == Subject.SKILL)).one()
        rubric = build_rubric(session, skills, school.id, "外校评分表", officer)
        assessors = [people["other_practical_assessor"].account_id] + [
            create_account(session, f"other_assessor{n}", f"外校考评员{n}", [Scope(Role.PRACTICAL_ASSESSOR, school.id)],
                           institution=school, password=cast.PASSWORD, must_change=False).id for n in (2, 3)]
        for number, key in enumerate(assessors):
            register.add_assessor(session, school, session.get_one(Account, key), officer, certificate_number=f"KP44{number:06d}",
                                  occupation=first.standard.occupation, levels=(2, 1), senior=True, expires_on=local_date(NOW + timedelta(days=900)))
        return {"plan": plan.id, "sitting": sitting.id, "enrolled": enrolled.id, "rubric": rubric.id, "assessors": assessors}


def test_no_id_inside_a_form_reaches_into_another_school(world: World) -> None:
    """One's own plan, with the papers, rooms, rubrics, people and candidates of somebody else."""
    own = second_plan(world)
    with world.app.extensions["examroom"]["database"].open(None, reads_only=True) as session:
        def first(model: Any, *conditions: Any) -> int:
            return int(session.scalars(sa.select(model.id).where(*conditions).order_by(model.id)).first() or 0)

        def staff(role: Role) -> list[int]:
            return list(session.scalars(sa.select(Grant.account_id).where(Grant.role == role).order_by(Grant.account_id).limit(3)))

        paper = first(Paper, Paper.specification.has(Specification.table.has(WeightTable.level == 2)))
        rubric = first(Rubric, Rubric.table.has(WeightTable.level == 2))
        examiners, supervisor = staff(Role.REVIEW_EXAMINER), staff(Role.QUALITY_SUPERVISOR)[0]
        watchers, assessors = staff(Role.INVIGILATOR), staff(Role.PRACTICAL_ASSESSOR)
        table = session.get_one(Specification, world.ids["specification_id"][0]).table_id
    room, school, strangers_child = (world.ids[name][0] for name in ("room_id", "institution_id", "enrolment_id"))
    group = {"name": "甲", "rubric_id": own["rubric"], "assessor": own["assessors"], "enrolment": own["enrolled"],
             "starts_at": "2027-05-02T09:00"}
    groups = f"/practical/plans/{own['plan']}/groups/new"
    tried: list[tuple[Role, str, dict[str, Any]]] = [
        (Role.EXAM_OFFICER, f"/plans/sittings/{own['sitting']}/paper", {"paper_id": paper}),
        (Role.EXAM_OFFICER, f"/plans/sittings/{own['sitting']}/rooms", {"room_id": room, "invigilator_id": watchers}),
        (Role.EXAM_OFFICER, groups, group | {"rubric_id": rubric}),
        (Role.EXAM_OFFICER, groups, group | {"assessor": assessors}),
        (Role.EXAM_OFFICER, groups, group | {"enrolment": strangers_child}),
        (Role.EXAM_OFFICER, f"/review/plans/{own['plan']}/panel/new", {
            "name": "甲", "member": examiners, "chair": examiners[0], "starts_at": "2027-05-02T09:00"}),
        (Role.CITY_OFFICER, f"/oversight/plans/{own['plan']}", {"supervisor_id": supervisor}),
        (Role.ITEM_AUTHOR, "/items/bulk/do", {"action": "retire", "version": world.ids["version_id"], "reason": "x", "expected": "1"}),
        (Role.ITEM_AUTHOR, "/items/bulk/do?table=1", {"action": "suspend", "all": "1", "reason": "x", "expected": "1"}),
        (Role.EXAM_OFFICER, "/filing/applications/new", {"institution_id": school, "kind": "addition"}),
        (Role.CITY_OFFICER, "/filing/evaluations/new", {"institution_id": school, "starts_on": "2026-06-01", "ends_on": "2027-01-01", "verdict": "qualified"}),
        (Role.PROVINCE_OFFICER, "/filing/removals/new", {"institution_id": school, "ground": "violation", "reason": "x"}),
        (Role.PAPER_COMPOSER, "/papers/specifications/new", {"bank": f"{table}-{school}", "name": "乙", "minutes": 90}),
    ]
    reached = []
    for role, address, form in tried:
        before = counted(world.app, ALL_AUDIT)
        answer = world.strangers[role].post(address, data=form)
        if counted(world.app, ALL_AUDIT) != before or answer.status_code >= 500:
            reached.append((role.value, address, answer.status_code))
    assert reached == []
    assert world.strangers[Role.EXAM_OFFICER].post(groups, data=group).status_code == 302  # with one's own it works


def readable(answer: TestResponse) -> str:
    """The text of an answer; of a workbook or an archive, what is inside."""
    if answer.get_data()[:4] != b"PK\x03\x04":
        plain = (answer.mimetype or "").startswith(("text/", "application/json"))
        return answer.get_data(as_text=True) if plain else ""
    with zipfile.ZipFile(io.BytesIO(answer.get_data())) as box:
        return "\n".join(box.read(name).decode("utf-8", "replace") for name in box.namelist())


def fields_of(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for name, held in value.items():
            yield name
            yield from fields_of(held)
    elif isinstance(value, list):
        for one in value:
            yield from fields_of(one)


def test_a_candidate_at_work_is_told_no_key_no_explanation_and_no_score(world: World) -> None:
    client = world.candidate(2)
    sheet = world.own_sheet(client)
    answers = [answer for start in ("/", "/exam/hall", "/results/mine") for _, answer in follow(client, start)]
    opened = client.post(f"/exam/sheets/{sheet}/open", json={"machine": "tablet"})
    token = {"X-Page-Token": opened.get_json()["token"]}
    state = client.get(f"/exam/sheets/{sheet}/state", headers=token)
    assert len(state.get_json()["questions"]) > 20
    event = {"sequence": 1, "number": 1, "answer": "A", "flagged": False}
    answers += [opened, state, client.get("/exam/hall/state"), client.get(f"/exam/sheets/{sheet}"),
                client.get(f"/exam/sheets/{sheet}/pulse", headers=token),
                client.post(f"/exam/sheets/{sheet}/events", json={"events": [event]}, headers=token),
                client.post(f"/exam/sheets/{sheet}/hand-in", json={}, headers=token),
                client.get(f"/exam/sheets/{sheet}/state", headers=token), client.get("/results/mine")]
    with world.app.extensions["examroom"]["database"].open(None, reads_only=True) as session:
        secrets = {text for text in session.scalars(sa.select(ItemVersion.explanation)) if len(text) > 5}
        stems = set(session.scalars(sa.select(ItemVersion.stem)))
    assert any(stem in json.dumps(state.get_json(), ensure_ascii=False) for stem in stems)  # items are there to be read
    for answer in answers:
        assert answer.status_code < 400, answer.request.path
        text = json.dumps(answer.get_json(), ensure_ascii=False) if answer.is_json else answer.get_data().decode(errors="replace")
        assert [secret for secret in secrets if secret in text] == [], answer.request.path
        if answer.is_json:
            assert SECRET_FIELDS.isdisjoint(fields_of(answer.get_json())), answer.request.path


def test_every_form_without_its_token_is_refused(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    people = {role: world.browser(part.login) for part in cast.CAST if part.shown for role in part.roles}
    people[Role.CANDIDATE] = world.candidate()
    monkeypatch.setitem(world.app.config, "WTF_CSRF_ENABLED", True)
    taken, before = [], counted(world.app, ALL_AUDIT)
    for rule in world.app.url_map.iter_rules():
        if not rule.methods or "POST" not in rule.methods or rule.endpoint == "api.elsewhere":  # 405 for everybody
            continue
        doors = ACCESS[rule.endpoint]
        client = (world.app.test_client() if Role.ANYONE in doors else
                  next(person for role, person in people.items() if role in doors or Role.SIGNED_IN in doors))
        address = re.sub(r"<int:\w+>", "1", rule.rule).replace("<subject>", "theory").replace("<kind>", "theory")
        for answer in (client.post(address), client.post(address, json={})):
            if answer.status_code != (401 if proves_itself(world, rule) else 400):
                taken.append((address, answer.status_code))
    assert taken == []
    assert counted(world.app, ALL_AUDIT) == before


def test_the_session_cookie_is_out_of_reach_of_scripts_other_sites_and_plain_http(world: World) -> None:
    settings = world.app.extensions["examroom"]["settings"]
    secure = create_app(replace(settings, secure_cookies=True), clock=lambda: NOW + timedelta(minutes=1))
    secure.config["WTF_CSRF_ENABLED"] = False
    for app, marks in ((world.app, {"HttpOnly", "SameSite=Lax"}), (secure, {"HttpOnly", "SameSite=Lax", "Secure"})):
        answer = app.test_client().post("/accounts/sign-in", data={"login": "officer", "password": cast.PASSWORD})
        cookies = answer.headers.getlist("Set-Cookie")
        assert len(cookies) == 1
        assert marks <= set(cookies[0].split("; "))
        assert "Domain=" not in cookies[0]
    secure.extensions["examroom"]["database"].engine.dispose()


@pytest.mark.parametrize("address", ["//evil.example", "/\\evil.example", "/\t/evil.example", "/\n/evil.example", "https://evil.example",
                                     "/\r\nSet-Cookie: a=b", "javascript:alert(1)", " //evil.example", ""])
def test_after_signing_in_nobody_is_sent_to_another_site(world: World, address: str) -> None:
    form = {"login": "officer", "password": cast.PASSWORD, "next": address}
    assert world.app.test_client().post("/accounts/sign-in", data=form).location == "/"
    form["next"] = "/plans/?q=%E7%94%B5%E5%B7%A5&page=2"
    assert world.app.test_client().post("/accounts/sign-in", data=form).location == form["next"]


def test_every_answer_carries_the_strict_headers(world: World) -> None:
    nobody = world.app.test_client()
    answers = [(address, answer) for walk in world.walks.values() for address, answer in walk]
    answers += [(address, nobody.get(address)) for address in (
        "/", "/exam", "/accounts/sign-in", "/no-such-page", "/certificates/query", "/filing/directory", "/plans/1")]
    answers += [("/exam/hall", world.candidate().get("/exam/hall")), ("refused", world.strangers[Role.INVIGILATOR].get("/plans/"))]
    for address, answer in answers:
        policy = answer.headers.get("Content-Security-Policy", "")
        assert "default-src 'none'" in policy, address
        assert "unsafe" not in policy, address
        assert answer.headers.get("X-Content-Type-Options") == "nosniff", address
        assert answer.headers.get("X-Frame-Options") == "DENY", address
        assert answer.headers.get("Cache-Control") == "no-store", address
        if answer.mimetype == "text/html":
            page = answer.get_data(as_text=True)
            assert not re.search(r"<script(?![^>]*\bsrc=)", page), address
            assert not re.search(r"<[a-z][^>]*\s(style|on[a-z]+)=", page), address


def test_no_identity_number_stands_in_any_page_list_export_or_log(world: World) -> None:
    """Masked everywhere; in full only on the certificate and in the report to the office, each taken by a form and noted."""
    assert len(world.numbers) > 60
    found = []
    for login, walk in world.walks.items():
        for address, answer in walk:
            text = readable(answer)
            found += [(login, address) for number in re.findall(r"(?<![0-9A-Za-z])\d{17}[\dXx](?![0-9A-Za-z])", text)
                      if ric.is_valid(number)]
            found += [(login, address) for number in world.numbers if number in text]
    assert found == []
    ticket = world.app.extensions["visitors"].splitlines()[-1].split()[0]
    world.app.test_client().post("/exam", data={"ticket": ticket, "identity_number": world.numbers[0]})
    heard = "\n".join(world.logged)
    assert heard  # the handler is listening: refused doors are logged
    assert [number for number in world.numbers if number in heard] == []
    with world.app.extensions["examroom"]["database"].open(None, reads_only=True) as session:
        trail = "\n".join(session.scalars(sa.select(AuditEntry.changes)))
    assert [number for number in world.numbers if number in trail] == []


BAD_VALUES = ("\x00", "乙" * 10_000, "9" * 30, "-" + "9" * 30, "-1", "1e309", "' OR 1=1 --", "%", "[]", "２", "2026-13-45")
OWN_ACCOUNT = {"accounts.sign_out", "accounts.password", "accounts.reset", "accounts.withdraw", "delivery.leave"}


def names_in(endpoint: str, pattern: str) -> list[str]:
    """Every name that the room of ``endpoint`` reads from its requests."""
    found: set[str] = set()
    for package in ("qbank", "examroom", "scoring"):
        for file in (Path(__file__).parents[1] / package / endpoint.partition(".")[0]).rglob("*.py"):
            found |= set(re.findall(pattern, file.read_text("utf-8")))
    return sorted(found)


def test_no_value_in_an_address_breaks_a_page(world: World) -> None:
    broken, tried = [], set()
    adapter = world.app.url_map.bind("localhost")
    for login, walk in world.walks.items():
        client = world.browser(login)
        for address, answer in walk:
            if kind(address) in tried or answer.status_code != 200:
                continue
            tried.add(kind(address))
            path = address.split("?")[0]
            endpoint = adapter.match(path, method="GET")[0]
            names = ["page", "q", "sort", "next", *names_in(endpoint, r"""args(?:\.get(?:list)?\(|\[|, )["'](\w+)["']""")]
            asked = [dict.fromkeys(names, value) for value in BAD_VALUES]
            asked += [{name: BAD_VALUES[2]} for name in names]  # alone: a bad neighbour may be refused first
            broken += [(path, str(query)[:60], status) for query in asked
                       if (status := client.get(path, query_string=query).status_code) >= 500]
    assert len(tried) > 60
    assert broken == []


def test_no_value_in_a_form_breaks_a_door(world: World) -> None:
    """The last test of this module: what is well-formed by accident is carried out."""
    people = {role: world.browser(part.login) for part in cast.CAST if part.shown for role in part.roles}
    people[Role.CANDIDATE] = world.candidate()
    people[Role.ADMINISTRATOR] = world.strangers[Role.ADMINISTRATOR]
    broken = []
    for rule in world.app.url_map.iter_rules():
        if not rule.methods or "POST" not in rule.methods or rule.endpoint in OWN_ACCOUNT:
            continue
        doors = ACCESS[rule.endpoint]
        client = (world.app.test_client() if Role.ANYONE in doors else
                  next(person for role, person in people.items() if role in doors or Role.SIGNED_IN in doors))
        room = rule.endpoint.partition(".")[0]
        names = names_in("kernel" if room == "accounts" else rule.endpoint,
                         r"""(?:form|values|fields)(?:\.get(?:list)?\(|\[)["'](\w+)["']""")
        ids = {name: (world.ids.get(f"{room}.{name}") or world.ids.get(name, [1]))[-1] for name in rule.arguments}
        address = re.sub(r"<int:(\w+)>", lambda found, ids=ids: str(ids[found[1]]), rule.rule)  # type: ignore[misc]
        for value in BAD_VALUES[:4] + BAD_VALUES[-1:]:
            body = dict.fromkeys(("events", "marks", "machine"), value)
            sent = ([client.post(address, json=body), client.post(address, json=[value])] if accepts(rule)
                    else [client.post(address, data=dict.fromkeys(names, value))])
            broken += [(address, value[:20], answer.status_code) for answer in sent if answer.status_code >= 500]
    assert broken == []

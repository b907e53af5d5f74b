"""A finished plan with every mandatory document: what the archive stands on, row by row."""

from __future__ import annotations

import hashlib
from datetime import date, datetime
from io import BytesIO
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from examroom.delivery.chain import link, moment
from examroom.delivery.models import GENESIS, Answer, AnswerEvent, Sheet
from examroom.invigilation.models import RoomClosing
from examroom.oversight.models import Supervision
from examroom.plans.models import ExamPlan, PlanDecision, PlanState
from qbank.items.models import Item, ItemVersion, Option
from qbank.items.states import ItemKind, ItemState
from qbank.kernel import audit
from qbank.kernel.access import Role, Scope, Viewer
from qbank.kernel.attachments import place_of
from qbank.papers.models import Paper, PaperItem, Specification, SpecificationPart
from qbank.standards.models import Importance, Point, Range, Subject, WeightTable
from scoring.archive import desk
from scoring.archive.models import ArchivePack
from scoring.archive.packing import PackWriter
from scoring.certificates import desk as certificates
from scoring.certificates.signing import FILE_NAME, Seal
from tests.conftest import MONDAY
from tests.paper_world import open_paper, seal_paper
from tests.scoring.final_world import CIPHER, FinalWorld

KEY: list[bytes] = []  # made once for all tests of a process: two RSA keys cost a second


def keep_one_key(session: Session) -> None:
    folder = session.info["jobs"].settings.folder
    if not KEY:
        Seal.of(folder, now=MONDAY)
        KEY.append((folder / FILE_NAME).read_bytes())
    (folder / FILE_NAME).write_bytes(KEY[0])


class ArchiveWorld(FinalWorld):
    """A finished plan with every mandatory document: paper, sheets, marks, supervision, certificates."""

    def __init__(self, session: Session, people: Any) -> None:
        super().__init__(session, people)
        session.commit()  # the trail begins: what follows is signed under its head
        self.sitting = self.theory({one.id: score for one, score in zip(self.candidates, (160, 170, None), strict=True)})
        self.paper = self.sealed_paper()
        self.sitting.papers = [self.paper]
        sheet = session.scalars(sa.select(Sheet).order_by(Sheet.id)).first()
        assert sheet is not None
        sheet.layout = [{"number": 1, "kind": "single", "options": "BA"}]
        self.answer(sheet, "B", "A")
        closing = RoomClosing(sitting_room_id=sheet.seat.sitting_room_id, present=2, absent=1, closed_by=self.officer.account_id, at=MONDAY,
                              audit_head=audit.head(session))
        session.add(closing)
        self.closing = closing
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
        keep_one_key(session)
        certificates.issue(session, self.results, self.officer, cipher=CIPHER, now=MONDAY)
        session.commit()

    def answer(self, sheet: Sheet, *letters: str) -> None:
        """The first question answered so often, chained as the save path chains it."""
        head = GENESIS
        for sequence, chosen in enumerate(letters, 1):
            head = link(head, sheet.id, sequence, 1, chosen, False, moment(MONDAY))
            self.session.add(AnswerEvent(sheet_id=sheet.id, sequence=sequence, number=1, answer=chosen, flagged=False, received_at=MONDAY,
                                         chain=head))
        sheet.chain, sheet.highest = head, len(letters)

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


def small_pack(session: Session, plan: ExamPlan, who: Viewer, *, now: datetime = MONDAY) -> ArchivePack:
    """A pack of one file on record, for tests that ask what becomes of packs, not what is in them."""
    stream = BytesIO()
    with PackWriter(stream) as writer:
        writer.add("说明.txt", f"{plan.number}".encode())
        manifest = writer.finish({"title": plan.title, "plan": plan.number}, lambda _: {"key": {}, "signature": b""})
    content, digest = stream.getvalue(), hashlib.sha256(stream.getvalue()).hexdigest()
    place = place_of(session, digest)
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_bytes(content)
    built = desk.Built(digest, len(content), hashlib.sha256(manifest).hexdigest(), "", "0" * 64, date(2031, 6, 1), date(2029, 6, 1), now, ())
    return desk.store(session, plan, built, who)

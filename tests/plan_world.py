"""A school with its offices, a standard and sealed papers, for tests of plans and what follows them."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime

import click
import openpyxl
import sqlalchemy as sa
from click.testing import CliRunner
from sqlalchemy.orm import Session
from stdnum.cn import ric

from examroom.filing.scopes import publish_scope
from examroom.plans import candidates, desk, entry, qualification, seating, sittings
from examroom.plans.entry import ConditionDraft
from examroom.plans.models import Enrolment, ExamPlan, PlanDecision, PlanState, Room, Sitting
from examroom.plans.predicate import Facts, Predicate
from qbank.items.models import Item, ItemVersion
from qbank.items.states import ItemKind
from qbank.kernel.access import Role, Scope, Viewer
from qbank.kernel.accounts import Account, Institution
from qbank.kernel.attachments import from_bytes
from qbank.kernel.commands import Installation
from qbank.kernel.identity import IdentityCipher
from qbank.kernel.settings import Settings
from qbank.papers.models import Paper, PaperItem, Specification
from qbank.standards.models import Importance, Occupation, Point, Range, Standard, Subject, WeightTable
from tests.arranged import arrange
from tests.conftest import MONDAY, People
from tests.paper_world import seal_paper

CIPHER = IdentityCipher(b"i" * 32)
FIRST_DAY = date(2026, 7, 1)  # a Wednesday, a month after MONDAY (2026-06-01)
CONDITION = "取得技工学校毕业证书（含在读应届毕业生）"
BY_CERTIFICATE = "取得本职业五级/初级工证书后，累计从事本职业工作 4 年（含）以上"
CONDITIONS = (
    ConditionDraft(1, CONDITION, Predicate(school_kinds=("普通技工学校", "高级技工学校", "技师学院"), graduations=("应届毕业生", "已毕业"))),
    ConditionDraft(2, BY_CERTIFICATE, Predicate(certificate=5, certificate_years=4, years=4)))
LAST_YEAR = Facts(graduation="应届毕业生")
PROOF = b"%PDF-1.4\n% a class register\n%%EOF\n"


def set_conditions(session: Session, standard: Standard, who: Viewer, *levels: int) -> None:
    """Two options: by school, and by certificate and years."""
    for level in levels:
        entry.set_conditions(session, standard, level, CONDITIONS, who, now=MONDAY)


def qualify(session: Session, enrolments: Sequence[Enrolment], who: Viewer) -> None:
    """A proof for all of them, and the officer's acceptance."""
    qualification.attach(session, enrolments, from_bytes(PROOF, "学籍表.pdf"), "学籍表", who, now=MONDAY)
    qualification.accept(session, enrolments, who, now=MONDAY)


def identity_number(serial: int) -> str:
    """A valid, fictional number: Changsha, born 2008-01-01, its check digit computed by python-stdnum."""
    body = f"43010220080101{serial:03d}"
    return body + ric.calc_check_digit(body + "0")


@dataclass
class PlanWorld:
    session: Session
    people: People
    school: Institution
    standard: Standard
    liu: Viewer  # exam officer of the school
    tan: Viewer  # city officer
    yao: Viewer  # province officer
    watchers: list[Viewer]

    @classmethod
    def make(cls, session: Session, people: People) -> PlanWorld:
        occupation = Occupation(code="6-31-01-03", catalogue_edition="2015", name="电工")
        standard = Standard(occupation=occupation, edition="2018", title="电工")
        session.add_all([occupation, standard])
        session.flush()
        liu = people("刘建平", Role.EXAM_OFFICER)
        tan = people("谭晓峰", scopes=[Scope(Role.CITY_OFFICER, region="4301")], school=people.school("长沙市鉴定中心"))
        yao = people("姚静", scopes=[Scope(Role.PROVINCE_OFFICER, region="43")], school=people.school("省鉴定中心"))
        watchers = [people(name, Role.INVIGILATOR) for name in ("孙丽", "赵强", "周敏", "吴涛")]
        set_conditions(session, standard, liu, 5, 4, 3)
        return cls(session, people, people.home, standard, liu, tan, yao, watchers)

    def file(self, level: int = 4, valid_from: date = date(2026, 1, 1)) -> None:
        publish_scope(self.session, self.school, self.standard, level, self.yao, valid_from=valid_from)

    def draft(self, level: int = 4, starts_on: date = FIRST_DAY) -> ExamPlan:
        self.file(level)
        return desk.draft_plan(self.session, self.school, self.standard, level, "2026年电工认定", self.liu, starts_on=starts_on,
                               contact="刘老师 0731-88880000", now=MONDAY)

    def arranged(self, level: int = 4, starts_on: date = FIRST_DAY) -> ExamPlan:
        """A draft with all that a plan must say: it may be sent."""
        return arrange(self.session, self.people, self.draft(level, starts_on), self.liu, watchers=self.watchers)

    def approved(self) -> ExamPlan:
        """As approved before days and places were kept with a plan: sittings and rooms are free."""
        plan = self.draft()
        plan.state = PlanState.APPROVED
        self.session.add(PlanDecision(plan_id=plan.id, decided_by=self.tan.account_id, state=plan.state, comment="同意", at=MONDAY))
        self.session.flush()
        return plan

    def enrol(self, plan: ExamPlan, count: int, first: int = 1, class_name: str = "电气2401班", *, accepted: bool = True) -> list[Enrolment]:
        """Candidates numbered from ``first``, with a proof and accepted unless told otherwise."""
        made = [candidates.enrol(self.session, plan, self.liu, name=f"考生{n:03d}", identity_number=identity_number(n), cipher=CIPHER,
                                 student_number=f"2024{n:04d}", class_name=class_name, entry_condition="1", facts=LAST_YEAR, declared=True,
                                 now=MONDAY) for n in range(first, first + count)]
        if accepted:
            qualify(self.session, made, self.liu)
        return made

    def sitting(self, plan: ExamPlan, name: str = "理论第一场", hour: int = 9) -> Sitting:
        starts_at = datetime(2026, 7, 1, hour - 8, tzinfo=UTC)
        return sittings.add_sitting(self.session, plan, name, self.liu, starts_at=starts_at, minutes=90, now=MONDAY)

    def ready(self, plan: ExamPlan, seats: int = 30) -> Sitting:
        """A sitting with one room and two invigilators."""
        sitting = self.sitting(plan)
        room = self.session.scalar(sa.select(Room).where(Room.institution_id == self.school.id, Room.name == "机房一"))
        room = room or seating.add_room(self.session, self.school, "机房一", seats, self.liu)
        seating.use_room(self.session, sitting, room, [person.account_id for person in self.watchers[:2]], self.liu)
        return sitting

    def paper(self, composer: Account, author: Account, *, level: int = 4, school: Institution | None = None,
              standard: Standard | None = None, sealed: bool = True, name: str = "电工四级理论 A 卷") -> Paper:
        """A sealed paper of one item: enough for what plans may know of it."""
        session, where = self.session, school or self.school
        table = WeightTable(standard=standard or self.standard, level=level, subject=Subject.THEORY)
        leaf = Range(table=table, segment="A", path="A", name="安全用电", weight=200)
        point = Point(range=leaf, segment="001", name="触电急救", importance=Importance.X)
        session.add_all([table, leaf, point])
        session.flush()
        item = Item(institution_id=where.id, table_id=table.id)
        session.add(item)
        session.flush()
        version = ItemVersion(item=item, number=1, point_id=point.id, kind=ItemKind.JUDGE, stem="保密题干", key="T", difficulty=2,
                              content_hash="0" * 64, author_id=author.id, created_at=MONDAY)
        form = Specification(institution_id=where.id, table=table, name="方案", minutes=120, weights={"A": 200}, within_bank=True,
                             created_by=composer.id, created_at=MONDAY)
        session.add_all([version, form])
        session.flush()
        paper = Paper(specification=form, institution_id=where.id, name=name, form="A", seed=1, composer_id=composer.id,
                      created_at=MONDAY, compliance={}, items=[PaperItem(number=1, position=0, version=version, half_points=200)])
        session.add(paper)
        session.flush()
        return seal_paper(session, paper, composer.viewer(), now=MONDAY) if sealed else paper


def roster_file(rows: Sequence[Sequence[str]], head: Sequence[str] = ("姓名*", "身份证号码*", "学号", "班级", "申报条件*")) -> bytes:
    """A workbook as an officer would upload it."""
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.append(list(head))
    for row in rows:
        sheet.append(list(row))
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue()


def run(group: click.Group, settings: Settings, *words: str) -> str:
    """What a command of the console prints, on the test's database."""
    installation = Installation(settings.folder)
    installation.__dict__["settings"] = settings
    try:
        return CliRunner().invoke(group, list(words), obj=installation).output
    finally:
        installation.database.engine.dispose()

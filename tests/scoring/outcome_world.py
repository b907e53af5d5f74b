"""A plan with candidates, theory scores, assessors and examiners, made row by row: what the outcome rooms stand on."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any

from sqlalchemy.orm import Session

from examroom.delivery.models import HandIn, Sheet, SheetState
from examroom.filing.models import FiledScope
from examroom.marking.models import TheoryScore
from examroom.plans.condition_models import Qualification
from examroom.plans.models import Enrolment, ExamPlan, PlanState, Room, Seat, Sitting, SittingRoom, SittingState
from qbank.kernel.access import Role, Scope, Viewer
from qbank.kernel.accounts import HASHER, Account, Grant, Institution, InstitutionKind
from qbank.standards.models import Occupation, Range, Standard, Subject, WeightTable
from scoring.practical import desk, register
from scoring.practical.models import PracticalGroup, PracticalScore, RowKind, Rubric
from scoring.practical.register_models import Assessor
from scoring.practical.rubrics import RowDraft
from scoring.results import desk as results
from scoring.results import misconduct
from scoring.results.case_models import Misconduct
from scoring.results.models import ResultList
from tests.conftest import PASSWORD

NOW = datetime(2026, 6, 1, 1, 0, tzinfo=UTC)  # the clock of conftest: 2026-06-01 09:00 in China
# 电工 6-31-01-03 (2018), 四级 and 二级 (domain.md 5)
SKILLS = {4: (("继电控制电路装调维修", 30), ("基本电子电路装调维修", 15), ("电气设备(装置)装调维修", 25), ("自动控制电路装调维修", 30)),
          2: (("电气设备(装置)装调维修", 25), ("自动控制电路装调维修", 15), ("应用电子电路调试维修", 20),
              ("交直流传动及伺服系统调试维修", 30), ("培训与技术管理", 10))}


def file_for(session: Session, plan: ExamPlan) -> None:
    """What the plan examines is filed, for longer than any test lasts."""
    own = {"institution_id": plan.institution_id, "standard_id": plan.standard_id, "level": plan.level}
    if session.query(FiledScope).filter_by(**own).first() is None:
        session.add(FiledScope(**own, valid_from=date(2020, 1, 1), valid_until=date(2039, 12, 31), published_by=plan.created_by))
        session.flush()


@dataclass
class World:
    """One plan at ``level`` in one school, with an officer; everything else is added by the test."""

    session: Session
    people: Any
    level: int = 4
    school: Institution = field(init=False)
    officer: Viewer = field(init=False)
    checker: Viewer = field(init=False)  # the second officer
    standard: Standard = field(init=False)
    table: WeightTable = field(init=False)
    plan: ExamPlan = field(init=False)

    def __post_init__(self) -> None:
        self.school = self.people.home
        self.officer = self.people("周敏", Role.EXAM_OFFICER)
        self.checker = self.people("方晴", Role.EXAM_OFFICER)
        occupation = Occupation(code="6-31-01-03", catalogue_edition="2015", name="电工")
        self.standard = Standard(occupation=occupation, edition="2018", title="电工国家职业技能标准")
        self.table = self.skill_table(self.level)
        self.plan = self.new_plan("JH-2026-001")
        self.session.flush()

    def skill_table(self, level: int) -> WeightTable:
        table = WeightTable(standard=self.standard, level=level, subject=Subject.SKILL, source="domain.md 5")
        table.ranges = [Range(segment=str(place), path=str(place), name=name, weight=percent * 2)
                        for place, (name, percent) in enumerate(SKILLS[level], 1)]
        self.session.add(table)
        self.session.flush()
        return table

    def new_plan(self, number: str, *, school: Institution | None = None, contact: str = "周敏 0731-88880000") -> ExamPlan:
        plan = ExamPlan(institution=school or self.school, standard=self.standard, level=self.level, number=number,
                        title=f"电工认定 {number}", state=PlanState.APPROVED, starts_on=date(2026, 6, 1), contact=contact,
                        created_by=self.officer.account_id)
        self.session.add(plan)
        self.session.flush()
        file_for(self.session, plan)
        return plan

    def enrol(self, *names: str, plan: ExamPlan | None = None) -> list[Enrolment]:
        where = plan or self.plan
        made: list[Enrolment] = []
        for name in names:
            number = len(where.enrolments) + len(made) + 1
            account = Account(login=f"{where.number}-{number:04d}", name=name, institution=where.institution,
                              identity_masked="430102********1234")
            account.grants = [Grant(role=Role.CANDIDATE, institution_id=where.institution_id)]
            made.append(Enrolment(plan_id=where.id, candidate=account, ticket_number=f"{where.number}{number:04d}",
                                  class_name="电气2301", qualification=Qualification.ACCEPTED))
        self.session.add_all(made)
        self.session.flush()
        self.session.expire(where, ["enrolments"])
        return made

    def heard(self, case: Misconduct) -> Misconduct:
        """Told, and the candidate has nothing to say: a decision may fall."""
        misconduct.tell(self.session, case, self.officer, now=NOW)
        misconduct.state(self.session, case, "无异议，放弃陈述申辩", self.officer, now=NOW)
        return case

    def theory(self, scores: dict[int, int | None], *, plan: ExamPlan | None = None, void: tuple[int, ...] = (),
               state: SittingState = SittingState.MARKED) -> Sitting:
        """A sitting with one sheet for each enrolment id: half-points, or None for an absent candidate."""
        where = plan or self.plan
        sitting = Sitting(plan=where, name="第一场", starts_at=NOW - timedelta(hours=3), minutes=90, state=state)
        room = Room(institution_id=where.institution_id, name=f"机房 {where.number}", seats=max(1, len(scores)))
        place = SittingRoom(sitting=sitting, room=room)
        self.session.add_all([sitting, room, place])
        self.session.flush()
        for number, (key, half_points) in enumerate(scores.items(), 1):
            seat = Seat(sitting_id=sitting.id, sitting_room=place, enrolment_id=key, number=number)
            how = HandIn.CANDIDATE if half_points is not None else HandIn.ABSENT
            sheet = Sheet(sitting=sitting, enrolment_id=key, seat=seat, seed="s", layout=[], state=SheetState.HANDED_IN,
                          handed_in_at=NOW, handed_in_how=how)
            self.session.add(sheet)
            if half_points is not None:
                self.session.add(TheoryScore(sheet=sheet, half_points=half_points, earned={}, void=key in void,
                                             reasons=[], marked_at=NOW))
        self.session.flush()
        return sitting

    def assessors(self, *names: str) -> list[Viewer]:
        """Assessors with a senior certificate for the occupation, all levels, far from its end."""
        found = [self.people(name, Role.PRACTICAL_ASSESSOR) for name in names]
        for one in found:
            self.certify(one)
        return found

    def certify(self, who: Viewer, *, levels: tuple[int, ...] = (5, 4, 3, 2, 1), senior: bool = True,
                expires_on: date = date(2029, 1, 1), occupation: Occupation | None = None) -> Assessor:
        return register.add_assessor(self.session, self.school, self.session.get_one(Account, who.account_id), self.officer,
                                     certificate_number=f"KP43-{who.account_id:05d}{(occupation or self.standard.occupation).code[-2:]}",
                                     occupation=occupation or self.standard.occupation, levels=levels, senior=senior,
                                     expires_on=expires_on)

    def examiners(self, *names: str) -> list[Viewer]:
        return [self.people(name, Role.REVIEW_EXAMINER) for name in names]

    def rubric(self, *, veto: str = "", table: WeightTable | None = None) -> Rubric:
        rows = [RowDraft(name, str(place), percent * 2) for place, (name, percent) in enumerate(SKILLS[self.level], 1)]
        if veto:
            rows.append(RowDraft(veto, kind=RowKind.VETO))
        return desk.build_rubric(self.session, table or self.table, self.school.id, "电工操作技能评分表", self.officer, rows)

    def group(self, enrolments: list[Enrolment], assessors: list[Viewer], rubric: Rubric | None = None) -> PracticalGroup:
        return desk.form_group(self.session, self.plan, rubric or self.rubric(), "第一组", self.officer,
                               assessor_ids=[one.account_id for one in assessors],
                               enrolment_ids=[one.id for one in enrolments], place="电工实训室 201", starts_at=NOW)

    def mark(self, group: PracticalGroup, who: Viewer, enrolment: Enrolment, half_points: int,
             violated: bool = False) -> None:
        """Fill one sheet so that its total is ``half_points``, and sign it."""
        member = next(one for one in group.members if one.enrolment_id == enrolment.id)
        sheet = desk.mark_sheet_for(self.session, member, who)
        marks: dict[int, int | bool | None] = {}
        left = half_points
        for row in group.rubric.rows:
            if row.kind is RowKind.VETO:
                marks[row.id] = violated
            else:
                marks[row.id] = min(left, row.most)
                left -= min(left, row.most)
        desk.enter_marks(self.session, sheet, marks, who, now=NOW)
        desk.sign(self.session, sheet, who, now=NOW)

    def scored(self, scores: dict[str, tuple[int | None, int | None]]) -> list[Enrolment]:
        """Candidates with theory half-points (None: absent) and joined practical half-points (None: none yet)."""
        made = self.enrol(*scores)
        self.theory({one.id: theory for one, (theory, _) in zip(made, scores.values(), strict=True)})
        self.session.add_all([PracticalScore(enrolment=one, half_points=practical, vetoed=False, reasons=[], joined_at=NOW)
                              for one, (_, practical) in zip(made, scores.values(), strict=True) if practical is not None])
        self.session.flush()
        return made

    def post(self, result_list: ResultList, *, now: datetime = NOW) -> ResultList:
        """Checked by the second officer, then posted."""
        results.check(self.session, result_list, self.checker, now=now)
        results.publish(self.session, result_list, self.officer, now=now)
        return result_list

    def office(self, role: Role, name: str, region: str) -> Viewer:
        """A city or province officer of ``region``."""
        seat = self.people.school(f"{name}所在中心", InstitutionKind.CITY_CENTRE, "430000")
        viewer: Viewer = self.people(name, school=seat, scopes=[Scope(role, region=region)])
        return viewer

    def as_candidate(self, enrolment: Enrolment) -> Viewer:
        """The candidate with the password of the tests, so that the browser of a test can sign in."""
        enrolment.candidate.password_hash = HASHER.hash(PASSWORD)
        self.session.flush()
        return enrolment.candidate.viewer()

"""Statistics of a region for the centres: what its schools did in a year, how their candidates fared, what supervision found."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

import sqlalchemy as sa
from sqlalchemy.orm import Session

from examroom.filing.models import FiledScope
from examroom.oversight.inspection_models import Finding, Inspection
from examroom.oversight.kinds import LIVE_FINDINGS, CaseState, FindingState, InspectionKind, InspectionState, Severity
from examroom.oversight.regions import CENTRES
from examroom.oversight.staff_models import StaffCase
from examroom.plans.models import Enrolment, ExamPlan, PlanState
from qbank.kernel.access import Viewer
from qbank.kernel.accounts import Institution, InstitutionKind
from qbank.kernel.times import local_date
from scoring.reports.rates import Rate, rate
from scoring.results.case_models import Misconduct
from scoring.results.merge import Verdict
from scoring.results.models import CreditState, Result, ResultList

OFFICES = (InstitutionKind.CITY_CENTRE, InstitutionKind.PROVINCE_CENTRE)


@dataclass(frozen=True)
class Wish:
    """One year, and a region within the viewer's own (empty: all of it)."""

    year: int
    region: str = ""

    @classmethod
    def read(cls, arguments: Mapping[str, str], today: date) -> Wish:
        """Anything unreadable is this year and the whole region."""
        year, region = arguments.get("year", ""), arguments.get("region", "")
        known = year.isdecimal() and 2000 <= int(year[:5]) <= 2999
        return cls(int(year) if known else today.year, region if region.isdecimal() and len(region) in {2, 4, 6} else "")

    @property
    def days(self) -> tuple[date, date]:
        return date(self.year, 1, 1), date(self.year, 12, 31)


@dataclass
class Line:
    """One school, or a sum of several. Counts of the year, except ``scopes`` and open findings, which are of today."""

    name: str
    region: str = ""
    schools: int = 1
    scopes: int = 0
    plans: int = 0
    approved: int = 0
    candidates: int = 0
    judged: int = 0  # candidates of posted results
    passed: int = 0
    inspections: dict[InspectionKind, int] = field(default_factory=dict)
    waiting: int = 0  # inspections sent and not handed over
    findings: dict[Severity, int] = field(default_factory=dict)
    live: int = 0  # of them not closed
    overdue: int = 0
    misconduct: int = 0
    staff: int = 0
    inspected: int = 0  # schools with an inspection handed over
    last_inspected: date | None = None

    @property
    def rate(self) -> Rate:
        """Passed of all candidates whose results were posted, the absent among them, with Wilson's interval."""
        return rate(self.name, self.passed, self.judged)

    @property
    def all_inspections(self) -> int:
        return sum(self.inspections.values())

    @property
    def all_findings(self) -> int:
        return sum(self.findings.values())


def schools(session: Session, viewer: Viewer, region: str = "") -> Sequence[Institution]:
    """The schools that the viewer's centre looks after, by region and name."""
    return session.scalars(sa.select(Institution).where(
        viewer.reach(Institution.id, *CENTRES), Institution.kind.not_in(OFFICES), Institution.region.startswith(region))
        .order_by(Institution.region, Institution.name)).all()


def years(session: Session, viewer: Viewer, today: date) -> list[int]:
    first = session.scalar(sa.select(sa.func.min(ExamPlan.starts_on)).where(viewer.reach(ExamPlan.institution_id, *CENTRES)))
    return list(range(today.year, min(first.year if first else today.year, today.year) - 1, -1))


def lines(session: Session, wish: Wish, viewer: Viewer, *, today: date) -> list[Line]:
    """A line for each school; a dozen grouped queries whatever their number."""
    found = {one.id: Line(one.name, one.region) for one in schools(session, viewer, wish.region)}
    if found:
        _examined(session, wish, found, today)
        _supervised(session, wish, found, today)
    return list(found.values())


def total(parts: Sequence[Line], name: str, region: str = "") -> Line:
    """The sum of ``parts``."""
    made = Line(name, region, 0)
    for one in parts:
        for count in ("schools", "scopes", "plans", "approved", "candidates", "judged", "passed", "waiting", "live", "overdue", "misconduct",
                      "staff", "inspected"):
            setattr(made, count, getattr(made, count) + getattr(one, count))
        for kind, number in one.inspections.items():
            made.inspections[kind] = made.inspections.get(kind, 0) + number
        for severity, number in one.findings.items():
            made.findings[severity] = made.findings.get(severity, 0) + number
    return made


def by_city(session: Session, parts: Sequence[Line]) -> list[Line]:
    """Sums by the first four digits of the region, named after the city's centre."""
    centres = {one.region[:4]: one.name for one in session.scalars(sa.select(Institution).where(Institution.kind == InstitutionKind.CITY_CENTRE))}
    cities = sorted({one.region[:4] for one in parts})
    return [total([one for one in parts if one.region.startswith(city)], centres.get(city, city), city) for city in cities]


def _examined(session: Session, wish: Wish, found: Mapping[int, Line], today: date) -> None:
    school, in_year = ExamPlan.institution_id, sa.and_(ExamPlan.institution_id.in_(found), ExamPlan.starts_on.between(*wish.days))
    scopes = sa.select(FiledScope.institution_id, sa.func.count()).where(
        FiledScope.institution_id.in_(found), FiledScope.valid_from <= today, FiledScope.valid_until >= today).group_by(FiledScope.institution_id)
    for key, count in session.execute(scopes):
        found[key].scopes = count
    approved = sa.func.count(sa.case((ExamPlan.state == PlanState.APPROVED, 1)))
    for key, count, good in session.execute(sa.select(school, sa.func.count(), approved).where(in_year).group_by(school)):
        found[key].plans, found[key].approved = count, good
    for key, count in session.execute(sa.select(school, sa.func.count()).select_from(Enrolment).join(Enrolment.plan).where(
            in_year, ExamPlan.state == PlanState.APPROVED).group_by(school)):
        found[key].candidates = count
    passed = sa.func.count(sa.case((Result.verdict == Verdict.PASSED, 1)))
    results = sa.select(school, sa.func.count(), passed).select_from(Result).join(Result.list).join(ResultList.plan).where(
        in_year, ResultList.noticed_at.is_not(None)).group_by(school)
    for key, count, good in session.execute(results):
        found[key].judged, found[key].passed = count, good
    cases = sa.select(school, sa.func.count()).select_from(Misconduct).join(Misconduct.enrolment).join(Enrolment.plan).where(
        in_year, Misconduct.state == CreditState.APPROVED).group_by(school)
    for key, count in session.execute(cases):
        found[key].misconduct = count


def _supervised(session: Session, wish: Wish, found: Mapping[int, Line], today: date) -> None:
    within = Inspection.institution_id.in_(found)
    sent = sa.select(Inspection.institution_id, Inspection.kind, Inspection.submitted_at, Inspection.assigned_at).where(
        within, Inspection.state != InspectionState.CANCELLED)
    for key, kind, submitted_at, assigned_at in session.execute(sent):
        line = found[key]
        if submitted_at is None:
            line.waiting += local_date(assigned_at).year <= wish.year
        elif (day := local_date(submitted_at)).year == wish.year:
            line.inspections[kind] = line.inspections.get(kind, 0) + 1
            line.inspected, line.last_inspected = 1, max(day, line.last_inspected or day)
    seen = sa.select(Inspection.institution_id, Inspection.submitted_at, Finding.severity, Finding.state, Finding.due_on).join(Finding.inspection).where(
        within, Inspection.state == InspectionState.SUBMITTED, Finding.state != FindingState.WITHDRAWN)
    for key, submitted_at, severity, state, due_on in session.execute(seen):
        line = found[key]
        if submitted_at and local_date(submitted_at).year == wish.year:
            line.findings[severity] = line.findings.get(severity, 0) + 1
            line.live += state in LIVE_FINDINGS
            line.overdue += state in LIVE_FINDINGS and due_on is not None and due_on < today
    school = StaffCase.institution_id
    staff = sa.select(school, sa.func.count()).where(school.in_(found), StaffCase.state == CaseState.APPROVED,
                                                     StaffCase.happened_on.between(*wish.days)).group_by(school)
    for key, count in session.execute(staff):
        found[key].staff = count

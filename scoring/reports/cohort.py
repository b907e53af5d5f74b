"""The results of one plan as plain lines: what every report is made of."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from examroom.plans.models import Enrolment, ExamPlan
from qbank.kernel.access import Viewer, visible
from qbank.kernel.accounts import Account
from qbank.kernel.refused import Refused
from qbank.kernel.times import spoken
from qbank.standards.models import LEVEL_NAMES
from scoring.reports.rates import Line
from scoring.results.desk import list_of
from scoring.results.merge import PRACTICAL, REVIEW, THEORY, Verdict, least_of, required_parts
from scoring.results.models import Result, ResultList
from scoring.results.notice import last_day
from scoring.results.packs_used import pack_of


@dataclass(frozen=True)
class Cohort:
    """``parts`` those that the level has, ``least`` the half-points that each must reach; ``lines`` by ticket."""

    plan_id: int
    number: str
    title: str
    school: str
    occupation: str
    level: int
    state: str
    contact: str
    merged_at: datetime
    noticed_at: datetime | None
    notice_ends: date | None
    parts: tuple[str, ...]
    least: Mapping[str, int]
    lines: tuple[Line, ...]

    @property
    def facts(self) -> list[tuple[str, str]]:
        """What stands above every report of this plan."""
        return [("评价机构", self.school), ("计划编号", self.number), ("职业（工种）、等级", f"{self.occupation} {LEVEL_NAMES[self.level]}"),
                ("考生", f"{len(self.lines)} 人"), ("状态", self.state), ("合成时间", spoken(self.merged_at))]


def result_list(session: Session, plan: ExamPlan, viewer: Viewer) -> ResultList:
    """The merged list that ``viewer`` may see; everything that is said of results needs one."""
    found = list_of(session, plan)
    if found is None or session.scalar(visible(ResultList, viewer).where(ResultList.id == found.id)) is None:
        raise Refused("not_merged", "本计划还没有合成成绩，没有可以统计的结果。请先在“成绩与结果”中合成。")
    return found


def cohort_of(session: Session, found: ResultList, only: Collection[int] | None = None) -> Cohort:
    """The lines of a list, columns only: five thousand of them are one query. ``only``: these results, in the order given."""
    plan, pack = found.plan, pack_of(found)
    rows = session.execute(
        sa.select(Result.id, Enrolment.ticket_number, Account.name, Account.identity_masked, Enrolment.student_number,
                  Enrolment.class_name, Result.theory, Result.practical, Result.review, Result.verdict, Result.reasons, Result.counted,
                  Result.label)
        .select_from(Result).join(Result.enrolment).join(Enrolment.candidate).where(Result.list_id == found.id)
        .order_by(Enrolment.ticket_number)).all()
    parts = required_parts(plan.level, pack)
    lines = {row[0]: _line(row, parts) for row in rows}
    chosen = lines.values() if only is None else [lines[key] for key in only if key in lines]
    return Cohort(plan.id, plan.number, plan.title, plan.institution.name, plan.standard.label, plan.level, found.state.chinese,
                  plan.contact, found.merged_at, found.noticed_at, last_day(found.notice_ends_at) if found.notice_ends_at else None,
                  parts, {part: least_of(part, pack) for part in parts}, tuple(chosen))


def outcomes_of(session: Session, lists: Sequence[ResultList]) -> dict[int, tuple[Line, ...]]:
    """List id → its lines without names, for rates over hundreds of lists: one query for every five hundred."""
    parts = {one.id: required_parts(one.plan.level, pack_of(one)) for one in lists}
    found: dict[int, list[Line]] = {key: [] for key in parts}
    nobody = [sa.literal("").label(f"column_{place}") for place in range(5)]
    keys = list(parts)
    for some in (keys[place:place + 500] for place in range(0, len(keys), 500)):
        rows = session.execute(sa.select(Result.list_id, *nobody, Result.theory, Result.practical, Result.review, Result.verdict, Result.reasons,
                                         Result.counted, Result.label).where(Result.list_id.in_(some)))
        for row in rows:
            found[row[0]].append(_line(row, parts[row[0]]))
    return {key: tuple(lines) for key, lines in found.items()}


def _line(row: Any, parts: tuple[str, ...]) -> Line:
    _, ticket, name, masked, student, class_name, theory, practical, review, verdict, reasons, counted, label = row
    scores = {THEORY: theory, PRACTICAL: practical, REVIEW: review}
    vetoed = frozenset(part for part, record in (counted or {}).items() if record.get("vetoed"))
    return Line(ticket, name, masked or "", student, class_name, {part: scores[part] for part in parts}, Verdict(verdict),
                tuple(reasons), vetoed, label)

"""What the pages of the practical examination list: groups, progress, the next candidate."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import Session, joinedload

from examroom.plans.models import Enrolment, ExamPlan
from qbank.kernel.access import Role, Viewer, visible
from qbank.standards.models import WeightTable
from scoring.practical.models import (
    Absence,
    GroupAssessor,
    GroupMember,
    MarkSheet,
    Part,
    PracticalGroup,
    PracticalScore,
    Rubric,
)


@dataclass(frozen=True)
class OwnGroup:
    """A group as its assessor sees it: candidates, signed by this assessor, absent."""

    group: PracticalGroup
    candidates: int
    signed: int
    absent: int

    @property
    def left(self) -> int:
        return self.candidates - self.absent - self.signed


@dataclass(frozen=True)
class PlanLine:
    """A plan as the office sees it."""

    plan: ExamPlan
    groups: list[PracticalGroup]
    enrolled: int
    grouped: int
    scored: int
    absent: int


def own_groups(session: Session, viewer: Viewer) -> list[OwnGroup]:
    """The groups in which ``viewer`` is an assessor, the next first."""
    if not viewer.has(Role.PRACTICAL_ASSESSOR):
        return []
    groups = session.scalars(visible(PracticalGroup, viewer)
                             .where(PracticalGroup.id.in_(sa.select(GroupAssessor.group_id).where(GroupAssessor.account_id == viewer.account_id)))
                             .order_by(PracticalGroup.starts_at.desc(), PracticalGroup.id).options(joinedload(PracticalGroup.plan))).all()
    return _own(session, groups, viewer)


def _own(session: Session, groups: Sequence[PracticalGroup], viewer: Viewer) -> list[OwnGroup]:
    """The numbers of all groups in one query: an assessor has many over the years."""
    signed = sa.exists().where(MarkSheet.member_id == GroupMember.id, MarkSheet.assessor_id == viewer.account_id, MarkSheet.signed_at.is_not(None))
    absent = sa.exists().where(Absence.enrolment_id == GroupMember.enrolment_id, Absence.part == Part.PRACTICAL)

    def many(condition: sa.ColumnElement[bool]) -> sa.ColumnElement[int]:
        return sa.func.sum(sa.case((condition, 1), else_=0))

    counted = {group_id: (int(members), int(done), int(missing)) for group_id, members, done, missing in session.execute(
        sa.select(GroupMember.group_id, sa.func.count(), many(signed), many(sa.and_(absent, ~signed)))
        .where(GroupMember.group_id.in_([group.id for group in groups])).group_by(GroupMember.group_id))}
    return [OwnGroup(group, *counted.get(group.id, (0, 0, 0))) for group in groups]


def plan_line(session: Session, plan: ExamPlan) -> PlanLine:
    """The numbers of one plan."""
    own = sa.select(Enrolment.id).where(Enrolment.plan_id == plan.id)
    groups = list(session.scalars(sa.select(PracticalGroup).where(PracticalGroup.plan_id == plan.id)
                                  .order_by(PracticalGroup.starts_at, PracticalGroup.id)))

    def count(column: sa.SQLColumnExpression[int], *more: sa.ColumnElement[bool]) -> int:
        return session.scalar(sa.select(sa.func.count(sa.distinct(column))).where(column.in_(own), *more)) or 0

    return PlanLine(plan, groups, count(Enrolment.id), count(GroupMember.enrolment_id), count(PracticalScore.enrolment_id),
                    count(Absence.enrolment_id, Absence.part == Part.PRACTICAL))


def progress(session: Session, group: PracticalGroup) -> dict[tuple[int, int], MarkSheet]:
    """(member id, assessor's account id) -> the sheet. Show its marks only where every assessor has signed."""
    sheets = session.scalars(sa.select(MarkSheet).join(GroupMember).where(GroupMember.group_id == group.id))
    return {(sheet.member_id, sheet.assessor_id): sheet for sheet in sheets}


def own_sheet(session: Session, member: GroupMember, viewer: Viewer) -> MarkSheet | None:
    """The viewer's own sheet for this candidate."""
    return session.scalar(sa.select(MarkSheet).where(MarkSheet.member_id == member.id,
                                                     MarkSheet.assessor_id == viewer.account_id))


def neighbours(session: Session, member: GroupMember, viewer: Viewer) -> tuple[int | None, int | None]:
    """The members before and after this one in the group."""
    keys = list(session.scalars(sa.select(GroupMember.id).where(GroupMember.group_id == member.group_id)
                                .order_by(GroupMember.id)))
    place = keys.index(member.id)
    return keys[place - 1] if place else None, keys[place + 1] if place + 1 < len(keys) else None


def rubrics_for(session: Session, plan: ExamPlan, viewer: Viewer) -> list[Rubric]:
    """The rubrics that fit the plan's standard and level and mark the whole part; those of tasks come with the draw."""
    return list(session.scalars(visible(Rubric, viewer).join(Rubric.table)
                                .where(Rubric.institution_id == plan.institution_id, Rubric.targets.is_(None),
                                       WeightTable.standard_id == plan.standard_id, WeightTable.level == plan.level)
                                .order_by(Rubric.id.desc())))

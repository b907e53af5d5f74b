"""What other rooms ask of the structure and the draw: the modules of a plan, and which task a candidate drew."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import Session

from examroom.plans.models import Enrolment, ExamPlan
from scoring.practical.bank_models import DrawnTask, DrawState, PracticalDraw, TaskVersion
from scoring.practical.models import GroupMember, PracticalGroup
from scoring.practical.structure_models import PracticalModule


@dataclass(frozen=True)
class DrawnRubric:
    """A task that was drawn in a plan: who drew it, and who of them stands in no group for it yet."""

    version: TaskVersion
    module: PracticalModule
    drawn: int
    left: list[Enrolment]


def current_draw(session: Session, plan: ExamPlan) -> PracticalDraw | None:
    """The draw that holds for ``plan``."""
    return session.scalar(sa.select(PracticalDraw).where(PracticalDraw.plan_id == plan.id,
                                                         PracticalDraw.state == DrawState.CURRENT))


def modules_of(session: Session, plan: ExamPlan) -> Sequence[PracticalModule]:
    """The modules that every candidate of ``plan`` is marked in; none: the whole part is one rubric, as without a draw."""
    draw = current_draw(session, plan)
    return draw.structure.modules if draw else ()


def lots_of(session: Session, enrolment: Enrolment) -> dict[int, DrawnTask]:
    """Module id -> what the candidate drew in it."""
    found = session.scalars(sa.select(DrawnTask).join(PracticalDraw).where(DrawnTask.enrolment_id == enrolment.id,
                                                                           PracticalDraw.state == DrawState.CURRENT))
    return {one.module_id: one for one in found}


def drew(session: Session, plan: ExamPlan, rubric_id: int) -> dict[int, DrawnTask]:
    """Enrolment id -> lot, of those who drew the task that this rubric marks."""
    found = session.scalars(sa.select(DrawnTask).join(PracticalDraw).join(TaskVersion)
                            .where(PracticalDraw.plan_id == plan.id, PracticalDraw.state == DrawState.CURRENT,
                                   TaskVersion.rubric_id == rubric_id)
                            .order_by(DrawnTask.turn, DrawnTask.station))
    return {one.enrolment_id: one for one in found}


def drawn_rubrics(session: Session, plan: ExamPlan) -> list[DrawnRubric]:
    """What groups are formed from where tasks were drawn, by module and task; empty without a draw."""
    draw = current_draw(session, plan)
    if draw is None:
        return []
    members = session.execute(sa.select(GroupMember.enrolment_id, PracticalGroup.module_id).join(GroupMember.group)
                              .where(PracticalGroup.plan_id == plan.id))
    grouped = {(enrolment, module) for enrolment, module in members}
    takers: dict[TaskVersion, list[DrawnTask]] = {}
    for lot in draw.lots:
        takers.setdefault(lot.version, []).append(lot)
    made = [DrawnRubric(version, lots[0].module, len(lots),
                        [lot.enrolment for lot in lots if (lot.enrolment_id, lot.module_id) not in grouped])
            for version, lots in takers.items()]
    return sorted(made, key=lambda one: (one.module.position, one.version.task.code))

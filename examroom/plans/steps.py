"""What an exam officer does one after the other for a plan, and which step is next."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from examroom.plans import arrangement, arranging, qualification, route, sittings
from examroom.plans.condition_models import Qualification
from examroom.plans.models import Enrolment, ExamPlan, PlanState, Seat, SittingState


@dataclass(frozen=True)
class Step:
    """One step: what, how it stands, where it is done."""

    title: str
    done: bool
    detail: str
    endpoint: str = ""  # empty: nothing for the school to do but wait
    values: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Standing:
    """A plan in figures."""

    candidates: int
    seated: int
    steps: tuple[Step, ...]

    @property
    def next_step(self) -> Step | None:
        return next((step for step in self.steps if not step.done), None)


def standing(session: Session, plan: ExamPlan) -> Standing:
    """How far ``plan`` is."""
    candidates = session.scalar(sa.select(sa.func.count(Enrolment.id)).where(Enrolment.plan_id == plan.id)) or 0
    waiting = sittings.unseated(session, plan)
    steps = (_arranged(session, plan), _sent(plan), _decided(plan), _enrolled(plan, candidates),
             _qualified(session, plan, candidates), _timed(plan), *_prepared(session, plan),
             _seated(plan, candidates, waiting), _dealt(plan))
    return Standing(candidates, candidates - waiting, steps)


def _arranged(session: Session, plan: ExamPlan) -> Step:
    if plan.state not in route.EDITABLE:
        return Step("日期地点人员", True, "已随方案报送", "plans.show", {"plan_id": plan.id, "_anchor": "arrangement"})
    found = arranging.shortages(session, plan, arrangement.of(plan))
    return Step("日期地点人员", not found, f"还有 {len(found)} 处要补充" if found else "符合报送要求", "plans.arrangement_page", {"plan_id": plan.id})


def _sent(plan: ExamPlan) -> Step:
    sent = plan.state not in route.EDITABLE
    detail = "已报送" if sent else "核对后报送市鉴定中心" if plan.state == PlanState.DRAFT else "按退回意见修改后重新报送"
    return Step("报送方案", sent, detail, "plans.show", {"plan_id": plan.id, "_anchor": "route"})


def _decided(plan: ExamPlan) -> Step:
    detail = "尚未报送" if plan.state == PlanState.DRAFT else plan.state.chinese
    return Step("审核批准", plan.state == PlanState.APPROVED, detail)


def _enrolled(plan: ExamPlan, candidates: int) -> Step:
    return Step("考生名单", candidates > 0, f"{candidates} 名考生" if candidates else "导入名单", "plans.candidates",
                {"plan_id": plan.id})


def _qualified(session: Session, plan: ExamPlan, candidates: int) -> Step:
    open_ = candidates - qualification.counts(session, plan.id)[Qualification.ACCEPTED]
    detail = f"{open_} 人没有通过" if open_ else "全部通过" if candidates else "先导入名单"
    return Step("资格审核", candidates > 0 and not open_, detail, "plans.qualifications", {"plan_id": plan.id})


def _timed(plan: ExamPlan) -> Step:
    count = len(plan.sittings)
    return Step("理论场次", count > 0, f"{count} 场" if count else "安排时间", "plans.show",
                {"plan_id": plan.id, "_anchor": "sittings"})


def _prepared(session: Session, plan: ExamPlan) -> tuple[Step, Step]:
    """Rooms and papers: the link leads to the first sitting that lacks one."""
    bare = next((sitting for sitting in plan.sittings if not sitting.rooms), None)
    blank = next((sitting for sitting in plan.sittings if not sitting.forms), None)
    some = bool(plan.sittings)
    rooms = Step("考场和监考", some and bare is None, f"{bare.name}未安排" if bare else "已安排" if some else "先安排场次",
                 *_at(plan, bare.id if bare else None))
    papers = Step("选用试卷", some and blank is None, f"{blank.name}未选用" if blank else "已选用" if some else "先安排场次",
                  *_at(plan, blank.id if blank else None))
    return rooms, papers


def _at(plan: ExamPlan, sitting_id: int | None) -> tuple[str, dict[str, Any]]:
    if sitting_id is None:
        return "plans.show", {"plan_id": plan.id, "_anchor": "sittings"}
    return "plans.sitting", {"sitting_id": sitting_id}


def _seated(plan: ExamPlan, candidates: int, waiting: int) -> Step:
    target = next((sitting for sitting in plan.sittings if sitting.state == SittingState.PLANNED), None)
    detail = f"{waiting} 人没有座位" if waiting else f"{candidates} 人都有座位" if candidates else "先导入名单"
    return Step("编排座位", candidates > 0 and not waiting, detail, *_at(plan, target.id if target else None))


def _dealt(plan: ExamPlan) -> Step:
    target = next((sitting for sitting in plan.sittings if sitting.state == SittingState.PLANNED), None)
    return Step("开考前发卷", bool(plan.sittings) and target is None, f"{target.name}未发卷" if target else "已发卷"
                if plan.sittings else "先安排场次", *_at(plan, target.id if target else None))


def seats_in(session: Session, sitting_id: int) -> int:
    return session.scalar(sa.select(sa.func.count(Seat.id)).where(Seat.sitting_id == sitting_id)) or 0

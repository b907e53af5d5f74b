"""What is carried out follows what was approved (notice 四(一)): other days, times and places need an amendment.

A plan without sites was approved before they were kept: it has nothing to drift from.
"""

from __future__ import annotations

from datetime import datetime

from examroom.filing.scopes import NOTICE
from examroom.plans import arrangement
from examroom.plans.arrangement import PART_NAMES, Site
from examroom.plans.models import ExamPlan, PlanState, Sitting, SittingState
from qbank.kernel.refused import Refused
from qbank.kernel.times import spoken
from qbank.standards.ratios import THEORY

CLAUSE = f"{NOTICE} 四(一)"


def planned(plan: ExamPlan, part: str, starts_at: datetime) -> list[Site]:
    """The sites of ``part`` that begin at that moment."""
    return [one for one in arrangement.of(plan).of_part(part) if one.starts_at == starts_at]


def require_planned(plan: ExamPlan, part: str, starts_at: datetime, *, place: str | None = None, room_id: int | None = None) -> None:
    """Refuse a time, and where one is given a place, that the plan does not name for this part."""
    held = arrangement.of(plan)
    if not held:
        return
    there = planned(plan, part, starts_at)
    if not there:
        times = sorted({one.starts_at for one in held.of_part(part)})
        raise Refused("not_planned", f"方案没有安排 {spoken(starts_at)} 的{PART_NAMES[part]}，应按经审核的方案实施（{CLAUSE}）。{_way_out(plan)}",
                      [f"方案安排的时间：{spoken(one)}" for one in times])
    wrong_room = room_id is not None and room_id not in {one.room_id for one in there}
    if wrong_room or (place is not None and place.strip() not in {one.place for one in there}):
        raise Refused("not_planned", f"方案在 {spoken(starts_at)} 的{PART_NAMES[part]}没有安排这个地点，应按经审核的方案实施（{CLAUSE}）。"
                                     f"{_way_out(plan)}", [f"方案安排的地点：{one.place}" for one in there])


def drifts(sitting: Sitting) -> list[str]:
    """How a sitting differs from the plan as it stands now, one sentence each."""
    plan = sitting.plan
    if not arrangement.of(plan) or sitting.state is not SittingState.PLANNED:  # a dealt one may be put off within its day
        return []
    there = planned(plan, THEORY, sitting.starts_at)
    if not there:
        return [f"方案没有安排 {spoken(sitting.starts_at)} 的理论知识考试（{CLAUSE}）。{_way_out(plan)}"]
    rooms = {one.room_id for one in there}
    return [f"方案没有安排本场使用{used.room.name}（{CLAUSE}）。{_way_out(plan)}" for used in sitting.rooms if used.room_id not in rooms]


def _way_out(plan: ExamPlan) -> str:
    if plan.state is PlanState.APPROVED:
        return "请按方案调整，或先报送方案变更，批准后再安排。"
    return "请先修改方案中的日期和地点安排。"

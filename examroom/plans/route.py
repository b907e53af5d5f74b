"""The route of a plan as tables of moves (notice 四(一)). Pure.

The city centre decides for 五级 and 四级; for 三级 and above it files, and the province centre approves.
"""

from __future__ import annotations

from examroom.plans.models import PlanState
from qbank.kernel.access import Role
from qbank.kernel.refused import Refused

PROVINCE_DECIDES_FROM = 3  # levels 3, 2, 1
EDITABLE = frozenset({PlanState.DRAFT, PlanState.RETURNED})
DESKS = {PlanState.SUBMITTED: Role.CITY_OFFICER, PlanState.CITY_FILED: Role.PROVINCE_OFFICER}

# (state, does the province decide) -> what an approval makes of it.
APPROVALS = {
    (PlanState.SUBMITTED, False): PlanState.APPROVED,
    (PlanState.SUBMITTED, True): PlanState.CITY_FILED,
    (PlanState.CITY_FILED, True): PlanState.APPROVED,
}


def goes_to_province(level: int) -> bool:
    return level <= PROVINCE_DECIDES_FROM


def submitted(state: PlanState) -> PlanState:
    """What a submission makes of ``state``. Refuses a plan that already left the school."""
    if state not in EDITABLE:
        raise Refused("plan_state", f"方案目前“{state.chinese}”，只有草稿或已退回的方案可以修改和报送。")
    return PlanState.SUBMITTED


def desk_of(state: PlanState) -> Role:
    """Whose decision ``state`` waits for. Refuses a state that waits for none."""
    if state not in DESKS:
        raise Refused("plan_state", f"方案目前“{state.chinese}”，没有等待审核。请刷新页面。")
    return DESKS[state]


def decided(state: PlanState, level: int, approves: bool) -> PlanState:
    """What a decision makes of ``state``."""
    desk_of(state)
    return APPROVALS[state, goes_to_province(level)] if approves else PlanState.RETURNED

"""Quality supervision (notice 四(二)): a supervisor for the whole process, and the report that closes it."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from examroom.filing.duties import require_duty
from examroom.oversight import pools
from examroom.oversight.inspection_models import Inspection, InspectionMember
from examroom.oversight.kinds import InspectionState
from examroom.oversight.models import Supervision
from examroom.oversight.pools import Place
from examroom.plans import guard
from examroom.plans.models import ExamPlan, PlanState
from qbank.kernel.access import Role, Viewer
from qbank.kernel.accounts import Account
from qbank.kernel.refused import Refused
from qbank.kernel.times import local_date, spoken

AT_THE_SCHOOL = (PlanState.DRAFT, PlanState.RETURNED)
LEAST_REPORT = 10  # characters: "好" is no report


def eligible(session: Session, plan: ExamPlan) -> list[Account]:
    """Supervisors whom nothing keeps from the plan: by the same reasons as in a draw."""
    people, place = pools.supervisors(session), Place(plan.institution, plan)
    kept = pools.exclusions(session, [place], people, on=plan.starts_on)[place.key]
    return [one for one in people if str(one.id) not in kept]


def assign(session: Session, plan: ExamPlan, supervisor_id: int, who: Viewer, *, now: datetime) -> Supervision:
    """Send a supervisor to a plan that has left the school."""
    require_duty(session, who, plan.institution_id, Role.CITY_OFFICER, plan_id=plan.id)
    if plan.state in AT_THE_SCHOOL:
        raise Refused("plan_state", f"方案目前“{plan.state.chinese}”，学校报送后才能派遣质量督导员。")
    if supervisor_id not in {account.id for account in eligible(session, plan)}:
        raise Refused("not_eligible", "所选人员不能督导该方案：应持有覆盖该校的质量督导员权限，且不是该校人员或考生、没有应当回避的关系。请从名单中选择。")
    double = sa.select(Supervision.id).where(Supervision.plan_id == plan.id, Supervision.supervisor_id == supervisor_id)
    if session.scalar(double):
        raise Refused("assigned_already", "该督导员已派往本方案，不需要重复派遣。")
    supervision = Supervision(plan=plan, supervisor_id=supervisor_id, assigned_by=who.account_id, assigned_at=now)
    session.add(supervision)
    session.flush()
    return supervision


def withdraw(session: Session, supervision: Supervision, who: Viewer) -> None:
    """Take back an assignment that has no report yet."""
    require_duty(session, who, supervision.plan.institution_id, Role.CITY_OFFICER, plan_id=supervision.plan_id)
    if supervision.is_reported:
        raise Refused("reported", "督导报告已提交，不能撤回派遣。")
    session.delete(supervision)
    session.flush()


def report(session: Session, supervision: Supervision, text: str, who: Viewer, *, now: datetime) -> None:
    """File the report, once, from the first exam day on."""
    if supervision.supervisor_id != who.account_id or not who.has(Role.QUALITY_SUPERVISOR):
        raise Refused("not_your_duty", "督导报告只能由被派遣的质量督导员本人提交。")
    if supervision.is_reported:
        raise Refused("reported", f"督导报告已于 {spoken(supervision.reported_at)} 提交，不能再改。需要补充时请联系市鉴定中心。")
    if local_date(now) < supervision.plan.starts_on:
        raise Refused("too_early", f"首考日是 {spoken(supervision.plan.starts_on)}，考试开始后才能提交督导报告。")
    if len(text.strip()) < LEAST_REPORT:
        raise Refused("report_too_short", f"请写明督导情况，至少 {LEAST_REPORT} 个字：考场秩序、监考和考评员履职、发现的问题和处理意见。")
    supervision.report, supervision.reported_at = text.strip(), now
    session.flush()


def due_at(plan: ExamPlan) -> datetime | None:
    """From when a report is missing: the end of the plan's last sitting; None while it has no sitting."""
    return max((sitting.ends_at for sitting in plan.sittings), default=None)


@guard.register_staff
def supervising(session: Session, plan_id: int) -> dict[int, str]:
    """Who watches the plan: nobody of them, and none of their kin, is examined in it."""
    sent = sa.select(Supervision.supervisor_id).where(Supervision.plan_id == plan_id)
    inspecting = sa.select(InspectionMember.account_id).join(InspectionMember.inspection).where(
        Inspection.plan_id == plan_id, Inspection.state != InspectionState.CANCELLED)
    return dict.fromkeys((*session.scalars(sent), *session.scalars(inspecting)), "质量督导员")

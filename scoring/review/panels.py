"""The panel and its seats: who forms it, who leaves a seat, who comes in. The number of judges never falls."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from examroom.plans import drift, guard
from examroom.plans.models import Enrolment, ExamPlan
from examroom.plans.staffing import demand_of
from qbank.kernel.access import Role, Viewer
from qbank.kernel.accounts import Account
from qbank.kernel.refused import Refused
from qbank.kernel.times import local_date
from qbank.standards.packs import pack_for
from qbank.standards.ratios import REVIEW
from qbank.standards.review_form import read_form
from scoring.practical.duties import call_on, check_number, may_act, require
from scoring.review import seats
from scoring.review.models import Cause, PanelMark, PanelMember, ReviewCase, ReviewPanel, Vacancy
from scoring.review.states import CaseState

LONGEST_REASON = 500
SHORTEST, LONGEST = 5, 240  # minutes of a defence


def form_panel(session: Session, plan: ExamPlan, name: str, who: Viewer, *, member_ids: Sequence[int], chair_id: int,
               starts_at: datetime, place: str = "", minutes: int | None = None,
               substitute_ids: Sequence[int] = ()) -> ReviewPanel:
    """The one panel of a plan: an odd number of examiners, one of them the chair, and substitutes for who must leave."""
    require(session, plan, who, Role.EXAM_OFFICER)
    pack = pack_for(session, plan.institution)
    if not pack.reviews(plan.level):
        raise Refused("no_review", "本计划的等级不需要综合评审（技师、高级技师才需要），不用组建评审委员会。")
    if panel_of(session, plan):
        raise Refused("has_panel", "本计划已经有评审委员会。需要调整时请增补候补评审专家，或撤销后重新组建。")
    if not name.strip():
        raise Refused("no_name", "请填写评审委员会名称。")
    guard.require_plan_in_scope(session, plan, days=[local_date(starts_at)])
    drift.require_planned(plan, REVIEW, starts_at, place=place)
    demand = demand_of(session, plan, REVIEW)
    check_number(len(member_ids), demand.least, demand.odd, "评审专家人数")
    called = _called(session, plan, [*member_ids, *substitute_ids])
    if chair_id not in member_ids:
        raise Refused("no_chair", "请在所选评审专家中指定一名主任委员。")
    length = pack.review_minutes if minutes is None else minutes
    if not SHORTEST <= length <= LONGEST:
        raise Refused("wrong_minutes", f"每名考生的答辩时间应在 {SHORTEST} 到 {LONGEST} 分钟之间。")
    panel = ReviewPanel(plan=plan, name=name.strip()[:200], place=place.strip()[:200], starts_at=starts_at, minutes=length,
                        form=[[row, percent] for row, percent in read_form(pack.review_form)],
                        spread_half_points=pack.review_spread_half_points)
    panel.members = [PanelMember(account=account, is_chair=account.id == chair_id, is_substitute=account.id in set(substitute_ids))
                     for account in called]
    session.add(panel)
    session.flush()
    return panel


def _called(session: Session, plan: ExamPlan, account_ids: Sequence[int]) -> list[Account]:
    called = call_on(session, plan, Role.REVIEW_EXAMINER, account_ids)
    guard.require_apart(session, plan, account_ids)
    return called


@guard.register_staff
def reviewing(session: Session, plan_id: int) -> dict[int, str]:
    """Who reviews in a plan: nobody of them is examined in it."""
    return dict.fromkeys(session.scalars(sa.select(PanelMember.account_id).join(PanelMember.panel)
                                         .where(ReviewPanel.plan_id == plan_id)), "评审专家")


def panel_of(session: Session, plan: ExamPlan) -> ReviewPanel | None:
    return session.scalar(sa.select(ReviewPanel).where(ReviewPanel.plan_id == plan.id))


def form_of(panel: ReviewPanel) -> list[tuple[str, int]]:
    """The rows of the panel's form: name and percent."""
    return [(str(name), int(percent)) for name, percent in panel.form]


def add_substitute(session: Session, panel: ReviewPanel, account_id: int, who: Viewer) -> PanelMember:
    """Another examiner who can come in. He takes part once a seat is his and his interests are declared."""
    require(session, panel.plan, who, Role.EXAM_OFFICER)
    check_not_closed(panel)
    if account_id in {one.account_id for one in panel.members}:
        raise Refused("in_panel", "这名评审专家已经在本委员会，请另选他人。")
    made = PanelMember(account=_called(session, panel.plan, [account_id])[0], is_substitute=True)
    panel.members.append(made)
    session.flush()
    return made


def appoint_chair(session: Session, panel: ReviewPanel, member: PanelMember, who: Viewer) -> None:
    """Another member as chair, when the chair does not come."""
    require(session, panel.plan, who, Role.EXAM_OFFICER)
    check_not_closed(panel)
    if member.panel_id != panel.id:
        raise Refused("not_in_panel", "请在本委员会中指定主任委员。")
    for one in panel.members:
        one.is_chair = one is member
    session.flush()


def disband(session: Session, panel: ReviewPanel, who: Viewer) -> None:
    """Remove a panel before which nobody has come yet."""
    require(session, panel.plan, who, Role.EXAM_OFFICER)
    if panel.draws or any(member.marks for member in panel.members):
        raise Refused("has_marks", "评审顺序已经抽签或已有评分，不能撤销评审委员会。")
    session.delete(panel)
    session.flush()


def judges_of(panel: ReviewPanel, enrolment_id: int) -> list[PanelMember | None]:
    """Who sits in each seat for this candidate; None where the seat is empty."""
    members = {one.id: one for one in panel.members}
    left = {gone.member_id: gone.substitute_id for one in panel.members for gone in one.vacancies
            if gone.enrolment_id == enrolment_id}
    return [members[key] if key is not None else None for key in seats.judges([one.id for one in panel.regular], left)]


def leader_of(case: ReviewCase) -> PanelMember | None:
    """The chair; where the chair does not judge this candidate, the first of those who do."""
    present = [one for one in judges_of(case.panel, case.enrolment_id) if one is not None]
    return next((one for one in present if one.is_chair), present[0] if present else None)


def check_leader(case: ReviewCase, who: Viewer) -> None:
    leader = leader_of(case)
    if leader is None or leader.account_id != who.account_id:
        name = leader.account.name if leader else "主任委员"
        raise Refused("not_chair", f"{case.number} 号考生的答辩由{name}主持，您不能操作。")


def stopped(case: ReviewCase) -> str:
    """Why the review of this candidate cannot go on; empty when every seat is taken by somebody who has declared."""
    found = judges_of(case.panel, case.enrolment_id)
    if empty := sum(one is None for one in found):
        gone = "、".join(f"{one.account.name}{away.cause.chinese}" for one in case.panel.members for away in one.vacancies
                        if away.enrolment_id == case.enrolment_id and away.substitute_id is None)
        return (f"{case.number} 号考生的评审已停止：{gone}，缺 {empty} 名评审专家。评审委员会须保持 {len(found)} 人，"
                "不能减少；请考务员安排候补评审专家补位后继续。")
    if names := [one.account.name for one in found if one is not None and one.declared_at is None]:
        return f"{case.number} 号考生的评审还不能进行：{'、'.join(names)}还没有申报利害关系。"
    return ""


def check_going(case: ReviewCase) -> None:
    if sentence := stopped(case):
        raise Refused("panel_incomplete", sentence)


def leave(session: Session, panel: ReviewPanel, member: PanelMember, who: Viewer, *, reason: str, now: datetime) -> int:
    """A member is absent: his seat falls empty for every candidate for whom he has not signed. Returns how many."""
    if panel_chair(panel) != who.account_id:
        require(session, panel.plan, who, Role.EXAM_OFFICER)
    emptied = [vacate(session, panel, member, enrolment.id, Cause.ABSENT, who, reason=reason, now=now)
               for enrolment in panel.plan.enrolments if _waits_for(session, panel, member, enrolment)]
    if not emptied:
        raise Refused("nothing_left", f"{member.account.name}没有还要评审的考生，不用登记缺席。")
    return len(emptied)


def recuse(session: Session, member: PanelMember, case: ReviewCase, who: Viewer, *, reason: str, now: datetime) -> None:
    """A member finds an interest when the candidate is already before him."""
    if member.account_id != who.account_id or member not in judges_of(case.panel, case.enrolment_id):
        raise Refused("not_your_candidate", "您不评审这名考生，不用回避。")
    if not _waits_for(session, case.panel, member, case.enrolment):
        raise Refused("signed", "您对这名考生的评分已经签字，不能再申请回避；如确有利害关系请告诉考务员。")
    vacate(session, case.panel, member, case.enrolment_id, Cause.INTEREST, who, reason=reason, now=now)


def vacate(session: Session, panel: ReviewPanel, member: PanelMember, enrolment_id: int, cause: Cause, who: Viewer, *,
           reason: str, now: datetime) -> Vacancy:
    """Empty a seat for one candidate. What the substitute has not heard is heard again: the defence waits anew."""
    check_not_closed(panel)
    if not 0 < len(reason.strip()) <= LONGEST_REASON:
        raise Refused("no_reason", f"请写明{member.account.name}{cause.chinese}的原因（不超过 {LONGEST_REASON} 字）。")
    made = Vacancy(member=member, enrolment_id=enrolment_id, cause=cause, reason=reason.strip(), recorded_by=who.account_id, at=now)
    session.add(made)
    case = session.scalar(sa.select(ReviewCase).where(ReviewCase.enrolment_id == enrolment_id))
    if case is not None and case.state in (CaseState.DEFENDING, CaseState.PAUSED, CaseState.SCORING):
        case.state, case.running_since, case.spent_seconds, case.ended_at = CaseState.WAITING, None, 0, None
    session.flush()
    return made


def fill(session: Session, panel: ReviewPanel, out: PanelMember, into: PanelMember, who: Viewer) -> int:
    """A substitute takes the empty seats of ``out``. Refuses who has an interest himself or judges already; returns how many."""
    require(session, panel.plan, who, Role.EXAM_OFFICER)
    check_not_closed(panel)
    if not into.is_substitute or into.panel_id != panel.id:
        raise Refused("not_substitute", "只能由本委员会的候补评审专家补位，请先增补候补专家。")
    away = {gone.enrolment_id for gone in into.vacancies}
    empty = [gone for gone in out.vacancies if gone.substitute_id is None and gone.enrolment_id not in away
             and into not in judges_of(panel, gone.enrolment_id)]
    if not empty:
        raise Refused("cannot_fill", f"{into.account.name}不能接替{out.account.name}：没有空缺的席位，或他本人须对这些考生回避、已在评审。")
    for gone in empty:
        gone.substitute = into
    session.flush()
    return len(empty)


def panel_chair(panel: ReviewPanel) -> int:
    """The account of the chair."""
    return next((one.account_id for one in panel.members if one.is_chair), 0)


def may_lead(session: Session, panel: ReviewPanel, who: Viewer) -> bool:
    return panel_chair(panel) == who.account_id or may_act(session, panel.plan, who, Role.EXAM_OFFICER)


def check_not_closed(panel: ReviewPanel) -> None:
    if panel.closed_at is not None:
        raise Refused("closed", "评审已经结束并形成会议记录，不能再改。")


def _waits_for(session: Session, panel: ReviewPanel, member: PanelMember, enrolment: Enrolment) -> bool:
    """Whether this candidate still needs something of ``member``."""
    if member not in judges_of(panel, enrolment.id):
        return False
    case = session.scalar(sa.select(ReviewCase).where(ReviewCase.enrolment_id == enrolment.id))
    if case is None:
        return True
    signed = session.scalar(sa.select(PanelMark.id).where(PanelMark.member_id == member.id, PanelMark.enrolment_id == enrolment.id,
                                                          PanelMark.round == case.round, PanelMark.signed_at.is_not(None)))
    return case.state is not CaseState.DONE and (signed is None or case.state is CaseState.DISCUSSING)

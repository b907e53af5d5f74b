"""Comprehensive review (综合评审): the panel, its members' marks and signatures, the joined score."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from examroom.plans.models import Enrolment, ExamPlan, PlanState
from qbank.kernel.access import Role, Viewer
from qbank.kernel.accounts import Account
from qbank.kernel.refused import Refused
from qbank.kernel.times import local_date, spoken
from qbank.standards.packs import pack_for
from qbank.standards.rulepack import FULL_HALF_POINTS
from scoring.practical import desk as practical
from scoring.practical.duties import call_on, check_number, require
from scoring.practical.models import Absence, Part
from scoring.review.joining import REVIEWED_LEVELS, MemberMarks, join_panel
from scoring.review.models import PanelMark, PanelMember, ReviewPanel, ReviewScore

LONGEST_OPINION = 2000


def form_panel(session: Session, plan: ExamPlan, name: str, who: Viewer, *, member_ids: Sequence[int], chair_id: int,
               starts_at: datetime) -> ReviewPanel:
    """The one panel of a plan at level 2 or 1: an odd number of examiners, one of them the chair."""
    require(session, plan, who, Role.EXAM_OFFICER)
    if plan.level not in REVIEWED_LEVELS:
        raise Refused("no_review", "只有二级/技师和一级/高级技师需要综合评审，本计划不用组建评审委员会。")
    if panel_of(session, plan):
        raise Refused("has_panel", "本计划已经有评审委员会。需要调整时请更换评审专家，或撤销后重新组建。")
    if not name.strip():
        raise Refused("no_name", "请填写评审委员会名称。")
    pack = pack_for(session, plan.institution)
    check_number(len(member_ids), pack.least_panel, pack.panel_odd, "评审专家人数")
    members = call_on(session, plan, Role.REVIEW_EXAMINER, member_ids)
    if chair_id not in member_ids:
        raise Refused("no_chair", "请在所选评审专家中指定一名主任委员。")
    panel = ReviewPanel(plan=plan, name=name.strip()[:200], starts_at=starts_at)
    panel.members = [PanelMember(account=account, is_chair=account.id == chair_id) for account in members]
    session.add(panel)
    session.flush()
    return panel


def panel_of(session: Session, plan: ExamPlan) -> ReviewPanel | None:
    return session.scalar(sa.select(ReviewPanel).where(ReviewPanel.plan_id == plan.id))


def replace_member(session: Session, panel: ReviewPanel, out_id: int, in_id: int, who: Viewer) -> None:
    """Another examiner in the place of one who has marked nobody yet. The quorum stays as it was configured."""
    require(session, panel.plan, who, Role.EXAM_OFFICER)
    leaving = next((one for one in panel.members if one.account_id == out_id), None)
    if leaving is None or in_id in {one.account_id for one in panel.members}:
        raise Refused("not_in_panel", "请选择一名评审专家，并换成不在本委员会的另一名。")
    if leaving.marks:
        raise Refused("has_marked", f"{leaving.account.name}已经开始评审，不能更换。")
    leaving.account = call_on(session, panel.plan, Role.REVIEW_EXAMINER, [in_id])[0]
    session.flush()


def disband(session: Session, panel: ReviewPanel, who: Viewer) -> None:
    """Remove a panel that has marked nobody."""
    require(session, panel.plan, who, Role.EXAM_OFFICER)
    if any(member.marks for member in panel.members):
        raise Refused("has_marks", "评审委员会已有评分，不能撤销。")
    session.delete(panel)
    session.flush()


def mark_of(session: Session, member: PanelMember, enrolment: Enrolment) -> PanelMark | None:
    """What this member has written for this candidate so far."""
    return session.scalar(sa.select(PanelMark).where(PanelMark.member_id == member.id,
                                                     PanelMark.enrolment_id == enrolment.id))


def enter(session: Session, panel_member: PanelMember, enrolment: Enrolment, who: Viewer, *, thesis: int | None,
          defence: int | None, opinion: str, now: datetime) -> PanelMark:
    """Write one member's marks for one candidate (half-points out of 100 points; None: not marked yet)."""
    _check_open(session, panel_member, enrolment, who, now)
    for what, value in (("书面材料", thesis), ("答辩", defence)):
        if value is not None and not 0 <= value <= FULL_HALF_POINTS:
            raise Refused("out_of_range", f"“{what}”应在 0 到 100 分之间，请修改。")
    if len(opinion.strip()) > LONGEST_OPINION:
        raise Refused("opinion_too_long", f"评审意见最多 {LONGEST_OPINION} 字，现在有 {len(opinion.strip())} 字，请删减。")
    mark = mark_of(session, panel_member, enrolment)
    if mark is None:
        mark = PanelMark(member=panel_member, enrolment=enrolment)
        session.add(mark)
    _check_unsigned(mark)
    mark.thesis, mark.defence, mark.opinion = thesis, defence, opinion.strip()
    session.flush()
    return mark


def sign(session: Session, mark: PanelMark, who: Viewer, *, now: datetime) -> None:
    """Sign complete marks, for good. The last signature joins the score."""
    _check_open(session, mark.member, mark.enrolment, who, now)
    _check_unsigned(mark)
    empty = [what for what, blank in (("书面材料得分", mark.thesis is None), ("答辩得分", mark.defence is None),
                                      ("评审意见", not mark.opinion)) if blank]
    if empty:
        raise Refused("blanks", f"还没有填写：{'、'.join(empty)}，不能签字。没有得分的请填 0。")
    mark.signed_at = now
    # Two last members may sign at the same moment: the second waits here and then sees the first one's signature.
    session.execute(sa.select(Enrolment.id).where(Enrolment.id == mark.enrolment_id).with_for_update())
    session.flush()
    if not unsigned_by(session, mark.member.panel, mark.enrolment):
        join(session, mark.enrolment, now=now)


def unsigned_by(session: Session, panel: ReviewPanel, enrolment: Enrolment) -> list[Account]:
    """The members whose signature is still missing for this candidate."""
    signed = set(session.scalars(sa.select(PanelMark.member_id).where(PanelMark.enrolment_id == enrolment.id,
                                                                      PanelMark.signed_at.is_not(None))))
    return [one.account for one in panel.members if one.id not in signed]


def join(session: Session, enrolment: Enrolment, *, now: datetime) -> ReviewScore:
    """The joined score, once every configured member has signed: a missing member never lowers the quorum."""
    found = session.scalar(sa.select(ReviewScore).where(ReviewScore.enrolment_id == enrolment.id))
    if found is not None:
        return found
    panel = panel_of(session, enrolment.plan)
    if panel is None:
        raise Refused("no_panel", "本计划还没有评审委员会，请考务员先组建。")
    if missing := unsigned_by(session, panel, enrolment):
        names = "、".join(account.name for account in missing)
        raise Refused("panel_incomplete", f"{enrolment.candidate.name}的综合评审还缺 {names} 的签字评分。评审委员会共 "
                                          f"{len(panel.members)} 人，须全部评分后才能合成，不能减少人数。")
    marks = [mark_of(session, member, enrolment) for member in panel.members]
    joined = join_panel([MemberMarks(mark.member.account.name, mark.thesis or 0, mark.defence or 0)
                         for mark in marks if mark is not None],
                        thesis_percent=pack_for(session, enrolment.plan.institution).thesis_percent)
    score = ReviewScore(enrolment=enrolment, half_points=joined.half_points, reasons=list(joined.reasons), joined_at=now)
    session.add(score)
    session.flush()
    return score


def record_absence(session: Session, enrolment: Enrolment, who: Viewer, *, reason: str = "", now: datetime) -> Absence:
    """Record that a candidate did not appear before the panel. Refused when a member has marked the candidate."""
    if session.scalar(sa.select(PanelMark.id).where(PanelMark.enrolment_id == enrolment.id).limit(1)):
        raise Refused("has_marks", f"{enrolment.candidate.name}的综合评审已有评分，不能登记缺考。")
    if enrolment.plan.level not in REVIEWED_LEVELS:
        raise Refused("no_review", "本计划的等级不需要综合评审。")
    return practical.record_absence(session, enrolment, Part.REVIEW, who, reason=reason, now=now)


def _check_open(session: Session, member: PanelMember, enrolment: Enrolment, who: Viewer, now: datetime) -> None:
    """Only the member, only candidates of the panel's plan who appeared, only from the day of the review on."""
    panel = member.panel
    if member.account_id != who.account_id:
        raise Refused("not_your_marks", "这是另一名评审专家的评分，您不能填写。")
    if enrolment.plan_id != panel.plan_id:
        raise Refused("other_plan", "这名考生不在本评审委员会的计划内。")
    if panel.plan.state is not PlanState.APPROVED:
        raise Refused("plan_not_approved", "考务方案还没有批准，不能评审。")
    if local_date(now) < local_date(panel.starts_at):
        raise Refused("too_early", f"综合评审在 {spoken(panel.starts_at)} 开始，当天起才能评分。")
    if enrolment.id in practical.absent_from(session, panel.plan, Part.REVIEW):
        raise Refused("is_absent", "这名考生已登记缺考。如登记有误，请考务员先撤销缺考登记。")


def _check_unsigned(mark: PanelMark) -> None:
    if mark.signed_at is not None:
        raise Refused("signed", "这份评分已经签字，不能再改。")

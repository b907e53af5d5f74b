"""Comprehensive review (综合评审): sealed marks, signatures, the reveal, the discussion, the joined score."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from fractions import Fraction

import sqlalchemy as sa
from sqlalchemy.orm import Session

from examroom.plans.models import Enrolment
from qbank.kernel.access import Viewer
from qbank.kernel.refused import Refused
from qbank.standards.packs import pack_for
from qbank.standards.rulepack import FULL_HALF_POINTS
from scoring.practical import desk as practical
from scoring.practical import signing
from scoring.practical.joining import spoken_mean, spoken_points
from scoring.practical.models import Absence, Part
from scoring.review.defence import check_open, move
from scoring.review.joining import JoinedReview, MemberMarks, join_panel
from scoring.review.models import Dissent, PanelMark, PanelMember, ReviewCase, ReviewScore
from scoring.review.panels import (
    add_substitute,
    check_going,
    check_leader,
    check_not_closed,
    disband,
    form_of,
    form_panel,
    judges_of,
    leave,
    panel_of,
)
from scoring.review.states import MOST_ROUNDS, CaseState

__all__ = ["add_substitute", "case_of", "disband", "discuss", "dissent", "enter", "form_panel", "join", "leave", "mark_of",
           "marks_of", "panel_of", "record_absence", "sign", "signature_of", "unsigned", "weighted"]

LONGEST_TEXT = 2000


def case_of(session: Session, enrolment: Enrolment) -> ReviewCase | None:
    return session.scalar(sa.select(ReviewCase).where(ReviewCase.enrolment_id == enrolment.id))


def mark_of(session: Session, member: PanelMember, case: ReviewCase, number: int | None = None) -> PanelMark | None:
    """What this member has written for this candidate in round ``number`` (None: the present one)."""
    return session.scalar(sa.select(PanelMark).where(PanelMark.member_id == member.id, PanelMark.enrolment_id == case.enrolment_id,
                                                     PanelMark.round == (number or case.round)))


def enter(session: Session, member: PanelMember, case: ReviewCase, who: Viewer, *, points: Sequence[int | None], opinion: str,
          now: datetime) -> PanelMark:
    """Write one member's marks for one candidate: half-points for each row of the form, None where not marked yet."""
    _check_judge(session, member, case, who, now)
    form = form_of(case.panel)
    if len(points) != len(form):
        raise Refused("other_form", "评分项与本委员会的评分表不一致，请刷新页面后重新填写。")
    for (what, _), value in zip(form, points, strict=True):
        if value is not None and not 0 <= value <= FULL_HALF_POINTS:
            raise Refused("out_of_range", f"“{what}”应在 0 到 100 分之间，请修改。")
    if len(opinion.strip()) > LONGEST_TEXT:
        raise Refused("opinion_too_long", f"评审意见最多 {LONGEST_TEXT} 字，现在有 {len(opinion.strip())} 字，请删减。")
    mark = mark_of(session, member, case)
    if mark is None:
        mark = PanelMark(member=member, enrolment_id=case.enrolment_id, round=case.round)
        session.add(mark)
    _check_unsigned(mark)
    mark.points, mark.opinion = list(points), opinion.strip()
    session.flush()
    return mark


def sign(session: Session, mark: PanelMark, who: Viewer, *, now: datetime, signature: str = "") -> None:
    """Sign complete marks, for good. The last signature of a round opens the marks of all."""
    case = session.scalars(sa.select(ReviewCase).where(ReviewCase.enrolment_id == mark.enrolment_id)).one()
    _check_judge(session, mark.member, case, who, now)
    _check_unsigned(mark)
    if case.state is not CaseState.SCORING:
        raise Refused("not_heard", f"{case.number} 号考生的答辩还没有结束，可以先保存草稿；答辩结束后才能签字。")
    check_going(case)
    empty = [what for (what, _), value in zip(form_of(case.panel), mark.points, strict=True) if value is None]
    empty += [] if mark.opinion else ["评审意见"]
    if empty:
        raise Refused("blanks", f"还没有填写：{'、'.join(empty)}，不能签字。没有得分的请填 0。")
    mark.signed_at, mark.signature_id = now, signature_of(session, signature, who, now=now)
    session.flush()
    # Two last members may sign at the same moment: the second waits here and then sees the first one's signature.
    session.refresh(case, with_for_update=True)
    if not unsigned(session, case):
        _reveal(session, case, now)


def signature_of(session: Session, drawn: str, who: Viewer, *, now: datetime) -> int | None:
    """Keep a pen signature (a data URL, as the page sends it); None where somebody confirms without a pen."""
    return signing.pen(session, drawn, who, now=now).id if drawn else None


def unsigned(session: Session, case: ReviewCase) -> list[PanelMember]:
    """The judges of this candidate whose signature is missing in the present round."""
    signed = {mark.member_id for mark in marks_of(session, case, case.round) if mark.signed_at is not None}
    return [one for one in judges_of(case.panel, case.enrolment_id) if one is not None and one.id not in signed]


def marks_of(session: Session, case: ReviewCase, number: int) -> list[PanelMark]:
    """All marks of one round. Show them only once the round is revealed."""
    return list(session.scalars(sa.select(PanelMark).where(PanelMark.enrolment_id == case.enrolment_id, PanelMark.round == number)
                                .order_by(PanelMark.member_id)))


def _reveal(session: Session, case: ReviewCase, now: datetime) -> None:
    """Open the marks of the round; far apart they are discussed once, otherwise they make the score."""
    joined = joined_of(session, case, case.round)
    case.revealed = case.round
    if joined.spread > case.panel.spread_half_points and case.round < MOST_ROUNDS:
        move(case, CaseState.DISCUSSING)
    else:
        move(case, CaseState.DONE)
        session.add(ReviewScore(enrolment=case.enrolment, half_points=joined.half_points, reasons=_reasons(session, case, joined),
                                joined_at=now))
    session.flush()


def joined_of(session: Session, case: ReviewCase, number: int) -> JoinedReview:
    """What the signed marks of round ``number`` make."""
    pack = pack_for(session, case.panel.plan.institution)
    marks = [mark for mark in marks_of(session, case, number) if mark.signed_at is not None]
    if number == case.round:
        judging = judges_of(case.panel, case.enrolment_id)
        marks = [mark for mark in marks if mark.member in judging]
    given = [MemberMarks(mark.member.account.name, tuple(value or 0 for value in mark.points)) for mark in marks]
    return join_panel(given, form_of(case.panel), mode=pack.rounding, least=2 * pack.review_least)


def weighted(case: ReviewCase, mark: PanelMark) -> Fraction:
    """The total of one member's marks on the panel's form, in half-points."""
    return MemberMarks("", tuple(value or 0 for value in mark.points)).total(form_of(case.panel))


def _reasons(session: Session, case: ReviewCase, joined: JoinedReview) -> list[str]:
    limit = spoken_points(case.panel.spread_half_points)
    if case.round == 1:
        return list(joined.reasons)
    first = joined_of(session, case, 1)
    spread = (f"第二轮最高与最低相差 {spoken_mean(joined.spread)} 分"
              + (f"，仍超过 {limit} 分，分歧记入会议记录" if joined.spread > case.panel.spread_half_points else ""))
    return [f"第一轮最高与最低相差 {spoken_mean(first.spread)} 分，超过 {limit} 分，合议后重新评分",
            *(f"第一轮：{line}" for line in first.reasons[:-1]), *joined.reasons, spread]


def discuss(session: Session, case: ReviewCase, who: Viewer, *, note: str, now: datetime) -> None:
    """Put down what was discussed and open the second round. The first one's marks stay as they were."""
    check_leader(case, who)
    check_open(session, case, now)
    if case.state is not CaseState.DISCUSSING:
        raise Refused("wrong_state", f"{case.number} 号考生现在是“{case.state.chinese}”，不需要合议。")
    check_going(case)
    if not 0 < len(note.strip()) <= LONGEST_TEXT:
        raise Refused("no_note", f"请写下合议情况（不超过 {LONGEST_TEXT} 字），它会记入会议记录。")
    move(case, CaseState.SCORING)
    case.discussion, case.discussed_at, case.round = note.strip(), now, case.round + 1
    session.flush()


def dissent(session: Session, member: PanelMember, case: ReviewCase, who: Viewer, *, text: str, now: datetime) -> Dissent:
    """保留意见 of a judge, once marks lie open and until the review is closed."""
    check_not_closed(case.panel)
    if member.account_id != who.account_id or member not in judges_of(case.panel, case.enrolment_id):
        raise Refused("not_your_candidate", "只有评审这名考生的专家可以写保留意见。")
    if not case.revealed:
        raise Refused("sealed", "评分公开以后才能写保留意见。")
    if not 0 < len(text.strip()) <= LONGEST_TEXT:
        raise Refused("no_text", f"请填写保留意见（不超过 {LONGEST_TEXT} 字）。")
    found = session.scalar(sa.select(Dissent).where(Dissent.member_id == member.id, Dissent.enrolment_id == case.enrolment_id))
    if found is None:
        found = Dissent(member=member, enrolment_id=case.enrolment_id)
        session.add(found)
    found.text, found.at = text.strip(), now
    session.flush()
    return found


def join(session: Session, enrolment: Enrolment) -> ReviewScore:
    """The joined score. Refuses by name while a judge has not signed: a missing member never lowers the number."""
    found = session.scalar(sa.select(ReviewScore).where(ReviewScore.enrolment_id == enrolment.id))
    if found is not None:
        return found
    case = case_of(session, enrolment)
    if case is None:
        raise Refused("no_panel", "这名考生还没有排入评审顺序，请先组建评审委员会并抽签。")
    check_going(case)
    if case.state is CaseState.DISCUSSING:
        raise Refused("not_discussed", f"{case.number} 号考生的评分相差超过限度，须合议后重新评分。")
    names = "、".join(one.account.name for one in unsigned(session, case))
    raise Refused("panel_incomplete", f"{case.number} 号考生的综合评审还缺 {names} 的签字评分。评审委员会共 "
                                      f"{len(case.panel.regular)} 人，须全部评分后才能合成，不能减少人数。")


def record_absence(session: Session, enrolment: Enrolment, who: Viewer, *, reason: str = "", now: datetime) -> Absence:
    """Record that a candidate did not appear before the panel. Refused when the defence has begun or a member has marked."""
    case = case_of(session, enrolment)
    if (case is not None and case.began_at is not None) or session.scalar(
            sa.select(PanelMark.id).where(PanelMark.enrolment_id == enrolment.id).limit(1)):
        raise Refused("has_marks", f"{enrolment.candidate.name}的答辩已经开始或已有评分，不能登记缺考。")
    if not pack_for(session, enrolment.plan.institution).reviews(enrolment.plan.level):
        raise Refused("no_review", "本计划的等级不需要综合评审。")
    return practical.record_absence(session, enrolment, Part.REVIEW, who, reason=reason, now=now)


def _check_judge(session: Session, member: PanelMember, case: ReviewCase, who: Viewer, now: datetime) -> None:
    """Only the member himself, who has declared and judges this candidate, while marks are being given."""
    if member.account_id != who.account_id:
        raise Refused("not_your_marks", "这是另一名评审专家的评分，您不能填写。")
    if member.panel_id != case.panel_id:
        raise Refused("other_plan", "这名考生不在本评审委员会的计划内。")
    if member.declared_at is None:
        raise Refused("not_declared", "请先申报利害关系，再查看材料和评分。")
    if member not in judges_of(case.panel, case.enrolment_id):
        raise Refused("not_your_candidate", f"您不评审 {case.number} 号考生（回避、缺席或没有补位）。")
    check_open(session, case, now)
    if case.state is CaseState.DISCUSSING:
        raise Refused("not_discussed", "评分相差超过限度，请先合议；主任委员记下合议情况后开始第二轮评分。")


def _check_unsigned(mark: PanelMark) -> None:
    if mark.signed_at is not None:
        raise Refused("signed", "这份评分已经签字，不能再改。")

"""Hand-ins: the call with its deadline, versions of a paper, pieces of evidence, receipts."""

from __future__ import annotations

import hashlib
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session
from werkzeug.datastructures import FileStorage

from examroom.plans.models import Enrolment, ExamPlan
from qbank.kernel.access import Role, Viewer
from qbank.kernel.attachments import DOCX, JPEG, MP4, PDF, PNG, keep
from qbank.kernel.refused import Refused
from qbank.kernel.times import spoken
from qbank.standards.packs import pack_for
from qbank.standards.rulepack import RulePack
from scoring.practical.duties import require
from scoring.review.handin_models import ReviewCall, Submission, SubmissionKind
from scoring.review.panels import panel_of

LONGEST_NOTE = 2000


def limits(pack: RulePack, kind: SubmissionKind) -> dict[str, int]:
    """Which files may be handed in as ``kind``, and how many megabytes each may have."""
    if kind is SubmissionKind.PAPER:
        return dict.fromkeys((PDF, DOCX), pack.review_paper_megabytes)
    return {**dict.fromkeys((PDF, PNG, JPEG), pack.review_picture_megabytes), MP4: pack.review_video_megabytes}


def call_of(session: Session, plan: ExamPlan) -> ReviewCall | None:
    return session.scalar(sa.select(ReviewCall).where(ReviewCall.plan_id == plan.id))


def set_call(session: Session, plan: ExamPlan, who: Viewer, *, until: datetime, note: str = "", now: datetime) -> ReviewCall:
    """Open the hand-in, or move its deadline. Not once the order is drawn: the panel reads what was handed in."""
    require(session, plan, who, Role.EXAM_OFFICER)
    if not pack_for(session, plan.institution).reviews(plan.level):
        raise Refused("no_review", "本计划的等级不需要综合评审，不用提交材料。")
    if until <= now:
        raise Refused("past", f"提交截止时间应在现在之后，您填写的是 {spoken(until)}。")
    panel = panel_of(session, plan)
    if panel is not None and panel.closed_at is not None:
        raise Refused("closed", "综合评审已经结束，不能再改提交期限。")
    if len(note.strip()) > LONGEST_NOTE:
        raise Refused("note_too_long", f"提交要求最多 {LONGEST_NOTE} 字，请删减。")
    found = call_of(session, plan)
    if found is None:
        found = ReviewCall(plan=plan)
        session.add(found)
    found.until, found.note, found.set_by = until, note.strip(), who.account_id
    session.flush()
    return found


def hand_in(session: Session, enrolment: Enrolment, kind: SubmissionKind, upload: FileStorage | None, who: Viewer, *, title: str,
            now: datetime) -> Submission:
    """Take one file in until the deadline. A new paper is a new version: the old ones stay, the newest counts."""
    _check_open(session, enrolment, who, now)
    pack = pack_for(session, enrolment.plan.institution)
    if not 0 < len(title.strip()) <= 100:
        raise Refused("no_title", "请填写材料的题目或名称（不超过 100 字）。")
    held = submissions(session, enrolment, kind)
    if kind is SubmissionKind.EVIDENCE and len([one for one in held if one.withdrawn_at is None]) >= pack.review_evidence_files:
        raise Refused("too_many", f"业绩证明材料最多 {pack.review_evidence_files} 份。请先撤回不需要的一份，或合并成一个 PDF 再提交。")
    allowed = limits(pack, kind)
    attachment = keep(session, upload, who, kinds=tuple(allowed), most_megabytes=allowed, now=now)
    number = max((one.number for one in held), default=0) + 1
    receipt = hashlib.sha256(f"{attachment.sha256}|{enrolment.ticket_number}|{kind}|{number}|{now.isoformat()}".encode()).hexdigest()
    made = Submission(enrolment=enrolment, kind=kind, number=number, title=title.strip(), attachment=attachment,
                      receipt=receipt[:16].upper(), at=now)
    session.add(made)
    session.flush()
    return made


def withdraw(session: Session, submission: Submission, who: Viewer, *, now: datetime) -> None:
    """Take a piece of evidence back before the deadline. The file stays on record; a paper is replaced by a newer version."""
    _check_open(session, submission.enrolment, who, now)
    if submission.kind is SubmissionKind.PAPER:
        raise Refused("paper", "技术总结（论文）不能撤回，请上传新的版本，以最新版本为准。")
    if submission.withdrawn_at is not None:
        raise Refused("withdrawn", "这份材料已经撤回。")
    submission.withdrawn_at = now
    session.flush()


def submissions(session: Session, enrolment: Enrolment, kind: SubmissionKind | None = None) -> list[Submission]:
    """What was handed in, in its order, what was withdrawn included."""
    query = sa.select(Submission).where(Submission.enrolment_id == enrolment.id).order_by(Submission.kind, Submission.number)
    return list(session.scalars(query if kind is None else query.where(Submission.kind == kind)))


def counting(session: Session, enrolment: Enrolment) -> list[Submission]:
    """What the panel reads: the newest paper, and the evidence that was not taken back."""
    held = [one for one in submissions(session, enrolment) if one.withdrawn_at is None]
    return ([one for one in held if one.kind is SubmissionKind.PAPER][-1:]
            + [one for one in held if one.kind is SubmissionKind.EVIDENCE])


def _check_open(session: Session, enrolment: Enrolment, who: Viewer, now: datetime) -> None:
    if enrolment.account_id != who.account_id:
        raise Refused("not_yours", "只能由考生本人提交材料。")
    call = call_of(session, enrolment.plan)
    if call is None:
        raise Refused("no_call", "本计划还没有开始提交材料，请等考务员发布通知。")
    if now > call.until:
        raise Refused("too_late", f"提交已于 {spoken(call.until)} 截止。确有特殊情况请联系考务员：{enrolment.plan.contact or '本校考务办公室'}。")

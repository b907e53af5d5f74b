"""资格审核: facts and proofs of an application, judged by its entry condition, accepted or returned by an officer."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session
from werkzeug.datastructures import FileStorage

from examroom.plans import entry
from examroom.plans.condition_models import EntryCondition, Qualification
from examroom.plans.models import Enrolment, ExamPlan
from examroom.plans.predicate import Facts, Finding, Predicate, Standing, evaluate
from examroom.plans.qualification_models import EntryProof, QualificationCheck
from examroom.plans.staffing import require_officer
from qbank.kernel import attachments
from qbank.kernel.access import Role, Viewer
from qbank.kernel.identity import IdentityKind
from qbank.kernel.refused import Refused
from qbank.standards.packs import pack_for

MOST_PROOFS = 10
NO_CONDITION = Finding("申报条件", Standing.UNKNOWN, "没有选择申报条件")


def findings(enrolment: Enrolment) -> tuple[Finding, ...]:
    """The demands of the chosen condition, judged by what is recorded, on the plan's first exam day."""
    if enrolment.condition is None:
        return (NO_CONDITION,)
    return evaluate(Predicate.read(enrolment.condition.predicate), Facts.read(enrolment.facts), enrolment.born, enrolment.plan.starts_on)


def proofs_of(session: Session, enrolments: Iterable[Enrolment]) -> dict[int, list[EntryProof]]:
    """Enrolment → its proofs that were not taken back."""
    found: dict[int, list[EntryProof]] = {enrolment.id: [] for enrolment in enrolments}
    for proof in session.scalars(sa.select(EntryProof).where(
            EntryProof.enrolment_id.in_(found), EntryProof.withdrawn_at.is_(None)).order_by(EntryProof.id)):
        found[proof.enrolment_id].append(proof)
    return found


def lacks(enrolment: Enrolment, proofs: Sequence[EntryProof]) -> list[str]:
    """Why the application cannot be accepted yet, one sentence each; empty when it can."""
    found = [f"{one.demand}：{one.recorded or '没有登记'}，{'请补充' if one.standing is Standing.UNKNOWN else '不符合所选申报条件'}。"
             for one in findings(enrolment) if one.standing in {Standing.UNKNOWN, Standing.FAILED}]
    if enrolment.candidate.identity_kind is not IdentityKind.RESIDENT and not enrolment.born:
        found.append("没有登记出生日期，请补充。")
    return found if proofs else [*found, "没有上传证明材料。"]


def record(session: Session, enrolment: Enrolment, facts: Facts, condition: EntryCondition, who: Viewer, *, now: datetime) -> None:
    """What the officer found out about the candidate, and the condition he applies under."""
    require_officer(session, enrolment.plan, who)
    _change(session, enrolment, condition, now)
    kept = Facts.read(enrolment.facts)
    enrolment.facts = dataclasses.replace(facts, sex=facts.sex or kept.sex).stored()
    session.flush()


def choose(session: Session, enrolment: Enrolment, condition: EntryCondition, who: Viewer, *, now: datetime) -> None:
    """The candidate's own choice: exactly one of the options."""
    _require_own(enrolment, who)
    _change(session, enrolment, condition, now)
    session.flush()


def attach(session: Session, enrolments: Sequence[Enrolment], upload: FileStorage | None, title: str, who: Viewer, *,
           now: datetime) -> int:
    """One file as proof for these candidates (a class register stands for a class); how many got it."""
    if not enrolments:
        raise Refused("nobody", "请先勾选考生。")
    for plan in {enrolment.plan for enrolment in enrolments}:
        if not all(_is_own(enrolment, who) for enrolment in enrolments):
            require_officer(session, plan, who)
    title = title.strip()
    if not 2 <= len(title) <= 100:
        raise Refused("title", "请写明是什么证明材料，例如“毕业证书”“2024 级电气班学籍表”。")
    held = proofs_of(session, enrolments)
    for enrolment in enrolments:
        _require_changeable(enrolment)
        if len(held[enrolment.id]) >= MOST_PROOFS:
            raise Refused("too_many", f"{enrolment.candidate.name}的证明材料已有 {MOST_PROOFS} 份，请先撤下不用的，或合并成一个 PDF。")
    kept = attachments.keep(session, upload, who, most_megabytes=pack_for(session, enrolments[0].plan.institution).proof_megabytes, now=now)
    for enrolment in enrolments:
        session.add(EntryProof(enrolment=enrolment, attachment=kept, title=title, at=now))
        _reopen(enrolment)
    session.flush()
    return len(enrolments)


def withdraw_proof(session: Session, proof: EntryProof, who: Viewer, *, now: datetime) -> None:
    """Take a proof away from one application, by whoever brought it or the officer; the file stays on record."""
    if not (_is_own(proof.enrolment, who) and proof.attachment.uploaded_by == who.account_id):
        require_officer(session, proof.enrolment.plan, who)
    _require_changeable(proof.enrolment)
    proof.withdrawn_at = now
    session.flush()


def unacceptable(session: Session, enrolments: Sequence[Enrolment], who: Viewer, *, by_hand: bool = False) -> dict[int, list[str]]:
    """Enrolment → why ``who`` cannot accept it now; without those that can be."""
    held, found = proofs_of(session, enrolments), {}
    for enrolment in enrolments:
        reasons = lacks(enrolment, held[enrolment.id])
        if enrolment.account_id == who.account_id:
            reasons.append("不能审核自己的报名。")
        if not by_hand and any(one.standing is Standing.BY_HAND for one in findings(enrolment)):
            reasons.append("申报条件要求核对证明材料的内容，请核对后勾选“已核对证明材料”。")
        if enrolment.qualification is not Qualification.PENDING:
            reasons = [f"目前“{enrolment.qualification.chinese}”，没有等待审核。"]
        if reasons:
            found[enrolment.id] = reasons
    return found


def accept(session: Session, enrolments: Sequence[Enrolment], who: Viewer, *, now: datetime, by_hand: bool = False) -> int:
    """Accept these applications, or none. ``by_hand``: the officer compared the proofs with what no fact can say."""
    if not enrolments:
        raise Refused("nobody", "请先勾选考生。")
    for plan in {enrolment.plan for enrolment in enrolments}:
        require_officer(session, plan, who)
    if wrong := unacceptable(session, enrolments, who, by_hand=by_hand):
        details = [f"{enrolment.candidate.name}：{''.join(wrong[enrolment.id])}" for enrolment in enrolments if enrolment.id in wrong]
        raise Refused("not_qualified", f"有 {len(wrong)} 名考生不能通过审核，没有改动任何人。", details[:20])
    for enrolment in enrolments:
        _note(session, enrolment, Qualification.ACCEPTED, "", who, now)
    session.flush()
    return len(enrolments)


def send_back(session: Session, enrolment: Enrolment, reason: str, who: Viewer, *, now: datetime) -> None:
    """Return an application with what is to be mended; an acceptance is taken back the same way, until he has a seat."""
    require_officer(session, enrolment.plan, who)
    if len(reason.strip()) < 2:
        raise Refused("reason_missing", "退回时请写明原因和需要补正的内容，考生据此补正。")
    if enrolment.qualification is Qualification.RETURNED:
        raise Refused("returned", "这份报名已经退回，等待补正。")
    if enrolment.seats:
        raise Refused("seated", f"{enrolment.candidate.name}已编排座位，不能退回资格审核。请先取消座位或重新编排。")
    _note(session, enrolment, Qualification.RETURNED, reason.strip()[:500], who, now)
    session.flush()


def accepted(enrolments: Iterable[Enrolment]) -> list[Enrolment]:
    return [enrolment for enrolment in enrolments if enrolment.qualification is Qualification.ACCEPTED]


def require_accepted(enrolments: Iterable[Enrolment]) -> None:
    """Refuse when one of them is not accepted: nobody is seated, ticketed or grouped before."""
    if names := [enrolment.candidate.name for enrolment in enrolments if enrolment.qualification is not Qualification.ACCEPTED]:
        raise Refused("not_qualified", f"{'、'.join(names[:10])}{'等' if len(names) > 10 else ''}共 {len(names)} 名考生的资格审核没有通过，不能安排考试。")


def counts(session: Session, plan_id: int) -> dict[Qualification, int]:
    rows: Mapping[Qualification, int] = {state: count for state, count in session.execute(  # noqa: C416  # a Row is no pair
        sa.select(Enrolment.qualification, sa.func.count()).where(Enrolment.plan_id == plan_id).group_by(Enrolment.qualification))}
    return {state: rows.get(state, 0) for state in Qualification}


def checks_of(session: Session, enrolments: Iterable[Enrolment]) -> dict[int, QualificationCheck]:
    """Enrolment → its newest check."""
    ids = [enrolment.id for enrolment in enrolments]
    rows = session.scalars(sa.select(QualificationCheck).where(QualificationCheck.enrolment_id.in_(ids)).order_by(QualificationCheck.id))
    return {check.enrolment_id: check for check in rows}


def options_of(session: Session, plan: ExamPlan) -> list[EntryCondition]:
    return entry.conditions_for(session, plan.standard_id, plan.level)


def _change(session: Session, enrolment: Enrolment, condition: EntryCondition, now: datetime) -> None:
    _require_changeable(enrolment)
    plan = enrolment.plan
    kept = condition.id == enrolment.condition_id
    if not kept and (condition.ended_at is not None or (condition.standard_id, condition.level) != (plan.standard_id, plan.level)):
        raise Refused("condition", "请从本方案职业和等级的申报条件中选一条。")
    enrolment.condition, enrolment.entry_condition = condition, condition.text
    _reopen(enrolment)


def _require_changeable(enrolment: Enrolment) -> None:
    if enrolment.qualification is Qualification.ACCEPTED:
        raise Refused("accepted", f"{enrolment.candidate.name}的资格审核已经通过，不能再改。确需更正时，请考务员先退回。")


def _reopen(enrolment: Enrolment) -> None:
    """Something was mended: it waits for a check again."""
    if enrolment.qualification is Qualification.RETURNED:
        enrolment.qualification = Qualification.PENDING


def _note(session: Session, enrolment: Enrolment, verdict: Qualification, reason: str, who: Viewer, now: datetime) -> None:
    enrolment.qualification = verdict
    number = f"第 {enrolment.condition.number} 条　" if enrolment.condition else ""
    session.add(QualificationCheck(enrolment=enrolment, verdict=verdict, reason=reason, condition=f"{number}{enrolment.entry_condition}",
                                   findings=[one.sentence for one in findings(enrolment)], checked_by=who.account_id, at=now))


def _is_own(enrolment: Enrolment, who: Viewer) -> bool:
    return enrolment.account_id == who.account_id and who.has(Role.CANDIDATE)


def _require_own(enrolment: Enrolment, who: Viewer) -> None:
    if not _is_own(enrolment, who):
        raise Refused("not_yours", "只能办理本人的报名。")

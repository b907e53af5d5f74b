"""What keeps a pack, and how it ends: holds, and destruction after its time by two persons with a record.

Only the file of the pack and the scans filed for it are destroyed. The rows of the database, the trail and the record of
the destruction (every file by name and hash) stay; copies in older backups end with those backups, which the record says.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from examroom.filing.duties import require_duty
from examroom.plans.models import ExamPlan
from qbank.kernel.access import Role, Viewer
from qbank.kernel.attachments import TAKEN_AWAY, Attachment, discard
from qbank.kernel.refused import Refused
from qbank.kernel.times import local_date, spoken
from scoring.archive import desk
from scoring.archive.models import ArchiveHold, ArchivePack, Destruction, DestructionState, FiledDocument
from scoring.archive.packing import manifest_of
from scoring.archive.retention import is_over
from scoring.archive.verifier import listed_of

HOLDERS = (Role.PROVINCE_OFFICER, Role.CITY_OFFICER, Role.EXAM_OFFICER)  # from above: who releases what is told by the order


def hold(session: Session, plan: ExamPlan, who: Viewer, reason: str, *, now: datetime) -> ArchiveHold:
    """Keep everything of a batch until it is released: a complaint, a court, an inspection."""
    office = _office(session, plan, who)
    if len(reason.strip()) < 2:
        raise Refused("no_reason", "请填写封存保留的原因和文号，例如“湘人社监〔2029〕3号 信访核查”。")
    made = ArchiveHold(plan_id=plan.id, reason=reason.strip()[:2000], role=office.value, set_by=who.account_id, set_at=now)
    session.add(made)
    session.flush()
    return made


def release(session: Session, held: ArchiveHold, who: Viewer, reason: str, *, now: datetime) -> None:
    """End a hold: the office that set it, or one above."""
    office = _office(session, held.plan, who)
    if held.released_at is not None:
        raise Refused("released", f"这项封存保留已于 {spoken(held.released_at)} 解除。")
    if HOLDERS.index(office) > HOLDERS.index(Role(held.role)):
        raise Refused("not_yours", f"这项封存保留由{Role(held.role).chinese}决定，只能由{Role(held.role).chinese}或上级解除。")
    if len(reason.strip()) < 2:
        raise Refused("no_reason", "请填写解除的依据，例如“核查结束，结论已送达”。")
    held.released_by, held.released_at, held.released_why = who.account_id, now, reason.strip()[:2000]
    session.flush()


def _office(session: Session, plan: ExamPlan, who: Viewer) -> Role:
    """The highest office in which ``who`` has to do with the plan."""
    for role in HOLDERS[:2]:
        if session.scalar(sa.select(ExamPlan.id).where(ExamPlan.id == plan.id, who.reach(ExamPlan.institution_id, role, plan=ExamPlan.id))):
            return role
    require_duty(session, who, plan.institution_id, Role.EXAM_OFFICER, plan_id=plan.id)
    return Role.EXAM_OFFICER


def holds_of(session: Session, plan: ExamPlan) -> Sequence[ArchiveHold]:
    return session.scalars(sa.select(ArchiveHold).where(ArchiveHold.plan_id == plan.id).order_by(ArchiveHold.id)).all()


def standing(session: Session, plan: ExamPlan) -> list[ArchiveHold]:
    return [one for one in holds_of(session, plan) if one.released_at is None]


# The end

def ask(session: Session, archived: ArchivePack, who: Viewer, reason: str, *, now: datetime) -> Destruction:
    """Ask to destroy a pack whose time is over; another person decides."""
    require_duty(session, who, archived.plan.institution_id, Role.EXAM_OFFICER, plan_id=archived.plan_id)
    require_destroyable(session, archived, local_date(now))
    if any(one.state is DestructionState.ASKED for one in archived.destructions):
        raise Refused("asked_already", "这卷档案已有销毁申请，请由另一名考务员核准。")
    if len(reason.strip()) < 2:
        raise Refused("no_reason", "请填写销毁的原因和依据，例如“保存期满，校档案鉴定小组 2031 年第 2 次会议”。")
    made = Destruction(pack=archived, reason=reason.strip()[:2000], asked_by=who.account_id, asked_at=now)
    session.add(made)
    session.flush()
    return made


def decide(session: Session, asked: Destruction, who: Viewer, approves: bool, comment: str = "", *, now: datetime) -> None:
    """The second person. Approved: the files go when this is durably written, and what went stays on record."""
    archived = asked.pack
    require_duty(session, who, archived.plan.institution_id, Role.EXAM_OFFICER, plan_id=archived.plan_id)
    if asked.state is not DestructionState.ASKED:
        raise Refused("decided", f"这项申请已有决定：{asked.state.chinese}。")
    if asked.asked_by == who.account_id:
        raise Refused("same_person", "销毁须由两人共同完成：您提出了申请，请由另一名考务员核准。")
    if not approves and len(comment.strip()) < 2:
        raise Refused("no_reason", "不同意销毁请写明理由。")
    if approves:
        require_destroyable(session, archived, local_date(now))
    asked.decided_by, asked.decided_at, asked.comment = who.account_id, now, comment.strip()[:2000]
    asked.state = DestructionState.DONE if approves else DestructionState.REFUSED
    if approves:
        _destroy(session, asked, now)
    session.flush()


def require_destroyable(session: Session, archived: ArchivePack, today: date) -> None:
    """Refuse while the electronic or the paper term runs, and while a hold stands."""
    if archived.destroyed_at is not None:
        raise Refused("destroyed", f"这卷档案已于 {spoken(archived.destroyed_at)} 销毁。")
    until = max(archived.keep_until, archived.paper_until or archived.keep_until)
    if not is_over(until, today):
        raise Refused("too_early", f"保存期到 {spoken(until)}（含当日）止，期满后才能销毁（湘人社函〔2020〕47号 五(二)）。")
    if held := standing(session, archived.plan):
        raise Refused("held", "这批档案正在封存保留，解除以前不能销毁。",
                      [f"{spoken(one.set_at)} {one.setter.name}（{Role(one.role).chinese}）：{one.reason}" for one in held])


def _destroy(session: Session, asked: Destruction, now: datetime) -> None:
    archived = asked.pack
    with desk.opened(session, archived) as stream:
        manifest = manifest_of(stream)
    asked.destroyed = [[f"归档卷 {archived.plan.number}.zip", archived.sha256, archived.size],
                       *([name, digest, size] for name, digest, size in (listed_of(manifest) if manifest else ()))]
    gone = [archived.sha256]
    for scan in _own_scans(session, archived.plan):
        asked.destroyed = [*asked.destroyed, [f"扫描件 {scan.name}", scan.sha256, scan.size]]
        gone.append(scan.sha256)
    archived.destroyed_at, archived.file = now, b""
    discard(session, gone)


def _own_scans(session: Session, plan: ExamPlan) -> Sequence[Attachment]:
    """The scans filed for this batch alone: content that another row names as well stays."""
    mine = sa.select(FiledDocument.attachment_id).where(FiledDocument.plan_id == plan.id, FiledDocument.attachment_id.is_not(None))
    others = sa.select(Attachment.sha256).where(Attachment.id.not_in(mine))
    return session.scalars(sa.select(Attachment).where(Attachment.id.in_(mine), Attachment.sha256.not_in(others)).order_by(Attachment.id)).all()


def _destroyed(session: Session) -> set[str]:
    return {str(sha256) for told in session.scalars(sa.select(Destruction.destroyed)) for _, sha256, _ in told}


TAKEN_AWAY.append(_destroyed)

"""到期删除: when all the archives of a person are destroyed after their time, what identifies him goes too.

The name, the results and the number of the certificate stay: they are what the certificate says and what anybody may ask
for. Identity number, photo, the certificate's PDF (both stand in it), contact and school data, the facts and proofs that he
was admitted by go. Two persons decide; the trail says that it happened and holds no value of what went. Copies in older
backups end with those backups.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from flask import url_for
from sqlalchemy.orm import Session

from examroom.filing.duties import require_duty
from examroom.plans.models import CandidatePhoto, Enrolment
from examroom.plans.qualification_models import EntryProof
from qbank.kernel import audit, jobs
from qbank.kernel.access import Role, Viewer
from qbank.kernel.accounts import Account, Grant, Institution
from qbank.kernel.attachments import TAKEN_AWAY, Attachment, discard
from qbank.kernel.audit import NOT_RECORDED
from qbank.kernel.db import Base, table_of
from qbank.kernel.jobs import Job, Work
from qbank.kernel.refused import Refused
from qbank.kernel.times import local_date
from scoring.archive.erasure_models import Erasure
from scoring.archive.models import ArchiveHold, ArchivePack, DestructionState
from scoring.certificates.models import Certificate, Replacement, ReplacementState
from scoring.results.case_models import Misconduct
from scoring.results.models import Result

AT_ONCE = 50
GONE = "（已到期删除）"


def due(session: Session, institution: Institution, today: date) -> Sequence[Account]:
    """The candidates of a school whose every batch is over, and of whom something is still held."""
    return session.scalars(sa.select(Account).where(*_may_go(today), Account.institution_id == institution.id).order_by(Account.id)).all()


def _may_go(today: date) -> list[sa.ColumnElement[bool]]:
    """Every plan's pack destroyed after its time, no hold, no ban that still counts, no copy asked for, and no other role."""
    own = sa.select(Enrolment.id).where(Enrolment.account_id == Account.id)
    over = sa.exists().where(ArchivePack.plan_id == Enrolment.plan_id, ArchivePack.destroyed_at.is_not(None))
    held = sa.exists().where(ArchiveHold.plan_id == Enrolment.plan_id, ArchiveHold.released_at.is_(None))
    banned = sa.exists().where(Misconduct.enrolment_id == Enrolment.id, Misconduct.banned_until >= today)
    asked = (sa.exists().where(Replacement.state == ReplacementState.ASKED, Replacement.certificate_id == Certificate.id,
                               Certificate.result_id == Result.id, Result.enrolment_id == Enrolment.id))
    return [Account.identity_masked.is_not(None), own.exists(),
            ~own.where(sa.or_(~over, held, banned, asked)).exists(),
            ~sa.exists().where(Grant.account_id == Account.id, Grant.role != Role.CANDIDATE)]


def ask(session: Session, institution: Institution, who: Viewer, reason: str, *, now: datetime) -> Erasure:
    """Ask to erase everybody of a school who is due; another person decides."""
    require_duty(session, who, institution.id, Role.EXAM_OFFICER)
    if waiting(session, [institution.id]):
        raise Refused("asked_already", "已有一项到期删除申请，请由另一名考务员核准。")
    if len(reason.strip()) < 2:
        raise Refused("no_reason", "请填写删除的原因和依据，例如“保存期满，档案已销毁，校档案鉴定小组 2031 年第 2 次会议”。")
    people = [one.id for one in due(session, institution, local_date(now))]
    if not people:
        raise Refused("nobody_due", "现在没有可以删除个人信息的考生：其全部批次的归档卷须已在保存期满后销毁，且没有封存保留、禁考或待核准的补换发。")
    made = Erasure(institution=institution, people=people, reason=reason.strip()[:2000], asked_by=who.account_id, asked_at=now)
    session.add(made)
    session.flush()
    return made


def waiting(session: Session, institution_ids: Collection[int]) -> set[int]:
    """Those of the schools that have a request which nobody decided yet."""
    return set(session.scalars(sa.select(Erasure.institution_id).where(Erasure.institution_id.in_(institution_ids),
                                                                       Erasure.state == DestructionState.ASKED)))


def decide(session: Session, asked: Erasure, who: Viewer, approves: bool, comment: str = "", *, now: datetime) -> Job | None:
    """The second person. Approved: a job erases one after the other; who is no longer due by then is left and named."""
    require_duty(session, who, asked.institution_id, Role.EXAM_OFFICER)
    if asked.state is not DestructionState.ASKED:
        raise Refused("decided", "这项申请已有决定。")
    if asked.asked_by == who.account_id:
        raise Refused("same_person", "到期删除须由两人共同完成：您提出了申请，请由另一名考务员核准。")
    if not approves and len(comment.strip()) < 2:
        raise Refused("no_reason", "不同意删除请写明理由。")
    asked.decided_by, asked.decided_at, asked.comment = who.account_id, now, comment.strip()[:2000]
    asked.state = DestructionState.DONE if approves else DestructionState.REFUSED
    session.flush()
    return jobs.enqueue(session, "archive.erase", {"erasure_id": asked.id}, who, now=now) if approves else None


@jobs.kind("archive.erase", "到期删除个人信息")
def erase_job(work: Work) -> str:
    while True:
        with work.transaction() as session:
            decided = session.get_one(Erasure, work.arguments["erasure_id"])
            finished = set(decided.erased) | {key for key, _ in decided.kept}
            some = [key for key in decided.people if key not in finished][:AT_ONCE]
            for key in some:
                _erase_one(session, decided, key, local_date(work.now()))
            done, total = len(decided.erased) + len(decided.kept), len(decided.people)
        work.progress(done, total)
        if done == total:
            return url_for("archive.erasures")


def _erase_one(session: Session, decided: Erasure, key: int, today: date) -> None:
    if session.scalar(sa.select(Account.id).where(Account.id == key, *_may_go(today))) is None:
        decided.kept = [*decided.kept, [key, "不再符合条件：有新的报名、封存保留或其他角色。"]]
        return
    erase(session, key)
    decided.erased = [*decided.erased, key]
    session.flush()


def erase(session: Session, account_id: int) -> None:
    """Blank what identifies one person, everywhere."""
    own = sa.select(Enrolment.id).where(Enrolment.account_id == account_id)
    issued = sa.select(Certificate.id).join(Certificate.result).where(Result.enrolment_id.in_(own))
    _erase_photos(session, own, issued)
    _erase_proofs(session, own)
    _blank(session, "accounts", Base.metadata.tables["accounts"].c.id == account_id, {
        "identity_cipher": None, "identity_hash": None, "identity_masked": None, "password_hash": None, "active": False,
        "login": f"erased-{account_id}", "generation": Base.metadata.tables["accounts"].c.generation + 1})
    _blank(session, "enrolments", table_of(Enrolment).c.account_id == account_id, {
        "born": None, "facts": {}, "student_number": "", "class_name": "", "time_reason": "", "photo_id": None})
    _blank(session, "certificates", table_of(Certificate).c.id.in_(issued), {
        "identity_hash": "", "identity_masked": "", "photo_id": None, "pdf": b""})
    _blank(session, "certificate_replacements", table_of(Replacement).c.certificate_id.in_(issued), {"previous_pdf": None})
    proofs = Base.metadata.tables["score_proofs"]
    _blank(session, "score_proofs", proofs.c.result_id.in_(sa.select(Result.id).where(Result.enrolment_id.in_(own))), {"identity_masked": ""})
    _erase_reports(session, issued)
    _erase_objectors(session, own)
    session.expire_all()


def _blank(session: Session, name: str, which: sa.ColumnElement[bool], values: dict[str, Any]) -> None:
    """One statement beside the objects: the trail gets the names of the columns, and no value."""
    table, connection = Base.metadata.tables[name], session.connection()
    for key in connection.scalars(sa.select(table.c.id).where(which)).all():
        connection.execute(sa.update(table).where(table.c.id == key).values(**values))
        audit.note(session, session.info["actor"], "erase", name, key, {column: [NOT_RECORDED, None] for column in values})


def _erase_photos(session: Session, own: sa.Select[int], issued: sa.Select[int]) -> None:
    """The pictures that nobody else's enrolment or certificate shows."""
    enrolments, certificates, connection = table_of(Enrolment), table_of(Certificate), session.connection()
    keys = set(connection.scalars(sa.select(enrolments.c.photo_id).where(enrolments.c.id.in_(own), enrolments.c.photo_id.is_not(None))))
    keys |= set(connection.scalars(sa.select(certificates.c.photo_id).where(certificates.c.id.in_(issued), certificates.c.photo_id.is_not(None))))
    others = sa.union(sa.select(enrolments.c.photo_id).where(enrolments.c.id.not_in(own), enrolments.c.photo_id.in_(keys)),
                      sa.select(certificates.c.photo_id).where(certificates.c.id.not_in(issued), certificates.c.photo_id.in_(keys)))
    for key in keys - set(connection.scalars(others)):
        _blank(session, CandidatePhoto.__tablename__, table_of(CandidatePhoto).c.id == key, {"content": b"", "sha256": ""})


def _erase_proofs(session: Session, own: sa.Select[int]) -> None:
    """Files that only this person's enrolments name. One file may stand for a whole class: it goes with the last of them."""
    mine = sa.select(EntryProof.attachment_id).where(EntryProof.enrolment_id.in_(own))
    theirs = (sa.select(EntryProof.attachment_id).join(EntryProof.enrolment).join(Enrolment.candidate)
              .where(EntryProof.enrolment_id.not_in(own), Account.identity_masked.is_not(None)))
    found = session.scalars(sa.select(Attachment).where(Attachment.id.in_(mine), Attachment.id.not_in(theirs), Attachment.size > 0)).all()
    _blank(session, Attachment.__tablename__, table_of(Attachment).c.id.in_([one.id for one in found]), {"name": GONE, "size": 0})
    discard(session, _erased(session) & {one.sha256 for one in found})


def _erased(session: Session) -> set[str]:
    """Content whose every row was blanked: a row without size, which no upload has."""
    whole = sa.orm.aliased(Attachment)
    left = sa.exists().where(whole.sha256 == Attachment.sha256, whole.size > 0)
    return set(session.scalars(sa.select(Attachment.sha256).where(Attachment.size == 0, ~left)))


TAKEN_AWAY.append(_erased)


def _erase_reports(session: Session, issued: sa.Select[int]) -> None:
    """A report to the office names everybody of a list: its workbook goes with the last of them."""
    batches, lines, certificates = (Base.metadata.tables[name] for name in ("report_batches", "report_lines", "certificates"))
    others = sa.select(lines.c.id).join(certificates, certificates.c.id == lines.c.certificate_id).where(
        lines.c.batch_id == batches.c.id, certificates.c.identity_masked != "")
    mine = sa.select(lines.c.batch_id).where(lines.c.certificate_id.in_(issued))
    _blank(session, "report_batches", sa.and_(batches.c.id.in_(mine), ~others.exists()), {"file_cipher": b""})


def _erase_objectors(session: Session, own: sa.Select[int]) -> None:
    """Who raised an objection gave a name and a telephone: they go with the last candidate of the batch."""
    enrolments, lists = table_of(Enrolment), Base.metadata.tables["result_lists"]
    objections = Base.metadata.tables["objections"]
    left = sa.select(Account.id).join(Enrolment, Enrolment.account_id == Account.id).where(
        Enrolment.plan_id == lists.c.plan_id, Account.identity_masked.is_not(None))
    over = sa.select(lists.c.id).where(lists.c.plan_id.in_(sa.select(enrolments.c.plan_id).where(enrolments.c.id.in_(own))), ~left.exists())
    _blank(session, "objections", sa.and_(objections.c.list_id.in_(over), objections.c.raised_by != GONE), {"raised_by": GONE})

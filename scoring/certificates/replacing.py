"""补发、换发: a certificate is made once more under its old number. One officer asks, another one decides."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from examroom.filing.duties import require_duty
from qbank.kernel.access import Role, Viewer
from qbank.kernel.identity import IdentityCipher
from qbank.kernel.refused import Refused
from qbank.kernel.settings import Settings
from qbank.kernel.times import local_date
from scoring.certificates import desk
from scoring.certificates.models import Certificate, Replacement, ReplacementCause, ReplacementState
from scoring.certificates.signing import Seal


def ask(session: Session, certificate: Certificate, cause: ReplacementCause, reason: str, who: Viewer, *, now: datetime) -> Replacement:
    """Ask for another copy. Refuses a revoked certificate, a second request, and a correction that changes nothing."""
    _require(session, certificate, who)
    if certificate.revoked_at is not None:
        raise Refused("already_revoked", f"证书 {certificate.number} 已注销，不能补发或换发。")
    if any(one.state is ReplacementState.ASKED for one in certificate.replacements):
        raise Refused("asked_already", "这份证书已有一份补换发申请等待核准，请先处理。")
    if not 2 <= len(reason.strip()) <= 2000:
        raise Refused("no_reason", "请填写补发或换发的原因，例如“本人书面申请，声明原证书遗失”。")
    if cause is ReplacementCause.CORRECTED and not _differs(certificate):
        raise Refused("nothing_to_correct", "考生名册中的姓名和证件号码与证书上的一致。请先更正考生信息，再申请换发。")
    made = Replacement(certificate=certificate, cause=cause, reason=reason.strip(), asked_by=who.account_id, asked_at=now)
    session.add(made)
    session.flush()
    return made


def decide(session: Session, replacement: Replacement, who: Viewer, approves: bool, comment: str, *, cipher: IdentityCipher,
           now: datetime) -> None:
    """Another officer agrees, and the copy is made; or refuses with a comment. Who asked cannot decide."""
    certificate = replacement.certificate
    _require(session, certificate, who)
    if replacement.state is not ReplacementState.ASKED:
        raise Refused("decided_already", f"这份申请已经处理过了，现在是“{replacement.state.chinese}”。")
    if replacement.asked_by == who.account_id:
        raise Refused("same_person", "补发和换发须由另一名考务人员核准，申请人不能核准自己的申请。")
    if not approves and len(comment.strip()) < 2:
        raise Refused("no_reason", "不同意时请写明原因，申请人能看到。")
    replacement.decided_by, replacement.decided_at, replacement.comment = who.account_id, now, comment.strip()[:2000]
    replacement.state = ReplacementState.MADE if approves else ReplacementState.REFUSED
    if approves:
        _make(session, replacement, cipher, now)
    session.flush()


def _make(session: Session, replacement: Replacement, cipher: IdentityCipher, now: datetime) -> None:
    certificate = replacement.certificate
    if certificate.revoked_at is not None:
        raise Refused("already_revoked", f"证书 {certificate.number} 已注销，不能补发或换发。")
    settings: Settings = session.info["jobs"].settings
    candidate, today = certificate.result.enrolment.candidate, local_date(now)
    face = desk.face_of(session, certificate.result, certificate.number, certificate.issued_on, cipher, replaced_on=today)
    replacement.previous_pdf = certificate.pdf
    certificate.pdf = desk.sign(certificate.result_id, face, Seal.ours(session, settings, now=now), settings, now=now).pdf
    certificate.holder, certificate.photo_id = candidate.name, certificate.result.enrolment.photo_id
    certificate.identity_hash = cipher.fingerprint(face.identity_number)
    certificate.identity_masked, certificate.identity_kind = candidate.identity_masked or "", face.identity_kind


def _differs(certificate: Certificate) -> bool:
    enrolment = certificate.result.enrolment
    return ((certificate.holder, certificate.identity_masked, certificate.photo_id)
            != (enrolment.candidate.name, enrolment.candidate.identity_masked, enrolment.photo_id))


def _require(session: Session, certificate: Certificate, who: Viewer) -> None:
    plan = certificate.result.list.plan
    require_duty(session, who, plan.institution_id, Role.EXAM_OFFICER, plan_id=plan.id)

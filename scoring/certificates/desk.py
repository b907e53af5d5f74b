"""Issuing certificates (notice 四(四)): number, face, signature, row; and taking them back.

Numbers are given first, in a short transaction under a lock of the school; what was given stays given. Certificates are
drawn and signed outside any transaction and written in another short one: however many people issue at once, and
wherever they are broken off, serials have no gaps, and on SQLite the write lock is held for milliseconds.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, joinedload

from examroom.filing.duties import require_duty
from examroom.plans import guard
from examroom.plans.models import Enrolment
from qbank.kernel import jobs
from qbank.kernel.access import Role, Viewer, fetch
from qbank.kernel.accounts import Account, Institution
from qbank.kernel.identity import IdentityCipher
from qbank.kernel.jobs import Job, Work
from qbank.kernel.printing import Drawing, drawing
from qbank.kernel.refused import Refused
from qbank.kernel.settings import Settings
from qbank.kernel.times import local_date, spoken
from scoring.certificates import numbers
from scoring.certificates.face import Face, draw
from scoring.certificates.models import Certificate, GrantedNumber
from scoring.certificates.public import look_up
from scoring.certificates.seals import picture_of
from scoring.certificates.signing import Seal
from scoring.results.models import Result, ResultList, ResultState

__all__ = ["ask_for", "certificates_of", "issue", "lacking", "look_up", "require_issuable", "revoke"]

CHUNK = 20  # certificates drawn between two short transactions
ATTEMPTS = 5  # at a list that somebody else issues at the same time


@dataclass(frozen=True)
class Drawn:
    """A certificate that is drawn and signed, not yet written."""

    result_id: int
    face: Face
    pdf: bytes


def issue(session: Session, result_list: ResultList, who: Viewer, *, cipher: IdentityCipher, now: datetime) -> int:
    """Certificates for every passed result of a final list that has none; returns how many were added."""
    require_issuable(session, result_list, who)
    settings: Settings = session.info["jobs"].settings
    faces = next_faces(session, result_list, cipher, local_date(now))
    seal = Seal.ours(session, settings, now=now)
    return write(session, [sign(result_id, face, seal, settings, now=now) for result_id, face in faces], who, cipher)


def ask_for(session: Session, result_list: ResultList, who: Viewer, *, now: datetime) -> Job:
    """Have the certificates made off the request."""
    require_issuable(session, result_list, who)
    if not lacking(session, result_list):
        raise Refused("nothing_to_issue", "这批认定结果中的合格人员都已有证书，不需要再制作。")
    return jobs.enqueue(session, "certificates.issue", {"list_id": result_list.id}, who, now=now)


@jobs.kind("certificates.issue", "制作证书")
def issue_job(work: Work) -> str:
    """As ``issue``, in chunks; what somebody else has made in the meantime is left out."""
    cipher, seal = work.settings.identity_cipher(), Seal.for_work(work)
    list_id = work.arguments["list_id"]
    made = failures = 0
    while True:
        with work.transaction() as session:
            result_list = fetch(session, ResultList, list_id, work.who)
            require_issuable(session, result_list, work.who)
            left = len(lacking(session, result_list))
            faces = next_faces(session, result_list, cipher, local_date(work.now()), most=CHUNK)
        if not faces:
            return f"/certificates/lists/{list_id}"
        work.progress(made, made + left, f"正在制作 {faces[0][1].holder} 等 {len(faces)} 人的证书…")
        drawn = [sign(result_id, face, seal, work.settings, now=work.now()) for result_id, face in faces]
        try:
            with work.transaction() as session:
                made += write(session, drawn, work.who, cipher)
        except IntegrityError:
            failures += 1
            if failures == ATTEMPTS:
                raise Refused("issued_twice", "有人正在同时制作这批证书。请待对方完成后刷新页面查看。") from None


def require_issuable(session: Session, result_list: ResultList, who: Viewer) -> None:
    """Refuse unless ``who`` issues for this school, the list is final and the school has its prefix."""
    institution = result_list.plan.institution
    require_duty(session, who, institution.id, Role.EXAM_OFFICER, plan_id=result_list.plan_id)
    guard.require_plan_in_scope(session, result_list.plan)
    if result_list.state is not ResultState.FINAL:
        raise Refused("not_final", f"认定结果现在是“{result_list.state.chinese}”。经市初审、省审核通过后才能制作证书。")
    prefix_of(institution)


def prefix_of(institution: Institution) -> str:
    """The assigned prefix. Refuses while there is none, saying whom to ask, and one of another province."""
    prefix = institution.certificate_prefix or ""
    if not numbers.is_prefix(prefix):
        raise Refused("no_prefix", f"{institution.name}还没有证书编号前段（机构类别字母、机构代码、省码和序列码，共 13 位）。请向省鉴定中心申领，"
                                   "再请系统管理员在“单位”中登记后制作证书；前段由人社部门核发，不能自行编造。")
    if numbers.province_of(prefix) != institution.region[:2]:
        raise Refused("foreign_prefix", f"证书编号前段 {prefix} 的第 6、7 位是省码 {numbers.province_of(prefix)}，与学校所在地区 "
                                        f"{institution.region} 不符。请对照省鉴定中心的批复核对，并请系统管理员更正。")
    return prefix


def lacking(session: Session, result_list: ResultList, most: int | None = None) -> Sequence[Result]:
    """The passed results of a list that have no certificate, by ticket number."""
    has_one = sa.exists().where(Certificate.result_id == Result.id)
    return session.scalars(
        sa.select(Result).join(Result.enrolment)
        .where(Result.list_id == result_list.id, Result.passed, sa.not_(has_one))
        .options(joinedload(Result.enrolment).options(joinedload(Enrolment.candidate), joinedload(Enrolment.photo)))
        .order_by(Enrolment.ticket_number).limit(most)).all()


def next_faces(session: Session, result_list: ResultList, cipher: IdentityCipher, today: date,
               most: int | None = None) -> list[tuple[int, Face]]:
    """The faces of the next certificates of a list, under the numbers that they are given here or were given before."""
    results = lacking(session, result_list, most)
    given = _give_numbers(session, result_list, results, today)
    seal = picture_of(session, result_list.plan.institution)
    return [(result.id, face_of(session, result, given[result.id].number, given[result.id].issued_on, cipher, seal=seal))
            for result in results]


def _give_numbers(session: Session, result_list: ResultList, results: Sequence[Result], today: date) -> dict[int, GrantedNumber]:
    """Each result's number; the next ones of this prefix, year and level for those that have none."""
    plan = result_list.plan
    prefix = prefix_of(plan.institution)
    # Whoever else gives numbers of this school waits here. No other row of the school does: its key is not locked.
    session.execute(sa.select(Institution.id).where(Institution.id == plan.institution_id).with_for_update(key_share=True))
    given = {one.result_id: one for one in session.scalars(
        sa.select(GrantedNumber).where(GrantedNumber.result_id.in_([result.id for result in results])))}
    stem = numbers.stem(prefix, today.year, plan.level)
    newest = [session.scalar(sa.select(sa.func.max(column)).where(column.startswith(stem)))
              for column in (GrantedNumber.number, Certificate.number)]
    without = [result for result in results if result.id not in given]
    try:
        following = numbers.following(filter(None, newest), prefix, today.year, plan.level, len(without))
    except ValueError:
        raise Refused("numbers_used_up", f"{today.year} 年该等级的证书流水号已用完，请向省鉴定中心申请新的前缀。") from None
    for result, number in zip(without, following, strict=True):
        given[result.id] = GrantedNumber(result_id=result.id, number=str(number), issued_on=today)
    session.add_all(given.values())
    session.flush()
    return given


def face_of(session: Session, result: Result, number: str, issued_on: date, cipher: IdentityCipher, *, replaced_on: date | None = None,
            seal: Drawing | None = None) -> Face:
    """The face of one certificate with the candidate's name and photo as they stand now."""
    plan, candidate, photo = result.list.plan, result.enrolment.candidate, result.enrolment.photo
    standard = plan.standard
    return Face(number=number, holder=candidate.name, identity_number=_identity_number(candidate, cipher), identity_kind=candidate.identity_kind.chinese,
                occupation=standard.occupation.name, occupation_code=standard.occupation.code, work_type=standard.work_type,
                level=plan.level, issuer=plan.institution.name, issued_on=issued_on, replaced_on=replaced_on,
                photo=drawing(photo.content, photo.media_type) if photo else None,
                seal=seal or picture_of(session, plan.institution))


def _identity_number(candidate: Account, cipher: IdentityCipher) -> str:
    if candidate.identity_cipher is None:
        raise Refused("no_identity", f"考生{candidate.name}没有登记身份证号码，不能制作证书。请先在考生名册中补充。")
    return cipher.decrypt(candidate.identity_cipher)


def sign(result_id: int, face: Face, seal: Seal, settings: Settings, *, now: datetime) -> Drawn:
    """Draw and sign one certificate; touches no database."""
    pdf = draw(face, settings.public_url, made_at=now)
    return Drawn(result_id, face, seal.sign(pdf, issuer=face.issuer, at=now))


def write(session: Session, drawn: Sequence[Drawn], who: Viewer, cipher: IdentityCipher) -> int:
    """Store drawn certificates. Raises IntegrityError when a number or a result was taken in between."""
    for one in drawn:
        face, result = one.face, session.get_one(Result, one.result_id)
        session.add(Certificate(
            result=result, number=face.number, holder=face.holder, occupation=face.occupation,
            occupation_code=face.occupation_code, work_type=face.work_type, level=face.level, issuer=face.issuer,
            issued_on=face.issued_on, issued_by=who.account_id, pdf=one.pdf,
            identity_hash=cipher.fingerprint(face.identity_number), identity_kind=face.identity_kind,
            identity_masked=result.enrolment.candidate.identity_masked or "", photo_id=result.enrolment.photo_id))
    session.flush()
    return len(drawn)


def certificates_of(session: Session, result_list: ResultList) -> Sequence[Certificate]:
    """All certificates of a list, revoked ones too, by number."""
    return session.scalars(sa.select(Certificate).join(Certificate.result).where(Result.list_id == result_list.id)
                           .order_by(Certificate.number)).all()


def revoke(session: Session, certificate: Certificate, who: Viewer, reason: str, *, now: datetime) -> None:
    """注销: the certificate stays findable as revoked, and its number is not used again."""
    plan = certificate.result.list.plan
    require_duty(session, who, plan.institution_id, Role.EXAM_OFFICER, plan_id=plan.id)
    if certificate.revoked_at is not None:
        raise Refused("already_revoked", f"证书 {certificate.number} 已于 {spoken(certificate.revoked_at)} 注销，不能再次注销。")
    if len(reason.strip()) < 2:
        raise Refused("no_reason", "请填写注销原因，例如“冒名顶替，经省鉴定中心核实”。")
    certificate.revoked_at, certificate.revoked_why = now, reason.strip()[:2000]

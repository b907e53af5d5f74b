"""The upward report (上报数据; domain.md 4.4): a batch for the office, and its answer row by row.

A certificate is sent once; again only when the office sent it back, or when it was replaced or revoked afterwards. A
batch keeps its file (encrypted), so that the very same one can be taken again.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping, Sequence
from datetime import datetime
from io import BytesIO
from typing import Any
from zipfile import ZIP_STORED, ZipFile

import sqlalchemy as sa
from sqlalchemy.orm import Session, joinedload, selectinload

from examroom.filing.duties import require_duty
from examroom.plans import persons
from examroom.plans.models import CandidatePhoto, Enrolment
from qbank.kernel.access import Role, Viewer
from qbank.kernel.accounts import Institution
from qbank.kernel.export import Table, workbook
from qbank.kernel.identity import IdentityCipher
from qbank.kernel.refused import Refused
from qbank.standards.models import LEVEL_NAMES
from scoring.certificates import layout
from scoring.certificates.layout import Layout
from scoring.certificates.models import Certificate, Disclosed
from scoring.certificates.report_models import BatchKind, LineState, ReportBatch, ReportLayout, ReportLine
from scoring.certificates.taken import disclose, require_officer
from scoring.results.models import Result, ResultList

ASSESSMENT = "技工院校认定"
EXTENSIONS = {"image/png": ".png", "image/jpeg": ".jpg"}


def layout_of(session: Session, institution: Institution) -> Layout:
    """The layout that a school set last, else the default one."""
    row = session.scalars(sa.select(ReportLayout).where(ReportLayout.institution_id == institution.id)
                          .order_by(ReportLayout.id.desc()).limit(1)).first()
    return Layout.read(row.layout) if row else layout.default()


def set_layout(session: Session, institution: Institution, wanted: Layout, who: Viewer, *, now: datetime) -> ReportLayout:
    """The school's reports look like this from now on."""
    require_duty(session, who, institution.id, Role.EXAM_OFFICER)
    made = ReportLayout(institution_id=institution.id, layout=wanted.stored(), set_by=who.account_id, at=now)
    session.add(made)
    session.flush()
    return made


def due(session: Session, result_list: ResultList) -> dict[BatchKind, list[Certificate]]:
    """Which certificates of a list are to be sent now, and why."""
    newest: dict[int, ReportLine] = {}
    for line in session.scalars(sa.select(ReportLine).join(ReportLine.batch).where(ReportBatch.list_id == result_list.id)
                                .options(joinedload(ReportLine.batch)).order_by(ReportLine.batch_id)):
        newest[line.certificate_id] = line
    found: dict[BatchKind, list[Certificate]] = {kind: [] for kind in BatchKind}
    for certificate in session.scalars(sa.select(Certificate).join(Certificate.result).where(Result.list_id == result_list.id).options(
            joinedload(Certificate.result), selectinload(Certificate.replacements),
            joinedload(Certificate.photo).load_only(CandidatePhoto.media_type)).order_by(Certificate.number)):
        if kind := _why(certificate, newest.get(certificate.id)):
            found[kind].append(certificate)
    return found


def _why(certificate: Certificate, line: ReportLine | None) -> BatchKind | None:
    if line is None:
        return None if certificate.revoked_at else BatchKind.NEW
    if any(moment and moment > line.batch.at for moment in (certificate.replaced_at, certificate.revoked_at)):
        return BatchKind.CHANGED
    return BatchKind.RESENT if line.state is LineState.REJECTED and certificate.revoked_at is None else None


def make_batch(session: Session, result_list: ResultList, kind: BatchKind, who: Viewer, *, cipher: IdentityCipher, now: datetime) -> ReportBatch:
    """Make the workbook of what is due; its certificates then wait for the office's receipt."""
    require_officer(session, result_list, who)
    session.execute(sa.select(ResultList.id).where(ResultList.id == result_list.id).with_for_update())  # two officers press at once
    chosen = due(session, result_list)[kind]
    if not chosen:
        raise Refused("nothing_to_report", f"现在没有需要{kind.chinese}的证书。")
    wanted = layout_of(session, result_list.plan.institution)
    book = workbook([Table(wanted.sheet, [(one.title, one.width) for one in wanted.columns], wanted.rows(records(session, chosen, cipher)))],
                    made_at=now)
    number = (session.scalar(sa.select(sa.func.max(ReportBatch.number)).where(ReportBatch.list_id == result_list.id)) or 0) + 1
    batch = ReportBatch(list_id=result_list.id, number=number, kind=kind, layout=wanted.stored(), made_by=who.account_id, at=now,
                        file_cipher=cipher.encrypt(base64.b64encode(book).decode()), sha256=hashlib.sha256(book).hexdigest(),
                        lines=[ReportLine(certificate_id=one.id, row=row) for row, one in enumerate(chosen, 1)])
    session.add(batch)
    session.flush()
    return batch


def take(session: Session, batch: ReportBatch, who: Viewer, *, cipher: IdentityCipher, now: datetime) -> bytes:
    """The batch's workbook, the same at every time. That it was taken is put on record."""
    require_officer(session, batch.results, who)
    if not batch.file_cipher:
        raise Refused("erased", "这批上报数据中的个人信息已在保存期满后删除，不能再下载。")
    disclose(session, batch.results, who, Disclosed.REPORT, len(batch.lines), now)
    return base64.b64decode(cipher.decrypt(batch.file_cipher))


def photos(session: Session, batch: ReportBatch, who: Viewer, *, now: datetime) -> bytes:
    """A zip of the photos of a batch, each under the name that stands in its row."""
    require_officer(session, batch.results, who)
    pictured = [line.certificate for line in batch.lines if line.certificate.photo]
    if not pictured:
        raise Refused("no_photos", "这次上报的证书都没有照片。")
    stream = BytesIO()
    with ZipFile(stream, "w", ZIP_STORED) as file:
        for one in pictured:
            file.writestr(photo_name(one), one.photo.content if one.photo else b"")
    disclose(session, batch.results, who, Disclosed.PHOTOS, len(pictured), now)
    return stream.getvalue()


def records(session: Session, certificates: Sequence[Certificate], cipher: IdentityCipher) -> list[dict[str, Any]]:
    """What there is to tell of each certificate, by the names of ``layout.FIELDS``."""
    enrolled = {one.id: one for one in session.scalars(sa.select(Enrolment).join(Result, Result.enrolment_id == Enrolment.id).where(
        Result.id.in_([one.result_id for one in certificates])).options(joinedload(Enrolment.candidate), joinedload(Enrolment.plan)))}
    return [_record(serial, one, enrolled[one.result.enrolment_id], cipher) for serial, one in enumerate(certificates, 1)]


def _record(serial: int, one: Certificate, enrolment: Enrolment, cipher: IdentityCipher) -> dict[str, Any]:
    number = cipher.decrypt(enrolment.candidate.identity_cipher or b"")
    facts: Mapping[str, Any] = enrolment.facts
    return {
        "serial": serial, "holder": one.holder, "sex": persons.sex(enrolment, number),
        "identity_kind": enrolment.candidate.identity_kind.chinese, "identity_number": number,
        "born": persons.born(enrolment, number), "education": facts.get("education", ""), "occupation_code": one.occupation_code, "occupation": one.occupation,
        "work_type": one.work_type, "level": LEVEL_NAMES[one.level], "level_digit": one.level, "theory": _score(one.result.theory),
        "practical": _score(one.result.practical), "review": _score(one.result.review), "verdict": "合格", "number": one.number,
        "issued_on": one.issued_on, "issuer": one.issuer, "issuer_code": one.number[:13], "assessment": ASSESSMENT,
        "photo": photo_name(one), "state": "注销" if one.revoked_at else "有效", "plan_number": enrolment.plan.number,
        "plan_title": enrolment.plan.title, "ticket_number": enrolment.ticket_number, "student_number": enrolment.student_number,
        "class_name": enrolment.class_name, "entry_condition": enrolment.entry_condition, "previous_number": facts.get("certificate_number", "")}


def photo_name(certificate: Certificate) -> str:
    """What the file of a photo is called in the ZIP for the office; "" without a photo."""
    return f"{certificate.number}{EXTENSIONS[certificate.photo.media_type]}" if certificate.photo else ""


def _score(half_points: int | None) -> float | None:
    return None if half_points is None else half_points / 2

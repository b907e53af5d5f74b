"""What leaves the house with full identity numbers: certificates, one or all, and twins. Each is put on record."""

from __future__ import annotations

from datetime import datetime
from io import BytesIO
from zipfile import ZIP_STORED, ZipFile

import sqlalchemy as sa
from sqlalchemy.orm import Session

from examroom.filing.duties import require_duty
from qbank.kernel.access import Role, Viewer
from qbank.kernel.refused import Refused
from scoring.certificates.desk import certificates_of
from scoring.certificates.models import Certificate, Disclosed, Disclosure
from scoring.results.models import Result, ResultList


def all_pdfs(session: Session, result_list: ResultList, who: Viewer, *, now: datetime) -> bytes:
    """A zip of every valid certificate of a list."""
    require_officer(session, result_list, who)
    valid = [certificate for certificate in certificates_of(session, result_list) if certificate.revoked_at is None and not certificate.erased]
    if not valid:
        raise Refused("no_certificates", "这批认定结果还没有有效的证书，没有可以下载的内容。请先制作证书。")
    pdfs = dict(session.execute(sa.select(Certificate.number, Certificate.pdf).join(Certificate.result)
                                .where(Result.list_id == result_list.id)).all())
    stream = BytesIO()
    with ZipFile(stream, "w", ZIP_STORED) as file:
        for certificate in valid:
            file.writestr(f"{certificate.number}_{certificate.holder}.pdf", pdfs[certificate.number])
    disclose(session, result_list, who, Disclosed.ALL_CERTIFICATES, len(valid), now)
    return stream.getvalue()


def one_pdf(session: Session, certificate: Certificate, who: Viewer, *, now: datetime) -> bytes:
    """The signed PDF of one certificate."""
    result_list = certificate.result.list
    require_officer(session, result_list, who)
    require_held(certificate)
    disclose(session, result_list, who, Disclosed.CERTIFICATE, 1, now, certificate)
    return certificate.pdf


def require_held(certificate: Certificate) -> None:
    """Refuse what was erased after its time."""
    if certificate.erased:
        raise Refused("erased", f"证书 {certificate.number} 的证件号码、照片和 PDF 已在保存期满后删除，只保留编号、姓名和结果。")


def note_credential(session: Session, certificate: Certificate, who: Viewer, *, now: datetime) -> None:
    """That somebody took the machine-readable twin of a certificate."""
    require_officer(session, certificate.result.list, who)
    disclose(session, certificate.result.list, who, Disclosed.CREDENTIAL, 1, now, certificate)


def require_officer(session: Session, result_list: ResultList, who: Viewer) -> None:
    plan = result_list.plan
    require_duty(session, who, plan.institution_id, Role.EXAM_OFFICER, plan_id=plan.id)


def disclose(session: Session, result_list: ResultList, who: Viewer, what: Disclosed, people: int, now: datetime,
             certificate: Certificate | None = None) -> None:
    session.add(Disclosure(list_id=result_list.id, certificate_id=certificate.id if certificate else None, what=what,
                           people=people, account_id=who.account_id, at=now))

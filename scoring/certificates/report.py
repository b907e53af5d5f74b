"""The upward report (上报数据; domain.md 4.4) and what leaves the house with full identity numbers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from io import BytesIO
from zipfile import ZIP_STORED, ZipFile

import sqlalchemy as sa
from sqlalchemy.orm import Session

from examroom.filing.duties import require_duty
from qbank.kernel.access import Role, Viewer
from qbank.kernel.export import Table, workbook
from qbank.kernel.identity import IdentityCipher, birth_date, is_female
from qbank.kernel.refused import Refused
from qbank.standards.models import LEVEL_NAMES
from scoring.certificates.desk import certificates_of
from scoring.certificates.models import Certificate, Disclosed, Disclosure
from scoring.results.models import Result, ResultList

Line = Callable[[int, Certificate, str], str | int | float | None]


def _score(half_points: int | None) -> float | None:
    return None if half_points is None else half_points / 2


# No official column list could be read: title, width, value of (serial, certificate, identity number).
COLUMNS: Sequence[tuple[str, int, Line]] = (
    ("序号", 6, lambda serial, one, number: serial),
    ("姓名", 12, lambda serial, one, number: one.holder),
    ("性别", 6, lambda serial, one, number: "女" if is_female(number) else "男"),
    ("证件类型", 12, lambda serial, one, number: "居民身份证"),
    ("证件号码", 22, lambda serial, one, number: number),
    ("出生日期", 12, lambda serial, one, number: birth_date(number).isoformat()),
    ("文化程度", 10, lambda serial, one, number: ""),  # not kept here: filled in by the school
    ("职业编码", 14, lambda serial, one, number: one.occupation_code),
    ("职业名称", 16, lambda serial, one, number: one.occupation),
    ("工种/职业方向", 16, lambda serial, one, number: one.work_type),
    ("等级", 14, lambda serial, one, number: LEVEL_NAMES[one.level]),
    ("理论成绩", 10, lambda serial, one, number: _score(one.result.theory)),
    ("技能成绩", 10, lambda serial, one, number: _score(one.result.practical)),
    ("综合评审成绩", 12, lambda serial, one, number: _score(one.result.review)),
    ("评定成绩", 10, lambda serial, one, number: "合格"),
    ("证书编号", 26, lambda serial, one, number: one.number),
    ("发证日期", 12, lambda serial, one, number: one.issued_on.isoformat()),
    ("发证机构", 26, lambda serial, one, number: one.issuer),
    ("机构代码", 20, lambda serial, one, number: one.number[:13]),
    ("评价类型", 14, lambda serial, one, number: "技工院校认定"),
    ("照片文件名", 24, lambda serial, one, number: ""),  # photos are not kept here
)


def report(session: Session, result_list: ResultList, who: Viewer, *, cipher: IdentityCipher, now: datetime) -> bytes:
    """The workbook for the province: every valid certificate of a list. That it was made is put on record."""
    valid = _valid(session, result_list, who)
    rows = []
    for serial, certificate in enumerate(valid, 1):
        number = cipher.decrypt(certificate.result.enrolment.candidate.identity_cipher or b"")
        rows.append([value(serial, certificate, number) for _, _, value in COLUMNS])
    _disclose(session, result_list, who, Disclosed.REPORT, len(valid), now)
    return workbook([Table("证书数据上报", [(title, width) for title, width, _ in COLUMNS], rows)], made_at=now)


def all_pdfs(session: Session, result_list: ResultList, who: Viewer, *, now: datetime) -> bytes:
    """A zip of every valid certificate of a list, on record."""
    valid = _valid(session, result_list, who)
    pdfs = dict(session.execute(sa.select(Certificate.number, Certificate.pdf).join(Certificate.result)
                                .where(Result.list_id == result_list.id)).all())
    stream = BytesIO()
    with ZipFile(stream, "w", ZIP_STORED) as file:
        for certificate in valid:
            file.writestr(f"{certificate.number}_{certificate.holder}.pdf", pdfs[certificate.number])
    _disclose(session, result_list, who, Disclosed.ALL_CERTIFICATES, len(valid), now)
    return stream.getvalue()


def one_pdf(session: Session, certificate: Certificate, who: Viewer, *, now: datetime) -> bytes:
    """The signed PDF of one certificate, on record."""
    result_list = certificate.result.list
    require_duty(session, who, result_list.plan.institution_id, Role.EXAM_OFFICER, plan_id=result_list.plan_id)
    _disclose(session, result_list, who, Disclosed.CERTIFICATE, 1, now, certificate)
    return certificate.pdf


def note_credential(session: Session, certificate: Certificate, who: Viewer, *, now: datetime) -> None:
    """That somebody took the machine-readable twin of a certificate is put on record."""
    result_list = certificate.result.list
    require_duty(session, who, result_list.plan.institution_id, Role.EXAM_OFFICER, plan_id=result_list.plan_id)
    _disclose(session, result_list, who, Disclosed.CREDENTIAL, 1, now, certificate)


def _valid(session: Session, result_list: ResultList, who: Viewer) -> list[Certificate]:
    plan = result_list.plan
    require_duty(session, who, plan.institution_id, Role.EXAM_OFFICER, plan_id=plan.id)
    valid = [certificate for certificate in certificates_of(session, result_list) if certificate.revoked_at is None]
    if not valid:
        raise Refused("no_certificates", "这批认定结果还没有有效的证书，没有可以导出的内容。请先制作证书。")
    return valid


def _disclose(session: Session, result_list: ResultList, who: Viewer, what: Disclosed, people: int, now: datetime,
              certificate: Certificate | None = None) -> None:
    session.add(Disclosure(list_id=result_list.id, certificate_id=certificate.id if certificate else None, what=what,
                           people=people, account_id=who.account_id, at=now))

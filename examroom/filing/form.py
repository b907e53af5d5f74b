"""The application as annex 1 lays it out: plain values, and the PDF that is printed from them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy.orm import Session

from examroom.filing import annexes
from examroom.filing.application_models import Application, ApplicationOccupation, ApplicationRow, FormTaking
from examroom.filing.duties import require_duty
from examroom.filing.states import ApplicationState
from qbank.kernel.access import Role, Viewer
from qbank.kernel.identity import IdentityCipher
from qbank.kernel.printing import typeset
from qbank.kernel.times import spoken
from qbank.standards.models import LEVEL_NAMES, Basis

TEMPLATE = Path(__file__).with_name("form.typ")
TITLE = "技工院校职业技能等级认定试点备案申报表"


def basis(row: ApplicationOccupation) -> str:
    """认定依据（职业标准情况）, as annex 1 asks for it."""
    standard = row.standard
    title = f"《{standard.title}》" if standard.basis.chinese in standard.title else f"{standard.basis.chinese}《{standard.title}》"
    edition = "" if f"{standard.edition}年版" in standard.title else f"{standard.edition}年版"
    made_from = f"依据行业标准{row.industry_standard}制定" if standard.basis is Basis.EVALUATION_SPECIFICATION else ""
    further = "，".join(part for part in (edition, standard.document_number, made_from) if part)
    return f"{title}（{further}）" if further else title


def values(application: Application, cipher: IdentityCipher | None = None) -> dict[str, Any]:
    """Everything that is printed. Identity numbers are masked unless a ``cipher`` to read them is given."""
    tables = {part.key: [[str(number), *_cells(row, part, cipher)] for number, row in enumerate(application.rows_of(part.key), 1)]
              for part in annexes.PARTS}
    return {
        "title": TITLE, "number": application.number, "kind": application.kind.chinese, "state": application.state.chinese,
        "school": application.institution.name,
        "unit": {field.key: application.unit.get(field.key, "") for field in annexes.UNIT},
        "prose": {field.key: application.prose.get(field.key, "") for field in annexes.PROSE},
        "occupations": [[str(number), row.standard.occupation.name, row.standard.occupation.code, row.standard.work_type, LEVEL_NAMES[row.level],
                         basis(row)] for number, row in enumerate(application.occupations, 1)],
        "further": [[row.standard.occupation.name + LEVEL_NAMES[row.level], row.major, "是" if row.formerly else "否"] for row in application.occupations],
        "heads": {part.key: ["序号", *(field.title for field in part.columns)] for part in annexes.PARTS}, "rows": tables,
        "plan": [[field.title, application.plan.get(field.key, "")] for field in annexes.PLAN],
        "materials": [[paper.clause, paper.title, _files(application, paper.key)] for paper in annexes.MATERIALS],
        "wish": application.wish, "pledge": annexes.PLEDGE, "submitted": spoken(application.submitted_at), "opinions": _opinions(application)}


def _cells(row: ApplicationRow, part: annexes.Part, cipher: IdentityCipher | None) -> list[str]:
    return [_identity(row, cipher) if field.key == "identity" else str(row.cells.get(field.key, "")) for field in part.columns]


def _identity(row: ApplicationRow, cipher: IdentityCipher | None) -> str:
    if cipher is None or row.identity_cipher is None:
        return row.identity_masked or ""
    return cipher.decrypt(row.identity_cipher)


def _files(application: Application, kind: str) -> str:
    files = [material for material in application.materials if material.kind == kind]
    return "；".join(material.attachment.name + (f"（{material.standard.occupation.name}）" if material.standard else "") for material in files) or "—"


def _opinions(application: Application) -> list[list[str]]:
    """What the city and the province said, in the order in which they said it."""
    names = {ApplicationState.CITY_PASSED: "市鉴定中心备案意见", ApplicationState.DECIDED: "省鉴定中心复核意见",
             ApplicationState.REFUSED: "省鉴定中心复核意见", ApplicationState.RETURNED: "退回补正意见"}
    return [[names[one.state], one.comment, f"{one.officer.name}　{spoken(one.at)}"] for one in application.decisions if one.state in names]


def pdf(application: Application, *, now: datetime, cipher: IdentityCipher | None = None) -> bytes:
    """The form as a PDF."""
    told = values(application, cipher) | {"printed": spoken(now)}
    return typeset(TEMPLATE.read_text(encoding="utf-8"), {"form": json.dumps(told, ensure_ascii=False)}, made_at=now)


def take(session: Session, application: Application, who: Viewer, kind: str, *, now: datetime) -> None:
    """Note that the school takes the form with whole identity numbers, to print, stamp and hand in."""
    require_duty(session, who, application.institution_id, Role.EXAM_OFFICER)
    session.add(FormTaking(application_id=application.id, account_id=who.account_id, format=kind, at=now))
    session.flush()


def unit_lines() -> Sequence[Sequence[str]]:
    """The lines of table 一: keys in the boxes of one line."""
    return (("name",), ("address",), ("registration",), ("credit_code",), ("contact", "post"), ("landline", "mobile"), ("email",), ("rules",))

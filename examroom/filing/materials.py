"""Annex 2's materials: files handed in with an application, each under the line of the list that asks for it."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session
from werkzeug.datastructures import FileStorage

from examroom.filing import annexes
from examroom.filing.application import require_editor
from examroom.filing.application_models import Application, Material
from qbank.kernel import attachments
from qbank.kernel.access import Viewer
from qbank.kernel.refused import Refused
from qbank.standards.models import Standard

KINDS = (attachments.PDF, attachments.DOCX, attachments.PNG, attachments.JPEG)
MOST_FILES = 200


def add(session: Session, application: Application, kind: str, upload: FileStorage | None, who: Viewer, *,
        standard: Standard | None = None, now: datetime) -> Material:
    """Take one file in. With ``standard`` it stands for that occupation only."""
    require_editor(session, application, who)
    paper = annexes.MATERIAL_OF.get(kind)
    if paper is None:
        raise Refused("no_such_material", "请从清单中选择材料的类别。")
    if standard is not None and (not paper.each or standard.id not in {row.standard_id for row in application.occupations}):
        raise Refused("wrong_standard", "请选择本申请中的职业，或选“全部职业”。")
    if len(application.materials) >= MOST_FILES:
        raise Refused("too_many", f"一份申请最多上传 {MOST_FILES} 个文件，请合并后再上传。")
    file = attachments.keep(session, upload, who, kinds=KINDS, most_megabytes=20, now=now)
    made = Material(kind=kind, standard=standard, attachment=file)
    application.materials.append(made)
    session.flush()
    return made


def drop(session: Session, material: Material, who: Viewer) -> None:
    """Take a file out again while the application lies with the school."""
    require_editor(session, material.application, who)
    material.application.materials.remove(material)
    session.flush()

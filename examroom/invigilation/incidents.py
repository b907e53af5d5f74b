"""Lines of 考场情况记录: kinds, files that belong to them, and taking one back."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy.orm import Session

from examroom.delivery.models import Sheet
from examroom.invigilation.duty import ORDINARY, note, require_invigilator
from examroom.invigilation.models import Incident, IncidentFile
from examroom.plans.models import SittingRoom, SittingState
from qbank.items.pictures import inspect
from qbank.kernel.access import Viewer
from qbank.kernel.refused import Refused

FAULT, HELP, IDENTITY, VIOLATION, EVACUATION = "设备故障", "考生求助", "身份核验", "违纪", "疏散"
KINDS = (ORDINARY, FAULT, HELP, IDENTITY, VIOLATION, EVACUATION)
MOST_FILES, LARGEST_PDF = 5, 5 * 1024 * 1024


def record_incident(session: Session, sitting_room: SittingRoom, who: Viewer, *, kind: str, text: str,
                    sheet: Sheet | None = None, voids_theory: bool = False, files: Sequence[tuple[str, bytes]] = (),
                    now: datetime) -> Incident:
    """A line of 考场情况记录. Only 违纪 of a named candidate may void the theory score."""
    require_invigilator(session, sitting_room, who)
    if kind not in KINDS:
        raise Refused("incident_kind", f"请选择情况类别：{'、'.join(KINDS)}。")
    if not text.strip():
        raise Refused("text_missing", "请写明时间、经过和处理情况。")
    if sheet is not None and sheet.seat.sitting_room_id != sitting_room.id:
        raise Refused("other_room", "这名考生不在本考场，请核对座位。")
    if voids_theory and (kind != VIOLATION or sheet is None):
        raise Refused("void_needs_violation", "只有记为“违纪”并指明考生，才能取消理论成绩。")
    if voids_theory and sitting_room.sitting.state is SittingState.MARKED:
        raise Refused("already_marked", "本场次已经评分，不能再由监考员取消成绩。请报考务员按违纪处理程序办理。")
    if len(files) > MOST_FILES:
        raise Refused("too_many_files", f"每条记录最多附 {MOST_FILES} 个文件。")
    kept = [_file(name, content) for name, content in files]
    incident = note(session, sitting_room, sheet, kind, text.strip(), who, voids_theory=voids_theory, now=now)
    for file in kept:
        file.incident_id = incident.id
    session.add_all(kept)
    session.flush()
    return incident


def withdraw(session: Session, incident: Incident, reason: str, who: Viewer, *, now: datetime) -> None:
    """Take a line back. It stays on the record, struck out with the reason, and voids nothing any more."""
    require_invigilator(session, incident.sitting_room, who)
    if incident.withdrawn_at is not None:
        raise Refused("withdrawn", "这条记录已经撤销。")
    if incident.recorded_by != who.account_id:
        raise Refused("not_yours", f"这条记录是{incident.author.name}写的，只能由本人撤销。有不同意见请另记一条。")
    if not reason.strip():
        raise Refused("reason_missing", "请填写撤销的原因。")
    if incident.voids_theory and incident.sitting_room.sitting.state is SittingState.MARKED:
        raise Refused("already_marked", "本场次已经评分，取消成绩的记录不能由监考员撤销。请报考务员办理。")
    incident.withdrawn_at, incident.withdrawn_why, incident.voids_theory = now, reason.strip(), False
    session.flush()


def _file(name: str, content: bytes) -> IncidentFile:
    if content.startswith(b"%PDF-"):
        if len(content) > LARGEST_PDF:
            raise Refused("file_too_large", f"“{name}”超过 {LARGEST_PDF // 2**20} MB，请压缩后再上传。")
        media_type = "application/pdf"
    else:
        facts = inspect(content)
        if not facts.media_type.startswith(("image/png", "image/jpeg")):
            raise Refused("file_kind", f"“{name}”不是照片或 PDF。请上传 JPG、PNG 或 PDF 文件。")
        content, media_type = facts.content, facts.media_type
    return IncidentFile(name=name[:200] or "附件", media_type=media_type, sha256=hashlib.sha256(content).hexdigest(),
                        content=content)

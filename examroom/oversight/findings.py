"""Findings (问题): bound to evidence, put right by a working day, answered by the school, closed by an inspector."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy.orm import Session
from werkzeug.datastructures import FileStorage

from examroom.filing.duties import on_duty, require_duty
from examroom.oversight.inspection_models import Finding, FindingReply, Inspection, OversightFile
from examroom.oversight.inspections import due_on, is_member, require_member, require_running
from examroom.oversight.kinds import FINDING_MOVES, FindingState, InspectionState, Severity
from examroom.oversight.regions import CENTRES
from qbank.kernel import attachments
from qbank.kernel.access import Role, Viewer
from qbank.kernel.refused import Refused
from qbank.kernel.times import local_date

MOST_FILES, LARGEST = 9, 20
LEAST_TEXT, LONGEST = 5, 2000


def keep_files(session: Session, files: Sequence[FileStorage], who: Viewer, *, now: datetime) -> list[OversightFile]:
    """Photos and documents as evidence; each under its SHA-256."""
    given = [one for one in files if one.filename]
    if len(given) > MOST_FILES:
        raise Refused("too_many_files", f"一次最多上传 {MOST_FILES} 个文件。")
    return [OversightFile(attachment=attachments.keep(session, one, who, most_megabytes=LARGEST, now=now)) for one in given]


def add_files(session: Session, inspection: Inspection, files: Sequence[FileStorage], who: Viewer, *, now: datetime) -> int:
    """Pictures of the inspection as a whole."""
    require_running(inspection, who)
    kept = keep_files(session, files, who, now=now)
    if not kept:
        raise Refused("no_file", "请选择要上传的照片或文件。")
    inspection.files.extend(kept)
    session.flush()
    return len(kept)


def record(session: Session, inspection: Inspection, who: Viewer, *, severity: Severity, text: str, files: Sequence[FileStorage],
           point_id: int | None = None, demand: str = "", now: datetime) -> Finding:
    """A finding with its evidence; without evidence there is none."""
    require_running(inspection, who)
    if point_id is not None and point_id not in {one.id for one in inspection.template.points}:
        raise Refused("other_list", "检查要点不属于本次检查的检查表，请刷新页面。")
    _check_text(text, "问题")
    if len(demand) > LONGEST:
        raise Refused("too_long", f"整改要求不超过 {LONGEST} 字。")
    kept = keep_files(session, files, who, now=now)
    if not kept:
        raise Refused("no_evidence", "问题须附证据：请现场拍照，或上传文件的照片、PDF。")
    made = Finding(inspection=inspection, point_id=point_id, severity=severity, text=text.strip(), demand=demand.strip(),
                   recorded_by=who.account_id, at=now, state=FindingState.OPEN, files=kept)
    session.add(made)
    session.flush()
    return made


def withdraw(session: Session, finding: Finding, reason: str, who: Viewer, *, now: datetime) -> None:
    """Take a finding back; it stays on record. Once it is handed over only the leader may."""
    inspection = finding.inspection
    require_member(inspection, who, leads=inspection.state is InspectionState.SUBMITTED)
    if not reason.strip():
        raise Refused("no_reason", "请写明撤销的原因。")
    _move(finding, FindingState.WITHDRAWN)
    finding.ended_by, finding.ended_at, finding.end_note = who.account_id, now, reason.strip()
    session.flush()


def reply(session: Session, finding: Finding, text: str, files: Sequence[FileStorage], who: Viewer, *, now: datetime) -> FindingReply:
    """The school says what it did, with evidence."""
    inspection = finding.inspection
    require_duty(session, who, inspection.institution_id, Role.EXAM_OFFICER, plan_id=inspection.plan_id)
    if inspection.state is not InspectionState.SUBMITTED:
        raise Refused("not_handed_over", "检查记录还没有提交，暂时不能回复整改。")
    _check_text(text, "整改情况")
    kept = keep_files(session, files, who, now=now)
    if not kept:
        raise Refused("no_evidence", "整改回复须附证据（照片或 PDF）。")
    _move(finding, FindingState.REPLIED)
    made = FindingReply(finding=finding, text=text.strip(), replied_by=who.account_id, at=now, files=kept)
    session.add(made)
    session.flush()
    return made


def may_judge(session: Session, finding: Finding, who: Viewer) -> bool:
    """Its inspectors; the centre only when none of them serves any more."""
    inspection = finding.inspection
    if is_member(inspection, who):
        return True
    serving = any(one.account.active and any(grant.role == Role.QUALITY_SUPERVISOR for grant in one.account.grants) for one in inspection.members)
    return not serving and on_duty(session, who, inspection.institution_id, *CENTRES, plan_id=inspection.plan_id)


def judge(session: Session, finding: Finding, accepts: bool, comment: str, who: Viewer, *, now: datetime) -> None:
    """Close the finding, or ask for more: then its days begin once more."""
    if not may_judge(session, finding, who):
        raise Refused("not_your_duty", "整改由派往本次检查的质量督导员核实销号。")
    if not accepts and not comment.strip():
        raise Refused("no_comment", "退回整改时请写明还差什么。")
    replies = list(finding.replies)  # read first: reading flushes, and a closed finding needs its end beside it
    _move(finding, FindingState.CLOSED if accepts else FindingState.OPEN)
    last = replies[-1]
    last.accepted, last.judged_by, last.judged_at, last.comment = accepts, who.account_id, now, comment.strip()
    if accepts:
        finding.ended_by, finding.ended_at, finding.end_note = who.account_id, now, comment.strip()
    else:
        finding.due_on = due_on(session, finding.inspection.institution, finding.severity, local_date(now))
    session.flush()


def _check_text(text: str, what: str) -> None:
    if not LEAST_TEXT <= len(text.strip()) <= LONGEST:
        raise Refused("text", f"请写明{what}（{LEAST_TEXT} 至 {LONGEST} 字）。")


def _move(finding: Finding, to: FindingState) -> None:
    if to not in FINDING_MOVES[finding.state]:
        raise Refused("wrong_state", f"这个问题现在是“{finding.state.chinese}”，不能这样办理。请刷新页面。")
    finding.state = to

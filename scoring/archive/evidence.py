"""What goes into a pack: every row that a plan left behind, its sealed papers, and the trail of those rows.

Rows are taken column by column, so that a column added to a table is archived without a change here. Secret columns stay
out (identity numbers appear masked only), except where the pack would prove nothing without them.
"""

from __future__ import annotations

import enum
import hashlib
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from examroom.delivery.models import Answer, AnswerEvent, Dealing, ExamPage, Sheet, TimeEntry
from examroom.invigilation.models import Incident, RoomClosing
from examroom.marking.models import TheoryScore
from examroom.oversight.models import Supervision
from examroom.plans.models import (
    Enrolment,
    ExamPlan,
    PlanDecision,
    Room,
    RoomInvigilator,
    RosterImport,
    Seat,
    Sitting,
    SittingPaper,
    SittingRoom,
)
from qbank.kernel.accounts import Account
from qbank.kernel.audit import AuditEntry
from qbank.kernel.db import Base
from qbank.kernel.refused import Refused
from qbank.papers.contents import content_of
from qbank.papers.fingerprint import canonical, fingerprint
from qbank.papers.models import Paper, Specification, SpecificationPart
from scoring.archive.container import readable_json
from scoring.certificates.models import Certificate, Disclosure
from scoring.practical.models import (
    Absence,
    GroupAssessor,
    GroupMember,
    Mark,
    MarkSheet,
    PracticalGroup,
    PracticalScore,
    Rubric,
    RubricRow,
)
from scoring.results.models import Objection, Result, ResultDecision, ResultList
from scoring.review.handin_models import Submission
from scoring.review.models import (
    Dissent,
    OrderDraw,
    PanelMark,
    PanelMember,
    ReviewCase,
    ReviewPanel,
    ReviewScore,
    Vacancy,
)

Rows = list[Base]
PROVES = {("panel_marks", "points"), ("panel_marks", "opinion"),  # sealed only while the review goes on
          ("sheets", "layout"),  # secret until the exam is over; without it no answer can be read back to its screen
          ("papers", "seed"), ("papers", "compliance"), ("paper_families", "seed"), ("paper_families", "report")}  # as a paper is made
SLICE = 400  # keys in one query


def rows_of(session: Session, plan: ExamPlan) -> dict[str, Rows]:
    """File name → the rows of a plan that belong in it, each table by its key."""
    def held(model: type[Base], condition: Any) -> Rows:
        query = sa.select(model).where(condition).order_by(*sa.inspect(model).primary_key)
        return list(session.scalars(query).unique())

    enrolments = sa.select(Enrolment.id).where(Enrolment.plan_id == plan.id)
    sittings = sa.select(Sitting.id).where(Sitting.plan_id == plan.id)
    rooms = sa.select(SittingRoom.id).where(SittingRoom.sitting_id.in_(sittings))
    sheets = sa.select(Sheet.id).where(Sheet.sitting_id.in_(sittings))
    groups = sa.select(PracticalGroup.id).where(PracticalGroup.plan_id == plan.id)
    rubrics = sa.select(PracticalGroup.rubric_id).where(PracticalGroup.plan_id == plan.id)
    members = sa.select(GroupMember.id).where(GroupMember.group_id.in_(groups))
    mark_sheets = sa.select(MarkSheet.id).where(MarkSheet.member_id.in_(members))
    panels = sa.select(ReviewPanel.id).where(ReviewPanel.plan_id == plan.id)
    panel_members = sa.select(PanelMember.id).where(PanelMember.panel_id.in_(panels))
    lists = sa.select(ResultList.id).where(ResultList.plan_id == plan.id)
    results = sa.select(Result.id).where(Result.list_id.in_(lists))
    papers = sa.select(SittingPaper.paper_id).join(SittingPaper.sitting).where(Sitting.plan_id == plan.id)
    specifications = sa.select(Paper.specification_id).where(Paper.id.in_(papers))
    return {
        "01-plan.json": [plan, plan.institution, plan.standard, plan.standard.occupation,
                         *held(PlanDecision, PlanDecision.plan_id == plan.id)],
        "02-enrolments.json": [*held(Enrolment, Enrolment.plan_id == plan.id),
                               *held(RosterImport, RosterImport.plan_id == plan.id)],
        "03-seating.json": [*held(Sitting, Sitting.plan_id == plan.id), *held(SittingPaper, SittingPaper.sitting_id.in_(sittings)),
                            *held(SittingRoom, SittingRoom.id.in_(rooms)),
                            *held(Room, Room.id.in_(sa.select(SittingRoom.room_id).where(SittingRoom.id.in_(rooms)))),
                            *held(RoomInvigilator, RoomInvigilator.sitting_room_id.in_(rooms)),
                            *held(Seat, Seat.sitting_id.in_(sittings)), *held(Dealing, Dealing.sitting_id.in_(sittings))],
        "04-papers.json": [*held(Paper, Paper.id.in_(papers)), *held(Specification, Specification.id.in_(specifications)),
                           *held(SpecificationPart, SpecificationPart.specification_id.in_(specifications))],
        "05-sheets.json": [*held(Sheet, Sheet.id.in_(sheets)), *held(TimeEntry, TimeEntry.sheet_id.in_(sheets)),
                           *held(ExamPage, ExamPage.sheet_id.in_(sheets))],
        "06-answers.json": held(Answer, Answer.sheet_id.in_(sheets)),
        "07-answer-events.json": held(AnswerEvent, AnswerEvent.sheet_id.in_(sheets)),
        "08-rooms.json": [*held(Incident, Incident.sitting_room_id.in_(rooms)),
                          *held(RoomClosing, RoomClosing.sitting_room_id.in_(rooms))],
        "09-theory-scores.json": held(TheoryScore, TheoryScore.sheet_id.in_(sheets)),
        "10-practical.json": [*held(PracticalGroup, PracticalGroup.id.in_(groups)), *held(Rubric, Rubric.id.in_(rubrics)),
                              *held(RubricRow, RubricRow.rubric_id.in_(rubrics)),
                              *held(GroupAssessor, GroupAssessor.group_id.in_(groups)),
                              *held(GroupMember, GroupMember.id.in_(members)), *held(MarkSheet, MarkSheet.id.in_(mark_sheets)),
                              *held(Mark, Mark.mark_sheet_id.in_(mark_sheets)),
                              *held(PracticalScore, PracticalScore.enrolment_id.in_(enrolments)),
                              *held(Absence, Absence.enrolment_id.in_(enrolments))],
        "11-review.json": [*held(ReviewPanel, ReviewPanel.id.in_(panels)), *held(PanelMember, PanelMember.id.in_(panel_members)),
                           *held(Vacancy, Vacancy.member_id.in_(panel_members)), *held(OrderDraw, OrderDraw.panel_id.in_(panels)),
                           *held(ReviewCase, ReviewCase.panel_id.in_(panels)), *held(PanelMark, PanelMark.member_id.in_(panel_members)),
                           *held(Dissent, Dissent.member_id.in_(panel_members)),
                           *held(Submission, Submission.enrolment_id.in_(enrolments)),
                           *held(ReviewScore, ReviewScore.enrolment_id.in_(enrolments))],
        "12-results.json": [*held(ResultList, ResultList.id.in_(lists)), *held(Result, Result.id.in_(results)),
                            *held(ResultDecision, ResultDecision.list_id.in_(lists)),
                            *held(Objection, Objection.list_id.in_(lists))],
        "13-supervision.json": held(Supervision, Supervision.plan_id == plan.id),
        "14-certificates.json": [*held(Certificate, Certificate.result_id.in_(results)),
                                 *held(Disclosure, Disclosure.list_id.in_(lists))],
    }


def files_of(session: Session, plan: ExamPlan, rows: Mapping[str, Sequence[Base]]) -> dict[str, bytes]:
    """The JSON files of a pack."""
    files = {name: readable_json(_by_table(found)) for name, found in rows.items()}
    everything = [row for found in rows.values() for row in found]
    files["15-people.json"] = readable_json(_people(session, everything))
    files["16-audit.json"] = readable_json([_trail(entry) for entry in audit_of(session, everything)])
    for paper in (row for row in rows["04-papers.json"] if isinstance(row, Paper)):
        files[f"papers/{paper.name.replace('/', '／')}-{paper.id}.json"] = sealed_text(paper).encode()
    return files


def sealed_text(paper: Paper) -> str:
    """The canonical form of a sealed paper. Refuses one that no longer has its fingerprint."""
    content = content_of(paper)
    if fingerprint(content) != paper.fingerprint:
        raise Refused("paper_changed", f"试卷“{paper.name}”的内容与封存时的指纹不一致，可能被改动过，不能归档。请立即报告系统管理员。")
    return canonical(content)


def record(row: Base) -> dict[str, Any]:
    """One row as plain values."""
    mapper = sa.inspect(type(row))
    return {column.key: _plain(getattr(row, column.key)) for column in mapper.column_attrs
            if not column.columns[0].info.get("secret") or (row.__tablename__, column.key) in PROVES}


def _plain(value: Any) -> Any:
    if isinstance(value, enum.Enum):
        return value.value
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, bytes):
        return {"sha256": hashlib.sha256(value).hexdigest(), "bytes": len(value)}
    return value


def _by_table(rows: Sequence[Base]) -> dict[str, list[dict[str, Any]]]:
    tables: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        tables.setdefault(row.__tablename__, []).append(record(row))
    return tables


def _people(session: Session, rows: Sequence[Base]) -> list[dict[str, Any]]:
    """Everybody whom the rows name by account: without it a number stands where a signature should."""
    named = {getattr(row, key) for row in rows for key in _account_keys(type(row))} - {None}
    people: list[dict[str, Any]] = []
    for keys in _slices(sorted(named)):
        for account in session.scalars(sa.select(Account).where(Account.id.in_(keys)).order_by(Account.id)):
            people.append({"id": account.id, "login": account.login, "name": account.name,
                           "identity": account.identity_masked, "institution_id": account.institution_id})
    return people


def _account_keys(model: type[Base]) -> list[str]:
    accounts = Account.__table__
    return [attribute.key for attribute in sa.inspect(model).column_attrs
            if any(key.column.table is accounts for key in attribute.columns[0].foreign_keys)]


def audit_of(session: Session, rows: Sequence[Base]) -> list[AuditEntry]:
    """The entries of the audit trail about these rows, in their order."""
    keys: dict[str, set[str]] = {}
    for row in rows:
        if not row.__unaudited__:
            identity = sa.inspect(row).identity or ()
            keys.setdefault(row.__tablename__, set()).add(",".join(map(str, identity)))
    found = [entry for table, held in keys.items() for some in _slices(sorted(held))
             for entry in session.scalars(sa.select(AuditEntry).where(AuditEntry.table_name == table,
                                                                      AuditEntry.row_key.in_(some)))]
    return sorted(found, key=lambda entry: entry.id)


def _trail(entry: AuditEntry) -> dict[str, Any]:
    return record(entry) | {"changes": entry.values}


def _slices(keys: Sequence[Any]) -> Iterator[Sequence[Any]]:
    for start in range(0, len(keys), SLICE):
        yield keys[start:start + SLICE]

"""How the marking of written answers goes: counts for the officer, figures and alarms for the chief."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import sqlalchemy as sa
from sqlalchemy.orm import Session, joinedload, selectinload

from examroom.marking import agreement
from examroom.marking.agreement import MarkerFigures, Pair
from examroom.marking.written import loads, open_tasks
from examroom.marking.written_models import Marker, MarkingTask, Script, ScriptMark, Settled, TaskKind, WrittenQuestion
from examroom.plans.models import Sitting
from qbank.kernel.access import Viewer
from qbank.standards.packs import pack_for


@dataclass(frozen=True)
class Progress:
    """One question: scripts in all, blank, settled, with one mark, and those that wait for a third or for a marker."""

    question: WrittenQuestion
    scripts: int
    blank: int
    settled: int
    marks: int
    third: int
    unassigned: int
    by_chief: int

    @property
    def left(self) -> int:
        return self.scripts - self.settled


@dataclass(frozen=True)
class MarkerLine:
    """One marker on a question."""

    marker: Marker
    figures: MarkerFigures | None
    waiting: int
    drifts: bool


@dataclass(frozen=True)
class Quality:
    """Everything that the chief sees of one question."""

    lines: tuple[MarkerLine, ...]
    pairs: tuple[Pair, ...]
    names: dict[int, str] = field(default_factory=dict)


def progress(session: Session, sitting: Sitting, questions: Sequence[WrittenQuestion]) -> list[Progress]:
    """A line for each question, from four counts."""
    here = WrittenQuestion.sitting_id == sitting.id
    counts: dict[int, dict[str, int]] = {question.id: dict.fromkeys(("scripts", "blank", "settled", "by_chief"), 0) for question in questions}
    for question_id, how, number in session.execute(
            sa.select(Script.question_id, Script.how, sa.func.count()).join(Script.question).where(here, Script.question_id.in_(counts))
            .group_by(Script.question_id, Script.how)):
        row = counts[question_id]
        row["scripts"] += number
        row["settled"] += number if how is not None else 0
        row["blank"] += number if how is Settled.BLANK else 0
        row["by_chief"] += number if how in {Settled.CHIEF, Settled.SEED} else 0
    marks = _count(session, sa.select(Script.question_id, sa.func.count()).select_from(ScriptMark).join(ScriptMark.script).join(Script.question)
                   .where(here, ScriptMark.withdrawn_at.is_(None), ScriptMark.task_id.is_not(None)))
    thirds = _count(session, open_tasks().join(MarkingTask.script).join(Script.question).where(here, MarkingTask.kind == TaskKind.THIRD)
                    .with_only_columns(Script.question_id, sa.func.count()))
    pairs = (sa.select(sa.func.count()).where(MarkingTask.script_id == Script.id, MarkingTask.cancelled_at.is_(None),
                                              MarkingTask.kind.in_((TaskKind.FIRST, TaskKind.SECOND))).scalar_subquery())
    short = _count(session, sa.select(Script.question_id, sa.func.count()).join(Script.question).where(here, Script.how.is_(None), pairs < 2))
    return [Progress(question, marks=marks.get(question.id, 0), third=thirds.get(question.id, 0), unassigned=short.get(question.id, 0),
                     **counts[question.id]) for question in questions]


def quality(session: Session, question: WrittenQuestion) -> Quality:
    """Marks that stand, by marker; seeds apart."""
    markers = session.scalars(sa.select(Marker).where(Marker.sitting_id == question.sitting_id).options(joinedload(Marker.account))
                              .order_by(Marker.is_chief, Marker.id)).all()
    marks: dict[int, dict[int, int]] = {}
    seeds: dict[int, list[tuple[int, int]]] = {}
    rows = session.execute(
        sa.select(MarkingTask.marker_id, MarkingTask.kind, ScriptMark.script_id, ScriptMark.half_points, Script.half_points, Script.how)
        .join(ScriptMark, ScriptMark.task_id == MarkingTask.id).join(MarkingTask.script)
        .where(Script.question_id == question.id, ScriptMark.withdrawn_at.is_(None), MarkingTask.cancelled_at.is_(None)).order_by(ScriptMark.id))
    for marker_id, kind, script_id, given, known, how in rows:
        if kind is TaskKind.SEED and how is Settled.SEED:
            seeds.setdefault(marker_id, []).append((given, known or 0))
        elif kind is not TaskKind.SEED:
            marks.setdefault(marker_id, {})[script_id] = given
    figures = {one.marker: one for one in agreement.figures(marks, seeds)}
    waiting, percent = loads(session, markers), pack_for(session, question.sitting.plan.institution).marking_seed_alarm_percent
    lines = tuple(MarkerLine(marker, figures.get(marker.id), waiting[marker.id],
                             agreement.drifts(seeds.get(marker.id, []), question.half_points, percent)) for marker in markers)
    return Quality(lines, tuple(agreement.pairs(marks)), {marker.id: marker.account.name for marker in markers})


def scripts(session: Session, question: WrittenQuestion, only: str) -> Sequence[Script]:
    """For back-reading. ``only``: open, pair, third, chief, seed, blank, or "" for all."""
    query = (sa.select(Script).where(Script.question_id == question.id).order_by(Script.code)
             .options(selectinload(Script.tasks).joinedload(MarkingTask.marker).joinedload(Marker.account),
                      selectinload(Script.marks).joinedload(ScriptMark.account)))
    if only == "open":
        query = query.where(Script.how.is_(None))
    elif only in {one.value for one in Settled}:
        query = query.where(Script.how == Settled(only))
    return session.scalars(query).all()


def blind(session: Session, script: Script, viewer: Viewer) -> bool:
    """Whether this person must not see marks of the script yet: own mark still to come."""
    return session.scalar(open_tasks().join(MarkingTask.marker).where(
        MarkingTask.script_id == script.id, Marker.account_id == viewer.account_id).with_only_columns(MarkingTask.id).limit(1)) is not None


def _count(session: Session, query: sa.Select[int, int]) -> dict[int, int]:
    return {question_id: number for question_id, number in session.execute(query.group_by(Script.question_id))}  # noqa: C416


def waiting_for(session: Session, question: WrittenQuestion, marker: Marker) -> int:
    return session.scalar(open_tasks().join(MarkingTask.script).where(
        Script.question_id == question.id, MarkingTask.marker_id == marker.id).with_only_columns(sa.func.count())) or 0


def done_by(session: Session, question: WrittenQuestion, marker: Marker) -> int:
    return session.scalar(sa.select(sa.func.count()).select_from(ScriptMark).join(ScriptMark.task).join(MarkingTask.script).where(
        Script.question_id == question.id, MarkingTask.marker_id == marker.id, ScriptMark.withdrawn_at.is_(None))) or 0

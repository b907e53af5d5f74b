"""Written answers before anybody marks them: scripts, the people who mark, and who gets which script."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session, joinedload, selectinload

from examroom.delivery.models import Answer, HandIn, Sheet
from examroom.marking.distribution import Waiting, deal, queue_key
from examroom.marking.written_models import Marker, MarkingTask, Script, ScriptMark, Settled, TaskKind, WrittenQuestion
from examroom.plans.models import Enrolment, Sitting, SittingState
from examroom.plans.staffing import holders, require_officer
from qbank.items.draft import WRITTEN
from qbank.items.models import ItemVersion
from qbank.items.states import ItemKind
from qbank.kernel.access import Role, Viewer
from qbank.kernel.accounts import Account
from qbank.kernel.refused import Refused
from qbank.papers.models import PaperItem

WRITTEN_KINDS = tuple(ItemKind(kind) for kind in sorted(WRITTEN))
PAIR = (TaskKind.FIRST, TaskKind.SECOND)
APART = 1000  # between two places of a queue: seeds go in between
REOPENED = "考生作答已更新（答案文件），原评分作废，请重新评阅"


def collect(session: Session, sitting: Sitting, *, now: datetime) -> int:
    """A script for every written answer of a closed sitting; how many there are. Collecting again takes in what changed."""
    found = _answers(session, sitting)
    questions = {(one.version_id, one.half_points): one for one in questions_of(session, sitting)}
    held = {(one.question_id, one.sheet_id): one for one in session.scalars(
        sa.select(Script).join(Script.question).where(WrittenQuestion.sitting_id == sitting.id))}
    for sheet_id, item, text in found:
        question = questions.get((item.version_id, item.half_points))
        if question is None:
            question = questions[item.version_id, item.half_points] = WrittenQuestion(
                sitting=sitting, version_id=item.version_id, number=item.number, half_points=item.half_points)
            session.add(question)
            session.flush()
        script = held.get((question.id, sheet_id))
        if script is None:
            session.add(_script(question, sheet_id, item.number, text, now))
        elif script.text != text:
            _renew(session, script, text, now)
    session.flush()
    return len(found)


def questions_of(session: Session, sitting: Sitting) -> Sequence[WrittenQuestion]:
    return session.scalars(sa.select(WrittenQuestion).where(WrittenQuestion.sitting_id == sitting.id)
                           .order_by(WrittenQuestion.number, WrittenQuestion.id).options(joinedload(WrittenQuestion.version))).all()


def asking(session: Session, sitting_ids: Collection[int]) -> set[int]:
    """Those of the sittings that have questions which people mark."""
    return set(session.scalars(sa.select(WrittenQuestion.sitting_id).where(WrittenQuestion.sitting_id.in_(sitting_ids))))


def pending(session: Session, sitting: Sitting) -> list[str]:
    """What keeps the scores of a closed sitting back, a sentence for each question; empty: nothing."""
    open_ones = dict(session.execute(
        sa.select(Script.question_id, sa.func.count()).join(Script.question)
        .where(WrittenQuestion.sitting_id == sitting.id, Script.half_points.is_(None)).group_by(Script.question_id)).all())
    lines = []
    for question in questions_of(session, sitting):
        name = f"第 {question.number} 题（{question.version.kind.chinese}）"
        if left := open_ones.get(question.id):
            lines.append(f"{name}还有 {left} 份没有评完")
        elif question.signed_at is None:
            lines.append(f"{name}已评完，等待阅卷组长签字")
    return lines


def marks_of(session: Session, sitting: Sitting) -> dict[int, dict[int, int]]:
    """Sheet id → paper number → half-points of the written answers that are settled."""
    found: dict[int, dict[int, int]] = {}
    rows = session.execute(sa.select(Script.sheet_id, Script.number, Script.half_points).join(Script.question)
                           .where(WrittenQuestion.sitting_id == sitting.id, Script.half_points.is_not(None)))
    for sheet_id, number, half_points in rows:
        found.setdefault(sheet_id, {})[number] = half_points or 0
    return found


def candidates_for(session: Session, sitting: Sitting) -> Sequence[Account]:
    """Who may be appointed: markers of the school, no candidates of the plan, not serving here already."""
    enrolled = sa.select(Enrolment.account_id).where(Enrolment.plan_id == sitting.plan_id)
    serving = sa.select(Marker.account_id).where(Marker.sitting_id == sitting.id, Marker.released_at.is_(None))
    return session.scalars(holders(sitting.plan, Role.MARKER).where(Account.id.not_in(enrolled), Account.id.not_in(serving))).all()


def classes_of(session: Session, sitting: Sitting) -> Sequence[str]:
    """The classes whose candidates sat."""
    return session.scalars(sa.select(Enrolment.class_name).distinct().join(Sheet, Sheet.enrolment_id == Enrolment.id)
                           .where(Sheet.sitting_id == sitting.id, Enrolment.class_name != "").order_by(Enrolment.class_name)).all()


def appoint(session: Session, sitting: Sitting, account_id: int, who: Viewer, *, chief: bool, classes: Collection[str],
            now: datetime) -> Marker:
    """Make somebody a marker of the sitting, or its chief, of whom there is one. ``classes``: those that the person teaches."""
    require_officer(session, sitting.plan, who)
    if account_id not in {account.id for account in candidates_for(session, sitting)}:
        raise Refused("not_a_marker", "所选人员没有本校阅卷员权限，或是本方案的考生，或已在本场次阅卷。请从名单中选择。")
    if chief and (now_chief := chief_of(session, sitting)) is not None:
        raise Refused("two_chiefs", f"本场次的阅卷组长是{now_chief.account.name}。更换时请先解除其阅卷工作。")
    marker = session.scalar(sa.select(Marker).where(Marker.sitting_id == sitting.id, Marker.account_id == account_id))
    if marker is None:
        marker = Marker(sitting=sitting, account_id=account_id)
        session.add(marker)
    elif marker.is_chief != chief and session.scalar(sa.select(MarkingTask.id).where(MarkingTask.marker_id == marker.id).limit(1)):
        raise Refused("other_duty", "此人在本场次已有阅卷记录，不能改任。看过他人评分的人不能再评一评、二评。")
    marker.is_chief, marker.classes, marker.released_at, marker.paused_reason = chief, sorted(set(classes)), None, ""
    marker.appointed_by, marker.appointed_at = who.account_id, now
    session.flush()
    return marker


def release(session: Session, marker: Marker, who: Viewer, *, now: datetime) -> None:
    """End somebody's work here. Given marks stand; open scripts wait for others (分发)."""
    require_officer(session, marker.sitting.plan, who)
    if marker.released_at is not None:
        raise Refused("released", "此人已不在本场次阅卷。")
    marker.released_at = now
    for task in session.scalars(open_tasks().where(MarkingTask.marker_id == marker.id)):
        task.cancelled_at = now
    session.flush()


def distribute(session: Session, sitting: Sitting, who: Viewer, *, now: datetime) -> tuple[int, int]:
    """Give every script that needs one a first and a second marker; how many tasks were made, and scripts left short.

    Distributing again only fills what is missing.
    """
    _require_officer_or_chief(session, sitting, who)
    if sitting.state is not SittingState.CLOSED:
        raise Refused("not_closed", f"本场次现在是“{sitting.state.chinese}”，收卷以后、评分完成以前才能分发。")
    markers = ordinary(session, sitting)
    if len(markers) < 2:
        raise Refused("few_markers", "每份书面题由两名阅卷员评阅，请先指定至少两名阅卷员（组长不计）。")
    made, short = 0, 0
    for question in questions_of(session, sitting):
        more, left = _distribute(session, question, markers)
        made, short = made + more, short + left
    session.flush()
    return made, short


def ordinary(session: Session, sitting: Sitting) -> list[Marker]:
    """Those who take first and second marks: serving, not stopped, not the chief."""
    return list(session.scalars(sa.select(Marker).where(
        Marker.sitting_id == sitting.id, Marker.released_at.is_(None), Marker.paused_reason == "", Marker.is_chief.is_(False))
        .order_by(Marker.id)))


def chief_of(session: Session, sitting: Sitting) -> Marker | None:
    return session.scalar(sa.select(Marker).where(Marker.sitting_id == sitting.id, Marker.is_chief, Marker.released_at.is_(None)))


def require_chief(session: Session, sitting: Sitting, who: Viewer) -> Marker:
    chief = chief_of(session, sitting)
    if chief is None or chief.account_id != who.account_id:
        raise Refused("not_chief", "这项工作由本场次的阅卷组长办理。")
    return chief


def loads(session: Session, markers: Iterable[Marker]) -> dict[int, int]:
    """Marker id → scripts that wait for this person."""
    ids = [marker.id for marker in markers]
    waiting = open_tasks().where(MarkingTask.marker_id.in_(ids)).with_only_columns(MarkingTask.marker_id, sa.func.count()).group_by(
        MarkingTask.marker_id)
    return dict.fromkeys(ids, 0) | dict(session.execute(waiting).all())


def _distribute(session: Session, question: WrittenQuestion, markers: list[Marker]) -> tuple[int, int]:
    scripts = {script.id: script for script in session.scalars(
        sa.select(Script).where(Script.question_id == question.id, Script.half_points.is_(None))
        .options(selectinload(Script.tasks), selectinload(Script.sheet).joinedload(Sheet.enrolment)))}
    waiting = []
    for script in scripts.values():
        pair = [task for task in script.tasks if task.kind in PAIR and task.cancelled_at is None]
        waiting.append(Waiting(script.id, script.code, script.sheet.enrolment.class_name, 2 - len(pair),
                               frozenset(task.marker_id for task in script.tasks if task.cancelled_at is None)))
    dealt = deal(waiting, loads(session, markers), {marker.id: marker.classes for marker in markers})
    for script_id, marker_id in dealt.pairs:
        _task(session, scripts[script_id], marker_id)
    return len(dealt.pairs), len(dealt.short)


def _task(session: Session, script: Script, marker_id: int) -> None:
    taken = {task.kind for task in script.tasks if task.cancelled_at is None}
    kind = TaskKind.SECOND if TaskKind.FIRST in taken else TaskKind.FIRST
    place = int(queue_key(script.code, marker_id)[:6], 16) // APART * APART + APART
    held = next((task for task in script.tasks if task.marker_id == marker_id), None)
    if held is None:
        script.tasks.append(MarkingTask(marker_id=marker_id, kind=kind, place=place))
    else:  # it was cancelled: the person was released, and serves again
        held.kind, held.place, held.cancelled_at = kind, place, None


def _answers(session: Session, sitting: Sitting) -> list[tuple[int, PaperItem, str]]:
    """(sheet id, written item of its paper, what was written) of everybody who sat."""
    papers = sa.select(Sheet.paper_id).where(Sheet.sitting_id == sitting.id).distinct()
    items: dict[int, list[PaperItem]] = {}
    for item in session.scalars(sa.select(PaperItem).join(PaperItem.version).where(
            PaperItem.paper_id.in_(papers), PaperItem.half_points > 0, ItemVersion.kind.in_(WRITTEN_KINDS)).order_by(PaperItem.number)):
        items.setdefault(item.paper_id, []).append(item)
    if not items:
        return []
    here = sa.and_(Sheet.sitting_id == sitting.id, Sheet.handed_in_how != HandIn.ABSENT)
    given = {(sheet_id, number): text for sheet_id, number, text in session.execute(
        sa.select(Answer.sheet_id, Answer.number, Answer.answer).join(Sheet, Sheet.id == Answer.sheet_id).where(here))}
    sheets = session.execute(sa.select(Sheet.id, Sheet.paper_id).where(here).order_by(Sheet.id))
    return [(sheet_id, item, given.get((sheet_id, item.number), "").strip())
            for sheet_id, paper_id in sheets for item in items.get(paper_id, [])]


def _script(question: WrittenQuestion, sheet_id: int, number: int, text: str, now: datetime) -> Script:
    code = hashlib.sha256(f"{question.id}\x1f{question.sitting.seed}\x1f{sheet_id}".encode()).hexdigest()[:8].upper()
    script = Script(question_id=question.id, sheet_id=sheet_id, number=number, code=code, text=text)
    if not text:
        script.half_points, script.how, script.settled_at = 0, Settled.BLANK, now
    return script


def _renew(session: Session, script: Script, text: str, now: datetime) -> None:
    """Another text than was marked: the marks stay as history, and everybody who had the script gets it again."""
    actor = session.info["actor"].account_id
    for mark in session.scalars(sa.select(ScriptMark).where(ScriptMark.script_id == script.id, ScriptMark.withdrawn_at.is_(None))):
        mark.withdrawn_at, mark.withdrawn_by, mark.withdrawn_reason = now, actor or mark.account_id, REOPENED
    for task in script.tasks:
        if task.kind is TaskKind.THIRD:
            task.cancelled_at = task.cancelled_at or now
        elif task.kind is TaskKind.SEED:  # its known mark is gone with the text it was given for
            task.kind, task.cancelled_at = TaskKind.FIRST, task.cancelled_at or now
        elif task.cancelled_at is None:
            task.note, task.place = REOPENED, 0
    script.text, script.half_points, script.how, script.settled_at = text, None, None, None
    script.question.signed_at = script.question.signed_by = None
    if not text:
        script.half_points, script.how, script.settled_at = 0, Settled.BLANK, now


def open_tasks() -> sa.Select[MarkingTask]:
    """Tasks that wait for a mark."""
    standing = sa.exists().where(ScriptMark.task_id == MarkingTask.id, ScriptMark.withdrawn_at.is_(None))
    return sa.select(MarkingTask).where(MarkingTask.cancelled_at.is_(None), ~standing)


def _require_officer_or_chief(session: Session, sitting: Sitting, who: Viewer) -> None:
    chief = chief_of(session, sitting)
    if chief is None or chief.account_id != who.account_id:
        require_officer(session, sitting.plan, who)

"""Marks of written answers: given, undone, returned, joined; seeds and what the chief decides."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from examroom.marking import joining
from examroom.marking.written import PAIR, chief_of, loads, open_tasks, ordinary, require_chief
from examroom.marking.written_models import Marker, MarkingTask, Script, ScriptMark, Settled, TaskKind, WrittenQuestion
from examroom.plans.models import Sitting, SittingState
from qbank.kernel.access import Viewer
from qbank.kernel.refused import Refused
from qbank.standards.packs import pack_for
from qbank.standards.rulepack import RulePack

LONGEST_COMMENT = 500
LONGEST_SITTING = 4 * 3600  # seconds that one script may be said to have taken


def next_task(session: Session, question: WrittenQuestion, who: Viewer) -> MarkingTask | None:
    """What this marker marks next: returned ones first, then the queue."""
    return session.scalar(open_tasks().join(MarkingTask.script).join(MarkingTask.marker).where(
        Script.question_id == question.id, Marker.account_id == who.account_id, Marker.released_at.is_(None))
        .order_by(MarkingTask.place, MarkingTask.id).limit(1))


def give(session: Session, task: MarkingTask, steps: Sequence[int], who: Viewer, *, comment: str = "", seconds: int = 0,
         now: datetime) -> ScriptMark:
    """Mark one script, line by line of the guide, in half-points."""
    script, marker = _locked(session, task.script), task.marker
    _require_open(script.question)
    if marker.account_id != who.account_id or marker.released_at is not None or task.cancelled_at is not None:
        raise Refused("not_yours", "这份答卷已不由您评阅，请评下一份。")
    if marker.paused_reason:
        raise Refused("paused", f"阅卷组长请您暂停评阅：{marker.paused_reason}。请与组长联系。")
    if session.scalar(sa.select(ScriptMark.id).where(ScriptMark.task_id == task.id, ScriptMark.withdrawn_at.is_(None))):
        raise Refused("marked", "这份您已经评过。要改分请用“撤销上一份”，再重新评。")
    mark = _mark(script, steps, who, comment, seconds, now)
    mark.task = task
    task.note = ""
    session.add(mark)
    session.flush()
    _settle(session, script, now)
    return mark


def undo(session: Session, question: WrittenQuestion, who: Viewer, *, now: datetime) -> ScriptMark:
    """Take the last mark of this marker back; it comes again as the next script."""
    _require_open(question)
    mark = session.scalar(sa.select(ScriptMark).join(ScriptMark.task).join(ScriptMark.script).where(
        Script.question_id == question.id, ScriptMark.account_id == who.account_id, ScriptMark.withdrawn_at.is_(None),
        MarkingTask.cancelled_at.is_(None)).order_by(ScriptMark.id.desc()).limit(1))
    if mark is None or mark.task is None:
        raise Refused("nothing_to_undo", "您在这道题还没有可以撤销的评分。")
    script = _locked(session, mark.script)
    if script.how is Settled.CHIEF or (mark.task.kind in PAIR and _standing(script, TaskKind.THIRD)):
        raise Refused("gone_on", "这份答卷已由第三人或阅卷组长评定，不能再撤销。如确有错误，请告诉阅卷组长。")
    _withdraw(session, mark, who, "本人撤销", now)
    least = session.scalar(open_tasks().where(MarkingTask.marker_id == mark.task.marker_id).with_only_columns(sa.func.min(MarkingTask.place)))
    mark.task.place = min(0, least or 0) - 1  # before everything else, whatever was undone before it
    session.flush()
    return mark


def send_back(session: Session, mark: ScriptMark, reason: str, who: Viewer, *, now: datetime) -> None:
    """The chief returns a mark after back-reading: the marker gets the script again, with the reason."""
    script = _locked(session, mark.script)
    require_chief(session, script.question.sitting, who)
    _require_open(script.question)
    reason = _reason(reason, "请写明退回重评的原因，阅卷员要看到。")
    if mark.withdrawn_at is not None or mark.task is None:
        raise Refused("not_standing", "这个评分已经撤销或不是阅卷员的评分，不能退回。")
    if mark.task.marker.released_at is not None:
        raise Refused("released", "这名阅卷员已不在本场次阅卷，请直接裁定。")
    if script.how is Settled.CHIEF:
        raise Refused("ruled", "这份答卷已由阅卷组长裁定，不必退回。")
    _withdraw(session, mark, who, reason, now)
    mark.task.note, mark.task.place = reason, 0
    session.flush()


def rule(session: Session, script: Script, steps: Sequence[int], comment: str, who: Viewer, *, now: datetime) -> ScriptMark:
    """The chief decides a script; the marks of the others stay as history."""
    script = _locked(session, script)
    require_chief(session, script.question.sitting, who)
    _require_open(script.question)
    comment = _reason(comment, "请写明裁定的理由。")
    if not script.text:
        raise Refused("blank", "这名考生没有作答这道题，得 0 分，不需要裁定。")
    for mark in _chiefs(script):
        mark.withdrawn_at, mark.withdrawn_by, mark.withdrawn_reason = now, who.account_id, "阅卷组长改判"
    for task in script.tasks:
        if task.cancelled_at is None and task.kind is not TaskKind.SEED and not _mark_of(script, task):
            task.cancelled_at = now
    mark = _mark(script, steps, who, comment, 0, now)
    session.add(mark)
    session.flush()
    script.half_points, script.settled_at = mark.half_points, now
    script.how = Settled.SEED if any(task.kind is TaskKind.SEED for task in script.tasks) else Settled.CHIEF
    session.flush()
    return mark


def make_seed(session: Session, script: Script, steps: Sequence[int], comment: str, who: Viewer, *, now: datetime) -> ScriptMark:
    """The chief marks a script that nobody has marked, and every marker gets it mixed in among the others."""
    script = _locked(session, script)
    sitting = script.question.sitting
    require_chief(session, sitting, who)
    _require_open(script.question)
    if script.half_points is not None or any(mark.withdrawn_at is None for mark in script.marks):
        raise Refused("marked", "已有人评过或已定分的答卷不能作种子卷，请另选一份还没有人评的。")
    mark = _mark(script, steps, who, comment.strip()[:LONGEST_COMMENT], 0, now)
    session.add(mark)
    script.half_points, script.how, script.settled_at = mark.half_points, Settled.SEED, now
    every = _pack(session, sitting).marking_seed_every
    held = {task.marker_id: task for task in script.tasks}
    name = script.sheet.enrolment.class_name
    for marker in ordinary(session, sitting):
        if name and name in marker.classes:
            continue
        task = held.get(marker.id)
        if task is None:
            task = MarkingTask(marker_id=marker.id, kind=TaskKind.SEED, place=0)
            script.tasks.append(task)
        task.kind, task.cancelled_at = TaskKind.SEED, None
        task.place = _seed_place(session, script, marker, every)
    session.flush()
    return mark


def pause(session: Session, marker: Marker, reason: str, who: Viewer) -> None:
    """Stop a marker, or let one go on (empty reason)."""
    require_chief(session, marker.sitting, who)
    marker.paused_reason = reason.strip()[:200]
    session.flush()


def sign(session: Session, question: WrittenQuestion, who: Viewer, *, now: datetime) -> None:
    """The chief says that a question is finished; scores follow when all of the sitting's are."""
    require_chief(session, question.sitting, who)
    _require_open(question)
    left = session.scalar(sa.select(sa.func.count()).where(Script.question_id == question.id, Script.half_points.is_(None)))
    if left:
        raise Refused("not_all_marked", f"这道题还有 {left} 份没有评完，不能签字。")
    question.signed_by, question.signed_at = who.account_id, now
    session.flush()


def _settle(session: Session, script: Script, now: datetime) -> None:
    """Join the marks when they are in; ask a third person when two are too far apart."""
    if script.how is not None:
        return
    pair = [_mark_of(script, task) for task in script.tasks if task.kind in PAIR and task.cancelled_at is None]
    if len(pair) < 2 or pair[0] is None or pair[1] is None:
        return
    first, second = pair[0], pair[1]
    worth, pack = script.question.half_points, _pack(session, script.question.sitting)
    third = _standing(script, TaskKind.THIRD)
    if third is not None:
        joined = joining.of_three(first.half_points, second.half_points, third.half_points, pack.marking_third_rule)
        script.half_points, script.how, script.settled_at = joined.half_points, Settled.THIRD, now
    elif joining.too_far(first.half_points, second.half_points, worth, pack.marking_spread_percent):
        ask_third(session, script)
    else:
        joined = joining.of_two(first.half_points, second.half_points)
        script.half_points, script.how, script.settled_at = joined.half_points, Settled.PAIR, now
    session.flush()


def ask_third(session: Session, script: Script) -> MarkingTask | None:
    """A third task: for the marker with the least to do who has not seen the script, else for the chief."""
    if any(task.kind is TaskKind.THIRD and task.cancelled_at is None for task in script.tasks):
        return None
    sitting, name = script.question.sitting, script.sheet.enrolment.class_name
    held = {task.marker_id: task for task in script.tasks if task.kind is not TaskKind.THIRD}
    before = {task.marker_id: task for task in script.tasks if task.kind is TaskKind.THIRD}
    able = [marker for marker in ordinary(session, sitting) if marker.id not in held and not (name and name in marker.classes)]
    load = loads(session, able)
    able.sort(key=lambda marker: (load[marker.id], marker.id))
    chief = chief_of(session, sitting)
    able += [chief] if chief is not None and chief.id not in held else []
    if not able:
        return None
    task = before.get(able[0].id)
    if task is None:
        task = MarkingTask(marker_id=able[0].id, kind=TaskKind.THIRD, place=0)
        script.tasks.append(task)
    task.cancelled_at = None
    session.flush()
    return task


def _withdraw(session: Session, mark: ScriptMark, who: Viewer, reason: str, now: datetime) -> None:
    script = mark.script
    mark.withdrawn_at, mark.withdrawn_by, mark.withdrawn_reason = now, who.account_id, reason
    if script.how in {Settled.PAIR, Settled.THIRD}:
        script.half_points = script.how = script.settled_at = None
    for task in script.tasks:  # nobody needs a third opinion on what is open again
        if task.kind is TaskKind.THIRD and task.id != mark.task_id and not _mark_of(script, task):
            task.cancelled_at = task.cancelled_at or now


def _mark(script: Script, steps: Sequence[int], who: Viewer, comment: str, seconds: int, now: datetime) -> ScriptMark:
    lines = script.question.steps
    if len(steps) != len(lines):
        raise Refused("steps", f"评分标准有 {len(lines)} 个得分点，请逐点给分（不得分的填 0）。")
    for place, (given, line) in enumerate(zip(steps, lines, strict=True), 1):
        if not 0 <= given <= line.half_points:
            raise Refused("step_range", f"第 {place} 个得分点应在 0 到 {line.half_points / 2:g} 分之间，现在是 {given / 2:g}。")
    return ScriptMark(script=script, account_id=who.account_id, steps=list(steps), half_points=sum(steps),
                comment=comment.strip()[:LONGEST_COMMENT], seconds=max(0, min(seconds, LONGEST_SITTING)), at=now)


def _locked(session: Session, script: Script) -> Script:
    """Two markers who finish at once: the second sees the first's mark and joins the two."""
    session.flush()
    session.refresh(script, ["text", "half_points", "how", "settled_at", "row_version"], with_for_update=True)
    session.expire(script, ["tasks", "marks"])
    return script


def _mark_of(script: Script, task: MarkingTask) -> ScriptMark | None:
    return next((mark for mark in script.marks if mark.task_id == task.id and mark.withdrawn_at is None), None)


def _standing(script: Script, kind: TaskKind) -> ScriptMark | None:
    return next((mark for task in script.tasks if task.kind is kind and task.cancelled_at is None
                 and (mark := _mark_of(script, task)) is not None), None)


def _chiefs(script: Script) -> list[ScriptMark]:
    return [mark for mark in script.marks if mark.task_id is None and mark.withdrawn_at is None]


def _seed_place(session: Session, script: Script, marker: Marker, every: int) -> int:
    """Behind the next ``every`` scripts after the last seed that still waits."""
    places = session.execute(open_tasks().join(MarkingTask.script).where(
        Script.question_id == script.question_id, MarkingTask.marker_id == marker.id, MarkingTask.script_id != script.id)
        .with_only_columns(MarkingTask.place, MarkingTask.kind).order_by(MarkingTask.place, MarkingTask.id)).all()
    behind = max((at + 1 for at, (_, kind) in enumerate(places) if kind is TaskKind.SEED), default=0) + every
    return int(places[min(behind, len(places)) - 1].place) + 1 if places else 0


def _require_open(question: WrittenQuestion) -> None:
    if question.sitting.state is not SittingState.CLOSED:
        raise Refused("not_marking", f"本场次现在是“{question.sitting.state.chinese}”，书面题不在评阅中。")
    if question.signed_at is not None:
        raise Refused("signed", "这道题阅卷组长已经签字，评分不能再改。")


def _reason(text: str, sentence: str) -> str:
    if not text.strip():
        raise Refused("no_reason", sentence)
    return text.strip()[:LONGEST_COMMENT]


def _pack(session: Session, sitting: Sitting) -> RulePack:
    return pack_for(session, sitting.plan.institution)

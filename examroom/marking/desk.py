"""From the last hand-in to the scores: the sweep, closing, marking, and when scores may be seen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session, joinedload, selectinload

from examroom.delivery import sheets
from examroom.delivery.models import HandIn, Sheet, SheetState
from examroom.invigilation.models import Incident
from examroom.marking import scoring, written
from examroom.marking.case_models import ScoreChange
from examroom.marking.keys import forms_of
from examroom.marking.models import TheoryScore
from examroom.marking.responses import answers_of
from examroom.marking.work import STATISTICS
from examroom.plans.models import Seat, Sitting, SittingPaper, SittingState
from qbank.kernel.jobs import enqueue, every
from qbank.kernel.refused import Refused
from qbank.kernel.times import spoken
from qbank.papers.models import Paper

VOID = "违纪：监考员记录取消本次理论成绩"


@every
def close_due(session: Session, now: datetime) -> None:
    """Hand in what is due, close and mark what is complete. Run every few seconds; a run with nothing to do is cheap."""
    begun = session.scalars(sa.select(Sitting).where(Sitting.state.in_((SittingState.DEALT, SittingState.CLOSED)),
                                                     Sitting.starts_at <= now).order_by(Sitting.id))
    for sitting in begun.all():
        finish(session, sitting, now=now)


def finish(session: Session, sitting: Sitting, *, now: datetime) -> bool:
    """Bring one sitting as far as its time allows; whether it is marked. Written answers wait for people."""
    session.refresh(sitting, with_for_update=True)
    if sitting.state is SittingState.DEALT:
        for sheet in _due(session, sitting, now):
            sheets.touch(session, sheet, now=now)
        if _open_sheets(session, sitting):
            return False
        close_sitting(session, sitting, now=now)
    if sitting.state is SittingState.CLOSED and not written.pending(session, sitting):
        mark_sitting(session, sitting, now=now)
    return sitting.state is SittingState.MARKED


def close_sitting(session: Session, sitting: Sitting, *, now: datetime) -> None:
    """All sheets are in: nothing changes any more, and written answers wait for markers. Closing twice changes nothing."""
    if sitting.state in {SittingState.CLOSED, SittingState.MARKED}:
        return
    if sitting.state is not SittingState.DEALT or now < sitting.starts_at:
        raise Refused("not_begun", "本场次还没有开始，不能收卷。")
    if left := _open_sheets(session, sitting):
        raise Refused("still_answering", f"还有 {left} 份答卷没有收齐，不能结束本场次。")
    sitting.state = SittingState.CLOSED
    session.flush()
    written.collect(session, sitting, now=now)


def reopen_marking(session: Session, sitting: Sitting, *, now: datetime) -> None:
    """Answers came in after the marking: written ones wait for people again, the others are marked at once."""
    if sitting.state is SittingState.MARKED:
        sitting.state = SittingState.CLOSED
    if sitting.state is SittingState.CLOSED:
        written.collect(session, sitting, now=now)
        finish(session, sitting, now=now)


def mark_sitting(session: Session, sitting: Sitting, *, now: datetime) -> int:
    """Score every sheet of a closed sitting; the number of scores. Marking again gives the same scores.

    An absent candidate gets no score at all. Statistics are asked for when the paper's last sitting is marked.
    """
    if sitting.state not in {SittingState.CLOSED, SittingState.MARKED} or not sitting.forms:
        raise Refused("not_closed", f"本场次现在是“{sitting.state.chinese}”，收卷后才能评分。")
    if missing := written.pending(session, sitting):
        raise Refused("written_missing", "书面题还没有评完，不能给出理论成绩。", missing)
    found = session.scalars(sa.select(Sheet).where(Sheet.sitting_id == sitting.id,
                                                   Sheet.handed_in_how != HandIn.ABSENT).order_by(Sheet.id)).all()
    markings, voids = score(session, sitting), voided(session, sitting)
    held = {one.sheet_id: one for one in session.scalars(
        sa.select(TheoryScore).join(TheoryScore.sheet).where(Sheet.sitting_id == sitting.id))}
    for sheet in found:
        write(session, held.get(sheet.id), sheet, markings[sheet.id], voids.get(sheet.id, []), now)
    sitting.state = SittingState.MARKED
    session.flush()
    if shut_until(session, sitting, now=now) is None:
        ask_for_statistics(session, sitting, now=now)
    return len(found)


def score(session: Session, sitting: Sitting, proposed: Mapping[int, scoring.Ruling] | None = None) -> dict[int, scoring.Marking]:
    """Sheet id → what it earns by the form that it is of, the marks of people, and the rulings in effect or ``proposed``."""
    forms, given, people = forms_of(session, sitting, proposed), answers_of(session, sitting), written.marks_of(session, sitting)
    keyed = {paper_id: form.keyed for paper_id, form in forms.items()}
    sat = session.execute(sa.select(Sheet.id, Sheet.paper_id).where(Sheet.sitting_id == sitting.id, Sheet.handed_in_how != HandIn.ABSENT))
    return {sheet_id: scoring.mark(keyed[paper_id], given.get(sheet_id, {}), forms[paper_id].policy,
                                   scoring.Given(people.get(sheet_id, {}), forms[paper_id].rulings)) for sheet_id, paper_id in sat}


def ask_for_statistics(session: Session, sitting: Sitting, *, now: datetime) -> None:
    """A new run over the bank of this sitting's paper, in the background."""
    paper = session.get_one(Paper, sitting.paper_id)
    enqueue(session, STATISTICS, {"institution": paper.institution_id, "table": paper.specification.table_id,
                                  "occasion": f"{sitting.plan.title} {sitting.name}"}, None, now=now)


def shut_until(session: Session, sitting: Sitting, *, now: datetime) -> datetime | None:
    """Until when papers, answers and scores stay shut: the end of the family's last sitting. None: they may be seen.

    A later shift that waits with a form of the same family keeps it shut, whether its sheets are dealt already or not.
    """
    return shut_of(session, [sitting], now=now).get(sitting.id)


def shut_of(session: Session, sittings: Sequence[Sitting], *, now: datetime) -> dict[int, datetime]:
    """The same for many sittings in two queries; one that is not named may be seen."""
    forms = sa.select(SittingPaper.sitting_id, Paper.id, Paper.family_id).join(SittingPaper.paper)
    own = session.execute(forms.where(SittingPaper.sitting_id.in_([one.id for one in sittings]))).all()
    families = {family for _, _, family in own if family is not None}
    unfinished = sa.select(Sitting, Paper.id, Paper.family_id).join(Sitting.forms).join(SittingPaper.paper).where(
        Sitting.state.in_((SittingState.DEALT, SittingState.PLANNED)), sa.or_(Paper.id.in_({paper for _, paper, _ in own}), Paper.family_id.in_(families)))
    ends: dict[tuple[str, int | None], datetime] = {}
    for other, paper, family in session.execute(unfinished):
        if other.state is SittingState.DEALT or now < other.ends_at:
            for key in (("paper", paper), ("family", family)):
                ends[key] = max(ends.get(key, other.ends_at), other.ends_at)
    ends.pop(("family", None), None)
    shut: dict[int, datetime] = {}
    for sitting_id, paper, family in own:
        for key in (("paper", paper), ("family", family)):
            if key in ends:
                shut[sitting_id] = max(shut.get(sitting_id, ends[key]), ends[key])
    return shut


def require_released(session: Session, sitting: Sitting, *, now: datetime) -> None:
    """Refuse while a later sitting waits for the same paper, and before this one is marked."""
    if sitting.state is not SittingState.MARKED:
        missing = written.pending(session, sitting) if sitting.state is SittingState.CLOSED else []
        raise Refused("not_marked", f"本场次现在是“{sitting.state.chinese}”，评分后才能查看成绩。", missing)
    until = shut_until(session, sitting, now=now)
    if until is not None:
        raise Refused("embargo", f"同一份试卷还有场次没有结束（{spoken(until)} 结束），在此之前答案和成绩不开放。")


def write(session: Session, score: TheoryScore | None, sheet: Sheet, marking: scoring.Marking, voids: list[str],
          now: datetime, *, case_id: int | None = None, because: str = "重新评分") -> bool:
    """Keep a score; a changed one beside what it was. Whether anything changed."""
    earned = {str(number): half_points for number, half_points in marking.earned.items()}
    how = f"交卷方式：{sheet.handed_in_how.chinese}" if sheet.handed_in_how else ""
    reasons = [*marking.reasons, how, *(f"{VOID}（{text}）" for text in voids)]
    if score is not None and (score.half_points, score.earned, score.void, score.reasons) == (
            marking.half_points, earned, bool(voids), reasons):
        return False
    if score is None:
        score = TheoryScore(sheet_id=sheet.id)
        session.add(score)
    elif score.half_points != marking.half_points:
        session.add(ScoreChange(sheet_id=sheet.id, case_id=case_id, because=because, before=score.half_points,
                                after=marking.half_points, earned_before=dict(score.earned), at=now))
    score.half_points, score.earned, score.void = marking.half_points, earned, bool(voids)
    score.reasons, score.marked_at = reasons, now
    return True


def _due(session: Session, sitting: Sitting, now: datetime) -> list[Sheet]:
    if now < sitting.ends_at:  # grants only add to the common end
        return []
    return list(session.scalars(
        sa.select(Sheet).where(Sheet.sitting_id == sitting.id, Sheet.state != SheetState.HANDED_IN).order_by(Sheet.id)
        .options(selectinload(Sheet.time_entries), joinedload(Sheet.seat).joinedload(Seat.sitting_room))))


def _open_sheets(session: Session, sitting: Sitting) -> int:
    return session.scalar(sa.select(sa.func.count()).where(Sheet.sitting_id == sitting.id,
                                                           Sheet.state != SheetState.HANDED_IN)) or 0


def voided(session: Session, sitting: Sitting) -> dict[int, list[str]]:
    """Sheet id → what the incidents say that void it."""
    found: dict[int, list[str]] = {}
    incidents = session.scalars(sa.select(Incident).join(Sheet, Sheet.id == Incident.sheet_id)
                                .where(Sheet.sitting_id == sitting.id, Incident.voids_theory).order_by(Incident.id))
    for incident in incidents:
        found.setdefault(incident.sheet_id or 0, []).append(incident.text)
    return found

"""The time ledger (时间账): what a candidate gets beyond the common end, entry by entry, each with author and reason.

``Sheet.ends_at`` is the common end and the sum of the entries. It is written here and nowhere else; the save path reads
only that column. Entries add up and are never changed: a wrong one is corrected by an opposite one.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from examroom.delivery.models import Interruption, Sheet, SheetState, TimeEntry, TimeKind
from examroom.plans.models import Enrolment
from qbank.kernel.access import Viewer
from qbank.kernel.refused import Refused
from qbank.standards.packs import pack_for

GAP_SECONDS = 60  # a page shows itself every 15 seconds; after this long something was broken
MOST_SECONDS = 4 * 3600
PERCENT = (100, 300)


def begin(session: Session, sheets: Iterable[Sheet], who: Viewer, *, now: datetime) -> None:
    """The ledger of freshly dealt sheets: the common end, and once what the candidate's profile adds."""
    for sheet in sheets:
        session.flush()
        _profile(session, sheet, who, now)
        settle(session, [sheet])


def settle(session: Session, sheets: Iterable[Sheet]) -> None:
    """Make ``ends_at`` of these sheets follow from the sitting and the entries."""
    session.flush()
    for sheet in sheets:
        session.expire(sheet, ["time_entries"])
        sheet.ends_at = sheet.sitting.ends_at + timedelta(seconds=granted_seconds(sheet))
    session.flush()


def granted_seconds(sheet: Sheet) -> int:
    """What the entries add up to."""
    return sum(entry.seconds for entry in sheet.time_entries)


def grant(session: Session, sheet: Sheet, seconds: int, kind: TimeKind | str, reason: str, who: Viewer, *,
          now: datetime) -> TimeEntry:
    """One more entry. Refuses without a reason, after the hand-in, below the common end and into the past."""
    kind = TimeKind(kind)
    if not reason.strip():
        raise Refused("reason_missing", "请填写加时的原因，例如“电脑故障中断 6 分钟”。")
    if seconds == 0 or abs(seconds) > MOST_SECONDS:
        raise Refused("seconds", "加时应在 1 到 240 分钟之间（更正多加的时间填负数）。")
    _lock(session, sheet)
    if sheet.state is SheetState.HANDED_IN:
        raise Refused("handed_in", f"{sheet.enrolment.candidate.name}已交卷，不能再加时。")
    if granted_seconds(sheet) + seconds < 0:
        raise Refused("below_base", "扣减后会少于规定的考试时间，不能这样更正。")
    clock = now if sheet.paused_at is None else min(now, sheet.paused_at)
    if sheet.ends_at + timedelta(seconds=seconds) <= clock:
        raise Refused("already_over", "这样调整后考试时间已经结束，请核对分钟数。")
    return _enter(session, sheet, seconds, kind, reason, who, now)


def pause(session: Session, sheet: Sheet, *, now: datetime) -> bool:
    """Stop the candidate's clock; whether it was running. Nothing is lost by pausing twice, or late in the grace."""
    _lock(session, sheet)
    if sheet.state is SheetState.HANDED_IN or sheet.paused_at is not None:
        return False
    sheet.paused_at = min(now, sheet.ends_at)
    session.flush()
    return True


def resume(session: Session, sheet: Sheet, reason: str, who: Viewer, *, now: datetime) -> int:
    """Let the clock run again; the seconds of the pause go into the ledger. 0 when it was running."""
    _lock(session, sheet)
    if sheet.paused_at is None or sheet.state is SheetState.HANDED_IN:
        return 0
    start = max(sheet.paused_at, sheet.sitting.starts_at)  # a pause before the start costs nobody time
    seconds = max(0, -(-int((now - start).total_seconds() * 1000) // 1000))
    _keep_late_entry(session, sheet, seconds)
    sheet.paused_at = None
    if seconds:
        _enter(session, sheet, seconds, TimeKind.PAUSE, reason, who, now)
    session.flush()
    return seconds


def _keep_late_entry(session: Session, sheet: Sheet, seconds: int) -> None:
    """A pause does not make anybody late: who could still come in when it began gets its seconds at the door too."""
    opened = sheet.seat.sitting_room.opened_at
    if sheet.started_at is not None or opened is None or sheet.paused_at is None:
        return
    ordinary = timedelta(minutes=pack_for(session, sheet.sitting.plan.institution).late_entry_minutes)
    last = max(sheet.sitting.starts_at, opened) + ordinary
    last = last if sheet.late_until is None else max(last, sheet.late_until)
    if sheet.paused_at <= last:
        sheet.late_until = last + timedelta(seconds=seconds)


def set_profile(session: Session, enrolment: Enrolment, percent: int, reason: str, who: Viewer, *, now: datetime) -> None:
    """How much of the exam time this candidate gets, with the reason; sheets that are dealt follow at once."""
    low, high = PERCENT
    if not low <= percent <= high:
        raise Refused("percent", f"考试时间的比例应在 {low}% 到 {high}% 之间。")
    if percent != low and not reason.strip():
        raise Refused("reason_missing", "请填写延长考试时间的依据，例如“视力残疾二级，申请延长 50%”。")
    enrolment.time_percent, enrolment.time_reason = percent, reason.strip()
    session.flush()
    for sheet in session.scalars(sa.select(Sheet).where(Sheet.enrolment_id == enrolment.id,
                                                        Sheet.state != SheetState.HANDED_IN)):
        _lock(session, sheet)
        clock = now if sheet.paused_at is None else sheet.paused_at
        _profile(session, sheet, who, now)
        settle(session, [sheet])
        if sheet.ends_at <= clock:
            raise Refused("already_over", "这样调整后考试时间已经结束，请核对比例。")


def gap(sheet_id: int, lost_at: datetime, back_at: datetime) -> sa.Insert:
    """For the save path: the page of a started sheet is back after more than ``GAP_SECONDS``."""
    return sa.insert(Interruption).values(sheet_id=sheet_id, lost_at=lost_at, back_at=back_at)


def net_seconds(lost_at: datetime, back_at: datetime, pauses: Iterable[tuple[datetime, datetime]]) -> int:
    """What a gap cost: its length without what a pause gave back already. Pure; rounded up."""
    lost = (back_at - lost_at).total_seconds()
    for begin_, end in pauses:
        lost -= max(0.0, (min(back_at, end) - max(lost_at, begin_)).total_seconds())
    return max(0, -(-int(lost * 1000) // 1000))


def pauses_of(session: Session, sheet_ids: Iterable[int]) -> dict[int, list[tuple[datetime, datetime]]]:
    """When the clock of each sheet stood still: the pauses in the ledger, each up to the moment of its entry."""
    found: dict[int, list[tuple[datetime, datetime]]] = {}
    for sheet_id, seconds, at in session.execute(sa.select(TimeEntry.sheet_id, TimeEntry.seconds, TimeEntry.at).where(
            TimeEntry.sheet_id.in_(list(sheet_ids)), TimeEntry.kind == TimeKind.PAUSE, TimeEntry.seconds > 0)):
        found.setdefault(sheet_id, []).append((at - timedelta(seconds=seconds), at))
    return found


def _profile(session: Session, sheet: Sheet, who: Viewer, now: datetime) -> None:
    """Bring the profile's entries to what the enrolment says."""
    due = sheet.sitting.minutes * 60 * (sheet.enrolment.time_percent - 100) // 100
    session.expire(sheet, ["time_entries"])
    held = sum(entry.seconds for entry in sheet.time_entries if entry.kind is TimeKind.PROFILE)
    if due != held:  # the reason is health data: it stays with the enrolment, the ledger names the rule
        _write(session, sheet, due - held, TimeKind.PROFILE, f"考试时间按 {sheet.enrolment.time_percent}% 计算", who, now)


def _enter(session: Session, sheet: Sheet, seconds: int, kind: TimeKind, reason: str, who: Viewer, now: datetime) -> TimeEntry:
    entry = _write(session, sheet, seconds, kind, reason, who, now)
    sheet.ends_at += timedelta(seconds=seconds)
    session.flush()
    return entry


def _write(session: Session, sheet: Sheet, seconds: int, kind: TimeKind, reason: str, who: Viewer, now: datetime) -> TimeEntry:
    entry = TimeEntry(sheet_id=sheet.id, seconds=seconds, kind=kind, reason=reason.strip(), granted_by=who.account_id, at=now)
    session.add(entry)
    session.flush()
    session.expire(sheet, ["time_entries"])
    return entry


def _lock(session: Session, sheet: Sheet) -> None:
    """Make other writers of this sheet wait, and read it as it stands now."""
    columns: list[Any] = ["state", "started_at", "handed_in_at", "handed_in_how", "ends_at", "paused_at"]
    session.flush()
    session.refresh(sheet, columns, with_for_update=True)
    session.expire(sheet, ["time_entries"])

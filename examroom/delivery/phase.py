"""Where a candidate stands in time, as a pure function of times (after cms-dev/cms)."""

from __future__ import annotations

import enum
from datetime import datetime, timedelta


class Phase(enum.StrEnum):
    """What a candidate may do at a moment."""

    BEFORE = "before"  # the time has not come
    SHUT = "shut"  # the time has come, the room is not open (yet, or again)
    UNCHECKED = "unchecked"  # the room is open, but the invigilator has not let this candidate in
    READY = "ready"  # may start
    LATE = "late"  # never started and may not start any more
    ANSWERING = "answering"
    PAUSED = "paused"  # the clock stands still; what was answered before may still arrive
    GRACE = "grace"  # time is up; what was answered in time may still arrive
    OVER = "over"  # nothing is taken any more; the sheet is to be handed in (or counted as absent)
    HANDED_IN = "handed_in"


SAVING = frozenset({Phase.ANSWERING, Phase.PAUSED, Phase.GRACE})


def phase(now: datetime, starts_at: datetime, ends_at: datetime, room_opened: datetime | None, started: bool,
          handed_in: bool, *, grace: timedelta, late_entry: timedelta, paused_at: datetime | None = None,
          late_until: datetime | None = None, admitted: bool = True) -> Phase:
    """The phase at ``now``.

    ``ends_at`` is the candidate's own end: the common end and the entries of the time ledger. ``room_opened`` is None
    while the room is shut. ``late_entry`` counts from the start, or from the opening of a room that opened later, so
    that nobody is locked out by a late invigilator; ``late_until`` lets one candidate in until then all the same.
    While ``paused_at`` is set the candidate's clock stands at it: nothing ends, nobody becomes late. All intervals
    contain their first moment; ``grace``, ``late_entry`` and ``late_until`` also their last.
    """
    if handed_in:
        return Phase.HANDED_IN
    clock = now if paused_at is None else min(now, paused_at)
    if clock > ends_at + grace or (clock >= ends_at and not started):
        return Phase.OVER
    if started:
        return Phase.PAUSED if paused_at is not None else Phase.ANSWERING if clock < ends_at else Phase.GRACE
    if clock < starts_at:
        return Phase.BEFORE
    if room_opened is None or paused_at is not None:
        return Phase.SHUT
    last = max(starts_at, room_opened) + late_entry
    if now > (last if late_until is None else max(last, late_until)):
        return Phase.LATE
    return Phase.READY if admitted else Phase.UNCHECKED


def may_enter(admission: str | None, check_demanded: bool) -> bool:
    """Whether the invigilator's check lets a candidate in: a refusal never does, no check only where none is demanded."""
    return admission == "admitted" or (admission is None and not check_demanded)


def hand_in_from(starts_at: datetime, ends_at: datetime, earliest: timedelta) -> datetime:
    """The first moment at which a candidate may hand in: never later than the candidate's own end."""
    return min(starts_at + earliest, ends_at)


def seconds_until(moment: datetime, now: datetime, *, paused_at: datetime | None = None) -> float:
    """Seconds from ``now`` to ``moment``, not below 0; while paused, from the moment at which the clock stopped."""
    return max(0.0, (moment - (now if paused_at is None else min(now, paused_at))).total_seconds())

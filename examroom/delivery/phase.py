"""Where a candidate stands in time, as a pure function of times (after cms-dev/cms)."""

from __future__ import annotations

import enum
from datetime import datetime, timedelta


class Phase(enum.StrEnum):
    """What a candidate may do at a moment."""

    BEFORE = "before"  # the time has not come
    SHUT = "shut"  # the time has come, the room is not open yet
    READY = "ready"  # may start
    LATE = "late"  # never started and may not start any more
    ANSWERING = "answering"
    GRACE = "grace"  # time is up; what was answered in time may still arrive
    OVER = "over"  # nothing is taken any more; the sheet is to be handed in (or counted as absent)
    HANDED_IN = "handed_in"


SAVING = frozenset({Phase.ANSWERING, Phase.GRACE})


def phase(now: datetime, starts_at: datetime, ends_at: datetime, room_opened: datetime | None, started: bool,
          handed_in: bool, *, grace: timedelta, late_entry: timedelta) -> Phase:
    """The phase at ``now``.

    ``ends_at`` is the candidate's own end: the common end and the entries of the time ledger. ``room_opened`` is None
    while the room is shut. ``late_entry`` counts from the start, or from the opening of a room that opened later, so
    that nobody is locked out by a late invigilator. All intervals contain their first moment; ``grace`` also its last.
    """
    if handed_in:
        return Phase.HANDED_IN
    if now > ends_at + grace or (now >= ends_at and not started):
        return Phase.OVER
    if started:
        return Phase.ANSWERING if now < ends_at else Phase.GRACE
    if now < starts_at:
        return Phase.BEFORE
    if room_opened is None:
        return Phase.SHUT
    return Phase.READY if now <= max(starts_at, room_opened) + late_entry else Phase.LATE


def hand_in_from(starts_at: datetime, ends_at: datetime, earliest: timedelta) -> datetime:
    """The first moment at which a candidate may hand in: never later than the candidate's own end."""
    return min(starts_at + earliest, ends_at)


def seconds_until(moment: datetime, now: datetime) -> float:
    """Seconds from ``now`` to ``moment``, not below 0."""
    return max(0.0, (moment - now).total_seconds())

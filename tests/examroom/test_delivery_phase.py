"""The phase is a function of times, tested at every boundary."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from examroom.delivery.phase import Phase, hand_in_from, phase, seconds_until

START = datetime(2026, 6, 1, 1, 0, tzinfo=UTC)
END = START + timedelta(minutes=90)
GRACE, LATE = timedelta(seconds=30), timedelta(minutes=30)
TICK = timedelta(microseconds=1)


def at(now: datetime, *, opened: datetime | None = START - timedelta(minutes=5), started: bool = False,
       handed_in: bool = False) -> Phase:
    return phase(now, START, END, opened, started, handed_in, grace=GRACE, late_entry=LATE)


@pytest.mark.parametrize(("now", "expected"), [
    (START - TICK, Phase.BEFORE), (START, Phase.READY), (START + LATE, Phase.READY), (START + LATE + TICK, Phase.LATE),
    (END - TICK, Phase.LATE), (END, Phase.OVER), (END + GRACE + TICK, Phase.OVER),
])
def test_a_candidate_who_has_not_started(now: datetime, expected: Phase) -> None:
    assert at(now) is expected


@pytest.mark.parametrize(("now", "expected"), [
    (START, Phase.ANSWERING), (END - TICK, Phase.ANSWERING), (END, Phase.GRACE), (END + GRACE, Phase.GRACE),
    (END + GRACE + TICK, Phase.OVER),
])
def test_a_candidate_who_answers(now: datetime, expected: Phase) -> None:
    assert at(now, started=True) is expected


def test_the_time_alone_does_not_open_a_room() -> None:
    assert at(START, opened=None) is Phase.SHUT
    assert at(END - TICK, opened=None) is Phase.SHUT
    assert at(END, opened=None) is Phase.OVER


def test_an_open_room_does_not_begin_before_the_time() -> None:
    assert at(START - timedelta(minutes=30)) is Phase.BEFORE


def test_late_entry_counts_from_a_room_that_opened_late() -> None:
    opened = START + timedelta(minutes=20)
    assert at(opened + LATE, opened=opened) is Phase.READY
    assert at(opened + LATE + TICK, opened=opened) is Phase.LATE


@pytest.mark.parametrize("now", [START - LATE, START, END, END + GRACE * 10])
def test_handed_in_is_handed_in_at_any_time(now: datetime) -> None:
    assert at(now, started=True, handed_in=True) is Phase.HANDED_IN


def test_the_earliest_hand_in_is_never_after_the_end() -> None:
    assert hand_in_from(START, END, timedelta(minutes=30)) == START + timedelta(minutes=30)
    assert hand_in_from(START, START + timedelta(minutes=10), timedelta(minutes=30)) == START + timedelta(minutes=10)


def test_remaining_seconds_are_not_negative() -> None:
    assert seconds_until(END, END - timedelta(seconds=1.5)) == 1.5
    assert seconds_until(END, END + GRACE) == 0

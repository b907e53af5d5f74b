"""The phase is a function of times, tested at every boundary."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from examroom.delivery.phase import SAVING, Phase, hand_in_from, may_enter, phase, seconds_until

START = datetime(2026, 6, 1, 1, 0, tzinfo=UTC)
END = START + timedelta(minutes=90)
GRACE, LATE = timedelta(seconds=30), timedelta(minutes=30)
TICK = timedelta(microseconds=1)
MINUTE = timedelta(minutes=1)


def at(now: datetime, *, opened: datetime | None = START - timedelta(minutes=5), started: bool = False,
       handed_in: bool = False, paused_at: datetime | None = None, late_until: datetime | None = None,
       admitted: bool = True, ends_at: datetime = END) -> Phase:
    return phase(now, START, ends_at, opened, started, handed_in, grace=GRACE, late_entry=LATE, paused_at=paused_at,
                 late_until=late_until, admitted=admitted)


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


@pytest.mark.parametrize(("now", "expected"), [
    (START + LATE + TICK, Phase.READY), (START + 40 * MINUTE, Phase.READY), (START + 40 * MINUTE + TICK, Phase.LATE), (END, Phase.OVER)])
def test_one_candidate_may_be_let_in_late(now: datetime, expected: Phase) -> None:
    assert at(now, late_until=START + 40 * MINUTE) is expected


def test_a_permission_that_ends_sooner_than_the_rule_takes_nothing_away() -> None:
    assert at(START + LATE, late_until=START + MINUTE) is Phase.READY


def test_who_is_not_admitted_waits_at_the_open_door_and_only_there() -> None:
    assert at(START, admitted=False) is Phase.UNCHECKED
    assert at(START - TICK, admitted=False) is Phase.BEFORE
    assert at(START, admitted=False, opened=None) is Phase.SHUT
    assert at(START + LATE + TICK, admitted=False) is Phase.LATE
    assert at(START, admitted=False, started=True) is Phase.ANSWERING


@pytest.mark.parametrize(("admission", "demanded", "enters"), [
    (None, False, True), (None, True, False), ("admitted", True, True), ("refused", False, False), ("refused", True, False)])
def test_a_refusal_never_lets_in_and_no_check_only_where_none_is_demanded(admission: str | None, demanded: bool, enters: bool) -> None:
    assert may_enter(admission, demanded) is enters


@pytest.mark.parametrize(("paused_at", "now", "started", "expected"), [
    (START + MINUTE, START + MINUTE, True, Phase.PAUSED), (START + MINUTE, END + timedelta(days=1), True, Phase.PAUSED),
    (END, END + timedelta(hours=1), True, Phase.PAUSED), (START - MINUTE, START + MINUTE, False, Phase.BEFORE),
    (START, START + LATE + MINUTE, False, Phase.SHUT), (END, END, False, Phase.OVER)])
def test_a_paused_clock_stands_still(paused_at: datetime, now: datetime, started: bool, expected: Phase) -> None:
    assert at(now, started=started, paused_at=paused_at) is expected


@pytest.mark.parametrize("now", [START - LATE, START, END, END + GRACE * 10])
def test_handed_in_is_handed_in_at_any_time(now: datetime) -> None:
    assert at(now, started=True, handed_in=True, paused_at=START) is Phase.HANDED_IN


moments = st.integers(-7200, 14400).map(lambda seconds: START + timedelta(seconds=seconds))
maybe = st.none() | moments


@given(now=moments, later=moments, opened=maybe, started=st.booleans(), paused_at=maybe, late_until=maybe, admitted=st.booleans())
def test_time_never_gives_back_what_it_took(now: datetime, later: datetime, opened: datetime | None, started: bool,
                                            paused_at: datetime | None, late_until: datetime | None, admitted: bool) -> None:
    """Over stays over; nobody answers before the start, without a started sheet, or after the end."""
    first, second = sorted((now, later))
    found = [at(moment, opened=opened, started=started, paused_at=paused_at, late_until=late_until, admitted=admitted)
             for moment in (first, second)]
    if found[0] is Phase.OVER:
        assert found[1] is Phase.OVER
    for moment, one in zip((first, second), found, strict=True):
        assert (one in SAVING) <= started
        if one is Phase.ANSWERING:
            assert moment < END
            assert paused_at is None
        if one is Phase.READY:
            assert START <= moment < END
            assert (opened is not None, admitted, started, paused_at) == (True, True, False, None)


@given(now=moments, paused_at=moments, seconds=st.integers(0, 7200))
def test_a_pause_is_worth_exactly_its_length(now: datetime, paused_at: datetime, seconds: int) -> None:
    """Paused and then given the seconds back, a candidate stands where an undisturbed one stood that much earlier."""
    length = timedelta(seconds=seconds)
    assert at(now + length, started=True, ends_at=END + length) is at(now, started=True)
    assert seconds_until(END, now + length, paused_at=paused_at) >= seconds_until(END, now + length)


def test_the_earliest_hand_in_is_never_after_the_end() -> None:
    assert hand_in_from(START, END, timedelta(minutes=30)) == START + timedelta(minutes=30)
    assert hand_in_from(START, START + timedelta(minutes=10), timedelta(minutes=30)) == START + timedelta(minutes=10)


def test_remaining_seconds_are_not_negative_and_stand_while_paused() -> None:
    assert seconds_until(END, END - timedelta(seconds=1.5)) == 1.5
    assert seconds_until(END, END + GRACE) == 0
    assert seconds_until(END, END + GRACE, paused_at=END - MINUTE) == 60

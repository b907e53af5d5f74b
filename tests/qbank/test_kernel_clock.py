"""A server's own clock: nobody moves it while it runs."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta

import pytest

from qbank.kernel.times import SteadyClock
from tests.conftest import MONDAY


class Machine:
    """A machine whose wall clock people set, and whose counter only runs."""

    def __init__(self) -> None:
        self.wall, self.counter = MONDAY, 1000.0

    def passes(self, seconds: float) -> None:
        self.wall += timedelta(seconds=seconds)
        self.counter += seconds


def clock_of(machine: Machine) -> SteadyClock:
    def wall() -> datetime:
        return machine.wall

    return SteadyClock(wall, lambda: machine.counter)


@pytest.mark.parametrize("hours", [-20, 20])
def test_setting_the_machines_clock_changes_no_exams_time_and_is_said_once_a_minute(
        hours: int, caplog: pytest.LogCaptureFixture) -> None:
    machine = Machine()
    clock = clock_of(machine)
    machine.passes(60)
    assert clock() == MONDAY + timedelta(minutes=1)
    machine.wall += timedelta(hours=hours)
    with caplog.at_level(logging.WARNING):
        for _ in range(30):
            machine.passes(1)
            clock()
    assert clock() == MONDAY + timedelta(seconds=90)
    assert len(caplog.records) == 1
    assert f"{hours * 3600}" in caplog.text


def test_a_new_start_takes_the_new_time() -> None:
    machine = Machine()
    machine.wall += timedelta(hours=5)
    assert clock_of(machine)() == MONDAY + timedelta(hours=5)


def test_a_second_of_drift_is_nothing_to_talk_about(caplog: pytest.LogCaptureFixture) -> None:
    machine = Machine()
    clock = clock_of(machine)
    machine.passes(3600)
    machine.wall += timedelta(seconds=1)
    with caplog.at_level(logging.WARNING):
        assert clock() == MONDAY + timedelta(hours=1)
    assert caplog.records == []

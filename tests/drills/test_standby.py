"""The room's server dies with everything on it; a second machine takes over, and no acknowledged answer is missing there."""

from __future__ import annotations

import asyncio

from tests.drills import standby_postgres
from tests.drills.room import Nursery
from tests.drills.standby import drill, machines


def test_the_second_machine_takes_over_within_a_minute_with_every_acknowledged_answer(nursery: Nursery) -> None:
    """What the copy had not got yet the candidates' pages give again: they keep acknowledged answers for a quarter of an hour."""
    with machines(12, nursery) as both:
        found = asyncio.run(asyncio.wait_for(drill(both, 150), 170))
        assert found.well, (found, both.figures)
        assert found.acknowledged >= 300
        assert both.figures["first_acknowledgement_seconds"] < 60
        assert both.figures["missing_in_the_copy"] <= both.figures["sent_again"]
        assert both.figures["old_server_answers"] == [503, 503], "the dead machine came back and took answers"


def test_a_second_postgresql_takes_over_with_every_acknowledged_answer_and_the_first_acknowledges_none_any_more(nursery: Nursery) -> None:
    """Nothing is given again here: an answer is acknowledged when both databases hold it."""
    with standby_postgres.machines(12, nursery) as both:
        found = asyncio.run(asyncio.wait_for(standby_postgres.drill(both, 150), 170))
        assert found.well, (found, both.figures)
        assert found.acknowledged >= 300
        assert both.figures["first_acknowledgement_seconds"] < 60
        assert both.figures["old_machine_acknowledges"] == 0, "the dead machine came back and took answers"

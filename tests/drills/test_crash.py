"""The server dies with SIGKILL five times while fifty candidates answer: nothing that they saw acknowledged is lost."""

from __future__ import annotations

import asyncio

import pytest

from tests.drills.crash import Plan, drill, prepared
from tests.drills.room import Nursery

KILLS = 5
SAVES = 600


@pytest.mark.parametrize(("database", "together"), [("sqlite", False), ("postgresql", False), ("postgresql", True)],
                         ids=["sqlite", "postgresql", "postgresql killed in the same moment"])
def test_fifty_candidates_lose_no_acknowledged_answer_to_five_kills(database: str, together: bool, nursery: Nursery) -> None:
    rounds: list[dict[str, object]] = []
    with prepared(50, database, nursery) as (hall, program, book, postgres):
        found = asyncio.run(asyncio.wait_for(drill(hall, program, book, Plan(KILLS, SAVES, together), rounds.append, postgres), 180))
        assert found.well, found
        assert found.acknowledged >= SAVES
        assert len(rounds) == KILLS
        assert all(one["in_flight"] for one in rounds), "a kill that interrupts nobody proves nothing"

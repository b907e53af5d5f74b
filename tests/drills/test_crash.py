"""The server dies with SIGKILL five times while fifty candidates answer: nothing that they saw acknowledged is lost."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import time
from contextlib import suppress

import pytest

from tests.drills.client import leave
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


def test_a_killed_server_leaves_its_address_to_the_next_one_at_once(nursery: Nursery) -> None:
    """SIGKILL hits the process that was started, not the one that takes the requests: that one ends by itself, although
    browsers keep their connections."""
    with prepared(3, "sqlite", nursery) as (hall, program, book, _):
        async def kill() -> float:
            await program.ready()
            crowd = hall.candidates(program.port, book)
            await asyncio.gather(*(one.enter() for one in crowd))
            began = time.monotonic()
            os.kill(program.pid, signal.SIGKILL)
            while time.monotonic() - began < 60:
                await asyncio.sleep(0.02)
                with suppress(ConnectionRefusedError), socket.create_connection(("127.0.0.1", program.port), timeout=5):
                    continue
                break
            free = time.monotonic() - began
            program.start()
            await program.ready()
            for one in crowd:
                one.choose()
            await asyncio.gather(*(one.flush() for one in crowd))
            leave(crowd)
            return free

        first = program.pid
        assert asyncio.run(asyncio.wait_for(kill(), 170)) < 10, "the address was not free (an orderly end takes 20 s)"
        assert program.pid != first
        assert book.acknowledged == 3

"""A full disk, a failing sync, a moved clock, a database that restarts: never a false acknowledgement, and afterwards the
candidates' queues get through."""

from __future__ import annotations

import asyncio
import errno
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
import sqlalchemy as sa

from tests.drills.faults import Scene, run, scene
from tests.drills.room import Nursery
from tests.drills.shim import Shim

CROWD = 12


@pytest.fixture(scope="module")
def on_sqlite(nursery: Nursery, shim: Shim) -> Iterator[Scene]:
    with scene(CROWD, nursery, shim) as found:
        yield found


@pytest.fixture(scope="module")
def on_postgresql(nursery: Nursery, shim: Shim) -> Iterator[Scene]:
    with scene(CROWD, nursery, shim, database="postgresql") as found:
        yield found


def test_a_full_disk_acknowledges_nothing_and_afterwards_all_gets_through(on_sqlite: Scene) -> None:
    async def full(scene: Scene) -> None:
        scene.shim.set(write_errno=errno.ENOSPC)
        await asyncio.sleep(0.2)  # what was on its way
        assert await scene.stalled(1.5) == 0
        scene.shim.set(write_errno=0)

    found, crowd = asyncio.run(run(on_sqlite, full))
    assert found.well, found
    assert all(one.unsent == [] for one in crowd)


def test_a_sync_that_fails_acknowledges_nothing(on_sqlite: Scene) -> None:
    async def failing(scene: Scene) -> None:
        scene.shim.set(sync_errno=errno.EIO)
        await asyncio.sleep(0.2)
        assert await scene.stalled(1.5) == 0
        scene.shim.set(sync_errno=0)

    found, _ = asyncio.run(run(on_sqlite, failing))
    assert found.well, found


def test_postgresql_that_cannot_sync_its_log_restarts_and_loses_nothing(on_postgresql: Scene) -> None:
    async def failing(scene: Scene) -> None:
        assert scene.postgres
        scene.shim.set(sync_errno=errno.EIO)
        await asyncio.sleep(0.2)
        assert await scene.stalled(1.5) == 0
        assert "PANIC" in scene.postgres.log()
        scene.shim.set(sync_errno=0)
        scene.postgres.kill()  # it may have given up for good, or be starting again by itself
        await asyncio.to_thread(scene.postgres.start)

    found, _ = asyncio.run(run(on_postgresql, failing))
    assert found.well, found


def test_a_database_that_restarts_in_mid_sitting_loses_nothing(on_postgresql: Scene) -> None:
    async def restart(scene: Scene) -> None:
        assert scene.postgres
        for stop in (scene.postgres.stop, scene.postgres.kill):
            await asyncio.to_thread(stop)
            await asyncio.sleep(0.3)
            await asyncio.to_thread(scene.postgres.start)
            await scene.acknowledged(CROWD)

    found, _ = asyncio.run(run(on_postgresql, restart))
    assert found.well, found


@pytest.mark.parametrize("hours", [-20, 20], ids=["back", "forward"])
def test_a_servers_clock_that_jumps_neither_ends_the_exam_nor_gives_time_away(on_sqlite: Scene, hours: int) -> None:
    """Twenty hours are more than the whole exam of ten: with the machine's own clock every sheet would be handed in."""
    remaining: list[float] = []

    async def jump(scene: Scene) -> None:
        scene.shim.set(clock_seconds=hours * 3600)
        await scene.acknowledged(3 * CROWD)
        remaining.extend(one.last["remaining_seconds"] for one in scene.crowd)
        scene.shim.set(clock_seconds=0)

    found, crowd = asyncio.run(run(on_sqlite, jump))
    assert found.well, found
    assert all(one.refused == [] for one in crowd)
    assert min(remaining) > 9 * 3600
    assert max(remaining) < 10 * 3600
    database = sa.create_engine(on_sqlite.hall.url)
    with database.connect() as connection:
        newest = connection.execute(sa.text("SELECT max(received_at) FROM answer_events")).scalar_one()
    database.dispose()
    assert abs((datetime.fromisoformat(newest).replace(tzinfo=UTC) - datetime.now(UTC)).total_seconds()) < 600

"""Several app processes on several addresses over one PostgreSQL: hosts and the database die, stop and are upgraded in the
middle of an exam, and no acknowledged answer is missing."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from pathlib import Path

import psycopg
import pytest

from examroom.marking.work import STATISTICS
from tests.drills.client import Candidate, Wire, leave, serving
from tests.drills.crash import prepared
from tests.drills.hosts import NEXT, NEXT_REVISION, Balancer, Host, Site, is_alive, next_version, site, takers
from tests.drills.room import Nursery, furnish
from tests.drills.verify import compare

CROWD = 8
SAVES = 24  # between two blows: each candidate is under way several times
THINK = 0.05


def drilled(scene: object) -> None:
    asyncio.run(asyncio.wait_for(scene, 240))  # type: ignore[arg-type]


def asked(site: Site, query: str) -> list[tuple[object, ...]]:
    with psycopg.connect(site.postgres.url) as connection:
        return connection.execute(query.encode()).fetchall()


async def until(site: Site, query: str, wanted: object) -> None:
    """Until the database says so."""
    for _ in range(1200):
        found = await asyncio.to_thread(asked, site, query)
        if found == wanted:
            return
        await asyncio.sleep(0.1)
    raise AssertionError(f"{query}: {found}")


async def all_enter(crowd: list[Candidate]) -> None:
    await asyncio.gather(*(one.enter() for one in crowd))


def test_a_sitting_runs_across_two_hosts_and_loses_nothing_when_one_dies_and_the_database_too(nursery: Nursery) -> None:
    """Candidates move to the other address as nginx would lead them. Both hosts have a worker: one closes and marks."""
    with site(CROWD) as made:
        first, second = (made.host(number, nursery).start() for number in (1, 2))

        async def scene() -> None:
            for host in (first, second):
                host.start_worker()
                await host.server.ready()
            balancer, over = Balancer([first, second]), False
            crowd = made.crowd(balancer.address)
            await all_enter(crowd)
            answering = [asyncio.create_task(one.answer_until(lambda: over, THINK)) for one in crowd]
            await made.saves(SAVES)
            first.kill()  # server and worker, in the middle of saves
            await made.saves(SAVES)
            first.start()
            await first.server.ready()
            leave(crowd)  # connections begin anew, and go round
            await made.saves(SAVES)
            made.postgres.kill()
            await asyncio.to_thread(made.postgres.start)
            await made.saves(SAVES)
            over = True
            await asyncio.gather(*answering)
            leave(crowd)
            found = await asyncio.to_thread(compare, made.hall.url, made.book.file, made.book.sent)
            assert found.well, found
            assert found.acknowledged >= 4 * SAVES
            first.start_worker()
            made.postgres.tell("UPDATE sittings SET starts_at = starts_at - interval '20 hours'", "UPDATE sheets SET ends_at = ends_at - interval '20 hours'")
            await until(made, "SELECT state FROM sittings", [("MARKED",)])
            await until(made, f"SELECT count(*), min(state), max(state) FROM jobs WHERE kind = '{STATISTICS}'",  # noqa: S608  # our own word
                        [(1, "DONE", "DONE")])

        drilled(scene())
        assert asked(made, "SELECT count(*), count(DISTINCT sheet_id) FROM theory_scores") == [(CROWD, CROWD)]
        assert asked(made, "SELECT count(*) FROM audit_entries WHERE table_name = 'theory_scores' AND action = 'insert'") == [(CROWD,)]


def test_a_server_that_is_told_to_stop_answers_everything_that_it_has_taken(nursery: Nursery) -> None:
    """What lies in the database afterwards is what was acknowledged: nobody waits for an answer that never came."""
    with prepared(CROWD, "sqlite", nursery) as (hall, program, book, _):
        host = Host("127.0.0.1", hall, nursery, program.port)
        host.server = program

        async def scene() -> None:
            await program.ready()
            crowd = hall.candidates(program.port, book)
            await all_enter(crowd)
            answering = [asyncio.create_task(one.answer_until(lambda: False)) for one in crowd]
            while book.acknowledged < SAVES:
                await asyncio.sleep(0.01)
            await host.stop()
            refused = [one.breaks for one in crowd]
            while any(one.breaks == before for one, before in zip(crowd, refused, strict=True)):
                await asyncio.sleep(0.02)  # everybody has read what came and has met the closed door
            for one in answering:
                one.cancel()
            with suppress(asyncio.CancelledError):
                await asyncio.gather(*answering)
            found = await asyncio.to_thread(compare, hall.url, book.file, book.sent)
            assert found.well, found
            assert found.stored == len({(line.split('"number"')[0]) for line in book.file.read_text("utf-8").splitlines()})
            assert all(one.unsent for one in crowd), "nobody was under way: that proves nothing"

        drilled(scene())
        assert "Traceback" not in program.log()


async def reached(state: Callable[[], bool]) -> None:
    async with asyncio.timeout(120):
        while not state():
            await asyncio.sleep(0.05)


async def answers_alone(host: Host, pid: int) -> None:
    """While the other processes stand still, this one answers: connections that one of them has got are given up."""
    others = takers(host.server) - {pid}
    for other in others:
        os.kill(other, signal.SIGSTOP)
    try:
        await serving(host.port)
    finally:
        for other in others:
            os.kill(other, signal.SIGCONT)


def test_two_processes_share_the_requests_one_that_was_killed_is_replaced_and_a_stop_ends_all(nursery: Nursery, tmp_path: Path) -> None:
    hall = furnish(tmp_path, 1)
    host = Host("127.0.0.1", hall, nursery)
    host.server.command = (*host.server.command, "--processes", "2")

    async def scene() -> None:
        with host.server:
            await host.server.ready()
            await reached(lambda: len(takers(host.server)) == 2)
            first, second = takers(host.server)
            for pid in (first, second):
                await answers_alone(host, pid)
            os.kill(first, signal.SIGKILL)
            await reached(lambda: not is_alive(first))
            await serving(host.port)  # the other goes on
            await reached(lambda: len(takers(host.server)) == 2)
            assert second in takers(host.server)
            (new,) = takers(host.server) - {second}
            await answers_alone(host, new)
            ended = takers(host.server)
            await host.stop()
            assert not any(is_alive(pid) for pid in ended)
            with closing(socket.create_server(("127.0.0.1", host.port))):
                pass  # nobody listens any more

    drilled(scene())
    assert "Traceback" not in host.server.log()


@pytest.fixture(scope="module")
def next_nursery(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nursery]:
    with closing(Nursery(root=next_version(tmp_path_factory.mktemp("next")))) as made:
        yield made


async def page_of(host: Host) -> str:
    wire = Wire(lambda: (host.name, host.port))
    reply = await wire.ask("GET", "/exam", {})
    wire.close()
    return reply.body.decode()


def test_a_new_version_takes_over_under_load_and_nobody_meets_a_closed_door(nursery: Nursery, next_nursery: Nursery) -> None:
    """The README's procedure: the new program upgrades the schema while the old ones serve; then host after host a new
    process starts, the balancer leads new connections to it, the old one drains."""
    with site(CROWD) as made:
        old = [made.host(number, nursery).start() for number in (1, 2)]
        new = [made.host(number, next_nursery) for number in (1, 2)]

        async def scene() -> None:
            for host in old:
                await host.server.ready()
            balancer, over = Balancer(list(old)), False
            crowd = made.crowd(balancer.address)
            await all_enter(crowd)
            answering = [asyncio.create_task(one.answer_until(lambda: over, THINK)) for one in crowd]
            await made.saves(SAVES)
            await asyncio.to_thread(new[0].server.run, "--dir", str(new[0].hall.folder), "upgrade", seconds=120)
            assert asked(made, "SELECT version_num FROM alembic_version") == [(NEXT_REVISION,)]
            await made.saves(SAVES)  # the old program on the new schema
            for number in (0, 1):
                await new[number].start().server.ready()
                assert NEXT in await page_of(new[number])
                assert NEXT not in await page_of(old[number])
                balancer.hosts[number] = new[number]
                await made.saves(SAVES)  # two versions beside each other
                await old[number].stop()
            await made.saves(SAVES)
            back = made.host(3, nursery)  # and if it has to be undone: the program of before serves the newer schema
            await asyncio.to_thread(back.server.run, "--dir", str(back.hall.folder), "upgrade", seconds=120)
            assert "left as it is" in back.server.log()
            await back.start().server.ready()
            balancer.hosts[:] = [back]
            for number in (0, 1):
                await new[number].stop()
            await made.saves(SAVES)
            over = True
            await asyncio.gather(*answering)
            leave(crowd)
            assert [why for one in crowd for why in one.why if not why.startswith("TimeoutError")] == []

        drilled(scene())
        found = compare(made.hall.url, made.book.file, made.book.sent)
        assert found.well, found
        assert asked(made, "SELECT version_num FROM alembic_version") == [(NEXT_REVISION,)]
        assert {row[0] for row in asked(made, "SELECT DISTINCT next_word FROM answer_events")} == {"said by the database", "said by the next version"}

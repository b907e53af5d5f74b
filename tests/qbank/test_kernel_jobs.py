"""Long work on several hosts: each job is done once, none is lost with the worker that had it, no sweep runs twice at once."""

from __future__ import annotations

import dataclasses
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from typing import Any

import pytest
import sqlalchemy as sa
from fakeredis import TcpFakeServer
from sqlalchemy.orm import Session

from qbank.kernel import jobs, sweeping
from qbank.kernel.access import Role, Viewer
from qbank.kernel.accounts import Institution
from qbank.kernel.db import Database
from qbank.kernel.jobs import ABANDONED, MOST_TRIES, ClaimLost, Job, Jobs, JobState, Kind, Work
from qbank.kernel.settings import Settings
from tests.conftest import People, TestClock

Hosts = tuple[Jobs, Jobs]
KIND = "test.work"


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return dataclasses.replace(settings, jobs_inline=False)


@pytest.fixture
def hosts(app: object, settings: Settings, clock: TestClock, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hosts]:
    """Workers on two hosts: nothing is common to them but the database."""
    monkeypatch.setattr(jobs, "SWEEPS", [jobs.take_up])
    made = [Jobs(settings, Database.of(settings), clock) for _ in range(2)]
    yield made[0], made[1]
    for one in made:
        one.database.engine.dispose()


@pytest.fixture
def composer(session: Session, people: People) -> Viewer:
    made = people("组卷员", Role.PAPER_COMPOSER)
    session.commit()
    return made


@pytest.fixture
def does(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[Work], str]], None]:
    """Say what the work is."""
    return lambda handler: monkeypatch.setitem(jobs.KINDS, KIND, Kind("测试", handler))


def ask(session: Session, who: Viewer, clock: TestClock, many: int = 1) -> list[int]:
    found = [jobs.enqueue(session, KIND, {}, who, now=clock()).id for _ in range(many)]
    session.commit()
    return found


def work_off(worker: Jobs) -> int:
    """What a worker does in its loop, until nothing waits."""
    done = 0
    while (task := worker.huey.dequeue()) is not None:
        worker.huey.execute(task)
        done += 1
    return done


def read(session: Session, column: Any, *conditions: Any) -> Any:
    """One value as it stands now; no lock is left behind."""
    session.rollback()
    found = session.scalar(sa.select(column).where(*conditions))
    session.rollback()
    return found


def state_of(session: Session, job_id: int) -> JobState:
    found: JobState = read(session, Job.state, Job.id == job_id)
    return found


def test_workers_on_two_hosts_share_the_jobs_and_do_each_once(session: Session, hosts: Hosts, composer: Viewer, clock: TestClock,
                                                             does: Callable[..., None]) -> None:
    seen: list[str] = []
    meeting = threading.Barrier(2)

    def handler(work: Work) -> str:
        if len(seen) < 2:
            seen.append("met")
            meeting.wait(60)  # both are at work at the same time
        with work.transaction() as writing:
            writing.add(Institution(name=f"某校{work._job_id}", kind="technician", region="430100"))
        return "/"

    does(handler)
    wanted = ask(session, composer, clock, 12)
    threads = [threading.Thread(target=work_off, args=(host,)) for host in hosts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert {state_of(session, job) for job in wanted} == {JobState.DONE}
    assert read(session, sa.func.count(), Institution.name.like("某校%")) == 12


def test_what_was_committed_waits_in_the_database_however_the_asking_process_ended(session: Session, hosts: Hosts, composer: Viewer,
                                                                                clock: TestClock, does: Callable[..., None]) -> None:
    does(lambda work: "/done")
    session.add(Job(kind=KIND, title="测试", arguments={}, account_id=composer.account_id, created_at=clock()))
    session.commit()  # killed here: no queue was told
    assert work_off(hosts[1]) == 1


def test_the_job_of_a_dead_worker_is_done_by_another_and_the_first_writes_nothing_more(
        session: Session, hosts: Hosts, composer: Viewer, clock: TestClock, does: Callable[..., None]) -> None:
    first, second = hosts
    lost: list[type[Exception]] = []

    def handler(work: Work) -> str:
        if not lost:
            clock.forward(seconds=ABANDONED.total_seconds() + 1)  # no sign of life for so long, yet it is not dead
            second.sweep()
            lost.append(ClaimLost)
            assert work_off(second) == 1
            with pytest.raises(ClaimLost), work.transaction() as writing:
                writing.add(Institution(name=f"某校{work._job_id}", kind="technician", region="430100"))
            with pytest.raises(ClaimLost):
                work.progress(1, 2)
        else:
            with work.transaction() as writing:
                writing.add(Institution(name=f"某校{work._job_id}", kind="technician", region="430100"))
        return "/by-the-second" if work._jobs is second else "/by-the-first"

    does(handler)
    (job,) = ask(session, composer, clock)
    assert work_off(first) == 1
    assert state_of(session, job) is JobState.DONE
    assert read(session, Job.result_url, Job.id == job) == "/by-the-second"
    assert read(session, sa.func.count(), Institution.name.like("某校%")) == 1


def test_a_worker_that_shows_itself_keeps_its_job(session: Session, hosts: Hosts, composer: Viewer, clock: TestClock,
                                                 does: Callable[..., None]) -> None:
    first, second = hosts

    def handler(work: Work) -> str:
        for _ in range(5):
            clock.forward(seconds=60)
            first.beat()
            second.sweep()
            assert work_off(second) == 0
        return "/long"

    does(handler)
    (job,) = ask(session, composer, clock)
    assert work_off(first) == 1
    assert state_of(session, job) is JobState.DONE


def test_a_job_that_ends_three_workers_is_given_up_and_says_so(session: Session, hosts: Hosts, composer: Viewer, clock: TestClock,
                                                              does: Callable[..., None]) -> None:
    class Killed(BaseException):
        """The process is gone: nothing is caught, nothing is written."""

    def handler(work: Work) -> str:
        raise Killed

    does(handler)
    (job,) = ask(session, composer, clock)
    for _ in range(MOST_TRIES):
        with pytest.raises(Killed):
            hosts[0].run(job)
        assert state_of(session, job) is JobState.RUNNING
        clock.forward(minutes=3)
        hosts[1].sweep()
    assert state_of(session, job) is JobState.FAILED
    assert "3 次中断" in read(session, Job.message, Job.id == job)


def test_a_worker_that_is_stopped_leaves_its_job_to_the_next_at_once(session: Session, hosts: Hosts, composer: Viewer, clock: TestClock,
                                                                    does: Callable[..., None]) -> None:
    first, second = hosts
    begun, stopped = threading.Event(), threading.Event()

    def handler(work: Work) -> str:
        if work._jobs is first:
            begun.set()
            assert stopped.wait(60)
        return "/"

    does(handler)
    (job,) = ask(session, composer, clock)
    thread = threading.Thread(target=work_off, args=(first,))
    thread.start()
    assert begun.wait(60)
    first.give_back_all()
    assert state_of(session, job) is JobState.WAITING
    assert work_off(second) == 1
    stopped.set()
    thread.join(60)
    assert state_of(session, job) is JobState.DONE


def test_a_job_that_the_database_broke_off_is_tried_again(session: Session, hosts: Hosts, composer: Viewer, clock: TestClock,
                                                         does: Callable[..., None]) -> None:
    tries: list[int] = []

    def handler(work: Work) -> str:
        tries.append(1)
        if len(tries) == 1:
            raise sa.exc.OperationalError("SELECT 1", {}, Exception("server closed the connection"))
        return "/"

    does(handler)
    (job,) = ask(session, composer, clock)
    work_off(hosts[0])
    assert state_of(session, job) is JobState.DONE
    assert len(tries) == 2


def test_a_kind_that_only_a_newer_program_knows_is_left_to_it(session: Session, hosts: Hosts, composer: Viewer, clock: TestClock,
                                                             does: Callable[..., None]) -> None:
    does(lambda work: "/")
    session.add(Job(kind="test.of_the_next_version", title="新", arguments={}, account_id=composer.account_id, created_at=clock()))
    (known,) = ask(session, composer, clock)
    assert work_off(hosts[0]) == 1
    clock.forward(minutes=10)
    hosts[0].sweep()
    assert state_of(session, known) is JobState.DONE
    assert read(session, Job.state, Job.kind == "test.of_the_next_version") is JobState.WAITING


def test_a_sweep_runs_at_one_worker_at_a_time(session: Session, hosts: Hosts, composer: Viewer, monkeypatch: pytest.MonkeyPatch) -> None:
    """On PostgreSQL the second worker passes by, on SQLite it waits: never are two inside."""
    passes_by = hosts[0].database.engine.dialect.name == "postgresql"
    inside: list[str] = []
    together: list[int] = []
    second = threading.Thread(target=hosts[1].sweep)

    def falls_due(session: Session, now: object) -> None:
        inside.append("in")
        together.append(len(inside))
        if len(together) == 1:
            second.start()
            if passes_by:
                second.join(60)
                assert not second.is_alive()
        inside.pop()

    monkeypatch.setattr(jobs, "SWEEPS", [falls_due])
    hosts[0].sweep()
    second.join(60)
    assert together == ([1] if passes_by else [1, 1])
    hosts[1].sweep()
    assert len(together) == (2 if passes_by else 3), "whoever comes later has its turn"


def test_a_sweep_that_fails_is_taken_up_by_the_other_worker(hosts: Hosts, session: Session, monkeypatch: pytest.MonkeyPatch, clock: TestClock) -> None:
    tried: list[Session] = []

    def falls_due(session: Session, now: object) -> None:
        tried.append(session)
        if len(tried) == 1:
            raise RuntimeError("half done")

    monkeypatch.setattr(jobs, "SWEEPS", [falls_due])
    hosts[0].sweep()
    assert sweeping.newest(session) is None
    session.rollback()
    hosts[1].sweep()
    assert len(tried) == 2
    assert sweeping.newest(session) == clock()


@contextmanager
def redis_server() -> Iterator[int]:
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    server = TcpFakeServer(("127.0.0.1", port), server_type="redis")
    server.daemon_threads, server.block_on_close = True, False
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield port
    finally:
        server.shutdown()
        server.server_close()
        thread.join(60)


def test_redis_tells_the_workers_and_what_it_forgets_or_misses_is_sent_again(
        session: Session, hosts: Hosts, settings: Settings, composer: Viewer, clock: TestClock, does: Callable[..., None]) -> None:
    does(lambda work: "/")
    with redis_server() as port:
        asking, working = (Jobs(dataclasses.replace(settings, queue_url=f"redis://127.0.0.1:{port}/0"), Database.of(settings), clock)
                           for _ in range(2))
        session.info["jobs"] = asking
        (first,) = ask(session, composer, clock)
        assert asking.huey.storage.queue_size() == 1
        asking.send(first)  # twice told, once done
        assert [work_off_redis(working), state_of(session, first)] == [2, JobState.DONE]
        (second,) = ask(session, composer, clock)
        asking.huey.storage.flush_queue()  # Redis was started anew and has forgotten everything
        clock.forward(minutes=1)
        working.sweep()
        assert [work_off_redis(working), state_of(session, second)] == [1, JobState.DONE]
        for one in (asking, working):
            one.huey.storage.pool.disconnect()
            one.database.engine.dispose()
    session.info["jobs"] = asking
    (third,) = ask(session, composer, clock)  # Redis is down: what was asked is committed all the same
    assert state_of(session, third) is JobState.WAITING


def work_off_redis(worker: Jobs) -> int:
    done = 0
    while worker.huey.storage.queue_size():
        worker.huey.execute(worker.huey.dequeue())
        done += 1
    return done

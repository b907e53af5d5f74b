"""The save path and the combined writer: nothing is acknowledged that is not held, and nothing held is lost or bent."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test
from sqlalchemy.orm import Session

from examroom.delivery import cards, chain, saving, sheets, writes
from examroom.delivery.models import Answer, AnswerEvent, Presence, Sheet, SheetState
from examroom.delivery.saving import Event, Request
from qbank.kernel import append_only, durability
from qbank.kernel.audit import AuditEntry
from qbank.kernel.db import Actor, Database
from qbank.kernel.identity import IdentityCipher
from qbank.kernel.refused import Refused
from qbank.kernel.settings import Settings
from qbank.kernel.writer import NotWritten, Writer
from tests.conftest import People, TestClock
from tests.sitting_world import SittingWorld

SECOND = timedelta(seconds=1)


@pytest.fixture
def world(session: Session, people: People, settings: Settings, clock: TestClock) -> SittingWorld:
    return SittingWorld(session, people, IdentityCipher(settings.identity_key)).make(clock()).running()


@pytest.fixture
def writer(database: Database, clock: TestClock) -> Iterator[Writer]:
    made = Writer(database, clock)
    yield made
    made.close()


def request_of(world: SittingWorld, name: str, *events: Event, machine: str = "pc-1") -> Request:
    _, holder = world.open_page(name, machine, now=world.begin)
    card = cards.card_of(world.session, holder.sheet_id)
    assert card is not None
    return Request(card, cards.Terms.of(sheets.terms(world.session, world.sheet(name))), events, holder)


def with_events(request: Request, *events: Event) -> Request:
    return Request(request.card, request.terms, events, request.holder)


def test_fifty_saves_at_once_are_all_held_in_far_fewer_transactions(session: Session, world: SittingWorld, writer: Writer,
                                                                  clock: TestClock, monkeypatch: pytest.MonkeyPatch) -> None:
    request = request_of(world, "陈晓")
    session.commit()
    clock.moment = world.begin
    batches: list[int] = []
    gate, commit = threading.Event(), writer._commit

    def slow_disk(batch: list[Any]) -> None:
        gate.wait(5)
        batches.append(len(batch))
        commit(batch)

    monkeypatch.setattr(writer, "_commit", slow_disk)
    with ThreadPoolExecutor(50) as crowd:
        found = [crowd.submit(writer.write, writes.save, with_events(request, Event(n, 1 + n % 8, ""))) for n in range(1, 51)]
        while writer._queue.qsize() < 40:
            threading.Event().wait(0.01)
        gate.set()
        written = [one.result() for one in found]
    assert all(not one.stop and not one.refused for one in written)
    assert sum(batches) == 50
    assert len(batches) <= 12
    assert session.scalar(sa.select(sa.func.count()).select_from(AnswerEvent)) == 50
    session.expire_all()
    assert chain.verify_chain(session, world.sheet("陈晓")) == []


def test_one_poisoned_task_fails_alone(session: Session, world: SittingWorld, writer: Writer, clock: TestClock) -> None:
    good, bad = request_of(world, "陈晓"), request_of(world, "刘洋")
    session.commit()
    clock.moment = world.begin

    def poisoned(own: Session, tasks: Sequence[Request], now: datetime) -> Sequence[Any]:
        if any(task.card.sheet_id == bad.card.sheet_id for task in tasks):
            own.execute(sa.text("INSERT INTO answers (sheet_id, number, answer, flagged, sequence, saved_at) "
                                "VALUES (999999, 1, '', :no, 1, '2026-06-01')"), {"no": False})
        return writes.save(own, tasks, now)

    entries = [(with_events(good, Event(1, 1, "B")), None), (with_events(bad, Event(1, 1, "B")), NotWritten)]
    with ThreadPoolExecutor(2) as crowd:
        found = [(crowd.submit(writer.write, poisoned, task), error) for task, error in entries]
        for one, error in found:
            if error is None:
                assert one.result().standing.highest == 1
            else:
                with pytest.raises(error):
                    one.result()
    assert [row.sheet_id for row in session.scalars(sa.select(AnswerEvent))] == [good.card.sheet_id]


@pytest.mark.parametrize("where", ["statement", "commit"])
def test_nothing_is_acknowledged_when_the_database_fails(session: Session, world: SittingWorld, writer: Writer, clock: TestClock,
                                                       database: Database, where: str) -> None:
    request = request_of(world, "陈晓")
    session.commit()
    clock.moment = world.begin
    broken = True

    def fail(*_: Any) -> None:
        if broken:
            raise sa.exc.OperationalError("COMMIT", {}, OSError(28, "No space left on device"))

    if where == "commit":
        sa.event.listen(database.engine, "commit", fail)

    def act(own: Session, tasks: Sequence[Request], now: datetime) -> Sequence[Any]:
        found = writes.save(own, tasks, now)
        if where == "statement":
            fail()
        return found

    with ThreadPoolExecutor(4) as crowd:
        found = [crowd.submit(writer.write, act, with_events(request, Event(n, n, ""))) for n in range(1, 5)]
        for one in found:
            with pytest.raises(NotWritten):
                one.result()
    broken = False
    assert session.scalar(sa.select(sa.func.count()).select_from(AnswerEvent)) == 0
    session.commit()
    assert writer.write(writes.save, with_events(request, Event(1, 1, "B"))).standing.highest == 1  # it recovers by itself


def test_too_many_waiting_and_a_stopping_server_say_so(database: Database, clock: TestClock) -> None:
    begun, gate = threading.Event(), threading.Event()
    full = Writer(database, clock, most_waiting=2)

    def slow(own: Session, tasks: Sequence[int], now: datetime) -> Sequence[int]:
        begun.set()
        gate.wait(60)
        return tasks

    with ThreadPoolExecutor(8) as crowd:
        first = crowd.submit(full.write, slow, 0)
        assert begun.wait(60)
        waiting = [crowd.submit(full.write, slow, n) for n in (1, 2)]
        while full._queue.qsize() < 2 and not any(one.done() for one in waiting):
            time.sleep(0.01)
        with pytest.raises(NotWritten, match="busy"):
            full.write(slow, 3)
        gate.set()
        closing = crowd.submit(full.close)
        assert [first.result(), *(one.result() for one in waiting)] == [0, 1, 2]  # what waited is written before the end
        closing.result()
    with pytest.raises(NotWritten, match="busy"):
        full.write(slow, 4)


def test_a_takeover_and_a_save_at_the_same_moment_leave_one_writer(session: Session, world: SittingWorld, writer: Writer,
                                                                 clock: TestClock) -> None:
    old = request_of(world, "陈晓")
    new = request_of(world, "陈晓")  # the same computer opened it again: the page before is ended
    session.commit()
    clock.moment = world.begin
    with ThreadPoolExecutor(2) as crowd:
        first = crowd.submit(writer.write, writes.save, with_events(old, Event(1, 1, "A")))
        second = crowd.submit(writer.write, writes.save, with_events(new, Event(1, 1, "B")))
    assert (first.result().stop, second.result().stop) == ("superseded", "")
    assert {row.answer for row in session.scalars(sa.select(Answer))} == {"B"}


def test_hand_ins_are_in_the_trail_with_the_head_of_their_chain(session: Session, world: SittingWorld, writer: Writer,
                                                              clock: TestClock) -> None:
    request = request_of(world, "陈晓", Event(1, 1, "B"))
    session.commit()
    clock.moment = world.begin + timedelta(minutes=40)
    writer.write(writes.save, request)
    actor = Actor(request.card.account_id, "陈晓")
    early = writes.Closing(with_events(request), actor, True)
    assert writer.write(writes.hand_in, early).standing.state is SheetState.STARTED  # its own zero came before the server's
    written = writer.write(writes.hand_in, writes.Closing(with_events(request), actor, False))
    assert written.standing.state is SheetState.HANDED_IN
    entry = session.scalars(sa.select(AuditEntry).where(AuditEntry.table_name == "sheets").order_by(AuditEntry.id.desc())).first()
    assert entry is not None
    assert (entry.actor_name, entry.values["chain"][1]) == ("陈晓", written.standing.chain)
    clock.moment = world.begin
    soon = writes.Closing(request_of(world, "刘洋"), actor, False)
    session.commit()
    with pytest.raises(Refused, match="too_early"):
        writer.write(writes.hand_in, soon)


def flip(session: Session, key: int) -> None:
    session.execute(sa.text("UPDATE answer_events SET answer = 'A' WHERE id = :key"), {"key": key})


def delete(session: Session, key: int) -> None:
    session.execute(sa.text("DELETE FROM answer_events WHERE id = :key"), {"key": key})


def swap(session: Session, key: int) -> None:
    for old, new in ((key, -1), (key + 1, key), (-1, key + 1)):
        session.execute(sa.text("UPDATE answer_events SET id = :new WHERE id = :old"), {"old": old, "new": new})


def insert(session: Session, key: int) -> None:
    row = session.get_one(AnswerEvent, key)
    session.add(AnswerEvent(sheet_id=row.sheet_id, sequence=50, number=2, answer="A", flagged=False, received_at=row.received_at,
                            chain=row.chain))
    session.flush()


def cut(session: Session, key: int) -> None:
    session.execute(sa.text("DELETE FROM answer_events WHERE id >= :key"), {"key": key})


@pytest.mark.parametrize("meddle", [flip, delete, swap, insert, cut])
def test_the_chain_finds_whatever_was_done_to_the_events(session: Session, world: SittingWorld,
                                                       meddle: Callable[[Session, int], None]) -> None:
    sheet = world.start("陈晓")
    for first in (1, 4):
        events = [Event(n, 1 + n % 4, "BCD"[n % 3], n % 2 == 0) for n in range(first, first + 3)]
        sheets.save(session, sheet, events, now=world.begin + first * SECOND)
    assert chain.verify_chain(session, sheet) == []
    keys = session.scalars(sa.select(AnswerEvent.id).order_by(AnswerEvent.id)).all()
    append_only.lift(session.connection())
    meddle(session, keys[3])
    session.expire_all()
    assert chain.verify_chain(session, world.sheet("陈晓"))


def test_an_approved_file_is_taken_in_after_the_hand_in(session: Session, world: SittingWorld) -> None:
    sheet = world.start("陈晓")
    sheets.save(session, sheet, [Event(1, 1, "B")], now=world.begin)
    late = sheet.ends_at + timedelta(hours=1)
    sheets.touch(session, sheet, now=late)
    refused = sheets.take_in(session, sheet, [Event(1, 1, "B"), Event(2, 2, "C"), Event(3, 99, "C")], now=late)
    assert [(one.sequence, one.code) for one in refused] == [(3, "unknown")]
    assert {number: answer.answer for number, answer in sheets.answers(session, sheet).items()} == {1: "B", 2: "C"}
    assert chain.verify_chain(session, sheet) == []


def test_a_database_that_may_forget_opens_no_room(session: Session, database: Database) -> None:
    if database.engine.dialect.name == "postgresql":
        assert durability.weaknesses(session) == ["fsync=off"]  # the tests' own server forgets, and the suite says so
        durability.require(session)
        session.info.pop("unsafe_database")
        with pytest.raises(Refused, match="not_durable"):
            durability.require(session)
        return
    assert durability.weaknesses(session) == []
    session.commit()
    with database.engine.connect() as connection:
        driver: Any = connection.connection.driver_connection
        driver.execute("PRAGMA synchronous=NORMAL")
        with Session(bind=connection) as own:
            assert durability.weaknesses(own) == ["synchronous=1"]
            with pytest.raises(Refused, match="not_durable"):
                durability.require(own)
        driver.execute("PRAGMA synchronous=FULL")


class SavePath(RuleBasedStateMachine):
    """Against a model of a few lines: a dictionary of events by sequence, the newest of each question."""

    world: SittingWorld  # set by the test

    @initialize()
    def begin(self) -> None:
        session = self.world.session
        append_only.lift(session.connection())
        for table in (AnswerEvent, Answer, Presence):
            session.execute(sa.delete(table))
        session.connection().execute(sa.text("UPDATE sheets SET highest = 0, chain = :none"), {"none": "0" * 64})
        session.expire_all()
        self.held: dict[int, tuple[int, str, bool]] = {}
        self.request = request_of(self.world, "陈晓")

    @rule(events=st.lists(st.builds(Event, st.integers(1, 9), st.integers(1, 9), st.sampled_from(("", "A", "B", "AC", "T")), st.booleans()),
                          max_size=6))
    def save(self, events: list[Event]) -> None:
        requests = [with_events(self.request, *events[:3]), with_events(self.request, *events[3:])]
        outcomes = saving.save(self.world.session.connection(), requests, now=self.world.begin + SECOND)
        found = [(one.sequence, one.code) for outcome in outcomes for one in outcome.refused]
        assert found == [refusal for part in (events[:3], events[3:]) for refusal in self.expect(part)]

    def expect(self, events: list[Event]) -> Iterator[tuple[int, str]]:
        letters = {number: ("ABCD" if number <= 6 else "TF", 4 if number in (5, 6) else 1) for number in range(1, 9)}
        for event in sorted(events, key=lambda one: one.sequence):
            told = (event.number, event.answer, event.flagged)
            newest = max((sequence for sequence, (number, *_) in self.held.items() if number == event.number), default=0)
            allowed, most = letters.get(event.number, ("", -1))
            if event.sequence in self.held:
                if self.held[event.sequence] != told:
                    yield event.sequence, "taken"
            elif len(event.answer) > most or set(event.answer) - set(allowed):
                yield event.sequence, "unknown"
            elif newest > event.sequence:
                yield event.sequence, "older"
            else:
                self.held[event.sequence] = told

    @invariant()
    def holds(self) -> None:
        session = self.world.session
        session.expire_all()
        stored = {row.sequence: (row.number, row.answer, row.flagged) for row in session.scalars(sa.select(AnswerEvent))}
        assert stored == getattr(self, "held", stored)
        newest = {number: max(key for key, row in stored.items() if row[0] == number) for number in {row[0] for row in stored.values()}}
        assert {row.number: (row.sequence, row.answer) for row in session.scalars(sa.select(Answer))} == {
            number: (key, stored[key][1]) for number, key in newest.items()}
        sheet = session.scalars(sa.select(Sheet).where(Sheet.id == self.world.sheet("陈晓").id)).one()
        assert sheet.highest == max(stored, default=0)
        assert chain.verify_chain(session, sheet) == []


def test_the_save_path_does_what_a_simple_model_does(world: SittingWorld) -> None:
    machine = type("Machine", (SavePath,), {"world": world})
    run_state_machine_as_test(machine, settings=settings(max_examples=12, stateful_step_count=8, deadline=None,
                                                         suppress_health_check=list(HealthCheck)))

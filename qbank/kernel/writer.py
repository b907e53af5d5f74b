"""Write combining: one thread drains a queue, writes in one transaction, commits, then releases everybody who waits.

A durable commit costs the disk's fsync; fifty people who write at once need not pay it fifty times. Nobody is answered
before the commit that holds their write: when it fails, everybody who waited for it is told so.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from queue import Empty, SimpleQueue
from time import perf_counter
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from qbank.kernel import metrics
from qbank.kernel.db import Database
from qbank.kernel.refused import Refused
from qbank.kernel.times import Clock

LOG = logging.getLogger(__name__)
MOST_WAITING = 2000
MOST_AT_ONCE = 256
PATIENCE_SECONDS = 60
AT_WORK = 4  # of the pages that a whole cohort asks for at once
CONTENTION = ("40001", "40P01")  # serialization failure, deadlock: PostgreSQL chose a loser, alone it may pass

# What writes: gets the session, the tasks of one batch in the order of their arrival, and the time; gives one result for
# each. A result that is an exception is raised for its own asker only; raising fails the batch.
Handler = Callable[[Session, Sequence[Any], datetime], Sequence[Any]]


class NotWritten(Exception):
    """Nothing was written. ``code``: busy (too many wait, or the server stops), not_written (the database failed)."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class _Entry:
    __slots__ = ("handler", "released", "result", "task")

    def __init__(self, handler: Handler, task: Any) -> None:
        self.handler, self.task = handler, task
        self.result: Any = NotWritten("not_written")
        self.released = threading.Lock()
        self.released.acquire()


class Turns:
    """Only ``many`` threads are at work at once; who waits for the combined writer gives the turn away meanwhile."""

    def __init__(self, many: int) -> None:
        self._places, self._mine = threading.Semaphore(many), threading.local()

    @contextmanager
    def taken(self) -> Iterator[None]:
        with self._places:
            self._mine.held = True
            try:
                yield
            finally:
                self._mine.held = False

    @contextmanager
    def given_away(self) -> Iterator[None]:
        if not getattr(self._mine, "held", False):
            yield
            return
        self._places.release()
        try:
            yield
        finally:
            self._places.acquire()


class Writer:
    """The combined writer of one process. Its thread starts with the first write."""

    def __init__(self, database: Database, clock: Clock, *, most_waiting: int = MOST_WAITING) -> None:
        self._database, self._clock, self._most_waiting = database, clock, most_waiting
        self._queue: SimpleQueue[_Entry | None] = SimpleQueue()
        self._starting = threading.Lock()
        self._thread: threading.Thread | None = None
        self._closed = False
        self.turns = Turns(AT_WORK)
        self._observe: dict[Handler, Callable[[float], None]] = {}  # each handler's own histogram

    @property
    def waiting(self) -> int:
        """How many writes wait for their turn."""
        return self._queue.qsize()

    def write(self, handler: Handler, task: Any) -> Any:
        """Wait until ``task`` is durably written, and give what the handler says of it.

        Raises NotWritten when it was not, and whatever exception the handler gave for it.
        """
        try:
            began = perf_counter()
            result = self._wait(_Entry(handler, task))
        except NotWritten as error:
            metrics.NOT_WRITTEN.labels(error.code).inc()
            raise
        observe = self._observe.get(handler)
        if observe is None:
            observe = self._observe[handler] = metrics.WRITE_SECONDS.labels(handler.__name__).observe
        observe(perf_counter() - began)
        if isinstance(result, Exception):
            raise result
        return result

    def _wait(self, entry: _Entry) -> Any:
        with self._starting:
            if self._closed or self._queue.qsize() >= self._most_waiting:
                raise NotWritten("busy")
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="writer", daemon=True)
                self._thread.start()
            self._queue.put(entry)
        with self.turns.given_away():
            in_time = entry.released.acquire(timeout=PATIENCE_SECONDS)
        if not in_time:
            raise NotWritten("busy")
        if isinstance(entry.result, NotWritten):
            raise entry.result
        return entry.result

    def close(self) -> None:
        """Take nothing more, write what waits, and stop."""
        with self._starting:
            self._closed = True
            if self._thread is not None:
                self._queue.put(None)
        if self._thread is not None:
            self._thread.join(PATIENCE_SECONDS)

    def _run(self) -> None:
        going_on = True
        while going_on:
            batch = []
            entry = self._queue.get()
            try:
                while entry is not None:
                    batch.append(entry)
                    if len(batch) == MOST_AT_ONCE:
                        break
                    entry = self._queue.get_nowait()
            except Empty:
                pass
            going_on = entry is not None
            if batch:
                metrics.BATCH_MEMBERS.observe(len(batch))
            try:
                self._write(batch)
            except BaseException:  # whatever happens, nobody is left waiting
                LOG.exception("a batch of %d was not written", len(batch))
            for waiting in batch:
                waiting.released.release()

    def _write(self, batch: list[_Entry]) -> None:
        """One transaction. What only one of the batch can have caused is found by writing each alone."""
        try:
            self._commit(batch)
        except Exception as error:
            if not _one_to_blame(error):
                LOG.exception("the database wrote nothing of a batch of %d", len(batch))
            elif len(batch) > 1:
                for entry in batch:
                    self._write([entry])
            else:
                LOG.exception("a task was not written")
                batch[0].result = error if isinstance(error, Refused) else NotWritten("not_written")

    def _commit(self, batch: list[_Entry]) -> None:
        groups: dict[Handler, list[_Entry]] = {}
        for entry in batch:
            groups.setdefault(entry.handler, []).append(entry)
        results: list[tuple[_Entry, Any]] = []
        with self._database.open(None, clock=self._clock) as session:
            try:
                now = self._clock()
                for handler, entries in groups.items():
                    found = handler(session, [entry.task for entry in entries], now)
                    results += zip(entries, found, strict=True)
                session.commit()
            except sa.exc.OperationalError:
                session.invalidate()  # what a failed disk or server left behind is not used again
                raise
        for entry, result in results:
            entry.result = result


def _one_to_blame(error: Exception) -> bool:
    """Whether a single task can have caused it: not when the disk, the connection or the server failed."""
    if isinstance(error, sa.exc.OperationalError | sa.exc.InternalError | sa.exc.InterfaceError):
        return getattr(error.orig, "sqlstate", None) in CONTENTION
    return True

"""Long work (Huey): a row that a page can watch, a worker that does it, off the request.

A room registers a kind with ``@kind("papers.assemble", "组卷")``; the handler gets a :class:`Work` with the arguments,
opens its own sessions as the person who asked, reports progress, and returns where the result is to be seen.
``every`` registers what the worker does every few seconds (closing sittings whose time is over).

Any number of workers share the table. Whoever claims a row holds it and shows every few seconds that it is alive; the job of
a worker that died is done again by another one, whose claim keeps the first from writing should it not be dead after all.
So a handler computes in ``reading`` and writes in one short ``transaction``, or in slices that may be taken up again.
"""

from __future__ import annotations

import enum
import logging
import secrets
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from qbank.kernel import queue, sweeping
from qbank.kernel.access import Viewer
from qbank.kernel.accounts import Account
from qbank.kernel.db import Actor, Base, Database, Id, Line, after_commit
from qbank.kernel.refused import Refused
from qbank.kernel.settings import Settings
from qbank.kernel.times import Clock, utc_now
from qbank.kernel.todo import Todo

LOG = logging.getLogger(__name__)
SWEEP_SECONDS = 5
ABANDONED = timedelta(minutes=2)  # nobody has shown for so long that the job is being worked on
MOST_TRIES = 3
UNSENT = timedelta(seconds=10)
SYSTEM = Actor(None, "系统：后台任务")


class JobState(enum.StrEnum):
    """waiting → running → done | refused | failed."""

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    REFUSED = "refused"
    FAILED = "failed"


class Job(Base):
    """One piece of long work."""

    __tablename__ = "jobs"
    __table_args__ = (sa.Index("ix_jobs_state_id", "state", "id"),)
    __unaudited__ = "progress only; what the job writes is audited"

    id: Mapped[Id]
    kind: Mapped[Line]
    title: Mapped[Line]
    arguments: Mapped[dict[str, Any]]
    account_id: Mapped[int | None] = mapped_column(sa.ForeignKey("accounts.id"))  # null: asked by the system
    state: Mapped[JobState] = mapped_column(sa.Enum(JobState, native_enum=False, length=10), default=JobState.WAITING)
    done: Mapped[int] = mapped_column(default=0)
    total: Mapped[int] = mapped_column(default=0)
    message: Mapped[str] = mapped_column(default="")
    details: Mapped[list[Any]] = mapped_column(default=list)
    result_url: Mapped[str | None]  # null until done
    created_at: Mapped[datetime]
    started_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]
    holder: Mapped[str | None] = mapped_column(sa.String(32))  # the claim of the worker that has it; null: nobody has
    beat_at: Mapped[datetime | None]  # when that worker last showed itself
    tries: Mapped[int] = mapped_column(default=0, server_default="0")

    @classmethod
    def visible_to(cls, viewer: Viewer) -> sa.ColumnElement[bool]:
        return cls.account_id == viewer.account_id


def todo(session: Session, viewer: Viewer, *, now: datetime) -> list[Todo]:
    """What this person asked for and has not got: the newest job of each kind that still runs, or failed today."""
    newest = sa.select(sa.func.max(Job.id)).where(Job.visible_to(viewer)).group_by(Job.kind)
    found = session.scalars(sa.select(Job).where(
        Job.id.in_(newest), Job.state != JobState.DONE, Job.created_at > now - timedelta(days=1)).order_by(Job.id))
    return [Todo(f"{'正在处理' if job.state in (JobState.WAITING, JobState.RUNNING) else '没有办成'}：{job.title}",
                 "accounts.job", {"job_id": job.id}, job.message) for job in found]


@dataclass(frozen=True)
class Kind:
    """A registered kind of work."""

    title: str
    handler: Callable[[Work], str]


KINDS: dict[str, Kind] = {}
SWEEPS: list[Callable[[Session, datetime], None]] = []


def kind(name: str, title: str) -> Callable[[Callable[[Work], str]], Callable[[Work], str]]:
    """Register a handler: it gets the Work and returns the address of the result."""

    def register(handler: Callable[[Work], str]) -> Callable[[Work], str]:
        KINDS[name] = Kind(title, handler)
        return handler

    return register


def every(sweep: Callable[[Session, datetime], None]) -> Callable[[Session, datetime], None]:
    """Register what the worker does every few seconds, in a transaction of its own."""
    SWEEPS.append(sweep)
    return sweep


class ClaimLost(Exception):
    """Another worker has this job now: whoever had it before writes nothing more."""


class Work:
    """What a handler sees of its job."""

    def __init__(self, jobs: Jobs, job_id: int, holder: str, arguments: dict[str, Any], viewer: Viewer | None) -> None:
        self._jobs = jobs
        self._job_id = job_id
        self._holder = holder
        self.arguments = arguments
        self.viewer = viewer
        self.settings = jobs.settings
        self.database = jobs.database

    @property
    def who(self) -> Viewer:
        """The person who asked. Raises RuntimeError for work asked by the system."""
        if self.viewer is None:
            raise RuntimeError("this work was not asked by a person")
        return self.viewer

    def now(self) -> datetime:
        return self._jobs.clock()

    @contextmanager
    def transaction(self) -> Iterator[Session]:
        """A transaction written as the person who asked. Keep it short: it holds the write lock on SQLite, and everywhere the
        job's own row, so report no progress inside. Raises ClaimLost when another worker has taken the job over."""
        with self._jobs.database.transaction(self.viewer.actor if self.viewer else SYSTEM, clock=self._jobs.clock) as session:
            mine = sa.select(Job.id).where(Job.id == self._job_id, Job.holder == self._holder).with_for_update(read=True)
            if session.scalar(mine) is None:
                raise ClaimLost(self._job_id)
            session.info["jobs"] = self._jobs
            yield session

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """A session that only reads and holds no lock."""
        with self._jobs.database.open(None, reads_only=True) as session:
            yield session

    def progress(self, done: int, total: int, message: str = "") -> None:
        """Raises ClaimLost when another worker has taken the job over."""
        self._jobs.note(self._job_id, self._holder, done=done, total=total, message=message)


class Jobs:
    """The queue of one installation, as one process sees it."""

    def __init__(self, settings: Settings, database: Database, clock: Clock = utc_now) -> None:
        self.settings = settings
        self.database = database
        self.clock = clock
        self.huey = queue.of(settings, self._oldest)
        self._task = self.huey.task(name="run_job")(self.run)
        self._running: dict[str, int] = {}  # holder → job
        self._lock = threading.Lock()
        self._prepared: set[str] = set()

    def enqueue(self, session: Session, name: str, arguments: dict[str, Any], who: Viewer | None, *,
                now: datetime) -> Job:
        """Ask for work; it can be claimed when the session commits."""
        job = Job(kind=name, title=KINDS[name].title, arguments=arguments, created_at=now,
                  account_id=who.account_id if who else None)
        session.add(job)
        session.flush()
        job_id = job.id
        after_commit(session, lambda: self.send(job_id))
        return job

    def send(self, job_id: int) -> None:
        """Tell the workers. A queue that does not answer is told again by a sweep: the row stands."""
        try:
            self._task(job_id)
        except Exception:
            LOG.exception("the queue was not told of job %s", job_id)

    def run(self, job_id: int) -> None:
        """Do one job, unless another worker has claimed it; every end is written to its row."""
        holder = secrets.token_hex(16)
        if not self._claim(job_id, holder):
            return
        with self._lock:
            self._running[holder] = job_id
        try:
            self._do(job_id, holder)
        except ClaimLost:
            LOG.warning("job %s was taken over by another worker", job_id)
        finally:
            with self._lock:
                self._running.pop(holder, None)

    def _do(self, job_id: int, holder: str) -> None:
        with self.database.open(None, reads_only=True) as session:
            job = session.get_one(Job, job_id)
            account = session.get(Account, job.account_id) if job.account_id else None
            viewer = account.viewer() if account else None
            name, arguments = job.kind, job.arguments
        try:
            url = KINDS[name].handler(Work(self, job_id, holder, arguments, viewer))
        except Refused as refusal:
            self.note(job_id, holder, state=JobState.REFUSED, message=refusal.sentence, details=list(refusal.details), finished_at=self.clock())
        except ClaimLost:
            raise
        except Exception as error:
            if _passes(error) and job.tries < MOST_TRIES:
                LOG.warning("job %s (%s) broke off, it is tried again: %s", job_id, name, type(error).__name__)
                self.give_back(holder)
                return
            LOG.exception("job %s (%s) failed", job_id, name)
            self.note(job_id, holder, state=JobState.FAILED, message="处理时出现内部错误，没有写入任何内容。请把本页编号告诉系统管理员。",
                      finished_at=self.clock())
        else:
            self.note(job_id, holder, state=JobState.DONE, result_url=url, finished_at=self.clock())

    def note(self, job_id: int, holder: str, **values: Any) -> None:
        """Write to the row of a job that ``holder`` has. Raises ClaimLost when it has it no more."""
        with self.database.transaction(SYSTEM, clock=self.clock) as session:
            if not _changed(session, sa.update(Job).where(Job.id == job_id, Job.holder == holder).values(**values)):
                raise ClaimLost(job_id)

    def beat(self) -> None:
        """Show that this process is alive and at work on what it has claimed."""
        with self._lock:
            holders = list(self._running)
        if holders:
            with self.database.transaction(SYSTEM, clock=self.clock) as session:
                _changed(session, sa.update(Job).where(Job.holder.in_(holders)).values(beat_at=self.clock()))

    def give_back_all(self) -> None:
        """This process ends: leave what it has not finished to another worker, at once."""
        with self._lock:
            holders = list(self._running)
        self.give_back(*holders)

    def give_back(self, *holders: str) -> None:
        if holders:
            with self.database.transaction(SYSTEM, clock=self.clock) as session:
                _changed(session, sa.update(Job).where(Job.holder.in_(holders), Job.state == JobState.RUNNING)
                         .values(state=JobState.WAITING, holder=None))

    def sweep(self) -> None:
        """Run every registered sweep once, but those that another worker is at; one that fails does not stop the others."""
        for act in SWEEPS:
            name = f"{act.__module__}.{act.__name__}"
            try:
                if name not in self._prepared:
                    with self.database.transaction(None, clock=self.clock) as session:
                        sweeping.prepare(session, name)
                    self._prepared.add(name)
                with self.database.transaction(Actor(None, "系统：定时任务"), clock=self.clock) as session:
                    session.info["jobs"] = self
                    if sweeping.take(session, name, now=self.clock()):
                        act(session, self.clock())
            except Exception:
                LOG.exception("sweep %s failed", act.__name__)

    def _claim(self, job_id: int, holder: str) -> bool:
        """Take a waiting job. A kind that only a newer program knows is left to it."""
        now = self.clock()
        claim = sa.update(Job).where(Job.id == job_id, Job.state == JobState.WAITING, Job.kind.in_(list(KINDS))).values(
            state=JobState.RUNNING, holder=holder, started_at=now, beat_at=now, tries=Job.tries + 1)
        with self.database.transaction(SYSTEM, clock=self.clock) as session:
            return _changed(session, claim)

    def _oldest(self) -> bytes | None:
        """The message of the job that has waited longest."""
        with self.database.reading() as connection:
            job_id = connection.scalar(sa.select(Job.id).where(Job.state == JobState.WAITING, Job.kind.in_(list(KINDS))).order_by(Job.id).limit(1))
        message: bytes | None = None if job_id is None else self.huey.serialize_task(self._task.s(job_id))
        return message


def _changed(session: Session, statement: sa.Update) -> bool:
    done = session.execute(statement.execution_options(synchronize_session=False))
    return bool(getattr(done, "rowcount", 0))


def _passes(error: Exception) -> bool:
    """Whether trying again may help: the database was gone, or chose a loser of two."""
    return isinstance(error, sa.exc.OperationalError)


def enqueue(session: Session, name: str, arguments: dict[str, Any], who: Viewer | None, *, now: datetime) -> Job:
    """Ask for work from a rule or a view: the queue travels with the session."""
    jobs: Jobs = session.info["jobs"]
    return jobs.enqueue(session, name, arguments, who, now=now)


@every
def take_up(session: Session, now: datetime) -> None:
    """Jobs whose worker died wait again, unless that happened too often; what the queue has forgotten it is told again."""
    jobs: Jobs = session.info["jobs"]
    silent = sa.func.coalesce(Job.beat_at, Job.started_at) < now - ABANDONED
    for job in session.scalars(sa.select(Job).where(Job.state == JobState.RUNNING, silent).with_for_update(skip_locked=True)):
        job.holder = None
        if job.tries < MOST_TRIES:
            job.state = JobState.WAITING
        else:
            job.state, job.finished_at = JobState.FAILED, now
            job.message = f"处理它的后台进程已 {job.tries} 次中断，不再重试。请把本页编号告诉系统管理员。"
    if jobs.huey.storage.queue_size() == 0:
        waiting = sa.select(Job.id).where(Job.state == JobState.WAITING, Job.created_at < now - UNSENT, Job.kind.in_(list(KINDS))).order_by(Job.id)
        for job_id in session.scalars(waiting.limit(100)).all():
            after_commit(session, lambda told=job_id: jobs.send(told))  # type: ignore[misc]  # bound now

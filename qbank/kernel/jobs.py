"""Long work (Huey): a row that a page can watch, a worker that does it, off the request.

A room registers a kind with ``@kind("papers.assemble", "组卷")``; the handler gets a :class:`Work` with the arguments,
opens its own sessions as the person who asked, reports progress, and returns where the result is to be seen.
``every`` registers what the worker does every few seconds (closing sittings whose time is over).
"""

from __future__ import annotations

import enum
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from huey import MemoryHuey, SqliteHuey
from sqlalchemy.orm import Mapped, Session, mapped_column

from qbank.kernel.access import Viewer
from qbank.kernel.accounts import Account
from qbank.kernel.db import Actor, Base, Database, Id, Line, after_commit
from qbank.kernel.refused import Refused
from qbank.kernel.settings import Settings
from qbank.kernel.times import Clock, utc_now
from qbank.kernel.todo import Todo

LOG = logging.getLogger(__name__)
SWEEP_SECONDS = 5


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


class Work:
    """What a handler sees of its job."""

    def __init__(self, jobs: Jobs, job_id: int, arguments: dict[str, Any], viewer: Viewer | None) -> None:
        self._jobs = jobs
        self._job_id = job_id
        self.arguments = arguments
        self.viewer = viewer
        self.settings = jobs.settings

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
        """A transaction written as the person who asked. Keep it short: it holds the write lock on SQLite."""
        actor = self.viewer.actor if self.viewer else Actor(None, "系统：后台任务")
        with self._jobs.database.transaction(actor, clock=self._jobs.clock) as session:
            session.info["jobs"] = self._jobs
            yield session

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """A session that only reads and holds no lock."""
        with self._jobs.database.open(None, reads_only=True) as session:
            yield session

    def progress(self, done: int, total: int, message: str = "") -> None:
        self._jobs.note(self._job_id, done=done, total=total, message=message)


class Jobs:
    """The queue of one installation."""

    def __init__(self, settings: Settings, database: Database, clock: Clock = utc_now) -> None:
        self.settings = settings
        self.database = database
        self.clock = clock
        self.huey = (MemoryHuey("examroom", immediate=True) if settings.jobs_inline
                     else SqliteHuey("examroom", filename=str(settings.folder / "jobs.sqlite3")))
        self._send = self.huey.task(name="run_job")(self.run)

    def enqueue(self, session: Session, name: str, arguments: dict[str, Any], who: Viewer | None, *,
                now: datetime) -> Job:
        """Ask for work; it is sent when the session commits."""
        job = Job(kind=name, title=KINDS[name].title, arguments=arguments, created_at=now,
                  account_id=who.account_id if who else None)
        session.add(job)
        session.flush()
        job_id = job.id
        after_commit(session, lambda: self._send(job_id))
        return job

    def run(self, job_id: int) -> None:
        """Do one job; every end is written to its row."""
        with self.database.open(None, reads_only=True) as session:
            job = session.get_one(Job, job_id)
            account = session.get(Account, job.account_id) if job.account_id else None
            viewer = account.viewer() if account else None
            name, arguments = job.kind, job.arguments
        self.note(job_id, state=JobState.RUNNING, started_at=self.clock())
        try:
            url = KINDS[name].handler(Work(self, job_id, arguments, viewer))
        except Refused as refusal:
            self.note(job_id, state=JobState.REFUSED, message=refusal.sentence, details=list(refusal.details),
                      finished_at=self.clock())
        except Exception:
            LOG.exception("job %s (%s) failed", job_id, name)
            self.note(job_id, state=JobState.FAILED, message="处理时出现内部错误，没有写入任何内容。请把本页编号告诉系统管理员。",
                      finished_at=self.clock())
        else:
            self.note(job_id, state=JobState.DONE, result_url=url, finished_at=self.clock())

    def note(self, job_id: int, **values: Any) -> None:
        with self.database.transaction(Actor(None, "系统：后台任务"), clock=self.clock) as session:
            job = session.get_one(Job, job_id)
            for name, value in values.items():
                setattr(job, name, value)

    def sweep(self) -> None:
        """Run every registered sweep once; one that fails does not stop the others."""
        for act in SWEEPS:
            try:
                with self.database.transaction(Actor(None, "系统：定时任务"), clock=self.clock) as session:
                    session.info["jobs"] = self
                    act(session, self.clock())
            except Exception:
                LOG.exception("sweep %s failed", act.__name__)


def enqueue(session: Session, name: str, arguments: dict[str, Any], who: Viewer | None, *, now: datetime) -> Job:
    """Ask for work from a rule or a view: the queue travels with the session."""
    jobs: Jobs = session.info["jobs"]
    return jobs.enqueue(session, name, arguments, who, now=now)

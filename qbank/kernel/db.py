"""The database: declarative base, engine for SQLite and PostgreSQL, sessions with an actor and a clock."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, ClassVar

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

from qbank.kernel import store
from qbank.kernel.keyring import Keyring
from qbank.kernel.refused import Refused
from qbank.kernel.settings import Settings
from qbank.kernel.store import Store
from qbank.kernel.times import Clock, UtcDateTime, utc_now

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}

Id = Annotated[int, mapped_column(primary_key=True)]
Line = Annotated[str, mapped_column(sa.String(200))]


class Base(DeclarativeBase):
    """Base of all tables.

    ``__unaudited__`` says why a table is not written to the audit trail (it is its own history); tables without it
    are audited. ``__append_only__``: the database refuses to change or delete its rows, see ``qbank.kernel.append_only``.
    """

    metadata = sa.MetaData(naming_convention=NAMING)
    type_annotation_map: ClassVar[dict[Any, Any]] = {
        datetime: UtcDateTime(),
        str: sa.Text(),
        dict[str, Any]: sa.JSON(),
        list[Any]: sa.JSON(),
    }
    __unaudited__: ClassVar[str] = ""
    __append_only__: ClassVar[frozenset[str] | None] = None  # the columns that may still be filled in; None: rows may change


def table_of(model: type[Base]) -> sa.Table:
    """The table of a model, for statements on a connection."""
    table = model.__table__
    if not isinstance(table, sa.Table):
        raise TypeError(f"{model.__name__} is no table")
    return table


class Versioned:
    """Mixin for rows that two people can write: the loser of a race is told so (409)."""

    row_version: Mapped[int] = mapped_column(default=1)
    __mapper_args__: ClassVar[dict[str, Any]] = {"version_id_col": row_version}

    def expect(self, seen: int | None) -> None:
        """Refuse when the person's page was drawn from an older state of this row."""
        if seen is not None and seen != self.row_version:
            raise Refused("stale", "其他人刚刚修改了这条记录。请刷新页面，核对后再提交；您填写的内容没有写入。")


@dataclass(frozen=True)
class Actor:
    """Who writes: an account, or a named part of the system (``account_id`` None)."""

    account_id: int | None
    name: str


class Database:
    """The engine and the one way to open sessions."""

    def __init__(self, url: str, paper_keys: Keyring | None = None, media: Store | None = None, *,
                 unsafe: bool = False) -> None:
        self.url = url
        self.unsafe = unsafe  # rooms open although the server may forget: for tests
        self.media = media  # where uploaded files lie; None: nothing can be uploaded or shown here
        self.paper_keys = paper_keys  # travels with every session; None: no paper can be sealed or opened here
        self.engine = _engine(url)
        self._reading = self.engine.execution_options(examroom_reads_only=True)

    @classmethod
    def of(cls, settings: Settings) -> Database:
        return cls(settings.database_url, settings.paper_keys, store.of(settings), unsafe=settings.unsafe_database)

    def open(self, actor: Actor | None, *, clock: Clock = utc_now, reads_only: bool = False) -> Session:
        """A session for ``actor``; without one every audited write is refused."""
        session = Session(self._reading if reads_only else self.engine, expire_on_commit=False)
        session.info.update(actor=actor, clock=clock, paper_keys=self.paper_keys, media=self.media, unsafe_database=self.unsafe)
        return session

    @contextmanager
    def reading(self) -> Iterator[sa.Connection]:
        """A connection that only reads, for what needs no objects."""
        with self._reading.connect() as connection, connection.begin():
            yield connection

    @contextmanager
    def transaction(self, actor: Actor | None, *, clock: Clock = utc_now) -> Iterator[Session]:
        """One unit of work: commits at the end, rolls back on any error."""
        with self.open(actor, clock=clock) as session:
            yield session
            session.commit()


def _engine(url: str) -> sa.Engine:
    if not url.startswith("sqlite"):
        return sa.create_engine(url, pool_pre_ping=True, pool_size=30, max_overflow=20, hide_parameters=True)  # no values in error texts
    # As many as the server has threads: what overflows a pool is opened and closed again for every request.
    engine = sa.create_engine(url, connect_args={"timeout": 30, "check_same_thread": False}, pool_size=70, max_overflow=10, hide_parameters=True)

    @event.listens_for(engine, "connect")
    def prepare(connection: Any, record: Any) -> None:
        connection.isolation_level = None  # the driver's own BEGIN comes too late; ours is below
        for pragma in ("journal_mode=WAL", "foreign_keys=ON", "synchronous=FULL", "busy_timeout=30000"):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def begin(connection: sa.Connection) -> None:
        # A deferred transaction that reads first and writes later fails at once when somebody else wrote in between;
        # taking the write lock at the start makes writers queue instead.
        reads_only = connection.get_execution_options().get("examroom_reads_only")
        connection.exec_driver_sql("BEGIN" if reads_only else "BEGIN IMMEDIATE")

    return engine


def after_commit(session: Session, act: Callable[[], None]) -> None:
    """Run ``act`` once, when the session's transaction is durably committed; a rollback forgets it."""
    session.info.setdefault("after_commit", []).append(act)


@event.listens_for(Session, "after_commit")
def _run_after_commit(session: Session) -> None:
    for act in session.info.pop("after_commit", []):
        act()


@event.listens_for(Session, "after_rollback")
def _forget_after_rollback(session: Session) -> None:
    session.info.pop("after_commit", None)

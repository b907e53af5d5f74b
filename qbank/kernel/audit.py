"""The audit trail (审计留痕): who, when, what, old and new, chained by hash. Nobody writes it by hand.

Session events collect what a transaction changes and append it, chained, just before the commit. A write without an
actor is refused; so are bulk statements on audited tables, which the events cannot see. Columns marked
``info={"secret": True}`` are recorded as changed, never with their values.
"""

from __future__ import annotations

import enum
import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.orm import Mapped, Mapper, ORMExecuteState, Session, attributes, mapped_column

from qbank.kernel import linking
from qbank.kernel.access import Role, Viewer
from qbank.kernel.db import Actor, Base, Id, Line, table_of
from qbank.kernel.times import spoken

GENESIS = "0" * 64
NOT_RECORDED = "（不记录）"
CHAIN_LOCK = 7_203_911  # one writer at a time appends to the chain on PostgreSQL


class AuditError(Exception):
    """The session was used in a way that would leave no trace."""


class AuditEntry(Base):
    """One changed row. ``digest``: see ``qbank.kernel.linking``."""

    __tablename__ = "audit_entries"
    __append_only__ = frozenset()
    __unaudited__ = "the trail itself"

    id: Mapped[Id]
    at: Mapped[datetime]
    actor_id: Mapped[int | None]  # null: a part of the system, named in actor_name
    actor_name: Mapped[Line]
    action: Mapped[Line]
    table_name: Mapped[Line] = mapped_column(index=True)
    row_key: Mapped[Line] = mapped_column(index=True)
    changes: Mapped[str]  # canonical JSON: {column: [old, new]}
    previous: Mapped[str] = mapped_column(sa.String(64))
    digest: Mapped[str] = mapped_column(sa.String(64), unique=True)

    @classmethod
    def visible_to(cls, viewer: Viewer) -> sa.ColumnElement[bool]:
        return sa.true() if viewer.has(Role.ADMINISTRATOR) else sa.false()

    @property
    def values(self) -> dict[str, list[Any]]:
        """``{column: [old, new]}``."""
        return json.loads(self.changes)  # type: ignore[no-any-return]  # canonical JSON written by this module


@dataclass(frozen=True)
class Break:
    """A place where the chain does not hold."""

    entry_id: int
    sentence: str


ACTIONS = {"insert": "新增", "update": "修改", "delete": "删除"}


def verify(session: Session) -> list[Break]:
    """Walk the whole chain. An empty list means that no entry was changed, removed, inserted or reordered.

    A chain cut off at its end still holds: see :mod:`qbank.kernel.trail`.
    """
    breaks = []
    before = GENESIS
    entries = sa.select(*table_of(AuditEntry).columns).order_by(AuditEntry.id).execution_options(yield_per=1000)
    for entry in session.execute(entries):
        if entry.previous != before:
            breaks.append(Break(entry.id, f"{_told(entry)}与上一条不衔接：有记录被删除、插入或改变了顺序。"))
        if not linking.holds(entry.previous, payload_of(entry), entry.digest):
            breaks.append(Break(entry.id, f"{_told(entry)}的内容被改动。"))
        before = entry.digest
    return breaks


def _told(entry: sa.Row[Any]) -> str:
    """Which entry it is, for somebody who looks for it."""
    return (f"第 {entry.id} 条（{spoken(entry.at, seconds=True)}，{entry.actor_name}，{ACTIONS.get(entry.action, entry.action)} "
            f"{entry.table_name} #{entry.row_key}）")


def head(session: Session) -> str:
    """The digest of the newest entry."""
    found = session.scalar(sa.select(AuditEntry.digest).order_by(AuditEntry.id.desc()).limit(1))
    return found or GENESIS


@dataclass(frozen=True)
class Noted:
    """A row that was written by a statement, not as an object."""

    table_name: str
    row_key: str


def note(session: Session, actor: Actor, action: str, table_name: str, row_key: object, changes: dict[str, list[Any]]) -> None:
    """Put a change into the trail that a statement on the connection made: the session's events do not see it.

    ``changes``: column → [old, new]. For paths where many people write in one transaction; elsewhere change objects.
    """
    plain = {name: [_plain(old), _plain(new)] for name, (old, new) in changes.items()}
    session.info.setdefault("audit_pending", []).append((action, Noted(table_name, str(row_key)), plain, actor))


def payload_of(entry: AuditEntry | sa.Row[Any]) -> dict[str, Any]:
    """What an entry says, as its digest covers it."""
    return {name: getattr(entry, name) for name in linking.FIELDS} | {"at": entry.at.isoformat()}


def _plain(value: Any) -> Any:
    if isinstance(value, enum.Enum):
        return value.value
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, bytes):
        return hashlib.sha256(value).hexdigest()
    return value


def _audited(model: type) -> bool:
    return issubclass(model, Base) and not model.__unaudited__


@event.listens_for(Base, "mapper_configured", propagate=True)
def _remember_old_values(mapper: Mapper[Any], model: type) -> None:
    # Without active history the old value of an attribute expired by an earlier commit is lost.
    if _audited(model):
        for column in mapper.column_attrs:
            event.listen(getattr(model, column.key), "set", lambda *_: None, active_history=True)


def _changes(state: Any, action: str) -> dict[str, list[Any]]:
    found = {}
    for column in state.mapper.column_attrs:
        history = attributes.get_history(state.obj(), column.key)
        secret = column.columns[0].info.get("secret", False)
        if action == "update" and not history.has_changes():
            continue
        old = None if action == "insert" else _plain(next(iter(history.deleted or history.unchanged or ()), None))
        new = None if action == "delete" else _plain(next(iter(history.added or history.unchanged or ()), None))
        if action == "update" and old == new:
            continue
        if old is not None or new is not None:
            found[column.key] = [NOT_RECORDED if secret and old is not None else old,
                                 NOT_RECORDED if secret and new is not None else new]
    return found


@event.listens_for(Session, "before_flush")
def _note_changes(session: Session, context: Any, instances: Any) -> None:
    pending = session.info.setdefault("audit_pending", [])
    groups = (("insert", session.new), ("update", session.dirty), ("delete", session.deleted))
    for action, objects in groups:
        for thing in objects:
            if not _audited(type(thing)):
                continue
            if session.info.get("actor") is None:
                raise AuditError(f"a write to {thing.__tablename__} has no actor")
            changes = _changes(sa.inspect(thing), action)
            if changes or action != "update":
                pending.append((action, thing, changes, session.info["actor"]))


@event.listens_for(Session, "before_commit")
def _append(session: Session) -> None:
    if session.in_nested_transaction():
        return
    session.flush()
    pending: list[tuple[str, Base | Noted, dict[str, list[Any]], Actor]] = session.info.pop("audit_pending", [])
    if not pending:
        return
    if session.get_bind().dialect.name == "postgresql":
        session.execute(sa.text("SELECT pg_advisory_xact_lock(:key)"), {"key": CHAIN_LOCK})
    session.execute(sa.insert(AuditEntry), list(_entries(pending, head(session), session.info["clock"]())))


def _entries(pending: list[tuple[str, Base | Noted, dict[str, list[Any]], Actor]], before: str,
             at: datetime) -> Iterator[dict[str, Any]]:
    at = at.astimezone(UTC)  # as it is read back: the digest covers its text
    for action, thing, changes, actor in pending:
        row = thing if isinstance(thing, Noted) else _noted(thing, action, changes)
        payload = {
            "actor_id": actor.account_id, "actor_name": actor.name, "action": action,
            "table_name": row.table_name, "row_key": row.row_key,
            "changes": json.dumps(changes, ensure_ascii=False, sort_keys=True, separators=(",", ":"), default=str),
        }
        digest = linking.link(before, linking.folded(payload | {"at": at.isoformat()}))
        yield payload | {"at": at, "previous": before, "digest": digest}
        before = digest


def _noted(thing: Base, action: str, changes: dict[str, list[Any]]) -> Noted:
    state = sa.inspect(thing)
    key = state.identity or tuple(getattr(thing, str(column.key)) for column in state.mapper.primary_key)
    if action == "insert":  # primary keys and defaults are known only after the flush
        for column in state.mapper.column_attrs:
            value = _plain(state.dict.get(column.key))
            if column.key not in changes and value is not None:
                changes[column.key] = [None, NOT_RECORDED if column.columns[0].info.get("secret") else value]
    return Noted(thing.__tablename__, ",".join(map(str, key)))


@event.listens_for(Session, "after_rollback")
def _forget(session: Session) -> None:
    session.info.pop("audit_pending", None)


@event.listens_for(Session, "do_orm_execute")
def _refuse_bulk(state: ORMExecuteState) -> None:
    if not (state.is_insert or state.is_update or state.is_delete):
        return
    name = getattr(getattr(state.statement, "table", None), "name", None)
    for mapper in Base.registry.mappers:
        if getattr(mapper.local_table, "name", None) == name and _audited(mapper.class_):
            raise AuditError(f"bulk statements on {name} would leave no trace: change the objects instead")

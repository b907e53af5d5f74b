"""Another key for identity numbers, while everybody goes on working.

Columns say what they hold by ``info={"identity": "cipher"}`` or ``"hash"``. All rows of one person change in one
transaction, so that whoever compares two of them never meets one old and one new. Every step may be broken off: a row
that lies under the current key is passed over, so the next run takes up where this one ended.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from qbank.kernel import audit, host_keys
from qbank.kernel.db import Actor, Base, Database
from qbank.kernel.identity import IdentityCipher
from qbank.kernel.identity_keys import KEY_BYTES, name_of, next_in, write_whole
from qbank.kernel.refused import Refused
from qbank.kernel.settings import Settings

AT_ONCE = 200
Stale = dict[str, Any]  # a row: its id, its ciphers, its hash


@dataclass(frozen=True)
class Place:
    """A table that holds identity numbers, or their hashes."""

    table: sa.Table
    ciphers: tuple[sa.Column[Any], ...]
    hash: sa.Column[Any] | None

    @property
    def columns(self) -> list[sa.Column[Any]]:
        return [self.table.c.id, *self.ciphers, *([self.hash] if self.hash is not None else [])]


@dataclass(frozen=True)
class Rotated:
    """What a rotation did: rows by table, and hashes of numbers that nobody has any more, which stay as they were."""

    rows: dict[str, int]
    orphans: int
    former_kept: bool


def places() -> list[Place]:
    found = []
    for table in Base.metadata.sorted_tables:
        marked = {kind: tuple(column for column in table.c if column.info.get("identity") == kind) for kind in ("cipher", "hash")}
        if any(marked.values()):
            found.append(Place(table, marked["cipher"], marked["hash"][0] if marked["hash"] else None))
    return found


def add_key(settings: Settings) -> str:
    """Make the key that the next rotation takes, for the other hosts to have it before anything lies under it. Its name."""
    file = _file(settings)
    if next_in(file) or len(settings.identity.keys) > 1:
        raise Refused("rotating", "已有一个待换入的密钥，或上一次更换还没有完成。请先运行 examroom identity rotate-key。")
    _keep_derived(settings)
    made = secrets.token_bytes(KEY_BYTES)
    write_whole(file.with_suffix(".next"), made)
    return name_of(made)


def rotate(database: Database, settings: Settings, actor: Actor, *, keep_former: bool = False,
           progress: Callable[[str, int], None] = lambda table, rows: None) -> Rotated:
    """Bring a new key to the front (unless a rotation waits to be finished), put everything under it, forget the former one."""
    _begin(settings)
    cipher, rows = settings.identity_cipher(), dict[str, int]()
    while True:
        done = sum(_pass(database, cipher, actor, place, rows, progress) for place in places() if place.ciphers)
        if not done:
            break
    return _finish(database, settings, actor, rows, keep_former)


def _begin(settings: Settings) -> None:
    if settings.identity_file is None:
        if not settings.former_identity_keys:
            raise Refused("key_from_environment", "身份证号码密钥来自环境变量 EXAMROOM_IDENTITY_KEY，程序不能替您更换。", [
                "用 openssl rand -hex 32 生成新密钥；", "在每台主机上依次设为“旧密钥,新密钥”并重启，再设为“新密钥,旧密钥”并重启；",
                "再运行本命令；完成后只保留新密钥，并把 codes.key 复制到每台主机。"])
        _keep_derived(settings)
        return
    held, coming = settings.identity.keys, next_in(settings.identity_file)
    if len(held) > 1 and not coming:
        return  # broken off: go on with the same key
    _keep_derived(settings)
    former = [key for key in held if key != coming]
    write_whole(settings.identity_file, b"".join([coming or secrets.token_bytes(KEY_BYTES), *former]))
    settings.identity_file.with_suffix(".next").unlink(missing_ok=True)


def _keep_derived(settings: Settings) -> None:
    """What is derived from the first key and stands on paper outlives it."""
    if not settings.derived_keys and not settings.derived_file.exists():
        write_whole(settings.derived_file, settings.identity.derived)


def _file(settings: Settings) -> Path:
    if settings.identity_file is None:
        raise Refused("key_from_environment", "身份证号码密钥来自环境变量 EXAMROOM_IDENTITY_KEY：请在每台主机的变量中把新密钥写在旧密钥后面，以逗号分开。")
    return settings.identity_file


def _pass(database: Database, cipher: IdentityCipher, actor: Actor, place: Place, rows: dict[str, int],
          progress: Callable[[str, int], None]) -> int:
    """Once through a table. What is read here may change before it is written: then it is left for the next pass."""
    done = 0
    for some in _stale(database, cipher, place):
        with database.transaction(actor) as session:
            count = _renew(session, cipher, place, some)
            for name, changed in count.items():
                audit.note(session, actor, "rotate", name, f"{some[0]['id']}…{some[-1]['id']}", {"rows": [None, changed]})
                rows[name] = rows.get(name, 0) + changed
        done += sum(count.values())
        progress(place.table.name, rows.get(place.table.name, 0))
    return done


def _stale(database: Database, cipher: IdentityCipher, place: Place) -> Iterator[Sequence[Stale]]:
    """Rows that lie under a former key, some at a time."""
    last = 0
    while True:
        with database.reading() as connection:
            read = _page(connection, place, last)
        if not read:
            return
        last = read[-1]["id"]
        if some := [row for row in read if _is_stale(row, cipher, place)]:
            yield some


def _page(connection: sa.Connection, place: Place, after: int) -> list[Stale]:
    query = (sa.select(*place.columns).where(place.table.c.id > after, sa.or_(*(one.is_not(None) for one in place.ciphers)))
             .order_by(place.table.c.id).limit(AT_ONCE))
    return [dict(row._mapping) for row in connection.execute(query)]


def _is_stale(row: Stale, cipher: IdentityCipher, place: Place) -> bool:
    return any(row[one.name] is not None and not cipher.is_current(row[one.name]) for one in place.ciphers)


def _renew(session: Session, cipher: IdentityCipher, place: Place, some: Sequence[Stale]) -> dict[str, int]:
    """The rows themselves, and whatever else holds a hash of the same persons. Changed rows by table."""
    connection, count = session.connection(), dict[str, int]()
    hashes: dict[str, str] = {}
    for row in some:
        for column in place.ciphers:
            plain = cipher.decrypt(row[column.name])
            done = connection.execute(sa.update(place.table).where(place.table.c.id == row["id"], column == row[column.name])
                                      .values({column.name: cipher.encrypt(plain)}))
            count[place.table.name] = count.get(place.table.name, 0) + done.rowcount
            if place.hash is not None:
                new, *old = cipher.fingerprints(plain)
                hashes |= dict.fromkeys(old, new)
    if hashes:
        _rehash(connection, cipher, hashes, count)
    return count


def _rehash(connection: sa.Connection, cipher: IdentityCipher, hashes: dict[str, str], count: dict[str, int]) -> None:
    """Every row with one of these old hashes gets its new one; its cipher goes along, so that no row is half old."""
    for place in places():
        if place.hash is None:
            continue
        for row in connection.execute(sa.select(*place.columns).where(place.hash.in_(list(hashes)))).mappings().all():
            fresh = {one.name: cipher.encrypt(cipher.decrypt(row[one.name])) for one in place.ciphers
                     if row[one.name] is not None and not cipher.is_current(row[one.name])}
            done = connection.execute(sa.update(place.table).where(place.table.c.id == row["id"], place.hash == row[place.hash.name])
                                      .values({**fresh, place.hash.name: hashes[row[place.hash.name]]}))
            if fresh or not place.ciphers:
                count[place.table.name] = count.get(place.table.name, 0) + done.rowcount


def _finish(database: Database, settings: Settings, actor: Actor, rows: dict[str, int], keep_former: bool) -> Rotated:
    """A last look while nobody writes; then the former key goes."""
    held = settings.identity
    with database.transaction(actor) as session:
        if session.get_bind().dialect.name == "postgresql":
            names = ", ".join(place.table.name for place in places())
            session.execute(sa.text(f"LOCK TABLE {names} IN SHARE MODE"))
        if any(_left(session.connection(), held.cipher(), place) for place in places() if place.ciphers):
            raise Refused("still_written", "更换期间又有数据用旧密钥写入（可能还有主机没有拿到新的 identity.key）。旧密钥仍然保留；请核对后再运行一次。")
        orphans = _orphans(session.connection())
        if not keep_former and settings.identity_file is not None:
            if any(settings.folder.glob("taking-*")):
                raise Refused("backup_runs", "正在备份。旧密钥仍然保留；请等备份结束后再运行一次本命令。")
            write_whole(settings.identity_file, held.keys[0])
        host_keys.replaced(session, "identity", held.keys[0])
        audit.note(session, actor, "rotate", "identity_keys", name_of(held.keys[0]),
                   {"former": [",".join(map(name_of, held.keys[1:])), None if not keep_former else "kept"], "rows": [None, sum(rows.values())]})
    return Rotated(rows, orphans, keep_former or settings.identity_file is None)


def _left(connection: sa.Connection, cipher: IdentityCipher, place: Place) -> bool:
    last = 0
    while read := _page(connection, place, last):
        if any(_is_stale(row, cipher, place) for row in read):
            return True
        last = read[-1]["id"]
    return False


def _orphans(connection: sa.Connection) -> int:
    """Hashes that stand beside no number, of numbers that no row holds any more: they cannot be computed anew."""
    known = [sa.select(place.hash).where(place.hash.is_not(None)) for place in places() if place.hash is not None and place.ciphers]
    return sum(connection.scalar(sa.select(sa.func.count()).select_from(place.table)
                                 .where(place.hash != "", *(place.hash.not_in(some) for some in known))) or 0
               for place in places() if place.hash is not None and not place.ciphers)

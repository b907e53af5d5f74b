"""A scratch copy of the installation: the same program, machine, disk and database engine, and none of the real rows.

A rehearsal answers questions on sheets that were really dealt. It must never touch results, so it does that on a copy
that is thrown away: for SQLite a file beside the database, for PostgreSQL a schema of its own in the same database. A
second server of the same program serves the copy on a free port of this machine.
"""

from __future__ import annotations

import os
import secrets
import shutil
import socket
import sqlite3
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from flask import Flask
from flask.sessions import SecureCookieSessionInterface

from examroom.delivery.models import GENESIS, Admission, Answer, AnswerEvent, ExamPage, Presence, Sheet, SheetState
from examroom.plans.models import Enrolment, Sitting, SittingRoom
from qbank.kernel import append_only, migrations
from qbank.kernel.accounts import Account
from qbank.kernel.db import Base, Database
from qbank.kernel.host_keys import HostKey
from qbank.kernel.refused import Refused
from qbank.kernel.settings import Settings
from qbank.kernel.times import utc_now

LEFT_OUT = {"audit_entries", "answer_events", "answers", "presences", "jobs", "exam_pages", "interruptions"}  # history, and large
STARTS_WITHIN = 60  # seconds for the scratch server
SLACK = timedelta(hours=2)


@dataclass(frozen=True)
class Scratch:
    """A served copy: where it answers, and the signed-in candidates of one sitting."""

    address: str
    database: Database
    sheets: list[tuple[int, str]]  # sheet id, cookie


@contextmanager
def served(settings: Settings, sitting_id: int, *, most: int) -> Iterator[Scratch]:
    """A copy in which the sitting begins now, served until the block ends; then nothing of it is left."""
    folder = settings.folder / f"rehearsal-{secrets.token_hex(4)}"
    folder.mkdir(mode=0o700)
    try:
        with _copied(settings, folder) as url:
            database = Database(url)
            secret = secrets.token_hex(32)
            try:
                _begin_now(database.engine, sitting_id)
                with _server(settings, folder, url, secret) as address:
                    yield Scratch(address, database, _signed_in(database.engine, sitting_id, secret.encode(), most))
            finally:
                database.engine.dispose()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _copied(settings: Settings, folder: Path) -> Iterator[str]:
    for kept in settings.folder.glob("*.key"):
        shutil.copy2(kept, folder)
    if settings.database_url.startswith("sqlite:///"):
        target = folder / "examroom.sqlite3"
        with closing(sqlite3.connect(settings.database_url.removeprefix("sqlite:///"))) as held, closing(sqlite3.connect(target)) as copy:
            held.backup(copy)
        yield f"sqlite:///{target}"
        return
    schema = folder.name.replace("-", "_")
    live = sa.create_engine(settings.database_url)
    url = sa.make_url(settings.database_url).update_query_dict({"options": f"-csearch_path={schema}"}).render_as_string(hide_password=False)
    try:
        with live.begin() as connection:
            connection.execute(sa.schema.CreateSchema(schema))
        try:
            _fill(url, schema)
            yield url
        finally:
            with live.begin() as connection:
                connection.execute(sa.schema.DropSchema(schema, cascade=True))
    except sa.exc.ProgrammingError as error:
        raise Refused("no_schema", "演练需要在数据库里建一个临时的 schema，当前数据库用户没有这项权限。"
                      "请数据库管理员执行 GRANT CREATE ON DATABASE 后重试。", [str(error.orig)[:300]]) from error
    finally:
        live.dispose()


def _fill(url: str, schema: str) -> None:
    """The schema, with the rows of the real one. Tables that refer to each other are filled while nobody checks."""
    engine = Database(url).engine
    migrations.upgrade(engine)
    with engine.begin() as connection:
        links = connection.execute(sa.text(
            "SELECT conrelid::regclass, conname FROM pg_constraint WHERE contype = 'f' AND connamespace = CAST(:schema AS regnamespace)"),
            {"schema": schema}).all()
        for table, name in links:  # a throw-away copy of rows that hold already
            connection.exec_driver_sql(f"ALTER TABLE {table} DROP CONSTRAINT {name}")
        for held in Base.metadata.tables.values():
            if held.name in LEFT_OUT:
                continue
            names = ", ".join(f'"{column.name}"' for column in held.columns)
            connection.exec_driver_sql(f'INSERT INTO "{schema}"."{held.name}" ({names}) SELECT {names} FROM public."{held.name}"')  # noqa: S608  # our own names
            if "id" in held.columns and held.columns["id"].primary_key:
                connection.exec_driver_sql(
                    f"SELECT setval(pg_get_serial_sequence('\"{schema}\".\"{held.name}\"', 'id'), "  # noqa: S608
                    f'(SELECT coalesce(max(id), 0) + 1 FROM "{schema}"."{held.name}"), false)')
    engine.dispose()


def _begin_now(engine: sa.Engine, sitting_id: int) -> None:
    """In the copy every sheet is fresh, every room is open, and the time has come long enough ago to hand in."""
    now = utc_now()
    own = sa.select(Sheet.id).where(Sheet.sitting_id == sitting_id)
    with engine.begin() as connection:
        append_only.lift(connection)
        connection.execute(sa.delete(HostKey))  # it is served with a secret of its own
        models: tuple[Any, ...] = (ExamPage, AnswerEvent, Answer, Presence)
        for model in models:
            connection.execute(sa.delete(model).where(model.sheet_id.in_(own)))
        connection.execute(sa.update(Sitting).where(Sitting.id == sitting_id).values(
            starts_at=now - SLACK, minutes=int(SLACK.total_seconds() // 60) * 2, seb_required=False))
        connection.execute(sa.update(SittingRoom).where(SittingRoom.sitting_id == sitting_id).values(opened_at=now))
        connection.execute(sa.update(Sheet).where(Sheet.sitting_id == sitting_id).values(
            state=SheetState.DEALT, started_at=None, handed_in_at=None, handed_in_how=None, paused_at=None, late_until=None,
            ends_at=now + SLACK, admission=Admission.ADMITTED, generation=0, highest=0, chain=GENESIS))


@contextmanager
def _server(settings: Settings, folder: Path, url: str, secret: str) -> Iterator[str]:
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    held = settings.identity
    environment = os.environ | {"EXAMROOM_DATABASE_URL": url, "EXAMROOM_SECRET_KEY": secret, "EXAMROOM_SECURE_COOKIES": "0",
                                "EXAMROOM_DRAIN_SECONDS": "0", "EXAMROOM_INTERNAL_ADDRESS": "",
                                "EXAMROOM_IDENTITY_KEY": ",".join(key.hex() for key in held.keys), "EXAMROOM_CODES_KEY": held.derived.hex()}
    with (folder / "server.log").open("wb") as log:
        process = subprocess.Popen(  # noqa: S603  # our own program
            [sys.executable, "-m", "app", "--dir", str(folder), "serve", "--port", str(port), "--no-worker"],
            env=environment, stdout=log, stderr=log)
        try:
            address = f"http://127.0.0.1:{port}"
            _await(process, f"{address}/exam", folder / "server.log")
            yield address
        finally:
            process.terminate()
            try:
                process.wait(timeout=20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _await(process: subprocess.Popen[bytes], address: str, log: Path) -> None:
    until = time.monotonic() + STARTS_WITHIN
    while time.monotonic() < until and process.poll() is None:
        try:
            with urllib.request.urlopen(address, timeout=5):  # noqa: S310  # our own server on this machine
                return
        except OSError:
            time.sleep(0.1)
    raise Refused("scratch_server", "演练用的服务没有启动起来，请系统管理员查看原因。", log.read_text(errors="replace").splitlines()[-5:])


def _signed_in(engine: sa.Engine, sitting_id: int, secret: bytes, most: int) -> list[tuple[int, str]]:
    """A signed session cookie for each candidate: only the copy's own secret makes and reads it."""
    signer = Flask("rehearsal")
    signer.secret_key = secret
    serializer = SecureCookieSessionInterface().get_signing_serializer(signer)
    if serializer is None:
        raise RuntimeError("no secret key")
    query = (sa.select(Sheet.id, Account.id, Account.generation).join(Enrolment, Enrolment.id == Sheet.enrolment_id)
             .join(Account, Account.id == Enrolment.account_id).where(Sheet.sitting_id == sitting_id).order_by(Sheet.id).limit(most))
    with engine.connect() as connection:
        rows = connection.execute(query).all()
    seen = utc_now().timestamp()
    return [(sheet, f"session={serializer.dumps({'_user_id': f'{account}:{generation}', '_fresh': True, 'seen': seen})}")
            for sheet, account, generation in rows]

"""Running an installation: the web server, the worker, the doctor."""

from __future__ import annotations

import logging
import multiprocessing
import multiprocessing.util
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial

import sqlalchemy as sa
from flask import Flask
from granian import Granian
from granian.constants import HTTPModes, Interfaces, SSLProtocols

from qbank.kernel import audit, backup, durability, migrations
from qbank.kernel.db import Database
from qbank.kernel.jobs import SWEEP_SECONDS, Jobs
from qbank.kernel.settings import Settings
from qbank.kernel.tls import ServerCertificate

LOG = logging.getLogger(__name__)
THREADS = 128  # requests in work at once: a save waits for its commit, so they cost memory, not time
SWITCH_SECONDS = 0.0005  # a save needs the interpreter twenty times for a moment: it must not wait 5 ms for each behind a page
BACKLOG = 4096  # connections that may wait for their turn: a whole cohort at once
STOP_SECONDS = 20
WRITE_SECONDS = 3  # for saves that wait when the server was killed
Factory = Callable[[Settings], Flask]
LEAST_FREE_BYTES = 500_000_000


@dataclass(frozen=True)
class Finding:
    """One line of the doctor: what was looked at, whether it is well, and what to do when it is not."""

    subject: str
    well: bool
    detail: str
    remedy: str = ""


# What the rooms have the doctor look at, each in a session that only reads.
EXAMINED: list[Callable[[sa.orm.Session], Finding]] = []


def serve(factory: Factory, settings: Settings, host: str, port: int, certificate: ServerCertificate | None = None) -> None:
    """Serve until interrupted. A process of its own takes the requests; it ends with this one, however this one ends."""
    server = Granian("examroom", address=host, port=port, interface=Interfaces.WSGI, http=HTTPModes.http1, websockets=False,
                     workers=1, blocking_threads=THREADS, backlog=BACKLOG, backpressure=BACKLOG, log_enabled=False,
                     workers_kill_timeout=STOP_SECONDS, ssl_protocol_min=SSLProtocols.tls12,  # older school computers know no TLS 1.3
                     ssl_cert=certificate.certificate if certificate else None, ssl_key=certificate.key if certificate else None)
    server.serve(target_loader=partial(_application, factory, settings), wrap_loader=False)


def _application(factory: Factory, settings: Settings) -> Flask:
    """Runs in the process that takes the requests: nothing of the database is shared with the one that started it."""
    app = factory(settings)
    sys.setswitchinterval(SWITCH_SECONDS)
    if settings.unsafe_database:
        LOG.error("EXAMROOM_UNSAFE_DATABASE is set: rooms open even if the database loses acknowledged answers. Never in an exam.")
    parent = multiprocessing.parent_process()
    if parent is not None:
        threading.Thread(target=_end_with, args=(parent.join, app), name="parent", daemon=True).start()
    multiprocessing.util.Finalize(app, app.extensions["examroom"]["writer"].close, exitpriority=10)  # saves that wait are written
    return app


def _end_with(wait: Callable[[], object], app: Flask) -> None:
    """End at once when ``wait`` returns: the server was killed, and the next one needs its address. What waits is written first."""
    wait()
    threading.Timer(WRITE_SECONDS, os._exit, (1,)).start()  # a disk that hangs keeps no address
    app.extensions["examroom"]["writer"].close()
    os._exit(1)


def _end_after(wait: Callable[[], object]) -> None:
    """End this process in good order once ``wait`` returns, and by force when that takes too long."""
    wait()
    signal.raise_signal(signal.SIGTERM) if sys.platform == "win32" else os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(STOP_SECONDS)
    os._exit(1)


@contextmanager
def worker_beside(settings: Settings) -> Iterator[None]:
    """A worker process that lives as long as the server it stands beside: it reads a pipe that ends with the server."""
    process = subprocess.Popen([sys.executable, "-m", "app", "--dir", str(settings.folder), "worker", "--beside"],  # noqa: S603  # our own program
                               stdin=subprocess.PIPE)
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))  # or the server would die without stopping the worker
    try:
        yield
    finally:
        process.terminate()
        process.wait(timeout=20)


def end_with_server() -> None:
    """For a worker that stands beside a server: end when the pipe to it does, also when the server was killed."""
    threading.Thread(target=_end_after, args=(sys.stdin.buffer.read,), name="server", daemon=True).start()


def work(jobs: Jobs) -> None:
    """Do queued work, and every few seconds what falls due, until interrupted."""
    stopped = threading.Event()

    def sweep() -> None:
        while not stopped.wait(SWEEP_SECONDS):
            jobs.sweep()

    threading.Thread(target=sweep, name="sweep", daemon=True).start()
    consumer = jobs.huey.create_consumer(workers=1, periodic=False, check_worker_health=True)
    try:
        consumer.run()
    finally:
        stopped.set()


def examine(settings: Settings, database: Database, *, now: datetime) -> list[Finding]:
    """The doctor: what an installation needs, each finding with its remedy."""
    findings = [_disk(settings)]
    try:
        current, newest = migrations.revisions(database.engine)
    except sa.exc.OperationalError as error:
        return [*findings, Finding("database", False, str(error.orig),
                                   "start the database server, or correct EXAMROOM_DATABASE_URL")]
    findings.append(Finding("database", True, database.engine.dialect.name))
    findings.append(Finding("schema", current == newest, f"database {current}, program {newest}",
                            "run: examroom upgrade"))
    if current == newest:
        with database.open(None, reads_only=True) as session:
            weak = durability.weaknesses(session)
            findings.append(Finding("durability", not weak, ", ".join(weak) or "what is acknowledged is kept",
                                    "set synchronous_commit, fsync and full_page_writes to on; no room opens before"))
            breaks = audit.verify(session)
            findings.append(Finding("audit trail", not breaks, f"{len(breaks)} breaks, head {audit.head(session)[:16]}",
                                    "; ".join(found.sentence for found in breaks[:3])))
            findings.append(_clock(session, now))
            findings.append(_backup(session, settings, now))
            findings += [look(session) for look in EXAMINED]
    return findings


def _disk(settings: Settings) -> Finding:
    free = shutil.disk_usage(settings.folder).free
    return Finding("disk", free > LEAST_FREE_BYTES, f"{free / 1e9:.1f} GB free in {settings.folder}",
                   "free at least 0.5 GB: an answer that cannot be written is not acknowledged")


def _backup(session: sa.orm.Session, settings: Settings, now: datetime) -> Finding:
    """The age of the newest one; an installation of today has nothing to lose yet."""
    found = backup.newest(settings)
    began = session.scalar(sa.select(sa.func.min(audit.AuditEntry.at))) or now
    if found is None:
        return Finding("backup", now - began < backup.OLDEST, f"none in {settings.folder / backup.FOLDER}", "run: examroom backup")
    age = now - found[1]
    return Finding("backup", age <= backup.OLDEST, f"the newest is {age.total_seconds() / 3600:.1f} hours old: {found[0].name}", "run: examroom backup")


def _clock(session: sa.orm.Session, now: datetime) -> Finding:
    newest = session.scalar(sa.select(sa.func.max(audit.AuditEntry.at))) or datetime(2000, 1, 1, tzinfo=UTC)
    return Finding("clock", newest <= now, f"now {now:%Y-%m-%d %H:%M:%S}Z",
                   f"the newest record is of {newest:%Y-%m-%d %H:%M:%S}Z: set the clock of this machine")

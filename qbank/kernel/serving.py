"""Running an installation: the web server, the worker, the doctor."""

from __future__ import annotations

import logging
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

import sqlalchemy as sa
import waitress
from flask import Flask

from qbank.kernel import audit, migrations
from qbank.kernel.db import Database
from qbank.kernel.jobs import SWEEP_SECONDS, Jobs
from qbank.kernel.settings import Settings

LOG = logging.getLogger(__name__)
THREADS = 16
LEAST_FREE_BYTES = 500_000_000


@dataclass(frozen=True)
class Finding:
    """One line of the doctor: what was looked at, whether it is well, and what to do when it is not."""

    subject: str
    well: bool
    detail: str
    remedy: str = ""


def serve(app: Flask, host: str, port: int) -> None:
    """Serve ``app`` until interrupted; the server also runs on Windows."""
    waitress.serve(app, host=host, port=port, threads=THREADS, ident=None, clear_untrusted_proxy_headers=True)


@contextmanager
def worker_beside(settings: Settings) -> Iterator[None]:
    """A worker process that lives as long as the server it stands beside."""
    process = subprocess.Popen([sys.executable, "-m", "app", "--dir", str(settings.folder), "worker"])  # noqa: S603  # our own program, no input
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))  # or the server would die without stopping the worker
    try:
        yield
    finally:
        process.terminate()
        process.wait(timeout=20)


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
            breaks = audit.verify(session)
            findings.append(Finding("audit trail", not breaks, f"{len(breaks)} breaks, head {audit.head(session)[:16]}",
                                    "; ".join(found.sentence for found in breaks[:3])))
            findings.append(_clock(session, now))
    return findings


def _disk(settings: Settings) -> Finding:
    free = shutil.disk_usage(settings.folder).free
    return Finding("disk", free > LEAST_FREE_BYTES, f"{free / 1e9:.1f} GB free in {settings.folder}",
                   "free at least 0.5 GB: an answer that cannot be written is not acknowledged")


def _clock(session: sa.orm.Session, now: datetime) -> Finding:
    newest = session.scalar(sa.select(sa.func.max(audit.AuditEntry.at))) or datetime(2000, 1, 1, tzinfo=UTC)
    return Finding("clock", newest <= now, f"now {now:%Y-%m-%d %H:%M:%S}Z",
                   f"the newest record is of {newest:%Y-%m-%d %H:%M:%S}Z: set the clock of this machine")

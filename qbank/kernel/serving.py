"""Running an installation: the web server and the worker."""

from __future__ import annotations

import logging
import multiprocessing
import multiprocessing.util
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial

from flask import Flask
from granian import Granian
from granian.constants import HTTPModes, Interfaces, SSLProtocols

from qbank.kernel import operations
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
    operations.begin(app, settings)
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

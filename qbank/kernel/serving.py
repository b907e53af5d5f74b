"""Running an installation: the web server and the worker, from their start to a stop that loses nothing.

Told to stop (SIGTERM), a server drains first: /healthz says so, and every answer asks its browser or proxy to come back on a
new connection, which goes elsewhere. Then it listens no more, answers what it has taken, writes what waits, and ends.
"""

from __future__ import annotations

import ctypes
import logging
import multiprocessing
import multiprocessing.sharedctypes
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
from types import FrameType
from typing import Any

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
BEAT_SECONDS = 10
LOOK_SECONDS = 0.1
IDLE_SECONDS = 1.0  # at most between two looks into the table of jobs
WRITE_SECONDS = 3  # for saves that wait when the server was killed
Factory = Callable[[Settings], Flask]


def serve(factory: Factory, settings: Settings, host: str, port: int, certificate: ServerCertificate | None = None, *,
          processes: int = 1) -> None:
    """Serve until interrupted. Processes of their own take the requests; they end with this one, however this one ends."""
    draining = multiprocessing.sharedctypes.RawValue(ctypes.c_bool, False)
    server = _Server("examroom", address=host, port=port, interface=Interfaces.WSGI, http=HTTPModes.http1, websockets=False,
                     workers=processes, blocking_threads=THREADS, backlog=BACKLOG, backpressure=BACKLOG, log_enabled=False,
                     respawn_failed_workers=processes > 1,  # one that was killed: the others go on meanwhile
                     workers_kill_timeout=STOP_SECONDS, ssl_protocol_min=SSLProtocols.tls12,  # older school computers know no TLS 1.3
                     ssl_cert=certificate.certificate if certificate else None, ssl_key=certificate.key if certificate else None)
    server.draining, server.drain_seconds = draining, settings.drain_seconds
    server.serve(target_loader=partial(_application, factory, settings, draining), wrap_loader=False)


class _Server(Granian):  # type: ignore[misc,valid-type]  # Granian chooses its class when it is imported
    """Granian, which drains before it stops. A second signal, and Ctrl+C, end the draining."""

    draining: Any
    drain_seconds = 0

    def signal_handler_interrupt(self, number: int, frame: FrameType | None) -> None:
        if number != signal.SIGTERM or self.draining.value or not self.drain_seconds:
            super().signal_handler_interrupt()
            return
        self.draining.value = True
        timer = threading.Timer(self.drain_seconds, super().signal_handler_interrupt)
        timer.daemon = True
        timer.start()


class Draining:
    """Stands before everything: while the server drains, each answer is the last on its connection."""

    def __init__(self, behind: Callable[..., Any], flag: threading.Event) -> None:
        self.behind, self.flag = behind, flag

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Any:
        if not self.flag.is_set():
            return self.behind(environ, start_response)
        return self.behind(environ, lambda status, headers, *more: start_response(status, [*headers, ("Connection", "close")], *more))


def _application(factory: Factory, settings: Settings, draining: Any) -> Flask:
    """Runs in the process that takes the requests: nothing of the database is shared with the one that started it."""
    app = factory(settings)
    flag = app.extensions["examroom"]["draining"] = threading.Event()
    app.wsgi_app = Draining(app.wsgi_app, flag)  # type: ignore[method-assign]  # Flask's way
    threading.Thread(target=_drain_when, args=(draining, flag), name="draining", daemon=True).start()
    operations.begin(app, settings)
    sys.setswitchinterval(SWITCH_SECONDS)
    if settings.unsafe_database:
        LOG.error("EXAMROOM_UNSAFE_DATABASE is set: rooms open even if the database loses acknowledged answers. Never in an exam.")
    parent = multiprocessing.parent_process()
    if parent is not None:
        threading.Thread(target=_end_with, args=(parent.join, app), name="parent", daemon=True).start()
    multiprocessing.util.Finalize(app, app.extensions["examroom"]["writer"].close, exitpriority=10)  # saves that wait are written
    return app


def _drain_when(draining: Any, flag: threading.Event) -> None:
    while not draining.value:
        time.sleep(LOOK_SECONDS)
    flag.set()


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
    time.sleep(STOP_SECONDS + WRITE_SECONDS)
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
        try:
            process.wait(timeout=STOP_SECONDS + WRITE_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def end_with_server() -> None:
    """For a worker that stands beside a server: end when the pipe to it does, also when the server was killed."""
    threading.Thread(target=_end_after, args=(sys.stdin.buffer.read,), name="server", daemon=True).start()


def work(jobs: Jobs) -> None:
    """Do queued work, and every few seconds what falls due, until told to stop: then finish what is begun, or leave it to another."""
    stopped = threading.Event()
    for act, seconds in ((jobs.sweep, SWEEP_SECONDS), (jobs.beat, BEAT_SECONDS)):
        threading.Thread(target=_every, args=(stopped, act, seconds), name=act.__name__, daemon=True).start()
    consumer = jobs.huey.create_consumer(workers=1, periodic=False, check_worker_health=True, graceful_signal="TERM", max_delay=IDLE_SECONDS)
    threading.Thread(target=_leave_behind, args=(consumer.stop_flag, jobs), name="stopping", daemon=True).start()
    try:
        consumer.run()
    finally:
        stopped.set()


def _every(stopped: threading.Event, act: Callable[[], None], seconds: float) -> None:
    while not stopped.wait(seconds):
        try:
            act()
        except Exception:
            LOG.exception("%s failed", act.__name__)


def _leave_behind(stopping: threading.Event, jobs: Jobs) -> None:
    """What is not finished some time after the stop another worker takes up at once."""
    stopping.wait()
    time.sleep(STOP_SECONDS)
    try:
        jobs.give_back_all()
    finally:
        os._exit(0)

"""What a process of an installation does for those who run it: logs, figures and health on an address of their own.

``install`` belongs to every application; ``begin`` to every process that serves or works: several on one machine, also an old
and a new version beside each other, take one port after the other from ``EXAMROOM_INTERNAL_ADDRESS`` on.
"""

from __future__ import annotations

import json
import logging
import os
import socket
import sys
import threading
from functools import partial
from http.server import BaseHTTPRequestHandler
from socketserver import TCPServer, ThreadingMixIn
from typing import Any

from flask import Flask

from qbank.kernel import logs, metrics, slow_queries
from qbank.kernel.figures import Figures
from qbank.kernel.health import Health, Watch
from qbank.kernel.logs import Observed
from qbank.kernel.settings import Settings

LOG = logging.getLogger(__name__)
PORTS = 16  # how many processes find a port of their own


def install(app: Flask, settings: Settings) -> None:
    """Have every request named, timed and counted, and slow statements told."""
    app.extensions["health"], app.extensions["figures"] = Watch(app), Figures(app)
    app.extensions["observed"] = app.wsgi_app = Observed(app.wsgi_app, believes=settings.proxies > 0)  # type: ignore[method-assign]  # Flask's way
    if settings.slow_query_ms:
        slow_queries.watch(app.extensions["examroom"]["database"].engine, settings.slow_query_ms)


def begin(app: Flask, settings: Settings) -> None:
    """This process speaks as the settings say, and answers on the internal address."""
    logs.set_up(settings.log_format)
    metrics.watch_process()
    if settings.log_format == "json":
        app.extensions["observed"].written_to = sys.stderr
    if settings.internal_address is not None:
        serve_internally(app, settings.internal_address)


def serve_internally(app: Flask, address: tuple[str, int]) -> InternalServer | None:
    """Health and figures on the first free port from ``address`` on; None, and a word in the log, when there is none."""
    host, first = address
    for port in range(first, first + PORTS):
        try:
            server = InternalServer((host, port), partial(_Door, app))
        except OSError:
            continue
        threading.Thread(target=server.serve_forever, name="internal", daemon=True).start()
        LOG.info("health and figures on %s:%d", *server.server_address[:2])
        return server
    LOG.error("no port is free for health and figures: %s:%d to %d", host, first, first + PORTS - 1)
    return None


class InternalServer(ThreadingMixIn, TCPServer):
    """For people and programs of the operators, never for the public."""

    daemon_threads = True
    allow_reuse_address = os.name != "nt"  # on Windows that would let two processes share a port

    def __init__(self, address: tuple[str, int], door: Any) -> None:
        self.address_family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
        super().__init__(address, door)

    def handle_error(self, request: Any, client_address: Any) -> None:
        LOG.info("a connection to the internal address broke off")


class _Door(BaseHTTPRequestHandler):
    server_version, sys_version = "examroom", ""
    timeout = 10

    def __init__(self, app: Flask, *arguments: Any) -> None:
        self.app = app
        super().__init__(*arguments)

    def do_GET(self) -> None:
        path = self.path.partition("?")[0]
        if path == "/metrics":
            content, kind = self.app.extensions["figures"].told(self.headers.get("Accept", ""))
            self._answer(200, content, kind)
        elif path == "/healthz":
            found: Health = self.app.extensions["health"].look()
            self._answer(200 if found is Health.READY else 503, json.dumps({"status": found, "process": os.getpid()}).encode())
        elif path == "/healthz/live":
            self._answer(200, json.dumps({"status": "live", "process": os.getpid()}).encode())
        else:
            self._answer(404, b'{"status": "no such page"}')

    def _answer(self, status: int, content: bytes, kind: str = "application/json") -> None:
        self.send_response(status)
        for name, value in (("Content-Type", kind), ("Content-Length", str(len(content))), ("Cache-Control", "no-store")):
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *arguments: Any) -> None:
        """Whoever asks every few seconds need not fill the log."""

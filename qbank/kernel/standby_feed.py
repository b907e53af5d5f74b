"""The primary's side of a standby: a small HTTP server of its own process, so that the exam's server does nothing for it."""

from __future__ import annotations

import hmac
import json
import secrets
import sqlite3
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

from qbank.kernel import fencing, standby
from qbank.kernel.standby import BLOCK, DATABASE, FILES_AT_ONCE, Digests, shipped
from qbank.kernel.times import utc_now


class Feed:
    """Pictures of the database in ``folder``, and what changed between two of them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.token = standby.token_of(folder)
        self.connection = sqlite3.connect(folder / DATABASE, isolation_level=None, check_same_thread=False)
        self.connection.execute("PRAGMA query_only = ON")
        self.start = secrets.token_hex(8)  # a follower of an earlier feed starts with a whole picture
        self.number = 0
        self.picture = b""
        self._seen: int | None = None
        self._digests = Digests()

    def answer(self, path: str, asked: dict[str, Any]) -> tuple[dict[str, Any], list[bytes]]:
        if path == "/pull":
            return self.pull(str(asked.get("have", "")), dict(asked.get("files", {})))
        if path == "/step-down" and int(asked["epoch"]) > fencing.epoch_of(self.folder):
            fencing.step_down(self.folder, int(asked["epoch"]))
        return {"epoch": fencing.epoch_of(self.folder)}, []

    def pull(self, have: str, files: dict[str, str]) -> tuple[dict[str, Any], list[bytes]]:
        """What a follower with version ``have`` lacks."""
        before, version = self.picture, self._version()
        whole = have != version or not before
        at = utc_now().timestamp()
        self._look()
        now = self.picture
        count = -(-len(now) // BLOCK)
        blocks = [number for number in range(count) if whole or (now is not before and
                  now[number * BLOCK:(number + 1) * BLOCK] != before[number * BLOCK:(number + 1) * BLOCK])]
        names, contents = self._lacking(files)
        told = {"version": self._version(), "whole": whole, "size": len(now), "blocks": blocks, "at": at,
                "epoch": fencing.epoch_of(self.folder), "files": names}
        return told, [now[number * BLOCK:(number + 1) * BLOCK] for number in blocks] + contents

    def _version(self) -> str:
        return f"{self.start}-{self.number}"

    def _look(self) -> None:
        """Take a picture of everything committed, unless nothing was since the last."""
        changed = self.connection.execute("PRAGMA data_version").fetchone()[0]
        if changed == self._seen and self.picture:
            return
        self.connection.execute("BEGIN")
        try:
            self.connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()  # from here on one snapshot
            self._seen = self.connection.execute("PRAGMA data_version").fetchone()[0]
            self.picture = self.connection.serialize()
            self.number += 1
        finally:
            self.connection.execute("ROLLBACK")

    def _lacking(self, held: dict[str, str]) -> tuple[list[tuple[str, int]], list[bytes]]:
        names: list[tuple[str, int]] = []
        contents: list[bytes] = []
        for name, file in shipped(self.folder):
            if held.get(name) == self._digests.of(file) or sum(map(len, contents)) > FILES_AT_ONCE:
                continue
            contents.append(file.read_bytes())
            names.append((name, len(contents[-1])))
        return names, contents


def server(feed: Feed, host: str, port: int) -> HTTPServer:
    """An HTTP server that answers whoever holds the token."""

    class Handler(BaseHTTPRequestHandler):
        timeout = 10

        def do_POST(self) -> None:  # named by the standard library
            body = self.rfile.read(min(int(self.headers.get("Content-Length", "0")), 10_000_000))
            nonce = self.headers.get("X-Nonce", "")
            expected = standby.proof(feed.token, nonce, self.path.encode() + body)
            if len(nonce) < 32 or not hmac.compare_digest(expected, self.headers.get("X-Proof", "")):
                return self._say(403, "口令不正确".encode())
            told, parts = feed.answer(self.path, json.loads(body))
            return self._say(200, standby.sealed(feed.token, nonce, told, parts))

        def _say(self, status: int, content: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *args: Any) -> None:  # as above
            return

    return HTTPServer((host, port), Handler)

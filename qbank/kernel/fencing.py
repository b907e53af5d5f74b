"""Which of two machines is the room's server: epochs, and a server that learns that it is no longer asked.

A promotion raises the epoch, kept in a file of the folder. From then on every answer carries the epoch in a signed cookie.
A server that sees a higher epoch than its own, or the note that it has stepped down, writes that down and refuses every
request from then on, also after a restart: what it would acknowledge nobody would ever mark.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from itsdangerous import BadSignature, Signer

from qbank.kernel import logs

COOKIE = "examroom_epoch"
FOUND = re.compile(COOKIE + r"=([0-9]+\.[A-Za-z0-9_-]+)")
SENTENCE = "考试已转到备用服务器，这台服务器不再接收数据。请不要关闭答题页，它会自动连接备用服务器。"
Wsgi = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


def epoch_of(folder: Path) -> int:
    """0 for an installation that never took over from another."""
    file = folder / "epoch"
    return int(file.read_text("ascii")) if file.exists() else 0


def keep_epoch(folder: Path, epoch: int) -> None:
    (folder / "epoch").write_text(str(epoch), "ascii")
    (folder / "superseded").unlink(missing_ok=True)


def step_down(folder: Path, epoch: int) -> None:
    """Write down that a server with a higher epoch has taken over from the one in ``folder``."""
    (folder / "superseded").write_text(f"{epoch}\n", "ascii")


def is_superseded(folder: Path) -> bool:
    """Whether another machine has taken over from the server in ``folder``."""
    return (folder / "superseded").exists()


def secure_name(name: str, *, secure: bool) -> str:
    """The name of a cookie: over https one that no other host and no page without https can set."""
    return f"__Host-{name}" if secure else name


class Fence:
    """Stands before the whole application."""

    def __init__(self, app: Wsgi, folder: Path, secret: bytes, headers: dict[str, str], *, secure: bool) -> None:
        self.app = app
        self.headers = [*headers.items()]
        self.folder = folder
        self.marker = folder / "superseded"
        self.epoch = epoch_of(folder)
        self.signer = Signer(secret, salt="epoch")
        value = self.signer.sign(str(self.epoch)).decode()
        self.cookie = f"{secure_name(COOKIE, secure=secure)}={value}; HttpOnly; Path=/; SameSite=Lax" + ("; Secure" if secure else "")

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        seen = self._seen(environ.get("HTTP_COOKIE", ""))
        if seen > self.epoch:
            step_down(self.folder, seen)
        if self.marker.exists():
            return self._refuse(start_response)
        if self.epoch == seen or self.epoch == 0:
            return self.app(environ, start_response)

        def telling(status: str, headers: list[tuple[str, str]], *more: Any) -> Any:
            return start_response(status, [*headers, ("Set-Cookie", self.cookie)], *more)

        return self.app(environ, telling)

    def _seen(self, cookies: str) -> int:
        """The epoch that this browser has met; 0 for none."""
        if COOKIE not in cookies:
            return 0
        seen = 0
        for value in FOUND.findall(cookies):
            try:
                seen = max(seen, int(self.signer.unsign(value)))
            except (BadSignature, ValueError):
                continue
        return seen

    def _refuse(self, start_response: Callable[..., Any]) -> Iterable[bytes]:
        logs.here().route = "superseded"
        body = json.dumps({"code": "taken_over", "sentence": SENTENCE}, ensure_ascii=False).encode()
        start_response("503 Service Unavailable", [("Content-Type", "application/json; charset=utf-8"), ("Cache-Control", "no-store"),
                                                   ("Content-Length", str(len(body))), ("Retry-After", "2"), *self.headers])
        return [body]

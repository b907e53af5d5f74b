"""The demo world for tests that look at the whole: made once for a module, walked through by its links."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from app import create_app
from qbank.kernel.settings import Settings
from seed import cast
from seed.world import make_ready, prepare
from tests.conftest import TestClock

NOW = datetime(2027, 3, 3, 6, 30, tzinfo=UTC)  # a Wednesday; no working calendar is published for 2027 yet


class Reader(FlaskClient):
    """A browser that reads every answer to its end: files that are sent from the disk are closed again."""

    def open(self, *what: Any, buffered: bool = True, **more: Any) -> TestResponse:
        return super().open(*what, buffered=buffered, **more)


def settings_of(folder: Path, database_url: str) -> Settings:
    return Settings(folder=folder, database_url=database_url, secret_key=b"s" * 32, identity_key=b"i" * 32,
                    unsafe_database=True)  # the suite's PostgreSQL runs without fsync


def reopen(folder: Path, database_url: str) -> Flask:
    """An app on the demo world in ``folder``, one minute after the start of that world."""
    app = create_app(settings_of(folder, database_url), clock=TestClock(NOW + timedelta(minutes=1)))
    app.config.update(WTF_CSRF_ENABLED=False)
    app.test_client_class = Reader
    return app


def make_demo(folder: Path, database_url: str) -> Flask:
    """The demo world one minute after its start; ``app.extensions["visitors"]`` is what the console prints."""
    make_ready(settings_of(folder, database_url), fresh=False)
    app = reopen(folder, database_url)
    app.extensions["visitors"] = prepare(app, now=NOW)
    return app


def counted(app: Flask, query: sa.Select[int]) -> int:
    with app.extensions["examroom"]["database"].open(None, reads_only=True) as session:
        return session.scalar(query) or 0


def enter(app: Flask, login: str, password: str = cast.PASSWORD) -> FlaskClient:
    """A browser in which ``login`` is signed in."""
    client = app.test_client()
    assert client.post("/accounts/sign-in", data={"login": login, "password": password}).status_code == 302, login
    return client


def kind(address: str) -> str:
    return re.sub(r"\d+", "N", address.split("?")[0])


def follow(client: FlaskClient, first: str = "/", most: int = 3) -> Iterator[tuple[str, TestResponse]]:
    """Every address that is linked from ``first`` on, at most ``most`` of a kind, with its answer."""
    waiting, seen, kinds = [first], set(), Counter[str]()
    while waiting:
        address = waiting.pop(0)
        if address in seen or kinds[kind(address)] >= most:
            continue
        seen.add(address)
        kinds[kind(address)] += 1
        answer = client.get(address)
        yield address, answer
        if answer.status_code == 200 and answer.mimetype == "text/html":
            waiting += [link.replace("&amp;", "&").split("#")[0]
                        for link in re.findall(r'<a\b[^>]*\bhref="(/[^"]*)"', answer.get_data(as_text=True))]

"""Logs, health, figures and the slow-query log: what those who run an installation see, and what they must never see."""

from __future__ import annotations

import io
import json
import logging
import os
import re
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from app import create_app
from qbank.kernel import bounded, fencing, health, logs, metrics, operations, slow_queries
from qbank.kernel.access import Role, Viewer
from qbank.kernel.accounts import Account
from qbank.kernel.bounded import Bounded
from qbank.kernel.db import Actor, Database
from qbank.kernel.migrations import upgrade
from qbank.kernel.settings import Settings
from qbank.kernel.writer import NotWritten
from tests.conftest import PASSWORD, People, TestClock

NUMBER = "430102200401013516"


def counted(name: str, **labels: str) -> float:
    return metrics.REGISTRY.get_sample_value(name, labels) or 0.0


def json_line(message: str, *arguments: object, error: BaseException | None = None) -> dict[str, Any]:
    """What the JSON log says of something that the program told."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(logs.JsonLines())
    handler.handle(logging.LogRecord("qbank.kernel.web", logging.ERROR, __file__, 1, message, arguments,
                                     (type(error), error, error.__traceback__) if error else None))
    (line,) = stream.getvalue().splitlines()
    found: dict[str, Any] = json.loads(line)
    return found


@pytest.fixture
def lines(app: Flask) -> io.StringIO:
    """Request lines of an application that writes JSON."""
    written = io.StringIO()
    app.extensions["observed"].written_to = written
    return written


def test_every_request_has_a_line_with_route_status_time_and_account_and_nothing_that_was_typed(
        app: Flask, lines: io.StringIO, session: Session, people: People, enter: Callable[[Viewer], FlaskClient]) -> None:
    wang = people("王敏", Role.ADMINISTRATOR)
    session.commit()
    client = enter(wang)
    answer = client.get(f"/accounts/?query={NUMBER}&name=王敏")
    app.test_client().post("/accounts/sign-in", data={"login": "wangmin-of-school", "password": "a-wrong-password"})
    found = [json.loads(line) for line in lines.getvalue().splitlines()]
    assert [(one["method"], one["route"], one["status"]) for one in found] == [
        ("POST", "accounts.sign_in", 302), ("GET", "accounts.index", 200), ("POST", "accounts.sign_in", 200)]
    assert found[1]["account"] == wang.account_id
    assert found[1]["ms"] >= 0
    assert answer.headers["X-Request-ID"] == found[1]["request"]
    assert len({one["request"] for one in found}) == 3
    for typed in (NUMBER, "王敏", PASSWORD, "a-wrong-password", "wangmin-of-school"):
        assert typed not in lines.getvalue()


def test_a_name_of_a_request_is_taken_from_our_own_proxy_only(settings: Settings, clock: TestClock) -> None:
    given = {"X-Request-ID": "nginx-0123456789"}
    names = []
    for proxies in (0, 1):
        made = create_app(replace(settings, proxies=proxies), clock=clock)
        names.append(made.test_client().get("/healthz/live", headers=given).headers["X-Request-ID"])
        forged = made.test_client().get("/healthz/live", headers={"X-Request-ID": 'x"} forged'}).headers["X-Request-ID"]
        assert re.fullmatch("[0-9a-f]{14}", forged)
    assert names[0] != names[1] == "nginx-0123456789"


def test_an_error_is_told_with_its_place_but_without_anybodys_words(app: Flask, session: Session, people: People) -> None:
    """Whatever fails in the database, and wherever PostgreSQL shows rows: no name, no number."""
    session.add(Account(login=people.account("王敏").login, name="李小红", password_hash="x"))
    with pytest.raises(sa.exc.IntegrityError) as failed:
        session.flush()
    session.rollback()
    told = json_line("request failed", error=failed.value)
    assert "IntegrityError" in told["trace"]
    assert "test_kernel_operations.py" in told["trace"]
    assert "李小红" not in json.dumps(told, ensure_ascii=False)
    assert "user1" not in told["trace"].replace("test_kernel", "")
    try:
        raise KeyError(f"张三 {NUMBER}")
    except KeyError as error:
        told = json_line("no such person '张三' with %s", NUMBER, error=error)
    assert told["message"] == "no such person '…' with …"
    assert "KeyError" in told["trace"]
    assert NUMBER not in told["trace"].replace('f"张三 {NUMBER}"', "")
    assert told["trace"].splitlines()[-1] == "KeyError: '…'"


def test_a_line_of_a_request_names_the_request(app: Flask, lines: io.StringIO) -> None:
    told: list[dict[str, Any]] = []

    @app.before_request
    def say() -> None:
        told.append(json_line("something"))

    name = app.test_client().get("/healthz/live").headers["X-Request-ID"]
    assert [one["request"] for one in told] == [name]
    assert "request" not in json_line("something outside of one")


def test_a_failed_page_shows_the_number_that_stands_in_the_log(app: Flask) -> None:
    def fail() -> str:
        raise ZeroDivisionError

    app.config.update(TESTING=False)
    app.view_functions["operations.live"] = fail
    answer = app.test_client().get("/healthz/live")
    assert answer.status_code == 500
    assert answer.headers["X-Request-ID"] in answer.get_data(as_text=True)


def test_ready_until_the_database_the_schema_or_the_operator_says_otherwise(app: Flask, database: Database) -> None:
    client = app.test_client()

    def said() -> tuple[int, Any]:
        app.extensions["health"] = health.Watch(app)  # an answer is good for a second
        answer = client.get("/healthz")
        return answer.status_code, answer.json

    assert said() == (200, {"status": "ready"})
    with database.engine.begin() as connection:
        connection.execute(sa.text("UPDATE alembic_version SET version_num = '9999'"))
    assert said() == (200, {"status": "ready"})  # of a newer program, which only adds
    with database.engine.begin() as connection:
        connection.execute(sa.text("UPDATE alembic_version SET version_num = '0006'"))
    assert said() == (503, {"status": "schema"})
    with database.engine.begin() as connection:
        connection.execute(sa.text("DROP TABLE alembic_version"))
    assert said() == (503, {"status": "schema"})
    draining = app.extensions["examroom"]["draining"] = threading.Event()
    draining.set()
    assert said() == (503, {"status": "draining"})
    assert client.get("/healthz/live").json == {"status": "live"}


@pytest.mark.one_database
def test_not_ready_when_the_database_is_gone_or_another_machine_has_taken_over(settings: Settings, clock: TestClock, tmp_path: Path) -> None:
    lost = create_app(replace(settings, database_url=f"sqlite:///{tmp_path}/no/such/place.sqlite3"), clock=clock)
    assert lost.test_client().get("/healthz").json == {"status": "database"}
    fencing.step_down(settings.folder, 2)
    assert create_app(settings, clock=clock).extensions["health"].look() is health.Health.SUPERSEDED


def test_a_question_that_hangs_holds_nobody_up_and_is_asked_once(monkeypatch: pytest.MonkeyPatch) -> None:
    asked, goes_on = [], threading.Event()

    def hang() -> str:
        asked.append(1)
        goes_on.wait(60)
        return "well"

    question = Bounded(hang, patience=0.01)
    assert [question(), question()] == [None, None]
    assert len(asked) == 1
    goes_on.set()
    monkeypatch.setattr(question, "_patience", 60)
    monkeypatch.setattr(bounded, "FRESH_SECONDS", 3600)
    assert [question(), question()] == ["well", "well"]
    assert len(asked) == 1
    monkeypatch.setattr(bounded, "FRESH_SECONDS", -1)
    assert question() == "well"
    assert len(asked) == 2


def internal(app: Flask) -> Iterator[str]:
    server = operations.serve_internally(app, ("127.0.0.1", 0))
    assert server is not None
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()


@pytest.fixture
def address(app: Flask) -> Iterator[str]:
    yield from internal(app)


def got(url: str) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(url, timeout=60) as answer:  # noqa: S310  # our own server
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()


def test_health_and_figures_are_told_on_the_internal_address_only(app: Flask, address: str) -> None:
    assert json.loads(got(f"{address}/healthz")[1])["status"] == "ready"
    assert json.loads(got(f"{address}/healthz/live")[1])["status"] == "live"
    status, text = got(f"{address}/metrics")
    assert status == 200
    assert "examroom_database_up 1.0" in text
    assert 'examroom_jobs{state="waiting"} 0.0' in text
    assert "examroom_sittings_running 0.0" in text
    assert [got(f"{address}/{path}")[0] for path in ("", "accounts/sign-in", "metrics/..")] == [404, 404, 404]
    app.extensions["examroom"]["draining"] = threading.Event()
    app.extensions["examroom"]["draining"].set()
    assert got(f"{address}/healthz")[0] == 503
    assert app.test_client().get("/metrics").status_code == 404


def test_the_next_process_takes_the_next_port(app: Flask) -> None:
    with closing(socket.socket()) as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        server = operations.serve_internally(app, ("127.0.0.1", port))
        assert server is not None
        assert port < server.server_address[1] < port + operations.PORTS
        server.shutdown()
        server.server_close()


def test_figures_without_a_database_still_say_that_it_is_gone(settings: Settings, clock: TestClock, tmp_path: Path) -> None:
    lost = create_app(replace(settings, database_url=f"sqlite:///{tmp_path}/no/such/place.sqlite3"), clock=clock)
    text = lost.extensions["figures"].told("")[0].decode()
    assert "examroom_database_up 0.0" in text
    assert "examroom_jobs" not in text


def test_sign_ins_and_writes_are_counted(app: Flask, session: Session, people: People, enter: Callable[[Viewer], FlaskClient]) -> None:
    before = {outcome: counted("examroom_sign_ins_total", outcome=outcome) for outcome in ("good", "failed", "locked_out")}
    wang = people("王敏", Role.ADMINISTRATOR)
    session.commit()
    enter(wang)
    for _ in range(6):
        app.test_client().post("/accounts/sign-in", data={"login": wang.login, "password": "wrong"})
    after = {outcome: counted("examroom_sign_ins_total", outcome=outcome) for outcome in before}
    assert (after["good"] - before["good"], after["failed"] - before["failed"]) == (1, 5)
    assert after["locked_out"] > before["locked_out"]

    def noting(session: Session, tasks: Any, now: Any) -> list[Any]:
        return list(tasks)

    writer = app.extensions["examroom"]["writer"]
    batches = counted("examroom_write_batch_members_count")
    assert [writer.write(noting, number) for number in range(3)] == [0, 1, 2]
    assert counted("examroom_write_seconds_count", what="noting") == 3
    assert counted("examroom_write_batch_members_count") == batches + 3
    busy = counted("examroom_not_written_total", code="busy")
    writer.close()
    with pytest.raises(NotWritten):
        writer.write(noting, 4)
    assert counted("examroom_not_written_total", code="busy") == busy + 1
    assert counted("examroom_write_seconds_count", what="noting") == 3


def test_a_slow_statement_is_told_without_its_values(database: Database, caplog: pytest.LogCaptureFixture) -> None:
    slow_queries.watch(database.engine, 0)
    told = counted("examroom_slow_statements_total")
    with database.open(Actor(None, "测试"), reads_only=True) as session:
        session.scalars(sa.select(Account).where(Account.name == "王敏", Account.id.in_(range(30)), sa.text(f"'{NUMBER}' <> 'x'"))).all()
    assert counted("examroom_slow_statements_total") > told
    text = caplog.text
    assert "FROM accounts" in text
    assert "王敏" not in text
    assert NUMBER not in text
    assert "'…' <> '…'" in text
    assert "IN (…)" in text


def test_a_fast_statement_is_not(database: Database, caplog: pytest.LogCaptureFixture) -> None:
    slow_queries.watch(database.engine, 3_600_000)
    with database.open(None, reads_only=True) as session:
        session.scalars(sa.select(Account)).all()
    assert "slow statement" not in caplog.text


PROCESS = """
import logging, sys, threading
from qbank.kernel import logs
logs.set_up(sys.argv[1])
logging.getLogger("examroom.told").info("for programs only")
logging.getLogger("examroom.told").warning("%s writes", "Wang")
thread = threading.Thread(target=lambda: 1 / 0, name="marking")
thread.start(); thread.join()
raise ValueError("no such '张三'")
"""


def test_a_process_that_speaks_json_says_nothing_else_to_its_very_end() -> None:
    said = subprocess.run([sys.executable, "-c", PROCESS, "json"], capture_output=True, text=True, check=False).stderr
    found = [json.loads(line) for line in said.splitlines()]
    assert [(one["level"], one["message"]) for one in found] == [
        ("info", "for programs only"), ("warning", "Wang writes"), ("error", "the thread marking ended"), ("critical", "the process ends")]
    assert found[2]["trace"].endswith("ZeroDivisionError: division by zero")
    assert found[3]["trace"].endswith("ValueError: no such '…'")
    plain = subprocess.run([sys.executable, "-c", PROCESS, "plain"], capture_output=True, text=True, check=False).stderr
    assert "for programs only" not in plain
    assert "WARNING examroom.told Wang writes" in plain
    assert "张三" not in plain


def awaited(url: str, process: subprocess.Popen[bytes], log: Path) -> tuple[int, str]:
    """The answer of a server that is just starting."""
    until = time.monotonic() + 120
    while time.monotonic() < until and process.poll() is None:
        with suppress(OSError):
            return got(url)
        time.sleep(0.1)
    raise AssertionError(log.read_text())


@pytest.mark.one_database
def test_a_served_installation_answers_outside_and_inside_and_speaks_json(tmp_path: Path) -> None:
    """The program as it is started: the door for everybody says one word, the internal address says all."""
    with closing(socket.socket()) as public, closing(socket.socket()) as inside:
        for probe in (public, inside):
            probe.bind(("127.0.0.1", 0))
        ports = public.getsockname()[1], inside.getsockname()[1]
    folder = tmp_path / "room"
    folder.mkdir()
    upgrade(Database(f"sqlite:///{folder / 'examroom.sqlite3'}").engine)
    said = {"EXAMROOM_LOG_FORMAT": "json", "EXAMROOM_INTERNAL_ADDRESS": f"127.0.0.1:{ports[1]}", "EXAMROOM_DATABASE_URL": ""}
    with (tmp_path / "log").open("wb") as log:
        process = subprocess.Popen([sys.executable, "-m", "app", "--dir", str(folder), "serve", "--port", str(ports[0]), "--no-worker"],
                                   env=os.environ | said, stdout=subprocess.DEVNULL, stderr=log, cwd=Path(__file__).parents[2])
        try:
            assert awaited(f"http://127.0.0.1:{ports[0]}/healthz/live", process, tmp_path / "log") == (200, '{"status":"live"}\n')
            assert awaited(f"http://127.0.0.1:{ports[1]}/healthz", process, tmp_path / "log")[0] == 200
            figures = got(f"http://127.0.0.1:{ports[1]}/metrics")[1]
            assert 'examroom_requests_total{route="operations.live",status="200"} 1.0' in figures
            assert "process_cpu_seconds_total" in figures
            assert got(f"http://127.0.0.1:{ports[0]}/metrics")[0] == 404
        finally:
            process.terminate()
            process.wait(timeout=60)
    lines = [json.loads(line) for line in (tmp_path / "log").read_text().splitlines()]
    assert [line["route"] for line in lines if line["logger"] == "request"] == ["operations.live", "other"]
    assert f"127.0.0.1:{ports[1]}" in lines[0]["message"]

"""The doctor: everything that can be wrong with an installation, and that the remedy is said."""

from __future__ import annotations

import json
import os
import shutil
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from unittest.mock import Mock

import click.testing
import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from app import GROUPS, create_app, waiting
from examroom.plans import calendar, calendars
from qbank.kernel import console as console_module
from qbank.kernel import doctor, jobs, machine, printing, rounds, serving, sweeping, tls
from qbank.kernel.access import Role, Viewer
from qbank.kernel.attempts import SignInAttempt
from qbank.kernel.console import console
from qbank.kernel.db import Database
from qbank.kernel.finding import Finding
from qbank.kernel.jobs import Job
from qbank.kernel.refused import Refused
from qbank.kernel.rounds import FindingRecord
from qbank.kernel.settings import Settings
from tests.conftest import People, TestClock

RUN = click.testing.CliRunner()
NOON = datetime(2026, 6, 1, 4, 0, tzinfo=UTC)


@pytest.fixture
def folder(tmp_path: Path) -> Settings:
    """A new installation as the environment of nobody describes it, with keys of its own."""
    return Settings.from_environment({}, folder=tmp_path / "examroom")


def of(findings: Iterator[Finding] | list[Finding], subject: str) -> Finding:
    return next(found for found in findings if found.subject == subject)


def test_a_full_disk_is_bad(folder: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    assert of(machine.look(folder, now=NOON), "disk").well
    monkeypatch.setattr(shutil, "disk_usage", lambda where: Mock(free=400_000_000))
    found = of(machine.look(folder, now=NOON), "disk")
    assert (found.well, "0.4 GB" in found.detail, bool(found.remedy)) == (False, True, True)


def test_without_a_chinese_font_nothing_can_be_printed(folder: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    assert of(machine.look(folder, now=NOON), "fonts") == Finding("fonts", True, "Noto Sans CJK SC")
    monkeypatch.setattr(printing, "wheel_folder", lambda: None)
    assert "pip install manimgx-fonts-cjk" in of(machine.look(folder, now=NOON), "fonts").advice
    monkeypatch.setattr(printing, "font_family", Mock(side_effect=Refused("no_chinese_font", "本机没有可用的中文字体。")))
    found = of(machine.look(folder, now=NOON), "fonts")
    assert (found.well, found.remedy) == (False, "运行 pip install manimgx-fonts-cjk")


def test_keys_are_whole_and_nobody_elses_business(folder: Settings) -> None:
    tls.ensure(folder.tls_folder, ("localhost",), now=NOON)
    held = of(machine.look(folder, now=NOON), "keys")
    assert (held.well, held.detail) == (True, "identity.key；papers.key；secret.key；tls/ca.key；tls/server.key")
    for name, content, told in (("papers.key", b"x" * 31, "长度不对（31 字节）"), ("secret.key", b"", "是空的"),
                                ("codes.key", b"x" * 32, "长度不对（32 字节）")):
        (folder.folder / name).write_bytes(content)
        found = of(machine.look(folder, now=NOON), "keys")
        assert (found.well, f"{name}：{told}" in found.detail) == (False, True)
    (folder.folder / "odd.key").mkdir()
    assert "odd.key：读不了" in of(machine.look(folder, now=NOON), "keys").detail


@pytest.mark.skipif(os.name != "posix", reason="rights are kept elsewhere")
def test_a_key_that_others_may_read_is_bad(folder: Settings) -> None:
    (folder.folder / "identity.key").chmod(0o644)
    found = of(machine.look(folder, now=NOON), "keys")
    assert (found.well, found.detail, "chmod 600" in found.remedy) == (False, "identity.key：其他用户也能读（644）", True)


def test_a_certificate_is_renewed_before_it_ends(folder: Settings) -> None:
    assert "serve --tls" in of(machine.look(folder, now=NOON), "certificate").advice  # none at all
    assert not of(machine.look(replace(folder, proxies=1), now=NOON), "certificate").advice  # nginx has it
    tls.ensure(folder.tls_folder, ("localhost",), now=NOON)
    seen = [of(machine.look(folder, now=NOON + timedelta(days=days)), "certificate") for days in (0, 370, 400)]
    assert [(one.well, bool(one.advice)) for one in seen] == [(True, False), (True, True), (False, False)]
    (folder.tls_folder / "server.pem").write_text("no certificate")
    assert not of(machine.look(folder, now=NOON), "certificate").well


def test_a_small_machine_gets_advice(folder: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    for processors, memory, advised in ((4, 8_000_000_000, False), (1, 8_000_000_000, True), (4, 2_000_000_000, True), (4, 0, False)):
        monkeypatch.setattr(machine, "processor_count", lambda count=processors: count)
        monkeypatch.setattr(machine, "memory", lambda held=memory: held)
        found = of(machine.look(folder, now=NOON), "size")
        assert (found.well, bool(found.advice), f"{processors * 1000} 名考生" in found.detail) == (True, advised, True)


@pytest.mark.parametrize(("says", "told", "advised"), [("yes", "与时间服务器同步", False), ("no", "没有与时间服务器同步", True), (None, "不知道", True),
                                                       ("", "不知道", True)])
def test_whether_a_time_service_keeps_the_clock_is_said_and_so_is_ignorance(
        folder: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, says: str | None, told: str, advised: bool) -> None:
    if says is not None:
        (tmp_path / "timedatectl").write_text(f"#!/bin/sh\necho {says}\n")
        (tmp_path / "timedatectl").chmod(0o755)
    monkeypatch.setattr(shutil, "which", lambda name: str(tmp_path / name) if says is not None else None)
    found = of(machine.look(folder, now=NOON), "time service")
    assert (found.well, told in found.detail, bool(found.advice)) == (True, True, advised)


@contextmanager
def answering(said: bytes) -> Iterator[int]:
    """A server of somebody's: its port."""
    with closing(socket.create_server(("127.0.0.1", 0))) as server:
        def serve() -> None:
            with closing(server.accept()[0]) as asked:
                asked.recv(1000)
                asked.sendall(said)

        threading.Thread(target=serve, daemon=True).start()
        yield server.getsockname()[1]


def test_a_port_is_free_or_ours_or_somebody_elses() -> None:
    with answering(b'HTTP/1.0 200 OK\r\n\r\n{"status": "live"}') as port:
        assert machine.port("127.0.0.1", port).well
    with answering(b"220 mail.school.cn ESMTP") as port:
        found = machine.port("0.0.0.0", port)  # noqa: S104  # what is asked
        assert (found.well, "其他程序" in found.detail, "--port" in found.remedy) == (False, True, True)
    found = machine.port("127.0.0.1", port)
    assert (found.well, found.detail) == (True, f"127.0.0.1:{port} 空闲")


def test_a_second_server_does_not_take_half_of_the_firsts_connections(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("EXAMROOM_DATABASE_URL", raising=False)
    monkeypatch.setattr(serving, "serve", Mock())
    monkeypatch.setattr(console_module, "PATIENCE", 0.0)
    with closing(socket.socket()) as first:
        first.setsockopt(socket.SOL_SOCKET, getattr(socket, "SO_REUSEPORT", socket.SO_REUSEADDR), 1)  # as the server of this program listens
        first.bind(("127.0.0.1", 0))
        first.listen()
        words = ["serve", "--no-worker", "--dir", str(tmp_path / "second"), "--port", str(first.getsockname()[1])]
        refused = RUN.invoke(console(create_app, GROUPS), words)
    assert (refused.exit_code, "--port" in refused.output) == (1, True)
    assert RUN.invoke(console(create_app, GROUPS), words).exit_code == 0


def test_a_database_that_is_down_is_one_finding_and_a_remedy(folder: Settings) -> None:
    with closing(socket.socket()) as nobody:
        nobody.bind(("127.0.0.1", 0))
        away = Database(f"postgresql+psycopg://u:p@127.0.0.1:{nobody.getsockname()[1]}/examroom")
        found = list(doctor.look(folder, away, now=NOON, thorough=True))
    assert [(one.subject, one.well) for one in found] == [("database", False)]
    assert "EXAMROOM_DATABASE_URL" in found[0].remedy


def test_a_clock_that_was_set_back_or_differs_from_the_database_servers_is_bad(database: Database, settings: Settings, session: Session,
                                                                               people: People) -> None:
    people("张三", Role.ADMINISTRATOR)
    session.commit()  # written at the test clock's Monday
    found = of(doctor.look(settings, database, now=datetime(2026, 5, 1, tzinfo=UTC), thorough=False), "clock")
    assert (found.well, "2026年6月1日 09:00:00" in found.detail) == (False, True)
    for seconds in (0, 30):
        found = of(doctor.look(settings, database, now=datetime.now(UTC) + timedelta(seconds=seconds), thorough=False), "clock")
        assert found.well is (seconds == 0 or database.engine.dialect.name == "sqlite")


def test_this_year_must_be_in_the_calendar_and_next_year_ought_to(session: Session, monkeypatch: pytest.MonkeyPatch, people: People) -> None:
    officer = people("王考务", Role.EXAM_OFFICER)
    monkeypatch.setattr(calendar, "knows", lambda year: year <= 2026)

    def seen(year: int) -> tuple[bool, bool]:
        session.info["clock"] = lambda: datetime(year, 11, 23, tzinfo=UTC)
        found = calendars._examine(session)
        return found.well, "calendars" in found.advice

    assert [seen(2025), seen(2026), seen(2027)] == [(True, False), (True, True), (False, True)]
    calendars.store_year(session, 2027, [date(2027, 1, 1)], [], "国办发明电〔2026〕7号", officer)
    assert [seen(2026), seen(2027)] == [(True, False), (True, True)]


def test_a_damaged_key_is_a_finding_and_not_a_traceback(folder: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("EXAMROOM_DATABASE_URL", raising=False)
    (folder.folder / "secret.key").write_bytes(b"short")
    answer = RUN.invoke(console(create_app, GROUPS), ["check", "--dir", str(folder.folder), "--json"])
    lines = [json.loads(line) for line in answer.output.splitlines()]
    assert (answer.exit_code, [(line["subject"], line["well"]) for line in lines]) == (1, [("settings", False)])
    assert "secret.key" in lines[0]["detail"]


def test_every_finding_has_a_chinese_name_and_those_that_ask_for_something_say_what(database: Database, settings: Settings) -> None:
    found = [*doctor.examine(settings, database, now=datetime.now(UTC)), machine.port("127.0.0.1", 1)]
    assert {one.subject for one in found} <= doctor.NAMES.keys()
    assert all(one.remedy for one in found if not one.well)


def test_a_worker_that_is_missed_is_bad_and_one_that_is_about_to_start_is_not(database: Database, settings: Settings, session: Session) -> None:
    def seen(now: datetime) -> Finding:
        session.commit()
        return of(list(doctor.look(settings, database, now=now, thorough=False)), "worker")

    def minutes(number: float) -> datetime:
        return NOON + timedelta(minutes=number)

    new = seen(NOON)
    assert (new.well, new.detail) == (True, "从未运行过")
    assert "worker" in new.advice
    sweeping.prepare(session, "closing")
    assert seen(NOON).detail == "从未运行过"
    assert sweeping.take(session, "closing", now=NOON)
    assert (seen(minutes(5)).well, seen(minutes(5)).advice) == (True, "")
    night = seen(minutes(900))  # stands still, or has just started
    assert (night.well, bool(night.advice)) == (True, True)
    session.add(SignInAttempt(login="liu", address="", succeeded=True, at=minutes(890)))
    assert seen(minutes(894)).well
    bad = seen(minutes(896))
    assert (bad.well, "examroom worker" in bad.remedy) == (False, True)
    assert sweeping.take(session, "closing", now=minutes(896))
    assert seen(minutes(897)).well
    session.add(Job(kind="papers.print", title="打印试卷", arguments={}, created_at=minutes(1000)))
    assert seen(minutes(1004)).well
    assert not seen(minutes(1006)).well


def test_the_page_shows_what_the_worker_saw_and_the_first_page_says_that_something_is_to_do(
        app: Flask, session: Session, people: People, clock: TestClock, enter: Callable[[Viewer], FlaskClient], database: Database) -> None:
    root, officer = people("张三", Role.ADMINISTRATOR), people("李四", Role.EXAM_OFFICER)
    session.commit()
    browser = enter(root)
    assert "还没有检查过" in browser.get("/doctor/").get_data(as_text=True)
    assert browser.post("/doctor/look").location.startswith("/accounts/jobs/")  # done inline
    page = browser.get("/doctor/").get_data(as_text=True)
    assert [name for name in ("磁盘空间", "审计留痕", "作答记录链", "工作日历", socket.gethostname()) if name not in page] == []
    rounds.keep(session, "", [Finding("backup", False, "没有备份", "运行 examroom backup")], now=clock())
    session.commit()
    assert "运行 examroom backup" in browser.get("/doctor/").get_data(as_text=True)
    assert "系统检查：" in browser.get("/").get_data(as_text=True)
    with app.test_request_context(), database.open(None, reads_only=True) as reading:
        assert [one.title for one in waiting(reading, officer, now=clock()) if "系统检查" in one.title] == []


def test_the_worker_goes_its_round_every_hour_and_walks_through_everything_at_night(session: Session, clock: TestClock, app: Flask) -> None:
    asked: list[bool] = []
    enqueue = Mock(side_effect=lambda session, kind, arguments, who, *, now: asked.append(arguments["thorough"]))
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(jobs, "enqueue", enqueue)
        for _ in range(30):  # from Monday 09:00 on
            rounds.go_round(session, clock())
            subjects = ["disk", doctor.THOROUGH] if asked[-1] else ["disk"]
            rounds.keep(session, "", [Finding(one, True, "") for one in subjects], now=clock())
            rounds.go_round(session, clock() + timedelta(seconds=5))  # the next sweep has nothing to ask for
            clock.forward(hours=1)
    assert len(asked) == 30
    assert [hour for hour, thorough in enumerate(asked) if thorough] == [0, 16]  # at once, and at 01:00 of the next morning
    assert session.scalar(sa.select(sa.func.count(Job.id))) == 0


def test_a_round_is_not_asked_for_twice_while_one_waits(session: Session, clock: TestClock, app: Flask) -> None:
    session.add(Job(kind=rounds.KIND, title="系统检查", arguments={"thorough": True}, created_at=clock()))
    session.flush()
    rounds.go_round(session, clock.forward(minutes=5))
    assert session.scalar(sa.select(sa.func.count(Job.id))) == 1


def test_a_finding_remembers_since_when_it_is_bad(session: Session, clock: TestClock) -> None:
    def seen(well: bool) -> tuple[bool, timedelta]:
        rounds.keep(session, "pc1", [Finding("disk", well, "")], now=clock())
        session.flush()
        record = session.scalars(sa.select(FindingRecord)).one()
        return record.well, clock() - record.since

    assert seen(True) == (True, timedelta(0))
    clock.forward(hours=1)
    assert seen(False) == (False, timedelta(0))
    clock.forward(hours=5)
    assert seen(False) == (False, timedelta(hours=5))

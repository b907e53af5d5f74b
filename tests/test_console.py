"""The console script, as an administrator of a new installation uses it."""

from __future__ import annotations

import json
import re
import signal
import sqlite3
import subprocess
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from unittest.mock import Mock

import click.testing
import pytest

from app import GROUPS, ROOMS, create_app
from qbank.kernel import serving
from qbank.kernel.console import console
from qbank.kernel.settings import Settings

RUN = click.testing.CliRunner()


def test_a_server_that_is_told_to_end_takes_its_worker_along(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    worker = Mock()
    monkeypatch.setattr(subprocess, "Popen", lambda *_, **__: worker)
    before = signal.getsignal(signal.SIGTERM)
    try:
        with pytest.raises(SystemExit), serving.worker_beside(Settings.from_environment({}, folder=tmp_path)):
            signal.raise_signal(signal.SIGTERM)
    finally:
        signal.signal(signal.SIGTERM, before)
    worker.terminate.assert_called_once()


@pytest.fixture
def examroom(tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
             fresh_database_url: Callable[[], str]) -> Callable[..., click.testing.Result]:
    monkeypatch.setenv("EXAMROOM_DATABASE_URL", fresh_database_url())
    commands = console(create_app, GROUPS)
    return lambda *words: RUN.invoke(commands, ["--dir", str(tmp_path), *words])


def test_every_room_has_a_group() -> None:
    other = {"kernel": "accounts", "statistics": "stats"}
    rooms = [room.__name__.split(".")[1] for room in ROOMS]
    of_the_kernel = {"room", "audit", "identity", "keys", "media"}
    assert {group.name for group in GROUPS} == {other.get(name, name) for name in rooms} - {"worklist"} | of_the_kernel  # it shows what the others say


def test_a_new_installation_gets_its_administrator_with_a_one_time_password(
        examroom: Callable[..., click.testing.Result]) -> None:
    assert examroom("upgrade").output.strip().startswith("schema 0")
    made = examroom("accounts", "create-administrator", "root", "张三")
    assert made.exit_code == 0, made.output
    assert re.fullmatch(r"[a-z2-9]{10}\n", made.output)
    twice = examroom("accounts", "create-administrator", "root", "李四")
    assert twice.exit_code == 1
    assert "已被使用" in twice.output


def test_the_doctor_finds_nothing_wrong_and_says_so_in_two_forms(examroom: Callable[..., click.testing.Result]) -> None:
    plain = examroom("check")
    forgets = "postgresql" in plain.output  # the suite's own server runs without fsync, and the doctor must say so
    assert "ok   schema" in plain.output
    lines = [json.loads(line) for line in examroom("check", "--json").output.splitlines()]
    assert {line["subject"] for line in lines} >= {"disk", "database", "schema", "audit trail", "clock"}
    assert {line["subject"] for line in lines if not line["well"]} - {"calendar", "port"} == ({"durability"} if forgets else set())


@pytest.fixture
def old(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of an installation that an earlier release made."""
    monkeypatch.delenv("EXAMROOM_DATABASE_URL", raising=False)
    with closing(sqlite3.connect(tmp_path / "examroom.sqlite3")) as made:
        made.executescript("CREATE TABLE alembic_version (version_num TEXT); INSERT INTO alembic_version VALUES ('0001');")
    return tmp_path


def test_serving_an_old_schema_is_refused_with_the_remedy(old: Path) -> None:
    answer = RUN.invoke(console(create_app, GROUPS), ["serve", "--dir", str(old)])
    assert answer.exit_code == 1
    assert "examroom upgrade" in answer.output


def test_the_doctor_names_an_old_schema_and_its_remedy(old: Path) -> None:
    answer = RUN.invoke(console(create_app, GROUPS), ["check", "--dir", str(old)])
    assert answer.exit_code == 1
    assert "BAD  schema" in answer.output
    assert "examroom upgrade" in answer.output


def test_a_command_of_nobody_is_refused(examroom: Callable[..., click.testing.Result]) -> None:
    answer = examroom("stats", "suspects", "--as", "ghost")
    assert answer.exit_code == 1
    assert "no active account 'ghost'" in answer.output

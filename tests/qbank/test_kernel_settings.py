"""Promises 7 and 8: settings, two databases, one schema; jobs."""

from __future__ import annotations

import os
from pathlib import Path
from unittest.mock import Mock

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from flask import Flask
from sqlalchemy.orm import Session

from qbank.kernel import jobs
from qbank.kernel.access import Role
from qbank.kernel.db import Base, Database
from qbank.kernel.export import Table, workbook
from qbank.kernel.forms import excel_upload, half_points
from qbank.kernel.jobs import Job, JobState, Work
from qbank.kernel.migrations import revisions
from qbank.kernel.refused import Refused
from qbank.kernel.settings import BadSetting, Settings
from tests.conftest import People, TestClock

BAD = {
    "EXAMROOM_IDLE_MINUTES": "soon", "EXAMROOM_DATABASE_URL": "mysql://root@localhost/x", "EXAMROOM_SECRET_KEY": "short",
    "EXAMROOM_IDENTITY_KEY": "zz", "EXAMROOM_SECURE_COOKIES": "maybe", "EXAMROOM_UPLOAD_MEGABYTES": "0",
    "EXAMROOM_QUEUE_URL": "postgresql://db/other", "EXAMROOM_DRAIN_SECONDS": "-1",
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_value_fails_at_the_start_and_names_its_variable(name: str, tmp_path: Path) -> None:
    with pytest.raises(BadSetting, match=name):
        Settings.from_environment({name: BAD[name]}, folder=tmp_path)


def test_nothing_set_means_sqlite_in_the_folder_with_keys_beside_it(tmp_path: Path) -> None:
    first = Settings.from_environment({}, folder=tmp_path / "new")
    again = Settings.from_environment({}, folder=tmp_path / "new")
    assert first == again  # the keys are kept
    assert first.database_url.startswith("sqlite:///")
    assert first.identity_key != first.secret_key
    assert (tmp_path / "new" / "identity.key").stat().st_mode & 0o077 == 0


def test_the_usual_postgresql_address_is_understood(tmp_path: Path) -> None:
    read = Settings.from_environment({"EXAMROOM_DATABASE_URL": "postgres://u:p@db/examroom"}, folder=tmp_path)
    assert read.database_url == "postgresql+psycopg://u:p@db/examroom"


def test_the_upgraded_schema_is_the_one_that_the_models_describe(database: Database) -> None:
    with database.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, Base.metadata) == []
    current, newest = revisions(database.engine)
    assert current == newest


def test_sqlite_writes_ahead_and_checks_foreign_keys(database: Database) -> None:
    if database.engine.dialect.name != "sqlite":
        with database.engine.connect() as connection:
            assert connection.scalar(sa.text("SHOW server_version_num")) >= "180000"
        return
    with database.engine.connect() as connection:
        assert connection.scalar(sa.text("PRAGMA journal_mode")) == "wal"
        assert connection.scalar(sa.text("PRAGMA foreign_keys")) == 1
        assert connection.scalar(sa.text("PRAGMA synchronous")) == 2  # FULL: acknowledged means on disk


def test_long_work_runs_after_the_commit_reports_progress_and_says_where_the_result_is(
        app: Flask, session: Session, people: People, clock: TestClock) -> None:
    person = people("组卷员", Role.PAPER_COMPOSER)

    @jobs.kind("test.count", "数数")
    def count(work: Work) -> str:
        assert work.who.name == "组卷员"
        work.progress(3, 3, "数完了")
        return "/result"

    job = jobs.enqueue(session, "test.count", {}, person, now=clock())
    assert job.state is JobState.WAITING
    session.commit()
    session.expire_all()
    done = session.get_one(Job, job.id)
    assert (done.state, done.done, done.total, done.result_url) == (JobState.DONE, 3, 3, "/result")


def test_a_refusal_and_a_crash_end_in_the_row_with_a_sentence(app: Flask, session: Session, people: People,
                                                              clock: TestClock) -> None:
    person = people("组卷员", Role.PAPER_COMPOSER)

    @jobs.kind("test.refuse", "拒绝")
    def refuse(work: Work) -> str:
        raise Refused("bank_too_small", "题库不够。", ["范围 A 缺 3 题"])

    @jobs.kind("test.crash", "崩溃")
    def crash(work: Work) -> str:
        raise ZeroDivisionError

    ids = [jobs.enqueue(session, name, {}, person, now=clock()).id for name in ("test.refuse", "test.crash")]
    session.commit()
    session.expire_all()
    refused, crashed = (session.get_one(Job, key) for key in ids)
    assert (refused.state, refused.message, refused.details) == (JobState.REFUSED, "题库不够。", ["范围 A 缺 3 题"])
    assert crashed.state is JobState.FAILED
    assert "没有写入" in crashed.message


def test_work_of_a_transaction_that_was_rolled_back_is_never_done(app: Flask, session: Session, people: People,
                                                                  clock: TestClock) -> None:
    person = people("组卷员", Role.PAPER_COMPOSER)
    session.commit()
    ran = []

    @jobs.kind("test.never", "不应执行")
    def never(work: Work) -> str:
        ran.append(work)
        return "/"

    jobs.enqueue(session, "test.never", {}, person, now=clock())
    session.rollback()
    session.commit()
    assert ran == []


def test_a_name_that_looks_like_a_formula_stays_text_in_the_workbook() -> None:
    import io

    import openpyxl

    content = workbook([Table("名单", [("姓名", 10), ("成绩", 8)], [["=1+1", 59.5]], title="测试")])
    sheet = openpyxl.load_workbook(io.BytesIO(content))["名单"]
    assert sheet["A3"].value == "=1+1"
    assert sheet["A3"].data_type == "s"
    assert sheet["B3"].value == 59.5


@pytest.mark.parametrize(("text", "expected"), [("12.5", 25), ("0", 0), (" 60 ", 120), ("59.5", 119)])
def test_half_points_are_read_exactly(text: str, expected: int) -> None:
    assert half_points(text, "得分") == expected


@pytest.mark.parametrize("text", ["12.3", "", "abc", "1e9", "nan", "inf"])
def test_what_is_no_half_point_is_refused_by_name(text: str) -> None:
    with pytest.raises(Refused, match="得分"):
        half_points(text, "得分")


def test_a_missing_upload_is_refused() -> None:
    with pytest.raises(Refused, match="请先选择"):
        excel_upload(None)


def test_keys_are_made_where_files_cannot_be_linked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "link", Mock(side_effect=PermissionError("no links here")))
    made = Settings.from_environment({}, folder=tmp_path).paper_keys.names()
    assert Settings.from_environment({}, folder=tmp_path).paper_keys.names() == made
    assert [file.name for file in tmp_path.glob("papers.key*")] == ["papers.key"]


def test_a_key_that_cannot_be_read_stops_the_start_and_is_named(tmp_path: Path) -> None:
    (tmp_path / "secret.key").mkdir()
    with pytest.raises(BadSetting, match=r"secret\.key cannot be read"):
        Settings.from_environment({}, folder=tmp_path)

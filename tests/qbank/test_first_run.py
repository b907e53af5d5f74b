"""The first run: one console, one browser, one administrator, and then never again."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from unittest.mock import Mock

import click.testing
import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from app import GROUPS, create_app
from qbank.kernel import console as console_module
from qbank.kernel import first_run, serving
from qbank.kernel.access import Role, Viewer
from qbank.kernel.accounts import Account, Institution
from qbank.kernel.audit import AuditEntry
from qbank.kernel.console import console
from qbank.kernel.db import Actor, Database
from qbank.kernel.refused import Refused
from qbank.kernel.settings import Settings
from tests.conftest import People, TestClock

RUN = click.testing.CliRunner()
SCHOOL = {"name": "湘江技师学院", "kind": "technician", "region": "430100", "credit_code": "", "certificate_prefix": ""}
ZHANG = {"name": "张三", "login": "zhangsan", "password": "qiulin-caihong-7", "repeat_password": "qiulin-caihong-7"}


@pytest.fixture
def code(session: Session, settings: Settings, clock: TestClock) -> str:
    """What the console printed."""
    printed = first_run.begin(session, settings.secret_key, now=clock())
    session.commit()
    assert printed is not None
    return printed


def through_the_wizard(browser: FlaskClient, code: str) -> None:
    assert browser.post("/setup/", data={"code": code}).location == "/setup/institution"
    assert browser.post("/setup/institution", data=SCHOOL).location == "/setup/administrator"
    assert browser.post("/setup/administrator", data=ZHANG).location == "/doctor/mail?setup=1"


def test_zhang_san_reads_the_code_on_the_console_and_is_administrator_five_pages_later(app: Flask, code: str, session: Session) -> None:
    browser = app.test_client()
    assert browser.get("/accounts/sign-in").location == "/setup/"
    through_the_wizard(browser, f" {code.upper()} ")
    assert "不用邮件，跳过" in browser.get("/doctor/mail?setup=1").get_data(as_text=True)
    last = browser.get("/setup/done").get_data(as_text=True)
    assert [word for word in ("磁盘空间", "examroom backup-key", "/accounts/trust", "开设账号") if word not in last] == []
    made = session.scalars(sa.select(Account)).one()
    assert [grant.role for grant in made.grants] == [Role.ADMINISTRATOR]
    assert made.institution is not None
    assert (made.institution.name, made.institution.region, made.must_change_password) == ("湘江技师学院", "430100", False)
    assert set(session.scalars(sa.select(AuditEntry.actor_name).where(AuditEntry.table_name == "accounts"))) == {"首次设置"}


def test_once_there_is_an_administrator_the_pages_are_gone_for_everybody_and_for_good(
        app: Flask, code: str, session: Session, settings: Settings, clock: TestClock) -> None:
    through_the_wizard(app.test_client(), code)
    for browser in (app.test_client(), signed_in(app)):
        for page in ("/setup/", "/setup/institution", "/setup/administrator"):
            assert (browser.get(page).status_code, browser.post(page, data=ZHANG | {"code": code}).status_code) == (404, 404)
    assert app.test_client().get("/accounts/sign-in").status_code == 200
    assert first_run.begin(session, settings.secret_key, now=clock()) is None
    assert session.scalar(sa.select(sa.func.count(Account.id))) == 1


def signed_in(app: Flask) -> FlaskClient:
    browser = app.test_client()
    assert browser.post("/accounts/sign-in", data=ZHANG).status_code == 302
    return browser


def test_a_stranger_without_the_code_gets_nowhere_and_is_locked_out_alone(app: Flask, code: str, session: Session) -> None:
    stranger = app.test_client()
    for page in ("/setup/institution", "/setup/administrator"):
        assert stranger.get(page).location == stranger.post(page, data=SCHOOL | ZHANG).location == "/setup/"
    told = [stranger.post("/setup/", data={"code": "aaaa-bbbb-cccc"}).get_data(as_text=True) for _ in range(6)]
    assert ["设置码不对" in one for one in told] == [True] * 5 + [False]
    assert "锁定" in stranger.post("/setup/", data={"code": code}).get_data(as_text=True)  # the right one no longer helps
    assert session.scalar(sa.select(sa.func.count(Institution.id))) == 0
    session.rollback()
    elsewhere = app.test_client()
    elsewhere.environ_base["REMOTE_ADDR"] = "10.0.0.7"
    through_the_wizard(elsewhere, code)


@pytest.mark.parametrize(("field", "value", "told"), [
    ("password", "12345678", "密码至少 8 位"), ("repeat_password", "other-word-1", "两次输入的密码不一致"), ("login", "", "请填写登录名和姓名"),
    ("password", "password1", "太常见")])
def test_a_bad_answer_is_told_beside_what_was_typed(app: Flask, code: str, session: Session, field: str, value: str, told: str) -> None:
    browser = app.test_client()
    browser.post("/setup/", data={"code": code})
    browser.post("/setup/institution", data=SCHOOL)
    answer = ZHANG | {"repeat_password": value} | {field: value} if field == "password" else ZHANG | {field: value}
    page = browser.post("/setup/administrator", data=answer).get_data(as_text=True)
    assert told in page
    assert 'value="张三"' in page
    assert session.scalar(sa.select(sa.func.count(Account.id))) == 0


def test_an_institution_may_be_mended_until_the_administrator_is_made(app: Flask, code: str, session: Session) -> None:
    browser = app.test_client()
    browser.post("/setup/", data={"code": code})
    assert browser.get("/setup/administrator").location == "/setup/institution"  # not before there is one
    assert "统一社会信用代码不正确" in browser.post("/setup/institution", data=SCHOOL | {"credit_code": "123"}).get_data(as_text=True)
    browser.post("/setup/institution", data=SCHOOL)
    browser.post("/setup/institution", data=SCHOOL | {"name": "湘江高级技工学校", "kind": "advanced"})
    assert [(one.name, one.kind) for one in session.scalars(sa.select(Institution))] == [("湘江高级技工学校", "advanced")]


def test_of_two_who_have_the_code_one_becomes_administrator(database: Database, code: str, session: Session) -> None:
    home = first_run.describe_institution(session, SCHOOL)
    session.commit()
    with database.transaction(Actor(None, "测试")) as one:
        first_run.make_administrator(one, one.get_one(Institution, home.id), ZHANG)
    with pytest.raises(Refused, match="已经有系统管理员"), database.transaction(Actor(None, "测试")) as other:
        first_run.make_administrator(other, other.get_one(Institution, home.id), ZHANG | {"login": "lisi"})


def test_nobody_is_led_to_a_first_run_that_was_not_begun(app: Flask) -> None:
    browser = app.test_client()
    assert browser.get("/setup/").status_code == 404
    assert browser.get("/accounts/sign-in").status_code == 200


@pytest.fixture
def serve(monkeypatch: pytest.MonkeyPatch) -> Callable[[Path], click.testing.Result]:
    monkeypatch.setattr(serving, "serve", Mock())
    monkeypatch.setattr(console_module, "_wait_for", Mock())
    return lambda folder: RUN.invoke(console(create_app, GROUPS), ["serve", "--no-worker", "--dir", str(folder)])


def test_serving_an_empty_folder_makes_the_schema_and_prints_the_code_until_there_is_an_administrator(
        tmp_path: Path, monkeypatch: pytest.MonkeyPatch, serve: Callable[[Path], click.testing.Result]) -> None:
    monkeypatch.delenv("EXAMROOM_DATABASE_URL", raising=False)
    printed = [re.search(r"http://127.0.0.1:8000/setup/ .*: ([a-z2-9]{4}(-[a-z2-9]{4}){2})\n", serve(tmp_path / "new").output) for _ in range(2)]
    assert printed[0] is not None
    assert printed[1] is not None
    assert printed[0][1] == printed[1][1]  # started again, it is the same first run
    made = RUN.invoke(console(create_app, GROUPS), ["--dir", str(tmp_path / "new"), "accounts", "create-administrator", "root", "张三"])
    assert made.exit_code == 0, made.output
    assert "setup" not in serve(tmp_path / "new").output
    browser = create_app(Settings.from_environment({}, folder=tmp_path / "new")).test_client()
    assert browser.get("/setup/").status_code == 404


def test_another_installation_has_another_code(code: str, session: Session, settings: Settings) -> None:
    run = first_run.current(session)
    assert run is not None
    other = first_run.FirstRun(number="0" * 32, begun_at=run.begun_at)
    assert len({code, first_run.code_of(run, b"t" * 32), first_run.code_of(other, settings.secret_key)}) == 3


def test_an_administrator_may_see_the_last_page_again_and_others_may_not(app: Flask, people: People, session: Session,
                                                                           enter: Callable[[Viewer], FlaskClient]) -> None:
    root, officer = people("张三", Role.ADMINISTRATOR), people("李四", Role.EXAM_OFFICER)
    session.commit()
    assert (enter(root).get("/setup/done").status_code, enter(officer).get("/setup/done").status_code) == (200, 403)

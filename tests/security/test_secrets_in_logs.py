"""Nothing that opens a door is ever written to a log, however much is logged."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from qbank.kernel.access import Role, Scope
from qbank.kernel.accounts import create_account, hand_out_password, set_identity
from qbank.kernel.identity import IdentityCipher
from qbank.kernel.settings import Settings
from tests.conftest import PASSWORD, People

NUMBER = "11010519491231002X"  # the worked example of GB 11643-1999
MISTYPED = "110105194912310021"
WRONG = "a-password-that-is-wrong"


class Ears(logging.Handler):
    def __init__(self) -> None:
        super().__init__(logging.NOTSET)
        self.heard: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.heard.append(f"{self.format(record)} {record.__dict__}")


@pytest.fixture
def ears() -> Iterator[Ears]:
    """Everything that any library says, the statements of the database too."""
    made, names = Ears(), ("", "sqlalchemy.engine", "sqlalchemy.pool", "werkzeug", "flask_wtf", "qbank", "examroom", "scoring")
    before = {name: logging.getLogger(name).level for name in names}
    for name in names:
        logging.getLogger(name).setLevel(logging.DEBUG)
    logging.getLogger().addHandler(made)
    yield made
    logging.getLogger().removeHandler(made)
    for name, level in before.items():
        logging.getLogger(name).setLevel(level)


def test_passwords_identity_numbers_cookies_and_tokens_stay_out_of_every_log(
        app: Flask, session: Session, people: People, settings: Settings, ears: Ears) -> None:
    cipher: IdentityCipher = settings.identity_cipher()
    zhou = people.account("周正", Role.CANDIDATE)
    set_identity(zhou, NUMBER, cipher)
    chen = people("陈晓", Role.ADMINISTRATOR, scopes=[Scope(Role.ADMINISTRATOR)])
    new = create_account(session, "wang", "王一鸣", [Scope(Role.ITEM_AUTHOR, people.home.id)], institution=people.home)
    handed_out = hand_out_password(new)
    session.commit()
    app.config["WTF_CSRF_ENABLED"] = True
    client = app.test_client()
    client.get("/accounts/sign-in")

    def token(client: FlaskClient = client) -> str:
        page = client.get("/accounts/sign-in").get_data(as_text=True)
        found = re.search(r'name="csrf_token" value="([^"]+)"', page)
        assert found, page
        return found[1]

    csrf = token()
    said = [
        client.post("/accounts/sign-in", data={"login": chen.login, "password": WRONG, "csrf_token": csrf}),
        client.post("/accounts/sign-in", data={"login": WRONG, "password": PASSWORD, "csrf_token": csrf}),  # typed into the wrong field
        client.post("/exam", data={"ticket": "1234", "identity_number": NUMBER, "csrf_token": csrf}),
        client.post("/exam", data={"code": "ABCD" * 8, "csrf_token": csrf}),
        client.post("/accounts/sign-in", data={"login": "wang", "password": handed_out, "csrf_token": csrf}),
        client.post("/accounts/password", data={"old_password": handed_out, "new_password": "the-new-secret", "repeat_password": "no"}),
        client.get("/api/v1/plans", headers={"Authorization": "Bearer kpt_secret-of-a-platform"}),
        client.get("/accounts/sign-in?password=in-the-address"),
        client.get(f"/plans/?q={MISTYPED}"),
        client.post("/no-such-door", data={"identity_number": NUMBER}),
    ]
    assert all(answer.status_code < 500 for answer in said)
    desk = app.test_client()
    assert desk.post("/accounts/sign-in", data={"login": chen.login, "password": PASSWORD, "csrf_token": token(desk)}).status_code == 302
    cookie = desk.get_cookie("session")
    assert cookie
    desk.post(f"/accounts/{new.id}/reset", data={"csrf_token": "nonsense"})
    heard = "\n".join(ears.heard)
    assert "SELECT" in heard  # the database's statements were listened to
    secrets = [PASSWORD, WRONG, handed_out, "the-new-secret", NUMBER, MISTYPED, "ABCD" * 8, "kpt_secret-of-a-platform", csrf, cookie.value,
               settings.secret_key.decode(), zhou.identity_hash or "?"]
    assert [secret for secret in secrets if secret in heard] == []


def test_an_error_nobody_thought_of_says_where_and_not_what(app: Flask, session: Session, people: People, ears: Ears, monkeypatch: pytest.MonkeyPatch) -> None:
    """The log has the place and a number, the person a sentence and the same number: no statement, no path, no value."""
    chen = people("陈晓", Role.ADMINISTRATOR)
    session.commit()
    app.config["TESTING"] = False
    client = app.test_client()
    client.post("/accounts/sign-in", data={"login": chen.login, "password": PASSWORD})

    def broken() -> None:
        raise RuntimeError("the disk is on fire")

    monkeypatch.setitem(app.view_functions, "accounts.institutions", broken)
    answer = client.get("/accounts/institutions", headers={"X-Secret": "never-logged"})
    text = answer.get_data(as_text=True)
    assert answer.status_code == 500
    assert "系统出现错误" in text
    assert not [word for word in ("Traceback", "on fire", "RuntimeError", ".py", "sqlite", "SELECT") if word in text]
    assert any("the disk is on fire" in line for line in ears.heard)
    assert not any("never-logged" in line for line in ears.heard)

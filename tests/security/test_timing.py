"""What a sign-in costs tells nobody whether a login exists: work is counted, not time."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask
from sqlalchemy import event
from sqlalchemy.engine import Engine
from sqlalchemy.orm import Session

from qbank.kernel import accounts
from qbank.kernel.access import Role
from qbank.kernel.accounts import Account
from tests.conftest import PASSWORD, People


def test_unknown_shut_and_wrong_cost_the_same_and_look_the_same(app: Flask, session: Session, people: People,
                                                               monkeypatch: pytest.MonkeyPatch) -> None:
    chen, shut, no_password = (people.account(name, Role.ITEM_AUTHOR) for name in ("陈晓", "李想", "周正"))
    shut.active, no_password.password_hash = False, None
    session.commit()
    hashed: list[str] = []
    verify = type(accounts.HASHER).verify

    def counting(self: Any, stored: str, password: str) -> bool:
        hashed.append(stored.rpartition("$")[0].rpartition("$")[0])  # algorithm and cost, without salt and hash
        return bool(verify(self, stored, password))

    assert accounts.DUMMY_HASH.startswith("$argon2id$v=19$m=19456,t=2,p=1$")  # as the program makes all others; tests hash cheaply
    monkeypatch.setattr(accounts, "DUMMY_HASH", accounts.HASHER.hash("nobody"))
    monkeypatch.setattr(type(accounts.HASHER), "verify", counting)
    statements: list[str] = []

    def hear(connection: Any, cursor: Any, statement: str, *rest: Any) -> None:
        statements.append(statement)

    event.listen(Engine, "before_cursor_execute", hear)
    seen = []
    try:
        for login, password in ((chen.login, "wrong-horse"), ("nobody-here", PASSWORD), (shut.login, PASSWORD), (no_password.login, PASSWORD)):
            statements.clear()
            hashed.clear()
            answer = app.test_client().post("/accounts/sign-in", data={"login": login, "password": password})
            page = answer.get_data(as_text=True).replace(login, "LOGIN")
            seen.append((answer.status_code, "登录名或密码不正确" in page, tuple(hashed), tuple(statements)))
    finally:
        event.remove(Engine, "before_cursor_execute", hear)
    assert len(seen[0][2]) == 1  # one hash, at the full cost
    assert seen[0][0:2] == (200, True)
    assert seen[1:] == seen[:1] * 3
    assert session.get_one(Account, chen.id).active

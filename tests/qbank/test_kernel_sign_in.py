"""Signing in and out, passwords, identity numbers, CSRF, and a form that outlives its sign-in."""

from __future__ import annotations

import ast
import os
import re
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from argon2 import PasswordHasher
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from qbank.kernel import accounts, attempts, identity
from qbank.kernel.access import Role, Scope, Viewer
from qbank.kernel.accounts import (
    Account,
    change_password,
    create_account,
    hand_out_password,
    set_identity,
)
from qbank.kernel.db import Actor, Database
from qbank.kernel.identity import IdentityCipher
from qbank.kernel.refused import Refused
from tests.conftest import MONDAY, PASSWORD, People, TestClock

# The worked example of GB 11643-1999, whose check digit comes out as X.
EXAMPLE = "11010519491231002X"


def sign_in(session: Session, login: str, password: str, address: str, *, now: datetime) -> Account | None:
    """Both steps of the staff's door."""
    proven = accounts.proof(session, login, password, address, now=now)
    return accounts.sign_in(session, login, proven, address, now=now)


def sign_in_by_identity(session: Session, account: Account, login: str, number: str, address: str, *, cipher: IdentityCipher,
                        now: datetime) -> Account | None:
    good = accounts.fits_identity(account.identity_hash, number, cipher)
    noted = attempts.note(session.connection(), [attempts.Attempt(login, address, good)], now=now)[0]
    if isinstance(noted, Refused):
        raise noted
    return account if noted else None


def test_a_right_password_signs_in_and_a_wrong_one_does_not(session: Session, people: People) -> None:
    account = people.account("陈晓", Role.ITEM_AUTHOR)
    assert sign_in(session, account.login, PASSWORD, "10.0.0.1", now=MONDAY) is account
    assert sign_in(session, account.login, "wrong-horse", "10.0.0.1", now=MONDAY) is None
    assert sign_in(session, "nobody", PASSWORD, "10.0.0.1", now=MONDAY) is None


def test_five_failures_from_one_address_lock_that_login_there_and_nobody_else(session: Session, people: People,
                                                                              clock: TestClock) -> None:
    chen, li = people.account("陈晓", Role.ITEM_AUTHOR), people.account("李想", Role.ITEM_AUTHOR)
    for _ in range(5):
        assert sign_in(session, chen.login, "guess-guess", "lab", now=clock()) is None
    with pytest.raises(Refused, match="15 分钟"):
        sign_in(session, chen.login, PASSWORD, "lab", now=clock())
    assert sign_in(session, li.login, PASSWORD, "lab", now=clock()) is li  # the whole lab shares one address
    assert sign_in(session, chen.login, PASSWORD, "office", now=clock()) is chen
    clock.forward(minutes=16)
    assert sign_in(session, chen.login, PASSWORD, "lab", now=clock()) is chen


def test_twenty_failures_from_many_addresses_lock_the_login_everywhere(session: Session, people: People) -> None:
    chen = people.account("陈晓", Role.ITEM_AUTHOR)
    for number in range(20):
        sign_in(session, chen.login, "guess-guess", f"10.0.{number}.1", now=MONDAY)
    with pytest.raises(Refused, match="暂时锁定"):
        sign_in(session, chen.login, PASSWORD, "elsewhere", now=MONDAY)


def test_failed_attempts_at_the_door_are_counted(session: Session, people: People, app: Flask) -> None:
    chen = people("陈晓", Role.ITEM_AUTHOR)
    session.commit()
    client = app.test_client()
    for _ in range(5):
        assert "不正确" in client.post("/accounts/sign-in", data={"login": chen.login, "password": "x"}).get_data(as_text=True)
    page = client.post("/accounts/sign-in", data={"login": chen.login, "password": PASSWORD})
    assert page.status_code == 200
    assert "暂时锁定" in page.get_data(as_text=True)


def test_a_handed_out_password_must_be_changed_before_anything_else(session: Session, people: People, app: Flask) -> None:
    account = create_account(session, "zhou", "周正", [Scope(Role.ITEM_AUTHOR, people.home.id)], institution=people.home)
    password = hand_out_password(account)
    session.commit()
    client = app.test_client()
    client.post("/accounts/sign-in", data={"login": "zhou", "password": password})
    assert client.get("/").location == "/accounts/password"
    answer = client.post("/accounts/password", data={"old_password": password, "new_password": "my-own-word",
                                                     "repeat_password": "my-own-word"})
    assert answer.location == "/"
    assert client.get("/").status_code == 200


@pytest.mark.parametrize("new", ["short", "12345678901", "user-login-9"])
def test_weak_passwords_are_refused(new: str, session: Session, people: People) -> None:
    account = create_account(session, "user-login-9", "周正", [], institution=people.home, password=PASSWORD)
    with pytest.raises(Refused, match="密码至少 8 位"):
        change_password(account, PASSWORD, new)


def test_a_changed_password_ends_the_other_sessions(session: Session, people: People, app: Flask,
                                                    enter: Callable[[Viewer], FlaskClient]) -> None:
    chen = people("陈晓", Role.ITEM_AUTHOR)
    session.commit()
    here, there = enter(chen), enter(chen)
    here.post("/accounts/password", data={"old_password": PASSWORD, "new_password": "battery-staple",
                                          "repeat_password": "battery-staple"})
    assert here.get("/").status_code == 200
    assert there.get("/").status_code == 302


def test_an_idle_session_ends(session: Session, people: People, clock: TestClock,
                              enter: Callable[[Viewer], FlaskClient]) -> None:
    chen = people("陈晓", Role.ITEM_AUTHOR)
    session.commit()
    client = enter(chen)
    clock.forward(minutes=29)
    assert client.get("/").status_code == 200
    clock.forward(minutes=31)
    assert client.get("/").status_code == 302


def test_a_form_sent_after_the_sign_in_expired_is_kept_and_written_after_one_press(
        session: Session, people: People, clock: TestClock, database: Database,
        enter: Callable[[Viewer], FlaskClient]) -> None:
    admin = people("管理员", Role.ADMINISTRATOR)
    home = people.home.id
    session.commit()
    client = enter(admin)
    clock.forward(hours=2)
    late = client.post("/accounts/new", data={"login": "wang", "name": "王一鸣", "institution_id": home, "role": "item_author"})
    assert late.status_code == 401
    kept = re.search(r'name="kept" value="([^"]+)"', late.get_data(as_text=True))
    assert kept
    page = client.post("/accounts/sign-in", data={"login": admin.login, "password": PASSWORD, "kept": kept.group(1)})
    text = page.get_data(as_text=True)
    assert "继续提交" in text
    assert "王一鸣" in text
    fields = dict(re.findall(r'<textarea name="(\w+)" hidden>\n([^<]*)</textarea>', text))
    assert "item_author" not in re.sub("<form.*", "", text, flags=re.DOTALL)  # words of the person, no codes of ours
    assert client.post("/accounts/new", data=fields).status_code == 200
    with database.open(None, reads_only=True) as fresh:
        assert fresh.scalar(sa.select(Account.name).where(Account.login == "wang")) == "王一鸣"


def test_a_kept_form_is_offered_to_nobody_but_its_owner(session: Session, people: People, clock: TestClock, app: Flask,
                                                        enter: Callable[[Viewer], FlaskClient]) -> None:
    admin, other = people("管理员", Role.ADMINISTRATOR), people("另一位", Role.ADMINISTRATOR)
    session.commit()
    client = enter(admin)
    clock.forward(hours=2)
    late = client.post("/accounts/new", data={"login": "wang", "name": "王一鸣"})
    kept = re.search(r'name="kept" value="([^"]+)"', late.get_data(as_text=True))
    assert kept
    answer = app.test_client().post("/accounts/sign-in",
                                    data={"login": other.login, "password": PASSWORD, "kept": kept.group(1)})
    assert answer.status_code == 302


def test_a_form_sent_after_signing_out_elsewhere_says_that_nothing_was_written_and_leads_back(
        session: Session, people: People, app: Flask) -> None:
    admin = people("管理员", Role.ADMINISTRATOR)
    session.commit()
    client = app.test_client()
    late = client.post("/accounts/new", data={"login": "wang"}, headers={"Referer": "http://localhost/accounts/new"})
    assert late.status_code == 401
    assert "刚才提交的内容没有写入" in late.get_data(as_text=True)
    assert 'name="next" value="/accounts/new"' in late.get_data(as_text=True)
    answer = client.post("/accounts/sign-in", data={"login": admin.login, "password": PASSWORD, "next": "/accounts/new"})
    assert answer.headers["Location"] == "/accounts/new"


def test_a_form_without_its_token_is_refused_in_plain_words(session: Session, people: People, app: Flask,
                                                           enter: Callable[[Viewer], FlaskClient]) -> None:
    admin = people("管理员", Role.ADMINISTRATOR)
    session.commit()
    client = enter(admin)
    app.config["WTF_CSRF_ENABLED"] = True
    answer = client.post("/accounts/new", data={"login": "x", "name": "y"})
    assert answer.status_code == 400
    assert "没有写入" in answer.get_data(as_text=True)


def test_signing_in_leads_only_to_addresses_of_this_site(session: Session, people: People, app: Flask) -> None:
    chen = people("陈晓", Role.ITEM_AUTHOR)
    session.commit()
    for address in ("https://evil.example/", "//evil.example/", "/\\evil.example"):
        answer = app.test_client().post("/accounts/sign-in", data={"login": chen.login, "password": PASSWORD, "next": address})
        assert answer.location == "/"


def test_the_standards_own_example_of_an_identity_number_is_accepted() -> None:
    assert identity.check(" 11010519491231002x ") == EXAMPLE
    assert identity.mask(EXAMPLE) == "110105********002X"
    assert identity.birth_date(EXAMPLE).isoformat() == "1949-12-31"
    assert identity.is_female(EXAMPLE)  # 17th digit 2


@pytest.mark.parametrize("number", ["110105194912310021", "11010519491331002X", "1101051949123100", "", "abc"])
def test_wrong_identity_numbers_are_refused_without_repeating_them(number: str) -> None:
    with pytest.raises(Refused) as refusal:
        identity.check(number)
    assert not number or number not in refusal.value.sentence


def test_an_identity_number_is_stored_encrypted_and_found_by_its_hash(session: Session, people: People) -> None:
    cipher = IdentityCipher(b"k" * 32)
    account = people.account("李想", Role.CANDIDATE)
    set_identity(account, EXAMPLE, cipher)
    session.flush()
    assert account.identity_cipher
    assert EXAMPLE.encode() not in account.identity_cipher
    assert cipher.decrypt(account.identity_cipher) == EXAMPLE
    assert session.scalar(sa.select(Account).where(Account.identity_hash == cipher.fingerprint(EXAMPLE))) is account
    assert IdentityCipher(b"j" * 32).fingerprint(EXAMPLE) != account.identity_hash


def test_the_exam_door_takes_ticket_and_identity_number_and_locks_after_failures(session: Session, people: People) -> None:
    cipher = IdentityCipher(b"k" * 32)
    account = people.account("李想", Role.CANDIDATE)
    set_identity(account, EXAMPLE, cipher)
    session.flush()
    enter: dict[str, Any] = {"cipher": cipher, "now": MONDAY}
    assert sign_in_by_identity(session, account, "2600000001", EXAMPLE.lower(), "lab", **enter) is account
    for _ in range(5):
        assert sign_in_by_identity(session, account, "2600000001", "110105199001010000", "lab", **enter) is None
    with pytest.raises(Refused, match="暂时锁定"):
        sign_in_by_identity(session, account, "2600000001", EXAMPLE, "lab", **enter)


def test_passwords_are_hashed_with_argon2id_at_the_recommended_least_cost() -> None:
    """OWASP: argon2id with at least 19 MiB, two passes, one lane. Read in the source: the suite itself hashes cheaply."""
    source = ast.parse(Path(accounts.__file__).read_text("utf-8"))
    made = next(ast.unparse(node.value) for node in source.body if isinstance(node, ast.Assign)
                and ast.unparse(node.targets[0]) == "HASHER")
    hasher = eval(made, {"PasswordHasher": PasswordHasher})  # noqa: S307  # our own source
    assert hasher.hash("x").startswith("$argon2id$v=19$m=19456,t=2,p=1$")


def test_a_thousand_passwords_at_once_leave_a_processor_to_the_exam(monkeypatch: pytest.MonkeyPatch, session: Session,
                                                                      people: People) -> None:
    """No more hashes at the same time than half of the processors, however many people press the button."""
    running, most, lock = [0], [0], threading.Lock()

    class Slow:
        def verify(self, stored: str, password: str) -> bool:
            with lock:
                running[0] += 1
                most[0] = max(most[0], running[0])
            time.sleep(0.005)
            with lock:
                running[0] -= 1
            return True

    monkeypatch.setattr(accounts, "HASHER", Slow())
    with ThreadPoolExecutor(16) as crowd:
        assert all(crowd.map(lambda _: accounts.matches("stored", "word"), range(48)))
    assert most[0] == max(1, (os.cpu_count() or 2) // 2)


def test_no_write_lock_is_held_while_a_password_is_hashed(monkeypatch: pytest.MonkeyPatch, session: Session, people: People,
                                                          app: Flask, database: Database) -> None:
    chen = people("陈晓", Role.ITEM_AUTHOR)
    session.commit()
    honest, written = accounts.matches, []

    def meanwhile(stored: str, password: str) -> bool:
        with database.transaction(Actor(None, "保存答案")) as other:  # would wait thirty seconds for a lock
            other.add(attempts.SignInAttempt(login="another", address="lab", at=MONDAY, succeeded=True))
        written.append(True)
        return honest(stored, password)

    monkeypatch.setattr(accounts, "matches", meanwhile)
    assert app.test_client().post("/accounts/sign-in", data={"login": chen.login, "password": PASSWORD}).status_code == 302
    assert written == [True]


def test_a_password_changed_between_proof_and_sign_in_opens_nothing(session: Session, people: People) -> None:
    chen = people.account("陈晓", Role.ITEM_AUTHOR)
    proven = accounts.proof(session, chen.login, PASSWORD, "lab", now=MONDAY)
    change_password(chen, PASSWORD, "battery-staple")
    assert accounts.sign_in(session, chen.login, proven, "lab", now=MONDAY) is None
    assert accounts.sign_in(session, chen.login, "", "lab", now=MONDAY) is None

"""Sign-ins: fresh at every door, ended for good, never longer than allowed, and nothing to take over."""

from __future__ import annotations

import re
from collections.abc import Callable

import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from qbank.kernel import sign_ins
from qbank.kernel.access import Role, Viewer
from qbank.kernel.accounts import Account
from qbank.kernel.db import Database
from qbank.kernel.sign_ins import EndedSignIn
from qbank.kernel.web import carrier
from tests.conftest import PASSWORD, People, TestClock

Enter = Callable[[Viewer], FlaskClient]


def cookie_of(client: FlaskClient) -> str:
    found = client.get_cookie("session")
    assert found
    return found.value


def with_cookie(app: Flask, value: str) -> FlaskClient:
    client = app.test_client()
    client.set_cookie("session", value)
    return client


def test_a_cookie_that_was_copied_is_worth_nothing_after_its_owner_signed_out(
        session: Session, people: People, app: Flask, enter: Enter) -> None:
    chen = people("陈晓", Role.ITEM_AUTHOR)
    session.commit()
    office, tablet = enter(chen), enter(chen)
    copied = with_cookie(app, cookie_of(office))
    assert copied.get("/").status_code == 200
    assert office.post("/accounts/sign-out").status_code == 302
    assert copied.get("/").location.startswith("/accounts/sign-in")
    assert tablet.get("/").status_code == 200  # his other computer goes on


def test_a_candidate_who_leaves_ends_all_sign_ins_of_his(session: Session, people: People, app: Flask, enter: Enter) -> None:
    zhou = people("周正", Role.CANDIDATE)
    session.commit()
    for door in ("/exam/leave", "/accounts/sign-out"):
        client = enter(zhou)
        copied = with_cookie(app, cookie_of(client))
        assert copied.get("/exam/hall").status_code == 200
        client.post(door)
        assert copied.get("/exam/hall").status_code == 302


def test_no_cookie_from_before_the_sign_in_is_carried_into_it(session: Session, people: People, app: Flask) -> None:
    """Who slips somebody a cookie of his own learns nothing: secret, CSRF token and cookie are new ones."""
    chen = people("陈晓", Role.ITEM_AUTHOR)
    session.commit()
    client = app.test_client()
    client.get("/accounts/sign-in")
    with client.session_transaction() as before:
        before["csrf_token"], before["secret"], before["planted"] = "known", "known", "yes"
    client.post("/accounts/sign-in", data={"login": chen.login, "password": PASSWORD})
    with client.session_transaction() as after:
        assert after.get("csrf_token") != "known"
        assert after["secret"] != "known"
        assert "planted" not in after
        first = after["secret"]
    client.post("/accounts/sign-in", data={"login": chen.login, "password": PASSWORD})
    with client.session_transaction() as again:
        assert again["secret"] != first  # also when somebody signs in once more


def test_a_sign_in_ends_after_twelve_hours_however_busy(session: Session, people: People, clock: TestClock, enter: Enter) -> None:
    chen = people("陈晓", Role.ITEM_AUTHOR)
    session.commit()
    client = enter(chen)
    for _ in range(12 * 3):
        assert client.get("/").status_code == 200
        clock.forward(minutes=20)
    clock.forward(seconds=1)
    assert client.get("/").status_code == 302


def test_a_cookie_of_an_earlier_release_is_bounded_from_its_first_use_on(session: Session, people: People, clock: TestClock, enter: Enter) -> None:
    chen = people("陈晓", Role.ITEM_AUTHOR)
    session.commit()
    client = enter(chen)
    with client.session_transaction() as held:
        del held["since"], held["secret"]
    assert client.get("/").status_code == 200
    with client.session_transaction() as held:
        assert held["since"] == clock().timestamp()
    copied = cookie_of(client)
    client.post("/accounts/sign-out")
    client.set_cookie("session", copied)
    assert client.get("/").status_code == 302


def test_a_changed_or_foreign_cookie_signs_nobody_in(session: Session, people: People, app: Flask, enter: Enter) -> None:
    chen = people("陈晓", Role.ADMINISTRATOR)
    session.commit()
    good = cookie_of(enter(chen))
    foreign = Flask("foreign")
    foreign.secret_key = b"another key that somebody guessed"
    with foreign.test_request_context():
        made = foreign.session_interface.get_signing_serializer(foreign).dumps({"_user_id": f"{chen.account_id}:1", "seen": 9e9})  # type: ignore[attr-defined]
    for bad in (good[:-1], good.replace(good[20:24], good[20:24].swapcase() + "x"), good.rpartition(".")[0], made, "", "." * 50, "a" * 3000):
        assert with_cookie(app, bad).get("/accounts/").status_code == 302, bad[:40]


def test_what_ended_long_ago_is_forgotten(session: Session, people: People, clock: TestClock, database: Database) -> None:
    chen = people("陈晓", Role.ITEM_AUTHOR)
    sign_ins.end(session, chen, "a-secret", now=clock())
    sign_ins.end(session, chen, "a-secret", now=clock())  # pressed twice
    assert session.scalar(sa.select(sa.func.count()).select_from(EndedSignIn)) == 1
    sign_ins.forget(session, clock.forward(days=7))
    assert sign_ins.has_ended(session, "a-secret")
    sign_ins.forget(session, clock.forward(days=2))
    assert not sign_ins.has_ended(session, "a-secret")


def test_what_an_administrator_changes_holds_from_the_next_request_on(session: Session, people: People, enter: Enter) -> None:
    """A role given, a role taken, an account that is shut: nobody waits for a sign-in to end."""
    chen, admin = people("陈晓", Role.ITEM_AUTHOR), people("系统管理员", Role.ADMINISTRATOR, scopes=None)
    account = session.get_one(Account, chen.account_id)
    grants = [grant.id for grant in account.grants]
    session.commit()
    client, desk = enter(chen), enter(admin)
    assert client.get("/papers/specifications").status_code == 403
    given = desk.post(f"/accounts/{chen.account_id}/grants", data={"role": "paper_composer", "institution_id": people.home.id})
    assert given.status_code == 302
    assert client.get("/papers/specifications").status_code == 200
    assert desk.post(f"/accounts/{chen.account_id}/grants/{grants[0]}/withdraw").status_code == 302
    assert client.get("/items/").status_code == 302  # signed out


def test_a_token_for_one_purpose_is_none_for_another(app: Flask, session: Session, people: People, enter: Enter) -> None:
    """A kept form, a CSRF token and a cookie are signed with one key and know each other not."""
    chen = people("陈晓", Role.ITEM_AUTHOR)
    session.commit()
    client = enter(chen)
    app.config["WTF_CSRF_ENABLED"] = True
    good = cookie_of(client)
    with app.test_request_context():
        kept = carrier().dumps({"owner": str(chen.account_id), "path": "/", "fields": [], "files": []})
        planted = carrier().dumps({"_user_id": f"{chen.account_id}:1", "seen": 9e9, "since": 9e9})
    assert with_cookie(app, planted).get("/").status_code == 302
    for token in (good, kept, planted):
        refused = client.post("/accounts/sign-out", data={"csrf_token": token})
        assert refused.status_code == 400, token[:20]
    other = enter_with_csrf(app, people("李想", Role.ITEM_AUTHOR), session)
    assert client.post("/accounts/sign-out", data={"csrf_token": other}).status_code == 400  # of another browser


def enter_with_csrf(app: Flask, who: Viewer, session: Session) -> str:
    """A CSRF token of somebody else's browser."""
    session.commit()
    found = re.search(r'name="csrf-token" content="([^"]+)"', app.test_client().get("/accounts/sign-in").get_data(as_text=True))
    assert found, who.login
    return found[1]

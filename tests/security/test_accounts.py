"""Accounts that are shut, sign-ins that somebody ends, and the password that is asked again."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from qbank.kernel.access import Role, Scope, Viewer
from tests.conftest import PASSWORD, People, TestClock

Enter = Callable[[Viewer], FlaskClient]


@pytest.fixture
def admin(people: People) -> Viewer:
    return people("谭主任", scopes=[Scope(Role.ADMINISTRATOR)])


def test_an_account_that_is_shut_is_out_at_once_and_in_again_when_it_is_opened(
        session: Session, people: People, app: Flask, admin: Viewer, enter: Enter) -> None:
    chen = people("陈晓", Role.ITEM_AUTHOR)
    session.commit()
    client, desk = enter(chen), enter(admin)
    assert "停用账号" in desk.get(f"/accounts/{chen.account_id}").get_data(as_text=True)
    assert desk.post(f"/accounts/{chen.account_id}/shut").status_code == 302
    assert client.get("/").status_code == 302
    refused = app.test_client().post("/accounts/sign-in", data={"login": chen.login, "password": PASSWORD})
    assert "登录名或密码不正确" in refused.get_data(as_text=True)
    page = desk.get(f"/accounts/{chen.account_id}").get_data(as_text=True)
    assert "此账号已停用" in page
    assert desk.post(f"/accounts/{chen.account_id}/reopen").status_code == 302
    assert client.get("/").status_code == 302  # the sign-in of before is not alive again
    assert enter(chen).get("/").status_code == 200


def test_nobody_shuts_himself_out(session: Session, admin: Viewer, enter: Enter) -> None:
    session.commit()
    desk = enter(admin)
    refused = desk.post(f"/accounts/{admin.account_id}/shut")
    assert refused.status_code == 409
    assert "不能停用自己的账号" in refused.get_data(as_text=True)
    assert desk.get("/").status_code == 200


def test_an_administrator_ends_somebodys_sign_ins(session: Session, people: People, admin: Viewer, enter: Enter) -> None:
    chen = people("陈晓", Role.ITEM_AUTHOR)
    session.commit()
    client, desk = enter(chen), enter(admin)
    assert desk.post(f"/accounts/{chen.account_id}/end-sign-ins").status_code == 302
    assert client.get("/").status_code == 302
    assert client.post(f"/accounts/{admin.account_id}/end-sign-ins").status_code == 401
    assert enter(chen).post(f"/accounts/{admin.account_id}/end-sign-ins").status_code == 403


def test_chen_sees_who_came_in_under_his_name_and_ends_the_others(session: Session, people: People, app: Flask, clock: TestClock, enter: Enter) -> None:
    chen, li = people("陈晓", Role.ITEM_AUTHOR), people("李想", Role.ITEM_AUTHOR)
    session.commit()
    here, there, other = enter(chen), enter(chen), enter(li)
    app.test_client().post("/accounts/sign-in", data={"login": chen.login, "password": "guess"}, environ_base={"REMOTE_ADDR": "10.9.8.7"})
    page = here.get("/accounts/sign-ins").get_data(as_text=True)
    assert "10.9.8.7" in page
    assert page.count("成功") - page.count("未成功") == 2
    assert "10.9.8.7" not in other.get("/accounts/sign-ins").get_data(as_text=True)
    assert here.post("/accounts/sign-ins", data={"password": PASSWORD}).location == "/accounts/sign-ins"
    assert here.get("/").status_code == 200
    assert there.get("/").status_code == 302
    assert other.get("/").status_code == 200


def test_the_password_that_is_asked_again_is_counted_as_at_the_door(session: Session, people: People, enter: Enter) -> None:
    """Who sits down at a computer that was left does not get to try passwords."""
    chen = people("陈晓", Role.ITEM_AUTHOR)
    session.commit()
    here, there = enter(chen), enter(chen)
    for _ in range(5):
        assert "密码不正确" in here.post("/accounts/sign-ins", data={"password": "guess-guess"}).get_data(as_text=True)
    assert "暂时锁定" in here.post("/accounts/sign-ins", data={"password": PASSWORD}).get_data(as_text=True)
    assert there.get("/").status_code == 200


def test_every_page_of_somebody_signed_in_leads_out(session: Session, people: People, enter: Enter) -> None:
    chen = people("陈晓", Role.ITEM_AUTHOR, Role.EXAM_OFFICER)
    session.commit()
    client = enter(chen)
    for address in ("/", "/items/", "/plans/", "/results/", "/accounts/password", "/accounts/sign-ins", "/worklist/calendar", "/no-such-page"):
        assert 'action="/accounts/sign-out"' in client.get(address, follow_redirects=True).get_data(as_text=True), address

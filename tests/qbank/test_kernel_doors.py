"""Promises 1, 2 and 4: doors, objects, one commit."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import flask
import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session
from werkzeug.exceptions import NotFound
from werkzeug.routing import Rule

import app as composition
from qbank.kernel.access import GRANTABLE, Role, Scope, Viewer, check_doors, fetch, visible
from qbank.kernel.accounts import Account, Institution
from qbank.kernel.audit import AuditEntry
from qbank.kernel.db import Database
from qbank.kernel.settings import Settings
from qbank.kernel.web import db
from tests.conftest import People


def address_of(app: Flask, rule: Rule) -> str:
    """An address of this route, with 1 for every argument."""
    values: dict[str, Any] = dict.fromkeys(rule.arguments, "1")
    with app.test_request_context():
        return flask.url_for(rule.endpoint, **values)


def test_a_route_that_is_not_in_the_table_keeps_the_app_from_starting(app: Flask) -> None:
    doors = {endpoint: frozenset(roles) for endpoint, roles in composition.ACCESS.items()}
    check_doors(app, doors)
    with pytest.raises(RuntimeError, match=r"not listed \['home'\]"):
        check_doors(app, {endpoint: roles for endpoint, roles in doors.items() if endpoint != "home"})


def test_a_line_that_leads_nowhere_keeps_the_app_from_starting(app: Flask) -> None:
    with pytest.raises(RuntimeError, match=r"no such route \['attic'\]"):
        check_doors(app, {**composition.ACCESS, "attic": {Role.ANYONE}})


def test_an_empty_set_of_roles_means_a_mistake_and_not_everybody(app: Flask) -> None:
    with pytest.raises(RuntimeError, match=r"open to nobody \['home'\]"):
        check_doors(app, {**composition.ACCESS, "home": frozenset()})


def test_every_navigation_entry_is_a_door_without_arguments(app: Flask) -> None:
    with app.test_request_context():
        for _, entries in composition.NAVIGATION:
            for _, endpoint in entries:
                assert flask.url_for(endpoint).startswith("/")


# The exam page's own doors ask nobody's role: they prove by the page's token, or by the account, whose sheet it is.
BARE = {f"delivery.{name}" for name in ("open_page", "state", "pulse", "events", "hand_in", "media")} | {"operations.health", "operations.live"}
# A platform's token instead of a sign-in; the last three are open to everybody.
API = {f"api.{name}" for name in ("token", "plans", "plan", "results", "candidates", "certificates", "certificate", "directory", "document", "elsewhere")}


def test_nobody_gets_through_any_door_without_signing_in_except_the_public_ones(app: Flask) -> None:
    client = app.test_client()
    for rule in app.url_map.iter_rules():
        if Role.ANYONE in composition.ACCESS[rule.endpoint]:
            continue
        address = address_of(app, rule)
        method = "GET" if "GET" in (rule.methods or ()) else "POST"
        answer = client.open(address, method=method)
        refused = {401, 404} if rule.endpoint in BARE else {302, 401}
        assert answer.status_code in refused, (rule.endpoint, answer.status_code)
        if answer.status_code == 302:
            assert "/sign-in" in answer.location or "/exam" in answer.location, rule.endpoint


def test_no_door_but_the_exam_pages_and_the_apis_proves_its_visitor_by_itself(app: Flask) -> None:
    assert {name for name, view in app.view_functions.items() if hasattr(view, "bare")} == BARE | API


@pytest.mark.parametrize("role", GRANTABLE)
def test_each_role_gets_403_at_every_door_that_does_not_name_it(
        role: Role, app: Flask, session: Session, people: People, enter: Callable[[Viewer], FlaskClient]) -> None:
    person = people("王一鸣", role)
    session.commit()
    client = enter(person)
    for rule in app.url_map.iter_rules():
        allowed = composition.ACCESS[rule.endpoint]
        if {Role.ANYONE, Role.SIGNED_IN, role} & set(allowed):
            continue
        address = address_of(app, rule)
        answer = client.open(address, method="GET" if "GET" in (rule.methods or ()) else "POST")
        refused = {401, 404} if rule.endpoint in BARE else {403}
        assert answer.status_code in refused, (role, rule.endpoint, answer.status_code)


def test_a_strangers_row_and_a_missing_row_are_both_404(session: Session, people: People) -> None:
    zhao = people("赵宁", Role.EXAM_OFFICER)
    stranger = people.account("钱多", Role.EXAM_OFFICER, school=people.school("远方技工学校"))
    session.flush()
    assert fetch(session, Account, zhao.account_id, zhao).name == "赵宁"
    for key in (stranger.id, 999_999):
        with pytest.raises(NotFound):
            fetch(session, Account, key, zhao)


def test_a_model_without_a_rule_is_visible_to_nobody(session: Session, people: People) -> None:
    from qbank.kernel.attempts import SignInAttempt

    admin = people("管理员", Role.ADMINISTRATOR)
    assert "false" in str(visible(SignInAttempt, admin)).lower() or "0 = 1" in str(visible(SignInAttempt, admin))


def test_a_region_bounds_what_an_officer_sees(session: Session, people: People) -> None:
    here, there = people.school("长沙一校", region="430102"), people.school("株洲一校", region="430202")
    city = people("市鉴定中心", scopes=[Scope(Role.CITY_OFFICER, region="4301")])
    province = people("省鉴定中心", scopes=[Scope(Role.PROVINCE_OFFICER, region="43")])
    seen = set(session.scalars(visible(Institution, city)))
    assert here in seen
    assert there not in seen
    assert {here, there} <= set(session.scalars(visible(Institution, province)))


def test_a_bound_that_the_table_cannot_answer_reaches_nothing(session: Session, people: People) -> None:
    bounded = people("周正", scopes=[Scope(Role.EXAM_OFFICER, people.home.id, plan_id=7)])
    query = sa.select(Institution).where(bounded.reach(Institution.id, Role.EXAM_OFFICER))
    assert session.scalars(query).all() == []


def test_what_a_failing_request_wrote_is_not_there(app: Flask, database: Database, session: Session,
                                                  people: People, enter: Callable[[Viewer], FlaskClient]) -> None:
    admin = people("管理员", Role.ADMINISTRATOR)
    home = people.home
    session.commit()
    client = enter(admin)

    def write_then_fail(account_id: int) -> Any:
        db().get_one(Institution, home.id).name = "改了一半"
        flask.flash("已保存。", "success")
        flask.abort(409)

    app.view_functions["accounts.reset"] = write_then_fail
    assert client.post(f"/accounts/{admin.account_id}/reset").status_code == 409
    with database.open(None, reads_only=True) as fresh:
        assert fresh.get_one(Institution, home.id).name == "湘江技师学院（演示）"
    assert "已保存" not in client.get("/").get_data(as_text=True)


def test_a_commit_that_fails_is_an_error_page_and_never_a_success_message(
        app: Flask, session: Session, people: People, enter: Callable[[Viewer], FlaskClient]) -> None:
    admin = people("管理员", Role.ADMINISTRATOR)
    session.commit()
    client = enter(admin)

    def break_a_constraint(account_id: int) -> str:
        db().add(Account(login=admin.login, name="同名登录", generation=1))
        flask.flash("已保存。", "success")
        return "saved"

    app.view_functions["accounts.reset"] = break_a_constraint
    app.config.update(TESTING=False, PROPAGATE_EXCEPTIONS=False)
    answer = client.post(f"/accounts/{admin.account_id}/reset")
    assert answer.status_code == 500
    assert "没有写入" in answer.get_data(as_text=True)
    assert "已保存" not in client.get("/").get_data(as_text=True)


def test_every_page_behind_the_sign_in_is_no_store_and_carries_the_strict_policy(
        session: Session, people: People, enter: Callable[[Viewer], FlaskClient]) -> None:
    admin = people("管理员", Role.ADMINISTRATOR)
    session.commit()
    page = enter(admin).get("/accounts/")
    assert page.headers["Cache-Control"] == "no-store"
    policy = page.headers["Content-Security-Policy"]
    assert "script-src 'self'" in policy
    assert "unsafe" not in policy


def test_one_commit_writes_the_row_and_its_trace_together(session: Session, people: People) -> None:
    people("陈晓", Role.ITEM_AUTHOR)
    assert session.scalar(sa.select(sa.func.count()).select_from(AuditEntry)) == 0
    session.commit()
    assert session.scalar(sa.select(sa.func.count()).select_from(AuditEntry).where(
        AuditEntry.table_name == "accounts")) == 1


def test_the_administrator_enters_a_school_and_what_is_wrong_is_said_beside_the_form(
        session: Session, people: People, enter: Callable[[Viewer], FlaskClient], database: Database) -> None:
    admin = people("管理员", Role.ADMINISTRATOR)
    session.commit()
    client = enter(admin)
    form = {"name": "洞庭高级技工学校", "kind": "advanced", "region": "4306", "certificate_prefix": "", "credit_code": ""}
    refused = client.post("/accounts/institutions/new", data=form)
    assert "地区代码应为 6 位数字" in refused.get_data(as_text=True)
    assert "洞庭高级技工学校" in refused.get_data(as_text=True)  # nothing typed is lost
    for field, wrong in (("certificate_prefix", "4300"), ("credit_code", "123"), ("kind", "university"), ("name", people.home.name)):
        page = client.post("/accounts/institutions/new", data=form | {"region": "430600", field: wrong})
        assert page.status_code == 200, field
        assert 'role="alert"' in page.get_data(as_text=True), field
    assert client.post("/accounts/institutions/new", data=form | {"region": "430600"}).status_code == 302
    with database.open(None, reads_only=True) as fresh:
        assert fresh.scalars(sa.select(Institution.kind).where(Institution.region == "430600")).one() == "advanced"


def test_who_was_overtaken_sees_what_was_typed_and_is_not_led_to_overwrite(
        session: Session, people: People, enter: Callable[[Viewer], FlaskClient], app: Flask) -> None:
    admin = people("管理员", Role.ADMINISTRATOR)
    session.commit()
    client = enter(admin)

    def late(account_id: int) -> Any:
        db().get_one(Institution, people.home.id).expect(0)

    app.view_functions["accounts.reset"] = late
    page = client.post(f"/accounts/{admin.account_id}/reset", data={"comment": "改了半小时的意见", "row_version": "0"})
    text = page.get_data(as_text=True)
    assert page.status_code == 409
    assert "改了半小时的意见" in text
    assert "page-refused" not in text  # the page one goes back to is not filled with the overtaken input


def test_an_address_is_believed_only_from_as_many_proxies_as_stand_in_front(settings: Settings) -> None:
    for proxies, told in ((0, "127.0.0.1"), (1, "10.0.0.7")):
        made = composition.create_app(dataclasses.replace(settings, proxies=proxies))
        seen: list[str | None] = []
        made.before_request_funcs[None].insert(0, lambda seen=seen: seen.append(flask.request.remote_addr))
        with made.test_client() as client:  # the first address is what the browser claims, the last what our proxy saw
            client.get("/accounts/sign-in", headers={"X-Forwarded-For": "1.2.3.4, 10.0.0.7"})
        assert seen == [told]
        made.extensions["examroom"]["database"].engine.dispose()

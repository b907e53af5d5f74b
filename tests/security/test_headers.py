"""What every answer carries, whoever makes it: pages, files of the program, the exam's fast lane, errors, a fenced server."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
from flask import Flask
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from app import create_app
from qbank.kernel.access import Role
from qbank.kernel.fencing import keep_epoch, step_down
from qbank.kernel.settings import Settings
from tests.conftest import PASSWORD, People, TestClock

EXPECTED = {
    "X-Content-Type-Options": "nosniff", "X-Frame-Options": "DENY", "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin", "Cross-Origin-Resource-Policy": "same-origin",
}
DIRECTIVES = {"default-src 'none'", "script-src 'self'", "style-src 'self'", "object-src 'none'", "base-uri 'none'", "frame-ancestors 'none'",
              "form-action 'self'", "connect-src 'self'", "img-src 'self' data:", "font-src 'self'"}


@pytest.fixture
def https(settings: Settings, clock: TestClock) -> Iterator[Flask]:
    """The same installation behind https."""
    made = create_app(replace(settings, secure_cookies=True), clock=clock)
    made.config.update(TESTING=True, WTF_CSRF_ENABLED=False)
    yield made
    made.extensions["examroom"]["database"].engine.dispose()


def answers(app: Flask, session: Session, people: People) -> dict[str, TestResponse]:
    zhou = people("周正", Role.CANDIDATE, Role.ITEM_AUTHOR)
    session.commit()
    client, nobody = app.test_client(), app.test_client()
    made = {"sign-in": client.post("/accounts/sign-in", data={"login": zhou.login, "password": PASSWORD}, base_url="https://localhost")}
    static = f"{app.static_url_path}/site.css"
    for name in ("/", "/exam/hall", "/exam/hall/state", "/exam/sheets/1", "/plans/", "/no-such-page", static, "/results/mine"):
        made[name] = client.get(name, base_url="https://localhost")
    for name in ("/", "/exam", "/api/v1/plans", "/api/v1/openapi.json", "/certificates/revocations", "/certificates/query", "/favicon.ico"):
        made[f"nobody {name}"] = nobody.get(name)
    made["no JSON"] = nobody.post("/exam/sheets/1/events", data="{", content_type="application/json")
    made["no such method"] = nobody.delete("/")
    made["trace"] = nobody.open("/", method="TRACE")
    return made


def test_every_kind_of_answer_carries_the_whole_policy(app: Flask, session: Session, people: People) -> None:
    for name, answer in answers(app, session, people).items():
        assert {key: answer.headers.get(key) for key in EXPECTED} == EXPECTED, name
        assert set(answer.headers["Content-Security-Policy"].split("; ")) == DIRECTIVES, name
        assert "Strict-Transport-Security" not in answer.headers, name  # a school without https must not lock itself out
        if "charset" not in answer.headers["Content-Type"]:
            assert not answer.headers["Content-Type"].startswith("text/"), name


def test_over_https_a_browser_is_told_never_to_come_otherwise(https: Flask, session: Session, people: People) -> None:
    found = answers(https, session, people)
    for name, answer in found.items():
        assert answer.headers.get("Strict-Transport-Security") == "max-age=31536000; includeSubDomains", name
    assert found["/"].status_code == 200  # signed in by the cookie under its other name
    cookie = found["sign-in"].headers["Set-Cookie"]
    assert cookie.startswith("__Host-session=")
    assert {"Secure", "HttpOnly", "Path=/", "SameSite=Lax"} <= set(cookie.split("; "))
    assert "Domain" not in cookie


def test_no_program_is_named_and_no_method_echoes(app: Flask, session: Session, people: People) -> None:
    found = answers(app, session, people)
    assert found["trace"].status_code == 405
    assert found["no such method"].status_code == 405
    for name, answer in found.items():
        assert not {"Server", "X-Powered-By", "Access-Control-Allow-Origin"} & set(dict(answer.headers)), name


def test_a_server_that_was_taken_over_from_says_so_under_the_same_policy(settings: Settings, clock: TestClock) -> None:
    keep_epoch(settings.folder, 1)
    one = create_app(replace(settings, secure_cookies=True), clock=clock)
    telling = one.test_client().get("/exam")
    assert [cookie for cookie in telling.headers.getlist("Set-Cookie") if cookie.startswith("__Host-examroom_epoch=") and cookie.endswith("; Secure")]
    step_down(settings.folder, 2)
    refused = one.test_client().get("/exam")
    assert refused.status_code == 503
    assert EXPECTED.items() <= dict(refused.headers).items()
    one.extensions["examroom"]["database"].engine.dispose()

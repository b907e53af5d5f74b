"""The fast lane answers the plain save and the pulse itself, as the doors behind it would, and leaves everything else to them."""

from __future__ import annotations

import gzip
import json
import re
import threading
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy.orm import Session
from werkzeug.test import Client, EnvironBuilder
from werkzeug.wrappers import Response

from app import create_app
from examroom.delivery.lane import Lane
from examroom.delivery.models import AnswerEvent, Presence, Sheet, SheetState
from qbank.kernel.accounts import Account
from qbank.kernel.db import Database
from qbank.kernel.identity import IdentityCipher
from qbank.kernel.settings import Settings
from qbank.kernel.writer import AT_WORK, NotWritten, Turns
from tests.conftest import People, TestClock
from tests.sitting_world import SittingWorld


class Behind:
    """The whole application behind a lane; counts what the lane leaves to it."""

    def __init__(self, app: Flask) -> None:
        self.app, self.reached = app, 0

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        self.reached += 1
        return self.app(environ, start_response)


class Lanes:
    """陈晓's page before a lane, and before the doors alone."""

    def __init__(self, app: Flask, world: SittingWorld) -> None:
        self.behind, self.app, self.world = Behind(app), app, world
        self.lane: Any = Client(Lane(self.behind, app), Response)
        self.sheet = world.sheet_id("陈晓")
        client = world.enter(app, "陈晓")
        opened: Any = client.post(f"/exam/sheets/{self.sheet}/open", json={"machine": "pc"}, headers={"Accept": "application/json"})
        self.headers: dict[str, str] = {"X-Page-Token": opened.json["token"], "Accept": "application/json"}
        client.get(f"/exam/sheets/{self.sheet}/pulse", headers=self.headers)  # the terms are known from now on

    def plain(self, name: str, path: str, **more: Any) -> Any:
        """As the browser of ``name``, signed in at the exam door, asks before the lane."""
        cookie = self.world.enter(self.app, name).get_cookie("session")
        assert cookie is not None
        self.lane.set_cookie(cookie.key, cookie.value)
        return self.lane.open(path, headers={"Accept-Encoding": "gzip", "Accept": "application/json"}, **more)

    def ask(self, path: str, body: Any = None, **more: Any) -> Any:
        if body is not None:
            more["json"] = body
        builder = EnvironBuilder(f"/exam/sheets/{self.sheet}/{path}", method="GET" if path == "pulse" else "POST", headers=list(self.headers.items()),
                                 **more)
        return self.lane.open(builder)

    def save(self, sequence: int, letters: str = "A", number: int = 1) -> Any:
        return self.ask("events", {"events": [{"sequence": sequence, "number": number, "answer": letters, "flagged": False}],
                                   "signs": {"left": 2, "unsent": 1}})


@pytest.fixture
def world(session: Session, people: People, settings: Settings, clock: TestClock) -> SittingWorld:
    made = SittingWorld(session, people, IdentityCipher(settings.identity_key)).make(clock())
    made.running()
    session.commit()
    clock.moment = made.begin
    return made


@pytest.fixture
def lanes(app: Flask, world: SittingWorld) -> Lanes:
    return Lanes(app, world)


def test_a_plain_save_and_a_pulse_never_reach_flask(lanes: Lanes, session: Session) -> None:
    saved = lanes.save(1)
    assert (saved.status_code, saved.json["acknowledged"], saved.json["page"], saved.json["refused"]) == (200, 1, "live", [])
    pulse = lanes.ask("pulse")
    assert (pulse.json["acknowledged"], pulse.json["phase"], pulse.json["page"]) == (1, "answering", "live")
    assert lanes.behind.reached == 0
    assert session.scalar(sa.select(sa.func.count()).select_from(AnswerEvent)) == 1
    assert session.get_one(Presence, lanes.sheet).left == 2


def test_it_answers_word_for_word_what_the_door_behind_it_answers(lanes: Lanes, app: Flask) -> None:
    lanes.save(1)
    for path, body in (("pulse", None), ("events", {"events": []})):
        fast = lanes.ask(path, body)
        lanes.behind.reached = 0
        app.extensions["examroom"]["cards"]._held.clear()  # an unknown card goes the long way
        slow = lanes.ask(path, body)
        assert lanes.behind.reached == 1
        assert fast.json == slow.json
        drop = {"Vary", "X-Request-ID"}  # Flask's session says that it was looked at; every request has a name of its own
        assert {key: value for key, value in fast.headers if key not in drop} | {"Content-Length": ""} == \
            {key: value for key, value in slow.headers if key not in drop} | {"Content-Length": ""}


@pytest.mark.parametrize(("sent", "status"), [(b"\xff{", 400), (b"[" * 50_000, 400), (b"[]", 400), (b'{"events": 1}', 400)])
def test_what_is_no_request_is_refused_behind_it(lanes: Lanes, session: Session, sent: bytes, status: int) -> None:
    answer = lanes.ask("events", data=sent, content_type="application/json")
    assert (answer.status_code, lanes.behind.reached) == (status, 1)
    assert session.scalar(sa.select(sa.func.count()).select_from(AnswerEvent)) == 0


def test_a_foreign_or_a_forged_token_opens_nothing(lanes: Lanes, app: Flask, world: SittingWorld, session: Session) -> None:
    other = Lanes(app, world)
    other.sheet = world.sheet_id("刘洋")
    assert other.save(1).status_code == 401
    lanes.headers["X-Page-Token"] = lanes.headers["X-Page-Token"][:-1] + "!"
    assert (lanes.save(1).status_code, lanes.ask("pulse").status_code) == (401, 401)
    assert session.scalar(sa.select(sa.func.count()).select_from(AnswerEvent)) == 0


def test_a_page_that_was_ended_a_disabled_account_and_the_end_of_time_are_seen_in_the_write(
        lanes: Lanes, app: Flask, world: SittingWorld, session: Session, clock: TestClock) -> None:
    newer = Lanes(app, world)  # the same computer opened the sheet again
    assert (lanes.save(1).json["code"], lanes.behind.reached) == ("superseded", 1)
    assert newer.save(1).status_code == 200
    account = session.get_one(Account, world.enrolment("陈晓").account_id)
    account.active = False
    session.commit()
    assert newer.save(2).json["code"] == "signed_out"
    account.active = True
    session.commit()
    clock.moment = world.begin + timedelta(minutes=90, seconds=120)
    over = newer.save(3)
    assert (over.status_code, over.json["refused"][0]["code"], over.json["state"]) == (200, "over", "handed_in")
    assert over.json["receipt"]["how"] == "到时自动交卷"


def test_liu_waits_and_starts_without_flask_and_gets_the_paper_with_the_start(lanes: Lanes, session: Session, world: SittingWorld) -> None:
    sheet = world.sheet_id("刘洋")
    hall = lanes.plain("刘洋", "/exam/hall")
    assert "请核对您的信息" in hall.text
    assert lanes.behind.reached == 1  # a browser without a CSRF secret gets one behind the lane
    assert "请核对您的信息" in lanes.lane.get("/exam/hall").text
    told = lanes.lane.get("/exam/hall/state").json
    assert (told["phase"], told["enter"]) == ("ready", f"/exam/sheets/{sheet}")
    shell = lanes.lane.get(told["enter"])
    assert (shell.status_code, shell.headers["Cache-Control"]) == (200, "no-store")
    proof = re.search('name="csrf-token" content="([^"]+)"', shell.text)
    assert proof is not None
    lanes.app.config["WTF_CSRF_ENABLED"] = True
    opened = lanes.lane.post(f"{told['enter']}/open", json={"machine": "pc"}, headers={"X-CSRFToken": proof[1], "Accept-Encoding": "gzip"})
    assert lanes.behind.reached == 1
    start = json.loads(gzip.decompress(opened.data))
    assert (start["page"], start["state"], start["phase"], start["answers"]) == ("live", "started", "answering", {})
    assert lanes.behind.reached == 1
    asked = lanes.lane.get(f"{told['enter']}/state", headers={"X-Page-Token": start["token"]}).json
    assert {name: start[name] for name in asked} == asked  # whoever starts has all that a reload would ask for
    assert session.get_one(Sheet, sheet).state is SheetState.STARTED


def test_a_start_that_no_page_of_ours_sent_starts_nothing(lanes: Lanes, session: Session, world: SittingWorld) -> None:
    sheet = world.sheet_id("刘洋")
    foreign = re.search('name="csrf-token" content="([^"]+)"', world.enter(lanes.app, "陈晓").get(f"/exam/sheets/{lanes.sheet}").text)
    assert foreign is not None
    lanes.plain("刘洋", "/exam/hall")
    lanes.app.config["WTF_CSRF_ENABLED"] = True
    for token in ("", "x.y.z", foreign[1]):
        answer = lanes.lane.post(f"/exam/sheets/{sheet}/open", json={"machine": "pc"}, headers={"X-CSRFToken": token, "Accept-Encoding": "gzip"})
        assert (answer.status_code, answer.json["code"]) == (400, "csrf")
    assert session.get_one(Sheet, sheet).state is SheetState.DEALT


def test_a_stranger_sees_no_shell_and_starts_nothing(lanes: Lanes, session: Session, world: SittingWorld) -> None:
    sheet = world.sheet_id("刘洋")
    assert lanes.plain("陈晓", f"/exam/sheets/{sheet}").status_code == 404
    assert lanes.plain("陈晓", f"/exam/sheets/{sheet}/open", method="POST", json={"machine": "pc"}).status_code == 404
    assert lanes.plain("陈晓", "/exam/sheets/999999999").status_code == 404
    assert lanes.lane.get("/exam/hall/state").json["seat"] == 1
    lanes.lane.delete_cookie("session")
    assert lanes.lane.get("/exam/hall/state", headers={"Accept": "application/json"}).status_code == 401
    assert lanes.lane.get(f"/exam/sheets/{sheet}").status_code == 302
    assert session.get_one(Sheet, sheet).state is SheetState.DEALT


def test_a_sign_in_that_was_ended_waits_no_longer_and_one_that_asks_stays_alive(
        lanes: Lanes, session: Session, world: SittingWorld, clock: TestClock) -> None:
    headers = {"Accept": "application/json"}
    assert lanes.plain("刘洋", "/exam/hall/state").status_code == 200
    assert "Set-Cookie" not in lanes.lane.get("/exam/hall/state", headers=headers).headers  # a cookie once a minute is enough
    for _ in range(3):
        clock.forward(minutes=20)
        assert "Set-Cookie" in lanes.lane.get("/exam/hall/state", headers=headers).headers
    assert lanes.behind.reached == 0
    account = session.get_one(Account, world.enrolment("刘洋").account_id)
    account.generation += 1
    session.commit()
    assert lanes.lane.get("/exam/hall/state", headers=headers).status_code == 401
    account.generation -= 1
    session.commit()
    clock.forward(minutes=31)
    assert lanes.lane.get("/exam/hall/state", headers=headers).status_code == 401  # idle for too long


def test_a_full_writer_says_busy_and_nothing_was_written(lanes: Lanes, app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    def busy(handler: Any, task: Any) -> Any:
        raise NotWritten("busy")

    monkeypatch.setattr(app.extensions["examroom"]["writer"], "write", busy)
    answer = lanes.save(1)
    assert (answer.status_code, json.loads(answer.data)["code"], answer.headers["Retry-After"]) == (503, "busy", "1")
    assert lanes.behind.reached == 0


def test_the_address_is_the_one_that_the_proxy_in_front_tells(session: Session, world: SittingWorld, settings: Settings, clock: TestClock,
                                                              database: Database) -> None:
    app = create_app(replace(settings, proxies=1), clock=clock)
    app.config.update(TESTING=True, WTF_CSRF_ENABLED=False)
    client = world.enter(app, "陈晓")
    sheet = world.sheet_id("陈晓")
    opened: Any = client.post(f"/exam/sheets/{sheet}/open", json={}, headers={"Accept": "application/json"})
    token = opened.json["token"]
    for _ in range(2):
        assert client.post(f"/exam/sheets/{sheet}/events", json={"events": []}, headers={
            "X-Page-Token": token, "X-Forwarded-For": "10.1.2.3"}).status_code == 200
    assert session.get_one(Presence, sheet).address == "10.1.2.3"
    app.extensions["examroom"]["database"].engine.dispose()


def test_of_a_crowd_at_the_door_only_a_few_are_at_work_and_everybody_else_passes_by(app: Flask) -> None:
    at_work, most, done = 0, 0, 0
    lock, full, go = threading.Lock(), threading.Event(), threading.Event()

    def slow(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        nonlocal at_work, most, done
        if environ["PATH_INFO"] == "/marking/":
            return [b"other"]
        with lock:
            at_work += 1
            most = max(most, at_work)
            if at_work == AT_WORK:
                full.set()
        assert go.wait(30)
        with lock:
            at_work, done = at_work - 1, done + 1
        return [b""]

    def nobody(*_: Any) -> Any:
        """What the doors behind do not ask to answer with."""

    lane = Lane(slow, app)
    paths = ["/exam", "/exam/hall", "/exam/hall/state", "/exam/sheets/1/open", "/exam/sheets/2/state", "/exam/sheets/3/hand-in"] * 3
    crowd = [threading.Thread(target=lane, args=({"PATH_INFO": path, "REQUEST_METHOD": "POST"}, nobody), daemon=True) for path in paths]
    for one in crowd:
        one.start()
    assert full.wait(30)
    assert lane({"PATH_INFO": "/marking/", "REQUEST_METHOD": "GET"}, nobody) == [b"other"]
    go.set()
    for one in crowd:
        one.join(30)
    assert (most, done) == (AT_WORK, len(paths))


def test_who_waits_for_a_commit_gives_the_turn_away_and_takes_it_again() -> None:
    turns, inside, other = Turns(1), threading.Event(), threading.Event()

    def second() -> None:
        assert inside.wait(30)
        with turns.taken():
            other.set()

    thread = threading.Thread(target=second, daemon=True)
    thread.start()
    with turns.taken():
        inside.set()
        assert not other.wait(0.05)
        with turns.given_away():
            assert other.wait(30)
        thread.join(30)
    with turns.given_away():  # who holds none gives none away
        assert turns._places.acquire(blocking=False)
        assert not turns._places.acquire(blocking=False)

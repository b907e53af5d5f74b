"""A served sitting for browser tests: one for a file, every test takes a candidate of its own. Chromium is the system's, else
playwright's own, else a failure that says what to install."""

from __future__ import annotations

import dataclasses
import os
import shutil
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.cookies import SimpleCookie
from pathlib import Path
from typing import Any

import flask
import pytest
from flask import Flask
from playwright.sync_api import Browser, BrowserContext, Page, Playwright, ViewportSize, expect
from sqlalchemy.orm import Session
from werkzeug.serving import make_server

from app import create_app
from examroom.delivery import sheets, shuffle
from examroom.delivery.models import Answer, Sheet
from examroom.plans import codes
from qbank.kernel.db import Actor
from qbank.kernel.identity import IdentityCipher
from qbank.kernel.settings import Settings
from qbank.kernel.views import start_session
from tests.conftest import People, TestClock
from tests.sitting_world import SittingWorld

INSTALL = "apt-get install chromium (or google-chrome), or: python -m playwright install chromium"
CHROMIUM = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
ARGUMENTS = ["--no-sandbox", "--disable-gpu"]
SCREEN = ViewportSize(width=1366, height=768)


class RunningClock(TestClock):
    """The server's clock: real seconds, moved by a test where minutes matter."""

    __test__ = False

    def __init__(self) -> None:
        self.ahead = timedelta(0)

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self.ahead

    def move_to(self, moment: datetime) -> None:
        self.ahead = moment - datetime.now(UTC)


def program(playwright: Playwright) -> str:
    """Where Chromium is."""
    for name in CHROMIUM:
        if found := shutil.which(name):
            return found
    if Path(playwright.chromium.executable_path).exists():
        return playwright.chromium.executable_path
    pytest.fail(f"no Chromium or Chrome on this machine; install one: {INSTALL}")


@dataclass
class Room:
    """A served sitting that begins now, and browsers to sit it in."""

    world: SittingWorld
    session: Session
    clock: RunningClock
    playwright: Playwright
    address: str
    folder: Path
    code_key: bytes
    app: Flask
    serving: Callable[[], Any]
    contexts: list[BrowserContext] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)
    _browser: Browser | None = None
    _server: Any = None

    def start_server(self) -> None:
        self._server = self.serving()
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def stop_server(self) -> None:
        """The server is gone: connections are refused until ``start_server``."""
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
        self._server = None

    def computer(self, **options: Any) -> BrowserContext:
        """A computer of its own: storage and cookies are nobody else's."""
        if self._browser is None:
            self._browser = self.playwright.chromium.launch(executable_path=program(self.playwright), args=ARGUMENTS)
        return self._opened(self._browser.new_context(viewport=SCREEN, locale="zh-CN", accept_downloads=True, **options))

    def profile(self, name: str) -> BrowserContext:
        """A browser of its own with a profile on disk, which can be killed; the same name again is the same computer."""
        return self._opened(self.playwright.chromium.launch_persistent_context(
            str(self.folder / name), executable_path=program(self.playwright), args=ARGUMENTS, viewport=SCREEN, locale="zh-CN"))

    def _opened(self, context: BrowserContext) -> BrowserContext:
        context.set_default_timeout(15_000)
        context.on("weberror", lambda error: self.broken.append(str(error.error)))
        self.contexts.append(context)
        return context

    def sign_in(self, context: BrowserContext, name: str) -> Page:
        """By keyboard alone, with the code of the admission ticket, up to the sheet."""
        page = context.pages[0] if context.pages else context.new_page()
        page.goto(f"{self.address}/exam")
        self.type_code(page, name)
        page.wait_for_url("**/exam/sheets/*")
        return page

    def type_code(self, page: Page, name: str) -> None:
        expect(page.locator("#code")).to_be_focused()
        enrolment = self.world.enrolment(name)
        page.keyboard.type(codes.make(self.code_key, enrolment.id, enrolment.code_issue))
        self.session.commit()
        page.keyboard.press("Enter")

    def enter(self, name: str, context: BrowserContext | None = None) -> Page:
        """The short way in for what is not about the door: signed in already, straight to the sheet."""
        context = context or self.computer()
        with self.app.test_request_context():
            start_session(self.world.enrolment(name).candidate.viewer())
            answer = self.app.make_response("")
            self.app.session_interface.save_session(self.app, flask.session, answer)
        cookie = SimpleCookie(answer.headers["Set-Cookie"])
        context.add_cookies([{"name": one.key, "value": one.value, "url": self.address} for one in cookie.values()])
        page = context.pages[0] if context.pages else context.new_page()
        page.goto(f"{self.address}/exam/sheets/{self.sheet(name).id}")
        self.session.commit()
        return page

    def sit(self, name: str, context: BrowserContext | None = None) -> Page:
        page = self.enter(name, context)
        expect(page.locator("#desk")).to_be_visible()
        return page

    def kill(self, name: str) -> None:
        """SIGKILL to every process of that profile's browser, as a power cut would."""
        profile = str(self.folder / name).encode()
        for process in Path("/proc").iterdir():
            try:
                if process.name.isdecimal() and profile in (process / "cmdline").read_bytes():
                    os.kill(int(process.name), signal.SIGKILL)
            except OSError:
                continue  # gone meanwhile
        self.contexts.pop()

    def sheet(self, name: str) -> Sheet:
        self.session.expire_all()
        return self.world.sheet(name)

    def right(self, name: str, shown: int) -> str:
        """What to press, or to type, for the right answer of a question as this candidate sees it."""
        entry = self.sheet(name).layout[shown - 1]
        found = shuffle.to_shown(entry, self.world.keys()[entry["number"]])
        self.session.commit()
        return found

    def stored(self, name: str) -> dict[int, str]:
        """What the server holds, by shown number, in shown letters."""
        sheet = self.sheet(name)
        self.session.query(Answer).populate_existing().all()
        held = sheets.answers(self.session, sheet)
        found = {place: shuffle.to_shown(entry, held[entry["number"]].answer)
                 for place, entry in enumerate(sheet.layout, 1) if entry["number"] in held}
        self.session.commit()  # an open session of the test would keep SQLite's write lock
        return found

    def wait_stored(self, page: Page, name: str, expected: dict[int, str]) -> None:
        for _ in range(100):
            if (found := self.stored(name)) == expected:
                return
            page.wait_for_timeout(100)
        pytest.fail(f"the server holds {found}, not {expected}")


@contextmanager
def served(playwright: Playwright, folder: Path, database_url: str, early: timedelta = timedelta(0), **paper: Any) -> Iterator[Room]:
    """A room whose sitting begins at this moment, or in ``early``; ``paper`` as for ``SittingWorld``."""
    expect.set_options(timeout=15_000)
    clock = RunningClock()
    settings = dataclasses.replace(
        Settings(folder=folder, database_url=database_url, secret_key=b"s" * 32, identity_key=b"i" * 32, jobs_inline=True,
                 unsafe_database=True),
        idle_minutes=600)  # the clock jumps
    app = create_app(settings, clock=clock)
    app.config["TESTING"] = True
    database = app.extensions["examroom"]["database"]
    with database.open(Actor(None, "测试"), clock=clock) as session:
        session.info["jobs"] = app.extensions["examroom"]["jobs"]
        world = SittingWorld(session, People(session), IdentityCipher(settings.identity_key), **paper)
        world.make(clock()).running()
        session.commit()
        clock.move_to(world.begin - early)
        first = make_server("127.0.0.1", 0, app, threaded=True)
        port = first.server_port
        first.server_close()
        room = Room(world, session, clock, playwright, f"http://127.0.0.1:{port}", folder, settings.code_key, app,
                    serving=lambda: make_server("127.0.0.1", port, app, threaded=True))
        room.start_server()
        try:
            yield room
        finally:
            for context in room.contexts:
                context.close()
            if room._browser:
                room._browser.close()
            room.stop_server()
    database.engine.dispose()
    assert room.broken == []


class Network:
    """The network of one page, cut through the browser's own DevTools protocol."""

    def __init__(self, page: Page) -> None:
        self.session = page.context.new_cdp_session(page)
        self.session.send("Network.enable")

    def _set(self, offline: bool) -> None:
        self.session.send("Network.emulateNetworkConditions",
                          {"offline": offline, "latency": 0, "downloadThroughput": -1, "uploadThroughput": -1})

    def cut(self) -> None:
        self._set(True)

    def mend(self) -> None:
        self._set(False)


def slow(page: Page, times: int = 4) -> None:
    """A slow PC."""
    page.context.new_cdp_session(page).send("Emulation.setCPUThrottlingRate", {"rate": times})


def answer(room: Room, page: Page, name: str, numbers: range) -> dict[int, str]:
    """Answers these questions rightly with the keyboard, beginning at the first of them; what was chosen by number."""
    chosen = {}
    for number in numbers:
        expect(page.locator("#questions .stem-number")).to_have_text(f"{number}. ")
        chosen[number] = room.right(name, number)
        for letter in chosen[number]:
            page.keyboard.press(letter if number % 2 else str("ABCDEFGHIJ".index(letter) + 1))
        page.keyboard.press("ArrowRight" if number % 3 else "PageDown")
    return chosen

"""A person's browser: a real Chromium at a served app, signed in."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

import pytest
from flask import Flask
from playwright.sync_api import Page, Playwright, expect, sync_playwright
from werkzeug.serving import make_server

from qbank.kernel.access import Viewer
from tests.browser.exam_room import Room, served
from tests.conftest import PASSWORD

CHROMIUM = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")


@pytest.fixture(scope="module")
def chromium() -> Iterator[Playwright]:
    with sync_playwright() as started:
        yield started


@pytest.fixture
def at_the_desk(app: Flask, chromium: Playwright) -> Iterator[Callable[[Viewer], Page]]:
    """Opens the browser of somebody whose account is committed. A script that fails or an address that is refused fails
    the test."""
    with ExitStack() as opened:
        yield lambda viewer: opened.enter_context(_signed_in(app, chromium, viewer))


@contextmanager
def _signed_in(app: Flask, chromium: Playwright, viewer: Viewer) -> Iterator[Page]:
    app.config["WTF_CSRF_ENABLED"] = True
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)  # a sign-in that fails must not keep the run from ending
    thread.start()
    broken: list[str] = []
    try:
        yield _desk(chromium, viewer, server.port, broken)
    finally:
        server.shutdown()
        thread.join(30)
        server.server_close()
    assert broken == []


def _desk(chromium: Playwright, viewer: Viewer, port: int, broken: list[str]) -> Page:
    program = next(filter(None, map(shutil.which, CHROMIUM)), chromium.chromium.executable_path)
    browser = chromium.chromium.launch(executable_path=program, args=["--no-sandbox", "--disable-gpu"])
    page = browser.new_page(viewport={"width": 1366, "height": 768}, locale="zh-CN", base_url=f"http://127.0.0.1:{port}")
    page.set_default_timeout(20_000)
    expect.set_options(timeout=20_000)
    page.on("pageerror", lambda error: broken.append(str(error)))
    page.on("console", lambda message: broken.append(message.text) if message.type == "error" else None)
    page.goto("/accounts/sign-in")
    page.fill("#login", viewer.login)
    page.fill("#password", PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url("**/")
    return page


@pytest.fixture(scope="module")
def exam_room(request: pytest.FixtureRequest, chromium: Playwright, tmp_path_factory: pytest.TempPathFactory,
              fresh_database_url: Callable[[], str]) -> Iterator[Room]:
    """One sitting for the whole file, made as the file's ``PAPER`` says."""
    with served(chromium, tmp_path_factory.mktemp("room"), fresh_database_url(), **request.module.PAPER) as room:
        yield room

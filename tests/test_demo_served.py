"""The README's first command as one process: world, server, worker."""

from __future__ import annotations

import http.cookiejar
import os
import re
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path

import pytest

from seed import cast
from tests.drills.room import ROOT, free_port

WORLD_SECONDS = 600
ANSWER_SECONDS = 30
pytestmark = pytest.mark.timeout(900)


class Browser:
    """A person at the served demo."""

    def __init__(self, address: str) -> None:
        self.address = address
        self._opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar()))

    def get(self, path: str) -> bytes:
        with self._opener.open(self.address + path, timeout=ANSWER_SECONDS) as answer:
            return bytes(answer.read())

    def post(self, path: str, form_on: str, **fields: str) -> bytes:
        token = re.search(r'name="csrf_token" value="([^"]+)"', self.get(form_on).decode())
        assert token
        data = urllib.parse.urlencode({"csrf_token": token[1], **fields}).encode()
        with self._opener.open(self.address + path, data, timeout=ANSWER_SECONDS) as answer:
            return bytes(answer.read())


@pytest.mark.one_database
@pytest.mark.skipif(sys.platform == "win32", reason="ends the server as a terminal does")
def test_the_server_typesets_what_the_demo_typeset_before_it(tmp_path: Path) -> None:
    """A fork of a process that had typeset waited for ever in its first PDF, and with it every other writer."""
    port = free_port()
    demo = subprocess.Popen([sys.executable, "-m", "app", "demo", "--dir", str(tmp_path / "demo"), "--port", str(port)],
                            cwd=ROOT, stdout=subprocess.DEVNULL, start_new_session=True)
    try:
        browser = Browser(f"http://127.0.0.1:{port}")
        until = time.monotonic() + WORLD_SECONDS
        while True:
            try:
                browser.get("/accounts/sign-in")
                break
            except urllib.error.URLError:
                assert demo.poll() is None, "the demo ended by itself"
                assert time.monotonic() < until, "the demo does not answer"
                time.sleep(0.5)
        browser.post("/accounts/sign-in", "/accounts/sign-in", login="officer", password=cast.PASSWORD)
        school = re.search(r'name="institution_id" value="(\d+)"', browser.get("/certificates/seals").decode())
        assert school
        assert browser.post("/certificates/seals/specimen", "/certificates/seals", institution_id=school[1]).startswith(b"%PDF-")
    finally:
        os.killpg(demo.pid, signal.SIGKILL)
        demo.wait(ANSWER_SECONDS)

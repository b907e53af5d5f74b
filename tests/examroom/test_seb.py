"""Safe Exam Browser: the configuration file, the Config Key, and the doors that ask for it."""

from __future__ import annotations

import hashlib
import plistlib
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from examroom.delivery import seb
from qbank.kernel.access import Role
from qbank.kernel.identity import IdentityCipher
from qbank.kernel.refused import Refused
from qbank.kernel.settings import Settings
from tests.conftest import People, TestClock
from tests.sitting_world import SittingWorld


@pytest.fixture
def world(session: Session, people: People, settings: Settings, clock: TestClock) -> SittingWorld:
    return SittingWorld(session, people, IdentityCipher(settings.identity_key)).make(clock())


def sha(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def test_the_config_key_is_computed_as_the_documentation_says() -> None:
    """The rules one by one; the JSON is written by hand. (Computed over the settings of a file that SEB for macOS 2.1.4 wrote,
    which Moodle's tests carry, the same function gives SEB's own 4fa9af8ec8759eb7c680752ef4ee5eaf1a860628608fccae2715d519849f9292.)
    """
    settings: dict[str, Any] = {
        "originatorVersion": "SEB_Win_2.1.1", "allowWLAN": False, "allowWlan": True, "zoomMode": 0,
        "URLFilterRules": [{"expression": "a\\b/*", "active": True}],
        "empty": {}, "examKeySalt": b"\x01\x02", "startURL": "https://考.example/exam"}
    text = ('{"allowWlan":true,"allowWLAN":false,"examKeySalt":"AQI=","startURL":"https://考.example/exam",'
            '"URLFilterRules":[{"active":true,"expression":"a\\b/*"}],"zoomMode":0}')
    assert seb.config_key(settings) == sha(text)
    assert seb.config_key({"originatorVersion": "other"} | {name: settings[name] for name in settings if name != "originatorVersion"}) == sha(text)


def test_the_header_covers_the_address_without_its_fragment() -> None:
    assert seb.header_for("http://10.0.0.1/exam#top", "k") == sha("http://10.0.0.1/examk")


@pytest.mark.parametrize("header", ["", "00", "x" * 64])
def test_a_request_without_the_right_header_is_refused_with_a_sentence(header: str) -> None:
    home = "http://10.0.0.1:8000"
    key = seb.config_key(seb.settings_of(home, ""))
    seb.require(False, "", home, [f"{home}/exam/sheets/1"], header)
    with pytest.raises(Refused, match="Safe Exam Browser"):
        seb.require(True, "", home, [f"{home}/exam/sheets/1"], header)
    right = seb.header_for(f"{home}/exam/sheets/1", key)
    seb.require(True, "", home, ["http://inside/exam/sheets/1", f"{home}/exam/sheets/1"], right.upper())
    with pytest.raises(Refused, match=r"^seb:"):
        seb.require(True, "", home, [f"{home}/exam/sheets/2"], right)  # another address
    with pytest.raises(Refused, match=r"^seb:"):
        seb.require(True, sha("other password"), home, [f"{home}/exam/sheets/1"], right)


def test_zhou_demands_seb_and_only_a_browser_with_the_file_gets_in(session: Session, world: SittingWorld, app: Flask, enter: Any,
                                                                 clock: TestClock, settings: Settings) -> None:
    world.deal()
    sheet_id, address = world.sheet_id("陈晓"), f"/invigilation/sittings/{world.sitting.id}"
    officer = enter(world.officer)
    assert officer.post(f"{address}/seb", data={"required": "yes", "password": "abc"}).status_code == 409  # too short
    assert officer.post(f"{address}/seb", data={"required": "yes", "password": "退出考试2026"}).status_code == 302
    assert "必须使用" in officer.get(f"{address}/readiness").get_data(as_text=True)
    kept = plistlib.loads(officer.get(f"{address}/exam.seb").data)
    assert (kept["startURL"], kept["sendBrowserExamKey"], kept["hashedQuitPassword"]) == (
        f"{settings.public_url}/exam", True, sha("退出考试2026"))
    assert kept["removeLocalStorage"] is False  # unsent answers live there
    session.expire_all()
    clock.moment = world.sitting.starts_at
    world.open(now=clock() - timedelta(minutes=5))
    world.enrolment("陈晓")
    session.commit()
    candidate, key = world.enter(app, "陈晓"), seb.config_key(kept)
    shell, opening = f"/exam/sheets/{sheet_id}", f"/exam/sheets/{sheet_id}/open"
    for answer in (candidate.get(shell), candidate.post(opening, json={"machine": "m"})):
        assert answer.status_code == 409
        assert "Safe Exam Browser" in answer.get_data(as_text=True)

    def right(path: str) -> dict[str, str]:
        return {seb.HEADER: seb.header_for(f"http://localhost{path}", key)}

    assert candidate.get(shell, headers=right(shell)).status_code == 200
    assert candidate.post(opening, json={"machine": "m"}, headers=right(shell)).status_code == 409
    opened: Any = candidate.post(opening, json={"machine": "m"}, headers=right(opening))
    assert opened.json["page"] == "live"
    assert candidate.get("/exam/quit").status_code == 302
    assert enter(world.officer).post(f"{address}/seb", data={}).status_code == 409  # it has begun


def test_the_file_is_the_officers_of_the_plan(session: Session, world: SittingWorld, enter: Any, people: People) -> None:
    stranger = people("外校考务", Role.EXAM_OFFICER, school=people.school("外校"))
    session.commit()
    address = f"/invigilation/sittings/{world.sitting.id}"
    outside, inside = enter(stranger), enter(world.invigilator)
    for path in ("/exam.seb", "/readiness"):
        assert outside.get(address + path).status_code == 404
        assert inside.get(address + path).status_code == 403
    for path in ("/seb", "/rehearse"):
        assert outside.post(address + path).status_code == 404
        assert inside.post(address + path).status_code == 403

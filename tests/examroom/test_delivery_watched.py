"""What operators see of a sitting: who writes, who is connected, what was saved and what was not."""

from __future__ import annotations

from datetime import timedelta

from flask import Flask
from sqlalchemy.orm import Session

from examroom.delivery import watched
from qbank.kernel import metrics
from qbank.kernel.db import Database
from qbank.kernel.identity import IdentityCipher
from qbank.kernel.settings import Settings
from tests.conftest import People, TestClock
from tests.sitting_world import SittingWorld


def counted(name: str, **labels: str) -> float:
    return metrics.REGISTRY.get_sample_value(name, labels) or 0.0


def test_saves_sittings_and_candidates_are_counted(app: Flask, database: Database, session: Session, people: People, settings: Settings,
                                                           clock: TestClock) -> None:
    world = SittingWorld(session, people, IdentityCipher(settings.identity_key)).make(clock())
    world.running()
    session.commit()
    clock.moment = world.begin
    client, base = world.enter(app, "陈晓"), f"/exam/sheets/{world.sheet_id('陈晓')}"

    def seen() -> dict[str, float]:
        with database.open(None, reads_only=True) as reading:
            return {one.name: one.value for one in watched._sittings(reading, clock())}

    assert seen() == {"sittings_running": 0, "candidates_writing": 0, "candidates_connected": 0}
    token = str((client.post(f"{base}/open", json={"machine": "pc-1"}).json or {})["token"])
    names = ("taken", "bad_token")
    before = {name: counted("examroom_saves_total", outcome=name) for name in names}
    refused, timed = counted("examroom_answers_refused_total"), counted("examroom_write_seconds_count", what="save")

    def send(sequence: int, number: int, token: str) -> int:
        event = {"sequence": sequence, "number": number, "answer": "A", "flagged": False}
        return int(client.post(f"{base}/events", json={"events": [event]}, headers={"X-Page-Token": token}).status_code)

    assert [send(1, 1, token), send(2, 2, token), send(3, 3, "somebody's")] == [200, 200, 401]
    assert {name: counted("examroom_saves_total", outcome=name) - before[name] for name in names} == {"taken": 2, "bad_token": 1}
    assert counted("examroom_write_seconds_count", what="save") == timed + 2
    assert counted("examroom_requests_total", route="delivery.events", status="200") >= 2
    assert counted("examroom_requests_total", route="delivery.events", status="401") >= 1
    assert counted("examroom_answers_refused_total") == refused
    assert seen() == {"sittings_running": 1, "candidates_writing": 1, "candidates_connected": 1}
    clock.forward(minutes=2)
    assert seen() == {"sittings_running": 1, "candidates_writing": 1, "candidates_connected": 0}
    clock.moment = world.begin + timedelta(minutes=60)
    client.get("/exam/hall/state")
    client.post(f"{base}/hand-in", json={"because": "candidate"}, headers={"X-Page-Token": token})
    assert seen()["candidates_writing"] == 0
    assert "examroom_candidates_writing 0.0" in app.extensions["figures"].told("")[0].decode()

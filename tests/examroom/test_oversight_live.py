"""The running sitting as supervisors and centres see it: seats, incidents, times; no question, no answer."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from examroom.invigilation import incidents
from examroom.oversight import desk, live
from qbank.kernel.access import Role, Scope, Viewer
from qbank.kernel.identity import IdentityCipher
from tests.conftest import MONDAY, People, TestClock
from tests.sitting_world import SittingWorld

Enter = Callable[[Viewer], FlaskClient]


@pytest.fixture
def world(session: Session, people: People) -> SittingWorld:
    return SittingWorld(session, people, IdentityCipher(b"i" * 32)).make(MONDAY, starts_in=timedelta(minutes=10))


def test_a_supervisor_watches_the_sitting_he_was_sent_to_and_sees_no_word_of_the_paper(
        world: SittingWorld, session: Session, people: People, enter: Enter, clock: TestClock, app: Flask) -> None:
    centre = people.school("长沙市鉴定中心")
    tan = people("谭晓峰", scopes=[Scope(Role.CITY_OFFICER, region="4301")], school=centre)
    far = people("他市", scopes=[Scope(Role.CITY_OFFICER, region="4307")], school=people.school("常德中心", region="430700"))
    luo, liu = (people(name, scopes=[Scope(Role.QUALITY_SUPERVISOR, region="4301")], school=people.school(f"{name}单位")) for name in ("罗正明", "柳青"))
    world.running()
    desk.assign(session, world.plan, luo.account_id, tan, now=MONDAY)
    clock.forward(minutes=11)
    world.start("陈晓")
    incidents.record_incident(session, world.room, world.invigilator, kind="设备故障", text="3 号机蓝屏，已换机", now=clock.moment)
    session.commit()
    mine = enter(luo)
    at = f"/oversight/live/{world.sitting.id}"
    assert world.sitting.name in mine.get("/oversight/live").get_data(as_text=True)
    assert mine.get(at).status_code == 200
    answer = mine.get(f"{at}/state")
    told = answer.get_json()
    room, = told["rooms"]
    chen = next(seat for seat in room["seats"] if seat["name"] == "陈晓")
    assert (chen["told"], chen["answered"], set(chen)) == ("答题中", 0, set(live.SEAT))
    assert room["counts"]["started"] == 1
    assert room["incidents"][0]["text"] == "3 号机蓝屏，已换机"
    assert (told["ends"] - told["starts"]) == 90 * 60_000
    said = json.dumps(told, ensure_ascii=False) + mine.get(at).get_data(as_text=True)
    for version in (item.version for item in world.paper.items):
        assert version.stem not in said
    for word in ("layout", "address", "127.0.0.1", '"answer"', '"key"', "seed"):
        assert word not in said, word
    assert mine.get(f"{at}/state", headers={"If-None-Match": answer.headers["ETag"]}).status_code == 304
    assert enter(tan).get(f"{at}/state").status_code == 200
    for who in (liu, far):  # a supervisor who was not sent, another city
        client = enter(who)
        assert world.sitting.name not in client.get("/oversight/live").get_data(as_text=True)
        assert {client.get(at).status_code, client.get(f"{at}/state").status_code} == {404}
    assert enter(world.officer).get(at).status_code == 403
    assert mine.get("/oversight/live/99999999999").status_code == 404
    assert mine.post(at).status_code == 405  # there is nothing to write


def test_how_a_sitting_stands_is_said_in_words(world: SittingWorld, session: Session) -> None:
    assert live.standing(world.sitting, MONDAY)[0] == "未发卷"
    world.deal()
    assert live.standing(world.sitting, MONDAY)[0] == "已发卷"
    assert live.standing(world.sitting, MONDAY + timedelta(minutes=11)) == ("到时未开考", "bad")
    world.open(now=MONDAY + timedelta(minutes=5))
    assert live.standing(world.sitting, MONDAY + timedelta(minutes=11))[0] == "考试中"
    assert live.standing(world.sitting, MONDAY + timedelta(hours=3))[0] == "已到时，待收卷"

"""What an invigilator does in a room, and nobody else."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from examroom.delivery import sheets
from examroom.delivery.models import HandIn, TimeEntry
from examroom.delivery.sheets import Event
from examroom.invigilation import rooms
from examroom.invigilation.board import board
from examroom.invigilation.models import Incident, RoomClosing
from examroom.invigilation.todo import todo
from examroom.marking.desk import close_due
from examroom.plans.models import SittingState
from qbank.kernel.access import Role
from qbank.kernel.audit import verify
from qbank.kernel.identity import IdentityCipher
from qbank.kernel.refused import Refused
from qbank.kernel.settings import Settings
from tests.conftest import People, TestClock
from tests.sitting_world import SittingWorld

MINUTE = timedelta(minutes=1)
JSON = {"Accept": "application/json"}


@pytest.fixture
def world(session: Session, people: People, settings: Settings, clock: TestClock) -> SittingWorld:
    return SittingWorld(session, people, IdentityCipher(settings.identity_key)).make(clock())


def refusal(code: str) -> Any:
    return pytest.raises(Refused, match=rf"^{code}:")


def test_li_opens_the_room_half_an_hour_before_and_not_earlier(session: Session, world: SittingWorld) -> None:
    begin = world.sitting.starts_at
    with refusal("not_dealt"):
        rooms.open_room(session, world.room, world.invigilator, now=begin)
    world.deal()
    with refusal("too_soon"):
        rooms.open_room(session, world.room, world.invigilator, now=begin - 30 * MINUTE - timedelta(seconds=1))
    with refusal("not_your_room"):
        rooms.open_room(session, world.room, world.officer, now=begin)
    rooms.open_room(session, world.room, world.invigilator, now=begin - 30 * MINUTE)
    rooms.open_room(session, world.room, world.second, now=begin)  # again: nothing changes
    assert (world.room.opened_at, world.room.opened_by) == (begin - 30 * MINUTE, world.invigilator.account_id)


def test_a_room_does_not_open_after_its_end(session: Session, world: SittingWorld) -> None:
    world.deal()
    with refusal("sitting_over"):
        rooms.open_room(session, world.room, world.invigilator, now=world.sitting.ends_at)


def test_time_for_the_whole_room_leaves_out_who_has_handed_in(session: Session, world: SittingWorld) -> None:
    world.running()
    for name in ("陈晓", "刘洋"):
        world.start(name)
    rooms.force_hand_in(session, world.sheet("刘洋"), world.invigilator, "身体不适", now=world.begin + MINUTE)
    rooms.grant_time(session, world.sheet("陈晓"), 120, "键盘损坏", world.invigilator, now=world.begin + MINUTE)
    assert rooms.grant_room(session, world.room, 300, "全场停电", world.second, now=world.begin + 2 * MINUTE) == 2
    assert [sheets.granted_seconds(world.sheet(name)) for name in ("陈晓", "刘洋", "周婷")] == [420, 0, 300]
    assert {entry.reason for entry in session.scalars(sa.select(TimeEntry))} == {"键盘损坏", "全场停电"}


@pytest.mark.parametrize(("seconds", "reason", "code"), [
    (300, "  ", "reason_missing"), (0, "停电", "seconds"), (5 * 3600, "停电", "seconds"), (-60, "更正", "below_base")])
def test_time_needs_a_reason_and_never_goes_below_the_rule(session: Session, world: SittingWorld, seconds: int, reason: str,
                                                         code: str) -> None:
    world.running()
    with refusal(code):
        rooms.grant_time(session, world.sheet("陈晓"), seconds, reason, world.invigilator, now=world.begin)


def test_a_correction_does_not_end_an_exam_in_the_past(session: Session, world: SittingWorld) -> None:
    sheet = world.running().start("陈晓")
    rooms.grant_time(session, sheet, 600, "停电", world.invigilator, now=world.begin)
    with refusal("already_over"):
        rooms.grant_time(session, sheet, -600, "更正", world.invigilator, now=world.sitting.ends_at)


def test_a_forced_hand_in_needs_a_reason_and_is_on_record(session: Session, world: SittingWorld) -> None:
    sheet = world.running().start("陈晓")
    sheets.save(session, sheet, [Event(1, 1, "B")], now=world.begin)
    with refusal("reason_missing"):
        rooms.force_hand_in(session, sheet, world.invigilator, "", now=world.begin)
    rooms.force_hand_in(session, sheet, world.invigilator, "突发疾病送医", now=world.begin + MINUTE)
    assert sheet.handed_in_how is HandIn.FORCED
    assert "突发疾病送医" in session.scalars(sa.select(Incident)).one().text
    with refusal("not_answering"):
        rooms.force_hand_in(session, world.sheet("刘洋"), world.invigilator, "缺席", now=world.begin + MINUTE)
    with refusal("handed_in"):
        rooms.grant_time(session, sheet, 60, "停电", world.invigilator, now=world.begin + MINUTE)


def test_only_a_violation_of_a_named_candidate_voids_a_score(session: Session, world: SittingWorld) -> None:
    sheet = world.running().start("陈晓")

    def note(**changed: Any) -> Incident:
        given: dict[str, Any] = {"kind": "违纪", "text": "使用手机", "sheet": sheet, "voids_theory": True} | changed
        return rooms.record_incident(session, world.room, world.invigilator, now=world.begin, **given)

    for changed, code in (({"kind": "其他"}, "incident_kind"), ({"text": " "}, "text_missing"),
                          ({"sheet": None}, "void_needs_violation"), ({"kind": "一般情况"}, "void_needs_violation")):
        with refusal(code):
            note(**changed)
    assert note().voids_theory


def test_a_room_closes_when_everybody_is_in_and_counts_the_absent(session: Session, world: SittingWorld) -> None:
    world.running()
    world.start("陈晓")
    later = world.begin + 31 * MINUTE  # nobody may come in any more
    with refusal("still_answering"):
        rooms.close_room(session, world.room, "", world.invigilator, now=later)
    sheets.hand_in(session, world.sheet("陈晓"), HandIn.CANDIDATE, now=later)
    session.commit()
    closing = rooms.close_room(session, world.room, "一切正常", world.invigilator, now=later)
    assert (closing.present, closing.absent, len(closing.audit_head)) == (1, 2, 64)
    assert world.sheet("周婷").handed_in_how is HandIn.ABSENT
    with refusal("closed"):
        rooms.close_room(session, world.room, "", world.invigilator, now=later)


def test_an_opened_room_stays_on_the_work_list_until_it_is_closed(session: Session, world: SittingWorld) -> None:
    def listed(now: datetime) -> list[str]:
        return [one.title.split("：")[0] for one in todo(session, world.invigilator, now=now)]

    world.running()
    assert listed(world.begin) == ["监考"]
    after = world.sitting.ends_at + 2 * MINUTE
    close_due(session, after)  # marked before the invigilators come to it
    assert world.sitting.state is SittingState.MARKED
    assert listed(after) == ["关闭考场并打印情况记录单"]
    assert {seat["told"] for seat in board(session, world.room, now=after)["seats"]} == {"缺考"}
    rooms.close_room(session, world.room, "", world.invigilator, now=after)
    assert listed(after) == []


def test_the_board_shows_progress_and_who_was_lost_but_no_answers(session: Session, world: SittingWorld) -> None:
    world.running()
    sheet = world.start("陈晓")
    world.start("刘洋")
    sheets.save(session, sheet, [Event(1, 1, "B"), Event(2, 5, "AC"), Event(3, 1, "")], now=world.begin)
    rooms.grant_time(session, sheet, 300, "停电", world.invigilator, now=world.begin)
    found = board(session, world.room, now=world.begin + timedelta(seconds=10))
    chen, liu, zhou = found["seats"]
    assert (chen["name"], chen["answered"], chen["of"], chen["seen"], chen["lost"], chen["extra"]) == ("陈晓", 1, 8, 10, False, 300)
    assert (liu["lost"], zhou["state"], zhou["lost"]) == (True, "dealt", False)
    assert found["counts"] == {"dealt": 1, "started": 2, "handed_in": 0}
    assert not {"answer", "answers", "layout", "half_points"} & set(chen)
    later = board(session, world.room, now=world.begin + timedelta(seconds=30))
    assert later["seats"][0]["lost"]


def test_li_does_everything_on_the_page(session: Session, world: SittingWorld, enter: Any, clock: TestClock) -> None:
    world.deal()
    session.commit()
    sheet_id, address = world.sheet_id("陈晓"), f"/invigilation/rooms/{world.room.id}"
    client = enter(world.invigilator)
    assert client.post(f"{address}/open").status_code == 409  # 60 minutes before
    clock.forward(minutes=29)
    assert client.get("/").status_code == 200
    clock.forward(minutes=15)
    assert client.post(f"{address}/open").status_code == 302
    session.expire_all()
    sheets.start(session, world.sheet("陈晓"), now=world.sitting.starts_at)
    session.commit()
    clock.forward(minutes=17)
    assert client.post(f"{address}/time", data={"sheet_id": sheet_id, "minutes": "5", "reason": "断电"}).status_code == 302
    assert client.post(f"{address}/time", data={"sheet_id": "", "minutes": "5", "reason": "断电"}).status_code == 302
    assert client.post(f"{address}/incidents", data={"kind": "设备故障", "text": "断电 5 分钟"}).status_code == 302
    assert client.post(f"{address}/hand-in", data={"sheet_id": sheet_id, "reason": "生病"}).status_code == 302
    page = client.get(address).get_data(as_text=True)
    record = client.get(f"{address}/record").get_data(as_text=True)
    for text in ("断电 5 分钟", "强制收卷：生病"):
        assert text in page
        assert text in record
    assert "+5 分钟（断电）；+5 分钟（断电）" in record
    assert client.get("/invigilation/").status_code == 200
    assert client.get(f"{address}/board", headers=JSON).json["counts"]["handed_in"] == 1
    clock.forward(minutes=29)
    assert client.get("/").status_code == 200
    clock.forward(minutes=3)
    assert client.post(f"{address}/close", data={"remark": "正常"}).status_code == 302
    assert session.scalars(sa.select(RoomClosing)).one().remark == "正常"
    assert verify(session) == []


@pytest.mark.parametrize(("path", "data"), [
    ("time", {}), ("time", {"sheet_id": "x", "minutes": "5", "reason": "r"}), ("time", {"minutes": "9" * 30, "reason": "r"}),
    ("hand-in", {}), ("hand-in", {"sheet_id": "1e9", "reason": "r"}), ("incidents", {}), ("incidents", {"kind": "违纪"}),
    ("incidents", {"kind": "违纪", "text": "t", "voids_theory": "yes"}), ("close", {})])
def test_garbage_gets_a_sentence(session: Session, world: SittingWorld, enter: Any, path: str, data: dict[str, str]) -> None:
    session.commit()
    answer = enter(world.invigilator).post(f"/invigilation/rooms/{world.room.id}/{path}", data=data)
    assert answer.status_code == 409


def test_nobody_else_finds_the_room_and_the_officer_only_looks(session: Session, world: SittingWorld, enter: Any,
                                                             people: People) -> None:
    world.running()
    elsewhere = people("邻室监考", Role.INVIGILATOR)
    stranger = people("外校考务", Role.EXAM_OFFICER, school=people.school("外校"))
    sheet_id = world.sheet_id("陈晓")
    address = f"/invigilation/rooms/{world.room.id}"
    posts = ("open", "time", "hand-in", "incidents", "pages/1/admit", "close")
    for viewer in (elsewhere, stranger):
        client = enter(viewer)
        for path in ("", "/board", "/record"):
            assert client.get(address + path).status_code == 404
        for path in posts:
            assert client.post(f"{address}/{path}", data={"sheet_id": sheet_id}).status_code in {403, 404}
        assert "机房一" not in client.get("/invigilation/").get_data(as_text=True)
    officer = enter(world.officer)
    for path in ("", "/board", "/record"):
        assert officer.get(address + path).status_code == 200
    assert all(officer.post(f"{address}/{path}").status_code == 403 for path in posts)


def test_a_sheet_of_another_room_is_not_found_in_this_one(session: Session, world: SittingWorld, enter: Any) -> None:
    world.running()
    other = world.add_sitting("理论第二场", world.begin + timedelta(hours=4), 90, world.enrolments)
    session.commit()
    answer = enter(world.invigilator).post(f"/invigilation/rooms/{other.rooms[0].id}/time",
                                           data={"sheet_id": world.sheet_id("陈晓"), "minutes": "5", "reason": "断电"})
    assert answer.status_code == 404

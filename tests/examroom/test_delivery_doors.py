"""The candidate's doors: signing in, waiting, the protocol, and what never leaves the server."""

from __future__ import annotations

import gzip
import hashlib
import html
import io
import json
from datetime import datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient
from PIL import Image
from sqlalchemy.orm import Session

from examroom.delivery import dealing, sheets
from examroom.delivery.models import (
    Answer,
    AnswerEvent,
    ExamPage,
    HandIn,
    Interruption,
    PageState,
    Presence,
    Sheet,
    SheetBody,
    SheetState,
)
from examroom.invigilation import acts
from examroom.plans.models import RoomInvigilator
from qbank.items.models import Stimulus
from qbank.items.pictures import keep
from qbank.kernel.access import Role
from qbank.kernel.identity import IdentityCipher
from qbank.kernel.settings import Settings
from tests.conftest import People, TestClock
from tests.paper_world import open_paper, seal_paper
from tests.sitting_world import SittingWorld

JSON = {"Accept": "application/json"}
SECRETS = ("解析", "保密", '"key"', "canonical", "half_points", "earned", "explanation", "difficulty")


def hall_state(client: FlaskClient) -> dict[str, Any]:
    return dict(client.get("/exam/hall/state", headers=JSON).json or {})


class Page:
    """What the exam page does, without a browser."""

    def __init__(self, client: FlaskClient, sheet_id: int, machine: str = "pc-1") -> None:
        self.client, self.base, self.machine, self.headers = client, f"/exam/sheets/{sheet_id}", machine, dict(JSON)

    def open(self) -> dict[str, Any]:
        answer = self.post("open", {"machine": self.machine})
        assert answer.status_code == 200, answer.get_data(as_text=True)
        body = dict(answer.json or {})
        self.headers["X-Page-Token"] = body["token"]
        return body

    def post(self, path: str, body: Any) -> Any:
        return self.client.post(f"{self.base}/{path}", json=body, headers=self.headers)

    def get(self, path: str) -> Any:
        return self.client.get(f"{self.base}/{path}", headers=self.headers)

    def send(self, *events: tuple[int, int, str, bool]) -> Any:
        names = ("sequence", "number", "answer", "flagged")
        return self.post("events", {"events": [dict(zip(names, event, strict=True)) for event in events]})


def stay(client: FlaskClient, clock: TestClock, moment: datetime) -> None:
    """Time passes while the page keeps asking, so that nobody is signed out for being idle."""
    while clock.moment < moment:
        clock.moment = min(moment, clock.moment + timedelta(minutes=20))
        assert client.get("/exam/hall/state", headers=JSON).status_code == 200


@pytest.fixture
def world(session: Session, people: People, settings: Settings, clock: TestClock) -> SittingWorld:
    return SittingWorld(session, people, IdentityCipher(settings.identity_key)).make(clock())


@pytest.fixture
def running(world: SittingWorld, session: Session, clock: TestClock) -> SittingWorld:
    world.running()
    session.commit()
    clock.moment = world.begin
    return world


def page_of(world: SittingWorld, app: Flask, name: str, machine: str = "pc-1") -> Page:
    page = Page(world.enter(app, name), world.sheet_id(name), machine)
    page.open()
    return page


def test_chen_signs_in_with_ticket_and_identity_number_and_waits(app: Flask, session: Session, world: SittingWorld) -> None:
    world.deal()
    session.commit()
    client = world.enter(app, "陈晓")
    hall = client.get("/exam/hall").get_data(as_text=True)
    for text in ("陈晓", "43010000010001"[:4], world.enrolment("陈晓").ticket_number, "机房一", "2026年6月1日 10:00", "90"):
        assert text in hall
    assert world.numbers["陈晓"] not in hall  # masked
    state = hall_state(client)
    assert (state["phase"], state["seconds_until_start"], state["enter"]) == ("before", 3600, None)
    assert client.get("/").status_code == 200


@pytest.mark.parametrize(("ticket", "number"), [("", ""), ("43012600010001", ""), ("43012600010001", "1" * 18),
                                                ("nobody", "43010220050101001X"), ("4" * 500, "x" * 500)])
def test_a_wrong_number_is_told_and_counted(app: Flask, session: Session, world: SittingWorld, ticket: str,
                                           number: str) -> None:
    session.commit()
    client = app.test_client()
    for _ in range(5):
        answer = client.post("/exam", data={"ticket": ticket, "identity_number": number})
        assert answer.status_code == 200
        assert "不正确" in answer.get_data(as_text=True)
    assert "锁定" in client.post("/exam", data={"ticket": ticket, "identity_number": number}).get_data(as_text=True)
    assert client.get("/exam/hall").headers["Location"].startswith("/exam?next=")


def test_full_width_and_small_x_are_understood(app: Flask, session: Session, world: SittingWorld) -> None:
    session.commit()
    number = world.numbers["陈晓"]
    typed = "".join(chr(ord(letter) + 0xFEE0) for letter in number.lower())
    ticket = world.enrolment("陈晓").ticket_number
    wide = "".join(chr(ord(digit) + 0xFEE0) for digit in ticket)
    for one in (ticket, wide, f" {ticket[:6]} {ticket[6:]} "):
        assert app.test_client().post("/exam", data={"ticket": one, "identity_number": typed}).status_code == 302


def test_signing_in_leads_only_into_the_exam(app: Flask, session: Session, world: SittingWorld) -> None:
    session.commit()
    for target in ("//evil.example", "https://evil.example", "/accounts/"):
        answer = app.test_client().post("/exam", data={"ticket": world.enrolment("陈晓").ticket_number, "next": target,
                                                       "identity_number": world.numbers["陈晓"]})
        assert answer.headers["Location"] == "/exam/hall"


def test_the_waiting_page_follows_a_moved_start_and_opens_nothing_early(app: Flask, session: Session, world: SittingWorld,
                                                                      clock: TestClock) -> None:
    world.running()
    session.commit()
    client, sheet_id = world.enter(app, "陈晓"), world.sheet_id("陈晓")
    dealing.postpone(session, world.sitting, world.begin + timedelta(minutes=30), world.officer, now=clock())
    session.commit()
    state = hall_state(client)
    assert (state["starts_at"], state["seconds_until_start"]) == ("2026年6月1日 10:30", 5400)
    stay(client, clock, world.begin + timedelta(minutes=29, seconds=59))
    assert hall_state(client)["enter"] is None
    assert client.get(f"/exam/sheets/{sheet_id}").headers["Location"] == "/exam/hall"
    refused = client.post(f"/exam/sheets/{sheet_id}/open", json={}, headers=JSON)
    assert refused.status_code == 409
    assert "start_before" in refused.get_data(as_text=True)
    clock.forward(seconds=1)
    assert hall_state(client)["enter"] == f"/exam/sheets/{sheet_id}"


def test_the_shell_carries_no_item_text_and_the_state_no_key(app: Flask, running: SittingWorld) -> None:
    page = page_of(running, app, "陈晓")
    shell = page.client.get(page.base)
    assert "下列说法" not in shell.get_data(as_text=True)
    for path in ("state", "pulse"):
        answer = page.get(path)
        assert answer.headers["Cache-Control"] == "no-store"
        text = answer.get_data(as_text=True)
        assert not [word for word in SECRETS if word in text]
    state = page.get("state").json
    assert len(state["questions"]) == 8
    assert set(state["questions"][0]) == {"kind", "stem", "options", "material"}
    assert [part["first"] for part in state["parts"]] == [1, 5, 7]
    assert (state["remaining_seconds"], state["acknowledged"], state["answers"]) == (5400, 0, {})
    sent = page.send((1, 1, "A", False))
    assert not [word for word in SECRETS if word in sent.get_data(as_text=True)]


def test_the_page_gets_formulas_and_tables_ready_to_be_shown_and_pictures_apart(app: Flask, session: Session, world: SittingWorld,
                                                                             clock: TestClock) -> None:
    paper = world.sealed_paper("带图卷", sealed=False)
    stream = io.BytesIO()
    Image.new("RGB", (4, 3)).save(stream, "PNG")
    content = stream.getvalue()
    other = content + b"\0"
    sha256 = next(iter(keep(session, paper.institution_id, [content], world.officer, now=clock())))
    first, second, third = (item.version for item in paper.items[:3])
    material = Stimulus(institution_id=paper.institution_id, table_id=first.item.table_id, text="| 项 | 值 |\n|---|---|\n| U | $x^2$ |",
                        author_id=first.author_id, created_at=clock())
    first.stem, first.stimulus, second.stimulus = f"如图 ![电路](media:{sha256})，<b>$U=IR$", material, material
    third.options[0].text, third.explanation, third.guide = "$\\frac{1}{2}$", "解析不能看", "2|评分标准不能看"
    session.flush()
    world.sitting.papers = [open_paper(session, seal_paper(session, paper, world.officer, now=clock()), world.people, now=clock())]
    world.running()
    session.commit()
    waiting = world.enter(app, "陈晓")
    clock.moment = world.begin
    assert waiting.get(f"/exam/media/{sha256}").status_code == 404  # not before the start
    page = page_of(world, app, "陈晓")
    answer = page.get("state")
    state, text = answer.json, answer.get_data(as_text=True)
    by_stem = {question["stem"]: question for question in state["questions"]}
    shown = next(stem for stem in by_stem if "如图" in stem)
    assert f'<img class="picture" src="/exam/media/{sha256}" alt="电路">，&lt;b&gt;<math' in shown
    assert len(state["materials"]) == 1
    assert "<th>项</th>" in state["materials"][0]
    assert by_stem[shown]["material"] == 0
    assert by_stem[html.escape(second.stem)]["material"] == 0
    assert any("<mfrac>" in option for question in state["questions"] for option in question["options"])
    assert "不能看" not in text
    assert "全部选对得满分" in state["parts"][1]["policy"]
    picture = page.client.get(f"/exam/media/{sha256}")
    assert (picture.data, picture.mimetype) == (content, "image/png")
    assert picture.headers["Cache-Control"] == "private, max-age=31536000, immutable"
    for unknown in (hashlib.sha256(other).hexdigest(), "x", "x" * 64):
        assert page.client.get(f"/exam/media/{unknown}").status_code == 404
    assert world.enter(app, "刘洋").get(f"/exam/media/{sha256}").status_code == 404  # has not started
    assert app.test_client().get(f"/exam/media/{sha256}").status_code == 404


def test_the_state_is_sent_as_it_was_compressed_when_dealt(app: Flask, running: SittingWorld) -> None:
    page = page_of(running, app, "陈晓")
    page.send((1, 1, "A", False))
    plain = page.get("state")
    answer = page.client.get(f"{page.base}/state", headers=page.headers | {"Accept-Encoding": "gzip, deflate, br"})
    assert answer.headers["Content-Encoding"] == "gzip"
    unpacked = json.loads(gzip.decompress(answer.data))
    assert unpacked == plain.json
    assert [part["title"] for part in unpacked["parts"]] == ["单选题", "多选题", "判断题"]


def test_the_shuffle_is_undone_at_the_first_touch(app: Flask, session: Session, running: SittingWorld) -> None:
    page = page_of(running, app, "陈晓")
    assert page.send((1, 1, "C", False), (2, 6, "BA", True)).json["acknowledged"] == 2
    layout = running.sheet("陈晓").layout
    held = {answer.number: answer.answer for answer in session.scalars(sa.select(Answer))}
    assert held == {layout[0]["number"]: layout[0]["options"][2],
                    layout[5]["number"]: "".join(sorted(layout[5]["options"][:2]))}
    assert page.get("state").json["answers"] == {
        "1": {"answer": "C", "flagged": False, "sequence": 1}, "6": {"answer": "AB", "flagged": True, "sequence": 2}}


def test_replays_older_revisions_and_unknown_things(app: Flask, session: Session, running: SittingWorld) -> None:
    page = page_of(running, app, "陈晓")
    for _ in range(2):
        answer = page.send((1, 1, "A", False), (2, 1, "B", False))
        assert (answer.status_code, answer.json["acknowledged"], answer.json["refused"]) == (200, 2, [])
    assert session.scalar(sa.select(sa.func.count()).select_from(AnswerEvent)) == 2
    session.commit()
    answer = page.send((9, 2, "C", False))
    assert answer.json["acknowledged"] == 9
    answer = page.send((5, 2, "A", False), (10, 99, "A", False), (11, 1, "J", False), (12, 3, "D", False))
    assert {one["sequence"]: one["code"] for one in answer.json["refused"]} == {5: "older", 10: "unknown", 11: "unknown"}
    assert page.get("state").json["answers"]["2"]["answer"] == "C"


@pytest.mark.parametrize("body", [
    None, [], {}, {"events": None}, {"events": {}}, {"events": [1]}, {"events": [{}]}, {"events": [None]},
    {"events": [{"sequence": "1", "number": 1, "answer": "A", "flagged": False}]},
    {"events": [{"sequence": True, "number": 1, "answer": "A", "flagged": False}]},
    {"events": [{"sequence": 1.5, "number": 1, "answer": "A", "flagged": False}]},
    {"events": [{"sequence": 10**30, "number": 1, "answer": "A", "flagged": False}]},
    {"events": [{"sequence": -1, "number": 1, "answer": "A", "flagged": False}]},
    {"events": [{"sequence": 1, "number": 1, "answer": None, "flagged": False}]},
    {"events": [{"sequence": 1, "number": 1, "answer": "A", "flagged": 0}]},
    {"events": [{"sequence": 1, "number": 1, "answer": "A", "flagged": False}] * 501},
])
def test_garbage_is_a_400_and_writes_nothing(app: Flask, session: Session, running: SittingWorld, body: Any) -> None:
    page = page_of(running, app, "陈晓")
    assert page.post("events", body).status_code == 400
    assert session.scalar(sa.select(sa.func.count()).select_from(AnswerEvent)) == 0
    session.commit()
    assert page.client.post(f"{page.base}/events", data=b"\xff{", headers=page.headers).status_code == 400


def test_huge_numbers_and_long_answers_are_refused_by_name(app: Flask, running: SittingWorld) -> None:
    page = page_of(running, app, "陈晓")
    answer = page.send((1, 10**30, "A", False), (2, -1, "A", False), (3, 1, "A" * 10_000, False), (4, 1, "题", False))
    assert [one["code"] for one in answer.json["refused"]] == ["unknown"] * 4


def test_an_answer_one_second_before_the_end_is_kept_and_one_after_the_grace_is_not(app: Flask, session: Session,
                                                                                  running: SittingWorld,
                                                                                  clock: TestClock) -> None:
    page = page_of(running, app, "陈晓")
    stay(page.client, clock, running.begin + timedelta(minutes=90) - timedelta(seconds=1))
    assert page.send((1, 1, "A", False)).json["remaining_seconds"] == 1
    clock.forward(seconds=31)  # the end and 30 s of grace
    answer = page.send((2, 2, "B", False)).json
    assert (answer["refused"], answer["state"], answer["phase"]) == ([], "started", "grace")
    clock.forward(seconds=1)
    answer = page.send((3, 3, "C", False)).json
    assert [one["code"] for one in answer["refused"]] == ["over"]
    assert (answer["state"], answer["receipt"]["how"], answer["receipt"]["answered"]) == ("handed_in", "到时自动交卷", 2)
    session.expire_all()
    sheet = running.sheet("陈晓")
    assert (sheet.state, sheet.handed_in_how) == (SheetState.HANDED_IN, HandIn.DEADLINE)
    assert len(sheets.answers(session, sheet)) == 2


def test_time_granted_while_the_page_counts_down_is_not_lost_to_its_own_zero(app: Flask, session: Session,
                                                                           running: SittingWorld, clock: TestClock) -> None:
    page = page_of(running, app, "陈晓")
    acts.grant_time(session, running.sheet("陈晓"), 300, "电脑重启", running.invigilator, now=clock())
    session.commit()
    pulse = page.get("pulse").json
    assert (pulse["granted_seconds"], pulse["remaining_seconds"]) == (300, 5700)
    assert "电脑重启" in pulse["message"]
    stay(page.client, clock, running.begin + timedelta(minutes=90))
    answer = page.post("hand-in", {"because": "time"}).json
    assert (answer["state"], answer["remaining_seconds"]) == ("started", 300)
    clock.forward(minutes=5)
    assert page.post("hand-in", {"because": "time"}).json["receipt"]["how"] == "到时自动交卷"


def test_handing_in_gives_a_receipt_and_locks_the_sheet(app: Flask, running: SittingWorld, clock: TestClock) -> None:
    page = page_of(running, app, "陈晓")
    page.send((1, 1, "A", False), (2, 2, "B", False))
    early = page.post("hand-in", {"because": "candidate"})
    assert (early.status_code, early.json["code"]) == (409, "too_early")
    stay(page.client, clock, running.begin + timedelta(minutes=30))
    receipt = page.post("hand-in", {"because": "candidate"}).json["receipt"]
    assert (receipt["answered"], receipt["of"], receipt["how"], len(receipt["code"])) == (2, 8, "考生交卷", 12)
    assert page.send((3, 3, "A", False)).json["refused"][0]["code"] == "over"
    state = page.get("state").json
    assert "questions" not in state
    assert state["receipt"] == receipt
    again = page.open()  # a reload shows the receipt, not the questions
    assert (again["token"], again["page"], again["receipt"]) == ("", "ended", receipt)
    assert page.client.get(page.base).status_code == 200


def test_who_is_done_is_told_how_and_waits_for_nothing(app: Flask, session: Session, running: SittingWorld,
                                                       clock: TestClock) -> None:
    page = page_of(running, app, "陈晓")
    client = page.client
    stay(client, clock, running.sitting.ends_at)
    page.post("hand-in", {"because": "time"})
    hall = client.get("/exam/hall").get_data(as_text=True)
    assert all(text in hall for text in ("您已交卷", "查看交卷回执", "退出登录"))
    assert not any(text in hall for text in ("考试须知", "请核对您的信息", "data-hall="))
    assert hall_state(client)["done"] is True
    clock.forward(minutes=5)
    absent = running.enter(app, "刘洋")
    sheets.touch(session, session.get_one(Sheet, running.sheet_id("刘洋")), now=clock())
    session.commit()
    hall = absent.get("/exam/hall").get_data(as_text=True)
    assert "按缺考处理" in hall
    assert "已交卷" not in hall


def test_a_second_computer_waits_and_then_the_first_is_read_only(app: Flask, session: Session, running: SittingWorld) -> None:
    first = page_of(running, app, "陈晓", "pc-1")
    first.send((1, 1, "A", False))
    second = Page(running.enter(app, "陈晓"), running.sheet_id("陈晓"), "pc-2")
    assert second.open()["page"] == "waiting"
    assert second.get("state").status_code == 409
    assert second.send((2, 1, "B", False)).json["code"] == "waiting"
    assert first.send((2, 2, "C", False)).status_code == 200
    waiting = session.scalars(sa.select(ExamPage.id).where(ExamPage.state == PageState.WAITING)).one()
    session.commit()
    invigilator = app.test_client()
    invigilator.post("/accounts/sign-in", data={"login": running.invigilator.login, "password": "correct-horse"})
    assert invigilator.post(f"/invigilation/rooms/{running.room.id}/pages/{waiting}/admit").status_code == 302
    assert second.get("pulse").json["page"] == "live"
    assert second.get("state").json["acknowledged"] == 2
    refused = first.send((3, 1, "D", False))
    assert (refused.status_code, refused.json["code"]) == (409, "superseded")
    assert first.get("pulse").json["page"] == "ended"
    assert second.send((3, 1, "B", False)).json["acknowledged"] == 3


TOKEN_PATHS = (("get", "/state"), ("get", "/pulse"), ("post", "/events"), ("post", "/hand-in"))


def test_another_candidates_sheet_is_not_there(app: Flask, session: Session, people: People, running: SittingWorld,
                                             enter: Any, clock: TestClock) -> None:
    liu, sheet_id = running.enter(app, "刘洋"), running.sheet_id("陈晓")
    both = people("监考又是考生", Role.INVIGILATOR, Role.CANDIDATE)
    session.add(RoomInvigilator(sitting_room_id=running.room.id, account_id=both.account_id))
    session.commit()
    watcher = enter(both)  # may see the sheet as an invigilator; it is still not theirs to sit
    for client in (liu, watcher):
        for key in (sheet_id, 999999):
            assert client.get(f"/exam/sheets/{key}", headers=JSON).status_code == 404
            assert client.post(f"/exam/sheets/{key}/open", json={}, headers=JSON).status_code == 404
            for method, path in TOKEN_PATHS:
                body = {"json": {"events": [], "because": "candidate"}} if method == "post" else {}
                assert getattr(client, method)(f"/exam/sheets/{key}{path}", headers=JSON, **body).status_code == 401
    session.expire_all()
    assert running.sheet("陈晓").state is SheetState.DEALT


def test_another_candidates_token_opens_nothing(app: Flask, running: SittingWorld) -> None:
    chen, liu = page_of(running, app, "陈晓", "pc-1"), page_of(running, app, "刘洋", "pc-2")
    own = liu.headers["X-Page-Token"]
    changed = own[:-5] + ("B" if own[-5] == "A" else "A") + own[-4:]  # the last letter of base64 has bits that say nothing
    for token in (chen.headers["X-Page-Token"], changed, own.replace(".", "-"), "", "1.2.3.4.x", "9" * 500):
        liu.headers["X-Page-Token"] = token
        assert liu.send((1, 1, "A", False)).json["code"] == "bad_token"
        assert liu.get("state").status_code == 401
    liu.headers["X-Page-Token"] = own
    assert liu.send((1, 1, "A", False)).json["acknowledged"] == 1


def test_staff_cannot_enter_the_exam_and_candidates_cannot_enter_the_desks(app: Flask, running: SittingWorld, enter: Any) -> None:
    sheet_id, sitting_id, room_id = running.sheet_id("陈晓"), running.sitting.id, running.room.id
    for viewer in (running.officer, running.invigilator, running.author):
        client = enter(viewer)
        assert client.get(f"/exam/sheets/{sheet_id}", headers=JSON).status_code == 403
        assert client.post(f"/exam/sheets/{sheet_id}/open", json={}, headers=JSON).status_code == 404
        for method, path in TOKEN_PATHS:
            assert getattr(client, method)(f"/exam/sheets/{sheet_id}{path}", headers=JSON).status_code == 401
    chen = running.enter(app, "陈晓")
    for address in ("/delivery/", f"/delivery/sittings/{sitting_id}", f"/invigilation/rooms/{room_id}", "/marking/",
                    f"/invigilation/rooms/{room_id}/board", f"/marking/sittings/{sitting_id}", f"/marking/sheets/{sheet_id}"):
        assert chen.get(address).status_code == 403


def test_an_expired_sign_in_does_not_stop_an_exam(app: Flask, running: SittingWorld, clock: TestClock) -> None:
    page = page_of(running, app, "陈晓")
    clock.forward(minutes=31)
    assert page.send((1, 1, "A", False)).json["acknowledged"] == 1
    assert len(page.get("state").json["questions"]) == 8
    answer = page.post("open", {"machine": "pc-1"})  # after a reload the person signs in again
    assert (answer.status_code, answer.json["code"]) == (401, "signed_out")
    page.client.post("/exam", data={"ticket": running.enrolment("陈晓").ticket_number, "identity_number": running.numbers["陈晓"]})
    assert page.open()["page"] == "live"
    assert page.send((2, 1, "B", False)).json["acknowledged"] == 2


def test_who_leaves_writes_no_more_and_goes_on_after_signing_in_again(app: Flask, running: SittingWorld) -> None:
    page = page_of(running, app, "陈晓")
    assert page.client.post("/exam/leave").status_code == 302
    answer = page.send((1, 1, "A", False))
    assert (answer.status_code, answer.json["code"]) == (401, "signed_out")
    page.client = running.enter(app, "陈晓")
    assert page.open()["page"] == "live"
    assert page.send((1, 1, "A", False)).json["acknowledged"] == 1


def test_a_new_password_or_a_disabled_account_stops_the_page_in_the_write(app: Flask, session: Session, running: SittingWorld) -> None:
    page = page_of(running, app, "陈晓")
    account = running.enrolment("陈晓").candidate
    account.generation += 1
    session.commit()
    answer = page.send((1, 1, "A", False))
    assert (answer.status_code, answer.json["code"]) == (401, "signed_out")
    assert session.scalar(sa.select(sa.func.count()).select_from(AnswerEvent)) == 0


def test_only_opening_needs_a_csrf_token_and_a_refused_token_brings_a_new_one(app: Flask, running: SittingWorld) -> None:
    app.config["WTF_CSRF_ENABLED"] = True
    client = app.test_client()
    ticket, number = running.enrolment("陈晓").ticket_number, running.numbers["陈晓"]
    running.session.commit()

    def sign_in() -> None:
        form = client.get("/exam").get_data(as_text=True)
        token = form.split('name="csrf_token" value="')[1].split('"')[0]
        answer = client.post("/exam", data={"csrf_token": token, "ticket": ticket, "identity_number": number})
        assert answer.status_code == 302

    sign_in()
    page = Page(client, running.sheet_id("陈晓"))
    running.session.commit()
    assert page.post("open", {}).status_code == 400
    page.headers["X-CSRFToken"] = page.get("pulse").json["csrf"]  # there is no page token yet: 401
    page.open()
    sign_in()
    assert page.send((1, 1, "A", False)).json["acknowledged"] == 1  # the page token is proof enough
    refused = page.post("open", {}).json
    assert refused["code"] == "csrf"
    page.headers["X-CSRFToken"] = refused["csrf"]
    assert page.open()["page"] == "live"


def test_a_page_that_knows_more_than_this_copy_of_the_database_is_told_before_anything_is_written(
        app: Flask, session: Session, running: SittingWorld) -> None:
    page = page_of(running, app, "陈晓")
    page.send((1, 1, "A", False))
    event = {"sequence": 9, "number": 2, "answer": "B", "flagged": False}
    answer = page.post("events", {"events": [event], "after": 8})
    assert (answer.status_code, answer.json["code"], answer.json["acknowledged"]) == (409, "behind", 1)
    answer = page.post("hand-in", {"because": "candidate", "after": 8})
    assert (answer.status_code, answer.json["code"]) == (409, "behind")
    assert session.scalar(sa.select(sa.func.count()).select_from(AnswerEvent)) == 1
    session.commit()
    assert page.post("events", {"events": [event], "after": 1}).json["acknowledged"] == 9


def test_signs_of_the_page_are_kept_and_a_long_gap_is_measured(app: Flask, session: Session, running: SittingWorld,
                                                              clock: TestClock) -> None:
    page = page_of(running, app, "陈晓")
    ahead = (clock().timestamp() + 95) * 1000
    page.post("events", {"events": [], "signs": {"left": 2, "clock": ahead, "unsent": 3, "full_screen": False, "read": 7}})
    clock.forward(seconds=59)
    page.post("events", {"events": [], "signs": {"left": "x", "clock": None, "unsent": -4, "full_screen": "yes", "read": 10**30}})
    clock.forward(seconds=61)
    page.send((1, 1, "A", False))
    found = session.scalars(sa.select(Presence)).one()
    assert (found.left, found.clock_offset_ms, found.unsent, found.full_screen) == (0, None, 0, None)
    assert (found.address, found.seen_at) == ("127.0.0.1", clock())
    gap = session.scalars(sa.select(Interruption)).one()
    assert (gap.lost_at, gap.back_at) == (clock() - timedelta(seconds=61), clock())


def test_the_officer_deals_and_sees_what_was_dealt(session: Session, world: SittingWorld, enter: Any, people: People) -> None:
    session.commit()
    client = enter(world.officer)
    address = f"/delivery/sittings/{world.sitting.id}"
    assert "理论第一场" in client.get("/delivery/").get_data(as_text=True)
    assert client.post(f"{address}/deal").status_code == 302
    page = client.get(address).get_data(as_text=True)
    session.refresh(world.sitting)
    session.commit()
    assert str(world.sitting.seed) in page
    assert "考务周敏" in page
    assert page.count("430126000100") == 3
    assert client.post(f"{address}/postpone", data={"starts_at": "2026-06-01T10:15"}).status_code == 302
    assert "10:15" in client.get(address).get_data(as_text=True)
    for bad in ("", "x", "2026-06-02T10:00", "2020-01-01T00:00"):
        assert client.post(f"{address}/postpone", data={"starts_at": bad}).status_code == 409


def test_sheets_of_an_earlier_release_are_named_and_dealt_again_by_one_press(session: Session, world: SittingWorld, enter: Any) -> None:
    world.deal()
    session.commit()
    client, address = enter(world.officer), f"/delivery/sittings/{world.sitting.id}"
    assert "升级前的版本" not in client.get(address).get_data(as_text=True) + client.get("/").get_data(as_text=True)
    session.execute(sa.delete(SheetBody))
    session.commit()
    assert "的答卷由升级前的版本发放，请重新发卷" in client.get("/").get_data(as_text=True)
    assert "有 3 份答卷由升级前的版本发放" in client.get(address).get_data(as_text=True)
    assert client.post(f"{address}/deal").status_code == 302
    assert "升级前的版本" not in client.get(address).get_data(as_text=True) + client.get("/").get_data(as_text=True)


def test_another_schools_officer_finds_no_sitting(session: Session, world: SittingWorld, enter: Any, people: People) -> None:
    stranger = people("外校考务", Role.EXAM_OFFICER, school=people.school("外校"))
    session.commit()
    client, address = enter(stranger), f"/delivery/sittings/{world.sitting.id}"
    assert client.get(address).status_code == 404
    assert client.post(f"{address}/deal").status_code == 404
    assert client.post(f"{address}/postpone").status_code == 404
    assert "理论第一场" not in client.get("/delivery/").get_data(as_text=True)


def test_an_unknown_sheet_count_is_nothing_to_a_candidate_without_an_exam(session: Session, people: People, enter: Any) -> None:
    lonely = people("没有考试", Role.CANDIDATE)
    session.commit()
    client = enter(lonely)
    assert "没有您的理论考试" in client.get("/exam/hall").get_data(as_text=True)
    assert hall_state(client) == {"phase": "none"}
    assert session.scalar(sa.select(sa.func.count()).select_from(Sheet)) == 0

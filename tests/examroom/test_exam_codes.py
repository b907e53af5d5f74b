"""Exam codes: made, printed, typed, taken once more after a reissue; and how guessing is slowed down."""

from __future__ import annotations

import hmac
import io
import re
from collections.abc import Callable

import pypdf
import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from examroom.plans import candidates, codes, ticket_print
from qbank.kernel import printing
from qbank.kernel.access import Role, Viewer
from qbank.kernel.identity import IdentityCipher
from qbank.kernel.refused import Refused
from qbank.kernel.settings import Settings
from tests.conftest import People, TestClock
from tests.sitting_world import SittingWorld

KEY = b"k" * 32


@pytest.fixture
def world(session: Session, people: People, clock: TestClock, settings: Settings) -> SittingWorld:
    made = SittingWorld(session, people, IdentityCipher(settings.identity_key)).make(clock())
    session.commit()
    return made


def code_of(world: SittingWorld, settings: Settings, name: str) -> str:
    enrolment = world.enrolment(name)
    return codes.make(settings.code_key, enrolment.id, enrolment.code_issue)


def knock(app: Flask, code: str, address: str = "10.0.0.1") -> tuple[int, str]:
    answer = app.test_client().post("/exam", data={"code": code}, environ_base={"REMOTE_ADDR": address})
    return answer.status_code, answer.get_data(as_text=True)


def test_a_code_has_128_secret_bits_and_names_its_enrolment() -> None:
    code = codes.make(KEY, 7, 1)
    assert re.fullmatch("[0-9A-HJKMNP-TV-Z]{32}", code)
    assert codes.grouped(code).count(" ") == 7
    assert codes.named(code) == 7
    assert codes.SECRET_BYTES * 8 == 128
    assert codes.make(b"j" * 32, 7, 1)[7:] != code[7:]  # 32 bits of enrolment are 6.4 characters
    assert len({codes.make(KEY, one, 1)[7:] for one in range(1000)}) == 1000


@pytest.mark.parametrize("typed", [str.lower, codes.grouped, lambda code: "-".join(codes.grouped(code).split()),
                                   lambda code: code.replace("0", "O").replace("1", "l"), lambda code: f" {code}\n"])
def test_a_code_is_read_as_people_type_it(typed: Callable[[str], str]) -> None:
    for enrolment in range(1, 40):
        assert codes.matches(KEY, typed(codes.make(KEY, enrolment, 1)), enrolment, 1)


@pytest.mark.parametrize("typed", ["", "A" * 31, "A" * 33, "U" * 32, "密" * 32, "0" * 32])
def test_what_is_no_code_matches_nothing(typed: str) -> None:
    assert not codes.matches(KEY, typed, 0, 1)


def test_one_wrong_character_is_enough() -> None:
    code = codes.make(KEY, 7, 1)
    for place, letter in enumerate(code):
        other = "0" if letter != "0" else "1"
        assert not codes.matches(KEY, code[:place] + other + code[place + 1:], 7, 1)


def test_codes_are_compared_in_constant_time(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []

    def compare(one: bytes, other: bytes) -> bool:
        asked.append(len(one))
        return one == other

    monkeypatch.setattr(hmac, "compare_digest", compare)
    assert not codes.matches(KEY, codes.make(KEY, 7, 2), 7, 1)
    assert asked == [20]


def test_chen_signs_in_with_the_code_on_the_ticket(app: Flask, world: SittingWorld, settings: Settings) -> None:
    status, _ = knock(app, codes.grouped(code_of(world, settings, "陈晓")))
    assert status == 302
    client = app.test_client()
    client.post("/exam", data={"code": code_of(world, settings, "陈晓").lower()})
    assert "陈晓" in client.get("/exam/hall").get_data(as_text=True)


def test_the_ticket_shows_the_code_in_groups_and_as_qr_and_to_officers_only(
        world: SittingWorld, session: Session, settings: Settings, enter: Callable[[Viewer], FlaskClient],
        monkeypatch: pytest.MonkeyPatch) -> None:
    code, enrolment = code_of(world, settings, "陈晓"), world.enrolment("陈晓").id
    invigilator, officer = world.invigilator, world.officer
    session.commit()
    drawn: list[str] = []

    def draw(text: str) -> str:
        drawn.append(text)
        return printing.qr_code(text)

    monkeypatch.setattr(ticket_print, "qr_code", draw)
    address = f"/plans/enrolments/{enrolment}/ticket.pdf"
    page = pypdf.PdfReader(io.BytesIO(enter(officer).get(address).data)).pages[0].extract_text()
    assert "".join(codes.grouped(code).split()) in "".join(page.split())
    assert drawn == [code]
    assert enter(invigilator).get(address).status_code in (403, 404)


def test_a_reissue_needs_a_reason_and_voids_the_printed_code(app: Flask, world: SittingWorld, session: Session,
                                                             settings: Settings, clock: TestClock) -> None:
    old = code_of(world, settings, "陈晓")
    with pytest.raises(Refused, match="原因"):
        candidates.reissue_code(session, world.enrolment("陈晓"), world.officer, " ", now=clock())
    candidates.reissue_code(session, world.enrolment("陈晓"), world.officer, "准考证遗失", now=clock())
    session.commit()
    new = code_of(world, settings, "陈晓")
    assert new != old
    assert knock(app, old) [0] == 200
    assert knock(app, new)[0] == 302


def test_the_reissue_door_is_the_officers_of_this_school(world: SittingWorld, people: People, session: Session,
                                                         enter: Callable[[Viewer], FlaskClient]) -> None:
    enrolment = world.enrolment("陈晓").id
    stranger = people("外校考务", Role.EXAM_OFFICER, school=people.school("另一所学校"))
    officer = world.officer
    session.commit()
    address = f"/plans/enrolments/{enrolment}/code"
    assert enter(stranger).post(address, data={"reason": "想看看"}).status_code == 404
    assert enter(officer).post(address, data={"reason": ""}).status_code == 409
    assert enter(officer).post(address, data={"reason": "准考证遗失"}).status_code == 302
    session.expire_all()
    assert (world.enrolment("陈晓").code_issue, world.enrolment("陈晓").code_reason) == (2, "准考证遗失")


def test_guessing_locks_this_code_at_this_address_and_nothing_else(app: Flask, world: SittingWorld, settings: Settings) -> None:
    """A whole computer room has one address: its other candidates and the second way stay open."""
    good, other = code_of(world, settings, "陈晓"), code_of(world, settings, "刘洋")
    wrong = good[:-1] + ("0" if good[-1] != "0" else "1")
    for _ in range(5):
        assert "不正确" in knock(app, wrong)[1]
    assert "锁定" in knock(app, good)[1]
    assert knock(app, other)[0] == 302
    assert knock(app, good, "10.0.0.2")[0] == 302
    second = app.test_client().post("/exam", data={"ticket": world.enrolment("陈晓").ticket_number,
                                                   "identity_number": world.numbers["陈晓"]}, environ_base={"REMOTE_ADDR": "10.0.0.1"})
    assert second.status_code == 302


def test_a_neighbour_who_locks_the_ticket_number_does_not_keep_its_owner_out(app: Flask, world: SittingWorld,
                                                                             settings: Settings) -> None:
    ticket = world.enrolment("陈晓").ticket_number
    for _ in range(6):
        answer = app.test_client().post("/exam", data={"ticket": ticket, "identity_number": "1" * 18})
    assert "锁定" in answer.get_data(as_text=True)
    assert "考试码" in answer.get_data(as_text=True)
    assert knock(app, code_of(world, settings, "陈晓"), "127.0.0.1")[0] == 302


def test_five_hundred_failures_of_a_room_lock_nobody_who_did_not_fail(app: Flask, world: SittingWorld, settings: Settings) -> None:
    for number in range(500, 600):
        knock(app, codes.make(b"x" * 32, number, 1))
    assert knock(app, code_of(world, settings, "陈晓"))[0] == 302

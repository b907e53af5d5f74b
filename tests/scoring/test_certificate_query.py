"""The public query: two fields, no enumeration, limits, masking (failures.md 20)."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from qbank.kernel.refused import Refused
from qbank.kernel.visits import PublicVisit
from scoring.certificates import desk, public
from scoring.certificates.models import Certificate
from tests.conftest import MONDAY, TestClock
from tests.scoring.final_world import CIPHER, FinalWorld, identity_number

NUMBER = "J000043000001264000001"
ADDRESS = "/certificates/query"


@pytest.fixture
def world(session: Session, people: Any) -> FinalWorld:
    made = FinalWorld(session, people, ("买买提·艾力", "李芳"), ())
    desk.issue(session, made.results, made.officer, cipher=CIPHER, now=MONDAY)
    session.commit()
    return made


@pytest.fixture
def visitor(app: Flask, world: FinalWorld) -> FlaskClient:
    return app.test_client()


def ask(visitor: FlaskClient, **fields: str) -> str:
    return visitor.post(ADDRESS, data=fields).get_data(as_text=True)


@pytest.mark.parametrize("fields", [
    {"number": NUMBER, "name": "买买提·艾力"},
    {"number": NUMBER, "identity_number": identity_number(0)},
    {"name": "买买提·艾力", "identity_number": identity_number(0)},
    {"number": NUMBER, "name": "买买提·艾力", "identity_number": identity_number(0)},
    {"number": NUMBER.lower() + " ", "name": " 买买提•艾力 "},  # another middle dot, spaces, small letter
    {"number": "Ｊ" + NUMBER[1:], "name": "买买提・艾力"},  # full-width letter
])
def test_any_two_fields_show_every_field_of_the_face(visitor: FlaskClient, fields: dict[str, str]) -> None:
    shown = ask(visitor, **fields)
    for value in ("有效", "买买提·艾力", "电工", "四级/中级工", NUMBER, "湘江技师学院（演示）", "2026年6月1日", "工种/职业方向",
                  "430102********"):
        assert value in shown
    assert identity_number(0) not in shown


def test_one_field_is_not_enough(visitor: FlaskClient, session: Session) -> None:
    for fields in ({}, {"number": NUMBER}, {"name": "李芳"}, {"identity_number": identity_number(0)},
                   {"number": NUMBER, "name": "  "}):
        answer = visitor.post(ADDRESS, data=fields)
        assert answer.status_code == 409
        assert "至少填写两项" in answer.get_data(as_text=True)


def test_a_wrong_field_and_a_missing_certificate_get_the_same_answer(visitor: FlaskClient) -> None:
    def body(**fields: str) -> str:
        text = ask(visitor, **fields)
        for value in (*fields.values(), "autofocus"):
            text = text.replace(value, "")
        start = text.index("<main")
        return "".join(line for line in text[start:].splitlines() if "csrf" not in line)

    wrong_name = body(number=NUMBER, name="别人")
    assert "没有查到" in wrong_name
    assert wrong_name == body(number="J000043000001264999999", name="别人")
    assert wrong_name == body(number="Q000043000001264999999", name="别人")
    assert "没有查到" in body(number=NUMBER, name="买买提·艾力", identity_number=identity_number(1))
    assert "没有查到" in body(number=NUMBER[:-1] + "%", name="买买提·艾力")


def test_an_edited_pdf_is_exposed_because_the_page_shows_what_was_issued(visitor: FlaskClient) -> None:
    """Somebody edits 四级 to 三级 in the file: the page still says 四级."""
    shown = ask(visitor, number=NUMBER, name="买买提·艾力")
    assert "四级/中级工" in shown
    assert "三级/高级工" not in shown
    assert "逐项核对" in shown


def test_a_revoked_certificate_is_found_as_revoked_without_the_reason(visitor: FlaskClient, world: FinalWorld,
                                                                      session: Session) -> None:
    found = session.scalars(sa.select(Certificate).where(Certificate.number == NUMBER)).one()
    desk.revoke(session, found, world.officer, "替考，经核实", now=MONDAY)
    session.commit()
    shown = ask(visitor, number=NUMBER, name="买买提·艾力")
    assert "已注销" in shown
    assert "有效</strong>" not in shown
    assert "替考" not in shown


def test_the_qr_code_fills_in_the_number_and_still_asks_for_the_name(visitor: FlaskClient) -> None:
    shown = visitor.get(f"{ADDRESS}?number={NUMBER}").get_data(as_text=True)
    assert f'value="{NUMBER}"' in shown
    assert "买买提" not in shown
    # nothing is looked up by address, whatever stands in it
    address = f"{ADDRESS}?number={NUMBER}&name=买买提·艾力&identity_number={identity_number(0)}"
    shown = visitor.get(address).get_data(as_text=True)
    assert "有效" not in shown
    assert identity_number(0) not in shown
    assert '"&gt;&lt;' in visitor.get(f'{ADDRESS}?number="><script>').get_data(as_text=True).replace("&#34;", '"')


def test_five_misses_about_one_number_from_one_address_shut_it_for_a_quarter_of_an_hour(
        visitor: FlaskClient, clock: TestClock) -> None:
    for guess in range(public.MISSES_PER_SUBJECT_AND_ADDRESS):
        assert "没有查到" in ask(visitor, number=NUMBER, name=f"猜{guess}")
    refused = visitor.post(ADDRESS, data={"number": NUMBER, "name": "买买提·艾力"})
    assert refused.status_code == 409
    assert "15 分钟" in refused.get_data(as_text=True)
    assert "有效" in ask(visitor, number="J000043000001264000002", name="李芳")  # others at this address go on
    clock.forward(minutes=16)
    assert "有效" in ask(visitor, number=NUMBER, name="买买提·艾力")


def test_hits_never_shut_anybody_out(visitor: FlaskClient) -> None:
    for _ in range(2 * public.MISSES_PER_SUBJECT_AND_ADDRESS):
        assert "有效" in ask(visitor, number=NUMBER, name="买买提·艾力")


def test_guessing_through_many_numbers_ends_at_the_limit_of_the_address(session: Session, world: FinalWorld) -> None:
    for serial in range(public.MISSES_PER_ADDRESS):
        public.ask(session, public.Question.read(f"J00004300000126499{serial:04d}", "张伟", ""), "10.0.0.8", cipher=CIPHER,
                   now=MONDAY)
    with pytest.raises(Refused, match="次数过多"):
        public.ask(session, public.Question.read(NUMBER, "张伟", ""), "10.0.0.8", cipher=CIPHER, now=MONDAY)
    assert public.ask(session, public.Question.read(NUMBER, "买买提·艾力", ""), "10.0.0.9", cipher=CIPHER, now=MONDAY)


def test_the_record_of_queries_holds_no_identity_number(visitor: FlaskClient, session: Session) -> None:
    ask(visitor, name="买买提·艾力", identity_number=identity_number(0))
    kept = session.scalars(sa.select(PublicVisit)).one()
    assert kept.found
    assert identity_number(0) not in kept.subject + kept.address
    assert kept.subject != CIPHER.fingerprint(identity_number(0))


@pytest.mark.parametrize("fields", [
    {"number": "9" * 5000, "name": "李" * 5000}, {"number": "\x00", "name": "\x00"}, {"number": NUMBER, "name": "%"},
    {"name": "李芳", "identity_number": "' OR 1=1 --"}, {"number": ["a", "b"], "name": "x"},
])
def test_garbage_is_answered_not_crashed_on(visitor: FlaskClient, fields: dict[str, Any]) -> None:
    answer = visitor.post(ADDRESS, data=fields)
    assert answer.status_code in {200, 400, 409}
    assert "有效</strong>" not in answer.get_data(as_text=True)


def test_the_root_is_public_once_there_is_one_and_carries_no_key(app: Flask, visitor: FlaskClient) -> None:
    pem = visitor.get("/certificates/signing-root.pem").data
    assert pem.startswith(b"-----BEGIN CERTIFICATE-----")
    assert b"PRIVATE" not in pem

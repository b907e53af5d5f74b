"""The register of blank certificates: every printed number, two persons for what is written off, counts."""

from __future__ import annotations

from io import BytesIO
from typing import Any

import openpyxl
import pytest
import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from qbank.kernel.access import Role, Scope, Viewer
from qbank.kernel.refused import Refused
from scoring.certificates import blanks, desk, replacing, stock
from scoring.certificates.models import Certificate, ReplacementCause
from scoring.certificates.stock_models import Blank, BlankState, MoveState, StockCount, StockMove
from scoring.certificates.todo import todo
from tests.conftest import MONDAY
from tests.scoring.final_world import CIPHER, FinalWorld
from tests.scoring.test_certificates import Enter

BOOK = "湘人社印字第 12 号领取，交接人王敏"


@pytest.fixture
def world(session: Session, people: Any) -> FinalWorld:
    return FinalWorld(session, people)


@pytest.fixture
def second(world: FinalWorld, people: Any) -> Viewer:
    """Another exam officer of the same school."""
    viewer: Viewer = people("周敏", Role.EXAM_OFFICER, school=world.school)
    return viewer


def received(world: FinalWorld, first: str = "HN0001", last: str = "HN0010") -> StockMove:
    return stock.receive(world.session, world.school, first, last, BOOK, world.officer, now=MONDAY)


def issued(world: FinalWorld) -> list[Certificate]:
    desk.issue(world.session, world.results, world.officer, cipher=CIPHER, now=MONDAY)
    return list(desk.certificates_of(world.session, world.results))


def numbers_of(world: FinalWorld, state: BlankState) -> list[str]:
    return list(world.session.scalars(sa.select(Blank.number).where(Blank.state == state).order_by(Blank.number)))


def test_a_run_of_printed_numbers_keeps_its_length_and_letters() -> None:
    assert blanks.run(" hn 0098", "HN0101") == ["HN0098", "HN0099", "HN0100", "HN0101"]
    assert blanks.run("007", "") == ["007"]
    assert blanks.told(["A01", "A02", "A04", "A99"]) == ["A01—A02（2 份）", "A04", "A99"]
    for first, last in (("HN01", "HN001"), ("HN02", "HN01"), ("HN01", "GD02"), ("", ""), ("HN", "HN"), ("1", "99999"), ("湘01", "湘02"),
                        ("A" * 30 + "1", "")):
        with pytest.raises(ValueError):  # noqa: PT011
            blanks.run(first, last)


def test_ten_received_two_used_one_spoiled_three_returned_leave_four(world: FinalWorld, second: Viewer) -> None:
    """10 = 4 in stock + 2 used + 1 spoiled + 3 returned."""
    issued(world)
    received(world)
    assert stock.print_on(world.session, world.results, "HN0001", world.officer, now=MONDAY) == 2
    spoiled = stock.ask_to_spoil(world.session, world.school, "HN0010", "", "裁切破损", world.officer, now=MONDAY)
    stock.decide(world.session, spoiled, second, True, "", now=MONDAY)
    stock.give_back(world.session, world.school, "HN0007", "HN0009", "多领，退回省鉴定中心", world.officer, now=MONDAY)
    found = stock.balance(world.session, world.school.id)
    assert (found.in_stock, found.used, found.spoiled, found.returned, found.received) == (4, 2, 1, 3, 10)
    assert numbers_of(world, BlankState.IN_STOCK) == ["HN0003", "HN0004", "HN0005", "HN0006"]
    # in the order of the certificates' numbers
    assert [stock.blank_of(world.session, one).number for one in desk.certificates_of(world.session, world.results)] == ["HN0001", "HN0002"]  # type: ignore[union-attr]


def test_writing_off_takes_two_persons_and_the_database_says_so_too(world: FinalWorld, second: Viewer) -> None:
    received(world)
    move = stock.ask_to_spoil(world.session, world.school, "HN0001", "HN0002", "打印错误", world.officer, now=MONDAY)
    assert stock.balance(world.session, world.school.id).in_stock == 10
    with pytest.raises(Refused, match="另一名考务人员"):
        stock.decide(world.session, move, world.officer, True, "", now=MONDAY)
    with pytest.raises(Refused, match="已申请作废"):
        stock.ask_to_spoil(world.session, world.school, "HN0002", "HN0003", "打印错误", world.officer, now=MONDAY)
    with pytest.raises(Refused, match="原因"):
        stock.decide(world.session, move, second, False, "", now=MONDAY)
    with pytest.raises(IntegrityError), world.session.begin_nested():  # nor past the rule: without a second person
        world.session.execute(sa.text("UPDATE stock_moves SET state = 'DONE' WHERE kind = 'SPOILED'"))
    stock.decide(world.session, move, second, True, "", now=MONDAY)
    assert numbers_of(world, BlankState.SPOILED) == ["HN0001", "HN0002"]
    with pytest.raises(Refused, match="已经处理过"):
        stock.decide(world.session, move, second, True, "", now=MONDAY)


def test_a_number_is_received_once_and_leaves_once(world: FinalWorld) -> None:
    received(world)
    with pytest.raises(Refused, match="以前已经入库") as twice:
        received(world, "HN0009", "HN0012")
    assert twice.value.details == ("HN0009—HN0010（2 份）",)
    stock.give_back(world.session, world.school, "HN0001", "", "退回省鉴定中心", world.officer, now=MONDAY)
    with pytest.raises(Refused, match="不能退回") as gone:
        stock.give_back(world.session, world.school, "HN0001", "HN0002", "再退一次", world.officer, now=MONDAY)
    assert gone.value.details == ("HN0001：已退回",)
    with pytest.raises(Refused, match="没有入库记录"):
        stock.give_back(world.session, world.school, "HN0010", "HN0011", "退回省鉴定中心", world.officer, now=MONDAY)
    with pytest.raises(Refused, match="领取单号"):
        stock.receive(world.session, world.school, "HN0020", "", " ", world.officer, now=MONDAY)


def test_a_misprint_is_written_off_and_the_certificate_stands_on_another_blank(world: FinalWorld, second: Viewer) -> None:
    first = issued(world)[0]
    received(world)
    stock.print_one(world.session, first, "HN0003", world.officer, now=MONDAY)
    with pytest.raises(Refused, match="HN0003"):
        stock.print_one(world.session, first, "HN0004", world.officer, now=MONDAY)
    with pytest.raises(IntegrityError), world.session.begin_nested():  # nor past the rule
        world.session.execute(sa.text("UPDATE certificate_blanks SET state = 'USED', certificate_id = :one WHERE number = 'HN0004'"), {"one": first.id})
    move = stock.ask_to_spoil(world.session, world.school, "HN0003", "", "姓名打印错位", world.officer, now=MONDAY)
    stock.decide(world.session, move, second, True, "", now=MONDAY)
    replacing.ask(world.session, first, ReplacementCause.DAMAGED, "打印错位，换发", world.officer, now=MONDAY)
    assert stock.print_one(world.session, first, "hn0004", world.officer, now=MONDAY).certificate is first
    spoiled = world.session.scalars(sa.select(Blank).where(Blank.number == "HN0003")).one()
    assert (spoiled.state, spoiled.certificate) == (BlankState.SPOILED, first)  # what stood on it stays known


def test_a_list_is_printed_on_the_blanks_that_are_there(world: FinalWorld) -> None:
    issued(world)
    with pytest.raises(Refused, match="HN0001 不在库"):
        stock.print_on(world.session, world.results, "HN0001", world.officer, now=MONDAY)
    received(world, "HN0001", "HN0001")
    received(world, "GD0001", "GD0009")
    with pytest.raises(Refused, match="需要 2 份"):
        stock.print_on(world.session, world.results, "HN0001", world.officer, now=MONDAY)
    stock.print_on(world.session, world.results, "GD0002", world.officer, now=MONDAY)
    assert numbers_of(world, BlankState.USED) == ["GD0002", "GD0003"]
    with pytest.raises(Refused, match="都已登记"):
        stock.print_on(world.session, world.results, "GD0004", world.officer, now=MONDAY)


def test_a_count_that_differs_needs_its_explanation_and_both_stay(world: FinalWorld) -> None:
    received(world)
    stock.count(world.session, world.school, 10, "李保管", "", world.officer, now=MONDAY)
    with pytest.raises(Refused, match="账面在库 10 份，盘点 9 份，相差 1 份"):
        stock.count(world.session, world.school, 9, "李保管", "", world.officer, now=MONDAY)
    with pytest.raises(Refused, match="共同盘点人"):
        stock.count(world.session, world.school, 10, "", "", world.officer, now=MONDAY)
    stock.count(world.session, world.school, 9, "李保管", "HN0010 遗失，已申请作废", world.officer, now=MONDAY)
    assert [(one.expected, one.counted, one.explanation) for one in world.session.scalars(sa.select(StockCount).order_by(StockCount.id))] == [
        (10, 10, ""), (10, 9, "HN0010 遗失，已申请作废")]


def test_the_page_takes_moves_in_and_the_second_officer_decides(world: FinalWorld, second: Viewer, enter: Enter, session: Session) -> None:
    issued(world)
    session.commit()
    book = f"/certificates/stock/{world.school.id}"
    officer, other = enter(world.officer), enter(second)
    assert officer.get("/certificates/stock").location.endswith(book)
    form = {"kind": "received", "first": "HN0001", "last": "HN0010", "note": BOOK}
    assert officer.post(f"{book}/moves", data=form).status_code == 302
    assert officer.post(f"{book}/moves", data=form | {"kind": "stolen"}).status_code == 409
    assert officer.post(f"{book}/moves", data=form).status_code == 409
    assert officer.post(f"/certificates/lists/{world.results.id}/blanks", data={"first": "HN0001"}).status_code == 302
    assert officer.post(f"{book}/moves", data={"kind": "spoiled", "first": "HN0001", "note": "打印错位"}).status_code == 302
    move = session.scalars(sa.select(StockMove).where(StockMove.state == MoveState.ASKED)).one()
    session.commit()
    assert [one.waits_for for one in todo(session, world.officer, now=MONDAY) if "作废" in one.title] == ["另一名考务员"]
    assert [one.waits_for for one in todo(session, second, now=MONDAY) if "作废" in one.title] == [""]
    session.commit()
    assert "须由另一名考务人员核准" in officer.get(book).get_data(as_text=True)
    assert officer.post(f"/certificates/stock/moves/{move.id}/decide", data={"approves": "yes"}).status_code == 409
    assert other.post(f"/certificates/stock/moves/{move.id}/decide", data={"approves": "yes"}).status_code == 302
    certificate = session.scalars(sa.select(Certificate).order_by(Certificate.number)).all()[0]
    session.commit()
    assert "打印在空白证书" in officer.get(f"/certificates/{certificate.id}").get_data(as_text=True)
    assert officer.post(f"/certificates/{certificate.id}/blank", data={"number": "HN0005"}).status_code == 302
    assert "HN0005" in officer.get(f"{book}/blanks?state=used&q={certificate.number}").get_data(as_text=True)
    assert officer.post(f"{book}/counts", data={"counted": "7", "witness": "李保管"}).status_code == 302
    sheets = openpyxl.load_workbook(BytesIO(officer.get(f"{book}/register.xlsx").data))
    # 10 received = 7 in stock + 2 used + 1 spoiled
    assert sheets["收发"]["A2"].value == "入库 10 份 = 在库 7 + 已用 2 + 已作废 1 + 已退回 0"
    lines = {line[0]: line[1:3] for line in sheets["逐份"].iter_rows(min_row=2, values_only=True)}
    assert lines["HN0001"] == ("已作废", certificate.number)
    assert lines["HN0005"] == ("已用", certificate.number)


def test_the_books_are_open_to_the_schools_offices_only(world: FinalWorld, second: Viewer, enter: Enter, session: Session, people: Any) -> None:
    certificate = issued(world)[0]
    received(world)
    move = stock.ask_to_spoil(session, world.school, "HN0001", "", "破损", world.officer, now=MONDAY)
    city, far = (people(name, scopes=[Scope(Role.CITY_OFFICER, region=region)]) for name, region in (("谭晓峰", "4301"), ("外市", "4304")))
    session.commit()
    book = f"/certificates/stock/{world.school.id}"
    reads = (book, f"{book}/blanks", f"{book}/register.xlsx")
    writes = (f"{book}/moves", f"{book}/counts", f"/certificates/stock/moves/{move.id}/decide", f"/certificates/{certificate.id}/blank",
              f"/certificates/lists/{world.results.id}/blanks")
    for who, found in ((world.stranger(), 404), (far, 404), (city, 200)):
        session.commit()
        browser = enter(who)
        assert {browser.get(address).status_code for address in reads} == {found}
        assert {browser.post(address).status_code for address in writes} == ({404} if who is not city and who is not far else {403})
    assert "HN0001" not in enter(far).get("/certificates/stock", follow_redirects=True).get_data(as_text=True)

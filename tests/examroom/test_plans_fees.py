"""Fees: published with their filing reference, owed and paid by name, given back, and nothing earned by them (五(五))."""

from __future__ import annotations

import io
from collections.abc import Callable
from datetime import date

import openpyxl
import pypdf
import pytest
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from examroom.plans import candidates, costs, fees, money, receipts
from examroom.plans.fee_models import FeeKind, FeeSchedule
from examroom.plans.models import ExamPlan
from qbank.kernel.access import Role, Scope, Viewer
from qbank.kernel.accounts import Account
from qbank.kernel.refused import Refused
from tests.conftest import MONDAY, People
from tests.plan_world import PlanWorld

Enter = Callable[[Viewer], FlaskClient]
FILING = {"basis": "湘发改价费规〔2019〕1号 职业技能鉴定收费标准", "filed_with": "长沙市发展和改革委员会", "filing_reference": "长发改备〔2026〕12号"}


@pytest.fixture
def world(session: Session, people: People) -> PlanWorld:
    return PlanWorld.make(session, people)


def code_of(act: Callable[[], object]) -> str:
    with pytest.raises(Refused) as refusal:
        act()
    return refusal.value.code


def publish(world: PlanWorld, theory: int = 6000, practical: int = 16000, *, valid_from: date = date(2026, 6, 1)) -> FeeSchedule:
    return fees.publish_fee(world.session, world.school, world.standard, 4, fees.Amounts(theory, practical), world.liu, valid_from=valid_from,
                            now=MONDAY, **FILING)


def charged(world: PlanWorld, count: int = 2) -> tuple[ExamPlan, list[Account]]:
    plan = world.draft()
    people = [one.candidate for one in world.enrol(plan, count)]
    publish(world)
    fees.charge_all(world.session, plan, world.liu, now=MONDAY)
    return plan, people


def test_amounts_are_whole_fen() -> None:
    assert [money.read(text, "金额") for text in ("220", "220.5", "0.05", "0")] == [22000, 22050, 5, 0]
    assert [money.yuan(fen) for fen in (22050, 5, -150)] == ["220.50", "0.05", "-1.50"]
    for bad in ("", "-1", "1.234", "一百", "1e3", "1000000", " . ", "9" * 400):
        assert code_of(lambda text=bad: money.read(text, "金额")) == "not_money"  # type: ignore[misc]  # bound now
    assert code_of(lambda: money.read("0", "金额", least=1)) == "not_money"


def test_a_receipt_writes_the_amount_in_words() -> None:
    # The rules for amounts in words of the People's Bank's 支付结算办法, annex 1.
    assert [receipts.in_words(fen) for fen in (22000, 22050, 10005, 1_00005, 100_0000, 1_0001_00, 10_0100_00, 5, 30)] == [
        "贰佰贰拾元整", "贰佰贰拾元伍角", "壹佰元零伍分", "壹仟元零伍分", "壹万元整", "壹万零壹元整", "壹拾万零壹佰元整", "伍分", "叁角"]


def test_a_schedule_needs_its_filing_reference_and_the_filed_scope(world: PlanWorld) -> None:
    with pytest.raises(Refused, match="五\\(六\\)"):
        publish(world)  # not filed for this occupation and level
    world.file()
    for field in FILING:
        with pytest.raises(Refused, match="五\\(五\\)"):
            fees.publish_fee(world.session, world.school, world.standard, 4, fees.Amounts(1, 1), world.liu, valid_from=date(2026, 6, 1),
                             now=MONDAY, **(FILING | {field: " "}))
    assert code_of(lambda: fees.publish_fee(world.session, world.school, world.standard, 4, fees.Amounts(1, 1, 1), world.liu,
                                            valid_from=date(2026, 6, 1), now=MONDAY, **FILING)) == "no_review"


def test_a_new_schedule_ends_the_one_before_and_both_stay_to_be_seen(world: PlanWorld) -> None:
    plan = world.draft()
    old = publish(world)
    assert code_of(lambda: publish(world)) == "valid_from"
    new = publish(world, 5000, valid_from=date(2026, 9, 1))
    assert old.ended_on == date(2026, 8, 31)
    assert fees.fee_on(world.session, plan, date(2026, 8, 31)) is old
    assert fees.fee_on(world.session, plan, date(2026, 9, 1)) is new
    fees.end_fee(world.session, new, world.liu, last_day=date(2026, 12, 31))
    assert fees.fee_on(world.session, plan, date(2027, 1, 1)) is None
    assert code_of(lambda: fees.end_fee(world.session, new, world.liu, last_day=date(2026, 12, 31))) == "last_day"


def test_nothing_is_charged_that_was_not_published(world: PlanWorld) -> None:
    plan = world.draft()
    world.enrol(plan, 1)
    with pytest.raises(Refused, match="五\\(五\\)"):
        fees.charge_all(world.session, plan, world.liu, now=MONDAY)
    publish(world, 0, 0)
    assert code_of(lambda: fees.charge_all(world.session, plan, world.liu, now=MONDAY)) == "free"


def test_everybody_owes_the_published_fee_once(world: PlanWorld) -> None:
    plan, _ = charged(world)
    world.enrol(plan, 1, first=3)
    assert fees.charge_all(world.session, plan, world.liu, now=MONDAY) == 1
    assert [one.owed for one in fees.register(world.session, plan)] == [22000] * 3


def test_nobody_pays_more_than_the_published_fee_and_gets_back_what_was_paid(world: PlanWorld) -> None:
    plan, (first, second) = charged(world)

    def enter(who: Account, kind: FeeKind, fen: int, note: str = "") -> str | None:
        return fees.enter(world.session, plan, who, kind, fen, world.liu, note=note, now=MONDAY).receipt

    assert code_of(lambda: enter(first, FeeKind.PAYMENT, 22001)) == "too_much"
    assert enter(first, FeeKind.PAYMENT, 20000) == "SJ2026-0001-000001"
    assert code_of(lambda: enter(first, FeeKind.PAYMENT, 2001)) == "too_much"
    assert enter(second, FeeKind.WAIVER, 22000, "脱贫家庭学生") is None
    assert enter(first, FeeKind.PAYMENT, 2000) == "SJ2026-0001-000002"
    assert code_of(lambda: enter(first, FeeKind.REFUND, 22000)) == "no_reason"
    assert code_of(lambda: enter(second, FeeKind.REFUND, 1, "误收")) == "too_much"
    assert enter(first, FeeKind.REFUND, 22000, "因病退考") == "TK2026-0001-000001"
    assert code_of(lambda: enter(first, FeeKind.CHARGE, 1)) == "charge"
    stands = fees.register(world.session, plan)
    assert [(one.charged, one.waived, one.paid, one.refunded, one.owed) for one in stands] == [
        (22000, 0, 22000, 22000, 22000), (22000, 22000, 0, 0, 0)]
    stranger = world.people.account("无关人员")
    assert code_of(lambda: fees.enter(world.session, plan, stranger, FeeKind.PAYMENT, 1, world.liu, now=MONDAY)) == "no_charge"


def test_who_has_paid_leaves_the_list_only_when_it_was_given_back(world: PlanWorld) -> None:
    plan, (first, _) = charged(world)
    fees.enter(world.session, plan, first, FeeKind.PAYMENT, 22000, world.liu, now=MONDAY)
    enrolment = plan.enrolments[0]
    assert code_of(lambda: candidates.remove(world.session, enrolment, world.liu)) == "paid"
    fees.enter(world.session, plan, first, FeeKind.REFUND, 22000, world.liu, note="退考", now=MONDAY)
    candidates.remove(world.session, enrolment, world.liu)
    gone = fees.register(world.session, plan)[-1]
    assert (gone.person.id, gone.ticket_number, gone.paid, gone.refunded) == (first.id, "", 22000, 22000)  # the ledger outlives the enrolment


def test_income_stands_against_costs_and_a_surplus_is_shown(world: PlanWorld) -> None:
    plan, (first, second) = charged(world)
    for one in (first, second):
        fees.enter(world.session, plan, one, FeeKind.PAYMENT, 22000, world.liu, now=MONDAY)
    costs.enter_cost(world.session, plan, "考务人员劳务", 30000, world.liu, note="考评员 3 人 1 天", now=MONDAY)
    wrong = costs.enter_cost(world.session, plan, "材料耗材", 99900, world.liu, note="录错", now=MONDAY)
    costs.cancel_cost(world.session, wrong, world.liu, now=MONDAY)
    assert code_of(lambda: costs.cancel_cost(world.session, wrong, world.liu, now=MONDAY)) == "cancelled"
    balance = costs.balance_of(world.session, plan)
    assert (balance.income, balance.costs, balance.surplus) == (44000, 30000, 14000)  # 440 - 300 = 140 yuan
    assert [one.surplus for one in costs.balances(world.session, world.tan, 2026)] == [14000]
    assert costs.balances(world.session, world.tan, 2025) == []
    assert code_of(lambda: costs.enter_cost(world.session, plan, "奖金", 1, world.liu, note="说明", now=MONDAY)) == "category"
    assert code_of(lambda: costs.enter_cost(world.session, plan, "其他", 1, world.liu, note=" ", now=MONDAY)) == "cost"


def test_anybody_reads_the_published_schedule_with_its_filing_reference(world: PlanWorld, session: Session, app: object, enter: Enter) -> None:
    world.file()
    session.commit()
    liu = enter(world.liu)
    data = {"scope_id": 1, "theory": "60", "practical": "160.50", "valid_from": "2026-06-01", **FILING}
    for bad in ({"theory": "x"}, {"basis": ""}, {"valid_from": "明天"}, {"scope_id": ""}):
        answer = liu.post("/plans/fee-schedules", data=data | bad)
        assert answer.status_code == 409, bad
        assert "notice-danger" in answer.get_data(as_text=True)
    assert liu.post("/plans/fee-schedules", data=data).status_code == 302
    public = app.test_client().get("/plans/fees?q=湘江").get_data(as_text=True)  # type: ignore[attr-defined]  # Flask
    for words in ("220.50", "长发改备〔2026〕12号", "长沙市发展和改革委员会", "五（五）"):
        assert words in public
    assert liu.post("/plans/fee-schedules/1/end", data={"last_day": "2026-06-30"}).status_code == 302


def test_the_register_is_kept_on_its_page_and_prints_receipts(world: PlanWorld, session: Session, enter: Enter) -> None:
    plan, (first, _) = charged(world)
    key, page = plan.id, f"/plans/{plan.id}/fees"
    data = {"account_id": first.id, "kind": "payment", "amount": "220"}
    session.commit()
    liu = enter(world.liu)
    for bad in ({"amount": ""}, {"kind": "gift"}, {"account_id": world.tan.account_id}, {"amount": "221"}, {"account_id": "x"}):
        assert liu.post(page, data=data | bad).status_code == 409, bad
    assert liu.post(page, data=data).status_code == 302
    assert liu.post(f"/plans/{key}/charges").status_code == 302
    assert liu.post(f"/plans/{key}/costs", data={"category": "其他", "amount": "10", "note": "打印"}).status_code == 302
    assert liu.post(f"/plans/{key}/costs", data={"category": "其他", "amount": "", "note": "打印"}).status_code == 409
    assert liu.post("/plans/costs/1/cancel").status_code == 302
    for address in (page, f"{page}?owing=1", "/plans/fee-summary", "/plans/fee-schedules"):
        assert liu.get(address).status_code == 200, address
    entry = 3  # after the charges of both
    text = "".join(one.extract_text() for one in pypdf.PdfReader(io.BytesIO(liu.get(f"/plans/fees/{entry}/receipt.pdf").data)).pages)
    assert "SJ2026-0001-000001" in text
    assert "贰佰贰拾元整" in text
    sheet = openpyxl.load_workbook(io.BytesIO(liu.get(f"/plans/{key}/fees.xlsx").data)).active
    assert sheet is not None
    rows = [row for row in sheet.iter_rows(values_only=True) if row[0] == 1]
    assert rows[0][4:] == (220, 0, 220, 0, 0)
    assert liu.get("/plans/fees/1/receipt.pdf").status_code == 409  # a charge has no receipt


def test_strangers_see_no_register_and_move_no_money(world: PlanWorld, session: Session, enter: Enter) -> None:
    plan, (first, _) = charged(world)
    fees.enter(session, plan, first, FeeKind.PAYMENT, 22000, world.liu, now=MONDAY)
    costs.enter_cost(session, plan, "其他", 100, world.liu, note="打印", now=MONDAY)
    other = world.people.school("他校", region="430700")
    strangers = [world.people("常德考务", Role.EXAM_OFFICER, school=other),
                 world.people("常德市中心", scopes=[Scope(Role.CITY_OFFICER, region="4307")], school=other)]
    key, title, paid = plan.id, plan.title, max(one.id for one in fees.entries_of(session, plan))
    session.commit()
    for stranger in strangers:
        client = enter(stranger)
        for address in (f"/plans/{key}/fees", f"/plans/{key}/fees.xlsx", f"/plans/fees/{paid}/receipt.pdf"):
            assert client.get(address).status_code in {403, 404}, address
        for address in (f"/plans/{key}/fees", f"/plans/{key}/charges", f"/plans/{key}/costs", "/plans/costs/1/cancel",
                        "/plans/fee-schedules/1/end"):
            assert client.post(address, data={"last_day": "2026-06-30"}).status_code in {403, 404}, address
        assert title not in client.get("/plans/fee-summary").get_data(as_text=True)

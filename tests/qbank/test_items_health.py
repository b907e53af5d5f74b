"""What a bank lacks, against hand arithmetic; and the forecast for coming sittings."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from io import BytesIO

import openpyxl
import pytest
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.orm import Session

from qbank.items.health import (
    Held,
    Limits,
    PointIn,
    RangeIn,
    health,
    importance_warning,
    is_stale,
    key_balance,
    notation,
)
from qbank.items.models import ItemFigures, ItemVersion
from qbank.items.states import ItemState
from qbank.kernel.access import Role, Viewer
from qbank.kernel.refused import Refused
from qbank.papers.forecast import Asked, forecast
from qbank.papers.specification import LeafRange, Part, derive_quotas
from tests.conftest import People, TestClock
from tests.qbank.bank_big import fill
from tests.qbank.bank_world import theory_table

TODAY = date(2026, 6, 1)
RANGES = [RangeIn(1, None, "A", "第一部分", 200), RangeIn(2, 1, "A-A", "安全", 15), RangeIn(3, 1, "A-B", "电路", 185)]
POINTS = [PointIn(1, 2, "001", "甲", "X"), PointIn(2, 2, "002", "乙", "Y"), PointIn(3, 3, "001", "丙", "X")]


def held(point: int, key: str = "A", kind: str = "single", uses: int = 0, touched: date = TODAY, grade: int = 3) -> Held:
    return Held(0, point, kind, key, grade, uses, touched)


def test_the_trades_notation_has_two_digits_and_more_where_needed() -> None:
    assert notation({"X": 116, "Y": 28, "Z": 5}) == "(116:28:05)"
    assert notation({"X": 8, "Y": 5, "Z": 3}) == "(08:05:03)"
    assert notation({}) == "(00:00:00)"


def test_importance_beyond_80_15_5_is_told_and_exactly_that_is_not() -> None:
    # 116 + 28 + 5 = 149: 77.9 %, 18.8 %, 3.4 %
    assert importance_warning({"X": 116, "Y": 28, "Z": 5}, Limits()) == "X 占 78 %，低于 80 %；Y 占 19 %，高于 15 %"
    assert importance_warning({"X": 80, "Y": 15, "Z": 5}, Limits()) == ""
    assert importance_warning({"X": 95, "Z": 5}, Limits()) == ""
    assert importance_warning({"X": 94, "Z": 6}, Limits()) == "Z 占 6 %，高于 5 %"
    assert importance_warning({}, Limits()) == ""


def test_points_and_items_are_counted_up_the_tree() -> None:
    # Point 1 has four items (enough), point 2 one (thin), point 3 none (empty). A-A weighs 7.5 %: 15 points asked at 2 a per cent.
    found = health(RANGES, POINTS, [held(1)] * 4 + [held(2, uses=5)], Limits(), TODAY)
    top, safety, circuits = found.ranges
    assert (top.points, top.items, top.empty, top.thin, top.exposed, top.notation) == (3, 5, 1, 1, 1, "(02:01:00)")
    assert (safety.points_needed, safety.points, safety.items, safety.leaf) == (15, 2, 5, True)
    assert (circuits.points_needed, [cell.items for cell in circuits.cells]) == (185, [0])
    assert (found.missing, found.items, [cell.unused for cell in safety.cells]) == (2, 5, [4, 0])
    assert found.warnings[0] == "本等级共 3 个鉴定点，少于 200 个。"
    assert "A-A 安全：比重 7.5 %，应有 15 个鉴定点，现有 2 个。" in found.warnings
    assert "2 个鉴定点的可用试题少于 4 道（其中 1 个一道也没有），补足还要 7 道。" in found.warnings  # 3 + 4


def test_an_item_is_stale_on_the_day_after_so_many_years() -> None:
    assert is_stale(held(1, touched=date(2023, 6, 1)), Limits(), TODAY)
    assert not is_stale(held(1, touched=date(2023, 6, 2)), Limits(), TODAY)


def test_keys_are_tested_against_equal_shares() -> None:
    # 40, 20, 20, 20 of 100: chi-square = 15²/25 + 3 x 5²/25 = 9 + 3 = 12 on 3 degrees of freedom, p = 0.00738 (R: pchisq).
    items = [held(1, key) for key in "A" * 40 + "B" * 20 + "C" * 20 + "D" * 20 + "E"] + [held(1, "T", "judge")] * 3
    single, judge = key_balance(items)
    assert single.p == pytest.approx(0.00738, abs=5e-6)
    assert single.uneven
    assert single.counts == {"A": 40, "B": 20, "C": 20, "D": 20, "E": 1}
    assert (judge.p, judge.counts, judge.uneven) == (None, {"T": 3, "F": 0}, False)
    assert key_balance([]) == []


def test_the_forecast_is_the_arithmetic_of_its_docstring() -> None:
    # Two ranges of 50 % with 20 items of 5 points: singles 8 + 8, true/false 2 + 2. 12 papers at 30 %: 6 of 20 may be
    # repeated; by largest remainders of 6 x (8, 2, 8, 2) / 20 = 2.4, 0.6, 2.4, 0.6 they are 2, 1, 2, 1.
    parts = (Part("single", 16, 10), Part("judge", 4, 10))
    quotas = derive_quotas([LeafRange("A", 100), LeafRange("B", 100)], parts)
    cells = forecast(quotas, {("A", "single"): 60, ("A", "judge"): 13}, Asked(4, 3, 30))
    assert [(cell.range_key, cell.kind, cell.count, cell.repeated) for cell in cells] == [
        ("A", "single", 8, 2), ("A", "judge", 2, 1), ("B", "single", 8, 2), ("B", "judge", 2, 1)]
    # 8 + 11 x 6 = 74, 60 are there: 14. 2 + 11 x 1 = 13, all there. B holds nothing: 74 and 13.
    assert [(cell.need, cell.missing) for cell in cells] == [(74, 14), (13, 0), (74, 74), (13, 13)]
    assert cells[0].derivation(12) == "8 + 11 × (8 − 2) = 74"
    assert cells[0].sentence("安全", Asked(4, 3, 30)) == "要办 4 场 × 3 套卷、重复率 ≤ 30 %，A 安全 的单选题还需要写 14 题"
    assert [cell.need for cell in forecast(quotas, {}, Asked(1, 1, 0))] == [8, 2, 8, 2]  # one paper needs its own items


@given(st.integers(1, 6), st.integers(1, 4), st.integers(0, 100))
def test_so_many_items_are_enough_and_one_less_is_not(sittings: int, forms: int, percent: int) -> None:
    """Papers are dealt from exactly ``need`` items a cell: each after the first repeats what it may of the first one."""
    parts = (Part("single", 16, 10), Part("judge", 4, 10))
    quotas = derive_quotas([LeafRange("A", 120), LeafRange("B", 80)], parts)
    asked = Asked(sittings, forms, percent)
    cells = forecast(quotas, {}, asked)
    assert sum(cell.repeated for cell in cells) == 20 * percent // 100  # of the whole paper, never more
    papers = [[(cell.range_key, cell.kind, n) for cell in cells
               for n in [*range(cell.repeated if paper else 0),
                         *range(cell.count + (paper - 1) * (cell.count - cell.repeated) if paper else 0,
                                cell.count + paper * (cell.count - cell.repeated) if paper else cell.count)]]
              for paper in range(asked.papers)]
    used: set[tuple[str, str, int]] = set()
    for items in papers:
        assert len(items) == 20
        assert not used or len(used & set(items)) <= 20 * percent / 100
        used |= set(items)
    assert len(used) == sum(cell.need for cell in cells)


def test_a_forecast_for_no_sittings_is_refused() -> None:
    for wrong in ({"sittings": 0}, {"forms": 0}, {"repeat_percent": 101}):
        with pytest.raises(Refused):
            Asked(**wrong)


def test_the_page_and_the_workbook_tell_the_same(session: Session, people: People, clock: TestClock,
                                                 enter: Callable[[Viewer], FlaskClient]) -> None:
    table, chen = theory_table(session), people("陈晓", Role.ITEM_AUTHOR)
    fill(session, table.id, people.home.id, [chen.account_id], 60, clock())
    session.query(ItemFigures).delete()
    for version in session.query(ItemVersion):
        version.state = ItemState.APPROVED
    used = session.query(ItemVersion).first()
    assert used is not None
    session.add(ItemFigures(item_id=used.item_id, uses=9, last_used_at=clock() - timedelta(days=1), answered=0))
    session.commit()
    client = enter(chen)
    text = client.get(f"/papers/health?table={table.id}&sittings=2&forms=2&repeat=50").get_data(as_text=True)
    assert "本等级共 6 个鉴定点，少于 200 个。" in text
    assert "(01:01:01)" in text
    assert "要办 2 场 × 2 套卷" in text
    assert "<b>1</b><span>用过 5 套以上</span>" in text
    assert "“场次”应填写" in client.get("/papers/health?sittings=x").get_data(as_text=True)
    answer = client.get(f"/papers/health/workbook?table={table.id}&sittings=2&forms=2&repeat=50")
    book = openpyxl.load_workbook(BytesIO(answer.data))
    assert book.sheetnames == ["概况", "鉴定范围", "鉴定点", "预测"]
    points = list(book["鉴定点"].iter_rows(min_row=2, values_only=True))
    assert sum(int(str(line[4])) for line in points) == 60
    assert book["鉴定范围"]._charts  # type: ignore[attr-defined]
    assert book["鉴定点"].conditional_formatting
    stranger = people("外人", Role.ITEM_AUTHOR, school=people.school("外校"))
    session.commit()
    away = enter(stranger)
    assert "<b>0</b><span>可用试题" in away.get(f"/papers/health?table={table.id}").get_data(as_text=True)

"""Rows of five kinds, against hand arithmetic and at the ends of their bands; their wording; rubrics in Excel and the editor."""

from __future__ import annotations

import json
from collections.abc import Callable
from decimal import Decimal
from io import BytesIO
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.orm import Session

from qbank.kernel.access import Role, Viewer
from qbank.kernel.refused import Refused
from scoring.practical import rubrics, tasks
from scoring.practical.rows import (
    Deduction,
    Measured,
    RowKind,
    RowRule,
    TimeLimit,
    entry_text,
    from_json,
    mark_of,
    problem,
    read,
    to_json,
    told,
)
from scoring.practical.rubric_workbook import read_rubric, rubric_workbook
from scoring.practical.rubrics import RowDraft, drafts_of, sections_of
from scoring.practical.rule_text import parse
from tests.scoring.outcome_world import NOW
from tests.scoring.practical_world import ROWS, BankWorld

CASES = json.loads(Path(__file__).with_name("row_cases.json").read_text("utf-8"))
SHAFT = RowRule(RowKind.MEASURED, 8, Measured("50", "mm", (("49.98", "50.02", 8), ("49.95", "50.05", 4))))
points = st.integers(1, 200)


@pytest.fixture
def world(session: Session, people: Any) -> BankWorld:
    return BankWorld(session, people)


@pytest.mark.parametrize("case", CASES, ids=[case["says"] for case in CASES])
def test_a_row_is_worth_what_the_table_of_cases_says(case: dict[str, Any]) -> None:
    kind = RowKind(case["kind"])
    assert mark_of(RowRule(kind, case["most"], from_json(kind, case["detail"])), case["entry"]) == case["mark"]


@pytest.mark.parametrize(("value", "mark"), [("50.02", 8), ("50.0201", 4), ("49.98", 8), ("49.9799", 4), ("50.05", 4), ("50.0501", 0),
                                             ("49.95", 4), ("49.9499", 0), ("50", 8), ("-50", 0)])
def test_a_measured_value_at_the_end_of_a_band_is_inside_it(value: str, mark: int) -> None:
    assert mark_of(SHAFT, value) == mark


@pytest.mark.parametrize("entry", [True, -1, 1.5, "x", "50.00001", "1e3", "", None])
def test_an_entry_of_another_kind_is_an_error_and_no_mark(entry: Any) -> None:
    for rule in (RowRule(RowKind.DEDUCTION, 10, Deduction("处", 2)), RowRule(RowKind.POINTS, 10),
                 RowRule(RowKind.TIME, 10, TimeLimit(30, 2)), SHAFT):
        with pytest.raises(ValueError, match=r"whole number|decimal|worth"):
            mark_of(rule, entry)
    with pytest.raises(ValueError, match="yes or no"):
        mark_of(RowRule(RowKind.VETO, 0), 1)
    with pytest.raises(ValueError, match="has no"):
        RowRule(RowKind.TIME, 10)


decimals = st.decimals(-99999, 99999, places=4).map(lambda value: f"{value:f}")
deductions = st.builds(Deduction, st.sampled_from(["处", "次", "根线", "个焊点"]), points, st.integers(0, 50))
limits = st.builds(TimeLimit, st.integers(1, 999), st.integers(1, 40), st.integers(0, 90))


@st.composite
def measures(draw: st.DrawFn) -> Measured:
    bands = []
    for _ in range(draw(st.integers(1, 4))):
        low, high = sorted((draw(decimals), draw(decimals)), key=Decimal)
        bands.append((low, high, draw(points)))
    return Measured(draw(decimals), draw(st.sampled_from(["mm", "V", "", "μm"])), tuple(bands))


@given(deductions, points, st.integers(0, 9999))
def test_more_faults_never_earn_more(detail: Deduction, most: int, count: int) -> None:
    rule = RowRule(RowKind.DEDUCTION, most, detail)
    assert mark_of(rule, 0) == most
    assert 0 <= mark_of(rule, count + 1 if count < 9999 else count) <= mark_of(rule, count) <= most


@given(limits, points, st.integers(0, 2000))
def test_more_minutes_never_earn_more_and_the_last_allowed_minute_costs_nothing(detail: TimeLimit, most: int, minutes: int) -> None:
    rule = RowRule(RowKind.TIME, most, detail)
    assert mark_of(rule, detail.minutes) == most
    assert 0 <= mark_of(rule, minutes + 1) <= mark_of(rule, minutes) <= most


@given(measures(), decimals)
def test_a_measured_value_earns_the_best_band_that_holds_it(detail: Measured, value: str) -> None:
    rule = RowRule(RowKind.MEASURED, 200, detail)
    holding = [earned for low, high, earned in detail.bands if Decimal(low) <= Decimal(value) <= Decimal(high)]
    assert mark_of(rule, value) == max([0, *holding])
    assert all(mark_of(rule, end) >= earned for low, high, earned in detail.bands for end in (low, high))


@given(st.one_of(deductions, limits, measures()))
def test_the_wording_of_a_rule_reads_back_as_the_rule(detail: Deduction | TimeLimit | Measured) -> None:
    kind = {Deduction: RowKind.DEDUCTION, TimeLimit: RowKind.TIME, Measured: RowKind.MEASURED}[type(detail)]
    rule = RowRule(kind, 200, detail)
    assert parse(kind, told(rule)) == detail
    assert from_json(kind, json.loads(json.dumps(to_json(detail)))) == detail


def test_rules_as_teachers_write_them() -> None:
    assert parse(RowKind.DEDUCTION, "每错一处，每处扣１分，最多扣5处") == Deduction("处", 2, 5)
    assert parse(RowKind.MEASURED, "50mm：±0.02得4分；50±0.05 得 2 分") == SHAFT.detail
    assert parse(RowKind.MEASURED, "标称 30：+0.021/0 得 5") == Measured("30", "", (("30", "30.021", 10),))
    assert parse(RowKind.TIME, "60分钟以内；每超过1分钟扣0.5分；超时15分钟本项不得分") == TimeLimit(60, 1, 15)
    for kind, text in ((RowKind.DEDUCTION, "酌情扣分"), (RowKind.MEASURED, "50±0.02"), (RowKind.TIME, "尽快完成"), (RowKind.MEASURED, "")):
        with pytest.raises(Refused) as refused:
            parse(kind, text)
        assert "请写成" in refused.value.sentence
    with pytest.raises(Refused, match="整数倍"):
        parse(RowKind.DEDUCTION, "每处扣 0.3 分")


@pytest.mark.parametrize(("rule", "says"), [
    (RowRule(RowKind.POINTS, 0), "大于 0"), (RowRule(RowKind.VETO, 2), "不计分"), (RowRule(RowKind.DEDUCTION, 4, Deduction("", 1)), "单位"),
    (RowRule(RowKind.DEDUCTION, 4, Deduction("处", 5)), "不超过本项"), (RowRule(RowKind.TIME, 4, TimeLimit(0, 1)), "规定时间"),
    (RowRule(RowKind.TIME, 4, TimeLimit(9, 0)), "扣几分"), (RowRule(RowKind.MEASURED, 4, Measured("1", "mm", ())), "至少一档"),
    (RowRule(RowKind.MEASURED, 4, Measured("1", "mm", (("2", "1", 4),))), "下限不大于上限"),
    (RowRule(RowKind.MEASURED, 4, Measured("1", "mm", (("1", "2", 2),))), "最好的一档应得满分")])
def test_a_rule_that_cannot_stand_is_said_so(rule: RowRule, says: str) -> None:
    assert says in problem(rule)


@pytest.mark.parametrize(("rule", "typed", "entry"), [
    (SHAFT, "50.02", "50.02"), (RowRule(RowKind.POINTS, 8), "3.5", 7), (RowRule(RowKind.VETO, 0), "no", False),
    (RowRule(RowKind.DEDUCTION, 8, Deduction("处", 1)), "0", 0), (SHAFT, "  ", None)])
def test_what_an_assessor_types_is_read_and_shown_again(rule: RowRule, typed: str, entry: Any) -> None:
    assert read(rule, typed) == entry
    assert read(rule, entry_text(rule, entry)) == entry


@pytest.mark.parametrize(("rule", "typed"), [(SHAFT, "约50"), (RowRule(RowKind.POINTS, 8), "4.5"), (RowRule(RowKind.POINTS, 8), "0.3"),
                                             (RowRule(RowKind.VETO, 0), "也许"), (RowRule(RowKind.TIME, 8, TimeLimit(9, 1)), "-1")])
def test_what_cannot_be_read_is_refused_with_a_sentence(rule: RowRule, typed: str) -> None:
    with pytest.raises(Refused):
        read(rule, typed)


# Rubrics

def test_rows_of_every_kind_sum_to_what_the_module_weighs(world: BankWorld) -> None:
    version = world.task(world.structure().modules[0], "DG4-1-01", rows=ROWS)
    assert (version.rubric.full, version.rubric.targets) == (80, {"1": 60, "2": 20})
    assert drafts_of(version.rubric) == list(ROWS)
    assert [row.kind.value for row in version.rubric.rows] == ["deduction", "points", "time", "measured", "veto"]
    short = [*ROWS[:1], RowDraft("接线正确", "1", 28), *ROWS[2:]]
    with pytest.raises(Refused) as refused:
        tasks.add_task(world.session, version.task.module, "DG4-1-09", tasks.text_of(version), world.author, rows=short, now=NOW)
    assert refused.value.details == ("“继电控制电路装调维修”各行合计 29.0 分，应为 30.0 分",)


def test_a_rubric_comes_back_from_excel_as_it_went_out(world: BankWorld) -> None:
    rubric = world.task(world.structure().modules[0], "DG4-1-01", rows=ROWS).rubric
    assert read_rubric(rubric_workbook(rubric), sections_of(rubric.table, rubric.targets)) == list(ROWS)


def _book(*rows: tuple[Any, ...]) -> bytes:
    book, stream = openpyxl.Workbook(), BytesIO()
    sheet = book.create_sheet(index=0)
    for row in rows:
        sheet.append(row)
    book.save(stream)
    return stream.getvalue()


def test_lines_of_excel_that_cannot_be_read_are_named_together(world: BankWorld) -> None:
    sections = sections_of(world.table, None)
    head = ("职业功能", "类型", "评分内容", "配分", "评分标准")
    with pytest.raises(Refused) as refused:
        read_rubric(_book(head, ("没有的", "评分项", "甲", 1, ""), (sections[0].name, "扣分项", "乙", 2, "看着扣"),
                          (None, "随便", "丙", 1, ""), (None, "", "丁", "很多", "")), sections)
    assert [line[:6] for line in refused.value.details] == ["第 2 行：", "第 3 行：", "第 4 行：", "第 5 行："]
    for content in (b"PK\x03\x04broken", _book(("姓名", "成绩")), _book(head)):
        with pytest.raises(Refused):
            read_rubric(content, sections)
    merged = read_rubric(_book(("评分表",), head, (sections[1].name, None, "甲", 7.5, None), (None, "★ 否决项", "乙", None, None)), sections)
    assert merged == [RowDraft("甲", sections[1].path, 15), RowDraft("乙", kind=RowKind.VETO)]


def test_the_rubric_of_a_task_is_closed_once_it_is_submitted_and_copied_with_the_next_version(world: BankWorld) -> None:
    version = world.task(world.structure().modules[0], "DG4-1-01", rows=ROWS)
    with pytest.raises(Refused) as refused:
        rubrics.change_rubric(world.session, version.rubric, "评分表", list(ROWS), world.author)
    assert refused.value.code == "frozen"
    with pytest.raises(Refused):
        rubrics.copy_rubric(world.session, version.rubric, "副本", world.officer)
    following = tasks.revise(world.session, version, world.author, now=NOW)
    assert drafts_of(following.rubric) == list(ROWS)
    assert (version.rubric.frozen, following.rubric.frozen) == (True, False)
    with pytest.raises(Refused):  # an officer does not write tasks
        tasks.change_rows(world.session, following, list(ROWS), world.officer)


# The editor

def _form(rows: list[RowDraft], version: int, **more: str) -> dict[str, Any]:
    return {"name": "评分表", "version": version, "range": [row.range_path for row in rows], "kind": [row.kind.value for row in rows],
            "text": [row.text for row in rows], "most": [f"{row.most / 2:g}" if row.most else "" for row in rows],
            "rule": [told(RowRule(row.kind, row.most, row.detail)) for row in rows], **more}


def test_the_editor_saves_without_leaving_the_page_and_says_what_is_wrong(world: BankWorld, enter: Callable[[Viewer], FlaskClient]) -> None:
    module = world.structure().modules[0]
    rubric = tasks.add_task(world.session, module, "DG4-1-01", tasks.TaskText("试题", 60), world.author, now=NOW).rubric
    world.session.commit()
    client, address = enter(world.author), f"/practical/rubrics/{rubric.id}"
    json_only = {"Accept": "application/json"}
    wrong = client.post(address, data=_form([RowDraft("甲", "1", 58), *ROWS[3:]], rubric.row_version), headers=json_only)
    assert wrong.status_code == 422
    assert wrong.get_json()["details"] == ["“继电控制电路装调维修”各行合计 29.0 分，应为 30.0 分"]
    unreadable = client.post(address, data=_form(list(ROWS), rubric.row_version) | {"rule": ["看着扣", "", "", "", ""]}, headers=json_only)
    assert unreadable.get_json()["details"][0].startswith("第 1 行：评分规则“看着扣”读不懂")
    good = client.post(address, data=_form(list(ROWS), rubric.row_version), headers=json_only)
    assert good.status_code == 200
    assert good.get_json()["rules"][0] == "每处扣 0.5 分，最多计 6 处"
    assert client.post(address, data=_form(list(ROWS), good.get_json()["version"] + 5), headers=json_only).status_code == 422  # somebody else saved
    page = client.get(address).text
    assert "标称 12 V：11.9～12.1 得 10 分；11.5～12.5 得 5 分；超出不得分" in page
    book = client.get(f"{address}/rubric.xlsx")
    uploaded = client.post(f"{address}/upload", data={"file": (BytesIO(book.data), "评分表.xlsx")})
    assert "已读入 5 行，还没有保存" in uploaded.text
    assert client.post(f"{address}/upload", data={"file": (BytesIO(b"GIF89a"), "评分表.xlsx")}).status_code == 422


def test_an_author_of_another_school_finds_no_rubric(world: BankWorld, people: Any, enter: Callable[[Viewer], FlaskClient]) -> None:
    rubric = world.task(world.structure().modules[0], "DG4-1-01").rubric
    stranger = people("外校命题员", Role.ITEM_AUTHOR, school=people.school("外校"))
    world.session.commit()
    client, address = enter(stranger), f"/practical/rubrics/{rubric.id}"
    assert [client.get(address).status_code, client.get(f"{address}/rubric.xlsx").status_code,
            client.post(f"{address}/upload").status_code, client.post(address).status_code] == [404] * 4
    assert rubric.name not in client.get("/practical/rubrics").text

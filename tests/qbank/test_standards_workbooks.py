"""Reading weight tables and 鉴定要素细目表 from Excel: merged cells, dashes, rows that are wrong."""

from __future__ import annotations

import time
from io import BytesIO
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from click.testing import CliRunner
from sqlalchemy.orm import Session

from qbank.kernel.access import Role
from qbank.kernel.commands import Installation
from qbank.kernel.db import Database
from qbank.kernel.refused import Refused
from qbank.kernel.settings import Settings
from qbank.standards.commands import group
from qbank.standards.intake import read_points
from qbank.standards.models import Subject, WeightTable
from qbank.standards.tables import add_occupation, add_standard
from qbank.standards.workbooks import EXAMPLE, keep_codes, level_of, points_sheet, read_weights, template
from tests.conftest import People

ELECTRICIAN: list[list[Any]] = [  # 电工 6-31-01-03 (2018), domain.md section 5
    ["职业功能", "五级/初级工(%)", "四级/中级工(%)", "三级/高级工(%)", "二级/技师(%)", "一级/高级技师(%)"],
    ["电器安装和线路敷设", 40, "-", "-", "-", "-"], ["继电控制电路装调维修", 40, 30, 15, "—", "-"],
    ["基本电子电路装调维修", 20, 15, "-", "-", "-"], ["电气设备(装置)装调维修", "-", 25, 30, 25, 45],
    ["自动控制电路装调维修", "-", 30, 20, 15, "-"], ["应用电子电路调试维修", "-", "-", 15, 20, "-"],
    ["交直流传动系统装调维修", "-", "-", 20, "-", "-"], ["交直流传动及伺服系统调试维修", "-", "-", "-", 30, "-"],
    ["电气自动控制系统调试维修", "-", "-", "-", "-", 40], ["培训与技术管理", "-", "-", None, 10, 15], ["合计", 100, 100, 100, 100, 100]]
HEAD: list[Any] = ["一级范围代码", "一级范围名称", "一级范围比重", "二级范围代码", "二级范围名称", "二级范围比重",
        "三级范围代码", "三级范围名称", "三级范围比重", "鉴定点代码", "鉴定点名称", "重要程度"]
COOK: list[list[Any]] = [  # 中式烹调师 (domain.md 5b), cut to a few ranges: 36 + 64 = 100, 5 + 31 = 36
    HEAD, ["A", "基本要求", 36, "A", "职业道德", 5, "A", "基本知识", 3, "001", "职业道德的含义", "X"],
    [None] * 9 + ["002", "职业道德的作用", "y"], [None] * 6 + ["B", "职业守则", 2, "001", "遵纪守法", "X"],
    [None] * 3 + ["B", "基础知识", 31, None, None, None, "001", "饮食卫生", "Z"],
    ["B", "相关知识要求", 64, "A", "菜肴制作", "64% (01:00:00)"] + [None] * 3 + ["001", "火候", "X"]]


def book(rows: list[list[Any]], sheet: str = "Sheet1", merge: tuple[str, ...] = ()) -> bytes:
    made = openpyxl.Workbook()
    page: Any = made.active
    page.title = sheet
    for row in rows:
        page.append(row)
    for area in merge:
        page.merge_cells(area)
    stream = BytesIO()
    made.save(stream)
    return stream.getvalue()


@pytest.mark.parametrize(("cell", "level"), [("五级/初级工", 5), ("中级工", 4), ("高 级 工 (%)", 3), ("技师", 2), ("高级技师", 1),
                                             ("二级/技师", 2), ("职业功能", None), ("三级工艺卡片的识读与编制的基本方法和步骤", None)])
def test_level_headings_are_known_however_they_are_written(cell: str, level: int | None) -> None:
    assert level_of(cell) == level


def test_the_electricians_five_columns_are_read_at_once() -> None:
    reading = read_weights(book([["电工技能要求权重表"], [], *ELECTRICIAN]), Subject.SKILL)
    assert reading.problems == []
    assert {level: column.problems for level, column in reading.columns.items()} == {5: [], 4: [], 3: [], 2: [], 1: []}
    assert [(draft.segments, draft.name, draft.weight) for draft in reading.columns[5].ranges] == [
        (("01",), "电器安装和线路敷设", 80), (("02",), "继电控制电路装调维修", 80), (("03",), "基本电子电路装调维修", 40)]
    assert [draft.segments for draft in reading.columns[1].ranges] == [("04",), ("09",), ("10",)]


def test_a_theory_table_gets_its_two_halves() -> None:
    rows: list[list[Any]] = [["项目", "", "四级", "三级"], ["基本要求", "职业道德", 5, 5], [None, "基础知识", 20, 15], ["相关知识要求", "安装", 75, 60],
            [None, "培训指导", "-", 20]]
    reading = read_weights(book(rows, merge=("A2:A3", "A4:A5")), Subject.THEORY)
    assert [(d.segments, d.name, d.weight) for d in reading.columns[3].ranges] == [
        (("A",), "基本要求", 40), (("A", "A"), "职业道德", 10), (("A", "B"), "基础知识", 30),
        (("B",), "相关知识要求", 160), (("B", "A"), "安装", 120), (("B", "B"), "培训指导", 40)]
    assert reading.columns[4].ranges[-1].name == "安装"
    plain = read_weights(book([["内容", "四级"], ["职业道德", 5], ["基础知识", 20], ["安装", 75]]), Subject.THEORY)
    assert plain.columns[4].ranges == reading.columns[4].ranges


def test_rows_that_cannot_be_read_are_named_as_excel_counts_them() -> None:
    rows: list[list[Any]] = [["技能要求权重表"], ["职业功能", "四级", "三级"], ["安装", "六十", 50], [None, 10, 5], ["空行", None, "-"], ["维修", 40.3, 60]]
    reading = read_weights(book(rows), Subject.SKILL)
    assert reading.problems == ["第 4 行：有比重但没有名称，请补上职业功能或鉴定范围的名称。",
                                "第 5 行“空行”：没有任何等级的比重，请填写，或删除这一行。"]
    assert reading.columns[4].problems == [
        "第 3 行“安装”，四级/中级工：“六十”不是比重，请填 0 到 100 的数字（可带 .5），没有此项就填“-”。",
        "第 6 行“维修”，四级/中级工：“40.3”不是 0.5 的整数倍，请核对。"]
    assert reading.columns[3].problems == ["三级/高级工 技能要求：各项比重合计 110，应为 100（50+60）。请对照标准原文改正后再保存。"]


def test_two_columns_of_one_level_are_a_problem() -> None:
    reading = read_weights(book([["职业功能", "四级", "中级工"], ["安装", 100, 100]]), Subject.SKILL)
    assert reading.problems == ["第 1 行：同一等级出现了两列，请保留一列。"]


@pytest.mark.parametrize(("content", "code"), [(book([]), "empty_workbook"), (b"PK\x03\x04", "broken_workbook"),
                                               (book([["甲", "乙"], [1, 2]]), "no_level_columns"),
                                               (book([["鉴定点代码", "鉴定点名称"], ["001", "安全"]]), "points_as_weights")])
def test_what_is_no_weight_table_is_refused(content: bytes, code: str) -> None:
    with pytest.raises(Refused, match=code):
        read_weights(content, Subject.SKILL)


def test_merged_cells_of_an_outline_are_filled_down() -> None:
    column = read_points(book(COOK, merge=("A2:A5", "B2:B5", "C2:C5")), 4).columns[4]
    assert column.problems == []
    assert [("-".join(d.segments), d.name, d.weight, [(p.segment, p.name, p.importance) for p in d.points])
            for d in column.ranges] == [
        ("A", "基本要求", 72, []), ("A-A", "职业道德", 10, []),
        ("A-A-A", "基本知识", 6, [("001", "职业道德的含义", "X"), ("002", "职业道德的作用", "Y")]),
        ("A-A-B", "职业守则", 4, [("001", "遵纪守法", "X")]), ("A-B", "基础知识", 62, [("001", "饮食卫生", "Z")]),
        ("B", "相关知识要求", 128, []), ("B-A", "菜肴制作", 128, [("001", "火候", "X")])]


def test_ranges_repeated_on_every_row_read_the_same_as_merged_ones() -> None:
    repeated = [row[:] for row in COOK]
    repeated[2][:9] = COOK[1][:9]
    repeated[3][:6] = COOK[1][:6]
    repeated[4][:3] = COOK[1][:3]
    assert read_points(book(repeated), 4).columns[4].ranges == read_points(book(COOK), 4).columns[4].ranges


def test_codes_typed_as_numbers_get_their_zeros_back() -> None:
    rows: list[list[Any]] = [HEAD, ["A", "甲", 100, *[None] * 6, 1, "点一", "X"], [None] * 9 + [12, "点二", "X"]]
    assert [p.segment for p in read_points(book(rows), 4).columns[4].ranges[0].points] == ["001", "012"]
    rows[1][9] = "01"  # an older table with two digits
    assert [p.segment for p in read_points(book(rows), 4).columns[4].ranges[0].points] == ["01", "12"]


@pytest.mark.parametrize(("row", "column", "value", "problem"), [
    (1, 11, "W", "第 2 行：鉴定点“职业道德的含义”的重要程度应为 X、Y 或 Z，现在是“W”。"),
    (2, 9, "001", "第 3 行：范围 A-A-A 里已有代码为 001 的鉴定点，请改其中一个。"),
    (2, 10, None, "第 3 行：鉴定点“002”缺少名称，请补上。"), (3, 8, None, "第 4 行：范围“职业守则”缺少比重，请补上。"),
    (3, 8, "两分", "第 4 行：“两分”不是比重，请填 0 到 100 的数字（可带 .5），没有此项就填“-”。"),
    (4, 3, None, "第 5 行：第 2 级范围“基础知识”缺少代码，请补上（如 A）。"),
    (3, 0, "A", None), (3, 1, "别的名称", "第 4 行：第 1 级范围“别的名称”缺少代码，请补上（如 A）。"),
    (5, 2, 63, "四级/中级工 理论知识：“相关知识要求”（B）比重为 63，下级合计 64（64），应相等。"),
    (1, 0, None, "第 2 行：第 1 级范围“基本要求”缺少代码，请补上（如 A）。")])
def test_a_bad_row_of_an_outline_is_named(row: int, column: int, value: Any, problem: str | None) -> None:
    rows: list[list[Any]] = [found[:] for found in COOK]
    rows[row][column] = value
    problems = read_points(book(rows), 4).columns[4].problems
    assert problems[:1] == ([problem] if problem else [])


def test_5000_rows_with_200_bad_ones_are_read_in_seconds() -> None:
    rows: list[list[Any]] = [HEAD, ["A", "甲", 100, *[None] * 6, "0001", "点1", "X"],
            *([None] * 9 + [f"{n:04d}", f"点{n}", "?" if n % 25 == 0 else "X"] for n in range(2, 5001))]
    content = book(rows)
    began = time.monotonic()
    problems = read_points(content, 4).columns[4].problems
    assert len(problems) == 200  # 25, 50, … 5000
    assert problems[0].startswith("第 26 行：鉴定点“点25”")
    assert time.monotonic() - began < 10


@pytest.mark.parametrize("kind", ["skill", "theory", "points"])
def test_every_template_is_read_by_its_own_reader(kind: str) -> None:
    content = template(kind)
    reading = read_points(content, 4) if kind == "points" else read_weights(content, Subject(kind))
    assert reading.problems == []
    assert all(not column.problems for column in reading.columns.values())
    assert len(reading.columns) == (1 if kind == "points" else 5)


def test_an_outline_deeper_than_the_template_is_refused() -> None:
    from qbank.standards.tables import RangeDraft

    assert read_points(points_sheet("表", EXAMPLE), 4).columns[4].ranges == EXAMPLE
    with pytest.raises(Refused, match="too_deep"):
        points_sheet("表", [RangeDraft(("A", "A", "A", "A"), "四级范围", 200)])


def test_functions_keep_their_codes_and_new_ones_get_free_ones() -> None:
    from qbank.standards.tables import RangeDraft

    held = [RangeDraft(("01",), "安装", 100), RangeDraft(("02",), "维修", 100)]
    fresh = [RangeDraft(("01",), "维修", 120), RangeDraft(("02",), "调试", 80)]
    assert [(d.name, d.segments) for d in keep_codes(fresh, held)] == [("维修", ("02",)), ("调试", ("03",))]


def test_the_console_lists_standards_and_imports_weights(session: Session, people: People, settings: Settings, database: Database,
                                                         tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wang, chen = people("王芳", Role.EXAM_OFFICER), people("陈晓", Role.ITEM_AUTHOR)
    occupation = add_occupation(session, "6-31-01-03", "电工", wang, catalogue_edition="2015")
    standard = add_standard(session, occupation, wang, edition="2018", title="电工国家职业技能标准")
    session.commit()
    installation = Installation(tmp_path)
    installation.__dict__.update(settings=settings, database=database)
    file = tmp_path / "weights.xlsx"
    file.write_bytes(book(ELECTRICIAN))

    def run(*words: str) -> Any:
        return CliRunner().invoke(group, [*words], obj=installation)

    assert "还没有权重表" in run("list").output
    command = ["import-weights", str(file), "--standard", str(standard.id), "--subject", "skill", "--source", "标准 4.2"]
    assert "不能修改权重表" in run(*command, "--as", chen.login).output
    done = run(*command, "--as", wang.login)
    assert done.exit_code == 0, done.output
    assert "五级/初级工技能要求" in run("list").output
    file.write_bytes(book([["职业功能", "五级", "四级"], ["安装", 100, 110]]))
    bad = run(*command, "--as", wang.login)
    assert bad.exit_code == 1
    assert "“110”大于 100" in bad.output
    with database.open(None, reads_only=True) as reading:
        assert reading.query(WeightTable).count() == 5


def test_levels_side_by_side_keep_the_order_of_the_printed_table(session: Session, people: People) -> None:
    from qbank.standards.intake import look, write
    from qbank.standards.sheet import abreast

    wang = people("王芳", Role.EXAM_OFFICER)
    occupation = add_occupation(session, "6-31-01-03", "电工", wang, catalogue_edition="2015")
    standard = add_standard(session, occupation, wang, edition="2018", title="电工国家职业技能标准")
    previews, _ = look(session, standard, book(ELECTRICIAN), "skill")
    write(session, standard, Subject.SKILL, {p.level: p.ranges for p in previews}, wang, is_sample=False, source="4.2")
    found = abreast(session, standard, Subject.SKILL)
    assert [name for _, name, _ in found.rows] == [
        "电器安装和线路敷设", "继电控制电路装调维修", "基本电子电路装调维修", "电气设备(装置)装调维修", "自动控制电路装调维修", "应用电子电路调试维修",
        "交直流传动系统装调维修", "交直流传动及伺服系统调试维修", "电气自动控制系统调试维修", "培训与技术管理"]
    assert found.sums == {5: 200, 4: 200, 3: 200, 2: 200, 1: 200}
    assert found.rows[-1][2] == {2: 20, 1: 30}

"""Papers from an Excel pool on the shell: the template, bad files by line, forms that keep what they promise."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import openpyxl
import pytest
from click.testing import CliRunner, Result

from qbank.kernel.refused import Refused
from qbank.papers.commands import group
from qbank.papers.excel_pool import read_pool, template

RANGES = {"A-A": 10, "A-B": 30, "B-A": 60}
PARTS = [("单选题", 40, 2), ("判断题", 20, 1)]


def pool(path: Path, **change: Any) -> Path:
    """300 items of three ranges; ``change`` replaces the rows of a sheet."""
    draw = np.random.default_rng(7)
    items: list[list[Any]] = [["题号*", "范围*", "题型*", "鉴定点", "重要程度", "难度", "答案", "字数", "a", "b", "c", "已用次数", "材料"]]
    for number in range(300):
        kind = "判断题" if number % 3 == 0 else "单选题"
        items.append([f"T{number:03d}", ("A-A", "A-B", "B-A", "B-A", "A-B")[number % 5], kind, f"P{number % 120}",
                      "XXXXYZ"[number % 6], int(draw.integers(1, 6)), "TF"[number % 2] if kind == "判断题" else "ABCD"[number % 4],
                      int(draw.integers(20, 90)), round(float(draw.uniform(0.7, 1.6)), 2),
                      round(float(draw.normal(-0.3, 0.8)), 2), 0, number % 3, None])
    ranges: list[list[Any]] = [["范围*", "名称", "权重%*"], *([path, f"范围{path}", weight] for path, weight in RANGES.items())]
    sheets: dict[str, list[list[Any]]] = {"试题": items, "范围": ranges, "题型": [["题型*", "题量*", "每题分值*"], *map(list, PARTS)],
                                          "互斥": [["题号一*", "题号二*"], ["T001", "T002"]], **change}
    book = openpyxl.Workbook()
    book.remove(book.worksheets[0])
    for name, rows in sheets.items():
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(row)
    book.save(path)
    return path


def ran(*words: str) -> Result:
    return CliRunner().invoke(group, ["assemble", *words])


def test_two_parallel_forms_come_from_a_workbook_and_are_written_to_one(tmp_path: Path) -> None:
    file, out = pool(tmp_path / "pool.xlsx"), tmp_path / "forms.xlsx"
    told = ran(str(file), "--out", str(out), "--forms", "2", "--seed", "3", "--overlap", "0")
    assert told.exit_code == 0, told.output
    assert "2 forms of 60 items from 300" in told.output
    book = openpyxl.load_workbook(out)
    assert book.sheetnames == ["概况", "A卷", "B卷", "范围", "符合性", "测量", "共用题"]
    forms = [[row for row in book[name].values if isinstance(row[1], int)] for name in ("A卷", "B卷")]
    for form in forms:
        assert [row[1] for row in form] == list(range(1, 61))
        assert sum(float(str(row[8])) for row in form) == 100
        for path, weight in RANGES.items():
            assert sum(float(str(row[8])) for row in form if row[4] == path) == weight
        names = {row[2] for row in form}
        assert not {"T001", "T002"} <= names
    assert not {row[2] for row in forms[0]} & {row[2] for row in forms[1]}
    assert book["测量"]._charts  # type: ignore[attr-defined]  # openpyxl has no other way to ask
    assert {row[7] for row in book["符合性"].values if row[6] == "硬"} == {"满足"}
    again = tmp_path / "again.xlsx"
    assert ran(str(file), "--out", str(again), "--forms", "2", "--seed", "3", "--overlap", "0").exit_code == 0
    assert [list(sheet.values) for sheet in openpyxl.load_workbook(again) if sheet.title.endswith("卷")] == [list(book[name].values) for name in ("A卷", "B卷")]


def test_the_template_is_read_back(tmp_path: Path) -> None:
    out = tmp_path / "template.xlsx"
    assert CliRunner().invoke(group, ["template", "--out", str(out)]).exit_code == 0
    assert openpyxl.load_workbook(BytesIO(template())).sheetnames == ["试题", "范围", "题型", "互斥"]
    told = ran(str(out), "--out", str(tmp_path / "x.xlsx"))
    assert told.exit_code == 1  # two items are no bank: what lacks is said
    assert "题" in told.output


HEAD = ["题号", "范围", "题型", "难度", "b"]


@pytest.mark.parametrize(("change", "words"), [
    ({"范围": [["范围", "权重%"], ["A-A", 60], ["A-B", 30]]}, "权重合计为 90，应为 100"),
    ({"范围": [["范围", "权重%"], ["A-A", "五"]]}, "工作表“范围”第 2 行：“权重%”应是 0.5 到 100 之间的数，现在是“五”"),
    ({"范围": [["范围", "名称"], ["A-A", "x"]]}, "工作表“范围”缺少列：权重%"),
    ({"题型": [["题型", "题量", "每题分值"], ["选词", 100, 1]]}, "工作表“题型”第 2 行：没有题型“选词”"),
    ({"题型": [["题型", "题量", "每题分值"], ["单选题", 50, 1]]}, "合计"),
    ({"试题": [HEAD]}, "工作表“试题”里没有试题"),
    ({"试题": [["编号"], ["1"]]}, "工作表“试题”里没有列标题“题号”"),
    ({"试题": [HEAD, ["T1", "A-A", "单选题", 3, 0], ["T1", "C-C", "单选题", 3, 0]]}, "题号“T1”是空的，或与第 2 行重复"),
    ({"试题": [HEAD, ["T1", "C-C", "单选题", 3, 0]]}, "范围“C-C”不在工作表“范围”里"),
    ({"试题": [HEAD, ["T1", "A-A", "单选题", 9, 0]]}, "“难度”应是 1 到 5 之间的数，现在是“9”"),
    ({"试题": [HEAD, ["T1", "A-A", "单选题", 3, "nan1"]]}, "“b”应是 -10 到 10 之间的数，现在是“nan1”"),
    ({"互斥": [["题号一", "题号二"], ["T001", "没有"]]}, "工作表“互斥”第 2 行"),
])
def test_a_bad_workbook_is_refused_by_sheet_and_line(tmp_path: Path, change: dict[str, Any], words: str) -> None:
    with pytest.raises(Refused) as refused:
        read_pool(pool(tmp_path / "pool.xlsx", **change).read_bytes())
    assert words in "\n".join((refused.value.sentence, *refused.value.details))


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 broken", "题号,范围\n1,A".encode(), b"\xd0\xcf\x11\xe0" + b"\0" * 600])
def test_what_is_no_workbook_ends_with_a_sentence_not_a_traceback(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "pool.xlsx"
    file.write_bytes(content)
    told = ran(str(file), "--out", str(tmp_path / "out.xlsx"))
    assert told.exit_code == 1
    assert "不是可以读取的 Excel 工作簿" in told.output
    assert not (tmp_path / "out.xlsx").exists()


def test_a_bank_that_is_too_small_says_what_lacks(tmp_path: Path) -> None:
    told = ran(str(pool(tmp_path / "pool.xlsx")), "--out", str(tmp_path / "out.xlsx"), "--forms", "9", "--overlap", "0")
    assert told.exit_code == 1
    assert "按现有要求无法组卷" in told.output or "题库" in told.output

"""Workbooks that would end the server: judged before they are read. Small files, refused in bounds of memory."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from contextlib import suppress

import pytest
import xlsxwriter
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from examroom.filing import annexes
from examroom.filing import rows as filing_rows
from examroom.plans import roster
from qbank.kernel import workbooks
from qbank.kernel.refused import Refused
from qbank.kernel.workbooks import frames
from qbank.papers.excel_pool import read_pool
from qbank.standards import workbooks as weights
from qbank.statistics.response_files import read_responses
from scoring.certificates import layout, receipts
from scoring.practical import register_import, rubric_workbook

UNREADABLE = Refused("unreadable", "读不出来。")


def book(*cells: tuple[int, int], sheets: int = 1) -> bytes:
    stream = io.BytesIO()
    made = xlsxwriter.Workbook(stream, {"in_memory": True})
    for _ in range(sheets):
        sheet = made.add_worksheet()
        for row, column in cells:
            sheet.write(row, column, f"{row}/{column}")
    made.close()
    return stream.getvalue()


def with_sheet(change: Callable[[bytes], bytes], content: bytes = b"", more: dict[str, bytes] | None = None) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content or book((0, 0), (1, 1)))) as old, zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            new.writestr(name, change(old.read(name)) if name.endswith("sheet1.xml") else old.read(name))
        for name, part in (more or {}).items():
            new.writestr(name, part)
    return stream.getvalue()


FAR = {
    "two corners": book((0, 0), (1048575, 16383)),
    "many sheets": book((0, 0), (1200, 1200), sheets=8),
    "no references but a far row": with_sheet(lambda text: text.replace(b'<row r="2"', b'<row r="1048576"').replace(b'r="B2"', b"").replace(
        b'r="A1"', b'r="XFD1"')),
    "hidden behind a sign": with_sheet(lambda text: text.replace(b'<c r="B2"', b'<c cm=">" r = \'XFD1048576\'')),
    "small letters": with_sheet(lambda text: text.replace(b'r="B2"', b'r="xfd1048576"')),
    "another name for the sheet": with_sheet(lambda text: text, book((0, 0), (1048575, 16383)), {"xl/more.xml": b"<a/>"}),
    "in utf-16": with_sheet(lambda text: text.replace(b'r="B2"', b'r="XFD1048576"').replace(b"UTF-8", b"UTF-16").decode().encode("utf-16")),
    "squeezed": with_sheet(lambda text: text, more={f"xl/{number}.xml": b" " * 2**25 for number in range(8)}),
}


@pytest.mark.parametrize("name", FAR)
def test_a_sheet_that_reaches_too_far_is_refused_before_it_is_read(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert len(FAR[name]) < 10**6
    monkeypatch.setattr("pandas.read_excel", lambda *_, **__: pytest.fail("it was read"))
    with pytest.raises(Refused, match="太大"):
        frames(FAR[name], UNREADABLE)


def test_styled_empty_cells_far_away_do_no_harm() -> None:
    """Whole rows that somebody coloured: no reader lays them out."""
    content = with_sheet(lambda text: text.replace(b"</row>", b'<c r="XFD1" s="0"/></row>', 1))
    assert frames(content, UNREADABLE)["Sheet1"].shape == (2, 2)


@pytest.mark.parametrize("content", [
    b"", b"PK\x03\x04", book((0, 0))[:-40], book((0, 0))[:300], with_sheet(lambda text: text[:-30]),
    with_sheet(lambda text: b'<!DOCTYPE a [<!ENTITY b "c">]>' + text), with_sheet(lambda text: text.replace(b'r="A1"', b'r="1A"')),
    with_sheet(lambda text: text.replace(b'r="1"', b'r="x"')), b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(2000), b"\xd0\xcf\x11\xe0"])
def test_what_is_no_workbook_is_refused_in_its_room_s_words(content: bytes) -> None:
    with pytest.raises(Refused, match="读不出来"):
        frames(content, UNREADABLE)


def test_formats_whose_extent_nobody_measures_are_not_read() -> None:
    """An .ods says "repeat this a million times", an .xlsb holds no XML: both begin as an .xlsx does."""
    for name in ("content.xml", "xl/workbook.bin"):
        stream = io.BytesIO()
        with zipfile.ZipFile(stream, "w") as made:
            made.writestr(name, "<a/>")
        with pytest.raises(Refused, match="读不出来"):
            frames(stream.getvalue(), UNREADABLE)


def test_an_old_workbook_is_measured_by_a_child_that_may_die(monkeypatch: pytest.MonkeyPatch) -> None:
    assert workbooks._extents_of_xls(book((0, 0), (4, 2))) == [15]  # the child tells formats apart by itself
    with pytest.raises(Refused, match="太大"):
        workbooks._extents_of_xls(FAR["two corners"])
    monkeypatch.setattr(workbooks, "MEASURE", "import os; os.abort()")
    with pytest.raises(Refused, match="太大"):
        frames(b"\xd0\xcf\x11\xe0" + bytes(600), UNREADABLE)
    monkeypatch.setattr(workbooks, "MEASURE", "print('[[70000, 256]]')")
    with pytest.raises(Refused, match="太大"):
        frames(b"\xd0\xcf\x11\xe0" + bytes(600), UNREADABLE)


def answered(content: bytes) -> None:
    receipts.answers_in(content, layout.default().receipt)


READERS: dict[str, Callable[[bytes], object]] = {
    "roster": roster.read_roster, "weights": weights.sheets, "staff of an application": lambda content: filing_rows.read(annexes.PARTS[0], content),
    "assessors": register_import.read_lines, "rubric": rubric_workbook._lines, "receipt": answered, "pool": read_pool,
    "responses": lambda content: read_responses(content, "答案.xlsx")}


@pytest.mark.parametrize("name", READERS)
def test_every_reader_of_workbooks_refuses_them(name: str) -> None:
    for content in (FAR["two corners"], FAR["squeezed"], book((0, 0))[:-40], b"PK\x03\x04", b"\xd0\xcf\x11\xe0"):
        with pytest.raises(Refused):
            READERS[name](content)


@pytest.mark.parametrize("name", READERS)
def test_whatever_is_in_the_cells_ends_in_rows_or_a_refusal(name: str) -> None:
    """Cells with what nobody should type, under the heads that the readers look for."""
    heads = ["姓名", "身份证号码", "学号", "处理结果", "证书编号", "配分", "评分内容", "鉴定范围", "题号", "等级", "登录名", "id", "key"]
    cell = st.one_of(st.sampled_from(heads), st.text(max_size=12), st.sampled_from(["=1+1", "NA", "1e309", "２", "\x0b", "-", "9" * 30, "430102200801010019"]))

    @settings(max_examples=15, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck))
    @given(st.lists(st.lists(cell, max_size=8), max_size=6))
    def run(lines: list[list[str]]) -> None:
        stream = io.BytesIO()
        made = xlsxwriter.Workbook(stream, {"in_memory": True, "strings_to_formulas": False})
        sheet = made.add_worksheet("题库")
        for row, line in enumerate([heads, *lines]):
            for column, text in enumerate(line):
                sheet.write_string(row, column, "".join(one for one in text if one.isprintable()))
        made.close()
        with suppress(Refused):
            READERS[name](stream.getvalue())

    run()

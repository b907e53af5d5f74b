"""Tables from elsewhere: csv in every encoding, columns with other names, options in one cell; and the one door in and out."""

from __future__ import annotations

import io
import re
import zipfile
from pathlib import Path

import openpyxl
import openpyxl.drawing.image
import pytest
import sqlalchemy as sa
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from sqlalchemy.orm import Session

from qbank import exchange
from qbank.exchange import batches, readers, sheets, tabular
from qbank.exchange.drafts import Drafts, Found
from qbank.exchange.mapping import COLUMNS, Choice, column_of, guess, guess_kind, split_options
from qbank.items.draft import Draft, normalise, problems
from qbank.items.models import ColumnMapping, ImportFile, ImportRow
from qbank.items.states import BatchState, RowVerdict
from qbank.kernel.access import Role, Viewer
from qbank.kernel.refused import Refused
from qbank.standards.models import WeightTable
from tests.conftest import People, TestClock
from tests.qbank.bank_world import OHM, TITLES, book, ohm, row
from tests.qbank.conftest import Upload


def csv_of(*rows: list[str], separator: str = ",") -> str:
    return "\r\n".join(separator.join(map(str, cells)) for cells in (TITLES, *rows)) + "\r\n"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gbk", "gb18030", "utf-16"])
@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_csv_in_every_encoding_and_with_every_separator(encoding: str, separator: str) -> None:
    text = csv_of(row(1, **{"选项C": "千欧（kΩ）"}), row(2), separator=separator)
    found = exchange.read(io.BytesIO(text.encode(encoding)))
    assert found.format == "csv"
    assert [(one.draft.stem, one.draft.options[2], one.place) for one in found.items] == [
        ("第1题，电压的单位是（　　）。", "千欧（kΩ）", "第 2 行"), ("第2题，电压的单位是（　　）。", "欧姆", "第 3 行")]


def test_csv_goes_through_the_same_preview(session: Session, upload: Upload, chen: Viewer, clock: TestClock) -> None:
    batch = upload(csv_of(row(1), row(2, **{"答案": "E"})).encode("gbk"), "电工.csv")
    assert batch.format == "csv"
    assert batches.counts(session, batch)[RowVerdict.WRONG] == 1
    assert batches.apply(session, batch, chen, now=clock()) == 1


@pytest.mark.parametrize(("content", "name", "word"), [
    (b"a" * 2_000_000, "一行.csv", "万字"),
    (("x," * 1_000_000).encode(), "一行.csv", "万字"),
    ("只有一列\n没有分列\n".encode(), "一列.csv", "没有分列"),
    (b"\xff\xfe\x00\xd8,,", "坏.csv", "编码无法识别"),
    (b'"' + b"a,b\n" * 40_000, "没有结束的引号.csv", "没有分列"),
])
def test_hostile_csv_gets_a_sentence(content: bytes, name: str, word: str) -> None:
    with pytest.raises(Refused, match=word):
        exchange.read(io.BytesIO(content), "csv")


def archive(**parts: bytes) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as made:
        for name, content in parts.items():
            made.writestr(name.replace("__", "/"), content)
    return stream.getvalue()


@pytest.mark.parametrize(("content", "word"), [
    (archive(**{"xl/workbook.xml": b"", "xl/vbaProject.bin": b""}), "带有宏"),
    (archive(**{"word/document.xml": b"", "word/vbaProject.bin": b""}), "带有宏"),
    (b"\xd0\xcf\x11\xe0" + "_VBA_PROJECT".encode("utf-16-le"), "带有宏"),
    (b"\xd0\xcf\x11\xe0" + "WordDocument".encode("utf-16-le"), r"另存为 \.docx"),
    (archive(**{f"xl/{n}": b"0" * 40_000_000 for n in range(8)}), "展开后太大"),
    (archive(**{f"xl/{n}": b"" for n in range(5001)}), "展开后太大"),
    (archive(**{"a.txt": b"x"}), "里面没有试题"),
    (b"PK\x03\x04 cut", "打不开"),
    (b"\x89PNG...", "是图片"),
    (b"Rar!...", "RAR"),
    (b"", "空文件"),
])
def test_hostile_files_get_a_sentence(content: bytes, word: str) -> None:
    with pytest.raises(Refused, match=word):
        exchange.read(io.BytesIO(content))


def test_a_file_that_is_too_large_is_refused_before_it_is_read(tmp_path: Path) -> None:
    large = tmp_path / "大.xlsx"
    with large.open("wb") as stream:
        stream.truncate(200 * 1024 * 1024)  # a hole: nothing is written
    with pytest.raises(Refused, match="超过 100 MB"):
        exchange.read(large)


FOREIGN = ("序号", "题目内容", "备选答案", "正确答案", "知识点", "出题人")


def foreign_book() -> bytes:
    return book(["1", "电压的单位是？", "A.伏特 B.安培　C.欧姆", "A", "安全用电要点1", "王"],
                ["2", "电流的单位有？", "A.伏特\nB.安培\nC.毫安", "BC", "安全用电要点2", "王"],
                ["3", "电流有方向", "", "√", "电路基础要点3", "王"], ["4", "电压的单位是____。", "", "伏特", "不知道", "王"],
                titles=FOREIGN, above=2)


def test_a_foreign_layout_is_named_once_and_known_the_next_time(
        session: Session, upload: Upload, chen: Viewer, clock: TestClock) -> None:
    batch = upload(foreign_book())
    assert batch.state is BatchState.MAPPING
    [sheet] = batch.layout
    assert (sheet["head"], sheet["columns"]) == (2, ["", "题干", "选项", "答案", "鉴定点", ""])
    assert session.get(ImportFile, batch.id)  # kept until it is read
    batches.name_columns(session, batch, [Choice(2, sheet["columns"], {"难度": "2"})], chen, now=clock())
    assert batch.state.value == "checking"
    batches.settle(session, batch, batches.read(session, batch))
    found = session.scalars(sa.select(ImportRow).where(ImportRow.batch_id == batch.id).order_by(ImportRow.id)).all()
    assert [(one.cells["题型"], one.cells.get("选项C"), one.cells["难度"], one.verdict.value) for one in found] == [
        ("单选题", "欧姆", "2", "good"), ("多选题", "毫安", "2", "good"), ("判断题", None, "2", "good"), ("填空题", None, "2", "unmatched")]
    assert batches.apply(session, batch, chen, now=clock()) == 3
    again = upload(book(["9", "磁通的单位是？", "A.韦伯 B.特斯拉", "A", "安全用电要点1", "李"], titles=FOREIGN))
    assert again.state is BatchState.PREVIEWED
    assert again.notes == ["工作表“题目”的各列按以前指定的对应关系读取。"]
    assert batches.counts(session, again)[RowVerdict.GOOD] == 1
    assert len(session.scalars(sa.select(ColumnMapping)).all()) == 1


@pytest.mark.parametrize(("columns", "word"), [(["题干"], "哪一列是答案"), (["题干", "答案", "答案"], "都指定为答案")])
def test_columns_that_make_no_sense_are_refused(
        session: Session, upload: Upload, chen: Viewer, clock: TestClock, columns: list[str], word: str) -> None:
    batch = upload(foreign_book())
    with pytest.raises(Refused, match=word):
        batches.name_columns(session, batch, [Choice(2, columns)], chen, now=clock())
    with pytest.raises(Refused, match="nothing_chosen"):
        batches.name_columns(session, batch, [None], chen, now=clock())
    assert batch.state is BatchState.MAPPING


def test_a_sheet_without_a_head_can_be_named_too(session: Session, upload: Upload, chen: Viewer, clock: TestClock) -> None:
    batch = upload(book(["电流的单位是？", "A.安培 B.伏特", "A"], titles=("电压的单位是？", "A.伏特 B.安培", "A")))
    batches.name_columns(session, batch, [Choice(sheets.NO_HEAD, ["题干", "选项", "答案"], {"鉴定点": "A-A-001", "难度": "3"})], chen, now=clock())
    batches.settle(session, batch, batches.read(session, batch))
    assert batches.counts(session, batch)[RowVerdict.GOOD] == 2
    assert session.scalars(sa.select(ColumnMapping)).all() == []


def test_the_layout_of_one_school_is_not_another_s(
        session: Session, upload: Upload, people: People, table: WeightTable, chen: Viewer, clock: TestClock) -> None:
    batch = upload(foreign_book())
    batches.name_columns(session, batch, [Choice(2, batch.layout[0]["columns"])], chen, now=clock())
    other = people.school("衡州技师学院（演示）")
    wu = people("吴强", Role.ITEM_AUTHOR, school=other)
    assert batches.upload(session, table, other.id, "题库.xlsx", foreign_book(), wu, now=clock()).state is BatchState.MAPPING


@pytest.mark.parametrize("titles", [TITLES[:6], (*TITLES, "正确答案"), (*TITLES[:4], "甲", "乙", "丙", "丁", "戊", *TITLES[9:])])
def test_our_own_layout_with_a_column_missing_or_twice_is_asked_about(upload: Upload, titles: list[str]) -> None:
    batch = upload(book(row(1), titles=titles))
    assert batch.state is BatchState.MAPPING
    assert batch.layout[0]["columns"].count("答案") == 1  # by its title, else by what stands in it


@pytest.mark.parametrize(("text", "options"), [
    ("A.伏特 B.安培 C.欧姆", ["伏特", "安培", "欧姆"]), ("A、伏特；B、安培；", ["伏特", "安培"]), ("（A）伏特（B）安培", ["伏特", "安培"]),
    ("A. 1.5 V\nB. 2.5 V", ["1.5 V", "2.5 V"]), ("伏特\n安培\n欧姆", ["伏特", "安培", "欧姆"]), ("伏特|安培", ["伏特", "安培"]),
    ("A．维生素A：脂溶 B．维生素B：水溶", ["维生素A：脂溶", "维生素B：水溶"]), ("Ａ．是　Ｂ．否", ["是", "否"]), ("", []),
])
def test_options_in_one_cell(text: str, options: list[str]) -> None:
    assert list(split_options(text).values()) == options


def test_columns_are_guessed_by_what_stands_in_them() -> None:
    lines = [["甲", "乙", "丙", "丁", "戊"], ["电压的单位是什么？", "A", "单选", "易", "B-A-C"], ["电流有方向吗，请判断？", "√", "判断", "难", "B-A-C"]]
    assert guess(lines, 0, 5) == ["题干", "答案", "题型", "难度", "鉴定范围"]


@pytest.mark.parametrize(("title", "ours"), [("选项a", "选项A"), ("A选项", "选项A"), ("Ｂ", "选项B"), ("答案（必填）", "答案"), ("考点", "鉴定点"),
                                             ("出题人", "出题人"), ("备选答案", "选项")])
def test_titles(title: str, ours: str) -> None:
    assert column_of(title) == ours


def test_kinds_are_guessed() -> None:
    assert guess_kind({"选项A": "x", "选项B": "y", "答案": "A"}) == "单选题"
    assert guess_kind({"选项A": "x", "选项B": "y", "答案": "A，B"}) == "多选题"
    assert guess_kind({"题干": "____", "答案": "伏特"}) == "填空题"
    assert guess_kind({"题干": "为什么？", "答案": "因为。"}) == "简答题"


LINES = st.text("甲乙丙丁abAB12=+-@'\"$_|,;\t", min_size=1, max_size=12).map(str.strip).filter(bool)


@st.composite
def drafts(draw: st.DrawFn) -> Draft:
    """Normalised drafts of every kind; texts with all that a spreadsheet might take for something else."""
    kind = draw(st.sampled_from(["single", "multiple", "judge", "fill", "short", "essay"]))
    options = draw(st.lists(LINES, min_size=2, max_size=5)) if kind in {"single", "multiple"} else []
    key = {"single": "A", "multiple": "AB", "judge": draw(st.sampled_from("TF"))}.get(kind) or "\n".join(draw(st.lists(LINES, min_size=1, max_size=3)))
    return normalise(Draft(
        kind, draw(LINES), tuple(options), key, draw(LINES), draw(LINES), draw(st.integers(1, 5)), "A-A", "001",
        guide=draw(LINES) if kind in {"short", "essay"} else "", stimulus=draw(st.just("") | LINES), source_page=draw(LINES),
        source_author=draw(LINES)))


@pytest.mark.parametrize("form", ["excel", "csv"])
@settings(max_examples=25, deadline=None)
@given(items=st.lists(drafts(), min_size=1, max_size=4))
def test_tables_come_back_as_they_went_out(form: str, items: list[Draft]) -> None:
    stream = io.BytesIO()
    report = exchange.write(items, stream, form)
    assert (report.written, report.losses) == (len(items), ())
    stream.seek(0)
    assert [one.draft for one in exchange.read(stream, form).items] == items


def test_no_cell_becomes_a_formula() -> None:
    evil = ohm(stem="=HYPERLINK(\"http://x\",\"y\")（　　）", options=("+1", "-1", "@SUM(A1)", "=1+1"))
    excel, text = io.BytesIO(), io.BytesIO()
    exchange.write([evil], excel, "excel")
    exchange.write([evil], text, "csv")
    cells = list(openpyxl.load_workbook(excel).active.iter_rows())[1]  # type: ignore[union-attr]
    assert {cell.data_type for cell in cells if cell.value} == {"s"}
    assert not re.search(r'(^|,)"?[=+@-]', text.getvalue().decode("utf-8-sig").splitlines()[1])


def test_pictures_and_long_texts_are_lost_with_a_sentence() -> None:
    sha = "a" * 64
    report = exchange.write(Drafts((Found(ohm(stem=f"看图![图](media:{sha})（　　）"), "第 1 题"),), "word", {sha: b"x"}), io.BytesIO(), "excel")
    assert [(loss.place, loss.field) for loss in report.losses] == [("第 1 题", "题干")]
    assert "1 幅图片" in report.losses[0].sentence
    report = exchange.write([ohm(explanation="长" * 40_000)], io.BytesIO(), "excel")
    assert "单元格只能放" in report.losses[0].sentence


def test_unknown_formats_are_refused() -> None:
    with pytest.raises(Refused, match="没有“docx”这种格式"):
        exchange.read(io.BytesIO(b"x"), "docx")
    with pytest.raises(Refused, match="不能导出"):
        exchange.write([OHM], io.BytesIO(), "text")


def test_every_format_that_is_offered_is_there() -> None:
    for one in readers.FORMATS.values():
        assert one.readable, one.name
        assert callable(readers.loaded(one.reads))
        if one.writes:
            assert callable(readers.loaded(one.writes)), one.name


WRITABLE = [one.name for one in readers.FORMATS.values() if one.writes]


@pytest.mark.parametrize("form", WRITABLE)
def test_what_is_written_is_known_again_by_its_content(form: str) -> None:
    stream = io.BytesIO()
    exchange.write([OHM, ohm(1)], stream, form)
    assert readers.sniff(stream.getvalue(), "不知道") == form
    stream.seek(0)
    found = exchange.read(stream)
    assert [one.draft.key for one in found.items] == ["C", "C"]
    assert all("电阻的单位是" in one.draft.stem for one in found.items)


@pytest.mark.parametrize(("text", "form"), [
    ("1. 电阻的单位是（ ）。\nA. 伏特 B. 欧姆\n答案：B", "text"), ("电阻的单位是？\nA. 伏特\nB. 欧姆\nANSWER: B", "aiken"),
    ("::题一:: 电阻的单位是 {=欧姆 ~伏特}", "gift"), ("电流有方向{T}", "gift"), ("鉴定范围,鉴定点,题型,题干,答案\nA,1,单选,x,A", "csv"),
    ("<?xml version='1.0'?><quiz></quiz>", "moodle"), ("<assessmentItem xmlns='http://www.imsglobal.org/xsd/imsqti_v2p2'/>", "qti22"),
    ("<qti-assessment-item/>", "qti30"), ("集合{1,2,3}的元素个数是（　）\nA.1 B.3\n答案 B", "text"),
])
def test_plain_texts_are_told_apart(text: str, form: str) -> None:
    assert readers.sniff(text.encode(), "文件.txt") == form


def test_our_titles_stand_in_the_template_s_order() -> None:
    assert COLUMNS[:4] == ("鉴定范围", "鉴定点", "题型", "题干")
    draft = normalise(Draft("short", "说明步骤。", (), "停电、验电。", "", "", 3, "A-A", "001", guide="2|停电\n2|验电", stimulus="材料", source_page="3",
                            source_author="张三"))
    assert problems(draft) == []
    stream = io.BytesIO()
    tabular.write_excel(Drafts((Found(draft, ""),), "excel"), stream)
    assert tabular.read_excel(stream.getvalue(), "x").items[0].draft == draft


def test_pictures_on_a_sheet_are_spoken_of(upload: Upload, tmp_path: Path) -> None:
    workbook = openpyxl.load_workbook(io.BytesIO(book(row(1))))
    Image.new("RGB", (10, 10)).save(tmp_path / "p.png")
    workbook.active.add_image(openpyxl.drawing.image.Image(str(tmp_path / "p.png")), "B9")  # type: ignore[union-attr]
    stream = io.BytesIO()
    workbook.save(stream)
    batch = upload(stream.getvalue())
    assert batch.notes == ["工作簿里有 1 幅图片：单元格带不走图片，请在导入后把图片插入到有关的题里，或改用 Word 文档导入。"]

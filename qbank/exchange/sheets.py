"""Reading a workbook of items: sheets, heads and rows as they stand, nothing judged but the file itself. Pure."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field

import pandas as pd

from qbank.items.draft import LETTERS
from qbank.items.writing import clean, half_width
from qbank.kernel.refused import Refused

OPTION_COLUMNS = tuple(f"选项{letter}" for letter in LETTERS)
COLUMNS = ("鉴定范围", "鉴定点", "题型", "题干", *OPTION_COLUMNS, "答案", "难度", "解析", "出处")
REQUIRED = ("鉴定范围", "鉴定点", "题型", "题干", "答案", "难度")
ALIASES = {"题目": "题干", "试题": "题干", "试题内容": "题干", "题干内容": "题干", "正确答案": "答案", "标准答案": "答案",
           "参考答案": "答案", "难度等级": "难度", "答案解析": "解析", "试题解析": "解析", "题目解析": "解析", "试题类型": "题型",
           "题目类型": "题型", "类型": "题型", "鉴定范围代码": "鉴定范围", "鉴定范围编码": "鉴定范围", "鉴定点代码": "鉴定点",
           "鉴定点编码": "鉴定点", "来源": "出处", "依据": "出处"}
OWN_SHEETS = ("填写说明", "鉴定点一览")  # of the template
OWN_COLUMNS = ("错误", "原工作表", "原行号", "题号", "版本", "状态", "重要程度", "命题员", "编写时间")  # of our error files and exports
HEAD_ROWS = 10
MOST_ROWS = 20_000
MOST_BYTES = 300 * 1024 * 1024  # unpacked: a small zip can hold gigabytes


@dataclass(frozen=True)
class SheetRow:
    """One row that is not empty. ``cells``: title → text, known titles in canonical writing."""

    sheet: str
    number: int  # as Excel counts
    cells: dict[str, str]


@dataclass
class Workbook:
    """What was read, and in ``notes`` what was not, one sentence each."""

    rows: list[SheetRow] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def read_workbook(content: bytes, file_name: str) -> Workbook:
    """All item sheets of an .xlsx or .xls file. Refuses a file that cannot be read or has no item sheet."""
    read = Workbook()
    for name, frame in _frames(content, file_name).items():
        lines = [[cell if isinstance(cell, str) else "" for cell in line] for line in frame.to_numpy(dtype=object)]
        head, titles = _head(lines)
        known = [title for title in titles if title in COLUMNS]
        if len(known) < 3:
            if name not in OWN_SHEETS and any(any(line) for line in lines):
                read.notes.append(f"工作表“{name}”的前 {HEAD_ROWS} 行里没有找到表头，没有读取。")
            continue
        _check_titles(name, titles, known)
        if unknown := [title for title in titles if title and title not in COLUMNS + OWN_COLUMNS]:
            read.notes.append(f"工作表“{name}”中的列“{'”“'.join(unknown)}”不是题库的列，已忽略。")
        read.rows += _rows(name, lines, head, titles)
        if len(read.rows) > MOST_ROWS:
            raise Refused("too_many_rows", f"文件超过 {MOST_ROWS} 行，请拆成几个文件分别导入。")
    if not read.rows:
        raise Refused("nothing_to_read", _why_nothing(read.notes, file_name))
    return read


def column_of(title: str) -> str:
    """The canonical title of a column: ``选项a``, ``A`` and ``答案（必填）`` are understood."""
    text = re.sub(r"\(.*?\)|[\s*:]", "", half_width(title))
    if found := re.fullmatch(r"(?:选项|备选项|答案选项)?([A-Ja-j])(?:选项)?", text):
        return f"选项{found.group(1).upper()}"
    return text if text in COLUMNS else ALIASES.get(text, clean(title))


def _frames(content: bytes, file_name: str) -> dict[str, pd.DataFrame]:
    if content[:4] == b"PK\x03\x04":
        _check_archive(content, file_name)
    elif content[:4] != b"\xd0\xcf\x11\xe0":
        raise Refused("wrong_file_type", f"“{file_name}”不是 Excel 工作簿（CSV、文本和改了扩展名的文件都不能直接导入）。"
                                         "请在 Excel 或 WPS 中打开，另存为 .xlsx 后再上传。")
    try:
        # Without na_filter=False an option that reads "NA" or "null" would become an empty cell.
        return pd.read_excel(io.BytesIO(content), engine="calamine", dtype=str, header=None, sheet_name=None,
                             na_filter=False)
    except BaseException as error:  # a panic of the reader's Rust part is not an Exception
        if isinstance(error, KeyboardInterrupt | SystemExit | MemoryError):
            raise
        raise _unreadable(file_name) from error


def _check_archive(content: bytes, file_name: str) -> None:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            names = archive.namelist()
            size = sum(entry.file_size for entry in archive.infolist())
    except (zipfile.BadZipFile, ValueError, OSError, NotImplementedError) as error:
        raise _unreadable(file_name) from error
    if not any(name.startswith("xl/") for name in names):
        raise Refused("wrong_file_type", f"“{file_name}”是压缩包或其他文档，不是 Excel 工作簿。请在 Excel 或 WPS 中另存为 .xlsx 后再上传。")
    if size > MOST_BYTES:
        raise Refused("too_large", f"“{file_name}”展开后太大，请删去图片和多余的工作表，或拆成几个文件。")


def _unreadable(file_name: str) -> Refused:
    return Refused("unreadable", f"“{file_name}”打不开：文件可能已损坏、没有传完整，或设有打开密码。"
                                 "请用 Excel 或 WPS 打开确认，另存为不带密码的 .xlsx 后再上传。")


def _head(lines: list[list[str]]) -> tuple[int, list[str]]:
    """The row among the first ten with the most known titles, and its titles."""
    best, titles = 0, [""]
    for index, line in enumerate(lines[:HEAD_ROWS]):
        found = [column_of(cell) for cell in line]
        if sum(title in COLUMNS for title in found) > sum(title in COLUMNS for title in titles):
            best, titles = index, found
    return best, titles


def _check_titles(sheet: str, titles: list[str], known: list[str]) -> None:
    if missing := [title for title in REQUIRED if title not in known]:
        raise Refused("missing_columns", f"工作表“{sheet}”缺少列：{'、'.join(missing)}。请按模板补上这些列的标题后重新上传。")
    if twice := sorted({title for title in known if known.count(title) > 1}):
        raise Refused("column_twice", f"工作表“{sheet}”有重复的列：{'、'.join(twice)}。请只保留一列后重新上传。")


def _rows(sheet: str, lines: list[list[str]], head: int, titles: list[str]) -> Iterator[SheetRow]:
    places = [(place, title or f"第{place + 1}列") for place, title in enumerate(titles)]
    for number, line in enumerate(lines[head + 1:], start=head + 2):
        cells = {title: text for place, title in places if (text := clean(line[place]))}
        if cells:
            yield SheetRow(sheet, number, cells)


def _why_nothing(notes: list[str], file_name: str) -> str:
    if notes and all("没有找到表头" in note for note in notes):
        return (f"“{file_name}”里没有找到题目表。表头应在前 {HEAD_ROWS} 行内，包含：{'、'.join(REQUIRED)}。"
                "请下载模板对照后重新上传。")
    return f"“{file_name}”里没有题目：工作表是空的，或只有表头。请填写后重新上传。"

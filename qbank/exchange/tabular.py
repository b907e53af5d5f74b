"""Tables as files: Excel workbooks and csv, read into lines and written from drafts. Pure."""

from __future__ import annotations

import codecs
import csv
import io
import re
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, BinaryIO

import xlsxwriter

from qbank.exchange.drafts import Drafts, Found, Loss, LossReport
from qbank.exchange.mapping import COLUMNS, OPTION_COLUMNS, REQUIRED, Choice
from qbank.exchange.rows import cells_of_found, draft_of_cells
from qbank.exchange.sheets import Lines, SheetRow, Workbook, plain_cell, rows_of, safe_cell
from qbank.items.writing import half_width
from qbank.kernel.refused import Refused
from qbank.kernel.workbooks import frames

MOST_BYTES = 300 * 1024 * 1024  # unpacked: a small zip can hold gigabytes
MOST_PARTS = 5_000
LONGEST_LINE = 1_000_000  # characters of one line of csv
SAMPLE = 100_000  # characters that show how a file is separated
LONGEST_CELL = 32_767  # of Excel
PICTURE = re.compile(r"!\[[^\]]*\]\(media:[0-9a-f]{64}\)")
WIDTHS = {"题干": 60, "解析": 40, "出处": 30, "鉴定范围": 12, "评分标准": 40, "共用题干": 40} | dict.fromkeys(OPTION_COLUMNS, 20)


def look_at_excel(content: bytes, name: str, remembered: Mapping[str, Mapping[str, Any]] | None = None,
                  chosen: Mapping[str, Choice] | None = None) -> Workbook:
    """The item rows of an .xlsx or .xls file, and the sheets whose columns somebody has to name."""
    return rows_of(_sheets(content, name), name, remembered=remembered, chosen=chosen)


def look_at_csv(content: bytes, name: str, remembered: Mapping[str, Mapping[str, Any]] | None = None,
                chosen: Mapping[str, Choice] | None = None) -> Workbook:
    """The item rows of a csv file in UTF-8, UTF-16 or GB18030 (GBK), separated by commas, semicolons or tabs."""
    return rows_of({"": csv_lines(decoded(content, name), name)}, name, remembered=remembered, chosen=chosen)


def read_excel(content: bytes, name: str) -> Drafts:
    """A workbook in our columns as drafts."""
    return _drafts(look_at_excel(content, name), "excel", name)


def read_csv(content: bytes, name: str) -> Drafts:
    """A csv file in our columns as drafts."""
    return _drafts(look_at_csv(content, name), "csv", name)


def place_of(row: SheetRow) -> str:
    """How a person is told where a row stands."""
    return row.place or f"{f'工作表“{row.sheet}”' if row.sheet else ''}第 {row.number} 行"


def write_excel(items: Drafts, stream: BinaryIO) -> LossReport:
    """One worksheet in our columns. Pictures stay behind: a cell carries none."""
    book = xlsxwriter.Workbook(stream, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False,
                                        "strings_to_numbers": False})
    sheet = book.add_worksheet("题目")
    head = book.add_format({"bold": True, "bg_color": "#E8EEF7", "border": 1, "text_wrap": True, "valign": "vcenter"})
    body = book.add_format({"border": 1, "text_wrap": True, "valign": "top"})
    for column, title in enumerate(COLUMNS):
        sheet.set_column(column, column, WIDTHS.get(title, 9))
        sheet.write_string(0, column, title, head)
    sheet.freeze_panes(1, 0)
    losses: list[Loss] = []
    for number, found in enumerate(items.items, start=1):
        cells = cells_of_found(found)
        losses += _lost(f"第 {number} 题", cells)
        for column, title in enumerate(COLUMNS):
            text = cells.get(title, "")
            if len(text) > LONGEST_CELL:
                losses.append(Loss(f"第 {number} 题", title, f"{title}有 {len(text)} 字，一个单元格只能放 {LONGEST_CELL} 字，后面的被截去。"))
            sheet.write_string(number, column, text[:LONGEST_CELL], body)
    sheet.autofilter(0, 0, max(len(items.items), 1), len(COLUMNS) - 1)
    book.close()
    return LossReport("excel", len(items.items), tuple(losses))


def write_csv(items: Drafts, stream: BinaryIO) -> LossReport:
    """UTF-8 with a mark that Excel knows, commas. Cells that a spreadsheet would take for formulas get an apostrophe."""
    text = io.StringIO()
    lines = csv.writer(text)
    lines.writerow(COLUMNS)
    losses: list[Loss] = []
    for number, found in enumerate(items.items, start=1):
        cells = cells_of_found(found)
        losses += _lost(f"第 {number} 题", cells)
        lines.writerow([safe_cell(cells.get(title, "")) for title in COLUMNS])
    stream.write(codecs.BOM_UTF8 + text.getvalue().encode())
    return LossReport("csv", len(items.items), tuple(losses))


def csv_lines(text: str, name: str) -> Lines:
    """The lines of a csv file's text. Refuses text without columns."""
    if max(map(len, text.splitlines()), default=0) > LONGEST_LINE:
        raise Refused("line_too_long", f"“{name}”里有一行超过 {LONGEST_LINE // 10000} 万字，不是试题表格，没有读取。")
    widths = {separator: _columns(_split(text[:SAMPLE], separator)) for separator in ",;\t，"}
    best = max(widths, key=lambda separator: widths[separator])  # the first of equals
    lines = _split(text, best) if widths[best] > 1 else []
    if not lines:
        raise Refused("no_columns", f"“{name}”里没有分列：每行应有用逗号、分号或制表符隔开的几列。请在 Excel 或 WPS 中另存为 .xlsx 后再上传。")
    return [[plain_cell(cell) for cell in line] for line in lines]


def decoded(content: bytes, name: str) -> str:
    """The text of a file in UTF-8 (with or without mark), UTF-16 (with mark) or GB18030, of which GBK is a part."""
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        encodings: tuple[str, ...] = ("utf-16",)
    else:
        encodings = ("utf-8-sig", "gb18030")
    for encoding in encodings:
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\x00" not in text:
            return text
    raise Refused("no_text", f"“{name}”不是文本文件，或编码无法识别。请另存为 UTF-8 或 GBK 编码的文本，或 .xlsx，再上传。")


def check_archive(content: bytes, name: str) -> list[str]:
    """The names in a zip file. Refuses damaged ones, ones with macros, and ones that unpack to too much."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            entries = archive.infolist()
    except (zipfile.BadZipFile, ValueError, OSError, NotImplementedError, EOFError) as error:
        raise _unreadable(name) from error
    if len(entries) > MOST_PARTS or sum(entry.file_size for entry in entries) > MOST_BYTES:
        raise Refused("too_large", f"“{name}”展开后太大，请删去图片和多余的工作表，或拆成几个文件。")
    if any(entry.filename.lower().endswith("vbaproject.bin") for entry in entries):
        raise Refused("macros", f"“{name}”带有宏，为安全起见不读取。请另存为不带宏的 .xlsx 或 .docx 后再上传。")
    return [entry.filename for entry in entries]


def _sheets(content: bytes, name: str) -> dict[str, Lines]:
    if content[:4] == b"PK\x03\x04":
        if not any(part.startswith("xl/") for part in check_archive(content, name)):
            raise Refused("wrong_file_type", f"“{name}”是压缩包或其他文档，不是 Excel 工作簿。请在 Excel 或 WPS 中另存为 .xlsx 后再上传。")
    elif content[:4] != b"\xd0\xcf\x11\xe0":
        raise Refused("wrong_file_type", f"“{name}”不是 Excel 工作簿。请在 Excel 或 WPS 中打开，另存为 .xlsx 后再上传。")
    elif "_VBA_PROJECT".encode("utf-16-le") in content:
        raise Refused("macros", f"“{name}”带有宏，为安全起见不读取。请另存为不带宏的 .xlsx 后再上传。")
    # Without na_filter=False an option that reads "NA" or "null" would become an empty cell.
    return {sheet: [[cell if isinstance(cell, str) else "" for cell in line] for line in frame.to_numpy(dtype=object)]
            for sheet, frame in frames(content, _unreadable(name), na_filter=False).items()}


def pictures_in_workbook(content: bytes) -> int:
    """How many pictures lie on the sheets of an .xlsx file; cells cannot carry them."""
    if content[:4] != b"PK\x03\x04":
        return 0
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return sum(name.startswith("xl/media/") for name in archive.namelist())


def _unreadable(name: str) -> Refused:
    return Refused("unreadable", f"“{name}”打不开：文件可能已损坏、没有传完整，或设有打开密码。请用 Excel 或 WPS 打开确认，另存为不带密码的文件后再上传。")


def _split(text: str, separator: str) -> list[list[str]]:
    """The cells of every line; none when a cell has no end."""
    try:
        return list(csv.reader(io.StringIO(text, newline=""), delimiter=separator))
    except csv.Error:
        return []


def _columns(lines: Sequence[Sequence[str]]) -> int:
    """How many columns the widest of the first lines has."""
    return max((sum(bool(cell.strip()) for cell in line) for line in lines[:20]), default=0)


def _drafts(read: Workbook, kind: str, name: str) -> Drafts:
    if read.foreign:
        titles = {title for one in read.foreign for title in one["columns"]}
        missing = [title for title in REQUIRED if title not in titles]
        raise Refused("missing_columns", f"“{name}”的表头不是题库的格式{f'，缺少列：{chr(12289).join(missing)}' if missing else ''}。"
                                         f"表头应在前 10 行内，包含：{'、'.join(REQUIRED)}。")
    return Drafts(tuple(_found(read.rows)), kind, notes=tuple(read.notes))


def _found(rows: Sequence[SheetRow]) -> Iterator[Found]:
    for row in rows:
        draft = draft_of_cells(row.cells)
        words = " ".join(filter(None, (row.cells.get("鉴定范围"), row.cells.get("鉴定点"))))
        coded = re.fullmatch(r"[A-Z0-9]+(-[A-Z0-9]+)*", half_width(draft.range_path)) and draft.point_segment.isdecimal()
        yield Found(draft, place_of(row), row.number, row.problems, "" if coded else words)


def _lost(place: str, cells: Mapping[str, str]) -> Iterator[Loss]:
    for title, text in cells.items():
        if pictures := len(PICTURE.findall(text)):
            yield Loss(place, title, f"{title}里的 {pictures} 幅图片不能放进表格，只写了图片的编号；在本校题库里重新导入时仍能找到。")

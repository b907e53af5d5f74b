"""Excel workbooks from outside, judged before they are read.

The reader lays out every sheet as one dense rectangle: two cells, the first and the last of a sheet, are five kilobytes in the
file and end the process that reads them, with no exception to catch. So the extent of every sheet is measured first: of an
.xlsx by walking through its XML, of an .xls, whose container is not ours to parse, by a child process that may die of it.
"""

from __future__ import annotations

import io
import json
import subprocess
import sys
import zipfile
import zlib
from typing import Any
from xml.parsers import expat

import pandas as pd

from qbank.kernel.refused import Refused

XLSX, XLS = b"PK\x03\x04", b"\xd0\xcf\x11\xe0"
MOST_PARTS = 5_000
MOST_BYTES = 200 * 2**20  # unpacked
MOST_CELLS = 3_000_000  # of the rectangle that a sheet spans
MOST_SHEETS = 200
MOST_ALL = 6_000_000  # of all sheets together
CHUNK = 2**16
CHILD_SECONDS = 60
BROKEN = (zipfile.BadZipFile, zlib.error, OSError, EOFError, ValueError, NotImplementedError, RuntimeError, KeyError, IndexError, expat.ExpatError)
TOO_LARGE = ("workbook_too_large", "这个工作簿的工作表太大：可能在很远的行或列里有多余的内容。请删除数据以外的行和列、多余的工作表，另存后再上传。")
# What the child does: it says how far the sheets reach, or dies.
MEASURE = """
import io, json, sys
try:
    import resource
    resource.setrlimit(resource.RLIMIT_AS, (2**31, 2**31))
except (ImportError, ValueError, OSError):
    pass
from python_calamine import CalamineWorkbook
book = CalamineWorkbook.from_filelike(io.BytesIO(sys.stdin.buffer.read()))
print(json.dumps([[sheet.total_height, sheet.total_width] for sheet in map(book.get_sheet_by_name, book.sheet_names)]))
"""


def frames(content: bytes, unreadable: Refused, **how: Any) -> dict[str, pd.DataFrame]:
    """Every sheet as text, without a head (``pandas.read_excel`` with ``how``). Refuses as ``unreadable`` says, and what is too large."""
    try:
        _judge(content)
        read = pd.read_excel(io.BytesIO(content), engine="calamine", dtype=str, header=None, sheet_name=None, **how)
    except (Refused, KeyboardInterrupt, SystemExit, MemoryError):
        raise
    except BaseException as error:  # a panic of the reader's Rust part is not an Exception
        raise Refused(unreadable.code, unreadable.sentence) from error
    return {str(name): frame for name, frame in read.items()}


def _judge(content: bytes) -> None:
    if content[:4] == XLSX:
        extents = _extents_of_xlsx(content)
    elif content[:4] == XLS:
        extents = _extents_of_xls(content)
    else:
        raise ValueError("no workbook")
    if len(extents) > MOST_SHEETS or sum(extents) > MOST_ALL or max(extents, default=0) > MOST_CELLS:
        raise Refused(*TOO_LARGE)


def _extents_of_xlsx(content: bytes) -> list[int]:
    """Cells of the rectangle of every part: whichever of them the workbook names as its sheets."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        entries = archive.infolist()
        if len(entries) > MOST_PARTS or sum(entry.file_size for entry in entries) > MOST_BYTES:
            raise Refused(*TOO_LARGE)
        names = {entry.filename.lower() for entry in entries}
        if "xl/workbook.xml" not in names:  # .xlsb and .ods: their extent is not looked at here
            raise ValueError("not an .xlsx workbook")
        return [extent for entry in entries if (extent := _extent(archive, entry))]


def _extent(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> int:
    with archive.open(entry) as part:
        head = part.read(CHUNK)
        if not head.lstrip(b"\xef\xbb\xbf\xff\xfe \t\r\n\x00").startswith(b"<"):
            return 0  # a picture; no reader finds cells in it
        walk = _Walk()
        while head:
            walk.parser.Parse(head)
            head = part.read(CHUNK)
        walk.parser.Parse(b"", True)
    return walk.rows * walk.columns


class _Walk:
    """The last row and column with a cell that holds anything."""

    def __init__(self) -> None:
        self.rows = self.columns = self._row = self._column = 0
        self._inside = False
        self.parser = expat.ParserCreate()
        self.parser.StartElementHandler = self._start
        self.parser.EndElementHandler = self._end
        self.parser.StartDoctypeDeclHandler = self._doctype

    def _doctype(self, *_: object) -> None:
        raise ValueError("no workbook has a document type")

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        local = name.rpartition(":")[2]
        if local == "row":
            self._row, self._column = int(attributes.get("r", self._row + 1)), 0
        elif local == "c":
            self._inside = True
            self._row, self._column = _place(attributes["r"]) if "r" in attributes else (self._row, self._column + 1)
        elif self._inside:
            self.rows, self.columns = max(self.rows, self._row), max(self.columns, self._column)
            if self.rows * self.columns > MOST_CELLS:
                raise Refused(*TOO_LARGE)

    def _end(self, name: str) -> None:
        if name.rpartition(":")[2] == "c":
            self._inside = False


def _place(reference: str) -> tuple[int, int]:
    """``B3`` → row 3, column 2."""
    letters = reference.rstrip("0123456789")
    column = 0
    for letter in letters.upper():
        column = column * 26 + ord(letter) - 64
    return int(reference[len(letters):]), column


def _extents_of_xls(content: bytes) -> list[int]:
    try:
        done = subprocess.run([sys.executable, "-I", "-c", MEASURE], input=content, capture_output=True, timeout=CHILD_SECONDS, check=False)  # noqa: S603  # our own program
    except subprocess.TimeoutExpired:
        raise Refused(*TOO_LARGE) from None
    if done.returncode < 0 or b"memory" in done.stderr.lower():
        raise Refused(*TOO_LARGE)
    if done.returncode:
        raise ValueError("no workbook")
    return [(row + 1) * (column + 1) for row, column in json.loads(done.stdout)]  # the last ones, from 0

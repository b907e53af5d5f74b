"""What came in from a form, read and checked once, at the border: the sentence names the field."""

from __future__ import annotations

import re
from datetime import date, datetime
from decimal import Decimal
from pathlib import PurePath

from werkzeug.datastructures import FileStorage

from qbank.kernel.refused import Refused
from qbank.kernel.times import from_form

EXCEL_SIGNATURES = {b"PK\x03\x04": "xlsx", b"\xd0\xcf\x11\xe0": "xls"}
YEARS = range(1900, 2200)  # nobody here was born before, and sums with days stay within what a date can hold
SHOWN = 40


def half_points(text: str, what: str) -> int:
    """``"12.5"`` → 25 half-points. Refuses anything that is not a multiple of 0.5, naming ``what``."""
    cleaned = text.strip().replace("．", ".")
    try:
        doubled = Decimal(cleaned) * 2
    except ArithmeticError:  # no number, or one that overflows
        raise Refused("not_a_number", f"“{what}”应填写数字（可带 .5），现在是“{_shown(text)}”。") from None
    if not doubled.is_finite() or abs(doubled) > 20_000 or doubled != int(doubled):
        raise Refused("not_half_points", f"“{what}”只能是 0.5 的整数倍，现在是“{_shown(text)}”。")
    return int(doubled)


def whole_number(text: str, what: str, low: int, high: int) -> int:
    """A whole number between ``low`` and ``high``. Refuses anything else, naming ``what``."""
    # Longer than any number here: int() itself gives up on thousands of digits.
    if not re.fullmatch(r"-?\d{1,18}", text.strip()) or not low <= int(text) <= high:
        raise Refused("not_a_number", f"“{what}”应填写 {low} 到 {high} 之间的整数，现在是“{_shown(text)}”。")
    return int(text)


def moment(text: str, what: str) -> datetime:
    """A date and time typed in China. Refuses what cannot be read, naming ``what``."""
    try:
        found = from_form(text.strip())
        if found.year in YEARS:
            return found
        raise ValueError(text)
    except (ValueError, OverflowError):
        raise Refused("not_a_time", f"“{what}”应填写日期和时间，例如 2026-11-22T09:00。") from None


def day(text: str, what: str) -> date:
    """A calendar day. Refuses what cannot be read, naming ``what``."""
    try:
        found = date.fromisoformat(text.strip())
        if found.year in YEARS:
            return found
        raise ValueError(text)
    except ValueError:
        raise Refused("not_a_day", f"“{what}”应填写日期，例如 2026-11-22。") from None


def plain_name(text: str) -> str:
    """What a file is called: without folders, and without what breaks a header or a column (line ends, NUL, marks of direction)."""
    name = PurePath(text.replace("\\", "/")).name
    clean = "".join(sign for sign in name if sign.isprintable() or sign == "\u3000")[:200]
    return clean if clean.strip(".") else "文件"


def _shown(text: str) -> str:
    """What was typed, where a sentence repeats it."""
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}……"


def excel_upload(upload: FileStorage | None) -> tuple[str, bytes]:
    """File name and content of an uploaded Excel workbook. Refuses other files by what they are, not by their name."""
    if upload is None or not upload.filename:
        raise Refused("no_file", "请先选择要上传的 Excel 文件（.xlsx 或 .xls）。")
    content = upload.read()
    if not content:
        raise Refused("empty_file", f"“{upload.filename}”是空文件，请检查后重新上传。")
    if content[:4] not in EXCEL_SIGNATURES:
        raise Refused("wrong_file_type", f"“{upload.filename}”不是 Excel 工作簿。请在 Excel 或 WPS 中另存为 .xlsx 后再上传"
                                         "（CSV、文本和改了扩展名的文件都不能直接上传）。")
    return plain_name(upload.filename), content

"""The readers of form fields, whatever is typed: a value that means what was typed, or a sentence that names the field."""

from __future__ import annotations

import io
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from werkzeug.datastructures import FileStorage

from qbank.kernel import forms
from qbank.kernel.refused import Refused

FUZZ = settings(max_examples=50, deadline=None, derandomize=True, database=None)
FIELD = "理论满分"
SIGNS = "0123456789０９٣-+.．eE_:/T ZzWw\u3000\x00\ud800∞½sNaninf"
TYPED = st.one_of(st.text(max_size=40), st.text(SIGNS, max_size=40), st.floats().map(str), st.integers().map(str), st.datetimes().map(str),
                  st.datetimes().map(datetime.isoformat), st.dates().map(str), st.decimals().map(str), st.just("9" * 5000))
READERS: dict[str, Callable[[str], Any]] = {
    "half points": lambda text: forms.half_points(text, FIELD), "whole number": lambda text: forms.whole_number(text, FIELD, -5, 10**12),
    "moment": lambda text: forms.moment(text, FIELD), "day": lambda text: forms.day(text, FIELD)}


def outcome(reader: Callable[[str], Any], text: str) -> Any:
    try:
        return reader(text)
    except Refused as refusal:
        return refusal


@pytest.mark.parametrize("name", READERS)
def test_whatever_is_typed_is_read_or_refused_by_the_name_of_its_field(name: str) -> None:
    @FUZZ
    @given(TYPED)
    @example("9e999999")
    @example("-9E+999999999999999999")
    @example("sNaN")
    @example("1e-999999")
    @example("0001-01-01T00:00")
    @example("9999-12-31T23:59-23:59")
    @example("9999-12-31")
    @example("٣")
    def run(text: str) -> None:
        found = outcome(READERS[name], text)
        if isinstance(found, Refused):
            assert FIELD in found.sentence
            assert len(found.sentence) < 200
        elif isinstance(found, date):
            assert 1900 <= found.year <= 2200
            assert found + timedelta(days=36_500)
        else:
            assert abs(found) <= 10**12

    run()


@FUZZ
@given(st.integers(-20_000, 20_000))
def test_half_points_come_back_as_they_were_written(points: int) -> None:
    assert forms.half_points(f" {Decimal(points) / 2} ", FIELD) == points


@FUZZ
@given(st.integers(-50, 50), st.integers(-50, 50), st.integers(0, 50))
def test_a_whole_number_is_within_its_bounds(number: int, low: int, span: int) -> None:
    if low <= number <= low + span:
        assert forms.whole_number(str(number), FIELD, low, low + span) == number
    else:
        with pytest.raises(Refused, match=f"{low} 到 {low + span}"):
            forms.whole_number(str(number), FIELD, low, low + span)


@FUZZ
@given(st.dates(date(1950, 1, 1), date(2199, 1, 1)), st.times())
def test_days_and_moments_come_back_as_they_were_written(on: date, at: time) -> None:
    assert forms.day(str(on), FIELD) == on
    read = forms.moment(f"{on}T{at:%H:%M}", FIELD)
    assert read.utcoffset() == timedelta(0)
    typed = datetime.combine(on, at.replace(second=0, microsecond=0), UTC)
    assert timedelta(hours=7) < typed - read < timedelta(hours=10)  # eight, and nine in the summers before 1992


@FUZZ
@given(st.text(max_size=300))
@example("../../etc/passwd")
@example("C:\\\\Users\\\\a.xlsx")
@example("..")
@example("a\r\nSet-Cookie: b=c.pdf")
@example("\u202egnp.exe")
def test_the_name_of_a_file_is_one_line_without_folders(text: str) -> None:
    found = forms.plain_name(text)
    assert 1 <= len(found) <= 200
    assert found not in {".", ".."}
    assert not set(found) & set("/\\\r\n\x00\u202e")


@FUZZ
@given(st.one_of(st.binary(max_size=50), st.binary(max_size=50).map(lambda rest: b"PK\x03\x04" + rest)), st.text(max_size=40))
def test_an_upload_is_a_workbook_by_its_content_or_refused(content: bytes, name: str) -> None:
    try:
        found = forms.excel_upload(FileStorage(io.BytesIO(content), filename=name))
    except Refused:
        assert not name or content[:4] not in forms.EXCEL_SIGNATURES
    else:
        assert found == (forms.plain_name(name), content)

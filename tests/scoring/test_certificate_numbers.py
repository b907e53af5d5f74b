"""Certificate numbers, checked against the example of domain.md 4.1 and by hand."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scoring.certificates.numbers import CertificateNumber, following, is_prefix, parse, province_of

HUNAN = "J000043000001"


def test_a_number_is_read_back_into_its_parts() -> None:
    # Y 0001 23 123456 | 19 | 5 | 000001, after the published example Y000123XXXXXX195000001
    number = parse("Y000123123456195000001")
    assert number == CertificateNumber("Y000123123456", 2019, 5, 1)
    assert province_of(number.prefix) == "23"
    assert str(number) == "Y000123123456195000001"
    assert len(str(number)) == 22


@given(st.from_regex(r"[A-Z][0-9]{12}", fullmatch=True), st.integers(2000, 2099), st.integers(1, 5),
       st.integers(1, 999_999))
def test_every_number_reads_back(prefix: str, year: int, level: int, serial: int) -> None:
    number = CertificateNumber(prefix, year, level, serial)
    assert parse(str(number)) == number


@pytest.mark.parametrize("text", ["", "J0000430000012640000010", "J00004300000126400001", "j000043000001264000001",
                                  "J000043000001266000001", "J000043000001260000001", "J000043000001264000000",
                                  "1000043000001264000001", "J000043000001264000001\n", "J00004３000001264000001"])
def test_what_is_no_number_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="certificate number"):
        parse(text)


@pytest.mark.parametrize(("prefix", "good"), [(HUNAN, True), ("J00004300000", False), ("", False), ("湘000043000001", False),
                                              ("J000043000001 ", False), ("J00004300000１", False)])
def test_a_prefix_is_a_letter_and_twelve_digits(prefix: str, good: bool) -> None:
    assert is_prefix(prefix) is good


def test_serials_run_by_prefix_year_and_level_and_begin_at_one() -> None:
    existing = [HUNAN + "264000007", HUNAN + "264000003", HUNAN + "253000044", "Y000043000001264000900"]
    assert [str(number) for number in following(existing, HUNAN, 2026, 4, 2)] == [HUNAN + "264000008", HUNAN + "264000009"]
    assert [number.serial for number in following(existing, HUNAN, 2026, 3, 1)] == [1]
    assert [number.serial for number in following(existing, HUNAN, 2025, 3, 1)] == [45]
    assert following(existing, HUNAN, 2026, 4, 0) == []


def test_gaps_are_not_filled_so_that_no_number_comes_twice() -> None:
    assert [number.serial for number in following([HUNAN + "264000009"], HUNAN, 2026, 4, 1)] == [10]


def test_the_serial_ends_at_six_digits() -> None:
    with pytest.raises(ValueError, match="certificate number"):
        following([HUNAN + "264999999"], HUNAN, 2026, 4, 1)

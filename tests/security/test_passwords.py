"""What a password may be, and how it is kept."""

from __future__ import annotations

import pytest

from qbank.kernel import passwords
from qbank.kernel.refused import Refused


@pytest.mark.parametrize("password", ["trustno1", "Password1", "qwer1234", "1qaz2wsx", "iloveyou", "IloveYou", "Examroom2026!", "admin@123", "woaini1314",
                                      "zhouzheng88", "12345678901", "short", "zhouzheng", "x" * 201])
def test_what_is_tried_first_is_no_password(password: str) -> None:
    with pytest.raises(Refused, match="密码"):
        passwords.check(password, "zhouzheng")


@pytest.mark.parametrize("password", ["correct-horse", "电工 考试 三月 雨", "        x       ", "a-b-c-d-e", "wendu湿度2026", "x" * 64, "Ω≈ç√∫˜µ≤", "乙" * 200])
def test_any_characters_will_do_and_long_ones_too(password: str) -> None:
    passwords.check(password, "zhouzheng")


def test_more_than_three_thousand_leaked_ones_are_known() -> None:
    assert len([word for word in passwords._leaked() if not word.isdigit()]) > 10_000

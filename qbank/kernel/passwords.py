"""What a password may be: long enough, and none of those that are tried first.

The list of leaked passwords is that of the package zxcvbn (30 000, eleven thousand of them eight characters or longer).
No other rule says which characters to use, except that digits alone are too few to choose from.
"""

from __future__ import annotations

import re
from functools import cache

from qbank.kernel.refused import Refused

SHORTEST, LONGEST = 8, 200
WEAK = "weak_password"
# What anybody would try at this door first, alone or with digits and signs around it.
OWN_WORDS = frozenset({"examroom", "kaopingtong", "kaoping", "jineng", "jinengrending", "kaoshi", "kaowu", "jiaoshi", "xuexiao", "jigong", "renshe",
                       "admin", "administrator", "guanliyuan", "officer", "teacher", "school", "student", "exam", "woaini", "mima"})
ENDINGS = re.compile(r"^[\d\W_]+|[\d\W_]+$")


def check(password: str, login: str) -> None:
    """Refuses what is too short, too long or too easily guessed."""
    if len(password) < SHORTEST or password.isdigit() or password.lower() == login.lower():
        raise Refused(WEAK, "密码至少 8 位，不能全是数字，也不能与登录名相同。")
    if len(password) > LONGEST:
        raise Refused(WEAK, "密码不能超过 200 位。")
    word = ENDINGS.sub("", password.lower())
    if password.lower() in _leaked() or word in OWN_WORDS or word == ENDINGS.sub("", login.lower()) != "":
        raise Refused(WEAK, "这个密码太常见，容易被猜中。请换一个，例如把几个不相干的词连在一起。")


@cache
def _leaked() -> frozenset[str]:
    """Only those that the other rules let through."""
    from zxcvbn.frequency_lists import FREQUENCY_LISTS  # a megabyte that only a change of password needs

    return frozenset(word for word in FREQUENCY_LISTS["passwords"] if len(word) >= SHORTEST)

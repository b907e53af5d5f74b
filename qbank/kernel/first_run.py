"""The first run: an empty installation gets its institution and its administrator in the browser, once.

``serve`` begins it and prints a code; whoever types the code is the one who sees the console. It is over for good when there
is an administrator. The code is derived from the installation's secret and a number that is drawn for this run, so that every
host prints the same one and nothing that opens the door is stored.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Mapping
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session

from qbank.kernel import attempts
from qbank.kernel.access import Role, Scope
from qbank.kernel.accounts import ALPHABET, Account, Grant, Institution, create_account
from qbank.kernel.attempts import Attempt
from qbank.kernel.db import Base, Id
from qbank.kernel.institutions import describe
from qbank.kernel.refused import Refused

CODE_LENGTH = 12  # of 31 letters: 59 bits
AT_THE_DOOR = "首次设置"


class FirstRun(Base):
    """One beginning; at most one row."""

    __tablename__ = "first_runs"
    __unaudited__ = "what is made in it is audited"

    id: Mapped[Id]
    number: Mapped[str]  # drawn; the code is derived from it and a key that is not in the database
    begun_at: Mapped[datetime]


def begin(session: Session, secret_key: bytes, *, now: datetime) -> str | None:
    """The code of the first run, which begins now unless it has; None when there is an administrator."""
    if _is_over(session):
        return None
    run = session.scalar(sa.select(FirstRun).order_by(FirstRun.id).limit(1))
    if run is None:
        run = FirstRun(number=secrets.token_hex(16), begun_at=now)
        session.add(run)
        session.flush()
    return code_of(run, secret_key)


def current(session: Session) -> FirstRun | None:
    """The first run that waits for its administrator."""
    run = session.scalar(sa.select(FirstRun).order_by(FirstRun.id).limit(1))
    return None if run is None or _is_over(session) else run


def code_of(run: FirstRun, secret_key: bytes) -> str:
    """``abcd-efgh-jkmn``: as it is printed and typed."""
    drawn = hmac.digest(secret_key, f"examroom/first run {run.number}".encode(), hashlib.sha256)
    letters = "".join(ALPHABET[int.from_bytes(drawn[2 * place:2 * place + 2]) % len(ALPHABET)] for place in range(CODE_LENGTH))
    return "-".join(letters[start:start + 4] for start in range(0, CODE_LENGTH, 4))


def fits(session: Session, run: FirstRun, typed: str, address: str, secret_key: bytes, *, now: datetime) -> bool:
    """Whether somebody at ``address`` typed the code. Refuses with ``locked_out`` after repeated failures from there."""
    letters = "".join(letter for letter in typed.lower() if letter.isalnum())
    good = hmac.compare_digest(letters.encode(), code_of(run, secret_key).replace("-", "").encode())
    noted = attempts.note(session.connection(), [Attempt(f"{AT_THE_DOOR} {address}", address, good)], now=now)[0]  # a stranger locks out nobody else
    if isinstance(noted, Refused):
        raise noted
    return noted


def institution(session: Session) -> Institution | None:
    """The institution of this first run: the first there is."""
    return session.scalar(sa.select(Institution).order_by(Institution.id).limit(1))


def describe_institution(session: Session, fields: Mapping[str, str]) -> Institution:
    return describe(session, institution(session) or Institution(), fields)


def make_administrator(session: Session, home: Institution, fields: Mapping[str, str]) -> Account:
    """The administrator, and the end of the first run. Refuses when somebody else was first, and a weak password."""
    session.scalar(sa.select(Institution.id).where(Institution.id == home.id).with_for_update())  # two at once: the second waits and is refused
    if _is_over(session):
        raise Refused("first_run_over", "已经有系统管理员了，首次设置到此结束。请用管理员的账号登录。")
    if fields.get("password", "") != fields.get("repeat_password", ""):
        raise Refused("not_repeated", "两次输入的密码不一致，请重新输入。")
    return create_account(session, fields.get("login", ""), fields.get("name", ""), [Scope(Role.ADMINISTRATOR)], institution=home,
                          password=fields.get("password", ""), must_change=False)


def _is_over(session: Session) -> bool:
    return session.scalar(sa.select(Grant.id).where(Grant.role == Role.ADMINISTRATOR).limit(1)) is not None

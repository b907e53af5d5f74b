"""Sign-ins that were ended before their time: a cookie that somebody copied is worth nothing after its owner signed out.

The cookie is signed and holds a secret of its own; the table holds the hash of each one that was ended, until no cookie can
carry it any more.
"""

from __future__ import annotations

import hashlib
import secrets
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from qbank.kernel.access import Role, Viewer
from qbank.kernel.accounts import Account, proof, sign_in
from qbank.kernel.attempts import SignInAttempt
from qbank.kernel.db import Base, table_of
from qbank.kernel.jobs import every
from qbank.kernel.refused import Refused

KEPT = timedelta(days=8)  # longer than a sign-in may last
SHOWN = 50


class EndedSignIn(Base):
    """One sign-in that its owner ended."""

    __tablename__ = "ended_sign_ins"
    __unaudited__ = "append-only: its own history, forgotten when no cookie can name it any more"

    key: Mapped[str] = mapped_column(sa.String(64), primary_key=True)
    ended_at: Mapped[datetime] = mapped_column(index=True)


def fresh() -> str:
    """The secret of a new sign-in: 128 bits."""
    return secrets.token_urlsafe(16)


def end(session: Session, who: Viewer, secret: str, *, now: datetime) -> None:
    """End the sign-in with this secret.

    A candidate sits at one computer: all of theirs end, by the generation that the doors of the exam compare. Others may
    be signed in at several, and the others go on.
    """
    if who.has(Role.CANDIDATE) or not secret:
        end_all(session.get_one(Account, who.account_id))
    elif not has_ended(session, secret):
        session.execute(sa.insert(table_of(EndedSignIn)).values(key=_hashed(secret), ended_at=now))


def end_all(account: Account) -> None:
    """End every sign-in of an account at once."""
    account.generation += 1


def end_others(session: Session, account: Account, password: str, address: str, *, now: datetime) -> None:
    """End every sign-in of one's own account, once the password was proven again. A wrong one counts as at the door."""
    if sign_in(session, account.login, proof(session, account.login, password, address, now=now), address, now=now) is None:
        raise Refused("wrong_password", "密码不正确，请重新输入。")
    end_all(account)
    session.flush()


def shut(session: Session, account: Account, who: Viewer) -> None:
    """Nobody comes in under this account any more, and whoever is in is out."""
    if account.id == who.account_id:
        raise Refused("own_account", "不能停用自己的账号，请由另一位系统管理员办理。")
    account.active = False
    end_all(account)


def reopen(account: Account) -> None:
    """The account may be used again, with the password it had."""
    account.active = True


def has_ended(session: Session, secret: str) -> bool:
    return bool(secret) and session.scalar(sa.select(sa.true()).where(sa.exists().where(EndedSignIn.key == _hashed(secret)))) is not None


def recent(session: Session, login: str) -> list[SignInAttempt]:
    """The newest attempts to sign in under ``login``: for its owner to look through."""
    return list(session.scalars(sa.select(SignInAttempt).where(SignInAttempt.login == login)
                                .order_by(SignInAttempt.id.desc()).limit(SHOWN)))


def _hashed(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


@every
def forget(session: Session, now: datetime) -> None:
    """What has ended long ago, no cookie can name."""
    session.execute(sa.delete(EndedSignIn).where(EndedSignIn.ended_at < now - KEPT))

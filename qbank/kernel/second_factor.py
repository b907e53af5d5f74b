"""The second step of a sign-in (两步验证): a code of the person's own device (TOTP, RFC 6238), or one of ten recovery codes.

The secret lies sealed under a key that is nowhere in the database, recovery codes lie hashed. A code counts once: the step of
time that it belongs to is a row. Failures are counted as those of passwords are, by themselves: a good password does not
make them forgotten.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import pyotp
import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Mapped, Session, mapped_column

from qbank.kernel import accounts, attempts
from qbank.kernel.accounts import ALPHABET, Account
from qbank.kernel.attempts import Attempt
from qbank.kernel.db import Base, Id
from qbank.kernel.keyring import open_bytes, seal_bytes
from qbank.kernel.refused import Refused

ISSUER = "考评通"
STEP_SECONDS = 30
TOLERATED = (0, -1, 1)  # steps: a telephone's clock may be half a minute off
RECOVERY_CODES = 10
RECOVERY_LENGTH = 12  # of 31 letters and digits behind the place: 59 bits
WRONG = Refused("wrong_code", "验证码不正确或已经用过。请等手机上换出下一个 6 位数字再输入；一直不对时，请检查手机时间是否自动校准。")


class UsedStep(Base):
    """A step of time whose code an account has used: no code counts twice."""

    __tablename__ = "totp_steps"
    __unaudited__ = "append-only: its own history"
    __append_only__ = frozenset()

    account_id: Mapped[int] = mapped_column(sa.ForeignKey("accounts.id"), primary_key=True)
    step: Mapped[int] = mapped_column(sa.BigInteger, primary_key=True)


class RecoveryCode(Base):
    """One of the codes on paper. Its first digit is its place, so that one hash is compared and not ten."""

    __tablename__ = "recovery_codes"
    __table_args__ = (sa.UniqueConstraint("account_id", "place"),)

    id: Mapped[Id]
    account_id: Mapped[int] = mapped_column(sa.ForeignKey("accounts.id"))
    place: Mapped[int]
    code_hash: Mapped[str] = mapped_column(info={"secret": True})
    used_at: Mapped[datetime | None]


@dataclass(frozen=True)
class Drawn:
    """A recovery code as it is shown once, and as it is kept."""

    text: str
    code_hash: str


@dataclass(frozen=True)
class Proof:
    """What a typed code fits: a step of time, a recovery code, or nothing."""

    step: int | None = None
    recovery_id: int | None = None

    def __bool__(self) -> bool:
        return self.step is not None or self.recovery_id is not None


def sealing_key(code_key: bytes) -> bytes:
    """Derived from the key that outlives every change of the identity key."""
    return hashlib.sha256(b"second factor" + code_key).digest()


def fresh_secret() -> str:
    """160 bits, as authenticator apps take them."""
    return pyotp.random_base32()


def address_of(account: Account, secret: str) -> str:
    """What the QR code says to an authenticator app."""
    return pyotp.TOTP(secret, interval=STEP_SECONDS).provisioning_uri(name=account.login, issuer_name=ISSUER)


def draw() -> list[Drawn]:
    """Ten new recovery codes. Hashing takes a while: not under a write lock."""
    made = []
    for place in range(RECOVERY_CODES):
        text = str(place) + "".join(secrets.choice(ALPHABET) for _ in range(RECOVERY_LENGTH))
        made.append(Drawn(f"{text[:5]}-{text[5:9]}-{text[9:]}", accounts.HASHER.hash(text)))
    return made


def enrol(session: Session, account: Account, secret: str, typed: str, codes: Sequence[Drawn], key: bytes, *, now: datetime) -> None:
    """Turn the second step on, once the person's device shows the right code. All other sign-ins end."""
    if account.totp_since is not None:
        raise Refused("enrolled", "您已启用两步验证。换手机时请先关闭，再重新启用。")
    step = _step_of(secret, typed, now)
    if step is None or not _spend(session, account, step):
        raise Refused(WRONG.code, WRONG.sentence)
    account.totp_sealed, account.totp_since = seal_bytes(key, secret.encode(), _about(account)), now
    account.generation += 1
    replace_codes(session, account, codes)


def replace_codes(session: Session, account: Account, codes: Sequence[Drawn]) -> None:
    """These recovery codes hold from now on, and no other."""
    for old in _codes(session, account.id):
        session.delete(old)
    session.flush()
    session.add_all(RecoveryCode(account_id=account.id, place=place, code_hash=one.code_hash) for place, one in enumerate(codes))
    session.flush()


def turn_off(session: Session, account: Account) -> None:
    """Forget the device and the recovery codes. All sign-ins end."""
    account.totp_sealed = account.totp_since = None
    account.generation += 1
    replace_codes(session, account, ())


def left(session: Session, account: Account) -> int:
    """How many recovery codes can still be used."""
    return sum(code.used_at is None for code in _codes(session, account.id))


def proof(session: Session, account: Account, typed: str, address: str, key: bytes, *, now: datetime) -> Proof:
    """What ``typed`` fits: what ``accept`` asks for. Hashing takes a while: call it with a session that only reads.

    Refuses with ``locked_out`` after repeated failures.
    """
    attempts.check(session.connection(), _subject(account), address, now=now)
    if account.totp_sealed is None:
        return Proof()
    plain = "".join(sign for sign in typed.lower() if sign.isascii() and sign.isalnum())
    if len(plain) == 1 + RECOVERY_LENGTH and plain[0].isdigit():
        code = next((one for one in _codes(session, account.id) if one.place == int(plain[0])), None)
        return Proof(recovery_id=code.id if code is not None and accounts.matches(code.code_hash, plain) else None)
    return Proof(_step_of(open_bytes(key, account.totp_sealed, _about(account)).decode(), plain, now))


def accept(session: Session, account: Account, proven: Proof, address: str, *, now: datetime) -> bool:
    """Use up what was proven; whether it could be. Notes the attempt. Refuses with ``locked_out`` after repeated failures."""
    attempts.check(session.connection(), _subject(account), address, now=now)
    good = ((proven.step is not None and _spend(session, account, proven.step))
            or (proven.recovery_id is not None and _strike(session, proven.recovery_id, now)))
    noted = attempts.note(session.connection(), [Attempt(_subject(account), address, good)], now=now)[0]
    if isinstance(noted, Refused):
        raise noted
    return noted


def _step_of(secret: str, typed: str, now: datetime) -> int | None:
    totp, current = pyotp.TOTP(secret, interval=STEP_SECONDS), int(now.timestamp()) // STEP_SECONDS
    fitting = [current + apart for apart in TOLERATED if hmac.compare_digest(totp.generate_otp(current + apart), typed.strip())]
    return fitting[0] if fitting else None


def _spend(session: Session, account: Account, step: int) -> bool:
    """Each step once, and none before one that was used. Two at the same moment: the database lets one in."""
    newest = session.scalar(sa.select(sa.func.max(UsedStep.step)).where(UsedStep.account_id == account.id))
    if newest is not None and step <= newest:
        return False
    try:
        with session.begin_nested():
            session.add(UsedStep(account_id=account.id, step=step))
    except IntegrityError:
        return False
    return True


def _strike(session: Session, recovery_id: int, now: datetime) -> bool:
    code = session.get(RecoveryCode, recovery_id, with_for_update=True, populate_existing=True)
    if code is None or code.used_at is not None:
        return False
    code.used_at = now
    session.flush()
    return True


def _codes(session: Session, account_id: int) -> list[RecoveryCode]:
    return list(session.scalars(sa.select(RecoveryCode).where(RecoveryCode.account_id == account_id).order_by(RecoveryCode.place)))


def _about(account: Account) -> bytes:
    """Binds a sealed secret to its account: another account's would not open."""
    return f"totp {account.id}".encode()


def _subject(account: Account) -> str:
    """What failures of the second step are counted under."""
    return f"#2:{account.id}"

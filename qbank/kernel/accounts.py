"""Institutions, accounts and grants: who exists and what they were given."""

from __future__ import annotations

import enum
import hmac
import os
import re
import secrets
import threading
from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa
from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerifyMismatchError
from sqlalchemy.orm import Mapped, Session, mapped_column, relationship

from qbank.kernel import attempts, passwords
from qbank.kernel.access import GRANTABLE, Role, Scope, Viewer
from qbank.kernel.attempts import Attempt
from qbank.kernel.db import Base, Id, Line, Versioned
from qbank.kernel.identity import IdentityCipher, IdentityKind, check, mask
from qbank.kernel.refused import Refused

HASHER = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)  # argon2id at OWASP's minimum
HASHING = threading.BoundedSemaphore(max(1, (os.cpu_count() or 2) // 2))  # the other processors stay with the exam's saves
DUMMY_HASH = HASHER.hash("nobody has this password")  # an unknown login costs as long as a wrong password
REGION_PREFIX = re.compile(r"[0-9]{2}|[0-9]{4}|[0-9]{6}")
OCCUPATION_CODE = re.compile(r"[0-9]-[0-9]{2}-[0-9]{2}-[0-9]{2}(-[0-9]{3})?")
ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"  # no look-alikes: handed out on paper


class InstitutionKind(enum.StrEnum):
    """School types of the notice (part 二(三)) and the offices above them."""

    ORDINARY = "ordinary"
    ADVANCED = "advanced"
    TECHNICIAN = "technician"
    OTHER_COLLEGE = "other_college"
    CITY_CENTRE = "city_centre"
    PROVINCE_CENTRE = "province_centre"

    @property
    def chinese(self) -> str:
        return {"ordinary": "普通技工学校", "advanced": "高级技工学校", "technician": "技师学院", "other_college": "其他院校",
                "city_centre": "市鉴定中心", "province_centre": "省鉴定中心"}[self.value]


class Institution(Versioned, Base):
    """A school, or an office above it; the tenant that owns banks, plans and results."""

    __tablename__ = "institutions"

    id: Mapped[Id]
    name: Mapped[Line] = mapped_column(unique=True)
    kind: Mapped[InstitutionKind] = mapped_column(sa.Enum(InstitutionKind, native_enum=False, length=20))
    region: Mapped[str] = mapped_column(sa.String(6))  # six-digit region code, 430100 = Changsha
    credit_code: Mapped[str | None] = mapped_column(sa.String(18), unique=True)  # 统一社会信用代码; null: not filed yet
    # The letter and digits before the year in its certificate numbers; null: not yet assigned by the office.
    certificate_prefix: Mapped[str | None] = mapped_column(sa.String(13))

    @classmethod
    def visible_to(cls, viewer: Viewer) -> sa.ColumnElement[bool]:
        if viewer.has(Role.ADMINISTRATOR):
            return sa.true()
        own = [scope.institution_id for scope in viewer.scopes if scope.institution_id]
        return sa.or_(cls.id.in_(own), viewer.reach(cls.id, Role.CITY_OFFICER, Role.PROVINCE_OFFICER,
                                                    Role.QUALITY_SUPERVISOR))


class Account(Versioned, Base):
    """A person who can sign in. Candidates have a login and an identity number, and no password until they set one."""

    __tablename__ = "accounts"

    id: Mapped[Id]
    login: Mapped[Line] = mapped_column(unique=True)
    name: Mapped[Line]
    password_hash: Mapped[str | None] = mapped_column(info={"secret": True})  # null: signs in at the exam door only
    must_change_password: Mapped[bool] = mapped_column(default=False)
    generation: Mapped[int] = mapped_column(default=1)  # raised to end every session of this account at once
    active: Mapped[bool] = mapped_column(default=True)
    institution_id: Mapped[int | None] = mapped_column(sa.ForeignKey("institutions.id"), index=True)
    identity_cipher: Mapped[bytes | None] = mapped_column(info={"secret": True, "identity": "cipher"})
    identity_hash: Mapped[str | None] = mapped_column(sa.String(64), index=True, info={"secret": True, "identity": "hash"})
    identity_masked: Mapped[str | None] = mapped_column(sa.String(18))
    identity_kind: Mapped[IdentityKind] = mapped_column(sa.Enum(IdentityKind, native_enum=False, length=20),
                                                        default=IdentityKind.RESIDENT, server_default="RESIDENT")
    totp_sealed: Mapped[bytes | None] = mapped_column(info={"secret": True})  # the secret of the second step; null: none
    totp_since: Mapped[datetime | None]
    grants: Mapped[list[Grant]] = relationship(back_populates="account", cascade="all, delete-orphan")
    institution: Mapped[Institution | None] = relationship()

    @classmethod
    def visible_to(cls, viewer: Viewer) -> sa.ColumnElement[bool]:
        if viewer.has(Role.ADMINISTRATOR):
            return sa.true()
        return sa.or_(cls.id == viewer.account_id, viewer.reach(cls.institution_id, Role.EXAM_OFFICER))

    def viewer(self) -> Viewer:
        """This account as the person at the door."""
        scopes = tuple(Scope(g.role, g.institution_id, g.region, g.occupation_code, g.plan_id) for g in self.grants)
        return Viewer(self.id, self.login, self.name, self.generation, scopes, self.must_change_password, self.totp_since is not None)


class Grant(Base):
    """A role given to an account, bounded by institution, region, occupation or plan (null: not bounded)."""

    __tablename__ = "grants"
    __table_args__ = (sa.Index(None, "role", "institution_id"),)

    id: Mapped[Id]
    account_id: Mapped[int] = mapped_column(sa.ForeignKey("accounts.id"), index=True)
    role: Mapped[Role] = mapped_column(sa.Enum(Role, native_enum=False, length=30))
    institution_id: Mapped[int | None] = mapped_column(sa.ForeignKey("institutions.id"))
    region: Mapped[str | None] = mapped_column(sa.String(6))
    occupation_code: Mapped[str | None] = mapped_column(sa.String(16))
    plan_id: Mapped[int | None]  # a plan of examroom; no foreign key, the kernel does not know plans
    account: Mapped[Account] = relationship(back_populates="grants")


def create_account(session: Session, login: str, name: str, grants: Sequence[Scope], *,
                   institution: Institution | None = None, password: str | None = None,
                   must_change: bool = True) -> Account:
    """A new account. ``password`` None: it can only enter by the exam door. Refuses a login that is taken."""
    login = login.strip()
    if not login or not name.strip():
        raise Refused("account_incomplete", "请填写登录名和姓名。")
    if session.scalar(sa.select(Account.id).where(Account.login == login)):
        raise Refused("login_taken", f"登录名“{login}”已被使用，请换一个。")
    account = Account(login=login, name=name.strip(), institution=institution)
    if password is not None:
        passwords.check(password, login)
        account.password_hash, account.must_change_password = HASHER.hash(password), must_change
    account.grants = [Grant(role=s.role, institution_id=s.institution_id, region=s.region,
                            occupation_code=s.occupation_code, plan_id=s.plan_id) for s in grants]
    session.add(account)
    session.flush()
    return account


def set_identity(account: Account, number: str, cipher: IdentityCipher, kind: IdentityKind = IdentityKind.RESIDENT) -> None:
    """Store a checked identity number: encrypted, with its keyed hash and its masked form."""
    number, account.identity_kind = check(number, kind), kind
    account.identity_cipher = cipher.encrypt(number)
    account.identity_hash = cipher.fingerprint(number)
    account.identity_masked = mask(number)


def give(session: Session, account: Account, scope: Scope) -> Grant:
    """Add a grant, once."""
    if scope.role not in GRANTABLE:
        raise Refused("role_not_grantable", f"“{scope.role.chinese}”不是可以授予的角色。")
    if scope.role is Role.ADMINISTRATOR and scope != Scope(Role.ADMINISTRATOR):
        raise Refused("administrator_bounded", "系统管理员管理整个系统，不能限于单位、地区、职业或计划：授予时各栏请留空或选“不限”。")
    if scope.region and not REGION_PREFIX.fullmatch(scope.region):
        raise Refused("region", f"地区前缀应为 2、4 或 6 位数字（省、市、区县），例如 4301，现在是“{scope.region}”。")
    if scope.occupation_code and not OCCUPATION_CODE.fullmatch(scope.occupation_code):
        raise Refused("occupation_code", f"职业编码应与职业分类大典一致，例如 6-31-01-03，现在是“{scope.occupation_code}”。")
    for grant in account.grants:
        if Scope(grant.role, grant.institution_id, grant.region, grant.occupation_code, grant.plan_id) == scope:
            return grant
    grant = Grant(account=account, role=scope.role, institution_id=scope.institution_id, region=scope.region,
                  occupation_code=scope.occupation_code, plan_id=scope.plan_id)
    session.add(grant)
    session.flush()
    return grant


def withdraw(session: Session, account: Account, grant_id: int) -> None:
    """Take a grant away; the account has to sign in again. The installation keeps an administrator."""
    held = next((grant for grant in account.grants if grant.id == grant_id), None)
    if held is None:
        raise Refused("no_such_grant", "这个角色已经收回，请刷新页面查看。")
    others = sa.select(Grant.id).where(Grant.role == Role.ADMINISTRATOR, Grant.id != grant_id).limit(1)
    if held.role is Role.ADMINISTRATOR and session.scalar(others) is None:
        raise Refused("last_administrator", "这是最后一位系统管理员，收回后就没有人能管理账号了。请先把“系统管理员”授予另一个账号。")
    account.grants.remove(held)
    account.generation += 1


def proof(session: Session, login: str, password: str, address: str, *, now: datetime) -> str:
    """The stored hash that ``password`` fits, empty for none: what ``sign_in`` asks for.

    Hashing takes a while on purpose: call this with a session that only reads, or every other writer waits for it.
    Refuses with ``locked_out`` after repeated failures.
    """
    attempts.check(session.connection(), login, address, now=now)
    stored = session.scalar(sa.select(Account.password_hash).where(Account.login == login, Account.active))
    return stored or "" if matches(stored or DUMMY_HASH, password) else ""


def sign_in(session: Session, login: str, proven: str, address: str, *, now: datetime) -> Account | None:
    """The account whose password was proven, or None. Refuses with ``locked_out`` after repeated failures."""
    account = session.scalar(sa.select(Account).where(Account.login == login, Account.active))
    good = account is not None and account.password_hash is not None and hmac.compare_digest(account.password_hash, proven)
    noted = attempts.note(session.connection(), [Attempt(login, address, good)], now=now)[0]
    if isinstance(noted, Refused):
        raise noted
    return account if noted else None


def fits_identity(identity_hash: str | None, number: str, cipher: IdentityCipher) -> bool:
    """Whether ``number`` is the identity number that was stored as ``identity_hash``."""
    return any(hmac.compare_digest(identity_hash or "", one) for one in cipher.fingerprints(number.strip().upper()))


def change_password(account: Account, old: str, new: str) -> None:
    """Set a new password and end all other sessions of the account."""
    if not account.password_hash or not matches(account.password_hash, old):
        raise Refused("wrong_password", "原密码不正确，请重新输入。")
    if old == new:
        raise Refused("same_password", "新密码不能与原密码相同。")
    passwords.check(new, account.login)
    account.password_hash, account.must_change_password = HASHER.hash(new), False
    account.generation += 1


def hand_out_password(account: Account) -> str:
    """A fresh random password for an account; it must be changed at the first sign-in."""
    password = "".join(secrets.choice(ALPHABET) for _ in range(10))
    account.password_hash, account.must_change_password = HASHER.hash(password), True
    account.generation += 1
    return password


def matches(stored: str, password: str) -> bool:
    """Whether ``password`` is what was hashed as ``stored``."""
    try:
        with HASHING:
            return HASHER.verify(stored, password)
    except (VerifyMismatchError, InvalidHashError):
        return False

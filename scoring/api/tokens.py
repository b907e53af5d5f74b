"""Rules of tokens: who may issue one for what, who a token is, and its end."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from qbank.kernel.access import Role, Viewer
from qbank.kernel.accounts import REGION_PREFIX, Institution
from qbank.kernel.refused import Refused
from scoring.api.models import MANAGERS, ApiToken, Reads

DAYS = (30, 90, 180, 365)  # for how long a token may be issued
PREFIX = "kpt_"
SOON = timedelta(days=14)


@dataclass(frozen=True)
class Caller:
    """The program at the door: its token, and the viewer that the token's grant makes of it."""

    token_id: int
    name: str
    reads: frozenset[str]
    viewer: Viewer
    expires_at: datetime


def issue(session: Session, name: str, reads: Collection[str], who: Viewer, *, region: str = "", institution_id: int | None = None,
          days: int, now: datetime) -> tuple[ApiToken, str]:
    """A new token and its secret, which is nowhere else: it cannot be shown again."""
    if not name.strip():
        raise Refused("no_name", "请填写接入平台的名称。")
    chosen = [one.value for one in Reads if one.value in reads]
    if not chosen:
        raise Refused("no_reads", "请至少选择一项可读取的内容。")
    if days not in DAYS:
        raise Refused("days", "请选择令牌的有效期。")
    _check_bound(session, region, institution_id, who)
    secret = PREFIX + secrets.token_urlsafe(32)
    token = ApiToken(name=name.strip()[:200], secret_hash=_hash(secret), hint=secret[:10], reads=chosen, region=region or None,
                     institution_id=institution_id, issued_by=who.account_id, issued_at=now, expires_at=now + timedelta(days=days))
    session.add(token)
    session.flush()
    return token, secret


def _check_bound(session: Session, region: str, institution_id: int | None, who: Viewer) -> None:
    """A token reaches no further than the person who issues it."""
    if bool(region) == (institution_id is not None):
        raise Refused("bound", "请填写地区前缀，或选择一所学校：两者必须且只能有一项。")
    if region and not REGION_PREFIX.fullmatch(region):
        raise Refused("region", f"地区前缀应为 2、4 或 6 位数字（省、市、区县），例如 4301，现在是“{region}”。")
    if who.has(Role.ADMINISTRATOR):
        return
    if institution_id is not None:
        within = session.scalar(sa.select(Institution.id).where(Institution.id == institution_id, who.reach(Institution.id, *MANAGERS)))
    else:
        within = any(region.startswith(scope.region or "") for scope in who.scopes if scope.role in MANAGERS
                     and (scope.institution_id, scope.occupation_code, scope.plan_id) == (None, None, None))
    if not within:
        raise Refused("beyond_reach", "令牌的范围不能超出您自己的管辖范围。请改填本地区的前缀，或选择本地区的学校。")


def revoke(session: Session, token: ApiToken, reason: str, who: Viewer, *, now: datetime) -> None:
    """End a token at once: the next request with it is refused."""
    if token.revoked_at is not None:
        raise Refused("revoked", "这个令牌已经吊销。")
    if not reason.strip():
        raise Refused("no_reason", "请填写吊销原因。")
    token.revoked_at, token.revoked_by, token.revoke_reason = now, who.account_id, reason.strip()[:200]
    session.flush()


def identify(session: Session, secret: str, *, now: datetime) -> Caller | None:
    """Who asks; None for an unknown, ended or revoked token. Read from the database for every request: an end holds at once."""
    if not secret.startswith(PREFIX) or len(secret) > 100:
        return None
    token = session.scalar(sa.select(ApiToken).where(ApiToken.secret_hash == _hash(secret)))
    if token is None or not token.holds(now):
        return None
    # No account: nothing is anybody's own here, only what the grant reaches.
    viewer = Viewer(0, f"api:{token.id}", token.name, 0, (token.grant,))
    return Caller(token.id, token.name, frozenset(token.reads), viewer, token.expires_at)


def _hash(secret: str) -> str:
    """SHA-256 is enough: the secret has 256 random bits."""
    return hashlib.sha256(secret.encode()).hexdigest()

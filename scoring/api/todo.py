"""What runs out: tokens of platforms that read here."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from qbank.kernel.access import Role, Viewer, visible
from qbank.kernel.todo import Todo
from scoring.api.models import MANAGERS, ApiToken
from scoring.api.tokens import SOON


def todo(session: Session, viewer: Viewer, *, now: datetime) -> list[Todo]:
    """Tokens whose time is nearly over: the platform stops reading unless a new one is issued."""
    if not viewer.has(Role.ADMINISTRATOR, *MANAGERS):
        return []
    ending = visible(ApiToken, viewer).where(ApiToken.revoked_at.is_(None), ApiToken.expires_at > now, ApiToken.expires_at < now + SOON)
    return [Todo(f"数据接口令牌即将到期：{one.name}", "api.show_token", {"token_id": one.id}, "到期后平台不能再读取，需要时请发放新令牌。",
                 one.expires_at, "四（二）", alarm=True) for one in session.scalars(ending.order_by(ApiToken.expires_at))]

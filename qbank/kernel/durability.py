"""Whether the database keeps what it says it keeps: asked before a room opens, and by the doctor."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.orm import Session

from qbank.kernel.refused import Refused

SQLITE = {"journal_mode": {"wal"}, "synchronous": {"2", "3"}}  # FULL, EXTRA
POSTGRESQL = {"fsync": {"on"}, "full_page_writes": {"on"}, "synchronous_commit": {"on", "remote_apply", "remote_write", "local"}}


def weaknesses(session: Session) -> list[str]:
    """Settings under which an acknowledged answer could be lost: ``name=value``. Empty when there is none."""
    wanted, ask = (SQLITE, "PRAGMA ") if session.get_bind().dialect.name == "sqlite" else (POSTGRESQL, "SHOW ")
    found = {name: str(session.scalar(sa.text(ask + name))).lower() for name in wanted}
    return [f"{name}={found[name]}" for name in sorted(wanted) if found[name] not in wanted[name]]


def require(session: Session) -> None:
    """Refuse to go on with a database that may forget, unless this installation was told to (tests only)."""
    found = weaknesses(session)
    if found and not session.info.get("unsafe_database"):
        raise Refused("not_durable", "数据库的设置不能保证断电后不丢失答案，不能开启考场。请联系系统管理员按下面的项目改正。", found)

"""Before results are posted: the event chains of the sitting hold, or two persons have looked into it and answer for it."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from examroom.delivery import chain
from examroom.delivery.chain import Break
from examroom.marking.chain_models import ChainAcknowledgement
from examroom.plans.models import Sitting, SittingState
from qbank.kernel.access import Viewer
from qbank.kernel.doctor import EXAMINED_THOROUGHLY
from qbank.kernel.finding import Finding
from qbank.kernel.refused import Refused

PERSONS = 2
SHOWN = 20
SAT = (SittingState.CLOSED, SittingState.MARKED)


@dataclass(frozen=True)
class Look:
    """What walking the chains of one sitting found, and who has looked into exactly that."""

    breaks: tuple[Break, ...]
    acknowledged: tuple[ChainAcknowledgement, ...] = ()

    @property
    def digest(self) -> str:
        return hashlib.sha256("\n".join(f"{one.sheet_id} {one.event_id}" for one in self.breaks).encode()).hexdigest()

    @property
    def stands(self) -> bool:
        """Whether results may be posted."""
        return not self.breaks or len(self.acknowledged) >= PERSONS


def look(session: Session, sitting: Sitting) -> Look:
    """Walk every event of the sitting."""
    found = Look(tuple(chain.verify_sitting(session, sitting.id)))
    if not found.breaks:
        return found
    return Look(found.breaks, tuple(session.scalars(sa.select(ChainAcknowledgement).where(
        ChainAcknowledgement.sitting_id == sitting.id, ChainAcknowledgement.digest == found.digest).order_by(ChainAcknowledgement.id))))


def walk(session: Session, sitting_ids: Collection[int] = ()) -> dict[tuple[int, str], list[Break]]:
    """Id and name of each sitting → its breaks; of all that were dealt, unless some are named."""
    query = sa.select(Sitting.id, Sitting.name).where(Sitting.state != SittingState.PLANNED).order_by(Sitting.id)
    rows = session.execute(query.where(Sitting.id.in_(sitting_ids)) if sitting_ids else query).all()
    return {(key, name): chain.verify_sitting(session, key) for key, name in rows}


def _examine(session: Session) -> Finding:
    found = {name: breaks for (key, name), breaks in walk(session).items() if breaks}
    return Finding("event chains", not found, f"{sum(map(len, found.values()))} 处断开",
                   f"运行 examroom marking verify 查看；断开的场次：{'、'.join(found)}")


EXAMINED_THOROUGHLY.append(_examine)


def acknowledge(session: Session, sitting: Sitting, comment: str, who: Viewer, *, now: datetime) -> ChainAcknowledgement:
    """One person has looked into what is broken now and says what came of it."""
    if sitting.state not in SAT:
        raise Refused("not_closed", "收卷以后才能处理作答记录的核验结果。")
    found = look(session, sitting)
    if not found.breaks:
        raise Refused("chain_intact", "本场次的作答记录完整，不需要处理。")
    if not comment.strip():
        raise Refused("no_comment", "请写明调查的经过和结论（例如：硬盘损坏，已由备份恢复，与考生收据核对一致）。")
    if any(one.account_id == who.account_id for one in found.acknowledged):
        raise Refused("acknowledged_before", "您已经登记过结论，须由另一人再登记。")
    made = ChainAcknowledgement(sitting_id=sitting.id, digest=found.digest, account_id=who.account_id, comment=comment.strip(), at=now)
    session.add(made)
    session.flush()
    return made


def require_intact(session: Session, sittings: Sequence[Sitting]) -> None:
    """Refuse to let scores out while the records of answers are broken and two persons have not answered for it."""
    lines = []
    for sitting in sittings:
        found = look(session, sitting)
        if not found.stands:
            lines += [f"{sitting.name}：{one.sentence}" for one in found.breaks[:SHOWN]]
            lines += [f"{sitting.name}：共 {len(found.breaks)} 处，已有 {len(found.acknowledged)} 人登记结论"]
    if lines:
        raise Refused("chain_broken", "作答记录的校验链不完整，不能公布成绩。请在“理论评分”里打开场次的“核验作答记录”，查明原因，由两人登记结论。", lines)

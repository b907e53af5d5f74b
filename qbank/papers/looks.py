"""Who saw which paper (阅卷记录 of the pack, not of marking): every look at content leaves a row.

A page that shows content is a POST door: it records first and shows then, and the one commit of the request comes before
the answer leaves, so nothing is seen that is not recorded. A draft is seen by its composer alone while it is being made;
that is recorded once, when it is sealed.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from qbank.kernel.access import Viewer
from qbank.kernel.refused import Refused
from qbank.papers.models import Paper
from qbank.papers.sealed import OpeningPerson, PaperLook, PaperOpening

WHAT: Mapping[str, str] = {
    "composed": "组卷时可见全部内容", "opened": "参与启封", "content": "查看试题与答案", "printed": "打印", "copies": "生成个人卷",
    "taken": "下载打印文件", "reproduced": "重新组卷比对", "dealt": "发卷", "exported": "导出", "archived": "收入归档卷",
}


def record(session: Session, paper: Paper, who: Viewer, what: str, *, now: datetime, detail: str = "") -> PaperLook:
    """Write down that ``who`` gets to see content of ``paper``. ``what`` is a key of :data:`WHAT`."""
    if what not in WHAT:
        raise ValueError(f"not a kind of look: {what}")
    look = PaperLook(paper_id=paper.id, account_id=who.account_id, what=what, detail=detail[:500], at=now,
                     address=str(session.info.get("address") or "")[:200])
    session.add(look)
    return look


def may_look(session: Session, paper: Paper, who: Viewer) -> bool:
    """A draft is for its composer; an opened paper for its composer and those who opened it; a shut one for nobody."""
    if paper.is_shut:
        return False
    return who.account_id == paper.composer_id or (paper.opened_at is not None and who.account_id in openers(session, paper))


def require(session: Session, paper: Paper, who: Viewer) -> None:
    """Refuse whoever may not look at the content."""
    if paper.is_shut:
        raise Refused("shut", f"试卷“{paper.name}”已封存，还没有启封，不能查看内容。需要使用时，请由两人共同启封。")
    if not may_look(session, paper, who):
        raise Refused("not_yours_to_see", "试题和答案只对本卷的组卷人和启封人显示。")


def openers(session: Session, paper: Paper) -> set[int]:
    """Accounts of the persons who opened the paper."""
    done = sa.select(PaperOpening.id).join(Paper, Paper.id == PaperOpening.paper_id).where(
        PaperOpening.opened_at.is_not(None),
        sa.or_(PaperOpening.paper_id == paper.id,
               sa.and_(PaperOpening.whole_family, Paper.family_id == paper.family_id, PaperOpening.opened_at == paper.opened_at)))
    return set(session.scalars(sa.select(OpeningPerson.account_id).where(OpeningPerson.opening_id.in_(done))))


def looks_at(session: Session, paper: Paper) -> list[PaperLook]:
    """All looks at the paper, the newest first."""
    return list(session.scalars(sa.select(PaperLook).where(PaperLook.paper_id == paper.id).order_by(PaperLook.id.desc())
                                .options(sa.orm.joinedload(PaperLook.account))))

"""Long work of this room: dealing a whole sitting."""

from __future__ import annotations

from examroom.delivery import dealing
from examroom.plans.models import Sitting
from qbank.kernel.access import fetch
from qbank.kernel.jobs import Work, kind

DEAL = "delivery.deal"


@kind(DEAL, "发卷")
def deal(work: Work) -> str:
    """Compute and check without a lock, write in one short transaction."""
    key = work.arguments["sitting"]
    with work.reading() as session:
        prepared = dealing.prepare(session, fetch(session, Sitting, key, work.who), work.who, now=work.now(),
                                   progress=lambda done, total: _tell(work, done, total))
    with work.transaction() as session:
        count = dealing.write(session, fetch(session, Sitting, key, work.who), prepared, work.who, now=work.now())
    work.progress(count, count, f"已发卷 {count} 份，每份的题目、选项和图片都已核对。")
    return f"/delivery/sittings/{key}"


def _tell(work: Work, done: int, total: int) -> None:
    if done % 100 == 0:
        work.progress(done, total, f"正在排题、生成并核对答卷：{done} / {total}")

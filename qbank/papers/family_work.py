"""Sealing and opening all forms of a call at once, off the request: computed without a lock, written in short transactions.

A pool of two hundred forms takes half a minute to check and encrypt. Everything is checked before anything is written,
so one bad form keeps all of them drafts; what is written goes in portions, so that exams that run save in between. Work
that stops half-way leaves whole papers, sealed or not, and is asked for once more.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from qbank.kernel.access import fetch
from qbank.kernel.jobs import Work, kind
from qbank.papers import opening, sealing
from qbank.papers.models import Paper, PaperFamily
from qbank.papers.sealed import PaperOpening

PORTION = 10  # papers of one transaction
T = TypeVar("T")


@kind("papers.seal_family", "封存全部试卷")
def seal_family(work: Work) -> str:
    """Arguments: family. Leads to the family."""
    family_id, now = int(work.arguments["family"]), work.now()
    work.progress(0, 100, "正在核对题库和各套试卷…")
    with work.reading() as session:
        drafts = sealing.drafts_of(fetch(session, PaperFamily, family_id, work.who))
        ready = sealing.prepare(session, drafts, work.who, now=now, progress=work.progress)
    for done, portion in _portions(ready):
        work.progress(done, len(ready), f"正在封存，第 {done + 1} 套，共 {len(ready)} 套…")
        with work.transaction() as session:
            sealing.write(session, portion, work.who, now=now)
    work.progress(len(ready), len(ready), f"已封存 {len(ready)} 套试卷，内容已加密。")
    return f"/papers/families/{family_id}"


@kind("papers.open_family", "启封全部试卷")
def open_family(work: Work) -> str:
    """Arguments: opening, confirmed by as many persons as it needs. Leads to the paper it was asked for."""
    opening_id, now = int(work.arguments["opening"]), work.now()
    with work.reading() as session:
        asked = session.get_one(PaperOpening, opening_id)
        paper_id = asked.paper_id
        ready, left = opening.checked(session, asked, progress=work.progress)
    for done, portion in _portions(ready):
        work.progress(done, len(ready), f"正在启封，第 {done + 1} 套，共 {len(ready)} 套…")
        with work.transaction() as session:
            papers = [session.get_one(Paper, one) for one in portion]
            opening.restore(session, session.get_one(PaperOpening, opening_id), papers, now)
    told = f"；{len(left)} 套有题被暂停或转入练习，仍然封存" if left else ""
    work.progress(len(ready), len(ready), f"已启封 {len(ready)} 套试卷{told}。")
    return f"/papers/{paper_id}/opening"


def _portions(things: Sequence[T]) -> list[tuple[int, Sequence[T]]]:
    return [(start, things[start:start + PORTION]) for start in range(0, len(things), PORTION)]

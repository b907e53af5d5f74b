"""Assembly off the request: the search holds no lock, the writing is short."""

from __future__ import annotations

from collections.abc import Callable

from qbank.kernel.access import fetch
from qbank.kernel.jobs import Work, kind
from qbank.papers import assembling, hand
from qbank.papers.models import Paper, Specification

Told = Callable[[int, int, str], None]


@kind("papers.assemble", "组卷")
def assemble(work: Work) -> str:
    """Arguments: specification (id), seed, forms. Leads to the family, papers or explanation."""
    return _assembled(work, nearest=False)


@kind("papers.nearest", "保留最接近的试卷")
def nearest(work: Work) -> str:
    """The same call once more; what misses the demands least is kept as drafts that can never be sealed."""
    return _assembled(work, nearest=True)


def _assembled(work: Work, *, nearest: bool) -> str:
    specification_id, seed, forms = (int(work.arguments[name]) for name in ("specification", "seed", "forms"))
    work.progress(0, 100, "正在读取题库…")
    with work.reading() as session:
        specification = fetch(session, Specification, specification_id, work.who)
        choice = assembling.choose(session, specification, work.who, seed=seed, forms=forms, now=work.now(), progress=work.progress)
        work.progress(90, 100, "正在统计各套试卷…")
        sheets = assembling.sheets_of(session, specification, choice, nearest=nearest)
    work.progress(95, 100, "正在写入试卷…")
    with work.transaction() as session:
        specification = fetch(session, Specification, specification_id, work.who)
        family = assembling.keep(session, specification, choice, work.who, now=work.now(), nearest=nearest, sheets=sheets)
        if len(family.papers) == 1:
            return f"/papers/{family.papers[0].id}"
        return f"/papers/families/{family.id}"


@kind("papers.anew", "重选其余题")
def anew(work: Work) -> str:
    """Arguments: paper (id), seed, row (the paper's version). What is locked stays, the rest of the form is chosen anew."""
    paper_id, seed, seen = (int(work.arguments[name]) for name in ("paper", "seed", "row"))
    with work.reading() as session:
        paper = fetch(session, Paper, paper_id, work.who)
        found = hand.anew(session, paper, work.who, seed=seed, now=work.now(), progress=work.progress)
    with work.transaction() as session:
        paper = fetch(session, Paper, paper_id, work.who)
        paper.expect(seen)
        hand.keep_anew(session, paper, found, work.who, now=work.now())
    return f"/papers/{paper_id}/hand"

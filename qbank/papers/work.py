"""Assembly off the request: the search holds no lock, the writing is short."""

from __future__ import annotations

from qbank.kernel.access import fetch
from qbank.kernel.jobs import Work, kind
from qbank.papers import desk
from qbank.papers.models import Specification


@kind("papers.assemble", "组卷")
def assemble(work: Work) -> str:
    """Arguments: specification (id), seed, forms. Leads to the paper, or to the list of the forms made together."""
    specification_id, seed, forms = (int(work.arguments[name]) for name in ("specification", "seed", "forms"))
    work.progress(0, forms, f"正在从题库中选题，共 {forms} 套…")
    with work.reading() as session:
        specification = fetch(session, Specification, specification_id, work.who)
        choice = desk.choose(session, specification, work.who, seed=seed, forms=forms)
    work.progress(forms, forms, "正在写入试卷…")
    with work.transaction() as session:
        specification = fetch(session, Specification, specification_id, work.who)
        papers = desk.keep(session, specification, choice, work.who, now=work.now())
        if len(papers) == 1:
            return f"/papers/{papers[0].id}"
    return f"/papers/?specification={specification_id}"

"""From a specification to a family of draft papers: the search, and keeping what it found."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from qbank.items.models import ItemVersion
from qbank.items.states import STANDING
from qbank.kernel.access import Viewer
from qbank.kernel.refused import Refused
from qbank.papers.assembly import assemble as search
from qbank.papers.compiling import MOST_LETTERED
from qbank.papers.engine.results import Assembly, Explanation, Unmakeable
from qbank.papers.models import Paper, PaperFamily, PaperItem, Specification
from qbank.papers.proof import family_report
from qbank.papers.questions import Choice, Question, asked, question
from qbank.papers.sheets import paper_sheet

LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
Progress = Callable[[int, int, str], None]


def silent(done: int, total: int, message: str) -> None:
    """Nobody watches."""


def label_of(place: int, forms: int) -> str:
    """The form made ``place``-th (from 0) of so many: A to Z, and numbers where letters do not reach."""
    return LETTERS[place] if forms <= MOST_LETTERED else f"{place + 1:03d}"


def assemble(session: Session, specification: Specification, who: Viewer, *, now: datetime, seed: int,
             forms: int = 1) -> list[Paper]:
    """Draft papers that meet the specification. Refuses with the causes when there are none."""
    choice = choose(session, specification, who, now=now, seed=seed, forms=forms)
    if choice.explanation is not None:
        raise _told(choice.explanation, choice.question)
    return list(keep(session, specification, choice, who, now=now).papers)


def _told(explanation: Explanation, put: Question) -> Refused:
    """The causes, and what the composer is kept from using."""
    refusal = Unmakeable(explanation)
    own = [f"题库中有 {len(put.pool.own)} 道题由您命制或修改过，按命题与组卷分离的要求没有计入；可请其他组卷员组卷。"] if put.pool.own else []
    torn = [f"有 {len(put.pool.torn)} 道题所在的共用题干题组还不完整（有的题未入库、已暂停或材料版本不同），没有计入。"] if put.pool.torn else []
    return Refused(refusal.code, refusal.sentence, [*refusal.details, *own, *torn])


def choose(session: Session, specification: Specification, who: Viewer, *, now: datetime, seed: int, forms: int = 1,
           progress: Progress = silent) -> Choice:
    """The search alone: it only reads, and may take seconds. Where there are no forms, it says why."""
    put = question(session, specification, who, now=now, seed=seed, forms=forms)
    try:
        return Choice(put, search(put.items, put.quotas, forms=forms, rules=put.rules, seed=seed, progress=progress))
    except Unmakeable as refusal:
        return Choice(put, None, refusal.explanation)


def sheets_of(session: Session, specification: Specification, choice: Choice, *, nearest: bool = False) -> list[dict[str, Any]]:
    """The compliance sheet of every form that was found: only reads."""
    put, assembly = choice.question, _found(choice, nearest)
    labels = [label_of(place, put.forms) for place in range(put.forms)]
    return [paper_sheet(session, specification, put, assembly, place, labels) for place in range(put.forms)] if assembly else []


def _found(choice: Choice, nearest: bool) -> Assembly | None:
    return choice.assembly or (choice.explanation.nearest if choice.explanation and nearest else None)


def keep(session: Session, specification: Specification, choice: Choice, who: Viewer, *, now: datetime,
         nearest: bool = False, sheets: Sequence[dict[str, Any]] | None = None) -> PaperFamily:
    """Store the forms that were found as a family of draft papers; without any, why there are none.

    ``nearest``: the forms that miss the demands least are kept, as drafts that can never be sealed. ``sheets``: those of
    :func:`sheets_of`, made before anything is locked.
    """
    put, explanation, assembly = choice.question, choice.explanation, _found(choice, nearest)
    sheets = sheets_of(session, specification, choice, nearest=nearest) if sheets is None else sheets
    run = 1 + (session.scalar(sa.select(sa.func.count()).where(PaperFamily.specification_id == specification.id)) or 0)
    family = PaperFamily(
        specification=specification, institution_id=specification.institution_id, seed=put.seed, forms=put.forms,
        name=f"{specification.label} 第{run:02d}次", is_pool=put.forms > MOST_LETTERED, composer_id=who.account_id, created_at=now,
        breaks=list(explanation.breaks) if explanation else [], report=family_report(choice))
    session.add(family)
    session.flush()
    if assembly is not None:
        _refuse_changed_bank(session, {key for keys in assembly.forms for key in keys})
        family.papers = _papers(family, put, assembly, sheets, who, now=now)
        session.flush()
    return family


def again(session: Session, paper: Paper, seed: int, forms: int) -> tuple[str, int, tuple[tuple[int, ...], ...]]:
    """The call that made the paper, once more on the bank as it is, with uses as they were: bank digest and size, forms."""
    put = asked(session, paper.specification, paper.composer_id, now=paper.created_at, seed=seed, forms=forms,
                family=paper.family_id)
    found = search(put.items, put.quotas, forms=forms, rules=put.rules, seed=seed)
    return put.pool.digest, len(put.items), found.forms


def numbered(keys: Sequence[int], put: Question, tried: frozenset[int]) -> list[PaperItem]:
    """Continuous numbers across the parts; ``keys`` is in paper order. Items tried out count for nothing."""
    place = {part.kind: (position, part.half_points) for position, part in enumerate(put.quotas.parts)}
    kinds = dict(zip(put.items.keys.tolist(), put.items.kinds, strict=True))
    return [PaperItem(number=number, position=place[kinds[key]][0], version_id=key,
                      half_points=0 if key in tried else place[kinds[key]][1]) for number, key in enumerate(keys, start=1)]


def _papers(family: PaperFamily, put: Question, assembly: Assembly, sheets: Sequence[dict[str, Any]], who: Viewer, *,
            now: datetime) -> list[Paper]:
    labels = [label_of(place, put.forms) for place in range(put.forms)]
    return [Paper(specification=family.specification, institution_id=family.institution_id, form=label,
                  name=f"{family.name} {label}卷", seed=put.seed, composer_id=who.account_id, created_at=now,
                  compliance=sheet, items=numbered(keys, put, assembly.tried))
            for label, keys, sheet in zip(labels, assembly.forms, sheets, strict=True)]


def _refuse_changed_bank(session: Session, version_ids: set[int]) -> None:
    approved = sa.select(sa.func.count()).where(ItemVersion.id.in_(version_ids), ItemVersion.state.in_(STANDING))
    if session.scalar(approved) != len(version_ids):
        raise Refused("bank_changed", "组卷期间题库有变动，选中的题有的已停用或有了新版本。请重新组卷。")

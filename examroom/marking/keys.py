"""What a sitting is scored by: the items of each form with their keys, the sealed policy, and what was decided since."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import Session, joinedload

from examroom.delivery.models import Sheet
from examroom.marking.case_models import CaseState, ItemCase, Remedy
from examroom.marking.scoring import Keyed, Ruling
from examroom.plans.models import Sitting
from qbank.items.models import ItemVersion
from qbank.items.policy import Policy
from qbank.papers.contents import policy_of
from qbank.papers.models import Paper, PaperItem

IN_EFFECT = (CaseState.APPROVED, CaseState.DONE)
SIGNS = {"T": "√", "F": "×"}


@dataclass(frozen=True, eq=False)
class Form:
    """One paper as a sitting is scored by it."""

    paper: Paper
    items: tuple[PaperItem, ...]
    policy: Policy
    rulings: Mapping[int, Ruling]  # by paper number

    @property
    def keyed(self) -> list[Keyed]:
        return [keyed(item) for item in self.items]


def keyed(item: PaperItem) -> Keyed:
    return Keyed(item.number, item.version.kind.value, item.version.key, item.half_points)


def keyed_items(session: Session, paper_id: int) -> list[PaperItem]:
    """The items of a paper with their versions, by number."""
    return list(session.scalars(sa.select(PaperItem).where(PaperItem.paper_id == paper_id).order_by(PaperItem.number)
                                .options(joinedload(PaperItem.version))))


def form_of(session: Session, paper: Paper, proposed: Mapping[int, Ruling] | None = None) -> Form:
    """``proposed``: version id → a ruling that is not in effect yet, to see what it would do."""
    items = keyed_items(session, paper.id)
    found = {**rulings_on(session, paper.institution_id, [item.version_id for item in items]), **(proposed or {})}
    return Form(paper, tuple(items), policy_of(session, paper),
                {item.number: found[item.version_id] for item in items if item.version_id in found})


def forms_of(session: Session, sitting: Sitting, proposed: Mapping[int, Ruling] | None = None) -> dict[int, Form]:
    """Paper id → form, of the papers that were sat."""
    sat = sa.select(Sheet.paper_id).where(Sheet.sitting_id == sitting.id).distinct()
    papers = session.scalars(sa.select(Paper).where(Paper.id.in_(sat)).order_by(Paper.form, Paper.id))
    return {paper.id: form_of(session, paper, proposed) for paper in papers}


def rulings_on(session: Session, institution_id: int, version_ids: Collection[int]) -> dict[int, Ruling]:
    """What two persons decided about versions and is in effect; of several decisions on one version the newest."""
    cases = session.scalars(sa.select(ItemCase).where(
        ItemCase.institution_id == institution_id, ItemCase.version_id.in_(version_ids), ItemCase.state.in_(IN_EFFECT))
        .order_by(ItemCase.id))
    return {case.version_id: ruling_of(case) for case in cases}


def ruling_of(case: ItemCase) -> Ruling:
    """The remedy of a case as scoring takes it."""
    if case.remedy is None:
        raise ValueError(f"case {case.id} has no remedy")
    return Ruling(keys=tuple(case.keys), full_marks=case.remedy is Remedy.FULL_MARKS, removed=case.remedy is Remedy.REMOVED,
                  rescaled=bool(case.rescaled), sentence=f"问题试题处理 {case.id} 号：{told(case)}。")


def told(case: ItemCase) -> str:
    """The remedy in words."""
    if case.remedy is None:
        return ""
    if case.keys:
        return f"{case.remedy.chinese}（{'、'.join(spoken_key(key) for key in case.keys)}）"
    if case.remedy is Remedy.REMOVED:
        return case.remedy.chinese + ("，其余各题按比例折算" if case.rescaled else "，该题按 0 分计")
    return case.remedy.chinese


def spoken_key(key: str) -> str:
    return SIGNS.get(key, key.replace("\n", "；"))


def effective_key(version: ItemVersion, ruling: Ruling | None) -> str:
    """The key that statistics compare answers with."""
    return ruling.keys[0] if ruling is not None and ruling.keys else version.key

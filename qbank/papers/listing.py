"""What the pages of this room list and count."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import aliased, joinedload, selectinload

from qbank.kernel.access import Viewer, visible
from qbank.papers.models import Paper, PaperFamily, PaperState, Specification
from qbank.standards.models import Standard, WeightTable

SORTS = {"new": (Paper.created_at.desc(), Paper.id.desc()), "old": (Paper.created_at, Paper.id),
         "name": (Paper.name, Paper.id), "sealed": (Paper.sealed_at.desc().nulls_last(), Paper.id.desc())}


@dataclass(frozen=True)
class Filters:
    """The filters of the list of papers, as they stand in its address; anything unreadable is no filter."""

    text: str = ""
    state: PaperState | None = None
    specification_id: int | None = None
    sort: str = "new"

    @classmethod
    def read(cls, arguments: Mapping[str, str]) -> Filters:
        state, specification = arguments.get("state", ""), arguments.get("specification", "")
        sort = arguments.get("sort", "new")
        return cls(arguments.get("q", "").strip(), PaperState(state) if state in set(PaperState) else None,
                   int(specification) if specification.isdecimal() and len(specification) < 10 else None,
                   sort if sort in SORTS else "new")

    def arguments(self, **changes: Any) -> dict[str, Any]:
        """For ``url_for``: these filters with some changed."""
        mine = {"q": self.text, "state": self.state.value if self.state else "", "sort": self.sort,
                "specification": self.specification_id or ""}
        return {name: value for name, value in {**mine, **changes}.items() if value not in {"", "new"}}


def papers(viewer: Viewer, filters: Filters) -> sa.Select[Paper]:
    """Papers that ``viewer`` may see and that pass the filters; discarded ones only when asked for by their state."""
    query = visible(Paper, viewer).options(
        joinedload(Paper.composer), joinedload(Paper.specification).joinedload(Specification.table)
        .joinedload(WeightTable.standard).joinedload(Standard.occupation)).order_by(*SORTS[filters.sort])
    if filters.text:
        query = query.where(Paper.name.contains(filters.text, autoescape=True))
    if filters.specification_id:
        query = query.where(Paper.specification_id == filters.specification_id)
    if filters.state:
        return query.where(Paper.state == filters.state)
    return query.where(Paper.state != PaperState.DISCARDED)


def specifications(viewer: Viewer) -> sa.Select[Specification]:
    """The newest version of every specification that ``viewer`` may see, the newest first."""
    later = aliased(Specification)
    superseded = sa.exists().where(later.number > Specification.number,
                                   later.root_id == sa.func.coalesce(Specification.root_id, Specification.id))
    return visible(Specification, viewer).where(~superseded).options(
        joinedload(Specification.table).joinedload(WeightTable.standard).joinedload(Standard.occupation),
        selectinload(Specification.parts)).order_by(Specification.id.desc())


def families(viewer: Viewer, line: int | None = None) -> sa.Select[PaperFamily]:
    """Calls that made papers, or found none, the newest first; ``line``: of all versions of one specification."""
    query = visible(PaperFamily, viewer).options(
        joinedload(PaperFamily.composer), joinedload(PaperFamily.specification).joinedload(Specification.table)
        .joinedload(WeightTable.standard).joinedload(Standard.occupation), selectinload(PaperFamily.papers)).order_by(PaperFamily.id.desc())
    if line is None:
        return query
    return query.where(PaperFamily.specification.has(sa.or_(Specification.id == line, Specification.root_id == line)))

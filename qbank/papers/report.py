"""The compliance sheet as it is stored with a paper: target and actual of everything that was asked for."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import isnan
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from qbank.items.models import ItemVersion
from qbank.papers.compliance import Candidate, Demands, compliance, grade_targets
from qbank.papers.contents import candidate_of
from qbank.papers.models import Paper, PaperItem, PaperState, Specification
from qbank.papers.packs import links
from qbank.papers.pool import Pool
from qbank.papers.specification import Quotas
from qbank.standards.models import Point, Range
from qbank.statistics.grades import measured_grades

GRADES = {1: "易", 2: "较易", 3: "中等", 4: "较难", 5: "难"}


def counted(session: Session, specification: Specification, quotas: Quotas, chosen: Sequence[Candidate],
            demands: Demands) -> dict[str, Any]:
    """What can be counted on one form. Points are half-points, shares are of all items, lists are in printed order."""
    report = compliance(chosen, quotas, demands)
    names = {found.path: found.name for found in specification.table.ranges}
    cells: defaultdict[str, Counter[str]] = defaultdict(Counter)
    of_table = {row[0]: row[1] for row in session.execute(
        sa.select(Range.path, sa.func.count(Point.id)).join(Point, Point.range_id == Range.id)
        .where(Range.table_id == specification.table_id).group_by(Range.path))}
    examined = Counter(path for path, _ in {(item.range_key, item.point_key) for item in chosen})
    for item in chosen:
        cells[item.range_key][item.kind] += 1
    target = grade_targets(quotas, demands)
    return {
        "ranges": [{"path": path, "name": names[path], "target": aim, "actual": got,
                    "items": [cells[path][part.kind] for part in quotas.parts],
                    "points": examined[path], "points_of_table": of_table.get(path, 0),
                    "quotas": [quotas.counts[path, p] for p in range(len(quotas.parts))]}
                   for path, (aim, got, _) in report.ranges.items()],
        "kinds": [{"kind": part.kind, "half_points": part.half_points, "target": part.count,
                   "actual": report.kinds[part.kind][1]} for part in quotas.parts],
        "importance": report.importance,
        "importance_shares": {code: None if isnan(share) else round(share, 4)
                              for code, share in report.importance_shares.items()},
        "importance_of_table": _importance_of_table(session, specification.table_id),
        "difficulty": [{"grade": grade, "name": GRADES[grade], "target": aim, "actual": got}
                       for grade, (aim, got) in report.difficulty.items()],
        "mean_difficulty": None if isnan(report.mean_difficulty) else round(report.mean_difficulty, 3),
        "mean_difficulty_target": round(sum(grade * n for grade, n in target.items()) / max(1, sum(target.values())), 3),
        "keys": report.keys,
        "repeated": [{"point": point, "count": report.repeated[path, key]}
                     for (path, key), point in _points_named(session, list(report.repeated)).items()],
        "points_covered": len({item.point_key for item in chosen}),
        "max_exposure": report.max_exposure,
    }


@dataclass(frozen=True)
class Sealed:
    """The sealed papers of a school with the items on them, read once for many sheets."""

    names: Mapping[int, str]
    items: Mapping[int, frozenset[int]]

    @classmethod
    def read(cls, session: Session, paper: Paper) -> Sealed:
        """Those that ``paper`` is compared with."""
        query = sa.select(Paper.id, Paper.name).where(Paper.state == PaperState.SEALED, Paper.institution_id == paper.institution_id)
        names = {paper_id: name for paper_id, name in session.execute(query)}  # noqa: C416  # rows are not pairs to mypy
        return cls(names, {paper_id: frozenset(item_id for _, item_id in rows) for paper_id, rows in links(session, names).items()})

    def shared(self, item_ids: Sequence[int], but: int) -> list[dict[str, Any]]:
        """Those that share items with these, most shared first."""
        mine = set(item_ids)
        counts = [(len(mine & items), paper_id) for paper_id, items in self.items.items() if paper_id != but]
        return [{"id": paper_id, "name": self.names[paper_id], "shared": count} for count, paper_id in sorted(counts, reverse=True) if count]


def fresh(session: Session, paper: Paper, items: Sequence[PaperItem], quotas: Quotas, used: Mapping[int, int], sealed: Sealed) -> dict[str, Any]:
    """The sheet of a paper counted anew, from its items and the bank as they are now; ``used``: item → sealed papers."""
    grades = measured_grades(session, [item.version_id for item in items])
    chosen = [candidate_of(item, used.get(item.version.item_id, 0), grades.get(item.version_id)) for item in items if item.half_points]
    sheet = counted(session, paper.specification, quotas, chosen, Demands())
    asked = {line["grade"]: line["target"] for line in paper.compliance.get("difficulty", [])}
    for line in sheet["difficulty"] if asked else []:  # the mix that was asked for is the call's
        line["target"] = asked.get(line["grade"], 0)
    sheet["mean_difficulty_target"] = paper.compliance.get("mean_difficulty_target", sheet["mean_difficulty_target"])
    return sheet | {"overlap_sealed": sealed.shared([item.version.item_id for item in items], paper.id)}


def companies(pool: Pool, keys: Sequence[int]) -> dict[str, Any]:
    """How a form keeps to the decided pairs and to the sets of shared materials: counted, not assumed."""
    held = set(keys)
    sets = [members & held for members in pool.items.together if members & held]
    return {"apart_marked": len(pool.items.apart),
            "apart_met": sum(one in held and other in held for one, other in pool.items.apart),
            "sets": len(sets), "sets_broken": sum(part not in pool.items.together for part in sets), "set_items_barred": len(pool.torn)}


def deviations(paper: Paper) -> int:
    """Sum of what the ranges are off their weights, in half-points."""
    return sum(abs(line["actual"] - line["target"]) for line in paper.compliance["ranges"])


def _importance_of_table(session: Session, table_id: int) -> dict[str, int]:
    query = (sa.select(Point.importance, sa.func.count()).join(Point.range).where(Range.table_id == table_id)
             .group_by(Point.importance))
    found = {importance.value: count for importance, count in session.execute(query)}
    return {code: found.get(code, 0) for code in ("X", "Y", "Z")}


def _points_named(session: Session, keys: Sequence[tuple[str, str]]) -> dict[tuple[str, str], str]:
    ids = [int(key) for _, key in keys]
    labels = {point.id: point.label for point in session.scalars(sa.select(Point).where(Point.id.in_(ids)))}
    return {(path, key): labels[int(key)] for path, key in keys}


def item_ids(session: Session, version_ids: Sequence[int]) -> list[int]:
    """The items of these versions."""
    return list(session.scalars(sa.select(ItemVersion.item_id).where(ItemVersion.id.in_(version_ids))))

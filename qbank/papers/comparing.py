"""Two papers side by side, and a paper before and after a swap: numbers that a person compares."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from itertools import zip_longest

import sqlalchemy as sa
from sqlalchemy.orm import Session

from qbank.items.models import ItemFigures
from qbank.papers.engine.results import Line
from qbank.papers.engine.rules import OnePerPoint
from qbank.papers.hand import Offer, Table
from qbank.papers.models import Paper, PaperItem, PaperState, Specification
from qbank.papers.rules import GRADE_FIELDS
from qbank.papers.specification import kind_name

MOST_OTHERS = 200
SIGNS = {"T": "√", "F": "×"}


@dataclass(frozen=True)
class Change:
    """One demand before and after: what it asks, what the form has; ``kept`` after, ``was_kept`` before."""

    name: str
    asked: str
    before: float
    after: float
    was_kept: bool
    kept: bool
    hard: bool


@dataclass(frozen=True)
class Row:
    """A number of both papers, and what was asked where something was."""

    group: str
    name: str
    asked: str
    one: str
    other: str

    @property
    def differs(self) -> bool:
        return self.one != self.other


def outlook(table: Table, offers: Sequence[Offer]) -> dict[int, list[Change]]:
    """Version → which demands on this form change with it, and how."""
    keys = table.forms[table.place]
    before = table.proved(table.forms).lines[table.place]
    found = {}
    for offer in offers:
        instead = dict(zip(offer.swap.gone, offer.swap.come, strict=True))
        swapped = [instead.get(key, key) for key in keys]
        after = table.proved(table.with_form(swapped)).lines[table.place]
        found[offer.swap.key] = [_change(one, other) for one, other in zip(before, after, strict=True)
                                 if abs(one.actual - other.actual) > 1e-9 and one.rule != OnePerPoint.title]
    return found


def _change(one: Line, other: Line) -> Change:
    return Change(one.name, asked(one.low, one.high), one.actual, other.actual, one.kept, other.kept, one.hard)


def asked(low: float | None, high: float | None) -> str:
    """Limits in words."""
    least, most = low is not None and low > float("-inf") and low > 0, high is not None and high < float("inf")
    if least and most:
        return _rounded(low) if low == high else f"{_rounded(low)} ～ {_rounded(high)}"
    return f"≥ {_rounded(low)}" if least else f"≤ {_rounded(high)}" if most else ""


def _rounded(value: float | None) -> str:
    return f"{round(value or 0, 2):g}"


def uses(session: Session, item_ids: Collection[int]) -> dict[int, int]:
    """Item → papers it was on that are known, opened ones."""
    rows = session.execute(sa.select(ItemFigures.item_id, ItemFigures.uses).where(ItemFigures.item_id.in_(item_ids)))
    return {row[0]: row[1] for row in rows}


def others(session: Session, papers: sa.Select[Paper], paper: Paper) -> list[Paper]:
    """The papers of the same specification, whatever version; those made together with it first, the newest first."""
    line = paper.specification.line
    query = papers.where(Paper.id != paper.id, Paper.state != PaperState.DISCARDED,
                         Paper.specification.has(sa.or_(Specification.id == line, Specification.root_id == line)))
    together = sa.case((Paper.family_id == paper.family_id, 0), else_=1) if paper.family_id else sa.literal(0)
    return list(session.scalars(query.order_by(together, Paper.id.desc()).limit(MOST_OTHERS)))


def sides(one: Paper, other: Paper) -> list[Row]:
    """What their compliance sheets say, line by line."""
    a, b = one.compliance, other.compliance
    rows = [Row("鉴定范围", f"{x['path']} {x['name']}", f"{x['target'] / 2:g} 分", f"{x['actual'] / 2:g}", f"{y['actual'] / 2:g}")
            for x, y in zip(a["ranges"], b["ranges"], strict=False)]
    rows += [Row("题型", kind_name(x["kind"]), f"{x['target']} 题", str(x["actual"]), str(y["actual"]))
             for x, y in zip(a["kinds"], b["kinds"], strict=False)]
    rows += [Row("重要程度", code, "", str(a["importance"][code]), str(b["importance"][code])) for code in "XYZ"]
    rows += _grades(a, b)
    for kind in {**a["keys"], **b["keys"]}:
        letters = sorted({*a["keys"].get(kind, {}), *b["keys"].get(kind, {})})
        rows += [Row("答案", f"{kind_name(kind)} {SIGNS.get(letter, letter)}", "", str(a["keys"].get(kind, {}).get(letter, 0)),
                     str(b["keys"].get(kind, {}).get(letter, 0))) for letter in letters]
    return rows + _curves(a, b)


def _grades(a: dict[str, list[dict[str, int]]], b: dict[str, list[dict[str, int]]]) -> list[Row]:
    mine, theirs = ({row["grade"]: row for row in sheet["difficulty"]} for sheet in (a, b))
    nothing = {"target": 0, "actual": 0}
    return [Row("难度", f"{grade} 级", f"{mine.get(grade, nothing)['target']} 题", str(mine.get(grade, nothing)["actual"]),
                str(theirs.get(grade, nothing)["actual"])) for grade in GRADE_FIELDS]


def _curves(a: dict[str, list[float]], b: dict[str, list[float]]) -> list[Row]:
    """Information and expected score, where both sheets have them at the same abilities."""
    if "information" not in a or a.get("abilities") != b.get("abilities"):
        return []
    targets = [f"{value:.2f}" for value in a["target"]] or [""] * len(a["abilities"])
    rows = [Row("测量", f"θ＝{theta:.2f} 处信息量", target, f"{x:.2f}", f"{y:.2f}")
            for theta, target, x, y in zip(a["abilities"], targets, a["information"], b["information"], strict=True)]
    return [*rows, Row("测量", "合格线处预期得分（分）", "", f"{a['expected']:.2f}", f"{b['expected']:.2f}"),
            Row("测量", "合格线处测量标准误（分）", "", f"{a['error']:.2f}", f"{b['error']:.2f}")]


def pairs(one: Sequence[PaperItem], other: Sequence[PaperItem]) -> list[tuple[PaperItem | None, PaperItem | None, bool]]:
    """The items number by number, and whether that of the first is on the second too."""
    held = {item.version.item_id for item in other}
    return [(mine, theirs, mine is not None and mine.version.item_id in held) for mine, theirs in zip_longest(one, other)]

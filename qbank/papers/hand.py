"""A draft paper changed by hand: swap an item for one of the best equivalents, undo, lock, choose the rest anew."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import combinations
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session, selectinload

from qbank.items.bank import require_reach
from qbank.items.models import ItemVersion
from qbank.kernel.access import Role, Viewer
from qbank.kernel.refused import Refused
from qbank.papers.assembling import Progress, numbered, silent
from qbank.papers.assembly import assemble as search
from qbank.papers.assembly import proof, swaps
from qbank.papers.engine.results import Assembly, Swap
from qbank.papers.engine.rules import Overlap, Rule
from qbank.papers.models import Paper, PaperChange, PaperItem, PaperState
from qbank.papers.packs import version_ids
from qbank.papers.questions import Question, asked
from qbank.papers.sheets import paper_sheet
from qbank.standards.models import Point

MOST_OFFERED = 10
SWAP, UNDO, ANEW = "swap", "undo", "resolve"
ACTIONS = {SWAP: "换题", UNDO: "撤销换题", ANEW: "重选其余题"}


@dataclass(frozen=True, eq=False)
class Table:
    """A draft among the forms made with it, as the engine takes them. ``papers`` in the order of ``forms``."""

    put: Question
    papers: tuple[Paper, ...]
    forms: tuple[tuple[int, ...], ...]
    place: int
    tried: frozenset[int]

    @property
    def paper(self) -> Paper:
        return self.papers[self.place]

    @property
    def labels(self) -> list[str]:
        return [paper.form for paper in self.papers]

    def with_form(self, keys: Sequence[int]) -> tuple[tuple[int, ...], ...]:
        """The forms, this one's items being ``keys``."""
        return (*self.forms[:self.place], tuple(keys), *self.forms[self.place + 1:])

    def proved(self, forms: Sequence[tuple[int, ...]]) -> Assembly:
        return proof(self.put.items, self.put.quotas, forms, rules=self.put.rules)


@dataclass(frozen=True)
class Offer:
    """An item that may stand in for another."""

    version: ItemVersion
    swap: Swap


def table_of(session: Session, paper: Paper, who: Viewer, *, now: datetime) -> Table:
    """The draft on the desk of the person who composed it. Refuses others, and papers that are no drafts."""
    require_mine(session, paper, who)
    family = [paper]
    if paper.family is not None:
        family = [one for one in paper.family.papers if one.state is not PaperState.DISCARDED]
    held = version_ids(session, [one.id for one in family])
    tried = frozenset(item.version_id for item in paper.items if not item.half_points)
    put = asked(session, paper.specification, paper.composer_id, now=now, forms=len(family), family=paper.family_id,
                holding={key for keys in held.values() for key in keys})
    forms = tuple(tuple(held[one.id]) for one in family)
    return Table(replace(put, rules=_no_more_sharing(put.rules, forms)), tuple(family), forms, family.index(paper), tried)


def _no_more_sharing(rules: Sequence[Rule], forms: Sequence[Sequence[int]]) -> tuple[Rule, ...]:
    """Where sharing was only to be little, forms share no more by hand than they do already."""
    if any(isinstance(rule, Overlap) and rule.most is not None for rule in rules):
        return tuple(rules)
    shared = max((len({*one} & {*other}) for one, other in combinations(forms, 2)), default=0)
    return (*(rule for rule in rules if not isinstance(rule, Overlap)), Overlap(most=shared))


def require_mine(session: Session, paper: Paper, who: Viewer) -> None:
    """Refuse whoever did not compose this paper, and papers that are no drafts."""
    require_reach(session, paper.specification.table, paper.institution_id, Role.PAPER_COMPOSER, who)
    if paper.composer_id != who.account_id:
        raise Refused("not_composer", "只有本卷的组卷人能换题和重选。")
    if paper.state is not PaperState.DRAFT:
        raise Refused("wrong_state", f"试卷“{paper.name}”现在是“{paper.state.chinese}”，只有待封存的试卷可以换题。")


def offers(session: Session, table: Table, number: int, limit: int = MOST_OFFERED) -> list[Offer]:
    """The best equivalents of the item at ``number``, the best first: no hard rule of the family is broken by them."""
    item = item_at(table.paper, number)
    found = swaps(table.put.items, table.put.quotas, table.forms, table.place, item.version_id, rules=table.put.rules, limit=limit)
    versions = {version.id: version for version in session.scalars(
        sa.select(ItemVersion).where(ItemVersion.id.in_([one.key for one in found]))
        .options(selectinload(ItemVersion.options), selectinload(ItemVersion.point).selectinload(Point.range)))}
    return [Offer(versions[one.key], one) for one in found]


def swap(session: Session, paper: Paper, number: int, version_id: int, who: Viewer, *, reason: str, now: datetime) -> None:
    """Put ``version_id`` where the item at ``number`` stands, and of a set the whole other set. Refuses whatever would break a
    hard rule of the family."""
    table = table_of(session, paper, who, now=now)
    places = _places(table, item_at(paper, number).version_id, version_id)
    changed = {item.number: places[item.version_id] for item in paper.items if item.version_id in places}
    for item in paper.items:
        if item.locked and item.number in changed:
            raise Refused("locked", f"第 {item.number} 题已锁定，不能换。请先解除锁定。")
    _refuse_breaking(table, places)
    _write(session, table, changed, SWAP, reason, who, now=now)


def _places(table: Table, old: int, new: int) -> dict[int, int]:
    """Which item stands where which one stood: one for one, or the items of a set for those of another. Refuses items of
    another range or kind and half a set."""
    items = table.put.items
    cells = dict(zip(items.keys.tolist(), zip(map(str, items.ranges), map(str, items.kinds), strict=True), strict=True))
    gone, come = (next((members for members in items.together if key in members), frozenset({key})) for key in (old, new))
    if not gone | come <= cells.keys() or come & {*table.forms[table.place]}:
        raise _unequal()
    leaving, coming = (sorted(keys, key=lambda key: (cells[key], key)) for keys in (gone, come))
    if [cells[key] for key in leaving] != [cells[key] for key in coming]:
        raise _unequal()
    return dict(zip(leaving, coming, strict=True))


def _unequal() -> Refused:
    return Refused("not_equivalent", "这道题不能替换：它不在同一范围和题型，已在本卷，或属于题目组成不同的共用题干题组。请从列出的题中选择。")


def _refuse_breaking(table: Table, places: dict[int, int]) -> None:
    """Refuse whatever misses a hard rule by more than it is missed now."""
    swapped = table.with_form([places.get(key, key) for key in table.forms[table.place]])
    broken = [after.sentence for before, after in zip(table.proved(table.forms).lines[table.place],
                                                      table.proved(swapped).lines[table.place], strict=True)
              if after.hard and after.missed > before.missed + 1e-6]
    if broken:
        raise Refused("breaks_rule", "换成这道题会违反必须满足的要求，没有换。", broken)


def undo(session: Session, paper: Paper, who: Viewer, *, now: datetime) -> PaperChange:
    """Take the last change by hand back."""
    table = table_of(session, paper, who, now=now)
    last = last_change(session, paper)
    if last is None:
        raise Refused("nothing_to_undo", "没有可以撤销的换题。")
    standing = {item.number: item.version_id for item in paper.items}
    if any(standing.get(number) != after for number, _, after in last.numbers):
        raise Refused("nothing_to_undo", "这次换题之后试卷又改动过，不能撤销。")
    _write(session, table, {number: before for number, before, _ in last.numbers}, UNDO, "", who, now=now)
    last.undone = True
    session.flush()
    return last


def lock(session: Session, paper: Paper, numbers: Collection[int], who: Viewer) -> int:
    """Lock exactly these numbers: they stay when the rest is chosen anew. How many are locked."""
    require_mine(session, paper, who)
    for item in paper.items:
        item.locked = item.number in numbers
    session.flush()
    return sum(item.locked for item in paper.items)


def anew(session: Session, paper: Paper, who: Viewer, *, seed: int, now: datetime, progress: Progress = silent) -> Table:
    """The search for the rest of the form, its locked items and the other forms being kept: only reads.

    The found form stands in the returned table. Raises Unmakeable with its explanation.
    """
    table = table_of(session, paper, who, now=now)
    kept = [frozenset(keys) for keys in table.forms]
    kept[table.place] = frozenset(item.version_id for item in paper.items if item.locked)
    found = search(table.put.items, table.put.quotas, forms=len(table.forms), rules=table.put.rules, seed=seed,
                   locked=tuple(kept), progress=progress)
    return Table(table.put, table.papers, found.forms, table.place, found.tried)


def keep_anew(session: Session, paper: Paper, found: Table, who: Viewer, *, now: datetime) -> int:
    """Store the form that :func:`anew` found. How many items changed."""
    before = table_of(session, paper, who, now=now)
    items = {item.number: item for item in paper.items}
    fresh = numbered(found.forms[found.place], found.put, found.tried)
    changed = {item.number: item.version_id for item in fresh if items[item.number].version_id != item.version_id}
    locked = {item.version_id for item in paper.items if item.locked}
    replaced = {item.version_id for item in paper.items} - {item.version_id for item in fresh}
    tried = Table(before.put, before.papers, before.forms, before.place, found.tried)
    _write(session, tried, changed, ANEW, "", who, now=now)
    for item in paper.items:
        item.locked = item.version_id in locked
        item.half_points = 0 if item.version_id in found.tried else item.half_points
    session.flush()
    return len(replaced)


def changes_of(session: Session, paper: Paper) -> list[PaperChange]:
    """All changes by hand, the newest first."""
    return list(session.scalars(sa.select(PaperChange).where(PaperChange.paper_id == paper.id).order_by(PaperChange.id.desc())
                                .options(selectinload(PaperChange.account))))


def last_change(session: Session, paper: Paper) -> PaperChange | None:
    """The newest change that may be undone."""
    query = (sa.select(PaperChange).where(PaperChange.paper_id == paper.id, PaperChange.action != UNDO, ~PaperChange.undone)
             .order_by(PaperChange.id.desc()).limit(1))
    return session.scalars(query).first()


def forget(session: Session, paper_ids: Collection[int]) -> None:
    """What was changed by hand would tell items of sealed papers."""
    for change in session.scalars(sa.select(PaperChange).where(PaperChange.paper_id.in_(paper_ids))):
        session.delete(change)


def item_at(paper: Paper, number: int) -> PaperItem:
    found = next((item for item in paper.items if item.number == number), None)
    if found is None:
        raise Refused("no_such_number", f"本卷没有第 {number} 题。")
    return found


def _write(session: Session, table: Table, wanted: dict[int, int], action: str, reason: str, who: Viewer, *,
           now: datetime) -> None:
    """Change the rows, note the change, make the sheets of all drafts of the family anew."""
    paper = table.paper
    items = {item.number: item for item in paper.items}
    noted = [[number, items[number].version_id, version_id] for number, version_id in sorted(wanted.items())]
    _replace(session, paper, wanted)
    session.add(PaperChange(paper_id=paper.id, numbers=noted, action=action, reason=reason.strip()[:500],
                            account_id=who.account_id, at=now))
    renew_sheets(session, table, [item.version_id for item in sorted(paper.items, key=lambda item: item.number)])
    session.flush()


def _replace(session: Session, paper: Paper, wanted: dict[int, int]) -> None:
    """The rows of these numbers anew: numbers and versions are unique, so the old ones go first."""
    old = [item for item in paper.items if item.number in wanted]
    rows = [(item.number, item.position, item.half_points, item.locked) for item in old]
    for item in old:
        paper.items.remove(item)
    session.flush()
    paper.items.extend(PaperItem(number=number, position=position, half_points=worth, locked=locked, version_id=wanted[number])
                       for number, position, worth, locked in rows)
    session.flush()
    session.expire(paper, ["items"])


def renew_sheets(session: Session, table: Table, keys: Sequence[int]) -> None:
    """The sheets of every draft of the family, this form's items being ``keys``."""
    assembly = table.proved(table.with_form(keys))
    for place, paper in enumerate(table.papers):
        if paper.state is PaperState.DRAFT:
            sheet = paper_sheet(session, paper.specification, table.put, assembly, place, table.labels)
            made_by: dict[str, Any] = {name: paper.compliance[name] for name in ("status", "gap", "bank_digest") if name in paper.compliance}
            paper.compliance = {**paper.compliance, **sheet, **made_by, "by_hand": True}

"""Items that read alike, and what people decided about them: enemies and similar items never meet on one form."""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from qbank.items.bank import require_reach
from qbank.items.models import Item, ItemPair, ItemVersion, Likeness, Option
from qbank.items.similarity import ALIKE, Index, comparable, contrasts, similar
from qbank.items.states import ItemState, PairKind
from qbank.items.words import SHORT, compared, plain_text
from qbank.kernel.access import Role, Viewer
from qbank.kernel.refused import Refused
from qbank.standards.models import WeightTable

MOST_SHOWN = 5  # of the bank's items beside one text
LONGEST_REASON = 500
DECIDERS = (Role.ITEM_AUTHOR, Role.ITEM_REVIEWER)
APART = (PairKind.ENEMY, PairKind.SIMILAR)
GONE = (ItemState.SUPERSEDED, ItemState.RETIRED)
KEPT_BANKS = 4  # indices kept in memory, the one used longest ago goes first


@dataclass(frozen=True)
class Alike:
    """An item of the bank that reads like a text; ``contrasts`` say what the two do not share."""

    item_id: int
    version_id: int
    stem: str
    score: float
    contrasts: tuple[str, ...] = ()
    decided: PairKind | None = None


@dataclass
class Bank:
    """What stands in one bank now, ready to be searched; good as long as ``stamp`` is what the database says."""

    stamp: tuple[Any, ...]
    index: Index
    rows: Sequence[tuple[int, int, str]]  # item, version, stem; the index's keys are positions in here


_kept: dict[tuple[str, int, int], Bank] = {}
_keeping = threading.Lock()


def alike(session: Session, table: WeightTable, institution_id: int, texts: Sequence[str], *, own: int | None = None,
          threshold: float = ALIKE) -> list[list[Alike]]:
    """For each text (see ``words.compared``) the items of the bank that read like it, the most alike first.

    ``own`` is the item that the texts are a new version of: it is not held against itself, and pairs that somebody
    decided to be distinct from it are left out.
    """
    bank = bank_of(session, table.id, institution_id)
    decided = decisions(session, own) if own else {}
    found: list[list[Alike]] = [[] for _ in texts]
    for match in similar(texts, bank.index, threshold):
        item_id, version_id, stem = bank.rows[match.key]
        if item_id == own or decided.get(item_id) is PairKind.DISTINCT or len(found[match.i]) >= MOST_SHOWN:
            continue
        if any(other.item_id == item_id for other in found[match.i]):
            continue  # another version of the same item
        found[match.i].append(Alike(item_id, version_id, stem, round(match.score, 4), decided=decided.get(item_id),
                                    contrasts=tuple(contrasts(texts[match.i], plain_text(stem)))))
    return found


def alike_rows(session: Session, table: WeightTable, institution_id: int, stems: Sequence[str],
               options: Sequence[Sequence[str]] | None = None) -> list[list[dict[str, Any]]]:
    """As :func:`alike` for the rows of a file, as plain values that JSON takes: item, version, stem, score, contrasts."""
    texts = [compared(stem, options[place] if options else ()) for place, stem in enumerate(stems)]
    return [[{"item": one.item_id, "version": one.version_id, "stem": one.stem, "score": one.score,
              "contrasts": list(one.contrasts)} for one in row]
            for row in alike(session, table, institution_id, texts)]


def mark(session: Session, a: Item, b: Item, kind: PairKind, reason: str, who: Viewer, *, now: datetime) -> ItemPair:
    """Decide about two items of one bank, or change what was decided."""
    require_reach(session, a.table, a.institution_id, DECIDERS, who)
    if a.id == b.id:
        raise Refused("same_item", "请选择两道不同的题。")
    if (a.table_id, a.institution_id) != (b.table_id, b.institution_id):
        raise Refused("other_bank", f"题 {a.id} 和题 {b.id} 不在同一个题库，不会组到同一套卷里，不需要标记。")
    first, second = sorted((a, b), key=lambda item: item.id)
    pair = session.scalar(sa.select(ItemPair).where(ItemPair.first_id == first.id, ItemPair.second_id == second.id))
    if pair is None:
        pair = ItemPair(first_id=first.id, second_id=second.id)
        session.add(pair)
    pair.kind, pair.reason = kind, reason.strip()[:LONGEST_REASON]
    pair.decided_by_id, pair.decided_at = who.account_id, now
    session.execute(sa.delete(Likeness).where(Likeness.first_id == first.id, Likeness.second_id == second.id))
    session.flush()
    return pair


def unmark(session: Session, pair: ItemPair, who: Viewer, *, now: datetime) -> None:
    """Take a decision back: the two may meet again, and the next search shows them again if they read alike."""
    require_reach(session, pair.first.table, pair.first.institution_id, DECIDERS, who)
    session.delete(pair)
    session.flush()


def note_likeness(session: Session, item: Item, other: Item, score: float, *, now: datetime) -> None:
    """Remember for the work page that the two read alike, unless somebody has decided about them."""
    first, second = sorted((item.id, other.id))
    known = session.scalar(sa.select(Likeness.id).where(Likeness.first_id == first, Likeness.second_id == second))
    if other.id not in decisions(session, item.id) and known is None:
        session.add(Likeness(first_id=first, second_id=second, score=score, found_at=now))
        session.flush()


def likeness(one: ItemVersion, other: ItemVersion) -> float:
    """How alike two versions read, from 0 to 1."""
    texts = [compared(version.stem, [option.text for option in version.options]) for version in (one, other)]
    return next((match.score for match in similar(texts[:1], Index(texts[1:]), threshold=0.01)), 0.0)


def decisions(session: Session, item_id: int) -> dict[int, PairKind]:
    """Other item → what somebody decided about it and this one."""
    pairs = session.scalars(sa.select(ItemPair).where(sa.or_(ItemPair.first_id == item_id, ItemPair.second_id == item_id)))
    return {pair.second_id if pair.first_id == item_id else pair.first_id: pair.kind for pair in pairs}


def apart(session: Session, table_id: int, institution_id: int) -> list[tuple[int, int]]:
    """The pairs of items of one bank that may not meet on a form, in order."""
    query = (sa.select(ItemPair.first_id, ItemPair.second_id).join(Item, Item.id == ItemPair.first_id)
             .where(Item.table_id == table_id, Item.institution_id == institution_id, ItemPair.kind.in_(APART))
             .order_by(ItemPair.first_id, ItemPair.second_id))
    return [(first, second) for first, second in session.execute(query)]


def pairs_among(session: Session, item_ids: Sequence[int]) -> list[ItemPair]:
    """Decided enemies and similar pairs of which both stand in ``item_ids``."""
    wanted = list(item_ids)
    return list(session.scalars(
        sa.select(ItemPair).where(ItemPair.first_id.in_(wanted), ItemPair.second_id.in_(wanted), ItemPair.kind.in_(APART))
        .order_by(ItemPair.first_id, ItemPair.second_id)))


def bank_of(session: Session, table_id: int, institution_id: int) -> Bank:
    """The searchable bank: every version that is neither superseded nor retired; built anew only when it changed."""
    key = (str(session.get_bind().engine.url), table_id, institution_id)
    stamp = _stamp(session, table_id, institution_id)
    kept = _kept.get(key)
    if kept is None or kept.stamp != stamp:
        rows, texts = _standing(session, table_id, institution_id)
        kept = Bank(stamp, Index(texts), rows)
    with _keeping:
        _kept.pop(key, None)
        _kept[key] = kept
        while len(_kept) > KEPT_BANKS:
            del _kept[next(iter(_kept))]
    return kept


def _stamp(session: Session, table_id: int, institution_id: int) -> tuple[Any, ...]:
    """Changes with every new version and every change of one: versions are counted up when they are written."""
    query = (sa.select(sa.func.count(), sa.func.max(ItemVersion.id), sa.func.sum(ItemVersion.row_version))
             .join(ItemVersion.item).where(Item.table_id == table_id, Item.institution_id == institution_id))
    return tuple(session.execute(query).one())


def _standing(session: Session, table_id: int, institution_id: int) -> tuple[list[tuple[int, int, str]], list[str]]:
    where = (Item.table_id == table_id, Item.institution_id == institution_id, ItemVersion.state.not_in(GONE))
    query = (sa.select(ItemVersion.item_id, ItemVersion.id, ItemVersion.stem).join(ItemVersion.item).where(*where)
             .order_by(ItemVersion.item_id, ItemVersion.number))
    rows = [(item_id, version_id, stem) for item_id, version_id, stem in session.execute(query)]
    short = [version_id for _, version_id, stem in rows if len(comparable(stem)) < SHORT]
    options = _options(session, short)
    return rows, [compared(stem, options.get(version_id, ())) for _, version_id, stem in rows]


def _options(session: Session, version_ids: Sequence[int]) -> Mapping[int, list[str]]:
    found: dict[int, list[str]] = defaultdict(list)
    for start in range(0, len(version_ids), 2000):
        query = (sa.select(Option.version_id, Option.text).where(Option.version_id.in_(version_ids[start:start + 2000]))
                 .order_by(Option.version_id, Option.letter))
        for version_id, text in session.execute(query):
            found[version_id].append(text)
    return found

"""Searching a whole bank for items that read alike, off the request."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from qbank.items.bank import require_reach
from qbank.items.models import Item, ItemPair, Likeness
from qbank.items.pairs import DECIDERS, Bank, bank_of
from qbank.items.similarity import pairs_within
from qbank.kernel.jobs import Work, kind
from qbank.standards.models import WeightTable

AT_ONCE = 500  # items compared with the whole bank between two reports of progress
MOST = 20_000  # pairs remembered, the most alike first: nobody works through more before the next search


@kind("items.pairs", "查找相近题")
def search(work: Work) -> str:
    """Arguments: table, institution. Replaces what the last search of this bank found."""
    table_id, institution_id = int(work.arguments["table"]), int(work.arguments["institution"])
    with work.reading() as session:
        require_reach(session, session.get_one(WeightTable, table_id), institution_id, DECIDERS, work.who)
        bank = bank_of(session, table_id, institution_id)
    found: dict[tuple[int, int], float] = {}
    for start in range(0, len(bank.index), AT_ONCE):
        work.progress(start, len(bank.index), f"正在比对题干，已找到 {len(found)} 对相近题…")
        add_pairs(bank, start, start + AT_ONCE, found)
    work.progress(len(bank.index), len(bank.index), "正在写入…")
    with work.transaction() as session:
        keep(session, table_id, institution_id, found, now=work.now())
    return f"/items/pairs?table={table_id}&school={institution_id}"


def add_pairs(bank: Bank, start: int, stop: int, found: dict[tuple[int, int], float]) -> None:
    """Put into ``found`` the pairs of different items of which one version stands at ``start`` up to ``stop``."""
    for one, other, score in pairs_within(bank.index, start, stop):
        first, second = sorted((bank.rows[one][0], bank.rows[other][0]))
        if first != second:
            found[first, second] = max(score, found.get((first, second), 0.0))


def keep(session: Session, table_id: int, institution_id: int, found: dict[tuple[int, int], float], *, now: datetime) -> int:
    """Remember the pairs that nobody has decided about, instead of those of the last search. Says how many."""
    here = sa.select(Item.id).where(Item.table_id == table_id, Item.institution_id == institution_id)
    session.execute(sa.delete(Likeness).where(Likeness.first_id.in_(here)))
    decided = {(pair.first_id, pair.second_id)
               for pair in session.scalars(sa.select(ItemPair).where(ItemPair.first_id.in_(here)))}
    standing = set(session.scalars(here))
    best = sorted((pair for pair in found if pair not in decided and standing.issuperset(pair)),
                  key=lambda pair: (-found[pair], pair))[:MOST]
    if best:
        session.execute(sa.insert(Likeness), [{"first_id": first, "second_id": second, "score": round(found[first, second], 4),
                                               "found_at": now} for first, second in best])
    return len(best)

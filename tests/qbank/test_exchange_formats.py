"""From a file of each exchange format through the preview into the bank, and out again."""

from __future__ import annotations

import io

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from qbank.exchange import applying, batches
from qbank.exchange.drafts import Drafts, Found
from qbank.exchange.writers import write
from qbank.items.bank import draft_of
from qbank.items.draft import Draft
from qbank.items.models import Item, Picture
from qbank.items.states import RowVerdict
from qbank.kernel.access import Role
from tests.conftest import People, TestClock
from tests.qbank.bank_world import ohm, theory_table
from tests.qbank.drafts_world import PICTURES

HASH = next(iter(PICTURES))
POINT = {"range_path": "A-A", "point_segment": "001"}
SENT = [ohm(stem=f"看图 $R=\\frac{{U}}{{I}}$：\n![接线图](media:{HASH})"), ohm(1, kind="multiple", key="ACD"),
        ohm(2, kind="judge", options=(), key="F", stem="电阻的单位是**伏特**。"),
        Draft("fill", "线电压为 ____ V。", (), "=380±5", "见课本。", "教材", 3, **POINT),
        Draft("essay", "论述停电检修的步骤。", (), "断电、验电、挂接地线。", "", "教材", 4, **POINT, guide="2|断电\n1.5|验电", stimulus="某车间检修。")]


@pytest.mark.parametrize("name", ["package", "qti21", "qti22", "qti30", "moodle", "gift"])
def test_a_file_arrives_in_the_bank_as_it_was_sent(name: str, session: Session, people: People, clock: TestClock) -> None:
    table, chen = theory_table(session), people("陈晓", Role.ITEM_AUTHOR)
    stream = io.BytesIO()
    sent = SENT if name != "gift" else [one for one in SENT[1:] if not one.guide]  # it carries no pictures and no guides
    write(Drafts(tuple(Found(draft, f"第 {number} 题", number) for number, draft in enumerate(sent, start=1)), "test", PICTURES), stream, name)
    batch = batches.upload(session, table, people.home.id, "题库", stream.getvalue(), chen, now=clock())
    assert [row.errors for row in session.scalars(batches.rows(batch, RowVerdict.WRONG, RowVerdict.UNMATCHED))] == []
    assert applying.apply(session, batch, chen, now=clock()) == len(sent)
    session.flush()
    arrived = [draft_of(item.newest) for item in session.scalars(sa.select(Item).order_by(Item.id))]
    assert arrived == sent
    assert [one.sha256 for one in session.scalars(sa.select(Picture))] == ([] if name == "gift" else [HASH])

"""What sealing does to the life of its items, and what their life does to sealing."""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from qbank.items.bank import resume, suspend
from qbank.items.models import ItemFigures
from qbank.items.practice import release_for_practice
from qbank.items.states import ItemState
from qbank.kernel.access import Role, Viewer
from qbank.kernel.refused import Refused
from qbank.papers.desk import assemble, seal, specify
from qbank.papers.specification import Part
from tests.conftest import People, TestClock
from tests.paper_world import open_paper
from tests.qbank.papers.conftest import Bank

SMALL = (Part("single", 16, 10), Part("judge", 4, 10))


def test_opening_puts_items_to_use_and_a_suspended_one_keeps_a_draft_from_being_sealed(
        session: Session, people: People, bank: Bank, composer: Viewer, clock: TestClock) -> None:
    li = people("李明", Role.ITEM_REVIEWER)
    form = specify(session, bank.table, bank.school, "电工四级理论", SMALL, composer, minutes=90, now=clock())
    paper = assemble(session, form, composer, now=clock(), seed=1)[0]
    doubtful = paper.items[3].version
    suspend(session, doubtful, li, "单位有误", now=clock())
    with pytest.raises(Refused, match=r"^cannot_seal:") as refusal:
        seal(session, paper, composer, now=clock())
    assert refusal.value.details == (f"第 4 题（题 {doubtful.item_id} 第 1 版）现在是“暂停使用”，不能使用。",)
    resume(session, doubtful, li, "核对无误", now=clock())
    assert doubtful.state.value == "approved"  # it never was in a sealed paper
    seal(session, paper, composer, now=clock())
    assert doubtful.state.value == "approved"  # nothing tells what is on a shut paper
    open_paper(session, paper, people, now=clock())
    assert {item.version.state for item in paper.items} == {ItemState.IN_USE}
    assert {item.version.used_at for item in paper.items} == {clock()}
    used = session.execute(sa.select(ItemFigures.uses, ItemFigures.last_used_at)).all()
    assert [tuple(row) for row in used] == [(1, clock())] * 20
    again = assemble(session, form, composer, now=clock(), seed=2)[0]  # what is in use goes on being offered
    with pytest.raises(Refused, match=r"^held:"):
        release_for_practice(session, again.items[0].version.item, bank.author, "公开", now=clock())
    suspend(session, doubtful, bank.author, "再查", now=clock())
    resume(session, doubtful, li, "已查", now=clock())
    assert doubtful.state is ItemState.IN_USE

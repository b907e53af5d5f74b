"""A real small bank: 430 approved items of one theory table, written by one author."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session, joinedload, selectinload

from qbank.items.models import Item, ItemVersion, Option
from qbank.items.states import ItemKind, ItemState
from qbank.kernel.access import Role, Viewer
from qbank.kernel.db import Base, table_of
from qbank.standards.models import Range, Subject, WeightTable
from qbank.standards.tables import PointDraft, RangeDraft, add_occupation, add_standard, leaves, set_table
from tests.conftest import People

# Weights in half-per-cent: A 30, B 170. Items per half-per-cent: 1.5 choices, 0.45 true/false, 0.2 multiple choice.
WEIGHTS = {"A-A-A": 10, "A-A-B": 20, "B-A-A": 14, "B-A-B": 26, "B-B-A": 30, "B-B-B": 40, "B-C-A": 36, "B-C-B": 24}
SINGLES = {"A-A-A": 15, "A-A-B": 30, "B-A-A": 21, "B-A-B": 39, "B-B-A": 45, "B-B-B": 60, "B-C-A": 54, "B-C-B": 36}
JUDGES = {"A-A-A": 5, "A-A-B": 9, "B-A-A": 6, "B-A-B": 12, "B-B-A": 14, "B-B-B": 18, "B-C-A": 16, "B-C-B": 10}
MULTIPLES = {"A-A-A": 2, "A-A-B": 4, "B-A-A": 3, "B-A-B": 5, "B-B-A": 6, "B-B-B": 8, "B-C-A": 7, "B-C-B": 5}


@dataclass
class Bank:
    """The table, the school and the author of the items."""

    session: Session
    table: WeightTable
    school: int
    author: Viewer

    def add(self, leaf: Range, kind: ItemKind, count: int, *, author: Viewer | None = None) -> list[ItemVersion]:
        """``count`` approved items of ``kind``, one after the other over the points of ``leaf``."""
        draw = np.random.default_rng(leaf.id * 7 + count)
        who, connection = author or self.author, self.session.connection()
        self.session.flush()
        items, versions = (connection.scalar(sa.select(sa.func.coalesce(sa.func.max(column), 0))) or 0 for column in (Item.id, ItemVersion.id))
        letters = "" if kind is ItemKind.JUDGE else "ABCD"
        points = [point.id for point in leaf.points]
        rows: list[dict[str, Any]] = []
        for i in range(count):
            key = {"single": "ABCD"[i % 4], "multiple": ("AB", "ACD", "BCD")[i % 3], "judge": "TF"[i % 2]}[kind.value]
            stem = f"{leaf.name}{kind.chinese}第{i + 1}题（{who.name}）：下列说法正确的是（　　）。"
            rows.append({"id": versions + i + 1, "item_id": items + i + 1, "number": 1, "point_id": points[i % len(points)], "kind": kind,
                         "stem": stem, "key": key, "difficulty": int(draw.integers(1, 6)), "state": ItemState.APPROVED,
                         "content_hash": f"{leaf.path}{kind.value}{i}{who.name}", "author_id": who.account_id,
                         "created_at": self.session.info["clock"]()})
        self._insert(Item, [{"id": row["item_id"], "institution_id": self.school, "table_id": self.table.id} for row in rows])
        self._insert(ItemVersion, rows)
        self._insert(Option, [{"version_id": row["id"], "letter": letter, "text": f"说法{letter}{i}"}
                              for i, row in enumerate(rows) for letter in letters])
        return list(self.session.scalars(sa.select(ItemVersion).where(ItemVersion.id > versions).order_by(ItemVersion.id)
                                         .options(selectinload(ItemVersion.options), joinedload(ItemVersion.item))))

    def _insert(self, model: type[Base], rows: list[dict[str, Any]]) -> None:
        """Beside the audit trail, which these tests do not read: half of what a bank costs."""
        connection, table = self.session.connection(), table_of(model)
        if rows:
            connection.execute(table.insert(), rows)
        if rows and "id" in rows[0] and connection.dialect.name == "postgresql":  # the numbers were given by hand
            connection.execute(sa.text(f"SELECT setval(pg_get_serial_sequence('{table.name}', 'id'), {rows[-1]['id']})"))


@pytest.fixture
def new_bank(session: Session, people: People) -> Callable[..., Bank]:
    """A function that makes a bank with so many items of each leaf and kind."""

    def make(code: str = "6-31-01-03", singles: dict[str, int] = SINGLES, judges: dict[str, int] = JUDGES,
             multiples: dict[str, int] = MULTIPLES) -> Bank:
        officer, author = people("周考务", Role.EXAM_OFFICER), people("吴命题", Role.ITEM_AUTHOR)
        occupation = add_occupation(session, code, "电工", officer, catalogue_edition="2015")
        standard = add_standard(session, occupation, officer, edition="2018", title="电工国家职业技能标准")
        table = set_table(session, standard, 4, Subject.THEORY, list(drafts()), officer, is_sample=True, source="示例")
        bank = Bank(session, table, people.home.id, author)
        for leaf in leaves(table):
            for kind, counts in ((ItemKind.SINGLE, singles), (ItemKind.JUDGE, judges), (ItemKind.MULTIPLE, multiples)):
                bank.add(leaf, kind, counts.get(leaf.path, 0))
        return bank

    return make


def drafts() -> Iterator[RangeDraft]:
    """The tree over WEIGHTS, with as many points as half-per-cents: mostly X, every tenth Y, every twentieth Z."""
    parents: dict[tuple[str, ...], int] = {}
    for path, weight in WEIGHTS.items():
        segments = tuple(path.split("-"))
        for depth in (1, 2):
            parents[segments[:depth]] = parents.get(segments[:depth], 0) + weight
    for segments, weight in parents.items():
        yield RangeDraft(segments, f"范围{''.join(segments)}", weight)
    for path, weight in WEIGHTS.items():
        points = tuple(PointDraft(f"{i + 1:03d}", f"{path}知识{i + 1}", "Z" if i % 20 == 19 else "Y" if i % 10 == 9 else "X")
                       for i in range(weight))
        yield RangeDraft(tuple(path.split("-")), f"范围{path.replace('-', '')}", weight, points)


@pytest.fixture
def bank(new_bank: Callable[..., Bank]) -> Bank:
    """300 choices, 90 true/false, 40 multiple choice."""
    return new_bank()


@pytest.fixture
def composer(people: People) -> Viewer:
    return people("郑组卷", Role.PAPER_COMPOSER)

"""The people of a bank and its small theory table."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import pytest
from sqlalchemy.orm import Session

from qbank.exchange import batches
from qbank.items.models import ImportBatch
from qbank.kernel.access import Role, Viewer
from qbank.standards.models import WeightTable
from tests.conftest import People, TestClock
from tests.qbank.bank_world import theory_table

Upload: TypeAlias = Callable[..., ImportBatch]


@pytest.fixture
def table(session: Session) -> WeightTable:
    return theory_table(session)


@pytest.fixture
def chen(people: People) -> Viewer:
    return people("陈晓", Role.ITEM_AUTHOR)


@pytest.fixture
def li(people: People) -> Viewer:
    return people("李明", Role.ITEM_REVIEWER)


@pytest.fixture
def wang(people: People) -> Viewer:
    return people("王芳", Role.ITEM_REVIEWER)


@pytest.fixture
def upload(session: Session, people: People, table: WeightTable, chen: Viewer, clock: TestClock) -> Upload:
    def send(content: bytes, name: str = "题库.xlsx") -> ImportBatch:
        return batches.upload(session, table, people.home.id, name, content, chen, now=clock())

    return send

"""A school upgrades: what the first schema held is there afterwards, on both databases."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
import sqlalchemy as sa
from alembic import command
from sqlalchemy.orm import Session

from qbank.items.models import ItemVersion, Review
from qbank.items.states import ItemState, Purpose, Verdict
from qbank.kernel.db import Database
from qbank.kernel.migrations import configuration, revisions, upgrade
from qbank.statistics.models import ItemStatistic

FIRST = "0001"


@pytest.fixture
def old(fresh_database_url: Callable[[], str]) -> Iterator[Database]:
    """A database as the first release made it, with a little of a school's data in it."""
    made = Database(fresh_database_url())
    with made.engine.begin() as connection:
        everything = sa.MetaData()
        everything.reflect(connection)
        everything.drop_all(connection)
    with made.engine.begin() as connection:
        command.upgrade(configuration(connection), FIRST)
    fill(made)
    yield made
    made.engine.dispose()


def fill(made: Database) -> None:
    """Two items of one point: one approved after a return, one retired; a statistic of the first."""
    tables = sa.MetaData()
    with made.engine.begin() as connection:
        tables.reflect(connection)

        def put(name: str, **values: Any) -> int:
            table = tables.tables[name]
            row = {column.name: filler(column) for column in table.columns if not column.nullable and not column.primary_key}
            return int(connection.execute(table.insert().values(**row | values).returning(table.c.id)).scalar_one())

        school = put("institutions", kind="TECHNICIAN", region="430100")
        people = [put("accounts", login=login, institution_id=school) for login in ("author", "li", "wang")]
        occupation = put("occupations", code="6-31-01-03")
        standard = put("standards", occupation_id=occupation)
        theory = put("weight_tables", standard_id=standard, level=4, subject="THEORY")
        place = put("ranges", table_id=theory, path="A", weight=200)
        point = put("points", range_id=place, importance="X")
        for stem, state, reason in (("甲题", "APPROVED", ""), ("乙题", "RETIRED", "标准已更新")):
            item = put("items", institution_id=school, table_id=theory)
            version = put("item_versions", item_id=item, number=1, point_id=point, kind="SINGLE", stem=stem, key="B",
                          difficulty=3, state=state, author_id=people[0], retired_reason=reason, content_hash=stem)
            put("options", version_id=version, letter="A", text="甲")
            put("options", version_id=version, letter="B", text="乙")
            if state == "APPROVED":
                put("reviews", version_id=version, reviewer_id=people[1], approves=True)
                put("reviews", version_id=version, reviewer_id=people[2], approves=False, comment="请改选项")
                put("item_statistics", version_id=version, n=40, difficulty=0.5, omitted=1, choices={"A": 19, "B": 20})


def filler(column: sa.Column[Any]) -> Any:
    kinds: list[tuple[type[Any], Any]] = [(sa.Boolean, True), (sa.DateTime, datetime(2026, 6, 1, tzinfo=UTC)), (sa.Integer, 1), (sa.JSON, {})]
    return next((value for kind, value in kinds if isinstance(column.type, kind)), "")


def test_items_reviews_and_statistics_of_the_first_release_are_kept(old: Database) -> None:
    upgrade(old.engine)
    current, newest = revisions(old.engine)
    assert current == newest
    with Session(old.engine) as session:
        kept, gone = session.scalars(sa.select(ItemVersion).order_by(ItemVersion.id)).all()
        assert (kept.stem, kept.key, kept.state, kept.item.purpose) == ("甲题", "B", ItemState.APPROVED, Purpose.EXAM)
        assert [option.text for option in kept.options] == ["甲", "乙"]
        assert (gone.state, gone.state_reason) == (ItemState.RETIRED, "标准已更新")
        verdicts = session.scalars(sa.select(Review).order_by(Review.id)).all()
        assert [(review.verdict, review.comment) for review in verdicts] == [(Verdict.ACCEPT, ""), (Verdict.MAJOR, "请改选项")]
        statistic = session.scalars(sa.select(ItemStatistic)).one()
        assert (statistic.n, statistic.difficulty, statistic.choices, statistic.current) == (40, 0.5, {"A": 19, "B": 20}, True)
        assert (statistic.run.institution_id, statistic.run.occasion) == (kept.item.institution_id, "升级前的统计")


def test_upgrading_again_changes_nothing(old: Database) -> None:
    upgrade(old.engine)
    before = revisions(old.engine)
    upgrade(old.engine)
    assert revisions(old.engine) == before

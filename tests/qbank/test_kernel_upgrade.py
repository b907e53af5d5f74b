"""A school upgrades: what the first schema held is there afterwards, on both databases."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from typing import Any

import pytest
import sqlalchemy as sa
from alembic import command
from sqlalchemy.orm import Session

from examroom.filing.standing_models import ScopeEvent
from examroom.filing.states import EventKind
from qbank.items.models import ItemVersion, Review
from qbank.items.states import ItemState, Purpose, Verdict
from qbank.kernel.accounts import Institution
from qbank.kernel.db import Database
from qbank.kernel.migrations import configuration, revisions, upgrade
from qbank.standards.packs import pack_for, version_for
from qbank.statistics.models import ItemStatistic
from scoring.review.models import PanelMark, ReviewPanel, ReviewScore
from scoring.review.states import CaseState

FIRST = "0001"
MOMENT = datetime(2026, 6, 1, tzinfo=UTC)


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


@contextmanager
def rows_of(made: Database) -> Iterator[Callable[..., int]]:
    """Puts rows into the tables as they are now; what is not named gets a filler."""
    tables = sa.MetaData()
    with made.engine.begin() as connection:
        tables.reflect(connection)

        def put(into: str, **values: Any) -> int:
            table = tables.tables[into]
            row = {column.name: filler(column) for column in table.columns if not column.nullable and not column.primary_key}
            return int(connection.execute(table.insert().values(**row | values).returning(table.c.id)).scalar_one())

        yield put


def fill(made: Database) -> None:
    """Two items of one point: one approved after a return, one retired; a statistic of the first."""
    with rows_of(made) as put:
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


def fill_review(made: Database) -> None:
    """A technician's review under a rule pack that weighs the written work at 40 %: one candidate joined, one half marked."""
    with rows_of(made) as put:
        put("rule_packs", region="43", name="湖南省规则包", values='{"thesis_percent": 40, "notice_days": 10}')
        plan = put("exam_plans", institution_id=1, standard_id=1, level=2, state="APPROVED", created_by=1)
        panel = put("review_panels", plan_id=plan)
        members = [put("panel_members", panel_id=panel, account_id=person) for person in (1, 2, 3)]
        joined, waiting = (put("enrolments", plan_id=plan, ticket_number=ticket, account_id=person)
                           for ticket, person in (("0001", 2), ("0002", 3)))
        for place, member in enumerate(members):
            put("panel_marks", member_id=member, enrolment_id=joined, thesis=140 + place, defence=160, signed_at=MOMENT)
        put("panel_marks", member_id=members[0], enrolment_id=waiting, thesis=None, defence=150)
        put("review_scores", enrolment_id=joined, half_points=152, reasons=[])


def filler(column: sa.Column[Any]) -> Any:
    kinds: list[tuple[type[Any], Any]] = [(sa.Boolean, True), (sa.DateTime, MOMENT), (sa.Date, MOMENT.date()), (sa.Integer, 1), (sa.JSON, {})]
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


def test_a_review_of_the_first_release_keeps_its_marks_and_its_weights(old: Database) -> None:
    fill_review(old)
    upgrade(old.engine)
    with Session(old.engine) as session:
        panel = session.scalars(sa.select(ReviewPanel)).one()
        assert panel.form == [["书面材料", 40], ["答辩", 60]]
        assert [(case.number, case.state, case.revealed) for case in panel.cases] == [(1, CaseState.DONE, 1), (2, CaseState.SCORING, 0)]
        marks = session.scalars(sa.select(PanelMark).order_by(PanelMark.id)).all()
        assert [mark.points for mark in marks] == [[140, 160], [141, 160], [142, 160], [None, 150]]
        assert session.scalars(sa.select(ReviewScore.half_points)).one() == 152
        school = session.scalars(sa.select(Institution)).one()
        pack = pack_for(session, school)
        assert (pack.review_form, pack.notice_days) == ("书面材料 40%、答辩 60%", 10)
        version = version_for(session, school)
        assert version is not None
        assert (version.number, version.reason) == (1, "升级时登记的现行版本")


def test_the_history_of_the_directory_begins_with_what_it_said(old: Database) -> None:
    with rows_of(old) as put:
        scope = {"institution_id": 1, "standard_id": 1, "level": 4, "published_by": 2, "valid_until": date(2026, 12, 31)}
        put("filed_scopes", **scope, valid_from=date(2026, 1, 1), end_reason="")
        put("filed_scopes", **scope, valid_from=date(2025, 1, 1), end_reason="学校退出")
    upgrade(old.engine)
    with Session(old.engine) as session:
        told = [(event.scope_id, event.kind, event.day, event.reason) for event in session.scalars(sa.select(ScopeEvent).order_by(ScopeEvent.id))]
        assert told == [(1, EventKind.PUBLISHED, date(2026, 1, 1), ""), (2, EventKind.PUBLISHED, date(2025, 1, 1), ""),
                        (2, EventKind.ENDED, date(2026, 12, 31), "学校退出")]


def test_upgrading_again_changes_nothing(old: Database) -> None:
    upgrade(old.engine)
    before = revisions(old.engine)
    upgrade(old.engine)
    assert revisions(old.engine) == before

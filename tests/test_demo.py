"""The demo world, as a visitor finds it: also in a year that the calendar library does not know."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from examroom.delivery.models import Sheet, SheetState
from examroom.marking.written_models import Script, ScriptMark
from examroom.plans.fee_models import CostEntry, FeeEntry, FeeKind
from examroom.plans.models import Enrolment, ExamPlan, PlanState
from examroom.plans.tie_models import Tie
from qbank.items.models import Item, ItemVersion, Review, ReviewTask, SecondKey
from qbank.items.states import ItemState, Purpose, Verdict
from qbank.kernel import audit
from qbank.kernel.accounts import Account
from qbank.kernel.settings import BadSetting, Settings
from qbank.kernel.times import local_date
from qbank.standards.models import Point, Range, WeightTable
from scoring.api.models import ApiToken
from scoring.archive.models import ArchiveHold, FiledDocument, Video
from scoring.certificates.report_models import LineState, ReportLine
from scoring.certificates.stock_models import Blank, BlankState, StockCount
from scoring.results.case_models import Misconduct
from scoring.results.models import Result, ResultList, ResultState
from seed import cast
from seed.practice import ITEMS
from seed.world import make_ready, prepare
from seed.written import LEFT
from tests.demo_world import NOW, counted, enter, follow, make_demo

pytestmark = pytest.mark.timeout(900)  # the first one makes the world


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory, fresh_database_url: Callable[[], str]) -> Iterator[Flask]:
    made = make_demo(tmp_path_factory.mktemp("demo"), fresh_database_url())
    yield made
    made.extensions["examroom"]["database"].engine.dispose()


def test_the_bank_is_as_large_as_promised(demo: Flask) -> None:
    def items(level: int) -> sa.Select[int]:
        return sa.select(sa.func.count()).select_from(Item).join(WeightTable).where(WeightTable.level == level)

    def points(level: int) -> sa.Select[int]:
        return sa.select(sa.func.count()).select_from(Point).join(Range).join(WeightTable).where(WeightTable.level == level)

    assert counted(demo, items(4)) >= 400
    assert counted(demo, points(4)) >= 120
    assert counted(demo, items(2)) >= 120
    unexplained = sa.select(sa.func.count()).select_from(ItemVersion).where(ItemVersion.explanation == "")
    assert counted(demo, unexplained) == 0
    assert counted(demo, sa.select(sa.func.count()).select_from(ItemVersion).where(
        ItemVersion.state == ItemState.SUBMITTED)) > 5  # reviewers find work


def test_one_plan_is_finished_two_are_under_way_and_one_is_to_come(demo: Flask) -> None:
    with demo.extensions["examroom"]["database"].open(None, reads_only=True) as session:
        plans = session.scalars(sa.select(ExamPlan).order_by(ExamPlan.id)).all()
        assert [plan.state for plan in plans] == [PlanState.APPROVED] * 3 + [PlanState.SUBMITTED, PlanState.APPROVED]
        done = session.scalars(sa.select(ResultList)).one()
        assert done.state is ResultState.FINAL
        outcome = Counter(session.scalars(sa.select(Result.passed).where(Result.list_id == done.id)))
        assert outcome[True] >= 10
        assert outcome[False] >= 3
        assert all(result.reasons for result in session.scalars(sa.select(Result)))
        assert session.scalar(sa.select(sa.func.count()).select_from(Enrolment)) >= 60
        assert audit.verify(session) == []


def test_started_again_it_keeps_its_data_and_always_has_a_sitting_to_sit(demo: Flask) -> None:
    everybody = sa.select(sa.func.count()).select_from(Account)
    before = counted(demo, everybody)
    assert prepare(demo, now=NOW + timedelta(minutes=10)) == demo.extensions["visitors"]
    assert counted(demo, everybody) == before
    told = [demo.extensions["visitors"]]
    for minutes in (51, 102, 300):  # while the sitting before is still under way, in the other room; and long after
        told.append(prepare(demo, now=NOW + timedelta(minutes=minutes)))
    assert len(set(told)) == 4
    assert ["第一机房" in text for text in told] == [True, False, True, False]
    waiting = sa.select(sa.func.count()).select_from(Sheet).where(Sheet.state == SheetState.DEALT)
    assert counted(demo, waiting) >= 5


def test_a_folder_that_holds_something_else_is_never_emptied(tmp_path: Path) -> None:
    (tmp_path / "thesis.docx").write_text("years of work")
    settings = Settings.from_environment({}, folder=tmp_path)
    with pytest.raises(BadSetting, match="not a demo's"):
        make_ready(settings, fresh=True)
    assert (tmp_path / "thesis.docx").exists()


@pytest.mark.parametrize("part", [part for part in cast.CAST if part.shown], ids=lambda part: part.login)
def test_every_page_that_a_role_is_led_to_opens(part: cast.Part, demo: Flask) -> None:
    failures = [(answer.status_code, address) for address, answer in follow(enter(demo, part.login))
                if answer.status_code >= 400]
    assert failures == []


def test_review_is_under_way_in_all_its_steps(demo: Flask) -> None:
    with demo.extensions["examroom"]["database"].open(None, reads_only=True) as session:
        def count(model: type[Any], *conditions: Any) -> int:
            return session.scalar(sa.select(sa.func.count()).select_from(model).where(*conditions)) or 0

        assert count(SecondKey) > 1000
        assert count(SecondKey, SecondKey.agrees.is_(False)) > 5
        assert count(Review, Review.estimate.is_(None)) == 1  # the major return
        assert count(Review, Review.verdict == Verdict.MINOR, Review.reply != "") == 1
        assert count(ReviewTask) >= 10
        assert count(ItemVersion, ItemVersion.state == ItemState.SUSPENDED) == 1
        assert count(ItemVersion, ItemVersion.state == ItemState.SUBMITTED, ItemVersion.review_due < local_date(NOW)) >= 3
        assert count(ItemVersion, ItemVersion.state == ItemState.IN_USE) >= 300
        assert count(Item, Item.purpose == Purpose.PRACTICE) == len(ITEMS) + 2


def test_fees_blanks_paper_files_and_a_hearing_are_there_to_be_seen(demo: Flask) -> None:
    def count(model: type[Any], *conditions: Any) -> int:
        return counted(demo, sa.select(sa.func.count()).select_from(model).where(*conditions))

    assert [count(FeeEntry, FeeEntry.kind == kind) for kind in (FeeKind.CHARGE, FeeKind.WAIVER, FeeKind.PAYMENT)] == [24, 1, 22]  # one owes
    assert count(CostEntry) == 2
    assert count(Tie, Tie.note == "叔侄（示例）") == 1
    printed = count(Blank, Blank.state == BlankState.USED)
    assert printed == count(ReportLine) >= 10
    assert count(Blank) == 200
    assert count(StockCount, StockCount.counted == 200 - printed) == 1
    assert count(ReportLine, ReportLine.state == LineState.REJECTED) == 1
    assert [count(FiledDocument), count(Video), count(ArchiveHold), count(ApiToken)] == [3, 1, 1, 1]
    assert count(Script) == 24  # two questions, twelve candidates
    assert count(ScriptMark, ScriptMark.task_id.is_not(None)) == 2 * 24 - LEFT
    assert count(Misconduct, Misconduct.statement != "", Misconduct.decided_at.is_(None)) == 1

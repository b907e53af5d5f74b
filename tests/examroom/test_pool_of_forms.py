"""A form for each candidate: a sitting takes its forms from a pool, and each seat gets another."""

from __future__ import annotations

from datetime import timedelta

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from examroom.delivery.models import Sheet
from examroom.delivery.sheets import deal
from examroom.plans import sittings
from examroom.plans.models import Sitting
from qbank.kernel.identity import IdentityCipher
from qbank.kernel.refused import Refused
from qbank.kernel.settings import Settings
from qbank.papers.models import Paper, PaperFamily, PaperUse
from tests.conftest import People, TestClock
from tests.paper_world import seal_paper
from tests.sitting_world import SittingWorld

FORMS = 8


@pytest.fixture
def world(session: Session, people: People, settings: Settings, clock: TestClock) -> SittingWorld:
    return SittingWorld(session, people, IdentityCipher(settings.identity_key)).make(clock())


@pytest.fixture
def pool(session: Session, world: SittingWorld, clock: TestClock) -> PaperFamily:
    """Eight sealed forms of one specification, for three candidates."""
    papers = [world.sealed_paper(f"电工四级 第01次 {place:03d}卷", sealed=False) for place in range(1, FORMS + 1)]
    family = PaperFamily(specification=papers[0].specification, institution_id=world.school.id, name="电工四级 第01次", seed=7, forms=FORMS,
                         is_pool=True, report={}, composer_id=world.author.account_id, created_at=clock())
    session.add(family)
    for place, paper in enumerate(papers, 1):
        paper.family, paper.form = family, f"{place:03d}"
    session.flush()
    for paper in papers:
        seal_paper(session, paper, world.officer, now=clock())
    return family


def opened(session: Session, family: PaperFamily, people: People, clock: TestClock) -> None:
    from tests.paper_world import open_paper
    open_paper(session, family.papers[0], people, now=clock(), family=True)


def test_a_pool_is_offered_as_one_and_gives_each_candidate_a_form(
        session: Session, world: SittingWorld, pool: PaperFamily, people: People, clock: TestClock) -> None:
    assert sittings.pools_in(sittings.papers_for(session, world.sitting)) == [(pool.id, "电工四级 第01次", FORMS)]
    assert sittings.choose_pool(session, world.sitting, pool.id, world.officer) == 3  # as many as there are candidates
    with pytest.raises(Refused, match=r"^paper_shut:"):
        world.deal()
    opened(session, pool, people, clock)
    assert world.deal() == 3
    sheets = session.scalars(sa.select(Sheet)).all()
    assert {sheet.paper_id for sheet in sheets} == {paper.id for paper in world.sitting.papers}
    uses = session.execute(sa.select(PaperUse.sitting_id, PaperUse.paper_id)).all()
    assert {tuple(row) for row in uses} == {(world.sitting.id, sheet.paper_id) for sheet in sheets}
    first = {sheet.enrolment_id: sheet.paper_id for sheet in sheets}
    world.deal()
    assert {sheet.enrolment_id: sheet.paper_id for sheet in session.scalars(sa.select(Sheet))} == first  # the same seed


def test_the_next_sitting_takes_forms_that_nobody_saw(
        session: Session, world: SittingWorld, pool: PaperFamily, people: People, clock: TestClock) -> None:
    sittings.choose_pool(session, world.sitting, pool.id, world.officer)
    later = world.add_sitting("理论第二场", clock() + timedelta(days=1), 90, world.enrolments[:1])
    third = Sitting(plan=world.plan, name="理论第三场", starts_at=clock() + timedelta(days=2), minutes=90)
    session.add(third)
    session.flush()
    sittings.choose_pool(session, later, pool.id, world.officer)
    taken = {paper.id for paper in (*world.sitting.papers, *later.papers)}
    assert len(taken) == 6
    sittings.choose_pool(session, third, pool.id, world.officer)
    assert {paper.id for paper in pool.papers} - taken < {paper.id for paper in third.papers}  # the two that are left, and one more


def test_more_forms_than_seats_are_neither_checked_nor_rendered(
        session: Session, world: SittingWorld, pool: PaperFamily, people: People, clock: TestClock, monkeypatch: pytest.MonkeyPatch) -> None:
    from examroom.delivery import bodies

    opened(session, pool, people, clock)
    world.sitting.papers = list(pool.papers)
    session.flush()
    drawn: list[int] = []
    plain = bodies.render

    def counted(held: Session, paper: Paper) -> bodies.Rendering:
        drawn.append(paper.id)
        return plain(held, paper)

    monkeypatch.setattr(bodies, "render", counted)
    assert deal(session, world.sitting, world.officer, now=clock(), seed="s") == 3
    assert len(drawn) == len(set(drawn)) == 3


def test_where_a_part_of_the_pool_is_opened_what_stayed_shut_is_left_out(
        session: Session, world: SittingWorld, pool: PaperFamily, people: People, clock: TestClock) -> None:
    from tests.paper_world import open_paper
    for paper in pool.papers[:2]:
        open_paper(session, paper, people, now=clock())
    assert sittings.choose_pool(session, world.sitting, pool.id, world.officer) == 2
    assert {paper.id for paper in world.sitting.papers} == {paper.id for paper in pool.papers[:2]}
    with pytest.raises(Refused, match=r"^paper_not_fitting:"):
        sittings.choose_pool(session, world.sitting, 99, world.officer)

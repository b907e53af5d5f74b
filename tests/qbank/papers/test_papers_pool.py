"""All forms of a call sealed and opened as one act, as jobs; a pool keeps only those forms shut that cannot be used."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from qbank.items.bank import suspend
from qbank.items.models import ItemFigures, ItemVersion
from qbank.items.states import ItemState
from qbank.kernel.access import Role, Viewer
from qbank.kernel.jobs import Job, JobState
from qbank.kernel.refused import Refused
from qbank.papers import looks, opening, opening_views, packs, sealing
from qbank.papers.contents import items_of
from qbank.papers.desk import assemble, specify, verify
from qbank.papers.models import Paper, PaperItem
from qbank.papers.specification import Part
from tests.conftest import People, TestClock
from tests.qbank.papers.conftest import Bank

SMALL = (Part("single", 16, 10), Part("judge", 4, 10))
Enter = Callable[[Viewer], FlaskClient]


@pytest.fixture
def papers(session: Session, bank: Bank, composer: Viewer, clock: TestClock) -> list[Paper]:
    """Three forms that share nothing, as a pool."""
    form = specify(session, bank.table, bank.school, "电工四级理论", SMALL, composer, minutes=90, now=clock())
    made = assemble(session, form, composer, now=clock(), seed=9, forms=3)
    assert made[0].family
    made[0].family.is_pool = True
    session.commit()
    return made


def job_of(session: Session, kind: str) -> Job:
    session.expire_all()
    return session.scalars(sa.select(Job).where(Job.kind == kind).order_by(Job.id.desc()).limit(1)).one()


def sealed_by(session: Session, who: Viewer, enter: Enter) -> Job:
    session.commit()
    desk = enter(who)
    assert "封存全部 3 套" in desk.get("/papers/families/1").get_data(as_text=True)
    assert desk.post("/papers/families/1/seal").status_code == 302
    return job_of(session, "papers.seal_family")


def test_one_press_seals_every_form(session: Session, papers: list[Paper], composer: Viewer, enter: Enter) -> None:
    held = {paper.id: [item.version_id for item in items_of(paper)] for paper in papers}
    job = sealed_by(session, composer, enter)
    assert (job.state, job.done, job.total, job.message) == (JobState.DONE, 3, 3, "已封存 3 套试卷，内容已加密。")
    assert all(paper.is_shut and verify(paper) for paper in papers)
    assert session.scalars(sa.select(PaperItem)).all() == []
    assert packs.version_ids(session, held) == held
    assert {paper.seed for paper in papers} == {None}
    assert {packs.packed_of(session, paper).seed for paper in papers} == {9}
    session.commit()
    desk = enter(composer)
    page = desk.get("/papers/families/1").get_data(as_text=True)
    assert "启封全部 3 套" in page
    assert "封存全部" not in page
    assert desk.post("/papers/families/1/seal").status_code == 409  # nothing is left to seal


def test_one_bad_form_keeps_all_of_them_drafts(
        session: Session, papers: list[Paper], composer: Viewer, people: People, clock: TestClock, enter: Enter) -> None:
    suspend(session, items_of(papers[1])[3].version, people("李明", Role.ITEM_REVIEWER), "单位有误", now=clock())
    session.commit()
    job = sealed_by(session, composer, enter)
    assert job.state is JobState.REFUSED
    assert job.message.startswith("3 套试卷中有 1 套现在不能封存，没有封存任何一套。")
    assert [line[:12] for line in job.details] == ["B 卷：第 4 题（题 "]
    assert not any(paper.sealed_at for paper in papers)


def test_a_swap_while_it_is_being_sealed_is_noticed(session: Session, papers: list[Paper], composer: Viewer, clock: TestClock) -> None:
    ready = sealing.prepare(session, papers, composer, now=clock())
    item = papers[0].items[0]
    item.half_points += 1
    session.flush()
    with pytest.raises(Refused, match=r"^changed_meanwhile:"):
        sealing.write(session, ready, composer, now=clock())


def test_an_item_suspended_while_it_is_being_sealed_is_noticed(
        session: Session, papers: list[Paper], composer: Viewer, people: People, clock: TestClock) -> None:
    ready = sealing.prepare(session, papers, composer, now=clock())
    suspend(session, items_of(papers[2])[0].version, people("李明", Role.ITEM_REVIEWER), "单位有误", now=clock())
    with pytest.raises(Refused, match=r"^changed_meanwhile:"):
        sealing.write(session, ready, composer, now=clock())


def test_two_persons_open_the_pool_as_one_act_and_a_stopped_form_stays_shut(
        session: Session, papers: list[Paper], composer: Viewer, people: People, clock: TestClock, enter: Enter,
        monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(opening_views, "AT_ONCE", 2)  # three forms count as many here: opened as a job
    doubtful = items_of(papers[1])[3].version
    held = {paper.id: [(item.number, item.version_id, item.half_points) for item in items_of(paper)] for paper in papers}
    first, second = people("刘考务", Role.EXAM_OFFICER), people("孙考务", Role.EXAM_OFFICER)
    session.commit()
    sealed_by(session, composer, enter)
    suspend(session, doubtful, people("李明", Role.ITEM_REVIEWER), "单位有误", now=clock())
    session.commit()
    address = f"/papers/{papers[0].id}/opening"
    session.commit()
    one, other = enter(first), enter(second)
    assert 'value="1" checked' in one.get(address).get_data(as_text=True)  # of a pool all forms are offered
    assert one.post(address, data={"reason": "9月5日理论", "family": "1"}).status_code == 302
    assert other.post(f"{address}/confirm").status_code == 302
    job = job_of(session, "papers.open_family")
    assert (job.state, job.message) == (JobState.DONE, "已启封 2 套试卷；1 套有题被暂停或转入练习，仍然封存。")
    assert [paper.is_shut for paper in papers] == [False, True, False]
    for paper in (papers[0], papers[2]):
        assert [(item.number, item.version_id, item.half_points) for item in items_of(paper)] == held[paper.id]
        assert looks.openers(session, paper) == {first.account_id, second.account_id}
        assert [look.what for look in looks.looks_at(session, paper)].count("opened") == 2
        assert paper.seed is None  # it would make the form that is still shut, too
    used = {version_id for paper_id in (papers[0].id, papers[2].id) for _, version_id, _ in held[paper_id]}
    in_use = session.scalars(sa.select(ItemVersion.id).where(ItemVersion.state == ItemState.IN_USE)).all()
    assert set(in_use) == used
    assert {row.uses for row in session.scalars(sa.select(ItemFigures))} == {1}
    assert opening.pending(session, papers[1], now=clock()) is None  # it may be asked for again, when it can be used

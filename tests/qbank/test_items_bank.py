"""The life of an item, told of 陈晓 who writes and of 李明, 王芳 and 赵刚 who review."""

from __future__ import annotations

from dataclasses import replace

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session
from sqlalchemy.orm.exc import StaleDataError

from qbank.items import bank, review
from qbank.items.models import ItemVersion, Option
from qbank.items.points import points_of
from qbank.items.states import ItemState, Verdict
from qbank.kernel.access import Role, Scope, Viewer
from qbank.kernel.db import Database
from qbank.kernel.refused import Refused
from qbank.standards.models import StoredRulePack, WeightTable
from tests.conftest import People, TestClock
from tests.qbank.bank_world import approved, judged, ohm, theory_table


def written(session: Session, table: WeightTable, people: People, who: Viewer, clock: TestClock, number: int = 0) -> ItemVersion:
    return bank.add_item(session, table, people.home.id, ohm(number), who, now=clock())


def state_of(version: ItemVersion) -> str:
    return version.state.value


def refused(code: str) -> pytest.RaisesExc[Refused]:
    return pytest.raises(Refused, match=f"^{code}:")


def test_an_item_is_written_submitted_and_approved_by_two_others(
        session: Session, people: People, table: WeightTable, clock: TestClock, chen: Viewer, li: Viewer, wang: Viewer) -> None:
    version = written(session, table, people, chen, clock)
    assert (version.number, version.state, version.key, version.point.segment) == (1, ItemState.DRAFT, "C", "001")
    bank.submit(session, version, chen, now=clock())
    judged(session, version, li, now=clock())
    assert state_of(version) == "submitted"
    judged(session, version, wang, now=clock())
    assert state_of(version) == "approved"
    assert version.item.standing is version


def test_the_province_may_ask_for_three_approvals(
        session: Session, people: People, table: WeightTable, clock: TestClock, chen: Viewer, li: Viewer, wang: Viewer) -> None:
    session.add(StoredRulePack(region="43", name="湖南", values='{"approvals_per_item": 3}'))
    version = written(session, table, people, chen, clock)
    bank.submit(session, version, chen, now=clock())
    for reviewer in (li, wang):
        judged(session, version, reviewer, now=clock())
    assert state_of(version) == "submitted"
    judged(session, version, people("赵刚", Role.ITEM_REVIEWER), now=clock())
    assert state_of(version) == "approved"


def test_nobody_reviews_what_they_wrote_any_version_of(
        session: Session, people: People, table: WeightTable, clock: TestClock, li: Viewer, wang: Viewer) -> None:
    chen = people("陈晓", Role.ITEM_AUTHOR, Role.ITEM_REVIEWER)
    sun = people("孙丽", Role.ITEM_AUTHOR)
    first = written(session, table, people, chen, clock)
    second = bank.edit(session, first, ohm(explanation="以物理学家欧姆命名。"), sun, now=clock(), reason="补充解析")
    bank.submit(session, second, sun, now=clock())
    with refused("own_item"):
        judged(session, second, chen, now=clock())
    assert session.scalars(review.may_review(chen)).all() == []
    assert session.scalars(review.may_review(li)).all() == [second]


def test_one_person_counts_once(
        session: Session, people: People, table: WeightTable, clock: TestClock, chen: Viewer, li: Viewer) -> None:
    version = written(session, table, people, chen, clock)
    bank.submit(session, version, chen, now=clock())
    judged(session, version, li, now=clock())
    with refused("reviewed_before"):
        judged(session, version, li, now=clock())
    assert session.scalars(review.may_review(li)).all() == []


def test_a_return_needs_a_comment_and_a_new_version(
        session: Session, people: People, table: WeightTable, clock: TestClock, chen: Viewer, li: Viewer) -> None:
    version = written(session, table, people, chen, clock)
    bank.submit(session, version, chen, now=clock())
    review.answer(session, version, li, ["C"], now=clock())
    for verdict in (Verdict.MINOR, Verdict.MAJOR):
        with refused("no_comment"):
            review.judge(session, version, li, verdict, "  ", now=clock())
    review.judge(session, version, li, Verdict.MAJOR, "选项D不妥", now=clock())
    assert version.state is ItemState.RETURNED
    with refused("returned"):
        bank.submit(session, version, chen, now=clock())
    second = bank.edit(session, version, ohm(options=("伏特", "安培", "欧姆", "焦耳")), chen, now=clock(), reason="改选项D")
    assert (version.state, second.state, second.number) == (ItemState.SUPERSEDED, ItemState.DRAFT, 2)
    bank.submit(session, second, chen, now=clock())
    judged(session, second, li, now=clock())  # another version, another verdict


def test_an_approved_version_stands_until_the_new_one_is_approved(
        session: Session, people: People, table: WeightTable, clock: TestClock, chen: Viewer, li: Viewer, wang: Viewer) -> None:
    first = written(session, table, people, chen, clock)
    approved(session, first, chen, li, wang, now=clock())
    second = bank.edit(session, first, ohm(difficulty=2), chen, now=clock(), reason="调整难度")
    assert first.state is ItemState.APPROVED
    assert first.difficulty == 1  # content never changes
    approved(session, second, chen, li, wang, now=clock())
    session.commit()
    assert (first.state, second.state) == (ItemState.SUPERSEDED, ItemState.APPROVED)


def test_editing_a_submitted_item_ends_its_review(
        session: Session, people: People, table: WeightTable, clock: TestClock, chen: Viewer, li: Viewer) -> None:
    first = written(session, table, people, chen, clock)
    bank.submit(session, first, chen, now=clock())
    bank.edit(session, first, ohm(difficulty=2), chen, now=clock(), reason="发现难度标错")
    with refused("not_submitted"):
        judged(session, first, li, now=clock())


def test_an_edit_is_of_the_newest_version_with_a_reason_and_a_change(
        session: Session, people: People, table: WeightTable, clock: TestClock, chen: Viewer) -> None:
    first = written(session, table, people, chen, clock)
    with refused("no_reason"):
        bank.edit(session, first, ohm(difficulty=2), chen, now=clock(), reason=" ")
    with refused("nothing_changed"):
        bank.edit(session, first, ohm(point_segment="1"), chen, now=clock(), reason="没有改动")
    bank.edit(session, first, ohm(difficulty=2), chen, now=clock(), reason="调整难度")
    with refused("not_newest"):
        bank.edit(session, first, ohm(difficulty=3), chen, now=clock(), reason="再调整")


def test_a_double_is_refused_and_a_contradiction_is_named(
        session: Session, people: People, table: WeightTable, clock: TestClock, chen: Viewer) -> None:
    first = written(session, table, people, chen, clock)
    with pytest.raises(Refused, match=f"题 {first.item_id} 第 1 版") as refusal:
        bank.add_item(session, table, people.home.id, ohm(stem="电阻的单位是(  )"), chen, now=clock())
    assert "答案不同" not in refusal.value.sentence
    with pytest.raises(Refused, match="答案不同"):
        bank.add_item(session, table, people.home.id, ohm(key="A"), chen, now=clock())
    elsewhere = people.school("衡州技师学院（演示）")
    sun = people("孙丽", Role.ITEM_AUTHOR, school=elsewhere)
    bank.add_item(session, table, elsewhere.id, ohm(), sun, now=clock())  # another school's bank is another bank


def test_a_point_that_is_not_in_the_table_is_named(
        session: Session, people: People, table: WeightTable, clock: TestClock, chen: Viewer) -> None:
    for draft, code in ((ohm(range_path="C-A"), "no_range"), (ohm(range_path="A"), "no_range"), (ohm(point_segment="9"), "no_point")):
        with refused(code):
            bank.add_item(session, table, people.home.id, draft, chen, now=clock())


@pytest.mark.parametrize(("place", "point"), [("B-A", "002"), ("b—a", "2"), ("B-A 电路基础", "002 电路基础要点2"), ("电路基础", "电路基础要点2")])
def test_points_are_found_as_schools_write_them(session: Session, table: WeightTable, place: str, point: str) -> None:
    assert points_of(session, table).find(place, point) == points_of(session, table).find("B-A", "002")


def test_retiring_needs_a_reason_and_leaves_review_alone(
        session: Session, people: People, table: WeightTable, clock: TestClock, chen: Viewer) -> None:
    version = written(session, table, people, chen, clock)
    with refused("no_reason"):
        bank.retire(session, version, chen, "", now=clock())
    bank.submit(session, version, chen, now=clock())
    with refused("wrong_state"):
        bank.retire(session, version, chen, "不用了", now=clock())
    other = written(session, table, people, chen, clock, 2)
    bank.retire(session, other, chen, "标准已更新", now=clock())
    assert (other.state, other.state_reason) == (ItemState.RETIRED, "标准已更新")


def test_an_author_of_one_occupation_writes_only_there(session: Session, people: People, table: WeightTable, clock: TestClock) -> None:
    home = people.home.id
    fitter_table = theory_table(session, "6-20-01-01", "钳工")
    wu = people("吴强", scopes=[Scope(Role.ITEM_AUTHOR, home, occupation_code="6-20-01-01"),
                              Scope(Role.ITEM_REVIEWER, home, occupation_code="6-31-01-03")])
    assert [found for _, found in bank.banks_for(session, wu, Role.ITEM_AUTHOR)] == [fitter_table]
    bank.add_item(session, fitter_table, home, ohm(), wu, now=clock())
    with refused("not_your_bank"):  # he sees this bank as a reviewer; that is not enough to write
        bank.add_item(session, table, home, ohm(), wu, now=clock())


def test_roles_are_asked_for_at_this_very_bank(
        session: Session, people: People, table: WeightTable, clock: TestClock, chen: Viewer, li: Viewer) -> None:
    version = written(session, table, people, chen, clock)
    stranger = people("外校审题员", Role.ITEM_REVIEWER, school=people.school("衡州技师学院（演示）"))
    with refused("not_your_bank"):
        bank.submit(session, version, li, now=clock())
    bank.submit(session, version, chen, now=clock())
    for nobody in (stranger, chen, people("郑华", Role.PAPER_COMPOSER)):
        with refused("not_your_bank"):
            judged(session, version, nobody, now=clock())


def test_all_of_the_above_is_marked_to_stay_last(
        session: Session, people: People, table: WeightTable, clock: TestClock, chen: Viewer) -> None:
    version = bank.add_item(session, table, people.home.id, ohm(options=("伏特", "安培", "以上都不对"), key="C"), chen, now=clock())
    assert [option.stays_last for option in version.options] == [False, False, True]
    assert session.scalars(sa.select(Option.letter).order_by(Option.letter)).all() == ["A", "B", "C"]


def test_two_reviewers_at_the_same_moment_collide(
        session: Session, database: Database, people: People, table: WeightTable, clock: TestClock, chen: Viewer, li: Viewer,
        wang: Viewer) -> None:
    version = written(session, table, people, chen, clock)
    bank.submit(session, version, chen, now=clock())
    for reviewer in (li, wang):
        review.answer(session, version, reviewer, ["C"], now=clock())
    session.commit()
    with database.open(wang.actor, clock=clock, reads_only=True) as early:
        seen = early.get_one(ItemVersion, version.id)
        assert (seen.row_version, seen.approvals) == (version.row_version, 0)
    with database.open(li.actor, clock=clock) as first:
        review.judge(first, first.get_one(ItemVersion, version.id), li, Verdict.ACCEPT, "", now=clock(), estimate=60)
        first.commit()
    with database.open(wang.actor, clock=clock) as second:
        stale = second.merge(seen, load=False)
        with pytest.raises(StaleDataError):  # the page says that somebody else changed this
            review.judge(second, stale, wang, Verdict.ACCEPT, "", now=clock(), estimate=60)


def test_the_database_lets_only_one_version_stand(
        session: Session, people: People, table: WeightTable, clock: TestClock, chen: Viewer) -> None:
    first = written(session, table, people, chen, clock)
    second = bank.edit(session, first, ohm(difficulty=2), chen, now=clock(), reason="调整")
    first.state = second.state = ItemState.APPROVED
    with pytest.raises(IntegrityError):
        session.flush()
    session.rollback()


def test_many_drafts_go_to_review_together_or_not_at_all(
        session: Session, people: People, table: WeightTable, clock: TestClock, chen: Viewer) -> None:
    points = points_of(session, table)
    drafts = [(replace(ohm(number), key="C"), points.find("A-A", "001")) for number in range(1, 31)]
    versions = bank.store(session, table, people.home.id, drafts, chen, now=clock())
    assert bank.submit_many(session, versions, chen, now=clock()) == 30
    with refused("wrong_state"):
        bank.submit_many(session, versions, chen, now=clock())

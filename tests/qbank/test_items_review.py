"""Review, told of 陈晓 who writes and of 李明, 王芳 and 赵刚 who answer blindly before they judge."""

from __future__ import annotations

from datetime import timedelta
from math import isnan

import pytest
from sqlalchemy.orm import Session

from qbank.items import bank, estimates, review, tasks, worklists
from qbank.items.blind import agrees, read
from qbank.items.models import ItemVersion, ReviewTask
from qbank.items.states import ItemState, Verdict
from qbank.kernel.access import Role, Scope, Viewer
from qbank.kernel.refused import Refused
from qbank.kernel.times import local_date
from qbank.standards.models import StoredRulePack, WeightTable
from tests.conftest import People, TestClock
from tests.qbank.bank_world import judged, ohm, theory_table


def submitted(session: Session, table: WeightTable, people: People, author: Viewer, clock: TestClock, count: int = 1) -> list[ItemVersion]:
    made = [bank.add_item(session, table, people.home.id, ohm(number), author, now=clock()) for number in range(1, count + 1)]
    bank.submit_many(session, made, author, now=clock())
    return made


def refused(code: str) -> pytest.RaisesExc[Refused]:
    return pytest.raises(Refused, match=f"^{code}:")


def test_nobody_judges_before_answering_blindly(
        session: Session, people: People, table: WeightTable, clock: TestClock, chen: Viewer, li: Viewer) -> None:
    [version] = submitted(session, table, people, chen, clock)
    with refused("no_second_key"):
        review.judge(session, version, li, Verdict.ACCEPT, "", now=clock(), estimate=60)
    own = review.answer(session, version, li, ["C"], now=clock())
    assert (own.answer, own.agrees) == ("C", True)
    with refused("answered_before"):  # who has seen the key cannot answer blindly
        review.answer(session, version, li, ["A"], now=clock())
    with refused("not_your_bank"):
        review.answer(session, version, chen, ["C"], now=clock())
    review.judge(session, version, li, Verdict.ACCEPT, "", now=clock(), estimate=60)


def test_an_acceptance_after_a_disagreement_says_why(
        session: Session, people: People, table: WeightTable, clock: TestClock, chen: Viewer, li: Viewer) -> None:
    [version] = submitted(session, table, people, chen, clock)
    assert review.answer(session, version, li, ["A"], now=clock()).agrees is False
    assert session.scalars(worklists.disputed(chen)).all() == [version]
    with refused("disagreement"):
        review.judge(session, version, li, Verdict.ACCEPT, " ", now=clock(), estimate=60)
    review.judge(session, version, li, Verdict.ACCEPT, "我看错了题，答案无误。", now=clock(), estimate=60)


@pytest.mark.parametrize("share", [None, -1, 101])
def test_an_acceptance_needs_an_estimate(
        session: Session, people: People, table: WeightTable, clock: TestClock, chen: Viewer, li: Viewer, share: int | None) -> None:
    [version] = submitted(session, table, people, chen, clock)
    review.answer(session, version, li, ["C"], now=clock())
    with refused("no_estimate" if share is None else "bad_estimate"):
        review.judge(session, version, li, Verdict.ACCEPT, "", now=clock(), estimate=share)


def test_a_minor_return_is_answered_and_the_reply_is_kept(
        session: Session, people: People, table: WeightTable, clock: TestClock, chen: Viewer, li: Viewer) -> None:
    [version] = submitted(session, table, people, chen, clock)
    judged(session, version, li, Verdict.MINOR, "选项D不妥", now=clock(), estimate=None)
    assert version.state is ItemState.RETURNED
    comment = version.reviews[0]
    assert session.scalars(worklists.replies_wanted(chen)).all() == [comment]
    colleague = people("孙丽", Role.ITEM_AUTHOR)
    with refused("not_author"):
        review.reply(session, comment, colleague, "不是我写的", now=clock())
    with refused("no_reply"):
        review.reply(session, comment, chen, "  ", now=clock())
    review.reply(session, comment, chen, "已改为焦耳。", now=clock())
    assert (comment.reply, comment.replied_at) == ("已改为焦耳。", clock())
    assert session.scalars(worklists.replies_wanted(chen)).all() == []


def test_a_verdict_is_taken_back_only_while_nothing_came_of_it(
        session: Session, people: People, table: WeightTable, clock: TestClock, chen: Viewer, li: Viewer, wang: Viewer) -> None:
    [version] = submitted(session, table, people, chen, clock)
    judged(session, version, li, now=clock())
    review.undo(session, version, li, now=clock())
    session.commit()
    assert (version.approvals, version.reviews) == (0, [])
    with refused("no_verdict"):
        review.undo(session, version, li, now=clock())
    review.judge(session, version, li, Verdict.ACCEPT, "", now=clock(), estimate=70)  # the blind answer stays
    judged(session, version, wang, now=clock())
    with refused("decided"):
        review.undo(session, version, li, now=clock())


def test_the_days_for_review_come_from_the_rule_pack(
        session: Session, people: People, table: WeightTable, clock: TestClock, chen: Viewer, li: Viewer) -> None:
    session.add(StoredRulePack(region="43", name="湖南", values='{"review_days": 3}'))
    [version] = submitted(session, table, people, chen, clock)
    today = local_date(clock())
    assert version.review_due == today + timedelta(days=3)
    assert worklists.load_of(session, li, today) == worklists.Load(1, 0, version.review_due)
    late = local_date(clock.forward(days=4))
    assert worklists.load_of(session, li, late).overdue == 1
    assert worklists.waiting_rows(session, [version], li, late)[0].overdue
    assert session.scalars(worklists.late(chen, late)).all() == [version]


def test_thirty_items_are_dealt_to_three_reviewers_evenly(
        session: Session, people: People, table: WeightTable, clock: TestClock, chen: Viewer, li: Viewer, wang: Viewer) -> None:
    zhao = people("赵刚", Role.ITEM_REVIEWER)
    versions = submitted(session, table, people, chen, clock, 30)
    today = local_date(clock())
    ids = [person.account_id for person in (li, wang, zhao)]
    # 30 items x 2 approvals = 60 tasks, 20 for each of three
    assert tasks.assign(session, versions, ids, li, due=today + timedelta(days=2), now=clock()) == 60
    assert tasks.open_tasks(session, ids) == dict.fromkeys(ids, 20)
    assert len(session.scalars(review.work_list(session, zhao, today)).all()) == 20  # the other ten are others' work
    assert review.may_judge(session, versions[0], li)
    with refused("all_asked"):
        tasks.assign(session, versions, ids, li, due=today, now=clock())
    assert len(session.scalars(review.work_list(session, zhao, today + timedelta(days=3))).all()) == 30  # theirs are overdue


def test_nobody_is_asked_about_what_they_wrote_or_judged(
        session: Session, people: People, table: WeightTable, clock: TestClock, li: Viewer, wang: Viewer) -> None:
    chen = people("陈晓", Role.ITEM_AUTHOR, Role.ITEM_REVIEWER)
    versions = submitted(session, table, people, chen, clock, 2)
    due = local_date(clock()) + timedelta(days=2)
    with refused("too_few_reviewers") as refusal:
        tasks.assign(session, versions, [chen.account_id, li.account_id], li, due=due, now=clock())
    assert len(refusal.value.details) == 2
    judged(session, versions[0], li, now=clock())
    assert tasks.assign(session, versions, [li.account_id, wang.account_id], li, due=due, now=clock()) == 3
    stranger = people("外校", Role.ITEM_REVIEWER, school=people.school("衡州技师学院（演示）"))
    with refused("not_your_bank"):
        tasks.assign(session, versions, [li.account_id], stranger, due=due, now=clock())
    with refused("too_few_reviewers"):
        tasks.assign(session, versions[1:], [stranger.account_id], li, due=due, now=clock(), each=1)
    for wrong, code in ((local_date(clock()) - timedelta(days=1), "bad_due"), (due + timedelta(days=400), "bad_due")):
        with refused(code):
            tasks.assign(session, versions, [li.account_id], li, due=wrong, now=clock())


def test_a_task_that_is_done_is_not_taken_back(
        session: Session, people: People, table: WeightTable, clock: TestClock, chen: Viewer, li: Viewer, wang: Viewer) -> None:
    versions = submitted(session, table, people, chen, clock, 1)
    tasks.assign(session, versions, [li.account_id, wang.account_id], wang, due=local_date(clock()), now=clock())
    mine, hers = tasks.tasks_of(session, [versions[0].id])[versions[0].id]
    judged(session, versions[0], li, now=clock())
    with refused("task_done"):
        tasks.drop(session, mine, wang)
    tasks.drop(session, hers, wang)
    assert session.get(ReviewTask, hers.id) is None


def test_the_key_is_hidden_until_the_blind_answer(
        session: Session, people: People, table: WeightTable, clock: TestClock, chen: Viewer, li: Viewer, wang: Viewer) -> None:
    zheng = people("郑华", Role.PAPER_COMPOSER)
    [first] = submitted(session, table, people, chen, clock)
    assert [review.hides_key(session, first, who) for who in (chen, li, wang, zheng)] == [False, True, True, False]
    judged(session, first, li, Verdict.MINOR, "答案应为 C", now=clock())
    assert [review.hides_key(session, first, who) for who in (li, wang)] == [False, True]
    second = bank.edit(session, first, ohm(1, difficulty=2), chen, now=clock(), reason="调整难度")
    bank.submit(session, second, chen, now=clock())
    # 李明 knows the old version's key, which he answered; nobody sees the new one's; 王芳 sees none of the item
    assert review.hidden_keys(session, [first.id, second.id], li) == {second.id}
    assert review.hidden_keys(session, [first.id, second.id], wang) == {first.id, second.id}
    for reviewer in (li, wang):
        judged(session, second, reviewer, now=clock())
    other = people("赵刚", Role.ITEM_REVIEWER)
    assert review.hidden_keys(session, [first.id, second.id], other) == frozenset()  # decided: no secret of the bank


def test_a_reviewer_of_another_occupation_is_not_kept_from_anything_here(
        session: Session, people: People, table: WeightTable, clock: TestClock, chen: Viewer) -> None:
    theory_table(session, "6-20-01-01", "钳工")
    wu = people("吴强", scopes=[Scope(Role.ITEM_REVIEWER, people.home.id, occupation_code="6-20-01-01"),
                              Scope(Role.ITEM_AUTHOR, people.home.id)])
    [version] = submitted(session, table, people, chen, clock)
    assert not review.hides_key(session, version, wu)


@pytest.mark.parametrize(("kind", "key", "given", "answer", "agreed"), [
    ("single", "C", ["C"], "C", True), ("single", "C", ["A"], "A", False),
    ("multiple", "AC", ["C", "A"], "AC", True), ("multiple", "AC", ["A"], "A", False),
    ("judge", "F", ["F"], "F", True), ("judge", "F", ["T"], "T", False),
    ("fill", "接触器|交流接触器\n=220±5% V", [" 交流接触器 ", "225V"], "交流接触器\n225V", True),
    ("fill", "接触器\n=220±5% V", ["接触器", "380 V"], "接触器\n380 V", False),
    ("short", "先断电再验电", ["断电、验电"], "断电、验电", None),
])
def test_blind_answers_are_read_and_compared(kind: str, key: str, given: list[str], answer: str, agreed: bool | None) -> None:
    assert read(kind, "ABCD", 2, given) == answer
    assert agrees(kind, key, answer) is agreed


@pytest.mark.parametrize(("kind", "given"), [
    ("single", []), ("single", ["A", "B"]), ("single", ["Z"]), ("single", [""]), ("multiple", []), ("multiple", ["AB"]),
    ("judge", []), ("judge", ["T", "F"]), ("judge", ["对"]), ("fill", ["一空"]), ("fill", ["一空", " "]), ("short", []),
    ("short", [" "]), ("essay", ["长" * 6001]),
])
def test_what_is_no_answer_is_told_so(kind: str, given: list[str]) -> None:
    with pytest.raises(ValueError, match=r"请|选|空"):
        read(kind, "ABCD", 2, given)


def test_estimates_are_summed_up_for_statistics(
        session: Session, people: People, table: WeightTable, clock: TestClock, chen: Viewer, li: Viewer, wang: Viewer) -> None:
    one, two, three = submitted(session, table, people, chen, clock, 3)
    for reviewer, shares in ((li, (60, 40)), (wang, (80, None))):
        for version, share in zip((one, two), shares, strict=True):
            if share is not None:
                judged(session, version, reviewer, now=clock(), estimate=share)
    found = estimates.expert_estimate(session, [one.id, two.id, three.id])
    # 60 % and 80 %: mean 0.70, standard deviation sqrt((0.1² + 0.1²) / 1) = 0.1414
    assert tuple(found[one.id]) == pytest.approx((0.7, 2, 0.141421), abs=1e-6)
    assert tuple(found[two.id][:2]) == pytest.approx((0.4, 1))
    assert isnan(found[two.id].spread)
    assert three.id not in found
    sheet = estimates.standard_setting(session, table.id, chen)
    lines = list(sheet.rows)
    assert [name for name, _ in sheet.columns[6:8]] == ["李明", "王芳"]
    assert [line[6:] for line in lines[:2]] == [[60, 80, 2, 70.0, 14.1], [40, None, 1, 40.0, None]]
    assert lines[2][6:] == [50.0, 80.0, 2, 55.0, None]  # 李明 (60+40)/2, 王芳 80, cut (70+40)/2
    # 王芳 has not judged the second item: 李明's estimate of it stays hidden from her
    assert [line[0] for line in list(estimates.standard_setting(session, table.id, wang).rows)[:-1]] == [one.item_id]

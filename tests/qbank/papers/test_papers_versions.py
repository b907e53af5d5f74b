"""Specifications: changed while nothing was made from them, then versions; copies; what differs between two."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy.orm import Session

from qbank.kernel.access import Role, Viewer
from qbank.kernel.refused import Refused
from qbank.papers.contents import parts_of, quotas_of
from qbank.papers.desk import assemble, contents_of, copy, revise, specify, versions_of
from qbank.papers.models import Specification
from qbank.papers.questions import settings_in
from qbank.papers.rules import defaults
from qbank.papers.spec_difference import Line, Side, differences
from qbank.papers.specification import LeafRange, Part, Quotas, derive_quotas
from qbank.standards.rulepack import RulePack
from tests.conftest import People, TestClock
from tests.qbank.papers.conftest import Bank

SMALL = (Part("single", 16, 10), Part("judge", 4, 10))
OTHER = (Part("single", 12, 10), Part("judge", 8, 10))


@pytest.fixture
def first(session: Session, bank: Bank, composer: Viewer, clock: TestClock) -> Specification:
    return specify(session, bank.table, bank.school, "电工四级理论", SMALL, composer, minutes=90, now=clock(), instructions="只写在答题卡上")


def code(act: Callable[[], object]) -> str:
    with pytest.raises(Refused) as caught:
        act()
    return caught.value.code


def test_nothing_was_made_from_it_so_it_changes_as_it_stands(
        session: Session, first: Specification, composer: Viewer, clock: TestClock) -> None:
    wanted = dataclasses.replace(contents_of(session, first), name="  电工四级  理论 ", minutes=100, parts=OTHER, calculator=True)
    same = revise(session, first, wanted, composer, now=clock())
    assert same is first
    assert (first.name, first.minutes, first.calculator, first.number) == ("电工四级 理论", 100, True, 1)
    assert parts_of(first) == OTHER
    quotas = quotas_of(session, first)
    assert sum(quotas.actual.values()) == 200
    assert sum(count for (_, p), count in quotas.counts.items() if p == 1) == 8
    assert versions_of(session, first) == [first]


def test_a_version_that_papers_were_made_from_never_changes(
        session: Session, first: Specification, composer: Viewer, clock: TestClock) -> None:
    paper, = assemble(session, first, composer, now=clock(), seed=1)
    wanted = dataclasses.replace(contents_of(session, first), minutes=120)
    second = revise(session, first, wanted, composer, reason=" 延长 ", now=clock.forward(days=1))
    assert (second.number, second.root_id, second.reason, second.minutes) == (2, first.id, "延长", 120)
    assert (first.minutes, paper.specification) == (90, first)
    third = revise(session, second, dataclasses.replace(wanted, minutes=60), composer, now=clock())  # nothing was made from the second
    assert third is second
    assert [one.number for one in versions_of(session, first)] == [1, 2]
    assert second.label == "电工四级理论（第 2 版）"
    assert code(lambda: revise(session, first, wanted, composer, now=clock())) == "not_newest"
    assert code(lambda: revise(session, second, contents_of(session, second), composer, now=clock())) == "nothing_changed"


@pytest.mark.parametrize(("changes", "refusal"), [
    ({"name": " "}, "name"), ({"name": "长" * 101}, "name"), ({"minutes": 29}, "minutes"), ({"minutes": 241}, "minutes"),
    ({"instructions": "字" * 2001}, "instructions"), ({"parts": (Part("single", 10, 10),)}, "bad_parts"),
    ({"rules": {"keys": {"mode": "hard", "weight": 0, "numbers": {}}}}, "bad_rules")])
def test_what_makes_no_sense_is_refused_by_name(session: Session, first: Specification, composer: Viewer, clock: TestClock,
                                                changes: dict[str, Any], refusal: str) -> None:
    wanted = dataclasses.replace(contents_of(session, first), **changes)
    assert code(lambda: revise(session, first, wanted, composer, now=clock())) == refusal


def test_a_copy_is_a_line_of_its_own(session: Session, first: Specification, composer: Viewer, people: People, clock: TestClock) -> None:
    made = copy(session, first, "副本", composer, now=clock())
    assert (made.root_id, made.number, made.name) == (None, 1, "副本")
    assert dataclasses.replace(contents_of(session, made), name=first.name) == contents_of(session, first)
    assert quotas_of(session, made) == quotas_of(session, first)
    stranger = people("外校", Role.PAPER_COMPOSER, school=people.school("雁城高级技工学校（演示）"))
    with pytest.raises(Refused):
        copy(session, first, "偷看", stranger, now=clock())


def _side(parts: tuple[Part, ...] = SMALL, **changes: Any) -> Side:
    quotas: Quotas = derive_quotas([LeafRange("A", 60), LeafRange("B", 140)], parts)
    plain = Side("电工四级理论", 90, False, "", quotas, defaults(RulePack()), {"必选题": ()})
    return dataclasses.replace(plain, **changes)


def test_the_same_differs_in_nothing() -> None:
    assert differences(_side(), _side()) == []


def test_every_difference_is_a_line_with_before_and_after() -> None:
    settings = defaults(RulePack())
    keys = dataclasses.replace(settings["keys"], mode="hard", numbers={"within": 3})
    found = differences(_side(), _side(OTHER, minutes=120, calculator=True, settings={**settings, "keys": keys}, lists={"必选题": ("题 7",)}))
    assert found[0] == Line("方案", "考试时间", "90 分钟", "120 分钟")
    assert found[1] == Line("方案", "计算器", "不提供", "允许使用")
    assert found[2] == Line("方案", "试卷结构", "单选题 16 题 × 5 分，判断题 4 题 × 5 分", "单选题 12 题 × 5 分，判断题 8 题 × 5 分")
    # A weighs 30 %: six of twenty items of five points, B fourteen; true/false in proportion, 1.2 and 2.8 of 4, 2.4 and 5.6 of 8.
    assert found[3:5] == [Line("题量", "A", "单选题 5、判断题 1（30 分）", "单选题 4、判断题 2（30 分）"),
                          Line("题量", "B", "单选题 11、判断题 3（70 分）", "单选题 8、判断题 6（70 分）")]
    assert (found[5].what, found[5].after) == ("答案分布均衡", "必须满足：相差不超过 3 题")
    assert found[6:] == [Line("指定的题", "必选题", "", "题 7")]


def test_a_range_that_one_of_them_lacks_is_named(session: Session, first: Specification) -> None:
    quotas = derive_quotas([LeafRange("A", 60), LeafRange("C", 140)], SMALL)
    lines = differences(_side(), _side(quotas=quotas))
    assert [(line.what, line.before == "没有这个范围", line.after == "没有这个范围") for line in lines] == [("B", False, True), ("C", True, False)]
    assert settings_in(session, first).keys() == defaults(RulePack()).keys()

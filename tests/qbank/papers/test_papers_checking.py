"""What is sealed was counted once more by a referee that knows nothing of the engine: every hard rule, by its name."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from qbank.kernel.access import Viewer
from qbank.kernel.refused import Refused
from qbank.papers import checking
from qbank.papers.contents import items_of
from qbank.papers.desk import assemble, seal, specify
from qbank.papers.engine import rules as r
from qbank.papers.engine.items import ItemPool
from qbank.papers.models import Paper, PaperItem, PaperState
from qbank.papers.specification import LeafRange, Part, Quotas
from qbank.papers.uses import note_sitting
from tests.conftest import TestClock
from tests.qbank.papers.conftest import Bank

SMALL = (Part("single", 16, 10), Part("judge", 4, 10))
QUOTAS = Quotas((LeafRange("A", 200),), (Part("single", 4, 50),), {("A", 0): 4}, {"A": 200}, {"A": 200})
# Eight choices of one range. A form of the first four: grades 1 1 2 3, answers A A A B, 40 + 30 + 20 + 10 characters.
POOL = ItemPool(
    keys=np.arange(1, 9), ranges=["A"] * 8, kinds=["single"] * 8, points=["p1", "p1", "p2", "p3", "p4", "p5", "p6", "p7"],
    importance=list("XYZZXXXX"), grades=[1, 1, 2, 3, 3, 3, 3, 3], answers=list("AAABCDBC"), lengths=[40, 30, 20, 10, 5, 5, 5, 5],
    abilities=(0.0,), information=np.full((8, 1), 0.25), expected=np.array([.9, .8, .7, .6, .5, .5, .5, .5]), cut=0.0,
    b=np.array([0.0, 0.4, 0.8, 1.2, 0, 0, 0, 0]), exposure=[3, 0, 0, 0, 0, 0, 0, 0], last_used=[1, 5, 0, 1e6, 1e6, 1e6, 1e6, 1e6],
    earlier={"旧卷": frozenset({1, 2, 8})})
FORM, OTHER = (1, 2, 3, 4), (4, 5, 6, 7)

MISSED: list[tuple[Any, str]] = [
    (r.Grades(shares={1: 0.25, 2: 0.25, 3: 0.5}, weight=None), "1 级 2 题，应为 1 题。"),  # of four items one, one and two
    (r.Importance(shares={"X": 0.5, "Y": 0.25, "Z": 0.25}, weight=None), "X 共 1 题，至少 2 题。"),
    (r.KeyBalance(weight=None), "单选题答案为 A 的有 3 题，平均 1 题。"),
    (r.OnePerPoint(weight=None), ""),  # 7 points for 4 items: there need not have been another
    (r.Length(most=99), "100 字，应在 0 到 99 字之间。"),
    (r.Exposure(most=3), "有 1 题一年内已用于 3 套以上的封存试卷。"),
    (r.Rest(sittings=1), "有 2 题在最近 1 场考试中用过，或在等待开考的封存试卷里。"),
    (r.Earlier(most=1), "与“旧卷”共用 2 题，最多 1 题。"),
    (r.Information(least=(1.1,)), "θ＝0.00 处信息量 1.00，至少 1.10。"),
    (r.Difficulty(mean=0.5, tolerance=0.05, weight=None), "平均 b 为 0.600，应为 0.5 ± 0.05。"),
    (r.ExpectedScore(target=70, tolerance=1, weight=None), "75.00 分，应为 70 ± 1 分。"),  # 25 × (0.9 + 0.8 + 0.7 + 0.6)
    (r.Pinned(keys=frozenset({1, 8})), "缺 1 道必选题。"),
    (r.Barred(keys=frozenset({2})), "有 1 道禁用题。"),
    (r.Pretest(count={"single": 1}), "试测题 0 道，应有 1 道。"),
]


@pytest.mark.parametrize(("rule", "sentence"), MISSED, ids=lambda one: getattr(one, "title", ""))
def test_each_hard_rule_is_counted_and_named(rule: Any, sentence: str) -> None:
    told = checking.broken(POOL, QUOTAS, [rule], {"A": FORM})["A"]
    assert told[:1] == ([f"{checking.title_of(rule)}：{sentence}"] if sentence else [])  # the first of them, where several numbers miss


def test_soft_rules_and_aims_stop_nothing() -> None:
    rules: list[r.Rule] = [r.Grades(), r.KeyBalance(), r.LittleUsed(), r.Equal(), r.Most(), r.Overlap(most=None)]
    assert checking.broken(POOL, QUOTAS, rules, {"A": FORM, "B": FORM}) == {"A": [], "B": []}


def test_what_forms_have_to_do_with_one_another_is_told_of_both() -> None:
    told = checking.broken(POOL, QUOTAS, [r.Overlap(most=0), r.UseLimit(most=1), r.ExpectedScore(tolerance=5, weight=None)],
                           {"A": FORM, "B": OTHER})
    # B: 25 × (0.6 + 0.5 + 0.5 + 0.5) = 52.5
    assert told["A"] == ["各套卷之间的共用题：A 卷与 B 卷共用 1 题，最多 0 题。", "单题使用次数：有 1 题用在 1 套以上的卷里。",
                         "合格线处预期得分相等：B 卷 52.50 分，A 卷 75.00 分，相差超过 10 分。"]
    assert told["B"][0] == "各套卷之间的共用题：B 卷与 A 卷共用 1 题，最多 0 题。"


def test_items_that_are_tried_out_count_for_reading_and_nothing_else() -> None:
    told = checking.broken(POOL, QUOTAS, [r.Information(least=(0.8,)), r.Length(most=100), r.Pretest(count={"single": 1})],
                           {"A": FORM}, frozenset({4}))
    assert told == {"A": ["信息量下限：θ＝0.00 处信息量 0.75，至少 0.80。"]}


def specified(session: Session, bank: Bank, composer: Viewer, clock: TestClock, rules: dict[str, Any], forms: int = 1, seed: int = 1) -> list[Paper]:
    asked = specify(session, bank.table, bank.school, "电工四级理论", SMALL, composer, minutes=90, now=clock(), rules=rules)
    return assemble(session, asked, composer, now=clock(), seed=seed, forms=forms)


def refused(session: Session, paper: Paper, composer: Viewer, clock: TestClock) -> tuple[str, ...]:
    with pytest.raises(Refused, match=r"^cannot_seal:") as caught:
        seal(session, paper, composer, now=clock())
    assert paper.state is PaperState.DRAFT
    return tuple(caught.value.details)


def hard(**numbers: float) -> dict[str, Any]:
    return {"mode": "hard", "weight": 1, "numbers": numbers}


def test_a_form_that_was_made_to_share_an_item_is_not_sealed(session: Session, bank: Bank, composer: Viewer, clock: TestClock) -> None:
    one, other = specified(session, bank, composer, clock, {"overlap": hard(percent=0, pool=30)}, forms=2)
    mine = {(item.version.point.range.path, item.position): item for item in items_of(one)}
    theirs = next(item for item in items_of(other) if (item.version.point.range.path, item.position) in mine)
    taken = mine[theirs.version.point.range.path, theirs.position].version_id
    session.execute(sa.update(PaperItem).where(PaperItem.id == theirs.id).values(version_id=taken))  # behind the house's back
    session.expire_all()
    assert refused(session, other, composer, clock) == ("各套卷之间的共用题：B 卷与 A 卷共用 1 题，最多 0 题。",)


def test_uses_that_came_meanwhile_are_counted(session: Session, bank: Bank, composer: Viewer, clock: TestClock) -> None:
    """Two drafts from the fresh bank; the first is sealed, so what the second shares with it is used by now."""
    first, = specified(session, bank, composer, clock, {})
    second, = specified(session, bank, composer, clock, {"exposure": hard(most=1), "rest": hard(sittings=2)})
    shared = len({item.version_id for item in items_of(first)} & {item.version_id for item in items_of(second)})
    assert shared > 0
    seal(session, first, composer, now=clock.forward(minutes=1))
    worn = f"一年内使用上限：有 {shared} 题一年内已用于 1 套以上的封存试卷。"
    assert refused(session, second, composer, clock) == (
        worn, f"近期用过的不用：有 {shared} 题在最近 2 场考试中用过，或在等待开考的封存试卷里。")
    for sitting in (7, 8, 9):  # it was dealt at the first of three sittings, which is not one of the last two
        note_sitting(session, sitting, {first.id} if sitting == 7 else {_other(session, bank, composer, clock, sitting).id},
                     now=clock.forward(days=1))
    told = refused(session, second, composer, clock)
    assert f"近期用过的不用：有 {shared} 题" not in "".join(told)


def _other(session: Session, bank: Bank, composer: Viewer, clock: TestClock, seed: int) -> Paper:
    paper, = specified(session, bank, composer, clock, {}, seed=seed)
    seal(session, paper, composer, now=clock.forward(minutes=1))
    return paper

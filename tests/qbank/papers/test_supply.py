"""What the rules page says of the bank before anything is composed: counts against hand arithmetic."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from qbank.papers.assembly import ItemPool
from qbank.papers.measuring import Parameters
from qbank.papers.rules import HARD, KINDS_OF_RULES, OFF, SOFT, Setting, defaults
from qbank.papers.specification import LeafRange, Part, Quotas
from qbank.papers.supply import Shortage, Stock, shortages, supplies
from qbank.standards.rulepack import RulePack

# Two ranges of 3 choices and 1 true/false item each: a form of 8. The bank holds 12 choices and 4 true/false items a range.
QUOTAS = Quotas((LeafRange("A", 100), LeafRange("B", 100)), (Part("single", 6, 2), Part("judge", 2, 2)),
                {("A", 0): 3, ("A", 1): 1, ("B", 0): 3, ("B", 1): 1}, {}, {})
SETTINGS = defaults(RulePack())


def stock(forms: int = 1, settings: dict[str, Setting] | None = None, barred: frozenset[int] = frozenset(), **more: Any) -> Stock:
    """Keys 1 to 32: A's twelve choices, A's four true/false items, then B's."""
    kinds = (["single"] * 12 + ["judge"] * 4) * 2
    held: dict[str, Any] = {
        "keys": np.arange(32) + 1, "ranges": ["A"] * 16 + ["B"] * 16, "kinds": kinds, "points": [f"{i % 4}" for i in range(32)],
        "importance": ["X"] * 24 + ["Y"] * 8, "grades": np.arange(32) % 5 + 1, "exposure": np.zeros(32), "last_used": np.full(32, 99),
        "answers": ["ABCD"[i % 4] if kind == "single" else "TF"[i % 2] for i, kind in enumerate(kinds)], "lengths": np.full(32, 100),
        "abilities": (-0.5, 0.0, 0.5), "information": np.full((32, 3), 0.25), "expected": np.full(32, 0.6), "cut": 0.0}
    b = np.linspace(-1.55, 1.55, 32)
    parameters = Parameters(a=np.ones(32), b=b, c=np.zeros(32), calibrated=np.arange(32) < 10)
    return Stock(ItemPool(**{**held, **more}), parameters, QUOTAS, {**SETTINGS, **(settings or {})}, forms, barred)


def with_(code: str, mode: str, **numbers: float) -> dict[str, Setting]:
    return {code: replace(SETTINGS[code], mode=mode, numbers={**SETTINGS[code].numbers, **numbers})}


def test_every_rule_of_the_page_gets_a_sentence() -> None:
    told = supplies(stock())
    assert told.keys() == KINDS_OF_RULES.keys()
    assert all(supply.sentence for supply in told.values())


def test_cells_that_lack_items_are_counted_for_all_forms_only_where_sharing_is_forbidden() -> None:
    # Five forms that share nothing need 15 choices and 5 true/false items of each range; 12 and 4 are there.
    apart = with_("overlap", HARD, percent=0)
    assert shortages(stock(4, apart)) == []
    assert shortages(stock(5, apart)) == [Shortage("A", "single", 15, 12), Shortage("A", "judge", 5, 4),
                                          Shortage("B", "single", 15, 12), Shortage("B", "judge", 5, 4)]
    assert shortages(stock(5, with_("overlap", SOFT))) == []
    told = supplies(stock(5, apart))["quotas"]
    assert not told.enough
    assert told.sentence == "4 格不够，共缺 8 道；最缺 A 单选题：需要 15 道，可用 12 道。"


@pytest.mark.parametrize(("settings", "array", "out"), [
    (with_("exposure", HARD, most=3), {"exposure": np.where(np.arange(32) < 11, 3, 2)}, 11),
    (with_("rest", HARD, sittings=2), {"last_used": np.where(np.arange(32) < 11, 2, 3)}, 11),
    (with_("exposure", SOFT, most=3), {"exposure": np.where(np.arange(32) < 11, 3, 2)}, 0),
    ({}, {"pretest": np.arange(32) < 11}, 11)])
def test_items_that_a_hard_rule_keeps_out_are_not_counted(settings: dict[str, Setting], array: dict[str, Any], out: int) -> None:
    held = stock(1, settings, **array)
    assert int(held.open.sum()) == 32 - out
    assert shortages(held) == ([Shortage("A", "single", 3, 1)] if out else [])


def test_items_barred_by_hand_and_of_ranges_without_a_quota_are_not_counted() -> None:
    assert int(stock(barred=frozenset({1, 2})).open.sum()) == 30
    assert int(stock(ranges=["A"] * 16 + ["C"] * 16).open.sum()) == 16


def test_points_fewer_than_items_are_told() -> None:
    # Four points a range and four items of it: enough. With two points two of each range's four items repeat one.
    assert supplies(stock())["points"].enough
    told = supplies(stock(points=[f"{i % 2}" for i in range(32)]))["points"]
    assert not told.enough
    assert told.sentence == "有 2 个范围的鉴定点少于题数，一套卷至少有 4 题与别的题同点。"


def test_grades_that_cannot_fill_their_share_are_named() -> None:
    # 100 % of grade 1 asks 8 items of it; of 32 items grades 1 and 2 have 7 each.
    told = supplies(stock(settings=with_("grades", HARD, g1=100, g2=0, g3=0, g4=0, g5=0, within=0)))["grades"]
    assert not told.enough
    assert told.sentence == "可用 1 级 7、2 级 7、3 级 6、4 级 6、5 级 6 道；不够的等级：1。"
    assert supplies(stock(settings=with_("grades", HARD, g1=100, g2=0, g3=0, g4=0, g5=0, within=1)))["grades"].enough


def test_a_mean_difficulty_out_of_reach_is_told() -> None:
    # b from -1.55 to 1.55 in steps of 0.1: the eight hardest are 0.85 to 1.55, on the average 1.20.
    assert supplies(stock(settings=with_("difficulty", HARD, mean=1.25, within=0.05)))["difficulty"].enough
    told = supplies(stock(settings=with_("difficulty", HARD, mean=1.3, within=0.05)))["difficulty"]
    assert not told.enough
    assert "最难 8 题平均 1.20" in told.sentence
    assert "10 / 32 道题已标定" in told.sentence


def test_forms_that_cannot_do_without_sharing_are_told() -> None:
    # 5 x 8 = 40 items where 32 are open.
    assert supplies(stock(4))["overlap"].enough
    told = supplies(stock(5))["overlap"]
    assert not told.enough
    assert told.sentence == "5 套卷都不共用需要 40 道，可用 32 道。"
    assert supplies(stock(1))["overlap"].sentence == "只组一套卷时没有影响。"


def test_items_to_try_out_are_new_and_uncalibrated() -> None:
    # Of the choices 1 to 12 and 17 to 28, ten are calibrated: 14 are new. Once used, none is.
    asked = with_("pretest", HARD, single=14, multiple=0, judge=0)
    assert supplies(stock(settings=asked))["pretest"].enough
    assert not supplies(stock(settings=with_("pretest", HARD, single=15, multiple=0, judge=0)))["pretest"].enough
    assert not supplies(stock(settings=asked, exposure=np.ones(32)))["pretest"].enough


def test_a_bank_without_usable_items_says_so() -> None:
    told = supplies(stock(settings=with_("difficulty", OFF), barred=frozenset(range(1, 33))))
    assert told["difficulty"].sentence == "没有可用的题。"
    assert not told["expected"].enough
    assert not told["quotas"].enough

"""Forms from plain arrays: what is asked is kept, whatever the bank; the same seed gives the same forms."""

from __future__ import annotations

import json
from itertools import combinations, product
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from qbank.kernel.refused import Refused
from qbank.papers.assembly import ItemPool, Unmakeable, assemble, explain, proof, swaps
from qbank.papers.engine import rules as r
from qbank.papers.engine.child import Child, borrowed
from qbank.papers.engine.compiling import compiled
from qbank.papers.engine.explaining import conflict, without
from qbank.papers.engine.problem import Aim, Band, Bar, Must, Problem
from qbank.papers.engine.solving import solve
from qbank.papers.specification import LeafRange, Part, Quotas
from tests.qbank.papers.checking import broken

KINDS = ("single", "multiple", "judge")
GRADES = r.Grades(weight=None, shares={1: 0.1, 2: 0.2, 3: 0.4, 4: 0.2, 5: 0.1})


def quotas(ranges: int, counts: tuple[int, ...] = (2, 1, 1)) -> Quotas:
    """So many ranges that ask `counts` items of each kind."""
    parts = tuple(Part(kind, ranges * count, 2) for kind, count in zip(KINDS, counts, strict=False))
    asked = {(f"R{i}", p): count for i in range(ranges) for p, count in enumerate(counts)}
    return Quotas(tuple(LeafRange(f"R{i}", 0) for i in range(ranges)), parts, asked, {}, {})


def bank(size: int, ranges: int, seed: int = 1, *, pairs: int = 0, sets: int = 0, kinds: int = 3) -> ItemPool:
    """Items of Rasch type spread evenly over ranges and kinds."""
    draw = np.random.default_rng(seed)
    cell = np.arange(size) % (ranges * kinds)
    b, a = draw.normal(0, 1, size), np.exp(draw.normal(0, 0.3, size))
    theta = np.array([-0.5, 0.0, 0.5])
    right = 1 / (1 + np.exp(-1.7 * a[:, None] * (theta - b[:, None])))
    chosen = draw.permutation(size) + 1
    together = [frozenset(int(k) for k in np.flatnonzero(cell == c)[:2] + 1) for c in range(sets)]
    return ItemPool(
        keys=np.arange(size) + 1, ranges=[f"R{c // kinds}" for c in cell], kinds=[KINDS[c % kinds] for c in cell],
        points=[f"p{v}" for v in draw.integers(0, 12, size)], importance=draw.choice(list("XYZ"), size, p=[0.7, 0.2, 0.1]).tolist(),
        grades=np.digitize(b, [-1.2, -0.5, 0.5, 1.2]) + 1,
        answers=["ABCD"[v] if c % kinds == 0 else "ACD" if c % kinds == 1 else "TF"[v % 2] for c, v in zip(cell, draw.integers(0, 4, size), strict=True)],
        lengths=draw.integers(40, 200, size), abilities=(-0.5, 0.0, 0.5), cut=0.0, information=(1.7 * a[:, None]) ** 2 * right * (1 - right),
        expected=right[:, 1], b=b, exposure=draw.poisson(1, size), last_used=draw.integers(1, 20, size),
        apart=[(int(x), int(y)) for x, y in chosen[: 2 * pairs].reshape(-1, 2)], together=together)


HARD: tuple[r.Rule, ...] = (
    GRADES, r.Importance(weight=None, shares={"X": 0.6, "Y": 0.3, "Z": 0.1}), r.OnePerPoint(weight=None), r.KeyBalance(weight=None, slack=1),
    r.Exposure(most=5), r.Rest(sittings=1), r.Length(most=12_000), r.ExpectedScore(weight=None, tolerance=0.5), r.Barred(keys=frozenset({5, 6})),
    r.Pinned(keys=frozenset({50})), r.Overlap(most=3), r.Difficulty(mean=0.0, tolerance=0.2, weight=None))


def test_three_forms_of_a_large_bank_keep_every_hard_rule_and_meet_the_target_within_a_thousandth() -> None:
    pool = bank(1_800, 10, pairs=100, sets=4)
    rules = (*HARD, r.LittleUsed(), r.Equal())
    found = assemble(pool, quotas(10, (3, 2, 2)), forms=3, rules=rules, seed=4)
    assert broken(pool, quotas(10, (3, 2, 2)), rules, found.forms) == []
    assert found.value <= 0.001
    assert found.bound == 0.0
    assert all(line.kept for form in found.lines for line in form if line.hard)


def test_the_same_seed_gives_the_same_forms_whatever_the_order_of_the_bank() -> None:
    pool, rules = bank(1_500, 10, pairs=40), (GRADES, r.Overlap(), r.Equal())
    one = assemble(pool, quotas(10), forms=3, rules=rules, seed=4)
    backwards = pool.take(np.arange(1_500)[::-1])
    assert assemble(backwards, quotas(10), forms=3, rules=rules, seed=4).forms == one.forms
    assert assemble(pool, quotas(10), forms=3, rules=rules, seed=5).forms != one.forms
    assert not one.cut_short


def test_a_demanding_target_is_met_too() -> None:
    pool, rules = bank(3_000, 10), (GRADES, r.Overlap(), r.Equal(times=1.3))
    found = assemble(pool, quotas(10, (5, 3, 2)), forms=5, rules=rules)
    assert broken(pool, quotas(10, (5, 3, 2)), rules, found.forms) == []
    assert found.value <= 0.001


def test_maximin_comes_within_a_hundredth_of_what_no_forms_can_better() -> None:
    pool, rules = bank(3_000, 10, pairs=100), (GRADES, r.Overlap(), r.Most())
    found = assemble(pool, quotas(10, (5, 3, 2)), forms=5, rules=rules)
    assert broken(pool, quotas(10, (5, 3, 2)), rules, found.forms) == []
    least = min(min(form) for form in found.information)
    assert found.value == pytest.approx(least)
    assert found.value <= found.bound * (1 + 1e-9)
    assert found.gap <= 0.01


def test_a_maximin_shares_what_it_may_share_and_comes_near_what_no_forms_can_better() -> None:
    pool, asked = bank(1_500, 10, pairs=60), quotas(10, (5, 3, 2))
    apart = assemble(pool, asked, forms=4, rules=(GRADES, r.Overlap(), r.Most()))
    rules = (GRADES, r.Overlap(most=15), r.Most())
    found = assemble(pool, asked, forms=4, rules=rules)
    assert broken(pool, asked, rules, found.forms) == []
    assert found.shared == 15
    assert found.value > 1.05 * apart.value
    assert found.gap <= 0.02


def test_a_form_per_candidate() -> None:
    pool, rules = bank(1_000, 10), (GRADES, r.Overlap(most=12), r.UseLimit(most=4), r.Equal())
    found = assemble(pool, quotas(10), forms=30, rules=rules)
    assert broken(pool, quotas(10), rules, found.forms) == []
    assert found.value <= 0.01
    assert len(set(found.forms)) == 30


def test_locked_items_stay_and_the_rest_is_solved_again() -> None:
    pool, rules = bank(1_500, 10), (GRADES, r.Overlap(), r.Equal())
    first = assemble(pool, quotas(10), forms=2, rules=rules)
    locked = (frozenset(first.forms[0]), frozenset(first.forms[1][:15]))
    again = assemble(pool, quotas(10), forms=2, rules=rules, seed=9, locked=locked)
    assert broken(pool, quotas(10), rules, again.forms, locked) == []
    assert set(again.forms[0]) == set(first.forms[0])
    assert set(again.forms[1]) != set(first.forms[1])


def test_unscored_items_are_added_and_count_for_nothing() -> None:
    pool = bank(600, 5)
    tried = np.zeros(600, dtype=bool)
    tried[::10] = True
    pool = ItemPool(**{**vars(pool), "pretest": tried})
    rules = (GRADES, r.Pretest(count={"single": 2, "judge": 1}), r.Overlap())
    found = assemble(pool, quotas(5), forms=2, rules=rules)
    assert broken(pool, quotas(5), rules, found.forms) == []
    assert [len(form) for form in found.forms] == [23, 23]
    assert len(found.tried) == 6


def test_the_items_of_a_set_stand_together_and_parts_come_first() -> None:
    pool = bank(120, 4, sets=3)
    pinned = next(iter(pool.together[0]))
    found = assemble(pool, quotas(4), rules=(r.Pinned(keys=frozenset({pinned})),))
    kinds = [pool.kinds[key - 1] for key in found.forms[0]]
    assert kinds == sorted(kinds, key=KINDS.index)
    at = sorted(found.forms[0].index(key) for key in pool.together[0])
    assert at[1] == at[0] + 1


def test_proof_of_given_forms_counts_what_assembly_counted() -> None:
    pool, rules = bank(1_500, 10), (GRADES, r.KeyBalance(), r.Overlap(), r.Equal())
    found = assemble(pool, quotas(10), forms=2, rules=rules)
    counted = proof(pool, quotas(10), found.forms, rules=rules)
    assert counted.value == pytest.approx(found.value)
    assert counted.costs == pytest.approx(found.costs)
    assert [[line.kept for line in form] for form in counted.lines] == [[line.kept for line in form] for form in found.lines]


def test_equivalents_keep_every_hard_rule_and_are_ranked() -> None:
    pool, rules = bank(1_500, 10, pairs=60), (GRADES, r.KeyBalance(), r.Overlap(), r.Equal())
    found = assemble(pool, quotas(10), forms=2, rules=rules)
    key = found.forms[1][3]
    offered = swaps(pool, quotas(10), found.forms, 1, key, rules=rules, limit=5)
    assert offered
    for swap in offered:
        swapped = [found.forms[0], tuple(swap.key if other == key else other for other in found.forms[1])]
        assert broken(pool, quotas(10), rules, swapped) == []
    assert [swap.cost for swap in offered] == sorted(swap.cost for swap in offered)
    with pytest.raises(ValueError, match="not on form"):
        swaps(pool, quotas(10), found.forms, 0, key, rules=rules)


def test_a_set_is_offered_for_a_set() -> None:
    # Sets of two choices of R0: {1, 13}, {25, 37}, {49, 61}, the last one barred; {2, 14} are of another kind.
    pool = ItemPool(**{**vars(bank(240, 4)), "together": [frozenset({1, 13}), frozenset({25, 37}), frozenset({49, 61}), frozenset({2, 14})]})
    asked = quotas(4, (3, 2, 1))
    made = assemble(pool, asked, rules=(r.Pinned(keys=frozenset({1})), r.Barred(keys=frozenset({25})))).forms
    (offer,) = swaps(pool, asked, made, 0, 13, rules=(r.Barred(keys=frozenset({49})),))
    assert (offer.key, offer.gone, offer.come) == (37, (1, 13), (25, 37))
    swapped = [tuple(dict(zip(offer.gone, offer.come, strict=True)).get(key, key) for key in made[0])]
    assert broken(pool, asked, (), swapped) == []
    assert swaps(pool, asked, made, 0, 13, rules=(r.Barred(keys=frozenset({49, 25})),)) == ()


def test_the_search_exchanges_sets_that_stand_in_the_way() -> None:
    # The start does not know that items of sets share a point; taking another set mends it.
    pool = bank(1_500, 5)
    cell = [int(key) for key in pool.keys if pool.ranges[key - 1] == "R0" and pool.kinds[key - 1] == "single"]
    together = [frozenset(cell[2 * s:2 * s + 2]) for s in range(len(cell) // 2)]
    same = {key for s, pair in enumerate(together) if s % 2 == 0 for key in pair}
    points = ["same" if int(key) in same else f"p{key}" for key in pool.keys]
    pool = ItemPool(**{**vars(pool), "together": together, "points": points})
    found = assemble(pool, quotas(5, (4, 2, 2)), forms=2, rules=(r.OnePerPoint(weight=None), r.Overlap(), r.Equal()))
    assert broken(pool, quotas(5, (4, 2, 2)), (r.OnePerPoint(weight=None), r.Overlap()), found.forms) == []
    assert all(len({pool.points[key - 1] for key in form}) == len(form) for form in found.forms)


def missed(pool: ItemPool, rule: r.Rule, against: tuple[r.Rule, ...]) -> float:
    """By how much `rule` is missed by two forms made with it and those `against` it."""
    found = assemble(pool, quotas(10), forms=2, rules=(rule, *against, r.Overlap()), seed=2)
    return sum(line.missed for form in found.lines for line in form if line.rule == rule.title)


def test_the_heavier_a_soft_information_rule_the_less_it_is_missed() -> None:
    # Half as much again as an average form gives pulls against the grades: easy and hard items tell little at the cut.
    pool = bank(1_500, 10)
    average = tuple(1.6 * 40 * value for value in np.asarray(pool.information).mean(axis=0))
    grades = r.Grades(shares={1: 0.3, 2: 0.1, 3: 0.2, 4: 0.1, 5: 0.3}, weight=20)
    light, heavy = (missed(pool, r.Information(least=average, weight=weight), (grades,)) for weight in (0.1, 100.0))
    assert heavy < 0.5 * light


def test_the_heavier_the_target_the_nearer_the_forms_come_to_it() -> None:
    pool = bank(1_500, 10)
    grades = r.Grades(shares={1: 0.3, 2: 0.1, 3: 0.2, 4: 0.1, 5: 0.3}, weight=20)
    light, heavy = (assemble(pool, quotas(10), forms=2, rules=(grades, r.Overlap(), r.Equal(times=1.6, weight=weight)), seed=2) for weight in (0.02, 100.0))
    assert heavy.value < 0.5 * light.value
    assert heavy.costs["难度结构"] > light.costs["难度结构"]


def test_a_small_bank_gives_what_counting_all_papers_gives() -> None:
    # 12 items, 2 of each of 3 ranges: 4 choose 2 per range, 216 papers; the least information of all is compared.
    pool = bank(12, 3, kinds=1, pairs=2)
    asked = quotas(3, (2,))
    best = 0.0
    cells = [[i for i in range(12) if pool.ranges[i] == f"R{c}"] for c in range(3)]
    for picks in product(*(combinations(cell, 2) for cell in cells)):
        items = [i for pick in picks for i in pick]
        if not any(a - 1 in items and b - 1 in items for a, b in pool.apart):
            best = max(best, float(np.asarray(pool.information)[items].sum(axis=0).min()))
    found = assemble(pool, asked, rules=(r.Most(),))
    assert found.value == pytest.approx(best)
    assert found.optimal


@st.composite
def cases(draw: Any) -> tuple[ItemPool, Quotas, tuple[r.Rule, ...], int]:
    """Banks of all kinds, poor ones too, with a choice of rules."""
    ranges = draw(st.integers(1, 3))
    pool = bank(draw(st.integers(8, 90)), ranges, draw(st.integers(0, 99)), pairs=draw(st.integers(0, 4)), sets=draw(st.integers(0, 2)))
    pool_of_rules: list[r.Rule] = [
        r.Grades(weight=None, slack=draw(st.integers(0, 3))), r.Importance(weight=None, slack=2), r.OnePerPoint(weight=None),
        r.KeyBalance(weight=None, slack=1), r.Exposure(most=3), r.Rest(sittings=2), r.Pinned(keys=frozenset({1, 2})), r.Barred(keys=frozenset({3})),
        r.Length(most=draw(st.integers(300, 2000))), r.Grades(), r.KeyBalance(), r.LittleUsed(), r.Equal(), r.Most(),
        r.Overlap(most=draw(st.integers(0, 3)))]
    chosen = draw(st.lists(st.sampled_from(pool_of_rules), max_size=4, unique_by=type))
    return pool, quotas(ranges, draw(st.sampled_from([(2, 1, 1), (3, 0, 1), (1, 1, 0)]))), tuple(chosen), draw(st.integers(1, 3))


@settings(max_examples=25, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
@given(cases())
def test_what_comes_back_breaks_nothing_and_what_is_named_stands_in_the_way(case: tuple[ItemPool, Quotas, tuple[r.Rule, ...], int]) -> None:
    pool, asked, rules, forms = case
    answer = attempted(pool, asked, rules, forms)
    if isinstance(answer, Unmakeable):
        why = answer.explanation
        assert why.causes
        assert answer.details == tuple(cause.sentence for cause in why.causes)
        assert why.nearest is not None
        assert why.breaks
        with borrowed() as child:
            _, problem = compiled(pool, asked, forms, rules, 3)
            named = conflict(problem, 20, child, lambda *_: None)
            eased = solve(without(problem, named.missing), 20, child, lambda *_: None)
        assert eased.on is not None
        assert not eased.broken
    elif isinstance(answer, Refused):
        assert answer.code == "pinned_unusable"
    else:
        assert broken(pool, asked, rules, answer) == []
        assert attempted(pool, asked, rules, forms) == answer


def attempted(pool: ItemPool, asked: Quotas, rules: tuple[r.Rule, ...], forms: int) -> tuple[tuple[int, ...], ...] | Refused:
    try:
        return assemble(pool, asked, forms=forms, rules=rules, seed=3).forms
    except Refused as refused:
        return refused


def test_a_poor_range_is_named_with_what_it_lacks() -> None:
    # Of R0's choices only 3 are left where 2 forms of 2 need 4.
    pool = bank(360, 4)
    of_r0 = [i for i in range(360) if pool.ranges[i] == "R0" and pool.kinds[i] == "single"]
    poor = pool.take(np.array([i for i in range(360) if i not in of_r0[3:]]))
    why = explain(poor, quotas(4), forms=2, rules=(r.Overlap(),))
    assert why is not None
    assert [cause.sentence for cause in why.causes] == ["范围 R0 单选题缺 1 题：2 套共需 4 题，可用 3 题；补写 1 题，或减少套数或允许各套共用题目"]
    assert why.write == ("范围 R0 单选题：补写 1 题",)
    assert why.complete
    assert explain(pool, quotas(4), forms=2, rules=(r.Overlap(),)) is None


def test_a_rule_that_keeps_items_out_is_named_as_a_way_out() -> None:
    pool = bank(360, 4)
    used = np.where([pool.ranges[i] == "R0" and pool.kinds[i] == "single" for i in range(360)], 9, 0)
    why = explain(ItemPool(**{**vars(pool), "exposure": used}), quotas(4), rules=(r.Exposure(most=3),))
    assert why is not None
    assert why.causes[0].sentence == "范围 R0 单选题缺 2 题：1 套共需 2 题，可用 0 题；补写 2 题，或放宽“曝光上限”可多用 30 题"


def test_information_out_of_reach_is_named_with_what_can_be_reached() -> None:
    pool = bank(720, 4)
    why = explain(pool, quotas(4), forms=2, rules=(r.Overlap(), r.Information(least=(1.0, 50.0, 1.0))))
    assert why is not None
    (cause,) = why.causes
    assert cause.rule == "信息量下限"
    assert "能力 0 处信息量要求 不少于 50，平均只能做到" in cause.sentence
    assert why.nearest is not None
    assert broken(pool, quotas(4), (r.Overlap(),), why.nearest.forms) == []


def test_what_no_search_finds_and_no_proof_denies_is_answered_with_the_nearest_forms() -> None:
    # Every item has an even number of characters, 4,001 are asked: a linear program halves items, no form can.
    pool = ItemPool(**{**vars(bank(1_500, 10)), "lengths": 100 + 2 * (np.arange(1_500) // 30 % 2)})
    with pytest.raises(Unmakeable) as refused:
        assemble(pool, quotas(10), forms=2, rules=(r.Overlap(), r.Length(least=4_001, most=4_001)))
    why = refused.value.explanation
    assert refused.value.code == "assembly_timeout"
    assert "没有证明不存在" in refused.value.sentence
    assert [cause.rule for cause in why.causes] == ["阅读总量"]
    assert not why.certain
    assert why.nearest is not None
    assert broken(pool, quotas(10), (r.Overlap(),), why.nearest.forms) == []


def test_rules_that_speak_of_what_the_bank_does_not_know_are_refused() -> None:
    bare = ItemPool(keys=np.arange(20), ranges=["R0"] * 20, kinds=["single"] * 20)
    with pytest.raises(Refused) as refused:
        assemble(bare, quotas(1, (2,)), rules=(r.Equal(),))
    assert refused.value.code == "bad_demands"
    with pytest.raises(Refused) as refused:
        assemble(bare, quotas(1, (2,)), rules=(r.Pinned(keys=frozenset({99})),))
    assert "99" in refused.value.sentence
    with pytest.raises(ValueError, match="unique"):
        ItemPool(keys=np.array([1, 1]), ranges=["a", "a"], kinds=["b", "b"])


def test_a_child_that_does_not_answer_in_time_is_ended() -> None:
    child = Child()
    slow = {"grow": np.bool_(False)}  # an incomplete task: the child fails at once, which is an answer of none
    assert child.ask(slow, 5.0) is None
    assert not child.alive


DATA = Path(__file__).parents[4] / "shared" / "data" / "psychometrics"


@pytest.mark.skipif(not DATA.exists(), reason="the reference pools lie outside the repository")
def test_proven_optima_of_reference_pools() -> None:
    small = json.loads((DATA / "12_ata_small.json").read_text())
    mini = small["mini"]["items"]
    pool = ItemPool(keys=np.arange(30), ranges=["R0"] * 30, kinds=["single"] * 30, abilities=(0.0,), lengths=[x["time"] for x in mini],
                    information=[[x["IIF"]] for x in mini])
    found = assemble(pool, quotas(1, (10,)), rules=(r.Length(least=475, most=485), r.Most()))
    assert found.value == pytest.approx(6.729574, abs=1e-6)
    assert found.optimal
    science = json.loads((DATA / "14_ata_science1000.json").read_text())
    problem = science_problem(science)
    with borrowed() as child:
        found_on = solve(problem, 20, child, lambda *_: None)
    assert found_on.on is not None
    assert problem.aim is not None
    assert float(problem.aim.information[found_on.on[0]].sum()) == pytest.approx(19.798275, abs=1e-6)
    assert found_on.proved


def science_problem(science: Any) -> Problem:
    """The pool of 1,000 with its 36 rules, put to the generic core directly."""
    bands, pairs, sets, musts, bars = [], [], [], [], []
    for rule in science["constraints"][1:]:  # the first is the length: the quota of the only cell
        items = np.array(rule["items"])
        if rule["type"] == "Number":
            bands.append(Band("", rule["id"], items, np.ones(len(items)), float(rule["lb"]), float(rule["ub"])))
        elif rule["type"] == "Enemy":
            pairs.append(items)
        elif rule["type"] == "AllOrNone":
            sets.append(items)
        elif rule["type"] == "Include":
            musts.append(Must("", items))
        else:
            bars.append(Bar("", items))
    return Problem(
        keys=np.arange(1000), cells=np.zeros(1000, dtype=np.int64), quotas=np.array([30]), cell_names=(("", ""),), forms=1,
        uses=np.ones(1000, dtype=np.int64), overlap=0, pairs=np.array(pairs), sets=tuple(sets), bands=tuple(bands), groups=(), musts=tuple(musts),
        bars=tuple(bars), costs=np.zeros(1000), aim=Aim(np.array(science["info"])[:, 1:2], np.ones(1), most=True), seed=0)

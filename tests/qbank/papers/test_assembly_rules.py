"""What each rule does to a paper of one hundred items, and what is said when rules get into each other's way."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import pytest

from qbank.kernel.refused import Refused
from qbank.papers.assembly import ItemPool, Unmakeable, assemble, explain
from qbank.papers.compliance import Candidate, Demands, compliance
from qbank.papers.engine import rules as r
from qbank.papers.specification import FORMS, LeafRange, Part, derive_quotas
from tests.qbank.papers.checking import broken

# Two ranges of 60 and 40 %, one hundred 1-point items: 48 + 12 and 32 + 8 of 80 choices + 20 true/false.
RANGES = [LeafRange("A", 120), LeafRange("B", 80)]
SMALL = (Part("single", 16, 10), Part("judge", 4, 10))  # 5-point items: A 10 + 2 (9.6 + 2.4), B 6 + 2 (6.4 + 1.6)
QUOTAS = derive_quotas(RANGES, FORMS["80×1+20×1"])
FEW = derive_quotas(RANGES, SMALL)


def bank(points: int = 70, per_point: int = 4, seed: int = 7, **more: Any) -> ItemPool:
    """In each range `points` points with three choices to one true/false item each; keys from 1."""
    draw = np.random.default_rng(seed)
    items: dict[str, Any] = {name: [] for name in ("ranges", "kinds", "points", "importance", "grades", "answers", "exposure")}
    for range_key in "AB":
        for point in range(points):
            for i in range(per_point):
                kind = "judge" if i % 4 == 3 else "single"
                importance = "Z" if point % 20 == 19 else "Y" if point % 20 in (4, 9, 14) else "X"
                answer = str(draw.choice(list("ABCD") if kind == "single" else ["T", "F"]))
                for name, value in zip(items, (range_key, kind, f"{point:03d}", importance, int(draw.integers(1, 6)), answer,
                                               int(draw.poisson(2))), strict=True):
                    items[name].append(value)
    return ItemPool(keys=np.arange(len(items["kinds"])) + 1, **{**items, **more})


BANK = bank()


def of(pool: ItemPool, form: tuple[int, ...], name: str) -> Counter[Any]:
    return Counter(np.asarray(getattr(pool, name))[np.array(form) - 1].tolist())


def test_a_paper_of_a_good_bank_is_what_was_asked_for_in_every_respect() -> None:
    found = assemble(BANK, QUOTAS)
    (form,) = found.forms
    assert broken(BANK, QUOTAS, r.STANDARD, found.forms) == []
    assert of(BANK, form, "grades") == {1: 10, 2: 25, 3: 40, 4: 20, 5: 5}
    assert of(BANK, form, "kinds") == {"single": 80, "judge": 20}
    assert of(BANK, form, "answers") == {"A": 20, "B": 20, "C": 20, "D": 20, "F": 10, "T": 10}
    points = Counter((BANK.ranges[key - 1], BANK.points[key - 1]) for key in form)
    assert max(points.values()) == 1
    assert all(line.kept for line in found.lines[0])


def test_essential_points_come_before_general_ones_before_auxiliary_ones() -> None:
    # Of points 0-19 sixteen are X (not 4, 9, 14, 19), of 60-69 eight: seventy points hold 3 x 16 + 8 = 56 X. Range A
    # needs 60 items of 60 points, so 4 are not X, and there are 11 Y to take before any Z.
    (form,) = assemble(BANK, QUOTAS, rules=(r.OnePerPoint(), r.Importance(shares={"X": 1.0, "Y": 0.0, "Z": 0.0}),
                                            r.Importance(shares={"X": 0.5, "Y": 0.5, "Z": 0.0}))).forms
    assert Counter(BANK.importance[key - 1] for key in form if BANK.ranges[key - 1] == "A") == {"X": 56, "Y": 4}
    assert Counter(BANK.importance[key - 1] for key in form if BANK.ranges[key - 1] == "B") == {"X": 40}


def test_points_are_repeated_evenly_and_only_as_often_as_they_must_be() -> None:
    # Forty points in range A for sixty items: twenty points are asked twice, none three times; B's forty once.
    pool = bank(points=40)
    (form,) = assemble(pool, QUOTAS).forms
    points = Counter((pool.ranges[key - 1], pool.points[key - 1]) for key in form)
    assert sorted(points.values()) == [1] * 60 + [2] * 20
    assert {range_key for (range_key, _), count in points.items() if count > 1} == {"A"}


def test_little_used_items_are_preferred() -> None:
    pool = bank()
    pool = ItemPool(**{**vars(pool), "exposure": np.arange(560) // 4 % 2 * 9})  # every other point is fresh
    found = assemble(pool, QUOTAS, rules=(r.LittleUsed(),))
    assert of(pool, found.forms[0], "exposure") == {0: 100}
    assert found.value == 0.0
    assert found.optimal


def test_similar_items_never_meet_on_one_paper() -> None:
    pool = bank(doubles=[f"g{key % 150}" for key in range(560)])
    (form,) = assemble(pool, QUOTAS).forms
    assert max(of(pool, form, "doubles").values()) == 1


@pytest.mark.parametrize("count", [2, 3, 5])
def test_parallel_forms_share_nothing_and_are_equally_hard(count: int) -> None:
    pool = bank(points=110, per_point=8)
    found = assemble(pool, QUOTAS, forms=count)
    assert found.shared == 0
    assert broken(pool, QUOTAS, (r.Overlap(),), found.forms) == []
    for form in found.forms:
        assert of(pool, form, "grades") == {1: 10, 2: 25, 3: 40, 4: 20, 5: 5}


def test_forms_share_only_what_a_small_bank_makes_them_share() -> None:
    # Six points of 4 items: A holds 18 choices and 6 true/false. FEW asks A for 10 + 2, so two forms need 20 choices
    # where there are 18: they share 2, and nothing of B (12 of 18, 4 of 6).
    pool = bank(points=6)
    assert assemble(pool, FEW, forms=2).shared == 2
    assert assemble(pool, FEW, forms=2, rules=(r.Overlap(most=2),)).shared == 2
    with pytest.raises(Unmakeable) as refused:
        assemble(pool, FEW, forms=2, rules=(r.Overlap(most=1),))
    assert refused.value.details


def test_a_bank_too_small_for_disjoint_forms_is_told_by_how_much() -> None:
    with pytest.raises(Unmakeable) as refused:
        assemble(bank(points=6), FEW, forms=2, rules=(r.Overlap(),))
    assert refused.value.details == ("范围 A 单选题缺 2 题：2 套共需 20 题，可用 18 题；补写 2 题，或减少套数或允许各套共用题目",)


def test_two_pinned_enemies_are_named() -> None:
    why = explain(bank(apart=((1, 2),)), QUOTAS, rules=(r.Pinned(keys=frozenset({1, 2})),))
    assert why is not None
    assert len(why.causes) == 1
    assert why.causes[0].rule in {"必选题", "互斥相近"}


def test_more_pins_than_a_quota_has_places_for_are_named_one_by_one() -> None:
    judges = [int(key) for key in BANK.keys if BANK.ranges[key - 1] == "B" and BANK.kinds[key - 1] == "judge"]
    why = explain(BANK, QUOTAS, rules=(r.Pinned(keys=frozenset(judges[:10])),))  # B has 8 places for true/false items
    assert why is not None
    assert [cause.rule for cause in why.causes] == ["必选题", "必选题"]


def test_a_set_that_lacks_an_item_is_not_used() -> None:
    members = frozenset({1, 2, 3, 4})
    found = assemble(bank(together=(members,)), QUOTAS, rules=(r.Barred(keys=frozenset({3})),))
    assert not members & set(found.forms[0])


@pytest.mark.parametrize("rule", [r.Grades(shares={1: 0.5, 2: 0.4}), r.Grades(shares={}), r.Overlap(most=-1), r.Length(most=5, least=9)])
def test_rules_that_make_no_sense_are_refused(rule: r.Rule) -> None:
    with pytest.raises(Refused) as refused:
        assemble(BANK, QUOTAS, rules=(rule,))
    assert refused.value.code == "bad_demands"


def test_an_item_in_two_sets_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="two sets"):
        bank(together=(frozenset({1, 2}), frozenset({2, 3})))


def test_the_compliance_sheet_counts_what_is_there() -> None:
    # Two choices of one point (2 + 2 half-points) and a true/false item: A 4 of 120, B 2 of 80; grades (1 + 2 + 3) / 3.
    chosen = [Candidate(1, "A", "p", "X", "single", 1, "A", 3), Candidate(2, "A", "p", "Y", "single", 2, "B", 0),
              Candidate(3, "B", "q", "X", "judge", 3, "T", 1)]
    sheet = compliance(chosen, QUOTAS, Demands())
    assert sheet.ranges == {"A": (120, 4, -116), "B": (80, 2, -78)}
    assert sheet.kinds == {"single": (80, 2), "judge": (20, 1)}
    assert sheet.importance == {"X": 2, "Y": 1, "Z": 0}
    assert sheet.mean_difficulty == pytest.approx(2.0)
    assert sheet.keys == {"single": {"A": 1, "B": 1}, "judge": {"T": 1}}
    assert sheet.repeated == {("A", "p"): 2}
    assert sheet.max_exposure == 3

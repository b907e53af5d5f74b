"""How items are chosen for papers, and what is said when they cannot be."""

from collections import Counter
from dataclasses import replace
from itertools import combinations, pairwise
from math import isnan
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qbank.kernel.refused import Refused
from qbank.papers.assembly_before import assemble
from qbank.papers.compliance import Candidate, Demands, compliance, holdings, shortages
from qbank.papers.specification import FORMS, LeafRange, Part, derive_quotas

# Two ranges of 60 and 40 %, one hundred 1-point items: 48 + 12 and 32 + 8 of 80 choices + 20 true/false.
RANGES = [LeafRange("A", 120), LeafRange("B", 80)]
SMALL = (Part("single", 16, 10), Part("judge", 4, 10))  # 5-point items: A 10 + 2 (9.6 + 2.4), B 6 + 2 (6.4 + 1.6)
QUOTAS = derive_quotas(RANGES, FORMS["80×1+20×1"])
FEW = derive_quotas(RANGES, SMALL)


def bank(points: int = 70, per_point: int = 4, seed: int = 7) -> Any:
    """A plausible bank: in each range `points` points with three choices to one true/false item each."""
    draw = np.random.default_rng(seed)
    items: list[Candidate] = []
    for range_key in "AB":
        for point in range(points):
            importance = "Z" if point % 20 == 19 else "Y" if point % 20 in (4, 9, 14) else "X"
            for i in range(per_point):
                kind = "judge" if i % 4 == 3 else "single"
                answer = str(draw.choice(list("ABCD") if kind == "single" else ["T", "F"]))
                difficulty, exposure = int(draw.integers(1, 6)), int(draw.poisson(2))
                key, point_key = len(items) + 1, f"{range_key}-{point:03d}"
                items.append(Candidate(key, range_key, point_key, importance, kind, difficulty, answer, exposure))
    return items


BANK = bank()


def forms_of(assembly: Any, items: Any) -> Any:
    by_key = {item.key: item for item in items}
    return [[by_key[key] for key in form] for form in assembly.forms]


def cells(form: Any) -> Any:
    return Counter((item.range_key, item.kind) for item in form)


def cells_asked(quotas: Any) -> Any:
    return {(r, quotas.parts[p].kind): count for (r, p), count in quotas.counts.items() if count}


def test_a_paper_from_a_good_bank_is_what_was_asked_for_in_every_respect() -> None:
    form = forms_of(assemble(BANK, QUOTAS, Demands()), BANK)[0]
    report = compliance(form, QUOTAS, Demands())
    assert cells(form) == cells_asked(QUOTAS)
    assert report.ranges == {"A": (120, 120, 0), "B": (80, 80, 0)}
    assert report.kinds == {"single": (80, 80), "judge": (20, 20)}
    assert report.difficulty == {1: (10, 10), 2: (25, 25), 3: (40, 40), 4: (20, 20), 5: (5, 5)}
    assert report.mean_difficulty == pytest.approx(2.85)  # (10 + 50 + 120 + 80 + 25) / 100
    assert report.keys == {"single": dict.fromkeys("ABCD", 20), "judge": {"F": 10, "T": 10}}
    assert report.repeated == {}


def test_items_come_in_the_order_they_are_printed_parts_first_then_ranges() -> None:
    form = forms_of(assemble(BANK, QUOTAS, Demands()), BANK)[0]
    places = [(["single", "judge"].index(item.kind), item.range_key, item.key) for item in form]
    assert places == sorted(places)


def test_essential_points_come_before_general_ones_before_auxiliary_ones() -> None:
    # Of points 0-19 sixteen are X (not 4, 9, 14, 19), of 60-69 eight: seventy points hold 3 x 16 + 8 = 56 X. Range A
    # needs 60 items of 60 points, so 4 are not X, and there are 11 Y to take before any Z.
    items = bank(points=70)
    form = forms_of(assemble(items, QUOTAS, Demands(difficulty_cost=0, key_cost=0, exposure_cost=0)), items)[0]
    assert Counter(item.importance for item in form if item.range_key == "A") == {"X": 56, "Y": 4}
    assert Counter(item.importance for item in form if item.range_key == "B") == {"X": 40}


def test_points_are_repeated_evenly_and_only_as_often_as_they_must_be() -> None:
    # Forty points in range A for sixty items: twenty points are asked twice, none three times; B's forty once.
    items = bank(points=40)
    report = compliance(forms_of(assemble(items, QUOTAS, Demands()), items)[0], QUOTAS, Demands())
    assert sorted(report.repeated.values()) == [2] * 20
    assert {range_key for range_key, _ in report.repeated} == {"A"}


def test_little_used_items_are_preferred() -> None:
    twins = [replace(item, key=item.key + 10_000, exposure=9) for item in BANK]
    items = [*twins, *(replace(item, exposure=0) for item in BANK)]
    report = compliance(forms_of(assemble(items, QUOTAS, Demands()), items)[0], QUOTAS, Demands())
    assert report.max_exposure == 0


def test_enemies_and_similar_items_never_meet_on_one_paper() -> None:
    items = [replace(item, group=f"g{item.key % 150}") for item in BANK]
    form = forms_of(assemble(items, QUOTAS, Demands()), items)[0]
    assert len({item.group for item in form}) == len(form)


def test_pinned_items_are_in_and_barred_items_are_out() -> None:
    first = assemble(BANK, QUOTAS, Demands())
    barred = frozenset(first.forms[0][:30])
    pinned = frozenset(sorted({item.key for item in BANK if item.exposure > 4} - barred)[:5])
    form = set(assemble(BANK, QUOTAS, Demands(pinned=pinned, barred=barred)).forms[0])
    assert pinned <= form
    assert not barred & form


def test_the_same_seed_gives_the_same_paper_whatever_the_order_of_the_bank_and_another_seed_another() -> None:
    one = assemble(BANK, QUOTAS, Demands(seed=1))
    assert assemble(BANK[::-1], QUOTAS, Demands(seed=1)) == one
    assert assemble(BANK, QUOTAS, Demands(seed=2)).forms != one.forms


@pytest.mark.parametrize("count", [2, 3, 5])
def test_parallel_forms_share_nothing_and_are_equally_hard(count: Any) -> None:
    items = bank(points=110, per_point=8)
    demands = Demands(forms=count)
    assembly = assemble(items, QUOTAS, demands)
    forms = forms_of(assembly, items)
    assert len(forms) == count
    assert assembly.shared == 0
    assert len({key for form in assembly.forms for key in form}) == 100 * count
    reports = [compliance(form, QUOTAS, demands) for form in forms]
    means = [report.mean_difficulty for report in reports]
    assert max(means) - min(means) <= 0.0101  # one grade in one hundred items
    assert all(cells(form) == cells_asked(QUOTAS) and not r.repeated for form, r in zip(forms, reports, strict=True))


def test_forms_share_only_what_a_small_bank_makes_them_share() -> None:
    # Six points of 4 items: A holds 18 choices and 6 true/false. FEW asks A for 10 + 2, so two forms need 20 choices
    # where there are 18: they share 2, and nothing of B (12 of 18, 4 of 6).
    items = bank(points=6)
    assembly = assemble(items, FEW, Demands(forms=2))
    assert assembly.shared == 2
    assert assemble(items, FEW, Demands(forms=2, overlap=2)).shared == 2


def test_a_bank_too_small_for_disjoint_forms_is_told_by_how_much() -> None:
    items = bank(points=6)
    with pytest.raises(Refused) as refused:
        assemble(items, FEW, Demands(forms=2, overlap=0))
    assert refused.value.code == "bank_too_small"
    line = "鉴定范围 A 的单选题需要 20 道，题库只有 18 道，缺 2 道"
    assert refused.value.details == (line,)
    assert line in refused.value.sentence


def test_holdings_count_the_items_that_are_not_barred() -> None:
    # Six points, three choices and one true/false item each; item 4 is the true/false item of A's first point.
    held = holdings(bank(points=6), Demands(barred=frozenset({4})))
    assert held == {("A", "single"): 18, ("A", "judge"): 5, ("B", "single"): 18, ("B", "judge"): 6}


def test_every_shortage_is_listed_with_need_holding_and_missing() -> None:
    # QUOTAS asks A for 48 + 12 and B for 32 + 8. Three choices of B and nothing else are left of B.
    of_b = [item.key for item in BANK if item.range_key == "B" and item.kind == "single"]
    barred = frozenset(item.key for item in BANK if item.range_key == "B") - frozenset(of_b[:3])
    demands = Demands(barred=barred)
    short = shortages(BANK, QUOTAS, demands)
    assert [(s.range_key, s.kind, s.need, s.have, s.missing) for s in short] == [
        ("B", "single", 32, 3, 29),
        ("B", "judge", 8, 0, 8),
    ]
    with pytest.raises(Refused) as refused:
        assemble(BANK, QUOTAS, demands)
    assert refused.value.details == (
        "鉴定范围 B 的单选题需要 32 道，题库只有 3 道，缺 29 道",
        "鉴定范围 B 的判断题需要 8 道，题库只有 0 道，缺 8 道",
    )


def test_forms_that_may_share_need_fewer_items() -> None:
    # Three forms of 48, any two sharing at most 10: at least 3 x 48 - 3 x 10 = 114 distinct choices of A (held: 210
    # of 70 points, barred down to 113).
    singles = [item.key for item in BANK if item.range_key == "A" and item.kind == "single"]
    demands = Demands(forms=3, overlap=10, barred=frozenset(singles[113:]))
    assert [(s.need, s.have) for s in shortages(BANK, QUOTAS, demands)] == [(114, 113)]


@pytest.mark.parametrize(
    ("demands", "words"),
    [
        ({"pinned": frozenset({99_999})}, "99999"),
        ({"pinned": frozenset(i.key for i in BANK if (i.range_key, i.kind) == ("B", "judge"))}, "只出 8 道"),
    ],
)
def test_pins_that_cannot_be_used_are_refused_with_the_reason(demands: Any, words: str) -> None:
    with pytest.raises(Refused) as refused:
        assemble(BANK, QUOTAS, Demands(**demands))
    assert refused.value.code == "pinned_unusable"
    assert words in refused.value.sentence


def test_two_pinned_enemies_are_refused_with_their_group() -> None:
    items = [replace(item, group="同图") if item.key in (1, 9) else item for item in BANK]
    with pytest.raises(Refused) as refused:
        assemble(items, QUOTAS, Demands(pinned=frozenset({1, 9})))
    assert "同图" in refused.value.sentence


def test_groups_that_block_every_paper_are_named_as_what_to_relax() -> None:
    items = [replace(item, group="同图") if item.kind == "judge" else item for item in BANK]
    with pytest.raises(Refused) as refused:
        assemble(items, QUOTAS, Demands())
    assert refused.value.code == "demands_conflict"
    assert "取消相似题、互斥题限制后可以组卷" in refused.value.sentence


def test_pins_that_break_the_overlap_limit_are_answered_with_both_ways_out() -> None:
    items = bank(points=110)
    with pytest.raises(Refused) as refused:
        assemble(items, QUOTAS, Demands(forms=2, overlap=1, pinned=frozenset({1, 2})))
    assert refused.value.details == ("去掉必选题后可以组卷", "放宽各套卷共用题数到 2 道后可以组卷")


def test_a_search_cut_off_before_any_paper_is_found_says_so() -> None:
    with pytest.raises(Refused) as refused:
        assemble(bank(points=400), QUOTAS, Demands(time_limit=0.0))
    assert refused.value.code == "assembly_timeout"


@pytest.mark.parametrize(
    "wrong",
    [
        {"forms": 0},
        {"overlap": -1},
        {"difficulty": {1: 0.5, 2: 0.4}},
        {"difficulty": {}},
        {"pinned": frozenset({1}), "barred": frozenset({1})},
    ],
)
def test_demands_that_make_no_sense_are_refused(wrong: Any) -> None:
    with pytest.raises(Refused) as refused:
        Demands(**wrong)
    assert refused.value.code == "bad_demands"


def test_a_key_that_occurs_twice_is_an_error_of_the_caller() -> None:
    with pytest.raises(ValueError, match="unique"):
        assemble([*BANK, BANK[0]], QUOTAS, Demands())


def test_the_compliance_sheet_counts_what_is_there() -> None:
    chosen = [
        Candidate(1, "A", "A-1", "X", "single", 2, "B", 4),
        Candidate(2, "A", "A-1", "Y", "single", 3, "B", 0),
        Candidate(3, "B", "B-1", "X", "judge", 5, "T", 7),
    ]
    report = compliance(chosen, FEW, Demands())
    assert report.ranges == {"A": (120, 20, -100), "B": (80, 10, -70)}  # 5-point items: ten half-points each
    assert report.kinds == {"single": (16, 2), "judge": (4, 1)}
    assert report.importance == {"X": 2, "Y": 1, "Z": 0}
    assert report.importance_shares == pytest.approx({"X": 2 / 3, "Y": 1 / 3, "Z": 0})
    assert report.difficulty == {1: (2, 0), 2: (5, 1), 3: (8, 1), 4: (4, 0), 5: (1, 1)}
    assert report.mean_difficulty == pytest.approx(10 / 3)
    assert report.keys == {"single": {"B": 2}, "judge": {"T": 1}}
    assert report.repeated == {("A", "A-1"): 2}
    assert report.max_exposure == 7


def test_the_mean_difficulty_of_an_empty_form_is_not_a_number() -> None:
    report = compliance([], FEW, Demands())
    assert isnan(report.mean_difficulty)
    assert isnan(report.importance_shares["X"])


@given(
    cuts=st.lists(st.integers(0, 20), max_size=4),
    points=st.integers(2, 12),
    forms=st.integers(1, 3),
    overlap=st.sampled_from([None, 0, 4]),
    seed=st.integers(0, 1000),
)
@settings(max_examples=40, deadline=None)
def test_whatever_the_bank_the_answer_is_papers_that_keep_the_hard_rules_or_a_reasoned_refusal(
        cuts: Any, points: Any, forms: Any, overlap: Any, seed: Any) -> None:
    draw = np.random.default_rng(seed)
    edges = [0, *sorted(cuts), 20]
    ranges = [LeafRange(f"R{i}", 10 * (b - a)) for i, (a, b) in enumerate(pairwise(edges))]
    quotas = derive_quotas(ranges, SMALL)
    items: list[Candidate] = []
    for leaf in ranges:
        for i in range(points * 5):
            kind = "judge" if i % 3 == 0 else "single"
            group = f"g{draw.integers(20)}" if draw.random() < 0.1 else None
            grade, answer = int(draw.integers(1, 6)), "ABCD"[int(draw.integers(4))]
            items.append(Candidate(len(items), leaf.key, f"P{i % points}", "X", kind, grade, answer, 0, group))
    demands = Demands(forms=forms, overlap=overlap, seed=seed, time_limit=5.0)
    short = shortages(items, quotas, demands)
    if short:
        with pytest.raises(Refused) as refused:
            assemble(items, quotas, demands)
        assert len(refused.value.details) == len(short)
        return
    try:
        assembly = assemble(items, quotas, demands)
    except Refused as refused:
        if refused.code != "demands_conflict":
            raise
        return
    for form in forms_of(assembly, items):
        assert cells(form) == cells_asked(quotas)
        groups = [item.group for item in form if item.group is not None]
        assert len(groups) == len(set(groups))
    for one, other in combinations(assembly.forms, 2):
        assert len(set(one) & set(other)) <= (20 if overlap is None else overlap)


def met(form: Any, apart: Any) -> list[Any]:
    """The pairs of ``apart`` of which both are on the form: counted without the program that avoids them."""
    keys = {item.key for item in form}
    return [pair for pair in apart if set(pair) <= keys]


def broken(form: Any, together: Any) -> list[Any]:
    keys = {item.key for item in form}
    return [members for members in together if 0 < len(members & keys) < len(members)]


@pytest.mark.parametrize("forms", [1, 2, 3])
def test_enemies_never_meet_and_sets_stay_whole(forms: int) -> None:
    # Every item of the first ten points of A is an enemy of every item of the same number in B (not transitive among
    # themselves); sets of three and of two cross points, kinds and ranges.
    draw = np.random.default_rng(3)
    items = bank(points=60)
    apart = tuple((key, key + 240) for key in range(1, 41)) + tuple(
        (int(a), int(b)) for a, b in draw.choice(480, size=(60, 2), replace=False) + 1)
    together = (*(frozenset({key, key + 5, key + 250}) for key in range(61, 66)), frozenset({101, 102}), frozenset({204, 460}))
    apart = tuple(pair for pair in apart if not any(set(pair) <= members for members in together))
    demands = Demands(forms=forms, apart=apart, together=together, pinned=frozenset({61}))
    assembly = assemble(items, QUOTAS, demands)
    for form in forms_of(assembly, items):
        assert cells(form) == cells_asked(QUOTAS)
        assert met(form, apart) == []
        assert broken(form, together) == []
        assert {61, 66, 311} <= {item.key for item in form}  # the pinned item brings its set
        assert compliance(form, QUOTAS, demands).kinds == {"single": (80, 80), "judge": (20, 20)}


def test_the_items_of_a_set_stand_together_within_a_part() -> None:
    items = bank(points=60)
    members = frozenset({1, 9, 2})  # choices of points 000, 002, 000 of range A
    keys = list(assemble(items, QUOTAS, Demands(together=(members,), pinned=members)).forms[0])
    places = sorted(keys.index(key) for key in members)
    assert places == list(range(places[0], places[0] + 3))


def test_a_set_that_lacks_an_item_is_not_used() -> None:
    items = bank(points=60)
    members = frozenset({1, 2, 3, 4})
    keys = set(assemble(items, QUOTAS, Demands(together=(members,), barred=frozenset({3}))).forms[0])
    assert not keys & members


def test_pinned_enemies_are_refused_by_name() -> None:
    with pytest.raises(Refused) as refused:
        assemble(BANK, QUOTAS, Demands(apart=((1, 2),), pinned=frozenset({1, 2})))
    assert refused.value.code == "pinned_unusable"
    assert "题目 1 与题目 2 互相提示或内容相近" in refused.value.details[0]


def test_a_bank_of_enemies_says_that_the_pairs_stand_in_the_way() -> None:
    # Exactly as many choices of A as asked (10), and two of them are enemies.
    items = [Candidate(k + 1, "A" if k < 12 else "B", str(k), "X", "single" if k % 12 < 10 and k < 18 else "judge", 3, "A", 0)
             for k in range(20)]
    with pytest.raises(Refused) as refused:
        assemble(items, FEW, Demands(apart=((1, 2),)))
    assert refused.value.code == "demands_conflict"
    assert refused.value.details == ("取消相似题、互斥题限制后可以组卷",)


def test_an_item_in_two_sets_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="two sets"):
        Demands(together=(frozenset({1, 2}), frozenset({2, 3})))

"""How a weight table becomes whole numbers of items."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qbank.kernel.refused import Refused
from qbank.papers.specification import FORMS, LeafRange, Part, check_parts, derive_quotas, largest_remainder

# 中式烹调师 (domain facts 5b): third-level weights in per cent, grouped by second level; they sum to 100.
COOK = {
    "A-A": (3, 2),
    "A-B": (2, 3, 1, 1, 1),
    "A-C": (1, 5, 3),
    "A-D": (3, 2, 1, 1, 3),
    "A-E": (1, 1, 1, 1),
    "B-A": (8, 6, 12),
    "B-B": (4, 7),
    "B-C": (8, 4, 7),
    "B-D": (6, 2),
}
COOK_RANGES = [LeafRange(f"{k}-{'ABCDE'[i]}", 2 * w) for k, weights in COOK.items() for i, w in enumerate(weights)]
FREE_FORM = (Part("single", 140, 1), Part("multiple", 10, 2), Part("judge", 40, 1))  # Shanghai 三级: 70+10+20


def column_sums(quotas: Any) -> Any:
    return [sum(quotas.counts[leaf.key, p] for leaf in quotas.ranges) for p in range(len(quotas.parts))]


@st.composite
def weight_tables(draw: Any) -> Any:
    cuts = sorted(draw(st.lists(st.integers(0, 200), min_size=0, max_size=25)))
    edges = [0, *cuts, 200]
    return [LeafRange(f"R{i}", b - a) for i, (a, b) in enumerate(pairwise(edges))]


def test_largest_remainder_gives_leftover_seats_to_the_largest_remainders() -> None:
    # Votes 47 000, 16 000, 15 800, 12 000, 6 100, 3 100 for 10 seats, by hand: 100 000 / 10 is a quota of
    # 10 000 -> whole seats 4 1 1 1 0 0, remainders .7 .6 .58 .2 .61 .31, so the three seats left go to the first,
    # the fifth and the second: 5 2 1 1 1 0.
    assert largest_remainder([47000, 16000, 15800, 12000, 6100, 3100], 10) == (5, 2, 1, 1, 1, 0)


def test_largest_remainder_breaks_ties_in_favour_of_the_earlier_weight() -> None:
    # Three equal shares of 2/3 and two steps: the first two get them.
    assert largest_remainder([1, 1, 1], 4, step=2) == (2, 2, 0)


@given(st.lists(st.integers(0, 50), min_size=1).filter(any), st.integers(0, 100), st.integers(1, 4))
def test_largest_remainder_gives_each_its_share_rounded_down_or_up(weights: Any, steps: Any, step: Any) -> None:
    given_out = largest_remainder(weights, steps * step, step=step)
    assert sum(given_out) == steps * step
    for weight, share in zip(weights, given_out, strict=True):
        assert share % step == 0
        assert abs(share * sum(weights) - weight * steps * step) < step * sum(weights)


@pytest.mark.parametrize(("weights", "total", "step"), [([1, 1], 5, 2), ([0, 0], 4, 1), ([3, -1], 4, 1), ([1], 4, 0)])
def test_largest_remainder_rejects_what_cannot_be_shared_out(weights: Any, total: Any, step: Any) -> None:
    with pytest.raises(ValueError, match="multiple of step"):
        largest_remainder(weights, total, step=step)


def test_every_preset_form_has_one_hundred_points() -> None:
    for parts in FORMS.values():
        check_parts(parts)


@pytest.mark.parametrize(
    ("parts", "words"),
    [
        ((Part("single", 80, 2), Part("judge", 30, 1)), "95 分"),  # 160 + 30 = 190 half-points
        ((Part("single", 100, 2), Part("judge", 0, 2)), "判断题"),
        ((Part("single", 50, 2), Part("single", 100, 1)), "同一题型"),
    ],
)
def test_a_paper_that_is_not_one_hundred_points_is_refused(parts: Sequence[Part], words: str) -> None:
    with pytest.raises(Refused) as refused:
        check_parts(parts)
    assert refused.value.code == "bad_parts"
    assert words in refused.value.sentence


def test_the_published_nutritionist_table_that_adds_up_to_110_is_refused_by_its_sum() -> None:
    # 三级营养师 (domain facts 1.8): 5+40+10+10+15+5+10+10+5 = 110 per cent = 220 half-per-cent.
    table = [LeafRange(f"R{i}", 2 * w) for i, w in enumerate((5, 40, 10, 10, 15, 5, 10, 10, 5))]
    with pytest.raises(Refused) as refused:
        derive_quotas(table, FORMS["80×1+20×1"])
    assert refused.value.code == "bad_weights"
    assert "110" in refused.value.sentence
    assert len(refused.value.details) == 9


@pytest.mark.parametrize(
    ("table", "words"),
    [([("A", 100), ("A", 100)], "重复"), ([("A", 210), ("B", -10)], "小于 0"), ([], "合计为 0")],
)
def test_a_muddled_weight_table_is_refused(table: Any, words: str) -> None:
    with pytest.raises(Refused) as refused:
        derive_quotas([LeafRange(*row) for row in table], FORMS["80×1+20×1"])
    assert words in refused.value.sentence


WITHOUT_WRITING = [parts for parts in FORMS.values() if {part.kind for part in parts} <= {"single", "multiple", "judge"}]


@pytest.mark.parametrize("parts", [*WITHOUT_WRITING, FREE_FORM])
def test_the_cook_table_is_met_exactly_by_every_common_form(parts: Sequence[Part]) -> None:
    quotas = derive_quotas(COOK_RANGES, parts)
    assert quotas.exact
    assert quotas.actual == {leaf.key: leaf.weight for leaf in COOK_RANGES}
    assert column_sums(quotas) == [part.count for part in parts]


def test_a_range_of_one_per_cent_gets_two_half_point_items_and_one_one_point_item() -> None:
    # One per cent is 2 half-points: two items at 0.5, one item at 1 point.
    halves = derive_quotas(COOK_RANGES, FORMS["160×0.5+40×0.5"])
    ones = derive_quotas(COOK_RANGES, FORMS["80×1+20×1"])
    assert sum(halves.counts["A-E-A", p] for p in (0, 1)) == 2
    assert sum(ones.counts["A-E-A", p] for p in (0, 1)) == 1


def test_kinds_are_spread_over_the_ranges_in_proportion() -> None:
    # B-A-C has 12 %: 12/100 of 160 choices is 19.2 and of 40 true/false 4.8, so 19 and 5.
    quotas = derive_quotas(COOK_RANGES, FORMS["160×0.5+40×0.5"])
    assert (quotas.counts["B-A-C", 0], quotas.counts["B-A-C", 1]) == (19, 5)
    for leaf in COOK_RANGES:
        assert quotas.counts[leaf.key, 0] >= quotas.counts[leaf.key, 1]


def test_weights_off_the_grid_are_missed_by_as_little_as_possible_and_the_deviation_is_told() -> None:
    # 1-point items, weights 1.5 % and 98.5 %: 3 and 197 half-points cannot be even; 4 and 196 (the tie goes to the
    # earlier range) miss by 1 each, and no even pair misses by less.
    quotas = derive_quotas([LeafRange("A", 3), LeafRange("B", 197)], FORMS["80×1+20×1"])
    assert quotas.deviations == {"A": 1, "B": -1}
    assert not quotas.exact


def test_a_grid_that_looks_fine_but_lacks_small_items_is_missed_by_the_least_possible() -> None:
    # Twenty 0.5-point and ninety 1-point items, forty ranges of 2.5 % (5 half-points): an odd sum needs at least
    # one 0.5-point item, so only twenty ranges can be exact; the other twenty miss by one half-point.
    ranges = [LeafRange(f"R{i}", 5) for i in range(40)]
    quotas = derive_quotas(ranges, (Part("single", 20, 1), Part("judge", 90, 2)))
    assert sum(abs(d) for d in quotas.deviations.values()) == 20
    assert column_sums(quotas) == [20, 90]


def test_a_lopsided_table_is_still_met_exactly() -> None:
    # A hundred leaves of 0.5 % can only hold one 0.5-point item each, so all fifty 1-point items are in the last.
    ranges = [*(LeafRange(f"R{i}", 1) for i in range(100)), LeafRange("Z", 100)]
    quotas = derive_quotas(ranges, (Part("single", 100, 1), Part("judge", 50, 2)))
    assert quotas.exact
    assert quotas.counts["Z", 1] == 50


def test_essays_too_large_for_any_range_are_missed_by_the_least_possible() -> None:
    # Three essays of 10 points; of the cook's ranges only B-A-C (12 %) holds 10 points. The first essay fits there, the two
    # others stand in ranges of 8 %, 2 points over each, and as many points are missing elsewhere: 8 points, 16 half-points.
    quotas = derive_quotas(COOK_RANGES, FORMS["一级"])
    assert sum(abs(off) for off in quotas.deviations.values()) == 16
    assert column_sums(quotas) == [part.count for part in FORMS["一级"]]


def test_six_kinds_with_different_points_meet_a_table_of_three_levels_on_the_half_point_grid() -> None:
    # Six ranges below three below two; 25 %, 15 %, … can hold every kind, the 0.5-point kinds make up the odd halves.
    ranges = [LeafRange(key, weight) for key, weight in
              {"A-A-A": 25, "A-A-B": 15, "A-B-A": 31, "B-A-A": 49, "B-A-B": 50, "B-B-A": 30}.items()]
    quotas = derive_quotas(ranges, FORMS["二级"])
    assert quotas.exact
    assert column_sums(quotas) == [80, 20, 10, 10, 4, 1]


def test_where_leaves_cannot_be_exact_the_ranges_above_them_are() -> None:
    # 1-point items, sixteen leaves of 1.5 % in two ranges of 12 %, one of 76 %: each leaf gets 1 or 2 points, 0.5 off
    # either way. Largest remainders alone would round up the earlier eight; then A-A had 16 points and A-B 8.
    ranges = [*(LeafRange(f"A-{'AB'[i // 8]}-{i}", 3) for i in range(16)), LeafRange("B-A-A", 152)]
    quotas = derive_quotas(ranges, FORMS["80×1+20×1"])
    assert sum(abs(off) for off in quotas.deviations.values()) == 16
    for middle in ("A-A", "A-B"):
        assert sum(points for key, points in quotas.actual.items() if key.startswith(middle)) == 24


@given(weight_tables(), st.sampled_from(["160×0.5+40×0.5", "120×0.5+80×0.5"]))
@settings(max_examples=40, deadline=None)
def test_half_point_forms_meet_any_table_exactly_within_one_item_of_the_share(table: Any, form: Any) -> None:
    quotas = derive_quotas(table, FORMS[form])
    assert quotas.exact
    assert column_sums(quotas) == [part.count for part in quotas.parts]
    for leaf in table:  # controlled rounding: every count is its share rounded down or up
        for p, part in enumerate(quotas.parts):
            assert abs(quotas.counts[leaf.key, p] - leaf.weight * part.count / 200) < 1


@given(weight_tables(), st.integers(0, 99))
@settings(max_examples=30, deadline=None)
def test_a_mixed_form_is_exact_whenever_the_one_point_items_fit(table: Any, ones: Any) -> None:
    # With b 1-point items and 200 - 2b 0.5-point items, a table is exact iff b <= sum of floor(weight / 2).
    parts = (Part("single", 200 - 2 * ones, 1), *((Part("judge", ones, 2),) if ones else ()))
    if ones <= sum(leaf.weight // 2 for leaf in table):
        quotas = derive_quotas(table, parts)
        assert quotas.exact
        assert column_sums(quotas) == [part.count for part in parts]


@given(weight_tables())
@settings(max_examples=30, deadline=None)
def test_one_point_forms_deviate_by_no_more_than_largest_remainders_do(table: Any) -> None:
    quotas = derive_quotas(table, FORMS["80×1+20×1"])
    near = largest_remainder([leaf.weight for leaf in table], 200, step=2)
    assert list(quotas.actual.values()) == list(near)
    assert column_sums(quotas) == [80, 20]


def test_the_quotas_keep_to_what_the_bank_holds_when_the_weights_allow_it() -> None:
    # Unbounded, 50 % of 80×1+20×1 is 40 + 10; A holds only 4 true/false items, so the rest is asked from B.
    table = [LeafRange("A", 100), LeafRange("B", 100)]
    bank = {("A", "single"): 60, ("A", "judge"): 4, ("B", "single"): 60, ("B", "judge"): 60}
    quotas = derive_quotas(table, FORMS["80×1+20×1"], bank)
    assert quotas.counts == {("A", 0): 46, ("A", 1): 4, ("B", 0): 34, ("B", 1): 16}
    assert quotas.exact
    assert quotas.within_bank


def test_a_bank_that_cannot_carry_the_weights_is_ignored_rather_than_bending_them() -> None:
    table = [LeafRange("A", 100), LeafRange("B", 100)]
    quotas = derive_quotas(table, FORMS["80×1+20×1"], {("A", "single"): 500, ("A", "judge"): 500})
    assert quotas.counts == derive_quotas(table, FORMS["80×1+20×1"]).counts
    assert not quotas.within_bank


def test_the_same_table_always_gives_the_same_quotas() -> None:
    assert derive_quotas(COOK_RANGES, FREE_FORM) == derive_quotas(COOK_RANGES, FREE_FORM)

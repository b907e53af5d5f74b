"""Figures of markers against published numbers, joining by hand arithmetic, distribution by what must hold."""

from __future__ import annotations

import math
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from examroom.marking import joining
from examroom.marking.agreement import drifts, figures, icc_agreement, pairs, weighted_kappa
from examroom.marking.distribution import Waiting, deal, queue_key

# Shrout and Fleiss (1979), Psychological Bulletin 86, table 2: six targets, four judges. Their table 4: ICC(2,1) = .29.
SHROUT_FLEISS = [[9, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8], [7, 1, 2, 6], [10, 5, 6, 9], [6, 2, 4, 7]]
# Cohen (1968), Psychological Bulletin 70, table 1: two judges, three diagnoses, weights of disagreement 1, 3 and 6.
COHEN = [[0.44, 0.07, 0.09], [0.05, 0.20, 0.05], [0.01, 0.03, 0.06]]
COHEN_WEIGHTS = [[0, 1, 3], [1, 0, 6], [3, 6, 0]]


def test_the_intraclass_correlation_is_that_of_shrout_and_fleiss() -> None:
    assert round(icc_agreement(SHROUT_FLEISS), 2) == 0.29


def test_weighted_kappa_is_cohens() -> None:
    assert round(weighted_kappa([], [], COHEN_WEIGHTS, counts=COHEN), 3) == 0.348
    assert round(weighted_kappa([], [], 1 - np.eye(3), counts=COHEN), 3) == 0.492  # his unweighted kappa of the same table


def test_agreement_of_one_script_or_of_equal_marks_is_undefined() -> None:
    assert math.isnan(icc_agreement([[3, 4]]))
    assert math.isnan(icc_agreement([[3, 3], [3, 3]]))
    assert math.isnan(weighted_kappa([], []))
    assert math.isnan(weighted_kappa([2, 2], [2, 2]))


def test_wu_is_half_a_point_stricter_than_zheng() -> None:
    marks = {1: {10: 8, 11: 10, 12: 4}, 2: {10: 9, 11: 11, 12: 5, 13: 6}}  # half-points
    wu, zheng = figures(marks, {1: [(7, 8), (12, 10)]})
    assert (wu.n, wu.severity, wu.compared, wu.exact) == (3, -1.0, 3, 0.0)
    assert (zheng.n, zheng.severity) == (4, 1.0)
    assert (wu.seeds, wu.seed_error, wu.seed_bias) == (2, 1.5, 0.5)  # |-1| and |+2|; -1 and +2
    assert (round(wu.mean, 3), round(wu.sd, 3)) == (7.333, 3.055)  # of 8, 10, 4: variance (4/9 + 64/9 + 100/9) / 2 = 9.333
    (pair,) = pairs(marks)
    assert (pair.n, pair.exact, pair.near) == (3, 0.0, 1.0)


@pytest.mark.parametrize(("seeds", "drifting"), [([(8, 10)], False), ([(8, 10), (10, 10)], False), ([(6, 10), (9, 10)], True),
                                                 ([(0, 10), (10, 10), (10, 10), (9, 10)], False)])
def test_a_drift_is_told_of_the_newest_seeds_only(seeds: list[tuple[int, int]], drifting: bool) -> None:
    assert drifts(seeds, worth=20, percent=10) is drifting  # more than 2 half-points on average of the last three


@pytest.mark.parametrize(("first", "second", "far"), [(10, 14, False), (10, 15, True), (20, 0, True), (7, 7, False)])
def test_two_marks_are_too_far_apart_beyond_a_fifth_of_ten_points(first: int, second: int, far: bool) -> None:
    assert joining.too_far(first, second, 20, 20) is far


def test_a_quarter_of_a_point_goes_to_the_candidate() -> None:
    assert joining.of_two(10, 13).half_points == 12  # 5.75 points
    assert joining.of_two(10, 12).half_points == 11
    assert "6.5" in joining.of_two(10, 13).reason


@pytest.mark.parametrize(("rule", "expected"), [(joining.CLOSEST, 17), (joining.THIRD, 16), (joining.MEAN, 15), (joining.MIDDLE, 16)])
def test_three_marks_join_as_the_rule_pack_says(rule: int, expected: int) -> None:
    assert joining.of_three(10, 18, 16, rule).half_points == expected  # mean of 10, 18, 16 is 14.67 half-points
    assert joining.RULES[rule] in joining.of_three(10, 18, 16, rule).reason


def test_of_two_equally_close_pairs_the_higher_counts() -> None:
    assert joining.of_three(10, 18, 14, joining.CLOSEST).half_points == 16


def test_an_unknown_rule_is_an_error() -> None:
    with pytest.raises(ValueError, match="no rule"):
        joining.of_three(1, 2, 3, 9)


@settings(deadline=None)
@given(st.integers(0, 60), st.integers(2, 6), st.integers(0, 3))
def test_every_script_has_two_markers_evenly_and_never_of_their_own_class(count: int, markers: int, taught: int) -> None:
    scripts = [Waiting(n, f"C{n}", f"班{n % 4}", 2) for n in range(count)]
    loads = dict.fromkeys(range(markers), 0)
    classes = {0: {f"班{taught}"}}
    dealt = deal(scripts, loads, classes)
    assert dealt == deal(list(reversed(scripts)), loads, classes)  # the same deal whatever the order they come in
    of = {n: [marker for script, marker in dealt.pairs if script == n] for n in range(count)}
    for script in scripts:
        short = markers == 2 and script.class_name == f"班{taught}"
        assert len(of[script.script]) == len(set(of[script.script])) == (1 if short else 2)
        assert (script.script in dealt.short) is short
        assert not (script.class_name == f"班{taught}" and 0 in of[script.script])
    loaded = Counter(marker for _, marker in dealt.pairs)
    if markers > 2 and count:
        others = [loaded[marker] for marker in range(1, markers)]
        assert max(others) - min(others) <= 1


def test_no_two_markers_see_the_scripts_in_the_same_order() -> None:
    codes = [f"C{n}" for n in range(20)]
    assert sorted(codes, key=lambda code: queue_key(code, 1)) != sorted(codes, key=lambda code: queue_key(code, 2))

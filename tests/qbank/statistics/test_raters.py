"""Agreement and severity of raters, against published tables and hand arithmetic."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qbank.statistics.raters import intraclass, kappa_of, severity, weighted_kappa

# Shrout and Fleiss (1979), table 2: four judges rate six targets.
SHROUT_FLEISS = [[9, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8], [7, 1, 2, 6], [10, 5, 6, 9], [6, 2, 4, 7]]
# Cohen (1968), shares of 200 cases in three categories, and his weights of disagreement.
COHEN = np.array([[0.44, 0.05, 0.01], [0.07, 0.20, 0.03], [0.09, 0.05, 0.06]]) * 200
COHEN_WEIGHTS = [[0, 1, 3], [1, 0, 6], [3, 6, 0]]


def test_four_judges_of_shrout_and_fleiss() -> None:
    found = intraclass(SHROUT_FLEISS)
    assert (round(found.single, 2), round(found.mean, 2)) == (0.29, 0.62)  # as printed in their table 4
    # The intervals as R's psych::ICC prints them for these data: 0.019 to 0.76 and 0.071 to 0.93.
    assert found.single_interval == pytest.approx((0.019, 0.761), abs=0.0006)
    assert found.mean_interval == pytest.approx((0.071, 0.927), abs=0.0006)
    assert (found.n, found.k) == (6, 4)


def test_a_target_that_one_judge_left_out_does_not_count() -> None:
    more = np.array([*SHROUT_FLEISS, [5, np.nan, 5, 5]])
    assert intraclass(more) == intraclass(SHROUT_FLEISS)


def test_full_agreement_is_one_and_no_variance_is_undefined() -> None:
    same = intraclass([[1, 1], [2, 2], [5, 5]])
    assert (same.single, same.single_interval) == (1.0, (1.0, 1.0))
    assert np.isnan(intraclass([[3, 3], [3, 3]]).single)
    assert np.isnan(intraclass([[3, 4]]).single)


def test_cohens_three_categories() -> None:
    plain, weighted = kappa_of(COHEN, weights="none"), kappa_of(COHEN, weights=COHEN_WEIGHTS)
    assert round(plain.kappa, 3) == 0.492  # (0.70 - 0.41) / (1 - 0.41)
    assert round(weighted.kappa, 3) == 0.348  # Cohen (1968)
    assert plain.n == 200
    assert plain.interval[0] < plain.kappa < plain.interval[1]


def test_weights_of_two_categories_are_all_the_same() -> None:
    one, other = [True] * 40 + [False] * 10, [True] * 30 + [False] * 20
    found = [weighted_kappa(one, other, [False, True], weights=weights).kappa for weights in ("none", "linear", "quadratic")]
    # agree 40 of 50 = 0.8, by chance 0.8 * 0.6 + 0.2 * 0.4 = 0.56: (0.8 - 0.56) / 0.44
    assert found == pytest.approx([0.24 / 0.44] * 3)


def test_quadratic_weights_equal_the_intraclass_correlation_of_many_works() -> None:
    """Fleiss and Cohen (1973): apart from a term of order 1 / n, quadratic kappa is ICC(2,1)."""
    random = np.random.default_rng(1)
    truth = random.integers(0, 8, 4000)
    ratings = np.clip(truth[:, None] + random.integers(-1, 3, (4000, 2)), 0, 10)
    kappa = weighted_kappa(ratings[:, 0], ratings[:, 1], range(11))
    assert kappa.kappa == pytest.approx(intraclass(ratings).single, abs=0.001)


def test_the_error_of_kappa_is_what_samples_show() -> None:
    random = np.random.default_rng(2)
    drawn = [kappa_of(random.multinomial(200, COHEN.ravel() / 200).reshape(3, 3), weights="quadratic").kappa
             for _ in range(2000)]
    assert kappa_of(COHEN, weights="quadratic").error == pytest.approx(np.std(drawn), rel=0.06)


def test_unknown_categories_are_refused() -> None:
    with pytest.raises(ValueError, match="not among"):
        weighted_kappa(["A"], ["D"], ["A", "B"])


def test_a_severe_judge_by_hand() -> None:
    # Chen gives 2 less than Li and 1 less than Wang for every work: deviations from each work's mean are -1, 1, 0.
    found = severity([[3, 5, 4], [6, 8, 7], [1, 3, 2]])
    assert found.effects == pytest.approx([-1, 1, 0])
    assert found.connected
    assert found.residuals == pytest.approx(np.zeros((3, 3)), abs=1e-12)


def test_judges_who_never_met_are_not_compared() -> None:
    nan = np.nan
    found = severity([[3, 5, nan, nan], [4, 7, nan, nan], [nan, nan, 1, 2], [nan, nan, 2, 3]])
    assert not found.connected
    assert found.groups[0] == found.groups[1] != found.groups[2]
    assert found.effects == pytest.approx([-1.25, 1.25, -0.5, 0.5])  # half of the mean differences 2.5 and 1


def test_severity_equals_dummy_regression() -> None:
    """The same fit with one column a work and one a rater, errors and leverages from numpy's own pseudo-inverse."""
    random = np.random.default_rng(3)
    ratings = random.normal(size=(30, 5)) + random.normal(size=(30, 1)) + np.array([0, 1, -1, 0.5, 0])
    ratings[random.random((30, 5)) < 0.4] = np.nan
    ratings[np.isnan(ratings).sum(axis=1) > 3] = np.nan
    rows, columns = np.nonzero(~np.isnan(ratings))
    design = np.zeros((len(rows), 35))
    design[np.arange(len(rows)), rows] = 1
    design[np.arange(len(rows)), 30 + columns] = 1
    y = ratings[rows, columns]
    fitted = np.linalg.pinv(design) @ y
    left = y - design @ fitted
    free = len(y) - np.linalg.matrix_rank(design)
    sigma = np.sqrt((left**2).sum() / free)
    leverage = np.diag(design @ np.linalg.pinv(design))
    found = severity(ratings)
    assert found.effects == pytest.approx(fitted[30:] - fitted[30:].mean())
    assert found.residuals[rows, columns] == pytest.approx(left, abs=1e-9)
    assert found.standardised[rows, columns] == pytest.approx(left / (sigma * np.sqrt(1 - leverage)), rel=1e-6)
    contrast = np.eye(5) - 0.2  # effects are deviations from their mean
    spread = np.linalg.pinv(design.T @ design)[30:, 30:]
    assert found.errors == pytest.approx(sigma * np.sqrt(np.diag(contrast @ spread @ contrast.T)))


def test_one_strange_mark_stands_out() -> None:
    random = np.random.default_rng(4)
    ratings = random.normal(70, 8, (40, 1)) + random.normal(0, 1, (40, 3))
    ratings[7, 1] += 12
    worst = int(np.nanargmax(np.abs(severity(ratings).standardised)))
    assert divmod(worst, 3) == (7, 1)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.lists(st.one_of(st.none(), st.integers(0, 200)), min_size=3, max_size=3), min_size=1, max_size=8))
def test_whatever_was_marked_the_answer_is_a_number_or_undefined(rows: list[list[int | None]]) -> None:
    table = np.array([[np.nan if mark is None else mark for mark in row] for row in rows], dtype=float)
    found = severity(table)
    shown = found.effects[~np.isnan(found.effects)]
    assert np.all(np.isfinite(shown))
    assert abs(shown.sum()) < 1e-6
    single = intraclass(table).single
    # Not bounded from below: for 0, 1, 1 and 2, 0, 0 the mean squares 0, 1/6 and 3/2 make -3/2 by Shrout and Fleiss' ICC(2,1).
    assert np.isnan(single) or single <= 1 + 1e-9

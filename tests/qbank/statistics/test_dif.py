"""Differential item functioning against published data, difR's figures, hand arithmetic and a plain optimiser."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest
from scipy import optimize, sparse, special

from qbank.statistics.dif import common_odds, ets_class, mantel_haenszel
from qbank.statistics.dif_logistic import logistic_dif
from qbank.statistics.responses import Responses
from qbank.statistics.strata import Counts

VERBAL = Path(__file__).parents[4] / "shared" / "data" / "psychometrics" / "10_mh_dif_verbal.json"


def test_the_admissions_of_berkeley() -> None:
    # Bickel, Hammel and O'Connell (1975), Science 187, 398-404, as R's UCBAdmissions; R's mantelhaen.test prints
    # X-squared = 1.4269 with and 1.5246 without continuity correction, common odds ratio 0.9046968, 95 % interval
    # 0.7719074 to 1.0603298 (Robins, Breslow and Greenland). Departments A to F; men are the reference.
    men, men_in = [825, 560, 325, 417, 191, 373], [512, 353, 120, 138, 53, 22]
    women, women_in = [108, 25, 593, 375, 393, 341], [89, 17, 202, 131, 94, 24]
    men_n, men_right, women_n, women_right = (np.array(column, float)[:, None] for column in (men, men_in, women, women_in))
    counted = Counts(men_n, men_right, women_n, women_right, matched=np.arange(6.0))
    chi_square, odds, variance, n_men, n_women = common_odds(counted)[:, 0]
    assert chi_square == pytest.approx(1.4269, abs=5e-5)
    assert common_odds(counted, correct=False)[0, 0] == pytest.approx(1.5246, abs=5e-5)
    assert odds == pytest.approx(0.9046968, abs=5e-8)
    assert odds * math.exp(1.959964 * math.sqrt(variance)) == pytest.approx(1.0603298, abs=1e-6)
    assert odds * math.exp(-1.959964 * math.sqrt(variance)) == pytest.approx(0.7719074, abs=1e-6)
    assert (n_men, n_women) == (2691, 1835)


# Twelve persons, three items; the last six are focal.
TWELVE = np.array([[1, 1, 0], [1, 0, 0], [1, 0, 1], [0, 1, 0], [0, 1, 1], [1, 1, 1],
                   [0, 1, 0], [0, 1, 1], [1, 0, 0], [0, 0, 1], [1, 1, 0], [0, 0, 0]], np.int8)
FOCAL = np.repeat([0, 1], 6)


def test_one_item_by_hand() -> None:
    # Item 1. Number right 1: reference 1 0 (persons 2, 4), focal 0 1 0 (7, 9, 10): A = 1, B = 1, C = 1, D = 2, T = 5.
    # Number right 2: reference 1 1 0 (1, 3, 5), focal 0 1 (8, 11): A = 2, B = 1, C = 1, D = 1, T = 5. 0 and 3: one person.
    # E(A) = 2 x 2/5 + 3 x 3/5 = 2.6; variances 2 x 3 x 2 x 3 / (25 x 4) = .36 and 3 x 2 x 3 x 2 / 100 = .36.
    # Chi-square (|3 - 2.6| - .5)^2 / .72 = .01 / .72, without correction .16 / .72.
    # Odds ratio (2/5 + 2/5) / (1/5 + 1/5) = 2; delta -2.35 log 2.
    found = mantel_haenszel(TWELVE, FOCAL)
    assert found.chi_square[0] == pytest.approx(0.01 / 0.72)
    assert mantel_haenszel(TWELVE, FOCAL, correct=False).chi_square[0] == pytest.approx(0.16 / 0.72)
    assert found.odds_ratio[0] == pytest.approx(2)
    assert found.delta[0] == pytest.approx(-2.35 * math.log(2))
    # Robins, Breslow and Greenland: P = 3/5, 3/5; Q = 2/5, 2/5; R = 2/5, 2/5; S = 1/5, 1/5. Sum PR = .48, PS + QR = .56,
    # QS = .16; R+ = .8, S+ = .4: .48 / 1.28 + .56 / .64 + .16 / .32 = 1.75.
    assert found.log_odds_se[0] == pytest.approx(math.sqrt(1.75))
    assert found.n_reference.tolist() == [6, 6, 6]


def test_labels_and_the_group_of_the_responses_do_the_same() -> None:
    labels = np.where(FOCAL == 1, "二班", "一班")
    one = mantel_haenszel(TWELVE, FOCAL)
    two = mantel_haenszel(Responses(TWELVE, groups=labels), focal="二班")
    assert two.chi_square == pytest.approx(one.chi_square, nan_ok=True)
    third = np.vstack([TWELVE, TWELVE[:3]])
    mixed = mantel_haenszel(third, np.concatenate([labels, ["三班"] * 3]), focal="二班", reference="一班")
    assert mixed.odds_ratio == pytest.approx(one.odds_ratio, nan_ok=True)


def simulated(seed: int, persons: int = 1500, items: int = 25) -> tuple[np.ndarray, np.ndarray]:
    """Item 1 is harder, item 2 easier by 0.9 logits for the focal half."""
    draw = np.random.default_rng(seed)
    focal, ability = draw.integers(0, 2, persons), draw.normal(size=persons)
    b = draw.normal(size=items)
    shift = np.zeros(items)
    shift[:2] = [0.9, -0.9]
    chance = special.expit(ability[:, None] - b - focal[:, None] * shift)
    return (draw.random(chance.shape) < chance).astype(np.int8), focal


def plain(scores: np.ndarray, focal: np.ndarray, item: int) -> tuple[float, float]:
    """Chi-square and odds ratio with a loop over strata: the definition."""
    total = scores.sum(axis=1)
    a_minus_e = variance = above = below = 0.0
    for level in np.unique(total):
        here = total == level
        x, f = scores[here, item], focal[here]
        a, b = ((f == 0) & (x == 1)).sum(), ((f == 0) & (x == 0)).sum()
        c, d = ((f == 1) & (x == 1)).sum(), ((f == 1) & (x == 0)).sum()
        t = a + b + c + d
        if t > 1:
            a_minus_e += a - (a + b) * (a + c) / t
            variance += (a + b) * (c + d) * (a + c) * (b + d) / (t * t * (t - 1))
            above, below = above + a * d / t, below + b * c / t
    return (abs(a_minus_e) - 0.5) ** 2 / variance, above / below


def test_all_items_at_once_are_each_item_alone() -> None:
    scores, focal = simulated(1)
    found = mantel_haenszel(scores, focal)
    for item in (0, 1, 7, 24):
        assert (found.chi_square[item], found.odds_ratio[item]) == pytest.approx(plain(scores, focal, item))
    assert found.effect[0] in "BC"
    assert found.effect[1] in "BC"
    assert found.delta[0] < -1
    assert found.delta[1] > 1


def test_purification_leaves_the_flagged_items_out_of_the_matching_but_the_studied_one_in() -> None:
    scores, focal = simulated(2, persons=3000)
    found = mantel_haenszel(scores, focal, purify=True)
    assert found.converged
    assert found.flagged[:2].all()
    anchors = ~found.flagged
    for item in (0, 5):
        kept = np.flatnonzero(anchors | (np.arange(25) == item))
        own = int(np.flatnonzero(kept == item)[0])
        assert found.odds_ratio[item] == pytest.approx(plain(scores[:, kept], focal, own)[1])


def test_persons_are_matched_with_those_who_were_given_as_much() -> None:
    scores, focal = simulated(3)
    shorter = scores.copy()
    shorter[:700, 20:] = -1
    found = mantel_haenszel(shorter, focal)
    columns = [np.array([mantel_haenszel(part, g).odds_ratio[3]]) for part, g in
               ((scores[:700, :20], focal[:700]), (scores[700:], focal[700:]))]
    assert min(columns) < found.odds_ratio[3] < max(columns)  # both parts are pooled, stratum by stratum
    assert found.n_focal[24] == focal[700:].sum()
    rows, places = np.nonzero(shorter >= 0)
    stored = sparse.csr_array((shorter[rows, places], (rows, places)), shape=shorter.shape)
    assert mantel_haenszel(stored, focal).chi_square == pytest.approx(found.chi_square)
    forms = np.repeat([0, 1], [700, 800])
    assert mantel_haenszel(Responses(shorter, groups=focal, forms=forms)).chi_square == pytest.approx(found.chi_square)


def test_the_ets_classes_at_their_borders() -> None:
    delta, error = np.array([0.99, 1.2, 1.6, 2.5, -2.5, math.nan]), np.full(6, 0.5)
    # 1.6 is not significantly above 1: (1.6 - 1) / .5 = 1.2 < 1.645; 2.5 is: 3 > 1.645.
    assert ets_class(delta, error, np.full(6, 0.01)).tolist() == ["A", "B", "B", "C", "C", ""]
    assert ets_class(delta, error, np.full(6, 0.2)).tolist() == ["A"] * 5 + [""]


def test_what_cannot_be_compared_is_not_a_number() -> None:
    alike = TWELVE.copy()
    alike[:, 1] = 1
    found = mantel_haenszel(alike, FOCAL)
    assert np.isnan(found.chi_square[1])
    assert np.isnan(found.delta[1])
    assert found.effect[1] == ""
    assert not found.flagged[1]
    assert np.isnan(mantel_haenszel(TWELVE, FOCAL, minimum=7).odds_ratio).all()
    for groups, focal, said in ((FOCAL, 2, "focal"), (np.ones(12), 1, "reference"), (FOCAL[:5], 1, "one label")):
        with pytest.raises(ValueError, match=said):
            mantel_haenszel(TWELVE, groups, focal=focal)
    with pytest.raises(ValueError, match="0 or 1"):
        mantel_haenszel(TWELVE + np.int8(1), FOCAL)


def test_logistic_regression_is_the_maximum_of_the_plain_likelihood() -> None:
    scores, focal = simulated(4, persons=800)
    total, found = scores.sum(axis=1), logistic_dif(scores, focal)
    design = np.column_stack([np.ones(800), total, focal, focal * total])
    for item in (0, 6):
        x = scores[:, item]

        def minus(beta: np.ndarray, columns: int, x: np.ndarray = x) -> float:
            linear = design[:, :columns] @ beta
            return -float((x * special.log_expit(linear) + (1 - x) * special.log_expit(-linear)).sum())

        best = [optimize.minimize(minus, np.zeros(k), args=(k,), method="BFGS", options={"gtol": 1e-7}).fun for k in (1, 2, 3, 4)]
        assert found.uniform[item] == pytest.approx(2 * (best[1] - best[2]), abs=1e-5)
        assert found.non_uniform[item] == pytest.approx(2 * (best[2] - best[3]), abs=1e-5)
        assert found.total[item] == pytest.approx(found.uniform[item] + found.non_uniform[item])
        r2 = [1 - math.exp(2 / 800 * (model - best[0])) for model in best]
        assert found.total_r2[item] == pytest.approx((r2[3] - r2[1]) / (1 - math.exp(-2 / 800 * best[0])), abs=1e-7)
        assert -minus(found.coefficients[item], 4) == pytest.approx(-best[3], abs=1e-6)
    assert found.converged.all()
    assert found.uniform_p[0] < 0.001


def test_logistic_regression_finds_what_mantel_and_haenszel_cannot() -> None:
    # The item discriminates in one group and not in the other: the lines cross.
    draw = np.random.default_rng(5)
    focal, ability = np.repeat([0, 1], 1500), draw.normal(size=3000)
    chance = special.expit(ability[:, None] * np.ones(20))
    chance[:, 0] = special.expit(np.where(focal == 1, -0.2, 1.6) * ability)
    scores = (draw.random(chance.shape) < chance).astype(np.int8)
    found = logistic_dif(scores, focal)
    assert found.non_uniform_p[0] < 1e-6
    assert found.jodoin_gierl[0] == "C"
    assert found.zumbo_thomas[1] == "A"
    assert found.uniform_p[0] > found.non_uniform_p[0]


def test_an_item_without_a_maximum_says_so() -> None:
    scores, focal = simulated(6, persons=300)
    scores[:, 3] = focal  # the group alone tells the answer: the likelihood has no maximum
    scores[:, 4] = 1
    found = logistic_dif(scores, focal)
    assert found.converged[[3, 4]].tolist() == [False, False]
    assert np.isnan(found.total[[3, 4]]).all()
    assert found.jodoin_gierl[3] == ""
    assert found.converged[5]


def test_the_verbal_aggression_data_agree_with_difr() -> None:
    if not VERBAL.exists():
        pytest.skip(f"the trial data do not lie beside the checkout: {VERBAL}")
    read = json.loads(VERBAL.read_text())
    scores = np.array([[int(c) for c in row] for row in read["data"]["rows"]], np.int8)
    gender, reference = np.array(read["data"]["gender"]), read["oracle"]
    found = mantel_haenszel(scores, gender)
    assert found.chi_square == pytest.approx(reference["MH"], rel=1e-8)
    assert found.odds_ratio == pytest.approx(reference["alphaMH"], rel=1e-8)
    assert found.log_odds_se**2 == pytest.approx(reference["varLambda"], rel=1e-8)
    assert found.delta == pytest.approx(reference["deltaMH"], rel=1e-8)
    assert (np.flatnonzero(found.flagged) + 1).tolist() == reference["DIFitems"]
    pure = mantel_haenszel(scores, gender, purify=True)
    assert pure.chi_square == pytest.approx(reference["purified"]["MH"], rel=1e-8)
    assert (pure.rounds, pure.converged) == (reference["purified"]["nrPur"], True)
    logistic = logistic_dif(scores, gender)
    assert logistic.total == pytest.approx(reference["logistic"]["stat"], rel=1e-7)
    assert logistic.total_r2 == pytest.approx(reference["logistic"]["deltaR2"], rel=1e-7)

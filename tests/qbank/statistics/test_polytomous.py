"""Written items scored in steps, against R's mirt and against the likelihood written out."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from scipy import integrate, stats

from qbank.statistics import ability, calibrate, steps
from qbank.statistics.polytomous import PolytomousModel, calibrate_steps
from qbank.statistics.priors import DEFAULT
from qbank.statistics.responses import NOT_REACHED, OMITTED, Responses

# Science items of the 1992 Eurobarometer (Comfort, Work, Future, Benefit; Karlheinz & Melich 1992), which the R packages
# ltm and mirt carry: each row of answers 1..4 with how many of the 392 persons gave it.
SCIENCE = (
    "1111:2 1321 1423 1431 2111 2124 2211 2222:4 2223:2 2231 2232 2233 2243 2313 2322:2 2323 2332:3 2333:3 2334:2 "
    "2341 2343:2 2421 2443:2 2444 3111 3113:2 3122:2 3123:4 3132:5 3133:5 3134:3 3143 3144 3212 3214 3221 3222:10 "
    "3223:7 3231 3232:16 3233:22 3234:5 3241 3242 3243:3 3244:2 3313:2 3321 3322:13 3323:10 3324:2 3331:5 3332:23 "
    "3333:52 3334:8 3342:7 3343:13 3344:12 3413 3423 3432:2 3433:4 3434:4 3441 3442 3443:6 3444:3 4114 4122 4124:2 "
    "4134 4221 4223:3 4233:8 4234:2 4242 4244 4323 4332:2 4333:21 4334:3 4342:2 4343:5 4344:8 4432 4433:2 4434:3 "
    "4442:2 4443:6 4444:12 "
)
# R mirt 1.47: mirt(Science, 1, itemtype = "graded" | "gpcm" | "Rasch"), a and b_1..b_3 of each item.
GRADED = [[1.04064, -4.67281, -2.53609, 1.40822], [1.22583, -2.38532, -0.73512, 1.84889],
          [2.30060, -2.27992, -0.96438, 0.85521], [1.09380, -3.05987, -0.90640, 1.54282]]
PARTIAL = [[0.86114, -3.27746, -2.89246, 1.53779], [0.83997, -2.03569, -1.03310, 2.05893],
           [2.23735, -2.08313, -0.97480, 0.83144], [0.72038, -2.90796, -1.10927, 1.63150]]


def science() -> Responses:
    rows = [entry.partition(":") for entry in SCIENCE.split()]
    scores = np.array([[int(digit) - 1 for digit in row] for row, _, _ in rows], dtype=np.int8)
    return Responses(scores, weights=np.array([float(count or 1) for _, _, count in rows]))


@pytest.mark.parametrize(("model", "log_likelihood", "items"), [
    ("GRM", -1608.86941, GRADED), ("GPCM", -1612.68160, PARTIAL)])
def test_the_science_items_come_out_as_in_r(model: PolytomousModel, log_likelihood: float, items: list[list[float]]) -> None:
    found = calibrate_steps(science(), model)
    assert found.converged
    assert found.gradient_norm < 1e-3
    assert found.log_likelihood == pytest.approx(log_likelihood, abs=1e-3)
    for j, (a, *thresholds) in enumerate(items):
        assert found.a[j] == pytest.approx(a, abs=1e-3)
        assert found.thresholds[j] == pytest.approx(thresholds, abs=3e-3)


def test_the_partial_credit_model_is_the_one_with_a_common_slope() -> None:
    # mirt fixes the slopes at 1 and finds a variance of 1.00253: a = sqrt(1.00253) = 1.00126 with unit variance,
    # and b_1 of Comfort -3.08797 / 1.00126 = -3.08408.
    found = calibrate_steps(science(), "PCM")
    assert found.log_likelihood == pytest.approx(-1619.27410, abs=1e-3)
    assert found.a == pytest.approx(np.full(4, 1.00126), abs=2e-4)
    assert found.thresholds[0][0] == pytest.approx(-3.08408, abs=1e-3)


def test_the_likelihood_is_the_integral_written_out() -> None:
    scores = np.array([[0, 2], [1, 1], [2, 0], [1, 2], [0, 0], [2, 2], [2, 1], [0, 1], [1, 0], [2, 2], [0, 0]])
    found = calibrate_steps(scores, "GRM", se=False)

    def one(row: npt.NDArray[np.int_]) -> float:
        def at(theta: float) -> float:
            density = float(stats.norm.pdf(theta))
            for j, score in enumerate(row):
                above = 1 / (1 + np.exp(-(found.a[j] * (theta - found.thresholds[j]))))
                edges = np.concatenate([[1.0], above, [0.0]])
                density *= float(edges[score] - edges[score + 1])
            return density
        return float(np.log(integrate.quad(at, -8, 8, epsabs=1e-13)[0]))

    assert found.log_likelihood == pytest.approx(sum(one(row) for row in scores), abs=1e-6)


def drawn(model: steps.StepModel, persons: int, seed: int) -> tuple[npt.NDArray[np.int8], list[tuple[float, list[float]]]]:
    draw = np.random.default_rng(seed)
    truth = [(1.2, [-1.0, 0.2, 1.0]), (0.8, [-0.5, 0.9]), (1.6, [0.3]), (1.1, [-1.5, -0.2, 0.6, 1.4])]
    theta = draw.normal(size=persons)
    columns = []
    for a, b in truth:
        chance = np.cumsum(steps.probabilities(model, a, -a * np.array(b), theta), axis=0)
        columns.append((draw.random(persons) > chance[:-1]).sum(axis=0))
    return np.stack(columns, axis=1).astype(np.int8), truth


@pytest.mark.parametrize("model", ["GRM", "GPCM"])
def test_errors_tell_how_far_the_truth_is(model: steps.StepModel) -> None:
    scores, truth = drawn(model, 3000, 7)
    found = calibrate_steps(scores, model)
    gaps = np.concatenate([[(found.a[j] - a) / found.se_a[j], *((found.thresholds[j] - b) / found.se_thresholds[j])]
                           for j, (a, b) in enumerate(truth)])
    assert np.abs(gaps).max() < 3.2
    assert 0.5 < np.sqrt((gaps**2).mean()) < 1.5


def test_missing_by_design_and_weights_count_persons() -> None:
    scores, _ = drawn("GRM", 600, 3)
    scores[:300, 0] = -1
    scores[300:, 3] = -1
    twice = np.concatenate([scores, scores])
    once = calibrate_steps(Responses(scores, weights=np.full(600, 2.0)), "GRM")
    both = calibrate_steps(twice, "GRM")
    assert once.a == pytest.approx(both.a, abs=1e-4)
    assert once.se_a == pytest.approx(both.se_a, rel=1e-3)
    assert both.n.tolist() == [600, 1200, 1200, 600]


def test_an_omitted_step_is_zero_and_one_not_reached_is_not_there() -> None:
    scores, _ = drawn("GPCM", 500, 5)
    left = scores.copy()
    left[:40][left[:40] == 0] = OMITTED
    assert calibrate_steps(left, "GPCM", se=False).a == pytest.approx(calibrate_steps(scores, "GPCM", se=False).a)
    left[:40, 3] = NOT_REACHED
    assert calibrate_steps(left, "GPCM", se=False).n.tolist() == [500, 500, 500, 460]


def test_items_of_two_models_stand_side_by_side() -> None:
    scores, truth = drawn("GRM", 2000, 11)
    found = calibrate_steps(scores, ["GRM", "GPCM", "GRM", "GRM"], se=False)
    assert found.models == ("GRM", "GPCM", "GRM", "GRM")
    assert found.a[0] == pytest.approx(truth[0][0], abs=0.25)


def test_what_cannot_be_estimated_is_nan_with_a_reason() -> None:
    scores, _ = drawn("GRM", 300, 2)
    odd = np.concatenate([scores, np.zeros((300, 1)), np.full((300, 1), -1), np.where(scores[:, :1] == 1, 2, scores[:, :1])],
                         axis=1)
    found = calibrate_steps(odd, "GRM", se=False)
    assert np.isnan(found.a[4:]).all()
    assert found.reasons == {4: "everybody has the same score", 5: "nobody answered it",
                             6: "a score below the highest occurs nowhere: join the steps"}
    with pytest.raises(ValueError, match="no item can be calibrated"):
        calibrate_steps(np.zeros((10, 2)), "GRM")
    with pytest.raises(ValueError, match="unknown model"):
        calibrate_steps(scores, "3PL")  # type: ignore[arg-type]


def test_the_door_takes_step_models_and_scores_their_persons() -> None:
    found = calibrate(science(), "GRM")
    assert (found.model, found.models, found.converged) == ("GRM", ("GRM",) * 4, True)
    assert found.thresholds is not None
    assert found.thresholds[2] == pytest.approx(GRADED[2][1:], abs=3e-3)
    theta, se = ability(found, science(), "EAP")
    assert np.corrcoef(theta, science().scores.sum(axis=1))[0, 1] > 0.9
    assert (se < 1).all()
    with pytest.raises(ValueError, match="neither anchors nor groups"):
        calibrate(science(), "GPCM", anchors={0: (1.0, 0.0)})


@pytest.mark.parametrize("model", ["GRM", "GPCM"])
def test_with_priors_a_few_answers_stay_near_them(model: steps.StepModel) -> None:
    scores, _ = drawn(model, 12, 1)
    loose, held = calibrate_steps(scores, model, se=False), calibrate_steps(scores, model, se=False, priors=DEFAULT)
    usable = np.isfinite(loose.a)
    assert held.converged
    assert np.abs(np.log(held.a[usable])).max() < 1.2
    assert max(np.abs(held.thresholds[j]).max() for j in np.flatnonzero(usable)) < 4


@pytest.mark.parametrize("model", ["GRM", "GPCM"])
def test_information_is_minus_the_expected_second_derivative(model: steps.StepModel) -> None:
    theta, width = np.linspace(-3, 3, 7), 1e-4
    a, d = 1.3, np.array([1.5, 0.1, -1.0])
    chance = steps.probabilities(model, a, d, theta)
    up, mid, down = (np.log(steps.probabilities(model, a, d, theta + shift)) for shift in (width, 0, -width))
    second = (up - 2 * mid + down) / width**2
    assert steps.information(model, a, d, theta) == pytest.approx(-(chance * second).sum(axis=0), abs=1e-5)
    assert chance.sum(axis=0) == pytest.approx(np.ones(7))
    assert (np.diff(steps.expected_score(model, a, d, theta)) > 0).all()

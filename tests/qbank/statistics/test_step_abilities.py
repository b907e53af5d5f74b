"""Abilities from written items: by hand, by integration, and the same as from items scored right or wrong."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import integrate, optimize, stats

from qbank.statistics.abilities import ability
from qbank.statistics.calibration import known_items
from qbank.statistics.step_abilities import Method, step_ability
from qbank.statistics.steps import StepModel, probabilities

A, B = np.array([0.8, 1.2, 1.6, 1.0]), np.array([-1.0, 0.0, 0.5, 1.2])
ANSWERS = np.array([[1, 1, 0, 0], [0, 1, 1, 0], [1, 1, 1, 1], [0, 0, 0, 0], [1, -1, 1, -1]], dtype=np.int8)


@pytest.mark.parametrize("method", ["EAP", "MAP", "WLE"])
@pytest.mark.parametrize("model", ["GRM", "GPCM"])
def test_one_step_is_right_or_wrong(method: Method, model: StepModel) -> None:
    theta, se = step_ability([(model, a, np.array([-a * b])) for a, b in zip(A, B, strict=True)], ANSWERS, method)
    wanted, error = ability(known_items(A, B), ANSWERS, method)
    assert theta == pytest.approx(wanted, abs=2e-3)
    assert se == pytest.approx(error, abs=2e-3)


@pytest.mark.parametrize("model", ["GRM", "GPCM"])
def test_the_mean_and_the_mode_are_those_of_the_posterior_written_out(model: StepModel) -> None:
    items = [(model, 1.3, np.array([1.5, 0.2, -0.8])), (model, 0.7, np.array([0.5, -0.9]))]

    def density(theta: float) -> float:
        at = np.array([theta])
        first, second = (probabilities(model, a, d, at)[score, 0] for (_, a, d), score in zip(items, (2, 1), strict=True))
        return float(first * second * stats.norm.pdf(theta))

    whole = integrate.quad(density, -9, 9)[0]
    mean = integrate.quad(lambda t: t * density(t), -9, 9)[0] / whole
    square = integrate.quad(lambda t: t * t * density(t), -9, 9)[0] / whole
    mode = optimize.minimize_scalar(lambda t: -density(t), bounds=(-3, 3), method="bounded", options={"xatol": 1e-9}).x
    scores = np.array([[2, 1]], dtype=np.int8)
    theta, se = step_ability(items, scores, "EAP")
    assert (theta[0], se[0]) == pytest.approx((mean, np.sqrt(square - mean**2)), abs=1e-5)
    assert step_ability(items, scores, "MAP")[0][0] == pytest.approx(mode, abs=1e-3)


def test_nothing_presented_is_the_prior_or_nothing() -> None:
    items, nobody = [("GRM", 1.0, np.array([0.5, -0.5])), None], np.array([[-1, 2]], dtype=np.int8)
    assert [part[0] for part in step_ability(items, nobody, "EAP")] == pytest.approx([0.0, 1.0], abs=1e-6)  # type: ignore[arg-type]
    assert np.isnan(step_ability(items, nobody, "WLE")[0][0])  # type: ignore[arg-type]


def test_top_and_bottom_are_finite_under_wle() -> None:
    items = [("GPCM", 1.2, np.array([0.5, -0.5])), ("GRM", 0.9, np.array([1.0, -1.0]))]
    theta, se = step_ability(items, np.array([[0, 0], [1, 1], [2, 2]], dtype=np.int8), "WLE")  # type: ignore[arg-type]
    assert np.isfinite(theta).all()
    assert np.isfinite(se).all()
    assert (np.diff(theta) > 0.5).all()

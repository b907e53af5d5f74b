"""Two calibrations on one scale: the constants come back, drifting anchors are named."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from scipy import integrate, optimize, stats

from qbank.statistics.linking import METHODS, Method, link

BANK_A = np.array([0.8, 1.1, 1.6, 0.9, 1.3, 2.0])
BANK_B = np.array([-1.5, -0.7, 0.0, 0.4, 1.1, 1.8])
BANK_C = np.array([0.2, 0.15, 0.25, 0.0, 0.2, 0.1])


def moved(slope: float, intercept: float) -> SimpleNamespace:
    """The bank's anchors as a sitting would see them whose θ_bank = slope θ + intercept."""
    return SimpleNamespace(a=BANK_A * slope, b=(BANK_B - intercept) / slope, c=BANK_C)


BANK = SimpleNamespace(a=BANK_A, b=BANK_B, c=BANK_C)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("symmetric", [False, True])
def test_without_error_every_method_finds_the_constants(method: Method, symmetric: bool) -> None:
    found = link(moved(1.25, -0.4), BANK, method, symmetric=symmetric)
    assert (found.slope, found.intercept) == pytest.approx((1.25, -0.4), abs=1e-6)
    assert max(one.distance for one in found.anchors) < 1e-6
    a, b = found.parameters(moved(1.25, -0.4).a, moved(1.25, -0.4).b)
    assert a == pytest.approx(BANK_A, abs=1e-5)
    assert b == pytest.approx(BANK_B, abs=1e-5)
    assert found.ability([0.0, 1.0]) == pytest.approx([-0.4, 0.85], abs=1e-5)


def test_mean_sigma_by_hand() -> None:
    # b_new 0, 1, 2 (mean 1, sd √(2/3)); b_bank 1, 3, 5 (mean 3, sd √(8/3)): A = 2, B = 3 - 2 × 1 = 1
    found = link(np.array([[1.0, 0.0], [1.0, 1.0], [1.0, 2.0]]), np.array([[1.0, 1.0], [1.0, 3.0], [1.0, 5.0]]), "mean-sigma")
    assert (found.slope, found.intercept) == pytest.approx((2.0, 1.0))


def test_mean_mean_by_hand() -> None:
    # a_new 1, 2 (mean 1.5), a_bank 0.5, 1 (mean 0.75): A = 2; b_new mean 0.5, b_bank mean 2: B = 2 - 2 × 0.5 = 1
    found = link(np.array([[1.0, 0.0], [2.0, 1.0]]), np.array([[0.5, 1.5], [1.0, 2.5]]), "mean-mean")
    assert (found.slope, found.intercept) == pytest.approx((2.0, 1.0))


def noisy(seed: int) -> SimpleNamespace:
    draw = np.random.default_rng(seed)
    plain = moved(1.1, 0.3)
    return SimpleNamespace(a=plain.a * np.exp(draw.normal(0, 0.1, 6)), b=plain.b + draw.normal(0, 0.15, 6), c=BANK_C)


def curve(one: Any, j: int, theta: float, slope: float = 1.0, intercept: float = 0.0) -> float:
    return float(one.c[j] + (1 - one.c[j]) / (1 + np.exp(-one.a[j] / slope * (theta - slope * one.b[j] - intercept))))


@pytest.mark.parametrize("method", ["stocking-lord", "haebara"])
def test_the_constants_minimise_the_criterion_written_out_as_an_integral(method: Method) -> None:
    """Another road to the same place: adaptive integration over the normal density and Nelder-Mead, no shared code."""
    new = noisy(4)

    def criterion(constants: Any) -> float:
        def at(theta: float) -> float:
            gaps = [curve(new, j, theta, *constants) - curve(BANK, j, theta) for j in range(6)]
            return (sum(gaps) ** 2 if method == "stocking-lord" else sum(gap**2 for gap in gaps)) * float(stats.norm.pdf(theta))
        return float(integrate.quad(at, -6, 6, epsabs=1e-12)[0])

    wanted = optimize.minimize(criterion, [1.0, 0.0], method="Nelder-Mead", options={"xatol": 1e-7, "fatol": 1e-14}).x
    found = link(new, BANK, method, nodes=np.linspace(-6, 6, 241))
    assert (found.slope, found.intercept) == pytest.approx(tuple(wanted), abs=2e-5)


def test_a_leaked_anchor_is_named_and_can_be_left_out() -> None:
    new = moved(1.0, 0.0)
    new.b = new.b.copy()
    new.b[3] -= 1.5  # half of the cohort had seen it
    plain = link(new, BANK)
    cleaned = link(new, BANK, drop_drifting=True)
    assert [one.index for one in cleaned.anchors if one.drifts] == [3]
    assert cleaned.used == (0, 1, 2, 4, 5)
    assert cleaned.anchors[3].difficulty_shift == pytest.approx(-1.5, abs=1e-5)
    assert cleaned.anchors[3].robust_z < -100 or np.isnan(cleaned.anchors[3].robust_z)
    assert (cleaned.slope, cleaned.intercept) == pytest.approx((1.0, 0.0), abs=1e-5)
    assert abs(plain.intercept) > 0.05  # left in, it pulls the whole scale


def test_an_item_without_parameters_is_no_anchor() -> None:
    new = moved(1.2, 0.1)
    new.b = new.b.copy()
    new.b[0] = np.nan
    found = link(new, BANK)
    assert found.used == (1, 2, 3, 4, 5)
    assert np.isnan(found.anchors[0].distance)
    assert not found.anchors[0].drifts


@pytest.mark.parametrize(("new", "bank", "words"), [
    (np.ones((1, 2)), np.ones((1, 2)), "two anchors"),
    (np.ones((3, 2)), np.ones((2, 2)), "3 new anchors and 2"),
    (np.ones((3, 4)), np.ones((3, 4)), "two or three columns"),
    (np.array([[1.0, 0.0], [1.0, 1.0]]), np.array([[1.0, 2.0], [1.0, 2.0]]), "mean-mean"),
])
def test_what_cannot_be_linked_is_refused(new: Any, bank: Any, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        link(new, bank, "mean-sigma")


def test_an_unknown_method_is_refused() -> None:
    with pytest.raises(ValueError, match="unknown method"):
        link(BANK, BANK, "guess")  # type: ignore[arg-type]

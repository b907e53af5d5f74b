"""Calibration against published tables."""

from __future__ import annotations

import numpy as np
import pytest

from qbank.statistics.irt import calibrate
from tests.qbank.statistics.irt_world import LSAT6, LSAT7, persons, table


def test_lsat_7_under_the_two_parameter_model() -> None:
    # Chalmers (2012), Journal of Statistical Software 48(6): log likelihood -2658.805; a 0.988 1.081 1.706 0.765 0.736,
    # d 1.856 0.808 1.804 0.486 1.855; R stops at moves of 1e-4.
    rows, counts = table(LSAT7)
    found = calibrate(rows, "2PL", weights=counts)
    assert found.converged
    assert found.log_likelihood == pytest.approx(-2658.805, abs=0.001)
    assert found.a == pytest.approx([0.988, 1.081, 1.706, 0.765, 0.736], abs=0.002)
    assert -found.a * found.b == pytest.approx([1.856, 0.808, 1.804, 0.486, 1.855], abs=0.002)
    assert found.n.tolist() == [1000] * 5


def test_lsat_6_with_one_common_slope() -> None:
    # Rizopoulos (2006), Journal of Statistical Software 17(5), rasch() without constraint: log likelihood -2466.94,
    # difficulties -3.6153 -1.3224 -0.3176 -1.7301 -2.7802, discrimination 0.7551, errors 0.3266 0.1422 0.0977 0.1691
    # 0.2510 and 0.0694.
    rows, counts = table(LSAT6)
    found = calibrate(rows, "1PL", weights=counts)
    assert found.log_likelihood == pytest.approx(-2466.938, abs=0.001)
    assert found.b == pytest.approx([-3.6153, -1.3224, -0.3176, -1.7301, -2.7802], abs=0.0002)
    assert found.a == pytest.approx([0.7551] * 5, abs=0.0001)
    assert found.se_b == pytest.approx([0.3266, 0.1422, 0.0977, 0.1691, 0.2510], rel=0.005)
    assert found.se_a == pytest.approx([0.0694] * 5, abs=0.0001)


def test_a_slope_of_one_and_a_free_spread_is_the_same_model_as_a_common_slope() -> None:
    rows, counts = table(LSAT6)
    common, rasch = calibrate(rows, "1PL", weights=counts), calibrate(rows, "Rasch", weights=counts)
    assert rasch.log_likelihood == pytest.approx(common.log_likelihood, abs=1e-6)
    assert rasch.sds[0] == pytest.approx(common.a[0], abs=1e-5)
    assert rasch.se_sds[0] == pytest.approx(common.se_a[0], rel=1e-4)
    assert rasch.a.tolist() == [1] * 5
    assert np.isnan(rasch.se_a).all()


def test_lsat_6_under_the_two_parameter_model() -> None:
    # Rizopoulos (2006), ltm(LSAT ~ z1): log likelihood -2466.65; discriminations 0.8254 0.7229 0.8905 0.6886 0.6575,
    # difficulties -3.3597 -1.3696 -0.2799 -1.8659 -3.1236 (ltm stops at 1e-6 of the log likelihood, 21 Gauss-Hermite nodes).
    rows, counts = table(LSAT6)
    found = calibrate(rows, "2PL", weights=counts)
    assert found.log_likelihood == pytest.approx(-2466.65, abs=0.005)
    assert found.a == pytest.approx([0.8254, 0.7229, 0.8905, 0.6886, 0.6575], abs=0.001)
    assert found.b == pytest.approx([-3.3597, -1.3696, -0.2799, -1.8659, -3.1236], abs=0.003)
    assert found.se_a == pytest.approx([0.2581, 0.1867, 0.2326, 0.1852, 0.2100], rel=0.02)


def test_a_row_for_each_person_is_the_same_as_weighted_patterns() -> None:
    rows, counts = table(LSAT7)
    weighted, each = calibrate(rows, weights=counts), calibrate(persons(LSAT7))
    assert each.a == pytest.approx(weighted.a, abs=1e-9)
    assert each.se_b == pytest.approx(weighted.se_b, abs=1e-9)
    assert each.log_likelihood == pytest.approx(weighted.log_likelihood, abs=1e-8)

"""Sixty on an easy form is less than sixty on a hard one: by how much, and how sure."""

from __future__ import annotations

import numpy as np
import pytest

from qbank.statistics.equating import FormCurve, equated_cut


def form(b: list[float], a: float = 1.0, c: float = 0.0, se_b: float = 0.0, worth: list[float] | None = None) -> FormCurve:
    n = len(b)
    covariances = np.zeros((n, 3, 3))
    covariances[:, 1, 1] = se_b**2
    return FormCurve(np.full(n, a), np.array(b), np.full(n, c), np.array(worth or [1.0] * n), covariances)


def test_a_harder_form_needs_less_by_hand() -> None:
    # One Rasch item at b = 0: P = 0.6 at θ = ln 1.5. On an item at b = ln 1.5 that ability has P = 0.5.
    found = equated_cut(form([0.0]), form([np.log(1.5)]), 0.6)
    assert found.theta == pytest.approx(np.log(1.5))
    assert found.share == pytest.approx(0.5)
    assert found.se == 0.0


def test_points_weigh() -> None:
    # Points 3 and 1: at θ the share is (3 P1 + P2) / 4; at θ = 0 with b = 0 and b = ln 3: (3 · 0.5 + 0.25) / 4 = 0.4375.
    assert form([0.0, np.log(3)], worth=[3.0, 1.0]).share(0.0) == pytest.approx(0.4375)


def test_the_error_is_that_of_repeated_calibrations() -> None:
    """10,000 draws of the parameters from their errors, equated each time."""
    draw, old, new = np.random.default_rng(1), [-0.6, -0.1, 0.4, 0.9], [-0.2, 0.3, 0.6, 1.4]
    found = equated_cut(form(old, se_b=0.1), form(new, se_b=0.15))
    again = [equated_cut(form((np.array(old) + draw.normal(0, 0.1, 4)).tolist()),
                         form((np.array(new) + draw.normal(0, 0.15, 4)).tolist())) for _ in range(4000)]
    assert found.se == pytest.approx(float(np.std([one.share for one in again])), rel=0.05)
    assert found.theta_se == pytest.approx(float(np.std([one.theta for one in again])), rel=0.05)


def test_the_reference_form_keeps_its_mark() -> None:
    one = form([-0.5, 0.5], se_b=0.1)
    found = equated_cut(one, one, same=True)
    assert (found.share, found.se) == (0.6, 0.0)
    assert found.theta_se > 0


def test_a_mark_that_guessing_reaches_has_no_ability() -> None:
    found = equated_cut(form([0.0], c=0.7), form([0.0]), 0.6)
    assert np.isnan(found.share)
    with pytest.raises(ValueError, match="inside"):
        equated_cut(form([0.0]), form([0.0]), 1.0)

"""The same 60 on every form: what share of another form's points the pass mark of the reference form is worth. Pure.

True-score equating by item response theory (Kolen & Brennan 2014, section 6.5): the ability at which the reference form's
expected score is the pass mark is looked up on the other form's characteristic curve. Logistic metric (D = 1).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import optimize
from scipy.special import expit

from qbank.statistics.arrays import Floats

LOWEST, HIGHEST = -8.0, 8.0


@dataclass(frozen=True, eq=False)
class FormCurve:
    """One form: ``a``, ``b``, ``c`` (items,), ``worth`` (items,) the points of each item, ``covariances`` (items, 3, 3) of
    (a, b, c), NaN read as 0: a parameter that is fixed."""

    a: Floats
    b: Floats
    c: Floats
    worth: Floats
    covariances: Floats

    def share(self, theta: float) -> float:
        """Expected share of the form's points at ``theta``."""
        p = self.c + (1 - self.c) * expit(self.a * (theta - self.b))
        return float(self.worth @ p / self.worth.sum())

    def slope(self, theta: float) -> float:
        """Derivative of :meth:`share` by theta."""
        s = expit(self.a * (theta - self.b))
        return float(self.worth @ ((1 - self.c) * self.a * s * (1 - s)) / self.worth.sum())

    def variance(self, theta: float) -> float:
        """Of :meth:`share` at a fixed theta, from the errors of the items' parameters (delta method)."""
        s = expit(self.a * (theta - self.b))
        bend = (1 - self.c) * s * (1 - s)
        by = np.stack([bend * (theta - self.b), -bend * self.a, 1 - s], axis=1) * (self.worth / self.worth.sum())[:, None]
        return float(np.einsum("ji,jik,jk->", by, np.nan_to_num(self.covariances), by))

    def ability_at(self, share: float) -> float:
        """Theta at which ``share`` is expected; NaN where no ability between -8 and 8 expects it."""
        if not self.share(LOWEST) < share < self.share(HIGHEST):
            return float("nan")
        return float(optimize.brentq(lambda theta: self.share(theta) - share, LOWEST, HIGHEST, xtol=1e-10))


@dataclass(frozen=True)
class EquatedCut:
    """``theta`` the ability of the pass mark with ``theta_se``; ``share`` of this form's points that it is worth, with
    ``se``. On the reference form itself ``share`` is the pass mark and ``se`` 0."""

    theta: float
    theta_se: float
    share: float
    se: float


def equated_cut(reference: FormCurve, form: FormCurve, cut: float = 0.6, *, same: bool = False) -> EquatedCut:
    """Where ``cut`` (a share of the reference form's points) lies on ``form``.

    Standard errors by the delta method; the items of the two forms are taken to be estimated independently, so that common
    items make the stated error too large rather than too small. ``same`` says that form and reference are one.
    ValueError for a cut outside (0, 1).
    """
    if not 0 < cut < 1:
        raise ValueError("the cut is a share of the points, inside (0, 1)")
    theta = reference.ability_at(cut)
    if np.isnan(theta):
        return EquatedCut(theta, theta, theta, theta)
    theta_variance = reference.variance(theta) / reference.slope(theta) ** 2
    if same:
        return EquatedCut(theta, float(np.sqrt(theta_variance)), cut, 0.0)
    variance = form.variance(theta) + form.slope(theta) ** 2 * theta_variance
    return EquatedCut(theta, float(np.sqrt(theta_variance)), form.share(theta), float(np.sqrt(variance)))

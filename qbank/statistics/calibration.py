"""What a calibration found. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from qbank.statistics.arrays import Flags, Floats


@dataclass(frozen=True, eq=False)
class Calibration:
    """Item parameters in the logistic metric, D = 1: P = c + (1 - c) / (1 + exp(-a (theta - b))).

    ``a, b, c, se_a, se_b, se_c`` (items,): NaN where undefined, and then ``reasons`` says why by the item's place; a
    standard error is NaN where the parameter is fixed, or was not asked for. ``covariances`` (items, 3, 3) of (a, b, c).
    ``models`` (items,) each item's own model; ``thresholds`` (items, steps) NaN-padded, for models with more than one step,
    else None: then b is their mean and c is 0. ``n`` (items,) weighted answers; ``anchored`` (items,) parameters given, not
    estimated. ``groups`` their labels, ``means`` and ``sds`` of theta with errors (NaN where fixed).
    ``log_posterior`` is the log likelihood plus the log prior density; ``gradient_norm`` the Euclidean norm of its gradient
    by the free (a, b, c, mean, sd), nought at a mode. ``nodes`` of the quadrature at the end. Never use one that has not
    ``converged``. ``warnings`` are sentences.
    """

    model: str
    a: Floats
    b: Floats
    c: Floats
    se_a: Floats
    se_b: Floats
    se_c: Floats
    log_likelihood: float
    gradient_norm: float
    iterations: int
    converged: bool
    nodes: int
    log_posterior: float
    n: Floats
    models: tuple[str, ...]
    anchored: Flags
    covariances: Floats
    groups: tuple[Any, ...] = (None,)
    means: Floats = field(default_factory=lambda: np.zeros(1))
    sds: Floats = field(default_factory=lambda: np.ones(1))
    se_means: Floats = field(default_factory=lambda: np.full(1, np.nan))
    se_sds: Floats = field(default_factory=lambda: np.full(1, np.nan))
    thresholds: Floats | None = None
    items: tuple[str, ...] | None = None
    reasons: Mapping[int, str] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    parameters: int = 0

    @property
    def n_items(self) -> int:
        return len(self.a)

    @property
    def defined(self) -> Flags:
        """Items with all parameters, (items,)."""
        return np.asarray(np.isfinite(self.a) & np.isfinite(self.b) & np.isfinite(self.c))

    @property
    def aic(self) -> float:
        """Akaike (1974): 2 k - 2 log L."""
        return 2 * self.parameters - 2 * self.log_likelihood

    def curve_parameters(self) -> Floats:
        """(items, 3) of a, d, g as :mod:`engine.curves` takes them; an undefined item gets a flat curve that says nothing."""
        known = self.defined
        a = np.where(known, self.a, 0.0)
        c = np.where(known, self.c, 0.0)
        with np.errstate(divide="ignore"):
            g = np.log(c) - np.log1p(-c)
        return np.stack([a, np.where(known, -a * np.where(known, self.b, 0.0), 0.0), g], axis=1)


def known_items(a: npt.ArrayLike, b: npt.ArrayLike, c: npt.ArrayLike = 0.0) -> Calibration:
    """A calibration from parameters that are known already, such as a bank's, for scoring and information."""
    slope, place = np.atleast_1d(np.asarray(a, dtype=np.float64)), np.atleast_1d(np.asarray(b, dtype=np.float64))
    size = max(len(slope), len(place))
    slope, place, low = (np.array(np.broadcast_to(part, size), dtype=np.float64) for part in (slope, place, np.asarray(c)))
    if ((low < 0) | (low >= 1)).any():
        raise ValueError("c lies from 0 up to 1")
    unknown = np.full(size, np.nan)
    model = "3PL" if (low > 0).any() else "2PL"
    return Calibration(model, slope, place, low, unknown, unknown, unknown, float("nan"), float("nan"), 0, True, 0,
                       float("nan"), np.zeros(size), (model,) * size, np.ones(size, dtype=bool), np.full((size, 3, 3), np.nan))

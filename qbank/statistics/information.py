"""Item and test information of calibrated items. Pure."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from qbank.statistics.arrays import Floats
from qbank.statistics.calibration import Calibration
from qbank.statistics.engine.curves import curves
from qbank.statistics.engine.curves import item_information as information_of


def item_information(calibration: Calibration, theta: npt.ArrayLike) -> Floats:
    """Fisher information of each item at ``theta`` (points,), as (points, items): P'^2 / (P Q).

    Birnbaum (1968) in Lord and Novick, equation 20.3.5. NaN for items that have no parameters.
    """
    points = np.atleast_1d(np.asarray(theta, dtype=np.float64))
    found = information_of(points, calibration.curve_parameters())
    found[:, ~calibration.defined] = np.nan
    return found


def test_information(calibration: Calibration, theta: npt.ArrayLike) -> Floats:
    """Sum of the items' information at ``theta``, (points,); items without parameters are left out."""
    return np.asarray(np.nansum(item_information(calibration, theta), axis=1))


def measurement_error(calibration: Calibration, theta: npt.ArrayLike) -> Floats:
    """Standard error of a maximum likelihood ability at ``theta``, (points,): 1 / sqrt(test information)."""
    with np.errstate(divide="ignore"):
        return np.asarray(1 / np.sqrt(test_information(calibration, theta)))


def probabilities(calibration: Calibration, theta: npt.ArrayLike) -> Floats:
    """P(right) of each item at ``theta`` (points,), as (points, items); NaN for items that have no parameters."""
    points = np.atleast_1d(np.asarray(theta, dtype=np.float64))
    found = curves(points, calibration.curve_parameters()).right.copy()
    found[:, ~calibration.defined] = np.nan
    return found


test_information.__test__ = False  # type: ignore[attr-defined]  # pytest must not take it for a test

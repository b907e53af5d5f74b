"""Abilities of persons from items scored in steps, by EAP, MAP and Warm's WLE. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, TypeAlias

import numpy as np
import numpy.typing as npt
from scipy.special import softmax

from qbank.statistics.arrays import Floats
from qbank.statistics.steps import TINY, StepModel, probabilities, slopes_of_log

Method: TypeAlias = Literal["EAP", "MAP", "WLE"]
Item: TypeAlias = tuple[StepModel, float, Floats]  # model, slope, intercepts
REACH, NODES = 10.0, 801


def step_ability(items: Sequence[Item | None], scores: npt.NDArray[np.int8], method: Method) -> tuple[Floats, Floats]:
    """theta and its standard error of each person, both (persons,), with a standard normal prior for EAP and MAP.

    ``items`` None where there are no parameters; ``scores`` 0..m or negative for not presented. EAP is the posterior mean
    and standard deviation; MAP its mode with 1 / sqrt(information + 1); WLE (Warm 1989, Psychometrika 54, 427-450) the root
    of l' + J / (2 I), J the sum over steps of P' P'' / P, with 1 / sqrt(information); NaN beyond 10.
    """
    theta = np.linspace(-REACH, REACH, NODES)
    log_likelihood, information, bias = _tables(items, scores, theta)
    if method == "EAP":
        posterior = softmax(log_likelihood - theta**2 / 2, axis=1)
        mean = posterior @ theta
        return mean, np.sqrt(np.maximum(posterior @ theta**2 - mean**2, 0.0))
    rise = np.gradient(log_likelihood, theta, axis=1, edge_order=2)
    if method == "MAP":
        found = _root(rise - theta, theta)
        return found, 1 / np.sqrt(_at(information, theta, found) + 1)
    with np.errstate(invalid="ignore", divide="ignore"):
        found = _root(rise + np.where(information > 0, bias / (2 * information), 0.0), theta)
        return found, 1 / np.sqrt(_at(information, theta, found))


def _tables(items: Sequence[Item | None], scores: npt.NDArray[np.int8], theta: Floats) -> tuple[Floats, Floats, Floats]:
    """log likelihood, information and J of each person at each node, (persons, nodes)."""
    found = tuple(np.zeros((len(scores), theta.size)) for _ in range(3))
    for j, item in enumerate(items):
        if item is None:
            continue
        model, a, d = item
        chance = probabilities(model, a, d, theta)
        first = chance * a * _by_theta(model, a, d, theta)
        second = np.gradient(first, theta, axis=1, edge_order=2)
        given = scores[:, j] >= 0
        found[0][given] += np.log(np.maximum(chance, TINY))[scores[given, j]]
        found[1][given] += (first**2 / np.maximum(chance, TINY)).sum(axis=0)
        found[2][given] += (first * second / np.maximum(chance, TINY)).sum(axis=0)
    return found[0], found[1], found[2]


def _by_theta(model: StepModel, a: float, d: Floats, theta: Floats) -> Floats:
    """d log P_k / d(a θ), (m + 1, nodes): the derivatives by all intercepts together."""
    return np.asarray(slopes_of_log(model, a, d, theta)[1:].sum(axis=0))


def _root(rise: Floats, theta: Floats) -> Floats:
    """Where each row last crosses from above to below, by linear interpolation; NaN where it does not."""
    falls = (rise[:, :-1] > 0) & (rise[:, 1:] <= 0)
    some = falls.any(axis=1)
    place = np.where(some, falls.argmax(axis=1), 0)
    row = np.arange(len(rise))
    left, right = rise[row, place], rise[row, place + 1]
    share = np.where(some, left / np.where(some, left - right, 1.0), np.nan)
    return np.asarray(theta[place] + share * (theta[1] - theta[0]))


def _at(table: Floats, theta: Floats, points: Floats) -> Floats:
    """``table`` (persons, nodes) at each person's own point, by linear interpolation."""
    place = np.nan_to_num((points - theta[0]) / (theta[1] - theta[0]))
    low = np.clip(place.astype(np.int64), 0, theta.size - 2)
    row, share = np.arange(len(table)), place - low
    return np.asarray(np.where(np.isnan(points), np.nan, table[row, low] * (1 - share) + table[row, low + 1] * share))

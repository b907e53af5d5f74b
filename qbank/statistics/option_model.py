"""How likely each person was to choose each option: the ground on which two papers are compared. Pure.

Bock's nominal response model (1972, Psychometrika 37, 29-51), P(option | z) proportional to exp(zeta + lambda z), with the
standardised share right on the own form in the place of the latent ability, so that each item is a small regression of its
own. Leaving an item open is an option like others.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import special

from qbank.statistics.classical import totals
from qbank.statistics.responses import OMITTED, Responses

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]

RIDGE = 0.1  # answers' worth of pull towards no difference: an option that two people chose gets no wild slope
_STEPS = 50


@dataclass(frozen=True)
class OptionModel:
    """``probabilities`` (persons, items, options), 0 where an option does not occur on an item; ``codes`` (persons, items)
    the option that each chose, -1 where nothing was presented; ``options`` their names, "" for left open."""

    probabilities: Floats
    codes: Integers
    options: tuple[str, ...]


def option_model(responses: Responses) -> OptionModel:
    """Fit every item of responses with raw choices. ValueError without choices.

    Not reached counts as not presented.
    """
    if responses.choices is None:
        raise ValueError("answers are compared by the raw choices")
    codes, options = option_codes(responses)
    share = totals(responses).share
    standard = np.nan_to_num((share - np.nanmean(share)) / (np.nanstd(share) or 1.0))
    values, place = np.unique(standard, return_inverse=True)
    probabilities = np.zeros((*codes.shape, len(options)))
    for item in range(codes.shape[1]):
        here = codes[:, item] >= 0
        cell = place[here] * len(options) + codes[here, item]
        counts = np.bincount(cell, minlength=len(values) * len(options)).reshape(len(values), -1).astype(np.float64)
        used = np.flatnonzero(counts.sum(axis=0))
        if len(used):
            probabilities[:, item, used] = fit_options(counts[:, used], values)[place]
    return OptionModel(probabilities, codes, options)


def fit_options(counts: Floats, ability: Floats) -> Floats:
    """Multinomial logistic regression by Newton's method: ``counts`` (levels, options) of answers at each level of
    ``ability`` (levels,) to probabilities (levels, options)."""
    options = counts.shape[1]
    if options == 1:
        return np.ones_like(counts)
    design = np.column_stack([np.ones(len(ability)), ability])
    n = counts.sum(axis=1)
    start = np.log((counts.sum(axis=0) + 0.5) / (n.sum() + 0.5 * options))
    found = np.vstack([start - start.mean(), np.zeros(options)])
    for _ in range(_STEPS):
        p = special.softmax(design @ found, axis=1)
        gradient = design.T @ (counts - n[:, None] * p) - RIDGE * found
        step = np.linalg.solve(_information(design, p, n) + RIDGE * np.eye(2 * options), gradient.ravel()).reshape(2, options)
        found = found + np.clip(step, -2.0, 2.0)
        if np.abs(step).max() < 1e-8:
            break
    return np.asarray(special.softmax(design @ found, axis=1), dtype=np.float64)


def _information(design: Floats, p: Floats, n: Floats) -> Floats:
    """Information of (constants, slopes), (2 options, 2 options)."""
    options = p.shape[1]
    found = np.zeros((2, options, 2, options))
    for one in range(2):
        for other in range(2):
            weight = n * design[:, one] * design[:, other]
            found[one, :, other, :] = np.diag(weight @ p) - (p * weight[:, None]).T @ p
    return found.reshape(2 * options, 2 * options)


def option_codes(responses: Responses) -> tuple[Integers, tuple[str, ...]]:
    """The chosen options as codes, and their names in order; ValueError without choices."""
    scores, choices = responses.dense(), _dense_choices(responses)
    texts = np.where(scores == OMITTED, "", choices)
    codes, names = pd.factorize(texts.ravel(), sort=True)
    shown = (scores >= 0) | (scores == OMITTED)
    return np.where(shown, codes.reshape(scores.shape), -1).astype(np.int64), tuple(str(name) for name in names)


def _dense_choices(responses: Responses) -> npt.NDArray[Any]:
    if responses.choices is None:
        raise ValueError("answers are compared by the raw choices")
    if not responses.sparse:
        return responses.choices.astype(str)
    full = np.full(responses.scores.shape, "", dtype=object)
    rows = np.repeat(np.arange(responses.persons), np.diff(responses.scores.indptr))
    full[rows, responses.scores.indices] = responses.choices.astype(str)
    return full.astype(str)

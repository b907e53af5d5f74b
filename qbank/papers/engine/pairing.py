"""Which two swaps may help together where neither does alone. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from qbank.papers.engine.arrays import Floats, Integers
from qbank.papers.engine.state import HARD_COST

if TYPE_CHECKING:
    from qbank.papers.engine.search import Search

FIRST = 40  # first swaps of a pair that is to mend what is broken
NEAREST = 600  # by the distance of each to each
LIKELY = 128  # pairs that are looked at in full


def after_each(search: Search, form: int, out: Integers, into: Integers) -> tuple[Integers, Integers]:
    """The best second swap after each of the first ones that mend something, whatever else those may break."""
    state = search.state
    moves, aside = state.content[into] - state.content[out], search.aside(form, out, into) + search.dearer(out, into)
    sums = state.sums[form]
    mending = np.flatnonzero(state.relief(form, moves) + HARD_COST * state.blocked[form, out] + _loosened(search, form, out) > 0)
    gain = (state.energy(sums + moves) + aside)[mending]
    first = mending[np.argsort(gain, kind="stable")[:FIRST]]
    if not len(first):
        return first, first
    both = state.energy(sums + moves[first][:, None, :] + moves[None, :, :]) + aside[first][:, None] + aside[None, :]
    both[(out[first][:, None] == out[None, :]) | (into[first][:, None] == into[None, :])] = np.inf
    return first, np.argmin(both, axis=1)


def _loosened(search: Search, form: int, out: Integers) -> Floats:
    """What the groups gain when an item goes."""
    gains = (np.maximum(0.0, -less[labels[out]]) for labels, less, _ in search.state.group_costs(form))
    return np.asarray(sum(gains, np.zeros(len(out))))


def nearest(search: Search, form: int, out: Integers, into: Integers) -> tuple[Integers, Integers]:
    """Of each swap the partner that gives back what it takes from every count, and with which it comes nearest to the missing
    information in the whitened space; the likeliest few."""
    state, bands = search.state, len(search.state.low)
    harmless = np.ones(len(out), dtype=bool)
    for labels, fewer, another in state.group_costs(form):
        harmless &= (labels[out] == labels[into]) | (fewer[labels[out]] + another[labels[into]] <= 0)
    kept = np.flatnonzero(harmless)
    if len(kept) < 2:
        return kept[:0], kept[:0]
    if len(kept) > NEAREST:
        kept = kept[np.linspace(0, len(kept) - 1, NEAREST).astype(np.int64)]
    less, more = state.steps(state.sums[form])
    codes = np.random.default_rng(0).integers(1, 1 << 40, len(less)).astype(np.float64)  # sums of them tell counts apart
    tight = np.flatnonzero(less + more > 0)
    told = (state.counts[into[kept]][:, tight] - state.counts[out[kept]][:, tight]) @ codes[tight]
    moves = (state.content[into[kept], bands:] - state.content[out[kept], bands:]) / state.target
    spread, axes = np.linalg.eigh(np.atleast_2d(np.cov(moves.T)))
    scale = axes / np.sqrt(np.maximum(spread, 1e-6 * spread[-1] + 1e-15))
    white, goal = moves @ scale, (1 - state.sums[form, bands:] / state.target) @ scale
    white, goal = white.astype(np.float32), goal.astype(np.float32)  # to choose by; what is chosen is counted in full
    rest = goal - white
    distance = (rest**2).sum(axis=1)[:, None] + (white**2).sum(axis=1)[None, :] - 2 * rest @ white.T
    distance[told[:, None] != -told[None, :]] = np.inf
    np.fill_diagonal(distance, np.inf)
    partner = np.argmin(distance, axis=1)
    least = distance[np.arange(len(kept)), partner]
    likely = np.argsort(least, kind="stable")[:LIKELY]
    likely = likely[np.isfinite(least[likely])]
    return kept[likely], kept[partner[likely]]

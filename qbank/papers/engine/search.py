"""Swaps: from forms that are nearly right to forms that are. Pure.

Every swap stays within a cell, so quotas hold throughout. Single swaps go downhill over everything that is asked, hard
rules first because they cost most; then two swaps at once close what is left of the distance to the target: of all pairs of swaps between items
alike in every other respect, the pair whose changes of information add up to the residual in the whitened space (the
neighbourhood of Swanson and Stocking 1993 and of the greedy heuristics of Luecht 1998, searched by distance).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeAlias

import numpy as np

from qbank.papers.engine.arrays import Flags, Floats, Integers
from qbank.papers.engine.problem import AIM_COST, SHARE_COST
from qbank.papers.engine.state import HARD_COST, State
from qbank.papers.engine.units import classes

WIDTHS = (12, 48, 192)  # partners tried for each item of a form, more when fewer did not help
STEPS = 400  # swaps of one form in one pass
CLOSE = 2e-4  # share of the target; nearer is not worth the search
GOOD = 1e-3  # and so far it may be in the end
AT_ONCE = 12  # swaps made of one draw
SLIGHT = 1e-7  # a gain that is none
SAMPLE = 1_200  # swaps that are paired with one another
FIRST = 40  # first swaps of a pair that is to mend what is broken
LIKELY = 64  # pairs that are looked at in full
TRIED = 8  # and made, to see whether they help
FORMS = 12  # that exchange items with one another
PASSES = 6  # over all forms
SHAKES = 40  # of forms that miss a hard rule
FEW = 30  # and of forms that are only off target
KICKS = 3  # swaps of one shake
PAIRS = 12  # pairs of swaps of one form in one pass
Pairing: TypeAlias = "Callable[[int, Integers, Integers], tuple[Integers, Integers]]"


class Search:
    """Improve the forms of `state` in place. `fixed` (forms, n) items that stay where they are; `shadow` (n,), if given, the
    only items that come in (van der Linden 2005, chapter 6: the shadow test holds whatever the forms may need)."""

    def __init__(self, state: State, fixed: Flags, rng: np.random.Generator, shadow: Flags | None = None) -> None:
        self.state, self.fixed, self.rng = state, fixed, rng
        problem = state.problem
        single = problem.open()
        for members in problem.sets:
            single[members] = False
        if shadow is not None:
            single &= shadow
        self.order = np.argsort(problem.cells, kind="stable")
        self.order = self.order[single[self.order]]
        self.alike = classes(problem)

    def run(self, progress: Callable[[int, int, str], None], finish: int = 0) -> None:
        """Downhill form by form while that helps; then shake a form that still misses a hard rule and go downhill again;
        last, `finish` shakes of any form that still pays for something."""
        self.state.settle()
        before = self.cost()
        for _ in range(PASSES):
            self._once(range(len(self.state.on)), progress)
            after = self.cost()
            if before - after < 1e-6 + 1e-4 * abs(before):
                break
            before = after
        for unwell, shakes in ((self.state.misses, SHAKES), (self.far, FEW), (lambda form: not self.settled(form), finish)):
            for _ in range(shakes):
                forms = [form for form in range(len(self.state.on)) if unwell(form)]
                if not forms:
                    break
                self._shake(int(self.rng.choice(forms)))

    def far(self, form: int) -> bool:
        """Off its target by more than is good; how far a maximin stays below its bound is not known to be avoidable."""
        state = self.state
        return state.aims > 0 and not state.one_sided and float(state.deviation(state.sums[form, len(state.low):])) > GOOD

    def cost(self, forms: Iterable[int] | None = None) -> float:
        return sum(self.state.cost(form) for form in (range(len(self.state.on)) if forms is None else forms))

    def _once(self, forms: Iterable[int], progress: Callable[[int, int, str], None] | None = None) -> None:
        for form in forms:
            if progress is not None:
                progress(form, len(self.state.on), f"换题优化第 {form + 1} 套")
            self.downhill(form)
            self.close(form)
        self.state.settle()

    def _shake(self, form: int) -> None:
        """A few swaps that do not cost much, then downhill; back again unless all is no dearer (iterated local search:
        Lourenço, Martin and Stützle 2003)."""
        touched = range(len(self.state.on)) if len(self.state.on) <= FORMS else [form]
        saved, before = self.state.saved(), self.cost(touched)
        for _ in range(KICKS):
            out, into, owner = self.candidates(form, WIDTHS[0])
            if not len(out):
                return
            likely = np.argsort(self.change(form, out, into, owner), kind="stable")[: 1 + len(out) // 8]
            place = int(self.rng.choice(likely))
            self.swap(form, int(out[place]), int(into[place]), int(owner[place]))
        self._once([other for other in touched if other == form or self.state.misses(other)])
        if self.cost(touched) > before:
            self.state.restore(saved)

    def downhill(self, form: int) -> None:
        """The best of the swaps that are drawn, again and again, until the widest draw holds none that helps."""
        width = 0
        for _ in range(STEPS):
            if width == len(WIDTHS) or self.settled(form):
                return
            out, into, owner = self.candidates(form, WIDTHS[width])
            if not len(out):
                return
            width = max(0, width - 1) if self._take_best(form, out, into, owner) else width + 1

    def _take_best(self, form: int, out: Integers, into: Integers, owner: Integers) -> bool:
        """Swap the best, and then those of the next best that still help; False if none does."""
        gain = self.change(form, out, into, owner)
        likely = np.argsort(gain, kind="stable")[:AT_ONCE]
        swapped = 0
        for place in likely[gain[likely] < -SLIGHT]:
            one = np.array([place])
            if swapped and not (self._possible(form, int(out[place]), int(into[place]), int(owner[place]))
                                and self.change(form, out[one], into[one], owner[one])[0] < -SLIGHT):
                continue
            self.swap(form, int(out[place]), int(into[place]), int(owner[place]))
            swapped += 1
        return swapped > 0

    def _possible(self, form: int, out: int, into: int, owner: int) -> bool:
        """Whether a swap drawn before others were made can still be made."""
        state = self.state
        if not state.on[form, out] or state.on[form, into] or state.blocked[form, into]:
            return False
        if owner >= 0:
            return bool(state.on[owner, into] and not state.on[owner, out] and not state.blocked[owner, out])
        return not state.full(form)[into]

    def settled(self, form: int) -> bool:
        """Close enough to the target, and nothing else to pay for."""
        state = self.state
        off = float(state.deviation(state.sums[form, len(state.low):])) if state.aims else 0.0
        return off <= CLOSE and state.cost(form) - AIM_COST * off < SLIGHT

    def candidates(self, form: int, width: int) -> tuple[Integers, Integers, Integers]:
        """(out, into, form that gives `into` away or -1): up to `width` partners for each movable item of the form."""
        state = self.state
        slots = np.flatnonzero(state.on[form] & ~self.fixed[form])
        free = ~state.on[form] & (state.blocked[form] == 0)
        full = state.full(form)
        lone = (state.used == 1) & (state.problem.uses == 1)
        owner = np.where(lone, np.argmax(state.on, axis=0), -1)
        given = lone & ~self.fixed[owner, np.arange(len(owner))] if 1 < len(state.on) <= FORMS else np.zeros(len(owner), dtype=bool)
        free &= ~full | given
        drawn = self.order[free[self.order]]
        first = np.searchsorted(state.problem.cells[drawn], np.arange(len(state.problem.quotas) + 1))
        cell = state.problem.cells[slots]
        held = (first[1:] - first[:-1])[cell]
        picks = np.broadcast_to(np.arange(width), (len(slots), width))
        random = self.rng.integers(0, 1 << 30, size=(len(slots), width)) % np.maximum(held, 1)[:, None]
        picks = np.where(held[:, None] <= width, picks, random)
        slot, column = np.nonzero(picks < held[:, None])
        into = drawn[first[cell[slot]] + picks[slot, column]]
        out = slots[slot]
        giver = np.where(given[into], owner[into], -1)
        kept = (giver < 0) | (state.blocked[giver, out] == 0)
        return out[kept], into[kept], giver[kept]

    def change(self, form: int, out: Integers, into: Integers, owner: Integers) -> Floats:
        """What each swap adds to the cost of all forms together."""
        gain = self._one_form(form, out, into)
        swapped = np.flatnonzero(owner >= 0)
        for other in np.unique(owner[swapped]):
            here = swapped[owner[swapped] == other]
            gain[here] += self._one_form(int(other), into[here], out[here])
        alone = owner < 0
        gain[alone] += self._dearer(out[alone], into[alone])
        return gain

    def _dearer(self, out: Integers, into: Integers) -> Floats:
        """What items that come in cost more than those that go, sharing with other forms included."""
        state = self.state
        gain = state.problem.costs[into] - state.problem.costs[out]
        if state.problem.overlap is None:
            gain = gain + SHARE_COST * (state.used[into] - state.used[out] + 1)
        return np.asarray(gain)

    def _one_form(self, form: int, out: Integers, into: Integers) -> Floats:
        state = self.state
        sums = state.sums[form]
        gain = state.energy(sums + state.content[into] - state.content[out]) - state.energy(sums)
        return np.asarray(gain + self._aside(form, out, into))

    def swap(self, form: int, out: int, into: int, owner: int) -> None:
        state = self.state
        state.take(form, out)
        if owner >= 0:
            state.take(owner, into)
            state.put(owner, out)
        state.put(form, into)

    def close(self, form: int) -> None:
        """Two swaps at once: first while they mend what one alone cannot, then while they bring the information closer."""
        for _ in range(PAIRS):
            if self.settled(form) or not ((self.state.aims > 0 and self._pair(form, self._nearest)) or self._pair(form, self._after_each)):
                return

    def _pair(self, form: int, pairs: Pairing) -> bool:
        """The best of the pairs of swaps that `pairs` thinks likely, made if it helps."""
        state = self.state
        out, into, owner = self.candidates(form, WIDTHS[1] // 2)
        out, into = out[owner < 0], into[owner < 0]
        if len(out) > SAMPLE:
            chosen = np.sort(self.rng.choice(len(out), SAMPLE, replace=False))
            out, into = out[chosen], into[chosen]
        one, other = pairs(form, out, into) if len(out) > 1 else (out[:0], out[:0])
        kept = (out[one] != out[other]) & (into[one] != into[other])
        one, other = one[kept], other[kept]
        if not len(one):
            return False
        moves = state.content[into] - state.content[out]
        gain = state.energy(state.sums[form] + moves[one] + moves[other]) - state.energy(state.sums[form])
        aside = self._aside(form, out, into) + self._dearer(out, into)
        gain += aside[one] + aside[other]
        for best in np.argsort(gain, kind="stable")[:TRIED]:
            if gain[best] >= -SLIGHT:
                return False
            if self._made(form, [(int(out[p]), int(into[p])) for p in (one[best], other[best])]):
                return True
        return False

    def _aside(self, form: int, out: Integers, into: Integers) -> Floats:
        """What swaps cost this form besides bands and aim: enemies and groups."""
        state = self.state
        gain = -HARD_COST * state.blocked[form, out].astype(np.float64)
        for labels, less, more in state.group_costs(form):
            gain += np.where(labels[out] == labels[into], 0.0, less[labels[out]] + more[labels[into]])
        return np.asarray(gain)

    def _made(self, form: int, swaps: list[tuple[int, int]]) -> bool:
        """Make both swaps; back again unless they help together and are within use and overlap."""
        before = self.state.cost(form)
        for gone, come in swaps:
            self.swap(form, gone, come, -1)
        if self.state.cost(form) < before - SLIGHT and self._legal(form, [come for _, come in swaps]):
            return True
        for gone, come in reversed(swaps):
            self.swap(form, come, gone, -1)
        return False

    def _after_each(self, form: int, out: Integers, into: Integers) -> tuple[Integers, Integers]:
        """The best second swap after each of the first ones that mend something, whatever else those may break."""
        state = self.state
        moves, aside = state.content[into] - state.content[out], self._aside(form, out, into) + self._dearer(out, into)
        sums = state.sums[form]
        mending = np.flatnonzero(state.relief(form, moves) + HARD_COST * state.blocked[form, out] + self._loosened(form, out) > 0)
        gain = (state.energy(sums + moves) + aside)[mending]
        first = mending[np.argsort(gain, kind="stable")[:FIRST]]
        if not len(first):
            return first, first
        both = state.energy(sums + moves[first][:, None, :] + moves[None, :, :]) + aside[first][:, None] + aside[None, :]
        both[(out[first][:, None] == out[None, :]) | (into[first][:, None] == into[None, :])] = np.inf
        return first, np.argmin(both, axis=1)

    def _loosened(self, form: int, out: Integers) -> Floats:
        """What the groups gain when an item goes."""
        gains = (np.maximum(0.0, -less[labels[out]]) for labels, less, _ in self.state.group_costs(form))
        return np.asarray(sum(gains, np.zeros(len(out))))

    def _legal(self, form: int, items: list[int]) -> bool:
        """Two swaps that are each within the overlap may not be so together."""
        state = self.state
        limit = state.problem.overlap
        others = np.arange(len(state.on)) != form
        return all(state.used[item] <= state.problem.uses[item] for item in items) and (
            limit is None or bool((state.shared[form][others] <= limit).all()))

    def _nearest(self, form: int, out: Integers, into: Integers) -> tuple[Integers, Integers]:
        """Of each swap between items alike but for their information the partner with which it comes nearest to what is
        missing, in the whitened space; the likeliest few."""
        state, bands = self.state, len(self.state.low)
        same = np.flatnonzero(self.alike[out] == self.alike[into])
        if len(same) < 2:
            return same[:0], same[:0]
        moves = (state.content[into[same], bands:] - state.content[out[same], bands:]) / state.target
        spread, axes = np.linalg.eigh(np.atleast_2d(np.cov(moves.T)))
        scale = axes / np.sqrt(np.maximum(spread, 1e-6 * spread[-1] + 1e-15))
        white, goal = moves @ scale, (1 - state.sums[form, bands:] / state.target) @ scale
        rest = goal - white
        distance = (rest**2).sum(axis=1)[:, None] + (white**2).sum(axis=1)[None, :] - 2 * rest @ white.T
        np.fill_diagonal(distance, np.inf)
        partner = np.argmin(distance, axis=1)
        likely = np.argsort(distance[np.arange(len(same)), partner], kind="stable")[:LIKELY]
        return same[likely], same[partner[likely]]

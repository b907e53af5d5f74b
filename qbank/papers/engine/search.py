"""Swaps: from forms that are nearly right to forms that are. Pure.

Every swap stays within a cell, so quotas hold throughout; sets change places as a whole. Single swaps go downhill over everything that is asked, hard
rules first because they cost most; then two swaps at once close what is left of the distance to the target: of all pairs of swaps between items
alike in every other respect, the pair whose changes of information add up to the residual in the whitened space (the
neighbourhood of Swanson and Stocking 1993 and of the greedy heuristics of Luecht 1998, searched by distance).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeAlias

import numpy as np

from qbank.papers.engine.arrays import Flags, Floats, Integers
from qbank.papers.engine.pairing import after_each, nearest
from qbank.papers.engine.sets import exchange
from qbank.papers.engine.state import HARD_COST, State

WIDTHS = (12, 48, 192)  # partners tried for each item of a form, more when fewer did not help
STEPS = 400  # swaps of one form in one pass
CLOSE = 2e-4  # share of the target; nearer is not worth the search
GOOD = 1e-3  # and so far it may be in the end
HEAVY = 10.0  # cost of that far from which it is searched for again
AT_ONCE = 12  # swaps made of one draw
SLIGHT = 1e-7  # a gain that is none
SAMPLE = 1_200  # swaps that are paired with one another
TRIED = 8  # and made, to see whether they help
FORMS = 12  # that exchange items with one another
PASSES = 6  # over all forms
WORST = 2  # forms that a maximin goes on with
GAIN, MET_GAIN = 1e-4, 0.05  # the least share of the cost that makes one more pass worth its time; where all is well
SHAKES = 40  # of forms that miss a hard rule
FEW = 30  # and of forms that are only off target
KICKS = 3  # swaps of one shake
PAIRS = 12  # pairs of swaps of one form in one pass
Pairing: TypeAlias = "Callable[[Search, int, Integers, Integers], tuple[Integers, Integers]]"


class Search:
    """Improve the forms of `state` in place. `fixed` (forms, n) items that stay where they are; `shadow` (n,), if given, the
    only items that come in (van der Linden 2005, chapter 6: the shadow test holds whatever the forms may need).
    `brief`: a form that keeps every hard rule is well."""

    def __init__(self, state: State, fixed: Flags, rng: np.random.Generator, shadow: Flags | None = None, *,
                 brief: bool = False) -> None:
        self.state, self.fixed, self.rng, self.brief = state, fixed, rng, brief
        problem = state.problem
        single = problem.open()
        for members in problem.sets:
            single[members] = False
        if shadow is not None:
            single &= shadow
        self.shares = problem.overlap != 0 and bool((problem.uses > 1).any())
        self.order = np.argsort(problem.cells, kind="stable")
        self.order = self.order[single[self.order]]  # movable items, cell by cell
        self.first = np.searchsorted(problem.cells[self.order], np.arange(len(problem.quotas)))
        self.held = np.bincount(problem.cells[self.order], minlength=len(problem.quotas))

    def run(self, progress: Callable[[int, int, str], None], finish: int = 0) -> None:
        """Downhill form by form while that helps; then shake a form that still misses a hard rule and go downhill again;
        last, `finish` shakes of any form that still pays for something."""
        self.state.settle()
        before, forms = self.cost(), list(range(len(self.state.on)))
        for _ in range(PASSES):
            self._once(forms, progress)
            after = self.cost()
            well = all(map(self.well, forms))
            little = MET_GAIN if well else GAIN
            if before - after < 1e-6 + little * abs(before) or (self.brief and not any(map(self.state.misses, range(len(self.state.on))))):
                break
            before = after
            if well and self.state.one_sided:  # the least of all forms is what counts
                forms = sorted(forms, key=self.state.cost)[-WORST:]
        for unwell, shakes in ((self.state.misses, SHAKES), (self.far, FEW), (lambda form: not self.settled(form), finish)):
            for _ in range(shakes):
                forms = [form for form in range(len(self.state.on)) if unwell(form)]
                if not forms:
                    break
                self._shake(int(self.rng.choice(forms)))

    def far(self, form: int) -> bool:
        """Off its target by more than is good; how far a maximin stays below its bound is not known to be avoidable, and a light
        target may give way to other rules."""
        state = self.state
        heavy = state.aims > 0 and not state.one_sided and state.problem.aim_cost * GOOD >= HEAVY
        return heavy and not self.brief and float(state.deviation(state.sums[form, len(state.low):])) > GOOD

    def cost(self, forms: Iterable[int] | None = None) -> float:
        return sum(self.state.cost(form) for form in (range(len(self.state.on)) if forms is None else forms))

    def _once(self, forms: Iterable[int], progress: Callable[[int, int, str], None] | None = None) -> None:
        for form in forms:
            if progress is not None:
                progress(form, len(self.state.on), f"换题优化第 {form + 1} 套")
            if self.state.problem.sets:
                exchange(self.state, form, SLIGHT)
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
            if width == len(WIDTHS) or self.settled(form) or (width == len(WIDTHS) - 1 and self.met(form)):
                return
            out, into, owner = self.candidates(form, WIDTHS[width])
            if not len(out):
                return
            if self._take_best(form, out, into, owner):
                width = max(0, width - 1)
            elif WIDTHS[width] >= self.held.max():  # that was all there is
                return
            else:
                width += 1

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
            lone = state.used[into] == 1 and state.used[out] == 1
            return bool(lone and state.on[owner, into] and not state.blocked[owner, out])
        return not state.full(form, np.array([into]))[0]

    def settled(self, form: int) -> bool:
        """Close enough to the target, and nothing else to pay for."""
        state = self.state
        off = float(state.deviation(state.sums[form, len(state.low):])) if state.aims else 0.0
        return off <= CLOSE and state.cost(form) - state.problem.aim_cost * off < SLIGHT

    def met(self, form: int) -> bool:
        """As settled, but for what the items themselves cost; of a brief search, whole."""
        state = self.state
        if self.brief and not state.misses(form):
            return True
        off = float(state.deviation(state.sums[form, len(state.low):])) if state.aims else 0.0
        return off <= CLOSE and state.cost(form) - state.problem.aim_cost * off - float(state.problem.costs[state.on[form]].sum()) < SLIGHT

    def well(self, form: int) -> bool:
        """Met, or of a maximin, which never is: whole."""
        return self.met(form) or (self.state.one_sided and not self.state.misses(form))

    def candidates(self, form: int, width: int) -> tuple[Integers, Integers, Integers]:
        """(out, into, form that gives `into` away or -1): up to `width` partners for each movable item of the form."""
        state = self.state
        slots = np.flatnonzero(state.on[form] & ~self.fixed[form])
        cell = state.problem.cells[slots]
        held = self.held[cell]
        picks = np.broadcast_to(np.arange(width), (len(slots), width))
        random = self.rng.integers(0, 1 << 30, size=(len(slots), width)) % np.maximum(held, 1)[:, None]
        picks = np.where(held[:, None] <= width, picks, random)
        slot, column = np.nonzero(picks < held[:, None])
        into = self.order[self.first[cell[slot]] + picks[slot, column]]
        free = ~state.on[form, into] & (state.blocked[form, into] == 0)
        slot, into = slot[free], into[free]
        giver = np.full(len(into), -1)
        if 1 < len(state.on) <= FORMS:
            lone = np.flatnonzero((state.used[into] == 1) & (state.used[slots[slot]] == 1))  # they change places: nothing is shared by it
            owner = np.argmax(state.on[:, into[lone]], axis=0)
            given = ~self.fixed[owner, into[lone]]
            if self.shares:
                given &= self.rng.random(len(lone)) < 0.5
            giver[lone[given]] = owner[given]
        free = (giver >= 0) | ~state.full(form, into)
        out, into, giver = slots[slot[free]], into[free], giver[free]
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
        gain[alone] += self.dearer(out[alone], into[alone])
        return gain

    def dearer(self, out: Integers, into: Integers) -> Floats:
        """What items that come in cost more than those that go, sharing with other forms included."""
        state = self.state
        gain = state.problem.costs[into] - state.problem.costs[out]
        if state.problem.overlap is None:
            gain = gain + state.problem.share_cost * (state.used[into] - state.used[out] + 1)
        return np.asarray(gain)

    def _one_form(self, form: int, out: Integers, into: Integers) -> Floats:
        return np.asarray(self.state.swapped(form, out, into) + self.aside(form, out, into))

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
            if self.met(form) or not ((self.state.aims > 0 and self._pair(form, nearest)) or self._pair(form, after_each)):
                return

    def _pair(self, form: int, pairs: Pairing) -> bool:
        """The best of the pairs of swaps that `pairs` thinks likely, made if it helps."""
        state = self.state
        out, into, owner = self.candidates(form, WIDTHS[1] // 2)
        out, into = out[owner < 0], into[owner < 0]
        if len(out) > SAMPLE:
            chosen = np.sort(self.rng.choice(len(out), SAMPLE, replace=False))
            out, into = out[chosen], into[chosen]
        one, other = pairs(self, form, out, into) if len(out) > 1 else (out[:0], out[:0])
        kept = (out[one] != out[other]) & (into[one] != into[other])
        one, other = one[kept], other[kept]
        if not len(one):
            return False
        moves = state.content[into] - state.content[out]
        gain = state.energy(state.sums[form] + moves[one] + moves[other]) - state.energy(state.sums[form])
        aside = self.aside(form, out, into) + self.dearer(out, into)
        gain += aside[one] + aside[other]
        for best in np.argsort(gain, kind="stable")[:TRIED]:
            if gain[best] >= -SLIGHT:
                return False
            if self._made(form, [(int(out[p]), int(into[p])) for p in (one[best], other[best])]):
                return True
        return False

    def aside(self, form: int, out: Integers, into: Integers) -> Floats:
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

    def _legal(self, form: int, items: list[int]) -> bool:
        """Two swaps that are each within the overlap may not be so together."""
        state = self.state
        limit = state.problem.overlap
        others = np.arange(len(state.on)) != form
        return all(state.used[item] <= state.problem.uses[item] for item in items) and (
            limit is None or bool((state.shared[form][others] <= limit).all()))

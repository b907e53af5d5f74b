"""Item response theory for items scored right or wrong: calibration by marginal maximum likelihood. Pure.

Models: "Rasch" (slope 1, the spread of theta estimated), "1PL" (one slope for all items), "2PL" and "3PL" (Birnbaum
1968). Without priors the estimate is maximum likelihood; with priors it is the posterior mode in (a, b, c). Theta of the
first group (in the order of the labels) is standard normal; further groups have a mean and a standard deviation of their
own, and where there are anchors all groups have.

Weak data. ``priors=None``: an item that nobody or everybody got right, or whose likelihood has no maximum within bounds, is
NaN with a reason, and the other items are estimated as if it were not there. With priors ("default" or
:class:`priors.Priors`) every item has an estimate: one with few answers stays near its prior, one with none is at its
mode. Use them for banks and always for 3PL, whose likelihood alone seldom determines c.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from qbank.statistics.arrays import Flags, Floats, Integers
from qbank.statistics.calibration import Calibration
from qbank.statistics.engine.blas import one_thread
from qbank.statistics.engine.blocks import arrange
from qbank.statistics.engine.fitting import Problem, Progress, fit
from qbank.statistics.engine.mstep import FARTHEST, LEAST_GUESSING, STEEPEST
from qbank.statistics.engine.parameters import Layout, Point, layout
from qbank.statistics.engine.persons import InMemory, Persons, Tallies
from qbank.statistics.engine.reporting import reported
from qbank.statistics.engine.starting_values import ease, starting_values
from qbank.statistics.priors import Family, Priors, as_priors
from qbank.statistics.responses import NotReached, Responses, as_responses
from qbank.statistics.step_calibration import STEP_MODELS, calibrate_in_steps

MODELS = ("Rasch", "1PL", "2PL", "3PL")
TOLERANCE = 2.5e-4
MOST_ITERATIONS = 500

Anchors = Mapping[Any, Sequence[float]]


def calibrate(responses: Any, model: str = "2PL", weights: npt.ArrayLike | None = None,
              priors: Priors | Mapping[str, Any] | str | None = None, anchors: Anchors | None = None,
              groups: npt.ArrayLike | None = None, se: bool = True, *, tolerance: float = TOLERANCE,
              iterations: int = MOST_ITERATIONS, not_reached: NotReached = "not presented",
              progress: Progress | None = None) -> Calibration:
    """Calibrate items from ``responses``, anything that :func:`responses.as_responses` takes.

    ``weights`` (persons,) how many persons each row stands for; ``groups`` (persons,) labels; ``anchors`` maps an item's
    place or name to its (a, b) or (a, b, c) on the bank's scale; ``se`` whether standard errors (observed information) are
    wanted: with them the estimate is also polished by one exact Newton step. ``tolerance`` bounds the last move of any
    parameter; ``progress`` is called with each iteration's number and largest move, which ends below the tolerance. "GRM",
    "GPCM" and "PCM" are for items scored in steps 0..m
    (:mod:`polytomous`). ValueError when the data are not scored 0 and 1, or a name is not known.
    """
    data = as_responses(responses, weights=weights, groups=groups).scored(not_reached)
    if model in STEP_MODELS:
        if anchors is not None or data.groups is not None:
            raise ValueError(f"the {model} takes neither anchors nor groups")
        return calibrate_in_steps(data, STEP_MODELS[model], se, as_priors(priors))
    codes = data.scores.data if data.sparse else data.scores
    if codes.size and codes.max() > 1:
        raise ValueError(f"items of the {model} are scored 0 or 1; there is a {codes.max()}")
    labels, members = grouped(data)
    persons = InMemory(arrange(data, members), data.n_items, len(labels))
    return calibrate_persons(persons, data.n_items, model=model, priors=priors, anchors=anchors, labels=labels, se=se,
                             tolerance=tolerance, iterations=iterations, items=data.items, progress=progress)


def grouped(data: Responses) -> tuple[tuple[Any, ...], Integers | None]:
    """The labels in order, and each person's group (persons,) counted from 0; None for one group without a name."""
    if data.groups is None:
        return (None,), None
    labels, members = np.unique(data.groups, return_inverse=True)
    return tuple(labels.tolist()), members.astype(np.int64)


@one_thread
def calibrate_persons(persons: Persons, n_items: int, *, model: str = "2PL",
                      priors: Priors | Mapping[str, Any] | str | None = None, anchors: Anchors | None = None,
                      labels: tuple[Any, ...] = (None,), se: bool = True, tolerance: float = TOLERANCE,
                      iterations: int = MOST_ITERATIONS, items: tuple[str, ...] | None = None,
                      progress: Progress | None = None) -> Calibration:
    """:func:`calibrate` for persons who are in memory, in chunks or on a cluster; ``labels`` of their groups."""
    if model not in MODELS:
        raise ValueError(f"model is one of {', '.join(MODELS)}, not {model!r}")
    first = persons.tallies(None)
    share = ease(first)
    tallies = persons.tallies(share)
    prior = as_priors(priors)
    case = _case(model, tallies, share, anchors_at(anchors, n_items, items), prior, len(labels))
    found = fit(case.problem(persons), case.start, tolerance=tolerance, most=iterations, errors=se, progress=progress)
    rounds = 0
    while rounds < 5 and case.fix_at_bounds(found.state.point, found.converged):
        rounds += 1
        again = fit(case.problem(persons), case.start, tolerance=tolerance, most=iterations, errors=se, progress=progress)
        found = replace(again, iterations=again.iterations + found.iterations)
    return reported(found, case, tallies, model=model, labels=labels, items=items)


def anchors_at(anchors: Anchors | None, n_items: int, items: tuple[str, ...] | None) -> Floats:
    """(items, 3) of a, b, c, NaN for items that are not anchored. ValueError for one that does not exist."""
    found = np.full((n_items, 3), np.nan)
    for key, values in (anchors or {}).items():
        if isinstance(key, str):
            if items is None or key not in items:
                raise ValueError(f"there is no item {key!r} to anchor")
            place = items.index(key)
        else:
            place = int(key)
        numbers = [float(value) for value in values]
        if not 0 <= place < n_items or len(numbers) not in (2, 3) or not np.isfinite(numbers).all():
            raise ValueError(f"an anchor is an item's place or name and its (a, b) or (a, b, c), not {key!r}: {values!r}")
        if len(numbers) == 3 and not 0 <= numbers[2] < 1:
            raise ValueError(f"c of anchor {key!r} is {numbers[2]}")
        found[place] = [*numbers, 0.0][:3]
    return found


@dataclass(eq=False)
class Case:
    """One calibration's set-up: which parameters are free and where they begin. Changed by :meth:`fix_at_bounds` only."""

    start: Point
    free: Flags  # (items, 3)
    free_groups: Flags  # (groups, 2)
    common_slope: bool
    priors: Priors | None
    anchored: Flags
    reasons: dict[int, str]
    unguessed: list[int]

    @property
    def layout(self) -> Layout:
        return layout(self.start, self.free, self.free_groups, common_slope=self.common_slope)

    def problem(self, persons: Persons) -> Problem:
        return Problem(persons, self.layout, self.priors, bool((self.start.items[:, 2] > -np.inf).any()))

    def fix_at_bounds(self, point: Point, converged: bool) -> bool:
        """Fix what ran into a bound, so that the others get their mode and their errors; whether there was anything."""
        items = point.items.copy()
        low = self.free[:, 2] & (items[:, 2] <= LEAST_GUESSING + 0.5)
        items[low, 2], self.free[low, 2] = -np.inf, False
        self.unguessed += np.flatnonzero(low).tolist()
        # Towards infinity EM goes ever more slowly: what is half-way there when it gives up would not have stopped.
        share = 0.98 if converged else 0.4
        far = self.free[:, 1] & ((np.abs(items[:, 0]) > share * STEEPEST) | (np.abs(items[:, 1]) > share * FARTHEST))
        for place in np.flatnonzero(far).tolist():
            self.reasons[place] = f"the likelihood has no maximum within a slope of {STEEPEST:g}"
        self.free[far] = False
        self.start = Point(items, point.groups)
        return bool(low.any() or far.any())


def _case(model: str, tallies: Tallies, share: Floats, anchors: Floats, priors: Priors | None, n_groups: int) -> Case:
    guessed, rasch = model == "3PL", model == "Rasch"
    items = starting_values(tallies, share, guessed=guessed)
    anchored = np.isfinite(anchors[:, 0])
    free = np.ones((len(items), 3), dtype=bool)
    free[:, 2] = guessed
    if rasch:
        items[:, 0], free[:, 0] = 1.0, False
    elif model == "1PL":
        items[:, 0] = np.median(items[:, 0]) if len(items) else 1.0
    if priors is not None and priors.a is not None and priors.a[0] == "lognormal":
        items[:, 0] = np.maximum(items[:, 0], 0.2)
    items[anchored, 0], free[anchored] = anchors[anchored, 0], False
    items[anchored, 1] = -anchors[anchored, 0] * anchors[anchored, 1]
    with np.errstate(divide="ignore"):
        items[anchored, 2] = np.log(anchors[anchored, 2]) - np.log1p(-anchors[anchored, 2])
    reasons = {} if priors is not None and priors.b is not None else _undetermined(tallies, free)
    silent = np.array(sorted(reasons), dtype=np.int64)
    # A flat curve tells nothing of theta: the item is as good as not there, but for a constant in the likelihood.
    items[silent], free[silent] = (0.0, 0.0, -np.inf), False
    if priors is not None and model == "1PL":
        priors = replace(priors, a=_once(priors.a, free[:, 0]))
    groups, free_groups = np.zeros((n_groups, 2)), np.ones((n_groups, 2), dtype=bool)
    if not anchored.any():
        free_groups[0] = False, rasch
    free_groups[tallies.persons <= 0] = False
    return Case(Point(items, groups), free, free_groups, model == "1PL", priors, anchored, reasons, [])


def _once(family: Family | None, free: Flags) -> Family | None:
    """The prior of a slope that all items share, on the first free item only: it is one parameter."""
    if family is None or not free.any():
        return family
    first = np.arange(len(free)) == np.argmax(free)
    mean, sd = (np.where(first, np.broadcast_to(np.asarray(part, dtype=np.float64), len(free)), np.nan) for part in family[1:])
    return family[0], mean, sd


def _undetermined(tallies: Tallies, free: Flags) -> dict[int, str]:
    """Items of which maximum likelihood says nothing."""
    found = {}
    for place in np.flatnonzero(free[:, 1]).tolist():
        n, right = float(tallies.n[place]), float(tallies.right[place])
        if n <= 0:
            found[place] = "nobody was given the item"
        elif right <= 0:
            found[place] = "nobody got the item right"
        elif right >= n:
            found[place] = "everybody got the item right"
    return found



"""Parameter expansion: directions in which many items move together, along which EM alone is slow. Pure.

All items together can follow a change of theta's mean or spread; the step along these two directions is that of PX-EM (Liu,
Rubin and Wu 1998, Biometrika 85, 755-770). Where forms are chained by common items, the items of one form can move against
those of another: there each form has the two directions, an item shared in proportion to the persons, and the information
along them is complete less missing information with the posterior variance 1 / (I + 1). Steps are taken from the gradient
of the log posterior with a positive definite matrix, so the mode stays the mode.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from qbank.statistics.arrays import Floats, Integers
from qbank.statistics.engine.blocks import Block
from qbank.statistics.engine.curves import item_information
from qbank.statistics.engine.parameters import Layout, Point
from qbank.statistics.priors import Terms

MOST_FORMS = 60


@dataclass(frozen=True, eq=False)
class Form:
    """Persons of ``weight`` who were given ``items``; ``presence`` the share of them that was given each, where they are
    the rest whose patterns are rare, else None."""

    items: Integers
    weight: float
    presence: Floats | None = None


def form_of(block: Block) -> Form:
    """The persons of a block as a form."""
    if block.complete:
        return Form(block.items, block.total_weight)
    weights = np.ones(block.persons) if block.weights is None else block.weights
    if block.sparse:
        line = np.repeat(weights, np.diff(block.codes.indptr))
        answers = np.bincount(block.codes.indices, line, minlength=len(block.items))
    else:
        answers = weights @ (block.codes >= 0)
    return Form(block.items, block.total_weight, answers / max(block.total_weight, 1e-12))


def merged(forms: Sequence[Form], n_items: int) -> list[Form]:
    """Equal patterns as one, and the rest as one."""
    found: dict[bytes, float] = {}
    answers, others = np.zeros(n_items), 0.0
    for form in forms:
        if form.presence is None:
            key = form.items.astype(np.int64).tobytes()
            found[key] = found.get(key, 0.0) + form.weight
        else:
            answers[form.items] += form.weight * form.presence
            others += form.weight
    whole = [Form(np.frombuffer(key, dtype=np.int64), weight) for key, weight in found.items()]
    return whole if others <= 0 else [*whole, Form(np.arange(n_items), others, answers / others)]


class Expansion:
    """The step along the directions. ``forms`` of the design: none, one or too many give the two common directions."""

    def __init__(self, forms: Sequence[Form], layout: Layout, start: Point) -> None:
        self.layout = layout
        free = layout.item_places >= 0
        moving = start.items[:, 0] != 0
        every = bool(free[moving][:, :2].all()) and not layout.common_slope and not (layout.group_places >= 0).any()
        self.shares: Floats | None = None
        if 1 < len(forms) <= MOST_FORMS and every and len(start.groups) == 1:
            self.shares, self.information = _between_forms(forms, start.items)

    def step(self, point: Point, gradient: Floats, persons: float, prior: Terms) -> Floats:
        """The step by the free parameters; ``persons`` the weight of the first group."""
        directions, information = self._directions(point, persons)
        if not len(directions):
            return np.zeros_like(gradient)
        along = np.array([np.where(self.layout.item_places >= 0, self.layout.point(row).items, 0.0) for row in directions])
        along[:, :, 2] = 0.0
        held = np.einsum("fjx,jxy,gjy->fg", along, prior.curvature, along, optimize=True)
        return np.asarray(np.linalg.solve(information + held, directions @ gradient) @ directions)

    def _directions(self, point: Point, persons: float) -> tuple[Floats, Floats]:
        """(directions, size) and the information along them."""
        items, groups, layout = point.items, point.groups, self.layout
        nought, a = np.zeros(len(items)), items[:, 0]
        if self.shares is not None:
            rows = [layout.vector(Point(np.stack([nought, share * a, nought], axis=1), 0 * groups)) for share in self.shares]
            rows += [layout.vector(Point(np.stack([share * a, nought, nought], axis=1), 0 * groups)) for share in self.shares]
            return np.array(rows), self.information
        rows, sizes = [], []
        free, moving = layout.item_places >= 0, a != 0
        others = np.arange(len(groups)) > 0
        if persons > 0 and layout.group_places[0, 0] < 0 and free[moving, 1].all():
            groups_move = np.stack([-1.0 * others, 0.0 * others], axis=1)
            rows.append(layout.vector(Point(np.stack([nought, a, nought], axis=1), groups_move)))
            sizes.append(persons / float(np.exp(2 * groups[0, 1])))
        if persons > 0 and layout.group_places[0, 1] < 0 and free[moving, 0].all():
            groups_move = np.stack([-groups[:, 0] * others, -1.0 * others], axis=1)
            rows.append(layout.vector(Point(np.stack([a, nought, nought], axis=1), groups_move)))
            sizes.append(2 * persons)
        return np.array(rows), np.diag(np.array(sizes))


def _between_forms(forms: Sequence[Form], items: Floats) -> tuple[Floats, Floats]:
    """Each form's share of the persons of each item, (forms, items), and the information (2 forms, 2 forms)."""
    given = np.zeros((len(forms), len(items)))
    for place, form in enumerate(forms):
        given[place, form.items] = 1.0 if form.presence is None else form.presence
    weights = np.array([form.weight for form in forms])
    answers = weights @ given
    shares = given * weights[:, None] / np.maximum(answers, 1e-12)
    nodes = np.linspace(-2.5, 2.5, 11)
    mass = np.exp(-0.5 * nodes**2)
    size = len(forms)
    found = np.zeros((2 * size, 2 * size))
    for theta, part, each in zip(nodes, mass / mass.sum(), item_information(nodes, items), strict=True):
        complete = (shares * (answers * each)) @ shares.T
        of_form = (given * each) @ shares.T  # (form, direction)
        missing = (of_form * (weights / (of_form.sum(axis=1) + 1))[:, None]).T @ of_form
        left = part * (complete - missing)
        found[:size, :size] += left
        found[size:, size:] += (1 + theta**2) * left
        found[:size, size:] += theta * left
        found[size:, :size] += theta * left
    return shares, found + 1e-9 * np.trace(found) * np.eye(2 * size)

"""Which form of a paper goes to which seat: neighbours never get the same one where the number of forms allows. Pure.

Seats are numbered row by row. With two or three forms the seats beside, before and behind differ; with four or more the
diagonal ones too; with a form for everybody each is used once. Counts are as equal as that leaves them.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import permutations

BESIDE = ((0, 1), (1, 0))
DIAGONAL = ((1, 1), (1, -1))
ALL_ROUND = 4  # forms from which the diagonal neighbours differ too


@dataclass(frozen=True, order=True)
class Place:
    """A seat: which room, and its number there, from 1."""

    room: int
    number: int


def neighbours(places: Iterable[Place], columns: Mapping[int, int | None], *, diagonal: bool) -> dict[Place, frozenset[Place]]:
    """Who sits next to whom. ``columns``: room → seats in a row; None: all seats stand in one row."""
    taken = {_spot(place, columns): place for place in places}
    found: dict[Place, set[Place]] = {place: set() for place in taken.values()}
    for (room, row, column), place in taken.items():
        for down, right in (*BESIDE, *(DIAGONAL if diagonal else ())):
            other = taken.get((room, row + down, column + right))
            if other is not None:
                found[place].add(other)
                found[other].add(place)
    return {place: frozenset(near) for place, near in found.items()}


def spread(places: Sequence[Place], columns: Mapping[int, int | None], forms: int, seed: str) -> dict[Place, int]:
    """Place → form, from 0. The same seed gives the same forms to the same seats."""
    if forms < 1:
        raise ValueError("there is no form")
    order = sorted(places, key=lambda place: _digest(seed, f"seat {place.room} {place.number}"))
    names = sorted(range(forms), key=lambda form: _digest(seed, f"form {form}"))
    if forms >= len(order):
        return dict(zip(order, names, strict=False))
    step = 1 if forms < ALL_ROUND else 2
    dealt = {}
    for place in order:
        room, row, column = _spot(place, columns)
        offset = int(_digest(seed, f"room {room}")[:8], 16)
        dealt[place] = (offset + column + step * row) % forms
    _balance(dealt, neighbours(order, columns, diagonal=forms >= ALL_ROUND), forms)
    return {place: names[form] for place, form in dealt.items()}


def clashes(dealt: Mapping[Place, int], near: Mapping[Place, frozenset[Place]]) -> list[tuple[Place, Place]]:
    """Neighbours with the same form."""
    return sorted((place, other) for place, others in near.items() for other in others
                  if place < other and dealt[place] == dealt[other])


def _balance(dealt: dict[Place, int], near: Mapping[Place, frozenset[Place]], forms: int) -> None:
    """Swap two forms within a connected patch of seats that have one of them: no neighbours clash by that, counts come closer."""
    while True:
        counts = Counter(dealt.values())
        pairs = sorted(((counts[high] - counts[low], high, low) for high, low in permutations(range(forms), 2)), reverse=True)
        for gap, high, low in pairs:
            if gap > 1 and (patch := _best_patch(dealt, near, high, low, gap)):
                for place in patch:
                    dealt[place] = low if dealt[place] == high else high
                break
        else:
            return


def _best_patch(dealt: Mapping[Place, int], near: Mapping[Place, frozenset[Place]], high: int, low: int, gap: int) -> list[Place]:
    """The patch whose swap brings the counts of two forms closest; empty when none does."""
    left = {place for place, form in dealt.items() if form in (high, low)}
    best: list[Place] = []
    best_gap = gap
    for start in sorted(left):
        if start not in left:
            continue
        patch, border = [], [start]
        left.discard(start)
        while border:
            place = border.pop()
            patch.append(place)
            reached = near[place] & left
            left -= reached
            border.extend(reached)
        found = abs(gap - 2 * sum(1 if dealt[place] == high else -1 for place in patch))
        if found < best_gap:
            best, best_gap = patch, found
    return best


def _spot(place: Place, columns: Mapping[int, int | None]) -> tuple[int, int, int]:
    width = columns.get(place.room)
    return (place.room, 0, place.number - 1) if not width else (place.room, *divmod(place.number - 1, width))


def _digest(*parts: str) -> str:
    return hashlib.sha256("\x1f".join(parts).encode()).hexdigest()

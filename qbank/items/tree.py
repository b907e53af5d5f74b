"""The range tree of a bank with a number at each node. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Protocol


class Place(Protocol):
    """What the tree needs to know of a range."""

    id: int
    parent_id: int | None
    path: str
    name: str


@dataclass
class Node:
    """A range, what stands at it and below it, and whether it is shown unfolded."""

    path: str
    name: str
    count: int
    children: list[Node] = field(default_factory=list)
    unfolded: bool = False


def tree_of(ranges: Iterable[Place], counts: Mapping[int, int], chosen: str = "") -> list[Node]:
    """The first level; ``ranges`` in the order of their paths, so that a parent comes before its children. Unfolded is
    what leads to ``chosen``, and the whole first level."""
    nodes: dict[int, Node] = {}
    parents: dict[int, int | None] = {}
    for place in ranges:
        leads = chosen == place.path or chosen.startswith(place.path + "-")
        nodes[place.id] = Node(place.path, place.name, 0, unfolded=leads or place.parent_id is None)
        parents[place.id] = place.parent_id
        if place.parent_id in nodes:
            nodes[place.parent_id].children.append(nodes[place.id])
    for key, count in counts.items():
        above: int | None = key if key in nodes else None
        while above is not None:
            nodes[above].count += count
            above = parents[above]
    return [nodes[key] for key in nodes if parents[key] is None]

"""The quotas as they are printed: every leaf range, under sums of the ranges above it. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from qbank.papers.specification import Quotas, above


@dataclass(frozen=True)
class Row:
    """A range: per part (asked, held in the bank), half-points it weighs and gets. ``depth`` 0: a leaf; 1: the highest."""

    key: str
    depth: int
    cells: tuple[tuple[int, int], ...]
    target: int
    actual: int

    @property
    def off(self) -> int:
        return self.actual - self.target


def outline(quotas: Quotas, held: Mapping[tuple[str, str], int]) -> list[Row]:
    """Leaves in printed order, each range above them before its first leaf, where it has more than one."""
    leaves = [_row(quotas, held, leaf.key, [leaf.key], 0) for leaf in quotas.ranges]
    keys = [leaf.key for leaf in quotas.ranges]
    found: list[Row] = []
    heads = {head: members for head, members in above(keys).items() if len(members) > 1}
    for position, leaf in enumerate(leaves):
        found += [_row(quotas, held, head, [keys[member] for member in members], head.count("-") + 1)
                  for head, members in heads.items() if members[0] == position]
        found.append(leaf)
    return found


def _row(quotas: Quotas, held: Mapping[tuple[str, str], int], key: str, leaves: list[str], depth: int) -> Row:
    cells = tuple((sum(quotas.counts[leaf, p] for leaf in leaves), sum(held.get((leaf, part.kind), 0) for leaf in leaves))
                  for p, part in enumerate(quotas.parts))
    return Row(key, depth, cells, sum(quotas.target[leaf] for leaf in leaves), sum(quotas.actual[leaf] for leaf in leaves))

"""How many items a bank still needs for so many papers at a given repetition. Pure.

N = sittings x forms papers are taken from the bank one after the other. At most the share r of a paper's items may have
been in any earlier one of them; so a paper of n items brings at least n - floor(r n) that none before it had. The
allowance floor(r n) is dealt out to the cells (range and kind) in proportion to their items by largest remainders: a_c of
the n_c items of a cell may be repeated. The first paper takes n_c, each of the N - 1 others at least n_c - a_c new ones:

    need_c = n_c + (N - 1) (n_c - a_c),    k_c = max(0, need_c - held_c)

and that many are enough: each paper repeats a_c items of the first one. 4 sittings x 3 forms at 30 % of 100 items: a cell of
10 items may repeat 3, needs 10 + 11 x 7 = 87; with 60 held, 27 are to be written.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from qbank.kernel.refused import Refused
from qbank.papers.specification import Quotas, kind_name, largest_remainder


@dataclass(frozen=True)
class Asked:
    """So many sittings with so many forms each; at most ``repeat_percent`` of a form may have been in earlier ones."""

    sittings: int = 4
    forms: int = 3
    repeat_percent: int = 30

    def __post_init__(self) -> None:
        if self.sittings < 1 or self.forms < 1 or not 0 <= self.repeat_percent <= 100:
            raise Refused("bad_forecast", "场次和每场套数至少为 1，重复率应在 0 到 100 之间，请修改。")

    @property
    def papers(self) -> int:
        return self.sittings * self.forms


@dataclass(frozen=True)
class Cell:
    """One range and kind: items of one paper, how many of them may be repeated, what N papers need, what is held."""

    range_key: str
    kind: str
    count: int
    repeated: int
    need: int
    held: int

    @property
    def missing(self) -> int:
        return max(0, self.need - self.held)

    def derivation(self, papers: int) -> str:
        """The arithmetic in one line, for the page."""
        return f"{self.count} + {papers - 1} × ({self.count} − {self.repeated}) = {self.need}"

    def sentence(self, name: str, asked: Asked) -> str:
        return (f"要办 {asked.sittings} 场 × {asked.forms} 套卷、重复率 ≤ {asked.repeat_percent} %，{self.range_key} {name} "
                f"的{kind_name(self.kind)}还需要写 {self.missing} 题")


def forecast(quotas: Quotas, held: Mapping[tuple[str, str], int], asked: Asked) -> list[Cell]:
    """Every cell with a quota, in the order of the printed table. ``held``: (range, kind) → usable items."""
    cells = [(leaf.key, part.kind, quotas.counts[leaf.key, p]) for leaf in quotas.ranges
             for p, part in enumerate(quotas.parts) if quotas.counts.get((leaf.key, p))]
    counts = [count for _, _, count in cells]
    allowed = largest_remainder(counts, asked.repeat_percent * sum(counts) // 100)
    return [Cell(range_key, kind, count, repeated, count + (asked.papers - 1) * (count - repeated),
                 held.get((range_key, kind), 0))
            for (range_key, kind, count), repeated in zip(cells, allowed, strict=True)]

"""What is asked of a paper, what the bank holds for it, and what one form gives: the compliance sheet. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from math import comb, nan

from qbank.kernel.refused import Refused
from qbank.papers.specification import Quotas, kind_name, largest_remainder


@dataclass(frozen=True)
class Candidate:
    """An item the assembly may use; `group` names its set of enemies or similar items."""

    key: int
    range_key: str
    point_key: str
    importance: str
    kind: str
    difficulty: int
    answer: str
    exposure: int
    group: str | None = None


@dataclass(frozen=True)
class Demands:
    """What is asked of the papers beyond the quotas. Costs are per item away from the ideal.

    `difficulty` is the share of items per grade 1 (easy) to 5 (hard). `overlap` is the most items that any two
    forms may share; None means none if the bank allows, otherwise as few as possible. Pinned items are in every
    form and count as shared. `apart`: pairs of items that may not meet on a form (enemies, similar ones); `together`:
    sets of items that a form takes whole or not at all (those of one shared material); no item is in two sets.
    `time_limit` is in seconds for each of the few programs solved; a result is reproduced by its seed as long as no
    limit cuts a solve short. `gap` is the relative optimality gap.
    """

    difficulty: Mapping[int, float] = field(default_factory=lambda: {1: 0.1, 2: 0.25, 3: 0.4, 4: 0.2, 5: 0.05})
    difficulty_cost: float = 2.0
    importance_cost: Mapping[str, float] = field(default_factory=lambda: {"X": 0.0, "Y": 1.0, "Z": 2.0})
    key_cost: float = 1.0
    exposure_cost: float = 1.0
    pinned: frozenset[int] = frozenset()
    barred: frozenset[int] = frozenset()
    apart: tuple[tuple[int, int], ...] = ()
    together: tuple[frozenset[int], ...] = ()
    forms: int = 1
    overlap: int | None = None
    seed: int = 0
    time_limit: float = 15.0
    gap: float = 0.002

    def __post_init__(self) -> None:
        if self.forms < 1 or (self.overlap is not None and self.overlap < 0):
            raise Refused("bad_demands", "套数至少为 1，共用题数不能小于 0，请修改组卷要求。")
        if min(self.difficulty.values(), default=-1.0) < 0 or abs(sum(self.difficulty.values()) - 1) > 1e-6:
            raise Refused("bad_demands", "各难度等级的比例必须不小于 0 且合计为 100%，请修改组卷要求。")
        if sum(map(len, self.together)) != len(frozenset().union(*self.together)):
            raise ValueError("an item is in two sets")
        if self.pinned & self.barred:
            listed = "、".join(str(key) for key in sorted(self.pinned & self.barred))
            raise Refused("bad_demands", f"题目 {listed} 既被指定必选又被禁用，请保留其中一项。")


@dataclass(frozen=True)
class Shortage:
    """A range and kind of which the bank holds too few items."""

    range_key: str
    kind: str
    need: int
    have: int

    @property
    def missing(self) -> int:
        """Items still to be written."""
        return self.need - self.have

    @property
    def sentence(self) -> str:
        """One Chinese line for the person who composes."""
        name = f"鉴定范围 {self.range_key} 的{kind_name(self.kind)}"
        return f"{name}需要 {self.need} 道，题库只有 {self.have} 道，缺 {self.missing} 道"


@dataclass(frozen=True)
class Compliance:
    """Asked against got for one form, plain data for a page. Half-points, counts of items, shares of the form.

    `ranges`: range -> (target, actual, deviation) half-points; `kinds`: kind -> (target, actual) items;
    `difficulty`: grade -> (target, actual) items; `keys`: kind -> answer -> items; `repeated`: points with more
    than one item -> items. `mean_difficulty` of no items is NaN.
    """

    ranges: Mapping[str, tuple[int, int, int]]
    kinds: Mapping[str, tuple[int, int]]
    importance: Mapping[str, int]
    importance_shares: Mapping[str, float]
    difficulty: Mapping[int, tuple[int, int]]
    mean_difficulty: float
    keys: Mapping[str, Mapping[str, int]]
    repeated: Mapping[tuple[str, str], int]
    max_exposure: int


def holdings(candidates: Iterable[Candidate], demands: Demands) -> dict[tuple[str, str], int]:
    """Usable items per (range, kind): what `derive_quotas` takes as `available`."""
    return dict(Counter((item.range_key, item.kind) for item in candidates if item.key not in demands.barred))


def shortages(candidates: Iterable[Candidate], quotas: Quotas, demands: Demands) -> tuple[Shortage, ...]:
    """Every (range, kind) of which the bank holds fewer distinct items than all forms together need.

    F forms of n items that share at most O between any two hold at least F n - O F(F-1)/2 distinct ones
    (Bonferroni); where sharing is free (overlap None) n will do.
    """
    held = holdings(candidates, demands)
    forms, short = demands.forms, []
    for (range_key, p), count in quotas.counts.items():
        spared = forms * count if demands.overlap is None else comb(forms, 2) * demands.overlap
        need, have = max(count, forms * count - spared), held.get((range_key, quotas.parts[p].kind), 0)
        if have < need:
            short.append(Shortage(range_key, quotas.parts[p].kind, need, have))
    return tuple(short)


def compliance(chosen: Sequence[Candidate], quotas: Quotas, demands: Demands) -> Compliance:
    """Compare one form's items with what was asked."""
    worth = {part.kind: part.half_points for part in quotas.parts}
    points: Counter[str] = Counter()
    for item in chosen:
        points[item.range_key] += worth.get(item.kind, 0)
    kinds, total = Counter(item.kind for item in chosen), len(chosen)
    importance = {code: sum(item.importance == code for item in chosen) for code in ("X", "Y", "Z")}
    grades, aims = Counter(item.difficulty for item in chosen), grade_targets(quotas, demands)
    used = Counter((item.range_key, item.point_key) for item in chosen)
    keys = {k: Counter(item.answer for item in chosen if item.kind == k) for k in ("single", "judge") if kinds[k]}
    return Compliance(
        ranges={key: (aim, points[key], points[key] - aim) for key, aim in quotas.target.items()},
        kinds={part.kind: (part.count, kinds[part.kind]) for part in quotas.parts},
        importance=importance,
        importance_shares={code: count / total if total else nan for code, count in importance.items()},
        difficulty={grade: (aims.get(grade, 0), grades[grade]) for grade in sorted({*aims, *grades})},
        mean_difficulty=sum(item.difficulty for item in chosen) / total if total else nan,
        keys={kind: dict(sorted(counts.items())) for kind, counts in keys.items()},
        repeated={point: count for point, count in sorted(used.items()) if count > 1},
        max_exposure=max((item.exposure for item in chosen), default=0),
    )


def grade_targets(quotas: Quotas, demands: Demands) -> dict[int, int]:
    """How many items of each grade one form should have, by largest remainders."""
    shares = [round(share * 1_000_000) for share in demands.difficulty.values()]
    counts = largest_remainder(shares, sum(part.count for part in quotas.parts))
    return dict(zip(demands.difficulty, counts, strict=True))

"""What is asked of a paper and what one form gives: the compliance sheet. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import nan

from qbank.kernel.refused import Refused
from qbank.papers.specification import Quotas, largest_remainder


@dataclass(frozen=True)
class Candidate:
    """An item of a form as the compliance sheet counts it."""

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
    """What a form is counted against beyond its quotas: `difficulty` is the share of items per grade 1 (easy) to 5 (hard)."""

    difficulty: Mapping[int, float] = field(default_factory=lambda: {1: 0.1, 2: 0.25, 3: 0.4, 4: 0.2, 5: 0.05})

    def __post_init__(self) -> None:
        if min(self.difficulty.values(), default=-1.0) < 0 or abs(sum(self.difficulty.values()) - 1) > 1e-6:
            raise Refused("bad_demands", "各难度等级的比例必须不小于 0 且合计为 100%，请修改组卷要求。")


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

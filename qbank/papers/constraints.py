"""What is asked of papers as rows and costs of a mixed integer program: quotas, groups, pairs, sets, points, mixes. Pure."""

from collections import Counter, defaultdict
from collections.abc import Hashable, Iterable
from itertools import pairwise
from math import ceil, floor
from typing import TypeVar

import numpy as np

from qbank.papers.compliance import Candidate, Demands, grade_targets
from qbank.papers.program import Floats, Integers, Program
from qbank.papers.specification import Quotas

REPEAT_COST = 50.0  # a point examined twice where it need not be
NOISE = 0.05  # the seed's say: less than any real preference

Label = TypeVar("Label", bound=Hashable)


def demand(
    program: Program, pool: list[Candidate], columns: Integers, upper: Floats | Integers, quotas: Quotas, times: int
) -> None:
    """Quotas, groups and points for `times` forms taken together."""
    cells = gather((item.range_key, item.kind) for item in pool)
    asked: Counter[str] = Counter()
    for (range_key, p), count in quotas.counts.items():
        asked[range_key] += count
        if count:
            program.row(columns[cells[range_key, quotas.parts[p].kind]], 1.0, count * times, count * times)
    for group, members in gather(item.group for item in pool).items():
        if group is not None and len(members) > 1:
            program.row(columns[members], 1.0, 0, times)
    points = gather((item.range_key, item.point_key) for item in pool)
    held = Counter(range_key for range_key, _ in points)
    unavoidable = 0
    for range_key in held:  # level k counts the items of a point beyond k: repeats spread evenly cost least
        for k in range(1, max(1, ceil(asked[range_key] / held[range_key])) + 1):
            unavoidable += times * max(0, asked[range_key] - k * held[range_key])
            for members in (m for (key, _), m in points.items() if key == range_key and upper[m].sum() > k * times):
                spare = program.columns(1, cost=REPEAT_COST)
                program.row(np.append(columns[members], spare), [1.0] * len(members) + [-1.0], 0, k * times)
    # A constant, so that the relative gap is measured on what can be chosen.
    program.columns(1, cost=-REPEAT_COST * unavoidable, lower=1.0, upper=1.0)


def companies(program: Program, pool: list[Candidate], columns: Integers, demands: Demands, times: int) -> None:
    """Pairs that do not meet and sets that stay whole, for `times` forms taken together."""
    at = {item.key: columns[i] for i, item in enumerate(pool)}
    for one, other in demands.apart:
        if one in at and other in at:
            program.row(np.array([at[one], at[other]]), 1.0, 0, times)
    for members in demands.together:
        held = sorted(at[key] for key in members if key in at)
        for one, other in pairwise(held):
            program.row(np.array([one, other]), [1.0, -1.0], 0, 0)


def bands(pool: list[Candidate], quotas: Quotas, demands: Demands) -> list[tuple[Integers, int, int, float]]:
    """(positions, least, most, cost per item outside) of one form: difficulty grades and answer keys."""
    grades = gather(item.difficulty for item in pool)
    none = np.empty(0, dtype=np.int64)
    aims = grade_targets(quotas, demands)
    bands = [(grades.get(g, none), aims.get(g, 0), aims.get(g, 0), demands.difficulty_cost) for g in {*aims, *grades}]
    for part in quotas.parts:
        found = {item.answer for item in pool if item.kind == part.kind}
        answers = {"single": {*"ABCD"}, "judge": found}.get(part.kind, set())
        members = gather((item.answer if item.kind == part.kind else None) for item in pool)
        for answer in sorted(answers):
            share = part.count / len(answers)
            bands.append((members.get(answer, none), floor(share), ceil(share), demands.key_cost))
    return bands


def costs(pool: list[Candidate], demands: Demands) -> Floats:
    """Cost of using each item once, shape (items,): 1 + importance + relative exposure + the seed's noise."""
    exposure = np.array([float(item.exposure) for item in pool])
    importance = np.array([demands.importance_cost.get(item.importance, 0.0) for item in pool])
    noise = NOISE * np.random.default_rng(demands.seed).random(len(pool))
    return np.asarray(1.0 + importance + demands.exposure_cost * exposure / max(1.0, exposure.max()) + noise)


def gather(labels: Iterable[Label]) -> dict[Label, Integers]:
    """Positions of each label, in order of first appearance."""
    found: defaultdict[Label, list[int]] = defaultdict(list)
    for position, label in enumerate(labels):
        found[label].append(position)
    return {label: np.array(positions, dtype=np.int64) for label, positions in found.items()}

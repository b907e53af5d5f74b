"""Choosing the items of one or more parallel papers from a bank: a mixed integer program solved with HiGHS.

Hard: the quotas, at most one item of a group of doubles, enemies and similar items apart, the items of one shared
material all or none, pinned and barred items, shared items.
Soft, dearest first: one item per 鉴定点, difficulty mix, X before Y before Z, answer keys in balance, little used.
Several forms are chosen in two steps after van der Linden (2005, "shadow test"): first all items together, then
they are dealt out evenly; where dealing fails, all forms are solved jointly. Pure: no database, no clock.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from math import ceil, comb, floor

import numpy as np

from qbank.kernel.refused import Refused
from qbank.papers.compliance import Candidate, Demands, grade_targets, shortages
from qbank.papers.constraints import bands, companies, costs, demand
from qbank.papers.program import Floats, Integers, Program, Solution
from qbank.papers.specification import Quotas, kind_name

SHARE_COST = 20.0  # an item shared by two forms


@dataclass(frozen=True)
class Assembly:
    """`forms` holds item keys in paper order (part, range, key); `shared` is the most that two forms share."""

    forms: tuple[tuple[int, ...], ...]
    status: str
    gap: float
    shared: int


def assemble(candidates: Sequence[Candidate], quotas: Quotas, demands: Demands) -> Assembly:
    """Choose the items of `demands.forms` forms. ValueError if a key occurs twice.

    Refused: 'bank_too_small' (details: a line per shortage), 'pinned_unusable', 'demands_conflict' (the sentence
    names what to relax, the details every single demand that is enough), 'assembly_timeout'.
    """
    pool = _usable(candidates, quotas, demands)
    short = shortages(pool, quotas, demands)
    if short:
        more = f"（共 {len(short)} 处不足）" if len(short) > 1 else ""
        sentence = f"题库不够组卷：{short[0].sentence}{more}。请补充题目，或减少套数、放宽禁用和共用限制。"
        raise Refused("bank_too_small", sentence, [line.sentence for line in short])
    assembly = _attempt(pool, quotas, demands)
    if assembly is None:
        raise _conflict(pool, quotas, demands)
    return assembly


def _usable(candidates: Sequence[Candidate], quotas: Quotas, demands: Demands) -> list[Candidate]:
    """Unbarred candidates of cells with a quota, in key order (so that the bank's order does not matter); of a set that
    lacks one of its items none is usable."""
    if len({item.key for item in candidates}) != len(candidates):
        raise ValueError("candidate keys must be unique")
    cells = {(range_key, quotas.parts[p].kind) for (range_key, p), count in quotas.counts.items() if count}
    usable = [item for item in candidates if item.key not in demands.barred and (item.range_key, item.kind) in cells]
    held = {item.key for item in usable}
    torn = frozenset().union(*(members for members in demands.together if not members <= held))
    usable = [item for item in usable if item.key not in torn]
    wanted = [item for item in usable if item.key in demands.pinned]
    lines = [f"题目 {k} 不在题库中，或所属范围、题型没有配额，或所在的共用题干题组不完整"
             for k in sorted(demands.pinned - {i.key for i in wanted})]
    lines += [f"题目 {one} 与题目 {other} 互相提示或内容相近，不能都指定为必选" for one, other in demands.apart
              if {one, other} <= demands.pinned]
    pins = Counter((item.range_key, item.kind) for item in wanted)
    for (range_key, p), count in quotas.counts.items():
        got, kind = pins[range_key, quotas.parts[p].kind], quotas.parts[p].kind
        if got > count:
            lines.append(f"鉴定范围 {range_key} 的{kind_name(kind)}只出 {count} 道，却指定了 {got} 道必选")
    for group, members in Counter(item.group for item in wanted if item.group is not None).items():
        if members > 1:
            lines.append(f"相似题、互斥题组 {group} 中指定了 {members} 道必选，同一套卷只能用 1 道")
    if lines:
        raise Refused("pinned_unusable", f"必选题有 {len(lines)} 处问题：{lines[0]}。请调整必选题。", lines)
    return sorted(usable, key=lambda item: item.key)


def _conflict(pool: list[Candidate], quotas: Quotas, demands: Demands) -> Refused:
    """Say which demand stands in the way: solve again with each dropped in turn."""
    loose = [replace(item, group=None) for item in pool]
    trials = {
        "去掉必选题": (pool, replace(demands, pinned=frozenset()), bool(demands.pinned)),
        "取消相似题、互斥题限制": (loose, replace(demands, apart=()), bool(demands.apart) or any(item.group for item in pool)),
        "补充不带共用题干的题": (pool, replace(demands, together=()), bool(demands.together)),
        "放宽各套卷共用题数": (pool, replace(demands, overlap=None), demands.overlap is not None),
    }
    lines = []
    for name, (items, eased, applies) in trials.items():
        try:
            relaxed = _attempt(items, quotas, eased) if applies else None
        except Refused:  # out of time: this one is not known to help
            relaxed = None
        if relaxed is not None:
            limit = f"到 {relaxed.shared} 道" if eased.overlap != demands.overlap else ""
            lines.append(f"{name}{limit}后可以组卷")
    advice = lines[0] if lines else f"需要同时放宽多项：{'、'.join(n for n, (_, _, on) in trials.items() if on)}"
    return Refused("demands_conflict", f"题量足够，但组卷要求互相冲突，无法组卷。{advice}，请修改后重试。", lines)


def _attempt(pool: list[Candidate], quotas: Quotas, demands: Demands) -> Assembly | None:
    """All forms, without shared items if possible; None if the hard demands conflict."""
    forms = demands.forms
    if forms > 1 and demands.overlap is not None and demands.overlap < len(demands.pinned):
        return None
    for sharing in (False,) if forms == 1 or demands.overlap == 0 else (False, True):
        solution, uses = _select(pool, quotas, demands, sharing)
        if uses is None:
            continue
        solutions, dealt = _deal_out(pool, quotas, demands, uses, forms)
        if len(dealt) < forms:
            single, dealt = _deal(pool, quotas, demands, None, (1,) * forms)
            solutions = [single]
        if len(dealt) == forms:
            return _written([solution, *solutions], dealt, pool, quotas, demands)
    return None


def _written(solutions: list[Solution], dealt: list[Integers], pool: list[Candidate], quotas: Quotas,
             demands: Demands) -> Assembly:
    """Put every form in paper order and say how good it is. The items of a set stand where its first one does."""
    order = {leaf.key: r for r, leaf in enumerate(quotas.ranges)}
    rank = {part.kind: p for p, part in enumerate(quotas.parts)}
    first: dict[tuple[int, str], tuple[int, int]] = {}
    leader = {key: min(members) for members in demands.together for key in members}
    for item in pool:
        place = leader.get(item.key, item.key), item.kind
        first[place] = min(first.get(place, (len(order), 0)), (order[item.range_key], item.key))
    forms = []
    for uses in dealt:
        items = [pool[i] for i in np.flatnonzero(uses)]
        items.sort(key=lambda item: (rank[item.kind], *first[leader.get(item.key, item.key), item.kind],
                                     order[item.range_key], item.key))
        forms.append(tuple(item.key for item in items))
    shared = max((len({*one} & {*other}) for one, other in combinations(forms, 2)), default=0)
    finished = all(solution.finished for solution in solutions)
    status = "已达到最优（在允许误差内）" if finished else "到时限为止找到的最好结果"
    return Assembly(tuple(forms), status, max(solution.gap for solution in solutions), shared)


def _select(pool: list[Candidate], quotas: Quotas, demands: Demands, sharing: bool) -> tuple[Solution, Integers | None]:
    """How often each item is used by all forms together, shape (items,); None if that cannot be done."""
    forms = demands.forms
    pinned = np.array([item.key in demands.pinned for item in pool])
    upper = np.where(pinned, forms, forms if sharing else 1)
    program = Program()
    lower = np.where(pinned, forms, 0)
    columns = program.columns(len(pool), cost=costs(pool, demands), lower=lower, upper=upper, integer=True)
    demand(program, pool, columns, upper, quotas, forms)
    companies(program, pool, columns, demands, forms)
    for members, low, high, cost in bands(pool, quotas, demands):
        program.near(columns[members], low * forms, high * forms, cost)
    if sharing:
        pairs = program.columns(len(pool), cost=SHARE_COST)
        for i in range(len(pool)):  # C(y, 2) from its tangents k y - k (k + 1) / 2
            for k in range(1, forms):
                program.row(np.array([pairs[i], columns[i]]), [1.0, -float(k)], -k * (k + 1) / 2, np.inf)
        if demands.overlap is not None:
            program.row(pairs, 1.0, 0, comb(forms, 2) * demands.overlap)
    solution = _solved(program, demands)
    return solution, None if solution.values is None else np.rint(solution.values[columns]).astype(np.int64)


def _deal_out(
    pool: list[Candidate], quotas: Quotas, demands: Demands, uses: Integers, forms: int
) -> tuple[list[Solution], list[Integers]]:
    """Deal to `forms` forms: at once where shared items must be limited, otherwise by halves.

    Returns the uses of each form, shape (items,); fewer than `forms` of them if it cannot be done.
    """
    if forms == 1:
        return [], [uses]
    recurring = any(uses[i] > 1 and item.key not in demands.pinned for i, item in enumerate(pool))
    at_once = recurring and (forms <= 3 or demands.overlap is not None)
    times = (1,) * forms if at_once else (forms // 2, forms - forms // 2)
    solution, piles = _deal(pool, quotas, demands, uses, times)
    solutions = [solution]
    if at_once or not piles:
        return solutions, piles
    dealt: list[Integers] = []
    for pile, part in zip(piles, times, strict=True):
        more, got = _deal_out(pool, quotas, demands, pile, part)
        solutions, dealt = solutions + more, dealt + got
    return solutions, dealt


def _deal(
    pool: list[Candidate], quotas: Quotas, demands: Demands, uses: Integers | None, times: tuple[int, ...]
) -> tuple[Solution, list[Integers]]:
    """Deal items used `uses` times (None: any) to piles of `times` forms, alike in grades, keys, mean difficulty.

    Returns each pile's uses, shape (items,); an empty list if it cannot be done.
    """
    forms, positions = sum(times), np.arange(len(pool)) if uses is None else np.flatnonzero(uses)
    items = [pool[i] for i in positions]
    pinned = np.array([item.key in demands.pinned for item in items])
    ceiling = np.where(pinned, forms, 1 if demands.overlap == 0 else forms)
    most = ceiling if uses is None else uses[positions]
    levels = np.array([float(item.difficulty) for item in items])
    wanted = float(sum(grade * aim for grade, aim in grade_targets(quotas, demands).items()))
    mean = wanted if uses is None else int(levels @ most) / forms
    program, blocks = Program(), []
    worst = program.columns(1, cost=10.0)
    for part in times:
        upper = np.minimum(most, part)
        lower = np.where(pinned, part, 0)
        block = program.columns(len(items), cost=costs(items, demands), lower=lower, upper=upper, integer=True)
        demand(program, items, block, upper, quotas, part)
        companies(program, items, block, demands, part)
        for members, least, greatest, cost in bands(items, quotas, demands):
            low, high = least * part, greatest * part
            if uses is not None:
                low, high = floor(most[members].sum() * part / forms), ceil(most[members].sum() * part / forms)
            program.near(block[members], low, high, cost)
        program.row(np.append(block, worst), np.append(levels, -1.0), -np.inf, ceil(mean * part))
        program.row(np.append(block, worst), np.append(levels, 1.0), floor(mean * part), np.inf)
        blocks.append(block)
    _limit_sharing(program, blocks, most, demands.overlap if max(times) == 1 else None, uses is not None)
    solution = _solved(program, demands)
    if solution.values is None:
        return solution, []
    return solution, [_scattered(solution.values[block], positions, len(pool)) for block in blocks]


def _scattered(values: Floats, positions: Integers, size: int) -> Integers:
    uses = np.zeros(size, dtype=np.int64)
    uses[positions] = np.rint(values).astype(np.int64)
    return uses


def _limit_sharing(
    program: Program, blocks: list[Integers], most: Integers, overlap: int | None, exactly: bool
) -> None:
    """Use every item (exactly or at most) `most` times; count and bound what each two forms share."""
    for i, times in enumerate(most):
        program.row(np.array([block[i] for block in blocks]), 1.0, times if exactly else 0, times)
    twice = np.flatnonzero(most > 1)
    for one, other in combinations(blocks, 2) if len(twice) else ():
        both = program.columns(len(twice), cost=SHARE_COST)
        for z, j in zip(both, twice, strict=True):
            program.row(np.array([z, one[j], other[j]]), [1.0, -1.0, -1.0], -1, np.inf)
        program.row(both, 1.0, 0, np.inf if overlap is None else overlap)


def _solved(program: Program, demands: Demands) -> Solution:
    solution = program.solve(time_limit=demands.time_limit, gap=demands.gap)
    if solution.values is None and not solution.infeasible:
        raise Refused(
            "assembly_timeout", f"在 {demands.time_limit:g} 秒内没有找到可行的试卷，请延长时限、减少套数或放宽要求。"
        )
    return solution

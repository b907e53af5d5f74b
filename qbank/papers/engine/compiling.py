"""From rules to the generic problem: every rule becomes bands, groups, musts, bars, costs or the aim. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from math import ceil, floor, inf
from typing import Any

import numpy as np

from qbank.kernel.refused import Refused
from qbank.papers.engine import rules as r
from qbank.papers.engine.arrays import Flags, Floats, Integers
from qbank.papers.engine.items import ItemPool
from qbank.papers.engine.problem import SHARE_COST, Aim, Band, Bar, Groups, Must, Problem
from qbank.papers.specification import Quotas, kind_name, largest_remainder

GRADE_NAMES = {1: "1 级（易）", 2: "2 级（较易）", 3: "3 级（中等）", 4: "4 级（较难）", 5: "5 级（难）"}
IMPORTANCE_NAMES = {"X": "核心要素 X", "Y": "一般要素 Y", "Z": "辅助要素 Z"}
TRIED = "试测"  # the range name of cells of unscored items


@dataclass
class Draft:
    """What the rules add up to while they are read one by one. `scored` (n,) items that count."""

    pool: ItemPool
    quotas: Quotas
    forms: int
    scored: Flags
    cells: Integers
    counts: list[int]
    names: list[tuple[str, str]]
    uses: Integers
    costs: Floats
    overlap: int | None = None
    share_cost: float = SHARE_COST
    bands: list[Band] = field(default_factory=list)
    groups: list[Groups] = field(default_factory=list)
    musts: list[Must] = field(default_factory=list)
    bars: list[Bar] = field(default_factory=list)
    aim: Aim | None = None

    @property
    def length(self) -> int:
        """Scored items of a form."""
        return sum(part.count for part in self.quotas.parts)

    def band(self, rule: r.Rule, name: str, chosen: Flags | Floats, low: float, high: float, unit: float = 1.0, *,
             equal: bool = False) -> None:
        """A band over what is not zero in `chosen`."""
        items = np.flatnonzero(chosen)
        self.bands.append(Band(rule.title, name, items, np.asarray(chosen, dtype=np.float64)[items], low, high,
                               getattr(rule, "weight", None), unit, equal))


def compiled(pool: ItemPool, quotas: Quotas, forms: int, rules: Sequence[r.Rule], seed: int,
             locked: Sequence[frozenset[int]] = ()) -> tuple[ItemPool, Problem]:
    """The items that some quota has a place for, in an order drawn from the seed, and the problem over them.

    Refused 'bad_demands': rules that no bank could keep, or that speak of what the pool does not know.
    """
    if forms < 1:
        raise Refused("bad_demands", "套数至少为 1，请修改组卷要求。")
    names = [(key, quotas.parts[p].kind) for (key, p), count in quotas.counts.items() if count]
    counts = [count for count in quotas.counts.values() if count]
    cell_of = {name: c for c, name in enumerate(names)}
    for rule in rules:
        for kind, count in rule.count.items() if isinstance(rule, r.Pretest) else ():
            cell_of[TRIED, kind] = len(counts)
            names.append((TRIED, kind))
            counts.append(count)
    tried = pool.numbers("pretest") > 0
    cells = np.array([cell_of.get((TRIED if out else key, kind), -1)
                      for key, kind, out in zip(pool.labels("ranges"), pool.labels("kinds"), tried, strict=True)], dtype=np.int64)
    placed = np.flatnonzero(cells >= 0)
    placed = placed[np.argsort(pool.keys[placed])]
    placed = np.random.default_rng(seed).permutation(placed)
    pool, cells = pool.take(placed), cells[placed]
    draft = Draft(pool, quotas, forms, ~tried[placed], cells, counts, names, np.full(len(placed), forms), np.zeros(len(placed)))
    for rule in sorted(rules, key=lambda rule: isinstance(rule, (r.OnePerPoint, r.Equal))):  # these look at uses and bars
        READERS[type(rule)](draft, rule)
    return pool, _problem(draft, locked, seed)


def _problem(draft: Draft, locked: Sequence[frozenset[int]], seed: int) -> Problem:
    pool = draft.pool
    place = {key: i for i, key in enumerate(pool.keys.tolist())}
    for f, keys in enumerate(locked):
        if keys:
            draft.musts.append(Must("锁定的题", _places(place, keys, "锁定的题"), f))
    labels = pool.labels("doubles")
    if (labels != "").any():
        names, at = np.unique(labels, return_inverse=True)
        at = np.where(labels == "", -1, at)
        draft.groups.append(Groups("互斥相近", names.tolist(), at, np.zeros(len(names), dtype=np.int64), np.ones(len(names), dtype=np.int64)))
    pairs = {(min(place[a], place[b]), max(place[a], place[b])) for a, b in pool.apart if a in place and b in place}
    sets, torn = [], []
    for members in pool.together:
        held = sorted(place[key] for key in members if key in place)
        if len(held) < len(members):
            torn += held
        elif len(held) > 1:
            sets.append(np.array(held, dtype=np.int64))
    if torn:
        draft.bars.append(Bar("共用题干", np.array(sorted(torn), dtype=np.int64)))
    if draft.overlap == 0:
        wanted = np.zeros((draft.forms, len(pool)), dtype=np.int64)
        for must in draft.musts:
            wanted[slice(None) if must.form is None else must.form, must.items] = 1
        draft.uses = np.minimum(draft.uses, np.maximum(1, wanted.sum(axis=0)))
    return Problem(
        keys=pool.keys, cells=draft.cells, quotas=np.array(draft.counts, dtype=np.int64), cell_names=tuple(draft.names), forms=draft.forms,
        uses=draft.uses, overlap=draft.overlap, pairs=np.array(sorted(pairs), dtype=np.int64).reshape(-1, 2),
        sets=tuple(sorted(sets, key=lambda held: int(held[0]))), bands=tuple(draft.bands), groups=tuple(draft.groups),
        musts=tuple(draft.musts), bars=tuple(draft.bars), costs=draft.costs, aim=draft.aim, seed=seed, share_cost=draft.share_cost)


def _places(place: dict[int, int], keys: frozenset[int], what: str) -> Integers:
    lost = sorted(keys - place.keys())
    if lost:
        lines = [f"{what}：题目 {key} 不在可用的题库中，或其范围、题型没有配额" for key in lost]
        raise Refused("pinned_unusable", f"{lines[0]}（共 {len(lost)} 处）。请调整后重试。", lines)
    return np.array(sorted(place[key] for key in keys), dtype=np.int64)


def _importance(draft: Draft, rule: r.Importance) -> None:
    _shares(rule.shares.values())
    held, labels, least = np.zeros(len(draft.pool), dtype=bool), draft.pool.labels("importance"), 0.0
    names = []
    for code in ("X", "Y"):
        held = held | (labels == code)
        names.append(IMPORTANCE_NAMES[code])
        least += rule.shares.get(code, 0.0)
        if rule.shares.get(code, 0.0):
            draft.band(rule, "与".join(names), held & draft.scored, max(0, floor(least * draft.length + 1e-9) - rule.slack), inf)


def _grades(draft: Draft, rule: r.Grades) -> None:
    _shares(rule.shares.values())
    counts = largest_remainder([round(share * 1_000_000) for share in rule.shares.values()], draft.length)
    grades = draft.pool.numbers("grades")
    asked = dict(zip(rule.shares, counts, strict=True))
    for grade in sorted({*asked, *np.unique(grades[draft.scored]).astype(int).tolist()}):
        count = asked.get(grade, 0)
        draft.band(rule, f"难度 {GRADE_NAMES.get(grade, f'{grade} 级')}题数", (grades == grade) & draft.scored,
                   max(0, count - rule.slack), count + rule.slack)


def _shares(shares: Iterable[float]) -> None:
    values = list(shares)
    if min(values, default=-1.0) < 0 or abs(sum(values) - 1) > 1e-6:
        raise Refused("bad_demands", "各难度等级、各重要程度的比例必须不小于 0 且合计为 100%，请修改组卷要求。")


def _one_per_point(draft: Draft, rule: r.OnePerPoint) -> None:
    """least and most of each point by filling its range level by level, as far as its items reach."""
    open_ = draft.scored & (draft.uses > 0)
    for bar in draft.bars:
        open_[bar.items] = False
    labels = np.char.add(np.char.add(draft.pool.labels("ranges"), " "), draft.pool.labels("points"))
    names, at, held = np.unique(labels[open_], return_inverse=True, return_counts=True)
    alone = draft.overlap == 0
    reach = held // draft.forms if alone else held  # items of a point for one form
    need: Counter[str] = Counter()
    for (key, _), count in zip(draft.names, draft.counts, strict=True):
        need[key] += count
    least, most = np.zeros(len(names), dtype=np.int64), np.zeros(len(names), dtype=np.int64)
    ranges = np.array([name.rsplit(" ", 1)[0] for name in names])
    for key in np.unique(ranges):
        here = np.flatnonzero(ranges == key)
        share = held[here] / (draft.forms if alone else 1)
        level = next((k for k in range(1, need[key] + 1) if np.minimum(share, k).sum() >= need[key]), need[key])
        most[here], least[here] = max(1, level), np.minimum(reach[here], max(0, level - 1))
    where = np.full(len(labels), -1, dtype=np.int64)
    where[open_] = at
    draft.groups.append(Groups(rule.title, [f"鉴定点 {name.split(' ', 1)[1]}" for name in names], where, least, most, rule.weight))


def _difficulty(draft: Draft, rule: r.Difficulty) -> None:
    b = np.nan_to_num(draft.pool.numbers("b")) * draft.scored
    n = draft.length
    draft.band(rule, "难度参数 b 之和", b, (rule.mean - rule.tolerance) * n, (rule.mean + rule.tolerance) * n, 0.01 * n)


def _information(draft: Draft, rule: r.Information) -> None:
    known = _known(draft)
    for k, (ability, least) in enumerate(zip(draft.pool.abilities, rule.least, strict=True)):
        draft.band(rule, f"能力 {ability:g} 处信息量", known[:, k], least, inf, max(least, 1e-9) / 100)


def _known(draft: Draft) -> Floats:
    if not len(draft.pool.abilities):
        raise Refused("bad_demands", "题库没有标定参数，不能按信息量组卷。请先标定，或去掉信息量要求。")
    return np.asarray(draft.pool.information_at * draft.scored[:, None], dtype=np.float64)


def _expected(draft: Draft, rule: r.ExpectedScore) -> None:
    points = expected_points(draft.pool, draft.quotas) * draft.scored
    centre = 0.0 if rule.target is None else rule.target
    draft.band(rule, "及格线处期望得分", points, centre - rule.tolerance, centre + rule.tolerance, 0.1, equal=rule.target is None)


def expected_points(pool: ItemPool, quotas: Quotas) -> Floats:
    """Expected score of each item at the cut in points, (n,); an item of unknown curve gives what it is not known to: 0."""
    worth = {part.kind: part.half_points / 2 for part in quotas.parts}
    return np.asarray(np.nan_to_num(pool.numbers("expected")) * pool.by_kind(worth))


def _kept_out(draft: Draft, rule: r.Exposure | r.Rest, kept_out: Flags) -> None:
    if rule.weight is None:
        draft.bars.append(Bar(rule.title, np.flatnonzero(kept_out)))
    else:
        draft.band(rule, f"{rule.title}以外的题", kept_out, 0, 0)


def _exposure(draft: Draft, rule: r.Exposure) -> None:
    _kept_out(draft, rule, draft.pool.numbers("exposure") >= rule.most)


def _rest(draft: Draft, rule: r.Rest) -> None:
    _kept_out(draft, rule, draft.pool.numbers("last_used", 1e6) <= rule.sittings)


def _little_used(draft: Draft, rule: r.LittleUsed) -> None:
    exposure = draft.pool.numbers("exposure")
    draft.costs += rule.weight * exposure / max(1.0, exposure.max(initial=0.0))


def _key_balance(draft: Draft, rule: r.KeyBalance) -> None:
    kinds, answers = draft.pool.labels("kinds"), draft.pool.labels("answers")
    for kind, letters in (("single", set("ABCD")), ("judge", set(answers[kinds == "judge"].tolist()))):
        total = sum(count for (_, other), count in zip(draft.names, draft.counts, strict=True) if other == kind)
        for letter in sorted(letters) if total else ():
            share = total / len(letters)
            draft.band(rule, f"{kind_name(kind)}答案为 {letter} 的题数", (kinds == kind) & (answers == letter),
                       max(0, floor(share) - rule.slack), ceil(share) + rule.slack)


def _length(draft: Draft, rule: r.Length) -> None:
    if not 0 <= rule.least <= rule.most:
        raise Refused("bad_demands", "阅读总量的下限不能大于上限，请修改组卷要求。")
    draft.band(rule, "阅读总量（字）", draft.pool.numbers("lengths"), rule.least, rule.most, max(1.0, rule.most / 100))


def _overlap(draft: Draft, rule: r.Overlap) -> None:
    if rule.most is not None and rule.most < 0:
        raise Refused("bad_demands", "各套共用题数不能小于 0，请修改组卷要求。")
    draft.overlap, draft.share_cost = rule.most, rule.weight


def _earlier(draft: Draft, rule: r.Earlier) -> None:
    for name, keys in draft.pool.earlier.items():
        draft.band(rule, f"与《{name}》共有的题数", np.isin(draft.pool.keys, sorted(keys)), 0, rule.most)


def _pretest(draft: Draft, rule: r.Pretest) -> None:
    """Its cells are there before the rules are read."""


def _use_limit(draft: Draft, rule: r.UseLimit) -> None:
    draft.uses = np.minimum(draft.uses, rule.most)


def _pinned(draft: Draft, rule: r.Pinned) -> None:
    place = {key: i for i, key in enumerate(draft.pool.keys.tolist())}
    if rule.keys:
        draft.musts.append(Must(rule.title, _places(place, rule.keys, rule.title)))


def _barred(draft: Draft, rule: r.Barred) -> None:
    draft.bars.append(Bar(rule.title, np.flatnonzero(np.isin(draft.pool.keys, sorted(rule.keys)))))


def average_information(draft: Draft) -> Floats:
    """What a paper of items drawn at random within each cell gives, (k,)."""
    share = np.array(draft.counts) / np.maximum(np.bincount(draft.cells, minlength=len(draft.counts)), 1)
    return np.asarray(share[draft.cells] @ _known(draft), dtype=np.float64)


def _equal(draft: Draft, rule: r.Equal) -> None:
    target = average_information(draft) * rule.times if rule.target is None else np.array(rule.target, dtype=np.float64)
    if len(target) != len(draft.pool.abilities) or (target <= 0).any():
        raise Refused("bad_demands", "目标信息量应对每个能力值各给一个大于 0 的数，请修改组卷要求。")
    draft.aim = Aim(_known(draft), target, weight=rule.weight)


def _most(draft: Draft, rule: r.Most) -> None:
    scale = np.ones(len(draft.pool.abilities)) if rule.relative is None else np.array(rule.relative, dtype=np.float64)
    draft.aim = Aim(_known(draft), scale, most=True, weight=rule.weight)


READERS: dict[type, Callable[[Draft, Any], None]] = {
    r.Importance: _importance, r.OnePerPoint: _one_per_point, r.Grades: _grades, r.Difficulty: _difficulty,
    r.Information: _information, r.ExpectedScore: _expected, r.Exposure: _exposure, r.LittleUsed: _little_used, r.Rest: _rest,
    r.KeyBalance: _key_balance, r.Length: _length, r.Overlap: _overlap, r.Earlier: _earlier, r.Pretest: _pretest,
    r.UseLimit: _use_limit, r.Pinned: _pinned, r.Barred: _barred, r.Equal: _equal, r.Most: _most}

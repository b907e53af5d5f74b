"""An independent referee of forms: counts every hard rule from the plain items and knows nothing of the engine's core. Pure.

What the engine found, and what people changed by hand since, is counted once more here before it is sealed. Quotas,
pairs and sets are not rules of the engine: :mod:`qbank.papers.checks` counts them, by the numbers of the items.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations
from math import floor

import numpy as np

from qbank.papers.compiling import ROW_OF
from qbank.papers.engine import rules as r
from qbank.papers.engine.arrays import Floats
from qbank.papers.engine.items import ItemPool
from qbank.papers.rules import KINDS_OF_RULES, LISTS
from qbank.papers.specification import Quotas, kind_name, largest_remainder

NEAR = 1e-6
SIGNS = {"T": "√", "F": "×"}


@dataclass(frozen=True, eq=False)
class Form:
    """One form over a pool: ``items`` are positions, ``tried`` those of them that are only tried out."""

    pool: ItemPool
    quotas: Quotas
    items: tuple[int, ...]
    tried: frozenset[int]

    @cached_property
    def scored(self) -> list[int]:
        return [i for i in self.items if i not in self.tried]

    @cached_property
    def keys(self) -> frozenset[int]:
        return frozenset(int(self.pool.keys[i]) for i in self.items)

    def values(self, name: str, default: float = 0.0) -> Floats:
        return self.pool.numbers(name, default)

    @property
    def expected(self) -> float:
        """Expected score at the cut, in points."""
        worth = {part.kind: part.half_points / 2 for part in self.quotas.parts}
        right = np.asarray(self.pool.expected, dtype=np.float64)
        return float(sum(worth[str(self.pool.kinds[i])] * right[i] for i in self.scored))


def broken(pool: ItemPool, quotas: Quotas, rules: Sequence[r.Rule], forms: Mapping[str, Sequence[int]],
           tried: frozenset[int] = frozenset()) -> dict[str, list[str]]:
    """Name of a form → every hard rule that it misses, a sentence each. ``tried``: keys that count for nothing."""
    place = {int(key): i for i, key in enumerate(pool.keys)}
    held = {name: Form(pool, quotas, tuple(place[key] for key in keys), frozenset(place[key] for key in keys if key in tried))
            for name, keys in forms.items()}
    found = {name: [f"{title_of(rule)}：{line}" for rule in rules if is_hard(rule) for line in _of_one(form, rule)]
             for name, form in held.items()}
    for rule in rules:
        if is_hard(rule):
            for name, line in _between(held, rule):
                found[name].append(f"{title_of(rule)}：{line}")
    return found


def is_hard(rule: r.Rule) -> bool:
    """Whether nothing may miss it; rules without a weight are hard, but aims are none. A limit of sharing always is."""
    if isinstance(rule, r.Overlap):
        return rule.most is not None
    return not isinstance(rule, r.Equal | r.Most) and getattr(rule, "weight", None) is None


def title_of(rule: r.Rule) -> str:
    return title_named(rule.title)


def title_named(title: str) -> str:
    """What the page of the rules calls a rule of the engine."""
    code = ROW_OF.get(title, "")
    return KINDS_OF_RULES[code].title if code in KINDS_OF_RULES else LISTS.get(code, title)


def _between(forms: Mapping[str, Form], rule: r.Rule) -> Iterator[tuple[str, str]]:
    """What forms have to do with one another: name of one of them, sentence."""
    if isinstance(rule, r.Overlap) and rule.most is not None:
        for (one, a), (other, b) in combinations(forms.items(), 2):
            if (shared := len(a.keys & b.keys)) > rule.most:
                yield one, f"{one} 卷与 {other} 卷共用 {shared} 题，最多 {rule.most} 题。"
                yield other, f"{other} 卷与 {one} 卷共用 {shared} 题，最多 {rule.most} 题。"
    elif isinstance(rule, r.UseLimit):
        uses = Counter(key for form in forms.values() for key in form.keys)
        for name, form in forms.items():
            if worn := sum(uses[key] > rule.most for key in form.keys):
                yield name, f"有 {worn} 题用在 {rule.most} 套以上的卷里。"
    elif isinstance(rule, r.ExpectedScore) and rule.target is None and len(forms) > 1:
        scores = {name: form.expected for name, form in forms.items()}
        if max(scores.values()) - min(scores.values()) > 2 * rule.tolerance + NEAR:
            low, high = min(scores, key=scores.__getitem__), max(scores, key=scores.__getitem__)
            for name in (low, high):
                yield name, f"{low} 卷 {scores[low]:.2f} 分，{high} 卷 {scores[high]:.2f} 分，相差超过 {2 * rule.tolerance:g} 分。"


def _of_one(form: Form, rule: r.Rule) -> list[str]:
    if isinstance(rule, r.Grades | r.Importance | r.KeyBalance | r.OnePerPoint | r.Pretest):
        return list(_content(form, rule))
    if isinstance(rule, r.Difficulty | r.Information | r.ExpectedScore):
        return list(_measured(form, rule))
    return list(_used(form, rule))


def _content(form: Form, rule: r.Grades | r.Importance | r.KeyBalance | r.OnePerPoint | r.Pretest) -> Iterator[str]:
    if isinstance(rule, r.Grades):
        yield from _grades(form, rule)
    elif isinstance(rule, r.Importance):
        got = Counter(str(form.pool.importance[i]) for i in form.scored)
        for codes in ("X", "XY"):
            least = floor(sum(rule.shares.get(code, 0) for code in codes) * len(form.scored) + 1e-9) - rule.slack
            have = sum(got[code] for code in codes)
            if rule.shares.get(codes[-1]) and have < least:
                yield f"{'、'.join(codes)} 共 {have} 题，至少 {least} 题。"
    elif isinstance(rule, r.KeyBalance):
        yield from _keys(form, rule)
    elif isinstance(rule, r.Pretest):
        wanted = Counter({kind: count for kind, count in rule.count.items() if count})
        if (tried := Counter(str(form.pool.kinds[i]) for i in form.tried)) != wanted:
            yield f"试测题 {tried.total()} 道，应有 {wanted.total()} 道。"
    else:
        yield from _points(form)


def _grades(form: Form, rule: r.Grades) -> Iterator[str]:
    counts = largest_remainder([round(share * 1_000_000) for share in rule.shares.values()], len(form.scored))
    got = Counter(int(form.values("grades")[i]) for i in form.scored)
    for grade, count in zip(rule.shares, counts, strict=True):
        if abs(got[grade] - count) > rule.slack:
            yield f"{grade} 级 {got[grade]} 题，应为 {count} 题" + (f"（允许相差 {rule.slack} 题）。" if rule.slack else "。")


def _keys(form: Form, rule: r.KeyBalance) -> Iterator[str]:
    answers = sorted({str(answer) for answer, kind in zip(form.pool.answers, form.pool.kinds, strict=True) if kind == "judge"})
    for kind, letters in (("single", list("ABCD")), ("judge", answers)):
        given = [str(form.pool.answers[i]) for i in form.items if form.pool.kinds[i] == kind]
        for letter in letters if given else []:
            if abs(given.count(letter) - len(given) / len(letters)) >= 1 + rule.slack:
                yield f"{kind_name(kind)}答案为 {SIGNS.get(letter, letter)} 的有 {given.count(letter)} 题，平均 {len(given) / len(letters):g} 题。"


def _points(form: Form) -> Iterator[str]:
    """No point of a range twice while the range has twice as many points as items asked: then there always is another."""
    points: dict[str, set[str]] = {}
    for path, point in zip(form.pool.ranges, form.pool.points, strict=True):
        points.setdefault(str(path), set()).add(str(point))
    need = Counter(str(form.pool.ranges[i]) for i in form.scored)
    got = Counter((str(form.pool.ranges[i]), str(form.pool.points[i])) for i in form.scored)
    twice = Counter(path for (path, _), count in got.items() if count > 1 and len(points[path]) >= 2 * need[path])
    for path, count in twice.items():
        yield f"范围 {path} 有 {count} 个鉴定点出了两题以上。"


def _measured(form: Form, rule: r.Difficulty | r.Information | r.ExpectedScore) -> Iterator[str]:
    if isinstance(rule, r.Difficulty):
        mean = float(form.values("b")[form.scored].mean())
        if abs(mean - rule.mean) > rule.tolerance + NEAR:
            yield f"平均 b 为 {mean:.3f}，应为 {rule.mean:g} ± {rule.tolerance:g}。"
    elif isinstance(rule, r.Information):
        sums = np.asarray(form.pool.information, dtype=np.float64)[form.scored].sum(axis=0)
        for theta, have, least in zip(form.pool.abilities, sums, rule.least, strict=True):
            if have < least - NEAR:
                yield f"θ＝{theta:.2f} 处信息量 {have:.2f}，至少 {least:.2f}。"
    elif rule.target is not None and abs(form.expected - rule.target) > rule.tolerance + NEAR:
        yield f"{form.expected:.2f} 分，应为 {rule.target:g} ± {rule.tolerance:g} 分。"


def _used(form: Form, rule: r.Rule) -> Iterator[str]:
    if isinstance(rule, r.Length):
        total = float(form.values("lengths")[list(form.items)].sum())
        if not rule.least <= total <= rule.most:
            yield f"{total:g} 字，应在 {rule.least} 到 {rule.most} 字之间。"
    elif isinstance(rule, r.Exposure):
        if worn := int((form.values("exposure")[list(form.items)] >= rule.most).sum()):
            yield f"有 {worn} 题一年内已用于 {rule.most} 套以上的封存试卷。"
    elif isinstance(rule, r.Rest):
        if late := int((form.values("last_used", 1e6)[list(form.items)] <= rule.sittings).sum()):
            yield f"有 {late} 题在最近 {rule.sittings} 场考试中用过，或在等待开考的封存试卷里。"
    elif isinstance(rule, r.Earlier):
        for name, keys in form.pool.earlier.items():
            if (shared := len(form.keys & keys)) > rule.most:
                yield f"与“{name}”共用 {shared} 题，最多 {rule.most} 题。"
    elif isinstance(rule, r.Pinned):
        if lacking := len(rule.keys - form.keys):
            yield f"缺 {lacking} 道必选题。"
    elif isinstance(rule, r.Barred) and (held := len(rule.keys & form.keys)):
        yield f"有 {held} 道禁用题。"

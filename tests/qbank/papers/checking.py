"""An independent referee for assembled forms: counts everything from the plain items, knows nothing of the engine's core."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import combinations
from math import floor
from typing import Any

import numpy as np

from qbank.papers.engine import rules as r
from qbank.papers.engine.items import ItemPool
from qbank.papers.specification import Quotas, largest_remainder


def broken(pool: ItemPool, quotas: Quotas, rules: Sequence[r.Rule], forms: Sequence[Sequence[int]],
           locked: Sequence[frozenset[int]] = ()) -> list[str]:
    """Every hard demand that the forms miss, a line each."""
    place = {int(key): i for i, key in enumerate(pool.keys)}
    lines = []
    for f, keys in enumerate(forms):
        if len(set(keys)) != len(keys):
            lines.append(f"form {f} holds an item twice")
        items = [place[key] for key in keys]
        lines += [f"form {f}: {line}" for line in _form(pool, quotas, rules, keys, items)]
        if f < len(locked) and not locked[f] <= set(keys):
            lines.append(f"form {f} lost locked items")
    overlap = next((rule.most for rule in rules if isinstance(rule, r.Overlap)), None)
    if overlap is not None:
        lines += [f"two forms share {len(set(a) & set(b))}" for a, b in combinations(forms, 2) if len(set(a) & set(b)) > overlap]
    for rule in rules:
        if isinstance(rule, r.UseLimit):
            uses = Counter(key for keys in forms for key in keys)
            lines += [f"item {key} is used {times} times" for key, times in uses.items() if times > rule.most]
        if isinstance(rule, r.ExpectedScore) and rule.weight is None and rule.target is None:
            scores = [_expected(pool, quotas, [place[key] for key in keys]) for keys in forms]
            if max(scores) - min(scores) > 2 * rule.tolerance + 1e-6:
                lines.append("expected scores differ")
    return lines


def _form(pool: ItemPool, quotas: Quotas, rules: Sequence[r.Rule], keys: Sequence[int], items: Sequence[int]) -> list[str]:
    lines: list[str] = []
    tried = [i for i in items if len(np.asarray(pool.pretest)) and np.asarray(pool.pretest)[i]]
    scored = [i for i in items if i not in tried]
    got = Counter((str(pool.ranges[i]), str(pool.kinds[i])) for i in scored)
    asked = Counter({(key, quotas.parts[p].kind): count for (key, p), count in quotas.counts.items() if count})
    if got != asked:
        lines.append(f"cells {got - asked} too many, {asked - got} too few")
    held = set(keys)
    lines += [f"enemies {a} and {b}" for a, b in pool.apart if a in held and b in held]
    lines += ["a set is torn" for members in pool.together if held & members and not members <= held]
    doubles = Counter(str(pool.doubles[i]) for i in items if len(pool.doubles) and pool.doubles[i])
    lines += [f"{count} of double {name}" for name, count in doubles.items() if count > 1]
    wanted: Counter[str] = Counter()
    for rule in rules:
        if isinstance(rule, r.Pretest):
            wanted = Counter({kind: count for kind, count in rule.count.items() if count})
        if getattr(rule, "weight", None) is None:
            lines += _rule(pool, quotas, rule, held, items, scored)
    if Counter(str(pool.kinds[i]) for i in tried) != wanted:
        lines.append("unscored items")
    return lines


def _rule(pool: ItemPool, quotas: Quotas, rule: r.Rule, held: set[int], items: Sequence[int], scored: Sequence[int]) -> list[str]:
    def values(name: str) -> Any:
        return np.asarray(getattr(pool, name))

    n, lines = len(scored), []
    if isinstance(rule, r.Grades):
        counts = largest_remainder([round(share * 1_000_000) for share in rule.shares.values()], n)
        got = Counter(int(values("grades")[i]) for i in scored)
        for grade, count in zip(rule.shares, counts, strict=True):
            if abs(got[grade] - count) > rule.slack:
                lines.append(f"grade {grade}: {got[grade]} for {count}")
    elif isinstance(rule, r.Importance):
        got_by = Counter(str(pool.importance[i]) for i in scored)
        for codes in ("X", "XY"):
            least = floor(sum(rule.shares.get(code, 0) for code in codes) * n + 1e-9) - rule.slack
            if rule.shares.get(codes[-1]) and sum(got_by[code] for code in codes) < least:
                lines.append(f"importance {codes}")
    elif isinstance(rule, r.KeyBalance):
        for kind, letters in (("single", "ABCD"), ("judge", sorted({str(a) for a, k in zip(pool.answers, pool.kinds, strict=True) if k == "judge"}))):
            of_kind = [str(pool.answers[i]) for i in items if pool.kinds[i] == kind]
            for letter in letters if of_kind else "":
                if abs(of_kind.count(letter) - len(of_kind) / len(letters)) >= 1 + rule.slack:
                    lines.append(f"key {kind} {letter}: {of_kind.count(letter)}")
    elif isinstance(rule, r.Length):
        total = sum(values("lengths")[i] for i in items)
        if not rule.least <= total <= rule.most:
            lines.append(f"length {total}")
    elif isinstance(rule, r.Exposure):
        lines += ["exposed" for i in items if values("exposure")[i] >= rule.most]
    elif isinstance(rule, r.Rest):
        lines += ["used lately" for i in items if values("last_used")[i] <= rule.sittings]
    elif isinstance(rule, r.Earlier):
        lines += [f"shares with {name}" for name, keys in pool.earlier.items() if len(held & keys) > rule.most]
    elif isinstance(rule, r.Information):
        got_info = values("information")[list(scored)].sum(axis=0)
        lines += ["information" for have, least in zip(got_info, rule.least, strict=True) if have < least - 1e-6]
    elif isinstance(rule, r.Difficulty):
        if abs(values("b")[list(scored)].mean() - rule.mean) > rule.tolerance + 1e-6:
            lines.append("mean b")
    elif isinstance(rule, r.ExpectedScore):
        if rule.target is not None and abs(_expected(pool, quotas, scored) - rule.target) > rule.tolerance + 1e-6:
            lines.append("expected score")
    elif isinstance(rule, r.Pinned):
        lines += ["pinned item left out" for key in rule.keys if key not in held]
    elif isinstance(rule, r.Barred):
        lines += ["barred item" for key in rule.keys if key in held]
    elif isinstance(rule, r.OnePerPoint):
        lines += _points(pool, quotas, scored)
    return lines


def _points(pool: ItemPool, quotas: Quotas, scored: Sequence[int]) -> list[str]:
    """No point twice while its range has as many points as items asked."""
    points: dict[str, set[str]] = {}
    for i in range(len(pool)):
        points.setdefault(str(pool.ranges[i]), set()).add(str(pool.points[i]))
    need = Counter(str(pool.ranges[i]) for i in scored)
    got = Counter((str(pool.ranges[i]), str(pool.points[i])) for i in scored)
    plenty = {key for key, names in points.items() if len(names) >= 2 * need[key]}
    return [f"point {point} {count} times" for (key, point), count in got.items() if key in plenty and count > 1]


def _expected(pool: ItemPool, quotas: Quotas, items: Sequence[int]) -> float:
    worth = {part.kind: part.half_points / 2 for part in quotas.parts}
    return float(sum(worth[str(pool.kinds[i])] * float(np.asarray(pool.expected)[i]) for i in items))

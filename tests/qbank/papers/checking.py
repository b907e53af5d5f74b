"""An independent referee for assembled forms: quotas, pairs, sets and locks counted here, the rules by the product's own referee."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np

from qbank.papers import checking
from qbank.papers.engine import rules as r
from qbank.papers.engine.items import ItemPool
from qbank.papers.specification import Quotas


def broken(pool: ItemPool, quotas: Quotas, rules: Sequence[r.Rule], forms: Sequence[Sequence[int]],
           locked: Sequence[frozenset[int]] = ()) -> list[str]:
    """Every hard demand that the forms miss, a line each."""
    place = {int(key): i for i, key in enumerate(pool.keys)}
    flags = np.asarray(pool.pretest)
    tried = frozenset(int(key) for i, key in enumerate(pool.keys) if len(flags) and flags[i])
    lines = []
    for f, keys in enumerate(forms):
        if len(set(keys)) != len(keys):
            lines.append(f"form {f} holds an item twice")
        lines += [f"form {f}: {line}" for line in _form(pool, quotas, keys, [place[key] for key in keys if key not in tried])]
        if f < len(locked) and not locked[f] <= set(keys):
            lines.append(f"form {f} lost locked items")
        if tried & set(keys) and not any(isinstance(rule, r.Pretest) for rule in rules):
            lines.append(f"form {f} tries items out")
    told = checking.broken(pool, quotas, rules, {str(f): keys for f, keys in enumerate(forms)}, tried)
    return [*lines, *(f"form {name}: {line}" for name, found in told.items() for line in found)]


def _form(pool: ItemPool, quotas: Quotas, keys: Sequence[int], scored: Sequence[int]) -> list[str]:
    lines: list[str] = []
    got = Counter((str(pool.ranges[i]), str(pool.kinds[i])) for i in scored)
    asked = Counter({(key, quotas.parts[p].kind): count for (key, p), count in quotas.counts.items() if count})
    if got != asked:
        lines.append(f"cells {got - asked} too many, {asked - got} too few")
    held = set(keys)
    lines += [f"enemies {a} and {b}" for a, b in pool.apart if a in held and b in held]
    lines += ["a set is torn" for members in pool.together if held & members and not members <= held]
    names = dict(zip(pool.keys.tolist(), pool.doubles, strict=True)) if len(pool.doubles) else {}
    doubles = Counter(str(names[key]) for key in keys if names.get(key))
    return lines + [f"{count} of double {name}" for name, count in doubles.items() if count > 1]

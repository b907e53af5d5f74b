"""How fast and how well papers are assembled: one JSON object a line with name, value, unit, target, ok.

5 forms of 150 items without overlap from banks of 2,000, 10,000 and 50,000: 30 areas with exact counts, 3 types, 5 grades, 500 enemy
pairs, information at -0.5, 0 and 0.5; an average and a demanding target, maximin, all rules together, an explanation, a form per
candidate; plain scipy.milp on the same bank in the same run. Each measurement runs in a process of its own. Seconds are
of processors, of the process and of its children, which is what a quiet machine shows on the clock. Run:

    python tests/benchmarks/assembly.py [--quick]
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from qbank.papers.assembly import Assembly, ItemPool, Unmakeable, assemble
from qbank.papers.engine import child
from qbank.papers.engine import rules as r
from qbank.papers.specification import LeafRange, Part, Quotas

SIZES = (2_000, 10_000, 50_000)
KINDS = ("single", "multiple", "judge")
COUNTS = (2, 2, 1)  # of each kind in each of 30 areas: 150
AREAS = [f"R{i:02d}" for i in range(30)]
QUOTAS = Quotas(tuple(LeafRange(area, 0) for area in AREAS), tuple(Part(k, 30 * n, 2) for k, n in zip(KINDS, COUNTS, strict=True)),
                {(area, p): n for area in AREAS for p, n in enumerate(COUNTS)}, {}, {})
GRADES = r.Grades(weight=None, shares={1: 0.12, 2: 0.22, 3: 0.32, 4: 0.22, 5: 0.12})
ALL: tuple[r.Rule, ...] = (
    GRADES, r.Overlap(), r.Importance(weight=None, shares={"X": 0.7, "Y": 0.2, "Z": 0.1}), r.OnePerPoint(weight=None),
    r.ExpectedScore(weight=None), r.Exposure(most=4), r.Rest(sittings=1), r.KeyBalance(weight=None), r.Length(most=20_000),
    r.Difficulty(mean=0.0, tolerance=0.1, weight=None), r.Earlier(most=45), r.LittleUsed(), r.Barred(keys=frozenset({2, 3})))


def bank(size: int, seed: int = 1) -> ItemPool:
    """Items of the three-parameter model, spread evenly over areas and types."""
    draw = np.random.default_rng(seed)
    cell = np.arange(size) % 90
    a, b, c = np.exp(draw.normal(0, 0.3, size)), draw.normal(0, 1, size), np.where(cell % 3 == 2, 0.3, 0.15)
    theta = np.array([-0.5, 0.0, 0.5])
    right = c[:, None] + (1 - c[:, None]) / (1 + np.exp(-1.7 * a[:, None] * (theta - b[:, None])))
    information = (1.7 * a[:, None]) ** 2 * (1 - right) / right * ((right - c[:, None]) / (1 - c[:, None])) ** 2
    letters = draw.integers(0, 4, size)
    pairs = draw.permutation(size)[:1000].reshape(500, 2) + 1
    return ItemPool(
        keys=np.arange(size) + 1, ranges=[AREAS[x // 3] for x in cell], kinds=[KINDS[x % 3] for x in cell],
        points=[f"{x}" for x in draw.integers(0, 12, size)], importance=draw.choice(list("XYZ"), size, p=[0.7, 0.2, 0.1]).tolist(),
        grades=np.digitize(b, [-1.2, -0.4, 0.4, 1.2]) + 1,
        answers=[("ABCD"[x], "ACD", "TF"[x % 2])[k % 3] for k, x in zip(cell, letters, strict=True)], lengths=draw.integers(40, 200, size),
        abilities=(-0.5, 0.0, 0.5), cut=0.0, information=information, expected=right[:, 1], b=b, exposure=draw.poisson(1, size),
        last_used=draw.integers(1, 30, size), apart=[(int(x), int(y)) for x, y in pairs],
        earlier={"第一次": frozenset(draw.integers(1, size, 150).tolist())})


def spent() -> float:
    """Processor seconds of this process and of its children that have ended."""
    own, ours = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
    return own.ru_utime + own.ru_stime + ours.ru_utime + ours.ru_stime


def timed(work: Callable[[], Any]) -> dict[str, Any]:
    """Processor and clock seconds, the answer, and the most memory of the process and its child together, in MB."""
    begun, clock = spent(), perf_counter()
    answer = work()
    clock = perf_counter() - clock
    while child._idle:
        child._idle.pop().end()
    most = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss + resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss) / 1024
    return {"seconds": spent() - begun, "clock": clock, "answer": answer, "memory": most}


def ours(size: int, rules: tuple[r.Rule, ...], forms: int = 5) -> dict[str, Any]:
    pool = bank(size)
    found = timed(lambda: assemble(pool, QUOTAS, forms=forms, rules=rules, seed=1))
    made: Assembly = found.pop("answer")
    return found | {"value": made.value, "gap": made.gap, "shared": made.shared, "costs": made.costs}


def explained(size: int) -> dict[str, Any]:
    """One area short of choices, grades that do not go with the rest."""
    pool = bank(size)
    kept = np.array([i for i in range(size) if not (pool.ranges[i] == "R07" and pool.kinds[i] == "single" and i > 600)])

    def why() -> list[str]:
        try:
            assemble(pool.take(kept), QUOTAS, forms=5, rules=(GRADES, r.Overlap(), r.Equal()), seed=1)
        except Unmakeable as refused:
            return list(refused.details)
        return []

    return timed(why)


def plain(size: int, limit: float) -> dict[str, Any]:
    """scipy.milp on items x forms, minimax, stopped at 0.5 % of the target."""
    from scipy.optimize import Bounds, LinearConstraint, milp
    from scipy.sparse import coo_array

    pool, forms = bank(size), 5
    place = {(area, kind): c for c, (area, kind) in enumerate((a, k) for a in AREAS for k in KINDS)}
    cell = np.array([place[str(a), str(k)] for a, k in zip(pool.ranges, pool.kinds, strict=True)])
    quota = np.tile(COUNTS, 30)
    information = np.asarray(pool.information)
    target = (quota / np.bincount(cell))[cell] @ information
    rows: list[Any] = []
    columns: list[Any] = []
    values: list[Any] = []
    low: list[float] = []
    high: list[float] = []

    def add(column: Any, value: Any, least: float, most: float) -> None:
        rows.append(np.full(len(column), len(low)))
        columns.append(column)
        values.append(np.broadcast_to(value, len(column)))
        low.append(least)
        high.append(most)

    items, off = np.arange(size), forms * size
    counts = np.array([18, 33, 48, 33, 18])
    for f in range(forms):
        for c in range(90):
            add(f * size + items[cell == c], 1.0, quota[c], quota[c])
        for g in range(5):
            add(f * size + items[np.asarray(pool.grades) == g + 1], 1.0, counts[g], counts[g])
        for x, y in pool.apart:
            add(np.array([f * size + x - 1, f * size + y - 1]), 1.0, 0, 1)
        for k in range(3):
            for sign in (1.0, -1.0):
                add(np.append(f * size + items, off), np.append(sign * information[:, k] / target[k], -1.0), -np.inf, sign)
    for i in items:
        add(np.arange(forms) * size + i, 1.0, 0, 1)
    matrix = coo_array((np.concatenate(values), (np.concatenate(rows), np.concatenate(columns))), shape=(len(low), off + 1)).tocsr()
    cost, lower, upper = np.zeros(off + 1), np.zeros(off + 1), np.ones(off + 1)
    cost[off], lower[off] = 1.0, 0.005  # 0.5 % is as good as none: the search ends there
    begun = spent()
    found = milp(cost, integrality=np.append(np.ones(off), 0), bounds=Bounds(lower, upper),
                 constraints=LinearConstraint(matrix, np.array(low), np.array(high)), options={"time_limit": limit, "mip_rel_gap": 1e-6})
    return {"seconds": spent() - begun, "value": None if found.x is None else float(found.x[off])}


def reference() -> None:
    """The pool of Diao and van der Linden (2011): 5.21963 is the best of its file, 5.22013 the bound there; 5.219764 is ours."""
    file = Path(__file__).resolve().parents[3] / "shared" / "data" / "psychometrics" / "12_ata_small.json"
    if not file.exists():
        return
    diao = json.loads(file.read_text())["diao"]
    ranges = [f"R{int(item['Category']):02d}" for item in diao["items"]]
    pool = ItemPool(keys=np.arange(165), ranges=ranges, kinds=["single"] * 165, abilities=(-1.5, 0.0, 1.5), information=diao["info"])
    asked = Quotas(tuple(LeafRange(f"R{i:02d}", 0) for i in range(1, 7)), (Part("single", 30, 2),), {(f"R{i:02d}", 0): 5 for i in range(1, 7)}, {}, {})
    found = timed(lambda: assemble(pool, asked, forms=2, rules=(r.Overlap(), r.Most()), seconds=120))
    tell("Diao's pool: least information of two forms", found["answer"].value, "", 5.21963, least=True)
    tell("Diao's pool: proven gap", 100 * found["answer"].gap, "%", 0.001)
    tell("Diao's pool", found["seconds"], "s", 5)


def apart(call: str, limit: float) -> dict[str, Any] | None:
    """The result of a call of this module in a process of its own; None when it had to be ended."""
    try:
        done = subprocess.run([sys.executable, __file__, "--call", call], capture_output=True, text=True, timeout=limit, check=True)
    except subprocess.TimeoutExpired:
        return None
    return json.loads(done.stdout)  # type: ignore[no-any-return]


def tell(name: str, value: float, unit: str, target: float, *, least: bool = False) -> None:
    """Print one line; `least`: the target is the least that is wanted."""
    ok = value >= target if least else value <= target
    print(json.dumps({"name": name, "value": round(value, 5), "unit": unit, "target": target, "ok": bool(ok)}), flush=True)


def main(quick: bool) -> None:
    """Measure and print."""
    average: dict[int, dict[str, Any]] = {}
    for size in SIZES:
        for name, rules in (("average", "(GRADES, r.Overlap(), r.Equal())"), ("demanding", "(GRADES, r.Overlap(), r.Equal(times=1.3))")):
            found = apart(f"ours({size}, {rules})", 600)
            assert found is not None
            tell(f"minimax, {name} target, {size} items", found["seconds"], "s", 3.5)
            tell(f"minimax, {name} target, {size} items: off target", 100 * found["value"], "%", 0.1)
            if name == "average":
                average[size] = found
        found = apart(f"ours({size}, (GRADES, r.Overlap(), r.Most()))", 600)
        assert found is not None
        tell(f"maximin, {size} items", found["seconds"], "s", 0.8 if size < 50_000 else 3.0)
        tell(f"maximin, {size} items: gap", 100 * found["gap"], "%", 1.0)
        found = apart(f"ours({size}, (*ALL, r.Equal()))", 600)
        assert found is not None
        tell(f"all rules together, {size} items", found["seconds"], "s", 7.0)
        tell(f"all rules together, {size} items: off target", 100 * found["value"], "%", 0.1)
        found = apart(f"explained({size})", 600)
        assert found is not None
        tell(f"explanation of a bank that lacks items, {size} items", found["seconds"] if found["answer"] else 999.0, "s", 3.0)
    tell("time(50,000) / time(2,000)", average[50_000]["seconds"] / average[2_000]["seconds"], "ratio", 3.0)
    tell("memory at 50,000 items, the child's included", average[50_000]["memory"], "MB", 250)
    found = apart("ours(5_000, (GRADES, r.Overlap(most=45), r.UseLimit(most=12), r.Equal()), 200)", 900)
    assert found is not None
    tell("200 forms of 5,000 items for a form per candidate", found["seconds"], "s", 60)
    tell("200 forms: off target", 100 * found["value"], "%", 0.1)
    tell("200 forms: items shared by any two", found["shared"], "items", 45)
    reference()
    if quick:
        return
    peer = apart("plain(10_000, 120)", 400)
    assert peer is not None
    tell("plain scipy.milp to 0.5 % at 10,000 items / ours", peer["seconds"] / average[10_000]["seconds"], "ratio", 8, least=True)
    peer = apart("plain(50_000, 120)", 150)
    told = peer is not None and peer["value"] is not None and peer["value"] <= 0.01
    tell("plain scipy.milp at 50,000 items, 120 s, ended after 150 s: answers", float(told), "answers", 0)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--call"]:
        print(json.dumps(eval(sys.argv[2]), default=float))  # noqa: S307  # only what main asks for
    else:
        main("--quick" in sys.argv)

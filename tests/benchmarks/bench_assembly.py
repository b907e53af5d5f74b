"""How long assembly takes: one JSON object a line with name, value, unit, target, ok.

Speed is told as ratios measured in one run, so that the figures mean the same on any machine; the seconds are for the
reader. Run: python tests/benchmarks/bench_assembly.py
"""

import json
import sys
from collections.abc import Callable
from pathlib import Path
from time import perf_counter

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from qbank.papers.assembly import Assembly, assemble
from qbank.papers.compliance import Candidate, Demands, compliance, holdings
from qbank.papers.specification import FORMS, LeafRange, derive_quotas

# The leaf weights in per cent of the 中式烹调师 table (domain facts 5b), two points per per cent.
WEIGHTS = (3, 2, 2, 3, 1, 1, 1, 1, 5, 3, 3, 2, 1, 1, 3, 1, 1, 1, 1, 8, 6, 12, 4, 7, 8, 4, 7, 6, 2)
RANGES = [LeafRange(f"R{i:02d}", 2 * weight) for i, weight in enumerate(WEIGHTS)]


def bank(size: int, seed: int = 1) -> list[Candidate]:
    """`size` items over 200 points; a quarter true/false, one in twenty in a group of similar items."""
    draw = np.random.default_rng(seed)
    points = [(leaf.key, f"{leaf.key}-{i:03d}") for leaf in RANGES for i in range(leaf.weight)]
    importance = draw.choice(list("XYZ"), size=len(points), p=[0.8, 0.15, 0.05])
    items = []
    for key in range(size):
        place, turn = key % len(points), key // len(points)
        kind = "judge" if (place + turn) % 4 == 0 else "single"
        answer = str(draw.choice(list("TF") if kind == "judge" else list("ABCD")))
        group = f"G{draw.integers(size // 3)}" if draw.random() < 0.05 else None
        difficulty = int(draw.choice(5, p=[0.15, 0.3, 0.35, 0.15, 0.05])) + 1
        weight, used = str(importance[place]), int(draw.poisson(2))
        items.append(Candidate(key, *points[place], weight, kind, difficulty, answer, used, group))
    return items


def seconds(work: Callable[[], object], times: int = 3) -> float:
    """The median of `times` runs."""
    spent = []
    for _ in range(times):
        start = perf_counter()
        work()
        spent.append(perf_counter() - start)
    return float(np.median(spent))


def tell(name: str, value: float, unit: str, target: float) -> None:
    """Print one line; every figure here is at its best when small."""
    print(json.dumps({"name": name, "value": round(value, 4), "unit": unit, "target": target, "ok": value <= target}))


def timed(size: int, form: str, forms: int = 1) -> tuple[float, Assembly, list[float]]:
    """Seconds, the assembly and the mean difficulty of each form."""
    items, demands = bank(size), Demands(forms=forms)
    quotas = derive_quotas(RANGES, FORMS[form], holdings(items, demands))
    spent = seconds(lambda: assemble(items, quotas, demands))
    assembly = assemble(items, quotas, demands)
    by_key = {item.key: item for item in items}
    sheets = [compliance([by_key[key] for key in keys], quotas, demands) for keys in assembly.forms]
    return spent, assembly, [sheet.mean_difficulty for sheet in sheets]


def main() -> None:
    """Measure and print."""
    quota = seconds(lambda: derive_quotas(RANGES, FORMS["160×0.5+40×0.5"]))
    small, _, _ = timed(430, "80×1+20×1")
    middle, _, _ = timed(500, "80×1+20×1")
    large, _, _ = timed(5000, "80×1+20×1")
    long, _, _ = timed(5000, "160×0.5+40×0.5")
    three, assembly, means = timed(5000, "80×1+20×1", forms=3)
    tell("quotas of 29 ranges", quota, "s", 1.0)
    tell("one form from 430 items", small, "s", 3.0)
    tell("one form from 5000 items", large, "s", 20.0)
    tell("one form from 5000 items / from 500 items", large / middle, "ratio", 20.0)
    tell("200 items of 5000 / 100 items of 5000", long / large, "ratio", 5.0)
    tell("three forms from 5000 items / one form", three / large, "ratio", 10.0)
    tell("items shared by any two of three forms", assembly.shared, "items", 0)
    tell("spread of mean difficulty over three forms", max(means) - min(means), "grades", 0.02)


if __name__ == "__main__":
    main()

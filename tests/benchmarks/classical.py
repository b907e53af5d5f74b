"""How long classical statistics and DIF take: one JSON object a line with name, value, unit, target, ok.

CPU seconds of this process, the median of several runs, and ratios against a plain numpy reference in the same run, so that
the figures mean the same on any machine. Run: python tests/benchmarks/classical.py
"""

import json
import sys
from collections.abc import Callable
from pathlib import Path
from time import process_time

import numpy as np
import numpy.typing as npt

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from qbank.statistics.analysis import item_analysis
from qbank.statistics.answer_similarity import similarity_report
from qbank.statistics.classical import classical_table
from qbank.statistics.consistency import decision_consistency
from qbank.statistics.dif import mantel_haenszel
from qbank.statistics.dif_logistic import logistic_dif
from qbank.statistics.distractors import score_choices

Codes = npt.NDArray[np.int8]


def sitting(persons: int, items: int, seed: int = 1) -> Codes:
    """Rasch responses of normal abilities."""
    draw = np.random.default_rng(seed)
    chance = 1 / (1 + np.exp(draw.normal(size=items) - draw.normal(size=(persons, 1))))
    return (draw.random((persons, items)) < chance).astype(np.int8)


def seconds(work: Callable[[], object], times: int = 7) -> float:
    """The median CPU time of `times` runs, after one that warms the caches."""
    work()
    spent = []
    for _ in range(times):
        start = process_time()
        work()
        spent.append(process_time() - start)
    return float(np.median(spent))


def tell(name: str, value: float, unit: str, target: float | None, *, least: bool = False) -> None:
    """Print one line; small is good, but for what has a least target. No target: for the reader."""
    ok = target is None or (value >= target if least else value <= target)
    print(json.dumps({"name": name, "value": round(value, 4), "unit": unit, "target": target, "ok": bool(ok)}), flush=True)


def plain_table(scores: Codes) -> list[tuple[float, float]]:
    """Difficulty and item-rest correlation, item by item."""
    x = scores.astype(float)
    total = x.sum(axis=1)
    return [(x[:, j].mean(), float(np.corrcoef(x[:, j], total - x[:, j])[0, 1])) for j in range(x.shape[1])]


def plain_mantel_haenszel(scores: Codes, focal: npt.NDArray[np.int64]) -> list[tuple[float, float]]:
    """Chi-squares and common odds ratios, item by item with bincount."""
    total, n = scores.sum(axis=1), scores.shape[1] + 1
    cell = total + n * focal
    size = np.bincount(cell, minlength=2 * n).astype(float)
    both = np.maximum(size[:n] + size[n:], 2)
    found = []
    for j in range(scores.shape[1]):
        right = np.bincount(cell, weights=scores[:, j], minlength=2 * n)
        wrong, all_right = size - right, right[:n] + right[n:]
        distance = abs((right[:n] - size[:n] * all_right / both).sum()) - 0.5
        spread = (size[:n] * size[n:] * all_right * (wrong[:n] + wrong[n:]) / (both**2 * (both - 1))).sum()
        odds = (right[:n] * wrong[n:] / both).sum() / (right[n:] * wrong[:n] / both).sum()
        found.append((float(distance**2 / spread), float(odds)))
    return found


def main() -> None:
    """Measure and print."""
    scores = sitting(10_000, 200)
    focal, passed = np.random.default_rng(2).integers(0, 2, 10_000), scores.sum(axis=1) >= 120
    gaps = scores.copy()
    gaps[:5000, :60] = -1
    table = seconds(lambda: classical_table(scores, passed=passed))
    tell("classical table of 10,000 x 200", table, "CPU s", 0.020)
    tell("the same with two forms", seconds(lambda: classical_table(gaps, passed=passed)), "CPU s", 0.040)
    tell("plain numpy, two of its columns / classical table", seconds(lambda: plain_table(scores), 3) / table, "ratio", 3.0, least=True)
    odds = seconds(lambda: mantel_haenszel(scores, focal))
    tell("Mantel-Haenszel of all items of 10,000 x 200", odds, "CPU s", 0.020)
    tell("the same with two forms", seconds(lambda: mantel_haenszel(gaps, focal)), "CPU s", 0.040)
    tell("the same purified", seconds(lambda: mantel_haenszel(scores, focal, purify=True), 3), "CPU s", 0.500)
    tell("plain numpy / Mantel-Haenszel", seconds(lambda: plain_mantel_haenszel(scores, focal), 3) / odds, "ratio", None)
    tell("logistic DIF of all items of 10,000 x 200", seconds(lambda: logistic_dif(scores, focal), 3), "CPU s", 0.200)
    tell("whole item analysis of 10,000 x 200", seconds(lambda: item_analysis(scores), 3), "CPU s", 0.300)
    tell("Livingston and Lewis with 200 bootstrap samples, 10,000 x 200", seconds(lambda: decision_consistency(scores), 1),
         "CPU s", 5.0)
    letters = np.random.default_rng(3).choice(list("ABCD"), size=(300, 100)).astype(object)
    answered = score_choices(letters, ["A"] * 100)
    tell("similarity of 44,850 pairs of 100 items", seconds(lambda: similarity_report(answered), 1), "CPU s", 10.0)


if __name__ == "__main__":
    main()

"""How fast and how exact calibration is: one JSON object a line with name, value, unit, target, ok.

Seconds are CPU seconds of the whole process, so that a busy machine does not change them much; ratios are of one run. The
peers are no dependency of the product; the lines about them are printed where they can be imported:

    python -m venv .peers && .peers/bin/pip install pandas threadpoolctl mirt==1.2.0 girth==0.8.0
    .peers/bin/python tests/benchmarks/calibration.py

Run: python tests/benchmarks/calibration.py [--only NAME ...] [--province]
"""

import argparse
import json
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
from scipy import sparse

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from qbank.statistics.abilities import ability
from qbank.statistics.calibration import Calibration, known_items
from qbank.statistics.chunks import calibrate_chunks
from qbank.statistics.engine.blas import one_thread
from qbank.statistics.engine.blocks import arrange
from qbank.statistics.engine.estep import estep
from qbank.statistics.engine.mstep import maximised
from qbank.statistics.engine.parameters import Point, layout
from qbank.statistics.engine.quadrature import grid
from qbank.statistics.irt import calibrate
from qbank.statistics.responses import as_responses


class World:
    """Simulated answers; drawn in slices, so that drawing does not decide how much memory is used."""

    def __init__(self, persons: int, items: int, *, seed: int = 1, c: float = 0.0) -> None:
        draw = np.random.default_rng(seed)
        self.a, self.b = np.exp(draw.normal(0, 0.3, items)), draw.normal(0, 1, items)
        self.answers = np.empty((persons, items), dtype=np.int8)
        for start in range(0, persons, 10_000):
            part = self.answers[start:start + 10_000]
            p = c + (1 - c) / (1 + np.exp(-self.a * (draw.normal(size=(len(part), 1)) - self.b)))
            part[:] = draw.random(part.shape) < p


def tell(name: str, value: float, unit: str, target: float | None = None, *, least: bool = False, ok: bool | None = None) -> None:
    """Print one line; small is good, unless the target is the least that is wanted."""
    if ok is None:
        ok = target is None or (value >= target if least else value <= target)
    print(json.dumps({"name": name, "value": float(f"{value:.4g}"), "unit": unit, "target": target, "ok": bool(ok)}), flush=True)


def seconds(work: Callable[[], object], times: int = 3) -> tuple[float, float]:
    """CPU and wall seconds, the medians of ``times`` runs."""
    spent = []
    for _ in range(times):
        cpu, wall = time.process_time(), time.perf_counter()
        work()
        spent.append((time.process_time() - cpu, time.perf_counter() - wall))
    return tuple(np.median(spent, axis=0))


def told(name: str, work: Callable[[], Calibration], target: float, most: int, times: int = 3) -> float:
    """Seconds and iterations of a calibration."""
    kept: list[Calibration] = []
    cpu, _ = seconds(lambda: kept.append(work()), times)
    found = kept[-1]
    tell(name, cpu, "s", target)
    tell(f"{name}: iterations", found.iterations, "iterations", most, ok=found.converged and found.iterations <= most)
    tell(f"{name}: gradient of the log posterior", found.gradient_norm, "norm")
    tell(f"{name}: log posterior", found.log_posterior, "log", ok=np.isfinite(found.log_posterior))
    return cpu


def complete() -> None:
    """Complete data of growing size."""
    answers = World(10_000, 200).answers
    calibrate(answers[:500])  # the first call loads what is loaded once
    told("2PL 10,000 x 200", lambda: calibrate(answers, se=False), 0.5, 10, 5)
    told("2PL 10,000 x 200 with exact errors", lambda: calibrate(answers), 0.4, 10, 5)
    guessed = World(10_000, 200, c=0.2).answers
    told("3PL with priors 10,000 x 200", lambda: calibrate(guessed, "3PL", priors="default", se=False), 0.5, 15)
    middle = World(50_000, 200).answers
    told("2PL 50,000 x 200", lambda: calibrate(middle, se=False), 0.6, 10)


def large() -> None:
    """200,000 persons, in a process of its own for the memory."""
    code = ("import sys, time, resource; sys.path.insert(0, sys.argv[1]); from calibration import World, calibrate\n"
            "u = World(200_000, 200).answers; calibrate(u[:500], se=False); t = time.process_time()\n"
            "f = calibrate(u, se=False)\n"
            "print(time.process_time() - t, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, f.iterations, f.converged)")
    ran = subprocess.run([sys.executable, "-c", code, str(Path(__file__).parent)], capture_output=True, text=True, check=True)
    cpu, memory, iterations, converged = ran.stdout.split()
    tell("2PL 200,000 x 200", float(cpu), "s", 2.5)
    tell("2PL 200,000 x 200: largest resident size", float(memory), "MB", 550)
    tell("2PL 200,000 x 200: iterations", int(iterations), "iterations", 10, ok=converged == "True" and int(iterations) <= 10)


def thin(forms: int | None, seed: int = 3) -> sparse.csr_array:
    """20,000 persons with 100 of 1,000 items each: drawn for each of them, or one of ``forms`` chained forms."""
    world, draw = World(20_000, 1_000, seed=seed), np.random.default_rng(seed)
    if forms is None:
        given = np.sort(np.argsort(draw.random((20_000, 1_000)), axis=1)[:, :100], axis=1)
    else:
        step = 1_000 // forms
        starts = step * draw.integers(0, forms, 20_000)
        given = np.sort((starts[:, None] + np.arange(100)) % 1_000, axis=1)
    data = np.take_along_axis(world.answers, given, axis=1)
    return sparse.csr_array((data.ravel(), given.ravel(), np.arange(0, data.size + 1, 100)), shape=(20_000, 1_000))


def designs() -> None:
    """Sparse by design."""
    scattered, forms = thin(None), thin(20)
    cpu = told("2PL 20,000 persons, each another 100 of 1,000 items", lambda: calibrate(scattered, se=False), 1.5, 10)
    by_form = told("2PL 20,000 persons on 20 chained forms of 1,000 items", lambda: calibrate(forms, se=False), 0.6 * cpu, 15)
    tell("by forms / scattered", by_form / cpu, "ratio", 0.6)


@one_thread
def iteration() -> None:
    """One EM iteration against the two dense products of a plain E-step, both on one thread."""
    world = World(50_000, 200)
    dense = world.answers.astype(np.float64)
    table = np.random.default_rng(1).random((200, 61))
    mass = np.random.default_rng(1).random((50_000, 61))
    plain, _ = seconds(lambda: (dense @ table, dense.T @ mass), 5)
    blocks, nodes = arrange(as_responses(world.answers)), grid(-6, 6, 0.2)
    for name, c in (("2PL", -np.inf), ("3PL", -1.5)):
        point = Point(np.stack([world.a, -world.a * world.b, np.full(200, c)], axis=1), np.zeros((1, 2)))
        free = np.ones((200, 3), dtype=bool)
        free[:, 2] = name == "3PL"
        places = layout(point, free, np.zeros((1, 2), dtype=bool), common_slope=False)
        windows = estep(blocks, point, nodes, full=name == "3PL").windows

        def once(point: Any = point, places: Any = places, windows: Any = windows, full: bool = name == "3PL") -> None:
            maximised(estep(blocks, point, nodes, full=full, windows=windows), point, places, nodes, None)

        cpu, _ = seconds(once, 5)
        tell(f"one EM iteration, {name} 50,000 x 200, {len(nodes.nodes)} nodes / two dense products", cpu / plain, "ratio",
             0.8 if name == "2PL" else None)


def exactness() -> None:
    """Distance from the solution on 241 nodes with a tolerance of 1e-9."""
    for items in (5, 20, 50, 100, 200, 400):
        answers = World(2_000, items).answers
        found = calibrate(answers, se=False)
        with patch("qbank.statistics.engine.fitting.grid_for", return_value=grid(-6, 6, 0.1)):  # doubled once: 241
            exact = calibrate(answers, tolerance=1e-9)
        far = max(np.abs(found.a - exact.a).max(), np.abs(found.b - exact.b).max())
        tell(f"distance from the exact solution, 2,000 x {items}, {found.nodes} nodes", far, "parameter", 1e-3)
    answers = World(5_000, 40, c=0.2).answers
    found, exact = (calibrate(answers, "3PL", priors="default", se=False, tolerance=t) for t in (3e-5, 1e-9))
    far = max(np.abs(getattr(found, name) - getattr(exact, name)).max() for name in "abc")
    tell("distance from the exact solution, 3PL with priors, 5,000 x 40", far, "parameter", 1e-3)


def coverage(times: int = 500) -> None:
    """How many of the 95 % intervals hold the truth."""
    held = np.zeros(2)
    for seed in range(times):
        world = World(1_000, 20, seed=seed + 10)
        found = calibrate(world.answers)
        held += (np.abs(found.a - world.a) < 1.96 * found.se_a).mean(), (np.abs(found.b - world.b) < 1.96 * found.se_b).mean()
    for name, share in zip(("slopes", "difficulties"), held / times, strict=True):
        tell(f"95 % intervals of {name} that hold the truth, {times} calibrations", share, "share", 0.95, ok=0.93 <= share <= 0.97)


def scoring() -> None:
    """Abilities of 10,000 persons."""
    world = World(10_000, 200)
    bank = known_items(world.a, world.b)
    for method, target in (("EAP", 0.02), ("MAP", 0.02), ("WLE", 0.04)):
        ability(bank, world.answers, method)
        tell(f"{method} of 10,000 x 200", seconds(partial(ability, bank, world.answers, method), 9)[0], "s", target)
    ends = np.array([[1] * 200, [0] * 200], dtype=np.int8)
    finite = [bool(np.isfinite(ability(bank, ends, method)).all()) for method in ("EAP", "MAP", "WLE")]
    tell("all right and all wrong are finite", sum(finite), "methods", 3, least=True)


def peers() -> None:
    """The same data through the peers, where they can be imported."""
    world = World(10_000, 200)
    ours = seconds(lambda: calibrate(world.answers, se=False), 5)
    exact = calibrate(world.answers)
    if find_spec("mirt"):
        import mirt
        kept = []
        theirs = seconds(lambda: kept.append(mirt.fit_mirt(world.answers.astype(np.int64), model="2PL", n_quadpts=41, tol=1e-4,
                                                           compute_standard_errors=False)), 1)
        _compared("PyPI mirt 1.2.0", theirs, ours, 50)
        slopes = np.ravel(kept[0].model.parameters["discrimination"])
        tell("PyPI mirt 1.2.0: slopes off by", np.abs(slopes - exact.a).max(), "parameter")
    if find_spec("girth"):
        import girth
        theirs = seconds(lambda: girth.twopl_mml(world.answers.T.astype(int)), 1)
        _compared("girth 0.8.0", theirs, ours, 400)


def _compared(name: str, theirs: tuple[float, float], ours: tuple[float, float], target: float) -> None:
    for place, kind in enumerate(("CPU", "wall")):
        tell(f"{name} / ours, {kind}, 2PL 10,000 x 200", theirs[place] / ours[place], "ratio", target, least=True)


def province(persons: int = 2_000_000, items: int = 1_000) -> None:
    """2 million sheets of 100 items on 40 forms, chunk after chunk."""
    draw = np.random.default_rng(1)
    a, b = np.exp(draw.normal(0, 0.3, items)), draw.normal(0, 1, items)
    forms = np.array([np.sort(np.r_[np.arange(20) * 50, draw.permutation(np.setdiff1d(np.arange(items), np.arange(20) * 50))[:80]])
                      for _ in range(40)])

    def chunks() -> Iterator[sparse.csr_array]:
        for chunk in range(persons // 50_000):
            own = np.random.default_rng(100 + chunk)
            given = forms[own.integers(0, 40, 50_000)]
            p = 1 / (1 + np.exp(-a[given] * (own.normal(size=(50_000, 1)) - b[given])))
            data = (own.random(p.shape) < p).astype(np.int8)
            yield sparse.csr_array((data.ravel(), given.ravel().astype(np.int32), np.arange(0, data.size + 1, 100, dtype=np.int32)),
                                   shape=(50_000, items))

    drawing, _ = seconds(lambda: [None for _ in chunks()], 1)
    cpu, _ = seconds(lambda: calibrate_chunks(chunks, items, priors="default"), 1)
    tell("a province: 2,000,000 sheets in chunks, with exact errors", cpu - drawing, "s")
    tell("a province: largest resident size", resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024**2, "GB", 4)


PARTS = {"complete": complete, "large": large, "designs": designs, "iteration": iteration, "exactness": exactness,
         "coverage": coverage, "scoring": scoring, "peers": peers}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="+", choices=[*PARTS, "province"])
    parser.add_argument("--province", action="store_true", help="also the province, which takes minutes")
    chosen = parser.parse_args()
    for name, part in {**PARTS, "province": province}.items():
        if name in chosen.only if chosen.only else name != "province" or chosen.province:
            part()


if __name__ == "__main__":
    main()

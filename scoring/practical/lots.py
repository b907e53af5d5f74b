"""The lot: which task and which station each candidate gets, from a seed alone. Pure.

An order is the order of SHA-256 digests of (seed, module, what, thing), as on a dealt sheet: it can be drawn again in
any year. Within a module units and tasks are dealt round the shuffled candidates, so each is used as often as the
others (give or take one) and every candidate is as likely as any other to get it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(frozen=True)
class ModulePool:
    """What one module is drawn from. ``units``: unit -> keys of its tasks (必考: the one unit ``""``); ``chosen``: candidate
    -> unit where units are chosen beforehand, empty where they are drawn.
    """

    key: str
    units: Mapping[str, Sequence[str]]
    stations: int
    chosen: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Pool:
    """Everything that goes into a draw: candidates by ticket number, and the modules."""

    candidates: Sequence[str]
    modules: Sequence[ModulePool]

    def to_json(self) -> str:
        return json.dumps({"candidates": list(self.candidates), "modules": [asdict(one) for one in self.modules]},
                          ensure_ascii=False, sort_keys=True)

    @staticmethod
    def from_json(text: str) -> Pool:
        held = json.loads(text)
        return Pool(held["candidates"], [ModulePool(**one) for one in held["modules"]])


@dataclass(frozen=True, order=True)
class Lot:
    """One candidate in one module: ``turn`` and ``station`` count from 1."""

    module: str
    turn: int
    station: int
    candidate: str
    task: str


def deal(seed: str, pool: Pool) -> list[Lot]:
    """The lots, by module, turn and station. Raises ValueError for a module without tasks or stations."""
    made: list[Lot] = []
    for module in pool.modules:
        if module.stations < 1 or not module.units or not all(module.units.values()):
            raise ValueError("a module without stations or tasks")
        tasks = _tasks(seed, module, pool.candidates)
        for place, candidate in enumerate(_order(seed, module.key, "station", pool.candidates)):
            made.append(Lot(module.key, place // module.stations + 1, place % module.stations + 1, candidate,
                            tasks[candidate]))
    return made


def fingerprint(lots: Sequence[Lot]) -> str:
    """SHA-256 over what came out, in a fixed order."""
    plain = json.dumps([asdict(lot) for lot in sorted(lots)], ensure_ascii=False, sort_keys=True)
    return hashlib.sha256(plain.encode()).hexdigest()


def _tasks(seed: str, module: ModulePool, candidates: Sequence[str]) -> dict[str, str]:
    """Candidate -> task: the unit first, then a task of that unit."""
    mixed = _order(seed, module.key, "task", candidates)
    units = _order(seed, module.key, "unit", list(module.units))
    by_unit: dict[str, list[str]] = {unit: [] for unit in units}
    for place, candidate in enumerate(mixed):
        by_unit[module.chosen.get(candidate, units[place % len(units)])].append(candidate)
    found: dict[str, str] = {}
    for unit, takers in by_unit.items():
        tasks = _order(seed, module.key, f"tasks of {unit}", module.units[unit])
        found |= {candidate: tasks[place % len(tasks)] for place, candidate in enumerate(takers)}
    return found


def _order(seed: str, module: str, what: str, things: Sequence[str]) -> list[str]:
    return sorted(things, key=lambda thing: (_digest(seed, module, what, thing), thing))


def _digest(*parts: Any) -> str:
    return hashlib.sha256(json.dumps(parts, ensure_ascii=False).encode()).hexdigest()

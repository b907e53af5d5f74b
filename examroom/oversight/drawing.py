"""The double random draw (双随机): what is inspected, and who inspects it, from a seed and a frozen pool alone. Pure.

An order is the order of SHA-256 digests of a JSON list, so anybody can draw again with any program:

1. targets in the order of ``sha256(["target", seed, key])``; the first ``targets_wanted`` are inspected;
2. for each of them in that order, the inspectors who are not excluded from it and have no other drawn target on one of its
   days, those with the fewest targets so far first, among equals in the order of ``sha256(["inspector", seed, target, key])``;
   the first ``inspectors_each`` are sent, the very first of them leads.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(frozen=True)
class Target:
    """Something that may be inspected. ``key`` such as ``plan:7``; ``days`` ISO dates on which inspectors are bound."""

    key: str
    name: str
    institution: str
    days: Sequence[str] = ()


@dataclass(frozen=True)
class Inspector:
    """Somebody who may inspect. ``key`` the account's id as text."""

    key: str
    name: str
    unit: str = ""


@dataclass(frozen=True)
class Pool:
    """All that goes into a draw. ``excluded``: target key → inspector key → why this person is not sent there."""

    targets: Sequence[Target]
    inspectors: Sequence[Inspector]
    targets_wanted: int
    inspectors_each: int
    excluded: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    def to_json(self) -> str:
        return json.dumps(asdict(self), ensure_ascii=False, sort_keys=True)

    @staticmethod
    def from_json(text: str) -> Pool:
        """Raises ValueError, KeyError or TypeError for what :meth:`to_json` never wrote."""
        held = json.loads(text)
        return Pool([Target(**one) for one in held["targets"]], [Inspector(**one) for one in held["inspectors"]],
                    held["targets_wanted"], held["inspectors_each"], held["excluded"])

    @property
    def fingerprint(self) -> str:
        return hashlib.sha256(self.to_json().encode()).hexdigest()

    def allowed(self, target: Target) -> list[Inspector]:
        """Who may be sent to ``target``."""
        barred = self.excluded.get(target.key, {})
        return [one for one in self.inspectors if one.key not in barred]


@dataclass(frozen=True, order=True)
class Assignment:
    """One drawn target with its inspectors; the first leads."""

    place: int
    target: str
    inspectors: tuple[str, ...]


class TooFew(ValueError):
    """A drawn target has fewer free inspectors than are to be sent."""

    def __init__(self, target: Target, found: int) -> None:
        super().__init__(f"{found} inspectors for {target.key}")
        self.target, self.found = target, found


def deal(seed: str, pool: Pool) -> list[Assignment]:
    """What the seed gives. Raises :class:`TooFew`."""
    drawn = sorted(pool.targets, key=lambda one: (_digest("target", seed, one.key), one.key))[:pool.targets_wanted]
    busy: dict[str, set[str]] = {one.key: set() for one in pool.inspectors}
    load = dict.fromkeys(busy, 0)
    made = []
    for place, target in enumerate(drawn, 1):
        free = [one.key for one in pool.allowed(target) if not busy[one.key] & set(target.days)]
        if len(free) < pool.inspectors_each:
            raise TooFew(target, len(free))
        free.sort(key=lambda key: (load[key], _digest("inspector", seed, target.key, key), key))
        sent = tuple(free[:pool.inspectors_each])
        for key in sent:
            busy[key] |= set(target.days)
            load[key] += 1
        made.append(Assignment(place, target.key, sent))
    return made


def fingerprint(assignments: Sequence[Assignment]) -> str:
    """SHA-256 over what came out, in the order of the draw."""
    plain = json.dumps([asdict(one) for one in sorted(assignments)], ensure_ascii=False, sort_keys=True)
    return hashlib.sha256(plain.encode()).hexdigest()


def record(number: str, seed: str, pool: Pool, outcome: str) -> str:
    """The draw as a file that anybody can check: ``examroom oversight replay FILE`` or a program of one's own."""
    return json.dumps({"number": number, "seed": seed, "pool": json.loads(pool.to_json()), "pool_sha256": pool.fingerprint,
                       "outcome_sha256": outcome, "outcome": [asdict(one) for one in deal(seed, pool)]}, ensure_ascii=False, indent=1)


def replay(text: str) -> list[str]:
    """What is wrong with a record, a line each; empty: it is what its seed and pool give. Raises ValueError when unreadable."""
    try:
        held: dict[str, Any] = json.loads(text)
        pool = Pool.from_json(json.dumps(held["pool"]))
        again = deal(held["seed"], pool)
        said = [Assignment(one["place"], one["target"], tuple(one["inspectors"])) for one in held["outcome"]]
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"not the record of a draw: {error}") from error
    wrong = []
    if pool.fingerprint != held["pool_sha256"]:
        wrong.append("名录与名录指纹不一致")
    if fingerprint(again) != held["outcome_sha256"]:
        wrong.append("按种子和名录重新抽取，与结果指纹不一致")
    wrong += [f"第 {one.place} 项与重新抽取的不一致" for one in said if one not in again]
    if len(said) != len(again):
        wrong.append(f"结果有 {len(said)} 项，重新抽取为 {len(again)} 项")
    return wrong


def _digest(*parts: str) -> str:
    return hashlib.sha256(json.dumps(parts, ensure_ascii=False).encode()).hexdigest()

"""Which two people mark which script: even loads, nobody a class that is their own, the same deal from the same scripts. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Waiting:
    """A script that needs ``wanted`` more markers; ``held`` have it already. ``class_name`` decides who must not."""

    script: int
    code: str
    class_name: str
    wanted: int
    held: frozenset[int] = frozenset()


@dataclass(frozen=True)
class Dealt:
    """(script, marker) pairs, and the scripts for which too few markers are left."""

    pairs: tuple[tuple[int, int], ...]
    short: tuple[int, ...]


def deal(scripts: Iterable[Waiting], loads: Mapping[int, int], classes: Mapping[int, Collection[str]]) -> Dealt:
    """``loads``: marker → open scripts; ``classes``: marker → classes that the marker must not see.

    Scripts go in the order of a hash of their code, each to the markers with the least to do, equal ones by a hash of both.
    """
    load, pairs, short = dict(loads), [], []
    for script in sorted(scripts, key=lambda one: _digest(one.code)):
        able = [marker for marker in load if marker not in script.held and not (script.class_name and script.class_name in classes.get(marker, ()))]
        able.sort(key=lambda marker: (load[marker], _digest(script.code, str(marker))))
        for marker in able[:script.wanted]:
            load[marker] += 1
            pairs.append((script.script, marker))
        if len(able) < script.wanted:
            short.append(script.script)
    return Dealt(tuple(pairs), tuple(short))


def queue_key(code: str, marker: int) -> str:
    """What orders the queue of one marker: unlike that of any other."""
    return _digest("queue", code, str(marker))


def _digest(*parts: str) -> str:
    return hashlib.sha256("\x1f".join(parts).encode()).hexdigest()

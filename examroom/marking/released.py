"""What the rooms above have made of a plan's scores. They register a check here: imports go down only."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass

from sqlalchemy.orm import Session


@dataclass(frozen=True)
class Standing:
    """The results of a plan that hold its theory scores already. ``public``: candidates can see them."""

    plan_id: int
    public: bool
    sentence: str


Check = Callable[[Session, Collection[int]], list[Standing]]
CHECKS: list[Check] = []


def check(found: Check) -> Check:
    """Register a check: plan ids in, what stands out."""
    CHECKS.append(found)
    return found


def standings(session: Session, plan_ids: Collection[int]) -> list[Standing]:
    return [standing for one in CHECKS for standing in one(session, plan_ids)]

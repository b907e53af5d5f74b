"""What the forms of a paper measure over the whole scale: information, expected score and its error."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from sqlalchemy.orm import Session

from qbank.papers.contents import items_of
from qbank.papers.measuring import parameters_of
from qbank.papers.models import Paper, PaperItem

THETA = tuple(round(-4 + 0.25 * place, 2) for place in range(33))


@dataclass(frozen=True)
class Curves:
    """Of one form at each ability of ``theta``: test information, expected score in points, and its standard error."""

    theta: tuple[float, ...]
    information: tuple[float, ...]
    expected: tuple[float, ...]
    error: tuple[float, ...]

    def to_json(self) -> dict[str, Any]:
        return {name: list(getattr(self, name)) for name in ("theta", "information", "expected", "error")}


def curves_of(session: Session, paper: Paper) -> Curves | None:
    """As they were sealed; of a draft or an older paper from its items. None of a shut paper sealed without them."""
    if kept := paper.compliance.get("curves"):
        return Curves(**{name: tuple(values) for name, values in kept.items()})
    return None if paper.is_shut else measured(session, paper, items_of(paper))


def measured(session: Session, paper: Paper, items: Sequence[PaperItem]) -> Curves | None:
    """From the bank's calibration, or for items without one from their difficulty grades."""
    scored = [item for item in items if item.half_points > 0]
    if not scored:
        return None
    known = parameters_of(session, paper.specification.table_id, paper.institution_id, [item.version_id for item in scored],
                          [item.version.difficulty for item in scored])
    points = np.array([item.half_points / 2 for item in scored])
    right = np.stack([known.expected(theta) for theta in THETA])  # (abilities, items)
    return Curves(THETA, _rounded(known.information(THETA).sum(axis=0)), _rounded(right @ points),
                  _rounded(np.sqrt((right * (1 - right)) @ points ** 2)))


def _rounded(values: Any) -> tuple[float, ...]:
    return tuple(round(float(value), 3) for value in values)

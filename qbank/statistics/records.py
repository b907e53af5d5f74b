"""From the responses of real sittings to the numbers that item versions carry."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
import numpy.typing as npt
import sqlalchemy as sa
from sqlalchemy.orm import Session

from qbank.statistics import classical
from qbank.statistics.models import ItemStatistic


@dataclass(frozen=True)
class Responses:
    """What the candidates of one sitting answered on one paper.

    ``version_ids`` (items,) item versions in any order; ``scores`` (persons, items) 1.0 right, 0.0 wrong or omitted, NaN
    not given; ``choices`` (persons, items) the canonical letters as text, "" where omitted or not given; ``passed``
    (persons,) whether the paper was passed; ``sitting_id`` where it came from. Only real sittings: neither practice, nor
    absent candidates, nor those whose paper was voided. ValueError when the shapes differ.
    """

    version_ids: Sequence[int]
    scores: npt.NDArray[np.float64]
    choices: npt.NDArray[np.object_]
    passed: npt.NDArray[np.bool_]
    sitting_id: int

    def __post_init__(self) -> None:
        shape = (len(self.passed), len(self.version_ids))
        if self.scores.shape != shape or self.choices.shape != shape:
            raise ValueError(f"scores {self.scores.shape} and choices {self.choices.shape} must be {shape}")
        if len(set(self.version_ids)) != len(self.version_ids):
            raise ValueError("a version occurs twice")


def record(session: Session, responses: Responses | Sequence[Responses], *, now: datetime,
           only: Collection[int] | None = None) -> int:
    """Compute and store the statistics of item versions; returns how many.

    Statistics are over ALL real sittings, and earlier responses belong to an upper room: so the caller hands in, besides
    the new sitting, every earlier sitting in which one of its versions was used (one :class:`Responses` for each sitting
    and paper), and names the new sitting's versions in ``only``: an earlier paper's other versions may have been used in
    sittings that were not handed in, and are left as they are. ``only`` None writes all of them. What is handed in
    replaces what is stored; handing in the same again changes nothing. No minimum n here: small numbers are stored and
    suppressed where they are shown.
    """
    together = _stack([responses] if isinstance(responses, Responses) else list(responses))
    if together is None:
        return 0
    versions, scores, answers, passed = together
    ease, rest, b = classical.difficulty(scores), classical.item_rest(scores), classical.b_index(scores, passed)
    omitted = ((answers == "") & ~np.isnan(scores)).sum(axis=0)
    counted = classical.choices(answers, scores)
    stored = {row.version_id: row for row in session.scalars(
        sa.select(ItemStatistic).where(ItemStatistic.version_id.in_(versions)))}
    wanted = [(j, version_id) for j, version_id in enumerate(versions) if only is None or version_id in only]
    for j, version_id in wanted:
        row = stored.get(version_id)
        if row is None:
            row = ItemStatistic(version_id=version_id)
            session.add(row)
        row.n = int(ease.n[j])
        row.difficulty, row.item_rest, row.b_index = (_number(found.values[j]) for found in (ease, rest, b))
        row.omitted, row.choices, row.computed_at = int(omitted[j]), counted[j], now
    session.flush()
    return len(wanted)


Stacked = tuple[list[int], npt.NDArray[np.float64], npt.NDArray[np.object_], npt.NDArray[np.bool_]]


def _stack(parts: Sequence[Responses]) -> Stacked | None:
    """All persons over all versions in one matrix; what a person was not given is NaN. None when there is nobody."""
    versions = sorted({version_id for part in parts for version_id in part.version_ids})
    persons = sum(len(part.passed) for part in parts)
    if not versions or not persons:
        return None
    column = {version_id: j for j, version_id in enumerate(versions)}
    scores = np.full((persons, len(versions)), np.nan)
    answers = np.full((persons, len(versions)), "", dtype=object)
    row = 0
    for part in parts:
        rows = np.arange(row, row + len(part.passed))
        columns = np.array([column[version_id] for version_id in part.version_ids], dtype=np.int64)
        scores[np.ix_(rows, columns)], answers[np.ix_(rows, columns)] = part.scores, part.choices
        row += len(part.passed)
    return versions, scores, answers, np.concatenate([np.asarray(part.passed, dtype=bool) for part in parts])


def _number(value: np.float64) -> float | None:
    return None if np.isnan(value) else float(value)

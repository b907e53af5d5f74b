"""What a merge would change, before it is applied."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from scoring.results.merge import PRACTICAL, REVIEW, THEORY, Outcome
from scoring.results.models import Result
from scoring.results.parts import CandidateParts

COLUMNS = {"theory": THEORY, "practical": PRACTICAL, "review": REVIEW}


@dataclass(frozen=True)
class Fresh:
    """One candidate's outcome as the parts are now, beside the result that is held (None: not merged yet)."""

    parts: CandidateParts
    outcome: Outcome
    held: Result | None

    @cached_property
    def values(self) -> dict[str, Any]:
        """The columns of ``Result``. The score of a void part is not shown: it does not exist any more."""
        counted = self.outcome.counted
        scores = {column: counted[part].half_points if part in counted else None for column, part in COLUMNS.items()}
        return scores | {
            "passed": self.outcome.passed, "verdict": self.outcome.verdict, "label": self.outcome.label, "reasons": list(self.outcome.reasons),
            "counted": {part: {"source": record.source.value, "half_points": record.half_points, "vetoed": record.vetoed, "note": record.note,
                                "standing": record.standing.value}
                        for part, record in counted.items()}}

    @property
    def changes(self) -> dict[str, tuple[Any, Any]]:
        """Column -> (held, fresh), where they differ; everything of a candidate who is new."""
        return {name: (before, value) for name, value in self.values.items()
                if (before := getattr(self.held, name) if self.held else None) != value and not _later(name, before, value)}

    @property
    def differs(self) -> bool:
        return bool(self.changes)

    @property
    def crosses(self) -> bool:
        """Whether the change makes a pass of what was none, or the other way round."""
        return self.held is not None and self.held.passed != self.outcome.passed


def _later(name: str, before: Any, value: Any) -> bool:
    """Whether they differ only in what results did not keep yet when ``before`` was merged."""
    if name == "label":
        return bool(before == "")
    if name != "counted" or before is None or before.keys() != value.keys():
        return False
    return all({key: value[part][key] for key in held} == held for part, held in before.items())

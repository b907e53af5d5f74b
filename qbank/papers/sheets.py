"""The compliance sheet as it is stored with each paper of a family, made anew after a change by hand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import isfinite
from typing import Any

from sqlalchemy.orm import Session

from qbank.papers import report
from qbank.papers.compliance import Candidate, Demands
from qbank.papers.engine import rules as engine
from qbank.papers.engine.results import Assembly, Line
from qbank.papers.models import Specification
from qbank.papers.questions import Question
from qbank.papers.rules import GRADE_FIELDS

MOST_SHARED = 5  # of a pool of many forms, only those that share most are listed


def paper_sheet(session: Session, specification: Specification, put: Question, assembly: Assembly, place: int,
                labels: Sequence[str]) -> dict[str, Any]:
    """Of the form at ``place``; ``labels`` name all forms."""
    keys = assembly.forms[place]
    scored = [key for key in keys if key not in assembly.tried]
    sheet = report.counted(session, specification, put.quotas, candidates(put, scored), demands(put))
    sheet |= report.companies(put.pool, keys)
    at = {key: i for i, key in enumerate(put.items.keys.tolist())}
    return sheet | {
        "forms": len(assembly.forms), "status": assembly.status, "gap": _finite(assembly.gap),
        "bank_size": len(put.items), "own_barred": len(put.pool.own), "bank_digest": put.pool.digest,
        "overlap_forms": _shared_forms(assembly.forms, place, labels), "overlap_sealed": _shared_past(put, keys),
        "tried": len(keys) - len(scored), "lines": lines_of(assembly.lines[place]), "abilities": list(put.items.abilities),
        "cut": put.pool.cut.theta, "cut_sentence": put.pool.cut.sentence, "information": list(map(float, assembly.information[place])),
        "target": list(map(float, assembly.target)), "expected": float(assembly.expected[place]), "error": float(assembly.error[place]),
        "calibrated": int(put.pool.parameters.calibrated[[at[key] for key in scored]].sum())}


def candidates(put: Question, keys: Sequence[int]) -> list[Candidate]:
    """Items as the sheet counts them."""
    items, at = put.items, {key: i for i, key in enumerate(put.items.keys.tolist())}
    grades, exposure = items.numbers("grades"), items.numbers("exposure")
    return [Candidate(key, str(items.ranges[i]), str(items.points[i]), str(items.importance[i]), str(items.kinds[i]),
                      int(grades[i]), str(items.answers[i]), int(exposure[i])) for key in keys for i in (at[key],)]


def demands(put: Question) -> Demands:
    """What the sheet compares the difficulty mix with."""
    rule = put.settings["grades"]
    return Demands(difficulty={grade: rule.numbers[name] / 100 for grade, name in GRADE_FIELDS.items()}) if rule.on else Demands()


def lines_of(lines: Sequence[Line]) -> list[dict[str, Any]]:
    """The demands on a form, without those that name single points."""
    return [{"rule": line.rule, "name": line.name, "low": _finite(line.low), "high": _finite(line.high), "actual": round(float(line.actual), 4),
             "hard": bool(line.hard), "kept": bool(line.kept), "cost": round(float(line.cost), 4)}
            for line in lines if line.rule != engine.OnePerPoint.title]


def _finite(value: float) -> float | None:
    return round(float(value), 6) if isfinite(value) else None


def _shared_forms(forms: Sequence[Sequence[int]], place: int, labels: Sequence[str]) -> list[dict[str, Any]]:
    mine = set(forms[place])
    shared: Mapping[str, int] = {labels[other]: len(mine & set(keys)) for other, keys in enumerate(forms) if other != place}
    listed = [{"form": label, "shared": count} for label, count in shared.items()]
    return listed if len(forms) <= 26 else sorted(listed, key=lambda row: (-shared[str(row["form"])], str(row["form"])))[:MOST_SHARED]


def _shared_past(put: Question, keys: Sequence[int]) -> list[dict[str, Any]]:
    """Earlier sealed papers that share items with this one, most shared first."""
    mine = {put.pool.item_ids[key] for key in keys}
    shared = sorted(((len(mine & past.item_ids), past.id, past.name) for past in put.pool.past if mine & past.item_ids), reverse=True)
    return [{"id": paper_id, "name": name, "shared": count} for count, paper_id, name in shared]

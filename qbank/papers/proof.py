"""What is kept with a family of papers: how good the solver says it is, and, where there is none, why. It names no item."""

from __future__ import annotations

from collections import Counter
from math import isfinite
from typing import Any

from qbank.papers.compiling import ROW_OF
from qbank.papers.engine.results import Assembly, Cause, Explanation
from qbank.papers.questions import Choice
from qbank.papers.supply import Stock, shortages


def family_report(choice: Choice) -> dict[str, Any]:
    """Of the call as a whole."""
    asked, assembly = choice.question, choice.assembly
    if assembly is None and choice.explanation:
        assembly = choice.explanation.nearest
    found: dict[str, Any] = {
        "bank_size": len(asked.items), "bank_digest": asked.pool.digest, "own_barred": len(asked.pool.own),
        "set_items_barred": len(asked.pool.torn), "calibrated": int(asked.pool.parameters.calibrated.sum()),
        "cut": asked.pool.cut.theta, "cut_sentence": asked.pool.cut.sentence, "abilities": list(asked.items.abilities)}
    if assembly is not None:
        found |= solved(assembly)
    if choice.explanation is not None:
        found["explanation"] = _explanation(choice, choice.explanation)
    return found


def solved(assembly: Assembly) -> dict[str, Any]:
    """Status, bound, gap, time, and what the soft rules cost and how often they are missed."""
    missed = Counter(line.rule for lines in assembly.lines for line in lines if not line.kept)
    bound, gap = (value if isfinite(value) else None for value in (assembly.bound, assembly.gap))
    return {"status": assembly.status, "measure": assembly.measure, "value": float(assembly.value), "bound": bound, "gap": gap,
            "optimal": bool(assembly.optimal), "cut_short": bool(assembly.cut_short), "method": assembly.method,
            "seconds": round(assembly.seconds, 2), "shared": int(assembly.shared), "target": list(map(float, assembly.target)),
            "costs": {rule: round(float(cost), 4) for rule, cost in assembly.costs.items() if cost > 0}, "missed": dict(missed)}


def _explanation(choice: Choice, explanation: Explanation) -> dict[str, Any]:
    asked = choice.question
    stock = Stock(asked.items, asked.pool.parameters, asked.quotas, asked.settings, asked.forms, asked.barred)
    return {"causes": [_cause(cause) for cause in explanation.causes], "complete": explanation.complete,
            "breaks": list(explanation.breaks), "write": list(explanation.write), "nearest": explanation.nearest is not None,
            "short": [{"path": one.range_key, "kind": one.kind, "need": one.need, "have": one.have} for one in shortages(stock)]}


def _cause(cause: Cause) -> dict[str, Any]:
    return {"row": ROW_OF.get(cause.rule, "quotas"), "rule": cause.rule, "name": cause.name, "sentence": cause.sentence,
            "missing": cause.missing, "path": cause.range_key, "kind": cause.kind}

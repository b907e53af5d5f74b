"""Item statistics (试题统计).

As a library, without a database: ``from qbank.statistics import calibrate, ability, item_analysis, mantel_haenszel, link,
decision_consistency`` and what else is named below. Each name is loaded when it is first asked for.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from qbank.statistics.abilities import ability
    from qbank.statistics.analysis import ItemAnalysis, item_analysis
    from qbank.statistics.answer_similarity import SimilarityReport, similarity_report
    from qbank.statistics.calibration import Calibration, known_items
    from qbank.statistics.chunks import calibrate_chunks, from_long
    from qbank.statistics.classical import ClassicalTable, classical_table
    from qbank.statistics.consistency import DecisionConsistency, decision_consistency
    from qbank.statistics.dif import MantelHaenszel, mantel_haenszel
    from qbank.statistics.dif_logistic import LogisticDif, logistic_dif
    from qbank.statistics.distractors import option_tables, score_choices
    from qbank.statistics.information import item_information, measurement_error, test_information
    from qbank.statistics.integrity import drift, exposure, key_suspects, response_times
    from qbank.statistics.irt import calibrate
    from qbank.statistics.linking import link
    from qbank.statistics.priors import Priors
    from qbank.statistics.reliability import alpha, error_of_measurement, kr20, split_half
    from qbank.statistics.responses import NOT_PRESENTED, NOT_REACHED, OMITTED, Responses, as_responses
    from qbank.statistics.shrinkage import shrink

# Trap: no module here may be named like one of these. Importing a module puts it into the package under its own name, and
# the function of that name would be gone.
_DOOR = {
    "abilities": ("ability",),
    "analysis": ("ItemAnalysis", "item_analysis"),
    "answer_similarity": ("SimilarityReport", "similarity_report"),
    "calibration": ("Calibration", "known_items"),
    "chunks": ("calibrate_chunks", "from_long"),
    "classical": ("ClassicalTable", "classical_table"),
    "consistency": ("DecisionConsistency", "decision_consistency"),
    "dif": ("MantelHaenszel", "mantel_haenszel"),
    "dif_logistic": ("LogisticDif", "logistic_dif"),
    "distractors": ("option_tables", "score_choices"),
    "information": ("item_information", "measurement_error", "test_information"),
    "integrity": ("drift", "exposure", "key_suspects", "response_times"),
    "irt": ("calibrate",),
    "linking": ("link",),
    "priors": ("Priors",),
    "reliability": ("alpha", "error_of_measurement", "kr20", "split_half"),
    "responses": ("NOT_PRESENTED", "NOT_REACHED", "OMITTED", "Responses", "as_responses"),
    "shrinkage": ("shrink",),
}
_WHERE = {name: module for module, names in _DOOR.items() for name in names}

__all__ = [
    "NOT_PRESENTED", "NOT_REACHED", "OMITTED", "Calibration", "ClassicalTable", "DecisionConsistency", "ItemAnalysis",
    "LogisticDif", "MantelHaenszel", "Priors", "Responses", "SimilarityReport", "ability", "alpha", "as_responses",
    "calibrate", "calibrate_chunks", "classical_table", "decision_consistency", "drift", "error_of_measurement",
    "exposure", "from_long", "item_analysis", "item_information", "key_suspects", "known_items", "kr20", "link",
    "logistic_dif", "mantel_haenszel", "measurement_error", "option_tables", "response_times", "score_choices",
    "shrink", "similarity_report", "split_half", "test_information",
]


def __getattr__(name: str) -> Any:
    if name not in _WHERE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_WHERE[name]}"), name)

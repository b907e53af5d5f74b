"""Step models behind the same door as the others: a :class:`Calibration` with thresholds, and back. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from qbank.statistics.arrays import Floats
from qbank.statistics.calibration import Calibration
from qbank.statistics.polytomous import PolytomousModel, calibrate_steps
from qbank.statistics.priors import Priors
from qbank.statistics.responses import Responses
from qbank.statistics.step_abilities import Item, Method, step_ability
from qbank.statistics.steps import StepModel

STEP_MODELS: Mapping[str, PolytomousModel] = {"GRM": "GRM", "GPCM": "GPCM", "PCM": "PCM"}
METHODS: Mapping[str, Method] = {"EAP": "EAP", "MAP": "MAP", "WLE": "WLE"}


def calibrate_in_steps(data: Responses, model: PolytomousModel, se: bool, priors: Priors | None = None) -> Calibration:
    """:func:`calibrate_steps` as a Calibration: ``b`` and ``se_b`` are of the mean threshold (its error NaN for more than
    one), ``thresholds`` (items, most steps) NaN-padded."""
    found = calibrate_steps(data, model, se=se, priors=priors)
    items, most = len(found.a), max(len(part) for part in found.thresholds)
    thresholds = np.full((items, most), np.nan)
    for j, part in enumerate(found.thresholds):
        thresholds[j, :len(part)] = part
    unknown = np.isnan(found.a)
    mean = np.array([part.mean() for part in found.thresholds])
    se_b = np.array([part[0] if len(part) == 1 else np.nan for part in found.se_thresholds])
    warnings = () if found.converged else (f"the gradient is {found.gradient_norm:.3g}: not a maximum",)
    return Calibration(
        model, found.a, mean, np.where(unknown, np.nan, 0.0), found.se_a, se_b, np.full(items, np.nan), found.log_likelihood,
        found.gradient_norm, found.iterations, found.converged, found.nodes, found.log_posterior, found.n.astype(np.float64),
        found.models, np.zeros(items, dtype=bool), np.full((items, 3, 3), np.nan), thresholds=thresholds, items=data.items,
        reasons=found.reasons, warnings=warnings,
        parameters=int(sum(len(part) for part in found.thresholds)) + (1 if model == "PCM" else items))


def ability_in_steps(calibration: Calibration, scores: npt.NDArray[np.int8], method: str) -> tuple[Floats, Floats]:
    """:func:`step_ability` with the items of a calibration that has thresholds."""
    return step_ability(step_items(calibration), scores, METHODS[method])


def step_items(calibration: Calibration) -> Sequence[Item | None]:
    """Model, slope and intercepts of each item; None where there are no parameters."""
    if calibration.thresholds is None:
        raise ValueError("this calibration has no thresholds")
    found: list[Item | None] = []
    for name, a, b in zip(calibration.models, calibration.a, calibration.thresholds, strict=True):
        model: StepModel = "GRM" if name == "GRM" else "GPCM"
        found.append(None if np.isnan(a) else (model, float(a), -a * b[np.isfinite(b)]))
    return found

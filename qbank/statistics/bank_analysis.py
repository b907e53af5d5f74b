"""Everything that one run finds in all sittings of a bank: classical numbers, calibration, fit, forms. Pure.

Calibration. With ``calibrate_from`` persons the 1PL, with ``two_parameters_from`` the 2PL, both with priors: of the slopes
the default one, of the difficulties what reviewers or the author expected, so that an item with few answers keeps that.
All forms are calibrated together and linked (Stocking-Lord) onto the scale of the bank's current parameters through the
items that have any; anchors that drifted are named and left out. A model that did not converge is not stored.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
from scipy import stats
from scipy.special import expit, logit

from qbank.statistics.abilities import ability
from qbank.statistics.analysis import ItemAnalysis, item_analysis
from qbank.statistics.arrays import Floats, Integers
from qbank.statistics.calibration import Calibration
from qbank.statistics.consistency import decision_consistency
from qbank.statistics.equating import FormCurve, equated_cut
from qbank.statistics.irt import calibrate
from qbank.statistics.item_fit import infit_outfit, s_x2
from qbank.statistics.linking import Link, link
from qbank.statistics.priors import DEFAULT, Priors
from qbank.statistics.responses import NOT_PRESENTED, Responses

LEAST_ANCHORS = 5
FIT_GROUPS = 10
PROBIT = 1.35  # logit of the marginal share = -b / sqrt(1 + a² / 2.89) for standard normal ability: 1.16 = sqrt(1.35)
EXPERT_SD = 1.0


@dataclass(frozen=True, eq=False)
class SatPaper:
    """What the candidates of one sitting did on one paper; only real sittings, without absent and voided ones.

    ``codes`` (persons, items) int8 of :mod:`responses`; ``choices`` (persons, items) letters, "" for none; ``passed``
    (persons,); ``worth`` (items,) points of each item; ``keys`` (items,). ValueError when the shapes differ.
    """

    paper_id: int
    name: str
    sitting_id: int
    version_ids: tuple[int, ...]
    keys: tuple[str, ...]
    worth: tuple[int, ...]
    codes: npt.NDArray[np.int8]
    choices: npt.NDArray[np.object_]
    passed: npt.NDArray[np.bool_]

    def __post_init__(self) -> None:
        shape = (len(self.passed), len(self.version_ids))
        if self.codes.shape != shape or self.choices.shape != shape:
            raise ValueError(f"codes {self.codes.shape} and choices {self.choices.shape} must be {shape}")
        if not len(self.keys) == len(self.worth) == shape[1] or len(set(self.version_ids)) != shape[1]:
            raise ValueError("every version stands once, with its key and its points")


@dataclass(frozen=True)
class Expectation:
    """What people expected of an item: ``share`` right, of just-qualified candidates (Angoff) or of all."""

    share: float
    just_qualified: bool


@dataclass(frozen=True)
class Limits:
    """``minimum`` answers below which nothing is said of an item; persons from which each model is tried."""

    minimum: int = 30
    calibrate_from: int = 100
    two_parameters_from: int = 500
    cut: float = 0.6


@dataclass(frozen=True, eq=False)
class FormFigures:
    """Of one paper: persons, mean and sd of the share of points, who passed, named figures (NaN where undefined),
    persons in each twentieth of the score."""

    paper_id: int
    name: str
    n: int
    items: int
    mean: float
    sd: float
    passed: int
    figures: Mapping[str, float]
    versions: tuple[int, ...]
    distribution: tuple[int, ...]
    worth: tuple[int, ...] = ()


@dataclass(frozen=True, eq=False)
class BankAnalysis:
    """``versions`` (items,) in the order of all item arrays. ``calibration`` on the bank's scale, None where there is none;
    ``fit`` name -> (items,): fit_p, infit, outfit; ``observed`` (items,) of [theta, share right, n] per ability group."""

    versions: tuple[int, ...]
    analysis: ItemAnalysis
    right: Integers
    choices: tuple[Mapping[str, int], ...]
    omitted: Integers
    not_reached: Integers
    expert: Floats
    calibration: Calibration | None
    tried: Calibration | None
    linked: Link | None
    anchors: tuple[int, ...]
    fit: Mapping[str, Floats]
    observed: tuple[tuple[tuple[float, float, int], ...], ...]
    forms: tuple[FormFigures, ...]
    persons: int
    sittings: int
    notes: tuple[str, ...] = field(default=())
    abilities: Floats = field(default_factory=lambda: np.empty(0))  # of the persons, on the bank's scale; nobody without a calibration


def analyse(sat: Sequence[SatPaper], expectations: Mapping[int, Expectation], scale: Mapping[int, Sequence[float]],
            limits: Limits) -> BankAnalysis | None:
    """All of it. ``expectations`` and ``scale`` by version id; ``scale`` holds the bank's current (a, b, c). None: nobody."""
    versions = sorted({version for part in sat for version in part.version_ids})
    if not sum(len(part.passed) for part in sat) or not versions:
        return None
    codes, choices, forms, passed = _stacked(sat, versions)
    responses = Responses(codes, choices=choices, forms=forms)
    keys = {version: key for part in sat for version, key in zip(part.version_ids, part.keys, strict=True)}
    pass_rate = float(np.clip(passed.mean(), 0.02, 0.98))
    expected_b = np.array([_expected_b(expectations.get(version), pass_rate) for version in versions])
    expert = expit(-expected_b / np.sqrt(PROBIT))
    found = item_analysis(responses, passed=passed, key=[keys[version] for version in versions], expert=expert,
                          cut=limits.cut, minimum=limits.minimum)
    tried, notes = _calibrated(responses, expected_b, limits)
    calibration, linked, anchors = _on_scale(tried, versions, scale, notes)
    fit, observed, abilities = _fit(calibration, responses)
    return BankAnalysis(
        tuple(versions), found, (codes == 1).sum(axis=0), _counts(codes, choices), (codes == -2).sum(axis=0), (codes == -3).sum(axis=0), expert, calibration,
        tried, linked, anchors, fit, observed, _forms(sat, versions, calibration, limits), len(passed),
        len({part.sitting_id for part in sat}), tuple(notes), abilities)


Stacked: TypeAlias = tuple[npt.NDArray[np.int8], npt.NDArray[np.object_], Integers, npt.NDArray[np.bool_]]


def _stacked(sat: Sequence[SatPaper], versions: Sequence[int]) -> Stacked:
    """Codes and choices of all persons over all versions, their papers, and who passed."""
    column = {version: j for j, version in enumerate(versions)}
    persons = sum(len(part.passed) for part in sat)
    codes = np.full((persons, len(versions)), NOT_PRESENTED, dtype=np.int8)
    choices = np.full((persons, len(versions)), "", dtype=object)
    forms, low = np.empty(persons, dtype=np.int64), 0
    for part in sat:
        rows = np.arange(low, low + len(part.passed))
        columns = np.array([column[version] for version in part.version_ids], dtype=np.int64)
        codes[np.ix_(rows, columns)], choices[np.ix_(rows, columns)], forms[rows] = part.codes, part.choices, part.paper_id
        low += len(part.passed)
    return codes, choices, forms, np.concatenate([part.passed for part in sat])


def _expected_b(expectation: Expectation | None, pass_rate: float) -> float:
    """The difficulty that an expectation means on a scale where this population is standard normal; NaN: none."""
    if expectation is None:
        return float("nan")
    share = float(logit(np.clip(expectation.share, 0.03, 0.97)))
    if expectation.just_qualified:
        return float(stats.norm.ppf(1 - pass_rate)) - share
    return float(-np.sqrt(PROBIT) * share)


def _calibrated(responses: Responses, expected_b: Floats, limits: Limits) -> tuple[Calibration | None, list[str]]:
    persons = responses.persons
    if persons < limits.calibrate_from:
        return None, [f"共 {persons} 名考生，不足 {limits.calibrate_from} 人，没有做项目反应理论标定。"]
    model = "2PL" if persons >= limits.two_parameters_from else "1PL"
    known = ~np.isnan(expected_b)
    priors = Priors(a=DEFAULT.a, c=None,
                    b=("normal", np.where(known, expected_b, 0.0), np.where(known, EXPERT_SD, 2.0)))
    found = calibrate(Responses(responses.scores), model, priors=priors)
    return found, [] if found.converged else ["标定没有收敛，结果没有保存；经典统计量不受影响。"]


def _on_scale(tried: Calibration | None, versions: Sequence[int], scale: Mapping[int, Sequence[float]],
              notes: list[str]) -> tuple[Calibration | None, Link | None, tuple[int, ...]]:
    """The calibration on the bank's scale, the link, and which versions anchor it."""
    if tried is None or not tried.converged:
        return None, None, ()
    shared = [j for j, version in enumerate(versions) if version in scale and tried.defined[j]]
    if len(shared) < LEAST_ANCHORS:
        if scale:
            notes.append(f"与题库现有标定只有 {len(shared)} 道共同题（至少 {LEAST_ANCHORS} 道），没有接到原来的量尺上。")
        return tried, None, ()
    new = np.stack([tried.a, tried.b, tried.c], axis=1)[shared]
    linked = link(new, np.array([list(scale[versions[j]]) for j in shared], dtype=float), drop_drifting=True)
    a, b = linked.parameters(tried.a, tried.b)
    change = np.array([1 / linked.slope, linked.slope, 1.0])
    moved = replace(tried, a=a, b=b, se_a=tried.se_a / linked.slope, se_b=tried.se_b * linked.slope,
                    covariances=tried.covariances * np.outer(change, change), means=linked.ability(tried.means),
                    sds=tried.sds * linked.slope)
    if drifting := [versions[shared[one.index]] for one in linked.anchors if one.drifts]:
        notes.append(f"有 {len(drifting)} 道共同题的参数与原来相差较大，没有作为锚题，请核对是否泄露或改动。")
    return moved, linked, tuple(versions[j] for j in shared)


def _fit(calibration: Calibration | None, responses: Responses) -> tuple[
        Mapping[str, Floats], tuple[tuple[tuple[float, float, int], ...], ...], Floats]:
    items = responses.n_items
    if calibration is None:
        nothing = np.full(items, np.nan)
        return {"fit_p": nothing, "infit": nothing, "outfit": nothing}, ((),) * items, np.empty(0)
    plain = Responses(responses.scores)
    theta, _ = ability(calibration, plain, "EAP")
    squares = infit_outfit(calibration, plain, theta)
    estimated = 2 if calibration.model == "2PL" else 1
    fit = {"fit_p": s_x2(calibration, plain, estimated=estimated).p, "infit": squares.infit, "outfit": squares.outfit}
    return fit, _observed(plain.scored().dense(), theta), theta


def _observed(scores: npt.NDArray[np.int8], theta: Floats) -> tuple[tuple[tuple[float, float, int], ...], ...]:
    """Share right in tenths of ability, for the points of the fit plot."""
    found = []
    for j in range(scores.shape[1]):
        given = np.flatnonzero((scores[:, j] >= 0) & np.isfinite(theta))
        order = given[np.argsort(theta[given], kind="stable")]
        parts = [part for part in np.array_split(order, min(FIT_GROUPS, max(len(order) // 5, 1))) if len(part)]
        found.append(tuple((float(theta[part].mean()), float(scores[part, j].mean()), len(part)) for part in parts))
    return tuple(found)


def _counts(codes: npt.NDArray[np.int8], choices: npt.NDArray[np.object_]) -> tuple[Mapping[str, int], ...]:
    tables = []
    for j in range(codes.shape[1]):
        letters, counts = np.unique(choices[:, j][codes[:, j] != NOT_PRESENTED].astype(str), return_counts=True)
        tables.append({str(letter): int(n) for letter, n in zip(letters, counts, strict=True) if letter})
    return tuple(tables)


def _forms(sat: Sequence[SatPaper], versions: Sequence[int], calibration: Calibration | None,
           limits: Limits) -> tuple[FormFigures, ...]:
    """One entry for each paper; cuts are equated to the first paper of the bank."""
    papers = sorted({part.paper_id for part in sat})
    curves = {key: _curve(next(part for part in sat if part.paper_id == key), versions, calibration) for key in papers}
    reference = next((curve for key in papers if (curve := curves[key]) is not None), None)
    return tuple(form_figures([part for part in sat if part.paper_id == key], curves[key], reference, limits) for key in papers)


def _curve(part: SatPaper, versions: Sequence[int], calibration: Calibration | None) -> FormCurve | None:
    if calibration is None:
        return None
    where = np.searchsorted(np.array(versions), np.array(part.version_ids))
    if not calibration.defined[where].all():
        return None
    return FormCurve(calibration.a[where], calibration.b[where], calibration.c[where],
                     np.array(part.worth, dtype=float), calibration.covariances[where])


def form_figures(parts: Sequence[SatPaper], curve: FormCurve | None, reference: FormCurve | None, limits: Limits) -> FormFigures:
    first = parts[0]
    codes = np.concatenate([part.codes for part in parts])
    worth = np.array(first.worth, dtype=float)
    share = (codes == 1) @ worth / worth.sum()
    analysis = item_analysis(Responses(codes), cut=limits.cut, minimum=limits.minimum)
    own = analysis.forms[0]
    figures = {"alpha": own.alpha.value, "alpha_low": own.alpha.low, "alpha_high": own.alpha.high,
               "split_half": own.split_half.value}
    if own.error is not None:
        figures |= {"sem": own.error.overall, "sem_at_cut": own.error.at_cut}
    for method in ("livingston-lewis", "huynh"):
        found = decision_consistency(Responses(codes), cut=limits.cut, method=method, minimum=limits.minimum, replicates=100,
                                     not_reached="wrong")
        for name in ("consistency", "kappa", "accuracy"):
            figures[f"{method} {name}"] = getattr(found.estimate, name)
            figures[f"{method} {name} low"], figures[f"{method} {name} high"] = getattr(found.low, name), getattr(found.high, name)
    if curve is not None and reference is not None:
        cut = equated_cut(reference, curve, limits.cut, same=curve is reference)
        figures |= {"cut_theta": cut.theta, "cut_theta_se": cut.theta_se, "equated_cut": cut.share, "equated_cut_se": cut.se}
    histogram = np.histogram(share, bins=20, range=(0, 1))[0]
    return FormFigures(first.paper_id, first.name, len(codes), codes.shape[1], float(share.mean()),
                       float(share.std(ddof=1)) if len(share) > 1 else float("nan"),
                       int(sum(part.passed.sum() for part in parts)), figures, first.version_ids, tuple(histogram.tolist()),
                       tuple(first.worth))

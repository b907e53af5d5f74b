"""A bank with two overlapping papers, twice: numbers on one scale, the leaked item named, the pass mark equated."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

from qbank.statistics.bank_analysis import BankAnalysis, Expectation, Limits, SatPaper, analyse

ITEMS = 40
TRUE_A = np.linspace(0.8, 1.6, ITEMS)
TRUE_B = np.random.default_rng(3).normal(-0.6, 0.9, ITEMS)
SHOWN = (range(26), range(14, ITEMS))  # two papers of 26 items share twelve


def sat(paper: int, persons: int, seed: int, *, mean: float = 0.0, leaked: int | None = None) -> SatPaper:
    draw = np.random.default_rng(seed)
    items = np.array(SHOWN[paper - 1])
    theta = draw.normal(mean, 1, persons)
    p = 1 / (1 + np.exp(-TRUE_A[items] * (theta[:, None] - TRUE_B[items])))
    if leaked is not None:
        p[:, items == leaked] = 0.97
    right = draw.random(p.shape) < p
    choices: npt.NDArray[np.object_] = np.where(right, "A", "B").astype(object)
    share = right.mean(axis=1)
    return SatPaper(paper, f"试卷 {paper}", seed, tuple(int(item) + 100 for item in items), ("A",) * len(items),
                    (2,) * len(items), right.astype(np.int8), choices, share >= 0.6)


def run(*parts: SatPaper, scale: dict[int, tuple[float, float, float]] | None = None) -> BankAnalysis:
    found = analyse(parts, {}, scale or {}, Limits(calibrate_from=100, two_parameters_from=500))
    assert found is not None
    return found


@pytest.fixture(scope="module")
def first() -> BankAnalysis:
    return run(sat(1, 900, 1), sat(2, 900, 2))


def test_all_papers_are_calibrated_together(first: BankAnalysis) -> None:
    found = first.calibration
    assert found is not None
    assert (found.model, found.converged, first.notes) == ("2PL", True, ())
    assert np.abs((found.b - TRUE_B) / found.se_b).max() < 4
    assert np.sqrt(np.mean(((found.b - TRUE_B) / found.se_b) ** 2)) < 1.4
    assert np.corrcoef(found.a, TRUE_A)[0, 1] > 0.7
    assert np.nanmedian(first.fit["fit_p"]) > 0.1
    assert np.abs(first.fit["infit"] - 1).max() < 0.15
    low, high = first.observed[20][0], first.observed[20][-1]
    assert low[0] < high[0]
    assert low[1] < high[1]
    assert sum(n for _, _, n in first.observed[20]) == 1800  # item 20 stands on both papers


def test_the_pass_mark_means_the_same_on_both_papers(first: BankAnalysis) -> None:
    one, two = first.forms
    assert (one.figures["equated_cut"], one.figures["equated_cut_se"]) == (0.6, 0.0)

    def share(items: range, theta: float) -> float:
        return float((1 / (1 + np.exp(-TRUE_A[items] * (theta - TRUE_B[items])))).mean())

    true_theta = min(np.linspace(-3, 3, 6001), key=lambda theta: abs(share(SHOWN[0], theta) - 0.6))
    assert abs(two.figures["equated_cut"] - share(SHOWN[1], true_theta)) < 3 * two.figures["equated_cut_se"]
    assert 0 < two.figures["equated_cut_se"] < 0.03
    assert one.figures["alpha_low"] < one.figures["alpha"] < one.figures["alpha_high"]
    assert 0.7 < one.figures["livingston-lewis consistency"] < one.figures["livingston-lewis accuracy"] < 1
    assert sum(one.distribution) == one.n == 900


def test_a_later_stronger_year_lands_on_the_banks_scale_and_the_leak_is_named(first: BankAnalysis) -> None:
    calibration = first.calibration
    assert calibration is not None
    scale = {version: (float(a), float(b), 0.0) for version, a, b in zip(first.versions, calibration.a, calibration.b, strict=True)}
    later = run(sat(1, 1500, 11, mean=0.8, leaked=5), scale=scale)
    assert later.calibration is not None
    assert later.linked is not None
    assert later.linked.intercept == pytest.approx(0.8, abs=0.15)  # this year is that much stronger
    assert "1 道共同题" in later.notes[0]
    drifting = [later.anchors[one.index] for one in later.linked.anchors if one.drifts]
    assert drifting == [105]
    steady = [j for j, version in enumerate(later.versions) if version != 105]
    gaps = later.calibration.b[steady] - np.array([scale[later.versions[j]][1] for j in steady])
    assert np.abs(gaps).mean() < 0.15


def test_a_hundred_persons_get_one_slope_and_lean_on_the_experts() -> None:
    part = sat(1, 120, 4)
    plain = run(part)
    told = analyse([part], {100: Expectation(0.2, False)}, {}, Limits())
    assert told is not None
    assert plain.calibration is not None
    assert told.calibration is not None
    assert plain.calibration.model == "1PL"
    assert len(set(np.round(plain.calibration.a, 9))) == 1
    assert told.calibration.b[0] > plain.calibration.b[0]  # the experts said hard


def test_too_few_anchors_leave_the_run_on_its_own_scale_and_say_so(first: BankAnalysis) -> None:
    found = run(sat(1, 600, 8), scale={100: (1.0, 0.0, 0.0), 101: (1.0, 0.5, 0.0)})
    assert found.linked is None
    assert "只有 2 道共同题" in found.notes[0]

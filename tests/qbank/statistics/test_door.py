"""The statistics as a library: its door opens without database and web, and every name behind it is there."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from scipy import sparse

import qbank.statistics
from qbank.statistics import Responses, decision_consistency, item_analysis, logistic_dif, mantel_haenszel


def test_every_name_of_the_door_is_there_and_none_is_a_module() -> None:
    for name in qbank.statistics.__all__:
        assert type(getattr(qbank.statistics, name)).__name__ != "module", name
    modules = {file.stem for file in Path(qbank.statistics.__file__).parent.glob("*.py")}
    assert modules.isdisjoint(qbank.statistics.__all__)
    assert set(qbank.statistics.__all__) == set(qbank.statistics._WHERE)
    with pytest.raises(AttributeError, match="verdict"):
        qbank.statistics.verdict  # noqa: B018


def test_the_library_needs_no_database_and_no_web() -> None:
    told = subprocess.run(
        [sys.executable, "-c", "import sys, qbank.statistics as s; [getattr(s, n) for n in s.__all__];"
         "print(sorted({'flask', 'sqlalchemy', 'matplotlib', 'dask'} & set(sys.modules)))"],
        capture_output=True, text=True, check=True, cwd=Path(__file__).parents[3])
    assert told.stdout.strip() == "[]"


def test_all_doors_take_the_same_responses_in_any_dress() -> None:
    draw = np.random.default_rng(1)
    scores = (draw.random((90, 12)) < draw.random((90, 1))).astype(np.int8)
    groups, rows = draw.integers(0, 2, 90), np.indices(scores.shape)
    stored = sparse.csr_array((scores.ravel(), (rows[0].ravel(), rows[1].ravel())), shape=scores.shape)
    for dress in (scores.astype(int), scores.astype(float), scores.tolist(), stored, Responses(scores)):
        assert item_analysis(dress).table.item_rest == pytest.approx(item_analysis(scores).table.item_rest)
        assert mantel_haenszel(dress, groups).chi_square == pytest.approx(mantel_haenszel(scores, groups).chi_square, nan_ok=True)
        assert logistic_dif(dress, groups).total == pytest.approx(logistic_dif(scores, groups).total, nan_ok=True)
        assert decision_consistency(dress, replicates=5) == decision_consistency(scores, replicates=5)

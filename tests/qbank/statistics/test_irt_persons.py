"""Where the persons are does not change the result: in memory, in chunks, on a cluster."""

from __future__ import annotations

from functools import partial
from typing import Any

import distributed
import numpy as np
import pytest

from qbank.statistics.calibration import Calibration
from qbank.statistics.chunks import calibrate_chunks, from_long
from qbank.statistics.cluster import calibrate_on_cluster
from qbank.statistics.engine.blocks import arrange
from qbank.statistics.irt import calibrate
from qbank.statistics.responses import as_responses
from tests.qbank.statistics.irt_world import Simulated


def assert_same(found: Calibration, reference: Calibration, within: float) -> None:
    for name in ("a", "b", "c", "se_a", "se_b", "means", "sds"):
        assert getattr(found, name) == pytest.approx(getattr(reference, name), abs=within, nan_ok=True), name
    assert found.log_likelihood == pytest.approx(reference.log_likelihood, abs=1e-6)
    assert found.iterations == reference.iterations


@pytest.mark.parametrize("keep", [True, False])
def test_chunks_give_what_one_array_gives(keep: bool) -> None:
    answers = Simulated(1500, 25).with_gaps(0.4)
    found = calibrate_chunks(lambda: np.array_split(answers, 4), 25, keep=keep)
    assert_same(found, calibrate(answers), 1e-7)


def test_chunks_carry_groups() -> None:
    first, second = Simulated(600, 10, seed=4), Simulated(600, 10, seed=4, mean=0.7)
    whole = as_responses(np.concatenate([first.answers, second.answers]), groups=np.repeat(["A", "B"], 600))
    parts = [as_responses(first.answers, groups=["A"] * 600), as_responses(second.answers, groups=["B"] * 600)]
    assert_same(calibrate_chunks(lambda: parts, 10, labels=["A", "B"]), calibrate(whole), 1e-7)
    with pytest.raises(ValueError, match="group"):
        calibrate_chunks(lambda: parts, 10, labels=["A", "C"])


def test_rows_of_a_database_become_sparse_responses() -> None:
    found = from_long(["Wang", "Li", "Wang", "Li"], [2, 0, 0, 1], [1, 0, 0, -2], n_items=3)
    assert found.dense().tolist() == [[0, -2, -1], [0, -1, 1]]  # Li comes before Wang
    with pytest.raises(ValueError, match="twice"):
        from_long([1, 1], [0, 0], [1, 0], n_items=1)


def test_two_worker_processes_give_what_one_machine_gives() -> None:
    """Equal to 1e-9, for complete forms, for scattered answers and for guessing."""
    gaps, guessed = Simulated(800, 20).with_gaps(0.5), Simulated(800, 20, c=0.2).answers
    engine: Any = distributed
    with engine.LocalCluster(n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None) as cluster, \
            engine.Client(cluster) as client:
        assert len(client.scheduler_info()["workers"]) == 2
        for answers, model, priors in ((gaps, "2PL", None), (guessed, "2PL", None), (guessed, "3PL", "default")):
            found = calibrate_on_cluster(client, np.array_split(answers, 3), 20, model, priors=priors)
            parts = np.array_split(answers, 3)
            assert_same(found, calibrate_chunks(partial(iter, parts), 20, model, priors=priors), 1e-9)
            one = calibrate(answers, model, priors=priors)
            assert np.abs(np.concatenate([found.a - one.a, found.b - one.b])).max() < 1e-9


def test_equal_patterns_of_presentation_become_one_dense_block() -> None:
    answers = Simulated(300, 30).answers.copy()
    answers[:100, 20:], answers[100:200, :10] = -1, -1
    answers[299, 3] = -1  # a pattern of one person
    blocks = arrange(as_responses(answers))
    assert sorted((block.complete, block.persons, len(block.items)) for block in blocks) == [
        (False, 1, 29), (True, 99, 30), (True, 100, 20), (True, 100, 20)]


def test_equal_answers_to_a_short_test_are_counted_once() -> None:
    answers = Simulated(5000, 4).answers
    (block,) = arrange(as_responses(answers))
    assert block.persons == 16
    assert block.total_weight == 5000
    (kept,) = arrange(as_responses(answers), keep_rows=True)
    assert kept.rows is not None
    assert (answers[kept.rows] == kept.codes).all()


def test_persons_of_no_weight_or_no_items_are_left_out() -> None:
    answers = Simulated(400, 6).answers.copy()
    answers[0] = -1
    weights = np.r_[np.ones(300), np.zeros(100)]
    found = calibrate(answers, weights=weights)
    assert found.n.tolist() == [299] * 6
    assert found.a == pytest.approx(calibrate(answers[1:300]).a, abs=1e-8)

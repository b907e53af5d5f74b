"""Responses: what was omitted, not reached and not presented stays told apart."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import sparse

from qbank.statistics.responses import NOT_PRESENTED, NOT_REACHED, OMITTED, Responses, as_responses, stacked

NAN = float("nan")


def test_plain_lists_frames_and_booleans_are_taken() -> None:
    assert as_responses([[1, 0, NAN], [-1, -2, -3]]).scores.tolist() == [[1, 0, -1], [NOT_PRESENTED, OMITTED, NOT_REACHED]]
    assert as_responses([[1, None]]).scores.tolist() == [[1, -1]]
    assert as_responses(np.array([[True, False]])).scores.tolist() == [[1, 0]]
    frame = as_responses(pd.DataFrame({"Q1": [1, None], "Q2": [0, 2]}))
    assert frame.items == ("Q1", "Q2")
    assert frame.scores.tolist() == [[1, 0], [-1, 2]]


def test_an_array_of_the_right_type_is_not_copied() -> None:
    scores = np.zeros((3, 2), dtype=np.int8)
    assert as_responses(scores).scores is scores
    assert as_responses(scores).scored().scores is scores


def test_stored_noughts_of_a_sparse_matrix_are_wrong_answers() -> None:
    stored = sparse.coo_array((np.array([0, 1, 0]), (np.array([0, 0, 1]), np.array([2, 0, 1]))), shape=(2, 3))
    found = as_responses(stored)
    assert found.sparse
    assert found.dense().tolist() == [[1, -1, 0], [-1, 0, -1]]
    assert found.floats()[1, 1] == 0


def test_omitted_counts_as_wrong_and_not_reached_as_asked() -> None:
    answers = as_responses([[1, -2, -3, -1]])
    assert answers.scored().scores.tolist() == [[1, 0, -1, -1]]
    assert answers.scored("wrong").scores.tolist() == [[1, 0, 0, -1]]
    thin = as_responses(sparse.csr_array((np.array([1, -2, -3]), (np.zeros(3, int), np.arange(3))), shape=(1, 4)))
    assert thin.scored().dense().tolist() == [[1, 0, -1, -1]]
    assert thin.scored("wrong").dense().tolist() == [[1, 0, 0, -1]]
    with pytest.raises(ValueError, match="not_reached"):
        answers.scored("right")  # type: ignore[arg-type]


def test_what_is_neither_a_score_nor_a_code_is_refused() -> None:
    for wrong in ([[0.5]], [[200]], [1, 0]):
        with pytest.raises(ValueError, match="response"):
            as_responses(wrong)
    with pytest.raises(ValueError, match="code below"):
        as_responses([[-4]])
    with pytest.raises(ValueError, match="weights"):
        as_responses([[1]], weights=[1, 2])
    with pytest.raises(ValueError, match="negative"):
        as_responses([[1]], weights=[-1])
    with pytest.raises(ValueError, match="names"):
        Responses(np.zeros((1, 2), np.int8), items=("Q1",))


def test_responses_are_stacked_with_weights_and_groups() -> None:
    dense = as_responses([[1, -1]], groups=["A"])
    thin = as_responses(sparse.csr_array(np.array([[1, 0]])), weights=[2], groups=["B"])
    both = stacked([dense, thin])
    assert both.dense().tolist() == [[1, -1], [1, -1]]
    assert both.weights is not None
    assert both.weights.tolist() == [1, 2]
    assert both.groups is not None
    assert both.groups.tolist() == ["A", "B"]

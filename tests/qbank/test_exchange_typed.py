"""Papers as teachers type them: what is meant is read, what is broken is named with its line, nothing is lost."""

from __future__ import annotations

import pytest

from qbank.exchange.typed import read_text
from tests.qbank.typed_snippets import SNIPPETS, Snippet


@pytest.mark.parametrize("snippet", SNIPPETS, ids=[one.sentence for one in SNIPPETS])
def test_a_typed_paper_reads_as_it_was_meant(snippet: Snippet) -> None:
    drafts = read_text(snippet.text)
    assert [found.draft for found in drafts.items] == list(snippet.items)
    problems = [problem for found in drafts.items for problem in found.problems]
    assert len(problems) == len(snippet.problems), problems
    assert all(piece in problem for piece, problem in zip(snippet.problems, problems, strict=True)), problems
    assert all(any(piece in note for note in drafts.notes) for piece in snippet.notes), drafts.notes
    assert not snippet.knowledge or drafts.items[0].knowledge == snippet.knowledge

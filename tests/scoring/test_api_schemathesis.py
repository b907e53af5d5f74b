"""The JSON API against Schemathesis, a reader of OpenAPI documents that is not ours: all of its checks, as the holder of a token.

tests/scoring/test_api_fuzz.py asks with our own generators; here cases, and what an answer must be, come from the document alone.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
import schemathesis
from flask import Flask
from hypothesis import HealthCheck, given, settings
from schemathesis import Case, GenerationMode
from sqlalchemy.orm import Session

from scoring.api.limits import Buckets
from scoring.api.openapi import document
from scoring.api.operations import held
from tests.conftest import People
from tests.scoring.api_world import ApiWorld

pytestmark = pytest.mark.one_database  # what is asked reaches both databases in test_api_fuzz.py
OPERATIONS = sorted((path, method) for path, item in document()["paths"].items() for method in item if method == "get")


def test_every_answer_is_what_the_document_says(app: Flask, session: Session, people: People) -> None:
    secret = ApiWorld.make(session, people).token()
    schema = schemathesis.openapi.from_wsgi("/api/v1/openapi.json", app)
    answers = Counter[tuple[str, int]]()

    def ask(case: Case[Any]) -> None:
        held(app).buckets = Buckets()  # how often may be asked is tested elsewhere
        answer = case.call_and_validate(headers={"Authorization": f"Bearer {secret}"})
        answers[case.path, answer.status_code] += 1

    for path, method in OPERATIONS:
        for mode in GenerationMode:
            tried = given(schema[path][method].as_strategy(generation_mode=mode))(ask)
            settings(max_examples=6, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck))(tried)()
    assert {path for path, status in answers if status != 401} == {path for path, _ in OPERATIONS}  # only turned away would prove nothing

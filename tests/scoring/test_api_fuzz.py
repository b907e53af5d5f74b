"""The API held to its own OpenAPI document: whatever is asked, the answer is one that the document describes.

The document is read by ``jsonschema``, which knows nothing of the code that made it.
"""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any
from urllib.parse import quote, urlencode

import pytest
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from sqlalchemy.orm import Session

from scoring.api.limits import Buckets
from scoring.api.openapi import document
from scoring.api.operations import held
from tests.conftest import People
from tests.scoring.api_world import ApiWorld, get

DOCUMENT = document()
PATHS = sorted(DOCUMENT["paths"])
KNOWN = {"/plans/{number}": "JH-2026-001", "/results/{number}/candidates": "JH-2026-001", "/certificates/{number}": "J000043000001264000001"}
GARBAGE = st.one_of(st.text(max_size=60), st.sampled_from(["\x00", "-1", "9" * 40, "1e309", "' OR 1=1 --", "%00", "2026-13-45", "NaN", "[]", "２"]))


def resolved(schema: dict[str, Any]) -> dict[str, Any]:
    name = schema.get("$ref", "").rpartition("/")[2]
    found: dict[str, Any] = DOCUMENT["components"]["schemas"][name] if name else schema
    return found


def fitting(schema: dict[str, Any]) -> st.SearchStrategy[str]:
    """Values that the document allows."""
    schema = resolved(schema)
    if "enum" in schema:
        return st.sampled_from(schema["enum"])
    if schema["type"] == "integer":
        return st.integers(schema["minimum"], schema["maximum"]).map(str)
    if schema["type"] == "boolean":
        return st.sampled_from(["true", "false"])
    if schema.get("format") == "date":
        return st.dates().map(str)
    if schema.get("format") == "date-time":
        return st.datetimes(timezones=st.sampled_from([timezone(timedelta(hours=hours)) for hours in (-12, 0, 8, 14)])).map(datetime.isoformat)
    return st.from_regex(schema["pattern"], fullmatch=True)


@st.composite
def asked(draw: st.DrawFn, values: str) -> tuple[str, str]:
    """An address of the document with parameters: ``fitting`` ones, or ``any``."""
    path = draw(st.sampled_from(PATHS))
    parameters = [one for one in DOCUMENT["paths"][path]["get"]["parameters"] if one["in"] == "query"]
    query = []
    for one in parameters:
        strategy = fitting(one["schema"]) if values == "fitting" else st.one_of(GARBAGE, fitting(one["schema"]))
        query += [(one["name"], value) for value in draw(st.lists(strategy, max_size=1 if values == "fitting" else 2))]
    if values != "fitting":
        query += draw(st.lists(st.tuples(st.text(max_size=10), GARBAGE), max_size=1))
    number = KNOWN.get(path, "x")
    if values != "fitting":
        number = draw(st.one_of(st.just(number), GARBAGE.filter(lambda text: text not in {"", ".", ".."})))
    return path, path.replace("{number}", quote(number, safe="")) + "?" + urlencode(query)


@pytest.fixture
def secret(session: Session, people: People) -> str:
    return ApiWorld.make(session, people).token()


def check(app: Flask, path: str, address: str, secret: str) -> int:
    """One request: its status and its body are as the document says."""
    held(app).buckets = Buckets()
    answer = get(app, address, secret)
    responses = DOCUMENT["paths"][path]["get"]["responses"]
    described = responses.get(str(answer.status_code))
    assert described, f"{address}: {answer.status_code} is not in the document"
    name = described.get("$ref", "").rpartition("/")[2]
    kind, = (DOCUMENT["components"]["responses"][name] if name else described)["content"].items()
    assert answer.mimetype == kind[0], address
    Draft202012Validator({**kind[1]["schema"], "components": DOCUMENT["components"]}).validate(answer.get_json())
    return answer.status_code


FUZZ = settings(max_examples=120, deadline=None, derandomize=True, database=None,
                suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])


@pytest.mark.one_database
def test_whatever_is_asked_the_answer_is_described(app: Flask, secret: str) -> None:
    seen = set()

    @FUZZ
    @given(asked("any"), st.booleans())
    def run(request: tuple[str, str], signed: bool) -> None:
        path, address = request
        if any(part in address for part in ("%2F", "%5C")):
            return  # a slash in a path is another address
        seen.add(check(app, path, address, secret if signed else "") // 100)

    run()
    assert seen == {2, 4}


def test_what_the_document_allows_is_answered(app: Flask, secret: str) -> None:
    """No parameter that fits its description is refused, on either database."""

    @FUZZ
    @given(asked("fitting"))
    def run(request: tuple[str, str]) -> None:
        assert check(app, *request, secret) == 200, request

    run()

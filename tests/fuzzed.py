"""Every form of a world, as its pages show them, filled in with what nobody should type. Nothing that a try writes stays."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from io import BytesIO
from typing import Any
from unittest.mock import patch

from flask import Flask
from flask.testing import FlaskClient
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st
from lxml import html
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from qbank.kernel.db import Database
from tests.demo_world import kind

# What breaks readers: signs, sizes, numbers and days at their edges, other scripts' digits, halves of characters, markup, paths.
NASTY = [
    "", " ", "\x00", "0", "-1", "1", "2147483648", "9" * 30, "-" + "9" * 30, "1e309", "NaN", "inf", "0x10", "１２", "²", "٣", "1_0", "12.25", ".5",
    "1.", "+", "-",
    "9999-12-31", "0001-01-01", "2026-02-30", "2026-13-45", "9999-12-31T23:59", "0001-01-01T00:00", "2026-06-01T25:00",
    "2026-W01-1",
    "乙" * 3000, "x" * 70000, "\ud800", "\u202e\u200b\ufeff", "𠮷" * 300, "a\r\nb", "\t", "<script>alert(1)</script>", "{{7*7}}", "%s%n", "%", "_", "'", '"',
    "\\", "' OR 1=1 --", "../../etc/passwd", "C:\\x", "[]", "{}", "null", "true", "1,2", "1;2", "1-2", "0" * 22, "430102200801010019"]
FILES = [
    b"", b"\x00", b"PK\x03\x04", b"PK\x05\x06" + bytes(18), b"%PDF-1.4", b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"\xd0\xcf\x11\xe0" + bytes(600), b"{}", b"[]",
    b"<a>", "一".encode(), "姓名,身份证号\n张三,1".encode("gbk"), b"\xef\xbb\xbf", b"\xff\xfe\x00", b"\x00\x00\x00\x18ftypmp42", b"a\n" * 3000]
GARBAGE = st.one_of(st.sampled_from(NASTY), st.text(max_size=40), st.integers().map(str), st.dates().map(str), st.datetimes().map(lambda one: one.isoformat()),
                    st.floats().map(str))


@dataclass
class Form:
    """One form of a page: where it leads, who saw it, and a value that each of its fields would take."""

    login: str
    address: str
    method: str
    values: dict[str, list[str]] = field(default_factory=dict)
    files: list[str] = field(default_factory=list)

    @property
    def names(self) -> list[str]:
        return [*self.values, *self.files]


def forms_on(login: str, address: str, page: str) -> Iterator[Form]:
    for found in html.fromstring(page).iter("form"):
        made = Form(login, (found.get("action") or address).split("#")[0], (found.get("method") or "get").lower())
        for one in found.iter("input", "select", "textarea", "button"):
            _add(made, one)
        yield made


def _add(form: Form, one: Any) -> None:
    name = one.get("name")
    if not name or name == "csrf_token":
        return
    if one.get("type") == "file":
        form.files.append(name)
    elif one.tag == "select":
        chosen = [option.get("value", option.text or "") for option in one.iter("option")]
        form.values.setdefault(name, []).extend(chosen[1:2] or chosen[:1])
    elif one.tag == "textarea":
        form.values.setdefault(name, []).append(one.text or "甲")
    elif one.tag != "button" or one.get("value"):
        form.values.setdefault(name, []).append(one.get("value") or ("1" if one.get("type") == "number" else "甲"))


def distinct(forms: Iterator[Form]) -> list[Form]:
    """One form of each kind: the same door with the same fields is the same reader."""
    held: dict[Any, Form] = {}
    for form in forms:
        held.setdefault((kind(form.address), form.method, frozenset(re.sub(r"\d+", "N", name) for name in form.names)), form)
    return list(held.values())


@st.composite
def filled(draw: st.DrawFn, form: Form) -> dict[str, Any]:
    """The form with one to three fields garbled, doubled or left out; the others keep what the page offers."""
    data: dict[str, Any] = {name: values[-1:] for name, values in form.values.items()}
    data |= {name: [(BytesIO(draw(st.sampled_from(FILES))), draw(st.sampled_from(["a.xlsx", "..\\..\\a.png", "/etc/x", "名单.zip", "a" * 300, "."])))]
             for name in form.files}
    for name in draw(st.lists(st.sampled_from(sorted(form.values)), min_size=1, max_size=3)) if form.values else ():
        data[name] = draw(st.lists(GARBAGE, max_size=2))
    return {name: value for name, value in data.items() if value}


def send(client: FlaskClient, form: Form, data: dict[str, Any]) -> TestResponse:
    """A lone half of a character travels as browsers send it: replaced."""
    clean = {name: [one.encode("utf-8", "replace").decode() if isinstance(one, str) else one for one in values] for name, values in data.items()}
    if form.method == "get":
        return client.get(form.address.split("?")[0], query_string=clean)
    return client.post(form.address, data=clean, content_type="multipart/form-data" if form.files else None)


@contextmanager
def nothing_stays(app: Flask) -> Iterator[None]:
    """Whatever is committed here lies in a savepoint, and is gone afterwards. Doors of the combined writer do not come here."""
    database: Database = app.extensions["examroom"]["database"]
    with database.engine.connect() as connection:
        outer = connection.begin()

        def on_it(actor: Any, *, clock: Any = None, reads_only: bool = False) -> Session:
            session = Session(connection, expire_on_commit=False, join_transaction_mode="create_savepoint")
            session.info.update(actor=actor, clock=clock or app.extensions["examroom"]["clock"], paper_keys=database.paper_keys, media=database.media,
                                unsafe_database=database.unsafe)
            return session

        try:
            with patch.object(database, "open", on_it):
                yield
        finally:
            outer.rollback()


def broken_by(app: Flask, clients: dict[str, FlaskClient], forms: list[Form], tries: int) -> list[tuple[str, dict[str, Any], int]]:
    """What ended in an error of ours: (door, what was sent, status). The same tries at every run."""
    found: list[tuple[str, dict[str, Any], int]] = []

    def attempt(form: Form, data: dict[str, Any]) -> None:
        with nothing_stays(app):
            answer = send(clients[form.login], form, data)
        if answer.status_code >= 500:
            found.append((form.address, {name: str(values)[:60] for name, values in data.items()}, answer.status_code))

    for number, form in enumerate(forms):
        tried = given(st.just(form), filled(form))(attempt)
        seed(number)(settings(max_examples=tries, deadline=None, database=None, suppress_health_check=list(HealthCheck))(tried))()
    return found

"""The slow-query log: statements that took longer than a threshold, without the values that were asked for."""

from __future__ import annotations

import logging
import re
from time import perf_counter
from typing import Any

import sqlalchemy as sa
from sqlalchemy import event

from qbank.kernel import logs, metrics

LOG = logging.getLogger(__name__)
LONGEST = 2000
LITERAL = re.compile(r"'(?:[^']|'')*'")
LIST = re.compile(r"\bIN \((?=[?%$:])(?:[^()]|\([^()]*\))*\)")


def watch(engine: sa.Engine, milliseconds: int) -> None:
    """Have every statement of ``engine`` timed. A wait for SQLite's write lock shows as a slow ``BEGIN IMMEDIATE``."""
    threshold = milliseconds / 1000

    @event.listens_for(engine, "before_cursor_execute")
    def before(connection: sa.Connection, cursor: Any, statement: str, parameters: Any, context: Any, executemany: bool) -> None:
        context.examroom_began = perf_counter()

    @event.listens_for(engine, "after_cursor_execute")
    def after(connection: sa.Connection, cursor: Any, statement: str, parameters: Any, context: Any, executemany: bool) -> None:
        seconds = perf_counter() - context.examroom_began
        if seconds >= threshold:
            metrics.SLOW_STATEMENTS.inc()
            LOG.warning("slow statement, %d ms, route %s: %s", seconds * 1000, logs.here().route, without_values(statement))


def without_values(statement: str) -> str:
    """One line without literals and long lists of placeholders."""
    return LIST.sub("IN (…)", LITERAL.sub("'…'", " ".join(statement.split())))[:LONGEST]

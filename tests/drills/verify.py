"""Is what was acknowledged in the database? The layout is undone here on its own, not with the server's code."""

from __future__ import annotations

import json
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from examroom.delivery import chain
from examroom.delivery.models import Sheet
from qbank.kernel.db import Database

LETTERS = "ABCDEFGHIJ"


@dataclass
class Findings:
    """What the comparison found; ``well`` when nothing is wrong."""

    acknowledged: int = 0
    stored: int = 0
    missing: list[str] = field(default_factory=list)  # acknowledged, not there
    changed: list[str] = field(default_factory=list)  # there with another content
    foreign: list[str] = field(default_factory=list)  # there, but never sent
    disorder: list[str] = field(default_factory=list)  # written in another order than answered, or not the newest answer
    chain: list[str] = field(default_factory=list)

    @property
    def well(self) -> bool:
        return not (self.missing or self.changed or self.foreign or self.disorder or self.chain)

    def report(self) -> dict[str, Any]:
        return {"acknowledged": self.acknowledged, "stored": self.stored, "lost": len(self.missing),
                "changed": len(self.changed), "foreign": len(self.foreign), "disorder": len(self.disorder),
                "chain_breaks": len(self.chain)}


def compare(url: str, book: Path, sent: dict[tuple[int, int], dict[str, Any]]) -> Findings:
    """The acknowledgements in ``book`` against the database; ``sent`` is everything that may be there."""
    database = Database(url.replace("postgresql://", "postgresql+psycopg://"))
    try:
        with database.engine.connect() as connection:
            found = _compare(connection, book, sent)
        with database.open(None, reads_only=True) as session:
            heads = {sheet.id: (sheet.chain, sheet.highest) for sheet in session.scalars(sa.select(Sheet))}
            found.chain = [broken.sentence for broken in chain.verify(session, heads)]
        return found
    finally:
        database.engine.dispose()


def _compare(connection: sa.Connection, book: Path, sent: dict[tuple[int, int], dict[str, Any]]) -> Findings:
    found = Findings()
    layouts = {row.id: json.loads(row.layout) if isinstance(row.layout, str) else row.layout
               for row in connection.execute(sa.text("SELECT id, layout FROM sheets"))}
    rows = connection.execute(sa.text(
        "SELECT id, sheet_id, sequence, number, answer, flagged FROM answer_events ORDER BY id")).all()
    stored = {(row.sheet_id, row.sequence): (row.number, row.answer, bool(row.flagged)) for row in rows}
    found.stored = len(rows)
    for sheet, event in _acknowledgements(book):
        key = (sheet, event["sequence"])
        found.acknowledged += 1
        if key not in stored:
            found.missing.append(f"sheet {sheet} event {event['sequence']}")
        elif stored[key] != _canonical(layouts[sheet], event):
            found.changed.append(f"sheet {sheet}: {event} is held as {stored[key]}")
    for key, content in stored.items():
        if key not in sent or content != _canonical(layouts[key[0]], sent[key]):
            found.foreign.append(f"sheet {key[0]} event {key[1]}: {content}")
    _order(connection, rows, found)
    return found


def _acknowledgements(book: Path) -> list[tuple[int, dict[str, Any]]]:
    """Each acknowledged event once, though it may have been acknowledged again."""
    once: dict[tuple[int, int], dict[str, Any]] = {}
    for line in book.read_text("utf-8").splitlines():
        event = json.loads(line)
        once[event["sheet"], event["sequence"]] = event
    return [(sheet, event) for (sheet, _), event in once.items()]


def _canonical(layout: list[dict[str, Any]], event: dict[str, Any]) -> tuple[int, str, bool]:
    entry = layout[event["number"] - 1]
    letters = sorted(entry["options"][LETTERS.index(letter)] for letter in event["answer"])
    return entry["number"], "".join(letters), event["flagged"]


def _order(connection: sa.Connection, rows: list[Any] | Any, found: Findings) -> None:
    """Per sheet the events lie in the order of their sequence without a gap, and ``answers`` is what they add up to."""
    held: dict[int, list[Any]] = defaultdict(list)
    for row in rows:
        held[row.sheet_id].append(row)
    newest: dict[tuple[int, int], tuple[str, bool, int]] = {}
    for sheet, events in held.items():
        sequences = [event.sequence for event in events]
        if sequences != list(range(1, len(events) + 1)):
            found.disorder.append(f"sheet {sheet}: {len(events)} events, numbered {sequences[:5]} … {sequences[-5:]}")
        for event in sorted(events, key=lambda one: int(one.sequence)):
            newest[sheet, event.number] = (event.answer, bool(event.flagged), event.sequence)
    answers = {(row.sheet_id, row.number): (row.answer, bool(row.flagged), row.sequence) for row in connection.execute(
        sa.text("SELECT sheet_id, number, answer, flagged, sequence FROM answers"))}
    for key in newest.keys() | answers.keys():
        if newest.get(key) != answers.get(key):
            found.disorder.append(f"sheet {key[0]} item {key[1]}: events say {newest.get(key)}, the answer is {answers.get(key)}")

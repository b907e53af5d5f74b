"""What the rows of revision 0003 become in 0004. Written against the tables as they are then, not against the models."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa

from qbank.kernel.times import UtcDateTime

NO_EVENT = "0" * 64


def before(connection: sa.Connection) -> None:
    """While ``sittings.paper_id`` is still there: the paper of a sitting becomes the first of its forms."""
    connection.execute(sa.text("INSERT INTO sitting_papers (sitting_id, paper_id, place) "
                               "SELECT id, paper_id, 1 FROM sittings WHERE paper_id IS NOT NULL"))


def after(connection: sa.Connection) -> None:
    """When all columns are there."""
    for statement in (
            "UPDATE papers SET opened_at = sealed_at WHERE state = 'SEALED'",  # never encrypted: they count as opened
            "UPDATE exam_pages SET state = 'ENDED' WHERE state <> 'ENDED'",
            "UPDATE sheets SET paper_id = (SELECT paper_id FROM sitting_papers WHERE sitting_papers.sitting_id = sheets.sitting_id)",
            "UPDATE sheets SET highest = coalesce((SELECT max(sequence) FROM answer_events WHERE sheet_id = sheets.id), 0)"):
        connection.execute(sa.text(statement))
    _ends(connection)
    _chains(connection)
    _verdicts(connection)


def _ends(connection: sa.Connection) -> None:
    """A candidate's own end: that of the sitting and what the ledger adds."""
    granted: dict[int, int] = defaultdict(int)
    for sheet_id, seconds in connection.execute(sa.text("SELECT sheet_id, seconds FROM time_entries")):
        granted[sheet_id] += seconds
    sheets = _table("sheets", "id", "sitting_id", ends_at=UtcDateTime)
    sittings = _table("sittings", "id", "minutes", starts_at=UtcDateTime)
    rows = connection.execute(sa.select(sheets.c.id, sittings.c.starts_at, sittings.c.minutes)
                              .join_from(sheets, sittings, sittings.c.id == sheets.c.sitting_id))
    ends = [{"key": key, "end": starts_at + timedelta(minutes=minutes, seconds=granted[key])} for key, starts_at, minutes in rows]
    if ends:
        connection.execute(sheets.update().where(sheets.c.id == sa.bindparam("key")).values(ends_at=sa.bindparam("end")), ends)


def _chains(connection: sa.Connection) -> None:
    """Answers that were saved before there was a chain are chained as they stand."""
    events = _table("answer_events", "id", "sheet_id", "sequence", "number", "answer", "chain", flagged=sa.Boolean,
                    received_at=UtcDateTime)
    sheets = _table("sheets", "id", "chain")
    heads: dict[int, str] = {}
    links: list[dict[str, Any]] = []
    for row in connection.execute(sa.select(events).order_by(events.c.sheet_id, events.c.id)):
        heads[row.sheet_id] = _link(heads.get(row.sheet_id, NO_EVENT), row)
        links.append({"key": row.id, "head": heads[row.sheet_id]})
    for table, found in ((events, links), (sheets, [{"key": key, "head": head} for key, head in heads.items()])):
        if found:
            connection.execute(table.update().where(table.c.id == sa.bindparam("key")).values(chain=sa.bindparam("head")), found)


def _link(head: str, row: Any) -> str:
    """As the chain of answer events is reckoned in 0004."""
    at: datetime = row.received_at
    moment = at.astimezone(UTC).isoformat(timespec="microseconds")
    text = f"{head}\x1f{row.sheet_id}\x1f{row.sequence}\x1f{row.number}\x1f{row.flagged:d}\x1f{moment}\x1f{row.answer}"
    return hashlib.sha256(text.encode()).hexdigest()


def _verdicts(connection: sa.Connection) -> None:
    """The verdict stood in the words of the reasons; every score came from an examination."""
    results = _table("results", "id", "verdict", "theory", "practical", "review", passed=sa.Boolean, reasons=sa.JSON,
                     counted=sa.JSON)
    changes = []
    for row in connection.execute(sa.select(results)):
        scores = {"理论知识": row.theory, "操作技能": row.practical, "综合评审": row.review}
        counted = {part: {"source": "exam", "half_points": score, "note": "",
                          "vetoed": any(reason.startswith(part) and "★" in reason for reason in row.reasons)}
                   for part, score in scores.items() if score is not None}
        changes.append({"key": row.id, "told": _verdict(row.passed, "；".join(row.reasons)), "parts": counted})
    if changes:
        connection.execute(results.update().where(results.c.id == sa.bindparam("key"))
                           .values(verdict=sa.bindparam("told"), counted=sa.bindparam("parts")), changes)


def _verdict(passed: bool, reasons: str) -> str:
    if passed:
        return "PASSED"
    words = (("作无效处理", "VOID"), ("尚无成绩", "INCOMPLETE"), ("未达到", "FAILED"), ("★", "FAILED"), ("缺考", "ABSENT"))
    return next((verdict for word, verdict in words if word in reasons), "FAILED")


def _table(name: str, *plain: str, **typed: type[Any]) -> Any:
    return sa.table(name, *(sa.column(column) for column in plain), *(sa.column(column, kind()) for column, kind in typed.items()))

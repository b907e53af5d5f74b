"""Mending rows in the preview: edited, matched to points, dropped, taken back, each judged again at once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from qbank.exchange.judging import judge, note, row_of, with_same_content
from qbank.exchange.mapping import COLUMNS, OPTION_COLUMNS
from qbank.exchange.matching import words_hash
from qbank.exchange.models import KnowledgeChoice
from qbank.exchange.rows import WORDS
from qbank.items.bank import require_reach
from qbank.items.models import ImportBatch, ImportRow
from qbank.items.states import BatchState, RowVerdict
from qbank.items.writing import clean
from qbank.kernel.access import Role, Viewer
from qbank.kernel.refused import Refused
from qbank.standards.models import Point, Range

MOST_EARLIER = 20  # mendings of one row that can be taken back
MOST_CELL = 20_000
CONTENT = {"题型", "题干", *OPTION_COLUMNS, "答案", "解析", "评分标准", "共用题干"}  # who changes these has seen the row


@dataclass(frozen=True)
class Words:
    """Rows that wait for their point and say the same about it."""

    range_text: str
    point_text: str
    rows: int
    stem: str  # of the first

    @property
    def key(self) -> str:
        return words_hash(self.range_text, self.point_text)

    @property
    def text(self) -> str:
        return " ".join(filter(None, (self.range_text, self.point_text)))


def mend(session: Session, row: ImportRow, cells: Mapping[str, str], who: Viewer) -> list[ImportRow]:
    """Change cells of a row: only those given, "" empties one. Returns the rows whose verdict may have changed, it first."""
    _require_open(session, row.batch, who)
    wanted = dict(row.cells)
    for title, text in cells.items():
        if title in COLUMNS and len(text) <= MOST_CELL:
            wanted[title] = clean(text)
    wanted = {title: text for title, text in wanted.items() if text}
    changed = {title for title in COLUMNS if wanted.get(title, "") != row.cells.get(title, "")}
    if not changed:
        return [row]
    if changed & {"鉴定范围", "鉴定点"}:
        wanted.pop(WORDS, None)
    _remember(row)
    row.cells, row.mended = wanted, True
    if changed & CONTENT:
        row.problems = []
    return _judge_again(session, row.batch, [row])


def seen(session: Session, row: ImportRow, who: Viewer) -> list[ImportRow]:
    """Somebody has compared the row with the file: what the reader could not make out does not stop it any more."""
    _require_open(session, row.batch, who)
    if not row.problems:
        return [row]
    _remember(row)
    row.problems, row.mended = [], True
    return _judge_again(session, row.batch, [row])


def undo(session: Session, row: ImportRow, who: Viewer) -> list[ImportRow]:
    """The row as it was before the newest mending."""
    _require_open(session, row.batch, who)
    if not row.earlier:
        raise Refused("nothing_to_undo", "这一行没有可以撤销的修改。")
    before = row.earlier[-1]
    row.earlier = row.earlier[:-1]
    row.cells, row.problems, row.mended = dict(before["cells"]), list(before["problems"]), bool(row.earlier)
    if row.verdict is RowVerdict.DROPPED:
        row.verdict = RowVerdict.WRONG  # whatever: it is judged again
    return _judge_again(session, row.batch, [row])


def drop(session: Session, rows: Sequence[ImportRow], who: Viewer) -> list[ImportRow]:
    """These rows are not to be imported. What they doubled or contradicted is judged without them."""
    return _each(session, rows, who, _dropped, {RowVerdict.DROPPED})


def bring_back(session: Session, rows: Sequence[ImportRow], who: Viewer) -> list[ImportRow]:
    """Dropped rows take part again."""
    return _each(session, [row for row in rows if row.verdict is RowVerdict.DROPPED], who, _back, set())


def keep_alike(session: Session, row: ImportRow, who: Viewer) -> list[ImportRow]:
    """Somebody compared the row with what is similar: import it."""
    _require_open(session, row.batch, who)
    row.alike = [one | {"kept": True} for one in row.alike]
    return [row]


def set_cells(session: Session, rows: Sequence[ImportRow], cells: Mapping[str, str], who: Viewer) -> list[ImportRow]:
    """The same point, kind or difficulty for many rows."""

    def change(row: ImportRow) -> None:
        row.cells = {title: text for title, text in {**row.cells, **cells}.items() if text and title != WORDS}
        row.mended = True

    return _each(session, rows, who, change, {RowVerdict.DROPPED})


def choose_point(session: Session, batch: ImportBatch, key: str, point: Point, who: Viewer, *, now: datetime,
                 most: int | None = None) -> int:
    """All rows of the queue whose words have this hash (``most`` of them) mean ``point``; equal words will, next time too.

    How many did. Refuses when none waits.
    """
    _require_open(session, batch, who)
    keys = waiting_for(session, batch, key)[:most]
    if not keys:
        raise Refused("nothing_waiting", "这些行的鉴定点已经指定过了，请刷新页面。")
    rows = list(session.scalars(sa.select(ImportRow).where(ImportRow.batch_id == batch.id, ImportRow.id.between(keys[0], keys[-1]))
                                .order_by(ImportRow.id)))
    wanted = set(keys)
    rows = [row for row in rows if row.id in wanted]
    range_text, point_text = rows[0].cells.get("鉴定范围", ""), rows[0].cells.get("鉴定点", "")
    if range_text or point_text:
        _learn(session, batch, " ".join(filter(None, (range_text, point_text))), key, point, who, now)

    def change(row: ImportRow) -> None:
        words = " ".join(filter(None, (row.cells.get("鉴定范围"), row.cells.get("鉴定点"))))
        row.cells = {**row.cells, "鉴定范围": point.range.path, "鉴定点": point.segment, **({WORDS: words} if words else {})}
        row.mended = True

    _each(session, rows, who, change, set())
    return len(rows)


def waiting_for(session: Session, batch: ImportBatch, key: str) -> list[int]:
    """The ids of the rows of the queue whose words have this hash."""
    return [row_id for row_id, cells in session.execute(sa.select(ImportRow.id, ImportRow.cells).where(
        ImportRow.batch_id == batch.id, ImportRow.verdict == RowVerdict.UNMATCHED).order_by(ImportRow.id))
        if words_hash(cells.get("鉴定范围", ""), cells.get("鉴定点", "")) == key]


def queue(session: Session, batch: ImportBatch) -> list[Words]:
    """What waits for a point, by what the file says, most rows first."""
    counted: Counter[tuple[str, str]] = Counter()
    stems: dict[tuple[str, str], str] = {}
    for (cells,) in session.execute(sa.select(ImportRow.cells).where(
            ImportRow.batch_id == batch.id, ImportRow.verdict == RowVerdict.UNMATCHED).order_by(ImportRow.id)):
        words = cells.get("鉴定范围", ""), cells.get("鉴定点", "")
        counted[words] += 1
        stems.setdefault(words, cells.get("题干", ""))
    return [Words(*words, rows, stems[words]) for words, rows in counted.most_common()]


def point_named(session: Session, batch: ImportBatch, text: str) -> Point:
    """The point that was picked from the list: ``A-A-001 名称``, or its id. Refuses anything else."""
    query = sa.select(Point).join(Point.range).where(Range.table_id == batch.table_id)
    if text.isdecimal() and len(text) < 10 and (point := session.scalar(query.where(Point.id == int(text)))):
        return point
    code = text.strip().split(" ")[0]
    path, _, segment = code.rpartition("-")
    if point := session.scalar(query.where(Range.path == path, Point.segment == segment)):
        return point
    raise Refused("no_point", "请从列表里选一个鉴定点。")


def _each(session: Session, rows: Sequence[ImportRow], who: Viewer, change: Callable[[ImportRow], None],
          leave: Collection[RowVerdict]) -> list[ImportRow]:
    if not rows:
        return []
    batch = rows[0].batch
    _require_open(session, batch, who)
    rows = [row for row in rows if row.batch_id == batch.id and row.verdict not in leave]
    hashes = {row.content_hash for row in rows}
    for row in rows:
        _remember(row)
        change(row)
    session.flush()
    return _judge_again(session, batch, rows, hashes)


def _dropped(row: ImportRow) -> None:
    row.verdict = RowVerdict.DROPPED


def _back(row: ImportRow) -> None:
    row.verdict = RowVerdict.WRONG  # judged at once


def _judge_again(session: Session, batch: ImportBatch, rows: Sequence[ImportRow],
                 hashes: Collection[str] = ()) -> list[ImportRow]:
    """Judge ``rows`` with all rows that ask the same as they did or do now: exactly those can change."""
    points_hashes = set(hashes) | {row.content_hash for row in rows}
    active = [row for row in rows if row.verdict is not RowVerdict.DROPPED]
    for row, one in zip(active, judge(session, batch, [row_of(row) for row in active]), strict=True):
        row.content_hash = one.content_hash
    session.flush()
    others = with_same_content(session, batch.id, points_hashes | {row.content_hash for row in active})
    group = sorted({row.id: row for row in (*active, *others)}.values(), key=lambda row: row.id)
    for row, one in zip(group, judge(session, batch, [row_of(row) for row in group]), strict=True):
        note(row, one)
    session.flush()
    first = [row.id for row in rows]
    return [*rows, *(row for row in group if row.id not in first)]


def _remember(row: ImportRow) -> None:
    row.earlier = [*row.earlier, {"cells": dict(row.cells), "problems": list(row.problems)}][-MOST_EARLIER:]


def _learn(session: Session, batch: ImportBatch, words: str, key: str, point: Point, who: Viewer, now: datetime) -> None:
    known = session.scalar(sa.select(KnowledgeChoice).where(
        KnowledgeChoice.institution_id == batch.institution_id, KnowledgeChoice.table_id == batch.table_id,
        KnowledgeChoice.words_hash == key))
    if known is None:
        known = KnowledgeChoice(institution_id=batch.institution_id, table_id=batch.table_id, words=words, words_hash=key)
        session.add(known)
    known.point_id, known.made_by_id, known.made_at = point.id, who.account_id, now


def _require_open(session: Session, batch: ImportBatch, who: Viewer) -> None:
    require_reach(session, batch.table, batch.institution_id, Role.ITEM_AUTHOR, who)
    if batch.state is not BatchState.PREVIEWED:
        raise Refused("wrong_state", f"批次 {batch.id} 现在是“{batch.state.chinese}”，不能再修改。请刷新页面查看最新状态。")

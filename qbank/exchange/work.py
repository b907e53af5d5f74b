"""Long work of the exchange, off the request: reading and checking hold no lock, writing is done in short slices."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session
from sqlalchemy.orm.exc import StaleDataError

from qbank.exchange import applying, batches, exporting, grid
from qbank.items.models import ImportBatch
from qbank.items.states import BatchState
from qbank.kernel.access import Viewer, fetch
from qbank.kernel.accounts import Account
from qbank.kernel.jobs import Work, enqueue, every, kind
from qbank.kernel.refused import Refused

ABANDONED = timedelta(minutes=2)  # no slice for so long: whoever was writing is gone
PICTURES_AT_ONCE = 8  # they are decoded while the lock is held
BREATH = 0.12  # seconds between two slices: a writer that waits for SQLite's lock asks for it every 0.1 s
KINDS = {BatchState.APPLYING: "exchange.apply", BatchState.REVERTING: "exchange.revert"}


@kind("exchange.check", "检查导入文件")
def check(work: Work) -> str:
    key = work.arguments["batch"]
    work.progress(0, 0, "正在读取和检查…")
    with work.reading() as session:
        reading = batches.read(session, fetch(session, ImportBatch, key, work.who))
    work.progress(0, 0, f"已检查 {len(reading.rows)} 题，正在保存结果…")
    for start in range(0, len(reading.pictures), PICTURES_AT_ONCE):
        with work.transaction() as session:
            batch = fetch(session, ImportBatch, key, work.who)
            batches.keep_pictures(session, batch, reading.pictures[start:start + PICTURES_AT_ONCE], work.who, now=work.now())
    with work.transaction() as session:
        batches.settle(session, fetch(session, ImportBatch, key, work.who), reading)
    return str(work.arguments["result"])


@kind("exchange.apply", "导入试题")
def apply(work: Work) -> str:
    """Slice by slice. A batch that is being applied already goes on where it stopped."""
    with work.transaction() as session:
        batch = _batch(session, work)
        if batch.state is not BatchState.APPLYING:
            applying.begin(session, batch, work.who, now=work.now())
        total = applying.left(session, batch)
    _in_slices(work, BatchState.APPLYING, total, "正在导入…",
               lambda session, batch: applying.advance(session, batch, work.who, now=work.now()))
    return str(work.arguments["result"])


@kind("exchange.revert", "撤销导入")
def revert(work: Work) -> str:
    """Slice by slice, as it was applied."""
    with work.transaction() as session:
        batch = _batch(session, work)
        if batch.state is not BatchState.REVERTING:
            applying.begin_revert(session, batch, work.who, now=work.now())
        total = batch.added
    _in_slices(work, BatchState.REVERTING, total, "正在撤销…",
               lambda session, batch: applying.retreat(session, batch, now=work.now()))
    return str(work.arguments["result"])


@kind("exchange.match", "指定鉴定点")
def match(work: Work) -> str:
    """Many rows that say the same mean one point; slice by slice, each of which stands by itself."""
    words, point_id, done = work.arguments["words"], work.arguments["point"], 0
    with work.reading() as session:
        total = len(grid.waiting_for(session, _batch(session, work), words))
    while done < total:
        work.progress(done, total, "正在检查…")
        with work.transaction() as session:
            batch = _batch(session, work)
            point = grid.point_named(session, batch, str(point_id))
            done += grid.choose_point(session, batch, words, point, work.who, now=work.now(), most=applying.SLICE)
        time.sleep(BREATH)
    return str(work.arguments["result"])


@kind("exchange.export", "导出试题")
def export(work: Work) -> str:
    return exporting.run(work)


@every
def take_up(session: Session, now: datetime) -> None:
    """A batch whose slices stopped (the machine was switched off) goes on, as the person who began it."""
    waiting = session.scalars(sa.select(ImportBatch).where(ImportBatch.state.in_(list(KINDS)),
                                                           ImportBatch.applied_at < now - ABANDONED))
    for batch in waiting:
        who = _beginner(session, batch)
        if who is not None:
            batch.applied_at = now  # asked for once, not at every sweep
            enqueue(session, KINDS[batch.state], {"batch": batch.id, "result": f"/exchange/{batch.id}"}, who, now=now)


@every
def forget_exports(session: Session, now: datetime) -> None:
    exporting.forget(session, now)


def _in_slices(work: Work, state: BatchState, total: int, message: str,
               write: Callable[[Session, ImportBatch], None]) -> None:
    done = 0
    while True:
        work.progress(min(done, total), total, message)
        try:
            with work.transaction() as session:
                batch = _batch(session, work)
                if batch.state is not state:
                    return
                write(session, batch)
        except StaleDataError:
            raise Refused("written_elsewhere", "另一个任务正在处理这一批，请在批次页面查看结果。") from None
        done += applying.SLICE
        time.sleep(BREATH)


def _batch(session: Session, work: Work) -> ImportBatch:
    return fetch(session, ImportBatch, work.arguments["batch"], work.who)


def _beginner(session: Session, batch: ImportBatch) -> Viewer | None:
    account = session.get(Account, batch.applied_by_id) if batch.applied_by_id else None
    return account.viewer() if account and account.active else None

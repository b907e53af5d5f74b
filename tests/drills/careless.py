"""The same program as ``nursery``, wrong on purpose (``DRILL_CARELESS``): the drills must find it out.

``normal``: SQLite syncs at checkpoints only. ``early``: everybody is answered before the commit.
"""

from __future__ import annotations

import os
import threading
import time
from typing import Any

import sqlalchemy as sa

from examroom.delivery import writes
from qbank.kernel.writer import Writer
from tests.drills import nursery

honest = Writer._commit


def sync_seldom(connection: Any, record: Any, proxy: Any) -> None:
    connection.execute("PRAGMA synchronous=NORMAL")


def commit_after_the_answer(self: Writer, batch: list[Any]) -> None:
    if any(entry.handler is not writes.save for entry in batch):
        return honest(self, batch)
    with self._database.open(None, clock=self._clock) as session:
        now = self._clock()
        for entry in batch:
            entry.result = entry.handler(session, [entry.task], now)[0]
            waiting, entry.released = entry.released, threading.Lock()
            entry.released.acquire()
            waiting.release()
        time.sleep(0.05)
        return session.commit()


if __name__ == "__main__":
    if os.environ["DRILL_CARELESS"] == "normal":
        sa.event.listen(sa.pool.Pool, "checkout", sync_seldom)
    else:
        Writer._commit = commit_after_the_answer  # type: ignore[method-assign]  # the fault of this build
    nursery.main()

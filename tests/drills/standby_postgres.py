"""The standby drill on PostgreSQL: two database servers, streaming replication, an answer acknowledged when both hold it.

The first machine dies at once with server and database; the second database is promoted and a server started on it. Then the
first machine is switched on again as it was. ``python -m tests.drills.standby_postgres`` prints one JSON line.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.drills.client import Book, Broken, Candidate, leave
from tests.drills.postgres import Postgres
from tests.drills.proxy import Proxy
from tests.drills.room import Hall, Nursery, Program, free_port, furnish, tidy_when_stopped
from tests.drills.verify import Findings, compare


@dataclass
class Machines:
    """Each with its database; the second one's follows the first one's."""

    first: Hall
    second: Hall
    databases: tuple[Postgres, Postgres]
    server: Program
    book: Book
    nursery: Nursery
    figures: dict[str, Any] = field(default_factory=dict)


@contextmanager
def machines(candidates: int, nursery: Nursery) -> Iterator[Machines]:
    with ExitStack() as opened:
        folder = Path(opened.enter_context(tempfile.TemporaryDirectory(prefix="examroom-standby-", ignore_cleanup_errors=True)))
        folder.chmod(0o755)
        for name in ("first", "first-database", "second-database"):
            (folder / name).mkdir()
        primary = opened.enter_context(Postgres(folder / "first-database"))
        first = furnish(folder / "first", candidates, primary.url.replace("postgresql://", "postgresql+psycopg://"))
        follower = opened.enter_context(Postgres(folder / "second-database", source=primary))
        primary.tell("ALTER SYSTEM SET synchronous_standby_names = '*'", "SELECT pg_reload_conf()")
        shutil.copytree(first.folder, folder / "second")  # the keys
        second = Hall(folder / "second", follower.url, first.people)
        server = opened.enter_context(Program(first, free_port(), nursery))
        yield Machines(first, second, (primary, follower), server, opened.enter_context(Book(folder / "acknowledged.jsonl")), nursery)


async def drill(both: Machines, saves: int) -> Findings:
    """Kill all of the first machine, take over, let everybody go on, compare with the second machine's database."""
    await both.server.ready()
    address = await Proxy(both.server.port).open()
    crowd = both.first.candidates(address.port, both.book)
    await asyncio.gather(*(one.enter() for one in crowd))
    over = False
    answering = [asyncio.create_task(one.answer_until(lambda: over)) for one in crowd]
    while both.book.acknowledged < saves:
        await asyncio.sleep(0.01)
    primary, follower = both.databases
    both.server.kill()
    primary.kill()
    died, acknowledged = time.monotonic(), both.book.acknowledged
    await asyncio.to_thread(follower.tell, "SELECT pg_promote()")
    both.figures |= {"promoted_seconds": round(time.monotonic() - died, 2), "acknowledged_before": acknowledged}
    with Program(both.second, free_port(), both.nursery) as successor:
        await successor.ready()
        address.target = successor.port
        while both.book.acknowledged == acknowledged:
            await asyncio.sleep(0.01)
        both.figures["first_acknowledgement_seconds"] = round(time.monotonic() - died, 2)
        while both.book.acknowledged < acknowledged + saves:
            await asyncio.sleep(0.01)
        over = True
        await asyncio.gather(*answering)
        both.figures["old_machine_acknowledges"] = await _first_returns(both, crowd[0])
        leave(crowd)
        await address.close()
    return await asyncio.to_thread(compare, both.second.url, both.book.file, both.book.sent)


async def _first_returns(both: Machines, one: Candidate) -> int:
    """The dead machine is switched on as it was: a commit there waits for a copy that follows it no longer."""
    both.databases[0].start()
    both.server.start()
    await both.server.ready()
    stray = Candidate(lambda: ("127.0.0.1", both.server.port), one.sheet, one.ticket, one.identity, both.book, dict(one.cookies), one.csrf, one.token)
    stray.sequence, stray.kinds = one.sequence + 1000, one.kinds
    stray.choose()
    before = both.book.acknowledged
    with contextlib.suppress(Broken):  # no answer came
        await stray.send()
    stray.wire.close()
    del both.book.sent[stray.sheet, stray.sequence]
    both.server.kill()
    both.databases[0].kill()
    return both.book.acknowledged - before


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--saves", type=int, default=3000, help="acknowledged before the machine dies, and again after it")
    parser.add_argument("--candidates", type=int, default=50)
    asked = parser.parse_args()
    tidy_when_stopped()
    with closing(Nursery()) as nursery, machines(asked.candidates, nursery) as both:
        found = asyncio.run(drill(both, asked.saves))
        print(json.dumps({**both.figures, **found.report(), "ok": found.well}))
    if not found.well:
        raise SystemExit(1)


if __name__ == "__main__":
    main()

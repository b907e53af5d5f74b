"""The standby drill: the server and everything on its machine dies in mid-exam, the second machine takes over.

The candidates reach the room's server under one address (here a proxy that is pointed to the second machine, in a school the
address that the second machine takes). ``python -m tests.drills.standby`` prints one JSON line.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import shutil
import sqlite3
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.drills.client import Book, leave
from tests.drills.proxy import Proxy
from tests.drills.room import Hall, Nursery, Program, free_port, furnish, tidy_when_stopped
from tests.drills.verify import Findings, compare


@dataclass
class Machines:
    """The first with server and feed, the second with its copy."""

    first: Hall
    second: Hall
    book: Book
    server: Program
    feed: Program
    follower: Program
    nursery: Nursery
    figures: dict[str, Any] = field(default_factory=dict)

    def promote(self, *more: str) -> None:
        """``examroom room promote`` on the second machine, until it has ended."""
        command = Program(self.second, 0, self.nursery)
        command.run("room", "promote", "--dir", str(self.second.folder), *more)


@contextmanager
def machines(candidates: int, nursery: Nursery) -> Iterator[Machines]:
    """Two folders, a served room in the first, a copy that follows in the second."""
    with ExitStack() as opened:
        folder = Path(opened.enter_context(tempfile.TemporaryDirectory(prefix="examroom-standby-", ignore_cleanup_errors=True)))
        for name in ("first", "second"):
            (folder / name).mkdir()
        first = furnish(folder / "first", candidates)
        second = Hall(folder / "second", f"sqlite:///{folder / 'second' / 'examroom.sqlite3'}", first.people)
        server = opened.enter_context(Program(first, free_port(), nursery))
        feed = opened.enter_context(Program(first, free_port(), nursery, ("room", "feed", "--host", "127.0.0.1")))
        token = first.folder / "standby.token"
        until = time.monotonic() + 30
        while not token.exists() or len(token.read_text()) < 64:
            assert time.monotonic() < until, first.folder
            time.sleep(0.02)
        shutil.copy(token, second.folder)
        follower = Program(second, 0, nursery)
        opened.callback(follower.kill)
        follower.begin("room", "standby", f"http://127.0.0.1:{feed.port}", "--dir", str(second.folder))
        yield Machines(first, second, opened.enter_context(Book(folder / "acknowledged.jsonl")), server, feed, follower, nursery)


async def until_followed(second: Hall, seconds: float = 60) -> None:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        await asyncio.sleep(0.1)
        file = second.folder / "standby.sqlite3"
        if file.exists():
            with closing(sqlite3.connect(file)) as copy:
                if copy.execute("SELECT count(*) FROM sqlite_schema WHERE name = 'state'").fetchone()[0] and \
                        copy.execute("SELECT count(*) FROM state").fetchone()[0]:
                    return
    raise TimeoutError("the standby has copied nothing")


def held(database: Path) -> int:
    with closing(sqlite3.connect(database)) as found:
        count: int = found.execute("SELECT count(*) FROM answer_events").fetchone()[0]
        return count


async def drill(both: Machines, saves: int, think: float = 0.0) -> Findings:
    """Kill everything of the first machine at once, take over, let everybody go on, compare with the second's database."""
    await both.server.ready()
    await until_followed(both.second)
    address = await Proxy(both.server.port).open()
    crowd = both.first.candidates(address.port, both.book)
    for one in crowd:
        one.gives_again = True
    await asyncio.gather(*(one.enter() for one in crowd))
    over = False
    answering = [asyncio.create_task(one.answer_until(lambda: over, think)) for one in crowd]
    while both.book.acknowledged < saves:
        await asyncio.sleep(0.01)
    for program in (both.server, both.feed):
        program.kill()
    died, acknowledged = time.monotonic(), both.book.acknowledged
    both.follower.kill()
    await asyncio.to_thread(both.promote)
    both.figures |= {"promoted_seconds": round(time.monotonic() - died, 2), "acknowledged_before": acknowledged,
                     "missing_in_the_copy": acknowledged - held(both.second.folder / "examroom.sqlite3")}
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
        both.figures["sent_again"] = sum(one.resent for one in crowd)
        await _first_returns(both, crowd[0].cookies)
        leave(crowd)
        await address.close()
    return await asyncio.to_thread(compare, both.second.url, both.book.file, both.book.sent)


async def _first_returns(both: Machines, cookies: dict[str, str]) -> None:
    """The dead machine is switched on again: who has met its successor is refused, and then everybody, for good."""
    answers = []
    for cookie in (cookies, {}):
        both.server.start()
        answers.append(await _status(both.server.port, cookie))
        both.server.kill()
    both.figures["old_server_answers"] = answers


async def _status(port: int, cookies: dict[str, str]) -> int:
    from tests.drills.client import Broken, Wire

    wire = Wire(lambda: ("127.0.0.1", port))
    until = time.monotonic() + 60
    while time.monotonic() < until:
        try:
            status = (await wire.ask("GET", "/exam", {"Cookie": "; ".join(f"{name}={value}" for name, value in cookies.items())})).status
            wire.close()
            return status
        except Broken:
            await asyncio.sleep(0.05)
    raise TimeoutError


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--saves", type=int, default=3000, help="acknowledged before the machine dies, and again after it")
    parser.add_argument("--candidates", type=int, default=50)
    parser.add_argument("--think", type=float, default=0.0, help="seconds between two answers of a candidate")
    asked = parser.parse_args()
    tidy_when_stopped()
    with closing(Nursery()) as nursery, machines(asked.candidates, nursery) as both:
        found = asyncio.run(drill(both, asked.saves, asked.think))
        print(json.dumps({**both.figures, **found.report(), "ok": found.well}))
    if not found.well:
        raise SystemExit(1)


if __name__ == "__main__":
    main()

"""The crash drill: candidates answer while the server is killed with SIGKILL again and again.

``python -m tests.drills.crash --rounds 50 --saves 100000`` (``--database postgresql``, ``--together`` kills PostgreSQL in the
same moment) prints one JSON line for each round and one for the verdict, and ends with status 1 when anything was lost.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import Any

from tests.drills.client import Book, leave
from tests.drills.postgres import Postgres
from tests.drills.room import Hall, Nursery, Program, free_port, furnish, tidy_when_stopped
from tests.drills.verify import Findings, compare


@dataclass(frozen=True)
class Plan:
    """How long and how hard."""

    rounds: int = 5
    saves: int = 500
    together: bool = False


async def drill(hall: Hall, program: Program, book: Book, plan: Plan, say: Callable[[dict[str, Any]], None],
                postgres: Postgres | None = None) -> Findings:
    """Everybody answers; after each share of the saves the server is killed in the middle of it."""
    await program.ready()
    crowd = hall.candidates(program.port, book)
    await asyncio.gather(*(one.enter() for one in crowd))
    over = False
    answering = [asyncio.create_task(one.answer_until(lambda: over)) for one in crowd]
    for number in range(1, plan.rounds + 1):
        goal, began = plan.saves * number // (plan.rounds + 1), perf_counter()
        while book.acknowledged < goal:
            await asyncio.sleep(0.002)
        await asyncio.sleep(random.random() * 0.05)
        held, unsent = book.acknowledged, sum(bool(one.unsent) for one in crowd)
        program.kill()
        if plan.together and postgres is not None:
            postgres.kill()
            await asyncio.to_thread(postgres.start)
        program.start()
        down = await program.ready()
        say({"round": number, "acknowledged": held, "in_flight": unsent, "seconds": round(perf_counter() - began, 2),
             "restart_seconds": round(down, 2)})
    while book.acknowledged < plan.saves:
        await asyncio.sleep(0.01)
    over = True
    await asyncio.gather(*answering)
    leave(crowd)
    program.kill()
    return await asyncio.to_thread(compare, hall.url, book.file, book.sent)


@contextmanager
def prepared(candidates: int, database: str, nursery: Nursery) -> Iterator[tuple[Hall, Program, Book, Postgres | None]]:
    """A hall on the database, its server running, an empty book."""
    with ExitStack() as opened:
        folder = Path(opened.enter_context(tempfile.TemporaryDirectory(prefix="examroom-drill-", ignore_cleanup_errors=True)))
        (home := folder / "hall").mkdir()
        postgres = None
        if database == "postgresql":
            (own := folder / "postgresql").mkdir()
            folder.chmod(0o755)
            postgres = opened.enter_context(Postgres(own))
        hall = furnish(home, candidates, postgres.url.replace("postgresql:", "postgresql+psycopg:") if postgres else "")
        program = opened.enter_context(Program(hall, free_port(), nursery))
        yield hall, program, opened.enter_context(Book(folder / "acknowledged.jsonl")), postgres


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=50)
    parser.add_argument("--saves", type=int, default=100_000)
    parser.add_argument("--candidates", type=int, default=50)
    parser.add_argument("--database", choices=("sqlite", "postgresql"), default="sqlite")
    parser.add_argument("--together", action="store_true", help="kill PostgreSQL in the same moment")
    asked = parser.parse_args()
    tidy_when_stopped()
    began = perf_counter()
    with closing(Nursery()) as nursery, prepared(asked.candidates, asked.database, nursery) as (hall, program, book, postgres):
        found = asyncio.run(drill(hall, program, book, Plan(asked.rounds, asked.saves, asked.together),
                                  lambda line: print(json.dumps(line), flush=True), postgres))
    print(json.dumps({"database": asked.database, "together": asked.together, "kills": asked.rounds, **found.report(),
                      "seconds": round(perf_counter() - began, 1), "ok": found.well}), flush=True)
    if not found.well:
        raise SystemExit(1)


if __name__ == "__main__":
    main()

"""Candidates go on answering while something is broken and mended again; then everything acknowledged is compared."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Awaitable, Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.drills.client import Book, Candidate, leave
from tests.drills.postgres import Postgres
from tests.drills.room import Hall, Nursery, Program, free_port, furnish
from tests.drills.shim import Shim
from tests.drills.verify import Findings, compare

LONGEST_SECONDS = 240.0  # a drill that stands still fails, and says where


@dataclass
class Scene:
    """One hall that runs on a disk and a clock that can be broken."""

    hall: Hall
    program: Program
    book: Book
    shim: Shim
    postgres: Postgres | None = None
    crowd: list[Candidate] = field(default_factory=list)

    async def acknowledged(self, more: int, seconds: float = 60.0) -> None:
        """Wait until ``more`` events were acknowledged from now on."""
        goal = self.book.acknowledged + more
        async with asyncio.timeout(seconds):
            while self.book.acknowledged < goal:
                await asyncio.sleep(0.01)

    async def stalled(self, seconds: float = 1.0) -> int:
        """How many events are acknowledged in that time."""
        before = self.book.acknowledged
        await asyncio.sleep(seconds)
        return self.book.acknowledged - before


@contextmanager
def scene(candidates: int, nursery: Nursery, shim: Shim, *, database: str = "sqlite") -> Iterator[Scene]:
    """A served hall. On PostgreSQL the shim of the scene stands before PostgreSQL's log, else before the program's files."""
    with ExitStack() as opened:
        folder = Path(opened.enter_context(tempfile.TemporaryDirectory(prefix="examroom-drill-", ignore_cleanup_errors=True)))
        folder.chmod(0o755)
        (home := folder / "hall").mkdir()
        postgres = None
        if database == "postgresql":
            (own := folder / "postgresql").mkdir()
            shim = opened.enter_context(closing(Shim(folder, match="/pg_wal/")))
            postgres = opened.enter_context(Postgres(own, dict(shim.environment)))
        hall = furnish(home, candidates, postgres.url.replace("postgresql:", "postgresql+psycopg:") if postgres else "")
        program = opened.enter_context(Program(hall, free_port(), nursery))
        yield Scene(hall, program, opened.enter_context(Book(folder / "acknowledged.jsonl")), shim, postgres)


async def run(scene: Scene, break_it: Callable[[Scene], Awaitable[None]], *,
              address: Callable[[], tuple[str, int]] | None = None) -> tuple[Findings, list[Candidate]]:
    """Everybody answers before, during and after ``break_it``; afterwards nothing may be left unsent."""
    async with asyncio.timeout(LONGEST_SECONDS):
        return await _run(scene, break_it, address)


async def _run(scene: Scene, break_it: Callable[[Scene], Awaitable[None]],
               address: Callable[[], tuple[str, int]] | None) -> tuple[Findings, list[Candidate]]:
    if not scene.program.pid:
        scene.program.start()
    await scene.program.ready()
    crowd = scene.crowd = scene.hall.candidates(address or scene.program.port, scene.book)
    await asyncio.gather(*(one.enter() for one in crowd))
    over = False
    answering = [asyncio.create_task(one.answer_until(lambda: over)) for one in crowd]
    try:
        await scene.acknowledged(2 * len(crowd))
        await break_it(scene)
        await scene.acknowledged(2 * len(crowd))
    finally:
        over = True
        async with asyncio.timeout(60):
            await asyncio.gather(*answering)
        leave(crowd)
    scene.program.kill()
    return await asyncio.to_thread(compare, scene.hall.url, scene.book.file, scene.book.sent), crowd

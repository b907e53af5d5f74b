"""The power cut: a file system that forgets what was not synced, in the middle of the exam.

``python -m tests.drills.power --cuts 20`` prints a JSON line for each cut; ``--careless normal`` and ``--careless early`` run
builds that are wrong on purpose, which have to lose something.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import importlib.util
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from tests.drills.client import Book, leave
from tests.drills.room import ROOT, Hall, Nursery, Program, free_port, furnish, tidy_when_stopped
from tests.drills.verify import Findings, compare


def _missing() -> str:
    if not Path("/dev/fuse").exists() or not os.access("/dev/fuse", os.R_OK | os.W_OK):
        return "no /dev/fuse here: the power-cut drill CANNOT RUN"
    if not shutil.which("fusermount"):
        return "fusermount is missing (Debian: apt-get install fuse libfuse2): the power-cut drill CANNOT RUN"
    if importlib.util.find_spec("fuse") is None:
        return "the Python package fusepy is missing: the power-cut drill CANNOT RUN"
    return ""


MISSING = _missing()


@dataclass
class Mount:
    """The forgetful file system, mounted on what ``image`` holds."""

    point: Path
    image: Path
    process: subprocess.Popen[bytes] | None = None

    def up(self, seed: str = "") -> None:
        self.process = subprocess.Popen([sys.executable, "-m", "tests.drills.power_disk", self.point, self.image, seed], cwd=ROOT)
        until = time.monotonic() + 30
        while not os.path.ismount(self.point):
            assert time.monotonic() < until, "the file system was not mounted"
            assert self.process.poll() is None, "the file system did not start"
            time.sleep(0.02)

    def cut(self) -> None:
        """From this moment on only what was synced exists, and nothing more is taken."""
        with contextlib.suppress(OSError):
            (self.point / ".cut").mkdir()

    def down(self) -> None:
        if self.process is not None:
            subprocess.run(["fusermount", "-u", "-z", self.point], check=False, stderr=subprocess.DEVNULL, timeout=60)
            self.process.wait(timeout=30)
            self.process = None


@contextmanager
def prepared(candidates: int, nursery: Nursery) -> Iterator[tuple[Hall, Program, Book, Mount]]:
    """A hall whose database lies on the forgetful file system."""
    with ExitStack() as opened:
        folder = Path(opened.enter_context(tempfile.TemporaryDirectory(prefix="examroom-power-", ignore_cleanup_errors=True)))
        for name in ("hall", "image", "mount"):
            (folder / name).mkdir()
        hall = furnish(folder / "hall", candidates)
        (hall.folder / "examroom.sqlite3").rename(folder / "image" / "examroom.sqlite3")
        mount = Mount(folder / "mount", folder / "image")
        opened.callback(mount.down)
        mount.up()
        hall = replace(hall, url=f"sqlite:///{folder / 'mount' / 'examroom.sqlite3'}")
        program = opened.enter_context(Program(hall, free_port(), nursery))
        yield hall, program, opened.enter_context(Book(folder / "acknowledged.jsonl")), mount


async def drill(hall: Hall, program: Program, book: Book, mount: Mount, cuts: int, saves: int,
                say: Callable[[dict[str, Any]], None]) -> Findings:
    """``saves`` acknowledgements before each cut. Every other disk keeps a random half of what was not synced."""
    await program.ready()
    crowd = hall.candidates(program.port, book)
    await asyncio.gather(*(one.enter() for one in crowd))
    over = False
    answering = [asyncio.create_task(one.answer_until(lambda: over)) for one in crowd]
    for number in range(1, cuts + 1):
        goal = book.acknowledged + saves
        while book.acknowledged < goal:
            await asyncio.sleep(0.005)
        await asyncio.to_thread(mount.cut)
        program.kill()
        say({"cut": number, "acknowledged": book.acknowledged, "in_flight": sum(bool(one.unsent) for one in crowd)})
        await asyncio.to_thread(mount.down)
        await asyncio.to_thread(mount.up, str(number) if number % 2 else "")
        program.start()
        await program.ready()
    over = True
    await asyncio.gather(*answering)
    leave(crowd)
    program.kill()
    return await asyncio.to_thread(compare, hall.url, book.file, book.sent)


def careless(what: str, environment: dict[str, str] | None = None) -> Nursery:
    """A build that is wrong on purpose."""
    return Nursery({**(environment or {}), "DRILL_CARELESS": what}, "tests.drills.careless")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cuts", type=int, default=20)
    parser.add_argument("--saves", type=int, default=500, help="acknowledged saves before each cut")
    parser.add_argument("--candidates", type=int, default=50)
    parser.add_argument("--careless", choices=("normal", "early"))
    asked = parser.parse_args()
    tidy_when_stopped()
    if MISSING:
        raise SystemExit(MISSING)
    with closing(careless(asked.careless) if asked.careless else Nursery()) as nursery, \
            prepared(asked.candidates, nursery) as (hall, program, book, mount):
        found = asyncio.run(drill(hall, program, book, mount, asked.cuts, asked.saves, lambda line: print(json.dumps(line), flush=True)))
    print(json.dumps({"careless": asked.careless, "cuts": asked.cuts, **found.report(), "ok": found.well}))
    if found.well == bool(asked.careless):
        raise SystemExit(1)


if __name__ == "__main__":
    main()

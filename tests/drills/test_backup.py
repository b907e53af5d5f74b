"""The disk of the exam server is lost in mid-exam, with nothing beside it but the last backup."""

from __future__ import annotations

import asyncio
import json
import shutil
from pathlib import Path

from tests.drills.client import Book, leave
from tests.drills.crash import prepared
from tests.drills.room import Hall, Nursery, Program
from tests.drills.verify import compare

CANDIDATES = 8
BEFORE, AFTER = 60, 60  # acknowledged answers before and after the backup


def test_the_last_backup_brings_back_its_moment_and_the_pages_give_the_rest_again(nursery: Nursery) -> None:
    """The backup is taken while eight people answer. Then everything is destroyed after further acknowledged answers.

    What was acknowledged before the backup began is in it, whole and in order; what came after is missing there, and
    comes back from the candidates' pages, which keep acknowledged answers for a quarter of an hour.
    """
    with prepared(CANDIDATES, "sqlite", nursery) as (hall, program, book, _):
        asyncio.run(asyncio.wait_for(_drill(hall, program, book, nursery), 170))


async def _drill(hall: Hall, program: Program, book: Book, nursery: Nursery) -> None:
    await program.ready()
    crowd = hall.candidates(program.port, book)
    await asyncio.gather(*(one.enter() for one in crowd))
    for one in crowd:
        one.gives_again = True
    over = False
    answering = [asyncio.create_task(one.answer_until(lambda: over, 0.02)) for one in crowd]
    await _until(book, BEFORE)
    held, file, key = _acknowledged(book), hall.folder.parent / "saved.backup", hall.folder.parent / "backup.key"
    await asyncio.to_thread(_back_up, hall, nursery, file, key)
    taken = book.acknowledged
    await _until(book, taken + AFTER)
    program.kill()
    shutil.rmtree(hall.folder)  # the disk is gone

    restored = Hall(hall.folder.parent / "restored", f"sqlite:///{hall.folder.parent / 'restored' / 'examroom.sqlite3'}", hall.people)
    await asyncio.to_thread(Program(_place(hall, "console"), 0, nursery).run, "restore", str(file), "--dir", str(restored.folder), "--key-file", str(key))
    found = await asyncio.to_thread(compare, restored.url, book.file, book.sent)
    lost = {(int(words[1]), int(words[3])) for words in map(str.split, found.missing)}
    assert not lost & held, "what was acknowledged before the backup began is missing in it"
    assert len(lost) >= AFTER, "nothing was destroyed: this proves nothing"
    assert [found.changed, found.foreign, found.disorder, found.chain] == [[], [], [], []]
    assert found.stored >= BEFORE

    with Program(restored, program.port, nursery) as again:
        await again.ready()
        goal = book.acknowledged + CANDIDATES
        await _until(book, goal)
        over = True
        await asyncio.gather(*answering)
        leave(crowd)
        again.kill()
    whole = await asyncio.to_thread(compare, restored.url, book.file, book.sent)
    assert whole.well, whole
    assert sum(one.resent for one in crowd) >= len(lost)


async def _until(book: Book, acknowledged: int) -> None:
    while book.acknowledged < acknowledged:
        await asyncio.sleep(0.005)


def _acknowledged(book: Book) -> set[tuple[int, int]]:
    return {(line["sheet"], line["sequence"]) for line in map(json.loads, book.file.read_text("utf-8").splitlines())}


def _place(hall: Hall, name: str) -> Hall:
    """A folder for the log of a command."""
    (folder := hall.folder.parent / name).mkdir(exist_ok=True)
    return Hall(folder, hall.url, hall.people)


def _back_up(hall: Hall, nursery: Nursery, file: Path, key: Path) -> None:
    """As an officer does it: two commands beside the running server; the backup is put on another disk."""
    console = Program(_place(hall, "console"), 0, nursery)
    console.run("backup-key", str(key))
    console.run("--dir", str(hall.folder), "backup", "--key-file", str(key))
    made = list((hall.folder / "backups").glob("*.backup"))
    assert len(made) == 1, console.log()
    shutil.copy(made[0], file)

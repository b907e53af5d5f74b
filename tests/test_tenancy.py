"""Many schools in one installation: what one school's people look at does not grow with the others, and no index is missing."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from tests.benchmarks.schools import Copier, Size
from tests.benchmarks.tenancy import Ear
from tests.complete_world import complete_world
from tests.demo_world import enter, reopen

pytestmark = [pytest.mark.one_database, pytest.mark.timeout(1200)]  # tests/benchmarks/tenancy.py reads the plans of PostgreSQL; the first one makes the world
OTHERS = 9  # schools beside the first
STEP = 500  # instructions of SQLite's machine between two looks
# The lists that people have open all day, and the work list.
LISTS = {
    "officer": ("/", "/plans/", "/plans/fee-summary", "/marking/", "/results/", "/archive/ledger", "/invigilation/", "/certificates/"),
    "reviewer": ("/items/review", "/items/desk"),
    "assessor": ("/", "/practical/"),
    "invigilator": ("/", "/invigilation/"),
}
GROWING = ("answers", "answer_events", "marks", "sheets", "audit_entries", "enrolments", "certificates")  # with every sitting


class Machine:
    """Counts the instructions that SQLite carries out: the same on every machine, whatever else it does."""

    def __init__(self, app: Flask) -> None:
        self.steps = 0
        engine = app.extensions["examroom"]["database"].engine
        sa.event.listen(engine, "connect", self._watch)
        engine.dispose()

    def _watch(self, connection: sqlite3.Connection, _: Any) -> None:
        connection.set_progress_handler(self._tick, STEP)

    def _tick(self) -> int:
        self.steps += 1
        return 0


@contextmanager
def opened(folder: Path, url: str) -> Iterator[Flask]:
    app = reopen(folder, url)
    try:
        yield app
    finally:
        app.extensions["examroom"]["database"].engine.dispose()


@pytest.fixture(scope="module")
def schools(tmp_path_factory: pytest.TempPathFactory, fresh_database_url: Callable[[], str]) -> Iterator[dict[str, tuple[Path, str]]]:
    """The complete world alone, and beside nine copies of it: other schools that lived through the same."""
    world = next(making := complete_world(tmp_path_factory, fresh_database_url))
    folder = world.app.extensions["examroom"]["settings"].folder
    world.app.extensions["examroom"]["database"].engine.dispose()
    alone, many = folder / "world.sqlite3", folder / "many.sqlite3"
    with closing(sqlite3.connect(alone)) as source, closing(sqlite3.connect(many)) as target:
        source.execute("ANALYZE")
        source.commit()
        source.backup(target)
    engine = sa.create_engine(f"sqlite:///{many}")
    with engine.begin() as connection:
        Copier(connection).multiply(Size(1 + OTHERS, 1))
        connection.execute(sa.text("ANALYZE"))
    engine.dispose()
    yield {"alone": (folder, f"sqlite:///{alone}"), "many": (folder, f"sqlite:///{many}")}
    next(making, None)


def test_copied_schools_are_whole(schools: dict[str, tuple[Path, str]]) -> None:
    """Every row of every copy points to rows that exist, and nothing was left out that a page would miss."""
    engine = sa.create_engine(schools["many"][1])
    with engine.connect() as connection:
        assert connection.exec_driver_sql("PRAGMA foreign_key_check").all() == []
        plans = connection.execute(sa.text("SELECT institution_id, count(*) FROM exam_plans GROUP BY 1")).all()
        assert len(plans) == 1 + OTHERS  # the second school of that world has no plan
        assert len({number for _, number in plans}) == 1
    engine.dispose()


def test_the_lists_of_one_school_ask_no_more_and_work_little_more_with_nine_others(schools: dict[str, tuple[Path, str]]) -> None:
    told: dict[str, dict[str, tuple[int, int]]] = {}
    for name, (folder, url) in schools.items():
        told[name] = {}
        with opened(folder, url) as app:
            machine, ear = Machine(app), Ear(app.extensions["examroom"]["database"].engine)
            for login, addresses in LISTS.items():
                browser = enter(app, login)
                for address in addresses:
                    ear.heard.clear()
                    machine.steps = 0
                    assert browser.get(address).status_code == 200, (login, address)
                    told[name][f"{login} {address}"] = (len(ear.heard), machine.steps)
    grown = {page: (alone, told["many"][page]) for page, alone in told["alone"].items()
             if told["many"][page][0] > alone[0] or told["many"][page][1] > 2 * alone[1] + 20}
    assert grown == {}


def test_no_list_of_a_school_reads_a_table_that_grows_with_every_sitting_from_end_to_end(schools: dict[str, tuple[Path, str]]) -> None:
    folder, url = schools["many"]
    read: set[tuple[str, str]] = set()
    with opened(folder, url) as app:
        ear = Ear(app.extensions["examroom"]["database"].engine)
        plain = sqlite3.connect(url.removeprefix("sqlite:///"))
        for login, addresses in LISTS.items():
            browser = enter(app, login)
            for address in addresses:
                ear.heard.clear()
                browser.get(address)
                for _, _, statement, parameters in ear.heard:
                    if statement.startswith("SELECT"):
                        lines = plain.execute(f"EXPLAIN QUERY PLAN {statement}", parameters).fetchall()
                        read |= {(f"{login} {address}", line[3]) for line in lines for table in GROWING if f"{line[3]} ".startswith(f"SCAN {table} ")}
        plain.close()
    assert read == set()

"""A pool of 200 forms sealed, opened and dealt from, and 1,000 personal copies printed; one JSON object a line.

    python tests/benchmarks/papers.py [--forms 200] [--copies 1000] [--items 5000]

Processor time of this process and its children, job rows, audit trail and encryption included. ``longest`` is the longest
write transaction of a job: what an exam that saves meanwhile waits for on SQLite.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import resource
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from sqlalchemy.orm import Session

from qbank.items.states import ItemKind
from qbank.kernel import jobs
from qbank.kernel.access import Role, Viewer
from qbank.kernel.db import Actor, Database
from qbank.kernel.jobs import Job, Work
from qbank.kernel.migrations import upgrade
from qbank.kernel.settings import Settings
from qbank.papers import opening, views  # noqa: F401  # views registers the kinds of jobs
from qbank.papers.desk import specify
from qbank.papers.models import Paper, PaperFamily
from qbank.papers.specification import FORMS
from qbank.standards.models import Subject
from qbank.standards.tables import add_occupation, add_standard, leaves, set_table
from tests.conftest import People, TestClock
from tests.qbank.papers.conftest import Bank, drafts

SHARES = {ItemKind.SINGLE: 0.8, ItemKind.JUDGE: 0.2}


def cpu() -> float:
    own, children = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
    return own.ru_utime + own.ru_stime + children.ru_utime + children.ru_stime


def say(name: str, value: float, unit: str, target: float | None = None) -> None:
    print(json.dumps({"name": name, "value": round(value, 2), "unit": unit, "target": target,
                      "ok": target is None or value <= target}, ensure_ascii=False), flush=True)


@contextmanager
def timed(name: str, target: float | None = None) -> Iterator[None]:
    began, HELD[:] = cpu(), []
    yield
    say(name, cpu() - began, "s CPU", target)
    if HELD:
        say(f"{name}, longest", max(HELD), "s", None)


HELD: list[float] = []  # seconds of each write transaction of a job's own


def _watch() -> None:
    """Measure the transactions of jobs."""
    plain: Any = Work.transaction

    @contextmanager
    def watched(self: Work) -> Iterator[Session]:
        began = time.perf_counter()
        with plain(self) as session:
            yield session
        HELD.append(time.perf_counter() - began)

    Work.transaction = watched  # type: ignore[method-assign]


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__)
    for name, plain in (("forms", 200), ("copies", 1000), ("items", 5000)):
        asked.add_argument(f"--{name}", type=int, default=plain)
    wanted = asked.parse_args()
    _watch()
    with tempfile.TemporaryDirectory() as folder:
        _run(wanted, Path(folder))


def _run(wanted: argparse.Namespace, folder: Path) -> None:
    clock = TestClock()
    settings = dataclasses.replace(Settings.from_environment({}, folder=folder), jobs_inline=True)
    database = Database.of(settings)
    upgrade(database.engine)
    queue = jobs.Jobs(settings, database, clock)
    with database.transaction(Actor(None, "benchmark"), clock=clock) as session:
        people = People(session)
        composer, bank, officers = _bank(session, people, clock, wanted.items)
        made = specify(session, bank.table, bank.school, "电工四级理论", FORMS["80×1+20×1"], composer, minutes=90, now=clock())
        specification_id = made.id

    def work(kind: str, arguments: dict[str, Any], who: Viewer) -> Job:
        with database.transaction(who.actor, clock=clock) as session:
            session.info["jobs"] = queue
            job_id = jobs.enqueue(session, kind, arguments, who, now=clock()).id
        with database.open(None, reads_only=True) as session:
            job = session.get_one(Job, job_id)
            if job.state is not jobs.JobState.DONE:
                raise SystemExit(f"{kind}: {job.message} {job.details}")
            return job

    with timed(f"{wanted.forms} forms composed from {wanted.items} items"):
        work("papers.assemble", {"specification": specification_id, "seed": 7, "forms": wanted.forms}, composer)
    with timed(f"{wanted.forms} forms checked and sealed", 60):
        work("papers.seal_family", {"family": 1}, composer)
    with timed(f"{wanted.forms} forms opened by two persons", 60):
        with database.transaction(officers[0].actor, clock=clock) as session:
            opening.ask(session, session.get_one(Paper, 1), officers[0], "发卷", now=clock(), family=True)
        with database.transaction(officers[1].actor, clock=clock) as session:
            agreed = opening.agree(session, session.get_one(Paper, 1), officers[1], now=clock()).id
        work("papers.open_family", {"opening": agreed}, officers[1])
    with timed(f"{wanted.copies} personal copies printed", 60):
        work("papers.print", {"paper": 1, "what": "copies", "copies": wanted.copies, "items": True, "options": True}, composer)
    say("memory", resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, "MB")
    with database.open(None, reads_only=True) as session:
        assert all(paper.opened_at for paper in session.get_one(PaperFamily, 1).papers)


def _bank(session: Session, people: People, clock: Callable[[], Any], items: int) -> tuple[Viewer, Bank, tuple[Viewer, Viewer]]:
    officer, author = people("周考务", Role.EXAM_OFFICER), people("吴命题", Role.ITEM_AUTHOR)
    occupation = add_occupation(session, "6-31-01-03", "电工", officer, catalogue_edition="2015")
    standard = add_standard(session, occupation, officer, edition="2018", title="电工国家职业技能标准")
    table = set_table(session, standard, 4, Subject.THEORY, list(drafts()), officer, is_sample=True, source="示例")
    bank = Bank(session, table, people.home.id, author)
    for leaf in leaves(table):
        for kind, share in SHARES.items():
            bank.add(leaf, kind, round(items * share * leaf.weight / 200))
    return people("郑组卷", Role.PAPER_COMPOSER), bank, (people("刘考务", Role.EXAM_OFFICER), people("孙考务", Role.EXAM_OFFICER))


if __name__ == "__main__":
    main()

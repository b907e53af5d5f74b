"""A wrong key found after 500 sheets: what the preview and marking again cost, in CPU seconds, and the longest write.

    python tests/benchmarks/marking.py [--sheets 500]
"""

from __future__ import annotations

import argparse
import itertools
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

sys.path.insert(0, str(Path(__file__).parents[2]))

import sqlalchemy as sa
from argon2 import PasswordHasher

from app import create_app
from examroom.delivery.models import Answer, HandIn, Sheet, SheetState
from examroom.marking import cases, desk
from examroom.marking.case_models import ItemCase, Remedy, ScoreChange
from examroom.plans.models import SittingState
from qbank.kernel import accounts
from qbank.kernel.access import Role
from qbank.kernel.db import Actor, Database
from qbank.kernel.identity import IdentityCipher
from qbank.kernel.jobs import Job
from qbank.kernel.migrations import upgrade
from qbank.kernel.settings import Settings
from tests.conftest import People, TestClock
from tests.sitting_world import SittingWorld


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sheets", type=int, default=500)
    count = parser.parse_args().sheets
    accounts.HASHER = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    with TemporaryDirectory() as folder:
        settings = Settings(folder=Path(folder), database_url=f"sqlite:///{folder}/x.sqlite3", secret_key=b"s" * 32, identity_key=b"i" * 32,
                            jobs_inline=True)
        made = Database.of(settings)
        upgrade(made.engine)
        made.engine.dispose()
        app = create_app(settings, clock=TestClock())
        run(app.extensions["examroom"]["database"], app.extensions["examroom"]["jobs"], count)


def run(database: Database, jobs: object, count: int) -> None:
    with database.open(Actor(None, "基准"), clock=TestClock()) as session:
        session.info["jobs"] = jobs
        world = SittingWorld(session, People(session), IdentityCipher(b"i" * 32), single=70, multiple=10, judge=20, candidates=count)
        world.make(datetime(2026, 6, 1, 1, 0, tzinfo=UTC))
        world.begin = world.sitting.starts_at
        after = world.sitting.ends_at + timedelta(minutes=1)
        answered(world)
        started = time.process_time()
        desk.mark_sitting(session, world.sitting, now=after)
        session.commit()
        print(f"marking {count} sheets of 100 items, statistics of the bank and the report: {time.process_time() - started:.2f} s CPU")
        officers = [world.people(name, Role.EXAM_OFFICER) for name in ("考务甲", "考务乙")]
        case = cases.report(session, world.sitting, world.paper.items[0].version_id, "答案应为 C", world.officer, now=after)
        session.commit()
        started = time.process_time()
        cases.propose(session, case, Remedy.NEW_KEY, ["C"], world.officer, now=after)
        session.commit()
        print(f"preview of a new key: {time.process_time() - started:.2f} s CPU")
        session.refresh(case)
        print(f"  {len(case.preview)} of {case.scored} scores change")
        started = time.process_time()
        for person in officers:
            cases.approve(session, case, True, "", person, now=after)
        session.commit()
        print(f"two approvals, marking again, both scores kept, statistics anew: {time.process_time() - started:.2f} s CPU")
        kept = session.scalar(sa.select(sa.func.count(ScoreChange.id)))
        state = session.scalars(sa.select(ItemCase.state)).one()
        refused = session.scalars(sa.select(Job.message).where(Job.state.in_(("REFUSED", "FAILED")))).all()
        print(f"  {kept} scores kept before and after; the case is {state.value}{f'; {refused}' if refused else ''}")


def answered(world: SittingWorld) -> None:
    """Everybody handed in; every seventh answer is another letter. Written as rows: the save path has a benchmark of its own."""
    keys, letters = world.keys(), itertools.cycle("CABD")
    rows = []
    layout = [{"number": item.number, "kind": item.version.kind.value, "options": ""} for item in world.paper.items]
    sheets = [Sheet(sitting_id=world.sitting.id, enrolment_id=seat.enrolment_id, seat_id=seat.id, paper_id=world.paper.id, seed="0" * 64,
                    ends_at=world.sitting.ends_at, layout=layout, state=SheetState.HANDED_IN, started_at=world.begin,
                    handed_in_at=world.begin + timedelta(minutes=60), handed_in_how=HandIn.CANDIDATE) for seat in world.room.seats]
    world.session.add_all(sheets)
    world.session.flush()
    for sheet in sheets:
        rows += [{"sheet_id": sheet.id, "number": number, "answer": next(letters) if (sheet.id + number) % 7 == 0 and len(key) == 1 and key not in "TF"
                  else key, "flagged": False, "sequence": number, "saved_at": world.begin} for number, key in keys.items()]
    world.session.flush()
    world.session.execute(sa.insert(Answer), rows)
    world.sitting.state = SittingState.CLOSED
    world.session.flush()


if __name__ == "__main__":
    main()

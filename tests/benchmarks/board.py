"""What a look at the live board of a room of 60 costs the server: CPU milliseconds through the whole application.

    python -m tests.benchmarks.board

200-question sheets, 150 answers on each. Prints the CPU of a look that finds something new, of one that gets 304, and of
the cheapest page of the application (the floor).
"""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

from argon2 import PasswordHasher

from app import create_app
from examroom.delivery import sheets
from examroom.delivery.models import Presence
from examroom.delivery.sheets import Event
from examroom.plans.models import RoomInvigilator
from qbank.kernel import accounts
from qbank.kernel.access import Role
from qbank.kernel.db import Actor, Database
from qbank.kernel.identity import IdentityCipher
from qbank.kernel.migrations import upgrade
from qbank.kernel.settings import Settings
from tests.conftest import MONDAY, PASSWORD, People, TestClock
from tests.sitting_world import SittingWorld

LOOKS = 100


def main() -> None:
    accounts.HASHER = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    with TemporaryDirectory() as folder:
        settings = Settings(folder=Path(folder), database_url=f"sqlite:///{folder}/board.sqlite3", secret_key=b"s" * 32,
                            identity_key=b"i" * 32, jobs_inline=True)
        upgrade(Database.of(settings).engine)
        clock = TestClock()
        app = create_app(dataclasses.replace(settings, idle_minutes=600), clock=clock)
        app.config.update(TESTING=True, WTF_CSRF_ENABLED=False)
        room, login, someone = _world(app.extensions["examroom"]["database"], settings, app.extensions["examroom"]["jobs"])
        client = app.test_client()
        client.post("/accounts/sign-in", data={"login": login, "password": PASSWORD})
        address = f"/invigilation/rooms/{room}/board"
        tag = client.get(address).headers["ETag"]

        def new() -> None:
            assert client.get(address).status_code == 200

        def same() -> None:
            assert client.get(address, headers={"If-None-Match": tag}).status_code == 304

        size = len(client.get(address).data)
        print(f"board of 60 seats, {size / 1000:.1f} kB ({someone} answers on each of 200 questions)")
        floor = _cpu(lambda: client.get("/exam"))
        for name, cpu in (("floor: sign-in page", floor), ("something new", _cpu(new)), ("nothing new (304)", _cpu(same))):
            print(f"{name:22s} {cpu:6.2f} ms CPU  {cpu / floor:5.1f} x floor")


def _cpu(act: Callable[[], object]) -> float:
    act()
    began = time.process_time()
    for _ in range(LOOKS):
        act()
    return (time.process_time() - began) / LOOKS * 1000


def _world(database: Database, settings: Settings, jobs: object) -> tuple[int, str, int]:
    with database.open(Actor(None, "测试"), clock=lambda: MONDAY) as session:
        session.info["jobs"] = jobs
        people = People(session)
        world = SittingWorld(session, people, IdentityCipher(settings.identity_key), single=120, multiple=40, judge=40, candidates=60)
        world.make(MONDAY - timedelta(minutes=70))
        for name in "甲乙丙":
            world.room.invigilators.append(RoomInvigilator(account_id=people(f"监考{name}", Role.INVIGILATOR).account_id))
        world.running()
        kinds = {entry["number"]: entry["kind"] for entry in world.sheet("陈晓").layout}
        answers = [Event(number, number, "T" if kinds[number] == "judge" else "A") for number in range(1, 151)]
        for enrolment in world.enrolments:
            sheet = world.start(enrolment.candidate.name)
            sheets.save(session, sheet, answers, now=world.begin)
            session.add(Presence(sheet_id=sheet.id, seen_at=MONDAY, address="10.0.0.1"))
        session.commit()
        return world.room.id, world.invigilator.login, len(answers)


if __name__ == "__main__":
    main()

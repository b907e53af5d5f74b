"""A whole room signs in and starts in the same instant: everybody gets the whole paper once, and who answers already goes on."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest
import sqlalchemy as sa

from examroom.plans import codes
from qbank.kernel.settings import Settings
from tests.drills import client
from tests.drills.client import Candidate
from tests.drills.faults import LONGEST_SECONDS, Scene, scene
from tests.drills.room import Nursery
from tests.drills.shim import Shim
from tests.drills.verify import compare

CROWD = 40
EARLY = 8


@pytest.fixture
def hall(nursery: Nursery, shim: Shim) -> Iterator[Scene]:
    with scene(CROWD, nursery, shim) as found:
        yield found


async def with_code(one: Candidate, code: str) -> None:
    one.csrf = client._csrf(await one.ask("GET", "/exam"))
    reply = await one.ask("POST", "/exam", {"code": codes.grouped(code), "csrf_token": one.csrf}, form=True)
    assert reply.status == 302, reply.body.decode()
    one.csrf = client._csrf(await one.ask("GET", "/exam/hall"))


def test_a_room_signs_in_with_its_codes_and_starts_in_the_same_instant(hall: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "ANSWER_SECONDS", 60.0)  # nobody may need a second try
    key = Settings.from_environment({}, folder=hall.hall.folder).code_key
    people = {person.sheet: codes.make(key, person.enrolment, 1) for person in hall.hall.people}

    async def storm() -> list[Candidate]:
        await hall.program.ready()
        crowd = hall.hall.candidates(hall.program.port, hall.book)
        early, late, over = crowd[:EARLY], crowd[EARLY:], False
        await asyncio.gather(*(with_code(one, people[one.sheet]) for one in early))
        await asyncio.gather(*(one.open() for one in early))
        answering = [asyncio.create_task(one.answer_until(lambda: over, 0.05)) for one in early]
        before = hall.book.acknowledged
        await asyncio.gather(*(with_code(one, people[one.sheet]) for one in late))
        await asyncio.gather(*(one.open() for one in late))
        assert hall.book.acknowledged > before, "the storm kept the others from answering"
        over = True
        await asyncio.gather(*answering)
        client.leave(crowd)
        return crowd

    crowd = asyncio.run(asyncio.wait_for(storm(), LONGEST_SECONDS))
    hall.program.kill()
    assert {len(one.kinds) for one in crowd} == {40}
    assert sum(one.breaks for one in crowd) == 0
    found = compare(hall.hall.url, hall.book.file, hall.book.sent)
    assert found.well, found
    database = sa.create_engine(hall.hall.url)
    with database.connect() as connection:
        started, sheets = connection.execute(sa.text("SELECT count(started_at), count(DISTINCT enrolment_id) FROM sheets")).one()
        live = connection.execute(sa.text("SELECT count(*) FROM exam_pages WHERE state = 'LIVE'")).scalar_one()
    database.dispose()
    assert (started, sheets, live) == (CROWD, CROWD, CROWD)

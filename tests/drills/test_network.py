"""Connections that are slow, break in the middle, swallow answers or overtake one another change no stored answer."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest

from tests.drills import client
from tests.drills.faults import LONGEST_SECONDS, Scene, run, scene
from tests.drills.proxy import Proxy, Trouble
from tests.drills.room import Nursery
from tests.drills.shim import Shim
from tests.drills.verify import Findings, compare

CROWD = 12
TROUBLES = {
    "slow, one connection overtakes another": Trouble(delay=0.15),
    "cut in the middle of requests": Trouble(cut_request=0.2),
    "cut in the middle of answers": Trouble(cut_answer=0.2),
    "half open: answers never come": Trouble(swallow=0.05),
    "no connection": Trouble(refuse=0.5, cut_answer=0.1),
    "everything at once": Trouble(delay=0.05, cut_request=0.08, cut_answer=0.08, swallow=0.02, refuse=0.1),
}


@pytest.fixture(scope="module")
def hall(nursery: Nursery, shim: Shim) -> Iterator[Scene]:
    with scene(CROWD, nursery, shim) as found:
        yield found


KINDS = ("cut_request", "cut_answer", "swallow", "refuse")


def through(hall: Scene, trouble: Trouble) -> tuple[Findings, Proxy, list[client.Candidate]]:
    proxy = Proxy(hall.program.port)

    async def drill() -> tuple[Findings, list[client.Candidate]]:
        await proxy.open()

        async def break_it(scene: Scene) -> None:
            proxy.trouble = trouble
            wanted = [what for what in KINDS if getattr(trouble, what)]
            for _ in range(20):  # trouble is drawn: go on until each kind of it has happened
                await scene.acknowledged(5 * CROWD)
                if all(proxy.done[what] for what in wanted):
                    break
            proxy.trouble = Trouble()

        try:
            return await run(hall, break_it, address=lambda: ("127.0.0.1", proxy.port))
        finally:
            await proxy.close()

    found, crowd = asyncio.run(drill())
    return found, proxy, crowd


@pytest.mark.parametrize("name", TROUBLES)
def test_a_bad_network_loses_doubles_and_changes_nothing(hall: Scene, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setattr(client, "ANSWER_SECONDS", 1.0)
    found, proxy, crowd = through(hall, TROUBLES[name])
    assert found.well, found
    assert all(one.unsent == [] and one.refused == [] for one in crowd)
    for what in KINDS:
        assert bool(getattr(TROUBLES[name], what)) == bool(proxy.done[what]), f"{what} has to have happened, or it proves nothing"


def test_an_old_request_that_arrives_late_changes_nothing(hall: Scene) -> None:
    """A connection holds a request back; the candidate has meanwhile answered otherwise on another one."""
    async def drill() -> Findings:
        hall.program.start()
        await hall.program.ready()
        one = hall.hall.candidates(hall.program.port, hall.book)[0]
        await one.enter()
        first = one.choose()
        second = one.choose()
        second |= {"number": first["number"], "answer": "" if first["answer"] else "A"}
        late, one.unsent = list(one.unsent[:1]), one.unsent[:]
        await one.flush()
        for _ in range(2):
            reply = await one.ask("POST", f"/exam/sheets/{one.sheet}/events", {"events": late})
            assert reply.status == 200
            assert reply.json()["acknowledged"] == second["sequence"]
        forged = {**late[0], "answer": "B" if first["answer"] == "A" else "A"}
        reply = await one.ask("POST", f"/exam/sheets/{one.sheet}/events", {"events": [forged]})
        assert [refusal["code"] for refusal in reply.json()["refused"]] == ["taken"]
        client.leave([one])
        hall.program.kill()
        return await asyncio.to_thread(compare, hall.hall.url, hall.book.file, hall.book.sent)

    found = asyncio.run(asyncio.wait_for(drill(), LONGEST_SECONDS))
    assert found.well, found

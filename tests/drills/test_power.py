"""The power fails in the middle of the exam. A drill that a careless build passes would prove nothing: two have to fail it."""

from __future__ import annotations

import asyncio
from contextlib import closing

import pytest

from tests.drills.power import MISSING, careless, drill, prepared
from tests.drills.room import Nursery

pytestmark = pytest.mark.skipif(bool(MISSING), reason=MISSING)
CROWD = 12


def test_two_power_cuts_lose_no_acknowledged_answer(nursery: Nursery) -> None:
    cuts: list[dict[str, object]] = []
    with prepared(CROWD, nursery) as world:
        found = asyncio.run(asyncio.wait_for(drill(*world, cuts=2, saves=60, say=cuts.append), 180))
    assert found.well, found
    assert found.acknowledged >= 120
    assert len(cuts) == 2


@pytest.mark.parametrize("what", ["normal", "early"], ids=["synced at checkpoints only", "answered before the commit"])
def test_a_careless_build_is_found_out_by_the_same_drill(what: str) -> None:
    with closing(careless(what)) as nursery, prepared(CROWD, nursery) as world:
        found = asyncio.run(asyncio.wait_for(drill(*world, cuts=2, saves=60, say=lambda line: None), 180))
    assert found.missing, "this build loses acknowledged answers, and the drill did not see it"

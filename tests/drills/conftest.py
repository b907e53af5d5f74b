"""One nursery for all drills of a run, behind the shim where there is a C compiler."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

import pytest

from tests.drills.room import Nursery
from tests.drills.shim import MISSING, Shim


@pytest.fixture(scope="session")
def shim(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shim]:
    if MISSING:
        pytest.skip(MISSING)
    with closing(Shim(tmp_path_factory.mktemp("shim"))) as made:
        yield made


@pytest.fixture(scope="session")
def nursery(request: pytest.FixtureRequest) -> Iterator[Nursery]:
    environment = {} if MISSING else request.getfixturevalue("shim").environment
    with closing(Nursery(environment)) as made:
        yield made

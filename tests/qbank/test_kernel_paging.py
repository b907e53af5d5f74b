"""Keyset paging: every row once, whichever way one walks, whatever stands in the address."""

from __future__ import annotations

import base64
import json
import random

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from qbank.kernel.accounts import Institution
from qbank.kernel.paging import counted, keyset
from tests.conftest import People

ORDER = (Institution.region, Institution.kind, Institution.id)


@pytest.fixture
def schools(session: Session, people: People) -> list[int]:
    """37 schools in three regions, so that the first two columns repeat; their ids in the order of the list."""
    drawn = random.Random(5)
    made = [people.school(f"学校{n}", region=drawn.choice(["430100", "430200", "430300"])) for n in range(37)]
    return [one.id for one in sorted(made, key=lambda one: (one.region, one.kind.name, one.id))]


@pytest.mark.parametrize("descending", [False, True])
def test_walking_forth_and_back_meets_every_row_once(session: Session, schools: list[int], descending: bool) -> None:
    wanted = schools[::-1] if descending else schools
    asked: dict[str, str] = {}
    seen, pages = [], []
    while True:
        page = keyset(session, sa.select(Institution), ORDER, asked, descending=descending, size=10)
        pages.append(page)
        seen += page.found
        if not page.after:
            break
        asked = {"after": page.after}
    assert seen == wanted
    assert [len(page.found) for page in pages] == [10, 10, 10, 7]
    assert not pages[0].before
    back = keyset(session, sa.select(Institution), ORDER, {"before": pages[3].before}, descending=descending, size=10)
    assert back.found == pages[2].found
    assert back.before
    assert back.after
    first = keyset(session, sa.select(Institution), ORDER, {"before": pages[1].before}, descending=descending, size=10)
    assert (first.found, first.before) == (pages[0].found, "")


def test_rows_that_come_and_go_do_not_shift_the_next_page(session: Session, schools: list[int], people: People) -> None:
    page = keyset(session, sa.select(Institution), ORDER, {}, size=10)
    people.school("新学校", region="110000")  # before all others: with an offset the next page would repeat a row
    after = keyset(session, sa.select(Institution), ORDER, {"after": page.after}, size=10)
    assert after.found == schools[10:20]


@pytest.mark.parametrize("cursor", [
    "x", "%%%", "AAAA", base64.urlsafe_b64encode(b"[]").decode(), base64.urlsafe_b64encode(b'["430100"]').decode(),
    base64.urlsafe_b64encode(json.dumps(["430100", "no kind", 1]).encode()).decode(),
    base64.urlsafe_b64encode(json.dumps(["430100", None, 1]).encode()).decode(),
    base64.urlsafe_b64encode(json.dumps([{}, [], 2**80]).encode()).decode(),
    base64.urlsafe_b64encode(json.dumps(["\x00", "technician", 1]).encode()).decode(), "[" * 3000])
def test_an_unreadable_place_is_the_beginning(session: Session, schools: list[int], cursor: str) -> None:
    for way in ("after", "before"):
        assert keyset(session, sa.select(Institution), ORDER, {way: cursor}, size=10).found == schools[:10]


def test_behind_the_end_the_list_begins_again(session: Session, schools: list[int]) -> None:
    end = base64.urlsafe_b64encode(json.dumps(["999999", "technician", 1]).encode()).decode()
    assert keyset(session, sa.select(Institution), ORDER, {"after": end}, size=10).found == schools[:10]


def test_an_empty_list_has_an_empty_page(session: Session) -> None:
    page = keyset(session, sa.select(Institution).where(sa.false()), ORDER, {"after": "x"})
    assert (page.found, page.before, page.after) == ([], "", "")


def test_counting_stops_at_a_limit(session: Session, schools: list[int]) -> None:
    assert counted(session, sa.select(Institution)) == (37, False)
    assert counted(session, sa.select(Institution), most=20) == (20, True)

"""How often people without an account may do something: one count for all public pages."""

from __future__ import annotations

from datetime import timedelta

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from qbank.kernel import visits
from qbank.kernel.refused import Refused
from qbank.kernel.visits import Limit, PublicVisit
from tests.conftest import MONDAY

HOUR = timedelta(hours=1)
NO = Refused("too_many", "次数过多，请一小时后再试。")


def asked(session: Session, limits: list[Limit], *, kind: str = "proof", subject: str = "A", address: str = "10.0.0.1", found: bool = False,
          after: timedelta = timedelta(0)) -> None:
    visits.check(session, kind, subject, address, limits, NO, now=MONDAY + after)
    visits.note(session, kind, subject, address, found=found, now=MONDAY + after)


@pytest.mark.parametrize(("limit", "others"), [
    (Limit(2, HOUR, by_address=True), {"address": "10.0.0.2"}),
    (Limit(2, HOUR, by_subject=True), {"subject": "B"}),
    (Limit(2, HOUR, by_address=True, by_subject=True), {"subject": "B"}),
    (Limit(2, HOUR), {"kind": "receipt"}),
])
def test_the_third_act_is_refused_and_others_go_on(session: Session, limit: Limit, others: dict[str, str]) -> None:
    for _ in range(2):
        asked(session, [limit])
    with pytest.raises(Refused, match="一小时后再试") as refused:
        asked(session, [limit])
    assert refused.value is not NO  # anew: one exception must not collect the traces of all
    asked(session, [limit], **others)  # type: ignore[arg-type]
    asked(session, [limit], after=HOUR)


def test_where_only_misses_count_whoever_finds_is_never_shut_out(session: Session) -> None:
    limit = Limit(2, HOUR, by_address=True, misses=True)
    for _ in range(5):
        asked(session, [limit], found=True)
    for _ in range(2):
        asked(session, [limit])
    with pytest.raises(Refused):
        asked(session, [limit], found=True)


def test_visits_are_forgotten_after_a_week(session: Session) -> None:
    asked(session, [])
    visits.forget(session, MONDAY + visits.KEPT)
    assert session.scalar(sa.select(sa.func.count()).select_from(PublicVisit)) == 1
    visits.forget(session, MONDAY + visits.KEPT + timedelta(seconds=1))
    assert session.scalar(sa.select(sa.func.count()).select_from(PublicVisit)) == 0

"""A plan whose results are final: what certificates and the archive stand on, row by row."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from examroom.plans.models import Enrolment
from qbank.kernel.access import Role
from qbank.kernel.accounts import set_identity
from qbank.kernel.identity import IdentityCipher
from scoring.results.models import Result, ResultDecision, ResultList, ResultState
from tests.scoring.outcome_world import NOW, World

CIPHER = IdentityCipher(b"i" * 32)
DAY = 86_400


def identity_number(place: int, *, woman: bool = False) -> str:
    """A valid, fictional number: GB 11643 check digit over 430102 2006-01-01 and an order code."""
    body = f"43010220060101{place // 5 % 100:02d}{place % 5 * 2 + (0 if woman else 1)}"
    weights = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
    return body + "10X98765432"[sum(int(digit) * weight for digit, weight in zip(body, weights, strict=True)) % 11]


class FinalWorld(World):
    """The plan of ``World`` with final results: ``passed`` names pass with 80/85, ``failed`` ones with 59.5/70."""

    def __init__(self, session: Session, people: Any, passed: tuple[str, ...] = ("张晓明", "李芳"),
                 failed: tuple[str, ...] = ("王强",)) -> None:
        super().__init__(session, people)
        self.candidates = self.with_identity(self.enrol(*passed, *failed))
        self.results = self.finish(self.candidates, len(passed))

    def with_identity(self, enrolments: list[Enrolment], first: int = 0) -> list[Enrolment]:
        for place, enrolment in enumerate(enrolments, first):
            set_identity(enrolment.candidate, identity_number(place), CIPHER)
        self.session.flush()
        return enrolments

    def finish(self, enrolments: list[Enrolment], passed: int, *, state: ResultState = ResultState.FINAL,
               now: datetime = NOW) -> ResultList:
        """Results of ``enrolments``: the first ``passed`` pass."""
        found = ResultList(plan_id=enrolments[0].plan_id, state=state, rule_pack="{}", merged_at=now, noticed_at=now,
                           notice_ends_at=now)
        for place, enrolment in enumerate(enrolments):
            good = place < passed
            found.results.append(Result(enrolment_id=enrolment.id, theory=160 if good else 119, practical=170 if good else 140,
                                        passed=good, reasons=["理论知识 80.0 分，合格"] if good else ["理论知识 59.5 分，未达到 60 分"]))
        found.decisions = [ResultDecision(decided_by=self.officer.account_id, state=one, at=now)
                           for one in (ResultState.CITY_CHECKED, ResultState.FINAL)]
        self.session.add(found)
        self.session.flush()
        return found

    def stranger(self) -> Any:
        """An officer of another school."""
        return self.people("外校考务员", Role.EXAM_OFFICER, school=self.people.school("衡阳技工学校", region="430400"))

"""Two cities with a school each that has final results and certificates, and tokens of their platforms."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from flask import Flask
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from examroom.filing.models import FiledScope
from qbank.kernel.access import Role, Scope, Viewer
from scoring.api import tokens
from scoring.api.models import ApiToken, Reads
from scoring.certificates.models import Certificate
from scoring.results.models import ResultList
from tests.scoring.final_world import FinalWorld
from tests.scoring.outcome_world import NOW

EVERYTHING = [one.value for one in Reads]


@dataclass
class ApiWorld:
    session: Session
    people: Any
    final: FinalWorld
    tan: Viewer  # of the city centre of Changsha (4301)
    zeng: Viewer  # of the city centre of Hengyang (4304)
    other: ResultList  # of the school in Hengyang

    @classmethod
    def make(cls, session: Session, people: Any) -> ApiWorld:
        final = FinalWorld(session, people)
        tan = people("谭晓峰", scopes=[Scope(Role.CITY_OFFICER, region="4301")])
        zeng = people("曾国强", scopes=[Scope(Role.CITY_OFFICER, region="4304")])
        hengyang = people.school("衡阳技工学校", region="430400")
        plan = final.new_plan("HY-2026-001", school=hengyang)
        strangers = final.with_identity(final.enrol("贺兰", plan=plan), first=50)
        other = final.finish(strangers, 1)
        for scope in session.scalars(sa.select(FiledScope)):
            scope.valid_from, scope.valid_until = date(2026, 1, 1), date(2026, 12, 31)
        for number, result in enumerate([*final.results.results[:2], other.results[0]], 1):
            person = result.enrolment.candidate
            session.add(Certificate(
                result=result, number=f"J000043000001264{number:06d}", holder=person.name, identity_hash=person.identity_hash or "",
                identity_masked=person.identity_masked or "", occupation="电工", occupation_code="6-31-01-03", level=4,
                issuer=result.list.plan.institution.name, issued_on=date(2026, 5, 20 + number), issued_by=final.officer.account_id, pdf=b"%PDF-"))
        session.flush()
        return cls(session, people, final, tan, zeng, other)

    def token(self, who: Viewer | None = None, reads: list[str] | None = None, *, region: str = "4301", days: int = 30,
              now: datetime = NOW, institution_id: int | None = None) -> str:
        """A token's secret, committed."""
        _, secret = tokens.issue(self.session, "市监管平台", EVERYTHING if reads is None else reads, who or self.tan, region=region,
                                 institution_id=institution_id, days=days, now=now)
        self.session.commit()
        return secret

    def held(self) -> ApiToken:
        return self.session.query(ApiToken).order_by(ApiToken.id.desc()).first()  # type: ignore[return-value]  # there is one


def get(app: Flask, path: str, secret: str = "", **headers: str) -> TestResponse:
    """One request of a platform, read to its end."""
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    if secret:
        sent["Authorization"] = f"Bearer {secret}"
    return app.test_client().get(f"/api/v1{path}", headers=sent, buffered=True)


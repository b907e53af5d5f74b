"""The register of assessors: certificates, one that runs out soon, and who teaches whom."""

from __future__ import annotations

from datetime import timedelta

import sqlalchemy as sa

from qbank.kernel.accounts import Account
from qbank.kernel.times import local_date
from qbank.standards.models import Occupation
from scoring.practical import register
from scoring.practical.register_models import TieKind
from seed.stage import Stage

CERTIFICATES = (("assessor", "GKP430018001", True, 720), ("assessor2", "GKP430018002", True, 45), ("assessor3", "GKP430018003", True, 400),
                ("assessor4", "GKP430018004", True, 650))


def enter(stage: Stage) -> None:
    """All four are senior assessors of electricians, so that the technicians' plan has enough of them."""
    with stage.acting("officer", stage.days(-120)) as (session, who):
        occupation = session.scalars(sa.select(Occupation).where(Occupation.code == "6-31-01-03")).first()
        assert occupation is not None  # noqa: S101  # bank.write_standards has made it
        for login, number, senior, days in CERTIFICATES:
            account = session.get_one(Account, stage.account_id(session, login))
            assert account.institution is not None  # noqa: S101  # staff of the school
            register.add_assessor(session, account.institution, account, who, certificate_number=number, occupation=occupation,
                                  levels=(5, 4, 3, 2, 1), senior=senior, expires_on=local_date(stage.now) + timedelta(days=days))
        teacher = session.get_one(Account, stage.account_id(session, "assessor4"))
        assert teacher.institution is not None  # noqa: S101
        register.declare(session, teacher.institution, teacher, TieKind.TEACHER, who, class_name="电气2399班", note="班主任",
                         now=stage.days(-120))

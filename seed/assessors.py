"""The register of assessors: certificates, one that runs out soon, who teaches whom; and the chief's word after a spread."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from examroom.plans.tie_models import TieKind
from qbank.kernel.accounts import Account
from qbank.kernel.times import local_date
from qbank.standards.models import Occupation
from scoring.practical import desk as practical
from scoring.practical import register
from scoring.practical.mark_models import Discrepancy
from scoring.practical.models import GroupMember, PracticalGroup
from seed.stage import Stage

CERTIFICATES = (("assessor", "GKP430018001", True, 720), ("assessor2", "GKP430018002", True, 45), ("assessor3", "GKP430018003", True, 400),
                ("assessor4", "GKP430018004", True, 650))
CHIEF = "assessor4"


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


def settle(stage: Stage, group_id: int, at: datetime) -> None:
    """Where the assessors lie too far apart, the chief marks the candidate from what was filmed: row by row the middle of
    the marks there are."""
    with stage.database.open(None, reads_only=True) as session:
        members = list(session.scalars(sa.select(Discrepancy.member_id).join(Discrepancy.member).where(
            GroupMember.group_id == group_id, Discrepancy.decided_at.is_(None))))
    if not members:
        return
    with stage.acting("officer", at) as (session, who):
        practical.name_chief(session, session.get_one(PracticalGroup, group_id), stage.account_id(session, CHIEF), who)
    with stage.acting(CHIEF, at) as (session, who):
        for member in (session.get_one(GroupMember, key) for key in members):
            seen: dict[int, list[Any]] = {}
            for mark in (mark for sheet in member.sheets for mark in sheet.marks):
                seen.setdefault(mark.row_id, []).append(mark.entry)
            sheet = practical.mark_sheet_for(session, member, who)
            practical.enter_marks(session, sheet, {key: sorted(values)[len(values) // 2] for key, values in seen.items()}, who, now=at)
            practical.sign(session, sheet, who, now=at, reason="对照全程录像逐项复核，各考评员在装调操作一项掌握的尺度不一，取录像可证实的分值。")

"""The register of assessors: certificates entered, renewed and struck off; declared relations; who soon runs out."""

from __future__ import annotations

import re
from collections.abc import Collection
from datetime import date, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from examroom.filing.duties import require_duty
from examroom.plans.ties import candidate_of, declare, take_back
from qbank.kernel.access import Role, Viewer, visible
from qbank.kernel.accounts import Account, Grant, Institution
from qbank.kernel.refused import Refused
from qbank.standards.models import Occupation
from scoring.practical.register_models import Assessor

__all__ = ["add_assessor", "candidate_of", "declare", "expiring", "renew", "strike_off", "take_back"]
NUMBER = re.compile(r"[0-9A-Za-z\-（）()]{4,40}")


def add_assessor(session: Session, institution: Institution, account: Account, who: Viewer, *, certificate_number: str,
                 occupation: Occupation, levels: Collection[int], senior: bool, expires_on: date) -> Assessor:
    """Enter a certificate. One person holds one for an occupation; a renewed one replaces it (:func:`renew`)."""
    require_duty(session, who, institution.id, Role.EXAM_OFFICER)
    if not session.scalar(sa.select(Grant.id).where(Grant.account_id == account.id, Grant.role == Role.PRACTICAL_ASSESSOR).limit(1)):
        raise Refused("not_qualified", f"{account.name}的账号没有考评员角色，请先请系统管理员授予，再登记。")
    made = Assessor(institution=institution, account=account, occupation=occupation)
    _write(made, certificate_number, levels, senior, expires_on)
    _check_unique(session, made)
    session.add(made)
    session.flush()
    return made


def renew(session: Session, assessor: Assessor, who: Viewer, *, certificate_number: str, levels: Collection[int], senior: bool,
          expires_on: date) -> None:
    """What a new certificate says."""
    require_duty(session, who, assessor.institution_id, Role.EXAM_OFFICER)
    _write(assessor, certificate_number, levels, senior, expires_on)
    with session.no_autoflush:
        _check_unique(session, assessor)
    session.flush()


def strike_off(session: Session, assessor: Assessor, who: Viewer) -> None:
    """Take a certificate out of the register; the groups of the past keep their assessors."""
    require_duty(session, who, assessor.institution_id, Role.EXAM_OFFICER)
    session.delete(assessor)
    session.flush()


def _write(assessor: Assessor, number: str, levels: Collection[int], senior: bool, expires_on: date) -> None:
    if not NUMBER.fullmatch(number.strip()):
        raise Refused("certificate_number", f"考评员证编号应为 4 到 40 位的字母、数字或连字符，现在是“{number.strip()[:60]}”。")
    if not levels or not set(levels) <= {1, 2, 3, 4, 5}:
        raise Refused("no_levels", "请至少选择一个可考评的等级（五级到一级）。")
    if not senior and min(levels) <= 2:
        raise Refused("levels_of_senior", "考评员只能考评五级、四级、三级；二级、一级由高级考评员考评，请核对证书。")
    assessor.certificate_number, assessor.levels = number.strip(), sorted(set(levels), reverse=True)
    assessor.senior, assessor.expires_on = senior, expires_on


def _check_unique(session: Session, assessor: Assessor) -> None:
    """Say it before the database does."""
    with session.no_autoflush:
        others = session.scalars(sa.select(Assessor).where(
            Assessor.institution_id == assessor.institution.id, sa.or_(
                Assessor.certificate_number == assessor.certificate_number,
                sa.and_(Assessor.account_id == assessor.account.id, Assessor.occupation_id == assessor.occupation.id)))).all()
    for other in others:
        if other is assessor:
            continue
        if other.certificate_number == assessor.certificate_number:
            raise Refused("number_taken", f"证书编号 {assessor.certificate_number} 已登记给{other.account.name}，请核对。")
        raise Refused("held_already", f"{assessor.account.name}已登记了“{assessor.occupation.name}”的考评员证"
                                      f"（{other.certificate_number}），换证请修改原来的一条。")


def expiring(session: Session, viewer: Viewer, on: date, days: int) -> list[Assessor]:
    """The certificates that ``viewer`` sees and that have run out or run out within ``days``, the first first."""
    return list(session.scalars(visible(Assessor, viewer).where(Assessor.expires_on <= on + timedelta(days=days))
                                .order_by(Assessor.expires_on, Assessor.id)))

"""Fees (notice 五(五)): the published schedule, the register of every candidate, and whether anything is left over."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session, joinedload

from examroom.filing.duties import require_duty
from examroom.filing.scopes import NOTICE, require_scope
from examroom.plans import money
from examroom.plans.fee_models import FeeEntry, FeeKind, FeeSchedule
from examroom.plans.models import Enrolment, ExamPlan
from examroom.plans.staffing import require_officer
from qbank.kernel.access import Role, Viewer
from qbank.kernel.accounts import Account, Institution
from qbank.kernel.refused import Refused
from qbank.kernel.times import local, local_date, spoken
from qbank.standards.models import LEVEL_NAMES, Standard
from qbank.standards.packs import pack_for

CLAUSE = f"{NOTICE} 五(五)"


@dataclass(frozen=True)
class Amounts:
    """What each part costs a candidate, in fen."""

    theory: int
    practical: int
    review: int = 0


@dataclass(frozen=True)
class Standing:
    """How one person stands in one plan, in fen."""

    person: Account
    ticket_number: str  # empty: no longer enrolled
    class_name: str
    charged: int
    waived: int
    paid: int
    refunded: int

    @property
    def owed(self) -> int:
        """What he still has to pay; negative: what he is to get back."""
        return self.charged - self.waived - self.paid + self.refunded

    @property
    def held(self) -> int:
        return self.paid - self.refunded


# The schedule

def publish_fee(session: Session, institution: Institution, standard: Standard, level: int, amounts: Amounts, who: Viewer, *, basis: str,
                filed_with: str, filing_reference: str, valid_from: date, now: datetime) -> FeeSchedule:
    """Publish what is charged from a day on; the one before ends. Refuses without basis and filing reference."""
    require_duty(session, who, institution.id, Role.EXAM_OFFICER)
    require_scope(session, institution, standard, level, max(valid_from, local_date(now)))
    for text, what in ((basis, "参考的收费标准"), (filed_with, "备案部门"), (filing_reference, "备案文号")):
        if not 2 <= len(text.strip()) <= 200:
            raise Refused("no_filing", f"请填写{what}（2 至 200 字）。收费标准应参考同类鉴定考试收费标准并报有关部门备案（{CLAUSE}）。")
    if amounts.review and not pack_for(session, institution).reviews(level):
        raise Refused("no_review", f"{LEVEL_NAMES[level]}不需要综合评审，不能收取评审费。")
    before = current_fee(session, institution.id, standard.id, level)
    if before is not None:
        if valid_from <= before.valid_from:
            raise Refused("valid_from", f"现行标准自 {spoken(before.valid_from)} 起执行，新标准应晚于这一天。")
        before.ended_on = valid_from - timedelta(days=1)
    made = FeeSchedule(institution=institution, standard=standard, level=level, theory_fen=amounts.theory, practical_fen=amounts.practical,
                       review_fen=amounts.review, basis=basis.strip(), filed_with=filed_with.strip(), filing_reference=filing_reference.strip(),
                       valid_from=valid_from, published_by=who.account_id, published_at=now)
    session.add(made)
    session.flush()
    return made


def end_fee(session: Session, schedule: FeeSchedule, who: Viewer, *, last_day: date) -> None:
    """Stop charging after a day; what was published stays to be seen."""
    require_duty(session, who, schedule.institution_id, Role.EXAM_OFFICER)
    if schedule.ended_on is not None or last_day < schedule.valid_from:
        raise Refused("last_day", f"终止日期不能早于 {spoken(schedule.valid_from)}，已终止的不能再改。")
    schedule.ended_on = last_day


def current_fee(session: Session, institution_id: int, standard_id: int, level: int) -> FeeSchedule | None:
    """The newest one that has not been ended."""
    return session.scalars(sa.select(FeeSchedule).where(
        FeeSchedule.institution_id == institution_id, FeeSchedule.standard_id == standard_id, FeeSchedule.level == level,
        FeeSchedule.ended_on.is_(None)).order_by(FeeSchedule.valid_from.desc())).first()


def fee_on(session: Session, plan: ExamPlan, day: date) -> FeeSchedule | None:
    """What is published for the plan's standard and level on ``day``."""
    return session.scalars(sa.select(FeeSchedule).where(
        FeeSchedule.institution_id == plan.institution_id, FeeSchedule.standard_id == plan.standard_id, FeeSchedule.level == plan.level,
        FeeSchedule.valid_from <= day, sa.or_(FeeSchedule.ended_on.is_(None), FeeSchedule.ended_on >= day))
        .order_by(FeeSchedule.valid_from.desc())).first()


def published(session: Session, day: date) -> sa.Select[FeeSchedule]:
    """Every schedule that is or will be charged, for the public page."""
    return (sa.select(FeeSchedule).join(FeeSchedule.institution).join(FeeSchedule.standard)
            .where(sa.or_(FeeSchedule.ended_on.is_(None), FeeSchedule.ended_on >= day))
            .order_by(Institution.name, FeeSchedule.standard_id, FeeSchedule.level.desc(), FeeSchedule.valid_from))


# The register

def charge_all(session: Session, plan: ExamPlan, who: Viewer, *, now: datetime) -> int:
    """Enter what the published schedule asks of every candidate who has no charge yet; how many."""
    require_officer(session, plan, who)
    schedule = fee_on(session, plan, local_date(now))
    if schedule is None:
        raise Refused("no_schedule", f"{plan.standard.label} {LEVEL_NAMES[plan.level]}还没有已备案并公示的收费标准，不能收费（{CLAUSE}）。"
                                     "请先公布收费标准；不收费的不用登记。")
    charged = sa.select(FeeEntry.account_id).where(FeeEntry.plan_id == plan.id, FeeEntry.kind == FeeKind.CHARGE)
    waiting = session.scalars(sa.select(Enrolment.account_id).where(Enrolment.plan_id == plan.id, Enrolment.account_id.not_in(charged))).all()
    if not schedule.total_fen:
        raise Refused("free", "公示的收费标准为 0 元，不需要登记应缴。")
    session.add_all([FeeEntry(plan_id=plan.id, account_id=key, kind=FeeKind.CHARGE, fen=schedule.total_fen, schedule_id=schedule.id,
                              entered_by=who.account_id, at=now) for key in waiting])
    session.flush()
    return len(waiting)


def enter(session: Session, plan: ExamPlan, person: Account, kind: FeeKind, fen: int, who: Viewer, *, note: str = "", now: datetime) -> FeeEntry:
    """A payment or refund, which get a receipt number, or a waiver. Refuses more than is owed or was paid."""
    require_officer(session, plan, who)
    stands = standing_of(session, plan, person)
    if stands is None:
        raise Refused("no_charge", f"{person.name}在本方案没有应缴记录，请先登记应缴。")
    if fen <= 0:
        raise Refused("not_money", "金额应大于 0。")
    if kind in (FeeKind.PAYMENT, FeeKind.WAIVER) and fen > stands.owed:
        raise Refused("too_much", f"{person.name}还应缴 {money.yuan(max(0, stands.owed))} 元，不能{kind.chinese} {money.yuan(fen)} 元："
                                  f"不得超标准收费（{CLAUSE}）。")
    if kind is FeeKind.REFUND and fen > stands.held:
        raise Refused("too_much", f"{person.name}已缴 {money.yuan(stands.held)} 元，不能退款 {money.yuan(fen)} 元。")
    if kind is FeeKind.CHARGE:
        raise Refused("charge", "应缴由公示的收费标准统一登记，不能逐人填写。")
    if kind is not FeeKind.PAYMENT and len(note.strip()) < 2:
        raise Refused("no_reason", f"请写明{kind.chinese}的原因。")
    receipt = None if kind is FeeKind.WAIVER else _receipt(session, plan, kind, now)
    made = FeeEntry(plan_id=plan.id, account_id=person.id, kind=kind, fen=fen, receipt=receipt, note=note.strip()[:200],
                    entered_by=who.account_id, at=now)
    session.add(made)
    session.flush()
    return made


def register(session: Session, plan: ExamPlan) -> list[Standing]:
    """Everybody with an entry or on the list, by ticket number; who is no longer enrolled comes last."""
    sums: dict[int, dict[FeeKind, int]] = {}
    for key, kind, fen in session.execute(sa.select(FeeEntry.account_id, FeeEntry.kind, sa.func.sum(FeeEntry.fen))
                                          .where(FeeEntry.plan_id == plan.id).group_by(FeeEntry.account_id, FeeEntry.kind)):
        sums.setdefault(key, {})[kind] = int(fen)
    enrolled = {one.account_id: one for one in session.scalars(
        sa.select(Enrolment).where(Enrolment.plan_id == plan.id).options(joinedload(Enrolment.candidate)))}
    gone = session.scalars(sa.select(Account).where(Account.id.in_(sums.keys() - enrolled.keys()))).all()
    found = [_stands(one.candidate, one, sums.get(key, {})) for key, one in enrolled.items()]
    return sorted([*found, *(_stands(one, None, sums[one.id]) for one in gone)], key=lambda one: (not one.ticket_number, one.ticket_number))


def standing_of(session: Session, plan: ExamPlan, person: Account) -> Standing | None:
    """How one person stands; None when nothing is entered for him."""
    rows = session.execute(sa.select(FeeEntry.kind, sa.func.sum(FeeEntry.fen)).where(
        FeeEntry.plan_id == plan.id, FeeEntry.account_id == person.id).group_by(FeeEntry.kind)).all()
    if not rows:
        return None
    enrolment = session.scalar(sa.select(Enrolment).where(Enrolment.plan_id == plan.id, Enrolment.account_id == person.id))
    return _stands(person, enrolment, {kind: int(fen) for kind, fen in rows})


def require_paid_back(session: Session, enrolment: Enrolment) -> None:
    """Refuse to take a candidate off the list while the school holds money of his."""
    stands = standing_of(session, enrolment.plan, enrolment.candidate)
    if stands is not None and stands.held:
        raise Refused("paid", f"{stands.person.name}已缴费 {money.yuan(stands.held)} 元，请先在“缴费登记”中退款，再移出名单（{CLAUSE}）。")


def entries_of(session: Session, plan: ExamPlan) -> Sequence[FeeEntry]:
    """The ledger, the latest first."""
    return session.scalars(sa.select(FeeEntry).where(FeeEntry.plan_id == plan.id).order_by(FeeEntry.id.desc())
                           .options(joinedload(FeeEntry.person), joinedload(FeeEntry.clerk))).all()


def _stands(person: Account, enrolment: Enrolment | None, sums: dict[FeeKind, int]) -> Standing:
    return Standing(person, enrolment.ticket_number if enrolment else "", enrolment.class_name if enrolment else "",
                        *(sums.get(kind, 0) for kind in FeeKind))


def _receipt(session: Session, plan: ExamPlan, kind: FeeKind, now: datetime) -> str:
    """SJ (received) or TK (given back), year, institution, serial of the school in that year."""
    start = f"{'SJ' if kind is FeeKind.PAYMENT else 'TK'}{local(now).year}-{plan.institution_id:04d}-"
    newest = session.scalar(sa.select(sa.func.max(FeeEntry.receipt)).where(FeeEntry.receipt.startswith(start)))
    return f"{start}{int(newest.rsplit('-', 1)[1]) + 1 if newest else 1:06d}"

"""The candidates of a plan as the lists show them: searched, filtered and sorted by what stands in the address."""

from __future__ import annotations

from collections.abc import Mapping

import sqlalchemy as sa
from sqlalchemy.orm import joinedload, selectinload

from examroom.plans.condition_models import EntryCondition, Qualification
from examroom.plans.models import Enrolment, ExamPlan, Seat, SittingRoom
from examroom.plans.qualification_models import EntryProof
from qbank.kernel.access import Viewer, visible
from qbank.kernel.accounts import Account

SEARCHED = (Account.name, Enrolment.ticket_number, Enrolment.student_number, Enrolment.class_name)
SORTS = {"ticket": Enrolment.ticket_number, "name": Account.name, "student": Enrolment.student_number, "class": Enrolment.class_name,
         "state": Enrolment.qualification, "condition": EntryCondition.number}
FILTERS = ("q", "state", "seat", "photo", "proof", "sort", "down")
HAS_PROOF = sa.exists().where(EntryProof.enrolment_id == Enrolment.id, EntryProof.withdrawn_at.is_(None))


def searched(plan: ExamPlan, args: Mapping[str, str], viewer: Viewer) -> sa.Select[Enrolment]:
    """``q``, ``state``, ``seat=none``, ``photo=none``, ``proof=none``; ``sort`` with ``down=1`` for descending."""
    query = (visible(Enrolment, viewer).where(Enrolment.plan_id == plan.id)
             .join(Account, Account.id == Enrolment.account_id).outerjoin(EntryCondition, EntryCondition.id == Enrolment.condition_id))
    if text := args.get("q", "").strip():
        query = query.where(sa.or_(*(column.contains(text, autoescape=True) for column in SEARCHED)))
    if (state := args.get("state", "")) in set(Qualification):
        query = query.where(Enrolment.qualification == Qualification(state))
    if args.get("seat") == "none":
        query = query.where(~Enrolment.seats.any())
    if args.get("photo") == "none":
        query = query.where(Enrolment.photo_id.is_(None))
    if args.get("proof") == "none":
        query = query.where(~HAS_PROOF)
    column = SORTS.get(args.get("sort", ""), Enrolment.ticket_number)
    query = query.order_by(column.desc() if args.get("down") == "1" else column.asc(), Enrolment.ticket_number)
    return query.options(joinedload(Enrolment.candidate), joinedload(Enrolment.condition), selectinload(Enrolment.seats).joinedload(
        Seat.sitting_room).options(joinedload(SittingRoom.room), joinedload(SittingRoom.sitting)))


def kept(args: Mapping[str, str]) -> dict[str, str]:
    """The filters of an address, for links that show the same rows."""
    return {name: args[name] for name in FILTERS if args.get(name)}

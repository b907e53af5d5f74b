"""Sex and birth date of a candidate, whichever papers say who he is."""

from __future__ import annotations

from datetime import date

from examroom.plans.models import Enrolment
from qbank.kernel.identity import IdentityKind, birth_date, is_female


def born(enrolment: Enrolment, number: str) -> date | None:
    """``number``: the identity number in clear. A resident's card says it; other papers' dates are recorded."""
    return birth_date(number) if enrolment.candidate.identity_kind is IdentityKind.RESIDENT and number else enrolment.born


def sex(enrolment: Enrolment, number: str) -> str:
    if enrolment.candidate.identity_kind is IdentityKind.RESIDENT and number:
        return "女" if is_female(number) else "男"
    return str(enrolment.facts.get("sex", ""))

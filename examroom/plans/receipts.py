"""收费（退费）收据 as a PDF: half a sheet, with the schedule's filing reference."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from sqlalchemy.orm import Session

from examroom.plans import fees, money
from examroom.plans.fee_models import FeeEntry, FeeKind
from qbank.kernel.printing import typeset
from qbank.kernel.refused import Refused
from qbank.kernel.times import local_date, spoken
from qbank.standards.models import LEVEL_NAMES

TEMPLATE = Path(__file__).with_name("receipt.typ")
DIGITS = "零壹贰叁肆伍陆柒捌玖"
UNITS = ("", "拾", "佰", "仟")


def pdf(session: Session, entry: FeeEntry, *, now: datetime) -> bytes:
    """One payment or refund. Refuses a waiver: no money moved."""
    if entry.receipt is None:
        raise Refused("no_receipt", f"{entry.kind.chinese}没有收据：没有款项往来。")
    plan, schedule = entry.plan, fees.fee_on(session, entry.plan, local_date(entry.at))
    filed = f"{schedule.filed_with}备案 {schedule.filing_reference}" if schedule else ""
    return typeset(TEMPLATE.read_text(encoding="utf-8"), {
        "title": "收费收据" if entry.kind is FeeKind.PAYMENT else "退费收据", "number": entry.receipt, "school": plan.institution.name,
        "person": entry.person.name, "plan": f"{plan.title}（{plan.number}）", "what": f"{plan.standard.occupation.name} {LEVEL_NAMES[plan.level]} 认定费",
        "amount": money.yuan(entry.fen), "words": in_words(entry.fen), "note": entry.note, "filed": filed, "at": spoken(entry.at),
        "clerk": entry.clerk.name, "printed": spoken(now)}, made_at=now)


def in_words(fen: int) -> str:
    """The amount as receipts write it: ``12050`` → ``壹佰贰拾元伍角``."""
    yuan, jiao, cent = fen // 100, fen // 10 % 10, fen % 10
    told = (_integer(yuan) + "元" if yuan else "") + (DIGITS[jiao] + "角" if jiao else "零" if yuan and cent else "")
    return told + (DIGITS[cent] + "分" if cent else "" if jiao else "整")


def _integer(number: int) -> str:
    high, low = divmod(number, 10_000)
    told = (_thousands(high) + "万" if high else "") + ("零" if high and low and low < 1000 else "") + _thousands(low)
    return told or "零"


def _thousands(number: int) -> str:
    told, gap = "", False
    for place in (3, 2, 1, 0):
        digit = number // 10**place % 10
        told += ("零" if gap and told and digit else "") + (DIGITS[digit] + UNITS[place] if digit else "")
        gap = not digit
    return told

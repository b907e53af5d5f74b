"""Rechecks (成绩复核): asked for by the candidate within the working days of the rule pack; one officer looks, another decides."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, time, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session, joinedload

from examroom.plans.calendar import working_day_after
from examroom.plans.calendars import tables
from examroom.plans.models import Enrolment
from qbank.kernel.access import Role, Viewer
from qbank.kernel.refused import Refused
from qbank.kernel.times import SHANGHAI, local_date, spoken
from scoring.practical.duties import require
from scoring.results.case_models import Recheck, RecheckOutcome
from scoring.results.figures import score_of
from scoring.results.merge import required_parts
from scoring.results.models import Result, ResultList
from scoring.results.packs_used import pack_of

LONGEST = 1000


def last_day_to_ask(session: Session, result_list: ResultList) -> date | None:
    """The last day on which a candidate may ask: working days counted from the day after posting. None: not posted."""
    if result_list.noticed_at is None:
        return None
    days = pack_of(result_list).recheck_apply_working_days
    return working_day_after(local_date(result_list.noticed_at), days, tables(session))


def known_last_day(session: Session, result_list: ResultList) -> date | None:
    """As :func:`last_day_to_ask`, for pages: None too while nobody has entered the working days of the year."""
    try:
        return last_day_to_ask(session, result_list)
    except Refused:
        return None


def require_calendar(session: Session, result_list: ResultList, *, now: datetime) -> None:
    """Refuse to post while the last days of rechecks cannot be named, for want of a year's working days."""
    pack = pack_of(result_list)
    working_day_after(local_date(now), pack.recheck_apply_working_days + pack.recheck_finish_working_days, tables(session))


def end_of(day: date) -> datetime:
    """The first moment after ``day`` in China."""
    return datetime.combine(day + timedelta(days=1), time(), SHANGHAI)


def ask(session: Session, result: Result, part: str, reason: str, who: Viewer, *, now: datetime) -> Recheck:
    """The candidate asks for one part to be looked at again. Refuses outside the days and a second time."""
    if result.enrolment.account_id != who.account_id:
        raise Refused("not_your_duty", "只能申请复核自己的成绩。")
    last = last_day_to_ask(session, result.list)
    if last is None:
        raise Refused("not_posted", "成绩还没有公示，公示之日起可以申请复核。")
    if now >= end_of(last):
        raise Refused("too_late", f"成绩复核申请已于 {spoken(last)} 截止，不再受理。如有其他问题请联系学校：{result.list.plan.contact}。")
    pack = pack_of(result.list)
    if part not in required_parts(result.list.plan.level, pack):
        raise Refused("no_such_part", "请选择要复核的部分。")
    if not 4 <= len(reason.strip()) <= LONGEST:
        raise Refused("no_reason", f"请写明申请复核的理由（4 至 {LONGEST} 字）。")
    if session.scalar(sa.select(Recheck.id).where(Recheck.result_id == result.id, Recheck.part == part)):
        raise Refused("already", f"{part}已经申请过复核，每个部分只能申请一次。")
    due = working_day_after(local_date(now), pack.recheck_finish_working_days, tables(session))
    made = Recheck(result=result, part=part, reason=reason.strip(), before=score_of(result, part), asked_at=now, due_on=due)
    session.add(made)
    session.flush()
    return made


def look(session: Session, recheck: Recheck, found: str, who: Viewer, *, now: datetime) -> None:
    """One officer writes down what was found: sheets compared, sums redone."""
    require(session, recheck.result.list.plan, who, Role.EXAM_OFFICER)
    if not recheck.is_open:
        raise Refused("decided", f"这项复核已经办结：{recheck.told}。")
    if not 4 <= len(found.strip()) <= LONGEST:
        raise Refused("no_finding", f"请写明核查经过和结果（4 至 {LONGEST} 字）。")
    recheck.found, recheck.looked_by = found.strip(), who.account_id
    session.flush()


def decide(session: Session, recheck: Recheck, outcome: RecheckOutcome, answer: str, who: Viewer, *, now: datetime) -> None:
    """Another officer decides. A score that proves wrong is corrected where it was given, then merged and posted again."""
    require(session, recheck.result.list.plan, who, Role.EXAM_OFFICER)
    if not recheck.is_open:
        raise Refused("decided", f"这项复核已经办结：{recheck.told}。")
    if recheck.looked_by is None and outcome is not RecheckOutcome.DECLINED:
        raise Refused("not_looked", "请先由一名考务员核查并写明结果，再由另一名考务员决定。")
    if recheck.looked_by == who.account_id:
        raise Refused("same_person", "复核须由另一名考务员决定，不能决定自己核查的。")
    if not 4 <= len(answer.strip()) <= LONGEST:
        raise Refused("no_answer", f"请写明给考生的答复（4 至 {LONGEST} 字）。")
    recheck.outcome, recheck.answer = outcome, answer.strip()
    recheck.decided_by, recheck.decided_at = who.account_id, now
    session.flush()


def waiting(session: Session, result_list: ResultList) -> list[Recheck]:
    """What keeps a list from going on: open requests, and corrections that no merge has taken up since."""
    return [one for one in of_list(session, result_list)
            if one.is_open or (one.outcome is RecheckOutcome.CORRECTED and one.decided_at is not None
                               and one.decided_at > result_list.merged_at)]


def require_settled(session: Session, result_list: ResultList) -> None:
    """Refuse to go on while a recheck waits."""
    if held := waiting(session, result_list):
        raise Refused("rechecks_open", f"还有 {len(held)} 项成绩复核没有办结，或认定有误后还没有更正并重新合成，不能继续报送。",
                      [f"{one.result.enrolment.candidate.name} {one.part}：{one.told}" for one in held])


def of_list(session: Session, result_list: ResultList) -> Sequence[Recheck]:
    """Every recheck of a list, oldest first."""
    return session.scalars(sa.select(Recheck).join(Recheck.result).where(Result.list_id == result_list.id).options(
        joinedload(Recheck.result).joinedload(Result.enrolment).joinedload(Enrolment.candidate)).order_by(Recheck.id)).all()

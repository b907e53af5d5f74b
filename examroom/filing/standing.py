"""How a filing stands: what runs out, and whether a school has examined at all (notice 三(三), 五(六))."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import UTC, date, datetime, time, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session, aliased

from examroom.filing.models import FiledScope
from examroom.filing.scopes import NOTICE
from qbank.kernel.access import Role, Viewer
from qbank.kernel.accounts import Institution
from qbank.kernel.refused import Refused
from qbank.kernel.times import SHANGHAI, UtcDateTime, local_date, spoken

# Plans lie on a floor above this one: only these columns are known here, as the kernel knows only regions of institutions.
PLANS = sa.table("exam_plans", sa.column("id", sa.Integer), sa.column("institution_id", sa.Integer))
SITTINGS = sa.table("sittings", sa.column("plan_id", sa.Integer), sa.column("state", sa.String), sa.column("starts_at", UtcDateTime()))
GROUPS = sa.table("practical_groups", sa.column("plan_id", sa.Integer), sa.column("starts_at", UtcDateTime()))
ENROLMENTS = sa.table("enrolments", sa.column("id", sa.Integer), sa.column("plan_id", sa.Integer))
RESULTS = sa.table("results", sa.column("id", sa.Integer), sa.column("enrolment_id", sa.Integer))
CERTIFICATES = sa.table("certificates", sa.column("id", sa.Integer), sa.column("result_id", sa.Integer))


def a_year_after(day: date) -> date:
    """The same day of the next year; the 28th where there is no 29th of February."""
    return day.replace(year=day.year + 1, day=28) if (day.month, day.day) == (2, 29) else day.replace(year=day.year + 1)


def last_examined(session: Session, schools: Collection[int], *, today: date) -> dict[int, date]:
    """The last day on which each school held a theory sitting or a practical group; one that never did is missing."""
    end = datetime.combine(today + timedelta(days=1), time(), SHANGHAI).astimezone(UTC)
    days: dict[int, date] = {}
    for held, more in ((SITTINGS, [SITTINGS.c.state != "PLANNED"]), (GROUPS, [])):
        for school, latest in session.execute(sa.select(PLANS.c.institution_id, sa.func.max(held.c.starts_at)).join(held, PLANS.c.id == held.c.plan_id).where(
                PLANS.c.institution_id.in_(schools), held.c.starts_at < end, *more).group_by(PLANS.c.institution_id)):
            days[school] = max(local_date(latest), days.get(school, date.min))
    return days


def filed_since(session: Session, schools: Collection[int], *, today: date) -> dict[int, date]:
    """The first day of the unbroken time in which each school has been filed for anything; one not filed today is missing."""
    periods = session.execute(sa.select(FiledScope.institution_id, FiledScope.valid_from, FiledScope.valid_until).where(
        FiledScope.institution_id.in_(schools), FiledScope.valid_from <= today).order_by(FiledScope.valid_until.desc()))
    since: dict[int, date] = {}
    for school, begins, ends in periods:
        if ends >= (since[school] - timedelta(days=1) if school in since else today):
            since[school] = min(since.get(school, begins), begins)
    return since


def lapses_on(session: Session, schools: Collection[int], *, today: date) -> dict[int, date]:
    """The day from which a year without a sitting counts as each school's own withdrawal (五(六)); one that is filed for nothing is missing."""
    held = last_examined(session, schools, today=today)
    return {school: a_year_after(max(since, held.get(school, since))) for school, since in filed_since(session, schools, today=today).items()}


def require_active(session: Session, institution: Institution, *, today: date) -> None:
    """Refuse a school that counts as having withdrawn, also before the province has recorded it."""
    lapse = lapses_on(session, [institution.id], today=today).get(institution.id)
    if lapse is not None and lapse <= today:
        raise Refused("lapsed", f"{institution.name}连续一年没有开展认定，自 {spoken(lapse)}起视同自行退出（{NOTICE} 五(六)），不能报送认定计划。"
                                "如需继续开展，请向市鉴定中心重新申请备案。")


def filed_schools(session: Session, viewer: Viewer, *roles: Role, today: date) -> list[Institution]:
    """Schools in reach of ``roles`` that are filed for something today."""
    valid = sa.exists().where(FiledScope.institution_id == Institution.id, FiledScope.valid_from <= today, FiledScope.valid_until >= today)
    return list(session.scalars(sa.select(Institution).where(viewer.reach(Institution.id, *roles), valid).order_by(Institution.name)))


def valid_scopes(session: Session, institution_id: int, *, today: date) -> list[FiledScope]:
    """What the school is filed for today or from a later day on."""
    return list(session.scalars(sa.select(FiledScope).where(FiledScope.institution_id == institution_id, FiledScope.valid_until >= today)
                                .order_by(FiledScope.id)))


def expiring(session: Session, viewer: Viewer, days: int, today: date, *roles: Role) -> Sequence[FiledScope]:
    """Scopes in reach that end within ``days`` and are not followed by another."""
    after = aliased(FiledScope)
    followed = sa.exists().where(after.institution_id == FiledScope.institution_id, after.standard_id == FiledScope.standard_id,
                                 after.level == FiledScope.level, after.valid_from > FiledScope.valid_until)
    return session.scalars(sa.select(FiledScope).where(
        viewer.reach(FiledScope.institution_id, *roles), FiledScope.valid_until >= today,
        FiledScope.valid_until <= today + timedelta(days=days), ~followed).order_by(FiledScope.valid_until, FiledScope.id)).all()


def figures(session: Session, institution_id: int, starts_on: date, ends_on: date) -> dict[str, int]:
    """What a school did in a period: sittings, candidates enrolled, certificates made."""
    begin = datetime.combine(starts_on, time(), SHANGHAI).astimezone(UTC)
    end = datetime.combine(ends_on + timedelta(days=1), time(), SHANGHAI).astimezone(UTC)
    held = sa.select(SITTINGS.c.plan_id).join(PLANS, PLANS.c.id == SITTINGS.c.plan_id).where(
        PLANS.c.institution_id == institution_id, SITTINGS.c.state != "PLANNED", SITTINGS.c.starts_at >= begin, SITTINGS.c.starts_at < end)
    plans = held.distinct()
    enrolled = sa.select(ENROLMENTS.c.id).where(ENROLMENTS.c.plan_id.in_(plans))

    def count(query: sa.Select[tuple[int]]) -> int:
        return session.scalar(sa.select(sa.func.count()).select_from(query.subquery())) or 0

    return {"认定批次": count(plans), "理论考试场次": count(held), "报名人次": count(enrolled),
            "颁发证书": count(sa.select(CERTIFICATES.c.id).join(RESULTS, RESULTS.c.id == CERTIFICATES.c.result_id).where(
                RESULTS.c.enrolment_id.in_(enrolled)))}

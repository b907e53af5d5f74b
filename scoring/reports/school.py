"""Pass rates of a school by occupation and level, over all plans that were posted within a time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

import sqlalchemy as sa
from sqlalchemy.orm import Session, joinedload

from examroom.plans.models import ExamPlan
from qbank.kernel.access import Viewer, visible
from qbank.kernel.accounts import Institution
from qbank.standards.models import LEVEL_NAMES
from scoring.reports.cohort import outcomes_of
from scoring.reports.rates import Line, Rate, of_part, overall
from scoring.results.merge import least_of, required_parts
from scoring.results.models import ResultList
from scoring.results.packs_used import pack_of


@dataclass(frozen=True)
class Wish:
    """One school (0: all that the viewer sees) and one year (0: all years)."""

    school: int = 0
    year: int = 0

    @classmethod
    def read(cls, arguments: Mapping[str, str]) -> Wish:
        """Anything unreadable is no filter."""
        school, year = (int(text) if (text := arguments.get(name, "")).isdecimal() and len(text) < 9 else 0 for name in ("school", "year"))
        return cls(school, year if 2000 <= year <= 2999 else 0)


def posted(session: Session, wish: Wish, viewer: Viewer) -> list[ResultList]:
    """The lists that were posted: a draft is nobody's pass rate yet."""
    query = visible(ResultList, viewer).join(ResultList.plan).where(ResultList.noticed_at.is_not(None)).options(
        sa.orm.contains_eager(ResultList.plan).options(joinedload(ExamPlan.institution), joinedload(ExamPlan.standard))).order_by(ExamPlan.starts_on)
    if wish.school:
        query = query.where(ExamPlan.institution_id == wish.school)
    if wish.year:
        query = query.where(ExamPlan.starts_on.between(date(wish.year, 1, 1), date(wish.year, 12, 31)))
    return list(session.scalars(query))


def schools(session: Session, viewer: Viewer) -> list[Institution]:
    """The schools whose plans ``viewer`` sees."""
    return list(session.scalars(sa.select(Institution).where(Institution.id.in_(
        visible(ExamPlan, viewer).with_only_columns(ExamPlan.institution_id))).order_by(Institution.name)))


def years(session: Session, viewer: Viewer) -> list[int]:
    days = session.execute(visible(ExamPlan, viewer).with_only_columns(sa.func.min(ExamPlan.starts_on), sa.func.max(ExamPlan.starts_on))).one()
    return list(range(days[1].year, days[0].year - 1, -1)) if days[0] else []


def by_occupation(session: Session, wish: Wish, viewer: Viewer) -> list[tuple[Rate, list[Rate]]]:
    """Occupation and level → its rate and those of its parts, in the order of the names."""
    lines: dict[tuple[str, int], list[Line]] = {}
    least: dict[tuple[str, int], tuple[tuple[str, ...], Mapping[str, int]]] = {}
    lists = posted(session, wish, viewer)
    outcomes = outcomes_of(session, lists)
    for found in lists:
        key, pack = (found.plan.standard.label, found.plan.level), pack_of(found)
        lines.setdefault(key, []).extend(outcomes[found.id])
        parts = required_parts(found.plan.level, pack)
        least[key] = parts, {part: least_of(part, pack) for part in parts}
    return [(overall(lines[key], f"{key[0]} {LEVEL_NAMES[key[1]]}"),
             [of_part(lines[key], part, least[key][1][part]) for part in least[key][0]]) for key in sorted(lines)]

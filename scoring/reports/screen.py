"""The plots of one plan on screen: each with a sentence and the table behind it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from examroom.plans.models import ExamPlan
from qbank.kernel.access import Viewer
from qbank.kernel.refused import Refused
from qbank.statistics.reports_print import Section, spoken_rows
from scoring.practical import rating
from scoring.practical.duties import may_act
from scoring.practical.models import PracticalGroup
from scoring.reports import plots
from scoring.reports.analyses import CROSSED, crossed_plot, rates_document, scores_document
from scoring.reports.assessors import severity_section
from scoring.reports.catalogue import SCHOOL
from scoring.reports.cohort import Cohort, cohort_of
from scoring.reports.head import practical_areas
from scoring.reports.items import areas_of, areas_plot, pages_of
from scoring.results.models import ResultList

MOST_GROUPS = 12  # whose assessors are drawn on screen


@dataclass(frozen=True)
class Picture:
    """``name`` in the address; ``columns`` and ``rows`` the numbers that are drawn; ``draw`` makes it."""

    name: str
    title: str
    sentence: str
    columns: Sequence[str]
    rows: Sequence[Sequence[Any]]
    draw: Callable[[], bytes] = field(repr=False)


def pictures(session: Session, found: ResultList, plan: ExamPlan, viewer: Viewer, *, now: datetime) -> list[Picture]:
    """What ``viewer`` may see; a picture without anything to draw is left out."""
    cohort = cohort_of(session, found)
    return [*_of_scores(cohort), *_of_school(session, plan, viewer, "", now)] if cohort.lines else []


def draw(session: Session, found: ResultList, plan: ExamPlan, viewer: Viewer, name: str, *, now: datetime) -> bytes | None:
    """One of :func:`pictures`; None where there is no such one. Only what it stands on is read."""
    of_school = name.startswith(("areas", "skills", "assessors"))
    made = _of_school(session, plan, viewer, name, now) if of_school else _of_scores(cohort_of(session, found))
    return next((one.draw() for one in made if one.name == name), None)


def _of_school(session: Session, plan: ExamPlan, viewer: Viewer, name: str, now: datetime) -> list[Picture]:
    """What only the school sees; ``name``: of which one, empty for all."""
    if not may_act(session, plan, viewer, *SCHOOL):
        return []
    areas = [] if name == "assessors" else _of_areas(session, plan, viewer, now)
    return areas if name and name != "assessors" else [*areas, *_of_assessors(session, plan, viewer)]


def _of_scores(cohort: Cohort) -> list[Picture]:
    whole, groups, _ = rates_document(cohort).sections
    first, *spreads, _ = scores_document(cohort).sections
    made = [_picture("parts", "总体与各部分的合格率", whole)]
    if len(groups.rows) > 1:
        made.append(_picture("classes", "各班级的合格率", groups))
    made += [_picture(f"scores-{place}", one.title, one) for place, one in enumerate(spreads, 1)]
    made.append(Picture("crossed", f"{cohort.parts[0]}与{cohort.parts[1]}", CROSSED, [title for title, _ in first.columns], spoken_rows(first),
                        lambda: crossed_plot(cohort)))
    return made


def _of_areas(session: Session, plan: ExamPlan, viewer: Viewer, now: datetime) -> list[Picture]:
    made = []
    try:
        pages = [page for page in pages_of(session, plan, viewer, now=now) if page.report.n >= page.minimum]
    except Refused:  # a later sitting waits for the paper: nothing of it is shown
        pages = []
    for place, page in enumerate(pages, 1):
        areas = areas_of(session, page)
        made.append(Picture(f"areas-{place}", f"理论知识：各鉴定范围（{page.report.sitting.name}）", "最上面的是失分最多的鉴定范围；橙色的不到 60%。",
                            ["鉴定范围", "题数", "平均答对率"], [[name, items, f"{share:.1%}"] for name, items, share in areas],
                            lambda areas=areas: areas_plot(areas)))  # type: ignore[misc]  # a default binds the loop's value
    if done := practical_areas(session, plan, viewer):
        made.append(Picture("skills", "操作技能：各职业功能", "最上面的是失分最多的职业功能；橙色的不到 60%。", ["职业功能", "平均得分率"],
                            [[name, f"{share:.1%}"] for name, share in done], lambda: plots.earned(tuple(done[:16]), "各职业功能的平均得分率")))
    return made


def _of_assessors(session: Session, plan: ExamPlan, viewer: Viewer) -> list[Picture]:
    many = session.scalar(sa.select(sa.func.count()).where(PracticalGroup.plan_id == plan.id)) or 0
    groups = rating.groups_of(session, plan, viewer) if many <= MOST_GROUPS else []  # of more there is the report, made in a job
    return [_picture("assessors", "考评员宽严", severity_section(groups))] if groups else []


def _picture(name: str, title: str, section: Section) -> Picture:
    return Picture(name, title, " ".join(section.sentences), [title for title, _ in section.columns], spoken_rows(section), lambda: section.pictures[0])

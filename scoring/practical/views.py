"""Doors: practical examination (操作技能考核) for officers: rubrics and groups. Marking: :mod:`.marking_views`."""

from __future__ import annotations

from typing import Any

from flask import render_template

from examroom.plans.models import ExamPlan
from qbank.kernel.access import Role, visible
from qbank.kernel.web import db, paged, viewer
from scoring.practical import (  # noqa: F401  # the doors of the other view modules hang on the blueprint
    announced,
    bank_views,
    draw_views,
    group_views,
    marking_views,
    overview,
    rater_views,
    register_views,
    rubric_views,
    task_views,
)
from scoring.practical.blueprint import blueprint


@blueprint.get("/")
def index() -> Any:
    """The groups of an assessor; for the offices the plans with their groups."""
    person = viewer()
    query = visible(ExamPlan, person).order_by(ExamPlan.starts_on.desc(), ExamPlan.id.desc())
    plans, total, page, pages = paged(db(), query, size=20)
    return render_template("practical/index.html", own=overview.own_groups(db(), person), total=total, page=page, pages=pages,
                           plans=[overview.plan_line(db(), plan) for plan in plans],
                           is_officer=person.has(Role.EXAM_OFFICER), is_assessor=person.has(Role.PRACTICAL_ASSESSOR))

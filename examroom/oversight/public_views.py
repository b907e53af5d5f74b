"""Doors for anybody: draws and results of inspections (一公开)."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from flask import render_template
from sqlalchemy.orm import selectinload
from werkzeug.exceptions import NotFound

from examroom.oversight import draws
from examroom.oversight.blueprint import blueprint
from examroom.oversight.draw_models import InspectionDraw
from examroom.oversight.draw_views import record_file
from examroom.oversight.drawing import Pool
from examroom.oversight.inspection_models import Inspection
from examroom.oversight.kinds import FindingState, Severity
from qbank.kernel.web import db, paged


@blueprint.get("/public")
def public_results() -> Any:
    """Draws that were made public, the newest first."""
    query = sa.select(InspectionDraw).where(InspectionDraw.published_at.is_not(None)).order_by(InspectionDraw.published_at.desc())
    rows, total, page, pages = paged(db(), query, size=20)
    return render_template("oversight/public_results.html", rows=rows, total=total, page=page, pages=pages)


@blueprint.get("/public/<number>")
def public_draw(number: str) -> Any:
    """One draw, drawn again, with the results that were handed over."""
    found = _published(number)
    sent = db().scalars(sa.select(Inspection).where(Inspection.draw_id == found.id).options(selectinload(Inspection.findings)).order_by(Inspection.place)).all()
    return render_template("oversight/public_draw.html", draw=found, pool=Pool.from_json(found.pool), sent=sent, wrong=draws.check(db(), found),
                           severities=Severity, counted=_counted)


@blueprint.get("/public/<number>/record.json")
def public_record(number: str) -> Any:
    return record_file(_published(number))


def _published(number: str) -> InspectionDraw:
    found = db().scalars(sa.select(InspectionDraw).where(InspectionDraw.number == number, InspectionDraw.published_at.is_not(None))).one_or_none()
    if found is None:
        raise NotFound
    return found


def _counted(inspection: Inspection, severity: Severity) -> tuple[int, int]:
    """Findings of a severity, and how many of them are closed."""
    held = [one for one in inspection.findings if one.severity is severity and one.state is not FindingState.WITHDRAWN]
    return len(held), sum(one.state is FindingState.CLOSED for one in held)

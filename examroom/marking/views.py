"""Doors: Theory scores (评分)."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from flask import flash, redirect, render_template, request, url_for
from sqlalchemy.orm import joinedload

from examroom.delivery.models import HandIn, Sheet, SheetState
from examroom.marking import (  # noqa: F401  # doors register
    case_views,
    cases,
    chain_views,
    desk,
    file_views,
    report_views,
    scores,
    written,
    written_views,
)
from examroom.marking.blueprint import blueprint
from examroom.marking.case_models import ScoreChange
from examroom.marking.models import TheoryScore
from examroom.plans.models import Sitting, SittingState
from qbank.kernel.access import fetch, visible
from qbank.kernel.web import db, now, paged, viewer
from qbank.standards.rulepack import PASS_HALF_POINTS

PAGE = 50


@blueprint.get("/")
def index() -> Any:
    rows, total, page, pages = paged(db(), visible(Sitting, viewer()).where(Sitting.state != SittingState.PLANNED).options(joinedload(Sitting.plan))
                                     .order_by(Sitting.starts_at.desc(), Sitting.id.desc()))
    keys = [row.id for row in rows]
    handed_in = dict(db().execute(
        sa.select(Sheet.sitting_id, sa.func.count()).where(Sheet.sitting_id.in_(keys), Sheet.state == SheetState.HANDED_IN)
        .group_by(Sheet.sitting_id)).all())
    shut, asking = desk.shut_of(db(), rows, now=now()), written.asking(db(), keys)
    held = {row.id: written.pending(db(), row) if row.state is not SittingState.MARKED else [] for row in rows if row.id in asking}
    return render_template("marking/index.html", rows=rows, handed_in=handed_in, shut=shut, written=held, now=now(), total=total, page=page, pages=pages)


@blueprint.get("/sittings/<int:sitting_id>")
def sitting(sitting_id: int) -> Any:
    found = fetch(db(), Sitting, sitting_id, viewer())
    desk.require_released(db(), found, now=now())
    order, search = request.args.get("sort", "ticket"), request.args.get("q", "").strip()
    query = scores.listing(found, search, order, request.args.get("down") == "1")
    total = db().scalar(sa.select(sa.func.count()).select_from(query.order_by(None).subquery())) or 0
    pages = max(1, -(-total // PAGE))
    page = min(max(request.args.get("page", 1, type=int), 1), pages)
    bands = scores.distribution(db(), found)
    return render_template("marking/sitting.html", sitting=found, rows=db().execute(query.limit(PAGE).offset((page - 1) * PAGE)).all(),
                           total=total, page=page, pages=pages, bands=bands, bar=PASS_HALF_POINTS, q=search, sort=order,
                           counts=_counts(found), scored=sum(band.count for band in bands), alarm=report_views.alarm(found),
                           cases=cases.open_cases(db(), found), written=bool(written.questions_of(db(), found)))


@blueprint.get("/sheets/<int:sheet_id>")
def sheet(sheet_id: int) -> Any:
    score = fetch(db(), TheoryScore, sheet_id, viewer(), by=TheoryScore.sheet_id)
    desk.require_released(db(), score.sheet.sitting, now=now())
    changes = db().scalars(sa.select(ScoreChange).where(ScoreChange.sheet_id == sheet_id).order_by(ScoreChange.id)).all()
    return render_template("marking/sheet.html", score=score, sheet=score.sheet, bar=PASS_HALF_POINTS, changes=changes,
                           items=scores.marked_items(db(), score))


@blueprint.post("/sittings/<int:sitting_id>/finish")
def finish(sitting_id: int) -> Any:
    """What the sweep does by itself every few seconds, for an officer who does not want to wait."""
    found = fetch(db(), Sitting, sitting_id, viewer())
    if desk.finish(db(), found, now=now()):
        flash("已收齐答卷并完成评分。", "success")
    else:
        flash("还有考生没有交卷，考试时间也没有结束，暂不能收卷。到时系统自动收卷评分。", "warning")
    return redirect(url_for("marking.index"))


def _counts(found: Sitting) -> dict[str, int]:
    """Absent, voided and passed."""
    of = Sheet.sitting_id == found.id
    absent = db().scalar(sa.select(sa.func.count()).where(of, Sheet.handed_in_how == HandIn.ABSENT)) or 0
    scored = sa.select(sa.func.count()).select_from(TheoryScore).join(TheoryScore.sheet).where(of)
    void = db().scalar(scored.where(TheoryScore.void)) or 0
    passed = db().scalar(scored.where(TheoryScore.void.is_(False), TheoryScore.half_points >= PASS_HALF_POINTS)) or 0
    return {"absent": absent, "void": void, "passed": passed}

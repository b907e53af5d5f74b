"""Doors: the directory, what changed in it, filed scope (备案范围) with its history."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import sqlalchemy as sa
from flask import flash, redirect, render_template, request, url_for

from examroom.filing import (  # noqa: F401  # the doors of the other view modules hang on the blueprint
    application_views,
    desk_views,
    material_views,
    scopes,
    standing_views,
)
from examroom.filing.application_models import ApplicationOccupation
from examroom.filing.blueprint import blueprint
from examroom.filing.duties import on_duty
from examroom.filing.models import FiledScope
from examroom.filing.standing_models import ScopeEvent
from qbank.kernel import forms
from qbank.kernel.access import Role, fetch, visible
from qbank.kernel.times import local_date
from qbank.kernel.web import db, now, paged, viewer
from qbank.standards.models import LEVEL_NAMES

__all__ = ["blueprint"]
CHANGES_SHOWN = timedelta(days=731)


def _today() -> date:
    return local_date(now())


@blueprint.get("/directory")
def directory() -> Any:
    """评价机构目录: open to everybody; only what is valid today."""
    query = scopes.searched(sa.select(FiledScope), request.args.get("q", "").strip(), request.args.get("level", ""),
                            "valid", _today())
    rows, total, page, pages = paged(db(), query)
    return render_template("filing/directory.html", rows=rows, total=total, page=page, pages=pages, today=_today(),
                           levels=LEVEL_NAMES)


@blueprint.get("/directory/changes")
def changes() -> Any:
    """目录动态调整: what was added to the directory and taken out of it, open to everybody."""
    query = sa.select(ScopeEvent).where(ScopeEvent.at >= now() - CHANGES_SHOWN).order_by(ScopeEvent.id.desc())
    rows, total, page, pages = paged(db(), query)
    return render_template("filing/changes.html", rows=rows, total=total, page=page, pages=pages)


@blueprint.get("/")
def index() -> Any:
    query = scopes.searched(visible(FiledScope, viewer()), request.args.get("q", "").strip(),
                            request.args.get("level", ""), request.args.get("standing", ""), _today())
    rows, total, page, pages = paged(db(), query)
    return render_template("filing/index.html", rows=rows, total=total, page=page, pages=pages, today=_today(), levels=LEVEL_NAMES)


@blueprint.get("/<int:scope_id>")
def scope(scope_id: int) -> Any:
    """One line of the directory: how it came there and what happened to it."""
    found = fetch(db(), FiledScope, scope_id, viewer())
    events = db().scalars(sa.select(ScopeEvent).where(ScopeEvent.scope_id == found.id).order_by(ScopeEvent.id)).all()
    row = db().scalars(sa.select(ApplicationOccupation).where(ApplicationOccupation.scope_id == found.id)).first()
    may_end = on_duty(db(), viewer(), found.institution_id, Role.PROVINCE_OFFICER) and found.valid_until > _today()
    inside = viewer().has(Role.EXAM_OFFICER, Role.CITY_OFFICER, Role.PROVINCE_OFFICER)
    return render_template("filing/scope.html", scope=found, events=events, row=row, today=_today(), may_end=may_end, inside=inside)


@blueprint.post("/<int:scope_id>/end")
def end(scope_id: int) -> Any:
    found = fetch(db(), FiledScope, scope_id, viewer())
    found.expect(request.form.get("row_version", type=int))
    scopes.end_scope(db(), found, viewer(), last_day=forms.day(request.form.get("last_day", ""), "终止日期"),
                     reason=request.form.get("reason", ""))
    flash("已提前终止这项备案，公开目录同时更新。", "success")
    return redirect(url_for("filing.scope", scope_id=found.id))

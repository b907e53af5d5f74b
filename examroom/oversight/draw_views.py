"""Doors: the double random draw (双随机), its replay, and who steps aside (回避)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from io import BytesIO
from typing import Any

import sqlalchemy as sa
from flask import flash, redirect, render_template, request, send_file, url_for
from sqlalchemy.orm import joinedload

from examroom.oversight import draws, pools, recusals
from examroom.oversight.blueprint import TOP, blueprint, chosen
from examroom.oversight.draw_models import InspectionDraw, Recusal
from examroom.oversight.drawing import Pool, record
from examroom.oversight.kinds import InspectionKind, TargetKind
from examroom.oversight.regions import CENTRES, own_regions
from qbank.kernel.access import Role, fetch, visible
from qbank.kernel.accounts import Institution, InstitutionKind
from qbank.kernel.forms import day, whole_number
from qbank.kernel.refused import Refused
from qbank.kernel.times import local_date
from qbank.kernel.web import db, now, paged, viewer

FIELDS = ("region", "title", "kind", "target_kind", "first_day", "last_day", "targets", "inspectors")


@blueprint.get("/draws")
def draw_list() -> Any:
    query = visible(InspectionDraw, viewer()).options(joinedload(InspectionDraw.drawer)).order_by(InspectionDraw.id.desc())
    rows, total, page, pages = paged(db(), query)
    return render_template("oversight/draw_list.html", rows=rows, total=total, page=page, pages=pages)


@blueprint.get("/draws/new")
def new_draw() -> Any:
    """The form, and below it the pools as they stand (``show=1``): nobody draws from a pool unseen."""
    typed = {"region": next(iter(own_regions(viewer())), ""), "first_day": local_date(now()).isoformat(), "targets": "2", "inspectors": "2",
             "last_day": (local_date(now()) + timedelta(days=90)).isoformat()} | {name: request.args[name] for name in FIELDS if name in request.args}
    return _form(typed, shown="show" in request.args)


def _form(typed: Mapping[str, str], *, shown: bool, refusal: Refused | None = None) -> str:
    pool: Pool | None = None
    if shown:
        try:
            pool, _, _ = draws.prepare(db(), _wish(typed), viewer(), now=now())
        except Refused as unfit:
            refusal = refusal or unfit
    return render_template("oversight/new_draw.html", typed=typed, pool=pool, refusal=refusal, kinds=InspectionKind, target_kinds=TargetKind,
                           regions=own_regions(viewer()))


def _wish(values: Mapping[str, str]) -> draws.Wish:
    read = values.get
    return draws.Wish(read("region", ""), read("title", "")[:200], chosen(InspectionKind, read("kind", ""), "检查方式"),
                      chosen(TargetKind, read("target_kind", ""), "检查对象"), day(read("first_day", ""), "起日"), day(read("last_day", ""), "止日"),
                      whole_number(read("targets", ""), "抽取对象数", 1, draws.MOST_TARGETS),
                      whole_number(read("inspectors", ""), "每个对象的督导员", 1, draws.MOST_INSPECTORS))


@blueprint.post("/draws")
def hold_draw() -> Any:
    try:
        draw = draws.hold(db(), _wish(request.form), request.form.get("pool", ""), viewer(), witness=request.form.get("witness", "")[:200],
                          words=request.form.get("words", ""), now=now())
    except Refused as refusal:
        db().rollback()
        return _form(request.form, shown=True, refusal=refusal), 409
    flash("已抽取，种子和名录已保存，任何时候都可以重新抽取核对。", "success")
    return redirect(url_for("oversight.draw", draw_id=draw.id))


@blueprint.get("/draws/<int:draw_id>")
def draw(draw_id: int) -> Any:
    """The draw, drawn again before one's eyes."""
    found = fetch(db(), InspectionDraw, draw_id, viewer())
    return render_template("oversight/draw.html", draw=found, pool=Pool.from_json(found.pool), sent=draws.sent(db(), found),
                           wrong=draws.check(db(), found), earlier=draws.earlier(db(), found), again=draws.again(found, local_date(now())))


@blueprint.get("/draws/<int:draw_id>/record.json")
def draw_record(draw_id: int) -> Any:
    return record_file(fetch(db(), InspectionDraw, draw_id, viewer()))


def record_file(found: InspectionDraw) -> Any:
    """The draw as a file that anybody can check."""
    text = record(found.number, found.seed, Pool.from_json(found.pool), found.outcome_sha256)
    return send_file(BytesIO(text.encode()), "application/json", as_attachment=True, download_name=f"双随机抽取_{found.number}.json")


@blueprint.post("/draws/<int:draw_id>/cancel")
def cancel_draw(draw_id: int) -> Any:
    found = fetch(db(), InspectionDraw, draw_id, viewer())
    draws.cancel(db(), found, request.form.get("reason", ""), viewer(), now=now())
    flash("已作废，抽取记录和原因保留。", "success")
    return redirect(url_for("oversight.draw", draw_id=found.id))


@blueprint.post("/draws/<int:draw_id>/publish")
def publish_draw(draw_id: int) -> Any:
    found = fetch(db(), InspectionDraw, draw_id, viewer())
    count = draws.publish(db(), found, viewer(), now=now())
    flash(f"已向社会公开，本次公开 {count} 项检查结果。", "success")
    return redirect(url_for("oversight.draw", draw_id=found.id))


@blueprint.get("/recusals")
def recusal_list() -> Any:
    query = visible(Recusal, viewer()).options(joinedload(Recusal.account), joinedload(Recusal.institution), joinedload(Recusal.declarer))
    rows, total, page, pages = paged(db(), query.order_by(Recusal.ended_at.is_not(None), Recusal.id.desc()))
    return render_template("oversight/recusal_list.html", rows=rows, total=total, page=page, pages=pages, schools=_schools(),
                           people=pools.supervisors(db()) if viewer().has(*CENTRES) else [])


def _schools() -> list[Institution]:
    examining = Institution.kind.not_in((InstitutionKind.CITY_CENTRE, InstitutionKind.PROVINCE_CENTRE))
    return list(db().scalars(sa.select(Institution).where(examining, viewer().reach(Institution.id, Role.QUALITY_SUPERVISOR, *CENTRES))
                             .order_by(Institution.name)))


@blueprint.post("/recusals")
def declare_recusal() -> Any:
    school = fetch(db(), Institution, whole_number(request.form.get("institution_id", ""), "评价机构", 1, TOP), viewer())
    account = whole_number(request.form.get("account_id") or str(viewer().account_id), "督导员", 1, TOP)
    recusals.declare(db(), account, school, request.form.get("reason", ""), viewer(), now=now())
    flash("已登记回避，抽取和派遣时自动排除。", "success")
    return redirect(url_for("oversight.recusal_list"))


@blueprint.post("/recusals/<int:recusal_id>/end")
def end_recusal(recusal_id: int) -> Any:
    recusals.end(db(), fetch(db(), Recusal, recusal_id, viewer()), viewer(), now=now())
    flash("回避已解除，记录保留。", "success")
    return redirect(url_for("oversight.recusal_list"))

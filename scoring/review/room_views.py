"""Doors of the panel room: the room at a glance, the clock, sealed marks, the discussion."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import sqlalchemy as sa
from flask import Response, flash, redirect, render_template, request, url_for
from werkzeug.exceptions import NotFound

from qbank.kernel.access import fetch, visible
from qbank.kernel.forms import half_points
from qbank.kernel.refused import Refused
from qbank.kernel.web import db, now, viewer
from scoring.review import comparing, defence, desk, handing_in, overview, panels
from scoring.review.blueprint import blueprint
from scoring.review.handin_models import OverlapCheck, Submission
from scoring.review.models import Dissent, PanelMark, PanelMember, ReviewCase, ReviewPanel, ReviewScore


@blueprint.get("/panels/<int:panel_id>/room")
def room(panel_id: int) -> Any:
    found = fetch(db(), ReviewPanel, panel_id, viewer())
    seat = found.seat_of(viewer())
    if seat is not None and seat.declared_at is None:
        return redirect(url_for("review.declare", panel_id=panel_id))
    return render_template("review/room.html", panel=found, seat=seat, lines=overview.the_room(db(), found, viewer()),
                           may_lead=panels.may_lead(db(), found, viewer()), clock=round(now().timestamp() * 1000),
                           is_chair=panels.panel_chair(found) == viewer().account_id)


@blueprint.get("/panels/<int:panel_id>/state")
def state(panel_id: int) -> Any:
    """The live part of the room, or (``case``) the clock of one candidate. 304 while nothing happened."""
    found = fetch(db(), ReviewPanel, panel_id, viewer())
    only = request.args.get("case", 0, type=int)
    lines = [line for line in overview.the_room(db(), found, viewer()) if only in (0, line["id"])]
    known = f'"{hashlib.sha256(json.dumps([lines, found.closed_at is None]).encode()).hexdigest()[:16]}"'
    if request.headers.get("If-None-Match") == known:
        answer = Response(status=304)
    else:
        answer = Response(render_template("review/clock.html" if only else "review/lines.html", panel=found, lines=lines,
                                          seat=found.seat_of(viewer())), mimetype="text/html")
    answer.headers["ETag"] = known
    answer.headers["X-Clock"] = str(round(now().timestamp() * 1000))
    return answer


@blueprint.post("/cases/<int:case_id>/timer")
def timer(case_id: int) -> Any:
    """Start, pause or end the defence."""
    found = fetch(db(), ReviewCase, case_id, viewer())
    act = request.form.get("act", "")
    if act == "start":
        defence.start(db(), found, viewer(), now=now())
    elif act == "pause":
        defence.pause(db(), found, viewer(), now=now())
    elif act == "end":
        defence.end(db(), found, viewer(), reason=request.form.get("reason", ""), now=now())
    else:
        raise Refused("no_such_act", "请从页面上的按钮操作答辩计时。")
    return redirect(url_for("review.room", panel_id=found.panel_id))


def own_case(case_id: int) -> tuple[PanelMember, ReviewCase]:
    """The viewer's seat before this candidate; who has not declared or does not judge him finds no such page."""
    found = fetch(db(), ReviewCase, case_id, viewer())
    seat = found.panel.seat_of(viewer())
    if seat is None or seat.declared_at is None or seat not in panels.judges_of(found.panel, found.enrolment_id):
        raise NotFound
    return seat, found


@blueprint.route("/cases/<int:case_id>", methods=["GET", "POST"])
def mark(case_id: int) -> Any:
    seat, found = own_case(case_id)
    if request.method == "GET":
        return _page(seat, found, _as_typed(seat, found), None)
    names = [name for name, _ in panels.form_of(found.panel)]
    typed = {**{f"row-{place}": request.form.get(f"row-{place}", "") for place in range(len(names))},
             "opinion": request.form.get("opinion", "")}
    try:
        points = [half_points(typed[f"row-{place}"], name) if typed[f"row-{place}"].strip() else None
                  for place, name in enumerate(names)]
        held = desk.enter(db(), seat, found, viewer(), points=points, opinion=typed["opinion"], now=now())
    except Refused as refusal:
        return _page(seat, found, typed, refusal), 422
    if request.form.get("act") != "sign":
        flash("草稿已保存。", "success")
        return redirect(url_for("review.mark", case_id=case_id))
    try:
        desk.sign(db(), held, viewer(), now=now(), signature=request.form.get("signature", ""))
    except Refused as refusal:  # 200: what was typed so far is kept as a draft
        return _page(seat, found, typed, refusal)
    flash(f"{found.number} 号考生的评分已签字。全体签字后同时公开。", "success")
    return redirect(url_for("review.room", panel_id=found.panel_id))


def _as_typed(seat: PanelMember, found: ReviewCase) -> dict[str, str]:
    """The own marks of this round; a second round begins with those of the first."""
    held = desk.mark_of(db(), seat, found) or (desk.mark_of(db(), seat, found, found.round - 1) if found.round > 1 else None)
    if held is None:
        return {"opinion": ""}
    return {"opinion": held.opinion, **{f"row-{place}": "" if value is None else f"{value / 2:g}" for place, value in enumerate(held.points)}}


def _page(seat: PanelMember, found: ReviewCase, typed: dict[str, str], refusal: Refused | None) -> str:
    handed = [one for one in handing_in.counting(db(), found.enrolment)
              if db().scalar(visible(Submission, viewer()).where(Submission.id == one.id))]
    checks = db().scalars(visible(OverlapCheck, viewer()).where(OverlapCheck.id.in_(
        [one.id for one in comparing.newest_checks(db(), handed).values()]))).all()
    open_marks = db().scalars(visible(PanelMark, viewer()).where(
        PanelMark.enrolment_id == found.enrolment_id, PanelMark.round <= found.revealed).order_by(PanelMark.round, PanelMark.member_id)).all()
    return render_template(
        "review/mark.html", seat=seat, panel=found.panel, case=found, held=desk.mark_of(db(), seat, found), typed=typed, refusal=refusal,
        rows=panels.form_of(found.panel), handed=handed, checks={one.submission_id: one for one in checks}, open_marks=open_marks,
        weighted=desk.weighted, lines=[line for line in overview.the_room(db(), found.panel, viewer()) if line["id"] == found.id],
        clock=round(now().timestamp() * 1000), leads=panels.leader_of(found) is seat,
        score=db().scalar(visible(ReviewScore, viewer()).where(ReviewScore.enrolment_id == found.enrolment_id)),
        dissent=db().scalar(sa.select(Dissent).where(Dissent.member_id == seat.id, Dissent.enrolment_id == found.enrolment_id)))


@blueprint.post("/cases/<int:case_id>/recuse")
def recuse(case_id: int) -> Any:
    seat, found = own_case(case_id)
    panels.recuse(db(), seat, found, viewer(), reason=request.form.get("reason", ""), now=now())
    flash(f"已对 {found.number} 号考生回避，请离场。候补评审专家补位后重新答辩。", "success")
    return redirect(url_for("review.room", panel_id=found.panel_id))


@blueprint.post("/cases/<int:case_id>/discuss")
def discuss(case_id: int) -> Any:
    _, found = own_case(case_id)
    desk.discuss(db(), found, viewer(), note=request.form.get("note", ""), now=now())
    flash(f"{found.number} 号考生开始第二轮评分，两轮评分都会保留。", "success")
    return redirect(url_for("review.room", panel_id=found.panel_id))


@blueprint.post("/cases/<int:case_id>/dissent")
def dissent(case_id: int) -> Any:
    seat, found = own_case(case_id)
    desk.dissent(db(), seat, found, viewer(), text=request.form.get("text", ""), now=now())
    flash("保留意见已记下，会写入会议记录。", "success")
    return redirect(url_for("review.mark", case_id=case_id))

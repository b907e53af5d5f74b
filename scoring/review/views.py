"""Doors: panels, declarations, the draw, the minutes."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from flask import Response, flash, redirect, render_template, request, url_for
from werkzeug.exceptions import NotFound

from examroom.plans.models import Enrolment, ExamPlan
from qbank.kernel.access import Role, fetch, visible
from qbank.kernel.forms import moment, whole_number
from qbank.kernel.refused import Refused
from qbank.kernel.views import safe_next
from qbank.kernel.web import db, now, paged, viewer
from qbank.standards.packs import pack_for
from scoring.practical import desk as practical
from scoring.practical.duties import may_act, qualified
from scoring.practical.models import Part
from scoring.review import declarations, desk, hand_in_views, minutes, order, overview, panels, room_views
from scoring.review.blueprint import blueprint
from scoring.review.models import PanelMember, ReviewPanel, ReviewScore

__all__ = ["blueprint", "hand_in_views", "room_views"]


@blueprint.get("/")
def index() -> Any:
    """The panels of an examiner; for the offices the plans that are reviewed."""
    person = viewer()
    reviewed = sa.or_(ExamPlan.level <= 2, ExamPlan.id.in_(sa.select(ReviewPanel.plan_id)))
    query = visible(ExamPlan, person).where(reviewed).order_by(ExamPlan.starts_on.desc(), ExamPlan.id.desc())
    plans, total, page, pages = paged(db(), query, size=20)
    return render_template("review/index.html", own=overview.own_panels(db(), person), total=total, page=page, pages=pages,
                           plans=[overview.plan_line(db(), plan) for plan in plans],
                           is_officer=person.has(Role.EXAM_OFFICER))


@blueprint.route("/plans/<int:plan_id>/panel/new", methods=["GET", "POST"])
def new_panel(plan_id: int) -> Any:
    plan = fetch(db(), ExamPlan, plan_id, viewer())
    refusal = None
    if request.method == "POST":
        try:
            made = _formed(plan)
        except Refused as refused:
            refusal = refused
        else:
            flash(f"评审委员会已组建，共 {len(made.regular)} 名评审专家、{len(made.members) - len(made.regular)} 名候补。", "success")
            return redirect(url_for("review.panel", panel_id=made.id))
    page = render_template("review/new_panel.html", plan=plan, refusal=refusal, form=request.form,
                           examiners=qualified(db(), plan, Role.REVIEW_EXAMINER), pack=pack_for(db(), plan.institution))
    return page, 422 if refusal else 200


def _formed(plan: ExamPlan) -> ReviewPanel:
    form = request.form
    return desk.form_panel(db(), plan, form.get("name", ""), viewer(), member_ids=form.getlist("member", type=int),
                           substitute_ids=form.getlist("substitute", type=int), chair_id=form.get("chair", 0, type=int),
                           place=form.get("place", ""), starts_at=moment(form.get("starts_at", ""), "评审时间"),
                           minutes=whole_number(form["minutes"], "答辩时间", 1, 999) if form.get("minutes") else None)


@blueprint.get("/panels/<int:panel_id>")
def panel(panel_id: int) -> Any:
    found = fetch(db(), ReviewPanel, panel_id, viewer())
    in_charge = may_act(db(), found.plan, viewer(), Role.EXAM_OFFICER)
    offices = db().scalar(visible(ExamPlan, viewer()).where(ExamPlan.id == found.plan_id)) is not None
    scores = {one.enrolment_id: one for one in db().scalars(visible(ReviewScore, viewer()).join(ReviewScore.enrolment).where(
        Enrolment.plan_id == found.plan_id))}
    return render_template("review/panel.html", panel=found, in_charge=in_charge, offices=offices, scores=scores,
                           mine=found.seat_of(viewer()), cases={case.enrolment_id: case for case in found.cases},
                           absent=practical.absent_from(db(), found.plan, Part.REVIEW), took_part=minutes.took_part,
                           others=qualified(db(), found.plan, Role.REVIEW_EXAMINER) if in_charge else [])


@blueprint.post("/panels/<int:panel_id>/substitutes")
def add_substitute(panel_id: int) -> Any:
    found = fetch(db(), ReviewPanel, panel_id, viewer())
    made = desk.add_substitute(db(), found, request.form.get("account", 0, type=int), viewer())
    flash(f"已增补候补评审专家{made.account.name}，请其先申报利害关系。", "success")
    return redirect(url_for("review.panel", panel_id=found.id))


@blueprint.post("/panels/<int:panel_id>/leave")
def leave(panel_id: int) -> Any:
    """A member is absent."""
    found = fetch(db(), ReviewPanel, panel_id, viewer())
    member = _member(found, "member")
    count = desk.leave(db(), found, member, viewer(), reason=request.form.get("reason", ""), now=now())
    flash(f"已登记{member.account.name}缺席，{count} 名考生的席位空缺；补位以前评审停止。", "success")
    return redirect(url_for("review.panel", panel_id=found.id))


@blueprint.post("/panels/<int:panel_id>/fill")
def fill(panel_id: int) -> Any:
    """A substitute comes in."""
    found = fetch(db(), ReviewPanel, panel_id, viewer())
    out, into = _member(found, "out"), _member(found, "into")
    count = panels.fill(db(), found, out, into, viewer())
    flash(f"{into.account.name}接替{out.account.name}评审 {count} 名考生。", "success")
    return redirect(url_for("review.panel", panel_id=found.id))


@blueprint.post("/panels/<int:panel_id>/chair")
def chair(panel_id: int) -> Any:
    found = fetch(db(), ReviewPanel, panel_id, viewer())
    panels.appoint_chair(db(), found, _member(found, "member"), viewer())
    flash("已指定主任委员。", "success")
    return redirect(url_for("review.panel", panel_id=found.id))


def _member(found: ReviewPanel, field: str) -> PanelMember:
    key = request.form.get(field, 0, type=int)
    member = next((one for one in found.members if one.id == key), None)
    if member is None:
        raise Refused("not_in_panel", "请在本评审委员会中选择评审专家。")
    return member


@blueprint.post("/panels/<int:panel_id>/disband")
def disband(panel_id: int) -> Any:
    desk.disband(db(), fetch(db(), ReviewPanel, panel_id, viewer()), viewer())
    flash("评审委员会已撤销，可以重新组建。", "success")
    return redirect(url_for("review.index"))


@blueprint.post("/enrolments/<int:enrolment_id>/absence")
def absence(enrolment_id: int) -> Any:
    """Record an absence, or take it back (``withdraw``)."""
    enrolment = fetch(db(), Enrolment, enrolment_id, viewer())
    if request.form.get("withdraw"):
        practical.withdraw_absence(db(), enrolment, Part.REVIEW, viewer())
        flash(f"已撤销{enrolment.candidate.name}的综合评审缺考登记。", "success")
    else:
        desk.record_absence(db(), enrolment, viewer(), reason=request.form.get("reason", ""), now=now())
        flash(f"已登记{enrolment.candidate.name}综合评审缺考。", "success")
    return redirect(safe_next(request.form.get("next", "")))


def own_seat(panel_id: int) -> PanelMember:
    """The viewer's seat in the panel; for everybody else there is no such page."""
    seat = fetch(db(), ReviewPanel, panel_id, viewer()).seat_of(viewer())
    if seat is None:
        raise NotFound
    return seat


@blueprint.route("/panels/<int:panel_id>/declare", methods=["GET", "POST"])
def declare(panel_id: int) -> Any:
    seat = own_seat(panel_id)
    if request.method == "POST":
        form = request.form
        ties = {key: form.get(f"reason-{key}", "") for key in form.getlist("tie", type=int)}
        declarations.declare(db(), seat, viewer(), ties, now=now())
        flash(f"已申报。{f'对 {len(ties)} 名考生回避。' if ties else '没有需要回避的考生。'}", "success")
        return redirect(url_for("review.panel", panel_id=panel_id))
    return render_template("review/declare.html", panel=seat.panel, seat=seat, statement=declarations.STATEMENT)


@blueprint.post("/panels/<int:panel_id>/draw")
def draw(panel_id: int) -> Any:
    found = fetch(db(), ReviewPanel, panel_id, viewer())
    cases = order.draw(db(), found, viewer(), now=now())
    flash(f"已抽签排定 {len(cases)} 名考生的评审顺序，种子 {found.draws[-1].seed}。", "success")
    return redirect(url_for("review.room", panel_id=found.id))


@blueprint.get("/panels/<int:panel_id>/draw-sheet")
def draw_sheet(panel_id: int) -> Any:
    """The drawn order with names, for the office that calls the candidates in. The panel knows numbers only."""
    found = fetch(db(), ReviewPanel, panel_id, viewer())
    if db().scalar(visible(ExamPlan, viewer()).where(ExamPlan.id == found.plan_id)) is None:
        raise NotFound
    return render_template("review/draw_sheet.html", panel=found, place=order.place)


@blueprint.post("/panels/<int:panel_id>/close")
def close(panel_id: int) -> Any:
    found = fetch(db(), ReviewPanel, panel_id, viewer())
    minutes.close(db(), found, viewer(), note=request.form.get("note", ""), now=now())
    flash("评审已结束，会议记录已形成，请全体评审专家签字。", "success")
    return redirect(url_for("review.panel", panel_id=found.id))


@blueprint.post("/panels/<int:panel_id>/minutes/sign")
def sign_minutes(panel_id: int) -> Any:
    seat = own_seat(panel_id)
    signature = request.form.get("signature", "")
    if not signature:
        raise Refused("no_signature", "请先在签名框中签名，再提交。")
    minutes.sign(db(), seat, viewer(), signature=signature, now=now())
    flash("您已在会议记录上签字。", "success")
    return redirect(url_for("review.panel", panel_id=panel_id))


@blueprint.get("/panels/<int:panel_id>/minutes.pdf")
def minutes_pdf(panel_id: int) -> Any:
    found = fetch(db(), ReviewPanel, panel_id, viewer())
    name = f"review-minutes-{found.id}.pdf"
    return Response(minutes.pdf(db(), found, now=now()), mimetype="application/pdf",
                    headers={"Content-Disposition": f'inline; filename="{name}"'})

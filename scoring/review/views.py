"""Doors: comprehensive review (综合评审)."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from werkzeug.exceptions import NotFound

from examroom.plans.models import Enrolment, ExamPlan
from qbank.kernel.access import Role, fetch, visible
from qbank.kernel.forms import half_points, moment
from qbank.kernel.refused import Refused
from qbank.kernel.views import safe_next
from qbank.kernel.web import db, now, paged, viewer
from qbank.standards.packs import pack_for
from scoring.practical import desk as practical
from scoring.practical.duties import may_act, qualified
from scoring.practical.models import Part
from scoring.review import desk, overview
from scoring.review.joining import REVIEWED_LEVELS
from scoring.review.models import PanelMark, PanelMember, ReviewPanel, ReviewScore

blueprint = Blueprint("review", __name__, url_prefix="/review")


@blueprint.get("/")
def index() -> Any:
    """The panels of an examiner; for the offices the plans at levels 2 and 1."""
    person = viewer()
    query = (visible(ExamPlan, person).where(ExamPlan.level.in_(REVIEWED_LEVELS))
             .order_by(ExamPlan.starts_on.desc(), ExamPlan.id.desc()))
    plans, total, page, pages = paged(db(), query, size=20)
    return render_template("review/index.html", own=overview.own_panels(db(), person), total=total, page=page, pages=pages,
                           plans=[overview.plan_line(db(), plan) for plan in plans],
                           is_officer=person.has(Role.EXAM_OFFICER))


@blueprint.route("/plans/<int:plan_id>/panel/new", methods=["GET", "POST"])
def new_panel(plan_id: int) -> Any:
    plan = fetch(db(), ExamPlan, plan_id, viewer())
    refusal = None
    if request.method == "POST":
        form = request.form
        try:
            made = desk.form_panel(db(), plan, form.get("name", ""), viewer(), member_ids=form.getlist("member", type=int),
                                   chair_id=form.get("chair", 0, type=int),
                                   starts_at=moment(form.get("starts_at", ""), "评审时间"))
        except Refused as refused:
            refusal = refused
        else:
            flash(f"评审委员会已组建，共 {len(made.members)} 名评审专家。", "success")
            return redirect(url_for("review.panel", panel_id=made.id))
    page = render_template("review/new_panel.html", plan=plan, refusal=refusal, form=request.form,
                           examiners=qualified(db(), plan, Role.REVIEW_EXAMINER), pack=pack_for(db(), plan.institution))
    return page, 422 if refusal else 200


@blueprint.get("/panels/<int:panel_id>")
def panel(panel_id: int) -> Any:
    found = fetch(db(), ReviewPanel, panel_id, viewer())
    people = overview.candidates(db(), found)
    scores = {one.enrolment_id: one for one in db().scalars(visible(ReviewScore, viewer()).where(
        ReviewScore.enrolment_id.in_([one.id for one in people])))}
    in_charge = may_act(db(), found.plan, viewer(), Role.EXAM_OFFICER)
    mine = next((one for one in found.members if one.account_id == viewer().account_id), None)
    revealed = overview.revealed(db(), found, viewer())
    complete = {one.id for one in people if all((one.id, member.id) in revealed for member in found.members)}
    return render_template("review/panel.html", panel=found, candidates=people, scores=scores, in_charge=in_charge,
                           mine=mine, progress=overview.progress(db(), found), revealed=revealed, complete=complete,
                           absent=practical.absent_from(db(), found.plan, Part.REVIEW),
                           others=qualified(db(), found.plan, Role.REVIEW_EXAMINER) if in_charge else [])


@blueprint.post("/panels/<int:panel_id>/replace")
def replace(panel_id: int) -> Any:
    found = fetch(db(), ReviewPanel, panel_id, viewer())
    desk.replace_member(db(), found, request.form.get("out", 0, type=int), request.form.get("in", 0, type=int), viewer())
    flash("评审专家已更换。", "success")
    return redirect(url_for("review.panel", panel_id=found.id))


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


def own_seat(panel_id: int, enrolment_id: int) -> tuple[PanelMember, Enrolment]:
    """The viewer's seat in the panel and the candidate; for everybody else there is no such page."""
    found = fetch(db(), ReviewPanel, panel_id, viewer())
    seat = next((one for one in found.members if one.account_id == viewer().account_id), None)
    enrolment = next((one for one in overview.candidates(db(), found) if one.id == enrolment_id), None)
    if seat is None or enrolment is None:
        raise NotFound
    return seat, enrolment


@blueprint.route("/panels/<int:panel_id>/candidates/<int:enrolment_id>", methods=["GET", "POST"])
def mark(panel_id: int, enrolment_id: int) -> Any:
    seat, enrolment = own_seat(panel_id, enrolment_id)
    held = desk.mark_of(db(), seat, enrolment)
    if request.method == "GET":
        return _page(seat, enrolment, held, _as_typed(held), None)
    typed = {name: request.form.get(name, "") for name in ("thesis", "defence", "opinion")}
    try:
        held = desk.enter(db(), seat, enrolment, viewer(), thesis=_score(typed["thesis"], "书面材料"),
                          defence=_score(typed["defence"], "答辩"), opinion=typed["opinion"], now=now())
    except Refused as refusal:
        return _page(seat, enrolment, held, typed, refusal), 422
    if request.form.get("act") != "sign":
        flash("草稿已保存。", "success")
        return redirect(url_for("review.mark", panel_id=panel_id, enrolment_id=enrolment_id))
    try:
        desk.sign(db(), held, viewer(), now=now())
    except Refused as refusal:  # 200: what was typed so far is kept as a draft
        return _page(seat, enrolment, held, typed, refusal)
    flash(f"{enrolment.candidate.name}的综合评审评分已签字。", "success")
    return redirect(url_for("review.panel", panel_id=panel_id))


def _score(text: str, what: str) -> int | None:
    return half_points(text, what) if text.strip() else None


def _as_typed(held: PanelMark | None) -> dict[str, str]:
    if held is None:
        return {"thesis": "", "defence": "", "opinion": ""}
    return {"thesis": "" if held.thesis is None else f"{held.thesis / 2:g}",
            "defence": "" if held.defence is None else f"{held.defence / 2:g}", "opinion": held.opinion}


def _page(seat: PanelMember, enrolment: Enrolment, held: PanelMark | None, typed: dict[str, str],
          refusal: Refused | None) -> str:
    return render_template("review/mark.html", seat=seat, panel=seat.panel, enrolment=enrolment, held=held, typed=typed,
                           refusal=refusal, thesis_percent=pack_for(db(), seat.panel.plan.institution).thesis_percent)

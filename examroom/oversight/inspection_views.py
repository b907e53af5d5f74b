"""Doors: inspections (检查), their check-list on a phone, the hand-over, the printed report."""

from __future__ import annotations

from io import BytesIO
from typing import Any

import sqlalchemy as sa
from flask import flash, redirect, render_template, request, send_file, url_for
from sqlalchemy.orm import joinedload, selectinload

from examroom.filing.duties import on_duty
from examroom.oversight import findings, inspections, pools, printed
from examroom.oversight.blueprint import TOP, blueprint, chosen, uploads
from examroom.oversight.inspection_models import Finding, Inspection, InspectionMember, OversightFile
from examroom.oversight.kinds import LIVE_FINDINGS, FindingState, InspectionKind, InspectionState, Verdict
from examroom.oversight.models import Supervision
from examroom.oversight.pools import Place
from examroom.oversight.regions import CENTRES
from examroom.plans.models import ExamPlan
from qbank.kernel import attachments
from qbank.kernel.access import fetch, visible
from qbank.kernel.accounts import Institution
from qbank.kernel.forms import day, whole_number
from qbank.kernel.refused import Refused
from qbank.kernel.times import local_date
from qbank.kernel.web import db, now, paged, viewer, wants_json


@blueprint.get("/inspections")
def inspection_list() -> Any:
    """Inspections that this person sees; ``state``, ``kind`` and ``q`` narrow."""
    query = visible(Inspection, viewer()).join(Inspection.institution).options(
        joinedload(Inspection.plan), joinedload(Inspection.sitting), selectinload(Inspection.members).joinedload(InspectionMember.account),
        selectinload(Inspection.findings))
    if (state := request.args.get("state", "")) == "open":
        query = query.where(Inspection.findings.any(Finding.state.in_(LIVE_FINDINGS)))
    elif state in set(InspectionState):
        query = query.where(Inspection.state == InspectionState(state))
    if (kind := request.args.get("kind", "")) in set(InspectionKind):
        query = query.where(Inspection.kind == InspectionKind(kind))
    if text := request.args.get("q", "").strip():
        query = query.where(sa.or_(Institution.name.contains(text, autoescape=True), Inspection.number.contains(text, autoescape=True)))
    rows, total, page, pages = paged(db(), query.order_by(Inspection.id.desc()))
    return render_template("oversight/inspection_list.html", rows=rows, total=total, page=page, pages=pages, kinds=InspectionKind,
                           states=InspectionState, today=local_date(now()))


@blueprint.route("/inspections/new", methods=["GET", "POST"])
def new_inspection() -> Any:
    """The centre sends chosen supervisors to a school (``institution_id``), or to one of its plans (``plan_id``)."""
    place = _place()
    if request.method == "POST":
        kind = chosen(InspectionKind, request.form.get("kind", ""), "检查方式")
        members = [whole_number(text, "督导员", 1, TOP) for text in request.form.getlist("member_id")]
        made = inspections.send(db(), place, kind, members, viewer(), due_on=day(request.form.get("due_on", ""), "完成期限"), now=now())
        flash(f"已派出检查 {made.number}。", "success")
        return redirect(url_for("oversight.inspection", inspection_id=made.id))
    people = pools.supervisors(db())
    kept = pools.exclusions(db(), [place], people, on=local_date(now()))[place.key]
    return render_template("oversight/new_inspection.html", place=place, kinds=InspectionKind,
                           people=[one for one in people if str(one.id) not in kept])


def _place() -> Place:
    if request.values.get("plan_id"):
        plan = fetch(db(), ExamPlan, whole_number(request.values["plan_id"], "考务方案", 1, TOP), viewer())
        return Place(plan.institution, plan)
    return Place(fetch(db(), Institution, whole_number(request.values.get("institution_id", ""), "评价机构", 1, TOP), viewer()))


@blueprint.post("/<int:supervision_id>/check-list")
def supervision_list(supervision_id: int) -> Any:
    """The check-list of a supervisor who was sent to a plan."""
    found = inspections.of_supervision(db(), fetch(db(), Supervision, supervision_id, viewer()), viewer(), now=now())
    return redirect(url_for("oversight.inspection", inspection_id=found.id))


@blueprint.get("/inspections/<int:inspection_id>")
def inspection(inspection_id: int) -> Any:
    found = fetch(db(), Inspection, inspection_id, viewer())
    seen = db().scalars(visible(Finding, viewer()).where(Finding.inspection_id == found.id).order_by(Finding.id)).all()
    return render_template("oversight/inspection.html", inspection=found, findings=seen, member=inspections.is_member(found, viewer()),
                           leads=any(one.leads and one.account_id == viewer().account_id for one in found.members),
                           centre=on_duty(db(), viewer(), found.institution_id, *CENTRES, plan_id=found.plan_id), today=local_date(now()),
                           handed_over=found.state is InspectionState.SUBMITTED, sees=_sees_list(found))


def _sees_list(found: Inspection) -> bool:
    """The school reads the filled list when it is handed over."""
    return found.state is InspectionState.SUBMITTED or inspections.is_member(found, viewer()) or viewer().has(*CENTRES)


@blueprint.post("/inspections/<int:inspection_id>/begin")
def begin_inspection(inspection_id: int) -> Any:
    found = fetch(db(), Inspection, inspection_id, viewer())
    inspections.begin(db(), found, viewer(), now=now())
    return redirect(url_for("oversight.check", inspection_id=found.id))


@blueprint.get("/inspections/<int:inspection_id>/check")
def check(inspection_id: int) -> Any:
    """The list on a phone: large targets, one column; what is tapped is kept on the phone until the server has it."""
    found = fetch(db(), Inspection, inspection_id, viewer())
    inspections.require_running(found, viewer())
    named = {one.point_id for one in found.findings if one.state is not FindingState.WITHDRAWN}
    return render_template("oversight/check.html", inspection=found, held={one.point_id: one for one in found.answers}, named=named,
                           verdicts=Verdict, leads=any(one.leads and one.account_id == viewer().account_id for one in found.members))


@blueprint.post("/inspections/<int:inspection_id>/answers")
def answer_points(inspection_id: int) -> Any:
    """One point from the phone's script, or the whole form without it."""
    found, given = fetch(db(), Inspection, inspection_id, viewer()), {}
    for name, value in request.form.items():
        if name.startswith("verdict-") and value:
            key = name.removeprefix("verdict-")
            given[whole_number(key, "检查要点", 1, TOP)] = (chosen(Verdict, value, "检查结果"), request.form.get(f"note-{key}", ""))
    count = inspections.answer(db(), found, given, viewer(), now=now())
    if wants_json():
        return {"answered": count, "of": len(found.template.points)}
    flash(f"已保存，{count} / {len(found.template.points)} 个要点已填写。", "success")
    return redirect(url_for("oversight.check", inspection_id=found.id))


@blueprint.post("/inspections/<int:inspection_id>/pictures")
def add_pictures(inspection_id: int) -> Any:
    found = fetch(db(), Inspection, inspection_id, viewer())
    count = findings.add_files(db(), found, uploads(), viewer(), now=now())
    flash(f"已保存 {count} 个文件。", "success")
    return redirect(url_for("oversight.check", inspection_id=found.id))


@blueprint.post("/inspections/<int:inspection_id>/submit")
def submit_inspection(inspection_id: int) -> Any:
    found = fetch(db(), Inspection, inspection_id, viewer())
    inspections.submit(db(), found, request.form.get("conclusion", ""), viewer(), now=now())
    flash("检查记录已提交，问题的整改期限从今天起算。", "success")
    return redirect(url_for("oversight.inspection", inspection_id=found.id))


@blueprint.post("/inspections/<int:inspection_id>/cancel")
def cancel_inspection(inspection_id: int) -> Any:
    found = fetch(db(), Inspection, inspection_id, viewer())
    inspections.cancel(db(), found, request.form.get("reason", ""), viewer())
    flash("已撤销，记录保留。", "success")
    return redirect(url_for("oversight.inspection_list"))


@blueprint.get("/inspections/<int:inspection_id>/report.pdf")
def inspection_pdf(inspection_id: int) -> Any:
    found = fetch(db(), Inspection, inspection_id, viewer())
    if not _sees_list(found):
        raise Refused("not_handed_over", "检查记录还没有提交。")
    content = printed.inspection_pdf(db(), found, made_at=now())
    return send_file(BytesIO(content), "application/pdf", download_name=f"检查记录_{found.number}.pdf")


@blueprint.get("/files/<int:file_id>")
def file(file_id: int) -> Any:
    found = fetch(db(), OversightFile, file_id, viewer())
    if found.inspection_id is not None and not _sees_list(db().get_one(Inspection, found.inspection_id)):
        raise Refused("not_handed_over", "检查记录还没有提交。")
    return attachments.download(db(), found.attachment)

"""Doors of the assessor: the tablet page of a group with its protocol, signed sheets, corrections, the PIN."""

from __future__ import annotations

import io
from typing import Any

from flask import flash, redirect, render_template, request, send_file, url_for
from flask_wtf.csrf import generate_csrf
from werkzeug.exceptions import BadRequest, NotFound

from qbank.kernel.access import Role, fetch
from qbank.kernel.refused import Refused
from qbank.kernel.web import db, now, viewer
from scoring.practical import corrections, desk, marks, rows, signing, tablet, values
from scoring.practical.blueprint import blueprint
from scoring.practical.duties import may_act
from scoring.practical.mark_models import Correction
from scoring.practical.models import MarkSheet, PracticalGroup


def own_group(group_id: int) -> PracticalGroup:
    """The group, if the viewer is one of its assessors or its chief; for everybody else there is no such page."""
    found = fetch(db(), PracticalGroup, group_id, viewer())
    if viewer().account_id not in {one.account_id for one in found.assessors} | {found.chief_id}:
        raise NotFound
    return found


def device() -> str:
    """The mark that the browser has made for itself."""
    found = request.headers.get("X-Page-Token", "")
    if not tablet.DEVICE.fullmatch(found):
        raise BadRequest
    return found


@blueprint.get("/groups/<int:group_id>/mark")
def mark(group_id: int) -> Any:
    return render_template("practical/mark.html", group=own_group(group_id), member=request.args.get("member", 0, type=int))


@blueprint.get("/groups/<int:group_id>/mark/state")
def mark_state(group_id: int) -> Any:
    return tablet.state(db(), own_group(group_id), viewer(), device())


@blueprint.get("/groups/<int:group_id>/mark/pulse")
def mark_pulse(group_id: int) -> Any:
    return tablet.standing(db(), own_group(group_id), viewer(), device()) | {"csrf": generate_csrf()}


@blueprint.post("/groups/<int:group_id>/mark/events")
def mark_events(group_id: int) -> Any:
    group, body = own_group(group_id), request.get_json(silent=True)
    try:
        events = tablet.read_events(body)
    except ValueError:
        raise BadRequest from None
    after = body.get("after", 0) if body else 0
    taken = tablet.take(db(), group, viewer(), device(), events, after if type(after) is int else 0, now=now())
    if taken.behind:
        return {"code": "behind", "sentence": "服务器上的记录较旧，正在补传。", "acknowledged": taken.acknowledged}, 409
    refused = [{"sequence": one.sequence, "code": one.code, "sentence": one.sentence} for one in taken.refused]
    return tablet.standing(db(), group, viewer(), device()) | {"acknowledged": taken.acknowledged, "refused": refused}


@blueprint.get("/sheets/<int:sheet_id>")
def sheet(sheet_id: int) -> Any:
    """One signed 评分记录表, for reading and printing; another's only when all have signed."""
    found = fetch(db(), MarkSheet, sheet_id, viewer())
    return render_template("practical/sheet.html", sheet=found, held={one.row_id: one for one in found.marks}, typed_of=tablet.typed_of,
                           values=values.effective(found), total=desk.total_of(found), told=rows.told,
                           corrections=corrections.of_sheets(db(), [found]), may_ask=corrections.may_ask(db(), found, viewer()),
                           spread=marks.discrepancy_of(db(), found.member), in_charge=may_act(db(), found.member.group.plan, viewer(), Role.EXAM_OFFICER))


@blueprint.get("/sheets/<int:sheet_id>/signature.png")
def signature(sheet_id: int) -> Any:
    found = fetch(db(), MarkSheet, sheet_id, viewer())
    content = signing.signature_png(db(), found)
    if content is None:
        raise NotFound
    return send_file(io.BytesIO(content), mimetype="image/png")


@blueprint.post("/sheets/<int:sheet_id>/corrections")
def correct(sheet_id: int) -> Any:
    found = fetch(db(), MarkSheet, sheet_id, viewer())
    row = next((one for one in found.member.group.rubric.rows if str(one.id) == request.form.get("row")), None)
    if row is None:
        raise Refused("other_row", "请选择要更正的评分项。")
    entry = rows.read(row.rule, request.form.get("entry", ""))
    corrections.ask(db(), found, row, entry, request.form.get("reason", ""), viewer(), now=now())
    flash("更正申请已提交，由另一名考务员批准后生效。", "success")
    return redirect(url_for("practical.sheet", sheet_id=found.id))


@blueprint.post("/corrections/<int:correction_id>")
def decide_correction(correction_id: int) -> Any:
    found = fetch(db(), Correction, correction_id, viewer())
    found.expect(request.form.get("version", type=int))
    corrections.decide(db(), found, viewer(), request.form.get("act") == "approve", request.form.get("comment", ""), now=now())
    flash(f"更正申请：{found.state.chinese}。原记录和更正后的记录都保存在评分表上。", "success")
    return redirect(url_for("practical.sheet", sheet_id=found.sheet_id))


@blueprint.route("/pin", methods=["GET", "POST"])
def pin() -> Any:
    """One's own signing PIN."""
    problem = ""
    if request.method == "POST":
        try:
            signing.set_pin(db(), viewer(), request.form.get("pin", ""), request.form.get("password", ""), now=now())
        except Refused as refusal:
            problem = refusal.sentence
        else:
            flash("签字 PIN 已设置。", "success")
            return redirect(url_for("practical.index"))
    return render_template("practical/pin.html", problem=problem, has_pin=signing.has_pin(db(), viewer())), 422 if problem else 200

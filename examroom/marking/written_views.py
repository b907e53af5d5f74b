"""Doors: written answers. The officer appoints, markers mark, the chief reads back."""

from __future__ import annotations

from typing import Any

from flask import flash, redirect, render_template, request, url_for
from markupsafe import Markup
from werkzeug.exceptions import NotFound

from examroom.marking import desk, joining, marks, quality, written
from examroom.marking.blueprint import blueprint
from examroom.marking.written_models import Marker, MarkingTask, Script, ScriptMark, Settled, WrittenQuestion
from examroom.plans.models import Sitting, SittingState
from qbank.items import markup, pictures
from qbank.kernel import forms
from qbank.kernel.access import Role, fetch, visible
from qbank.kernel.web import db, now, viewer
from qbank.standards.packs import pack_for

TOP = 2**31 - 1


@blueprint.get("/written")
def own_marking() -> Any:
    """What waits for this marker, question by question; never whose it is."""
    serving = db().scalars(visible(Marker, viewer()).where(Marker.account_id == viewer().account_id, Marker.released_at.is_(None))
                           .join(Marker.sitting).order_by(Sitting.starts_at.desc())).all()
    lines = [(marker, quality.progress(db(), marker.sitting, written.questions_of(db(), marker.sitting))) for marker in serving]
    waiting = {row.question.id: quality.waiting_for(db(), row.question, marker) for marker, rows in lines for row in rows}
    return render_template("marking/own_marking.html", lines=lines, waiting=waiting)


@blueprint.get("/questions/<int:question_id>/mark")
def mark_question(question_id: int) -> Any:
    question = fetch(db(), WrittenQuestion, question_id, viewer())
    marker = _own_marker(question)
    task = marks.next_task(db(), question, viewer())
    done, waiting = quality.done_by(db(), question, marker), quality.waiting_for(db(), question, marker)
    return render_template("marking/mark_question.html", question=question, marker=marker, task=task, html=_html(question), done=done,
                           waiting=waiting)


@blueprint.post("/tasks/<int:task_id>/mark")
def give_mark(task_id: int) -> Any:
    task = fetch(db(), MarkingTask, task_id, viewer())
    marks.give(db(), task, _steps(task.script.question), viewer(), comment=request.form.get("comment", ""),
               seconds=request.form.get("seconds", 0, type=int), now=now())
    return redirect(url_for("marking.mark_question", question_id=task.script.question_id))


@blueprint.post("/questions/<int:question_id>/undo")
def undo_mark(question_id: int) -> Any:
    question = fetch(db(), WrittenQuestion, question_id, viewer())
    mark = marks.undo(db(), question, viewer(), now=now())
    flash(f"已撤销对 {mark.script.code} 号答卷的评分，请重新评。原评分留有记录。", "success")
    return redirect(url_for("marking.mark_question", question_id=question.id))


@blueprint.get("/sittings/<int:sitting_id>/written")
def markers(sitting_id: int) -> Any:
    """The officer's page: who marks, how far they are."""
    sitting = fetch(db(), Sitting, sitting_id, viewer())
    found = db().scalars(visible(Marker, viewer()).where(Marker.sitting_id == sitting.id).order_by(Marker.is_chief.desc(), Marker.id)).all()
    serving = [marker for marker in found if marker.released_at is None]
    return render_template("marking/markers.html", sitting=sitting, markers=found, loads=written.loads(db(), serving),
                           rows=quality.progress(db(), sitting, written.questions_of(db(), sitting)),
                           candidates=written.candidates_for(db(), sitting), classes=written.classes_of(db(), sitting),
                           pending=written.pending(db(), sitting), open=sitting.state is SittingState.CLOSED)


@blueprint.post("/sittings/<int:sitting_id>/markers")
def appoint_marker(sitting_id: int) -> Any:
    sitting = fetch(db(), Sitting, sitting_id, viewer())
    account_id = forms.whole_number(request.form.get("account_id", ""), "阅卷员", 1, TOP)
    marker = written.appoint(db(), sitting, account_id, viewer(), chief=request.form.get("duty") == "chief",
                             classes=[name for name in request.form.getlist("classes") if name][:50], now=now())
    flash(f"已指定{marker.account.name}为{'阅卷组长' if marker.is_chief else '阅卷员'}。", "success")
    return redirect(url_for("marking.markers", sitting_id=sitting.id))


@blueprint.post("/markers/<int:marker_id>/release")
def release_marker(marker_id: int) -> Any:
    marker = fetch(db(), Marker, marker_id, viewer())
    written.release(db(), marker, viewer(), now=now())
    flash(f"{marker.account.name}不再阅卷，已给的评分保留。请重新分发未评的答卷。", "success")
    return redirect(url_for("marking.markers", sitting_id=marker.sitting_id))


@blueprint.post("/sittings/<int:sitting_id>/distribute")
def distribute(sitting_id: int) -> Any:
    sitting = fetch(db(), Sitting, sitting_id, viewer())
    made, short = written.distribute(db(), sitting, viewer(), now=now())
    flash(f"已分发 {made} 份次，每份由两人评阅。" if made else "没有需要分发的答卷。", "success")
    if short:
        flash(f"有 {short} 份没有足够的阅卷员可分（须回避自己任教的班），请增派阅卷员后再分发。", "warning")
    return redirect(url_for("marking.markers", sitting_id=sitting.id))


@blueprint.get("/questions/<int:question_id>")
def question(question_id: int) -> Any:
    """The chief's page: figures of the markers, all scripts for back-reading."""
    found = _led(question_id)
    only = request.args.get("only", "")
    line = quality.progress(db(), found.sitting, [found])[0]
    return render_template("marking/question.html", question=found, line=line, quality=quality.quality(db(), found), only=only,
                           scripts=quality.scripts(db(), found, only), kinds=list(Settled), html=_html(found), viewer_id=viewer().account_id,
                           pack=pack_for(db(), found.sitting.plan.institution), rules=joining.RULES)


@blueprint.get("/scripts/<int:script_id>")
def script(script_id: int) -> Any:
    found = fetch(db(), Script, script_id, viewer())
    blind = quality.blind(db(), found, viewer())
    may_seed = found.half_points is None and not any(mark.withdrawn_at is None for mark in found.marks)
    return render_template("marking/script.html", script=found, question=found.question, html=_html(found.question), blind=blind,
                           may_seed=may_seed, open=found.question.signed_at is None and found.question.sitting.state is SittingState.CLOSED)


@blueprint.post("/scripts/<int:script_id>/rule")
def rule_script(script_id: int) -> Any:
    found = fetch(db(), Script, script_id, viewer())
    comment = request.form.get("comment", "")
    if request.form.get("act") == "seed":
        marks.make_seed(db(), found, _steps(found.question), comment, viewer(), now=now())
        flash(f"{found.code} 号已作为种子卷混入各阅卷员的答卷中。", "success")
    else:
        marks.rule(db(), found, _steps(found.question), comment, viewer(), now=now())
        flash(f"{found.code} 号已裁定为 {(found.half_points or 0) / 2:g} 分。", "success")
    return redirect(url_for("marking.question", question_id=found.question_id))


@blueprint.post("/marks/<int:mark_id>/return")
def return_mark(mark_id: int) -> Any:
    found = fetch(db(), ScriptMark, mark_id, viewer())
    marks.send_back(db(), found, request.form.get("reason", ""), viewer(), now=now())
    flash(f"已退回{found.account.name}重评。", "success")
    return redirect(url_for("marking.script", script_id=found.script_id))


@blueprint.post("/questions/<int:question_id>/sign")
def sign_question(question_id: int) -> Any:
    found = _led(question_id)
    marks.sign(db(), found, viewer(), now=now())
    done = desk.finish(db(), found.sitting, now=now())
    flash("本题阅卷已签字。" + ("全部书面题已完成，理论成绩已算出。" if done else ""), "success")
    return redirect(url_for("marking.question", question_id=found.id))


@blueprint.post("/markers/<int:marker_id>/pause")
def pause_marker(marker_id: int) -> Any:
    marker = fetch(db(), Marker, marker_id, viewer())
    reason = request.form.get("reason", "")
    marks.pause(db(), marker, reason, viewer())
    flash(f"已{'请' + marker.account.name + '暂停评阅' if marker.paused_reason else '让' + marker.account.name + '继续评阅'}。", "success")
    question_id = forms.whole_number(request.form.get("question_id", ""), "题目", 1, TOP)
    return redirect(url_for("marking.question", question_id=question_id))


def _led(question_id: int) -> WrittenQuestion:
    """A question whose chief this person is; for everybody else there is no such page."""
    found = fetch(db(), WrittenQuestion, question_id, viewer())
    chief = written.chief_of(db(), found.sitting)
    if not viewer().has(Role.MARKER) or chief is None or chief.account_id != viewer().account_id:
        raise NotFound
    return found


def _own_marker(question: WrittenQuestion) -> Marker:
    marker = db().scalars(visible(Marker, viewer()).where(Marker.sitting_id == question.sitting_id, Marker.released_at.is_(None),
                                                          Marker.account_id == viewer().account_id)).one_or_none()
    if marker is None:
        raise NotFound
    return marker


def _steps(question: WrittenQuestion) -> list[int]:
    """The points of each line of the guide as typed; an empty one refuses: a zero must be typed."""
    found = []
    for place, _ in enumerate(question.steps, 1):
        found.append(forms.half_points(request.form.get(f"step-{place}", ""), f"第 {place} 个得分点"))
    return found


def _html(question: WrittenQuestion) -> Any:
    """Text → HTML of the stem, the material, the model answer and the guide."""
    version = question.version
    material = version.stimulus.text if version.stimulus else ""
    address = pictures.inline(db(), version.item.institution_id, [version.stem, version.key, version.guide, material])

    def html(text: str) -> Markup:
        return markup.to_html(text, address)

    return html

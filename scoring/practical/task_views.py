"""Doors: one task of the practical bank: its text, its way through review, its attachments, its three papers."""

from __future__ import annotations

import re
from io import BytesIO
from typing import Any

from flask import flash, redirect, render_template, request, send_file, url_for
from werkzeug.exceptions import NotFound

from examroom.filing.duties import on_duty
from qbank.items.markup import to_html
from qbank.kernel import attachments
from qbank.kernel.access import Role, fetch, visible
from qbank.kernel.forms import whole_number
from qbank.kernel.refused import Refused
from qbank.kernel.web import db, now, viewer
from scoring.practical import tasks
from scoring.practical.bank_models import TaskAttachment, TaskVersion
from scoring.practical.blueprint import blueprint
from scoring.practical.papers_print import KINDS, print_task
from scoring.practical.rows import told
from scoring.practical.structure_models import ContentStructure, PracticalModule, StructureState
from scoring.practical.tasks import Line, TaskText, text_of

LARGEST = 2**31 - 1


@blueprint.route("/tasks/new", methods=["GET", "POST"])
def new_task() -> Any:
    modules = [(structure, module) for structure in db().scalars(visible(ContentStructure, viewer()).where(
        ContentStructure.state == StructureState.IN_FORCE)) for module in structure.modules]
    if request.method == "GET":
        return render_template("practical/new_task.html", modules=modules, refusal=None, form=request.args)
    try:
        module, option = _module(modules, request.form.get("module", ""))
        text = TaskText(request.form.get("title", ""), module.minutes)
        made = tasks.add_task(db(), module, request.form.get("code", ""), text, viewer(), option=option, now=now())
    except Refused as refusal:
        return render_template("practical/new_task.html", modules=modules, refusal=refusal, form=request.form), 422
    return redirect(url_for("practical.task", version_id=made.id))


def _module(modules: list[tuple[ContentStructure, PracticalModule]], chosen: str) -> tuple[PracticalModule, str]:
    """``12`` or ``12:发动机检修``: one of the modules that the page offered."""
    key, _, option = chosen.partition(":")
    found = next((module for _, module in modules if str(module.id) == key), None)
    if found is None:
        raise Refused("no_module", "请选择试题所属的考核模块。")
    return found, option


@blueprint.route("/tasks/<int:version_id>", methods=["GET", "POST"])
def task(version_id: int) -> Any:
    version = fetch(db(), TaskVersion, version_id, viewer())
    if request.method == "GET":
        return _page(version, text_of(version), None)
    text = text_of(version)
    try:
        version.expect(request.form.get("version", type=int))
        text = _read()
        tasks.change_task(db(), version, text, viewer())
    except Refused as refusal:
        return _page(version, text, refusal), 422
    flash("试题已保存。", "success")
    return redirect(url_for("practical.task", version_id=version.id))


@blueprint.post("/tasks/<int:version_id>/act")
def task_act(version_id: int) -> Any:
    """Submit, approve, send back, revise, retire."""
    version, act, comment = fetch(db(), TaskVersion, version_id, viewer()), request.form.get("act", ""), request.form.get("comment", "")
    if act == "submit":
        tasks.submit(db(), version, viewer(), now=now())
        flash("已送审，由另一名审题员审定。", "success")
    elif act in ("approve", "return"):
        tasks.review(db(), version, viewer(), act == "approve", comment, now=now())
        flash("已审定，可以用于抽签。" if act == "approve" else "已退回命题人。", "success")
    elif act == "revise":
        version = tasks.revise(db(), version, viewer(), now=now())
        flash(f"已建立第 {version.number} 版草稿。", "success")
    elif act == "retire":
        tasks.retire(db(), version, viewer())
        flash("已停用，今后抽签不再使用。", "success")
    else:
        raise NotFound
    return redirect(url_for("practical.task", version_id=version.id))


@blueprint.post("/tasks/<int:version_id>/attachments")
def attach(version_id: int) -> Any:
    version = fetch(db(), TaskVersion, version_id, viewer())
    tasks.attach(db(), version, request.files.get("file"), request.form.get("caption", ""), viewer(), now=now())
    flash("附件已添加。", "success")
    return redirect(url_for("practical.task", version_id=version.id))


@blueprint.route("/attachments/<int:attachment_id>", methods=["GET", "POST"])
def attachment(attachment_id: int) -> Any:
    """Download (GET); take off a draft (POST)."""
    found = fetch(db(), TaskAttachment, attachment_id, viewer())
    if request.method == "GET":
        return attachments.download(db(), found.attachment)
    version_id = found.version_id
    tasks.detach(db(), found, viewer())
    flash("附件已删除。", "success")
    return redirect(url_for("practical.task", version_id=version_id))


@blueprint.get("/tasks/<int:version_id>/paper.pdf")
def task_paper(version_id: int) -> Any:
    """One of the three papers."""
    version, kind = fetch(db(), TaskVersion, version_id, viewer()), request.args.get("kind", "paper")
    if kind not in KINDS:
        raise NotFound
    return send_file(BytesIO(print_task(db(), version, kind, made_at=now())), "application/pdf",
                     download_name=f"{version.task.code}_{KINDS[kind]}.pdf")


def _page(version: TaskVersion, text: TaskText, refusal: Refused | None) -> str:
    task = version.task
    code = task.table.standard.occupation.code
    author = on_duty(db(), viewer(), task.institution_id, Role.ITEM_AUTHOR, occupation=code)
    reviewer = on_duty(db(), viewer(), task.institution_id, Role.ITEM_REVIEWER, occupation=code)
    seen = db().scalars(visible(TaskVersion, viewer()).where(TaskVersion.task_id == task.id).order_by(TaskVersion.number)).all()
    return render_template("practical/task.html", version=version, task=task, text=text, refusal=refusal, versions=seen, told=told,
                           author=author, editable=author and version.state == "draft", kinds=KINDS, fits=tasks.fits(version),
                           may_review=reviewer and version.state == "submitted" and viewer().account_id != version.created_by,
                           lines=_lines_text, html=lambda held: to_html(held, lambda media: ""))


def _read() -> TaskText:
    form = request.form
    return TaskText(form.get("title", ""), whole_number(form.get("minutes", ""), "考核时间", 1, 1440), _plain("body"), _plain("demands"),
                    _plain("school_note"), _lines("school_list"), _plain("candidate_note"), _lines("candidate_list"))


def _plain(field: str) -> str:
    return request.form.get(field, "").replace("\r\n", "\n").replace("\x00", "").strip()


def _lines(field: str) -> tuple[Line, ...]:
    """One thing a line: name, make, unit, number, note, parted by tabs (as pasted from Excel) or upright strokes."""
    made = []
    for line in _plain(field).split("\n"):
        cells = [cell.strip()[:200] for cell in re.split(r"\t|\||｜", line)] + [""] * 5
        if cells[0]:
            made.append((cells[0], cells[1], cells[2], cells[3], cells[4]))
    return tuple(made)


def _lines_text(lines: tuple[Line, ...]) -> str:
    return "\n".join(" | ".join(line).rstrip(" |") for line in lines)

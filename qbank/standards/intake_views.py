"""Doors of the Excel intake: upload, look at what would change, write."""

from __future__ import annotations

from typing import Any

import flask
from flask import flash, redirect, render_template, request, url_for
from itsdangerous import BadData, URLSafeTimedSerializer

from qbank.kernel.access import fetch
from qbank.kernel.forms import excel_upload
from qbank.kernel.refused import Refused
from qbank.kernel.web import db, settings, viewer
from qbank.standards import intake, workbooks
from qbank.standards.blueprint import blueprint, excel
from qbank.standards.models import Standard, Subject

KINDS = {"skill": "技能要求权重表", "theory": "理论知识权重表", "points": "鉴定要素细目表"}
WAITS_SECONDS = 12 * 3600


def _carrier() -> URLSafeTimedSerializer:
    """Carries what was read through the preview page, signed: between the two requests nothing is stored."""
    return URLSafeTimedSerializer(settings().secret_key, salt="standards intake")


@blueprint.get("/templates/<kind>")
def template(kind: str) -> Any:
    if kind not in KINDS:
        flask.abort(404)
    return excel(workbooks.template(kind), f"{KINDS[kind]}模板")


@blueprint.route("/editions/<int:standard_id>/intake", methods=["GET", "POST"])
def upload(standard_id: int) -> Any:
    standard = fetch(db(), Standard, standard_id, viewer())
    if request.method == "GET":
        return _upload_page(standard, None)
    form = request.form
    try:
        kind = form.get("kind", "")
        if kind not in KINDS:
            raise Refused("kind", "请选择导入哪一种表。")
        is_sample, source = "is_sample" in form, form.get("source", "").strip()
        if not is_sample and not source:
            raise Refused("no_source", "请填写来源（标准名称、页码），或勾选“示例”。")
        file_name, content = excel_upload(request.files.get("file"))
        previews, problems = intake.look(db(), standard, content, kind, form.get("level", type=int))
    except Refused as refusal:
        return _upload_page(standard, refusal), 409
    good = [preview for preview in previews if not preview.problems and not problems]
    load = _carrier().dumps({"standard": standard.id, "subject": "skill" if kind == "skill" else "theory",
                             "is_sample": is_sample, "source": source,
                             "seen": {p.level: p.table.row_version for p in good if p.table},
                             "columns": {p.level: intake.pack(p.ranges) for p in good}}) if good else ""
    return render_template("standards/preview.html", standard=standard, kind=kind, title=KINDS[kind], file_name=file_name,
                           previews=previews, problems=problems, load=load, good=good)


def _upload_page(standard: Standard, problem: Refused | None) -> str:
    return render_template("standards/intake.html", standard=standard, kinds=KINDS, problem=problem, typed=request.values)


@blueprint.post("/editions/<int:standard_id>/intake/write")
def write(standard_id: int) -> Any:
    standard = fetch(db(), Standard, standard_id, viewer())
    try:
        load = _carrier().loads(request.form.get("load", ""), max_age=WAITS_SECONDS)
    except BadData:
        raise Refused("preview_lost", "预览已失效，没有写入。请重新上传文件。") from None
    if load["standard"] != standard.id:
        raise Refused("preview_lost", "预览与当前标准不符，没有写入。请重新上传文件。")
    chosen = [level for level in load["columns"] if level in request.form.getlist("level")]
    subject = Subject(load["subject"])
    for table in standard.tables:
        if table.subject is subject and str(table.level) in chosen:
            table.expect(load["seen"].get(str(table.level), 0))
    columns = {int(level): intake.unpack(load["columns"][level]) for level in chosen}
    written = intake.write(db(), standard, subject, columns, viewer(), is_sample=load["is_sample"], source=load["source"])
    flash(f"已写入 {len(written)} 个等级。", "success")
    if len(written) == 1 and subject is Subject.THEORY:
        return redirect(url_for("standards.table", table_id=written[0].id))
    return redirect(url_for("standards.compare", standard_id=standard.id, subject=subject.value))

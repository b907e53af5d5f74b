"""Doors: annex 2's materials; the form as PDF and Word; templates of the tables."""

from __future__ import annotations

from io import BytesIO
from typing import Any

from flask import flash, redirect, render_template, request, send_file, url_for

from examroom.filing import annexes, completeness, form, form_word, materials, rows
from examroom.filing.application_models import Application, Material
from examroom.filing.application_views import editable, found
from examroom.filing.blueprint import blueprint
from qbank.kernel import attachments, forms
from qbank.kernel.access import fetch
from qbank.kernel.identity import IdentityCipher
from qbank.kernel.web import db, identity_cipher, now, viewer
from qbank.standards.models import Standard

PDF = "application/pdf"
WORD = attachments.DOCX
SHEET = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@blueprint.route("/applications/<int:application_id>/materials", methods=["GET", "POST"], endpoint="materials")
def material_list(application_id: int) -> Any:
    one = found(application_id)
    if request.method == "GET":
        standards = list({row.standard_id: row.standard for row in one.occupations}.values())
        lacking = [item.sentence for item in completeness.missing(one) if item.page == "materials"]
        return render_template("filing/materials.html", application=one, annexes=annexes, standards=standards, lacking=lacking,
                               editable=editable(one))
    key = request.form.get("standard_id", "")
    standard = fetch(db(), Standard, forms.whole_number(key, "职业", 1, 2**31 - 1), viewer()) if key else None
    made = materials.add(db(), one, request.form.get("kind", ""), request.files.get("file"), viewer(), standard=standard, now=now())
    flash(f"已上传“{made.attachment.name}”。", "success")
    return redirect(url_for("filing.materials", application_id=one.id) + f"#{made.kind}")


@blueprint.get("/materials/<int:material_id>")
def material(material_id: int) -> Any:
    return attachments.download(db(), fetch(db(), Material, material_id, viewer()).attachment)


@blueprint.post("/materials/<int:material_id>/drop")
def drop_material(material_id: int) -> Any:
    gone = fetch(db(), Material, material_id, viewer())
    key = gone.application_id
    materials.drop(db(), gone, viewer())
    flash("文件已移出申请。", "success")
    return redirect(url_for("filing.materials", application_id=key))


@blueprint.get("/applications/<int:application_id>/rows.xlsx")
def rows_template(application_id: int) -> Any:
    found(application_id)
    part = rows.part_of(request.args.get("part", ""))
    return send_file(BytesIO(rows.template(part)), SHEET, as_attachment=True, download_name=f"{part.short}模板.xlsx")


@blueprint.get("/applications/<int:application_id>/form.pdf")
def form_pdf(application_id: int) -> Any:
    return _sent(found(application_id), "pdf", None)


@blueprint.get("/applications/<int:application_id>/form.docx")
def form_docx(application_id: int) -> Any:
    return _sent(found(application_id), "docx", None)


@blueprint.post("/applications/<int:application_id>/full-form")
def full_form(application_id: int) -> Any:
    """The form with whole identity numbers, to be stamped: the school's only, and every taking is noted."""
    one = found(application_id)
    kind = "docx" if request.form.get("format") == "docx" else "pdf"
    form.take(db(), one, viewer(), kind, now=now())
    return _sent(one, kind, identity_cipher())


def _sent(one: Application, kind: str, cipher: IdentityCipher | None) -> Any:
    name = f"{one.institution.name}备案申报表{one.number}.{kind}"
    if kind == "docx":
        return send_file(BytesIO(form_word.document(form.values(one, cipher))), WORD, as_attachment=True, download_name=name)
    return send_file(BytesIO(form.pdf(one, now=now(), cipher=cipher)), PDF, as_attachment=True, download_name=name)

"""Doors: the check-lists (检查表) of the centres."""

from __future__ import annotations

from typing import Any

from flask import flash, redirect, render_template, request, url_for

from examroom.oversight import lists
from examroom.oversight.blueprint import blueprint, chosen
from examroom.oversight.inspection_models import CheckTemplate
from examroom.oversight.kinds import InspectionKind, Severity
from examroom.oversight.lists import PointDraft
from examroom.oversight.regions import own_regions
from qbank.kernel.access import fetch, visible
from qbank.kernel.refused import Refused
from qbank.kernel.web import db, now, viewer

BLANKS = 5


@blueprint.get("/lists")
def check_lists() -> Any:
    query = visible(CheckTemplate, viewer()).order_by(CheckTemplate.retired_at.is_not(None), CheckTemplate.kind, CheckTemplate.region,
                                                      CheckTemplate.number.desc())
    return render_template("oversight/check_lists.html", rows=db().scalars(query).all(), kinds=InspectionKind, regions=own_regions(viewer()))


@blueprint.get("/lists/<int:template_id>")
def check_list(template_id: int) -> Any:
    return render_template("oversight/check_list.html", list=fetch(db(), CheckTemplate, template_id, viewer()), regions=own_regions(viewer()))


@blueprint.post("/lists/adopt")
def adopt_list() -> Any:
    kind = chosen(InspectionKind, request.form.get("kind", ""), "检查方式")
    made = lists.adopt(db(), request.form.get("region", ""), kind, viewer(), now=now())
    flash(f"已采用标准的{kind.chinese}检查表，可以在此基础上修改。", "success")
    return redirect(url_for("oversight.check_list", template_id=made.id))


@blueprint.route("/lists/edit", methods=["GET", "POST"])
def edit_list() -> Any:
    """A new number of a kind's list, beginning with what is in force."""
    region, text = (request.values.get(name, "") for name in ("region", "kind"))
    kind = chosen(InspectionKind, text, "检查方式")
    if request.method == "POST":
        drafts = _typed()
        try:
            made = lists.make(db(), region, kind, request.form.get("title", "")[:200], drafts, viewer(), now=now())
        except Refused as refusal:
            db().rollback()
            return _form(region, kind, request.form.get("title", ""), drafts, refusal), 409
        flash(f"第 {made.number} 版检查表已启用。", "success")
        return redirect(url_for("oversight.check_list", template_id=made.id))
    held = lists.in_force(db(), region, kind)
    drafts = [PointDraft(one.section, one.text, one.basis, one.severity) for one in held.points] if held else list(lists.STANDARD[kind])
    return _form(region, kind, held.title if held else f"{kind.chinese}检查表", drafts)


def _form(region: str, kind: InspectionKind, title: str, drafts: list[PointDraft], refusal: Refused | None = None) -> str:
    return render_template("oversight/edit_list.html", region=region, kind=kind, title=title, drafts=[*drafts, *[PointDraft("", "")] * BLANKS],
                           refusal=refusal, severities=Severity)


def _typed() -> list[PointDraft]:
    """The rows of the form; one whose text is empty is none."""
    columns = zip(*(request.form.getlist(name) for name in ("section", "text", "basis", "severity")), strict=False)
    return [PointDraft(section, text, basis, chosen(Severity, severity, "轻重")) for section, text, basis, severity in columns if text.strip()]

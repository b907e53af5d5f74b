"""Doors: specifications, their versions, what differs between two, copies."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from flask import flash, redirect, render_template, request, url_for

from qbank.items.bank import banks_for
from qbank.kernel.access import Role, fetch
from qbank.kernel.accounts import Institution
from qbank.kernel.forms import whole_number
from qbank.kernel.refused import Refused
from qbank.kernel.web import db, now, paged, viewer
from qbank.papers import desk, listing
from qbank.papers.blueprint import blueprint
from qbank.papers.contents import parts_of, quotas_of
from qbank.papers.forms import FREE, PRESETS, SpecificationForm, a_seed, rows_of
from qbank.papers.lists import lists_of, rules_of
from qbank.papers.models import PaperFamily, Specification
from qbank.papers.outline import outline
from qbank.papers.pins import named
from qbank.papers.pool import pool_of
from qbank.papers.questions import MOST_IN_POOL, of_values, settings_in
from qbank.papers.rules import GROUPS, KINDS_OF_RULES, LISTS
from qbank.papers.spec_difference import Side, differences, said
from qbank.papers.specification import FORMS, KIND_NAMES
from qbank.standards.models import WeightTable
from qbank.standards.packs import pack_for
from qbank.standards.rulepack import RulePack

Banks = Sequence[tuple[Institution, WeightTable]]


@blueprint.get("/specifications")
def specifications() -> Any:
    rows, total, page, pages = paged(db(), listing.specifications(viewer()))
    counted = db().execute(
        sa.select(PaperFamily.specification_id, sa.func.count()).where(
            PaperFamily.specification_id.in_([row.id for row in rows])).group_by(PaperFamily.specification_id))
    made = Counter({row[0]: row[1] for row in counted})
    return render_template("papers/specifications.html", rows=rows, total=total, page=page, pages=pages, made=made)


@blueprint.route("/specifications/new", methods=["GET", "POST"])
def new_specification() -> Any:
    banks = banks_for(db(), viewer(), Role.PAPER_COMPOSER)
    if request.method == "GET":
        pack = pack_for(db(), banks[0][0]) if banks else RulePack()
        return _form(banks, SpecificationForm.empty(pack.theory_minutes, pack.theory_instructions))
    form = SpecificationForm.read(request.form)
    try:
        made = _specified(banks, form)
    except Refused as refusal:
        return _form(banks, form, refusal=refusal), 409
    flash("组卷方案已保存，各范围的题量已按权重分配。", "success")
    return redirect(url_for("papers.specification", specification_id=made.id))


def _specified(banks: Banks, form: SpecificationForm) -> Specification:
    chosen = [(school, table) for school, table in banks if (school.id, table.id) == form.bank_ids()]
    if not chosen:
        raise Refused("no_bank", "请选择要组卷的权重表。")
    school, table = chosen[0]
    return desk.specify(db(), table, school.id, form.name, form.parts(), viewer(), now=now(), instructions=form.instructions,
                        calculator=form.calculator, minutes=whole_number(form.minutes, "考试时间", *desk.MINUTES))


@blueprint.route("/specifications/<int:specification_id>/edit", methods=["GET", "POST"])
def edit_specification(specification_id: int) -> Any:
    found = fetch(db(), Specification, specification_id, viewer())
    banks = [(db().get_one(Institution, found.institution_id), found.table)]
    if request.method == "GET":
        return _form(banks, SpecificationForm.of(found, parts_of(found)), found)
    form = SpecificationForm.read(request.form)
    try:
        wanted = desk.Contents(form.name, tuple(form.parts()), whole_number(form.minutes, "考试时间", *desk.MINUTES),
                               form.instructions, form.calculator, rules_of(db(), found))
        made = desk.revise(db(), found, wanted, viewer(), reason=form.reason, now=now())
    except Refused as refusal:
        return _form(banks, form, found, refusal), 409
    flash(_saved(found, made), "success")
    return redirect(url_for("papers.specification", specification_id=made.id))


def _saved(before: Specification, made: Specification) -> str:
    return "方案已保存。" if made is before else f"已用上一版组过卷，修改已另存为第 {made.number} 版；以前的试卷仍按原来的版本。"


def _form(banks: Banks, form: SpecificationForm, found: Specification | None = None, refusal: Refused | None = None) -> str:
    return render_template("papers/new_specification.html", banks=banks, form=form, refusal=refusal, presets=PRESETS, found=found,
                           free=FREE, kinds=KIND_NAMES, limits=desk.MINUTES, used=found is not None and desk.was_used(db(), found),
                           shapes={name: rows_of(parts) for name, parts in FORMS.items()})


@blueprint.get("/specifications/<int:specification_id>")
def specification(specification_id: int) -> Any:
    found = fetch(db(), Specification, specification_id, viewer())
    pool = pool_of(db(), found.table_id, found.institution_id, viewer().account_id, now=now())
    quotas, settings = quotas_of(db(), found), settings_in(db(), found)
    put = of_values(pool, quotas, settings, lists_of(db(), found))
    held = pool.holdings(quotas.parts, put.barred)
    versions = desk.versions_of(db(), found)
    return render_template(
        "papers/specification.html", found=found, quotas=quotas, held=held, versions=versions, newest=versions[-1] is found,
        names={place.path: place.name for place in found.table.ranges}, rows=outline(quotas, held),
        own=len(pool.own), bank_size=len(pool.items), calibrated=int(pool.parameters.calibrated.sum()), seed=a_seed(),
        most=MOST_IN_POOL, kinds=KIND_NAMES, rules=[(kind.title, settings[code], said(kind, settings[code]))
                                                   for code, kind in KINDS_OF_RULES.items()],
        pinned={name: len(rows) for name, rows in lists_of(db(), found).items()}, lists=LISTS,
        families=db().scalars(listing.families(viewer(), found.line).limit(10)).all())


@blueprint.post("/specifications/<int:specification_id>/copy")
def copy_specification(specification_id: int) -> Any:
    found = fetch(db(), Specification, specification_id, viewer())
    made = desk.copy(db(), found, request.form.get("name", ""), viewer(), now=now())
    flash(f"已复制为“{made.name}”，可以修改。", "success")
    return redirect(url_for("papers.specification", specification_id=made.id))


@blueprint.get("/specifications/<int:specification_id>/difference")
def difference(specification_id: int) -> Any:
    found = fetch(db(), Specification, specification_id, viewer())
    versions = desk.versions_of(db(), found)
    asked = request.args.get("with", "")
    before = next((one for one in versions if str(one.number) == asked), versions[max(0, versions.index(found) - 1)])
    return render_template("papers/difference.html", found=found, before=before, versions=versions,
                           lines=differences(_side(before), _side(found)), groups=GROUPS)


def _side(one: Specification) -> Side:
    return Side(one.name, one.minutes, one.calculator, one.instructions, quotas_of(db(), one), settings_in(db(), one),
                {title: named(db(), one, name, viewer()) for name, title in LISTS.items()})

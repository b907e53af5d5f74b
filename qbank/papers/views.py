"""Doors: specifications, assembly, papers and their compliance sheet (组卷)."""

from __future__ import annotations

from collections import Counter
from typing import Any

import sqlalchemy as sa
from flask import flash, redirect, render_template, request, url_for

from qbank.items.bank import banks_for
from qbank.items.states import ItemKind
from qbank.kernel.access import Role, fetch
from qbank.kernel.accounts import Account, Institution
from qbank.kernel.forms import whole_number
from qbank.kernel.jobs import enqueue
from qbank.kernel.refused import Refused
from qbank.kernel.web import db, now, paged, viewer
from qbank.papers import desk, health_views, listing, opening_views, print_views, prints, work  # noqa: F401  # these register doors and a kind of job
from qbank.papers.blueprint import blueprint, sees_items
from qbank.papers.contents import items_of, policy_of, quotas_of
from qbank.papers.forms import FREE, PRESETS, SpecificationForm, a_seed, read_seed, rows_of
from qbank.papers.models import Paper, PaperState, Specification
from qbank.papers.pool import pool_of
from qbank.papers.specification import FORMS, KIND_NAMES
from qbank.standards.models import WeightTable
from qbank.standards.packs import pack_for
from qbank.standards.rulepack import RulePack


@blueprint.get("/specifications")
def specifications() -> Any:
    rows, total, page, pages = paged(db(), listing.specifications(viewer()))
    made = Counter(dict(db().execute(
        sa.select(Paper.specification_id, sa.func.count()).where(
            Paper.specification_id.in_([row.id for row in rows]), Paper.state != PaperState.DISCARDED)
        .group_by(Paper.specification_id)).all()))
    return render_template("papers/specifications.html", rows=rows, total=total, page=page, pages=pages, made=made)


@blueprint.route("/specifications/new", methods=["GET", "POST"])
def new_specification() -> Any:
    banks = banks_for(db(), viewer(), Role.PAPER_COMPOSER)
    if request.method == "GET":
        minutes = pack_for(db(), banks[0][0]).theory_minutes if banks else RulePack().theory_minutes
        return _specification_form(banks, SpecificationForm.empty(minutes))
    form = SpecificationForm.read(request.form)
    try:
        return _specified(banks, form)
    except Refused as refusal:
        return _specification_form(banks, form, refusal), 409


def _specified(banks: list[tuple[Institution, WeightTable]], form: SpecificationForm) -> Any:
    chosen = [(school, table) for school, table in banks if (school.id, table.id) == form.bank_ids()]
    if not chosen:
        raise Refused("no_bank", "请选择要组卷的权重表。")
    school, table = chosen[0]
    made = desk.specify(db(), table, school.id, form.name, form.parts(), viewer(),
                        minutes=whole_number(form.minutes, "考试时间", *desk.MINUTES), now=now())
    flash("组卷方案已保存，各范围的题量已按权重分配。", "success")
    return redirect(url_for("papers.specification", specification_id=made.id))


def _specification_form(banks: list[tuple[Institution, WeightTable]], form: SpecificationForm,
                        refusal: Refused | None = None) -> str:
    return render_template("papers/new_specification.html", banks=banks, form=form, refusal=refusal, presets=PRESETS,
                           free=FREE, kinds=KIND_NAMES, limits=desk.MINUTES,
                           shapes={name: rows_of(parts) for name, parts in FORMS.items()})


@blueprint.get("/specifications/<int:specification_id>")
def specification(specification_id: int) -> Any:
    found = fetch(db(), Specification, specification_id, viewer())
    pool = pool_of(db(), found.table_id, found.institution_id, viewer().account_id)
    held = Counter((item.range_key, item.kind) for item in pool.candidates if item.key not in pool.barred)
    made = db().scalars(listing.papers(viewer(), listing.Filters(specification_id=found.id)).limit(20)).all()
    return render_template("papers/specification.html", found=found, quotas=quotas_of(db(), found), held=held, made=made,
                           names={leaf.path: leaf.name for leaf in found.table.ranges}, own=len(pool.own),
                           bank_size=len(pool.candidates), seed=a_seed(), most=desk.MOST_FORMS, kinds=KIND_NAMES)


@blueprint.post("/specifications/<int:specification_id>/assemble")
def assemble(specification_id: int) -> Any:
    found = fetch(db(), Specification, specification_id, viewer())
    seed = read_seed(request.form.get("seed", ""))
    forms = whole_number(request.form.get("forms", ""), "套数", 1, desk.MOST_FORMS)
    job = enqueue(db(), "papers.assemble", {"specification": found.id, "seed": seed, "forms": forms}, viewer(), now=now())
    return redirect(url_for("accounts.job", job_id=job.id))


@blueprint.get("/")
def index() -> Any:
    filters = listing.Filters.read(request.args)
    rows, total, page, pages = paged(db(), listing.papers(viewer(), filters))
    return render_template("papers/index.html", rows=rows, total=total, page=page, pages=pages, filters=filters,
                           states=PaperState, specifications=db().scalars(listing.specifications(viewer()).limit(200)).all())


@blueprint.get("/<int:paper_id>")
def show(paper_id: int) -> Any:
    paper = fetch(db(), Paper, paper_id, viewer())
    sealer = db().get(Account, paper.sealed_by) if paper.sealed_by else None
    return render_template("papers/show.html", paper=paper, sheet=paper.compliance, kinds=KIND_NAMES, sealer=sealer,
                           intact=desk.verify(paper) if paper.state is PaperState.SEALED else None,
                           items=items_of(paper) if sees_items(paper) else None, kind_of=ItemKind,
                           policy=policy_of(db(), paper))


@blueprint.post("/<int:paper_id>/seal")
def seal(paper_id: int) -> Any:
    paper = fetch(db(), Paper, paper_id, viewer())
    desk.seal(db(), paper, viewer(), now=now())
    flash(f"试卷已封存，指纹 {str(paper.fingerprint)[:16]}…。内容已加密，任何人都看不到；使用前由两人共同启封。", "success")
    return redirect(url_for("papers.show", paper_id=paper.id))


@blueprint.post("/<int:paper_id>/discard")
def discard(paper_id: int) -> Any:
    paper = fetch(db(), Paper, paper_id, viewer())
    desk.discard(db(), paper, viewer(), now=now())
    flash(f"“{paper.name}”已作废，其中的题可用于其他试卷。", "success")
    return redirect(url_for("papers.index"))

"""Doors: the archive (归档): packs, packing, taking out, verifying. Ledger: :mod:`.ledger_views`; volumes: :mod:`.volume_views`;
holds, destruction and recordings: :mod:`.keeping_views`."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import sqlalchemy as sa
from flask import Response, redirect, render_template, request, url_for

from examroom.filing.duties import on_duty
from examroom.plans.models import ExamPlan
from qbank.kernel.access import Role, fetch, visible
from qbank.kernel.refused import Refused
from qbank.kernel.times import local_date
from qbank.kernel.web import db, now, paged, settings, viewer
from scoring.archive import (  # the doors of the other view modules hang on the blueprint
    desk,
    erasure_views,  # noqa: F401
    keeping,
    keeping_views,  # noqa: F401
    ledger_views,  # noqa: F401
    verifier,
    volume_views,  # noqa: F401
)
from scoring.archive.blueprint import blueprint
from scoring.archive.models import ArchivePack, DestructionState
from scoring.archive.packing import chunks, manifest_of
from scoring.archive.retention import is_over, remaining
from scoring.archive.signature import key_names
from scoring.results.models import ResultList, ResultState


@blueprint.get("/")
def index() -> Any:
    waiting = db().scalars(unpacked().order_by(ExamPlan.starts_on)).all()
    rows, total, page, pages = paged(db(), visible(ArchivePack, viewer()).order_by(ArchivePack.keep_until, ArchivePack.id))
    today = local_date(now())
    return render_template("archive/index.html", rows=rows, total=total, page=page, pages=pages, waiting=waiting, officer=viewer().has(Role.EXAM_OFFICER),
                           left={row.id: _left(row, today) for row in rows}, held={row.id: bool(keeping.standing(db(), row.plan)) for row in rows})


def unpacked() -> sa.Select[ExamPlan]:
    """The plans with final results that are not packed."""
    return visible(ExamPlan, viewer()).where(
        ExamPlan.id.in_(sa.select(ResultList.plan_id).where(ResultList.state == ResultState.FINAL)),
        ExamPlan.id.not_in(sa.select(ArchivePack.plan_id)))


def _left(pack: ArchivePack, today: Any) -> str:
    return "已销毁" if pack.destroyed_at else remaining(pack.keep_until, today)


@blueprint.post("/plans/<int:plan_id>/pack")
def pack(plan_id: int) -> Any:
    plan = fetch(db(), ExamPlan, plan_id, viewer())
    job = desk.ask_for(db(), plan, viewer(), now=now())
    return redirect(url_for("accounts.job", job_id=job.id))


@blueprint.get("/<int:pack_id>")
def show(pack_id: int) -> Any:
    return _page(fetch(db(), ArchivePack, pack_id, viewer()))


@blueprint.get("/<int:pack_id>/verify")
def verify(pack_id: int) -> Any:
    found = fetch(db(), ArchivePack, pack_id, viewer())
    return _page(found, findings=desk.verify(db(), found, keys=key_names(db(), settings(), now=now())))


@blueprint.post("/<int:pack_id>/download")
def download(pack_id: int) -> Any:
    found = fetch(db(), ArchivePack, pack_id, viewer())
    reason = request.form.get("reason", "")
    try:
        desk.take_out(db(), found, viewer(), reason, now=now())
        opened = desk.opened(db(), found)
        stream = opened.__enter__()
    except Refused as refusal:
        return _page(found, problem=refusal.sentence, reason=reason), 409
    answer = Response(chunks(stream), mimetype="application/zip", headers={
        "Content-Disposition": f"attachment; filename*=UTF-8''{quote(f'归档卷_{found.plan.number}.zip')}",
        "Content-Length": str(found.size)})
    answer.call_on_close(lambda: opened.__exit__(None, None, None))
    return answer


def _page(found: ArchivePack, **shown: Any) -> str:
    today, files = local_date(now()), []
    if found.destroyed_at is None:
        try:
            with desk.opened(db(), found) as stream:
                manifest = manifest_of(stream)
                files = verifier.listed_of(manifest) if manifest else []
        except Refused as refusal:
            shown = {"problem": refusal.sentence} | shown
    return render_template(
        "archive/show.html", **({"findings": None, "problem": "", "reason": ""} | shown), pack=found, files=files,
        left=_left(found, today), over=is_over(max(found.keep_until, found.paper_until or found.keep_until), today),
        holds=keeping.holds_of(db(), found.plan), asked=next((one for one in found.destructions if one.state is DestructionState.ASKED), None),
        in_charge=on_duty(db(), viewer(), found.plan.institution_id, Role.EXAM_OFFICER, plan_id=found.plan_id))

"""Doors of the export: what and in which format, what it could not carry, the file."""

from __future__ import annotations

from dataclasses import asdict
from io import BytesIO
from typing import Any

from flask import redirect, render_template, request, send_file, url_for

from qbank.exchange import exporting
from qbank.exchange.blueprint import blueprint
from qbank.exchange.models import ExportFile
from qbank.exchange.readers import FORMATS
from qbank.items.bank import banks_for
from qbank.items.filters import DIFFICULTIES, Filters
from qbank.items.models import BANK_ROLES
from qbank.items.states import ItemKind, ItemState
from qbank.kernel.access import fetch, visible
from qbank.kernel.jobs import enqueue
from qbank.kernel.refused import Refused
from qbank.kernel.web import db, now, viewer

SHOWN = {"table", "sort", "state", "kind", "difficulty", "range", "q", "mine"}  # filters that the form has fields for
MOST_SHOWN = 200  # losses on the page; the text file has all


@blueprint.route("/export", methods=["GET", "POST"])
def export() -> Any:
    if request.method == "GET":
        return _page()
    try:
        wish = exporting.ask(db(), request.form, viewer())
    except Refused as refusal:
        return _page(refusal), 409
    job = enqueue(db(), "exchange.export", {"wish": asdict(wish)}, viewer(), now=now())
    return redirect(url_for("accounts.job", job_id=job.id))


@blueprint.get("/exports/<int:export_id>")
def exported(export_id: int) -> Any:
    file = fetch(db(), ExportFile, export_id, viewer())
    return render_template("exchange/exported.html", file=file, format=FORMATS[file.format], most=MOST_SHOWN)


@blueprint.get("/exports/<int:export_id>/file")
def download(export_id: int) -> Any:
    file = fetch(db(), ExportFile, export_id, viewer())
    if file.content is None:
        raise Refused("gone", "导出的文件只保留一天，已经删除。请重新导出。")
    return send_file(BytesIO(file.content), "application/octet-stream", as_attachment=True, download_name=file.file_name)


@blueprint.get("/exports/<int:export_id>/losses")
def losses(export_id: int) -> Any:
    file = fetch(db(), ExportFile, export_id, viewer())
    content = "\ufeff" + exporting.report_text(file)
    return send_file(BytesIO(content.encode()), "text/plain; charset=utf-8", as_attachment=True,
                     download_name=f"{file.file_name}_损失清单.txt")


def _page(refusal: Refused | None = None) -> str:
    asked = request.form if request.method == "POST" else request.args
    hidden = {name: value for name, value in Filters.read(asked).arguments().items() if name not in SHOWN}
    recent = db().scalars(visible(ExportFile, viewer()).order_by(ExportFile.id.desc()).limit(10)).all()
    return render_template("exchange/export.html", refusal=refusal, asked=asked, hidden=hidden, recent=recent,
                           banks=banks_for(db(), viewer(), *BANK_ROLES), kinds=ItemKind, difficulties=DIFFICULTIES,
                           states=[state for state in ItemState if state is not ItemState.SUPERSEDED],
                           formats=[one for one in FORMATS.values() if one.writable], all_formats=FORMATS)

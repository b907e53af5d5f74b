"""Doors: practice for candidates."""

from __future__ import annotations

import secrets
from typing import Any

from flask import redirect, render_template, request, url_for
from werkzeug.exceptions import NotFound

from examroom.delivery import practice
from examroom.delivery.blueprint import blueprint
from qbank.items import markup, pictures
from qbank.items.models import ItemVersion
from qbank.items.review import blanks_to_fill
from qbank.kernel.web import db, now, viewer

LARGEST_SEED = 2**31


@blueprint.get("/practice", endpoint="practice")
def choose() -> Any:
    """What this candidate may practise."""
    busy = practice.in_exam(db(), viewer(), now=now())
    return render_template("delivery/practice.html", busy=busy, offers=[] if busy else practice.offers(db(), viewer()))


@blueprint.get("/practice/<int:table_id>", endpoint="practise")
def ask(table_id: int) -> Any:
    """Ten items of ``?range=``, drawn by ``?draw=``: the same address shows the same items."""
    practice.require_free(db(), viewer(), now=now())
    seed, path = request.args.get("draw", type=int), _path()
    if seed is None or not 0 <= seed < LARGEST_SEED:
        return redirect(url_for("delivery.practise", table_id=table_id, range=path or None,
                                draw=secrets.randbelow(LARGEST_SEED)))
    return _round(table_id, practice.draw(db(), viewer(), table_id, path, seed))


@blueprint.post("/practice/<int:table_id>", endpoint="practised")
def answer(table_id: int) -> Any:
    """The same items again, those that were asked for with their keys. It only reads."""
    practice.require_free(db(), viewer(), now=now())
    versions = practice.these(db(), viewer(), table_id, _ids("version"))
    given = {version.id: request.form.getlist(f"answer-{version.id}") for version in versions}
    asked = {version.id for version in versions} if "all" in request.form else {*_ids("shown"), *_ids("show")}
    return _round(table_id, versions, given, asked)


def _round(table_id: int, versions: list[ItemVersion], given: dict[int, list[str]] | None = None,
           asked: set[int] | None = None) -> str:
    if not versions:
        raise NotFound
    outcomes = practice.judged(versions, given or {}, asked or set())
    texts = [text for version in versions for text in (
        version.stem, version.explanation, version.key, version.stimulus.text if version.stimulus else "",
        *(option.text for option in version.options))]
    address = pictures.inline(db(), versions[0].item.institution_id, texts)
    return render_template(
        "delivery/practise.html", versions=versions, given=given or {}, outcomes=outcomes, table=versions[0].item.table,
        path=_path(), blanks={version.id: blanks_to_fill(version) for version in versions},
        said=lambda text: markup.to_html(text, address))


def _path() -> str:
    return request.args.get("range", "")[:40]


def _ids(name: str) -> list[int]:
    return [int(key) for key in request.form.getlist(name)[:50] if key.isdecimal() and len(key) < 10]

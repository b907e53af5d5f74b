"""Doors: running sittings, to look at only (互联网＋监管)."""

from __future__ import annotations

import hashlib
import json
from datetime import timedelta
from typing import Any

from flask import Response, render_template, request
from werkzeug.exceptions import NotFound

from examroom.oversight import live
from examroom.oversight.blueprint import blueprint
from examroom.plans.models import Sitting
from qbank.kernel.access import LARGEST_KEY
from qbank.kernel.web import db, now, viewer


@blueprint.get("/live")
def live_list() -> Any:
    """The sittings of today and of the days around it."""
    found = live.sittings(db(), viewer(), now() - timedelta(hours=18), now() + timedelta(days=7))
    return render_template("oversight/live_list.html", rows=[(one, *live.standing(one, now())) for one in found])


@blueprint.get("/live/<int:sitting_id>")
def live_sitting(sitting_id: int) -> Any:
    found = _sitting(sitting_id)
    return render_template("oversight/live_sitting.html", sitting=found, standing=live.standing(found, now()))


@blueprint.get("/live/<int:sitting_id>/state")
def live_state(sitting_id: int) -> Any:
    """What the page asks for every few seconds: 304 while nothing happened."""
    text = json.dumps(live.look(db(), _sitting(sitting_id), now=now()), ensure_ascii=False, separators=(",", ":"))
    known = f'"{hashlib.sha256(text.encode()).hexdigest()[:20]}"'
    answer = Response(status=304) if request.headers.get("If-None-Match") == known else Response(text, mimetype="application/json")
    answer.headers["ETag"] = known
    answer.headers["X-Clock"] = str(round(now().timestamp() * 1000))
    return answer


def _sitting(sitting_id: int) -> Sitting:
    found = db().scalars(live.watched(viewer()).where(Sitting.id == sitting_id)).one_or_none() if 0 < sitting_id <= LARGEST_KEY else None
    if found is None:
        raise NotFound
    return found

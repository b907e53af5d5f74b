"""Doors: what a candidate can reach (考试), and the officer's desk for dealing (发卷)."""

from __future__ import annotations

import unicodedata
from typing import Any

import flask
import sqlalchemy as sa
from flask import flash, redirect, render_template, request, url_for
from flask_login import logout_user
from flask_wtf.csrf import generate_csrf
from werkzeug.exceptions import NotFound

from examroom.delivery import (  # noqa: F401  # doors register
    bodies,
    dealing,
    door,
    hall,
    page_views,
    pages,
    practice_views,
    seb_door,
    sheets,
    watched,
    work,
)
from examroom.delivery.blueprint import blueprint
from examroom.delivery.models import Dealing, Sheet
from examroom.delivery.shells import Shells
from examroom.plans.models import Seat, Sitting, SittingState
from qbank.kernel import sign_ins
from qbank.kernel.access import fetch, visible
from qbank.kernel.forms import moment
from qbank.kernel.jobs import enqueue
from qbank.kernel.refused import Refused
from qbank.kernel.times import spoken
from qbank.kernel.views import safe_next, start_session
from qbank.kernel.web import db, identity_cipher, now, paged, reading, settings, viewer, writer

LONGEST_LINE = 200
WRONG = {"code": "考试码不正确，或已经换发。请对照准考证重新输入（32 位，不分大小写，空格可不输）。",
         "ticket": "准考证号或身份证号不正确。请对照准考证重新输入；身份证号末位是 X 的也要输入。"}
LOCKED = {"code": "这个考试码在本机连续多次登录失败，已暂时锁定 15 分钟。请改用准考证号和身份证号登录。",
          "ticket": "这个准考证号连续多次登录失败，已暂时锁定 15 分钟。请改用准考证上的考试码登录，或举手由监考员处理。"}


@blueprint.route("/exam", methods=["GET", "POST"])
def sign_in() -> Any:
    code, ticket = _typed("code"), _typed("ticket")
    page: dict[str, Any] = {"next": request.values.get("next", ""), "ticket": ticket, "by_ticket": bool(ticket), "problem": ""}
    if request.method == "GET":
        return render_template("delivery/sign_in.html", **page)
    way, address = "code" if code else "ticket", request.remote_addr or ""
    try:
        with reading() as quick:
            knock = (door.by_code(quick.connection(), code, settings().code_key, address) if code else
                     door.by_ticket(quick.connection(), ticket, _typed("identity_number"), address, identity_cipher()))
        may_enter = writer().write(door.note, knock)
    except Refused:
        return render_template("delivery/sign_in.html", **page | {"problem": LOCKED[way], "by_ticket": True})
    if not may_enter or knock.person is None:
        return render_template("delivery/sign_in.html", **page | {"problem": WRONG[way]})
    start_session(knock.person)
    target = page["next"]
    return redirect(safe_next(target) if target.startswith(("/exam/", "/plans/own")) else url_for("delivery.waiting_hall"))


@blueprint.post("/exam/leave")
def leave() -> Any:
    """Back to the exam door, where the next candidate signs in."""
    pages.leave(db(), viewer())
    sign_ins.end(db(), viewer(), flask.session.get("secret", ""), now=now())
    logout_user()
    flask.session.clear()
    return redirect(url_for("delivery.sign_in"))


@blueprint.get("/exam/hall")
def waiting_hall() -> Any:
    return _shells().hall(hall.places(db(), viewer().account_id, now=now()), viewer().name, generate_csrf)


@blueprint.get("/exam/hall/state")
def hall_state() -> Any:
    return hall.state_of(hall.current(hall.places(db(), viewer().account_id, now=now())))


@blueprint.get("/exam/sheets/<int:sheet_id>")
def exam(sheet_id: int) -> Any:
    """The shell of the exam page: no item text; its scripts fetch the rest."""
    place = next((one for one in hall.places(db(), viewer().account_id, now=now()) if one.sheet_id == sheet_id), None)
    if place is None:  # a sheet that the person may see in another role is not theirs to sit
        raise NotFound
    if not place.shows:
        return redirect(url_for("delivery.waiting_hall"))
    seb_door.require(db(), sheet_id)
    return _shells().exam(place, generate_csrf)


def _shells() -> Shells:
    found: Shells = flask.current_app.extensions["shells"]
    return found


@blueprint.get("/delivery/")
def index() -> Any:
    query = visible(Sitting, viewer()).order_by(Sitting.starts_at.desc(), Sitting.id.desc())
    rows, total, page, pages_ = paged(db(), query)
    seated = dict(db().execute(sa.select(Seat.sitting_id, sa.func.count()).where(
        Seat.sitting_id.in_([row.id for row in rows])).group_by(Seat.sitting_id)).all())
    return render_template("delivery/index.html", rows=rows, total=total, page=page, pages=pages_, seated=seated)


@blueprint.get("/delivery/sittings/<int:sitting_id>")
def desk(sitting_id: int) -> Any:
    sitting = fetch(db(), Sitting, sitting_id, viewer())
    dealings = db().scalars(sa.select(Dealing).where(Dealing.sitting_id == sitting.id).order_by(Dealing.id.desc())).all()
    found = db().scalars(sa.select(Sheet).where(Sheet.sitting_id == sitting.id).join(Sheet.seat)
                         .order_by(Seat.sitting_room_id, Seat.number)).all()
    seats = db().scalar(sa.select(sa.func.count()).where(Seat.sitting_id == sitting.id)) or 0
    return render_template("delivery/desk.html", sitting=sitting, dealings=dealings, sheets=found, seats=seats,
                           unseated=dealing.unseated(db(), sitting), now=now(),
                           outdated=bodies.outdated(db(), sitting.id) if sitting.state is SittingState.DEALT else 0)


@blueprint.post("/delivery/sittings/<int:sitting_id>/deal")
def deal(sitting_id: int) -> Any:
    sitting = fetch(db(), Sitting, sitting_id, viewer())
    dealing.check_ready(db(), sitting, viewer(), now=now())
    job = enqueue(db(), work.DEAL, {"sitting": sitting.id}, viewer(), now=now())
    return redirect(url_for("accounts.job", job_id=job.id))


@blueprint.post("/delivery/sittings/<int:sitting_id>/postpone")
def postpone(sitting_id: int) -> Any:
    sitting = fetch(db(), Sitting, sitting_id, viewer())
    dealing.postpone(db(), sitting, moment(request.form.get("starts_at", ""), "开考时间"), viewer(), now=now())
    flash(f"开考时间已改为 {spoken(sitting.starts_at)}，候考页面会自动更新。", "success")
    return redirect(url_for("delivery.desk", sitting_id=sitting.id))


def _typed(name: str) -> str:
    """A number as it was meant: a Chinese input method types full-width digits, people type gaps."""
    return "".join(unicodedata.normalize("NFKC", request.form.get(name, "")).split())[:LONGEST_LINE]

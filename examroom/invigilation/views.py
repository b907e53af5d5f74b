"""Doors: the live board of a room (监考)."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from flask import Blueprint, flash, redirect, render_template, request, url_for
from werkzeug.exceptions import NotFound

from examroom.delivery.models import ExamPage, Sheet
from examroom.invigilation import rooms
from examroom.invigilation.board import board as read_board
from examroom.invigilation.models import Incident
from examroom.plans.models import Sitting, SittingRoom
from qbank.kernel import audit
from qbank.kernel.access import fetch, visible
from qbank.kernel.forms import whole_number
from qbank.kernel.web import db, now, paged, viewer

blueprint = Blueprint("invigilation", __name__, url_prefix="/invigilation")


@blueprint.get("/")
def index() -> Any:
    query = (visible(SittingRoom, viewer()).join(SittingRoom.sitting)
             .order_by(Sitting.starts_at.desc(), SittingRoom.id))
    rows, total, page, pages = paged(db(), query)
    return render_template("invigilation/index.html", rows=rows, total=total, page=page, pages=pages, now=now())


@blueprint.get("/rooms/<int:room_id>")
def room(room_id: int) -> Any:
    found = fetch(db(), SittingRoom, room_id, viewer())
    incidents = _incidents(found)
    mine = any(watcher.account_id == viewer().account_id for watcher in found.invigilators)
    return render_template("invigilation/room.html", room=found, board=read_board(db(), found, now=now()), mine=mine,
                           incidents=incidents, closing=rooms.closing_of(db(), found), kinds=rooms.KINDS, now=now())


@blueprint.get("/rooms/<int:room_id>/board")
def board(room_id: int) -> Any:
    return read_board(db(), fetch(db(), SittingRoom, room_id, viewer()), now=now())


@blueprint.get("/rooms/<int:room_id>/record")
def record(room_id: int) -> Any:
    """考场情况记录单, to be printed and signed."""
    found = fetch(db(), SittingRoom, room_id, viewer())
    return render_template("invigilation/record.html", room=found, incidents=_incidents(found),
                           sheets=rooms.sheets_of(db(), found), closing=rooms.closing_of(db(), found),
                           head=audit.head(db()), now=now())


@blueprint.post("/rooms/<int:room_id>/open")
def open_room(room_id: int) -> Any:
    found = fetch(db(), SittingRoom, room_id, viewer())
    rooms.open_room(db(), found, viewer(), now=now())
    flash("考场已开启。到开考时间，候考的考生会自动进入答题。", "success")
    return _back(found)


@blueprint.post("/rooms/<int:room_id>/time")
def grant(room_id: int) -> Any:
    """Time for one seat, or for the whole room when no sheet is chosen."""
    found = fetch(db(), SittingRoom, room_id, viewer())
    minutes = whole_number(request.form.get("minutes", ""), "分钟数", -240, 240)
    reason = request.form.get("reason", "")
    if request.form.get("sheet_id"):
        sheet = _sheet(found)
        rooms.grant_time(db(), sheet, minutes * 60, reason, viewer(), now=now())
        flash(f"已为 {sheet.enrolment.candidate.name} 调整 {minutes:+d} 分钟，考生页面 5 秒内显示。", "success")
    else:
        count = rooms.grant_room(db(), found, minutes * 60, reason, viewer(), now=now())
        flash(f"已为 {count} 名考生各调整 {minutes:+d} 分钟，考生页面 5 秒内显示。", "success")
    return _back(found)


@blueprint.post("/rooms/<int:room_id>/hand-in")
def force(room_id: int) -> Any:
    found = fetch(db(), SittingRoom, room_id, viewer())
    sheet = _sheet(found)
    rooms.force_hand_in(db(), sheet, viewer(), request.form.get("reason", ""), now=now())
    flash(f"已收取 {sheet.enrolment.candidate.name} 的答卷，已保存的答案全部有效。", "success")
    return _back(found)


@blueprint.post("/rooms/<int:room_id>/incidents")
def incident(room_id: int) -> Any:
    found = fetch(db(), SittingRoom, room_id, viewer())
    rooms.record_incident(db(), found, viewer(), kind=request.form.get("kind", ""), text=request.form.get("text", ""),
                          sheet=_sheet(found) if request.form.get("sheet_id") else None,
                          voids_theory=request.form.get("voids_theory") == "yes", now=now())
    flash("已记入考场情况记录。", "success")
    return _back(found)


@blueprint.post("/rooms/<int:room_id>/pages/<int:page_id>/admit")
def admit(room_id: int, page_id: int) -> Any:
    found = fetch(db(), SittingRoom, room_id, viewer())
    page = fetch(db(), ExamPage, page_id, viewer())
    if page.sheet.seat.sitting_room_id != found.id:
        raise NotFound
    rooms.admit(db(), page, viewer(), now=now())
    flash(f"已同意 {page.sheet.enrolment.candidate.name} 换机，原电脑已停用。", "success")
    return _back(found)


@blueprint.post("/rooms/<int:room_id>/close")
def close(room_id: int) -> Any:
    found = fetch(db(), SittingRoom, room_id, viewer())
    closing = rooms.close_room(db(), found, request.form.get("remark", ""), viewer(), now=now())
    flash(f"考场已关闭：实到 {closing.present} 人，缺考 {closing.absent} 人。请打印考场情况记录单并签字。", "success")
    return redirect(url_for("invigilation.record", room_id=found.id))


def _incidents(found: SittingRoom) -> list[Incident]:
    return list(db().scalars(sa.select(Incident).where(Incident.sitting_room_id == found.id).order_by(Incident.id)))


def _sheet(found: SittingRoom) -> Sheet:
    """The sheet named in the form; it must be of this room."""
    sheet = fetch(db(), Sheet, whole_number(request.form.get("sheet_id", ""), "考生", 1, 2**31 - 1), viewer())
    if sheet.seat.sitting_room_id != found.id:
        raise NotFound
    return sheet


def _back(found: SittingRoom) -> Any:
    return redirect(url_for("invigilation.room", room_id=found.id))

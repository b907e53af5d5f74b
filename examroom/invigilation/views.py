"""Doors: the rooms, the live board of one, its record (监考)."""

from __future__ import annotations

from io import BytesIO
from typing import Any

import sqlalchemy as sa
from flask import Response, flash, redirect, render_template, request, send_file, url_for
from sqlalchemy.orm import contains_eager, joinedload, selectinload
from werkzeug.exceptions import NotFound

from examroom.delivery import notices
from examroom.delivery.models import Sheet
from examroom.invigilation import (  # noqa: F401  # doors register
    act_views,
    candidate_views,
    duty,
    readiness_views,
    record,
    rooms,
    seats,
)
from examroom.invigilation import board as live
from examroom.invigilation.blueprint import blueprint
from examroom.invigilation.choosing import the_room
from examroom.invigilation.incidents import KINDS
from examroom.invigilation.models import Incident, IncidentFile
from examroom.plans.models import CandidatePhoto, RoomInvigilator, Seat, Sitting, SittingRoom
from qbank.kernel.access import fetch, visible
from qbank.kernel.web import db, now, paged, viewer
from qbank.standards.packs import pack_for


@blueprint.get("/")
def index() -> Any:
    query = (visible(SittingRoom, viewer()).join(SittingRoom.sitting).order_by(Sitting.starts_at.desc(), SittingRoom.id)
             .options(contains_eager(SittingRoom.sitting).joinedload(Sitting.plan), joinedload(SittingRoom.room), selectinload(SittingRoom.seats),
                      selectinload(SittingRoom.invigilators).joinedload(RoomInvigilator.account)))
    rows, total, page, pages = paged(db(), query)
    return render_template("invigilation/index.html", rows=rows, total=total, page=page, pages=pages, now=now())


@blueprint.get("/rooms/<int:room_id>")
def room(room_id: int) -> Any:
    found = the_room(room_id)
    mine = duty.is_invigilator(db(), found, viewer())
    closing = duty.closing_of(db(), found)
    return render_template("invigilation/room.html", room=found, mine=mine, acting=mine and closing is None, closing=closing,
                           kinds=KINDS, free=seats.free_seats(db(), found), pack=pack_for(db(), found.sitting.plan.institution))


@blueprint.get("/rooms/<int:room_id>/board")
def board(room_id: int) -> Any:
    """The live board. 304 while nothing happened; the server's clock is in a header, so that the body need not change."""
    found = live.board(db(), the_room(room_id))
    known = f'"{live.tag(found)}"'
    same = request.headers.get("If-None-Match") == known
    answer = Response(status=304) if same else Response(live.text_of(found), mimetype="application/json")
    answer.headers["ETag"] = known
    answer.headers["X-Clock"] = str(round(now().timestamp() * 1000))
    return answer


@blueprint.get("/rooms/<int:room_id>/notes")
def notes(room_id: int) -> Any:
    """What was sent and noted in the room: the lower part of the page, fetched again after each act."""
    found = the_room(room_id)
    incidents = list(db().scalars(sa.select(Incident).where(Incident.sitting_room_id == found.id)
                                  .options(selectinload(Incident.files)).order_by(Incident.id.desc())))
    return render_template("invigilation/notes.html", room=found, incidents=incidents, me=viewer().account_id,
                           acting=duty.is_invigilator(db(), found, viewer()) and duty.closing_of(db(), found) is None,
                           notices=notices.of_room(db(), found, duty.sheets_of(db(), found)))


@blueprint.get("/rooms/<int:room_id>/sheets/<int:sheet_id>/ledger")
def time_ledger(room_id: int, sheet_id: int) -> Any:
    """时间账 of one candidate."""
    found, sheet = the_room(room_id), fetch(db(), Sheet, sheet_id, viewer())
    if sheet.seat.sitting_room_id != found.id:
        raise NotFound
    return render_template("invigilation/ledger.html", room=found, sheet=sheet, authors=record.authors(db(), [sheet]))


@blueprint.get("/rooms/<int:room_id>/seats/<int:seat_id>/photo")
def photo(room_id: int, seat_id: int) -> Any:
    """The photo of who sits there, for the people of this room."""
    found = the_room(room_id)
    seat = db().get(Seat, seat_id)
    if seat is None or seat.sitting_room_id != found.id or seat.enrolment.photo_id is None:
        raise NotFound
    kept = db().get_one(CandidatePhoto, seat.enrolment.photo_id)
    return send_file(BytesIO(kept.content), mimetype=kept.media_type)


@blueprint.get("/incident-files/<int:file_id>")
def incident_file(file_id: int) -> Any:
    kept = fetch(db(), IncidentFile, file_id, viewer())
    return send_file(BytesIO(kept.content), mimetype=kept.media_type, as_attachment=True, download_name=kept.name)


@blueprint.get("/rooms/<int:room_id>/record")
def show_record(room_id: int) -> Any:
    """考场情况记录单."""
    found = the_room(room_id)
    return render_template("invigilation/record.html", room=found, record=record.of_room(db(), found, now=now()))


@blueprint.get("/rooms/<int:room_id>/record.pdf")
def record_pdf(room_id: int) -> Any:
    found = the_room(room_id)
    content = record.pdf(record.of_room(db(), found, now=now()), made_at=now())
    return send_file(BytesIO(content), mimetype="application/pdf", download_name=f"考场情况记录单 {found.room.name}.pdf")


@blueprint.post("/rooms/<int:room_id>/close")
def close(room_id: int) -> Any:
    found = the_room(room_id)
    closing = rooms.close_room(db(), found, request.form.get("remark", ""), viewer(), now=now())
    flash(f"考场已关闭：实到 {closing.present} 人，缺考 {closing.absent} 人。请打印考场情况记录单并签字。", "success")
    return redirect(url_for("invigilation.show_record", room_id=found.id))

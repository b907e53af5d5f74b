"""Doors: what an invigilator does for one, some or all candidates of a room."""

from __future__ import annotations

from typing import Any

from flask import request, url_for
from werkzeug.exceptions import NotFound

from examroom.delivery.models import ExamPage, Interruption
from examroom.invigilation import acts, incidents, rooms, seats
from examroom.invigilation.blueprint import blueprint
from examroom.invigilation.choosing import TOP, chosen, done, named, numbers, the_one, the_room
from examroom.invigilation.models import Incident
from qbank.kernel.access import fetch
from qbank.kernel.forms import whole_number
from qbank.kernel.web import db, now, viewer


def _reason() -> str:
    return request.form.get("reason", "").strip()[:500]


@blueprint.post("/rooms/<int:room_id>/open")
def open_room(room_id: int) -> Any:
    found = the_room(room_id)
    rooms.open_room(db(), found, viewer(), now=now())
    return done(found, "考场已开启。到开考时间，候考的考生会自动进入答题。", url_for("invigilation.shut_room", room_id=found.id))


@blueprint.post("/rooms/<int:room_id>/shut")
def shut_room(room_id: int) -> Any:
    found = the_room(room_id)
    rooms.shut_room(db(), found, viewer(), now=now())
    return done(found, "已撤回开启，考生继续候考。", url_for("invigilation.open_room", room_id=found.id))


@blueprint.post("/rooms/<int:room_id>/time")
def grant(room_id: int) -> Any:
    """Time for the candidates named, or for the whole room when none is."""
    found = the_room(room_id)
    sheets = chosen(found)
    minutes = whole_number(request.form.get("minutes", ""), "分钟数", -240, 240)
    entries = acts.grant_many(db(), found, sheets, minutes * 60, _reason(), viewer(), now=now())
    return done(found, f"已为 {named(sheets)}（{len(entries)} 人）调整 {minutes:+d} 分钟，考生页面 5 秒内显示。",
                url_for("invigilation.undo_time", room_id=found.id), entry_id=[entry.id for entry in entries])


@blueprint.post("/rooms/<int:room_id>/time/undo")
def undo_time(room_id: int) -> Any:
    found = the_room(room_id)
    count = acts.undo_time(db(), found, numbers("entry_id", "加时记录"), viewer(), now=now())
    return done(found, f"已撤销 {count} 人的加时，时间账里两条都保留。")


@blueprint.post("/rooms/<int:room_id>/pause")
def pause(room_id: int) -> Any:
    found = the_room(room_id)
    sheets = chosen(found)
    count = acts.pause(db(), found, sheets, _reason(), viewer(), now=now())
    return done(found, f"已暂停 {named(sheets)}（{count} 人），屏幕已遮盖，时间停止计算。",
                url_for("invigilation.resume", room_id=found.id), sheet_id=[sheet.id for sheet in sheets], reason="撤销暂停")


@blueprint.post("/rooms/<int:room_id>/resume")
def resume(room_id: int) -> Any:
    found = the_room(room_id)
    sheets = chosen(found)
    count = acts.resume(db(), found, sheets, _reason(), viewer(), now=now())
    return done(found, f"已恢复 {named(sheets)}（{count} 人），暂停的时间已补给考生。",
                url_for("invigilation.pause", room_id=found.id), sheet_id=[sheet.id for sheet in sheets], reason="撤销恢复")


@blueprint.post("/rooms/<int:room_id>/evacuate")
def evacuate(room_id: int) -> Any:
    found = the_room(room_id)
    count = acts.evacuate(db(), found, _reason(), viewer(), now=now())
    return done(found, f"全考场已暂停（{count} 人），所有屏幕已遮盖，疏散已记入考场情况。",
                url_for("invigilation.resume", room_id=found.id), reason="疏散结束")


@blueprint.post("/rooms/<int:room_id>/messages")
def message(room_id: int) -> Any:
    found = the_room(room_id)
    sheets = chosen(found)
    sent = acts.message(db(), found, sheets, request.form.get("text", ""), viewer(), now=now())
    return done(found, f"消息已发给 {named(sheets)}，谁已读见“消息”。",
                url_for("invigilation.withdraw_message", room_id=found.id), notice_id=[notice.id for notice in sent])


@blueprint.post("/rooms/<int:room_id>/messages/withdraw")
def withdraw_message(room_id: int) -> Any:
    found = the_room(room_id)
    count = acts.withdraw_notices(db(), found, numbers("notice_id", "消息"), viewer(), now=now())
    return done(found, f"已撤回 {count} 条消息，考生页面不再显示；已读的人可能已经看到。")


@blueprint.post("/rooms/<int:room_id>/interruptions")
def settle(room_id: int) -> Any:
    """Decide on one measured gap, or on all that wait (``all``): each as measured."""
    found = the_room(room_id)
    if request.form.get("all") == "yes":
        count = sum(bool(acts.settle_interruption(db(), gap, acts.measured(db(), gap), viewer(), now=now()))
                    for gap in acts.proposals(db(), found))
        return done(found, f"已按测得的时长为 {count} 次中断补时。")
    gap = fetch(db(), Interruption, whole_number(request.form.get("interruption_id", ""), "中断", 1, TOP), viewer())
    if gap.sheet.seat.sitting_room_id != found.id:
        raise NotFound
    seconds = whole_number(request.form.get("seconds", ""), "补时秒数", 0, 4 * 3600)
    acts.settle_interruption(db(), gap, seconds, viewer(), now=now())
    return done(found, f"已为 {named([gap.sheet])} 补时 {seconds} 秒。" if seconds else f"已记录：{named([gap.sheet])} 的中断不补时。")


@blueprint.post("/rooms/<int:room_id>/late")
def let_in_late(room_id: int) -> Any:
    found = the_room(room_id)
    sheet = the_one(found)
    minutes = whole_number(request.form.get("minutes", ""), "分钟数", 1, 240)
    acts.let_in_late(db(), sheet, minutes, _reason(), viewer(), now=now())
    return done(found, f"{named([sheet])}在 {minutes} 分钟内可以开始答题，结束时间不变。")


@blueprint.post("/rooms/<int:room_id>/hand-in")
def force(room_id: int) -> Any:
    found = the_room(room_id)
    sheets = chosen(found) or [the_one(found)]
    for sheet in sheets:
        acts.force_hand_in(db(), sheet, viewer(), _reason(), now=now())
    return done(found, f"已收取 {named(sheets)} 的答卷，已保存的答案全部有效。10 分钟内可以退回。",
                url_for("invigilation.undo_force", room_id=found.id), sheet_id=[sheet.id for sheet in sheets], reason="误操作")


@blueprint.post("/rooms/<int:room_id>/hand-in/undo")
def undo_force(room_id: int) -> Any:
    found = the_room(room_id)
    sheets = chosen(found) or [the_one(found)]
    for sheet in sheets:
        acts.undo_force(db(), sheet, _reason(), viewer(), now=now())
    return done(found, f"已把答卷退回 {named(sheets)}，中间的时间已补。请考生在候考页面点“返回答题”或刷新页面。")


@blueprint.post("/rooms/<int:room_id>/check")
def check(room_id: int) -> Any:
    found = the_room(room_id)
    sheets = chosen(found)
    passed = request.form.get("passed") == "yes"
    seats.check(db(), found, sheets, passed, _reason(), viewer(), now=now())
    told = f"{named(sheets)}已核验，可以入场。" if passed else f"已记录：{named(sheets)}不准入场。"
    return done(found, told, url_for("invigilation.undo_check", room_id=found.id), sheet_id=[sheet.id for sheet in sheets])


@blueprint.post("/rooms/<int:room_id>/check/undo")
def undo_check(room_id: int) -> Any:
    found = the_room(room_id)
    sheets = chosen(found)
    seats.undo_check(db(), found, sheets, viewer(), now=now())
    return done(found, f"{named(sheets)}恢复为未核验。")


@blueprint.post("/rooms/<int:room_id>/pages/<int:page_id>/admit")
def admit(room_id: int, page_id: int) -> Any:
    found = the_room(room_id)
    page = fetch(db(), ExamPage, page_id, viewer())
    if page.sheet.seat.sitting_room_id != found.id:
        raise NotFound
    seats.take_over(db(), page, viewer(), now=now())
    return done(found, f"已同意 {named([page.sheet])} 换机，原电脑已停用。")


@blueprint.post("/rooms/<int:room_id>/seat")
def move(room_id: int) -> Any:
    found = the_room(room_id)
    sheet = the_one(found)
    number = whole_number(request.form.get("number", ""), "座号", 1, 10_000)
    former = seats.move(db(), sheet, number, _reason(), viewer(), anyway=request.form.get("anyway") == "yes", now=now())
    return done(found, f"{named([sheet])}已从 {former} 号换到 {number} 号。", url_for("invigilation.move", room_id=found.id),
                sheet_id=sheet.id, number=former, reason="撤销换座", anyway="yes")


@blueprint.post("/rooms/<int:room_id>/incidents")
def incident(room_id: int) -> Any:
    found = the_room(room_id)
    sheets = chosen(found)
    files = [(upload.filename or "", upload.read()) for upload in request.files.getlist("file") if upload.filename]
    noted = [incidents.record_incident(db(), found, viewer(), kind=request.form.get("kind", ""), text=request.form.get("text", ""),
                                       sheet=sheet, voids_theory=request.form.get("voids_theory") == "yes", files=files, now=now())
             for sheet in sheets or (None,)]
    return done(found, f"已记入考场情况记录（{named(sheets)}）。", url_for("invigilation.withdraw_incident", room_id=found.id),
                incident_id=[one.id for one in noted], reason="误记")


@blueprint.post("/rooms/<int:room_id>/incidents/withdraw")
def withdraw_incident(room_id: int) -> Any:
    found = the_room(room_id)
    keys = numbers("incident_id", "记录")
    for key in keys:
        one = fetch(db(), Incident, key, viewer())
        if one.sitting_room_id != found.id:
            raise NotFound
        incidents.withdraw(db(), one, _reason(), viewer(), now=now())
    return done(found, f"已撤销 {len(keys)} 条记录，记录单上划去并注明原因。")

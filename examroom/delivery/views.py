"""Doors: what a candidate can reach (考试), and the officer's desk for dealing (发卷)."""

from __future__ import annotations

import unicodedata
from typing import Any

import flask
import sqlalchemy as sa
from flask import flash, redirect, render_template, request, url_for
from flask_login import logout_user
from flask_wtf.csrf import generate_csrf
from werkzeug.exceptions import BadRequest, NotFound

from examroom.delivery import content, dealing, hall, pages, practice_views, sheets, shuffle  # noqa: F401  # doors register
from examroom.delivery.blueprint import blueprint
from examroom.delivery.models import Dealing, HandIn, PageState, Sheet, SheetState
from examroom.delivery.phase import SAVING, Phase
from examroom.plans.models import Enrolment, Seat, Sitting
from qbank.kernel import accounts
from qbank.kernel.access import Role, fetch, visible
from qbank.kernel.forms import moment
from qbank.kernel.refused import Refused
from qbank.kernel.times import spoken
from qbank.kernel.views import safe_next, start_session
from qbank.kernel.web import db, identity_cipher, now, paged, viewer

EVENTS_AT_ONCE = 500
LONGEST_LINE = 200


@blueprint.route("/exam", methods=["GET", "POST"])
def sign_in() -> Any:
    ticket = _typed("ticket")
    page = {"next": request.values.get("next", ""), "ticket": ticket, "problem": ""}
    if request.method == "GET":
        return render_template("delivery/sign_in.html", **page)
    number = _typed("identity_number")
    enrolment = db().scalar(sa.select(Enrolment).where(Enrolment.ticket_number == ticket))
    try:
        account = accounts.sign_in_by_identity(db(), enrolment.candidate if enrolment else None, ticket, number,
                                               request.remote_addr or "", identity_cipher(), now=now())
    except Refused:
        return render_template("delivery/sign_in.html", **page | {
            "problem": "这个准考证号连续多次登录失败，已暂时锁定 15 分钟。请举手，由监考员安排换一台电脑登录。"})
    if account is None:  # 200, so that the failed attempt is committed and counted
        return render_template("delivery/sign_in.html", **page | {
            "problem": "准考证号或身份证号不正确。请对照准考证重新输入；身份证号末位是 X 的也要输入。"})
    start_session(account)
    target = page["next"]
    return redirect(safe_next(target) if target.startswith("/exam/") else url_for("delivery.waiting_hall"))


@blueprint.post("/exam/leave")
def leave() -> Any:
    """Back to the exam door, where the next candidate signs in."""
    logout_user()
    flask.session.clear()
    return redirect(url_for("delivery.sign_in"))


@blueprint.get("/exam/hall")
def waiting_hall() -> Any:
    found = hall.places(db(), viewer(), now=now())
    return render_template("delivery/waiting_hall.html", place=hall.current(found), places=found, now=now())


@blueprint.get("/exam/hall/state")
def hall_state() -> Any:
    place = hall.current(hall.places(db(), viewer(), now=now()))
    if place is None:
        return {"phase": "none"}
    ready = place.sheet is not None and place.phase in {Phase.READY, *SAVING}
    sitting = place.seat.sitting_room.sitting
    return {"phase": place.phase, "done": place.done, "told": place.told, "seconds_until_start": place.seconds_until_start,
            "starts_at": spoken(sitting.starts_at), "minutes": sitting.minutes,
            "room": place.seat.sitting_room.room.name, "seat": place.seat.number,
            "enter": url_for("delivery.exam", sheet_id=place.sheet.id) if ready and place.sheet else None}


@blueprint.get("/exam/sheets/<int:sheet_id>")
def exam(sheet_id: int) -> Any:
    """The shell of the exam page: no item text; its scripts fetch the rest."""
    sheet = _own(sheet_id)
    found = sheets.phase_of(db(), sheet, now=now())
    if found in {Phase.BEFORE, Phase.SHUT, Phase.LATE} or (found is Phase.OVER and sheet.started_at is None):
        return redirect(url_for("delivery.waiting_hall"))
    return render_template("delivery/exam.html", sheet=sheet)


@blueprint.post("/exam/sheets/<int:sheet_id>/open")
def open_page(sheet_id: int) -> Any:
    sheet = _own(sheet_id)
    sheets.touch(db(), sheet, now=now())
    if sheet.state is SheetState.HANDED_IN:
        return {"token": "", "page": PageState.ENDED}
    machine = str(_body().get("machine", ""))[:LONGEST_LINE]
    page, token = pages.open_page(db(), sheet, machine, request.remote_addr or "", now=now())
    return {"token": token, "page": page.state, "sentence": pages.WAITING if page.state is PageState.WAITING else ""}


@blueprint.get("/exam/sheets/<int:sheet_id>/state")
def state(sheet_id: int) -> Any:
    sheet = _own(sheet_id)
    standing = content.standing(db(), sheet, now=now()) | {"csrf": generate_csrf()}
    if sheet.state is SheetState.HANDED_IN:
        return standing
    pages.require_live(db(), sheet, _token())
    return standing | content.questions(db(), sheet) | {"answers": content.held_answers(db(), sheet),
                                                        "acknowledged": sheets.acknowledged(db(), sheet)}


@blueprint.get("/exam/sheets/<int:sheet_id>/pulse")
def pulse(sheet_id: int) -> Any:
    sheet = _own(sheet_id)
    page = pages.page_of(db(), sheet, _token())
    return content.standing(db(), sheet, now=now()) | {
        "csrf": generate_csrf(), "page": page.state if page else PageState.ENDED,
        "sentence": pages.WAITING if page and page.state is PageState.WAITING else pages.SUPERSEDED}


@blueprint.post("/exam/sheets/<int:sheet_id>/events")
def events(sheet_id: int) -> Any:
    sheet = _own(sheet_id)
    taken, refused = _events(sheet)
    if sheet.state is not SheetState.HANDED_IN:
        sheets.lock(db(), sheet)
        pages.require_live(db(), sheet, _token())
    ack = sheets.save(db(), sheet, taken, now=now())
    return content.standing(db(), sheet, now=now()) | {
        "acknowledged": ack.acknowledged, "refused": [vars(refusal) for refusal in (*refused, *ack.refused)]}


@blueprint.post("/exam/sheets/<int:sheet_id>/hand-in")
def hand_in(sheet_id: int) -> Any:
    sheet = _own(sheet_id)
    if sheet.state is not SheetState.HANDED_IN:
        sheets.lock(db(), sheet)
        pages.require_live(db(), sheet, _token())
        if _body().get("because") != "time" or sheets.remaining_seconds(sheet, now=now()) <= 0:
            sheets.hand_in(db(), sheet, HandIn.CANDIDATE, now=now())  # else: time was granted after the page's own zero
    return content.standing(db(), sheet, now=now())


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
                           unseated=dealing.unseated(db(), sitting), now=now())


@blueprint.post("/delivery/sittings/<int:sitting_id>/deal")
def deal(sitting_id: int) -> Any:
    sitting = fetch(db(), Sitting, sitting_id, viewer())
    count = sheets.deal(db(), sitting, viewer(), now=now())
    flash(f"已发卷 {count} 份，每份都已核对题数和选项。", "success")
    return redirect(url_for("delivery.desk", sitting_id=sitting.id))


@blueprint.post("/delivery/sittings/<int:sitting_id>/postpone")
def postpone(sitting_id: int) -> Any:
    sitting = fetch(db(), Sitting, sitting_id, viewer())
    dealing.postpone(db(), sitting, moment(request.form.get("starts_at", ""), "开考时间"), viewer(), now=now())
    flash(f"开考时间已改为 {spoken(sitting.starts_at)}，候考页面会自动更新。", "success")
    return redirect(url_for("delivery.desk", sitting_id=sitting.id))


def _own(sheet_id: int) -> Sheet:
    """The candidate's own sheet. A sheet that the person may see in another role is not theirs to sit."""
    sheet = fetch(db(), Sheet, sheet_id, viewer())
    if not viewer().has(Role.CANDIDATE) or sheet.enrolment.account_id != viewer().account_id:
        raise NotFound
    return sheet


def _typed(name: str) -> str:
    """A number as it was meant: a Chinese input method types full-width digits, people type gaps."""
    return "".join(unicodedata.normalize("NFKC", request.form.get(name, "")).split())[:LONGEST_LINE]


def _token() -> str:
    return request.headers.get("X-Page-Token", "")


def _body() -> dict[str, Any]:
    body = request.get_json(silent=True)
    if not isinstance(body, dict):
        raise BadRequest
    return body


def _events(sheet: Sheet) -> tuple[list[sheets.Event], list[sheets.Refusal]]:
    """The events of the request in canonical terms: here the shuffle is undone. 400 for what is not an event at all."""
    sent = _body().get("events")
    if not isinstance(sent, list) or len(sent) > EVENTS_AT_ONCE:
        raise BadRequest
    taken, refused = [], []
    for one in sent:
        sequence, number, answer, flagged = _fields(one)
        try:
            paper_number, letters = shuffle.to_canonical(sheet.layout, number, answer)
        except ValueError:
            refused.append(sheets.Refusal(sequence, "unknown", "题号或选项不在本卷上。"))
            continue
        taken.append(sheets.Event(sequence, paper_number, letters, flagged))
    return taken, refused


def _fields(one: Any) -> tuple[int, int, str, bool]:
    fields = one if isinstance(one, dict) else {}
    sequence, number, answer, flagged = (fields.get(name) for name in ("sequence", "number", "answer", "flagged"))
    if not (type(sequence) is int and type(number) is int and isinstance(answer, str) and isinstance(flagged, bool)
            and 1 <= sequence <= sheets.HIGHEST_SEQUENCE):
        raise BadRequest
    return sequence, number, answer, flagged

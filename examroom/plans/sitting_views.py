"""Doors: sittings of a plan, rooms, invigilators, paper, seats, and the lists that hang on the doors."""

from __future__ import annotations

import secrets
from typing import Any

import sqlalchemy as sa
from flask import flash, redirect, render_template, request, url_for
from sqlalchemy.orm import joinedload

from examroom.filing.duties import on_duty
from examroom.plans import seating, sittings, staffing, steps
from examroom.plans.blueprint import blueprint
from examroom.plans.models import Enrolment, ExamPlan, Room, Seat, Sitting, SittingRoom, SittingState
from qbank.kernel import forms
from qbank.kernel.access import Role, fetch, visible
from qbank.kernel.accounts import Institution
from qbank.kernel.refused import Refused
from qbank.kernel.times import local
from qbank.kernel.web import db, now, viewer
from qbank.standards.packs import pack_for

TOP = 2**31 - 1


def _back(sitting: Sitting) -> Any:
    return redirect(url_for("plans.sitting", sitting_id=sitting.id))


@blueprint.post("/<int:plan_id>/sittings")
def new_sitting(plan_id: int) -> Any:
    plan = fetch(db(), ExamPlan, plan_id, viewer())
    form = request.form
    sitting = sittings.add_sitting(db(), plan, form.get("name", ""), viewer(), now=now(),
                                   starts_at=forms.moment(form.get("starts_at", ""), "开考时间"),
                                   minutes=forms.whole_number(form.get("minutes", ""), "考试时长", 1, sittings.LONGEST_MINUTES))
    flash(f"已增加“{sitting.name}”。下一步：安排考场和监考员。", "success")
    return _back(sitting)


@blueprint.get("/sittings/<int:sitting_id>")
def sitting(sitting_id: int) -> Any:
    found = fetch(db(), Sitting, sitting_id, viewer())
    plan = found.plan
    officer = on_duty(db(), viewer(), plan.institution_id, Role.EXAM_OFFICER, plan_id=plan.id)
    used = {room.room_id for room in found.rooms}
    papers = sittings.papers_for(db(), found) if officer else []
    free = [room for room in db().scalars(visible(Room, viewer()).where(Room.institution_id == plan.institution_id)
                                          .order_by(Room.name)) if room.id not in used]
    return render_template(
        "plans/sitting.html", sitting=found, plan=plan, officer=officer, planned=found.state == SittingState.PLANNED,
        free=free, invigilators=staffing.invigilators_for(db(), plan) if officer else [],
        watching=staffing.posts(db(), found) if officer else {},
        papers=[paper for paper in papers if not paper.is_pool], pools=sittings.pools_in(papers), chosen={form.paper_id for form in found.forms},
        obstacles=sittings.obstacles(db(), found),
        classes=_classes(found), seated=steps.seats_in(db(), found.id), pack=pack_for(db(), plan.institution),
        capacity=sum(room.room.seats for room in found.rooms), starts_local=f"{local(found.starts_at):%Y-%m-%dT%H:%M}")


def _classes(sitting: Sitting) -> list[tuple[str, int]]:
    """Class name and how many of its candidates sit in no other sitting."""
    elsewhere = Enrolment.seats.any(Seat.sitting_id != sitting.id)
    query = (sa.select(Enrolment.class_name, sa.func.count()).where(Enrolment.plan_id == sitting.plan_id, ~elsewhere)
             .group_by(Enrolment.class_name).order_by(Enrolment.class_name))
    return [(name, count) for name, count in db().execute(query)]


@blueprint.post("/sittings/<int:sitting_id>/change")
def change_sitting(sitting_id: int) -> Any:
    found = fetch(db(), Sitting, sitting_id, viewer())
    form = request.form
    found.expect(form.get("row_version", type=int))
    minutes = forms.whole_number(form.get("minutes", str(found.minutes)), "考试时长", 1, sittings.LONGEST_MINUTES)
    sittings.change_sitting(db(), found, form.get("name", ""), viewer(), minutes=minutes, now=now(),
                            starts_at=forms.moment(form.get("starts_at", ""), "开考时间"))
    flash("场次已修改。", "success")
    return _back(found)


@blueprint.post("/sittings/<int:sitting_id>/remove")
def remove_sitting(sitting_id: int) -> Any:
    found = fetch(db(), Sitting, sitting_id, viewer())
    plan_id = found.plan_id
    sittings.remove_sitting(db(), found, viewer())
    flash(f"已删除“{found.name}”及其考场和座位安排。", "success")
    return redirect(url_for("plans.show", plan_id=plan_id))


@blueprint.post("/sittings/<int:sitting_id>/paper")
def choose_paper(sitting_id: int) -> Any:
    found = fetch(db(), Sitting, sitting_id, viewer())
    if "family_id" in request.form:
        count = sittings.choose_pool(db(), found, forms.whole_number(request.form["family_id"], "题卷池", 1, TOP), viewer())
        flash(f"已从题卷池选用 {count} 套，每人一卷；本场时长为 {found.minutes} 分钟。", "success")
        return _back(found)
    chosen = [forms.whole_number(value, "试卷", 1, TOP) for value in request.form.getlist("paper_id")]
    sittings.choose_papers(db(), found, chosen, viewer())
    flash(f"试卷已选用，本场时长为 {found.minutes} 分钟。", "success")
    return _back(found)


@blueprint.post("/sittings/<int:sitting_id>/rooms")
def use_room(sitting_id: int) -> Any:
    found = fetch(db(), Sitting, sitting_id, viewer())
    room = fetch(db(), Room, forms.whole_number(request.form.get("room_id", ""), "考场", 1, TOP), viewer())
    chosen = [forms.whole_number(value, "监考员", 1, TOP) for value in request.form.getlist("invigilator_id")]
    used = seating.use_room(db(), found, room, chosen, viewer())
    flash(f"{room.name}已安排，监考员 {len(used.invigilators)} 名。", "success")
    return _back(found)


@blueprint.post("/sitting-rooms/<int:sitting_room_id>/drop")
def drop_room(sitting_room_id: int) -> Any:
    used = fetch(db(), SittingRoom, sitting_room_id, viewer())
    found, name = used.sitting, used.room.name
    seating.drop_room(db(), used, viewer())
    flash(f"本场不再使用{name}，其中的座位已取消。", "success")
    return _back(found)


@blueprint.post("/sittings/<int:sitting_id>/seats")
def draw_seats(sitting_id: int) -> Any:
    found = fetch(db(), Sitting, sitting_id, viewer())
    classes = None if request.form.get("all") else request.form.getlist("class_name")
    count = seating.seat_all(db(), found, viewer(), seed=secrets.token_hex(8), classes=classes)
    flash(f"已随机编排 {count} 个座位。", "success")
    return _back(found)


@blueprint.get("/sitting-rooms/<int:sitting_room_id>/seats")
def seats(sitting_room_id: int) -> Any:
    """座位表: for the door, or with a column to sign in."""
    used = fetch(db(), SittingRoom, sitting_room_id, viewer())
    rows = db().scalars(sa.select(Seat).where(Seat.sitting_room_id == used.id).order_by(Seat.number)
                        .options(joinedload(Seat.enrolment).joinedload(Enrolment.candidate))).all()
    return render_template("plans/seats.html", used=used, sitting=used.sitting, plan=used.sitting.plan, rows=rows,
                           sign=request.args.get("for") == "sign",
                           sees_plan=viewer().has(Role.EXAM_OFFICER, Role.CITY_OFFICER, Role.PROVINCE_OFFICER))


@blueprint.get("/rooms")
def rooms() -> Any:
    return _rooms_page()


def _rooms_page(refusal: Refused | None = None) -> str:
    rows = db().scalars(visible(Room, viewer()).order_by(Room.institution_id, Room.name)).all()
    return render_template("plans/rooms.html", rows=rows, schools=_schools(), refusal=refusal)


def _schools() -> list[Institution]:
    return list(db().scalars(sa.select(Institution).where(viewer().reach(Institution.id, Role.EXAM_OFFICER))
                             .order_by(Institution.name)))


@blueprint.post("/rooms")
def new_room() -> Any:
    form = request.form
    try:
        school = fetch(db(), Institution, forms.whole_number(form.get("institution_id", ""), "学校", 1, TOP), viewer())
        room = seating.add_room(db(), school, form.get("name", ""),
                                forms.whole_number(form.get("seats", ""), "座位数", 1, seating.MOST_SEATS), viewer(), columns=_columns())
    except Refused as refusal:
        return _rooms_page(refusal), 409
    flash(f"已增加考场“{room.name}”。", "success")
    return redirect(url_for("plans.rooms"))


@blueprint.post("/rooms/<int:room_id>")
def change_room(room_id: int) -> Any:
    room = fetch(db(), Room, room_id, viewer())
    form = request.form
    room.expect(form.get("row_version", type=int))
    seating.change_room(db(), room, form.get("name", ""),
                        forms.whole_number(form.get("seats", ""), "座位数", 1, seating.MOST_SEATS), viewer(), columns=_columns())
    flash("考场已修改。", "success")
    return redirect(url_for("plans.rooms"))


def _columns() -> int | None:
    """Seats in one row; empty: not known."""
    text = request.form.get("columns", "").strip()
    return forms.whole_number(text, "每排座位数", 1, seating.MOST_COLUMNS) if text else None

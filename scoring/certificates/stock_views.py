"""Doors: the register of blank certificates (空白证书)."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from flask import flash, redirect, render_template, request, url_for
from werkzeug.exceptions import NotFound

from examroom.filing.duties import on_duty
from qbank.kernel.access import Role, fetch, visible
from qbank.kernel.accounts import Institution
from qbank.kernel.export import Table, workbook
from qbank.kernel.forms import whole_number
from qbank.kernel.refused import Refused
from qbank.kernel.web import db, now, paged, viewer
from scoring.certificates import stock
from scoring.certificates.blueprint import blueprint
from scoring.certificates.models import Certificate
from scoring.certificates.stock_models import READERS, Blank, BlankState, MoveKind, StockCount, StockMove
from scoring.certificates.views import excel, final_list

RULES = {MoveKind.RECEIVED: stock.receive, MoveKind.SPOILED: stock.ask_to_spoil, MoveKind.RETURNED: stock.give_back}
COUNTS_SHOWN = 10


def _school(institution_id: int) -> Institution:
    """A school whose books this person may read in one of the roles for it."""
    found = fetch(db(), Institution, institution_id, viewer())
    if not on_duty(db(), viewer(), found.id, *READERS):
        raise NotFound
    return found


@blueprint.get("/stock")
def stock_list() -> Any:
    """A school's officer is led to its own books; the offices see every school that keeps some."""
    keeping = sa.select(StockMove.institution_id)
    schools = db().scalars(sa.select(Institution).where(
        viewer().reach(Institution.id, *READERS), sa.or_(viewer().reach(Institution.id, Role.EXAM_OFFICER), Institution.id.in_(keeping)))
        .order_by(Institution.name)).all()
    if len(schools) == 1:
        return redirect(url_for("certificates.stock_book", institution_id=schools[0].id))
    return render_template("certificates/stock_list.html", schools=[(one, stock.balance(db(), one.id)) for one in schools])


@blueprint.get("/stock/<int:institution_id>")
def stock_book(institution_id: int) -> Any:
    school = _school(institution_id)
    query = visible(StockMove, viewer()).where(StockMove.institution_id == school.id).order_by(StockMove.id.desc())
    rows, total, page, pages = paged(db(), query)
    counts = db().scalars(visible(StockCount, viewer()).where(StockCount.institution_id == school.id)
                          .order_by(StockCount.id.desc()).limit(COUNTS_SHOWN)).all()
    return render_template("certificates/stock.html", school=school, rows=rows, total=total, page=page, pages=pages, counts=counts,
                           balance=stock.balance(db(), school.id), kinds=list(MoveKind), me=viewer().account_id,
                           in_charge=on_duty(db(), viewer(), school.id, Role.EXAM_OFFICER))


@blueprint.post("/stock/<int:institution_id>/moves")
def move_stock(institution_id: int) -> Any:
    school, form = _school(institution_id), request.form
    if form.get("kind", "") not in list(MoveKind):
        raise Refused("no_kind", "请选择入库、作废或退回。")
    move = RULES[MoveKind(form["kind"])](db(), school, form.get("first", ""), form.get("last", ""), form.get("note", ""), viewer(), now=now())
    flash(f"{move.kind.chinese} {move.pieces} 份：{move.state.chinese}。", "success")
    return redirect(url_for("certificates.stock_book", institution_id=school.id))


@blueprint.post("/stock/moves/<int:move_id>/decide")
def decide_move(move_id: int) -> Any:
    found = fetch(db(), StockMove, move_id, viewer())
    stock.decide(db(), found, viewer(), request.form.get("approves") == "yes", request.form.get("comment", ""), now=now())
    flash(f"{found.first}—{found.last}：{found.state.chinese}。", "success")
    return redirect(url_for("certificates.stock_book", institution_id=found.institution_id))


@blueprint.post("/stock/<int:institution_id>/counts")
def count_stock(institution_id: int) -> Any:
    school, form = _school(institution_id), request.form
    counted = whole_number(form.get("counted", ""), "盘点数", 0, 10**7)
    made = stock.count(db(), school, counted, form.get("witness", ""), form.get("explanation", ""), viewer(), now=now())
    flash("账实相符，盘点已记录。" if made.counted == made.expected else "盘点差异和说明已记录。", "success")
    return redirect(url_for("certificates.stock_book", institution_id=school.id))


@blueprint.get("/stock/<int:institution_id>/blanks")
def blank_list(institution_id: int) -> Any:
    """Every printed number with what became of it."""
    school = _school(institution_id)
    query = visible(Blank, viewer()).where(Blank.institution_id == school.id).order_by(Blank.number)
    if (state := request.args.get("state", "")) in list(BlankState):
        query = query.where(Blank.state == BlankState(state))
    if text := "".join(request.args.get("q", "").split()).upper():
        query = query.where(sa.or_(Blank.number.contains(text, autoescape=True), Blank.certificate.has(Certificate.number == text)))
    rows, total, page, pages = paged(db(), query)
    return render_template("certificates/blanks.html", school=school, rows=rows, total=total, page=page, pages=pages, states=list(BlankState))


@blueprint.get("/stock/<int:institution_id>/register.xlsx")
def stock_register(institution_id: int) -> Any:
    school = _school(institution_id)
    balance = stock.balance(db(), school.id)
    moves = db().scalars(visible(StockMove, viewer()).where(StockMove.institution_id == school.id).order_by(StockMove.id))
    blanks = db().scalars(visible(Blank, viewer()).where(Blank.institution_id == school.id).order_by(Blank.number))
    note = (f"入库 {balance.received} 份 = 在库 {balance.in_stock} + 已用 {balance.used} + 已作废 {balance.spoiled} + 已退回 {balance.returned}")
    return excel(workbook([
        Table("收发", (("时间", 18), ("类别", 8), ("起号", 16), ("止号", 16), ("份数", 8), ("事由", 40), ("经办人", 12), ("核准人", 12), ("状态", 14)),
              [(one.asked_at, one.kind.chinese, one.first, one.last, one.pieces, one.note, one.asker.name,
                one.decider.name if one.decider else "", one.state.chinese) for one in moves], f"{school.name}空白证书收发登记", [note],
              signatures="保管人：　　　　　　监督人："),
        Table("逐份", (("印刷号", 18), ("状态", 10), ("证书编号", 26), ("持证人", 12), ("使用时间", 18), ("使用登记人", 12)),
              [(one.number, one.state.chinese, one.certificate.number if one.certificate else "", one.certificate.holder if one.certificate else "",
                one.used_at, one.user.name if one.user else "") for one in blanks])]), f"空白证书登记_{school.name}.xlsx")


@blueprint.post("/lists/<int:list_id>/blanks")
def print_list(list_id: int) -> Any:
    found = final_list(list_id)
    printed = stock.print_on(db(), found, request.form.get("first", ""), viewer(), now=now())
    flash(f"已登记 {printed} 份证书所用的空白证书。", "success")
    return redirect(url_for("certificates.batch", list_id=found.id))


@blueprint.post("/<int:certificate_id>/blank")
def print_certificate(certificate_id: int) -> Any:
    found = fetch(db(), Certificate, certificate_id, viewer())
    blank = stock.print_one(db(), found, request.form.get("number", ""), viewer(), now=now())
    flash(f"已登记：本证书打印在空白证书 {blank.number} 上。", "success")
    return redirect(url_for("certificates.show", certificate_id=found.id))

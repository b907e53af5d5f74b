"""Doors: the moves of an item that a person makes on its page, the release for practice, the picture of the life cycle."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import sqlalchemy as sa
from flask import flash, redirect, render_template, request, url_for
from sqlalchemy.orm import Session

from qbank.items import bank, moves, practice, review, worklists
from qbank.items.blueprint import blueprint
from qbank.items.estimates import expert_estimate
from qbank.items.models import BANK_ROLES, ImportBatch, Item, ItemVersion
from qbank.items.states import ItemState
from qbank.kernel.access import Role, Viewer, fetch, visible
from qbank.kernel.web import db, now, viewer


@blueprint.post("/versions/<int:version_id>/retire")
def retire(version_id: int) -> Any:
    return _moved(version_id, bank.retire, "已停用")


@blueprint.post("/versions/<int:version_id>/suspend")
def suspend(version_id: int) -> Any:
    return _moved(version_id, bank.suspend, "已暂停使用")


@blueprint.post("/versions/<int:version_id>/resume")
def resume(version_id: int) -> Any:
    return _moved(version_id, bank.resume, "已恢复使用")


@blueprint.post("/<int:item_id>/release")
def release(item_id: int) -> Any:
    item = fetch(db(), Item, item_id, viewer())
    practice.release_for_practice(db(), item, viewer(), request.form.get("reason", ""), now=now())
    flash(f"题 {item.id} 已转入练习题库，不再用于考试。", "success")
    return redirect(url_for("items.show", item_id=item.id))


@blueprint.get("/life")
def life() -> Any:
    """The table of moves as a picture and a list, with how many versions stand where; ``?table=`` in one bank."""
    tables = list({table.id: table for _, table in bank.banks_for(db(), viewer(), *BANK_ROLES)}.values())
    wanted = request.args.get("table", type=int)
    table_id = wanted if wanted in {table.id for table in tables} else None
    query = visible(ItemVersion, viewer()).join(ItemVersion.item)
    if table_id:
        query = query.where(Item.table_id == table_id)
    rows = db().execute(query.with_only_columns(ItemVersion.state, sa.func.count()).group_by(ItemVersion.state))
    return render_template("items/life.html", boxes=moves.boxes(), arrows=moves.arrows(), lines=moves.TABLE, moves=moves,
                           counts={row[0]: row[1] for row in rows}, tables=tables, table_id=table_id)


def standing(session: Session, version: ItemVersion, who: Viewer) -> dict[str, Any]:
    """What an item's page says of the life of ``version``: who may do what next, the blind answers, the estimate."""
    item = version.item
    hidden, judging = review.hides_key(session, version, who), review.may_judge(session, version, who)
    mine = bank.wrote(item, who)
    return {
        "hide_key": hidden, "may_review": judging, "wrote": mine, "writes": holds(session, item, Role.ITEM_AUTHOR),
        "needed": review.approvals_needed(session, item.institution_id),
        "sees_batch": version.batch_id is not None and session.scalar(
            visible(ImportBatch, who).with_only_columns(ImportBatch.id).where(ImportBatch.id == version.batch_id)) is not None,
        "next": [(line, _open_to(session, line, version, who, judging, mine)) for line in moves.following(version.state)
                 if line.verb != "supersede" and not (line.verb == "resume" and (line.to is ItemState.IN_USE) != bool(version.used_at))],
        "second_keys": [] if hidden else worklists.second_keys(session, version),
        "estimate": None if judging else expert_estimate(session, [version.id]).get(version.id),
    }


def holds(session: Session, item: Item, *roles: Role) -> bool:
    """Whether the viewer holds one of ``roles`` for the bank of ``item``."""
    return session.scalar(sa.select(Item.id).where(Item.id == item.id, Item.within_reach(viewer(), *roles))) is not None


def _open_to(session: Session, line: moves.Move, version: ItemVersion, who: Viewer, judging: bool, wrote: bool) -> bool:
    if line.verb in {"approve", "return"}:
        return judging
    if line.verb == "resume" and wrote:
        return False
    return line.verb != "use" and holds(session, version.item, *line.who)


def _moved(version_id: int, rule: Callable[..., None], done: str) -> Any:
    version = fetch(db(), ItemVersion, version_id, viewer())
    rule(db(), version, viewer(), request.form.get("reason", ""), now=now())
    flash(f"{bank.label(version)}{done}。", "success")
    return redirect(url_for("items.show", item_id=version.item_id, version=version.number))

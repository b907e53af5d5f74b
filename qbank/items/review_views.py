"""Doors: review one item after another, each person's work list, who is asked for what, the reviewers' estimates."""

from __future__ import annotations

from datetime import timedelta
from io import BytesIO
from typing import Any

import sqlalchemy as sa
from flask import flash, redirect, render_template, request, send_file, url_for
from sqlalchemy.orm import contains_eager, joinedload, selectinload
from werkzeug.exceptions import NotFound

from qbank.items import bank, blind, estimates, review, tasks, worklists
from qbank.items.blueprint import SPREADSHEET, blueprint
from qbank.items.models import BANK_ROLES, Item, ItemVersion, Review, ReviewTask
from qbank.items.states import Verdict
from qbank.kernel.access import Role, fetch
from qbank.kernel.export import workbook
from qbank.kernel.forms import day, whole_number
from qbank.kernel.refused import Refused
from qbank.kernel.times import local_date
from qbank.kernel.web import db, now, paged, viewer
from qbank.standards.models import Point

VERDICTS = {verdict.value: verdict for verdict in Verdict}
blueprint.add_app_template_global(blind.spoken, "spoken_answer")


@blueprint.get("/review", endpoint="review")
def review_page() -> Any:
    """An item that waits for this reviewer: ``?version=`` that one, ``?after=`` the one behind it on the list."""
    keys = _keys()
    wanted, after = request.args.get("version", type=int), request.args.get("after", type=int)
    if wanted is not None:
        version = fetch(db(), ItemVersion, wanted, viewer())  # a stranger's is not there
        if review.may_judge(db(), version, viewer()):
            return _page(version, keys)
    if not keys:
        return render_template("items/review.html", version=None, last=_last())
    following = keys.index(after) + 1 if after in keys else 0
    return _page(fetch(db(), ItemVersion, keys[following % len(keys)], viewer()), keys)


@blueprint.post("/review/<int:version_id>/answer")
def answer(version_id: int) -> Any:
    version = fetch(db(), ItemVersion, version_id, viewer())
    given = request.form.getlist("answer")
    try:
        review.answer(db(), version, viewer(), given, now=now())
    except Refused as refusal:
        if refusal.code != "no_answer":
            raise
        return _page(version, _keys(), refusal=refusal, given=given), 409
    return redirect(url_for("items.review", version=version_id))


@blueprint.post("/review/<int:version_id>")
def judge(version_id: int) -> Any:
    version = fetch(db(), ItemVersion, version_id, viewer())
    keys = _keys()
    try:
        verdict = VERDICTS.get(request.form.get("verdict", ""))
        if verdict is None:
            raise Refused("no_verdict", "请选择“通过”“小改后再审”或“大改后再审”。")
        review.judge(db(), version, viewer(), verdict, request.form.get("comment", ""), now=now(), estimate=_estimate())
    except Refused as refusal:
        if not review.may_judge(db(), version, viewer()):
            raise
        return _page(version, keys, refusal=refusal), 409
    flash(f"{bank.label(version)}：{verdict.chinese}。", "success")
    following = next(iter(keys[keys.index(version_id) + 1:]), None) if version_id in keys else None
    return redirect(url_for("items.review", version=following))


@blueprint.post("/review/<int:version_id>/undo")
def undo(version_id: int) -> Any:
    version = fetch(db(), ItemVersion, version_id, viewer())
    review.undo(db(), version, viewer(), now=now())
    flash(f"已撤回您对{bank.label(version)}的意见，可以重新给出结论。", "success")
    return redirect(url_for("items.review", version=version_id))


@blueprint.get("/desk")
def desk() -> Any:
    """What this person has to do in the bank."""
    who, today = viewer(), local_date(now())
    found: dict[str, Any] = {"today": today}
    if who.has(Role.ITEM_REVIEWER):
        query = review.work_list(db(), who, today).options(contains_eager(ItemVersion.item))
        versions, total, page, pages = paged(db(), query)
        found |= {"waiting": worklists.waiting_rows(db(), versions, who, today), "total": total, "page": page, "pages": pages,
                  "load": worklists.load_of(db(), who, today),
                  "given": db().scalars(worklists.undoable(who).limit(20)).all()}
    if who.has(Role.ITEM_AUTHOR):
        shown = selectinload(ItemVersion.reviews).joinedload(Review.reviewer)
        found |= {"returned": db().scalars(worklists.returned(who).options(shown).limit(50)).all(),
                  "wanted": db().scalars(worklists.replies_wanted(who).options(
                      contains_eager(Review.version), joinedload(Review.reviewer)).limit(50)).all(),
                  "disputed": db().scalars(worklists.disputed(who).limit(50)).all(),
                  "late": db().scalars(worklists.late(who, today).limit(50)).all()}
    return render_template("items/desk.html", **found)


@blueprint.post("/reviews/<int:review_id>/reply")
def reply(review_id: int) -> Any:
    comment = fetch(db(), Review, review_id, viewer())
    review.reply(db(), comment, viewer(), request.form.get("reply", ""), now=now())
    flash("回复已保存，审题员再审时会看到。", "success")
    return redirect(url_for("items.show", item_id=comment.version.item_id, version=comment.version.number))


@blueprint.route("/tasks", methods=["GET", "POST"], endpoint="tasks")
def task_page() -> Any:
    """Deal submitted items out to reviewers."""
    if request.method == "GET":
        return _task_page()
    try:
        made = _assign()
    except Refused as refusal:
        return _task_page(refusal), 409
    flash(f"已分配 {made} 项审题任务。", "success")
    return redirect(url_for("items.tasks"))


@blueprint.post("/tasks/<int:task_id>/drop")
def drop_task(task_id: int) -> Any:
    task = fetch(db(), ReviewTask, task_id, viewer())
    tasks.drop(db(), task, viewer())
    flash(f"已取消{task.reviewer.name}的这项任务。", "success")
    return redirect(url_for("items.tasks", asked=request.args.get("asked")))


@blueprint.get("/estimates.xlsx", endpoint="estimates")
def estimate_workbook() -> Any:
    """The standard-setting round of one bank (``?table=``)."""
    table_id = request.args.get("table", 0, type=int)
    if table_id not in {table.id for _, table in bank.banks_for(db(), viewer(), *BANK_ROLES)}:
        raise NotFound
    content = workbook([estimates.standard_setting(db(), table_id, viewer())])
    return send_file(BytesIO(content), SPREADSHEET, as_attachment=True, download_name=f"标准设定_{now():%Y%m%d}.xlsx")


def _keys() -> list[int]:
    query = review.work_list(db(), viewer(), local_date(now()))
    return list(db().scalars(query.with_only_columns(ItemVersion.id)))


def _last() -> Review | None:
    return db().scalars(worklists.undoable(viewer()).limit(1)).first()


def _page(version: ItemVersion, keys: list[int], refusal: Refused | None = None, given: list[str] | None = None) -> str:
    """The item without its key until the blind answer is given, then with it and the form for the verdict."""
    own = review.second_key(db(), version, viewer())
    others = [other for other in worklists.second_keys(db(), version) if own and other is not own]
    earlier = [(other, comment) for other in reversed(version.item.versions) if own and other.number < version.number
               for comment in other.reviews if comment.comment]
    return render_template(
        "items/review.html", version=version, own=own, given=given or [], left=len(keys), last=_last(), refusal=refusal,
        nth=keys.index(version.id) + 1 if version.id in keys else 0, earlier=earlier,
        disagreed=[other for other in others if other.agrees is False], verdicts=Verdict,
        row=worklists.waiting_rows(db(), [version], viewer(), local_date(now()))[0],
        blanks=review.blanks_to_fill(version), needed=review.approvals_needed(db(), version.item.institution_id))


def _estimate() -> int | None:
    text = request.form.get("estimate", "").strip().removesuffix("%")
    return whole_number(text, "预计答对人数", 0, 100) if text else None


def _assign() -> int:
    form, who = request.form, viewer()
    query = tasks.waiting(who, only_unasked=request.args.get("asked") == "none").options(
        contains_eager(ItemVersion.item), selectinload(ItemVersion.reviews))
    if form.get("which") == "first":
        query = query.where(~sa.exists().where(ReviewTask.version_id == ItemVersion.id)).limit(
            whole_number(form.get("count", ""), "分配的题数", 1, tasks.MOST))
    else:
        query = query.where(ItemVersion.id.in_(_ids("version")))
    each = form.get("each", "").strip()
    return tasks.assign(db(), list(db().scalars(query)), _ids("reviewer"), who, due=day(form.get("due", ""), "完成期限"), now=now(),
                        each=whole_number(each, "每题人数", 1, 20) if each else None)


def _ids(name: str) -> list[int]:
    return [int(key) for key in request.form.getlist(name) if key.isdecimal() and len(key) < 10][:tasks.MOST]


def _task_page(refusal: Refused | None = None) -> str:
    unasked = request.args.get("asked") == "none"
    query = tasks.waiting(viewer(), only_unasked=unasked).options(
        contains_eager(ItemVersion.item).joinedload(Item.table), joinedload(ItemVersion.author),
        joinedload(ItemVersion.point).joinedload(Point.range), selectinload(ItemVersion.reviews))
    versions, total, page, pages = paged(db(), query)
    people = {account.id: account for item in {version.item.table_id: version.item for version in versions}.values()
              for account in tasks.reviewers_of(db(), item)}
    today = local_date(now())
    return render_template(
        "items/tasks.html", versions=versions, total=total, page=page, pages=pages, unasked=unasked, refusal=refusal,
        tasks=tasks.tasks_of(db(), [version.id for version in versions]), people=list(people.values()), today=today,
        open_tasks=tasks.open_tasks(db(), people), due=today + timedelta(days=7), typed=request.form)

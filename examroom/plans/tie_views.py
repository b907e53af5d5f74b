"""Doors: relations declared by those who invigilate, assess or review (回避申报)."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from flask import flash, redirect, render_template, request, url_for

from examroom.plans import ties
from examroom.plans.blueprint import blueprint
from examroom.plans.tie_models import EXAMINERS, Tie, TieKind
from qbank.kernel import forms
from qbank.kernel.access import Role, fetch, visible
from qbank.kernel.accounts import Account, Grant, Institution
from qbank.kernel.refused import Refused
from qbank.kernel.web import db, now, viewer


@blueprint.get("/ties")
def tie_list() -> Any:
    return _page()


def _page(refusal: Refused | None = None) -> str:
    rows = db().scalars(visible(Tie, viewer()).order_by(Tie.id.desc())).all()
    officer = viewer().has(Role.EXAM_OFFICER)
    return render_template("plans/ties.html", rows=rows, refusal=refusal, officer=officer, schools=_schools(), people=_staff() if officer else [])


def _schools() -> list[Institution]:
    """Where the viewer serves, or keeps the list."""
    return list(db().scalars(sa.select(Institution).where(viewer().reach(Institution.id, Role.EXAM_OFFICER, *EXAMINERS)).order_by(Institution.name)))


def _staff() -> list[Account]:
    """Whom an officer may declare for: who serves at one of the officer's schools."""
    own = sa.select(Institution.id).where(viewer().reach(Institution.id, Role.EXAM_OFFICER))
    serves = Account.grants.any(sa.and_(Grant.role.in_(EXAMINERS), Grant.institution_id.in_(own)))
    return list(db().scalars(sa.select(Account).where(Account.active, serves).order_by(Account.name)))


@blueprint.post("/ties")
def declare_kin() -> Any:
    """Declare that a candidate is kin: one's own, or, as the officer, another's."""
    form = request.form
    try:
        school = next((one for one in _schools() if str(one.id) == form.get("institution_id")), None)
        if school is None:
            raise Refused("other_school", "请选择您任职的学校。")
        found = ties.candidate_of(db(), school, form.get("number", ""))
        made = ties.declare(db(), school, _whom(), TieKind.RELATIVE, viewer(), candidate=found, note=form.get("note", ""), now=now())
    except Refused as refusal:
        return _page(refusal), 409
    flash(f"已登记{made.account.name}的回避申报，安排人员时自动回避。", "success")
    return redirect(url_for("plans.tie_list"))


def _whom() -> Account:
    text = request.form.get("account_id", "")
    if not text:
        return db().get_one(Account, viewer().account_id)
    key = forms.whole_number(text, "人员", 1, 2**31 - 1)
    found = next((one for one in [*_staff(), db().get_one(Account, viewer().account_id)] if one.id == key), None)
    if found is None:
        raise Refused("other_school", "请从名单中选择本校的监考员、考评员或评审专家。")
    return found


@blueprint.post("/ties/<int:tie_id>/take-back")
def withdraw_tie(tie_id: int) -> Any:
    ties.take_back(db(), fetch(db(), Tie, tie_id, viewer()), viewer())
    flash("已撤销这项申报。", "success")
    return redirect(url_for("plans.tie_list"))

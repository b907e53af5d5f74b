"""Doors: resit lists (补考名单) and proofs of single scores (单科成绩证明) of a final list."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from flask import Response, flash, redirect, render_template, request, url_for

from examroom.plans.models import ExamPlan
from qbank.kernel.access import Role, fetch
from qbank.kernel.export import Table
from qbank.kernel.export import workbook as write_workbook
from qbank.kernel.refused import Refused
from qbank.kernel.times import spoken
from qbank.kernel.web import db, now, settings, viewer
from scoring.practical.duties import may_act
from scoring.practical.joining import spoken_points
from scoring.results import proofs, resits
from scoring.results.blueprint import blueprint
from scoring.results.case_models import ScoreProof
from scoring.results.models import ResultList

SPREADSHEET = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
COLUMNS = (("序号", 6), ("准考证号", 16), ("姓名", 12), ("班级", 14), ("结果", 10), ("须补考", 22), ("保留成绩", 26), ("保留至", 14),
           ("剩余次数", 9), ("说明", 40))


@blueprint.get("/lists/<int:list_id>/resits")
def resit_list(list_id: int) -> Any:
    found = fetch(db(), ResultList, list_id, viewer())
    lines = _chosen(found)
    return render_template("results/resit_list.html", list=found, plan=found.plan, lines=lines, plans=resits.next_plans(db(), found),
                           open=sum(one.open for one in lines), in_charge=may_act(db(), found.plan, viewer(), Role.EXAM_OFFICER), now=now())


@blueprint.post("/lists/<int:list_id>/resits")
def take_over(list_id: int) -> Any:
    found = fetch(db(), ResultList, list_id, viewer())
    plan = fetch(db(), ExamPlan, request.form.get("plan", 0, type=int), viewer())
    taken = resits.take_over(db(), found, plan, request.form.getlist("result", type=int), viewer(), now=now())
    flash(f"已把 {taken} 名考生报入“{plan.title}”，合格部分已提出保留，等待另一名考务员审批。", "success")
    return redirect(url_for("results.credits_of", plan_id=plan.id))


@blueprint.get("/lists/<int:list_id>/resits/workbook")
def resit_workbook(list_id: int) -> Any:
    """The rows that the page shows with the same filters."""
    found = fetch(db(), ResultList, list_id, viewer())
    rows = [(place, one.result.enrolment.ticket_number, one.result.enrolment.candidate.name, one.result.enrolment.class_name,
             one.result.told, "、".join(one.retake), "、".join(f"{part} {spoken_points(score)}" for part, score in one.kept),
             spoken(one.until) if one.open else "", one.attempts if one.open else 0, one.hindered or "可以补考")
            for place, one in enumerate(_chosen(found), 1)]
    content = write_workbook([Table("补考名单", COLUMNS, rows, title=f"补考名单　{found.plan.title}（{found.plan.number}）")])
    return _file(content, f"补考名单_{found.plan.number}.xlsx", SPREADSHEET)


@blueprint.get("/lists/<int:list_id>/proofs")
def proof_list(list_id: int) -> Any:
    found = fetch(db(), ResultList, list_id, viewer())
    text = request.args.get("q", "").strip()
    waiting = [one for one in proofs.issuable(db(), found) if not one[0].passed or request.args.get("all")]
    return render_template("results/proof_list.html", list=found, plan=found.plan, in_charge=may_act(db(), found.plan, viewer(), Role.EXAM_OFFICER),
                           waiting=[one for one in waiting if text in one[0].enrolment.candidate.name or text in one[0].enrolment.ticket_number],
                           rows=[one for one in proofs.of_list(db(), found) if text in one.holder or text in one.code])


@blueprint.post("/lists/<int:list_id>/proofs")
def issue_proofs(list_id: int) -> Any:
    found = fetch(db(), ResultList, list_id, viewer())
    chosen = [(int(key), part) for key, _, part in (text.partition(":") for text in request.form.getlist("chosen")) if key.isdecimal() and len(key) < 19]
    made = proofs.issue(db(), found, chosen, viewer(), now=now())
    flash(f"已出具 {made} 份单科成绩证明，考生可以在“我的成绩”下载。", "success")
    return redirect(url_for("results.proof_list", list_id=found.id))


@blueprint.get("/proofs/<int:proof_id>/pdf")
def proof_pdf(proof_id: int) -> Any:
    found = fetch(db(), ScoreProof, proof_id, viewer())
    return _file(proofs.draw(found, settings().public_url, made_at=found.issued_at), f"单科成绩证明_{found.holder}_{found.part}.pdf", "application/pdf")


@blueprint.post("/proofs/<int:proof_id>/revoke")
def revoke_proof(proof_id: int) -> Any:
    found = fetch(db(), ScoreProof, proof_id, viewer())
    proofs.revoke(db(), found, request.form.get("reason", ""), viewer(), now=now())
    flash("证明已作废，公开查询将显示“已作废”。", "success")
    return redirect(url_for("results.proof_list", list_id=found.result.list_id))


def _chosen(found: ResultList) -> list[resits.Resit]:
    """The lines by ``q`` (name, ticket, class) and ``state`` (open, hindered)."""
    text, state = request.args.get("q", "").strip(), request.args.get("state", "")
    if state not in {"", "open", "hindered"}:
        raise Refused("no_state", "没有这个筛选条件，请从页面上选择。")
    lines = resits.of_list(db(), found, now=now())
    return [one for one in lines if (not state or one.open == (state == "open")) and any(
        text in column for column in (one.result.enrolment.candidate.name, one.result.enrolment.ticket_number, one.result.enrolment.class_name))]


def _file(content: bytes, name: str, kind: str) -> Response:
    return Response(content, mimetype=kind, headers={"Content-Disposition": f"attachment; filename*=UTF-8''{quote(name)}"})

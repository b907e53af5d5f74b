"""Doors of the hand-ins: the candidate's page, files, receipts; the office's list and the overlaps."""

from __future__ import annotations

from typing import Any

from flask import flash, redirect, render_template, request, url_for

from examroom.plans.models import Enrolment, ExamPlan
from qbank.kernel import jobs
from qbank.kernel.access import Role, fetch, visible
from qbank.kernel.attachments import EXTENSIONS, NAMES, download
from qbank.kernel.forms import moment
from qbank.kernel.refused import Refused
from qbank.kernel.web import db, large, now, viewer
from qbank.standards.packs import pack_for
from scoring.practical.duties import may_act
from scoring.review import comparing, handing_in, overlap
from scoring.review.blueprint import blueprint
from scoring.review.handin_models import OverlapHit, ReviewCall, Submission, SubmissionKind
from scoring.review.models import ReviewCase


@blueprint.get("/mine")
def mine() -> Any:
    """A candidate's own hand-ins."""
    own = db().scalars(visible(Enrolment, viewer()).where(Enrolment.account_id == viewer().account_id)
                       .join(ReviewCall, ReviewCall.plan_id == Enrolment.plan_id).order_by(ReviewCall.until.desc())).all()
    return render_template("review/mine.html", now=now(), kinds=list(SubmissionKind), problem=None,
                           own=[_own(one) for one in own])


def _own(enrolment: Enrolment) -> dict[str, Any]:
    pack = pack_for(db(), enrolment.plan.institution)
    return {"enrolment": enrolment, "call": handing_in.call_of(db(), enrolment.plan), "held": handing_in.submissions(db(), enrolment),
            "allowed": {kind: "、".join(f"{NAMES[media]}（不超过 {most} MB）" for media, most in handing_in.limits(pack, kind).items())
                        for kind in SubmissionKind}, "most": pack.review_evidence_files}


@blueprint.post("/enrolments/<int:enrolment_id>/hand-in")
@large
def hand_in(enrolment_id: int) -> Any:
    enrolment = fetch(db(), Enrolment, enrolment_id, viewer())
    try:
        kind = SubmissionKind(request.form.get("kind", ""))
    except ValueError:
        raise Refused("no_kind", "请从页面上的表单提交材料。") from None
    made = handing_in.hand_in(db(), enrolment, kind, request.files.get("file"), viewer(), title=request.form.get("title", ""), now=now())
    if kind is SubmissionKind.PAPER:
        jobs.enqueue(db(), comparing.KIND, {"plan_id": enrolment.plan_id, "submission_ids": [made.id]}, None, now=now())
    flash(f"已收到“{made.title}”，回执 {made.receipt}。", "success")
    return redirect(url_for("review.receipt", submission_id=made.id))


@blueprint.post("/submissions/<int:submission_id>/withdraw")
def withdraw(submission_id: int) -> Any:
    found = fetch(db(), Submission, submission_id, viewer())
    handing_in.withdraw(db(), found, viewer(), now=now())
    flash(f"已撤回“{found.title}”。", "success")
    return redirect(url_for("review.mine"))


@blueprint.get("/submissions/<int:submission_id>/receipt")
def receipt(submission_id: int) -> Any:
    """The receipt of one file, for its candidate and the offices; it names him, so the panel does not get it."""
    found = fetch(db(), Submission, submission_id, viewer())
    fetch(db(), Enrolment, found.enrolment_id, viewer())
    return render_template("review/receipt.html", one=found)


@blueprint.get("/submissions/<int:submission_id>/file")
def file(submission_id: int) -> Any:
    """The file itself; a judge gets it under the candidate's number."""
    found = fetch(db(), Submission, submission_id, viewer())
    known = db().scalar(visible(Enrolment, viewer()).where(Enrolment.id == found.enrolment_id))
    name = ""
    if known is None:
        case = db().scalars(visible(ReviewCase, viewer()).where(ReviewCase.enrolment_id == found.enrolment_id)).one()
        name = f"{case.number}号-{found.kind.chinese}-{found.number}{EXTENSIONS[found.attachment.media_type]}"
    return download(db(), found.attachment, name)


@blueprint.get("/plans/<int:plan_id>/hand-ins")
def hand_ins(plan_id: int) -> Any:
    """What the candidates of a plan have handed in, with the overlaps."""
    plan = fetch(db(), ExamPlan, plan_id, viewer())
    held = {one.id: handing_in.submissions(db(), one) for one in plan.enrolments}
    return render_template("review/hand_ins.html", plan=plan, call=handing_in.call_of(db(), plan), held=held, now=now(),
                           checks=comparing.newest_checks(db(), comparing.newest_papers(db(), plan)),
                           pack=pack_for(db(), plan.institution), in_charge=may_act(db(), plan, viewer(), Role.EXAM_OFFICER))


@blueprint.post("/plans/<int:plan_id>/call")
def call(plan_id: int) -> Any:
    plan = fetch(db(), ExamPlan, plan_id, viewer())
    handing_in.set_call(db(), plan, viewer(), until=moment(request.form.get("until", ""), "提交截止时间"),
                        note=request.form.get("note", ""), now=now())
    flash("提交期限已设定，考生可以在“我的评审材料”中提交。", "success")
    return redirect(url_for("review.hand_ins", plan_id=plan.id))


@blueprint.post("/plans/<int:plan_id>/overlaps")
def check_overlaps(plan_id: int) -> Any:
    plan = fetch(db(), ExamPlan, plan_id, viewer())
    job = comparing.order_check(db(), plan, viewer(), now=now())
    return redirect(url_for("accounts.job", job_id=job.id))


@blueprint.get("/overlaps/<int:hit_id>")
def overlap_page(hit_id: int) -> Any:
    """Both texts side by side. Another school's paper is not shown to this one, and to the panel nobody is named."""
    hit = fetch(db(), OverlapHit, hit_id, viewer())
    mine, other, passages = comparing.side_by_side(db(), hit)
    named = db().scalar(visible(Enrolment, viewer()).where(Enrolment.id == hit.check.submission.enrolment_id)) is not None
    known = named and db().scalar(visible(Submission, viewer()).where(Submission.id == hit.other_id)) is not None
    same_school = hit.other.enrolment.plan.institution_id == hit.check.submission.enrolment.plan.institution_id
    return render_template(
        "review/overlap.html", hit=hit, named=named, known=known, shown=known or (same_school and not named), passages=passages,
        pairs=[(mine[one.start:one.end], other[one.other_start:one.other_end], one.length) for one in passages],
        mine=overlap.cut(mine, [(one.start, one.end) for one in passages]),
        other=overlap.cut(other, [(one.other_start, one.other_end) for one in passages]))

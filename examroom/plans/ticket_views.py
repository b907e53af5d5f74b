"""Doors: 准考证 of a plan and of one candidate, and a new exam code."""

from __future__ import annotations

from io import BytesIO
from typing import Any

import sqlalchemy as sa
from flask import flash, redirect, render_template, request, send_file, url_for
from sqlalchemy.orm import defer
from werkzeug.exceptions import NotFound

from examroom.plans import candidates as enrolling
from examroom.plans import listing, qualification, ticket_print
from examroom.plans.blueprint import blueprint
from examroom.plans.condition_models import Qualification
from examroom.plans.models import Enrolment, ExamPlan
from examroom.plans.qualification_models import TicketFile
from examroom.plans.staffing import require_officer
from examroom.plans.ticket_job import PRINT_TICKETS
from qbank.kernel import jobs
from qbank.kernel.access import fetch, visible
from qbank.kernel.web import db, identity_cipher, now, settings, viewer

FILES_SHOWN = 10


@blueprint.get("/<int:plan_id>/tickets")
def tickets(plan_id: int) -> Any:
    """What may be printed, what is missing, and what was printed."""
    plan = fetch(db(), ExamPlan, plan_id, viewer())
    require_officer(db(), plan, viewer())
    accepted = sa.select(sa.func.count()).select_from(Enrolment).where(
        Enrolment.plan_id == plan.id, Enrolment.qualification == Qualification.ACCEPTED)
    missing = {"photo": db().scalar(accepted.where(Enrolment.photo_id.is_(None))), "seat": db().scalar(accepted.where(~Enrolment.seats.any()))}
    files = db().scalars(visible(TicketFile, viewer()).where(TicketFile.plan_id == plan.id).order_by(TicketFile.id.desc())
                         .limit(FILES_SHOWN).options(defer(TicketFile.content))).all()
    held = set(db().scalars(visible(TicketFile, viewer()).with_only_columns(TicketFile.id).where(TicketFile.content.is_not(None))))
    return render_template("plans/tickets.html", plan=plan, counts=qualification.counts(db(), plan.id), accepted=db().scalar(accepted),
                           missing=missing, files=files, held=held, kept=listing.kept(request.args))


@blueprint.post("/<int:plan_id>/tickets")
def print_tickets(plan_id: int) -> Any:
    plan = fetch(db(), ExamPlan, plan_id, viewer())
    require_officer(db(), plan, viewer())
    filters = listing.kept(request.args) | {"state": Qualification.ACCEPTED.value}
    one = db().scalars(listing.searched(plan, filters, viewer()).limit(1)).unique().all()
    ticket_print.require_ready(plan, one)
    job = jobs.enqueue(db(), PRINT_TICKETS, {"plan_id": plan.id, "filters": filters}, viewer(), now=now())
    return redirect(url_for("accounts.job", job_id=job.id))


@blueprint.get("/ticket-files/<int:file_id>.pdf")
def ticket_file(file_id: int) -> Any:
    found = fetch(db(), TicketFile, file_id, viewer())
    plan = fetch(db(), ExamPlan, found.plan_id, viewer())
    require_officer(db(), plan, viewer())
    if found.content is None:
        raise NotFound
    return _pdf(found.content, f"准考证 {plan.number}.pdf")


@blueprint.get("/enrolments/<int:enrolment_id>/ticket.pdf")
def ticket(enrolment_id: int) -> Any:
    """The officer's copy, or the candidate's own."""
    enrolment = fetch(db(), Enrolment, enrolment_id, viewer())
    if enrolment.account_id != viewer().account_id:
        require_officer(db(), enrolment.plan, viewer())
    content = ticket_print.draw(db(), enrolment.plan, [enrolment], key=settings().code_key, cipher=identity_cipher(), now=now())
    return _pdf(content, f"准考证 {enrolment.ticket_number} {enrolment.candidate.name}.pdf")


def _pdf(content: bytes, name: str) -> Any:
    return send_file(BytesIO(content), mimetype="application/pdf", download_name=name)


@blueprint.post("/enrolments/<int:enrolment_id>/code")
def reissue_code(enrolment_id: int) -> Any:
    enrolment = fetch(db(), Enrolment, enrolment_id, viewer())
    enrolling.reissue_code(db(), enrolment, viewer(), request.form.get("reason", ""), now=now())
    flash(f"已为{enrolment.candidate.name}换发考试码，原来的考试码作废。请打印新的准考证。", "success")
    return redirect(url_for("plans.application", enrolment_id=enrolment.id))

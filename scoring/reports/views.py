"""Doors: the reports of a plan, the same as pictures, pass rates of a school."""

from __future__ import annotations

from io import BytesIO
from typing import Any

from flask import Response, abort, flash, redirect, render_template, request, send_file, url_for

from examroom.plans.models import ExamPlan
from qbank.kernel.access import fetch
from qbank.kernel.export import workbook
from qbank.kernel.jobs import enqueue
from qbank.kernel.refused import Refused
from qbank.kernel.web import db, now, reading, viewer
from qbank.statistics.blueprint import picture
from qbank.statistics.reports_print import Document, pdf, tables_of
from scoring.reports import analyses, lists, making, rates, region_views, school, screen  # noqa: F401  # doors register
from scoring.reports.blueprint import MEDIA, blueprint
from scoring.reports.catalogue import CATALOGUE, EXCEL, PDF, Asking, allowed, kind_of, takes_long
from scoring.reports.cohort import cohort_of, result_list
from scoring.reports.models import ReportFile
from scoring.results import listing
from scoring.results.desk import list_of
from scoring.results.models import ResultList


@blueprint.get("/")
def index() -> Any:
    """Pass rates by occupation, and the plans with what there is of each."""
    wish = school.Wish.read(request.args)
    rows, found = school.by_occupation(db(), wish, viewer()), school.posted(db(), wish, viewer())
    return render_template("reports/index.html", rows=rows, lists=found, wish=wish, schools=school.schools(db(), viewer()),
                           years=school.years(db(), viewer()))


@blueprint.get("/rates.svg")
def rates_picture() -> Any:
    rows = school.by_occupation(db(), school.Wish.read(request.args), viewer())
    return picture(analyses.rates_plot([group for group, _ in rows], _whole([group for group, _ in rows]), "各职业的合格率"))


@blueprint.get("/rates/file")
def rates_file() -> Any:
    """Pass rates by occupation as PDF or Excel (``form``)."""
    wish = school.Wish.read(request.args)
    rows = school.by_occupation(db(), wish, viewer())
    if not rows:
        raise Refused("nothing_posted", "没有已经公示的认定结果，没有可以统计的合格率。")
    named = {one.id: one.name for one in school.schools(db(), viewer())}
    facts = [("评价机构", named.get(wish.school, "全部可见的评价机构")), ("年份", f"{wish.year} 年" if wish.year else "全部年份")]
    return _sent(analyses.occupations_document("各职业合格率", facts, rows), "各职业合格率")


@blueprint.get("/plans/<int:plan_id>")
def show(plan_id: int) -> Any:
    plan = fetch(db(), ExamPlan, plan_id, viewer())
    kinds = [(one, allowed(db(), one, plan, viewer())) for one in CATALOGUE.values()]
    return render_template("reports/show.html", plan=plan, list=list_of(db(), plan), kinds=kinds,
                           files=making.files_of(db(), plan, viewer()), catalogue=CATALOGUE)


@blueprint.post("/plans/<int:plan_id>/make")
def make(plan_id: int) -> Any:
    """A report (``kind``, ``form``) at once; one that takes long off the request."""
    key, form = request.form.get("kind", ""), request.form.get("form", "")
    plan, wanted = fetch(db(), ExamPlan, plan_id, viewer()), kind_of(key, form)
    if takes_long(db(), wanted, plan):
        if not allowed(db(), wanted, plan, viewer()):
            raise Refused("not_yours", f"“{wanted.title}”只提供给{wanted.readers}，您的角色不能生成。")
        job = enqueue(db(), making.JOB, {"plan": plan.id, "kind": key, "form": form}, viewer(), now=now())
        return redirect(url_for("accounts.job", job_id=job.id))
    with reading() as session:
        asking = Asking(session, fetch(session, ExamPlan, plan_id, viewer()), viewer(), now(), lambda done, total, message: None)
        name, content = making.make(asking, wanted, form)
    making.keep(db(), plan_id, key, name, content, viewer(), now=now(), content_too=False)
    return _download(name, content)


@blueprint.get("/files/<int:file_id>")
def file(file_id: int) -> Any:
    found = fetch(db(), ReportFile, file_id, viewer())
    if found.content is None:
        raise Refused("gone", "报表文件只保留一天，已经删除。请重新生成。")
    return _download(found.file_name, found.content)


@blueprint.get("/lists/<int:list_id>/roster")
def roster(list_id: int) -> Any:
    """成绩汇总表 of exactly the rows that the page of results shows with the same filters."""
    found = fetch(db(), ResultList, list_id, viewer())
    chosen = [one.id for one in db().scalars(listing.filtered(found, request.args))]
    cohort, everyone = cohort_of(db(), found, chosen), cohort_of(db(), found)
    return _sent(lists.summary(cohort, everyone.lines), f"成绩汇总表_{cohort.number}")


@blueprint.get("/plans/<int:plan_id>/plots")
def plots(plan_id: int) -> Any:
    """For people who would rather look than read."""
    plan = fetch(db(), ExamPlan, plan_id, viewer())
    found = list_of(db(), plan)
    if found is None:
        flash("本计划还没有合成成绩，没有可以画的图。", "warning")
        return redirect(url_for("reports.show", plan_id=plan.id))
    return render_template("reports/plots.html", plan=plan, pictures=screen.pictures(db(), found, plan, viewer(), now=now()))


@blueprint.get("/plans/<int:plan_id>/plot.svg")
def plot(plan_id: int) -> Any:
    """``show``: the name of the picture."""
    plan = fetch(db(), ExamPlan, plan_id, viewer())
    drawn = screen.draw(db(), result_list(db(), plan, viewer()), plan, viewer(), request.args.get("show", "parts"), now=now())
    if drawn is None:
        abort(404)
    return picture(drawn)


def _whole(groups: list[Any]) -> Any:
    return rates.rate("全体", sum(group.passed for group in groups), sum(group.n for group in groups))


def _sent(document: Document, name: str) -> Response:
    form = request.args.get("form", PDF)
    if form not in (PDF, EXCEL):
        abort(404)
    return _download(f"{name}.{form}", pdf(document, made_at=now()) if form == PDF else workbook(tables_of(document), made_at=now()))


def _download(name: str, content: bytes) -> Response:
    return send_file(BytesIO(content), MEDIA[name.rpartition(".")[2]], as_attachment=True, download_name=name)

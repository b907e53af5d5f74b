"""Doors of the API: its operations, the OpenAPI document and the page that explains it. Tokens: ``token_views``."""

from __future__ import annotations

import operator
from typing import Any

import sqlalchemy as sa
from flask import render_template, request
from sqlalchemy.orm import joinedload, selectinload

from examroom.filing import scopes
from examroom.filing.models import FiledScope
from examroom.plans.models import ExamPlan, PlanState
from qbank.kernel.access import fetch, visible
from qbank.kernel.accounts import Institution
from qbank.kernel.times import local_date
from qbank.kernel.web import bare, proven
from qbank.standards.models import Occupation, Standard
from scoring.api import answers, asking, limits, openapi, reading, token_views
from scoring.api.answers import (
    CandidateAnswer,
    Candidates,
    CertificateAnswer,
    Certificates,
    Directory,
    FiledScopeAnswer,
    PlanAnswer,
    Plans,
    ResultAnswer,
    Results,
    SittingAnswer,
    TokenAnswer,
)
from scoring.api.models import ApiToken, Reads
from scoring.api.operations import OPERATIONS, VERSION, Inquiry, blueprint, cut, operation
from scoring.api.problems import TITLES, Problem
from scoring.certificates.models import Certificate
from scoring.results.models import Result, ResultList, ResultState
from scoring.results.notice import last_day

__all__ = ["blueprint", "token_views"]
ALLOWED = "GET, HEAD, OPTIONS"
POSTED = (ResultState.NOTICED, ResultState.SUBMITTED, ResultState.CITY_CHECKED, ResultState.FINAL)


@operation("/directory", "评价机构目录", asking.DirectoryQuery, Directory, is_public=True)
def directory(inquiry: Inquiry) -> Directory:
    """今天有效的备案范围，与公开的目录页一致，不需要令牌。"""
    asked: asking.DirectoryQuery = inquiry.query
    query = scopes.searched(sa.select(FiledScope), "", str(asked.level or ""), "valid", local_date(inquiry.now))
    if asked.region:
        query = query.where(Institution.region.startswith(asked.region))
    if asked.occupation_code:
        query = query.where(Occupation.code == asked.occupation_code)
    query = query.options(joinedload(FiledScope.institution), joinedload(FiledScope.standard).joinedload(Standard.occupation))
    rows, last = cut(reading.page_of(inquiry.session, query, FiledScope.id, asked), asked)
    return Directory(next=inquiry.next(last), items=[FiledScopeAnswer(
        institution=reading.school(one.institution), occupation=reading.occupation(one.standard), level=one.level,
        basis=f"{one.standard.basis.chinese}（{one.standard.edition}年版）", valid_from=one.valid_from, valid_until=one.valid_until)
        for one in rows])


@operation("/token", "令牌", asking.Nothing, TokenAnswer)
def token(inquiry: Inquiry) -> TokenAnswer:
    """这个令牌能读什么、到什么时候为止。接入时先用它试通。"""
    held = inquiry.session.get_one(ApiToken, inquiry.known.token_id)
    return TokenAnswer(name=held.name, reads=held.reads, region=held.region, expires_at=held.expires_at,
                       institution=held.institution.name if held.institution else None)


@operation("/plans", "考务方案", asking.PlanQuery, Plans, reads=Reads.PLANS)
def plans(inquiry: Inquiry) -> Plans:
    """范围内已报送的考务方案（四（一））。草稿不提供。"""
    asked: asking.PlanQuery = inquiry.query
    query = visible(ExamPlan, inquiry.known.viewer).where(ExamPlan.state != PlanState.DRAFT).options(*reading.plan_parts())
    query = reading.where(query, (ExamPlan.state, operator.eq, asked.state), (ExamPlan.level, operator.eq, asked.level),
                          (ExamPlan.starts_on, operator.ge, asked.starts_from), (ExamPlan.starts_on, operator.le, asked.starts_until))
    if asked.occupation_code:
        query = query.where(ExamPlan.standard.has(Standard.occupation.has(Occupation.code == asked.occupation_code)))
    query = reading.in_region(reading.changed(query, ExamPlan, ExamPlan.id, asked), asked)
    rows, last = cut(reading.page_of(inquiry.session, query, ExamPlan.id, asked), asked)
    return Plans(next=inquiry.next(last), items=_plans(inquiry, rows))


@operation("/plans/{number}", "一个考务方案", asking.Nothing, PlanAnswer, reads=Reads.PLANS)
def plan(inquiry: Inquiry, number: str) -> PlanAnswer:
    """按计划编号读取。"""
    found = fetch(inquiry.session, ExamPlan, number, inquiry.known.viewer, by=ExamPlan.number)
    if found.state is PlanState.DRAFT:
        raise Problem("not_found")
    return _plans(inquiry, [found])[0]


def _plans(inquiry: Inquiry, rows: list[ExamPlan]) -> list[PlanAnswer]:
    counts = reading.enrolled(inquiry.session, rows)
    changes = reading.last_changes(inquiry.session, ExamPlan, [one.id for one in rows])
    return [PlanAnswer(
        number=one.number, title=one.title, institution=reading.school(one.institution), occupation=reading.occupation(one.standard),
        level=one.level, state=one.state.value, state_name=one.state.chinese, starts_on=one.starts_on, submitted_at=one.submitted_at,
        enrolled=counts.get(one.id, 0), decisions=reading.steps(one.decisions), changed_at=changes.get(one.id),
        sittings=[SittingAnswer(name=sitting.name, starts_at=sitting.starts_at, minutes=sitting.minutes, state=sitting.state.chinese)
                  for sitting in one.sittings]) for one in rows]


@operation("/results", "认定结果", asking.ResultQuery, Results, reads=Reads.RESULTS)
def results(inquiry: Inquiry) -> Results:
    """范围内各批次的认定结果汇总，从公示起提供（四（二）、四（三））。"""
    asked: asking.ResultQuery = inquiry.query
    query = visible(ResultList, inquiry.known.viewer).join(ResultList.plan).where(ResultList.state.in_(POSTED))
    if asked.state is not None:
        query = query.where(ResultList.state == asked.state)
    query = reading.in_region(reading.changed(query, ResultList, ResultList.id, asked), asked)
    query = reading.with_plan(query, joinedload(ResultList.plan)).options(selectinload(ResultList.decisions))
    rows, last = cut(reading.page_of(inquiry.session, query, ResultList.id, asked), asked)
    return Results(next=inquiry.next(last), items=_results(inquiry, rows))


def _results(inquiry: Inquiry, rows: list[ResultList]) -> list[ResultAnswer]:
    counts = reading.outcomes(inquiry.session, rows)
    changes = reading.last_changes(inquiry.session, ResultList, [one.id for one in rows])
    made = []
    for one in rows:
        candidates, passed, objections = counts.get(one.id, (0, 0, 0))
        made.append(ResultAnswer(
            plan_number=one.plan.number, institution=reading.school(one.plan.institution), occupation=reading.occupation(one.plan.standard),
            level=one.plan.level, state=one.state.value, state_name=one.state.chinese, noticed_at=one.noticed_at,
            notice_until=last_day(one.notice_ends_at) if one.notice_ends_at else None, candidates=candidates, passed=passed,
            objections=objections, decisions=reading.steps(one.decisions), changed_at=changes.get(one.id)))
    return made


@operation("/results/{number}/candidates", "一个批次的考生结果", asking.Page, Candidates, reads=Reads.CANDIDATES)
def candidates(inquiry: Inquiry, number: str) -> Candidates:
    """按计划编号读取每名考生的成绩和结论；证件号码只有掩码。"""
    plan = fetch(inquiry.session, ExamPlan, number, inquiry.known.viewer, by=ExamPlan.number)
    query = visible(Result, inquiry.known.viewer).join(Result.list).where(ResultList.plan_id == plan.id, ResultList.state.in_(POSTED))
    if inquiry.session.scalar(sa.select(ResultList.id).where(ResultList.plan_id == plan.id, ResultList.state.in_(POSTED))) is None:
        raise Problem("not_found")
    rows, last = cut(reading.page_of(inquiry.session, query.options(joinedload(Result.enrolment)), Result.id, inquiry.query), inquiry.query)
    return Candidates(next=inquiry.next(last), items=[_candidate(one) for one in rows])


def _candidate(one: Result) -> CandidateAnswer:
    def points(half_points: int | None) -> float | None:
        return None if half_points is None else half_points / 2

    person = one.enrolment.candidate
    return CandidateAnswer(ticket_number=one.enrolment.ticket_number, name=person.name, identity_masked=person.identity_masked,
                           theory=points(one.theory), practical=points(one.practical), review=points(one.review), passed=one.passed,
                           outcome=one.told)


@operation("/certificates", "证书", asking.CertificateQuery, Certificates, reads=Reads.CERTIFICATES)
def certificates(inquiry: Inquiry) -> Certificates:
    """范围内已制作的证书（四（四））。持证人只给有“个人信息”权限的令牌。"""
    asked: asking.CertificateQuery = inquiry.query
    query = visible(Certificate, inquiry.known.viewer).join(Certificate.result).join(Result.list).join(ResultList.plan)
    query = reading.where(query, (Certificate.issued_on, operator.ge, asked.issued_from), (Certificate.issued_on, operator.le, asked.issued_until))
    if asked.revoked is not None:
        query = query.where(Certificate.revoked_at.is_not(None) if asked.revoked else Certificate.revoked_at.is_(None))
    query = reading.in_region(reading.changed(query, Certificate, Certificate.id, asked), asked)
    query = query.options(joinedload(Certificate.result).joinedload(Result.list).joinedload(ResultList.plan),
                          selectinload(Certificate.replacements))
    rows, last = cut(reading.page_of(inquiry.session, query, Certificate.id, asked), asked)
    return Certificates(next=inquiry.next(last), items=_certificates(inquiry, rows))


@operation("/certificates/{number}", "一份证书", asking.Nothing, CertificateAnswer, reads=Reads.CERTIFICATES)
def certificate(inquiry: Inquiry, number: str) -> CertificateAnswer:
    """按证书编号读取。"""
    return _certificates(inquiry, [fetch(inquiry.session, Certificate, number, inquiry.known.viewer, by=Certificate.number)])[0]


def _certificates(inquiry: Inquiry, rows: list[Certificate]) -> list[CertificateAnswer]:
    changes = reading.last_changes(inquiry.session, Certificate, [one.id for one in rows])
    named = Reads.CANDIDATES in inquiry.known.reads
    return [CertificateAnswer(
        number=one.number, plan_number=one.result.list.plan.number, level=one.level, issuer=one.issuer, issued_on=one.issued_on,
        occupation=answers.OccupationOf(code=one.occupation_code, name=one.occupation, work_type=one.work_type),
        state="revoked" if one.revoked_at else "valid", revoked_at=one.revoked_at, revoked_why=one.revoked_why, replaced_at=one.replaced_at,
        holder=one.holder if named else None, identity_masked=one.identity_masked if named else None, changed_at=changes.get(one.id))
        for one in rows]


@blueprint.get(f"{VERSION}/openapi.json")
@bare
def document() -> Any:
    """The OpenAPI document, made from the operations."""
    return openapi.document()


@blueprint.get("/docs")
def docs() -> Any:
    """The same for people, without scripts."""
    return render_template("api/docs.html", document=openapi.document(), operations=OPERATIONS, reads=list(Reads), titles=TITLES,
                           rates=limits, schema=openapi.properties_of, most=asking.MOST)


@blueprint.route(f"{VERSION}/<path:rest>", methods=["GET", "OPTIONS", "POST", "PUT", "PATCH", "DELETE", "TRACE", "QUERY"])
@proven
def elsewhere(rest: str) -> Any:
    """What is no address of the API, or no way to ask it: nothing is ever written here."""
    if request.method in {"GET", "HEAD"}:
        return Problem("not_found", "没有这个接口，请查看 /api/docs。").answer()
    if request.method == "OPTIONS":
        return "", 204, {"Allow": ALLOWED}
    return Problem("method_not_allowed", "本接口只能读取（GET）。", Allow=ALLOWED).answer()

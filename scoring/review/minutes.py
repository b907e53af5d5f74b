"""评审会议记录: the chair closes the review, everybody who took part signs, the minutes are printed."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from qbank.kernel import audit
from qbank.kernel.access import Viewer
from qbank.kernel.attachments import Attachment, path_of
from qbank.kernel.printing import typeset
from qbank.kernel.refused import Refused
from qbank.kernel.times import local, spoken
from qbank.standards.models import LEVEL_NAMES
from qbank.standards.review_form import spoken_form
from scoring.practical.desk import absent_from
from scoring.practical.joining import spoken_mean, spoken_points
from scoring.practical.models import Part
from scoring.review import desk, handing_in
from scoring.review.models import Dissent, PanelMark, PanelMember, ReviewCase, ReviewPanel, ReviewScore
from scoring.review.panels import check_not_closed, form_of, panel_chair
from scoring.review.states import CaseState

TEMPLATE = Path(__file__).with_name("minutes.typ")


def close(session: Session, panel: ReviewPanel, who: Viewer, *, note: str = "", now: datetime) -> None:
    """End the review: every candidate has a score or is absent. From here on the minutes stand."""
    check_not_closed(panel)
    if panel_chair(panel) != who.account_id:
        raise Refused("not_chair", "评审由主任委员结束。")
    absent = absent_from(session, panel.plan, Part.REVIEW)
    done = {case.enrolment_id for case in panel.cases if case.state is CaseState.DONE}
    open_still = [one for one in panel.plan.enrolments if one.id not in done | absent]
    if open_still or not panel.cases:
        raise Refused("not_finished", f"还有 {len(open_still)} 名考生没有完成评审，不能结束。没有到场的考生请考务员登记缺考。")
    panel.closed_at, panel.closing_note, panel.audit_head = now, note.strip()[:2000], audit.head(session)
    session.flush()


def took_part(member: PanelMember) -> bool:
    """Whether the minutes carry this member's signature: who holds a seat, and substitutes who judged somebody."""
    return not member.is_substitute or any(mark.signed_at is not None for mark in member.marks)


def sign(session: Session, member: PanelMember, who: Viewer, *, signature: str = "", now: datetime) -> None:
    """Sign the minutes, once."""
    if member.account_id != who.account_id or not took_part(member):
        raise Refused("not_yours", "只有参加评审的专家本人可以在会议记录上签字。")
    if member.panel.closed_at is None:
        raise Refused("not_closed", "主任委员结束评审以后才能在会议记录上签字。")
    if member.minutes_signed_at is not None:
        raise Refused("signed", "您已经在会议记录上签过字。")
    member.minutes_signed_at = now
    member.minutes_signature_id = desk.signature_of(session, signature, who, now=now)
    session.flush()


def pdf(session: Session, panel: ReviewPanel, *, now: datetime) -> bytes:
    """The minutes as they stand. Refused before the review is closed: they show every mark."""
    if panel.closed_at is None:
        raise Refused("not_closed", "评审还没有结束，会议记录在主任委员结束评审后形成。")
    values = json.dumps(of_panel(session, panel, now=now), ensure_ascii=False)
    return typeset(TEMPLATE.read_text(encoding="utf-8"), {"record": values}, made_at=now)


def of_panel(session: Session, panel: ReviewPanel, *, now: datetime) -> dict[str, Any]:
    """All of the minutes as plain values."""
    plan = panel.plan
    return {
        "title": f"{plan.institution.name}综合评审会议记录",
        "facts": [["考务方案", f"{plan.title}（{plan.number}）"],
                  ["职业等级", f"{plan.standard.label} {LEVEL_NAMES[plan.level]}"], ["评审委员会", panel.name],
                  ["时间地点", f"{spoken(panel.starts_at)}　{panel.place or '—'}"],
                  ["结束时间", spoken(panel.closed_at)], ["答辩时间", f"每名考生 {panel.minutes} 分钟"],
                  ["评分表", spoken_form(panel.form)], ["分差限度", f"{spoken_points(panel.spread_half_points)} 分，超过的合议后重新评分"]],
        "members": [[one.account.name, _role(one), spoken(one.declared_at) or "未申报", _interests(panel, one)] for one in panel.members],
        "vacancies": _vacancies(panel),
        "draws": [f"{spoken(one.at, seconds=True)} 由{one.author.name}抽签，种子 {one.seed}；按 SHA-256（种子|准考证号）从小到大排列"
                  for one in panel.draws],
        "candidates": [_case(session, case) for case in panel.cases],
        "absent": sorted(absence_names(session, panel)),
        "note": panel.closing_note, "printed": spoken(now, seconds=True), "head": panel.audit_head,
        "signatures": [_signature(session, one.account.name, one.minutes_signature, one.minutes_signed_at)
                       for one in panel.members if took_part(one)]}


def absence_names(session: Session, panel: ReviewPanel) -> list[str]:
    absent = absent_from(session, panel.plan, Part.REVIEW)
    return [f"{one.candidate.name}（{one.ticket_number}）" for one in panel.plan.enrolments if one.id in absent]


def _role(member: PanelMember) -> str:
    return "主任委员" if member.is_chair else "候补" if member.is_substitute else "委员"


def _interests(panel: ReviewPanel, member: PanelMember) -> str:
    return "；".join(f"{one.enrolment.candidate.name}：{one.cause.chinese}，{one.reason}" for one in member.vacancies) or "无"


def _vacancies(panel: ReviewPanel) -> list[list[str]]:
    numbers = {case.enrolment_id: str(case.number) for case in panel.cases}
    return [[numbers.get(gone.enrolment_id, "—"), gone.enrolment.candidate.name, one.account.name, gone.cause.chinese, gone.reason,
             gone.substitute.account.name if gone.substitute else "—"] for one in panel.members for gone in one.vacancies]


def _case(session: Session, case: ReviewCase) -> dict[str, Any]:
    score = session.scalar(sa.select(ReviewScore).where(ReviewScore.enrolment_id == case.enrolment_id))
    dissents = session.scalars(sa.select(Dissent).where(Dissent.enrolment_id == case.enrolment_id).order_by(Dissent.id))
    timed = (f"{spoken(case.began_at)} 至 {local(case.ended_at):%H:%M}，答辩 {case.spent_seconds // 60} 分 {case.spent_seconds % 60} 秒"
             if case.began_at and case.ended_at else "没有答辩")
    handed = [f"{one.kind.chinese}《{one.title}》（{'第 ' + str(one.number) + ' 版，' if one.kind == 'paper' else ''}回执 {one.receipt}）"
              for one in handing_in.counting(session, case.enrolment)]
    return {"head": f"{case.number} 号　{case.enrolment.candidate.name}　{case.enrolment.ticket_number}",
            "timed": timed + (f"（提前结束：{case.early_reason}）" if case.early_reason else ""), "handed": handed,
            "columns": ["轮次", "评审专家", *(name for name, _ in form_of(case.panel)), "合计", "评审意见"],
            "rows": [_mark(case, mark) for number in range(1, case.revealed + 1) for mark in desk.marks_of(session, case, number)
                     if mark.signed_at is not None],
            "spreads": [f"第 {number} 轮最高与最低相差 {spoken_mean(desk.joined_of(session, case, number).spread)} 分"
                        for number in range(1, case.revealed + 1)],
            "discussion": case.discussion, "dissents": [[one.member.account.name, one.text] for one in dissents],
            "score": spoken_points(score.half_points) if score else "", "why": score.reasons[-1 if case.round == 1 else -2] if score else ""}


def _mark(case: ReviewCase, mark: PanelMark) -> list[str]:
    total = desk.weighted(case, mark)
    return [f"第 {mark.round} 轮", mark.member.account.name, *(spoken_points(value or 0) for value in mark.points), spoken_mean(total),
            mark.opinion]


def _signature(session: Session, name: str, drawn: Attachment | None, at: datetime | None) -> dict[str, Any]:
    return {"name": name, "at": spoken(at), "png": list(path_of(session, drawn).read_bytes()) if drawn else []}

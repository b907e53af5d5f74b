"""The two offices: the city assesses on the spot and gives its opinion, the province rechecks every application (notice 三(二))."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import date, datetime, timedelta

from sqlalchemy.orm import Session
from werkzeug.datastructures import FileStorage

from examroom.filing import annexes, evaluations
from examroom.filing.application import record
from examroom.filing.application_models import Application, ApplicationOccupation, SiteAssessment
from examroom.filing.completeness import told
from examroom.filing.duties import require_duty
from examroom.filing.scopes import NOTICE, end_scope, publish_scope
from examroom.filing.states import ApplicationKind, ApplicationState, EventKind, moved
from qbank.kernel import attachments
from qbank.kernel.access import Role, Viewer
from qbank.kernel.refused import Refused
from qbank.kernel.times import local_date, spoken

LATEST = 366  # days ahead in which a filing may begin
CONSENT_FROM = 3  # 高级工及以上: the province's explicit consent (notice 三(二))
DESKS = {ApplicationState.SUBMITTED: Role.CITY_OFFICER, ApplicationState.CITY_PASSED: Role.PROVINCE_OFFICER}


def require_desk(session: Session, application: Application, who: Viewer) -> None:
    """Refuse unless the application lies on a desk of ``who``, who did not write it."""
    role = DESKS.get(application.state)
    if role is None:
        raise Refused("wrong_state", f"申请现在是“{application.state.chinese}”，不需要审核。请刷新页面查看最新状态。")
    require_duty(session, who, application.institution_id, role)
    if who.account_id == application.created_by:
        raise Refused("own_application", "申请的起草人不能审核自己的申请，请由鉴定中心其他人员办理。")


def assess(session: Session, application: Application, who: Viewer, *, visited_on: date, members: str, oks: Mapping[str, bool],
           notes: Mapping[str, str], opinion: str, upload: FileStorage | None, now: datetime) -> SiteAssessment:
    """现场评估: what the city saw at the school, point by point."""
    require_desk(session, application, who)
    if application.state is not ApplicationState.SUBMITTED:
        raise Refused("wrong_state", "现场评估由市鉴定中心在审核时进行，申请已经报省。")
    if not members.strip() or not opinion.strip():
        raise Refused("incomplete", "请填写评估人员和评估意见。")
    if visited_on > local_date(now):
        raise Refused("visited_on", f"评估日期（{spoken(visited_on)}）还没有到，评估后再登记。")
    if open_still := [question for key, _, question in annexes.CHECKS if key not in oks]:
        raise Refused("incomplete", "每一项都要评估，还有没选的：", open_still)
    if unexplained := [question for key, _, question in annexes.CHECKS if not oks[key] and not notes.get(key, "").strip()]:
        raise Refused("incomplete", "不符合的项目请写明情况：", unexplained)
    file = attachments.keep(session, upload, who, now=now) if upload is not None and upload.filename else None
    made = SiteAssessment(application_id=application.id, visited_on=visited_on, members=members.strip()[:200], opinion=opinion.strip(),
                          checks={key: {"ok": oks[key], "note": notes.get(key, "").strip()[:500]} for key, _, _ in annexes.CHECKS},
                          attachment=file, recorded_by=who.account_id, at=now)
    session.add(made)
    session.flush()
    session.expire(application, ["assessments"])
    return made


def send_back(session: Session, application: Application, who: Viewer, comment: str, *, now: datetime) -> None:
    """Return it to the school, which corrects and submits it again; the city then sees it first."""
    require_desk(session, application, who)
    if not comment.strip():
        raise Refused("comment_missing", "退回时请写明需要补正的内容，学校据此修改。")
    application.state = moved(application.state, ApplicationState.RETURNED)
    record(session, application, who, comment, now=now)


def pass_on(session: Session, application: Application, who: Viewer, agreed: Mapping[int, bool], notes: Mapping[int, str], comment: str, *,
            now: datetime) -> None:
    """The city's opinion (备案意见) on each line, and on to the province, which rechecks every application."""
    require_desk(session, application, who)
    if application.state is not ApplicationState.SUBMITTED:
        raise Refused("wrong_state", "申请已经报省，请刷新页面查看。")
    if not application.assessments:
        raise Refused("not_assessed", f"请先到校评估并登记现场评估记录，再提出备案意见（{NOTICE} 三(二)）。")
    _check_answers(application, agreed, notes, comment, "备案意见")
    for row in application.occupations:
        row.city_agrees, row.city_note = agreed[row.id], notes.get(row.id, "").strip()[:200]
    application.state = moved(application.state, ApplicationState.CITY_PASSED)
    record(session, application, who, comment, now=now)


def decide(session: Session, application: Application, who: Viewer, agreed: Mapping[int, bool], notes: Mapping[int, str], comment: str, *,
           consents: Collection[int], valid_from: date, now: datetime) -> None:
    """The province's recheck: every line agreed to is published in the directory for one year."""
    require_desk(session, application, who)
    if application.state is not ApplicationState.CITY_PASSED:
        raise Refused("not_city", f"须先由市鉴定中心审核并提出备案意见，再由省鉴定中心复核（{NOTICE} 三(二)）。")
    _check_answers(application, agreed, notes, comment, "复核意见")
    if not 0 <= (valid_from - local_date(now)).days <= LATEST:
        raise Refused("valid_from", f"有效期应从今天起一年以内的日期开始，不能从{spoken(valid_from)}开始（过去的日期不追溯）。")
    chosen = [row for row in application.occupations if agreed[row.id]]
    for row in chosen:
        if row.level <= CONSENT_FROM and row.id not in consents:
            raise Refused("no_consent", f"“{told(row)}”是高级工及以上等级，须经省鉴定中心明确同意（{NOTICE} 三(二)）。请逐项勾选“同意开展”。")
        if row.city_agrees is False and not notes.get(row.id, "").strip():
            raise Refused("against_city", f"市鉴定中心不同意“{told(row)}”。省鉴定中心同意时，请在该行写明理由。")
    if chosen and application.kind is ApplicationKind.RENEWAL:
        evaluations.require_qualified(session, application)
    for row in application.occupations:
        row.province_agrees, row.province_note = agreed[row.id], notes.get(row.id, "").strip()[:200]
    for row in chosen:
        _publish(session, application, row, who, valid_from)
    application.state = moved(application.state, ApplicationState.DECIDED if chosen else ApplicationState.REFUSED)
    record(session, application, who, comment, now=now)


def _check_answers(application: Application, agreed: Mapping[int, bool], notes: Mapping[int, str], comment: str, what: str) -> None:
    if not comment.strip():
        raise Refused("comment_missing", f"请填写{what}。")
    for row in application.occupations:
        if row.id not in agreed:
            raise Refused("row_open", f"请对“{told(row)}”选择同意或不同意。")
        if not agreed[row.id] and not notes.get(row.id, "").strip():
            raise Refused("note_missing", f"不同意“{told(row)}”时，请写明原因。")


def _publish(session: Session, application: Application, row: ApplicationOccupation, who: Viewer, valid_from: date) -> None:
    """An extension begins when the filing before it ends; a change takes its place at once."""
    kind, begins, old = EventKind.PUBLISHED, valid_from, row.renews
    if old is not None and application.kind is ApplicationKind.RENEWAL:
        kind, begins = EventKind.RENEWED, max(valid_from, old.valid_until + timedelta(days=1))
    elif old is not None:
        kind = EventKind.CHANGED
        if old.valid_until >= begins:
            end_scope(session, old, who, last_day=begins - timedelta(days=1), kind=kind, reason=f"变更为{row.standard.label}（申请 {application.number}）")
    row.scope = publish_scope(session, application.institution, row.standard, row.level, who, valid_from=begins, kind=kind,
                              application=application)

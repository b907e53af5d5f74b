"""What waits for school, city and province about filings, and what runs out by itself."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session, selectinload

from examroom.filing import ministry, review, standing
from examroom.filing.application_models import Application
from examroom.filing.evaluations import latest
from examroom.filing.models import FiledScope
from examroom.filing.standing_models import Evaluation, Removal
from examroom.filing.states import OPEN, ApplicationState, RemovalState
from qbank.kernel.access import Role, Viewer
from qbank.kernel.accounts import Institution, InstitutionKind
from qbank.kernel.institutions import centre_above
from qbank.kernel.times import end_of_day, local_date, spoken
from qbank.kernel.todo import Todo
from qbank.standards.models import LEVEL_NAMES
from qbank.standards.packs import pack_for
from qbank.standards.rulepack import RulePack, last_day

LONGEST = 366  # days: filings hold for a year
OFFICES = (Role.EXAM_OFFICER, Role.CITY_OFFICER, Role.PROVINCE_OFFICER)
CENTRES = {ApplicationState.SUBMITTED: InstitutionKind.CITY_CENTRE, ApplicationState.CITY_PASSED: InstitutionKind.PROVINCE_CENTRE}


def todo(session: Session, viewer: Viewer, *, now: datetime) -> list[Todo]:
    """Applications on one's desk, filings that run out, schools that do not examine, reports and cases to decide."""
    if not viewer.has(*OFFICES):
        return []
    today = local_date(now)
    found = _at_school(session, viewer) + _on_desks(session, viewer) + _cases(session, viewer)
    if viewer.has(Role.PROVINCE_OFFICER) and (events := ministry.waiting(session, viewer)):
        found.append(Todo(f"报部备案：目录变动（{len(events)} 项）", "filing.ministry", detail="复核通过的学校列入目录，报部鉴定中心备案", clause="三（二）"))
    ending = standing.expiring(session, viewer, LONGEST, today, *OFFICES)
    schools = standing.filed_schools(session, viewer, *OFFICES, today=today)
    lapses = standing.lapses_on(session, [school.id for school in schools], today=today)
    packs = {school.region: pack_for(session, school) for school in {school.region: school for school in schools}.values()}
    for school in schools:
        found += _running_out(session, viewer, school, packs[school.region], [scope for scope in ending if scope.institution_id == school.id],
                              lapses[school.id], today)
    return found


def _reached(session: Session, viewer: Viewer, role: Role, *states: ApplicationState) -> list[Application]:
    return list(session.scalars(sa.select(Application).where(
        Application.state.in_(states), viewer.reach(Application.institution_id, role)).order_by(Application.submitted_at, Application.id)))


def _at_school(session: Session, viewer: Viewer) -> list[Todo]:
    found = []
    for one in _reached(session, viewer, Role.EXAM_OFFICER, *OPEN):
        title, place = f"{one.kind.chinese}申请 {one.number}", {"application_id": one.id}
        if one.state in CENTRES:
            found.append(Todo(f"{title}：{one.state.chinese}", "filing.application", place, clause="三（二）",
                              waits_for=centre_above(session, one.institution, CENTRES[one.state])))
        elif one.state is ApplicationState.RETURNED:
            found.append(Todo(f"补正备案申请：{title}", "filing.application", place, one.decisions[-1].comment if one.decisions else "", clause="三（一）"))
        else:
            until = last_day(pack_for(session, one.institution).filing_until, "备案申请截止日期")
            found.append(Todo(f"填报备案申请：{title}", "filing.application", place, "填齐附件1各表和附件2材料后提交市鉴定中心",
                              end_of_day(until) if until else None, clause="三（一）"))
    return found


def _on_desks(session: Session, viewer: Viewer) -> list[Todo]:
    names = {ApplicationState.SUBMITTED: "审核备案申请", ApplicationState.CITY_PASSED: "复核备案申请"}
    found = [Todo(f"{names[state]}：{one.institution.name} {one.number}", "filing.application", {"application_id": one.id},
                  f"{one.kind.chinese}，{spoken(one.submitted_at)} 提交" + ("，尚未现场评估" if not one.assessments else ""), clause="三（二）")
             for state, role in review.DESKS.items() for one in _reached(session, viewer, role, state)]
    found += [Todo(f"{one.institution.name}备案申请 {one.number}：{one.state.chinese}", "filing.application", {"application_id": one.id}, clause="三（二）",
                   waits_for=centre_above(session, one.institution, InstitutionKind.PROVINCE_CENTRE))
              for one in _reached(session, viewer, Role.CITY_OFFICER, ApplicationState.CITY_PASSED)]
    return found


def _cases(session: Session, viewer: Viewer) -> list[Todo]:
    """Evaluation reports and removals that the province decides, or that others wait for."""
    found = []
    for one in session.scalars(sa.select(Evaluation).where(Evaluation.continues.is_(None), Evaluation.visible_to(viewer)).order_by(Evaluation.id)
                               .options(selectinload(Evaluation.institution))):
        title, place = f"{one.institution.name}（{one.verdict.chinese}）", {"evaluation_id": one.id}
        if one.reported_at is None:
            found.append(Todo(f"上报评估报告：{title}", "filing.evaluation", place, clause="五（七）"))
        elif viewer.has(Role.PROVINCE_OFFICER):
            found.append(Todo(f"决定评估报告：{title}", "filing.evaluation", place, "评估合格的允许继续开展认定，不合格的取消试点资格", clause="五（七）"))
        else:
            found.append(Todo(f"评估报告已上报：{title}", "filing.evaluation", place, clause="五（七）",
                              waits_for=centre_above(session, one.institution, InstitutionKind.PROVINCE_CENTRE)))
    for case in session.scalars(sa.select(Removal).where(Removal.state == RemovalState.PROPOSED, Removal.visible_to(viewer)).order_by(Removal.id)
                                .options(selectinload(Removal.institution))):
        waits = "" if viewer.has(Role.PROVINCE_OFFICER) else centre_above(session, case.institution, InstitutionKind.PROVINCE_CENTRE)
        found.append(Todo(f"目录调整：{case.institution.name}（{case.ground.chinese}）", "filing.removals", {}, case.reason, clause=case.ground.clause,
                          waits_for=waits))
    return found


def _running_out(session: Session, viewer: Viewer, school: Institution, pack: RulePack, ending: Sequence[FiledScope], lapse: date,
                 today: date) -> list[Todo]:
    found = []
    if ends := [scope for scope in ending if (scope.valid_until - today).days <= pack.expiry_alarm_days]:
        named = "、".join(f"{scope.standard.occupation.name}{LEVEL_NAMES[scope.level]}" for scope in ends)
        found.append(Todo(f"备案即将到期：{school.name}", "filing.index", {"q": school.name}, f"{named}。期满后根据评估结果、学校意愿决定是否延期",
                          end_of_day(ends[0].valid_until), clause="三（三）", alarm=True))
        found += _evaluation_due(session, viewer, school, pack, ends[0])
    if (lapse - today).days <= pack.inactivity_alarm_days:
        sentence = f"自 {spoken(lapse)}起视同自行退出" if lapse > today else f"已于 {spoken(lapse)}满一年，视同自行退出，由省鉴定中心登记"
        found.append(Todo(f"近一年没有开展认定：{school.name}", "filing.removals", {}, sentence, end_of_day(lapse), clause="五（六）", alarm=True))
    return found


def _evaluation_due(session: Session, viewer: Viewer, school: Institution, pack: RulePack, scope: FiledScope) -> list[Todo]:
    """The city writes its report before what it rates runs out, or by the end of the pilot."""
    done = latest(session, school.id)
    mine = session.scalar(sa.select(Institution.id).where(Institution.id == school.id, viewer.reach(Institution.id, Role.CITY_OFFICER)))
    if mine is None or (done is not None and done.ends_on >= scope.valid_from):
        return []
    until = last_day(pack.pilot_until, "试点期限")
    return [Todo(f"评估试点情况：{school.name}", "filing.new_evaluation", {"institution_id": school.id}, "形成评估报告，上报省厅",
                 end_of_day(until or scope.valid_until),
                 clause="五（七）")]


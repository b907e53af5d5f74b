"""The application at the school: begun, filled in table by table, submitted to the city, taken back (notice 三(一))."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session
from stdnum.cn import uscc
from stdnum.exceptions import ValidationError

from examroom.filing import annexes, completeness
from examroom.filing.application_models import Application, ApplicationOccupation, ApplicationRow, FilingDecision
from examroom.filing.duties import require_duty
from examroom.filing.models import FiledScope
from examroom.filing.scopes import HIGHEST_LEVEL, NOTICE, check_fileable
from examroom.filing.states import OPEN, WITH_SCHOOL, ApplicationKind, ApplicationState, moved
from qbank.kernel.access import Role, Viewer
from qbank.kernel.accounts import Institution
from qbank.kernel.refused import Refused
from qbank.kernel.times import local_date, spoken
from qbank.standards.models import LEVEL_NAMES, Standard
from qbank.standards.packs import pack_for
from qbank.standards.rulepack import last_day

LONGEST = 20_000


@dataclass(frozen=True)
class OccupationDraft:
    """One line of table 二 as the school fills it in."""

    standard: Standard
    level: int
    major: str = ""
    formerly: bool = False
    industry_standard: str = ""
    renews: FiledScope | None = None


def begin(session: Session, institution: Institution, kind: ApplicationKind, who: Viewer, *, now: datetime) -> Application:
    """A new draft. What an earlier application said of the school stands in it already; an extension names what runs out."""
    require_duty(session, who, institution.id, Role.EXAM_OFFICER)
    if institution.kind not in HIGHEST_LEVEL:
        raise Refused("not_a_school", f"“{institution.name}”是{institution.kind.chinese}，不是评价机构，不能申请备案。")
    other = session.scalars(sa.select(Application).where(Application.institution_id == institution.id, Application.state.in_(OPEN))).first()
    if other is not None:
        raise Refused("one_open", f"申请 {other.number}（{other.state.chinese}）还没有办结。请先办完或撤回，再提出新的申请。")
    today = local_date(now)
    held = session.scalars(sa.select(FiledScope).where(FiledScope.institution_id == institution.id, FiledScope.valid_until >= today)
                           .order_by(FiledScope.id)).all()
    if kind is ApplicationKind.FIRST and held:
        raise Refused("already_filed", "本校已有有效的备案。增加职业或等级请选“增加职业（等级）”，到期请选“延期”。")
    if kind is not ApplicationKind.FIRST and not held:
        raise Refused("nothing_filed", "本校现在没有有效的备案，请选“首次备案”重新申请。")
    made = Application(institution=institution, number=_number(session, institution, today.year), kind=kind, unit={}, prose={}, plan={},
                       edits=0, created_by=who.account_id, created_at=now)
    _take_over(session, made)
    if kind is ApplicationKind.RENEWAL:
        made.occupations = [ApplicationOccupation(position=place, standard_id=scope.standard_id, level=scope.level, renews=scope,
                                                  **_told_before(session, scope)) for place, scope in enumerate(held)]
    session.add(made)
    session.flush()
    return made


def _take_over(session: Session, made: Application) -> None:
    """What the last application said of the school; the person in charge corrects it."""
    made.unit = {"name": made.institution.name, "credit_code": made.institution.credit_code or ""}
    before = session.scalars(sa.select(Application).where(Application.institution_id == made.institution.id)
                             .order_by(Application.id.desc())).first()
    if before is None:
        return
    made.unit, made.prose, made.plan = {**made.unit, **before.unit}, dict(before.prose), dict(before.plan)
    made.rows = [ApplicationRow(part=row.part, position=row.position, cells=dict(row.cells), identity_cipher=row.identity_cipher,
                                identity_hash=row.identity_hash, identity_masked=row.identity_masked) for row in before.rows]


def _told_before(session: Session, scope: FiledScope) -> dict[str, str | bool]:
    row = session.scalars(sa.select(ApplicationOccupation).where(ApplicationOccupation.scope_id == scope.id)).first()
    return {} if row is None else {"major": row.major, "formerly": row.formerly, "industry_standard": row.industry_standard}


def _number(session: Session, institution: Institution, year: int) -> str:
    """申请编号: BA, year, institution, serial of the school in that year."""
    start = f"BA{year}-{institution.id:04d}-"
    used = session.scalar(sa.select(sa.func.count()).select_from(Application).where(Application.number.startswith(start))) or 0
    return f"{start}{used + 1:02d}"


def require_editor(session: Session, application: Application, who: Viewer) -> None:
    """Refuse unless the application lies with the school and ``who`` is its officer."""
    require_duty(session, who, application.institution_id, Role.EXAM_OFFICER)
    if application.state not in WITH_SCHOOL:
        raise Refused("not_with_school", f"申请现在是“{application.state.chinese}”，不能修改。需要修改时，请联系受理的鉴定中心退回。")


def write_unit(session: Session, application: Application, values: Mapping[str, str], who: Viewer, *, wish: str = "") -> None:
    """Tables 一 and 三: what the school is and can do. Fields may stay empty until it is submitted."""
    require_editor(session, application, who)
    unit = {field.key: values.get(field.key, "").strip()[:200] for field in annexes.UNIT}
    if unit["credit_code"]:
        try:
            unit["credit_code"] = str(uscc.validate(unit["credit_code"]))
        except ValidationError as error:
            raise Refused("credit_code", "统一社会信用代码不正确，请核对 18 位代码。") from error
    application.unit = unit
    application.prose = {field.key: values.get(field.key, "").strip()[:LONGEST] for field in annexes.PROSE}
    application.wish = wish.strip()[:2000]
    session.flush()


def write_plan(session: Session, application: Application, values: Mapping[str, str], who: Viewer) -> None:
    """《试点工作实施方案》: its six parts."""
    require_editor(session, application, who)
    application.plan = {field.key: values.get(field.key, "").strip()[:LONGEST] for field in annexes.PLAN}
    session.flush()


def set_occupations(session: Session, application: Application, drafts: Sequence[OccupationDraft], who: Viewer) -> None:
    """Table 二. Refuses what the notice lets nobody file, each line by name; all or nothing."""
    require_editor(session, application, who)
    problems = [f"第 {place} 行：{sentence}" for place, draft in enumerate(drafts, 1) for sentence in _faults(session, application, draft)]
    seen = [(draft.standard.id, draft.level) for draft in drafts]
    problems += [f"{drafts[place].standard.label} {LEVEL_NAMES[drafts[place].level]}填写了两次。" for place, key in enumerate(seen)
                 if key in seen[:place]]
    if problems:
        raise Refused("bad_rows", "职业（工种）表没有保存，请改正：", problems)
    held = {(row.standard_id, row.level): row for row in application.occupations}
    rows = []
    for place, draft in enumerate(drafts):
        row = held.get((draft.standard.id, draft.level)) or ApplicationOccupation(standard_id=draft.standard.id, level=draft.level)
        row.position, row.major, row.formerly = place, draft.major.strip()[:200], draft.formerly
        row.industry_standard, row.renews = draft.industry_standard.strip()[:200], draft.renews
        rows.append(row)
    application.occupations = rows
    application.edits += 1
    session.flush()
    session.expire(application, ["occupations"])


def _faults(session: Session, application: Application, draft: OccupationDraft) -> list[str]:
    found = []
    try:
        check_fileable(session, application.institution, draft.standard, draft.level)
    except Refused as refusal:
        found.append(refusal.sentence)
    needed = application.kind in {ApplicationKind.RENEWAL, ApplicationKind.CHANGE}
    old = draft.renews
    if needed and (old is None or old.institution_id != application.institution_id or old.level != draft.level):
        found.append("请选择要延期（变更）的备案，等级应与它相同。")
    if old is not None and application.kind is ApplicationKind.RENEWAL and old.standard_id != draft.standard.id:
        found.append("延期的依据应与原备案相同；标准换了版本请用“变更标准”申请。")
    if old is not None and old.standard.occupation.code != draft.standard.occupation.code:
        found.append("变更只能更换同一职业的标准；其他职业请用“增加职业（等级）”申请。")
    return found


def submit(session: Session, application: Application, who: Viewer, *, pledged: bool, now: datetime) -> None:
    """Send it to the city centre. Refuses what is incomplete, naming all that is missing."""
    require_duty(session, who, application.institution_id, Role.EXAM_OFFICER)
    becomes = moved(application.state, ApplicationState.SUBMITTED)
    until = last_day(pack_for(session, application.institution).filing_until, "备案申请截止日期")
    if until is not None and application.kind is ApplicationKind.FIRST and local_date(now) > until and application.submitted_at is None:
        raise Refused("too_late", f"备案申请应在 {spoken(until)}前提交（{NOTICE} 三(一)），今天已经截止。请联系市鉴定中心。")
    if missing := completeness.missing(application):
        raise Refused("incomplete", f"申请还缺 {len(missing)} 项，补齐后才能提交：", [one.sentence for one in missing])
    if not pledged:
        raise Refused("no_pledge", "请先阅读并勾选承诺（自愿申报、自愿接受监督管理），再提交。")
    for row in application.occupations:
        check_fileable(session, application.institution, row.standard, row.level)
        row.city_agrees = row.province_agrees = None
    application.state, application.submitted_at = becomes, now
    record(session, application, who, "学校提交申请，承诺自愿接受监督管理。", now=now)


def withdraw(session: Session, application: Application, who: Viewer, *, now: datetime) -> None:
    """The school takes its application back before the city has passed it on."""
    require_duty(session, who, application.institution_id, Role.EXAM_OFFICER)
    application.state = moved(application.state, ApplicationState.WITHDRAWN)
    record(session, application, who, "学校撤回申请。", now=now)


def record(session: Session, application: Application, who: Viewer, comment: str, *, now: datetime) -> FilingDecision:
    """Add the step just taken to the application's history."""
    made = FilingDecision(application_id=application.id, state=application.state, comment=comment.strip(), decided_by=who.account_id, at=now)
    session.add(made)
    session.flush()
    session.expire(application, ["decisions"])
    return made

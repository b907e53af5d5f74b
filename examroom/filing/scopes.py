"""Filed scope: what a school may examine, by which standard, until when (notice, parts 二, 三, 五(六))."""

from __future__ import annotations

from datetime import date, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from examroom.filing.application_models import Application
from examroom.filing.duties import require_duty
from examroom.filing.models import FiledScope
from examroom.filing.standing_models import Removal, ScopeEvent
from examroom.filing.states import EventKind
from qbank.kernel.access import Role, Viewer
from qbank.kernel.accounts import Institution, InstitutionKind
from qbank.kernel.refused import Refused
from qbank.kernel.times import spoken
from qbank.standards.models import LEVEL_NAMES, Basis, Occupation, Standard

NOTICE = "湘人社函〔2020〕47号"
# The highest level (the smallest number) a school may file, notice 二(三). Other colleges follow the schools' procedure
# (五(七)) without a ceiling of their own: what the province files for them holds.
HIGHEST_LEVEL = {InstitutionKind.ORDINARY: 4, InstitutionKind.ADVANCED: 3, InstitutionKind.TECHNICIAN: 1,
                 InstitutionKind.OTHER_COLLEGE: 1}


def one_year(valid_from: date) -> date:
    """The last day of one year that begins on ``valid_from`` (notice 三(三))."""
    if (valid_from.month, valid_from.day) == (2, 29):
        return date(valid_from.year + 1, 2, 28)
    return valid_from.replace(year=valid_from.year + 1) - timedelta(days=1)


def publish_scope(session: Session, institution: Institution, standard: Standard, level: int, who: Viewer, *, valid_from: date,
                  valid_until: date | None = None, kind: EventKind = EventKind.PUBLISHED,
                  application: Application | None = None) -> FiledScope:
    """Publish one line of the directory; valid for one year unless the province says otherwise.

    Refuses an access-type occupation, a level above the school's kind, and a period that overlaps a published one.
    """
    require_duty(session, who, institution.id, Role.PROVINCE_OFFICER)
    until = valid_until or one_year(valid_from)
    check_fileable(session, institution, standard, level)
    if until < valid_from:
        raise Refused("validity", f"有效期止（{spoken(until)}）早于有效期起（{spoken(valid_from)}），请改正。")
    double = session.scalars(_scopes(institution, standard, level).where(
        FiledScope.valid_from <= until, FiledScope.valid_until >= valid_from)).first()
    if double is not None:
        raise Refused("scope_overlaps", f"{institution.name}的{standard.occupation.name}{LEVEL_NAMES[level]}已备案至"
                                        f"{spoken(double.valid_until)}。延期请从次日起填写有效期。")
    scope = FiledScope(institution=institution, standard=standard, level=level, valid_from=valid_from,
                       valid_until=until, published_by=who.account_id)
    session.add(scope)
    session.flush()
    note(session, scope, kind, who, day=valid_from, application=application)
    return scope


def note(session: Session, scope: FiledScope, kind: EventKind, who: Viewer, *, day: date, reason: str = "",
         application: Application | None = None, removal: Removal | None = None) -> None:
    """Add to the history of a scope: what the ministry's centre is told and the page of changes shows."""
    at = session.info["clock"]()  # the moment that the audit trail notes too
    session.add(ScopeEvent(scope=scope, kind=kind, day=day, reason=reason, application=application, removal=removal,
                           by=who.account_id, at=at))
    session.flush()


def check_fileable(session: Session, institution: Institution, standard: Standard, level: int) -> None:
    """Refuse what the notice's part 二 lets nobody file, whoever asks."""
    _check_ceiling(institution, level)
    occupation = standard.occupation
    if occupation.is_access_type:
        raise Refused("access_type", f"“{occupation.name}”是准入类职业资格，不纳入评价范围（{NOTICE} 二(一)），不能备案。")
    if standard.basis is Basis.EVALUATION_SPECIFICATION:
        national = session.scalars(sa.select(Standard).join(Standard.occupation).where(
            Occupation.code == occupation.code, Standard.work_type.in_(["", standard.work_type]),
            Standard.basis == Basis.NATIONAL_STANDARD)).first()
        if national is not None:
            raise Refused("national_standard", f"“{occupation.name}”有国家职业技能标准（{national.label}），应依据国家标准开展评价，"
                                               f"不能用评价规范备案（{NOTICE} 二(二)）。")


def _check_ceiling(institution: Institution, level: int) -> None:
    highest = HIGHEST_LEVEL.get(institution.kind)
    if highest is None:
        raise Refused("not_a_school", f"“{institution.name}”是{institution.kind.chinese}，不是评价机构，不能备案。")
    if level not in LEVEL_NAMES:
        raise Refused("level", "请选择五级到一级中的一个等级。")
    if level < highest:
        raise Refused("level_ceiling", f"{institution.kind.chinese}最高可备案{LEVEL_NAMES[highest]}，"
                                       f"不能备案{LEVEL_NAMES[level]}（{NOTICE} 二(三)）。")


def end_scope(session: Session, scope: FiledScope, who: Viewer, *, last_day: date, reason: str,
              kind: EventKind = EventKind.ENDED, removal: Removal | None = None) -> None:
    """End a scope before its time (the directory is adjusted as things change, notice 三(三))."""
    require_duty(session, who, scope.institution_id, Role.PROVINCE_OFFICER)
    if not reason.strip():
        raise Refused("reason_missing", "请填写提前终止的原因。")
    if not scope.valid_from <= last_day < scope.valid_until:
        raise Refused("last_day", f"终止日期应在 {spoken(scope.valid_from)} 至 {spoken(scope.valid_until)} 之间（早于原截止日）。")
    scope.valid_until, scope.end_reason = last_day, reason.strip()[:200]
    note(session, scope, kind, who, day=last_day, reason=reason.strip(), removal=removal)


def void_scope(session: Session, scope: FiledScope, who: Viewer, *, day: date, reason: str, kind: EventKind, removal: Removal) -> None:
    """Take back a scope that has not begun: what remains is ``day``, which is over (a period cannot be empty)."""
    require_duty(session, who, scope.institution_id, Role.PROVINCE_OFFICER)
    reason = f"{reason}（原定自{spoken(scope.valid_from)}起，没有生效）"
    scope.valid_from = scope.valid_until = day
    scope.end_reason = reason[:200]
    note(session, scope, kind, who, day=day, reason=reason, removal=removal)


def require_scope(session: Session, institution: Institution, standard: Standard, level: int, on: date) -> FiledScope:
    """The scope that allows ``institution`` to examine this on that day. Refuses what is out of scope or expired."""
    if standard.occupation.is_access_type:
        raise Refused("access_type", f"“{standard.occupation.name}”是准入类职业资格，不纳入评价范围（{NOTICE} 二(一)）。")
    held = list(session.scalars(_scopes(institution, standard, level).order_by(FiledScope.valid_until)))
    for scope in held:
        if scope.holds_on(on):
            return scope
    what = f"{institution.name}的{standard.label} {LEVEL_NAMES.get(level, level)}"
    if not held:
        raise Refused("out_of_scope", f"{what}不在备案范围内。不得超备案范围开展认定（{NOTICE} 五(六)），请先向鉴定中心申请备案。")
    periods = "；".join(f"{spoken(scope.valid_from)}至{spoken(scope.valid_until)}" for scope in held)
    raise Refused("scope_not_valid", f"{what}的备案有效期为{periods}，不包括{spoken(on)}。不得超备案范围开展认定"
                                     f"（{NOTICE} 五(六)），请先办理备案延期。")


def _scopes(institution: Institution, standard: Standard, level: int) -> sa.Select[FiledScope]:
    return sa.select(FiledScope).where(FiledScope.institution_id == institution.id, FiledScope.level == level,
                                       FiledScope.standard_id == standard.id)


def searched(query: sa.Select[FiledScope], text: str, level: str, standing: str,
             today: date) -> sa.Select[FiledScope]:
    """``query`` joined to school and occupation, narrowed by what the page's filters say, in directory order."""
    query = query.join(FiledScope.institution).join(FiledScope.standard).join(Standard.occupation)
    if text:
        query = query.where(sa.or_(Institution.name.contains(text, autoescape=True),
                                   Occupation.name.contains(text, autoescape=True),
                                   Occupation.code.startswith(text, autoescape=True)))
    if level in {str(number) for number in LEVEL_NAMES}:
        query = query.where(FiledScope.level == int(level))
    valid = sa.and_(FiledScope.valid_from <= today, FiledScope.valid_until >= today)
    if standing == "valid":
        query = query.where(valid)
    elif standing == "ended":
        query = query.where(FiledScope.valid_until < today)
    return query.order_by(Institution.name, Occupation.code, FiledScope.level.desc(), FiledScope.valid_from.desc())

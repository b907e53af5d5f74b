"""Reported on to the ministry's centre (notice 三(二)): what changed in the directory, as a workbook, with date and receipt."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date, datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from examroom.filing.models import FiledScope
from examroom.filing.standing_models import MinistryReport, ScopeEvent
from qbank.kernel.access import Role, Viewer
from qbank.kernel.export import Table, workbook
from qbank.kernel.refused import Refused
from qbank.kernel.times import local_date, spoken
from qbank.standards.models import LEVEL_NAMES

COLUMNS = (("序号", 6), ("评价机构", 30), ("机构类别", 14), ("统一社会信用代码", 22), ("地区代码", 10), ("职业名称", 18), ("职业编码", 16), ("工种", 14),
           ("等级", 14), ("认定依据", 34), ("事项", 14), ("生效（终止）日期", 18), ("有效期起", 16), ("有效期止", 16), ("原因", 40))


def waiting(session: Session, who: Viewer) -> list[ScopeEvent]:
    """Changes of the directory in reach that have not been reported on."""
    return list(session.scalars(sa.select(ScopeEvent).join(ScopeEvent.scope).where(
        ScopeEvent.report_id.is_(None), who.reach(FiledScope.institution_id, Role.PROVINCE_OFFICER)).order_by(ScopeEvent.id)))


def book(events: Sequence[ScopeEvent], made_at: datetime) -> bytes:
    """The changes as a workbook, one line each."""
    rows = [[number, scope.institution.name, scope.institution.kind.chinese, scope.institution.credit_code or "", scope.institution.region,
             scope.standard.occupation.name, scope.standard.occupation.code, scope.standard.work_type, LEVEL_NAMES[scope.level],
             f"{scope.standard.basis.chinese} {scope.standard.title}（{scope.standard.edition}年版）", event.kind.chinese, spoken(event.day),
             spoken(scope.valid_from), spoken(scope.valid_until), event.reason]
            for number, event in enumerate(events, 1) if (scope := event.scope)]
    return workbook([Table("报部备案", COLUMNS, rows, title="职业技能评价机构目录变动情况（报部备案）", notes=[f"制表时间：{spoken(made_at)}"])])


def report(session: Session, who: Viewer, keys: Collection[int], *, reported_on: date, receipt: str, now: datetime) -> MinistryReport:
    """Note that these changes were reported on that day. Each is reported once."""
    events = [event for event in waiting(session, who) if event.id in keys]
    if not events or len(events) != len(set(keys)):
        raise Refused("already_reported", "没有选择事项，或所选事项已经报送。请刷新页面后重新选择。")
    if reported_on > local_date(now):
        raise Refused("reported_on", "报送日期不能晚于今天。")
    if early := [event for event in events if local_date(event.at) > reported_on]:
        raise Refused("reported_on", f"报送日期早于{len(early)} 项事项的公布日期（{spoken(local_date(early[0].at))}），请核对。")
    made = MinistryReport(reported_on=reported_on, receipt=receipt.strip()[:200], reported_by=who.account_id, at=now, events=events)
    session.add(made)
    session.flush()
    return made

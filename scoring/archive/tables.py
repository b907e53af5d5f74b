"""The tables of a pack for people: one workbook beside the JSON files."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session, joinedload

from examroom.invigilation.models import Incident
from examroom.oversight.models import Supervision
from examroom.plans.models import Enrolment, ExamPlan, Seat, Sitting, SittingRoom
from qbank.kernel.export import Table, workbook
from qbank.standards.models import LEVEL_NAMES
from scoring.archive.checklist import Document
from scoring.certificates.desk import certificates_of
from scoring.results.models import Result, ResultList


def tables(session: Session, plan: ExamPlan, listed: Sequence[Document], *, now: datetime) -> bytes:
    """The workbook: check-list, route, roster, seats, results, rooms, supervision, certificates."""
    result_list = session.scalar(sa.select(ResultList).where(ResultList.plan_id == plan.id))
    return workbook([_checklist(plan, listed), _route(plan, result_list), _roster(session, plan), _seats(session, plan),
                     *([_results(session, result_list), _certificates(session, result_list)] if result_list else []),
                     _incidents(session, plan), _supervision(session, plan)], made_at=now)


def _checklist(plan: ExamPlan, listed: Sequence[Document]) -> Table:
    said = {True: "有", False: "缺", None: "纸质另存"}
    return Table("档案清单", (("卷别", 10), ("材料", 34), ("有/缺", 10), ("说明", 50)),
                 [(one.volume, one.name, said[one.present], one.detail) for one in listed],
                 title=f"{plan.title}（{plan.number}）档案清单",
                 notes=[f"{plan.institution.name}　{plan.standard.label}　{LEVEL_NAMES[plan.level]}"])


def _route(plan: ExamPlan, result_list: ResultList | None) -> Table:
    rows = [("考务方案", one.at, one.officer.name, one.state.chinese, one.comment) for one in plan.decisions]
    if result_list:
        rows += [("认定结果", one.at, one.officer.name, one.state.chinese, one.comment) for one in result_list.decisions]
        rows += [("异议", one.at, one.raised_by, one.text, one.answer) for one in result_list.objections]
    return Table("审批与异议", (("事项", 12), ("时间", 18), ("人员", 16), ("结论/内容", 40), ("意见/答复", 50)), rows)


def _roster(session: Session, plan: ExamPlan) -> Table:
    found = session.scalars(sa.select(Enrolment).where(Enrolment.plan_id == plan.id).order_by(Enrolment.ticket_number)
                            .options(joinedload(Enrolment.candidate)))
    return Table("通过人员名册", (("准考证号", 18), ("姓名", 12), ("证件号码", 22), ("学号", 14), ("班级", 16), ("申报条件", 50)),
                 [(one.ticket_number, one.candidate.name, one.candidate.identity_masked, one.student_number, one.class_name,
                   one.entry_condition) for one in found])


def _seats(session: Session, plan: ExamPlan) -> Table:
    found = session.scalars(
        sa.select(Seat).join(Sitting, Sitting.id == Seat.sitting_id).where(Sitting.plan_id == plan.id)
        .order_by(Sitting.starts_at, Seat.sitting_room_id, Seat.number)
        .options(joinedload(Seat.sitting_room).joinedload(SittingRoom.room),
                 joinedload(Seat.sitting_room).joinedload(SittingRoom.sitting),
                 joinedload(Seat.enrolment).joinedload(Enrolment.candidate)))
    return Table("考场编排", (("场次", 20), ("开考时间", 18), ("考场", 16), ("座位", 8), ("准考证号", 18), ("姓名", 12)),
                 [(one.sitting_room.sitting.name, one.sitting_room.sitting.starts_at, one.sitting_room.room.name, one.number,
                   one.enrolment.ticket_number, one.enrolment.candidate.name) for one in found])


def _points(half_points: int | None) -> float | None:
    return None if half_points is None else half_points / 2


def _results(session: Session, result_list: ResultList) -> Table:
    found = session.scalars(sa.select(Result).join(Result.enrolment).where(Result.list_id == result_list.id)
                            .order_by(Enrolment.ticket_number)
                            .options(joinedload(Result.enrolment).joinedload(Enrolment.candidate)))
    return Table("评价结果汇总", (("准考证号", 18), ("姓名", 12), ("理论", 8), ("技能", 8), ("综合评审", 10), ("结论", 10),
                            ("理由", 60)),
                 [(one.enrolment.ticket_number, one.enrolment.candidate.name, _points(one.theory), _points(one.practical),
                   _points(one.review), "合格" if one.passed else "不合格", "；".join(one.reasons)) for one in found])


def _certificates(session: Session, result_list: ResultList) -> Table:
    return Table("证书登记", (("证书编号", 26), ("姓名", 12), ("证件号码", 22), ("发证日期", 14), ("状态", 10), ("注销原因", 40)),
                 [(one.number, one.holder, one.identity_masked, one.issued_on.isoformat(),
                   "已注销" if one.revoked_at else "有效", one.revoked_why)
                  for one in certificates_of(session, result_list)])


def _incidents(session: Session, plan: ExamPlan) -> Table:
    found = session.scalars(sa.select(Incident).join(Incident.sitting_room).join(SittingRoom.sitting)
                            .where(Sitting.plan_id == plan.id).order_by(Incident.at, Incident.id))
    return Table("考场情况", (("时间", 18), ("场次", 20), ("考场", 16), ("类别", 12), ("记录", 60), ("理论成绩作废", 14), ("记录人", 12)),
                 [(one.at, one.sitting_room.sitting.name, one.sitting_room.room.name, one.kind, one.text, one.voids_theory,
                   one.author.name) for one in found])


def _supervision(session: Session, plan: ExamPlan) -> Table:
    found = session.scalars(sa.select(Supervision).where(Supervision.plan_id == plan.id).order_by(Supervision.id))
    return Table("质量督导", (("督导员", 12), ("派遣时间", 18), ("报告时间", 18), ("报告", 90)),
                 [(one.supervisor.name, one.assigned_at, one.reported_at, one.report) for one in found])

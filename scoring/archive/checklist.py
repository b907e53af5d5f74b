"""档案清单: which documents of a plan there are and which are lacking (domain.md 3.6)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from examroom.delivery.models import HandIn, Sheet
from examroom.invigilation.models import RoomClosing
from examroom.marking.models import TheoryScore
from examroom.oversight.models import Supervision
from examroom.plans.condition_models import Qualification
from examroom.plans.models import Enrolment, ExamPlan, PlanState, Seat, Sitting, SittingRoom
from qbank.kernel.db import table_of
from qbank.papers.sealed import PaperOpening
from scoring.archive import reach
from scoring.archive.filed import LINES as FILED_LINES
from scoring.archive.filed import VOLUMES, Line, standing
from scoring.archive.models import FiledDocument, Video
from scoring.certificates.desk import lacking
from scoring.certificates.models import Certificate
from scoring.practical.models import Absence, GroupMember, MarkSheet, Part, PracticalGroup
from scoring.results.case_models import Misconduct, Recheck
from scoring.results.models import Result, ResultList, ResultState
from scoring.review.joining import REVIEWED_LEVELS
from scoring.review.minutes import took_part
from scoring.review.models import ReviewPanel, ReviewScore


@dataclass(frozen=True)
class Document:
    """One line of the list. ``present`` None: not made by this system and not filed yet; ``line``: under which it is filed."""

    volume: str
    name: str
    present: bool | None
    detail: str = ""
    mandatory: bool = True
    held: str = "电子"
    line: str = ""

    @property
    def is_lacking(self) -> bool:
        return self.mandatory and self.present is False


def documents(session: Session, plan: ExamPlan) -> list[Document]:
    """The check-list of a plan, volume by volume."""
    result_list = session.scalar(sa.select(ResultList).where(ResultList.plan_id == plan.id))
    made = [*_registration(session, plan), *_filing(plan), *_process(session, plan), *_scores(session, plan),
            *_results(session, plan, result_list), *_certificates(session, result_list), *_recordings(session, plan)]
    return sorted([*made, *filed(session, plan)], key=lambda one: VOLUMES.index(one.volume))


def filed(session: Session, plan: ExamPlan) -> list[Document]:
    """What this system does not make itself: scans that were filed, and where paper lies."""
    held = standing(session, plan)
    return [_filed(line, [one for one in held if one.line == line.key]) for line in FILED_LINES.values()]


def _filed(line: Line, found: Sequence[FiledDocument]) -> Document:
    scans, places = sum(one.attachment_id is not None for one in found), sorted({one.place for one in found if one.place})
    detail = "；".join(part for part in (f"扫描件 {scans} 份" if scans else "", f"纸质存 {'、'.join(places)}" if places else "") if part)
    return Document(line.volume, line.name, bool(found) or None, detail or "尚未登记", mandatory=False,
                    held="／".join(part for part in ("扫描" if scans else "", "纸质" if places or not scans else "") if part), line=line.key)


def missing(listed: Iterable[Document]) -> list[Document]:
    """The mandatory documents that are lacking."""
    return [document for document in listed if document.is_lacking]


def _count(session: Session, query: sa.Select[Any]) -> int:
    return session.scalar(sa.select(sa.func.count()).select_from(query.subquery())) or 0


def _registration(session: Session, plan: ExamPlan) -> list[Document]:
    enrolled = _count(session, sa.select(Enrolment.id).where(Enrolment.plan_id == plan.id))
    stated = _count(session, sa.select(Enrolment.id).where(Enrolment.plan_id == plan.id, Enrolment.entry_condition != ""))
    judged = _count(session, sa.select(Enrolment.id).where(Enrolment.plan_id == plan.id, Enrolment.qualification == Qualification.ACCEPTED))
    return [Document("报名卷", "通过人员名册", enrolled > 0, f"{enrolled} 人"),
            Document("报名卷", "资格审核数据汇总表", judged == enrolled > 0, f"审核通过 {judged} / {enrolled} 人", mandatory=False),
            Document("报名卷", "申报条件", stated == enrolled > 0, f"已填 {stated} / {enrolled} 人", mandatory=False)]


def _filing(plan: ExamPlan) -> list[Document]:
    decided = [decision for decision in plan.decisions if decision.state is PlanState.APPROVED]
    return [Document("备案卷", "考务方案", plan.state is PlanState.APPROVED, plan.state.chinese),
            Document("备案卷", "考务方案审批意见", bool(decided), f"{len(plan.decisions)} 条意见")]


def _process(session: Session, plan: ExamPlan) -> list[Document]:
    sittings = sa.select(Sitting.id).where(Sitting.plan_id == plan.id)
    seats = _count(session, sa.select(Seat.id).where(Seat.sitting_id.in_(sittings)))
    unsealed = [sitting.name for sitting in plan.sittings if not sitting.papers or any(paper.fingerprint is None for paper in sitting.papers)]
    rooms = sa.select(SittingRoom.id).where(SittingRoom.sitting_id.in_(sittings))
    closed = _count(session, sa.select(RoomClosing.id).where(RoomClosing.sitting_room_id.in_(rooms)))
    opened = _count(session, sa.select(PaperOpening.id).where(reach.within(table_of(PaperOpening), plan.id), PaperOpening.opened_at.is_not(None)))
    reports = session.scalars(sa.select(Supervision).where(Supervision.plan_id == plan.id)).all()
    reported = sum(report.reported_at is not None for report in reports)
    return [Document("过程卷", "考场编排（场次、考场、座位）", seats > 0, f"{len(plan.sittings)} 个场次，{seats} 个座位"),
            Document("过程卷", "封存试卷", bool(plan.sittings) and not unsealed,
                     f"没有封存试卷的场次：{'、'.join(unsealed)}" if unsealed else "含指纹" if plan.sittings else "还没有场次"),
            Document("过程卷", "试卷拆封确认表", opened > 0, f"{opened} 次启封", mandatory=False),
            Document("过程卷", "考场情况记录单", 0 < closed == _count(session, rooms), f"{closed} / {_count(session, rooms)} 个考场",
                     mandatory=False),
            Document("过程卷", "质量督导报告", bool(reports) and reported == len(reports),
                     f"已提交 {reported} / {len(reports)} 份" if reports else "还没有派遣质量督导员")]


def _scores(session: Session, plan: ExamPlan) -> list[Document]:
    sheets = sa.select(Sheet.id).join(Sheet.sitting).where(Sitting.plan_id == plan.id)
    present = _count(session, sheets.where(sa.or_(Sheet.handed_in_how.is_(None), Sheet.handed_in_how != HandIn.ABSENT)))
    open_ones = _count(session, sheets.where(Sheet.handed_in_at.is_(None)))
    scored = _count(session, sa.select(TheoryScore.id).where(TheoryScore.sheet_id.in_(sheets)))
    voided = _count(session, sa.select(Misconduct.id).join(Misconduct.enrolment).where(Enrolment.plan_id == plan.id))
    rechecks = _count(session, sa.select(Recheck.id).join(Recheck.result).join(Result.enrolment).where(Enrolment.plan_id == plan.id))
    found = [Document("过程卷", "违纪处理记录", True, f"{voided} 件" if voided else "无违纪"),
             Document("结果卷", "成绩复核记录", True, f"{rechecks} 件" if rechecks else "无复核申请"),
             Document("结果卷", "理论答卷", _count(session, sheets) > 0 and not open_ones,
                      f"{_count(session, sheets)} 份" + (f"，{open_ones} 份未收" if open_ones else "")),
             Document("结果卷", "理论成绩", present > 0 and scored >= present, f"{scored} / {present} 份已评分"),
             _practical(session, plan)]
    if plan.level in REVIEWED_LEVELS:
        found += [_review(session, plan), _minutes(session, plan)]
    return found


def _practical(session: Session, plan: ExamPlan) -> Document:
    absent = sa.select(Absence.enrolment_id).where(Absence.part == Part.PRACTICAL)
    enrolled = sa.select(Enrolment.id).where(Enrolment.plan_id == plan.id, Enrolment.id.not_in(absent))
    members = sa.select(GroupMember.id).join(GroupMember.group).where(PracticalGroup.plan_id == plan.id,
                                                                     GroupMember.enrolment_id.in_(enrolled))
    unsigned = _count(session, sa.select(MarkSheet.id).where(MarkSheet.member_id.in_(members), MarkSheet.signed_at.is_(None)))
    marked = _count(session, members.where(GroupMember.sheets.any(MarkSheet.signed_at.is_not(None))))
    due = _count(session, enrolled)
    return Document("结果卷", "操作技能评分记录表（签名）", 0 < due == marked and not unsigned,
                    f"{marked} / {due} 人有签名的记录表" + (f"，{unsigned} 份未签名" if unsigned else ""))


def _review(session: Session, plan: ExamPlan) -> Document:
    absent = sa.select(Absence.enrolment_id).where(Absence.part == Part.REVIEW)
    present = sa.select(Enrolment.id).where(Enrolment.plan_id == plan.id, Enrolment.id.not_in(absent))
    due = _count(session, present)
    scored = _count(session, sa.select(ReviewScore.id).where(ReviewScore.enrolment_id.in_(present)))
    return Document("结果卷", "综合评审表（评审专家签名）", 0 < due <= scored, f"{scored} / {due} 人已由全体评审专家签名评分")


def _minutes(session: Session, plan: ExamPlan) -> Document:
    panel = session.scalar(sa.select(ReviewPanel).where(ReviewPanel.plan_id == plan.id))
    waiting = [one.account.name for one in panel.members if took_part(one) and one.minutes_signed_at is None] if panel else []
    closed = panel is not None and panel.closed_at is not None
    told = "还没有结束评审" if not closed else f"还缺 {'、'.join(waiting)} 签字" if waiting else "全体评审专家已签字"
    return Document("结果卷", "综合评审会议记录", closed and not waiting, told)


def _results(session: Session, plan: ExamPlan, found: ResultList | None) -> list[Document]:
    if found is None:
        return [Document("结果卷", name, False, "还没有认定结果") for name in ("评价结果汇总表", "公示", "市初审、省审核意见")]
    rows = _count(session, sa.select(Result.id).where(Result.list_id == found.id))
    decided = {decision.state for decision in found.decisions}
    open_objections = sum(objection.answered_at is None for objection in found.objections)
    return [Document("结果卷", "评价结果汇总表", rows > 0, f"{rows} 人"),
            Document("结果卷", "公示", found.noticed_at is not None),
            Document("结果卷", "异议处理记录", found.noticed_at is not None and not open_objections,
                     f"{len(found.objections)} 件，{open_objections} 件未答复" if found.objections
                     else "公示期间无异议" if found.noticed_at else "还没有公示"),
            Document("结果卷", "市初审、省审核意见", {ResultState.CITY_CHECKED, ResultState.FINAL} <= decided)]


def _certificates(session: Session, found: ResultList | None) -> list[Document]:
    if found is None or found.state is not ResultState.FINAL:
        return [Document("证书卷", "证书登记", False, "认定结果审核通过后制作")]
    issued = _count(session, sa.select(Certificate.id).join(Certificate.result).where(Result.list_id == found.id))
    left: Sequence[Result] = lacking(session, found)
    return [Document("证书卷", "证书登记", not left, f"{issued} 份" + (f"，还有 {len(left)} 名合格人员未制作证书" if left else ""))]


def _recordings(session: Session, plan: ExamPlan) -> list[Document]:
    found = _count(session, sa.select(Video.id).where(Video.plan_id == plan.id))
    return [Document("过程卷", "考场影像资料", found > 0, f"登记 {found} 段" if found else "还没有登记", mandatory=False, held="影像")]

"""工作台账: every step of a batch with its date, who took it and what it left behind, told from the rows themselves.

Nobody writes a ledger: each line below says which table knows of a step. Steps that many people take many times on one
day (marks, hand-ins) become one line with their number.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import InstrumentedAttribute, Session

from examroom.delivery.models import Dealing, Sheet, TimeEntry
from examroom.invigilation.models import AdmissionCheck, Incident, Rehearsal, RoomClosing
from examroom.marking.case_models import AnswerFile, KeyCheck, ScoreChange
from examroom.marking.models import TheoryScore
from examroom.marking.written_models import ScriptMark
from examroom.oversight.inspection_models import Finding, FindingReply, Inspection
from examroom.oversight.models import Supervision
from examroom.oversight.staff_models import StaffCase
from examroom.plans.amendment_models import AmendmentDecision, PlanAmendment
from examroom.plans.fee_models import CostEntry, FeeEntry
from examroom.plans.models import ExamPlan, PlanDecision, SittingRoom
from examroom.plans.qualification_models import QualificationCheck, TicketFile
from examroom.plans.roster_models import RosterImport
from qbank.kernel.accounts import Account
from qbank.kernel.times import SHANGHAI, local, spoken
from qbank.papers.models import Paper
from qbank.papers.sealed import OpeningPerson, PaperOpening
from scoring.archive import reach
from scoring.archive.models import ArchiveAccess, ArchiveHold, ArchivePack, Destruction, FiledDocument, Video
from scoring.certificates.models import Certificate, Disclosure, Replacement
from scoring.certificates.report_models import ReportBatch, ReportReceipt
from scoring.certificates.stock_models import Blank
from scoring.practical.bank_models import PracticalDraw
from scoring.practical.mark_models import Correction
from scoring.practical.models import MarkSheet
from scoring.practical.register_models import AssessorDraw
from scoring.results.case_models import Misconduct, Recheck, ScoreProof
from scoring.results.models import Credit, Objection, ResultDecision, ResultList
from scoring.review.models import OrderDraw, PanelMark, PanelMember, ReviewPanel

PLAN, ROSTER, PAPER, THEORY, MARKING, PRACTICAL, REVIEW, RESULT, NOTICE, OVERSIGHT, CERTIFICATE, ARCHIVE = (
    "考务方案", "报名", "试卷", "理论考试", "阅卷", "技能考核", "综合评审", "结果", "公示与异议", "督导与违纪", "证书", "归档")
PHASES = (PLAN, ROSTER, PAPER, THEORY, MARKING, PRACTICAL, REVIEW, RESULT, NOTICE, OVERSIGHT, CERTIFICATE, ARCHIVE)


@dataclass(frozen=True)
class Step:
    """One line of the ledger. ``times``: how often, on that day and by that person. ``document``: what it left behind."""

    at: datetime
    phase: str
    what: str
    who: str = ""
    detail: str = ""
    document: str = ""
    times: int = 1
    day_only: bool = False  # no hour is known: stands at the end of its day

    @property
    def when(self) -> str:
        return spoken(local(self.at).date()) if self.day_only else spoken(self.at)


@dataclass(frozen=True)
class Source:
    """Which table knows of a step: when, who, what to say. Without ``detail`` the steps of a day are counted together."""

    phase: str
    what: str
    at: InstrumentedAttribute[Any]
    who: InstrumentedAttribute[Any] | None = None
    detail: Callable[[Any], str] | None = None
    document: str = ""


def _shortened(text: str, most: int = 120) -> str:
    return text if len(text) <= most else text[:most - 1] + "…"


SOURCES = (
    Source(PLAN, "报送考务方案", ExamPlan.submitted_at, ExamPlan.created_by, lambda one: one.number, "考务方案"),
    Source(PLAN, "方案审批", PlanDecision.at, PlanDecision.decided_by, lambda one: f"{one.state.chinese} {one.comment}", "审批意见"),
    Source(PLAN, "报送方案变更", PlanAmendment.submitted_at, PlanAmendment.started_by, lambda one: f"第 {one.number} 号：{one.reason}", "变更方案"),
    Source(PLAN, "变更审批", AmendmentDecision.at, AmendmentDecision.decided_by, lambda one: f"{one.state.chinese} {one.comment}", "审批意见"),
    Source(ROSTER, "导入名册", RosterImport.ended_at, RosterImport.uploaded_by, lambda one: f"{one.file_name}，{one.imported} 人", "报名名册"),
    Source(ROSTER, "资格审核", QualificationCheck.at, QualificationCheck.checked_by, document="资格审核记录"),
    Source(ROSTER, "印制准考证", TicketFile.made_at, TicketFile.account_id, lambda one: f"{one.count} 份", "准考证"),
    Source(ROSTER, "收费登记", FeeEntry.at, FeeEntry.entered_by, document="收费台账"),
    Source(ROSTER, "支出登记", CostEntry.at, CostEntry.entered_by, document="收费台账"),
    Source(PAPER, "封存试卷", Paper.sealed_at, Paper.sealed_by, lambda one: f"{one.name}，指纹 {(one.fingerprint or '')[:16]}…", "封存试卷"),
    Source(PAPER, "启封试卷", PaperOpening.opened_at, None, lambda one: f"{one.paper.name}：{one.reason}", "试卷拆封确认记录"),
    Source(PAPER, "启封人确认", OpeningPerson.at, OpeningPerson.account_id, document="试卷拆封确认记录"),
    Source(PAPER, "发卷", Dealing.at, Dealing.dealt_by, lambda one: f"{one.sheets} 份答卷", "发卷记录"),
    Source(THEORY, "考前演练", Rehearsal.at, Rehearsal.asked_by, lambda one: "通过" if one.well else "有问题", "考前检查单"),
    Source(THEORY, "核验考生", AdmissionCheck.at, AdmissionCheck.checked_by, document="核验记录"),
    Source(THEORY, "开启考场", SittingRoom.opened_at, SittingRoom.opened_by, lambda one: f"{one.sitting.name} {one.room.name}", "考场情况记录单"),
    Source(THEORY, "考场情况", Incident.at, Incident.recorded_by, lambda one: f"{one.kind}：{_shortened(one.text)}", "考场情况记录单"),
    Source(THEORY, "加时", TimeEntry.at, TimeEntry.granted_by, document="时间账"),
    Source(THEORY, "交卷", Sheet.handed_in_at, document="答卷、作答记录"),
    Source(THEORY, "关闭考场", RoomClosing.at, RoomClosing.closed_by,
           lambda one: f"实到 {one.present} 人，缺考 {one.absent} 人，审计链 {one.audit_head[:16]}…", "考场情况记录单"),
    Source(THEORY, "应急答案文件", AnswerFile.uploaded_at, AnswerFile.uploaded_by, lambda one: one.state.chinese, "答案文件"),
    Source(MARKING, "机器评分", TheoryScore.marked_at, document="理论成绩"),
    Source(MARKING, "人工阅卷", ScriptMark.at, document="阅卷记录"),
    Source(MARKING, "核对答案", KeyCheck.at, KeyCheck.checked_by, lambda one: _shortened(one.comment), "答案核对记录"),
    Source(MARKING, "更正成绩", ScoreChange.at, document="问题试题处理记录"),
    Source(PRACTICAL, "抽取考评员", AssessorDraw.at, AssessorDraw.drawn_by,
           lambda one: f"{len(one.eligible)} 人中抽取 {len(one.drawn)} 人，种子 {one.seed}", "考评员抽签记录"),
    Source(PRACTICAL, "试题抽签", PracticalDraw.drawn_at, PracticalDraw.drawn_by, lambda one: f"第 {one.number} 次，种子 {one.seed}", "抽签单"),
    Source(PRACTICAL, "评分签名", MarkSheet.signed_at, MarkSheet.assessor_id, document="评分记录表"),
    Source(PRACTICAL, "申请更正评分", Correction.asked_at, Correction.asked_by, lambda one: f"{one.state.chinese}：{_shortened(one.reason)}", "评分更正单"),
    Source(REVIEW, "评审抽签", OrderDraw.at, OrderDraw.drawn_by, lambda one: f"种子 {one.seed}", "抽签单"),
    Source(REVIEW, "评审评分签名", PanelMark.signed_at, document="评审评分表"),
    Source(REVIEW, "结束评审", ReviewPanel.closed_at, None, lambda one: one.name, "综合评审会议记录"),
    Source(REVIEW, "会议记录签字", PanelMember.minutes_signed_at, PanelMember.account_id, document="综合评审会议记录"),
    Source(RESULT, "合成成绩", ResultList.merged_at, ResultList.merged_by, lambda one: f"{len(one.results)} 人", "评价结果汇总表"),
    Source(RESULT, "核对结果", ResultList.checked_at, ResultList.checked_by, lambda one: "第二名考务员逐项核对", "核对记录"),
    Source(RESULT, "成绩认可", Credit.decided_at, Credit.decided_by, lambda one: f"{one.enrolment.candidate.name}：{one.state.chinese}", "成绩认可材料"),
    Source(NOTICE, "公示结果", ResultList.noticed_at, None, lambda one: "公示名单上网", "公示名单"),
    Source(NOTICE, "收到异议", Objection.at, Objection.recorded_by, lambda one: _shortened(one.text), "异议记录"),
    Source(NOTICE, "答复异议", Objection.answered_at, Objection.answered_by, lambda one: _shortened(one.answer), "异议答复"),
    Source(NOTICE, "申请复核", Recheck.asked_at, None, lambda one: f"{one.result.enrolment.candidate.name}：{_shortened(one.reason)}", "复核记录"),
    Source(NOTICE, "答复复核", Recheck.decided_at, Recheck.decided_by, lambda one: _shortened(one.answer), "复核记录"),
    Source(RESULT, "结果审核", ResultDecision.at, ResultDecision.decided_by, lambda one: f"{one.state.chinese} {one.comment}", "审核意见"),
    Source(RESULT, "单科成绩证明", ScoreProof.issued_at, ScoreProof.issued_by, document="单科成绩证明"),
    Source(OVERSIGHT, "派遣督导员", Supervision.assigned_at, Supervision.assigned_by, lambda one: one.supervisor.name, "派遣记录"),
    Source(OVERSIGHT, "督导报告", Supervision.reported_at, Supervision.supervisor_id, lambda one: _shortened(one.report), "质量督导报告"),
    Source(OVERSIGHT, "开始检查", Inspection.started_at, None, lambda one: f"{one.kind.chinese} {one.number}", "检查表"),
    Source(OVERSIGHT, "检查发现问题", Finding.at, Finding.recorded_by, lambda one: _shortened(one.text), "检查发现"),
    Source(OVERSIGHT, "整改答复", FindingReply.at, FindingReply.replied_by, lambda one: _shortened(one.text), "整改材料"),
    Source(OVERSIGHT, "检查结论", Inspection.submitted_at, Inspection.submitted_by, lambda one: _shortened(one.conclusion), "检查记录"),
    Source(OVERSIGHT, "人员违规处理决定", StaffCase.decided_at, StaffCase.decided_by, lambda one: f"{one.duty} {one.account.name}：{one.tier}", "违规处理决定"),
    Source(OVERSIGHT, "提出违纪处理", Misconduct.proposed_at, Misconduct.proposed_by, lambda one: f"{one.enrolment.candidate.name}：{one.tier}", "违纪记录"),
    Source(OVERSIGHT, "违纪处理决定", Misconduct.decided_at, Misconduct.decided_by,
           lambda one: f"{one.enrolment.candidate.name}：{one.state.chinese} {one.comment}", "违纪处理决定"),
    Source(CERTIFICATE, "制作证书", Certificate.issued_on, Certificate.issued_by, document="证书登记册"),
    Source(CERTIFICATE, "使用空白证书", Blank.used_at, Blank.used_by, document="空白证书登记"),
    Source(CERTIFICATE, "上报数据", ReportBatch.at, ReportBatch.made_by, lambda one: f"第 {one.number} 批，{len(one.lines)} 人", "上报数据"),
    Source(CERTIFICATE, "上报回执", ReportReceipt.at, ReportReceipt.read_by, lambda one: f"通过 {one.accepted} 人，退回 {one.rejected} 人", "上报数据回执"),
    Source(CERTIFICATE, "注销证书", Certificate.revoked_at, None, lambda one: f"{one.number}：{one.revoked_why}", "注销记录"),
    Source(CERTIFICATE, "补换发", Replacement.asked_at, Replacement.asked_by,
           lambda one: f"{one.certificate.number} {one.cause.chinese}：{one.state.chinese}", "补换发记录"),
    Source(CERTIFICATE, "数据外送", Disclosure.at, Disclosure.account_id, lambda one: f"{one.what.chinese}，{one.people} 人", "外送登记"),
    Source(ARCHIVE, "归档材料", FiledDocument.at, FiledDocument.filed_by, lambda one: one.title, "扫描件或纸质材料"),
    Source(ARCHIVE, "登记影像", Video.at, Video.registered_by, lambda one: f"{one.place}：{one.path}", "影像资料登记"),
    Source(ARCHIVE, "归档", ArchivePack.packed_at, ArchivePack.packed_by, lambda one: f"SHA-256 {one.sha256[:16]}…", "归档卷"),
    Source(ARCHIVE, "查阅", ArchiveAccess.at, ArchiveAccess.account_id, lambda one: _shortened(one.reason), "查阅记录"),
    Source(ARCHIVE, "封存保留", ArchiveHold.set_at, ArchiveHold.set_by, lambda one: _shortened(one.reason), "封存保留决定"),
    Source(ARCHIVE, "解除保留", ArchiveHold.released_at, ArchiveHold.released_by, lambda one: _shortened(one.released_why), "解除保留决定"),
    Source(ARCHIVE, "申请销毁", Destruction.asked_at, Destruction.asked_by, lambda one: _shortened(one.reason), "销毁记录"),
    Source(ARCHIVE, "销毁决定", Destruction.decided_at, Destruction.decided_by, lambda one: f"{one.state.chinese} {one.comment}", "销毁记录"),
)


def steps_of(session: Session, plan: ExamPlan, *, phase: str = "", words: str = "") -> list[Step]:
    """The steps of a plan in their order. ``words``: only lines that hold every one of them."""
    wanted = words.lower().split()
    found = [step for source in SOURCES if phase in ("", source.phase) for step in _told(session, plan, source)]
    return sorted((step for step in found if all(word in _text(step) for word in wanted)), key=lambda step: (step.at, PHASES.index(step.phase)))


def _text(step: Step) -> str:
    return f"{step.phase} {step.what} {step.who} {step.detail} {step.document} {local(step.at):%Y-%m-%d}".lower()


def _told(session: Session, plan: ExamPlan, source: Source) -> Iterable[Step]:
    model = source.at.class_
    mine = sa.and_(reach.within(sa.inspect(model).local_table, plan.id), source.at.is_not(None))
    if source.detail is None:
        who = source.who if source.who is not None else sa.null()
        return _together(session, session.execute(sa.select(source.at, who).where(mine)).all(), source)
    key = source.who.key if source.who is not None else ""
    return [Step(_moment(getattr(one, source.at.key)), source.phase, source.what, _name(session, getattr(one, key, None)),
                 source.detail(one).strip(), source.document, day_only=_has_day_only(source)) for one in session.scalars(sa.select(model).where(mine)).unique()]


def _together(session: Session, rows: Iterable[Any], source: Source) -> Iterable[Step]:
    """One step for each day and person."""
    days: dict[tuple[date, int | None], list[datetime]] = defaultdict(list)
    for at, who in rows:
        moment = _moment(at)
        days[local(moment).date(), who].append(moment)
    for (_, who), moments in days.items():
        until = f"，至 {local(max(moments)):%H:%M}" if max(moments) > min(moments) else ""
        yield Step(min(moments), source.phase, source.what, _name(session, who), f"{len(moments)} 次{until}" if len(moments) > 1 else "",
                   source.document, len(moments), _has_day_only(source))


def _has_day_only(source: Source) -> bool:
    return isinstance(source.at.type, sa.Date)


def _name(session: Session, account_id: int | None) -> str:
    return session.get_one(Account, account_id).name if account_id else ""


def _moment(at: datetime | date) -> datetime:
    return at if isinstance(at, datetime) else datetime.combine(at, time(23, 59), SHANGHAI)

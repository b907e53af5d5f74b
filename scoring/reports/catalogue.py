"""Which reports there are, who may have them, how long they take, and how each is made."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from examroom.plans.models import OFFICE_ROLES, Enrolment, ExamPlan
from qbank.kernel.access import Role, Viewer
from qbank.kernel.export import workbook
from qbank.kernel.refused import Refused
from qbank.standards.packs import pack_for
from qbank.statistics.reports_print import Document, pdf, tables_of
from qbank.statistics.verdicts import Thresholds
from scoring.practical import rating
from scoring.practical.duties import may_act
from scoring.reports import analyses, assessors, head, items, lists, records
from scoring.reports.cohort import cohort_of, result_list

PDF, EXCEL, ZIP = "pdf", "xlsx", "zip"
SCHOOL = (Role.EXAM_OFFICER, Role.QUALITY_SUPERVISOR)
AT_ONCE = 2.0  # seconds: what takes longer becomes a job


@dataclass(frozen=True)
class Asking:
    """What is wanted, by whom, and where to say how far it is."""

    session: Session
    plan: ExamPlan
    viewer: Viewer
    now: datetime
    progress: Callable[[int, int, str], None]


Made = tuple[str, bytes]  # the ending of the file's name, its content
Maker = Callable[[Asking], Made]


@dataclass(frozen=True)
class Kind:
    """One report: ``makers`` by format; ``seconds`` for a thousand candidates; ``roles`` who may have it."""

    key: str
    title: str
    about: str
    roles: tuple[Role, ...]
    makers: Mapping[str, Maker]
    seconds: float = 1.0
    posted: bool = False  # only when the list has been posted

    @property
    def readers(self) -> str:
        return "、".join(role.chinese for role in self.roles)


def _document(build: Callable[[Asking], Document]) -> dict[str, Maker]:
    """A document as both formats."""
    def printed(asking: Asking) -> Made:
        asking.progress(0, 2, "正在读取成绩…")
        document = build(asking)
        asking.progress(1, 2, "正在排版…")
        return PDF, pdf(document, made_at=asking.now)

    def excel(asking: Asking) -> Made:
        asking.progress(0, 2, "正在读取成绩…")
        document = build(asking)
        asking.progress(1, 2, "正在写 Excel…")
        return EXCEL, workbook(tables_of(document), made_at=asking.now)

    return {PDF: printed, EXCEL: excel}


def _summary(asking: Asking) -> Document:
    return lists.summary(cohort_of(asking.session, result_list(asking.session, asking.plan, asking.viewer)))


def _notice(asking: Asking) -> Document:
    return lists.notice(cohort_of(asking.session, result_list(asking.session, asking.plan, asking.viewer)))


def _rates(asking: Asking) -> Document:
    return analyses.rates_document(cohort_of(asking.session, result_list(asking.session, asking.plan, asking.viewer)))


def _scores(asking: Asking) -> Document:
    return analyses.scores_document(cohort_of(asking.session, result_list(asking.session, asking.plan, asking.viewer)))


def _items(asking: Asking) -> Document:
    session, plan = asking.session, asking.plan
    cohort = cohort_of(session, result_list(session, plan, asking.viewer))
    pages = items.pages_of(session, plan, asking.viewer, now=asking.now)
    return items.items_document(session, cohort, pages, Thresholds.of(pack_for(session, plan.institution)))


def _assessors(asking: Asking) -> Document:
    cohort = cohort_of(asking.session, result_list(asking.session, asking.plan, asking.viewer))
    return assessors.assessors_document(cohort, rating.groups_of(asking.session, asking.plan, asking.viewer))


def _head(asking: Asking) -> Made:
    asking.progress(0, 2, "正在分析…")
    found = head.analysis_of(asking.session, result_list(asking.session, asking.plan, asking.viewer), asking.viewer, now=asking.now)
    asking.progress(1, 2, "正在排版…")
    return PDF, head.pdf(found, made_at=asking.now)


def _filled(asking: Asking) -> Made:
    files = records.filled_pdfs(asking.session, asking.plan, asking.viewer, asking.progress, now=asking.now)
    return (PDF, files[0][1]) if len(files) == 1 else (ZIP, records.zipped(files))


CATALOGUE: dict[str, Kind] = {one.key: one for one in (
    Kind("summary", "成绩汇总表", "全部考生的各部分成绩、认定结果和理由，有签字栏。", OFFICE_ROLES, _document(_summary), 3.0),
    Kind("notice", "公示名单", "拟认定合格的考生，姓名和证件号码已遮盖，供公示栏张贴。公示以后才能印制。", OFFICE_ROLES, _document(_notice), 1.5, posted=True),
    Kind("blank", "评分记录表（空白）", "每份评分表一张，供考评员现场手写或留底。", SCHOOL, {
        PDF: lambda asking: (PDF, records.blank_pdf(asking.session, asking.plan, now=asking.now)),
        EXCEL: lambda asking: (EXCEL, records.blank_xlsx(asking.session, asking.plan, now=asking.now))}, 0.1),
    Kind("filled", "评分记录表（已评）", "每名考生、每名考评员一张，全部签字后才有；几个考核组时每组一个 PDF，合成一个压缩包。", SCHOOL, {
        PDF: _filled, EXCEL: lambda asking: (EXCEL, records.filled_xlsx(asking.session, asking.plan, asking.viewer, asking.progress, now=asking.now))}, 40.0),
    Kind("rates", "合格率分析", "总体、各部分、各班级的合格率，带 95% 区间和图。", OFFICE_ROLES, _document(_rates)),
    Kind("scores", "成绩分布", "各部分成绩的直方图（标出合格线）、平均分和四分位，分班级。", OFFICE_ROLES, _document(_scores)),
    Kind("items", "试题分析报告", "理论试题的答对率、区分度和鉴定范围得分，供教研组使用。", SCHOOL, _document(_items), 2.0),
    Kind("assessors", "考评员评分报告", "考评员之间的一致性（ICC、κ）、宽严和离群评分。", SCHOOL, _document(_assessors), 2.0),
    Kind("head", "认定情况分析（两页）", "写给校领导：主要结论、图和建议，正好两页。", OFFICE_ROLES, {PDF: _head}, 3.0),
)}


def kind_of(key: str, form: str) -> Kind:
    """The report named in a form or an address."""
    found = CATALOGUE.get(key)
    if found is None or form not in found.makers:
        raise Refused("no_report", "没有这种报表或格式，请从报表页选择。")
    return found


def allowed(session: Session, kind: Kind, plan: ExamPlan, viewer: Viewer) -> bool:
    """Whether a grant of the report's roles reaches this plan; which rows are in it is said by what the viewer may see."""
    return may_act(session, plan, viewer, *kind.roles)


def takes_long(session: Session, kind: Kind, plan: ExamPlan) -> bool:
    count = session.scalar(sa.select(sa.func.count()).where(Enrolment.plan_id == plan.id)) or 0
    return kind.seconds * count / 1000 > AT_ONCE

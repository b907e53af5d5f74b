"""资格审核数据汇总表: everybody of a plan with condition, facts, proofs and verdict, as the trade files it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy.orm import Session

from examroom.plans import qualification
from examroom.plans.condition_models import Qualification
from examroom.plans.models import Enrolment, ExamPlan
from examroom.plans.predicate import LEVELS, Facts
from qbank.kernel.export import Table, workbook
from qbank.kernel.times import local, spoken
from qbank.standards.models import LEVEL_NAMES

COLUMNS = (("序号", 6), ("姓名", 10), ("证件类型", 12), ("证件号码", 21), ("学号", 14), ("班级", 16), ("条件序号", 9), ("申报条件", 40), ("已有证书", 18),
           ("从业年限", 9), ("学校类别", 13), ("班级类别", 13), ("毕业情况", 11), ("证明材料", 26), ("审核结果", 10), ("审核意见", 22), ("审核人", 9),
           ("审核时间", 17))


def workbook_of(session: Session, plan: ExamPlan, enrolments: Sequence[Enrolment], *, now: datetime) -> bytes:
    """The summary as an Excel workbook, with the counts above and the signatures below."""
    return workbook([table_of(session, plan, enrolments, now=now)], made_at=now)


def table_of(session: Session, plan: ExamPlan, enrolments: Sequence[Enrolment], *, now: datetime) -> Table:
    proofs, checks = qualification.proofs_of(session, enrolments), qualification.checks_of(session, enrolments)
    rows = []
    for number, one in enumerate(enrolments, 1):
        facts, check = Facts.read(one.facts), checks.get(one.id)
        held = f"{LEVELS[facts.certificate_level]} {facts.certificate_number}".strip() if facts.certificate_level else ""
        rows.append((number, one.candidate.name, one.candidate.identity_kind.chinese, one.candidate.identity_masked or "", one.student_number,
                     one.class_name, one.condition.number if one.condition else None, one.entry_condition, held, facts.years,
                     facts.school_kind, facts.class_kind, facts.graduation, "、".join(proof.title for proof in proofs[one.id]),
                     one.qualification.chinese, check.reason if check else "", check.officer.name if check else "",
                     f"{local(check.at):%Y-%m-%d %H:%M}" if check else ""))
    counted = {state: sum(one.qualification is state for one in enrolments) for state in Qualification}
    note = (f"计划编号 {plan.number}；职业（工种）{plan.standard.label}；等级 {LEVEL_NAMES[plan.level]}；报名 {len(rows)} 人，"
            + "，".join(f"{state.chinese} {count} 人" for state, count in counted.items()) + f"；汇总时间 {spoken(now)}")
    return Table("资格审核数据汇总表", COLUMNS, rows, f"{plan.institution.name}职业技能等级认定资格审核数据汇总表", [note],
                 frozen=2, signatures="审核人（签字）：　　　　　　　负责人（签字）：　　　　　　　（单位盖章）　　年　月　日")

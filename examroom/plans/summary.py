"""资格审核数据汇总表: everybody of a plan with condition, facts, proofs and verdict, as the trade files it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy.orm import Session

from examroom.plans import qualification
from examroom.plans.condition_models import Qualification
from examroom.plans.models import Enrolment, ExamPlan
from examroom.plans.predicate import LEVELS, Facts
from examroom.plans.qualification_models import EntryProof, QualificationCheck
from qbank.kernel.export import Table, workbook
from qbank.kernel.identity import IdentityKind
from qbank.kernel.times import local, spoken
from qbank.standards.models import LEVEL_NAMES

COLUMNS = (("序号", 5), ("姓名", 8), ("证件号码", 20), ("学号", 11), ("班级", 14), ("条件序号", 5), ("申报条件", 30), ("登记的情况", 26), ("证明材料", 16),
           ("审核结果", 9), ("审核意见", 16), ("审核人", 8), ("审核日期", 11))


def workbook_of(session: Session, plan: ExamPlan, enrolments: Sequence[Enrolment], *, now: datetime) -> bytes:
    """The summary as an Excel workbook, with the counts above and the signatures below."""
    return workbook([table_of(session, plan, enrolments, now=now)], made_at=now)


def table_of(session: Session, plan: ExamPlan, enrolments: Sequence[Enrolment], *, now: datetime) -> Table:
    proofs, checks = qualification.proofs_of(session, enrolments), qualification.checks_of(session, enrolments)
    rows = [_row(number, one, proofs[one.id], checks.get(one.id)) for number, one in enumerate(enrolments, 1)]
    counted = {state: sum(one.qualification is state for one in enrolments) for state in Qualification}
    note = (f"计划编号 {plan.number}；职业（工种）{plan.standard.label}；等级 {LEVEL_NAMES[plan.level]}；报名 {len(rows)} 人，"
            + "，".join(f"{state.chinese} {count} 人" for state, count in counted.items()) + f"；汇总时间 {spoken(now)}")
    return Table("资格审核数据汇总表", COLUMNS, rows, f"{plan.institution.name}职业技能等级认定资格审核数据汇总表", [note],
                 frozen=2, signatures="审核人（签字）：　　　　　　　负责人（签字）：　　　　　　　（单位盖章）　　年　月　日")


def _row(number: int, one: Enrolment, proofs: Sequence[EntryProof], check: QualificationCheck | None) -> tuple[object, ...]:
    kind = one.candidate.identity_kind
    papers = (one.candidate.identity_masked or "") + ("" if kind is IdentityKind.RESIDENT else f"（{kind.chinese}）")
    return (number, one.candidate.name, papers, one.student_number, one.class_name, one.condition.number if one.condition else None,
            one.entry_condition, "，".join(_recorded(Facts.read(one.facts))), "、".join(proof.title for proof in proofs), one.qualification.chinese,
            check.reason if check else "", check.officer.name if check else "", f"{local(check.at):%Y-%m-%d}" if check else "")


def _recorded(facts: Facts) -> list[str]:
    """What is recorded of the candidate, in few words."""
    held = f"持{LEVELS[facts.certificate_level]}证书 {facts.certificate_number}".strip() if facts.certificate_level else ""
    issued = f"{facts.certificate_on} 发证" if facts.certificate_on else ""
    return [text for text in (facts.school_kind, facts.class_kind, facts.graduation, held, issued,
                              f"从业 {facts.years} 年" if facts.years is not None else "") if text]

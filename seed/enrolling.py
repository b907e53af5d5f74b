"""Entry conditions of the demo's standard, and candidates who apply, bring proofs and are checked."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from examroom.plans import candidates, entry, qualification
from examroom.plans.entry import ConditionDraft
from examroom.plans.models import Enrolment, ExamPlan
from examroom.plans.predicate import Facts, Predicate
from qbank.kernel.access import Viewer
from qbank.kernel.attachments import from_bytes
from qbank.kernel.printing import typeset
from qbank.standards.models import Standard
from seed.people import Student
from seed.stage import Stage

SOURCE = "示例，请按国家职业标准原文核对"
SCHOOLS, LAST_YEAR = ("普通技工学校", "高级技工学校", "技师学院"), ("应届毕业生", "已毕业")
WORKED = "职业资格证书（技能等级证书）后，累计从事本职业或相关职业工作 4 年（含）以上"
STUDIED = "取得技工学校本专业或相关专业毕业证书（含尚未取得毕业证书的在校应届毕业生）"
TECHNICIANS = Predicate(certificate=3, school_kinds=("技师学院",), class_kinds=("预备技师（技师）班",), graduations=LAST_YEAR)
CONDITIONS = {
    4: (ConditionDraft(1, f"取得本职业或相关职业五级/初级工{WORKED}", Predicate(certificate=5, years=4), SOURCE),
        ConditionDraft(2, "累计从事本职业或相关职业工作 6 年（含）以上", Predicate(years=6), SOURCE),
        ConditionDraft(3, STUDIED, Predicate(school_kinds=SCHOOLS, graduations=LAST_YEAR), SOURCE)),
    2: (ConditionDraft(1, f"取得本职业三级/高级工{WORKED}", Predicate(certificate=3, years=4), SOURCE),
        ConditionDraft(2, "取得本职业三级证书的技师学院预备技师（技师）班应届毕业生", TECHNICIANS, SOURCE)),
}
CHOSEN = {4: "3", 2: "2"}
REGISTER = """#set page(paper: "a5", margin: 20mm)
#set text(font: sys.inputs.at("font"), lang: "zh")
#align(center)[= 学籍证明（示例）]
#v(8mm)
兹证明下列班级学生均为本校在籍学生，专业与申报职业对应，毕业学年在读：#sys.inputs.at("classes")。
#v(10mm)
#align(right)[湘江技师学院（演示）学生处]
"""


def keep_conditions(stage: Stage) -> None:
    """The office words the options of each level once."""
    with stage.acting("officer", stage.days(-240)) as (session, who):
        standard = session.scalars(sa.select(Standard).where(Standard.title.contains("电工"))).one()
        for level, drafts in CONDITIONS.items():
            entry.set_conditions(session, standard, level, drafts, who, now=stage.days(-240))


def enrol(stage: Stage, session: Session, made: ExamPlan, people: Sequence[Student], who: Viewer, at: datetime, *,
          left: int = 0) -> None:
    """Enrolled, proven by a register of their classes and accepted, but for the last ``left``: one waits, the others came back."""
    facts = Facts(graduation="应届毕业生") if made.level == 4 else Facts(
        certificate_level=3, certificate_number="示例证书", class_kind="预备技师（技师）班", graduation="应届毕业生")
    enrolments = [candidates.enrol(session, made, who, name=person.name, identity_number=person.identity_number, cipher=stage.cipher,
                                   student_number=person.student_number, class_name=person.class_name, entry_condition=CHOSEN[made.level],
                                   facts=facts, declared=True, now=at) for person in people]
    if proven := enrolments[:len(enrolments) - left]:
        classes = "、".join(sorted({enrolment.class_name for enrolment in proven}))
        register = typeset(REGISTER, {"classes": classes}, made_at=at)
        qualification.attach(session, proven, from_bytes(register, "学籍证明.pdf"), f"学籍证明：{classes}"[:100], who, now=at)
        qualification.accept(session, proven, who, now=at)
    _send_back(session, enrolments[len(enrolments) - left + 1:] if left else [], who, at)


def _send_back(session: Session, enrolments: Sequence[Enrolment], who: Viewer, at: datetime) -> None:
    for enrolment in enrolments:
        qualification.send_back(session, enrolment, "学籍表中没有该生，请提供学籍证明。", who, now=at)

"""Who works in the demo world: one account for each role, a school and the offices above it. All of it fictional."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from qbank.kernel.access import Role, Scope
from qbank.kernel.accounts import Institution, InstitutionKind, create_account
from qbank.standards.models import RulePackVersion, StoredRulePack

PASSWORD = "examroom-demo"
CITY, PROVINCE = "4301", "43"
# Later entry and earlier hand-in than usual, so that a visitor can sit and finish; statistics from so few that a demo has them.
DEMO_PACK = ('{"late_entry_minutes": 90, "earliest_hand_in_minutes": 0, "statistics_minimum_n": 20, '
             '"calibration_minimum_n": 20, "similarity_minimum_n": 20}')


@dataclass(frozen=True)
class Part:
    """One account: login, name, roles, and where (the school unless an office)."""

    login: str
    name: str
    roles: tuple[Role, ...]
    office: str = ""  # "", CITY or PROVINCE
    occupation: str | None = None
    shown: str = ""  # how the list of demo accounts calls it; empty: not listed


CAST = (
    Part("admin", "系统管理员", (Role.ADMINISTRATOR,), shown="系统管理员"),
    Part("author", "陈志远", (Role.ITEM_AUTHOR,), occupation="6-31-01-03", shown="命题员"),
    Part("author2", "周慧敏", (Role.ITEM_AUTHOR,)),
    Part("reviewer", "李卫东", (Role.ITEM_REVIEWER,), shown="审题员"),
    Part("reviewer2", "王秀兰", (Role.ITEM_REVIEWER,), shown="审题员（第二位）"),
    Part("composer", "何敏", (Role.PAPER_COMPOSER,), shown="组卷员"),
    Part("officer", "刘建平", (Role.EXAM_OFFICER,), shown="考务员"),
    Part("officer2", "段雅琴", (Role.EXAM_OFFICER,), shown="考务员（第二位）"),
    Part("invigilator", "孙丽", (Role.INVIGILATOR,), shown="监考员"),
    Part("invigilator2", "赵强", (Role.INVIGILATOR,)),
    Part("invigilator3", "钱文", (Role.INVIGILATOR,), shown="监考员（第二机房）"),
    Part("invigilator4", "吴芳", (Role.INVIGILATOR,)),
    Part("invigilator5", "贺建军", (Role.INVIGILATOR,)),
    Part("invigilator6", "邓小芸", (Role.INVIGILATOR,)),
    Part("marker", "梁启文", (Role.MARKER,), shown="阅卷组长"),
    Part("marker2", "宋怀玉", (Role.MARKER,), shown="阅卷员"),
    Part("marker3", "潘志刚", (Role.MARKER,), shown="阅卷员（第二位）"),
    Part("assessor", "郑国栋", (Role.PRACTICAL_ASSESSOR,), shown="考评员"),
    Part("assessor2", "冯立群", (Role.PRACTICAL_ASSESSOR,)),
    Part("assessor3", "曹永康", (Role.PRACTICAL_ASSESSOR,)),
    Part("assessor4", "龙志远", (Role.PRACTICAL_ASSESSOR,)),
    Part("examiner", "彭思源", (Role.REVIEW_EXAMINER,), shown="评审专家（主任委员）"),
    Part("examiner2", "曾广平", (Role.REVIEW_EXAMINER,)),
    Part("examiner3", "田素琴", (Role.REVIEW_EXAMINER,)),
    Part("supervisor", "罗正明", (Role.QUALITY_SUPERVISOR,), CITY, shown="质量督导员"),
    Part("supervisor2", "秦岚", (Role.QUALITY_SUPERVISOR,), CITY),
    Part("city", "谭晓峰", (Role.CITY_OFFICER,), CITY, shown="市鉴定中心"),
    Part("city2", "邓丽", (Role.CITY_OFFICER,), CITY),
    Part("province", "姚静", (Role.PROVINCE_OFFICER,), PROVINCE, shown="省鉴定中心"),
)


def found(session: Session, *, now: datetime) -> Institution:
    """The school, the offices, the rule pack and everybody's account."""
    school = Institution(name="湘江技师学院（演示）", kind=InstitutionKind.TECHNICIAN, region="430100",
                         certificate_prefix="J000043000001")  # fictional: the real letter and codes are assigned
    offices = {
        CITY: Institution(name="星城市职业技能鉴定中心（演示）", kind=InstitutionKind.CITY_CENTRE, region="430100"),
        PROVINCE: Institution(name="湘江省职业技能鉴定中心（演示）", kind=InstitutionKind.PROVINCE_CENTRE, region="430000"),
    }
    session.add_all([school, *offices.values(), _pack(now)])
    session.flush()
    for part in CAST:
        scopes = [_scope(part, role, school) for role in part.roles]
        create_account(session, part.login, part.name, scopes, institution=offices.get(part.office, school),
                       password=PASSWORD, must_change=False)
    return school


def _pack(now: datetime) -> StoredRulePack:
    first = RulePackVersion(number=1, name="演示规则包", values=DEMO_PACK, at=now, reason="演示用：便于访客提前交卷、少量考生也有统计")
    return StoredRulePack(region=PROVINCE, name=first.name, values=first.values, versions=[first])


def _scope(part: Part, role: Role, school: Institution) -> Scope:
    if role is Role.ADMINISTRATOR:
        return Scope(role)
    if part.office:
        return Scope(role, region=part.office)
    return Scope(role, school.id, occupation_code=part.occupation)

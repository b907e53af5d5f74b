"""A school's filing application filled in as the annexes ask, and the acts of the offices, for tests of filing."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime

from sqlalchemy.orm import Session

from examroom.filing import annexes, application, evaluations, materials, review, rows
from examroom.filing.application import OccupationDraft
from examroom.filing.application_models import Application, SiteAssessment
from examroom.filing.models import FiledScope
from examroom.filing.standing_models import Evaluation
from examroom.filing.states import ApplicationKind, Verdict
from qbank.kernel.access import Role, Scope, Viewer
from qbank.kernel.accounts import Institution
from qbank.kernel.attachments import from_bytes
from qbank.standards.models import Basis, Occupation, Standard
from tests.conftest import MONDAY, People
from tests.plan_world import CIPHER, identity_number

PDF = b"%PDF-1.4\n1 0 obj<<>>endobj\ntrailer<<>>\n%%EOF\n"
JUNE = date(2026, 6, 1)
UNIT = {"name": "湘江技师学院（演示）", "address": "长沙市岳麓区麓山路 1 号", "registration": "长沙市民政局", "credit_code": "", "contact": "刘建平",
        "post": "鉴定所所长",
        "landline": "0731-88880000", "mobile": "13800000000", "email": "liu@example.cn", "rules": "考务管理制度等 12 项",
        "station": "湖南省第 001 职业技能鉴定所（演示）", "station_licence": "湘鉴 001", "station_since": "2003",
        "strengths": "电气自动化设备安装与维修为省级重点专业。", "sites_note": "", "it_note": ""}
CREDIT_CODE = "91110000600037341L"  # passes the check digits of GB 32100
PLAN = {entry.key: f"{entry.title[:3]}正文" for entry in annexes.PLAN}
ROWS: dict[str, list[dict[str, str]]] = {
    "sites": [{"use": use, "name": f"{use}一", "address": "实训楼", "area": "120", "places": "30", "owner": "自有"}
              for use in (annexes.OFFICE, annexes.PAPERS, annexes.THEORY_ROOM, annexes.WORKSHOP)],
    "equipment": [{"name": "电工实训台", "brand": "亚龙", "model": "YL-158GA1", "number": "20", "owner": "自有"}],
    "it": [{"use": annexes.EXAM_COMPUTERS, "name": "考试机", "brand": "联想", "model": "M750", "number": "60", "place": "第一机房"},
           {"use": annexes.VIDEO, "name": "高清摄像机", "brand": "海康威视", "model": "DS-2CD3", "number": "16", "place": "考场与考核场地"}],
    "staff": [{"name": "刘建平", "identity": identity_number(901), "post": "所长/高级讲师", "education": "大学本科", "duties": "鉴定所全面工作"}],
    "experts": [{"name": "彭思源", "identity": identity_number(902), "unit": "某大学", "post": "教授", "education": "研究生", "field": "电气工程"}],
    "assessors": [{"name": "郑国栋", "identity": identity_number(903), "unit": "本校", "post": "高级技师", "education": "大学本科", "field": "电工"}],
}


@dataclass
class FilingWorld:
    session: Session
    people: People
    school: Institution
    standard: Standard
    liu: Viewer  # exam officer of the school
    tan: Viewer  # city officer
    yao: Viewer  # province officer
    now: datetime = MONDAY
    standards: list[Standard] = field(default_factory=list)

    @classmethod
    def make(cls, session: Session, people: People) -> FilingWorld:
        standard = add_standard(session, "电工", "6-31-01-03")
        liu = people("刘建平", Role.EXAM_OFFICER)
        people.home.credit_code = CREDIT_CODE
        tan = people("谭晓峰", scopes=[Scope(Role.CITY_OFFICER, region="4301")], school=people.school("长沙市鉴定中心"))
        yao = people("姚静", scopes=[Scope(Role.PROVINCE_OFFICER, region="43")], school=people.school("省鉴定中心"))
        return cls(session, people, people.home, standard, liu, tan, yao)

    def begin(self, kind: ApplicationKind = ApplicationKind.FIRST) -> Application:
        return application.begin(self.session, self.school, kind, self.liu, now=self.now)

    def fill(self, one: Application, *levels: int) -> Application:
        """Everything that the annexes ask for."""
        session, liu = self.session, self.liu
        application.write_unit(session, one, UNIT | {"credit_code": CREDIT_CODE}, liu, wish="愿意继续开展" if one.kind is ApplicationKind.RENEWAL else "")
        application.write_plan(session, one, PLAN, liu)
        if one.kind in {ApplicationKind.FIRST, ApplicationKind.ADDITION}:
            application.set_occupations(session, one, [OccupationDraft(self.standard, level, "电气自动化", True) for level in levels or (4,)], liu)
        for part in annexes.PARTS:
            if not one.rows_of(part.key):
                rows.write_rows(session, one, part, ROWS[part.key], liu, cipher=CIPHER)
        for paper in annexes.MATERIALS:
            if paper.required:
                materials.add(session, one, paper.key, from_bytes(PDF, f"{paper.key}.pdf"), liu, now=self.now)
        return one

    def submitted(self, *levels: int, kind: ApplicationKind = ApplicationKind.FIRST) -> Application:
        one = self.fill(self.begin(kind), *levels)
        application.submit(self.session, one, self.liu, pledged=True, now=self.now)
        return one

    def assess(self, one: Application) -> SiteAssessment:
        return review.assess(self.session, one, self.tan, visited_on=self.now.date(), members="谭晓峰、李工", opinion="条件具备", upload=None,
                             oks={key: True for key, _, _ in annexes.CHECKS}, notes={}, now=self.now)

    def passed_on(self, *levels: int, kind: ApplicationKind = ApplicationKind.FIRST) -> Application:
        one = self.submitted(*levels, kind=kind)
        self.assess(one)
        review.pass_on(self.session, one, self.tan, {row.id: True for row in one.occupations}, {}, "同意备案", now=self.now)
        return one

    def decide(self, one: Application, valid_from: date | None = None) -> None:
        review.decide(self.session, one, self.yao, {row.id: True for row in one.occupations}, {}, "复核通过", now=self.now,
                      consents={row.id for row in one.occupations}, valid_from=valid_from or self.now.date())

    def filed(self, *levels: int) -> list[FiledScope]:
        """Scopes published on an application."""
        one = self.passed_on(*levels)
        self.decide(one)
        return [row.scope for row in one.occupations if row.scope]

    def evaluated(self, verdict: Verdict = Verdict.QUALIFIED, starts_on: date = JUNE) -> Evaluation:
        """The city's report on the time until today, reported."""
        made = evaluations.write(self.session, self.school, self.tan, starts_on=starts_on, ends_on=self.now.date(), verdict=verdict, now=self.now,
                                 sections={entry.key: "正文" for entry in annexes.REPORT})
        evaluations.report(self.session, made, self.tan, now=self.now)
        return made


def add_standard(session: Session, name: str, code: str, *, basis: Basis = Basis.NATIONAL_STANDARD, access: bool = False,
                 edition: str = "2018") -> Standard:
    occupation = Occupation(code=code, catalogue_edition="2015", name=name, is_access_type=access)
    made = Standard(occupation=occupation, edition=edition, title=name, basis=basis)
    session.add_all([occupation, made])
    session.flush()
    return made

"""A city with schools, supervisors and approved plans, for tests of supervision."""

from __future__ import annotations

import io
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from PIL import Image
from sqlalchemy.orm import Session
from werkzeug.datastructures import FileStorage

from examroom.filing.scopes import publish_scope
from examroom.oversight import draws, findings, inspections, lists
from examroom.oversight.draw_models import InspectionDraw
from examroom.oversight.draws import Wish
from examroom.oversight.inspection_models import Finding, Inspection
from examroom.oversight.kinds import InspectionKind, Severity, TargetKind, Verdict
from examroom.oversight.lists import PointDraft
from examroom.oversight.pools import Place
from examroom.plans.models import ExamPlan, PlanState
from qbank.kernel.access import Role, Scope, Viewer
from qbank.kernel.accounts import Institution
from qbank.kernel.attachments import from_bytes
from qbank.standards.models import Occupation, Standard
from tests.conftest import MONDAY, People

POINTS = (PointDraft("考前", "试卷启封由两人办理", "五（三）", Severity.GRAVE), PointDraft("考中", "监考员认真履职", "四（二）", Severity.MAJOR),
          PointDraft("考后", "影像资料完整保存", "五（二）"))


def photo(colour: str = "red", size: tuple[int, int] = (60, 40)) -> FileStorage:
    """A picture as a phone takes it."""
    stream = io.BytesIO()
    Image.new("RGB", size, colour).save(stream, "JPEG")
    return from_bytes(stream.getvalue(), f"现场{colour}.jpg")


@dataclass
class City:
    """Changsha with three schools; supervisors 罗, 秦, 贺 and 柳 of other units."""

    session: Session
    people: People
    tan: Viewer = field(init=False)  # city officer
    deng: Viewer = field(init=False)  # another one
    yao: Viewer = field(init=False)  # province officer
    zhou: Viewer = field(init=False)  # exam officer of the first school
    schools: list[Institution] = field(init=False)
    standard: Standard = field(init=False)
    supervisors: dict[str, Viewer] = field(init=False)

    def __post_init__(self) -> None:
        people, session = self.people, self.session
        centre, province = people.school("长沙市鉴定中心"), people.school("省鉴定中心", region="430000")
        self.tan = people("谭晓峰", scopes=[Scope(Role.CITY_OFFICER, region="4301")], school=centre)
        self.deng = people("邓丽", scopes=[Scope(Role.CITY_OFFICER, region="4301")], school=centre)
        self.yao = people("姚静", scopes=[Scope(Role.PROVINCE_OFFICER, region="43")], school=province)
        self.schools = [people.home, people.school("麓山技工学校"), people.school("浏阳河技工学校")]
        self.zhou = people("周敏", Role.EXAM_OFFICER)
        occupation = Occupation(code="6-31-01-03", catalogue_edition="2015", name="电工")
        self.standard = Standard(occupation=occupation, edition="2018", title="电工国家职业技能标准")
        session.add_all([occupation, self.standard])
        session.flush()
        for school in self.schools:
            publish_scope(session, school, self.standard, 4, self.yao, valid_from=date(2026, 1, 1))
        self.supervisors = {name: people(name, scopes=[Scope(Role.QUALITY_SUPERVISOR, region="4301")], school=people.school(f"{name}的单位"))
                            for name in ("罗正明", "秦岚", "贺兵", "柳青")}

    @property
    def luo(self) -> Viewer:
        return self.supervisors["罗正明"]

    @property
    def qin(self) -> Viewer:
        return self.supervisors["秦岚"]

    def list(self, kind: InspectionKind = InspectionKind.SPOT, region: str = "4301") -> None:
        lists.make(self.session, region, kind, f"{kind.chinese}检查表", POINTS, self.tan, now=MONDAY)

    def plan(self, school: Institution | None = None, starts_on: date = date(2026, 6, 3), number: str = "JH-1") -> ExamPlan:
        made = ExamPlan(institution=school or self.schools[0], standard=self.standard, level=4, number=number, title=f"电工认定 {number}",
                        state=PlanState.APPROVED, starts_on=starts_on, created_by=self.zhou.account_id)
        self.session.add(made)
        self.session.flush()
        return made

    def wish(self, **other: Any) -> Wish:
        values: dict[str, Any] = {"region": "4301", "title": "二季度抽查", "kind": InspectionKind.SPOT, "target_kind": TargetKind.SCHOOL,
                                  "first_day": date(2026, 6, 1), "last_day": date(2026, 6, 30), "targets": 2, "inspectors": 2}
        return Wish(**(values | other))

    def draw(self, wish: Wish | None = None, *, seed: str | None = None, now: datetime = MONDAY) -> InspectionDraw:
        """Look at the pool, then draw from it."""
        asked = wish or self.wish()
        pool, _, _ = draws.prepare(self.session, asked, self.tan, now=now)
        return draws.hold(self.session, asked, pool.fingerprint, self.tan, witness="公证处 王敏", seed=seed, now=now)

    def sent(self, kind: InspectionKind = InspectionKind.SPOT, plan: ExamPlan | None = None) -> Inspection:
        """罗 (leading) and 秦 are sent to the first school."""
        if lists.in_force(self.session, "430100", kind) is None:
            self.list(kind)
        return inspections.send(self.session, Place(self.schools[0], plan), kind, [self.luo.account_id, self.qin.account_id], self.tan,
                                due_on=date(2026, 6, 30), now=MONDAY)

    def answered(self, inspection: Inspection, *verdicts: Verdict, now: datetime = MONDAY) -> Inspection:
        """Begun by 罗, all points answered: those not named fit."""
        inspections.begin(self.session, inspection, self.luo, now=now)
        given = {point.id: (verdicts[place] if place < len(verdicts) else Verdict.FITS, "") for place, point in enumerate(inspection.template.points)}
        inspections.answer(self.session, inspection, given, self.luo, now=now)
        return inspection

    def found(self, inspection: Inspection, severity: Severity = Severity.MAJOR, place: int = 1, now: datetime = MONDAY) -> Finding:
        return findings.record(self.session, inspection, self.qin, severity=severity, text="监考员在考场内看手机 10 分钟", files=[photo()],
                               point_id=inspection.template.points[place].id, demand="加强培训", now=now)

    def handed_over(self, severity: Severity = Severity.MAJOR, now: datetime = MONDAY) -> Finding:
        """A finding of an inspection that was handed over."""
        inspection = self.answered(self.sent(), Verdict.FITS, Verdict.FAILS, now=now)
        finding = self.found(inspection, severity, now=now)
        inspections.submit(self.session, inspection, "总体规范，监考履职需要改进。", self.luo, now=now)
        return finding

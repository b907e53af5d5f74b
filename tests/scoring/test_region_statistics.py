"""Statistics of a region: counted by hand, bounded by the viewer's region, as page, picture, PDF and workbook."""

from __future__ import annotations

import io
from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any

import openpyxl
import pytest
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from examroom.oversight import findings, inspections, lists
from examroom.oversight.kinds import InspectionKind, Severity, Verdict
from examroom.oversight.pools import Place
from qbank.kernel.access import Role, Scope, Viewer
from qbank.kernel.accounts import InstitutionKind
from scoring.reports import region
from scoring.reports.region import Wish
from scoring.results import desk, misconduct
from tests.oversight_world import POINTS, photo
from tests.scoring.outcome_world import NOW, World

Enter = Callable[[Viewer], FlaskClient]
TODAY = date(2026, 6, 1)


class Centre:
    """The outcome world with its city's and province's centre, a second school, and a school of another city."""

    def __init__(self, session: Session, people: Any) -> None:
        self.world = World(session, people)
        changsha = people.school("长沙市鉴定中心", kind=InstitutionKind.CITY_CENTRE)
        changde = people.school("常德市鉴定中心", kind=InstitutionKind.CITY_CENTRE, region="430700")
        self.city = people("谭晓峰", scopes=[Scope(Role.CITY_OFFICER, region="4301")], school=changsha)
        self.far = people("何常德", scopes=[Scope(Role.CITY_OFFICER, region="4307")], school=changde)
        above = people.school("省鉴定中心", kind=InstitutionKind.PROVINCE_CENTRE)
        self.province = people("姚静", scopes=[Scope(Role.PROVINCE_OFFICER, region="43")], school=above)
        self.quiet = people.school("麓山技工学校")
        self.other = people.school("常德技师学院", region="430700")
        self.luo, self.qin = (people(name, scopes=[Scope(Role.QUALITY_SUPERVISOR, region="43")], school=changsha) for name in ("罗正明", "秦岚"))


@pytest.fixture
def centre(session: Session, people: Any) -> Centre:
    return Centre(session, people)


def inspect(centre: Centre) -> None:
    """One spot check of the first school with a grave and a minor finding; another is still waiting."""
    session, school = centre.world.session, centre.world.school
    lists.make(session, "4301", InspectionKind.SPOT, "抽查表", POINTS, centre.city, now=NOW)
    members = [centre.luo.account_id, centre.qin.account_id]
    done, _ = (inspections.send(session, Place(school), InspectionKind.SPOT, members, centre.city, due_on=TODAY, now=NOW) for _ in range(2))
    inspections.begin(session, done, centre.luo, now=NOW)
    points = done.template.points
    given = {points[0].id: (Verdict.FAILS, ""), points[1].id: (Verdict.FITS, ""), points[2].id: (Verdict.FAILS, "")}
    inspections.answer(session, done, given, centre.luo, now=NOW)
    for point, severity in ((points[0], Severity.GRAVE), (points[2], Severity.MINOR)):
        findings.record(session, done, centre.luo, severity=severity, text="试卷启封只有一人在场", files=[photo()], point_id=point.id, now=NOW)
    inspections.submit(session, done, "启封不规范，录像缺失。", centre.luo, now=NOW)


def test_a_line_counts_what_happened_in_the_year(centre: Centre) -> None:
    """4 enrolled, 3 of them passed (59.5 fails): 75 %, Wilson (0.75 + 0.4802 ± 0.6408) / 1.9604 = 0.3006 to 0.9544."""
    world = centre.world
    made = world.scored({"陈晓": (150, 140), "吴静": (140, 140), "何平": (119, 140), "刘洋": (160, 160)})
    world.post(desk.merge_plan(world.session, world.plan, world.officer, now=NOW))
    inspect(centre)
    assert len(made) == 4
    by_name = {one.name: one for one in region.lines(world.session, Wish(2026), centre.city, today=date(2026, 6, 10))}
    home, quiet = by_name[world.school.name], by_name["麓山技工学校"]
    assert (home.scopes, home.plans, home.approved, home.candidates, home.judged, home.passed) == (1, 1, 1, 4, 4, 3)
    assert (round(home.rate.share or 0, 4), round(home.rate.low or 0, 4), round(home.rate.high or 0, 4)) == (0.75, 0.3006, 0.9544)
    assert home.inspections == {InspectionKind.SPOT: 1}
    assert home.findings == {Severity.GRAVE: 1, Severity.MINOR: 1}
    assert (home.waiting, home.live, home.overdue, home.inspected) == (1, 2, 1, 1)  # grave until 4 June, minor until 15 June
    assert home.last_inspected == TODAY
    assert (quiet.plans, quiet.inspected, quiet.rate.share) == (0, 0, None)
    assert [one.plans for one in region.lines(world.session, Wish(2025), centre.city, today=TODAY)] == [0, 0]
    whole = region.total([home, quiet], "全体")
    assert (whole.schools, whole.inspected, whole.candidates, whole.all_findings) == (2, 1, 4, 2)


def test_an_approved_case_of_misconduct_counts(centre: Centre) -> None:
    world = centre.world
    chen, wu = world.scored({"陈晓": (150, 140), "吴静": (140, 140)})
    for one, approves in ((chen, True), (wu, False)):
        case = misconduct.propose(world.session, one, "严重违纪", None, world.officer, happened_on=TODAY, evidence="监考员发现其查看夹带的纸条", now=NOW)
        misconduct.decide(world.session, world.heard(case), approves, "证据充分与否", world.checker, now=NOW)
    assert sum(one.misconduct for one in region.lines(world.session, Wish(2026), centre.city, today=TODAY)) == 1


def test_a_city_sees_its_own_schools_and_the_province_all_cities(centre: Centre) -> None:
    session = centre.world.session
    names = {who.name: [one.name for one in region.lines(session, Wish(2026), who, today=TODAY)] for who in (centre.city, centre.far, centre.province)}
    assert names[centre.far.name] == ["常德技师学院"]
    assert set(names[centre.city.name]) == {centre.world.school.name, "麓山技工学校"}
    assert len(names[centre.province.name]) == 3
    lines = region.lines(session, Wish(2026), centre.province, today=TODAY)
    assert [(one.name, one.schools) for one in region.by_city(session, lines)] == [("长沙市鉴定中心", 2), ("常德市鉴定中心", 1)]
    assert len(region.lines(session, Wish(2026, "4307"), centre.province, today=TODAY)) == 1
    assert region.lines(session, Wish(2026, "4307"), centre.city, today=TODAY) == []


def test_page_pictures_pdf_and_workbook(centre: Centre, enter: Enter) -> None:
    world = centre.world
    world.scored({"陈晓": (150, 140), "吴静": (119, 140)})
    world.post(desk.merge_plan(world.session, world.plan, world.officer, now=NOW))
    inspect(centre)
    world.session.commit()
    city, province = enter(centre.city), enter(centre.province)
    page = city.get("/reports/region").get_data(as_text=True)
    assert "50.0%" in page
    assert "2 所评价机构中 1 所（50%）受过检查" in page
    assert "常德技师学院" not in page
    assert "常德市鉴定中心" in province.get("/reports/region?year=x&region=43%25").get_data(as_text=True)
    for show in ("rates", "cities", "findings"):
        assert city.get(f"/reports/region.svg?show={show}").data.startswith(b"<?xml")
    assert city.get("/reports/region.svg?show=?").status_code == 404
    assert city.get("/reports/region/file?form=doc").status_code == 404
    with province.get("/reports/region/file?form=pdf") as answer:
        assert answer.data.startswith(b"%PDF")
    with city.get("/reports/region/file?form=xlsx") as answer:
        book = openpyxl.load_workbook(io.BytesIO(answer.data))
    cells = {str(cell.value) for sheet in book.worksheets for row in sheet.iter_rows() for cell in row if cell.value is not None}
    assert {world.school.name, "全体", "0.5"} <= cells
    assert enter(world.officer).get("/reports/region").status_code == 403


def test_an_empty_region_says_so(session: Session, people: Any, enter: Enter) -> None:
    nobody = people("空", scopes=[Scope(Role.CITY_OFFICER, region="4399")], school=people.school("空中心", kind=InstitutionKind.CITY_CENTRE, region="439900"))
    session.commit()
    assert "还没有评价机构" in enter(nobody).get("/reports/region").get_data(as_text=True)
    assert enter(nobody).get("/reports/region.svg?show=findings").status_code == 200
    assert Wish.read({"year": "99999999999", "region": "abc"}, datetime(2026, 6, 1, tzinfo=UTC).date()) == Wish(2026)

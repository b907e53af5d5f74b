"""Reports of results: the numbers against hand arithmetic, the files as they are read back, who may have what."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from datetime import timedelta
from io import BytesIO
from typing import Any, TypeAlias
from zipfile import ZipFile

import openpyxl
import pypdf
import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient

from examroom.marking.models import SittingReport
from qbank.kernel.access import Role, Viewer
from qbank.kernel.identity import masked_name
from qbank.kernel.jobs import Job, JobState
from qbank.kernel.refused import Refused
from scoring.reports import making
from scoring.reports.catalogue import CATALOGUE
from scoring.reports.findings import findings
from scoring.reports.models import ReportFile
from scoring.reports.rates import Line, of_part, outlying, overall, rate
from scoring.reports.scores import bands, label, spread
from scoring.results import desk
from scoring.results.merge import PRACTICAL, THEORY, Verdict
from scoring.results.models import ResultList
from tests.scoring.outcome_world import NOW, World

Enter: TypeAlias = Callable[[Viewer], FlaskClient]
LEAST = {THEORY: 120, PRACTICAL: 120}


@pytest.fixture
def world(session: Any, people: Any) -> World:
    return World(session, people)


def merged(world: World, marks: dict[str, tuple[int, tuple[int, int, int]]], class_of: Callable[[int], str] = lambda place: "电气2301") -> ResultList:
    """Everybody has sat the theory and is marked by three assessors: name → theory, three totals, in half-points."""
    enrolled = world.enrol(*marks)
    for place, one in enumerate(enrolled):
        one.class_name = class_of(place)
    world.theory({one.id: theory for one, (theory, _) in zip(enrolled, marks.values(), strict=True)})
    judges = world.assessors("考评甲", "考评乙", "考评丙")
    group = world.group(enrolled, judges)
    for one, (_, totals) in zip(enrolled, marks.values(), strict=True):
        for judge, total in zip(judges, totals, strict=True):
            world.mark(group, judge, one, total)
    found = desk.merge_plan(world.session, world.plan, world.officer, now=NOW)
    world.session.commit()
    return found


FOUR = {"陈晓": (150, (140, 144, 142)), "=1+1": (119, (160, 160, 160)), "吴静": (170, (100, 110, 102)), "李强": (130, (150, 152, 148))}


def line(name: str, theory: int | None, practical: int | None, verdict: Verdict, class_name: str = "甲") -> Line:
    return Line(name, name, "", "", class_name, {THEORY: theory, PRACTICAL: practical}, verdict)


def book_of(answer: Any) -> Any:
    assert answer.status_code == 200, answer.get_data(as_text=True)
    return openpyxl.load_workbook(BytesIO(answer.data))


def text_of(content: bytes) -> str:
    return re.sub(r"\s+", "", "".join(page.extract_text() for page in pypdf.PdfReader(BytesIO(content)).pages))


# Numbers

@pytest.mark.parametrize(("passed", "n", "low", "high"), [
    (81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)])
def test_a_rate_has_the_interval_that_newcombe_printed(passed: int, n: int, low: float, high: float) -> None:
    """Newcombe (1998), Statistics in Medicine 17, 857-872, table I, method 3 (Wilson's score interval)."""
    found = rate("", passed, n)
    assert found.low == pytest.approx(low, abs=6e-5)
    assert found.high == pytest.approx(high, abs=6e-5)


def test_a_rate_by_hand() -> None:
    # 8 of 10, z = 1.959964: centre (8 + 1.920729) / 13.841459 = 0.716739; half 1.959964 * sqrt(1.6 + 0.960365) / 13.841459 = 0.226577
    found = rate("", 8, 10)
    assert found.low == pytest.approx((8 + 1.9207294) / 13.8414588 - 1.9599640 * math.sqrt(8 * 2 / 10 + 0.9603647) / 13.8414588)
    assert (round(found.low or 0, 4), round(found.high or 0, 4)) == (0.4902, 0.9433)
    nobody = rate("", 0, 0)
    assert (nobody.share, nobody.low, nobody.high) == (None, None, None)


def test_the_absent_count_against_the_whole_but_not_against_a_part() -> None:
    lines = [line("陈晓", 150, 140, Verdict.PASSED), line("吴静", 119, 140, Verdict.FAILED), line("李强", None, 150, Verdict.ABSENT)]
    assert (overall(lines).passed, overall(lines).n) == (1, 3)
    theory, practical = (of_part(lines, part, 120) for part in (THEORY, PRACTICAL))
    assert (theory.passed, theory.n, practical.passed, practical.n) == (1, 2, 3, 3)


def test_a_part_that_a_star_row_failed_is_not_passed_whatever_its_points() -> None:
    vetoed = Line("陈晓", "陈晓", "", "", "甲", {THEORY: 150, PRACTICAL: 190}, Verdict.FAILED, vetoed=frozenset({PRACTICAL}))
    assert of_part([vetoed], PRACTICAL, 120).passed == 0


def test_bands_part_at_the_pass_line_and_take_the_full_marks_in() -> None:
    counted = bands([119, 120, 129, 130, 200, 0])
    assert (counted[11], counted[12], counted[13], counted[19], counted[0], sum(counted)) == (1, 2, 1, 1, 1, 6)
    assert (label(11), label(12), label(19)) == ("55–59.5", "60–64.5", "95–100")


def test_the_spread_by_hand() -> None:
    # 50, 60, 70, 80 points: mean 65, variance (225 + 25 + 25 + 225) / 3 = 166.67; quartiles by linear interpolation 57.5, 65, 72.5
    found = spread([100, 120, 140, 160], 120)
    assert (found.mean, found.quartiles, found.below, found.near) == (65, (57.5, 65, 72.5), 1, 0)
    assert found.sd == pytest.approx(math.sqrt(500 / 3))
    assert spread([110, 119, 120], 120).near == 2  # 55 is five points short, 59.5 half a point
    assert spread([], 120).mean is None


def test_a_class_is_named_only_beyond_what_chance_explains() -> None:
    whole = rate("全体", 70, 100)
    lower, higher = outlying([rate("甲", 18, 40), rate("乙", 28, 30), rate("丙", 2, 4)], whole)
    assert ([one.name for one in lower], [one.name for one in higher]) == (["甲"], ["乙"])  # 丙: 2 of 4 says nothing
    assert outlying([rate("甲", 0, 0)], rate("全体", 0, 0)) == ([], [])


def test_findings_say_which_part_is_the_hurdle_and_who_is_near() -> None:
    lines = [*(line(f"过{n}", 150, 150, Verdict.PASSED) for n in range(6)), line("近一", 115, 150, Verdict.FAILED),
             line("近二", 118, 119, Verdict.FAILED), line("远", 60, 150, Verdict.FAILED), line("缺", None, 150, Verdict.ABSENT)]
    found = findings(lines, (THEORY, PRACTICAL), LEAST, rate("JH-2025-001", 90, 100))
    titles = [one.title for one in found]
    assert titles[:3] == ["10 名考生中 6 人合格，合格率 60.0%", "影响合格最多的是理论知识", "2 人离合格线不到 5 分"]
    assert "2 人只差理论知识，1 人不止差一项" in found[1].text
    assert "1 人缺考" in found[0].text
    assert titles[3] == "与上一批（JH-2025-001）相比降低 30.0 个百分点"
    assert "超出了偶然波动" in found[3].text  # Newcombe's interval -56.6 to -5.6
    assert findings([], (THEORY, PRACTICAL), LEAST) == []


def test_names_are_masked_but_for_their_ends() -> None:
    assert [masked_name(name) for name in ("张晓明", "李芳", "欧阳娜娜", " 王 ", "")] == ["张*明", "李*", "欧**娜", "王*", ""]


# Files

def test_the_summary_is_read_back_from_excel_with_its_head_on_every_page(world: World, enter: Enter) -> None:
    merged(world, FOUR)
    book = book_of(enter(world.officer).post(f"/reports/plans/{world.plan.id}/make", data={"kind": "summary", "form": "xlsx"}))
    sheet = book["名册"]
    head = next(row[0].row for row in sheet.iter_rows() if row[0].value == "序号")
    rows = [[cell.value for cell in row] for row in sheet.iter_rows(min_row=head)]
    assert rows[0] == ["序号", "准考证号", "姓名", "证件号码", "学号", "班级", THEORY, PRACTICAL, "认定结果", "说明"]
    by_name = {row[2]: row[6:] for row in rows[1:]}
    assert by_name["陈晓"] == [75, 71, "合格", ""]
    assert by_name["=1+1"][:3] == [59.5, 80, "不合格"]
    assert "理论知识 59.5 分，未达到 60 分" in by_name["=1+1"][3]
    assert sheet.cell(head + 2, 3).data_type == "s"  # text, never a formula
    assert (sheet.freeze_panes, sheet.print_title_rows) == (f"D{head + 1}", f"${head}:${head}")
    assert sheet.print_area == f"'名册'!$A$1:$J${head + 4}"
    assert (sheet.page_setup.paperSize, sheet.page_setup.orientation, sheet.page_setup.fitToHeight) == (9, "landscape", 0)
    assert sheet.sheet_properties.pageSetUpPr.fitToPage
    assert "制表人" in sheet.oddFooter.left.text
    assert sheet.cell(head + 1, 7).number_format == "0.0"
    counts = {row[0].value: row[1].value for row in book["汇总"].iter_rows() if isinstance(row[1].value, int)}
    assert counts == {"合格": 2, "不合格": 2}


def test_the_summary_as_pdf_names_everybody_and_has_lines_for_signatures(world: World, enter: Enter) -> None:
    merged(world, FOUR)
    answer = enter(world.officer).post(f"/reports/plans/{world.plan.id}/make", data={"kind": "summary", "form": "pdf"})
    text = text_of(answer.data)
    assert all(word in text for word in ("职业技能等级认定成绩汇总表", "陈晓", "59.5", "制表人", "430102********1234", "第1页/共"))
    page = pypdf.PdfReader(BytesIO(answer.data)).pages[0].mediabox
    assert (round(page.width), round(page.height)) == (842, 595)  # A4, lying


def test_pass_rates_in_excel_have_bars_with_their_intervals(world: World, enter: Enter) -> None:
    merged(world, FOUR, lambda place: f"电气230{place % 2 + 1}")
    book = book_of(enter(world.officer).post(f"/reports/plans/{world.plan.id}/make", data={"kind": "rates", "form": "xlsx"}))
    rows = {row[0].value: [cell.value for cell in row[1:6]] for row in book["各班级"].iter_rows() if row[1].value in (2,)}
    assert {name: found[:3] for name, found in rows.items()} == {"电气2301": [2, 1, 0.5], "电气2302": [2, 1, 0.5]}
    # 1 of 2: centre 0.5, half 1.959964 * sqrt(0.5 + 0.960365) / 5.841459 = 0.405473
    assert rows["电气2301"][3:] == [pytest.approx(0.0945, abs=1e-4), pytest.approx(0.9055, abs=1e-4)]
    chart, = book["各班级"]._charts
    assert type(chart).__name__ == "BarChart"
    assert chart.series[0].errBars is not None
    below = book["各班级"]
    assert chart.anchor._from.row + 1 > max(row[0].row for row in below.iter_rows() if row[0].value)  # under the table
    last = int(below.print_area.rpartition("$")[2])
    assert chart.anchor.to.row < last  # and printed with it
    assert below.page_setup.orientation == "portrait"


def test_distributions_in_excel_colour_the_bands_below_the_pass_line(world: World, enter: Enter) -> None:
    merged(world, FOUR)
    book = book_of(enter(world.officer).post(f"/reports/plans/{world.plan.id}/make", data={"kind": "scores", "form": "xlsx"}))
    sheet = book[f"{THEORY}分布"]
    rows = {row[0].value: (row[1].value, row[2].value) for row in sheet.iter_rows() if isinstance(row[1].value, int)}
    assert (rows["55–59.5"], rows["60–64.5"], rows["65–69.5"], rows["75–79.5"]) == ((1, 0), (0, 0), (0, 1), (0, 1))
    chart, = sheet._charts
    assert (chart.grouping, len(chart.series)) == ("stacked", 2)
    assert sheet.freeze_panes.startswith("A")


def test_every_report_is_made_in_every_format(world: World, enter: Enter) -> None:
    """But for items, which need more candidates than four."""
    merged(world, FOUR)
    desk_of = enter(world.officer)
    for kind in CATALOGUE.values():
        if kind.posted or kind.key == "items":
            continue
        for form in kind.makers:
            answer = desk_of.post(f"/reports/plans/{world.plan.id}/make", data={"kind": kind.key, "form": form})
            assert answer.status_code == 200, (kind.key, form)
            assert answer.data[:4] == (b"%PDF" if form == "pdf" else b"PK\x03\x04")
    assert "人数" in desk_of.post(f"/reports/plans/{world.plan.id}/make", data={"kind": "items", "form": "pdf"}).get_data(as_text=True)


def test_the_form_is_printed_empty_and_as_each_assessor_filled_it_in(world: World, enter: Enter) -> None:
    merged(world, FOUR)
    officer = enter(world.officer)
    empty = text_of(officer.post(f"/reports/plans/{world.plan.id}/make", data={"kind": "blank", "form": "pdf"}).data)
    assert "操作技能考核评分记录表" in empty
    assert "继电控制电路装调维修" in empty
    assert "陈晓" not in empty
    filled = officer.post(f"/reports/plans/{world.plan.id}/make", data={"kind": "filled", "form": "pdf"}).data
    assert len(pypdf.PdfReader(BytesIO(filled)).pages) == 12  # four candidates, three assessors
    assert all(word in text_of(filled) for word in ("陈晓", "考评乙", "72.0", "合计"))
    book = book_of(officer.post(f"/reports/plans/{world.plan.id}/make", data={"kind": "filled", "form": "xlsx"}))
    sheet = book.active
    totals = [(row[1].value, row[2].value, row[-2].value) for row in sheet.iter_rows() if row[2].value in {"考评甲", "考评乙", "考评丙"}]
    assert ("陈晓", "考评乙", 72) in totals
    assert len(totals) == 12
    assert sheet.freeze_panes.startswith("D")


def test_the_assessor_report_prints_what_the_raters_say(world: World, enter: Enter) -> None:
    merged(world, FOUR)
    book = book_of(enter(world.officer).post(f"/reports/plans/{world.plan.id}/make", data={"kind": "assessors", "form": "xlsx"}))
    found = {row[0].value: row[4].value for row in book["考评员宽严"].iter_rows() if row[2].value == 4}
    # means of the assessors over the four: 68.75, 70.75, 69.0 points; mean of all 69.5
    assert found == {"考评甲": pytest.approx(-0.75), "考评乙": pytest.approx(1.25), "考评丙": pytest.approx(-0.5)}
    assert [row[3].value for row in book["两两比较"].iter_rows() if row[1].value == "考评甲"] == [4, 4]


@pytest.mark.parametrize("candidates", [3, 90])
def test_the_analysis_for_the_head_teacher_has_two_pages(world: World, enter: Enter, candidates: int) -> None:
    enrolled = world.enrol(*(f"考生{n}" for n in range(candidates)))
    for place, one in enumerate(enrolled):
        one.class_name = f"名称很长很长的电气自动化设备安装与维修班 {place % 14:02d}"
    world.theory({one.id: 100 + place * 7 % 90 for place, one in enumerate(enrolled)})
    desk.merge_plan(world.session, world.plan, world.officer, now=NOW)
    world.session.commit()
    content = enter(world.officer).post(f"/reports/plans/{world.plan.id}/make", data={"kind": "head", "form": "pdf"}).data
    assert len(pypdf.PdfReader(BytesIO(content)).pages) == 2
    assert f"{candidates}名考生中0人合格" in text_of(content)


# Who may have what

def test_a_list_for_the_wall_is_printed_only_after_posting_and_masked(world: World, enter: Enter) -> None:
    found = merged(world, FOUR)
    officer = enter(world.officer)
    early = officer.post(f"/reports/plans/{world.plan.id}/make", data={"kind": "notice", "form": "pdf"})
    assert (early.status_code, "还没有公示" in early.get_data(as_text=True)) == (409, True)
    found.state, found.noticed_at, found.notice_ends_at = "noticed", NOW, NOW + timedelta(days=8)  # type: ignore[assignment]  # as stored
    world.session.commit()
    text = text_of(officer.post(f"/reports/plans/{world.plan.id}/make", data={"kind": "notice", "form": "pdf"}).data)
    assert "陈*" in text
    assert "陈晓" not in text
    assert "吴" not in text  # failed
    assert all(word in text for word in ("430102********1234", "0731-88880000", "2026年6月9日"))
    book = book_of(officer.post(f"/reports/plans/{world.plan.id}/make", data={"kind": "notice", "form": "xlsx"}))
    assert [row[1].value for row in book["公示名单"].iter_rows() if isinstance(row[0].value, int)] == ["陈*", "李*"]


def test_strangers_and_candidates_find_no_reports(world: World, enter: Enter) -> None:
    found = merged(world, FOUR)
    made = making.keep(world.session, world.plan.id, "summary", "x.xlsx", b"PK", world.officer, now=NOW)
    stranger = world.people("外校考务员", Role.EXAM_OFFICER, school=world.people.school("衡阳技工学校", region="430400"))
    colleague = world.people("同事", Role.EXAM_OFFICER)
    candidate = world.as_candidate(world.plan.enrolments[0])
    plan = f"/reports/plans/{world.plan.id}"
    addresses = [plan, f"{plan}/plots", f"{plan}/plot.svg?show=parts", f"/reports/lists/{found.id}/roster?form=xlsx", f"/reports/files/{made.id}"]
    world.session.commit()
    outside = enter(stranger)
    assert {outside.get(url).status_code for url in addresses} == {404}
    assert {outside.post(f"{plan}/make", data={"kind": kind, "form": "pdf"}).status_code for kind in CATALOGUE} == {404}
    assert "电工" not in outside.get("/reports/").get_data(as_text=True)
    assert enter(colleague).get(f"/reports/files/{made.id}").status_code == 404  # another's file
    inside = enter(candidate)
    assert {inside.get(url).status_code for url in [*addresses, "/reports/"]} == {403}


def test_offices_above_have_lists_but_not_the_forms_of_the_assessors(world: World, enter: Enter) -> None:
    merged(world, FOUR)
    city = world.office(Role.CITY_OFFICER, "市中心", "4301")
    world.session.commit()
    office = enter(city)
    plan = f"/reports/plans/{world.plan.id}"
    page = office.get(plan).get_data(as_text=True)
    assert 'name="kind" value="summary"' in page
    assert 'name="kind" value="filled"' not in page
    assert office.post(f"{plan}/make", data={"kind": "summary", "form": "xlsx"}).status_code == 200
    for kind in ("blank", "filled", "items", "assessors"):
        refused = office.post(f"{plan}/make", data={"kind": kind, "form": "pdf"})
        assert (refused.status_code, "只提供给考务员" in refused.get_data(as_text=True)) == (409, True), kind
    assert "show=assessors" not in office.get(f"{plan}/plots").get_data(as_text=True)


def test_nobody_prints_marks_before_every_assessor_has_signed(world: World, enter: Enter) -> None:
    chen, = world.enrol("陈晓")
    judges = world.assessors("考评甲", "考评乙", "考评丙")
    group = world.group([chen], judges)
    for judge in judges[:2]:
        world.mark(group, judge, chen, 150)
    world.session.commit()
    early = enter(world.officer).post(f"/reports/plans/{world.plan.id}/make", data={"kind": "filled", "form": "pdf"})
    assert (early.status_code, "还没有全部签字" in early.get_data(as_text=True)) == (409, True)


def test_before_the_merge_there_is_nothing_but_the_empty_form(world: World, enter: Enter) -> None:
    world.group(world.enrol("陈晓"), world.assessors("考评甲", "考评乙", "考评丙"))
    world.session.commit()
    officer = enter(world.officer)
    plan = f"/reports/plans/{world.plan.id}"
    assert "合成以后" in officer.get(plan).get_data(as_text=True)
    for kind in ("summary", "rates", "scores", "assessors", "head", "items"):
        assert officer.post(f"{plan}/make", data={"kind": kind, "form": "pdf"}).status_code == 409, kind
    assert officer.post(f"{plan}/make", data={"kind": "blank", "form": "pdf"}).status_code == 200
    assert officer.get(f"{plan}/plots").status_code == 302
    assert officer.post(f"{plan}/make", data={"kind": "nonsense", "form": "pdf"}).status_code == 409
    assert officer.post(f"{plan}/make", data={"kind": "summary", "form": "docx"}).status_code == 409


# Off the request

def test_a_long_report_is_made_off_the_request_and_kept_for_a_day(world: World, enter: Enter, monkeypatch: Any, clock: Any) -> None:
    merged(world, FOUR)
    monkeypatch.setattr("scoring.reports.catalogue.AT_ONCE", 0.0)
    officer = enter(world.officer)
    plan = f"/reports/plans/{world.plan.id}"
    sent = officer.post(f"{plan}/make", data={"kind": "summary", "form": "xlsx"})
    assert (sent.status_code, sent.location.startswith("/accounts/jobs/")) == (302, True)
    job = world.session.scalars(sa.select(Job)).one()
    assert (job.state, job.result_url, job.total) == (JobState.DONE, f"{plan}#files", 2)
    file = world.session.scalars(sa.select(ReportFile)).one()
    assert file.file_name in officer.get(plan).get_data(as_text=True)
    assert book_of(officer.get(f"/reports/files/{file.id}")).sheetnames == ["名册", "汇总"]
    making.forget(world.session, clock.forward(days=2))
    world.session.commit()
    gone = enter(world.officer).get(f"/reports/files/{file.id}")
    assert (gone.status_code, "只保留一天" in gone.get_data(as_text=True)) == (409, True)
    assert world.session.scalars(sa.select(ReportFile.kind)).all() == ["summary"]  # who took it stays on record


def test_a_report_handed_over_at_once_is_on_record_without_its_content(world: World, enter: Enter) -> None:
    merged(world, FOUR)
    enter(world.officer).post(f"/reports/plans/{world.plan.id}/make", data={"kind": "rates", "form": "pdf"})
    row = world.session.scalars(sa.select(ReportFile)).one()
    assert (row.kind, row.account_id, row.content, row.size > 1000) == ("rates", world.officer.account_id, None, True)


def test_a_big_plan_is_merged_off_the_request(world: World, enter: Enter, monkeypatch: Any) -> None:
    chen, = world.enrol("陈晓")
    world.theory({chen.id: 150})
    monkeypatch.setattr("scoring.results.work.MANY", 0)
    world.session.commit()
    sent = enter(world.officer).post(f"/results/plans/{world.plan.id}/merge")
    assert sent.location.startswith("/accounts/jobs/")
    job = world.session.scalars(sa.select(Job)).one()
    assert (job.state, job.done, job.message) == (JobState.DONE, 3, "已合成 1 名考生的成绩，其中 1 名成绩不全。")
    assert len(world.session.scalars(sa.select(ResultList)).one().results) == 1


def test_several_groups_come_as_one_archive(world: World, enter: Enter) -> None:
    first, second = world.enrol("陈晓", "吴静")
    judges, rubric = world.assessors("考评甲", "考评乙", "考评丙"), world.rubric()
    for one in (first, second):
        group = world.group([one], judges, rubric)
        for judge in judges:
            world.mark(group, judge, one, 150)
    world.session.commit()
    answer = enter(world.officer).post(f"/reports/plans/{world.plan.id}/make", data={"kind": "filled", "form": "pdf"})
    assert answer.headers["Content-Disposition"].endswith(".zip")
    assert len(ZipFile(BytesIO(answer.data)).namelist()) == 2


# Pages

def test_the_plots_stand_with_a_sentence_and_their_numbers(world: World, enter: Enter) -> None:
    merged(world, FOUR, lambda place: f"电气230{place % 2 + 1}")
    officer = enter(world.officer)
    page = officer.get(f"/reports/plans/{world.plan.id}/plots").get_data(as_text=True)
    names = re.findall(r"plot.svg\?show=([\w-]+)", page)
    assert names == ["parts", "classes", "scores-1", "scores-2", "crossed", "skills", "assessors"]
    assert "2 人没有达到合格线" not in page
    assert "1 人没有达到合格线" in page
    for name in names:
        picture = officer.get(f"/reports/plans/{world.plan.id}/plot.svg?show={name}")
        assert (picture.status_code, picture.mimetype, picture.data[:5]) == (200, "image/svg+xml", b"<?xml"), name
    assert officer.get(f"/reports/plans/{world.plan.id}/plot.svg?show=nothing").status_code == 404


def test_pass_rates_by_occupation_count_only_what_was_posted(world: World, enter: Enter) -> None:
    found = merged(world, FOUR)
    officer = enter(world.officer)
    assert "还没有已经公示的认定结果" in officer.get("/reports/").get_data(as_text=True)
    assert officer.get("/reports/rates/file?form=pdf").status_code == 409
    found.state, found.noticed_at, found.notice_ends_at = "noticed", NOW, NOW + timedelta(days=8)  # type: ignore[assignment]  # as stored
    world.session.commit()
    page = officer.get("/reports/?year=2026").get_data(as_text=True)
    assert "50.0%" in page
    assert "15.0%–85.0%" in page  # 2 of 4: 0.5 -+ 1.959964 * sqrt(1 + 0.960365) / 7.841459 = 0.349964
    assert "还没有已经公示的认定结果" in officer.get("/reports/?year=2025").get_data(as_text=True)
    assert officer.get("/reports/?year=x&school=99999999999999").status_code == 200
    assert officer.get("/reports/rates.svg").status_code == 200
    book = book_of(officer.get("/reports/rates/file?form=xlsx"))
    rows = [[cell.value for cell in row[:4]] for row in book["各职业（工种）、等级"].iter_rows() if row[1].value == 4]
    assert rows == [["电工 6-31-01-03 2018年版 四级/中级工", 4, 2, 0.5]]
    assert officer.get("/reports/rates/file?form=docx").status_code == 404


def test_items_stay_shut_while_their_paper_is_still_needed(world: World, monkeypatch: Any) -> None:
    """The report of items asks the embargo of each sitting before it shows any."""
    merged(world, FOUR)
    sitting = world.plan.sittings[0]
    world.session.add(SittingReport(sitting_id=sitting.id, made_at=NOW, n=4, found={}))
    world.session.flush()

    def shut(session: Any, asked: Any, *, now: Any) -> None:
        raise Refused("embargo", f"{asked.name} 封闭")

    monkeypatch.setattr("examroom.marking.desk.require_released", shut)
    from scoring.reports.items import pages_of

    with pytest.raises(Refused, match="第一场 封闭"):
        pages_of(world.session, world.plan, world.officer, now=NOW)

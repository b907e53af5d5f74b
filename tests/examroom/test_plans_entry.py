"""Entry conditions: what a predicate demands, the options of a level on a page and in Excel, and which one is meant."""

from __future__ import annotations

import io
from collections.abc import Callable
from datetime import date

import openpyxl
import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from examroom.plans import entry, entry_workbook
from examroom.plans.condition_models import EntryCondition
from examroom.plans.entry import ConditionDraft
from examroom.plans.predicate import Facts, Predicate, Standing, evaluate, full_years, meets
from qbank.kernel.access import Role, Viewer
from qbank.kernel.refused import Refused
from tests.conftest import MONDAY, People
from tests.plan_world import BY_CERTIFICATE, CONDITION, CONDITIONS, PlanWorld, identity_number

ON = date(2026, 7, 1)
SCHOOL = Predicate(school_kinds=("技师学院",), graduations=("应届毕业生", "已毕业"))
WORK = Predicate(certificate=5, certificate_years=4, years=4)


@pytest.fixture
def world(session: Session, people: People) -> PlanWorld:
    return PlanWorld.make(session, people)


def standing(predicate: Predicate, facts: Facts, born: date | None = None) -> list[str]:
    return [one.standing.value for one in evaluate(predicate, facts, born, ON)]


def test_a_final_year_student_meets_the_school_condition_and_one_who_still_studies_does_not() -> None:
    assert standing(SCHOOL, Facts(school_kind="技师学院", graduation="应届毕业生")) == ["met", "met"]
    assert standing(SCHOOL, Facts(school_kind="技师学院", graduation="在读")) == ["met", "failed"]
    assert standing(SCHOOL, Facts(school_kind="高级技工学校", graduation="已毕业")) == ["failed", "met"]
    assert standing(SCHOOL, Facts()) == ["unknown", "unknown"]
    assert not meets(evaluate(SCHOOL, Facts(), None, ON))


def test_years_are_counted_to_the_first_exam_day_and_a_higher_certificate_is_as_good() -> None:
    held = Facts(certificate_level=5, certificate_number="Z1", certificate_on=date(2022, 7, 1), years=4)
    assert standing(WORK, held) == ["met", "met", "met"]
    assert standing(WORK, Facts(certificate_level=4, certificate_on=date(2022, 7, 2), years=3)) == ["met", "failed", "failed"]
    assert standing(Predicate(certificate=4), held) == ["failed"]
    assert standing(WORK, Facts()) == ["unknown"] * 3


def test_age_counts_completed_years_only() -> None:
    assert (full_years(date(2010, 7, 1), ON), full_years(date(2010, 7, 2), ON)) == (16, 15)
    assert full_years(date(2008, 2, 29), date(2024, 2, 28)) == 15  # the sixteenth is completed on 1 March
    sixteen = Predicate(age=16)
    assert standing(sixteen, Facts(), date(2010, 7, 1)) == ["met"]
    assert standing(sixteen, Facts(), date(2010, 7, 2)) == ["failed"]
    assert standing(sixteen, Facts()) == ["unknown"]


def test_what_no_fact_can_say_is_left_to_the_officer() -> None:
    found = evaluate(Predicate(by_hand="学徒期满"), Facts(), None, ON)
    assert [one.standing for one in found] == [Standing.BY_HAND]
    assert meets(found)
    assert found[0].sentence == "学徒期满：人工核对"


@pytest.mark.parametrize(("make", "sentence"), [
    (lambda: Predicate(school_kinds=("夜校",)), "夜校"), (lambda: Predicate(certificate_years=4), "哪一级证书"),
    (lambda: Predicate(certificate=6), "五级至一级"), (lambda: Predicate(years=99), "0 到 60"), (lambda: Facts(graduation="退学"), "毕业情况"),
    (lambda: Facts(certificate_level=9), "五级至一级"), (lambda: Facts(years=-1), "0 到 60")])
def test_a_demand_that_cannot_be_judged_is_refused(make: Callable[[], object], sentence: str) -> None:
    with pytest.raises(Refused, match=sentence):
        make()


def test_predicate_and_facts_come_back_from_json_as_they_were() -> None:
    assert Predicate.read(WORK.stored()) == WORK
    assert Predicate.read(SCHOOL.stored()) == SCHOOL
    held = Facts(certificate_level=3, certificate_on=date(2024, 6, 1), years=0, sex="女")
    assert held.stored() == {"certificate_level": 3, "certificate_on": "2024-06-01", "years": 0, "sex": "女"}
    assert Facts.read(held.stored()) == held


def test_each_way_of_naming_an_option_finds_the_one_that_is_meant(world: PlanWorld) -> None:
    options = entry.conditions_for(world.session, world.standard.id, 4)
    for text in ("2", "２", "2.0", "②", "(2)", "条件2", "2、取得本职业五级", BY_CERTIFICATE, BY_CERTIFICATE.replace("，", ", ")):
        assert entry.chosen(options, text).number == 2, text
    assert entry.chosen(options, "技工学校毕业证书").number == 1
    for text, sentence in (("", "没有填写"), ("3", "不是已录入"), ("应届", "不是已录入"), ("证书", "不是已录入")):
        with pytest.raises(Refused, match=sentence):
            entry.chosen(options, text)
    with pytest.raises(Refused, match="还没有录入"):
        entry.chosen([], "1")


def test_a_changed_wording_is_a_new_version_and_the_old_one_stays(world: PlanWorld) -> None:
    session, standard = world.session, world.standard
    chen = world.enrol(world.draft(), 1)[0]
    entry.set_condition(session, standard, 4, ConditionDraft(1, "取得技工学校毕业证书", CONDITIONS[0].predicate, "第 5 页"), world.liu, now=MONDAY)
    assert [(one.number, one.version, one.text) for one in entry.conditions_for(session, standard.id, 4)] == [
        (1, 2, "取得技工学校毕业证书"), (2, 1, BY_CERTIFICATE)]
    assert (chen.condition is not None and chen.condition.version, chen.entry_condition) == (1, CONDITION)
    with pytest.raises(Refused, match="没有变化"):
        entry.set_condition(session, standard, 4, ConditionDraft(2, BY_CERTIFICATE, CONDITIONS[1].predicate), world.liu, now=MONDAY)
    with pytest.raises(Refused, match="重复"):
        entry.set_conditions(session, standard, 4, [CONDITIONS[0], CONDITIONS[0]], world.liu, now=MONDAY)
    with pytest.raises(Refused, match="考务员、省鉴定中心"):
        entry.set_conditions(session, standard, 4, CONDITIONS, world.people("陈晓", Role.ITEM_AUTHOR), now=MONDAY)


def test_the_workbook_comes_back_as_it_went_out(world: PlanWorld) -> None:
    wanted = Predicate(class_kinds=("高级工班", "预备技师（技师）班"), age=16, by_hand="专业对应")
    more = [*CONDITIONS, ConditionDraft(7, "职业学校高级工班毕业生", wanted, "第 6 页")]
    assert entry_workbook.read(entry_workbook.written(more, "电工")) == more


def test_a_wrong_row_of_the_workbook_changes_nothing(world: PlanWorld, session: Session, enter: Callable[[Viewer], FlaskClient]) -> None:
    session.commit()
    liu, page = enter(world.liu), f"/plans/conditions/{world.standard.id}/4"
    book = openpyxl.load_workbook(io.BytesIO(liu.get(f"{page}/workbook.xlsx").data))
    sheet = book["申报条件"]
    head = [cell.value for cell in sheet[2]]
    sheet.cell(3, head.index("学校类别") + 1, "技师学院、夜校")
    stream = io.BytesIO()
    book.save(stream)
    answer = liu.post(f"{page}/workbook", data={"file": (io.BytesIO(stream.getvalue()), "申报条件.xlsx")})
    assert answer.status_code == 409
    assert "第 3 行：学校类别“夜校”不能识别" in answer.get_data(as_text=True)
    sheet.cell(3, head.index("学校类别") + 1, "技师学院")
    sheet.delete_rows(4)
    stream = io.BytesIO()
    book.save(stream)
    assert liu.post(f"{page}/workbook", data={"file": (io.BytesIO(stream.getvalue()), "申报条件.xlsx")}).status_code == 302
    session.expire_all()
    assert [(one.number, one.predicate["school_kinds"]) for one in entry.conditions_for(session, world.standard.id, 4)] == [(1, ["技师学院"])]
    assert session.scalar(sa.select(sa.func.count(EntryCondition.id)).where(EntryCondition.ended_at.is_not(None), EntryCondition.level == 4)) == 2


def test_liu_keeps_the_options_on_the_page_and_a_reader_cannot(world: PlanWorld, session: Session,
                                                                enter: Callable[[Viewer], FlaskClient]) -> None:
    session.commit()
    liu, page = enter(world.liu), f"/plans/conditions/{world.standard.id}/4"
    assert "2 条" in liu.get("/plans/conditions").get_data(as_text=True)
    shown = liu.get(page).get_data(as_text=True)
    assert "取得本职业五级或更高证书" in shown
    typed = {"number": "3", "text": "取得高级工班毕业证书的应届毕业生", "class_kind": ["高级工班"], "graduation": ["应届毕业生"], "age": "16"}
    assert liu.post(page, data=typed).status_code == 302
    for wrong in ({"number": "0"}, {"text": ""}, {"class_kind": ["夜校"]}, {"age": "很大"}):
        assert liu.post(page, data=typed | wrong).status_code == 409, wrong
    session.expire_all()
    third = entry.conditions_for(session, world.standard.id, 4)[2]
    assert third.predicate == {"class_kinds": ["高级工班"], "graduations": ["应届毕业生"], "age": 16}
    session.commit()
    assert liu.post(f"/plans/conditions/end/{third.id}").status_code == 302
    assert liu.post(f"/plans/conditions/end/{third.id}").status_code == 409
    assert liu.get(f"/plans/conditions/{world.standard.id}/9").status_code == 409
    tan = enter(world.tan)
    assert tan.get(page).status_code == 200
    assert tan.post(page, data=typed).status_code == 409
    assert tan.post(f"{page}/workbook").status_code == 403


def test_without_options_nobody_can_be_enrolled(world: PlanWorld, session: Session, enter: Callable[[Viewer], FlaskClient]) -> None:
    world.draft()
    entry.set_conditions(session, world.standard, 4, [], world.liu, now=MONDAY)
    session.commit()
    liu = enter(world.liu)
    assert "先录入申报条件" in liu.get("/plans/1/candidates").get_data(as_text=True)
    answer = liu.post("/plans/1/candidates", data={"name": "王小明", "identity_number": identity_number(1), "student_number": "S1",
                                                   "entry_condition": "1", "own_students": "1"})
    assert "还没有录入申报条件" in answer.get_data(as_text=True)

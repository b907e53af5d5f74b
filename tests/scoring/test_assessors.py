"""The register of assessors and the rules by which they are assigned."""

from __future__ import annotations

import dataclasses
import io
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.orm import Session

from examroom.plans.tie_models import Tie, TieKind
from qbank.kernel.access import Role, Viewer, visible
from qbank.kernel.accounts import Account
from qbank.kernel.export import Table, workbook
from qbank.kernel.refused import Refused
from qbank.kernel.times import local_date
from qbank.standards.models import Occupation, StoredRulePack
from qbank.standards.rulepack import RulePack
from scoring.practical import calling, desk, register, register_import
from scoring.practical.assigning import (
    Candidate,
    Certificate,
    Demands,
    Duty,
    Person,
    draw,
    in_row,
    number_problems,
    problems,
    propose,
)
from scoring.practical.models import PracticalGroup
from scoring.practical.register_models import Assessor, AssessorDraw
from scoring.practical.todo import todo
from tests.scoring.outcome_world import NOW, World

Enter = Callable[[Viewer], FlaskClient]
DAY = date(2026, 6, 1)
DUTY = Duty("6-31-01-03", "电工", 4, DAY, (Candidate(1, "陈晓", "电气2301"), Candidate(2, "吴静", "电气2302")))
DEMANDS = Demands.of(RulePack(), "6-31-01-03")
GOOD = Certificate("KP1", "6-31-01-03", frozenset({5, 4, 3}), False, date(2027, 1, 1))


@pytest.fixture
def world(session: Session, people: Any) -> World:
    return World(session, people)


def refusal(act: Callable[[], Any]) -> Refused:
    with pytest.raises(Refused) as refused:
        act()
    return refused.value


def person(**change: Any) -> Person:
    values: dict[str, Any] = {"key": 9, "name": "张三", "certificates": (GOOD,)} | change
    return Person(**values)


def certificate(**change: Any) -> tuple[Certificate, ...]:
    return (dataclasses.replace(GOOD, **change),)


# The rules, one by one

@pytest.mark.parametrize(("change", "code", "says"), [
    ({"certificates": ()}, "not_registered", "不在本校的考评员名册中"),
    ({"certificates": certificate(occupation="6-18-01-01")}, "other_occupation", "不含职业“电工”（6-31-01-03）"),
    ({"certificates": certificate(levels=frozenset({5}))}, "other_level", "（KP1）不含四级"),
    ({"certificates": certificate(expires_on=date(2026, 5, 31))}, "expired", "有效期至 2026-05-31，考核当日已过期"),
    ({"teaches": frozenset({"电气2301"})}, "own_student", "张三是陈晓所在班级的任课教师或班主任"),
    ({"kin": frozenset({2})}, "relative", "与考生吴静有亲属或其他利害关系"),
    ({"in_row": 3}, "in_row", "已在本机构连续 3 次考评这一职业"),
])
def test_zhang_san_is_refused_by_name_with_the_reason(change: dict[str, Any], code: str, says: str) -> None:
    found, = problems(person(**change), DUTY, DEMANDS)
    assert found.code == code
    assert says in found.sentence
    assert "张三" in found.sentence


def test_zhang_san_is_eligible_on_the_last_day_of_his_certificate_and_after_two_times_in_a_row() -> None:
    assert problems(person(certificates=certificate(expires_on=DAY), in_row=2), DUTY, DEMANDS) == []


def test_technicians_are_assessed_by_senior_assessors_only_unless_the_rule_pack_says_otherwise() -> None:
    second = dataclasses.replace(DUTY, level=2)
    plain = person(certificates=certificate(levels=frozenset({3, 2})))
    assert [one.code for one in problems(plain, second, DEMANDS)] == ["not_senior"]
    assert problems(person(certificates=certificate(levels=frozenset({3, 2}), senior=True)), second, DEMANDS) == []
    assert problems(plain, second, Demands.of(RulePack(senior_assessor_level=1), "6-31-01-03")) == []


@pytest.mark.parametrize(("assessors", "candidates", "code"), [(2, 5, "wrong_number"), (4, 5, "wrong_number"), (3, 16, "ratio"), (3, 15, ""),
                                                              (5, 25, ""), (5, 26, "ratio")])
def test_three_or_more_an_odd_number_and_one_for_five(assessors: int, candidates: int, code: str) -> None:
    assert [one.code for one in number_problems(assessors, candidates, DEMANDS)] == ([code] if code else [])


def test_a_standard_may_ask_for_another_ratio_and_minimum() -> None:
    pack = RulePack(assessor_exceptions="6-31-01-03 1:8 不少于 5 人；6-18-01-01 1:3")
    assert Demands.of(pack, "6-31-01-03").needed(24) == 5  # three would do by the ratio
    assert Demands.of(pack, "6-18-01-01").needed(10) == 5  # four by the ratio, and odd
    assert Demands.of(pack, "4-03-02-01").needed(16) == 5
    assert refusal(lambda: RulePack(assessor_exceptions="电工 1:8")).code == "assessor_exceptions"


def test_a_run_counts_from_the_latest_plan_back() -> None:
    assert in_row([{1, 2}, {1, 3}, {1, 2}, {2}]) == {1: 3, 2: 1}
    assert in_row([]) == {}


@given(st.sets(st.integers(1, 40), min_size=3), st.text(min_size=1, max_size=8))
def test_a_draw_is_repeated_by_its_seed_and_takes_only_the_eligible(eligible: set[int], seed: str) -> None:
    drawn = draw(eligible, 3, seed)
    assert drawn == draw(sorted(eligible, reverse=True), 3, seed)
    assert len(set(drawn)) == 3
    assert set(drawn) <= eligible


def test_everybody_eligible_is_drawn_about_equally_often() -> None:
    # 6 people, 3 drawn: each in half of 2,000 draws, standard deviation sqrt(2000 / 4) = 22
    counts = dict.fromkeys(range(6), 0)
    for seed in range(2000):
        for key in draw(counts, 3, str(seed)):
            counts[key] += 1
    assert all(abs(count - 1000) < 110 for count in counts.values())


def test_a_proposal_leaves_out_whom_a_rule_forbids_and_says_why() -> None:
    people = [person(key=key, name=f"考{key}") for key in range(5)] + [person(key=7, name="李四", kin=frozenset({1}))]
    found = propose(people, DUTY, DEMANDS, "s")
    assert found.eligible == (0, 1, 2, 3, 4)
    assert 7 not in found.drawn
    assert [one.code for one in found.out[7]] == ["relative"]


# The register and groups

def test_a_group_is_refused_when_one_assessor_breaks_a_rule_and_all_are_named(world: World, people: Any) -> None:
    chen = world.enrol("陈晓")
    zhang, li, wang = world.assessors("张", "李", "王")
    found = world.session.scalars(sa.select(Assessor).where(Assessor.account_id == zhang.account_id)).one()
    register.renew(world.session, found, world.officer, certificate_number=found.certificate_number, levels=[5, 4], senior=False,
                   expires_on=date(2026, 5, 1))
    assert refusal(lambda: world.group(chen, [zhang, li, wang])).code == "expired"
    register.declare(world.session, world.school, world.session.get_one(Account, li.account_id), TieKind.RELATIVE, li,
                     candidate=chen[0].candidate, now=NOW)
    both = refusal(lambda: world.group(chen, [zhang, li, wang]))
    assert len(both.details) == 2
    assert "张的考评员证" in both.details[0]
    assert "李与考生陈晓" in both.details[1]
    unknown = people("赵", Role.PRACTICAL_ASSESSOR)
    assert refusal(lambda: world.group(chen, [unknown, world.assessors("钱")[0], wang])).code == "not_registered"


def test_a_class_teacher_does_not_assess_his_class_also_not_as_a_substitute(world: World) -> None:
    chen = world.enrol("陈晓")  # 电气2301
    zhang, li, wang, zhao = world.assessors("张", "李", "王", "赵")
    tie = register.declare(world.session, world.school, world.session.get_one(Account, zhao.account_id), TieKind.TEACHER, world.officer,
                           class_name="电气2301", now=NOW)
    group = world.group(chen, [zhang, li, wang])
    assert refusal(lambda: desk.replace_assessor(world.session, group, zhang.account_id, zhao.account_id, world.officer)).code == "own_student"
    assert refusal(lambda: register.take_back(world.session, tie, zhao)).code == "not_your_duty"  # nobody frees himself
    register.take_back(world.session, tie, world.officer)
    desk.replace_assessor(world.session, group, zhang.account_id, zhao.account_id, world.officer)


def test_the_fourth_plan_in_a_row_is_refused_and_a_plan_without_them_breaks_the_row(world: World) -> None:
    four = world.assessors("张", "李", "王", "赵", "钱", "孙")
    for number in range(3):
        plan = world.plan = world.new_plan(f"JH-{number}")
        plan.starts_on = DAY + timedelta(days=number)
        world.group(world.enrol(f"考生{number}", plan=plan), four[:3])
    plan = world.plan = world.new_plan("JH-4")
    plan.starts_on = DAY + timedelta(days=9)
    chen = world.enrol("陈晓", plan=plan)
    said = refusal(lambda: world.group(chen, four[:3]))
    assert (said.code, len(said.details)) == ("in_row", 3)
    world.group(chen, four[3:])
    plan = world.plan = world.new_plan("JH-5")
    plan.starts_on = DAY + timedelta(days=12)
    world.group(world.enrol("吴静", plan=plan), four[:3])


def test_sixteen_candidates_need_five_assessors(world: World) -> None:
    everybody = world.enrol(*(f"考生{number}" for number in range(16)))
    five = world.assessors("张", "李", "王", "赵", "钱")
    said = refusal(lambda: world.group(everybody, five[:3]))
    assert (said.code, "增加到 5 名考评员" in said.sentence) == ("ratio", True)
    world.group(everybody, five)


def test_the_officer_draws_and_every_draw_is_kept(world: World, enter: Enter) -> None:
    chen, = world.enrol("陈晓")
    world.assessors("张", "李", "王", "赵")
    zhou = world.people("周", Role.PRACTICAL_ASSESSOR)
    rubric = world.rubric()
    world.session.commit()
    client = enter(world.officer)
    url = f"/practical/plans/{world.plan.id}/groups/new"
    form = {"act": "draw", "starts_at": "2026-06-01T09:00", "enrolment": chen.id, "name": "第一组"}
    page = client.post(url, data=form)
    assert page.status_code == 200
    assert page.get_data(as_text=True).count(' checked> ') == 4  # three assessors and the candidate
    again = client.post(url, data=form)
    held = world.session.scalars(sa.select(AssessorDraw)).all()
    assert len(held) == 2
    assert all(one.drawn == list(draw(one.eligible, 3, one.seed)) for one in held)
    assert zhou.account_id not in held[0].eligible
    assert again.get_data(as_text=True).count(held[0].seed) == 1
    drawn = held[1].drawn
    world.session.commit()
    assert "请先勾选考生" in client.post(url, data=form | {"enrolment": []}).get_data(as_text=True)
    done = client.post(url, data={"name": "第一组", "rubric_id": rubric.id, "starts_at": "2026-06-01T09:00", "enrolment": chen.id,
                                  "assessor": drawn})
    assert done.status_code == 302


def test_a_draw_without_enough_eligible_says_who_is_out_and_why(world: World) -> None:
    chen = world.enrol("陈晓")
    world.assessors("张", "李")
    world.people("王", Role.PRACTICAL_ASSESSOR)
    said = refusal(lambda: calling.draw_assessors(world.session, world.plan, chen, world.officer, at=NOW, now=NOW))
    assert said.code == "too_few_eligible"
    assert said.details == ("王不在本校的考评员名册中，请先登记其考评员证。",)


def test_the_rule_pack_of_the_province_holds(world: World) -> None:
    world.session.add(StoredRulePack(region="43", name="湖南", values='{"assessor_exceptions": "6-31-01-03 1:2 不少于 1 人", "assessors_odd": false}'))
    world.session.flush()
    assert calling.demands(world.session, world.plan).needed(5) == 3
    everybody = world.enrol("陈晓", "吴静")
    assert isinstance(world.group(everybody, world.assessors("张")), PracticalGroup)


@pytest.mark.parametrize(("change", "code"), [
    ({"certificate_number": "x"}, "certificate_number"), ({"levels": []}, "no_levels"), ({"levels": [2]}, "levels_of_senior"), ({"levels": [6]}, "no_levels")])
def test_a_certificate_that_cannot_be_is_refused(world: World, change: dict[str, Any], code: str) -> None:
    account = world.people.account("张", Role.PRACTICAL_ASSESSOR)
    values: dict[str, Any] = {"certificate_number": "KP43001", "levels": [4], "senior": False, "expires_on": DAY} | change
    assert refusal(lambda: register.add_assessor(world.session, world.school, account, world.officer, occupation=world.standard.occupation,
                                                 **values)).code == code


def test_one_certificate_for_an_occupation_and_one_owner_of_a_number(world: World) -> None:
    zhang, li = world.assessors("张", "李")
    assert refusal(lambda: world.certify(zhang)).code == "number_taken"
    other = Occupation(code="6-18-01-01", catalogue_edition="2015", name="车工")
    world.session.add(other)
    world.session.flush()
    world.certify(li, occupation=other)
    stranger = world.people("外校考务", Role.EXAM_OFFICER, school=world.people.school("另一所学校"))
    held = world.session.scalars(sa.select(Assessor)).all()[0]
    assert refusal(lambda: register.strike_off(world.session, held, stranger)).code == "not_your_duty"
    assert world.session.scalars(visible(Assessor, stranger)).all() == []
    assert len(world.session.scalars(visible(Assessor, li)).all()) == 2  # his own


def test_certificates_that_run_out_are_on_the_work_list(world: World) -> None:
    zhang, li = world.assessors("张", "李")
    soon, = world.session.scalars(sa.select(Assessor).where(Assessor.account_id == zhang.account_id))
    soon.expires_on = local_date(NOW) + timedelta(days=90)
    world.session.flush()
    alarm, = todo(world.session, world.officer, now=NOW)
    assert alarm.title == "考评员证到期"
    assert "张（2026-08-30）" in alarm.detail
    assert [one.title for one in todo(world.session, zhang, now=NOW)] == ["考评员证到期"]
    assert todo(world.session, li, now=NOW) == []
    soon.expires_on += timedelta(days=1)
    world.session.flush()
    assert todo(world.session, world.officer, now=NOW) == []


# Excel

HEAD = ("姓名", "证书编号", "职业编码", "等级", "高级考评员", "有效期至", "登录名")


def book(*rows: tuple[str, ...]) -> bytes:
    return workbook([Table("名册", [(title, 12) for title in HEAD], rows)])


def test_a_register_comes_from_excel_and_a_second_file_renews_it(world: World) -> None:
    zhang = world.people.account("张三", Role.PRACTICAL_ASSESSOR)
    world.people.account("李四", Role.PRACTICAL_ASSESSOR)
    rows = [("张三", "KP430001", "6-31-01-03", "五级、四级", "否", "2028-12-31", zhang.login),
            ("李四", "KP430002", "6-31-01-03", "3/2/1", "是", "2027年6月1日", "")]
    assert register_import.load(world.session, world.school, book(*rows), world.officer) == (2, 0)
    assert register_import.load(world.session, world.school, book(("张三", "KP430009", "6-31-01-03", "四", "", "20300101", "")), world.officer) == (0, 1)
    found = {one.account.name: (one.certificate_number, one.levels, one.senior, one.expires_on) for one in world.session.scalars(sa.select(Assessor))}
    assert found == {"张三": ("KP430009", [4], False, date(2030, 1, 1)), "李四": ("KP430002", [3, 2, 1], True, date(2027, 6, 1))}


def test_one_bad_row_and_nothing_is_written_each_fault_by_its_row(world: World, enter: Enter) -> None:
    world.people.account("张三", Role.PRACTICAL_ASSESSOR)
    world.session.commit()
    client = enter(world.officer)
    content = book(("张三", "KP430001", "6-31-01-03", "四级", "否", "2028-12-31", ""), ("无名", "KP430002", "6-31-01-03", "四级", "否", "2028-12-31", ""),
                   ("张三", "KP430003", "9-99-99-99", "四级", "否", "2028-02-30", ""))
    answer = client.post("/practical/assessors/import", data={"institution_id": world.school.id, "file": (io.BytesIO(content), "名册.xlsx")})
    text = answer.get_data(as_text=True)
    assert answer.status_code == 409
    assert "第 3 行（无名）" in text
    assert "没有编码“9-99-99-99”" in text
    assert world.session.scalars(sa.select(Assessor)).all() == []
    world.session.commit()
    for bad in (b"PK\x03\x04broken", book()):
        refused = client.post("/practical/assessors/import", data={"institution_id": world.school.id, "file": (io.BytesIO(bad), "名册.xlsx")})
        assert refused.status_code == 409
    assert register_import.read_lines(client.get("/practical/assessors/template.xlsx").data)[0].values["姓名"] == "张三"


def test_an_officer_keeps_the_register_on_its_page(world: World, enter: Enter) -> None:
    zhang = world.people.account("张三", Role.PRACTICAL_ASSESSOR)
    chen, = world.enrol("陈晓")
    stranger = world.people("外校考务", Role.EXAM_OFFICER, school=world.people.school("另一所学校"))
    viewer = zhang.viewer()
    world.session.commit()
    client = enter(world.officer)
    form = {"institution_id": world.school.id, "account": zhang.id, "certificate_number": "KP430001", "occupation": world.standard.occupation_id,
            "level": [4, 5], "expires_on": "2026-06-30"}
    assert client.post("/practical/assessors/new", data=form | {"expires_on": "x"}).status_code == 422
    assert client.post("/practical/assessors/new", data=form).status_code == 302
    page = client.get("/practical/assessors?show=expiring").get_data(as_text=True)
    assert "即将到期" in page
    one = world.session.scalars(sa.select(Assessor)).one()
    world.session.commit()
    assert client.get(f"/practical/assessors/{one.id}").status_code == 200
    assert enter(stranger).get(f"/practical/assessors/{one.id}").status_code == 404
    assert enter(stranger).post("/practical/assessors/new", data=form).status_code == 422
    assert client.post(f"/practical/assessors/{one.id}", data=form | {"certificate_number": "KP430001", "expires_on": "2029-06-30"}).status_code == 302
    own = enter(viewer)
    assert own.post("/practical/ties", data={"kind": "relative", "candidate": chen.ticket_number}).status_code == 302
    assert own.post("/practical/ties", data={"kind": "teacher"}).status_code == 409
    tie = world.session.scalars(sa.select(Tie)).one()
    world.session.commit()
    assert (tie.account_id, tie.candidate_id) == (zhang.id, chen.account_id)
    assert own.post(f"/practical/ties/{tie.id}").status_code == 403
    assert client.post(f"/practical/ties/{tie.id}").status_code == 302
    assert client.post(f"/practical/assessors/{one.id}", data={"act": "strike"}).status_code == 302
    world.session.expire_all()
    assert world.session.scalars(sa.select(Assessor)).all() == []

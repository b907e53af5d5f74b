"""The double random draw: who and what is in the pools, what comes out of a seed, and that anybody can draw it again."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from functools import partial
from pathlib import Path

import pytest
from click.testing import CliRunner
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from examroom.oversight import drawing, draws, inspections, recusals
from examroom.oversight.commands import group
from examroom.oversight.drawing import Assignment, Inspector, Pool, Target, TooFew, deal, record, replay
from examroom.oversight.inspection_models import Inspection
from examroom.oversight.kinds import InspectionKind, InspectionState, TargetKind
from examroom.oversight.models import Supervision
from examroom.plans.models import Enrolment, Sitting
from examroom.plans.tie_models import Tie, TieKind
from qbank.kernel.access import Role, Scope, Viewer
from qbank.kernel.accounts import Account
from qbank.kernel.refused import Refused
from tests.conftest import MONDAY, People
from tests.oversight_world import City

Enter = Callable[[Viewer], FlaskClient]


@pytest.fixture
def city(session: Session, people: People) -> City:
    made = City(session, people)
    made.list()
    return made


def a_pool(targets: int = 4, inspectors: int = 5, wanted: int = 2, each: int = 2, **other: object) -> Pool:
    return Pool([Target(f"school:{n}", f"学校{n}", f"学校{n}") for n in range(targets)], [Inspector(str(n), f"督导{n}") for n in range(inspectors)],
                wanted, each, **other)  # type: ignore[arg-type]


def code_of(act: Callable[[], object]) -> str:
    with pytest.raises(Refused) as refused:
        act()
    return refused.value.code


# The algorithm

def test_a_draw_is_what_its_description_says_worked_out_by_hand() -> None:
    """As the page describes it, with hashlib alone: sort targets, then inspectors with the lightest load."""
    pool, seed = a_pool(3, 3, 2, 1), "种子"

    def digest(*parts: str) -> str:
        return hashlib.sha256(json.dumps(parts, ensure_ascii=False).encode()).hexdigest()

    first, second = sorted((one.key for one in pool.targets), key=lambda key: digest("target", seed, key))[:2]
    sent_first = min("012", key=lambda key: digest("inspector", seed, first, key))
    others = [key for key in "012" if key != sent_first]  # who was sent already comes after those who were not
    sent_second = min(others, key=lambda key: digest("inspector", seed, second, key))
    assert deal(seed, pool) == [Assignment(1, first, (sent_first,)), Assignment(2, second, (sent_second,))]


def test_every_school_and_every_supervisor_is_drawn_about_equally_often() -> None:
    """4,000 seeds: each of 4 targets is expected 2,000 times and each of 5 inspectors 3,200; 4 sigma are about 130 and 150."""
    schools: Counter[str] = Counter()
    people: Counter[str] = Counter()
    for number in range(4000):
        for one in deal(f"seed{number}", a_pool()):
            schools[one.target] += 1
            people.update(one.inspectors)
    assert all(abs(count - 2000) < 130 for count in schools.values())
    assert len(schools) == 4
    assert all(abs(count - 3200) < 150 for count in people.values())
    assert len(people) == 5


def test_nobody_is_in_two_places_on_one_day_and_nobody_excluded_is_sent() -> None:
    same_day = Pool([Target("sitting:1", "甲", "学校", ("2026-06-03",)), Target("sitting:2", "乙", "学校", ("2026-06-03", "2026-06-04"))],
                    [Inspector(key, key) for key in "abcd"], 2, 2)
    for number in range(50):
        one, other = deal(str(number), same_day)
        assert not set(one.inspectors) & set(other.inspectors)
    barred = replace(same_day, excluded={"sitting:1": {"a": "本校人员"}, "sitting:2": {"a": "本校人员"}})
    with pytest.raises(TooFew):  # three are left for four places on the same day
        deal("1", barred)


def test_a_record_shows_any_change_of_seed_pool_or_outcome(tmp_path: Path) -> None:
    pool = a_pool()
    text = record("SJ1", "abc", pool, drawing.fingerprint(deal("abc", pool)))
    assert replay(text) == []
    held = json.loads(text)
    for change in ({"seed": "abd"}, {"pool": held["pool"] | {"inspectors": held["pool"]["inspectors"][:4]}},
                   {"outcome": held["outcome"][:1]}, {"outcome": [held["outcome"][0] | {"inspectors": ["4", "3"]}, held["outcome"][1]]}):
        assert replay(json.dumps(held | change)), change
    for rubbish in ("", "[]", "{}", '{"pool": 1}'):
        with pytest.raises(ValueError, match=r"."):
            replay(rubbish)
    file = tmp_path / "record.json"
    file.write_text(text, "utf-8")
    assert "重新抽取一致" in CliRunner().invoke(group, ["replay", str(file)]).output
    file.write_text(json.dumps(held | {"seed": "别的"}), "utf-8")
    failed = CliRunner().invoke(group, ["replay", str(file)])
    assert failed.exit_code == 1
    assert "不一致" in failed.output


# The pools

def test_the_pools_hold_what_lies_in_the_region_and_leave_out_who_must_step_aside(city: City) -> None:
    session, (home, lushan, _) = city.session, city.schools
    city.people("本校教师", scopes=[Scope(Role.QUALITY_SUPERVISOR, region="4301")], school=home)
    city.people("兼职监考", scopes=[Scope(Role.QUALITY_SUPERVISOR, region="4301"), Scope(Role.INVIGILATOR, lushan.id)], school=city.people.school("别处"))
    city.people("常德督导", scopes=[Scope(Role.QUALITY_SUPERVISOR, region="4307")], school=city.people.school("常德单位"))
    recusals.declare(session, city.luo.account_id, home, "配偶在该校任教", city.luo, now=MONDAY)
    city.people.school("未备案学校")
    pool, _, _ = draws.prepare(session, city.wish(), city.tan, now=MONDAY)
    assert [one.name for one in pool.targets] == [school.name for school in city.schools]
    assert {one.name for one in pool.inspectors} == {"罗正明", "秦岚", "贺兵", "柳青", "本校教师", "兼职监考"}
    why = {one.name: pool.excluded[f"school:{home.id}"].get(one.key, "") for one in pool.inspectors}
    assert (why["罗正明"], why["本校教师"], why["秦岚"], why["兼职监考"]) == ("回避：配偶在该校任教", "本校人员", "", "")
    there = pool.excluded[f"school:{lushan.id}"]
    assert [one.name for one in pool.inspectors if one.key in there] == ["兼职监考"]


def test_kin_of_a_candidate_is_not_sent_to_that_plan(city: City) -> None:
    plan, other = city.plan(), city.plan(number="JH-2")
    child = Account(login="c1", name="罗小明", institution=city.schools[0])
    city.session.add(child)
    city.session.flush()
    city.session.add_all([Enrolment(plan_id=plan.id, candidate=child, ticket_number="T1"),
                          Tie(institution_id=city.schools[0].id, account_id=city.luo.account_id, kind=TieKind.RELATIVE, candidate_id=child.id,
                              declared_by=city.luo.account_id, declared_at=MONDAY)])
    city.session.flush()
    pool, _, _ = draws.prepare(city.session, city.wish(target_kind=TargetKind.PLAN), city.tan, now=MONDAY)
    key = str(city.luo.account_id)
    assert pool.excluded[f"plan:{plan.id}"][key] == "考生的亲属"
    assert key not in pool.excluded[f"plan:{other.id}"]


def test_what_cannot_be_drawn_is_refused_with_the_reason(city: City) -> None:
    held = {"targets": 4}, {"last_day": date(2026, 5, 31), "first_day": date(2026, 5, 1)}, {"title": " "}, {"inspectors": 1}, {"region": "4307"}, \
        {"kind": InspectionKind.DAILY}, {"targets": 0}
    codes = [code_of(partial(draws.prepare, city.session, city.wish(**other), city.tan, now=MONDAY)) for other in held]
    assert codes == ["too_few_targets", "days", "no_title", "too_few_persons", "not_your_region", "no_list", "numbers"]
    pool, _, _ = draws.prepare(city.session, city.wish(), city.tan, now=MONDAY)

    def hold(witness: str, expected: str = pool.fingerprint, **other: object) -> object:
        return draws.hold(city.session, city.wish(**other), expected, city.tan, witness=witness, now=MONDAY)

    assert code_of(lambda: hold("谭晓峰")) == "no_witness"
    assert code_of(lambda: hold("")) == "no_witness"
    assert code_of(lambda: hold("王敏", "0" * 64)) == "pool_changed"
    for who in city.supervisors.values():
        recusals.declare(city.session, who.account_id, city.schools[2], "曾在该校任职", city.tan, now=MONDAY)
    pool, _, _ = draws.prepare(city.session, city.wish(targets=3), city.tan, now=MONDAY)
    assert code_of(lambda: hold("王敏", pool.fingerprint, targets=3)) == "too_few_inspectors"


# What a draw brings about

def test_a_draw_sends_inspectors_and_can_be_drawn_again_years_later(city: City) -> None:
    draw = city.draw(seed="测试种子")
    sent = draws.sent(city.session, draw)
    assert [(len(one.members), one.members[0].leads, one.members[1].leads, one.state) for one in sent] == [(2, True, False, InspectionState.ASSIGNED)] * 2
    assert draws.check(city.session, draw) == []
    assert draw.number == "SJ4301-2026-001"
    sent[0].members[0].account_id = next(who.account_id for who in city.supervisors.values()
                                         if who.account_id not in {one.account_id for one in sent[0].members})
    assert draws.check(city.session, draw) == [f"检查 {sent[0].number} 的对象或督导员与抽取结果不一致"]


def test_the_witness_adds_to_the_seed_and_every_earlier_draw_shows(city: City) -> None:
    pool, _, _ = draws.prepare(city.session, city.wish(), city.tan, now=MONDAY)
    first = draws.hold(city.session, city.wish(), pool.fingerprint, city.tan, witness="王敏", words="彩票 07 12 33", now=MONDAY)
    assert first.seed.endswith("-彩票071233")
    assert len(first.seed.partition("-")[0]) == 32
    second = city.draw()
    assert (draws.earlier(city.session, first), draws.earlier(city.session, second)) == (0, 1)
    assert code_of(lambda: draws.cancel(city.session, second, " ", city.tan, now=MONDAY)) == "no_reason"
    draws.cancel(city.session, second, "抽取时停电", city.tan, now=MONDAY)
    assert {one.state for one in draws.sent(city.session, second)} == {InspectionState.CANCELLED}
    assert draws.check(city.session, second) == []
    begun = draws.sent(city.session, first)[0]
    leader = next(who for who in city.supervisors.values() if who.account_id == begun.members[0].account_id)
    inspections.begin(city.session, begun, leader, now=MONDAY)
    assert code_of(lambda: draws.cancel(city.session, first, "不合适", city.tan, now=MONDAY)) == "begun"


def test_supervisors_of_a_whole_plan_are_drawn_and_sent_to_it(city: City) -> None:
    city.list(InspectionKind.SITE)
    plan = city.plan()
    draw = city.draw(city.wish(kind=InspectionKind.SITE, target_kind=TargetKind.PLAN, targets=1))
    drawn = {one.account_id for one in draws.sent(city.session, draw)[0].members}
    assert {one.supervisor_id for one in city.session.query(Supervision).filter_by(plan_id=plan.id)} == drawn


def test_sittings_are_drawn_by_their_day(city: City) -> None:
    plan = city.plan()
    city.session.add_all([Sitting(plan=plan, name="第一场", starts_at=datetime(2026, 6, 3, 1, tzinfo=UTC), minutes=90),
                          Sitting(plan=plan, name="七月场", starts_at=datetime(2026, 7, 3, 1, tzinfo=UTC), minutes=90)])
    city.session.flush()
    pool, _, _ = draws.prepare(city.session, city.wish(target_kind=TargetKind.SITTING, targets=1), city.tan, now=MONDAY)
    assert [(one.name, one.days) for one in pool.targets] == [("电工认定 JH-1　第一场", ("2026-06-03",))]


# The doors

def test_a_city_draws_on_its_pages_and_the_school_hears_nothing_of_a_spot_check(city: City, enter: Enter) -> None:
    stranger = city.people("他市", scopes=[Scope(Role.CITY_OFFICER, region="4307")], school=city.people.school("常德中心", region="430700"))
    city.session.commit()
    tan = enter(city.tan)
    form = {"region": "4301", "title": "二季度抽查", "kind": "spot", "target_kind": "school", "first_day": "2026-06-01", "last_day": "2026-06-30",
            "targets": "3", "inspectors": "2"}
    page = tan.get("/oversight/draws/new", query_string=form | {"show": "1"}).get_data(as_text=True)
    assert "检查对象名录（3 个，抽 3 个）" in page
    shown = page.partition('name="pool" value="')[2][:64]
    assert tan.post("/oversight/draws", data=form | {"pool": "0" * 64, "witness": "王敏"}).status_code == 409
    assert tan.post("/oversight/draws", data={"kind": "?"}).status_code == 409
    assert "请选择“检查方式”" in tan.get("/oversight/draws/new?show=1&kind=nonsense").get_data(as_text=True)
    assert tan.post("/oversight/draws", data=form | {"pool": shown, "witness": "王敏"}).status_code == 302
    page = tan.get("/oversight/draws/1").get_data(as_text=True)
    assert "已按种子和名录重新抽取，结果一致" in page
    assert replay(tan.get("/oversight/draws/1/record.json").get_data(as_text=True)) == []
    assert "还有检查没有开始" in tan.post("/oversight/draws/1/publish").get_data(as_text=True)
    school = enter(city.zhou)
    assert "没有符合条件" in school.get("/oversight/inspections").get_data(as_text=True)
    mine = city.session.query(Inspection).filter_by(institution_id=city.schools[0].id).one().id
    city.session.commit()
    assert school.get(f"/oversight/inspections/{mine}").status_code == 404
    for client in (enter(stranger), school):
        for address in ("/oversight/draws/1", "/oversight/draws/1/record.json"):
            assert client.get(address).status_code in {403, 404}, address
        for address in ("/oversight/draws/1/cancel", "/oversight/draws/1/publish"):
            assert client.post(address, data={"reason": "x"}).status_code in {403, 404}, address
    assert enter(city.yao).get("/oversight/draws/1").status_code == 200  # the province sees what its cities draw


def test_the_public_reads_and_replays_a_published_draw(city: City, enter: Enter, app: object, clock: object) -> None:
    draw = city.draw(city.wish(targets=1))
    one = draws.sent(city.session, draw)[0]
    leader = next(who for who in city.supervisors.values() if who.account_id == one.members[0].account_id)
    assert code_of(lambda: draws.publish(city.session, draw, city.tan, now=MONDAY)) == "unannounced"
    inspections.begin(city.session, one, leader, now=MONDAY)
    city.session.commit()
    nobody = enter(city.tan).application.test_client()  # Werkzeug's client knows its app
    assert nobody.get(f"/oversight/public/{draw.number}").status_code == 404
    assert enter(city.tan).post(f"/oversight/draws/{draw.id}/publish").status_code == 302
    page = nobody.get(f"/oversight/public/{draw.number}").get_data(as_text=True)
    assert "检查结果尚未公开" in page
    assert draw.seed in page
    assert replay(nobody.get(f"/oversight/public/{draw.number}/record.json").get_data(as_text=True)) == []
    assert draw.title in nobody.get("/oversight/public").get_data(as_text=True)


def test_a_supervisor_steps_aside_on_his_own_page_and_the_centre_for_others(city: City, enter: Enter) -> None:
    home = city.schools[0]
    city.session.commit()
    luo, qin, tan = enter(city.luo), enter(city.qin), enter(city.tan)
    assert luo.post("/oversight/recusals", data={"institution_id": home.id, "reason": "配偶在该校任教"}).status_code == 302
    assert luo.post("/oversight/recusals", data={"institution_id": home.id, "reason": "配偶在该校任教"}).status_code == 409
    assert luo.post("/oversight/recusals", data={"institution_id": home.id, "account_id": city.qin.account_id, "reason": "替他登记"}).status_code == 409
    assert tan.post("/oversight/recusals", data={"institution_id": home.id, "account_id": city.qin.account_id, "reason": "曾任该校教师"}).status_code == 302
    assert "<td>配偶在该校任教</td>" not in qin.get("/oversight/recusals").get_data(as_text=True)
    assert qin.post("/oversight/recusals/1/end").status_code == 404
    assert qin.post("/oversight/recusals/2/end").status_code == 409  # the centre declared it
    assert tan.post("/oversight/recusals/2/end").status_code == 302
    assert luo.post("/oversight/recusals/1/end").status_code == 302


def test_the_first_day_of_a_draw_may_lie_ahead(city: City) -> None:
    later = MONDAY + timedelta(days=40)
    wish = city.wish(first_day=later.date(), last_day=later.date() + timedelta(days=5))
    assert city.draw(wish).first_day == later.date()
    assert draws.again(city.draw(wish), date(2026, 8, 1)).last_day == date(2026, 8, 1)

"""What a plan says of days, places and people: ratios, refusal at submission, amendments, drift, the plan as a document."""

from __future__ import annotations

import dataclasses
import io
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta

import pypdf
import pytest
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.orm import Session

from examroom.plans import amending, arrangement, arranging, desk, following, plan_document, seating, sittings
from examroom.plans.arrangement import Arrangement, Site
from examroom.plans.models import ExamPlan, PlanState, Room, SittingState
from qbank.kernel.access import Role, Scope, Viewer
from qbank.kernel.refused import Refused
from qbank.standards.models import StoredRulePack
from qbank.standards.ratios import PRACTICAL, REVIEW, THEORY, demand, read
from qbank.standards.rulepack import RulePack
from tests.arranged import arrange, at
from tests.conftest import MONDAY, People
from tests.plan_world import FIRST_DAY, PlanWorld

CODE = "6-31-01-03"
Enter = Callable[[Viewer], FlaskClient]


@pytest.fixture
def world(session: Session, people: People) -> PlanWorld:
    return PlanWorld.make(session, people)


def code_of(act: Callable[[], object]) -> str:
    with pytest.raises(Refused) as refusal:
        act()
    return refusal.value.code


def approve(world: PlanWorld, plan: ExamPlan) -> ExamPlan:
    desk.submit(world.session, plan, world.liu, now=MONDAY)
    desk.decide(world.session, plan, world.tan, True, "同意", now=MONDAY)
    return plan


def changed(plan: ExamPlan, key: str, **fields: object) -> Site:
    site = arrangement.of(plan).site(key)
    assert site is not None
    return dataclasses.replace(site, **fields)  # type: ignore[arg-type]  # fields of Site


# Ratios: domain.md 1.6

def test_the_ratios_of_the_trade_are_the_defaults() -> None:
    pack = RulePack()
    assert [demand(pack, THEORY, CODE).needed(n) for n in (1, 30, 31, 45, 46)] == [2, 2, 3, 3, 4]  # 1:15, at least two
    assert [demand(pack, PRACTICAL, CODE).needed(n) for n in (1, 15, 16, 25, 26)] == [3, 3, 5, 5, 7]  # 1:5, at least three, odd
    assert [demand(pack, REVIEW, CODE).needed(n) for n in (1, 12, 200)] == [3, 3, 3]  # three, odd; no ratio
    four = demand(pack, PRACTICAL, CODE).problem(4, 10)
    assert four == "考评员应为单数（考评员与考生 1∶5，不少于 3 人，单数），已安排 4 人，请增减 1 人。"
    assert demand(pack, PRACTICAL, CODE).problem(3, 15) == ""


def test_a_standard_may_set_its_own_ratio_for_each_part() -> None:
    pack = RulePack(assessor_exceptions="6-31-01-03/2018 理论 1:20 不少于 3 人；6-31-01-03 1:8 不少于 5 人；6-31-01-03/2018 技能 1:10 不限单双")
    assert demand(pack, THEORY, CODE, "2018").needed(61) == 4
    assert demand(pack, THEORY, CODE, "2020").needed(61) == 5  # another edition: 1:15
    assert demand(pack, PRACTICAL, CODE, "2020").needed(40) == 5
    assert demand(pack, PRACTICAL, CODE, "2018").needed(40) == 4  # its own edition says more: even numbers are allowed
    for wrong in ("电工 1:8", "6-31-01-03 面试 1:8", "6-31-01-03 1:0"):
        assert code_of(lambda text=wrong: read(text)) == "assessor_exceptions"  # type: ignore[misc]  # bound now


@given(st.sampled_from([THEORY, PRACTICAL, REVIEW]), st.integers(1, 500))
def test_what_is_needed_is_enough_and_one_fewer_is_not(part: str, candidates: int) -> None:
    asked = demand(RulePack(), part, CODE)
    needed = asked.needed(candidates)
    assert asked.problem(needed, candidates) == ""
    assert asked.problem(needed - 1, candidates) != ""


# Sending

def test_a_plan_without_sites_or_people_is_refused_and_every_lack_is_named(world: PlanWorld) -> None:
    plan = world.draft(2)
    plan.contact = ""
    with pytest.raises(Refused, match="4 处不符合要求") as refusal:
        desk.submit(world.session, plan, world.liu, now=MONDAY)
    assert refusal.value.details == ("没有安排理论知识考试的时间和地点。", "没有安排操作技能考核的时间和地点。", "没有安排综合评审的时间和地点。",
                                     "没有填写联系人和电话。")


def test_too_few_people_are_kept_in_the_draft_and_refused_when_it_is_sent(world: PlanWorld) -> None:
    plan = world.arranged()
    first = arrangement.of(plan).of_part(PRACTICAL)[0]
    two = list(first.staff_ids[:2])
    arranging.keep_site(world.session, plan, first, two, world.liu, now=MONDAY)
    line = next(one for one in arranging.lines(world.session, plan, arrangement.of(plan)) if one.site.key == first.key)
    assert (line.needed, len(line.site.staff)) == (3, 2)
    with pytest.raises(Refused) as refusal:
        desk.submit(world.session, plan, world.liu, now=MONDAY)
    assert refusal.value.code == "plan_incomplete"
    assert "15 名考生需要考评员 3 人（考评员与考生 1∶5，不少于 3 人，单数），已安排 2 人，还差 1 人。" in refusal.value.details[0]
    assert plan.state is PlanState.DRAFT


def test_places_for_fewer_than_are_enrolled_are_refused(world: PlanWorld) -> None:
    plan = arrange(world.session, world.people, world.draft(), world.liu, watchers=world.watchers, candidates=10)
    world.enrol(plan, 12)
    with pytest.raises(Refused) as refusal:
        desk.submit(world.session, plan, world.liu, now=MONDAY)
    assert refusal.value.details == ("理论知识考试共安排 10 名考生，名单上有 12 名，还差 2 名。", "操作技能考核共安排 10 名考生，名单上有 12 名，还差 2 名。")


def test_a_province_that_asks_for_more_people_is_obeyed(world: PlanWorld) -> None:
    world.session.add(StoredRulePack(region="43", name="湖南", values='{"assessor_exceptions": "6-31-01-03/2018 理论 1:10"}'))
    plan = world.arranged()
    with pytest.raises(Refused) as refusal:
        desk.submit(world.session, plan, world.liu, now=MONDAY)
    assert "需要监考员 3 人（监考员与考生 1∶10" in refusal.value.details[0]


def test_what_contradicts_itself_is_refused_at_once(world: PlanWorld) -> None:
    plan = world.arranged()
    session, room = world.session, world.session.query(Room).one()
    theory = arrangement.of(plan).of_part(THEORY)[0]
    new = dataclasses.replace(theory, key="", starts_at=at(plan, 14))
    for site, staff, wanted in (
            (dataclasses.replace(new, starts_at=theory.starts_at), [], "double_booked"),
            (dataclasses.replace(new, candidates=31), [], "too_few_seats"),
            (dataclasses.replace(new, starts_at=at(plan, 9, -1)), [], "before_first_day"),
            (dataclasses.replace(new, starts_at=datetime(2026, 5, 1, tzinfo=UTC)), [], "in_the_past"),
            (dataclasses.replace(new, minutes=0), [], "minutes"),
            (dataclasses.replace(new, part=REVIEW), [], "no_review"),
            (dataclasses.replace(new, part="oral"), [], "no_part"),
            (dataclasses.replace(new, key="s99"), [], "no_site"),
            (dataclasses.replace(new, starts_at=datetime(2027, 1, 5, tzinfo=UTC)), [], "scope_not_valid"),
            (new, [world.liu.account_id], "not_qualified")):
        assert code_of(lambda site=site, staff=staff: arranging.keep_site(  # type: ignore[misc]  # bound now
            session, plan, site, staff, world.liu, room=room, now=MONDAY)) == wanted
    assert code_of(lambda: arranging.keep_site(session, plan, new, [], world.liu, now=MONDAY)) == "no_room"
    practical = dataclasses.replace(new, part=PRACTICAL, place=" ")
    assert code_of(lambda: arranging.keep_site(session, plan, practical, [], world.liu, now=MONDAY)) == "no_place"
    busy = dataclasses.replace(practical, place="钳工间", starts_at=at(plan, 9, 1))
    assert code_of(lambda: arranging.keep_site(session, plan, busy, arrangement.of(plan).of_part(PRACTICAL)[0].staff_ids, world.liu,
                                               now=MONDAY)) == "double_booked"


def test_another_plan_of_the_day_does_not_get_the_same_room_and_people(world: PlanWorld) -> None:
    plan = world.arranged()
    other = following.copy_plan(world.session, plan, "第二批", world.liu, starts_on=FIRST_DAY, now=MONDAY)
    with pytest.raises(Refused) as refusal:
        desk.submit(world.session, other, world.liu, now=MONDAY)
    assert any("机房一同一时间已用于“2026年电工认定”" in line for line in refusal.value.details)
    assert any("孙丽同一时间在“2026年电工认定”的机房一" in line for line in refusal.value.details)


def test_a_plan_is_copied_to_a_later_day_without_its_candidates(world: PlanWorld) -> None:
    plan = world.arranged()
    world.enrol(plan, 2)
    later = following.copy_plan(world.session, plan, "下一批", world.liu, starts_on=date(2026, 9, 1), now=MONDAY)
    assert arrangement.of(later).days == (date(2026, 9, 1), date(2026, 9, 2))
    assert later.ends_on == date(2026, 9, 2)
    assert [one.starts_at.hour for one in arrangement.of(later).sites] == [9, 8, 12]  # the hours of China's clocks stay
    assert later.enrolments == []
    desk.submit(world.session, later, world.liu, now=MONDAY)


# Carrying out what was approved

def test_the_sittings_are_laid_out_from_the_plan_in_one_step(world: PlanWorld) -> None:
    plan = approve(world, world.arranged())
    made = following.lay_out(world.session, plan, world.liu, now=MONDAY)
    assert [(one.name, one.starts_at, [used.room.name for used in one.rooms]) for one in made] == [("理论第一场", at(plan, 9), ["机房一"])]
    assert {watcher.account.name for watcher in made[0].rooms[0].invigilators} == {"孙丽", "赵强"}
    assert code_of(lambda: following.lay_out(world.session, plan, world.liu, now=MONDAY)) == "nothing_missing"


def test_sittings_and_rooms_do_not_drift_from_the_approved_plan(world: PlanWorld) -> None:
    plan = approve(world, world.arranged())
    session = world.session
    with pytest.raises(Refused, match=r"四\(一\)") as refusal:
        sittings.add_sitting(session, plan, "加场", world.liu, starts_at=at(plan, 14), minutes=90, now=MONDAY)
    assert refusal.value.code == "not_planned"
    assert "先报送方案变更" in refusal.value.sentence
    sitting = following.lay_out(session, plan, world.liu, now=MONDAY)[0]
    with pytest.raises(Refused, match="没有安排"):
        sittings.change_sitting(session, sitting, "改期", world.liu, starts_at=at(plan, 9, 1), minutes=90, now=MONDAY)
    other = seating.add_room(session, world.school, "机房二", 30, world.liu)
    with pytest.raises(Refused, match="没有安排这个地点"):
        seating.use_room(session, sitting, other, [one.account_id for one in world.watchers[2:]], world.liu)


def test_an_amendment_goes_the_plans_way_and_old_and_new_are_kept(world: PlanWorld) -> None:
    plan = world.arranged(3)
    for officer in (world.tan, world.yao):
        if plan.state is PlanState.DRAFT:
            desk.submit(world.session, plan, world.liu, now=MONDAY)
        desk.decide(world.session, plan, officer, True, "", now=MONDAY)
    session = world.session
    amendment = amending.start(session, plan, world.liu, now=MONDAY)
    assert code_of(lambda: amending.start(session, plan, world.liu, now=MONDAY)) == "amendment_open"
    assert code_of(lambda: amending.submit(session, amendment, "没有变化的变更", world.liu, now=MONDAY)) == "nothing_changed"
    room = session.query(Room).one()
    moved = changed(plan, "s1", starts_at=at(plan, 14))
    arranging.keep_site(session, amendment, moved, moved.staff_ids, world.liu, room=room, now=MONDAY)
    assert code_of(lambda: amending.submit(session, amendment, " ", world.liu, now=MONDAY)) == "no_reason"
    amending.submit(session, amendment, "上午学校停电检修", world.liu, now=MONDAY)
    assert amending.changes(amendment) == [f"理论知识考试 2026年7月1日 09:00 {room.name}：时间由“2026年7月1日 09:00”改为“2026年7月1日 14:00”。"]
    assert code_of(lambda: amending.decide(session, amendment, world.yao, True, "", now=MONDAY)) == "not_your_duty"
    amending.decide(session, amendment, world.tan, True, "", now=MONDAY)
    assert amendment.state is PlanState.CITY_FILED
    assert arrangement.of(plan).of_part(THEORY)[0].starts_at == at(plan, 9)  # until the province approves the old plan holds
    amending.decide(session, amendment, world.yao, True, "同意", now=MONDAY)
    session.refresh(plan)
    assert arrangement.of(plan).of_part(THEORY)[0].starts_at == at(plan, 14)
    assert arrangement.read(amendment.before).of_part(THEORY)[0].starts_at == at(plan, 9)
    assert [one.state for one in amendment.decisions] == [PlanState.CITY_FILED, PlanState.APPROVED]
    assert amending.open_of(session, plan) is None


def test_an_amendment_that_comes_back_is_corrected_and_its_writer_does_not_decide(world: PlanWorld) -> None:
    plan = approve(world, world.arranged())
    session = world.session
    amendment = amending.start(session, plan, world.liu, now=MONDAY)
    arranging.keep_site(session, amendment, changed(plan, "s2", candidates=14), arrangement.of(plan).of_part(PRACTICAL)[0].staff_ids, world.liu,
                        now=MONDAY)
    amending.submit(session, amendment, "工位检修，减少一名", world.liu, now=MONDAY)
    assert code_of(lambda: amending.discard(session, amendment, world.liu)) == "amendment_sent"
    assert code_of(lambda: amending.decide(session, amendment, world.tan, False, " ", now=MONDAY)) == "comment_missing"
    both = Viewer(world.liu.account_id, "liu", "刘建平", 1, (*world.liu.scopes, Scope(Role.CITY_OFFICER, region="4301")))
    assert code_of(lambda: amending.decide(session, amendment, both, True, "", now=MONDAY)) == "own_plan"
    amending.decide(session, amendment, world.tan, False, "说明余下一名如何安排", now=MONDAY)
    assert amendment.state is PlanState.RETURNED
    amending.submit(session, amendment, "一名考生缓考，工位减少", world.liu, now=MONDAY)
    amending.decide(session, amendment, world.tan, True, "", now=MONDAY)
    assert arrangement.of(plan).of_part(PRACTICAL)[0].candidates == 14


def test_bringing_the_first_day_forward_is_filed_ten_working_days_ahead_again(world: PlanWorld) -> None:
    plan = approve(world, world.arranged())
    amendment = amending.start(world.session, plan, world.liu, now=MONDAY)
    room = world.session.query(Room).one()
    early = changed(plan, "s1", starts_at=at(plan, 9, -16))  # 15 June: between 1 and 15 June lie nine working days
    arranging.keep_site(world.session, amendment, early, early.staff_ids, world.liu, room=room, now=MONDAY)
    assert code_of(lambda: amending.submit(world.session, amendment, "提前到六月中旬", world.liu, now=MONDAY)) == "too_late"
    in_time = changed(plan, "s1", starts_at=at(plan, 9, -15))  # 16 June: ten
    arranging.keep_site(world.session, amendment, in_time, in_time.staff_ids, world.liu, room=room, now=MONDAY)
    amending.submit(world.session, amendment, "提前到六月中旬", world.liu, now=MONDAY)
    amending.decide(world.session, amendment, world.tan, True, "", now=MONDAY)
    assert plan.starts_on == date(2026, 6, 16)


def test_a_change_is_decided_before_it_is_carried_out(world: PlanWorld) -> None:
    plan = approve(world, world.arranged())
    amendment = amending.start(world.session, plan, world.liu, now=MONDAY)
    moved = changed(plan, "s1", starts_at=at(plan, 14))
    arranging.keep_site(world.session, amendment, moved, moved.staff_ids, world.liu, room=world.session.query(Room).one(), now=MONDAY)
    amending.submit(world.session, amendment, "上午停电检修", world.liu, now=MONDAY)
    assert code_of(lambda: amending.decide(world.session, amendment, world.tan, True, "", now=at(plan, 15))) == "in_the_past"


def test_sheets_that_are_dealt_keep_their_day_and_room(world: PlanWorld) -> None:
    plan = approve(world, world.arranged())
    sitting = following.lay_out(world.session, plan, world.liu, now=MONDAY)[0]
    sitting.state = SittingState.DEALT
    amendment = amending.start(world.session, plan, world.liu, now=MONDAY)
    moved = changed(plan, "s1", starts_at=at(plan, 9, 3))
    arranging.keep_site(world.session, amendment, moved, moved.staff_ids, world.liu, room=world.session.query(Room).one(), now=MONDAY)
    assert code_of(lambda: amending.submit(world.session, amendment, "改到周末进行", world.liu, now=MONDAY)) == "sitting_dealt"


def test_a_draft_is_changed_without_an_amendment_and_a_draft_amendment_is_thrown_away(world: PlanWorld) -> None:
    plan = world.arranged()
    assert code_of(lambda: amending.start(world.session, plan, world.liu, now=MONDAY)) == "plan_state"
    arranging.drop_site(world.session, plan, "s3", world.liu)
    assert [one.key for one in arrangement.of(plan).sites] == ["s1", "s2"]
    assert code_of(lambda: arranging.drop_site(world.session, plan, "s3", world.liu)) == "no_site"
    plan = approve(world, arrange(world.session, world.people, world_second(world), world.liu, room_name="机房二"))
    assert code_of(lambda: arranging.drop_site(world.session, plan, "s1", world.liu)) == "plan_state"
    amendment = amending.start(world.session, plan, world.liu, now=MONDAY)
    amending.discard(world.session, amendment, world.liu)
    assert amending.amendments_of(world.session, plan) == []


def world_second(world: PlanWorld) -> ExamPlan:
    return desk.draft_plan(world.session, world.school, world.standard, 4, "第二批", world.liu, starts_on=date(2026, 7, 8), contact="刘老师", now=MONDAY)


def test_differences_name_what_was_added_and_taken_away() -> None:
    site = Site("s1", PRACTICAL, "实训室", datetime(2026, 7, 1, 1, tzinfo=UTC), 180, 15, staff=((1, "王工"),))
    told = "操作技能考核 2026年7月1日 09:00 实训室，180 分钟，考生 15 人，考评员 王工"
    assert arrangement.differences(Arrangement(), Arrangement((site,))) == [f"增加：{told}。"]
    assert arrangement.differences(Arrangement((site,)), Arrangement()) == [f"取消：{told}。"]
    assert arrangement.read(Arrangement((site,)).to_json()) == Arrangement((site,))
    assert arrangement.differences(Arrangement((site,)), Arrangement((site,)).moved(timedelta(0))) == []


# Pages and paper

def test_the_officer_arranges_on_the_page_and_the_office_reads_it(world: PlanWorld, session: Session, enter: Enter) -> None:
    plan = world.draft()
    room = seating.add_room(session, world.school, "机房一", 30, world.liu)
    session.commit()
    liu = enter(world.liu)
    data = {"part": "theory", "room_id": room.id, "starts_at": "2026-07-01T09:00", "minutes": 90, "candidates": 30,
            "staff_theory": [one.account_id for one in world.watchers[:2]]}
    for bad in ({"minutes": "x"}, {"candidates": ""}, {"starts_at": ""}, {"staff_theory": ["x"]}, {"part": "review"}, {"room_id": ""}, {"candidates": "31"}):
        answer = liu.post(f"/plans/{plan.id}/sites", data=data | bad)
        assert answer.status_code == 409, bad
        assert "notice-danger" in answer.get_data(as_text=True)
    assert liu.post(f"/plans/{plan.id}/sites", data=data | {"room_id": 99}).status_code == 404
    assert liu.post(f"/plans/{plan.id}/sites", data=data).status_code == 302
    page = liu.get(f"/plans/{plan.id}/arrangement?key=s1").get_data(as_text=True)
    assert "没有安排操作技能考核的时间和地点" in page
    assert 'data-ratio="15"' in page  # what the page needs to say required / available while it is filled in
    assert liu.post(f"/plans/{plan.id}/sites", data={"act": "drop", "key": "s1"}).status_code == 302
    assert liu.post(f"/plans/{plan.id}/sites", data={"act": "drop", "key": "s1"}).status_code == 409
    assert liu.get(f"/plans/{plan.id}/copy").status_code == 200
    assert liu.post(f"/plans/{plan.id}/copy", data={"title": "", "starts_on": "2026-09-01"}).status_code == 409
    assert liu.post(f"/plans/{plan.id}/copy", data={"title": "下一批", "starts_on": "2026-09-01"}).status_code == 302
    tan = enter(world.tan)
    assert tan.get(f"/plans/{plan.id}/arrangement").status_code == 200
    assert tan.post(f"/plans/{plan.id}/sites", data=data).status_code == 403


def test_an_amendment_is_made_sent_and_decided_on_its_page(world: PlanWorld, session: Session, enter: Enter) -> None:
    plan = approve(world, world.arranged())
    room = session.query(Room).one()
    staff = list(arrangement.of(plan).of_part(THEORY)[0].staff_ids)
    session.commit()
    liu, tan = enter(world.liu), enter(world.tan)
    assert liu.post(f"/plans/{plan.id}/amendments").headers["Location"] == "/plans/amendments/1"
    data = {"key": "s1", "part": "theory", "room_id": room.id, "starts_at": "2026-07-01T14:00", "minutes": 90, "candidates": 30, "staff_theory": staff}
    assert liu.post("/plans/amendments/1/sites", data=data).status_code == 302
    assert "改为“2026年7月1日 14:00”" in liu.get("/plans/amendments/1").get_data(as_text=True)
    assert liu.post("/plans/amendments/1/submit", data={"reason": ""}).status_code == 409
    assert liu.post("/plans/amendments/1/submit", data={"reason": "上午停电检修"}).status_code == 302
    assert liu.post("/plans/amendments/1/discard").status_code == 409
    assert tan.post("/plans/amendments/1/decide", data={}).status_code == 409
    assert "审核变更" in tan.get("/plans/amendments/1").get_data(as_text=True)
    assert tan.post("/plans/amendments/1/decide", data={"verdict": "approve"}).status_code == 302
    page = liu.get(f"/plans/{plan.id}").get_data(as_text=True)
    assert "第 1 次变更" in page
    assert "2026年7月1日 14:00" in page
    assert liu.post(f"/plans/{plan.id}/lay-out").status_code == 302
    assert "机房一" in liu.get(f"/plans/{plan.id}").get_data(as_text=True)


def test_while_a_plan_is_edited_the_page_asks_for_its_latest_day(world: PlanWorld, session: Session, enter: Enter) -> None:
    plan = world.draft()
    session.commit()
    liu = enter(world.liu)
    assert liu.get("/plans/latest-day?scope_id=1&starts_on=2026-07-01").json == {
        "sentence": "首考日前 10 个工作日：最迟报送日 2026年6月15日。", "late": False}
    late = liu.get(f"/plans/latest-day?plan_id={plan.id}&starts_on=2026-06-10").json
    assert late is not None
    assert late["late"] is True
    unknown = liu.get(f"/plans/latest-day?plan_id={plan.id}&starts_on=2031-03-03").json
    assert unknown is not None
    assert "2031 年" in unknown["sentence"]  # asked for, never guessed
    assert liu.get("/plans/latest-day?scope_id=1&starts_on=x").status_code == 409


def test_strangers_find_no_arrangement_amendment_or_document(world: PlanWorld, session: Session, enter: Enter) -> None:
    plan = approve(world, world.arranged())
    amending.start(session, plan, world.liu, now=MONDAY)
    other = world.people.school("他校", region="430700")
    strangers = [world.people("常德考务", Role.EXAM_OFFICER, school=other),
                 world.people("常德市中心", scopes=[Scope(Role.CITY_OFFICER, region="4307")], school=other)]
    session.commit()
    for stranger in strangers:
        client = enter(stranger)
        for address in (f"/plans/{plan.id}/arrangement", "/plans/amendments/1", f"/plans/{plan.id}/plan.pdf"):
            assert client.get(address).status_code == 404, address
        for address in (f"/plans/{plan.id}/sites", "/plans/amendments/1/sites", f"/plans/{plan.id}/amendments", "/plans/amendments/1/submit",
                        "/plans/amendments/1/decide", "/plans/amendments/1/discard", f"/plans/{plan.id}/lay-out", f"/plans/{plan.id}/copy"):
            assert client.post(address).status_code in {403, 404}, address


def test_the_plan_prints_as_the_offices_read_it(world: PlanWorld) -> None:
    plan = approve(world, world.arranged())
    world.enrol(plan, 3)
    amendment = amending.start(world.session, plan, world.liu, now=MONDAY)
    moved = changed(plan, "s1", starts_at=at(plan, 14))
    arranging.keep_site(world.session, amendment, moved, moved.staff_ids, world.liu, room=world.session.query(Room).one(), now=MONDAY)
    amending.submit(world.session, amendment, "上午停电检修", world.liu, now=MONDAY)
    amending.decide(world.session, amendment, world.tan, True, "同意变更", now=MONDAY)
    printed = pypdf.PdfReader(io.BytesIO(plan_document.pdf(world.session, plan, now=MONDAY)))
    text = "".join(page.extract_text() for page in printed.pages).replace("\n", "").replace(" ", "")
    for words in ("职业技能等级认定考务方案", "电工（6-31-01-03）", "四级/中级工", "2026年6月15日", "机房一", "孙丽", "考评员与考生 1∶5，不少于 3 人，单数",
                  "不收费", "第 1 次变更", "上午停电检修", "同意变更", "市鉴定中心意见"):
        assert words.replace(" ", "") in text, words

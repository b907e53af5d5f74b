"""Sittings, rooms with invigilators, papers, seats."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from examroom.plans import desk, seating, sittings
from examroom.plans.models import Seat, SittingState
from examroom.plans.steps import standing
from examroom.plans.todo import todo
from qbank.kernel.access import Role, Scope, Viewer
from qbank.kernel.accounts import Account, set_identity
from qbank.kernel.refused import Refused
from qbank.papers.models import Paper
from qbank.standards.models import Standard
from qbank.standards.ratios import THEORY, demand
from qbank.standards.rulepack import RulePack
from tests.arranged import arrange
from tests.conftest import MONDAY, People
from tests.plan_world import CIPHER, PlanWorld, identity_number


@pytest.fixture
def world(session: Session, people: People) -> PlanWorld:
    return PlanWorld.make(session, people)


def test_one_invigilator_for_fifteen_candidates_and_never_fewer_than_two() -> None:
    # domain.md 1.6: 30 candidates -> 2, 31 to 45 -> 3.
    assert [demand(RulePack(), THEORY, "6-31-01-03").needed(n) for n in (0, 1, 15, 30, 31, 45, 46)] == [2, 2, 2, 2, 3, 3, 4]


def test_the_refusal_names_how_many_invigilators_are_needed(world: PlanWorld) -> None:
    plan = world.draft()
    world.enrol(plan, 31)
    sitting = world.sitting(plan)
    room = seating.add_room(world.session, world.school, "大机房", 40, world.liu)
    ids = [person.account_id for person in world.watchers]
    for given, sentence in ((ids[:2], "31 名考生需要监考员 3 人.*已安排 2 人，还差 1 人"), ([], "需要监考员 3 人"), (ids[:1] * 3, "已安排 1 人")):
        with pytest.raises(Refused, match=sentence):
            seating.use_room(world.session, sitting, room, given, world.liu)
    assert len(seating.use_room(world.session, sitting, room, ids[:3], world.liu).invigilators) == 3


def test_an_invigilator_holds_the_role_for_the_school_and_is_no_candidate(world: PlanWorld) -> None:
    plan = world.draft()
    sitting = world.sitting(plan)
    room = seating.add_room(world.session, world.school, "机房一", 30, world.liu)
    teacher = world.people("没有角色的老师", Role.ITEM_AUTHOR)
    far = world.people("他校监考", Role.INVIGILATOR, school=world.people.school("他校"))
    for stranger in (teacher.account_id, far.account_id, 987_654):
        with pytest.raises(Refused, match="没有本校监考员权限"):
            seating.use_room(world.session, sitting, room, [world.watchers[0].account_id, stranger], world.liu)
    account = world.session.get_one(Account, world.watchers[1].account_id)
    set_identity(account, identity_number(1), CIPHER)
    account.name = "考生001"
    world.enrol(plan, 1)
    with pytest.raises(Refused, match="考生001是本方案的考生"):
        seating.use_room(world.session, sitting, room, [person.account_id for person in world.watchers[:2]], world.liu)
    regional = world.people("区域监考", scopes=[Scope(Role.INVIGILATOR, region="4301")])
    seating.use_room(world.session, sitting, room, [world.watchers[0].account_id, regional.account_id], world.liu)


def test_nobody_and_no_room_is_in_two_places_at_once(world: PlanWorld) -> None:
    plan = world.draft()
    first, second = world.ready(plan), world.sitting(plan, "理论第二场", 10)  # 09:00-10:30 and 10:00-11:30
    ids = [person.account_id for person in world.watchers]
    rooms = [seating.add_room(world.session, world.school, name, 30, world.liu) for name in ("机房二", "机房三")]
    with pytest.raises(Refused, match="同一时间已用于"):
        seating.use_room(world.session, second, first.rooms[0].room, ids[2:], world.liu)
    with pytest.raises(Refused, match="孙丽同一时间已在"):
        seating.use_room(world.session, second, rooms[0], [ids[0], ids[2]], world.liu)
    with pytest.raises(Refused, match="同一时间已在"):  # two rooms of one sitting
        seating.use_room(world.session, first, rooms[0], ids[:2], world.liu)
    start = datetime(2026, 7, 1, 2, 30, tzinfo=UTC)  # 10:30: the first has ended
    sittings.change_sitting(world.session, second, "理论第二场", world.liu, starts_at=start, minutes=90, now=MONDAY)
    seating.use_room(world.session, second, first.rooms[0].room, ids[:2], world.liu)
    with pytest.raises(Refused, match="同一时间"):  # moving it back makes them collide
        sittings.change_sitting(world.session, second, "理论第二场", world.liu, starts_at=start - timedelta(minutes=1), minutes=90,
                                now=MONDAY)


def test_a_sitting_is_neither_before_the_first_exam_day_nor_in_the_past(world: PlanWorld) -> None:
    plan = world.draft()
    good = datetime(2026, 7, 1, 1, tzinfo=UTC)
    for starts_at, minutes, name, sentence in (
            (datetime(2026, 6, 30, 1, tzinfo=UTC), 90, "场", "首考日"), (MONDAY, 90, "场", "晚于现在"), (good, 0, "场", "时长"),
            (good, 301, "场", "时长"), (good, 90, " ", "场次名称"), (datetime(2027, 2, 1, tzinfo=UTC), 90, "场", "五\\(六\\)")):
        with pytest.raises(Refused, match=sentence):
            sittings.add_sitting(world.session, plan, name, world.liu, starts_at=starts_at, minutes=minutes, now=MONDAY)
    # 30 June 16:30 UTC is half past midnight on 1 July in China: the first exam day.
    sittings.add_sitting(world.session, plan, "夜场", world.liu, starts_at=datetime(2026, 6, 30, 16, 30, tzinfo=UTC), minutes=60, now=MONDAY)
    with pytest.raises(Refused, match="换一个名称"):
        sittings.add_sitting(world.session, plan, "夜场", world.liu, starts_at=good, minutes=90, now=MONDAY)


def test_the_officer_sees_fitting_sealed_papers_and_never_their_content(world: PlanWorld) -> None:
    plan = world.draft()
    sitting = world.sitting(plan)
    he, chen = world.people.account("何敏", Role.PAPER_COMPOSER), world.people.account("陈晓", Role.ITEM_AUTHOR)
    fitting = world.paper(he, chen)
    other = Standard(occupation=world.standard.occupation, edition="2020", title="电工 2020")
    world.session.add(other)
    wrong = [world.paper(he, chen, level=3), world.paper(he, chen, standard=other), world.paper(he, chen, standard=other, level=5, sealed=False),
             world.paper(he, chen, level=2, school=world.people.school("他校"))]
    assert [paper.id for paper in sittings.papers_for(world.session, sitting)] == [fitting.id]
    assert set(vars(sittings.papers_for(world.session, sitting)[0])) == {
            "id", "name", "form", "fingerprint", "sealed_at", "minutes", "family_id", "is_pool", "used_in"}
    for paper in wrong:
        with pytest.raises(Refused, match=r"没有找到这份试卷|不得超备案的职业"):
            sittings.choose_paper(world.session, sitting, paper.id, world.liu)
    sittings.choose_paper(world.session, sitting, fitting.id, world.liu)
    assert (sitting.paper_id, sitting.minutes) == (fitting.id, 120)
    sittings.change_sitting(world.session, sitting, "改名", world.liu, starts_at=sitting.starts_at, minutes=30, now=MONDAY)
    assert sitting.minutes == 120  # the paper's own


@pytest.mark.parametrize("insider", ["composer", "author"])
def test_who_made_the_paper_cannot_sit_it(world: PlanWorld, insider: str) -> None:
    plan = world.draft()
    he, chen = world.people.account("考生001", Role.PAPER_COMPOSER), world.people.account("陈晓", Role.ITEM_AUTHOR)
    paper = world.paper(*((he, chen) if insider == "composer" else (chen, he)))
    set_identity(he, identity_number(1), CIPHER)
    world.enrol(plan, 1)
    with pytest.raises(Refused, match=r"考生001.*回避"):
        sittings.choose_paper(world.session, world.sitting(plan), paper.id, world.liu)


def seats_of(world: PlanWorld, sitting_id: int) -> dict[str, tuple[str, int]]:
    query = sa.select(Seat).where(Seat.sitting_id == sitting_id)
    return {seat.enrolment.candidate.name: (seat.sitting_room.room.name, seat.number) for seat in world.session.scalars(query)}


def test_seats_are_drawn_from_the_seed_and_can_be_drawn_again(world: PlanWorld) -> None:
    plan = world.draft()
    world.enrol(plan, 12)
    sitting = world.ready(plan, seats=8)
    with pytest.raises(Refused, match="12 名考生，考场共 8 座，还差 4 座"):
        seating.seat_all(world.session, sitting, world.liu, seed="a")
    room = seating.add_room(world.session, world.school, "机房二", 10, world.liu)
    seating.use_room(world.session, sitting, room, [person.account_id for person in world.watchers[2:]], world.liu)
    assert seating.seat_all(world.session, sitting, world.liu, seed="a") == 12
    first = seats_of(world, sitting.id)
    assert sorted(place for place in first.values()) == sorted([("机房一", n) for n in range(1, 9)] + [("机房二", n) for n in range(1, 5)])
    # Anybody repeats the draw: the order of SHA-256("a|ticket").
    tickets = {seat.enrolment.candidate.name: seat.enrolment.ticket_number for seat in world.session.scalars(sa.select(Seat))}
    by_hand = sorted(tickets, key=lambda name: seating.draw("a", tickets[name]))
    assert [first[name] for name in by_hand[:8]] == [("机房一", n) for n in range(1, 9)]
    seating.seat_all(world.session, sitting, world.liu, seed="b")
    assert seats_of(world, sitting.id) != first
    seating.seat_all(world.session, sitting, world.liu, seed="a")
    assert seats_of(world, sitting.id) == first
    assert sitting.seating_seed == "a"


def test_classes_go_to_different_sittings(world: PlanWorld) -> None:
    plan = world.draft()
    world.enrol(plan, 3, class_name="一班")
    world.enrol(plan, 2, first=4, class_name="二班")
    morning = world.ready(plan)
    evening = world.sitting(plan, "理论第二场", 14)
    seating.use_room(world.session, evening, morning.rooms[0].room, [person.account_id for person in world.watchers[:2]], world.liu)
    assert seating.seat_all(world.session, morning, world.liu, seed=1, classes=["一班"]) == 3
    assert sittings.unseated(world.session, plan) == 2
    assert seating.seat_all(world.session, evening, world.liu, seed=1) == 2  # who sits nowhere else
    with pytest.raises(Refused, match="没有需要编排座位的考生"):
        seating.seat_all(world.session, evening, world.liu, seed=1, classes=["一班"])


def test_too_few_invigilators_for_those_who_sit_there(world: PlanWorld) -> None:
    plan = world.draft()
    sitting = world.ready(plan, seats=40)  # two invigilators, before anybody was enrolled
    world.enrol(plan, 31)
    with pytest.raises(Refused) as refusal:
        seating.seat_all(world.session, sitting, world.liu, seed=1)
    assert refusal.value.details == ("机房一：31 名考生需要监考员 3 人（监考员与考生 1∶15，不少于 2 人），已安排 2 人，还差 1 人。",)


def test_once_sheets_are_dealt_only_invigilators_may_change(world: PlanWorld) -> None:
    plan = world.draft()
    world.enrol(plan, 1)
    sitting = world.ready(plan)
    seating.seat_all(world.session, sitting, world.liu, seed=1)
    sitting.state = SittingState.DEALT
    world.session.flush()
    used, session = sitting.rooms[0], world.session
    other = seating.add_room(session, world.school, "机房二", 10, world.liu)
    ids = [person.account_id for person in world.watchers]
    for act in (lambda: seating.seat_all(session, sitting, world.liu, seed=2), lambda: seating.drop_room(session, used, world.liu),
                lambda: sittings.remove_sitting(session, sitting, world.liu), lambda: sittings.choose_paper(session, sitting, 1, world.liu),
                lambda: seating.use_room(session, sitting, other, ids[2:], world.liu)):
        with pytest.raises(Refused, match="不能再改"):
            act()
    seating.use_room(session, sitting, used.room, ids[1:3], world.liu)  # somebody fell ill
    assert {watcher.account_id for watcher in used.invigilators} == set(ids[1:3])


def test_a_room_keeps_the_seats_that_are_drawn(world: PlanWorld) -> None:
    plan = world.draft()
    world.enrol(plan, 5)
    sitting = world.ready(plan)
    seating.seat_all(world.session, sitting, world.liu, seed=1)
    room = sitting.rooms[0].room
    with pytest.raises(Refused, match="5 号座"):
        seating.change_room(world.session, room, "机房一", 4, world.liu)
    for name, seats in (("", 5), ("机房", 0), ("机房", 501)):
        with pytest.raises(Refused):
            seating.add_room(world.session, world.school, name, seats, world.liu)
    with pytest.raises(Refused, match="换一个名称"):
        seating.add_room(world.session, world.school, "机房一", 5, world.liu)


def test_the_steps_lead_to_dealing(world: PlanWorld) -> None:
    plan = world.draft()
    session = world.session

    def step() -> str:
        session.expire_all()
        found = standing(session, plan).next_step
        return found.title if found else ""

    assert step() == "日期地点人员"
    sitting = world.ready(plan)
    assert [one.title[:4] for one in todo(session, world.liu, now=datetime(2026, 6, 20, tzinfo=UTC))] == ["报送考务", "准备场次"]
    assert sittings.obstacles(session, sitting)[:2] == ["考务方案草稿，批准后才能发卷。", "还没有选用试卷。"]
    arrange(session, world.people, plan, world.liu, watchers=world.watchers)
    desk.submit(session, plan, world.liu, now=MONDAY)
    assert step() == "审核批准"
    desk.decide(session, plan, world.tan, True, "", now=MONDAY)
    assert step() == "考生名单"
    world.enrol(plan, 2)
    assert step() == "选用试卷"
    he, chen = world.people.account("何敏"), world.people.account("陈晓")
    sittings.choose_paper(session, sitting, world.paper(he, chen).id, world.liu)
    assert step() == "编排座位"
    seating.seat_all(session, sitting, world.liu, seed=1)
    assert step() == "开考前发卷"
    assert sittings.obstacles(session, sitting) == []
    assert todo(session, world.liu, now=datetime(2026, 6, 20, tzinfo=UTC)) == []


def test_the_pages_of_a_sitting(world: PlanWorld, session: Session, enter: Callable[[Viewer], FlaskClient]) -> None:
    plan = world.approved()
    world.enrol(plan, 4)
    he, chen = world.people.account("何敏"), world.people.account("陈晓")
    paper = world.paper(he, chen)
    ids = [person.account_id for person in world.watchers]
    paper_id = paper.id
    session.commit()
    liu = enter(world.liu)
    time = {"name": "理论第一场", "starts_at": "2026-07-01T09:00", "minutes": "90"}
    for bad in ({"starts_at": "上午"}, {"minutes": "长"}, {"name": ""}, {"minutes": "9" * 30}):
        assert liu.post("/plans/1/sittings", data=time | bad).status_code == 409, bad
    assert liu.post("/plans/1/sittings").status_code == 409
    assert liu.post("/plans/1/sittings", data=time).headers["Location"] == "/plans/sittings/1"
    for bad in ({"seats": "多"}, {"name": ""}, {"institution_id": ""}):
        assert liu.post("/plans/rooms", data={"institution_id": world.school.id, "name": "机房一", "seats": 30} | bad).status_code == 409
    assert liu.post("/plans/rooms", data={"institution_id": world.school.id, "name": "机房一", "seats": 30}).status_code == 302
    assert liu.post("/plans/rooms/1", data={"name": "第一机房", "seats": 32, "row_version": 1}).status_code == 302
    assert "第一机房" in liu.get("/plans/rooms").get_data(as_text=True)
    assert liu.post("/plans/sittings/1/rooms", data={"room_id": 1, "invigilator_id": ids[:1]}).status_code == 409
    assert liu.post("/plans/sittings/1/rooms", data={"room_id": 1, "invigilator_id": ["x"]}).status_code == 409
    assert liu.post("/plans/sittings/1/rooms", data={"room_id": 1, "invigilator_id": ids[:2]}).status_code == 302
    assert liu.post("/plans/rooms", data={"institution_id": world.school.id, "name": "机房二", "seats": 30}).status_code == 302
    assert "（已在“理论第一场”第一机房）" in liu.get("/plans/sittings/1").get_data(as_text=True)  # nobody need try and fail
    assert liu.post("/plans/sittings/1/paper").status_code == 409
    assert liu.post("/plans/sittings/1/paper", data={"paper_id": paper_id}).status_code == 302
    assert liu.post("/plans/sittings/1/seats", data={"all": 1}).status_code == 302
    page = liu.get("/plans/sittings/1").get_data(as_text=True)
    assert str(world.session.get_one(Paper, paper_id).fingerprint) in page  # the fingerprint
    assert "保密题干" not in page
    assert "发卷前还需要" not in page
    assert liu.post("/plans/sittings/1/change", data=time | {"name": "上午场", "row_version": "99"}).status_code == 409
    assert liu.post("/plans/sittings/1/change", data=time | {"name": "上午场"}).status_code == 302
    assert "上午场" in enter(world.tan).get("/plans/1").get_data(as_text=True)
    assert "保密题干" not in enter(world.tan).get("/plans/sittings/1").get_data(as_text=True)
    assert enter(world.tan).post("/plans/sittings/1/seats").status_code == 403
    assert liu.post("/plans/sitting-rooms/1/drop").status_code == 302
    assert liu.post("/plans/sittings/1/remove").status_code == 302
    assert liu.get("/plans/sittings/1").status_code == 404

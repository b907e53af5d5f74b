"""The draw: fair, repeatable from its seed, replaced only with a reason and a second person before the start."""

from __future__ import annotations

import json
import subprocess
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.orm import Session

from examroom.plans.arrangement import Arrangement, Site
from examroom.plans.condition_models import Qualification
from examroom.plans.models import Enrolment, PlanState
from qbank.kernel.access import Role, Scope, Viewer
from qbank.kernel.refused import Refused
from qbank.standards.ratios import PRACTICAL
from scoring.practical import desk, tasks
from scoring.practical import draw as draws
from scoring.practical.bank_models import DrawState
from scoring.practical.bank_todo import todo
from scoring.practical.lots import ModulePool, Pool, deal, fingerprint
from scoring.practical.models import PracticalGroup, Rubric
from scoring.practical.modules import current_draw, drawn_rubrics, drew, lots_of, modules_of
from scoring.practical.papers_print import print_draw
from tests.scoring.outcome_world import NOW
from tests.scoring.practical_world import TOMORROW, BankWorld

Enter = Callable[[Viewer], FlaskClient]


@pytest.fixture
def world(session: Session, people: Any) -> BankWorld:
    return BankWorld(session, people)


def code_of(act: Callable[[], Any]) -> str:
    with pytest.raises(Refused) as refused:
        act()
    return refused.value.code


# The lot, pure

pools = st.builds(lambda people, tasks, units, stations: Pool(
    [f"T{number:03d}" for number in range(people)],
    [ModulePool("1", {"": [f"a{number}" for number in range(tasks)]}, stations),
     ModulePool("2", {f"u{unit}": [f"b{unit}"] for unit in range(units)}, stations)]),
    st.integers(1, 40), st.integers(1, 5), st.integers(2, 4), st.integers(1, 12))


@given(pools, st.text(max_size=20))
def test_everybody_gets_one_task_and_one_place_and_tasks_are_used_alike(pool: Pool, seed: str) -> None:
    lots = deal(seed, pool)
    for module in pool.modules:
        own = [lot for lot in lots if lot.module == module.key]
        assert sorted(lot.candidate for lot in own) == sorted(pool.candidates)
        assert len({(lot.turn, lot.station) for lot in own}) == len(own)
        assert max(lot.station for lot in own) <= module.stations
        assert max(lot.turn for lot in own) == -(-len(own) // module.stations)  # no turn that is not needed
        uses = Counter(lot.task for lot in own)
        used = [uses[task] for unit in module.units.values() for task in unit]
        assert max(used) - min(used) <= 1


@given(pools, st.text(max_size=20))
def test_the_same_seed_draws_the_same_in_any_year(pool: Pool, seed: str) -> None:
    assert deal(seed, Pool.from_json(pool.to_json())) == deal(seed, pool)


def test_a_known_seed_draws_what_it_drew_when_this_was_written() -> None:
    pool = Pool([str(number) for number in range(10)], [ModulePool("1", {"": ["a", "b", "c"]}, 4)])
    assert fingerprint(deal("s", pool)) == "4b4b904f5c526bd7d9ae833a13da29019615a41e4ebf3254437d71b8a4a1e17e"


def test_every_candidate_is_as_likely_to_get_a_task_or_a_station() -> None:
    # 3000 seeds, 5 candidates, 3 tasks, 5 stations. The first of them: each task 1000 ± 4·√(3000·1/3·2/3) = ±103,
    # each station 600 ± 4·√(3000·0.2·0.8) = ±88.
    pool = Pool(list("ABCDE"), [ModulePool("1", {"": ["x", "y", "z"]}, 5)])
    drawn = [next(lot for lot in deal(str(seed), pool) if lot.candidate == "A") for seed in range(3000)]
    assert all(abs(number - 1000) < 104 for number in Counter(lot.task for lot in drawn).values())
    assert all(abs(number - 600) < 89 for number in Counter(lot.station for lot in drawn).values())


def test_a_chosen_unit_is_kept_and_an_empty_module_is_an_error() -> None:
    chosen = ModulePool("1", {"PLC": ["a"], "变频器": ["b"]}, 2, {"A": "PLC", "B": "PLC", "C": "变频器"})
    assert {lot.candidate: lot.task for lot in deal("s", Pool(list("ABC"), [chosen]))} == {"A": "a", "B": "a", "C": "b"}
    for bad in (ModulePool("1", {"": []}, 2), ModulePool("1", {"": ["a"]}, 0), ModulePool("1", {}, 2)):
        with pytest.raises(ValueError, match="without"):
            deal("s", Pool(["A"], [bad]))


# The draw of a plan

def test_a_draw_is_stored_with_its_seed_and_comes_out_again(world: BankWorld) -> None:
    found = world.drawn("王一", "王二", "王三", "王四", "王五", seed="种子")
    assert (found.number, found.seed, found.drawn_by, found.drawn_at) == (1, "种子", world.officer.account_id, NOW)
    assert len(found.lots) == 15  # five candidates, three modules
    assert draws.repeats(found)
    wiring, repair, control = found.structure.modules
    mine = lots_of(world.session, world.plan.enrolments[0])
    assert mine.keys() == {wiring.id, repair.id, control.id}
    assert mine[control.id].version.task.option == "PLC"  # chosen, not drawn
    assert {lot.version.task.option for lot in found.lots if lot.module_id == repair.id} == {"车床", "铣床", "磨床"}
    assert list(modules_of(world.session, world.plan)) == [wiring, repair, control]
    assert sum(module.weight for module in modules_of(world.session, world.plan)) == 200
    rubric = mine[wiring.id].version.rubric
    assert world.plan.enrolments[0].id in drew(world.session, world.plan, rubric.id)
    found.lots[0].station, found.lots[1].station = 9, found.lots[0].station  # somebody changes the record
    assert not draws.repeats(found)


def test_two_draws_without_a_seed_differ_and_two_with_the_same_seed_do_not(world: BankWorld) -> None:
    names = [f"考生{number}" for number in range(12)]
    first = world.drawn(*names)
    zhang = world.people("张同意", Role.EXAM_OFFICER)
    draws.ask_redraw(world.session, first, "设备故障", world.officer, now=NOW)
    second = draws.redraw(world.session, first, zhang, now=NOW)
    assert first.seed != second.seed
    assert first.fingerprint != second.fingerprint
    draws.ask_redraw(world.session, second, "再抽", world.officer, now=NOW)
    third = draws.redraw(world.session, second, zhang, seed=first.seed, now=NOW)
    assert third.fingerprint == first.fingerprint


def test_groups_are_formed_from_those_who_drew_a_task(world: BankWorld, enter: Enter) -> None:
    found = world.drawn("王一", "王二", "王三")
    before = drawn_rubrics(world.session, world.plan)
    assert [(one.module.position, one.drawn, len(one.left)) for one in before][-1] == (3, 3, 3)
    whole = world.rubric()
    assessors = world.assessors("刘一", "刘二", "刘三")
    control = before[-1]

    def formed(rubric: Rubric, members: list[Enrolment]) -> PracticalGroup:
        return desk.form_group(world.session, world.plan, rubric, "三模块", world.officer, starts_at=TOMORROW, place="机房",
                               assessor_ids=[one.account_id for one in assessors], enrolment_ids=[one.id for one in members])

    assert code_of(lambda: formed(whole, control.left)) == "not_drawn"
    machine = next(lot for lot in found.lots if lot.module_id == found.structure.modules[1].id)
    others = [one for one in world.plan.enrolments if one.id != machine.enrolment_id]
    assert code_of(lambda: formed(machine.version.rubric, others)) == "other_task"
    group = formed(control.version.rubric, control.left)
    assert group.module == control.module
    assert drawn_rubrics(world.session, world.plan)[-1].left == []
    assert code_of(lambda: draws.ask_redraw(world.session, found, "设备故障", world.officer, now=NOW)) == "already_grouped"
    world.session.commit()
    officer, address = enter(world.officer), f"/practical/plans/{world.plan.id}/groups/new"
    assert "按模块和抽到的试题分别编组" in officer.get(address).text
    assert "正在编组" in officer.get(f"{address}?rubric_id={machine.version.rubric_id}").text


def test_a_task_is_not_used_for_a_group_without_a_draw(world: BankWorld) -> None:
    version = world.task(world.structure().modules[0], "DG4-1-01")
    enrolled, assessors = world.enrol("王一"), world.assessors("刘一", "刘二", "刘三")
    assert code_of(lambda: world.group(enrolled, assessors, version.rubric)) == "not_drawn"


def test_what_is_missing_for_a_draw_is_named(world: BankWorld) -> None:
    def held() -> Any:
        structure = draws.structure_for(world.session, world.plan)
        return draws.draw(world.session, world.plan, world.officer, stations={one.id: 2 for one in structure.modules} if structure else {},
                          starts_at=TOMORROW, now=NOW)

    assert code_of(held) == "no_structure"
    made = world.structure()
    world.task(made.modules[0], "DG4-1-01")
    world.task(made.modules[1], "DG4-2-01", option="车床")
    enrolled = world.enrol("王一", "王二")
    with pytest.raises(Refused) as refused:
        held()
    assert refused.value.details == (
        "模块“设备检修”的考核单元“铣床”还没有已审定、比重一致的试题", "模块“设备检修”的考核单元“磨床”还没有已审定、比重一致的试题",
        "模块“自动控制”的考核单元“PLC”还没有已审定、比重一致的试题", "模块“自动控制”的考核单元“变频器”还没有已审定、比重一致的试题",
        "模块“自动控制”任选一项，还有 2 名考生没有选定考核单元：王一、王二")
    world.session.delete(enrolled[1])


def test_nobody_is_drawn_before_everybody_is_judged_and_nobody_who_was_returned(world: BankWorld) -> None:
    made = world.ready("王一", "王二", "王三")
    one, two, three = world.plan.enrolments

    def held() -> Any:
        return draws.draw(world.session, world.plan, world.officer, stations={one.id: 2 for one in made.modules}, starts_at=TOMORROW, now=NOW)

    two.qualification, three.qualification = Qualification.RETURNED, Qualification.PENDING
    assert code_of(held) == "not_qualified"
    three.qualification = Qualification.ACCEPTED
    assert {lot.enrolment_id for lot in held().lots} == {one.id, three.id}


def test_a_draw_is_for_the_practical_exam_that_was_approved(world: BankWorld) -> None:
    made = world.ready("王一")
    site = Site("s1", PRACTICAL, "实训室", TOMORROW, 180, 1)
    world.plan.arrangement = Arrangement((site,)).to_json()
    asked: dict[str, Any] = {"stations": {one.id: 2 for one in made.modules}, "now": NOW}
    assert code_of(lambda: draws.draw(world.session, world.plan, world.officer, starts_at=TOMORROW + timedelta(hours=1), **asked)) == "not_planned"
    assert draws.draw(world.session, world.plan, world.officer, starts_at=TOMORROW, **asked).starts_at == TOMORROW


def test_a_draw_comes_before_the_start_and_before_the_groups_and_once(world: BankWorld) -> None:
    made = world.ready("王一", "王二", "王三")
    stations = {one.id: 2 for one in made.modules}

    def held(**more: Any) -> Any:
        asked: dict[str, Any] = {"stations": stations, "starts_at": TOMORROW, "now": NOW} | more
        return draws.draw(world.session, world.plan, world.officer, **asked)

    assert code_of(lambda: held(starts_at=NOW)) == "in_the_past"
    assert code_of(lambda: held(stations={})) == "no_stations"
    world.plan.state = PlanState.SUBMITTED
    assert code_of(held) == "plan_not_approved"
    world.plan.state = PlanState.APPROVED
    stranger = world.people("外校考务", Role.EXAM_OFFICER, school=world.people.school("外校"))
    assert code_of(lambda: draws.draw(world.session, world.plan, stranger, stations=stations, starts_at=TOMORROW, now=NOW)) == "not_your_duty"
    held()
    assert code_of(held) == "drawn"
    keys = [one.id for one in world.plan.enrolments]
    assert code_of(lambda: draws.choose_unit(world.session, world.plan, made.modules[2], keys, "变频器", world.officer)) == "drawn"


def test_a_new_draw_needs_a_reason_and_a_second_person_before_the_start(world: BankWorld) -> None:
    first = world.drawn("王一", "王二", "王三")
    zhang = world.people("张同意", Role.EXAM_OFFICER)
    assert code_of(lambda: draws.redraw(world.session, first, zhang, now=NOW)) == "not_asked"
    assert code_of(lambda: draws.ask_redraw(world.session, first, "  ", world.officer, now=NOW)) == "no_reason"
    draws.ask_redraw(world.session, first, "3 号工位设备故障", world.officer, now=NOW)
    assert code_of(lambda: draws.redraw(world.session, first, world.officer, now=NOW)) == "same_person"
    assert [one.title for one in todo(world.session, zhang, now=NOW)] == ["同意或不同意重抽"]
    assert [one.waits_for for one in todo(world.session, world.officer, now=NOW)] == ["另一名考务员"]
    assert code_of(lambda: draws.redraw(world.session, first, zhang, now=TOMORROW)) == "started"
    draws.decline_redraw(world.session, first, zhang, now=NOW)
    assert code_of(lambda: draws.redraw(world.session, first, zhang, now=NOW)) == "not_asked"
    draws.ask_redraw(world.session, first, "3 号工位设备故障", world.officer, now=NOW)
    second = draws.redraw(world.session, first, zhang, now=TOMORROW - timedelta(minutes=1))
    assert (first.state, second.state, second.number, second.drawn_by) == (DrawState.REPLACED, DrawState.CURRENT, 2, zhang.account_id)
    assert current_draw(world.session, world.plan) is second
    assert first.redraw_reason == "3 号工位设备故障"  # the old draw stays with its reason
    assert draws.repeats(first)
    assert code_of(lambda: draws.ask_redraw(world.session, first, "再抽", world.officer, now=NOW)) == "replaced"


def test_a_task_retired_after_the_draw_keeps_its_lots_but_stops_a_new_draw(world: BankWorld) -> None:
    first = world.drawn("王一", "王二", "王三")
    control = next(lot for lot in first.lots if lot.version.task.option == "PLC")
    tasks.retire(world.session, control.version, world.author)
    assert draws.repeats(first)
    draws.ask_redraw(world.session, first, "试题停用", world.officer, now=NOW)
    zhang = world.people("张同意", Role.EXAM_OFFICER)
    assert code_of(lambda: draws.redraw(world.session, first, zhang, now=NOW)) == "not_ready"


def test_the_printed_sheet_names_everybody_with_task_turn_and_station(world: BankWorld, tmp_path: Path) -> None:
    found = world.drawn("王一", "王二", "王三", seed="abc123")
    (tmp_path / "sheet.pdf").write_bytes(print_draw(world.session, found, made_at=NOW))
    text = subprocess.run(["pdftotext", "-layout", tmp_path / "sheet.pdf", "-"], check=True, capture_output=True, text=True).stdout
    assert all(word in text for word in ("抽签结果", "王一", "王二", "王三", "abc123", "抽考三选一", "DG4-3-01", "周敏"))
    assert found.fingerprint in "".join(text.split())


# Doors

def test_a_draw_is_held_in_the_browser(world: BankWorld, enter: Enter) -> None:
    made = world.stock()
    enrolled = world.enrol("王一", "王二", "王三")
    world.session.commit()
    officer, address = enter(world.officer), f"/practical/plans/{world.plan.id}/draw"
    assert "还有 3 名考生没有选定考核单元" in officer.get(address).text
    units = f"/practical/plans/{world.plan.id}/units"
    ticked = {"module": made.modules[2].id, "enrolment": [one.id for one in enrolled], "option": "变频器"}
    assert officer.post(units, data=ticked | {"option": "没有"}).status_code == 409
    assert officer.post(units, data=ticked | {"module": "999999"}).status_code == 404
    assert officer.post(units, data=ticked).status_code == 302
    form = {"starts_at": "2026-06-02T09:00"} | {f"stations-{one.id}": "2" for one in made.modules}
    assert officer.post(address, data=form | {"starts_at": "明天"}).status_code == 422
    assert officer.post(address, data=form | {f"stations-{made.modules[0].id}": "0"}).status_code == 422
    assert officer.post(address, data=form).status_code == 302
    page = officer.get(address).text
    assert "已用种子重算，一致" in page
    assert "DG4-3-02" in page
    assert officer.post(address, data=form).status_code == 422


def test_only_the_offices_of_the_plan_see_a_draw(world: BankWorld, people: Any, enter: Enter) -> None:
    found = world.drawn("王一", "王二", "王三")
    other = people.school("外校", region="430200")
    strangers = [people("外校考务", Role.EXAM_OFFICER, school=other), people("外市", scopes=[Scope(Role.CITY_OFFICER, region="4302")], school=other)]
    author, student = world.author, world.as_candidate(world.plan.enrolments[0])
    city = people("长沙市中心", scopes=[Scope(Role.CITY_OFFICER, region="4301")], school=other)
    second = people("张同意", Role.EXAM_OFFICER)
    world.session.commit()
    pages = [f"/practical/plans/{world.plan.id}/draw", f"/practical/draws/{found.id}/sheet.pdf"]
    for person in strangers:
        assert [enter(person).get(page).status_code for page in pages] == [404, 404]
    assert enter(strangers[0]).post(f"/practical/draws/{found.id}/redraw", data={"act": "ask", "reason": "x"}).status_code == 404
    for person in (author, student):
        assert all(enter(person).get(page).status_code in {403, 404} for page in pages)
    seen = enter(city)
    assert [seen.get(page).status_code for page in pages] == [200, 200]
    assert "申请重抽" not in seen.get(pages[0]).text
    address = f"/practical/draws/{found.id}/redraw"
    assert enter(world.officer).post(address, data={"act": "ask", "reason": "设备故障"}).status_code == 302
    agreeing = enter(second)
    assert "同意并重新抽签" in agreeing.get(pages[0]).text
    assert agreeing.post(address, data={"act": "nonsense"}).status_code == 404
    assert agreeing.post(address, data={"act": "agree"}).status_code == 302
    assert "作废的抽签" in agreeing.get(pages[0]).text


def test_the_pool_of_a_draw_can_be_read_without_the_program(world: BankWorld) -> None:
    held = json.loads(world.drawn("王一", "王二", "王三").pool)
    assert len(held["candidates"]) == 3
    assert [sorted(module["units"]) for module in held["modules"]] == [[""], ["磨床", "车床", "铣床"], ["PLC", "变频器"]]

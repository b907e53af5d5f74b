"""The scope guard (notice 五(六)): one table walks all doors where it stands, and each refusal cites its clause."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from examroom.delivery import sheets
from examroom.filing.models import FiledScope
from examroom.plans import arranging, desk, fees, guard, seating, sittings, staffing, ties
from examroom.plans.arrangement import Site
from examroom.plans.models import ExamPlan, PlanState, Room
from examroom.plans.tie_models import TieKind
from qbank.kernel.access import Role, Viewer
from qbank.kernel.accounts import Account, set_identity
from qbank.kernel.refused import Refused
from qbank.standards.models import Occupation, Standard
from qbank.standards.ratios import PRACTICAL, THEORY
from scoring.certificates import desk as certificates
from scoring.practical import calling
from scoring.practical import desk as practical
from scoring.results import desk as results
from scoring.review import panels
from tests.arranged import at
from tests.conftest import MONDAY, People
from tests.plan_world import CIPHER, FIRST_DAY, PlanWorld, identity_number, set_conditions
from tests.scoring.final_world import CIPHER as FINAL_CIPHER
from tests.scoring.final_world import FinalWorld
from tests.scoring.outcome_world import NOW, World

CLAUSE = "（湘人社函〔2020〕47号 五(六)）"


@pytest.fixture
def world(session: Session, people: People) -> PlanWorld:
    return PlanWorld.make(session, people)


@dataclass
class Ready:
    """A plan at every door at once: what stands in front of each is filed until a test takes it away."""

    plans: PlanWorld
    final: FinalWorld
    plan: ExamPlan
    sitting: Any
    paper: int


def withdraw(session: Session) -> None:
    """The province ends every filing before the exam days."""
    for scope in session.scalars(sa.select(FiledScope)):
        scope.valid_until = date(2026, 5, 31) if scope.valid_from <= date(2026, 5, 31) else scope.valid_from
        scope.valid_from = min(scope.valid_from, scope.valid_until)
    session.flush()


@pytest.fixture
def ready(session: Session, people: People) -> Ready:
    final = FinalWorld(session, people)
    plans = PlanWorld(session, people, people.home, final.standard, people("刘建平", Role.EXAM_OFFICER), final.officer, final.officer,
                      [people(name, Role.INVIGILATOR) for name in ("孙丽", "赵强", "周敏", "吴涛")])
    set_conditions(session, final.standard, plans.liu, 4)
    plan = desk.draft_plan(session, people.home, final.standard, 4, "七月认定", plans.liu, starts_on=FIRST_DAY, contact="刘老师", now=MONDAY)
    plan.state = PlanState.APPROVED
    plans.enrol(plan, 3)
    sitting = plans.ready(plan)
    paper = plans.paper(people.account("何敏"), people.account("陈晓"))
    return Ready(plans, final, plan, sitting, paper.id)


# Every door behind which something is examined, judged, published or issued: what is done there.
DOORS: dict[str, Callable[[Ready], object]] = {
    "a plan": lambda it: desk.draft_plan(it.plans.session, it.plans.school, it.plans.standard, 4, "新方案", it.plans.liu, starts_on=FIRST_DAY, now=MONDAY),
    "its edit": lambda it: desk.edit_plan(it.plans.session, drafted(it), "改", it.plans.liu, starts_on=FIRST_DAY, contact="", now=MONDAY),
    "its sending": lambda it: desk.submit(it.plans.session, drafted(it), it.plans.liu, now=MONDAY),
    "a site": lambda it: arranging.keep_site(it.plans.session, drafted(it), Site("", PRACTICAL, "实训室", at(it.plan, 9), 90, 5), [], it.plans.liu,
                                             now=MONDAY),
    "a sitting": lambda it: sittings.add_sitting(it.plans.session, it.plan, "第二场", it.plans.liu, starts_at=at(it.plan, 14), minutes=90, now=MONDAY),
    "a candidate": lambda it: it.plans.enrol(it.plan, 1, first=9),
    "a paper": lambda it: sittings.choose_paper(it.plans.session, it.sitting, it.paper, it.plans.liu),
    "dealing": lambda it: sheets.deal(it.plans.session, it.sitting, it.plans.liu, now=MONDAY, seed="x"),
    "a fee": lambda it: fees.publish_fee(it.plans.session, it.plans.school, it.plans.standard, 4, fees.Amounts(1, 1), it.plans.liu, basis="标准",
                                         filed_with="发改委", filing_reference="1号", valid_from=FIRST_DAY, now=MONDAY),
    "a practical group": lambda it: practical.form_group(it.plans.session, it.plan, it.final.rubric(), "第一组", it.plans.liu, assessor_ids=[],
                                                         enrolment_ids=[], starts_at=at(it.plan, 9)),
    "a panel": lambda it: panels.form_panel(it.plans.session, technicians(it), "评审", it.plans.liu, member_ids=[], chair_id=0, starts_at=at(it.plan, 9)),
    "a result": lambda it: results.merge_plan(it.plans.session, it.plan, it.plans.liu, now=MONDAY),
    "its notice": lambda it: results.publish(it.plans.session, it.final.results, it.final.officer, now=NOW),
    "a certificate": lambda it: certificates.issue(it.plans.session, it.final.results, it.final.officer, cipher=FINAL_CIPHER, now=NOW),
}


def drafted(it: Ready) -> ExamPlan:
    it.plan.state = PlanState.DRAFT
    return it.plan


def technicians(it: Ready) -> ExamPlan:
    it.plan.level = 2
    return it.plan


@pytest.mark.parametrize("door", DOORS)
def test_nothing_passes_any_door_outside_what_is_filed(ready: Ready, door: str) -> None:
    withdraw(ready.plans.session)
    with pytest.raises(Refused) as refusal:
        DOORS[door](ready)
    assert refusal.value.code in {"scope_not_valid", "out_of_scope"}, door
    assert CLAUSE in refusal.value.sentence


@pytest.mark.parametrize("door", DOORS)
def test_the_same_doors_do_not_speak_of_scope_while_it_is_filed(ready: Ready, door: str) -> None:
    """So that the test before cannot pass for another reason."""
    if door == "a panel":
        ready.plans.session.add(FiledScope(institution_id=ready.plans.school.id, standard_id=ready.plans.standard.id, level=2,
                                           valid_from=date(2026, 1, 1), valid_until=date(2026, 12, 31), published_by=ready.plans.liu.account_id))
    code = ""
    try:
        DOORS[door](ready)
    except Refused as refusal:
        code = refusal.code
    assert code not in {"scope_not_valid", "out_of_scope"}


# Occupation, work type, level, dates

def test_another_work_type_of_the_same_occupation_is_another_scope(world: PlanWorld) -> None:
    world.file()
    other = Standard(occupation=world.standard.occupation, edition="2018", title="电工（维修）", work_type="维修电工")
    world.session.add(other)
    world.session.flush()
    with pytest.raises(Refused, match="不在备案范围内") as refusal:
        desk.draft_plan(world.session, world.school, other, 4, "维修电工", world.liu, starts_on=FIRST_DAY, now=MONDAY)
    assert CLAUSE in refusal.value.sentence


def test_every_day_of_a_plan_is_filed_and_not_only_the_first(world: PlanWorld) -> None:
    plan = world.arranged()
    scope = world.session.query(FiledScope).one()
    scope.valid_until = FIRST_DAY  # the practical day after it is no longer filed
    with pytest.raises(Refused, match="不包括2026年7月2日"):
        desk.submit(world.session, plan, world.liu, now=MONDAY)


def test_a_filing_that_ends_while_the_plan_waits_stops_its_approval(world: PlanWorld) -> None:
    plan = world.arranged()
    desk.submit(world.session, plan, world.liu, now=MONDAY)
    world.session.query(FiledScope).one().valid_until = FIRST_DAY - timedelta(days=1)
    with pytest.raises(Refused, match=r"五\(六\)"):
        desk.decide(world.session, plan, world.tan, True, "", now=MONDAY)
    desk.decide(world.session, plan, world.tan, False, "备案已到期", now=MONDAY)  # it can still be returned


def test_a_paper_or_rubric_for_another_standard_or_level_is_refused_with_the_clause(ready: Ready, people: People) -> None:
    wrong = ready.plans.paper(people.account("甲"), people.account("乙"), level=3)
    with pytest.raises(Refused) as refusal:
        sittings.choose_paper(ready.plans.session, ready.sitting, wrong.id, ready.plans.liu)
    assert refusal.value.code == "other_standard"
    assert CLAUSE in refusal.value.sentence
    ready.plan.standard = Standard(occupation=Occupation(code="6-18-01-01", catalogue_edition="2015", name="车工"), edition="2018", title="车工")
    ready.plans.session.flush()
    ready.plans.session.add(FiledScope(institution_id=ready.plans.school.id, standard_id=ready.plan.standard.id, level=4, valid_from=date(2026, 1, 1),
                                       valid_until=date(2026, 12, 31), published_by=ready.plans.liu.account_id))
    with pytest.raises(Refused) as refusal:
        DOORS["a practical group"](ready)
    assert refusal.value.code == "other_standard"


# No delegation

def test_rooms_papers_and_rubrics_of_another_body_are_refused_as_delegation(ready: Ready, people: People) -> None:
    session, other = ready.plans.session, people.school("别的技师学院", region="430100")
    room = Room(institution_id=other.id, name="外校机房", seats=30)
    session.add(room)
    session.flush()
    rubric = ready.final.rubric()
    rubric.institution_id = other.id
    plan = drafted(ready)
    for act in (lambda: seating.use_room(session, ready.sitting, room, [], ready.plans.liu),
                lambda: arranging.keep_site(session, plan, Site("", THEORY, "", at(plan, 9), 90, 5), [], ready.plans.liu, room=room, now=MONDAY),
                lambda: practical.form_group(session, plan, rubric, "组", ready.plans.liu, assessor_ids=[], enrolment_ids=[], starts_at=at(plan, 9))):
        with pytest.raises(Refused, match="不得授权或委托其他机构") as refusal:
            act()
        assert refusal.value.code == "delegated"
        assert CLAUSE in refusal.value.sentence
    foreign = ready.plans.paper(people.account("甲"), people.account("乙"), school=other, standard=second_standard(session))
    with pytest.raises(Refused, match="不得授权或委托其他机构") as refusal:
        sittings.choose_paper(session, ready.sitting, foreign.id, ready.plans.liu)
    assert refusal.value.code == "paper_not_fitting"  # no word of whose it is, or that there is one


def second_standard(session: Session) -> Standard:
    made = Standard(occupation=session.query(Occupation).first(), edition="2024", title="电工 2024")
    session.add(made)
    session.flush()
    return made


@pytest.mark.parametrize("door", ["a plan", "its edit", "its sending", "a site", "a sitting", "a paper", "dealing", "a practical group", "a result",
                                  "its notice", "a certificate", "a fee"])
def test_another_bodys_officer_does_nothing_for_the_school(ready: Ready, people: People, door: str) -> None:
    stranger = people("外校考务", Role.EXAM_OFFICER, school=people.school("受委托的机构", region="430100"))
    ready.plans.liu = ready.final.officer = stranger
    if door == "a practical group":
        ready.final.officer = ready.final.checker  # the rubric is the school's own
    with pytest.raises(Refused) as refusal:
        DOORS[door](ready)
    assert refusal.value.code == "not_your_duty", door


def test_only_the_schools_own_students_are_examined(world: PlanWorld) -> None:
    plan = world.draft()
    stranger = world.people.account("外校学生", Role.CANDIDATE, school=world.people.school("他校"))
    with pytest.raises(Refused, match=r"一\(一\)"):
        guard.require_own_student(plan, stranger)
    guard.require_own_student(plan, world.people.account("本校学生", Role.CANDIDATE))


# Persons who never meet

def kin(world: PlanWorld, person: Viewer, child: Account) -> None:
    ties.declare(world.session, world.school, world.session.get_one(Account, person.account_id), TieKind.RELATIVE, person, candidate=child, now=MONDAY)


def test_an_invigilator_who_is_kin_of_a_candidate_is_not_posted_or_offered(world: PlanWorld) -> None:
    plan = world.draft()
    child = world.enrol(plan, 1)[0].candidate
    kin(world, world.watchers[0], child)
    sitting = world.sitting(plan)
    room = seating.add_room(world.session, world.school, "机房一", 30, world.liu)
    with pytest.raises(Refused, match="孙丽与考生考生001有亲属") as refusal:
        seating.use_room(world.session, sitting, room, [one.account_id for one in world.watchers[:2]], world.liu)
    assert refusal.value.code == "conflict_of_interest"
    assert CLAUSE in refusal.value.sentence
    assert "孙丽" not in {one.name for one in staffing.invigilators_for(world.session, plan)}


def test_who_becomes_kin_after_he_was_posted_stops_the_dealing(world: PlanWorld) -> None:
    plan = world.draft()
    child = world.enrol(plan, 1)[0].candidate
    sitting = world.ready(plan)
    kin(world, world.watchers[1], child)
    assert any("赵强与考生考生001有亲属" in line for line in sittings.obstacles(world.session, sitting))


def test_a_planned_invigilator_does_not_sit_the_exam_under_another_account(world: PlanWorld) -> None:
    plan = world.arranged()
    watcher = world.session.get_one(Account, world.watchers[0].account_id)
    set_identity(watcher, identity_number(5), CIPHER)
    world.session.flush()
    with pytest.raises(Refused, match=r"不能同时是考生|姓名是"):
        world.enrol(plan, 1, first=5)
    stand_in = world.people.account("考生005", Role.CANDIDATE)
    set_identity(stand_in, identity_number(5), CIPHER)
    world.session.flush()
    assert "监考员" in guard.barred_candidates(world.session, plan, [stand_in.id])[stand_in.id]


def test_the_child_of_a_planned_assessor_is_not_enrolled(world: PlanWorld) -> None:
    plan = world.arranged()
    assessor = next(person for person in guard.staff_of(world.session, plan).items() if person[1] == "考评员")[0]
    child = world.people.account("考生001", Role.CANDIDATE)
    set_identity(child, identity_number(1), CIPHER)
    world.session.flush()
    kin(world, world.session.get_one(Account, assessor).viewer(), child)
    with pytest.raises(Refused, match="有亲属或其他利害关系") as refusal:
        world.enrol(plan, 1)
    assert "五(六)" in refusal.value.sentence


def test_an_assessor_whose_child_is_in_another_group_of_the_plan_steps_back_too(session: Session, people: People) -> None:
    world = World(session, people)
    chen, wang = world.enrol("陈小", "王小")
    judges = world.assessors("陈父", "李评", "张评")
    ties.declare(session, world.school, session.get_one(Account, judges[0].account_id), TieKind.RELATIVE, world.officer, candidate=chen.candidate,
                 now=NOW)
    with pytest.raises(Refused, match="陈父与考生陈小有亲属") as refusal:
        world.group([wang], judges)
    assert "五(六)" in refusal.value.sentence
    found = calling.proposal(session, world.plan, [wang], NOW, "seed")
    assert judges[0].account_id not in found.eligible


def test_a_reviewer_who_is_kin_or_a_candidate_does_not_sit_on_the_panel(session: Session, people: People) -> None:
    world = World(session, people, level=2)
    chen = world.enrol("陈小")[0]
    father, li, zhang = world.examiners("陈父", "李评", "张评")
    ties.declare(session, world.school, session.get_one(Account, father.account_id), TieKind.RELATIVE, world.officer, candidate=chen.candidate, now=NOW)
    with pytest.raises(Refused, match="应当回避"):
        panels.form_panel(session, world.plan, "评审", world.officer, member_ids=[father.account_id, li.account_id, zhang.account_id],
                          chair_id=li.account_id, starts_at=NOW)
    panels.form_panel(session, world.plan, "评审", world.officer, starts_at=NOW, chair_id=li.account_id, member_ids=[
        one.account_id for one in (li, zhang, *world.examiners("赵评"))])
    assert guard.staff_of(session, world.plan)[li.account_id] == "评审专家"


def test_who_assesses_a_plan_is_not_enrolled_in_it(session: Session, people: People) -> None:
    world = World(session, people)
    chen = world.enrol("陈小")[0]
    judges = world.assessors("甲", "乙", "丙")
    world.group([chen], judges)
    assert "考评员" in guard.barred_candidates(session, world.plan, [judges[0].account_id])[judges[0].account_id]


def test_the_staff_declare_on_their_own_page(world: PlanWorld, session: Session, enter: Callable[[Viewer], Any]) -> None:
    plan = world.draft()
    ticket = world.enrol(plan, 1)[0].ticket_number
    session.commit()
    sun = enter(world.watchers[0])
    assert sun.get("/plans/ties").status_code == 200
    school = {"institution_id": world.watchers[0].scopes[0].institution_id}
    assert sun.post("/plans/ties", data=school | {"number": "没有"}).status_code == 409
    assert sun.post("/plans/ties", data=school | {"number": ticket, "note": "本人之女"}).status_code == 302
    liu = enter(world.liu)
    assert "本人之女" in liu.get("/plans/ties").get_data(as_text=True)
    assert "本人之女" not in enter(world.watchers[1]).get("/plans/ties").get_data(as_text=True)
    assert sun.post("/plans/ties/1/take-back").status_code == 403  # nobody frees himself
    stranger = enter_stranger(world, session, enter)
    assert stranger.post("/plans/ties/1/take-back").status_code == 404
    assert stranger.post("/plans/ties", data=school | {"number": ticket}).status_code == 409
    assert liu.post("/plans/ties/1/take-back").status_code == 302


def enter_stranger(world: PlanWorld, session: Session, enter: Callable[[Viewer], Any]) -> Any:
    stranger = world.people("外校考务", Role.EXAM_OFFICER, school=world.people.school("他校"))
    session.commit()
    return enter(stranger)


def test_the_table_names_every_rule_that_asks_the_guard() -> None:
    """A door that is added to the source must be added to the table above: the calls are counted."""
    root = Path(__file__).parents[2]
    found = subprocess.run(["grep", "-rlE", r"require_plan_in_scope\(|require_scope\(", "examroom", "scoring", "--include=*.py"], cwd=root,
                           capture_output=True, text=True, check=True).stdout.split()
    assert set(found) == {
        "examroom/filing/scopes.py", "examroom/plans/guard.py",  # where it is written
        "examroom/plans/desk.py", "examroom/plans/arranging.py", "examroom/plans/amending.py", "examroom/plans/sittings.py",
        "examroom/plans/candidates.py", "examroom/plans/fees.py", "examroom/delivery/dealing.py", "scoring/practical/desk.py",
        "scoring/review/panels.py", "scoring/results/desk.py", "scoring/certificates/desk.py"}

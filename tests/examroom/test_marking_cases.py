"""An item that proved wrong after the exam: preview, two approvals by two others, marking again, both scores kept."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from examroom.delivery import sheets
from examroom.delivery.sheets import Event
from examroom.marking import cases, desk
from examroom.marking.case_models import CaseState, ItemCase, KeyCheck, Remedy, ScoreChange
from examroom.marking.models import SittingReport, TheoryScore
from examroom.marking.responses import responses_of
from examroom.marking.scoring import Given, Keyed, Ruling, mark, verdict
from examroom.plans.models import SittingState
from qbank.items.models import ItemVersion
from qbank.items.states import ItemKind, ItemState
from qbank.kernel.access import Role, Scope, Viewer
from qbank.kernel.identity import IdentityCipher
from qbank.kernel.jobs import Job, JobState
from qbank.kernel.refused import Refused
from qbank.kernel.settings import Settings
from qbank.standards.models import StoredRulePack
from scoring.results import desk as results
from scoring.results import rescored
from scoring.results.models import Result, ResultList, ResultState
from tests.conftest import People, TestClock
from tests.marking_world import ClosedWorld

Enter = Callable[[Viewer], FlaskClient]


def refusal(code: str) -> Any:
    return pytest.raises(Refused, match=rf"^{code}:")


@pytest.fixture
def world(session: Session, people: People, settings: Settings, clock: TestClock) -> ClosedWorld:
    """Eight items of ten points. 陈晓 has all right; 刘洋 has six, and C instead of B in the first; 周婷 does not come."""
    worth = dict.fromkeys((ItemKind.SINGLE, ItemKind.MULTIPLE, ItemKind.JUDGE), 20)
    made = ClosedWorld(session, people, IdentityCipher(settings.identity_key), worth=worth).make(clock())
    made.running()
    keys = made.keys()
    sheets.save(session, made.start("陈晓"), [Event(number, number, key) for number, key in keys.items()], now=made.begin)
    wrong = {1: "C", 5: "A", 6: "A"}
    sheets.save(session, made.start("刘洋"), [Event(number, number, wrong.get(number, key)) for number, key in keys.items()], now=made.begin)
    made.after = made.sitting.ends_at + timedelta(minutes=1)
    desk.close_due(session, made.after)
    made.second = people("考务吴敏", Role.EXAM_OFFICER)
    made.third = people("考务郑敏", Role.EXAM_OFFICER)
    session.commit()
    clock.moment = made.after
    return made


def state(case: ItemCase) -> CaseState:
    return case.state


def score_of(world: ClosedWorld, name: str) -> int:
    world.session.expire_all()
    return world.session.scalars(sa.select(TheoryScore).where(TheoryScore.sheet_id == world.sheet(name).id)).one().half_points


def version(world: ClosedWorld, number: int = 1) -> ItemVersion:
    return world.paper.items[number - 1].version


def reported(world: ClosedWorld, number: int = 1) -> ItemCase:
    return cases.report(world.session, world.sitting, version(world, number).id, "教材第 35 页应为 C", world.officer, now=world.after)


def proposed(world: ClosedWorld, remedy: Remedy = Remedy.NEW_KEY, keys: tuple[str, ...] = ("c",), number: int = 1) -> ItemCase:
    case = reported(world, number)
    cases.propose(world.session, case, remedy, keys, world.officer, now=world.after)
    world.session.commit()  # the job runs when this is durable
    world.session.refresh(case)
    return case


def approved(world: ClosedWorld, case: ItemCase) -> ItemCase:
    for person in (world.second, world.third):
        cases.approve(world.session, case, True, "同意", person, now=world.after)
    world.session.commit()
    world.session.refresh(case)
    return case


def test_a_new_key_is_previewed_approved_by_two_others_and_both_scores_stay(session: Session, world: ClosedWorld) -> None:
    assert (score_of(world, "陈晓"), score_of(world, "刘洋")) == (160, 100)
    case = proposed(world)
    assert state(case) is CaseState.PREVIEWED
    chen, liu = world.sheet("陈晓").id, world.sheet("刘洋").id
    assert case.preview == [[chen, 160, 140], [liu, 100, 120]]  # 刘洋 crosses 60
    assert case.scored == 2
    assert (score_of(world, "陈晓"), score_of(world, "刘洋")) == (160, 100)  # a preview changes nothing
    approved(world, case)
    assert state(case) is CaseState.DONE
    assert (score_of(world, "陈晓"), score_of(world, "刘洋")) == (140, 120)
    changes = session.scalars(sa.select(ScoreChange).order_by(ScoreChange.sheet_id)).all()
    assert [(one.sheet_id, one.before, one.after, one.case_id) for one in changes] == [(chen, 160, 140, case.id), (liu, 100, 120, case.id)]
    assert changes[0].earned_before["1"] == 20
    assert "更正答案（C）" in changes[0].because
    score = session.scalars(sa.select(TheoryScore).where(TheoryScore.sheet_id == liu)).one()
    assert any("问题试题" in reason for reason in score.reasons)


def test_the_version_is_barred_with_the_reason_and_the_sealed_key_stays(session: Session, world: ClosedWorld) -> None:
    case = proposed(world)
    assert version(world).state is not ItemState.SUSPENDED
    approved(world, case)
    barred = session.get_one(ItemVersion, case.version_id)
    assert (barred.state, barred.key) == (ItemState.SUSPENDED, "B")
    assert "教材第 35 页应为 C" in barred.state_reason


def test_marking_again_later_keeps_to_the_ruling(session: Session, world: ClosedWorld) -> None:
    approved(world, proposed(world))
    desk.mark_sitting(session, world.sitting, now=world.after)
    assert score_of(world, "刘洋") == 120
    (part,) = responses_of(session, world.sitting)
    assert part.keys[0] == "C"
    assert part.codes[:, 0].tolist() == [0, 1]


@pytest.mark.parametrize(("remedy", "keys", "chen", "liu"), [
    (Remedy.SEVERAL_KEYS, ("B", "C"), 160, 120), (Remedy.FULL_MARKS, (), 160, 120),
    (Remedy.REMOVED, (), 160, 115),  # 刘洋: 100 of the other 140, × 160 / 140 = 114.3, up to 115
])
def test_the_other_remedies(world: ClosedWorld, remedy: Remedy, keys: tuple[str, ...], chen: int, liu: int) -> None:
    approved(world, proposed(world, remedy, keys))
    assert (score_of(world, "陈晓"), score_of(world, "刘洋")) == (chen, liu)


def test_whether_a_removed_items_points_are_spread_is_a_setting(session: Session, world: ClosedWorld) -> None:
    session.add(StoredRulePack(region="43", name="不折算", values='{"removed_item_rescaled": false}'))
    approved(world, proposed(world, Remedy.REMOVED, ()))
    assert (score_of(world, "陈晓"), score_of(world, "刘洋")) == (140, 100)
    (part,) = responses_of(session, world.sitting)
    assert part.codes.shape == (2, 7)  # no statistics of an item that counts for nobody


def test_who_may_approve(session: Session, world: ClosedWorld, people: People) -> None:
    case = proposed(world)
    with refusal("own_proposal"):
        cases.approve(session, case, True, "", world.officer, now=world.after)
    with refusal("not_your_duty"):
        cases.approve(session, case, True, "", people("外校考务", Role.EXAM_OFFICER, school=people.school("外校")), now=world.after)
    with refusal("not_your_duty"):
        cases.approve(session, case, True, "", world.invigilator, now=world.after)
    assert cases.approve(session, case, True, "", world.second, now=world.after) is None
    with refusal("approved_before"):
        cases.approve(session, case, True, "", world.second, now=world.after)
    city = people("谭晓峰", scopes=[Scope(Role.CITY_OFFICER, region="4301")], school=people.school("市中心"))
    assert cases.approve(session, case, True, "", city, now=world.after) is not None
    assert state(case) is CaseState.APPROVED


def test_a_new_proposal_voids_the_approval_of_the_old_one(session: Session, world: ClosedWorld) -> None:
    case = proposed(world)
    cases.approve(session, case, True, "", world.second, now=world.after)
    cases.propose(session, case, Remedy.FULL_MARKS, (), world.third, now=world.after + timedelta(minutes=1))
    session.commit()
    session.refresh(case)
    case.previewed_at = world.after + timedelta(minutes=1)  # the test's clock stands still
    assert cases.approvals_of(case) == []
    assert cases.approve(session, case, True, "", world.second, now=world.after) is None


def test_a_rejection_needs_a_reason_and_sends_the_case_back(session: Session, world: ClosedWorld) -> None:
    case = proposed(world)
    with refusal("no_comment"):
        cases.approve(session, case, False, " ", world.second, now=world.after)
    cases.approve(session, case, False, "B 也有依据", world.second, now=world.after)
    assert state(case) is CaseState.REPORTED
    with refusal("wrong_state"):
        cases.approve(session, case, True, "", world.third, now=world.after)


def test_consequences_that_nobody_approved_are_not_written(session: Session, world: ClosedWorld) -> None:
    case = proposed(world)
    cases.approve(session, case, True, "", world.second, now=world.after)
    other = session.scalars(sa.select(TheoryScore).where(TheoryScore.sheet_id == world.sheet("刘洋").id)).one()
    other.half_points = 60  # something else changed it in between
    cases.approve(session, case, True, "", world.third, now=world.after)
    session.commit()
    session.refresh(case)
    assert state(case) is CaseState.PREVIEWED  # with the new preview, for two to approve again
    assert [row[1:] for row in case.preview] == [[160, 140], [60, 120]]
    assert score_of(world, "陈晓") == 160
    job = session.scalars(sa.select(Job).order_by(Job.id.desc()).limit(1)).one()
    assert (job.state, "重新批准" in job.message) == (JobState.REFUSED, True)


def test_a_job_that_broke_off_goes_on(session: Session, world: ClosedWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    from examroom.marking import case_work

    case = proposed(world)
    written = case_work._write
    monkeypatch.setattr(case_work, "_write", lambda *given: (_ for _ in ()).throw(RuntimeError("power cut")))
    approved(world, case)
    assert state(case) is CaseState.APPROVED
    monkeypatch.setattr(case_work, "_write", written)
    cases.remark(session, case, world.second, now=world.after)
    session.commit()
    session.refresh(case)
    assert state(case) is CaseState.DONE
    assert score_of(world, "刘洋") == 120
    with refusal("wrong_state"):
        cases.remark(session, case, world.second, now=world.after)


@pytest.mark.parametrize(("remedy", "keys", "code"), [
    (Remedy.NEW_KEY, ("B",), "new_key"), (Remedy.NEW_KEY, ("",), "new_key"), (Remedy.NEW_KEY, ("E",), "bad_key"),
    (Remedy.NEW_KEY, ("AC",), "bad_key"), (Remedy.SEVERAL_KEYS, ("B",), "several_keys"), (Remedy.SEVERAL_KEYS, ("B", "Ｂ"), "several_keys"),
])
def test_a_key_that_is_none_is_refused(session: Session, world: ClosedWorld, remedy: Remedy, keys: tuple[str, ...], code: str) -> None:
    case = reported(world)
    with refusal(code):
        cases.propose(session, case, remedy, keys, world.officer, now=world.after)


@pytest.mark.parametrize(("number", "key", "canonical"), [(1, " ｃ ", "C"), (5, "d、a", "AD"), (7, "错", "F")])
def test_keys_are_read_as_people_write_them(session: Session, world: ClosedWorld, number: int, key: str, canonical: str) -> None:
    case = proposed(world, Remedy.NEW_KEY, (key,), number)
    assert case.keys == [canonical]


def test_what_may_be_reported(session: Session, world: ClosedWorld, people: People) -> None:
    with refusal("no_reason"):
        cases.report(session, world.sitting, version(world).id, " ", world.officer, now=world.after)
    with refusal("not_on_paper"):
        cases.report(session, world.sitting, 2**31 - 1, "错", world.officer, now=world.after)
    with refusal("not_your_duty"):
        cases.report(session, world.sitting, version(world).id, "错", world.invigilator, now=world.after)
    case = reported(world)
    with refusal("case_open"):
        reported(world)
    with refusal("no_reason"):
        cases.withdraw(session, case, "", world.officer)
    cases.withdraw(session, case, "核对后无误", world.officer)
    assert reported(world).id != case.id


def test_published_results_are_flagged_and_never_changed(session: Session, world: ClosedWorld) -> None:
    made = ResultList(plan=world.plan, rule_pack="{}", merged_at=world.after - timedelta(seconds=1), state=ResultState.NOTICED,
                      noticed_at=world.after, notice_ends_at=world.after + timedelta(days=8))
    made.results = [Result(enrolment=world.enrolment("刘洋"), theory=100, practical=None, passed=False, reasons=[])]
    session.add(made)
    session.commit()
    case = approved(world, proposed(world))
    assert state(case) is CaseState.DONE
    assert made.results[0].theory == 100
    assert [(one.before, one.after) for one in rescored.changes(session, made)] == [(160, 140), (100, 120)]
    from examroom.marking.todo import todo
    assert any("公示后又有改变" in one.title for one in todo(session, world.officer, now=world.after))


def suspect(world: ClosedWorld) -> None:
    found = {"keys": [{"number": 1, "version": version(world).id, "key": "B", "option": "C", "reasons": [], "certain": True},
                      {"number": 2, "version": version(world, 2).id, "key": "C", "option": "", "reasons": [], "certain": False}]}
    report = world.session.scalar(sa.select(SittingReport).where(SittingReport.sitting_id == world.sitting.id))
    if report is None:
        report = SittingReport(sitting_id=world.sitting.id, made_at=world.after, n=2, found={})
        world.session.add(report)
    report.found = {**report.found, **found}
    world.session.flush()


def test_a_suspect_key_keeps_scores_in_until_somebody_answers_for_it(session: Session, world: ClosedWorld) -> None:
    suspect(world)
    with refusal("keys_unchecked") as refused:
        cases.require_keys_checked(session, [world.sitting])
    assert refused.value.details == ("理论第一场：第 1 题疑似错误答案，还没有人核对",)  # what chance explains holds nobody up
    with refusal("no_comment"):
        cases.check_key(session, world.sitting, version(world).id, "好", world.officer, now=world.after)
    with refusal("not_your_duty"):
        cases.check_key(session, world.sitting, version(world).id, "对照教材无误", world.invigilator, now=world.after)
    cases.check_key(session, world.sitting, version(world).id, "对照教材第 35 页，无误", world.officer, now=world.after)
    with refusal("not_suspect"):
        cases.check_key(session, world.sitting, version(world).id, "对照教材第 35 页，无误", world.officer, now=world.after)
    cases.require_keys_checked(session, [world.sitting])
    case = reported(world)
    with refusal("keys_unchecked"):
        cases.require_keys_checked(session, [world.sitting])
    cases.withdraw(session, case, "核对后无误", world.officer)
    cases.require_keys_checked(session, [world.sitting])


def test_a_done_case_answers_the_alarm(session: Session, world: ClosedWorld) -> None:
    suspect(world)
    approved(world, proposed(world))
    suspect(world)  # the report of the same answers says it again
    cases.require_keys_checked(session, [world.sitting])


def test_nothing_is_published_before_the_keys_are_checked(session: Session, world: ClosedWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    suspect(world)
    made = ResultList(plan=world.plan, rule_pack="{}", merged_at=world.after, checked_at=world.after)
    session.add(made)
    session.flush()
    monkeypatch.setattr(results, "gather", lambda *given: [])
    monkeypatch.setattr(results, "outdated", lambda *given: False)
    with refusal("keys_unchecked"):
        results.publish(session, made, world.officer, now=world.after)


def test_removing_by_hand_arithmetic() -> None:
    """Four items of 2; the second is taken out; two of the three others right: 4 of 6, scaled to 8: 5.33, up to 6."""
    items = [Keyed(number, "single", "A", 2) for number in range(1, 5)]
    gone = Given(rulings={2: Ruling(removed=True, rescaled=True)})
    found = mark(items, {1: "A", 2: "A", 3: "A", 4: "B"}, given=gone)
    assert (found.half_points, found.earned) == (6, {1: 2, 2: 0, 3: 2, 4: 0})
    assert verdict(items[1], "A", gone.rulings[2]) == "已删除"
    assert "按比例折算为 3 分" in found.reasons[-1]
    everything = Given(rulings={number: Ruling(removed=True, rescaled=True) for number in range(1, 5)})
    assert mark(items, {}, given=everything).half_points == 0


def test_a_written_item_that_nobody_marked_is_an_error_and_not_a_zero() -> None:
    essay = [Keyed(1, "essay", "…", 20)]
    with pytest.raises(ValueError, match="not marked"):
        mark(essay, {1: "写了"})
    assert mark(essay, {1: " "}).half_points == 0
    assert mark(essay, {1: "写了"}, given=Given(marks={1: 13})).half_points == 13
    assert mark(essay, {1: "写了"}, given=Given(rulings={1: Ruling(full_marks=True)})).half_points == 20


# --- doors ---

def test_the_whole_way_at_the_doors(session: Session, world: ClosedWorld, enter: Enter) -> None:
    sitting, wrong = world.sitting.id, version(world).id
    session.commit()
    first = enter(world.officer)
    page = first.get(f"/marking/sittings/{sitting}/cases/new?version={wrong}").get_data(as_text=True)
    assert "第 1 题" in page
    for odd in ({}, {"version": "x", "reason": "错"}, {"version": str(wrong)}, {"version": "99999", "reason": "错"}):
        assert first.post(f"/marking/sittings/{sitting}/cases/new", data=odd).status_code == 409
    answer = first.post(f"/marking/sittings/{sitting}/cases/new", data={"version": str(wrong), "reason": "教材应为 C"})
    address = answer.headers["Location"]
    for odd in ({}, {"remedy": "x"}, {"remedy": "new_key"}, {"remedy": "several_keys", "keys": "B"}):
        assert first.post(f"{address}/propose", data=odd).status_code == 409
    assert first.post(f"{address}/propose", data={"remedy": "new_key", "key": "C"}).status_code == 302
    page = first.get(address).get_data(as_text=True)
    for text in ("跨过 60 分的考生", "刘洋", "50.0", "60.0", "处理办法由您提出", "封存的答案：<b>B</b>"):
        assert text in page
    case = session.scalars(sa.select(ItemCase)).one()
    seen = case.row_version
    session.commit()
    for person in (world.second, world.third):
        client = enter(person)
        assert client.post(f"{address}/approve", data={"decision": "approve", "version": str(seen + 7)}).status_code == 409  # an older page
        assert client.post(f"{address}/approve", data={"version": str(seen)}).status_code == 400
        session.expire_all()
        version_now = session.scalars(sa.select(ItemCase.row_version)).one()
        session.commit()
        assert client.post(f"{address}/approve", data={"decision": "approve", "version": str(version_now)}).status_code == 302
    session.expire_all()
    assert state(case) is CaseState.DONE
    page = first.get(address).get_data(as_text=True)
    assert "2 个成绩改变" in page
    assert "更正答案（C）" in first.get("/marking/cases").get_data(as_text=True)
    marked = first.get(f"/marking/sheets/{world.sheet('刘洋').id}").get_data(as_text=True)
    assert "问题试题" in marked
    assert "50.0 → 60.0" in marked.replace("\n", "")


def test_the_alarm_is_answered_at_the_door(session: Session, world: ClosedWorld, enter: Enter) -> None:
    desk.ask_for_statistics(session, world.sitting, now=world.after)
    session.commit()
    suspect(world)
    sitting, wrong = world.sitting.id, version(world).id
    session.commit()
    client = enter(world.officer)
    page = client.get(f"/marking/sittings/{sitting}/report").get_data(as_text=True)
    assert "核对无误" in page
    assert client.post(f"/marking/sittings/{sitting}/key-check", data={"version": "x"}).status_code == 409
    assert client.post(f"/marking/sittings/{sitting}/key-check", data={"version": str(wrong), "comment": "对照教材无误"}).status_code == 302
    session.expire_all()
    assert session.scalars(sa.select(KeyCheck)).one().checked_by == world.officer.account_id
    session.commit()
    assert "对照教材无误" in client.get(f"/marking/sittings/{sitting}/report").get_data(as_text=True)


def test_strangers_find_no_case(session: Session, world: ClosedWorld, enter: Enter, people: People) -> None:
    case = proposed(world)
    stranger = people("外校考务", Role.EXAM_OFFICER, school=people.school("外校"))
    city = people("邻市中心", scopes=[Scope(Role.CITY_OFFICER, region="4303")], school=people.school("邻市", region="430300"))
    sitting, address = world.sitting.id, f"/marking/cases/{case.id}"
    session.commit()
    client = enter(stranger)
    assert client.get(address).status_code == 404
    assert client.get(f"/marking/sittings/{sitting}/cases/new").status_code == 404
    for act in ("propose", "approve", "remark", "withdraw"):
        assert client.post(f"{address}/{act}", data={"decision": "approve"}).status_code == 404
    assert client.post(f"/marking/sittings/{sitting}/key-check", data={"version": "1"}).status_code == 404
    assert "教材第 35 页" not in client.get("/marking/cases").get_data(as_text=True)
    assert enter(city).get(address).status_code == 404
    assert {enter(person).get(address).status_code for person in (world.invigilator, world.author)} == {403}
    assert world.sitting.state is SittingState.MARKED

"""Written answers: two markers who never see each other, a third, seeds, the chief, and scores that wait for all of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from examroom.marking import desk, marks, quality, written
from examroom.marking.models import TheoryScore
from examroom.marking.responses import all_responses, responses_of
from examroom.marking.written_models import Marker, ScriptMark, Settled, TaskKind
from examroom.plans.models import SittingState
from qbank.kernel.access import Role, Viewer
from qbank.kernel.audit import AuditEntry
from qbank.kernel.refused import Refused
from qbank.kernel.settings import Settings
from qbank.standards.models import StoredRulePack
from qbank.statistics.responses import NOT_REACHED
from tests.conftest import People, TestClock
from tests.marking_world import ESSAY, TEXTS, MarkingWorld
from tests.sitting_world import NAMES

Enter = Callable[[Viewer], FlaskClient]


@pytest.fixture
def world(session: Session, people: People, settings: Settings, clock: TestClock) -> MarkingWorld:
    made = MarkingWorld.of(session, people, settings.identity_key, clock())
    made.distribute()
    return made


def refusal(code: str) -> Any:
    return pytest.raises(Refused, match=rf"^{code}:")


def state_of(world: MarkingWorld) -> SittingState:
    return world.sitting.state


def finish(world: MarkingWorld) -> None:
    """Both mark both scripts alike, the chief signs."""
    for person in world.markers:
        for name in ("陈晓", "刘洋"):
            world.give(person, name, 4, 3.5)
    marks.sign(world.session, world.question, world.chief, now=world.after)


def test_no_score_before_every_written_answer_is_marked_and_signed(session: Session, world: MarkingWorld) -> None:
    desk.close_due(session, world.after)
    assert state_of(world) is SittingState.CLOSED
    assert session.scalar(sa.select(sa.func.count(TheoryScore.id))) == 0
    with refusal("written_missing"):
        desk.mark_sitting(session, world.sitting, now=world.after)
    with refusal("not_marked") as refused:
        desk.require_released(session, world.sitting, now=world.after)
    assert refused.value.details == ("第 9 题（论述题）还有 2 份没有评完",)
    finish(world)
    desk.close_due(session, world.after)
    assert state_of(world) is SittingState.MARKED
    score = session.scalars(sa.select(TheoryScore).where(TheoryScore.sheet_id == world.sheet("陈晓").id)).one()
    assert score.half_points == 8 * 2 + 15  # eight items of a point each, and 7.5 of the essay
    assert score.earned[str(ESSAY)] == 15
    assert any("论述题 1 题：作答 1，未答 0，得 7.5 / 10.0 分" in reason for reason in score.reasons)


def test_a_blank_answer_needs_no_marker(world: MarkingWorld) -> None:
    blank = world.script("周婷")
    assert (blank.half_points, blank.how, list(blank.tasks)) == (0, Settled.BLANK, [])


def test_every_script_goes_to_two_and_again_to_nobody_else(session: Session, world: MarkingWorld) -> None:
    for name in ("陈晓", "刘洋"):
        assert sorted(task.kind for task in world.script(name).tasks) == [TaskKind.FIRST, TaskKind.SECOND]
    assert world.distribute() == (0, 0)


def test_two_near_marks_are_joined_and_each_stands_with_its_author(session: Session, world: MarkingWorld) -> None:
    wu, zheng = world.markers
    world.give(wu, "陈晓", 4, 3.5)
    assert world.script("陈晓").half_points is None
    world.give(zheng, "陈晓", 5, 3)
    script = world.script("陈晓")
    assert (script.half_points, script.how) == (16, Settled.PAIR)  # 7.5 and 8: 7.75 goes up
    assert {mark.account_id: mark.half_points for mark in script.marks} == {wu.account_id: 15, zheng.account_id: 16}


def test_a_wide_spread_asks_the_chief_where_there_is_no_third_marker(session: Session, world: MarkingWorld) -> None:
    wu, zheng = world.markers
    world.give(wu, "陈晓", 5, 5)
    world.give(zheng, "陈晓", 3, 2)
    script = world.script("陈晓")
    assert script.half_points is None
    third = world.task(world.chief, "陈晓")
    assert third.kind is TaskKind.THIRD
    assert quality.blind(session, script, world.chief)
    world.give(world.chief, "陈晓", 4.5, 4.5)
    assert (world.script("陈晓").half_points, world.script("陈晓").how) == (19, Settled.THIRD)  # 10 and 9 are closest
    assert not quality.blind(session, world.script("陈晓"), world.chief)


def test_a_third_marker_is_asked_before_the_chief(session: Session, people: People, settings: Settings, clock: TestClock) -> None:
    world = MarkingWorld.of(session, people, settings.identity_key, clock(), markers=3)
    world.distribute()
    pair = [task.marker.account_id for task in world.script("陈晓").tasks]
    first, second = (person for person in world.markers if person.account_id in pair)
    (other,) = (person for person in world.markers if person.account_id not in pair)
    world.give(first, "陈晓", 5, 5)
    world.give(second, "陈晓", 0, 0)
    assert world.task(other, "陈晓").kind is TaskKind.THIRD
    following = marks.next_task(session, world.question, other)
    assert following is not None
    assert following.script_id == world.script("陈晓").id  # first in the queue


def test_how_three_marks_join_is_a_setting(session: Session, world: MarkingWorld) -> None:
    session.add(StoredRulePack(region="43", name="以第三评为准", values='{"marking_third_rule": 2}'))
    for person, points in zip((*world.markers, world.chief), (5, 0, 2), strict=True):
        world.give(person, "陈晓", points, points)
    assert world.script("陈晓").half_points == 8


@pytest.mark.parametrize(("points", "code"), [((5.5, 0), "step_range"), ((-1, 0), "step_range"), ((5,), "steps"), ((1, 1, 1), "steps")])
def test_points_stay_within_the_lines_of_the_guide(world: MarkingWorld, points: tuple[float, ...], code: str) -> None:
    with refusal(code):
        world.give(world.markers[0], "陈晓", *points)


def test_a_script_is_marked_once_by_each_and_by_nobody_else(world: MarkingWorld) -> None:
    wu, zheng = world.markers
    task = world.task(wu, "陈晓")
    world.give(wu, "陈晓", 4, 4)
    with refusal("marked"):
        world.give(wu, "陈晓", 5, 5)
    with refusal("not_yours"):
        marks.give(world.session, task, [8, 8], zheng, now=world.after)


def test_wu_undoes_the_last_mark_and_gives_another(session: Session, world: MarkingWorld) -> None:
    wu, zheng = world.markers
    world.give(wu, "陈晓", 4, 4)
    world.give(zheng, "陈晓", 4, 4)
    world.give(wu, "刘洋", 1, 1)
    assert marks.undo(session, world.question, wu, now=world.after).script_id == world.script("刘洋").id
    marks.undo(session, world.question, wu, now=world.after)
    script = world.script("陈晓")
    assert script.half_points is None  # open again
    following = marks.next_task(session, world.question, wu)
    assert following is not None
    assert following.script_id == script.id
    world.give(wu, "陈晓", 5, 4)
    assert world.script("陈晓").half_points == 17
    history = session.scalars(sa.select(ScriptMark).where(ScriptMark.script_id == script.id).order_by(ScriptMark.id)).all()
    assert [(mark.half_points, mark.withdrawn_reason) for mark in history] == [(16, "本人撤销"), (16, ""), (18, "")]
    marks.undo(session, world.question, wu, now=world.after)
    with refusal("nothing_to_undo"):
        marks.undo(session, world.question, wu, now=world.after)


def test_what_a_third_has_marked_cannot_be_undone(session: Session, world: MarkingWorld) -> None:
    wu, zheng = world.markers
    world.give(wu, "陈晓", 5, 5)
    world.give(zheng, "陈晓", 0, 0)
    world.give(world.chief, "陈晓", 4, 4)
    with refusal("gone_on"):
        marks.undo(session, world.question, wu, now=world.after)


def test_an_undone_spread_needs_no_third(session: Session, world: MarkingWorld) -> None:
    wu, zheng = world.markers
    world.give(wu, "陈晓", 5, 5)
    world.give(zheng, "陈晓", 0, 0)
    marks.undo(session, world.question, zheng, now=world.after)
    assert marks.next_task(session, world.question, world.chief) is None
    world.give(zheng, "陈晓", 5, 4)
    assert world.script("陈晓").how is Settled.PAIR
    marks.send_back(session, world.script("陈晓").marks[0], "请再看第二点", world.chief, now=world.after)
    world.give(wu, "陈晓", 0, 0)  # apart again: the chief's task comes back
    assert marks.next_task(session, world.question, world.chief) is not None


def test_the_chief_returns_a_mark_and_the_reason_comes_with_the_script(session: Session, world: MarkingWorld) -> None:
    wu, zheng = world.markers
    mark = world.give(wu, "陈晓", 4, 4)
    world.give(zheng, "陈晓", 4, 4)
    with refusal("no_reason"):
        marks.send_back(session, mark, " ", world.chief, now=world.after)
    with refusal("not_chief"):
        marks.send_back(session, mark, "请再看", wu, now=world.after)
    marks.send_back(session, mark, "漏看了验电", world.chief, now=world.after)
    assert world.script("陈晓").half_points is None
    following = marks.next_task(session, world.question, wu)
    assert following is not None
    assert following.note == "漏看了验电"
    with refusal("not_standing"):
        marks.send_back(session, mark, "再退一次", world.chief, now=world.after)


def test_the_chief_rules_with_a_reason_and_all_marks_stay(session: Session, world: MarkingWorld) -> None:
    for person in world.markers:
        world.give(person, "陈晓", 4, 4)
    script = world.script("陈晓")
    with refusal("no_reason"):
        marks.rule(session, script, [10, 10], "", world.chief, now=world.after)
    marks.rule(session, script, [10, 9], "两人都漏了第二点", world.chief, now=world.after)
    assert (script.half_points, script.how) == (19, Settled.CHIEF)
    marks.rule(session, script, [10, 10], "再看一遍，满分", world.chief, now=world.after)
    assert script.half_points == 20
    assert [mark.withdrawn_at is None for mark in script.marks] == [True, True, False, True]
    session.commit()
    assert session.scalar(sa.select(sa.func.count()).where(AuditEntry.table_name == "script_marks")) == 5  # four marks, one withdrawal


def test_a_seed_goes_to_everybody_and_its_known_mark_counts(session: Session, people: People, settings: Settings, clock: TestClock) -> None:
    world = MarkingWorld.of(session, people, settings.identity_key, clock(), candidates=6)
    world.distribute()
    seed, other = world.script("吴磊"), world.script("黄静")
    for script in (seed, other):
        marks.make_seed(session, script, [8, 8], "有代表性", world.chief, now=world.after)
    assert (seed.half_points, seed.how) == (16, Settled.SEED)
    wu, zheng = world.markers
    assert {task.kind for task in seed.tasks} == {TaskKind.SEED}
    assert len(seed.tasks) == 2
    following = marks.next_task(session, world.question, wu)
    assert following is not None
    assert following.kind is not TaskKind.SEED  # mixed in behind the others
    for name in ("吴磊", "黄静"):
        world.give(wu, name, 1, 1)
        world.give(zheng, name, 4, 4)
    assert seed.half_points == 16  # what they gave changes nothing
    found = {line.marker.account_id: line for line in quality.quality(session, world.question).lines}
    assert found[wu.account_id].drifts
    assert not found[zheng.account_id].drifts
    figures = found[wu.account_id].figures
    assert figures is not None
    assert (figures.seeds, figures.seed_error, figures.n) == (2, 12.0, 0)


def test_a_script_that_somebody_marked_is_no_seed(session: Session, world: MarkingWorld) -> None:
    world.give(world.markers[0], "陈晓", 4, 4)
    with refusal("marked"):
        marks.make_seed(session, world.script("陈晓"), [8, 8], "", world.chief, now=world.after)


def test_a_paused_marker_waits_for_the_chief(session: Session, world: MarkingWorld) -> None:
    wu = world.markers[0]
    marker = session.scalars(sa.select(Marker).where(Marker.account_id == wu.account_id)).one()
    marks.pause(session, marker, "请先看评分标准的说明", world.chief)
    with refusal("paused"):
        world.give(wu, "陈晓", 4, 4)
    marks.pause(session, marker, "", world.chief)
    world.give(wu, "陈晓", 4, 4)


def test_nobody_marks_the_own_class(session: Session, people: People, settings: Settings, clock: TestClock) -> None:
    world = MarkingWorld.of(session, people, settings.identity_key, clock(), markers=2)
    teacher = people("班主任孙工", Role.MARKER)
    world.appoint(teacher, classes=("电气2401",))
    made, short = world.distribute()
    assert (made, short) == (4, 0)
    assert all(task.marker.account_id != teacher.account_id for name in ("陈晓", "刘洋") for task in world.script(name).tasks)


def test_who_may_be_appointed(session: Session, world: MarkingWorld, people: People) -> None:
    for person in (world.invigilator, people("外校阅卷", Role.MARKER, school=people.school("外校")), world.markers[0]):
        with refusal("not_a_marker"):
            world.appoint(person)
    with refusal("two_chiefs"):
        world.appoint(people("又一组长", Role.MARKER), chief=True)
    with refusal("not_your_duty"):
        written.appoint(session, world.sitting, people("新人", Role.MARKER).account_id, world.invigilator, chief=False, classes=(), now=world.after)


def test_a_released_markers_scripts_go_to_others_and_given_marks_stand(session: Session, world: MarkingWorld, people: People) -> None:
    wu, zheng = world.markers
    world.give(wu, "陈晓", 4, 4)
    marker = session.scalars(sa.select(Marker).where(Marker.account_id == wu.account_id)).one()
    written.release(session, marker, world.officer, now=world.after)
    with refusal("few_markers"):
        world.distribute()
    world.appoint(people("接替的何工", Role.MARKER))
    assert world.distribute() == (1, 0)
    world.give(zheng, "陈晓", 4, 4)
    assert world.script("陈晓").how is Settled.PAIR
    with refusal("not_yours"):
        world.give(wu, "刘洋", 4, 4)
    assert world.appoint(wu).id == marker.id  # and back again
    with refusal("other_duty"):
        written.release(session, marker, world.officer, now=world.after)
        chief = written.chief_of(session, world.sitting)
        assert chief is not None
        written.release(session, chief, world.officer, now=world.after)
        world.appoint(wu, chief=True)


def test_nothing_is_signed_while_a_script_is_open_and_nothing_changes_after(session: Session, world: MarkingWorld) -> None:
    with refusal("not_all_marked"):
        marks.sign(session, world.question, world.chief, now=world.after)
    finish(world)
    for act in (lambda: marks.undo(session, world.question, world.markers[0], now=world.after),
                lambda: marks.rule(session, world.script("陈晓"), [0, 0], "改", world.chief, now=world.after),
                lambda: marks.sign(session, world.question, world.chief, now=world.after)):
        with refusal("signed"):
            act()
    desk.close_due(session, world.after)
    with refusal("not_marking"):
        marks.undo(session, world.question, world.markers[0], now=world.after)


def test_written_items_leave_as_steps_and_not_as_right_or_wrong(session: Session, world: MarkingWorld) -> None:
    finish(world)
    desk.close_due(session, world.after)
    (part,) = responses_of(session, world.sitting)
    assert part.codes.shape == (3, 8)
    found = all_responses(session, world.sitting)
    column = found.versions.index(world.question.version_id)
    assert found.steps[column] == 20
    assert found.codes[:, column].tolist() == [15, 15, NOT_REACHED]  # the last of the sheet, and empty
    assert found.choices[0, column] == TEXTS["陈晓"]
    assert found.forms.tolist() == [world.paper.id] * 3


# --- doors ---

def marked_page(client: FlaskClient, world: MarkingWorld) -> str:
    return client.get(f"/marking/questions/{world.question.id}/mark").get_data(as_text=True)


def test_a_marker_sees_no_name_and_no_other_mark(session: Session, world: MarkingWorld, enter: Enter) -> None:
    wu, zheng = world.markers
    world.give(zheng, "陈晓", 3.5, 2.5)
    world.give(zheng, "刘洋", 3.5, 2.5)
    session.commit()
    client = enter(wu)
    page = marked_page(client, world)
    assert any(text in page for text in TEXTS.values() if text)
    for secret in (*NAMES[:3], "电气2401", world.enrolments[0].ticket_number, "阅卷郑工", 'value="3.5"', "3.5 + 2.5"):
        assert secret not in page
    assert "接地线" in page  # the guide
    script = world.script("陈晓").id
    session.commit()
    for address in (f"/marking/scripts/{script}", f"/marking/questions/{world.question.id}"):
        session.commit()
        assert client.get(address).status_code == 404


def test_wu_marks_by_the_form_and_undoes(session: Session, world: MarkingWorld, enter: Enter) -> None:
    wu = world.markers[0]
    following = marks.next_task(session, world.question, wu)
    assert following is not None
    task, question, script = following.id, world.question.id, following.script
    session.commit()
    client = enter(wu)
    for odd in ({}, {"step-1": "5"}, {"step-1": "x", "step-2": "1"}, {"step-1": "0.3", "step-2": "1"}, {"step-1": "9", "step-2": "1"}):
        assert client.post(f"/marking/tasks/{task}/mark", data=odd).status_code == 409
    answer = client.post(f"/marking/tasks/{task}/mark", data={"step-1": "4.5", "step-2": "0", "comment": "字迹潦草", "seconds": "x"})
    assert answer.status_code == 302
    session.expire_all()
    assert [(mark.half_points, mark.comment, mark.seconds) for mark in script.marks] == [(9, "字迹潦草", 0)]
    session.commit()
    assert client.post(f"/marking/questions/{question}/undo").status_code == 302
    assert client.post(f"/marking/questions/{question}/undo").status_code == 409


def test_the_chiefs_pages(session: Session, world: MarkingWorld, enter: Enter) -> None:
    wu, zheng = world.markers
    world.give(wu, "陈晓", 5, 5)
    mark = world.give(zheng, "陈晓", 0, 0).id
    question, first, second = world.question.id, world.script("陈晓").id, world.script("刘洋").id
    session.commit()
    client = enter(world.chief)
    page = client.get(f"/marking/scripts/{first}").get_data(as_text=True)
    assert "不显示前两评" in page  # the chief is the third marker, and marks blind
    assert "阅卷吴工" not in page
    assert "陈晓" not in page
    answer = client.post(f"/marking/scripts/{second}/rule", data={"step-1": "4", "step-2": "4", "act": "seed"})
    assert answer.status_code == 302
    page = client.get(f"/marking/questions/{question}?only=seed").get_data(as_text=True)
    assert "种子卷，阅卷组长评分" in page
    assert "ICC(2,1)" in page
    assert client.post(f"/marking/marks/{mark}/return", data={"reason": "再看第一点"}).status_code == 302
    assert client.post(f"/marking/scripts/{first}/rule", data={"step-1": "4", "step-2": "4", "comment": "裁定"}).status_code == 302
    assert client.post(f"/marking/questions/{question}/sign").status_code == 302
    session.expire_all()
    assert state_of(world) is SittingState.MARKED
    assert "已签字" in client.get(f"/marking/questions/{question}?only=nonsense").get_data(as_text=True)


def test_the_officers_page(session: Session, world: MarkingWorld, enter: Enter, people: People) -> None:
    newcomer = people("新来的马工", Role.MARKER)
    session.commit()
    client, address = enter(world.officer), f"/marking/sittings/{world.sitting.id}"
    page = client.get(f"{address}/written").get_data(as_text=True)
    assert "还有 2 份没有评完" in page
    assert "新来的马工" in page
    assert TEXTS["陈晓"] not in page
    data = {"account_id": str(newcomer.account_id), "duty": "marker", "classes": ["电气2401"]}
    assert client.post(f"{address}/markers", data=data).status_code == 302
    assert client.post(f"{address}/markers", data={"account_id": "x"}).status_code == 409
    assert client.post(f"{address}/distribute").status_code == 302
    marker = session.scalars(sa.select(Marker).where(Marker.account_id == newcomer.account_id)).one().id
    session.commit()
    assert client.post(f"/marking/markers/{marker}/release").status_code == 302
    assert "已解除" in client.get(f"{address}/written").get_data(as_text=True)


def test_strangers_find_nothing_of_the_marking(session: Session, world: MarkingWorld, enter: Enter, people: People) -> None:
    world.give(world.markers[0], "陈晓", 4, 4)
    stranger, idle = people("外校阅卷", Role.MARKER, school=people.school("外校")), people("闲着的阅卷员", Role.MARKER)
    officer = people("外校考务", Role.EXAM_OFFICER, school=people.school("第三校"))
    question, script, task = world.question.id, world.script("陈晓").id, world.task(world.markers[1], "刘洋").id
    mark = world.script("陈晓").marks[0].id
    marker = session.scalars(sa.select(Marker).limit(1)).one().id
    sitting = world.sitting.id
    session.commit()
    get = (f"/marking/questions/{question}/mark", f"/marking/questions/{question}", f"/marking/scripts/{script}")
    post = (f"/marking/tasks/{task}/mark", f"/marking/questions/{question}/undo", f"/marking/scripts/{script}/rule", f"/marking/marks/{mark}/return",
            f"/marking/questions/{question}/sign", f"/marking/markers/{marker}/pause")
    for person in (stranger, idle):
        client = enter(person)
        assert {client.get(address).status_code for address in get} | {client.post(address).status_code for address in post} == {404}
        assert "等您评阅" not in client.get("/marking/written").get_data(as_text=True)
    client = enter(world.markers[0])  # a colleague's task is not there
    assert client.post(f"/marking/tasks/{task}/mark", data={"step-1": "1", "step-2": "1"}).status_code == 404
    client = enter(officer)
    assert client.get(f"/marking/sittings/{sitting}/written").status_code == 404
    for address in (f"/marking/sittings/{sitting}/markers", f"/marking/sittings/{sitting}/distribute", f"/marking/markers/{marker}/release"):
        assert client.post(address, data={"account_id": "1"}).status_code == 404
    assert {enter(world.officer).get(address).status_code for address in get} == {403}

"""Markers in a real Chromium: two and a third by keyboard, then an item that proved wrong through preview and approvals."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import sqlalchemy as sa
from playwright.sync_api import Page, expect
from sqlalchemy.orm import Session

from examroom.marking.case_models import ScoreChange
from examroom.marking.models import TheoryScore
from examroom.marking.written_models import Script, Settled
from examroom.plans.models import SittingState
from qbank.kernel.access import Role, Viewer
from qbank.kernel.settings import Settings
from tests.conftest import People, TestClock
from tests.marking_world import TEXTS, MarkingWorld

Desk = Callable[[Viewer], Page]


@pytest.fixture
def world(session: Session, people: People, settings: Settings, clock: TestClock) -> MarkingWorld:
    made = MarkingWorld.of(session, people, settings.identity_key, clock(), markers=3)
    made.distribute()
    made.third = people("考务吴敏", Role.EXAM_OFFICER)
    session.commit()
    clock.moment = made.after
    return made


def mark_all(page: Page, keys: dict[str, list[str]]) -> None:
    """Nothing but keys: ``keys`` by a piece of the candidate's text."""
    page.goto("/marking/written")
    link = page.get_by_role("link", name="评阅", exact=True)
    link.focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**/mark")
    while page.locator("[data-mark-form]").count():
        expect(page.locator(".step-points").first).to_be_focused()  # the browser does that some time after the page is there
        text = page.locator(".script-text").inner_text()
        *typed, last = next(pressed for piece, pressed in keys.items() if piece in text)
        for key in typed:
            page.keyboard.press(key)
        with page.expect_navigation():
            page.keyboard.press(last)
    expect(page.get_by_text("没有等您评阅的答卷")).to_be_visible()


def test_two_markers_and_a_third_mark_two_candidates_by_keyboard(session: Session, world: MarkingWorld, at_the_desk: Desk) -> None:
    pair = [task.marker.account_id for task in world.script("陈晓").tasks]
    first, second = (person for person in world.markers if person.account_id in pair)
    (third,) = (person for person in world.markers if person.account_id not in pair)
    question = world.question.id
    session.commit()
    chen, liu = TEXTS["陈晓"], TEXTS["刘洋"]
    mark_all(at_the_desk(first), {chen: ["f", "4", "Enter"], liu: ["3", "Enter", "z", "Enter"]})  # 5 + 4 and 3 + 0
    page = at_the_desk(second)
    mark_all(page, {chen: ["z", "1", "Enter"], liu: ["3", "Enter", "z", "Enter"]})  # 0 + 1: eight points apart
    mark_all(at_the_desk(third), {chen: ["f", "3", ".", "5", "Enter"], liu: ["3", "Enter", "0", "Enter"]})
    session.expire_all()
    found = {script.text: (script.half_points, script.how) for script in session.scalars(sa.select(Script))}
    assert found[chen] == (18, Settled.THIRD)  # 9 and 8.5 are closest: 8.75, up to 9
    assert found[liu] == (6, Settled.PAIR)
    session.commit()
    chief = at_the_desk(world.chief)
    chief.goto(f"/marking/questions/{question}")
    chief.once("dialog", lambda dialog: dialog.accept())
    chief.get_by_role("button", name="签字完成本题").click()
    expect(chief.get_by_text("理论成绩已算出")).to_be_visible()
    session.expire_all()
    assert world.sitting.state is SittingState.MARKED


def test_a_marker_undoes_by_keyboard(session: Session, world: MarkingWorld, at_the_desk: Desk) -> None:
    wu = world.markers[0]
    question = world.question.id
    session.commit()
    page = at_the_desk(wu)
    page.goto(f"/marking/questions/{question}/mark")
    code = page.locator("section h2 span").inner_text()
    expect(page.locator(".step-points").first).to_be_focused()
    page.keyboard.press("g")
    expect(page.locator("[data-sum]")).to_have_text("10")
    page.keyboard.press("Enter")
    with page.expect_navigation():  # until the next page's script listens
        page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="撤销上一份")).to_be_visible()
    with page.expect_navigation():
        page.keyboard.press("Alt+u")
    expect(page.get_by_text("已撤销对")).to_be_visible()
    assert page.locator("section h2 span").inner_text() == code


def test_a_bad_item_goes_through_preview_two_approvals_and_marking_again(session: Session, world: MarkingWorld, people: People,
                                                                          at_the_desk: Desk) -> None:
    for name in ("陈晓", "刘洋"):
        for task in list(world.script(name).tasks):
            world.give(next(one for one in world.markers if one.account_id == task.marker.account_id), name, 4, 4)
    from examroom.marking import desk, marks

    marks.sign(session, world.question, world.chief, now=world.after)
    desk.finish(session, world.sitting, now=world.after)
    fourth = people("考务郑敏", Role.EXAM_OFFICER)
    sitting, chen = world.sitting.id, world.sheet("陈晓").id
    before = session.scalars(sa.select(TheoryScore.half_points).where(TheoryScore.sheet_id == chen)).one()
    session.commit()
    page = at_the_desk(world.officer)
    page.goto(f"/marking/sittings/{sitting}")
    page.get_by_role("link", name="登记问题试题").click()
    page.select_option("#version", index=1)
    page.fill("#reason", "教材第 35 页应为 C")
    page.get_by_role("button", name="登记").click()
    page.get_by_label("更正答案").check()
    page.fill("#key", "c")
    page.get_by_role("button", name="预览影响").click()
    page.get_by_role("link", name="查看结果").click()
    expect(page.get_by_role("heading", name="处理办法：更正答案（C）")).to_be_visible()
    expect(page.get_by_text("须由另外两人批准")).to_be_visible()
    address = page.url.partition("/marking/")[2]
    for person in (world.third, fourth):
        other = at_the_desk(person)
        other.goto(f"/marking/{address}")
        other.once("dialog", lambda dialog: dialog.accept())
        other.get_by_role("button", name="批准", exact=True).click()
        other.wait_for_load_state()
    page.reload()
    expect(page.get_by_text("3 个成绩改变，前后两个成绩都保存在案")).to_be_visible()
    session.expire_all()
    change = session.scalars(sa.select(ScoreChange).where(ScoreChange.sheet_id == chen)).one()
    assert (change.before, change.after) == (before, before - 2)

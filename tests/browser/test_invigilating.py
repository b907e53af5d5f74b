"""An invigilator's page and a candidate's page side by side, in real browsers against one server."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from examroom.delivery.models import Admission
from tests.browser.exam_room import Room
from tests.conftest import PASSWORD

PAPER: dict[str, Any] = {"candidates": 4}


@pytest.fixture(scope="module")
def desk(exam_room: Room) -> Page:
    """Li's page of the room."""
    page = exam_room.computer().new_page()
    page.goto(f"{exam_room.address}/accounts/sign-in")
    page.fill("#login", exam_room.world.invigilator.login)
    page.fill("#password", PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url("**/")
    page.goto(f"{exam_room.address}/invigilation/rooms/{exam_room.world.room.id}")
    expect(page.locator(".seat")).to_have_count(4)
    return page


def pick(desk: Page, name: str) -> None:
    desk.keyboard.press("Escape")
    desk.locator(".seat", has_text=name).click()
    expect(desk.locator("[data-who]")).to_contain_text(name)


def told(desk: Page, text: str) -> None:
    expect(desk.locator("[data-toast] span")).to_contain_text(text)


def test_li_checks_grants_and_messages_and_the_candidates_page_follows(exam_room: Room, desk: Page) -> None:
    pick(desk, "陈晓")
    desk.keyboard.press("p")  # the check at the door by one key; the next candidate is chosen
    told(desk, "陈晓已核验")
    expect(desk.locator("[data-who]")).to_contain_text("刘洋")
    assert exam_room.sheet("陈晓").admission is Admission.ADMITTED
    exam_room.session.commit()
    candidate = exam_room.sit("陈晓")
    pick(desk, "陈晓")
    desk.locator('button[name="minutes"][value="5"]').click()
    told(desk, "+5 分钟")
    expect(candidate.locator("body")).to_contain_text("电脑故障", timeout=6000)  # within five seconds, with the reason
    desk.keyboard.press("z")  # and taken back by one key
    told(desk, "已撤销")
    assert [entry.seconds for entry in exam_room.sheet("陈晓").time_entries] == [300, -300]
    exam_room.session.commit()
    desk.keyboard.press("m")
    desk.keyboard.type("请保持安静。")
    desk.keyboard.press("Enter")
    told(desk, "消息已发给 陈晓")
    expect(candidate.locator("#notices")).to_contain_text("请保持安静。", timeout=6000)
    expect(desk.locator("[data-notes-here]")).to_contain_text("0 / 1")
    candidate.locator("#notices button").first.click()
    expect(desk.locator("[data-one-facts]")).not_to_contain_text("未读", timeout=20_000)  # the board says when it was read


def test_li_evacuates_every_screen_is_covered_and_the_time_comes_back(exam_room: Room, desk: Page) -> None:
    candidate = exam_room.sit("刘洋")
    exam_room.clock.ahead += timedelta(minutes=1)
    desk.keyboard.press("Escape")
    desk.locator('[data-fold="more"] summary').click()
    desk.once("dialog", lambda dialog: dialog.accept())
    desk.get_by_role("button", name="紧急疏散").click()
    told(desk, "所有屏幕已遮盖")
    expect(candidate.locator("#cover")).to_be_visible(timeout=6000)
    expect(desk.locator('[data-count="paused"]')).to_have_text("4")
    exam_room.clock.ahead += timedelta(minutes=15)
    desk.get_by_role("button", name="恢复考试").click()
    told(desk, "已恢复 全考场")
    expect(candidate.locator("#cover")).to_be_hidden(timeout=6000)
    sheet = exam_room.sheet("刘洋")
    assert sheet.ends_at - sheet.sitting.ends_at >= timedelta(minutes=15)
    exam_room.session.commit()
    expect(desk.locator("[data-notes-here]")).to_contain_text("疏散")


def test_li_hands_a_sheet_over_to_another_computer_with_one_click(exam_room: Room, desk: Page) -> None:
    first = exam_room.sit("周婷")
    second = exam_room.sign_in(exam_room.computer(), "周婷")
    asked = desk.locator("[data-asks] p", has_text="请求换机")
    expect(asked).to_contain_text("周婷", timeout=10_000)
    asked.get_by_role("button", name="同意换机").click()
    told(desk, "原电脑已停用")
    expect(second.locator("#desk")).to_be_visible(timeout=10_000)
    expect(first.locator("body")).to_contain_text("另一台电脑", timeout=10_000)


def test_a_sheet_taken_by_mistake_is_given_back(exam_room: Room, desk: Page) -> None:
    candidate = exam_room.sit("吴磊")
    pick(desk, "吴磊")
    if not desk.get_by_role("button", name="强制收卷").is_visible():
        desk.locator('[data-fold="more"] summary').click()
    desk.once("dialog", lambda dialog: dialog.dismiss())
    desk.get_by_role("button", name="强制收卷").click()  # asked, and thought better of it
    assert exam_room.sheet("吴磊").handed_in_at is None
    exam_room.session.commit()
    desk.once("dialog", lambda dialog: dialog.accept())
    desk.get_by_role("button", name="强制收卷").click()
    told(desk, "已收取 吴磊")
    expect(candidate.locator("body")).to_contain_text("已交卷", timeout=8000)
    desk.locator("[data-undo]").click()
    told(desk, "退回 吴磊")
    candidate.goto(f"{exam_room.address}/exam/hall")
    candidate.wait_for_url("**/exam/sheets/*")
    expect(candidate.locator("#desk")).to_be_visible()


def test_the_list_shows_the_same_and_arrows_move_on_the_map(exam_room: Room, desk: Page) -> None:
    desk.locator('[data-view="list"]').click()
    expect(desk.locator("[data-list] tbody tr")).to_have_count(4)
    expect(desk.locator("[data-list] tbody")).to_contain_text("陈晓")
    desk.locator('[data-view="map"]').click()
    desk.keyboard.press("Escape")
    desk.locator(".seat").first.focus()
    desk.keyboard.press("ArrowRight")
    desk.keyboard.press("Space")
    expect(desk.locator("[data-who]")).to_contain_text("刘洋")
    desk.keyboard.press("a")
    expect(desk.locator("[data-who]")).to_have_text("已选 4 人")

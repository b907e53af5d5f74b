"""Time in a real Chromium: it belongs to the server, whatever the computer's clock says and however long the tab was hidden."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest
from playwright.sync_api import Page, Playwright, expect

from examroom.delivery import dealing, ledger, notices
from examroom.delivery.models import HandIn, Presence, SheetState
from examroom.invigilation import rooms
from tests.browser.exam_room import Network, Room, answer, served

PAPER = {"single": 6, "multiple": 2, "judge": 2, "candidates": 10}
SHIFT = """{ const real = Date; const shift = %d; globalThis.Date = class extends real {
    constructor(...given) { if (given.length) super(...given); else super(real.now() + shift); }
    static now() { return real.now() + shift; } }; }"""


def shown_seconds(page: Page) -> int:
    seconds = 0
    for part in page.locator("#clock").inner_text().split(":"):
        seconds = seconds * 60 + int(part)
    return seconds


def left(room: Room, name: str) -> float:
    """What the server says."""
    sheet = room.sheet(name)
    seconds = (sheet.ends_at or room.world.sitting.ends_at) - room.clock()
    room.session.commit()
    return seconds.total_seconds()


@pytest.fixture(scope="module")
def early_room(chromium: Playwright, tmp_path_factory: pytest.TempPathFactory,
               fresh_database_url: Callable[[], str]) -> Iterator[Room]:
    """A room half an hour before its sitting."""
    with served(chromium, tmp_path_factory.mktemp("early"), fresh_database_url(), early=timedelta(minutes=30),
                single=3, multiple=1, judge=1, candidates=2) as room:
        yield room


def test_the_waiting_page_follows_a_changed_start_and_shows_nothing_early(early_room: Room) -> None:
    """Row 10, and row 6: a computer that is an hour fast."""
    room, name = early_room, "陈晓"
    context = room.computer()
    context.add_init_script(SHIFT % 3_600_000)
    page = context.new_page()
    fetched: list[str] = []
    page.on("response", lambda response: fetched.append(response.text()) if "json" in response.headers.get("content-type", "") else None)
    page.goto(f"{room.address}/exam")
    room.type_code(page, name)
    page.wait_for_url("**/exam/hall")
    expect(page.locator("[data-hall-clock]")).to_contain_text("29:")
    later = room.world.sitting.starts_at + timedelta(minutes=45)
    dealing.postpone(room.session, room.world.sitting, later, room.world.officer, now=room.clock())
    room.session.commit()
    expect(page.locator("[data-hall-clock]")).to_contain_text("1:14:", timeout=30_000)
    sheet = room.sheet(name)
    room.session.commit()
    page.goto(f"{room.address}/exam/sheets/{sheet.id}")
    page.wait_for_url("**/exam/hall")
    assert not any("下列说法" in text for text in [*fetched, page.content()])
    room.clock.move_to(later)
    if room.world.room.opened_at is None:
        rooms.open_room(room.session, room.world.room, room.world.invigilator, now=room.clock())
    room.session.commit()
    page.wait_for_url("**/exam/sheets/*")
    expect(page.locator("#desk")).to_be_visible()


def test_a_wrong_clock_on_the_computer_buys_no_time_and_is_told_to_the_invigilator(exam_room: Room) -> None:
    """Rows 6 and 9: an hour slow."""
    name = "陈晓"
    context = exam_room.computer()
    context.add_init_script(SHIFT % -3_600_000)
    page = exam_room.sit(name, context)
    assert abs(shown_seconds(page) - left(exam_room, name)) <= 2
    held = answer(exam_room, page, name, range(1, 3))
    exam_room.wait_stored(page, name, held)
    presence = exam_room.session.get_one(Presence, exam_room.sheet(name).id)
    exam_room.session.refresh(presence)
    offset = presence.clock_offset_ms
    exam_room.session.commit()
    ahead = exam_room.clock.ahead.total_seconds()  # the test moved the server's clock
    assert offset is not None
    assert abs(offset / 1000 - (-3_600 - ahead)) < 5


def test_ten_hidden_minutes_leave_the_countdown_at_most_a_second_off(exam_room: Room) -> None:
    """Row 7. Timers stand still as in a tab that the browser put to sleep, and no answer of the server corrects the page."""
    name = "刘洋"
    context = exam_room.computer()
    page = context.new_page()
    page.clock.install()
    exam_room.sit(name, context)
    network = Network(page)
    network.cut()
    before = left(exam_room, name)
    page.evaluate("Object.defineProperty(document, 'hidden', { value: true, configurable: true }); document.dispatchEvent(new Event('visibilitychange'))")
    page.clock.fast_forward(600_000)
    page.evaluate("Object.defineProperty(document, 'hidden', { value: false, configurable: true }); document.dispatchEvent(new Event('visibilitychange'))")
    passed = before - left(exam_room, name)  # what really went by meanwhile
    assert abs(shown_seconds(page) - (before - 600 - passed)) <= 2
    network.mend()


def test_a_reload_resets_no_countdown(exam_room: Room) -> None:
    """Row 8."""
    name = "周婷"
    page = exam_room.sit(name)
    page.reload()
    expect(page.locator("#desk")).to_be_visible()
    assert abs(shown_seconds(page) - left(exam_room, name)) <= 2


def test_granted_time_shows_within_five_seconds_and_adds_up(exam_room: Room) -> None:
    """Row 13."""
    name = "吴磊"
    page = exam_room.sit(name)
    for minutes, reason in ((10, "电脑重启"), (5, "更换鼠标")):
        sheet = exam_room.sheet(name)
        ledger.grant(exam_room.session, sheet, minutes * 60, "room", reason, exam_room.world.invigilator, now=exam_room.clock())
        exam_room.session.commit()
        expect(page.locator("#banner")).to_contain_text(f"+{minutes} 分钟：{reason}", timeout=5_500)
    assert abs(shown_seconds(page) - left(exam_room, name)) <= 2
    assert shown_seconds(page) > 90 * 60


def test_a_paused_sheet_is_covered_its_clock_stands_and_it_goes_on_where_it_was(exam_room: Room) -> None:
    name = "黄静"
    page = exam_room.sit(name)
    page.keyboard.press("b")
    exam_room.wait_stored(page, name, {1: "B"})
    ledger.pause(exam_room.session, exam_room.sheet(name), now=exam_room.clock())
    exam_room.session.commit()
    expect(page.locator("#cover")).to_be_visible(timeout=5_500)
    expect(page.locator("#desk")).to_be_hidden()
    standing = shown_seconds(page)
    page.keyboard.press("c")
    page.wait_for_timeout(2_100)
    assert shown_seconds(page) == standing
    ledger.resume(exam_room.session, exam_room.sheet(name), "火警演练", exam_room.world.invigilator, now=exam_room.clock())
    exam_room.session.commit()
    expect(page.locator("#cover")).to_be_hidden(timeout=5_500)
    expect(page.locator(".q input:checked")).to_have_value("B")
    page.keyboard.press("c")
    exam_room.wait_stored(page, name, {1: "C"})


def test_a_notice_stays_until_it_is_confirmed_and_the_invigilator_sees_who_has_read_it(exam_room: Room) -> None:
    name = "赵鹏"
    page = exam_room.sit(name)
    sheet = exam_room.sheet(name)
    posted = notices.post(exam_room.session, exam_room.world.room, "第 3 题图中的 KM1 应为 KM2。", exam_room.world.invigilator, sheet=sheet,
                          now=exam_room.clock()).id
    exam_room.session.commit()
    expect(page.locator(".exam-notice")).to_contain_text("第 3 题图中的 KM1 应为 KM2。", timeout=5_500)
    expect(page.locator("#announcer")).to_contain_text("监考员通知")
    with page.expect_response("**/events"):
        page.keyboard.press("y")
    expect(page.locator(".exam-notice")).to_have_count(0)
    presence = exam_room.session.get_one(Presence, exam_room.sheet(name).id)
    exam_room.session.refresh(presence)
    assert presence.read_notice == posted
    exam_room.session.commit()


def test_time_is_announced_politely_and_seldom(exam_room: Room) -> None:
    """Row 22: the minutes are in ``tests/client/clock.test.mjs``; here that the clock itself is in no live region."""
    page = exam_room.sit("考生007")
    assert page.locator("#announcer").get_attribute("aria-live") == "polite"
    assert page.evaluate("document.querySelector('#clock').closest('[aria-live], [role=status], [role=alert], [role=timer]')") is None
    said = page.evaluate("""async () => { const said = []; new MutationObserver(() => said.push(document.querySelector("#announcer").textContent))
        .observe(document.querySelector("#announcer"), { childList: true, characterData: true, subtree: true });
        await new Promise((done) => setTimeout(done, 2500)); return said; }""")
    assert said == []  # the clock went on, nothing was said


def test_the_answer_of_the_last_second_is_kept_and_the_page_closes_itself(exam_room: Room) -> None:
    """Row 1. The last test of the file: the room's time is over."""
    room, name = exam_room, "考生008"
    page = room.sit(name)
    held = answer(room, page, name, range(1, 4))
    room.clock.move_to(room.world.sitting.ends_at - timedelta(seconds=8))
    page.evaluate("dispatchEvent(new Event('online'))")
    expect(page.locator("#clock")).to_have_attribute("data-kind", "last")
    while left(room, name) > 1.2:
        page.wait_for_timeout(50)
    held |= answer(room, page, name, range(4, 5))
    expect(page.locator("#final-title")).to_have_text("已交卷")
    expect(page.locator("#final-facts")).to_contain_text("到时自动交卷")
    sheet = room.sheet(name)
    assert (sheet.state, sheet.handed_in_how) == (SheetState.HANDED_IN, HandIn.DEADLINE)
    assert room.stored(name) == held
    page.reload()
    expect(page.locator("#final-facts")).to_contain_text("4 / 10")  # a reload shows the receipt again

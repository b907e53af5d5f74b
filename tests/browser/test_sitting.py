"""One sitting in a real Chromium: the system's, else playwright's own, else a failure that says what to install."""

from __future__ import annotations

import dataclasses
import os
import shutil
import signal
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from playwright.sync_api import BrowserContext, Page, Playwright, expect, sync_playwright
from sqlalchemy.orm import Session
from werkzeug.serving import make_server

from examroom.delivery import sheets, shuffle
from examroom.delivery.models import Answer, HandIn, Sheet, SheetState
from examroom.invigilation import rooms
from examroom.marking import desk
from examroom.marking.models import TheoryScore
from qbank.kernel.identity import IdentityCipher
from qbank.kernel.settings import Settings
from tests.conftest import PASSWORD, People, TestClock
from tests.sitting_world import SittingWorld

INSTALL = "apt-get install chromium (or google-chrome), or: python -m playwright install chromium"
OFFLINE = "已离线，答案保存在本机，恢复后自动上传"


class RunningClock(TestClock):
    """The server's clock: real seconds, moved by a test where minutes matter."""

    __test__ = False

    def __init__(self) -> None:
        self.ahead = timedelta(0)

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self.ahead

    def move_to(self, moment: datetime) -> None:
        self.ahead = moment - datetime.now(UTC)


@pytest.fixture
def clock() -> RunningClock:
    return RunningClock()


@pytest.fixture
def settings(tmp_path: Path, fresh_database_url: Callable[[], str]) -> Settings:
    made = Settings(folder=tmp_path, database_url=fresh_database_url(), secret_key=b"s" * 32, identity_key=b"i" * 32,
                    jobs_inline=True)
    return dataclasses.replace(made, idle_minutes=600)  # the clock jumps


@pytest.fixture(scope="module")
def playwright() -> Iterator[Playwright]:
    with sync_playwright() as started:
        yield started


@pytest.fixture(scope="module")
def chromium(playwright: Playwright) -> str:
    for name in ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome"):
        if found := shutil.which(name):
            return found
    if Path(playwright.chromium.executable_path).exists():
        return playwright.chromium.executable_path
    pytest.fail(f"no Chromium or Chrome on this machine; install one: {INSTALL}")


@dataclass
class Room:
    """A served sitting of forty items that begins now, and browsers to sit it in."""

    world: SittingWorld
    session: Session
    clock: RunningClock
    playwright: Playwright
    chromium: str
    address: str
    folder: Path
    layout: list[dict[str, Any]]
    keys: dict[int, str]
    contexts: list[BrowserContext] = field(default_factory=list)

    def computer(self, name: str) -> BrowserContext:
        """A browser with a profile of its own; the same name again is the same computer."""
        context = self.playwright.chromium.launch_persistent_context(
            str(self.folder / name), executable_path=self.chromium, args=["--no-sandbox", "--disable-gpu"],
            viewport={"width": 1024, "height": 768}, locale="zh-CN")
        context.set_default_timeout(20_000)
        self.contexts.append(context)
        return context

    def sign_in(self, context: BrowserContext, name: str = "陈晓") -> Page:
        """By keyboard alone, up to the first question."""
        page = context.pages[0] if context.pages else context.new_page()
        page.goto(f"{self.address}/exam")
        expect(page.locator("#ticket")).to_be_focused()
        page.keyboard.type(self.world.enrolment(name).ticket_number)
        page.keyboard.press("Tab")
        page.keyboard.type(self.world.numbers[name])
        page.keyboard.press("Enter")
        page.wait_for_url("**/exam/sheets/*")
        return page

    def sit(self, computer: str = "pc-1", name: str = "陈晓") -> Page:
        page = self.sign_in(self.computer(computer), name)
        expect(page.locator("#desk")).to_be_visible()
        return page

    def board(self) -> Page:
        """The live board on the invigilator's computer; questions are answered with yes."""
        page = self.computer("staff").pages[0]
        page.goto(f"{self.address}/accounts/sign-in")
        page.fill("#login", self.world.invigilator.login)
        page.fill("#password", PASSWORD)
        page.keyboard.press("Enter")
        page.wait_for_url(f"{self.address}/")
        page.goto(f"{self.address}/invigilation/rooms/{self.world.room.id}")
        page.on("dialog", lambda dialog: dialog.accept())
        return page

    def kill(self, name: str) -> None:
        """SIGKILL to every process of that browser, as a power cut would."""
        profile = str(self.folder / name).encode()
        for process in Path("/proc").iterdir():
            try:
                if process.name.isdecimal() and profile in (process / "cmdline").read_bytes():
                    os.kill(int(process.name), signal.SIGKILL)
            except OSError:
                continue  # gone meanwhile

    def letter(self, shown: int) -> str:
        """What to press for the right answer of a question as 陈晓 sees it."""
        entry = self.layout[shown - 1]
        return shuffle.to_shown(entry, self.keys[entry["number"]])

    def read(self, name: str = "陈晓") -> tuple[Sheet, dict[int, str]]:
        sheet = self.world.sheet(name)
        self.session.refresh(sheet)
        self.session.query(Answer).populate_existing().all()
        found = {number: answer.answer for number, answer in sheets.answers(self.session, sheet).items()}
        self.session.commit()  # an open session of the test would keep SQLite's write lock
        return sheet, found

    def wait_stored(self, page: Page, count: int, name: str = "陈晓") -> dict[int, str]:
        for _ in range(100):
            found = self.read(name)[1]
            if len(found) >= count:
                return found
            page.wait_for_timeout(100)
        pytest.fail(f"only {len(found)} of {count} answers reached the server")


@pytest.fixture
def room(session: Session, people: People, settings: Settings, clock: RunningClock, app: Flask, playwright: Playwright,
         chromium: str, tmp_path: Path) -> Iterator[Room]:
    app.config["WTF_CSRF_ENABLED"] = True
    world = SittingWorld(session, people, IdentityCipher(settings.identity_key), single=24, multiple=8, judge=8)
    world.make(clock()).running()
    layout, keys = world.sheet("陈晓").layout, world.keys()
    session.commit()
    clock.move_to(world.begin)
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    made = Room(world, session, clock, playwright, chromium, f"http://127.0.0.1:{server.server_port}", tmp_path, layout, keys)
    yield made
    for context in made.contexts:
        context.close()
    server.shutdown()
    thread.join()
    server.server_close()


def answer(room: Room, page: Page, numbers: range) -> None:
    """Answers these questions with the keyboard, beginning at the first of them."""
    for number in numbers:
        expect(page.locator("#stem")).to_contain_text(f"{number}. ")
        for letter in room.letter(number):
            page.keyboard.press(letter if number % 2 else str("ABCDEFGHIJ".index(letter) + 1))
        if number != 40:
            page.keyboard.press("ArrowRight" if number % 3 else "PageDown")


def test_forty_answers_by_keyboard_alone_survive_a_killed_browser(room: Room) -> None:
    page = room.sit()
    answer(room, page, range(1, 20))
    room.wait_stored(page, 19)
    answer(room, page, range(20, 21))
    room.kill("pc-1")  # in the middle of the last click
    room.contexts.clear()
    held = len(room.read()[1])
    assert held >= 19

    page = room.sit()  # the same computer, a new browser
    expect(page.locator("#count")).to_contain_text("已答 ")
    shown = int(page.locator("#count").inner_text().split()[1])
    assert shown >= 19
    assert page.locator("#card .is-answered").count() == shown
    expect(page.locator("#card [aria-current]")).to_have_text(str(shown + 1))
    page.keyboard.press("ArrowLeft")
    expect(page.locator("#options input:checked")).to_have_count(len(room.letter(shown)))
    page.keyboard.press("ArrowRight")
    answer(room, page, range(shown + 1, 39))
    page.keyboard.press("f")
    expect(page.locator("#flag")).to_have_attribute("aria-pressed", "true")

    room.clock.move_to(room.world.begin + timedelta(minutes=31))
    page.wait_for_timeout(4_600)  # the next pulse tells the page that it may hand in
    page.keyboard.press("Control+Enter")
    expect(page.locator("#dialog")).to_be_visible()
    expect(page.locator('[data-list="unanswered"]')).to_contain_text("还有 2 题未作答")
    assert page.locator('[data-list="unanswered"] button').all_inner_texts() == ["39", "40"]
    expect(page.locator("#go-on")).to_be_focused()
    page.keyboard.press("Enter")  # the default is to go on
    expect(page.locator("#dialog")).to_be_hidden()
    answer(room, page, range(39, 41))
    page.keyboard.press("Control+Enter")
    expect(page.locator("#dialog-told")).to_contain_text("全部 40 题都已作答")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.locator("#final-title")).to_have_text("已交卷")
    expect(page.locator("#final-facts")).to_contain_text("40 / 40")

    sheet, stored = room.read()
    assert (sheet.state, sheet.handed_in_how) == (SheetState.HANDED_IN, HandIn.CANDIDATE)
    assert stored == room.keys
    desk.close_due(room.session, room.world.sitting.ends_at + timedelta(minutes=1))
    score = room.session.scalars(sa.select(TheoryScore).where(TheoryScore.sheet_id == sheet.id)).one()
    room.session.commit()
    assert score.half_points == 80  # 40 items of 2 half-points, all right


def test_another_computer_waits_for_the_invigilator_and_the_first_turns_read_only(room: Room) -> None:
    first = room.sit("pc-1")
    answer(room, first, range(1, 4))
    room.wait_stored(first, 3)
    second = room.sign_in(room.computer("pc-2"))
    expect(second.locator("#banner")).to_contain_text("由监考员同意")
    expect(second.locator("#desk")).to_be_hidden()
    board = room.board()
    board.get_by_role("button", name="同意换机").first.click()
    expect(second.locator("#count")).to_contain_text("已答 3 / 40")
    expect(first.locator("#banner")).to_contain_text("已在另一台电脑上打开")
    expect(first.locator("#options input").first).to_be_disabled()
    first.keyboard.press("A")
    answer(room, second, range(4, 5))
    stored = room.wait_stored(second, 4)
    assert stored == {number: room.keys[number] for number in (entry["number"] for entry in room.layout[:4])}


def test_a_waiting_computer_gets_the_receipt_when_the_sheet_is_handed_in(room: Room) -> None:
    room.sit("pc-1")
    second = room.sign_in(room.computer("pc-2"))
    expect(second.locator("#banner")).to_contain_text("由监考员同意")
    room.session.expire_all()
    rooms.force_hand_in(room.session, room.world.sheet("陈晓"), room.world.invigilator, "离开考场", now=room.clock())
    room.session.commit()
    expect(second.locator("#final")).to_contain_text("监考员收卷")
    expect(second.locator("#banner")).to_be_hidden()


def test_a_refused_form_is_filled_again_and_no_other_on_its_page(room: Room) -> None:
    board = room.board()
    board.fill("#text", "夹带小抄")
    board.select_option("#incident-sheet", index=1)
    board.check("[name=voids_theory]")  # of a kind that voids nothing: refused
    board.get_by_role("button", name="记入考场情况").click()
    board.get_by_role("link", name="返回修改").click()
    expect(board.locator("#text")).to_have_value("夹带小抄")
    expect(board.locator("[name=voids_theory]")).to_be_checked()
    for other in ("#time-sheet", "#force-sheet", "#time-reason", "#force-reason"):
        expect(board.locator(other)).to_have_value("")


def test_a_wrong_clock_on_the_computer_changes_nothing(room: Room) -> None:
    context = room.computer("pc-1")
    context.add_init_script("""{ const real = Date; const shift = 3600e3; globalThis.Date = class extends real {
        constructor(...given) { if (given.length) super(...given); else super(real.now() + shift); }
        static now() { return real.now() + shift; } }; }""")
    page = room.sign_in(context)
    expect(page.locator("#desk")).to_be_visible()
    expect(page.locator("#clock")).to_contain_text(":")
    expect(page.locator("#clock")).not_to_contain_text("-")
    left = (room.world.sitting.ends_at - room.clock()).total_seconds()
    shown = page.locator("#clock").inner_text()
    hours, minutes, seconds = (int(part) for part in shown.split(":"))
    assert abs(hours * 3600 + minutes * 60 + seconds - left) < 3
    answer(room, page, range(1, 2))
    room.wait_stored(page, 1)


def test_answers_given_offline_arrive_when_the_network_is_back(room: Room) -> None:
    page = room.sit()
    answer(room, page, range(1, 3))
    room.wait_stored(page, 2)
    address = page.url
    page.context.set_offline(True)
    answer(room, page, range(3, 9))
    expect(page.locator("#banner")).to_have_text(OFFLINE)
    expect(page.locator("#saved")).to_contain_text("待上传")
    assert len(room.read()[1]) == 2
    page.context.set_offline(False)
    stored = room.wait_stored(page, 8)
    expect(page.locator("#banner")).to_be_hidden()
    expect(page.locator("#saved")).to_have_text("答案已保存")
    assert stored == {entry["number"]: room.keys[entry["number"]] for entry in room.layout[:8]}
    assert page.url == address  # it never navigated


def test_unsent_answers_survive_a_kill_while_offline(room: Room) -> None:
    page = room.sit()
    answer(room, page, range(1, 3))
    room.wait_stored(page, 2)
    page.context.set_offline(True)
    answer(room, page, range(3, 7))
    page.wait_for_timeout(500)
    room.kill("pc-1")
    room.contexts.clear()
    assert len(room.read()[1]) == 2
    page = room.sit()
    stored = room.wait_stored(page, 6)
    expect(page.locator("#count")).to_contain_text("已答 6 / 40")
    assert stored == {entry["number"]: room.keys[entry["number"]] for entry in room.layout[:6]}


def test_the_answer_of_the_last_second_is_scored_and_the_page_closes_itself(room: Room) -> None:
    page = room.sit()
    answer(room, page, range(1, 4))
    room.clock.move_to(room.world.sitting.ends_at - timedelta(seconds=12))
    expect(page.locator("#clock")).to_have_attribute("data-kind", "last", timeout=6_000)
    while (room.world.sitting.ends_at - room.clock()).total_seconds() > 1.2:
        page.wait_for_timeout(50)
    answer(room, page, range(4, 5))
    expect(page.locator("#final-title")).to_have_text("已交卷")
    expect(page.locator("#final-facts")).to_contain_text("到时自动交卷")
    sheet, stored = room.read()
    assert sheet.handed_in_how is HandIn.DEADLINE
    assert stored == {entry["number"]: room.keys[entry["number"]] for entry in room.layout[:4]}
    page.reload()
    expect(page.locator("#final-facts")).to_contain_text("4 / 40")  # a reload shows the receipt again


def test_granted_time_shows_within_five_seconds(room: Room) -> None:
    page = room.sit()
    room.session.expire_all()
    rooms.grant_time(room.session, room.world.sheet("陈晓"), 600, "电脑重启", room.world.invigilator, now=room.clock())
    room.session.commit()
    expect(page.locator("#banner")).to_contain_text("+10 分钟：电脑重启", timeout=5_000)
    hours, minutes, _ = page.locator("#clock").inner_text().split(":")
    assert int(hours) * 60 + int(minutes) >= 98


def test_time_is_announced_politely_and_seldom(room: Room) -> None:
    page = room.sit()
    assert page.locator("#announcer").get_attribute("aria-live") == "polite"
    assert page.evaluate("document.querySelector('#clock').closest('[aria-live]')") is None
    said = page.evaluate("""async () => {
        const { Clock, spoken } = await import("/exam/client/clock.js");
        let now = 0; const clock = new Clock(() => now); clock.set(90 * 60); const said = [];
        for (; now < 90 * 60e3; now += 1000) { const due = clock.warning(); if (due) said.push(due); }
        now = 0; clock.set(5400); now = 600e3;  // ten minutes without a single tick, as in a hidden tab
        return [said, clock.remaining(), spoken(clock.remaining())];
    }""")
    assert said == [[60, 30, 15, 10, 5, 1], 4800, "1:20:00"]


def test_the_page_works_at_200_percent_and_without_indexed_db(room: Room) -> None:
    context = room.computer("pc-1")
    context.add_init_script("Object.defineProperty(globalThis, 'indexedDB', { value: undefined });")
    page = room.sign_in(context)
    page.set_viewport_size({"width": 512, "height": 384})  # 1024×768 at 200 %
    answer(room, page, range(1, 3))
    room.wait_stored(page, 2)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.context.set_offline(True)
    answer(room, page, range(3, 4))
    page.wait_for_timeout(300)
    assert page.evaluate("Object.keys(localStorage).filter((key) => key.startsWith('examroom:')).length") == 1
    page.context.set_offline(False)
    room.wait_stored(page, 3)

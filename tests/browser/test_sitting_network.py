"""A sitting in a real Chromium when things break: the network, the browser, the computer, the server."""

from __future__ import annotations

import hashlib
import hmac
import json
from io import BytesIO
from typing import Any

import sqlalchemy as sa
import zxingcpp
from PIL import Image
from playwright.sync_api import expect

from examroom.delivery import pages
from examroom.delivery.models import Answer, AnswerEvent, ExamPage, PageState
from examroom.marking import answer_file
from qbank.kernel import append_only
from tests.browser.exam_room import Network, Room, answer, slow

PAPER = {"single": 12, "multiple": 4, "judge": 4, "candidates": 12, "essay": 1}
OFFLINE = "已离线，答案保存在本机，恢复后自动上传"


def admit(room: Room, name: str) -> None:
    """The invigilator agrees that the waiting computer takes the sheet over."""
    sheet = room.sheet(name)
    waiting = room.session.scalars(sa.select(ExamPage).where(ExamPage.sheet_id == sheet.id, ExamPage.state == PageState.WAITING)).one()
    pages.admit(room.session, waiting, room.world.invigilator)
    room.session.commit()


def test_a_cut_network_is_a_calm_line_and_nothing_is_lost_or_navigated(exam_room: Room) -> None:
    """Row 5, on a slow computer."""
    name = "陈晓"
    page = exam_room.sit(name)
    slow(page)
    went: list[str] = []
    page.on("framenavigated", lambda frame: went.append(frame.url))
    network = Network(page)
    first = answer(exam_room, page, name, range(1, 4))
    exam_room.wait_stored(page, name, first)
    network.cut()
    second = answer(exam_room, page, name, range(4, 9))
    expect(page.locator("#banner")).to_have_text(OFFLINE)
    expect(page.locator("#saved")).to_have_text("离线，5 条待上传")
    expect(page.locator("#card .is-unsaved")).to_have_count(5)
    page.wait_for_timeout(1_000)
    network.mend()
    exam_room.wait_stored(page, name, first | second)
    expect(page.locator("#saved")).to_have_text("答案已保存")
    expect(page.locator("#banner")).to_be_hidden()
    expect(page.locator("#card .is-unsaved")).to_have_count(0)
    assert went == []


def test_a_killed_browser_loses_at_most_the_last_click_and_unsent_answers_are_offered(exam_room: Room) -> None:
    """Row 2: SIGKILL without a network; the same computer asks before it sends."""
    name = "刘洋"
    page = exam_room.sit(name, exam_room.profile("killed"))
    network = Network(page)
    sent = answer(exam_room, page, name, range(1, 3))
    exam_room.wait_stored(page, name, sent)
    network.cut()
    unsent = answer(exam_room, page, name, range(3, 7))
    page.wait_for_timeout(500)
    exam_room.kill("killed")
    assert exam_room.stored(name) == sent

    page = exam_room.enter(name, exam_room.profile("killed"))
    expect(page.locator("#offer")).to_be_visible()
    expect(page.locator("#offer-rows tr")).to_have_count(4)
    expect(page.locator("#offer-rows tr").first).to_contain_text(f"第 3 题未作答{unsent[3]}")
    assert exam_room.stored(name) == sent  # nothing is merged unasked
    page.keyboard.press("Escape")
    expect(page.locator("#offer")).to_be_visible()
    page.get_by_label("第 5 题采用本机作答").uncheck()
    page.locator("#offer-take").focus()
    page.keyboard.press("Enter")
    taken = {number: chosen for number, chosen in unsent.items() if number != 5}
    exam_room.wait_stored(page, name, sent | taken)
    expect(page.locator("#card [aria-current]")).to_have_text("5")
    page.reload()
    expect(page.locator("#desk")).to_be_visible()
    expect(page.locator("#offer")).to_be_hidden()  # what was left is forgotten


def test_another_computer_waits_and_the_first_turns_read_only(exam_room: Room) -> None:
    """Row 4: no takeover without the invigilator, no merging, one of two pages writes."""
    name = "周婷"
    first = exam_room.sit(name)
    network = Network(first)
    held = answer(exam_room, first, name, range(1, 4))
    exam_room.wait_stored(first, name, held)
    second = exam_room.enter(name)
    expect(second.locator("#banner")).to_contain_text("由监考员同意")
    expect(second.locator("#desk")).to_be_hidden()
    network.cut()
    answer(exam_room, first, name, range(4, 6))  # on the first computer, unsent
    admit(exam_room, name)
    expect(second.locator("#count")).to_contain_text("已答 3 / 21")
    elsewhere = answer(exam_room, second, name, range(4, 5))
    exam_room.wait_stored(second, name, held | elsewhere)
    network.mend()
    expect(first.locator("#saved")).to_have_text("本页已停用")
    expect(first.locator("#banner")).to_contain_text("已在另一台电脑上打开")
    expect(first.locator(".q input").first).to_be_disabled()
    first.keyboard.press("A")
    first.evaluate("""async () => { const { Clock } = await import(document.querySelector('script[type=module]').src.replace("page.js", "clock.js"));
        Clock.prototype.remaining = () => 0; }""")
    second.wait_for_timeout(600)
    expect(first.locator("#saved")).to_have_text("本页已停用")  # its time is no longer its business
    assert exam_room.stored(name) == held | elsewhere


def test_back_on_the_first_computer_its_unsent_answers_are_offered_against_the_newer_ones(exam_room: Room) -> None:
    name = "吴磊"
    computer = exam_room.computer()
    first = exam_room.sit(name, computer)
    network = Network(first)
    network.cut()
    first.keyboard.press("a")  # question 1, unsent
    first.keyboard.press("ArrowRight")
    first.keyboard.press("a")  # question 2, unsent
    first.wait_for_timeout(300)
    second = exam_room.enter(name)
    expect(second.locator("#banner")).to_contain_text("由监考员同意")
    admit(exam_room, name)
    expect(second.locator("#desk")).to_be_visible()
    for letter in "bcd":
        second.keyboard.press(letter)  # question 1: three newer events
    exam_room.wait_stored(second, name, {1: "D"})
    network.mend()
    expect(first.locator("#saved")).to_have_text("本页已停用")
    first.reload()
    expect(first.locator("#banner")).to_contain_text("由监考员同意")
    admit(exam_room, name)
    expect(first.locator("#offer-rows tr")).to_have_count(2)
    expect(first.locator("#offer-rows tr").nth(0)).to_contain_text("第 1 题DA")
    expect(first.get_by_label("第 1 题采用本机作答")).not_to_be_checked()  # the server's is newer
    expect(first.get_by_label("第 2 题采用本机作答")).to_be_checked()
    first.keyboard.press("Enter")
    exam_room.wait_stored(first, name, {1: "D", 2: "A"})


def test_a_cached_page_does_not_bring_back_an_empty_sheet(exam_room: Room) -> None:
    """Row 3: back and forward, reload: the state is always fetched, the answers are there."""
    name = "黄静"
    page = exam_room.sit(name)
    held = answer(exam_room, page, name, range(1, 4))
    exam_room.wait_stored(page, name, held)
    sheet = page.url
    answers = [page.request.get(f"{sheet}/state"), page.goto(f"{exam_room.address}/exam/hall")]
    assert all(one is not None and "no-store" in one.headers["cache-control"] for one in answers)
    page.go_back()
    expect(page.locator("#count")).to_contain_text("已答 3 / 21")
    page.keyboard.press("End")
    assert exam_room.stored(name) == held


def test_without_indexed_db_the_answers_are_kept_in_local_storage(exam_room: Room) -> None:
    name = "赵鹏"
    context = exam_room.computer()
    context.add_init_script("Object.defineProperty(globalThis, 'indexedDB', { value: undefined });")
    page = exam_room.sit(name, context)
    network = Network(page)
    network.cut()
    unsent = answer(exam_room, page, name, range(1, 3))
    page.wait_for_timeout(300)
    kept = page.evaluate("JSON.parse(localStorage.getItem(Object.keys(localStorage).find((key) => key.startsWith('examroom:'))))")
    assert [(event["number"], event["answer"]) for event in kept if not event.get("saved")][-2:] == list(unsent.items())
    network.mend()
    exam_room.wait_stored(page, name, unsent)


def test_a_restarted_server_gets_what_was_answered_meanwhile(exam_room: Room) -> None:
    name = "考生007"
    page = exam_room.sit(name)
    exam_room.stop_server()
    chosen = answer(exam_room, page, name, range(1, 5))
    expect(page.locator("#saved")).to_have_text("离线，4 条待上传")
    exam_room.start_server()
    exam_room.wait_stored(page, name, chosen)


def test_a_room_without_its_server_goes_on_to_the_end_and_offers_an_answer_file(exam_room: Room) -> None:
    """Part 7: the file holds what the server lacks, bound to the sheet; the page hands in when the server is there again."""
    room, name = exam_room, "考生008"
    page = room.sit(name)
    held = answer(room, page, name, range(1, 3))
    room.wait_stored(page, name, held)
    room.stop_server()
    unsent = answer(room, page, name, range(3, 6))
    page.evaluate("""async () => { const { Clock } = await import(document.querySelector('script[type=module]').src.replace("page.js", "clock.js"));
        const real = Clock.prototype.remaining; window.over = true;
        Clock.prototype.remaining = function () { return window.over ? 0 : real.call(this); }; }""")  # the time is over on this page
    expect(page.locator("#emergency")).to_be_visible(timeout=15_000)
    expect(page.locator("#emergency-told")).to_contain_text("考试时间已到。暂时连不上服务器，您的作答完整保存在这台电脑上")
    with page.expect_download() as download:
        page.locator("#emergency-save").click()
    file: dict[str, Any] = json.loads(download.value.path().read_text())
    assert (file["format"], file["version"], file["sheet"]) == ("examroom-answers", 1, room.sheet(name).id)
    shown = {event["number"]: event["answer"] for event in file["events"]}
    assert {number: shown[number] for number in unsent} == unsent
    covered = [file["sheet"], file["page_generation"], file["acknowledged"],
               [[event["sequence"], event["number"], event["answer"], event["flagged"]] for event in file["events"]]]
    text = json.dumps(covered, ensure_ascii=False, separators=(",", ":"))
    assert file["digest"] == hashlib.sha256(text.encode()).hexdigest()
    opened = room.session.scalars(sa.select(ExamPage).where(ExamPage.sheet_id == file["sheet"])).all()
    assert file["proof"] in {hmac.new(one.token_hash.encode(), file["digest"].encode(), hashlib.sha256).hexdigest() for one in opened}
    room.session.commit()
    expect(page.locator("#emergency-code")).to_have_text(" ".join(file["digest"][place:place + 4].upper() for place in (0, 4, 8)))
    page.locator("#emergency-show").click()
    assert json.loads(page.locator("#emergency-text").input_value())["digest"] == file["digest"]
    page.locator("#emergency-scan").click()
    expect(page.locator("#emergency-place")).to_have_text("第 1 张，共 1 张")
    scanned = zxingcpp.read_barcode(Image.open(BytesIO(page.locator("#emergency-frame svg").screenshot())))
    assert scanned is not None
    assert answer_file.read(scanned.text.encode()).digest == file["digest"]  # what a scanner types into the upload page
    assert page.url.endswith(f"/exam/sheets/{file['sheet']}")

    page.evaluate("window.over = false")
    room.start_server()  # which knows that there is time left: the candidate goes on
    room.wait_stored(page, name, held | unsent)
    expect(page.locator("#emergency")).to_be_hidden()
    expect(page.locator("#desk")).to_be_visible()
    expect(page.locator(".q input").first).to_be_enabled()


def test_a_standby_server_with_an_older_copy_is_given_the_last_minutes_again(exam_room: Room) -> None:
    """What was acknowledged before the change of servers comes back from the page, without a question to the candidate."""
    room, name = exam_room, "考生009"
    page = room.sit(name)
    held = answer(room, page, name, range(1, 6))
    room.wait_stored(page, name, held)
    sheet = room.sheet(name)
    older = room.session.scalars(sa.select(AnswerEvent).where(AnswerEvent.sheet_id == sheet.id).order_by(AnswerEvent.sequence)).all()
    head, gone = next(event for event in older if event.sequence == sheet.highest - 3), [event for event in older if event.sequence > sheet.highest - 3]
    append_only.lift(room.session.connection())  # an older copy does not hold these rows
    room.session.execute(sa.delete(Answer).where(Answer.sheet_id == sheet.id, Answer.number.in_([event.number for event in gone])))
    room.session.execute(sa.delete(AnswerEvent).where(AnswerEvent.id.in_([event.id for event in gone])))
    sheet.highest, sheet.chain = head.sequence, head.chain
    room.session.commit()
    assert len(room.stored(name)) < len(held)
    held |= answer(room, page, name, range(6, 7))
    room.wait_stored(page, name, held)
    expect(page.locator("#offer")).to_be_hidden()
    expect(page.locator("#saved")).to_have_text("答案已保存")

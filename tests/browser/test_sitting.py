"""A sitting in a real Chromium: what a candidate does with the page."""

from __future__ import annotations

from datetime import timedelta

from playwright.sync_api import Page, expect

from examroom.delivery.models import HandIn, SheetState
from tests.browser.exam_room import Room, answer

PAPER = {"single": 5, "multiple": 2, "judge": 2, "fill": 1, "short": 1, "essay": 1, "candidates": 8, "stems": {
    1: "三相异步电动机的同步转速 $n_0 = \\frac{60 f}{p}$，当 $f = 50\\ \\mathrm{Hz}$ 时，下列说法是否正确？",
    10: "交流接触器的电磁机构由____和____组成。"}}


def show(page: Page, number: int) -> None:
    page.locator(f'#card button[data-number="{number}"]').click()


def test_the_whole_list_is_a_choice_that_is_remembered(exam_room: Room) -> None:
    name = "周婷"
    page = exam_room.sit(name)
    expect(page.locator(".q")).to_have_count(1)
    page.keyboard.press("v")
    expect(page.locator(".q")).to_have_count(12)
    expect(page.locator("#view")).to_have_text("一题一页")
    show(page, 6)
    expect(page.locator("#q-6")).to_be_focused()
    page.keyboard.press("a")
    page.keyboard.press("c")
    exam_room.wait_stored(page, name, {6: "AC"})
    page.locator("#q-2 .exam-option").nth(1).click()
    expect(page.locator("#card [aria-current]")).to_have_text("2")
    exam_room.wait_stored(page, name, {2: "B", 6: "AC"})
    page.mouse.wheel(0, 4_000)
    expect(page.locator("#card [aria-current]")).not_to_have_text("2")
    page.reload()
    expect(page.locator(".q")).to_have_count(12)
    expect(page.locator("#q-6 input:checked")).to_have_count(2)


def test_struck_out_options_rough_paper_and_the_looks_survive_a_reload_and_are_never_sent(exam_room: Room) -> None:
    name = "吴磊"
    page = exam_room.sit(name)
    page.keyboard.press("Shift+B")
    expect(page.locator(".is-struck")).to_contain_text("B")
    page.keyboard.press("=")
    page.keyboard.press("t")
    page.keyboard.press("p")
    page.keyboard.type("n = 60 × 50 / 2 = 1500")
    page.keyboard.press("Escape")
    expect(page.locator("#scratch")).to_be_hidden()
    page.wait_for_timeout(700)
    page.reload()
    expect(page.locator(".is-struck")).to_have_count(1)
    assert page.locator("body").get_attribute("data-size") == "2"
    assert page.locator("body").get_attribute("data-contrast") == "high"
    expect(page.locator("#scratch textarea")).to_have_value("n = 60 × 50 / 2 = 1500")
    page.keyboard.press("b")  # struck out is not forbidden
    exam_room.wait_stored(page, name, {1: "B"})


def test_text_is_saved_by_itself_and_never_in_the_middle_of_a_chinese_word(exam_room: Room) -> None:
    name = "黄静"
    page = exam_room.sit(name)
    show(page, 12)
    page.keyboard.press("Tab")
    method = page.context.new_cdp_session(page)
    sent: list[str] = []
    page.on("request", lambda request: sent.append(request.post_data or "") if request.url.endswith("/events") else None)
    method.send("Input.imeSetComposition", {"text": "duan'dian", "selectionStart": 9, "selectionEnd": 9})
    expect(page.locator("#q-12 textarea")).to_have_value("duan'dian")
    page.wait_for_timeout(5_600)  # longer than any timer of the page
    assert not any("duan" in body for body in sent)
    assert exam_room.stored(name) == {}
    expect(page.locator("#saved")).to_have_text("正在输入，稍后自动保存")
    method.send("Input.insertText", {"text": "断电"})
    exam_room.wait_stored(page, name, {12: "断电"})
    expect(page.locator("#saved")).to_have_text("答案已保存")
    expect(page.locator("#q-12 .written-count")).to_have_text("已写 2 字")
    assert not any("duan" in body for body in sent)


def test_who_types_without_a_pause_is_saved_every_five_seconds(exam_room: Room) -> None:
    name = "赵鹏"
    page = exam_room.sit(name)
    show(page, 11)
    page.keyboard.press("Tab")
    for key in range(28):
        page.keyboard.type("电")
        page.wait_for_timeout(200)
        if key == 25:
            assert len(exam_room.stored(name).get(11, "")) >= 15  # half a minute of typing is not one keystroke away from lost
    page.reload()  # without a pause: what was typed last leaves with the page
    exam_room.wait_stored(page, name, {11: "电" * 28})


def test_leaving_the_page_is_counted_and_told_calmly(exam_room: Room) -> None:
    page = exam_room.sit("考生007")
    with page.expect_request(lambda request: request.url.endswith("/events") and '"left":1' in (request.post_data or "")):
        page.evaluate("dispatchEvent(new Event('blur'))")
    expect(page.locator("#banner")).to_contain_text("您刚才离开了答题页面（第 1 次）")
    page.evaluate("dispatchEvent(new Event('focus'))")
    page.keyboard.press("u")
    expect(page.locator("#full-screen")).to_have_text("退出全屏")
    with page.expect_request(lambda request: request.url.endswith("/events") and '"left":2' in (request.post_data or "")):
        page.keyboard.press("u")
    expect(page.locator("#full-asked")).to_be_visible()


def test_copying_the_context_menu_and_printing_are_discouraged_and_the_watermark_names_the_candidate(exam_room: Room) -> None:
    page = exam_room.sit("考生008")
    for kind in ("copy", "cut", "contextmenu", "dragstart"):
        assert page.evaluate("(kind) => !document.querySelector('.q').dispatchEvent(new Event(kind, { bubbles: true, cancelable: true }))", kind)
    expect(page.locator(".watermark span").first).to_contain_text("考生008 43012600010008")
    page.emulate_media(media="print")
    assert page.locator("#desk").is_hidden()
    assert page.locator("header").is_hidden()
    page.emulate_media(media="screen")
    assert page.locator(".q math, .q .item-text").count() > 0


def test_a_whole_sitting_by_keyboard_alone_with_every_kind_of_question(exam_room: Room) -> None:
    """Rows 23 and 24: nothing needs a mouse; the hand-in names what is unanswered, and its default is to go on."""
    room, name = exam_room, "陈晓"
    page = room.sign_in(room.computer(), name)
    expect(page.locator("#desk")).to_be_visible()
    chosen = answer(room, page, name, range(1, 10))
    page.keyboard.press("Tab")
    page.keyboard.type("线圈")
    page.keyboard.press("Tab")
    page.keyboard.type("铁心")
    page.keyboard.press("PageDown")
    page.keyboard.press("m")
    page.keyboard.press("Tab")
    page.keyboard.type("先断电，再验电。F")  # letters are letters here
    page.keyboard.press("PageDown")
    written = {10: "线圈\n铁心", 11: "先断电，再验电。F"}
    room.wait_stored(page, name, chosen | written)
    expect(page.locator("#count")).to_have_text("已答 11 / 12，标记 1")

    room.clock.move_to(room.world.begin + timedelta(minutes=31))  # nobody may come in any more: the last test of the file
    page.keyboard.press("Control+Enter")
    expect(page.locator("#dialog-told")).to_contain_text("还没到允许交卷的时间")
    expect(page.locator("#go-on")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#dialog")).to_be_hidden()
    with page.expect_response("**/pulse"):
        page.evaluate("dispatchEvent(new Event('online'))")
    page.keyboard.press("Control+Enter")
    expect(page.locator('[data-list="unanswered"]')).to_contain_text("还有 1 题未作答：12")
    expect(page.locator('[data-list="flagged"]')).to_contain_text("标记了 1 题：11")
    expect(page.locator("#go-on")).to_be_focused()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.locator("#final-title")).to_have_text("已交卷")
    expect(page.locator("#final-facts")).to_contain_text("11 / 12")

    sheet = room.sheet(name)
    assert (sheet.state, sheet.handed_in_how) == (SheetState.HANDED_IN, HandIn.CANDIDATE)
    assert room.stored(name) == chosen | written
    assert page.evaluate("""async () => { const open = indexedDB.open("examroom", 1); await new Promise((done) => { open.onsuccess = done; });
        const all = open.result.transaction("events").objectStore("events").getAll(); await new Promise((done) => { all.onsuccess = done; });
        return all.result.length; }""") == 0  # this computer keeps nothing of it

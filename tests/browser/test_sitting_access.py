"""Accessibility in a real Chromium: axe-core on everything a candidate sees, zoom, pictures, the calculator."""

from __future__ import annotations

import io
import re
import shutil
import subprocess
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from playwright.sync_api import Page, Route, expect

from tests.browser.exam_room import Network, Room, answer

PAPER = {"single": 4, "multiple": 2, "judge": 2, "fill": 1, "short": 1, "essay": 1, "candidates": 6, "stems": {
    1: "同步转速 $n_0 = \\frac{60 f}{p}$ 的单位是（　　）。", 9: "交流接触器的电磁机构由____和____组成。"}}
TESTS = Path(__file__).parents[1] / "client"


@pytest.fixture(scope="module")
def axe() -> str:
    """axe-core, from npm, only for these tests."""
    script = TESTS / "node_modules" / "axe-core" / "axe.min.js"
    if not script.exists():
        npm = shutil.which("npm")
        if npm is None:
            pytest.fail("npm is not installed; the accessibility tests fetch axe-core with it: apt-get install nodejs npm")
        subprocess.run([npm, "ci", "--no-audit", "--no-fund", "--prefix", str(TESTS)], check=True, timeout=120, capture_output=True)
    return script.read_text()


def violations(page: Page, axe: str) -> list[str]:
    page.evaluate(axe + "; null")
    # The watermark is decoration, which WCAG 1.4.3 leaves out of its contrast.
    found: dict[str, Any] = page.evaluate("axe.run({ exclude: [['#watermark']] }, { resultTypes: ['violations'] })")
    return [f"{one['id']}: {node['target']} {node.get('failureSummary', '')}" for one in found["violations"] for node in one["nodes"]]


def with_pictures(route: Route) -> None:
    """A sheet with a picture, a table and the calculator, whatever the bank of the test holds."""
    reply = route.fetch()
    data = reply.json()
    if "questions" in data:
        data["calculator"] = True
        data["questions"][0]["stem"] += '<p><img class="picture" src="/exam/media/plan" alt="控制电路图"></p>'
        data["questions"][1]["stem"] += '<table class="content-table"><tr><th>型号</th></tr><tr><td>CJ20</td></tr></table>'
    route.fulfill(response=reply, json=data)


def picture(route: Route) -> None:
    stream = io.BytesIO()
    Image.new("RGB", (900, 400), "#dde").save(stream, "PNG")
    route.fulfill(body=stream.getvalue(), content_type="image/png")


def rich(room: Room, name: str) -> Page:
    context = room.computer()
    context.route(re.compile("/(open|state)$"), with_pictures)  # a first start brings the paper itself
    context.route("**/exam/media/plan", picture)
    return room.sit(name, context)


def test_nothing_a_candidate_sees_violates_a_rule_of_axe(exam_room: Room, axe: str) -> None:
    name = "陈晓"
    context = exam_room.computer()
    context.route(re.compile("/(open|state)$"), with_pictures)  # a first start brings the paper itself
    context.route("**/exam/media/plan", picture)
    page = context.new_page()
    found: dict[str, list[str]] = {}
    page.goto(f"{exam_room.address}/exam")
    found["sign-in"] = violations(page, axe)
    exam_room.clock.ahead -= timedelta(minutes=20)  # early enough to wait
    exam_room.type_code(page, name)
    page.wait_for_url("**/exam/hall")
    found["hall"] = violations(page, axe)
    exam_room.clock.ahead += timedelta(minutes=20)
    page.wait_for_url("**/exam/sheets/*")
    expect(page.locator("#desk")).to_be_visible()
    for contrast, numbers, panels in (("", (2, 9, 11), "kp"), ("high contrast ", (11,), "k")):
        found[contrast + "one question"] = violations(page, axe)
        for number in numbers:
            page.locator(f'#card button[data-number="{number}"]').click()
            found[f"{contrast}question {number}"] = violations(page, axe)
        page.locator('#card button[data-number="1"]').click()
        page.keyboard.press("Shift+B")
        page.keyboard.press("f")
        page.keyboard.press("v")
        found[contrast + "list"] = violations(page, axe)
        page.keyboard.press("v")
        for key in ("h", "z", "Control+Enter"):  # help, picture, hand-in
            page.keyboard.press(key)
            expect(page.locator("dialog[open]")).to_have_count(1)
            found[contrast + key] = violations(page, axe)
            page.keyboard.press("Escape")
        for key in panels:
            page.keyboard.press(key)
            found[contrast + key] = violations(page, axe)
            page.keyboard.press("Escape")
        page.keyboard.press("t")
    exam_room.stop_server()
    page.keyboard.press("b")
    expect(page.locator("#banner")).to_be_visible()
    found["offline"] = violations(page, axe)
    page.close(run_before_unload=False)
    time.sleep(0.5)  # the last request of a page that goes away outlives it
    exam_room.start_server()
    page = exam_room.enter(name, context)
    expect(page.locator("#offer")).to_be_visible()
    found["offer"] = violations(page, axe)
    assert {state: rules for state, rules in found.items() if rules} == {}


def test_the_page_works_at_200_percent(exam_room: Room) -> None:
    name = "刘洋"
    page = exam_room.sit(name)
    for width, height in ((683, 384), (512, 384), (640, 360)):  # 1366×768, 1024×768, 1280×720 at 200 %
        page.set_viewport_size({"width": width, "height": height})
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        for element in ("#saved", "#clock", "#hand-in", ".q legend"):
            expect(page.locator(element)).to_be_in_viewport()
    exam_room.wait_stored(page, name, answer(exam_room, page, name, range(1, 3)))
    page.mouse.wheel(0, 500)
    expect(page.locator("#saved")).to_be_in_viewport()


def test_pictures_are_zoomed_by_keyboard_and_shown_without_the_server(exam_room: Room) -> None:
    page = rich(exam_room, "周婷")
    expect(page.locator(".q img")).to_have_js_property("complete", True)
    page.keyboard.press("z")
    expect(page.locator("#zoom")).to_be_visible()
    before = page.locator("#zoom-frame img").bounding_box()
    page.keyboard.press("+")
    after = page.locator("#zoom-frame img").bounding_box()
    assert before
    assert after
    assert after["width"] == pytest.approx(before["width"] * 1.5, rel=0.01)
    page.keyboard.press("Escape")
    expect(page.locator("#zoom")).to_be_hidden()
    Network(page).cut()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowLeft")
    expect(page.locator(".q img")).to_be_visible()
    assert page.evaluate("document.querySelector('.q img').naturalWidth") == 900


def test_the_calculator_is_there_only_where_the_paper_allows_one(exam_room: Room) -> None:
    page = exam_room.sit("吴磊")
    expect(page.locator("#calculator-open")).to_be_hidden()
    page.keyboard.press("k")
    expect(page.locator("#calculator")).to_be_hidden()
    page = rich(exam_room, "黄静")
    page.keyboard.press("k")
    page.keyboard.type("380/√3*cos30")
    page.keyboard.press("Enter")
    expect(page.locator("#calculator output")).to_have_text("380/√3*cos30 = 190")
    for key in ("×", "2", "="):
        page.locator(".calculator-keys button", has_text=key).last.click()
    expect(page.locator("#calculator input")).to_have_value("380")
    page.keyboard.press("Escape")
    expect(page.locator("#calculator")).to_be_hidden()
    page.keyboard.press("b")  # the keys choose again
    exam_room.wait_stored(page, "黄静", {1: "B"})

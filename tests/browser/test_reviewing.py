"""A panel of three reviews one technician: one recusal, a spread above the limit, two rounds, signed minutes. Four people at
four computers; the clock of the server is moved instead of waiting."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from playwright.sync_api import Browser, Page, Playwright, expect
from pypdf import PdfReader
from sqlalchemy.orm import Session
from werkzeug.serving import make_server

from qbank.kernel.access import Viewer
from scoring.review import desk
from tests.browser.exam_room import program
from tests.conftest import PASSWORD, TestClock
from tests.scoring.outcome_world import World
from tests.scoring.review_world import hand_in, seat_of

At = Callable[[Viewer], Page]


@pytest.fixture
def at(app: Flask, chromium: Playwright) -> Iterator[At]:
    """Everybody's own browser at one server. A script that fails fails the test."""
    app.config["WTF_CSRF_ENABLED"] = True
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    browser: Browser = chromium.chromium.launch(executable_path=program(chromium), args=["--no-sandbox", "--disable-gpu"])
    broken: list[str] = []

    def sit_down(viewer: Viewer) -> Page:
        page = browser.new_context(viewport={"width": 1366, "height": 768}, locale="zh-CN",
                                   base_url=f"http://127.0.0.1:{server.port}").new_page()
        page.set_default_timeout(30_000)
        page.on("pageerror", lambda error: broken.append(str(error)))
        page.on("dialog", lambda dialog: dialog.accept())
        page.goto("/accounts/sign-in")
        page.fill("#login", viewer.login)
        page.fill("#password", PASSWORD)
        page.keyboard.press("Enter")
        page.wait_for_url("**/")
        return page

    expect.set_options(timeout=30_000)
    yield sit_down
    browser.close()
    server.shutdown()
    thread.join()
    server.server_close()
    assert broken == []


def write(page: Page, hand: int = 0) -> None:
    """A signature with the mouse; everybody has a hand of his own."""
    canvas = page.locator("[data-pen] canvas")
    canvas.scroll_into_view_if_needed()
    box = canvas.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 30, box["y"] + 30)
    page.mouse.down()
    for across, down in ((120, 100), (180, 30), (260, 110), (330 + 9 * hand, 40)):
        page.mouse.move(box["x"] + across, box["y"] + down, steps=4)
    page.mouse.up()
    expect(page.locator("input[name=signature]")).not_to_have_value("")


def mark(page: Page, case: str, points: str) -> None:
    page.goto(case)
    for place in range(3):
        page.fill(f"#row-{place}", points)
    page.fill("#opinion", "选题结合生产实际，答辩清楚。")
    expect(page.locator("[data-total]")).to_have_text(f"{float(points):.2f}")
    write(page)
    page.get_by_role("button", name="签字", exact=True).click()
    page.wait_for_url("**/room")


def test_a_panel_of_three_reviews_one_technician_with_a_recusal_and_a_spread_above_the_limit(
        session: Session, people: Any, clock: TestClock, at: At, tmp_path: Path) -> None:
    world = World(session, people, level=2)
    chen, = world.enrol("陈晓")
    hand_in(world, chen)
    jia, yi, bing, ding = world.examiners("甲主任", "乙委员", "丙委员", "丁候补")
    panel = desk.form_panel(session, world.plan, "评审委员会", world.officer, member_ids=[one.account_id for one in (jia, yi, bing)],
                            chair_id=jia.account_id, starts_at=clock(), substitute_ids=[ding.account_id])
    room = f"/review/panels/{panel.id}/room"
    out, into = seat_of(panel, bing).id, seat_of(panel, ding).id
    session.commit()
    chair, second, third, substitute, office = (at(who) for who in (jia, yi, bing, ding, world.officer))

    for page in (chair, second, third, substitute):  # nothing is shown before the declaration
        page.goto(room)
        page.wait_for_url("**/declare")
        if page is third:
            page.get_by_label("与 陈晓 有利害关系").check()
            page.get_by_label("与 陈晓 的关系").fill("师徒")
        page.get_by_role("button", name="确认申报").click()
        page.wait_for_url(f"**/panels/{panel.id}")
    chair.goto(room)
    chair.get_by_role("button", name="抽签排定评审顺序").click()
    line = chair.locator('[data-case="1"]')
    expect(line).to_contain_text("丙委员回避，缺 1 名评审专家")
    expect(line.get_by_role("button", name="开始答辩")).to_have_count(0)

    office.goto(f"/review/panels/{panel.id}")
    office.select_option("select[name=into]", str(into))
    office.select_option("select[name=out]", str(out))
    office.get_by_role("button", name="补位").click()
    expect(office.locator("main")).to_contain_text("丁候补接替丙委员")

    line.get_by_role("button", name="开始答辩").click()  # appears by itself when the seat is taken
    for page in (second, substitute, third):
        page.goto(room)
        expect(page.locator(".clock.running")).to_be_visible()
        expect(page.locator("main")).not_to_contain_text("陈晓")
    expect(third.locator('[data-case="1"]')).to_contain_text("请离场")
    line.get_by_role("button", name="暂停").click()
    expect(second.locator('[data-case="1"]')).to_contain_text("答辩暂停")  # live, without a click of his own
    line.get_by_role("button", name="继续答辩").click()
    expect(second.locator(".clock.running")).to_be_visible()
    office.goto(room)
    clock.forward(minutes=16)  # in two steps: who does nothing for half an hour is signed out
    for page in (chair, second, third, substitute, office):
        expect(page.locator(".clock.running")).to_have_text(re.compile(r"1[34]:"))
    clock.forward(minutes=15)
    expect(substitute.locator(".clock.over")).to_be_visible()
    line.get_by_role("button", name="结束答辩").click()
    expect(line).to_contain_text("评分中")

    case = line.get_by_role("link", name="材料与评分").get_attribute("href")
    assert case is not None
    mark(chair, case, "80")
    mark(second, case, "75")
    expect(line).to_contain_text("乙委员 已签字")
    expect(line).not_to_contain_text("75")
    second.goto(case)
    expect(second.locator("main")).not_to_contain_text("公开的评分")
    mark(substitute, case, "60")  # 20 points below the chair, the limit is 10

    expect(line).to_contain_text("待合议")
    second.goto(case)
    expect(second.locator("main")).to_contain_text("60.00")  # all marks lie open together
    line.get_by_label("合议情况").fill("对创新部分的评分标准取得一致。")
    line.get_by_role("button", name="开始第二轮评分").click()
    expect(line).to_contain_text("第二轮")
    for page, points in ((chair, "78"), (second, "75"), (substitute, "72")):
        mark(page, case, points)
    expect(line).to_contain_text("已合成")
    substitute.goto(case)
    expect(substitute.locator("main")).to_contain_text("综合评审成绩 75.0 分")
    expect(substitute.locator("main")).to_contain_text("第 1 轮")
    substitute.get_by_text("保留意见").first.click()
    substitute.get_by_label("保留意见").fill("仍认为创新不足。")
    substitute.get_by_role("button", name="记下保留意见").click()
    expect(substitute.locator("main")).to_contain_text("保留意见已记下")

    chair.goto(room)
    chair.get_by_role("button", name="结束评审，形成会议记录").click()
    chair.wait_for_url(f"**/panels/{panel.id}")
    for hand, page in enumerate((chair, second, third, substitute)):
        page.goto(f"/review/panels/{panel.id}")
        write(page, hand)
        page.get_by_role("button", name="签字", exact=True).click()
        expect(page.locator("main")).to_contain_text("您已在会议记录上签字")
    answer = chair.context.request.get(f"/review/panels/{panel.id}/minutes.pdf")
    printed = tmp_path / "minutes.pdf"
    printed.write_bytes(answer.body())
    pages = PdfReader(BytesIO(answer.body())).pages
    text = "".join(one.extract_text() for one in pages)
    for words in ("丙委员", "师徒", "丁候补", "第 1 轮", "第 2 轮", "仍认为创新不足", "综合评审成绩 75.0 分"):
        assert words in text, words
    assert sum(len(one.images) for one in pages) == 4

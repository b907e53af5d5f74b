"""Three assessors on three tablets mark one candidate; one of them is offline for five minutes and signs meanwhile."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from playwright.sync_api import Browser, BrowserContext, Page, Playwright, expect
from sqlalchemy.orm import Session
from werkzeug.serving import make_server

from qbank.kernel.access import Viewer
from scoring.practical.models import MarkSheet, PracticalScore
from tests.browser.exam_room import ARGUMENTS, Network, program
from tests.conftest import PASSWORD, TestClock
from tests.scoring.outcome_world import World

TABLET = {"width": 820, "height": 1180}
POINTS = {"张三": ("24", "12", "20", "24"), "李四": ("25.5", "12.5", "21", "25"), "王五": ("27", "12", "19.5", "23")}  # 80, 84, 81.5


@pytest.fixture
def world(session: Session, people: Any) -> World:
    return World(session, people)


@contextmanager
def serving(app: Flask) -> Iterator[str]:
    app.config["WTF_CSRF_ENABLED"] = True
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def tablet(browser: Browser, address: str, viewer: Viewer, broken: list[str]) -> tuple[BrowserContext, Page]:
    context = browser.new_context(viewport=TABLET, locale="zh-CN", base_url=address, has_touch=True)  # type: ignore[arg-type]
    context.set_default_timeout(20_000)
    context.on("weberror", lambda error: broken.append(str(error.error)))
    page = context.new_page()
    page.goto("/accounts/sign-in")
    page.fill("#login", viewer.login)
    page.fill("#password", PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url("**/")
    return context, page


def mark(page: Page, values: tuple[str, ...]) -> None:
    for row, value in zip(page.locator(".mark-row input.score").all(), values, strict=True):
        row.fill(value)
    page.get_by_text("否，未违反").click()


def sign(page: Page) -> None:
    page.get_by_role("button", name="签字", exact=True).click()
    canvas = page.locator("#pen")
    expect(canvas).to_be_visible()
    box = canvas.bounding_box()
    assert box
    page.mouse.move(box["x"] + 40, box["y"] + 60)
    page.mouse.down()
    for step in range(12):
        page.mouse.move(box["x"] + 40 + 18 * step, box["y"] + (60 if step % 2 else 130))
    page.mouse.up()
    page.get_by_role("button", name="确认签字").click()


def held(session: Session, name: str) -> MarkSheet | None:
    session.expire_all()
    found = next((one for one in session.scalars(sa.select(MarkSheet)) if one.assessor.name == name), None)
    session.commit()
    return found


def test_three_assessors_on_three_devices_one_offline_for_five_minutes_mark_one_candidate(
        app: Flask, world: World, session: Session, clock: TestClock, chromium: Playwright) -> None:
    expect.set_options(timeout=20_000)
    chen, = world.enrol("陈晓")
    three = world.assessors(*POINTS)
    group = world.group([chen], three, world.rubric(veto="未断电作业")).id
    session.commit()
    broken: list[str] = []
    browser = chromium.chromium.launch(executable_path=program(chromium), args=ARGUMENTS)
    with serving(app) as address:
        pages = {}
        for who, name in zip(three, POINTS, strict=True):
            _, pages[name] = tablet(browser, address, who, broken)
            pages[name].goto(f"/practical/groups/{group}/mark")
            expect(pages[name].locator("#saved")).to_have_text("已全部上传")
        zhang, li, wang = pages.values()
        for button in zhang.locator("#tablet button:visible, #tablet input.score:visible").all():  # gloves
            box = button.bounding_box()
            assert box
            assert min(box["width"], box["height"]) >= 48, button.inner_text()

        network = Network(zhang)
        network.cut()
        mark(zhang, POINTS["张三"])
        expect(zhang.locator("#sum")).to_have_text("80.0")
        expect(zhang.locator("#saved")).to_contain_text("项保存在本机，恢复后自动上传")
        sign(zhang)
        expect(zhang.locator("#locked")).to_contain_text("签字已保存在本机")
        for name, page in (("李四", li), ("王五", wang)):
            mark(page, POINTS[name])
            if name == "李四":
                page.locator(".mark-row input.score").first.fill("")  # a blank is refused by name, a zero must be typed
                page.get_by_role("button", name="签字", exact=True).click()
                expect(page.locator("#told")).to_contain_text("还有 1 项没有评分")
                expect(page.locator(".mark-row.blank .problem")).to_have_text("还没有评分；没有得分请填 0。")
                page.locator(".mark-row input.score").first.fill(POINTS[name][0])
            sign(page)
            expect(page.locator("#locked")).to_contain_text("不能再改")
        clock.forward(minutes=5)
        assert held(session, "张三") is None  # nothing of his has arrived
        assert session.scalar(sa.select(PracticalScore)) is None
        session.commit()
        colleagues = held(session, "李四")
        assert colleagues
        page_of_colleague = wang.request.get(f"{address}/practical/sheets/{colleagues.id}")
        assert page_of_colleague.status == 404  # not before all have signed

        network.mend()
        expect(zhang.locator("#locked")).to_contain_text("不能再改")
        expect(zhang.locator("#saved")).to_have_text("已全部上传")
        mine = held(session, "张三")
        assert mine
        assert mine.signed_with == "pen"
        assert [mark.half_points for mark in sorted(mine.marks, key=lambda one: one.row.position)] == [48, 24, 40, 48, None]
        score = session.scalars(sa.select(PracticalScore)).one()
        assert score.half_points == 164  # (80 + 84 + 81.5) / 3 = 81.83: 82
        session.commit()
        assert wang.request.get(f"{address}/practical/sheets/{colleagues.id}").status == 200
        zhang.goto(f"/practical/sheets/{mine.id}")
        expect(zhang.get_by_alt_text("张三的签名")).to_be_visible()
    browser.close()
    assert broken == []

"""A supervisor with a phone: the check-list goes on without a network, a finding with its photo, the hand-over, the closing;
and a running sitting that changes before the city officer's eyes."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import sqlalchemy as sa
from flask import Flask
from playwright.sync_api import Page, Playwright, expect
from sqlalchemy.orm import Session

from examroom.oversight.inspection_models import CheckAnswer, Finding, Inspection
from examroom.oversight.kinds import FindingState, InspectionState, Verdict
from qbank.kernel.access import Role, Scope, Viewer
from qbank.kernel.identity import IdentityCipher
from tests.browser.exam_room import ARGUMENTS, program
from tests.browser.test_assessing import serving, tablet
from tests.conftest import MONDAY, People, TestClock
from tests.oversight_world import City, photo
from tests.sitting_world import SittingWorld

PHONE = {"width": 390, "height": 844}
WAIT = 30_000


def tap(page: Page, point: int, verdict: str) -> None:
    page.locator(".point").nth(point).locator("label", has_text=verdict).first.click()


def test_a_check_list_on_a_phone_loses_nothing_without_a_network(app: Flask, session: Session, people: People, chromium: Playwright) -> None:
    city = City(session, people)
    inspection = city.sent()
    key = inspection.id
    session.commit()
    broken: list[str] = []
    browser = chromium.chromium.launch(executable_path=program(chromium), args=ARGUMENTS)
    with serving(app) as address:
        context, page = tablet(browser, address, city.luo, broken)
        page.set_viewport_size(PHONE)  # type: ignore[arg-type]  # a plain dict
        expect.set_options(timeout=WAIT)
        page.goto(f"/oversight/inspections/{key}")
        page.once("dialog", lambda dialog: dialog.accept())
        page.get_by_role("button", name="开始检查").click()
        state = page.locator("[data-check-state]")
        tap(page, 0, "符合")
        expect(state).to_have_text("已保存")
        assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]  # nothing sticks out to the side
        assert all(box.bounding_box()["height"] >= 44 for box in page.locator(".verdicts label").all())  # type: ignore[index]  # they are drawn
        context.set_offline(True)
        tap(page, 1, "不符合")
        page.locator(".point").nth(1).get_by_label("说明").fill("看手机")
        tap(page, 2, "不涉及")
        expect(state).to_contain_text("已离线，2 项保存在本机")
        expect(page.get_by_role("button", name="提交检查记录")).to_be_disabled()
        page.close()  # the phone is put away, the page is gone
        context.set_offline(False)
        page = context.new_page()
        page.set_viewport_size(PHONE)  # type: ignore[arg-type]  # a plain dict
        page.goto(f"/oversight/inspections/{key}/check")
        state = page.locator("[data-check-state]")
        expect(state).to_have_text("已保存")
        expect(page.locator("[data-check-count]")).to_have_text("3")
        page.locator(".point").nth(1).get_by_role("link", name="记问题并拍照").click()
        page.locator("label", has_text="较重").click()
        page.get_by_label("问题", exact=True).fill("监考员在考场内看手机 10 分钟")
        page.set_input_files("#file", {"name": "现场.jpg", "mimeType": "image/jpeg", "buffer": photo().stream.read()})
        page.get_by_role("button", name="保存问题").click()
        expect(page.get_by_text("已记问题")).to_be_visible()
        page.get_by_label("检查结论").fill("总体规范，监考履职需要改进。")
        page.once("dialog", lambda dialog: dialog.accept())
        page.get_by_role("button", name="提交检查记录").click()
        expect(page.get_by_text("1 个问题未销号")).to_be_visible()
        context.close()
    browser.close()
    assert broken == []
    session.expire_all()
    answers = session.scalars(sa.select(CheckAnswer).where(CheckAnswer.inspection_id == key).order_by(CheckAnswer.point_id)).all()
    assert [(one.verdict, one.note) for one in answers] == [(Verdict.FITS, ""), (Verdict.FAILS, "看手机"), (Verdict.NOT_APPLICABLE, "")]
    assert session.get_one(Inspection, key).state is InspectionState.SUBMITTED


def test_a_school_replies_and_the_inspector_closes(session: Session, people: People, at_the_desk: Callable[[Viewer], Page]) -> None:
    city = City(session, people)
    finding = city.handed_over()
    key = finding.id
    session.commit()
    school = at_the_desk(city.zhou)
    school.get_by_role("link", name="整改问题：监考员在考场内看手机 10 分钟").click()
    school.get_by_label("整改情况").fill("已调离该监考员，全员培训，附签到表")
    school.set_input_files("#file", {"name": "签到表.jpg", "mimeType": "image/jpeg", "buffer": photo("green").stream.read()})
    school.get_by_role("button", name="提交整改情况").click()
    expect(school.get_by_text("已整改，待核实")).to_be_visible()
    inspector = at_the_desk(city.qin)
    inspector.get_by_role("link", name="核实整改：监考员在考场内看手机 10 分钟").click()
    inspector.get_by_role("button", name="核实销号").click()
    expect(inspector.get_by_text("已销号")).to_be_visible()
    session.expire_all()
    assert session.get_one(Finding, key).state is FindingState.CLOSED


def test_a_running_sitting_changes_before_the_officers_eyes(session: Session, people: People, clock: TestClock,
                                                            at_the_desk: Callable[[Viewer], Page]) -> None:
    world = SittingWorld(session, people, IdentityCipher(b"i" * 32)).make(MONDAY, starts_in=timedelta(minutes=10))
    world.running()
    tan = people("谭晓峰", scopes=[Scope(Role.CITY_OFFICER, region="4301")], school=people.school("长沙市鉴定中心"))
    clock.forward(minutes=11)
    session.commit()
    page = at_the_desk(tan)
    page.get_by_role("link", name="考场巡查").click()
    page.get_by_role("link", name=world.sitting.name).click()
    expect(page.locator('[data-live-count="dealt"]')).to_have_text("3", timeout=WAIT)
    world.start("陈晓")
    session.commit()
    expect(page.locator('[data-live-count="started"]')).to_have_text("1", timeout=WAIT)
    expect(page.get_by_role("row").filter(has_text="陈晓")).to_contain_text("答题中", timeout=WAIT)
    assert not page.locator("form:not([action$='sign-out'])").count()  # nothing to press: it is there to be looked at

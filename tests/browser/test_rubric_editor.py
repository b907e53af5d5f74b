"""An author in a real Chromium: a rubric written from the keyboard, with sums that live, saved without leaving the page."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy.orm import Session

from qbank.kernel.access import Viewer
from scoring.practical import tasks
from scoring.practical.rows import Deduction, RowKind
from scoring.practical.rubrics import drafts_of
from tests.scoring.outcome_world import NOW
from tests.scoring.practical_world import TEXT, BankWorld


@pytest.fixture
def world(session: Session, people: Any) -> BankWorld:
    return BankWorld(session, people)


def test_a_rubric_is_split_filled_and_saved_from_the_keyboard(world: BankWorld, at_the_desk: Callable[[Viewer], Page]) -> None:
    version = tasks.add_task(world.session, world.structure().modules[0], "DG4-1-01", TEXT, world.author, now=NOW)
    world.session.commit()
    page = at_the_desk(world.author)
    page.goto(f"/practical/rubrics/{version.rubric_id}")
    wiring, said = page.locator("[data-section='1']"), page.locator("[data-said]")
    expect(wiring).to_have_text(re.compile(r"30\.0 / 30\.0"))
    expect(wiring).to_have_class(re.compile("even"))
    page.locator("[name=most]").first.focus()
    page.keyboard.press("Control+Enter")  # 30 points become 15 and 15, and one goes on in the new row
    page.keyboard.type("元件安装整齐、牢固")
    expect(wiring).to_have_class(re.compile("even"))
    row = page.locator(".rubric-rows tbody tr").nth(1)
    row.locator("[name=kind]").select_option("deduction")
    expect(row.locator("[name=rule]")).to_have_attribute("placeholder", re.compile("每处扣"))
    row.locator("[name=rule]").fill("每处扣0.5分,最多扣6处")
    row.locator("[name=most]").fill("14")
    expect(wiring).to_have_text(re.compile(r"29\.0 / 30\.0"))
    expect(said).to_have_text(re.compile("不一致"))
    row.locator("[name=most]").fill("15")
    page.keyboard.press("Alt+ArrowUp")  # the new row goes first
    page.keyboard.press("Control+s")
    expect(said).to_have_text(re.compile("^已保存"))
    expect(page.locator("[name=rule]").first).to_have_value("每处扣 0.5 分，最多计 6 处")
    page.reload()
    expect(page.locator("[name=text]").first).to_have_value("元件安装整齐、牢固")
    world.session.expire_all()
    first = drafts_of(version.rubric)[0]
    assert (first.kind, first.most, first.detail) == (RowKind.DEDUCTION, 30, Deduction("处", 1, 6))

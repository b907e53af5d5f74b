"""A composer in a real Chromium: rules with their live check, three forms, two swaps, and why a poor bank gives none."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import sqlalchemy as sa
from playwright.sync_api import Page, expect
from sqlalchemy.orm import Session

from qbank.kernel.access import Viewer
from qbank.papers.models import Paper, PaperChange, PaperState
from tests.conftest import TestClock
from tests.qbank.papers.conftest import Bank, bank, composer, new_bank  # noqa: F401  # fixtures


@pytest.fixture
def page(session: Session, bank: Bank, composer: Viewer, at_the_desk: Callable[[Viewer], Page]) -> Page:  # noqa: F811
    """The composer's browser, at a specification just made."""
    session.commit()
    opened = at_the_desk(composer)
    opened.set_default_timeout(60_000)
    expect.set_options(timeout=60_000)  # its own limit is 5 s whatever the page says: too short on a loaded machine
    opened.goto("/papers/specifications/new")
    opened.fill("#name", "电工四级")
    opened.get_by_role("button", name="保存方案").click()
    return opened


def composed(page: Page, forms: int) -> None:
    page.goto("/papers/specifications/1")
    page.fill("#forms", str(forms))
    page.get_by_role("button", name="开始组卷").click()
    page.get_by_role("link", name="查看结果").click()


def test_a_composer_makes_three_forms_swaps_two_items_and_seals(page: Page, session: Session, clock: TestClock) -> None:
    page.get_by_role("link", name="组卷要求", exact=True).click()
    page.fill("[name=grades-g1]", "20")
    expect(page.locator("#rule-grades [data-problem]")).to_contain_text("现在是 110 %")
    page.fill("[name=grades-g1]", "10")
    expect(page.locator("#rule-grades [data-problem]")).to_be_hidden()
    page.fill("[name=keys-within]", "2")
    page.get_by_role("button", name="保存要求").click()
    composed(page, 3)
    expect(page.get_by_role("heading", name="求解报告")).to_be_visible()
    page.get_by_role("link", name="换题").first.click()
    for number in (3, 4):
        page.locator(f"#item{number}").get_by_role("link", name="换题").click()
        page.get_by_role("button", name="换成这道题").first.click()
        expect(page.locator(".notice-success")).to_contain_text(f"第 {number} 题已换")
    page.get_by_role("button", name="撤销上次换题").click()
    expect(page.locator(".notice-success")).to_contain_text("已撤销")
    page.get_by_role("link", name="与另一套对比").click()
    expect(page.get_by_role("heading", name="两套试卷对比")).to_be_visible()
    expect(page.locator("main")).to_contain_text("两套卷共用 0 道题")
    page.goto("/papers/1")
    page.once("dialog", lambda dialog: dialog.accept())
    page.get_by_role("button", name="封存试卷").first.click()
    expect(page.locator(".notice-success")).to_contain_text("试卷已封存")
    assert session.get_one(Paper, 1).state is PaperState.SEALED
    assert session.scalars(sa.select(PaperChange)).all() == []  # what was swapped would tell items


def test_a_poor_bank_gives_the_causes_the_remedy_and_what_to_write(page: Page) -> None:
    page.get_by_role("link", name="组卷要求", exact=True).click()
    page.select_option("[name=mode-overlap]", "hard")
    page.get_by_role("button", name="保存要求").click()
    composed(page, 6)
    expect(page.get_by_role("heading", name="相互冲突的要求")).to_be_visible()
    expect(page.locator("main")).to_contain_text("没有组成")
    page.goto("/papers/specifications/1/rules?relax=overlap&forms=6")
    expect(page.locator("#rule-overlap [name=mode-overlap]")).to_have_value("soft")
    expect(page.locator("#rule-overlap")).to_contain_text("按说明可以放宽这一条")

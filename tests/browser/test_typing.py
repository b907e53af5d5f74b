"""A teacher types items in a real Chromium: formula, picture and preview by keyboard, a fill-in key tried, options dropped."""

from __future__ import annotations

import base64
import io
from collections.abc import Callable

import pytest
import sqlalchemy as sa
from PIL import Image
from playwright.sync_api import Page, expect
from sqlalchemy.orm import Session

from qbank.items.models import ItemVersion
from qbank.kernel.access import Role, Viewer
from tests.conftest import People
from tests.qbank.bank_world import theory_table

PASTE = """([selector, content]) => {
  const bytes = Uint8Array.from(atob(content), (sign) => sign.charCodeAt(0));
  const data = new DataTransfer();
  data.items.add(new File([bytes], "image.png", { type: "image/png" }));
  document.querySelector(selector).dispatchEvent(new ClipboardEvent("paste", { clipboardData: data, bubbles: true, cancelable: true }));
}"""


@pytest.fixture
def page(session: Session, people: People, at_the_desk: Callable[[Viewer], Page]) -> Page:
    """The teacher's browser, at the form of a new item."""
    theory_table(session)
    teacher = people("陈晓", Role.ITEM_AUTHOR)
    session.commit()
    opened = at_the_desk(teacher)
    opened.goto("/items/new")
    return opened


def test_a_multiple_choice_with_formula_and_pasted_picture_is_seen_before_it_is_saved(page: Page, session: Session) -> None:
    stream = io.BytesIO()
    Image.new("RGB", (60, 40), "red").save(stream, "PNG")
    page.get_by_role("radio", name="多选题").check()
    page.select_option("#point", index=1)
    page.focus("#stem")
    page.keyboard.type("见图 ")
    page.evaluate(PASTE, ["#stem", base64.b64encode(stream.getvalue()).decode()])
    preview = page.locator("[data-preview-here]")
    expect(preview.locator("img.picture")).to_be_visible()
    assert preview.locator("img.picture").evaluate("(picture) => picture.naturalWidth") == 60
    page.focus("[name=option_A]")
    for text in ("$U=IR$", "$P=UI$", "多余", "<b>不是标记</b>"):  # Enter goes on to the next option
        page.keyboard.type(text)
        page.keyboard.press("Enter")
    expect(preview.locator("li math")).to_have_count(2)
    expect(preview).to_contain_text("<b>不是标记</b>")
    page.get_by_label("删除选项C").click()
    page.get_by_label("选项A是答案").check()
    page.get_by_label("选项C是答案").check()
    expect(preview.locator("li.is-key")).to_have_count(2)
    page.get_by_role("button", name="保存为草稿").click()
    page.wait_for_url("**/items/1")
    expect(page.locator(".item-options li.is-key")).to_have_count(2)
    version = session.scalars(sa.select(ItemVersion)).one()
    assert ([option.text for option in version.options], version.key) == (["$U=IR$", "$P=UI$", "<b>不是标记</b>"], "AC")
    assert version.stem.startswith("见图 ![](media:")


def test_a_fill_in_key_is_tried_and_a_guide_is_summed(page: Page) -> None:
    page.get_by_role("radio", name="填空题").check()
    page.fill("#stem", "额定电压____，电器____")
    page.fill("#fill_key", "=220±5% V")
    expect(page.locator("[data-blank-count]")).to_contain_text("应当一样多")
    page.fill("#fill_key", "=220±5% V\n接触器|KM")
    page.get_by_label("试答第 1 空").fill("215V")
    page.get_by_label("试答第 2 空").fill("继电器")
    expect(page.locator("[data-try-fields] output").first).to_have_text("✓ 对")
    expect(page.locator("[data-try-fields] output").last).to_have_text("✗ 不对")
    page.get_by_role("radio", name="简答题").check()
    page.locator("[name=guide_points]").first.fill("2")
    page.locator("[name=guide_points]").nth(1).fill("1.5")
    page.get_by_role("button", name="添加得分点").click()
    expect(page.locator("[data-guide-total]")).to_have_text("现在共 3.5 分。")
    expect(page.locator("[name=guide_text]")).to_have_count(5)

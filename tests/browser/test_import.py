"""A teacher brings in a Word paper with three mistakes in a real Chromium, mends them where they stand, and commits."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import docx
import pytest
import sqlalchemy as sa
from playwright.sync_api import Page, expect
from sqlalchemy.orm import Session

from qbank.exchange.models import KnowledgeChoice
from qbank.items.models import ImportBatch, ItemVersion
from qbank.items.states import BatchState
from qbank.kernel.access import Role, Viewer
from qbank.standards.models import WeightTable
from tests.conftest import People
from tests.qbank.bank_world import theory_table

PAPER = """电工四级理论试卷
一、单项选择题（每题 2 分）
1. 电压的单位是（　　）。
A. 伏特　B. 安培　C. 欧姆　D. 瓦特
答案：A
鉴定点：A-A-001
2. 电流的单位是（　　）。
A. 伏特　B. 安培　C. 欧姆　D. 瓦特
答案：E
鉴定点：A-A-002
3. 电阻的单位是（　　）。
A. 伏特　B. 安培　C. 欧姆　D. 瓦特
鉴定点：A-A-003
4. 电功率的单位是（　　）。
A. 伏特　B. 伏特　C. 欧姆　D. 瓦特
答案：D
鉴定点：B-A-001
二、判断题
5. 停电检修前应先验电。（√）
鉴定点：安全用电要点1
6. 电流没有方向。（×）
鉴定点：电流的方向"""


@pytest.fixture
def table(session: Session) -> WeightTable:
    return theory_table(session)


@pytest.fixture
def teacher(people: People) -> Viewer:
    return people("陈晓", Role.ITEM_AUTHOR)


@pytest.fixture
def page(session: Session, table: WeightTable, teacher: Viewer, at_the_desk: Callable[[Viewer], Page]) -> Page:
    session.commit()
    return at_the_desk(teacher)


@pytest.fixture
def send(page: Page, tmp_path: Path) -> Callable[[bytes, str], None]:
    """Upload a file and go to its preview."""

    def upload(content: bytes, name: str) -> None:
        file = tmp_path / name
        file.write_bytes(content)
        page.goto("/exchange/")
        page.set_input_files("#file", file)
        expect(page.locator("[data-dropped]")).to_have_text(f"已选择：{name}")
        page.get_by_role("button", name="上传并检查").click()
        page.get_by_role("link", name="查看结果").click()
        page.wait_for_url("**/exchange/*")

    return upload


def paper() -> bytes:
    document = docx.Document()
    for line in PAPER.split("\n"):
        document.add_paragraph(line)
    stream = io.BytesIO()
    document.save(stream)
    return stream.getvalue()


def test_a_teacher_mends_three_mistakes_of_a_word_paper_in_the_grid_and_commits(
        page: Page, send: Callable[[bytes, str], None], session: Session) -> None:
    send(paper(), "电工四级试卷.docx")
    wrong = page.locator('[data-verdict="wrong"]')
    expect(wrong).to_have_count(3)
    expect(page.locator('[data-count="wrong"]')).to_have_text("3")
    expect(page.get_by_role("button", name="导入 2 道题")).to_be_visible()
    for place, words in (("第 7 段", "没有“E”"), ("第 11 段", "没有找到答案"), ("第 14 段", "内容相同")):
        expect(wrong.filter(has_text=place)).to_contain_text(words)

    # By keyboard from one mistake to the next; each field is checked as it is left.
    page.keyboard.press("Alt+ArrowDown")
    expect(page.locator(":focus")).to_have_attribute("name", "答案")
    page.keyboard.press("Control+a")
    page.keyboard.type("B")
    page.keyboard.press("Tab")
    second = page.locator(".import-row").filter(has_text="第 7 段")
    expect(second.locator("[data-state]")).to_have_text("可导入")
    expect(page.get_by_role("button", name="导入 3 道题")).to_be_visible()
    page.keyboard.press("Alt+ArrowDown")
    page.keyboard.type("C")
    page.keyboard.press("Control+Enter")  # saves and goes on to the next mistake
    third = page.locator(".import-row").filter(has_text="第 11 段")
    expect(third.locator("[data-state]")).to_have_text("可导入")
    expect(page.locator(":focus")).to_have_attribute("name", "选项B")
    page.keyboard.press("Control+a")
    page.keyboard.type("安培")
    page.keyboard.press("Tab")
    expect(wrong).to_have_count(0)

    # A change that was none is taken back.
    first = page.locator(".import-row").filter(has_text="第 3 段")
    first.get_by_role("link", name="修改").click()
    first.locator('[name="答案"]').fill("Z")
    first.locator('[name="答案"]').press("Tab")
    expect(first.locator("[data-state]")).to_have_text("有错误")
    first.get_by_role("button", name="撤销修改").click()
    expect(first.locator("[data-state]")).to_have_text("可导入")
    expect(first.locator('[name="答案"]')).to_have_value("A")

    # What the paper calls the point of item 6 is nobody's name: it is chosen from the tree, by search.
    page.locator("table.queue").get_by_role("button", name="选择").click()
    page.keyboard.type("电路 要点2")
    page.locator("[data-point-list] button").click()
    page.locator("table.queue").get_by_role("button", name="确定").click()
    expect(page.locator(".notice-success")).to_contain_text("B-A-002")
    page.get_by_role("button", name="导入 6 道题").click()
    expect(page.locator(".notice-success")).to_contain_text("已导入 6 道题")

    versions = session.scalars(sa.select(ItemVersion).order_by(ItemVersion.id)).all()
    assert [(one.kind.value, one.key, f"{one.point.range.path}-{one.point.segment}") for one in versions] == [
        ("single", "A", "A-A-001"), ("single", "B", "A-A-002"), ("single", "C", "A-A-003"), ("single", "D", "B-A-001"),
        ("judge", "T", "A-A-001"), ("judge", "F", "B-A-002")]
    assert [option.text for option in versions[3].options] == ["伏特", "安培", "欧姆", "瓦特"]
    assert [choice.words for choice in session.scalars(sa.select(KnowledgeChoice))] == ["电流的方向"]


def test_typed_text_is_previewed_while_it_is_typed(page: Page, session: Session) -> None:
    page.goto("/exchange/")
    page.get_by_text("或者粘贴文字").click()
    page.fill("#text", "1. 电阻的单位是（　　）。\nA. 伏特　B. 欧姆\n答案：B\n2. 电流有方向。（√）\n")
    expect(page.locator("[data-typed-preview]")).to_contain_text("读到 2 道题")
    page.fill("#text", "1. 电阻的单位是（　　）。\nA. 伏特　B. 欧姆\n")
    expect(page.locator("[data-typed-preview]")).to_contain_text("没有读到")
    page.get_by_role("button", name="检查这些文字").click()
    page.get_by_role("link", name="查看结果").click()
    expect(page.locator('[data-verdict="wrong"]')).to_have_count(1)
    assert session.scalars(sa.select(ImportBatch)).one().state is BatchState.PREVIEWED

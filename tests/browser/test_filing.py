"""A school files in a real Chromium, rows pasted from Excel; the city visits, the province consents; the directory shows it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy.orm import Session

from examroom.filing import annexes
from qbank.kernel.access import Viewer
from tests.conftest import People
from tests.filing_world import CREDIT_CODE, PDF, PLAN, ROWS, UNIT, FilingWorld

Desk = Callable[[Viewer], Page]
BASE = "/filing/applications/1"


@pytest.fixture
def world(session: Session, people: People) -> FilingWorld:
    made = FilingWorld.make(session, people)
    session.commit()
    return made


def paste(page: Page, text: str) -> None:
    """Into the first cell of the table, as Excel puts it on the clipboard."""
    page.locator("[data-grid] tbody tr").first.locator("input:not([type=hidden]), select").first.evaluate(
        """(field, text) => { const data = new DataTransfer(); data.setData("text/plain", text);
           field.dispatchEvent(new ClipboardEvent("paste", {clipboardData: data, bubbles: true, cancelable: true})); }""", text)


def saved(page: Page, button: str = "保存") -> None:
    page.get_by_role("button", name=button, exact=True).click()
    expect(page.locator(".notice-success").last).to_be_visible(timeout=30_000)


def fill_in(page: Page, file: Path) -> None:
    """Everything that the annexes ask for, by hand."""
    page.goto("/filing/applications/new")
    page.select_option("#kind", "first")
    page.get_by_role("button", name="开始填报").click()
    expect(page.locator(".filing-missing")).to_contain_text("没有上传事业单位法人证书")
    page.goto(f"{BASE}/unit")
    for key, text in (UNIT | {"credit_code": CREDIT_CODE}).items():
        page.fill(f"#{key}", text)
    saved(page)
    page.get_by_role("link", name="职业（工种）", exact=True).click()
    line = page.locator("[data-line]").first
    line.locator("[name=standard_id]").select_option(index=1)
    line.locator("[name=level]").select_option("3")
    line.locator("[name=major]").fill("电气自动化")
    line.locator("[name=formerly]").select_option("1")
    saved(page)
    for part in annexes.PARTS:
        page.goto(f"{BASE}/rows?part={part.key}")
        times = 12 if part.key == "equipment" else 1  # more than the page has lines: it adds them
        lines = ["\t".join(row.get(field.key, "") for field in part.columns) for row in ROWS[part.key]] * times
        paste(page, "\r\n".join(lines) + "\r\n")
        saved(page)
        assert page.locator("[data-line]").count() == len(lines) + 2  # and two empty ones
    page.goto(f"{BASE}/plan")
    for key, text in PLAN.items():
        page.fill(f"#{key}", text)
    saved(page, "保存实施方案")
    page.goto(f"{BASE}/materials")
    for paper in annexes.MATERIALS:
        if paper.required:
            page.locator(f"tr#{paper.key} input[type=file]").set_input_files(file)
            page.locator(f"tr#{paper.key}").get_by_role("button", name="上传", exact=True).click()
            expect(page.locator(f"tr#{paper.key}")).to_contain_text("材料.pdf", timeout=30_000)


def test_a_school_files_city_and_province_decide_and_the_directory_shows_it(world: FilingWorld, at_the_desk: Desk, tmp_path: Path) -> None:
    file = tmp_path / "材料.pdf"
    file.write_bytes(PDF)
    school = at_the_desk(world.liu)
    school.on("dialog", lambda dialog: dialog.accept())
    fill_in(school, file)
    school.goto(BASE)
    expect(school.locator("main")).to_contain_text("已齐全")
    school.check("[name=pledged]")
    school.get_by_role("button", name="提交市鉴定中心").click()
    expect(school.locator(".notice-success")).to_contain_text("已提交", timeout=30_000)

    city = at_the_desk(world.tan)
    city.goto(BASE)
    city.get_by_role("link", name="登记现场评估").click()
    city.fill("#members", "谭晓峰、罗正明")
    for key, _, _ in annexes.CHECKS:
        city.check(f"[name=ok-{key}][value='1']")
    city.fill("#opinion", "现场与材料一致")
    city.get_by_role("button", name="保存评估记录").click()
    city.check("[name=agrees-1][value='1']")
    city.fill("#comment", "同意备案")
    city.get_by_role("button", name="报省鉴定中心复核").click()
    expect(city.locator(".notice-success")).to_contain_text("转省鉴定中心", timeout=30_000)

    province = at_the_desk(world.yao)
    province.goto(BASE)
    province.get_by_role("link", name="复核", exact=True).click()
    province.check("[name=agrees-1][value='1']")
    province.check("[name=consent-1]")
    province.fill("#comment", "复核通过")
    province.get_by_role("button", name="提交复核意见").click()
    expect(province.locator(".notice-success")).to_contain_text("公布", timeout=30_000)

    province.context.clear_cookies()  # anybody
    province.goto("/filing/directory")
    row = province.locator("table.work tbody tr")
    expect(row).to_have_count(1)
    for told in ("湘江技师学院（演示）", "电工", "6-31-01-03", "三级/高级工", "2026年6月1日 至 2027年5月31日"):
        expect(row).to_contain_text(told)

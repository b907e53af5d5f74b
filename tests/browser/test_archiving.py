"""An officer packs a batch in a real Chromium and takes the pack home; a pack that somebody changed is caught, here and there."""

from __future__ import annotations

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest
from click.testing import CliRunner
from playwright.sync_api import Page, expect
from sqlalchemy.orm import Session

from qbank.kernel.access import Viewer
from qbank.kernel.attachments import place_of
from scoring.archive.commands import group
from tests.scoring.archive_world import ArchiveWorld


@pytest.fixture
def world(session: Session, people: Any) -> ArchiveWorld:
    with ThreadPoolExecutor(1) as beside:  # certificates are signed with asyncio, and Playwright's loop runs in this thread
        return beside.submit(ArchiveWorld, session, people).result()


def forged(content: bytes) -> bytes:
    """The pack with one failed candidate's theory score raised from 59.5 to 60, and nothing else touched."""
    made = BytesIO()
    with ZipFile(BytesIO(content)) as old, ZipFile(made, "w") as new:
        for entry in old.infolist():
            held = old.read(entry)
            new.writestr(entry, held.replace(b'"theory":119', b'"theory":120') if entry.filename == "rows/results.jsonl" else held)
    return made.getvalue()


def test_an_officer_packs_a_batch_and_a_changed_pack_is_caught(world: ArchiveWorld, session: Session,
                                                                at_the_desk: Callable[[Viewer], Page], tmp_path: Path) -> None:
    page = at_the_desk(world.officer)
    page.set_default_timeout(60_000)
    expect.set_options(timeout=60_000)
    page.get_by_role("link", name="工作台账").click()
    page.get_by_role("link", name=world.plan.title).click()
    page.get_by_label("步骤、人员、内容、日期").fill("郑国栋")
    page.get_by_role("button", name="查找").click()
    expect(page.locator("tbody tr")).to_have_count(1)
    page.get_by_role("link", name="案卷清单").click()
    page.get_by_label("材料种类").select_option(label="监考人员签到表")
    page.get_by_label("纸质存放位置").fill("档案室 3 柜 12 盒")
    page.get_by_role("button", name="登记材料").click()
    expect(page.locator("main")).to_contain_text("档案室 3 柜 12 盒")
    page.once("dialog", lambda dialog: dialog.accept())
    page.get_by_role("button", name="归档", exact=True).click()
    page.get_by_role("link", name="查看结果").click()
    page.get_by_role("link", name="核验归档卷").click()
    expect(page.get_by_role("status")).to_contain_text("核验通过")
    key = page.locator("dt:has-text('目录签名密钥') + dd").inner_text()
    page.get_by_label("查阅事由").fill("交省鉴定中心检查")
    with page.expect_download() as taken:
        page.get_by_role("button", name="登记并下载").click()
    home = tmp_path / "归档卷.zip"
    taken.value.save_as(home)
    page.reload()
    expect(page.locator("main")).to_contain_text("交省鉴定中心检查")

    good = CliRunner().invoke(group, ["verify", str(home), "--key", key, "--head", world.closing.audit_head])
    assert good.exit_code == 0, good.output
    content = home.read_bytes()
    home.write_bytes(forged(content))
    bad = CliRunner().invoke(group, ["verify", str(home), "--key", key])
    assert (bad.exit_code, "内容被改动：rows/results.jsonl" in bad.output) == (1, True), bad.output

    with ZipFile(BytesIO(content)) as pack:
        assert json.loads(pack.read("manifest.json"))["plan"] == world.plan.number
    number = page.url.rstrip("/").split("/")[-1]
    digest = page.locator("dt:has-text('整卷 SHA-256') + dd").inner_text()
    place_of(session, digest).write_bytes(forged(content))  # somebody at the server's disk
    page.goto(f"/archive/{number}/verify" if number.isdigit() else page.url)
    expect(page.get_by_role("alert")).to_contain_text("内容被改动：rows/results.jsonl")

"""A stranger holds a certificate: the code on it leads to the public query, which tells what was issued."""

from __future__ import annotations

import dataclasses
import shutil
import subprocess
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
import zxingcpp
from flask import Flask
from PIL import Image
from playwright.sync_api import Page, Playwright, expect
from sqlalchemy.orm import Session
from werkzeug.serving import make_server

from examroom.plans import photos
from qbank.kernel.settings import Settings
from scoring.certificates import desk, taken
from scoring.certificates.models import Certificate
from tests.browser.conftest import CHROMIUM
from tests.conftest import MONDAY
from tests.scoring.final_world import CIPHER, FinalWorld, identity_number
from tests.scoring.test_certificate_copies import picture

SITE = "http://jnrd.example.cn"  # as it is printed on certificates; the browser is told where it is
PHONE = {"width": 390, "height": 844}


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return dataclasses.replace(settings, public_url=SITE)


@pytest.fixture
def world(session: Session, people: Any) -> FinalWorld:
    made = FinalWorld(session, people)
    photos.keep(session, made.candidates[0], picture("JPEG"), made.officer, now=MONDAY)
    with ThreadPoolExecutor(1) as apart:  # the browser's own loop runs in this thread, and signing needs one
        apart.submit(desk.issue, session, made.results, made.officer, cipher=CIPHER, now=MONDAY).result()
    return made


@contextmanager
def phone(app: Flask, chromium: Playwright) -> Iterator[Page]:
    """The browser of somebody without an account, in which the site's name leads to this app."""
    app.config["WTF_CSRF_ENABLED"] = True
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    program = next(filter(None, map(shutil.which, CHROMIUM)), chromium.chromium.executable_path)
    browser = chromium.chromium.launch(executable_path=program, args=[
        "--no-sandbox", "--disable-gpu", f"--host-resolver-rules=MAP jnrd.example.cn:80 127.0.0.1:{server.server_port}"])
    try:
        page = browser.new_page(viewport=PHONE, locale="zh-CN")  # type: ignore[arg-type]
        page.set_default_timeout(30_000)
        expect.set_options(timeout=30_000)
        yield page
    finally:
        browser.close()
        server.shutdown()
        thread.join(30)
        server.server_close()


def scanned(pdf: bytes, folder: Path) -> str:
    """What a phone's camera reads on the printed page."""
    assert shutil.which("pdftoppm"), "pdftoppm is missing: apt install poppler-utils"
    (folder / "certificate.pdf").write_bytes(pdf)
    subprocess.run(["pdftoppm", "-r", "150", "-png", "-singlefile", folder / "certificate.pdf", folder / "page"], check=True)
    found = zxingcpp.read_barcode(Image.open(BytesIO((folder / "page.png").read_bytes())))
    assert found is not None, "no code on the page"
    return str(found.text)


def ask(page: Page, name: str) -> None:
    page.get_by_label("姓名").fill(name)
    page.get_by_role("button", name="查询证书").click()


def test_a_stranger_verifies_a_certificate_by_its_code(app: Flask, world: FinalWorld, session: Session, chromium: Playwright,
                                                       tmp_path: Path) -> None:
    certificate: Certificate = desk.certificates_of(session, world.results)[0]
    pdf = taken.one_pdf(session, certificate, world.officer, now=MONDAY)
    number, photo = certificate.number, certificate.photo
    session.commit()
    address = scanned(pdf, tmp_path)
    assert address == f"{SITE}/certificates/query?number={number}"
    with phone(app, chromium) as page:
        page.goto(address)
        expect(page.get_by_label("证书编号")).to_have_value(number)
        ask(page, "张小明")  # not the name on the certificate
        expect(page.get_by_text("没有查到与所填内容一致的证书")).to_be_visible()
        page.goto(address)
        ask(page, "张晓明")
        card = page.get_by_label(f"证书 {number}")
        assert photo
        for told in ("有效", "张晓明", "居民身份证", "430102********", "电工", "四级/中级工", number, "湘江技师学院（演示）", "2026年6月1日",
                     photo.sha256):
            expect(card).to_contain_text(told)
        assert identity_number(0) not in page.content()
        with page.expect_download() as twin:
            page.get_by_role("button", name="下载可验证凭证").click()
        assert Path(twin.value.path()).read_text().count(".") == 2  # a compact JWT: test_certificate_twin reads it

        desk.revoke(session, certificate, world.officer, "冒名顶替，经省鉴定中心核实", now=MONDAY)
        session.commit()
        page.goto(address)
        ask(page, "张晓明")
        expect(page.get_by_label(f"证书 {number}")).to_contain_text("已注销")
        expect(page.get_by_label(f"证书 {number}")).not_to_contain_text("冒名")

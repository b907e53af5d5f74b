"""An officer enrols a telephone and signs in with it, as a camera and a keyboard do it."""

from __future__ import annotations

from collections.abc import Callable
from io import BytesIO

import pyotp
import pytest
import zxingcpp
from PIL import Image
from playwright.sync_api import Page, expect
from sqlalchemy.orm import Session

from qbank.kernel.access import Role, Viewer
from tests.conftest import PASSWORD, People, TestClock

pytestmark = pytest.mark.one_database


def test_zhou_scans_types_and_signs_in_with_telephone_or_paper(session: Session, people: People, clock: TestClock,
                                                              at_the_desk: Callable[[Viewer], Page]) -> None:
    zhou = people("考务周敏", Role.EXAM_OFFICER)
    session.commit()
    page = at_the_desk(zhou)
    page.get_by_role("link", name="两步验证").click()
    page.get_by_role("link", name="启用两步验证").click()
    seen = zxingcpp.read_barcodes(Image.open(BytesIO(page.locator(".factor-qr").screenshot())))
    device = pyotp.parse_uri(seen[0].text)
    assert isinstance(device, pyotp.TOTP)
    assert (device.issuer, device.name) == ("考评通", zhou.login)
    page.fill("#code", device.at(clock()))
    page.fill("#password", PASSWORD)
    page.get_by_role("button", name="启用两步验证").click()
    expect(page.locator(".recovery-codes li")).to_have_count(10)
    paper = page.locator(".recovery-codes li").nth(6).inner_text()
    for code in (device.at(clock.forward(seconds=30)), paper):
        page.get_by_role("button", name="退出").click()
        page.fill("#login", zhou.login)
        page.fill("#password", PASSWORD)
        page.keyboard.press("Enter")
        expect(page.locator("#code")).to_be_focused()
        page.keyboard.type(code)
        page.keyboard.press("Enter")
        expect(page.get_by_role("heading", name="待办", exact=True)).to_be_visible()
    page.get_by_role("link", name="两步验证").click()
    expect(page.get_by_text("9 个")).to_be_visible()

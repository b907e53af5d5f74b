"""The README's pictures: the demo world as each role sees it.

    examroom demo --dir D &  python -m tests.browser.pictures http://127.0.0.1:8000

Look at what it made before it is committed. The candidate's picture is taken by hand, in the middle of an exam.
"""

from __future__ import annotations

import re
import shutil
import sys
from collections.abc import Sequence
from io import BytesIO
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright

from seed.cast import PASSWORD

FOLDER = Path(__file__).parents[2] / ".readme"
COLOURS = 128  # a page has few; a third of the bytes
WIDE, PHONE, TABLET = (1366, 768), (390, 844), (1180, 820)

# picture → whose, on what, and the way there: an address, then links by what their address looks like.
PAGES: dict[str, tuple[str, tuple[int, int], Sequence[str]]] = {
    "author": ("author", WIDE, ("/items/", r"/items/\d+\?version=1$")),
    "reviewer": ("reviewer", WIDE, ("/items/review", r"/items/\d+")),
    "composer": ("composer", WIDE, ("/papers/", r"/papers/\d+$")),
    "officer": ("officer", WIDE, ("/",)),
    "results": ("officer", WIDE, ("/results/", r"/results/plans/1$")),
    "invigilator": ("invigilator", WIDE, ("/invigilation/", r"/invigilation/rooms/\d+$")),
    "marker": ("marker3", WIDE, ("/marking/written", r"/marking/questions/\d+/mark")),
    "assessor": ("assessor", TABLET, ("/practical/groups/4", r"/mark\?member=")),
    "examiner": ("examiner", WIDE, ("/review/panels/1/room",)),
    "supervisor": ("supervisor", PHONE, ("/oversight/inspections", r"/oversight/inspections/\d+")),
    "city": ("city", WIDE, ("/reports/region",)),
    "province": ("province", WIDE, ("/plans/", r"/plans/\d+$")),
    "administrator": ("admin", WIDE, ("/doctor/",)),
    "anyone": ("", WIDE, ("/certificates/query",)),
}


def take(page: Page, name: str) -> None:
    picture = Image.open(BytesIO(page.screenshot())).convert("RGB").quantize(COLOURS)
    picture.save(FOLDER / f"{name}.png", optimize=True)
    print(f"{name}.png", page.url, page.title())


def sign_in(page: Page, login: str) -> None:
    page.goto("/accounts/sign-in")
    page.fill("#login", login)
    page.fill("#password", PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url("**/")


def walk(page: Page, way: Sequence[str]) -> None:
    page.goto(way[0])
    for pattern in way[1:]:
        links = [str(link.get_attribute("href")) for link in page.locator("main a[href]").all()]
        page.goto(next(link for link in links if re.search(pattern, link)))
    page.wait_for_load_state("networkidle")


def staff(browser: Browser, address: str) -> None:
    for name, (login, (width, height), way) in PAGES.items():
        page = browser.new_page(viewport={"width": width, "height": height}, locale="zh-CN", base_url=address)
        if login:
            sign_in(page, login)
        walk(page, way)
        take(page, name)
        page.context.close()


def main(address: str) -> None:
    with sync_playwright() as started:
        browser = started.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox", "--disable-gpu"])
        staff(browser, address)


if __name__ == "__main__":
    main(sys.argv[1])

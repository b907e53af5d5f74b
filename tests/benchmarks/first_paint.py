"""First paint of a 200-question sheet on a slow PC: Chromium with its CPU throttled four times, both views.

    python tests/benchmarks/first_paint.py [--throttle 4] [--rounds 5]

Prints one JSON line for each view and visit. ``question_ms``: from the navigation to the first frame with the
questions that are in sight, the answer card and the countdown; ``all_ms``: until the whole list can be scrolled (with the
time that asking takes); ``script_ms`` and ``layout_ms``: what the main thread spent on it.
``entering`` comes from the waiting page, which has fetched the scripts ahead, ``reloading`` is a reload in mid-exam.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2]))

from playwright.sync_api import CDPSession, Page, sync_playwright

from qbank.kernel.db import Database
from qbank.kernel.migrations import upgrade
from tests.browser.exam_room import Room, served

PAPER: dict[str, Any] = {"single": 140, "multiple": 30, "judge": 30, "candidates": 24, "stems": {
    number: f"第 {number} 题：三相异步电动机的同步转速 $n_0 = \\frac{{60 f}}{{p}}$，当电源频率为 50 Hz、磁极对数为 2 时，额定转差率为 "
            "4% 的电动机的额定转速最接近（　　）。" for number in range(1, 201)}}
WATCH = """(() => { const look = () => {
    const desk = document.querySelector("#desk");
    if (desk && !desk.hidden && document.querySelector(".q legend") && document.querySelector("#clock").textContent !== "--:--") {
        requestAnimationFrame(() => setTimeout(() => { window.shownAt = performance.now(); }));  // the frame after it is on the screen
    } else requestAnimationFrame(look);
}; requestAnimationFrame(look); })()"""


def measure(page: Page, session: CDPSession, act: Any) -> dict[str, float]:
    act()
    while not page.evaluate("window.shownAt || 0"):  # the page's content policy forbids to wait for an expression inside it
        page.wait_for_timeout(100)
    found = {one["name"]: one["value"] for one in session.send("Performance.getMetrics")["metrics"]}
    paint = page.evaluate("performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? null")
    return {"question_ms": page.evaluate("window.shownAt"), "first_contentful_ms": paint,
            "script_ms": found["ScriptDuration"] * 1000, "layout_ms": (found["LayoutDuration"] + found["RecalcStyleDuration"]) * 1000}


def one(room: Room, name: str, view: str, throttle: int) -> dict[str, dict[str, float]]:
    context = room.computer()
    page = context.new_page()
    page.goto(f"{room.address}/exam")
    room.type_code(page, name)
    page.wait_for_url("**/exam/sheets/*")
    page.wait_for_selector("#desk:visible")
    if view == "list":
        page.keyboard.press("v")
        page.wait_for_timeout(300)
    sheet = page.url
    context.add_init_script(WATCH)
    page.goto(f"{room.address}/exam/hall")
    page.wait_for_load_state("load")
    found = {}
    for visit, act in (("entering", lambda: page.goto(sheet, wait_until="commit")), ("reloading", lambda: page.reload(wait_until="commit"))):
        session = context.new_cdp_session(page)
        session.send("Performance.enable")
        session.send("Emulation.setCPUThrottlingRate", {"rate": throttle})
        found[visit] = measure(page, session, act)
        while view == "list" and page.locator(".q").count() < 200:  # the rest is made when there is time
            page.wait_for_timeout(50)
        found[visit]["all_ms"] = page.evaluate("performance.now()")
        session.detach()
    context.close()
    room.contexts.remove(context)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--throttle", type=int, default=4)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as home, sync_playwright() as playwright:
        address = f"sqlite:///{home}/examroom.sqlite3"
        made = Database(address)
        upgrade(made.engine)
        made.engine.dispose()
        with served(playwright, Path(home), address, **PAPER) as room:
            names = iter([enrolment.candidate.name for enrolment in room.world.enrolments])
            room.session.commit()
            for view in ("one", "list"):
                rounds = [one(room, next(names), view, options.throttle) for _ in range(options.rounds)]
                for visit in ("entering", "reloading"):
                    print(json.dumps({"benchmark": "first_paint", "questions": 200, "view": view, "visit": visit, "throttle": options.throttle}
                                     | {key: round(statistics.median(found[visit][key] for found in rounds), 1)
                                        for key in rounds[0][visit]}), flush=True)


if __name__ == "__main__":
    main()

"""Stored and reflected scripts: put into every form that a person can reach and into every free text of the database, then
looked for in a real browser on the pages of everybody.

Nothing may run (a script, a dialog, what the policy had to stop), and nothing may have become an element of a page.
"""

from __future__ import annotations

import itertools
import re
import sqlite3
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from typing import Any
from urllib.parse import urlencode, urljoin, urlsplit

import lxml.html
import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient
from playwright.sync_api import Browser, BrowserContext, Error, Page, sync_playwright
from werkzeug.serving import make_server

from qbank.kernel.db import Base
from seed import cast
from tests.browser.exam_room import ARGUMENTS, program
from tests.complete_world import World, complete_world
from tests.demo_world import follow, kind

pytestmark = [pytest.mark.one_database, pytest.mark.timeout(1500)]  # a browser at hundreds of pages
CORPUS = (
    "'\"><zq-x data-zq=1></zq-x><img src=zq: onerror=window.__xss=1>",
    "</textarea></title></script><script>window.__xss=2</script><zq-x>",
    "\" onmouseover=\"window.__xss=3\" autofocus onfocus=\"window.__xss=3\" data-zq=\"",
    "javascript:window.__xss=4//<zq-x>",
    "<svg><animate onbegin=window.__xss=5 data-zq=1>{{1337*1337}}${1337*1337}",
    "![<zq-x>](javascript:window.__xss=6)**<zq-x>**$\\href{javascript:alert(6)}{x}$",
    "<zq-x>",
)
COMPUTED = "1787569"  # what a template would make of 1337*1337
NOT_OURS = re.compile(r"/(sign-out|leave|shut|reopen|end-sign-ins|reset|withdraw|sign-ins|password|discard|destr)")  # ends the walk, or what it looks at
FREE = re.compile(r"(^|_)(name|title|reason|comment|note|notes|text|stem|explanation|opinion|place|basis|detail|message|evidence|contact|caption|source|remark|"
                  r"summary|advice|answer|question|request|statement|subject|label|address|filed_with|reference|tier|holder|occupation|issuer|file_name)$")
FOUND = """() => ({
  elements: [...document.querySelectorAll("zq-x,[data-zq],[onmouseover],[onfocus],img[src^='zq:'],a[href^='javascript:'],iframe,object,embed,base")]
    .map(one => one.outerHTML.slice(0, 200)),
  ran: window.__xss || 0, stopped: window.__stopped || [], computed: document.documentElement.textContent.includes("1787569"),
  links: [...document.querySelectorAll("a[href^='/']")].map(one => one.getAttribute("href"))})"""
LISTENING = """window.__stopped = []; document.addEventListener("securitypolicyviolation",
  event => window.__stopped.push(event.violatedDirective + " " + event.blockedURI + " " + event.sample));"""


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory, fresh_database_url: Callable[[], str]) -> Iterator[World]:
    made = next(making := complete_world(tmp_path_factory, fresh_database_url))
    yield made
    next(making, None)


def everybody(world: World) -> dict[str, FlaskClient]:
    people = {part.login: world.browser(part.login) for part in cast.CAST if part.shown}
    return people | {"candidate": world.candidate(), "nobody": world.app.test_client()}


FIRST = {"candidate": "/exam/hall", "nobody": "/accounts/sign-in"}


def filled(form: Any, corpus: Iterator[str], *, all_of_them: bool) -> tuple[dict[str, Any], int]:
    """What a browser would send, with a script in every text field, or in those that were empty."""
    values: dict[str, Any] = {}
    count = 0
    for field in form.inputs:
        name, sort = field.get("name"), (field.get("type") or "text").lower() if field.tag == "input" else field.tag
        if not name or sort in {"submit", "button", "file", "password", "reset", "image"} or field.get("disabled") is not None:
            continue
        held = field.value if sort != "select" else None
        if sort == "select":
            options = [option.get("value", option.text or "") for option in field.iter("option")]
            values[name] = field.value if isinstance(field.value, str) and field.value else next((option for option in options if option), "")
        elif sort in {"checkbox", "radio"}:
            if field.get("checked") is not None or sort == "radio":
                values.setdefault(name, field.get("value", "on"))
        elif sort in {"hidden", "color", "range"}:
            values[name] = held or ""
        elif sort in {"number", "date", "datetime-local", "time"} or field.get("inputmode") in {"numeric", "decimal"}:
            values[name] = held or {"date": "2027-05-06", "datetime-local": "2027-05-06T09:00", "time": "09:00"}.get(sort, "1")
        elif all_of_them or not held:
            most = int(field.get("maxlength") or 10_000)
            values[name] = next((text for text in (next(corpus), CORPUS[-1]) if len(text) <= most), "<b")[:most]
            count += 1
        else:
            values[name] = held
    return values, count


def fill_all_forms(world: World) -> tuple[int, int, set[str]]:
    """Every form of every kind of page, once or twice; what a filter shows comes back as addresses."""
    corpus, tried, taken, shown = itertools.cycle(CORPUS), 0, 0, set()
    known: set[tuple[str, ...]] = set()
    for login, client in everybody(world).items():
        for address, answer in follow(client, FIRST.get(login, "/"), most=1):
            if answer.status_code != 200 or answer.mimetype != "text/html" or not answer.get_data():
                continue
            for form in lxml.html.fromstring(answer.get_data(as_text=True)).forms:
                action = urljoin(address, form.get("action") or address)
                mark = (form.method, kind(action), *sorted({field.get("name") or "" for field in form.inputs}))
                if mark in known or NOT_OURS.search(action):
                    continue
                known.add(mark)
                for all_of_them in (True, False):
                    values, count = filled(form, corpus, all_of_them=all_of_them)
                    if not count:
                        break
                    tried += 1
                    if form.method == "GET":
                        shown.add(f"{urlsplit(action).path}?{urlencode(values)}")
                        break
                    sent = client.post(action, data=values)
                    assert sent.status_code < 500, (action, sent.status_code)
                    if sent.status_code == 302:
                        taken += 1
                        break
    return tried, taken, shown


def fill_the_database(file: str) -> int:
    """Behind the doors: a script behind every free text, also where a form would not take it."""
    count = 0
    with closing(sqlite3.connect(file, timeout=60)) as connection:
        for (trigger,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            connection.execute(f'DROP TRIGGER "{trigger}"')
        for table in Base.metadata.sorted_tables:
            for column in table.columns:
                if FREE.search(column.name) and isinstance(column.type, sa.String) and not isinstance(column.type, sa.Enum) and not column.foreign_keys \
                        and (column.type.length or 10_000) >= 40 and (table.name, column.name) not in EXACT:
                    connection.execute(f'UPDATE "{table.name}" SET "{column.name}" = "{column.name}" || ? WHERE "{column.name}" <> ?',  # noqa: S608  # our own names
                                       [CORPUS[count % len(CORPUS)], ""])
                    count += 1
        connection.commit()
    return count


EXACT = {  # words that the program compares, not texts that it shows
    ("audit_entries", "table_name"), ("sign_in_attempts", "address"), ("public_visits", "subject"), ("exam_pages", "address"), ("misconducts", "tier"),
    ("report_files", "file_name"),
}


@contextmanager
def at(world: World, browser: Browser, client: FlaskClient, origin: str, said: list[str]) -> Iterator[Page]:
    context: BrowserContext = browser.new_context(base_url=origin, locale="zh-CN")
    context.add_init_script(LISTENING)
    if cookie := client.get_cookie("session"):
        context.add_cookies([{"name": "session", "value": cookie.value, "url": origin}])
    page = context.new_page()
    page.set_default_timeout(60_000)

    def dismiss(dialog: Any) -> None:
        said.append(f"dialog {dialog.message}")
        dialog.dismiss()

    page.on("dialog", dismiss)
    yield page
    context.close()


def test_nothing_that_anybody_typed_runs_or_becomes_part_of_a_page(world: World) -> None:
    tried, taken, shown = fill_all_forms(world)
    assert tried > 100  # forms with a text field
    assert taken > 20  # and what was typed was kept
    engine = world.app.extensions["examroom"]["database"].engine
    assert fill_the_database(engine.url.database) > 150
    server = make_server("127.0.0.1", 0, world.app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    wrong: list[tuple[str, str, Any]] = []
    visited: set[str] = set()
    try:
        with sync_playwright() as started:
            browser = started.chromium.launch(executable_path=program(started), args=ARGUMENTS)
            seen = Counter[str]()
            for login, client in everybody(world).items():
                said: list[str] = []
                with at(world, browser, client, f"http://127.0.0.1:{server.port}", said) as page:
                    first = [FIRST.get(login, "/")] + (sorted(shown) if login == "officer" else [])
                    for address, found in look_around(page, first, seen):
                        visited.add(kind(address))
                        if found["elements"] or found["ran"] or found["stopped"] or found["computed"] or said:
                            wrong.append((login, address, found | {"links": [], "said": list(said)}))
                        said.clear()
            browser.close()
    finally:
        server.shutdown()
        thread.join(30)
        server.server_close()
    assert wrong == []
    assert len(visited) > 120


def look_around(page: Page, first: list[str], seen: Counter[str]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every kind of page that is linked from ``first`` on, until somebody has seen it."""
    waiting, asked = list(first), set[str]()
    while waiting:
        address = waiting.pop(0)
        if address in asked or (address not in first and seen[kind(address)]):
            continue
        asked.add(address)
        seen[kind(address)] += 1
        try:
            answer = page.goto(address, wait_until="load")
        except Error as error:
            if "Download" in str(error) or "ERR_ABORTED" in str(error):
                continue  # a file is saved, not shown
            raise
        if answer is None or "text/html" not in answer.headers.get("content-type", ""):
            continue
        found = page.evaluate(FOUND) | ({"stopped": f"status {answer.status}"} if answer.status >= 500 else {})
        waiting += [link.split("#")[0] for link in found["links"]]
        yield address, found

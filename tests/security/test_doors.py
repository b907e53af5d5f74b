"""Every door of the complete world tried with what attackers type: SQL, foreign hosts, paths, redirects; and by colleagues."""

from __future__ import annotations

import inspect
import re
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient
from sqlalchemy import event
from sqlalchemy.engine import Engine
from werkzeug.routing import Rule

from app import ACCESS
from qbank.kernel.access import Role, Scope
from qbank.kernel.accounts import Institution, create_account
from seed import cast
from seed.stage import FOUNDER
from tests.complete_world import ALL_AUDIT, World, complete_world
from tests.demo_world import NOW, counted

pytestmark = [pytest.mark.one_database, pytest.mark.timeout(1200)]  # the first one makes the world
MARK = "zqx"
INJECTED = (MARK + "' OR '1'='1' --", MARK + "\") UNION SELECT password_hash, 1 FROM accounts;--")  # noqa: S608  # never run
NAMES = re.compile(r"""(?:args|values|form|fields)(?:\.get(?:list)?\(|\[|, )["'](\w+)["']""")
ENDS_SESSION = {"accounts.sign_out", "accounts.password", "accounts.reset", "accounts.withdraw", "accounts.shut", "accounts.end_sign_ins", "delivery.leave"}


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory, fresh_database_url: Callable[[], str]) -> Iterator[World]:
    made = next(making := complete_world(tmp_path_factory, fresh_database_url))
    yield made
    next(making, None)


class Statements:
    """What reaches the database while it listens."""

    def __init__(self) -> None:
        self.written_into: list[str] = []  # statements with the mark in their text
        self.bound = 0  # statements that were given it as a value

    def hear(self, connection: Any, cursor: Any, statement: str, parameters: Any, context: Any, many: bool) -> None:
        if MARK in statement:
            self.written_into.append(statement)
        elif MARK in repr(parameters):
            self.bound += 1


@contextmanager
def listening() -> Iterator[Statements]:
    heard = Statements()
    event.listen(Engine, "before_cursor_execute", heard.hear)
    try:
        yield heard
    finally:
        event.remove(Engine, "before_cursor_execute", heard.hear)


def doors(world: World, method: str) -> Iterator[tuple[Rule, str, FlaskClient]]:
    """Every door with an address in the world and somebody who may pass."""
    people = {role: part.login for part in cast.CAST if part.shown for role in part.roles}
    for rule in world.app.url_map.iter_rules():
        if method not in (rule.methods or ()) or rule.endpoint.endswith("static"):
            continue
        roles, room = ACCESS[rule.endpoint], rule.endpoint.partition(".")[0]
        if Role.ANYONE in roles:
            client = world.app.test_client()
        elif roles == {Role.CANDIDATE}:
            client = world.candidate()
        elif Role.SIGNED_IN in roles:
            client = world.browser("officer")
        else:
            client = world.browser(next((people[role] for role in sorted(roles) if role in people), "admin"))
        ids = {name: (world.ids.get(f"{room}.{name}") or world.ids.get(name, [1]))[0] for name in rule.arguments}
        yield rule, re.sub(r"<(?:\w+:)?(\w+)>", lambda found, ids=ids: str(ids[found[1]]), rule.rule), client  # type: ignore[misc]


def names_of(world: World, rule: Rule) -> list[str]:
    """What the module of a door reads from requests."""
    module = sys.modules[inspect.unwrap(world.app.view_functions[rule.endpoint]).__module__]
    return sorted(set(NAMES.findall(inspect.getsource(module))) - {"csrf_token"})


def test_no_parameter_of_any_page_becomes_part_of_a_statement(world: World) -> None:
    broken, tried = [], 0
    alone: set[tuple[str, str]] = set()
    with listening() as heard:
        for rule, address, client in doors(world, "GET"):
            names, room = names_of(world, rule), rule.endpoint.partition(".")[0]
            asked = [dict.fromkeys([*names, "page", "q", "sort", "next", "after", "before"], INJECTED[1])]
            asked += [{name: INJECTED[0]} for name in names if (room, name) not in alone]  # alone: a bad neighbour may be refused first
            alone |= {(room, name) for name in names}
            for query in asked:
                answer = client.get(address, query_string=query)
                tried += 1
                if answer.status_code >= 500 or (answer.location and urlsplit(answer.location).netloc not in {"", "localhost"}):
                    broken.append((rule.rule, str(query)[:80], answer.status_code, answer.location))
    assert broken == []
    assert heard.written_into == []
    assert heard.bound > 40  # filters did reach the database
    assert tried > 500


def test_no_field_of_any_form_becomes_part_of_a_statement(world: World) -> None:
    broken, tried = [], 0
    with listening() as heard:
        for rule, address, client in doors(world, "POST"):
            if rule.endpoint in ENDS_SESSION:
                continue
            fields = dict.fromkeys(names_of(world, rule), INJECTED[0]) | {"next": f"//{MARK}.example/", "back": f"https://{MARK}.example/"}
            answer = client.post(address, data=fields, headers={"Referer": f"https://{MARK}.example/"})
            tried += 1
            if answer.status_code >= 500 or (answer.location and urlsplit(answer.location).netloc not in {"", "localhost"}):
                broken.append((rule.rule, answer.status_code, answer.location))
    assert broken == []
    assert heard.written_into == []
    assert heard.bound > 5
    assert tried > 200


def test_a_foreign_host_or_referrer_stands_in_no_answer(world: World) -> None:
    """Links are made without the host that was asked for; what is printed comes from EXAMROOM_PUBLIC_URL."""
    found, foreign = [], f"{MARK}.example"
    nobody, officer = world.app.test_client(), world.browser("officer")
    addresses = ["/", "/exam", "/accounts/sign-in", "/no-such", "/certificates/query", "/api/v1/openapi.json", "/api/docs", "/results/notices", "/plans/",
                 "/results/", "/certificates/", f"/accounts/jobs/{world.ids['job_id'][0]}"]
    for client in (nobody, officer):
        for address in addresses:
            answer = client.get(address, headers={"Host": foreign, "Referer": f"https://{foreign}/", "X-Forwarded-Host": foreign})
            if foreign in answer.get_data(as_text=True) or foreign in str(answer.headers):
                found.append((address, answer.status_code))
        refused = client.post("/plans/new", data={}, headers={"Host": foreign, "Referer": f"https://{foreign}/"})
        if foreign in refused.get_data(as_text=True) + str(refused.headers):
            found.append(("/plans/new", refused.status_code))
    assert found == []


PATHS = ("..%2f..%2f..%2fetc%2fpasswd", "..%5c..%5cwindows%5cwin.ini", "%2e%2e%2f%2e%2e%2fsecret.key", "....%2f%2fidentity.key", "%2fetc%2fpasswd", "a%00.png",
         "..;%2fsecret.key", "0" * 64)


def test_no_name_in_an_address_leads_out_of_its_folder(world: World) -> None:
    wrong, tried = [], 0
    static = world.app.static_url_path
    for path in PATHS:
        answer = world.app.test_client().get(f"{static}/{path}")
        assert answer.status_code in {400, 404} or urlsplit(answer.location).netloc == "localhost", path  # two slashes become one
    for rule, _, client in doors(world, "GET"):
        texts = re.findall(r"<(?!int:)(?:\w+:)?(\w+)>", rule.rule)
        if not texts:
            continue
        for path in PATHS:
            address = re.sub(r"<(?:\w+:)?(\w+)>", lambda found, path=path, texts=texts: path if found[1] in texts else "1", rule.rule)  # type: ignore[misc]
            answer = client.get(address)
            tried += 1
            if answer.status_code not in {302, 308, 400, 401, 403, 404, 405, 429} or b"root:" in answer.get_data():
                wrong.append((address, answer.status_code))
    assert wrong == []
    assert tried > 20


# Doors that colleagues of the same school share by their office, with the reason.
COLLEAGUES = {
    "plans.tie_list": "everybody declares his own kin here", "practical.assessors": "the school's register of assessors",
    "practical.assessor": "as above: certificate, levels, term; no number in full",
    "marking.answer_file_list": "lists nothing for who serves nowhere",
}
PERSONAL = (Role.INVIGILATOR, Role.PRACTICAL_ASSESSOR, Role.REVIEW_EXAMINER, Role.MARKER, Role.CANDIDATE)


def test_a_colleague_of_the_same_school_who_was_not_assigned_opens_nothing(world: World) -> None:
    """The right role and the right school are not enough: rooms, groups, panels and scripts are their own people's."""
    with world.app.extensions["examroom"]["database"].transaction(FOUNDER, clock=lambda: NOW) as session:
        school = session.scalars(sa.select(Institution).where(Institution.region.startswith("43"), Institution.kind == "technician")
                                 .order_by(Institution.id)).first()
        assert school
        for role in PERSONAL:
            create_account(session, f"idle_{role.value}", f"未派{role.chinese}", [Scope(role, school.id)], institution=school,
                           password=cast.PASSWORD, must_change=False)
    opened, tried = [], 0
    for role in PERSONAL:
        client = world.browser(f"idle_{role.value}")
        for method in ("GET", "POST"):
            before = counted(world.app, ALL_AUDIT)
            for rule in world.app.url_map.iter_rules():
                arguments = [name for name in rule.arguments if name.endswith("_id")]
                if method not in (rule.methods or ()) or role not in ACCESS[rule.endpoint] or not arguments or rule.endpoint in COLLEAGUES:
                    continue
                for address in world.addresses(rule) if set(rule.arguments) <= set(world.ids) else []:
                    answer = client.open(address, method=method, json={} if method == "POST" and "/sheets/" in address else None)
                    tried += 1
                    if answer.status_code not in {401, 403, 404}:
                        opened.append((role.value, method, address, answer.status_code))
            assert counted(world.app, ALL_AUDIT) == before, role
    assert opened == []
    assert tried > 100

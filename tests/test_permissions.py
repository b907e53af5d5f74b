"""Who can reach what: every address of one school tried as another school's people, as candidates and as nobody."""

from __future__ import annotations

import inspect
import io
import json
import re
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient
from stdnum.cn import ric
from werkzeug.routing import RequestRedirect, Rule
from werkzeug.test import TestResponse

from app import ACCESS, create_app
from examroom.filing.scopes import publish_scope
from examroom.plans import candidates, desk, sittings
from examroom.plans.models import Enrolment, ExamPlan, PlanState, Room
from examroom.plans.predicate import Facts
from qbank.items.models import ItemVersion
from qbank.kernel.access import Role, Scope
from qbank.kernel.accounts import Account, Grant, Institution, create_account
from qbank.kernel.audit import AuditEntry
from qbank.kernel.identity import IdentityCipher
from qbank.kernel.times import local_date
from qbank.papers.models import Paper, Specification
from qbank.standards.models import Subject, WeightTable
from scoring.practical import register
from scoring.practical.models import Rubric
from scoring.practical.rubrics import build_rubric
from seed import cast
from seed.people import students
from seed.stage import FOUNDER
from tests.complete_world import ALL_AUDIT, GLOBAL_ROLES, World, complete_world
from tests.demo_world import NOW, counted, follow, kind
from tests.fuzzed import Form, broken_by, distinct, forms_on
from tests.plan_world import qualify

pytestmark = [pytest.mark.one_database, pytest.mark.timeout(1200)]  # tests/test_demo.py walks the same pages on both; the first one makes the world
GONE = {403, 404}
# Addresses that are not one school's own.
SHARED = {
    "static": "files of the program", "bootstrap.static": "files of the program", "delivery.static": "files of the program",
    "oversight.public_draw": "what the centre has made public", "oversight.public_record": "as above",
    "oversight.staff_file": "tried in test_oversight_staff.py: its address has a name",
    "results.notice": "the public notice is for anyone", "results.object_publicly": "whoever reads the notice may object",
    "items.picture": "named by the hash of its content, which no other school can guess; tried in test_items_pictures.py",
    "delivery.practise": "all candidates of an occupation practise with the same items; strangers have a test there",
    "delivery.practised": "as above",
    "plans.conditions_of": "entry conditions belong to the national standard, as weight tables do", "plans.conditions_workbook": "as above",
    "plans.upload_conditions": "as above", "plans.end_condition": "as above",
    "delivery.media": "named by the hash of its content, for candidates of a sitting that shows it; tried in test_leaks.py",
    "api.plan": "asks for a token: test_api.py tries another city's", "api.candidates": "as above", "api.certificate": "as above",
    "api.elsewhere": "what is no address of the API: 404 or 405 for everybody",
}
SHARED_ROOMS = {"standards": "national standards and weight tables are one catalogue for all schools; packs have tests there"}
NOT_EVEN_OWNED = {  # addresses whose ids of the demo world open for nobody: their doors stand open elsewhere in the tests
    "plans.edit": "no plan of the demo world is a draft", "items.material": "the items that are tried share no material",
    "statistics.plot": "the items that are tried have too few answers for a plot: test_statistics_pages opens it",
    "practical.mark_state": "asks for the device's own mark", "practical.mark_pulse": "as above",
    "practical.signature": "nobody of the demo world signs with a pen: test_marking_tablet opens one",
    "practical.rater_plot": "drawn for a group that is named: test_assessors_agreement opens one",
    "delivery.exam": "a candidate's own sheet", "delivery.state": "a candidate's own sheet",
    "delivery.pulse": "a candidate's own sheet",
    "invigilation.photo": "nobody of the demo world has a photo: test_invigilation opens one",
    "plans.ticket_file": "nobody of the demo world has printed tickets: test_plans_tickets opens one",
    "plans.own_proof_file": "no candidate of the demo world brought a proof himself: test_plans_own opens one",
    "invigilation.enrolment_photo": "as above", "invigilation.incident_file": "no incident has a file: test_invigilation",
    "papers.writing_task": "every family of the demo world could be made: test_papers_pages",
    "review.minutes_pdf": "no review of the demo world is closed: test_review_pages reads its minutes",
    "certificates.seal_picture": "the bytes of the row made here are not on the disk: test_certificate_copies opens one",
    "practical.attachment": "the bytes of the row made here are not on the disk: test_practical_bank opens one",
    "results.evidence": "the bytes of the row made here are not on the disk: test_results_credits opens one",
    "results.misconduct_file": "the case made here has no file: test_results_misconduct opens one",
    "results.misconduct_letter": "the candidate of the case made here was not told: as above",
    "oversight.check": "no inspection of the demo world is running: test_oversight_inspections", "oversight.new_finding": "as above",
}
SECRET_FIELDS = {"key", "keys", "score", "scores", "explanation", "correct", "source", "half_points_earned", "is_correct"}


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory, fresh_database_url: Callable[[], str]) -> Iterator[World]:
    made = next(making := complete_world(tmp_path_factory, fresh_database_url))
    made.walks = {part.login: list(follow(made.browser(part.login))) for part in cast.CAST if part.shown}
    yield made
    next(making, None)



def rules(world: World, method: str) -> list[Rule]:
    """Every address of one school's own things that answers ``method``."""
    return [rule for rule in world.app.url_map.iter_rules()
            if rule.methods and method in rule.methods and rule.arguments and rule.endpoint not in SHARED
            and rule.endpoint.partition(".")[0] not in SHARED_ROOMS]


def callers(world: World, rule: Rule) -> list[tuple[str, FlaskClient]]:
    """The other school's people for whom this kind of door opens, and a candidate."""
    doors = ACCESS[rule.endpoint]
    open_to = [role for role in world.strangers if (role in doors or Role.SIGNED_IN in doors) and role not in GLOBAL_ROLES]
    return [(role.value, world.strangers[role]) for role in open_to] + [("another candidate", world.candidate(1))]


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_no_id_of_one_school_opens_a_door_for_another(world: World, method: str) -> None:
    """Pages refuse without a word about what exists, forms write nothing."""
    opened = []
    own = f"/exam/sheets/{world.own_sheet(world.candidate(1))}"
    for rule in rules(world, method):
        before = counted(world.app, ALL_AUDIT)
        nobody = world.app.test_client()
        if method == "GET" and rule.endpoint not in NOT_EVEN_OWNED and not any(client.get(address).status_code == 200
                for client in world.owners(rule) for address in world.addresses(rule)):
            opened.append((method, "not even its owner reached", rule.rule, 404))
        for address in world.addresses(rule):
            for name, client in callers(world, rule):
                if name == "another candidate" and (address + "/").startswith(own + "/"):
                    continue
                answer = client.open(address, method=method, json={} if "application/json" in accepts(rule) else None)
                if answer.status_code not in (GONE | {401} if proves_itself(world, rule) else GONE):
                    opened.append((method, name, address, answer.status_code))
            answer = nobody.open(address, method=method)
            if not (answer.status_code == 401 or (answer.status_code == 302 and "/accounts/sign-in" in answer.location)
                    or (answer.status_code == 302 and answer.location.startswith("/exam?"))):
                opened.append((method, "nobody", address, answer.status_code))
        if counted(world.app, ALL_AUDIT) != before:
            opened.append((method, "wrote something", rule.rule, 0))
    assert opened == []


def proves_itself(world: World, rule: Rule) -> bool:
    """Whether the door asks for the token of an exam page and for nothing else."""
    return hasattr(world.app.view_functions[rule.endpoint], "proven")


def accepts(rule: Rule) -> str:
    """What the doors of the exam page and the drafts are sent."""
    return "application/json" if rule.rule.endswith(("/events", "/open", "/hand-in", "/draft")) else ""


def test_links_that_people_follow_do_not_open_for_the_other_schools_same_role(world: World) -> None:
    """Also the addresses with filters and the like, exactly as they stand in pages."""
    opened = []
    with world.app.test_request_context():
        adapter = world.app.create_url_adapter(None) or world.app.url_map.bind("localhost")
    for part in cast.CAST:
        for address, answer in world.walks.get(part.login, []):
            endpoint, values = adapter.match(address.split("?")[0], method="GET")
            if not values or endpoint in SHARED or endpoint.partition(".")[0] in SHARED_ROOMS or answer.status_code != 200:
                continue
            for role in set(part.roles) - GLOBAL_ROLES:
                found = world.strangers[role].get(address)
                if found.status_code not in GONE:
                    opened.append((role.value, address, found.status_code))
    assert opened == []


def test_lists_of_the_other_school_name_nothing_of_the_first(world: World) -> None:
    """Pages without ids: the lists, work lists, exports of a school that has nothing yet."""
    with world.app.extensions["examroom"]["database"].open(None, reads_only=True) as session:
        names = set(session.scalars(sa.select(ExamPlan.title))) | set(session.scalars(sa.select(Paper.name)))
        names |= set(session.scalars(sa.select(Specification.name))) | set(session.scalars(sa.select(Rubric.name)))
        names |= set(session.scalars(sa.select(Enrolment.ticket_number))) | set(session.scalars(sa.select(Room.name)))
    leaks = []
    for role, client in world.strangers.items():
        if role in GLOBAL_ROLES:
            continue
        for address, answer in follow(client):
            leaks += [(role.value, address, name) for name in names if name in readable(answer)]
    assert leaks == []


def second_plan(world: World) -> dict[str, Any]:
    """A plan of the second school at level 2, approved, with all that the first school's things could be put into."""
    with world.app.extensions["examroom"]["database"].transaction(FOUNDER, clock=lambda: NOW) as session:
        first = session.scalars(sa.select(ExamPlan).where(ExamPlan.level == 2)).first()
        people = {account.login: account.viewer() for account in session.scalars(
            sa.select(Account).where(Account.login.startswith("other_")))}
        school = session.scalars(sa.select(Institution).where(Institution.region == "440100")).one()
        assert first
        officer = people["other_exam_officer"]
        publish_scope(session, school, first.standard, first.level, people["other_province_officer"], valid_from=local_date(NOW))
        plan = desk.draft_plan(session, school, first.standard, first.level, "外校认定", officer, contact="外校老师",
                               starts_on=local_date(NOW + timedelta(days=60)), now=NOW)
        someone = students(1, seed=4711, first=9000)[0]
        enrolled = candidates.enrol(
            session, plan, officer, name=someone.name, identity_number=someone.identity_number, class_name="一班", student_number="S1",
            entry_condition="1", cipher=IdentityCipher(world.app.extensions["examroom"]["settings"].identity_key), declared=True,
            facts=Facts(certificate_level=3, years=4), now=NOW)
        qualify(session, [enrolled], officer)
        plan.state = PlanState.APPROVED  # as before days and places were kept with a plan: nothing here drifts
        sitting = sittings.add_sitting(session, plan, "外校第一场", officer, starts_at=NOW + timedelta(days=60), minutes=90, now=NOW)
        skills = session.scalars(sa.select(WeightTable).where(
            WeightTable.standard == first.standard, WeightTable.level == 2, WeightTable.subject == Subject.SKILL)).one()
        rubric = build_rubric(session, skills, school.id, "外校评分表", officer)
        assessors = [people["other_practical_assessor"].account_id] + [
            create_account(session, f"other_assessor{n}", f"外校考评员{n}", [Scope(Role.PRACTICAL_ASSESSOR, school.id)],
                           institution=school, password=cast.PASSWORD, must_change=False).id for n in (2, 3)]
        for number, key in enumerate(assessors):
            register.add_assessor(session, school, session.get_one(Account, key), officer, certificate_number=f"KP44{number:06d}",
                                  occupation=first.standard.occupation, levels=(2, 1), senior=True, expires_on=local_date(NOW + timedelta(days=900)))
        return {"plan": plan.id, "sitting": sitting.id, "enrolled": enrolled.id, "rubric": rubric.id, "assessors": assessors}


def test_no_id_inside_a_form_reaches_into_another_school(world: World) -> None:
    """One's own plan, with the papers, rooms, rubrics, people and candidates of somebody else."""
    own = second_plan(world)
    with world.app.extensions["examroom"]["database"].open(None, reads_only=True) as session:
        def first(model: Any, *conditions: Any) -> int:
            return int(session.scalars(sa.select(model.id).where(*conditions).order_by(model.id)).first() or 0)

        def staff(role: Role) -> list[int]:
            return list(session.scalars(sa.select(Grant.account_id).where(Grant.role == role).order_by(Grant.account_id).limit(3)))

        paper = first(Paper, Paper.specification.has(Specification.table.has(WeightTable.level == 2)))
        rubric = first(Rubric, Rubric.table.has(WeightTable.level == 2))
        examiners, supervisor = staff(Role.REVIEW_EXAMINER), staff(Role.QUALITY_SUPERVISOR)[0]
        watchers, assessors = staff(Role.INVIGILATOR), staff(Role.PRACTICAL_ASSESSOR)
        table = session.get_one(Specification, world.ids["specification_id"][0]).table_id
    room, school, strangers_child = (world.ids[name][0] for name in ("room_id", "institution_id", "enrolment_id"))
    group = {"name": "甲", "rubric_id": own["rubric"], "assessor": own["assessors"], "enrolment": own["enrolled"],
             "starts_at": "2027-05-02T09:00"}
    groups = f"/practical/plans/{own['plan']}/groups/new"
    tried: list[tuple[Role, str, dict[str, Any]]] = [
        (Role.EXAM_OFFICER, f"/plans/sittings/{own['sitting']}/paper", {"paper_id": paper}),
        (Role.EXAM_OFFICER, f"/plans/sittings/{own['sitting']}/rooms", {"room_id": room, "invigilator_id": watchers}),
        (Role.EXAM_OFFICER, groups, group | {"rubric_id": rubric}),
        (Role.EXAM_OFFICER, groups, group | {"assessor": assessors}),
        (Role.EXAM_OFFICER, groups, group | {"enrolment": strangers_child}),
        (Role.EXAM_OFFICER, f"/review/plans/{own['plan']}/panel/new", {
            "name": "甲", "member": examiners, "chair": examiners[0], "starts_at": "2027-05-02T09:00"}),
        (Role.CITY_OFFICER, f"/oversight/plans/{own['plan']}", {"supervisor_id": supervisor}),
        (Role.ITEM_AUTHOR, "/items/bulk/do", {"action": "retire", "version": world.ids["version_id"], "reason": "x", "expected": "1"}),
        (Role.ITEM_AUTHOR, "/items/bulk/do?table=1", {"action": "suspend", "all": "1", "reason": "x", "expected": "1"}),
        (Role.EXAM_OFFICER, "/filing/applications/new", {"institution_id": school, "kind": "addition"}),
        (Role.CITY_OFFICER, "/filing/evaluations/new", {"institution_id": school, "starts_on": "2026-06-01", "ends_on": "2027-01-01", "verdict": "qualified"}),
        (Role.PROVINCE_OFFICER, "/filing/removals/new", {"institution_id": school, "ground": "violation", "reason": "x"}),
        (Role.PAPER_COMPOSER, "/papers/specifications/new", {"bank": f"{table}-{school}", "name": "乙", "minutes": 90}),
    ]
    reached = []
    for role, address, form in tried:
        before = counted(world.app, ALL_AUDIT)
        answer = world.strangers[role].post(address, data=form)
        if counted(world.app, ALL_AUDIT) != before or answer.status_code >= 500:
            reached.append((role.value, address, answer.status_code))
    assert reached == []
    assert world.strangers[Role.EXAM_OFFICER].post(groups, data=group).status_code == 302  # with one's own it works


def readable(answer: TestResponse) -> str:
    """The text of an answer; of a workbook or an archive, what is inside."""
    if answer.get_data()[:4] != b"PK\x03\x04":
        plain = (answer.mimetype or "").startswith(("text/", "application/json"))
        return answer.get_data(as_text=True) if plain else ""
    with zipfile.ZipFile(io.BytesIO(answer.get_data())) as box:
        return "\n".join(box.read(name).decode("utf-8", "replace") for name in box.namelist())


def fields_of(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for name, held in value.items():
            yield name
            yield from fields_of(held)
    elif isinstance(value, list):
        for one in value:
            yield from fields_of(one)


def test_a_candidate_at_work_is_told_no_key_no_explanation_and_no_score(world: World) -> None:
    client = world.candidate(2)
    sheet = world.own_sheet(client)
    answers = [answer for start in ("/", "/exam/hall", "/results/mine") for _, answer in follow(client, start)]
    opened = client.post(f"/exam/sheets/{sheet}/open", json={"machine": "tablet"})
    token = {"X-Page-Token": opened.get_json()["token"]}
    state = client.get(f"/exam/sheets/{sheet}/state", headers=token)
    assert len(state.get_json()["questions"]) > 20
    event = {"sequence": 1, "number": 1, "answer": "A", "flagged": False}
    answers += [opened, state, client.get("/exam/hall/state"), client.get(f"/exam/sheets/{sheet}"),
                client.get(f"/exam/sheets/{sheet}/pulse", headers=token),
                client.post(f"/exam/sheets/{sheet}/events", json={"events": [event]}, headers=token),
                client.post(f"/exam/sheets/{sheet}/hand-in", json={}, headers=token),
                client.get(f"/exam/sheets/{sheet}/state", headers=token), client.get("/results/mine")]
    with world.app.extensions["examroom"]["database"].open(None, reads_only=True) as session:
        secrets = {text for text in session.scalars(sa.select(ItemVersion.explanation)) if len(text) > 5}
        stems = set(session.scalars(sa.select(ItemVersion.stem)))
    assert any(stem in json.dumps(state.get_json(), ensure_ascii=False) for stem in stems)  # items are there to be read
    for answer in answers:
        assert answer.status_code < 400, answer.request.path
        text = json.dumps(answer.get_json(), ensure_ascii=False) if answer.is_json else answer.get_data().decode(errors="replace")
        assert [secret for secret in secrets if secret in text] == [], answer.request.path
        if answer.is_json:
            assert SECRET_FIELDS.isdisjoint(fields_of(answer.get_json())), answer.request.path


def test_every_form_without_its_token_is_refused(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    people = {role: world.browser(part.login) for part in cast.CAST if part.shown for role in part.roles}
    people[Role.CANDIDATE] = world.candidate()
    monkeypatch.setitem(world.app.config, "WTF_CSRF_ENABLED", True)
    taken, before = [], counted(world.app, ALL_AUDIT)
    for rule in world.app.url_map.iter_rules():
        if not rule.methods or "POST" not in rule.methods or rule.endpoint == "api.elsewhere":  # 405 for everybody
            continue
        doors = ACCESS[rule.endpoint]
        client = (world.app.test_client() if Role.ANYONE in doors else
                  next(person for role, person in people.items() if role in doors or Role.SIGNED_IN in doors))
        address = re.sub(r"<int:\w+>", "1", rule.rule).replace("<subject>", "theory").replace("<kind>", "theory")
        for answer in (client.post(address), client.post(address, json={})):
            if answer.status_code != (401 if proves_itself(world, rule) else 400):
                taken.append((address, answer.status_code))
    assert taken == []
    assert counted(world.app, ALL_AUDIT) == before


def test_the_session_cookie_is_out_of_reach_of_scripts_other_sites_and_plain_http(world: World) -> None:
    settings = world.app.extensions["examroom"]["settings"]
    secure = create_app(replace(settings, secure_cookies=True), clock=lambda: NOW + timedelta(minutes=1))
    secure.config["WTF_CSRF_ENABLED"] = False
    for app, marks in ((world.app, {"HttpOnly", "SameSite=Lax"}), (secure, {"HttpOnly", "SameSite=Lax", "Secure"})):
        answer = app.test_client().post("/accounts/sign-in", data={"login": "officer", "password": cast.PASSWORD})
        cookies = answer.headers.getlist("Set-Cookie")
        assert len(cookies) == 1
        assert marks <= set(cookies[0].split("; "))
        assert "Domain=" not in cookies[0]
    secure.extensions["examroom"]["database"].engine.dispose()


@pytest.mark.parametrize("address", ["//evil.example", "/\\evil.example", "/\t/evil.example", "/\n/evil.example", "https://evil.example",
                                     "/\r\nSet-Cookie: a=b", "javascript:alert(1)", " //evil.example", ""])
def test_after_signing_in_nobody_is_sent_to_another_site(world: World, address: str) -> None:
    form = {"login": "officer", "password": cast.PASSWORD, "next": address}
    assert world.app.test_client().post("/accounts/sign-in", data=form).location == "/"
    form["next"] = "/plans/?q=%E7%94%B5%E5%B7%A5&page=2"
    assert world.app.test_client().post("/accounts/sign-in", data=form).location == form["next"]


def test_every_answer_carries_the_strict_headers(world: World) -> None:
    nobody = world.app.test_client()
    answers = [(address, answer) for walk in world.walks.values() for address, answer in walk]
    answers += [(address, nobody.get(address)) for address in (
        "/", "/exam", "/accounts/sign-in", "/no-such-page", "/certificates/query", "/filing/directory", "/plans/1")]
    answers += [("/exam/hall", world.candidate().get("/exam/hall")), ("refused", world.strangers[Role.INVIGILATOR].get("/plans/"))]
    for address, answer in answers:
        policy = answer.headers.get("Content-Security-Policy", "")
        assert "default-src 'none'" in policy, address
        assert "unsafe" not in policy, address
        assert answer.headers.get("X-Content-Type-Options") == "nosniff", address
        assert answer.headers.get("X-Frame-Options") == "DENY", address
        assert answer.headers.get("Cache-Control") == "no-store", address
        if answer.mimetype == "text/html":
            page = answer.get_data(as_text=True)
            assert not re.search(r"<script(?![^>]*\bsrc=)", page), address
            assert not re.search(r"<[a-z][^>]*\s(style|on[a-z]+)=", page), address


def test_no_identity_number_stands_in_any_page_list_export_or_log(world: World) -> None:
    """Masked everywhere; in full only on the certificate and in the report to the office, each taken by a form and noted."""
    assert len(world.numbers) > 60
    found = []
    for login, walk in world.walks.items():
        for address, answer in walk:
            text = readable(answer)
            found += [(login, address) for number in re.findall(r"(?<![0-9A-Za-z])\d{17}[\dXx](?![0-9A-Za-z])", text)
                      if ric.is_valid(number)]
            found += [(login, address) for number in world.numbers if number in text]
    assert found == []
    ticket = world.app.extensions["visitors"].splitlines()[-1].split()[0]
    world.app.test_client().post("/exam", data={"ticket": ticket, "identity_number": world.numbers[0]})
    heard = "\n".join(world.logged)
    assert heard  # the handler is listening: refused doors are logged
    assert [number for number in world.numbers if number in heard] == []
    with world.app.extensions["examroom"]["database"].open(None, reads_only=True) as session:
        trail = "\n".join(session.scalars(sa.select(AuditEntry.changes)))
    assert [number for number in world.numbers if number in trail] == []


WORST = ("乙" + "y" * 10_000, "9" * 30, "\x00")  # tests/qbank/test_kernel_forms.py tries the readers with everything else
OWN_ACCOUNT = {"accounts.sign_out", "accounts.password", "accounts.reset", "accounts.withdraw", "delivery.leave"}


IN_ADDRESS = re.compile(r"""args(?:\.get(?:list)?\(|\[|, )["'](\w+)["']""")
IN_FORM = re.compile(r"""(?:form|values|fields)(?:\.get(?:list)?\(|\[)["'](\w+)["']""")


@cache
def names_in(room: str, names: re.Pattern[str]) -> list[str]:
    """Every name that a room reads from its requests."""
    files = (file for package in ("qbank", "examroom", "scoring") for file in (Path(__file__).parents[1] / package / room).rglob("*.py"))
    return sorted({name for file in files for name in names.findall(file.read_text("utf-8"))})


def test_no_value_in_an_address_breaks_a_page(world: World) -> None:
    broken, tried = [], set()
    adapter = world.app.url_map.bind("localhost")
    for login, walk in world.walks.items():
        client = world.browser(login)
        for address, answer in walk:
            if kind(address) in tried or answer.status_code != 200:
                continue
            tried.add(kind(address))
            path = address.split("?")[0]
            endpoint = adapter.match(path, method="GET")[0]
            doors = Path(inspect.getfile(inspect.unwrap(world.app.view_functions[endpoint]))).read_text("utf-8")
            values = WORST if answer.mimetype == "text/html" else WORST[1:2]  # files take long to make
            asked = [dict.fromkeys(["page", "q", "sort", "next", *names_in(endpoint.partition(".")[0], IN_ADDRESS)], value) for value in values]
            asked += [{name: WORST[1]} for name in sorted(set(IN_ADDRESS.findall(doors)))]  # alone: a bad neighbour may be refused first
            broken += [(path, str(query)[:60], status) for query in asked
                       if (status := client.get(path, query_string=query).status_code) >= 500]
    assert len(tried) > 60
    assert broken == []


SLOW = {"papers.order_print", "papers.lock", "papers.assemble"}  # typesets or solves: their readers have tests of their own


def test_no_form_of_any_page_breaks_when_it_is_filled_with_garbage(world: World) -> None:
    """Most fields keep what the page offers, so that the garbled ones reach the rules; what is well-formed by accident is taken back."""
    adapter = world.app.url_map.bind("localhost")

    def tried(form: Form) -> bool:
        try:
            endpoint = adapter.match(form.address.split("?")[0], method=form.method.upper())[0]
        except RequestRedirect:
            return False
        view = world.app.view_functions[endpoint]  # a bare door writes through the combined writer: what it writes would stay
        return endpoint not in OWN_ACCOUNT | SLOW | {"accounts.sign_in"} and not hasattr(view, "bare")

    shown = (form for login, walk in world.walks.items() for address, answer in walk
             if answer.status_code == 200 and answer.mimetype == "text/html"
             for form in forms_on(login, address, answer.get_data(as_text=True)))
    forms = [form for form in distinct(shown) if tried(form)]
    assert len(forms) > 200
    assert broken_by(world.app, {login: world.browser(login) for login in world.walks}, forms, 4) == []


def test_no_value_in_a_form_breaks_a_door(world: World) -> None:
    """The last test of this module: what is well-formed by accident is carried out."""
    people = {role: world.browser(part.login) for part in cast.CAST if part.shown for role in part.roles}
    people[Role.CANDIDATE] = world.candidate()
    people[Role.ADMINISTRATOR] = world.strangers[Role.ADMINISTRATOR]
    broken = []
    for rule in world.app.url_map.iter_rules():
        if not rule.methods or "POST" not in rule.methods or rule.endpoint in OWN_ACCOUNT:
            continue
        doors = ACCESS[rule.endpoint]
        client = (world.app.test_client() if Role.ANYONE in doors else
                  next(person for role, person in people.items() if role in doors or Role.SIGNED_IN in doors))
        room = rule.endpoint.partition(".")[0]
        names = names_in("kernel" if room == "accounts" else room, IN_FORM)
        ids = {name: (world.ids.get(f"{room}.{name}") or world.ids.get(name, [1]))[-1] for name in rule.arguments}
        address = re.sub(r"<int:(\w+)>", lambda found, ids=ids: str(ids[found[1]]), rule.rule)  # type: ignore[misc]
        for value in WORST[:2]:  # the sweep above fills forms field by field
            body = dict.fromkeys(("events", "marks", "machine"), value)
            sent = ([client.post(address, json=body), client.post(address, json=[value])] if accepts(rule)
                    else [client.post(address, data=dict.fromkeys(names, value))])
            broken += [(address, value[:20], answer.status_code) for answer in sent if answer.status_code >= 500]
    assert broken == []

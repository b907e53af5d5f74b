"""The JSON API: a platform sees what its token's region reaches, page by page, and never a person's identity number."""

from __future__ import annotations

import logging
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from openapi_spec_validator import validate
from sqlalchemy.orm import Session

from examroom.plans.models import PlanState
from qbank.kernel.audit import AuditEntry
from qbank.kernel.refused import Refused
from scoring.api import limits, openapi, tokens
from scoring.api.asking import place
from scoring.api.limits import Buckets, Rate
from scoring.api.models import ApiToken, TokenUse
from scoring.api.operations import OPERATIONS, held
from scoring.api.todo import todo
from scoring.certificates.models import Certificate
from scoring.results.models import ResultState
from tests.conftest import People, TestClock
from tests.scoring.api_world import EVERYTHING, ApiWorld, get
from tests.scoring.final_world import identity_number
from tests.scoring.outcome_world import NOW

LISTS = ("/plans", "/results", "/certificates", "/results/JH-2026-001/candidates")


@pytest.fixture
def world(session: Session, people: People) -> ApiWorld:
    return ApiWorld.make(session, people)


def items(app: Flask, path: str, secret: str) -> list[dict[str, Any]]:
    answer = get(app, path, secret)
    assert answer.status_code == 200, answer.get_data(as_text=True)
    found: list[dict[str, Any]] = answer.get_json()["items"]
    return found


def test_the_platform_of_changsha_reads_the_plans_results_and_certificates_of_its_schools(app: Flask, world: ApiWorld) -> None:
    secret = world.token()
    plan, = items(app, "/plans", secret)
    assert (plan["number"], plan["institution"]["region"], plan["occupation"]["code"], plan["enrolled"]) == (
        "JH-2026-001", "430100", "6-31-01-03", 3)
    result, = items(app, "/results", secret)
    assert (result["candidates"], result["passed"], result["state"]) == (3, 2, "final")
    assert [one["number"][-6:] for one in items(app, "/certificates", secret)] == ["000001", "000002"]
    people = items(app, "/results/JH-2026-001/candidates", secret)
    assert [(one["name"], one["theory"], one["practical"], one["passed"]) for one in people] == [
        ("张晓明", 80.0, 85.0, True), ("李芳", 80.0, 85.0, True), ("王强", 59.5, 70.0, False)]


def test_a_token_of_another_city_sees_nothing_of_it(app: Flask, world: ApiWorld) -> None:
    """Lists hold only its own; what is asked by number does not exist."""
    secret = world.token(world.zeng, region="4304")
    assert [one["number"] for one in items(app, "/plans", secret)] == ["HY-2026-001"]
    assert [one["plan_number"] for one in items(app, "/results", secret)] == ["HY-2026-001"]
    assert [one["holder"] for one in items(app, "/certificates", secret)] == ["贺兰"]
    for path in ("/plans/JH-2026-001", "/results/JH-2026-001/candidates", "/certificates/J000043000001264000001"):
        answer = get(app, path, secret)
        assert (answer.status_code, answer.get_json()["code"]) == (404, "not_found"), path
        assert get(app, path, world.token()).status_code == 200, path
    assert items(app, "/plans?region=4301", secret) == []  # a filter never widens


def test_a_token_of_one_school_reads_that_school_alone(app: Flask, world: ApiWorld) -> None:
    secret = world.token(institution_id=world.final.school.id, region="")
    assert [one["number"] for one in items(app, "/plans", secret)] == ["JH-2026-001"]
    assert get(app, "/plans/HY-2026-001", secret).status_code == 404
    assert get(app, "/token", secret).get_json()["institution"] == world.final.school.name


def test_names_are_only_for_tokens_that_were_given_them_and_identity_numbers_for_none(app: Flask, world: ApiWorld) -> None:
    blind, full = world.token(reads=["plans", "results", "certificates"]), world.token()
    assert {one["holder"] for one in items(app, "/certificates", blind)} == {None}
    refused = get(app, "/results/JH-2026-001/candidates", blind)
    assert (refused.status_code, refused.get_json()["code"]) == (403, "forbidden")
    assert 'scope="candidates"' in refused.headers["WWW-Authenticate"]
    for path in LISTS:
        text = get(app, path, full).get_data(as_text=True)
        assert not any(identity_number(place) in text for place in range(60)), path
    assert items(app, "/certificates", full)[0]["identity_masked"].count("*") >= 8


def test_drafts_and_results_before_their_notice_are_not_answered(app: Flask, world: ApiWorld) -> None:
    world.final.results.state, world.final.results.noticed_at, world.final.results.notice_ends_at = ResultState.DRAFT, None, None
    secret = world.token()
    assert items(app, "/results", secret) == []
    assert get(app, "/results/JH-2026-001/candidates", secret).status_code == 404
    world.final.plan.state = PlanState.DRAFT
    world.session.commit()
    assert items(app, "/plans", secret) == []
    assert get(app, "/plans/JH-2026-001", secret).status_code == 404


def test_the_directory_needs_no_token_and_says_what_its_page_says(app: Flask, world: ApiWorld, clock: TestClock) -> None:
    world.session.commit()
    assert {one["institution"]["name"] for one in items(app, "/directory", "")} == {world.final.school.name, "衡阳技工学校"}
    assert [one["institution"]["name"] for one in items(app, "/directory?region=4304", "")] == ["衡阳技工学校"]
    assert "衡阳技工学校" in app.test_client().get("/filing/directory").get_data(as_text=True)
    clock.forward(days=365)
    assert items(app, "/directory", "") == []
    assert "衡阳技工学校" not in app.test_client().get("/filing/directory").get_data(as_text=True)


def test_pages_follow_each_other_until_there_are_no_more(app: Flask, world: ApiWorld) -> None:
    secret = world.token()
    first = get(app, "/certificates?limit=1", secret).get_json()
    second = get(app, first["next"].removeprefix("/api/v1"), secret).get_json()
    assert [page["items"][0]["number"][-1] for page in (first, second)] == ["1", "2"]
    assert second["next"] is None
    behind_the_end = get(app, f"/certificates?after={place(10**9 - 1)}", secret).get_json()
    assert behind_the_end == {"items": [], "next": None}


def test_what_has_changed_since_a_moment_is_asked_for_with_the_newest_changed_at(app: Flask, world: ApiWorld, clock: TestClock) -> None:
    secret = world.token()
    seen = max(one["changed_at"] for one in items(app, "/certificates", secret))
    clock.forward(hours=1)
    certificate = world.session.scalars(sa.select(Certificate).order_by(Certificate.id)).first()
    assert certificate
    certificate.revoked_at, certificate.revoked_why = clock(), "考生作弊"
    world.session.commit()
    after = clock().isoformat().replace("+", "%2B")
    changed, = items(app, f"/certificates?changed_since={after}", secret)
    assert (changed["number"][-1], changed["state"], changed["revoked_why"]) == ("1", "revoked", "考生作弊")
    assert changed["changed_at"] > seen
    assert [one["number"][-1] for one in items(app, "/certificates?revoked=false", secret)] == ["2"]


def test_who_has_the_answer_already_gets_304(app: Flask, world: ApiWorld) -> None:
    secret = world.token()
    tag = get(app, "/plans", secret).headers["ETag"]
    again = get(app, "/plans", secret, If_None_Match=tag)
    assert (again.status_code, again.get_data()) == (304, b"")
    world.final.plan.title = "电工认定（改）"
    world.session.commit()
    assert get(app, "/plans", secret, If_None_Match=tag).status_code == 200


@pytest.mark.parametrize(("path", "parameter"), [
    ("/plans?level=6", "level"), ("/plans?nonsense=1", "nonsense"), ("/plans?limit=0", "limit"), ("/plans?limit=1&limit=2", "limit"),
    ("/plans?changed_since=2026-06-01", "changed_since"), ("/plans?changed_since=2026-06-01T09:00:00", "changed_since"),
    ("/certificates?after=%00", "after"), ("/certificates?after=abcd", "after"), ("/plans?starts_from=2026-02-30", "starts_from"),
    ("/plans?starts_from=0", "starts_from"), ("/plans?changed_since=1780272000", "changed_since"),
    ("/certificates?revoked=perhaps", "revoked"), ("/directory?region=43%2501", "region"), ("/plans?state=%27%20OR%201", "state")])
def test_a_parameter_that_cannot_be_used_is_named(app: Flask, world: ApiWorld, path: str, parameter: str) -> None:
    answer = get(app, path, world.token())
    assert (answer.status_code, answer.mimetype) == (400, "application/problem+json")
    assert [one["parameter"] for one in answer.get_json()["errors"]] == [parameter]


def test_no_token_a_wrong_one_and_one_in_the_address_are_refused(app: Flask, world: ApiWorld) -> None:
    secret = world.token()
    for path in [*LISTS, "/token"]:
        for wrong in ("", "kpt_" + "x" * 43, secret[:-1], "kpt_é"):
            answer = get(app, path, wrong)
            held(app).buckets = Buckets()  # their limit has a test of its own
            assert (answer.status_code, answer.mimetype) == (401, "application/problem+json")
            assert answer.headers["WWW-Authenticate"].startswith("Bearer")
    assert get(app, f"/plans?access_token={secret}").status_code == 401
    assert get(app, "/plans", Authorization=f"Basic {secret}").status_code == 401


def test_a_revoked_token_is_refused_from_the_next_request_on(app: Flask, world: ApiWorld, clock: TestClock) -> None:
    secret = world.token()
    assert get(app, "/token", secret).status_code == 200
    tokens.revoke(world.session, world.held(), "平台停用", world.tan, now=clock())
    world.session.commit()
    assert get(app, "/token", secret).status_code == 401


def test_a_token_ends_on_its_day_and_says_so_before(app: Flask, world: ApiWorld, clock: TestClock) -> None:
    secret = world.token(days=30)
    assert todo(world.session, world.tan, now=clock()) == []
    world.session.commit()
    clock.forward(days=29)
    alarm, = todo(world.session, world.tan, now=clock())
    assert (alarm.alarm, alarm.clause, alarm.due) == (True, "四（二）", world.held().expires_at)
    assert todo(world.session, world.zeng, now=clock()) == []
    world.session.commit()
    assert get(app, "/token", secret).status_code == 200
    clock.forward(days=1)
    assert get(app, "/token", secret).status_code == 401


def test_only_the_hash_of_a_token_is_kept_and_no_log_or_trail_names_it(
        app: Flask, world: ApiWorld, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        secret = world.token()
        get(app, "/plans", secret)
    kept = world.held()
    assert len(secret) >= 4 + 43  # 256 bits
    assert secret not in {str(getattr(kept, column.key)) for column in sa.inspect(ApiToken).column_attrs}
    assert secret not in caplog.text
    assert not any(secret in text or kept.secret_hash in text for text in world.session.scalars(sa.select(AuditEntry.changes)))


def test_an_officer_issues_no_token_that_reaches_further_than_he_does(world: ApiWorld) -> None:
    for bound in ({"region": "43"}, {"region": "4304"}, {"region": "", "institution_id": world.other.plan.institution_id}):
        with pytest.raises(Refused) as refusal:
            tokens.issue(world.session, "平台", EVERYTHING, world.tan, days=30, now=NOW, **bound)
        assert refusal.value.code == "beyond_reach"
    for bad, code in (({"region": "", "days": 30}, "bound"), ({"region": "4301", "days": 31}, "days"), ({"region": "43x", "days": 30}, "region")):
        with pytest.raises(Refused) as refusal:
            tokens.issue(world.session, "平台", EVERYTHING, world.tan, now=NOW, **bad)  # type: ignore[arg-type]  # the names fit
        assert refusal.value.code == code


def test_use_is_written_after_the_answer_in_stretches_and_begins_in_the_trail(app: Flask, world: ApiWorld, clock: TestClock) -> None:
    secret = world.token()
    begun = sa.select(sa.func.count()).where(AuditEntry.action == "use")
    for _ in range(3):
        get(app, "/plans", secret)
    world.session.rollback()
    assert world.session.scalars(sa.select(TokenUse.requests)).all() == [1]  # two more are counted in memory
    assert world.session.scalar(begun) == 1
    world.session.rollback()
    clock.forward(minutes=6)
    get(app, "/results", secret)
    clock.forward(hours=2)
    get(app, "/results", secret)
    world.session.rollback()
    assert world.session.scalars(sa.select(TokenUse.requests).order_by(TokenUse.id)).all() == [4, 1]
    assert world.session.scalar(begun) == 2


def test_no_request_writes_in_its_own_transaction(app: Flask, world: ApiWorld) -> None:
    """What a GET opened cannot write: the session is one that only reads."""
    secret, seen = world.token(), []
    real = tokens.identify

    def watched(session: Session, given: str, **more: Any) -> Any:
        seen.append(session.get_bind().get_execution_options().get("examroom_reads_only"))
        return real(session, given, **more)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tokens, "identify", watched)
        get(app, "/plans", secret)
    assert seen == [True]


def test_a_platform_that_asks_too_often_is_told_when_to_come_back(app: Flask, world: ApiWorld, clock: TestClock) -> None:
    secret = world.token()
    found = [get(app, "/token", secret).status_code for _ in range(limits.TOKEN.burst + 1)]
    assert found == [200] * limits.TOKEN.burst + [429]
    answer = get(app, "/token", secret)
    assert answer.headers["Retry-After"] == "1"  # 120 a minute: one every half second, in whole seconds
    assert get(app, "/token", world.token()).status_code == 200  # another token is not held up
    clock.forward(seconds=1)
    assert get(app, "/token", secret).status_code == 200


def test_whoever_tries_tokens_is_slowed_down_and_others_behind_the_same_address_are_not(app: Flask, world: ApiWorld) -> None:
    secret = world.token()
    found = [get(app, "/plans", "kpt_wrong").status_code for _ in range(limits.WRONG_TOKENS.burst + 1)]
    assert found[-1] == 429
    assert get(app, "/plans", secret).status_code == 200


def test_a_bucket_fills_up_again_and_forgets_who_is_gone() -> None:
    """60 a minute, 2 at once: two turns, then one a second."""
    buckets, rate = Buckets(), Rate(per_minute=60, burst=2)
    assert [buckets.take("a", rate, 100.0) for _ in range(3)] == [0, 0, 1]
    assert buckets.take("a", rate, 101.0) == 0
    assert buckets.take("a", rate, 50.0) > 0  # a clock that goes back gives nothing away
    for number in range(limits.MOST_KEYS + 1):
        buckets.take(f"b{number}", rate, 500.0)
    assert len(buckets._left) <= limits.MOST_KEYS


def test_other_ways_to_ask_are_answered_in_the_same_form_and_write_nothing(app: Flask, world: ApiWorld) -> None:
    secret = world.token()
    before = world.session.scalar(sa.select(sa.func.count()).select_from(AuditEntry))
    world.session.rollback()
    headers = {"Authorization": f"Bearer {secret}"}
    for method in ("POST", "PUT", "PATCH", "DELETE", "TRACE", "QUERY"):
        answer = app.test_client().open("/api/v1/plans", method=method, headers=headers)
        assert (answer.status_code, answer.mimetype, answer.headers["Allow"]) == (405, "application/problem+json", "GET, HEAD, OPTIONS")
    assert get(app, "/nowhere", secret).get_json()["code"] == "not_found"
    assert world.session.scalar(sa.select(sa.func.count()).select_from(AuditEntry)) == before


def test_pages_of_other_sites_cannot_read_it(app: Flask, world: ApiWorld) -> None:
    answer = get(app, "/directory", "", Origin="https://elsewhere.example")
    assert not [name for name, _ in answer.headers if name.lower().startswith("access-control")]
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    assert "Set-Cookie" not in answer.headers


def test_the_document_is_sound_and_names_every_address_of_the_api(app: Flask) -> None:
    document = app.test_client().get("/api/v1/openapi.json").get_json()
    validate(document)
    routes = {rule.rule for rule in app.url_map.iter_rules() if rule.rule.startswith("/api/v1/")} - {"/api/v1/openapi.json", "/api/v1/<path:rest>"}
    assert {f"/api/v1{path}".replace("{", "<").replace("}", ">") for path in document["paths"]} == routes
    for path, entry in document["paths"].items():
        assert entry["get"]["description"], path
        assert all(parameter["description"] for parameter in entry["get"]["parameters"]), path
    assert all(one.is_public or document["paths"][one.path]["get"]["security"] for one in OPERATIONS)


def test_the_page_that_explains_it_names_every_operation_parameter_and_field(app: Flask) -> None:
    page = app.test_client().get("/api/docs").get_data(as_text=True)
    for one in OPERATIONS:
        assert f"GET /api/v1{one.path}" in page
        assert all(f"<code>{parameter['name']}</code>" in page for parameter in openapi.parameters(one))
        assert all(f"<code>{name}</code>" in page for name, _, _ in openapi.properties_of(one.answer.__name__))
    assert "http://" not in page.split("<main")[1]  # nothing is loaded from elsewhere


def test_the_wrong_method_is_told_which_ones_there_are(app: Flask) -> None:
    """Also on pages (RFC 9110: a 405 names the methods)."""
    assert app.test_client().options("/api/v1/plans").headers["Allow"] == "GET, HEAD, OPTIONS"
    assert "GET" in app.test_client().post("/filing/directory").headers["Allow"]

"""The pages of the API: who keeps tokens, that one is shown once, and that another city does not know of it."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from click.testing import CliRunner
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from qbank.kernel.access import Role, Scope, Viewer
from qbank.kernel.commands import Installation
from qbank.kernel.settings import Settings
from scoring.api.commands import group
from tests.conftest import People, TestClock
from tests.scoring.api_world import ApiWorld, get

Enter = Callable[[Viewer], FlaskClient]
FORM = {"name": "长沙市监管平台", "region": "4301", "institution_id": "", "reads": ["plans", "results"], "days": "90"}


@pytest.fixture
def world(session: Session, people: People) -> ApiWorld:
    made = ApiWorld.make(session, people)
    session.commit()
    return made


def text(client: FlaskClient, address: str, status: int = 200) -> str:
    answer = client.get(address)
    assert answer.status_code == status, address
    return answer.get_data(as_text=True)


def test_a_city_officer_issues_a_token_sees_it_once_and_revokes_it(app: Flask, world: ApiWorld, enter: Enter) -> None:
    client = enter(world.tan)
    shown = client.post("/api/tokens", data=FORM).get_data(as_text=True)
    secret, = set(re.findall(r"kpt_[\w-]{43}", shown))
    assert get(app, "/token", secret).get_json()["reads"] == ["plans", "results"]
    token_id = world.held().id
    world.session.rollback()  # SQLite has one writer
    for address in ("/api/tokens", f"/api/tokens/{token_id}"):
        assert secret not in text(client, address)
        assert secret[:10] in text(client, address)
    assert "127.0.0.1" in text(client, f"/api/tokens/{token_id}")  # where it was used from
    assert "请填写吊销原因" in client.post(f"/api/tokens/{token_id}/revoke", data={"reason": " "}).get_data(as_text=True)
    assert client.post(f"/api/tokens/{token_id}/revoke", data={"reason": "平台停用"}).status_code == 302
    assert get(app, "/token", secret).status_code == 401
    assert "已吊销" in text(client, "/api/tokens")


def test_another_city_does_not_know_of_it_and_the_province_does(world: ApiWorld, enter: Enter, people: People) -> None:
    world.token()
    token = world.held()
    yao = people("姚静", scopes=[Scope(Role.PROVINCE_OFFICER, region="43")])
    admin = people("何敏", scopes=[Scope(Role.ADMINISTRATOR)])
    world.session.commit()
    zeng = enter(world.zeng)
    assert "市监管平台" not in text(zeng, "/api/tokens")
    text(zeng, f"/api/tokens/{token.id}", 404)
    assert zeng.post(f"/api/tokens/{token.id}/revoke", data={"reason": "x"}).status_code == 404
    for who in (yao, admin):
        assert "市监管平台" in text(enter(who), "/api/tokens")
    assert "不能超出您自己的管辖范围" in zeng.post("/api/tokens", data=FORM).get_data(as_text=True)


def test_schools_keep_no_tokens(world: ApiWorld, enter: Enter) -> None:
    client = enter(world.final.officer)
    text(client, "/api/tokens", 403)
    assert client.post("/api/tokens", data=FORM).status_code == 403


@pytest.mark.parametrize(("field", "value", "sentence"), [
    ("name", " ", "请填写接入平台的名称"), ("reads", [], "请至少选择一项"), ("days", "1", "请选择令牌的有效期"), ("region", "", "两者必须且只能有一项"),
    ("region", "43011", "地区前缀应为")])
def test_what_is_wrong_in_the_form_is_said_and_what_was_typed_stays(world: ApiWorld, enter: Enter, field: str, value: object, sentence: str) -> None:
    shown = enter(world.tan).post("/api/tokens", data=FORM | {field: value}).get_data(as_text=True)
    assert sentence in shown
    assert field == "name" or 'value="长沙市监管平台"' in shown
    assert "kpt_" not in shown


def test_the_last_use_stands_in_the_list(app: Flask, world: ApiWorld, enter: Enter, clock: TestClock) -> None:
    secret = world.token()
    client = enter(world.tan)
    assert "没有用过" in text(client, "/api/tokens")
    clock.forward(minutes=1)
    get(app, "/plans", secret)
    assert "2026年6月1日 09:01" in text(client, "/api/tokens")


def test_the_console_issues_tokens_too_and_prints_the_document(app: Flask, world: ApiWorld, settings: Settings) -> None:
    installation = Installation(None)
    installation.__dict__["settings"] = settings
    made = CliRunner().invoke(group, ["issue", "市监管平台", "4301", "--reads", "plans", "--as", world.tan.login], obj=installation)
    assert made.exit_code == 0, made.output
    refused = CliRunner().invoke(group, ["issue", "省平台", "43", "--reads", "plans", "--as", world.tan.login], obj=installation)
    assert refused.exit_code == 1
    assert "管辖范围" in refused.output
    assert '"openapi": "3.1.0"' in CliRunner().invoke(group, ["document"], obj=installation).output

"""What candidates and early shifts must not learn: items before the room is open, keys ever, answers before the last sitting."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from examroom.delivery import sheets
from examroom.delivery.models import HandIn
from examroom.delivery.sheets import Event
from examroom.marking.desk import close_due
from examroom.plans.models import ExamPlan, PlanState, Sitting, SittingState
from qbank.kernel.access import Role, Scope
from qbank.kernel.accounts import Account, give
from qbank.kernel.identity import IdentityCipher
from qbank.kernel.refused import Refused
from qbank.kernel.settings import Settings
from qbank.papers import embargo
from qbank.papers.models import PaperFamily
from qbank.statistics.models import FormStatistic, StatisticRun
from scoring.results import desk as results
from tests.conftest import People, TestClock
from tests.sitting_world import SittingWorld

FORBIDDEN = {"key", "keys", "explanation", "correct", "score", "half_points", "earned", "guide", "paper", "form", "fingerprint", "seed"}


@pytest.fixture
def world(session: Session, people: People, settings: Settings, clock: TestClock) -> SittingWorld:
    return SittingWorld(session, people, IdentityCipher(settings.identity_key)).make(clock())


def fields(value: Any) -> set[str]:
    """All field names in a JSON value."""
    if isinstance(value, dict):
        return set(value) | {name for item in value.values() for name in fields(item)}
    if isinstance(value, list):
        return {name for item in value for name in fields(item)}
    return set()


def everything(client: FlaskClient, app: Flask, sheet_id: int, token: str) -> dict[str, str]:
    """What a candidate gets from every door that is open to candidates, asked for with all a candidate has."""
    answers: dict[str, str] = {}
    for rule in app.url_map.iter_rules():
        if not rule.rule.startswith("/exam") or rule.endpoint in {"delivery.leave", "delivery.static"}:
            continue
        path = rule.rule
        for argument in rule.arguments:
            value = str(sheet_id) if argument == "sheet_id" else "0" * 64 if "sha" in argument else "1"
            for kind in ("int:", "string:", "path:", "any", ""):
                path = path.replace(f"<{kind}{argument}>", value)
        if "<" in path:
            continue
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
            if rule.endpoint == "delivery.hand_in" or (rule.endpoint == "delivery.open_page" and token):
                continue  # the one would end the exam, the other this page
            answer = client.open(path, method=method, json={"machine": "m", "events": []} if method == "POST" else None,
                                 headers={"X-Page-Token": token, "Accept": "application/json"})
            answers[f"{method} {rule.endpoint}"] = answer.get_data(as_text=True)
    return answers


def test_no_item_text_and_no_picture_leaves_before_the_room_is_open(session: Session, world: SittingWorld, app: Flask,
                                                                   clock: TestClock) -> None:
    world.deal()
    start = world.sitting.starts_at
    sheet_id = world.sheet_id("陈晓")
    client = world.enter(app, "陈晓")
    for moment in (start - timedelta(minutes=5), start, start + timedelta(minutes=20)):  # the time alone opens nothing
        clock.moment = moment
        got = everything(client, app, sheet_id, "")
        assert {"GET delivery.exam", "POST delivery.open_page", "GET delivery.state", "GET delivery.media", "GET delivery.hall_state"} <= set(got)
        for door, text in got.items():
            assert "下列说法" not in text, door
            assert "选项A的内容" not in text, door


def test_no_key_no_score_and_no_form_reaches_a_candidate_at_any_time(session: Session, world: SittingWorld, app: Flask,
                                                                    clock: TestClock) -> None:
    world.running()
    sheet_id = world.sheet_id("陈晓")
    clock.moment = world.begin
    client = world.enter(app, "陈晓")
    token = json.loads(client.post(f"/exam/sheets/{sheet_id}/open", json={"machine": "m"}).data)["token"]
    shown = everything(client, app, sheet_id, token)
    assert "下列说法" in shown["GET delivery.state"]  # the test looks where something is
    clock.forward(minutes=31)
    done = client.post(f"/exam/sheets/{sheet_id}/hand-in", json={}, headers={"X-Page-Token": token})
    assert json.loads(done.data)["state"] == "handed_in"
    shown |= {f"{door} afterwards": text for door, text in everything(client, app, sheet_id, token).items()}
    for door, text in shown.items():
        assert "保密内容" not in text, door  # the explanation of every item
        if text.startswith("{"):
            assert not fields(json.loads(text)) & FORBIDDEN, door


@pytest.fixture
def shifts(session: Session, world: SittingWorld) -> tuple[Sitting, Sitting]:
    """A morning that is marked, and an afternoon in which another class waits with another form of the same family."""
    world.running()
    for enrolment in world.enrolments:
        sheet = world.start(enrolment.candidate.name)
        sheets.save(session, sheet, [Event(1, 1, "B")], now=world.begin)
        sheets.hand_in(session, sheet, HandIn.CANDIDATE, now=world.begin + timedelta(minutes=40))
    family = PaperFamily(specification_id=world.paper.specification_id, institution_id=world.school.id, name="上下午", seed=1, forms=2,
                         report={}, composer_id=world.author.account_id, created_at=world.now)
    session.add(family)
    session.flush()
    other = world.sealed_paper("理论B卷")
    for paper in (world.paper, other):
        session.connection().exec_driver_sql(f"UPDATE papers SET family_id = {family.id} WHERE id = {paper.id}")  # noqa: S608  # sealed: no rule changes it
    session.expire_all()
    afternoon = world.add_sitting("理论下午场", world.begin + timedelta(hours=5), 90, [], other)
    afternoon.plan = ExamPlan(institution_id=world.school.id, standard_id=world.standard.id, level=4, title="电工四级第二批", number="P2",
                              state=PlanState.APPROVED, starts_on=world.plan.starts_on, created_by=world.officer.account_id)
    session.flush()
    close_due(session, world.begin + timedelta(minutes=41))
    assert world.sitting.state is SittingState.MARKED
    return world.sitting, afternoon


def test_scores_keys_and_statistics_stay_shut_until_the_familys_last_sitting_ends(
        session: Session, world: SittingWorld, shifts: tuple[Sitting, Sitting], enter: Any, people: People, clock: TestClock) -> None:
    """Failure 25, at each door: an early shift's people ask while a later one waits with another form."""
    morning, afternoon = shifts
    composer = session.get_one(Account, world.author.account_id)
    give(session, composer, Scope(Role.PAPER_COMPOSER, world.school.id))
    run = StatisticRun(institution_id=world.school.id, table_id=world.table.id, made_at=world.now, persons=3, sittings=1, scale={})
    form = FormStatistic(run=run, paper_id=world.paper.id, name="理论A卷", n=3, items=8, passed=0, figures={}, versions=[], distribution=[])
    session.add_all([run, form])
    session.flush()
    paper_id, end, sheet_id = world.paper.id, afternoon.ends_at, world.sheet("陈晓").id
    clock.moment = world.begin + timedelta(hours=1)
    assert any("理论下午场" in sentence for sentence in embargo.sentences(session, [paper_id], now=clock()))
    with pytest.raises(Refused, match=r"^embargo:"):
        results.merge_plan(session, world.plan, world.officer, now=clock())
    makes, office = composer.viewer(), world.officer
    session.commit()
    officer, maker = enter(office), enter(makes)
    looks = [(officer, "GET", f"/marking/sittings/{morning.id}"), (officer, "GET", f"/marking/sheets/{sheet_id}"),
             (maker, "GET", f"/statistics/forms/{form.id}"), (maker, "GET", f"/statistics/forms/{form.id}.xlsx"),
             (maker, "GET", f"/statistics/forms/{form.id}.pdf"), (maker, "GET", f"/statistics/forms/{form.id}/plot.svg"),
             (maker, "POST", f"/papers/{paper_id}/content")]
    for client, method, path in looks:
        answer = client.open(path, method=method, headers={"Accept": "application/json"})
        assert (path, answer.status_code, answer.json["code"]) == (path, 409, "embargo")
    key = maker.post(f"/papers/{paper_id}/prints", data={"what": "key"}, headers={"Accept": "application/json"})
    assert (key.status_code, key.json["code"]) == (409, "embargo")
    clock.moment = end + timedelta(minutes=1)  # the afternoon was never dealt and is past
    officer, maker = enter(office), enter(makes)
    for client, method, path in ((officer, *looks[0][1:]), (officer, *looks[1][1:]), (maker, *looks[2][1:]), (maker, *looks[6][1:])):
        assert client.open(path, method=method).status_code == 200, path


def test_a_dealt_sitting_holds_until_it_is_collected_however_late(session: Session, world: SittingWorld) -> None:
    world.deal()
    late = world.sitting.ends_at + timedelta(days=2)
    assert len(embargo.sentences(session, [world.paper.id], now=late)) == 1
    world.sitting.state = SittingState.CLOSED
    session.flush()
    assert embargo.sentences(session, [world.paper.id], now=late) == []

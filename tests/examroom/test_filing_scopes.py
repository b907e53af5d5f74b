"""What a school may be filed for, and what it may examine."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from examroom.filing.commands import group
from examroom.filing.scopes import end_scope, one_year, publish_scope, require_scope
from qbank.kernel.access import Role, Scope, Viewer
from qbank.kernel.accounts import InstitutionKind
from qbank.kernel.refused import Refused
from qbank.kernel.settings import Settings
from tests.conftest import People, TestClock
from tests.plan_world import PlanWorld, run

JUNE = date(2026, 6, 1)


@pytest.fixture
def world(session: Session, people: People) -> PlanWorld:
    return PlanWorld.make(session, people)


@pytest.mark.parametrize(("kind", "allowed"), [
    (InstitutionKind.ORDINARY, {5, 4}), (InstitutionKind.ADVANCED, {5, 4, 3}),
    (InstitutionKind.TECHNICIAN, {5, 4, 3, 2, 1}), (InstitutionKind.OTHER_COLLEGE, {5, 4, 3, 2, 1})])
def test_the_kind_of_school_bounds_the_level(world: PlanWorld, kind: InstitutionKind, allowed: set[int]) -> None:
    school = world.people.school("某校", kind)
    for level in range(1, 6):
        if level in allowed:
            assert publish_scope(world.session, school, world.standard, level, world.yao, valid_from=JUNE).level == level
        else:
            with pytest.raises(Refused, match="二\\(三\\)"):
                publish_scope(world.session, school, world.standard, level, world.yao, valid_from=JUNE)


def test_an_access_type_occupation_is_refused_by_the_notice(world: PlanWorld) -> None:
    world.standard.occupation.is_access_type = True
    with pytest.raises(Refused, match="二\\(一\\)"):
        world.file()
    with pytest.raises(Refused, match="二\\(一\\)"):
        require_scope(world.session, world.school, world.standard, 4, JUNE)


def test_a_city_officer_or_the_school_cannot_publish(world: PlanWorld) -> None:
    for who in (world.tan, world.liu):
        with pytest.raises(Refused, match="省鉴定中心"):
            publish_scope(world.session, world.school, world.standard, 4, who, valid_from=JUNE)


def test_an_office_is_no_school_and_level_six_does_not_exist(world: PlanWorld) -> None:
    centre = world.people.school("市中心", InstitutionKind.CITY_CENTRE)
    with pytest.raises(Refused, match="不是评价机构"):
        publish_scope(world.session, centre, world.standard, 4, world.yao, valid_from=JUNE)
    with pytest.raises(Refused, match="等级"):
        publish_scope(world.session, world.school, world.standard, 6, world.yao, valid_from=JUNE)


def test_a_filing_holds_for_one_year_to_the_day(world: PlanWorld) -> None:
    scope = publish_scope(world.session, world.school, world.standard, 4, world.yao, valid_from=JUNE)
    assert scope.valid_until == date(2027, 5, 31)
    assert one_year(date(2028, 2, 29)) == date(2029, 2, 28)
    assert require_scope(world.session, world.school, world.standard, 4, date(2027, 5, 31)) is scope
    for day in (date(2026, 5, 31), date(2027, 6, 1)):
        with pytest.raises(Refused, match="五\\(六\\)") as refusal:
            require_scope(world.session, world.school, world.standard, 4, day)
        assert refusal.value.code == "scope_not_valid"
    with pytest.raises(Refused, match="五\\(六\\)") as refusal:
        require_scope(world.session, world.school, world.standard, 3, JUNE)
    assert refusal.value.code == "out_of_scope"


def test_an_extension_begins_where_the_filing_ends(world: PlanWorld) -> None:
    publish_scope(world.session, world.school, world.standard, 4, world.yao, valid_from=JUNE)
    with pytest.raises(Refused, match="次日"):
        publish_scope(world.session, world.school, world.standard, 4, world.yao, valid_from=date(2027, 5, 31))
    publish_scope(world.session, world.school, world.standard, 4, world.yao, valid_from=date(2027, 6, 1))
    with pytest.raises(Refused, match="早于"):
        publish_scope(world.session, world.school, world.standard, 3, world.yao, valid_from=JUNE, valid_until=date(2026, 5, 1))


def test_the_province_may_end_a_filing_early_with_a_reason(world: PlanWorld) -> None:
    scope = publish_scope(world.session, world.school, world.standard, 4, world.yao, valid_from=JUNE)
    with pytest.raises(Refused, match="原因"):
        end_scope(world.session, scope, world.yao, last_day=date(2026, 9, 30), reason=" ")
    with pytest.raises(Refused, match="终止日期"):
        end_scope(world.session, scope, world.yao, last_day=date(2028, 1, 1), reason="违规")
    end_scope(world.session, scope, world.yao, last_day=date(2026, 9, 30), reason="取消试点资格")
    with pytest.raises(Refused, match="五\\(六\\)"):
        require_scope(world.session, world.school, world.standard, 4, date(2026, 10, 1))


def test_the_directory_is_open_to_everybody_and_lists_what_is_valid_today(
        world: PlanWorld, session: Session, app: Flask, clock: TestClock) -> None:
    world.file()
    publish_scope(session, world.school, world.standard, 3, world.yao, valid_from=date(2027, 1, 1))
    session.commit()
    page = app.test_client().get("/filing/directory").get_data(as_text=True)
    assert "湘江技师学院" in page
    assert "四级/中级工</td>" in page
    assert "三级/高级工</td>" not in page  # not valid yet
    clock.forward(days=600)  # January 2028: both filings are over
    assert "没有符合条件的备案" in app.test_client().get("/filing/directory?q=电工").get_data(as_text=True)


def test_the_province_ends_one_line_and_its_history_is_open_to_all(
        world: PlanWorld, session: Session, app: Flask, enter: Callable[[Viewer], FlaskClient]) -> None:
    scope = publish_scope(session, world.school, world.standard, 4, world.yao, valid_from=JUNE)
    stranger = world.people("外地市", scopes=[Scope(Role.CITY_OFFICER, region="4307")])
    session.commit()
    yao, far, anyone = enter(world.yao), enter(stranger), app.test_client()
    end = f"/filing/{scope.id}/end"
    for bad in ({}, {"last_day": "昨天", "reason": "停办"}, {"last_day": "2026-08-01", "reason": " "}):
        assert yao.post(end, data=bad).status_code == 409
    assert yao.post(end, data={"last_day": "2026-08-01", "reason": "停办", "row_version": 1}).status_code == 302
    assert yao.post(end, data={"last_day": "2026-07-01", "reason": "再改", "row_version": 1}).status_code == 409  # stale
    for client in (yao, enter(world.liu), enter(world.tan)):
        page = client.get(f"/filing/{scope.id}").get_data(as_text=True)
        assert "停办" in page
        assert "公布" in page
    assert "停办" in anyone.get("/filing/directory/changes").get_data(as_text=True)
    assert "电工" not in far.get("/filing/").get_data(as_text=True)
    assert far.get(f"/filing/{scope.id}").status_code == 404
    assert far.post(end).status_code == 403


def test_the_console_lists_the_directory(world: PlanWorld, session: Session, settings: Settings) -> None:
    world.file()
    session.commit()
    assert "2026-01-01..2026-12-31" in run(group, settings, "scopes", "--on", "2026-06-01")

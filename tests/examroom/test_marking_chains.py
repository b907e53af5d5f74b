"""Broken records of answers hold results back until two persons answer for them by name."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from click.testing import CliRunner
from sqlalchemy.orm import Session

from app import create_app
from examroom.delivery import sheets
from examroom.delivery.sheets import Event
from examroom.marking import chains, desk
from examroom.marking.commands import group
from qbank.kernel import append_only, doctor
from qbank.kernel.access import Role
from qbank.kernel.commands import Installation
from qbank.kernel.console import console
from qbank.kernel.db import Database
from qbank.kernel.identity import IdentityCipher
from qbank.kernel.refused import Refused
from qbank.kernel.settings import Settings
from tests.conftest import People, TestClock
from tests.sitting_world import SittingWorld


@pytest.fixture
def world(session: Session, people: People, settings: Settings, clock: TestClock) -> SittingWorld:
    """陈晓 has answered three items, the sitting is marked."""
    made = SittingWorld(session, people, IdentityCipher(settings.identity_key)).make(clock())
    made.running()
    sheets.save(session, made.start("陈晓"), [Event(1, 1, "A"), Event(2, 2, "B"), Event(3, 3, "C")], now=made.begin)
    clock.moment = made.sitting.ends_at + timedelta(minutes=5)
    desk.close_due(session, clock.moment)
    session.commit()
    return made


def forge(session: Session) -> None:
    """Somebody who owns the database gives 陈晓 another answer."""
    append_only.lift(session.connection())
    session.execute(sa.text("UPDATE answer_events SET answer = 'D' WHERE sequence = 2"))
    session.commit()


def refusal(code: str) -> Any:
    return pytest.raises(Refused, match=rf"^{code}:")


def test_a_forged_answer_holds_the_results_back_until_two_persons_answer_for_it(
        session: Session, world: SittingWorld, people: People, clock: TestClock) -> None:
    second = people("考务吴敏", Role.EXAM_OFFICER)
    chains.require_intact(session, [world.sitting])
    with refusal("chain_intact"):
        chains.acknowledge(session, world.sitting, "看过", world.officer, now=clock())
    forge(session)
    with refusal("chain_broken") as refused:
        chains.require_intact(session, [world.sitting])
    assert "第 2 号作答记录" in refused.value.details[0]
    with refusal("no_comment"):
        chains.acknowledge(session, world.sitting, "  ", world.officer, now=clock())
    chains.acknowledge(session, world.sitting, "与收据核对", world.officer, now=clock())
    with refusal("acknowledged_before"):
        chains.acknowledge(session, world.sitting, "再看一次", world.officer, now=clock())
    with refusal("chain_broken"):
        chains.require_intact(session, [world.sitting])
    chains.acknowledge(session, world.sitting, "同意", second, now=clock())
    chains.require_intact(session, [world.sitting])
    session.execute(sa.text("DELETE FROM answer_events WHERE sequence = 3"))  # a further break asks both anew
    with refusal("chain_broken"):
        chains.require_intact(session, [world.sitting])


def test_the_page_shows_the_break_and_takes_a_conclusion(session: Session, world: SittingWorld, people: People, enter: Any) -> None:
    address = f"/marking/sittings/{world.sitting.id}/records"
    elsewhere = people("考务远方", Role.EXAM_OFFICER, school=people.school("二技"))
    session.commit()
    officer = enter(world.officer)
    assert "全部作答记录完整" in officer.get(address).get_data(as_text=True)
    forge(session)
    page = officer.get(address).get_data(as_text=True)
    assert "有 1 处不完整" in page
    assert "登记结论" in page
    assert officer.post(address, data={"comment": "与收据核对一致"}, follow_redirects=True).get_data(as_text=True).count("与收据核对一致") == 1
    assert officer.post(address, data={"comment": "x"}).status_code == 409
    stranger = enter(elsewhere)
    assert (stranger.get(address).status_code, stranger.post(address, data={"comment": "x"}).status_code) == (404, 404)


def test_the_console_names_the_break_and_the_doctor_too(session: Session, world: SittingWorld, settings: Settings, database: Database,
                                                       clock: TestClock, monkeypatch: pytest.MonkeyPatch) -> None:
    installation = Installation(settings.folder)
    monkeypatch.setattr(Installation, "settings", settings)
    whole = CliRunner().invoke(group, ["verify"], obj=installation)
    assert (whole.exit_code, "0 breaks" in whole.output) == (0, True)
    forge(session)
    broken = CliRunner().invoke(group, ["verify", str(world.sitting.id)], obj=installation)
    assert broken.exit_code == 1
    assert "第 2 号作答记录" in broken.output
    assert CliRunner().invoke(group, ["verify", "999"], obj=installation).exit_code == 1
    found = {one.subject: one.well for one in doctor.examine(settings, database, now=clock())}
    assert found["event chains"] is False
    seen = CliRunner().invoke(console(create_app, ()), ["--dir", str(settings.folder), "check"])
    assert "event chains" in seen.output
    installation.database.engine.dispose()

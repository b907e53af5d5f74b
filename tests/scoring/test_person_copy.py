"""A copy of everything that is held about one person: what it holds, who may take it, and that it is on record."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from pathlib import Path

import openpyxl
import pytest
import sqlalchemy as sa
from click.testing import CliRunner
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from app import GROUPS
from qbank.kernel.access import Role, Scope, Viewer
from qbank.kernel.accounts import Account
from qbank.kernel.commands import Installation
from qbank.kernel.console import console
from qbank.kernel.db import Database
from qbank.kernel.refused import Refused
from qbank.kernel.settings import Settings
from scoring.archive import person
from scoring.archive.erasure_models import PersonExport
from scoring.archive.person_words import TITLES
from scoring.certificates import desk
from scoring.results.models import ResultState
from tests.conftest import MONDAY, People
from tests.scoring.archive_world import keep_one_key
from tests.scoring.final_world import CIPHER, FinalWorld, identity_number

Enter = Callable[[Viewer], FlaskClient]


@pytest.fixture
def world(session: Session, people: People) -> FinalWorld:
    keep_one_key(session)
    made = FinalWorld(session, people)
    made.theory({one.id: 160 for one in made.candidates})
    desk.issue(session, made.results, made.officer, cipher=CIPHER, now=MONDAY)
    session.commit()
    return made


def test_every_table_that_may_hold_something_about_a_person_has_a_name_for_people() -> None:
    names = {*person.ways(), *(table.name for table in person.direct()), "accounts", "acts", "audit_entries"}
    assert names - set(TITLES) == set()
    assert len({TITLES[name] for name in names}) == len(names)
    assert {"answers", "certificates", "marks", "results", "enrolments"} <= set(person.ways())


def test_a_copy_holds_what_is_known_of_this_person_and_nothing_of_others(world: FinalWorld, session: Session) -> None:
    zhang = world.candidates[0].candidate
    told = json.loads(person.copy_for(session, zhang, world.officer, "本人申请", "json", cipher=CIPHER, now=MONDAY))
    assert told["accounts"][0]["identity_number"] == identity_number(0)
    assert [row["ticket_number"] for row in told["enrolments"]] == [world.candidates[0].ticket_number]
    assert [row["theory"] for row in told["results"]] == [160]
    assert [row["holder"] for row in told["certificates"]] == ["张晓明"]
    assert [row["half_points"] for row in told["theory_scores"]] == [160]
    text = json.dumps(told, ensure_ascii=False)
    assert not [word for word in ("李芳", "王强", identity_number(1), "argon2", world.candidates[1].ticket_number) if word in text]


def test_scores_that_are_not_posted_are_under_embargo_here_too(world: FinalWorld, session: Session) -> None:
    world.results.state, world.results.noticed_at, world.results.notice_ends_at = ResultState.DRAFT, None, None
    session.flush()
    told = person.everything(session, world.candidates[0].candidate, CIPHER)
    assert "enrolments" in told
    assert {"results", "theory_scores", "certificates", "sheets"} & set(told) == set()


def test_of_somebody_who_works_here_his_acts_are_counted(world: FinalWorld, session: Session) -> None:
    told = person.everything(session, session.get_one(Account, world.officer.account_id), CIPHER)
    assert {"table": "certificates", "column": "issued_by", "rows": 2} in told["acts"]
    assert [row["role"] for row in told["grants"]] == ["exam_officer"]
    assert "certificates" not in told


def test_the_workbook_is_readable_and_the_taking_is_on_record(world: FinalWorld, session: Session, enter: Enter) -> None:
    zhang, away = world.candidates[0].account_id, world.stranger()
    chief = world.people("郑主任", scopes=[Scope(Role.ADMINISTRATOR)])
    session.commit()
    officer, stranger, administrator = enter(world.officer), enter(away), enter(chief)
    assert "个人信息副本：张晓明" in officer.get(f"/archive/people/{zhang}").get_data(as_text=True)
    answer = officer.post(f"/archive/people/{zhang}", data={"reason": "本人书面申请", "form": "xlsx"})
    book = openpyxl.load_workbook(io.BytesIO(answer.get_data()))
    assert {"基本信息", "报名", "认定结果", "证书"} <= set(book.sheetnames)
    cells = [str(cell.value) for row in book["基本信息"].iter_rows() for cell in row]
    assert {"证件号码", identity_number(0)} <= set(cells)
    kept = session.scalars(sa.select(PersonExport)).one()
    assert (kept.account_id, kept.taken_by, kept.reason) == (zhang, world.officer.account_id, "本人书面申请")
    session.rollback()
    page = officer.get(f"/archive/people/{zhang}").get_data(as_text=True)
    assert "本人书面申请" in page
    assert identity_number(0) not in page
    assert officer.post(f"/archive/people/{zhang}", data={"form": "json"}).status_code == 409
    assert officer.post(f"/archive/people/{zhang}", data={"form": "pdf", "reason": "本人申请"}).status_code == 409
    assert stranger.get(f"/archive/people/{zhang}").status_code == 404
    assert stranger.post(f"/archive/people/{zhang}", data={"reason": "好奇", "form": "json"}).status_code == 404
    assert administrator.post(f"/archive/people/{zhang}", data={"reason": "好奇", "form": "json"}).status_code == 409  # no school's data


def test_the_command_writes_the_same(world: FinalWorld, session: Session, database: Database, settings: Settings, tmp_path: Path,
                                     monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Installation, "settings", settings)
    monkeypatch.setattr(Installation, "database", database)
    commands = console(lambda *_, **__: pytest.fail("no server is needed"), GROUPS)
    ticket, out = world.candidates[0].ticket_number, tmp_path / "copy.json"
    session.commit()
    done = CliRunner().invoke(commands, ["archive", "person", ticket, "--as", world.officer.login, "--reason", "本人申请", "--out", str(out)])
    assert done.exit_code == 0, done.output
    assert json.loads(out.read_bytes())["accounts"][0]["identity_number"] == identity_number(0)
    assert session.scalar(sa.select(sa.func.count()).select_from(PersonExport)) == 1
    session.rollback()
    wrong = CliRunner().invoke(commands, ["archive", "person", "nobody", "--as", world.officer.login, "--reason", "本人申请", "--out", str(out)])
    assert "no person 'nobody'" in wrong.output


def test_nobody_takes_a_copy_without_a_reason_or_of_another_school(world: FinalWorld, session: Session) -> None:
    zhang = world.candidates[0].candidate
    with pytest.raises(Refused, match="事由"):
        person.copy_for(session, zhang, world.officer, " ", "json", cipher=CIPHER, now=MONDAY)
    with pytest.raises(Refused, match="所在学校"):
        person.copy_for(session, zhang, world.stranger(), "好奇", "json", cipher=CIPHER, now=MONDAY)

"""The audit trail against paper, and against who may write to the database."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from datetime import timedelta
from io import BytesIO
from typing import Any

import pytest
import sqlalchemy as sa
from click.testing import CliRunner, Result
from flask.testing import FlaskClient
from pypdf import PdfReader
from sqlalchemy.exc import ProgrammingError
from sqlalchemy.orm import Session

from examroom.delivery import sheets
from examroom.delivery.models import HandIn
from examroom.delivery.sheets import Event
from examroom.invigilation import record, rooms
from qbank.kernel import append_only, audit, database_role, doctor, linking, trail
from qbank.kernel.access import Role, Scope, Viewer
from qbank.kernel.audit import AuditEntry
from qbank.kernel.audit_commands import group
from qbank.kernel.commands import Installation
from qbank.kernel.db import Database, table_of
from qbank.kernel.identity import IdentityCipher
from qbank.kernel.refused import Refused
from qbank.kernel.settings import Settings
from tests.conftest import People, TestClock
from tests.sitting_world import SittingWorld

ENTRIES = table_of(AuditEntry)


@pytest.fixture
def world(session: Session, people: People, settings: Settings, clock: TestClock) -> SittingWorld:
    """陈晓 has answered and handed in, the room is closed; afterwards the school was renamed twice."""
    made = SittingWorld(session, people, IdentityCipher(settings.identity_key), candidates=1).make(clock())
    made.running()
    sheet = made.start("陈晓")
    sheets.save(session, sheet, [Event(1, 1, "A")], now=made.begin)
    clock.moment = made.begin + timedelta(minutes=40)
    sheets.hand_in(session, sheet, HandIn.CANDIDATE, now=clock())
    session.commit()
    rooms.close_room(session, made.room, "", made.invigilator, now=clock())
    session.commit()
    for name in ("湘江高级技工学校", "湘江技师学院"):
        made.school.name = name
        session.commit()
    return made


@pytest.fixture
def run(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    installation = Installation(settings.folder)
    monkeypatch.setattr(Installation, "settings", settings)

    def invoke(*arguments: str) -> Result:
        return CliRunner().invoke(group, arguments, obj=installation)

    yield invoke
    installation.database.engine.dispose()


def printed_head(session: Session, world: SittingWorld) -> str:
    """As somebody reads it from the paper of the room's record."""
    content = record.pdf(record.of_room(session, world.room, now=world.sitting.ends_at), made_at=world.sitting.ends_at)
    text = "".join(page.extract_text() for page in PdfReader(BytesIO(content)).pages)
    found = re.search(r"[0-9a-f]{64}", re.sub(r"\s", "", text))
    assert found, text
    return found.group()


def meddle(database: Database, *statements: sa.UpdateBase) -> None:
    """What only the owner of the database can do."""
    with database.engine.begin() as connection:
        append_only.lift(connection)
        for statement in statements:
            connection.execute(statement)


def test_a_whole_trail_goes_on_from_the_head_on_the_rooms_record(session: Session, world: SittingWorld, run: Any) -> None:
    head = printed_head(session, world)
    session.commit()
    seen = run("verify", "--from-head", head, "--from-head", f"{head[:8]} {head[8:20]}")
    assert (seen.exit_code, seen.output.count("ok  "), "它和以前的记录没有改动" in seen.output) == (0, 3, True)
    told = json.loads(run("verify", "--json").output)
    assert (told["holds"], told["first_break"], told["head"]) == (True, None, audit.head(session))
    session.commit()
    assert run("head").output.split()[0] == told["head"]


def test_the_first_broken_link_is_named_and_what_was_printed_before_it_still_holds(session: Session, world: SittingWorld,
                                                                                  database: Database, run: Any) -> None:
    head = printed_head(session, world)
    renamed = session.scalars(sa.select(AuditEntry.id).where(AuditEntry.table_name == "institutions").order_by(AuditEntry.id)).all()[-2:]
    session.commit()
    meddle(database, *(sa.update(ENTRIES).where(ENTRIES.c.id == key).values(actor_name="别人") for key in renamed))
    seen = run("verify", "--from-head", head)
    assert seen.exit_code == 1
    first = next(line for line in seen.output.splitlines() if "first broken link" in line)
    assert re.search(rf"第 {renamed[0]} 条（2026年6月1日 [\d:]+，别人，修改 institutions #{world.school.id}）的内容被改动", first)
    told = json.loads(run("verify", "--json", "--from-head", head).output)
    assert (told["holds"], told["breaks"], told["first_break"]["entry"]) == (False, 2, renamed[0])
    assert told["heads"][0]["untouched"] is True  # the room's record is older than what was changed
    meddle(database, sa.update(ENTRIES).where(ENTRIES.c.id == 1).values(actor_name="别人"))
    assert json.loads(run("verify", "--json", "--from-head", head).output)["heads"][0]["untouched"] is False


def test_a_trail_that_was_cut_off_is_found_by_the_paper_and_by_what_rows_keep(session: Session, world: SittingWorld, database: Database,
                                                                             settings: Settings, clock: TestClock, run: Any) -> None:
    head = printed_head(session, world)
    entry = session.scalar(sa.select(AuditEntry.id).where(AuditEntry.digest == head))
    session.commit()
    meddle(database, sa.delete(ENTRIES).where(ENTRIES.c.id >= entry))
    assert audit.verify(session) == []  # the chain by itself cannot know
    session.commit()
    assert run("verify", "--from-head", head).exit_code == 1
    told = json.loads(run("verify", "--json").output)
    assert (told["holds"], told["breaks"], [one["place"] for one in told["heads"]]) == (False, 0, [f"room_closings #{1}"])
    assert next(one.well for one in doctor.examine(settings, database, now=clock()) if one.subject == "audit trail") is False


def test_a_trail_that_was_made_anew_knows_no_head_on_paper(session: Session, world: SittingWorld, database: Database, run: Any) -> None:
    head = printed_head(session, world)
    rows = session.execute(sa.select(ENTRIES).order_by(ENTRIES.c.id)).mappings().all()
    session.commit()
    before, made = audit.GENESIS, []
    for row in rows:
        entry = {name: row[name] for name in linking.FIELDS} | {"at": row["at"].isoformat(), "actor_name": "别人"}
        digest = linking.link(before, linking.folded(entry))
        made.append(sa.update(ENTRIES).where(ENTRIES.c.id == row["id"]).values(actor_name="别人", previous=before, digest=digest))
        before = digest
    meddle(database, *made)
    assert audit.verify(session) == []
    session.commit()
    seen = run("verify", "--from-head", head)
    assert (seen.exit_code, f"没有链首 {head[:16]}" in seen.output) == (1, True)


@pytest.mark.parametrize("text", ["", "abc", "g" * 64, "0" * 65, "第八章" * 8])
def test_what_is_no_head_is_refused(text: str, session: Session) -> None:
    with pytest.raises(Refused, match="no_head"):
        trail.examine(session, [text])


@pytest.fixture
def limited(database: Database, run: Any) -> Iterator[Database]:
    """The same database for a program that signs in as the role of ``examroom audit role``."""
    if database.engine.dialect.name == "sqlite":
        assert "SQLite 没有数据库角色" in str(run("role", "examroom_app").exception)
        pytest.skip("SQLite knows no roles")
    made = run("role", "examroom_app", "--apply")
    assert (made.exit_code, run("role", "examroom_app", "--apply").exit_code) == (0, 0), made.output
    limited = Database(database.engine.url.set(username="examroom_app").render_as_string(hide_password=False), unsafe=True)
    yield limited
    limited.engine.dispose()


MEDDLING = ("UPDATE audit_entries SET actor_name = '别人'", "DELETE FROM audit_entries", "TRUNCATE audit_entries",
            "DELETE FROM answer_events", "UPDATE answer_events SET answer = 'D'", "UPDATE time_entries SET seconds = 0",
            "DELETE FROM room_closings", "ALTER TABLE audit_entries DISABLE TRIGGER ALL", "DROP TABLE audit_entries",
            "UPDATE script_marks SET half_points = 0", "CREATE TABLE mine (id int)")


def test_the_programs_role_writes_a_sitting_and_changes_nothing_that_stands(session: Session, world: SittingWorld, limited: Database,
                                                                           clock: TestClock) -> None:
    session.commit()
    with limited.open(world.officer.actor, clock=clock) as mine:
        for statement in MEDDLING:
            with pytest.raises(ProgrammingError, match=r"permission denied|must be owner"):
                mine.execute(sa.text(statement))
            mine.rollback()
        assert (database_role.may_change(mine), database_role.lacking(mine)) == ([], [])
        assert "没有修改、删除的权限" in database_role.look(mine).detail
        before = mine.scalar(sa.select(sa.func.count()).select_from(AuditEntry)) or 0
        mine.get_one(type(world.school), world.school.id).name = "湘江技师学院（本部）"
        mine.commit()
        assert mine.scalar(sa.select(sa.func.count()).select_from(AuditEntry)) == before + 1
        assert audit.verify(mine) == []
        mine.rollback()
    assert database_role.may_change(session) == sorted(append_only.tables())
    assert "audit role" in database_role.look(session).advice


def test_a_table_that_came_with_an_upgrade_and_was_not_granted_is_named(database: Database, limited: Database) -> None:
    with database.engine.begin() as connection:
        connection.exec_driver_sql("REVOKE INSERT ON answer_events FROM examroom_app")
    with limited.open(None, reads_only=True) as mine:
        found = database_role.look(mine)
    assert (found.well, "answer_events" in found.detail, "audit role" in found.remedy) == (False, True, True)


def test_the_doctor_tells_of_a_trigger_that_somebody_took_away(session: Session, database: Database) -> None:
    assert database_role.look(session).well
    session.commit()
    meddle(database)
    found = database_role.look(session)
    assert (found.well, "触发器" in found.detail) == (False, True)


def test_the_administrator_types_a_head_from_paper_into_the_page(session: Session, world: SittingWorld, people: People, database: Database,
                                                                enter: Callable[[Viewer], FlaskClient]) -> None:
    tan = people("谭晓", scopes=[Scope(Role.ADMINISTRATOR)])
    head = printed_head(session, world)
    session.commit()
    client = enter(tan)
    page = client.get("/accounts/audit", query_string={"head": head[:20]}).get_data(as_text=True)
    assert ("首尾相接，未发现改动" in page, "它和以前的记录没有改动" in page) == (True, True)
    assert client.get("/accounts/audit", query_string={"head": "第八章"}).status_code == 409
    entry = session.scalar(sa.select(AuditEntry.id).where(AuditEntry.digest == head))
    session.commit()
    meddle(database, sa.delete(ENTRIES).where(ENTRIES.c.id >= entry))
    page = client.get("/accounts/audit?verify=1").get_data(as_text=True)
    assert ("与别处所记的链首不符" in page, "room_closings #1" in page) == (True, True)

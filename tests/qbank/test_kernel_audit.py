"""Promises 3, 5 and 6: the audit trail, races, time."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session
from sqlalchemy.orm.exc import StaleDataError

from qbank.kernel import append_only
from qbank.kernel.access import Role
from qbank.kernel.accounts import Account, Grant, Institution, create_account, set_identity
from qbank.kernel.audit import NOT_RECORDED, AuditEntry, AuditError, verify
from qbank.kernel.db import Actor, Database
from qbank.kernel.identity import IdentityCipher
from qbank.kernel.refused import Refused
from qbank.kernel.times import from_form, local_date, spoken
from tests.conftest import PASSWORD, People

ROOT = Path(__file__).parents[2]


def entries(session: Session, table: str) -> list[AuditEntry]:
    return list(session.scalars(sa.select(AuditEntry).where(AuditEntry.table_name == table).order_by(AuditEntry.id)))


def test_a_change_is_remembered_with_who_when_old_and_new(session: Session, people: People) -> None:
    school = people.home
    session.commit()
    session.info["actor"] = Actor(7, "刘主任")
    school.name = "湘江高级技工学校"
    session.commit()
    made, changed = entries(session, "institutions")
    assert made.action == "insert"
    assert made.values["region"] == [None, "430100"]
    assert (changed.actor_id, changed.actor_name) == (7, "刘主任")
    assert changed.at == datetime(2026, 6, 1, 1, 0, tzinfo=UTC)
    assert changed.values["name"] == ["湘江技师学院（演示）", "湘江高级技工学校"]


def test_the_old_value_survives_an_attribute_that_was_expired(session: Session, people: People) -> None:
    school = people.home
    session.commit()
    session.expire(school)
    school.region = "430200"
    session.commit()
    assert entries(session, "institutions")[-1].values["region"] == ["430100", "430200"]


def test_a_deleted_row_stays_readable_in_the_trail(session: Session, people: People) -> None:
    account = people.account("孙立", Role.INVIGILATOR)
    session.commit()
    session.delete(account.grants[0])
    session.commit()
    gone = entries(session, "grants")[-1]
    assert gone.action == "delete"
    assert gone.values["role"] == ["invigilator", None]


def test_several_flushes_in_one_transaction_are_all_remembered(session: Session, people: People) -> None:
    school = people.home
    for name in ("第一次", "第二次"):
        school.name = name
        session.flush()
    session.commit()
    assert [entry.values["name"][1] for entry in entries(session, "institutions")][1:] == ["第一次", "第二次"]


def test_a_write_without_an_actor_is_refused(database: Database) -> None:
    with database.open(None) as session:
        session.add(Account(login="nobody", name="无名"))
        with pytest.raises(AuditError, match="accounts has no actor"):
            session.flush()


@pytest.mark.parametrize("statement", [
    sa.update(Institution).values(name="批量"), sa.delete(Grant), sa.insert(Account).values(login="x", name="y")])
def test_bulk_statements_on_audited_tables_are_refused(session: Session, statement: sa.UpdateBase) -> None:
    with pytest.raises(AuditError, match="change the objects"):
        session.execute(statement)


def test_passwords_and_identity_numbers_never_reach_the_trail(session: Session, people: People) -> None:
    account = people.account("李想", Role.ITEM_AUTHOR)
    set_identity(account, "11010519491231002X", IdentityCipher(b"k" * 32))
    session.commit()
    text = "".join(entry.changes for entry in session.scalars(sa.select(AuditEntry)))
    assert "11010519491231002X" not in text
    assert "argon2" not in text
    assert entries(session, "accounts")[0].values["password_hash"] == [None, NOT_RECORDED]
    assert "110105********002X" in text


def five_entries(session: Session, people: People) -> list[AuditEntry]:
    for number in range(5):
        people.home.name = f"第 {number} 个名字"
        session.commit()
    assert verify(session) == []
    rows = list(session.scalars(sa.select(AuditEntry).order_by(AuditEntry.id)))
    session.commit()  # ends the transaction: SQLite has one writer
    return rows


TAMPERING = {
    "flip": "UPDATE audit_entries SET changes = replace(changes, '第', '每') WHERE id = {third}",
    "delete": "DELETE FROM audit_entries WHERE id = {third}",
    "reorder": "UPDATE audit_entries SET id = {last} + 10 WHERE id = {third}",
    "another actor": "UPDATE audit_entries SET actor_name = '别人' WHERE id = {third}",
}


@pytest.mark.parametrize("how", TAMPERING)
def test_tampering_is_found_and_located(how: str, session: Session, people: People, database: Database) -> None:
    ids = [row.id for row in five_entries(session, people)]
    session.expunge_all()
    with database.engine.begin() as connection:
        append_only.lift(connection)
        connection.execute(sa.text(TAMPERING[how].format(third=ids[2], last=ids[-1])))
    found = verify(session)
    assert found
    assert found[0].entry_id in ids[2:4]


def test_an_inserted_entry_is_found(session: Session, people: People, database: Database) -> None:
    rows = five_entries(session, people)
    with database.engine.begin() as connection:
        connection.execute(sa.insert(AuditEntry).values(
            id=rows[-1].id + 1, at=rows[-1].at, actor_name="伪造", action="update", table_name="institutions", row_key="1",
            changes="{}", previous=rows[-1].digest, digest="0" * 63 + "1"))
    session.expire_all()
    assert [found.entry_id for found in verify(session)] == [rows[-1].id + 1]


def test_of_two_people_who_change_one_row_the_second_is_told(session: Session, people: People,
                                                            database: Database) -> None:
    school = people.home
    session.commit()
    with database.open(Actor(None, "甲"), reads_only=True) as page:
        seen_by_first = page.get_one(Institution, school.id)
    school.name = "乙改的名字"
    session.commit()
    with database.open(Actor(None, "甲")) as first:
        first.add(seen_by_first)
        seen_by_first.name = "甲改的名字"
        with pytest.raises(StaleDataError):
            first.commit()


def test_a_page_drawn_from_an_older_state_is_refused_with_a_sentence(session: Session, people: People) -> None:
    school = people.home
    session.commit()
    seen = school.row_version
    school.name = "新名字"
    session.commit()
    with pytest.raises(Refused, match="其他人刚刚修改"):
        school.expect(seen)


def test_time_without_a_zone_cannot_be_stored(session: Session, people: People) -> None:
    session.add(AuditEntry(at=datetime(2026, 1, 1), actor_name="x", action="insert", table_name="t", row_key="1",  # noqa: DTZ001  # the point
                           changes="{}", previous="", digest="d"))
    with pytest.raises(sa.exc.StatementError, match="without time zone"):
        session.flush()
    session.rollback()


def test_time_is_stored_in_utc_and_shown_in_china() -> None:
    typed = from_form("2026-11-22T09:00")
    assert typed == datetime(2026, 11, 22, 1, 0, tzinfo=UTC)
    assert spoken(typed) == "2026年11月22日 09:00"
    assert local_date(datetime(2026, 11, 22, 17, 0, tzinfo=UTC)) == date(2026, 11, 23)


def test_no_rule_reads_the_clock_itself() -> None:
    allowed = {"qbank/kernel/times.py"}
    for package in ("qbank", "examroom", "scoring"):
        for file in (ROOT / package).rglob("*.py"):
            if str(file.relative_to(ROOT)) not in allowed:
                found = re.search(r"datetime\.(now|utcnow|today)\(|date\.today\(|time\.time\(", file.read_text("utf-8"))
                assert found is None, f"{file.relative_to(ROOT)}: {found and found.group()}"


def test_two_accounts_cannot_share_a_login(session: Session, people: People) -> None:
    taken = people.account("陈晓", Role.ITEM_AUTHOR)
    with pytest.raises(Refused, match="已被使用"):
        create_account(session, taken.login, "另一个陈晓", [], password=PASSWORD)

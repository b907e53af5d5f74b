"""Another key for identity numbers: everything is read and found before, while and after, and the old key then opens nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import sqlalchemy as sa
from click.testing import CliRunner
from cryptography.exceptions import InvalidTag
from flask import Flask
from sqlalchemy.orm import Session

from app import GROUPS
from examroom.filing.application_models import Application, ApplicationRow
from examroom.filing.states import ApplicationKind
from examroom.plans.roster_models import RosterImport
from qbank.kernel import audit, rotation
from qbank.kernel.access import Role, Scope, Viewer
from qbank.kernel.accounts import Account, set_identity
from qbank.kernel.commands import Installation
from qbank.kernel.console import console
from qbank.kernel.db import Actor, Database
from qbank.kernel.identity import IdentityCipher
from qbank.kernel.identity_keys import name_of
from qbank.kernel.refused import Refused
from qbank.kernel.settings import Settings
from scoring.certificates import credential, desk, public
from scoring.certificates.models import Certificate
from tests.conftest import MONDAY, People
from tests.scoring.final_world import FinalWorld, identity_number

OLD = b"i" * 32
WHO = Actor(None, "命令行")


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """An installation whose key lies in its folder, as ``examroom serve`` makes it."""
    file = settings.folder / "identity.key"
    file.write_bytes(OLD)
    return replace(settings, identity_file=file)


@pytest.fixture
def world(session: Session, people: People) -> FinalWorld:
    """Zhang and Li with certificates, Zhang with a second account at another school, a teacher on an application, a roster."""
    made = FinalWorld(session, people)
    desk.issue(session, made.results, made.officer, cipher=IdentityCipher(OLD), now=MONDAY)
    away = people.school("衡阳技工学校", region="430400")
    zhang = people.account("张晓明", scopes=[Scope(Role.CANDIDATE, away.id)], school=away)
    set_identity(zhang, identity_number(0), IdentityCipher(OLD))
    cipher = IdentityCipher(OLD)
    session.add_all([
        Application(institution_id=made.school.id, kind=ApplicationKind.FIRST, number="1", unit={}, prose={}, plan={},
                    created_by=made.officer.account_id, created_at=MONDAY, rows=[
            ApplicationRow(part="staff", position=0, cells={"name": "李芳"}, identity_cipher=cipher.encrypt(identity_number(1)),
                           identity_hash=cipher.fingerprint(identity_number(1)), identity_masked="430102********0037")]),
        RosterImport(plan_id=made.results.plan_id, file_name="名单.xlsx", uploaded_by=made.officer.account_id, uploaded_at=MONDAY,
                     content=cipher.encrypt("[]"))])
    session.commit()
    return made


def held(session: Session) -> tuple[list[bytes], list[str]]:
    """All ciphers and all hashes that the database holds."""
    ciphers, hashes = [], []
    for place in rotation.places():
        for row in session.execute(sa.select(*place.columns)).mappings():
            ciphers += [row[one.name] for one in place.ciphers if row[one.name]]
            hashes += [row[place.hash.name]] if place.hash is not None and row[place.hash.name] else []
    return ciphers, hashes


def test_every_column_that_holds_a_number_or_its_hash_says_so() -> None:
    marked = {(place.table.name, column.name) for place in rotation.places() for column in place.columns}
    named = {(table.name, column.name) for table in Account.metadata.sorted_tables for column in table.c
             if column.name.endswith("_cipher") or column.name == "identity_hash"}
    assert named <= marked
    assert ("roster_imports", "content") in marked


def test_after_a_rotation_everything_is_found_under_the_new_key_and_nothing_under_the_old(
        session: Session, world: FinalWorld, database: Database, settings: Settings) -> None:
    certificate = session.scalars(sa.select(Certificate).order_by(Certificate.id)).all()[0]
    twin = credential.credential(certificate, identity_number(0), settings.identity_cipher(), "https://x")
    code_key, before = settings.code_key, len(held(session)[0])
    session.rollback()
    made = rotation.rotate(database, settings, WHO)
    session.expire_all()
    assert (made.rows["accounts"], made.rows["filing_rows"], made.rows["certificates"], made.rows["roster_imports"]) == (4, 1, 2, 1)
    assert (settings.folder / "identity.key").read_bytes() not in (OLD, b"")
    assert len((settings.folder / "identity.key").read_bytes()) == 32
    cipher, old = settings.identity_cipher(), IdentityCipher(OLD)
    ciphers, hashes = held(session)
    assert len(ciphers) == before
    for one in ciphers:
        cipher.decrypt(one)
        with pytest.raises(InvalidTag):
            old.decrypt(one)
    assert sorted(set(hashes)) == sorted(cipher.fingerprint(identity_number(place)) for place in range(3))
    assert [one.holder for one in public.look_up(session, name="张晓明", identity_number=identity_number(0), cipher=cipher)] == ["张晓明"]
    # What people hold stays: the code on the ticket, the ids of the credential.
    assert settings.code_key == code_key
    certificate = session.get_one(Certificate, certificate.id)
    assert credential.credential(certificate, identity_number(0), cipher, "https://x") == twin


def test_while_it_runs_both_halves_are_read_found_and_told_from_each_other(session: Session, world: FinalWorld, database: Database, settings: Settings,
                                                           monkeypatch: pytest.MonkeyPatch) -> None:
    """Broken off after the first batch of one: that person is new in all tables at once, and the next run finishes."""
    monkeypatch.setattr(rotation, "AT_ONCE", 1)
    with pytest.raises(KeyboardInterrupt):
        rotation.rotate(database, settings, WHO, progress=stop_after(1))
    session.expire_all()
    assert len((settings.folder / "identity.key").read_bytes()) == 64
    cipher = settings.identity_cipher()
    ciphers, hashes = held(session)
    assert {cipher.is_current(one) for one in ciphers} == {True, False}
    for place, name in enumerate(("张晓明", "李芳")):
        known = cipher.fingerprints(identity_number(place))
        assert len({one for one in hashes if one in known}) == 1  # never one old and one new of the same person
        assert len(public.look_up(session, name=name, identity_number=identity_number(place), cipher=cipher)) == 1
    session.rollback()
    rotation.rotate(database, settings, WHO)
    session.expire_all()
    assert all(settings.identity_cipher().is_current(one) for one in held(session)[0])
    assert len((settings.folder / "identity.key").read_bytes()) == 32


def stop_after(calls: int) -> Callable[[str, int], None]:
    left = [calls]

    def progress(table: str, rows: int) -> None:
        left[0] -= 1
        if not left[0]:
            raise KeyboardInterrupt

    return progress


def test_a_candidate_enters_by_ticket_and_number_in_the_middle_of_it(app: Flask, session: Session, world: FinalWorld, database: Database,
                                                                     settings: Settings) -> None:
    ticket = world.candidates[0].ticket_number
    session.commit()
    form = {"ticket": ticket, "identity_number": identity_number(0)}

    def enters() -> int:
        return app.test_client().post("/exam", data=form).status_code

    assert enters() == 302
    with pytest.raises(KeyboardInterrupt):
        rotation.rotate(database, settings, WHO, progress=stop_after(1))
    assert enters() == 302
    rotation.rotate(database, settings, WHO)
    assert enters() == 302
    assert app.test_client().post("/exam", data=form | {"identity_number": identity_number(1)}).status_code != 302


def test_several_hosts_hold_the_key_before_anything_lies_under_it(session: Session, world: FinalWorld, database: Database, settings: Settings,
                                                                  tmp_path: Path) -> None:
    name = rotation.add_key(settings)
    with pytest.raises(Refused, match="待换入"):
        rotation.add_key(settings)
    other = tmp_path / "other"
    other.mkdir()
    for file in ("identity.key", "identity.next", "codes.key"):
        (other / file).write_bytes((settings.folder / file).read_bytes())
    elsewhere = replace(settings, folder=other, identity_file=other / "identity.key")
    assert settings.identity_cipher().is_current(elsewhere.identity_cipher().encrypt("x"))  # both still write under the old one
    made = rotation.rotate(database, settings, WHO, keep_former=True)
    assert made.former_kept
    session.expire_all()
    for one in held(session)[0]:
        assert elsewhere.identity_cipher().decrypt(one)
    late = elsewhere.identity_cipher().encrypt(identity_number(2))  # the other host wrote under the old key meanwhile
    world.candidates[2].candidate.identity_cipher = late
    session.commit()
    (other / "identity.key").write_bytes((settings.folder / "identity.key").read_bytes())
    rotation.rotate(database, settings, WHO)
    session.expire_all()
    assert name_of(settings.identity.keys[0]) == name
    assert len(settings.identity.keys) == 1
    assert all(settings.identity_cipher().is_current(one) for one in held(session)[0])
    assert elsewhere.code_key == settings.code_key


def test_the_old_key_stays_while_a_backup_is_taken(session: Session, world: FinalWorld, database: Database, settings: Settings) -> None:
    """The backup holds the rows of before; the key that it packs afterwards must open them."""
    (settings.folder / "taking-x").mkdir()
    with pytest.raises(Refused, match="正在备份"):
        rotation.rotate(database, settings, WHO)
    assert (settings.folder / "identity.key").read_bytes()[32:] == OLD
    (settings.folder / "taking-x").rmdir()
    rotation.rotate(database, settings, WHO)
    assert len(settings.identity.keys) == 1


def test_keys_from_the_environment_are_replaced_by_their_keeper(session: Session, world: FinalWorld, database: Database, settings: Settings) -> None:
    fixed = replace(settings, identity_file=None, identity_key=OLD)
    with pytest.raises(Refused, match="环境变量"):
        rotation.rotate(database, fixed, WHO)
    with pytest.raises(Refused, match="环境变量"):
        rotation.add_key(fixed)
    code_key = fixed.code_key
    both = Settings.from_environment({"EXAMROOM_IDENTITY_KEY": f"{'6e' * 32},{OLD.hex()}"}, folder=settings.folder)
    assert both.code_key == code_key
    assert rotation.rotate(database, both, WHO).former_kept
    alone = Settings.from_environment({"EXAMROOM_IDENTITY_KEY": "6e" * 32, "EXAMROOM_CODES_KEY": both.identity.derived.hex()}, folder=settings.folder)
    assert alone.code_key == code_key
    session.expire_all()
    assert all(alone.identity_cipher().is_current(one) for one in held(session)[0])


def test_the_command_asks_for_an_administrator_and_the_trail_tells_names_of_keys_and_counts(
        session: Session, world: FinalWorld, database: Database, settings: Settings, people: People, monkeypatch: pytest.MonkeyPatch) -> None:
    chief: Viewer = people("郑主任", scopes=[Scope(Role.ADMINISTRATOR)])
    session.commit()
    monkeypatch.setattr(Installation, "settings", settings)
    monkeypatch.setattr(Installation, "database", database)
    commands = console(lambda *_, **__: pytest.fail("no server is needed"), GROUPS)
    refused = CliRunner().invoke(commands, ["identity", "rotate-key", "--as", world.officer.login])
    assert "no administrator" in refused.output
    assert settings.identity_file
    assert settings.identity_file.read_bytes() == OLD
    done = CliRunner().invoke(commands, ["identity", "rotate-key", "--as", chief.login])
    assert done.exit_code == 0, done.output
    assert "accounts: 4 rows under the new key" in done.output
    session.expire_all()
    trail = session.scalars(sa.select(audit.AuditEntry).where(audit.AuditEntry.action == "rotate").order_by(audit.AuditEntry.id)).all()
    assert (trail[-1].table_name, trail[-1].row_key, trail[-1].actor_name) == ("identity_keys", name_of(settings.identity.keys[0]), "郑主任")
    assert trail[-1].values["former"] == [name_of(OLD), None]
    assert trail[-1].values["rows"] == [None, 8]
    assert audit.verify(session) == []
    numbers = [identity_number(place) for place in range(3)]
    assert not any(number in entry.changes for entry in trail for number in numbers)


def test_a_number_that_was_corrected_after_its_certificate_is_counted(session: Session, world: FinalWorld, database: Database, settings: Settings) -> None:
    set_identity(world.candidates[1].candidate, identity_number(7), IdentityCipher(OLD))
    session.delete(session.scalars(sa.select(ApplicationRow)).one())
    session.commit()
    assert rotation.rotate(database, settings, WHO).orphans == 1
    assert len(public.look_up(session, name="李芳", number=session.scalars(
        sa.select(Certificate.number).where(Certificate.holder == "李芳")).one(), cipher=settings.identity_cipher())) == 1

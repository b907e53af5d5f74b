"""One signing key for all hosts: whoever signs first makes it and notes its mark; a host without it signs nothing."""

from __future__ import annotations

import dataclasses
import shutil
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from qbank.kernel import host_keys
from qbank.kernel.jobs import Job, Jobs, JobState
from qbank.kernel.refused import Refused
from qbank.kernel.settings import Settings
from scoring.certificates import desk
from scoring.certificates.signing import FILE_NAME, Seal
from tests.conftest import MONDAY, People
from tests.scoring.final_world import CIPHER, FinalWorld


@pytest.fixture
def world(session: Session, people: People) -> FinalWorld:
    return FinalWorld(session, people)


@pytest.fixture
def second(settings: Settings, tmp_path: Path) -> Settings:
    """Another host: the keys that were copied before a certificate was made."""
    (tmp_path / "second").mkdir()
    for key in settings.folder.glob("*.key"):
        shutil.copy2(key, tmp_path / "second")
    return dataclasses.replace(settings, folder=tmp_path / "second")


def test_the_first_certificate_notes_the_key_with_it_and_another_host_refuses_until_it_has_the_file(
        world: FinalWorld, session: Session, settings: Settings, second: Settings) -> None:
    assert Seal.held(session, second, now=MONDAY) is None  # nothing was signed anywhere
    assert desk.issue(session, world.results, world.officer, cipher=CIPHER, now=MONDAY) == 2
    assert host_keys.differing(session, second) == ["signing"]
    for seal in (Seal.ours, Seal.held):
        with pytest.raises(Refused, match=rf"还没有签名密钥.*{FILE_NAME} 复制到这台主机的 {second.folder}"):
            seal(session, second, now=MONDAY)
    assert not (second.folder / FILE_NAME).exists()  # no second key is made
    Seal.of(second.folder, now=MONDAY)
    with pytest.raises(Refused, match="与数据库登记的不同"):
        Seal.ours(session, second, now=MONDAY)
    shutil.copy2(settings.folder / FILE_NAME, second.folder)
    assert Seal.ours(session, second, now=MONDAY).root_pem == Seal.ours(session, settings, now=MONDAY).root_pem


def test_a_key_whose_first_signature_was_taken_back_is_noted_by_the_next(session: Session, settings: Settings) -> None:
    made = Seal.ours(session, settings, now=MONDAY)
    session.rollback()
    assert not host_keys.is_other(session, "signing", None)
    assert Seal.ours(session, settings, now=MONDAY).root_pem == made.root_pem
    assert host_keys.is_other(session, "signing", None)


def test_a_job_on_a_host_without_the_key_is_refused_and_certifies_nobody(world: FinalWorld, session: Session, app: Flask, second: Settings) -> None:
    Seal.ours(session, session.info["jobs"].settings, now=MONDAY)
    job = Job(kind="certificates.issue", title="制作证书", arguments={"list_id": world.results.id}, account_id=world.officer.account_id, created_at=MONDAY)
    session.add(job)
    session.commit()
    Jobs(second, app.extensions["examroom"]["database"], clock=lambda: MONDAY).run(job.id)
    session.expire_all()
    assert (job.state, FILE_NAME in job.message) == (JobState.REFUSED, True)
    assert desk.certificates_of(session, world.results) == []

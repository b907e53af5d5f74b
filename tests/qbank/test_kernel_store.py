"""Uploaded files in a folder that machines share, or in a bucket: moto is the S3 server, and none of ours."""

from __future__ import annotations

import hashlib
import os
import time
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import click.testing
import pytest
from sqlalchemy.orm import Session

from app import GROUPS, create_app
from qbank.kernel import attachments, backup, media_commands, restoring, store
from qbank.kernel.access import Role
from qbank.kernel.attachments import PDF, Attachment, from_bytes, keep, path_of
from qbank.kernel.console import console
from qbank.kernel.db import Database
from qbank.kernel.finding import Finding
from qbank.kernel.refused import Refused
from qbank.kernel.sealed_stream import Secret
from qbank.kernel.settings import BadSetting, Settings
from qbank.kernel.store import BucketStore, Store
from qbank.kernel.times import utc_now
from tests.conftest import BUCKET, MONDAY, People, keys

PROOF = b"%PDF-1.4\nsomebody's proof"
NAME = hashlib.sha256(PROOF).hexdigest()


def host(settings: Settings, folder: Path) -> Store:
    """The store as another machine with a folder of its own sees it."""
    return store.of(replace(settings, folder=folder))


def put(into: Store, content: bytes = PROOF) -> str:
    name = hashlib.sha256(content).hexdigest()
    with into.coming() as (stream, coming):
        stream.write(content)
        into.keep(stream, coming, name)
    return name


def kept_by(people: People, session: Session, held: Store) -> Attachment:
    session.info["media"] = held
    return keep(session, from_bytes(PROOF, "证明.pdf"), people("陈老师", Role.EXAM_OFFICER), kinds=(PDF,), now=MONDAY)


def test_what_one_machine_takes_in_another_hands_out_and_keeps_a_copy_of(in_bucket: Settings, bucket: Any, tmp_path: Path,
                                                                        session: Session, people: People) -> None:
    made = kept_by(people, session, host(in_bucket, tmp_path / "one"))
    assert keys(bucket) == [f"exams/2026/{NAME[:2]}/{NAME}"]
    session.info["media"] = other = host(in_bucket, tmp_path / "two")
    assert path_of(session, made).read_bytes() == PROOF
    assert attachments.intact(session, made)
    bucket.delete_object(Bucket="media", Key=keys(bucket)[0])
    assert path_of(session, made).read_bytes() == PROOF  # the copy, which is always right
    assert not list(other.folder.rglob("coming-*"))
    session.info["media"] = host(in_bucket, tmp_path / "three")
    with pytest.raises(Refused, match="不在媒体文件夹中"):
        path_of(session, made)


def test_a_page_hands_out_a_file_from_the_bucket(in_bucket: Settings, session: Session, people: People, clock: Any) -> None:
    made = kept_by(people, session, store.of(in_bucket))
    other = create_app(in_bucket, clock=clock)
    with other.test_request_context(), other.extensions["examroom"]["database"].open(None, reads_only=True) as reading:
        answer = attachments.download(reading, made)
        answer.direct_passthrough = False
        assert answer.get_data() == PROOF
        answer.close()


def test_a_copy_ends_after_a_day_so_that_what_was_destroyed_is_gone_everywhere(in_bucket: Settings, bucket: Any, tmp_path: Path) -> None:
    one, two = host(in_bucket, tmp_path / "one"), host(in_bucket, tmp_path / "two")
    put(one)
    place = two.find(NAME)
    assert place is not None
    one.remove(NAME)
    assert keys(bucket) == []
    assert one.find(NAME) is None
    os.utime(place, (time.time() - store.STALE_SECONDS - 60,) * 2)
    assert two.find(NAME) is None  # asked for again
    os.utime(place, (time.time() - store.KEPT_SECONDS - 60,) * 2)
    assert host(in_bucket, tmp_path / "two").find("0" * 64) is None  # whatever is asked for, the old copies go
    assert not place.exists()


def test_what_was_changed_in_the_bucket_is_refused(in_bucket: Settings, bucket: Any, tmp_path: Path) -> None:
    held = host(in_bucket, tmp_path / "one")
    put(held)
    bucket.put_object(Bucket="media", Key=keys(bucket)[0], Body=b"%PDF-1.4\nforged")
    with pytest.raises(Refused, match="哈希不一致"):
        host(in_bucket, tmp_path / "two").find(NAME)
    assert not [file for file in (tmp_path / "two").rglob("*") if file.is_file()]


@pytest.mark.parametrize("there", ["nobody answers", "no such bucket"])
def test_a_bucket_that_cannot_be_reached_ends_in_a_sentence_and_no_row(there: str, in_bucket: Settings, tmp_path: Path, session: Session, people: People,
                                                                       monkeypatch: pytest.MonkeyPatch) -> None:
    wrong = {"nobody answers": replace(in_bucket, s3_endpoint="http://127.0.0.1:9"), "no such bucket": replace(in_bucket, media_url="s3://elsewhere")}
    monkeypatch.setattr("qbank.kernel.buckets.ATTEMPTS", 1)
    with pytest.raises(Refused, match="对象存储没有回应"):
        kept_by(people, session, host(wrong[there], tmp_path / "one"))
    assert session.query(Attachment).count() == 0


def test_two_machines_share_a_folder(settings: Settings, tmp_path: Path, session: Session, people: People) -> None:
    shared = replace(settings, media_url=str(tmp_path / "nas"))
    made = kept_by(people, session, host(shared, tmp_path / "one"))
    session.info["media"] = host(shared, tmp_path / "two")
    assert path_of(session, made).read_bytes() == PROOF
    assert path_of(session, made).is_relative_to(tmp_path / "nas")


@pytest.mark.one_database
def test_a_backup_holds_what_lies_in_the_bucket_and_a_restore_brings_it_back(in_bucket: Settings, bucket: Any, tmp_path: Path,
                                                                            session: Session, people: People) -> None:
    held = store.of(in_bucket)
    kept_by(people, session, held)
    session.commit()
    database = Database(in_bucket.database_url, media=held)
    secret = Secret(key=b"k" * 32)
    made = backup.make(in_bucket, database, secret, now=utc_now(), folder=tmp_path / "backups")
    lean = backup.make(in_bucket, database, secret, now=utc_now(), folder=tmp_path / "backups" / "lean", media=False)
    assert made.files == lean.files + 1
    assert not list(held.folder.rglob("coming-*"))
    for one in keys(bucket):
        bucket.delete_object(Bucket="media", Key=one)
    restoring.restore(made.file, secret, tmp_path / "new")
    assert (tmp_path / "new" / "media" / NAME[:2] / NAME).read_bytes() == PROOF
    again = replace(in_bucket, folder=tmp_path / "new", database_url=f"sqlite:///{tmp_path / 'new' / 'examroom.sqlite3'}")
    assert "1 files copied" in run(again, "copy", str(tmp_path / "new" / "media")).output
    assert "0 files copied" in run(again, "copy", str(tmp_path / "new" / "media")).output
    assert run(again, "verify", "--deep").exit_code == 0
    assert keys(bucket) == [f"exams/2026/{NAME[:2]}/{NAME}"]


def run(settings: Settings, *words: str) -> click.testing.Result:
    """``examroom media`` as it is typed, with what the settings say."""
    said = {"EXAMROOM_DATABASE_URL": settings.database_url, "EXAMROOM_MEDIA_URL": settings.media_url, "EXAMROOM_S3_ENDPOINT": settings.s3_endpoint}
    return click.testing.CliRunner().invoke(console(create_app, GROUPS), ["--dir", str(settings.folder), "media", *words], env=said)


def test_what_is_missing_changed_or_nobodys_is_found(in_bucket: Settings, bucket: Any, session: Session, people: People) -> None:
    held = store.of(in_bucket)
    kept_by(people, session, held)
    session.commit()
    orphan = put(held, b"a file of a request that was broken off")
    found = run(in_bucket, "verify", "--remove-orphans")
    assert (found.exit_code, "2 files, 0 missing, 1 that no row names" in found.output) == (0, True)
    assert orphan in held.held()  # of today: its request may still be under way
    bucket.put_object(Bucket="media", Key=f"exams/2026/{NAME[:2]}/{NAME}", Body=b"forged")
    found = run(in_bucket, "verify", "--deep")
    assert (found.exit_code, f"changed {NAME}" in found.output) == (1, True)
    held.remove(NAME)
    found = run(in_bucket, "verify")
    assert (found.exit_code, f"missing {NAME}" in found.output) == (1, True)


def test_the_doctor_counts_what_is_missing_and_says_when_the_bucket_does_not_answer(
        in_bucket: Settings, session: Session, people: People, monkeypatch: pytest.MonkeyPatch) -> None:
    held = store.of(in_bucket)
    kept_by(people, session, held)
    session.commit()

    def said(settings: Settings) -> Finding:
        with closing(Database(settings.database_url, media=store.of(settings)).open(None, reads_only=True)) as reading:
            return media_commands._look(reading)

    assert (said(in_bucket).well, said(in_bucket).detail) == (True, f"{held.told}，缺 0 个文件")
    held.remove(NAME)
    assert (said(in_bucket).well, said(in_bucket).detail) == (False, f"{held.told}，缺 1 个文件")
    monkeypatch.setattr("qbank.kernel.buckets.ATTEMPTS", 1)
    silent = said(replace(in_bucket, s3_endpoint="http://127.0.0.1:9"))
    assert (silent.well, "没有回应" in silent.detail) == (False, True)


def test_an_old_orphan_of_a_folder_is_taken_away(settings: Settings, session: Session, people: People) -> None:
    held = store.of(settings)
    kept_by(people, session, held)
    session.commit()
    orphan = put(held, b"nobody's")
    os.utime(held.place(orphan), (time.time() - 2 * 24 * 3600,) * 2)
    assert f"removed {orphan}" in run(settings, "verify", "--remove-orphans").output
    assert held.held().keys() == {NAME}


def test_bytes_go_when_the_transaction_stands_and_a_dead_bucket_does_not_undo_it(in_bucket: Settings, bucket: Any, database: Database, session: Session,
                                                                                people: People, caplog: pytest.LogCaptureFixture,
                                                                                monkeypatch: pytest.MonkeyPatch) -> None:
    held = store.of(in_bucket)
    made = kept_by(people, session, held)
    session.commit()
    attachments.discard(session, [made.sha256])
    session.rollback()
    assert held.find(NAME) is not None
    session.get_one(Attachment, made.id)
    attachments.discard(session, [made.sha256])
    session.commit()
    assert keys(bucket) == []
    monkeypatch.setattr("qbank.kernel.buckets.ATTEMPTS", 1)
    session.info["media"] = store.of(replace(in_bucket, s3_endpoint="http://127.0.0.1:9"))
    session.get_one(Attachment, made.id)
    attachments.discard(session, [made.sha256])
    session.commit()
    assert f"not taken away: {NAME}" in caplog.text


@pytest.mark.parametrize(("name", "value"), [("EXAMROOM_MEDIA_URL", "s3://"), ("EXAMROOM_MEDIA_URL", "media"), ("EXAMROOM_S3_ADDRESSING", "tunnel"),
                                             ("EXAMROOM_S3_ENDPOINT", "minio:9000"), ("EXAMROOM_LOG_FORMAT", "xml"), ("EXAMROOM_SLOW_QUERY_MS", "-1"),
                                             ("EXAMROOM_INTERNAL_ADDRESS", "9100"), ("EXAMROOM_INTERNAL_ADDRESS", "127.0.0.1:99999")])
def test_a_bad_value_names_its_variable(name: str, value: str, tmp_path: Path) -> None:
    with pytest.raises(BadSetting, match=name):
        Settings.from_environment({name: value}, folder=tmp_path)


def test_the_settings_choose_the_store(tmp_path: Path) -> None:
    def chosen(**said: str) -> Store:
        return store.of(Settings.from_environment({f"EXAMROOM_{name}": value for name, value in said.items()}, folder=tmp_path))

    assert chosen().folder == tmp_path / "media"
    assert chosen(MEDIA_URL=f"file://{tmp_path}/nas").folder == tmp_path / "nas"
    held = chosen(MEDIA_URL=BUCKET, S3_ENDPOINT="https://minio.school.cn:9000/")
    assert isinstance(held, BucketStore)
    assert held.told == f"{BUCKET}/ at https://minio.school.cn:9000"
    assert (Settings.from_environment({"EXAMROOM_INTERNAL_ADDRESS": "[::1]:9100"}, folder=tmp_path).internal_address) == ("::1", 9100)


def test_a_store_that_cannot_be_written_says_so(settings: Settings, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    found = run(replace(settings, media_url=str(tmp_path / "file")), "verify")
    assert found.exit_code == 1
    assert str(tmp_path / "file") in found.output

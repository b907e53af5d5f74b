"""Personal data after its time: who is due, two persons, what goes, what stays, and what the trail tells."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient
from PIL import Image
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from examroom.plans.models import CandidatePhoto, Enrolment
from examroom.plans.qualification_models import EntryProof
from qbank.kernel import attachments, store
from qbank.kernel.access import Role, Scope, Viewer
from qbank.kernel.accounts import Account, give
from qbank.kernel.attachments import Attachment, from_bytes, keep, place_of
from qbank.kernel.audit import AuditEntry, verify
from qbank.kernel.refused import Refused
from qbank.kernel.settings import Settings
from qbank.kernel.times import local_date
from scoring.archive import erasing, keeping
from scoring.archive.erasure_models import Erasure
from scoring.archive.models import DestructionState
from scoring.archive.todo import todo
from scoring.certificates import desk, public, report
from scoring.certificates.models import Certificate
from scoring.certificates.report_models import BatchKind, ReportBatch
from scoring.results.case_models import Misconduct
from scoring.results.merge import THEORY
from scoring.results.models import CreditState, Objection, Result
from tests.conftest import MONDAY, People, keys
from tests.scoring.archive_world import keep_one_key, small_pack
from tests.scoring.final_world import CIPHER, FinalWorld, identity_number

Enter = Callable[[Viewer], FlaskClient]
OVER = datetime(2031, 6, 2, 1, 0, tzinfo=UTC)  # the five years of this pack ended the day before
SOON = timedelta(days=1)
DIPLOMA, REGISTER = b"%PDF-1.4\na diploma of Zhang\n%%EOF", b"%PDF-1.4\nthe register of a class\n%%EOF"


def face() -> bytes:
    stream = BytesIO()
    Image.new("RGB", (90, 120), "white").save(stream, "PNG")
    return stream.getvalue()


@pytest.fixture
def world(session: Session, people: People) -> FinalWorld:
    """Zhang and Li hold certificates, Wang failed; each with school data, Zhang with a photo, a diploma, a report to the office."""
    keep_one_key(session)
    made = FinalWorld(session, people)
    photo = CandidatePhoto(institution_id=made.school.id, sha256="a" * 64, media_type="image/png", content=face(), at=MONDAY)
    session.add(photo)
    session.flush()
    for place, one in enumerate(made.candidates):
        one.student_number, one.class_name, one.born, one.time_reason = f"2301{place:04d}", "电气一班", date(2006, 1, 1), "左手骨折"
    made.candidates[0].photo_id = photo.id
    for content, name, owners in ((DIPLOMA, "张晓明毕业证.pdf", made.candidates[:1]), (REGISTER, "学籍表.pdf", made.candidates)):
        file = keep(session, from_bytes(content, name), made.officer, now=MONDAY)
        session.add_all([EntryProof(enrolment=one, attachment=file, title=name, at=MONDAY) for one in owners])
    session.add(Objection(list_id=made.results.id, text="对成绩有异议", raised_by="王大妈 13800000000", recorded_by=made.officer.account_id, at=MONDAY))
    desk.issue(session, made.results, made.officer, cipher=CIPHER, now=MONDAY)
    report.make_batch(session, made.results, BatchKind.NEW, made.officer, cipher=CIPHER, now=MONDAY)
    session.commit()
    return made


def destroyed(world: FinalWorld) -> None:
    asked = keeping.ask(world.session, small_pack(world.session, world.plan, world.officer), world.officer, "保存期满", now=OVER)
    keeping.decide(world.session, asked, world.checker, True, now=OVER)
    world.session.commit()


def due(world: FinalWorld) -> list[str]:
    return [one.name for one in erasing.due(world.session, world.school, local_date(OVER))]


def erased(world: FinalWorld) -> Erasure:
    asked = erasing.ask(world.session, world.school, world.officer, "保存期满", now=OVER)
    erasing.decide(world.session, asked, world.checker, True, now=OVER)
    world.session.commit()
    world.session.expire_all()
    return asked


def test_nobody_is_due_before_the_archive_is_destroyed_and_while_anything_still_needs_the_data(world: FinalWorld, people: People) -> None:
    everybody = ["张晓明", "李芳", "王强"]
    assert due(world) == []
    with pytest.raises(Refused, match="现在没有"):
        erasing.ask(world.session, world.school, world.officer, "保存期满", now=OVER)
    destroyed(world)
    assert due(world) == everybody
    held = keeping.hold(world.session, world.plan, world.officer, "诉讼", now=OVER)
    assert due(world) == []
    keeping.release(world.session, held, world.officer, "诉讼结束", now=OVER)
    wang = Misconduct(enrolment_id=world.candidates[2].id, part=THEORY, tier="一般违纪", happened_on=date(2026, 6, 1), evidence="夹带纸条",
                      state=CreditState.PROPOSED, proposed_by=world.officer.account_id, proposed_at=MONDAY, banned_until=local_date(OVER))
    world.session.add(wang)
    give(world.session, world.candidates[1].candidate, Scope(Role.INVIGILATOR, world.school.id))  # works at the school today
    assert due(world) == ["张晓明"]
    wang.banned_until = local_date(OVER - SOON)
    assert due(world) == ["张晓明", "王强"]


def test_who_sits_another_batch_that_is_still_kept_keeps_everything(world: FinalWorld) -> None:
    destroyed(world)
    again = world.new_plan("JH-2030-001")
    world.session.add(Enrolment(plan_id=again.id, candidate=world.candidates[0].candidate, ticket_number="2026999999"))
    world.session.flush()
    assert due(world) == ["李芳", "王强"]


def test_two_persons_erase_and_the_result_and_the_number_of_the_certificate_stay(world: FinalWorld, session: Session) -> None:
    destroyed(world)
    place = place_of(session, hashlib.sha256(DIPLOMA).hexdigest())
    register = place_of(session, hashlib.sha256(REGISTER).hexdigest())
    numbers = list(session.scalars(sa.select(Certificate.number).order_by(Certificate.number)))
    asked = erasing.ask(session, world.school, world.officer, "保存期满", now=OVER)
    with pytest.raises(Refused, match="两人"):
        erasing.decide(session, asked, world.officer, True, now=OVER)
    with pytest.raises(Refused, match="已有一项"):
        erasing.ask(session, world.school, world.checker, "保存期满", now=OVER)
    session.commit()
    assert [one.title for one in todo(session, world.checker, now=OVER) if "到期删除" in one.title] == ["核准到期删除个人信息：3 人"]
    session.rollback()
    erasing.decide(session, session.get_one(Erasure, asked.id), world.checker, True, now=OVER)
    assert place.is_file()
    session.commit()  # the job runs
    session.expire_all()
    assert (len(asked.erased), asked.kept, asked.finished, due(world)) == (3, [], True, [])
    zhang = session.get_one(Account, world.candidates[0].account_id)
    assert (zhang.name, zhang.identity_cipher, zhang.identity_hash, zhang.identity_masked, zhang.active) == ("张晓明", None, None, None, False)
    own = world.candidates[0]
    assert (own.student_number, own.class_name, own.born, own.time_reason, own.facts, own.photo_id) == ("", "", None, "", {}, None)
    assert own.ticket_number
    assert session.scalars(sa.select(CandidatePhoto.content)).all() == [b""]
    assert (place.exists(), register.exists()) == (False, False)
    assert set(session.scalars(sa.select(Attachment.name).where(Attachment.id.in_(sa.select(EntryProof.attachment_id))))) == {erasing.GONE}
    proof = session.scalars(sa.select(Attachment).where(Attachment.name == erasing.GONE).limit(1)).one()
    assert proof.told == erasing.GONE
    with pytest.raises(Refused, match="保存期满后删除"):
        attachments.path_of(session, proof)
    assert session.scalars(sa.select(Objection.raised_by)).one() == erasing.GONE
    # What stays.
    assert list(session.scalars(sa.select(Result.theory).order_by(Result.id))) == [160, 160, 119]
    kept = session.scalars(sa.select(Certificate).order_by(Certificate.number)).all()
    assert [(one.number, one.holder, one.pdf, one.identity_masked, one.erased) for one in kept] == [
        (numbers[0], "张晓明", b"", "", True), (numbers[1], "李芳", b"", "", True)]
    assert [one.number for one in public.look_up(session, number=numbers[0], name="张晓明", cipher=CIPHER)] == [numbers[0]]
    assert public.look_up(session, name="张晓明", identity_number=identity_number(0), cipher=CIPHER) == []
    with pytest.raises(Refused, match="保存期满后删除"):
        report.take(session, session.scalars(sa.select(ReportBatch)).one(), world.officer, cipher=CIPHER, now=OVER)


def test_the_trail_tells_it_without_the_data(world: FinalWorld, session: Session) -> None:
    destroyed(world)
    erased(world)
    entries = session.scalars(sa.select(AuditEntry).where(AuditEntry.action == "erase")).all()
    assert {one.table_name for one in entries} == {"accounts", "enrolments", "certificates", "candidate_photos", "attachments", "objections", "report_batches"}
    assert {one.actor_name for one in entries} == {world.checker.name}
    assert all(pair == ["（不记录）", None] for one in entries for pair in one.values.values())
    text = json.dumps([one.values for one in entries], ensure_ascii=False)
    assert not [word for word in ("2301", "电气一班", "骨折", "138000", "43010", "毕业证") if word in text]
    assert verify(session) == []


def test_a_file_of_a_whole_class_goes_with_the_last_of_them(world: FinalWorld, session: Session) -> None:
    destroyed(world)
    give(session, world.candidates[1].candidate, Scope(Role.INVIGILATOR, world.school.id))
    session.commit()
    assert len(erased(world).erased) == 2
    assert place_of(session, hashlib.sha256(REGISTER).hexdigest()).is_file()
    assert session.scalars(sa.select(Objection.raised_by)).one() != erasing.GONE
    assert session.scalars(sa.select(ReportBatch.file_cipher)).one() != b""


def test_a_bucket_loses_the_files_and_so_do_the_copies_of_a_machine(world: FinalWorld, session: Session, in_bucket: Settings, bucket: Any,
                                                                     tmp_path: Path) -> None:
    """The diploma was handed in twice: the bytes go with the second row, and nobody misses them afterwards."""
    session.info["media"] = held = store.of(replace(in_bucket, folder=tmp_path / "one"))
    for one in world.candidates[:2]:
        file = keep(session, from_bytes(DIPLOMA, "毕业证.pdf"), world.officer, now=MONDAY)
        session.add(EntryProof(enrolment=one, attachment=file, title="毕业证", at=MONDAY))
    session.commit()
    name = hashlib.sha256(DIPLOMA).hexdigest()
    erasing.erase(session, world.candidates[0].account_id)
    session.commit()
    assert keys(bucket)[0].endswith(name)  # Li's
    erasing.erase(session, world.candidates[1].account_id)
    session.rollback()
    assert held.find(name) is not None
    erasing.erase(session, world.candidates[1].account_id)
    session.commit()
    assert (keys(bucket), held.place(name).exists(), held.find(name)) == ([], False, None)
    assert attachments.missing(session) == [hashlib.sha256(REGISTER).hexdigest()]  # Wang's still, in the folder of before
    erasing.erase(session, world.candidates[2].account_id)
    session.commit()
    assert attachments.missing(session) == []


def test_who_is_no_longer_due_when_the_job_comes_is_left_and_named(world: FinalWorld, session: Session) -> None:
    destroyed(world)
    asked = erasing.ask(session, world.school, world.officer, "保存期满", now=OVER)
    give(session, world.candidates[1].candidate, Scope(Role.INVIGILATOR, world.school.id))
    erasing.decide(session, asked, world.checker, True, now=OVER)
    session.commit()
    session.expire_all()
    assert [key for key, _ in asked.kept] == [world.candidates[1].account_id]
    assert session.get_one(Account, world.candidates[1].account_id).identity_masked


def test_not_agreeing_needs_a_reason_and_erases_nothing(world: FinalWorld, session: Session) -> None:
    destroyed(world)
    asked = erasing.ask(session, world.school, world.officer, "保存期满", now=OVER)
    with pytest.raises(Refused, match="理由"):
        erasing.decide(session, asked, world.checker, False, now=OVER)
    erasing.decide(session, asked, world.checker, False, "先核对名单", now=OVER)
    session.commit()
    assert (asked.state, len(due(world))) == (DestructionState.REFUSED, 3)
    with pytest.raises(Refused, match="已有决定"):
        erasing.decide(session, asked, world.checker, True, now=OVER)
    asked.decided_by = asked.asked_by
    with pytest.raises(IntegrityError):
        session.flush()
    session.rollback()


def test_the_pages_of_it_and_what_certificates_say_afterwards(world: FinalWorld, session: Session, enter: Enter, clock: Callable[[], datetime]) -> None:
    destroyed(world)
    clock.moment = OVER  # type: ignore[attr-defined]
    away = world.stranger()
    which = session.scalars(sa.select(Certificate.id).order_by(Certificate.id)).all()[0]
    session.commit()
    officer, checker, stranger = enter(world.officer), enter(world.checker), enter(away)
    assert "现在可以删除 <b>3</b> 名考生" in officer.get("/archive/erasures").get_data(as_text=True)
    assert "张晓明" not in stranger.get("/archive/erasures").get_data(as_text=True)
    assert stranger.post(f"/archive/erasures/institutions/{world.school.id}", data={"reason": "x" * 9}).status_code == 404
    assert officer.post(f"/archive/erasures/institutions/{world.school.id}", data={"reason": "保存期满"}).status_code == 302
    key = session.scalars(sa.select(Erasure.id)).one()
    session.rollback()
    assert stranger.post(f"/archive/erasures/{key}", data={"approves": "1"}).status_code == 404
    assert "已有一项申请" in officer.get("/archive/erasures").get_data(as_text=True)
    page = checker.get("/archive/erasures").get_data(as_text=True)
    assert "核准并删除" in page
    assert "<p>张晓明、李芳、王强</p>" in page  # whom it is about
    assert checker.post(f"/archive/erasures/{key}", data={"approves": "1"}).status_code == 302
    page = officer.get("/archive/erasures").get_data(as_text=True)
    assert "同意，已删除 3 人" in page
    assert identity_number(0)[-4:] not in page
    for address in (f"/certificates/{which}/credential", f"/certificates/{which}/pdf"):
        assert "保存期满后删除" in officer.post(address).get_data(as_text=True), address
    assert officer.get(f"/certificates/{which}").status_code == 200

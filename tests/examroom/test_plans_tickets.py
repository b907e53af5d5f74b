"""Photos singly and in a ZIP, and the 准考证 as a PDF: one, a whole plan, only for who is accepted."""

from __future__ import annotations

import dataclasses
import io
import zipfile
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pypdf
import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient
from PIL import Image
from sqlalchemy.orm import Session

from examroom.plans import codes, photo_job, photos, seating, ticket_job, ticket_print
from examroom.plans.models import CandidatePhoto, Enrolment, PlanState
from examroom.plans.qualification_models import TicketFile
from qbank.kernel import attachments
from qbank.kernel.access import Role, Viewer
from qbank.kernel.jobs import Job, Jobs, JobState
from qbank.kernel.refused import Refused
from qbank.standards.rulepack import RulePack
from tests.conftest import MONDAY, People, TestClock
from tests.plan_world import CIPHER, PlanWorld, identity_number

KEY = b"c" * 32


@pytest.fixture
def world(session: Session, people: People) -> PlanWorld:
    return PlanWorld.make(session, people)


def picture(shade: int = 0, size: tuple[int, int] = (295, 413), form: str = "JPEG") -> bytes:
    stream = io.BytesIO()
    Image.new("RGB", size, (shade, 120, 120)).save(stream, form)
    return stream.getvalue()


def packed(*files: tuple[str, bytes]) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name, content in files:
            archive.writestr(name, content)
    return stream.getvalue()


def pages(content: bytes) -> list[str]:
    return ["".join(page.extract_text().split()) for page in pypdf.PdfReader(io.BytesIO(content)).pages]


@pytest.mark.parametrize(("content", "sentence"), [
    (b"not a picture", "无法读取"), (picture(size=(100, 140)), "100×140 像素，应不小于 200×280"), (picture(size=(400, 300)), "不是竖版证件照"),
    (picture(size=(300, 600)), "不是竖版证件照"), (b"<svg xmlns='http://www.w3.org/2000/svg' width='300' height='400'></svg>", "JPG 或 PNG"),
    (picture() + b"\0" * 600 * 1024, "超过 500 KB")])
def test_a_picture_that_is_no_photo_for_documents_is_refused(content: bytes, sentence: str) -> None:
    with pytest.raises(Refused, match=sentence):
        photos.checked(content, RulePack())


def test_one_photo_belongs_to_one_candidate_of_a_plan(world: PlanWorld) -> None:
    chen, wu = world.enrol(world.draft(), 2)
    photos.keep(world.session, chen, picture(), world.liu, now=MONDAY)
    photos.keep(world.session, chen, picture(), world.liu, now=MONDAY)  # again: his own
    with pytest.raises(Refused, match=r"与考生001（.*的照片相同"):
        photos.keep(world.session, wu, picture(), world.liu, now=MONDAY)
    assert wu.photo_id is None
    with pytest.raises(Refused, match="不包括该校"):
        photos.keep(world.session, wu, picture(1), world.people("他校", Role.EXAM_OFFICER, school=world.people.school("他校")), now=MONDAY)


def test_files_of_a_zip_are_named_by_identity_student_or_ticket_number(world: PlanWorld) -> None:
    plan = world.draft()
    first, second, third, fourth, _ = world.enrol(plan, 5)
    fourth.student_number = "20240005"  # as the fifth one's
    world.session.flush()
    archive = packed((f"照片/{identity_number(1)}.jpg", picture(1)), (f"20240002_{second.candidate.name}.png", picture(2, form="PNG")),
                     (f"{third.ticket_number}.jpg", picture(3)), ("20240005.jpg", picture(5)), ("无此人.jpg", picture(6)),
                     (f"{identity_number(9)}张三.jpg", picture(7)), ("20240001.jpg", b"not a picture"), (f"{fourth.ticket_number}.jpg", picture(1)),
                     ("__MACOSX/._20240001.jpg", b""))
    report = photos.keep_all(world.session, plan, archive, world.liu, cipher=CIPHER, now=MONDAY)
    assert [one.photo_id is not None for one in (first, second, third, fourth)] == [True, True, True, False]
    told = "".join(report.problems)
    assert (report.kept, len(report.problems)) == (3, 5)
    for sentence in ("多名考生", "没有这个证件号码", "无法读取", "照片相同"):
        assert sentence in told
    assert identity_number(9) not in told  # a number in a file name is masked too
    kept = world.session.get_one(CandidatePhoto, first.photo_id)
    assert (kept.media_type, Image.open(io.BytesIO(kept.content)).size) == ("image/jpeg", (295, 413))
    with pytest.raises(Refused, match="不是可以读取的 ZIP"):
        photos.keep_all(world.session, plan, b"nonsense", world.liu, cipher=CIPHER, now=MONDAY)


def test_a_zip_comes_in_by_a_job_that_names_what_it_left(world: PlanWorld, session: Session, app: Flask,
                                                         enter: Callable[[Viewer], FlaskClient]) -> None:
    plan = world.draft()
    world.enrol(plan, 2)
    session.commit()
    before = attachments.store_of(session).held().keys(), attachments.named(session)
    session.commit()
    liu = enter(world.liu)
    door = f"/invigilation/plans/{plan.id}/photos"
    archive = packed(("20240001.jpg", picture(1)), ("20249999.jpg", picture(2)))
    job = liu.post(door, data={"file": (io.BytesIO(archive), "照片.zip")}).headers["Location"]
    page = liu.get(job).get_data(as_text=True)
    assert "已保存 1 张照片，1 个文件没有保存" in page
    assert "20249999.jpg：没有这个证件号码、学号或准考证号的考生" in page
    assert liu.post(door).status_code == 409
    session.expire_all()
    assert session.scalar(sa.select(sa.func.count(Enrolment.photo_id))) == 1
    assert (attachments.store_of(session).held().keys(), attachments.named(session)) == before  # done with


def test_a_zip_that_waits_is_found_by_a_worker_of_another_host_and_is_nobodys_afterwards(world: PlanWorld, session: Session, app: Flask,
                                                                                         tmp_path: Path) -> None:
    plan = world.draft()
    world.enrol(plan, 1)
    proofs = attachments.named(session)
    aside = photo_job.put_aside(session, packed(("20240001.jpg", picture(1))))
    again = photo_job.put_aside(session, packed(("20240001.jpg", picture(1))))
    assert b"20240001" not in attachments.place_of(session, aside["archive"]).read_bytes()
    first, second = (Job(kind=photo_job.KEEP_PHOTOS, title="导入考生照片", arguments={"plan_id": plan.id, **one}, account_id=world.liu.account_id,
                         created_at=MONDAY) for one in (aside, again))
    session.add_all([first, second])
    session.commit()
    assert attachments.named(session) - proofs == {aside["archive"], again["archive"]}
    session.commit()
    held = app.extensions["examroom"]
    other_host = Jobs(dataclasses.replace(held["settings"], folder=tmp_path / "other"), held["database"], clock=lambda: MONDAY)
    other_host.run(first.id)
    session.expire_all()
    assert (first.state, session.scalar(sa.select(sa.func.count(Enrolment.photo_id)))) == (JobState.DONE, 1)
    assert attachments.store_of(session).held().keys() - proofs == attachments.named(session) - proofs == {again["archive"]}


def test_the_ticket_says_who_when_where_and_carries_photo_and_code(world: PlanWorld) -> None:
    plan = world.approved()
    chen = world.enrol(plan, 1)[0]
    photos.keep(world.session, chen, picture(), world.liu, now=MONDAY)
    seating.seat_all(world.session, world.ready(plan), world.liu, seed="1")
    content = ticket_print.draw(world.session, plan, [chen], key=KEY, cipher=CIPHER, now=MONDAY)
    text, = pages(content)
    for said in ("准考证", chen.ticket_number, "考生001", "性别男", "430102********" + identity_number(1)[-4:], "电工", "四级/中级工", "理论知识",
                 "2026年7月1日09:00", "机房一", "1号", "考生须知", "刘老师", "".join(codes.make(KEY, chen.id, 1))):
        assert said in text, said
    assert identity_number(1) not in text
    assert len(pypdf.PdfReader(io.BytesIO(content)).pages[0].images) == 1


def test_no_ticket_before_approval_or_acceptance(world: PlanWorld) -> None:
    plan = world.draft()
    waiting = world.enrol(plan, 1, accepted=False)
    for state, sentence in ((PlanState.DRAFT, "草稿，批准后"), (PlanState.APPROVED, "资格审核没有通过")):
        plan.state = state
        with pytest.raises(Refused, match=sentence):
            ticket_print.draw(world.session, plan, waiting, key=KEY, cipher=CIPHER, now=MONDAY)
    with pytest.raises(Refused, match="没有资格审核通过的考生"):
        ticket_print.draw(world.session, plan, [], key=KEY, cipher=CIPHER, now=MONDAY)


def test_what_rooms_above_arranged_stands_on_the_ticket_in_the_order_of_time(
        world: PlanWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    plan = world.approved()
    chen = world.enrol(plan, 1)[0]
    seating.seat_all(world.session, world.ready(plan), world.liu, seed="1")
    earlier = chen.seats[0].sitting_room.sitting.starts_at - timedelta(days=1)
    monkeypatch.setattr(ticket_print, "ANNOUNCED", [lambda session, ids: {key: [(earlier, "操作技能", "电工实训楼 201", "3 号工位")] for key in ids}])
    text, = pages(ticket_print.draw(world.session, plan, [chen], key=KEY, cipher=CIPHER, now=MONDAY))
    assert text.index("电工实训楼201") < text.index("机房一")


def test_a_whole_plan_is_printed_off_the_request_and_forgotten_after_a_day(
        world: PlanWorld, session: Session, clock: TestClock, enter: Callable[[Viewer], FlaskClient]) -> None:
    draft = world.draft(5)
    plan = world.approved()
    world.enrol(plan, 3)
    world.enrol(plan, 1, first=4, accepted=False)
    colleague = world.people("另一考务", Role.EXAM_OFFICER)
    session.commit()
    liu, page = enter(world.liu), f"/plans/{plan.id}/tickets"
    shown = liu.get(page).get_data(as_text=True)
    assert "3 名考生还没有座位" in shown
    assert "3 名考生没有照片" in shown
    assert liu.post(f"/plans/{draft.id}/tickets").status_code == 409
    job = liu.post(page).headers["Location"]
    assert "已完成" in liu.get(job).get_data(as_text=True)
    printed = liu.get("/plans/ticket-files/1.pdf").data
    assert [("考生004" in text) for text in pages(printed)] == [False] * 3  # a page each, nobody who is not accepted
    assert enter(colleague).get("/plans/ticket-files/1.pdf").status_code == 404
    assert len(pages(liu.get("/plans/enrolments/1/ticket.pdf").data)) == 1
    assert liu.get("/plans/enrolments/4/ticket.pdf").status_code == 409
    session.expire_all()
    ticket_job.forget_tickets(session, clock.forward(hours=25))
    session.commit()
    assert session.scalars(sa.select(TicketFile.content)).all() == [None]
    session.commit()
    liu = enter(world.liu)
    assert "保留一天后已清除" in liu.get(page).get_data(as_text=True)
    assert liu.get("/plans/ticket-files/1.pdf").status_code == 404

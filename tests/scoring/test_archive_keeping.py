"""What keeps a pack and how it ends; scans and places on paper; recordings by path and hash."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from qbank.kernel.access import Role, Viewer
from qbank.kernel.attachments import from_bytes, place_of
from qbank.kernel.audit import AuditEntry
from qbank.kernel.refused import Refused
from qbank.kernel.settings import Settings
from scoring.archive import desk, filed, keeping, videos
from scoring.archive.checklist import documents
from scoring.archive.models import ArchiveAccess, ArchivePack, Destruction, DestructionState, FiledDocument, Seen, Video
from scoring.archive.todo import todo
from scoring.archive.videos import Recording
from tests.conftest import MONDAY, TestClock
from tests.scoring.archive_world import small_pack
from tests.scoring.final_world import FinalWorld

Enter = Callable[[Viewer], FlaskClient]
SCAN = b"%PDF-1.4\nsign-in sheet of the invigilators\n%%EOF"
LAST = datetime(2031, 6, 1, 15, 59, tzinfo=UTC)  # 23:59 in China on the last day of five years
OVER = LAST + timedelta(minutes=2)


@pytest.fixture
def world(session: Session, people: Any) -> FinalWorld:
    found = FinalWorld(session, people)
    session.commit()
    return found


def stored(world: FinalWorld) -> ArchivePack:
    made = small_pack(world.session, world.plan, world.officer)
    world.session.commit()
    return made


def scan_of(world: FinalWorld, content: bytes = SCAN) -> FiledDocument:
    return filed.file_document(world.session, world.plan, "invigilators", world.officer, upload=from_bytes(content, "监考签到.pdf"), now=MONDAY)


# Destruction

def test_a_pack_is_destroyed_after_its_time_by_two_persons_and_the_record_stays(world: FinalWorld) -> None:
    scan, made = scan_of(world), stored(world)
    place, scanned = place_of(world.session, made.sha256), place_of(world.session, hashlib.sha256(SCAN).hexdigest())
    asked = keeping.ask(world.session, made, world.officer, "保存期满，校档案鉴定小组 2031 年第 2 次会议", now=OVER)
    keeping.decide(world.session, asked, world.checker, True, "同意", now=OVER)
    assert place.is_file()  # until it is durably written that it may go
    world.session.commit()
    assert (place.exists(), scanned.exists()) == (False, False)
    kept = world.session.scalars(sa.select(Destruction)).one()
    assert (kept.state, kept.asked_by, kept.decided_by, kept.decided_at) == (
        DestructionState.DONE, world.officer.account_id, world.checker.account_id, OVER)
    assert [(name, digest) for name, digest, _ in kept.destroyed] == [
        (f"归档卷 {world.plan.number}.zip", made.sha256), ("说明.txt", hashlib.sha256(world.plan.number.encode()).hexdigest()),
        ("扫描件 监考签到.pdf", hashlib.sha256(SCAN).hexdigest())]
    assert made.destroyed_at == OVER
    with pytest.raises(Refused, match="按规定销毁"), desk.opened(world.session, made):
        pass
    with pytest.raises(Refused, match="按规定销毁"):
        desk.take_out(world.session, made, world.officer, "年度检查", now=OVER)
    with pytest.raises(Refused, match="销毁"):
        keeping.ask(world.session, made, world.officer, "再来一次", now=OVER)
    assert scan.attachment is not None  # what was there stays on record
    acts = world.session.scalars(sa.select(AuditEntry.action).where(AuditEntry.table_name == "archive_destructions"))
    assert set(acts) == {"insert", "update"}


def test_before_the_last_day_has_passed_nobody_destroys(world: FinalWorld) -> None:
    made = stored(world)
    for now in (MONDAY, LAST):
        with pytest.raises(Refused, match="期满后才能销毁") as refused:
            keeping.ask(world.session, made, world.officer, "没有地方放了", now=now)
        assert "五(二)" in refused.value.sentence
    made.keep_until, made.paper_until = date(2029, 6, 1), date(2032, 6, 1)  # the longer of the two counts
    with pytest.raises(Refused, match="2032年6月1日"):
        keeping.ask(world.session, made, world.officer, "没有地方放了", now=OVER)
    assert place_of(world.session, made.sha256).is_file()


def test_one_person_alone_never_destroys(world: FinalWorld) -> None:
    made = stored(world)
    asked = keeping.ask(world.session, made, world.officer, "保存期满", now=OVER)
    with pytest.raises(Refused, match="两人"):
        keeping.decide(world.session, asked, world.officer, True, now=OVER)
    with pytest.raises(Refused, match="已有销毁申请"):
        keeping.ask(world.session, made, world.checker, "保存期满", now=OVER)
    with pytest.raises(Refused, match="考务员"):
        keeping.decide(world.session, asked, world.stranger(), True, now=OVER)
    world.session.commit()
    asked.state, asked.decided_by, asked.decided_at = DestructionState.DONE, world.officer.account_id, OVER
    with pytest.raises(IntegrityError):  # nor does the database take it, whatever the rule forgot
        world.session.flush()
    world.session.rollback()


def test_a_refusal_keeps_the_pack_and_says_why(world: FinalWorld) -> None:
    made = stored(world)
    asked = keeping.ask(world.session, made, world.officer, "保存期满", now=OVER)
    assert [one.waits_for for one in todo(world.session, world.officer, now=OVER) if one.title.startswith("核准")] == ["另一名考务员"]
    assert [one.waits_for for one in todo(world.session, world.checker, now=OVER) if one.title.startswith("核准")] == [""]
    with pytest.raises(Refused, match="理由"):
        keeping.decide(world.session, asked, world.checker, False, now=OVER)
    keeping.decide(world.session, asked, world.checker, False, "市中心要求再保存两年", now=OVER)
    with pytest.raises(Refused, match="已有决定"):
        keeping.decide(world.session, asked, world.checker, True, now=OVER)
    world.session.commit()
    assert (made.destroyed_at, place_of(world.session, made.sha256).is_file()) == (None, True)


def test_a_hold_that_comes_between_asking_and_deciding_stops_the_destruction(world: FinalWorld) -> None:
    made = stored(world)
    city = world.office(Role.CITY_OFFICER, "谭晓峰", "4301")
    asked = keeping.ask(world.session, made, world.officer, "保存期满", now=OVER)
    held = keeping.hold(world.session, world.plan, city, "湘人社监〔2031〕3号 信访核查", now=OVER)
    with pytest.raises(Refused, match="封存保留") as refused:
        keeping.decide(world.session, asked, world.checker, True, now=OVER)
    assert "信访核查" in refused.value.details[0]
    with pytest.raises(Refused, match="市鉴定中心"):
        keeping.release(world.session, held, world.officer, "学校认为已经结束", now=OVER)
    with pytest.raises(Refused, match="依据"):
        keeping.release(world.session, held, city, " ", now=OVER)
    keeping.release(world.session, held, world.office(Role.PROVINCE_OFFICER, "曹主任", "43"), "核查结束", now=OVER)  # from above
    with pytest.raises(Refused, match="解除"):
        keeping.release(world.session, held, city, "核查结束", now=OVER)
    keeping.decide(world.session, asked, world.checker, True, now=OVER)
    assert made.destroyed_at == OVER


def test_a_scan_that_another_batch_names_as_well_outlives_the_destruction(world: FinalWorld) -> None:
    scan_of(world)
    other = world.new_plan("JH-2026-002")
    filed.file_document(world.session, other, "notice", world.officer, upload=from_bytes(SCAN, "同一份.pdf"), now=MONDAY)
    made = stored(world)
    keeping.decide(world.session, keeping.ask(world.session, made, world.officer, "保存期满", now=OVER), world.checker, True, now=OVER)
    world.session.commit()
    assert place_of(world.session, hashlib.sha256(SCAN).hexdigest()).is_file()


def test_holds_destruction_and_their_record_in_the_browser(world: FinalWorld, enter: Enter, clock: TestClock) -> None:
    made = stored(world)
    page = f"/archive/{made.id}"
    officer = enter(world.officer)
    assert "保存期满以后才能申请销毁" in officer.get(page).get_data(as_text=True)
    assert officer.post(f"{page}/destruction", data={"reason": "保存期满"}).status_code == 409
    officer.post(f"/archive/plans/{world.plan.id}/hold", data={"reason": "省厅专项检查"})
    assert "封存保留" in officer.get("/archive/").get_data(as_text=True)
    clock.moment = OVER
    officer = enter(world.officer)
    assert officer.post(f"{page}/destruction", data={"reason": "保存期满"}).status_code == 409
    officer.post("/archive/holds/1/release", data={"reason": "检查结束"})
    assert officer.post(f"{page}/destruction", data={"reason": "保存期满"}).status_code == 302
    assert officer.post("/archive/destructions/1", data={"approves": "1"}).status_code == 409
    done = enter(world.checker).post("/archive/destructions/1", data={"approves": "1", "comment": "同意"}, follow_redirects=True)
    text = done.get_data(as_text=True)
    assert "只保留销毁记录" in text
    assert made.sha256 in text
    assert "销毁清单（2 项" in text
    assert "已销毁" in officer.get("/archive/").get_data(as_text=True)
    assert "保存期满" in officer.get("/archive/accesses").get_data(as_text=True)


# Scans and places on paper

def test_a_scan_and_a_place_on_paper_fill_their_line_of_the_catalogue(world: FinalWorld) -> None:
    def line() -> Any:
        return next(one for one in documents(world.session, world.plan) if one.line == "invigilators")

    assert (line().present, line().detail, line().is_lacking) == (None, "尚未登记", False)
    scan = scan_of(world)
    filed.file_document(world.session, world.plan, "invigilators", world.officer, place="档案室 3 柜 12 盒", pages=2, now=MONDAY)
    assert (line().present, line().detail, line().held) == (True, "扫描件 1 份；纸质存 档案室 3 柜 12 盒", "扫描／纸质")
    filed.withdraw(world.session, scan, world.officer, "扫错了批次", now=MONDAY)
    assert (line().held, scan.withdrawn_why) == ("纸质", "扫错了批次")
    with pytest.raises(Refused, match="撤回"):
        filed.withdraw(world.session, scan, world.officer, "又一次", now=MONDAY)


def test_what_is_neither_scanned_nor_placed_or_no_document_is_refused(world: FinalWorld) -> None:
    def file(line: str = "notice", **given: Any) -> None:
        filed.file_document(world.session, world.plan, line, given.pop("who", world.officer), now=MONDAY, **given)

    for given, said in (({}, "扫描件"), ({"line": "nonsense", "place": "柜"}, "种类"), ({"place": "柜", "pages": 0}, "页数"),
                        ({"upload": from_bytes(b"MZ\x90", "表.pdf")}, "不能上传"), ({"place": "柜", "who": world.stranger()}, "考务员")):
        with pytest.raises(Refused, match=said):
            file(**given)
    stored(world)
    with pytest.raises(Refused, match="已经归档"):
        file(place="柜")


def taken(browser: FlaskClient, door: str, **form: str) -> bytes:
    with browser.post(door, data=form) as answer:
        return bytes(answer.data)


def test_once_packed_a_scan_is_handed_out_for_a_reason_only(world: FinalWorld, enter: Enter, session: Session) -> None:
    scan = scan_of(world)
    session.commit()
    browser, door = enter(world.officer), f"/archive/documents/{scan.id}/scan"
    assert taken(browser, door) == SCAN
    assert session.scalars(sa.select(ArchiveAccess)).all() == []
    stored(world)
    assert browser.post(door).status_code == 409
    assert taken(browser, door, reason="核对签到") == SCAN
    session.expire_all()
    [access] = session.scalars(sa.select(ArchiveAccess)).all()
    assert (access.document_id, access.reason) == (scan.id, "核对签到")


def test_an_officer_files_and_withdraws_in_the_browser(world: FinalWorld, enter: Enter, session: Session) -> None:
    browser, page = enter(world.officer), f"/archive/plans/{world.plan.id}"
    bad = browser.post(f"{page}/documents", data={"line": "notice", "title": "关于四级认定的公告", "pages": "x"})
    assert (bad.status_code, "关于四级认定的公告" in bad.get_data(as_text=True)) == (409, True)  # nothing typed is lost
    browser.post(f"{page}/documents", data={"line": "notice", "title": "关于四级认定的公告", "place": "3 柜", "pages": "4"})
    assert "关于四级认定的公告，4 页，3 柜" in browser.get(page).get_data(as_text=True)
    one = session.scalars(sa.select(FiledDocument)).one()
    session.commit()
    assert browser.post(f"/archive/documents/{one.id}/scan").status_code == 404  # on paper only
    browser.post(f"/archive/documents/{one.id}/withdraw", data={"reason": "登记重复"})
    assert "关于四级认定的公告" not in browser.get(page).get_data(as_text=True)


# Recordings

def recording(path: str, sha256: str = "", **told: Any) -> Recording:
    return Recording(told.pop("place", "3号机房 前摄像头"), MONDAY, told.pop("ends_at", MONDAY + timedelta(hours=2)), path, sha256, **told)


def test_a_recording_is_known_by_path_and_hash_and_compared_when_it_can_be_reached(world: FinalWorld, settings: Settings, enter: Enter) -> None:
    folder = settings.videos / "2026"
    folder.mkdir(parents=True)
    (folder / "a.mp4").write_bytes(b"frames" * 1000)
    browser, door = enter(world.officer), f"/archive/plans/{world.plan.id}/videos"
    browser.post(door, data={"place": "3号机房", "starts_at": "2026-06-01T09:00", "ends_at": "2026-06-01T10:30", "path": "2026\\a.mp4"})
    here = world.session.scalars(sa.select(Video)).one()  # read and hashed by a job
    assert (here.path, here.size, here.sha256) == ("2026/a.mp4", 6000, hashlib.sha256(b"frames" * 1000).hexdigest())
    away = videos.register(world.session, world.plan, recording("nvr/b.mp4", "A" * 64, size=9, ends_at=MONDAY + timedelta(hours=9)), world.officer,
                           now=MONDAY)
    world.session.commit()

    def found() -> list[Seen]:
        browser.post(f"{door}/check")
        world.session.expire_all()
        return [one.checks[-1].found for one in videos.videos_of(world.session, world.plan)]

    assert (here.id, away.sha256) == (1, "a" * 64)
    assert found() == [Seen.SAME, Seen.GONE]
    world.session.commit()
    (folder / "a.mp4").write_bytes(b"other frames")
    assert found() == [Seen.CHANGED, Seen.GONE]
    page = browser.get(door).get_data(as_text=True)
    assert "内容已改变" in page
    assert "找不到文件" in page
    assert (folder / "a.mp4").read_bytes() == b"other frames"  # never touched


@pytest.mark.parametrize("path", ["/etc/passwd", "../identity.key", "2026/../../secret.key", "C:\\nvr\\a.mp4", "", "a\x00b", "x" * 501])
def test_no_path_leads_out_of_the_video_folder(world: FinalWorld, settings: Settings, path: str) -> None:
    with pytest.raises(Refused, match="路径"):
        videos.ask_register(world.session, world.plan, recording(path), world.officer, settings.videos, now=MONDAY)


def test_a_link_out_of_the_video_folder_is_not_followed(world: FinalWorld, settings: Settings) -> None:
    settings.videos.mkdir()
    (settings.folder / "identity.key").write_bytes(b"secret")
    (settings.videos / "link.mp4").symlink_to(settings.folder / "identity.key")
    with pytest.raises(Refused, match="找不到"):
        videos.ask_register(world.session, world.plan, recording("link.mp4"), world.officer, settings.videos, now=MONDAY)
    assert videos.compare(settings.videos, "link.mp4", hashlib.sha256(b"secret").hexdigest()) is Seen.GONE


def test_what_is_said_of_a_recording_must_be_possible(world: FinalWorld, settings: Settings) -> None:
    def register(told: Recording, who: Viewer = world.officer) -> Video:
        return videos.register(world.session, world.plan, told, who, now=MONDAY)

    with pytest.raises(Refused, match="找不到"):
        videos.ask_register(world.session, world.plan, recording("not-there.mp4"), world.officer, settings.videos, now=MONDAY)
    for told, said in ((recording("a.mp4", ends_at=MONDAY), "结束时间"), (recording("a.mp4", "f" * 63), "64 位"),
                       (recording("a.mp4", place=" "), "地点")):
        with pytest.raises(Refused, match=said):
            register(told)
    register(recording("a.mp4", "f" * 64))
    with pytest.raises(Refused, match="已经登记"):
        register(recording("./a.mp4", "e" * 64))
    with pytest.raises(Refused, match="考务员"):
        register(recording("b.mp4", "f" * 64), world.stranger())


def test_a_recording_is_registered_in_the_browser(world: FinalWorld, enter: Enter, session: Session) -> None:
    sitting = world.theory({world.candidates[0].id: 160})
    session.commit()
    browser, door = enter(world.officer), f"/archive/plans/{world.plan.id}/videos"
    form = {"room": str(sitting.rooms[0].id), "starts_at": "2026-06-01T09:00", "ends_at": "2026-06-01T10:30", "path": "a.mp4"}
    refused = browser.post(door, data=form)
    assert (refused.status_code, 'value="a.mp4"' in refused.get_data(as_text=True)) == (409, True)
    assert browser.post(door, data=form | {"sha256": "b" * 64, "size": "123456"}).status_code == 302
    made = session.scalars(sa.select(Video)).one()
    assert (made.place, made.size, made.ends_at - made.starts_at) == (f"第一场 {sitting.rooms[0].room.name}", 123456, timedelta(minutes=90))
    session.commit()
    assert browser.post(door, data=form | {"room": "99"}).status_code == 404
    other = world.new_plan("JH-2026-003")
    elsewhere = world.theory({world.enrol("外人", plan=other)[0].id: None}, plan=other)
    session.commit()
    assert browser.post(door, data=form | {"room": str(elsewhere.rooms[0].id), "path": "c.mp4", "sha256": "b" * 64}).status_code == 409

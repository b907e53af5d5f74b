"""What an invigilator does in a room, and nobody else."""

from __future__ import annotations

import io
import json
from datetime import datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from PIL import Image
from sqlalchemy.orm import Session

from examroom.delivery import ledger, notices, saving, sheets, told
from examroom.delivery.models import (
    Admission,
    HandIn,
    Interruption,
    Notice,
    Presence,
    Sheet,
    SheetState,
    TimeEntry,
    TimeKind,
)
from examroom.delivery.phase import Phase
from examroom.delivery.sheets import Event
from examroom.invigilation import acts, incidents, record, rooms, seats
from examroom.invigilation.board import board, lost, tag
from examroom.invigilation.models import AdmissionCheck, Incident, RoomClosing
from examroom.invigilation.todo import todo
from examroom.marking.desk import close_due
from examroom.plans import photos
from examroom.plans.models import SittingState
from qbank.kernel.access import Role
from qbank.kernel.audit import verify
from qbank.kernel.identity import IdentityCipher
from qbank.kernel.refused import Refused
from qbank.kernel.settings import Settings
from qbank.standards.models import StoredRulePack
from tests.conftest import People, TestClock
from tests.sitting_world import SittingWorld

MINUTE, SECOND = timedelta(minutes=1), timedelta(seconds=1)
JSON = {"Accept": "application/json"}


@pytest.fixture
def world(session: Session, people: People, settings: Settings, clock: TestClock) -> SittingWorld:
    return SittingWorld(session, people, IdentityCipher(settings.identity_key)).make(clock())


def refusal(code: str) -> Any:
    return pytest.raises(Refused, match=rf"^{code}:")


def picture(colour: str = "red", form: str = "PNG") -> bytes:
    held = io.BytesIO()
    Image.new("RGB", (300, 400), colour).save(held, form)
    return held.getvalue()


# ---- opening and closing


def test_li_opens_the_room_half_an_hour_before_and_not_earlier(session: Session, world: SittingWorld) -> None:
    begin = world.sitting.starts_at
    with refusal("not_dealt"):
        rooms.open_room(session, world.room, world.invigilator, now=begin)
    world.deal()
    with refusal("too_soon"):
        rooms.open_room(session, world.room, world.invigilator, now=begin - 30 * MINUTE - SECOND)
    with refusal("not_your_room"):
        rooms.open_room(session, world.room, world.officer, now=begin)
    rooms.open_room(session, world.room, world.invigilator, now=begin - 30 * MINUTE)
    rooms.open_room(session, world.room, world.second, now=begin)  # again: nothing changes
    assert (world.room.opened_at, world.room.opened_by) == (begin - 30 * MINUTE, world.invigilator.account_id)


def test_an_opening_by_mistake_is_taken_back_while_nobody_has_begun(session: Session, world: SittingWorld) -> None:
    world.running()
    rooms.shut_room(session, world.room, world.second, now=world.begin - MINUTE)
    assert world.room.opened_at is None
    world.open(now=world.begin)
    world.start("陈晓")
    with refusal("already_begun"):
        rooms.shut_room(session, world.room, world.second, now=world.begin)


def test_a_room_does_not_open_after_its_end(session: Session, world: SittingWorld) -> None:
    world.deal()
    with refusal("sitting_over"):
        rooms.open_room(session, world.room, world.invigilator, now=world.sitting.ends_at)


def test_a_room_closes_when_everybody_is_in_and_counts_the_absent(session: Session, world: SittingWorld) -> None:
    world.running()
    world.start("陈晓")
    later = world.begin + 31 * MINUTE  # nobody may come in any more
    with refusal("still_answering"):
        rooms.close_room(session, world.room, "", world.invigilator, now=later)
    sheets.hand_in(session, world.sheet("陈晓"), HandIn.CANDIDATE, now=later)
    session.commit()
    closing = rooms.close_room(session, world.room, "一切正常", world.invigilator, now=later)
    assert (closing.present, closing.absent, len(closing.audit_head)) == (1, 2, 64)
    assert world.sheet("周婷").handed_in_how is HandIn.ABSENT
    for act in (lambda: rooms.close_room(session, world.room, "", world.invigilator, now=later),
                lambda: acts.message(session, world.room, [], "晚了", world.invigilator, now=later)):
        with refusal("closed"):
            act()


def test_an_opened_room_stays_on_the_work_list_until_it_is_closed(session: Session, world: SittingWorld) -> None:
    def listed(now: datetime) -> list[str]:
        return [one.title.split("：")[0] for one in todo(session, world.invigilator, now=now)]

    world.running()
    assert listed(world.begin) == ["监考"]
    after = world.sitting.ends_at + 2 * MINUTE
    close_due(session, after)  # marked before the invigilators come to it
    assert world.sitting.state is SittingState.MARKED
    assert listed(after) == ["关闭考场并打印情况记录单"]
    assert {seat["told"] for seat in board(session, world.room)["seats"]} == {"缺考"}
    rooms.close_room(session, world.room, "", world.invigilator, now=after)
    assert listed(after) == []


# ---- time


def kept(session: Session, world: SittingWorld) -> bool:
    """Every end is the common end and the sum of the ledger."""
    session.expire_all()
    return all(sheet.ends_at == sheet.sitting.ends_at + timedelta(seconds=sum(entry.seconds for entry in sheet.time_entries))
               for sheet in (world.sheet(name) for name in ("陈晓", "刘洋", "周婷")))


def test_time_for_one_for_some_and_for_all_adds_up(session: Session, world: SittingWorld) -> None:
    world.running()
    for name in ("陈晓", "刘洋"):
        world.start(name)
    acts.force_hand_in(session, world.sheet("刘洋"), world.invigilator, "身体不适", now=world.begin + MINUTE)
    acts.grant_time(session, world.sheet("陈晓"), 120, "键盘损坏", world.invigilator, now=world.begin + MINUTE)
    acts.grant_many(session, world.room, [world.sheet("陈晓"), world.sheet("周婷")], 60, "网络中断", world.second, now=world.begin + MINUTE)
    assert len(acts.grant_many(session, world.room, [], 300, "全场停电", world.second, now=world.begin + 2 * MINUTE)) == 2
    assert [sheets.granted_seconds(world.sheet(name)) for name in ("陈晓", "刘洋", "周婷")] == [480, 0, 360]
    assert {entry.reason for entry in session.scalars(sa.select(TimeEntry))} == {"键盘损坏", "网络中断", "全场停电"}
    assert kept(session, world)


def test_a_grant_is_taken_back_once_and_both_entries_stay(session: Session, world: SittingWorld) -> None:
    world.running().start("陈晓")
    entries = acts.grant_many(session, world.room, [], 300, "停电", world.invigilator, now=world.begin)
    ids = [entry.id for entry in entries]
    assert acts.undo_time(session, world.room, ids, world.second, now=world.begin) == 3
    with refusal("nothing_to_undo"):
        acts.undo_time(session, world.room, ids, world.second, now=world.begin)
    assert [entry.seconds for entry in world.sheet("陈晓").time_entries] == [300, -300]
    assert kept(session, world)


@pytest.mark.parametrize(("seconds", "reason", "code"), [
    (300, "  ", "reason_missing"), (0, "停电", "seconds"), (5 * 3600, "停电", "seconds"), (-60, "更正", "below_base")])
def test_time_needs_a_reason_and_never_goes_below_the_rule(session: Session, world: SittingWorld, seconds: int, reason: str,
                                                         code: str) -> None:
    world.running()
    with refusal(code):
        acts.grant_time(session, world.sheet("陈晓"), seconds, reason, world.invigilator, now=world.begin)


def test_a_correction_does_not_end_an_exam_in_the_past(session: Session, world: SittingWorld) -> None:
    sheet = world.running().start("陈晓")
    acts.grant_time(session, sheet, 600, "停电", world.invigilator, now=world.begin)
    with refusal("already_over"):
        acts.grant_time(session, sheet, -600, "更正", world.invigilator, now=world.sitting.ends_at)


def test_who_has_half_as_much_time_again_has_it_from_the_dealing_on(session: Session, world: SittingWorld) -> None:
    enrolment = world.enrolment("周婷")
    with refusal("reason_missing"):
        ledger.set_profile(session, enrolment, 150, " ", world.officer, now=world.now)
    with refusal("percent"):
        ledger.set_profile(session, enrolment, 90, "缩短", world.officer, now=world.now)
    ledger.set_profile(session, enrolment, 150, "视力残疾二级", world.officer, now=world.now)
    world.deal()
    sheet = world.sheet("周婷")
    assert sheet.ends_at - world.sitting.ends_at == 45 * MINUTE  # half of 90 minutes
    assert "视力" not in sheet.time_entries[0].reason  # health data stays with the enrolment
    world.deal("seed-2")  # dealing again gives it once
    ledger.set_profile(session, enrolment, 120, "视力残疾四级", world.officer, now=world.now)
    assert [(entry.kind, entry.seconds) for entry in world.sheet("周婷").time_entries] == [
        (TimeKind.PROFILE, 2700), (TimeKind.PROFILE, -1620)]  # 20 % of 5400 s is 1080 = 2700 - 1620
    assert kept(session, world)


def test_a_pause_stops_the_clock_and_gives_its_seconds_back(session: Session, world: SittingWorld) -> None:
    sheet = world.running().start("陈晓")
    at = world.begin + 10 * MINUTE
    with refusal("reason_missing"):
        acts.pause(session, world.room, [sheet], "", world.invigilator, now=at)
    assert acts.pause(session, world.room, [sheet], "停电", world.invigilator, now=at) == 1
    with refusal("paused_already"):
        acts.pause(session, world.room, [sheet], "停电", world.second, now=at)
    later = world.sitting.ends_at + timedelta(hours=1)
    assert sheets.phase_of(session, sheet, now=later) is Phase.PAUSED
    assert sheets.save(session, sheet, [Event(1, 1, "B")], now=later).acknowledged == 1  # answered before, sent after
    close_due(session, later)
    assert world.sheet("陈晓").state is SheetState.STARTED
    assert acts.resume(session, world.room, [sheet], "来电", world.invigilator, now=later) == 1
    # stopped at 10 of 90 minutes: 80 remain from the moment of resuming
    assert sheet.ends_at - later == 80 * MINUTE
    assert sheet.time_entries[-1].kind is TimeKind.PAUSE
    with refusal("not_paused"):
        acts.resume(session, world.room, [sheet], "", world.invigilator, now=later)
    assert kept(session, world)


def test_a_pause_before_the_start_costs_nobody_anything_and_makes_nobody_late(session: Session, world: SittingWorld) -> None:
    world.running()
    acts.evacuate(session, world.room, "火警", world.invigilator, now=world.begin - 2 * MINUTE)
    assert sheets.phase_of(session, world.sheet("陈晓"), now=world.begin + MINUTE) in {Phase.BEFORE, Phase.SHUT}
    back = world.begin + 40 * MINUTE  # the door shuts after 30
    acts.resume(session, world.room, [], "疏散结束", world.invigilator, now=back)
    assert sheets.phase_of(session, world.sheet("陈晓"), now=back) is Phase.READY
    assert world.sheet("陈晓").ends_at == back + 90 * MINUTE
    assert "火警" in session.scalars(sa.select(Incident).where(Incident.kind == incidents.EVACUATION)).one().text
    assert kept(session, world)


def test_an_interruption_is_proposed_as_measured_and_granted_when_confirmed(session: Session, world: SittingWorld) -> None:
    sheet = world.running().start("陈晓")
    session.execute(ledger.gap(sheet.id, world.begin + 2 * MINUTE - SECOND, world.begin + 8 * MINUTE))
    gap = acts.proposals(session, world.room)[0]
    assert acts.measured(session, gap) == 361
    assert board(session, world.room)["seats"][0]["gap"]["seconds"] == 361
    with refusal("seconds"):
        acts.settle_interruption(session, gap, 500, world.invigilator, now=world.begin + 9 * MINUTE)
    acts.settle_interruption(session, gap, 361, world.invigilator, now=world.begin + 9 * MINUTE)
    with refusal("settled"):
        acts.settle_interruption(session, gap, 361, world.second, now=world.begin + 9 * MINUTE)
    assert (sheet.time_entries[-1].kind, sheet.time_entries[-1].seconds) == (TimeKind.INTERRUPTION, 361)
    assert kept(session, world)


def test_what_a_pause_gave_back_is_not_given_again_for_the_gap(session: Session, world: SittingWorld) -> None:
    sheet = world.running().start("陈晓")
    acts.pause(session, world.room, [sheet], "停电", world.invigilator, now=world.begin + 3 * MINUTE)
    acts.resume(session, world.room, [sheet], "来电", world.invigilator, now=world.begin + 9 * MINUTE)
    session.execute(ledger.gap(sheet.id, world.begin + 2 * MINUTE, world.begin + 10 * MINUTE))
    # lost from minute 2 to 10, paused from 3 to 9: two minutes were lost
    assert acts.measured(session, acts.proposals(session, world.room)[0]) == 120
    assert board(session, world.room)["seats"][0]["gap"]["seconds"] == 120


def test_a_page_that_was_silent_for_a_minute_is_noticed_by_the_save_path(session: Session, world: SittingWorld, app: Any,
                                                                        clock: TestClock) -> None:
    world.running()
    sheet_id = world.sheet_id("陈晓")
    clock.moment = world.begin
    client = world.enter(app, "陈晓")
    token = json.loads(client.post(f"/exam/sheets/{sheet_id}/open", json={"machine": "m"}).data)["token"]
    for seconds in (0, 59, 200):
        clock.forward(seconds=seconds)
        sent = client.post(f"/exam/sheets/{sheet_id}/events", json={"events": []}, headers={"X-Page-Token": token})
        assert sent.status_code == 200
    gap = acts.proposals(session, world.room)[0]
    assert (acts.measured(session, gap), gap.back_at) == (200, clock())


def test_an_interruption_that_gets_nothing_is_on_record_too(session: Session, world: SittingWorld) -> None:
    sheet = world.running().start("陈晓")
    gap = Interruption(sheet_id=sheet.id, lost_at=world.begin, back_at=world.begin + 2 * MINUTE)
    session.add(gap)
    session.flush()
    acts.settle_interruption(session, gap, 0, world.invigilator, now=world.begin + 3 * MINUTE)
    assert "不补时" in session.scalars(sa.select(Incident)).one().text
    assert sheet.time_entries == []


def test_zhou_is_let_in_late_with_a_reason_and_ends_with_the_others(session: Session, world: SittingWorld) -> None:
    world.running()
    late = world.begin + 31 * MINUTE
    sheet = world.sheet("周婷")
    with refusal("start_late"):
        sheets.start(session, sheet, now=late)
    acts.let_in_late(session, sheet, 10, "公交车故障", world.invigilator, now=late)
    sheets.start(session, sheet, now=late + 9 * MINUTE)
    assert sheet.ends_at == world.sitting.ends_at
    with refusal("start_late"):
        sheets.start(session, world.sheet("刘洋"), now=late)
    with refusal("already_begun"):
        acts.let_in_late(session, sheet, 10, "再来", world.invigilator, now=late)


# ---- forced hand-in


def test_a_forced_hand_in_needs_a_reason_and_is_on_record(session: Session, world: SittingWorld) -> None:
    sheet = world.running().start("陈晓")
    sheets.save(session, sheet, [Event(1, 1, "B")], now=world.begin)
    with refusal("reason_missing"):
        acts.force_hand_in(session, sheet, world.invigilator, "", now=world.begin)
    acts.force_hand_in(session, sheet, world.invigilator, "突发疾病送医", now=world.begin + MINUTE)
    assert sheet.handed_in_how is HandIn.FORCED
    assert "突发疾病送医" in session.scalars(sa.select(Incident)).one().text
    with refusal("not_answering"):
        acts.force_hand_in(session, world.sheet("刘洋"), world.invigilator, "缺席", now=world.begin + MINUTE)
    with refusal("handed_in"):
        acts.grant_time(session, sheet, 60, "停电", world.invigilator, now=world.begin + MINUTE)


def test_a_sheet_taken_by_mistake_goes_back_within_ten_minutes_with_its_answers_and_its_time(session: Session, world: SittingWorld) -> None:
    sheet = world.running().start("陈晓")
    sheets.save(session, sheet, [Event(1, 1, "B")], now=world.begin)
    acts.force_hand_in(session, sheet, world.invigilator, "点错了人", now=world.begin + 10 * MINUTE)
    with refusal("too_late"):
        acts.undo_force(session, sheet, "误收", world.invigilator, now=world.begin + 20 * MINUTE + SECOND)
    acts.undo_force(session, sheet, "误收", world.invigilator, now=world.begin + 14 * MINUTE)
    assert (sheet.state, sheet.handed_in_at) == (SheetState.STARTED, None)
    assert sheet.ends_at == world.sitting.ends_at + 4 * MINUTE
    assert sheets.save(session, sheet, [Event(2, 2, "A")], now=world.begin + 15 * MINUTE).acknowledged == 2
    assert {number: answer.answer for number, answer in sheets.answers(session, sheet).items()} == {1: "B", 2: "A"}
    with refusal("not_forced"):
        acts.undo_force(session, sheet, "误收", world.invigilator, now=world.begin + 15 * MINUTE)


def test_hand_in_time_out_force_and_crash_keep_the_same_answers(session: Session, world: SittingWorld) -> None:
    """Failure 15: three ends of an exam, and a browser that dies without any, leave the same stored answers."""
    world.running()
    answers = [Event(1, 1, "B"), Event(2, 5, "AC"), Event(3, 7, "T")]
    for name in ("陈晓", "刘洋", "周婷"):
        sheets.save(session, world.start(name), answers, now=world.begin + MINUTE)
    sheets.hand_in(session, world.sheet("陈晓"), HandIn.CANDIDATE, now=world.begin + 31 * MINUTE)
    acts.force_hand_in(session, world.sheet("刘洋"), world.invigilator, "违纪离场", now=world.begin + 32 * MINUTE)
    close_due(session, world.sitting.ends_at + MINUTE)  # 周婷's browser died; the server hands in at the end
    held = [{number: answer.answer for number, answer in sheets.answers(session, world.sheet(name)).items()} for name in ("陈晓", "刘洋", "周婷")]
    assert held == [{1: "B", 5: "AC", 7: "T"}] * 3
    assert [world.sheet(name).handed_in_how for name in ("陈晓", "刘洋", "周婷")] == [HandIn.CANDIDATE, HandIn.FORCED, HandIn.DEADLINE]


# ---- messages


def heard(session: Session, *sheets: Sheet) -> dict[int, told.Word]:
    """What the exam pages of these sheets are told."""
    connection = session.connection()
    return told.words(connection, saving.standings(connection, [sheet.id for sheet in sheets]).values())


def test_a_message_reaches_whom_it_is_for_and_says_who_has_read_it(session: Session, world: SittingWorld) -> None:
    world.running()
    chen, liu = world.start("陈晓"), world.start("刘洋")
    everybody = acts.message(session, world.room, [], "请保持安静", world.invigilator, now=world.begin)[0]
    acts.message(session, world.room, [liu], "请看准考证", world.invigilator, now=world.begin)
    shown = heard(session, chen, liu)
    assert [[one["text"] for one in shown[sheet.id].notices] for sheet in (chen, liu)] == [["请保持安静"], ["请保持安静", "请看准考证"]]
    session.add(Presence(sheet_id=chen.id, seen_at=world.begin, read_notice=everybody.id))
    session.flush()
    newest, first = notices.of_room(session, world.room, rooms.sheets_of(session, world.room))
    assert [sheet.enrolment.candidate.name for sheet in first["unread"]] == ["刘洋", "周婷"]
    assert [sheet.enrolment.candidate.name for sheet in newest["to"]] == ["刘洋"]
    assert [seat.get("unread") for seat in board(session, world.room)["seats"]] == [0, 2, 1]
    assert acts.withdraw_notices(session, world.room, [everybody.id], world.second, now=world.begin) == 1
    assert heard(session, chen) == {}
    for text, code in ((" ", "text_missing"), ("长" * 501, "text_too_long")):
        with refusal(code):
            acts.message(session, world.room, [], text, world.invigilator, now=world.begin)


# ---- the check at the door, seats


def test_a_refused_candidate_does_not_start_and_every_check_is_a_record(session: Session, world: SittingWorld) -> None:
    world.running()
    sheet = world.sheet("陈晓")
    photo = photos.keep(session, sheet.enrolment, picture(), world.officer, now=world.now)
    with refusal("nobody_chosen"):
        seats.check(session, world.room, [], True, "", world.invigilator, now=world.begin)
    with refusal("reason_missing"):
        seats.check(session, world.room, [sheet], False, "", world.invigilator, now=world.begin)
    seats.check(session, world.room, [sheet], False, "本人与照片不符", world.invigilator, now=world.begin)
    with refusal("start_unchecked"):
        sheets.start(session, sheet, now=world.begin)
    seats.check(session, world.room, [sheet], True, "带身份证重新核对", world.second, now=world.begin + MINUTE)
    sheets.start(session, sheet, now=world.begin + MINUTE)
    checks = session.scalars(sa.select(AdmissionCheck).order_by(AdmissionCheck.id)).all()
    assert [(check.passed, check.photo, check.checked_by) for check in checks] == [
        (False, photo.sha256, world.invigilator.account_id), (True, photo.sha256, world.second.account_id)]
    with refusal("already_begun"):
        seats.check(session, world.room, [sheet], False, "后来发现不符", world.invigilator, now=world.begin + 2 * MINUTE)


def test_where_the_province_demands_it_nobody_starts_unchecked(session: Session, world: SittingWorld) -> None:
    session.add(StoredRulePack(region="43", name="湖南", values=json.dumps({"photo_check": True})))
    world.running()
    with refusal("start_unchecked"):
        sheets.start(session, world.sheet("陈晓"), now=world.begin)
    seats.check(session, world.room, [world.sheet("陈晓")], True, "", world.invigilator, now=world.begin)
    sheets.start(session, world.sheet("陈晓"), now=world.begin)
    seats.undo_check(session, world.room, [world.sheet("刘洋")], world.invigilator, now=world.begin)
    with refusal("start_unchecked"):
        sheets.start(session, world.sheet("刘洋"), now=world.begin)


def test_another_seat_of_the_room_is_taken_and_given_back(session: Session, world: SittingWorld) -> None:
    sheet = world.running().start("陈晓")
    assert seats.free_seats(session, world.room)[:2] == [4, 5]
    for number, reason, code in ((2, "桌坏", "seat_taken"), (99, "桌坏", "seat_taken"), (7, " ", "reason_missing")):
        with refusal(code):
            seats.move(session, sheet, number, reason, world.invigilator, now=world.begin)
    assert seats.move(session, sheet, 7, "桌椅损坏", world.invigilator, now=world.begin) == 1
    assert [seat["number"] for seat in board(session, world.room)["seats"]] == [2, 3, 7]
    assert seats.move(session, sheet, 1, "撤销换座", world.invigilator, now=world.begin) == 7
    assert session.scalars(sa.select(Incident.text).order_by(Incident.id)).all() == [
        "换座：1 号换到 7 号，桌椅损坏", "换座：7 号换到 1 号，撤销换座"]


# ---- incidents


def test_only_a_violation_of_a_named_candidate_voids_a_score(session: Session, world: SittingWorld) -> None:
    sheet = world.running().start("陈晓")

    def note(**changed: Any) -> Incident:
        given: dict[str, Any] = {"kind": "违纪", "text": "使用手机", "sheet": sheet, "voids_theory": True} | changed
        return incidents.record_incident(session, world.room, world.invigilator, now=world.begin, **given)

    for changed, code in (({"kind": "其他"}, "incident_kind"), ({"text": " "}, "text_missing"),
                          ({"sheet": None}, "void_needs_violation"), ({"kind": "一般情况"}, "void_needs_violation"),
                          ({"files": [("a.txt", b"text")]}, "bad_picture"), ({"files": [("a.png", picture())] * 6}, "too_many_files")):
        with refusal(code):
            note(**changed)
    noted = note(files=[("手机.png", picture()), ("说明.pdf", b"%PDF-1.4 x")])
    assert noted.voids_theory
    assert [file.media_type for file in noted.files] == ["image/png", "application/pdf"]


def test_a_line_is_taken_back_by_its_author_and_stays_readable(session: Session, world: SittingWorld) -> None:
    sheet = world.running().start("陈晓")
    noted = incidents.record_incident(session, world.room, world.invigilator, kind="违纪", text="使用手机", sheet=sheet,
                                      voids_theory=True, now=world.begin)
    with refusal("not_yours"):
        incidents.withdraw(session, noted, "看错", world.second, now=world.begin)
    with refusal("reason_missing"):
        incidents.withdraw(session, noted, "", world.invigilator, now=world.begin)
    incidents.withdraw(session, noted, "看错，是计算器", world.invigilator, now=world.begin)
    assert not noted.voids_theory
    line = record.of_room(session, world.room, now=world.begin)["incidents"][0]
    assert line["text"] == "使用手机"
    assert "看错，是计算器" in line["withdrawn"]


# ---- the board and the record


def test_the_board_shows_progress_and_who_was_lost_but_no_answers(session: Session, world: SittingWorld) -> None:
    world.running()
    sheet = world.start("陈晓")
    world.start("刘洋")
    sheets.save(session, sheet, [Event(1, 1, "B"), Event(2, 5, "AC"), Event(3, 1, "")], now=world.begin)
    session.add(Presence(sheet_id=sheet.id, seen_at=world.begin, address="10.0.0.7", left=2))
    acts.grant_time(session, sheet, 300, "停电", world.invigilator, now=world.begin)
    found = board(session, world.room)
    chen, liu, zhou = found["seats"]
    assert (chen["name"], chen["answered"], chen["of"], chen["seen"], chen["saved"], chen["extra"], chen["left"]) == (
        "陈晓", 1, 8, world.begin.timestamp() * 1000, world.begin.timestamp() * 1000, 300, 2)
    assert [lost(seat, world.begin + 10 * SECOND) for seat in (chen, liu, zhou)] == [False, True, False]
    assert lost(chen, world.begin + 30 * SECOND)
    assert found["counts"] == {"dealt": 1, "started": 2, "handed_in": 0}
    sent = json.dumps(found)
    assert not any(word in sent for word in ('"answer"', "layout", "half_points", "paper", "form", "key"))


def test_a_board_on_which_nothing_happened_is_known_by_its_tag(session: Session, world: SittingWorld) -> None:
    sheet = world.running().start("陈晓")
    before = tag(board(session, world.room))
    assert tag(board(session, world.room)) == before
    sheets.save(session, sheet, [Event(1, 1, "B")], now=world.begin)
    assert tag(board(session, world.room)) != before


def test_the_record_says_everything_and_carries_the_audit_head(session: Session, world: SittingWorld) -> None:
    world.running()
    sheet = world.start("陈晓")
    seats.check(session, world.room, [sheet], True, "", world.second, now=world.begin)
    acts.grant_time(session, sheet, 150, "键盘损坏", world.invigilator, now=world.begin)
    acts.message(session, world.room, [], "请保持安静", world.invigilator, now=world.begin)
    incidents.record_incident(session, world.room, world.invigilator, kind="设备故障", text="2 号机重启", now=world.begin)
    sheets.hand_in(session, sheet, HandIn.CANDIDATE, now=world.begin + 31 * MINUTE)
    session.commit()
    closing = rooms.close_room(session, world.room, "正常", world.invigilator, now=world.begin + 32 * MINUTE)
    found = record.of_room(session, world.room, now=world.begin + 40 * MINUTE)
    assert found["head"] == closing.audit_head
    assert found["counts"][:3] == [["应到", 3], ["实到", 1], ["缺考", 2]]
    assert found["ledger"] == [["1", "陈晓", "10:00:00", "监考加时", "+2.5", "键盘损坏", "监考李强"]]
    assert "监考王芳" in found["candidates"][0][3]
    assert found["notices"][0][2:] == ["全考场（0/3 已读）", "请保持安静"]
    printed = record.pdf(found, made_at=world.begin)
    assert printed.startswith(b"%PDF-")


# ---- at the doors


def test_li_does_everything_on_the_page(session: Session, world: SittingWorld, enter: Any, clock: TestClock) -> None:
    world.deal()
    session.commit()
    sheet_id, address = world.sheet_id("陈晓"), f"/invigilation/rooms/{world.room.id}"
    client = enter(world.invigilator)
    assert client.post(f"{address}/open").status_code == 409  # 60 minutes before
    clock.forward(minutes=29)
    assert client.get("/").status_code == 200
    clock.forward(minutes=15)
    assert client.post(f"{address}/open", headers=JSON).json["undo"]["url"] == f"{address}/shut"
    session.expire_all()
    sheets.start(session, world.sheet("陈晓"), now=world.sitting.starts_at)
    session.commit()
    clock.forward(minutes=17)

    def done(path: str, **fields: Any) -> dict[str, Any]:
        answer = client.post(f"{address}/{path}", data=fields, headers=JSON)
        assert answer.status_code == 200, answer.get_data(as_text=True)
        found: dict[str, Any] = answer.json
        if undo := found["undo"]:
            back = client.post(undo["url"], data=undo["fields"], headers=JSON)
            assert back.status_code == 200, back.get_data(as_text=True)
        return found

    assert "陈晓" in done("time", sheet_id=sheet_id, minutes="5", reason="断电")["told"]
    assert "全考场" in done("time", minutes="5", reason="断电")["told"]
    for path, fields in (("pause", {"reason": "断电"}), ("evacuate", {"reason": "火警"}), ("messages", {"text": "请安静"}),
                         ("incidents", {"kind": "设备故障", "text": "断电 5 分钟"}), ("seat", {"sheet_id": sheet_id, "number": "9", "reason": "桌坏"}),
                         ("check", {"sheet_id": sheet_id, "passed": "yes"}), ("hand-in", {"sheet_id": sheet_id, "reason": "生病"})):
        done(path, **fields)
    assert client.post(f"{address}/time", data={"sheet_id": sheet_id, "minutes": "5", "reason": "断电"}).status_code == 302
    assert client.post(f"{address}/incidents", data={"kind": "设备故障", "text": "断电 7 分钟", "file": (io.BytesIO(picture()), "机房.png")},
                       content_type="multipart/form-data").status_code == 302
    assert client.post(f"{address}/hand-in", data={"sheet_id": sheet_id, "reason": "送医"}).status_code == 302
    assert client.get(address).status_code == 200
    for text in ("断电 7 分钟", "强制收卷：送医", "机房.png"):
        assert text in client.get(f"{address}/notes").get_data(as_text=True)
        assert text in client.get(f"{address}/record").get_data(as_text=True)
    assert "+5" in client.get(f"{address}/sheets/{sheet_id}/ledger").get_data(as_text=True)
    assert client.get(f"{address}/record.pdf").data.startswith(b"%PDF-")
    assert client.get("/invigilation/").status_code == 200
    seen = client.get(f"{address}/board", headers=JSON)
    assert seen.json["counts"]["handed_in"] == 1
    assert seen.headers["X-Clock"] == str(round(clock().timestamp() * 1000))
    same = client.get(f"{address}/board", headers=JSON | {"If-None-Match": seen.headers["ETag"]})
    assert (same.status_code, same.data) == (304, b"")
    clock.forward(minutes=29)
    assert client.get("/").status_code == 200
    clock.forward(minutes=3)
    assert client.post(f"{address}/close", data={"remark": "正常"}).status_code == 302
    assert session.scalars(sa.select(RoomClosing)).one().remark == "正常"
    assert verify(session) == []


@pytest.mark.parametrize(("path", "data"), [
    ("time", {}), ("time", {"sheet_id": "x", "minutes": "5", "reason": "r"}), ("time", {"minutes": "9" * 30, "reason": "r"}),
    ("hand-in", {}), ("hand-in", {"sheet_id": "1e9", "reason": "r"}), ("hand-in/undo", {}), ("incidents", {}),
    ("incidents", {"kind": "违纪"}), ("incidents", {"kind": "违纪", "text": "t", "voids_theory": "yes"}), ("close", {}), ("pause", {}),
    ("resume", {}), ("messages", {}), ("messages", {"text": "x" * 600}), ("interruptions", {}), ("interruptions", {"interruption_id": "a"}),
    ("late", {}), ("check", {}), ("seat", {}), ("evacuate", {}), ("time/undo", {"entry_id": "0"}), ("incidents/withdraw", {"incident_id": "x"})])
def test_garbage_gets_a_sentence(session: Session, world: SittingWorld, enter: Any, path: str, data: dict[str, str]) -> None:
    session.commit()
    answer = enter(world.invigilator).post(f"/invigilation/rooms/{world.room.id}/{path}", data=data)
    assert answer.status_code == 409


POSTS = ("open", "shut", "time", "time/undo", "pause", "resume", "evacuate", "messages", "messages/withdraw", "interruptions", "late",
         "hand-in", "hand-in/undo", "check", "check/undo", "pages/1/admit", "seat", "incidents", "incidents/withdraw", "close")


def test_nobody_else_finds_the_room_and_the_officer_only_looks(session: Session, world: SittingWorld, enter: Any,
                                                             people: People) -> None:
    world.running()
    photos.keep(session, world.enrolment("陈晓"), picture(), world.officer, now=world.now)
    noted = incidents.record_incident(session, world.room, world.invigilator, kind="违纪", text="手机", files=[("a.png", picture())],
                                      now=world.begin)
    elsewhere = people("邻室监考", Role.INVIGILATOR)
    stranger = people("外校考务", Role.EXAM_OFFICER, school=people.school("外校"))
    seat_id, file_id = world.sheet("陈晓").seat_id, noted.files[0].id
    sheet_id = world.sheet_id("陈晓")
    address = f"/invigilation/rooms/{world.room.id}"
    looks = ("", "/board", "/notes", "/record", "/record.pdf", f"/sheets/{sheet_id}/ledger", f"/seats/{seat_id}/photo")
    for viewer in (elsewhere, stranger):
        client = enter(viewer)
        for path in looks:
            assert client.get(address + path).status_code == 404, path
        assert client.get(f"/invigilation/incident-files/{file_id}").status_code == 404
        for path in POSTS:
            assert client.post(f"{address}/{path}", data={"sheet_id": sheet_id}).status_code in {403, 404}, path
        assert "机房一" not in client.get("/invigilation/").get_data(as_text=True)
    officer, own = enter(world.officer), enter(world.invigilator)
    for path in looks:
        assert officer.get(address + path).status_code == 200, path
        assert own.get(address + path).status_code == 200, path
    assert own.get(f"/invigilation/incident-files/{file_id}").status_code == 200
    assert all(officer.post(f"{address}/{path}").status_code == 403 for path in POSTS)


def test_photos_and_profiles_are_the_officers_of_the_plan(session: Session, world: SittingWorld, enter: Any, people: People) -> None:
    enrolment = world.enrolment("陈晓")
    stranger = people("外校考务", Role.EXAM_OFFICER, school=people.school("外校"))
    session.commit()
    paths = (f"/invigilation/enrolments/{enrolment.id}/photo", f"/invigilation/enrolments/{enrolment.id}/time",
             f"/invigilation/plans/{world.plan.id}/photos")
    outside, officer = enter(stranger), enter(world.officer)
    assert all(outside.post(path).status_code == 404 for path in paths)
    assert outside.get(f"/invigilation/plans/{world.plan.id}/candidates").status_code == 404
    assert all(officer.post(path).status_code == 409 for path in paths)
    sent = {"file": (io.BytesIO(picture()), "a.png")}
    assert officer.post(paths[0], data=sent, content_type="multipart/form-data").status_code == 302
    assert officer.get(paths[0]).mimetype == "image/png"
    assert officer.post(paths[1], data={"percent": "150", "reason": "视力残疾"}).status_code == 302
    listed = officer.get(f"/invigilation/plans/{world.plan.id}/candidates?time=more").get_data(as_text=True)
    assert "150%" in listed
    assert enter(world.invigilator).get(paths[0]).status_code == 403


def test_a_sheet_of_another_room_is_not_found_in_this_one(session: Session, world: SittingWorld, enter: Any) -> None:
    world.running()
    other = world.add_sitting("理论第二场", world.begin + timedelta(hours=4), 90, world.enrolments)
    notice = acts.message(session, world.room, [], "只在这里", world.invigilator, now=world.begin)[0]
    noted = incidents.record_incident(session, world.room, world.invigilator, kind="一般情况", text="这里", now=world.begin)
    sheet_id = world.sheet_id("陈晓")
    client, address = enter(world.invigilator), f"/invigilation/rooms/{other.rooms[0].id}"
    assert client.post(f"{address}/time", data={"sheet_id": sheet_id, "minutes": "5", "reason": "断电"}).status_code == 404
    assert client.post(f"{address}/incidents/withdraw", data={"incident_id": noted.id, "reason": "误"}).status_code == 404
    assert client.get(f"{address}/sheets/{sheet_id}/ledger").status_code == 404
    client.post(f"{address}/messages/withdraw", data={"notice_id": notice.id})
    session.expire_all()
    assert session.get_one(Notice, notice.id).withdrawn_at is None


def test_who_has_passed_the_check_is_said_on_the_board(session: Session, world: SittingWorld) -> None:
    world.running()
    seats.check(session, world.room, [world.sheet("陈晓")], True, "", world.invigilator, now=world.begin)
    assert [seat["admission"] for seat in board(session, world.room)["seats"]] == ["admitted", None, None]
    assert world.sheet("陈晓").admission is Admission.ADMITTED

"""Sheets by the rules: dealt, started, saved, handed in."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from examroom.delivery import dealing, ledger, pages, sheets
from examroom.delivery.models import AnswerEvent, Dealing, ExamPage, HandIn, PageState, Sheet, SheetState
from examroom.delivery.sheets import Event
from examroom.invigilation import rooms, seats
from examroom.plans.models import PlanState, SittingState
from qbank.kernel.db import Actor, Database
from qbank.kernel.identity import IdentityCipher
from qbank.kernel.refused import Refused
from qbank.kernel.settings import Settings
from tests.conftest import People, TestClock
from tests.sitting_world import SittingWorld

SECOND = timedelta(seconds=1)


@pytest.fixture
def world(session: Session, people: People, settings: Settings, clock: TestClock) -> SittingWorld:
    return SittingWorld(session, people, IdentityCipher(settings.identity_key)).make(clock())


def stored(session: Session, sheet: Sheet) -> dict[int, str]:
    return {number: answer.answer for number, answer in sheets.answers(session, sheet).items()}


def refusal(code: str) -> pytest.RaisesExc[Refused]:
    return pytest.raises(Refused, match=rf"^{code}:")


def test_everybody_gets_one_complete_sheet_and_the_seed_repeats_it(session: Session, world: SittingWorld) -> None:
    assert world.deal("abc") == 3
    first = {sheet.enrolment_id: sheet.layout for sheet in session.scalars(sa.select(Sheet))}
    assert all(len(layout) == 8 for layout in first.values())
    assert len({str(layout) for layout in first.values()}) == 3
    world.deal("other")
    assert {sheet.enrolment_id: sheet.layout for sheet in session.scalars(sa.select(Sheet))} != first
    world.deal("abc")
    assert {sheet.enrolment_id: sheet.layout for sheet in session.scalars(sa.select(Sheet))} == first
    assert world.sitting.seed == "abc"
    assert world.sitting.state is SittingState.DEALT
    assert [one.seed for one in session.scalars(sa.select(Dealing).order_by(Dealing.id))] == ["abc", "other", "abc"]


def test_a_second_sheet_of_one_enrolment_cannot_exist(session: Session, world: SittingWorld) -> None:
    world.deal()
    sheet = world.sheet("陈晓")
    session.add(Sheet(sitting_id=sheet.sitting_id, enrolment_id=sheet.enrolment_id, seat_id=sheet.seat_id, seed="x", layout=[]))
    with pytest.raises(sa.exc.IntegrityError):
        session.flush()


@pytest.mark.parametrize(("spoil", "code"), [
    (lambda world: setattr(world.plan, "state", PlanState.SUBMITTED), "plan_not_approved"),
    (lambda world: setattr(world.sitting, "papers", []), "no_paper"),
    (lambda world: setattr(world.sitting, "papers", [world.sealed_paper("草稿卷", sealed=False)]),
     "paper_not_sealed"),
    (lambda world: setattr(world.paper.items[0].version, "key", "A"), "paper_changed"),
    (lambda world: setattr(world.paper.items[0].version.options[2], "text", "另一个选项"), "paper_changed"),
    (lambda world: world.session.delete(world.room.seats[1]), "not_all_seated"),
    (lambda world: [world.session.delete(seat) for seat in world.room.seats], "nobody_seated"),
    (lambda world: world.session.delete(world.room.invigilators[0]), "sitting_not_ready"),
])
def test_nothing_is_dealt_from_what_is_not_ready(session: Session, world: SittingWorld,
                                                 spoil: Callable[[SittingWorld], object], code: str) -> None:
    spoil(world)
    session.flush()
    session.expire_all()
    with refusal(code):
        world.deal()


def test_a_paper_with_too_few_items_is_not_dealt(session: Session, world: SittingWorld,
                                                 monkeypatch: pytest.MonkeyPatch) -> None:
    found = dealing.shapes_of(session, world.paper)
    monkeypatch.setattr(dealing, "shapes_of", lambda *_: found[:-1])
    with refusal("item_count"):
        world.deal()


def test_dealing_ends_with_the_start(session: Session, world: SittingWorld) -> None:
    world.running()
    with refusal("already_begun"):
        sheets.deal(session, world.sitting, world.officer, now=world.begin)
    assert sheets.deal(session, world.sitting, world.officer, now=world.begin - SECOND) == 3


def test_nobody_starts_before_the_time_or_before_the_room_is_open(session: Session, world: SittingWorld) -> None:
    world.deal()
    begin, sheet = world.sitting.starts_at, world.sheet("陈晓")
    with refusal("start_shut"):
        sheets.start(session, sheet, now=begin)
    world.open(now=begin - timedelta(minutes=30))
    with refusal("start_before"):
        sheets.start(session, sheet, now=begin - SECOND)
    sheets.start(session, sheet, now=begin)
    assert sheet.state is SheetState.STARTED
    sheets.start(session, sheet, now=begin + SECOND)  # starting again changes nothing
    assert sheet.started_at == begin
    with refusal("start_late"):
        sheets.start(session, world.sheet("刘洋"), now=begin + timedelta(minutes=30, seconds=1))
    sheets.start(session, world.sheet("刘洋"), now=begin + timedelta(minutes=30))


def test_the_same_events_twice_change_nothing(session: Session, world: SittingWorld) -> None:
    sheet = world.running().start("陈晓")
    events = [Event(1, 1, "A"), Event(2, 5, "AC", True), Event(3, 1, "B")]
    for _ in range(2):
        ack = sheets.save(session, sheet, events, now=world.begin + SECOND)
        assert (ack.acknowledged, ack.refused) == (3, ())
    assert stored(session, sheet) == {1: "B", 5: "AC"}
    assert session.scalar(sa.select(sa.func.count()).select_from(AnswerEvent)) == 3


def test_an_older_revision_never_overwrites_a_newer_one(session: Session, world: SittingWorld) -> None:
    sheet = world.running().start("陈晓")
    sheets.save(session, sheet, [Event(7, 1, "B")], now=world.begin)
    ack = sheets.save(session, sheet, [Event(3, 1, "A"), Event(4, 2, "D")], now=world.begin + SECOND)
    assert [(one.sequence, one.code) for one in ack.refused] == [(3, "older")]
    assert stored(session, sheet) == {1: "B", 2: "D"}
    ack = sheets.save(session, sheet, [Event(7, 1, "A")], now=world.begin + SECOND)  # a cached page counts anew
    assert [one.code for one in ack.refused] == ["taken"]
    assert stored(session, sheet)[1] == "B"


@pytest.mark.parametrize("event", [Event(1, 99, "A"), Event(1, 0, "A"), Event(1, 1, "E"), Event(1, 1, "AB"),
                                   Event(1, 7, "A"), Event(1, 5, "AA"), Event(0, 1, "A"), Event(10**7, 1, "A")])
def test_what_is_not_on_the_sheet_is_refused_and_the_rest_is_written(session: Session, world: SittingWorld,
                                                                   event: Event) -> None:
    sheet = world.running().start("陈晓")
    ack = sheets.save(session, sheet, [event, Event(2, 2, "D")], now=world.begin)
    assert [one.code for one in ack.refused] == ["unknown"]
    assert stored(session, sheet) == {2: "D"}


def test_clearing_an_answer_and_a_flag(session: Session, world: SittingWorld) -> None:
    sheet = world.running().start("陈晓")
    sheets.save(session, sheet, [Event(1, 5, "AC", True), Event(2, 5, "", False)], now=world.begin)
    assert stored(session, sheet) == {5: ""}


@pytest.mark.parametrize(("after_end", "taken"), [(-1, True), (0, True), (30, True), (31, False)])
def test_the_last_save_at_the_deadline(session: Session, world: SittingWorld, after_end: int, taken: bool) -> None:
    sheet = world.running().start("陈晓")
    now = sheets.ends_at(sheet) + after_end * SECOND
    ack = sheets.save(session, sheet, [Event(1, 1, "B")], now=now)
    assert stored(session, sheet) == ({1: "B"} if taken else {})
    assert [one.code for one in ack.refused] == ([] if taken else ["over"])
    # Touched after the grace, the sheet hands itself in.
    assert sheet.state is (SheetState.STARTED if taken else SheetState.HANDED_IN)
    assert sheet.handed_in_how is (None if taken else HandIn.DEADLINE)


def test_an_event_that_was_held_before_is_acknowledged_even_after_the_end(session: Session, world: SittingWorld) -> None:
    sheet = world.running().start("陈晓")
    sheets.save(session, sheet, [Event(1, 1, "B")], now=world.begin)
    ack = sheets.save(session, sheet, [Event(1, 1, "B")], now=world.begin + timedelta(hours=3))
    assert (ack.acknowledged, ack.refused, ack.state) == (1, (), SheetState.HANDED_IN)


def test_hand_in_deadline_force_and_crash_keep_the_same_answers(session: Session, people: People, settings: Settings,
                                                              clock: TestClock) -> None:
    world = SittingWorld(session, people, IdentityCipher(settings.identity_key), candidates=4).make(clock()).running()
    events = [Event(1, 1, "B"), Event(2, 5, "AC"), Event(3, 7, "T", True), Event(4, 1, "A")]
    found = {}
    later = world.begin + timedelta(minutes=40)
    for name in ("陈晓", "刘洋", "周婷", "吴磊"):
        sheets.save(session, world.start(name), events, now=later)
    sheets.hand_in(session, world.sheet("陈晓"), HandIn.CANDIDATE, now=later)
    rooms.force_hand_in(session, world.sheet("刘洋"), world.invigilator, "身体不适", now=later)
    end = sheets.ends_at(world.sheet("周婷"))
    sheets.hand_in(session, world.sheet("周婷"), HandIn.CANDIDATE, now=end)  # the page at zero
    sheets.touch(session, world.sheet("吴磊"), now=end + timedelta(minutes=5))  # its computer had died
    for name in ("陈晓", "刘洋", "周婷", "吴磊"):
        found[name] = (world.sheet(name).handed_in_how, stored(session, world.sheet(name)))
    answers = {1: "A", 5: "AC", 7: "T"}
    assert found == {"陈晓": (HandIn.CANDIDATE, answers), "刘洋": (HandIn.FORCED, answers),
                     "周婷": (HandIn.DEADLINE, answers), "吴磊": (HandIn.DEADLINE, answers)}
    assert world.sheet("吴磊").handed_in_at == end


def test_handing_in_twice_changes_nothing_and_too_early_is_refused(session: Session, world: SittingWorld) -> None:
    sheet = world.running().start("陈晓")
    with refusal("too_early"):
        sheets.hand_in(session, sheet, HandIn.CANDIDATE, now=world.begin + timedelta(minutes=30) - SECOND)
    at = world.begin + timedelta(minutes=30)
    sheets.hand_in(session, sheet, HandIn.CANDIDATE, now=at)
    sheets.hand_in(session, sheet, HandIn.FORCED, now=at + SECOND)
    assert (sheet.handed_in_at, sheet.handed_in_how) == (at, HandIn.CANDIDATE)
    ack = sheets.save(session, sheet, [Event(1, 1, "B")], now=at + SECOND)
    assert [one.code for one in ack.refused] == ["over"]
    assert stored(session, sheet) == {}


def test_grants_add_up_and_move_the_deadline(session: Session, world: SittingWorld) -> None:
    sheet = world.running().start("陈晓")
    end = sheets.ends_at(sheet)
    for minutes, reason in ((5, "电脑重启"), (3, "断网"), (-2, "更正")):
        ledger.grant(session, sheet, minutes * 60, "room", reason, world.invigilator, now=world.begin)
    assert sheets.ends_at(sheet) == end + timedelta(minutes=6)
    ack = sheets.save(session, sheet, [Event(1, 1, "B")], now=end + timedelta(minutes=5))
    assert (ack.refused, ack.remaining_seconds) == ((), 60)


def test_the_same_computer_takes_over_at_once_another_one_only_with_consent(session: Session, world: SittingWorld) -> None:
    world.running()
    first, first_holder = world.open_page("陈晓", "pc-7", now=world.begin)
    again, second_holder = world.open_page("陈晓", "pc-7", now=world.begin)
    assert (first.page, again.page) == (PageState.LIVE, PageState.LIVE)
    assert world.stop_of(first_holder) == "superseded"
    stranger, third_holder = world.open_page("陈晓", "pc-8", now=world.begin)
    assert stranger.page is PageState.WAITING
    assert world.stop_of(third_holder) == "waiting"
    assert world.stop_of(second_holder) == ""  # goes on undisturbed
    waiting = session.scalars(sa.select(ExamPage).where(ExamPage.state == PageState.WAITING)).one()
    with refusal("not_your_room"):
        seats.take_over(session, waiting, world.officer, now=world.begin)
    seats.take_over(session, waiting, world.invigilator, now=world.begin)
    assert world.stop_of(third_holder) == ""
    assert world.stop_of(second_holder) == "superseded"
    assert world.stop_of(replace(third_holder, generation=17)) == "unknown_page"
    assert world.stop_of(replace(third_holder, account_generation=2)) == "signed_out"


def test_a_disabled_account_a_new_password_and_leaving_end_the_page(session: Session, world: SittingWorld) -> None:
    world.running()
    _, holder = world.open_page("陈晓", "pc-7", now=world.begin)
    account = world.enrolment("陈晓").candidate
    account.active = False
    assert world.stop_of(holder) == "signed_out"
    account.active = True
    assert world.stop_of(holder) == ""
    account.generation += 1
    assert world.stop_of(holder) == "signed_out"
    account.generation -= 1
    pages.leave(session, account.viewer())
    assert world.stop_of(holder) == "superseded"
    assert world.sheet("陈晓").generation == 0
    opened, holder = world.open_page("陈晓", "pc-8", now=world.begin)  # nobody holds it: no consent is needed
    assert (opened.page, world.stop_of(holder)) == (PageState.LIVE, "")


def test_a_browser_without_a_mark_is_never_taken_for_another(session: Session, world: SittingWorld) -> None:
    world.running()
    for expected in (PageState.LIVE, PageState.WAITING, PageState.WAITING):
        assert world.open_page("陈晓", "", now=world.begin)[0].page is expected


def test_two_starts_at_the_same_instant_start_one_sheet_once(session: Session, world: SittingWorld, database: Database,
                                                           clock: TestClock) -> None:
    world.running()
    sheet_id, begin = world.sheet("陈晓").id, world.begin
    session.commit()
    gate = threading.Barrier(2)
    states: list[PageState] = []

    def open_one(machine: str) -> None:
        gate.wait(30)
        with database.transaction(Actor(None, "考生"), clock=clock) as own:
            states.append(world.open_page("陈晓", machine, now=begin, session=own)[0].page)

    threads = [threading.Thread(target=open_one, args=(machine,), daemon=True) for machine in ("pc-1", "pc-2")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sorted(states) == [PageState.LIVE, PageState.WAITING]
    session.expire_all()
    assert session.scalar(sa.select(sa.func.count()).select_from(Sheet).where(Sheet.id == sheet_id,
                                                                              Sheet.started_at == begin)) == 1
    assert session.scalar(sa.select(sa.func.count()).select_from(ExamPage).where(ExamPage.state == PageState.LIVE)) == 1


def test_saves_of_one_sheet_from_many_threads_are_all_held(session: Session, world: SittingWorld, database: Database,
                                                         clock: TestClock) -> None:
    sheet = world.running().start("陈晓")
    sheet_id, begin = sheet.id, world.begin
    session.commit()

    def save(sequence: int) -> None:
        with database.transaction(Actor(None, "考生"), clock=clock) as own:
            sheets.save(own, own.get_one(Sheet, sheet_id), [Event(sequence, 1 + sequence % 4, "ABCD"[sequence % 4])], now=begin)

    threads = [threading.Thread(target=save, args=(sequence,), daemon=True) for sequence in range(1, 13)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    session.expire_all()
    # The newest event of each item stands, in whatever order they came: 12 → item 1, 9 → 2, 10 → 3, 11 → 4.
    assert stored(session, sheet) == {1: "A", 2: "B", 3: "C", 4: "D"}
    newest = {number: answer.sequence for number, answer in sheets.answers(session, sheet).items()}
    assert newest == {1: 12, 2: 9, 3: 10, 4: 11}


def test_a_moved_start_is_refused_for_another_day_and_after_the_start(session: Session, world: SittingWorld) -> None:
    world.running()
    begin = world.begin
    with refusal("other_day"):
        dealing.postpone(session, world.sitting, begin + timedelta(days=1), world.officer, now=begin - SECOND)
    with refusal("in_the_past"):
        dealing.postpone(session, world.sitting, begin - timedelta(hours=2), world.officer, now=begin - SECOND)
    dealing.postpone(session, world.sitting, begin + timedelta(minutes=20), world.officer, now=begin - SECOND)
    with refusal("start_before"):
        sheets.start(session, world.sheet("陈晓"), now=begin)
    with refusal("already_begun"):
        dealing.postpone(session, world.sitting, begin + timedelta(hours=1), world.officer, now=begin + timedelta(minutes=20))


def test_no_time_is_read_below_the_doors(session: Session, world: SittingWorld) -> None:
    sheet = world.running().start("陈晓")
    past: datetime = world.begin + SECOND
    assert sheets.save(session, sheet, [Event(1, 1, "B")], now=past).remaining_seconds == 90 * 60 - 1

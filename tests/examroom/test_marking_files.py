"""Answer files of a room without its server, and sittings of several forms."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from examroom.delivery import sheets, shuffle
from examroom.delivery.models import Answer, AnswerEvent, ExamPage, HandIn, PageState, Sheet
from examroom.delivery.sheets import Event
from examroom.marking import answer_file, answer_files, desk
from examroom.marking.answer_file import Written, digest, proof, read
from examroom.marking.answer_files import NEW, OLDER, SAME, SHOWN, TAKEN, UNKNOWN
from examroom.marking.case_models import AnswerFile, FileState, ScoreChange
from examroom.marking.models import TheoryScore
from examroom.marking.responses import all_responses, responses_of
from examroom.marking.written_models import Settled
from examroom.plans.models import SittingState
from qbank.kernel.access import Role, Viewer
from qbank.kernel.identity import IdentityCipher
from qbank.kernel.refused import Refused
from qbank.kernel.settings import Settings
from qbank.papers.models import PaperFamily
from qbank.statistics.responses import NOT_PRESENTED, NOT_REACHED
from scoring.results.models import ResultList, ResultState
from tests.conftest import People, TestClock
from tests.marking_world import ESSAY, ClosedWorld, MarkingWorld

Enter = Callable[[Viewer], FlaskClient]
GENERATION = 77


def refusal(code: str) -> Any:
    return pytest.raises(Refused, match=rf"^{code}:")


def file_of(whose: int, listed: list[tuple[int, int, str, bool]], *, generation: int = GENERATION, token_hash: str = "", **changed: Any) -> bytes:
    """The file as the page writes it; ``changed`` afterwards, without a new digest."""
    rows = [Written(*row) for row in listed]
    of = digest(whose, generation, 0, rows)
    body = {"format": "examroom-answers", "version": 1, "sheet": whose, "page_generation": generation, "acknowledged": 0,
            "events": [vars(row) for row in rows], "made_at": "2026-06-01T10:20:00+08:00", "digest": of,
            "proof": proof(token_hash, of) if token_hash else ""}
    return json.dumps(body | changed, ensure_ascii=False).encode()


@pytest.fixture
def world(session: Session, people: People, settings: Settings, clock: TestClock) -> ClosedWorld:
    """陈晓 had answered the first shown item when the server went away; her page is the live one."""
    made = ClosedWorld(session, people, IdentityCipher(settings.identity_key)).make(clock())
    made.running()
    sheet = made.start("陈晓")
    number, answer = shuffle.to_canonical(sheet.layout, 1, "A")
    sheets.save(session, sheet, [Event(1, number, answer)], now=made.begin)
    session.add(ExamPage(sheet_id=sheet.id, token_hash="ab" * 32, generation=GENERATION, machine_hash="x", address="10.0.0.7", opened_at=made.begin,
                         state=PageState.LIVE))
    session.flush()
    made.after = made.sitting.ends_at + timedelta(minutes=1)
    return made


def brought(world: ClosedWorld, events: list[tuple[int, int, str, bool]], who: Viewer | None = None) -> AnswerFile:
    content = file_of(world.sheet("陈晓").id, events, token_hash="ab" * 32)
    return answer_files.upload(world.session, world.sheet("陈晓"), "答案.json", content, who or world.invigilator, now=world.after)


def test_the_digest_is_the_pages() -> None:
    """Computed by hand: SHA-256 of [5,7,2,[[3,1,"A",false]]] as UTF-8 without spaces."""
    import hashlib

    assert digest(5, 7, 2, [Written(3, 1, "甲", False)]) == hashlib.sha256('[5,7,2,[[3,1,"甲",false]]]'.encode()).hexdigest()


@pytest.mark.parametrize(("content", "code"), [
    (b"\xff\xfe\x00", "not_json"), (b"PK\x03\x04", "not_json"), (b"", "not_json"), (b"[]", "not_ours"), (b"{}", "not_ours"), (b"[" * 200_000, "not_json"),
    (b" " * (answer_file.MOST_BYTES + 1), "too_large"),
    (file_of(1, [], version=2), "version"), (file_of(1, [], sheet="1"), "not_ours"), (file_of(1, [], page_generation=-1), "not_ours"),
    (file_of(1, [], events=None), "events"), (file_of(1, [], events=[1]), "events"), (file_of(1, [], events=[{"sequence": 1}]), "events"),
    (file_of(1, [(2, 1, "A", False), (2, 2, "B", False)]), "sequence"), (file_of(1, [(3, 1, "A", False), (2, 2, "B", False)]), "sequence"),
    (file_of(1, [(1, 1, "A", False)], events=[{"sequence": 1, "number": 1, "answer": "B", "flagged": False}]), "tampered"),
    (file_of(1, [(1, 1, "A", False)], sheet=2), "tampered"), (file_of(1, [], digest=None), "tampered"), (file_of(1, [], digest="é"), "tampered"),
])
def test_a_file_that_is_none_is_refused_with_a_sentence(content: bytes, code: str) -> None:
    with refusal(code) as refused:
        read(content)
    assert refused.value.sentence.endswith("。")


def test_a_file_is_compared_question_by_question(session: Session, world: ClosedWorld) -> None:
    kept = brought(world, [(1, 1, "A", False), (2, 2, "B", False), (3, 3, "Z", False), (4, 99, "A", False)])
    assert kept.proven
    rows = answer_files.differences(session, kept)
    assert [row.effect for row in rows] == [SAME, NEW, UNKNOWN, *[SHOWN] * 5, UNKNOWN]
    assert (rows[0].held, rows[0].brought, rows[1].held, rows[1].brought) == ("A", "A", "", "B")
    sheet = world.sheet("陈晓")
    for sequence, letter in ((2, "C"), (9, "D")):  # she went on at another computer
        number, answer = shuffle.to_canonical(sheet.layout, sequence // 4 + 2, letter)
        sheets.save(session, sheet, [Event(sequence, number, answer)], now=world.begin)
    other = brought(world, [(2, 3, "A", False), (5, 4, "A", False), (6, 2, "D", False)])
    assert [row.effect for row in answer_files.differences(session, other)][1:4] == [NEW, TAKEN, OLDER]


def test_the_answers_come_in_after_the_hand_in_and_the_sheet_is_marked_again(session: Session, world: ClosedWorld) -> None:
    desk.close_due(session, world.after)
    assert world.sitting.state is SittingState.MARKED
    sheet = world.sheet("陈晓")
    before = session.scalars(sa.select(TheoryScore).where(TheoryScore.sheet_id == sheet.id)).one().half_points
    keys, right = world.keys(), []
    for place, entry in enumerate(sheet.layout[1:], 2):
        shown = shuffle.to_shown(entry, keys[entry["number"]])
        right.append((place, place, shown, False))
    kept = brought(world, right)
    assert session.scalar(sa.select(sa.func.count()).where(AnswerEvent.sheet_id == sheet.id)) == 1  # nothing is written yet
    answer_files.decide(session, kept, True, "机房断电，已当面核对", world.second, now=world.after)
    assert kept.state is FileState.TAKEN
    assert kept.outcome == ["写入作答记录 7 条。"]
    score = session.scalars(sa.select(TheoryScore).where(TheoryScore.sheet_id == sheet.id)).one()
    assert score.half_points == before + 14
    change = session.scalars(sa.select(ScoreChange)).one()
    assert (change.before, change.after, change.case_id) == (before, before + 14, None)
    assert session.get_one(Sheet, sheet.id).handed_in_how is HandIn.DEADLINE
    last = session.scalars(sa.select(AnswerEvent).where(AnswerEvent.sheet_id == sheet.id).order_by(AnswerEvent.id.desc()).limit(1)).one()
    assert session.get_one(Sheet, sheet.id).chain == last.chain  # the chain goes on
    with refusal("decided"):
        answer_files.decide(session, kept, True, "再来一次", world.second, now=world.after)


def test_the_same_file_twice_is_one_and_its_events_are_written_once(session: Session, world: ClosedWorld) -> None:
    kept = brought(world, [(2, 2, "B", False)])
    assert brought(world, [(2, 2, "B", False)], world.second) is kept
    answer_files.decide(session, kept, True, "断电，当面核对", world.second, now=world.after)
    more = brought(world, [(2, 2, "B", False), (3, 3, "A", True)])
    answer_files.decide(session, more, True, "断电，当面核对", world.second, now=world.after)
    assert more.outcome == ["写入作答记录 1 条。"]
    assert session.scalar(sa.select(sa.func.count()).where(AnswerEvent.sheet_id == kept.sheet_id)) == 3


def test_events_that_cannot_come_in_are_named(session: Session, world: ClosedWorld) -> None:
    kept = brought(world, [(1, 1, "B", False), (2, 2, "B", False), (3, 3, "ABCDEFG", False)])
    answer_files.decide(session, kept, True, "断电，当面核对", world.second, now=world.after)
    assert kept.outcome[0] == "写入作答记录 1 条。"
    assert [line[:5] for line in kept.outcome[1:]] == ["序号 3：", "序号 1："]


def test_a_second_person_decides_with_a_reason(session: Session, world: ClosedWorld, people: People) -> None:
    kept = brought(world, [(2, 2, "B", False)])
    with refusal("same_person"):
        answer_files.decide(session, kept, True, "断电，当面核对", world.invigilator, now=world.after)
    with refusal("no_reason"):
        answer_files.decide(session, kept, True, "好", world.second, now=world.after)
    with refusal("not_your_room"):
        answer_files.decide(session, kept, True, "断电，当面核对", people("他场监考", Role.INVIGILATOR), now=world.after)
    answer_files.decide(session, kept, False, "考生承认不是自己作答", world.officer, now=world.after)
    assert kept.state is FileState.REJECTED
    assert session.scalar(sa.select(sa.func.count()).where(AnswerEvent.sheet_id == kept.sheet_id)) == 1


@pytest.mark.parametrize(("change", "code"), [({"sheet": 4711}, "other_sheet"), ({"token_hash": "cd" * 32}, "forged"), ({"events": []}, "nothing_new")])
def test_files_that_do_not_belong_here_are_refused(session: Session, world: ClosedWorld, change: dict[str, Any], code: str) -> None:
    sheet = world.sheet("陈晓")
    given: dict[str, Any] = {"sheet": sheet.id, "events": [(2, 2, "B", False)], "token_hash": "ab" * 32} | change
    with refusal(code):
        answer_files.upload(session, sheet, "x.json", file_of(given["sheet"], given["events"], token_hash=given["token_hash"]), world.invigilator,
                            now=world.after)
    with refusal("not_started"):
        other = world.sheet("刘洋")
        answer_files.upload(session, other, "x.json", file_of(other.id, [(2, 2, "B", False)]), world.invigilator, now=world.after)


def test_a_page_that_this_server_does_not_know_is_named_as_unproven(session: Session, world: ClosedWorld) -> None:
    sheet = world.sheet("陈晓")
    content = file_of(sheet.id, [(2, 2, "B", False)], generation=5, token_hash="cd" * 32)
    assert not answer_files.upload(session, sheet, "x.json", content, world.invigilator, now=world.after).proven


def test_nothing_comes_in_once_results_are_public(session: Session, world: ClosedWorld) -> None:
    kept = brought(world, [(2, 2, "B", False)])
    desk.close_due(session, world.after)
    session.add(ResultList(plan=world.plan, rule_pack="{}", merged_at=world.after, state=ResultState.NOTICED, noticed_at=world.after,
                           notice_ends_at=world.after + timedelta(days=8)))
    session.flush()
    with refusal("released"):
        answer_files.decide(session, kept, True, "断电，当面核对", world.second, now=world.after)


def test_a_written_answer_in_a_file_opens_its_marking_again(session: Session, people: People, settings: Settings, clock: TestClock) -> None:
    world = MarkingWorld.of(session, people, settings.identity_key, clock())
    world.distribute()
    for person in world.markers:
        world.give(person, "陈晓", 4, 4)
    sheet = world.sheet("陈晓")
    place = next(at for at, entry in enumerate(sheet.layout, 1) if entry["number"] == ESSAY)
    kept = answer_files.upload(session, sheet, "x.json", file_of(sheet.id, [(50, place, "补充：先切断电源。", False)]), world.invigilator, now=world.after)
    answer_files.decide(session, kept, True, "断电，当面核对", world.second, now=world.after)
    script = world.script("陈晓")
    assert (script.text, script.half_points) == ("补充：先切断电源。", None)
    assert all("答案文件" in mark.withdrawn_reason for mark in script.marks)
    for person in world.markers:
        world.give(person, "陈晓", 5, 5)
    assert (script.half_points, script.how) == (20, Settled.PAIR)


# --- doors ---

def test_the_way_at_the_doors(session: Session, world: ClosedWorld, enter: Enter, clock: TestClock) -> None:
    sheet, ticket = world.sheet("陈晓").id, world.enrolment("陈晓").ticket_number
    session.commit()
    clock.moment = world.after
    first = enter(world.invigilator)
    page = first.get(f"/marking/answer-files?ticket={ticket}").get_data(as_text=True)
    assert f"/marking/sheets/{sheet}/answer-file" in page
    assert "没有找到" in first.get("/marking/answer-files?ticket=%27x").get_data(as_text=True)
    content = file_of(sheet, [(2, 2, "B", False)], token_hash="ab" * 32)
    assert first.post(f"/marking/sheets/{sheet}/answer-file", data={}).status_code == 409
    bad = first.post(f"/marking/sheets/{sheet}/answer-file", data={"file": (io.BytesIO(b"x"), "x.json")})
    assert "内容不是 JSON" in bad.get_data(as_text=True)
    answer = first.post(f"/marking/sheets/{sheet}/answer-file", data={"file": (io.BytesIO(content), "答案.json")})
    address = answer.headers["Location"]
    pasted = first.post(f"/marking/sheets/{sheet}/answer-file", data={"text": f"  {content.decode()}\n"})
    assert pasted.headers["Location"] == address
    page = first.get(address).get_data(as_text=True)
    assert "须由另一人" in page
    assert "选项" not in page.split("逐题对照")[1].split("</p>")[1]  # letters, and nothing of what the items say
    assert first.post(f"{address}/decide", data={"decision": "take", "reason": "断电核对"}).status_code == 409
    second = enter(world.second)
    assert second.post(f"{address}/decide", data={"decision": "take", "reason": "断电，当面核对"}).status_code == 302
    session.expire_all()
    assert session.scalar(sa.select(sa.func.count()).where(Answer.sheet_id == sheet)) == 2


def test_strangers_and_candidates_reach_no_file(session: Session, world: ClosedWorld, enter: Enter, people: People, app: Flask) -> None:
    kept = brought(world, [(2, 2, "B", False)])
    other = people("他场监考", Role.INVIGILATOR)
    officer = people("外校考务", Role.EXAM_OFFICER, school=people.school("外校"))
    sheet, address = world.sheet("陈晓").id, f"/marking/answer-files/{kept.id}"
    session.commit()
    for person in (other, officer):
        client = enter(person)
        assert client.get(address).status_code == 404
        assert client.post(f"{address}/decide", data={"decision": "take", "reason": "断电核对"}).status_code == 404
        assert client.get(f"/marking/sheets/{sheet}/answer-file").status_code == 404
        assert "陈晓" not in client.get("/marking/answer-files").get_data(as_text=True)
    client = world.enter(app, "陈晓")
    assert {client.get(address).status_code, client.get(f"/marking/sheets/{sheet}/answer-file").status_code} == {403}


# --- several forms ---

@pytest.fixture
def two_forms(session: Session, people: People, settings: Settings, clock: TestClock) -> ClosedWorld:
    """Two forms of one family; 陈晓 and 周婷 sit one, 刘洋 the other; everybody answers by the key of the own form."""
    made = ClosedWorld(session, people, IdentityCipher(settings.identity_key)).make(clock())
    other = made.sealed_paper("理论B卷")
    family = PaperFamily(specification_id=made.paper.specification_id, institution_id=made.school.id, name="同族", seed=1, forms=2, report={},
                         composer_id=made.author.account_id, created_at=made.now)
    session.add(family)
    session.flush()
    session.execute(sa.text("UPDATE papers SET family_id = :family"), {"family": family.id})
    session.expire_all()
    made.sitting.papers = [made.paper, other]
    session.flush()
    made.running()
    for name in ("陈晓", "刘洋", "周婷"):
        sheet = made.start(name)
        keys = {item.number: item.version.key for item in sheet.paper.items}
        order = [entry["number"] for entry in sheet.layout]
        given = order if name != "周婷" else order[:3]
        for at, number in enumerate(given, 1):
            sheets.save(session, sheet, [Event(at, number, keys[number])], now=made.begin + timedelta(seconds=30 * at))
    desk.close_due(session, made.sitting.ends_at + timedelta(minutes=1))
    return made


def test_every_sheet_is_scored_by_its_own_form(session: Session, two_forms: ClosedWorld) -> None:
    world = two_forms
    papers = {name: world.sheet(name).paper_id for name in ("陈晓", "刘洋", "周婷")}
    assert len(set(papers.values())) == 2
    scores = {name: session.scalars(sa.select(TheoryScore).where(TheoryScore.sheet_id == world.sheet(name).id)).one().half_points for name in papers}
    assert scores == {"陈晓": 16, "刘洋": 16, "周婷": 6}


def test_responses_of_two_forms_tell_three_kinds_of_nothing_apart(session: Session, two_forms: ClosedWorld) -> None:
    world = two_forms
    parts = responses_of(session, world.sitting)
    assert sorted(len(part.passed) for part in parts) == [1, 2]
    found = all_responses(session, world.sitting)
    assert found.codes.shape == (3, 16)
    assert (found.codes == NOT_PRESENTED).sum(axis=1).tolist() == [8, 8, 8]
    row = found.sheets.index(world.sheet("周婷").id)
    assert (found.codes[row] == NOT_REACHED).sum() == 5
    assert (found.codes[row] == 1).sum() == 3
    own = found.seconds[found.sheets.index(world.sheet("陈晓").id)]
    assert sorted(own[own == own].tolist()) == [30.0] * 8
    assert len(set(found.forms.tolist())) == 2


def test_the_report_of_two_forms(session: Session, two_forms: ClosedWorld, enter: Enter, clock: TestClock) -> None:
    world = two_forms
    session.commit()  # the statistics run
    clock.moment = world.sitting.ends_at + timedelta(minutes=2)
    page = enter(world.officer).get(f"/marking/sittings/{world.sitting.id}/report").get_data(as_text=True)
    assert "理论A卷、理论B卷" in page

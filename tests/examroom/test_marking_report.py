"""The report of a sitting: what it finds in answers that were made up to hold it, and who may read it."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from io import BytesIO
from typing import Any

import numpy as np
import openpyxl
import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient
from pypdf import PdfReader
from sqlalchemy.orm import Session

from examroom.delivery import sheets
from examroom.delivery.models import AnswerEvent, HandIn, Sheet
from examroom.delivery.sheets import Event
from examroom.marking import desk, integrity
from examroom.marking.integrity import Care, Seated, history_of, report
from examroom.marking.models import SittingReport
from examroom.marking.responses import seconds_of
from examroom.oversight.models import Supervision
from qbank.kernel.access import Role, Scope, Viewer
from qbank.kernel.identity import IdentityCipher
from qbank.standards.models import StoredRulePack
from qbank.statistics.bank_analysis import Limits, SatPaper
from qbank.statistics.integrity import NOBODY
from qbank.statistics.models import ItemStatistic
from tests.conftest import People, TestClock
from tests.sitting_world import SittingWorld

Enter = Callable[[Viewer], FlaskClient]
PERSONS, ITEMS, COPIER, SOURCE, LEAKED, WRONG_KEY = 120, 60, 7, 6, 4, 9
START = datetime(2026, 6, 1, 1, 0, tzinfo=UTC)


def answers(sitting: int, *, leak: float = 0.0, seed: int = 1) -> SatPaper:
    """People of some ability; the key is A, the wrong answers B, C, D; item ``LEAKED`` is known to a share of them."""
    draw = np.random.default_rng(seed)
    ability = draw.normal(0.4, 1.0, PERSONS)
    difficulty = np.random.default_rng(0).normal(0.0, 0.8, ITEMS)
    difficulty[LEAKED] = 1.0
    right = draw.random((PERSONS, ITEMS)) < 1 / (1 + np.exp(-1.2 * (ability[:, None] - difficulty)))
    right[:, LEAKED] |= draw.random(PERSONS) < leak
    choices = np.where(right, "A", draw.choice(list("BCD"), (PERSONS, ITEMS), p=[0.5, 0.3, 0.2])).astype(object)
    able = ability > 0.4
    choices[able, WRONG_KEY], choices[~able, WRONG_KEY] = "B", "A"
    choices[COPIER] = choices[SOURCE]
    codes = (choices == "A").astype(np.int8)
    return SatPaper(1, "理论A卷", sitting, tuple(range(101, 101 + ITEMS)), ("A",) * ITEMS, (2,) * ITEMS, codes, choices,
                    codes.mean(axis=1) >= 0.6)


def seat(part: SatPaper, seconds: Any = None) -> Seated:
    places = range(PERSONS)
    return Seated(part, tuple(1000 + one for one in places), tuple(f"机房{one // 30}" for one in places),
                  tuple(one % 30 + 1 for one in places), tuple(f"电气{one // 40}班" for one in places),
                  np.full((PERSONS, ITEMS), np.nan) if seconds is None else seconds, tuple(range(1, ITEMS + 1)))


@pytest.fixture(scope="module")
def told() -> dict[str, Any]:
    parts = [answers(1, seed=1), answers(2, leak=0.4, seed=2), answers(3, leak=0.9, seed=3)]
    seconds = np.exp(np.random.default_rng(5).normal(3.4, 0.5, (PERSONS, ITEMS)))
    seconds[50, :30] = 0.4
    history = history_of(parts, {1: "第一场", 2: "第二场", 3: "第三场"})
    return report(seat(parts[2], seconds), history, Care(), Limits())


def test_the_pair_that_copied_is_found_and_nobody_else(told: dict[str, Any]) -> None:
    rows = told["similarity"]["rows"]
    assert [(row["first"], row["second"], row["adjacent"]) for row in rows] == [(1006, 1007, True)]
    assert rows[0]["matches"] == ITEMS
    assert told["similarity"]["pairs"] == 4 * 30 * 29 // 2  # within each of four rooms
    assert told["similarity"]["adjacent_pairs"] == 4 * 29


def test_the_leaked_item_is_named_with_its_shares(told: dict[str, Any]) -> None:
    rows = told["leaks"]["rows"]
    assert [row["number"] for row in rows] == [LEAKED + 1]
    shares = [share for _, share, _ in rows[0]["shares"]]
    assert shares == sorted(shares)
    assert told["leaks"]["sittings"] == 3


def test_the_wrong_key_is_the_first_suspect(told: dict[str, Any]) -> None:
    first = told["keys"][0]
    assert (first["number"], first["option"], first["certain"]) == (WRONG_KEY + 1, "B", True)


def test_whoever_answers_faster_than_anybody_reads_is_listed(told: dict[str, Any]) -> None:
    assert told["times"]["rows"][0]["sheet"] == 1050
    assert told["times"]["rows"][0]["impossible"] == 30
    assert told["times"]["known"] == 1.0


def test_a_report_is_plain_json_without_names(told: dict[str, Any]) -> None:
    assert "机房" in json.dumps(told, ensure_ascii=False, allow_nan=False)  # groups have names, persons are sheet numbers
    assert told["items"] == ITEMS


def test_an_item_unfair_to_one_class_is_named() -> None:
    part = answers(1)
    codes = part.codes.copy()
    codes[:40, 20], codes[40:, 20] = np.arange(40) % 8 == 0, np.arange(80) % 8 != 0  # 1 in 8 against 7 in 8
    unfair = SatPaper(1, "卷", 1, part.version_ids, part.keys, part.worth, codes, part.choices, part.passed)
    found = integrity.fairness(seat(unfair), Care())
    named = [(group["name"], row["number"], row["effect"], row["delta"] < 0) for group in found for row in group["rows"]
             if group["kind"] == "class"]
    assert ("电气0班", 21, "C", True) in named
    assert {number for _, number, _, _ in named} == {21}


def test_too_few_people_make_no_accusation() -> None:
    part = answers(1)
    few = SatPaper(1, "卷", 1, part.version_ids, part.keys, part.worth, part.codes[:20], part.choices[:20], part.passed[:20])
    seated = Seated(few, tuple(range(20)), ("机房",) * 20, tuple(range(1, 21)), ("班",) * 20, np.full((20, ITEMS), np.nan),
                    tuple(range(1, ITEMS + 1)))
    found = report(seated, history_of([few], {1: "场"}), Care(), Limits())
    assert found["similarity"]["reason"]
    assert (found["similarity"]["rows"], found["keys"], found["dif"], found["times"]["rows"], found["leaks"]["rows"]) == ([],) * 5
    assert found["figures"]["livingston-lewis consistency"] is None


def test_answers_that_arrive_together_have_no_time_of_their_own() -> None:
    def at(seconds: float) -> datetime:
        return START + timedelta(seconds=seconds)

    # 1 after 20 s; 2 and 3 together at 60 s; 4 at 75 s; 1 again 5 s later.
    events = [(1, at(20)), (2, at(60)), (3, at(60)), (4, at(75)), (1, at(80))]
    assert seconds_of(events, START) == {1: 25.0, 4: 15.0}
    assert seconds_of(events[:1], None) == {}


@pytest.fixture
def world(session: Session, people: People, clock: TestClock, app: Flask) -> SittingWorld:
    """A marked sitting of three, in a province that shows numbers from two answers on."""
    session.add(StoredRulePack(region="4301", name="测试", values=json.dumps(
        {"statistics_minimum_n": 2, "earliest_hand_in_minutes": 0})))
    made = SittingWorld(session, people, IdentityCipher(app.extensions["examroom"]["settings"].identity_key)).make(clock()).running()
    for place, (name, given) in enumerate((("陈晓", "BCDA"), ("刘洋", "BCAA"), ("周婷", "AAAA"))):
        sheet = made.start(name)
        for sequence, answer in enumerate(given, 1):
            sheets.save(session, sheet, [Event(sequence, sequence, answer, False)], now=made.begin + timedelta(seconds=20 * sequence))
        sheets.hand_in(session, sheet, HandIn.CANDIDATE, now=made.begin + timedelta(minutes=31 + place))
    session.commit()
    desk.close_due(session, made.sitting.ends_at + timedelta(minutes=1))
    session.commit()
    clock.moment = made.sitting.ends_at + timedelta(minutes=2)
    return made


def suspect(session: Session, world: SittingWorld) -> None:
    """Put a pair, a quick person and a key into the stored report."""
    held = session.scalars(sa.select(SittingReport)).one()
    pair = {"first": world.sheet("陈晓").id, "second": world.sheet("刘洋").id, "items": 8, "matches": 8, "expected": 3.2,
            "identical_wrong": 4, "both_wrong": 4, "omega": 5.1, "wrong_p": 1e-6, "adjusted_p": 1e-9, "adjacent": True}
    quick = {"sheet": world.sheet("周婷").id, "impossible": 5, "rapid": 6, "rapid_right": 5, "rapid_right_p": 1e-4,
             "unusual_p": 0.5, "answered": 8}
    key = {"number": 3, "version": world.paper.items[2].version_id, "key": "D", "option": "A", "certain": True,
           "reasons": [NOBODY]}
    held.found = {**held.found, "keys": [key], "similarity": {**held.found["similarity"], "rows": [pair], "reason": ""},
                  "times": {"known": 1.0, "rows": [quick]}}
    session.commit()


def test_marking_makes_the_report_and_the_score_page_says_what_to_check(
        session: Session, world: SittingWorld, enter: Enter) -> None:
    held = session.scalars(sa.select(SittingReport)).one()
    assert (held.n, held.sitting_id) == (3, world.sitting.id)
    assert held.found["times"]["known"] == pytest.approx(0.5)  # four of eight items, each with a time of its own
    suspect(session, world)
    officer = enter(world.officer)
    assert "“理论第一场”有 1 道题疑似错误答案，公布成绩前请核对" in officer.get("/").get_data(as_text=True)
    page = officer.get(f"/marking/sittings/{world.sitting.id}").get_data(as_text=True)
    assert "公布成绩前请核对答案：第 3 题" in page
    assert f"/marking/sittings/{world.sitting.id}/report" in page
    page = officer.get(f"/marking/sittings/{world.sitting.id}/report").get_data(as_text=True)
    for words in ("不是结论", "陈晓", "刘洋", "相邻", "快得来不及读题", "判定一致性", "不足 1 秒"):
        assert words in page
    assert officer.get(f"/marking/sittings/{world.sitting.id}/report/distribution.svg").mimetype == "image/svg+xml"


def test_the_report_goes_to_excel_with_charts_and_to_paper(session: Session, world: SittingWorld, enter: Enter) -> None:
    suspect(session, world)
    officer = enter(world.officer)
    book = openpyxl.load_workbook(BytesIO(officer.get(f"/marking/sittings/{world.sitting.id}/report.xlsx").get_data()))
    sheet: Any = book["分数分布"]
    assert len(sheet._charts) == 1
    figures = {row[0]: row[1] for row in book["主要指标"].values if row[0]}
    # 陈晓 4 right of 8, 刘洋 3 (3 is wrong), 周婷 1 (number 4): 8 / 24.
    assert figures["平均分"] == pytest.approx(100 * 8 / 24, abs=0.01)
    assert [row for row in book["答卷雷同"].values if row[0] and "陈晓" in str(row[0])]
    paper = PdfReader(BytesIO(officer.get(f"/marking/sittings/{world.sitting.id}/report.pdf").get_data()))
    text = "".join(page.extract_text() for page in paper.pages).replace("\n", "")
    for words in ("场次统计报告", "不是结论", "陈晓", "疑似错误答案"):
        assert words in text


def test_only_the_schools_officers_and_the_plans_supervisors_read_it(
        session: Session, people: People, world: SittingWorld, enter: Enter) -> None:
    sent = people("督导罗明", Role.QUALITY_SUPERVISOR, scopes=[Scope(Role.QUALITY_SUPERVISOR, region="4301")])
    other = people("督导外派", scopes=[Scope(Role.QUALITY_SUPERVISOR, region="4301")])
    session.add(Supervision(plan_id=world.plan.id, supervisor_id=sent.account_id, assigned_by=world.officer.account_id,
                            assigned_at=world.now))
    elsewhere = people.school("雁城高级技工学校（演示）", region="430400")
    stranger = people("外校考务", Role.EXAM_OFFICER, school=elsewhere)
    both = people("两处任职", scopes=[Scope(Role.EXAM_OFFICER, elsewhere.id), Scope(Role.CITY_OFFICER, region="4301")])
    outsiders = [people("市中心", scopes=[Scope(Role.CITY_OFFICER, region="4301")]), world.invigilator, world.author]
    session.commit()
    addresses = [f"/marking/sittings/{world.sitting.id}/report{end}" for end in ("", ".xlsx", ".pdf", "/distribution.svg")]
    for viewer, status in ((sent, 200), (other, 404), (stranger, 404), (both, 404), *((one, 403) for one in outsiders)):
        browser = enter(viewer)
        assert [browser.get(address).status_code for address in addresses] == [status] * 4, viewer.name
    assert "疑似" not in enter(outsiders[0]).get(f"/marking/sittings/{world.sitting.id}").get_data(as_text=True)
    assert enter(sent).post(addresses[0]).status_code == 403
    assert enter(stranger).post(addresses[0]).status_code == 404


def test_an_officer_asks_for_it_again_and_it_stays_shut_while_the_paper_waits(
        session: Session, world: SittingWorld, enter: Enter, clock: TestClock) -> None:
    before, number = session.scalars(sa.select(SittingReport)).one().made_at, world.sitting.id
    session.commit()
    clock.forward(minutes=5)
    officer = enter(world.officer)
    answer = officer.post(f"/marking/sittings/{number}/report", follow_redirects=True)
    assert "已完成" in answer.get_data(as_text=True)
    session.expire_all()
    held = session.scalars(sa.select(SittingReport)).one()
    assert held.made_at > before
    assert session.scalar(sa.select(sa.func.count()).select_from(ItemStatistic).where(ItemStatistic.current)) == 8
    world.add_sitting("理论第二场", clock() + timedelta(hours=2), 90, [])
    session.commit()
    answer = officer.get(f"/marking/sittings/{number}/report")
    assert answer.status_code == 409
    assert "同一份试卷还有场次没有结束" in answer.get_data(as_text=True)


def test_times_are_read_from_the_saved_answers(session: Session, world: SittingWorld) -> None:
    assert session.scalar(sa.select(sa.func.count()).select_from(AnswerEvent).join(Sheet, Sheet.id == AnswerEvent.sheet_id)
                          .where(Sheet.sitting_id == world.sitting.id)) == 12

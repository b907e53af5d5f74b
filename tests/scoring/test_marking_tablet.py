"""The tablet's protocol, signatures, the chief assessor, corrections, and who sees what at every door."""

from __future__ import annotations

import base64
import io
import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient
from PIL import Image, ImageDraw
from sqlalchemy.orm import Session

from qbank.kernel.access import Role, Viewer
from qbank.kernel.refused import Refused
from scoring.practical import corrections, desk, rating, settling, signing, tablet
from scoring.practical.mark_models import Correction, CorrectionState, Discrepancy
from scoring.practical.models import MarkSheet, PracticalGroup, PracticalScore
from scoring.practical.tablet import Event
from scoring.practical.todo import todo
from tests.conftest import PASSWORD
from tests.scoring.outcome_world import NOW, World

Enter = Callable[[Viewer], FlaskClient]
DEVICE = "a" * 32


@pytest.fixture
def world(session: Session, people: Any) -> World:
    return World(session, people)


def code_of(act: Callable[[], Any]) -> str:
    with pytest.raises(Refused) as refused:
        act()
    return refused.value.code


def drawn(strokes: bool = True) -> str:
    picture = Image.new("RGBA", (900, 300), (0, 0, 0, 0))
    if strokes:
        ImageDraw.Draw(picture).line([(50, 50), (300, 200), (500, 60), (800, 240)], fill=(10, 30, 60, 255), width=5)
    stream = io.BytesIO()
    picture.save(stream, "PNG")
    return "data:image/png;base64," + base64.b64encode(stream.getvalue()).decode()


def send(world: World, group: PracticalGroup, who: Viewer, *events: tuple[int, str, str], after: int = 0, device: str = DEVICE) -> tablet.Taken:
    return tablet.take(world.session, group, who, device, [Event(*one) for one in events], after, now=NOW)


def filled(group: PracticalGroup, first: int = 1, skip: int = 0) -> list[tuple[int, str, str]]:
    member = group.members[0].id
    return [(first + place, f"{member}:{row.id}", str(row.most / 2 - 5)) for place, row in enumerate(group.rubric.rows[skip:])]


# The protocol

def test_events_count_once_in_order_and_a_device_says_what_it_was_told(world: World) -> None:
    zhang, li, wang = world.assessors("张", "李", "王")
    group = world.group(world.enrol("陈晓"), [zhang, li, wang])
    member, row = group.members[0].id, group.rubric.rows[0].id
    assert send(world, group, zhang, (2, f"{member}:{row}", "12"), (1, f"{member}:{row}", "11")).acknowledged == 2  # in order of their numbers
    assert send(world, group, zhang, (1, f"{member}:{row}", "11"), (2, f"{member}:{row}", "12")).acknowledged == 2  # again: nothing happens
    sheet, = world.session.scalars(sa.select(MarkSheet))
    assert [mark.half_points for mark in sheet.marks] == [24]
    assert send(world, group, zhang, after=9).behind
    assert send(world, group, zhang, (1, f"{member}:{row}", "13"), device="b" * 32).acknowledged == 1  # another device of his
    assert [mark.half_points for mark in sheet.marks] == [26]


def test_what_cannot_be_taken_is_named_and_holds_up_nothing(world: World) -> None:
    zhang, li, wang = world.assessors("张", "李", "王")
    group = world.group(world.enrol("陈晓"), [zhang, li, wang], world.rubric(veto="未断电"))
    member, rows = group.members[0].id, [row.id for row in group.rubric.rows]
    taken = send(world, group, zhang, (1, f"{member}:{rows[0]}", "99"), (2, f"{member}:{rows[4]}", "maybe"), (3, "9999:1", "1"), (4, f"{member}:sign", "{}"),
                 (5, f"{member}:sign", "x"), (6, f"{member}:999", "1"), (7, "x", ""), (8, f"{member}:{rows[1]}", "0"))
    assert taken.acknowledged == 8
    assert [(one.sequence, one.code) for one in taken.refused] == [
        (1, "out_of_range"), (2, "not_a_verdict"), (3, "other_member"), (4, "blanks"), (5, "no_signature"), (6, "other_row"), (7, "other_member")]
    assert "★ 未断电" in taken.refused[3].sentence
    state = tablet.state(world.session, group, zhang, DEVICE)
    assert state["members"][0]["entries"] == {str(rows[1]): "0"}
    assert tablet.state(world.session, group, li, DEVICE)["members"][0]["entries"] == {}  # nobody else's


@pytest.mark.parametrize("body", [None, [], {}, {"events": 1}, {"events": [1]}, {"events": [{"sequence": 0, "number": "1:1", "answer": ""}]},
                                  {"events": [{"sequence": 1, "number": 1, "answer": ""}]}, {"events": [{"sequence": True, "number": "1:1", "answer": ""}]},
                                  {"events": [{}] * 51}])
def test_what_is_no_event_is_an_error_and_never_a_crash(body: object) -> None:
    with pytest.raises(ValueError, match="event"):
        tablet.read_events(body)


# Signing

def test_a_pen_signs_and_what_is_signed_is_shut(world: World) -> None:
    zhang, li, wang = world.assessors("张", "李", "王")
    group = world.group(world.enrol("陈晓"), [zhang, li, wang])
    member = group.members[0].id
    send(world, group, zhang, *filled(group))
    for bad, code in ((drawn(strokes=False), "empty_signature"), ("data:image/png;base64,AAAA", "no_signature"), ("???", "no_signature")):
        refused, = send(world, group, zhang, (5, f"{member}:sign", json.dumps({"pen": bad})), device="c" * 32).refused
        assert refused.code == code
        world.session.execute(sa.text("DELETE FROM mark_streams WHERE device = :device"), {"device": "c" * 32})
        world.session.expire_all()
    assert send(world, group, zhang, (5, f"{member}:sign", json.dumps({"pen": drawn()}))).refused == ()
    sheet, = world.session.scalars(sa.select(MarkSheet))
    assert (sheet.signed_at, sheet.signed_with) == (NOW, "pen")
    assert (signing.signature_png(world.session, sheet) or b"").startswith(b"\x89PNG")
    assert send(world, group, zhang, (6, f"{member}:{group.rubric.rows[0].id}", "1")).refused[0].code == "signed"


def test_a_pin_signs_and_is_shut_after_five_wrong_ones(world: World) -> None:
    zhang, li, wang = world.assessors("张", "李", "王")
    group = world.group(world.enrol("陈晓"), [zhang, li, wang])
    member = group.members[0].id
    send(world, group, zhang, *filled(group))
    pin = json.dumps({"pin": "271828"})
    assert send(world, group, zhang, (5, f"{member}:sign", pin)).refused[0].code == "no_pin"
    for weak in ("111111", "123456", "12345", "12345a", "121212"):
        assert code_of(lambda weak=weak: signing.set_pin(world.session, zhang, weak, PASSWORD, now=NOW)) == "weak_pin"  # type: ignore[misc]
    assert code_of(lambda: signing.set_pin(world.session, zhang, "271828", "wrong", now=NOW)) == "wrong_password"
    signing.set_pin(world.session, zhang, "271828", PASSWORD, now=NOW)
    codes = [send(world, group, zhang, (6 + turn, f"{member}:sign", '{"pin": "000000"}')).refused[0].code for turn in range(6)]
    assert codes == ["wrong_pin"] * 5 + ["pin_shut"]
    assert send(world, group, zhang, (12, f"{member}:sign", pin)).refused[0].code == "pin_shut"
    signing.set_pin(world.session, zhang, "271828", PASSWORD, now=NOW)
    assert send(world, group, zhang, (13, f"{member}:sign", pin)).refused == ()
    assert world.session.scalars(sa.select(MarkSheet.signed_with)).one() == "pin"


# The chief assessor

def spread(world: World, totals: tuple[int, ...] = (120, 141, 130)) -> tuple[PracticalGroup, list[Viewer]]:
    chen, = world.enrol("陈晓")
    four = world.assessors("张三", "李四", "王五", "赵六")
    group = world.group([chen], four[:3])
    for who, total in zip(four, totals, strict=False):
        world.mark(group, who, chen, total)
    return group, four


def test_ten_points_apart_are_joined_and_half_a_point_more_goes_to_the_chief(world: World) -> None:
    group, _ = spread(world, (120, 140, 130))
    assert world.session.scalars(sa.select(PracticalScore.half_points)).one() == 130
    assert world.session.scalar(sa.select(Discrepancy)) is None
    assert settling.waiting_for(world.session, group.plan) == {}


def test_a_chief_decides_with_a_reason_and_all_records_are_kept(world: World) -> None:
    group, (zhang, _, _, zhao) = spread(world)
    member, = group.members
    assert world.session.scalar(sa.select(PracticalScore)) is None
    assert settling.waiting_for(world.session, group.plan) == {member.enrolment_id: "考评员评分相差 10.5 分，等待考评组长（尚未指定）评定"}
    assert [one.title for one in todo(world.session, world.officer, now=NOW)] == ["指定考评组长"]
    assert code_of(lambda: desk.name_chief(world.session, group, zhang.account_id, world.officer)) == "chief_is_assessor"
    plain = world.people("钱", Role.PRACTICAL_ASSESSOR)
    world.certify(plain, senior=False, levels=(5, 4, 3))
    assert code_of(lambda: desk.name_chief(world.session, group, plain.account_id, world.officer)) == "not_senior"
    desk.name_chief(world.session, group, zhao.account_id, world.officer)
    assert [one.title for one in todo(world.session, zhao, now=NOW)] == ["考评组长评定"]
    state = tablet.state(world.session, group, zhao, DEVICE)
    assert (state["chief"], state["members"][0]["entries"]) == (True, {})
    send(world, group, zhao, *filled(group))  # 30 + 15 + 25 + 30 less 5 each: 80 points
    sign = f"{member.id}:sign"
    assert send(world, group, zhao, (5, sign, json.dumps({"pen": drawn()}))).refused[0].code == "no_reason"
    assert send(world, group, zhao, (6, sign, json.dumps({"pen": drawn(), "reason": "回看录像，接线工艺合格"}))).refused == ()
    score = world.session.scalars(sa.select(PracticalScore)).one()
    assert score.half_points == 160
    assert score.reasons[:3] == ["张三 评 60.0 分", "李四 评 70.5 分", "王五 评 65.0 分"]
    assert "由考评组长 赵六 评定 80.0 分：回看录像，接线工艺合格" in score.reasons[3]
    assert len(world.session.scalars(sa.select(MarkSheet)).all()) == 4
    assert settling.waiting_for(world.session, group.plan) == {}


# Corrections

def test_a_correction_needs_a_reason_and_a_second_person_and_keeps_the_original(world: World) -> None:
    group, (zhang, _, _, zhao) = spread(world, (120, 124, 128))
    sheet = world.session.scalars(sa.select(MarkSheet).where(MarkSheet.assessor_id == zhang.account_id)).one()
    row = group.rubric.rows[-1]  # 30 points, of which nothing was given
    before = next(mark for mark in sheet.marks if mark.row_id == row.id)
    assert before.half_points == 0
    other = world.people("钱敏", Role.EXAM_OFFICER)

    def ask(who: Viewer, entry: Any = 6, reason: str = "漏录 3 分") -> Correction:
        return corrections.ask(world.session, sheet, row, entry, reason, who, now=NOW)

    assert code_of(lambda: ask(zhang, reason=" ")) == "no_reason"
    assert code_of(lambda: ask(zhang, entry=61)) == "out_of_range"
    assert code_of(lambda: ask(zhang, entry=0)) == "nothing_new"
    assert code_of(lambda: ask(zhao)) == "not_your_duty"
    asked = ask(world.officer)
    assert code_of(lambda: ask(zhang)) == "asked_already"
    assert code_of(lambda: corrections.decide(world.session, asked, world.officer, True, "", now=NOW)) == "same_person"
    assert code_of(lambda: corrections.decide(world.session, asked, zhang, True, "", now=NOW)) == "not_your_duty"
    assert code_of(lambda: corrections.decide(world.session, asked, other, False, "", now=NOW)) == "no_comment"
    assert desk.total_of(sheet) == 120  # nothing has changed yet
    corrections.decide(world.session, asked, other, True, "与录像相符", now=NOW)
    assert (desk.total_of(sheet), before.half_points) == (126, 0)  # the mark itself is as it was signed
    assert (asked.score_before, asked.score_after) == (124, 126)
    assert world.session.scalars(sa.select(PracticalScore.half_points)).one() == 126
    assert code_of(lambda: corrections.decide(world.session, asked, other, True, "", now=NOW)) == "decided"
    again = ask(zhang, entry=60, reason="又一处录入有误")
    corrections.decide(world.session, again, other, False, "没有依据", now=NOW)
    assert again.state is CorrectionState.REJECTED
    assert desk.total_of(sheet) == 126


def test_a_correction_that_tears_the_marks_apart_sends_the_candidate_to_the_chief(world: World) -> None:
    group, (zhang, *_) = spread(world, (120, 124, 128))
    sheet = world.session.scalars(sa.select(MarkSheet).where(MarkSheet.assessor_id == zhang.account_id)).one()
    asked = corrections.ask(world.session, sheet, group.rubric.rows[-1], 40, "漏录 20 分", zhang, now=NOW)
    corrections.decide(world.session, asked, world.officer, True, "", now=NOW)
    assert (asked.score_before, asked.score_after) == (124, None)
    assert world.session.scalars(sa.select(Discrepancy.spread)).one() == 36
    assert world.session.scalar(sa.select(PracticalScore)) is None


# Doors

def test_nobody_sees_anothers_marks_at_any_door_before_all_have_signed(world: World, enter: Enter) -> None:
    chen, = world.enrol("陈晓")
    zhang, li, wang = world.assessors("张", "李", "王")
    group = world.group([chen], [zhang, li, wang])
    for who in (zhang, li):
        world.mark(group, who, chen, 137)  # 68.5 points: a number that stands nowhere else
    sheets = [one.id for one in world.session.scalars(sa.select(MarkSheet).order_by(MarkSheet.id))]
    number, plan, row = group.id, world.plan.id, group.rubric.rows[0].id
    supervisor = world.office(Role.PROVINCE_OFFICER, "省里", "43")
    viewers = {"li": li, "wang": wang, "officer": world.officer, "province": supervisor}
    world.session.commit()
    head = {"X-Page-Token": DEVICE}
    for name, viewer in viewers.items():
        client = enter(viewer)
        places = [f"/practical/groups/{number}", f"/practical/groups/{number}/mark", f"/practical/groups/{number}/mark/state",
                  f"/practical/groups/{number}/mark/pulse", f"/practical/plans/{plan}/raters", f"/practical/plans/{plan}/raters/plot.svg?group={number}",
                  "/practical/", "/", "/results/", f"/practical/sheets/{sheets[0]}", f"/practical/sheets/{sheets[0]}/signature.png"]
        for place in places:
            answer = client.get(place, headers=head)
            text = answer.get_data(as_text=True)
            assert answer.status_code in {200, 403, 404}, (name, place)
            assert "68.5" not in text or (name == "li" and "state" in place), (name, place)
        assert client.get(f"/practical/sheets/{sheets[0]}").status_code == 404, name
        assert client.post(f"/practical/sheets/{sheets[0]}/corrections", data={"row": row, "entry": "1", "reason": "试试看能否"}).status_code in {403, 404}
    assert enter(zhang).get(f"/practical/sheets/{sheets[0]}").status_code == 200


def test_an_assessor_marks_through_the_doors_and_an_officer_corrects_on_the_sheets_page(world: World, enter: Enter) -> None:
    chen, = world.enrol("陈晓")
    three = world.assessors("张", "李", "王")
    group = world.group([chen], three)
    other = world.people("钱敏", Role.EXAM_OFFICER)
    number, member, rows, plan = group.id, group.members[0].id, [(row.id, row.most) for row in group.rubric.rows], world.plan.id
    world.session.commit()
    head = {"X-Page-Token": DEVICE}
    for who in three:
        client = enter(who)
        assert client.get(f"/practical/groups/{number}/mark").status_code == 200
        assert client.get(f"/practical/groups/{number}/mark/state").status_code == 400  # no device
        events = [{"sequence": place, "number": f"{member}:{key}", "answer": str(most / 4)} for place, (key, most) in enumerate(rows, 1)]
        assert client.post(f"/practical/groups/{number}/mark/events", json={"events": events[:2], "after": 7}, headers=head).status_code == 409
        events.append({"sequence": 9, "number": f"{member}:sign", "answer": json.dumps({"pen": drawn()})})
        answer = client.post(f"/practical/groups/{number}/mark/events", json={"events": events, "after": 0}, headers=head)
        assert answer.get_json()["acknowledged"] == 9, answer.get_json()
        assert client.get(f"/practical/groups/{number}/mark/pulse", headers=head).get_json()["signed"].keys() == {str(member)}
    sheet = world.session.scalars(sa.select(MarkSheet.id).order_by(MarkSheet.id)).first()
    world.session.commit()
    client = enter(world.officer)
    assert client.get(f"/practical/sheets/{sheet}/signature.png").mimetype == "image/png"
    asked = client.post(f"/practical/sheets/{sheet}/corrections", data={"row": rows[0][0], "entry": "16", "reason": "把 16 录成 15"})
    assert asked.status_code == 302
    correction = world.session.scalars(sa.select(Correction.id)).one()
    world.session.commit()
    second = enter(other)
    assert "批准更正" in second.get(f"/practical/sheets/{sheet}").get_data(as_text=True)
    assert second.post(f"/practical/corrections/{correction}", data={"act": "approve"}).status_code == 302
    page = second.get(f"/practical/sheets/{sheet}").get_data(as_text=True)
    assert "<del>15.0</del> 16.0" in page
    assert "操作技能成绩 50.0 → 50.5" in page  # (50 + 50 + 51) / 3 = 50.33
    raters = second.get(f"/practical/plans/{plan}/raters").get_data(as_text=True)
    assert "ICC(2,1)" in raters
    assert second.get(f"/practical/plans/{plan}/raters/plot.svg?group={number}&show=totals").mimetype == "image/svg+xml"
    assert second.get(f"/practical/plans/{plan}/raters/plot.svg?group={number}").mimetype == "image/svg+xml"
    assert second.get(f"/practical/plans/{plan}/raters/plot.svg?show=facets").status_code == 404  # too few marks


def test_a_lenient_assessor_and_one_odd_mark_are_found(world: World) -> None:
    everybody = world.enrol(*(f"考生{number}" for number in range(12)))
    three = world.assessors("张", "李", "王")
    group = world.group(everybody, three)
    for place, one in enumerate(everybody):
        for who, more in zip(three, (0, 0, 6), strict=True):
            sheet = desk.mark_sheet_for(world.session, next(m for m in group.members if m.enrolment_id == one.id), who)
            entries: dict[int, Any] = {row.id: row.most // 2 + (place + at) % 5 + (more if at == 0 else 0) for at, row in enumerate(group.rubric.rows)}
            if place == 4 and who is three[1]:
                entries[group.rubric.rows[2].id] = 12  # of 50; the others gave 26
            desk.enter_marks(world.session, sheet, entries, who, now=NOW)
            desk.sign(world.session, sheet, who, now=NOW)
    found, = rating.groups_of(world.session, world.plan, world.officer)
    # 王 gives 6 half-points more than the two others: +2 points against the mean of all three, less what the odd mark takes from 李.
    assert found.severity.effects[2] == pytest.approx(2 + 7 / 12 / 3, abs=0.001)
    assert [(one.candidate, one.assessor, one.given) for one in found.outliers] == [("考生4", "李", 6.0)]
    assert 0 < found.agreement.single < 1
    assert rating.many_facets(world.session, world.plan, world.officer) == []  # so regular that no model converges: none is shown


def test_the_many_facet_model_of_a_plan_names_the_most_lenient_assessor(world: World) -> None:
    everybody = world.enrol(*(f"考生{number}" for number in range(12)))
    three = world.assessors("张", "李", "王")
    group = world.group(everybody, three)
    chance = np.random.default_rng(1)
    for place, member in enumerate(group.members):
        for who in three:
            sheet = desk.mark_sheet_for(world.session, member, who)
            share = 0.3 + 0.05 * place + (0.1 if who is three[2] else 0)
            entries: dict[int, Any] = {row.id: int(np.clip(round(row.most * (share + chance.normal(0, 0.12))), 0, row.most)) for row in group.rubric.rows}
            desk.enter_marks(world.session, sheet, entries, who, now=NOW)
            desk.sign(world.session, sheet, who, now=NOW)
    model, = rating.many_facets(world.session, world.plan, world.officer)
    assert model.found.n == 12 * 3 * 4
    assert model.names[int(model.found.raters.values.argmin())] == "王"  # the least severe

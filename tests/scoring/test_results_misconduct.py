"""Misconduct makes one part void or all: by the tiers of the rule pack, with evidence, after a hearing, decided by a second officer."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from datetime import UTC, date, datetime
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from examroom.delivery.models import Sheet
from examroom.invigilation.models import Incident
from examroom.plans import barred
from examroom.plans.models import Enrolment
from qbank.kernel.access import Role, Viewer
from qbank.kernel.accounts import HASHER
from qbank.kernel.attachments import from_bytes
from qbank.kernel.refused import Refused
from qbank.standards.tiers import Tier, read_tiers
from scoring.results import desk, misconduct
from scoring.results.case_models import Misconduct
from scoring.results.merge import PRACTICAL, THEORY, Verdict
from scoring.results.models import CreditState
from scoring.results.todo import todo
from tests.conftest import PASSWORD
from tests.scoring.outcome_world import NOW, World

Enter = Callable[[Viewer], FlaskClient]
TODAY = date(2026, 6, 1)
SEEN = "监考员在 09:40 发现其查看夹带的纸条，纸条已收存。"


@pytest.fixture
def world(session: Session, people: Any) -> World:
    return World(session, people)


def propose(world: World, enrolment: Enrolment, tier: str, part: str | None = None, *, happened_on: date = TODAY,
            evidence: str = SEEN) -> Misconduct:
    return misconduct.propose(world.session, enrolment, tier, part, world.officer, happened_on=happened_on, evidence=evidence, now=NOW)


def code_of(act: Callable[[], Any]) -> str:
    with pytest.raises(Refused) as refused:
        act()
    return refused.value.code


def test_a_lesser_case_voids_the_part_it_happened_in(world: World) -> None:
    chen, = world.scored({"陈晓": (150, 140)})
    case = propose(world, chen, "一般违纪", THEORY)
    merged = desk.merge_plan(world.session, world.plan, world.officer, now=NOW)
    assert merged.results[0].verdict is Verdict.PASSED  # only proposed
    misconduct.decide(world.session, world.heard(case), True, "", world.checker, now=NOW)
    merged = desk.merge_plan(world.session, world.plan, world.officer, now=NOW)
    assert merged.results[0].verdict is Verdict.VOID
    assert merged.results[0].reasons == ["理论知识成绩因违纪（一般违纪）作无效处理", "操作技能 70.0 分，合格"]
    assert (merged.results[0].theory, merged.results[0].practical) == (None, 140)


def test_a_serious_case_voids_every_part_even_one_that_was_never_sat(world: World) -> None:
    chen, = world.scored({"陈晓": (150, None)})
    misconduct.decide(world.session, world.heard(propose(world, chen, "严重违纪")), True, "", world.checker, now=NOW)
    merged = desk.merge_plan(world.session, world.plan, world.officer, now=NOW)
    assert merged.results[0].reasons == ["理论知识成绩因违纪（严重违纪）作无效处理", "操作技能成绩因违纪（严重违纪）作无效处理"]
    desk.check(world.session, merged, world.checker, now=NOW)  # nothing is missing any more
    assert merged.checked_at == NOW


def test_void_absent_failed_and_incomplete_stand_side_by_side_in_one_list(world: World) -> None:
    chen, wu, he, liu, ma = world.scored({"陈晓": (150, 140), "吴静": (119, 140), "何平": (None, 140), "刘洋": (150, None), "马腾": (150, 140)})
    misconduct.decide(world.session, world.heard(propose(world, chen, "严重违纪")), True, "", world.checker, now=NOW)
    merged = desk.merge_plan(world.session, world.plan, world.officer, now=NOW)
    verdicts = {one.enrolment_id: one.told for one in merged.results}
    assert [verdicts[one.id] for one in (chen, wu, he, liu, ma)] == ["成绩无效", "不合格", "缺考", "成绩不全", "合格"]


def test_one_officer_alone_decides_nothing_and_evidence_is_asked_for(world: World) -> None:
    chen, = world.scored({"陈晓": (150, 140)})
    assert code_of(lambda: propose(world, chen, "一般违纪", THEORY, evidence="作弊")) == "no_evidence"
    assert code_of(lambda: propose(world, chen, "一般违纪")) == "no_such_part"
    assert code_of(lambda: propose(world, chen, "迟到", THEORY)) == "no_tier"
    assert code_of(lambda: propose(world, chen, "严重违纪", happened_on=date(2026, 6, 2))) == "future"
    case = propose(world, chen, "严重违纪")
    assert code_of(lambda: misconduct.decide(world.session, case, True, "", world.officer, now=NOW)) == "same_person"
    assert code_of(lambda: misconduct.decide(world.session, case, False, "", world.checker, now=NOW)) == "no_comment"
    misconduct.decide(world.session, case, False, "监控显示纸条不是他的", world.checker, now=NOW)
    assert code_of(lambda: misconduct.decide(world.session, case, True, "", world.checker, now=NOW)) == "wrong_state"
    assert desk.merge_plan(world.session, world.plan, world.officer, now=NOW).results[0].passed


def test_what_is_posted_is_not_voided_any_more_until_it_is_withdrawn(world: World) -> None:
    chen, = world.scored({"陈晓": (150, 140)})
    found = world.post(desk.merge_plan(world.session, world.plan, world.officer, now=NOW))
    assert code_of(lambda: propose(world, chen, "严重违纪")) == "posted"
    desk.withdraw(world.session, found, world.officer, "举报作弊属实", now=NOW)
    assert propose(world, chen, "严重违纪").state is CreditState.PROPOSED


def test_a_ban_keeps_the_candidate_out_of_plans_that_begin_before_it_ends(world: World) -> None:
    chen, = world.scored({"陈晓": (150, 140)})
    chen.candidate.identity_hash = "h" * 64
    case = propose(world, chen, "特别严重违纪")
    assert case.banned_until == date(2027, 6, 1)  # twelve months by the default pack
    assert barred.candidates(world.session, ["h" * 64], TODAY) == {}
    misconduct.decide(world.session, world.heard(case), True, "", world.checker, now=NOW)
    assert "禁考至 2027年6月1日" in barred.candidates(world.session, ["h" * 64], date(2027, 6, 1))["h" * 64]
    assert barred.candidates(world.session, ["h" * 64], date(2027, 6, 2)) == {}
    assert barred.candidates(world.session, ["x" * 64], TODAY) == {}


def test_tiers_are_read_from_the_pack_and_nonsense_is_quoted() -> None:
    assert read_tiers("轻微/本部分/0；作弊／全部／24") == (Tier("轻微", False, 0), Tier("作弊", True, 24))
    assert Tier("作弊", True, 24).told == "作弊：各部分成绩均无效，24 个月内不得报考"
    for wrong in ("", "轻微", "轻微/一半/0", "轻微/全部/x", "轻微/全部/121", "轻微/全部/0；轻微/全部/0", "/全部/0"):
        with pytest.raises(Refused, match="违纪等次"):
            read_tiers(wrong)


def test_the_page_takes_a_case_in_and_the_second_officer_decides(world: World, enter: Enter, people: Any) -> None:
    chen, = world.scored({"陈晓": (150, 140)})
    stranger = people("外校", Role.EXAM_OFFICER, school=people.school("另一所学校"))
    world.session.commit()
    url = f"/results/plans/{world.plan.id}/misconduct"
    client = enter(world.officer)
    typed = {"ticket": chen.ticket_number, "tier": "一般违纪", "part": PRACTICAL, "happened_on": "2026-06-01", "evidence": "太短"}
    refused = client.post(url, data=typed)
    assert refused.status_code == 409
    assert "请写明违纪经过" in refused.get_data(as_text=True)
    assert "太短" in refused.get_data(as_text=True)  # nothing typed is lost
    file = from_bytes(b"%PDF-1.7\n%%EOF\n", "记录.pdf")
    assert client.post(url, data=typed | {"evidence": SEEN, "file": (file.stream, "记录.pdf")}).status_code == 302
    assert "尚未告知当事人" in client.get(url).get_data(as_text=True)
    assert "须由另一名考务员决定" in client.get("/results/misconduct/1").get_data(as_text=True)
    with client.get("/results/misconduct/1/file") as answer:
        assert answer.data.startswith(b"%PDF")
    assert client.post("/results/misconduct/1/decide", data={"decision": "approve"}).status_code == 409
    second = enter(world.checker)
    assert second.post("/results/misconduct/1/decide", data={"decision": "?"}).status_code == 409
    assert second.post("/results/misconduct/1/decide", data={"decision": "approve"}).status_code == 409  # nobody was heard
    assert client.post("/results/misconduct/1/tell").status_code == 302
    assert client.post("/results/misconduct/1/statement", data={"statement": "短"}).status_code == 409
    scan = (from_bytes(b"%PDF-1.7\n%%EOF\n", "x").stream, "陈述.pdf")
    assert client.post("/results/misconduct/1/statement", data={"statement": "本人书面：纸条不是我的", "file": scan}).status_code == 302
    with client.get("/results/misconduct/1/file?of=statement") as answer:
        assert answer.data.startswith(b"%PDF")
    assert second.post("/results/misconduct/1/decide", data={"decision": "approve"}).status_code == 302
    assert "已认定" in second.get(url).get_data(as_text=True)
    assert second.post("/results/misconduct/1/withdraw", data={"comment": "查错人"}).status_code == 302
    other = enter(stranger)
    assert {other.get(url).status_code, other.post(url).status_code, other.get("/results/misconduct/1/file").status_code,
            other.post("/results/misconduct/1/decide").status_code, other.post("/results/misconduct/1/withdraw").status_code,
            other.get("/results/misconduct/1").status_code,
            other.post("/results/misconduct/1/tell").status_code, other.post("/results/misconduct/1/statement").status_code,
            other.get("/results/misconduct/1/letter.pdf").status_code} == {404}


def test_no_decision_before_the_candidate_was_heard_or_the_term_is_over(world: World) -> None:
    """Told on Monday 1 June 2026: five working days end on Monday 8 June."""
    chen, = world.scored({"陈晓": (150, 140)})
    case = propose(world, chen, "严重违纪")
    decide = partial(misconduct.decide, world.session, case, True, "情节属实", world.checker)
    assert code_of(lambda: decide(now=NOW)) == "not_heard"
    misconduct.tell(world.session, case, world.officer, now=NOW)
    assert case.term_ends_on == date(2026, 6, 8)
    assert code_of(lambda: decide(now=datetime(2026, 6, 8, 15, 59, tzinfo=UTC))) == "not_heard"  # 23:59 in China
    assert [one.title for one in todo(world.session, world.checker, now=NOW) if "陈述" in one.title or "违纪" in one.title] == ["等待考生陈述申辩"]
    late = datetime(2026, 6, 8, 16, tzinfo=UTC)  # midnight in China
    assert code_of(lambda: misconduct.state(world.session, case, "我没有作弊", chen.candidate.viewer(), now=late)) == "term_over"
    decide(now=late)
    assert case.state is CreditState.APPROVED


def test_a_rejection_needs_no_hearing_and_a_told_case_is_told_once(world: World) -> None:
    chen, = world.scored({"陈晓": (150, 140)})
    case = propose(world, chen, "严重违纪")
    misconduct.tell(world.session, case, world.officer, now=NOW)
    assert code_of(lambda: misconduct.tell(world.session, case, world.checker, now=NOW)) == "told_already"
    misconduct.decide(world.session, case, False, "监控显示不是他", world.checker, now=NOW)
    assert code_of(lambda: misconduct.tell(world.session, case, world.officer, now=NOW)) == "wrong_state"
    assert code_of(lambda: misconduct.state(world.session, case, "我没有作弊", chen.candidate.viewer(), now=NOW)) == "wrong_state"


def test_the_candidate_reads_what_is_held_against_him_answers_once_and_gets_the_letter(world: World, enter: Enter, tmp_path: Path) -> None:
    chen, wu = world.scored({"陈晓": (150, 140), "吴静": (140, 140)})
    for one in (chen, wu):
        one.candidate.password_hash = HASHER.hash(PASSWORD)
    case = propose(world, chen, "一般违纪", THEORY)
    world.session.commit()
    own, other = enter(chen.candidate.viewer()), enter(wu.candidate.viewer())
    assert own.get("/results/misconduct/1").status_code == 404  # not told yet
    misconduct.tell(world.session, case, world.officer, now=NOW)
    assert [one.title for one in todo(world.session, chen.candidate.viewer(), now=NOW)] == ["对拟作出的违纪处理陈述申辩"]
    world.session.commit()
    assert "拟作出的违纪处理" in own.get("/results/mine").get_data(as_text=True)
    page = own.get("/results/misconduct/1").get_data(as_text=True)
    assert SEEN in page
    assert "周敏" not in page  # who proposed it is not told
    assert {other.get("/results/misconduct/1").status_code, other.get("/results/misconduct/1/letter.pdf").status_code,
            other.post("/results/misconduct/1/statement", data={"statement": "替他说话的"}).status_code} == {404}
    assert "违纪处理告知书" in text_of(own.get("/results/misconduct/1/letter.pdf"), tmp_path)
    assert own.post("/results/misconduct/1/statement", data={"statement": "纸条是同桌掉的，请看监控。"}).status_code == 302
    assert own.post("/results/misconduct/1/statement", data={"statement": "再说一次"}).status_code == 409
    assert own.post("/results/misconduct/1/decide", data={"decision": "reject"}).status_code == 403
    assert enter(world.checker).post("/results/misconduct/1/decide", data={"decision": "approve", "comment": "监控清楚，不予采纳"}).status_code == 302
    letter = text_of(own.get("/results/misconduct/1/letter.pdf"), tmp_path)
    for said in ("违纪处理决定书", "纸条是同桌掉的", "监控清楚，不予采纳", "一般违纪"):
        assert said in letter, said


def test_a_case_is_made_from_the_record_of_the_room(world: World, enter: Enter) -> None:
    chen, wu = world.scored({"陈晓": (150, 140), "吴静": (140, 140)})
    sheet = world.session.query(Sheet).filter_by(enrolment_id=chen.id).one()
    incident = Incident(sitting_room_id=sheet.seat.sitting_room_id, sheet=sheet, kind="违纪", text="09:40 查看夹带的纸条，已收存",
                        recorded_by=world.officer.account_id, at=NOW)
    world.session.add(incident)
    world.session.flush()
    assert [one.id for one in misconduct.unproposed(world.session, world.plan)] == [incident.id]

    def from_record(enrolment: Enrolment) -> Misconduct:
        return misconduct.propose(world.session, enrolment, "一般违纪", THEORY, world.officer, happened_on=TODAY, evidence=SEEN, incident=incident, now=NOW)

    assert code_of(lambda: from_record(wu)) == "other_candidate"
    case = from_record(chen)
    assert misconduct.unproposed(world.session, world.plan) == []
    misconduct.decide(world.session, case, False, "证据不足", world.checker, now=NOW)
    assert len(misconduct.unproposed(world.session, world.plan)) == 1
    world.session.commit()
    client, url = enter(world.officer), f"/results/plans/{world.plan.id}/misconduct"
    assert "据此提出" in client.get(url).get_data(as_text=True)
    typed = {"ticket": chen.ticket_number, "tier": "一般违纪", "part": THEORY, "happened_on": "2026-06-01", "evidence": SEEN}
    assert client.post(url, data=typed | {"incident_id": "9999"}).status_code == 404
    assert client.post(url, data=typed | {"incident_id": incident.id}).status_code == 302
    assert "考场情况记录" in client.get("/results/misconduct/2").get_data(as_text=True)


def text_of(answer: TestResponse, folder: Path) -> str:
    """The words of a PDF, run together: a line may break anywhere."""
    (folder / "letter.pdf").write_bytes(answer.get_data())
    answer.close()
    read = subprocess.run(["pdftotext", str(folder / "letter.pdf"), "-"], capture_output=True, text=True, check=True)
    return "".join(read.stdout.split())

"""Who may resit which part until when, how that feeds the next plan, and the proof of a single score."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from io import BytesIO
from typing import Any

import openpyxl
import pypdf
import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from examroom.plans.models import Enrolment
from qbank.kernel.access import Role, Viewer
from qbank.kernel.accounts import set_identity
from qbank.kernel.refused import Refused
from qbank.standards.models import StoredRulePack
from scoring.practical import desk as practical
from scoring.practical.models import Part
from scoring.results import credits, desk, misconduct, proofs, resits, visits
from scoring.results.case_models import ScoreProof
from scoring.results.merge import PRACTICAL, THEORY, Source
from scoring.results.models import CreditState, ResultList, ResultState
from tests.scoring.final_world import CIPHER, identity_number
from tests.scoring.outcome_world import NOW, World

Enter = Callable[[Viewer], FlaskClient]


@pytest.fixture
def world(session: Session, people: Any) -> World:
    return World(session, people)


@pytest.fixture
def final(world: World) -> ResultList:
    """陈晓 passed; 吴静 lacks theory, 何平 was absent from theory, 刘洋 failed both, 马腾 has a void practical part."""
    made = world.scored({"陈晓": (150, 140), "吴静": (119, 140), "何平": (None, 160), "刘洋": (100, 100), "马腾": (150, 150)})
    for place, one in enumerate(made):
        set_identity(one.candidate, identity_number(place), CIPHER)
    case = misconduct.propose(world.session, made[4], "一般违纪", PRACTICAL, world.officer, happened_on=date(2026, 6, 1),
                              evidence="考评员发现由他人代为接线。", now=NOW)
    misconduct.decide(world.session, world.heard(case), True, "", world.checker, now=NOW)
    found = world.post(desk.merge_plan(world.session, world.plan, world.officer, now=NOW))
    later = NOW + timedelta(days=9)
    desk.submit(world.session, found, world.officer, now=later)
    for role, name, region in ((Role.CITY_OFFICER, "市鉴定员", "4301"), (Role.PROVINCE_OFFICER, "省鉴定员", "43")):
        desk.decide(world.session, found, world.office(role, name, region), True, "", now=later)
    assert found.state is ResultState.FINAL
    return found


def code_of(act: Callable[[], Any]) -> str:
    with pytest.raises(Refused) as refused:
        act()
    return refused.value.code


def lines(world: World, final: ResultList) -> dict[str, resits.Resit]:
    return {one.result.enrolment.candidate.name: one for one in resits.of_list(world.session, final, now=NOW)}


def test_the_list_says_who_may_resit_which_part_until_when(world: World, final: ResultList) -> None:
    found = lines(world, final)
    assert set(found) == {"吴静", "何平", "刘洋", "马腾"}  # 陈晓 passed
    wu = found["吴静"]
    assert (wu.retake, wu.kept, wu.until, wu.attempts, wu.open) == ((THEORY,), ((PRACTICAL, 140),), date(2027, 6, 1), 1, True)
    assert found["何平"].open  # an absence may be resat by the default pack
    assert "须重新报名参加全部考核" in found["刘洋"].hindered
    assert "因违纪无效" in found["马腾"].hindered


def test_the_rule_pack_decides_about_absences_and_void_parts(world: World, final: ResultList) -> None:
    world.session.add(StoredRulePack(region="43", name="湖南", values='{"resit_after_absence": false, "resit_after_void": true, "make_up_years": 2}'))
    world.session.flush()
    found = lines(world, final)
    assert "缺考" in found["何平"].hindered
    assert (found["马腾"].open, found["马腾"].kept, found["马腾"].until) == (True, ((THEORY, 150),), date(2028, 6, 1))


def test_nobody_resits_before_the_province_has_approved(world: World) -> None:
    world.scored({"吴静": (119, 140)})
    found = world.post(desk.merge_plan(world.session, world.plan, world.officer, now=NOW))
    assert resits.of_list(world.session, found, now=NOW) == []


def test_resits_are_enrolled_in_the_next_plan_with_what_they_passed(world: World, final: ResultList) -> None:
    plan = world.new_plan("JH-2026-002")
    plan.starts_on = date(2026, 9, 1)
    world.session.flush()
    chosen = {name: line.result.id for name, line in lines(world, final).items()}

    def take(*names: str) -> int:
        return resits.take_over(world.session, final, plan, [chosen[name] for name in names], world.officer, now=NOW)

    assert code_of(lambda: take("吴静", "刘洋")) == "no_resit"
    assert code_of(take) == "nobody"
    assert take("吴静", "何平") == 2
    held = {one.enrolment.candidate.name: one for one in credits.of_plan(world.session, plan)}
    assert {name: (one.part, one.half_points, one.source, one.state) for name, one in held.items()} == {
        "吴静": (PRACTICAL, 140, Source.CARRIED, CreditState.PROPOSED), "何平": (PRACTICAL, 160, Source.CARRIED, CreditState.PROPOSED)}
    credits.decide(world.session, held["吴静"], True, "", world.checker, now=NOW)
    wu = world.session.scalars(sa.select(Enrolment).where(Enrolment.plan_id == plan.id).order_by(Enrolment.id)).first()
    assert wu is not None
    world.theory({wu.id: 130}, plan=plan)
    he = held["何平"].enrolment
    practical.record_absence(world.session, he, Part.PRACTICAL, world.officer, now=NOW)
    merged = desk.merge_plan(world.session, plan, world.officer, now=NOW)
    outcome = {one.enrolment.candidate.name: one for one in merged.results}["吴静"]
    assert outcome.passed
    assert "保留成绩：认定计划 JH-2026-001" in outcome.reasons[1]
    assert lines(world, final)["吴静"].attempts == 0  # the one resit is taken
    late = world.new_plan("JH-2027-009")
    late.starts_on = date(2027, 6, 2)
    assert code_of(lambda: resits.take_over(world.session, final, late, [chosen["何平"]], world.officer, now=NOW)) in {"too_late", "no_resit"}


def test_a_proof_of_a_single_score_is_issued_printed_and_checked_in_public(world: World, final: ResultList, app: Any, enter: Enter) -> None:
    wu = next(one for one in final.results if one.enrolment.candidate.name == "吴静")
    assert code_of(lambda: proofs.issue(world.session, final, [(wu.id, THEORY)], world.officer, now=NOW)) == "not_issuable"  # 59.5
    assert proofs.issue(world.session, final, [(wu.id, PRACTICAL)], world.officer, now=NOW) == 1
    assert code_of(lambda: proofs.issue(world.session, final, [(wu.id, PRACTICAL)], world.officer, now=NOW)) == "not_issuable"  # has one
    proof = world.session.scalars(sa.select(ScoreProof)).one()
    text = pypdf.PdfReader(BytesIO(proofs.draw(proof, "https://exam.example", made_at=NOW))).pages[0].extract_text()
    assert "吴静" in text
    assert "70.0" in text
    assert proof.code in text
    candidate, other = world.as_candidate(wu.enrolment), world.as_candidate(final.results[0].enrolment)
    world.session.commit()
    nobody = app.test_client()
    assert proof.code in nobody.get(f"/results/proof?code={proof.code}").get_data(as_text=True)
    shown = nobody.post("/results/proof", data={"code": proof.code.replace("-", "").lower(), "name": "吴 静"}).get_data(as_text=True)
    assert "真实" in shown
    assert "70.0 分" in shown
    assert "没有查到" in nobody.post("/results/proof", data={"code": proof.code, "name": "吴京"}).get_data(as_text=True)
    pdf = f"/results/proofs/{proof.id}/pdf"
    assert enter(candidate).get(pdf).data.startswith(b"%PDF")
    assert enter(other).get(pdf).status_code == 404
    assert pdf in enter(candidate).get("/results/mine").get_data(as_text=True)
    proof = world.session.get_one(ScoreProof, proof.id)
    assert code_of(lambda: proofs.revoke(world.session, proof, "", world.officer, now=NOW)) == "no_reason"
    proofs.revoke(world.session, proof, "成绩更正", world.officer, now=NOW)
    world.session.commit()
    assert "已作废" in nobody.post("/results/proof", data={"code": proof.code, "name": "吴静"}).get_data(as_text=True)
    assert enter(candidate).get("/results/mine").get_data(as_text=True).count(pdf) == 0


def test_guessing_codes_is_stopped(world: World) -> None:
    for _ in range(visits.MISSES):
        assert proofs.look_up(world.session, "2222-3333-4444-5555", "某人", "10.0.0.1", now=NOW) is None
    assert code_of(lambda: proofs.look_up(world.session, "2222-3333-4444-5555", "某人", "10.0.0.1", now=NOW)) == "too_many_queries"


def test_the_pages_list_filter_export_and_issue(world: World, final: ResultList, enter: Enter, people: Any) -> None:
    stranger = people("外校", Role.EXAM_OFFICER, school=people.school("另一所学校"))
    world.session.commit()
    url, wu = f"/results/lists/{final.id}", next(one for one in final.results if one.enrolment.candidate.name == "吴静")
    client = enter(world.officer)
    page = client.get(f"{url}/resits").get_data(as_text=True)
    assert "2027年6月1日" in page
    assert "吴静" not in client.get(f"{url}/resits?state=hindered").get_data(as_text=True)
    assert client.get(f"{url}/resits?state=x").status_code == 409
    book = openpyxl.load_workbook(BytesIO(client.get(f"{url}/resits/workbook?q=吴").data))
    rows = [[cell.value for cell in row] for row in book["补考名单"].iter_rows() if row[2].value == "吴静"]
    assert rows[0][5:9] == ["理论知识", "操作技能 70.0", "2027年6月1日", 1]
    assert client.post(f"{url}/resits", data={"plan": "999", "result": str(wu.id)}).status_code == 404
    assert "吴静" in client.get(f"{url}/proofs?q=吴").get_data(as_text=True)
    assert client.post(f"{url}/proofs", data={"chosen": ["x", f"{wu.id}:{PRACTICAL}"]}).status_code == 302
    assert client.post(f"{url}/proofs", data={"chosen": "99:理论知识"}).status_code == 409
    assert client.post("/results/proofs/1/revoke", data={"reason": "打印错误"}).status_code == 302
    other = enter(stranger)
    assert {other.get(f"{url}/resits").status_code, other.get(f"{url}/proofs").status_code, other.get("/results/proofs/1/pdf").status_code,
            other.post("/results/proofs/1/revoke").status_code, other.get(f"{url}/resits/workbook").status_code} == {404}

"""The doors of the review: forming, declaring, the room, marks, minutes; strangers, candidates and recused members."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from qbank.kernel.access import Role, Viewer
from scoring.review import defence
from scoring.review.models import ReviewPanel
from tests.conftest import TestClock
from tests.scoring.outcome_world import NOW, World
from tests.scoring.review_world import case_of, formed, give, hand_in, heard, pen, ready

Enter = Callable[[Viewer], FlaskClient]


@pytest.fixture
def world(session: Session, people: Any) -> World:
    return World(session, people, level=2)


def test_an_officer_forms_a_panel_on_a_page(world: World, enter: Enter) -> None:
    world.enrol("陈晓")
    four = world.examiners("甲", "乙", "丙", "丁")
    world.session.commit()
    client = enter(world.officer)
    url = f"/review/plans/{world.plan.id}/panel/new"
    form = {"name": "评审委员会", "starts_at": "2026-06-01T08:00", "member": [one.account_id for one in four[:3]], "minutes": "15",
            "chair": str(four[0].account_id), "substitute": [four[3].account_id]}
    assert client.get(url).status_code == 200
    wrong: list[dict[str, Any]] = [{"member": []}, {"chair": ""}, {"starts_at": "明天"}, {"name": ""}, {"member": ["9" * 30]}, {"minutes": "x"}]
    for bad in wrong:
        assert client.post(url, data={**form, **bad}).status_code == 422, bad
    made = client.post(url, data=form)
    assert made.status_code == 302
    page = client.get(made.headers["Location"]).get_data(as_text=True)
    assert "每名考生 15 分钟" in page
    assert page.count("未申报") == 4


def test_a_member_declares_reads_marks_and_signs_on_pages(world: World, enter: Enter, clock: TestClock) -> None:
    chen, = world.enrol("陈晓")
    hand_in(world, chen)
    three = world.examiners("甲", "乙", "丙")
    panel = formed(world, three)
    key = panel.id
    world.session.commit()
    browsers = [enter(who) for who in three]
    assert browsers[0].get(f"/review/panels/{key}/room").status_code == 302  # to the declaration
    for client in browsers:
        assert "陈晓" in client.get(f"/review/panels/{key}/declare").get_data(as_text=True)
        assert client.post(f"/review/panels/{key}/declare", data={"tie": [str(chen.id)], f"reason-{chen.id}": ""}).status_code == 409
        assert client.post(f"/review/panels/{key}/declare").status_code == 302
    assert browsers[0].post(f"/review/panels/{key}/draw").status_code == 302
    world.session.expire_all()
    case = case_of(world, chen).id
    world.session.commit()
    room = browsers[1].get(f"/review/panels/{key}/state")
    assert "陈晓" not in room.get_data(as_text=True)
    assert browsers[1].get(f"/review/panels/{key}/state", headers={"If-None-Match": room.headers["ETag"]}).status_code == 304
    assert "陈晓" in enter(world.officer).get(f"/review/panels/{key}/state").get_data(as_text=True)
    assert browsers[1].post(f"/review/cases/{case}/timer", data={"act": "start"}).status_code == 409
    assert browsers[0].post(f"/review/cases/{case}/timer", data={"act": "dance"}).status_code == 409
    assert browsers[0].post(f"/review/cases/{case}/timer", data={"act": "start"}).status_code == 302
    assert "data-ends" in browsers[2].get(f"/review/panels/{key}/state?case={case}").get_data(as_text=True)
    clock.forward(minutes=30)
    assert browsers[0].post(f"/review/cases/{case}/timer", data={"act": "end"}).status_code == 302
    url = f"/review/cases/{case}"
    for bad in ("abc", "60.3", "101", "-1", "nan"):
        answer = browsers[0].post(url, data={"row-0": bad, "row-1": "60", "row-2": "60", "opinion": "论文完整"})
        assert answer.status_code == 422, bad
        assert "论文完整" in answer.get_data(as_text=True)  # nothing typed is lost
    full = {"row-0": "59.5", "row-1": "60", "row-2": "61", "opinion": "论文完整", "act": "sign"}
    assert "还没有填写：业绩" in browsers[0].post(url, data=full | {"row-2": ""}).get_data(as_text=True)
    assert "没有收到签名" in browsers[0].post(url, data=full | {"signature": "data:image/png;base64,xx"}).get_data(as_text=True)
    assert browsers[0].post(url, data=full | {"signature": pen()}).status_code == 302
    assert "不能再改" in browsers[0].get(url).get_data(as_text=True)
    assert "论文完整" not in browsers[1].get(url).get_data(as_text=True)
    for client in browsers[1:]:
        assert client.post(url, data=full).status_code == 302
    assert browsers[1].get(url).get_data(as_text=True).count("论文完整") == 3
    minutes_url = f"/review/panels/{key}/minutes"
    assert browsers[1].get(f"{minutes_url}.pdf").status_code == 409
    assert browsers[0].post(f"/review/panels/{key}/close", data={"note": ""}).status_code == 302
    assert browsers[1].post(f"{minutes_url}/sign", data={"signature": ""}).status_code == 409
    assert browsers[1].post(f"{minutes_url}/sign", data={"signature": pen()}).status_code == 302
    assert browsers[1].get(f"{minutes_url}.pdf").data.startswith(b"%PDF-")


def test_strangers_candidates_and_recused_members_find_nothing(world: World, enter: Enter, people: Any) -> None:
    chen = world.enrol("陈晓", "吴静")[0]
    jia, yi, bing, ding = world.examiners("甲", "乙", "丙", "丁")
    outsider, = world.examiners("戊")
    panel = ready(world, [jia, yi, bing], [ding])
    case = heard(world, case_of(world, chen), jia)
    give(world, case, jia, (150, 150, 150), "甲的意见")
    stranger = people("外校", Role.EXAM_OFFICER, Role.REVIEW_EXAMINER, school=people.school("另一所学校"))
    candidate = world.as_candidate(chen)
    world.session.commit()
    of_panel, of_case = f"/review/panels/{panel.id}", f"/review/cases/{case.id}"
    pages = [of_panel, f"{of_panel}/room", f"{of_panel}/state", f"{of_panel}/draw-sheet", f"{of_panel}/minutes.pdf", f"{of_panel}/declare", of_case,
             f"/review/plans/{world.plan.id}/panel/new", f"/review/plans/{world.plan.id}/hand-ins"]
    posts = [f"{of_panel}/{act}" for act in ("substitutes", "leave", "fill", "chair", "disband", "draw", "close", "declare", "minutes/sign")]
    posts += [f"{of_case}/{act}" for act in ("timer", "recuse", "discuss", "dissent")]
    posts += [of_case, f"/review/enrolments/{chen.id}/absence", f"/review/plans/{world.plan.id}/call", f"/review/plans/{world.plan.id}/overlaps"]
    away = enter(stranger)
    assert {away.get(page).status_code for page in pages} == {404}
    assert {away.post(page).status_code for page in posts} == {404}
    assert {enter(outsider).get(page).status_code for page in pages[:7]} <= {403, 404}
    own = enter(candidate)
    assert {own.get(page).status_code for page in [*pages, "/review/"]} == {403}
    assert {own.post(page).status_code for page in posts} == {403}
    assert enter(ding).get(of_case).status_code == 404  # a substitute in no seat
    assert enter(bing).get("/review/cases/99999999999999999999").status_code == 404
    for who in (yi, bing, ding, world.officer):
        seen = "".join(enter(who).get(page).get_data(as_text=True) for page in (of_panel, f"{of_panel}/room", f"{of_panel}/state", of_case))
        assert "甲的意见" not in seen
        assert "75.0" not in seen
    assert "陈晓" not in "".join(enter(yi).get(page).get_data(as_text=True) for page in (of_panel, f"{of_panel}/room", of_case))
    assert enter(yi).get(f"{of_panel}/draw-sheet").status_code == 403


def test_an_officer_registers_an_absence_and_a_substitute_comes_in(world: World, enter: Enter) -> None:
    chen, = world.enrol("陈晓")
    jia, yi, bing, ding = world.examiners("甲", "乙", "丙", "丁")
    panel = ready(world, [jia, yi, bing])
    seats = {one.account.name: one.id for one in panel.members}
    world.session.commit()
    client = enter(world.officer)
    url = f"/review/panels/{panel.id}"
    assert client.post(f"{url}/leave", data={"member": seats["丙"], "reason": ""}).status_code == 409
    assert client.post(f"{url}/leave", data={"member": "x", "reason": "病"}).status_code == 409
    assert client.post(f"{url}/leave", data={"member": seats["丙"], "reason": "生病"}).status_code == 302
    assert "评审已停止" in client.get(f"{url}/room").get_data(as_text=True)
    assert client.post(f"{url}/substitutes", data={"account": ding.account_id}).status_code == 302
    world.session.expire_all()
    into = next(one.id for one in world.session.get_one(ReviewPanel, panel.id).members if one.is_substitute)
    world.session.commit()
    assert client.post(f"{url}/fill", data={"out": seats["丙"], "into": into}).status_code == 302
    assert "丁还没有申报利害关系" in client.get(f"{url}/room").get_data(as_text=True)
    assert client.post(f"{url}/chair", data={"member": seats["乙"]}).status_code == 302
    assert chen.ticket_number in client.get(f"{url}/draw-sheet").get_data(as_text=True)


def test_the_clock_on_the_page_is_the_servers(world: World, enter: Enter, clock: TestClock) -> None:
    chen, = world.enrol("陈晓")
    jia, yi, bing = world.examiners("甲", "乙", "丙")
    panel = ready(world, [jia, yi, bing])
    case = case_of(world, chen)
    defence.start(world.session, case, jia, now=NOW)
    world.session.commit()
    ends = round((NOW + timedelta(minutes=30)).timestamp() * 1000)
    answer = enter(yi).get(f"/review/panels/{panel.id}/state")
    assert f'data-ends="{ends}"' in answer.get_data(as_text=True)
    assert answer.headers["X-Clock"] == str(round(clock().timestamp() * 1000))


def test_the_console_lists_panels(world: World, database: Any, settings: Any) -> None:
    from click.testing import CliRunner

    from qbank.kernel.commands import Installation
    from scoring.review.commands import group as commands

    formed(world, world.examiners("甲", "乙", "丙"), world.examiners("丁"))
    world.session.commit()
    installation = Installation(settings.folder)
    installation.__dict__.update(settings=settings, database=database)
    answer = CliRunner().invoke(commands, ["list", "--as", world.officer.login], obj=installation)
    assert answer.exit_code == 0, answer.output
    assert "甲（主任）" in answer.output
    assert "丁（候补）" in answer.output

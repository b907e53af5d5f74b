"""From the last hand-in to the scores."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from examroom.delivery import sheets
from examroom.delivery.models import HandIn, SheetState
from examroom.delivery.sheets import Event
from examroom.invigilation import rooms
from examroom.marking import desk
from examroom.marking.models import TheoryScore
from examroom.plans.models import SittingState
from qbank.kernel.access import Role
from qbank.kernel.audit import AuditEntry
from qbank.kernel.identity import IdentityCipher
from qbank.kernel.refused import Refused
from qbank.kernel.settings import Settings
from qbank.statistics.models import ItemStatistic
from tests.conftest import People, TestClock
from tests.sitting_world import SittingWorld

MINUTE = timedelta(minutes=1)


@pytest.fixture
def world(session: Session, people: People, settings: Settings, clock: TestClock) -> SittingWorld:
    return SittingWorld(session, people, IdentityCipher(settings.identity_key)).make(clock())


def refusal(code: str) -> Any:
    return pytest.raises(Refused, match=rf"^{code}:")


def state_of(world: SittingWorld) -> SittingState:
    return world.sitting.state


def sat(world: SittingWorld) -> SittingWorld:
    """陈晓 answers all by the key, 刘洋 three items (one wrong), 周婷 does not come."""
    world.running()
    keys = world.keys()
    sheets.save(world.session, world.start("陈晓"),
                [Event(number, number, key) for number, key in keys.items()], now=world.begin)
    sheets.save(world.session, world.start("刘洋"), [Event(1, 1, keys[1]), Event(2, 5, "ABCD"), Event(3, 7, "T")],
                now=world.begin)
    return world


def test_the_sweep_closes_marks_and_does_it_once(session: Session, world: SittingWorld) -> None:
    end = sat(world).sitting.ends_at
    desk.close_due(session, end + timedelta(seconds=30))  # the grace runs still
    assert state_of(world) is SittingState.DEALT
    assert world.sheet("周婷").handed_in_how is HandIn.ABSENT
    desk.close_due(session, end + timedelta(seconds=31))
    assert world.sitting.state is SittingState.MARKED
    # 8 items of 1 point: 陈晓 8.0; 刘洋 1 right of singles, a multiple ticked whole earns nothing, one judge right: 2.0
    scores = {score.sheet.enrolment.candidate.name: score for score in session.scalars(sa.select(TheoryScore))}
    assert {name: score.half_points for name, score in scores.items()} == {"陈晓": 16, "刘洋": 4}
    assert scores["刘洋"].earned == {"1": 2, "2": 0, "3": 0, "4": 0, "5": 0, "6": 0, "7": 2, "8": 0}
    assert [reason.partition("。")[0] for reason in scores["刘洋"].reasons] == [
        "单选题 4 题：答对 1，答错 0，未答 3，得 1.0 / 4.0 分", "多选题 2 题：答对 0，答错 1，未答 1，得 0.0 / 2.0 分",
        "判断题 2 题：答对 1，答错 0，未答 1，得 1.0 / 2.0 分", "交卷方式：到时自动交卷"]
    assert "错选、少选、多选均不得分" in scores["刘洋"].reasons[1]
    session.commit()
    written = session.scalar(sa.select(sa.func.count()).select_from(AuditEntry))
    desk.close_due(session, end + timedelta(hours=1))
    assert desk.mark_sitting(session, world.sitting, now=end + timedelta(hours=1)) == 2
    session.commit()
    assert session.scalar(sa.select(sa.func.count()).select_from(AuditEntry)) == written


def test_the_sweep_waits_for_granted_time(session: Session, world: SittingWorld) -> None:
    end = sat(world).sitting.ends_at
    rooms.grant_time(session, world.sheet("刘洋"), 600, "断电", world.invigilator, now=world.begin)
    desk.close_due(session, end + 9 * MINUTE)
    assert [world.sheet(name).state for name in ("陈晓", "刘洋")] == [SheetState.HANDED_IN, SheetState.STARTED]
    assert state_of(world) is SittingState.DEALT
    desk.close_due(session, end + 11 * MINUTE)
    assert world.sitting.state is SittingState.MARKED


def test_a_violation_voids_the_score_and_keeps_it_out_of_the_statistics(session: Session, world: SittingWorld) -> None:
    sat(world)
    rooms.record_incident(session, world.room, world.invigilator, kind="违纪", text="使用手机", sheet=world.sheet("陈晓"),
                          voids_theory=True, now=world.begin)
    desk.close_due(session, world.sitting.ends_at + MINUTE)
    score = session.scalars(sa.select(TheoryScore).where(TheoryScore.sheet_id == world.sheet("陈晓").id)).one()
    assert (score.void, score.half_points) == (True, 16)
    assert "使用手机" in score.reasons[-1]
    session.commit()
    assert {row.n for row in session.scalars(sa.select(ItemStatistic))} <= {0, 1}
    with refusal("already_marked"):
        rooms.record_incident(session, world.room, world.invigilator, kind="违纪", text="迟报", sheet=world.sheet("刘洋"),
                              voids_theory=True, now=world.sitting.ends_at + MINUTE)


def test_statistics_get_who_answered_omitted_and_did_not_reach(session: Session, world: SittingWorld) -> None:
    sat(world)
    desk.close_due(session, world.sitting.ends_at + MINUTE)
    session.commit()  # the run is made in the background, after the commit
    by_version = {row.version_id: row for row in session.scalars(sa.select(ItemStatistic))}
    first = by_version[world.paper.items[0].version_id]
    assert (first.n, first.difficulty, first.choices.get("B")) == (2, 1.0, 2)  # both answered B, the key; 周婷 is not counted
    order = [entry["number"] for entry in world.sheet("刘洋").layout]
    beyond = set(order[max(order.index(number) for number in (1, 5, 7)) + 1:])
    for item in world.paper.items:
        row = by_version[item.version_id]
        assert row.n == (1 if item.number in beyond else 2)
        assert row.omitted == (1 if item.number not in beyond | {1, 5, 7} else 0)


def test_closing_and_marking_refuse_what_is_not_due(session: Session, world: SittingWorld) -> None:
    with refusal("not_begun"):
        desk.close_sitting(session, world.sitting, now=world.now)
    with refusal("not_closed"):
        desk.mark_sitting(session, world.sitting, now=world.now)
    sat(world)
    with refusal("still_answering"):
        desk.close_sitting(session, world.sitting, now=world.begin)


def test_scores_stay_shut_until_the_last_sitting_of_the_paper_ends(session: Session, world: SittingWorld, enter: Any,
                                                                 clock: TestClock) -> None:
    sat(world)
    second = world.add_sitting("理论第二场", world.sitting.ends_at + timedelta(hours=2), 90, [])
    desk.close_due(session, world.sitting.ends_at + MINUTE)
    assert world.sitting.state is SittingState.MARKED
    assert session.scalar(sa.select(sa.func.count()).select_from(ItemStatistic)) == 0  # nor do statistics tell
    sheet_id = world.sheet_id("陈晓")
    clock.moment = world.sitting.ends_at + 2 * MINUTE
    client = enter(world.officer)
    for address in (f"/marking/sittings/{world.sitting.id}", f"/marking/sheets/{sheet_id}"):
        answer = client.get(address)
        assert answer.status_code == 409
        assert "同一份试卷还有场次没有结束" in answer.get_data(as_text=True)
        assert "选项A" not in answer.get_data(as_text=True)
    assert client.get("/marking/").status_code == 200
    clock.moment = second.ends_at  # it was never dealt and its time is over
    client = enter(world.officer)
    assert client.get(f"/marking/sittings/{world.sitting.id}").status_code == 200
    page = client.get(f"/marking/sheets/{sheet_id}").get_data(as_text=True)
    assert "选项A" in page
    assert "8.0" in page


def test_the_officer_reads_sorts_and_searches(session: Session, world: SittingWorld, enter: Any, clock: TestClock) -> None:
    sat(world)
    desk.close_due(session, world.sitting.ends_at + MINUTE)
    session.commit()
    clock.moment = world.sitting.ends_at + 2 * MINUTE
    client, address = enter(world.officer), f"/marking/sittings/{world.sitting.id}"
    page = client.get(address).get_data(as_text=True)
    for text in ("陈晓", "8.0", "刘洋", "2.0", "缺考", "示例"):
        assert text in page
    rising, falling = (client.get(f"{address}?sort=score&down={down}").get_data(as_text=True) for down in ("0", "1"))
    assert rising.index("刘洋") < rising.index("陈晓") < rising.index("周婷")  # who has no score comes last
    assert falling.index("陈晓") < falling.index("刘洋") < falling.index("周婷")
    found = client.get(f"{address}?q=刘").get_data(as_text=True)
    assert "刘洋" in found
    assert "陈晓" not in found
    assert "没有符合条件" in client.get(f"{address}?q=%25").get_data(as_text=True)
    for odd in ("?sort=nonsense", "?page=999", "?page=x", "?q=" + "长" * 300):
        assert client.get(address + odd).status_code == 200


def test_an_officer_need_not_wait_for_the_worker(session: Session, world: SittingWorld, enter: Any, clock: TestClock) -> None:
    sat(world)
    session.commit()
    clock.moment = world.begin + 80 * MINUTE
    client, address = enter(world.officer), f"/marking/sittings/{world.sitting.id}/finish"
    assert client.post(address).status_code == 302  # nothing is due
    clock.forward(minutes=12)
    assert client.post(address).status_code == 302
    session.expire_all()
    assert world.sitting.state is SittingState.MARKED


def test_strangers_and_other_roles_find_no_scores(session: Session, world: SittingWorld, enter: Any, people: People,
                                                clock: TestClock) -> None:
    sat(world)
    desk.close_due(session, world.sitting.ends_at + MINUTE)
    stranger = people("外校考务", Role.EXAM_OFFICER, school=people.school("外校"))
    sheet_id = world.sheet_id("陈晓")
    clock.moment = world.sitting.ends_at + 2 * MINUTE
    addresses = (f"/marking/sittings/{world.sitting.id}", f"/marking/sheets/{sheet_id}")
    client = enter(stranger)
    assert all(client.get(address).status_code == 404 for address in addresses)
    assert client.post(f"{addresses[0]}/finish").status_code == 404
    for viewer in (world.invigilator, world.author):
        assert all(enter(viewer).get(address).status_code == 403 for address in addresses)
    supervisor = people("督导", Role.QUALITY_SUPERVISOR)
    session.commit()
    assert enter(supervisor).get(addresses[0]).status_code == 200
    assert enter(supervisor).get(addresses[1]).status_code == 403

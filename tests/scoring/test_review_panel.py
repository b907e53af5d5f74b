"""The comprehensive review: panel, marks, quorum, who sees what."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from examroom.plans.models import Enrolment
from qbank.kernel.access import Role, Viewer, visible
from qbank.kernel.refused import Refused
from scoring.review import desk
from scoring.review.models import PanelMark, PanelMember, ReviewPanel, ReviewScore
from scoring.review.todo import todo
from tests.scoring.outcome_world import NOW, World

Enter = Callable[[Viewer], FlaskClient]


@pytest.fixture
def world(session: Session, people: Any) -> World:
    return World(session, people, level=2)


def panel_of(world: World, members: list[Viewer], chair: Viewer | None = None) -> ReviewPanel:
    return desk.form_panel(world.session, world.plan, "评审委员会", world.officer,
                           member_ids=[one.account_id for one in members],
                           chair_id=(chair or members[0]).account_id if members else 0, starts_at=NOW)


def seat_of(panel: ReviewPanel, who: Viewer) -> PanelMember:
    return next(one for one in panel.members if one.account_id == who.account_id)


def give(world: World, panel: ReviewPanel, who: Viewer, enrolment: Enrolment, thesis: int, defence: int) -> None:
    mark = desk.enter(world.session, seat_of(panel, who), enrolment, who, thesis=thesis, defence=defence, opinion="同意",
                      now=NOW)
    desk.sign(world.session, mark, who, now=NOW)


def code_of(act: Callable[[], Any]) -> str:
    with pytest.raises(Refused) as refused:
        act()
    return refused.value.code


@pytest.mark.parametrize("number", [0, 1, 2, 4])
def test_a_panel_is_odd_and_at_least_three(world: World, number: int) -> None:
    assert code_of(lambda: panel_of(world, world.examiners(*"甲乙丙丁"[:number]))) == "wrong_number"


def test_a_panel_has_a_chair_among_its_members_and_only_examiners(world: World) -> None:
    three = world.examiners("甲", "乙", "丙")
    outsider, = world.examiners("丁")
    assert code_of(lambda: panel_of(world, three, outsider)) == "no_chair"
    assert code_of(lambda: panel_of(world, [*three[:2], *world.assessors("戊")])) == "not_qualified"
    panel = panel_of(world, three, three[1])
    assert [one.account.name for one in panel.members if one.is_chair] == ["乙"]
    assert code_of(lambda: panel_of(world, three)) == "has_panel"


def test_level_four_has_no_review(session: Session, people: Any) -> None:
    world = World(session, people, level=4)
    assert code_of(lambda: panel_of(world, world.examiners("甲", "乙", "丙"))) == "no_review"


def test_a_missing_member_blocks_the_score_and_never_lowers_the_quorum(world: World) -> None:
    chen, = world.enrol("陈晓")
    jia, yi, bing = world.examiners("甲", "乙", "丙")
    panel = panel_of(world, [jia, yi, bing])
    give(world, panel, jia, chen, 200, 200)
    give(world, panel, yi, chen, 200, 200)
    with pytest.raises(Refused) as refused:
        desk.join(world.session, chen, now=NOW)
    assert refused.value.code == "panel_incomplete"
    assert "还缺 丙 的签字评分" in refused.value.sentence
    assert "共 3 人" in refused.value.sentence
    give(world, panel, bing, chen, 119, 120)
    # default weight 50 %: (100 + 100 + 59.75) / 3 = 86.583 → 86.5
    assert world.session.scalars(sa.select(ReviewScore.half_points)).one() == 173


def test_joining_without_a_panel_is_refused(world: World) -> None:
    chen, = world.enrol("陈晓")
    assert code_of(lambda: desk.join(world.session, chen, now=NOW)) == "no_panel"


def test_blanks_wrong_numbers_and_others_marks_are_refused(world: World) -> None:
    chen, = world.enrol("陈晓")
    jia, yi, bing = world.examiners("甲", "乙", "丙")
    panel = panel_of(world, [jia, yi, bing])
    seat = seat_of(panel, jia)

    def enter(thesis: int | None, who: Viewer = jia, opinion: str = "") -> PanelMark:
        return desk.enter(world.session, seat, chen, who, thesis=thesis, defence=None, opinion=opinion, now=NOW)

    assert code_of(lambda: enter(201)) == "out_of_range"
    assert code_of(lambda: enter(-1)) == "out_of_range"
    assert code_of(lambda: enter(100, yi)) == "not_your_marks"
    assert code_of(lambda: enter(100, jia, "长" * 2001)) == "opinion_too_long"
    mark = enter(0)
    with pytest.raises(Refused) as refused:
        desk.sign(world.session, mark, jia, now=NOW)
    assert refused.value.sentence.startswith("还没有填写：答辩得分、评审意见")
    give(world, panel, jia, chen, 0, 0)
    assert code_of(lambda: enter(1)) == "signed"
    other = world.enrol("外人", plan=world.new_plan("JH-2"))[0]
    assert code_of(lambda: desk.enter(world.session, seat, other, jia, thesis=1, defence=1, opinion="", now=NOW)) == "other_plan"


def test_nobody_sees_anothers_marks_before_all_have_signed(world: World) -> None:
    chen, wu = world.enrol("陈晓", "吴静")
    jia, yi, bing = world.examiners("甲", "乙", "丙")
    panel = panel_of(world, [jia, yi, bing])
    for who in (jia, yi):
        give(world, panel, who, chen, 150, 150)
    give(world, panel, bing, wu, 150, 150)  # signed for somebody else: opens nothing

    def seen(who: Viewer, of: Enrolment) -> set[str]:
        query = visible(PanelMark, who).where(PanelMark.enrolment_id == of.id)
        return {one.member.account.name for one in world.session.scalars(query)}

    assert (seen(jia, chen), seen(bing, chen), seen(world.officer, chen)) == ({"甲"}, set(), set())
    give(world, panel, bing, chen, 150, 150)
    assert seen(jia, chen) == seen(world.officer, chen) == {"甲", "乙", "丙"}
    assert seen(jia, wu) == set()
    stranger, = world.examiners("丁")
    assert [len(world.session.scalars(visible(ReviewScore, who)).all()) for who in (jia, world.officer, stranger)] == [1, 1, 0]


def test_absence_replacement_and_the_work_list(world: World) -> None:
    chen, wu = world.enrol("陈晓", "吴静")
    jia, yi, bing, ding = world.examiners("甲", "乙", "丙", "丁")
    panel = panel_of(world, [jia, yi, bing])
    desk.record_absence(world.session, wu, world.officer, now=NOW)
    assert code_of(lambda: give(world, panel, jia, wu, 1, 1)) == "is_absent"
    assert "还有 1 名考生" in todo(world.session, jia, now=NOW)[0].detail
    give(world, panel, jia, chen, 150, 150)
    assert todo(world.session, jia, now=NOW) == []
    assert code_of(lambda: desk.record_absence(world.session, chen, world.officer, now=NOW)) == "has_marks"
    world.session.expire_all()
    assert code_of(lambda: desk.replace_member(world.session, panel, jia.account_id, ding.account_id, world.officer)) == "has_marked"
    desk.replace_member(world.session, panel, bing.account_id, ding.account_id, world.officer)
    assert {one.account.name for one in panel.members} == {"甲", "乙", "丁"}
    assert code_of(lambda: desk.disband(world.session, panel, world.officer)) == "has_marks"


def test_a_member_marks_and_signs_on_a_page(world: World, enter: Enter) -> None:
    chen, = world.enrol("陈晓")
    jia, yi, bing = world.examiners("甲", "乙", "丙")
    panel = panel_of(world, [jia, yi, bing])
    world.session.commit()
    client = enter(jia)
    url = f"/review/panels/{panel.id}/candidates/{chen.id}"
    assert client.get(f"/review/panels/{panel.id}").status_code == 200
    assert client.get(url).status_code == 200
    for bad in ("abc", "60.3", "101", "-1", "nan"):
        answer = client.post(url, data={"thesis": bad, "defence": "60", "opinion": "论文完整"})
        assert answer.status_code == 422, bad
        assert "论文完整" in answer.get_data(as_text=True)  # nothing typed is lost
    assert client.post(url, data={"thesis": "59.5", "defence": "", "opinion": "论文完整"}).status_code == 302
    kept = client.post(url, data={"thesis": "59.5", "defence": "", "opinion": "论文完整", "act": "sign"})
    assert kept.status_code == 200
    assert "答辩得分" in kept.get_data(as_text=True)
    assert client.post(url, data={"thesis": "59.5", "defence": "60", "opinion": "论文完整", "act": "sign"}).status_code == 302
    assert "不能再改" in client.get(url).get_data(as_text=True)
    assert "论文完整" not in enter(yi).get(f"/review/panels/{panel.id}").get_data(as_text=True)
    assert "论文完整" not in enter(world.officer).get(f"/review/panels/{panel.id}").get_data(as_text=True)


def test_an_officer_forms_a_panel_on_a_page_and_strangers_find_nothing(world: World, enter: Enter, people: Any) -> None:
    chen, = world.enrol("陈晓")
    three = world.examiners("甲", "乙", "丙")
    outsider, = world.examiners("丁")
    stranger = people("外校", Role.EXAM_OFFICER, Role.REVIEW_EXAMINER, school=people.school("另一所学校"))
    candidate = world.as_candidate(chen)
    world.session.commit()
    client = enter(world.officer)
    url = f"/review/plans/{world.plan.id}/panel/new"
    form = {"name": "评审委员会", "starts_at": "2026-06-01T08:00", "member": [one.account_id for one in three],
            "chair": str(three[0].account_id)}
    assert client.get(url).status_code == 200
    wrong: list[dict[str, Any]] = [{"member": []}, {"chair": ""}, {"starts_at": "明天"}, {"name": ""}, {"member": ["9" * 30]}]
    for bad in wrong:
        assert client.post(url, data={**form, **bad}).status_code == 422, bad
    made = client.post(url, data=form)
    assert made.status_code == 302
    panel = made.headers["Location"]
    pages = [panel, f"{panel}/candidates/{chen.id}", url]
    posts = [url, f"{panel}/replace", f"{panel}/disband", f"/review/enrolments/{chen.id}/absence", pages[1]]
    away = enter(stranger)
    assert {away.get(page).status_code for page in pages} == {404}
    assert {away.post(page).status_code for page in posts} == {404}
    assert {enter(outsider).get(page).status_code for page in pages[:2]} == {404}
    assert {enter(candidate).get(page).status_code for page in [*pages, "/review/"]} == {403}
    assert enter(three[0]).get(f"{panel}/candidates/99999999999999999999").status_code == 404


def test_the_console_lists_panels(world: World, database: Any, settings: Any) -> None:
    from click.testing import CliRunner

    from qbank.kernel.commands import Installation
    from scoring.review.commands import group as commands

    panel_of(world, world.examiners("甲", "乙", "丙"))
    world.session.commit()
    installation = Installation(settings.folder)
    installation.__dict__.update(settings=settings, database=database)
    answer = CliRunner().invoke(commands, ["list", "--as", world.officer.login], obj=installation)
    assert answer.exit_code == 0, answer.output
    assert "甲（主任）" in answer.output

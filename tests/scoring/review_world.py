"""A panel that has declared and drawn, candidates with papers, and a review from start to end: for tests of several rooms."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from datetime import datetime, timedelta
from io import BytesIO

import docx
from PIL import Image, ImageDraw

from examroom.plans.models import Enrolment
from qbank.kernel.access import Viewer
from qbank.kernel.attachments import from_bytes
from scoring.review import declarations, defence, desk, handing_in, order
from scoring.review.handin_models import Submission, SubmissionKind
from scoring.review.models import PanelMark, PanelMember, ReviewCase, ReviewPanel
from tests.scoring.outcome_world import NOW, World

ESSAY = ("在某型数控机床主轴变频调速系统的改造中，我先用示波器测量了编码器的反馈波形，发现屏蔽层在端子排处断开，"
         "干扰使速度环在低频段出现周期性振荡。随后重新布置了动力电缆和信号电缆，将屏蔽层在控制柜一侧单端接地，"
         "并把速度调节器的比例增益由零点八调整到零点五。改造以后连续运行三个月，没有再出现同样的故障。")


def word(*paragraphs: str) -> bytes:
    """A Word document."""
    made, stream = docx.Document(), BytesIO()
    for one in paragraphs:
        made.add_paragraph(one)
    made.save(stream)
    return stream.getvalue()


def pen() -> str:
    """A signature as the page sends it."""
    picture, stream = Image.new("RGBA", (480, 140), (0, 0, 0, 0)), BytesIO()
    ImageDraw.Draw(picture).line([(20, 20), (120, 110), (220, 20), (320, 110), (440, 30)], "black", width=6)
    picture.save(stream, "PNG")
    return "data:image/png;base64," + base64.b64encode(stream.getvalue()).decode()


def hand_in(world: World, enrolment: Enrolment, content: bytes = b"", *, kind: SubmissionKind = SubmissionKind.PAPER, name: str = "总结.docx",
            title: str = "主轴变频调速系统的改造", now: datetime = NOW) -> Submission:
    """One file of the candidate himself; opens the call where there is none."""
    if handing_in.call_of(world.session, enrolment.plan) is None:
        handing_in.set_call(world.session, enrolment.plan, world.officer, until=NOW + timedelta(days=30), now=now)
    return handing_in.hand_in(world.session, enrolment, kind, from_bytes(content or word(ESSAY), name), enrolment.candidate.viewer(),
                              title=title, now=now)


def formed(world: World, members: Sequence[Viewer], substitutes: Sequence[Viewer] = ()) -> ReviewPanel:
    return desk.form_panel(world.session, world.plan, "评审委员会", world.officer, member_ids=[one.account_id for one in members],
                           chair_id=members[0].account_id, starts_at=NOW, place="三楼会议室",
                           substitute_ids=[one.account_id for one in substitutes])


def seat_of(panel: ReviewPanel, who: Viewer) -> PanelMember:
    found = panel.seat_of(who)
    assert found is not None
    return found


def ready(world: World, members: Sequence[Viewer], substitutes: Sequence[Viewer] = (), *, seed: str = "三号") -> ReviewPanel:
    """A panel whose people have declared no interests, with its order drawn; every candidate has handed in."""
    for one in world.plan.enrolments:
        hand_in(world, one)
    panel = formed(world, members, substitutes)
    for who in (*members, *substitutes):
        declarations.declare(world.session, seat_of(panel, who), who, {}, now=NOW)
    order.draw(world.session, panel, world.officer, now=NOW, seed=seed)
    return panel


def case_of(world: World, enrolment: Enrolment) -> ReviewCase:
    found = desk.case_of(world.session, enrolment)
    assert found is not None
    return found


def heard(world: World, case: ReviewCase, chair: Viewer) -> ReviewCase:
    """The whole defence of one candidate."""
    defence.start(world.session, case, chair, now=NOW)
    defence.end(world.session, case, chair, now=NOW + timedelta(minutes=case.panel.minutes))
    return case


def give(world: World, case: ReviewCase, who: Viewer, points: Sequence[int | None], opinion: str = "同意") -> PanelMark:
    """Marks in half-points, signed."""
    mark = desk.enter(world.session, seat_of(case.panel, who), case, who, points=points, opinion=opinion, now=NOW)
    desk.sign(world.session, mark, who, now=NOW)
    return mark


def reviewed(world: World, enrolments: Sequence[Enrolment], points: Sequence[int] = (120, 130, 125)) -> ReviewPanel:
    """All of it: three examiners give everybody the same marks."""
    three = world.examiners("评甲", "评乙", "评丙")
    panel = ready(world, three)
    for enrolment in enrolments:
        case = heard(world, case_of(world, enrolment), three[0])
        for who in three:
            give(world, case, who, points)
    return panel

"""The comprehensive review of the demo's technicians: papers handed in, one of them copied, and a panel at work."""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import datetime, timedelta

import sqlalchemy as sa

from examroom.plans.models import Enrolment, ExamPlan
from qbank.kernel.attachments import from_bytes
from qbank.kernel.printing import typeset
from scoring.review import comparing, declarations, defence, desk, handing_in, order
from scoring.review.handin_models import Submission, SubmissionKind
from scoring.review.models import PanelMember, ReviewCase
from seed.stage import Stage

EXAMINERS = ("examiner", "examiner2", "examiner3")
TOPICS = ("主轴变频调速系统的振荡处理", "自动送料线的可编程控制器改造", "桥式起重机电气控制的故障分析", "配电柜谐波治理的现场实践",
          "伺服定位误差的测量与补偿", "老旧机床照明与控制回路的节能改造", "多台水泵的恒压供水控制", "车间低压无功补偿装置的调试")
BEGINNINGS = ("接到报修以后，我先向操作人员了解故障出现的时间、频率和当时的加工内容，再查阅图纸和以往的维修记录。",
              "改造以前，我用一周时间记录了设备每班的停机次数和原因，整理成表，作为方案比较的依据。",
              "本项目在生产不停的条件下进行，因此把工作分成三个阶段，每个阶段都留有退回原状的办法。")
METHODS = ("用示波器测量反馈信号，发现屏蔽层在端子排处断开，干扰使速度环在低频段出现周期性振荡。重新布置动力电缆和信号电缆，屏蔽层在控制柜一侧单端接地。",
           "把继电器逻辑改写为顺序功能图，逐步核对每一个互锁条件；现场先用模拟开关试验，再接入真实的传感器，发现两处图纸没有画出的联锁。",
           "用钳形电流表和电能质量分析仪分别在空载、半载和满载时测量，比较各次谐波含量，最后选定串联电抗器的参数并重新整定保护。",
           "采用分段测量的办法，把机械间隙和电气滞后分开：断开联轴器后误差降到原来的三分之一，说明主要问题在丝杠一侧。")
RESULTS = ("改造以后连续运行三个月，同类故障没有再出现，每班停机时间由四十分钟减少到五分钟以内。",
           "投入费用约八千元，按节省的电费计算，半年左右收回；方案已经在另外两台设备上推广。",
           "我把步骤写成作业指导书，并给班组讲了两次课，两名徒弟现在能够独立完成同样的检查。")
PAPER = """#set page(paper: "a4", margin: 25mm)
#set text(font: sys.inputs.at("font"), lang: "zh", size: 11pt)
#set par(first-line-indent: (amount: 2em, all: true), justify: true, leading: 1em)
#align(center, text(size: 16pt, weight: "bold", sys.inputs.at("title")))
#for part in sys.inputs.at("text").split("\\n") [#part #parbreak()]
"""


def review(stage: Stage, plan_id: int, at: datetime, *, seed: int, signed_by: Sequence[str]) -> None:
    """Everybody has handed in and is heard; ``signed_by`` have marked everybody, the others not yet."""
    chance = random.Random(seed)
    with stage.acting("officer", at - timedelta(days=20)) as (session, who):
        plan = session.get_one(ExamPlan, plan_id)
        handing_in.set_call(session, plan, who, until=at - timedelta(days=2), now=at - timedelta(days=20),
                            note="技术总结一篇，不少于 500 字，写自己做过的工作；业绩证明材料可附获奖证书、项目验收单。")
        logins = [one.candidate.login for one in plan.enrolments]
    _hand_in(stage, plan_id, logins, at, chance)
    with stage.acting("officer", at - timedelta(days=1)) as (session, who):
        for one in comparing.newest_papers(session):
            comparing.read(session, one)
        for one in comparing.newest_papers(session, session.get_one(ExamPlan, plan_id)):
            session.add(comparing.compare(session, one, now=at - timedelta(days=1)))
        ids = [stage.account_id(session, login) for login in EXAMINERS]
        desk.form_panel(session, session.get_one(ExamPlan, plan_id), "电工技师综合评审委员会", who, member_ids=ids, chair_id=ids[0],
                        starts_at=at, place="实训楼 301")
    for login in EXAMINERS:
        with stage.acting(login, at) as (session, who):
            seat = session.scalars(sa.select(PanelMember).where(PanelMember.account_id == who.account_id)).one()
            declarations.declare(session, seat, who, {}, now=at)
    _hear(stage, plan_id, at)
    for login in signed_by:
        _mark(stage, plan_id, login, at + timedelta(hours=7), chance)


def _hand_in(stage: Stage, plan_id: int, logins: Sequence[str], at: datetime, chance: random.Random) -> None:
    """The last candidate has copied most of the first one's paper under another title."""
    texts = ["\n".join([chance.choice(BEGINNINGS), *chance.sample(METHODS, 2), chance.choice(RESULTS)]) for _ in logins]
    if len(texts) > 2:
        texts[-1] = "本文总结本人近年来的一项工作。\n" + texts[0]
    for number, (login, text) in enumerate(zip(logins, texts, strict=True)):
        day = at - timedelta(days=3, hours=number % 5)
        title = TOPICS[number % len(TOPICS)]
        with stage.acting(login, day) as (session, who):
            own = session.scalars(sa.select(Enrolment).where(Enrolment.plan_id == plan_id,
                                                             Enrolment.account_id == who.account_id)).one()
            content = typeset(PAPER, {"title": title, "text": text}, made_at=day, tagged=False)
            handing_in.hand_in(session, own, SubmissionKind.PAPER, from_bytes(content, f"{title}.pdf"), who, title=title, now=day)


def _hear(stage: Stage, plan_id: int, at: datetime) -> None:
    with stage.acting(EXAMINERS[0], at) as (session, who):
        panel = desk.panel_of(session, session.get_one(ExamPlan, plan_id))
        if panel is None:
            raise RuntimeError("the panel was formed above")
        for number, case in enumerate(order.draw(session, panel, who, now=at, seed="20260523")):
            begins = at + timedelta(minutes=40 * number)
            defence.start(session, case, who, now=begins)
            defence.end(session, case, who, now=begins + timedelta(minutes=panel.minutes, seconds=20 + number))


def _mark(stage: Stage, plan_id: int, login: str, at: datetime, chance: random.Random) -> None:
    with stage.acting(login, at) as (session, who):
        seat = session.scalars(sa.select(PanelMember).where(PanelMember.account_id == who.account_id)).one()
        for case in session.scalars(sa.select(ReviewCase).join(Submission, Submission.enrolment_id == ReviewCase.enrolment_id)
                                    .where(ReviewCase.panel_id == seat.panel_id).order_by(ReviewCase.number)).unique():
            points = [2 * chance.randrange(66, 84) for _ in seat.panel.form]
            mark = desk.enter(session, seat, case, who, points=points, now=at,
                              opinion="选题结合生产实际，论述清楚，答辩能回答主要问题。")
            desk.sign(session, mark, who, now=at)

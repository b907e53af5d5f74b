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
from seed.planning import BOARDROOM, EXAMINERS
from seed.stage import Stage

TOPICS = ("主轴变频调速系统的振荡处理", "自动送料线的可编程控制器改造", "桥式起重机电气控制的故障分析", "配电柜谐波治理的现场实践",
          "伺服定位误差的测量与补偿", "老旧机床照明与控制回路的节能改造", "多台水泵的恒压供水控制", "车间低压无功补偿装置的调试")
# No run of words is as long as the search for overlaps looks for: between two of them stands what is each writer's own.
SENTENCES = (
    "{month}月，{place}的{thing}连续停机{many}次，", "操作人员说，{when}声音异常，", "我查了{paper}，", "又量了{point}的{value}，",
    "结果是{number}，比正常值高{share}%。",
    "起初怀疑{part}，", "换上备件后只好了{hours}小时。", "于是改用{tool}，", "在{point}与{place}之间逐段比较，", "第{many}段读数从{number}跳到{other}，",
    "原因找到了：{part}的{fault}。", "处理办法有{many}步：", "先断电验电，拆下{part}；", "再把{point}改接到{place}，", "用{tool}复测，{value}回到{other}以内；",
    "最后带{share}%负荷试车{hours}小时，", "{when}没有再出现异常。", "改完以后，{thing}每班少停{number}分钟，", "一年约省{other}元。",
    "我把{paper}补上了{point}的数据，", "给{place}的{many}名徒弟讲了{hours}课时，", "他们现在会用{tool}自己查{part}。")
OWN = {
    "month": "一二三四五六七八九", "many": "二三四五六七八",
    "place": ("三号生产线", "南侧配电间", "二车间大件区", "水泵房", "装配工段", "热处理炉区", "老厂房东跨", "综合实训楼"),
    "thing": ("主轴驱动", "送料小车", "桥式起重机", "进线柜", "伺服滑台", "老镗床", "恒压供水机组", "补偿电容柜"),
    "when": ("每到早班开机", "夏季午后", "满载起步时", "换刀以后", "夜里电压偏高时", "雨天", "连续运行两小时后", "点动调整时"),
    "paper": ("竣工图和端子表", "三年的维修卡片", "变频器的事件记录", "上次大修的调试单", "设备说明书附录", "班组的点检表", "厂家寄来的参数页", "电能表的月报"),
    "point": ("七号端子", "制动电阻两端", "编码器插头", "零线排", "接触器线圈", "直流母线", "热继电器出线", "模拟量模块"),
    "value": ("绝缘电阻", "纹波电压", "接触压降", "三相电流", "谐波含量", "温升", "响应时间", "漏电流"),
    "part": ("测速反馈线", "中间继电器", "滑环碳刷", "电抗器", "联轴器胶垫", "限位开关", "压力变送器", "放电线圈"),
    "tool": ("示波器", "钳形表", "热像仪", "电能质量分析仪", "兆欧表", "激光测距仪", "过程校验仪", "万用表的录波挡"),
    "fault": ("屏蔽层断在接头里", "触点已经烧蚀", "压紧弹簧疲劳", "参数被人改小", "固定螺钉松了半圈", "外壳进了冷却液", "线号与图纸对调", "接地绕了远路")}
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
                        starts_at=at, place=BOARDROOM)
    for login in EXAMINERS:
        with stage.acting(login, at) as (session, who):
            seat = session.scalars(sa.select(PanelMember).where(PanelMember.account_id == who.account_id)).one()
            declarations.declare(session, seat, who, {}, now=at)
    _hear(stage, plan_id, at)
    for login in signed_by:
        _mark(stage, plan_id, login, at + timedelta(hours=7), chance)


def _hand_in(stage: Stage, plan_id: int, logins: Sequence[str], at: datetime, chance: random.Random) -> None:
    """The last candidate has copied most of the first one's paper under another title."""
    texts = [_text(chance) for _ in logins]
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


def _text(chance: random.Random) -> str:
    """One writer's account of three jobs."""
    def filled(sentence: str) -> str:
        return sentence.format(**{name: chance.choice(words) for name, words in OWN.items()}, number=chance.randint(11, 480),
                               other=chance.randint(13, 960), share=chance.randint(12, 88), hours=chance.randint(3, 72))

    return "\n".join("".join(filled(sentence) for sentence in SENTENCES) for _ in range(3))


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

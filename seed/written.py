"""Three questions that technicians answer in writing, how the demo's candidates answer them, and their marking under way."""

from __future__ import annotations

import random
from datetime import datetime, timedelta

from examroom.marking import marks, written
from examroom.marking.written_models import Marker, MarkingTask
from examroom.plans.models import Sitting
from qbank.items import bank
from qbank.items.draft import Draft
from qbank.standards.models import WeightTable
from seed.stage import Stage

BOOK = "《电工（技师）》培训教材"
CHIEF, MARKERS = "marker", ("marker2", "marker3")
LEFT = 5  # scripts that the second marker has still to mark
# Range, question, model answer, guide of five points, why.
QUESTIONS = (
    ("B-A-B", "一台数控车床开机后伺服报警，主轴能转而进给轴不动。请写出检修的步骤和每一步的依据。",
     "先查看报警号和诊断页，再断电验电；量伺服电源三相电压和直流母线；"
     "交换轴的驱动器判断故障在驱动还是电机；查编码器插头和使能信号；修复后空运行并记录。",
     "1|先看报警号和诊断信息\n1|断电、验电后才动手\n2|用测量或交换法把故障缩小到一个部件\n1|修复后空运行并记录",
     "检修题看思路：从信息到测量，从整体到部件，每一步说得出依据。"),
    ("B-B-A", "两台可编程控制器经以太网通信，偶尔丢数据。请说明怎样查找原因，并给出两条改进措施。",
     "记录丢失的时刻并与设备启停对照；查屏蔽与接地、交换机端口错误计数、通信周期与看门狗设置；改进：通信线与动力线分开敷设，程序中加应答和超时重发。",
     "1|记录并对照丢失的时刻\n2|查接地、屏蔽、端口计数和周期设置\n2|两条改进措施合理", "偶发故障先找规律；程序要能发现并补上丢失的数据。"),
    ("B-A-A", "某镗床主轴电动机正反转都不能制动。请画出分析的思路，说明可能的故障点和验证方法。",
     "正反转都不能制动，故障在公共部分：速度继电器、制动接触器的公共线圈回路和中间继电器；分别用万用表量触点通断，用手动强制吸合验证。",
     "1|判断故障在公共部分\n2|列出速度继电器、接触器线圈、中间继电器\n2|说明验证方法", "两个方向同时失效，先查公共部分，这是缩小范围的关键。"),
)
ANSWERS = (
    "先看报警号和诊断画面，记下出现的时刻；断电、验电以后，从电源量到负载，把故障缩小到一个部件，再用交换法证实；修好以后空运行，填写检修记录。",
    "断电验电，用万用表逐段测量，找到坏的部件换掉，再通电试车。",
    "换一个新的试试，不行就请厂家来修。",
)


def write(stage: Stage, table_id: int, author: str) -> None:
    """The questions as drafts, to be reviewed with the rest of the bank."""
    at = stage.days(-150)
    with stage.acting(author, at) as (session, who):
        table = session.get_one(WeightTable, table_id)
        school = who.institution_for(*(scope.role for scope in who.scopes)) or 0
        for path, stem, key, guide, why in QUESTIONS:
            draft = Draft(kind="essay", stem=stem, options=(), key=key, explanation=why, source=BOOK, source_page="第 210 页", difficulty=3,
                          range_path=path, point_segment="001", guide=guide)
            bank.add_item(session, table, school, draft, who, now=at)


def answer(theta: float, draw: random.Random) -> str:
    """What somebody of some ability writes."""
    return ANSWERS[0 if theta > draw.gauss(0.9, 0.4) else 1 if theta > draw.gauss(0, 0.4) else 2]


def mark(stage: Stage, sitting_id: int, at: datetime) -> None:
    """Two mark every script by themselves, the second one not to the end; a chief looks after them."""
    with stage.acting("officer", at) as (session, who):
        sitting = session.get_one(Sitting, sitting_id)
        for login in (CHIEF, *MARKERS):
            written.appoint(session, sitting, stage.account_id(session, login), who, chief=login == CHIEF, classes=(), now=at)
        written.distribute(session, sitting, who, now=at)
    for login, left in zip(MARKERS, (0, LEFT), strict=True):
        later = at + timedelta(hours=2)
        with stage.acting(login, later) as (session, who):
            waiting = session.scalars(written.open_tasks().join(MarkingTask.marker).where(Marker.account_id == who.account_id)
                                      .order_by(MarkingTask.place, MarkingTask.id)).all()
            for task in waiting[:len(waiting) - left]:
                quality = ANSWERS.index(task.script.text) if task.script.text in ANSWERS else 2
                worth = [line.half_points for line in task.script.question.steps]
                marks.give(session, task, [(most, most // 2, 0)[quality] for most in worth], who, seconds=90, now=later)

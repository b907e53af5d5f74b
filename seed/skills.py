"""The practical bank of the demo: a content structure for 电工四级, reviewed tasks with their three papers, and a plan with a draw."""

from __future__ import annotations

from datetime import timedelta

import sqlalchemy as sa

from examroom.plans.models import ExamPlan
from qbank.kernel.access import Role
from qbank.kernel.times import local_date
from qbank.standards.models import Occupation, Standard, Subject, WeightTable
from scoring.practical import draw, structure, tasks
from scoring.practical.bank_models import TaskVersion
from scoring.practical.rows import Deduction, Measured, RowKind, TimeLimit
from scoring.practical.rubrics import RowDraft, sections
from scoring.practical.structure import ModuleDraft
from scoring.practical.structure_models import Form, Mode, PracticalModule
from scoring.practical.tasks import TaskText
from seed import history, planning
from seed.history import Schedule
from seed.people import Student
from seed.stage import Stage

DRAWN_PLAN = "电工四级认定（技能已抽签）"
TITLES = (("DG4-1-01", 0, "", "三相异步电动机正反转控制线路的安装与调试"), ("DG4-1-02", 0, "", "三相异步电动机星三角降压启动线路的安装与调试"),
          ("DG4-2-01", 1, "车床", "CA6140 型车床电气故障检修"), ("DG4-2-02", 1, "铣床", "X62W 型万能铣床电气故障检修"),
          ("DG4-2-03", 1, "磨床", "M7130 型平面磨床电气故障检修"), ("DG4-3-01", 2, "可编程控制器", "用可编程控制器改造电动机顺序启动线路"),
          ("DG4-3-02", 2, "变频器", "变频器多段速控制的接线与参数设定"))


def _modules(relay: str, electronic: str, equipment: str, automatic: str) -> list[ModuleDraft]:
    """The three modules over the paths of the four 职业功能: 40, 30 and 30 per cent."""
    return [ModuleDraft("电气线路装调", {relay: 60, electronic: 20}, 90),
            ModuleDraft("设备电气检修", {electronic: 10, equipment: 50}, 60, Mode.DRAWN, ("车床", "铣床", "磨床")),
            ModuleDraft("自动控制装调", {automatic: 60}, 60, Mode.CHOSEN, ("可编程控制器", "变频器"), Form.SIMULATED)]


def _wiring(relay: str, electronic: str) -> list[RowDraft]:
    """A rubric with a row of every kind."""
    volts = Measured("12", "V", (("11.9", "12.1", 20), ("11.5", "12.5", 10)))
    return [RowDraft("元件选择正确，安装整齐、牢固", relay, 20, RowKind.DEDUCTION, Deduction("处", 1, 10)),
            RowDraft("按图接线，一次通电成功", relay, 30), RowDraft("规定时间内完成", relay, 10, RowKind.TIME, TimeLimit(90, 1, 10)),
            RowDraft("直流稳压电源输出电压", electronic, 20, RowKind.MEASURED, volts),
            RowDraft("未断电、未验电即接触线路", kind=RowKind.VETO)]


def stock(stage: Stage) -> None:
    """The officer puts a structure in force, an author writes the tasks, a reviewer approves them; the newest waits for review."""
    with stage.acting("officer", stage.days(-100)) as (session, who):
        table = session.scalars(sa.select(WeightTable).join(WeightTable.standard).join(Standard.occupation).where(
            WeightTable.level == 4, WeightTable.subject == Subject.SKILL, Occupation.code == "6-31-01-03")).one()
        paths = [one.path for one in sections(table)]
        school = who.institution_for(Role.EXAM_OFFICER) or 0
        made = structure.draft_structure(session, table, school, who, _modules(*paths), source="示例，请按国家职业标准核对")
        structure.put_in_force(session, made, who)
        modules = [one.id for one in made.modules]
    for code, place, unit, title in TITLES:
        with stage.acting("author", stage.days(-99)) as (session, who):
            module = session.get_one(PracticalModule, modules[place])
            version = tasks.add_task(session, module, code, _text(title, module.minutes), who, option=unit,
                                     rows=None if place else _wiring(*paths[:2]), now=stage.days(-99))
            tasks.submit(session, version, who, now=stage.days(-99))
            key = version.id
        if code != "DG4-1-02":
            _approve(stage, key)


def _approve(stage: Stage, key: int) -> None:
    with stage.acting("reviewer", stage.days(-98)) as (session, who):
        tasks.review(session, session.get_one(TaskVersion, key), who, True, "", now=stage.days(-98))


def _text(title: str, minutes: int) -> TaskText:
    return TaskText(title, minutes, f"按给定的图样完成：{title}。\n\n1. 识读图样，列出元件清单。\n2. 安装、接线或检修。\n3. 通电检验，记录数据。",
                    "遵守安全操作规程，工位整洁；通电前须经考评员同意。", "每工位独立电源，装有漏电保护器；考场配备绝缘垫和灭火器。",
                    (("三相异步电动机", "Y112M-4 4 kW", "台", "1", "每工位"), ("交流接触器", "CJX2-1810", "只", "3", ""),
                     ("热继电器", "JR36-20", "只", "1", "")),
                    "穿绝缘鞋，携带准考证和身份证。", (("万用表", "MF47 或数字式", "只", "1", ""), ("电工工具", "通用", "套", "1", "")))


def hold_draw(stage: Stage, everybody: list[Student]) -> None:
    """A plan in ten days: units chosen, tasks and stations drawn by lot yesterday."""
    start = history.morning(stage, 10)
    plan_id = history.plan(stage, Schedule(DRAWN_PLAN, 4, stage.days(-30), local_date(start)), everybody,
                           [planning.theory(start, len(everybody), planning.RESERVE), *planning.practical(start + timedelta(hours=4), len(everybody))])
    at = stage.days(-1)
    with stage.acting("officer", at) as (session, who):
        plan = session.get_one(ExamPlan, plan_id)
        found = draw.structure_for(session, plan)
        assert found is not None  # noqa: S101  # stock has put it in force
        keys, half = [one.id for one in plan.enrolments], len(plan.enrolments) // 2
        for unit, some in zip(found.modules[2].options, (keys[:half], keys[half:]), strict=True):
            draw.choose_unit(session, plan, found.modules[2], some, unit, who)
        draw.draw(session, plan, who, stations={one.id: 4 for one in found.modules}, starts_at=start + timedelta(hours=4),
                  seed="demo-2026", now=at)

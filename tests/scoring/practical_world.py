"""A practical bank over the outcome world: two authors, two reviewers, a structure in force, approved tasks, a draw."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta

from qbank.kernel.access import Role, Viewer
from scoring.practical import draw as draws
from scoring.practical import structure as structures
from scoring.practical import tasks
from scoring.practical.bank_models import PracticalDraw, TaskVersion
from scoring.practical.rows import Deduction, Measured, RowKind, TimeLimit
from scoring.practical.rubrics import RowDraft
from scoring.practical.structure import ModuleDraft
from scoring.practical.structure_models import ContentStructure, Form, Mode, PracticalModule
from scoring.practical.tasks import TaskText
from tests.scoring.outcome_world import NOW, World

TOMORROW = NOW + timedelta(days=1)
TEXT = TaskText(
    "三相异步电动机正反转控制线路的安装与调试", 90, "按图安装控制线路，并通电试车。\n\n|元件|数量|\n|---|---|\n|接触器|2|", "接线正确、牢固，$U=380$ V。",
    "每工位独立电源，配备漏电保护。", (("三相异步电动机", "Y112M-4 4 kW", "台", "1", "每工位"), ("交流接触器", "CJX2-1810", "只", "2", "")),
    "穿绝缘鞋进入考场。", (("万用表", "MF47", "只", "1", ""),))
# 四级: 30 继电, 15 电子, 25 设备, 30 自动 (percent) become three modules of 40, 30 and 30.
MODULES = (ModuleDraft("电气线路装调", {"1": 60, "2": 20}, 90),
           ModuleDraft("设备检修", {"2": 10, "3": 50}, 60, Mode.DRAWN, ("车床", "铣床", "磨床")),
           ModuleDraft("自动控制", {"4": 60}, 60, Mode.CHOSEN, ("PLC", "变频器"), Form.SIMULATED))
# The first module: 30 points of 继电, 10 of 电子.
ROWS = (RowDraft("元件安装整齐、牢固", "1", 20, RowKind.DEDUCTION, Deduction("处", 1, 6)), RowDraft("接线正确", "1", 30),
        RowDraft("规定时间内完成", "1", 10, RowKind.TIME, TimeLimit(90, 1, 10)),
        RowDraft("输出电压", "2", 20, RowKind.MEASURED, Measured("12", "V", (("11.9", "12.1", 20), ("11.5", "12.5", 10)))),
        RowDraft("带电接线", kind=RowKind.VETO))


@dataclass
class BankWorld(World):
    """The outcome world, with people of the bank."""

    author: Viewer = field(init=False)
    reviewer: Viewer = field(init=False)

    def __post_init__(self) -> None:
        super().__post_init__()
        self.author = self.people("孙巧", Role.ITEM_AUTHOR)
        self.reviewer = self.people("钱进", Role.ITEM_REVIEWER)

    def structure(self) -> ContentStructure:
        made = structures.draft_structure(self.session, self.table, self.school.id, self.officer, MODULES, source="示例")
        structures.put_in_force(self.session, made, self.officer)
        return made

    def task(self, module: PracticalModule, code: str, *, option: str = "", rows: tuple[RowDraft, ...] | None = None) -> TaskVersion:
        """An approved task."""
        made = tasks.add_task(self.session, module, code, TEXT, self.author, option=option, rows=rows, now=NOW)
        tasks.submit(self.session, made, self.author, now=NOW)
        tasks.review(self.session, made, self.reviewer, True, "", now=NOW)
        return made

    def stock(self) -> ContentStructure:
        """A structure with two tasks for the first module and one for each unit of the others."""
        made = self.structure()
        wiring, repair, control = made.modules
        self.task(wiring, "DG4-1-01", rows=ROWS)
        self.task(wiring, "DG4-1-02")
        for module in (repair, control):
            for number, unit in enumerate(module.options, 1):
                self.task(module, f"DG4-{module.position}-{number:02d}", option=unit)
        return made

    def ready(self, *names: str) -> ContentStructure:
        """Everything that a draw needs."""
        made = self.stock()
        enrolled = self.enrol(*names)
        draws.choose_unit(self.session, self.plan, made.modules[2], [one.id for one in enrolled], "PLC", self.officer)
        return made

    def drawn(self, *names: str, seed: str | None = None) -> PracticalDraw:
        made = self.ready(*names)
        return draws.draw(self.session, self.plan, self.officer, stations={one.id: 2 for one in made.modules}, starts_at=TOMORROW,
                          seed=seed, now=NOW)

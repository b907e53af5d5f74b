"""Skill weight tables (技能要求权重表) of a few occupations, per level in percent.

Read by machine from the published standards; every column sums to 100. Each carries the note that it is to be checked
against the official document before a live examination.
"""

from __future__ import annotations

from dataclasses import dataclass

NOTE = "据国家职业技能标准权重表摘录；正式考试前请与官方文本逐项核对。"
SAMPLE_NOTE = "示例：未能核实官方理论知识权重表，数字为演示而设；正式考试前请按国家职业标准原文录入。"


@dataclass(frozen=True)
class SkillTable:
    """One occupation: ``rows`` maps a 职业功能 to its percent per level; a level that is absent has no such function."""

    code: str
    name: str
    edition: str
    rows: dict[str, dict[int, int]]

    @property
    def levels(self) -> list[int]:
        return sorted({level for weights in self.rows.values() for level in weights}, reverse=True)

    def column(self, level: int) -> list[tuple[str, int]]:
        return [(name, weights[level]) for name, weights in self.rows.items() if level in weights]


def _table(code: str, name: str, edition: str, levels: str, rows: dict[str, str]) -> SkillTable:
    """``levels`` names the columns ("54321"), a dash says that the function does not exist at that level."""
    read = {function: {int(level): int(cell) for level, cell in zip(levels, cells.split("/"), strict=True) if cell != "-"}
            for function, cells in rows.items()}
    return SkillTable(code, name, edition, read)


ELECTRICIAN = _table("6-31-01-03", "电工", "2018", "54321", {
    "电器安装和线路敷设": "40/-/-/-/-",
    "继电控制电路装调维修": "40/30/15/-/-",
    "基本电子电路装调维修": "20/15/-/-/-",
    "电气设备（装置）装调维修": "-/25/30/25/45",
    "自动控制电路装调维修": "-/30/20/15/-",
    "应用电子电路调试维修": "-/-/15/20/-",
    "交直流传动系统装调维修": "-/-/20/-/-",
    "交直流传动及伺服系统调试维修": "-/-/-/30/-",
    "电气自动控制系统调试维修": "-/-/-/-/40",
    "培训与技术管理": "-/-/-/10/15",
})
OTHERS = (
    _table("6-20-01-01", "钳工", "2020", "54321", {
        "基本作业": "35/30/20/-/-", "机械设备装调": "35/35/40/40/30", "机械设备保养与维修": "30/35/40/25/30",
        "技术指导与革新": "-/-/-/35/40"}),
    _table("4-03-02-01", "中式烹调师", "2018", "54321", {
        "原料初加工": "25/20/10/-/-", "原料分档与切配": "25/20/20/-/-", "原料预制加工": "20/25/30/-/-",
        "菜肴制作": "30/35/40/-/-", "原料鉴别与初加工": "-/-/-/20/-", "菜单设计": "-/-/-/15/-",
        "菜肴制作与装饰": "-/-/-/20/45", "宴会主理": "-/-/-/20/-", "厨房管理": "-/-/-/15/35", "培训指导": "-/-/-/10/20"}),
    _table("4-04-05-01", "计算机程序设计员", "2022", "4321", {
        "程序开发准备": "15/15/10/10", "程序编写与修改": "60/55/40/35", "程序调试与验证": "25/30/30/30",
        "技术管理与培训指导": "-/-/20/25"}),
    _table("6-18-01-07", "多工序数控机床操作调整工", "2021", "4321", {
        "工艺文件执行与调整": "10/15/20/20", "夹具使用与调整": "25/20/15/10", "刀具操作与调整": "20/15/10/10",
        "数控机床操作与调整": "30/20/15/10", "质量检测与调整": "15/15/20/20", "生产线操作与调整": "-/10/15/20",
        "培训与管理": "-/5/5/10"}),
)

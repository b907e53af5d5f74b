"""The rules of choosing items as a composer sees and sets them: hard, soft with a weight, or off; numbers; a sentence. Pure.

Stored as ``{code: {"mode": "hard" | "soft" | "off", "weight": 1..100, "numbers": {name: number}}, "pinned": [...],
"barred": [...]}``; what is missing is the rule pack's default. :mod:`qbank.papers.compiling` turns them into the engine's.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from qbank.items.draft import KINDS
from qbank.kernel.refused import Refused
from qbank.standards.rulepack import RulePack

HARD, SOFT, OFF = "hard", "soft", "off"
MODES: Mapping[str, str] = {HARD: "必须满足", SOFT: "尽量满足", OFF: "不要求"}
HEAVIEST = 100
Number = int | float


@dataclass(frozen=True)
class Field:
    """One number of a rule: its label and unit, its bounds, and how finely it is set."""

    name: str
    label: str
    unit: str
    low: Number
    high: Number
    step: Number = 1


@dataclass(frozen=True)
class RuleKind:
    """A row of the page: what the rule is called, what it means, in which modes it may stand, which numbers it has."""

    code: str
    title: str
    sentence: str
    modes: tuple[str, ...]
    fields: tuple[Field, ...] = ()
    whole: tuple[str, ...] = ()  # fields that add up to 100 %
    unit: str = "题"  # what one unit of missing it is, for the weight's help


def _percent(name: str, label: str) -> Field:
    return Field(name, label, "%", 0, 100)


THREE, TWO = (HARD, SOFT, OFF), (HARD, OFF)
GROUPS: Mapping[str, tuple[RuleKind, ...]] = {
    "内容": (
        RuleKind("quotas", "范围与题型的题量", "每个鉴定范围、每种题型的题数与分配表完全一致，分值因此与鉴定比重一致。", (HARD,)),
        RuleKind("points", "鉴定点不重复", "每个鉴定点至多出 1 题；一个范围的鉴定点用完后才出第 2 题。", THREE),
        RuleKind("importance", "重要程度 X、Y、Z", "先 X 后 Y 再 Z：核心要素的题不少于目标占比，辅助要素的题不多于目标占比。", THREE,
                 (_percent("X", "X 核心"), _percent("Y", "Y 一般"), _percent("Z", "Z 辅助"),
                  Field("within", "允许相差", "个百分点", 0, 50)), ("X", "Y", "Z")),
        RuleKind("pairs", "互斥题、相近题", "互相提示或内容相近的题不出现在同一套卷里；内容相同的题也是如此。", (HARD,)),
        RuleKind("sets", "共用题干题组", "同一材料的题要么整组使用，要么都不用。", (HARD,)),
    ),
    "难度与测量": (
        RuleKind("grades", "难度结构", "五个难度等级的题数按下列比例；有统计的题按实测等级，其余按命题员评定。", THREE,
                 (*(_percent(f"g{grade}", name) for grade, name in enumerate(("1 易", "2 较易", "3 中等", "4 较难", "5 难"), 1)),
                  Field("within", "允许相差", "题", 0, 50)), tuple(f"g{grade}" for grade in range(1, 6))),
        RuleKind("difficulty", "平均难度 b", "全卷标定难度 b 的平均值落在这个范围内。", THREE,
                 (Field("mean", "平均 b", "", -4, 4, 0.01), Field("within", "允许相差", "", 0, 2, 0.01)), (), "0.01"),
        RuleKind("parallel", "各套卷测量同样准", "各套卷在合格线处及两侧的信息量都贴近同一目标，使最大偏差最小。目标是题库平均一套卷的倍数。", (SOFT, OFF),
                 (Field("times", "目标为平均卷的", "%", 20, 300), Field("beside", "两侧各离合格线", "（能力量尺）", 0.1, 2, 0.1)), (), "0.1 %"),
        RuleKind("sharpest", "合格线处测量最准", "信息量最低的那套卷在合格线处及两侧也尽可能高（与上一条二选一）。", (SOFT, OFF),
                 (Field("beside", "两侧各离合格线", "（能力量尺）", 0.1, 2, 0.1),), (), "0.1 %"),
        RuleKind("information", "信息量下限", "每套卷在合格线处、两侧的信息量不低于题库平均一套卷的这个比例。", THREE,
                 (_percent("cut", "合格线处"), _percent("sides", "两侧")), (), "1 %"),
        RuleKind("expected", "合格线处预期得分相等", "刚好合格的考生在各套卷上的预期得分相差不超过这么多分。", THREE,
                 (Field("within", "相差不超过", "分", 0, 20, 0.5),), (), "0.1 分"),
    ),
    "使用与保密": (
        RuleKind("exposure", "一年内使用上限", "一年内已用于这么多套封存试卷的题不再选用。", THREE, (Field("most", "最多", "套", 1, 100),)),
        RuleKind("rest", "近期用过的不用", "最近几场考试发过的题不再选用；已封存、还没有开考的试卷同样算。", THREE, (Field("sittings", "最近", "场", 1, 50),)),
        RuleKind("overlap", "各套卷之间的共用题", "任意两套卷的共用题不超过这个比例；“尽量满足”时，题库不够才共用，且越少越好。", THREE,
                 (_percent("percent", "不超过"), _percent("pool", "每人一卷时不超过"))),
        RuleKind("earlier", "与以往试卷的共用题", "与最近这些封存试卷中任何一套的共用题不超过这个比例。", THREE,
                 (_percent("percent", "不超过"), Field("papers", "最近", "套", 1, 50))),
        RuleKind("fresh", "少用的题优先", "其他要求同样满足时，先用一年内用得少的题。", (SOFT, OFF)),
    ),
    "卷面": (
        RuleKind("keys", "答案分布均衡", "单选题 A、B、C、D 和判断题 √、× 的题数各自接近平均。", THREE, (Field("within", "相差不超过", "题", 0, 50),)),
        RuleKind("length", "阅读总量", "题干、选项和材料的总字数在这个范围内。", THREE,
                 (Field("least", "不少于", "字", 0, 200_000), Field("most", "不多于", "字", 100, 200_000)), (), "1 %"),
        RuleKind("pretest", "试测题", "另加不计分的题，只为积累统计；选还没有统计的题，考生看不出区别。", TWO,
                 tuple(Field(kind, name, "题", 0, 50) for kind, name in KINDS.items() if kind in ("single", "multiple", "judge"))),
    ),
}
KINDS_OF_RULES: Mapping[str, RuleKind] = {kind.code: kind for group in GROUPS.values() for kind in group}
GRADE_FIELDS: Mapping[int, str] = {grade: f"g{grade}" for grade in range(1, 6)}
LISTS: Mapping[str, str] = {"pinned": "必选题", "barred": "禁用题"}


@dataclass(frozen=True)
class Setting:
    """How one rule stands in one specification."""

    mode: str
    weight: int
    numbers: Mapping[str, Number]

    @property
    def on(self) -> bool:
        return self.mode != OFF

    @property
    def price(self) -> float | None:
        """For the engine: None is hard."""
        return None if self.mode == HARD else float(self.weight)

    def stored(self) -> dict[str, Any]:
        return {"mode": self.mode, "weight": self.weight, "numbers": dict(self.numbers)}


def defaults(pack: RulePack) -> dict[str, Setting]:
    """Every rule as the rule pack has it."""
    beside = {"beside": 0.5}
    return {
        "quotas": Setting(HARD, 1, {}), "pairs": Setting(HARD, 1, {}), "sets": Setting(HARD, 1, {}), "points": Setting(SOFT, 50, {}),
        "importance": Setting(SOFT, 1, {"X": pack.essential_percent, "Y": pack.general_percent, "Z": pack.auxiliary_percent,
                                        "within": pack.importance_within_percent}),
        "grades": Setting(SOFT, 2, {"g1": 10, "g2": 25, "g3": 40, "g4": 20, "g5": 5, "within": 0}),
        "difficulty": Setting(OFF, 1, {"mean": 0.0, "within": 0.2}),
        "parallel": Setting(SOFT, 50, {"times": 100, **beside}), "sharpest": Setting(OFF, 50, beside),
        "information": Setting(OFF, 1, {"cut": 80, "sides": 60}),
        "expected": Setting(SOFT, 1, {"within": pack.expected_within_half_points / 2}),
        "exposure": Setting(SOFT, 5, {"most": pack.uses_per_year}),
        "rest": Setting(SOFT, 5, {"sittings": max(1, pack.unused_sittings)}),
        "overlap": Setting(SOFT, 20, {"percent": pack.form_overlap_percent, "pool": 30}),
        "earlier": Setting(SOFT, 2, {"percent": pack.earlier_overlap_percent, "papers": 6}),
        "fresh": Setting(SOFT, 1, {}), "keys": Setting(SOFT, 1, {"within": pack.key_within}),
        "length": Setting(OFF, 1, {"least": 0, "most": 12_000}), "pretest": Setting(OFF, 1, {"single": 0, "multiple": 0, "judge": 0}),
    }


def settings_of(rules: Mapping[str, Any], pack: RulePack) -> dict[str, Setting]:
    """The rules of a specification; what it does not say stands as the rule pack has it."""
    found = defaults(pack)
    for code, plain in rules.items():
        if code in found:
            found[code] = Setting(plain["mode"], plain["weight"], {**found[code].numbers, **plain["numbers"]})
    return found


def stored(settings: Mapping[str, Setting], lists: Mapping[str, Sequence[Mapping[str, Any]]]) -> dict[str, Any]:
    """As a specification keeps them."""
    return {**{code: setting.stored() for code, setting in settings.items()},
            **{name: list(map(dict, lists.get(name, ()))) for name in LISTS}}


def mistakes(settings: Mapping[str, Setting]) -> dict[str, str]:
    """What is wrong, one sentence beside each rule; empty: nothing."""
    found = {}
    for code, setting in settings.items():
        kind = KINDS_OF_RULES[code]
        if sentence := _mistake(kind, setting):
            found[code] = sentence
    if settings["parallel"].on and settings["sharpest"].on:
        found["sharpest"] = "“各套卷测量同样准”和“合格线处测量最准”只能选一条，请把其中一条设为“不要求”。"
    return found


def _mistake(kind: RuleKind, setting: Setting) -> str:
    if setting.mode not in kind.modes:
        return f"“{kind.title}”只能是{'、'.join(MODES[mode] for mode in kind.modes)}。"
    if not 1 <= setting.weight <= HEAVIEST:
        return f"权重应在 1 到 {HEAVIEST} 之间，现在是 {setting.weight}。"
    if not setting.on:
        return ""
    for field in kind.fields:
        if not field.low <= setting.numbers[field.name] <= field.high:
            return f"“{field.label}”应在 {field.low:g} 到 {field.high:g} 之间，现在是 {setting.numbers[field.name]:g}。"
    if kind.whole and (total := sum(setting.numbers[name] for name in kind.whole)) != 100:
        return f"各比例合计应为 100 %，现在是 {total:g} %。"
    if kind.code == "length" and setting.numbers["least"] > setting.numbers["most"]:
        return "“不少于”大于“不多于”，请改正。"
    if kind.code == "pretest" and not any(setting.numbers.values()):
        return "请填写试测题的题数，或改为“不要求”。"
    return ""


def refuse_mistakes(settings: Mapping[str, Setting]) -> None:
    """Refuse ('bad_rules') with every mistake."""
    if found := mistakes(settings):
        lines = [f"{KINDS_OF_RULES[code].title}：{sentence}" for code, sentence in found.items()]
        raise Refused("bad_rules", f"组卷要求有 {len(lines)} 处需要改正。", lines)

"""What differs between two specifications: each line a name, how it was, how it is. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from qbank.papers.rules import KINDS_OF_RULES, MODES, RuleKind, Setting
from qbank.papers.specification import Part, Quotas, kind_name


@dataclass(frozen=True)
class Side:
    """One of the two. ``lists`` name of a list → its items as people read them."""

    name: str
    minutes: int
    calculator: bool
    instructions: str
    quotas: Quotas
    settings: Mapping[str, Setting]
    lists: Mapping[str, Sequence[str]]


@dataclass(frozen=True)
class Line:
    """One difference, within a group of the page."""

    group: str
    what: str
    before: str
    after: str


def differences(one: Side, other: Side) -> list[Line]:
    """Everything that is not the same, in the order of the page."""
    found = [Line("方案", what, before, after) for what, before, after in (
        ("名称", one.name, other.name), ("考试时间", f"{one.minutes} 分钟", f"{other.minutes} 分钟"),
        ("计算器", _yes(one.calculator), _yes(other.calculator)), ("考生须知", one.instructions, other.instructions),
        ("试卷结构", _shape(one.quotas.parts), _shape(other.quotas.parts)))]
    found += [Line("题量", key, _cells(one.quotas, key), _cells(other.quotas, key)) for key in {**one.quotas.target, **other.quotas.target}]
    found += [Line("组卷要求", kind.title, said(kind, one.settings[code]), said(kind, other.settings[code]))
              for code, kind in KINDS_OF_RULES.items()]
    found += [Line("指定的题", name, "；".join(one.lists.get(name, ())), "；".join(other.lists.get(name, ())))
              for name in {**one.lists, **other.lists}]
    return [line for line in found if line.before != line.after]


def said(kind: RuleKind, setting: Setting) -> str:
    """A rule as it stands, in one line."""
    if not setting.on:
        return MODES[setting.mode]
    numbers = "，".join(f"{field.label} {setting.numbers[field.name]:g}{' ' + field.unit if field.unit else ''}" for field in kind.fields)
    weight = f"（权重 {setting.weight}）" if setting.mode == "soft" else ""
    return f"{MODES[setting.mode]}{weight}{'：' + numbers if numbers else ''}"


def _yes(value: bool) -> str:
    return "允许使用" if value else "不提供"


def _shape(parts: Sequence[Part]) -> str:
    return "，".join(f"{kind_name(part.kind)} {part.count} 题 × {part.half_points / 2:g} 分" for part in parts)


def _cells(quotas: Quotas, key: str) -> str:
    if key not in quotas.target:
        return "没有这个范围"
    counts = "、".join(f"{kind_name(part.kind)} {quotas.counts[key, p]}" for p, part in enumerate(quotas.parts)
                      if quotas.counts.get((key, p)))
    return f"{counts}（{quotas.actual[key] / 2:g} 分）"

"""Arithmetic of weight tables: sums, trees, counts of X:Y:Z. Pure; weights are integers in half-percent (200 = 100 %)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

WHOLE = 200
ABSENT = frozenset({"", "-", "--", "—", "——", "–", "－", "―", "/", "／", "\\", "无"})
SEGMENT = re.compile(r"[0-9A-Za-z]{1,8}")
TARGET_SHARES = {"X": 80, "Y": 15, "Z": 5}  # percent: X at least, Y and Z at most
FAR = 5  # percentage points off the target from which a warning is given: published tables deviate
POINTS_PER_PERCENT = 2
POINTS_PER_LEVEL = 200


@dataclass(frozen=True)
class Finding:
    """Something wrong with a table: a stable code, a sentence, and the segments of the range it is about."""

    code: str
    sentence: str
    segments: tuple[str, ...] = ()


@dataclass(frozen=True)
class Node:
    """One range as the arithmetic sees it."""

    segments: tuple[str, ...]
    name: str
    weight: int


@dataclass(frozen=True)
class Counts:
    """How many points of each importance. ``str`` is the trade's header notation ``(116:28:05)``."""

    x: int = 0
    y: int = 0
    z: int = 0

    @classmethod
    def of(cls, importances: Iterable[str]) -> Counts:
        found = list(importances)
        return cls(found.count("X"), found.count("Y"), found.count("Z"))

    def __add__(self, other: Counts) -> Counts:
        return Counts(self.x + other.x, self.y + other.y, self.z + other.z)

    def __str__(self) -> str:
        return f"({self.x:02d}:{self.y:02d}:{self.z:02d})"

    @property
    def total(self) -> int:
        return self.x + self.y + self.z

    @property
    def shares(self) -> dict[str, str]:
        """Percent with one decimal; a dash where there is no point."""
        counts = {"X": self.x, "Y": self.y, "Z": self.z}
        return {name: f"{100 * count / self.total:.1f}" if self.total else "—" for name, count in counts.items()}


def percent(weight: int) -> str:
    """Half-percent as it is written in a table: 60 → ``30``, 25 → ``12.5``."""
    return f"{weight // 2}.5" if weight % 2 else str(weight // 2)


def read_weight(text: str) -> int | None:
    """``"12.5"`` → 25; None for a dash or a blank: the function does not exist at that level.

    Raises ValueError with a Chinese sentence for anything else than 0…100 in steps of 0.5.
    """
    cleaned = text.strip().replace("．", ".").removesuffix("%").removesuffix("％").strip()
    if cleaned in ABSENT:
        return None
    if not re.fullmatch(r"\d{1,6}(\.\d+)?", cleaned):
        raise ValueError(f"“{text.strip()}”不是比重，请填 0 到 100 的数字（可带 .5），没有此项就填“-”。")
    value = float(cleaned)
    if value > 100:
        raise ValueError(f"“{text.strip()}”大于 100，请核对。")
    if value * 2 != int(value * 2):
        hint = "若单元格是百分比格式，请改成普通数字。" if value < 1 else ""
        raise ValueError(f"“{text.strip()}”不是 0.5 的整数倍，请核对。{hint}")
    return int(value * 2)


def sum_finding(column: str, weights: Sequence[int | None]) -> Finding | None:
    """Says that ``column`` does not sum to 100, with the actual sum and its terms; None when it does."""
    present = [weight for weight in weights if weight is not None]
    total = sum(present)
    if total == WHOLE:
        return None
    terms = "+".join(percent(weight) for weight in present) or "没有任何比重"
    return Finding("weights_not_100", f"{column}：各项比重合计 {percent(total)}，应为 100（{terms}）。请对照标准原文改正后再保存。")


def tree_findings(column: str, nodes: Sequence[Node]) -> list[Finding]:
    """Everything wrong with one table: codes, names, parents without row, sums of children, the sum of the whole."""
    findings = [finding for node in nodes for finding in _node_findings(column, node)]
    known: dict[tuple[str, ...], Node] = {}
    for node in nodes:
        if node.segments in known:
            findings.append(Finding("range_twice", f"{column}：代码 {shown(node.segments)} 出现了两次，请改其中一个。", node.segments))
        known[node.segments] = node
    for node in known.values():
        if node.segments[:-1] and node.segments[:-1] not in known:
            findings.append(Finding("no_parent", f"{column}：“{node.name}”（{shown(node.segments)}）的上级范围 "
                                                 f"{shown(node.segments[:-1])} 不在表中，请补上。", node.segments))
    findings += _parent_findings(column, known)
    top = [node.weight for node in known.values() if len(node.segments) == 1]
    if finding := sum_finding(column, top):
        findings.append(finding)
    return findings


def _node_findings(column: str, node: Node) -> list[Finding]:
    findings = []
    if not node.segments or not all(SEGMENT.fullmatch(segment) for segment in node.segments):
        findings.append(Finding("range_code", f"{column}：“{node.name}”的代码“{shown(node.segments)}”不对，每级代码应为 1 到 8 位字母或数字。",
                                node.segments))
    if len(shown(node.segments)) > 40:
        findings.append(Finding("range_code", f"{column}：“{node.name}”的代码太长，请减少级数。", node.segments))
    if not node.name.strip() or len(node.name) > 200:
        findings.append(Finding("range_name", f"{column}：代码 {shown(node.segments)} 的名称不能空，也不能超过 200 字。", node.segments))
    if not 0 <= node.weight <= WHOLE:
        findings.append(Finding("weight_range", f"{column}：“{node.name}”的比重应在 0 到 100 之间。", node.segments))
    return findings


def _parent_findings(column: str, known: dict[tuple[str, ...], Node]) -> list[Finding]:
    findings = []
    for parent in known.values():
        below = [node.weight for node in known.values() if node.segments[:-1] == parent.segments]
        if below and sum(below) != parent.weight:
            terms = "+".join(percent(weight) for weight in below)
            findings.append(Finding("parent_sum", f"{column}：“{parent.name}”（{shown(parent.segments)}）比重为 {percent(parent.weight)}，"
                                                  f"下级合计 {percent(sum(below))}（{terms}），应相等。", parent.segments))
    return findings


def shown(segments: Sequence[str]) -> str:
    """Segments joined for showing. Never parsed: ``0211`` and ``02110`` taught why."""
    return "-".join(segments)


def order(segments: Sequence[str]) -> tuple[tuple[bool, int, str], ...]:
    """Sort key in the order of the printed table: numbers by value, letters by the alphabet."""
    return tuple((not segment.isdecimal(), int(segment) if segment.isdecimal() else 0, segment) for segment in segments)


def share_warnings(counts: Counts) -> list[str]:
    """Warns (never refuses) when X:Y:Z is far from 80/15/5."""
    if not counts.total:
        return []
    off = (counts.x * 100 < (TARGET_SHARES["X"] - FAR) * counts.total
           or counts.y * 100 > (TARGET_SHARES["Y"] + FAR) * counts.total
           or counts.z * 100 > (TARGET_SHARES["Z"] + FAR) * counts.total)
    shares = counts.shares
    return [f"重要程度占比 X {shares['X']} %、Y {shares['Y']} %、Z {shares['Z']} %，与通常要求（X 不少于 80 %，Y 不多于 15 %，"
            "Z 不多于 5 %）相差较大，请核对重要程度。"] if off else []


def quantity_warnings(leaves: Sequence[tuple[str, int, int]]) -> list[str]:
    """Warns where points are few: ``leaves`` are (label, weight, number of points) of one theory table."""
    warnings = []
    short = [f"{label} {points} 个（宜 {weight * POINTS_PER_PERCENT // 2} 个以上）"
             for label, weight, points in leaves if points * 2 < weight * POINTS_PER_PERCENT]
    total = sum(points for _, _, points in leaves)
    if total < POINTS_PER_LEVEL:
        warnings.append(f"本表共 {total} 个鉴定点，通常每个等级不少于 {POINTS_PER_LEVEL} 个。")
    if short:
        warnings.append(f"{len(short)} 个范围的鉴定点少于比重的 {POINTS_PER_PERCENT} 倍：" + "；".join(short) + "。")
    return warnings

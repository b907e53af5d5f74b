"""A paper as the trade prints it: parts with their rule line, items with continuous numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from qbank.items.models import ItemKind
from qbank.papers.models import PaperItem

TITLES = {ItemKind.SINGLE: "单项选择题", ItemKind.MULTIPLE: "多项选择题", ItemKind.JUDGE: "判断题"}
RULES = {
    ItemKind.SINGLE: "选择一个正确的答案，将相应的字母填入题内的括号中。",
    ItemKind.MULTIPLE: "选择两个或两个以上正确的答案，将相应的字母填入题内的括号中。错选、少选、多选均不得分。",
    ItemKind.JUDGE: "将判断结果填入括号中，正确的填“√”，错误的填“×”。",
}
NUMERALS = "一二三四"
SIGNS = {"T": "√", "F": "×"}


@dataclass(frozen=True)
class Section:
    """One part as it is printed."""

    numeral: str
    kind: ItemKind
    title: str
    rule: str
    half_points: int
    items: tuple[PaperItem, ...]


def sections_of(items: Sequence[PaperItem]) -> list[Section]:
    """The parts of a paper in their order; ``items`` by number."""
    sections: list[Section] = []
    for position in sorted({item.position for item in items}):
        mine = tuple(item for item in items if item.position == position)
        kind, worth = mine[0].version.kind, mine[0].half_points
        rule = (f"第{mine[0].number}题～第{mine[-1].number}题。{RULES[kind]}"
                f"每题{worth / 2:g}分，满分{worth * len(mine) / 2:g}分。")
        sections.append(Section(NUMERALS[len(sections)], kind, TITLES[kind], rule, worth, mine))
    return sections


def printed_key(item: PaperItem) -> str:
    """The key as it stands on a key sheet."""
    return SIGNS.get(item.version.key, item.version.key) if item.version.kind is ItemKind.JUDGE else item.version.key


def in_stem(item: PaperItem) -> bool:
    """Whether the stem has brackets of its own for the answer."""
    return any(bracket in item.version.stem.replace(" ", "").replace("　", "").replace("\u00a0", "")
               for bracket in ("（）", "()"))

"""A paper as the trade prints it: parts with their rule line, items with continuous numbers, sets under their material."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

from qbank.items.markup import plain
from qbank.items.models import ItemVersion
from qbank.items.policy import ALL_OR_NOTHING, Policy
from qbank.items.states import ItemKind
from qbank.papers.models import PaperItem

TITLES = {ItemKind.SINGLE: "单项选择题", ItemKind.MULTIPLE: "多项选择题", ItemKind.JUDGE: "判断题", ItemKind.FILL: "填空题",
          ItemKind.SHORT: "简答题", ItemKind.ESSAY: "论述题"}
RULES = {
    ItemKind.SINGLE: "选择一个正确的答案，将相应的字母填入题内的括号中。",
    ItemKind.MULTIPLE: "选择两个或两个以上正确的答案，将相应的字母填入题内的括号中。",
    ItemKind.JUDGE: "将判断结果填入括号中，正确的填“√”，错误的填“×”。",
    ItemKind.FILL: "将正确答案填入题内的横线上，需要单位的写上单位。",
    ItemKind.SHORT: "简要回答下列问题，写出要点。",
    ItemKind.ESSAY: "回答下列问题，写明步骤和依据。",
}
NUMERALS = "一二三四五六"
SIGNS = {"T": "√", "F": "×"}


@dataclass(frozen=True)
class Group:
    """Items that stand together: those of one material, or an item by itself (``material`` empty)."""

    material: str
    items: tuple[PaperItem, ...]

    @property
    def instruction(self) -> str:
        """What stands over the material."""
        first, last = self.items[0].number, self.items[-1].number
        return f"阅读下面的材料，回答第 {first} 题。" if first == last else f"阅读下面的材料，回答第 {first}～{last} 题。"


@dataclass(frozen=True)
class Section:
    """One part as it is printed."""

    numeral: str
    kind: ItemKind
    title: str
    rule: str
    half_points: int
    items: tuple[PaperItem, ...]

    @property
    def groups(self) -> list[Group]:
        """The items with the material over the first of those that share it."""
        return groups_of(self.items)


def sections_of(items: Sequence[PaperItem], policy: Policy = ALL_OR_NOTHING) -> list[Section]:
    """The parts of a paper in their order; ``items`` by number."""
    sections: list[Section] = []
    for position in sorted({item.position for item in items}):
        mine = tuple(item for item in items if item.position == position)
        kind, worth = mine[0].version.kind, mine[0].half_points
        rule = (f"第{mine[0].number}题～第{mine[-1].number}题。{RULES[kind]}"
                f"每题{worth / 2:g}分，满分{worth * len(mine) / 2:g}分。{policy.sentence(kind)}")
        sections.append(Section(NUMERALS[len(sections)], kind, TITLES[kind], rule, worth, mine))
    return sections


def groups_of(items: Sequence[PaperItem]) -> list[Group]:
    """Neighbours with the same material together."""
    found = []
    for stimulus_id, run in groupby(items, key=lambda item: item.version.stimulus_id):
        together = tuple(run)
        stimulus = together[0].version.stimulus
        found += [Group(stimulus.text, together)] if stimulus_id and stimulus else [Group("", (item,)) for item in together]
    return found


def texts_of(version: ItemVersion) -> tuple[str, ...]:
    """Everything of a version that may name a picture."""
    return (version.stem, version.key, version.guide, *(option.text for option in version.options),
            version.stimulus.text if version.stimulus else "")


def printed_key(item: PaperItem) -> str:
    """The key as it stands on a key sheet."""
    return SIGNS.get(item.version.key, item.version.key) if item.version.kind is ItemKind.JUDGE else item.version.key


def in_stem(item: PaperItem) -> bool:
    """Whether the stem has a place of its own for the answer: brackets, or the blanks of a fill-in item."""
    if item.version.kind not in {ItemKind.SINGLE, ItemKind.MULTIPLE, ItemKind.JUDGE}:
        return True
    return any(bracket in item.version.stem.replace(" ", "").replace("　", "").replace("\u00a0", "")
               for bracket in ("（）", "()"))


def columns_of(item: PaperItem) -> str:
    """How many options stand in one line: four short ones, two, or one."""
    longest = max((len(plain(option.text)) for option in item.version.options), default=0)
    tall = any("\n" in option.text or "](media:" in option.text for option in item.version.options)
    return "four" if longest <= 8 and not tall else "two" if longest <= 19 else "one"

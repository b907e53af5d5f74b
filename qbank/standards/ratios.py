"""How many people must watch, assess or review so many candidates: the rule pack's numbers, and what a standard says otherwise. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from qbank.kernel.refused import Refused

if TYPE_CHECKING:
    from qbank.standards.rulepack import RulePack

NONE = "无"
THEORY, PRACTICAL, REVIEW = PARTS = ("theory", "practical", "review")
WORDS = {"理论": THEORY, "技能": PRACTICAL, "评审": REVIEW}
PEOPLE = {THEORY: "监考员", PRACTICAL: "考评员", REVIEW: "评审专家"}
ENTRY = re.compile(r"(?P<code>\d-\d{2}-\d{2}-\d{2}(?:-\d{3})?)(?:/(?P<edition>\d{4}))?\s*(?P<part>理论|技能|评审)?\s*1[:：](?P<ratio>[1-9]\d?)"
                   r"(?:\s*不少于\s*(?P<least>[1-9]\d?)\s*人)?\s*(?P<odd>单数|不限单双)?")


@dataclass(frozen=True)
class Ratio:
    """What one standard says: one person for so many candidates; ``least`` and ``odd`` None: as the rule pack says."""

    code: str
    edition: str  # empty: every edition
    part: str
    candidates: int
    least: int | None = None
    odd: bool | None = None


@dataclass(frozen=True)
class Demand:
    """The numbers that hold for one part of one standard. ``ratio`` 0: none is set."""

    part: str
    ratio: int
    least: int
    odd: bool

    def needed(self, candidates: int) -> int:
        """The smallest number of people for so many candidates."""
        number = max(self.least, -(-candidates // self.ratio) if self.ratio else 0)
        return number + (self.odd and number % 2 == 0)

    @property
    def told(self) -> str:
        """``考评员与考生 1∶5，不少于 3 人，单数``."""
        words = [f"{PEOPLE[self.part]}与考生 1∶{self.ratio}"] if self.ratio else [PEOPLE[self.part]]
        return "，".join([*words, f"不少于 {self.least} 人", *(["单数"] if self.odd else [])])

    def problem(self, given: int, candidates: int) -> str:
        """A sentence when ``given`` people are not right for so many candidates; empty when they are."""
        who, needed = PEOPLE[self.part], self.needed(candidates)
        if given < needed:
            return f"{candidates} 名考生需要{who} {needed} 人（{self.told}），已安排 {given} 人，还差 {needed - given} 人。"
        if self.odd and given % 2 == 0:
            return f"{who}应为单数（{self.told}），已安排 {given} 人，请增减 1 人。"
        return ""


def read(text: str) -> Sequence[Ratio]:
    """``6-31-01-03/2018 理论 1:20 不少于 2 人；6-18-01-01 1:3`` (no part: 技能). Refuses what cannot be read, quoting it."""
    found = []
    for piece in re.split(r"[；;]", "" if text.strip() == NONE else text):
        if not piece.strip():
            continue
        entry = ENTRY.fullmatch(piece.strip())
        if entry is None:
            raise Refused("assessor_exceptions", "个别标准的配比应写成“6-31-01-03/2018 技能 1:8 不少于 5 人 单数”（版次、不少于、单数可省，"
                                                 f"理论、技能、评审省略时为技能），多个用分号隔开，没有填“无”；读不懂“{piece.strip()}”。")
        found.append(Ratio(entry["code"], entry["edition"] or "", WORDS[entry["part"] or "技能"], int(entry["ratio"]),
                           int(entry["least"]) if entry["least"] else None, entry["odd"] == "单数" if entry["odd"] else None))
    return found


def demand(pack: RulePack, part: str, code: str, edition: str = "") -> Demand:
    """The numbers of ``part`` for one standard: its own entry, that of its edition before that of every edition."""
    base = {THEORY: Demand(THEORY, pack.candidates_per_invigilator, pack.least_invigilators, False),
            PRACTICAL: Demand(PRACTICAL, pack.candidates_per_assessor, pack.least_assessors, pack.assessors_odd),
            REVIEW: Demand(REVIEW, 0, pack.least_panel, pack.panel_odd)}[part]
    own = [one for one in read(pack.assessor_exceptions) if (one.code, one.part) == (code, part) and one.edition in ("", edition)]
    if not own:
        return base
    other = max(own, key=lambda one: one.edition)
    return Demand(part, other.candidates, base.least if other.least is None else other.least, base.odd if other.odd is None else other.odd)

"""Scoring of a sheet by the policy of ``qbank.items.policy``, in half-points, with reasons. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from qbank.items.draft import KINDS, WRITTEN
from qbank.items.policy import ALL_OR_NOTHING, Policy
from qbank.items.policy import earned as earned_by


@dataclass(frozen=True)
class Keyed:
    """One item of the paper with its key (canonical letters)."""

    number: int
    kind: str
    key: str
    half_points: int


@dataclass(frozen=True)
class Marking:
    """What a sheet earned: in all, per paper number, and why."""

    half_points: int
    earned: dict[int, int]
    reasons: tuple[str, ...]


def earned(item: Keyed, answer: str, policy: Policy = ALL_OR_NOTHING) -> int:
    """What the answer earns of the item's half-points."""
    return earned_by(item.kind, item.key, answer, item.half_points, policy)


def verdict(item: Keyed, answer: str) -> str:
    """Why an item earned what it earned, in one word of the trade."""
    chosen, key = set(answer.strip()), set(item.key)
    if not chosen:
        return "未答"
    if item.kind in WRITTEN:
        return "由人评分"
    if earned(item, answer) == item.half_points:
        return "正确"
    if item.kind == "fill":
        return "部分正确" if earned(item, answer, Policy(partial_fill=True)) else "错误"
    if item.kind == "multiple" and chosen < key:
        return "少选"
    if item.kind == "multiple" and chosen > key:
        return "多选"
    return "错误"


def mark(items: Sequence[Keyed], answers: Mapping[int, str], policy: Policy = ALL_OR_NOTHING) -> Marking:
    """Mark a sheet. ``answers``: paper number → canonical letters; a number that is missing was not answered."""
    by_number = {item.number: earned(item, answers.get(item.number, ""), policy) for item in items}
    return Marking(sum(by_number.values()), by_number, tuple(_reasons(items, answers, by_number, policy)))


def _reasons(items: Sequence[Keyed], answers: Mapping[int, str], by_number: Mapping[int, int], policy: Policy) -> list[str]:
    """One sentence per type: how many right, wrong and unanswered, what they earned of what, and by which policy."""
    sentences = []
    for kind, name in KINDS.items():
        mine = [item for item in items if item.kind == kind]
        if not mine:
            continue
        found = Counter(verdict(item, answers.get(item.number, "")) for item in mine)
        partly = sum(0 < by_number[item.number] < item.half_points for item in mine)
        wrong = len(mine) - found["正确"] - found["未答"] - partly
        got, full = sum(by_number[item.number] for item in mine), sum(item.half_points for item in mine)
        sentences.append(f"{name} {len(mine)} 题：答对 {found['正确']}，答错 {wrong}，未答 {found['未答']}，"
                         f"{f'部分得分 {partly}，' if partly else ''}得 {got / 2:.1f} / {full / 2:.1f} 分。{policy.sentence(kind)}")
    return sentences

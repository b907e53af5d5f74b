"""Scoring of objective items: all or nothing per item, in half-points. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

KIND_NAMES = {"single": "单选题", "multiple": "多选题", "judge": "判断题"}


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


def earned(item: Keyed, answer: str) -> int:
    """The whole of the item's half-points for exactly its key, otherwise nothing.

    The policy for every type: an omitted option, an option too many or no answer earns 0, so ticking every option of a
    multiple choice item earns only where every option belongs to the key.
    """
    return item.half_points if answer and set(answer) == set(item.key) else 0


def verdict(item: Keyed, answer: str) -> str:
    """Why an item earned what it earned, in one word of the trade."""
    chosen, key = set(answer), set(item.key)
    if not chosen:
        return "未答"
    if chosen == key:
        return "正确"
    if item.kind == "multiple" and chosen < key:
        return "少选"
    if item.kind == "multiple" and chosen > key:
        return "多选"
    return "错误"


def mark(items: Sequence[Keyed], answers: Mapping[int, str]) -> Marking:
    """Mark a sheet. ``answers``: paper number → canonical letters; a number that is missing was not answered."""
    by_number = {item.number: earned(item, answers.get(item.number, "")) for item in items}
    return Marking(sum(by_number.values()), by_number, tuple(_reasons(items, answers, by_number)))


def _reasons(items: Sequence[Keyed], answers: Mapping[int, str], by_number: Mapping[int, int]) -> list[str]:
    """One sentence per type: how many right, wrong and unanswered, and what they earned of what."""
    sentences = []
    for kind, name in KIND_NAMES.items():
        mine = [item for item in items if item.kind == kind]
        if not mine:
            continue
        found = Counter(verdict(item, answers.get(item.number, "")) for item in mine)
        wrong = len(mine) - found["正确"] - found["未答"]
        got, full = sum(by_number[item.number] for item in mine), sum(item.half_points for item in mine)
        sentences.append(f"{name} {len(mine)} 题：答对 {found['正确']}，答错 {wrong}，未答 {found['未答']}，"
                         f"得 {got / 2:.1f} / {full / 2:.1f} 分")
    return sentences

"""Scoring of a sheet by the policy of ``qbank.items.policy``, in half-points, with reasons. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

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
class Ruling:
    """What two persons decided about an item that proved wrong: keys that count instead of the sealed one, full marks for
    everybody, or the item taken out, its points spread over the others when ``rescaled``. ``sentence`` says it to people."""

    keys: tuple[str, ...] = ()
    full_marks: bool = False
    removed: bool = False
    rescaled: bool = False
    sentence: str = ""


@dataclass(frozen=True)
class Given:
    """What people decided beside the keys: marks of written items and rulings on items, both by paper number."""

    marks: Mapping[int, int] = field(default_factory=dict)
    rulings: Mapping[int, Ruling] = field(default_factory=dict)


@dataclass(frozen=True)
class Marking:
    """What a sheet earned: in all, per paper number, and why."""

    half_points: int
    earned: dict[int, int]
    reasons: tuple[str, ...]


NOTHING = Given()


def earned(item: Keyed, answer: str, policy: Policy = ALL_OR_NOTHING, ruling: Ruling | None = None) -> int:
    """What the answer earns of the item's half-points. Nobody gets full marks for a removed item: it is no item any more."""
    if ruling is not None and ruling.removed:
        return 0
    if ruling is not None and ruling.full_marks:
        return item.half_points
    keys = ruling.keys if ruling is not None and ruling.keys else (item.key,)
    return max(earned_by(item.kind, key, answer, item.half_points, policy) for key in keys)


def right(item: Keyed, answer: str, ruling: Ruling | None = None) -> bool:
    """Whether the answer is all that the key asks for, whatever it is worth: an item that is tried out is worth nothing."""
    return earned(replace(item, half_points=2), answer, ALL_OR_NOTHING, ruling) == 2


def verdict(item: Keyed, answer: str, ruling: Ruling | None = None) -> str:
    """Why an item earned what it earned, in one word of the trade."""
    if ruling is not None and (ruling.removed or ruling.full_marks):
        return "已删除" if ruling.removed else "全体得分"
    chosen = set(answer.strip())
    if not chosen:
        return "未答"
    if item.kind in WRITTEN:
        return "由人评分"
    keys = ruling.keys if ruling is not None and ruling.keys else (item.key,)
    if right(item, answer, ruling):
        return "正确"
    if item.kind == "fill":
        return "部分正确" if earned(replace(item, half_points=200), answer, Policy(partial_fill=True), ruling) else "错误"
    key = set(keys[0])
    if item.kind == "multiple" and chosen < key:
        return "少选"
    if item.kind == "multiple" and chosen > key:
        return "多选"
    return "错误"


def mark(items: Sequence[Keyed], answers: Mapping[int, str], policy: Policy = ALL_OR_NOTHING, given: Given = NOTHING) -> Marking:
    """Mark a sheet. ``answers``: paper number → canonical letters or text; a number that is missing was not answered.

    ValueError for a written item with an answer that nobody marked.
    """
    by_number = {item.number: _of(item, answers.get(item.number, ""), policy, given) for item in items}
    total, said = _total(items, by_number, given)
    rulings = [ruling.sentence for item in items if (ruling := given.rulings.get(item.number)) is not None and ruling.sentence]
    return Marking(total, by_number, (*_reasons(items, answers, by_number, policy, given), *rulings, *said))


def _of(item: Keyed, answer: str, policy: Policy, given: Given) -> int:
    ruling = given.rulings.get(item.number)
    if item.kind not in WRITTEN or (ruling is not None and (ruling.removed or ruling.full_marks)):
        return earned(item, answer, policy, ruling)
    if not answer.strip() or not item.half_points:
        return 0
    if item.number not in given.marks:
        raise ValueError(f"item {item.number} was not marked")
    return given.marks[item.number]


def _total(items: Sequence[Keyed], by_number: Mapping[int, int], given: Given) -> tuple[int, list[str]]:
    """The sum; with items taken out, scaled back to the full worth of the paper where that was decided."""
    got, full = sum(by_number.values()), sum(item.half_points for item in items)
    gone = sum(item.half_points for item in items
               if (ruling := given.rulings.get(item.number)) is not None and ruling.removed and ruling.rescaled)
    if not gone or gone == full:
        return got, []
    scaled = -(-got * full // (full - gone))
    return scaled, [f"删除的题共 {gone / 2:g} 分，其余各题得 {got / 2:g} / {(full - gone) / 2:g} 分，"
                    f"按比例折算为 {scaled / 2:g} 分（不足 0.5 分的部分进到 0.5 分）。"]


def _reasons(items: Sequence[Keyed], answers: Mapping[int, str], by_number: Mapping[int, int], policy: Policy, given: Given) -> list[str]:
    """One sentence per type: how many right, wrong and unanswered, what they earned of what, and by which policy."""
    sentences = []
    for kind, name in KINDS.items():
        mine = [item for item in items if item.kind == kind]
        if not mine:
            continue
        found = Counter(verdict(item, answers.get(item.number, ""), given.rulings.get(item.number)) for item in mine)
        got, full = sum(by_number[item.number] for item in mine), sum(item.half_points for item in mine)
        points = f"得 {got / 2:.1f} / {full / 2:.1f} 分。{policy.sentence(kind)}"
        if kind in WRITTEN:
            sentences.append(f"{name} {len(mine)} 题：作答 {len(mine) - found['未答']}，未答 {found['未答']}，{points}")
            continue
        partly = sum(0 < by_number[item.number] < item.half_points for item in mine)
        ruled = found["已删除"] + found["全体得分"]
        wrong = len(mine) - found["正确"] - found["未答"] - partly - ruled
        sentences.append(f"{name} {len(mine)} 题：答对 {found['正确']}，答错 {wrong}，未答 {found['未答']}，"
                         f"{f'部分得分 {partly}，' if partly else ''}{f'按裁定处理 {ruled}，' if ruled else ''}{points}")
    return sentences

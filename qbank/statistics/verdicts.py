"""What a number about an item means, in flags and plain words. Pure."""

from __future__ import annotations

import enum
from dataclasses import dataclass

HARD = 0.30  # domain.md 2.3: 难 is a share correct below 0.30
EASY = 0.95
WEAK = 0.10


class Flag(enum.StrEnum):
    """What a person should look at."""

    WRONG_KEY = "wrong_key"
    TOO_HARD = "too_hard"
    TOO_EASY = "too_easy"

    @property
    def chinese(self) -> str:
        return {"wrong_key": "疑似错误答案", "too_hard": "过难", "too_easy": "过易"}[self.value]


@dataclass(frozen=True)
class Numbers:
    """The stored numbers of one version; None is not defined."""

    n: int
    difficulty: float | None
    item_rest: float | None
    b_index: float | None
    omitted: int


def flags(numbers: Numbers, minimum: int) -> list[Flag]:
    """The flags of an item; none below ``minimum`` answers."""
    if numbers.n < minimum:
        return []
    found = []
    if (numbers.item_rest is not None and numbers.item_rest < 0) or (numbers.b_index is not None and numbers.b_index < 0):
        found.append(Flag.WRONG_KEY)
    if numbers.difficulty is not None and numbers.difficulty < HARD:
        found.append(Flag.TOO_HARD)
    if numbers.difficulty is not None and numbers.difficulty >= EASY:
        found.append(Flag.TOO_EASY)
    return found


def suppressed(n: int, minimum: int) -> str:
    """What stands in the place of numbers that rest on too few answers."""
    return f"样本不足（n={n}，至少 {minimum}）"


def about_difficulty(numbers: Numbers) -> str:
    """The share correct for a teacher."""
    if numbers.difficulty is None:
        return "还没有考生做过这道题。"
    right = round(numbers.difficulty * numbers.n)
    said = f"{numbers.n} 名考生中有 {right} 人答对"
    if numbers.difficulty >= EASY:
        return f"{said}，对这一等级来说过易，几乎不能区分考生。"
    if numbers.difficulty < HARD:
        return f"{said}，对这一等级来说过难，请核对答案和题意是否有误。"
    return f"{said}，难度合适。"


def about_item_rest(numbers: Numbers) -> str:
    """The item-rest correlation for a teacher."""
    if numbers.item_rest is None:
        return "所有考生在本题或其余题上得分相同，无法计算。"
    if numbers.item_rest < 0:
        return "卷面其余部分得分高的考生反而更容易答错本题，答案很可能有误，请立即核对。"
    if numbers.item_rest < WEAK:
        return "本题对与错和考生的整体水平几乎无关，请检查题意和干扰项。"
    return "卷面其余部分得分高的考生更容易答对本题，与整体水平一致。"


def about_b_index(numbers: Numbers) -> str:
    """The B-index for a teacher."""
    if numbers.b_index is None:
        return "考生全部合格或全部不合格，无法比较。"
    points = round(abs(numbers.b_index) * 100)
    if numbers.b_index < 0:
        return f"合格考生的答对率反而比不合格考生低 {points} 个百分点，答案很可能有误，请立即核对。"
    if points < WEAK * 100:
        return f"合格考生的答对率只比不合格考生高 {points} 个百分点，本题对合格与否的区分很弱。"
    return f"合格考生的答对率比不合格考生高 {points} 个百分点，能区分合格与不合格。"


def about_omission(numbers: Numbers) -> str:
    """The omissions for a teacher."""
    if not numbers.omitted:
        return "没有考生空着不答。"
    return f"{numbers.n} 名考生中有 {numbers.omitted} 人没有作答，按答错计算。"

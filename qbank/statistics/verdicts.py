"""What a number about an item means, in flags and plain words. Pure."""

from __future__ import annotations

import enum
from dataclasses import dataclass

from qbank.standards.rulepack import RulePack

# Mean squares nearer to 1 than 2 / sqrt(n) (infit) and 6 / sqrt(n) (outfit) may be chance: Smith, Schumacker and Bush (1998),
# Journal of Outcome Measurement 2, 66-78. Their squares.
INFIT_CHANCE, OUTFIT_CHANCE = 4, 36


@dataclass(frozen=True)
class Thresholds:
    """From where on a number is flagged; shares between 0 and 1. ``minimum`` answers below which nothing is said."""

    minimum: int = 30
    hard: float = 0.30  # domain.md 2.3: 难 is a share correct below 0.30
    easy: float = 0.95
    weak: float = 0.10
    fit_p: float = 0.01
    fit_low: float = 0.70
    fit_high: float = 1.30
    drift_p: float = 0.01

    @classmethod
    def of(cls, pack: RulePack) -> Thresholds:
        return cls(pack.statistics_minimum_n, pack.flag_hard_percent / 100, pack.flag_easy_percent / 100,
                   pack.flag_weak_percent / 100, pack.flag_fit_permille / 1000, pack.flag_fit_low_percent / 100,
                   pack.flag_fit_high_percent / 100, pack.flag_drift_permille / 1000)


class Flag(enum.StrEnum):
    """What a person should look at, the most urgent first."""

    WRONG_KEY = "wrong_key"
    DRIFT = "drift"
    TOO_HARD = "too_hard"
    TOO_EASY = "too_easy"
    WEAK = "weak"
    MISFIT = "misfit"

    @property
    def chinese(self) -> str:
        return {"wrong_key": "疑似错误答案", "drift": "疑似泄露", "too_hard": "过难", "too_easy": "过易", "weak": "区分度弱",
                "misfit": "与模型不符"}[self.value]


@dataclass(frozen=True)
class Numbers:
    """The stored numbers of one version; None is not defined."""

    n: int
    difficulty: float | None
    item_rest: float | None
    b_index: float | None
    omitted: int
    fit_p: float | None = None
    infit: float | None = None
    outfit: float | None = None
    drift_p: float | None = None
    item_rest_high: float | None = None  # the upper bound of its interval


def flags(numbers: Numbers, limits: Thresholds) -> list[Flag]:
    """The flags of an item; none below the minimum of answers."""
    if numbers.n < limits.minimum:
        return []
    negative = _below(numbers.item_rest, 0) or _below(numbers.b_index, 0)
    odd = any(value is not None and not limits.fit_low <= value <= limits.fit_high and (value - 1) ** 2 * numbers.n > chance
              for value, chance in ((numbers.infit, INFIT_CHANCE), (numbers.outfit, OUTFIT_CHANCE)))
    found = {
        Flag.WRONG_KEY: negative,
        Flag.DRIFT: numbers.drift_p is not None and numbers.drift_p <= limits.drift_p,
        Flag.TOO_HARD: _below(numbers.difficulty, limits.hard),
        Flag.TOO_EASY: numbers.difficulty is not None and numbers.difficulty >= limits.easy,
        Flag.WEAK: not negative and _below(numbers.item_rest, limits.weak),
        Flag.MISFIT: _below(numbers.fit_p, limits.fit_p) or odd,
    }
    return [flag for flag, raised in found.items() if raised]


def _below(value: float | None, limit: float) -> bool:
    return value is not None and value < limit


def suppressed(n: int, minimum: int) -> str:
    """What stands in the place of numbers that rest on too few answers."""
    return f"样本不足（n={n}，至少 {minimum}）"


def verdict(numbers: Numbers, limits: Thresholds) -> str:
    """The item in one sentence for a teacher; the most urgent thing first."""
    if numbers.difficulty is None or not numbers.n:
        return "还没有考生做过这道题。"
    said = f"{numbers.n} 人中 {round(numbers.difficulty * numbers.n)} 人答对"
    first = next(iter(flags(numbers, limits)), None)
    if first is Flag.WRONG_KEY and (numbers.item_rest_high or 0) > 0:
        return f"区分度为负，但人数还少，也可能是偶然（{said}）。请先核对答案，再用于试卷。"
    sentences = {
        Flag.WRONG_KEY: f"答案可能有误：水平高的考生反而更容易答错（{said}）。请先核对答案，再用于试卷。",
        Flag.DRIFT: f"一场比一场容易，可能已经泄露（{said}）。请停用并查清来源。",
        Flag.TOO_HARD: f"对这一等级太难：{said}。请核对答案和题意。",
        Flag.TOO_EASY: f"对这一等级太容易：{said}。几乎不能区分考生。",
        Flag.WEAK: f"难度合适，但区分度弱：答对与否和考生水平几乎无关（{said}）。请检查题意和干扰项。",
        Flag.MISFIT: f"难度合适，但与模型不符：作答情况不像同一种能力决定的（{said}）。请看下面的曲线。",
    }
    return sentences[first] if first else f"好题：难度合适，能区分考生（{said}）。"


def about_difficulty(numbers: Numbers, limits: Thresholds) -> str:
    """The share correct for a teacher."""
    if numbers.difficulty is None:
        return "还没有考生做过这道题。"
    right = round(numbers.difficulty * numbers.n)
    said = f"{numbers.n} 名考生中有 {right} 人答对"
    if numbers.difficulty >= limits.easy:
        return f"{said}，对这一等级来说过易，几乎不能区分考生。"
    if numbers.difficulty < limits.hard:
        return f"{said}，对这一等级来说过难，请核对答案和题意是否有误。"
    return f"{said}，难度合适。"


def about_item_rest(numbers: Numbers, limits: Thresholds) -> str:
    """The item-rest correlation for a teacher."""
    if numbers.item_rest is None:
        return "所有考生在本题或其余题上得分相同，无法计算。"
    if numbers.item_rest < 0:
        return "卷面其余部分得分高的考生反而更容易答错本题，答案很可能有误，请立即核对。"
    if numbers.item_rest < limits.weak:
        return "本题对与错和考生的整体水平几乎无关，请检查题意和干扰项。"
    return "卷面其余部分得分高的考生更容易答对本题，与整体水平一致。"


def about_b_index(numbers: Numbers, limits: Thresholds) -> str:
    """The B-index for a teacher."""
    if numbers.b_index is None:
        return "考生全部合格或全部不合格，无法比较。"
    points = round(abs(numbers.b_index) * 100)
    if numbers.b_index < 0:
        return f"合格考生的答对率反而比不合格考生低 {points} 个百分点，答案很可能有误，请立即核对。"
    if points < limits.weak * 100:
        return f"合格考生的答对率只比不合格考生高 {points} 个百分点，本题对合格与否的区分很弱。"
    return f"合格考生的答对率比不合格考生高 {points} 个百分点，能区分合格与不合格。"


def about_omission(numbers: Numbers) -> str:
    """The omissions for a teacher."""
    if not numbers.omitted:
        return "没有考生空着不答。"
    return f"{numbers.n} 名考生中有 {numbers.omitted} 人没有作答，按答错计算。"


def about_fit(numbers: Numbers, limits: Thresholds) -> str:
    """The fit for a teacher."""
    if numbers.fit_p is None and numbers.infit is None:
        return "没有足够的作答，无法检验。"
    if Flag.MISFIT in flags(numbers, limits):
        return "实际作答与模型曲线相差较大，请看图中偏离曲线的点，检查题意是否有歧义。"
    return "实际作答与模型曲线基本一致。"

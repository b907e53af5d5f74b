"""What an answer earns: one stated policy for each type of item, in half-points. Pure.

All or nothing, unless the rule pack asks for partial credit. Ticking everything never pays: whoever ticks a wrong option
gets nothing, with partial credit too.
"""

from __future__ import annotations

from dataclasses import dataclass

from qbank.items.answers import blanks_of
from qbank.items.draft import WRITTEN


@dataclass(frozen=True)
class Policy:
    """Where partial credit is given."""

    partial_multiple: bool = False
    partial_fill: bool = False

    def sentence(self, kind: str) -> str:
        """The policy of one type, as the item's page and the printed paper say it."""
        return {
            "single": "选对得满分；选错、多选或不选不得分。",
            "judge": "判断正确得满分；判断错误或不作判断不得分。",
            "multiple": "全部选对得满分；少选时按选对的项数占应选项数的比例得分，不足 0.5 分的部分舍去；选了任何一个错误选项均不得分。"
            if self.partial_multiple else "全部选对得满分；错选、少选、多选均不得分。",
            "fill": "按填对的空数占总空数的比例得分，不足 0.5 分的部分舍去。" if self.partial_fill else "各空全部填对得满分；有一个空未填或填错不得分。",
        }.get(kind, "由阅卷人员对照评分标准按得分点给分，最小单位 0.5 分。")


ALL_OR_NOTHING = Policy()


def earned(kind: str, key: str, answer: str, half_points: int, policy: Policy = ALL_OR_NOTHING) -> int:
    """Half-points that ``answer`` earns of ``half_points``; 0 for a written item, which no machine marks.

    ``key`` and ``answer`` hold canonical letters, "T" or "F"; of a fill-in item the lines of the key and one line per blank.
    """
    if kind in WRITTEN or not answer.strip():
        return 0
    right, wrong, of = _fill(key, answer) if kind == "fill" else _letters(key, answer)
    if right == of and not wrong:
        return half_points
    partial = policy.partial_fill if kind == "fill" else policy.partial_multiple and kind == "multiple" and not wrong
    return half_points * right // of if partial else 0


def _letters(key: str, answer: str) -> tuple[int, int, int]:
    """How many chosen options belong to the key, how many do not, and how many would."""
    chosen = set(answer)
    return len(chosen & set(key)), len(chosen - set(key)), len(set(key))


def _fill(key: str, answer: str) -> tuple[int, int, int]:
    blanks, given = blanks_of(key), answer.split("\n")
    right = sum(blank.accepts(text) for blank, text in zip(blanks, given, strict=False))
    return right, max(len(blanks), len(given)) - right, len(blanks)

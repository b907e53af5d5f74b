"""The table of options of one version: who chose what."""

from __future__ import annotations

from dataclasses import dataclass

from qbank.items.models import ItemVersion
from qbank.items.states import ItemKind
from qbank.statistics.models import ItemStatistic

JUDGEMENTS = {"T": "正确（√）", "F": "错误（×）"}


@dataclass(frozen=True)
class OptionRow:
    """One option: how many ticked it, their share of all who were given the item, and whether it is (in) the key."""

    letter: str
    text: str
    count: int
    share: float
    in_key: bool
    beats_key: bool  # a wrong option that more people chose than the key


def rows_of(version: ItemVersion, statistic: ItemStatistic) -> list[OptionRow]:
    """One row for each option. Of a multiple choice item a person counts at every letter ticked."""
    texts = JUDGEMENTS if version.kind is ItemKind.JUDGE else {option.letter: option.text for option in version.options}
    counts = {letter: sum(n for answer, n in statistic.choices.items() if letter in answer) for letter in texts}
    least_right = min((counts[letter] for letter in version.key if letter in counts), default=0)
    rows = []
    for letter, text in texts.items():
        in_key = letter in version.key
        rows.append(OptionRow(letter, text, counts[letter], counts[letter] / statistic.n if statistic.n else 0.0, in_key,
                              not in_key and counts[letter] > least_right))
    return rows

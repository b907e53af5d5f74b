"""Keys of items that are answered in words: what a blank accepts, and what a marker gives points for. Pure.

A fill-in item (填空题) has one line of key for each ``____`` of its stem. Alternatives are separated by ``|``; an
alternative that begins with ``=`` is a number, with an optional tolerance (absolute or per cent) and units::

    接触器|交流接触器
    =220±5% V|=0.22±0.011 kV
    =50 Hz、赫兹
    =1440±10 r/min

A written item (简答题, 论述题) has a model answer as its key and a marking guide (评分标准), one step a line::

    2|切断电源并验电
    1.5|挂接地线
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

from qbank.items.writing import bare, half_width

UNIT_SEPARATOR = "、"
BLANK = re.compile(r"_{2,}")
NUMBER = re.compile(r"=\s*(?P<value>[-+]?\d+(?:\.\d+)?)\s*(?:(?:±|\+-|\+/-)\s*(?P<tolerance>\d+(?:\.\d+)?)\s*(?P<percent>%)?)?"
                    r"\s*(?P<units>[^|=±]*)")
GIVEN = re.compile(r"(?P<value>[-+]?\d+(?:\.\d+)?)\s*(?P<unit>.*)", re.DOTALL)


@dataclass(frozen=True)
class Words:
    """An accepted wording. Spaces, full-width signs, case and a last full stop do not count."""

    text: str

    def accepts(self, answer: str) -> bool:
        return bare(answer).casefold() == bare(self.text).casefold()


@dataclass(frozen=True)
class Quantity:
    """An accepted number: from ``value`` - ``tolerance`` to ``value`` + ``tolerance``, both included.

    ``units``: any one of these may be written; none: a bare number. With units a bare number is not enough.
    """

    value: Decimal
    tolerance: Decimal
    units: tuple[str, ...] = ()

    def accepts(self, answer: str) -> bool:
        found = GIVEN.fullmatch(half_width(answer).replace("−", "-").strip().rstrip("。."))
        if found is None or abs(Decimal(found["value"]) - self.value) > self.tolerance:
            return False
        unit = re.sub(r"\s", "", found["unit"])
        return unit in self.units if self.units else not unit


@dataclass(frozen=True)
class Blank:
    """One blank of a fill-in item with everything that it accepts."""

    accepted: tuple[Words | Quantity, ...]

    def accepts(self, answer: str) -> bool:
        return any(one.accepts(answer) for one in self.accepted)


@dataclass(frozen=True)
class Step:
    """One step of a marking guide; ``half_points`` in half-points."""

    half_points: int
    text: str


def blanks_in(stem: str) -> int:
    """How many blanks a stem shows: runs of two underscores or more."""
    return len(BLANK.findall(half_width(stem)))


def units_of(text: str) -> tuple[str, ...]:
    """Units as a key lists them, any of which may be written: ``Hz、赫兹``. A stroke belongs to the unit: ``r/min``."""
    return tuple(re.sub(r"\s", "", unit) for unit in text.split(UNIT_SEPARATOR) if unit.strip())


def blanks_of(key: str) -> tuple[Blank, ...]:
    """The blanks of a fill-in key. ValueError with a Chinese sentence for what cannot be read."""
    return tuple(Blank(tuple(_accepted(part, line) for part in line.split("|"))) for line in key.replace("｜", "|").split("\n"))


def steps_of(guide: str) -> tuple[Step, ...]:
    """The steps of a marking guide. ValueError with a Chinese sentence for what cannot be read."""
    return tuple(_step(line) for line in guide.split("\n") if line.strip())


def guide_total(guide: str) -> int:
    """What the steps of a marking guide add up to, in half-points; 0 when it cannot be read."""
    try:
        return sum(step.half_points for step in steps_of(guide))
    except ValueError:
        return 0


def _accepted(part: str, line: str) -> Words | Quantity:
    text = half_width(part).strip()
    if not text:
        raise ValueError(f"答案“{line[:40]}”里有空的写法，请删去多余的“|”。")
    if not text.startswith("="):
        return Words(part.strip())
    found = NUMBER.fullmatch(text)
    if found is None:
        raise ValueError(f"数值答案“{part.strip()[:40]}”无法识别，应写成 =数值±误差 单位，例如 =220±5% V。")
    value, margin = Decimal(found["value"]), Decimal(found["tolerance"] or 0)
    return Quantity(value, abs(value) * margin / 100 if found["percent"] else margin, units_of(found["units"]))


def _step(line: str) -> Step:
    worth, bar, text = line.replace("｜", "|").partition("|")
    try:
        doubled = Decimal(half_width(worth).strip().removesuffix("分")) * 2
    except InvalidOperation:
        doubled = Decimal(0)
    if not bar or not text.strip() or not 0 < doubled <= 400 or doubled != int(doubled):
        raise ValueError(f"评分标准“{line.strip()[:40]}”无法识别，应写成 分值|得分点，分值为 0.5 的整数倍，例如 2|切断电源并验电。")
    return Step(int(doubled), text.strip())

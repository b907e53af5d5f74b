"""What a row of a rubric is worth for what an assessor saw. Pure, exact, and the only place where it is computed.

An entry is what was seen: half-points given, a count of faults, a measured value, minutes used, or whether a ★ row was
violated. Measured values are decimal strings and compared as :class:`~decimal.Decimal`: 50.02 lies in a band that ends
at 50.02. The browser's copy of this arithmetic is held to the same cases (``tests/scoring/row_cases.json``).
"""

from __future__ import annotations

import enum
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from decimal import Decimal
from typing import Any

from qbank.kernel.refused import Refused

DECIMAL = re.compile(r"-?\d{1,6}(\.\d{1,4})?")
UNIT = re.compile(r"[^\d\s扣,，;；:：]{1,20}")
MOST_COUNT = 9_999
Entry = int | str | bool


class RowKind(enum.StrEnum):
    """Five ways in which a row of a rubric is judged."""

    POINTS = "points"
    DEDUCTION = "deduction"
    MEASURED = "measured"
    TIME = "time"
    VETO = "veto"

    @property
    def chinese(self) -> str:
        return {"points": "评分项", "deduction": "扣分项", "measured": "检测项", "time": "时间项", "veto": "★ 否决项"}[self.value]


@dataclass(frozen=True)
class Deduction:
    """``per_time`` half-points off for each ``unit`` (处, 次, 根…); at most ``most_times`` count, 0: until nothing is left."""

    unit: str
    per_time: int
    most_times: int = 0


@dataclass(frozen=True)
class Measured:
    """A dimension with its tolerance bands ``(low, high, half_points)``, both ends within; outside all bands nothing.

    Where bands overlap the one that gives more counts, so narrow bands may lie inside wide ones.
    """

    nominal: str
    unit: str
    bands: tuple[tuple[str, str, int], ...]


@dataclass(frozen=True)
class TimeLimit:
    """All points up to ``minutes``; ``per_minute`` half-points off for each minute begun beyond; ``void_after`` more
    minutes than allowed and the row earns nothing (0: no such end).
    """

    minutes: int
    per_minute: int
    void_after: int = 0


Detail = Deduction | Measured | TimeLimit | None


@dataclass(frozen=True)
class RowRule:
    """How one row is judged: its kind, its most half-points (0 for a ★ row), and what its kind needs."""

    kind: RowKind
    most: int
    detail: Detail = None

    def __post_init__(self) -> None:
        if not isinstance(self.detail, NEEDS[self.kind]):
            raise ValueError(f"a {self.kind} row has no {type(self.detail).__name__}")


NEEDS: dict[RowKind, type] = {RowKind.POINTS: type(None), RowKind.DEDUCTION: Deduction, RowKind.MEASURED: Measured,
                              RowKind.TIME: TimeLimit, RowKind.VETO: type(None)}


def mark_of(row: RowRule, entry: Entry) -> int | bool:
    """The half-points that ``entry`` earns; for a ★ row whether it was violated. Raises ValueError for a wrong entry."""
    detail = row.detail
    if row.kind is RowKind.VETO:
        if not isinstance(entry, bool):
            raise ValueError("a veto row is answered yes or no")
        return entry
    if isinstance(detail, Measured):
        if not isinstance(entry, str) or not DECIMAL.fullmatch(entry):
            raise ValueError("a measured value is a decimal number")
        return _in_band(detail, Decimal(entry))
    if isinstance(entry, bool) or not isinstance(entry, int) or not 0 <= entry <= MOST_COUNT:
        raise ValueError("a whole number from 0 on")
    if isinstance(detail, Deduction):
        times = min(entry, detail.most_times) if detail.most_times else entry
        return max(0, row.most - times * detail.per_time)
    if isinstance(detail, TimeLimit):
        over = max(0, entry - detail.minutes)
        void = detail.void_after > 0 and over > detail.void_after
        return 0 if void else max(0, row.most - over * detail.per_minute)
    if entry > row.most:
        raise ValueError("more than the row is worth")
    return entry


def _in_band(detail: Measured, value: Decimal) -> int:
    return max((points for low, high, points in detail.bands if Decimal(low) <= value <= Decimal(high)), default=0)


def read(row: RowRule, text: str) -> Entry | None:
    """What an assessor typed as an entry; None when nothing was typed. A refusal says what belongs there."""
    typed = text.strip()
    if not typed:
        return None
    if row.kind is RowKind.VETO:
        if typed not in {"yes", "no"}:
            raise Refused("not_a_verdict", "请回答是或否。")
        return typed == "yes"
    if row.kind is RowKind.MEASURED:
        if not DECIMAL.fullmatch(typed):
            raise Refused("not_measured", "请填写测得的数值，例如 50.02（最多四位小数）。")
        return typed
    if row.kind is RowKind.POINTS:
        return _read_points(row, typed)
    if not re.fullmatch(r"[0-9]{1,4}", typed):
        raise Refused("not_a_count", "请填写整数；没有请填 0。")
    return int(typed)


def _read_points(row: RowRule, typed: str) -> int:
    if not re.fullmatch(r"[0-9]{1,3}(\.[05]0*)?", typed) or (value := int(Decimal(typed) * 2)) > row.most:
        raise Refused("out_of_range", f"应在 0 到 {spoken(row.most)} 分之间，以 0.5 分为一档，现在是“{typed[:20]}”。")
    return value


def spoken(half_points: int) -> str:
    """``119`` → ``59.5``, ``120`` → ``60``."""
    return f"{half_points / 2:g}"


def entry_text(row: RowRule, entry: Entry | None) -> str:
    """An entry as it would be typed."""
    if entry is None:
        return ""
    if isinstance(entry, bool):
        return "yes" if entry else "no"
    return spoken(entry) if row.kind is RowKind.POINTS and isinstance(entry, int) else str(entry)


def told(row: RowRule) -> str:
    """How the row is judged, in a line of the printed form; empty for plain points and ★ rows."""
    detail = row.detail
    if isinstance(detail, Deduction):
        end = f"，最多计 {detail.most_times} {detail.unit}" if detail.most_times else "，扣完为止"
        return f"每{detail.unit}扣 {spoken(detail.per_time)} 分{end}"
    if isinstance(detail, Measured):
        bands = "；".join(f"{low}～{high} 得 {spoken(points)} 分" for low, high, points in detail.bands)
        head = f"标称 {detail.nominal} {detail.unit}".rstrip()
        return f"{head}：{bands}；超出不得分"
    if isinstance(detail, TimeLimit):
        per = f"；每超 1 分钟扣 {spoken(detail.per_minute)} 分" if detail.per_minute else ""
        end = f"；超过 {detail.void_after} 分钟本项不得分" if detail.void_after else ""
        return f"{detail.minutes} 分钟内完成{per}{end}"
    return ""


def to_json(detail: Detail) -> dict[str, Any]:
    """A detail for its JSON column; ``{}`` for none."""
    return asdict(detail) if detail is not None else {}


def from_json(kind: RowKind, stored: Mapping[str, Any]) -> Detail:
    """The detail of a row of ``kind`` as stored by :func:`to_json`."""
    if kind is RowKind.DEDUCTION:
        return Deduction(stored["unit"], stored["per_time"], stored["most_times"])
    if kind is RowKind.MEASURED:
        return Measured(stored["nominal"], stored["unit"], tuple((low, high, points) for low, high, points in stored["bands"]))
    if kind is RowKind.TIME:
        return TimeLimit(stored["minutes"], stored["per_minute"], stored["void_after"])
    return None


def problem(row: RowRule) -> str:
    """What is wrong with a row's rule, as a sentence without its end; empty when nothing is."""
    detail = row.detail
    if row.kind is RowKind.VETO:
        return "★ 否决项不计分，分值应为空" if row.most else ""
    if row.most <= 0:
        return "分值应大于 0"
    if isinstance(detail, Deduction):
        return _deduction_problem(detail, row.most)
    if isinstance(detail, Measured):
        return _measured_problem(detail, row.most)
    if isinstance(detail, TimeLimit):
        return _time_problem(detail, row.most)
    return ""


def _deduction_problem(detail: Deduction, most: int) -> str:
    if not UNIT.fullmatch(detail.unit):
        return "请填写计数单位，例如“处”“次”“根”"
    if not 0 < detail.per_time <= most:
        return f"每次扣分应大于 0 且不超过本项 {spoken(most)} 分"
    return "" if 0 <= detail.most_times <= MOST_COUNT else "最多计次应为 0 或正整数"


def _measured_problem(detail: Measured, most: int) -> str:
    if not DECIMAL.fullmatch(detail.nominal) or not detail.bands:
        return "请填写标称值和至少一档公差，数值最多四位小数"
    for low, high, points in detail.bands:
        if not (DECIMAL.fullmatch(low) and DECIMAL.fullmatch(high) and Decimal(low) <= Decimal(high)):
            return f"公差档“{low}～{high}”应写成“下限～上限”，下限不大于上限，最多四位小数"
        if not 0 < points <= most:
            return f"公差档“{low}～{high}”的得分应大于 0 且不超过本项 {spoken(most)} 分"
    best = max(points for _, _, points in detail.bands)
    return "" if best == most else f"最好的一档应得满分 {spoken(most)} 分，现在是 {spoken(best)} 分"


def _time_problem(detail: TimeLimit, most: int) -> str:
    if not 0 < detail.minutes <= MOST_COUNT:
        return "请填写规定时间（分钟）"
    if not 0 <= detail.per_minute <= most:
        return f"每超 1 分钟扣分应在 0 到本项 {spoken(most)} 分之间"
    if not 0 <= detail.void_after <= MOST_COUNT:
        return "“超过几分钟不得分”应为 0 或正整数"
    return "" if detail.per_minute or detail.void_after else "请填写每超 1 分钟扣几分，或超过几分钟不得分"

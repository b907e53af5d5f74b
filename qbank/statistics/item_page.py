"""What the page of one item shows besides the stored row: intervals, history, where the cut lies."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import sqlalchemy as sa
from sqlalchemy.orm import Session, joinedload

from qbank.items.models import ItemVersion
from qbank.items.states import ItemKind
from qbank.kernel.times import local
from qbank.statistics import verdicts
from qbank.statistics.models import FormStatistic, ItemStatistic
from qbank.statistics.verdicts import Numbers, Thresholds

SHOWN_RUNS = 12
Point: TypeAlias = tuple[str, float | None, float | None, float | None]
Trace: TypeAlias = tuple[str, bool, tuple[float | None, ...]]
JUDGED = {"T": "√", "F": "×"}


@dataclass(frozen=True)
class Line:
    """One figure: ``interval`` None where there is none; ``bad`` in red."""

    title: str
    value: str
    interval: tuple[str, str] | None
    sentence: str
    bad: bool = False


def lines(row: ItemStatistic, numbers: Numbers, limits: Thresholds) -> list[Line]:
    """The figures of an item with enough answers."""
    def line(title: str, name: str, value: float | None, sentence: str, *, bad: bool = False) -> Line:
        bounds = row.intervals.get(name) if name != "difficulty" else [row.difficulty_low, row.difficulty_high]
        low, high = bounds or (None, None)
        known = low is not None and high is not None and value is not None
        return Line(title, _number(value), (_number(low), _number(high)) if known else None, sentence, bad)

    found = [
        line("难度 p（答对率）", "difficulty", row.difficulty, verdicts.about_difficulty(numbers, limits)),
        line("题余相关", "item_rest", row.item_rest, verdicts.about_item_rest(numbers, limits),
             bad=row.item_rest is not None and row.item_rest < 0),
        line("二列相关", "biserial", row.biserial, "假定能力连续分布时的题余相关，便于与其他题库比较。"),
        line("高低分组差", "upper_lower", row.upper_lower, "总分最高 27% 与最低 27% 的考生答对率之差。"),
        line("B 指数", "b_index", row.b_index, verdicts.about_b_index(numbers, limits),
             bad=row.b_index is not None and row.b_index < 0),
        line("未答率", "omitted", row.omitted / row.n if row.n else None, verdicts.about_omission(numbers)),
    ]
    if row.not_reached:
        found.append(Line("未做到", str(row.not_reached), None, f"另有 {row.not_reached} 人在本题之前停止作答，不计入 n。"))
    if row.b is not None:
        found += _model_lines(row, numbers, limits)
    return found


def _model_lines(row: ItemStatistic, numbers: Numbers, limits: Thresholds) -> list[Line]:
    def line(title: str, value: float | None, error: float | None, sentence: str) -> Line:
        known = value is not None and error is not None
        bounds = (_number(value - 1.96 * error), _number(value + 1.96 * error)) if known else None  # type: ignore[operator]
        return Line(title, _number(value), bounds, sentence)

    found = [line("难度参数 b", row.b, row.se_b, "答对概率为一半时的能力；0 为本批考生的平均水平，越大越难。"),
             line("区分度参数 a", row.a, row.se_a, "曲线在 b 处的陡度；越大越能区分相邻水平的考生。")]
    if row.c:
        found.append(line("猜测参数 c", row.c, row.se_c, "水平很低的考生答对的概率。"))
    fit = "、".join(f"{name} {value:.2f}" for name, value in (("infit", row.infit), ("outfit", row.outfit)) if value is not None)
    found.append(Line("拟合", f"p={row.fit_p:.3f}" if row.fit_p is not None else "—", None,
                      f"{verdicts.about_fit(numbers, limits)}{f'（{fit}）' if fit else ''}"))
    return found


def history(session: Session, version: ItemVersion) -> Sequence[ItemStatistic]:
    """The last runs in which the version stands, in order of time."""
    found = session.scalars(sa.select(ItemStatistic).where(ItemStatistic.version_id == version.id)
                            .options(joinedload(ItemStatistic.run)).order_by(ItemStatistic.run_id.desc()).limit(SHOWN_RUNS))
    return list(reversed(found.all()))


def points(rows: Sequence[ItemStatistic], limits: Thresholds) -> tuple[Point, ...]:
    """For the plot; what rests on too few answers stays out."""
    return tuple((f"{local(row.computed_at):%m-%d}", row.difficulty, row.difficulty_low, row.difficulty_high)
                 for row in rows if row.n >= limits.minimum)


def cut_of(session: Session, row: ItemStatistic) -> float | None:
    """The ability of the pass mark in the run of ``row``."""
    for form in session.scalars(sa.select(FormStatistic).where(FormStatistic.run_id == row.run_id).order_by(FormStatistic.id)):
        if form.figures.get("cut_theta") is not None:
            return float(form.figures["cut_theta"])
    return None


def traces(version: ItemVersion, row: ItemStatistic) -> tuple[Trace, ...]:
    """The options for the plot, at most eight: the key and what was chosen most."""
    chosen = sorted(row.options, key=lambda option: (not option["in_key"], -option["count"]))[:8]
    chosen.sort(key=lambda option: str(option["letter"]))
    names = JUDGED if version.kind is ItemKind.JUDGE else {}
    return tuple((names.get(option["letter"], option["letter"]), bool(option["in_key"]), tuple(option["by_group"]))
                 for option in chosen)


def _number(value: float | None) -> str:
    return "—" if value is None else f"{value:.2f}"

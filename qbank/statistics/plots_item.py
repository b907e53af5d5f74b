"""Plots of one item: its history, who chose which option, its curve with what was observed, its information. Pure.

All arguments are tuples: a plot is drawn once and kept by what it shows.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TypeAlias

import numpy as np

from qbank.statistics.arrays import Floats
from qbank.statistics.engine.curves import curves, item_information
from qbank.statistics.intervals import wilson
from qbank.statistics.plots import (
    BLACK,
    BLUE,
    COLOURS,
    GREY,
    LINES,
    MARKERS,
    cut_line,
    finite,
    frame,
    key,
    share_axis,
    svg,
)

Parameters: TypeAlias = tuple[float, float, float]
Point: TypeAlias = tuple[str, float | None, float | None, float | None]
Trace: TypeAlias = tuple[str, bool, tuple[float | None, ...]]
WIDTH, HEIGHT = 460, 300
REACH = 4.0  # ability shown to both sides
BAND = 1.959963984540054


@lru_cache(maxsize=256)
def history(points: tuple[Point, ...], hard: float, easy: float) -> bytes:
    """The share right of each run with its interval; ``points`` label, p, low, high in order of time."""
    figure, axes = frame(WIDTH, 220, x="统计日期", y="难度 p（答对率）", margins=(66, 44, 14, 10))
    places = np.arange(len(points))
    p, low, high = np.array([finite(point[1:]) for point in points], dtype=float).reshape(len(points), 3).T
    axes.axhspan(0, hard, color="#f3e3e2", zorder=0)
    axes.axhspan(easy, 1, color="#f3ead4", zorder=0)
    axes.errorbar(places, p, yerr=np.stack([p - low, high - p]), color=BLUE, marker="o", capsize=4, linewidth=1.4)
    axes.set_xticks(places, [point[0] for point in points])
    axes.set_xlim(-0.6, max(len(points) - 0.4, 0.6))
    share_axis(axes)
    return svg(figure, "答对率的历次统计")


@lru_cache(maxsize=256)
def traces(options: tuple[Trace, ...]) -> bytes:
    """The share of each option in fifths of the score, the lowest first; the key's line is thick."""
    figure, axes = frame(WIDTH, HEIGHT, x="按卷面其余部分得分分成五组（左低右高）", y="选择该项的比例", margins=(66, 44, 14, 44))
    for at, (letter, in_key, by_group) in enumerate(options):
        axes.plot(np.arange(1, len(by_group) + 1), finite(by_group), color=COLOURS[at % 8], linestyle=LINES[at % 8],
                  marker=MARKERS[at % 8], linewidth=2.6 if in_key else 1.3, label=f"{letter}（答案）" if in_key else letter)
    groups = max((len(option[2]) for option in options), default=5)
    axes.set_xticks(np.arange(1, groups + 1), ["最低", *[""] * (groups - 2), "最高"] if groups > 1 else ["全体"])
    share_axis(axes)
    if options:
        key(axes, columns=4, place="above")
    return svg(figure, "各选项在得分高低五组中的选择比例")


@lru_cache(maxsize=256)
def curve(parameters: Parameters, errors: tuple[float | None, float | None],
          observed: tuple[tuple[float, float, int], ...], cut: float | None) -> bytes:
    """The model's curve with its band of standard errors, and the share right of each ability group with Wilson's interval."""
    figure, axes = frame(WIDTH, HEIGHT, x="能力 θ", y="答对的概率")
    theta = np.linspace(-REACH, REACH, 161)
    middle, spread = model(theta, parameters, errors)
    axes.fill_between(theta, np.clip(middle - BAND * spread, 0, 1), np.clip(middle + BAND * spread, 0, 1), color="#cfe2f1",
                      label="曲线的 95% 误差带", linewidth=0)
    axes.plot(theta, middle, color=BLUE, linewidth=2, label="模型曲线")
    if observed:
        where, share, n = (np.array([group[at] for group in observed], dtype=float) for at in range(3))
        low, high = wilson(share * n, n)
        axes.errorbar(where, share, yerr=np.clip(np.stack([share - low, high - share]), 0, 1), fmt="o", color=BLACK,
                      markersize=4, capsize=2, linewidth=0.8, label="实际答对率（分能力组）")
    share_axis(axes)
    if cut is not None:
        cut_line(axes, cut, "合格线")
    axes.set_xlim(-REACH, REACH)
    key(axes, place="lower right")
    return svg(figure, "模型曲线与实际答对率")


@lru_cache(maxsize=256)
def information(parameters: Parameters, cut: float | None) -> bytes:
    """How much the item tells at each ability, with the cut marked."""
    figure, axes = frame(WIDTH, 220, x="能力 θ", y="信息量", margins=(66, 44, 14, 10))
    theta = np.linspace(-REACH, REACH, 161)
    axes.plot(theta, item_information(theta, _as_items([parameters]))[:, 0], color=BLUE, linewidth=2)
    axes.set_ylim(bottom=0)
    axes.set_xlim(-REACH, REACH)
    if cut is not None:
        cut_line(axes, cut, "合格线")
    axes.axhline(0, color=GREY, linewidth=0.6)
    return svg(figure, "题目信息量")


def model(theta: Floats, parameters: Parameters, errors: tuple[float | None, float | None]) -> tuple[Floats, Floats]:
    """P(right) and its standard error at ``theta``, both (points,): the delta method over a and b, taken as uncorrelated."""
    at = curves(theta, _as_items([parameters]))
    a, b, _ = parameters
    by_d = at.slopes[1][:, 0]
    by_a, by_b = by_d * (theta - b), -by_d * a
    error_a, error_b = (0.0 if error is None else error for error in errors)
    return at.right[:, 0], np.sqrt((by_a * error_a) ** 2 + (by_b * error_b) ** 2)


def _as_items(parameters: list[Parameters]) -> Floats:
    with np.errstate(divide="ignore"):
        return np.array([(a, -a * b, np.log(c) - np.log1p(-c)) for a, b, c in parameters])

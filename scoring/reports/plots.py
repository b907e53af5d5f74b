"""Plots of results: rates with their intervals, scores with the pass line, two parts against each other. Pure."""

from __future__ import annotations

from functools import lru_cache
from typing import TypeAlias

import numpy as np

from qbank.statistics.plots import BLACK, BLUE, GREY, ORANGE, RED, cut_line, frame, key, svg

Bar: TypeAlias = tuple[str, float, float | None, float | None]  # name, value, lower and upper bound
WIDTH = 460
ROW = 26  # pixels of one name
NAME = 12  # characters of a name that there is room for


@lru_cache(maxsize=64)
def rates(bars: tuple[Bar, ...], whole: float | None, words: str, room: int = NAME) -> bytes:
    """Shares with their intervals, one under the other; a dashed line where everybody together is. ``room``: characters of a name."""
    figure, axes = frame(WIDTH + 12 * (room - NAME), 76 + ROW * max(len(bars), 1), x="合格率（横线为 95% 区间）", y="",
                         margins=(128 + 12 * (room - NAME), 44, 20, 26))
    _rows(axes, bars, room)
    axes.set_xlim(0, 1)
    axes.set_xticks([0, .2, .4, .6, .8, 1], ["0", "20%", "40%", "60%", "80%", "100%"])
    if whole is not None:
        cut_line(axes, whole, "")
        axes.set_title(f"全体 {whole:.1%}", fontsize=8, color=RED, loc="center", pad=4)
    return svg(figure, words)


@lru_cache(maxsize=64)
def earned(bars: tuple[tuple[str, float], ...], words: str) -> bytes:
    """The share of points earned in each area, the lowest on top."""
    figure, axes = frame(WIDTH, 64 + ROW * max(len(bars), 1), x="平均得分率", y="", margins=(168, 44, 40, 12))
    places = np.arange(len(bars))
    axes.barh(places, [value for _, value in bars], height=0.62, color=[ORANGE if value < 0.6 else BLUE for _, value in bars],
              edgecolor="white", hatch="")
    for place, (_, value) in zip(places, bars, strict=True):
        axes.text(min(value, 0.97) + 0.01, place, f"{value:.0%}", va="center", fontsize=8, color=BLACK)
    axes.set_yticks(places, [short(name, 16) for name, _ in bars])
    axes.set_ylim(len(bars) - 0.4, -0.6)
    axes.set_xlim(0, 1)
    axes.set_xticks([0, .2, .4, .6, .8, 1], ["0", "20%", "40%", "60%", "80%", "100%"])
    axes.grid(visible=False, axis="y")
    return svg(figure, words)


@lru_cache(maxsize=64)
def scores(counts: tuple[int, ...], least: float, part: str) -> bytes:
    """Candidates in each band of five points; the bands below the pass line in another colour and pattern."""
    figure, axes = frame(460, 280, x=f"{part}成绩（分）", y="人数", margins=(60, 44, 14, 14))
    width = 100 / max(len(counts), 1)
    starts = np.arange(len(counts)) * width
    below = starts < least
    values = np.array(counts, dtype=float)
    axes.bar(starts[below] + width / 2, values[below], width=width * 0.9, color=ORANGE, hatch="////", edgecolor="white", label="未达合格线")
    axes.bar(starts[~below] + width / 2, values[~below], width=width * 0.9, color=BLUE, label="达到合格线")
    axes.set_xlim(0, 100)
    axes.set_ylim(0, max(1.0, float(values.max(initial=0)) * 1.15))
    cut_line(axes, least, f"合格线 {least:g}")
    key(axes, place="upper left")
    return svg(figure, f"{part}成绩分布")


@lru_cache(maxsize=64)
def crossed(cells: tuple[tuple[int, int, int], ...], least: tuple[float, float], names: tuple[str, str]) -> bytes:
    """Two parts against each other: ``cells`` (band of the first, band of the second, candidates), the circle's area counts."""
    figure, axes = frame(460, 340, x=f"{names[0]}（分）", y=f"{names[1]}（分）", margins=(60, 44, 14, 14))
    if cells:
        x, y, n = np.array(cells, dtype=float).T
        both = (x * 5 >= least[0]) & (y * 5 >= least[1])
        size = 14 + 380 * n / n.max()
        axes.scatter(x[both] * 5 + 2.5, y[both] * 5 + 2.5, s=size[both], color=BLUE, alpha=0.75, edgecolors="white", linewidths=0.5)
        axes.scatter(x[~both] * 5 + 2.5, y[~both] * 5 + 2.5, s=size[~both], color=ORANGE, alpha=0.85, edgecolors="white", linewidths=0.5, marker="s")
    axes.set_xlim(0, 100)
    axes.set_ylim(0, 100)
    axes.axvline(least[0], color=RED, linestyle=(0, (6, 3)), linewidth=1.2)
    axes.axhline(least[1], color=RED, linestyle=(0, (6, 3)), linewidth=1.2)
    return svg(figure, f"{names[0]}与{names[1]}")


@lru_cache(maxsize=64)
def stacked(bars: tuple[tuple[str, tuple[int, ...]], ...], names: tuple[str, ...], label: str, words: str) -> bytes:
    """Counts of several kinds in one bar, one bar under the other; kinds differ in colour and pattern."""
    figure, axes = frame(WIDTH, 76 + ROW * max(len(bars), 1), x=label, y="", margins=(168, 44, 20, 26))
    places, ends = np.arange(len(bars)), np.zeros(len(bars))
    for number, (name, colour, pattern) in enumerate(zip(names, (BLUE, ORANGE, RED), ("", "///", "xxx"), strict=False)):
        values = np.array([counts[number] for _, counts in bars], dtype=float)
        axes.barh(places, values, left=ends, height=0.62, color=colour, hatch=pattern, edgecolor="white", label=name)
        ends = ends + values
    for place, end in zip(places, ends, strict=True):
        axes.text(end, place, f" {end:.0f}", va="center", fontsize=8, color=BLACK)
    axes.set_yticks(places, [short(name, 16) for name, _ in bars])
    axes.set_ylim(max(len(bars), 1) - 0.4, -0.6)
    axes.set_xlim(0, max(1.0, float(ends.max(initial=0)) * 1.12))
    axes.xaxis.get_major_locator().set_params(integer=True)
    axes.grid(visible=False, axis="y")
    key(axes, columns=len(names), place="above")
    return svg(figure, words)


def short(name: str, most: int = NAME) -> str:
    return name if len(name) <= most else f"{name[:most - 1]}…"


def _rows(axes: object, bars: tuple[Bar, ...], room: int) -> None:
    draw = axes
    places = np.arange(len(bars))
    for place, (_, value, low, high) in zip(places, bars, strict=True):
        if low is not None and high is not None:
            draw.plot([low, high], [place, place], color=GREY, linewidth=2.4, solid_capstyle="butt")  # type: ignore[attr-defined]  # axes
        draw.plot([value], [place], marker="o", markersize=6, color=BLUE)  # type: ignore[attr-defined]  # axes
    draw.set_yticks(places, [short(name, room) for name, *_ in bars])  # type: ignore[attr-defined]  # axes
    draw.set_ylim(len(bars) - 0.4, -0.6)  # type: ignore[attr-defined]  # axes

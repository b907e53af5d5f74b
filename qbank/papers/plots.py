"""Plots of forms: information and expected score over each other with the cut, the difficulty mix, coverage. Pure."""

from __future__ import annotations

from functools import lru_cache
from typing import TypeAlias

import numpy as np

from qbank.statistics.plots import BLACK, BLUE, COLOURS, GREY, LINES, RED, cut_line, frame, key, svg

WIDTH, HEIGHT = 560, 330
NAMED = 8  # forms with a line of their own; of a larger pool the middle and the spread are drawn
Line: TypeAlias = tuple[str, tuple[float, ...]]


@lru_cache(maxsize=64)
def information(theta: tuple[float, ...], forms: tuple[Line, ...], cut: float | None, target: tuple[tuple[float, float], ...] = ()) -> bytes:
    """Test information of all forms over each other; ``target``: (ability, information) that was asked for."""
    figure, axes = frame(WIDTH, HEIGHT, x="能力 θ", y="信息量", margins=(66, 44, 14, 36))
    _draw(axes, theta, forms)
    if target:
        axes.plot(*zip(*target, strict=True), linestyle="none", marker="D", markersize=6, color=BLACK, label="目标")
    axes.set_ylim(bottom=0)
    axes.set_xlim(theta[0], theta[-1])
    if cut is not None:
        cut_line(axes, cut, "合格线")
    key(axes, columns=5, place="above")
    return svg(figure, "各套试卷的信息量")


@lru_cache(maxsize=64)
def expected(theta: tuple[float, ...], forms: tuple[Line, ...], cut: float | None, passing: float) -> bytes:
    """Expected score of all forms over each other."""
    figure, axes = frame(WIDTH, HEIGHT, x="能力 θ", y="期望得分（满分 100）", margins=(66, 44, 14, 36))
    _draw(axes, theta, forms)
    axes.axhline(passing, color=RED, linewidth=0.8, linestyle=":")
    axes.set_ylim(0, 100)
    axes.set_xlim(theta[0], theta[-1])
    if cut is not None:
        cut_line(axes, cut, "合格线")
    key(axes, columns=5, place="above")
    return svg(figure, "各套试卷的期望得分")


@lru_cache(maxsize=64)
def difficulty(grades: tuple[str, ...], target: tuple[int, ...], forms: tuple[tuple[str, tuple[int, ...]], ...]) -> bytes:
    """Items of each grade: asked for, and on each form."""
    figure, axes = frame(WIDTH, HEIGHT, x="难度", y="题量", margins=(66, 44, 14, 36))
    shown = forms[:NAMED]
    places, wide = np.arange(len(grades)), 0.8 / max(len(shown), 1)
    for at, (name, counts) in enumerate(shown):
        axes.bar(places - 0.4 + wide * (at + 0.5), counts, width=wide * 0.92, color=COLOURS[at % 8], hatch=("", "////", "....", "xx")[at % 4],
                 edgecolor="white", linewidth=0.4, label=name)
    for place, aim in zip(places, target, strict=True):
        axes.plot([place - 0.45, place + 0.45], [aim, aim], color=BLACK, linewidth=1.6, label="目标" if place == 0 else None)
    axes.set_xticks(places, grades)
    axes.grid(visible=False, axis="x")
    key(axes, columns=5, place="above")
    return svg(figure, "难度分布")


@lru_cache(maxsize=64)
def coverage(ranges: tuple[str, ...], forms: tuple[str, ...], shares: tuple[tuple[float, ...], ...], words: tuple[tuple[str, ...], ...]) -> bytes:
    """Heat map: the share of each range's points that each form examines; ``words`` stand in the cells."""
    tall = 70 + 24 * len(ranges)
    figure, axes = frame(WIDTH, tall, x="试卷", y="鉴定范围", margins=(120, 44, 14, 12))
    values = np.array(shares, dtype=float).reshape(len(ranges), len(forms))
    axes.imshow(values, aspect="auto", cmap="Blues", vmin=0, vmax=1)
    axes.set_xticks(range(len(forms)), forms)
    axes.set_yticks(range(len(ranges)), ranges)
    axes.grid(visible=False)
    if len(forms) <= 12:
        for row, line in enumerate(words):
            for column, text in enumerate(line):
                axes.text(column, row, text, ha="center", va="center", fontsize=8, color="white" if values[row, column] > 0.55 else BLACK)
    return svg(figure, "各套试卷对鉴定点的覆盖")


def _draw(axes: object, theta: tuple[float, ...], forms: tuple[Line, ...]) -> None:
    plot = axes.plot  # type: ignore[attr-defined]  # the frame's axes
    if len(forms) <= NAMED:
        for at, (name, values) in enumerate(forms):
            plot(theta, values, color=COLOURS[at % 8], linestyle=LINES[at % 8], linewidth=2.2 if not at else 1.7, label=f"{name} 卷")
        return
    table = np.array([values for _, values in forms])
    axes.fill_between(theta, table.min(axis=0), table.max(axis=0), color=GREY, alpha=0.35, label=f"{len(forms)} 套的范围")  # type: ignore[attr-defined]
    plot(theta, np.median(table, axis=0), color=BLUE, linewidth=2, label="中位")

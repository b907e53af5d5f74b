"""Plots of a whole bank: difficulty against discrimination, persons and items on one scale. Pure."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from qbank.statistics.plots import (
    BLACK,
    BLUE,
    COLOURS,
    GREY,
    MARKERS,
    ORANGE,
    RED,
    cut_line,
    frame,
    key,
    share_axis,
    svg,
)

WIDTH, HEIGHT = 900, 430
MARGINS = (62, 46, 14, 12)  # left, bottom, right, top
NAMES = ("没有提示", "疑似错误答案", "疑似泄露", "过难", "过易", "区分度弱", "与模型不符")
TONES = (BLUE, RED, BLACK, COLOURS[2], ORANGE, COLOURS[3], GREY)


@lru_cache(maxsize=32)
def scatter(points: tuple[tuple[float, float, int], ...], hard: float, easy: float, weak: float) -> bytes:
    """Every item at its share right and its item-rest correlation; the third number chooses the mark among ``NAMES``."""
    figure, axes = frame(WIDTH, HEIGHT, x="难度 p（答对率，左难右易）", y="区分度（题余相关）", margins=MARGINS)
    low, high = reach(points)
    axes.axvspan(0, hard, color="#f3e3e2", zorder=0, linewidth=0)
    axes.axvspan(easy, 1, color="#f3ead4", zorder=0, linewidth=0)
    axes.axhspan(low, weak, color="#eef0f3", zorder=0, linewidth=0)
    axes.axhline(0, color=RED, linewidth=0.9)
    for at, name in enumerate(NAMES):
        own = np.array([point[:2] for point in points if point[2] == at])
        if len(own):
            axes.scatter(own[:, 0], own[:, 1], s=34, color=TONES[at], marker=MARKERS[at], alpha=0.85, linewidths=0.4,
                         edgecolors="white", label=f"{name}（{len(own)}）")
    share_axis(axes, horizontal=True)
    axes.set_ylim(low, high)
    if points:
        key(axes, columns=2, place="lower left")
    return svg(figure, "题库中各题的难度与区分度")


def reach(points: tuple[tuple[float, float, int], ...]) -> tuple[float, float]:
    """From where to where the upright axis goes."""
    values = [point[1] for point in points]
    return min(-0.2, np.floor(min(values, default=0) * 10) / 10 - 0.05), max(0.8, np.ceil(max(values, default=0) * 10) / 10)


def places(points: tuple[tuple[float, float, int], ...]) -> list[tuple[int, int]]:
    """Where each point lies in the picture, in pixels from the left and from the top."""
    left, bottom, right, top = MARGINS
    low, high = reach(points)
    wide, tall = WIDTH - left - right, HEIGHT - bottom - top
    return [(round(left + x * wide), round(top + (high - y) / (high - low) * tall)) for x, y, _ in points]


@lru_cache(maxsize=32)
def wright(abilities: tuple[tuple[float, int], ...], difficulties: tuple[float, ...], cut: float | None) -> bytes:
    """Persons above, items below, on one scale: are there items where the persons are?"""
    figure, axes = frame(WIDTH, 320, x="能力 θ ／ 难度 b（左低右高）", y="道题　　　　　　　人", margins=MARGINS)
    if abilities:
        axes.bar([place for place, _ in abilities], [count for _, count in abilities], width=0.22, color=BLUE, label="考生")
    edges = np.arange(-5, 5.01, 0.25)
    if difficulties:
        counts = np.histogram(np.clip(difficulties, -4.99, 4.99), bins=edges)[0]
        axes.bar(edges[:-1] + 0.125, -counts, width=0.22, color=ORANGE, hatch="////", edgecolor="white", label="试题")
    axes.axhline(0, color=BLACK, linewidth=0.8)
    axes.yaxis.set_major_formatter(lambda value, _: f"{abs(value):g}")
    axes.set_xlim(-5, 5)
    if cut is not None:
        cut_line(axes, cut, "合格线")
    if abilities or difficulties:
        key(axes, place="upper left")
    return svg(figure, "考生能力与试题难度在同一量尺上的分布")

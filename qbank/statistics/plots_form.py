"""Plots of papers: information and error, expected scores over each other, how the scores are spread. Pure."""

from __future__ import annotations

from functools import lru_cache
from typing import TypeAlias

import numpy as np

from qbank.statistics.plots import BLUE, COLOURS, LINES, RED, cut_line, frame, key, share_axis, svg

WIDTH, HEIGHT = 460, 300
Curve: TypeAlias = tuple[tuple[float, ...], tuple[float, ...]]


@lru_cache(maxsize=64)
def information(theta: tuple[float, ...], told: tuple[float, ...], cut: float | None) -> bytes:
    """Test information (left scale) and the standard error of ability (right scale), the cut marked."""
    figure, axes = frame(WIDTH, HEIGHT, x="能力 θ", y="信息量（实线）", margins=(66, 44, 60, 12))
    axes.plot(theta, told, color=BLUE, linewidth=2, label="信息量")
    axes.set_ylim(bottom=0)
    if cut is not None:
        cut_line(axes, cut, "合格线")
    other = axes.twinx()
    other.grid(visible=False)
    with np.errstate(divide="ignore"):
        other.plot(theta, np.clip(1 / np.sqrt(np.array(told)), 0, 3), color=COLOURS[1], linestyle="--", linewidth=1.6)
    other.set_ylabel("能力的标准误（虚线）")
    other.set_ylim(0, 2)
    return svg(figure, "试卷信息量与能力的标准误")


@lru_cache(maxsize=64)
def expected(theta: tuple[float, ...], forms: tuple[tuple[str, tuple[float, ...]], ...], cut: float | None, passing: float) -> bytes:
    """The expected share of points of each paper of the bank, over each other."""
    figure, axes = frame(WIDTH, HEIGHT, x="能力 θ", y="期望得分占满分的比例")
    for at, (name, shares) in enumerate(forms):
        axes.plot(theta, shares, color=COLOURS[at % 8], linestyle=LINES[at % 8], linewidth=1.8 if at else 2.4,
                  label=name if len(name) <= 16 else f"…{name[-15:]}")
    share_axis(axes)
    axes.axhline(passing, color=RED, linewidth=0.8, linestyle=":")
    if cut is not None:
        cut_line(axes, cut, "合格线")
    if forms:
        key(axes, place="lower right")
    return svg(figure, "各试卷的期望得分曲线")


@lru_cache(maxsize=64)
def distribution(counts: tuple[int, ...], passing: float) -> bytes:
    """Persons in each band of the score, full marks 100."""
    figure, axes = frame(WIDTH, HEIGHT, x="得分（满分 100）", y="人数")
    width = 100 / max(len(counts), 1)
    axes.bar((np.arange(len(counts)) + 0.5) * width, counts, width=width * 0.9, color=BLUE)
    axes.set_xlim(0, 100)
    cut_line(axes, passing * 100, "合格线")
    return svg(figure, "分数分布")

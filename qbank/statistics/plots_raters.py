"""Plots of raters: severity with its interval, totals against each other. Pure."""

from __future__ import annotations

from functools import lru_cache
from typing import TypeAlias

import numpy as np

from qbank.statistics.plots import BLACK, BLUE, COLOURS, GREY, MARKERS, RED, frame, key, svg

Bar: TypeAlias = tuple[str, float, float]  # name, severity, standard error
WIDTH = 560


@lru_cache(maxsize=64)
def severity(bars: tuple[Bar, ...], unit: str) -> bytes:
    """Each rater's severity with its 95 % interval; right is lenient when the unit is points, severe when it is logits."""
    figure, axes = frame(WIDTH, 80 + 30 * len(bars), x=unit, y="", margins=(120, 44, 14, 12))
    for place, (_, value, error) in enumerate(reversed(bars)):
        axes.errorbar(value, place, xerr=1.96 * error if np.isfinite(error) else None, color=BLUE, marker="o", capsize=4, linewidth=1.6)
    axes.axvline(0, color=RED, linewidth=0.9, linestyle="--")
    axes.set_yticks(range(len(bars)), [name for name, _, _ in reversed(bars)])
    axes.set_ylim(-0.6, len(bars) - 0.4)
    return svg(figure, "考评员宽严程度")


@lru_cache(maxsize=64)
def totals(names: tuple[str, ...], rows: tuple[tuple[float, ...], ...], passing: float) -> bytes:
    """Every candidate's total by each rater against the mean of all: raters who agree lie on one line."""
    figure, axes = frame(WIDTH, 380, x="各考评员的平均分", y="各考评员的评分", margins=(56, 44, 14, 40))
    table = np.array(rows, dtype=float)
    mean = np.nanmean(table, axis=1)
    for place, name in enumerate(names):
        axes.plot(mean, table[:, place], linestyle="none", marker=MARKERS[place % 8], markersize=5, color=COLOURS[place % 8], alpha=0.8, label=name)
    low, high = float(np.nanmin(table)), float(np.nanmax(table))
    axes.plot([low, high], [low, high], color=GREY, linewidth=1)
    axes.axhline(passing, color=BLACK, linewidth=0.8, linestyle=":")
    axes.axvline(passing, color=BLACK, linewidth=0.8, linestyle=":")
    key(axes, columns=5, place="above")
    return svg(figure, "各考评员评分的一致性")

"""Plots as SVG with real text: one frame, one palette, one way out. Pure.

Arrays in, bytes out; nothing of pyplot, so that two requests never share a figure. The strict policy of the pages forbids
``style`` attributes and matplotlib writes them: they become plain attributes here. Colours are those of Okabe and Ito (2008);
line and marker differ as well, so that a grey print and a colour-blind reader lose nothing.
"""

from __future__ import annotations

import importlib.resources
import importlib.util
import logging
import re
import warnings
from collections.abc import Sequence
from functools import cache
from io import BytesIO
from typing import Any, Literal, TypeAlias

import matplotlib
from matplotlib import font_manager
from matplotlib.axes import Axes
from matplotlib.figure import Figure

FONTS = "'PingFang SC', 'Microsoft YaHei', 'Noto Sans CJK SC', 'Source Han Sans SC', 'SimHei', sans-serif"
BLUE, ORANGE, GREEN, PURPLE, SKY, RED, BLACK, GREY = (
    "#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#1d2733", "#8a94a0")
COLOURS = (BLUE, ORANGE, GREEN, PURPLE, SKY, RED, BLACK, GREY)
LINES = ("-", "--", "-.", ":", (0, (5, 1, 1, 1, 1, 1)), (0, (1, 1)), (0, (7, 3)), (0, (3, 1)))
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "*")
WHEEL = "manimgx_fonts_cjk"
PIXELS = 96  # of the page, to the inch
POINTS = 72  # of the figure

# Only what is the same in every plot of the program: threads share these.
matplotlib.rcParams.update({
    "svg.fonttype": "none", "svg.hashsalt": "examroom", "font.size": 9, "axes.edgecolor": GREY, "axes.labelcolor": BLACK,
    "xtick.color": BLACK, "ytick.color": BLACK, "axes.spines.top": False, "axes.spines.right": False, "axes.grid": True,
    "grid.color": "#e3e8ee", "grid.linewidth": 0.6, "axes.axisbelow": True, "legend.frameon": False, "axes.unicode_minus": False,
})

Place: TypeAlias = Literal["above", "best", "lower right", "lower left", "upper left"]


@cache
def _measure() -> str:
    """A font that knows how wide Chinese words are; only for the layout, the reader's own draws them."""
    logging.getLogger("matplotlib.font_manager").setLevel(logging.ERROR)  # it complains of every font that is not there
    if importlib.util.find_spec(WHEEL) is not None:
        for path in importlib.resources.files(WHEEL).iterdir():
            if path.name.endswith(".ttc"):
                font_manager.fontManager.addfont(str(path))
    known = {font.name for font in font_manager.fontManager.ttflist}
    return next((name for name in ("Noto Sans CJK SC", "Source Han Sans SC", "SimHei") if name in known), "DejaVu Sans")


def frame(width: int, height: int, *, x: str, y: str, margins: tuple[int, int, int, int] = (66, 44, 14, 12),
          columns: int = 1) -> tuple[Figure, Any]:
    """A figure of ``width`` by ``height`` pixels and its axes (a list where ``columns`` is more than 1), with labels.

    ``margins`` left, bottom, right, top in pixels: places in the picture are known exactly, so that a map can lie over it.
    """
    matplotlib.rcParams["font.family"] = [_measure()]
    figure = Figure(figsize=(width / PIXELS, height / PIXELS))
    left, bottom, right, top = margins
    wide = (width - right + 8) / columns
    made = []
    for column in range(columns):
        start = column * wide + left
        axes = figure.add_axes((start / width, bottom / height, (wide - left - 8) / width, (height - bottom - top) / height))
        axes.set_xlabel(x)
        axes.set_ylabel(y if column == 0 else "")
        made.append(axes)
    return figure, made[0] if columns == 1 else made


def share_axis(axes: Axes, *, horizontal: bool = False) -> None:
    """From 0 to 1, as percentages."""
    axes.set_xlim(0, 1) if horizontal else axes.set_ylim(-0.02, 1.02)
    (axes.set_xticks if horizontal else axes.set_yticks)([0, .2, .4, .6, .8, 1], ["0", "20%", "40%", "60%", "80%", "100%"])


def key(axes: Axes, *, columns: int = 1, place: Place = "best") -> None:
    """The legend; "above" the axes where lines may run anywhere."""
    if place == "above":
        axes.legend(loc="lower left", bbox_to_anchor=(0, 1.01), borderaxespad=0, ncols=columns, fontsize=8, handlelength=3)
        return
    axes.legend(loc=place, ncols=columns, fontsize=8, handlelength=3)


def cut_line(axes: Axes, place: float, words: str) -> None:
    """A dashed upright line with its meaning beside it."""
    axes.axvline(place, color=RED, linestyle=(0, (6, 3)), linewidth=1.2)
    low, high = axes.get_ylim()
    axes.text(place, low + (high - low) * 0.97, f" {words}", color=RED, fontsize=8, va="top")


def svg(figure: Figure, words: str) -> bytes:
    """The finished picture, with ``words`` as its title for those who cannot see it."""
    out = BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a glyph that the measuring font lacks is drawn by the reader's font
        figure.savefig(out, format="svg", metadata={"Date": None, "Creator": None, "Format": None, "Type": None})
    text = out.getvalue().decode()
    text = re.sub(r'style="([^"]*)"', lambda found: _attributes(found[1]), text)
    text = re.sub(r'font-family="[^"]*"', f'font-family="{FONTS}"', text)
    text = re.sub(r"<!DOCTYPE[^>]*>\s*|<metadata>.*?</metadata>\s*|<defs>\s*<style.*?</style>\s*</defs>\s*", "", text, flags=re.DOTALL)
    title = words.replace("&", "&amp;").replace("<", "&lt;")
    return re.sub(r"<svg ([^>]*)>", rf'<svg stroke-linejoin="round" \1><title>{title}</title>', text, count=1).encode()


def _attributes(style: str) -> str:
    pairs = (part.split(":", 1) for part in style.split(";") if ":" in part)
    return " ".join(f'{name.strip()}="{value.strip()}"' for name, value in pairs)


def finite(values: Sequence[float | None]) -> list[float]:
    """None and NaN as NaN, which no line crosses."""
    return [float("nan") if value is None else float(value) for value in values]

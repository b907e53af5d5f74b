"""Plots are well-formed SVG whose words are words, without anything that the pages' policy forbids."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from lxml import etree

from qbank.statistics import plots_bank, plots_form, plots_item

OBSERVED = ((-1.5, 0.2, 20), (0.0, 0.5, 20), (1.5, 1.0, 20))
THETA = tuple(np.linspace(-4, 4, 9).tolist())
PICTURES = {
    "history": (plots_item.history((("03-01", 0.5, 0.3, 0.7), ("04-01", 0.6, 0.5, 0.7)), 0.3, 0.95), ["难度 p（答对率）", "04-01"]),
    "no history": (plots_item.history((), 0.3, 0.95), ["难度 p（答对率）"]),
    "traces": (plots_item.traces((("A", True, (0.2, 0.4, 0.6, 0.8, 1.0)), ("B", False, (0.8, 0.6, None, 0.2, 0.0)))),
               ["A（答案）", "选择该项的比例", "最低"]),
    "curve": (plots_item.curve((1.2, -0.3, 0.2), (0.1, 0.2), OBSERVED, -0.5), ["模型曲线", "合格线", "能力 θ"]),
    "information": (plots_item.information((1.2, -0.3, 0.0), None), ["信息量"]),
    "scatter": (plots_bank.scatter(((0.5, 0.3, 0), (0.98, -0.1, 1)), 0.3, 0.95, 0.1), ["没有提示（1）", "疑似错误答案（1）"]),
    "wright": (plots_bank.wright(((-0.125, 3), (0.125, 5)), (0.1, -0.4, 9.0), 0.2), ["考生", "试题", "合格线"]),
    "empty bank": (plots_bank.scatter((), 0.3, 0.95, 0.1), ["区分度（题余相关）"]),
    "form information": (plots_form.information(THETA, tuple(2.0 for _ in THETA), 0.0), ["信息量（实线）", "合格线"]),
    "expected": (plots_form.expected(THETA, (("甲卷", tuple(0.5 for _ in THETA)),), None, 0.6), ["甲卷"]),
    "distribution": (plots_form.distribution((0, 3, 5, 1), 0.6), ["人数", "得分（满分 100）"]),
}


@pytest.mark.parametrize("name", PICTURES)
def test_a_plot_is_well_formed_and_says_its_words_in_chinese(name: str) -> None:
    content, words = PICTURES[name]
    root = etree.fromstring(content)
    text = "|".join(str(part) for part in root.itertext())
    for word in words:
        assert word in text.replace("\n", "")
    assert not root.xpath("//@style")  # the policy of the pages allows none
    assert not root.xpath("//*[local-name()='style' or local-name()='script' or local-name()='image']")
    fonts = set(root.xpath("//@font-family"))
    assert all("Noto Sans CJK SC" in font for font in fonts)
    assert root.find("{http://www.w3.org/2000/svg}title").text


def test_the_same_numbers_give_the_same_picture_and_are_drawn_once() -> None:
    first = plots_form.distribution((1, 2, 3), 0.6)
    assert plots_form.distribution((1, 2, 3), 0.6) is first
    plots_form.distribution.cache_clear()
    assert plots_form.distribution((1, 2, 3), 0.6) == first


def test_the_map_lies_over_the_points() -> None:
    points = ((0.0, -0.25, 0), (0.5, 0.3, 0), (1.0, 0.8, 0))
    places = plots_bank.places(points)
    # Margins 62 left, 46 below, 14 right, 12 above of 900 x 430; the axis runs from -0.35 to 0.8: 1.15 over 372 pixels.
    assert places == [(62, round(12 + 1.05 / 1.15 * 372)), (62 + 412, round(12 + 0.5 / 1.15 * 372)), (886, 12)]
    assert all(left[0] < right[0] for left, right in pairwise(places))


def test_the_band_is_the_delta_method() -> None:
    # At theta = b the slope by b is -a/4: 1.6 / 4 x 0.5 = 0.2; that by a is 0.
    middle, spread = plots_item.model(np.array([0.3]), (1.6, 0.3, 0.0), (0.4, 0.5))
    assert middle[0] == pytest.approx(0.5)
    assert spread[0] == pytest.approx(0.2)

"""Items as a Word paper and back: what is written reads as the same items, what cannot be is reported."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Sequence

import pytest
from docx import Document
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from qbank.exchange import word, word_out
from qbank.exchange.drafts import Drafts, Found, LossReport
from qbank.exchange.omml import to_latex
from qbank.exchange.omml_out import to_omml
from qbank.exchange.word_text import canonical
from qbank.items.draft import LETTERS, Draft, normalise
from tests.qbank.word_world import media, png

SVG = b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 40 20"><rect width="40" height="20"/></svg>'
VOLT = Draft("single", "电压的单位是（　　）。", ("伏特", "安培", "欧姆", "瓦特"), "A", "以伏打命名。", "教材", 2, "B-A-C", "001", source_page="12",
             source_author="王工")


def write(*drafts: Draft, pictures: Sequence[bytes] = (), knowledge: str = "") -> tuple[bytes, LossReport]:
    stream = io.BytesIO()
    found = tuple(Found(draft, f"第 {place} 题", place, knowledge=knowledge) for place, draft in enumerate(drafts, start=1))
    report = word_out.write(Drafts(found, "bank", {hashlib.sha256(one).hexdigest(): one for one in pictures}), stream)
    return stream.getvalue(), report


def back(content: bytes) -> list[Draft]:
    return [found.draft for found in word.read(content, "导出.docx").items]


def test_everything_that_an_item_says_comes_back() -> None:
    drafts = (
        VOLT,
        Draft("single", f"由 $R=\\frac{{U}}{{I}}$ 和 {media(png(), '电路图')} 得 10$^{{3}}$ 的\n**错误**说法是（　　）。\n| 量 | 值 |\n|---|---|\n| U | 5 |",
              ("$x^{2}$", media(SVG), "一二三四五六七八九十" * 4), "C", "", "", 3, "A-A", "002"),
        Draft("multiple", "三相负载有（　　）。", ("星形", "三角形", "串联"), "AB", "", "", 5, "", ""),
        Draft("judge", "每件 \\$5，铜导电。（　　）", (), "F", "应为 \\$6。", "", 1, "", ""),
        Draft("fill", "工频为____Hz，线电压为____V。", (), "=50\n380|三百八十", "", "", 0, "", ""),
        Draft("short", "简述停电步骤。", (), "1. 断电\n2. 验电", "", "", 4, "A-A", "003", guide="2|断电\n1.5|验电", stimulus="某车间停电检修。\n共两人。"),
        Draft("short", "再述送电步骤。", (), "合闸", "", "", 4, "A-A", "003", guide="3|合闸", stimulus="某车间停电检修。\n共两人。"),
        Draft("essay", "论述安全用电。", (), "先断电，\n再验电。", "", "", 0, "", "", guide="10|要点"))
    content, report = write(*drafts, pictures=(png(), SVG))
    assert report.losses == ()
    assert back(content) == [normalise(draft) for draft in drafts]
    assert set(word.read(content, "导出.docx").pictures.values()) == {png(), SVG}


def test_words_about_the_point_come_back_as_words() -> None:
    content, report = write(VOLT, knowledge="电路的基本物理量")
    found = word.read(content, "导出.docx").items[0]
    assert (found.draft, found.knowledge, report.losses) == (normalise(VOLT), "电路的基本物理量", ())


def test_a_set_of_different_kinds_stays_together() -> None:
    material = "某电动机启动时发出嗡嗡声。"
    drafts = (Draft("single", "原因是（　　）。", ("缺相", "过载"), "A", "", "", 0, "", "", stimulus=material),
              Draft("judge", "应先停电。（　　）", (), "T", "", "", 0, "", "", stimulus=material),
              Draft("fill", "缺____相。", (), "一", "", "", 0, "", "", stimulus=material), VOLT)
    content, report = write(*drafts)
    assert (back(content), report.losses) == ([normalise(draft) for draft in drafts], ())


def test_the_page_is_a4_with_chinese_fonts_and_options_in_columns() -> None:
    document = Document(io.BytesIO(write(VOLT)[0]))
    section = document.sections[0]
    assert section.page_width is not None
    assert section.page_height is not None
    assert (round(section.page_width.mm), round(section.page_height.mm)) == (210, 297)
    options = next(paragraph for paragraph in document.paragraphs if paragraph.text.startswith("A. "))
    assert options.text == "A. 伏特\tB. 安培\tC. 欧姆\tD. 瓦特"
    assert len(options.paragraph_format.tab_stops) == 3
    assert "宋体" in document.styles["Normal"].element.xml


def test_what_would_come_back_otherwise_is_reported() -> None:
    strange = Draft("judge", "第一行\n答案：错", (), "T", "", "", 0, "", "")
    missing = Draft("single", f"图 {media(png(5), '甲')}（　　）", ("一", "二"), "A", "", "", 0, "", "")
    _, report = write(VOLT, strange, missing)
    assert report.written == 3
    assert {loss.place for loss in report.losses} == {"第 2 题", "第 3 题"}
    assert any("图片“甲”的内容不在题库里" in loss.sentence for loss in report.losses)


def test_a_formula_that_word_cannot_hold_is_written_as_its_source_and_comes_back() -> None:
    draft = Draft("judge", r"由 $\cancel{x}$ 可知。（　　）", (), "T", "", "", 0, "", "")
    content, report = write(draft)
    assert "LaTeX 源码" in report.losses[0].sentence
    assert back(content)[0].stem == draft.stem


FORMULAS = (
    r"\frac{1}{2}", r"x_{1}^{2}", r"\sqrt[3]{x}", r"\sqrt{x+1}", r"\sum_{i=1}^{n}i", r"\left(\frac{a}{b}\right)", r"\sin x", r"\vec{a}",
    r"\begin{matrix}a & b \\ c & d\end{matrix}", r"\begin{pmatrix}a & b \\ c & d\end{pmatrix}", r"\begin{cases}a & x>0 \\ b & x\le0\end{cases}",
    r"\lim_{x\to0}x", r"U=IR", r"\overline{AB}", r"\int_{0}^{1}x\,dx", r"\hat{a}", r"\dot{U}", r"\underbrace{ab}", r"\text{额定}", r"\mathrm{kW}",
    r"\binom{a}{b}", r"\overset{a}{b}", r"\boxed{a}", r"{}_{a}^{b}x", r"f'", r"50\%", r"U_{\text{额}}", r"a\quad b", r"\mathbf{x}", r"\mathbb{R}",
    r"\left\{a\right.", r"\cos\varphi", r"|x|", r"\left|x\right|", r"\angle A", r"\underline{a}", r"P=\sqrt{3}U_{L}I_{L}\cos\varphi", r"\log_{2}8",
    r"\sin^{2}\alpha+\cos^{2}\alpha=1", r"10^{-3}", r"20^{\circ}\mathrm{C}", r"(x+1)^{2}", r"a\times b\div c", r"\frac{\partial u}{\partial t}",
    r"\mu F", r"220\,\mathrm{V}", r"\max_{x}f", r"\oint E", r"R\approx10\Omega", r"\left[\frac{a}{b}\right]", r"e^{-\frac{t}{RC}}", r"\frac{\frac{a}{b}}{c}")


@pytest.mark.parametrize("latex", FORMULAS)
def test_a_formula_comes_back_from_word_as_it_went(latex: str) -> None:
    made = to_omml(latex)
    assert made is not None
    assert to_latex(made) == latex


SIGNS = "电压电流阻器线圈接触热继单位是在和与额定功率正负极"
WORD = st.text(alphabet=SIGNS, min_size=1, max_size=16)
TEXT = st.lists(st.one_of(WORD, st.sampled_from(
    [*(f"${latex}$" for latex in FORMULAS[:12]), "**重要**", "5 kW", "（甲）", "，", "\\$5", "A、B 两点", "x < y & z", "m$^{2}$", media(png()), "C", "12 个"])),
    min_size=1, max_size=5).map(" ".join).filter(lambda text: text[0] in SIGNS)


@st.composite
def items(draw: st.DrawFn) -> Draft:
    kind = draw(st.sampled_from(["single", "multiple", "judge", "fill", "short"]))
    options: tuple[str, ...] = ()
    stem, key, guide = draw(TEXT) + "（　　）。", draw(st.sampled_from("TF")), ""
    if kind in {"single", "multiple"}:
        options = tuple(draw(st.lists(WORD, min_size=2, max_size=5, unique=True)))
        key = "A" if kind == "single" else draw(st.sampled_from(["AB", LETTERS[:len(options)]]))
    elif kind == "fill":
        stem, key = draw(WORD) + "____" + draw(WORD) + "____。", draw(WORD) + "\n" + draw(WORD) + "|" + draw(WORD)
    elif kind == "short":
        stem, key, guide = draw(TEXT), draw(TEXT), f"{draw(st.sampled_from(['2', '1.5']))}|{draw(WORD)}"
    return normalise(Draft(kind, stem, options, key, draw(st.one_of(st.just(""), TEXT)), "", draw(st.integers(0, 5)), "B-A-C", "001", guide))


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(items(), min_size=1, max_size=6))
def test_items_come_back_or_the_report_says_what_does_not(drafts: list[Draft]) -> None:
    content, report = write(*drafts, pictures=(png(),))
    again = back(content)
    lost = {loss.place for loss in report.losses}
    if "全卷" not in lost:
        for number, (draft, other) in enumerate(zip(drafts, again, strict=True), start=1):
            assert f"第 {number} 题" in lost or other.stem == canonical(draft.stem)
            assert f"第 {number} 题" in lost or (other.options, other.key.split()) == (draft.options, canonical(draft.key).split())

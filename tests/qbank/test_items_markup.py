"""The markup of item texts: nothing but the known ever reaches a page, and nothing is lost on the way through HTML."""

from __future__ import annotations

import re
import time
from html.parser import HTMLParser

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qbank.items import formulas
from qbank.items.markup import (
    escape,
    formula,
    formula_problems,
    from_html,
    picture,
    pictures_in,
    plain,
    table,
    to_html,
)
from qbank.kernel.refused import Refused

HASH = "ab" * 32
SIGNS = ["$x$", "$$y$$", "**", "*", "\\", "$", "!", "[", f"![图](media:{HASH})", "|", "| a | b |", "|---|---|", "\n", " ", "  ",
         "5", "电阻", "____", "<b>", "</b>", "<script>", "&amp;", "\xa0", r"\frac{1}{2}", r"$\foo$", r"$\text{<img onerror=x>}$",
         '"', "'", "`", "**粗**", "\t", "\u3000", "​", r"\$", r"\|", "{", "}"]
markups = st.lists(st.sampled_from(SIGNS), max_size=16).map("".join)
HTML_TAGS = {"br", "strong", "table", "thead", "tbody", "tr", "th", "td", "img", "code"}
ATTRIBUTES = formulas.ATTRIBUTES | {"class", "src", "alt", "title"}


class Seen(HTMLParser):
    """What a browser would make of it: elements and attributes, and whether they close."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.open: list[str] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}
        if tag not in {"br", "img"}:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_comment(self, data: str) -> None:
        raise AssertionError(data)


def html_of(text: str) -> str:
    return str(to_html(text, lambda sha256: f"media:{sha256}"))


def read(html: str) -> tuple[str, tuple[str, ...]]:
    def keep(content: bytes, caption: str) -> str:
        if content == b"bad":
            raise Refused("bad_picture", "图片无法读取。")
        return HASH

    return from_html(html, keep, {"a.png": b"good", "b.png": b"bad"}.get)


@settings(max_examples=300, deadline=None)
@given(st.one_of(markups, st.text(max_size=80)))
def test_only_known_elements_and_attributes_whatever_the_text(text: str) -> None:
    seen = Seen(html_of(text))
    assert seen.tags <= HTML_TAGS | formulas.ELEMENTS
    assert seen.attributes <= ATTRIBUTES
    assert seen.open == []


@settings(max_examples=300, deadline=None)
@given(st.one_of(markups, st.text(max_size=80)))
def test_escaped_text_shows_as_it_is(text: str) -> None:
    lines = text.replace("\r\n", "\n")
    assert plain(escape(lines)) == lines
    assert pictures_in(escape(lines)) == ()


@settings(max_examples=300, deadline=None)
@given(markups)
def test_a_way_through_html_is_stable(text: str) -> None:
    once, _ = read(html_of(text))
    assert read(html_of(once))[0] == once
    assert pictures_in(once) == pictures_in(text)


@settings(max_examples=150, deadline=None)
@given(st.lists(st.sampled_from(["<p>", "</p>", "<b>", "</b>", "<script>", "<table><tr><td>", "</table>", "<li>", "<img src=a.png>", "<math>",
                                 "<mi>x</mi>", "<sub>", "<svg onload=x>", "$", "**", "|---|", "\\", "电", " ", "&lt;", "<pre>", "<a href=x>"]),
                max_size=14).map("".join))
def test_foreign_html_never_breaks_the_reader_and_what_it_gives_is_clean(html: str) -> None:
    text, _ = read(html)
    seen = Seen(html_of(text))
    assert seen.tags <= HTML_TAGS | formulas.ELEMENTS
    assert read(html_of(text))[0] == read(html_of(read(html_of(text))[0]))[0]


def test_what_a_teacher_types() -> None:
    assert html_of("电阻 $R=\\frac{U}{I}$，**注意**") == (
        '电阻 <math display="inline" alttext="R=\\frac{U}{I}"><mrow><mi>R</mi><mo>=</mo><mfrac><mrow><mi>U</mi></mrow><mrow><mi>I</mi>'
        "</mrow></mfrac></mrow></math>，<strong>注意</strong>")
    assert html_of("**电阻。**的**“值”**") == "<strong>电阻。</strong>的<strong>“值”</strong>"  # CommonMark leaves these bare
    assert html_of("一\n  二") == "一<br>\xa0 二"
    assert html_of("5$ 和 10$，$5和$10") == "5$ 和 10$，$5和$10"
    assert html_of(r"\$x\$ \*\* a<b") == "$x$ ** a&lt;b"
    assert html_of(f"见![电路图](media:{HASH})") == f'见<img class="picture" src="media:{HASH}" alt="电路图">'
    assert html_of("表\n| 项 | 值 |\n|---|:--|\n| 电压 | 220\\|380 |\n| 缺 |\n完") == (
        '表<table class="content-table"><thead><tr><th>项</th><th>值</th></tr></thead><tbody><tr><td>电压</td><td>220|380</td></tr>'
        "<tr><td>缺</td><td></td></tr></tbody></table>完")


def test_plain_text_for_lists() -> None:
    text = f"求 $U$ 与 $$I$$ ![a](media:{HASH}) **粗** \\$\n| a | b |\n|---|---|\n| 1 | $x$ |"
    assert plain(text) == "求 U 与 I [图] 粗 $\na b\n1 x"
    assert pictures_in(f"{text}**![b](media:{'cd' * 32})**") == (HASH, "cd" * 32)


@pytest.mark.parametrize(("latex", "told"), [
    (r"\foo{x}", r"\foo"), (r"\href{javascript:alert(1)}{x}", r"\href"), (r"\sqrt{x", "花括号"), (r"\left(x", "无法识别"),
    (r"\def\a{\a\a}\a", r"\def"), ("{" * 50 + "}" * 50, "嵌套"), ("x" * 1990, ""), (r"\ce{H2O}", r"\ce"), ("x\\", "")])
def test_a_formula_that_cannot_be_shown_stays_readable(latex: str, told: str) -> None:
    shown = str(formulas.to_mathml(latex))
    problem = formulas.problem_of(latex)
    assert told in problem
    assert ("formula-source" in shown) is bool(problem)
    assert "href" not in re.sub(r'alttext="[^"]*"|>[^<]*<|title="[^"]*"', "", shown)
    if told:
        assert formula_problems(f"a ${latex}$") or "$" not in formula(latex)


def test_text_inside_a_formula_cannot_leave_it() -> None:
    shown = html_of(r"$\text{<script>alert(1)</script>&lt;}$")
    assert "<script" not in shown
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in shown


def test_html_of_other_programs() -> None:
    assert read("<p>一<b>二</b></p><p>三<br>四</p>") == ("一**二**\n三\n四", ())
    assert read("m<sup>2</sup> H<sub>2</sub>O U<sub>N</sub>")[0] == "m² H₂O U$_{N}$"
    assert read("填<u>&nbsp;&nbsp;</u>空") == ("填____空", ())
    assert read("<ol><li>甲<li>乙</ol>")[0] == "1. 甲\n2. 乙"
    assert read("价 $5 **")[0] == r"价 \$5 \*\*"
    assert read("<table><tr><td>a<td>b|c<tr><td colspan=2>$5</table>") == (
        "| a | b\\|c |\n|---|---|\n| \\$5 |  |", ("表格里合并的单元格已拆开，请核对表格。",))
    assert read("<math><semantics><mi>x</mi><annotation encoding='application/x-tex'>x^2</annotation></semantics></math>5")[0] == "$x^2$ 5"
    assert read("<math><mfrac><mi>π</mi><msup><mi>r</mi><mn>2</mn></msup></mfrac></math>")[0] == r"$\frac{\pi}{r^{2}}$"
    assert read("<script>alert(1)</script>文<a href='http://x'>链</a>") == ("文链", ("脚本和嵌入的对象没有保留。", "链接只保留了文字。"))
    assert from_html(r"\(x\) $$y$$", lambda content, caption: "", lambda address: None, tex=True)[0] == "$x$ $$y$$"
    assert read("<div>" * 2000 + "深") == ("深", ("嵌套层数太多，只保留了文字。",))


def test_pictures_of_foreign_html_are_kept_or_named() -> None:
    assert read('<img src="a.png" alt="图[1]">')[0] == f"![图 1](media:{HASH})"
    text, losses = read('<img src="b.png"><img src="none.png"><img src="data:image/png;base64,QUI="><img>')
    assert text == picture(HASH)
    assert losses == ("图片没有保留：图片无法读取。", "图片“none.png”没有找到，没有保留。", "图片“”没有找到，没有保留。")


def test_a_table_of_markup_reads_back() -> None:
    made = table([["a|b", "$x$"], ["c", "**d**", "e"]])
    assert html_of(made).count("<td>") == 3
    assert read(html_of(made))[0] == made


@pytest.mark.parametrize("text", ["*" * 6000, "$" * 6000, "![" * 3000, "**a" * 2000, "$a" * 3000, "\\" * 6000, "|\n|-|\n" * 1000,
                                  "**" + "\\a" * 3000, "| - " * 1500, "$$\n" * 2000, "** " * 2000, "|" + " " * 6000])
def test_no_text_of_the_greatest_length_takes_long(text: str) -> None:
    began = time.process_time()
    html_of(text)
    plain(escape(text))
    assert time.process_time() - began < 1.5

"""Drafts as Moodle XML. Pure.

The point is the category (``B-A-C/001``), difficulty and source are tags, the shared material and the model answer stand
in divisions with a class of their own. Several blanks in one stem make a cloze question. All-or-nothing scoring of a
multiple choice comes nearest with -100 % for every wrong option.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from typing import Any, BinaryIO

from lxml import etree

from qbank.exchange.drafts import Drafts, Loss, LossReport
from qbank.exchange.fill_keys import Alternative, alternatives_of, written_line
from qbank.exchange.gathering import in_the_way, media_name, picture_losses, shown_losses, sound_draft
from qbank.exchange.moodle_marks import category_for, mark, tags_for
from qbank.exchange.tex_html import tex_html, tex_losses
from qbank.items.draft import LETTERS, Draft
from qbank.items.markup import plain

BLANK = re.compile(r"[_＿]{2,}")
LINES = {"short": "5", "essay": "15"}
TYPES = {"single": "multichoice", "multiple": "multichoice", "judge": "truefalse", "short": "essay", "essay": "essay"}


def write(items: Drafts, stream: BinaryIO) -> LossReport:
    """``items`` as a Moodle XML file on ``stream``."""
    quiz = etree.Element("quiz")
    losses: list[Loss] = []
    category, written = "", 0
    for number, found in enumerate(items.items, start=1):
        place, draft = found.place or f"第 {number} 题", sound_draft(found.draft)
        problem = in_the_way(found, draft) or _in_the_way(draft)
        if problem:
            losses.append(Loss(place, "整题", f"没有写出：{problem}"))
            continue
        if category != (category := category_for(draft, found.knowledge)):
            _texted(_in(quiz, "question", type="category"), "category", category)
        _question(quiz, draft, items.pictures)
        written += 1
        losses += [*_losses(place, draft), *picture_losses(place, draft, items.pictures), *shown_losses(place, draft),
                   *tex_losses(place, draft)]
    stream.write(etree.tostring(quiz, xml_declaration=True, encoding="UTF-8", pretty_print=True))
    return LossReport("moodle", written, tuple(losses))


def fill_answers(line: str) -> tuple[list[Alternative], str]:
    """What one blank of Moodle accepts: only numbers (with the same units), or only words; and the line that this makes."""
    made = alternatives_of(line)
    if all(one.is_number and not one.percent and one.units == made[0].units for one in made):
        return made, "|".join(map(written_line, made))
    words = [one.as_words() for one in made]
    return words, "|".join(map(written_line, words))


def key_losses(place: str, draft: Draft, *, units: bool) -> list[Loss]:
    """What Moodle's fill-in questions cannot say of the key."""
    losses = []
    for line in draft.key.split("\n"):
        made = fill_answers(line)[1] if units else without_units(line)[1]
        if made != line:
            losses.append(Loss(place, "答案", f"不能写“{line[:60]}”（误差、单位与文字写法不能并用），写成了“{made[:60]}”。"))
    return losses


def without_units(line: str) -> tuple[list[Alternative], str]:
    """As :func:`fill_answers`, where numbers cannot have units either."""
    made, text = fill_answers(line)
    if made[0].units:
        made = [one.as_words() for one in made]
        text = "|".join(map(written_line, made))
    return made, text


def _in_the_way(draft: Draft) -> str:
    """Why this item cannot be written at all; empty: it can."""
    blanks, lines = len(BLANK.findall(draft.stem)), len(draft.key.split("\n"))
    shown = len(BLANK.findall(plain(re.sub(r"\$[^$\n]+\$", "", draft.stem))))
    if draft.kind == "fill" and lines > 1 and not blanks == shown == lines:
        return "有的空在公式里，或空的个数与答案不同。"
    return "" if draft.kind in TYPES or draft.kind == "fill" else "题型没有确定。"


def _losses(place: str, draft: Draft) -> list[Loss]:
    losses = [Loss(place, field, f"太长，Moodle 的标签放不下：{value[:60]}。") for field, value in tags_for(draft)[1]]
    if draft.stimulus:
        losses.append(Loss(place, "共用题干", "Moodle 里每道题各自带着这份材料；只有本系统读回时仍是一组。"))
    if draft.kind == "multiple":
        losses.append(Loss(place, "评分", "Moodle 按选对的比例给分，选错一个扣到 0 分；少选得部分分。"))
    if draft.kind == "fill":
        losses += key_losses(place, draft, units="\n" not in draft.key)
        if any(len(blank) != 4 for blank in BLANK.findall(draft.stem)):
            losses.append(Loss(place, "题干", "空格的下划线长度统一为 4 个。"))
        if "*" in draft.key and "\n" in draft.key:
            losses.append(Loss(place, "答案", "星号在 Moodle 的完形填空里是通配符。"))
    return losses


def _question(quiz: Any, draft: Draft, pictures: Mapping[str, bytes]) -> None:
    lines = draft.key.split("\n") if draft.kind == "fill" else []
    kind = TYPES.get(draft.kind) or ("cloze" if len(lines) > 1 else
                                     "numerical" if fill_answers(lines[0])[0][0].is_number else "shortanswer")
    question = _in(quiz, "question", type=kind)
    _texted(question, "name", re.sub(r"\s+", " ", plain(draft.stem))[:40].strip() or "题目")
    stem = _html(draft.stem, pictures)
    if lines:
        codes = iter([_cloze(line) for line in lines] if kind == "cloze" else ["____"] * len(BLANK.findall(stem)))
        stem = BLANK.sub(lambda found: next(codes, found.group()), stem)
    _put(_in(question, "questiontext", format="html"), mark("stimulus", _html(draft.stimulus, pictures)) + stem, pictures)
    _put(_in(question, "generalfeedback", format="html"), _html(draft.explanation, pictures), pictures)
    _in(question, "penalty").text = "0"
    _in(question, "defaultgrade").text = "1"
    {"multichoice": _choice, "truefalse": _judge, "essay": _essay}.get(kind, _fill)(question, draft, pictures)
    if tags := tags_for(draft)[0]:
        listed = _in(question, "tags")
        for tag in tags:
            _texted(listed, "tag", tag)


def _choice(question: Any, draft: Draft, pictures: Mapping[str, bytes]) -> None:
    single = draft.kind == "single"
    _in(question, "single").text = "true" if single else "false"
    _in(question, "shuffleanswers").text = "true"
    _in(question, "answernumbering").text = "ABCD"
    share = f"{100 / max(len(draft.key), 1):.5f}".rstrip("0").rstrip(".")
    for letter, text in zip(LETTERS, draft.options, strict=False):
        answer = _in(question, "answer", fraction=share if letter in draft.key else "0" if single else "-100", format="html")
        _put(answer, _html(text, pictures), pictures)


def _judge(question: Any, draft: Draft, pictures: Mapping[str, bytes]) -> None:
    for word, key in (("true", "T"), ("false", "F")):
        _in(_in(question, "answer", fraction="100" if draft.key == key else "0", format="moodle_auto_format"), "text").text = word


def _essay(question: Any, draft: Draft, pictures: Mapping[str, bytes]) -> None:
    _in(question, "responseformat").text = "editor"
    _in(question, "responsefieldlines").text = LINES[draft.kind]
    _in(question, "attachments").text = "0"
    inside = mark("key", _html(draft.key, pictures)) + mark("guide", _html(draft.guide, pictures))
    _put(_in(question, "graderinfo", format="html"), inside, pictures)


def _fill(question: Any, draft: Draft, pictures: Mapping[str, bytes]) -> None:
    if "\n" in draft.key:
        return  # a cloze question carries its answers in its text
    made, _ = fill_answers(draft.key)
    if not made[0].is_number:
        _in(question, "usecase").text = "0"
    for one in made:
        answer = _in(question, "answer", fraction="100", format="moodle_auto_format")
        _in(answer, "text").text = one.text if one.is_number else one.text.replace("*", r"\*")
        if one.is_number:
            _in(answer, "tolerance").text = one.tolerance or "0"
    if made[0].units:
        units = _in(question, "units")
        for name in made[0].units:
            unit = _in(units, "unit")
            _in(unit, "multiplier").text = "1"
            _in(unit, "unit_name").text = name
    _in(question, "unitgradingtype").text = "1" if made[0].units else "0"
    _in(question, "unitpenalty").text = "1"
    _in(question, "showunits").text = "0" if made[0].units else "3"


def _cloze(line: str) -> str:
    made, _ = without_units(line)
    kind = "NUMERICAL" if made[0].is_number else "SHORTANSWER"
    accepted = [f"={one.text}:{one.tolerance or 0}" if one.is_number else "=" + re.sub(r"([\\}#~/\"*])", r"\\\1", one.text)
                for one in made]
    return _escaped(f"{{1:{kind}:{'~'.join(accepted)}}}")


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _html(text: str, pictures: Mapping[str, bytes]) -> str:
    return tex_html(text, lambda name: media_name(pictures[name], "@@PLUGINFILE@@/") if name in pictures else "")


def _put(part: Any, text: str, pictures: Mapping[str, bytes]) -> None:
    """``text`` and the files that it shows."""
    _in(part, "text").text = text
    for name in dict.fromkeys(re.findall(r"@@PLUGINFILE@@/([0-9a-f]{64})", text)):
        file = _in(part, "file", name=media_name(pictures[name], ""), path="/", encoding="base64")
        file.text = base64.b64encode(pictures[name]).decode()


def _texted(parent: Any, name: str, text: str) -> None:
    _in(_in(parent, name), "text").text = text


def _in(parent: Any, tag: str, /, **attributes: str) -> Any:
    return etree.SubElement(parent, tag, attributes)

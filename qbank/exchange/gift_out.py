"""Drafts as GIFT, Moodle's text format. Pure.

It carries no pictures, no model answers, no marking guides, no units and one blank a question.
"""

from __future__ import annotations

import re
from typing import BinaryIO

from markupsafe import escape

from qbank.exchange.drafts import Drafts, Loss, LossReport
from qbank.exchange.gathering import PICTURE, in_the_way, shown_losses, sound_draft, texts_of
from qbank.exchange.moodle import HTML
from qbank.exchange.moodle_marks import category_for, mark, tags_for
from qbank.exchange.moodle_out import key_losses, without_units
from qbank.exchange.tex_html import tex_html, tex_losses
from qbank.items.draft import LETTERS, Draft
from qbank.items.foreign import TEX
from qbank.items.markup import formulas_in, plain, to_html

ESCAPE = re.compile(r"[\\:#={}~]")


def write(items: Drafts, stream: BinaryIO) -> LossReport:
    """``items`` as a GIFT file (UTF-8) on ``stream``."""
    lines: list[str] = []
    losses: list[Loss] = []
    category, written = "", 0
    for number, found in enumerate(items.items, start=1):
        place, draft = found.place or f"第 {number} 题", sound_draft(found.draft)
        if problem := in_the_way(found, draft) or _in_the_way(draft):
            losses.append(Loss(place, "整题", f"没有写出：{problem}"))
            continue
        if category != (category := category_for(draft, found.knowledge)):
            lines += [f"$CATEGORY: {category}", ""]
        if tags := tags_for(draft)[0]:
            lines.append("// " + " ".join(f"[tag:{tag}]" for tag in tags))
        explanation = f"####{_gift(draft.explanation)}" if draft.explanation else ""
        lines += [f"{_gift(draft.stem, draft.stimulus)}{{{_answers(draft)}{explanation}}}", ""]
        written += 1
        losses += [*_losses(place, draft), *shown_losses(place, draft), *tex_losses(place, draft)]
    stream.write("\n".join(lines).encode())
    return LossReport("gift", written, tuple(losses))


def _in_the_way(draft: Draft) -> str:
    """Why this item cannot be written at all; empty: it can."""
    if draft.kind == "fill" and "\n" in draft.key:
        return "GIFT 一道题只能有一个空。"
    return "" if draft.kind in {"single", "multiple", "judge", "fill", "short", "essay"} else "题型没有确定。"


def _answers(draft: Draft) -> str:
    if draft.kind == "judge":
        return draft.key
    if draft.kind in {"short", "essay"}:
        return ""
    if draft.kind == "fill":
        made, _ = without_units(draft.key)
        if made[0].is_number:
            return "#" + " ".join(f"={one.text}:{one.tolerance or 0}" for one in made)
        return " ".join(f"=%100%{_escaped(one.text)}" for one in made)  # the weight guards words that begin with %
    share = f"{100 / max(len(draft.key), 1):.5f}".rstrip("0").rstrip(".")
    signs = ("=", "~") if draft.kind == "single" else (f"~%{share}%", "~%-100%")
    return "\n" + "".join(f"\t{signs[letter not in draft.key]}{_gift(text)}\n"
                          for letter, text in zip(LETTERS, draft.options, strict=False))


def _losses(place: str, draft: Draft) -> list[Loss]:
    losses = [Loss(place, field, f"太长，GIFT 的标签放不下：{value[:60]}。") for field, value in tags_for(draft)[1]]
    for field, text in texts_of(draft):
        for found in PICTURE.finditer(text):
            losses.append(Loss(place, field, f"GIFT 不能带图片，“{found['caption'] or '图'}”只写出了说明文字。"))
    if draft.stimulus:
        losses.append(Loss(place, "共用题干", "GIFT 里每道题各自带着这份材料；只有本系统读回时仍是一组。"))
    if draft.kind == "multiple":
        losses.append(Loss(place, "评分", "Moodle 按选对的比例给分，选错一个扣到 0 分；少选得部分分。"))
    if draft.kind == "fill":
        losses += key_losses(place, draft, units=False)
        if "*" in draft.key or "->" in draft.key:
            losses.append(Loss(place, "答案", "GIFT 里 * 是通配符，-> 是配对，请导入后核对答案。"))
    if draft.kind in {"short", "essay"}:
        losses += [Loss(place, field, f"GIFT 的问答题没有{field}。") for field, text in (("答案", draft.key), ("评分标准", draft.guide)) if text]
        if draft.kind == "short":
            losses.append(Loss(place, "题型", "GIFT 只有一种问答题，读回时是论述题。"))
    return losses


def _gift(text: str, stimulus: str = "") -> str:
    """``text`` plain where plain says it all, else as HTML."""
    words = plain(text)
    simple = not stimulus and not any(True for _ in formulas_in(text)) and not PICTURE.search(text) \
        and to_html(text, str) == escape(words) and not HTML.search(words) and not TEX.search(words) \
        and not re.search(r"\n|^[\[\s%]|::|[ \t]{2}|^//|^\$CATEGORY", words)
    if simple:
        return _escaped(words)
    inside = mark("stimulus", tex_html(stimulus, lambda name: "")) + tex_html(text, lambda name: "")
    return f"[html]{_escaped(inside)}"


def _escaped(text: str) -> str:
    return ESCAPE.sub(lambda found: f"\\{found.group()}", text).replace("\n", "\\n")

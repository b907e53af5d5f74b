"""GIFT, Moodle's text format, into drafts. Pure.

Everything that Moodle documents is understood: names, ``[html]`` and other formats, escapes, weights, feedback, general
feedback, numbers with tolerance or range, answers in the middle of a sentence, categories, tags in comments. Matching and
descriptions are named as not carried.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation

from qbank.exchange.drafts import Drafts
from qbank.exchange.fragments import Fragments
from qbank.exchange.gathering import Gathering, sound_text
from qbank.exchange.moodle import HTML
from qbank.exchange.moodle_answers import Answer, Read, choices, numerical, short_answers, with_blank
from qbank.exchange.moodle_marks import category_of, marked, tags_of
from qbank.exchange.plaintext import plain_markup, text_of
from qbank.items.draft import Draft
from qbank.items.markup import plain

SIGNS = "\\:#={}~n"
HIDDEN = {sign: chr(0xE000 + place) for place, sign in enumerate(SIGNS)}  # while the text is cut at the others
SHOWN = {hidden: "\n" if sign == "n" else sign for sign, hidden in HIDDEN.items()}
PRIVATE = re.compile("[\ue000-\ue00f]")
ESCAPED = re.compile(r"\\([\\:#={}~n])")
FORMAT = re.compile(r"\s*\[(html|moodle|plain|markdown)\]", re.IGNORECASE)
WEIGHT = re.compile(r"\s*%(-?\d+(?:\.\d+)?)%")
TAG = re.compile(r"\[tag:([^\]]*)\]")


@dataclass
class _Block:
    """The lines of one question, escapes hidden; ``line`` is its first."""

    line: int
    category: tuple[str, str, str]
    lines: list[str] = field(default_factory=list)
    tags: list[str] = field(default_factory=list)


def read(content: bytes, name: str) -> Drafts:
    """The questions of a GIFT file, in their order."""
    gathering = Gathering("gift")
    for block in _blocks(sound_text(text_of(content, name))):
        _question(block, gathering)
    return gathering.drafts(name)


def _blocks(text: str) -> Iterator[_Block]:
    category = ("", "", "")
    block: _Block | None = None
    tags: list[str] = []
    hidden = ESCAPED.sub(lambda found: HIDDEN[found[1]], PRIVATE.sub("", text))
    for number, line in enumerate(hidden.split("\n"), start=1):
        stripped = line.strip()
        if stripped.startswith("//"):
            tags += TAG.findall(_unhidden(stripped))
        elif stripped.startswith("$CATEGORY:"):
            category = category_of(_unhidden(stripped.removeprefix("$CATEGORY:").strip()))
        elif stripped:
            block = block or _Block(number, category, [], tags)
            block.lines.append(line)
            tags = []
        elif block:
            yield block
            block = None
    if block:
        yield block


def _question(block: _Block, gathering: Gathering) -> None:
    place, text = f"第 {block.line} 行", "\n".join(block.lines)
    texts = Fragments(gathering, place, lambda address: None, tex=True)
    if named := re.match(r"\s*::(.*?)::", text, re.DOTALL):
        text = text[named.end():]
    start, end = text.find("{"), text.rfind("}")
    if start < 0 and end < 0:
        gathering.note(f"{place}是一段说明文字，不是题目，没有读取：“{_unhidden(text).strip()[:40]}”。")
        return
    if start < 0 or end < start:
        texts.problem("花括号不成对，不能确定答案从哪里到哪里。")
        before, inside, after = text.replace("{", "").replace("}", ""), "", ""
    else:
        before, inside, after = text[:start], text[start + 1:end], text[end + 1:]
    if re.search(r"\w", after):  # the answer stands in the middle of the sentence
        before = f"{before.rstrip()} ____ {after.lstrip()}" if re.search(r"[A-Za-z]$", before.rstrip()) else f"{before.rstrip()}____{after}"
    parts = _text(before, texts, divided=True)
    inside, _, general = inside.partition("####")
    made = _answers(inside.strip(), parts[""], texts)
    if named and not " ".join(plain(parts[""]).split()).startswith(" ".join(_unhidden(named[1]).split())):
        gathering.note("题目的名称没有读取。")
    tags = tags_of(block.tags, texts)
    draft = Draft(made.kind, made.stem or parts[""], made.options, made.key, _text(general, texts)[""], tags.source, tags.difficulty,
                  block.category[0], block.category[1], "", parts["stimulus"], tags.source_page, tags.source_author)
    gathering.add(draft, place, block.line, tuple(texts.problems), block.category[2])


def _answers(inside: str, stem: str, texts: Fragments) -> Read:
    if not inside:
        return Read("essay")
    if inside.startswith("#"):
        return Read("fill", (), numerical(_numbers(inside[1:], texts), (), False, texts), with_blank(stem))
    word, _, feedback = inside.partition("#")
    if word.strip().upper() in {"T", "TRUE", "F", "FALSE"}:
        if feedback.strip():
            texts.note("作答后的反馈没有读取。")
        return Read("judge", (), "T" if word.strip().upper().startswith("T") else "F")
    if "~" not in inside and "=" in inside and "->" in inside:
        texts.problem("题型是配对题（matching），题库没有这种题型。")
        return Read("")
    answers = _listed(inside, texts)
    if "~" in inside:
        return choices(answers, "=" in inside, texts)
    return Read("fill", (), short_answers(answers, texts), with_blank(stem))


def _listed(inside: str, texts: Fragments) -> list[Answer]:
    """Answers behind ``=`` and ``~``; one that begins with neither is right, as Moodle has it for a single one."""
    made = []
    for found in texts.first(re.finditer(r"([=~]|^)([^=~]*)", inside)):
        sign, part = found.groups()
        if not sign and not part.strip():
            continue
        text, mark, feedback = part.partition("#")
        if mark and feedback.strip():
            texts.note("作答后的反馈没有读取。")
        worth = 0.0 if sign == "~" else 100.0
        if weight := WEIGHT.match(text):
            worth, text = float(weight[1]), text[weight.end():]
        bare = FORMAT.sub("", text, count=1) if FORMAT.match(text) else text
        made.append(Answer(_text(text, texts)[""], _unhidden(bare).strip(), worth))
    return made


def _numbers(inside: str, texts: Fragments) -> list[Answer]:
    """``3:2``, ``1..5``, or several behind ``=`` with weights."""
    made = []
    for one in _listed(inside, texts):
        low, dots, high = one.text.partition("..")
        if dots:
            try:
                ends = sorted((Decimal(low.strip()), Decimal(high.strip())))
                middle, margin = (ends[0] + ends[1]) / 2, (ends[1] - ends[0]) / 2
                made.append(Answer("", f"{middle}", one.fraction, f"{margin}"))
            except (InvalidOperation, ValueError):
                made.append(Answer("", one.text, one.fraction))
        else:
            value, _, margin_text = one.text.partition(":")
            made.append(Answer("", value.strip(), one.fraction, margin_text.strip() or "0"))
    return made


def _text(written: str, texts: Fragments, *, divided: bool = False) -> dict[str, str]:
    """A text as markup under ``""``; ``divided``: with what our own writer marked."""
    found = FORMAT.match(written)
    form = found[1].lower() if found else "moodle"
    text = _unhidden(written[found.end():] if found else written).strip()
    if form == "html" or (form == "moodle" and HTML.search(text)):
        return {name: texts.markup(html) for name, html in (marked(text) if divided else {"": text}).items()}
    if form == "markdown":
        texts.note("Markdown 格式按纯文本读取。")
    return {"": plain_markup(text), "stimulus": ""}


def _unhidden(text: str) -> str:
    return PRIVATE.sub(lambda found: SHOWN.get(found.group(), ""), text)

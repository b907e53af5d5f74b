"""Items as a Word paper, typed in the way that ``qbank.exchange.word`` reads back.

What is written is read again before it is handed out: a field that would come back otherwise stands in the loss report.
"""

from __future__ import annotations

import contextlib
import dataclasses
import io
import re
from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import BinaryIO

from docx import Document
from docx.document import Document as DocumentObject
from docx.enum.table import WD_TABLE_ALIGNMENT
from docx.enum.text import WD_ALIGN_PARAGRAPH
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from docx.shared import Mm, Pt
from docx.styles.style import ParagraphStyle
from docx.text.paragraph import Paragraph

from qbank.exchange import word
from qbank.exchange.drafts import Drafts, Found, Loss, LossReport
from qbank.exchange.word_package import numeral
from qbank.exchange.word_text import Pen, canonical
from qbank.items.answers import steps_of
from qbank.items.draft import CHOICES, WRITTEN, Draft, normalise
from qbank.items.markup import plain
from qbank.items.writing import half_width
from qbank.kernel.refused import Refused

PARTS = {"single": "单项选择题", "multiple": "多项选择题", "judge": "判断题", "fill": "填空题", "short": "简答题", "essay": "论述题"}
TAGS = {"single": "单选题", "multiple": "多选题", "judge": "判断题", "fill": "填空题", "short": "简答题", "essay": "论述题"}
GRADES = {1: "易", 2: "较易", 3: "中", 4: "较难", 5: "难"}
MOST_PARTS = 12
FIELDS = {"kind": "题型", "stem": "题干", "options": "选项", "key": "答案", "explanation": "解析", "guide": "评分标准", "stimulus": "共用题干",
          "source": "出处", "source_page": "出处页码", "source_author": "出处作者", "difficulty": "难度", "range_path": "鉴定范围",
          "point_segment": "鉴定点"}
ROW = re.compile(r"\s*\|.*\|\s*")
DASHES = re.compile(r"\s*\|(\s*:?-+:?\s*\|)+\s*")
TAB_STOPS = {2: (80,), 4: (40, 80, 120)}  # millimetres


def write(items: Drafts, stream: BinaryIO) -> LossReport:
    """A paper of ``items`` in their order, with key, explanation and everything else behind each."""
    content, losses = _written(items)
    stream.write(content)
    return LossReport("word", len(items.items), (*losses, *_changed(items.items, content)))


def _written(items: Drafts) -> tuple[bytes, list[Loss]]:
    document = Document()
    _page(document)
    pen = Pen(document, items.pictures)
    title = document.add_paragraph(style="Title")
    title.add_run(f"试题（共 {len(items.items)} 题）")
    paper = _Paper(document, pen, _headed(items.items))
    losses = []
    for number, found in enumerate(items.items, start=1):
        paper.item(number, found, _last_of_set(items.items, number))
        losses += [Loss(f"第 {number} 题", "公式和图片", sentence) for sentence in pen.lost]
        pen.lost.clear()
    buffer = io.BytesIO()
    document.save(buffer)
    return buffer.getvalue(), losses


class _Paper:
    """Writes one item after the other."""

    def __init__(self, document: DocumentObject, pen: Pen, headed: bool) -> None:
        self._document, self._pen, self._headed = document, pen, headed
        self._kind = self._stimulus = ""
        self._last: Paragraph = document.paragraphs[-1]
        self._parts = 0

    def item(self, number: int, found: Found, last: int) -> None:
        draft = normalise(found.draft)
        if self._headed and draft.kind != self._kind and draft.kind in PARTS:
            self._parts += 1
            self._kind = draft.kind
            self._document.add_paragraph(f"{numeral(self._parts, 'chineseCounting')}、{PARTS[draft.kind]}", style="Heading 2")
        if draft.stimulus and draft.stimulus != self._stimulus:
            self._blocks(f"【材料】（第 {number}～{last} 题）", draft.stimulus)
        self._stimulus = draft.stimulus
        tag = "" if self._headed or draft.kind not in TAGS else f"（{TAGS[draft.kind]}）"
        self._blocks(f"{number}. {tag}", draft.stem, keep=True)
        self._options(draft)
        self._behind(draft, found)

    def _options(self, draft: Draft) -> None:
        per_line = _per_line(draft.options)
        for start in range(0, len(draft.options), per_line):
            paragraph = self._paragraph(keep=True)
            for place in TAB_STOPS.get(per_line, ()):
                paragraph.paragraph_format.tab_stops.add_tab_stop(Mm(place))
            for place in range(start, min(start + per_line, len(draft.options))):
                self._pen.write(paragraph, ("\t" if place > start else "") + f"{chr(ord('A') + place)}. ")
                self._pen.write(paragraph, draft.options[place])

    def _behind(self, draft: Draft, found: Found) -> None:
        """Everything that candidates do not see."""
        self._labelled("参考答案" if draft.kind in WRITTEN else "答案", _key(draft))
        self._labelled("评分标准", _guide(draft.guide))
        self._labelled("解析", draft.explanation)
        line = [f"【{label}】{text}" for label, text in (("难度", GRADES.get(draft.difficulty, "")), ("鉴定范围", draft.range_path),
                                                       ("鉴定点", draft.point_segment), ("知识点", found.knowledge)) if text]
        if line:
            self._pen.write(self._paragraph(), "　".join(line))
        for label, text in (("出处", draft.source), ("出处页码", draft.source_page), ("出处作者", draft.source_author)):
            self._labelled(label, text)
        self._last.paragraph_format.space_after = Pt(8)

    def _labelled(self, label: str, text: str) -> None:
        if text:
            self._blocks(f"【{label}】", text)

    def _blocks(self, head: str, text: str, *, keep: bool = False) -> None:
        """``head`` and ``text``; its tables become tables."""
        paragraph: Paragraph | None = self._paragraph(keep=keep)
        self._pen.write(paragraph, head)  # type: ignore[arg-type]
        for is_table, lines in _split(text):
            if is_table:
                self._table(lines)
                paragraph = None
                continue
            paragraph = paragraph or self._paragraph(keep=keep)
            self._pen.write(paragraph, "\n".join(lines))

    def _table(self, lines: Sequence[str]) -> None:
        rows = [[cell.strip() for cell in re.split(r"(?<!\\)\|", line.strip()[1:-1])] for line in (lines[0], *lines[2:])]
        table = self._document.add_table(len(rows), max(map(len, rows)), style="Table Grid")
        table.alignment = WD_TABLE_ALIGNMENT.CENTER
        for row, cells in enumerate(rows):
            for column, text in enumerate(cells):
                self._pen.write(table.cell(row, column).paragraphs[0], text)

    def _paragraph(self, *, keep: bool = False) -> Paragraph:
        paragraph = self._last = self._document.add_paragraph()
        paragraph.paragraph_format.keep_with_next = keep or None
        return paragraph


def _key(draft: Draft) -> str:
    if draft.kind == "judge":
        return {"T": "正确", "F": "错误"}.get(draft.key, draft.key)
    if draft.kind == "fill" and not re.search(r"[;；]", draft.key):
        return "；".join(draft.key.split("\n"))
    return draft.key


def _guide(guide: str) -> str:
    try:
        steps = steps_of(guide)
    except ValueError:
        return guide
    return "\n".join(f"{step.text}（{step.half_points / 2:g}分）" for step in steps)


def _per_line(options: Sequence[str]) -> int:
    """Options beside each other where they are short and nothing in them looks like another option."""
    if any("\n" in text or "![" in text or re.search(r"(?<![A-Za-z0-9])[A-Ja-j]\s?[.、:)\]】\s]", half_width(text)) for text in options):
        return 1
    longest = max((sum(2 if ord(sign) > 0x2E80 else 1 for sign in plain(text)) for text in options), default=0)
    return 4 if longest <= 14 else 2 if longest <= 36 else 1


def _split(text: str) -> Iterator[tuple[bool, list[str]]]:
    """The lines of a text: runs of lines, and the lines of each table."""
    lines, place = text.split("\n"), 0
    run: list[str] = []
    while place < len(lines):
        if ROW.fullmatch(lines[place]) and place + 1 < len(lines) and DASHES.fullmatch(lines[place + 1]):
            if run:
                yield False, run
            end = place + 2
            while end < len(lines) and ROW.fullmatch(lines[end]):
                end += 1
            yield True, lines[place:end]
            run, place = [], end
        else:
            run.append(lines[place])
            place += 1
    if run:
        yield False, run


def _headed(items: Sequence[Found]) -> bool:
    """Part headings where the kinds come in few runs and no set mixes kinds; otherwise each item says its kind."""
    runs = sum(1 for _ in groupby(items, key=lambda found: found.draft.kind))
    sets = (list(group) for stimulus, group in groupby(items, key=lambda found: found.draft.stimulus) if stimulus)
    return runs <= MOST_PARTS and all(len({found.draft.kind for found in group}) == 1 for group in sets)


def _last_of_set(items: Sequence[Found], number: int) -> int:
    stimulus = items[number - 1].draft.stimulus
    while stimulus and number < len(items) and items[number].draft.stimulus == stimulus:
        number += 1
    return number


def _page(document: DocumentObject) -> None:
    section = document.sections[0]
    section.page_width, section.page_height = Mm(210), Mm(297)
    section.left_margin = section.right_margin = Mm(25)
    section.top_margin = section.bottom_margin = Mm(22)
    for name, chinese, size in (("Normal", "宋体", 10.5), ("Title", "黑体", 16), ("Heading 2", "黑体", 12)):
        style = document.styles[name]
        assert isinstance(style, ParagraphStyle)  # noqa: S101 - the template's own styles
        style.font.name, style.font.size = "Times New Roman", Pt(size)
        fonts = style.element.get_or_add_rPr().get_or_add_rFonts()
        fonts.set(qn("w:eastAsia"), chinese)
        for theme in ("asciiTheme", "hAnsiTheme", "eastAsiaTheme", "cstheme"):
            fonts.attrib.pop(qn(f"w:{theme}"), None)
        style.paragraph_format.space_after = Pt(2)
        style.font.color.rgb = None
    document.styles["Title"].paragraph_format.alignment = WD_ALIGN_PARAGRAPH.CENTER
    footer = section.footer.paragraphs[0]
    footer.alignment = WD_ALIGN_PARAGRAPH.CENTER
    field = OxmlElement("w:fldSimple")
    field.set(qn("w:instr"), "PAGE")
    footer._p.append(field)


def _changed(items: Sequence[Found], content: bytes) -> Iterator[Loss]:
    """What would come back otherwise, found by reading the file again."""
    try:
        back = word.read(content, "导出.docx").items
    except Refused:
        back = ()
    if len(back) != len(items):
        yield Loss("全卷", "题目", f"写出 {len(items)} 题，再读入时认出 {len(back)} 题：有的题目文字与题号、选项的写法相混。")
        return
    for number, (found, again) in enumerate(zip(items, back, strict=True), start=1):
        yield from _differences(number, _as_read(found.draft), again.draft)
        for problem in again.problems:
            if problem not in found.problems and not problem.startswith("没有找到答案"):
                yield Loss(f"第 {number} 题", "题目", f"再读入时会提示：{problem}")


def _differences(number: int, draft: Draft, again: Draft) -> Iterator[Loss]:
    for name, chinese in FIELDS.items():
        before, after = getattr(draft, name), getattr(again, name)
        if before != after and not (name == "kind" and draft.kind not in PARTS):
            shown = "、".join(after) if isinstance(after, tuple) else str(after)
            yield Loss(f"第 {number} 题", chinese, f"再读入时会变成“{shown[:60]}”，请核对。" if shown else "再读入时会丢失。")


def _as_read(draft: Draft) -> Draft:
    draft = normalise(draft)
    texts = {name: canonical(getattr(draft, name)) for name in ("stem", "key", "explanation", "guide", "stimulus", "source")
             if name != "key" or draft.kind not in CHOICES | {"judge"}}
    guide = texts["guide"]
    if guide:
        with contextlib.suppress(ValueError):
            guide = "\n".join(f"{step.half_points / 2:g}|{step.text}" for step in steps_of(guide))
    return dataclasses.replace(
        draft, options=tuple(map(canonical, draft.options)), stem=texts["stem"], key=texts.get("key", draft.key), guide=guide,
        explanation=texts["explanation"], stimulus=texts["stimulus"], source=texts["source"])

"""Papers from Word, WPS and LibreOffice (.docx): every paragraph and table in its order, as somebody would have typed them.

What is read: automatic numbers and letters, tabs and line breaks, insertions of tracked changes, bold that sets words off,
raised and lowered signs, underlined blanks, symbols, pictures, formulas, tables. What is not read is named: hidden text,
text boxes, notes, shapes, pictures in formats that no browser shows.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from lxml import etree

from qbank.exchange.drafts import Drafts
from qbank.exchange.gathering import Gathering
from qbank.exchange.typed import read_blocks
from qbank.exchange.typed_signs import Grid, Line, quoted
from qbank.exchange.word_package import Numbering, Package, w
from qbank.exchange.word_runs import Runs, text_of
from qbank.items.writing import CONTROL
from qbank.kernel.refused import Refused

MOST_PARAGRAPHS = 200_000
WRAPPERS = {"sdt", "sdtContent", "customXml", "ins", "moveTo", "smartTag"}


class Document:
    """The blocks of a document, and what is worth a note."""

    def __init__(self, package: Package) -> None:
        self._package = package
        self.gathering = Gathering("word")
        self._numbering = Numbering(package)
        self._runs = Runs(package, self.gathering)
        self._paragraphs = self._tables = 0
        self._revised = False
        self.notes: list[str] = []

    def blocks(self) -> list[Line | Grid]:
        body = self._package.document.find(w("body"))
        made = list(self._blocks(body)) if body is not None else []
        self._margins()
        if self._revised:
            self.notes.append("文件里有修订标记：插入的内容按接受读取，删除的内容没有读取。")
        return made

    def _blocks(self, body: etree._Element) -> Iterator[Line | Grid]:
        gap = False
        for element in body:
            if not isinstance(element.tag, str):
                continue
            name = etree.QName(element).localname
            if name == "p":
                lines = list(self._paragraph(element, gap=gap))
                gap = not lines
                yield from lines
            elif name == "tbl":
                self._tables += 1
                yield self._grid(element, f"表格 {self._tables}")
                gap = False
            elif name in WRAPPERS:
                self._revised = self._revised or name == "ins"
                yield from self._blocks(element)
            elif name == "altChunk":
                self.notes.append(f"第 {self._paragraphs} 段之后嵌入了另一个文档，没有读取，请复制其中的内容粘贴到正文。")

    def _paragraph(self, element: etree._Element, *, gap: bool = False, table: str = "") -> Iterator[Line]:
        text, problems, place = self._text(element, table)
        for count, part in enumerate(text.split("\n")):
            if part.strip() or (problems and not count):
                yield Line(part, place, self._paragraphs, soft=count > 0, gap=gap and not count, problems=tuple(problems) if not count else ())

    def _text(self, element: etree._Element, table: str) -> tuple[str, list[str], str]:
        """(text of the paragraph with its automatic number, problems, place)."""
        properties = element.find(w("pPr"))
        words = self._runs.words(element)
        text = CONTROL.sub(lambda found: "\t" if found.group() == "\t" else "", text_of(words))
        filled = bool(text.strip() or words.problems or words.boxes or words.hidden)
        if filled and not table:
            self._paragraphs += 1
            if self._paragraphs > MOST_PARAGRAPHS:
                raise Refused("too_large", f"“{self._package.name}”超过 {MOST_PARAGRAPHS} 段，请拆成几个文件。")
        place = table or f"第 {self._paragraphs} 段"
        if text.strip() or not _is_empty(element):
            text = self._numbering.label(properties) + text
        self._revised = self._revised or words.revised
        self._note(words.boxes, place, "有文本框，没有读取")
        self._note(["".join(words.hidden)], place, "有隐藏文字，没有读取")
        self.notes += [f"{place}{note}。" for note in dict.fromkeys(words.notes)]
        return text, [f"{place}{problem}" for problem in dict.fromkeys(words.problems)], place

    def _note(self, texts: list[str], place: str, what: str) -> None:
        self.notes += [f"{place}{what}：{quoted(text, 60)}。" for text in texts if text.strip()]

    def _grid(self, table: etree._Element, place: str) -> Grid:
        rows, problems = [], []
        for row in _rows(table):
            cells: list[str] = []
            for cell in _cells(row):
                lines = []
                for paragraph in cell.iter(w("p")):
                    if not _is_within(paragraph, cell):
                        continue
                    text, found, _ = self._text(paragraph, place)
                    lines.append(text)
                    problems += found
                merged = cell.find(f"{w('tcPr')}/{w('vMerge')}")
                going_on = merged is not None and merged.get(w("val")) != "restart"
                span = cell.find(f"{w('tcPr')}/{w('gridSpan')}")
                width = int(span.get(w("val")) or 1) if span is not None and (span.get(w("val")) or "").isdecimal() else 1
                cells += ["" if going_on else "\n".join(line for line in lines if line.strip()), *[""] * (min(width, 60) - 1)]
            rows.append(tuple(cells))
        return Grid(tuple(rows), place, self._paragraphs, tuple(dict.fromkeys(problems)))

    def _margins(self) -> None:
        """Running heads and feet are furniture; they are named so that nobody misses them."""
        texts = ["".join(part.text or "" for part in margin.iter(w("t"))).strip()
                 for kind in ("/header", "/footer") for margin in self._package.parts(kind)]
        if shown := list(dict.fromkeys(text for text in texts if re.search(r"[\u4e00-\u9fffA-Za-z]", text))):
            self.notes.append(f"页眉页脚没有读取：{'、'.join(quoted(text) for text in shown[:4])}。")


def read(content: bytes, name: str) -> Drafts:
    """The items of a Word document. Refuses what is no .docx, is locked, carries macros or holds no items."""
    document = Document(Package(content, name))
    blocks = document.blocks()
    drafts = read_blocks(blocks, "word", document.notes)
    if not drafts.items:
        raise Refused("nothing_to_read", f"“{name}”里没有找到题目。请用 1. 2. 3. 给题目编号，选项以 A. B. C. D. 开头。", drafts.notes[:20])
    used = set(re.findall(r"\(media:([0-9a-f]{64})\)", "\n".join(_texts(drafts))))
    pictures = {name: content for name, content in document.gathering.pictures.items() if name in used}
    lost = len(document.gathering.pictures) - len(pictures)
    notes = [*drafts.notes, *([f"有 {lost} 张图片不属于任何题目，没有读取。"] if lost else [])]
    return Drafts(drafts.items, "word", pictures, tuple(notes))


def _texts(drafts: Drafts) -> Iterator[str]:
    for found in drafts.items:
        draft = found.draft
        yield from (draft.stem, *draft.options, draft.key, draft.explanation, draft.guide, draft.stimulus, draft.source)


def _rows(table: etree._Element) -> Iterator[etree._Element]:
    for row in table.iter(w("tr")):
        if next(row.iterancestors(w("tbl"))) is table:
            yield row


def _cells(row: etree._Element) -> Iterator[etree._Element]:
    for cell in row.iter(w("tc")):
        if next(cell.iterancestors(w("tr"))) is row:
            yield cell


def _is_within(paragraph: etree._Element, cell: etree._Element) -> bool:
    """A paragraph of a table inside of the cell counts as the cell's; one of a text box does not."""
    for parent in paragraph.iterancestors():
        if parent is cell:
            return True
        if parent.tag == w("txbxContent"):
            return False
    return False


def _is_empty(element: etree._Element) -> bool:
    """Word numbers an empty paragraph too, but nobody sees a question there."""
    return next(element.iter(w("t"), w("drawing"), w("pict"), w("object"), w("sym")), None) is None

"""The text of a Word paragraph as markup: runs, fields, symbols, pictures and formulas in their place."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from lxml import etree

from qbank.exchange.gathering import Gathering
from qbank.exchange.omml import M, to_latex, unknown_in
from qbank.exchange.word_fields import equation_of
from qbank.exchange.word_package import Package, R, kind_of, w
from qbank.exchange.word_symbols import font_of, in_font, symbol_of
from qbank.items import markup

A = "http://schemas.openxmlformats.org/drawingml/2006/main"
MC = "http://schemas.openxmlformats.org/markup-compatibility/2006"
SVG = "http://schemas.microsoft.com/office/drawing/2016/SVG/main"
NOT_READ = {"del", "moveFrom", "instrText", "delText", "delInstrText", "bookmarkStart", "bookmarkEnd", "proofErr", "rPr", "pPr",
            "commentRangeStart", "commentRangeEnd", "lastRenderedPageBreak", "softHyphen", "annotationRef", "permStart", "permEnd", "sdtPr",
            "sdtEndPr", "sectPr", "tblPr", "smartTagPr", "footnoteRef", "endnoteRef", "separator", "continuationSeparator", "rt"}
SIMPLE = {"tab": "\t", "ptab": "\t", "br": "\n", "cr": "\n", "noBreakHyphen": "-"}
OFF = {"0", "false", "off", "none"}
SYSTEM_CAPTION = re.compile(r"[\\/]|^(?:IMG|DSC|QQ|image|图片|Picture)?[\s_-]*\d*(?:\.\w+)?$|[0-9a-fA-F]{12,}|自动生成", re.IGNORECASE)


@dataclass(frozen=True)
class Look:
    """How a run looks, as far as it means something."""

    bold: bool = False
    underlined: bool = False
    raised: str = ""  # superscript or subscript
    raw: bool = False  # markup already: a picture, a formula


@dataclass
class Words:
    """What a paragraph says, in pieces, with what was lost and what is worth a note."""

    pieces: list[tuple[str, Look]] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    hidden: list[str] = field(default_factory=list)
    boxes: list[str] = field(default_factory=list)  # texts of text boxes
    notes: list[str] = field(default_factory=list)
    revised: bool = False


class Runs:
    """Reads paragraphs; pictures go to ``gathering``."""

    def __init__(self, package: Package, gathering: Gathering) -> None:
        self._package = package
        self._gathering = gathering
        styles = package.optional("/styles")
        default = None if styles is None else styles.find(f"{w('docDefaults')}/{w('rPrDefault')}/{w('rPr')}/{w('sz')}")
        self._default_size = self._size = 21 if default is None else _number(default.get(w("val")))
        self._fields: list[list[str]] = []  # the instructions of the open complex fields
        self._shown: list[bool] = []  # whether the result of each is being read

    def words(self, paragraph: etree._Element) -> Words:
        words = Words()
        sizes = [_number(size.get(w("val"))) for size in paragraph.iter(w("sz"))]
        self._size = max([self._default_size, *sizes])
        leader = any(tab.get(w("leader")) in {"underscore", "heavy"} for tab in paragraph.iter(w("tab")) if tab.get(w("leader")))
        self._inside(paragraph, words, leader)
        return words

    def _inside(self, element: etree._Element, words: Words, leader: bool) -> None:
        for child in element:
            if not isinstance(child.tag, str):
                continue
            name = etree.QName(child)
            if name.localname in NOT_READ:
                words.revised = words.revised or name.localname in {"del", "moveFrom"}
            elif name.namespace == M and name.localname == "oMathPara":
                for formula in child.iter(f"{{{M}}}oMath"):
                    self._formula(formula, words, block=len(element.findall(w("r"))) == 0)
            elif name.namespace == M and name.localname == "oMath":
                self._formula(child, words, block=False)
            elif name.localname == "r":
                self._run(child, words, leader)
            elif name == etree.QName(MC, "AlternateContent"):
                self._alternate(child, words)
            elif name.localname in {"drawing", "pict", "object"}:
                self._drawn(child, words)
            else:
                words.revised = words.revised or name.localname == "ins"
                self._inside(child, words, leader)

    def _run(self, run: etree._Element, words: Words, leader: bool) -> None:
        properties = run.find(w("rPr"))
        look = _look(properties, self._size)
        hidden = _on(properties, "vanish") or (_on(properties, "webHidden") and False)
        font = font_of(properties)
        for child in run:
            if not isinstance(child.tag, str):
                continue
            name = etree.QName(child).localname
            if name == "fldChar":
                self._field(child.get(w("fldCharType")), words)
            elif name in {"instrText", "delInstrText"}:
                if self._fields and name == "instrText":
                    self._fields[-1].append(child.text or "")
            elif name == "t" or name in SIMPLE or name == "sym":
                text = symbol_of(child) if name == "sym" else SIMPLE.get(name) or in_font(child.text or "", font)
                if name == "br" and child.get(w("type")) in {"page", "column"}:
                    continue
                if not self._visible():
                    continue
                if hidden:
                    words.hidden.append(text)
                elif name in {"tab", "ptab"} and leader:
                    words.pieces.append(("____", Look()))
                else:
                    words.pieces.append((text, look))
            elif name == "ruby":
                base = child.find(w("rubyBase"))
                if base is not None:
                    self._inside(base, words, leader)
            elif name in {"footnoteReference", "endnoteReference"}:
                words.notes.append("有脚注或尾注，注文没有读取")
            elif name == "AlternateContent":
                self._alternate(child, words)
            elif name in {"drawing", "pict", "object"}:
                self._drawn(child, words)
            elif name == "oMath":
                self._formula(child, words, block=False)

    # Fields: their results are text; EQ fields draw fractions and roots

    def _visible(self) -> bool:
        return all(self._shown)

    def _field(self, kind: str | None, words: Words) -> None:
        if kind == "begin" and len(self._fields) < 20:
            self._fields.append([])
            self._shown.append(False)
        elif kind == "separate" and self._shown:
            instruction = "".join(self._fields[-1]).strip()
            self._shown[-1] = not instruction.upper().startswith(("EQ ", "PAGE ", "NUMPAGES "))
        elif kind == "end" and self._shown:
            instruction = "".join(self._fields.pop()).strip()
            self._shown.pop()
            if instruction.upper().startswith("EQ ") and self._visible():
                latex = equation_of(instruction[3:])
                if latex:
                    words.pieces.append((markup.formula(latex), Look(raw=True)))
                else:
                    words.problems.append(f"有一个域公式（{{ {instruction[:40]} }}）无法读取，请改用 Word 的公式编辑器录入。")

    # Formulas and pictures

    def _formula(self, element: etree._Element, words: Words, *, block: bool) -> None:
        latex = to_latex(element)
        if not latex:
            return
        if strange := unknown_in(element):
            words.problems.append(f"有一个公式里的“{'、'.join(strange[:3])}”结构无法转换，请核对公式。")
        words.pieces.append((markup.formula(latex, block=block), Look(raw=True)))

    def _alternate(self, element: etree._Element, words: Words) -> None:
        """Word writes new drawings twice; the first choice is taken, the fallback where that has nothing."""
        choice, fallback = element.find(f"{{{MC}}}Choice"), element.find(f"{{{MC}}}Fallback")
        for part in (choice, fallback):
            if part is not None:
                before = len(words.pieces) + len(words.boxes) + len(words.problems)
                for child in part:
                    if isinstance(child.tag, str):
                        self._drawn(child, words)
                if len(words.pieces) + len(words.boxes) + len(words.problems) > before:
                    return

    def _drawn(self, element: etree._Element, words: Words) -> None:
        boxes = list(element.iter(w("txbxContent")))
        for box in boxes:
            text = "".join(part.text or "" for part in box.iter(w("t"))).strip()
            if text and text not in words.boxes:
                words.boxes.append(text)
        inside = list(element.iter(f"{{{A}}}blip"))
        images = [one for one in element.iter() if isinstance(one.tag, str) and etree.QName(one).localname == "imagedata"]
        ole = next((one for one in element.iter() if isinstance(one.tag, str) and etree.QName(one).localname == "OLEObject"), None)
        caption = _caption(element)
        for blip in inside:
            svg = blip.find(f".//{{{SVG}}}svgBlip")
            relations = ["" if svg is None else svg.get(f"{{{R}}}embed") or "", blip.get(f"{{{R}}}embed") or ""]
            self._picture([one for one in relations if one], caption, words)
        for image in images:
            self._picture([image.get(f"{{{R}}}id") or ""], caption, words, ole)
        if not inside and not images and not boxes and _draws(element):
            words.problems.append("有形状、图表或 SmartArt，无法读取，请截图后以图片插入。")

    def _picture(self, relations: list[str], caption: str, words: Words, ole: etree._Element | None = None) -> None:
        contents = [content for one in relations if (content := self._package.linked(one))]
        for content in contents:
            if kind_of(content) in {"png", "jpeg", "svg"}:
                name = self._gathering.keep(content)
                words.pieces.append((markup.picture(name, caption), Look(raw=True)))
                return
        program = "" if ole is None else ole.get("ProgID") or ""
        if program.startswith("Equation"):
            words.problems.append("有 MathType 或公式 3.0 的公式，无法读取，请在 Word 里改成自带的公式（插入→公式）或图片（png）。")
        elif contents:
            words.problems.append(f"有一张 {kind_of(contents[0]) or '未知'} 格式的图片，无法读取，请换成 png 或 jpeg 图片。")
        else:
            words.problems.append("有一张链接到文件以外的图片，无法读取，请把图片插入文档。")


def text_of(words: Words) -> str:
    """The pieces as one markup text; bold only where it sets something off."""
    merged = list(_merged(words.pieces))
    written = [(text, look) for text, look in merged if text.strip() and not look.raw]
    all_bold = all(look.bold for text, look in written if re.search(r"\w", text))
    made = ""
    for text, look in merged:
        made += text if look.raw else _dressed(text, look, made, all_bold)
    return TYPED_FORMULA.sub(lambda found: f"${found[1]}$" if re.search(r"[\\^_{]", found[1]) else found.group(), made)


def _dressed(text: str, look: Look, before: str, all_bold: bool) -> str:
    if look.raised and text.strip():
        sign = "^" if look.raised == "superscript" else "_"
        return f"${sign}{{{_in_formula(text.strip())}}}$"
    if look.underlined:
        if not text.strip(" \t\u3000\xa0_\n"):
            return "____" + ("\n" if "\n" in text else "")
        return f"\ue003{markup.escape(text)}\ue004"
    if look.bold and not all_bold and (found := EMPHASIS.fullmatch(text)) and not (LABELLED.search(text) or (not before.strip() and LEADING.match(text))):
        return f"{found[1]}**{markup.escape(found[2])}**{found[3]}"
    return markup.escape(text)


TYPED_FORMULA = re.compile(r"\\\$(?=\S)((?:[^$\\\n]|\\(?!\$)){1,400}?)(?<=\S)\\\$")
EMPHASIS = re.compile(r"(\s*)(\S(?:.*\S)?)(\s*)")
LABELLED = re.compile(r"答案|解析|[:：】]\s*$|^[\s\d.、．()（）A-Ja-j√×，。]*$")
LEADING = re.compile(r"\s*[（(]?\d{1,3}\s*[.、．)）]|\s*[（(]?[A-Ja-j][.、．)）]|\s*[一二三四五六七八九十]+、")


def _merged(pieces: list[tuple[str, Look]]) -> Iterator[tuple[str, Look]]:
    waiting: tuple[str, Look] | None = None
    for text, look in pieces:
        if not look.raw and waiting and waiting[1] == look:
            waiting = (waiting[0] + text, look)
            continue
        if waiting:
            yield waiting
        waiting = (text, look)
    if waiting:
        yield waiting


def _in_formula(text: str) -> str:
    words = "".join(f"\\{sign}" if sign in "{}$%#&_" else sign for sign in text.replace("\\", ""))
    return re.sub(r"[\u2e80-\u9fff\uff00-\uffef]+", lambda found: rf"\text{{{found.group()}}}", words)


def _look(properties: etree._Element | None, size: int) -> Look:
    if properties is None:
        return Look()
    raised = _value(properties, "vertAlign")
    position, own = _number(_value(properties, "position")), _number(_value(properties, "sz"))
    if position and not raised and 0 < own <= 0.9 * size:  # so LibreOffice writes raised signs
        raised = "superscript" if position > 0 else "subscript"
    underline = properties.find(w("u"))
    return Look(_on(properties, "b") or (properties.find(w("em")) is not None and _value(properties, "em") not in OFF),
                underline is not None and (underline.get(w("val")) or "single") not in OFF, raised if raised in {"superscript", "subscript"} else "")


def _on(properties: etree._Element | None, name: str) -> bool:
    part = None if properties is None else properties.find(w(name))
    return part is not None and (part.get(w("val")) or "1") not in OFF


def _value(properties: etree._Element, name: str) -> str:
    part = properties.find(w(name))
    return "" if part is None else part.get(w("val")) or ""


def _number(text: str | None) -> int:
    return int(text) if text and re.fullmatch(r"-?\d{1,5}", text) else 0


def _caption(element: etree._Element) -> str:
    for part in element.iter():
        if isinstance(part.tag, str) and etree.QName(part).localname == "docPr":
            words = (part.get("descr") or "").strip()
            return "" if SYSTEM_CAPTION.search(words) or len(words) > 60 else words
    return ""


def _draws(element: etree._Element) -> bool:
    names = {etree.QName(part).localname for part in element.iter() if isinstance(part.tag, str)}
    return bool(names & {"chart", "relIds", "wsp", "wgp", "wpc", "shape", "rect", "line", "oval", "group", "roundrect", "polyline", "OLEObject"})

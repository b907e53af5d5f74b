"""Markup texts as runs of a Word paragraph: formulas, raised signs, pictures, bold."""

from __future__ import annotations

import copy
import io
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from docx.document import Document
from docx.opc.constants import RELATIONSHIP_TYPE
from docx.opc.packuri import PackURI
from docx.opc.part import Part
from docx.shared import Emu
from docx.text.paragraph import Paragraph
from docx.text.run import Run
from lxml import etree

from qbank.exchange.gathering import sound_text
from qbank.exchange.omml import to_latex
from qbank.exchange.omml_out import to_omml
from qbank.exchange.word_package import R, kind_of
from qbank.exchange.word_runs import SVG, A
from qbank.items.notation import TOKEN
from qbank.items.writing import CONTROL

RAISED = re.compile(r"(?P<sign>[\^_])\{(?P<text>[^{}\\$]{1,20})\}")
WIDEST = 5_200_000  # EMU: what fits between the margins of an A4 page
NOTHING = bytes.fromhex("89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c4890000000d49444154789c6360606060000000050001"
                        "a5f645400000000049454e44ae426082")  # a transparent pixel, for programs that do not know SVG


@dataclass
class Pen:
    """Writes texts into one document and remembers what it could not write."""

    document: Document
    pictures: Mapping[str, bytes]
    lost: list[str] = field(default_factory=list)

    def write(self, paragraph: Paragraph, text: str, *, bold: bool = False) -> None:
        """``text`` behind what the paragraph already says; its line ends become line breaks."""
        place = 0
        for found in TOKEN.finditer(text):
            self._plain(paragraph, text[place:found.start()], bold)
            place = found.end()
            if found["sign"]:
                self._plain(paragraph, found["sign"], bold)
            elif found["bold"]:
                self.write(paragraph, found["bold"], bold=True)
            elif found["picture"]:
                self._picture(paragraph, found["picture"], found["caption"] or "")
            else:
                self._formula(paragraph, (found["display"] or found["inline"]).strip(), block=bool(found["display"]))
        self._plain(paragraph, text[place:], bold)

    def _plain(self, paragraph: Paragraph, text: str, bold: bool) -> None:
        text = CONTROL.sub(lambda found: found.group() if found.group() == "\t" else "", sound_text(text))
        if text:
            run = paragraph.add_run(text)
            run.bold = True if bold else None

    def _formula(self, paragraph: Paragraph, latex: str, *, block: bool) -> None:
        if raised := RAISED.fullmatch(latex):
            run = paragraph.add_run(raised["text"])
            if raised["sign"] == "^":
                run.font.superscript = True
            else:
                run.font.subscript = True
            return
        made = to_omml(latex)
        if made is None:
            self.lost.append(f"公式“{latex[:60]}”不能写成 Word 公式，写成了 LaTeX 源码。")
            self._plain(paragraph, f"${latex}$", bold=False)
        elif block:
            outer = etree.SubElement(paragraph._p, made.tag.replace("}oMath", "}oMathPara"))
            outer.append(made)
        else:
            paragraph._p.append(made)

    def _picture(self, paragraph: Paragraph, name: str, caption: str) -> None:
        content = self.pictures.get(name)
        if content is None:
            self.lost.append(f"图片“{caption or name[:8]}”的内容不在题库里，没有写出。")
            return
        run, kind = paragraph.add_run(), kind_of(content)
        try:
            shape = run.add_picture(io.BytesIO(NOTHING if kind == "svg" else content))
        except Exception:  # python-docx fails in many ways on pictures that it cannot measure
            self.lost.append(f"图片“{caption or name[:8]}”的格式 Word 不支持，没有写出。")
            return
        if kind == "svg":
            self._svg(run, name, content)
            shape.width, shape.height = _svg_size(content)
        elif shape.width > WIDEST:
            shape.height, shape.width = Emu(int(shape.height * WIDEST / shape.width)), Emu(WIDEST)
        properties = run._r.find(".//{http://schemas.openxmlformats.org/drawingml/2006/wordprocessingDrawing}docPr")
        if properties is not None:
            properties.set("descr", sound_text(caption))

    def _svg(self, run: Run, name: str, content: bytes) -> None:
        part = Part(PackURI(f"/word/media/{name}.svg"), "image/svg+xml", content, self.document.part.package)
        relation = self.document.part.relate_to(part, RELATIONSHIP_TYPE.IMAGE)
        blip = run._r.find(f".//{{{A}}}blip")
        if blip is None:
            return
        extension = etree.SubElement(etree.SubElement(blip, f"{{{A}}}extLst"), f"{{{A}}}ext")
        extension.set("uri", "{96DAC541-7B7A-43D3-8B79-37D633B846F1}")
        etree.SubElement(extension, f"{{{SVG}}}svgBlip", nsmap={"asvg": SVG}).set(f"{{{R}}}embed", relation)


def canonical(text: str) -> str:
    """A text as it reads back from Word: the same formulas, in this program's way of writing LaTeX."""
    def formula(found: re.Match[str]) -> str:
        latex = (found["display"] or found["inline"] or "").strip()
        if not latex:
            return found.group()
        if RAISED.fullmatch(latex):
            return f"${latex}$"
        made = to_omml(latex)
        written = latex if made is None else to_latex(copy.deepcopy(made))
        return f"$${written}$$" if found["display"] and made is not None else f"${written}$"
    return TOKEN.sub(formula, text)


def _svg_size(content: bytes) -> tuple[Emu, Emu]:
    """Width and height in EMU as the drawing says, or a middling size."""
    found = re.search(rb'viewBox\s*=\s*["\']\s*[-\d.]+[\s,]+[-\d.]+[\s,]+([\d.]+)[\s,]+([\d.]+)', content[:4000])
    width, height = (float(found[1]), float(found[2])) if found else (200.0, 150.0)
    wide = min(max(width, 20.0) * 9525, WIDEST)
    return Emu(int(wide)), Emu(int(wide * max(height, 1.0) / max(width, 1.0)))

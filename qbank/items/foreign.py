"""HTML of other programs as markup: cleaned with nh3, and a sentence for everything that the markup cannot hold. Pure."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable
from typing import Any

import lxml.html
import nh3

from qbank.items.formulas import ELEMENTS, to_latex
from qbank.items.notation import TOKEN, escape, formula, picture, table
from qbank.items.writing import CONTROL, clean
from qbank.kernel.refused import Refused

BLOCKS = frozenset({"p", "div", "h1", "h2", "h3", "h4", "h5", "h6", "blockquote", "ul", "ol", "dl", "dt", "dd", "pre", "hr"})
TAGS = BLOCKS | ELEMENTS | {"br", "b", "strong", "i", "em", "u", "s", "sub", "sup", "span", "table", "thead", "tbody", "tfoot",
                                     "tr", "th", "td", "caption", "img", "li", "code", "semantics", "annotation"}
ATTRIBUTES = {"img": {"src", "alt"}, "td": {"colspan", "rowspan"}, "th": {"colspan", "rowspan"}, "code": {"class"},
              "math": {"display", "alttext"}, "annotation": {"encoding"}, "mtable": set(), "ol": {"start"}}
SCHEMES = {"http", "https", "data", "media", "cid", "file"}
LOST = (("script|object|embed|iframe|applet", "脚本和嵌入的对象没有保留。"), ("video|audio", "音频、视频没有保留。"),
        ("svg|canvas", "直接画在网页里的图没有保留，请另存为图片后插入。"), ("input|select|textarea|button", "表单控件没有保留。"),
        ("a", "链接只保留了文字。"), ("i|em|u|s|font", "斜体、下划线、颜色等格式没有保留。"))
RAISED = str.maketrans("0123456789+-−()n", "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁻⁽⁾ⁿ")
LOWERED = str.maketrans("0123456789+-−()", "₀₁₂₃₄₅₆₇₈₉₊₋₋₍₎")
# No second opening inside: else a file full of openings would take the square of its length.
TEX = re.compile(r"(?<!\\)\\\((?P<inline>(?:(?!(?<!\\)\\\().)+?)(?<!\\)\\\)|(?<!\\)\\\[(?P<display>(?:(?!(?<!\\)\\\[).)+?)(?<!\\)\\\]"
                 r"|\$\$(?P<dollars>.+?)\$\$", re.DOTALL)
DATA = re.compile(r"data:image/[\w.+-]+;base64,(?P<content>[\w+/=\s]*)")
MEDIA = re.compile(r"media:(?P<sha256>[0-9a-f]{64})")
DEEPEST = 100


def from_html(html: str, keep_picture: Callable[[bytes, str], str], fetch_picture: Callable[[str], bytes | None], *,
              tex: bool = False) -> tuple[str, tuple[str, ...]]:
    r"""HTML as markup, and a sentence for each thing that was lost.

    ``fetch_picture(src)`` gives the content of a picture of the file, None when it has none; ``keep_picture(content,
    caption)`` gives the hash under which it is kept, or raises Refused. Pictures inside the address (``data:``) and our own
    (``media:``) are known without asking. ``tex``: ``\(…\)``, ``\[…\]`` and ``$$…$$`` in the text are formulas.
    """
    html = CONTROL.sub(" ", html)
    cleaned = nh3.clean(html, tags=set(TAGS), attributes=ATTRIBUTES, url_schemes=SCHEMES, link_rel=None)
    reader = _Reader(keep_picture, fetch_picture, tex)
    reader.losses += [sentence for names, sentence in LOST if re.search(rf"<({names})\b(?![^>]*>\s*(&nbsp;|\s)*</u>)", html, re.IGNORECASE)]
    parser = lxml.html.HTMLParser(encoding="utf-8", no_network=True, huge_tree=False)
    tree = lxml.html.fragment_fromstring(cleaned.encode(), create_parent="div", parser=parser)
    if any("xcessive depth" in error.message for error in parser.error_log):
        reader.losses.append("嵌套层数太多，只保留了文字。")
        tree = lxml.html.fragment_fromstring(nh3.clean(html, tags=set()).encode(), create_parent="div", parser=parser)
    reader.read(tree, 0)
    return clean(reader.done()), tuple(dict.fromkeys(reader.losses))


class _Reader:
    """Walks through elements; ``made`` is markup, ``words`` the text since then, not escaped yet."""

    def __init__(self, keep_picture: Callable[[bytes, str], str], fetch_picture: Callable[[str], bytes | None], tex: bool) -> None:
        self.keep_picture, self.fetch_picture, self.tex = keep_picture, fetch_picture, tex
        self.made = self.words = ""
        self.bold = False
        self.entries: dict[Any, int] = {}  # of each list, so far
        self.losses: list[str] = []

    def done(self) -> str:
        self.flush()
        return self.made.replace("\xa0", " ")

    def read(self, element: Any, depth: int) -> None:
        """What is inside ``element``."""
        if depth > DEEPEST:
            self.say(str(element.text_content()))
            return
        self.say(element.text or "")
        for child in element:
            if isinstance(child.tag, str):
                self.element(child, depth + 1)
            self.say(child.tail or "")

    def element(self, element: Any, depth: int) -> None:
        special = {"br": self.break_line, "img": self.picture, "math": self.formula, "table": self.table, "pre": self.lines,
                   "b": self.strong, "strong": self.strong, "sub": self.shifted, "sup": self.shifted, "u": self.underlined,
                   "code": self.code, "li": self.entry, "hr": self.line_start}
        if element.tag in BLOCKS:
            self.line_start()
        if element.tag in special:
            special[element.tag](element, depth)
        else:
            self.read(element, depth)
        if element.tag in BLOCKS:
            self.line_start()

    def say(self, text: str) -> None:
        text = re.sub(r"[ \t\r\n\f]+", " ", text)
        self.words += text.lstrip(" ") if (self.words or self.made)[-1:] in {"", " ", "\n"} else text

    def flush(self) -> None:
        words, self.words = self.words, ""
        end = 0
        for found in TEX.finditer(words) if self.tex else ():
            self.write(self.escaped(words[end:found.start()]))
            self.write(formula(found["inline"] or found["display"] or found["dollars"], block=found["inline"] is None))
            end = found.end()
        self.write(self.escaped(words[end:]))

    def escaped(self, text: str) -> str:
        inside_a_line = self.made and not self.made.endswith("\n")
        return escape("x" + text)[1:] if inside_a_line else escape(text)

    def write(self, text: str) -> None:
        """Append markup so that the two ends do not mean something together."""
        if self.made.endswith("**") and text.startswith("**"):
            self.made, text = self.made[:-2], text[2:]
        elif ((self.made[-1:] in {"\\", "*", "!", "$"} and text[:1] in {"$", "*", "!", "|", "[", "\\"})
              or (self.made.endswith("$") and re.match(r"\d", text))):
            self.made += " "
        self.made += text

    def line_start(self, *_: Any) -> None:
        self.flush()
        self.made = self.made.rstrip(" ")
        if self.made and not self.made.endswith("\n"):
            self.made += "\n"

    def break_line(self, *_: Any) -> None:
        self.flush()
        self.made = self.made.rstrip(" ") + "\n"

    def apart(self, element: Any, depth: int) -> str:
        """The markup of what is inside ``element``, by itself."""
        self.flush()
        made, self.made = self.made, ""
        self.read(element, depth)
        self.flush()
        self.made, inside = made, self.made
        return inside

    def strong(self, element: Any, depth: int) -> None:
        outer, self.bold = self.bold, True
        inside = self.apart(element, depth)
        self.bold = outer
        for place, line in enumerate(inside.split("\n")):
            core = line.strip(" \xa0")
            bold = TOKEN.fullmatch(f"**{core}**")
            if place:
                self.made += "\n"
            before, _, after = line.partition(core) if core else (line, "", "")
            self.made += before
            self.write(f"**{core}**" if bold and bold["bold"] and not outer else core)
            self.made += after

    def shifted(self, element: Any, depth: int) -> None:
        text, raised = " ".join(str(element.text_content()).split()), element.tag == "sup"
        signs = text.translate(RAISED if raised else LOWERED)
        if not any(sign in text for sign in signs):
            self.words += signs
            return
        words = re.sub(r"[^\w ]", "", text)
        inside = text if re.fullmatch(r"[A-Za-z0-9+\-*/=., ]+", text) else rf"\text{{{words}}}"
        self.flush()
        self.write(formula(("^" if raised else "_") + f"{{{inside}}}"))

    def underlined(self, element: Any, depth: int) -> None:
        if str(element.text_content()).strip() or len(element):
            self.read(element, depth)
        elif str(element.text_content()):  # an underlined gap is how others draw a blank
            self.words += "____"

    def code(self, element: Any, depth: int) -> None:
        if element.get("class") != "formula-source":
            self.read(element, depth)
            return
        self.flush()
        self.write(formula(str(element.text_content())))

    def entry(self, element: Any, depth: int) -> None:
        self.line_start()
        parent = element.getparent()
        self.entries[parent] = self.entries.get(parent, 0) + 1
        self.words = f"{self.entries[parent]}. " if parent is not None and parent.tag == "ol" else "• "
        self.read(element, depth)
        self.line_start()

    def lines(self, element: Any, depth: int) -> None:
        for place, line in enumerate(str(element.text_content()).strip("\n").split("\n")):
            if place:
                self.break_line()
            self.words += line.replace(" ", "\xa0").replace("\t", "\xa0\xa0")

    def formula(self, element: Any, depth: int) -> None:
        latex, block = to_latex(element), element.get("display") == "block"
        if not latex:
            return
        if block:
            self.line_start()
        self.flush()
        self.write(formula(latex, block=block))
        if block:
            self.line_start()

    def picture(self, element: Any, depth: int) -> None:
        address, caption = element.get("src") or "", element.get("alt") or ""
        self.flush()
        if own := MEDIA.fullmatch(address):
            self.write(picture(own["sha256"], caption))
            return
        content = self.content(address)
        if content is None:
            self.losses.append(f"图片“{address[:60]}”没有找到，没有保留。")
            return
        try:
            self.write(picture(self.keep_picture(content, caption), caption))
        except Refused as refusal:
            self.losses.append(f"图片没有保留：{refusal.sentence}")

    def content(self, address: str) -> bytes | None:
        if inside := DATA.fullmatch(address):
            try:
                return base64.b64decode(re.sub(r"\s", "", inside["content"]))
            except binascii.Error:
                return None
        return self.fetch_picture(address) if address else None

    def table(self, element: Any, depth: int) -> None:
        rows = [[self.apart(cell, depth) for cell in row if cell.tag in {"td", "th"}] for row in element.iter("tr")
                if next(row.iterancestors("table")) is element]
        if any(cell.get(name, "1") != "1" for cell in element.iter("td", "th") for name in ("colspan", "rowspan")):
            self.losses.append("表格里合并的单元格已拆开，请核对表格。")
        self.line_start()
        for caption in element.iterchildren("caption"):
            self.read(caption, depth)
            self.line_start()
        self.made += table([row for row in rows if row])
        self.line_start()

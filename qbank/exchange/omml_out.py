"""LaTeX as formulas of Word (OMML), by way of latex2mathml's MathML. Pure.

``mathml2omml`` writes broken XML for accents; this one says by ``None`` what it cannot write so that it
reads back as the same formula.
"""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Callable, Sequence
from xml.etree.ElementTree import Element

from latex2mathml.converter import convert_to_element
from lxml import etree

from qbank.exchange.mathml import core, same, text_in, upright
from qbank.exchange.omml import NARY_OF, M, W, to_latex
from qbank.items.formulas import FUNCTIONS, problem_of

NARY = set(NARY_OF)
FENCES = {"(": ")", "[": "]", "{": "}", "|": "|", "⟨": "⟩", "‖": "‖"}
ACCENTS = {"^": "\u0302", "ˆ": "\u0302", "~": "\u0303", "˜": "\u0303", "˙": "\u0307", "¨": "\u0308", "→": "\u20d7", "¯": "\u0305", "ˇ": "\u030c",
           "´": "\u0301", "`": "\u0300", "˘": "\u0306"}
BARS = {"―", "‾", "_", "\u00af", "\u0332"}
BOLD = re.compile("[\U0001d400-\U0001d433]")
BRACES = {"⏞": "top", "⏟": "bot"}


def to_omml(latex: str) -> etree._Element | None:
    """An ``m:oMath``; None where Word cannot be given the same formula."""
    if problem_of(latex):
        return None
    try:
        tree = convert_to_element(latex)
        made = etree.Element(f"{{{M}}}oMath", nsmap={"m": M, "w": W})
        _into(made, list(tree))
        return made if same(latex, to_latex(made)) else None
    except Exception:  # latex2mathml fails in many ways; so may a tree that nobody foresaw
        return None


def _into(parent: etree._Element, children: Sequence[Element]) -> None:
    """The children of a row, one after the other; functions and sums take what follows them along."""
    place = 0
    children = [inner for child in children for inner in _flat(child)]
    while place < len(children):
        child = children[place]
        following = children[place + 1] if place + 1 < len(children) and children[place + 1].tag != "mo" else None
        if fenced := _fence(children, place):
            place = fenced(parent)
            continue
        taken = _operator(parent, child, following)
        if taken is None:
            _one(parent, child)
        place += 1 + bool(taken)


def _flat(element: Element) -> list[Element]:
    """Rows without fences dissolve."""
    if element.tag in {"mrow", "mstyle", "mpadded"}:
        return [inner for child in element for inner in _flat(child)]
    return [element]


def _fence(children: Sequence[Element], place: int) -> Callable[[etree._Element], int] | None:
    """Writes from an opening fence (\\left) to its closing one, and says where to go on."""
    sign = text_in(children[place])
    if children[place].get("minsize") and len(children) > place + 2 and children[place + 1].get("linethickness") == "0":
        return lambda parent: _binomial(parent, children, place)
    table = place + 1 < len(children) and children[place + 1].tag == "mtable" and sign in FENCES
    if children[place].tag != "mo" or (children[place].get("form") != "prefix" and not table):
        return None
    depth = 0
    for end in range(place, len(children)):
        form = children[end].get("form")
        depth += (form == "prefix") - (form == "postfix")
        if (table and end == place + 2) or (not table and depth == 0):
            break
    else:
        end = len(children)
    closing = text_in(children[end]) if end < len(children) and (not table or text_in(children[end]) == FENCES[sign]) else ""
    if table and not closing:
        end = min(end, place + 2) - 1

    def write(parent: etree._Element) -> int:
        made = _sub(parent, "d")
        properties = _sub(made, "dPr")
        _set(properties, "begChr", sign)
        _set(properties, "endChr", closing)
        _into(_sub(made, "e"), children[place + 1:end if closing or not table else end + 1])
        return end + 1

    return write


def _binomial(parent: etree._Element, children: Sequence[Element], place: int) -> int:
    _one(_sub(_sub(parent, "d"), "e"), children[place + 1])
    return place + 3


def _operator(parent: etree._Element, element: Element, following: Element | None) -> bool | None:
    """Sums, limits and functions; whether the element behind them went along; None: it is none of these."""
    base, scripts = element, {}
    if element.tag in {"msub", "msup", "msubsup", "munder", "mover", "munderover"}:
        base = core(element[0])
        names = {"msub": ("sub",), "munder": ("sub",), "msup": ("sup",), "mover": ("sup",)}.get(element.tag, ("sub", "sup"))
        scripts = dict(zip(names, list(element)[1:], strict=True))
    word = text_in(base)
    if base.tag in {"mo", "mi"} and word in NARY:
        return _nary(parent, word, scripts, following, element.tag.startswith(("mu", "mo")) and element.tag not in {"mo", "mi"})
    if base.tag not in {"mo", "mi"} or word not in FUNCTIONS:
        return None
    made = _sub(parent, "func")
    name = _sub(made, "fName")
    for script, kind in (("sub", "limLow"), ("sup", "sSup")):
        if script in scripts:
            name = _scripted(name, kind, script, scripts[script])
    _run(name, word, style="p")
    inner = _sub(made, "e")
    if following is not None:
        _one(inner, following)
    return following is not None


def _scripted(parent: etree._Element, kind: str, script: str, content: Element) -> etree._Element:
    """``kind`` around a base that is still to be written."""
    made = _sub(parent, kind)
    base = _sub(made, "e")
    _into(_sub(made, "lim" if kind == "limLow" else script), [content])
    return base


def _nary(parent: etree._Element, sign: str, scripts: dict[str, Element], following: Element | None, above: bool) -> bool:
    made = _sub(parent, "nary")
    properties = _sub(made, "naryPr")
    _set(properties, "chr", sign)
    _set(properties, "limLoc", "undOvr" if above or sign in "∑∏⋃⋂" else "subSup")
    for name in ("sub", "sup"):
        if name not in scripts:
            _set(properties, f"{name}Hide", "1")
    for name in ("sub", "sup"):
        part = _sub(made, name)
        if name in scripts:
            _into(part, [scripts[name]])
    inner = _sub(made, "e")
    if following is not None:
        _one(inner, following)
    return following is not None


def _one(parent: etree._Element, element: Element) -> None:
    if element.tag in {"mrow", "mstyle", "mpadded", "math"}:
        _into(parent, list(element))
    elif element.tag in {"mi", "mn", "mo", "mtext", "ms"}:
        _sign(parent, element)
    elif element.tag == "mspace":
        if element.get("linebreak"):
            raise ValueError("lines")
        _run(parent, "\u2003" if element.get("width") in {"1em", "2em"} else "\u2009", normal=True)
    else:
        WRITERS[element.tag](parent, element)


def _sign(parent: etree._Element, element: Element) -> None:
    text = text_in(element)
    if element.tag == "mtext":
        _run(parent, html.unescape(element.text or ""), normal=True)
    elif BOLD.fullmatch(text):
        _run(parent, unicodedata.normalize("NFKC", text), style="b")
    elif text:
        _run(parent, text, style="p" if upright(element) else "")


def _parts(element: Element, kind: str, names: Sequence[str]) -> Callable[[etree._Element], None]:
    def write(parent: etree._Element) -> None:
        made = _sub(parent, kind)
        for name, child in zip(names, element, strict=True):
            _into(_sub(made, name), [child])
    return write


def _fraction(parent: etree._Element, element: Element) -> None:
    made = _sub(parent, "f")
    if element.get("linethickness") == "0":
        _set(_sub(made, "fPr"), "type", "noBar")
    for name, child in zip(("num", "den"), element, strict=True):
        _into(_sub(made, name), [child])


def _root(parent: etree._Element, element: Element) -> None:
    made = _sub(parent, "rad")
    if element.tag == "msqrt":
        _set(_sub(made, "radPr"), "degHide", "1")
        _sub(made, "deg")
        _into(_sub(made, "e"), list(element))
    else:
        _into(_sub(made, "deg"), [element[1]])
        _into(_sub(made, "e"), [element[0]])


def _over(parent: etree._Element, element: Element) -> None:
    """An accent, a bar, a brace, or something set above or below."""
    above = element.tag == "mover"
    sign = text_in(core(element[1])) if core(element[1]).tag == "mo" else ""
    if above and sign in ACCENTS:
        kind, settings = "acc", {"chr": ACCENTS[sign]}
    elif sign in BARS:
        kind, settings = "bar", {"pos": "top" if above else "bot"}
    elif sign in BRACES:
        kind, settings = "groupChr", {"chr": sign, "pos": BRACES[sign]} | ({"vertJc": "bot"} if above else {})
    else:
        _parts(element, "limUpp" if above else "limLow", ("e", "lim"))(parent)
        return
    made = _sub(parent, kind)
    properties = _sub(made, f"{kind}Pr")
    for name, value in settings.items():
        _set(properties, name, value)
    _into(_sub(made, "e"), [element[0]])


def _both(parent: etree._Element, element: Element) -> None:
    upper = _sub(parent, "limUpp")
    lower = _sub(_sub(upper, "e"), "limLow")
    _into(_sub(lower, "e"), [element[0]])
    _into(_sub(lower, "lim"), [element[1]])
    _into(_sub(upper, "lim"), [element[2]])


def _table(parent: etree._Element, element: Element) -> None:
    made = _sub(parent, "m")
    for row in element:
        line = _sub(made, "mr")
        for cell in row:
            _into(_sub(line, "e"), list(cell))


def _box(parent: etree._Element, element: Element) -> None:
    if element.get("notation") != "box":
        raise ValueError("enclosure")
    _into(_sub(_sub(parent, "borderBox"), "e"), list(element))


WRITERS: dict[str, Callable[[etree._Element, Element], None]] = {
    "mfrac": _fraction, "msqrt": _root, "mroot": _root, "mover": _over, "munder": _over, "munderover": _both, "mtable": _table,
    "menclose": _box,
    "msup": lambda parent, element: _parts(element, "sSup", ("e", "sup"))(parent),
    "msub": lambda parent, element: _parts(element, "sSub", ("e", "sub"))(parent),
    "msubsup": lambda parent, element: _parts(element, "sSubSup", ("e", "sub", "sup"))(parent),
}


def _sub(parent: etree._Element, name: str) -> etree._Element:
    return etree.SubElement(parent, f"{{{M}}}{name}")


def _set(properties: etree._Element, name: str, value: str) -> None:
    _sub(properties, name).set(f"{{{M}}}val", value)


def _run(parent: etree._Element, text: str, *, style: str = "", normal: bool = False) -> None:
    made = _sub(parent, "r")
    if style or normal:
        properties = _sub(made, "rPr")
        if normal:
            _sub(properties, "nor")
        else:
            _set(properties, "sty", style)
    fonts = etree.SubElement(etree.SubElement(made, f"{{{W}}}rPr"), f"{{{W}}}rFonts")
    fonts.set(f"{{{W}}}ascii", "Cambria Math")
    fonts.set(f"{{{W}}}hAnsi", "Cambria Math")
    inner = _sub(made, "t")
    inner.text = text
    if text != text.strip():
        inner.set("{http://www.w3.org/XML/1998/namespace}space", "preserve")

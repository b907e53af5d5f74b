"""Formulas of Word (OMML) as LaTeX. Pure.

Written here because the packages that do this (dwml, omml2latex, officemath2latex) are in their first versions or no
longer kept. What is written back by ``qbank.exchange.omml_out`` reads as the same LaTeX.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable

from lxml import etree

from qbank.items.formulas import FUNCTIONS, SIGNS

M = "http://schemas.openxmlformats.org/officeDocument/2006/math"
W = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
MORE_SIGNS = SIGNS | {
    "ϵ": r"\epsilon", "φ": r"\varphi", "ϕ": r"\phi", "ϑ": r"\vartheta", "Ω": r"\Omega", "µ": r"\mu", "⇒": r"\Rightarrow", "←": r"\leftarrow",
    "↔": r"\leftrightarrow", "⇔": r"\Leftrightarrow", "△": r"\triangle", "∉": r"\notin", "⊂": r"\subset", "⊆": r"\subseteq",
    "∪": r"\cup", "∩": r"\cap", "∅": r"\emptyset", "∀": r"\forall", "∃": r"\exists", "∇": r"\nabla", "∝": r"\propto", "≡": r"\equiv",
    "≪": r"\ll", "≫": r"\gg", "∙": r"\cdot", "•": r"\bullet", "⋯": r"\cdots", "…": r"\ldots", "′": "'", "″": "''", "℃": r"^\circ\mathrm{C}",
    "∮": r"\oint", "∬": r"\iint", "∴": r"\therefore", "∵": r"\because", "⟨": r"\langle", "⟩": r"\rangle", "〈": r"\langle",
    "〉": r"\rangle", "‖": r"\Vert", "～": r"\sim", "~": r"\sim", "≅": r"\cong", "∼": r"\sim", "，": ",", "（": "(", "）": ")", "＝": "=", "＋": "+",
    "－": "-", "：": ":", "；": ";", "｜": "|", "＜": "<", "＞": ">", "\t": " ", "⇌": r"\rightleftharpoons", "⊕": r"\oplus", "⊙": r"\odot", "⊗": r"\otimes",
    "∘": r"\circ", "\u2003": r"\quad ", "\u2002": r"\ ", "\u2009": r"\,", "\u2005": r"\:",
    **{sign: rf"\mathbb{{{letter}}}" for sign, letter in zip("ℝℕℤℚℂ", "RNZQC", strict=True)}}
ACCENT_OF = {"\u0302": "hat", "\u0303": "tilde", "\u0307": "dot", "\u0308": "ddot", "\u20d7": "vec", "\u0305": "bar", "\u0304": "bar",
             "\u20d6": "overleftarrow", "→": "vec", "^": "hat", "~": "tilde", "˙": "dot", "¯": "bar", "\u030c": "check", "\u0301": "acute",
             "\u0300": "grave", "\u0306": "breve"}
GROUP_OF = {("⏞", "top"): "overbrace", ("⏟", "bot"): "underbrace", ("→", "top"): "overrightarrow", ("←", "top"): "overleftarrow"}
NARY_OF = {"∑": r"\sum", "∏": r"\prod", "∫": r"\int", "∬": r"\iint", "∭": r"\iiint", "∮": r"\oint", "⋃": r"\bigcup", "⋂": r"\bigcap",
           "⋁": r"\bigvee", "⋀": r"\bigwedge", "∐": r"\coprod"}
MATRIX_OF = {("(", ")"): "pmatrix", ("[", "]"): "bmatrix", ("|", "|"): "vmatrix", ("‖", "‖"): "Vmatrix", ("{", ""): "cases"}
DELIMITER_OF = {"{": r"\{", "}": r"\}", "⟨": r"\langle", "⟩": r"\rangle", "〈": r"\langle", "〉": r"\rangle", "‖": r"\|", "⌊": r"\lfloor",
                "⌋": r"\rfloor", "⌈": r"\lceil", "⌉": r"\rceil", "": "."}
STYLE_OF = {"double-struck": "mathbb", "script": "mathcal", "fraktur": "mathfrak"}
COMMAND_AT_END = re.compile(r"\\[A-Za-z]+$")
UPRIGHTS = re.compile(r"(?:\\mathrm\{[A-Za-z]+\}){2,}")
ONE_SIGN = re.compile(r"\\[A-Za-z]+|\\.|[^\\]", re.DOTALL)
CHINESE = re.compile(r"[\u2e80-\u2fff\u3001-\u9fff\uf900-\ufaff\uff00-\uffef]+")


def to_latex(element: etree._Element) -> str:
    """The LaTeX of an ``m:oMath`` (or of one formula of an ``m:oMathPara``), without dollars."""
    return _children(element).strip()


def unknown_in(element: etree._Element) -> tuple[str, ...]:
    """Names of parts that are not understood; their texts are kept, their arrangement is not."""
    return tuple(sorted({name for part in element.iter() if isinstance(part.tag, str) and part.tag.startswith(f"{{{M}}}")
                         and (name := etree.QName(part).localname) not in KNOWN and not name.endswith("Pr")
                         and not _within_properties(part)}))


def joined(pieces: Iterable[str]) -> str:
    """LaTeX pieces in a row; a space only where a command would run into a letter."""
    made = ""
    for piece in pieces:
        if piece[:1].isascii() and piece[:1].isalpha() and COMMAND_AT_END.search(made):
            made += " "
        made += piece
    return UPRIGHTS.sub(lambda found: rf"\mathrm{{{re.sub(r'.mathrm.|}', '', found.group())}}}", made)


def _children(element: etree._Element | None) -> str:
    return "" if element is None else joined(_one(child) for child in element if isinstance(child.tag, str))


def _one(element: etree._Element) -> str:
    name = etree.QName(element)
    if name.namespace == M:
        made = WRITERS.get(name.localname)
        return made(element) if made else "" if name.localname.endswith("Pr") else _children(element)
    if name.localname in {"del", "moveFrom", "rPr", "bookmarkStart", "bookmarkEnd", "proofErr"}:
        return ""
    if name.localname == "r":
        return _text("".join(part.text or "" for part in element.iter(f"{{{W}}}t")))
    return _children(element)


def _run(element: etree._Element) -> str:
    text = "".join((part.text or "") if etree.QName(part).localname == "t" else " " for part in element
                   if isinstance(part.tag, str) and etree.QName(part).localname in {"t", "br"})
    properties = _part(element, "rPr")
    if properties is None:
        return _text(text)
    if _part(properties, "nor") is not None and _on(properties, "nor"):
        return _upright(text)
    script = STYLE_OF.get(_value(properties, "scr"), "")
    style = _value(properties, "sty")
    if script and text.strip().isascii() and text.strip().isalpha():
        return f"\\{script}{{{text.strip()}}}"
    if text.strip() in FUNCTIONS:
        return rf"\{text.strip()}"
    if style == "p" and re.fullmatch(r"[A-Za-z]+", text.strip()):
        return rf"\mathrm{{{text.strip()}}}"
    if style in {"b", "bi"} and re.fullmatch(r"[A-Za-z0-9]+", text.strip()):
        return rf"\{'mathbf' if style == 'b' else 'boldsymbol'}{{{text.strip()}}}"
    return _text(text)


def _upright(text: str) -> str:
    """Text set as text: words stay words, spaces included."""
    if text.strip() in FUNCTIONS:
        return rf"\{text.strip()}"
    if not text.strip():
        return "".join(MORE_SIGNS[sign] if sign in MORE_SIGNS and sign != "\t" else r"\ " for sign in text)
    if re.fullmatch(r"[\d\s.,()+=/<>:;*-]+", text):
        return _text(text)
    if not CHINESE.search(text) and " " not in text.strip():
        return rf"\mathrm{{{_text(text)}}}"
    return r"\text{" + re.sub(r"([{}$%#&_])", r"\\\1", text.replace("\\", "")) + "}"


def _text(text: str) -> str:
    """Signs of a run as LaTeX; Chinese as ``\\text``; slanted letters of the mathematical block as letters."""
    text = "".join(unicodedata.normalize("NFKC", sign) if 0x1D400 <= ord(sign) <= 0x1D7FF else sign for sign in text)
    pieces, place = [], 0
    for found in CHINESE.finditer(text):
        if all(sign in MORE_SIGNS for sign in found.group()):
            continue
        pieces += [MORE_SIGNS.get(sign, sign) for sign in text[place:found.start()]]
        pieces.append(rf"\text{{{found.group()}}}")
        place = found.end()
    pieces += [MORE_SIGNS.get(sign, sign) for sign in text[place:]]
    made = joined(pieces)
    return rf"\{made}" if made in FUNCTIONS else made


def _fraction(element: etree._Element) -> str:
    above, below = _inner(element, "num"), _inner(element, "den")
    kind = _value(_part(element, "fPr"), "type")
    if kind in {"lin", "skw"}:
        return f"{_base(above)}/{_base(below)}"
    return rf"\binom{{{above}}}{{{below}}}" if kind == "noBar" else rf"\frac{{{above}}}{{{below}}}"


def _base(latex: str) -> str:
    """What a script is put on: braces where it is more than one sign."""
    group = re.fullmatch(r"\\(?:mathrm|mathbf|text)\{[^{}]*\}", latex)
    if len(ONE_SIGN.findall(latex)) == 1 or latex.isdecimal() or group:
        return latex
    return f"{{{latex}}}"


def _scripts(element: etree._Element, *names: str) -> str:
    return "".join(f"{'_' if name == 'sub' else '^'}{{{inner}}}" for name in names if (inner := _inner(element, name)))


def _radical(element: etree._Element) -> str:
    degree, inner = _inner(element, "deg"), _inner(element, "e")
    hidden = _on(_part(element, "radPr"), "degHide")
    return rf"\sqrt{{{inner}}}" if hidden or not degree else rf"\sqrt[{degree}]{{{inner}}}"


def _nary(element: etree._Element) -> str:
    properties = _part(element, "naryPr")
    sign = _value(properties, "chr") or "∫"
    made = NARY_OF.get(sign) or _text(sign)
    for name, hide, mark in (("sub", "subHide", "_"), ("sup", "supHide", "^")):
        if (inner := _inner(element, name)) and not _on(properties, hide):
            made += f"{mark}{{{inner}}}"
    return joined([made, _inner(element, "e")])


def _delimited(element: etree._Element) -> str:
    properties = _part(element, "dPr")
    opening, closing = _sign(properties, "begChr", "("), _sign(properties, "endChr", ")")
    inner = [part for part in element if isinstance(part.tag, str) and etree.QName(part).localname == "e"]
    tables = [child for part in inner for child in part if isinstance(child.tag, str) and etree.QName(child).localname in {"m", "eqArr"}]
    alone = len(inner) == 1 and len(tables) == 1 and len([child for child in inner[0] if not _is_properties(child)]) == 1
    if alone and (name := MATRIX_OF.get((opening, closing))):
        return _rows(tables[0], name)
    if (opening, closing) == ("(", ")") and len(inner) == 1 and _is_binomial(inner[0]):
        return _children(inner[0])
    separator = _text(_sign(properties, "sepChr", "|"))
    return joined([rf"\left{_delimiter(opening)}", joined(separator if part is None else _children(part) for part in _between(inner)),
                   rf"\right{_delimiter(closing)}"])


def _is_binomial(element: etree._Element) -> bool:
    parts = [child for child in element if not _is_properties(child)]
    return len(parts) == 1 and etree.QName(parts[0]).localname == "f" and _value(_part(parts[0], "fPr"), "type") == "noBar"


def _between(parts: list[etree._Element]) -> list[etree._Element | None]:
    made: list[etree._Element | None] = []
    for part in parts:
        made += [None, part] if made else [part]
    return made


def _delimiter(sign: str) -> str:
    return DELIMITER_OF.get(sign, MORE_SIGNS.get(sign, sign))


def _rows(element: etree._Element, name: str) -> str:
    if etree.QName(element).localname == "eqArr":
        lines = [_children(row).replace("&", "") for row in element if etree.QName(row).localname == "e"]
    else:
        lines = [" & ".join(_children(cell).strip() for cell in row if etree.QName(cell).localname == "e")
                 for row in element if etree.QName(row).localname == "mr"]
    return rf"\begin{{{name}}}" + r" \\ ".join(lines) + rf"\end{{{name}}}"


def _function(element: etree._Element) -> str:
    name = _inner(element, "fName")
    word = re.fullmatch(r"(?:\\mathrm\{)?([A-Za-z]+)\}?", name)
    if word and not name.startswith("\\") and word[1] not in FUNCTIONS and len(word[1]) > 1:
        name = rf"\mathrm{{{word[1]}}}"
    return joined([name, _inner(element, "e")])


def _limit(element: etree._Element) -> str:
    base, limit = _inner(element, "e"), _inner(element, "lim")
    below = etree.QName(element).localname == "limLow"
    word = re.sub(r"^\\mathrm\{(\w+)\}$", r"\1", base).lstrip("\\")
    if below and word in FUNCTIONS:
        return rf"\{word}_{{{limit}}}"
    if re.match(r"\\(?:under|over)brace", base) or base in NARY_OF.values():
        return f"{base}{'_' if below else '^'}{{{limit}}}"
    return rf"\{'underset' if below else 'overset'}{{{limit}}}{{{base}}}"


def _accent(element: etree._Element) -> str:
    sign = _sign(_part(element, "accPr"), "chr", "\u0302")
    return rf"\{ACCENT_OF.get(sign, 'hat')}{{{_inner(element, 'e')}}}"


def _bar(element: etree._Element) -> str:
    below = _value(_part(element, "barPr"), "pos") != "top"
    return rf"\{'underline' if below else 'overline'}{{{_inner(element, 'e')}}}"


def _group(element: etree._Element) -> str:
    properties = _part(element, "groupChrPr")
    sign, side = _sign(properties, "chr", "⏟"), _value(properties, "pos") or "bot"
    if name := GROUP_OF.get((sign, side)):
        return rf"\{name}{{{_inner(element, 'e')}}}"
    return rf"\{'overset' if side == 'top' else 'underset'}{{{_text(sign)}}}{{{_inner(element, 'e')}}}"


def _inner(element: etree._Element, name: str) -> str:
    return _children(_part(element, name)).strip()


def _part(element: etree._Element | None, name: str) -> etree._Element | None:
    return None if element is None else element.find(f"{{{M}}}{name}")


def _value(properties: etree._Element | None, name: str) -> str:
    return _sign(properties, name, "")


def _sign(properties: etree._Element | None, name: str, default: str) -> str:
    """The value of a property; ``default`` where it is not there at all; a property without a value is the empty sign."""
    part = _part(properties, name)
    return default if part is None else part.get(f"{{{M}}}val", "")


def _on(properties: etree._Element | None, name: str) -> bool:
    part = _part(properties, name)
    return part is not None and part.get(f"{{{M}}}val", "1") not in {"0", "off", "false"}


def _is_properties(element: etree._Element) -> bool:
    return isinstance(element.tag, str) and etree.QName(element).localname.endswith("Pr")


def _within_properties(element: etree._Element) -> bool:
    return any(_is_properties(parent) for parent in element.iterancestors())


WRITERS: dict[str, Callable[[etree._Element], str]] = {
    "r": _run, "f": _fraction, "rad": _radical, "nary": _nary, "d": _delimited, "func": _function, "acc": _accent, "bar": _bar,
    "groupChr": _group, "limLow": _limit, "limUpp": _limit,
    "sSup": lambda one: _base(_inner(one, "e")) + _scripts(one, "sup").replace("^{'}", "'").replace("^{''}", "''"),
    "sSub": lambda one: _base(_inner(one, "e")) + _scripts(one, "sub"),
    "sSubSup": lambda one: _base(_inner(one, "e")) + _scripts(one, "sub", "sup"),
    "sPre": lambda one: joined(["{}" + _scripts(one, "sub", "sup"), _inner(one, "e")]),
    "m": lambda one: _rows(one, "matrix"), "eqArr": lambda one: _rows(one, "matrix"),
    "borderBox": lambda one: rf"\boxed{{{_inner(one, 'e')}}}",
    "phant": lambda one: "" if not _on(_part(one, "phantPr"), "show") and _part(_part(one, "phantPr"), "show") is not None else _inner(one, "e"),
}
KNOWN = {*WRITERS, "oMath", "oMathPara", "e", "num", "den", "sub", "sup", "deg", "fName", "lim", "mr", "t", "box"}

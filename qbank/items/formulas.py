"""Formulas: LaTeX to MathML that no browser can be hurt with, and MathML back to LaTeX. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from xml.etree.ElementTree import Element  # only the type: nothing is parsed with it

from latex2mathml.converter import convert_to_element
from markupsafe import Markup, escape

LONGEST = 2000
DEEPEST = 40  # groups in groups
# They are no formulas but programs (\def\a{\b\b}\def\b{\c\c}... grows without end) or lead out of the page.
FORBIDDEN = re.compile(r"\\(def|edef|gdef|let|newcommand|renewcommand|providecommand|newenvironment|require|href|url|class|"
                       r"cssId|style|data|includegraphics|input|include|write|catcode)(?![A-Za-z])")
ELEMENTS = frozenset({
    "math", "mrow", "mi", "mn", "mo", "ms", "mtext", "mspace", "mfrac", "msqrt", "mroot", "mstyle", "mpadded", "mphantom",
    "menclose", "msub", "msup", "msubsup", "munder", "mover", "munderover", "mmultiscripts", "mprescripts", "none", "mtable",
    "mtr", "mtd", "merror"})
ATTRIBUTES = frozenset({
    "display", "alttext", "mathvariant", "stretchy", "fence", "form", "accent", "accentunder", "largeop", "movablelimits",
    "separator", "symmetric", "lspace", "rspace", "minsize", "maxsize", "linethickness", "displaystyle", "scriptlevel", "width",
    "height", "depth", "columnalign", "rowalign", "columnspacing", "rowspacing", "columnlines", "rowlines", "columnspan",
    "rowspan", "notation", "dir"})
PLACEHOLDER = re.compile(r"&#x([0-9A-Fa-f]{4,6});")  # how latex2mathml writes the signs that it chose itself
UPRIGHT = re.compile(r"&#x000[46][0-9A-Fa-f];|&#x000[57][0-9Aa];")  # one letter in \mathrm, which a browser would slant
VALUE = re.compile(r"[-+.%#\w \u0080-\U0010ffff]{0,60}")
UNKNOWN = re.compile(r"\\[A-Za-z]+|\\$")

ACCENTS = {"¯": "overline", "‾": "overline", "―": "overline", "^": "hat", "~": "tilde", "˜": "tilde", r"\to": "vec", "⃗": "vec",
           "˙": "dot", "¨": "ddot"}
SIGNS = {"×": r"\times", "÷": r"\div", "±": r"\pm", "∓": r"\mp", "·": r"\cdot", "⋅": r"\cdot", "≤": r"\le", "≥": r"\ge",
         "≠": r"\ne", "≈": r"\approx", "∞": r"\infty", "∑": r"\sum", "∏": r"\prod", "∫": r"\int", "√": r"\surd", "∂": r"\partial",
         "→": r"\to", "∠": r"\angle", "°": r"^\circ", "∈": r"\in", "∥": r"\parallel", "⊥": r"\perp", "∆": r"\Delta",
         "{": r"\{", "}": r"\}", "%": r"\%", "#": r"\#", "&": r"\&", "$": r"\$", "_": r"\_", "\\": r"\backslash",
         "−": "-", "\u2062": "", "\u2061": "", "\u2063": "", "\u2064": "", "\xa0": " "}
GREEK = (r"\alpha \beta \gamma \delta \varepsilon \zeta \eta \theta \iota \kappa \lambda \mu \nu \xi \pi \rho \sigma \tau \upsilon \varphi "
         r"\chi \psi \omega \Gamma \Delta \Theta \Lambda \Xi \Pi \Sigma \Phi \Psi \Omega")
SIGNS |= dict(zip("αβγδεζηθικλμνξπρστυφχψωΓΔΘΛΞΠΣΦΨΩ", GREEK.split(), strict=True))
FUNCTIONS = frozenset({"sin", "cos", "tan", "cot", "sec", "csc", "arcsin", "arccos", "arctan", "log", "ln", "lg", "exp", "lim", "max", "min"})


def problem_of(latex: str) -> str:
    """What is wrong with a formula, as a sentence; empty: nothing."""
    return _converted(latex, False)[1]


def to_mathml(latex: str, *, block: bool = False) -> Markup:
    """The formula as MathML of known elements and attributes only; one that cannot be read, as its source."""
    made, problem = _converted(latex, block)
    return made if not problem else Markup('<code class="formula-source" title="{}">{}</code>').format(problem, latex)


@lru_cache(maxsize=4096)
def _converted(latex: str, block: bool) -> tuple[Markup, str]:
    if problem := _refused(latex):
        return Markup(""), f"公式“{_short(latex)}”{problem}"
    try:
        tree = convert_to_element(latex, display="block" if block else "inline")
    except Exception:  # latex2mathml ends in exceptions of many kinds on what it cannot read
        return Markup(""), f"公式“{_short(latex)}”无法识别，请检查写法。"
    tree.set("alttext", latex)
    unknown = sorted({name for part in tree.iter() if part.tag in {"mi", "mo"}
                      for name in UNKNOWN.findall(part.text or "")})
    if unknown:
        return Markup(""), f"公式“{_short(latex)}”里的 {'、'.join(unknown[:3])} 无法识别，请改用常见的写法。"
    return _written(tree), ""


def _refused(latex: str) -> str:
    if not latex.strip():
        return "是空的，请填写或删去。"
    if len(latex) > LONGEST:
        return f"有 {len(latex)} 字，超过 {LONGEST} 字，请拆开。"
    if found := FORBIDDEN.search(latex):
        return f"里的 {found.group()} 不能使用，请删去。"
    depth = deepest = 0
    for sign in re.findall(r"\\.|[{}]", latex, re.DOTALL):
        depth += {"{": 1, "}": -1}.get(sign, 0)
        deepest = max(deepest, depth)
        if depth < 0:
            break
    if depth:
        return "的花括号不成对，请检查。"
    nested = latex.count(r"\left") + latex.count(r"\begin") + deepest
    return f"嵌套超过 {DEEPEST} 层，请简化。" if nested > DEEPEST else ""


def _short(latex: str) -> str:
    line = " ".join(latex.split())
    return line if len(line) <= 30 else line[:30] + "…"


def _written(part: Element) -> Markup:
    """An element with what is known of it. The text was never markup: it is escaped here for the first time."""
    inside = escape(_signs(part.text or "")) + Markup("").join(
        _written(child) + escape(_signs(child.tail or "")) for child in part)
    if part.tag not in ELEMENTS:
        return inside
    if part.tag == "mi" and UPRIGHT.fullmatch(part.text or ""):
        part.set("mathvariant", "normal")
    kept = Markup("").join(Markup(' {}="{}"').format(name, _signs(value) if name != "alttext" else value)
                           for name, value in part.attrib.items()
                           if name in ATTRIBUTES and (name == "alttext" or VALUE.fullmatch(_signs(value))))
    return Markup("<{0}{1}>{2}</{0}>").format(part.tag, kept, inside)


def _signs(text: str) -> str:
    return PLACEHOLDER.sub(lambda found: chr(min(int(found[1], 16), 0x10FFFF)), text)


def to_latex(part: Element) -> str:
    """The LaTeX of a ``math`` element of any producer: what it carries as its source, else read from its structure.

    ``part`` only needs ``tag``, ``text``, ``get`` and iteration, so an lxml element serves as well.
    """
    source = (part.get("alttext") or "").strip()
    for child in part.iter():
        if _name(child) == "annotation" and "tex" in (child.get("encoding") or "").lower() and (child.text or "").strip():
            source = (child.text or "").strip()
    # Other producers' alttext may be words; a formula that we cannot show is read from its structure instead.
    return source if source and not problem_of(source) else re.sub(r" {2,}", " ", _latex(part)).strip()


def _latex(part: Element) -> str:
    name, parts = _name(part), [child for child in part if isinstance(child.tag, str)]
    if name in {"mi", "mn", "mo", "ms"}:
        return _leaf((part.text or "").strip())
    if name == "mtext":
        words = re.sub(r"[{}$\\]", "", part.text or "")
        return rf"\text{{{words}}}" if words.strip() else " "
    if name in {"annotation", "annotation-xml", "none", "mprescripts", "mspace"}:
        return " " if name == "mspace" else ""
    shape = SHAPES.get(name)
    if shape and len(parts) == shape[0]:
        return shape[1](*(_latex(child).strip() for child in parts))
    inside = "".join(_latex(child) for child in parts)
    return {"msqrt": rf"\sqrt{{{inside}}}", "mphantom": ""}.get(name, inside) if name != "mtable" else _matrix(parts)


def _leaf(text: str) -> str:
    if text in FUNCTIONS:
        return rf"\{text} "
    made = "".join(f"{SIGNS[sign]} " if sign in SIGNS else sign for sign in text)
    return rf"\text{{{text}}}" if any(sign >= "\u2e80" for sign in text) else made


def _matrix(rows: list[Element]) -> str:
    lines = [" & ".join(_latex(cell).strip() for cell in row) for row in rows]
    return r"\begin{matrix}" + r" \\ ".join(lines) + r"\end{matrix}"


def _name(part: Element) -> str:
    return part.tag.rpartition("}")[2] if isinstance(part.tag, str) else ""


def _over(base: str, mark: str) -> str:
    return rf"\{ACCENTS[mark]}{{{base}}}" if mark in ACCENTS else rf"\overset{{{mark}}}{{{base}}}"


def _limits(base: str, below: str, above: str) -> str:
    return f"{base}_{{{below}}}^{{{above}}}"


def _under(base: str, below: str) -> str:
    return f"{base}_{{{below}}}" if base.startswith("\\") else rf"\underset{{{below}}}{{{base}}}"


SHAPES: dict[str, tuple[int, Callable[..., str]]] = {
    "mfrac": (2, lambda over, under: rf"\frac{{{over}}}{{{under}}}"), "mroot": (2, lambda base, n: rf"\sqrt[{n}]{{{base}}}"),
    "msup": (2, lambda base, up: f"{{{base}}}^{{{up}}}" if len(base) > 1 else f"{base}^{{{up}}}"),
    "msub": (2, lambda base, low: f"{{{base}}}_{{{low}}}" if len(base) > 1 else f"{base}_{{{low}}}"),
    "msubsup": (3, _limits), "munderover": (3, _limits), "mover": (2, _over), "munder": (2, _under),
}

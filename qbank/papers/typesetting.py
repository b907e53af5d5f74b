"""Item texts as plain values for typst: runs, formulas as trees, tables, pictures. Pure.

Nothing of a text is ever program of the template: it reads these values and builds what it shows from them. A text is a list
of blocks, ``["p", [run, …]]`` or ``["t", [[cell, …], …]]``; a run is a string, ``["b", [run, …]]`` bold, ``["u"]`` a blank to write in,
``["m", tree, on its own]`` a formula, ``["i", sha256, caption]`` a picture or ``["br"]``. A tree is ``["row", […]]``, a leaf ``["i" | "n" | "t",
text]`` (slanted, upright, words), ``["o", text, class]`` a sign, or a shape named as in MathML with its parts.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any
from xml.etree.ElementTree import Element  # only the type: nothing is parsed with it

from latex2mathml.converter import convert_to_element

from qbank.items.formulas import FUNCTIONS, PLACEHOLDER, UPRIGHT, problem_of
from qbank.items.notation import TOKEN, blocks

CLASSES = {**dict.fromkeys("=≠<>≤≥≈≡∈→←⇒∥⊥∝≪≫", "relation"), **dict.fromkeys("+-−±∓×÷·⋅∗*", "binary"),
           **dict.fromkeys("([{⌊⌈", "opening"), **dict.fromkeys(")]}⌋⌉", "closing"), **dict.fromkeys(",;:", "punctuation"),
           **dict.fromkeys("∑∏∫∮", "large")}
ACCENTS = {"¯": "overline", "‾": "overline", "―": "overline", "_": "overline", "^": "hat", "~": "tilde", "˜": "tilde", "→": "arrow",
           "⃗": "arrow", "˙": "dot", "¨": "dot.double"}
SHAPES = {"mfrac": 2, "msqrt": 1, "mroot": 2, "msup": 2, "msub": 2, "msubsup": 3, "mover": 2, "munder": 2, "munderover": 3}
SILENT = {"mspace", "mphantom", "none", "mprescripts"}


def typeset(text: str) -> list[Any]:
    """A text of the bank as blocks."""
    made: list[Any] = []
    for block in blocks(text):
        if isinstance(block, str):
            made.append(["p", _runs(block.strip("\n"))])
        else:
            made.append(["t", [[_runs(cell) for cell in row] for row in block]])
    return made


def _runs(text: str) -> list[Any]:
    made: list[Any] = []
    end = 0
    for found in TOKEN.finditer(text):
        made += _words(text[end:found.start()])
        made.append(_run(found))
        end = found.end()
    return made + _words(text[end:])


def _words(text: str) -> list[Any]:
    """Line ends stay, and so do runs of spaces, which leave room for an answer."""
    made: list[Any] = []
    for place, line in enumerate(text.split("\n")):
        if place:
            made.append(["br"])
        for part in re.split(r"(_{2,})", line):
            if part:
                made.append(["u"] if part.startswith("__") else re.sub(r"(?<= ) |^ | $", "\xa0", part))
    return made


def _run(found: re.Match[str]) -> Any:
    if found["sign"]:
        return found["sign"]
    if found["picture"]:
        return ["i", found["picture"], found["caption"]]
    if found["bold"]:
        return ["b", _runs(found["bold"])]
    return ["m", formula((found["display"] or found["inline"]).strip()), bool(found["display"])]


@lru_cache(maxsize=4096)
def formula(latex: str) -> Any:
    """The tree of a formula; one that cannot be read is shown as its source."""
    if problem_of(latex):
        return ["t", latex]
    return _tree(convert_to_element(latex))


def _tree(part: Element) -> Any:
    name = str(part.tag)
    if name in {"mi", "mn", "mo", "ms", "mtext"}:
        return _leaf(part, name)
    if name in SILENT:
        return ["t", "\u2004" if name == "mspace" else ""]
    if name == "mtable":
        return ["mat", [[_tree_of_all(cell) for cell in row] for row in part]]
    parts = [_tree(child) for child in part]
    if name == "msqrt":
        return ["msqrt", ["row", parts]]
    if SHAPES.get(name) == len(parts):
        if name == "mover" and parts[1][0] == "o" and parts[1][1] in ACCENTS:
            return ["accent", parts[0], ACCENTS[parts[1][1]]]
        return [name, *parts]
    return ["row", parts] if len(parts) != 1 else parts[0]


def _tree_of_all(cell: Element) -> Any:
    return ["row", [_tree(child) for child in cell]]


def _leaf(part: Element, name: str) -> Any:
    raw = part.text or ""
    text = PLACEHOLDER.sub(lambda found: chr(min(int(found[1], 16), 0x10FFFF)), raw)
    if name == "mo":
        text = text.strip() or "\u2009"
        return ["o", "−" if text == "-" else text, CLASSES.get(text, "normal")]
    if name == "mi" and text in FUNCTIONS:
        return ["f", text]
    if name in {"mtext", "ms"} or any(sign >= "\u2e80" for sign in text):
        return ["t", text]
    upright = name == "mn" or part.get("mathvariant") == "normal" or UPRIGHT.fullmatch(raw) or len(text) > 1
    return ["n" if upright else "i", text]

"""Looking at the MathML that latex2mathml makes: what a sign says, how it stands, whether two formulas mean the same. Pure."""

from __future__ import annotations

import html
import re
from xml.etree.ElementTree import Element

from latex2mathml.converter import convert_to_element

UPRIGHT = re.compile(r"&#x000[46][0-9A-Fa-f];|&#x000[57][0-9Aa];")  # one letter in \\mathrm, as latex2mathml writes it


def same(latex: str, back: str) -> bool:
    """Whether both mean the same: their MathML without groups, spaces and looks."""
    return latex == back or essence(convert_to_element(latex)) == essence(convert_to_element(back))


def essence(element: Element) -> list[object]:
    text = html.unescape(element.text or "").strip()
    inner = [piece for child in element for piece in essence(child)]
    if element.tag in {"math", "mrow", "mstyle", "mpadded"}:
        return inner
    if element.tag == "mspace":
        return []
    if element.tag in {"mi", "mn", "mo", "mtext"}:
        return [(sign, upright(element)) for sign in text]
    return [(element.tag.replace("munderover", "msubsup").replace("munder", "msub").replace("mover", "msup"), text, tuple(
        tuple(essence(child)) for child in element))]


def upright(element: Element) -> bool:
    """Whether its letters stand upright: units, names of functions, \\mathrm."""
    text = element.text or ""
    return bool(element.tag in {"mi", "mo"} and (element.get("mathvariant") == "normal" or UPRIGHT.fullmatch(text)
                or (len(text) > 1 and text.isascii() and text.isalpha())))


def core(element: Element) -> Element:
    """Through rows with one child."""
    while element.tag in {"mrow", "mstyle", "mpadded"} and len(element) == 1:
        element = element[0]
    return element


def text_in(element: Element) -> str:
    return re.sub(r"\s+", " ", html.unescape(element.text or "")).strip()

r"""EQ fields, with which papers were typed before Word had formulas: ``EQ \f(1,2)``, ``EQ \r(3,x)``, ``x\s\up5(2)``. Pure."""

from __future__ import annotations

import re

from qbank.items.formulas import SIGNS

SWITCH = re.compile(r"\\\s*([A-Za-z]+)\s*\d*")
DEEPEST = 12


def equation_of(instruction: str) -> str:
    """The LaTeX of an EQ field; empty: it holds something else than fractions, roots, scripts, brackets and bars."""
    try:
        made, rest = _read(instruction.strip(), 0, 0, "")
    except (ValueError, IndexError):
        return ""
    return made.strip() if rest >= len(instruction.strip()) else ""


def _read(text: str, place: int, depth: int, until: str) -> tuple[str, int]:
    """LaTeX up to one of the signs ``until``."""
    if depth > DEEPEST:
        raise ValueError("depth")
    made = ""
    while place < len(text) and text[place] not in until:
        if text[place] == "\\":
            piece, place = _switch(text, place, depth)
            made += piece
        else:
            sign = text[place]
            made += rf"\text{{{sign}}}" if "\u2e80" <= sign <= "\u9fff" else SIGNS.get(sign, sign)
            made += " " if made.endswith(SIGNS.get(sign, " ")) and SIGNS.get(sign, "").startswith("\\") else ""
            place += 1
    return made.replace("}\\text{", ""), place


def _switch(text: str, place: int, depth: int) -> tuple[str, int]:
    names = []
    while place < len(text) and (found := SWITCH.match(text, place)):
        names.append(found[1].lower())
        place = found.end()
    while place < len(text) and text[place] == " ":
        place += 1
    if not names:
        if place + 1 < len(text):
            return text[place + 1], place + 2
        raise ValueError("switch")
    if place >= len(text) or text[place] != "(":
        raise ValueError("bracket")
    parts, place = _arguments(text, place + 1, depth)
    return _written(names, parts), place


def _arguments(text: str, place: int, depth: int) -> tuple[list[str], int]:
    parts = []
    while True:
        made, place = _read(text, place, depth + 1, ",;)，；")
        parts.append(made.strip())
        if text[place] == ")":
            return parts, place + 1
        place += 1


def _written(names: list[str], parts: list[str]) -> str:
    name = names[0]
    if name == "f" and len(parts) == 2:
        return rf"\frac{{{parts[0]}}}{{{parts[1]}}}"
    if name == "r":
        return rf"\sqrt{{{parts[-1]}}}" if len(parts) == 1 or not parts[0] else rf"\sqrt[{parts[0]}]{{{parts[1]}}}"
    if name == "s" and len(parts) == 1 and len(names) > 1:
        return f"{'^' if names[1].startswith('up') else '_'}{{{parts[0]}}}"
    if name == "s" and len(parts) == 2:
        return f"^{{{parts[0]}}}_{{{parts[1]}}}"
    if name == "b" and len(parts) == 1:
        return rf"\left({parts[0]}\right)"
    if name == "x" and len(parts) == 1:
        return rf"\overline{{{parts[0]}}}"
    raise ValueError(name)

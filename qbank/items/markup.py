r"""The markup of item texts, and its ways into HTML and plain text. Pure.

Plain text, in which only this means something: ``$…$`` and ``$$…$$`` LaTeX in the line and on its own, ``**…**`` bold,
``![caption](media:SHA256)`` a picture, pipe tables (a row, ``|---|``, rows; each line begins with ``|``), and a backslash
before ``$``, ``*``, ``!`` or ``|``, which then are only signs. Line ends stay. A ``$`` opens a formula only before and
closes it only after something that is no space, and never closes before a digit: 5$ 和 10$ are prices.

CommonMark is not the base: its bold ends at Chinese quotation marks, and it eats line ends and indents.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from markupsafe import Markup
from markupsafe import escape as escaped

from qbank.items.foreign import from_html
from qbank.items.formulas import problem_of, to_mathml
from qbank.items.notation import TOKEN, blocks, escape, formula, picture, table, tokens

__all__ = ["escape", "formula", "formula_problems", "formulas_in", "from_html", "picture", "pictures_in", "plain", "table",
           "to_html"]
SPACES = re.compile(r"^ | $| (?= )", re.MULTILINE)


def to_html(text: str, address: Callable[[str], str]) -> Markup:
    """Safe HTML, whatever the text. ``address(sha256)`` gives the address of a picture."""
    made = Markup("")
    for block in blocks(text):
        made += _line(block, address) if isinstance(block, str) else _table(block, address)
    return made


def plain(text: str) -> str:
    """For lists, search and comparison: formulas as their source, pictures as [图], tables as lines."""
    lines = []
    for block in blocks(text):
        lines += [_bare(block)] if isinstance(block, str) else [" ".join(map(_bare, row)).strip() for row in block]
    return "\n".join(lines)


def pictures_in(text: str) -> tuple[str, ...]:
    """The hashes of the pictures, each once, in their order."""
    return tuple(dict.fromkeys(found["picture"] for found in tokens(text) if found["picture"]))


def formulas_in(text: str) -> tuple[str, ...]:
    """The LaTeX of the formulas in their order."""
    return tuple(found["display"] or found["inline"] for found in tokens(text) if found["display"] or found["inline"])


def formula_problems(text: str) -> tuple[str, ...]:
    """One sentence for each formula that cannot be shown."""
    return tuple(dict.fromkeys(problem for latex in formulas_in(text) if (problem := problem_of(latex))))


def _line(text: str, address: Callable[[str], str]) -> Markup:
    shown = SPACES.sub("\xa0", text)  # as long as the text; HTML would swallow these spaces
    made, end = Markup(""), 0
    for found in TOKEN.finditer(text):
        made += _broken(shown[end:found.start()]) + _token(found, address)
        end = found.end()
        if found["display"] and text[end:end + 1] == "\n":  # a formula on its own ends its line itself
            end += 1
    return made + _broken(shown[end:])


def _broken(text: str) -> Markup:
    return Markup("<br>").join(escaped(line) for line in text.split("\n"))


def _token(found: re.Match[str], address: Callable[[str], str]) -> Markup:
    if found["sign"]:
        return escaped(found["sign"])
    if found["display"] or found["inline"]:
        return to_mathml((found["display"] or found["inline"]).strip(), block=bool(found["display"]))
    if found["picture"]:
        return Markup('<img class="picture" src="{}" alt="{}">').format(address(found["picture"]), found["caption"] or "图")
    return Markup("<strong>{}</strong>").format(_line(found["bold"], address))


def _table(rows: list[list[str]], address: Callable[[str], str]) -> Markup:
    def row(cells: list[str], name: str) -> Markup:
        filled = Markup("").join(Markup("<{0}>{1}</{0}>").format(name, _line(cell, address)) for cell in cells)
        return Markup("<tr>{}</tr>").format(filled)

    body = Markup("").join(row(cells, "td") for cells in rows[1:])
    return Markup('<table class="content-table"><thead>{}</thead><tbody>{}</tbody></table>').format(row(rows[0], "th"), body)


def _bare(text: str) -> str:
    def said(found: re.Match[str]) -> str:
        if found["picture"]:
            return "[图]"
        if found["bold"]:
            return _bare(found["bold"])
        return (found["sign"] or found["display"] or found["inline"] or "").strip()

    return TOKEN.sub(said, text)

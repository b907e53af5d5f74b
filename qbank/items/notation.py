"""The signs of the markup: what they look like, and how they are written. Pure. What they mean: ``qbank.items.markup``."""

from __future__ import annotations

import re
from collections.abc import Iterator

TOKEN = re.compile(
    r"\\(?P<sign>[$*!|])"
    r"|\$\$(?P<display>(?:\\.|[^$\\\n]|\n(?!\s*\n)){1,2000}?)\$\$"
    r"|\$(?P<inline>(?=\S)(?:\\.|[^$\\\n]){1,2000}?(?<=\S))\$(?!\d)"
    r"|!\[(?P<caption>[^\]\n]{0,200})\]\(media:(?P<picture>[0-9a-f]{64})\)"
    r"|\*\*(?P<bold>(?=[^\s*])(?:\\.|(?!\*\*|\$\$)[^\n\\]){1,2000}?(?<=\S))\*\*(?!\*)")
NEEDS_BACKSLASH = re.compile(r"\$|\*{2,}|(?<=\\)[*!|]|!(?=\[)|^(\s*)\|(?=[\s:|-]*-[\s:|-]*$)", re.MULTILINE)
DASHES = re.compile(r"\s*\|(\s*:?-+:?\s*\|)+\s*")
CELL_END = re.compile(r"(?<!\\)\|")


def escape(text: str) -> str:
    """Markup that shows exactly ``text``."""
    return NEEDS_BACKSLASH.sub(_backslashed, text)


def picture(sha256: str, caption: str = "") -> str:
    """The markup of a picture."""
    caption = re.sub(r"[][\s]+", " ", caption).strip()[:200]
    return f"![{caption}](media:{sha256})"


def formula(latex: str, *, block: bool = False) -> str:
    """The markup of a formula; its escaped source where the markup cannot hold it."""
    latex = re.sub(r"\s*\n\s*", " ", latex.strip())
    made = f"$${latex}$$" if block else f"${latex}$"
    found = TOKEN.fullmatch(made)
    return made if found and (found["display"] or found["inline"]) else escape(latex)


def table(rows: list[list[str]]) -> str:
    """The markup of a table of cells that are markup themselves; the first row is its head."""
    width = max(map(len, rows), default=0)
    lines = ["| " + " | ".join(_cell(cell) for cell in row + [""] * (width - len(row))) + " |" for row in rows]
    return "\n".join([*lines[:1], "|" + "---|" * width, *lines[1:]]) if width else ""


def blocks(text: str) -> Iterator[str | list[list[str]]]:
    """Runs of lines, and tables as rows of cells; the first row is the head."""
    lines, run = text.replace("\r\n", "\n").split("\n"), []
    place = 0
    while place < len(lines):
        if not (DASHES.fullmatch(lines[place + 1]) if place + 1 < len(lines) and _is_row(lines[place]) else None):
            run.append(lines[place])
            place += 1
            continue
        if run:
            yield "\n".join(run)
        head = _cells(lines[place])
        end = place + 2
        while end < len(lines) and _is_row(lines[end]):
            end += 1
        yield [head, *((_cells(line) + [""] * len(head))[:len(head)] for line in lines[place + 2:end])]
        run, place = [], end
    if run:
        yield "\n".join(run)


def tokens(text: str) -> Iterator[re.Match[str]]:
    """Everything that means something, inside bold too."""
    for block in blocks(text):
        for part in [block] if isinstance(block, str) else [cell for row in block for cell in row]:
            yield from _within(part)


def _within(part: str) -> Iterator[re.Match[str]]:
    for found in TOKEN.finditer(part):
        yield found
        if found["bold"]:
            yield from _within(found["bold"])


def _backslashed(found: re.Match[str]) -> str:
    text = found.group()
    return "".join("\\" + sign if sign in "$*!|" else sign for sign in text)


def _cell(markup: str) -> str:
    return re.sub(r"\s*\n\s*", " ", markup).strip().replace("|", r"\|")


def _is_row(line: str) -> bool:
    return line.lstrip().startswith("|") and line.rstrip().endswith("|") and len(line.strip()) > 1


def _cells(line: str) -> list[str]:
    return [cell.strip().replace(r"\|", "|") for cell in CELL_END.split(line.strip()[1:-1])]

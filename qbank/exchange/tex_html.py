"""Our markup as HTML with TeX between ``\\( \\)`` and ``\\[ \\]``, as Moodle's filters read it. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

from lxml import etree, html

from qbank.exchange.drafts import Loss
from qbank.exchange.gathering import texts_of
from qbank.items.draft import Draft
from qbank.items.markup import to_html

SIGNS = re.compile(r"\$(?=\$)|\\(?=[(\[])")  # in words they would begin a formula
SPACES = re.compile(r"(?<=\s) |^ ", re.MULTILINE)


def tex_html(text: str, address: Callable[[str], str]) -> str:
    """HTML that shows ``text``; a picture for which ``address(sha256)`` is empty becomes its caption."""
    made = html.fragment_fromstring(str(to_html(text, address)), create_parent="div")
    for part in made.iter():
        if part.tag == "math" or next(part.iterancestors("math"), None) is not None:
            continue
        part.text = _words(part.text)
    for part in list(made.iter()):
        if next(part.iterancestors("math"), None) is None and part is not made:
            part.tail = _words(part.tail)
    for image in list(made.iter("img")):
        if not image.get("src"):
            _replace(image, f"［图：{image.get('alt') or '缺'}］")
    for formula in list(made.iter("math")):
        latex = formula.get("alttext") or ""
        _replace(formula, f"\\[{latex}\\]" if formula.get("display") == "block" else f"\\({latex}\\)")
    whole = str(etree.tostring(made, method="html", encoding="unicode"))
    return whole.removeprefix("<div>").removesuffix("</div>")


def tex_losses(place: str, draft: Draft) -> Iterator[Loss]:
    """A loss for each text whose words look like the beginning of a formula."""
    for field, text in texts_of(draft):
        if any(SIGNS.search(one) for one in html.fragment_fromstring(
                str(to_html(text, lambda name: "x")), create_parent="div").itertext()):
            yield Loss(place, field, "文字里的 $$、\\( 或 \\[ 会被当作公式的开头，中间加了空格。")


def _words(text: str | None) -> str | None:
    return SPACES.sub("\xa0", SIGNS.sub(lambda found: f"{found.group()} ", text)) if text else text


def _replace(part: Any, text: str) -> None:
    part.tail = text + (part.tail or "")
    part.drop_tree()

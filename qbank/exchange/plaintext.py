"""Text files as they come: their encoding, TeX in the line, and what two options 对 and 错 really are. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from qbank.items.draft import LETTERS, judgement
from qbank.items.foreign import TEX
from qbank.items.markup import escape, formula
from qbank.items.writing import half_width
from qbank.kernel.refused import Refused

MOST_TEXT = 20 * 1024 * 1024
MARKS = {b"\xef\xbb\xbf": "utf-8-sig", b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}
JUDGEMENTS = {"CORRECT": "T", "INCORRECT": "F", "RIGHT": "T", "WRONG": "F"}


def text_of(content: bytes, file_name: str) -> str:
    """The text of a file in UTF-8, UTF-16 with its mark, or GBK; line ends as ``\\n``."""
    if len(content) > MOST_TEXT:
        raise Refused("too_large", f"“{file_name}”超过 {MOST_TEXT // 1024 // 1024} MB，请拆成几个文件。")
    code = next((code for mark, code in MARKS.items() if content.startswith(mark)), "utf-8")
    try:
        text = content.decode(code)
    except UnicodeDecodeError:
        try:
            text = content.decode("gb18030")
        except UnicodeDecodeError:
            raise Refused("unreadable", f"“{file_name}”不是文本文件，或编码无法识别。请另存为 UTF-8 编码的文本后再上传。") from None
    if "\x00" in text:
        raise Refused("unreadable", f"“{file_name}”不是文本文件。请选择文本文件，或换一种格式导入。")
    return text.replace("\r\n", "\n").replace("\r", "\n")


def tex_parts(text: str) -> list[tuple[str, bool | None]]:
    """``text`` cut into words (None) and LaTeX (True: displayed, False: in the line)."""
    parts: list[tuple[str, bool | None]] = []
    end = 0
    for found in TEX.finditer(text):
        parts += [(text[end:found.start()], None),
                  (found["inline"] or found["display"] or found["dollars"], found["inline"] is None)]
        end = found.end()
    return [*parts, (text[end:], None)]


def plain_markup(text: str) -> str:
    """Markup that shows plain ``text``, with its TeX as formulas."""
    return "".join(escape(part) if block is None else formula(part, block=block)
                   for part, block in tex_parts(text))


def as_judge(options: Sequence[str], key: str) -> str | None:
    """``T`` or ``F`` where two options are no more than 对 and 错, in whatever words; None where they are more."""
    words = [judgement(JUDGEMENTS.get(half_width(text).strip().strip(".。").upper(), text)) for text in options]
    if sorted(words) != ["F", "T"] or len(key) != 1 or key not in "AB":
        return None
    return words["AB".index(key)]


def letters_of(right: Sequence[bool]) -> str:
    """Which of the options are right, as a key. Options beyond the tenth have no letter: they count as ``?``."""
    return "".join((LETTERS[place] if place < len(LETTERS) else "?") for place, one in enumerate(right) if one)

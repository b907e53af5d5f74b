"""Lines of a fill-in key (``qbank.items.answers``) taken apart for foreign formats, and put together from them. Pure."""

from __future__ import annotations

import dataclasses
import re
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

from qbank.items.answers import NUMBER, UNIT_SEPARATOR, units_of
from qbank.items.writing import clean, half_width


@dataclass(frozen=True)
class Alternative:
    """One accepted answer. A number keeps its digits as they were typed; ``tolerance`` empty: exact."""

    text: str
    is_number: bool = False
    tolerance: str = ""
    percent: bool = False
    units: tuple[str, ...] = ()

    def as_words(self) -> Alternative:
        """The number as it would be typed, without tolerance; words stay what they are."""
        return dataclasses.replace(self, text=" ".join([self.text, *self.units[:1]]), is_number=False, tolerance="",
                                   percent=False, units=())


def alternatives_of(line: str) -> list[Alternative]:
    """The accepted answers of one line of a key that ``qbank.items.draft.problems`` finds nothing wrong with."""
    made = []
    for part in line.replace("｜", "|").split("|"):
        found = NUMBER.fullmatch(half_width(part).strip())
        if found is None:
            made.append(Alternative(part.strip()))
        else:
            made.append(Alternative(found["value"], True, found["tolerance"] or "", bool(found["percent"]),
                                    units_of(found["units"])))
    return made


def written_line(one: Alternative) -> str:
    """An alternative as our key writes it."""
    if not one.is_number:
        return one.text
    margin = f"±{one.tolerance}{'%' if one.percent else ''}" if one.tolerance else ""
    return f"={one.text}{margin}{' ' + UNIT_SEPARATOR.join(one.units) if one.units else ''}"


def words_line(text: str) -> tuple[str, str]:
    """Somebody else's accepted wording for a line of our key, and what is wrong with it (empty: nothing)."""
    text = re.sub(r"\s+", " ", clean(text))
    if "|" in text or "｜" in text or text.startswith(("=", "＝")):
        return text, f"答案“{text[:40]}”里有“|”或以“=”开头，填空题的答案不能这样写，请修改。"
    return text, "" if text else "有一个空的答案，请补上。"


def number_line(value: str, tolerance: str = "", *, percent: bool = False, units: tuple[str, ...] = ()) -> tuple[str, str]:
    """Somebody else's accepted number for a line of our key, and what is wrong with it (empty: nothing)."""
    digits, margin = _decimal(value), _decimal(tolerance or "0")
    if digits is None or margin is None:
        return value.strip(), f"数值答案“{(value if digits is None else tolerance).strip()[:40]}”无法识别，请修改。"
    sound = tuple(unit for unit in (re.sub(r"[\s|=±、｜]", "", unit) for unit in units) if unit)
    return written_line(Alternative(digits, True, "" if Decimal(margin) == 0 else margin.lstrip("-"), percent, sound)), ""


def _decimal(text: str) -> str | None:
    """``1.5e2`` and ``.5`` as plain digits; None for what is no number."""
    text = half_width(text).strip().replace("−", "-")
    if re.fullmatch(r"[-+]?\d+(\.\d+)?", text) and len(text) < 40:
        return text
    try:
        value = Decimal(text)
    except InvalidOperation:
        return None
    if not value.is_finite() or abs(value.adjusted()) > 30 or len(value.as_tuple().digits) > 40:
        return None
    return f"{value:f}"

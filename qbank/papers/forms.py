"""What the forms of this room send, read at the border."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass

from werkzeug.datastructures import MultiDict

from qbank.kernel.forms import half_points, whole_number
from qbank.kernel.refused import Refused
from qbank.papers.models import Specification
from qbank.papers.specification import FORMS, KIND_NAMES, Part

FREE = "free"
ROWS = len(KIND_NAMES)  # one for each item type
MOST_ITEMS = 500
LARGEST_SEED = 2**53 - 1  # so many that trying them all against a compliance sheet is out of reach
LEVELS: Mapping[str, str] = {"二级": "二级/技师（含主观题）：", "一级": "一级/高级技师（含主观题）："}


def _said(name: str, parts: tuple[Part, ...]) -> str:
    return LEVELS.get(name, "") + " + ".join(f"{KIND_NAMES[part.kind]} {part.count}×{part.half_points / 2:g}" for part in parts)


PRESETS: Mapping[str, str] = {**{name: _said(name, parts) for name, parts in FORMS.items()}, FREE: "自定义"}


@dataclass(frozen=True)
class SpecificationForm:
    """What was typed, as text, so that a refused form can be shown again as it was."""

    bank: str
    name: str
    minutes: str
    preset: str
    rows: tuple[tuple[str, str, str], ...]  # kind, count, points
    instructions: str = ""
    calculator: bool = False
    reason: str = ""

    @classmethod
    def empty(cls, minutes: int, instructions: str = "") -> SpecificationForm:
        return cls("", "", str(minutes), "80×1+20×1", rows_of(FORMS["80×1+20×1"]), instructions)

    @classmethod
    def of(cls, specification: Specification, parts: tuple[Part, ...]) -> SpecificationForm:
        preset = next((name for name, shape in FORMS.items() if shape == parts), FREE)
        return cls(f"{specification.institution_id}:{specification.table_id}", specification.name, str(specification.minutes),
                   preset, rows_of(parts), specification.instructions, specification.calculator)

    @classmethod
    def read(cls, form: MultiDict[str, str]) -> SpecificationForm:
        preset = form.get("preset", "")
        typed = [(form.get(f"kind{i}", ""), form.get(f"count{i}", ""), form.get(f"points{i}", "")) for i in range(ROWS)]
        rows = tuple(typed) if preset not in FORMS else rows_of(FORMS[preset])
        return cls(form.get("bank", ""), form.get("name", ""), form.get("minutes", ""), preset, rows,
                   form.get("instructions", ""), "calculator" in form, form.get("reason", ""))

    def parts(self) -> list[Part]:
        """The rows that were filled in. Refuses by row what is no number or no item type."""
        parts = []
        for number, (kind, count, points) in enumerate(self.rows, start=1):
            if not kind and not count.strip():
                continue
            if kind not in KIND_NAMES:
                raise Refused("bad_parts", f"第 {number} 行没有选题型，请选择，或把题量清空。")
            if not count.strip() or count.strip() == "0":
                continue
            parts.append(Part(kind, whole_number(count, f"第 {number} 行题量", 1, MOST_ITEMS),
                              half_points(points, f"第 {number} 行每题分值")))
        return parts

    def bank_ids(self) -> tuple[int, int]:
        """Institution and weight table that were chosen, ``"3:12"``; (0, 0) when it cannot be read."""
        school, _, table = self.bank.partition(":")
        numbers = [int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else 0 for text in (school, table)]
        return numbers[0], numbers[1]


def rows_of(parts: tuple[Part, ...]) -> tuple[tuple[str, str, str], ...]:
    """A form as rows of the page, filled up with empty ones."""
    rows = [(part.kind, str(part.count), f"{part.half_points / 2:g}") for part in parts]
    return tuple(rows + [("", "", "")] * (ROWS - len(rows)))


def a_seed() -> int:
    """A seed nobody chose."""
    return secrets.randbelow(LARGEST_SEED + 1)


def read_seed(text: str) -> int:
    """The seed that was typed; one drawn at random where the field was left empty."""
    return whole_number(text, "随机种子", 0, LARGEST_SEED) if text.strip() else a_seed()

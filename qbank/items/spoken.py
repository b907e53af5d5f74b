"""Keys and marking guides as a person reads them. Pure, and without complaint: what cannot be read is said as it stands."""

from __future__ import annotations

from decimal import Decimal

from qbank.items.answers import Blank, Quantity, Step, Words, blanks_of, steps_of


def blanks(key: str) -> list[str]:
    """One line for each blank of a fill-in key: everything that it accepts."""
    try:
        return [" 或 ".join(_accepted(one) for one in blank.accepted) for blank in blanks_of(key)]
    except ValueError:
        return key.split("\n")


def steps(guide: str) -> list[tuple[str, str]]:
    """Points and text of each step of a marking guide; no points where the guide cannot be read."""
    try:
        return [(_number(Decimal(step.half_points) / 2), step.text) for step in steps_of(guide)]
    except ValueError:
        return [("", line) for line in guide.split("\n") if line.strip()]


def total(guide: str) -> str:
    """The points of a marking guide in all; empty where it cannot be read."""
    try:
        found: tuple[Step, ...] = steps_of(guide)
    except ValueError:
        return ""
    return _number(Decimal(sum(step.half_points for step in found)) / 2)


def outcome(key: str, given: list[str]) -> list[bool]:
    """For each blank of the key whether it accepts what was typed. ValueError when the key cannot be read."""
    answers: list[str] = [*given, *[""] * 100]
    accepted: tuple[Blank, ...] = blanks_of(key)
    return [blank.accepts(answer) for blank, answer in zip(accepted, answers, strict=False)]


def _accepted(one: Words | Quantity) -> str:
    if isinstance(one, Words):
        return f"“{one.text}”"
    low, high = one.value - one.tolerance, one.value + one.tolerance
    span = f"{_number(low)}～{_number(high)}" if one.tolerance else _number(one.value)
    return f"数值 {span}" + (f"（单位 {'、'.join(one.units)}）" if one.units else "")


def _number(value: Decimal) -> str:
    text = f"{value:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text

"""The list of OWASP ASVS 5.0.0 names every requirement of levels 1 and 2 once, and nothing that is not there."""

from __future__ import annotations

import ast
import re
from collections import Counter
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
LIST = (Path(__file__).parent / "asvs.md").read_text("utf-8")
# How many requirements of levels 1 and 2 each section has; those of level 3 stand behind them.
SECTIONS = {
    "1.1": 2, "1.2": 9, "1.3": 11, "1.4": 3, "1.5": 2, "2.1": 3, "2.2": 3, "2.3": 4, "2.4": 1, "3.2": 2, "3.3": 4, "3.4": 6, "3.5": 5, "3.7": 2,
    "4.1": 3, "4.2": 1, "4.3": 2, "4.4": 4, "5.1": 1, "5.2": 3, "5.3": 2, "5.4": 3, "6.1": 3, "6.2": 12, "6.3": 4, "6.4": 4, "6.5": 5, "6.6": 3, "6.8": 4,
    "7.1": 3, "7.2": 4, "7.3": 2, "7.4": 5, "7.5": 2, "7.6": 2, "8.1": 2, "8.2": 3, "8.3": 1, "8.4": 1, "9.1": 3, "9.2": 4,
    "10.1": 2, "10.2": 2, "10.3": 4, "10.4": 11, "10.5": 5, "10.6": 2, "10.7": 3, "11.1": 2, "11.2": 3, "11.3": 3, "11.4": 4, "11.5": 1, "11.6": 1,
    "12.1": 3, "12.2": 2, "12.3": 4, "13.1": 1, "13.2": 5, "13.3": 2, "13.4": 5, "14.1": 2, "14.2": 4, "14.3": 3, "15.1": 3, "15.2": 3, "15.3": 7,
    "16.1": 1, "16.2": 5, "16.3": 4, "16.4": 3, "16.5": 3, "17.1": 1, "17.2": 4, "17.3": 2,
}
APPLIES, _, REST = LIST.partition("## What does not apply")
ROWS = re.findall(r"^\| (\d+\.\d+\.\d+) \| ([12]) \| (.+?) \| (.+?) \|$", APPLIES, re.MULTILINE)
APART = re.findall(r"^\| ((?:\d+\.\d+\.\d+(?:, )?)+) \| (.+?) \|$", REST, re.MULTILINE)


@cache
def names_of(file: Path) -> set[str]:
    return {node.name for node in ast.walk(ast.parse(file.read_text("utf-8"))) if isinstance(node, ast.FunctionDef)}


def test_every_requirement_of_levels_one_and_two_stands_once() -> None:
    expected = {f"{section}.{number}" for section, most in SECTIONS.items() for number in range(1, most + 1)}
    assert len(expected) == 253
    found = Counter([row[0] for row in ROWS] + [number for numbers, _ in APART for number in numbers.split(", ")])
    assert sorted(expected - set(found)) == []
    assert sorted(set(found) - expected) == []
    assert [number for number, times in found.items() if times > 1] == []


def test_no_row_is_without_a_test_or_a_reason() -> None:
    shown = re.compile(r"reason: .+|`tests/[^`]+`(, `tests/[^`]+`)*")
    bare = [number for number, _, where, proof in ROWS if len(where) < 3 or not shown.fullmatch(proof)]
    assert bare == []
    assert [numbers for numbers, reason in APART if len(reason) < 8] == []
    assert sum(proof.startswith("reason: ") for *_, proof in ROWS) < 15  # most are shown, not told


def test_every_test_that_is_named_is_there() -> None:
    gone = []
    for number, _, _, proof in ROWS:
        for file, _, name in re.findall(r"`(tests/[^`:]+)(::([^`]+))?`", proof):
            place = ROOT / file
            if not place.is_file() or (name and name not in names_of(place)):
                gone.append((number, file, name))
    assert gone == []

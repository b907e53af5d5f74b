"""README's table of the notice: every clause, its pages and commands exist, its tests exist."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

import click
import pytest
from flask import Flask

from app import GROUPS, create_app
from qbank.kernel.console import console

ROOT = Path(__file__).parents[1]
NUMERALS = "一二三四五六七"
PARTS = {"一": 6, "二": 3, "三": 3, "四": 4, "五": 7}  # clauses in each part of the notice
CLAUSES = [*(f"{part}（{NUMERALS[number]}）" for part, most in PARTS.items() for number in range(most)), "五 末段", "附件1", "附件2"]
SECTION = (ROOT / "README.md").read_text("utf-8").partition("## The notice, clause by clause")[2].partition("\n## ")[0]
ROWS = {cells[0].strip(): [cell.strip() for cell in cells[1:]]
        for line in SECTION.splitlines() if line.startswith("| ") and (cells := line.strip("|").split("|"))[0].strip() in CLAUSES}


@cache
def named_in(path: str) -> set[str]:
    return {node.name for node in ast.walk(ast.parse((ROOT / path).read_text("utf-8")))
            if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")}


def test_every_clause_has_a_row() -> None:
    assert list(ROWS) == CLAUSES


@pytest.mark.parametrize("clause", CLAUSES)
def test_its_tests_exist(clause: str) -> None:
    named = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", ROWS[clause][-1])
    assert named
    missing = [f"{path}::{name}" for path, name in named if not (ROOT / path).exists() or name not in named_in(path)]
    assert missing == []


def test_its_pages_and_commands_exist(app: Flask) -> None:
    doors = {re.sub(r"<(?:\w+:)?(\w+)>", "N", rule.rule) for rule in app.url_map.iter_rules()}
    for clause in CLAUSES:
        named = re.findall(r"`([^`]+)`", ROWS[clause][-2])
        assert named, clause
        assert [one for one in named if not (one in doors if one.startswith("/") else _is_command(one))] == []


def _is_command(line: str) -> bool:
    """``examroom group command``: placeholders in capitals and options do not count."""
    program, *words = [word for word in line.split() if not word.isupper() and not word.startswith("-")]
    command: click.Command | None = console(create_app, GROUPS)
    for word in words:
        command = command.commands.get(word) if isinstance(command, click.Group) else None
    return program == "examroom" and command is not None

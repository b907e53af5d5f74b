"""A small bank for tests: one theory table with two leaf ranges of three points, drafts, workbooks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from io import BytesIO
from typing import Any

import xlsxwriter
from sqlalchemy.orm import Session

from qbank.items import bank, review
from qbank.items.draft import Draft
from qbank.items.models import ItemVersion
from qbank.items.states import ItemKind, Verdict
from qbank.kernel.access import Viewer
from qbank.standards.models import Importance, Occupation, Point, Range, Standard, Subject, WeightTable

TITLES = ("鉴定范围", "鉴定点", "题型", "题干", "选项A", "选项B", "选项C", "选项D", "答案", "难度", "解析", "出处")
OHM = Draft(kind="single", stem="电阻的单位是（　　）。", options=("伏特", "安培", "欧姆", "瓦特"), key="C",
            explanation="以欧姆命名。", source="电工基础", difficulty=1, range_path="A-A", point_segment="001")


def theory_table(session: Session, code: str = "6-31-01-03", name: str = "电工", level: int = 4) -> WeightTable:
    """Ranges A (A-A 安全 50 %) and B (B-A 电路 50 %), points 001 X, 002 Y, 003 Z in each leaf."""
    standard = Standard(edition="2018", title=f"{name}国家职业技能标准",
                        occupation=Occupation(code=code, catalogue_edition="2015", name=name))
    table = WeightTable(standard=standard, level=level, subject=Subject.THEORY, is_sample=True)
    session.add(table)
    for letter, leaf in (("A", "安全用电"), ("B", "电路基础")):
        parent = Range(table=table, segment=letter, path=letter, name=f"第{letter}部分", weight=100)
        points = [Point(segment=f"00{place}", name=f"{leaf}要点{place}", importance=importance)
                  for place, importance in enumerate(Importance, start=1)]
        session.add(Range(table=table, parent=parent, segment="A", path=f"{letter}-A", name=leaf, weight=100, points=points))
    session.flush()
    return table


def ohm(number: int = 0, **changes: Any) -> Draft:
    """A good draft; another ``number`` gives another question."""
    stem = OHM.stem if not number else f"第{number}题：{OHM.stem}"
    return replace(OHM, **{"stem": stem} | changes)


def row(number: int, **changes: Any) -> list[Any]:
    """A good row of a workbook in the order of TITLES."""
    cells: dict[str, Any] = {"鉴定范围": "A-A", "鉴定点": "001", "题型": "单选题", "题干": f"第{number}题，电压的单位是（　　）。",
                             "选项A": "伏特", "选项B": "安培", "选项C": "欧姆", "选项D": "瓦特", "答案": "A", "难度": 1,
                             "解析": "", "出处": ""}
    return list((cells | changes).values())


def book(*rows: Sequence[Any], titles: Sequence[str] = TITLES, sheets: Sequence[str] = ("题目",), above: int = 0) -> bytes:
    """An .xlsx file; every sheet holds the same rows, ``above`` lines stand over the head."""
    stream = BytesIO()
    made = xlsxwriter.Workbook(stream, {"in_memory": True, "strings_to_numbers": False})
    for name in sheets:
        sheet = made.add_worksheet(name)
        for line in range(above):
            sheet.write(line, 0, "某校电工题库")
        for line, cells in enumerate([titles, *rows], start=above):
            sheet.write_row(line, 0, list(cells))
    made.close()
    return stream.getvalue()


def answer_of(version: ItemVersion) -> list[str]:
    """What somebody answers who knows."""
    if version.kind in {ItemKind.SINGLE, ItemKind.MULTIPLE}:
        return list(version.key)
    return version.key.split("\n") if version.kind is ItemKind.FILL else [version.key]


def judged(session: Session, version: ItemVersion, reviewer: Viewer, verdict: Verdict = Verdict.ACCEPT, comment: str = "", *,
           now: datetime, given: Sequence[str] | None = None, estimate: int | None = 60) -> None:
    """A blind answer (the key, unless ``given``) and a verdict."""
    review.answer(session, version, reviewer, answer_of(version) if given is None else given, now=now)
    review.judge(session, version, reviewer, verdict, comment, now=now, estimate=estimate)


def approved(session: Session, version: ItemVersion, author: Viewer, *reviewers: Viewer, now: datetime) -> ItemVersion:
    """Submitted by ``author`` and accepted by all ``reviewers``."""
    bank.submit(session, version, author, now=now)
    for reviewer in reviewers:
        judged(session, version, reviewer, now=now)
    return version

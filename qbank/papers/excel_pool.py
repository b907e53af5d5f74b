"""An item pool, its ranges and the form of a paper from one Excel workbook: papers without a database.

Three worksheets: 试题 (a line for each item), 范围 (lowest ranges with their weights in per cent) and 题型 (parts with counts
and points). A fourth, 互斥, may list pairs that do not meet on a form.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from qbank.items.draft import KINDS
from qbank.kernel.export import Table, workbook
from qbank.kernel.refused import Refused
from qbank.kernel.workbooks import frames
from qbank.papers.engine.items import ItemPool
from qbank.papers.measuring import PRIOR_B, Floats, Parameters
from qbank.papers.specification import LeafRange, Part, Quotas, derive_quotas

ITEMS, RANGES, PARTS, PAIRS = "试题", "范围", "题型", "互斥"
COLUMNS: Mapping[str, tuple[tuple[str, bool], ...]] = {  # sheet → (title, whether it must be there)
    ITEMS: (("题号", True), ("范围", True), ("题型", True), ("鉴定点", False), ("重要程度", False), ("难度", False), ("答案", False),
            ("字数", False), ("a", False), ("b", False), ("c", False), ("已用次数", False), ("材料", False)),
    RANGES: (("范围", True), ("名称", False), ("权重%", True)),
    PARTS: (("题型", True), ("题量", True), ("每题分值", True)),
    PAIRS: (("题号一", True), ("题号二", True)),
}
MOST_PROBLEMS = 30
KIND_OF = {name: kind for kind, name in KINDS.items()} | {kind: kind for kind in KINDS} | {"单选": "single", "多选": "multiple", "判断": "judge"}
LIMITS = {"难度": (1, 5, 3), "a": (0.01, 10, 1), "b": (-10, 10, 0), "c": (0, 0.9, 0), "字数": (0, 100_000, 0),
          "已用次数": (0, 10_000, 0)}  # least, most, what an empty cell means
HALF_WIDTH = 0.5  # abilities beside the cut at which information is compared


@dataclass(frozen=True)
class ExcelPool:
    """What was read. ``names`` are the item numbers of the workbook by key."""

    pool: ItemPool
    quotas: Quotas
    names: tuple[str, ...]
    titles: Mapping[str, str]
    parameters: Parameters


class _Reader:
    """Collects what is wrong, with sheet and line as Excel numbers them."""

    def __init__(self) -> None:
        self.problems: list[str] = []

    def say(self, sheet: str, line: int, sentence: str) -> None:
        self.problems.append(f"工作表“{sheet}”第 {line} 行：{sentence}")

    def number(self, sheet: str, line: int, title: str, text: str, low: float, high: float, otherwise: float = 0.0) -> float:
        if not text:
            return otherwise
        try:
            value = float(text)
        except ValueError:
            value = np.nan
        if not low <= value <= high:
            self.say(sheet, line, f"“{title}”应是 {low:g} 到 {high:g} 之间的数，现在是“{text}”。")
            return otherwise
        return value

    def refuse(self) -> None:
        if self.problems:
            more = [f"……共 {len(self.problems)} 处"] if len(self.problems) > MOST_PROBLEMS else []
            raise Refused("bad_pool", f"题库文件有 {len(self.problems)} 处问题，没有组卷。", [*self.problems[:MOST_PROBLEMS], *more])


def read_pool(content: bytes, *, cut: float = 0.0) -> ExcelPool:
    """The pool with its quotas. Refuses with a line for each thing that is wrong."""
    sheets, reader = _sheets(content), _Reader()
    ranges = _ranges(sheets[RANGES], reader)
    parts = _parts(sheets[PARTS], reader)
    rows = _item_rows(sheets[ITEMS], ranges, reader)
    at = {row["题号"]: place for place, (_, row) in enumerate(rows)}
    pairs = _pairs(sheets.get(PAIRS, []), at, reader)
    numbers = {title: np.array([reader.number(ITEMS, line, title, row[title], *limits) for line, row in rows]) for title, limits in LIMITS.items()}
    reader.refuse()
    pool, parameters = _pool([row for _, row in rows], numbers, pairs, cut)
    held: dict[tuple[str, str], int] = {}
    for range_key, kind in zip(pool.ranges, pool.kinds, strict=True):
        held[range_key, kind] = held.get((range_key, kind), 0) + 1
    quotas = derive_quotas([LeafRange(path, weight) for path, (weight, _) in ranges.items()], parts, held)
    return ExcelPool(pool, quotas, tuple(row["题号"] for _, row in rows), {path: name for path, (_, name) in ranges.items()}, parameters)


def template() -> bytes:
    """An empty workbook with its columns and two lines to show how they are filled."""
    notes = ["带 * 的列必填。题型：单选题、多选题、判断题、填空题、简答题、论述题。重要程度 X、Y、Z；难度 1（易）到 5（难）；"
             "a、b、c 为标定参数，可不填；“材料”相同的题整组使用。"]
    shown = {ITEMS: [["T001", "A-A", "单选题", "A-A-001", "X", 3, "B", 60, None, None, None, 0, None],
                     ["T002", "A-B", "判断题", "A-B-001", "X", 2, "T", 30, 1.1, -0.4, 0, 1, None]],
             RANGES: [["A-A", "职业道德", 5], ["A-B", "基础知识", 95]], PARTS: [["单选题", 80, 1], ["判断题", 20, 1]], PAIRS: []}
    return workbook([Table(sheet, [(title + ("*" if must else ""), 12) for title, must in columns], shown[sheet], notes=notes if sheet == ITEMS else [])
                     for sheet, columns in COLUMNS.items()])


def _sheets(content: bytes) -> dict[str, list[tuple[int, dict[str, str]]]]:
    """Sheet → (line, cells by title) of the lines that hold anything."""
    book = frames(content, Refused("no_workbook", "文件不是可以读取的 Excel 工作簿（.xlsx）。可以用 examroom papers template 生成模板。"))
    found = {}
    for sheet, columns in COLUMNS.items():
        if sheet not in book:
            if sheet != PAIRS:
                raise Refused("no_sheet", f"工作簿里没有工作表“{sheet}”。需要“{ITEMS}”“{RANGES}”“{PARTS}”三个工作表。")
            continue
        found[sheet] = _lines(sheet, book[sheet], columns)
    return found


def _lines(sheet: str, table: pd.DataFrame, columns: Sequence[tuple[str, bool]]) -> list[tuple[int, dict[str, str]]]:
    cells = [["" if pd.isna(cell) else str(cell).strip() for cell in row] for row in table.to_numpy().tolist()]
    heads = [[cell.rstrip("*") for cell in row] for row in cells]
    first = next((place for place, row in enumerate(heads) if columns[0][0] in row), None)
    if first is None:
        raise Refused("no_head", f"工作表“{sheet}”里没有列标题“{columns[0][0]}”。")
    if missing := [title for title, must in columns if must and title not in heads[first]]:
        raise Refused("no_column", f"工作表“{sheet}”缺少列：{'、'.join(missing)}。")
    places = {title: heads[first].index(title) for title, _ in columns if title in heads[first]}
    return [(line + 1, {title: cells[line][places[title]] if title in places else "" for title, _ in columns})
            for line in range(first + 1, len(cells)) if any(cells[line])]


def _ranges(lines: Sequence[tuple[int, dict[str, str]]], reader: _Reader) -> dict[str, tuple[int, str]]:
    found: dict[str, tuple[int, str]] = {}
    for line, row in lines:
        weight = reader.number(RANGES, line, "权重%", row["权重%"], 0.5, 100)
        if 2 * weight != int(2 * weight):
            reader.say(RANGES, line, f"“权重%”只能是 0.5 的整数倍，现在是“{row['权重%']}”。")
        if not row["范围"] or row["范围"] in found:
            reader.say(RANGES, line, f"范围“{row['范围']}”是空的或重复了。")
        found[row["范围"]] = int(2 * weight), row["名称"]
    if (total := sum(weight for weight, _ in found.values())) != 200 and not reader.problems:
        reader.problems.append(f"工作表“{RANGES}”的权重合计为 {total / 2:g}，应为 100。")
    return found


def _parts(lines: Sequence[tuple[int, dict[str, str]]], reader: _Reader) -> list[Part]:
    found = []
    for line, row in lines:
        kind, points = KIND_OF.get(row["题型"]), reader.number(PARTS, line, "每题分值", row["每题分值"], 0.5, 100)
        count = reader.number(PARTS, line, "题量", row["题量"], 1, 1000)
        if kind is None:
            reader.say(PARTS, line, f"没有题型“{row['题型']}”。")
        elif 2 * points != int(2 * points) or count != int(count):
            reader.say(PARTS, line, "题量应是整数，每题分值应是 0.5 的整数倍。")
        else:
            found.append(Part(kind, int(count), int(2 * points)))
    if not found and not reader.problems:
        reader.problems.append(f"工作表“{PARTS}”里没有题型。")
    return found


def _item_rows(lines: Sequence[tuple[int, dict[str, str]]], ranges: Mapping[str, object], reader: _Reader) -> list[tuple[int, dict[str, str]]]:
    seen: dict[str, int] = {}
    for line, row in lines:
        if not row["题号"] or row["题号"] in seen:
            reader.say(ITEMS, line, f"题号“{row['题号']}”是空的，或与第 {seen.get(row['题号'], line)} 行重复。")
        seen.setdefault(row["题号"], line)
        if row["范围"] not in ranges:
            reader.say(ITEMS, line, f"范围“{row['范围']}”不在工作表“{RANGES}”里。")
        if row["题型"] not in KIND_OF:
            reader.say(ITEMS, line, f"没有题型“{row['题型']}”。")
        if row["重要程度"] not in {"", "X", "Y", "Z"}:
            reader.say(ITEMS, line, f"重要程度应是 X、Y 或 Z，现在是“{row['重要程度']}”。")
    if not lines:
        reader.problems.append(f"工作表“{ITEMS}”里没有试题。")
    return list(lines)


def _pairs(lines: Sequence[tuple[int, dict[str, str]]], at: Mapping[str, int], reader: _Reader) -> list[tuple[int, int]]:
    found = []
    for line, row in lines:
        one, other = at.get(row["题号一"]), at.get(row["题号二"])
        if one is None or other is None or one == other:
            reader.say(PAIRS, line, f"“{row['题号一']}”和“{row['题号二']}”应是工作表“{ITEMS}”里的两道题。")
        else:
            found.append((min(one, other), max(one, other)))
    return sorted(set(found))


def _pool(rows: Sequence[dict[str, str]], numbers: Mapping[str, Floats], pairs: Sequence[tuple[int, int]],
          cut: float) -> tuple[ItemPool, Parameters]:
    calibrated = np.array([bool(row["b"]) for row in rows])
    b = np.where(calibrated, numbers["b"], [PRIOR_B[int(grade)] for grade in numbers["难度"]])
    known = Parameters(numbers["a"], b, numbers["c"], calibrated)
    abilities = (cut - HALF_WIDTH, cut, cut + HALF_WIDTH)
    materials: dict[str, set[int]] = {}
    for place, row in enumerate(rows):
        if row["材料"]:
            materials.setdefault(row["材料"], set()).add(place)
    pool = ItemPool(
        keys=np.arange(len(rows)), ranges=[row["范围"] for row in rows], kinds=[KIND_OF[row["题型"]] for row in rows],
        points=[row["鉴定点"] or f"\0{place}" for place, row in enumerate(rows)] if any(row["鉴定点"] for row in rows) else (),
        importance=[row["重要程度"] or "X" for row in rows] if any(row["重要程度"] for row in rows) else (),
        grades=numbers["难度"], answers=[row["答案"] for row in rows], lengths=numbers["字数"], abilities=abilities, cut=cut,
        information=known.information(abilities), expected=known.expected(cut), b=b, exposure=numbers["已用次数"], apart=pairs,
        together=[frozenset(members) for members in materials.values() if len(members) > 1])
    return pool, known

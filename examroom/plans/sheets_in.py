"""Tables out of workbooks as offices keep them: the head is found wherever it stands and however it is worded."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import pandas as pd
from rapidfuzz import fuzz

from examroom.plans.predicate import LEVELS
from qbank.kernel.refused import Refused
from qbank.kernel.workbooks import frames

HEAD_WITHIN = 15  # rows in which the head of a table is looked for
ALIKE = 86  # of 100: a head misspelt by one sign of five still counts
BRACKETS = re.compile(r"\(.*?\)|〔.*?〕|\[.*?\]|【.*?】")
DAY = re.compile(r"(\d{4})[-/.年]?(\d{1,2})[-/.月]?(?:(\d{1,2})日?)?(?:[ T]0{1,2}:00(?::00)?(?:\.0+)?)?")
LEVEL_WORDS = {"初级": 5, "中级": 4, "高级": 3, "技师": 2, "高级技师": 1}
NOTHING = {"", "无", "/", "-", "—", "没有", "不限"}
Heads = Mapping[str, Sequence[str]]


@dataclass(frozen=True)
class Sheet:
    """One worksheet with the wanted head: (line as Excel counts, field → text as written) for every row that is not empty."""

    name: str
    rows: tuple[tuple[int, dict[str, str]], ...]
    fields: frozenset[str]


def read_sheets(content: bytes, heads: Heads, needed: Sequence[str], what: str) -> list[Sheet]:
    """Every worksheet that has a head with the ``needed`` fields. Refuses what cannot be read, saying what to do."""
    read = frames(content, Refused("unreadable", "这个 Excel 文件已损坏或加了密码，无法读取。请在 Excel 或 WPS 中打开后另存为新的 .xlsx 再上传。"))
    found, lacking = [], tuple(needed)
    for name, frame in read.items():
        line, columns = head_of(frame, heads)
        missing = tuple(field for field in needed if field not in columns)
        if missing:
            lacking = min(lacking, missing, key=len)
        elif rows := _rows(frame, line, columns):
            found.append(Sheet(name, tuple(rows), frozenset(columns)))
        else:
            lacking = ()
    if found:
        return found
    if all(frame.empty for frame in read.values()):
        raise Refused("empty_roster", f"这个工作簿是空的。请下载{what}模板，填写后上传。")
    if lacking:
        named = "”“".join(heads[field][0] for field in lacking)
        raise Refused("roster_head", f"没有找到{what}的表头，缺少“{named}”列。请在表格上方写明列名，或使用{what}模板。")
    raise Refused("empty_roster", f"{what}里只有表头，没有内容。请填写后上传。")


def head_of(frame: pd.DataFrame, heads: Heads) -> tuple[int, dict[str, int]]:
    """The line that looks most like the head, and field → column; no columns when none does."""
    best: tuple[int, dict[str, int]] = (0, {})
    for line in range(min(HEAD_WITHIN, len(frame))):
        columns = recognised([text_of(value) for value in frame.iloc[line]], heads)
        if len(columns) > len(best[1]):
            best = line, columns
    return best


def recognised(titles: Sequence[str], heads: Heads) -> dict[str, int]:
    """Field → place of the title that means it: the same words, else words around it, else nearly the same."""
    plain = [_plain(title) for title in titles]
    found: dict[str, int] = {}
    for fits in (_same, _within, _nearly):
        for field, names in heads.items():
            taken = set(found.values())
            if field not in found:
                places = [place for place, title in enumerate(plain) if title and place not in taken and any(fits(name, title) for name in names)]
                if places:
                    found[field] = places[0]
    return found


def _plain(title: str) -> str:
    return re.sub(r"[\W_]+", "", BRACKETS.sub("", unicodedata.normalize("NFKC", title)))


def _same(name: str, title: str) -> bool:
    return name == title


def _within(name: str, title: str) -> bool:
    return len(name) >= 2 and (title.endswith(name) or title.startswith(name)) and len(title) <= len(name) + 4


def _nearly(name: str, title: str) -> bool:
    return len(name) >= 4 and fuzz.ratio(name, title) >= ALIKE


def _rows(frame: pd.DataFrame, head: int, columns: Mapping[str, int]) -> list[tuple[int, dict[str, str]]]:
    found = []
    for line in range(head + 1, len(frame)):
        cells = {field: text_of(frame.iat[line, column]) for field, column in columns.items()}
        if any(cells.values()):
            found.append((line + 1, cells))
    return found


def text_of(value: Any) -> str:
    """A cell as text: trimmed, without signs that nobody sees; an empty cell is NaN."""
    return value.replace("\u200b", "").replace("\ufeff", "").strip() if isinstance(value, str) else ""


def number_of(text: str, what: str) -> int | None:
    """A whole number, also as ``3年`` or ``3.0``; None for an empty cell. Refuses the rest."""
    plain = unicodedata.normalize("NFKC", text).strip().removesuffix("周岁").removesuffix("岁").removesuffix("年").strip()
    if plain in NOTHING:
        return None
    if not re.fullmatch(r"\d{1,3}(\.0+)?", plain):
        raise Refused("number", f"{what}应是整数，现在是“{text[:20]}”。")
    return int(plain.split(".")[0])


def level_of(text: str) -> int | None:
    """``四级``, ``四级/中级工``, ``中级``, ``4``; None for an empty cell."""
    plain = unicodedata.normalize("NFKC", text).replace(" ", "")
    if plain in NOTHING:
        return None
    for level, name in LEVELS.items():
        if plain.startswith(name) or plain == str(level):
            return level
    bare = plain.removesuffix("工").removesuffix("证书").removesuffix("工")
    if bare in LEVEL_WORDS:
        return LEVEL_WORDS[bare]
    raise Refused("level", f"等级“{text[:20]}”不能识别，应是五级、四级、三级、二级、一级中的一个。")


def words_of(text: str) -> tuple[str, ...]:
    """Several words in one cell."""
    return tuple(word for word in (part.strip() for part in re.split(r"[、,，;；/\n]+", text)) if word and word not in NOTHING)


def day_of(text: str, what: str) -> date | None:
    """``2024-06-01``, ``2024/6``, ``2024年6月``, ``20240601``; a month means its first day. None for an empty cell."""
    plain = unicodedata.normalize("NFKC", text).strip().removesuffix(".0")
    if plain in NOTHING:
        return None
    compact = re.fullmatch(r"(\d{4})(\d{2})(\d{2})?", plain)
    found = compact or DAY.fullmatch(plain)
    try:
        if found is None:
            raise ValueError(plain)
        return date(int(found[1]), int(found[2]), int(found[3] or 1))
    except ValueError:
        raise Refused("day", f"{what}应是日期，例如 2024-06-01，现在是“{text[:20]}”。") from None

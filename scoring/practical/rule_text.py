"""The rule of a row as people write it, in the editor and in Excel: one line, read back to what :func:`rows.told` prints. Pure.

``每处扣 0.5 分，最多计 6 处`` · ``标称 50 mm：50±0.02 得 4 分；49.95～50.05 得 2 分`` · ``30 分钟内完成；每超 1 分钟扣 1 分，超过 10 分钟本项不得分``
"""

from __future__ import annotations

import re
import unicodedata
from decimal import Decimal

from qbank.kernel.refused import Refused
from scoring.practical.rows import Deduction, Detail, Measured, RowKind, TimeLimit

NUMBER = r"\d{1,6}(?:\.\d{1,4})?"
DEDUCTION = re.compile(rf"每\s*(?:1|一)?\s*(?P<unit>[^\d\s扣,;:]{{1,20}})\s*扣\s*(?P<points>{NUMBER})\s*分?")
MOST_TIMES = re.compile(r"最多\s*(?:计|扣|算)?\s*(\d{1,4})")
NOMINAL = re.compile(rf"\s*(?:标称)?\s*(?P<nominal>-?{NUMBER})\s*(?P<unit>[^\d\s,;:±~+-][^\d\s,;:±~]{{0,9}})?\s*:")
RANGE = re.compile(rf"(?P<low>-?{NUMBER})\s*(?:~|至)\s*(?P<high>-?{NUMBER})\s*得\s*(?P<points>{NUMBER})")
AROUND = re.compile(rf"(?P<middle>-?{NUMBER})?\s*±\s*(?P<off>{NUMBER})\s*得\s*(?P<points>{NUMBER})")
UP_DOWN = re.compile(rf"(?P<up>[+-]{NUMBER}|0)\s*/\s*(?P<down>[+-]{NUMBER}|0)\s*得\s*(?P<points>{NUMBER})")
MINUTES = re.compile(r"(\d{1,4})\s*分钟(?:内|以内)")
PER_MINUTE = re.compile(rf"每超(?:过|时)?\s*(?:1|一)?\s*分钟?扣\s*({NUMBER})")
VOID = re.compile(r"超(?:过|时)\s*(\d{1,4})\s*分钟[^,;]*不得分")

SHAPES = {RowKind.DEDUCTION: "每处扣 0.5 分，最多计 6 处", RowKind.MEASURED: "标称 50 mm：±0.02 得 4 分；±0.05 得 2 分",
          RowKind.TIME: "30 分钟内完成；每超 1 分钟扣 1 分，超过 10 分钟不得分"}


def parse(kind: RowKind, text: str) -> Detail:
    """What the line says for a row of ``kind``. Refuses what cannot be read, with an example."""
    plain = unicodedata.normalize("NFKC", text).replace("～", "~").replace("〜", "~").replace("，", ",").replace("；", ";")
    plain = plain.replace("：", ":").replace("﹢", "+").replace("−", "-")
    if kind is RowKind.DEDUCTION:
        found: Detail = _deduction(plain)
    elif kind is RowKind.MEASURED:
        found = _measured(plain)
    elif kind is RowKind.TIME:
        found = _time(plain)
    else:
        return None
    if found is None:
        raise Refused("unreadable_rule", f"评分规则“{text.strip()[:40]}”读不懂，{kind.chinese}请写成：{SHAPES[kind]}")
    return found


def _halves(text: str) -> int:
    doubled = Decimal(text) * 2
    if doubled != int(doubled):
        raise Refused("not_half_points", f"分值只能是 0.5 的整数倍，现在是“{text}”")
    return int(doubled)


def _deduction(text: str) -> Deduction | None:
    found = DEDUCTION.search(text)
    if found is None:
        return None
    most = MOST_TIMES.search(text, found.end())
    return Deduction(found["unit"], _halves(found["points"]), int(most[1]) if most else 0)


def _measured(text: str) -> Measured | None:
    head = NOMINAL.match(text)
    if head is None:
        return None
    nominal, bands = Decimal(head["nominal"]), []
    for part in text[head.end():].split(";"):
        if found := RANGE.search(part):
            bands.append((found["low"], found["high"], _halves(found["points"])))
        elif found := AROUND.search(part):
            middle, off = Decimal(found["middle"]) if found["middle"] else nominal, Decimal(found["off"])
            bands.append((f"{middle - off:f}", f"{middle + off:f}", _halves(found["points"])))
        elif found := UP_DOWN.search(part):
            ends = sorted((nominal + Decimal(found["up"]), nominal + Decimal(found["down"])))
            bands.append((f"{ends[0]:f}", f"{ends[1]:f}", _halves(found["points"])))
        elif part.strip() and "超出" not in part:
            return None
    return Measured(head["nominal"], head["unit"] or "", tuple(bands)) if bands else None


def _time(text: str) -> TimeLimit | None:
    minutes = MINUTES.search(text)
    if minutes is None:
        return None
    per, void = PER_MINUTE.search(text), VOID.search(text)
    return TimeLimit(int(minutes[1]), _halves(per[1]) if per else 0, int(void[1]) if void else 0)

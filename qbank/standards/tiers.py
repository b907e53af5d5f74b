"""Tiers of misconduct (违纪等次) as a rule pack writes them. Pure.

One text, so that a pack stays a list of plain values: ``一般违纪/本部分/0；严重违纪/全部/12``: the name, whether the part or
all of them are void, and for how many months nobody of this tier may enrol again (0: at once).
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from qbank.kernel.refused import Refused

ONE, ALL = "本部分", "全部"
MOST_MONTHS = 120


@dataclass(frozen=True)
class Tier:
    """One tier: what it is called, what it makes void, and the months of exclusion."""

    name: str
    voids_all: bool
    ban_months: int

    @property
    def told(self) -> str:
        what = "各部分成绩均无效" if self.voids_all else "该部分成绩无效"
        return f"{self.name}：{what}" + (f"，{self.ban_months} 个月内不得报考" if self.ban_months else "")


def read_tiers(text: str) -> tuple[Tier, ...]:
    """The tiers of a pack in their order. Refuses what cannot be read, quoting it, and a name used twice."""
    tiers = [_tier(piece.strip()) for piece in re.split(r"[；;\n]", text) if piece.strip()]
    if not tiers:
        raise Refused("tiers", "违纪等次至少要有一项，例如“一般违纪/本部分/0”。")
    if len({tier.name for tier in tiers}) != len(tiers):
        raise Refused("tiers", "违纪等次中有两项同名，请改名或合并。")
    return tuple(tiers)


@dataclass(frozen=True)
class StaffTier:
    """One measure against staff, and for how many months nobody of this tier may serve."""

    name: str
    bar_months: int

    @property
    def told(self) -> str:
        return self.name + (f"（{self.bar_months} 个月内不得参与认定工作）" if self.bar_months else "")


def read_staff_tiers(text: str) -> tuple[StaffTier, ...]:
    """``批评教育/0；暂停参与认定/12`` in its order. Refuses what cannot be read, quoting it, and a name used twice."""
    found = []
    for piece in (part.strip() for part in re.split(r"[；;\n]", text)):
        read = re.fullmatch(r"([^/／]{1,20})[/／]\s*(\d{1,3})", piece, re.ASCII)
        if piece and (read is None or not read[1].strip() or int(read[2]) > MOST_MONTHS):
            raise Refused("staff_tiers", f"工作人员处理等次“{piece}”应写成“名称/月数”，例如“暂停参与认定/12”：名称不超过 20 字，月数 0 到 {MOST_MONTHS}。")
        if read:
            found.append(StaffTier(read[1].strip(), int(read[2])))
    if not found or len({tier.name for tier in found}) != len(found):
        raise Refused("staff_tiers", "工作人员处理等次至少要有一项，名称不能重复，例如“批评教育/0；暂停参与认定/12”。")
    return tuple(found)


def _tier(piece: str) -> Tier:
    fields = [field.strip() for field in re.split("[/／]", piece)]
    if len(fields) != 3 or not 0 < len(fields[0]) <= 20 or fields[1] not in (ONE, ALL) \
            or not re.fullmatch(r"\d{1,3}", fields[2], re.ASCII) or int(fields[2]) > MOST_MONTHS:
        raise Refused("tiers", f"违纪等次“{piece}”应写成“名称/本部分/0”或“名称/全部/12”：名称不超过 20 字，中间写“本部分”或“全部”，"
                               f"最后写禁考月数（0 到 {MOST_MONTHS}）；各项之间用分号隔开。")
    return Tier(fields[0], fields[1] == ALL, int(fields[2]))

"""Finding the point (鉴定点) that somebody names: by its code, by its code with the name behind it, or by its name."""

from __future__ import annotations

import difflib
from collections import defaultdict
from collections.abc import Iterable

import sqlalchemy as sa
from sqlalchemy.orm import Session

from qbank.items.writing import bare, path_of, segment_of
from qbank.kernel.refused import Refused
from qbank.standards.models import Point, Range, WeightTable


class Points:
    """All points of one weight table, ready for thousands of look-ups."""

    def __init__(self, ranges: Iterable[tuple[str, str]], points: Iterable[tuple[int, str, str, str]]) -> None:
        """``ranges``: (path, name); ``points``: (id, path of the range, segment, name)."""
        self._names = dict(ranges)
        self._by_name: dict[str, list[str]] = defaultdict(list)
        self._segments: dict[str, dict[str, int]] = defaultdict(dict)
        self._point_names: dict[str, dict[str, list[int]]] = defaultdict(lambda: defaultdict(list))
        for point_id, path, segment, name in points:
            self._segments[path][_number(segment)] = point_id
            self._point_names[path][bare(name)].append(point_id)
        for path in self._segments:
            self._by_name[bare(self._names.get(path, ""))].append(path)

    def find(self, range_text: str, point_text: str) -> int:
        """The id of the point. Refuses with ``no_range`` or ``no_point`` and a sentence that says what to look up."""
        path = self._path(range_text)
        text = segment_of(point_text)
        segments = self._segments[path]
        for candidate in (_number(text), _number(_code_before_name(text))):
            if candidate in segments:
                return segments[candidate]
        named = self._point_names[path].get(bare(text), [])
        if len(named) == 1:
            return named[0]
        known = "、".join(sorted(segments)[:1] + sorted(segments)[-1:])
        raise Refused("no_point", f"鉴定范围 {path}（{self._names[path]}）里没有鉴定点“{text[:40]}”，"
                                  f"细目表中的编号为 {known.replace('、', '～')}，请核对。")

    def _path(self, text: str) -> str:
        wanted = path_of(text)
        if wanted in self._segments:
            return wanted
        before_name = [path for path in self._segments
                       if wanted.startswith(path) and not wanted[len(path)].isalnum() and wanted[len(path)] != "-"]
        if before_name:
            return max(before_name, key=len)
        named = self._by_name.get(bare(text), [])
        if len(named) == 1:
            return named[0]
        if wanted in self._names:
            raise Refused("no_range", f"鉴定范围 {wanted}（{self._names[wanted]}）还有下级范围，请填写最末一级的编码。")
        near = difflib.get_close_matches(wanted, self._segments, n=1, cutoff=0.5)
        hint = f"，最接近的是 {near[0]}（{self._names[near[0]]}）" if near else ""
        raise Refused("no_range", f"细目表里没有鉴定范围“{wanted[:40]}”{hint}，请按细目表填写编码，例如 B-A-C。")


def points_of(session: Session, table: WeightTable) -> Points:
    """The points of ``table``."""
    ranges = session.execute(sa.select(Range.path, Range.name).where(Range.table_id == table.id))
    points = session.execute(sa.select(Point.id, Range.path, Point.segment, Point.name)
                             .join(Point.range).where(Range.table_id == table.id))
    return Points([(path, name) for path, name in ranges], [(key, path, part, name) for key, path, part, name in points])


def _number(segment: str) -> str:
    """Older tables write 01 where newer ones write 001."""
    return str(int(segment)).zfill(3) if segment.isdecimal() else segment


def _code_before_name(text: str) -> str:
    """``001 电阻的串联`` → ``001``."""
    digits = len(text) - len(text.lstrip("0123456789"))
    return text[:digits] if digits and not text[digits:digits + 1].isalnum() else text

"""Finding the point (鉴定点) that the cells of a foreign file mean: by code, by path, by name, by what somebody once said."""

from __future__ import annotations

import difflib
import hashlib
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import Session

from qbank.exchange.models import KnowledgeChoice
from qbank.items.points import Points
from qbank.items.writing import bare, half_width, path_of, segment_of
from qbank.kernel.refused import Refused
from qbank.standards.models import Point, Range, WeightTable

SHORTEST = 2  # characters of a name that may be looked for inside other words


@dataclass(frozen=True)
class Place:
    """One point with its place in the tree."""

    point_id: int
    path: str
    range_name: str
    segment: str
    name: str

    @property
    def label(self) -> str:
        return f"{self.path}-{self.segment} {self.name}"


class Matcher:
    """All points of one weight table with what this school said about words, ready for thousands of look-ups."""

    def __init__(self, ranges: Iterable[tuple[str, str]], places: Iterable[Place],
                 remembered: Mapping[str, int] | None = None) -> None:
        self.places = {place.point_id: place for place in places}
        self.remembered = dict(remembered or {})
        ranges = list(ranges)
        self._points = Points(ranges, [(one.point_id, one.path, one.segment, one.name) for one in self.places.values()])
        self._range_paths = {path for path, _ in ranges}
        self._ranges: dict[str, list[str]] = defaultdict(list)
        for path, name in ranges:
            self._ranges[bare(name)].append(path)
        self._names = [(bare(one.name), one) for one in self.places.values()]

    @property
    def labels(self) -> dict[str, str]:
        """Code (``A-A-001``) → the code with its name."""
        return {f"{place.path}-{place.segment}": place.label for place in self.places.values()}

    def find(self, range_text: str, point_text: str) -> tuple[Place, bool]:
        """The point, and whether codes said so (then nothing has to be looked at again). Refuses with ``unmatched`` and a
        sentence."""
        if range_text and point_text:
            try:
                point_id = self._points.find(range_text, point_text)
            except Refused as refusal:
                problem = refusal.sentence
            else:
                place = self.places[point_id]
                return place, path_of(range_text) == place.path and segment_of(point_text) == segment_of(place.segment)
        else:
            problem = ""
        whole = " ".join(filter(None, (range_text, point_text)))
        if not bare(whole):
            raise Refused("unmatched", "没有写鉴定点，请选择。")
        known = self.remembered.get(words_hash(range_text, point_text))
        if known in self.places:
            return self.places[known], False
        if coded := self._by_code(point_text if not range_text else whole):
            return coded, True
        if named := self._by_name(range_text, point_text):
            return named, False
        raise Refused("unmatched", problem or self._unmatched(whole))

    def _by_code(self, text: str) -> Place | None:
        """``A-A-001``, alone or in front of a name."""
        found = re.match(r"([A-Z0-9]{1,4}(?:-[A-Z0-9]{1,4})*)-(\d{1,3})(?![0-9A-Z-])", path_of(text))
        if not found:
            return None
        try:
            return self.places[self._points.find(found[1], found[2])]
        except Refused:
            return None

    def _by_name(self, range_text: str, point_text: str) -> Place | None:
        parts = [bare(part) for part in re.split(r"[/\\>＞→|｜»]+|\s-\s|——", f"{range_text}/{point_text}") if bare(part)]
        within = self._within(parts[:-1])
        last = bare(re.sub(r"^\s*\d{1,3}(?=\D)[.、\s]*", "", half_width(point_text or range_text).split("/")[-1])) or parts[-1]
        for wanted in dict.fromkeys((parts[-1], last)):
            if exact := [place for name, place in within if name == wanted]:
                return exact[0] if len(exact) == 1 else None
        text = bare(f"{range_text}{point_text}")
        inside = [(len(name), place) for name, place in within if len(name) >= SHORTEST and name in text]
        if longest := [place for length, place in inside if length == max(inside, key=lambda one: one[0])[0]]:
            return longest[0] if len(longest) == 1 else None
        around = [place for name, place in within if len(parts[-1]) >= SHORTEST and parts[-1] in name]
        return around[0] if len(around) == 1 else None

    def _within(self, parents: list[str]) -> list[tuple[str, Place]]:
        """The points under a range that the words before the last name; all of them when none is known."""
        for parent in reversed(parents):
            paths = self._ranges.get(parent) or [path for path in self._range_paths if bare(path) == parent]
            found = [(name, place) for name, place in self._names
                     if any(place.path == path or place.path.startswith(path + "-") for path in paths)]
            if found:
                return found
        return self._names

    def _unmatched(self, text: str) -> str:
        near = difflib.get_close_matches(bare(text), [name for name, _ in self._names], n=1, cutoff=0.5)
        hint = next((f"，最接近的是 {place.label}" for name, place in self._names if near and name == near[0]), "")
        return f"细目表里没有找到“{text[:60]}”对应的鉴定点{hint}，请选择。"


def words_hash(range_text: str, point_text: str) -> str:
    """What words are remembered by: spaces and full-width signs do not count."""
    return hashlib.sha256(f"{bare(range_text)}\n{bare(point_text)}".encode()).hexdigest()


def matcher(session: Session, table: WeightTable, institution_id: int) -> Matcher:
    """The matcher of a bank."""
    ranges = session.execute(sa.select(Range.path, Range.name).where(Range.table_id == table.id))
    points = session.execute(sa.select(Point.id, Range.path, Range.name, Point.segment, Point.name)
                             .join(Point.range).where(Range.table_id == table.id).order_by(Range.path, Point.segment))
    said = session.execute(sa.select(KnowledgeChoice.words_hash, KnowledgeChoice.point_id).where(
        KnowledgeChoice.table_id == table.id, KnowledgeChoice.institution_id == institution_id))
    return Matcher([(path, name) for path, name in ranges], [Place(*row) for row in points], {row[0]: row[1] for row in said})

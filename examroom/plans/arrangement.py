"""What a plan says of days, places and people: one value, kept as JSON on the plan and in its amendments. Pure."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Protocol

from qbank.kernel.times import SHANGHAI, local, local_date, spoken
from qbank.standards.ratios import PARTS, PEOPLE

PART_NAMES = dict(zip(PARTS, ("理论知识考试", "操作技能考核", "综合评审"), strict=True))


@dataclass(frozen=True)
class Site:
    """One place at one time: who examines there, and how many are examined."""

    key: str  # s1, s2, …: the same line of the plan before and after an amendment
    part: str  # theory | practical | review
    place: str
    starts_at: datetime
    minutes: int
    candidates: int
    room_id: int | None = None  # the registered room; a theory site always has one
    staff: tuple[tuple[int, str], ...] = ()  # account and name as it was

    @property
    def ends_at(self) -> datetime:
        return self.starts_at + timedelta(minutes=self.minutes)

    @property
    def day(self) -> date:
        return local_date(self.starts_at)

    @property
    def staff_ids(self) -> tuple[int, ...]:
        return tuple(key for key, _ in self.staff)

    @property
    def names(self) -> str:
        return "、".join(name for _, name in self.staff)

    @property
    def title(self) -> str:
        return f"{PART_NAMES[self.part]} {spoken(self.starts_at)} {self.place}"

    def meets(self, other: Site) -> bool:
        """Whether both share a moment."""
        return self.starts_at < other.ends_at and other.starts_at < self.ends_at

    def to_json(self) -> dict[str, Any]:
        return dataclasses.asdict(self) | {"starts_at": local(self.starts_at).isoformat(),
                                           "staff": [list(one) for one in self.staff]}

    @classmethod
    def from_json(cls, held: Mapping[str, Any]) -> Site:
        return cls(**{**held, "starts_at": datetime.fromisoformat(held["starts_at"]),
                      "staff": tuple((int(key), str(name)) for key, name in held["staff"])})


@dataclass(frozen=True)
class Arrangement:
    """All sites of a plan, by time."""

    sites: tuple[Site, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.sites)

    @property
    def days(self) -> tuple[date, ...]:
        return tuple(sorted({site.day for site in self.sites}))

    @property
    def parts(self) -> tuple[str, ...]:
        return tuple(part for part in PARTS if self.of_part(part))

    def of_part(self, part: str) -> tuple[Site, ...]:
        return tuple(site for site in self.sites if site.part == part)

    def site(self, key: str) -> Site | None:
        return next((site for site in self.sites if site.key == key), None)

    def places_for(self, part: str) -> int:
        """How many candidates all sites of a part hold."""
        return sum(site.candidates for site in self.of_part(part))

    @property
    def staff_ids(self) -> frozenset[int]:
        return frozenset(key for site in self.sites for key in site.staff_ids)

    def with_site(self, site: Site) -> Arrangement:
        """``site`` in the place of that with its key, or, with an empty key, as a new one."""
        numbers = [int(one.key[1:]) for one in self.sites]
        made = site if site.key else dataclasses.replace(site, key=f"s{max(numbers, default=0) + 1}")
        return _ordered([*(one for one in self.sites if one.key != made.key), made])

    def without(self, key: str) -> Arrangement:
        return _ordered([one for one in self.sites if one.key != key])

    def moved(self, by: timedelta) -> Arrangement:
        """The same sites as many days later, on the same hour of China's clocks."""
        return _ordered([dataclasses.replace(one, starts_at=(local(one.starts_at) + by).astimezone(SHANGHAI)) for one in self.sites])

    def to_json(self) -> dict[str, Any]:
        return {"sites": [one.to_json() for one in self.sites]}


class Arranged(Protocol):
    """A plan, or whatever else keeps an arrangement."""

    @property
    def arrangement(self) -> Mapping[str, Any]: ...


def _ordered(sites: Iterable[Site]) -> Arrangement:
    return Arrangement(tuple(sorted(sites, key=lambda one: (one.starts_at, PARTS.index(one.part), int(one.key[1:])))))


def read(held: Mapping[str, Any]) -> Arrangement:
    """From JSON; nothing kept: no sites."""
    return _ordered([Site.from_json(one) for one in held.get("sites", ())])


def of(plan: Arranged) -> Arrangement:
    return read(plan.arrangement)


def double_bookings(arrangement: Arrangement) -> list[str]:
    """The same place or person at two sites that share a moment."""
    found = []
    for place, one in enumerate(arrangement.sites):
        for other in arrangement.sites[place + 1:]:
            if not one.meets(other):
                continue
            if one.place == other.place:
                found.append(f"{one.place}在 {spoken(one.starts_at)} 和 {spoken(other.starts_at)} 的安排时间重叠。")
            both = set(one.staff_ids) & set(other.staff_ids)
            found += [f"{name}同一时间既在{one.place}又在{other.place}。" for key, name in one.staff if key in both]
    return found


def differences(before: Arrangement, after: Arrangement) -> list[str]:
    """What changes, one sentence a site."""
    keys = list(dict.fromkeys([one.key for one in (*before.sites, *after.sites)]))
    return [line for key in keys for line in _difference(before.site(key), after.site(key))]


def _difference(old: Site | None, new: Site | None) -> list[str]:
    if old is None:
        return [f"增加：{_told(new)}。"] if new else []
    if new is None:
        return [f"取消：{_told(old)}。"]
    fields: Sequence[tuple[str, Any, Any]] = (
        ("时间", spoken(old.starts_at), spoken(new.starts_at)), ("地点", old.place, new.place),
        ("时长", f"{old.minutes} 分钟", f"{new.minutes} 分钟"), ("考生", f"{old.candidates} 人", f"{new.candidates} 人"),
        (PEOPLE[new.part], old.names or "未安排", new.names or "未安排"))
    changed = [f"{name}由“{was}”改为“{now}”" for name, was, now in fields if was != now]
    return [f"{old.title}：{'，'.join(changed)}。"] if changed else []


def _told(site: Site) -> str:
    return f"{site.title}，{site.minutes} 分钟，考生 {site.candidates} 人，{PEOPLE[site.part]} {site.names or '未安排'}"

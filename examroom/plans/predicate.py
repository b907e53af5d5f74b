"""What an entry condition (申报条件) demands, and whether recorded facts meet it. Pure.

A predicate is a conjunction of demands; a standard's "or" is another numbered option. What no fact can say (an
apprenticeship finished) is a sentence that an officer confirms by hand.
"""

from __future__ import annotations

import dataclasses
import enum
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from qbank.kernel.refused import Refused

SCHOOL_KINDS = ("普通技工学校", "高级技工学校", "技师学院", "中等职业学校", "高等职业学校", "普通高等学校")
CLASS_KINDS = ("中级工班", "高级工班", "预备技师（技师）班")
GRADUATIONS = ("在读", "应届毕业生", "已毕业")  # 应届毕业生: in the last year at school
EDUCATIONS = ("初中", "中专（中技）", "高中", "大专", "本科", "研究生")
SEXES = ("男", "女")
LEVELS = {level: f"{'一二三四五'[level - 1]}级" for level in range(1, 6)}
MOST_YEARS = 60


@dataclass(frozen=True)
class Facts:
    """What is recorded of a candidate; empty or None: not recorded."""

    certificate_level: int | None = None  # of the certificate held in this occupation, 5 to 1
    certificate_number: str = ""
    certificate_on: date | None = None
    years: int | None = None  # full years of work in the occupation
    school_kind: str = ""
    class_kind: str = ""
    graduation: str = ""
    education: str = ""
    sex: str = ""  # only for papers that do not say it

    def __post_init__(self) -> None:
        for field, allowed, name in (("school_kind", SCHOOL_KINDS, "学校类别"), ("class_kind", CLASS_KINDS, "班级类别"),
                                     ("graduation", GRADUATIONS, "毕业情况"), ("education", EDUCATIONS, "文化程度"), ("sex", SEXES, "性别")):
            if getattr(self, field) not in ("", *allowed):
                raise Refused("fact", f"{name}应是{'、'.join(allowed)}之一，现在是“{getattr(self, field)[:40]}”。")
        if self.certificate_level not in (None, *LEVELS):
            raise Refused("fact", "已有证书等级应是五级至一级之一。")
        if self.years is not None and not 0 <= self.years <= MOST_YEARS:
            raise Refused("fact", f"从业年限应在 0 到 {MOST_YEARS} 之间。")

    def stored(self) -> dict[str, Any]:
        """As JSON holds it: only what is recorded."""
        held = {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}
        return {name: value.isoformat() if isinstance(value, date) else value for name, value in held.items() if value not in (None, "")}

    @classmethod
    def read(cls, stored: Mapping[str, Any]) -> Facts:
        held = dict(stored)
        if held.get("certificate_on"):
            held["certificate_on"] = date.fromisoformat(held["certificate_on"])
        return cls(**held)


class Standing(enum.StrEnum):
    """How one demand stands."""

    MET = "met"
    UNKNOWN = "unknown"  # a fact is missing
    FAILED = "failed"
    BY_HAND = "by_hand"

    @property
    def chinese(self) -> str:
        return {"met": "符合", "unknown": "缺少信息", "failed": "不符合", "by_hand": "人工核对"}[self.value]


@dataclass(frozen=True)
class Finding:
    """One demand, how it stands, and what is recorded."""

    demand: str
    standing: Standing
    recorded: str = ""

    @property
    def sentence(self) -> str:
        return f"{self.demand}：{self.standing.chinese}" + (f"（{self.recorded}）" if self.recorded else "")


@dataclass(frozen=True)
class Predicate:
    """A conjunction; None, empty and 0 demand nothing."""

    certificate: int | None = None  # this level in the occupation, or a higher one
    certificate_years: int = 0  # full years since it was issued
    years: int = 0  # full years in the occupation
    school_kinds: tuple[str, ...] = ()
    class_kinds: tuple[str, ...] = ()
    graduations: tuple[str, ...] = ()
    age: int = 0
    by_hand: str = ""

    def __post_init__(self) -> None:
        for given, allowed, name in ((self.school_kinds, SCHOOL_KINDS, "学校类别"), (self.class_kinds, CLASS_KINDS, "班级类别"),
                                     (self.graduations, GRADUATIONS, "毕业情况")):
            if wrong := [text for text in given if text not in allowed]:
                raise Refused("predicate", f"{name}“{wrong[0][:40]}”不能识别，应是{'、'.join(allowed)}。")
        if self.certificate not in (None, *LEVELS):
            raise Refused("predicate", "要求的证书等级应是五级至一级之一。")
        if self.certificate_years and self.certificate is None:
            raise Refused("predicate", "写了取得证书的年限，请同时写明要求哪一级证书。")
        if not all(0 <= number <= MOST_YEARS for number in (self.certificate_years, self.years, self.age)):
            raise Refused("predicate", f"年限和年龄应在 0 到 {MOST_YEARS} 之间。")

    def stored(self) -> dict[str, Any]:
        held = {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}
        return {name: list(value) if isinstance(value, tuple) else value for name, value in held.items() if value}

    @classmethod
    def read(cls, stored: Mapping[str, Any]) -> Predicate:
        held: dict[str, Any] = {name: tuple(value) if isinstance(value, list) else value for name, value in stored.items()}
        return cls(**held)

    @property
    def told(self) -> list[str]:
        """The demands in words; empty when everything is left to the officer."""
        return [finding.demand for finding in evaluate(self, Facts(), None, date.min)]


def full_years(since: date, on: date) -> int:
    """Completed years from ``since`` to ``on``; who was born on 29 February completes one on 1 March."""
    return on.year - since.year - ((on.month, on.day) < (since.month, since.day))


def evaluate(predicate: Predicate, facts: Facts, born: date | None, on: date) -> tuple[Finding, ...]:
    """Each demand judged on the first exam day ``on``."""
    found: list[Finding] = []
    if predicate.certificate is not None:
        found += _certificate(predicate, facts, on)
    if predicate.years:
        found.append(_at_least(f"从事本职业满 {predicate.years} 年", predicate.years, facts.years, "年"))
    found += [_one_of(name, allowed, held) for name, allowed, held in (
        ("学校类别", predicate.school_kinds, facts.school_kind), ("班级类别", predicate.class_kinds, facts.class_kind),
        ("毕业情况", predicate.graduations, facts.graduation)) if allowed]
    if predicate.age:
        found.append(_at_least(f"年满 {predicate.age} 周岁", predicate.age, full_years(born, on) if born else None, "周岁"))
    if predicate.by_hand:
        found.append(Finding(predicate.by_hand, Standing.BY_HAND))
    return tuple(found)


def meets(findings: Sequence[Finding]) -> bool:
    """Whether nothing fails and nothing is missing; what is confirmed by hand does not count here."""
    return all(finding.standing in {Standing.MET, Standing.BY_HAND} for finding in findings)


def _certificate(predicate: Predicate, facts: Facts, on: date) -> list[Finding]:
    wanted, held = predicate.certificate or 5, facts.certificate_level
    demand = f"取得本职业{LEVELS[wanted]}{'或更高' if wanted > 1 else ''}证书"
    recorded = f"{LEVELS[held]} {facts.certificate_number}".strip() if held else "没有登记证书"
    found = [Finding(demand, Standing.UNKNOWN if held is None else Standing.MET if held <= wanted else Standing.FAILED, recorded)]
    if predicate.certificate_years:
        since = facts.certificate_on
        found.append(_at_least(f"取得证书满 {predicate.certificate_years} 年", predicate.certificate_years,
                               full_years(since, on) if since else None, "年"))
    return found


def _at_least(demand: str, least: int, held: int | None, unit: str) -> Finding:
    if held is None:
        return Finding(demand, Standing.UNKNOWN, "没有登记")
    return Finding(demand, Standing.MET if held >= least else Standing.FAILED, f"{held} {unit}")


def _one_of(name: str, allowed: tuple[str, ...], held: str) -> Finding:
    standing = Standing.UNKNOWN if not held else Standing.MET if held in allowed else Standing.FAILED
    return Finding(f"{name}为{'、'.join(allowed)}", standing, held or "没有登记")

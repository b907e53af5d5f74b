"""Who may assess whom: the rules of assignment, and drawing assessors by lot among those whom none forbids. Pure.

Every rule answers with a code and a sentence that names the person; the numbers come from the rule pack.
"""

from __future__ import annotations

import random
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from qbank.standards.ratios import PRACTICAL, Demand, demand
from qbank.standards.rulepack import RulePack

CLAUSE = "湘人社函〔2020〕47号 五(六)"
LEVELS = {5: "五级", 4: "四级", 3: "三级", 2: "二级", 1: "一级"}


@dataclass(frozen=True)
class Finding:
    """One broken rule."""

    code: str
    sentence: str


@dataclass(frozen=True)
class Certificate:
    """What the register says of one certificate."""

    number: str
    occupation: str  # code
    levels: frozenset[int]
    senior: bool
    expires_on: date


@dataclass(frozen=True)
class Person:
    """An assessor as the rules see him: ``teaches`` are class names, ``kin`` keys of candidates, ``in_row`` how often in a
    row he has just assessed this occupation at this institution."""

    key: int
    name: str
    certificates: tuple[Certificate, ...] = ()
    teaches: frozenset[str] = frozenset()
    kin: frozenset[int] = frozenset()
    in_row: int = 0


@dataclass(frozen=True)
class Candidate:
    """A candidate to be assessed."""

    key: int
    name: str
    class_name: str = ""


@dataclass(frozen=True)
class Duty:
    """What is to be assessed, and when."""

    occupation: str
    occupation_name: str
    level: int
    on: date
    candidates: tuple[Candidate, ...] = ()
    others: tuple[Candidate, ...] = ()  # of the same plan: kin of theirs do not assess in it either


@dataclass(frozen=True)
class Demands:
    """The numbers that hold for one occupation."""

    staff: Demand
    senior_from: int
    in_row: int

    @classmethod
    def of(cls, pack: RulePack, occupation: str, edition: str = "") -> Demands:
        """From the rule pack, with what it says of this standard in particular."""
        return cls(demand(pack, PRACTICAL, occupation, edition), pack.senior_assessor_level, pack.assessor_times_in_row)

    @property
    def least(self) -> int:
        return self.staff.least

    @property
    def odd(self) -> bool:
        return self.staff.odd

    @property
    def ratio(self) -> int:
        return self.staff.ratio

    def needed(self, candidates: int) -> int:
        """The smallest number of assessors for so many candidates."""
        return self.staff.needed(candidates)


def number_problems(assessors: int, candidates: int, demands: Demands) -> list[Finding]:
    """Too few, an even number, or more candidates than the ratio allows."""
    if assessors < demands.least or (demands.odd and assessors % 2 == 0):
        shape = f"不少于 {demands.least} 人的单数" if demands.odd else f"不少于 {demands.least} 人"
        return [Finding("wrong_number", f"考评员人数应为{shape}，现在选了 {assessors} 人。")]
    if candidates > assessors * demands.ratio:
        return [Finding("ratio", f"考评员与考生配比为 1:{demands.ratio}，{assessors} 名考评员最多考核 {assessors * demands.ratio} 名考生，"
                                 f"本组有 {candidates} 名。请分成几组，或增加到 {demands.needed(candidates)} 名考评员。")]
    return []


def problems(person: Person, duty: Duty, demands: Demands) -> list[Finding]:
    """Every rule that forbids ``person`` this duty; empty: eligible."""
    found = _certificate_problems(person, duty, demands)
    if own := [one.name for one in duty.candidates if one.class_name and one.class_name in person.teaches]:
        found.append(Finding("own_student", f"{person.name}是{_listed(own)}所在班级的任课教师或班主任，不能考评本班学生，请回避。"))
    if kin := [one.name for one in (*duty.candidates, *duty.others) if one.key in person.kin]:
        found.append(Finding("relative", f"{person.name}与考生{_listed(kin)}有亲属或其他利害关系，请回避（{CLAUSE}）。"))
    if person.in_row >= demands.in_row:
        found.append(Finding("in_row", f"{person.name}已在本机构连续 {person.in_row} 次考评这一职业，按规定最多连续 {demands.in_row} 次，请另选他人。"))
    return found


def _certificate_problems(person: Person, duty: Duty, demands: Demands) -> list[Finding]:
    if not person.certificates:
        return [Finding("not_registered", f"{person.name}不在本校的考评员名册中，请先登记其考评员证。")]
    fitting = [one for one in person.certificates if one.occupation == duty.occupation]
    if not fitting:
        return [Finding("other_occupation", f"{person.name}的考评员证不含职业“{duty.occupation_name}”（{duty.occupation}），不能考评。")]
    level = LEVELS[duty.level]
    if not any(duty.level in one.levels for one in fitting):
        return [Finding("other_level", f"{person.name}的考评员证（{fitting[0].number}）不含{level}，不能考评。")]
    fitting = [one for one in fitting if duty.level in one.levels]
    if all(one.expires_on < duty.on for one in fitting):
        last = max(fitting, key=lambda one: one.expires_on)
        return [Finding("expired", f"{person.name}的考评员证（{last.number}）有效期至 {last.expires_on:%Y-%m-%d}，考核当日已过期，请换证后更新名册。")]
    fitting = [one for one in fitting if one.expires_on >= duty.on]
    if duty.level <= demands.senior_from and not any(one.senior for one in fitting):
        return [Finding("not_senior", f"{level}的考评员须为高级考评员，{person.name}的证书（{fitting[0].number}）是考评员，不能考评。")]
    return []


def in_row(occasions: Sequence[Collection[int]]) -> Mapping[int, int]:
    """How often in a row each person was called, from the latest occasion back; ``occasions`` latest first."""
    found: dict[int, int] = {}
    for key in occasions[0] if occasions else ():
        run = next((place for place, called in enumerate(occasions) if key not in called), len(occasions))
        found[key] = run
    return found


@dataclass(frozen=True)
class Proposal:
    """Assessors by lot. The same ``eligible`` and ``seed`` give the same ``drawn``."""

    drawn: tuple[int, ...]
    eligible: tuple[int, ...]
    out: Mapping[int, tuple[Finding, ...]] = field(default_factory=dict)  # the others, and why


def draw(eligible: Collection[int], number: int, seed: str) -> tuple[int, ...]:
    """``number`` of the eligible by lot; fewer when there are not so many."""
    ordered = sorted(eligible)
    return tuple(sorted(random.Random(f"assessors:{seed}").sample(ordered, min(number, len(ordered)))))  # noqa: S311  # repeatable from its seed


def propose(people: Sequence[Person], duty: Duty, demands: Demands, seed: str) -> Proposal:
    """As many as the rules ask for, drawn among those whom no rule forbids."""
    found = {person.key: tuple(problems(person, duty, demands)) for person in people}
    eligible = tuple(sorted(key for key, broken in found.items() if not broken))
    return Proposal(draw(eligible, demands.needed(len(duty.candidates)), seed), eligible,
                    {key: broken for key, broken in found.items() if broken})


def _listed(names: Sequence[str]) -> str:
    return "、".join(names[:5]) + (f"等 {len(names)} 名" if len(names) > 5 else "")

"""What may be asked of a paper beyond its quotas. Each rule is hard (`weight` None) or soft: `weight` is what one unit
(an item, a point, a character) outside of it costs. Leaving a rule out is how it is switched off. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar, TypeAlias


@dataclass(frozen=True, kw_only=True)
class Importance:
    """X before Y before Z (重要程度): at least the share `shares` of X, at least that of X and Y together, and not more
    than the rest of Z; `slack` items off are let pass. Where X runs out, Y fills the place before Z."""

    title: ClassVar = "重要程度"
    shares: Mapping[str, float] = field(default_factory=lambda: {"X": 0.8, "Y": 0.15, "Z": 0.05})
    slack: int = 0
    weight: float | None = 1.0


@dataclass(frozen=True, kw_only=True)
class OnePerPoint:
    """At most one item of a 鉴定点 until the points of its range run out, then two of none before one of each, and so on."""

    title: ClassVar = "鉴定点不重复"
    weight: float | None = 50.0


@dataclass(frozen=True, kw_only=True)
class Grades:
    """The share of each difficulty grade; counts by largest remainders, `slack` items off are let pass."""

    title: ClassVar = "难度结构"
    shares: Mapping[int, float] = field(default_factory=lambda: {1: 0.1, 2: 0.25, 3: 0.4, 4: 0.2, 5: 0.05})
    slack: int = 0
    weight: float | None = 2.0


@dataclass(frozen=True, kw_only=True)
class Difficulty:
    """The mean calibrated b of the scored items is within `tolerance` of `mean`. Its unit: 0.01 of the mean b."""

    title: ClassVar = "平均难度 b"
    mean: float
    tolerance: float = 0.05
    weight: float | None = 1.0


@dataclass(frozen=True, kw_only=True)
class Information:
    """At least `least` information at each ability of the pool (one number each). Its unit: 1 % of `least`."""

    title: ClassVar = "信息量下限"
    least: tuple[float, ...]
    weight: float | None = None


@dataclass(frozen=True, kw_only=True)
class ExpectedScore:
    """Expected score at the cut, in points, equal across forms: within `tolerance` of `target` (None: of one another).
    Its unit: a tenth of a point."""

    title: ClassVar = "及格线处期望得分"
    target: float | None = None
    tolerance: float = 0.25
    weight: float | None = 1.0


@dataclass(frozen=True, kw_only=True)
class Exposure:
    """No item that was already on `most` papers or more this year. Soft: each such item costs `weight`."""

    title: ClassVar = "曝光上限"
    most: int = 3
    weight: float | None = None


@dataclass(frozen=True, kw_only=True)
class LittleUsed:
    """Among equals the less used: an item costs `weight` x its papers this year / the most of any item. Never hard."""

    title: ClassVar = "少用者优先"
    weight: float = 1.0


@dataclass(frozen=True, kw_only=True)
class Rest:
    """No item of the last `sittings` sittings. Soft: each such item costs `weight`."""

    title: ClassVar = "近期未用"
    sittings: int = 2
    weight: float | None = None


@dataclass(frozen=True, kw_only=True)
class KeyBalance:
    """The answers A to D of single choice and T/F of true/false items come equally often, `slack` items off let pass."""

    title: ClassVar = "答案均衡"
    slack: int = 0
    weight: float | None = 1.0


@dataclass(frozen=True, kw_only=True)
class Length:
    """Between `least` and `most` characters to read. Its unit: 1 % of `most`."""

    title: ClassVar = "阅读总量"
    most: int
    least: int = 0
    weight: float | None = None


@dataclass(frozen=True, kw_only=True)
class Overlap:
    """Any two forms share at most `most` items. None: no more than the bank makes them share, an item that two share then costs
    `weight`. Pinned items count."""

    title: ClassVar = "各套共用题"
    most: int | None = 0
    weight: float = 20.0


@dataclass(frozen=True, kw_only=True)
class Earlier:
    """A form shares at most `most` items with each of the pool's `earlier` papers."""

    title: ClassVar = "与往次试卷重复"
    most: int
    weight: float | None = None


@dataclass(frozen=True, kw_only=True)
class Pretest:
    """`count` unscored items tried out, by kind; they count for no quota and no other rule than pairs and overlap."""

    title: ClassVar = "试测题"
    count: Mapping[str, int]


@dataclass(frozen=True, kw_only=True)
class UseLimit:
    """An item is on at most `most` of the forms made at once (a form per candidate)."""

    title: ClassVar = "单题使用次数"
    most: int


@dataclass(frozen=True, kw_only=True)
class Pinned:
    """Items that are on every form."""

    title: ClassVar = "必选题"
    keys: frozenset[int]


@dataclass(frozen=True, kw_only=True)
class Barred:
    """Items that are on no form."""

    title: ClassVar = "禁用题"
    keys: frozenset[int]


@dataclass(frozen=True, kw_only=True)
class Equal:
    """Every form gives the `target` information at each ability of the pool: the greatest deviation over forms and
    abilities is made least (minimax). None: what an average paper of this bank gives, `times` that. Its unit: 0.1 % of the
    target; at 50 it comes before most other soft rules."""

    title: ClassVar = "目标信息量"
    target: tuple[float, ...] | None = None
    times: float = 1.0
    weight: float = 50.0


@dataclass(frozen=True, kw_only=True)
class Most:
    """The least information over forms and abilities is made greatest (maximin; van der Linden 2005, chapter 5), each
    ability's measured in units of `relative` (None: 1). Its unit: 0.1 % of the most that can be had."""

    title: ClassVar = "信息量最大"
    relative: tuple[float, ...] | None = None
    weight: float = 50.0


Rule: TypeAlias = (Importance | OnePerPoint | Grades | Difficulty | Information | ExpectedScore | Exposure | LittleUsed | Rest
                   | KeyBalance | Length | Overlap | Earlier | Pretest | UseLimit | Pinned | Barred | Equal | Most)

STANDARD: tuple[Rule, ...] = (OnePerPoint(), Grades(), Importance(), KeyBalance(), LittleUsed(), Overlap(most=None))

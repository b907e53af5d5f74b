"""The life of an item as one table of moves: the rules follow it, the picture and the help page are drawn from it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from qbank.items.states import STANDING, ItemState
from qbank.kernel.access import Role

S = ItemState


@dataclass(frozen=True)
class Move:
    """One line: ``title`` takes a version from any of ``origins`` to ``to``.

    ``who`` are the roles that do it; none: it comes with something else that somebody does. ``when`` says in one line
    what else must hold. ``asks_why``: a reason or comment must be given.
    """

    verb: str
    title: str
    origins: tuple[ItemState, ...]
    to: ItemState
    who: tuple[Role, ...]
    when: str
    asks_why: bool = False

    @property
    def spoken_who(self) -> str:
        return "、".join(role.chinese for role in self.who) or "系统"


TABLE: tuple[Move, ...] = (
    Move("submit", "提交审核", (S.DRAFT,), S.SUBMITTED, (Role.ITEM_AUTHOR,), "审题期限从提交之日起算"),
    Move("approve", "审核通过", (S.SUBMITTED,), S.APPROVED, (Role.ITEM_REVIEWER,),
         "规则包规定人数的审题员盲答后独立通过，都没有编写或修改过这道题"),
    Move("return", "退回", (S.SUBMITTED,), S.RETURNED, (Role.ITEM_REVIEWER,), "审题员盲答后认为须小改或大改", asks_why=True),
    Move("use", "封存入卷", (S.APPROVED,), S.IN_USE, (Role.PAPER_COMPOSER,), "含有这道题的试卷封存"),
    Move("suspend", "暂停使用", STANDING, S.SUSPENDED, (Role.ITEM_AUTHOR, Role.ITEM_REVIEWER),
         "对题目有疑问；不再组卷，待封存的试卷不能封存", asks_why=True),
    Move("resume", "恢复使用", (S.SUSPENDED,), S.APPROVED, (Role.ITEM_REVIEWER,),
         "从未用于已封存的试卷；由没有编写过这道题的审题员核实", asks_why=True),
    Move("resume", "恢复使用", (S.SUSPENDED,), S.IN_USE, (Role.ITEM_REVIEWER,),
         "曾用于已封存的试卷；由没有编写过这道题的审题员核实", asks_why=True),
    Move("retire", "停用", (S.DRAFT, S.RETURNED, *STANDING, S.SUSPENDED), S.RETIRED, (Role.ITEM_AUTHOR,),
         "不再恢复；已封存的试卷不受影响", asks_why=True),
    Move("supersede", "新版本取代", (S.DRAFT, S.SUBMITTED, S.RETURNED), S.SUPERSEDED, (Role.ITEM_AUTHOR,),
         "修改后保存了新版本", asks_why=True),
    Move("supersede", "新版本取代", (*STANDING, S.SUSPENDED), S.SUPERSEDED, (), "新版本审核通过"),
)
MOVES: Mapping[ItemState, frozenset[ItemState]] = {
    state: frozenset(line.to for line in TABLE if state in line.origins) for state in ItemState}
ENDS = frozenset(state for state, following in MOVES.items() if not following)


def following(state: ItemState) -> list[Move]:
    """The lines that lead on from ``state``."""
    return [line for line in TABLE if state in line.origins]


@dataclass(frozen=True)
class Box:
    """Where a state stands in the picture, and how it is drawn: left upper corner, in units of the picture."""

    state: ItemState
    x: int
    y: int


@dataclass(frozen=True)
class Arrow:
    """A move in the picture: a path of SVG, its title and where that stands; ``faint`` for the ways out."""

    path: str
    title: str
    x: int
    y: int
    faint: bool


WIDTH, HEIGHT = 132, 52
PLACES: Mapping[ItemState, tuple[int, int]] = {
    S.DRAFT: (10, 40), S.SUBMITTED: (230, 40), S.APPROVED: (450, 40), S.IN_USE: (670, 40),
    S.RETURNED: (230, 170), S.SUSPENDED: (560, 170), S.SUPERSEDED: (10, 300), S.RETIRED: (670, 300),
}


def boxes() -> list[Box]:
    return [Box(state, *PLACES[state]) for state in ItemState]


def arrows() -> list[Arrow]:
    """One arrow for each pair of states that the table joins."""
    pairs = {(origin, line.to): line for line in TABLE for origin in line.origins}
    return [_arrow(origin, to, line, (to, origin) in pairs) for (origin, to), line in pairs.items()]


def _arrow(origin: ItemState, to: ItemState, line: Move, both_ways: bool) -> Arrow:
    """A straight line from edge to edge; of two states that lead to each other each way keeps to its own side."""
    (x1, y1), (x2, y2) = _middle(origin), _middle(to)
    across = abs(y2 - y1) < HEIGHT
    shift = (14 if (x2, y2) > (x1, y1) else -14) if both_ways else 0
    if across:
        start, end = (x1 + _sign(x2 - x1) * WIDTH // 2, y1 + shift), (x2 - _sign(x2 - x1) * WIDTH // 2, y2 + shift)
    else:
        start, end = (x1 + shift, y1 + _sign(y2 - y1) * HEIGHT // 2), (x2 + shift, y2 - _sign(y2 - y1) * HEIGHT // 2)
    share = 0.28 if both_ways and not across else 0.5  # two titles of one pair would cover each other in the middle
    middle = (round(start[0] + (end[0] - start[0]) * share), round(start[1] + (end[1] - start[1]) * share) + (5 if both_ways else 0))
    return Arrow(f"M{start[0]} {start[1]}L{end[0]} {end[1]}", line.title, middle[0], middle[1] - (8 if across else 0),
                 to in ENDS)


def _middle(state: ItemState) -> tuple[int, int]:
    x, y = PLACES[state]
    return x + WIDTH // 2, y + HEIGHT // 2


def _sign(number: int) -> int:
    return (number > 0) - (number < 0)

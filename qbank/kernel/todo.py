"""The work list (待办): what waits for a person. Each room says its own; the first page joins them. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

SOON = timedelta(days=7)


@dataclass(frozen=True)
class Todo:
    """One thing to do: a sentence, where to do it (endpoint and its values), and until when (None: no date).

    ``clause`` is where the notice asks for it, such as ``四（一）``. ``waits_for`` is the Chinese name of who has to act, empty
    when that is the viewer. An ``alarm`` tells of something that runs out by itself, such as a filed scope.
    """

    title: str
    endpoint: str
    values: dict[str, Any] = field(default_factory=dict)
    detail: str = ""
    due: datetime | None = None
    clause: str = ""
    waits_for: str = ""
    alarm: bool = False

    def is_overdue(self, now: datetime) -> bool:
        return self.due is not None and self.due < now

    def is_soon(self, now: datetime) -> bool:
        """Due within a week, and not late yet."""
        return self.due is not None and now <= self.due < now + SOON


@dataclass(frozen=True)
class Asked:
    """What a person narrows the list by; everything empty shows all of it."""

    show: str = ""  # overdue, soon, others, alarms
    clause: str = ""
    text: str = ""

    def keeps(self, todo: Todo, now: datetime) -> bool:
        wanted = {"overdue": todo.is_overdue(now), "soon": todo.is_soon(now), "others": bool(todo.waits_for), "alarms": todo.alarm}
        words = f"{todo.title} {todo.detail} {todo.waits_for}"
        return wanted.get(self.show, True) and todo.clause.startswith(self.clause) and self.text.lower() in words.lower()


@dataclass(frozen=True)
class WorkList:
    """The three parts of the first page, each with what is due first on top."""

    alarms: list[Todo]
    own: list[Todo]
    others: list[Todo]  # what the viewer waits for and somebody else has to do

    @classmethod
    def of(cls, todos: Iterable[Todo]) -> WorkList:
        ordered = sorted(todos, key=lambda todo: (todo.due is None, todo.due.timestamp() if todo.due else 0.0))
        return cls([todo for todo in ordered if todo.alarm],
                   [todo for todo in ordered if not todo.alarm and not todo.waits_for],
                   [todo for todo in ordered if not todo.alarm and todo.waits_for])

    def __iter__(self) -> Any:
        return iter((*self.alarms, *self.own, *self.others))

    def counts(self, now: datetime) -> dict[str, int]:
        """How many lines each choice of :class:`Asked` shows."""
        lines = list(self)
        return {show: sum(Asked(show).keeps(todo, now) for todo in lines) for show in ("", "overdue", "soon", "others", "alarms")}

    def narrowed(self, asked: Asked, now: datetime) -> WorkList:
        return WorkList.of(todo for todo in self if asked.keeps(todo, now))

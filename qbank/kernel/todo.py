"""The work list (待办): what waits for a person. Each room says its own; the first page joins them."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any


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

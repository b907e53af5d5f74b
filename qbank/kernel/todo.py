"""The work list (待办): what waits for a person. Each room says its own; the home page joins them."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any


@dataclass(frozen=True)
class Todo:
    """One thing to do: a sentence, where to do it (endpoint and its values), and until when (None: no date)."""

    title: str
    endpoint: str
    values: dict[str, Any] = field(default_factory=dict)
    detail: str = ""
    due: datetime | None = None

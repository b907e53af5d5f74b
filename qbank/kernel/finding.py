"""What whoever looks something over says of it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Finding:
    """One line: what was looked at, whether it is well, what was seen, and what to do when it is not.

    ``advice``: what could be better although it is well.
    """

    subject: str
    well: bool
    detail: str
    remedy: str = ""
    advice: str = ""

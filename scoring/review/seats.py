"""Who judges a candidate: every seat of the panel is taken, by its member or by whoever came in for him. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence


def judges(regular: Sequence[int], left: Mapping[int, int | None]) -> tuple[int | None, ...]:
    """One judge for each seat, in the order of ``regular``; None where a seat stands empty.

    ``left`` says for one candidate who does not judge him and who came in instead (None: nobody yet). A substitute may
    have to leave as well. There are always as many seats as regular members: an absence never makes the panel smaller.
    """
    return tuple(_taken_by(seat, left) for seat in regular)


def _taken_by(seat: int, left: Mapping[int, int | None]) -> int | None:
    judge: int | None = seat
    passed = set()
    while judge is not None and judge in left:
        if judge in passed:
            return None  # two who stand in for each other judge nobody
        passed.add(judge)
        judge = left[judge]
    return judge

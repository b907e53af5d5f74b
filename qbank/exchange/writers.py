"""The one door out: items into any format, with what the format could not carry."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import BinaryIO, cast

from qbank.exchange.drafts import Drafts, Found, LossReport
from qbank.exchange.readers import known, loaded
from qbank.items.draft import Draft
from qbank.kernel.refused import Refused

Writer = Callable[[Drafts, BinaryIO], LossReport]


def write(items: Drafts | Iterable[Draft], stream: BinaryIO, format: str) -> LossReport:
    """Write ``items`` in ``format`` (a name of ``readers.FORMATS``) to ``stream``, opened for bytes.

    The report names item by item what the format cannot carry; nothing is left out in silence. Pictures travel only with
    a :class:`Drafts`, which holds them. Raises Refused for a format that is not written.
    """
    what = known(format)
    if not what.writes:
        raise Refused("not_written", f"不能导出为“{what.chinese}”，请换一种格式。")
    if not isinstance(items, Drafts):
        items = Drafts(tuple(Found(draft, f"第 {number} 题", number) for number, draft in enumerate(items, start=1)), format)
    return cast(Writer, loaded(what.writes))(items, stream)

"""What a round trip through a foreign format must leave as it was, and what its loss report may take."""

from __future__ import annotations

import dataclasses
from collections import defaultdict
from typing import Any

from qbank.exchange.drafts import Drafts, LossReport
from qbank.items import markup

CHINESE = {"kind": "题型", "stem": "题干", "options": "选项", "key": "答案", "explanation": "解析", "source": "出处", "difficulty": "难度",
           "range_path": "鉴定点", "point_segment": "鉴定点", "guide": "评分标准", "stimulus": "共用题干", "source_page": "出处页码",
           "source_author": "出处作者"}
WHOLE = "整题"


def shown(value: Any) -> Any:
    """What a reader of the page sees: two writings of one thing are the same."""
    if isinstance(value, tuple):
        return tuple(map(shown, value))
    return str(markup.to_html(value, lambda name: name)) if isinstance(value, str) else value


def assert_same_but_for(before: Drafts, after: Drafts, report: LossReport) -> None:
    """Every field of every item shows the same, unless the report names it; a lost item is named as a whole."""
    lost: dict[str, set[str]] = defaultdict(set)
    for loss in report.losses:
        assert loss.sentence.endswith("。"), loss
        lost[loss.place].add(loss.field)
    sent = [found for found in before.items if WHOLE not in lost[found.place]]
    assert len(after.items) == len(sent) == report.written
    for one, other in zip(sent, after.items, strict=True):
        assert other.problems == ()
        for field in dataclasses.fields(one.draft):
            was, now = getattr(one.draft, field.name), getattr(other.draft, field.name)
            assert shown(was) == shown(now) or CHINESE[field.name] in lost[one.place], (field.name, was, now)

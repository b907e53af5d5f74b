"""The rule pack (规则包): every number that another province may set otherwise. Pure.

Only what the notice itself fixes is a constant: ten working days, seven days of public notice, three years of archive,
sixty per part. They may be made stricter here, never looser.
"""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass
from typing import Any

from qbank.kernel.refused import Refused

PASS_HALF_POINTS = 120  # 60 of 100, in half-points: 59.5 fails
FULL_HALF_POINTS = 200
LEAST_PLAN_WORKING_DAYS = 10
LEAST_NOTICE_DAYS = 7
LEAST_ARCHIVE_YEARS = 3


@dataclass(frozen=True)
class RulePack:
    """The settings of one province with the defaults that were found in published rules."""

    name: str = "默认规则包"
    plan_working_days: int = LEAST_PLAN_WORKING_DAYS
    notice_days: int = LEAST_NOTICE_DAYS
    archive_years: int = LEAST_ARCHIVE_YEARS
    approvals_per_item: int = 2
    theory_minutes: int = 90
    late_entry_minutes: int = 30
    earliest_hand_in_minutes: int = 30
    grace_seconds: int = 30
    candidates_per_invigilator: int = 15
    least_invigilators: int = 2
    candidates_per_assessor: int = 5
    least_assessors: int = 3
    assessors_odd: bool = True
    least_panel: int = 3
    panel_odd: bool = True
    review_minutes: int = 30
    thesis_percent: int = 50  # weight of the written work in the comprehensive review, the rest is the defence
    make_up_years: int = 1
    make_up_attempts: int = 1
    recheck_apply_working_days: int = 10
    recheck_finish_working_days: int = 10
    statistics_minimum_n: int = 30

    def __post_init__(self) -> None:
        for name, least, what in (("plan_working_days", LEAST_PLAN_WORKING_DAYS, "考务方案提前工作日"),
                                  ("notice_days", LEAST_NOTICE_DAYS, "公示天数"),
                                  ("archive_years", LEAST_ARCHIVE_YEARS, "档案保存年限")):
            if getattr(self, name) < least:
                raise Refused("below_notice", f"{what}不得少于 {least}（湘人社函〔2020〕47号），不能设为 {getattr(self, name)}。")
        for field in dataclasses.fields(self):
            if type(getattr(self, field.name)) is not type(field.default):
                raise Refused("rule_pack_type", f"规则包的“{field.name}”应为 {type(field.default).__name__} 类型。")

    @classmethod
    def read(cls, text: str) -> RulePack:
        """From a JSON object of the fields that differ. Refuses unknown names, wrong types and looser values."""
        try:
            values: dict[str, Any] = json.loads(text)
        except json.JSONDecodeError as error:
            raise Refused("rule_pack_json", f"规则包不是有效的 JSON：第 {error.lineno} 行附近有误。") from error
        known = {field.name for field in dataclasses.fields(cls)}
        if unknown := sorted(values.keys() - known):
            raise Refused("rule_pack_field", f"规则包里没有这些设置：{'、'.join(unknown)}。")
        return cls(**values)

"""The rule pack that a result list was computed under, and the choice of the one for the next merge."""

from __future__ import annotations

import dataclasses
import json

from qbank.standards.rulepack import RulePack
from scoring.results.models import ResultList

KNOWN = {field.name for field in dataclasses.fields(RulePack)}


def pack_of(result_list: ResultList) -> RulePack:
    """The numbers kept with the list; settings that came later have their defaults, and those that went are left out."""
    held = json.loads(result_list.rule_pack)
    return RulePack(**{name: value for name, value in held.items() if name in KNOWN})


def keep_pack(result_list: ResultList, pack: RulePack) -> None:
    result_list.rule_pack = json.dumps(dataclasses.asdict(pack), ensure_ascii=False)

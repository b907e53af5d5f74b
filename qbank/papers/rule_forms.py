"""The page of rules as it was typed, read at the border: numbers checked row by row, nothing typed is lost."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from werkzeug.datastructures import MultiDict

from qbank.kernel.refused import Refused
from qbank.papers.rules import KINDS_OF_RULES, Field, Number, RuleKind, Setting, mistakes

NUMBER = re.compile(r"-?\d{1,9}(\.\d{1,4})?")


@dataclass(frozen=True)
class RuleForm:
    """``typed`` field name → text; ``problems`` rule code → sentence beside its row."""

    typed: Mapping[str, str]
    settings: Mapping[str, Setting]
    problems: Mapping[str, str]

    @classmethod
    def of(cls, settings: Mapping[str, Setting]) -> RuleForm:
        typed: dict[str, str] = {}
        for code, setting in settings.items():
            typed |= {f"mode-{code}": setting.mode, f"weight-{code}": str(setting.weight)}
            typed |= {f"{code}-{name}": f"{value:g}" if abs(value) < 1e5 else str(value) for name, value in setting.numbers.items()}
        return cls(typed, dict(settings), {})

    @classmethod
    def read(cls, form: MultiDict[str, str], before: Mapping[str, Setting]) -> RuleForm:
        """What was typed over ``before``; a row that cannot be read keeps what it was and says what is wrong."""
        typed = dict(cls.of(before).typed) | {name: form.get(name, "") for name in form}
        settings, problems = dict(before), {}
        for code, kind in KINDS_OF_RULES.items():
            try:
                settings[code] = _setting(kind, typed, before[code])
            except Refused as refusal:
                problems[code] = refusal.sentence
        return cls(typed, settings, {**mistakes(settings), **problems})

    def refuse(self) -> None:
        """Refuse ('bad_rules') when any row has a problem."""
        if self.problems:
            lines = [f"{KINDS_OF_RULES[code].title}：{sentence}" for code, sentence in self.problems.items()]
            raise Refused("bad_rules", f"有 {len(lines)} 处需要改正，已标在各行。", lines)


def _setting(kind: RuleKind, typed: Mapping[str, str], before: Setting) -> Setting:
    mode = typed[f"mode-{kind.code}"]
    weight = _number(typed[f"weight-{kind.code}"], Field("weight", "权重", "", 1, 100)) if mode == "soft" else before.weight
    if mode == "off":
        return Setting(mode, before.weight, before.numbers)
    numbers = {field.name: _number(typed[f"{kind.code}-{field.name}"], field) for field in kind.fields}
    return Setting(mode, int(weight), {**before.numbers, **numbers})


def _number(text: str, field: Field) -> Number:
    cleaned = text.strip().replace("．", ".")
    if not NUMBER.fullmatch(cleaned):
        raise Refused("not_a_number", f"“{field.label}”应填写数字，现在是“{text[:20]}”。")
    value = Decimal(cleaned)
    if value % Decimal(str(field.step)):
        raise Refused("not_a_number", f"“{field.label}”应是 {field.step:g} 的整数倍，现在是“{text[:20]}”。")
    return int(value) if field.step == 1 else float(value)

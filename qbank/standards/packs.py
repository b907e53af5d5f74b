"""Which rule pack holds for an institution, and setting the packs of regions."""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from qbank.kernel.access import Role, Viewer
from qbank.kernel.accounts import Institution
from qbank.kernel.forms import whole_number
from qbank.kernel.refused import Refused
from qbank.standards.models import StoredRulePack
from qbank.standards.rulepack import LABELS, MOST, RulePack

REGION = re.compile(r"\d{2}|\d{4}|\d{6}")
LONGEST = 500  # of a text that a rule pack sets


def pack_for(session: Session, institution: Institution) -> RulePack:
    """The rule pack of the narrowest region that holds ``institution``; the defaults where none is stored."""
    stored = session.scalars(sa.select(StoredRulePack).order_by(sa.func.length(StoredRulePack.region).desc())).all()
    for pack in stored:
        if institution.region.startswith(pack.region):
            return RulePack.read(pack.values)
    return RulePack()


def may_set(session: Session, who: Viewer, region: str) -> bool:
    """Whether ``who`` sets the numbers of ``region``: administrators everywhere, province officers in their own."""
    if who.has(Role.ADMINISTRATOR):
        return True
    return any(region.startswith(bound) for scope in who.scopes if scope.role is Role.PROVINCE_OFFICER
               for bound in [_bound(session, scope.region, scope.institution_id)])


def _bound(session: Session, region: str | None, institution_id: int | None) -> str:
    if institution_id is None:
        return region or ""
    code = session.scalar(sa.select(Institution.region).where(Institution.id == institution_id)) or "none"
    return region or re.sub(r"(00)+$", "", code)  # 430000 is the province 43


def read_fields(form: Mapping[str, str]) -> dict[str, Any]:
    """The settings as typed on the page, checked for their kind."""
    values: dict[str, Any] = {}
    for field in dataclasses.fields(RulePack):
        if isinstance(field.default, bool):
            values[field.name] = field.name in form
        elif isinstance(field.default, int):
            values[field.name] = whole_number(form.get(field.name, ""), LABELS[field.name][0], 0, MOST)
        elif field.name != "name":
            values[field.name] = _line(form.get(field.name, ""), LABELS[field.name][0])
    return values


def _line(text: str, what: str) -> str:
    line = " ".join(text.split())
    if not 0 < len(line) <= LONGEST:
        raise Refused("blank", f"请填写“{what}”，不超过 {LONGEST} 字，现在是 {len(line)} 字。")
    return line


def save_pack(session: Session, pack: StoredRulePack | None, region: str, name: str, values: Mapping[str, Any],
              who: Viewer) -> StoredRulePack:
    """Set the numbers of ``region``; only those that differ from the defaults are stored. Refuses looser than the notice."""
    if not REGION.fullmatch(region):
        raise Refused("region", f"地区代码应为 2 位（省）、4 位（市）或 6 位数字，例如 43，现在是“{region}”。")
    if not may_set(session, who, region):
        raise Refused("other_region", f"您不能设置地区 {region} 的规则包，只能设置本省范围内的。")
    name = " ".join(name.split())
    if not 0 < len(name) <= 200:
        raise Refused("blank", "请填写规则包名称（不超过 200 字），例如“湖南省规则包”。")
    if session.scalar(sa.select(StoredRulePack.id).where(StoredRulePack.region == region,
                                                         StoredRulePack.id != (pack.id if pack else 0))):
        raise Refused("pack_twice", f"地区 {region} 已有规则包，请直接修改它。")
    checked = RulePack(name=name, **values)
    default = RulePack()
    differing = {field: value for field, value in dataclasses.asdict(checked).items() if value != getattr(default, field)}
    text = json.dumps(differing, ensure_ascii=False, sort_keys=True)
    RulePack.read(text)
    if pack is None:
        pack = StoredRulePack(region=region, name=name, values=text)
        session.add(pack)
    pack.name, pack.values = name, text
    session.flush()
    return pack

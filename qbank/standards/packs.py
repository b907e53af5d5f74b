"""Which rule pack holds for an institution, and setting the packs of regions."""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from qbank.kernel.access import Role, Viewer
from qbank.kernel.accounts import Institution
from qbank.kernel.forms import whole_number
from qbank.kernel.refused import Refused
from qbank.standards.models import RulePackVersion, StoredRulePack
from qbank.standards.rulepack import GROUPS, LABELS, MOST, RulePack

REGION = re.compile(r"\d{2}|\d{4}|\d{6}")
LONGEST = 500  # of a text that a rule pack sets


def pack_for(session: Session, institution: Institution) -> RulePack:
    """The rule pack of the narrowest region that holds ``institution``; the defaults where none is stored."""
    stored = _stored_for(session, institution)
    return RulePack.read(stored.values) if stored else RulePack()


def version_for(session: Session, institution: Institution) -> RulePackVersion | None:
    """The version that :func:`pack_for` reads now; None where the built-in defaults hold."""
    stored = _stored_for(session, institution)
    return stored.versions[-1] if stored and stored.versions else None


def _stored_for(session: Session, institution: Institution) -> StoredRulePack | None:
    stored = session.scalars(sa.select(StoredRulePack).order_by(sa.func.length(StoredRulePack.region).desc())).all()
    return next((pack for pack in stored if institution.region.startswith(pack.region)), None)


def changes(before: RulePack, after: RulePack) -> list[tuple[str, Any, Any]]:
    """(field, before, after) of every setting that differs, in the order of the page."""
    fields = ("name", *(field for group in GROUPS.values() for field in group))
    return [(field, getattr(before, field), getattr(after, field)) for field in fields
            if getattr(before, field) != getattr(after, field)]


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
              who: Viewer, *, reason: str, now: datetime) -> StoredRulePack:
    """Set the numbers of ``region`` as a new version with its reason; only those that differ from the defaults are stored.

    Refuses looser than the notice, and a save that changes nothing.
    """
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
    elif not changes(RulePack.read(pack.values), checked):
        raise Refused("nothing_changed", "没有任何设置改变，没有生成新的版本。")
    if not 2 <= len(reason.strip()) <= LONGEST:
        raise Refused("no_reason", f"请写明修改的依据或原因（2 至 {LONGEST} 字），例如“湘人社发〔2026〕12号第三条”。")
    pack.name, pack.values = name, text
    pack.versions.append(RulePackVersion(number=len(pack.versions) + 1, name=name, values=text, reason=reason.strip(),
                                         changed_by=who.account_id, at=now))
    session.flush()
    return pack

"""Institutions: entered once, by the administrator."""

from __future__ import annotations

import re
from collections.abc import Mapping

import sqlalchemy as sa
from sqlalchemy.orm import Session
from stdnum.cn import uscc
from stdnum.exceptions import ValidationError

from qbank.kernel.accounts import Institution, InstitutionKind
from qbank.kernel.refused import Refused

REGION = re.compile(r"\d{6}")
CERTIFICATE_PREFIX = re.compile(r"[A-Z]\d{12}")


def describe(session: Session, institution: Institution, fields: Mapping[str, str]) -> Institution:
    """Write ``fields`` (name, kind, region, credit_code, certificate_prefix) into ``institution`` after checking them."""
    name, kind, region = fields.get("name", "").strip(), fields.get("kind", ""), fields.get("region", "").strip()
    if not name:
        raise Refused("no_name", "请填写单位名称。")
    if kind not in set(InstitutionKind):
        raise Refused("no_kind", "请选择单位类别。")
    if not REGION.fullmatch(region):
        raise Refused("region", "地区代码应为 6 位数字，例如长沙市 430100。")
    with session.no_autoflush:
        taken = session.scalar(sa.select(Institution.id).where(Institution.name == name))
    if taken and taken != institution.id:
        raise Refused("name_taken", f"已有名为“{name}”的单位。")
    institution.name, institution.kind, institution.region = name, InstitutionKind(kind), region
    institution.credit_code = _credit_code(fields.get("credit_code", "").strip())
    institution.certificate_prefix = _prefix(fields.get("certificate_prefix", "").strip().upper())
    session.add(institution)
    session.flush()
    return institution


def _credit_code(text: str) -> str | None:
    if not text:
        return None
    try:
        return str(uscc.validate(text))
    except ValidationError as error:
        raise Refused("credit_code", "统一社会信用代码不正确，请核对 18 位代码。") from error


def _prefix(text: str) -> str | None:
    if text and not CERTIFICATE_PREFIX.fullmatch(text):
        raise Refused("certificate_prefix", "证书编号前段应为 1 个字母加 12 位数字，由人社部门核发；没有核发前请留空。")
    return text or None


def centre_above(session: Session, institution: Institution, kind: InstitutionKind) -> str:
    """The name of the city's or province's centre that ``institution`` files with; the kind's own word when none is entered."""
    digits = 4 if kind is InstitutionKind.CITY_CENTRE else 2
    found = session.scalar(sa.select(Institution.name).where(
        Institution.kind == kind, Institution.region.startswith(institution.region[:digits])).order_by(Institution.id).limit(1))
    return found or kind.chinese

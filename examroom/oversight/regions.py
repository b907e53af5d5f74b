"""Where an office works: regions as prefixes of the six-digit code, and rows that belong to a region."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from qbank.kernel.access import INSTITUTIONS, Role, Scope, Viewer
from qbank.kernel.refused import Refused

CENTRES = (Role.CITY_OFFICER, Role.PROVINCE_OFFICER)


def own_regions(viewer: Viewer, *roles: Role) -> list[str]:
    """The regions that whole grants of ``roles`` cover, the widest first; a grant bounded otherwise covers none."""
    return sorted({scope.region or "" for scope in viewer.scopes if scope.role in (roles or CENTRES) and whole(scope)}, key=lambda one: (len(one), one))


def whole(scope: Scope) -> bool:
    return scope.institution_id is None and scope.occupation_code is None and scope.plan_id is None


def require_region(viewer: Viewer, region: str) -> None:
    """Refuse unless an officer of a centre works for the whole of ``region``."""
    if not region.isdecimal() or not any(region.startswith(one) for one in own_regions(viewer)):
        raise Refused("not_your_region", "这项工作由负责该地区的鉴定中心办理，您的权限不包括该地区。")


def governed(region: Any, viewer: Viewer) -> sa.ColumnElement[bool]:
    """Rows of a ``region`` that lies within a region of the viewer's centre."""
    return sa.or_(sa.false(), *(region.startswith(one) for one in own_regions(viewer)))


def concerns(region: Any, viewer: Viewer, *roles: Role) -> sa.ColumnElement[bool]:
    """Rows of a ``region`` in which a grant of ``roles`` reaches at least one institution."""
    return sa.exists().where(INSTITUTIONS.c.region.like(region.concat("%")), viewer.reach(INSTITUTIONS.c.id, *roles))

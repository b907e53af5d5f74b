"""Who may do and see what: roles, the viewer, doors, and ``fetch``, the only way to get somebody's row."""

from __future__ import annotations

import enum
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

import sqlalchemy as sa
from flask import Flask
from sqlalchemy.orm import InstrumentedAttribute, Session
from werkzeug.exceptions import NotFound

from qbank.kernel.db import Actor

M = TypeVar("M")
INSTITUTIONS = sa.table("institutions", sa.column("id", sa.Integer), sa.column("region", sa.String))

LARGEST_KEY = 2**31 - 1


class Role(enum.StrEnum):
    """What an account may be granted, and the two roles that everybody has."""

    ANYONE = "anyone"  # named, never an empty set: an empty set must mean nobody
    SIGNED_IN = "signed_in"
    ITEM_AUTHOR = "item_author"
    ITEM_REVIEWER = "item_reviewer"
    PAPER_COMPOSER = "paper_composer"
    EXAM_OFFICER = "exam_officer"
    INVIGILATOR = "invigilator"
    CANDIDATE = "candidate"
    MARKER = "marker"
    PRACTICAL_ASSESSOR = "practical_assessor"
    REVIEW_EXAMINER = "review_examiner"
    QUALITY_SUPERVISOR = "quality_supervisor"
    CITY_OFFICER = "city_officer"
    PROVINCE_OFFICER = "province_officer"
    ADMINISTRATOR = "administrator"

    @property
    def chinese(self) -> str:
        return ROLE_NAMES[self]


ROLE_NAMES = {
    Role.ANYONE: "任何人", Role.SIGNED_IN: "已登录用户", Role.ITEM_AUTHOR: "命题员", Role.ITEM_REVIEWER: "审题员",
    Role.PAPER_COMPOSER: "组卷员", Role.EXAM_OFFICER: "考务员", Role.INVIGILATOR: "监考员", Role.CANDIDATE: "考生",
    Role.MARKER: "阅卷员",
    Role.PRACTICAL_ASSESSOR: "考评员", Role.REVIEW_EXAMINER: "评审专家", Role.QUALITY_SUPERVISOR: "质量督导员",
    Role.CITY_OFFICER: "市鉴定中心", Role.PROVINCE_OFFICER: "省鉴定中心", Role.ADMINISTRATOR: "系统管理员",
}
GRANTABLE = tuple(role for role in Role if role not in {Role.ANYONE, Role.SIGNED_IN})
STAFF = frozenset(GRANTABLE) - {Role.CANDIDATE}


@dataclass(frozen=True)
class Scope:
    """One grant: a role and its bounds. None = unbounded in that direction."""

    role: Role
    institution_id: int | None = None
    region: str | None = None  # a prefix of the six-digit region code: "43" a province, "4301" a city
    occupation_code: str | None = None
    plan_id: int | None = None


@dataclass(frozen=True)
class Viewer:
    """The person at the door: account and grants. Also what Flask-Login calls the user."""

    account_id: int
    login: str
    name: str
    generation: int
    scopes: tuple[Scope, ...]
    must_change_password: bool = False
    second_factor: bool = False  # signs in with a code of a device beside the password
    is_authenticated = True
    is_active = True
    is_anonymous = False

    def get_id(self) -> str:
        return f"{self.account_id}:{self.generation}"

    @property
    def actor(self) -> Actor:
        return Actor(self.account_id, self.name)

    def has(self, *roles: Role) -> bool:
        """Whether any grant carries one of ``roles``, whatever its bounds."""
        return any(scope.role in roles for scope in self.scopes)

    def institution_for(self, *roles: Role) -> int | None:
        """The institution this person works for in one of ``roles``; None when no grant names one."""
        return next((s.institution_id for s in self.scopes if s.role in roles and s.institution_id), None)

    def reach(self, institution: Any = None, *roles: Role, occupation: Any = None,
              plan: Any = None) -> sa.ColumnElement[bool]:
        """Which rows the grants of ``roles`` reach, as a condition for ``visible_to``.

        ``institution``, ``occupation`` (code) and ``plan`` are the columns (or scalar subqueries) that say where a row
        belongs. A bound for which no column is given reaches nothing: closed unless shown.
        """
        reached = [self._reach_of(scope, institution, occupation, plan) for scope in self.scopes if scope.role in roles]
        return sa.or_(sa.false(), *reached)

    @staticmethod
    def _reach_of(scope: Scope, institution: Any, occupation: Any, plan: Any) -> sa.ColumnElement[bool]:
        within = sa.select(INSTITUTIONS.c.id).where(INSTITUTIONS.c.region.startswith(scope.region or ""))
        bounds: list[tuple[Any, Any, Any]] = [
            (scope.institution_id, institution, lambda: institution == scope.institution_id),
            (scope.region, institution, lambda: institution.in_(within)),
            (scope.occupation_code, occupation, lambda: occupation == scope.occupation_code),
            (scope.plan_id, plan, lambda: plan == scope.plan_id),
        ]
        conditions: list[sa.ColumnElement[bool]] = [sa.true()]
        for bound, column, condition in bounds:
            if bound is not None:
                conditions.append(sa.false() if column is None else condition())
        return sa.and_(*conditions)


def visible(model: type[M], viewer: Viewer) -> sa.Select[M]:
    """``select(model)`` bounded to what ``viewer`` may see; a model without a rule is visible to nobody."""
    rule = getattr(model, "visible_to", None)
    return sa.select(model).where(rule(viewer) if rule else sa.false())


def fetch(session: Session, model: type[M], key: int | str, viewer: Viewer,
          by: InstrumentedAttribute[Any] | None = None) -> M:
    """The row with primary key ``key`` (or column ``by``). A stranger's row and a missing row are both 404."""
    if isinstance(key, int) and not 0 < key <= LARGEST_KEY:
        raise NotFound  # the database would fail on a number that it cannot hold
    column = by if by is not None else sa.inspect(model).primary_key[0]
    found = session.scalars(visible(model, viewer).where(column == key)).one_or_none()
    if found is None:
        raise NotFound
    return found


def check_doors(app: Flask, doors: Mapping[str, Collection[Role]]) -> None:
    """Refuse to start when routes and the table of doors differ, or a door is open to nobody."""
    routes = {rule.endpoint for rule in app.url_map.iter_rules()}
    unlisted, unknown = routes - doors.keys(), doors.keys() - routes
    nobody = [endpoint for endpoint, roles in doors.items() if not roles]
    if unlisted or unknown or nobody:
        raise RuntimeError(f"doors: not listed {sorted(unlisted)}; no such route {sorted(unknown)}; "
                           f"open to nobody {sorted(nobody)}")


def may_pass(viewer: Viewer | None, roles: Collection[Role]) -> bool:
    """Whether ``viewer`` (None: not signed in) may go through a door open to ``roles``."""
    if Role.ANYONE in roles:
        return True
    return viewer is not None and (Role.SIGNED_IN in roles or viewer.has(*roles))

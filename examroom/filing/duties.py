"""Whose duty a school is: a role counts only where its grant reaches.

A page may be open to several roles and a person may hold several grants; what somebody may *see* as one role must not
let them *act* as another.
"""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.orm import Session

from qbank.kernel.access import Role, Viewer
from qbank.kernel.accounts import Institution
from qbank.kernel.refused import Refused


def on_duty(session: Session, who: Viewer, institution_id: int, *roles: Role, plan_id: int | None = None,
            occupation: str | None = None) -> bool:
    """Whether a grant of ``who`` in one of ``roles`` reaches this institution (and plan, and occupation)."""
    reached = who.reach(Institution.id, *roles, plan=None if plan_id is None else sa.literal(plan_id),
                        occupation=None if occupation is None else sa.literal(occupation))
    return session.scalar(sa.select(Institution.id).where(Institution.id == institution_id, reached)) is not None


def require_duty(session: Session, who: Viewer, institution_id: int, *roles: Role, plan_id: int | None = None,
                 occupation: str | None = None) -> None:
    """Refuse unless ``who`` is on duty there."""
    if not on_duty(session, who, institution_id, *roles, plan_id=plan_id, occupation=occupation):
        names = "或".join(role.chinese for role in roles)
        raise Refused("not_your_duty", f"这项工作应由负责该校的{names}办理，您的权限不包括该校。如需办理，请联系系统管理员。")

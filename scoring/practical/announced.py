"""What practical groups tell their candidates on the 准考证: when, in which workshop, at which station."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import sqlalchemy as sa
from sqlalchemy.orm import Session, joinedload

from examroom.plans.ticket_print import Line, register
from scoring.practical.models import GroupMember, PracticalGroup


@register
def practical_lines(session: Session, enrolment_ids: Sequence[int]) -> Mapping[int, Sequence[Line]]:
    """A line for each group of each candidate."""
    found: dict[int, list[Line]] = {}
    for start in range(0, len(enrolment_ids), 500):
        members = session.scalars(sa.select(GroupMember).where(GroupMember.enrolment_id.in_(enrolment_ids[start:start + 500]))
                                  .options(joinedload(GroupMember.group).joinedload(PracticalGroup.module)))
        for member in members:
            group = member.group
            what = f"操作技能\n{group.module.name}" if group.module else "操作技能"
            found.setdefault(member.enrolment_id, []).append((group.starts_at, what, f"{group.place or '另行通知'}　{group.name}", "抽签"))
    return found

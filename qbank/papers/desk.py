"""Specifications (组卷方案): made from a weight table, revised into new versions, copied."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from qbank.items.bank import require_reach
from qbank.items.states import ItemKind
from qbank.kernel.access import Role, Viewer
from qbank.kernel.accounts import Institution
from qbank.kernel.refused import Refused
from qbank.papers import holds, lists  # noqa: F401  # holds registers itself with the practice bank
from qbank.papers.assembling import again as again
from qbank.papers.assembling import assemble as assemble
from qbank.papers.assembling import choose as choose
from qbank.papers.assembling import keep as keep
from qbank.papers.contents import parts_of, weights_of
from qbank.papers.models import Paper, PaperFamily, Quota, Specification, SpecificationPart
from qbank.papers.pool import pool_of
from qbank.papers.rules import LISTS, refuse_mistakes, settings_of
from qbank.papers.sealing import discard as discard
from qbank.papers.sealing import seal as seal
from qbank.papers.sealing import verify as verify
from qbank.papers.specification import LeafRange, Part, Quotas, check_parts, derive_quotas
from qbank.standards.models import WeightTable
from qbank.standards.packs import pack_for

LONGEST_NAME = 100
LONGEST_TEXT = 2000
MINUTES = (30, 240)


@dataclass(frozen=True)
class Contents:
    """What a specification says beside its weight table. ``rules`` as :mod:`qbank.papers.rules` stores them."""

    name: str
    parts: tuple[Part, ...]
    minutes: int
    instructions: str = ""
    calculator: bool = False
    rules: Mapping[str, Any] = field(default_factory=dict)


def contents_of(session: Session, specification: Specification) -> Contents:
    return Contents(specification.name, parts_of(specification), specification.minutes, specification.instructions,
                    specification.calculator, lists.rules_of(session, specification))


def specify(session: Session, table: WeightTable, institution_id: int, name: str, parts: Sequence[Part], who: Viewer, *,
            minutes: int, now: datetime, instructions: str = "", calculator: bool = False,
            rules: Mapping[str, Any] | None = None) -> Specification:
    """A specification with its quotas, derived from the weights and, as far as they allow, from what the bank holds."""
    require_reach(session, table, institution_id, Role.PAPER_COMPOSER, who)
    wanted = _checked(session, table, institution_id, Contents(name, tuple(parts), minutes, instructions, calculator, rules or {}))
    made = Specification(institution_id=institution_id, table=table, created_by=who.account_id, created_at=now, number=1)
    return _added(session, made, wanted, who)


def revise(session: Session, specification: Specification, wanted: Contents, who: Viewer, *, reason: str = "",
           now: datetime) -> Specification:
    """The specification with ``wanted``: changed as it stands while nothing was made from it, else its next version."""
    require_reach(session, specification.table, specification.institution_id, Role.PAPER_COMPOSER, who)
    _newest_only(session, specification)
    wanted = _checked(session, specification.table, specification.institution_id, wanted)
    same_weights = weights_of(session, specification.table) == specification.weights
    if wanted == contents_of(session, specification) and same_weights:
        raise Refused("nothing_changed", "内容没有任何改动，不需要保存。")
    if not was_used(session, specification):
        if wanted.parts != parts_of(specification) or not same_weights:
            specification.parts.clear()
            specification.quotas.clear()
            session.flush()  # the old rows go before new ones take their places
            _write(session, specification, wanted, who)
        else:
            _write_plain(specification, wanted)
        lists.keep(session, specification, wanted.rules)
        return specification
    made = Specification(institution_id=specification.institution_id, table=specification.table, created_by=who.account_id,
                         created_at=now, root_id=specification.line, number=specification.number + 1, reason=reason.strip())
    return _added(session, made, wanted, who)


def copy(session: Session, specification: Specification, name: str, who: Viewer, *, now: datetime) -> Specification:
    """A specification of its own with the same contents; what is pinned goes along for whoever may see it."""
    contents = contents_of(session, specification)
    rules = contents.rules if lists.may_see(session, specification, who) else lists.without_lists(contents.rules)
    return specify(session, specification.table, specification.institution_id, name, contents.parts, who, now=now,
                   minutes=contents.minutes, instructions=contents.instructions, calculator=contents.calculator, rules=rules)


def was_used(session: Session, specification: Specification) -> bool:
    """Whether anything was composed from this version: then it never changes again."""
    return any(session.scalar(sa.select(model.id).where(model.specification_id == specification.id).limit(1)) is not None
               for model in (Paper, PaperFamily))


def versions_of(session: Session, specification: Specification) -> list[Specification]:
    """All versions of its line, the oldest first."""
    line = specification.line
    return list(session.scalars(sa.select(Specification).where(sa.or_(Specification.id == line, Specification.root_id == line))
                                .order_by(Specification.number)))


def _newest_only(session: Session, specification: Specification) -> None:
    newest = versions_of(session, specification)[-1]
    if newest is not specification:
        raise Refused("not_newest", f"这是第 {specification.number} 版，已有第 {newest.number} 版。请在最新版上修改。")


def _checked(session: Session, table: WeightTable, institution_id: int, wanted: Contents) -> Contents:
    name, instructions = " ".join(wanted.name.split()), wanted.instructions.strip()
    if not 0 < len(name) <= LONGEST_NAME:
        raise Refused("name", f"请填写方案名称，不超过 {LONGEST_NAME} 字。")
    if len(instructions) > LONGEST_TEXT:
        raise Refused("instructions", f"考生须知不超过 {LONGEST_TEXT} 字，现在是 {len(instructions)} 字。")
    if not MINUTES[0] <= wanted.minutes <= MINUTES[1]:
        raise Refused("minutes", f"考试时间应在 {MINUTES[0]} 到 {MINUTES[1]} 分钟之间，现在是 {wanted.minutes}。")
    if table.standard.occupation.is_access_type:
        raise Refused("access_type", f"{table.standard.occupation.name}属于准入类职业，不在职业技能等级认定范围内，不能组卷。")
    parts = tuple(part for part in wanted.parts if part.count)
    check_parts(parts)
    if any(part.kind not in set(ItemKind) for part in parts):
        raise Refused("bad_parts", "没有这种题型，请从列出的题型中选择。")
    refuse_mistakes(settings_of(wanted.rules, pack_for(session, session.get_one(Institution, institution_id))))
    rules = {code: value for code, value in wanted.rules.items() if value or code not in LISTS}  # an empty list is none
    return dataclasses.replace(wanted, name=name, instructions=instructions, parts=parts, rules=rules)


def _added(session: Session, made: Specification, wanted: Contents, who: Viewer) -> Specification:
    _write(session, made, wanted, who)
    session.add(made)
    session.flush()
    lists.keep(session, made, wanted.rules)
    return made


def _write_plain(made: Specification, wanted: Contents) -> None:
    made.name, made.minutes, made.instructions = wanted.name, wanted.minutes, wanted.instructions
    made.calculator, made.rules = wanted.calculator, lists.without_lists(wanted.rules)


def _write(session: Session, made: Specification, wanted: Contents, who: Viewer) -> None:
    """Everything of ``wanted`` with its quotas, from the weights as they are now."""
    _write_plain(made, wanted)
    quotas = derived(session, made.table, made.institution_id, wanted, who)
    made.weights, made.within_bank = dict(quotas.target), quotas.within_bank
    made.parts = [SpecificationPart(position=p, kind=ItemKind(part.kind), count=part.count, half_points=part.half_points)
                  for p, part in enumerate(wanted.parts)]
    ranges = {found.path: found for found in made.table.ranges}
    made.quotas = [Quota(range=ranges[path], position=p, count=count) for (path, p), count in quotas.counts.items() if count]


def derived(session: Session, table: WeightTable, institution_id: int, wanted: Contents, who: Viewer) -> Quotas:
    """How many items of each part come from each range, within what the bank holds where the weights allow it."""
    weights = weights_of(session, table)
    pool = pool_of(session, table.id, institution_id, who.account_id)
    barred = pool.of_items(row["item"] for row in wanted.rules.get("barred", ()))
    return derive_quotas([LeafRange(path, weight) for path, weight in weights.items()], wanted.parts,
                         pool.holdings(wanted.parts, barred))

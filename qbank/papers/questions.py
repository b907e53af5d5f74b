"""What the engine is asked for a specification, and what it answered; nothing is stored here."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from qbank.items.bank import require_reach
from qbank.kernel.access import Role, Viewer
from qbank.kernel.accounts import Institution
from qbank.kernel.refused import Refused
from qbank.papers import compiling
from qbank.papers.contents import quotas_of, weights_of
from qbank.papers.engine.items import ItemPool
from qbank.papers.engine.results import Assembly, Explanation
from qbank.papers.engine.rules import Rule
from qbank.papers.lists import lists_of, require_sight
from qbank.papers.models import Specification
from qbank.papers.pool import Pool, pool_of
from qbank.papers.rules import Setting, settings_of
from qbank.papers.specification import Quotas
from qbank.standards.packs import pack_for

MOST_IN_POOL = 200
LARGEST_SEED = 2**53 - 1


@dataclass(frozen=True, eq=False)
class Question:
    """The bank, the quotas and the rules of one specification; ``barred`` are all keys that nobody may choose."""

    pool: Pool
    items: ItemPool
    quotas: Quotas
    settings: Mapping[str, Setting]
    rules: tuple[Rule, ...]
    barred: frozenset[int]
    seed: int
    forms: int


@dataclass(frozen=True, eq=False)
class Choice:
    """The answer: forms by version id, or why there are none."""

    question: Question
    assembly: Assembly | None
    explanation: Explanation | None = None


def question(session: Session, specification: Specification, who: Viewer, *, now: datetime, seed: int = 0,
             forms: int = 1) -> Question:
    """What ``who`` asks. Refuses what may not or cannot be asked."""
    require_reach(session, specification.table, specification.institution_id, Role.PAPER_COMPOSER, who)
    if not 1 <= forms <= MOST_IN_POOL:
        raise Refused("forms", f"一次可组 1 到 {MOST_IN_POOL} 套试卷，现在是 {forms}。")
    if not 0 <= seed <= LARGEST_SEED:
        raise Refused("seed", f"随机种子应是 0 到 {LARGEST_SEED} 之间的整数。")
    if weights_of(session, specification.table) != specification.weights:
        raise Refused("weights_changed", "权重表在制定本方案后修改过，配额已不符合。请修改本方案并保存，题量会按现在的权重表重新分配。")
    pinned = lists_of(session, specification).get("pinned", [])
    if pinned:
        require_sight(session, specification, who)  # whoever composes with them sees them on the draft
    found = asked(session, specification, who.account_id, now=now, seed=seed, forms=forms)
    held, usable = found.pool.version_of, {item for item, key in found.pool.version_of.items() if key not in found.barred}
    lost = [row for row in pinned if row["item"] not in held or row["item"] not in usable]
    if lost:
        lines = [f"题 {row['item']}（{row['why']}）" for row in lost]
        raise Refused("pinned_unusable", f"有 {len(lost)} 道必选题现在不能使用（已停用、转入练习、被禁用，或由您命制）。请先从必选题中去掉。", lines)
    return found


def asked(session: Session, specification: Specification, composer_id: int, *, now: datetime, seed: int = 0,
          forms: int = 1, family: int | None = None, holding: Collection[int] = ()) -> Question:
    """The same without the checks: also for a paper made earlier, with uses as they were at ``now`` and without those of
    its own ``family``; ``holding`` are versions that are on it, whatever became of them."""
    pool = pool_of(session, specification.table_id, specification.institution_id, composer_id, now=now, but_family=family,
                   holding=holding)
    return of_values(pool, quotas_of(session, specification), settings_in(session, specification),
                     lists_of(session, specification), seed=seed, forms=forms)


def settings_in(session: Session, specification: Specification) -> dict[str, Setting]:
    """The rules of the specification, the rule pack's where it says nothing."""
    return settings_of(specification.rules, pack_for(session, session.get_one(Institution, specification.institution_id)))


def of_values(pool: Pool, quotas: Quotas, settings: Mapping[str, Setting], lists: Mapping[str, Any], *, seed: int = 0,
              forms: int = 1) -> Question:
    """From values: also for rules that are not saved yet. ``lists`` holds what is pinned and barred by hand."""
    earlier = settings["earlier"]
    items = pool.measured(compiling.abilities(settings, pool.cut.theta), tried=compiling.tried(settings, forms),
                          papers=int(earlier.numbers["papers"]) if earlier.on else 0)
    pinned = pool.of_items(row["item"] for row in lists.get("pinned", ()))
    barred = pool.of_items(row["item"] for row in lists.get("barred", ())) | pool.barred | pool.misfits(quotas.parts)
    rules = compiling.compiled(settings, items, quotas, forms=forms, pinned=pinned, barred=barred)
    return Question(pool, items, quotas, settings, tuple(rules), barred, seed, forms)

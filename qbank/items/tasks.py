"""Who is asked to review what by when: submitted items are dealt out to reviewers, evenly, in bulk."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Sequence
from datetime import date, datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session, aliased, selectinload

from qbank.items.bank import label, require_reach
from qbank.items.models import Item, ItemVersion, Review, ReviewTask
from qbank.items.review import approvals_needed
from qbank.items.states import ItemState
from qbank.kernel.access import Role, Viewer, visible
from qbank.kernel.accounts import Account, Grant
from qbank.kernel.refused import Refused
from qbank.kernel.times import local_date, spoken

LONGEST = timedelta(days=366)
NAMED = 20  # lines of a refusal
MOST = 500  # versions dealt out at once


def assign(session: Session, versions: Sequence[ItemVersion], reviewer_ids: Collection[int], who: Viewer, *, due: date,
           now: datetime, each: int | None = None) -> int:
    """Ask these reviewers; the number of tasks made, all of them or none.

    ``each`` version goes to so many of them; without it, to as many as still lack until it may be approved. Nobody is
    asked about what they wrote or judged; the work is spread evenly. Any reviewer of the bank may deal it out: authors
    do not choose their judges.
    """
    if not due >= local_date(now) or due > local_date(now) + LONGEST:
        raise Refused("bad_due", f"完成期限应在今天（{spoken(local_date(now))}）到一年之内。")
    if not versions:
        raise Refused("nothing_ticked", "没有可以分配的题：请勾选待审的题，或填写要分配的题数。")
    if len(versions) > MOST:
        raise Refused("too_many", f"一次最多分配 {MOST} 道题，现在是 {len(versions)} 道，请分几次办理。")
    people = {account.id: account for account in session.scalars(sa.select(Account).where(Account.id.in_(reviewer_ids)))}
    if not people or len(people) != len(set(reviewer_ids)):
        raise Refused("no_reviewers", "请勾选一位以上的审题员。")
    barred, asked = _barred(session, versions), _asked(session, versions)
    load: Counter[int] = Counter()
    made: list[ReviewTask] = []
    short = []
    for version in versions:
        _require_waiting(session, version, who)
        lacking = approvals_needed(session, version.item.institution_id) - version.approvals - len(asked[version.id])
        wanted = lacking if each is None else each
        free = [key for key in sorted(people) if key not in barred[version.item_id] | asked[version.id]
                and key not in _judges(version) and _reaches(session, version.item, people[key])]
        chosen = sorted(free, key=lambda key: (load[key], key))[:max(wanted, 0)]
        if len(chosen) < wanted:
            short.append(f"{label(version)}还需 {wanted} 人，勾选的审题员里只有 {len(free)} 人可审（编写过、审过、已分配或不属于本题库的不计）")
        load.update(chosen)
        made += [ReviewTask(version_id=version.id, reviewer_id=key, due=due, asked_by_id=who.account_id, asked_at=now)
                 for key in chosen]
    if short:
        raise Refused("too_few_reviewers", f"有 {len(short)} 道题凑不够审题员，没有分配。请多勾选几位审题员，或减少每题人数。", short[:NAMED])
    if not made:
        raise Refused("all_asked", "所选的题都已分配给足够的审题员，不需要再分配。")
    session.add_all(made)
    session.flush()
    return len(made)


def drop(session: Session, task: ReviewTask, who: Viewer) -> None:
    """Take a task back, so that somebody else can be asked. What was judged stays."""
    item = task.version.item
    require_reach(session, item.table, item.institution_id, Role.ITEM_REVIEWER, who)
    if task.reviewer_id in _judges(task.version):
        raise Refused("task_done", f"{task.reviewer.name}已审完{label(task.version)}，任务不能再取消。")
    session.delete(task)
    session.flush()


def reviewers_of(session: Session, item: Item) -> list[Account]:
    """The people who review the bank of ``item``, by name."""
    holders = sa.select(Grant.account_id).where(Grant.role == Role.ITEM_REVIEWER)
    query = sa.select(Account).where(Account.active, Account.id.in_(holders)).options(selectinload(Account.grants))
    return [account for account in session.scalars(query.order_by(Account.name, Account.id))
            if _reaches(session, item, account)]


def open_tasks(session: Session, reviewer_ids: Collection[int]) -> dict[int, int]:
    """Reviewer -> tasks that wait for them."""
    query = (_still_open(sa.select(ReviewTask.reviewer_id, sa.func.count())).where(ReviewTask.reviewer_id.in_(reviewer_ids))
             .group_by(ReviewTask.reviewer_id))
    return {row[0]: row[1] for row in session.execute(query)}


def waiting(who: Viewer, *, only_unasked: bool = False) -> sa.Select[ItemVersion]:
    """What waits for review in the banks that this person reviews, oldest first; also what they wrote themselves."""
    query = (visible(ItemVersion, who).join(ItemVersion.item)
             .where(ItemVersion.state == ItemState.SUBMITTED, Item.within_reach(who, Role.ITEM_REVIEWER))
             .order_by(ItemVersion.submitted_at, ItemVersion.id))
    if only_unasked:
        query = query.where(~sa.exists().where(ReviewTask.version_id == ItemVersion.id))
    return query


def tasks_of(session: Session, version_ids: Collection[int]) -> dict[int, list[ReviewTask]]:
    """Version -> its tasks, what is due first on top."""
    found = defaultdict(list)
    query = sa.select(ReviewTask).where(ReviewTask.version_id.in_(version_ids)).options(selectinload(ReviewTask.reviewer))
    for task in session.scalars(query.order_by(ReviewTask.due, ReviewTask.id)):
        found[task.version_id].append(task)
    return found


def _still_open(query: Any) -> Any:
    judged = sa.exists().where(Review.version_id == ReviewTask.version_id, Review.reviewer_id == ReviewTask.reviewer_id)
    return query.join(ReviewTask.version).where(ItemVersion.state == ItemState.SUBMITTED, ~judged)


def _require_waiting(session: Session, version: ItemVersion, who: Viewer) -> None:
    require_reach(session, version.item.table, version.item.institution_id, Role.ITEM_REVIEWER, who)
    if version.state is not ItemState.SUBMITTED:
        raise Refused("not_submitted", f"{label(version)} 现在是“{version.state.chinese}”，不在待审状态。请刷新页面后重新勾选。")


def _barred(session: Session, versions: Sequence[ItemVersion]) -> dict[int, set[int]]:
    """Item -> who wrote any version of it."""
    other, found = aliased(ItemVersion), defaultdict(set)
    query = sa.select(other.item_id, other.author_id).where(other.item_id.in_({version.item_id for version in versions}))
    for item_id, author_id in session.execute(query):
        found[item_id].add(author_id)
    return found


def _asked(session: Session, versions: Sequence[ItemVersion]) -> dict[int, set[int]]:
    """Version -> who was asked and has not judged yet."""
    found = defaultdict(set)
    query = _still_open(sa.select(ReviewTask.version_id, ReviewTask.reviewer_id))
    for version_id, reviewer_id in session.execute(query.where(ReviewTask.version_id.in_([v.id for v in versions]))):
        found[version_id].add(reviewer_id)
    return found


def _judges(version: ItemVersion) -> set[int]:
    return {review.reviewer_id for review in version.reviews}


def _reaches(session: Session, item: Item, account: Account) -> bool:
    """Whether ``account`` reviews the bank of ``item``; asked once for each bank and person."""
    code = item.table.standard.occupation.code
    known = session.info.setdefault("reviewers", {})
    place = (item.institution_id, code, account.id, len(account.grants))
    if place not in known:
        reach = account.viewer().reach(sa.literal(item.institution_id), Role.ITEM_REVIEWER, occupation=sa.literal(code))
        known[place] = bool(account.active and session.scalar(sa.select(reach)))
    return bool(known[place])

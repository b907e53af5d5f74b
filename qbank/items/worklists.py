"""What each person of the bank has to do: reviewers what is due first, authors what came back and wants a reply."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import sqlalchemy as sa
from sqlalchemy.orm import Session, aliased, joinedload

from qbank.items.models import Item, ItemVersion, Review, ReviewTask, SecondKey
from qbank.items.review import UNDECIDED, work_list
from qbank.items.states import ItemState, Verdict
from qbank.kernel.access import Viewer, visible


@dataclass(frozen=True)
class Waiting:
    """An item that waits for a reviewer. ``due`` None: submitted before reviews had a date."""

    version: ItemVersion
    task: ReviewTask | None
    answered: bool  # the blind answer is given, the verdict is not
    today: date

    @property
    def due(self) -> date | None:
        return self.task.due if self.task else self.version.review_due

    @property
    def overdue(self) -> bool:
        return self.due is not None and self.due < self.today


@dataclass(frozen=True)
class Load:
    """How much waits, how much of it is late, and the first day that counts."""

    count: int
    overdue: int
    first_due: date | None


def waiting_rows(session: Session, versions: Sequence[ItemVersion], who: Viewer, today: date) -> list[Waiting]:
    """These versions as lines of the reviewer's list."""
    keys = [version.id for version in versions]
    tasks = {task.version_id: task for task in session.scalars(
        sa.select(ReviewTask).where(ReviewTask.version_id.in_(keys), ReviewTask.reviewer_id == who.account_id)
        .options(joinedload(ReviewTask.asked_by)))}
    answered = set(session.scalars(sa.select(SecondKey.version_id).where(
        SecondKey.version_id.in_(keys), SecondKey.reviewer_id == who.account_id)))
    return [Waiting(version, tasks.get(version.id), version.id in answered, today) for version in versions]


def load_of(session: Session, who: Viewer, today: date) -> Load:
    """The sums over the reviewer's whole list."""
    mine = aliased(ReviewTask)
    due = sa.func.coalesce(
        sa.select(mine.due).where(mine.version_id == ItemVersion.id, mine.reviewer_id == who.account_id)
        .correlate(ItemVersion).scalar_subquery(), ItemVersion.review_due)
    rows = work_list(session, who, today).order_by(None).with_only_columns(due.label("due")).subquery()
    count, late, first = session.execute(sa.select(
        sa.func.count(), sa.func.count(sa.case((rows.c.due < today, 1))), sa.func.min(rows.c.due))).one()
    return Load(count, late, first)


def undoable(who: Viewer) -> sa.Select[Review]:
    """This person's verdicts of which nothing has come yet, the last one first."""
    return (visible(Review, who).join(Review.version).options(joinedload(Review.version))
            .where(Review.reviewer_id == who.account_id, ItemVersion.state == ItemState.SUBMITTED)
            .order_by(Review.id.desc()))


def returned(who: Viewer) -> sa.Select[ItemVersion]:
    """Versions that came back to this author and were not written anew yet."""
    return (visible(ItemVersion, who).where(ItemVersion.state == ItemState.RETURNED,
                                            ItemVersion.author_id == who.account_id)
            .order_by(ItemVersion.submitted_at, ItemVersion.id))


def replies_wanted(who: Viewer) -> sa.Select[Review]:
    """Comments that sent an item of this author back and have no reply, while the item is not decided anew."""
    newest = aliased(ItemVersion)
    pending = sa.select(newest.item_id).where(newest.state.in_(UNDECIDED))
    return (visible(Review, who).join(Review.version).join(ItemVersion.item)
            .where(ItemVersion.author_id == who.account_id, Review.verdict != Verdict.ACCEPT, Review.reply == "",
                   Item.id.in_(pending)).order_by(Review.id))


def disputed(who: Viewer) -> sa.Select[ItemVersion]:
    """Submitted versions of this author to which a reviewer's blind answer does not agree."""
    disagreed = sa.select(SecondKey.version_id).where(SecondKey.agrees.is_(False))
    return (visible(ItemVersion, who).where(ItemVersion.state == ItemState.SUBMITTED, ItemVersion.id.in_(disagreed),
                                            ItemVersion.author_id == who.account_id)
            .order_by(ItemVersion.submitted_at, ItemVersion.id))


def submitted(who: Viewer) -> sa.Select[ItemVersion]:
    """Versions of this author that wait for reviewers."""
    return visible(ItemVersion, who).where(ItemVersion.state == ItemState.SUBMITTED, ItemVersion.author_id == who.account_id)


def late(who: Viewer, today: date) -> sa.Select[ItemVersion]:
    """Submitted versions of this author that were to be reviewed before today."""
    return (visible(ItemVersion, who).where(ItemVersion.state == ItemState.SUBMITTED, ItemVersion.review_due < today,
                                            ItemVersion.author_id == who.account_id)
            .order_by(ItemVersion.review_due, ItemVersion.id))


def second_keys(session: Session, version: ItemVersion) -> list[SecondKey]:
    """All blind answers to a version; ask ``review.hides_key`` before showing them."""
    return list(session.scalars(sa.select(SecondKey).where(SecondKey.version_id == version.id)
                                .options(joinedload(SecondKey.reviewer)).order_by(SecondKey.id)))


def count(session: Session, query: sa.Select[ItemVersion] | sa.Select[Review]) -> int:
    return session.scalar(sa.select(sa.func.count()).select_from(query.order_by(None).subquery())) or 0

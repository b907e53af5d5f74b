"""Review: a blind answer first, then a verdict. Enough acceptances by people who wrote nothing of it approve an item."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date, datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session, aliased

from qbank.items import blind
from qbank.items.answers import blanks_in, blanks_of
from qbank.items.bank import AT_ONCE, label, move, require_reach, wrote
from qbank.items.models import Item, ItemVersion, Review, ReviewTask, SecondKey
from qbank.items.states import STANDING, ItemKind, ItemState, Verdict
from qbank.kernel.access import Role, Viewer, visible
from qbank.kernel.accounts import Institution
from qbank.kernel.refused import Refused
from qbank.standards.packs import pack_for

S = ItemState
UNDECIDED = (S.DRAFT, S.SUBMITTED, S.RETURNED)  # whoever may come to review these must not know the key
LONGEST_COMMENT = 2000


def answer(session: Session, version: ItemVersion, who: Viewer, given: Sequence[str], *, now: datetime) -> SecondKey:
    """The reviewer's own answer, before the key is shown: letters of choices, T or F, one text a blank, or one text.

    It is given once: who has seen the key cannot answer blindly any more.
    """
    _require_reviewer(session, version, who)
    if second_key(session, version, who):
        raise Refused("answered_before", f"您已对{label(version)}作答并看到答案，盲答不能更改。")
    kind, letters = version.kind.value, "".join(option.letter for option in version.options)
    try:
        read = blind.read(kind, letters, blanks_to_fill(version), given)
    except ValueError as error:
        raise Refused("no_answer", str(error)) from None
    made = SecondKey(version_id=version.id, reviewer_id=who.account_id, answer=read,
                     agrees=blind.agrees(kind, version.key, read), at=now)
    session.add(made)
    return made


def judge(session: Session, version: ItemVersion, who: Viewer, verdict: Verdict, comment: str, *, now: datetime,
          estimate: int | None = None) -> Review:
    """One reviewer's verdict, after the blind answer. The number of acceptances that the rule pack asks for approves.

    ``estimate``: of 100 just-qualified candidates, how many would answer right; an acceptance needs one.
    """
    _require_reviewer(session, version, who)
    own = second_key(session, version, who)
    if own is None:
        raise Refused("no_second_key", f"请先对{label(version)}盲答，看到答案后再给出结论。")
    accepts, comment = verdict is Verdict.ACCEPT, comment.strip()
    if not accepts and not comment:
        raise Refused("no_comment", "要求修改时请写明问题和修改意见，命题员要据此修改。")
    if len(comment) > LONGEST_COMMENT:
        raise Refused("long_comment", f"审核意见有 {len(comment)} 字，超过 {LONGEST_COMMENT} 字，请精简。")
    if estimate is not None and not 0 <= estimate <= 100:
        raise Refused("bad_estimate", "预计答对人数应是 0 到 100 之间的整数。")
    if accepts and estimate is None:
        raise Refused("no_estimate", "通过前请填写：100 名刚好合格的考生里，预计有多少人答对这道题。")
    if accepts and own.agrees is False and not comment:
        raise Refused("disagreement", "您的盲答与答案不一致。如仍认为可以通过，请在意见里写明理由。")
    made = Review(reviewer_id=who.account_id, verdict=verdict, comment=comment, estimate=estimate, at=now)
    version.reviews.append(made)
    if not accepts:
        move(version, S.RETURNED)
    else:
        version.approvals += 1
        if version.approvals >= approvals_needed(session, version.item.institution_id):
            _put_in_force(session, version)
    return made


def undo(session: Session, version: ItemVersion, who: Viewer, *, now: datetime) -> None:
    """Take one's own verdict back while nothing has come of it yet. The blind answer stays as it was given."""
    require_reach(session, version.item.table, version.item.institution_id, Role.ITEM_REVIEWER, who)
    own = next((review for review in version.reviews if review.reviewer_id == who.account_id), None)
    if own is None:
        raise Refused("no_verdict", f"您没有对{label(version)}给出过结论，没有可以撤回的意见。")
    if version.state is not S.SUBMITTED:
        raise Refused("decided", f"{label(version)} 已是“{version.state.chinese}”，审核已有结果，意见不能再撤回。")
    version.reviews.remove(own)
    version.approvals -= own.approves
    session.flush()


def reply(session: Session, review: Review, who: Viewer, text: str, *, now: datetime) -> None:
    """The author's answer to a reviewer's comment; the reviewers of the next version read it."""
    item = review.version.item
    require_reach(session, item.table, item.institution_id, Role.ITEM_AUTHOR, who)
    if not wrote(item, who):
        raise Refused("not_author", f"只有题 {item.id} 的命题员能回复审题意见。")
    if not review.comment:
        raise Refused("nothing_to_answer", "这位审题员没有写意见，不需要回复。")
    text = text.strip()
    if not 0 < len(text) <= LONGEST_COMMENT:
        raise Refused("no_reply", f"请填写回复，不超过 {LONGEST_COMMENT} 字。")
    review.reply, review.replied_at = text, now


def may_review(who: Viewer) -> sa.Select[ItemVersion]:
    """The versions to which this person may still give a verdict: nothing they wrote any version of, nothing they judged."""
    judged = sa.select(Review.version_id).where(Review.reviewer_id == who.account_id)
    return (visible(ItemVersion, who).join(ItemVersion.item)
            .where(ItemVersion.state == S.SUBMITTED, Item.within_reach(who, Role.ITEM_REVIEWER),
                   ItemVersion.item_id.not_in(_written_by(who)), ItemVersion.id.not_in(judged)))


def work_list(session: Session, who: Viewer, today: date) -> sa.Select[ItemVersion]:
    """What waits for this reviewer, what is due first on top: what they were asked for, and what nobody was asked for.

    Where enough others were asked, theirs is the work, until a day of theirs has passed.
    """
    mine, other = aliased(ReviewTask), aliased(ReviewTask)
    done = sa.exists().where(Review.version_id == other.version_id, Review.reviewer_id == other.reviewer_id)
    asked = (sa.select(sa.func.count()).select_from(other).where(
        other.version_id == ItemVersion.id, other.reviewer_id != who.account_id, other.due >= today, ~done)
        .correlate(ItemVersion).scalar_subquery())
    lacking = _approvals_column(session, who) - ItemVersion.approvals
    due = sa.func.coalesce(mine.due, ItemVersion.review_due)
    return (may_review(who)
            .outerjoin(mine, sa.and_(mine.version_id == ItemVersion.id, mine.reviewer_id == who.account_id))
            .where(sa.or_(mine.id.is_not(None), asked < lacking))
            .order_by(due.is_(None), due, ItemVersion.submitted_at, ItemVersion.id))


def may_judge(session: Session, version: ItemVersion, who: Viewer) -> bool:
    """Whether ``who`` could give a verdict on this version now."""
    return session.scalar(may_review(who).where(ItemVersion.id == version.id)) is not None


def second_key(session: Session, version: ItemVersion, who: Viewer) -> SecondKey | None:
    """The blind answer of ``who``; None before it is given."""
    return session.scalar(sa.select(SecondKey).where(SecondKey.version_id == version.id,
                                                     SecondKey.reviewer_id == who.account_id))


def approvals_needed(session: Session, institution_id: int) -> int:
    """How many independent approvals put an item into the bank here."""
    return pack_for(session, session.get_one(Institution, institution_id)).approvals_per_item


def hidden_keys(session: Session, version_ids: Collection[int], who: Viewer) -> frozenset[int]:
    """Those of the versions whose key, explanation, source and comments ``who`` must not see yet.

    While an item's newest version is undecided, the reviewers of its bank who wrote none of it see no key of any of its
    versions but of those that they answered themselves. Every page, list and file asks here.
    """
    if not who.has(Role.ITEM_REVIEWER):
        return frozenset()
    open_version = aliased(ItemVersion)
    mine = sa.select(SecondKey.version_id).where(SecondKey.reviewer_id == who.account_id)
    coming = sa.select(open_version.item_id).where(open_version.state.in_(UNDECIDED), open_version.id.not_in(mine))
    rule = (sa.select(ItemVersion.id).join(ItemVersion.item)
            .where(Item.within_reach(who, Role.ITEM_REVIEWER), ItemVersion.id.not_in(mine),
                   ItemVersion.item_id.not_in(_written_by(who))))
    found: set[int] = set()
    wanted = list(version_ids)
    for start in range(0, len(wanted), AT_ONCE):
        chunk = wanted[start:start + AT_ONCE]
        items = sa.select(ItemVersion.item_id).where(ItemVersion.id.in_(chunk))
        found.update(session.scalars(rule.where(
            ItemVersion.id.in_(chunk), ItemVersion.item_id.in_(coming.where(open_version.item_id.in_(items))))))
    return frozenset(found)


def hides_key(session: Session, version: ItemVersion, who: Viewer) -> bool:
    """Whether the key of this version is hidden from ``who``."""
    return version.id in hidden_keys(session, [version.id], who)


def require_key(session: Session, version: ItemVersion, who: Viewer) -> None:
    """Refuse what would show the key of this version to somebody who is still to answer it blindly."""
    if hides_key(session, version, who):
        raise Refused("blind", f"题 {version.item_id} 有一版还没有审定，您是可以审核它的审题员，请先盲答，再看答案。")


def blanks_to_fill(version: ItemVersion) -> int:
    """How many blanks a fill-in item asks for; 0 for other kinds."""
    if version.kind is not ItemKind.FILL:
        return 0
    return blanks_in(version.stem) or len(blanks_of(version.key))


def _written_by(who: Viewer) -> sa.Select[int]:
    other = aliased(ItemVersion)
    return sa.select(other.item_id).where(other.author_id == who.account_id)


def _approvals_column(session: Session, who: Viewer) -> sa.ColumnElement[int]:
    """The approvals that each institution that ``who`` may review for asks, as an expression over items that wait."""
    waiting = (sa.select(Item.institution_id).distinct().join(ItemVersion, ItemVersion.item_id == Item.id)
               .where(ItemVersion.state == S.SUBMITTED, Item.within_reach(who, Role.ITEM_REVIEWER)))
    needed = {institution_id: approvals_needed(session, institution_id) for institution_id in session.scalars(waiting)}
    return sa.case(needed, value=Item.institution_id, else_=1) if needed else sa.literal(1)


def _require_reviewer(session: Session, version: ItemVersion, who: Viewer) -> None:
    item = version.item
    require_reach(session, item.table, item.institution_id, Role.ITEM_REVIEWER, who)
    if version.state is not S.SUBMITTED:
        raise Refused("not_submitted", f"{label(version)} 现在是“{version.state.chinese}”，不在待审状态，您的意见没有写入。")
    if wrote(item, who):
        raise Refused("own_item", f"您编写或修改过题 {item.id}，不能审核它，请由其他审题员审核。")
    if any(earlier.reviewer_id == who.account_id for earlier in version.reviews):
        raise Refused("reviewed_before", f"您已审核过{label(version)}，同一版本须由不同的人审核。")


def _put_in_force(session: Session, version: ItemVersion) -> None:
    for other in version.item.versions:
        if other is not version and other.state in {*STANDING, S.SUSPENDED}:
            move(other, S.SUPERSEDED)
            session.flush()  # before the new one: only one version of an item may stand
    move(version, S.APPROVED)

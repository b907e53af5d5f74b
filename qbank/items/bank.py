"""The life of an item: written, edited, submitted, reviewed by two others, approved, retired."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session, selectinload

from qbank.items.draft import LETTERS, Draft, answer_texts, content_hash, normalise, problems, stays_last
from qbank.items.models import (
    STANDING,
    ImportBatch,
    Item,
    ItemKind,
    ItemState,
    ItemVersion,
    Option,
    Review,
    Verdict,
    occupation_code_of,
)
from qbank.items.points import points_of
from qbank.items.stimuli import keep
from qbank.kernel.access import Role, Viewer, visible
from qbank.kernel.accounts import Institution
from qbank.kernel.refused import Refused
from qbank.standards.models import Point, Subject, WeightTable
from qbank.standards.packs import pack_for

AT_ONCE = 2000  # parameters of one IN (...)
S = ItemState
MOVES: Mapping[ItemState, frozenset[ItemState]] = {
    S.DRAFT: frozenset({S.SUBMITTED, S.SUPERSEDED, S.RETIRED}),
    S.SUBMITTED: frozenset({S.APPROVED, S.RETURNED, S.SUPERSEDED}),
    S.RETURNED: frozenset({S.SUPERSEDED, S.RETIRED}),
    S.APPROVED: frozenset({S.IN_USE, S.SUSPENDED, S.SUPERSEDED, S.RETIRED}),
    S.IN_USE: frozenset({S.SUSPENDED, S.SUPERSEDED, S.RETIRED}),
    S.SUSPENDED: frozenset({S.APPROVED, S.IN_USE, S.SUPERSEDED, S.RETIRED}),
    S.RETIRED: frozenset(),
    S.SUPERSEDED: frozenset(),
}


def add_item(session: Session, table: WeightTable, institution_id: int, draft: Draft, who: Viewer, *, now: datetime,
             reason: str = "", batch: ImportBatch | None = None) -> ItemVersion:
    """A new item as a draft. Refuses what is wrong with it, a point that is not in ``table``, and a double."""
    require_reach(session, table, institution_id, Role.ITEM_AUTHOR, who)
    draft, point_id = _checked(session, table, institution_id, draft)
    return store(session, table, institution_id, [(draft, point_id)], who, now=now, reason=reason, batch=batch)[0]


def store(session: Session, table: WeightTable, institution_id: int, drafts: Sequence[tuple[Draft, int]], who: Viewer,
          *, now: datetime, reason: str = "", batch: ImportBatch | None = None) -> list[ItemVersion]:
    """Put many checked drafts, each with the id of its point, into the bank in a few statements.

    The caller has checked them: normalised, without problems, no doubles, ``who`` may write here.
    """
    made = []
    materials = keep(session, table, institution_id, [draft.stimulus for draft, _ in drafts], who, now=now)
    for draft, point_id in drafts:
        version = _version(draft, point_id, 1, who, now, reason)
        version.stimulus = materials.get(draft.stimulus)
        version.batch_id = batch.id if batch else None
        made.append(version)
        session.add(Item(institution_id=institution_id, table_id=table.id, versions=[version]))
    session.flush()
    _write_options(session, list(zip(made, (draft for draft, _ in drafts), strict=True)))
    return made


def edit(session: Session, version: ItemVersion, draft: Draft, who: Viewer, *, now: datetime,
         reason: str) -> ItemVersion:
    """A new version of the item; an approved one keeps standing until the new one is approved."""
    item = version.item
    require_reach(session, item.table, item.institution_id, Role.ITEM_AUTHOR, who)
    session.refresh(item, with_for_update=True)  # two authors at once on PostgreSQL: the second sees the first's version
    _newest_only(version)
    if not reason.strip():
        raise Refused("no_reason", "请写明修改原因，审题员要据此复核。")
    draft, point_id = _checked(session, item.table, item.institution_id, draft, own=item)
    if draft == draft_of(version) and version.state is not S.RETURNED:
        raise Refused("nothing_changed", "内容没有任何改动，不需要保存新版本。")
    if version.state in {S.DRAFT, S.SUBMITTED, S.RETURNED}:
        move(version, S.SUPERSEDED)
    made = _version(draft, point_id, version.number + 1, who, now, reason.strip())
    made.stimulus = keep(session, item.table, item.institution_id, [draft.stimulus], who, now=now,
                         instead_of=version.stimulus).get(draft.stimulus)
    item.versions.append(made)
    session.flush()
    _write_options(session, [(made, draft)])
    return made


def submit(session: Session, version: ItemVersion, who: Viewer, *, now: datetime) -> None:
    """Send a draft to review."""
    submit_many(session, [version], who, now=now)


def review(session: Session, version: ItemVersion, who: Viewer, verdict: Verdict, comment: str, *, now: datetime,
           estimate: int | None = None) -> None:
    """One reviewer's verdict. The number of approvals that the rule pack asks for puts the version into the bank."""
    item = version.item
    require_reach(session, item.table, item.institution_id, Role.ITEM_REVIEWER, who)
    if version.state is not S.SUBMITTED:
        raise Refused("not_submitted", f"{label(version)} 现在是“{version.state.chinese}”，不在待审状态，您的意见没有写入。")
    if any(other.author_id == who.account_id for other in item.versions):
        raise Refused("own_item", f"您编写或修改过题 {item.id}，不能审核它，请由其他审题员审核。")
    if any(earlier.reviewer_id == who.account_id for earlier in version.reviews):
        raise Refused("reviewed_before", f"您已审核过{label(version)}，同一版本须由不同的人审核。")
    approves = verdict is Verdict.ACCEPT
    if not approves and not comment.strip():
        raise Refused("no_comment", "退回时请写明问题和修改意见，命题员要据此修改。")
    version.reviews.append(Review(reviewer_id=who.account_id, verdict=verdict, comment=comment.strip()[:2000],
                                  estimate=estimate, at=now))
    if not approves:
        move(version, S.RETURNED)
        return
    version.approvals += 1
    if version.approvals >= approvals_needed(session, item.institution_id):
        _put_in_force(session, version)


def retire(session: Session, version: ItemVersion, who: Viewer, reason: str, *, now: datetime) -> None:
    """Take a version out of use; papers that hold it keep it."""
    require_reach(session, version.item.table, version.item.institution_id, Role.ITEM_AUTHOR, who)
    if not reason.strip():
        raise Refused("no_reason", "请写明停用原因。")
    move(version, S.RETIRED)
    version.state_reason = reason.strip()[:2000]


def waiting_for(who: Viewer) -> sa.Select[ItemVersion]:
    """What this person may review now, oldest first: nothing they wrote any version of, nothing they reviewed."""
    wrote = sa.select(ItemVersion.item_id).where(ItemVersion.author_id == who.account_id)
    reviewed = sa.select(Review.version_id).where(Review.reviewer_id == who.account_id)
    return (visible(ItemVersion, who).join(ItemVersion.item)
            .where(ItemVersion.state == S.SUBMITTED, Item.within_reach(who, Role.ITEM_REVIEWER),
                   ItemVersion.item_id.not_in(wrote), ItemVersion.id.not_in(reviewed))
            .order_by(ItemVersion.submitted_at, ItemVersion.id))


def approvals_needed(session: Session, institution_id: int) -> int:
    """How many independent approvals put an item into the bank here."""
    return pack_for(session, session.get_one(Institution, institution_id)).approvals_per_item


def banks_for(session: Session, who: Viewer, *roles: Role) -> list[tuple[Institution, WeightTable]]:
    """The banks (an institution and a theory table) that ``who`` reaches in one of ``roles``."""
    found = []
    for institution_id in sorted({scope.institution_id for scope in who.scopes if scope.role in roles and scope.institution_id}):
        institution = session.get_one(Institution, institution_id)
        reached = who.reach(sa.literal(institution_id), *roles, occupation=occupation_code_of(WeightTable.id))
        tables = session.scalars(visible(WeightTable, who).where(WeightTable.subject == Subject.THEORY, reached))
        found += [(institution, table) for table in sorted(tables, key=lambda table: table.label)]
    return found


def submit_many(session: Session, versions: Sequence[ItemVersion], who: Viewer, *, now: datetime) -> int:
    """Send these drafts to review; all of them or none."""
    banks = {(version.item.table_id, version.item.institution_id): version.item for version in versions}
    for item in banks.values():
        require_reach(session, item.table, item.institution_id, Role.ITEM_AUTHOR, who)
    for version in versions:
        _send(version, now)
    return len(versions)


def may_review(session: Session, version: ItemVersion, who: Viewer) -> bool:
    """Whether ``who`` could give a verdict on this version now."""
    return session.scalar(waiting_for(who).where(ItemVersion.id == version.id)) is not None


def require_reach(session: Session, table: WeightTable, institution_id: int, role: Role, who: Viewer) -> None:
    """Refuse unless ``who`` holds ``role`` for this institution and the table's occupation."""
    if table.subject is not Subject.THEORY:
        raise Refused("not_theory", "题库只对应理论知识权重表，请选择理论知识的细目表。")
    code = table.standard.occupation.code
    if not session.scalar(sa.select(who.reach(sa.literal(institution_id), role, occupation=sa.literal(code)))):
        raise Refused("not_your_bank", f"您不是这个题库的{role.chinese}，不能进行这项操作。如需办理，请联系系统管理员。")


def doubles(session: Session, table_id: int, institution_id: int, hashes: Collection[str]) -> dict[str, ItemVersion]:
    """Content hash → the newest version of this bank that says the same, whatever its state: retired and older ones
    count, so that importing an old file again adds nothing."""
    wanted = list(hashes)
    query = (sa.select(ItemVersion).join(ItemVersion.item).options(selectinload(ItemVersion.options))
             .where(Item.table_id == table_id, Item.institution_id == institution_id).order_by(ItemVersion.id))
    found: dict[str, ItemVersion] = {}
    for start in range(0, len(wanted), AT_ONCE):
        chunk = wanted[start:start + AT_ONCE]
        found |= {version.content_hash: version
                  for version in session.scalars(query.where(ItemVersion.content_hash.in_(chunk)))}
    return found


def contradicts(version: ItemVersion, draft: Draft) -> bool:
    """Whether the same question has another answer in the bank: one of the two keys is wrong."""
    options = {option.letter: option.text for option in version.options}
    return (answer_texts(version.kind.value, options, version.key)
            != answer_texts(draft.kind, dict(zip(LETTERS, draft.options, strict=False)), draft.key))


def draft_of(version: ItemVersion) -> Draft:
    """The content of ``version`` as a draft, to be edited."""
    return Draft(kind=version.kind.value, stem=version.stem, options=tuple(option.text for option in version.options),
                 key=version.key, explanation=version.explanation, source=version.source, difficulty=version.difficulty,
                 range_path=version.point.range.path, point_segment=version.point.segment, guide=version.guide,
                 stimulus=version.stimulus.text if version.stimulus else "", source_page=version.source_page,
                 source_author=version.source_author)


def label(version: ItemVersion) -> str:
    """How a sentence names a version."""
    return f"题 {version.item_id} 第 {version.number} 版"


def move(version: ItemVersion, to: ItemState) -> None:
    """The one place where a state changes; refuses what the table of moves does not allow."""
    if to not in MOVES[version.state]:
        raise Refused("wrong_state", f"{label(version)} 现在是“{version.state.chinese}”，不能改为“{to.chinese}”。请刷新页面查看最新状态。")
    version.state = to


def _send(version: ItemVersion, now: datetime) -> None:
    if version.state is S.RETURNED:
        raise Refused("returned", f"{label(version)} 已被退回，请先按审题意见修改（修改后生成新版本），再提交审核。")
    move(version, S.SUBMITTED)
    version.submitted_at = now


def _put_in_force(session: Session, version: ItemVersion) -> None:
    for other in version.item.versions:
        if other is not version and other.state in {*STANDING, S.SUSPENDED}:
            move(other, S.SUPERSEDED)
            session.flush()  # before the new one: only one version of an item may stand
    move(version, S.APPROVED)


def _newest_only(version: ItemVersion) -> None:
    newest = version.item.newest
    if newest.id != version.id:
        raise Refused("not_newest", f"题 {version.item_id} 已有更新的第 {newest.number} 版，请在最新版本上修改。")


def _checked(session: Session, table: WeightTable, institution_id: int, draft: Draft,
             own: Item | None = None) -> tuple[Draft, int]:
    """The draft in canonical writing and the id of its point; refuses what may not stand in the bank."""
    draft = normalise(draft)
    if found := problems(draft):
        raise Refused("draft_problems", "这道题还不能保存，请改正下面的问题。", found)
    point = session.get_one(Point, points_of(session, table).find(draft.range_path, draft.point_segment))
    draft = dataclasses.replace(draft, range_path=point.range.path, point_segment=point.segment)
    if own is not None and any(version.content_hash == content_hash(draft) for version in own.versions):
        return draft, point.id
    if double := doubles(session, table.id, institution_id, [content_hash(draft)]).get(content_hash(draft)):
        other_key = "，但两题答案不同，请先核对哪一个正确" if contradicts(double, draft) else ""
        raise Refused("duplicate", f"题库里已有相同的题：{label(double)}（{double.state.chinese}）{other_key}。没有保存。")
    return draft, point.id


def _version(draft: Draft, point_id: int, number: int, who: Viewer, now: datetime, reason: str) -> ItemVersion:
    return ItemVersion(
        number=number, point_id=point_id, kind=ItemKind(draft.kind), stem=draft.stem, key=draft.key,
        guide=draft.guide, explanation=draft.explanation, source=draft.source, source_page=draft.source_page,
        source_author=draft.source_author, difficulty=draft.difficulty, state=S.DRAFT,
        content_hash=content_hash(draft), author_id=who.account_id, created_at=now, reason=reason)


def _write_options(session: Session, written: Sequence[tuple[ItemVersion, Draft]]) -> None:
    """In one statement for all: object by object they would be most of the work of an import."""
    options = [{"version_id": version.id, "letter": letter, "text": text, "stays_last": stays_last(text)}
               for version, draft in written for letter, text in zip(LETTERS, draft.options, strict=False)]
    if options:
        session.execute(sa.insert(Option), options)

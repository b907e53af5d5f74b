"""The bank: items written, edited, sent to review, suspended, resumed, put to use, retired. Review has a module of its own."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Iterable, Sequence
from datetime import date, datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session, selectinload

from qbank.items.draft import LETTERS, Draft, answer_texts, content_hash, normalise, problems, stays_last
from qbank.items.models import ImportBatch, Item, ItemVersion, Option, occupation_code_of
from qbank.items.moves import MOVES
from qbank.items.pictures import missing
from qbank.items.points import points_of
from qbank.items.states import STANDING, ItemKind, ItemState, Purpose
from qbank.items.stimuli import keep
from qbank.items.words import words_of
from qbank.kernel.access import Role, Viewer, visible
from qbank.kernel.accounts import Institution
from qbank.kernel.refused import Refused
from qbank.kernel.times import local_date
from qbank.standards.models import Point, Subject, WeightTable
from qbank.standards.packs import pack_for

AT_ONCE = 2000  # parameters of one IN (...)
S = ItemState


def add_item(session: Session, table: WeightTable, institution_id: int, draft: Draft, who: Viewer, *, now: datetime,
             reason: str = "", batch: ImportBatch | None = None, purpose: Purpose = Purpose.EXAM) -> ItemVersion:
    """A new item as a draft. Refuses what is wrong with it, a point that is not in ``table``, and a double."""
    require_reach(session, table, institution_id, Role.ITEM_AUTHOR, who)
    draft, point_id = _checked(session, table, institution_id, draft)
    return store(session, table, institution_id, [(draft, point_id)], who, now=now, reason=reason, batch=batch,
                 purpose=purpose)[0]


def store(session: Session, table: WeightTable, institution_id: int, drafts: Sequence[tuple[Draft, int]], who: Viewer,
          *, now: datetime, reason: str = "", batch: ImportBatch | None = None,
          purpose: Purpose = Purpose.EXAM) -> list[ItemVersion]:
    """Put many checked drafts, each with the id of its point, into the bank in a few statements.

    The caller has checked them: normalised, without problems, no doubles, ``who`` may write here. A batch says itself
    which bank it fills.
    """
    made = []
    materials = keep(session, table, institution_id, [draft.stimulus for draft, _ in drafts], who, now=now)
    for draft, point_id in drafts:
        version = _version(draft, point_id, 1, who, now, reason)
        version.stimulus = materials.get(draft.stimulus)
        version.batch_id = batch.id if batch else None
        made.append(version)
        session.add(Item(institution_id=institution_id, table_id=table.id, versions=[version],
                         purpose=batch.purpose if batch else purpose))
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


def retire(session: Session, version: ItemVersion, who: Viewer, reason: str, *, now: datetime) -> None:
    """Take a version out of use for good; papers that hold it keep it."""
    require_reach(session, version.item.table, version.item.institution_id, Role.ITEM_AUTHOR, who)
    _move_because(version, S.RETIRED, reason, "停用")


def suspend(session: Session, version: ItemVersion, who: Viewer, reason: str, *, now: datetime) -> None:
    """Keep a version from new papers, and draft papers that hold it from being sealed, until the doubt is cleared."""
    require_reach(session, version.item.table, version.item.institution_id, (Role.ITEM_AUTHOR, Role.ITEM_REVIEWER), who)
    _move_because(version, S.SUSPENDED, reason, "暂停")


def bar(version: ItemVersion, reason: str) -> bool:
    """Suspend a version that an exam proved wrong; whether there was anything to suspend. The caller's rule has its approvals."""
    if version.state not in STANDING:
        return False
    _move_because(version, S.SUSPENDED, reason, "暂停")
    return True


def resume(session: Session, version: ItemVersion, who: Viewer, reason: str, *, now: datetime) -> None:
    """Give a suspended version back: in use if it ever was in a sealed paper, else approved. Not by its own authors."""
    item = version.item
    require_reach(session, item.table, item.institution_id, Role.ITEM_REVIEWER, who)
    if version.state is not S.SUSPENDED:
        raise Refused("wrong_state", f"{label(version)} 现在是“{version.state.chinese}”，没有暂停，不需要恢复。")
    if wrote(item, who):
        raise Refused("own_item", f"您编写或修改过题 {item.id}，不能由您恢复使用，请由其他审题员核实。")
    _move_because(version, S.IN_USE if version.used_at else S.APPROVED, reason, "恢复使用")


def mark_in_use(session: Session, versions: Iterable[ItemVersion], *, now: datetime) -> None:
    """These versions are in a paper that is being sealed now. The paper's rule has checked that they stand."""
    for version in versions:
        version.used_at = version.used_at or now
        if version.state is S.APPROVED:
            move(version, S.IN_USE)


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
    due: dict[int, date] = {}
    for item in banks.values():
        require_reach(session, item.table, item.institution_id, Role.ITEM_AUTHOR, who)
        school = session.get_one(Institution, item.institution_id)
        due[school.id] = local_date(now) + timedelta(days=pack_for(session, school).review_days)
    for version in versions:
        _send(version, due[version.item.institution_id], now)
    return len(versions)


def require_reach(session: Session, table: WeightTable, institution_id: int, role: Role | tuple[Role, ...],
                  who: Viewer) -> None:
    """Refuse unless ``who`` holds ``role`` (any one of them) for this institution and the table's occupation."""
    if table.subject is not Subject.THEORY:
        raise Refused("not_theory", "题库只对应理论知识权重表，请选择理论知识的细目表。")
    roles, code = role if isinstance(role, tuple) else (role,), table.standard.occupation.code
    if not session.scalar(sa.select(who.reach(sa.literal(institution_id), *roles, occupation=sa.literal(code)))):
        named = "或".join(one.chinese for one in roles)
        raise Refused("not_your_bank", f"您不是这个题库的{named}，不能进行这项操作。如需办理，请联系系统管理员。")


def wrote(item: Item, who: Viewer) -> bool:
    """Whether ``who`` wrote any version of ``item``."""
    return any(version.author_id == who.account_id for version in item.versions)


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


def _send(version: ItemVersion, due: date, now: datetime) -> None:
    if version.state is S.RETURNED:
        raise Refused("returned", f"{label(version)} 已被退回，请先按审题意见修改（修改后生成新版本），再提交审核。")
    move(version, S.SUBMITTED)
    version.submitted_at, version.review_due = now, due


def _move_because(version: ItemVersion, to: ItemState, reason: str, title: str) -> None:
    if not reason.strip():
        raise Refused("no_reason", f"请写明{title}原因。")
    move(version, to)
    version.state_reason = reason.strip()[:2000]


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
    texts = (draft.stem, *draft.options, draft.key, draft.guide, draft.explanation, draft.stimulus)
    if found := missing(session, institution_id, texts):
        raise Refused("no_picture", "这道题里有题库没有的图片，没有保存。", found)
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
        content_hash=content_hash(draft), words=words_of(draft.stem, draft.options), author_id=who.account_id,
        created_at=now, reason=reason)


def _write_options(session: Session, written: Sequence[tuple[ItemVersion, Draft]]) -> None:
    """In one statement for all: object by object they would be most of the work of an import."""
    options = [{"version_id": version.id, "letter": letter, "text": text, "stays_last": stays_last(text)}
               for version, draft in written for letter, text in zip(LETTERS, draft.options, strict=False)]
    if options:
        session.execute(sa.insert(Option), options)

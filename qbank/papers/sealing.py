"""Sealing a paper (封存), checking that it still is what was sealed, making it again, giving a draft up."""

from __future__ import annotations

import dataclasses
import hashlib
import secrets
from collections.abc import Mapping, Sequence
from datetime import datetime
from importlib.metadata import version as version_of
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session, object_session

from qbank.items import markup
from qbank.items.bank import require_reach
from qbank.items.markup import pictures_in
from qbank.items.models import ItemVersion, Picture
from qbank.items.states import ItemState
from qbank.kernel.access import Role, Viewer
from qbank.kernel.jobs import Job
from qbank.kernel.refused import Refused
from qbank.papers import hand, looks, packs, report
from qbank.papers.booklet import texts_of
from qbank.papers.checks import problems
from qbank.papers.contents import content_of, items_of, policy_of, quotas_of
from qbank.papers.curves import measured
from qbank.papers.fingerprint import canonical, fingerprint
from qbank.papers.models import Paper, PaperFamily, PaperItem, PaperState
from qbank.papers.packs import Packed, Row

MOVES: Mapping[PaperState, frozenset[PaperState]] = {
    PaperState.DRAFT: frozenset({PaperState.SEALED, PaperState.DISCARDED}),
    PaperState.SEALED: frozenset(),
    PaperState.DISCARDED: frozenset(),
}


def seal(session: Session, paper: Paper, who: Viewer, *, now: datetime) -> None:
    """Check the paper against the bank as it is now, take its fingerprint, put its content into a pack, and freeze it."""
    specification = paper.specification
    require_reach(session, specification.table, paper.institution_id, Role.PAPER_COMPOSER, who)
    check_move(paper, PaperState.SEALED)
    items, quotas = items_of(paper), quotas_of(session, specification)
    found = [*problems(session, paper, items, quotas, who), *_twins(session, paper, items)]
    if found:
        raise Refused("cannot_seal", f"本卷现在不能封存，有 {len(found)} 处问题。请作废本卷后重新组卷，或由他人封存。", found)
    found_curves = measured(session, paper, items)
    paper.compliance = {**paper.compliance, **report.fresh(session, paper, items, quotas),
                        **({"curves": found_curves.to_json()} if found_curves else {}),
                        "scoring": dataclasses.asdict(policy_of(session, paper))}
    looks.record(session, paper, paper.composer.viewer(), "composed", now=now)
    if who.account_id != paper.composer_id:
        looks.record(session, paper, who, "composed", now=now, detail="封存")
    put_away(session, paper, items, who, now=now)


def put_away(session: Session, paper: Paper, items: Sequence[PaperItem], who: Viewer, *, now: datetime) -> None:
    """The act itself, without the checks: fingerprint, pack, and nothing left in clear."""
    salt = secrets.token_hex(32)
    content = content_of(paper, items, salt)
    packed = Packed(
        canonical=canonical(content), salt=salt, pictures=_pictures(session, paper.institution_id, items),
        rows=tuple(Row(item.number, item.position, item.version_id, item.version.item_id, item.half_points) for item in items),
        rendered=tuple(rendering(item.version) for item in items), seed=_seed_of(session, paper),
        forms=paper.family.forms if paper.family else int(paper.compliance.get("forms", 1)),
        bank={name: paper.compliance.get(name) for name in ("bank_digest", "bank_size")},
        report={"program": version_of("examroom"), **{name: paper.compliance.get(name) for name in ("status", "gap")},
                **(paper.family.report if paper.family else {})},
        repeated=tuple(paper.compliance.get("repeated", ())))
    if session.get_bind().dialect.name == "sqlite":
        session.execute(sa.text("PRAGMA secure_delete = ON"))  # freed pages are overwritten, not only forgotten
    with session.no_autoflush:  # the state moves with the fingerprint, the pack and the items, in one flush
        paper.compliance = {**paper.compliance, "repeated": [], "repeated_points": len(packed.repeated)}
        paper.fingerprint, paper.sealed_at, paper.sealed_by = fingerprint(content), now, who.account_id
        packs.store(session, paper, packed, now=now)
        paper.state = PaperState.SEALED
        _forget(session, paper)
    session.flush()
    session.expire(paper, ["items"])


def _forget(session: Session, paper: Paper) -> None:
    """Everything in clear that would tell the items, or make the same paper again."""
    for item in list(session.scalars(sa.select(PaperItem).where(PaperItem.paper_id == paper.id))):
        session.delete(item)
    hand.forget(session, paper)
    if paper.family:
        paper.family.seed = None
    for one in (paper, *(one for one in together(session, paper) if one.state is not PaperState.SEALED)):
        one.seed = None
        one.compliance = {name: value for name, value in one.compliance.items() if name != "seed"}
    for job in session.scalars(sa.select(Job).where(Job.kind.startswith("papers."))):
        if "seed" in job.arguments and job.arguments.get("specification") == paper.specification_id:
            job.arguments = {name: value for name, value in job.arguments.items() if name != "seed"}


def _seed_of(session: Session, paper: Paper) -> int | None:
    """The seed of a draft; where another form made with it was sealed before, it is in that form's pack."""
    if paper.seed is not None:
        return paper.seed
    held = [one for one in together(session, paper) if one.state is PaperState.SEALED and packs.has_pack(session, one)]
    return packs.packed_of(session, held[0]).seed if held else None


def together(session: Session, paper: Paper) -> list[Paper]:
    """The forms made by the same call, this one among them; of older papers, which have no family, those of that moment."""
    if paper.family:
        return list(paper.family.papers)
    return list(session.scalars(sa.select(Paper).where(Paper.specification_id == paper.specification_id, Paper.family_id.is_(None),
                                                       Paper.created_at == paper.created_at).order_by(Paper.id)))


def _twins(session: Session, paper: Paper, items: Sequence[PaperItem]) -> list[str]:
    """Other drafts with the very same items: they would tell what the sealed one holds."""
    mine = {item.version_id for item in items}
    drafts = sa.select(Paper).where(Paper.specification_id == paper.specification_id, Paper.state == PaperState.DRAFT, Paper.id != paper.id)
    others = {other.id: other for other in session.scalars(drafts)}
    return [f"待封存的试卷“{others[paper_id].name}”与本卷的题完全相同，封存本卷后仍会透露内容。请先作废其中一份。"
            for paper_id, held in packs.version_ids(session, others).items() if set(held) == mine]


def verify(paper: Paper) -> bool:
    """Whether a sealed paper still is what was sealed, to the last character and picture."""
    return not findings(paper)


def findings(paper: Paper) -> list[str]:
    """What of a sealed paper is no longer as it was sealed, one sentence each; of a shut paper no content is named."""
    session = object_session(paper)
    if session is None or paper.fingerprint is None:
        return ["试卷没有封存。"]
    if not packs.has_pack(session, paper):  # sealed before papers were encrypted
        same = not paper.is_shut and fingerprint(content_of(paper)) == paper.fingerprint
        return [] if same else ["内容与封存时的指纹不符。"]
    try:
        packed = packs.packed_of(session, paper)
    except Refused as refusal:
        return [refusal.sentence]
    if hashlib.sha256(packed.canonical.encode()).hexdigest() != paper.fingerprint:
        return ["密封内容与封存时的指纹不符。"]
    found = []
    items = items_within(session, packed) if paper.is_shut else items_of(paper)
    if canonical(content_of(paper, items, packed.salt)) != packed.canonical:
        found.append("题库中的试题、组卷方案或权重表在封存后被改动，与密封内容不一致。")
    now_held = _pictures(session, paper.institution_id, items)
    lost = [sha256 for sha256 in packed.pictures if sha256 not in now_held]
    return [*found, *([f"有 {len(lost)} 张图片被删除或改动。"] if lost else [])]


def items_within(session: Session, packed: Packed) -> list[PaperItem]:
    """The items of a pack as objects that belong to no session: for checks, and for the opening."""
    versions = {version.id: version for version in session.scalars(
        sa.select(ItemVersion).where(ItemVersion.id.in_([row.version_id for row in packed.rows]))
        .options(sa.orm.selectinload(ItemVersion.options), sa.orm.selectinload(ItemVersion.stimulus)))}
    with session.no_autoflush:
        return [PaperItem(number=row.number, position=row.position, version_id=row.version_id, half_points=row.half_points,
                          version=versions[row.version_id]) for row in packed.rows if row.version_id in versions]


def rendering(version: ItemVersion) -> str:
    """SHA-256 of the item as a page shows it: a later program that draws it otherwise is noticed."""
    texts = [version.stem, *(option.text for option in version.options), version.stimulus.text if version.stimulus else ""]
    drawn = "\x1f".join(str(markup.to_html(text, lambda sha256: f"media:{sha256}")) for text in texts)
    return hashlib.sha256(drawn.encode()).hexdigest()


def stopped(session: Session, rows: Sequence[Row]) -> list[str]:
    """Items that were suspended, or proved wrong, since the sealing: by their numbers."""
    states = {version_id: state for version_id, state in session.execute(  # noqa: C416  # rows are not pairs to mypy
        sa.select(ItemVersion.id, ItemVersion.state).where(ItemVersion.id.in_([row.version_id for row in rows])))}
    return [f"第 {row.number} 题封存后被暂停使用，还没有恢复。" for row in rows if states.get(row.version_id) is ItemState.SUSPENDED]


def discard(session: Session, paper: Paper, who: Viewer, *, now: datetime) -> None:
    """Give up a draft paper; it stays on the list as discarded, without its items."""
    require_reach(session, paper.specification.table, paper.institution_id, Role.PAPER_COMPOSER, who)
    check_move(paper, PaperState.DISCARDED)
    paper.state = PaperState.DISCARDED
    paper.items.clear()  # one made by the same call may be sealed: this one's items would tell that one's
    session.flush()


def check_move(paper: Paper, to: PaperState) -> None:
    if to not in MOVES[paper.state]:
        raise Refused("wrong_state", f"试卷“{paper.name}”现在是“{paper.state.chinese}”，不能改为“{to.chinese}”。请刷新页面查看最新状态。")


def seal_family(session: Session, family: PaperFamily, who: Viewer, *, now: datetime) -> int:
    """Seal every draft form of the family; all of them or none. How many."""
    drafts = [paper for paper in family.papers if paper.state is PaperState.DRAFT]
    if not drafts:
        raise Refused("nothing_to_seal", f"“{family.name}”没有待封存的试卷。")
    for paper in drafts:
        seal(session, paper, who, now=now)
    return len(drafts)


def _pictures(session: Session, institution_id: int, items: Sequence[PaperItem]) -> dict[str, str]:
    """Hash → type of every picture on the paper whose stored bytes still have that hash."""
    named: set[str] = set()
    for item in items:
        for text in texts_of(item.version):
            named.update(pictures_in(text))
    rows: Sequence[Any] = session.execute(sa.select(Picture.sha256, Picture.media_type, Picture.content).where(
        Picture.institution_id == institution_id, Picture.sha256.in_(named))).all() if named else []
    return {sha256: media_type for sha256, media_type, content in rows if hashlib.sha256(content).hexdigest() == sha256}

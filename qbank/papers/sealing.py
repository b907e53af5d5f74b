"""Sealing a paper (封存), checking that it still is what was sealed, making it again, giving a draft up."""

from __future__ import annotations

import dataclasses
import hashlib
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from importlib.metadata import version as version_of
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session, object_session

from qbank.items import markup
from qbank.items.bank import require_reach
from qbank.items.markup import pictures_in
from qbank.items.models import ItemVersion, Picture
from qbank.items.practice import practice_items
from qbank.items.states import STANDING, ItemState
from qbank.kernel.access import Role, Viewer
from qbank.kernel.jobs import Job
from qbank.kernel.refused import Refused
from qbank.papers import checks, hand, looks, packs, report
from qbank.papers.assembling import Progress, silent
from qbank.papers.booklet import texts_of
from qbank.papers.contents import content_of, items_of, policy_of
from qbank.papers.curves import measured
from qbank.papers.fingerprint import canonical, fingerprint
from qbank.papers.models import Paper, PaperFamily, PaperItem, PaperState
from qbank.papers.packs import Packed, Row
from qbank.papers.uses import exposures

MOST_TOLD = 50  # problems of a whole family
MOVES: Mapping[PaperState, frozenset[PaperState]] = {
    PaperState.DRAFT: frozenset({PaperState.SEALED, PaperState.DISCARDED}),
    PaperState.SEALED: frozenset(),
    PaperState.DISCARDED: frozenset(),
}


@dataclass(frozen=True, eq=False)
class Ready:
    """A paper that was checked and may be sealed: what stands on its sheet, and what goes into its pack."""

    paper_id: int
    compliance: Mapping[str, Any]
    fingerprint: str
    packed: Packed

    @property
    def held(self) -> list[tuple[int, int, int]]:
        return [(row.number, row.version_id, row.half_points) for row in self.packed.rows]


def seal(session: Session, paper: Paper, who: Viewer, *, now: datetime) -> None:
    """Check the paper against the bank as it is now, take its fingerprint, put its content into a pack, and freeze it."""
    write(session, prepare(session, [paper], who, now=now), who, now=now)


def prepare(session: Session, papers: Sequence[Paper], who: Viewer, *, now: datetime, progress: Progress = silent) -> list[Ready]:
    """Check drafts of one call: only reads, so it may take its time. Refuses all of them when one may not be sealed."""
    for paper in papers:
        require_reach(session, paper.specification.table, paper.institution_id, Role.PAPER_COMPOSER, who)
        check_move(paper, PaperState.SEALED)
    items = {paper: items_of(paper) for paper in papers}
    bank = checks.read(session, items, who, now=now)
    found = [[*checks.problems(bank, paper, items[paper], who), *lines] for paper, lines in _twins(session, items).items()]
    if any(found):
        raise _refusal(papers, found)
    used, past = exposures(session, papers[0].specification.table_id, papers[0].institution_id), report.Sealed.read(session, papers[0])
    ready = []
    for done, paper in enumerate(papers):
        if done % 10 == 0:
            progress(done, len(papers), f"正在核对并加密，第 {done + 1} 套，共 {len(papers)} 套…")
        found_curves = measured(session, paper, items[paper])
        sheet = {**report.fresh(session, paper, items[paper], bank.quotas, used, past),
                 **({"curves": found_curves.to_json()} if found_curves else {}),
                 "scoring": dataclasses.asdict(policy_of(session, paper))}
        ready.append(_ready(session, paper, items[paper], sheet))
    return ready


def _refusal(papers: Sequence[Paper], found: Sequence[Sequence[str]]) -> Refused:
    bad = [(paper, lines) for paper, lines in zip(papers, found, strict=True) if lines]
    if len(papers) == 1:
        return Refused("cannot_seal", f"本卷现在不能封存，有 {len(bad[0][1])} 处问题。请作废本卷后重新组卷，或由他人封存。", bad[0][1])
    return Refused("cannot_seal", f"{len(papers)} 套试卷中有 {len(bad)} 套现在不能封存，没有封存任何一套。请换题或作废有问题的试卷后再封存。",
                   [f"{paper.form} 卷：{line}" for paper, lines in bad for line in lines][:MOST_TOLD])


def _ready(session: Session, paper: Paper, items: Sequence[PaperItem], sheet: Mapping[str, Any]) -> Ready:
    """Fingerprint and pack of a paper whose sheet gets ``sheet`` on top."""
    salt = secrets.token_hex(32)
    compliance = {**paper.compliance, **sheet}
    text = canonical(content_of(paper, items, salt, compliance.get("scoring", {})))
    packed = Packed(
        canonical=text, salt=salt, pictures=_pictures(session, paper.institution_id, items),
        rows=tuple(Row(item.number, item.position, item.version_id, item.version.item_id, item.half_points) for item in items),
        rendered=tuple(rendering(item.version) for item in items), seed=_seed_of(session, paper),
        forms=paper.family.forms if paper.family else int(compliance.get("forms", 1)),
        bank={name: compliance.get(name) for name in ("bank_digest", "bank_size")},
        report={"program": version_of("examroom"), **{name: compliance.get(name) for name in ("status", "gap")},
                **(paper.family.report if paper.family else {})},
        repeated=tuple(compliance.get("repeated", ())))
    kept = {name: value for name, value in compliance.items() if name != "seed"}
    return Ready(paper.id, {**kept, "repeated": [], "repeated_points": len(packed.repeated)},
                 hashlib.sha256(text.encode()).hexdigest(), packed)


def write(session: Session, ready: Sequence[Ready], who: Viewer, *, now: datetime) -> None:
    """Freeze what was prepared. Refuses when a draft or one of its items was changed since."""
    papers = {paper.id: paper for paper in session.scalars(sa.select(Paper).where(Paper.id.in_([one.paper_id for one in ready])))}
    _refuse_changed(session, ready, papers)
    for paper in papers.values():
        looks.record(session, paper, paper.composer.viewer(), "composed", now=now)
        if who.account_id != paper.composer_id:
            looks.record(session, paper, who, "composed", now=now, detail="封存")
    _freeze(session, ready, papers, who, now)


def put_away(session: Session, paper: Paper, items: Sequence[PaperItem], who: Viewer, *, now: datetime) -> None:
    """The act itself, without the checks."""
    _freeze(session, [_ready(session, paper, items, {})], {paper.id: paper}, who, now)


def _refuse_changed(session: Session, ready: Sequence[Ready], papers: Mapping[int, Paper]) -> None:
    held: dict[int, list[tuple[int, int, int]]] = {one.paper_id: [] for one in ready}
    rows = session.execute(sa.select(PaperItem.paper_id, PaperItem.number, PaperItem.version_id, PaperItem.half_points)
                           .where(PaperItem.paper_id.in_(held)).order_by(PaperItem.paper_id, PaperItem.number))
    for paper_id, *row in rows:
        held[paper_id].append((row[0], row[1], row[2]))
    for one in ready:
        check_move(papers[one.paper_id], PaperState.SEALED)
        if held[one.paper_id] != one.held:
            raise Refused("changed_meanwhile", f"“{papers[one.paper_id].name}”在封存期间被改动，没有封存。请再封存一次。")
    wanted = {version_id for one in ready for _, version_id, _ in one.held}
    stands = sa.select(sa.func.count()).where(ItemVersion.id.in_(wanted), ItemVersion.state.in_(STANDING))
    if session.scalar(stands) != len(wanted) or practice_items(session, sorted(wanted), hold=True):
        raise Refused("changed_meanwhile", "封存期间题库有变动，选中的题有的已停用、有了新版本或转入练习。请再封存一次，看哪些题要换。")


def _freeze(session: Session, ready: Sequence[Ready], papers: Mapping[int, Paper], who: Viewer, now: datetime) -> None:
    """Fingerprints and packs into the database, and nothing left in clear."""
    if session.get_bind().dialect.name == "sqlite":
        session.execute(sa.text("PRAGMA secure_delete = ON"))  # freed pages are overwritten, not only forgotten
    with session.no_autoflush:  # the state moves with the fingerprint, the pack and the items, in one flush
        for one in ready:
            paper = papers[one.paper_id]
            paper.compliance = dict(one.compliance)
            paper.fingerprint, paper.sealed_at, paper.sealed_by = one.fingerprint, now, who.account_id
            packs.store(session, paper, one.packed, now=now)
            paper.state = PaperState.SEALED
        _forget(session, list(papers.values()))
    session.flush()
    for paper in papers.values():
        session.expire(paper, ["items"])
    for gone in [one for one in session.identity_map.values() if isinstance(one, PaperItem) and sa.inspect(one).dict.get("paper_id") in papers]:
        session.expunge(gone)  # its row is deleted, and SQLite gives the number to another


def _forget(session: Session, papers: Sequence[Paper]) -> None:
    """Everything in clear that would tell the items, or make the same papers again."""
    ids = [paper.id for paper in papers]
    session.execute(sa.delete(PaperItem).where(PaperItem.paper_id.in_(ids)).execution_options(synchronize_session=False))
    hand.forget(session, ids)
    for one in {one.id: one for paper in papers for one in together(session, paper)}.values():
        if one.seed is not None and (one.id in ids or one.state is not PaperState.SEALED):
            one.seed = None
        if "seed" in one.compliance and one.state is not PaperState.SEALED:
            one.compliance = {name: value for name, value in one.compliance.items() if name != "seed"}
    for family in {paper.family for paper in papers if paper.family}:
        family.seed = None
    specifications = {paper.specification_id for paper in papers}
    for job in session.scalars(sa.select(Job).where(Job.kind.startswith("papers."))):
        if "seed" in job.arguments and job.arguments.get("specification") in specifications:
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


def _twins(session: Session, papers: Mapping[Paper, Sequence[PaperItem]]) -> dict[Paper, list[str]]:
    """Other drafts with the very same items: they would tell what the sealed one holds."""
    ids = {paper.id for paper in papers}
    drafts = sa.select(Paper).where(Paper.specification_id == next(iter(papers)).specification_id, Paper.state == PaperState.DRAFT)
    others = {other.id: other for other in session.scalars(drafts) if other.id not in ids}
    by_items: dict[frozenset[int], list[str]] = {}
    for paper_id, held in packs.version_ids(session, others).items():
        by_items.setdefault(frozenset(held), []).append(others[paper_id].name)
    return {paper: [f"待封存的试卷“{name}”与本卷的题完全相同，封存本卷后仍会透露内容。请先作废其中一份。"
                    for name in by_items.get(frozenset(item.version_id for item in items), [])] for paper, items in papers.items()}


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


def drafts_of(family: PaperFamily) -> list[Paper]:
    """The forms of a call that wait to be sealed; refuses when there are none."""
    if drafts := [paper for paper in family.papers if paper.state is PaperState.DRAFT]:
        return drafts
    raise Refused("nothing_to_seal", f"“{family.name}”没有待封存的试卷。")


def _pictures(session: Session, institution_id: int, items: Sequence[PaperItem]) -> dict[str, str]:
    """Hash → type of every picture on the paper whose stored bytes still have that hash."""
    named: set[str] = set()
    for item in items:
        for text in texts_of(item.version):
            named.update(pictures_in(text))
    rows: Sequence[Any] = session.execute(sa.select(Picture.sha256, Picture.media_type, Picture.content).where(
        Picture.institution_id == institution_id, Picture.sha256.in_(named))).all() if named else []
    return {sha256: media_type for sha256, media_type, content in rows if hashlib.sha256(content).hexdigest() == sha256}

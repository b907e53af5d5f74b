"""Opening a sealed paper (启封): two persons, a reason, a window of time. Only then its items are in the database again."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session, joinedload
from werkzeug.exceptions import NotFound

from qbank.items.bank import mark_in_use
from qbank.items.figures import note_uses
from qbank.items.models import occupation_code_of
from qbank.items.practice import practice_items
from qbank.kernel.access import LARGEST_KEY, Role, Viewer
from qbank.kernel.accounts import Institution
from qbank.kernel.refused import Refused
from qbank.kernel.times import spoken
from qbank.papers import looks, packs
from qbank.papers.assembling import Progress, silent
from qbank.papers.models import Paper, PaperState, Specification
from qbank.papers.packs import Packed, Row
from qbank.papers.sealed import OpeningPerson, PaperOpening
from qbank.papers.sealing import findings, items_within, stopped, together
from qbank.standards.packs import pack_for

OPENERS = (Role.PAPER_COMPOSER, Role.EXAM_OFFICER)
STOPPED = frozenset({"items_suspended", "practice_items"})  # codes of what keeps one form of a pool shut, and not the others
LATEST_START = timedelta(days=30)  # a window further away is asked for when it is near


def reachable(session: Session, paper_id: int, who: Viewer, roles: Collection[Role] = OPENERS) -> Paper:
    """The sealed paper, for those who may open papers of its school (or hold one of ``roles``); for others there is none."""
    if not 0 < paper_id <= LARGEST_KEY:
        raise NotFound
    reach = who.reach(Paper.institution_id, *roles, occupation=occupation_code_of(Specification.table_id))
    paper = session.scalars(sa.select(Paper).join(Specification, Specification.id == Paper.specification_id)
                            .where(Paper.id == paper_id, Paper.state == PaperState.SEALED, reach)).one_or_none()
    if paper is None:
        raise NotFound
    return paper


def ask(session: Session, paper: Paper, who: Viewer, reason: str, *, now: datetime, from_: datetime | None = None,
        family: bool = False) -> PaperOpening:
    """The first person asks. Others may agree between ``from_`` (now) and the end of the window that the rule pack sets."""
    _require_opener(session, paper, who)
    _require_shut(paper)
    if not reason.strip():
        raise Refused("no_reason", "请写明启封原因，例如“9月5日理论第一场发卷”。")
    start = from_ or now
    if start < now:
        raise Refused("in_the_past", f"启封时间不能早于现在（{spoken(now)}）。")
    if start - now > LATEST_START:
        raise Refused("too_early", f"最早只能提前 {LATEST_START.days} 天申请启封。")
    session.refresh(paper, with_for_update=True)  # two who ask at once
    if waiting := pending(session, paper, now=now):
        raise Refused("asked_already", f"{waiting.persons[0].account.name}已于 {spoken(waiting.asked_at)} 申请启封这份试卷，请在该申请上确认。")
    pack = pack_for(session, session.get_one(Institution, paper.institution_id))
    opening = PaperOpening(paper=paper, whole_family=family and paper.family_id is not None, reason=reason.strip()[:1000],
                           asked_at=now, opens_from=start, valid_until=start + timedelta(minutes=pack.opening_minutes),
                           needed=pack.opening_persons, persons=[_person(session, who, now)])
    session.add(opening)
    session.flush()
    return opening


def confirm(session: Session, paper: Paper, other: Viewer, *, now: datetime) -> PaperOpening:
    """Another person agrees; with as many as the rule pack asks for, the paper is opened."""
    opening = agree(session, paper, other, now=now)
    if opening.is_agreed:
        open_agreed(session, opening, now=now)
    return opening


def open_agreed(session: Session, opening: PaperOpening, *, now: datetime) -> None:
    """Open at once what enough persons agreed to."""
    ready, _ = checked(session, opening)
    restore(session, opening, [session.get_one(Paper, paper_id) for paper_id in ready], now)


def agree(session: Session, paper: Paper, other: Viewer, *, now: datetime) -> PaperOpening:
    """The same without the opening itself, which for a pool of forms is long work."""
    _require_opener(session, paper, other)
    _require_shut(paper)
    session.refresh(paper, with_for_update=True)
    opening = pending(session, paper, now=now)
    if opening is None:
        raise Refused("not_asked", f"试卷“{paper.name}”没有等待确认的启封申请，或申请已过期。请先提出启封申请。")
    if opening.is_agreed:  # a pool whose opening stopped half-way is taken up again
        return opening
    if now < opening.opens_from:
        raise Refused("not_yet", f"本次启封从 {spoken(opening.opens_from)} 开始，请届时再确认。")
    if other.account_id in {person.account_id for person in opening.persons}:
        raise Refused("same_person", "启封须由不同的人共同完成：您已经申请或确认过，请由另一个人确认。")
    persons = [*opening.persons, _person(session, other, now)]
    insiders = {paper.composer_id, paper.sealed_by}
    if len(persons) >= opening.needed and all(person.account_id in insiders for person in persons):
        raise Refused("composers_alone", "组卷人和封存人不能自行启封，至少须有一名没有参与组卷和封存的人，请由考务员确认。")
    opening.persons.append(persons[-1])
    session.flush()
    return opening


def withdraw(session: Session, paper: Paper, who: Viewer, *, now: datetime) -> None:
    """Who asked takes it back; the request stays on record as expired."""
    opening = pending(session, paper, now=now)
    if opening is None or opening.persons[0].account_id != who.account_id:
        raise Refused("not_yours", "只有申请人可以撤回自己的启封申请。")
    opening.valid_until = max(now, opening.opens_from + timedelta(seconds=1))
    session.flush()


def pending(session: Session, paper: Paper, *, now: datetime) -> PaperOpening | None:
    """The request that waits for this paper, its own or one for its whole family."""
    family = sa.and_(PaperOpening.whole_family, PaperOpening.paper.has(Paper.family_id == paper.family_id))
    return session.scalars(
        sa.select(PaperOpening).where(sa.or_(PaperOpening.paper_id == paper.id, family), PaperOpening.opened_at.is_(None),
                                      PaperOpening.valid_until > now).order_by(PaperOpening.id.desc()).limit(1)).first()


def openings_of(session: Session, paper: Paper) -> list[PaperOpening]:
    """All requests for the paper and for its family, the newest first."""
    family = sa.and_(PaperOpening.whole_family, PaperOpening.paper.has(Paper.family_id == paper.family_id))
    return list(session.scalars(sa.select(PaperOpening).where(sa.or_(PaperOpening.paper_id == paper.id, family))
                                .options(joinedload(PaperOpening.persons).joinedload(OpeningPerson.account))
                                .order_by(PaperOpening.id.desc())).unique())


def require_open(session: Session, paper: Paper, *, now: datetime) -> None:
    """Before sheets are dealt: opened, unchanged, and none of its items suspended since."""
    if paper.state is not PaperState.SEALED:
        raise Refused("paper_not_sealed", f"试卷“{paper.name}”是“{paper.state.chinese}”状态，封存并启封后才能发卷。")
    if paper.is_shut:
        raise Refused("paper_shut", f"试卷“{paper.name}”还没有启封。请由两人在试卷的启封页面共同启封，再发卷。")
    if found := findings(paper):
        raise Refused("paper_changed", f"试卷“{paper.name}”的内容与封存时的指纹不符，不能使用。请立即报告考务负责人，改用备用卷。", found)
    rows = [Row(item.number, item.position, item.version_id, 0, item.half_points) for item in paper.items]
    _refuse_stopped(paper, stopped(session, rows))


def shut_papers(opening: PaperOpening) -> list[Paper]:
    """What the opening opens."""
    if opening.whole_family and opening.paper.family:
        return [paper for paper in opening.paper.family.papers if paper.is_shut]
    return [opening.paper] if opening.paper.is_shut else []


def checked(session: Session, opening: PaperOpening, *, progress: Progress = silent) -> tuple[list[int], list[int]]:
    """Papers that may be opened, and those that stay shut: of a pool those with items that were stopped since.

    Refuses when persons lack, when no paper is left, and for anything but a pool as soon as one paper may not be opened.
    """
    papers = shut_papers(opening)
    if not opening.is_agreed or not papers:
        raise Refused("not_asked", "没有已经确认、等待启封的申请。")
    ready, left, why = [], [], None
    for done, paper in enumerate(papers):
        if done % 10 == 0:
            progress(done, len(papers), f"正在核对密封内容，第 {done + 1} 套，共 {len(papers)} 套…")
        try:
            _require_usable(session, paper, packs.packed_of(session, paper))
            ready.append(paper.id)
        except Refused as refusal:
            if refusal.code not in STOPPED or paper.family is None or not paper.family.is_pool:
                raise
            left.append(paper.id)
            why = refusal
    if not ready and why:
        raise why
    return ready, left


def restore(session: Session, opening: PaperOpening, papers: Sequence[Paper], now: datetime) -> None:
    """Open these papers: an act of all the persons of the opening."""
    opening.opened_at = now
    packed = {paper: packs.packed_of(session, paper) for paper in papers}
    for paper, one in packed.items():
        _require_usable(session, paper, one)
        _restore(session, paper, one, now)
        for person in opening.persons:
            looks.record(session, paper, person.account.viewer(), "opened", now=now, detail=opening.reason)
    versions = {item.version_id: item.version for paper in papers for item in paper.items}
    mark_in_use(session, versions.values(), now=now)
    note_uses(session, Counter(row.item_id for one in packed.values() for row in one.rows), now=now)
    _give_back_seed(session, papers[0])
    session.flush()


def _require_usable(session: Session, paper: Paper, packed: Packed) -> None:
    if found := findings(paper):
        raise Refused("paper_changed", f"试卷“{paper.name}”与封存时不一致，不能启封使用。请立即报告考务负责人，改用备用卷。", found)
    _refuse_stopped(paper, stopped(session, packed.rows))
    if shown := practice_items(session, [row.version_id for row in packed.rows], hold=True):
        raise Refused("practice_items", f"试卷“{paper.name}”有 {len(shown)} 道题封存后转入了练习题库，考生在练习中见过，不能启封使用。请改用备用卷。")


def _restore(session: Session, paper: Paper, packed: Packed, now: datetime) -> None:
    """The rows of the paper come back."""
    session.info["opening"] = {paper.id}
    try:
        paper.items.extend(items_within(session, packed))
        paper.opened_at, paper.salt = now, packed.salt
        paper.compliance = {**paper.compliance, "repeated": list(packed.repeated)}
        session.flush()
    finally:
        session.info["opening"] = ()


def _give_back_seed(session: Session, paper: Paper) -> None:
    """The seed is told when no form made with it is shut any more."""
    sealed = [one for one in together(session, paper) if one.state is PaperState.SEALED]
    if any(one.is_shut for one in sealed):
        return
    seed = packs.packed_of(session, paper).seed
    session.info["opening"] = {one.id for one in sealed}
    try:
        for one in sealed:
            one.seed = seed
        if paper.family:
            paper.family.seed = seed
        session.flush()
    finally:
        session.info["opening"] = ()


def _refuse_stopped(paper: Paper, found: Sequence[str]) -> None:
    if found:
        raise Refused("items_suspended", f"试卷“{paper.name}”有 {len(found)} 道题在封存后被暂停使用，不能用于考试。"
                                         "请由审题员核实后恢复这些题，或改用备用卷。", found)


def _require_shut(paper: Paper) -> None:
    if paper.state is not PaperState.SEALED:
        raise Refused("wrong_state", f"试卷“{paper.name}”是“{paper.state.chinese}”状态，只有已封存的试卷才能启封。")
    if not paper.is_shut:
        raise Refused("open_already", f"试卷“{paper.name}”已于 {spoken(paper.opened_at)} 启封。")


def _require_opener(session: Session, paper: Paper, who: Viewer) -> None:
    code = sa.literal(paper.specification.table.standard.occupation.code)
    if not session.scalar(sa.select(who.reach(sa.literal(paper.institution_id), *OPENERS, occupation=code))):
        raise Refused("not_your_paper", "只有本校的考务员和组卷员可以启封试卷。")


def _person(session: Session, who: Viewer, now: datetime) -> OpeningPerson:
    return OpeningPerson(account_id=who.account_id, at=now, address=str(session.info.get("address") or "")[:200])

"""Sittings of a plan: when, with which sealed papers, and what still lacks before sheets can be dealt."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from examroom.plans import drift, guard, holds, staffing  # noqa: F401  # holds registers itself with the practice bank
from examroom.plans.models import Enrolment, ExamPlan, PlanState, Seat, Sitting, SittingPaper, SittingState
from examroom.plans.staffing import require_officer
from qbank.items.models import ItemVersion
from qbank.items.practice import practice_items
from qbank.kernel.access import Viewer
from qbank.kernel.accounts import Account
from qbank.kernel.refused import Refused
from qbank.kernel.times import local_date, spoken
from qbank.papers import packs
from qbank.papers.models import Paper, PaperFamily, PaperState, Specification
from qbank.standards.models import WeightTable
from qbank.standards.ratios import THEORY

LONGEST_MINUTES = 300


@dataclass(frozen=True)
class PaperChoice:
    """What an exam officer may know of a sealed paper: never its content."""

    id: int
    name: str
    form: str
    fingerprint: str
    sealed_at: datetime
    minutes: int
    family_id: int | None  # forms made together may be used together
    is_pool: bool  # one of many: each candidate gets another
    used_in: int  # sittings that chose it already


def add_sitting(session: Session, plan: ExamPlan, name: str, who: Viewer, *, starts_at: datetime, minutes: int,
                now: datetime) -> Sitting:
    """A sitting of ``plan``, not before its first exam day and inside the filed scope."""
    require_officer(session, plan, who)
    _check_times(session, plan, starts_at, minutes, now)
    sitting = Sitting(plan=plan, name=_name(session, plan, name), starts_at=starts_at, minutes=minutes)
    session.add(sitting)
    session.flush()
    return sitting


def change_sitting(session: Session, sitting: Sitting, name: str, who: Viewer, *, starts_at: datetime, minutes: int,
                   now: datetime) -> None:
    """Change name and time until sheets are dealt. A chosen paper keeps its own minutes."""
    require_officer(session, sitting.plan, who)
    require_planned(sitting)
    length = sitting.minutes if sitting.forms else minutes
    _check_times(session, sitting.plan, starts_at, length, now)
    sitting.name = _name(session, sitting.plan, name, but=sitting.id)
    sitting.starts_at, sitting.minutes = starts_at, length
    session.flush()
    staffing.check_clashes(session, sitting)


def remove_sitting(session: Session, sitting: Sitting, who: Viewer) -> None:
    """Take a sitting out of its plan, with its rooms and seats, until sheets are dealt."""
    require_officer(session, sitting.plan, who)
    require_planned(sitting)
    session.delete(sitting)
    session.flush()
    session.expire(sitting.plan, ["sittings"])


def require_planned(sitting: Sitting) -> None:
    """Refuse once sheets are dealt: they name seats, paper and time."""
    if sitting.state != SittingState.PLANNED:
        raise Refused("sitting_dealt", f"“{sitting.name}”{sitting.state.chinese}，时间、试卷、考场和座位不能再改。")


def _check_times(session: Session, plan: ExamPlan, starts_at: datetime, minutes: int, now: datetime) -> None:
    if starts_at <= now:
        raise Refused("in_the_past", f"开考时间应晚于现在（{spoken(now)}）。")
    if local_date(starts_at) < plan.starts_on:
        raise Refused("before_first_day", f"场次不能早于方案的首考日（{spoken(plan.starts_on)}）：工作日是从首考日倒算的。")
    if not 1 <= minutes <= LONGEST_MINUTES:
        raise Refused("minutes", f"考试时长应在 1 到 {LONGEST_MINUTES} 分钟之间。")
    guard.require_plan_in_scope(session, plan, days=[local_date(starts_at)])
    drift.require_planned(plan, THEORY, starts_at)


def _name(session: Session, plan: ExamPlan, text: str, but: int = 0) -> str:
    name = text.strip()[:200]
    if not name:
        raise Refused("name_missing", "请填写场次名称，例如“理论第一场”。")
    double = sa.select(Sitting.id).where(Sitting.plan_id == plan.id, Sitting.name == name, Sitting.id != but)
    if session.scalar(double):
        raise Refused("name_taken", f"本方案已有名为“{name}”的场次，请换一个名称。")
    return name


def papers_for(session: Session, sitting: Sitting) -> list[PaperChoice]:
    """Sealed papers of the same school, standard and level; forms made together stand together, the newest first."""
    used = (sa.select(sa.func.count(SittingPaper.id)).where(
        SittingPaper.paper_id == Paper.id, SittingPaper.sitting_id != sitting.id).correlate(Paper).scalar_subquery())
    query = (sa.select(Paper.id, Paper.name, Paper.form, Paper.fingerprint, Paper.sealed_at, Specification.minutes,
                       Paper.family_id, sa.func.coalesce(PaperFamily.is_pool, sa.false()), used)
             .outerjoin(PaperFamily, PaperFamily.id == Paper.family_id)
             .join(Specification, Specification.id == Paper.specification_id)
             .join(WeightTable, WeightTable.id == Specification.table_id)
             .where(Paper.state == PaperState.SEALED, Paper.institution_id == sitting.plan.institution_id,
                    WeightTable.standard_id == sitting.plan.standard_id, WeightTable.level == sitting.plan.level)
             .order_by(Paper.family_id.desc(), Paper.form, Paper.sealed_at.desc(), Paper.id.desc()))
    return [PaperChoice(*row) for row in session.execute(query)]


def pools_in(papers: Sequence[PaperChoice]) -> list[tuple[int, str, int]]:
    """Of the papers that may be chosen: each pool's family, its name, how many forms."""
    counted = Counter(paper.family_id for paper in papers if paper.is_pool and paper.family_id)
    names = {paper.family_id: paper.name.rsplit(" ", 1)[0] for paper in papers}
    return [(family_id, names[family_id], count) for family_id, count in counted.items()]


def choose_paper(session: Session, sitting: Sitting, paper_id: int, who: Viewer) -> None:
    """The one sealed paper of a sitting, as :func:`choose_papers`."""
    choose_papers(session, sitting, [paper_id], who)


def choose_papers(session: Session, sitting: Sitting, paper_ids: Collection[int], who: Viewer) -> None:
    """The sealed papers of a sitting, several only when they are forms made together; their minutes become the sitting's.

    Refuses other schools', standards' and levels' papers, and those whose composer or an item's author is a candidate.
    """
    require_officer(session, sitting.plan, who)
    require_planned(sitting)
    guard.require_plan_in_scope(session, sitting.plan)
    _require_fitting(session, sitting, paper_ids)
    chosen = [paper for paper in papers_for(session, sitting) if paper.id in set(paper_ids)]
    if not chosen or len(chosen) != len(set(paper_ids)):
        raise Refused("paper_not_fitting", f"没有找到这份试卷。只能选用本校、同一标准、同一等级的已封存试卷，不得授权或委托其他机构（{guard.SCOPE}）。")
    if len(chosen) > 1 and (len({paper.family_id for paper in chosen}) > 1 or chosen[0].family_id is None):
        raise Refused("not_one_family", "一个场次的几份试卷应是同一次组卷的平行卷（A、B……）。请只选同一次组卷的试卷，或只选一份。")
    ids = [paper.id for paper in chosen]
    if sentence := _practised(session, ids, hold=True):
        raise Refused("practice_items", f"{sentence}请换一份试卷。")
    enrolled = sa.select(Account.name).join(Enrolment, Enrolment.account_id == Account.id).where(
        Enrolment.plan_id == sitting.plan_id, Account.id.in_(makers(session, ids)))
    if names := session.scalars(enrolled.order_by(Account.name)).all():
        raise Refused("maker_is_candidate", f"{'、'.join(names)}是本方案的考生，又参与了这份试卷的命题或组卷，应当回避。请换一份试卷。")
    sitting.papers = [session.get_one(Paper, key) for key in ids]
    sitting.minutes = chosen[0].minutes
    session.flush()
    staffing.check_clashes(session, sitting)


def _require_fitting(session: Session, sitting: Sitting, paper_ids: Collection[int]) -> None:
    """Refuse, with the clause, the school's own papers of another standard, work type or level. Others' are not told of."""
    for paper in session.scalars(sa.select(Paper).where(Paper.id.in_(paper_ids), Paper.institution_id == sitting.plan.institution_id)):
        guard.require_same(sitting.plan, paper.specification.table.standard, paper.specification.table.level, "所选试卷")


def choose_pool(session: Session, sitting: Sitting, family_id: int, who: Viewer) -> int:
    """A form for each candidate of the plan from a sealed pool, those that no other sitting has first. How many forms.

    Where a part of the pool is opened already, only opened forms count: what stayed shut then has an item that was stopped.
    """
    require_officer(session, sitting.plan, who)
    held = [paper for paper in papers_for(session, sitting) if paper.family_id == family_id]
    opened = set(session.scalars(sa.select(Paper.id).where(Paper.family_id == family_id, Paper.opened_at.is_not(None))))
    held = [paper for paper in held if paper.id in opened] if opened else held
    needed = session.scalar(sa.select(sa.func.count(Enrolment.id)).where(Enrolment.plan_id == sitting.plan_id)) or 1
    order = sorted(held, key=lambda paper: (paper.used_in, hashlib.sha256(f"{sitting.id} {paper.fingerprint}".encode()).hexdigest()))
    choose_papers(session, sitting, [paper.id for paper in order[:needed]], who)
    return len(sitting.forms)


def makers(session: Session, paper_ids: Iterable[int]) -> set[int]:
    """Accounts of the composers of these papers and of the authors of their items."""
    ids = list(paper_ids)
    composers = sa.select(Paper.composer_id).where(Paper.id.in_(ids))
    versions = {version for held in packs.version_ids(session, ids).values() for version in held}
    authors = sa.select(ItemVersion.author_id).where(ItemVersion.id.in_(versions))
    return set(session.scalars(composers.union(authors)))


def obstacles(session: Session, sitting: Sitting) -> list[str]:
    """What still lacks before sheets can be dealt, one sentence each; empty when nothing does."""
    plan, found = sitting.plan, []
    if plan.state != PlanState.APPROVED:
        found.append(f"考务方案{plan.state.chinese}，批准后才能发卷。")
    if not sitting.forms:
        found.append("还没有选用试卷。")
    if not sitting.rooms:
        found.append("还没有安排考场。")
    seated = session.scalar(sa.select(sa.func.count(Seat.id)).where(Seat.sitting_id == sitting.id)) or 0
    if not seated:
        found.append("还没有编排座位。")
    if ids := [form.paper_id for form in sitting.forms]:
        if sentence := _practised(session, ids):
            found.append(sentence)
        insiders = makers(session, ids)
        query = (sa.select(Account.name).join(Enrolment, Enrolment.account_id == Account.id)
                 .join(Seat, Seat.enrolment_id == Enrolment.id)
                 .where(Seat.sitting_id == sitting.id, Account.id.in_(insiders)))
        found += [f"考生{name}参与了本场试卷的命题或组卷，应当回避。" for name in session.scalars(query)]
    return found + drift.drifts(sitting) + staffing.shortages(session, sitting)


def _practised(session: Session, paper_ids: Collection[int], *, hold: bool = False) -> str:
    """A sentence when candidates may have seen items of these papers in practice; empty when not."""
    held = {version for found in packs.version_ids(session, paper_ids).values() for version in found}
    shown = practice_items(session, sorted(held), hold=hold)
    named = "、".join(f"题 {item_id}" for item_id in shown[:5]) + ("等" if len(shown) > 5 else "")
    return f"所选试卷有 {len(shown)} 道题（{named}）已转入练习题库，考生在练习中见过，不能用于考试。" if shown else ""


def unseated(session: Session, plan: ExamPlan) -> int:
    """Candidates of ``plan`` without a seat in any of its sittings."""
    query = sa.select(sa.func.count(Enrolment.id)).where(Enrolment.plan_id == plan.id, ~Enrolment.seats.any())
    return session.scalar(query) or 0

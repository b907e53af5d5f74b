"""How the demo's items were reviewed: blind answers, verdicts with estimates, and what is still under way."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session, contains_eager, joinedload, selectinload

from qbank.items import bank, practice, review, tasks
from qbank.items.models import Item, ItemVersion
from qbank.items.states import ItemKind, ItemState, Purpose, Verdict
from qbank.kernel.access import Viewer
from qbank.kernel.accounts import Institution
from qbank.kernel.times import local_date
from qbank.papers import packs
from qbank.papers.models import Paper
from qbank.standards.models import Standard, WeightTable
from seed.practice import ITEMS
from seed.stage import Stage

LEFT_IN_REVIEW = 25  # every so many items of level 4, so that reviewers find work
SLIPS = 61  # every so many blind answers are wrong
EASE = {1: 85, 2: 75, 3: 65, 4: 50, 5: 40}  # share right that reviewers expect by the author's grade


def in_state(session: Session, table_id: int, state: ItemState, purpose: Purpose = Purpose.EXAM) -> list[ItemVersion]:
    return list(session.scalars(sa.select(ItemVersion).join(ItemVersion.item).where(
        ItemVersion.state == state, Item.table_id == table_id, Item.purpose == purpose)
        .options(selectinload(ItemVersion.options), selectinload(ItemVersion.reviews),
                 contains_eager(ItemVersion.item).options(selectinload(Item.versions), joinedload(Item.table).joinedload(
                     WeightTable.standard).joinedload(Standard.occupation)))
        .order_by(ItemVersion.id)))


def submit_and_approve(stage: Stage, table_id: int, author: str, *, leave: bool) -> None:
    """All drafts of a bank go to review and pass; with ``leave`` every so many wait until :func:`under_way`."""
    with stage.acting(author, stage.days(-149)) as (session, who):
        drafts = in_state(session, table_id, ItemState.DRAFT)
        bank.submit_many(session, [version for version in drafts if not leave or version.id % LEFT_IN_REVIEW], who,
                         now=stage.days(-149))
    for login, day in (("reviewer", -146), ("reviewer2", -144)):
        with stage.acting(login, stage.days(day)) as (session, who):
            accept(session, in_state(session, table_id, ItemState.SUBMITTED), who, stage.days(day))


def accept(session: Session, versions: Sequence[ItemVersion], who: Viewer, at: datetime) -> None:
    """Blind answers, now and then a wrong one, and acceptances with estimates; written together, it is much faster."""
    session.info["school"] = session.get(Institution, versions[0].item.institution_id)  # held: the rules find it at once
    with session.no_autoflush:
        owns = {version.id: review.answer(session, version, who, (_wrong if _slips(version, who) else _right)(version), now=at)
                for version in versions}
    session.flush()
    with session.no_autoflush:
        for version in versions:
            comment = "盲答时看错了条件，核对后答案无误。" if owns[version.id].agrees is False else ""
            share = EASE[version.difficulty] + (version.id * 7 + who.account_id * 3) % 16 - 8
            review.judge(session, version, who, Verdict.ACCEPT, comment, now=at, estimate=share)


def _slips(version: ItemVersion, who: Viewer) -> bool:
    return (version.id + who.account_id) % SLIPS == 0


def fill_practice_bank(stage: Stage, table_id: int) -> None:
    """Items that were written for practice; they are reviewed like all others."""
    at = stage.days(-60)
    with stage.acting("author", at) as (session, who):
        table = session.get_one(WeightTable, table_id)
        school = who.institution_for(*(scope.role for scope in who.scopes)) or 0
        made = [bank.add_item(session, table, school, draft, who, now=at, purpose=Purpose.PRACTICE) for draft in ITEMS]
        bank.submit_many(session, made, who, now=at)
    for login in ("reviewer", "reviewer2"):
        with stage.acting(login, stage.days(-58)) as (session, who):
            accept(session, in_state(session, table_id, ItemState.SUBMITTED, Purpose.PRACTICE), who, stage.days(-58))


def under_way(stage: Stage, table_id: int) -> None:
    """Items in every stage of review, some of it overdue; a suspended, a retired and an edited one."""
    with stage.acting("author", stage.days(-9)) as (session, who):
        drafts = in_state(session, table_id, ItemState.DRAFT)
        bank.submit_many(session, drafts[:6], who, now=stage.days(-9))  # due two days ago
    _first_verdicts(stage, table_id)
    _answer_the_minor_return(stage, table_id)
    with stage.acting("author", stage.days(-4)) as (session, who):
        bank.submit_many(session, in_state(session, table_id, ItemState.DRAFT), who, now=stage.days(-4))
    _ask_reviewers(stage, table_id)
    _trouble(stage, table_id)


def _first_verdicts(stage: Stage, table_id: int) -> None:
    at = stage.days(-7)
    with stage.acting("reviewer", at) as (session, who):
        waiting = in_state(session, table_id, ItemState.SUBMITTED)
        review.answer(session, waiting[0], who, _wrong(waiting[0]), now=at)
        review.judge(session, waiting[0], who, Verdict.MAJOR, "题干中的条件不完整，按题意可以有两个答案：请写明电源频率后重新提交。", now=at)
        accept(session, waiting[1:2], who, at)
        review.answer(session, waiting[2], who, _right(waiting[2]), now=at)
        review.judge(session, waiting[2], who, Verdict.MINOR, "答案没有问题。解析太简略，请补充依据。", now=at, estimate=70)
        review.answer(session, waiting[3], who, _wrong(waiting[3]), now=at)  # no verdict yet: the author sees the flag


def _answer_the_minor_return(stage: Stage, table_id: int) -> None:
    at = stage.days(-5)
    with stage.acting("author", at) as (session, who):
        version = in_state(session, table_id, ItemState.RETURNED)[-1]
        review.reply(session, version.reviews[-1], who, "已按教材原文补充解析。", now=at)
        draft = bank.draft_of(version)
        made = bank.edit(session, version, dataclasses.replace(draft, explanation=draft.explanation + "（依据：教材相应章节原文。）"), who,
                         now=at, reason="按审题意见补充解析")
        bank.submit(session, made, who, now=at)


def _ask_reviewers(stage: Stage, table_id: int) -> None:
    at = stage.days(-3)
    with stage.acting("reviewer", at) as (session, who):
        people = [stage.account_id(session, login) for login in ("reviewer", "reviewer2")]
        waiting = in_state(session, table_id, ItemState.SUBMITTED)
        tasks.assign(session, waiting[-8:], people, who, due=local_date(at + timedelta(days=5)), now=at)


def _trouble(stage: Stage, table_id: int) -> None:
    with stage.acting("author", stage.days(-3)) as (session, who):
        approved = in_state(session, table_id, ItemState.APPROVED)
        bank.retire(session, approved[-1], who, "与现行教材的表述不一致，停用待改写。", now=stage.days(-3))
        version = approved[-2]
        draft = bank.draft_of(version)
        bank.edit(session, version, dataclasses.replace(draft, explanation=draft.explanation + "（补充：修订时已与教材核对。）"), who,
                  now=stage.days(-3), reason="补充解析")
    with stage.acting("reviewer2", stage.days(-2)) as (session, who):
        bank.suspend(session, in_state(session, table_id, ItemState.APPROVED)[-3], who, "学生反映选项 B 与新版教材的说法不同，待核实。",
                     now=stage.days(-2))


def release_some(stage: Stage, table_id: int) -> None:
    """Two items that are in no paper are given to candidates for practice."""
    at = stage.days(-1)
    with stage.acting("author", at) as (session, who):
        held = {version_id for ids in packs.version_ids(session, session.scalars(sa.select(Paper.id))).values() for version_id in ids}
        free = [version for version in in_state(session, table_id, ItemState.APPROVED) if version.id not in held]
        for version in free[:2]:
            practice.release_for_practice(session, version.item, who, "教材配套练习已公开此题。", now=at)


def _right(version: ItemVersion) -> list[str]:
    return list(version.key) if version.kind in {ItemKind.SINGLE, ItemKind.MULTIPLE} else [version.key]


def _wrong(version: ItemVersion) -> list[str]:
    """Another answer than the key's."""
    if version.kind is ItemKind.ESSAY:
        return ["先断电验电，再从电源开始逐段检查。"]
    if version.kind is ItemKind.JUDGE:
        return ["F" if version.key == "T" else "T"]
    letters = [option.letter for option in version.options]
    return [next(letter for letter in letters if letter not in version.key or len(version.key) > 1)]

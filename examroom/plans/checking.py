"""Rows of a roster judged before anything is written: faults, doubles across the plan and other plans, who must not sit."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session, selectinload

from examroom.filing.scopes import NOTICE
from examroom.plans import barred, entry, guard, roster
from examroom.plans.condition_models import EntryCondition
from examroom.plans.models import Enrolment, ExamPlan, Sitting, SittingPaper, SittingState
from examroom.plans.predicate import Facts, Finding, Predicate, evaluate
from examroom.plans.roster import RosterRow
from examroom.plans.sheets_in import day_of
from examroom.plans.sittings import makers
from qbank.kernel import identity
from qbank.kernel.accounts import Account
from qbank.kernel.identity import IdentityCipher, IdentityKind
from qbank.kernel.refused import Refused
from qbank.kernel.times import local_date
from qbank.standards.models import Standard

LONGEST_NAME = 60
AT_ONCE = 500  # keys in one IN (...)
OWN_STUDENTS = f"（{NOTICE} 一（一））"


@dataclass
class Book:
    """What the school, the plan and other plans already hold about the people of a roster, read once."""

    options: list[EntryCondition]
    accounts: dict[str, Account]  # identity hash → account of this school
    enrolled: set[int]
    student_numbers: dict[str, str]  # of the plan → name
    namesakes: set[tuple[str, date]]  # (name, birth date) in the plan
    elsewhere: dict[str, str]  # identity hash → why another plan is in the way
    apart: dict[int, str]  # account → why he and the plan's staff must not meet
    makers: set[int]  # of the papers chosen for the plan
    barred: dict[str, str]  # identity hash → why not
    seen: dict[str, str] = field(default_factory=dict)  # number, student number or name and birth date of the file → place


@dataclass
class Checked:
    """A row, what it means, and what is wrong (problems) or has to be confirmed (doubts)."""

    row: RosterRow
    number: str = ""
    kind: IdentityKind = IdentityKind.RESIDENT
    born: date | None = None
    facts: Facts = Facts()  # noqa: RUF009  # frozen
    condition: EntryCondition | None = None
    problems: list[str] = field(default_factory=list)
    doubts: list[str] = field(default_factory=list)
    findings: tuple[Finding, ...] = ()


def examine(session: Session, plan: ExamPlan, rows: Sequence[RosterRow], cipher: IdentityCipher, *, now: datetime) -> list[Checked]:
    """Every row judged, in order; nothing is written."""
    found = [_read(row) for row in rows]
    book = read_book(session, plan, [key for one in found if one.number for key in cipher.fingerprints(one.number)], now)
    for one in found:
        _judge(one, plan, book, cipher)
    return found


def _read(row: RosterRow) -> Checked:
    """What the row means by itself."""
    found = Checked(row)
    if not row.name:
        found.problems.append("没有填写姓名。")
    elif len(row.name) > LONGEST_NAME:
        found.problems.append(f"姓名超过 {LONGEST_NAME} 个字。")
    if not row.student_number:
        found.problems.append(f"没有填写学号：只为本校在籍学生开展认定{OWN_STUDENTS}。")
    try:
        found.facts = row.facts
    except Refused as refusal:
        found.problems.append(refusal.sentence)
    if not row.identity_number:
        found.problems.append("没有填写证件号码（身份证号码）。")
    elif roster.is_scientific(row.identity_number):
        found.problems.append("身份证号码被 Excel 变成了科学计数法，末尾几位已丢失。请把该列设为“文本”格式后重新填写。")
    else:
        _identify(found)
    return found


def _identify(found: Checked) -> None:
    row = found.row
    try:
        found.kind = IdentityKind.named(row.identity_kind)
        found.number = identity.check(row.identity_number, found.kind)
        written = day_of(row.born, "出生日期")
    except Refused as refusal:
        found.problems.append(refusal.sentence)
        return
    if found.kind is not IdentityKind.RESIDENT:
        found.born = written
        if written is None or not row.sex:
            found.problems.append(f"{found.kind.chinese}上的号码不说明出生日期和性别，请填写这两列。")
        return
    found.born = identity.birth_date(found.number)
    if written is not None and (written.year, written.month) != (found.born.year, found.born.month):
        found.problems.append(f"出生日期与身份证号码中的 {found.born.isoformat()} 不一致。")
    sex = "女" if identity.is_female(found.number) else "男"
    if row.sex and row.sex != sex:
        found.problems.append(f"性别与身份证号码不一致（号码表示{sex}）。")


def _judge(one: Checked, plan: ExamPlan, book: Book, cipher: IdentityCipher) -> None:
    """What the plan, the school and other plans say about it."""
    try:
        one.condition = entry.chosen(book.options, one.row.entry_condition)
        one.findings = evaluate(Predicate.read(one.condition.predicate), one.facts, one.born, plan.starts_on)
    except Refused as refusal:
        one.problems.append(refusal.sentence)
    if one.number:
        keys = cipher.fingerprints(one.number)
        one.problems += _double(book, f"号码 {one.number}", one.row, "证件号码")
        one.problems += [said[key] for said in (book.barred, book.elsewhere) for key in keys if key in said]
        account = next((book.accounts[key] for key in keys if key in book.accounts), None)
        one.problems += _account_problems(one.row, account, book) if account else []
        if account is None or account.id not in book.enrolled:
            _namesake(one, book)
    if one.row.student_number:
        one.problems += _double(book, f"学号 {one.row.student_number}", one.row, "学号")
        holder = book.student_numbers.get(one.row.student_number)
        if holder is not None and "该考生已在本方案名单中。" not in one.problems:
            one.problems.append(f"学号 {one.row.student_number} 在本方案中已属于{holder}。")


def _namesake(one: Checked, book: Book) -> None:
    if one.born is None:
        return
    mark = f"同名 {one.row.name} {one.born}"
    first = book.seen.setdefault(mark, one.row.place)
    if first != one.row.place:
        one.doubts.append(f"与{first}姓名和出生日期相同、证件号码不同，请核对是不是同一个人。")
    elif (one.row.name, one.born) in book.namesakes:
        one.doubts.append("本方案中已有姓名和出生日期相同、证件号码不同的考生，请核对是不是同一个人。")


def _double(book: Book, mark: str, row: RosterRow, what: str) -> list[str]:
    first = book.seen.setdefault(mark, row.place)
    return [f"{what}与{first}重复。"] if first != row.place else []


def _account_problems(row: RosterRow, account: Account, book: Book) -> list[str]:
    found = []
    if account.id in book.enrolled:
        found.append("该考生已在本方案名单中。")
    if account.name != row.name:
        found.append(f"该证件号码在本校登记的姓名是“{account.name}”，与名单不一致，请核对。")
    if not account.active:
        found.append("该考生的账号已停用，请联系系统管理员。")
    if account.id in book.apart:
        found.append(book.apart[account.id])
    if account.id in book.makers:
        found.append("该人员参与了本方案所用试卷的命题或组卷，应当回避。")
    return found


def known_problems(session: Session, plan: ExamPlan, row: RosterRow, key: str, over: int, now: datetime) -> list[str]:
    """What the plan, the school and other plans but ``over`` say about somebody whose account is known by the hash ``key``."""
    book = read_book(session, plan, [key], now, over=over)
    said = [sentence for sentence in (book.barred.get(key), book.elsewhere.get(key)) if sentence]
    return [*said, *_account_problems(row, book.accounts[key], book)] if key in book.accounts else said


def read_book(session: Session, plan: ExamPlan, hashes: Sequence[str], now: datetime, *, over: int = 0) -> Book:
    accounts: dict[str, Account] = {}
    elsewhere: dict[str, str] = {}
    for some in chunks(hashes):
        query = (sa.select(Account).options(selectinload(Account.grants)).order_by(Account.id.desc())
                 .where(Account.institution_id == plan.institution_id, Account.identity_hash.in_(some)))
        accounts |= {account.identity_hash or "": account for account in session.scalars(query)}
        elsewhere |= _elsewhere(session, plan, some, over, now)
    mine = session.execute(sa.select(Enrolment.account_id, Enrolment.student_number, Account.name, Enrolment.born)
                           .join(Account, Account.id == Enrolment.account_id).where(Enrolment.plan_id == plan.id)).all()
    papers = session.scalars(sa.select(SittingPaper.paper_id).join(SittingPaper.sitting).where(Sitting.plan_id == plan.id)).all()
    return Book(entry.conditions_for(session, plan.standard_id, plan.level), accounts, {row.account_id for row in mine},
                {row.student_number: row.name for row in mine if row.student_number}, {(row.name, row.born) for row in mine if row.born},
                elsewhere, guard.barred_candidates(session, plan, [account.id for account in accounts.values()]), makers(session, papers),
                barred.candidates(session, hashes, plan.starts_on))


def chunks(keys: Sequence[str]) -> Iterable[Sequence[str]]:
    return (keys[start:start + AT_ONCE] for start in range(0, len(keys), AT_ONCE))


def _elsewhere(session: Session, plan: ExamPlan, hashes: Sequence[str], over: int, now: datetime) -> dict[str, str]:
    """Who stands in another open plan: of another school at all, of this one for the same occupation and level."""
    running = sa.exists().where(Sitting.plan_id == ExamPlan.id, sa.or_(
        Sitting.state == SittingState.DEALT, sa.and_(Sitting.state == SittingState.PLANNED, Sitting.starts_at > now)))
    rows = session.execute(
        sa.select(Account.identity_hash, ExamPlan.institution_id, ExamPlan.number, Standard.occupation_id, ExamPlan.level)
        .join(Enrolment, Enrolment.account_id == Account.id).join(ExamPlan, ExamPlan.id == Enrolment.plan_id)
        .join(Standard, Standard.id == ExamPlan.standard_id)
        .where(Account.identity_hash.in_(hashes), ExamPlan.id.not_in((plan.id, over)), sa.or_(ExamPlan.starts_on >= local_date(now), running)))
    found: dict[str, str] = {}
    for key, school, number, occupation, level in rows:
        if school != plan.institution_id:
            found[key or ""] = f"该考生正在另一所学校报名认定（计划编号 {number}）。只为本校在籍学生开展认定{OWN_STUDENTS}，请核对学籍。"
        elif (occupation, level) == (plan.standard.occupation_id, plan.level):
            found.setdefault(key or "", f"该考生已在本校同一职业同一等级的另一方案（计划编号 {number}）中，不能重复报名。")
    return found

"""Candidates of a plan: checked row by row, enrolled with a ticket number, taken off again."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session, selectinload

from examroom.plans import roster, staffing, tickets
from examroom.plans.barred import barred
from examroom.plans.desk import require_officer
from examroom.plans.models import Enrolment, ExamPlan, RosterImport, Sitting, SittingPaper, SittingState
from examroom.plans.roster import RosterRow, read_roster
from examroom.plans.sittings import makers, require_planned
from qbank.kernel import identity
from qbank.kernel.access import Role, Scope, Viewer
from qbank.kernel.accounts import Account, Grant, give, set_identity
from qbank.kernel.identity import IdentityCipher
from qbank.kernel.refused import Refused

__all__ = ["RosterRow", "check_rows", "enrol", "import_roster", "is_open", "read_roster", "reissue_code", "remove",
           "upload"]

LONGEST_NAME = 60
AT_ONCE = 500  # keys in one IN (...)
SHOWN = 20  # findings in a refusal
CLOSED = "本方案的场次都已发卷，不能再增加考生。需要补考的考生请另行申报方案。"


@dataclass
class Book:
    """What the school and the plan already hold about the people of a roster, read once."""

    accounts: dict[str, Account]  # identity hash -> account of this school
    enrolled: set[int]
    invigilators: set[int]
    makers: set[int]  # of the papers chosen for the plan
    barred: dict[str, str]  # identity hash -> why not


def enrol(session: Session, plan: ExamPlan, who: Viewer, *, name: str, identity_number: str, cipher: IdentityCipher,
          student_number: str = "", class_name: str = "", entry_condition: str = "", now: datetime) -> Enrolment:
    """One candidate, by hand. Refuses with the first thing that is wrong."""
    row = roster.row_of(0, {"name": name, "identity_number": identity_number, "student_number": student_number,
                            "class_name": class_name, "entry_condition": entry_condition})
    require_officer(session, plan, who)
    _require_open(session, plan)
    book = _book(session, plan, [row], cipher)
    if problems := _problems(row, book, cipher, {}):
        raise Refused("candidate", problems[0])
    return _write(session, plan, [row], book, cipher)[0]


def check_rows(session: Session, plan: ExamPlan, rows: Sequence[RosterRow], cipher: IdentityCipher) -> dict[int, list[str]]:
    """Row -> what is wrong with it, for the rows that cannot be imported; nothing is written."""
    book = _book(session, plan, rows, cipher)
    seen: dict[str, int] = {}
    return {row.row: problems for row in rows if (problems := _problems(row, book, cipher, seen))}


def import_roster(session: Session, plan: ExamPlan, rows: Sequence[RosterRow], who: Viewer, *, cipher: IdentityCipher,
                  now: datetime) -> int:
    """Enrol all of ``rows``, or none: refuses when one of them is wrong."""
    require_officer(session, plan, who)
    _require_open(session, plan)
    book = _book(session, plan, rows, cipher)
    seen: dict[str, int] = {}
    found = [(row.row, problems) for row in rows if (problems := _problems(row, book, cipher, seen))]
    if found:
        details = [f"第 {row} 行：{''.join(problems)}" for row, problems in found[:SHOWN]]
        raise Refused("roster_errors", f"名单有 {len(found)} 行不能导入，没有写入任何考生。请改正后重新上传，或只导入正确的行。", details)
    return len(_write(session, plan, rows, book, cipher))


def upload(session: Session, plan: ExamPlan, file_name: str, content: bytes, who: Viewer, *, cipher: IdentityCipher,
           now: datetime) -> RosterImport:
    """Keep the rows of an uploaded roster, encrypted, until they are imported or thrown away."""
    require_officer(session, plan, who)
    _require_open(session, plan)
    rows = read_roster(content)
    kept = RosterImport(plan_id=plan.id, file_name=file_name, uploaded_by=who.account_id, uploaded_at=now,
                        content=cipher.encrypt(roster.to_json(rows)))
    session.add(kept)
    session.flush()
    return kept


def rows_of(kept: RosterImport, cipher: IdentityCipher) -> list[RosterRow]:
    """The rows that wait. Refuses when they were imported or thrown away."""
    if kept.content is None:
        raise Refused("roster_ended", f"“{kept.file_name}”已经处理过（导入 {kept.imported} 人），其中的身份证号码已清除。需要时请重新上传。")
    return roster.from_json(cipher.decrypt(kept.content))


def end_import(kept: RosterImport, imported: int, *, now: datetime) -> None:
    """The rows have done their service: forget them."""
    kept.content, kept.imported, kept.ended_at = None, imported, now


def remove(session: Session, enrolment: Enrolment, who: Viewer) -> None:
    """Take a candidate off the plan, until a sitting with his seat is dealt."""
    require_officer(session, enrolment.plan, who)
    for seat in enrolment.seats:
        require_planned(seat.sitting_room.sitting)
    session.delete(enrolment)
    session.flush()


def reissue_code(session: Session, enrolment: Enrolment, who: Viewer, reason: str, *, now: datetime) -> None:
    """A new exam code: the printed one opens nothing any more. Somebody who is signed in with it stays signed in."""
    require_officer(session, enrolment.plan, who)
    reason = reason.strip()
    if not 2 <= len(reason) <= 200:
        raise Refused("reason", "请写明换发考试码的原因（2 至 200 个字），例如“准考证遗失”。")
    enrolment.code_issue, enrolment.code_reason = enrolment.code_issue + 1, reason
    session.flush()


def is_open(session: Session, plan: ExamPlan) -> bool:
    """Whether candidates may still join: until the sheets of all sittings are dealt."""
    states = set(session.scalars(sa.select(Sitting.state).where(Sitting.plan_id == plan.id)))
    return not states or SittingState.PLANNED in states


def _require_open(session: Session, plan: ExamPlan) -> None:
    if not is_open(session, plan):
        raise Refused("enrolment_closed", CLOSED)


def _book(session: Session, plan: ExamPlan, rows: Iterable[RosterRow], cipher: IdentityCipher) -> Book:
    hashes = [cipher.fingerprint(_compact(row.identity_number)) for row in rows]
    accounts: dict[str, Account] = {}
    for start in range(0, len(hashes), AT_ONCE):
        query = (sa.select(Account).options(selectinload(Account.grants)).order_by(Account.id.desc())
                 .where(Account.institution_id == plan.institution_id,
                        Account.identity_hash.in_(hashes[start:start + AT_ONCE])))
        accounts |= {account.identity_hash or "": account for account in session.scalars(query)}
    papers = session.scalars(sa.select(SittingPaper.paper_id).join(SittingPaper.sitting).where(Sitting.plan_id == plan.id)).all()
    return Book(accounts, set(session.scalars(sa.select(Enrolment.account_id).where(Enrolment.plan_id == plan.id))),
                staffing.invigilates(session, plan.id), makers(session, papers), barred(session, hashes, plan.starts_on))


def _compact(number: str) -> str:
    return number.replace(" ", "").upper()


def _problems(row: RosterRow, book: Book, cipher: IdentityCipher, seen: dict[str, int]) -> list[str]:
    found = []
    if not row.name:
        found.append("没有填写姓名。")
    elif len(row.name) > LONGEST_NAME:
        found.append(f"姓名超过 {LONGEST_NAME} 个字。")
    if not row.entry_condition:
        found.append("没有填写申报条件。")
    return found + _identity_problems(row, book, cipher, seen)


def _identity_problems(row: RosterRow, book: Book, cipher: IdentityCipher, seen: dict[str, int]) -> list[str]:
    if not row.identity_number:
        return ["没有填写身份证号码。"]
    if roster.is_scientific(row.identity_number):
        return ["身份证号码被 Excel 变成了科学计数法，末尾几位已丢失。请把该列设为“文本”格式后重新填写。"]
    try:
        number = identity.check(row.identity_number)
    except Refused as refusal:
        return [refusal.sentence]
    if (first := seen.setdefault(number, row.row)) != row.row:
        return [f"身份证号码与第 {first} 行重复。"]
    key = cipher.fingerprint(number)
    account, ban = book.accounts.get(key), book.barred.get(key)
    return [*([ban] if ban else []), *(_account_problems(row, account, book) if account else [])]


def _account_problems(row: RosterRow, account: Account, book: Book) -> list[str]:
    found = []
    if account.id in book.enrolled:
        found.append("该考生已在本方案名单中。")
    if account.name != row.name:
        found.append(f"该身份证号码在本校登记的姓名是“{account.name}”，与名单不一致，请核对。")
    if not account.active:
        found.append("该考生的账号已停用，请联系系统管理员。")
    if account.id in book.invigilators:
        found.append("该人员是本方案的监考员，不能同时是考生。")
    if account.id in book.makers:
        found.append("该人员参与了本方案所用试卷的命题或组卷，应当回避。")
    return found


def _write(session: Session, plan: ExamPlan, rows: Sequence[RosterRow], book: Book, cipher: IdentityCipher) -> list[Enrolment]:
    """Checked rows become accounts and enrolments. The plan's version makes two writers of ticket numbers collide."""
    enrolments = []
    for row, account in zip(rows, _accounts(session, plan, rows, book, cipher), strict=True):
        plan.last_serial += 1
        ticket = tickets.ticket_number(plan.starts_on.year, plan.id, plan.level, plan.last_serial)
        enrolments.append(Enrolment(plan_id=plan.id, candidate=account, ticket_number=ticket, student_number=row.student_number[:200],
                                    class_name=row.class_name[:200], entry_condition=row.entry_condition))
    session.add_all(enrolments)
    session.flush()
    return enrolments


def _accounts(session: Session, plan: ExamPlan, rows: Sequence[RosterRow], book: Book, cipher: IdentityCipher) -> list[Account]:
    """Each person's account at this school, in the order of ``rows``; a new one has no password: the exam door only.

    New accounts are made together: one by one through ``create_account`` a roster takes three times as long.
    """
    numbers = [identity.check(row.identity_number) for row in rows]
    logins = {number: f"c{cipher.fingerprint(number)[:16]}" for number in numbers}
    taken: set[str] = set()
    for start in range(0, len(numbers), AT_ONCE):
        some = [logins[number] for number in numbers[start:start + AT_ONCE]]
        taken.update(session.scalars(sa.select(Account.login).where(Account.login.in_(some))))
    accounts = []
    for row, number in zip(rows, numbers, strict=True):
        account = book.accounts.get(cipher.fingerprint(number))
        if account is None:
            login = logins[number]
            if login in taken:
                login += f"-{plan.institution_id}"  # the same person at another school
            account = Account(login=login, name=row.name, institution_id=plan.institution_id)
            account.grants = [Grant(role=Role.CANDIDATE, institution_id=plan.institution_id)]
            set_identity(account, number, cipher)
        else:
            give(session, account, Scope(Role.CANDIDATE, plan.institution_id))
        accounts.append(account)
    session.add_all(accounts)
    return accounts

"""Candidates of a plan: enrolled with a ticket number, by hand or from a roster that was checked row by row, taken off again."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from examroom.plans import fees, guard, roster, tickets
from examroom.plans.checking import OWN_STUDENTS, Checked, chunks, examine
from examroom.plans.condition_models import EntryCondition
from examroom.plans.models import Enrolment, ExamPlan, Sitting, SittingState
from examroom.plans.predicate import Facts
from examroom.plans.qualification_models import EntryProof, QualificationCheck
from examroom.plans.roster import RosterRow, read_roster
from examroom.plans.roster_models import RosterImport
from examroom.plans.sittings import require_planned
from examroom.plans.staffing import require_officer
from qbank.kernel.access import Role, Scope, Viewer
from qbank.kernel.accounts import Account, Grant, give, set_identity
from qbank.kernel.identity import IdentityCipher
from qbank.kernel.refused import Refused

__all__ = ["RosterRow", "enrol", "import_roster", "is_open", "read_roster", "reissue_code", "remove", "upload"]

SHOWN = 20  # findings in a refusal
CLOSED = "本方案的场次都已发卷，不能再增加考生。需要补考的考生请另行申报方案。"
NOT_DECLARED = f"请确认并声明：所列人员均为本校在籍学生{OWN_STUDENTS}。声明人和时间会记录在每名考生的报名中。"


def enrol(session: Session, plan: ExamPlan, who: Viewer, *, name: str, identity_number: str, cipher: IdentityCipher,
          student_number: str, entry_condition: str, declared: bool, now: datetime, class_name: str = "", identity_kind: str = "",
          born: str = "", facts: Facts | None = None, confirmed: bool = False) -> Enrolment:
    """One candidate, by hand. Refuses with the first thing that is wrong; a doubt has to be confirmed.

    ``entry_condition`` is the number or the words of an option; ``declared``: the officer says that it is the school's own student.
    """
    row = roster.row_of(0, {"name": name, "identity_number": identity_number, "student_number": student_number, "class_name": class_name,
                            "entry_condition": entry_condition, "identity_kind": identity_kind, "born": born, **written(facts or Facts())})
    require_open(session, plan, who, declared)
    found = examine(session, plan, [roster.with_defaults(row, school_defaults(plan))], cipher, now=now)[0]
    if found.problems:
        raise Refused("candidate", found.problems[0])
    if found.doubts and not confirmed:
        raise Refused("candidate_doubt", f"{found.doubts[0]}核对后确实不是同一人的，请勾选“已核对不是同一人”再登记。")
    return _write(session, plan, [found], cipher, who, now)[0]


def written(facts: Facts) -> dict[str, str]:
    """Facts as a roster has them: texts."""
    return {name: str(value) for name, value in facts.stored().items()}


def school_defaults(plan: ExamPlan) -> dict[str, str]:
    """What holds for everybody who studies here unless the row says otherwise."""
    kind = plan.institution.kind.chinese
    return {"school_kind": kind if kind != "其他院校" else ""}


def import_roster(session: Session, plan: ExamPlan, rows: Sequence[RosterRow], who: Viewer, *, cipher: IdentityCipher,
                  declared: bool, now: datetime, confirmed: Collection[str] = ()) -> int:
    """Enrol all of ``rows``, or none: refuses when one of them is wrong, or doubtful and its place not among ``confirmed``."""
    require_open(session, plan, who, declared)
    found = examine(session, plan, rows, cipher, now=now)
    if wrong := [one for one in found if one.problems or (one.doubts and one.row.place not in confirmed)]:
        details = [f"{one.row.place}：{''.join(one.problems or one.doubts)}" for one in wrong[:SHOWN]]
        raise Refused("roster_errors", f"名单有 {len(wrong)} 行不能导入，没有写入任何考生。请改正后重新上传，或只导入正确的行。", details)
    return len(_write(session, plan, found, cipher, who, now))


def upload(session: Session, plan: ExamPlan, file_name: str, content: bytes, who: Viewer, *, cipher: IdentityCipher,
           declared: bool, now: datetime, defaults: Mapping[str, str] | None = None) -> RosterImport:
    """Keep the rows of an uploaded roster, encrypted, until they are imported or thrown away."""
    require_open(session, plan, who, declared)
    rows = read_roster(content)
    kept = RosterImport(plan_id=plan.id, file_name=file_name, uploaded_by=who.account_id, uploaded_at=now,
                        content=cipher.encrypt(roster.to_json(rows)),
                        defaults={name: value for name, value in {**school_defaults(plan), **(defaults or {})}.items() if value})
    session.add(kept)
    session.flush()
    return kept


def rows_of(kept: RosterImport, cipher: IdentityCipher) -> list[RosterRow]:
    """The rows that wait. Refuses when they were imported or thrown away."""
    if kept.content is None:
        raise Refused("roster_ended", f"“{kept.file_name}”已经处理过（导入 {kept.imported} 人），其中的身份证号码已清除。需要时请重新上传。")
    return [roster.with_defaults(row, kept.defaults) for row in roster.from_json(cipher.decrypt(kept.content))]


def end_import(kept: RosterImport, imported: int, *, now: datetime) -> None:
    """The rows have done their service: forget them."""
    kept.content, kept.imported, kept.ended_at = None, imported, now


def remove(session: Session, enrolment: Enrolment, who: Viewer) -> None:
    """Take a candidate off the plan, until a sitting with his seat is dealt."""
    require_officer(session, enrolment.plan, who)
    fees.require_paid_back(session, enrolment)
    for seat in enrolment.seats:
        require_planned(seat.sitting_room.sitting)
    for model in (EntryProof, QualificationCheck):
        for row in session.scalars(sa.select(model).where(model.enrolment_id == enrolment.id)):
            session.delete(row)
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


def require_open(session: Session, plan: ExamPlan, who: Viewer, declared: bool) -> None:
    """Refuse unless ``who`` may enrol here now, and has declared that it is the school's own students."""
    require_officer(session, plan, who)
    if not declared:
        raise Refused("not_declared", NOT_DECLARED)
    guard.require_plan_in_scope(session, plan)
    if not is_open(session, plan):
        raise Refused("enrolment_closed", CLOSED)


def _write(session: Session, plan: ExamPlan, found: Sequence[Checked], cipher: IdentityCipher, who: Viewer,
           now: datetime) -> list[Enrolment]:
    """Checked rows become accounts and enrolments. The plan's version makes two writers of ticket numbers collide."""
    enrolments = [new_enrolment(plan, account, who, now, student_number=one.row.student_number, class_name=one.row.class_name,
                                entry_condition=one.condition.text if one.condition else "", condition=one.condition,
                                facts=one.facts.stored(), born=one.born)
                  for one, account in zip(found, _accounts(session, plan, found, cipher), strict=True)]
    session.add_all(enrolments)
    session.flush()
    return enrolments


def new_enrolment(plan: ExamPlan, account: Account, who: Viewer, now: datetime, *, student_number: str, class_name: str,
                  entry_condition: str, condition: EntryCondition | None, facts: dict[str, Any], born: date | None,
                  photo_id: int | None = None) -> Enrolment:
    """The next ticket number of the plan, and who declared that it is the school's own student."""
    plan.last_serial += 1
    ticket = tickets.ticket_number(plan.starts_on.year, plan.id, plan.level, plan.last_serial)
    return Enrolment(plan_id=plan.id, candidate=account, ticket_number=ticket, student_number=student_number[:200], class_name=class_name[:200],
                     entry_condition=entry_condition, condition=condition, facts=facts, born=born, photo_id=photo_id,
                     declared_by=who.account_id, declared_at=now)


def _accounts(session: Session, plan: ExamPlan, found: Sequence[Checked], cipher: IdentityCipher) -> list[Account]:
    """Each person's account at this school, in the order of the rows; a new one has no password: the exam door only.

    New accounts are made together: one by one through ``create_account`` a roster takes three times as long.
    """
    keys = [cipher.fingerprints(one.number) for one in found]
    held: dict[str, Account] = {}
    taken: set[str] = set()
    for some in chunks([key for known in keys for key in known]):
        query = sa.select(Account).where(Account.institution_id == plan.institution_id, Account.identity_hash.in_(some))
        held |= {account.identity_hash or "": account for account in session.scalars(query.order_by(Account.id.desc()))}
        taken.update(session.scalars(sa.select(Account.login).where(Account.login.in_([f"c{key[:16]}" for key in some]))))
    accounts = []
    for one, known in zip(found, keys, strict=True):
        account = next((held[key] for key in known if key in held), None)
        if account is None:
            login = f"c{known[0][:16]}"
            if login in taken:
                login += f"-{plan.institution_id}"  # the same person at another school
            account = Account(login=login, name=one.row.name, institution_id=plan.institution_id)
            account.grants = [Grant(role=Role.CANDIDATE, institution_id=plan.institution_id)]
            set_identity(account, one.number, cipher, one.kind)
        else:
            give(session, account, Scope(Role.CANDIDATE, plan.institution_id))
        accounts.append(account)
    session.add_all(accounts)
    return accounts

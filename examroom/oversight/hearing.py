"""The hearing (陈述申辩) before somebody is punished: told what is held against him, a term of working days, a statement.

Nothing is decided against a person before the statement is in or the term is over. Candidates (``scoring.results``), staff
and schools are all heard in this way.
"""

from __future__ import annotations

from datetime import date, datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, declared_attr, mapped_column, relationship
from werkzeug.datastructures import FileStorage

from examroom.plans import calendar, calendars
from qbank.kernel import attachments
from qbank.kernel.access import Viewer
from qbank.kernel.attachments import Attachment
from qbank.kernel.refused import Refused
from qbank.kernel.times import local_date, spoken

LEAST, LONGEST = 5, 4000  # characters of a statement


class Heard:
    """Mixin of a case that is heard."""

    told_by: Mapped[int | None] = mapped_column(sa.ForeignKey("accounts.id"))  # null: not told yet
    told_at: Mapped[datetime | None]
    term_ends_on: Mapped[date | None]  # the last working day for the statement
    statement: Mapped[str] = mapped_column(default="", server_default="")
    stated_by: Mapped[int | None] = mapped_column(sa.ForeignKey("accounts.id"))  # the person, or who took it down on paper
    stated_at: Mapped[datetime | None]
    statement_file_id: Mapped[int | None] = mapped_column(sa.ForeignKey("attachments.id"))

    @declared_attr
    def statement_file(cls: type) -> Mapped[Attachment | None]:  # noqa: N805  # SQLAlchemy calls it with the class
        return relationship(foreign_keys=f"{cls.__name__}.statement_file_id")

    def is_heard(self, today: date) -> bool:
        """Whether a decision against the person may fall."""
        return self.told_at is not None and (self.stated_at is not None or (self.term_ends_on is not None and today > self.term_ends_on))

    def heard_words(self, today: date) -> str:
        """How far the hearing is."""
        if self.told_at is None:
            return "尚未告知当事人"
        if self.stated_at is not None:
            return f"已于 {spoken(self.stated_at)} 陈述申辩"
        if self.is_heard(today):
            return f"期限（{spoken(self.term_ends_on)}）已过，当事人未陈述申辩"
        return f"已告知，当事人可在 {spoken(self.term_ends_on)} 前陈述申辩"


def tell(session: Session, case: Heard, working_days: int, who: Viewer, *, now: datetime) -> None:
    """Tell the person; the term begins. The caller has checked whose case it is and that it is open."""
    if case.told_at is not None:
        raise Refused("told_already", f"已于 {spoken(case.told_at)} 告知，不能重新起算期限。")
    case.told_by, case.told_at = who.account_id, now
    case.term_ends_on = calendar.working_day_after(local_date(now), working_days, calendars.tables(session))
    session.flush()


def hear(session: Session, case: Heard, text: str, who: Viewer, *, file: FileStorage | None = None, now: datetime) -> None:
    """Take the statement in, once and within the term; its file beside it."""
    if case.told_at is None or case.term_ends_on is None:
        raise Refused("not_told", "还没有告知当事人，不能登记陈述申辩。")
    if case.stated_at is not None:
        raise Refused("stated", f"陈述申辩已于 {spoken(case.stated_at)} 提交，不能再改。")
    if local_date(now) > case.term_ends_on:
        raise Refused("term_over", f"陈述申辩的期限是 {spoken(case.term_ends_on)}，已经过了。")
    if not LEAST <= len(text.strip()) <= LONGEST:
        raise Refused("statement", f"请写明陈述申辩的内容（{LEAST} 至 {LONGEST} 字）；没有意见可写“无异议，放弃陈述申辩”。")
    kept = attachments.keep(session, file, who, now=now) if file is not None and file.filename else None
    case.statement, case.stated_by, case.stated_at = text.strip(), who.account_id, now
    case.statement_file_id = kept.id if kept else None
    session.flush()


def require_heard(case: Heard, *, now: datetime) -> None:
    """Refuse to decide against somebody who was not heard."""
    if case.told_at is None:
        raise Refused("not_heard", "作出处理决定前须先告知当事人，并听取陈述申辩。请先办理告知。")
    if not case.is_heard(local_date(now)):
        raise Refused("not_heard", f"当事人的陈述申辩期限到 {spoken(case.term_ends_on)}（含当日），在此之前又没有收到陈述申辩，不能作出处理决定。")

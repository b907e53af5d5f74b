"""The doctor's rounds: the worker looks every hour, thoroughly once a day, keeps what it saw, and writes to the administrator
about what is bad: once a day for each finding.
"""

from __future__ import annotations

import socket
from collections.abc import Sequence
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session

from qbank.kernel import doctor, jobs, machine, mail
from qbank.kernel.access import Role, Viewer
from qbank.kernel.db import Base, Database, Id, Line
from qbank.kernel.doctor import NAMES
from qbank.kernel.finding import Finding
from qbank.kernel.jobs import Job, JobState, Work
from qbank.kernel.mail_server import MailServer
from qbank.kernel.settings import Settings
from qbank.kernel.times import local, spoken
from qbank.kernel.todo import Todo

EVERY = timedelta(hours=1)
THOROUGH_EVERY = timedelta(hours=12)
AT_NIGHT = range(1, 6)  # hours in China: walking through all answers takes a processor
OVERDUE = timedelta(days=3)  # a computer that is off at night
TOLD_EVERY = timedelta(days=1)
KIND = "kernel.doctor"
EVERYWHERE = ""  # the host of what is the database's, and the same from every host


class FindingRecord(Base):
    """What the doctor last saw of one subject."""

    __tablename__ = "finding_records"
    __table_args__ = (sa.UniqueConstraint("host", "subject"),)
    __unaudited__ = "what a machine saw of itself; nothing follows from it"

    id: Mapped[Id]
    host: Mapped[Line]
    subject: Mapped[Line]
    well: Mapped[bool]
    detail: Mapped[str]
    remedy: Mapped[str]
    advice: Mapped[str]
    since: Mapped[datetime]  # it has been well, or bad
    looked_at: Mapped[datetime]
    told_at: Mapped[datetime | None]  # the administrator was written to; null: never

    @classmethod
    def visible_to(cls, viewer: Viewer) -> sa.ColumnElement[bool]:
        return sa.literal(viewer.has(Role.ADMINISTRATOR))

    @property
    def chinese(self) -> str:
        return NAMES.get(self.subject, self.subject)


@jobs.every
def go_round(session: Session, now: datetime) -> None:
    """Have the doctor look when it is time, in a job: a look takes seconds and must hold no lock."""
    looked = session.scalar(sa.select(sa.func.max(FindingRecord.looked_at)))
    thoroughly = session.scalar(sa.select(FindingRecord.looked_at).where(FindingRecord.subject == doctor.THOROUGH))
    if looked is not None and now - looked < EVERY:
        return
    waiting = sa.select(Job.id).where(Job.kind == KIND, Job.state.in_((JobState.WAITING, JobState.RUNNING)), Job.created_at > now - EVERY)
    if session.scalar(waiting.limit(1)) is None:
        jobs.enqueue(session, KIND, {"thorough": _is_time(thoroughly, now)}, None, now=now)


def _is_time(thoroughly: datetime | None, now: datetime) -> bool:
    if thoroughly is None or now - thoroughly > OVERDUE:
        return True
    return now - thoroughly > THOROUGH_EVERY and local(now).hour in AT_NIGHT


@jobs.kind(KIND, "系统检查")
def make_round(work: Work) -> str:
    """Look, keep what was seen, tell the administrator."""
    now, thorough = work.now(), bool(work.arguments.get("thorough"))
    seen = {socket.gethostname(): list(machine.look(work.settings, now=now)),
            EVERYWHERE: list(doctor.look(work.settings, work.database, now=now, thorough=thorough))}
    with work.transaction() as session:
        for host, findings in seen.items():
            keep(session, host, findings, now=now)
    tell(work.database, work.settings, now=now)
    return "/doctor/"


def keep(session: Session, host: str, findings: Sequence[Finding], *, now: datetime) -> None:
    """Write down what was seen on ``host``."""
    held = {record.subject: record for record in session.scalars(sa.select(FindingRecord).where(FindingRecord.host == host))}
    for finding in findings:
        record = held.get(finding.subject) or FindingRecord(host=host, subject=finding.subject, well=finding.well, since=now)
        if record.well != finding.well:
            record.well, record.since = finding.well, now
        record.detail, record.remedy, record.advice, record.looked_at = finding.detail, finding.remedy, finding.advice, now
        session.add(record)


def tell(database: Database, settings: Settings, *, now: datetime) -> int:
    """Write one letter about everything that is bad and was not told today; how many findings were told."""
    with database.open(None, reads_only=True) as session:
        server = mail.server(session, settings)
        bad = list(session.scalars(sa.select(FindingRecord).where(
            ~FindingRecord.well, sa.or_(FindingRecord.told_at.is_(None), FindingRecord.told_at <= now - TOLD_EVERY)).order_by(FindingRecord.id)))
    if server is None or not bad:
        return 0
    write(server, bad, settings.public_url, now=now)
    with database.transaction(None) as session:
        for record in session.scalars(sa.select(FindingRecord).where(FindingRecord.id.in_([one.id for one in bad]))):
            record.told_at = now
    return len(bad)


def write(server: MailServer, bad: Sequence[FindingRecord], address: str, *, now: datetime) -> None:
    """The letter: names of subjects, what was seen, what to do. Nothing about people."""
    lines = [f"{one.chinese}{f'（{one.host}）' if one.host else ''}：{one.detail}\n  怎么办：{one.remedy}\n  从 {spoken(one.since)} 起" for one in bad]
    server.send(f"考评通系统检查：{len(bad)} 项需要处理（{'、'.join(one.chinese for one in bad[:3])}{'等' if len(bad) > 3 else ''}）",
                f"{spoken(now)} 的系统检查发现：\n\n" + "\n\n".join(lines) + f"\n\n全部结果：{address}/doctor/\n同一个问题一天只写一次信。\n", now=now)


def todo(session: Session, viewer: Viewer, *, now: datetime) -> list[Todo]:
    """What the doctor found wrong, for administrators."""
    if not viewer.has(Role.ADMINISTRATOR):
        return []
    bad = session.scalars(sa.select(FindingRecord).where(~FindingRecord.well).order_by(FindingRecord.id)).all()
    return [Todo(f"系统检查：{len(bad)} 项需要处理", "doctor.show", {}, "、".join(one.chinese for one in bad[:5]))] if bad else []

"""The doctor: what an installation needs, each finding with its remedy.

``examine`` only reads. Its findings carry a short English name for programs and Chinese sentences for people: the console,
the page of the administrator and the mail show the same ones.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from qbank.kernel import audit, backup, durability, machine, mail, migrations, sweeping, trail
from qbank.kernel.attempts import SignInAttempt
from qbank.kernel.db import Database
from qbank.kernel.finding import Finding
from qbank.kernel.jobs import Job, JobState
from qbank.kernel.settings import Settings
from qbank.kernel.times import spoken

THOROUGH = "audit trail"  # only a thorough look sees it
SILENT = timedelta(minutes=5)  # a worker that sweeps every few seconds, and is noted to the minute, has ended
LATE_SECONDS = 2.0  # between this machine's clock and the database server's
# What the rooms have the doctor look at, each in a session that only reads and knows the settings (``session.info``); the second
# list may take minutes where there are millions of rows.
EXAMINED: list[Callable[[Session], Finding]] = []
EXAMINED_THOROUGHLY: list[Callable[[Session], Finding]] = []
NAMES = {"settings": "设置", "disk": "磁盘空间", "fonts": "中文字体", "keys": "密钥文件", "certificate": "TLS 证书", "size": "机器规格", "mail": "邮件通知",
         "time service": "时间同步", "port": "端口", "database": "数据库", "schema": "数据库结构", "durability": "断电不丢数据", "clock": "时钟",
         "backup": "备份", "audit trail": "审计留痕", "event chains": "作答记录链", "media": "附件文件", "calendar": "工作日历", "host keys": "各主机密钥一致",
         "append-only tables": "只增不改的记录", "worker": "后台任务进程"}


def examine(settings: Settings, database: Database, *, now: datetime, thorough: bool = True) -> list[Finding]:
    """Everything the doctor sees: this machine first, then the database. ``thorough`` also walks the trail and the answers."""
    return [*machine.look(settings, now=now), *look(settings, database, now=now, thorough=thorough)]


def look(settings: Settings, database: Database, *, now: datetime, thorough: bool) -> Iterator[Finding]:
    """What concerns the database, the same from every host."""
    try:
        current, newest = migrations.revisions(database.engine)
    except sa.exc.DBAPIError as error:
        yield Finding("database", False, f"连接不上：{error.orig}", "启动数据库服务，或改正 EXAMROOM_DATABASE_URL")
        return
    yield Finding("database", True, database.engine.dialect.name)
    yield Finding("schema", migrations.fits(current), f"数据库 {current or '空'}，程序 {newest}", "运行 examroom upgrade")
    if not migrations.fits(current):
        return
    with database.open(None, clock=lambda: now, reads_only=True) as session:
        session.info["settings"] = settings
        yield _durability(session)
        yield _clock(session, now)
        yield _backup(session, settings, now)
        yield _worker(session, now)
        yield mail.look(session)
        for examined in EXAMINED:
            yield examined(session)
        if thorough:
            yield _trail(session)
            for examined in EXAMINED_THOROUGHLY:
                yield examined(session)


def _durability(session: Session) -> Finding:
    weak = durability.weaknesses(session)
    return Finding("durability", not weak, "、".join(weak) or "确认过的作答断电也不丢",
                   "把 synchronous_commit、fsync、full_page_writes 设为 on；改好之前不能开启考场")


def _trail(session: Session) -> Finding:
    found = trail.examine(session)
    told = [one.sentence for one in found.breaks[:3]] + [one.sentence for one in found.heads[:3]]
    return Finding(THOROUGH, found.holds, f"{len(found.breaks)} 处断开，链头 {found.head[:16]}", "；".join(told))


def _backup(session: Session, settings: Settings, now: datetime) -> Finding:
    """The age of the newest one; an installation of today has nothing to lose yet."""
    found = backup.newest(settings)
    remedy = "运行 examroom backup，并把它设为每晚自动运行"
    if found is None:
        began = session.scalar(sa.select(sa.func.min(audit.AuditEntry.at))) or now
        return Finding("backup", now - began < backup.OLDEST, f"{settings.folder / backup.FOLDER} 里还没有备份", remedy, advice=remedy)
    age = now - found[1]
    return Finding("backup", age <= backup.OLDEST, f"最新的备份已有 {age.total_seconds() / 3600:.1f} 小时：{found[0].name}", remedy)


def _worker(session: Session, now: datetime) -> Finding:
    """Whether one swept lately. Bad where it is missed: nobody closes sittings while people sign in, or a job waits. A server that
    has just started has a worker in a moment, and one that stands still needs none."""
    swept = sweeping.newest(session)
    if swept is not None and now - swept <= SILENT:
        return Finding("worker", True, f"最近一次运行：{spoken(swept)}")
    since = SignInAttempt.at < now - SILENT if swept is None else SignInAttempt.at.between(swept + SILENT, now - SILENT)
    missed = [sa.select(SignInAttempt.id).where(since),
              sa.select(Job.id).where(Job.state == JobState.WAITING, Job.created_at < now - SILENT)]
    well = not any(session.scalar(one.limit(1)) for one in missed)
    remedy = "启动 examroom worker（examroom serve 不加 --no-worker 时自带一个），并查看它的日志；没有它，到时的场次不会自动收卷，导入、打印等任务不会办理"
    return Finding("worker", well, "从未运行过" if swept is None else f"最近一次运行：{spoken(swept)}", remedy, advice=remedy if well else "")


def _clock(session: Session, now: datetime) -> Finding:
    """Against what was last written, and against the clock of the database's server where that is another machine."""
    remedy = "校准这台机器的时钟"
    newest = session.scalar(sa.select(sa.func.max(audit.AuditEntry.at))) or datetime(2000, 1, 1, tzinfo=UTC)
    if newest > now + timedelta(seconds=LATE_SECONDS):
        return Finding("clock", False, f"现在 {spoken(now, seconds=True)}，最新的记录却是 {spoken(newest, seconds=True)}", remedy)
    told = f"现在 {spoken(now, seconds=True)}"
    if session.get_bind().dialect.name != "postgresql":
        return Finding("clock", True, told)
    theirs: datetime = session.execute(sa.text("SELECT clock_timestamp()")).scalar_one()
    apart = (now - theirs).total_seconds()
    return Finding("clock", abs(apart) <= LATE_SECONDS, f"{told}，与数据库服务器相差 {apart:.1f} 秒",
                   f"{remedy}和数据库服务器的时钟，两台都与同一个时间服务器同步")

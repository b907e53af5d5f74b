"""Is a sitting ready? Everything that can be looked at without disturbing anybody; each finding with its remedy."""

from __future__ import annotations

import hashlib
import shutil
import time
import urllib.request
import zlib
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from urllib.parse import urlsplit

import sqlalchemy as sa
from sqlalchemy.orm import Session

from examroom.delivery import bodies
from examroom.delivery.models import Sheet
from examroom.invigilation.seats import neighbours_on_one_form
from examroom.plans.models import Enrolment, Seat, Sitting
from examroom.plans.staffing import shortages
from qbank.items.markup import pictures_in
from qbank.items.models import Picture
from qbank.items.pictures import missing
from qbank.kernel import backup
from qbank.kernel.audit import AuditEntry
from qbank.kernel.finding import Finding
from qbank.kernel.machine import LEAST_FREE_BYTES
from qbank.kernel.refused import Refused
from qbank.kernel.settings import Settings
from qbank.kernel.times import spoken, utc_now
from qbank.papers.contents import items_of
from qbank.papers.opening import require_open
from qbank.standards.packs import pack_for

BYTES_PER_SHEET = 4_000_000  # events, answers, log and a copy of them, generously
OLDEST_BACKUP = backup.OLDEST
KEYS = {"key", "explanation", "score", "half_points", "guide", "correct"}


def look(session: Session, sitting: Sitting, settings: Settings, *, now: datetime) -> Iterator[Finding]:
    """The findings in the order of the readiness sheet."""
    yield from _papers(session, sitting, now)
    yield _sheets(session, sitting)
    yield _pictures(session, sitting)
    yield from _people(session, sitting)
    yield _clock(session, now)
    yield _disk(session, sitting, settings)
    yield _durability(session)
    yield _backup(settings, now)


def _papers(session: Session, sitting: Sitting, now: datetime) -> Iterator[Finding]:
    for paper in sitting.papers:
        try:
            require_open(session, paper, now=now)
        except Refused as refusal:
            yield Finding(f"试卷 {paper.form} 卷", False, refusal.sentence, "按提示办理试卷启封；指纹不符时改用备用卷。")
        else:
            yield Finding(f"试卷 {paper.form} 卷", True, f"已启封，内容与封存时的指纹 {str(paper.fingerprint)[:16]}… 一致")


def _sheets(session: Session, sitting: Sitting) -> Finding:
    """Open every sheet as its candidate will see it, through the code that serves it."""
    if old := bodies.outdated(session, sitting.id):
        return Finding("答卷", False, f"{old} 份由升级前的版本发放，没有预先生成内容", "在“发卷”里重新发卷：座位和试卷不变。")
    wrong, found = [], session.scalars(sa.select(Sheet).where(Sheet.sitting_id == sitting.id).order_by(Sheet.id)).all()
    for sheet in found:
        if not _shows(session, sheet):
            wrong.append(f"{sheet.seat.number} 号 {sheet.enrolment.candidate.name}")
    return Finding("答卷", bool(found) and not wrong, f"打开 {len(found)} 份，题数与试卷一致 {len(found) - len(wrong)} 份"
                   + (f"；不一致：{'、'.join(wrong[:5])}" if wrong else ""), "重新发卷；仍不一致时换备用卷并报告系统管理员。")


def _shows(session: Session, sheet: Sheet) -> bool:
    """Whether what is kept for sending is whole, shows what the layout says, and carries nothing that belongs to the marking."""
    try:
        body = bodies.read(session, sheet.id)
        text = bodies.plain(body, "").removesuffix(b",")
        bodies.check(text.decode(), sheet.layout)
        questions = bodies.shown(session, sheet)["questions"]
    except (ValueError, zlib.error):
        return False
    return zlib.crc32(text) == body.checksum and not any(KEYS & question.keys() for question in questions)


def _pictures(session: Session, sitting: Sitting) -> Finding:
    """Every picture that a paper of the sitting names: it is there, and its bytes are what their hash says."""
    texts, school = [], sitting.plan.institution_id
    for paper in sitting.papers:
        for item in items_of(paper):
            version = item.version
            texts += [version.stem, *(option.text for option in version.options), version.stimulus.text if version.stimulus else ""]
    gone = missing(session, school, texts)
    hashes = {sha for text in texts for sha in pictures_in(text)}
    pictures = session.scalars(sa.select(Picture).where(Picture.institution_id == school, Picture.sha256.in_(hashes))).all()
    changed = [picture.sha256[:8] for picture in pictures if hashlib.sha256(picture.content).hexdigest() != picture.sha256]
    return Finding("图片", not gone and not changed, f"{len(hashes)} 张，逐张核对内容哈希" + (f"；缺 {len(gone)} 张" if gone else "")
                   + (f"；内容被改动：{'、'.join(changed)}" if changed else ""), "从备份恢复图片，或换备用卷。")


def _people(session: Session, sitting: Sitting) -> Iterator[Finding]:
    seats = session.scalars(sa.select(Seat).where(Seat.sitting_id == sitting.id)).all()
    short = shortages(session, sitting)
    yield Finding("监考员", not short, "人数符合要求" if not short else "；".join(short), "在考务方案里补足监考员。")
    beside = neighbours_on_one_form(session, sitting)
    if len(sitting.papers) > 1:
        yield Finding("相邻座位", not beside, f"{beside} 对邻座卷型相同" if beside else "相邻考生不同卷型",
                      "试卷套数或空座不够时无法避免；可增加卷型或隔座编排后重新发卷。")
    else:
        yield Finding("相邻座位", True, "本场只有一套试卷，相邻考生题目和选项顺序不同")
    if pack_for(session, sitting.plan.institution).photo_check:
        bare = session.scalar(sa.select(sa.func.count()).select_from(Enrolment).where(
            Enrolment.id.in_([seat.enrolment_id for seat in seats]), Enrolment.photo_id.is_(None))) or 0
        yield Finding("考生照片", not bare, f"{len(seats) - bare} / {len(seats)} 人有照片", "在“考生照片与延时照顾”里上传照片。")


def _clock(session: Session, now: datetime) -> Finding:
    newest = session.scalar(sa.select(sa.func.max(AuditEntry.at))) or now
    detail, well = f"服务器时间 {spoken(now, seconds=True)}", newest <= now
    if session.get_bind().dialect.name == "postgresql":
        ahead = (session.scalar(sa.select(sa.func.clock_timestamp())) or now).timestamp() - utc_now().timestamp()
        detail, well = f"{detail}，数据库时钟相差 {ahead:+.1f} 秒", well and abs(ahead) < 2
    return Finding("时钟", well, detail, "校准服务器（和数据库服务器）的时钟；最新的审计记录不应晚于现在。")


def _disk(session: Session, sitting: Sitting, settings: Settings) -> Finding:
    count = session.scalar(sa.select(sa.func.count()).where(Sheet.sitting_id == sitting.id)) or 0
    need, free = max(LEAST_FREE_BYTES, count * BYTES_PER_SHEET), shutil.disk_usage(settings.folder).free
    return Finding("磁盘", free > need, f"剩余 {free / 1e9:.1f} GB，本场至少需要 {need / 1e9:.1f} GB", "清理磁盘：写不下的作答不会被确认。")


def _durability(session: Session) -> Finding:
    """What makes an acknowledged answer survive a power cut."""
    if session.get_bind().dialect.name == "postgresql":
        held = {name: str(session.scalar(sa.text(f"SHOW {name}"))) for name in ("synchronous_commit", "fsync", "full_page_writes")}
        well = held["fsync"] == held["full_page_writes"] == "on" and held["synchronous_commit"] not in {"off"}
        return Finding("数据库写盘", well, "，".join(f"{name} = {value}" for name, value in held.items()),
                       "在 postgresql.conf 里把 fsync、full_page_writes、synchronous_commit 都设为 on，然后重启数据库。")
    mode, level = session.scalar(sa.text("PRAGMA journal_mode")), session.scalar(sa.text("PRAGMA synchronous"))
    return Finding("数据库写盘", mode == "wal" and level == 2, f"SQLite journal_mode = {mode}，synchronous = {level}（应为 wal 和 2）",
                   "不要用其他程序改动数据库设置；重新启动服务后再试。")


def _backup(settings: Settings, now: datetime) -> Finding:
    found, remedy = backup.newest(settings), "开考前运行 examroom backup 做一次备份（README“备份”一节）。"
    if found is None:
        return Finding("备份", False, f"{settings.folder / backup.FOLDER} 里没有备份", remedy)
    return Finding("备份", now - found[1] <= OLDEST_BACKUP, f"最新的备份是 {spoken(found[1])} 的", remedy)


def reachable(settings: Settings, requests: int) -> Finding:
    """Whether this very server answers where candidates will find it, asked by many at once for the sign-in page."""
    address, waits, failed = f"{settings.public_url}/exam", Counter[str](), 0

    def ask(_: int) -> float:
        began = time.monotonic()
        with urllib.request.urlopen(address, timeout=10) as answer:  # noqa: S310  # our own address, from the settings
            answer.read()
        return (time.monotonic() - began) * 1000

    times = []
    with ThreadPoolExecutor(min(64, requests)) as pool:
        for future in [pool.submit(ask, number) for number in range(requests)]:
            try:
                times.append(future.result())
            except OSError as problem:
                failed += 1
                waits[str(problem)] += 1
    local = (urlsplit(settings.public_url).hostname or "") in {"127.0.0.1", "localhost", "::1"}
    told = f"{address}：{len(times)} / {requests} 次同时访问成功" + (f"，最慢 {max(times):.0f} 毫秒" if times else f"（{next(iter(waits))}）")
    return Finding("考生访问地址", not failed and not local, told + ("；这是本机地址，考生电脑访问不到" if local else ""),
                   "把 EXAMROOM_PUBLIC_URL 设为考生电脑访问本系统的地址，检查服务、防火墙和网络后重试。")

"""影像资料: recordings that stay on their recorder's disk, registered by path and hash, compared when they can be reached.

Nothing is copied and nothing outside the video folder (``EXAMROOM_VIDEO_DIR``) is ever read.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path, PurePosixPath

import sqlalchemy as sa
from sqlalchemy.orm import Session

from examroom.filing.duties import require_duty
from examroom.plans.models import ExamPlan, SittingRoom
from qbank.kernel import jobs
from qbank.kernel.access import Role, Viewer, fetch
from qbank.kernel.jobs import Job, Work
from qbank.kernel.refused import Refused
from scoring.archive.models import Seen, Video, VideoCheck
from scoring.archive.packing import digest_of

HASH = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class Recording:
    """What a person says of a recording. ``sha256`` empty: it is read from the file, which then must be reachable."""

    place: str
    starts_at: datetime
    ends_at: datetime
    path: str
    sha256: str = ""
    size: int = 0


def register(session: Session, plan: ExamPlan, told: Recording, who: Viewer, *, room: SittingRoom | None = None, now: datetime) -> Video:
    """Put a recording with a known hash on record."""
    path = require_registrable(session, plan, told, who, room)
    if not HASH.fullmatch(told.sha256.strip().lower()):
        raise Refused("bad_hash", "SHA-256 应为 64 位十六进制数。能读到录像文件时可以不填，由系统计算。")
    made = Video(plan_id=plan.id, sitting_room_id=room.id if room else None, place=told.place.strip()[:200], starts_at=told.starts_at,
                 ends_at=told.ends_at, path=path, sha256=told.sha256.strip().lower(), size=told.size, registered_by=who.account_id, at=now)
    session.add(made)
    session.flush()
    return made


def ask_register(session: Session, plan: ExamPlan, told: Recording, who: Viewer, folder: Path, *, room: SittingRoom | None = None,
                 now: datetime) -> Job:
    """Have a recording read and put on record off the request: reading a day of video takes minutes."""
    path = require_registrable(session, plan, told, who, room)
    _reachable(folder, path)
    return jobs.enqueue(session, "archive.register_video", {
        "plan_id": plan.id, "room_id": room.id if room else None, "place": told.place, "path": path,
        "starts_at": told.starts_at.isoformat(), "ends_at": told.ends_at.isoformat()}, who, now=now)


@jobs.kind("archive.register_video", "登记录像")
def register_job(work: Work) -> str:
    asked = work.arguments
    work.progress(0, 1, f"正在计算 {asked['path']} 的 SHA-256…")
    sha256, size = measured(work.settings.videos, asked["path"])
    told = Recording(asked["place"], datetime.fromisoformat(asked["starts_at"]), datetime.fromisoformat(asked["ends_at"]), asked["path"],
                     sha256, size)
    with work.transaction() as session:
        plan = fetch(session, ExamPlan, asked["plan_id"], work.who)
        room = fetch(session, SittingRoom, asked["room_id"], work.who) if asked["room_id"] else None
        register(session, plan, told, work.who, room=room, now=work.now())
    return f"/archive/plans/{asked['plan_id']}/videos"


def require_registrable(session: Session, plan: ExamPlan, told: Recording, who: Viewer, room: SittingRoom | None) -> str:
    """The clean path. Refuses who may not, what cannot be, and what is registered already."""
    require_duty(session, who, plan.institution_id, Role.EXAM_OFFICER, plan_id=plan.id)
    path = _clean(told.path)
    if not told.place.strip():
        raise Refused("no_place", "请填写录像的地点，例如“3号机房 前摄像头”。")
    if told.ends_at <= told.starts_at:
        raise Refused("bad_span", "录像的结束时间应晚于开始时间。")
    if room is not None and room.sitting.plan_id != plan.id:
        raise Refused("other_plan", "所选考场不属于本批次。")
    if session.scalar(sa.select(Video.id).where(Video.plan_id == plan.id, Video.path == path)):
        raise Refused("registered", f"“{path}”已经登记过。")
    return path


def _clean(path: str) -> str:
    """A path below the video folder. Refuses what leads out of it."""
    plain = path.strip().replace("\\", "/")
    parts = PurePosixPath(plain).parts
    if not plain or len(plain) > 500 or plain.startswith("/") or ":" in plain or ".." in parts or "\x00" in plain:
        raise Refused("bad_path", "路径应是录像文件夹以下的相对路径，例如“2026/JH-2026-001/机房3_0900.mp4”。")
    return "/".join(parts)


def _reachable(folder: Path, path: str) -> Path:
    """The file. Refuses what is not there, and links that lead out of the folder."""
    place = folder / path
    try:
        if place.resolve().is_relative_to(folder.resolve()) and place.is_file():
            return place
    except OSError:
        pass
    raise Refused("not_reachable", f"在录像文件夹中找不到“{path}”。请核对路径，或直接填写录像机导出的 SHA-256。")


def measured(folder: Path, path: str) -> tuple[str, int]:
    """Hash and size of a recording. Refuses what cannot be reached."""
    place = _reachable(folder, path)
    try:
        with place.open("rb") as stream:
            return digest_of(stream), place.stat().st_size
    except OSError:
        raise Refused("not_reachable", f"“{path}”无法读取，请检查录像服务器的连接。") from None


def ask_check(session: Session, plan: ExamPlan, who: Viewer, *, now: datetime) -> Job:
    """Have all recordings of a plan compared, off the request: they are large."""
    require_duty(session, who, plan.institution_id, Role.EXAM_OFFICER, plan_id=plan.id)
    if not videos_of(session, plan):
        raise Refused("no_videos", "本批次还没有登记录像。")
    return jobs.enqueue(session, "archive.videos", {"plan_id": plan.id}, who, now=now)


@jobs.kind("archive.videos", "核对录像")
def check_job(work: Work) -> str:
    with work.reading() as session:
        plan = fetch(session, ExamPlan, work.arguments["plan_id"], work.who)
        wanted = [(one.id, one.path, one.sha256) for one in videos_of(session, plan)]
    for done, (video_id, path, sha256) in enumerate(wanted):
        work.progress(done, len(wanted), f"正在核对 {path}…")
        found = compare(work.settings.videos, path, sha256)
        with work.transaction() as session:
            video = fetch(session, Video, video_id, work.who)
            session.add(VideoCheck(video=video, found=found, checked_by=work.who.account_id, at=work.now()))
    return f"/archive/plans/{work.arguments['plan_id']}/videos"


def compare(folder: Path, path: str, sha256: str) -> Seen:
    """Whether the recording is there and still the same."""
    try:
        return Seen.SAME if measured(folder, path)[0] == sha256 else Seen.CHANGED
    except Refused:
        return Seen.GONE


def videos_of(session: Session, plan: ExamPlan) -> Sequence[Video]:
    return session.scalars(sa.select(Video).where(Video.plan_id == plan.id).order_by(Video.starts_at, Video.id)).all()

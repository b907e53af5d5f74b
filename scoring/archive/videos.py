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
    """What a person says of a recording. ``sha256`` empty: read from the file, which then must be reachable."""

    place: str
    starts_at: datetime
    ends_at: datetime
    path: str
    sha256: str = ""
    size: int = 0


def register(session: Session, plan: ExamPlan, told: Recording, who: Viewer, folder: Path, *, room: SittingRoom | None = None,
             now: datetime) -> Video:
    """Put a recording on record."""
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
    sha256, size = told.sha256.strip().lower(), told.size
    if not sha256:
        sha256, size = _read(folder, path)
    elif not HASH.fullmatch(sha256):
        raise Refused("bad_hash", "SHA-256 应为 64 位十六进制数。能读到录像文件时可以不填，由系统计算。")
    made = Video(plan_id=plan.id, sitting_room_id=room.id if room else None, place=told.place.strip()[:200], starts_at=told.starts_at,
                 ends_at=told.ends_at, path=path, sha256=sha256, size=size, registered_by=who.account_id, at=now)
    session.add(made)
    session.flush()
    return made


def _clean(path: str) -> str:
    """A path below the video folder. Refuses what leads out of it."""
    plain = path.strip().replace("\\", "/")
    parts = PurePosixPath(plain).parts
    if not plain or len(plain) > 500 or plain.startswith("/") or ":" in plain or ".." in parts or "\x00" in plain:
        raise Refused("bad_path", "路径应是录像文件夹以下的相对路径，例如“2026/JH-2026-001/机房3_0900.mp4”。")
    return "/".join(parts)


def _read(folder: Path, path: str) -> tuple[str, int]:
    """Hash and size. Refuses what cannot be reached, and links that lead out of the folder."""
    place = folder / path
    try:
        if not place.resolve().is_relative_to(folder.resolve()) or not place.is_file():
            raise FileNotFoundError(path)
        with place.open("rb") as stream:
            return digest_of(stream), place.stat().st_size
    except OSError:
        raise Refused("not_reachable", f"在录像文件夹中找不到“{path}”。请核对路径，或直接填写录像机导出的 SHA-256。") from None


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
        return Seen.SAME if _read(folder, path)[0] == sha256 else Seen.CHANGED
    except Refused:
        return Seen.GONE


def videos_of(session: Session, plan: ExamPlan) -> Sequence[Video]:
    return session.scalars(sa.select(Video).where(Video.plan_id == plan.id).order_by(Video.starts_at, Video.id)).all()

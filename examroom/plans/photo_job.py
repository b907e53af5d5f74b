"""Taking photos in off the request: a class is looked at in seconds, a year in minutes."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from examroom.plans import photos
from examroom.plans.models import ExamPlan
from qbank.kernel import attachments
from qbank.kernel.access import fetch
from qbank.kernel.jobs import Job, JobState, Work, kind
from qbank.kernel.keyring import KEY_BYTES, open_bytes, seal_bytes
from qbank.kernel.refused import Refused

KEEP_PHOTOS = "plans.keep_photos"
ABOUT = b"examroom/photos"
SHOWN = 200


def put_aside(session: Session, content: bytes) -> dict[str, str]:
    """Where a worker of any host finds the archive, as arguments of its job; it goes when it is done with.

    Sealed: names of files in it are identity numbers, and the same archive sent twice must not lose the second's bytes to the first.
    """
    key = secrets.token_bytes(KEY_BYTES)
    return {"archive": attachments.put(session, seal_bytes(key, content, ABOUT)), "key": key.hex()}


@contextmanager
def _archive(work: Work) -> Iterator[bytes]:
    """What was put aside. It goes when it was taken in or refused; while a job may be tried again it stays."""
    name = work.arguments["archive"]
    with work.reading() as session:
        place = attachments.store_of(session).find(name)
        if place is None:
            raise Refused("photos_gone", "上传的压缩包已不在，请重新上传。")
        content = open_bytes(bytes.fromhex(work.arguments["key"]), place.read_bytes(), ABOUT)
    try:
        yield content
    except Refused:
        _take_away(work, name)
        raise
    _take_away(work, name)


def _take_away(work: Work, name: str) -> None:
    with work.transaction() as session:
        attachments.discard(session, [name])


@kind(KEEP_PHOTOS, "导入考生照片")
def keep_photos(work: Work) -> str:
    """What fits nobody or is no photo for documents is named at the end; the rest is kept."""
    report, plan_id = photos.PhotoReport(), work.arguments["plan_id"]
    with _archive(work) as archive, work.reading() as session:
        plan = fetch(session, ExamPlan, plan_id, work.who)
        cipher = work.settings.identity_cipher()
        for some in photos.batches(session, plan, archive, work.who, cipher, report,
                                   progress=lambda done, total: work.progress(done, total, "正在核对照片…")):
            with work.transaction() as writing:
                report.kept += photos.keep_batch(writing, some, report, now=work.now())
    if report.problems:
        raise Refused("photos", f"已保存 {report.kept} 张照片，{len(report.problems)} 个文件没有保存。请改正后把这些文件再打包上传。",
                      report.problems[:SHOWN])
    return f"/invigilation/plans/{plan_id}/candidates"


def _waiting(session: Session) -> list[Any]:
    """Archives that a worker has yet to take in."""
    open_jobs = sa.select(Job.arguments).where(Job.kind == KEEP_PHOTOS, Job.state.in_((JobState.WAITING, JobState.RUNNING)))
    return [arguments["archive"] for arguments in session.scalars(open_jobs) if "archive" in arguments]


attachments.NAMED.append(_waiting)
